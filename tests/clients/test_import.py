"""fixpoint import: every file is taken in whole, or refused with the sentence that says why and nothing stored."""
import json
import os

import support
from support import make_finding

UNKNOWN = "is of no form that is known"
# What becomes of each shared file: None where it is taken in, else what the sentence says. tests/sources has what each
# becomes.
SHARED = {
    "01-sechub-custom-action-cloudtrail.json": None,
    "02-sechub-custom-action-guardduty-iamkey.json": None,
    "03-sechub-insight-results.json": "counts findings",
    "05-asff-getfindings-ec2-instance.json": None,
    "06-asff-getfindings-alb.json": None,
    "07-asff-getfindings-rds.json": None,
    "08-asff-getfindings-s3-bucket.json": "findings[0].Description",
    "10-asff-getfindings-ecr-image.json": None,
    "12-guardduty-ec2-event.json": None,
    "13-guardduty-iam-event-sample.json": None,
    "14-inspector2-listfindings.json": None,
    "16-config-compliance-details.json": None,
    "17-config-rule-event-security-group.json": None,
    "18-health-ec2-retire-event.json": "tells of AWS's own service",
    "20-asff-custom-action-name-mismatch.json": None,
    "21-asff-bad-control-id.json": "findings[0].GeneratorId",
    "22-asff-unsupported-standard-version.json": None,
    "23-asff-afsbp-ec2.7-imported.json": None,
    "24-asff-cis-4.1-security-group.json": None,
    "26-asff-cis-1.4-access-key.json": None,
    "28-asff-afsbp-rds.1-snapshot.json": None,
    "29-asff-afsbp-redshift.6.json": None,
    "30-asff-afsbp-lambda.1.json": None,
    "32-prowler-ocsf-aws.json": UNKNOWN,
    "33-prowler-ocsf-kubernetes.json": UNKNOWN,
    "34-prowler-asff-v3.json": None,
    "35-trivy-asff-old-numeric-account.json": None,
    "38-inspector2-ecr-event.json": None,
    "r1-sechub-findings-imported-v2.json": UNKNOWN,
    "r2-macie-policy-finding-event.json": None,
    "r3-config-rules-compliance-change.json": None,
    "r5-kube-bench-asff.json": None,
}
# The broken files of data/, with what the sentence names.
BROKEN = {
    "cut_short.json": "cut_short.json",
    "not_json.json": "not_json.json",
    "nothing.json": "the document holds no findings",
    "text_for_findings.json": "have to be an array",
    "second_without_title.json": "finding 2 ('clients/second'): Title is missing",
    "list_of_texts.json": "a finding has to be an object",
    "severity_unknown.json": "Severity.Label is 'URGENT'",
}


class Import(support.ServerTest):
    def stored(self):
        pages = self.securityhub.get_paginator("get_findings").paginate()
        return {(f["ProductArn"], f["Id"]): f for page in pages for f in page["Findings"]}

    def check_refused(self, path, says):
        before = self.stored()
        status, out, said = self.server.fixpoint("import", path)
        self.assertEqual((3, ""), (status, out), said)
        self.assertIn(says, said)
        self.assertIn(os.path.basename(path), said)
        self.assertEqual(before, self.stored())

    def test_the_shared_files(self):
        folder = support.shared_dir("findings")
        files = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
        self.assertEqual([], sorted(set(files) - set(SHARED)), "files of which nothing is said here")
        for name in files:
            path = os.path.join(folder, name)
            with self.subTest(file=name):
                if SHARED[name]:
                    self.check_refused(path, SHARED[name])
                    continue
                before = self.stored()
                status, out, said = self.server.fixpoint("import", "--json", path)
                self.assertEqual((0, ""), (status, said))
                answer = json.loads(out)
                stored = self.stored()
                self.assertEqual(answer["Imported"], answer["Created"])
                self.assertEqual(answer["Created"], len(stored) - len(before))
                for sentence in answer["Repaired"]:
                    self.assertTrue(sentence.startswith(path + ": "), sentence)
                # The same again is nothing new.
                status, out, said = self.server.fixpoint("import", path)
                self.assertEqual(0, status, said)
                self.assertIn("0 of them new", out)
                self.assertEqual(len(stored), len(self.stored()))

    def test_broken_files(self):
        for name, says in sorted(BROKEN.items()):
            with self.subTest(file=name):
                self.check_refused(os.path.join(support.HERE, "data", name), says)

    def test_a_file_that_is_not_there(self):
        self.check_refused(os.path.join(support.HERE, "data", "no-such-file.json"), "cannot read")

    def test_every_form_of_document(self):
        one = make_finding("forms", "Other", "thing", "g")
        for number, document in enumerate((one, [one], {"Findings": [one]}, {"detail": {"findings": [one]}})):
            one["Id"] = "forms-%d" % number
            status, out, said = self.server.fixpoint("import", "-", input=json.dumps(document))
            self.assertEqual((0, "1 finding taken in, 1 of them new\n"), (status, out), said)
            self.assertEqual("thing", self.finding(one["Id"])["Resources"][0]["Id"])

    def test_a_server_that_does_not_answer(self):
        environment = dict(self.server.environment, AWS_ENDPOINT_URL="http://127.0.0.1:1")
        run = support.subprocess.run([support.BINARY, "findings"], env=environment, stdout=support.subprocess.PIPE,
                                     stderr=support.subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual((4, ""), (run.returncode, run.stdout))
        self.assertIn("127.0.0.1:1", run.stderr)
