"""What the door does for handlers that have never heard of it: dry runs, plans that are approved, guards, undo."""
import http.server
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import support
from support import make_finding, read


class DoorTest(support.ServerTest):
    def place(self, function):
        arn = self.create_function(function, {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                                   "encrypt_bucket.on_event")
        self.events.put_rule(Name=function, EventPattern=json.dumps({"detail": {"findings": {"Title": [function],
                                                                                             "Workflow": {"Status": ["NEW"]}}}}))
        self.events.put_targets(Rule=function, Targets=[{"Id": "handler", "Arn": arn}])
        return arn

    def arrive(self, function, bucket):
        self.bare_bucket(bucket)
        self.take_in(make_finding("door/" + function, "AwsS3Bucket", "arn:aws:s3:::" + bucket, "own-scanner",
                                  ProductArn=support.PRODUCT, Title=function))

    def fixpoint(self, *arguments):
        status, out, err = self.server.fixpoint(*(arguments + ("--json",)))
        self.assertEqual("", err)
        return json.loads(out)

    def run_of(self, arn, outcome):
        """The newest execution of that program, once it has that outcome."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            runs = [run for run in self.fixpoint_executions() if run["Program"] == arn]
            if runs and runs[0]["Outcome"] == outcome:
                return self.fixpoint("executions", runs[0]["Id"])
            time.sleep(0.1)
        self.fail("no execution of %s is %s: %s" % (arn, outcome, json.dumps(runs, indent=1)))

    def fixpoint_executions(self):
        _, out, _ = self.server.fixpoint("executions", "--json")
        return json.loads(out)["Executions"]

    def encrypted(self, bucket):
        try:
            self.s3.get_bucket_encryption(Bucket=bucket)
            return True
        except self.s3.exceptions.ClientError as error:
            self.assertEqual("ServerSideEncryptionConfigurationNotFoundError", error.response["Error"]["Code"])
            return False


class Door(DoorTest):
    def test_a_handler_that_is_observed_reaches_the_account_with_no_changing_call(self):
        arn = self.place("observed")
        self.fixpoint("mode", "observe", "--control", arn)
        self.arrive("observed", "door-observed")
        run = self.run_of(arn, "observed")
        self.assertEqual(["planned", "planned"], [change["State"] for change in run["Changes"]])
        self.assertEqual(["s3:PutBucketEncryption"], [line["Call"] for line in run["Result"]["Plan"]["Changes"]])
        self.assertEqual("possible", run["Result"]["Plan"]["Changes"][0]["Undo"])
        self.assertFalse(self.encrypted("door-observed"))
        # The handler told Security Hub that the finding is resolved; in a dry run that was not said either.
        finding = self.finding("door/observed")
        self.assertEqual("NEW", finding["Workflow"]["Status"])
        self.assertEqual("Function %s would make s3:PutBucketEncryption (plan %s), and changed nothing."
                         % (arn, run["Result"]["Plan"]["Hash"][:12]), finding["Note"]["Text"])
        # Nor does the note begin it again.
        self.assertEqual(1, len([each for each in self.fixpoint_executions() if each["Program"] == arn]))

    def closed_window(self):
        day = time.strftime("%a", time.gmtime(time.time() + 3 * 86400)).lower()
        return json.dumps([day + " 00:00-00:01 UTC"])

    def test_a_handler_that_waits_for_its_window_says_so_and_can_be_called_off(self):
        for mode in ("ask", "auto"):
            arn = self.place("windowed-" + mode)
            self.fixpoint("mode", mode, "--control", arn)
            self.fixpoint("settings", "windows", self.closed_window(), "--control", arn)
            self.arrive("windowed-" + mode, "door-windowed-" + mode)
            if mode == "ask":
                self.fixpoint("approve", self.run_of(arn, "waits for approval")["Id"])
            run = self.run_of(arn, "waits for the window")
            finding = self.finding("door/windowed-" + mode)
            self.assertEqual("NOTIFIED" if mode == "ask" else "NEW", finding["Workflow"]["Status"])
            self.assertIn("waits for its maintenance window, which opens at ", finding["Note"]["Text"])
            self.assertIn("'fixpoint reject %s'" % run["Id"], finding["Note"]["Text"])
            self.assertNotIn("approve ", finding["Note"]["Text"])
            _, _, said = self.server.fixpoint("undo", run["Id"])
            self.assertIn("rejected until then: 'fixpoint reject %s'" % run["Id"], said)
            self.fixpoint("reject", run["Id"], "--because", "not this week")
            rejected = self.run_of(arn, "rejected")
            self.assertEqual([], rejected["Changes"])
            finding = self.finding("door/windowed-" + mode)
            self.assertEqual("NOTIFIED", finding["Workflow"]["Status"])
            self.assertTrue(finding["Note"]["Text"].endswith(
                " while it waited for its maintenance window, who said: not this week. Nothing was changed."))
            self.assertFalse(self.encrypted("door-windowed-" + mode))
            _, log, _ = self.server.fixpoint("audit", "list", "--execution", run["Id"], "--json")
            self.assertIn('"REJECTED"', log)

    def test_a_handler_that_an_exception_leaves_out_says_why_and_until_when(self):
        arn = self.place("left-out")
        self.fixpoint("exceptions", "add", "--control", arn, "--pattern", '{"Title": ["left-out"]}', "--owner", "ann",
                      "--reason", "a migration", "--until", "2099-01-01", "--leave")
        self.arrive("left-out", "door-left-out")
        self.run_of(arn, "excepted")
        finding = self.finding("door/left-out")
        self.assertEqual("NEW", finding["Workflow"]["Status"])
        self.assertIn("excepted by ann until 2099-01-01T00:00:00.000Z: a migration", finding["Note"]["Text"])
        self.assertEqual(1, len([each for each in self.fixpoint_executions() if each["Program"] == arn]))

    def test_a_handler_finds_no_way_round_the_door(self):
        sns, sqs = self.server.client("sns"), self.server.client("sqs")
        topic = sns.create_topic(Name="way-round")["TopicArn"]
        sqs.create_queue(QueueName="way-round")
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", ReturnSubscriptionArn=True,
                                     Endpoint="arn:aws:sqs:us-east-1:111111111111:way-round")["SubscriptionArn"]
        code = """
import os, urllib.error, urllib.request
import boto3
from botocore.exceptions import ClientError

def answer(url):
    try:
        return urllib.request.urlopen(url, timeout=20).status
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]
    except urllib.error.URLError as error:
        return "nobody answers"

def with_key(event):
    try:
        boto3.client("sns", aws_access_key_id=event["key"], aws_secret_access_key=event["secret"]).unsubscribe(
            SubscriptionArn=event["subscription"])
        return "done"
    except ClientError as error:
        return error.response["Error"]["Code"]

def on_event(event, context):
    link = "/?Action=Unsubscribe&SubscriptionArn=" + event["subscription"]
    return {"link": answer(os.environ["AWS_ENDPOINT_URL"] + link), "elsewhere": answer(event["endpoint"] + link),
            "key": with_key(event), "alive": answer(os.environ["AWS_ENDPOINT_URL"] + "/healthz")}
"""
        self.create_function("way-round", {"way.py": code}, "way.on_event")
        answer = self.functions.invoke(FunctionName="way-round", Payload=json.dumps(
            {"subscription": subscription, "endpoint": self.server.endpoint,
             "key": self.server.variables["AWS_ACCESS_KEY_ID"],
             "secret": self.server.variables["AWS_SECRET_ACCESS_KEY"]}).encode())
        said = json.loads(answer["Payload"].read())
        self.assertEqual((403, "InvalidClientTokenId", 200), (said["link"][0], said["key"], said["alive"]), said)
        self.assertIn("MissingAuthenticationToken", said["link"][1])
        with open(os.path.join(self.server.folder, "server.log")) as log:
            if "The network is cut off" in log.read():
                self.assertEqual("nobody answers", said["elsewhere"])
        listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        self.assertEqual([subscription], [each["SubscriptionArn"] for each in listed])
        # The link itself works for who is no handler.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.server.endpoint + "/?Action=Unsubscribe&SubscriptionArn=" + subscription):
            pass
        self.assertEqual([], sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"])

    def test_a_handler_that_asks_is_held_to_the_plan_that_was_approved(self):
        arn = self.place("asking")
        self.fixpoint("mode", "ask", "--control", arn)
        self.arrive("asking", "door-asking")
        run = self.run_of(arn, "waits for approval")
        self.assertEqual("NOTIFIED", self.finding("door/asking")["Workflow"]["Status"])
        self.assertFalse(self.encrypted("door-asking"))
        self.fixpoint("approve", run["Id"])
        self.run_of(arn, "returned")
        self.assertTrue(self.encrypted("door-asking"))
        self.assertEqual("RESOLVED", self.finding("door/asking")["Workflow"]["Status"])

    def test_what_moved_under_the_plan_of_a_handler_is_planned_anew(self):
        arn = self.place("moving")
        self.fixpoint("mode", "ask", "--control", arn)
        self.arrive("moving", "door-moving")
        run = self.run_of(arn, "waits for approval")
        self.s3.put_bucket_encryption(Bucket="door-moving", ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
        self.fixpoint("approve", run["Id"])
        # It finds the bucket encrypted, and so changes nothing: what is not in the plan is not made.
        run = self.run_of(arn, "returned")
        self.assertEqual([], [change for change in run["Changes"] if change["State"] == "done"])
        rules = self.s3.get_bucket_encryption(Bucket="door-moving")["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual("aws:kms", rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])

    def test_of_a_handler_that_writes_nothing_no_note_is_left_that_says_it_waits(self):
        arn = self.create_function("silent", {
            "encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py"),
            "silent.py": """
import boto3
import encrypt_bucket
def on_event(event, context):
    encrypt_bucket.encrypt(boto3.client("s3"), "door-silent")
"""}, "silent.on_event")
        self.events.put_rule(Name="silent", EventPattern=json.dumps({"detail": {"findings": {"Title": ["silent"]}}}))
        self.events.put_targets(Rule="silent", Targets=[{"Id": "handler", "Arn": arn}])
        self.fixpoint("mode", "ask", "--control", arn)
        self.arrive("silent", "door-silent")
        run = self.run_of(arn, "waits for approval")
        self.assertIn(" waits for approval until ", self.finding("door/silent")["Note"]["Text"])
        self.fixpoint("approve", run["Id"])
        self.run_of(arn, "returned")
        finding = self.finding("door/silent")
        self.assertEqual("Function %s: returned; changed: s3:PutBucketEncryption" % arn, finding["Note"]["Text"])
        self.assertEqual("NOTIFIED", finding["Workflow"]["Status"])

    def test_what_a_handler_changed_is_taken_back(self):
        arn = self.place("undoing")
        self.arrive("undoing", "door-undoing")
        run = self.run_of(arn, "returned")
        self.assertTrue(self.encrypted("door-undoing"))
        status, out, err = self.server.fixpoint("undo", run["Id"], "--wait", "120")
        self.assertEqual((0, ""), (status, err), out)
        self.assertFalse(self.encrypted("door-undoing"))
        finding = self.finding("door/undoing")
        self.assertIn("Undone by arn:aws:iam::111111111111:user/", finding["Note"]["Text"])
        self.assertEqual("NEW", finding["Workflow"]["Status"])
        # An undo is not the start of the same work again.
        self.server.wait()
        self.assertFalse(self.encrypted("door-undoing"))


class Between(http.server.ThreadingHTTPServer):
    """Hands on what comes to the server, the first question about an execution once `first` has been called."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/executions" and not self.server.asked:
                self.server.asked = True
                self.server.first()
            request = urllib.request.Request(self.server.endpoint + self.path, body, dict(self.headers))
            try:
                answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                said = answer.read()
            self.send_response(answer.getcode())
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    def __init__(self, endpoint, first):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.endpoint, self.first, self.asked = endpoint, first, False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()


class WhileAnUndoWaits(DoorTest):
    def undo_that_waits(self):
        """A scene that was fixed, and the undo of that, which waits for a person."""
        scene = json.loads(self.server.fixpoint("scene", "S3.4", "--json")[1])[0]
        fixed = self.fixpoint("fix", scene["FindingId"], "--wait", "120")["Executions"][0]
        bucket = fixed["Result"]["Resource"].split(":::")[1]
        self.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
        status, out, _ = self.server.fixpoint("undo", fixed["Id"], "--wait", "120", "--json")
        undo = json.loads(out)
        self.assertEqual((1, "waits for approval"), (status, undo["Outcome"]))
        return scene, fixed, undo

    def test_what_a_person_decides_is_done_once_it_has_ended_whatever_was_killed_meanwhile(self):
        scene, fixed, undo = self.undo_that_waits()
        # One at a time.
        status, _, said = self.server.fixpoint("undo", fixed["Id"])
        self.assertEqual(5, status)
        self.assertIn("the undo %s of the same work has not ended" % undo["Id"], said)
        for wait, ends in (("0", 0), ("30", 1)):  # what waits for a person is not waited for
            status, out, said = self.server.fixpoint("fix", scene["FindingId"], "--wait", wait)
            self.assertEqual((ends, ""), (status, said))
            self.assertIn(undo["Id"], out)
            self.assertIn("the fix begins once it has", out)
        os.killpg(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()
        self.server.process.stdout.close()
        self.server.log.close()
        self.server.start()
        self.assertEqual(0, self.server.fixpoint("approve", undo["Id"])[0])
        ended = [one for one in self.server.wait() if one["Subject"] == scene["FindingId"]]
        self.assertEqual(["fixed", "fixed", "undone"], sorted(one["Outcome"] for one in ended))
        [again] = [one for one in ended if one["Outcome"] == "fixed" and one["Id"] != fixed["Id"]]
        [resumed] = self.fixpoint("executions", undo["Id"])["Resumed"]
        self.assertEqual((scene["FindingId"], again["Id"]), (resumed["FindingId"], resumed["Execution"]))

    def test_a_fix_that_is_waited_for_ends_as_it_does_behind_the_undo(self):
        for answer in ("approve", "reject"):
            scene, fixed, undo = self.undo_that_waits()
            between = Between(self.server.endpoint, lambda: self.server.fixpoint(answer, undo["Id"]))
            try:
                at = "http://127.0.0.1:%d" % between.server_address[1]
                status, out, said = self.server.fixpoint("fix", scene["FindingId"], "--wait", "120", "--json",
                                                         "--endpoint", at)
            finally:
                between.end()
            self.assertEqual((0, ""), (status, said), out)
            [done] = json.loads(out)["Executions"]
            self.assertEqual("control", done["Kind"])
            self.assertEqual("fixed" if answer == "approve" else "compliant", done["Outcome"])
            self.assertNotEqual(fixed["Id"], done["Id"])
            [resumed] = self.fixpoint("executions", undo["Id"])["Resumed"]
            self.assertEqual(done["Id"], resumed["Execution"])


class Functions(DoorTest):
    """fixpoint plan and fix of a handler: run dry first, then held to what it would do."""

    def plan(self, *arguments):
        status, out, err = self.server.fixpoint("plan", *arguments, "--json")
        self.assertEqual("", err)
        return status, json.loads(out)

    def test_a_handler_is_planned_for_a_finding_and_held_to_the_plan_that_a_person_chose(self):
        arn = self.create_function("chosen", {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                                   "encrypt_bucket.on_event")
        self.arrive("chosen", "door-chosen")
        status, run = self.plan("door/chosen", "--function", "chosen")
        self.assertEqual((0, "planned", arn), (status, run["Outcome"], run["Program"]))
        [line] = run["Result"]["Plan"]["Changes"]
        self.assertEqual(("s3:PutBucketEncryption", None), (line["Call"], line["Before"]))
        self.assertFalse(self.encrypted("door-chosen"))
        # The same plan again, by the ARN: the hash is of what is meant.
        self.assertEqual(run["Result"]["Plan"]["Hash"], self.plan("door/chosen", "--function", arn)[1]["Result"]["Plan"]["Hash"])
        hash = run["Result"]["Plan"]["Hash"]
        status, out, err = self.server.fixpoint("plan", "door/chosen", "--function", "chosen")
        self.assertEqual((0, ""), (status, err))
        self.assertIn("fixpoint fix 'door/chosen' --plan %s --function %s" % (hash[:12], arn), out)
        status, out, err = self.server.fixpoint("fix", "door/chosen", "--function", "chosen", "--plan", hash[:12],
                                                "--wait", "120", "--json")
        self.assertEqual((0, ""), (status, err), out)
        [done] = json.loads(out)["Executions"]
        self.assertEqual(("returned", hash), (done["Outcome"], done["Result"]["Plan"]["Hash"]))
        self.assertTrue(self.encrypted("door-chosen"))
        self.assertEqual("RESOLVED", self.finding("door/chosen")["Workflow"]["Status"])
        # There is nothing left to do.
        status, run = self.plan("door/chosen", "--function", "chosen")
        self.assertEqual((1, []), (status, run["Result"]["Plan"]["Changes"]))

    def test_a_rule_hands_its_function_what_it_hands_to_it_in_earnest(self):
        arn = self.place("handed")
        self.events.put_targets(Rule="handed", Targets=[{"Id": "handler", "Arn": arn, "InputTransformer": {
            "InputPathsMap": {"all": "$.detail.findings"}, "InputTemplate": '{"detail": {"findings": <all>}}'}}])
        self.fixpoint("mode", "observe", "--control", arn)
        self.arrive("handed", "door-handed")
        self.server.wait()
        status, run = self.plan("door/handed", "--rule", "handed")
        self.assertEqual((0, arn), (status, run["Program"]))
        [line] = run["Result"]["Plan"]["Changes"]
        self.assertEqual("s3:PutBucketEncryption", line["Call"])
        # Nobody decided: the mode stands in the way, and says so.
        self.assertEqual([("mode", "stop")], [(one["Guard"], one["Says"]) for one in line["Guards"] if one["Says"] != "pass"])
        _, run = self.plan("door/handed", "--rule", "handed", "--decided")
        self.assertEqual([], [one for one in run["Result"]["Plan"]["Changes"][0]["Guards"] if one["Says"] != "pass"])

    def test_what_moved_since_the_plan_is_planned_anew_and_asked_for(self):
        arn = self.create_function("late", {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                                   "encrypt_bucket.on_event", Environment={"Variables": {"ALGORITHM": "aws:kms"}})
        self.arrive("late", "door-late")
        _, run = self.plan("door/late", "--function", "late")
        self.functions.update_function_configuration(FunctionName="late", Environment={"Variables": {"ALGORITHM": "AES256"}})
        _, out, _ = self.server.fixpoint("fix", "door/late", "--function", "late", "--plan",
                                         run["Result"]["Plan"]["Hash"], "--wait", "120", "--json")
        [waits] = json.loads(out)["Executions"]
        self.assertEqual("waits for approval", waits["Outcome"], out)
        self.assertFalse(self.encrypted("door-late"))
        self.fixpoint("approve", waits["Id"])
        self.run_of(arn, "returned")
        self.assertTrue(self.encrypted("door-late"))

    def test_what_is_wrong_is_refused_with_what_would_be_right(self):
        self.arrive("wrong", "door-wrong")
        self.create_function("right", {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                             "encrypt_bucket.on_event")
        _, run = self.plan("door/wrong", "--function", "right")
        hash = run["Result"]["Plan"]["Hash"]
        self.create_function("other", {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                             "encrypt_bucket.on_event")
        for arguments, status, sentence in (
                (("plan", "door/wrong", "--function", "none"), 5, "Function not found"),
                (("plan", "door/wrong", "--function", "a b"), 3, "functionName"),
                (("plan", "door/none", "--function", "right"), 5, "door/none"),
                (("plan", "door/wrong", "--rule", "none"), 5, "there is no rule 'none'"),
                (("plan", "door/wrong"), 5, "'--function NAME' plans with a handler"),
                (("fix", "door/wrong", "--function", "right"), 3, "give the hash that 'fixpoint plan door/wrong --function NAME' shows"),
                (("fix", "door/wrong", "--function", "other", "--plan", hash), 3, "function:right for the finding 'door/wrong', not of"),
                (("fix", "door/wrong", "x", "--function", "right", "--plan", hash), 3, "give its id alone")):
            code, out, err = self.server.fixpoint(*arguments)
            self.assertEqual((status, ""), (code, out), (arguments, err))
            self.assertIn(sentence, err)
        self.assertFalse(self.encrypted("door-wrong"))

    def test_a_percentage_is_taken_of_what_a_control_lists_or_of_what_is_set(self):
        arn = self.create_function("capped", {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                                   "encrypt_bucket.on_event")
        for n in range(20):
            self.s3.create_bucket(Bucket="door-capped-%d" % n)
        self.arrive("capped", "door-capped")
        self.fixpoint("settings", "cap_percent", "50", "--control", arn)
        self.fixpoint("settings", "cap_resources", "1000", "--control", arn)
        _, run = self.plan("door/capped", "--function", "capped", "--decided")
        [cap] = [one for one in run["Result"]["Plan"]["Changes"][0]["Guards"] if one["Guard"] == "cap"]
        buckets = len(self.s3.list_buckets()["Buckets"])
        self.assertEqual("pass", cap["Says"])
        self.assertIn("50 %% of %d resources an hour" % buckets, cap["Sentence"])
        # Of a kind that no control lists.
        self.bare_bucket("door-odd")
        self.take_in(make_finding("door/odd", "AwsOddThing", "arn:aws:s3:::door-odd", "own-scanner",
                                  ProductArn=support.PRODUCT, Title="odd"))
        _, run = self.plan("door/odd", "--function", "capped", "--decided")
        [cap] = [one for one in run["Result"]["Plan"]["Changes"][0]["Guards"] if one["Guard"] == "cap"]
        self.assertEqual(("stop", "CapReached"), (cap["Says"], cap["Code"]))
        self.assertIn("Set cap_population to how many there are", cap["Sentence"])
        self.fixpoint("settings", "cap_population", "40", "--control", arn)
        _, run = self.plan("door/odd", "--function", "capped", "--decided")
        [cap] = [one for one in run["Result"]["Plan"]["Changes"][0]["Guards"] if one["Guard"] == "cap"]
        self.assertIn("50 % of 40 resources an hour, which is 20", cap["Sentence"])


class Refusals(DoorTest):
    def test_a_frozen_handler_is_refused_with_the_sentence_of_the_kill_switch(self):
        self.fixpoint("freeze", "--because", "an incident")
        self.bare_bucket("door-frozen")
        arn = self.create_function("frozen", {"encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")},
                                   "encrypt_bucket.on_event")
        event = {"detail": {"findings": [make_finding("door/frozen", "AwsS3Bucket", "arn:aws:s3:::door-frozen", "x")]}}
        answer = self.functions.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read().decode())
        self.assertIn("ChangesFrozen", payload["errorMessage"])
        self.assertIn("by arn:aws:iam::111111111111:user/fixpoint: an incident", payload["errorMessage"])
        self.assertFalse(self.encrypted("door-frozen"))
        self.fixpoint("unfreeze")
        answer = self.functions.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
        self.assertNotIn("FunctionError", answer)
        self.assertTrue(self.encrypted("door-frozen"))

    def test_a_qualifier_gets_a_function_past_nothing_that_is_set_for_it(self):
        self.bare_bucket("door-qualified")
        code = """
import boto3
from botocore.exceptions import ClientError

def on_event(event, context):
    try:
        boto3.client("s3").put_bucket_tagging(Bucket="door-qualified", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    except ClientError as error:
        return error.response["Error"]["Code"]
"""
        arn = self.create_function("qualified", {"f.py": code}, "f.on_event", Publish=True)
        arn = arn[:-2] if arn.endswith(":1") else arn
        functions = self.server.client("lambda")
        qualifiers = ({}, {"Qualifier": "$LATEST"}, {"Qualifier": "1"})

        def answers(**more):
            return [json.loads(functions.invoke(FunctionName="qualified", **dict(how, **more))["Payload"].read().decode())
                    for how in qualifiers]
        # Whether it is set for the function or for one of its versions, it is set for the function.
        for scope in (arn, arn + ":1", arn + ":$LATEST"):
            self.assertIn('"control:%s"' % arn, json.dumps(self.fixpoint("freeze", "--control", scope, "--because", "x")))
            self.assertEqual(["ChangesFrozen"] * 3, answers())
            self.fixpoint("unfreeze", "--control", scope)
            self.fixpoint("settings", "cap_resources", "0", "--control", scope)
            self.assertEqual(["CapReached"] * 3, answers())
            self.fixpoint("settings", "cap_resources", "--unset", "--control", scope)
        self.refused("NoSuchTagSet", self.s3.get_bucket_tagging, Bucket="door-qualified")
        # As the target of a rule.
        self.fixpoint("mode", "observe", "--control", arn)
        self.events.put_rule(Name="qualified", EventPattern=json.dumps({"source": ["qualified"]}))
        self.events.put_targets(Rule="qualified", Targets=[{"Id": str(i), "Arn": arn + end}
                                                           for i, end in enumerate(("", ":$LATEST", ":1"))])
        self.events.put_events(Entries=[{"Source": "qualified", "DetailType": "t", "Detail": "{}"}])

        def observed():
            return [run for run in self.fixpoint_executions() if run["Program"] == arn and run["Outcome"] == "observed"]
        support.until(lambda: len(observed()) == 3)
        self.assertEqual([None, "$LATEST", "1"], sorted((run.get("Qualifier") for run in observed()),
                                                        key=lambda one: (one is not None, one == "1")))
        self.refused("NoSuchTagSet", self.s3.get_bucket_tagging, Bucket="door-qualified")
        self.fixpoint("mode", "--unset", "--control", arn)
        self.assertEqual([None] * 3, answers())
        self.assertEqual("v", self.s3.get_bucket_tagging(Bucket="door-qualified")["TagSet"][0]["Value"])

    def test_what_is_of_another_partition_than_its_region_is_refused(self):
        arn = self.create_function("parted", {"f.py": "def on_event(event, context):\n    pass\n"}, "f.on_event")
        rule = self.events.put_rule(Name="parted", EventPattern=json.dumps({"source": ["parted"]}))["RuleArn"]
        for partition in ("aws-cn", "awsome"):
            wrong = arn.replace("arn:aws:", "arn:%s:" % partition)
            self.refused("ValidationException", self.server.client("lambda").invoke, FunctionName=wrong)
            said = self.refused("ValidationException", self.events.put_targets, Rule="parted",
                                Targets=[{"Id": "1", "Arn": wrong}])
            self.assertIn("the partition of us-east-1 is aws, not " + partition, said)
            bus = "arn:%s:events:us-east-1:111111111111:event-bus/default" % partition
            self.refused("ValidationException", self.events.put_rule, Name="parted-bus", EventBusName=bus,
                         EventPattern=json.dumps({"source": ["parted"]}))
            self.refused("ValidationException", self.events.put_targets, Rule="parted", Targets=[{"Id": "1", "Arn": bus}])
            put = self.events.put_events(Entries=[{"Source": "parted", "DetailType": "t", "Detail": "{}",
                                                   "EventBusName": bus}])
            self.assertEqual("InvalidArgument", put["Entries"][0]["ErrorCode"])
            for arguments in (("mode", "observe", "--control", wrong), ("freeze", "--control", wrong, "--because", "x"),
                              ("settings", "cap_resources", "0", "--control", wrong),
                              ("mode", "observe", "--rule", rule.replace("arn:aws:", "arn:%s:" % partition))):
                code, out, err = self.server.fixpoint(*arguments)
                self.assertEqual((3, ""), (code, out), (arguments, err))
                self.assertIn("the partition of us-east-1 is aws, not " + partition, err)
        self.events.delete_rule(Name="parted")

    def test_a_function_behind_a_topic_is_held_to_its_own_mode_and_the_rules(self):
        code = """
import boto3

def on_event(event, context):
    boto3.client("s3").put_bucket_tagging(Bucket="door-topic", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
"""
        self.bare_bucket("door-topic")
        arn = self.create_function("behind-topic", {"f.py": code}, "f.on_event")
        sns = self.server.client("sns")
        topic = sns.create_topic(Name="behind-topic")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
        rule = self.events.put_rule(Name="behind-topic", EventPattern=json.dumps({"source": ["behind"]}))["RuleArn"]
        self.events.put_targets(Rule="behind-topic", Targets=[{"Id": "t", "Arn": topic}])
        for of_rule, of_function, outcome in (("auto", "ask", "waits for approval"), ("ask", "observe", "observed"),
                                              ("observe", "auto", "observed"), ("auto", "auto", "returned")):
            self.fixpoint("mode", of_rule, "--rule", rule)
            self.fixpoint("mode", of_function, "--control", arn)
            before = {run["Id"] for run in self.fixpoint_executions()}
            self.events.put_events(Entries=[{"Source": "behind", "DetailType": "t", "Detail": "{}"}])
            run = support.until(lambda: next((run for run in self.fixpoint_executions() if run["Program"] == arn and
                                              run["Id"] not in before and run["Outcome"] == outcome), None))
            if outcome == "waits for approval":
                self.assertEqual(0, self.server.fixpoint("reject", run["Id"])[0])
            if outcome != "returned":
                self.refused("NoSuchTagSet", self.s3.get_bucket_tagging, Bucket="door-topic")
        self.events.remove_targets(Rule="behind-topic", Ids=["t"])
        self.events.delete_rule(Name="behind-topic")

    def test_the_mode_auto_goes_with_the_rule_or_function_that_it_was_set_for(self):
        arn = self.create_function("trusted", {"f.py": "def on_event(event, context):\n    pass\n"}, "f.on_event")
        functions = self.server.client("lambda")

        def put_rule():
            return self.events.put_rule(Name="trusted", EventPattern=json.dumps({"source": ["trusted"]}))["RuleArn"]
        rule = put_rule()
        for mode, stays in (("auto", False), ("observe", True)):
            for option, named in (("--rule", rule), ("--control", arn)):
                self.fixpoint("mode", mode, option, named)
            put_rule()
            self.assertEqual(mode, self.fixpoint("mode")["rule:" + rule])  # it was changed, not deleted
            self.events.delete_rule(Name="trusted")
            functions.delete_function(FunctionName="trusted")
            self.assertEqual([stays] * 2, [scope in self.fixpoint("mode") for scope in ("rule:" + rule, "control:" + arn)])
            put_rule()
            self.create_function("trusted", {"f.py": "def on_event(event, context):\n    pass\n"}, "f.on_event")
        said = [record["About"] for record in self.fixpoint("audit")["Records"] if record["Kind"] == "mode.unset"]
        self.assertIn({"Scope": "rule:" + rule, "Because": "the rule was deleted"}, said)
        self.assertIn({"Scope": "control:" + arn, "Because": "the function was deleted"}, said)
        for option, named in (("--rule", rule), ("--control", arn)):
            self.fixpoint("mode", "--unset", option, named)
        self.events.delete_rule(Name="trusted")

    def test_the_commands_refuse_what_is_wrong_and_end_with_their_status(self):
        for arguments, status, sentence in (
                (("plan", "no-such-finding"), 5, "no-such-finding"),
                (("fix", "no-such-finding"), 5, "no-such-finding"),
                (("fix", "no-such-finding", "--plan", "xyz"), 3, "is no plan's hash"),
                (("fix", "x", "--wait", "soon"), 2, "--wait takes a number of seconds"),
                (("undo", "no-such-execution"), 5, "no execution has the id 'no-such-execution'"),
                (("freeze",), 3, "a freeze needs a reason"),
                (("freeze", "--control", "a", "--account", "b", "--because", "x"), 2, "one of --control and --account"),
                (("unfreeze", "--account", "111111111111"), 1, "there is no freeze for account:111111111111"),
                (("exceptions", "add", "--owner", "ann"), 3, "has to say what it is for"),
                (("exceptions", "remove"), 2, "the forms are"),
                (("exceptions", "remove", "x"), 1, "there is no exception 'x'"),
                (("settings", "cap_resources", "many"), 3, "has to be a whole number of resources"),
                (("settings", "cap_resources"), 2, "the forms are NAME VALUE"),
                (("settings", "windows", '["sat 1-2 UTC"]'), 3, "is no maintenance window")):
            code, out, err = self.server.fixpoint(*arguments)
            self.assertEqual((status, ""), (code, out), (arguments, err))
            self.assertIn(sentence, err)

    def test_nothing_is_set_for_what_there_is_not(self):
        arn = "arn:aws:lambda:us-east-1:111111111111:function:some-handler"
        for arguments, sentence in (
                (("mode", "observe", "--control", "S3.O4"), "there is no control 'S3.O4'"),
                (("mode", "auto", "--account", "12"), "it has 12 digits"),
                (("mode", "auto", "--rule", "my-rule"), "no ARN of a rule"),
                (("freeze", "--control", "S3.44", "--because", "x"), "there is no control 'S3.44'"),
                (("freeze", "--control", "some-handler", "--because", "x"), "a function is named by its ARN"),
                (("settings", "cap_resources", "0", "--control", "S3.44"), "there is no control 'S3.44'"),
                (("settings", "--control", "S3.44"), "there is no control 'S3.44'"),
                (("exceptions", "add", "--pattern", '{"Id": ["x"]}', "--owner", "ann", "--reason", "r", "--until",
                  "2090-01-01", "--control", "S3.44"), "there is no control 'S3.44'")):
            code, out, err = self.server.fixpoint(*arguments)
            self.assertEqual((3, ""), (code, out), (arguments, err))
            self.assertIn(sentence, err)
        code, out, _ = self.server.fixpoint("mode", "observe", "--control", arn)
        self.assertIn("control:" + arn, out)
        code, out, err = self.server.fixpoint("mode", "--unset", "--control", arn)
        self.assertNotIn("control:" + arn, out, err)
        for arguments, status, sentence in ((("mode", "--unset", "--control", arn), 1, "no mode is set for control:" + arn),
                                            (("mode", "auto", "--unset"), 2, "the forms are MODE and --unset")):
            code, out, err = self.server.fixpoint(*arguments)
            self.assertEqual((status, ""), (code, out), err)
            self.assertIn(sentence, err)
        # What a standard calls the control is the control.
        code, out, err = self.server.fixpoint("freeze", "--control", "cis-aws-foundations-benchmark/1.2.0:4.1",
                                              "--because", "alias")
        self.assertIn("control:EC2.13", out, err)
        # What is shown is the reason that was given last.
        code, out, err = self.server.fixpoint("freeze", "--control", "EC2.13", "--because", "another")
        self.assertIn("another", out, err)
        self.assertNotIn("alias", out)
        self.assertEqual(0, self.server.fixpoint("unfreeze", "--control", "cis-aws-foundations-benchmark/1.2.0:4.1")[0])

    def api(self, name, **members):
        """(status, answer) of the JSON API, signed as the command line signs."""
        keys = self.server.variables
        request = AWSRequest("POST", self.server.endpoint + "/api/" + name, data=json.dumps(members),
                             headers={"Content-Type": "application/json"})
        SigV4Auth(Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]), "fixpoint",
                  support.REGION).add_auth(request)
        made = urllib.request.Request(request.url, request.data.encode(), dict(request.headers))
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(made) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["Error"]

    def test_a_member_that_is_misspelt_or_of_another_kind_is_not_left_out(self):
        before = self.api("mode"), self.api("settings"), self.api("exceptions"), self.api("freeze")
        add = {"Pattern": {"Id": ["x"]}, "Owner": "ann", "Reason": "r", "ExpiresAt": "2090-01-01"}
        for name, members, where in (("mode", {"Mode": "auto", "Scop": "control:S3.4"}, "Scop"),
                                     ("mode", {"Mode": "auto", "Scope": ["control:S3.4"]}, "Scope"),
                                     ("mode", {"Mode": "auto", "Scope": None}, "Scope"),
                                     ("mode", {"Mode": "auto", "Unset": True}, "Unset"),
                                     ("mode", {"Unset": "yes"}, "Unset"),
                                     ("settings", {"Name": "cap_resources", "Value": 9, "Scope": 111111111111}, "Scope"),
                                     ("exceptions", {"Add": dict(add, Scopes="control:S3.4")}, "Scopes"),
                                     ("exceptions", {"Add": dict(add, Scope=7)}, "Scope"),
                                     ("exceptions", {"Add": "x"}, "Add"),
                                     ("unfreeze", {"Scope": 5}, "Scope"),
                                     ("fix", {"FindingIds": ["x"], "Plan": 5}, "Plan"),
                                     ("fix", {"FindingIds": ["x"], "plan": "abc"}, "plan"),
                                     ("fix", {"FindingIds": "x"}, "FindingIds"),
                                     ("fix", {"FindingIds": [5]}, "FindingIds"),
                                     ("answer", {"Id": "x", "Approved": "false"}, "Approved"),
                                     ("audit", {"Limit": "ten"}, "Limit"),
                                     ("executions", {"Limit": 1.5}, "Limit"),
                                     ("status", {"Verbose": True}, "Verbose")):
            status, error = self.api(name, **members)
            self.assertEqual((400, "ValidationException", where), (status, error["Code"], error["Where"]), error)
        self.assertEqual(before, (self.api("mode"), self.api("settings"), self.api("exceptions"), self.api("freeze")))

    def test_a_plan_is_for_the_finding_that_it_was_made_for(self):
        _, out, _ = self.server.fixpoint("scene", "S3.4", "EC2.13", "--json")
        bucket, group = [one["FindingId"] for one in json.loads(out)]
        _, out, _ = self.server.fixpoint("findings", "--ids")
        self.assertLessEqual({bucket, group}, set(out.splitlines()))
        _, out, _ = self.server.fixpoint("plan", bucket, "--json")
        plan = json.loads(out)["Result"]["Plan"]["Hash"]
        status, out, err = self.server.fixpoint("fix", group, "--plan", plan)
        self.assertEqual((3, ""), (status, out), err)
        self.assertIn("is of S3.4 for the finding '%s'" % bucket, err)
        status, out, err = self.server.fixpoint("fix", bucket, "--plan", plan[:12], "--wait", "120", "--json")
        self.assertEqual(0, status, out + err)
        # An execution is named by the beginning of its id, which the table shows.
        ran = [one["Id"] for one in self.server.executions(wait=30) if one["Outcome"] == "fixed" and one["Subject"] == bucket]
        self.assertIn("\n" + ran[0][:8] + " ", self.server.fixpoint("executions")[1])
        self.assertIn(ran[0], self.server.fixpoint("executions", ran[0][:8])[1])
        self.assertEqual(0, self.server.fixpoint("undo", ran[0][:8], "--wait", "120")[0])
        for name in (ran[0][:7], "0" * 8, ran[0] + "0", "%"):
            status, _, err = self.server.fixpoint("executions", name)
            self.assertEqual(5, status)
            self.assertIn("no execution has the id '%s'" % name, err)

    def test_a_finding_that_is_named_twice_is_acted_on_once(self):
        self.take_in(make_finding("door/twice", "Other", "x", "y"))
        self.securityhub.create_action_target(Id="TwiceOnce", Name="TwiceOnce", Description="d")
        status, out, err = self.server.fixpoint("act", "TwiceOnce", "door/twice", "door/twice")
        self.assertEqual((0, "TwiceOnce chosen on 1 finding\n"), (status, out), err)

    def test_exceptions_that_would_hold_for_nothing_are_refused(self):
        for arguments, sentence in ((("--tag", "=red"), "without a key"),
                                    (("--pattern", '{"Id": "x"}'), "Event pattern is not valid")):
            status, out, err = self.server.fixpoint("exceptions", "add", "--owner", "ann", "--reason", "r", "--until",
                                                    "2090-01-01", *arguments)
            self.assertEqual((3, ""), (status, out), err)
            self.assertIn(sentence, err)

    def test_an_empty_plan_is_no_plan_that_is_left_out(self):
        for arguments in (("fix", "some-finding", "--plan", ""), ("approve", "some-execution", "--plan", "")):
            code, out, err = self.server.fixpoint(*arguments)
            self.assertEqual((2, ""), (code, out), err)
            self.assertIn("--plan is empty", err)
        for name, members in (("fix", {"FindingIds": ["x"]}), ("answer", {"Id": "x", "Approved": True})):
            status, error = self.api(name, Plan="", **members)
            self.assertEqual(400, status)
            self.assertIn("Plan is empty", error["Message"])

    def test_a_handler_decides_nothing_about_changes(self):
        self.create_function("deciding", {"decide.py": read(support.HERE, "handlers", "decide.py")}, "decide.on_event")
        tries = {"mode": {"Mode": "auto"}, "act": {"Action": "x", "FindingIds": ["x"]}, "fix": {"FindingIds": ["x"]},
                 "undo": {"Execution": "x"}, "settings": {"Name": "cap_resources", "Value": 1000},
                 "call": {"Service": "events", "Operation": "CreateConnection", "Input": {
                     "Name": "c", "AuthorizationType": "BASIC",
                     "AuthParameters": {"BasicAuthParameters": {"Username": "u", "Password": "p"}}}},
                 "unfreeze": {"Scope": "all"}, "flapping": {"Reset": {"Control": "S3.4", "Resource": "x"}}}
        answer = self.functions.invoke(FunctionName="deciding", Payload=json.dumps({"tries": tries}).encode())
        said = json.loads(answer["Payload"].read())
        self.assertEqual({name: [403, "AccessDeniedException"] for name in tries}, said)
