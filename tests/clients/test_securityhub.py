"""Security Hub's operations, done and refused."""
import json

import support
from support import ACCOUNT, PRODUCT, REGION, make_finding


def equals(value):
    return [{"Value": value, "Comparison": "EQUALS"}]


class SecurityHub(support.ServerTest):
    def make(self, finding_id, **more):
        return make_finding(finding_id, "Other", "a-thing", "a-generator", **dict({"ProductArn": PRODUCT}, **more))

    def ids(self, filters, **more):
        return [f["Id"] for f in self.securityhub.get_findings(Filters=filters, **more)["Findings"]]

    def test_more_than_a_hundred_findings_a_call_are_refused(self):
        many = [self.make("many-%d" % i) for i in range(101)]
        said = self.refused("InvalidInputException", self.securityhub.batch_import_findings, Findings=many)
        self.assertIn("100", said)
        self.assertIn("Findings", said)
        self.assertEqual([], self.ids({"Id": [{"Value": "many-", "Comparison": "PREFIX"}]}))

    def test_a_finding_that_is_wrong_is_named_with_its_field_and_the_others_are_taken_in(self):
        wrong = {
            "Severity": self.make("wrong-severity", Severity={}),
            "AwsAccountId": self.make("wrong-account", AwsAccountId="123"),
            "UpdatedAt": self.make("wrong-time", UpdatedAt="yesterday"),
            "Types": self.make("wrong-types", Types=["Nonsense"]),
            "SchemaVersion": self.make("wrong-version", SchemaVersion="2020-01-01"),
            "Title": self.make("wrong-title", Title="t" * 257),
            "ProductArn": self.make("wrong-product", ProductArn="arn:aws:s3:::x"),
            "Workflow.Status": self.make("wrong-workflow", Workflow={"Status": "DONE"}),
            "Compliance.Status": self.make("wrong-compliance", Compliance={"Status": "BROKEN"}),
            "RecordState": self.make("wrong-state", RecordState="GONE"),
            "Resources": self.make("wrong-resources", Resources=[]),
        }
        answer = self.securityhub.batch_import_findings(Findings=[self.make("right")] + list(wrong.values()))
        self.assertEqual((1, len(wrong)), (answer["SuccessCount"], answer["FailedCount"]))
        self.assertEqual([finding["Id"] for finding in wrong.values()], [f["Id"] for f in answer["FailedFindings"]])
        for field, failed in zip(wrong, answer["FailedFindings"]):
            self.assertEqual("InvalidInput", failed["ErrorCode"])
            self.assertIn(field, failed["ErrorMessage"])
        self.assertEqual(["right"], self.ids({"Id": [{"Value": "right", "Comparison": "EQUALS"},
                                                     {"Value": "wrong-", "Comparison": "PREFIX"}]}))

    def test_another_accounts_finding_is_refused(self):
        answer = self.securityhub.batch_import_findings(Findings=[self.make("stranger", AwsAccountId="222222222222")])
        self.assertEqual((0, 1), (answer["SuccessCount"], answer["FailedCount"]))
        self.assertEqual("InvalidAccess", answer["FailedFindings"][0]["ErrorCode"])
        self.assertIn("222222222222", answer["FailedFindings"][0]["ErrorMessage"])

    def test_findings_are_found_by_filters_together(self):
        self.take_in(self.make("f-1", Title="alpha one", Severity={"Label": "LOW"}, GeneratorId="filters"),
                     self.make("f-2", Title="alpha two", Severity={"Label": "HIGH"}, GeneratorId="filters"),
                     self.make("f-3", Title="beta", Severity={"Label": "HIGH"}, GeneratorId="filters",
                               ProductFields={"team": "red"}))
        mine = {"GeneratorId": equals("filters")}
        by_id = [{"Field": "Id", "SortOrder": "asc"}]
        self.assertEqual(["f-1", "f-2", "f-3"], self.ids(mine, SortCriteria=by_id))
        self.assertEqual(["f-2", "f-3"], self.ids(dict(mine, SeverityLabel=equals("HIGH")), SortCriteria=by_id))
        self.assertEqual(["f-2"], self.ids(dict(mine, SeverityLabel=equals("HIGH"),
                                                Title=[{"Value": "alpha", "Comparison": "PREFIX"}])))
        self.assertEqual(["f-1", "f-2"], self.ids(dict(mine, Title=[{"Value": "beta", "Comparison": "NOT_EQUALS"}]),
                                                  SortCriteria=by_id))
        self.assertEqual(["f-3"], self.ids(dict(mine, ProductFields=[
            {"Key": "team", "Value": "red", "Comparison": "EQUALS"}])))
        self.assertEqual(["f-1", "f-3"], self.ids(dict(mine, Id=equals("f-1") + equals("f-3")), SortCriteria=by_id))
        self.assertEqual([], self.ids(dict(mine, WorkflowStatus=equals("RESOLVED"))))

    def test_a_finding_gets_the_names_of_its_product(self):
        sqs, events = self.server.client("sqs"), self.server.client("events")
        queue = sqs.create_queue(QueueName="product-names")["QueueUrl"]
        pattern = {"source": ["aws.securityhub"], "detail": {"findings": {
            "ProductName": ["Default"], "ProductFields": {"aws/securityhub/CompanyName": ["Personal"]}}}}
        events.put_rule(Name="product-names", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="product-names", Targets=[{
            "Id": "1", "Arn": "arn:aws:sqs:%s:%s:product-names" % (REGION, ACCOUNT)}])
        findings = {"names-1": self.make("names-1"), "names-2": self.make("names-2", ProductName="Scanner"),
                    "names-3": self.make("names-3", ProductArn="arn:aws:securityhub:%s::product/aws/guardduty" % REGION)}
        for name in findings:
            del findings[name]["CompanyName"]
        for name in ("names-1", "names-3"):
            del findings[name]["ProductName"]
        self.take_in(*findings.values())
        mine = {"Id": [{"Value": "names-", "Comparison": "PREFIX"}]}
        for found, member, value in ((["names-1"], "ProductName", "Default"), (["names-2"], "ProductName", "Scanner"),
                                     (["names-1", "names-2"], "CompanyName", "Personal"),
                                     (["names-3"], "ProductName", "GuardDuty"), (["names-3"], "CompanyName", "Amazon")):
            self.assertEqual(found, self.ids(dict(mine, **{member: equals(value)}), SortCriteria=[
                {"Field": "Id", "SortOrder": "asc"}]), value)
            self.assertEqual(found, self.ids(dict(mine, ProductFields=[dict(
                equals(value)[0], Key="aws/securityhub/" + member)]), SortCriteria=[{"Field": "Id", "SortOrder": "asc"}]))
        said = json.loads(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]["Body"])
        self.assertEqual({"aws/securityhub/ProductName": "Default", "aws/securityhub/CompanyName": "Personal",
                          "aws/securityhub/FindingId": PRODUCT + "/names-1"},
                         said["detail"]["findings"][0]["ProductFields"])
        self.assertNotIn("Messages", sqs.receive_message(QueueUrl=queue))

    def test_findings_come_in_pages_and_in_order(self):
        self.take_in(*[self.make("sorted-%02d" % i, GeneratorId="pages", Severity={
            "Label": ("LOW", "MEDIUM", "HIGH")[i % 3]}) for i in range(25)])
        pages = self.securityhub.get_paginator("get_findings").paginate(
            Filters={"GeneratorId": equals("pages")}, SortCriteria=[{"Field": "Id", "SortOrder": "desc"}],
            PaginationConfig={"PageSize": 10})
        got = [[f["Id"] for f in page["Findings"]] for page in pages]
        self.assertEqual([10, 10, 5], [len(page) for page in got])
        self.assertEqual(["sorted-%02d" % i for i in range(24, -1, -1)], sum(got, []))
        first = self.securityhub.get_findings(
            Filters={"GeneratorId": equals("pages")}, MaxResults=8,
            SortCriteria=[{"Field": "SeverityLabel", "SortOrder": "asc"}])["Findings"]
        self.assertEqual({"LOW"}, {f["Severity"]["Label"] for f in first})
        self.refused("InvalidInputException", self.securityhub.get_findings, NextToken="not-a-token")

    def test_filters_that_make_no_sense_are_refused(self):
        self.assertIn("CREATEDAT", self.refused(
            "InvalidInputException", self.securityhub.get_findings,
            Filters={"CreatedAt": [{"Start": "soon", "End": "later"}]}).upper())

    def test_an_update_reaches_the_findings_that_are_there_and_names_the_others(self):
        self.take_in(self.make("update-1"))
        answer = self.securityhub.batch_update_findings(
            FindingIdentifiers=[{"Id": "update-1", "ProductArn": PRODUCT}, {"Id": "unknown", "ProductArn": PRODUCT}],
            Note={"Text": "looked at", "UpdatedBy": "me"}, Workflow={"Status": "NOTIFIED"},
            Severity={"Label": "CRITICAL"}, UserDefinedFields={"a": "b"}, Confidence=42, Criticality=7,
            VerificationState="TRUE_POSITIVE")
        self.assertEqual([{"Id": "update-1", "ProductArn": PRODUCT}], answer["ProcessedFindings"])
        self.assertEqual([("unknown", "FindingNotFound")], [
            (u["FindingIdentifier"]["Id"], u["ErrorCode"]) for u in answer["UnprocessedFindings"]])
        self.assertIn("unknown", answer["UnprocessedFindings"][0]["ErrorMessage"])
        finding = self.finding("update-1")
        self.assertEqual(("looked at", "me", "NOTIFIED", "CRITICAL", 90, {"a": "b"}, 42, 7, "TRUE_POSITIVE"), (
            finding["Note"]["Text"], finding["Note"]["UpdatedBy"], finding["Workflow"]["Status"],
            finding["Severity"]["Label"], finding["Severity"]["Normalized"], finding["UserDefinedFields"],
            finding["Confidence"], finding["Criticality"], finding["VerificationState"]))
        # What its product says again leaves what people wrote.
        self.take_in(self.make("update-1", UpdatedAt="2024-06-01T00:00:00.000Z", Title="Said again"))
        finding = self.finding("update-1")
        self.assertEqual(("Said again", "NOTIFIED", "looked at"),
                         (finding["Title"], finding["Workflow"]["Status"], finding["Note"]["Text"]))

    def test_a_workflow_without_a_status_leaves_the_status(self):
        self.take_in(self.make("no-status"))
        key = [{"Id": "no-status", "ProductArn": PRODUCT}]
        self.securityhub.batch_update_findings(FindingIdentifiers=key, Workflow={"Status": "NOTIFIED"})
        self.securityhub.batch_update_findings(FindingIdentifiers=key, Workflow={}, Confidence=3)
        finding = self.finding("no-status")
        self.assertEqual(({"Status": "NOTIFIED"}, 3), (finding["Workflow"], finding["Confidence"]))
        self.assertEqual(["no-status"], self.ids({"Id": equals("no-status"), "WorkflowStatus": equals("NOTIFIED")}))

    def test_a_finding_that_is_named_twice_is_updated_once(self):
        # https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindingsUnprocessedFinding.html
        self.take_in(self.make("twice"))
        key = {"Id": "twice", "ProductArn": PRODUCT}
        answer = self.securityhub.batch_update_findings(FindingIdentifiers=[key, key], Confidence=9)
        self.assertEqual([key], answer["ProcessedFindings"])
        self.assertEqual([(key, "DuplicatedFindingIdentifier")], [
            (u["FindingIdentifier"], u["ErrorCode"]) for u in answer["UnprocessedFindings"]])
        self.assertIn("twice", answer["UnprocessedFindings"][0]["ErrorMessage"])
        self.assertEqual(9, self.finding("twice")["Confidence"])

    def test_the_product_of_another_account_is_refused_wherever_it_is_named(self):
        for arn in (PRODUCT.replace(":product/" + ACCOUNT, ":product/222222222222"),
                    PRODUCT.replace(ACCOUNT, "222222222222")):
            answer = self.securityhub.batch_import_findings(Findings=[self.make("their-product", ProductArn=arn)])
            self.assertEqual([("their-product", "InvalidAccess")], [
                (f["Id"], f["ErrorCode"]) for f in answer["FailedFindings"]])
            self.assertIn("222222222222", answer["FailedFindings"][0]["ErrorMessage"])
        self.assertEqual([], self.ids({"Id": equals("their-product")}))

    def test_a_title_does_not_reach_the_terminal_as_more_than_text(self):
        self.take_in(self.make("escapes", AwsAccountId=ACCOUNT, Title="red \x1b[31m\x07 \u009b2J caf\u00e9",
                               Note={"Text": "one\ntwo\tthree", "UpdatedBy": "x", "UpdatedAt": "2024-05-01T09:00:00Z"}))
        _, out, _ = self.server.fixpoint("findings", "--id", "escapes")
        lines = out.splitlines()
        self.assertIn("red ?[31m? ?2J caf\u00e9  one", lines[1])
        self.assertEqual("two three", lines[2].strip())
        self.assertEqual(lines[1].index("one"), lines[2].index("two"))  # under each other
        _, out, _ = self.server.fixpoint("findings", "--id", "escapes", "--json")
        self.assertEqual("red \x1b[31m\x07 \u009b2J caf\u00e9", json.loads(out)["Findings"][0]["Title"])

    def test_an_update_with_a_wrong_value_changes_nothing(self):
        self.take_in(self.make("update-2"))
        identifiers = [{"Id": "update-2", "ProductArn": PRODUCT}]
        for field, wrong in (("Note.Text", {"Note": {"Text": "x" * 513, "UpdatedBy": "me"}}),
                             ("Workflow.Status", {"Workflow": {"Status": "DONE"}}),
                             ("Confidence", {"Confidence": 101})):
            said = self.refused("InvalidInputException", self.securityhub.batch_update_findings,
                                FindingIdentifiers=identifiers, **wrong)
            self.assertIn(field.lower(), said.lower())
        self.refused("InvalidInputException", self.securityhub.batch_update_findings,
                     FindingIdentifiers=identifiers * 101, Workflow={"Status": "RESOLVED"})
        finding = self.finding("update-2")
        self.assertEqual(("NEW", False), (finding["Workflow"]["Status"], "Note" in finding))

    def test_a_call_has_at_most_six_megabytes_and_findings_of_its_own_account(self):
        other = self.make("of-another", ProductArn="arn:aws:securityhub:%s:222222222222:product/222222222222/default" % REGION)
        answer = self.securityhub.batch_import_findings(Findings=[other, self.make("of-this")])
        self.assertEqual((1, 1), (answer["SuccessCount"], answer["FailedCount"]))
        failed = answer["FailedFindings"][0]
        self.assertEqual(("of-another", "InvalidAccess"), (failed["Id"], failed["ErrorCode"]))
        self.assertIn("222222222222", failed["ErrorMessage"])
        large = [self.make("large-%d" % i, Resources=[{"Type": "Other", "Id": "a", "Details": {
            "Other": {"much": "x" * 230000}}}]) for i in range(28)]
        said = self.refused("InvalidInputException", self.securityhub.batch_import_findings, Findings=large)
        self.assertIn("6291456", said)
        self.assertEqual([], self.ids({"Id": [{"Value": "large-", "Comparison": "PREFIX"}]}))

    def test_history_tells_what_changed(self):
        if not support.known("securityhub", "GetFindingHistory"):
            self.skipTest("this boto3 does not know GetFindingHistory")
        self.take_in(self.make("history-1"))
        key = {"Id": "history-1", "ProductArn": PRODUCT}
        for status in ("NOTIFIED", "RESOLVED"):
            self.securityhub.batch_update_findings(FindingIdentifiers=[key], Workflow={"Status": status})
        pages = self.securityhub.get_paginator("get_finding_history").paginate(
            FindingIdentifier=key, PaginationConfig={"PageSize": 2})
        records = [record for page in pages for record in page["Records"]]
        self.assertEqual([False, False, True], [record["FindingCreated"] for record in records])
        self.assertEqual([{"UpdatedField": "Workflow.Status", "OldValue": "NOTIFIED", "NewValue": "RESOLVED"}],
                         records[0]["Updates"])
        self.assertEqual("BATCH_UPDATE_FINDINGS", records[0]["UpdateSource"]["Type"])
        self.assertTrue(records[0]["UpdateSource"]["Identity"].startswith("arn:aws:"), records[0])
        self.assertEqual({"Type": "BATCH_IMPORT_FINDINGS", "Identity": PRODUCT}, records[2]["UpdateSource"])
        self.assertEqual([key] * 3, [record["FindingIdentifier"] for record in records])
        self.assertEqual([], self.securityhub.get_finding_history(
            FindingIdentifier=key, StartTime="2020-01-01T00:00:00Z", EndTime="2020-01-02T00:00:00Z")["Records"])
        said = self.refused("ResourceNotFoundException", self.securityhub.get_finding_history,
                            FindingIdentifier={"Id": "unknown", "ProductArn": PRODUCT})
        self.assertIn("unknown", said)
        self.refused("InvalidInputException", self.securityhub.get_finding_history, FindingIdentifier=key,
                     NextToken="junk")

    def test_pages_of_findings_are_sorted_and_their_tokens_sealed(self):
        self.take_in(*[self.make("in-order-%02d" % i, Severity={"Label": label}, UpdatedAt="2024-05-%02dT00:00:00Z" % (i + 1))
                       for i, label in enumerate(["LOW", "CRITICAL", "HIGH"] * 5)])
        filters = {"Id": [{"Value": "in-order-", "Comparison": "PREFIX"}]}
        order = [{"Field": "SeverityNormalized", "SortOrder": "desc"}, {"Field": "UpdatedAt", "SortOrder": "asc"}]
        pages = self.securityhub.get_paginator("get_findings").paginate(
            Filters=filters, SortCriteria=order, PaginationConfig={"PageSize": 4})
        found = [finding["Id"] for page in pages for finding in page["Findings"]]
        self.assertEqual(["in-order-%02d" % i for first in (1, 2, 0) for i in range(first, 15, 3)], found)
        token = self.securityhub.get_findings(Filters=filters, SortCriteria=order, MaxResults=4)["NextToken"]
        for wrong in ({"Filters": filters, "SortCriteria": order, "NextToken": token[:-1] + ("A" if token[-1] != "A" else "B")},
                      {"Filters": filters, "NextToken": token},
                      {"Filters": {"Id": equals("other")}, "SortCriteria": order, "NextToken": token}):
            self.assertIn("NextToken", self.refused("InvalidInputException", self.securityhub.get_findings, **wrong))
        self.refused("InvalidInputException", self.securityhub.get_findings, Filters={
            "Title": [{"Value": "a", "Comparison": "EQUALS"}, {"Value": "b", "Comparison": "NOT_EQUALS"}]})

    def test_action_targets_come_and_go(self):
        made = [self.securityhub.create_action_target(Name="Action %d" % i, Description="does %d" % i, Id="Act%d" % i)
                ["ActionTargetArn"] for i in range(3)]
        self.assertEqual("arn:aws:securityhub:%s:%s:action/custom/Act0" % (REGION, ACCOUNT), made[0])
        said = self.refused("ResourceConflictException", self.securityhub.create_action_target, Name="Other",
                            Description="other", Id="Act0")
        self.assertIn("Act0", said)
        self.refused("InvalidInputException", self.securityhub.create_action_target, Name="n", Description="d",
                     Id="not an id")
        self.refused("InvalidInputException", self.securityhub.create_action_target, Name="n", Description="d",
                     Id="a" * 21)
        self.assertEqual([{"ActionTargetArn": made[1], "Name": "Action 1", "Description": "does 1"}],
                         self.securityhub.describe_action_targets(ActionTargetArns=[made[1]])["ActionTargets"])
        pages = self.securityhub.get_paginator("describe_action_targets").paginate(PaginationConfig={"PageSize": 2})
        self.assertEqual(made, [target["ActionTargetArn"] for page in pages for target in page["ActionTargets"]])
        self.assertEqual(made[0], self.securityhub.delete_action_target(ActionTargetArn=made[0])["ActionTargetArn"])
        self.refused("ResourceNotFoundException", self.securityhub.delete_action_target, ActionTargetArn=made[0])
        self.refused("ResourceNotFoundException", self.securityhub.describe_action_targets, ActionTargetArns=[made[0]])
        for arn in made[1:]:
            self.securityhub.delete_action_target(ActionTargetArn=arn)
        self.assertEqual([], self.securityhub.describe_action_targets()["ActionTargets"])

    def test_choosing_an_action_or_a_finding_that_is_not_there_is_refused(self):
        self.take_in(self.make("act-1"))
        status, _, said = self.server.fixpoint("act", "Nothing", "act-1")
        self.assertEqual(5, status)
        self.assertIn("Nothing", said)
        self.securityhub.create_action_target(Name="Real", Description="real", Id="Real")
        status, _, said = self.server.fixpoint("act", "Real", "no-such-finding")
        self.assertEqual(5, status)
        self.assertIn("no-such-finding", said)
        self.securityhub.delete_action_target(
            ActionTargetArn="arn:aws:securityhub:%s:%s:action/custom/Real" % (REGION, ACCOUNT))

    def test_an_operation_that_is_not_there_says_so(self):
        for call in (self.securityhub.list_invitations, self.securityhub.get_administrator_account,
                     self.securityhub.describe_organization_configuration):
            said = self.refused("NotImplemented", call)
            self.assertEqual(501, self.status)
            self.assertRegex(said, "^securityhub:[A-Za-z]+ is not there in this version")
