"""Requests that a client's own checks would not let out: each is refused, and the server lives on."""
import support
from support import ACCOUNT, PRODUCT

WRONG = {
    "securityhub": [
        ("batch_import_findings", {}, "Findings"),
        ("batch_import_findings", {"Findings": []}, "Findings"),
        ("batch_update_findings", {}, "FindingIdentifiers"),
        ("batch_update_findings", {"FindingIdentifiers": [{"Id": "x"}]}, "ProductArn"),
        ("create_action_target", {}, "Name"),
        ("create_action_target", {"Name": "n", "Description": "d", "Id": ""}, "Id"),
        ("delete_action_target", {"ActionTargetArn": ""}, None),
        ("get_findings", {"MaxResults": 101}, "MaxResults"),
        ("get_findings", {"Filters": {"Id": [{"Value": "x", "Comparison": "LIKE"}]}}, "Comparison"),
    ],
    "events": [
        ("put_rule", {}, "Name"),
        ("put_rule", {"Name": "no spaces", "EventPattern": "{}"}, "Name"),
        ("put_rule", {"Name": "x" * 65, "EventPattern": "{}"}, "Name"),
        ("put_targets", {"Rule": "r"}, "Targets"),
        ("put_targets", {"Rule": "r", "Targets": [{"Id": "1"}]}, "Arn"),
        ("remove_targets", {"Rule": "r"}, "Ids"),
        ("delete_rule", {}, "Name"),
        ("put_events", {}, "Entries"),
        ("test_event_pattern", {}, "Event"),
        ("list_rules", {"Limit": 0}, "Limit"),
        ("list_targets_by_rule", {}, "Rule"),
        ("list_rule_names_by_target", {}, "Target"),
    ],
    "lambda": [
        ("create_function", {}, "FunctionName"),
        ("create_function", {"FunctionName": "f"}, "Role"),
        ("invoke", {"FunctionName": "no spaces"}, "FunctionName"),
        ("add_permission", {"FunctionName": "f"}, "StatementId"),
        ("list_functions", {"MaxItems": 0}, "MaxItems"),
    ],
    "sts": [("assume_role", {}, "RoleArn"),
            ("assume_role", {"RoleArn": support.ROLE, "RoleSessionName": "x"}, "RoleSessionName")],
    "ec2": [("create_security_group", {}, "Description")],
    "kms": [("create_alias", {"AliasName": "alias/a"}, "TargetKeyId"), ("describe_key", {}, "KeyId")],
    "cloudtrail": [("create_trail", {"Name": "x"}, "S3BucketName"), ("start_logging", {}, "Name")],
}


class BrokenRequests(support.ServerTest):
    def test_each_is_refused_with_the_name_of_the_member(self):
        for service, calls in WRONG.items():
            client = self.server.client(service, parameter_validation=False)
            for operation, arguments, names in calls:
                with self.subTest(call=service + ":" + operation, arguments=arguments):
                    with self.assertRaises(support.botocore.exceptions.ClientError) as caught:
                        getattr(client, operation)(**arguments)
                    answer = caught.exception.response
                    self.assertIn(answer["ResponseMetadata"]["HTTPStatusCode"], (400, 404), answer)
                    self.assertIn((names or "").lower(), answer["Error"]["Message"].lower())
        self.assertEqual(ACCOUNT, self.sts.get_caller_identity()["Account"])

    def test_a_finding_that_lacks_nearly_all_is_refused_alone(self):
        hub = self.server.client("securityhub", parameter_validation=False)
        answer = hub.batch_import_findings(Findings=[{"Id": "bare"}, {}, support.make_finding(
            "whole", "Other", "x", "g", ProductArn=PRODUCT)])
        self.assertEqual((1, 2), (answer["SuccessCount"], answer["FailedCount"]))
        self.assertIn("SchemaVersion is missing", answer["FailedFindings"][0]["ErrorMessage"])
        self.finding("whole")

    def test_calls_of_the_command_line_are_checked_likewise(self):
        for arguments, says in ((("securityhub", "BatchImportFindings", "{}"), "Findings"),
                                (("securityhub", "BatchUpdateFindings", '{"FindingIdentifiers": 3}'), "FindingIdentifiers"),
                                (("events", "PutTargets", '{"Rule": "r", "Targets": {}}'), "Targets"),
                                (("s3", "CreateBucket", "[]"), ""),
                                (("s3", "Nonsense", "{}"), "Nonsense"),
                                (("nonsense", "Nonsense", "{}"), "nonsense")):
            status, out, said = self.server.fixpoint("call", *arguments)
            self.assertIn(status, (3, 5), said)
            self.assertEqual("", out)
            self.assertIn(says.lower(), said.lower())
        self.assertEqual(ACCOUNT, self.sts.get_caller_identity()["Account"])
