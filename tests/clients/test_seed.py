"""Handlers and commands of other people's, unchanged, with the real aws command and the real boto3."""
import json
import os
import stat
import subprocess

import support
from support import ACCOUNT, REGION, make_finding, read

BY = "auto-remediation-lambda"


class Seed(support.ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.seed = support.shared_dir("seed")
        cls.aws = support.aws_command()
        if not cls.aws:
            raise support.unittest.SkipTest("there is no aws command on PATH")
        super().setUpClass()
        cls.path = os.environ.get("PATH", "/usr/bin:/bin")
        if support.knows_endpoint_variable(support.aws_version()):
            first = os.path.dirname(cls.aws)
        else:
            # What --endpoint-url does for a person who types it.
            first = os.path.join(cls.server.folder, "bin")
            os.mkdir(first)
            wrapper = os.path.join(first, "aws")
            with open(wrapper, "w") as file:
                file.write('#!/bin/sh\nexec %s --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n' % cls.aws)
            os.chmod(wrapper, stat.S_IRWXU)
        cls.path = first + os.pathsep + cls.path

    def script(self, name):
        """Runs a script of the seed as it stands; gives what it printed."""
        run = subprocess.run(["bash", os.path.join(self.seed, name)], env=dict(self.server.environment, PATH=self.path),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual(0, run.returncode, name + ": " + run.stdout + run.stderr)
        return run.stdout

    def seed_function(self, function, file):
        text = read(self.seed, file + ".py")
        return self.create_function(function, {file + ".py": text}, file + ".handler")

    def written(self, finding_id):
        finding = self.finding(finding_id)
        return finding["Note"]["Text"], finding["Note"]["UpdatedBy"], finding["Workflow"]["Status"]

    def test_all_of_it_works_as_it_stands(self):
        bucket, group, trail = "seed-plain-bucket", self.open_group("seed-open"), self.stopped_trail("seed-trail")
        self.bare_bucket(bucket)
        self.assertFalse(self.cloudtrail.get_trail_status(Name=trail)["IsLogging"])
        self.assertEqual([22, 443], self.ports(group))
        self.refused("ServerSideEncryptionConfigurationNotFoundError", self.s3.get_bucket_encryption, Bucket=bucket)

        encryption = self.seed_function("remediate-s3-encryption", "s3_encryption")
        self.assertEqual("arn:aws:lambda:us-east-1:111111111111:function:remediate-s3-encryption", encryption)
        closing = self.seed_function("close-security-group", "close_security_group")
        starting = self.seed_function("start-cloudtrail", "start_cloudtrail")

        # rule_s3_encryption.sh prints two answers, the rule's and the targets'.
        printed = self.script("rule_s3_encryption.sh")
        decoder = json.JSONDecoder()
        rule, end = decoder.raw_decode(printed)
        targets, _ = decoder.raw_decode(printed[end:].lstrip())
        self.assertEqual("arn:aws:events:us-east-1:%s:rule/remediate-s3-encryption" % ACCOUNT, rule["RuleArn"])
        self.assertEqual(0, targets["FailedEntryCount"])
        action = json.loads(self.script("custom_action.sh"))
        self.assertEqual("arn:aws:securityhub:us-east-1:%s:action/custom/RemediateSG" % ACCOUNT,
                         action["ActionTargetArn"])
        rule = json.loads(self.script("rule_custom_action.sh"))
        self.assertEqual("arn:aws:events:us-east-1:%s:rule/sg-custom-action" % ACCOUNT, rule["RuleArn"])
        self.events.put_targets(Rule="sg-custom-action", Targets=[{"Id": "1", "Arn": closing}])
        self.events.put_rule(Name="trails", EventPattern=json.dumps({
            "source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"],
            "detail": {"findings": {"GeneratorId": [{"suffix": "/CloudTrail.4"}], "Workflow": {"Status": ["NEW"]}}}}))
        self.events.put_targets(Rule="trails", Targets=[{"Id": "1", "Arn": starting}])
        self.assertEqual("0", self.script("count_resolved.sh").strip())

        place = "arn:aws:securityhub:%s:%s:subscription/aws-foundational-security-best-practices/v/1.0.0/" % (
            REGION, ACCOUNT)
        ids = {name: place + name + "/finding/0" for name in ("S3.4", "EC2.13", "CloudTrail.4")}
        self.take_in(
            make_finding(ids["S3.4"], "AwsS3Bucket", "arn:aws:s3:::" + bucket,
                         "aws-foundational-security-best-practices/v/1.0.0/S3.4"),
            make_finding(ids["EC2.13"], "AwsEc2SecurityGroup",
                         "arn:aws:ec2:%s:%s:security-group/%s" % (REGION, ACCOUNT, group),
                         "aws-foundational-security-best-practices/v/1.0.0/EC2.13"),
            make_finding(ids["CloudTrail.4"], "AwsCloudTrailTrail", trail,
                         "aws-foundational-security-best-practices/v/1.0.0/CloudTrail.4"))
        self.server.wait()

        self.assertEqual(("Auto-remediated: Default encryption enabled with AES-256", BY, "RESOLVED"),
                         self.written(ids["S3.4"]))
        rules = self.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual([{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                           "BucketKeyEnabled": True}], rules)
        self.assertEqual(("Auto-remediated: Restarted CloudTrail logging for seed-trail", BY, "RESOLVED"),
                         self.written(ids["CloudTrail.4"]))
        self.assertTrue(self.cloudtrail.get_trail_status(Name=trail)["IsLogging"])
        # The custom action waits for somebody to choose it.
        self.assertEqual("NEW", self.finding(ids["EC2.13"])["Workflow"]["Status"])
        self.assertEqual([22, 443], self.ports(group))
        self.assertEqual("2", self.script("count_resolved.sh").strip())

        status, out, err = self.server.fixpoint("act", "RemediateSecurityGroup", ids["EC2.13"])
        self.assertEqual(0, status, out + err)
        executions = self.server.wait()
        self.assertEqual(("Auto-remediated: Removed 1 unrestricted ingress rules", BY, "RESOLVED"),
                         self.written(ids["EC2.13"]))
        self.assertEqual([443], self.ports(group))
        self.assertEqual("3", self.script("count_resolved.sh").strip())
        mine = [execution["Status"] for execution in executions
                if execution["Program"] in (encryption, closing, starting)]
        self.assertEqual(["SUCCEEDED"] * 3, mine)

    def test_a_handler_that_fails_says_so_on_the_finding(self):
        self.seed_function("fails-on-a-missing-bucket", "s3_encryption")
        self.events.put_rule(Name="missing", EventPattern=json.dumps(
            {"detail": {"findings": {"GeneratorId": ["of-a-missing-bucket"], "Workflow": {"Status": ["NEW"]}}}}))
        self.events.put_targets(Rule="missing", Targets=[
            {"Id": "1", "Arn": "arn:aws:lambda:us-east-1:111111111111:function:fails-on-a-missing-bucket"}])
        self.take_in(make_finding("missing-bucket", "AwsS3Bucket", "arn:aws:s3:::no-such-bucket-here",
                                  "of-a-missing-bucket"))
        self.server.wait()
        text, by, status = self.written("missing-bucket")
        self.assertEqual((BY, "NOTIFIED"), (by, status))
        self.assertTrue(text.startswith("Auto-remediation failed: An error occurred (NoSuchBucket) when calling the "
                                        "PutBucketEncryption operation: "), text)
        self.assertTrue(text.endswith("The specified bucket does not exist"), text)
