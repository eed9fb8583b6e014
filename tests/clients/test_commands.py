"""The command line: its words and sentences, what it shows of strangers' texts, and what `serve` says of itself."""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import support
from support import make_finding


def fixpoint(*words, stdin=""):
    ran = subprocess.run([support.BINARY, *words], input=stdin, capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stdout.strip(), ran.stderr


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Commands(unittest.TestCase):
    def test_behind_two_dashes_nothing_is_an_option(self):
        self.assertEqual((0, "2"), fixpoint("eval", "--", "-1 + x", "-", stdin='{"x": 3}')[:2])
        self.assertEqual((0, "-7"), fixpoint("eval", "--", "-7")[:2])
        self.assertEqual((0, '"--json"'), fixpoint("eval", "--", "'--json'")[:2])
        self.assertEqual((0, "1"), fixpoint("eval", "--", "[1][0]")[:2])
        status, out, said = fixpoint("eval", "--", "--json")
        self.assertEqual((1, "undefined"), (status, out), said)  # no option: minus minus json

    def test_an_expression_needs_no_dashes(self):
        self.assertEqual((0, "2"), fixpoint("eval", "1 + 1")[:2])
        self.assertEqual((0, "-1"), fixpoint("eval", "-1")[:2])


    def test_help_is_a_command_and_wrong_words_are_told(self):
        status, out, said = fixpoint("help")
        self.assertEqual((0, ""), (status, said))
        self.assertIn("findings", out)
        status, out, _ = fixpoint("help", "plan")
        self.assertEqual(0, status)
        self.assertIn("Usage: fixpoint plan [OPTIONS] FINDING_ID\n", out)
        self.assertIn("Usage: fixpoint settings [OPTIONS] [NAME VALUE]\n", fixpoint("settings", "--help")[1])
        self.assertIn("cap_population", fixpoint("settings", "--help")[1])
        for words, sentence in (((), "name a command"), (("fndings",), "there is no command 'fndings'"),
                                (("help", "fndings"), "there is no command 'fndings'"),
                                (("plan",), "the form is fixpoint plan "),
                                (("findings", "x", "y"), "not expected: x y; the form is fixpoint findings"),
                                (("findings", "--sevrity", "HIGH"), "not expected: --sevrity"),
                                (("fix",) + ("id",) * 1001, "there are 1001 words, and fix takes 1000 at most; the form "
                                                            "is fixpoint fix FINDING_ID..."),
                                (("mode", "auto", "ask"), "there are 2 words, and mode takes 1 at most")):
            status, out, said = fixpoint(*words)
            self.assertEqual((2, ""), (status, out), words)
            self.assertIn(sentence, said)
            self.assertIn("fixpoint help", said)

    def test_findings_refuses_a_status_and_an_account_that_are_none(self):
        for words, sentence in ((("--workflow", "RESOVLED"), "NEW, NOTIFIED, RESOLVED and SUPPRESSED"),
                                (("--account", "1234"), "12 digits")):
            status, out, said = fixpoint("findings", *words)
            self.assertEqual((3, ""), (status, out), words)
            self.assertIn(sentence, said)


    def test_a_folder_is_no_file(self):
        folder = os.path.dirname(os.path.abspath(__file__))
        for words in (("import", folder), ("audit", "verify", folder), ("rules", "try", "--pattern", folder),
                      ("eval", "--cases", folder), ("eval", "1", folder), ("match", "--pattern", folder),
                      ("import", "/no/such/file"), ("audit", "verify", "/no/such/file")):
            status, out, said = fixpoint(*words)
            self.assertEqual((3, ""), (status, out), (words, said))
            self.assertIn("cannot read " + words[-1], said)
            self.assertIn("it is a folder" if words[-1] == folder else "No such file or directory", said)

    def test_a_region_is_one(self):
        for region in ("us east 1", "eu-west-1'; true", "a/b", "\u00fc"):
            status, out, said = fixpoint("serve", "--data", "/nowhere", "--listen", "127.0.0.1:0", "--region", region)
            self.assertEqual((2, ""), (status, out), said)
            self.assertIn("--region is '%s'; a region has letters, digits and hyphens" % region, said)

    def test_an_empty_value_is_refused_and_does_not_count_as_if_it_were_not_there(self):
        for words in (("serve", "--data", ""), ("serve", "--data", "/nowhere", "--region", ""),
                      ("serve", "--data", "/nowhere", "--store", ""), ("serve", "--data", "/nowhere", "--models", ""),
                      ("env", "--data", ""), ("keys", "--data", ""), ("findings", "--workflow", ""),
                      ("findings", "--id", ""), ("executions", "--finding", ""), ("fix", "x", "--plan", ""),
                      ("approve", "x", "--plan", ""), ("mode", "auto", "--control", ""), ("freeze", "--account", ""),
                      ("audit", "--execution", ""), ("rules", "--bus", ""), ("import", "x", "--account", ""),
                      ("match", "--pattern", "")):
            status, out, said = fixpoint(*words)
            self.assertEqual((2, ""), (status, out), (words, said))
            self.assertIn("%s is empty; give it a value" % words[-2], said)

    def test_words_that_a_form_does_not_take_are_refused(self):
        for words, stray in ((("exceptions", "--pattern", "{}", "--owner", "ann"), "--owner"),
                             (("exceptions", "list", "--reason", "r"), "--reason"),
                             (("exceptions", "list", "--leave"), "--leave"),
                             (("exceptions", "remove", "x", "--control", "S3.4"), "--control"),
                             (("freeze", "--list", "--because", "r"), "--because"),
                             (("executions", "x", "--wait", "3"), "--wait"),
                             (("executions", "x", "--status", "READY"), "--status"),
                             (("rules", "--since", "3d"), "--since"), (("rules", "list", "--pattern", "f"), "--pattern"),
                             (("rules", "deliveries", "--bus", "b"), "--bus"), (("findings", "--archived"), "--archived"),
                             (("audit", "--head", "1:a"), "--head"), (("audit", "export", "--head", "1:a"), "--head"),
                             (("audit", "head", "--after", "3"), "--after"),
                             (("audit", "verify", "--after", "3"), "--after"),
                             (("audit", "verify", "--execution", "x"), "--execution")):
            status, out, said = fixpoint(*words)
            self.assertEqual((2, ""), (status, out), (words, said))
            self.assertIn("fixpoint: %s does not go with '%s" % (stray, words[0]), said)
            self.assertIn("'fixpoint help %s'" % words[0], said)
        for words, sentence in ((("rules", "list", "x"), "list takes nothing more"),
                                (("rules", "deliveries", "x"), "deliveries takes nothing more"),
                                (("rules", "try", ""), "the name of the rule is empty"),
                                (("findings", "--ids", "--json"), "give one of --ids and --json"),
                                (("mode", "--control", "S3.4", "--rule", "r"), "give one of --control, --account and"),
                                (("settings", "--unset"), "the forms are NAME VALUE, and NAME --unset")):
            status, out, said = fixpoint(*words)
            self.assertEqual((2, ""), (status, out), (words, said))
            self.assertIn(sentence, said)

    def test_serve_refuses_what_means_nothing_without_another_option(self):
        for words, needs in ((("--member-role", "r"), "--real-account"), (("--external-id", "e"), "--member-role"),
                             (("--account-endpoint", "http://127.0.0.1:9"), "--real-account"),
                             (("--external-id", "e", "--real-account"), "--member-role")):
            status, out, said = fixpoint("serve", "--data", "/nowhere", "--listen", "127.0.0.1:0", *words)
            self.assertEqual((2, ""), (status, out), said)
            self.assertIn("%s goes with %s" % (words[0], needs), said)

    def test_output_that_cannot_be_written_is_no_success(self):
        for words in (("help",), ("--version",), ("eval", "1 + 1"), ("help", "plan")):
            with open("/dev/full", "w") as full:
                ran = subprocess.run([support.BINARY, *words], stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((74, b"fixpoint: the output could not be written: No space left on device\n"),
                             (ran.returncode, ran.stderr), words)

    def test_who_stops_reading_hears_nothing_more(self):
        # The reader has gone before the first byte is written.
        for restores in (True, False):  # SIGPIPE ends it, as by default; or it is ignored, and the write fails
            reads, writes = os.pipe()
            os.close(reads)
            try:
                ran = subprocess.run([support.BINARY, "help"], stdout=writes, stderr=subprocess.PIPE, timeout=60,
                                     restore_signals=restores)
            finally:
                os.close(writes)
            self.assertEqual((-signal.SIGPIPE if restores else 141, b""), (ran.returncode, ran.stderr))

    def test_where_no_server_answers_the_endpoint_and_what_helps_are_named(self):
        ran = subprocess.run([support.BINARY, "controls", "--endpoint", "http://127.0.0.1:1"], capture_output=True,
                             text=True, timeout=60,
                             env=support.clean_environment(AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s"))
        self.assertEqual((4, ""), (ran.returncode, ran.stdout))
        self.assertIn("no server answers at http://127.0.0.1:1: ", ran.stderr)
        self.assertIn("'fixpoint serve --data DIR' starts one", ran.stderr)
        self.assertNotIn("POST", ran.stderr)

    def test_control_characters_come_out_as_question_marks_and_in_json_escaped(self):
        for character in "\x01\x1b\x7f\u0080\u009b\u202a\u202e\u2066\u2069":
            status, out, said = fixpoint("eval", "'a%sb'" % character)
            self.assertEqual((0, r'"a\u%04xb"' % ord(character)), (status, out), said)
            _, _, said = fixpoint("no%ssuch" % character)
            self.assertIn("no command 'no?such'", said)
        for harmless in ("\u00e9", "\u65e5\u672c", "\U0001f512", "\u00a0", "\u2070"):
            self.assertEqual('"%s"' % harmless, fixpoint("eval", "'%s'" % harmless)[1])
            self.assertIn("'no%ssuch'" % harmless, fixpoint("no%ssuch" % harmless)[2])
        ran = subprocess.run([support.BINARY.encode(), b"no\x9b\xc3such\xe2\x80"], capture_output=True, timeout=60)
        self.assertIn(b"no command 'no??such?'", ran.stderr)


class Environment(unittest.TestCase):
    def folder(self):
        folder = tempfile.mkdtemp(prefix="fixpoint-env-")
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def test_values_are_quoted_for_the_shell_and_another_session_ends(self):
        server = support.Server()
        try:
            path = os.path.join(server.folder, "data", "server.json")
            written = json.loads(support.read(path))
            with open(path, "w") as file:
                json.dump(dict(written, Region="it's $HOME"), file)
            status, out, said = fixpoint("env", "--data", os.path.join(server.folder, "data"))
            self.assertEqual((0, ""), (status, said))
            self.assertEqual([], [line for line in out.splitlines() if not line.startswith("export ")])
            script = out + '\nprintf "%s|%s|%s" "$AWS_REGION" "$AWS_SESSION_TOKEN" "$AWS_ENDPOINT_URL"'
            ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True,
                                 env=dict(os.environ, AWS_SESSION_TOKEN="somebody's"))
            self.assertEqual("it's $HOME||" + server.endpoint, ran.stdout)
            # An empty token is none, to fixpoint's own client and to boto3.
            environment = dict(server.environment, AWS_SESSION_TOKEN="")
            self.assertEqual(0, subprocess.run([support.BINARY, "controls"], env=environment,
                                               capture_output=True).returncode)
            asks = "import boto3; print(boto3.client('sts', region_name='us-east-1', endpoint_url='%s')" \
                   ".get_caller_identity()['Account'])" % server.endpoint
            ran = subprocess.run([sys.executable, "-c", asks], env=environment, capture_output=True, text=True)
            self.assertEqual(support.ACCOUNT, ran.stdout.strip(), ran.stderr)
        finally:
            server.stop()

    def test_where_the_server_has_ended_it_says_so_beside_the_variables(self):
        server = support.Server()
        try:
            data = os.path.join(server.folder, "data")
            server.end()
            status, out, said = fixpoint("env", "--data", data)
            self.assertEqual(0, status)
            self.assertIn("export AWS_ENDPOINT_URL='%s'" % server.endpoint, out)
            self.assertIn("no server answers at %s now" % server.endpoint, said)
            status, out, said = fixpoint("env", "--json", "--data", data)
            self.assertEqual(server.variables, json.loads(out))
            for damaged in ("{}", '{"Endpoint": "x"}', '{"Endpoint": 3}', "{", ""):
                with open(os.path.join(data, "server.json"), "w", encoding="utf-8") as file:
                    file.write(damaged)
                status, out, said = fixpoint("env", "--data", data)
                self.assertEqual((3, ""), (status, out), said)
                self.assertIn("no server has run with the data folder", said)
        finally:
            shutil.rmtree(server.folder)

    def test_env_and_keys_say_the_same_where_there_are_no_keys(self):
        folder = self.folder()
        said = {fixpoint(*words, "--data", folder) for words in (("env",), ("keys",), ("keys", "add", "ann"),
                                                                  ("keys", "remove", "AKIA"))}
        self.assertEqual(1, len(said), said)
        self.assertIn("no server has run with the data folder", said.pop()[2])
        with open(os.path.join(folder, "server.json"), "w") as file:
            json.dump({"Endpoint": "http://127.0.0.1:1", "Region": "us-east-1"}, file)
        os.chmod(os.path.join(folder, "server.json"), 0o600)
        said = {fixpoint(*words, "--data", folder) for words in (("env",), ("keys",))}
        self.assertEqual(1, len(said), said)
        status, out, sentence = said.pop()
        self.assertEqual((3, ""), (status, out))
        self.assertIn("no keys.json is in it", sentence)

    def test_an_ipv6_address_stands_in_brackets(self):
        for listen in ("::1:0", "[::1]:0"):
            folder = self.folder()
            process = subprocess.Popen([support.BINARY, "serve", "--listen", listen, "--data", folder],
                                       env=support.clean_environment(), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, universal_newlines=True)
            try:
                line = process.stdout.readline()
                if not line and "Cannot assign requested address" in process.stderr.read():
                    self.skipTest("this machine has no ::1")
                endpoint = re.search(r"ready at (http://\[::1\]:\d+) with", line)
                self.assertTrue(endpoint, line)
                _, out, said = fixpoint("env", "--json", "--data", folder)
                variables = json.loads(out)
                self.assertEqual((endpoint.group(1), ""), (variables["AWS_ENDPOINT_URL"], said))
                ran = subprocess.run([support.BINARY, "call", "sts", "GetCallerIdentity"], capture_output=True,
                                     text=True, env=support.clean_environment(**variables))
                self.assertEqual((0, ""), (ran.returncode, ran.stderr))
            finally:
                process.terminate()
                process.wait(20)
                process.stdout.close()
                process.stderr.close()


class Serve(unittest.TestCase):
    def test_it_says_at_start_what_holds_a_handler_and_its_network(self):
        server = support.Server()
        try:
            server.end()
            said = support.read(server.folder, "server.log")
        finally:
            shutil.rmtree(server.folder)
        self.assertIn("Handlers run", said)
        self.assertRegex(said, "The network is (NOT )?cut off")


    def test_a_second_server_says_that_it_waits_and_can_be_stopped_meanwhile(self):
        server = support.Server()
        try:
            second = subprocess.Popen(
                [support.BINARY, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(server.folder, "data")],
                env=support.clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
            said = second.stderr.readline()
            self.assertIn("another fixpoint (process %d) works with the folder" % server.process.pid, said)
            self.assertIn("waiting 10 s for it to end", said)
            second.send_signal(signal.SIGINT)
            out, _ = second.communicate(timeout=60)
            self.assertEqual((-signal.SIGINT, ""), (second.returncode, out))
        finally:
            server.stop()

    def test_the_shell_is_told_nothing_that_others_may_have_written(self):
        server = support.Server()
        try:
            data = os.path.join(server.folder, "data")
            written = os.path.join(data, "server.json")
            self.assertEqual(0o600, os.stat(written).st_mode & 0o777)
            os.chmod(written, 0o666)
            status, out, said = server.fixpoint("env", "--data", data)
            self.assertEqual((3, ""), (status, out), said)
            self.assertIn(written + " can be written by others", said)
            os.chmod(written, 0o600)
            os.chmod(data, 0o777)
            status, out, said = server.fixpoint("env", "--data", data)
            self.assertEqual((3, ""), (status, out), said)
            self.assertIn("others may write in the folder " + data, said)
            os.chmod(data, 0o700)
            with open(written, "w") as file:
                file.write(json.dumps({"Endpoint": "http://x'; touch /tmp/x; '", "Region": "us-east-1"}))
            status, out, said = server.fixpoint("env", "--data", data)
            shown = subprocess.run(["sh", "-c", out.splitlines()[0] + "; echo \"$AWS_ENDPOINT_URL\""],
                                   stdout=subprocess.PIPE, check=True).stdout.decode()
            self.assertEqual("http://x'; touch /tmp/x; '\n", shown)
        finally:
            server.stop()


class Buckets(support.ServerTest):
    def test_a_listing_without_a_prefix_has_none(self):
        s3 = self.server.client("s3")
        s3.create_bucket(Bucket="unprefixed-bucket")
        self.assertNotIn("Prefix", s3.list_buckets())


class Answers(support.ServerTest):
    """What the commands show of what the server answered, and the status that they end with."""

    def run_ok(self, *words):
        status, out, said = self.server.fixpoint(*words)
        self.assertEqual((0, ""), (status, said), out)
        return out

    def fixed(self, control):
        """A scene of that control, fixed; gives the finding's id and the execution's."""
        _, out, _ = self.server.fixpoint("scene", control, "--json")
        finding = json.loads(out)[0]["FindingId"]
        done = json.loads(self.run_ok("fix", finding, "--wait", "120", "--json"))["Executions"][0]
        return finding, done["Id"], done["Result"]["Resource"]

    def test_an_undo_that_asks_is_shown_and_answered_as_it_says(self):
        _, execution, resource = self.fixed("S3.4")
        bucket = resource.split(":::")[1]
        self.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
        status, out, said = self.server.fixpoint("undo", execution, "--wait", "120")
        self.assertEqual((1, ""), (status, said))
        command = re.search(r"It asks first: fixpoint (approve \S+ --plan [0-9a-f]{12})\n", out)
        self.assertTrue(command, out)
        undo = command.group(1).split()[1]
        shown = self.run_ok("executions", undo)
        self.assertRegex(shown, r"plans s3:\w+ \{")
        self.assertIn("compares s3:PutBucketEncryption, before absent, left {", shown)
        self.assertIn('found now {"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"', shown)
        # It waits for a person: that is no matter of who asks after something else.
        self.fixed("CloudTrail.3")
        self.run_ok("executions", "--control", "CloudTrail.3", "--wait", "1")
        self.run_ok("executions", "--finding", json.loads(
            self.run_ok("executions", execution, "--json"))["Subject"], "--status", "SUCCEEDED", "--wait", "1")
        self.assertEqual(1, self.server.fixpoint("executions", "--control", "S3.4", "--wait", "1")[0])
        self.assertEqual(1, self.server.fixpoint("executions", "--wait", "1")[0])
        self.run_ok(*command.group(1).split())
        self.server.wait()
        self.assertIn("undone", self.run_ok("executions", undo))

    def test_an_id_does_not_leave_the_command_that_plan_prints(self):
        resource = self.run_ok("scene", "S3.4", "--no-finding").split(": ")[1].strip()
        ids = ["x'; touch PWNED; echo '", "$(touch PWNED) `touch PWNED`", "-x", "--plan", "-'\n; touch PWNED", "plain"]
        self.take_in(*[make_finding(id, "AwsS3Bucket", resource, "security-control/S3.4") for id in ids])
        for id in ids:
            command = self.run_ok("plan", "--", id).split("To make it: ")[1]
            script = "fixpoint() { printf '%s\\0' \"$@\"; }\n" + command
            words = subprocess.run(["sh", "-c", script], cwd=self.server.folder, stdout=subprocess.PIPE,
                                   universal_newlines=True, check=True).stdout.split("\0")[:-1]
            self.assertFalse(os.path.exists(os.path.join(self.server.folder, "PWNED")), command)
            self.assertEqual("fix", words[0])
            status, out, said = self.server.fixpoint("fix", "--wait", "30", "--json", *words[1:])
            self.assertEqual((0, ""), (status, said), command)
            self.assertEqual(id, json.loads(out)["Executions"][0]["Subject"])
            self.s3.delete_bucket_encryption(Bucket=resource.split(":::")[1])
        status, _, said = self.server.fixpoint("fix", "--function", "none", "--", ids[0])
        self.assertEqual(3, status)
        self.assertIn(r"'fixpoint plan 'x'\''; touch PWNED; echo '\''' --function NAME' shows", said)
        self.assertIn("--function NAME -- -x'", self.server.fixpoint("fix", "--function", "none", "--", "-x")[2])
        self.assertIn("--function NAME -- '-x y''", self.server.fixpoint("fix", "--function", "none", "--", "-x y")[2])

    def test_a_refusal_that_is_long_is_cut_behind_a_word(self):
        self.run_ok("settings", "cap_resources", "1", "--control", "KMS.4")
        self.fixed("KMS.4")
        _, out, _ = self.server.fixpoint("scene", "KMS.4", "--json")
        status, out, _ = self.server.fixpoint("fix", json.loads(out)[0]["FindingId"], "--wait", "120", "--json")
        result = json.loads(out)["Executions"][0]["Result"]
        self.assertEqual((1, "CapReached"), (status, result["Error"]), out)
        cut = re.search(r"CapReached: (.+) \.\.\. Nothing had been changed\.$", result["Note"])
        self.assertTrue(cut, result["Note"])
        self.assertTrue(result["Message"].startswith(cut.group(1) + " "), result["Note"])

    def test_a_dry_run_says_that_nothing_was_made(self):
        _, out, _ = self.server.fixpoint("scene", "EC2.13", "--json")
        finding = json.loads(out)[0]["FindingId"]
        plan = json.loads(self.run_ok("plan", finding, "--json"))
        journal = [line["Text"] for line in plan["Journal"]]
        self.assertTrue(any(text.endswith(" would be made") for text in journal), journal)
        self.assertFalse(any(text.endswith(" made") and not text.endswith("would be made") for text in journal), journal)

    def test_to_take_away_what_is_not_set_is_answered_with_no(self):
        for words in (("settings", "cap_resources", "--unset"), ("mode", "--unset", "--control", "S3.4"),
                      ("unfreeze",)):
            status, out, said = self.server.fixpoint(*words)
            self.assertEqual((1, ""), (status, out), words)
            self.assertRegex(said, "fixpoint: (nothing is set for all as cap_resources|no mode is set for control:S3.4|"
                                   "there is no freeze for all)\n")
        self.assertEqual(3, self.server.fixpoint("settings", "no_such", "--unset")[0])
        status, out, said = self.server.fixpoint("flapping", "--reset", "S3.4", "arn:aws:s3:::never")
        self.assertEqual((1, ""), (status, out), said)
        self.run_ok("settings", "cap_resources", "40")
        self.run_ok("settings", "cap_resources", "--unset")

    def test_an_exception_is_removed_by_the_start_of_its_id(self):
        def add():
            return self.run_ok("exceptions", "add", "--tag", "a=b", "--owner", "ann", "--reason", "r",
                               "--until", "2090-01-01").split()[1]
        first = add()
        for named, sentence in ((first[:7], "there is no exception"), ("", "there is no exception")):
            status, _, said = self.server.fixpoint("exceptions", "remove", named)
            self.assertEqual(1, status)
            self.assertIn(sentence, said)
        self.assertEqual("removed " + first, self.run_ok("exceptions", "remove", first[:8]).strip())

    def test_an_action_that_no_rule_hears_is_told(self):
        self.take_in(make_finding("acted", "AwsS3Bucket", "arn:aws:s3:::acted", "g"))
        action = self.securityhub.create_action_target(Name="Unheard", Description="d", Id="Unheard")["ActionTargetArn"]
        status, out, said = self.server.fixpoint("act", "Unheard", "acted")
        self.assertEqual((0, "Unheard chosen on 1 finding\n"), (status, out))
        self.assertIn("no rule with a target matches the action 'Unheard'", said)
        self.events.put_rule(Name="hears", EventPattern=json.dumps({"resources": [action]}))
        self.assertIn("no rule with a target", self.server.fixpoint("act", "Unheard", "acted")[2])
        self.events.put_targets(Rule="hears", Targets=[{
            "Id": "c", "Arn": "arn:aws:fixpoint:%s:%s:control/S3.4" % (support.REGION, support.ACCOUNT)}])
        self.assertEqual("", self.server.fixpoint("act", "Unheard", "acted")[2])
        self.server.wait()

    def test_a_strangers_words_move_no_terminal(self):
        title = "bad\u009b31m\x7f\u202egpj.exe \u00e9"
        self.take_in(make_finding("stranger\u0085", "AwsS3Bucket", "arn:aws:s3:::stranger", "g", Title=title))
        shown = self.run_ok("findings", "--id", "stranger\u0085")
        self.assertIn("bad?31m??gpj.exe \u00e9", shown)
        status, out, said = self.server.fixpoint("findings", "--id", "stranger\u0085", "--ids")
        self.assertEqual((1, ""), (status, out))
        self.assertIn("left out: 1 finding whose Id has a line end or another control character", said)
        raw = self.run_ok("findings", "--id", "stranger\u0085", "--json")
        self.assertEqual(title, json.loads(raw)["Findings"][0]["Title"])
        self.assertIn(r"bad\u009b31m\u007f\u202egpj", raw)

    def test_ids_are_such_as_other_commands_find(self):
        other = make_finding("ids/several", "AwsS3Bucket", "arn:aws:s3:::ids", "security-control/S3.4",
                             ProductArn=support.PRODUCT)
        self.take_in(other, *[make_finding(id, "AwsS3Bucket", "arn:aws:s3:::ids", "security-control/S3.4")
                              for id in ("ids/several", "ids/two\nlines", "ids/it's one", "ids/plain")])
        status, out, said = self.server.fixpoint("findings", "--ids")
        self.assertEqual(0, status)
        product = "arn:aws:securityhub:%s::product/aws/securityhub" % support.REGION
        listed = [line for line in out.splitlines() if "ids/" in line]
        self.assertEqual(sorted([support.PRODUCT + "/ids/several", product + "/ids/several", "ids/it's one", "ids/plain"]),
                         sorted(listed))
        self.assertRegex(said, r"left out: [1-9] findings? whose Id has a line end")
        action = self.securityhub.create_action_target(Name="Each", Description="d", Id="Each")["ActionTargetArn"]
        ran = subprocess.run(["xargs", "-d", "\\n", support.BINARY, "act", action, "--"], env=self.server.environment,
                             input="\n".join(listed), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             universal_newlines=True, timeout=60)
        self.assertEqual((0, "%s chosen on 4 findings\n" % action), (ran.returncode, ran.stdout), ran.stderr)
        status, _, said = self.server.fixpoint("plan", "ids/several")
        self.assertEqual(3, status)
        self.assertRegex(said, "several products have a finding of the id 'ids/several'; put the ARN of its product before "
                               "it: 'arn:aws:securityhub:[^']+/ids/several' is one of them")
        for named in (support.PRODUCT + "/none", "arn:aws:securityhub:::product/a", "arn:aws:securityhub:::product/a/b",
                      product + "/", "product/aws/securityhub/ids/plain"):
            status, _, said = self.server.fixpoint("plan", named)
            self.assertEqual(5, status)
            self.assertIn("no finding has the id '%s'" % named, said)

    def test_the_finding_that_a_batch_cannot_be_fixed_for_is_named(self):
        self.take_in(make_finding("batch/1", "AwsS3Bucket", "arn:aws:s3:::batch", "security-control/S3.4"),
                     make_finding("batch/2", "AwsS3Bucket", "arn:aws:s3:::batch", "g"),
                     make_finding("batch/3", "AwsS3Bucket", "arn:aws:s3:::batch", "security-control/S3.999"))
        self.assertIn("the finding 'batch/2' names no control", self.server.fixpoint("fix", "batch/1", "batch/2")[2])
        self.assertIn("there is no control 'S3.999' for the finding 'batch/3'",
                      self.server.fixpoint("fix", "batch/1", "batch/3")[2])

    def test_a_freeze_of_all_holds_for_whatever_is_asked_about(self):
        self.assertEqual((1, "control:S3.4 is not frozen\n", ""), self.server.fixpoint("freeze", "--list", "--control", "S3.4"))
        self.run_ok("freeze", "--because", "a test")
        for scope in ("--control", "S3.4"), ("--account", support.ACCOUNT):
            self.assertIn("a test", self.run_ok("freeze", "--list", *scope))
        self.run_ok("unfreeze")

    def test_a_filter_that_finds_nothing_is_answered_with_no(self):
        self.run_ok("mode", "ask", "--account", support.ACCOUNT)
        self.run_ok("settings", "cap_resources", "30", "--account", support.ACCOUNT)
        self.run_ok("freeze", "--control", "EC2.13", "--because", "a test")
        self.run_ok("exceptions", "add", "--tag", "a=b", "--owner", "ann", "--reason", "r", "--until", "2090-01-01",
                    "--control", "EC2.13")
        for words in (("mode", "--control", "S3.4"), ("mode", "--account", "222222222222"),
                      ("settings", "--account", "222222222222"),
                      ("exceptions", "--account", support.ACCOUNT), ("exceptions", "list", "--control", "S3.4"),
                      ("executions", "--finding", "none"), ("executions", "--control", "bogus"),
                      ("audit", "--execution", "none"),
                      ("audit", "--after", "1000000"), ("audit", "export", "--execution", "none"),
                      ("rules",)):
            for form in ((), ("--json",)):
                if words == ("rules",) and self.events.list_rules()["Rules"]:
                    continue
                status, out, said = self.server.fixpoint(*words, *form)
                self.assertEqual(1, status, (words, out, said))
                self.assertNotIn("EC2.13", out)
                self.assertNotIn(support.ACCOUNT, out)
        self.assertEqual("ask  account:%s\n" % support.ACCOUNT, self.run_ok("mode", "--account", support.ACCOUNT))
        self.assertIn("cap_resources", self.run_ok("settings", "--account", support.ACCOUNT))
        self.assertIn("control:EC2.13", self.run_ok("freeze", "--list", "--control", "ec2.13"))
        self.assertIn("control:EC2.13", self.run_ok("exceptions", "--control", "ec2.13"))
        self.run_ok("unfreeze", "--control", "EC2.13")
        self.run_ok("mode", "--unset", "--account", support.ACCOUNT)
        self.run_ok("settings", "cap_resources", "--unset", "--account", support.ACCOUNT)
        self.run_ok("exceptions", "remove", json.loads(
            self.run_ok("exceptions", "--control", "EC2.13", "--json"))["Exceptions"][0]["Id"])

    def test_output_that_cannot_be_written_is_no_success(self):
        self.take_in(make_finding("unwritten", "AwsS3Bucket", "arn:aws:s3:::unwritten", "g"))
        data = os.path.join(self.server.folder, "data")
        for words in (("findings",), ("findings", "--json"), ("findings", "--id", "unwritten", "--ids"), ("audit", "--json"),
                      ("audit", "export"), ("controls",), ("controls", "--json"), ("operations",), ("env", "--data", data),
                      ("keys", "list", "--data", data), ("call", "sts", "GetCallerIdentity")):
            with open("/dev/full", "w") as full:
                ran = subprocess.run([support.BINARY, *words], env=self.server.environment, stdout=full,
                                     stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((74, b"fixpoint: the output could not be written: No space left on device\n"),
                             (ran.returncode, ran.stderr), words)

    def test_a_file_that_is_too_large_is_said_to_be_split(self):
        path = os.path.join(self.server.folder, "large.json")
        self.addCleanup(os.remove, path)
        for length in (64 * 1024 * 1024 + 1, 64 * 1024 * 1024 - 1):  # the text, and the request around it
            with open(path, "w") as file:
                file.write('[{"Title": "%s"}]' % ("x" * (length - 15)))
            status, out, said = self.server.fixpoint("import", path)
            self.assertEqual((3, ""), (status, out), said)
            self.assertIn("large.json is larger than the 64 MiB that a request takes: split it", said)

    def test_archived_findings_are_marked_and_not_handed_on(self):
        self.take_in(make_finding("kept/1", "AwsS3Bucket", "arn:aws:s3:::kept", "security-control/S3.4"),
                     make_finding("kept/2", "AwsS3Bucket", "arn:aws:s3:::kept", "g", RecordState="ARCHIVED"))
        shown = self.run_ok("findings")
        self.assertRegex(shown, r"MEDIUM +NEW +111111111111 +S3\.4 +arn:aws:s3:::kept")
        self.assertRegex(shown, r"MEDIUM +NEW \(ARCHIVED\) +111111111111 +- +arn:aws:s3:::kept")
        listed = self.server.fixpoint("findings", "--ids")[1].splitlines()
        self.assertIn("kept/1", listed)
        self.assertNotIn("kept/2", listed)
        self.assertIn("kept/2", self.server.fixpoint("findings", "--ids", "--archived")[1].splitlines())
        self.assertEqual((1, "", ""), self.server.fixpoint("findings", "--id", "kept/2", "--ids"))


class StoreTest(unittest.TestCase):
    """A server of its own for each test, whose store is changed behind its back."""

    def setUp(self):
        self.server = support.Server()
        self.addCleanup(self.server.stop)

    def tamper(self, sql):
        self.server.end()
        with sqlite3.connect(os.path.join(self.server.folder, "data", "fixpoint.db")) as db:
            db.execute(sql)
        db.close()
        self.server.start()


class Waiting(StoreTest):
    def test_what_waits_for_a_person_is_shown_with_its_resource_its_plan_and_how_to_answer(self):
        self.assertEqual(0, self.server.fixpoint("settings", "four_eyes", "true", "--control", "KMS.4")[0])
        _, out, _ = self.server.fixpoint("scene", "KMS.4", "--json")
        scene = json.loads(out)[0]
        status, out, said = self.server.fixpoint("fix", scene["FindingId"], "--wait", "30")
        self.assertEqual((1, ""), (status, said))
        command = re.search(r"\nIt asks first: fixpoint (approve (\S+) --plan ([0-9a-f]{12}))\n", out)
        self.assertTrue(command, out)
        self.assertRegex(out, r"waits for approval +waits until plan %s is approved" % command.group(3))
        listed = self.server.fixpoint("executions", "--finding", scene["FindingId"])[1].splitlines()[1]
        self.assertIn(scene["Resource"].split(":")[-1], listed)
        self.assertIn("plans kms:EnableKeyRotation (plan", " ".join(listed.split()))
        # Who asked may not answer.
        self.assertEqual(5, self.server.fixpoint(*command.group(1).split())[0])
        self.assertEqual(0, self.server.fixpoint("reject", command.group(2))[0])
        self.assertEqual(0, self.server.fixpoint("freeze", "--because", "a test")[0])
        status, out, _ = self.server.fixpoint("fix", scene["FindingId"], "--wait", "30")
        self.assertEqual(1, status, out)
        listed = self.server.fixpoint("executions", "--finding", scene["FindingId"])[1]
        self.assertEqual(2, listed.count(scene["Resource"].split(":")[-1]), listed)


class Flapping(StoreTest):
    def test_what_was_reset_is_said(self):
        _, out, _ = self.server.fixpoint("scene", "S3.4", "--json")
        scene = json.loads(out)[0]
        self.assertEqual(0, self.server.fixpoint("fix", scene["FindingId"], "--wait", "120")[0])
        self.tamper("UPDATE work SET asks_ms = 1, reverts = 3")
        self.assertIn(scene["Resource"], self.server.fixpoint("flapping")[1])
        self.assertEqual((0, "reset: S3.4 acts on %s in its own mode again\n" % scene["Resource"], ""),
                         self.server.fixpoint("flapping", "--reset", "S3.4", scene["Resource"]))
        self.assertEqual(1, self.server.fixpoint("flapping")[0])


class Exceptions(StoreTest):
    def test_a_start_that_several_ids_have_names_none(self):
        for _ in range(2):
            self.assertEqual(0, self.server.fixpoint("exceptions", "add", "--tag", "a=b", "--owner", "ann", "--reason",
                                                     "r", "--until", "2090-01-01")[0])
        self.tamper("UPDATE exception SET id = 'aaaaaaaa-' || id")
        status, out, said = self.server.fixpoint("exceptions", "remove", "aaaaaaaa")
        self.assertEqual((3, ""), (status, out))
        self.assertIn("several exceptions have ids that begin with 'aaaaaaaa'; give more of it", said)
        listed = json.loads(self.server.fixpoint("exceptions", "--json")[1])["Exceptions"]
        self.assertEqual(2, len(listed))
        self.assertEqual(0, self.server.fixpoint("exceptions", "remove", listed[0]["Id"])[0])


class AuditLog(StoreTest):
    """What was done to the log shows, in the store and in an export."""

    def setUp(self):
        super().setUp()
        for mode in ("observe", "ask", "auto"):
            self.assertEqual(0, self.server.fixpoint("mode", mode)[0])

    def broken(self, sentence, *words):
        status, out, said = self.server.fixpoint("audit", *words)
        self.assertEqual(1, status, (words, out, said))
        self.assertIn("THE AUDIT LOG IS BROKEN: " + sentence, out if words[0] == "verify" else said)

    def test_a_record_that_was_damaged_in_the_store(self):
        _, head, _ = self.server.fixpoint("audit", "head")
        self.tamper("UPDATE audit SET about = substr(about, 1, 9) WHERE number = 2")
        self.broken("record 2 was damaged: its About is no JSON", "verify")
        self.broken("record 2 was damaged", "verify", "--head", head.strip())
        export = os.path.join(self.server.folder, "export.jsonl")
        with open(export, "w") as file:
            file.write("the last export")
        self.broken("record 2 was damaged", "export", export)
        self.assertEqual("the last export", support.read(export))
        self.assertEqual(1, len(support.read(export + ".broken").splitlines()))

    def test_a_record_that_was_taken_out_of_its_execution(self):
        self.tamper("UPDATE audit SET execution = 'other' WHERE number = 3")
        self.broken("record 3 was altered: it is found as one of the execution 'other'", "verify")

    def test_an_export_that_fails_leaves_the_last_one(self):
        folder = os.path.join(self.server.folder, "exports")
        os.mkdir(folder)
        export = os.path.join(folder, "export.jsonl")
        self.assertEqual(0, self.server.fixpoint("audit", "export", export)[0])
        self.assertEqual(0o666 & ~current_umask(), os.stat(export).st_mode & 0o777)
        os.chmod(export, 0o640)
        whole = support.read(export)
        self.assertEqual(3, len(whole.splitlines()))
        nowhere = dict(self.server.environment, AWS_ENDPOINT_URL="http://127.0.0.1:1")
        ran = subprocess.run([support.BINARY, "audit", "export", export], env=nowhere, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(4, ran.returncode, ran.stderr)
        self.assertEqual(1, self.server.fixpoint("audit", "export", export, "--execution", "none")[0])
        self.assertEqual((whole, ["export.jsonl"]), (support.read(export), os.listdir(folder)))
        # A link stays one, the mode of the file stays, and what is no file is written as it is.
        link = os.path.join(folder, "link")
        os.symlink("export.jsonl", link)
        self.assertEqual(0, self.server.fixpoint("mode", "ask")[0])
        self.assertEqual(0, self.server.fixpoint("audit", "export", link)[0])
        self.assertTrue(os.path.islink(link))
        self.assertEqual((4, 0o640), (len(support.read(export).splitlines()), os.stat(export).st_mode & 0o777))
        self.assertEqual(support.read(export), self.server.fixpoint("audit", "export", "/dev/stdout")[1])
        status, out, said = self.server.fixpoint("audit", "export", "/dev/full")
        self.assertEqual((3, ""), (status, out))
        self.assertIn("cannot write /dev/full: No space left on device", said)
        self.assertEqual(3, self.server.fixpoint("audit", "export", folder)[0])
        self.assertEqual(3, self.server.fixpoint("audit", "export", os.path.join(folder, "none", "x"))[0])
        self.assertEqual(["export.jsonl", "link"], sorted(os.listdir(folder)))

    def test_lines_of_an_export_that_are_no_records(self):
        export = os.path.join(self.server.folder, "export.jsonl")
        self.assertEqual(0, self.server.fixpoint("audit", "export", export)[0])
        whole = support.read(export).splitlines()
        self.assertEqual(0, self.server.fixpoint("audit", "verify", export)[0])
        for change in (lambda line: '{"X":1,' + line[1:], lambda line: '{"Number":2,' + line[1:],
                       lambda line: line.replace('"About":', '"About":{"Mode":"ask"},"About":'),
                       lambda line: line.replace('"Mode":', '"Mode":"ask","Mode":'), lambda line: "garbage",
                       lambda line: line[:-9]):
            lines = [whole[0], "", change(whole[1]), whole[2]]
            self.assertNotEqual(whole[1], lines[2])
            with open(export, "w") as file:
                file.write("\n".join(lines) + "\n")
            self.broken("record 2 (line 3) is none: ", "verify", export)
            self.broken("record 2 (line 3) is none: ", "verify", export, "--head", "1:" + json.loads(whole[0])["Hash"])
