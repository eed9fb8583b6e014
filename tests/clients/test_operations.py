"""docs/compatibility.md says which operations are there; the server is asked whether it is true.

`test_operations.py --write` writes the tables anew from a server that it starts.
"""
import json
import os
import sys
import unittest

import support

PAGE = os.path.join(support.SOURCE, "docs", "compatibility.md")
BEGIN, END = "<!-- %s: written by tests/clients/test_operations.py --write -->", "<!-- end of %s -->"


def asked(server):
    status, out, said = server.fixpoint("operations", "--json")
    if status != 0:
        raise AssertionError(said)
    return json.loads(out)


def own_table(own):
    lines = ["| service | there | not there |", "|---|---|---|"]
    for service in sorted(own):
        lines.append("| %s | %d: %s | %d: %s |" % (
            service, len(own[service]["There"]), ", ".join(own[service]["There"]),
            len(own[service]["NotThere"]), ", ".join(own[service]["NotThere"])))
    return lines


def account_table(account):
    lines = ["| service | there |", "|---|---|"]
    for service in sorted(account):
        lines.append("| %s | %d: %s |" % (service, len(account[service]), ", ".join(account[service])))
    return lines


def part(text, name):
    begin, end = BEGIN % name, END % name
    return text[text.index(begin) + len(begin):text.index(end)]


def rows(text):
    """{service: [set of names, a set a column]} of a table, having checked its counts."""
    out = {}
    for line in text.strip().split("\n")[2:]:
        service, *columns = [cell.strip() for cell in line.strip("|").split("|")]
        out[service] = []
        for column in columns:
            count, _, names = column.partition(":")
            names = {name.strip() for name in names.split(",") if name.strip()}
            if len(names) != int(count):
                raise AssertionError("%s: %s are counted, %d are named" % (service, count, len(names)))
            out[service].append(names)
    return out


class Operations(support.ServerTest):
    def setUp(self):
        self.page = support.read(PAGE)
        self.answer = asked(self.server)

    def test_the_services_of_its_own_have_what_the_page_says_and_nothing_else(self):
        there = {service: [set(o["There"]), set(o["NotThere"])] for service, o in self.answer["Own"].items()}
        self.assertEqual(there, rows(part(self.page, "own")), "test_operations.py --write writes it anew")

    def test_the_account_has_what_the_page_says_and_nothing_else(self):
        there = {service: [set(names)] for service, names in self.answer["Account"].items()}
        self.assertEqual(there, rows(part(self.page, "account")), "test_operations.py --write writes it anew")

    def test_what_is_listed_is_served_and_what_is_not_is_refused(self):
        own = self.answer["Own"]
        self.assertEqual({"events", "lambda", "securityhub", "sns", "sqs", "sts"}, set(own))
        for service, listed in own.items():
            with self.subTest(service=service):
                for operation in listed["NotThere"]:
                    _, _, said = self.server.fixpoint("call", service, operation, "{}")
                    self.assertIn("%s:%s is not there in this version" % (service, operation), said)
                for operation in listed["There"]:
                    _, _, said = self.server.fixpoint("call", service, operation, "{}")
                    self.assertNotIn("is not there", said, operation)

    def test_the_list_can_be_read_by_people(self):
        status, out, said = self.server.fixpoint("operations")
        self.assertEqual((0, ""), (status, said))
        self.assertRegex(out, r"(?m)^sts \(\d+\): .*\bAssumeRole\b")
        self.assertRegex(out, r"(?m)^sts \(\d+ not there\): .*\bGetSessionToken\b")
        self.assertRegex(out, r"(?m)^s3 \(\d+\): .*\bGetBucketEncryption\b")


def write():
    server = support.Server()
    try:
        answer = asked(server)
    finally:
        server.stop()
    text = support.read(PAGE)
    for name, lines in (("own", own_table(answer["Own"])), ("account", account_table(answer["Account"]))):
        begin, end = text.index(BEGIN % name) + len(BEGIN % name), text.index(END % name)
        text = text[:begin] + "\n" + "\n".join(lines) + "\n" + text[end:]
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
