"""Who is let in, and as whom."""
import http.client
import os
import sqlite3
import time
import unittest

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
        connection.request("GET", "/healthz")
        self.assertEqual((200, b"ok\n"), (lambda a: (a.status, a.read()))(connection.getresponse()))
        connection.close()


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
