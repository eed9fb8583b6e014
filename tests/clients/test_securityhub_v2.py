"""Security Hub V2: the findings in OCSF, by a boto3 that has the operations; an older one has none of them."""
import copy
import hashlib
import json
import unittest

import support
from support import ACCOUNT, REGION, make_finding

HUB_PRODUCT = "arn:aws:securityhub:%s::product/aws/securityhub" % REGION
HUB_PRODUCT_V2 = "arn:aws:securityhub:%s::productv2/aws/securityhub" % REGION


def text(field, value, comparison="EQUALS"):
    return {"FieldName": field, "Filter": {"Value": value, "Comparison": comparison}}


def filters(*composites, **more):
    return dict({"CompositeFilters": list(composites)}, **more)


def prowler(finding_id, bucket, check="s3_bucket_default_encryption", **more):
    """A finding as Prowler 5 writes it in OCSF: https://docs.prowler.com/, values made up."""
    finding = {
        "message": "Bucket has no encryption.", "class_uid": 2004, "class_name": "Detection Finding",
        "category_uid": 2, "category_name": "Findings", "type_uid": 200401, "type_name": "Detection Finding: Create",
        "activity_id": 1, "activity_name": "Create", "severity_id": 4, "severity": "High", "status_id": 1,
        "status": "New", "status_code": "FAIL", "status_detail": "Bucket has no encryption.", "time": 1704164645,
        "metadata": {"event_code": check, "version": "1.4.0", "profiles": ["cloud", "datetime"],
                     "product": {"name": "Prowler", "uid": "prowler", "vendor_name": "Prowler", "version": "5.4.0"}},
        "cloud": {"provider": "aws", "region": REGION, "account": {"uid": ACCOUNT, "type_id": 10}},
        "finding_info": {"uid": finding_id, "title": "Default encryption", "desc": "Check", "created_time": 1704164645,
                         "types": ["Data Protection"]},
        "resources": [{"uid": "arn:aws:s3:::" + bucket, "type": "AwsS3Bucket", "region": REGION, "name": bucket,
                       "cloud_partition": "aws", "labels": [], "group": {"name": "s3"}}],
        "remediation": {"desc": "Set it.", "references": ["https://docs.prowler.com/x"]},
        "risk_details": "Data may be read.", "unmapped": {"compliance": {"CIS-1.4": ["2.1.1"]}}}
    finding.update(more)
    return finding


@unittest.skipUnless(support.known("securityhub", "GetFindingsV2"), "this boto3 has no operations of Security Hub V2")
class SecurityHubV2(support.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.securityhub.enable_security_hub_v2(Tags={"team": "pay"})

    def make(self, finding_id, **more):
        return make_finding(finding_id, "AwsS3Bucket", "arn:aws:s3:::a-thing", "security-control/S3.4",
                            **dict({"ProductArn": HUB_PRODUCT}, **more))

    def in_v2(self, *composites, **more):
        return self.securityhub.get_findings_v2(Filters=filters(*composites), **more)["Findings"]

    def one(self, finding_id):
        found = self.in_v2({"StringFilters": [text("finding_info.uid", finding_id)]})
        self.assertEqual(1, len(found), finding_id)
        return found[0]

    def bring(self, *documents):
        status, out, said = self.server.fixpoint("import", "--json", "-", input=json.dumps(list(documents)))
        self.assertEqual((0, ""), (status, said))
        return json.loads(out)

    def test_a_finding_of_the_finding_format_is_shown_in_ocsf(self):
        self.take_in(self.make("shown", Title="A title", Severity={"Label": "HIGH"},
                               Compliance={"Status": "FAILED", "SecurityControlId": "S3.4"}))
        finding = self.one("shown")
        self.assertEqual((2003, "Compliance Finding", 2), (finding["class_uid"], finding["class_name"],
                                                           finding["category_uid"]))
        self.assertEqual(("High", 4, "New", 1), (finding["severity"], finding["severity_id"], finding["status"],
                                                 finding["status_id"]))
        self.assertEqual({"control": "S3.4", "status": "Fail", "status_id": 3}, finding["compliance"])
        self.assertEqual("A title", finding["finding_info"]["title"])
        self.assertEqual(HUB_PRODUCT_V2, finding["metadata"]["product"]["uid"])
        self.assertEqual(hashlib.sha256((HUB_PRODUCT + "\nshown").encode()).hexdigest(), finding["metadata"]["uid"])
        self.assertEqual(("AWS::S3::Bucket", "arn:aws:s3:::a-thing"), (finding["resources"][0]["type"],
                                                                        finding["resources"][0]["uid"]))
        self.assertEqual((ACCOUNT, REGION), (finding["cloud"]["account"]["uid"], finding["cloud"]["region"]))

    def test_findings_are_found_by_composites(self):
        self.take_in(self.make("c-1", Title="composites", Severity={"Label": "LOW"}, Confidence=10),
                     self.make("c-2", Title="composites", Severity={"Label": "HIGH"}, Confidence=90),
                     self.make("c-3", Title="composites", Severity={"Label": "CRITICAL"}, Workflow={"Status": "NOTIFIED"}))
        mine = text("finding_info.title", "composites")

        def ids(*composites, **more):
            found = self.securityhub.get_findings_v2(
                Filters=filters({"StringFilters": [mine]}, *composites, CompositeOperator="AND"), **more)
            return [f["finding_info"]["uid"] for f in found["Findings"]]

        by_id = [{"Field": "finding_info.uid", "SortOrder": "desc"}]
        self.assertEqual(["c-3", "c-2", "c-1"], ids(SortCriteria=by_id))
        self.assertEqual(["c-3", "c-1"], ids({"StringFilters": [text("severity", "Low"), text("severity", "Critical")],
                                              "Operator": "OR"}, SortCriteria=by_id))
        self.assertEqual([], ids({"StringFilters": [text("severity", "Low"), text("severity", "Critical")],
                                  "Operator": "AND"}))
        self.assertEqual(["c-3"], ids({"NumberFilters": [{"FieldName": "status_id", "Filter": {"Eq": 2}}]}))
        self.assertEqual(["c-2"], ids({"NumberFilters": [{"FieldName": "confidence_score", "Filter": {"Gte": 50}}]}))
        nested = {"Operator": "OR", "StringFilters": [text("severity", "Low")],
                  "NestedCompositeFilters": [{"StringFilters": [text("status", "In Progress"),
                                                                text("severity", "Critical")], "Operator": "AND"}]}
        self.assertEqual(["c-3", "c-1"], ids(nested, SortCriteria=by_id))
        pages = []
        token = {}
        while True:
            page = self.securityhub.get_findings_v2(Filters=filters({"StringFilters": [mine]}), MaxResults=2, **token)
            pages.append(len(page["Findings"]))
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual([2, 1], pages)
        said = self.refused("ValidationException", self.securityhub.get_findings_v2, NextToken=token["NextToken"])
        self.assertIn("NextToken", said)

    def test_filters_that_are_wrong_are_named(self):
        loose = self.server.client("securityhub", parameter_validation=False)
        for wrong, place in (
                ({"CompositeFilters": [{}]}, "CompositeFilters[0]"),
                ({"CompositeFilters": [{"StringFilters": [text("severity_id", "4")]}]}, "fieldName"),
                ({"CompositeFilters": [{"NumberFilters": [{"FieldName": "severity_id", "Filter": {}}]}]}, "bound"),
                ({"CompositeFilters": [{"DateFilters": [{"FieldName": "finding_info.created_time_dt",
                                                         "Filter": {"Start": "yesterday"}}]}]}, "Start"),
                ({"CompositeFilters": [{"StringFilters": [text("severity", "High")]}] * 11}, "10")):
            self.assertIn(place, self.refused("ValidationException", loose.get_findings_v2, Filters=wrong))
        said = self.refused("ValidationException", self.securityhub.get_findings_v2, SortCriteria=[{"Field": "Severity"}])
        self.assertIn("severity_id", said)
        self.refused("ValidationException", loose.get_findings_v2, MaxResults=101)
        self.refused("AccessDeniedException", self.securityhub.get_findings_v2,
                     Scopes={"AwsOrganizations": [{"OrganizationId": "o-1"}]})

    def test_what_v2_sets_shows_in_v1_with_its_history_and_the_other_way_round(self):
        self.take_in(self.make("both"))
        uid = self.one("both")["metadata"]["uid"]
        answer = self.securityhub.batch_update_findings_v2(MetadataUids=[uid, "f" * 64], StatusId=4, SeverityId=5,
                                                           Comment="looked at")
        identifier = {"CloudAccountUid": ACCOUNT, "FindingInfoUid": "both", "MetadataProductUid": HUB_PRODUCT_V2}
        self.assertEqual([{"MetadataUid": uid, "FindingIdentifier": identifier}], answer["ProcessedFindings"])
        self.assertEqual([("f" * 64, "ResourceNotFoundException")],
                         [(u["MetadataUid"], u["ErrorCode"]) for u in answer["UnprocessedFindings"]])
        old = self.finding("both")
        self.assertEqual(("RESOLVED", "CRITICAL", "looked at"),
                         (old["Workflow"]["Status"], old["Severity"]["Label"], old["Note"]["Text"]))
        history = self.securityhub.get_finding_history(
            FindingIdentifier={"Id": "both", "ProductArn": HUB_PRODUCT})["Records"]
        self.assertEqual("BATCH_UPDATE_FINDINGS", history[0]["UpdateSource"]["Type"])
        self.assertIn("Workflow.Status", [u["UpdatedField"] for u in history[0]["Updates"]])
        self.securityhub.batch_update_findings(FindingIdentifiers=[{"Id": "both", "ProductArn": HUB_PRODUCT}],
                                               Workflow={"Status": "SUPPRESSED"})
        self.assertEqual(("Suppressed", 3), (self.one("both")["status"], self.one("both")["status_id"]))
        self.securityhub.batch_update_findings_v2(FindingIdentifiers=[identifier], StatusId=1)
        self.assertEqual("NEW", self.finding("both")["Workflow"]["Status"])

    def test_updates_that_are_wrong_change_nothing(self):
        self.take_in(self.make("unchanged"))
        before = self.one("unchanged")
        uid = before["metadata"]["uid"]
        loose = self.server.client("securityhub", parameter_validation=False)
        names = {"CloudAccountUid": ACCOUNT, "FindingInfoUid": "unchanged", "MetadataProductUid": HUB_PRODUCT_V2}
        for wrong, place in (({"MetadataUids": [uid]}, "Comment"), ({"StatusId": 4}, "MetadataUids"),
                             ({"MetadataUids": [uid], "FindingIdentifiers": [names], "StatusId": 4}, "not both"),
                             ({"MetadataUids": [uid], "StatusId": 6}, "0, 1, 2, 3, 4, 5, 99"),
                             ({"MetadataUids": [uid], "SeverityId": 7}, "SeverityId"),
                             ({"MetadataUids": [uid], "Comment": "c" * 513}, "512"),
                             ({"MetadataUids": [uid] * 101, "StatusId": 4}, "100")):
            self.assertIn(place, self.refused("ValidationException", loose.batch_update_findings_v2, **wrong))
        answer = loose.batch_update_findings_v2(
            FindingIdentifiers=[dict(names, CloudAccountUid="222222222222")], StatusId=4)
        self.assertEqual("ResourceNotFoundException", answer["UnprocessedFindings"][0]["ErrorCode"])
        self.assertEqual(before, self.one("unchanged"))

    def test_an_ocsf_file_is_imported_and_given_back_and_its_control_mends_the_bucket(self):
        self.bare_bucket("v2-prowler")
        self.events.put_rule(Name="v2", EventPattern=json.dumps({
            "source": ["aws.securityhub"], "detail-type": ["Findings Imported V2"],
            "detail": {"findings": {"metadata": {"product": {"name": ["Prowler"]}}, "status": ["New"],
                                    "finding_info": {"uid": ["prowler-v2"]}}}}))
        self.events.put_targets(Rule="v2", Targets=[{
            "Id": "1", "Arn": "arn:aws:fixpoint:%s:%s:control/*" % (REGION, ACCOUNT)}])
        status, _, said = self.server.fixpoint("mode", "auto")
        self.assertEqual(0, status, said)
        sent = prowler("prowler-v2", "v2-prowler")
        self.assertEqual(1, self.bring(sent)["Created"])
        self.server.wait()
        finding = self.one("prowler-v2")
        self.assertEqual("Resolved", finding["status"])
        self.assertIn("Fixed and verified by control S3.4", finding["comment"])
        for member in ("unmapped", "risk_details", "resources", "status_code", "class_uid", "time"):
            self.assertEqual(sent[member], finding[member], member)
        old = self.finding("prowler-v2")
        self.assertEqual(("arn:aws:securityhub:%s::product/prowler/prowler" % REGION, "RESOLVED", "HIGH"),
                         (old["ProductArn"], old["Workflow"]["Status"], old["Severity"]["Label"]))
        rules = self.s3.get_bucket_encryption(Bucket="v2-prowler")["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual("AES256", rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])

    def test_an_ocsf_file_with_a_finding_that_is_wrong_changes_nothing(self):
        for wrong, says in ((prowler("p-2", "b", cloud={"provider": "azure"}), "cloud.provider is 'azure'"),
                            (prowler("p-2", "b", cloud={}), "cloud.account.uid is missing"),
                            (prowler("p-2", "b", class_uid=6003), "class_uid is 6003"),
                            (prowler("p-2", "b", resources=[]), "resources"),
                            (prowler("p-2", "b", finding_info={"uid": "p-2"}), "finding_info.title")):
            status, out, said = self.server.fixpoint("import", "-",
                                                     input=json.dumps([prowler("p-1", "b"), wrong]))
            self.assertEqual((3, ""), (status, out))
            self.assertIn(says, said)
            self.assertIn("finding 2", said)
        self.assertEqual([], self.in_v2({"StringFilters": [text("finding_info.uid", "p-1")]}))

    def test_an_event_of_security_hub_v2_is_taken_in(self):
        self.take_in(self.make("travels", Title="It travels"))
        finding = copy.deepcopy(self.one("travels"))
        finding["finding_info"]["uid"] = "travelled"
        finding["metadata"]["uid"] = "9" * 64
        event = {"source": "aws.securityhub", "detail-type": "Findings Imported V2", "resources": ["9" * 64],
                 "detail": {"findings": [finding]}}
        status, out, said = self.server.fixpoint("import", "-", input=json.dumps(event))
        self.assertEqual((0, True), (status, out.startswith("1 finding taken in, 1 of them new\n")), said)
        self.assertEqual(finding, self.one("travelled"))
        self.assertEqual("It travels", self.finding("travelled")["Title"])
        found = self.in_v2({"StringFilters": [text("metadata.uid", "9" * 64)]})
        self.assertEqual(["travelled"], [f["finding_info"]["uid"] for f in found])

    def test_findings_are_counted(self):
        self.take_in(*[self.make("counted-%d" % i, Title="counted", Severity={"Label": ("LOW", "LOW", "HIGH")[i]})
                       for i in range(3)])
        mine = filters({"StringFilters": [text("finding_info.title", "counted")]})
        answer = self.securityhub.get_finding_statistics_v2(GroupByRules=[
            {"GroupByField": "severity", "Filters": mine}, {"GroupByField": "resources.type", "Filters": mine}])
        self.assertEqual([{"GroupByField": "severity", "GroupByValues": [{"FieldValue": "Low", "Count": 2},
                                                                         {"FieldValue": "High", "Count": 1}]},
                          {"GroupByField": "resources.type",
                           "GroupByValues": [{"FieldValue": "AWS::S3::Bucket", "Count": 3}]}],
                         answer["GroupByResults"])
        up = self.securityhub.get_finding_statistics_v2(
            GroupByRules=[{"GroupByField": "severity", "Filters": mine}], SortOrder="asc", MaxStatisticResults=1)
        self.assertEqual([{"FieldValue": "High", "Count": 1}], up["GroupByResults"][0]["GroupByValues"])
        loose = self.server.client("securityhub", parameter_validation=False)
        self.refused("ValidationException", loose.get_finding_statistics_v2, GroupByRules=[])
        self.refused("ValidationException", loose.get_finding_statistics_v2, GroupByRules=[{"GroupByField": "severity"}] * 6)
        said = self.refused("ValidationException", loose.get_finding_statistics_v2,
                            GroupByRules=[{"GroupByField": "severity", "Filters": {"CompositeFilters": [{}]}}])
        self.assertIn("GroupByRules[0].Filters.CompositeFilters[0]", said)
        self.refused("ValidationException", loose.get_finding_statistics_v2, MaxStatisticResults=401,
                     GroupByRules=[{"GroupByField": "severity"}])

    def test_it_is_switched_apart_from_the_older_hub(self):
        elsewhere = self.server.client("securityhub", region="eu-west-1")
        self.refused("ResourceNotFoundException", elsewhere.describe_security_hub_v2)
        self.assertIn("EnableSecurityHubV2", self.refused("AccessDeniedException", elsewhere.get_findings_v2))
        self.refused("AccessDeniedException", elsewhere.batch_update_findings_v2, MetadataUids=["x"], StatusId=4)
        arn = elsewhere.enable_security_hub_v2(Tags={"a": "b"})["HubV2Arn"]
        self.assertRegex(arn, r"^arn:aws:securityhub:eu-west-1:%s:hubv2/[0-9a-f-]{36}$" % ACCOUNT)
        self.assertEqual(arn, elsewhere.enable_security_hub_v2()["HubV2Arn"])
        described = elsewhere.describe_security_hub_v2()
        self.assertEqual(arn, described["HubV2Arn"])
        self.assertRegex(described["SubscribedAt"], r"^\d{4}-\d\d-\d\dT")
        self.assertEqual({"a": "b"}, elsewhere.list_tags_for_resource(ResourceArn=arn)["Tags"])
        elsewhere.disable_security_hub()
        elsewhere.get_findings_v2()
        self.refused("InvalidAccessException", elsewhere.get_findings)
        elsewhere.enable_security_hub()
        elsewhere.disable_security_hub_v2()
        self.refused("AccessDeniedException", elsewhere.get_findings_v2)
        elsewhere.disable_security_hub_v2()
        stranger = self.server.client("securityhub", secret="wrong", region="eu-west-1")
        self.refused("InvalidSignatureException", stranger.disable_security_hub_v2)
        self.refused("InvalidSignatureException", stranger.enable_security_hub_v2)

    def test_products_are_listed(self):
        names = [p["ProductV2Name"] for p in self.securityhub.describe_products_v2()["ProductsV2"]]
        self.assertIn("GuardDuty", names)
        first = self.securityhub.describe_products_v2(MaxResults=2)
        self.assertEqual(names[:2], [p["ProductV2Name"] for p in first["ProductsV2"]])
        self.assertEqual(names[2:], [p["ProductV2Name"] for p in self.securityhub.describe_products_v2(
            NextToken=first["NextToken"])["ProductsV2"]])
        self.refused("ValidationException", self.securityhub.describe_products_v2, NextToken="junk")
