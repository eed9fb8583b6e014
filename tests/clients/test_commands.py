"""The command line, where no server is needed, and what `serve` says of itself."""
import os
import shutil
import subprocess
import unittest

import support


def fixpoint(*words, stdin=""):
    ran = subprocess.run([support.BINARY, *words], input=stdin, capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stdout.strip(), ran.stderr


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
        self.assertIn("plan", out)
        for words, sentence in (((), "name a command"), (("fndings",), "there is no command 'fndings'"),
                                (("help", "fndings"), "there is no command 'fndings'"),
                                (("plan",), "the form is fixpoint plan "),
                                (("findings", "x", "y"), "not expected: x y; the form is fixpoint findings"),
                                (("findings", "--sevrity", "HIGH"), "not expected: --sevrity")):
            status, out, said = fixpoint(*words)
            self.assertEqual((2, ""), (status, out), words)
            self.assertIn(sentence, said)
            self.assertIn("fixpoint help", said)

    def test_findings_refuses_a_status_and_an_account_that_are_none(self):
        for words, sentence in ((("--workflow", "RESOVLED"), "NEW, NOTIFIED, RESOLVED and SUPPRESSED"),
                                (("--workflow", ""), "workflow status"), (("--account", "1234"), "12 digits")):
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


class Buckets(support.ServerTest):
    def test_a_listing_without_a_prefix_has_none(self):
        s3 = self.server.client("s3")
        s3.create_bucket(Bucket="unprefixed-bucket")
        self.assertNotIn("Prefix", s3.list_buckets())
