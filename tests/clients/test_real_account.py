"""Over real accounts, as moto plays them: each call is made in the account that its finding is about, or not at all."""
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
import unittest
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

import support
from support import REGION

OWN = "123456789012"  # moto's account for keys of nobody's
MEMBER = "333333333333"


class Silent(http.server.BaseHTTPRequestHandler):
    """An account that says whose it is, and answers nothing else before it is let."""
    protocol_version = "HTTP/1.1"
    may_answer = threading.Event()
    asked = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, text = 503, b""
        if b"GetCallerIdentity" in body:
            status, text = 200, (
                b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
                b"<Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"
                b"</GetCallerIdentityResult></GetCallerIdentityResponse>")
        else:
            self.asked.append(self.headers.get("X-Amz-Target") or self.path)
            self.may_answer.wait(120)
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            pass  # whoever asked has gone

    do_GET = do_POST

    def log_message(self, *_):
        pass


class SilentAccounts(unittest.TestCase):
    def setUp(self):
        class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 128
        Silent.may_answer.clear()
        del Silent.asked[:]
        listener = Listener(("127.0.0.1", 0), Silent)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        self.addCleanup(listener.server_close)
        self.addCleanup(listener.shutdown)
        self.addCleanup(Silent.may_answer.set)
        self.server = support.Server("--real-account", "--account-endpoint",
                                     "http://127.0.0.1:%d" % listener.server_port,
                                     AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
        self.addCleanup(self.server.stop)

    def test_an_account_that_does_not_answer_leaves_the_kill_switch_and_the_findings(self):
        def call():
            try:
                self.server.client("s3", read_timeout=120).list_buckets()
            except botocore.exceptions.ClientError:
                pass
        callers = [threading.Thread(target=call) for _ in range(40)]
        for caller in callers:
            caller.start()
        support.until(lambda: len(Silent.asked) >= 8, 120)
        status, _, error = self.server.fixpoint("freeze", "--because", "it is deaf")
        self.assertEqual((0, ""), (status, error))
        self.assertEqual([], self.server.client("securityhub").get_findings()["Findings"])
        Silent.may_answer.set()
        for caller in callers:
            caller.join(120)

    def test_a_stop_cuts_off_what_is_not_answered_and_takes_it_up_again(self):
        finding = RealAccounts.finding(self, OWN, "11111111-2222-3333-4444-555555555555")
        status, _, error = self.server.fixpoint("import", "-", input=json.dumps(finding))
        self.assertEqual(0, status, error)
        self.assertEqual(0, self.server.fixpoint("fix", finding["Id"])[0])
        support.until(lambda: Silent.asked, 120)
        self.server.end()
        asked = len(Silent.asked)
        self.server.start()
        support.until(lambda: len(Silent.asked) > asked, 120)
        (one,) = json.loads(self.server.fixpoint("executions", "--json")[1])["Executions"]
        self.assertEqual("READY", one["Status"], one)


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
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(urllib.request.Request(self.aws + "/moto-api/reset", method="POST")).close()

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
                                  stderr=subprocess.PIPE, universal_newlines=True, timeout=300, **more)
        taken = run("import", "-", input=json.dumps(finding))
        self.assertEqual(0, taken.returncode, taken.stderr)
        run("fix", finding["Id"], "--wait", "120")
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
