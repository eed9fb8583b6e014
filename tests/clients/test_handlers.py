"""From a finding to a changed resource with handlers, rules and findings of this folder's own."""
import json
import resource
import socket
import unittest

import support
from support import ACCOUNT, REGION, make_finding, read


class HandlerTest(support.ServerTest):
    def place(self, name, function=None, **more):
        return self.create_function(function or name.replace("_", "-"),
                                    {name + ".py": read(support.HERE, "handlers", name + ".py")},
                                    name + ".on_event", **more)

    def rule(self, name, pattern, arn, **target):
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        answer = self.events.put_targets(Rule=name, Targets=[dict(Id="handler", Arn=arn, **target)])
        self.assertEqual(0, answer["FailedEntryCount"], answer)

    def written(self, finding_id):
        finding = self.finding(finding_id)
        return finding["Note"]["Text"], finding["Note"]["UpdatedBy"], finding["Workflow"]["Status"]


class Handlers(HandlerTest):
    def test_an_imported_finding_has_its_bucket_encrypted(self):
        self.bare_bucket("own-bare")
        arn = self.place("encrypt_bucket", Environment={"Variables": {"ALGORITHM": "aws:kms"}})
        self.rule("bare-buckets", {"source": ["aws.securityhub"], "detail": {"findings": {
            "Title": ["Bucket without encryption"], "Workflow": {"Status": ["NEW"]},
            "Resources": {"Type": ["AwsS3Bucket"]}}}}, arn)
        self.take_in(make_finding("own/bucket", "AwsS3Bucket", "arn:aws:s3:::own-bare", "own-scanner",
                                  ProductArn=support.PRODUCT, Title="Bucket without encryption"))
        self.server.wait()
        self.assertEqual(("default encryption set to aws:kms", "encrypt-bucket", "RESOLVED"),
                         self.written("own/bucket"))
        rules = self.s3.get_bucket_encryption(Bucket="own-bare")["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual("aws:kms", rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])
        # Imported again, still resolved: no second run.
        before = len(self.server.wait())
        self.take_in(make_finding("own/bucket", "AwsS3Bucket", "arn:aws:s3:::own-bare", "own-scanner",
                                  ProductArn=support.PRODUCT, Title="Bucket without encryption",
                                  UpdatedAt="2024-05-02T09:00:00.000Z"))
        self.assertEqual(before, len(self.server.wait()))

    def test_a_sample_changes_nothing_whatever_the_handler_does(self):
        self.bare_bucket("own-sample")
        # It says of itself what the door answered.
        code = """
import encrypt_bucket
from botocore.exceptions import ClientError

def on_event(event, context):
    try:
        encrypt_bucket.on_event(event, context)
    except ClientError as error:
        return {"refused": error.response["Error"]["Code"]}
"""
        arn = self.create_function("encrypt-sample", {
            "try_it.py": code, "encrypt_bucket.py": read(support.HERE, "handlers", "encrypt_bucket.py")}, "try_it.on_event")
        self.rule("samples", {"source": ["aws.securityhub"], "detail": {"findings": {"Title": ["A sample"]}}}, arn)
        self.take_in(make_finding("own/sample", "AwsS3Bucket", "arn:aws:s3:::own-sample", "own-scanner",
                                  ProductArn=support.PRODUCT, Title="A sample", Sample=True))
        self.assertIn('"refused": "SampleFinding"', json.dumps(self.server.wait()).replace('\\"', '"'))
        self.refused("ServerSideEncryptionConfigurationNotFoundError", self.s3.get_bucket_encryption, Bucket="own-sample")

    def test_a_handler_stores_an_object_as_large_as_anybody_else_may(self):
        self.s3.create_bucket(Bucket="own-large")
        arn = self.create_function("stores-large", {"large.py": """
import boto3

def on_event(event, context):
    boto3.client("s3").put_object(Bucket="own-large", Key="large", Body=b"x" * event["Size"])
"""}, "large.on_event", MemorySize=512)
        size = 20 * 1000 * 1000
        answer = self.functions.invoke(FunctionName=arn, Payload=json.dumps({"Size": size}))
        self.assertEqual("null", answer["Payload"].read().decode())
        self.assertEqual(size, self.s3.head_object(Bucket="own-large", Key="large")["ContentLength"])

    def test_a_chosen_action_narrows_a_group(self):
        group = self.ec2.create_security_group(GroupName="own-wide", Description="wide")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
             "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "192.168.0.0/16"}]}])
        arn = self.place("narrow_group")
        action = self.securityhub.create_action_target(Name="Narrow the group", Description="Takes the world out",
                                                       Id="Narrow1")["ActionTargetArn"]
        self.rule("narrow", {"detail-type": ["Security Hub Findings - Custom Action"], "resources": [action]}, arn)
        self.take_in(make_finding("own/group", "AwsEc2SecurityGroup",
                                  "arn:aws:ec2:%s:%s:security-group/%s" % (REGION, ACCOUNT, group), "own-scanner"))
        self.assertEqual("NEW", self.finding("own/group")["Workflow"]["Status"])
        status, out, err = self.server.fixpoint("act", "Narrow the group", "own/group")
        self.assertEqual((0, ""), (status, err), out)
        self.server.wait()
        self.assertEqual(("Narrow the group: 1 permissions lost the world", "narrow-group", "RESOLVED"),
                         self.written("own/group"))
        self.assertEqual({"group": group}, self.finding("own/group")["UserDefinedFields"])
        permission = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual([{"CidrIp": "192.168.0.0/16"}], permission["IpRanges"])
        self.assertEqual([], permission["Ipv6Ranges"])

    def test_a_target_gets_the_input_that_its_rule_makes(self):
        trail = self.stopped_trail("own-trail")
        arn = self.place("resume_trail")
        self.rule("trails", {"detail": {"findings": {"Title": [{"prefix": "Trail stopped"}],
                                                     "Workflow": {"Status": ["NEW"]}}}}, arn,
                  InputPath="$.detail.findings[0]")
        self.take_in(make_finding("own/trail", "AwsCloudTrailTrail", trail, "own-scanner",
                                  Title="Trail stopped some time ago"))
        self.server.wait()
        self.assertEqual(("logging is on again", "resume-trail", "RESOLVED"), self.written("own/trail"))
        self.assertTrue(self.cloudtrail.get_trail_status(Name="own-trail")["IsLogging"])

    def test_a_rule_that_is_switched_off_starts_nothing(self):
        arn = self.place("talk", "never")
        self.rule("off", {"detail": {"findings": {"Title": ["Switched off"]}}}, arn)
        self.events.disable_rule(Name="off")
        self.take_in(make_finding("own/off", "Other", "thing", "own-scanner", Title="Switched off"))
        self.assertEqual([], [run for run in self.server.wait() if run["Program"] == arn])
        self.events.enable_rule(Name="off")
        self.take_in(make_finding("own/off", "Other", "thing", "own-scanner", Title="Switched off",
                                  UpdatedAt="2024-05-03T09:00:00.000Z"))
        self.assertEqual(1, len([run for run in self.server.wait() if run["Program"] == arn]))

    def test_a_function_runs_on_events_of_ones_own(self):
        arn = self.place("talk", "listener")
        self.rule("orders", {"source": ["shop"], "detail": {"total": [{"numeric": [">", 100]}]}}, arn,
                  InputPath="$.detail")
        answer = self.events.put_events(Entries=[
            {"Source": "shop", "DetailType": "order", "Detail": '{"total": 99}'},
            {"Source": "shop", "DetailType": "order", "Detail": '{"total": 101}'}])
        self.assertEqual(0, answer["FailedEntryCount"])
        runs = [run for run in self.server.wait() if run["Program"] == arn]
        self.assertEqual(["SUCCEEDED"], [run["Status"] for run in runs])
        self.assertEqual({"total": 101}, json.loads(runs[0]["Result"]["Payload"])["event"])


    def test_what_a_handler_changes_of_functions_and_queues_is_in_its_journal(self):
        self.place("talk", "open-to-all")
        self.place("talk", "friend")
        for sid, principal in (("world", "*"), ("rules", "events.amazonaws.com")):
            self.functions.add_permission(FunctionName="open-to-all", StatementId=sid, Principal=principal,
                                          Action="lambda:InvokeFunction")
        queues = self.server.client("sqs")
        queue = queues.create_queue(QueueName="closed")["QueueUrl"]
        arn = self.place("close_function")
        answer = self.functions.invoke(FunctionName="close-function", Payload=json.dumps(
            {"function": "open-to-all", "queue": queue, "friend": "friend"}).encode())
        self.assertEqual({"closed": ["world"], "friend": {"from": "close_function"}},
                         json.loads(answer["Payload"].read()))
        policy = json.loads(self.functions.get_policy(FunctionName="open-to-all")["Policy"])
        self.assertEqual(["rules"], [statement["Sid"] for statement in policy["Statement"]])
        self.assertEqual("world", queues.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
        [run] = [run for run in self.server.wait() if run["Program"] == arn]
        _, out, _ = self.server.fixpoint("executions", run["Id"], "--json")
        changes = json.loads(out)["Changes"]
        self.assertEqual([("lambda:RemovePermission", "done", "possible"),
                          ("sqs:SendMessage", "done", "CANNOT BE UNDONE"), ("lambda:Invoke", "done", "CANNOT BE UNDONE")],
                         [(change["Call"], change["State"], change["Undo"].split(":")[0]) for change in changes])
        self.assertEqual(("world", "*"), (changes[0]["Before"]["Sid"], changes[0]["Before"]["Principal"]))


class Overlooked(HandlerTest):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html: Unsuccessful
    def test_what_aws_did_not_do_though_it_answered_with_success_is_in_the_journal_and_on_the_finding(self):
        arn = self.place("flow_logs")
        self.rule("flow-logs", {"detail": {"findings": {"Title": ["No flow logs"], "Workflow": {"Status": ["NEW"]}}}}, arn)
        vpc = self.ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        named = lambda one: {"Type": "AwsEc2Vpc", "Id": "arn:aws:ec2:%s:%s:vpc/%s" % (REGION, ACCOUNT, one),
                             "Partition": "aws", "Region": REGION}
        self.take_in(make_finding("own/flows", "AwsEc2Vpc", "x", "own-scanner", Title="No flow logs",
                                  ProductArn=support.PRODUCT, Resources=[named(vpc), named("vpc-00000000000000000")]))
        [run] = [run for run in self.server.wait() if run["Program"] == arn]
        self.assertEqual("returned", run["Outcome"])
        _, out, _ = self.server.fixpoint("executions", run["Id"], "--json")
        run = json.loads(out)
        [change] = run["Changes"]
        said = ("PartlyUnsuccessful: it was answered with success, and says that 1 of 2 were not done: "
                "vpc-00000000000000000 (InvalidVpcId.NotFound: ")
        self.assertEqual(("ec2:CreateFlowLogs", "partly"), (change["Call"], change["State"]))
        self.assertTrue(change["Error"].startswith(said), change["Error"])
        self.assertEqual([("ec2:CreateFlowLogs", "partly")],
                         [(one["Call"], one["State"]) for one in run["Result"]["Unsuccessful"]])
        # The handler called it resolved; what it overlooked stands on the finding.
        note, by, status = self.written("own/flows")
        self.assertIn("not wholly done: ec2:CreateFlowLogs: " + said, note)
        self.assertEqual(("fixpoint", "RESOLVED"), (by, status))
        _, out, _ = self.server.fixpoint("executions", run["Id"])
        self.assertIn(" partly (PartlyUnsuccessful: ", out)
        # What was made of it is taken back.
        self.assertEqual(1, len(self.ec2.describe_flow_logs()["FlowLogs"]))
        status, out, err = self.server.fixpoint("undo", run["Id"], "--wait", "120")
        self.assertEqual((0, ""), (status, err), out)
        self.assertEqual([], self.ec2.describe_flow_logs()["FlowLogs"])


class AnotherAccount(HandlerTest):
    def test_what_a_handler_changes_by_a_role_is_held_to_that_account_and_taken_back_there(self):
        other = "222222222222"
        code = """
import boto3
from botocore.exceptions import ClientError

def on_event(event, context):
    keys = boto3.client("sts").assume_role(RoleArn="arn:aws:iam::222222222222:role/r", RoleSessionName="into")["Credentials"]
    iam = boto3.client("iam", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                       aws_session_token=keys["SessionToken"])
    try:
        iam.update_account_password_policy(MinimumPasswordLength=14)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "made"
"""
        arn = self.create_function("into-another", {"into.py": code}, "into.on_event")
        keys = self.server.client("sts").assume_role(RoleArn="arn:aws:iam::%s:role/r" % other,
                                                     RoleSessionName="looks")["Credentials"]
        there = self.server.client("iam", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"],
                                   token=keys["SessionToken"])
        here = self.server.client("iam")
        here.update_account_password_policy(MinimumPasswordLength=20)
        there.update_account_password_policy(MinimumPasswordLength=8)
        lengths = lambda: [iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"]
                           for iam in (here, there)]
        invoke = lambda: json.loads(self.functions.invoke(FunctionName="into-another")["Payload"].read())
        self.assertEqual(0, self.server.fixpoint("freeze", "--account", other, "--because", "an incident")[0])
        self.assertEqual("ChangesFrozen", invoke())
        self.assertEqual(0, self.server.fixpoint("unfreeze", "--account", other)[0])
        self.assertEqual([20, 8], lengths())
        self.assertEqual("made", invoke())
        self.assertEqual([20, 14], lengths())
        for run in self.server.wait():
            out = self.server.fixpoint("executions", run["Id"])[1]
            if run["Program"] == arn and "Change: " in out:
                break
        self.assertIn("Change: iam:UpdateAccountPasswordPolicy in %s " % other, out)
        status, out, err = self.server.fixpoint("undo", run["Id"], "--wait", "120")
        self.assertEqual((0, ""), (status, err), out)
        self.assertEqual([20, 8], lengths())


class ManyConnections(HandlerTest):
    """A server that was started with the usual 1,024 descriptors, and more connections than those."""

    @classmethod
    def setUpClass(cls):
        cls.limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        if cls.limits[1] != resource.RLIM_INFINITY and cls.limits[1] < 4096:
            raise unittest.SkipTest("no process here may have more than %d descriptors" % cls.limits[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, cls.limits[1]))
        super().setUpClass()
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, cls.limits[1]))

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        resource.setrlimit(resource.RLIMIT_NOFILE, cls.limits)

    def test_idle_connections_cost_no_event_that_was_acknowledged(self):
        arn = self.create_function("counts", {"counts.py": """
import resource

def on_event(event, context):
    return resource.getrlimit(resource.RLIMIT_NOFILE)
"""}, "counts.on_event")
        self.rule("counted", {"source": ["shop"]}, arn)
        host, port = self.server.endpoint[len("http://"):].split(":")
        idle = []
        try:
            for _ in range(1100):
                idle.append(socket.create_connection((host, int(port))))
            answer = self.events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}])
            self.assertEqual(0, answer["FailedEntryCount"])
            runs = [run for run in self.server.wait() if run["Program"] == arn]
        finally:
            for each in idle:
                each.close()
        self.assertEqual(["SUCCEEDED"], [run["Status"] for run in runs], runs)
        # Lambda's own limit: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
        self.assertEqual([1024, 1024], json.loads(runs[0]["Result"]["Payload"]))


class AtAStop(HandlerTest):
    # A server of its own, which is stopped.
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = support.Server()
        cls.addClassCleanup(cls.own.stop)

    def test_a_run_that_is_under_way_is_begun_again_and_has_not_failed(self):
        """Also where another handler's call is still to be answered, for which the server waits a while."""
        functions = self.own.client("lambda")
        self.own.client("s3").create_bucket(Bucket="stopped")
        for name, code in (
                ("sleeps", "import time\ndef on_event(event, context):\n    time.sleep(50)\n"),
                ("waits", "import boto3\ndef on_event(event, context):\n"
                          "    boto3.client('lambda').invoke(FunctionName='sleeps')\n"),
                ("works", "import boto3\ndef on_event(event, context):\n    s3 = boto3.client('s3')\n    n = 0\n"
                          "    while True:\n        n += 1\n        s3.put_bucket_tagging(Bucket='stopped', "
                          "Tagging={'TagSet': [{'Key': 'n', 'Value': str(n % 2)}]})\n")):
            functions.create_function(FunctionName=name, Runtime="python3.11", Role=support.ROLE, Timeout=60,
                                      Handler=name + ".on_event", Code={"ZipFile": support.zip_of({name + ".py": code})})
        for name in "waits", "works":
            functions.invoke(FunctionName=name, InvocationType="Event", Payload="{}")

        def begun():
            return {one["Program"].split(":")[-1] for one in self.own.executions(0)} >= {"sleeps", "waits", "works"}

        def tagged():
            try:
                return self.own.client("s3").get_bucket_tagging(Bucket="stopped")
            except self.own.client("s3").exceptions.ClientError:
                return None
        support.until(begun, 120)
        support.until(tagged, 120)
        self.own.end()
        self.own.start()
        for one in self.own.executions(0):
            if one["Program"].endswith(":waits"):
                continue  # what became of its call is not known: it is not made a second time
            journal = json.loads(self.own.fixpoint("executions", one["Id"], "--json")[1])["Journal"]
            self.assertIn(one["Outcome"], ("", "tries again"), journal)
            self.assertEqual([], [line["Text"] for line in journal if "started: " not in line["Text"] and
                                  line["Text"] != "ServiceUnavailable: The function runtime is stopping."])


class Failures(HandlerTest):
    def test_a_handler_that_fails_changes_nothing_and_is_shown_as_failed(self):
        arn = self.place("encrypt_bucket", "encrypt-nothing")
        self.rule("nothing", {"detail": {"findings": {"Title": ["No bucket"]}}}, arn)
        self.take_in(make_finding("own/none", "AwsS3Bucket", "arn:aws:s3:::own-no-bucket", "own-scanner",
                                  Title="No bucket"))
        # Lambda tries an event again after a minute and after two; it is enough to see that it will.
        def tried():
            runs = [run for run in self.server.executions(wait=1) if run["Program"] == arn]
            return runs if runs and runs[0]["Status"] == "WAITING" else None
        runs = support.until(tried)
        self.assertEqual([("WAITING", "tries again")], [(run["Status"], run["Outcome"]) for run in runs])
        finding = self.finding("own/none")
        self.assertEqual(("NEW", False), (finding["Workflow"]["Status"], "Note" in finding))
