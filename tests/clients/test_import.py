"""fixpoint import: every file is taken in whole, or refused with the sentence that says why and nothing stored."""
import json
import os
import tempfile

import support
from support import make_finding

UNHEARD = "no rule with a target hears of %d of them; 'fixpoint rules' lists the rules\n"

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
    "32-prowler-ocsf-aws.json": "cloud.account.uid is '<account_uid>'",
    "33-prowler-ocsf-kubernetes.json": "cloud.account.uid is missing: the finding is about no AWS account",
    "34-prowler-asff-v3.json": None,
    "35-trivy-asff-old-numeric-account.json": None,
    "38-inspector2-ecr-event.json": None,
    "r1-sechub-findings-imported-v2.json": None,
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
            self.assertEqual((0, "1 finding taken in, 1 of them new\n" + UNHEARD % 1), (status, out), said)
            self.assertEqual("thing", self.finding(one["Id"])["Resources"][0]["Id"])

    def test_what_came_twice_or_is_no_newer_is_said(self):
        one, other = (make_finding("twice-%d" % n, "Other", "thing", "g") for n in (1, 2))
        later = dict(one, UpdatedAt="2030-01-01T00:00:00Z", Title="the newest")
        status, out, said = self.server.fixpoint("import", "-", input=json.dumps([one, other, later]))
        self.assertEqual((0, "3 findings taken in, 2 of them new\n" + UNHEARD % 3 +
                          "came more than once, and is one finding: twice-1 of %s\n" % one["ProductArn"]),
                         (status, out), said)
        self.assertEqual("the newest", self.finding("twice-1")["Title"])
        status, out, said = self.server.fixpoint("import", "-", input=json.dumps([one, other]))
        self.assertEqual((0, "2 findings taken in, 0 of them new, 2 no newer than what was there\n"), (status, out), said)
        answer = self.import_text([other, other])
        self.assertEqual((2, 0, 2), (answer["Imported"], answer["Created"], answer["Ignored"]))
        self.assertEqual([{"ProductArn": other["ProductArn"], "Id": "twice-2"}], answer["Repeated"])

    def test_that_a_rule_of_the_administrator_hears_of_a_members_findings_shows(self):
        hub, events = self.server.client("securityhub"), self.server.client("events")
        number = iter(range(100))

        def unheard():
            finding = make_finding("member-%d" % next(number), "Other", "thing", "g", AwsAccountId="222222222222",
                                   ProductArn="arn:aws:securityhub:us-east-1::product/acme/scanner")
            return self.import_text(finding)["Unheard"]
        events.put_rule(Name="members", EventPattern='{"detail": {"findings": {"AwsAccountId": ["222222222222"]}}}')
        queue = self.server.client("sqs").create_queue(QueueName="members")["QueueUrl"]
        events.put_targets(Rule="members", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:111111111111:members"}])
        try:
            self.assertEqual(1, unheard())
            hub.create_members(AccountDetails=[{"AccountId": "222222222222", "Email": "a@b.example"}])
            self.assertEqual(0, unheard())
            message = self.server.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]
            event = json.loads(message["Body"])
            self.assertEqual(("111111111111", "us-east-1", "222222222222"), (
                event["account"], event["region"], event["detail"]["findings"][0]["AwsAccountId"]))
            hub.disassociate_members(AccountIds=["222222222222"])
            self.assertEqual(1, unheard())
        finally:
            events.remove_targets(Rule="members", Ids=["1"])
            events.delete_rule(Name="members")

    def test_several_files_are_read_before_the_first_is_taken_in(self):
        with tempfile.TemporaryDirectory() as folder:
            def file(name, text):
                path = os.path.join(folder, name)
                with open(path, "wb") as out:
                    out.write(text)
                return path
            one = make_finding("several-1", "Other", "thing", "g")
            good = file("good.json", b"\xef\xbb\xbf" + json.dumps(one).encode())  # with the mark of UTF-8
            for bad in (file("bad.json", b"{"), os.path.join(folder, "none.json"), folder):
                before = self.stored()
                status, out, said = self.server.fixpoint("import", good, bad)
                self.assertEqual((3, ""), (status, out), said)
                self.assertEqual(before, self.stored())
            refused = file("refused.json", json.dumps(dict(one, Id="several-2", Title="")).encode())
            status, out, said = self.server.fixpoint("import", good, refused)
            self.assertEqual((5, ""), (status, out), said)
            self.assertIn("before it was taken in: 1 finding, 1 of them new", said)
            self.assertEqual("several-1", self.finding("several-1")["Id"])

    def import_text(self, document, *options):
        """What is printed, as JSON."""
        status, out, said = self.server.fixpoint("import", "--json", *options, "-", input=json.dumps(document))
        self.assertEqual((0, ""), (status, said))
        return json.loads(out)

    # https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html
    GUARDDUTY = {
        "version": "0", "id": "e", "detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": "333333333333",
        "time": "2024-01-05T00:00:00Z", "region": "eu-west-1", "resources": [], "detail": {
            "accountId": "222222222222", "arn": "arn:aws:guardduty:eu-west-1:222222222222:detector/12a/finding/b4", "id": "b4",
            "createdAt": "2024-01-02T03:04:05.678Z", "updatedAt": "2024-01-03T03:04:05.678Z", "description": "A host is probed.",
            "partition": "aws", "region": "eu-west-1", "schemaVersion": "2.0", "severity": 5.3, "title": "Probed",
            "type": "Recon:EC2/PortProbeUnprotectedPort",
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1"}},
            "service": {"detectorId": "12a", "archived": False, "count": 3, "additionalInfo": {"sample": True}}}}

    def test_a_finding_in_its_services_own_form_is_found_as_security_hub_has_it(self):
        answer = self.import_text(self.GUARDDUTY)
        self.assertEqual((1, 1, 1), (answer["Imported"], answer["Created"], len(answer["Repaired"])))
        self.assertIn("is a generated sample", answer["Repaired"][0])
        filters = {"ProductName": [{"Value": "GuardDuty", "Comparison": "EQUALS"}],
                   "AwsAccountId": [{"Value": "222222222222", "Comparison": "EQUALS"}],
                   "ResourceId": [{"Value": "arn:aws:ec2:eu-west-1:222222222222:instance/i-0a1", "Comparison": "EQUALS"}],
                   "SeverityLabel": [{"Value": "MEDIUM", "Comparison": "EQUALS"}],
                   "Sample": [{"Value": True}]}
        found = self.securityhub.get_findings(Filters=filters)["Findings"]
        self.assertEqual([self.GUARDDUTY["detail"]["arn"]], [f["Id"] for f in found])
        # Nobody's word makes a sample something to be mended.
        for command in ("plan", "fix"):
            status, out, said = self.server.fixpoint(command, found[0]["Id"])
            self.assertEqual((3, ""), (status, out), said)
            self.assertIn("is a sample", said)

    def test_a_broken_finding_in_its_services_own_form_is_refused_with_its_field(self):
        broken = json.loads(json.dumps(self.GUARDDUTY))
        broken["detail"]["severity"] = "HIGH"
        broken["detail"]["arn"] += "-broken"
        before = self.stored()
        status, out, said = self.server.fixpoint("import", "-", input=json.dumps([self.GUARDDUTY, broken]))
        self.assertEqual((3, ""), (status, out))
        self.assertIn("finding 2 ('b4'): severity has to be a number from 0 to 10, not a string", said)
        self.assertIn("findings[1].severity", said)
        self.assertEqual(before, self.stored())

    def test_what_is_repaired_is_printed(self):
        one = make_finding("repaired", "Other", "thing", "g")
        one["Types"] = []
        status, out, said = self.server.fixpoint("import", "-", input=json.dumps(one))
        self.assertEqual((0, ""), (status, said))
        self.assertEqual("1 finding taken in, 1 of them new\n" + UNHEARD % 1 + "repaired: -: Types was empty and is now "
                         "'Software and Configuration Checks': finding 1 ('repaired')\n", out)

    # https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByConfigRule.html
    def test_findings_that_do_not_say_whose_they_are_are_whose_is_said(self):
        result = {"EvaluationResults": [{
            "EvaluationResultIdentifier": {
                "EvaluationResultQualifier": {"ConfigRuleName": "restricted-ssh", "ResourceType": "AWS::EC2::SecurityGroup",
                                              "ResourceId": "sg-0a1"},
                "OrderingTimestamp": "2024-01-01T00:00:00Z"},
            "ComplianceType": "NON_COMPLIANT", "ResultRecordedTime": "2024-01-02T00:00:00Z"}]}
        answer = self.import_text(result, "--account", "444444444444", "--region", "us-gov-west-1")
        self.assertEqual(2, len(answer["Repaired"]))
        found = self.securityhub.get_findings(
            Filters={"AwsAccountId": [{"Value": "444444444444", "Comparison": "EQUALS"}]})["Findings"]
        self.assertEqual(["arn:aws-us-gov:ec2:us-gov-west-1:444444444444:security-group/sg-0a1"],
                         [f["Resources"][0]["Id"] for f in found])
        status, out, said = self.server.fixpoint("import", "--account", "44", "-", input=json.dumps(result))
        self.assertEqual((3, ""), (status, out))
        self.assertIn("Account has to be the 12 digits of an account id", said)

    def test_a_config_rules_verdict_is_mended_by_the_control_that_lists_the_rule(self):
        group = self.ec2.create_security_group(GroupName="imported", Description="d")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        change = {
            "version": "0", "id": "e", "detail-type": "Config Rules Compliance Change", "source": "aws.config",
            "account": support.ACCOUNT, "time": "2024-01-02T00:00:00Z", "region": support.REGION, "resources": [], "detail": {
                "resourceId": group, "awsRegion": support.REGION, "awsAccountId": support.ACCOUNT,
                "configRuleName": "securityhub-restricted-ssh-31a2de53", "messageType": "ComplianceChangeNotification",
                "newEvaluationResult": {
                    "evaluationResultIdentifier": {
                        "evaluationResultQualifier": {"configRuleName": "securityhub-restricted-ssh-31a2de53",
                                                      "resourceType": "AWS::EC2::SecurityGroup", "resourceId": group},
                        "orderingTimestamp": "2024-01-01T00:00:00Z"},
                    "complianceType": "NON_COMPLIANT", "resultRecordedTime": "2024-01-02T00:00:00Z"}}}
        self.assertEqual([], self.import_text(change)["Repaired"])
        arn = "arn:aws:ec2:%s:%s:security-group/%s" % (support.REGION, support.ACCOUNT, group)
        found = self.securityhub.get_findings(Filters={"ResourceId": [{"Value": arn, "Comparison": "EQUALS"}]})["Findings"]
        status, out, said = self.server.fixpoint("fix", found[0]["Id"])
        self.assertEqual(0, status, out + said)
        self.server.wait()
        self.assertEqual([], self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"])

    def test_a_server_that_does_not_answer(self):
        environment = dict(self.server.environment, AWS_ENDPOINT_URL="http://127.0.0.1:1")
        run = support.subprocess.run([support.BINARY, "findings"], env=environment, stdout=support.subprocess.PIPE,
                                     stderr=support.subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual((4, ""), (run.returncode, run.stdout))
        self.assertIn("127.0.0.1:1", run.stderr)
