"""Lambda's operations, done and refused."""
import base64
import hashlib
import json

import support
from support import ACCOUNT, REGION, read, zip_of

TALK = {"talk.py": read(support.HERE, "handlers", "talk.py")}


class Lambda(support.ServerTest):
    def place(self, name, **more):
        return self.create_function(name, TALK, "talk.on_event", **more)

    def invoke(self, name, event, **more):
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
        return answer, json.loads(answer["Payload"].read() or b"null")

    def test_a_function_is_made_shown_changed_and_deleted(self):
        made = self.functions.create_function(
            FunctionName="whole", Runtime="python3.11", Role=support.ROLE, Handler="talk.on_event",
            Code={"ZipFile": zip_of(TALK)}, Description="talks", Timeout=7, MemorySize=256, Tags={"a": "b"},
            Environment={"Variables": {"WORD": "one"}})
        self.assertEqual("arn:aws:lambda:%s:%s:function:whole" % (REGION, ACCOUNT), made["FunctionArn"])
        self.functions.get_waiter("function_active_v2").wait(FunctionName="whole")
        got = self.functions.get_function(FunctionName=made["FunctionArn"])
        self.assertEqual({"a": "b"}, got["Tags"])
        for key, value in (("Description", "talks"), ("Timeout", 7), ("MemorySize", 256), ("Handler", "talk.on_event"),
                           ("Runtime", "python3.11"), ("Environment", {"Variables": {"WORD": "one"}}),
                           ("CodeSha256", made["CodeSha256"]), ("Version", "$LATEST")):
            self.assertEqual(value, got["Configuration"][key], key)
        self.assertEqual({"ApplyOn": "None", "OptimizationStatus": "Off"}, got["Configuration"]["SnapStart"])
        if support.takes(self.functions, "CreateFunction", "LoggingConfig"):
            self.assertEqual({"LogFormat": "Text", "LogGroup": "/aws/lambda/whole"},
                             got["Configuration"]["LoggingConfig"])
        self.assertEqual("one", self.invoke("whole", {})[1]["word"])
        changed = self.functions.update_function_configuration(FunctionName="whole", Timeout=8,
                                                               Environment={"Variables": {"WORD": "two"}})
        self.assertEqual(8, changed["Timeout"])
        self.assertEqual("two", self.invoke("whole", {})[1]["word"])
        changed = self.functions.update_function_code(
            FunctionName="whole", ZipFile=zip_of({"talk.py": "def on_event(event, context):\n    return 'new'\n"}))
        self.assertNotEqual(made["CodeSha256"], changed["CodeSha256"])
        self.assertEqual("new", self.invoke("whole", {})[1])
        self.assertEqual(8, self.functions.get_function_configuration(FunctionName="whole")["Timeout"])
        self.functions.delete_function(FunctionName="whole")
        self.assertIn("whole", self.refused("ResourceNotFoundException", self.functions.get_function,
                                            FunctionName="whole"))

    def test_a_dry_run_of_new_code_changes_nothing(self):
        self.place("dry")
        before = self.functions.get_function(FunctionName="dry")
        other = zip_of({"talk.py": "def on_event(event, context):\n    return 'new'\n"})
        for publish in (False, True):
            would = self.functions.update_function_code(FunctionName="dry", ZipFile=other, DryRun=True,
                                                        Publish=publish)
            self.assertEqual(base64.b64encode(hashlib.sha256(other).digest()).decode(), would["CodeSha256"])
            self.assertEqual((len(other), "1" if publish else "$LATEST"), (would["CodeSize"], would["Version"]))
        self.assertEqual(before["Configuration"], self.functions.get_function(FunctionName="dry")["Configuration"])
        self.assertEqual({"do": "x"}, self.invoke("dry", {"do": "x"})[1]["event"])
        self.refused("ResourceNotFoundException", self.functions.get_function, FunctionName="dry", Qualifier="1")
        for code, more in (("InvalidParameterValueException", {"ZipFile": b"no zip"}),
                           ("PreconditionFailedException", {"ZipFile": other, "RevisionId": "no such revision"})):
            self.refused(code, self.functions.update_function_code, FunctionName="dry", DryRun=True, **more)
        self.assertEqual("1", self.functions.update_function_code(FunctionName="dry", ZipFile=other, DryRun=False,
                                                                  Publish=True)["Version"])
        self.assertEqual("new", self.invoke("dry", {})[1])

    def test_functions_that_are_not_there_are_refused(self):
        for call, more in ((self.functions.invoke, {}), (self.functions.get_function_configuration, {}),
                           (self.functions.delete_function, {}), (self.functions.get_policy, {}),
                           (self.functions.update_function_code, {"ZipFile": zip_of(TALK)}),
                           (self.functions.update_function_configuration, {"Timeout": 3}),
                           (self.functions.remove_permission, {"StatementId": "s"}),
                           (self.functions.add_permission, {"StatementId": "s", "Action": "lambda:InvokeFunction",
                                                            "Principal": "events.amazonaws.com"})):
            self.refused("ResourceNotFoundException", call, FunctionName="nobody", **more)
            self.assertEqual(404, self.status)

    def test_functions_that_cannot_be_made_are_refused(self):
        self.place("taken")
        good = dict(FunctionName="bad", Runtime="python3.11", Role=support.ROLE, Handler="talk.on_event",
                    Code={"ZipFile": zip_of(TALK)})
        create = self.functions.create_function
        self.refused("ResourceConflictException", create, **dict(good, FunctionName="taken"))
        self.refused("InvalidParameterValueException", create, **dict(good, Code={"ZipFile": b"no zip"}))
        self.assertIn("runtime", self.refused("ValidationException", create, **dict(good, Runtime="cobol85")))
        self.refused("InvalidParameterValueException", create, **dict(good, Code={}))
        self.assertIn("S3Bucket", self.refused("NotImplemented", create, **dict(
            good, Code={"S3Bucket": "bucket", "S3Key": "key"})))
        self.assertIn("Layers", self.refused("NotImplemented", create, **dict(
            good, Layers=["arn:aws:lambda:%s:%s:layer:l:1" % (REGION, ACCOUNT)])))
        self.refused("ResourceNotFoundException", self.functions.get_function, FunctionName="bad")

    def test_what_a_function_cannot_have_is_refused_wherever_it_is_asked_for(self):
        made = self.place("plain")
        shown = self.functions.get_function(FunctionName="plain")["Configuration"]
        arn = "arn:aws:lambda:%s:%s:" % (REGION, ACCOUNT)
        key = "arn:aws:kms:%s:%s:key/k" % (REGION, ACCOUNT)
        create = lambda **more: self.place("other", **more)
        configure = lambda **more: self.functions.update_function_configuration(
            FunctionName="plain", Description="changed", **more)
        recode = lambda **more: self.functions.update_function_code(FunctionName="plain", ZipFile=zip_of(TALK), **more)
        for member, value in (
                ("Layers", [arn + "layer:l:1"]), ("VpcConfig", {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}),
                ("FileSystemConfigs", [{"Arn": "arn:aws:elasticfilesystem:%s:%s:access-point/fsap-12345678901234567"
                                               % (REGION, ACCOUNT), "LocalMountPath": "/mnt/a"}]),
                ("ImageConfig", {"Command": ["a"]}), ("KMSKeyArn", key), ("TracingConfig", {"Mode": "Active"}),
                ("DeadLetterConfig", {"TargetArn": "arn:aws:sqs:%s:%s:dead" % (REGION, ACCOUNT)}),
                ("LoggingConfig", {"LogFormat": "JSON"}), ("LoggingConfig", {"LogGroup": "another"}),
                ("SnapStart", {"ApplyOn": "PublishedVersions"})):
            if not support.takes(self.functions, "CreateFunction", member):
                continue
            for call in (create, configure):
                self.assertIn(member, self.refused("NotImplemented", call, **{member: value}))
                self.assertEqual(501, self.status)
        self.assertIn("arm64", self.refused("NotImplemented", create, Architectures=["arm64"]))
        self.assertIn("arm64", self.refused("NotImplemented", recode, Architectures=["arm64"]))
        self.refused("NotImplemented", create, CodeSigningConfigArn=arn + "code-signing-config:csc-12345678901234567")
        self.refused("NotImplemented", self.functions.list_functions, FunctionVersion="ALL")
        self.assertEqual(shown, self.functions.get_function(FunctionName="plain")["Configuration"])
        self.refused("ResourceNotFoundException", self.functions.get_function, FunctionName="other")
        # What asks for nothing, or for what is done anyway, is taken.
        nothing = {"Layers": [], "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}, "FileSystemConfigs": [],
                   "TracingConfig": {"Mode": "PassThrough"}, "KMSKeyArn": "", "SnapStart": {"ApplyOn": "None"},
                   "DeadLetterConfig": {"TargetArn": ""}, "ImageConfig": {}, "EphemeralStorage": {"Size": 512}}
        logging = {}
        if support.takes(self.functions, "CreateFunction", "LoggingConfig"):
            logging = {"LoggingConfig": {"LogFormat": "Text"}}
            configure(LoggingConfig={"LogFormat": "Text", "LogGroup": "/aws/lambda/plain"})
        configure(**nothing)
        configure(VpcConfig={})
        recode(Architectures=shown["Architectures"])
        create(Architectures=shown["Architectures"], **logging, **nothing)
        self.assertEqual(made, shown["FunctionArn"])

    def test_an_answer_comes_with_its_log(self):
        self.place("talker")
        answer, said = self.invoke("talker", {"do": "speak"}, LogType="Tail")
        self.assertEqual((200, "$LATEST", False), (answer["StatusCode"], answer["ExecutedVersion"],
                                                   "FunctionError" in answer))
        self.assertEqual(({"do": "speak"}, "talker"), (said["event"], said["name"]))
        log = base64.b64decode(answer["LogResult"]).decode()
        self.assertIn("asked for speak\n", log)
        self.assertRegex(log, "REPORT RequestId: \\S+\tDuration: ")
        self.assertEqual("arn:aws:sts::%s:assumed-role/handler/talker" % ACCOUNT,
                         self.invoke("talker", {"do": "who"})[1])

    def test_a_handlers_fault_is_an_answer_with_its_trace(self):
        self.place("faulty")
        answer, said = self.invoke("faulty", {"do": "fail"}, LogType="Tail")
        self.assertEqual((200, "Unhandled"), (answer["StatusCode"], answer["FunctionError"]))
        self.assertEqual(("Unwilling", "not today"), (said["errorType"], said["errorMessage"]))
        self.assertIn("on_event", "".join(said["stackTrace"]))
        self.assertIn("Unwilling: not today", base64.b64decode(answer["LogResult"]).decode())
        answer, said = self.invoke("faulty", {"do": "exit"})
        self.assertEqual(("Unhandled", "Runtime.ExitError"), (answer["FunctionError"], said["errorType"]))
        self.place("lost", Handler="talk.nobody")
        answer, said = self.invoke("lost", {})
        self.assertEqual("Runtime.HandlerNotFound", said["errorType"])
        self.assertIn("nobody", said["errorMessage"])
        self.assertEqual("fine", self.invoke("faulty", {"do": "fine"})[1]["event"]["do"])

    def test_a_handler_that_takes_too_long_is_ended(self):
        self.create_function("slow", {"slow.py": "def h(e, c):\n    while True:\n        pass\n"}, "slow.h", Timeout=1)
        answer, said = self.invoke("slow", {})
        self.assertEqual("Unhandled", answer["FunctionError"])
        self.assertIn("Task timed out after 1.00 seconds", said["errorMessage"])

    def test_an_event_is_taken_and_runs_later(self):
        arn = self.place("later")
        answer = self.functions.invoke(FunctionName="later", InvocationType="Event", Payload=b'{"do": "later"}')
        self.assertEqual(202, answer["StatusCode"])
        runs = [run for run in self.server.wait() if run["Program"] == arn]
        self.assertEqual(["later"], [json.loads(run["Result"]["Payload"])["event"]["do"] for run in runs])
        self.assertEqual(204, self.functions.invoke(FunctionName="later", InvocationType="DryRun")["StatusCode"])
        self.assertEqual(1, len([run for run in self.server.wait() if run["Program"] == arn]))

    def test_an_event_of_more_than_a_megabyte_is_refused(self):
        self.place("large")
        most = json.dumps({"do": "x" * (1024 * 1024 - 9)}, separators=(",", ":")).encode()
        self.assertEqual(1024 * 1024, len(most))
        event = dict(FunctionName="large", InvocationType="Event")
        self.assertEqual(202, self.functions.invoke(Payload=most, **event)["StatusCode"])
        said = self.refused("RequestTooLargeException", self.functions.invoke, Payload=most + b" ", **event)
        self.assertEqual(413, self.status)
        self.assertIn("1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)", said)
        self.assertEqual(200, self.functions.invoke(FunctionName="large", Payload=most + b" ")["StatusCode"])

    def test_a_payload_that_is_no_json_is_refused(self):
        self.place("picky")
        self.refused("InvalidRequestContentException", self.functions.invoke, FunctionName="picky", Payload=b"{no")

    def test_functions_are_listed_in_pages(self):
        names = ["page-%d" % i for i in range(3)]
        for name in names:
            self.place(name)
        pages = list(self.functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
        self.assertTrue(all(len(page["Functions"]) <= 2 for page in pages))
        listed = [function["FunctionName"] for page in pages for function in page["Functions"]]
        self.assertEqual(names, [name for name in listed if name.startswith("page-")])
        self.assertEqual(len(listed), len(set(listed)))

    def test_permissions_come_and_go(self):
        arn = self.place("open")
        self.refused("ResourceNotFoundException", self.functions.get_policy, FunctionName="open")
        rule = "arn:aws:events:%s:%s:rule/r" % (REGION, ACCOUNT)
        allow = dict(FunctionName="open", StatementId="rule-r", Action="lambda:InvokeFunction",
                     Principal="events.amazonaws.com", SourceArn=rule)
        statement = json.loads(self.functions.add_permission(**allow)["Statement"])
        self.assertEqual(("rule-r", "Allow", arn, {"Service": "events.amazonaws.com"}), (
            statement["Sid"], statement["Effect"], statement["Resource"], statement["Principal"]))
        self.refused("ResourceConflictException", self.functions.add_permission, **allow)
        policy = json.loads(self.functions.get_policy(FunctionName="open")["Policy"])
        self.assertEqual([statement], policy["Statement"])
        self.refused("PreconditionFailedException", self.functions.remove_permission, FunctionName="open",
                     StatementId="rule-r", RevisionId="no such revision")
        revision = self.functions.get_policy(FunctionName="open")["RevisionId"]
        self.functions.remove_permission(FunctionName="open", StatementId="rule-r", RevisionId=revision)
        self.refused("ResourceNotFoundException", self.functions.remove_permission, FunctionName="open",
                     StatementId="rule-r")

    def test_tags_come_and_go(self):
        arn = self.place("tagged", Tags={"owner": "ops"})
        self.functions.tag_resource(Resource=arn, Tags={"owner": "net", "env": "test"})
        self.assertEqual({"owner": "net", "env": "test"}, self.functions.list_tags(Resource=arn)["Tags"])
        self.functions.untag_resource(Resource=arn, TagKeys=["owner", "none"])
        self.assertEqual({"env": "test"}, self.functions.get_function(FunctionName="tagged")["Tags"])
        for call in (lambda: self.functions.tag_resource(Resource=arn, Tags={"aws:x": "y"}),
                     lambda: self.functions.tag_resource(Resource=arn + ":live", Tags={"x": "y"})):
            self.refused("InvalidParameterValueException", call)
        self.refused("ResourceNotFoundException", self.functions.list_tags, Resource=arn + "2")
        self.refused("ResourceNotFoundException", self.functions.untag_resource, Resource=arn + "2", TagKeys=["x"])

    def test_a_function_without_concurrency_runs_not(self):
        self.place("still")
        self.assertNotIn("ReservedConcurrentExecutions",
                         self.functions.get_function_concurrency(FunctionName="still"))
        self.functions.put_function_concurrency(FunctionName="still", ReservedConcurrentExecutions=0)
        self.assertEqual(0, self.functions.get_function(FunctionName="still")["Concurrency"]
                         ["ReservedConcurrentExecutions"])
        self.refused("TooManyRequestsException", self.functions.invoke, FunctionName="still")
        self.assertEqual(429, self.status)
        self.functions.put_function_concurrency(FunctionName="still", ReservedConcurrentExecutions=5)
        self.assertEqual(200, self.invoke("still", {})[0]["StatusCode"])
        self.functions.delete_function_concurrency(FunctionName="still")
        self.assertNotIn("Concurrency", self.functions.get_function(FunctionName="still"))
        self.refused("InvalidParameterValueException", self.functions.put_function_concurrency,
                     FunctionName="still", ReservedConcurrentExecutions=901)
        for call in (self.functions.get_function_concurrency, self.functions.delete_function_concurrency):
            self.refused("ResourceNotFoundException", call, FunctionName="no-such-function")

    def test_an_operation_that_is_not_there_says_so(self):
        for call in (self.functions.list_layers, self.functions.get_account_settings):
            self.assertRegex(self.refused("NotImplemented", call), "^lambda:[A-Za-z]+ is not there in this version")
            self.assertEqual(501, self.status)
