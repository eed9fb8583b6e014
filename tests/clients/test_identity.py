"""Who is let in, and as whom."""
import http.client
import json
import os
import sqlite3
import subprocess
import time
import unittest
import urllib.request

import botocore.exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import support
from support import ACCOUNT


class Identity(support.ServerTest):
    def test_the_first_key_says_who_it_is(self):
        who = self.sts.get_caller_identity()
        self.assertEqual((ACCOUNT, "arn:aws:iam::%s:user/fixpoint" % ACCOUNT), (who["Account"], who["Arn"]))
        self.assertTrue(who["UserId"].startswith("AIDA"))

    def test_a_roles_session_works_as_the_role(self):
        made = self.sts.assume_role(RoleArn="arn:aws:iam::%s:role/path/auditor" % ACCOUNT, RoleSessionName="june")
        arn = "arn:aws:sts::%s:assumed-role/auditor/june" % ACCOUNT
        self.assertEqual(arn, made["AssumedRoleUser"]["Arn"])
        keys = made["Credentials"]
        self.assertAlmostEqual(3600, keys["Expiration"].timestamp() - time.time(), delta=120)
        key = dict(key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys["SessionToken"])
        sts = self.server.client("sts", **key)
        self.assertEqual(arn, sts.get_caller_identity()["Arn"])
        self.server.client("s3", **key).create_bucket(Bucket="of-the-session")
        self.assertIn("of-the-session", [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]])

    def test_a_role_of_another_account_works_there(self):
        keys = self.sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/r", RoleSessionName="s1")["Credentials"]
        key = dict(key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys["SessionToken"])
        self.assertEqual("222222222222", self.server.client("sts", **key).get_caller_identity()["Account"])
        hub = self.server.client("securityhub", **key)
        finding = support.make_finding("of-another", "Other", "x", "g", AwsAccountId="222222222222")
        self.assertEqual(1, hub.batch_import_findings(Findings=[finding])["SuccessCount"])

    def test_roles_that_are_none_are_refused(self):
        self.refused("ValidationError", self.sts.assume_role, RoleArn="arn:aws:iam::%s:user/someone" % ACCOUNT,
                     RoleSessionName="s1")
        for wrong in (dict(RoleSessionName="no spaces"), dict(DurationSeconds=10), dict(DurationSeconds=50000)):
            with self.assertRaises(Exception) as caught:
                self.sts.assume_role(**dict(dict(RoleArn=support.ROLE, RoleSessionName="s1"), **wrong))
            self.assertIn(list(wrong)[0].lower(), str(caught.exception).lower())

    def test_an_operation_that_is_not_there_says_so(self):
        self.assertRegex(self.refused("NotImplemented", self.sts.get_session_token),
                         "^sts:GetSessionToken is not there in this version")

    def test_a_key_that_nobody_has_is_refused(self):
        for service, call, code in (("sts", "get_caller_identity", "InvalidClientTokenId"),
                                    ("s3", "list_buckets", "InvalidAccessKeyId"),
                                    ("ec2", "describe_security_groups", "AuthFailure"),
                                    ("events", "list_rules", "UnrecognizedClientException"),
                                    ("securityhub", "get_findings", "UnrecognizedClientException"),
                                    ("lambda", "list_functions", "UnrecognizedClientException"),
                                    ("kms", "list_keys", "UnrecognizedClientException"),
                                    ("cloudtrail", "list_trails", "UnrecognizedClientException")):
            with self.subTest(service=service):
                client = self.server.client(service, key="AKIAAAAAAAAAAAAAAAAA", secret="nothing")
                self.refused(code, getattr(client, call))
                self.assertIn(self.status, (401, 403, 400) if service != "s3" else (403,))

    def test_a_wrong_secret_is_refused(self):
        for service, call, code in (("sts", "get_caller_identity", "SignatureDoesNotMatch"),
                                    ("s3", "list_buckets", "SignatureDoesNotMatch"),
                                    ("events", "list_rules", "InvalidSignatureException"),
                                    ("securityhub", "get_findings", "InvalidSignatureException"),
                                    ("lambda", "list_functions", "InvalidSignatureException")):
            with self.subTest(service=service):
                client = self.server.client(service, secret="wrong")
                self.refused(code, getattr(client, call))

    def test_a_token_that_was_never_issued_is_refused(self):
        keys = self.sts.assume_role(RoleArn=support.ROLE, RoleSessionName="token")["Credentials"]
        client = self.server.client("sts", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token="nonsense")
        self.refused("InvalidClientTokenId", client.get_caller_identity)
        client = self.server.client("sts", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"])
        self.refused("InvalidClientTokenId", client.get_caller_identity)

    def test_what_is_not_signed_is_refused(self):
        connection = http.client.HTTPConnection(self.server.endpoint.split("//")[1], timeout=30)
        for method, path, headers, body in (
                ("GET", "/a-bucket", {}, None),
                ("POST", "/", {"X-Amz-Target": "AWSEvents.ListRules", "Content-Type": "application/x-amz-json-1.1"},
                 "{}"),
                ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"},
                 "Action=GetCallerIdentity&Version=2011-06-15"),
                ("POST", "/findings", {"Content-Type": "application/json"}, "{}"),
                ("POST", "/api/operations", {"Content-Type": "application/json"}, "{}")):
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            self.assertIn(answer.status, (400, 403), path + ": " + text)
            self.assertNotIn('"Own"', text)
            self.assertRegex(text, "Missing|AccessDenied|Authentication", path)
        for method, body in (("GET", b"ok\n"), ("HEAD", b"")):
            connection.request(method, "/healthz")
            answer = connection.getresponse()
            self.assertEqual((200, "3", body), (answer.status, answer.getheader("Content-Length"), answer.read()))
        connection.request("GET", "/healthz?list-type=2")
        self.assertEqual(403, (lambda a: (a.status, a.read()))(connection.getresponse())[0])
        connection.close()

    def test_what_is_no_roles_arn_or_no_policy_is_refused(self):
        for arn in ("arn:aws:iam::1:role/handler", "arn:other:iam::%s:role/handler" % ACCOUNT,
                    "arn:aws:iam::%s:role/" % ACCOUNT, "arn:aws:iam::%s:role/a b" % ACCOUNT):
            self.assertIn(arn, self.refused("ValidationError", self.sts.assume_role, RoleArn=arn, RoleSessionName="s1"))
        self.refused("MalformedPolicyDocument", self.sts.assume_role, RoleArn=support.ROLE, RoleSessionName="s1",
                     Policy="{}")
        keys = self.sts.assume_role(RoleArn=support.ROLE, RoleSessionName="first", DurationSeconds=43200)["Credentials"]
        chained = self.server.client("sts", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"],
                                     token=keys["SessionToken"])
        self.assertIn("role chaining", self.refused("ValidationError", chained.assume_role, RoleArn=support.ROLE,
                                                    RoleSessionName="next", DurationSeconds=3601))

    def sent(self, method, path, scope, headers=None, body=""):
        """(status, answer) of a request that is signed for that service."""
        keys = self.server.variables
        request = AWSRequest(method, self.server.endpoint + path, data=body, headers=headers or {})
        SigV4Auth(Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]), scope,
                  support.REGION).add_auth(request)
        made = request.prepare()
        connection = http.client.HTTPConnection(self.server.endpoint.split("//")[1], timeout=30)
        connection.request(method, made.url[len(self.server.endpoint):], body=body, headers=dict(made.headers))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def test_a_scope_of_another_service_is_refused(self):
        json_call = {"X-Amz-Target": "AWSEvents.ListRules", "Content-Type": "application/x-amz-json-1.1"}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        caller = "Action=GetCallerIdentity&Version=2011-06-15"
        self.assertEqual(200, self.sent("POST", "/", "events", json_call, "{}")[0])
        self.assertEqual(200, self.sent("POST", "/", "sts", form, caller)[0])
        for scope in ("foo", "fixpoint", "Events"):
            with self.subTest(scope=scope):
                status, text = self.sent("POST", "/", scope, json_call, "{}")
                self.assertEqual(400, status, text)
                self.assertIn("InvalidSignatureException", text)
                self.assertIn("Credential should be scoped to correct service: 'events'.", text)
                status, text = self.sent("POST", "/", scope, form, caller)
                self.assertEqual(403, status, text)
                self.assertRegex(text, "<Code>SignatureDoesNotMatch</Code>")
                # What is sent there could be anybody's: no service has that name.
                status, text = self.sent("PUT", "/a-bucket/key", scope, {"x-amz-acl": "public-read"}, "x")
                self.assertEqual(501, status, text)
                self.assertIn(f"the service '{scope}' is not there in this version (PUT /a-bucket/key)", text)
                status, text = self.sent("POST", "/api/status", scope, {}, "{}")
                self.assertEqual(200 if scope == "fixpoint" else 501, status, text)

    def test_a_service_without_a_model_is_said_not_to_be_there(self):
        calls = {"route53": "list_hosted_zones", "batch": "describe_job_definitions",
                 "polly": "list_lexicons", "elasticbeanstalk": "describe_applications", "pricing": "describe_services"}
        for service, operation in calls.items():
            with self.subTest(service=service):
                with self.assertRaises(botocore.exceptions.ClientError) as caught:
                    getattr(self.server.client(service), operation)()
                answer = caught.exception.response
                self.assertEqual(501, answer["ResponseMetadata"]["HTTPStatusCode"], answer)
                self.assertEqual("NotImplemented", answer["Error"]["Code"], answer)
                self.assertIn(service, answer["Error"]["Message"])
        # Who calls is asked first.
        stranger = self.server.client("route53", secret="wrong")
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            stranger.list_hosted_zones()
        self.assertEqual("SignatureDoesNotMatch", caught.exception.response["Error"]["Code"])

    def test_buckets_have_the_names_of_the_servers_own_paths(self):
        for bucket in ("api", "healthz"):
            self.s3.create_bucket(Bucket=bucket)
            self.s3.put_object(Bucket=bucket, Key="k", Body=b"v")
            self.s3.put_object(Bucket=bucket, Key="controls", Body=b"w")
            self.assertEqual(b"v", self.s3.get_object(Bucket=bucket, Key="k")["Body"].read())
            self.assertEqual(["controls", "k"],
                             [key["Key"] for key in self.s3.list_objects_v2(Bucket=bucket)["Contents"]])
            self.assertEqual(200, self.s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"])
            url = self.server.client("s3", signature_version="s3v4").generate_presigned_url("get_object", dict(Bucket=bucket, Key="controls"))
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
                self.assertEqual(b"w", answer.read())
            for key in ("k", "controls"):
                self.s3.delete_object(Bucket=bucket, Key=key)
            self.s3.delete_bucket(Bucket=bucket)

    def test_a_query_of_version_2_is_told_what_is_wanted(self):
        connection = http.client.HTTPConnection(self.server.endpoint.split("//")[1], timeout=30)
        for path in ("/a-bucket/key", "/api/key", "/healthz", "/healthz/key"):
            connection.request("GET", path + "?AWSAccessKeyId=%s&Expires=2000000000&Signature=abc%%3D" %
                               self.server.variables["AWS_ACCESS_KEY_ID"])
            answer = connection.getresponse()
            text = answer.read().decode()
            self.assertEqual(400, answer.status, text)
            self.assertRegex(text, "<Code>InvalidRequest</Code><Message>The authorization mechanism you have provided is "
                                   "not supported. Please use AWS4-HMAC-SHA256.")
        connection.close()


class FourEyes(support.ServerTest):
    def data(self):
        return os.path.join(self.server.folder, "data")

    def key_of(self, user):
        status, out, said = self.server.fixpoint("env", "--json", "--data", self.data(), "--user", user)
        self.assertEqual(0, status, said)
        variables = json.loads(out)
        return {"AccessKeyId": variables["AWS_ACCESS_KEY_ID"], "SecretAccessKey": variables["AWS_SECRET_ACCESS_KEY"]}

    def let_in(self, keys, *arguments):
        """What the command gives, once the server knows the key."""
        status, out = self.command(keys, *arguments)
        return None if "InvalidClientTokenId" in out or "is invalid" in out else (status, out)

    def command(self, keys, *arguments):
        """(status, output and errors) of the command with those keys."""
        environment = dict(self.server.environment, AWS_ACCESS_KEY_ID=keys["AccessKeyId"],
                           AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"],
                           AWS_SESSION_TOKEN=keys.get("SessionToken", ""))
        run = subprocess.run([support.BINARY] + list(arguments), env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True, timeout=120)
        return run.returncode, run.stdout

    def session(self, name):
        return self.sts.assume_role(RoleArn=support.ROLE, RoleSessionName=name)["Credentials"]

    def asked(self, keys):
        """A fix that those keys ask for and that waits."""
        finding = json.loads(self.server.fixpoint("scene", "S3.4", "--json")[1])[0]["FindingId"]
        status, out = self.command(keys, "fix", finding, "--json")
        self.assertEqual(0, status, out)
        execution = json.loads(out)["Executions"][0]["Id"]
        support.until(lambda: json.loads(self.server.fixpoint("executions", execution, "--json")[1])["Approvals"])
        return execution

    def test_one_person_is_one_in_whatever_session(self):
        self.assertEqual(0, self.server.fixpoint("settings", "four_eyes", "true")[0])
        self.assertEqual(0, self.server.fixpoint("mode", "ask")[0])
        ann = {"AccessKeyId": self.server.variables["AWS_ACCESS_KEY_ID"],
               "SecretAccessKey": self.server.variables["AWS_SECRET_ACCESS_KEY"]}
        who = "arn:aws:iam::%s:user/fixpoint" % ACCOUNT
        bob = self.session("bob")
        named = "arn:aws:sts::%s:assumed-role/handler/bob, assumed by %s" % (ACCOUNT, who)
        chained = self.server.client("sts", key=bob["AccessKeyId"], secret=bob["SecretAccessKey"],
                                     token=bob["SessionToken"])
        carol = chained.assume_role(RoleArn="arn:aws:iam::222222222222:role/r", RoleSessionName="carol")["Credentials"]
        for asks, answers in ((ann, bob), (bob, ann), (bob, carol), (ann, carol)):
            execution = self.asked(asks)
            status, out = self.command(answers, "approve", execution)
            self.assertEqual(5, status, out)
            self.assertIn(who + " asked for this, so somebody else has to approve it", out)
            self.assertEqual(0, self.command(answers, "reject", execution)[0])
        # Records name the session and who is behind it.
        execution = self.asked(bob)
        shown = json.loads(self.server.fixpoint("executions", execution, "--json")[1])
        self.assertEqual(named, shown["Approvals"][0]["RequestedBy"])
        status, out = self.command(bob, "freeze", "--because", "a test")
        self.assertEqual(0, status, out)
        self.assertIn(named, [line["By"] for line in json.loads(self.server.fixpoint("freeze", "--list", "--json")[1])["Frozen"]])
        # A key of another user is another person: who froze, in whatever session, does not unfreeze alone.
        status, out, said = self.server.fixpoint("keys", "add", "dave", "--data", self.data())
        self.assertEqual(0, status, said)
        other = self.key_of("dave")
        self.assertEqual(5, self.command(carol, "unfreeze")[0])
        self.assertEqual(5, self.command(bob, "unfreeze")[0])
        self.assertEqual(0, support.until(lambda: self.let_in(other, "unfreeze"))[0])
        audit = json.loads(self.server.fixpoint("audit", "--json")[1])["Records"]
        by = {record["Kind"]: record["About"].get("By") for record in audit}
        self.assertEqual(named, by["changes.frozen"])
        self.assertEqual("arn:aws:iam::%s:user/dave" % ACCOUNT, by["changes.unfrozen"])
        asked = [record["About"]["AskedBy"] for record in audit if record["Kind"] == "changes.unfrozen"]
        self.assertRegex(asked[0], "carol, assumed by %s$" % who)
        status, out = self.command(other, "approve", execution)
        self.assertEqual(0, status, out)
        support.until(lambda: json.loads(self.server.fixpoint("executions", execution, "--json")[1])["Outcome"] == "fixed")
        shown = json.loads(self.server.fixpoint("executions", execution, "--json")[1])
        self.assertEqual("arn:aws:iam::%s:user/dave" % ACCOUNT, shown["Approvals"][0]["AnsweredBy"])


    def test_who_causes_the_event_of_a_rule_does_not_approve_what_it_began(self):
        self.assertEqual(0, self.server.fixpoint("settings", "four_eyes", "true")[0])
        self.assertEqual(0, self.server.fixpoint("mode", "ask")[0])
        self.events.put_rule(Name="begins", EventPattern=json.dumps({"source": ["aws.securityhub", "mine"]}))
        target = dict(Id="c", Arn="arn:aws:fixpoint:us-east-1:%s:control/S3.4" % ACCOUNT)
        self.assertEqual(0, self.events.put_targets(Rule="begins", Targets=[target])["FailedEntryCount"])
        try:
            for number, begin in enumerate((self.import_file, self.import_batch, self.put_event)):
                bucket = "asked-by-%d" % number
                self.bare_bucket(bucket)
                finding = support.make_finding("own/" + bucket, "AwsS3Bucket", "arn:aws:s3:::" + bucket, "own-scanner",
                                               Compliance={"Status": "FAILED"})
                begin(finding)
                execution = support.until(lambda: next(
                    (one["Id"] for one in json.loads(self.server.fixpoint("executions", "--json")[1])["Executions"]
                     if one["Subject"] == finding["Id"] and one["Outcome"] == "waits for approval"), None))
                status, out, said = self.server.fixpoint("approve", execution)
                self.assertEqual(5, status, (begin.__name__, out))
                self.assertIn("user/fixpoint asked for this, so somebody else has to approve it", said)
                self.assertEqual(0, self.server.fixpoint("reject", execution)[0])
        finally:
            self.events.remove_targets(Rule="begins", Ids=["c"])
            self.events.delete_rule(Name="begins")

    def import_file(self, finding):
        path = os.path.join(self.server.folder, "finding.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump([finding], file)
        self.assertEqual(0, self.server.fixpoint("import", path)[0])

    def import_batch(self, finding):
        self.take_in(finding)

    def put_event(self, finding):
        answer = self.events.put_events(Entries=[dict(Source="mine", DetailType="Finding",
                                                      Detail=json.dumps({"findings": [finding]}))])
        self.assertEqual(0, answer["FailedEntryCount"])

    def test_who_publishes_to_a_topic_does_not_approve_what_a_function_does_then(self):
        self.assertEqual(0, self.server.fixpoint("settings", "four_eyes", "true")[0])
        self.bare_bucket("of-a-topic")
        code = """
import boto3

def on_event(event, context):
    boto3.client("s3").put_bucket_tagging(Bucket="of-a-topic", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
"""
        arn = self.create_function("of-a-topic", {"f.py": code}, "f.on_event")
        self.assertEqual(0, self.server.fixpoint("mode", "ask", "--control", arn)[0])
        sns = self.server.client("sns")
        topic = sns.create_topic(Name="of-a-topic")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
        rule = self.events.put_rule(Name="of-a-topic", EventPattern=json.dumps({"source": ["topical"]}))["RuleArn"]
        self.events.put_targets(Rule="of-a-topic", Targets=[dict(Id="t", Arn=topic)])

        def put_event():
            self.events.put_events(Entries=[dict(Source="topical", DetailType="t", Detail="{}")])
        try:
            for begin in (lambda: sns.publish(TopicArn=topic, Message="x"), put_event,
                          lambda: sns.publish_batch(TopicArn=topic,
                                                    PublishBatchRequestEntries=[dict(Id="1", Message="x")])):
                begin()
                execution = support.until(lambda: next(
                    (one["Id"] for one in json.loads(self.server.fixpoint("executions", "--json")[1])["Executions"]
                     if one["Program"] == arn and one["Outcome"] == "waits for approval"), None))
                status, out, said = self.server.fixpoint("approve", execution)
                self.assertEqual(5, status, out)
                self.assertIn("user/fixpoint asked for this, so somebody else has to approve it", said)
                self.assertEqual(0, self.server.fixpoint("reject", execution)[0])
            # The rule's mode holds on the way through the topic as well.
            self.assertEqual(0, self.server.fixpoint("mode", "observe", "--rule", rule)[0])
            put_event()
            support.until(lambda: [one for one in json.loads(self.server.fixpoint("executions", "--json")[1])["Executions"]
                                   if one["Program"] == arn and one["Outcome"] == "observed"])
            self.refused("NoSuchTagSet", self.s3.get_bucket_tagging, Bucket="of-a-topic")
        finally:
            self.events.remove_targets(Rule="of-a-topic", Ids=["t"])
            self.events.delete_rule(Name="of-a-topic")

    def test_who_invokes_a_function_and_waits_changes_nothing_alone(self):
        self.assertEqual(0, self.server.fixpoint("settings", "four_eyes", "true")[0])
        self.bare_bucket("of-one-person")
        code = """
import boto3
from botocore.exceptions import ClientError

def on_event(event, context):
    try:
        boto3.client("s3").put_bucket_tagging(Bucket="of-one-person", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    except ClientError as error:
        return error.response["Error"]["Code"]
"""
        self.create_function("of-one-person", {"f.py": code}, "f.on_event")
        functions = self.server.client("lambda")
        for named in ({}, {"Qualifier": "$LATEST"}):
            answer = functions.invoke(FunctionName="of-one-person", **named)
            self.assertEqual("ModeForbidsChange", json.loads(answer["Payload"].read().decode()))
        self.refused("NoSuchTagSet", self.s3.get_bucket_tagging, Bucket="of-one-person")

    def test_who_chose_a_custom_action_for_a_function_does_not_approve_it(self):
        self.assertEqual(0, self.server.fixpoint("settings", "four_eyes", "true")[0])
        self.bare_bucket("of-four-eyes")
        arn = self.create_function("four-eyes", {
            "encrypt_bucket.py": support.read(support.HERE, "handlers", "encrypt_bucket.py")}, "encrypt_bucket.on_event")
        action = self.securityhub.create_action_target(Name="Encrypt", Description="Encrypts it",
                                                       Id="Encrypt4")["ActionTargetArn"]
        self.events.put_rule(Name="four-eyes", EventPattern=json.dumps({"resources": [action]}))
        self.assertEqual(0, self.events.put_targets(Rule="four-eyes", Targets=[dict(Id="f", Arn=arn)])["FailedEntryCount"])
        self.take_in(support.make_finding("own/four", "AwsS3Bucket", "arn:aws:s3:::of-four-eyes", "own-scanner"))
        self.assertEqual(0, self.server.fixpoint("act", "Encrypt", "own/four")[0])

        def asked():
            for one in json.loads(self.server.fixpoint("executions", "--json")[1])["Executions"]:
                if one["Program"] != arn:
                    continue
                whole = json.loads(self.server.fixpoint("executions", one["Id"], "--json")[1])
                self.assertNotIn("EndedAt", one, whole)
                return whole if whole["Approvals"] else None
            return None

        whole = support.until(asked)
        who = "arn:aws:iam::%s:user/fixpoint" % ACCOUNT
        self.assertEqual(who, whole["Approvals"][0]["RequestedBy"])
        status, out, said = self.server.fixpoint("approve", whole["Id"])
        self.assertEqual(5, status, out)
        self.assertIn(who + " asked for this, so somebody else has to approve it", said)
        self.assertEqual(0, self.server.fixpoint("keys", "add", "frank", "--data", self.data())[0])
        frank = self.key_of("frank")
        status, out = support.until(lambda: self.let_in(frank, "approve", whole["Id"]))
        self.assertEqual(0, status, out)
        self.server.wait()
        self.assertTrue(self.s3.get_bucket_encryption(Bucket="of-four-eyes"))

    def test_nobody_loosens_alone_what_holds_changes_back(self):
        server = support.Server()
        try:
            data = os.path.join(server.folder, "data")
            own = server.fixpoint
            self.assertEqual(0, own("mode", "auto", "--control", "S3.4")[0])
            added = own("exceptions", "add", "--tag", "keep=yes", "--owner", "o", "--reason", "r", "--until", "2090-01-01",
                        "--json")
            exception = json.loads(added[1])["Added"]["Id"]
            self.assertEqual(0, own("keys", "add", "gus", "--data", data)[0])
            gus = dict(server.environment)
            gus.update(json.loads(own("env", "--json", "--data", data, "--user", "gus")[1]))

            def second(*words):
                run = subprocess.run([support.BINARY] + list(words), env=gus, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, universal_newlines=True, timeout=120)
                return run.returncode, run.stdout, run.stderr

            support.until(lambda: second("mode")[0] == 0)
            # Set by one person at once; so is all that asks for more care.
            for words in (("settings", "four_eyes", "true"), ("mode", "ask"), ("freeze", "--because", "a test")):
                self.assertEqual(0, own(*words)[0], words)
            # What is not there is not asked for.
            for words in (("unfreeze", "--account", "222222222222"), ("mode", "--unset", "--control", "EC2.13"),
                          ("settings", "windows", "--unset")):
                self.assertEqual(1, own(*words)[0], words)
            before = own("settings", "--json"), own("mode", "--json")
            for words in (("unfreeze",), ("mode", "auto"), ("mode", "--unset", "--control", "S3.4"),
                          ("settings", "cap_resources", "1000"), ("settings", "four_eyes", "false"),
                          ("exceptions", "remove", exception), ("settings", "four_eyes", "--unset")):
                for _ in range(2):
                    status, out, said = own(*words)
                    self.assertEqual((5, ""), (status, out), (words, said))
                    self.assertIn("was asked for by arn:aws:iam::%s:user/fixpoint; it is done once another person asks "
                                  "for the same before 2" % ACCOUNT, said)
            settings = json.loads(own("settings", "--json")[1])
            self.assertEqual(json.loads(before[0][1])["Settings"], settings["Settings"])
            self.assertEqual(before[1], own("mode", "--json"))
            self.assertEqual(7, len(settings["Asked"]))
            self.assertIn("waits for a second person until", own("settings")[1])
            self.assertEqual(1, len(json.loads(own("freeze", "--list", "--json")[1])["Frozen"]))
            # One person's word counts for the freeze that it was about, and not for the next.
            self.assertEqual(0, own("freeze", "--because", "another")[0])
            status, _, said = second("unfreeze")
            self.assertEqual(5, status)
            self.assertIn("was asked for by arn:aws:iam::%s:user/gus" % ACCOUNT, said)
            self.assertEqual(0, own("unfreeze")[0])
            self.assertEqual(0, own("freeze", "--because", "a test")[0])
            self.assertEqual(5, own("unfreeze")[0])
            # To ask where it was observed lets a person change what none could.
            self.assertEqual(0, own("mode", "observe", "--control", "KMS.4")[0])
            self.assertEqual(5, own("mode", "ask", "--control", "KMS.4")[0])
            self.assertEqual(0, second("mode", "ask", "--control", "KMS.4")[0])
            # What is wrong is said at once.
            self.assertEqual(3, own("settings", "cap_resources", "many")[0])
            self.assertEqual(2, own("settings", "four_eyes", "null")[0])
            for words in (("unfreeze",), ("exceptions", "remove", exception), ("settings", "four_eyes", "false"),
                          ("mode", "auto")):
                status, out, said = second(*words)
                self.assertEqual(0, status, (words, out, said))
            self.assertEqual([], json.loads(own("freeze", "--list", "--json")[1])["Frozen"])
            self.assertEqual([], json.loads(own("exceptions", "--json")[1])["Exceptions"])
            self.assertEqual("auto", json.loads(own("mode", "--json")[1])["all"])
            self.assertEqual(0, own("settings", "cap_resources", "30")[0])
            # Whoever asks next does it: nothing waits for a second person.
            self.assertNotIn("Asked", json.loads(own("settings", "--json")[1]))
            records = json.loads(own("audit", "--json")[1])["Records"]
            done = [r["About"] for r in records if r["Kind"] == "changes.unfrozen"]
            self.assertEqual([("all", "user/fixpoint", "user/gus"), ("all", "user/gus", "user/fixpoint")],
                             [(d["Scope"], d["By"].split(":")[-1], d["AskedBy"].split(":")[-1]) for d in done])
            self.assertEqual(0, own("audit", "verify")[0])
        finally:
            server.stop()

    def test_keys_come_and_go_while_the_server_runs(self):
        def keys(*words):
            status, out, said = self.server.fixpoint("keys", *(words + ("--data", self.data())))
            return status, out + said

        self.assertEqual(0, keys("add", "erin")[0])
        first = self.key_of("erin")
        erin = "arn:aws:iam::%s:user/erin" % ACCOUNT

        def who(keys=first):
            sts = self.server.client("sts", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"])
            try:
                return sts.get_caller_identity()["Arn"]
            except botocore.exceptions.ClientError as error:
                return error.response["Error"]["Code"]

        support.until(lambda: who() == erin)
        # The newest of a user's is printed, the older one is listed and still counts.
        self.assertEqual(0, keys("add", "erin")[0])
        second = self.key_of("erin")
        self.assertNotEqual(first, second)
        support.until(lambda: who(second) == erin)
        self.assertEqual(erin, who())
        listed = json.loads(keys("list", "--json")[1])["Keys"]
        self.assertEqual(["erin", "erin"], [key["User"] for key in listed if key["AccessKeyId"] in
                                            (first["AccessKeyId"], second["AccessKeyId"])])
        shown = keys()[1]
        for key in (first, second):
            self.assertIn(key["AccessKeyId"], shown)
            self.assertNotIn(key["SecretAccessKey"], shown)
        status, out = keys("remove", first["AccessKeyId"])
        self.assertEqual(0, status, out)
        support.until(lambda: who() == "InvalidClientTokenId")

        def recorded():
            records = json.loads(self.server.fixpoint("audit", "--json")[1])["Records"]
            found = [(record["Kind"], record["About"]["AccessKeyId"]) for record in records
                     if record["About"].get("User") == "erin"]
            return found if len(found) >= 3 else None

        self.assertEqual([("key.added", first["AccessKeyId"]), ("key.added", second["AccessKeyId"]),
                          ("key.removed", first["AccessKeyId"])], support.until(recorded))

    def test_keys_that_cannot_be_had_are_refused(self):
        def keys(*words):
            status, out, said = self.server.fixpoint(*(words + ("--data", self.data())))
            self.assertEqual("", out)
            return status, said

        with open(os.path.join(self.data(), "keys.json"), encoding="utf-8") as file:
            before = file.read()
        for words, status, sentence in (
                (("keys", "make", "ann"), 2, "there is no 'make'"),
                (("keys", "add"), 2, "add wants the name of a user"),
                (("keys", "remove"), 2, "remove wants the id of a key"),
                (("keys", "list", "ann"), 2, "list takes nothing more"),
                (("keys", "add", "ann smith"), 3, "'ann smith' is no name of a user"),
                (("keys", "add", "FixPoint"), 3, "there is the user 'fixpoint' already"),
                (("keys", "remove", "AKIANOBODYSKEY234567"), 1, "there is no key AKIANOBODYSKEY234567"),
                (("env", "--user", "zoe"), 3, "no key is of the user 'zoe'")):
            got, said = keys(*words)
            self.assertEqual(status, got, said)
            self.assertIn(sentence, said)
        with open(os.path.join(self.data(), "keys.json"), encoding="utf-8") as file:
            self.assertEqual(before, file.read())
        status, _, said = self.server.fixpoint("keys", "--data", os.path.join(self.server.folder, "nowhere"))
        self.assertEqual(3, status, said)


class Expiry(unittest.TestCase):
    def test_a_token_that_has_expired_is_refused(self):
        server = support.Server()
        try:
            keys = server.client("sts").assume_role(RoleArn=support.ROLE, RoleSessionName="short",
                                                    DurationSeconds=900)["Credentials"]
            key = dict(key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys["SessionToken"])
            self.assertEqual(ACCOUNT, server.client("sts", **key).get_caller_identity()["Account"])
            # A quarter of an hour passes: the end of the session lies in the past.
            server.end()
            store = sqlite3.connect(os.path.join(server.folder, "data", "fixpoint.db"))
            with store:
                changed = store.execute("UPDATE session_key SET expires_ms = expires_ms - 1000000").rowcount
            store.close()
            self.assertEqual(1, changed)
            server.start()
            for service, call, code in (("sts", "get_caller_identity", "ExpiredToken"),
                                        ("s3", "list_buckets", "ExpiredToken"),
                                        ("events", "list_rules", "ExpiredTokenException"),
                                        ("lambda", "list_functions", "ExpiredTokenException")):
                with self.subTest(service=service):
                    with self.assertRaises(support.botocore.exceptions.ClientError) as caught:
                        getattr(server.client(service, **key), call)()
                    error = caught.exception.response["Error"]
                    self.assertEqual(code, error["Code"], error["Message"])
                    self.assertIn("expired", error["Message"])
            self.assertEqual(ACCOUNT, server.client("sts").get_caller_identity()["Account"])
        finally:
            server.stop()
