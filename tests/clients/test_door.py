"""What the door does for handlers that have never heard of it: dry runs, plans that are approved, guards, undo."""
import json
import time

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
        for _ in range(300):
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
        self.assertEqual(("NEW", False), (finding["Workflow"]["Status"], "Note" in finding))

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

    def test_what_a_handler_changed_is_taken_back(self):
        arn = self.place("undoing")
        self.arrive("undoing", "door-undoing")
        run = self.run_of(arn, "returned")
        self.assertTrue(self.encrypted("door-undoing"))
        status, out, err = self.server.fixpoint("undo", run["Id"], "--wait", "20")
        self.assertEqual((0, ""), (status, err), out)
        self.assertFalse(self.encrypted("door-undoing"))
        finding = self.finding("door/undoing")
        self.assertIn("Undone by arn:aws:iam::111111111111:user/", finding["Note"]["Text"])
        self.assertEqual("NEW", finding["Workflow"]["Status"])
        # An undo is not the start of the same work again.
        self.server.wait()
        self.assertFalse(self.encrypted("door-undoing"))


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

    def test_the_commands_refuse_what_is_wrong_and_end_with_their_status(self):
        for arguments, status, sentence in (
                (("plan", "no-such-finding"), 5, "no-such-finding"),
                (("fix", "no-such-finding"), 5, "no-such-finding"),
                (("fix", "no-such-finding", "--plan", "xyz"), 3, "is no plan's hash"),
                (("fix", "x", "--wait", "soon"), 2, "--wait takes a number of seconds"),
                (("undo", "no-such-execution"), 5, "no execution has the id 'no-such-execution'"),
                (("freeze",), 3, "a freeze needs a reason"),
                (("freeze", "--control", "a", "--account", "b", "--because", "x"), 2, "one of --control and --account"),
                (("unfreeze", "--account", "111111111111"), 5, "there is no freeze for account:111111111111"),
                (("exceptions", "add", "--owner", "ann"), 3, "has to say what it is for"),
                (("exceptions", "remove"), 2, "the forms are"),
                (("exceptions", "remove", "x"), 5, "there is no exception 'x'"),
                (("settings", "cap_resources", "many"), 3, "has to be a whole number of resources"),
                (("settings", "cap_resources"), 2, "the forms are NAME VALUE"),
                (("settings", "windows", '["sat 1-2 UTC"]'), 3, "is no maintenance window")):
            code, out, err = self.server.fixpoint(*arguments)
            self.assertEqual((status, ""), (code, out), (arguments, err))
            self.assertIn(sentence, err)

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
