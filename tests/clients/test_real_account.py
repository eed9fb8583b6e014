"""Over real accounts, as moto plays them: each call is made in the account that its finding is about, or not at all."""
import json
import os
import subprocess
import sys
import unittest
import urllib.request

import boto3
import botocore.config

import support
from support import REGION

OWN = "123456789012"  # moto's account for keys of nobody's
MEMBER = "333333333333"


class RealAccounts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import moto.server  # noqa: F401
        except ImportError:
            raise unittest.SkipTest("moto is not here: nothing plays the real accounts")
        cls.moto = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        cls.addClassCleanup(cls.moto.stdout.close)
        cls.addClassCleanup(cls.moto.wait)
        cls.addClassCleanup(cls.moto.kill)
        for line in cls.moto.stdout:
            if "Running on http://" in line:
                cls.aws = line.split("Running on ")[1].strip()
                break
        else:
            raise unittest.SkipTest("moto.server does not start")

    def tearDown(self):
        urllib.request.urlopen(urllib.request.Request(self.aws + "/moto-api/reset", method="POST")).close()

    def server(self, *options):
        server = support.Server("--real-account", "--account-endpoint", self.aws, *options,
                                AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
        self.addCleanup(server.stop)
        return server

    def client(self, service, account=OWN):
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        if account != OWN:
            given = self.client("sts").assume_role(RoleArn="arn:aws:iam::%s:role/any" % account,
                                                   RoleSessionName="test")["Credentials"]
            keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
                    "aws_session_token": given["SessionToken"]}
        return boto3.client(service, endpoint_url=self.aws, region_name=REGION,
                            config=botocore.config.Config(proxies={}, retries={"max_attempts": 1}), **keys)

    def finding(self, account, key):
        return {"SchemaVersion": "2018-10-08", "Id": "key/" + key, "GeneratorId": "security-control/KMS.4",
                "ProductArn": "arn:aws:securityhub:%s::product/aws/securityhub" % REGION, "AwsAccountId": account,
                "Types": ["Software and Configuration Checks"], "CreatedAt": "2024-01-02T03:04:05.678Z",
                "UpdatedAt": "2024-01-02T03:04:05.678Z", "Severity": {"Label": "MEDIUM"}, "Title": "not rotated",
                "Description": "not rotated", "Compliance": {"Status": "FAILED", "SecurityControlId": "KMS.4"},
                "Resources": [{"Type": "AwsKmsKey",
                               "Id": "arn:aws:kms:%s:%s:key/%s" % (REGION, account, key)}]}

    def fix(self, server, finding):
        """Imports and fixes it; the execution."""
        def run(*words, **more):
            return subprocess.run([support.BINARY] + list(words), env=server.environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, universal_newlines=True, timeout=60, **more)
        taken = run("import", "-", input=json.dumps(finding))
        self.assertEqual(0, taken.returncode, taken.stderr)
        run("fix", finding["Id"], "--wait", "20")
        listed = json.loads(run("executions", "--json").stdout)
        listed = listed["Executions"] if isinstance(listed, dict) else listed
        return [one for one in listed if one["Subject"] == finding["Id"]][0]

    def rotates(self, key, account):
        return self.client("kms", account).get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]

    def test_a_finding_about_another_account_touches_nothing(self):
        server = self.server()
        # The same key id in the server's own account is not what the finding is about.
        own = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
        execution = self.fix(server, self.finding(MEMBER, own))
        self.assertEqual("failed", execution["Outcome"])
        self.assertIn("AccountOutOfReach: this is about the account '333333333333', and the credentials of this "
                      "server are of the account 123456789012: nothing was sent", execution["Result"]["Note"])
        self.assertFalse(self.rotates(own, OWN))

    def test_a_finding_about_another_account_is_fixed_there_by_a_role(self):
        server = self.server("--member-role", "fixpoint")
        member = self.client("kms", MEMBER).create_key()["KeyMetadata"]["KeyId"]
        own = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
        execution = self.fix(server, self.finding(MEMBER, member))
        self.assertEqual("fixed", execution["Outcome"], execution["Result"])
        self.assertTrue(self.rotates(member, MEMBER))
        self.assertFalse(self.rotates(own, OWN))
        self.assertEqual("fixed", self.fix(server, self.finding(OWN, own))["Outcome"])
        self.assertTrue(self.rotates(own, OWN))

    def refused(self, folder, *options, status=3):
        """What a server says that does not start."""
        run = subprocess.run(
            [support.BINARY, "serve", "--listen", "127.0.0.1:0", "--data", folder] + list(options), timeout=60,
            env=support.clean_environment(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual((status, ""), (run.returncode, run.stdout))
        return run.stderr

    def test_credentials_of_another_account_than_the_one_that_was_named_start_nothing(self):
        server = self.server()
        folder = os.path.join(server.folder, "data")
        self.assertEqual(OWN, server.client("sts").get_caller_identity()["Account"])
        server.end()
        real = ["--real-account", "--account-endpoint", self.aws]
        self.assertIn("--account is 222222222222, and the credentials of the AWS_* variables are of the account "
                      "123456789012", self.refused(folder, "--account", "222222222222", *real))
        self.assertIn("the first key of the data folder is of the account 123456789012, not 111111111111; another "
                      "account wants a data folder of its own", self.refused(folder, "--account", "111111111111"))
        self.assertIn("which account the credentials of the AWS_* variables are of is not known",
                      self.refused(folder, "--real-account", "--account-endpoint", "http://127.0.0.1:9", status=4))
        server.options = []  # the account is the folder's own
        server.start()
        self.assertEqual(OWN, server.client("sts").get_caller_identity()["Account"])


if __name__ == "__main__":
    unittest.main()
