"""Security Hub beside its findings: automation rules, insights, standards and controls, the hub and what belongs to it."""
import copy
import datetime
import json
import os

import support
from support import ACCOUNT, REGION

PRODUCT = "arn:aws:securityhub:%s:%s:product/%s/default" % (REGION, ACCOUNT, ACCOUNT)
ARN = "arn:aws:securityhub:%s:%s:" % (REGION, ACCOUNT)


def equals(value):
    return [{"Value": value, "Comparison": "EQUALS"}]


class Hub(support.ServerTest):
    serial = 0

    def setUp(self):
        # What is wrong is to be refused by the server, not by boto3.
        self.securityhub = self.server.client("securityhub", parameter_validation=False)

    def finding(self, name, **more):
        Hub.serial += 1
        time = (datetime.datetime(2024, 1, 1) + datetime.timedelta(seconds=Hub.serial)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"SchemaVersion": "2018-10-08", "Id": name, "ProductArn": PRODUCT, "GeneratorId": "g",
                "AwsAccountId": ACCOUNT, "Types": ["Software and Configuration Checks/X/Y"], "CreatedAt": time,
                "UpdatedAt": time, "Severity": {"Label": "LOW"}, "Title": "t", "Description": "d",
                "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::" + name}]}
        body.update(more)
        return body

    def bring(self, *findings):
        answer = self.securityhub.batch_import_findings(Findings=list(findings))
        self.assertEqual(0, answer["FailedCount"], answer)

    def stored(self, name):
        return self.securityhub.get_findings(Filters={"Id": equals(name)})["Findings"][0]

    def rule(self, order, criteria, update, **more):
        return self.securityhub.create_automation_rule(
            RuleName="r%d" % order, Description="d", RuleOrder=order, Criteria=criteria,
            Actions=[{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": update}], **more)["RuleArn"]

    def test_automation_rules_change_what_comes_in_in_their_order(self):
        if not hasattr(self.securityhub, "create_automation_rule"):
            self.skipTest("this boto3 knows no automation rules")
        title = {"Title": equals("ruled")}
        later = self.rule(20, dict(title, SeverityLabel=equals("HIGH")), {"UserDefinedFields": {"saw": "HIGH"}})
        first = self.rule(10, title, {"Severity": {"Label": "HIGH"}, "Note": {"Text": "raised", "UpdatedBy": "rule"}})
        last = self.rule(30, title, {"Workflow": {"Status": "SUPPRESSED"}}, IsTerminal=True)
        never = self.rule(40, title, {"VerificationState": "FALSE_POSITIVE"})
        off = self.rule(1, title, {"Criticality": 99}, RuleStatus="DISABLED")
        self.bring(self.finding("ruled-1", Title="ruled"), self.finding("ruled-2"))
        got = self.stored("ruled-1")
        self.assertEqual(("HIGH", "raised", {"saw": "HIGH"}, "SUPPRESSED"),
                         (got["Severity"]["Label"], got["Note"]["Text"], got["UserDefinedFields"],
                          got["Workflow"]["Status"]))
        self.assertNotIn("Criticality", got)
        self.assertNotEqual("FALSE_POSITIVE", got.get("VerificationState"))
        self.assertEqual("LOW", self.stored("ruled-2")["Severity"]["Label"])
        # A finding that is imported again, newer, is ruled again; one that a person updates is not.
        self.bring(self.finding("ruled-2", Title="ruled"))
        self.assertEqual("HIGH", self.stored("ruled-2")["Severity"]["Label"])
        key = [{"Id": "ruled-1", "ProductArn": PRODUCT}]
        self.securityhub.batch_update_findings(FindingIdentifiers=key, Workflow={"Status": "NOTIFIED"})
        self.assertEqual("NOTIFIED", self.stored("ruled-1")["Workflow"]["Status"])
        # What is there.
        listed = self.securityhub.list_automation_rules()["AutomationRulesMetadata"]
        self.assertEqual([off, first, later, last, never], [rule["RuleArn"] for rule in listed])
        self.refused("InvalidInputException", self.securityhub.list_automation_rules, NextToken="!")
        answer = self.securityhub.batch_get_automation_rules(AutomationRulesArns=[first, first + "x"])
        self.assertEqual(([10], [first + "x"]), ([rule["RuleOrder"] for rule in answer["Rules"]],
                                                 [one["RuleArn"] for one in answer["UnprocessedAutomationRules"]]))
        answer = self.securityhub.batch_update_automation_rules(UpdateAutomationRulesRequestItems=[
            {"RuleArn": first, "RuleStatus": "DISABLED"}, {"RuleArn": last, "RuleOrder": 1001},
            {"RuleArn": first + "x", "RuleOrder": 1}])
        self.assertEqual([first], answer["ProcessedAutomationRules"])
        self.assertEqual([400, 404], [one["ErrorCode"] for one in answer["UnprocessedAutomationRules"]])
        self.bring(self.finding("ruled-3", Title="ruled"))
        self.assertEqual("LOW", self.stored("ruled-3")["Severity"]["Label"])
        answer = self.securityhub.batch_delete_automation_rules(
            AutomationRulesArns=[first, later, last, never, off, first + "x"])
        self.assertEqual((5, 1), (len(answer["ProcessedAutomationRules"]), len(answer["UnprocessedAutomationRules"])))
        self.bring(self.finding("ruled-4", Title="ruled"))
        self.assertEqual("NEW", self.stored("ruled-4")["Workflow"]["Status"])

    def test_automation_rules_that_are_wrong_are_refused(self):
        if not hasattr(self.securityhub, "create_automation_rule"):
            self.skipTest("this boto3 knows no automation rules")
        good = {"RuleName": "r", "Description": "d", "RuleOrder": 1, "Criteria": {"Title": equals("x")},
                "Actions": [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"Criticality": 5}}]}
        for change, words in (({"RuleOrder": 0}, "RuleOrder"), ({"RuleOrder": 1001}, "1 to 1000"),
                              ({"Criteria": {}}, "no filters"), ({"Actions": []}, "one"),
                              ({"Criteria": {"Title": [{"Value": "x", "Comparison": "LIKE"}]}}, "LIKE"),
                              ({"Actions": [{"Type": "FINDING_FIELDS_UPDATE"}]}, "FindingFieldsUpdate"),
                              ({"Actions": [{"Type": "FINDING_FIELDS_UPDATE",
                                             "FindingFieldsUpdate": {"Criticality": 101}}]}, "Criticality")):
            said = self.refused_any(self.securityhub.create_automation_rule, **dict(good, **change))
            self.assertIn(words, said)
        for call, name in ((self.securityhub.batch_get_automation_rules, "AutomationRulesArns"),
                           (self.securityhub.batch_delete_automation_rules, "AutomationRulesArns"),
                           (self.securityhub.batch_update_automation_rules, "UpdateAutomationRulesRequestItems")):
            self.refused_any(call, **{name: []})
        self.assertEqual([], self.securityhub.list_automation_rules()["AutomationRulesMetadata"])

    def test_a_rule_whose_filters_are_empty_lists_or_whose_update_says_nothing_is_refused(self):
        if not hasattr(self.securityhub, "create_automation_rule"):
            self.skipTest("this boto3 knows no automation rules")
        for criteria, update, words in (({"Title": []}, {"Criticality": 5}, "no filters"),
                                        ({"Title": equals("x")}, {"Workflow": {}}, "Status")):
            said = self.refused("InvalidInputException", self.securityhub.create_automation_rule, RuleName="r",
                                Description="d", RuleOrder=1, Criteria=criteria,
                                Actions=[{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": update}])
            self.assertIn(words, said)
        self.assertEqual([], self.securityhub.list_automation_rules()["AutomationRulesMetadata"])

    def test_tags_that_a_rule_is_made_with_are_shown_and_awss_own_are_refused(self):
        if not hasattr(self.securityhub, "create_automation_rule"):
            self.skipTest("this boto3 knows no automation rules")
        arn = self.rule(900, {"Title": equals("tagged")}, {"Criticality": 5}, Tags={"team": "red"})
        self.assertEqual({"team": "red"}, self.securityhub.list_tags_for_resource(ResourceArn=arn)["Tags"])
        self.assertIn("aws:", self.refused("InvalidInputException", self.securityhub.tag_resource, ResourceArn=arn,
                                           Tags={"aws:owner": "x"}))
        self.assertEqual({"team": "red"}, self.securityhub.list_tags_for_resource(ResourceArn=arn)["Tags"])
        self.refused("InvalidInputException", self.rule, order=901, criteria={"Title": equals("tagged")},
                     update={"Criticality": 5}, Tags={"AWS:x": "y"})
        self.assertEqual([arn], [rule["RuleArn"] for rule in
                                 self.securityhub.list_automation_rules()["AutomationRulesMetadata"]])
        self.securityhub.batch_delete_automation_rules(AutomationRulesArns=[arn])

    def test_a_list_is_paged_through_while_what_it_shows_is_deleted(self):
        made = {self.securityhub.create_insight(Name="paged %d" % i, Filters={}, GroupByAttribute="ResourceId")
                ["InsightArn"] for i in range(7)}
        seen, token = [], {}
        while True:
            page = self.securityhub.get_insights(MaxResults=2, **token)
            for insight in page["Insights"]:
                seen.append(insight["InsightArn"])
                if insight["InsightArn"] in made:
                    self.securityhub.delete_insight(InsightArn=insight["InsightArn"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual(len(set(seen)), len(seen))
        self.assertLessEqual(made, set(seen))
        for wrong in ("MQ==", "!", "AAAA"):
            self.refused("InvalidInputException", self.securityhub.get_insights, NextToken=wrong)

    def test_a_hub_that_is_enabled_begins_with_the_standards_that_are_on_by_default(self):
        # https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_EnableSecurityHub.html
        hub = self.server.client("securityhub", region="eu-west-1")

        def enabled():
            return sorted(one["StandardsArn"].split("/")[1] for one in
                          hub.get_enabled_standards()["StandardsSubscriptions"])
        hub.disable_security_hub()
        hub.enable_security_hub(EnableDefaultStandards=False)
        self.assertEqual([], enabled())
        hub.disable_security_hub()
        hub.enable_security_hub()
        self.assertEqual(["aws-foundational-security-best-practices", "cis-aws-foundations-benchmark"], enabled())

    def test_an_aggregator_links_regions_that_have_a_regions_name(self):
        hub = self.server.client("securityhub", region="eu-central-1")
        for regions in (["nowhere"], ["us-east-1", ""], ["US-EAST-1"], ["us-east-1x"], ["us-1"]):
            self.refused("InvalidInputException", hub.create_finding_aggregator, RegionLinkingMode="SPECIFIED_REGIONS",
                         Regions=regions)
        self.assertEqual([], hub.list_finding_aggregators()["FindingAggregators"])
        arn = hub.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=[
            "us-gov-west-1", "ap-southeast-2"])["FindingAggregatorArn"]
        hub.delete_finding_aggregator(FindingAggregatorArn=arn)

    def test_findings_are_not_grouped_by_a_keyword(self):
        self.refused("InvalidInputException", self.securityhub.create_insight, Name="x", Filters={},
                     GroupByAttribute="Keyword")

    def test_a_custom_action_may_have_a_long_name_and_is_asked_for_twice(self):
        self.refused("InvalidInputException", self.securityhub.create_action_target, Name="", Description="d", Id="Twice")
        # Longer than the 20 characters that the documentation allows: scripts that people have use such.
        arn = self.securityhub.create_action_target(Name="Close what is open at once", Description="d",
                                                    Id="Twice")["ActionTargetArn"]
        self.assertEqual([arn], [target["ActionTargetArn"] for target in self.securityhub.describe_action_targets(
            ActionTargetArns=[arn, arn])["ActionTargets"]])
        self.assertIn(arn + "x", self.refused("ResourceNotFoundException", self.securityhub.describe_action_targets,
                                              ActionTargetArns=[arn, arn + "x"]))
        self.refused("InvalidInputException", self.securityhub.update_action_target, ActionTargetArn=arn, Name="")
        # Another of the same id begins without the tags of the first.
        self.securityhub.tag_resource(ResourceArn=arn, Tags={"a": "b"})
        self.securityhub.delete_action_target(ActionTargetArn=arn)
        self.securityhub.create_action_target(Name="again", Description="d", Id="Twice")
        self.assertEqual({}, self.securityhub.list_tags_for_resource(ResourceArn=arn)["Tags"])
        self.securityhub.delete_action_target(ActionTargetArn=arn)

    def refused_any(self, call, **arguments):
        with self.assertRaises(support.botocore.exceptions.ClientError) as caught:
            call(**arguments)
        self.assertLess(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 500)
        return str(caught.exception)

    def test_insights_count_findings_by_an_attribute(self):
        for i in range(6):
            self.bring(self.finding("seen-%d" % i, Title="seen", Severity={"Label": "HIGH" if i < 4 else "LOW"},
                                    Confidence=i % 2 * 50))
        filters = {"Title": equals("seen")}
        arn = self.securityhub.create_insight(Name="by severity", Filters=filters,
                                              GroupByAttribute="SeverityLabel")["InsightArn"]
        results = self.securityhub.get_insight_results(InsightArn=arn)["InsightResults"]
        self.assertEqual([("HIGH", 4), ("LOW", 2)],
                         [(one["GroupByAttributeValue"], one["Count"]) for one in results["ResultValues"]])
        for attribute, counts in (("ResourceId", [1] * 6), ("Confidence", [3, 3]), ("AwsAccountId", [6]),
                                  ("Title", [6]), ("MalwareName", [])):
            self.securityhub.update_insight(InsightArn=arn, GroupByAttribute=attribute)
            results = self.securityhub.get_insight_results(InsightArn=arn)["InsightResults"]
            self.assertEqual(counts, [one["Count"] for one in results["ResultValues"]], attribute)
        shown = self.securityhub.get_insights(InsightArns=[arn])["Insights"][0]
        self.assertEqual(("by severity", filters, "MalwareName"),
                         (shown["Name"], shown["Filters"], shown["GroupByAttribute"]))
        for attribute in ("UpdatedAt", "ResourceTags", "Nonsense"):
            self.refused("InvalidInputException", self.securityhub.create_insight, Name="x", Filters=filters,
                         GroupByAttribute=attribute)
        for call, more in ((self.securityhub.get_insight_results, {}), (self.securityhub.delete_insight, {}),
                           (self.securityhub.update_insight, {"Name": "y"})):
            self.refused("ResourceNotFoundException", call, InsightArn=arn + "x", **more)
        self.refused("ResourceNotFoundException", self.securityhub.get_insights, InsightArns=[arn + "x"])
        self.assertEqual(arn, self.securityhub.delete_insight(InsightArn=arn)["InsightArn"])
        self.assertEqual([], self.securityhub.get_insights()["Insights"])

    def heard(self, name):
        """A rule on the events of insights' results whose target is a queue; gives a function that takes the next."""
        events, sqs = self.server.client("events"), self.server.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.securityhub"],
                                                            "detail-type": ["Security Hub Insight Results"]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": "arn:aws:sqs:%s:%s:%s" % (REGION, ACCOUNT, name)}])
        self.addCleanup(events.delete_rule, Name=name)
        self.addCleanup(events.remove_targets, Rule=name, Ids=["1"])
        return lambda: json.loads(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"])

    def key_findings(self, title, counts):
        """Findings on access keys, as many as said of each user."""
        for user, count in counts.items():
            for i in range(count):
                name = "%s-%s-%d" % (title, user, i)
                self.bring(self.finding(name, Title=title, Resources=[
                    {"Type": "AwsIamAccessKey", "Id": "arn:aws:iam::%s:user/%s/%d" % (ACCOUNT, user, i),
                     "Details": {"AwsIamAccessKey": {"UserName": user}}}]))

    def insight(self, name, title):
        return self.securityhub.create_insight(Name=name, Filters={"Title": equals(title)},
                                               GroupByAttribute="ResourceAwsIamAccessKeyUserName")["InsightArn"]

    # The form of https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
    def test_an_action_on_an_insights_results_is_the_documented_event(self):
        take = self.heard("insights")
        action = self.securityhub.create_action_target(Name="Block keys", Description="d", Id="BlockKeys")[
            "ActionTargetArn"]
        self.key_findings("keys", {"ann": 3, "bob": 1})
        arn = self.insight("suspicious users", "keys")
        status, out, said = self.server.fixpoint("act", "Block keys", "--insight", arn)
        self.assertEqual((0, "Block keys chosen on 2 results of the insight\n"), (status, out), said)
        event = take()
        self.assertEqual(("0", "Security Hub Insight Results", "aws.securityhub", ACCOUNT, REGION, [action]), tuple(
            event[k] for k in ("version", "detail-type", "source", "account", "region", "resources")))
        self.assertEqual({"actionName": "Block keys", "actionDescription": "d", "insightArn": arn,
                          "insightName": "suspicious users", "resultType": "ResourceAwsIamAccessKeyUserName",
                          "number of results": 2, "insightResults": [{"ann": 3}, {"bob": 1}]}, event["detail"])
        status, out, said = self.server.fixpoint("act", action, "bob", "--insight", arn, "--json")
        self.assertEqual((0, 1), (status, json.loads(out)["Results"]), said)
        self.assertEqual([{"bob": 1}], take()["detail"]["insightResults"])
        for arguments, code, part in ((("Block keys", "eve", "--insight", arn), 3, "has no result 'eve'"),
                                      (("Block keys", "--insight", arn + "x"), 5, "no insight has the ARN"),
                                      (("No such", "--insight", arn), 5, "there is no custom action 'No such'"),
                                      (("Block keys",), 3, "name at least one finding")):
            status, _, said = self.server.fixpoint("act", *arguments)
            self.assertEqual(code, status, said)
            self.assertIn(part, said)
        none = self.insight("nothing", "no such title")
        self.assertIn("no finding fits its filters", self.server.fixpoint("act", "Block keys", "--insight", none)[2])
        self.securityhub.delete_action_target(ActionTargetArn=action)
        for insight in (arn, none):
            self.securityhub.delete_insight(InsightArn=insight)

    def test_a_hundred_results_at_most_are_told(self):
        take = self.heard("hundred")
        action = self.securityhub.create_action_target(Name="All", Description="d", Id="All")["ActionTargetArn"]
        self.key_findings("many", dict({"u%03d" % i: 1 for i in range(101)}, most=2))
        arn = self.insight("many", "many")
        self.assertEqual(0, self.server.fixpoint("act", "All", "--insight", arn)[0])
        detail = take()["detail"]
        self.assertEqual((100, 100, {"most": 2}),
                         (detail["number of results"], len(detail["insightResults"]), detail["insightResults"][0]))
        self.securityhub.delete_action_target(ActionTargetArn=action)
        self.securityhub.delete_insight(InsightArn=arn)

    def test_the_event_has_what_a_real_one_has(self):
        sample = json.loads(support.read(os.path.join(support.shared_dir("findings"), "03-sechub-insight-results.json")))
        take = self.heard("sample")
        said = sample["detail"]
        action = self.securityhub.create_action_target(Name=said["actionName"], Description=said["actionDescription"],
                                                       Id=sample["resources"][0].split("/")[-1])["ActionTargetArn"]
        counts = {user: count for one in said["insightResults"] for user, count in one.items()}
        self.key_findings("real", counts)
        arn = self.insight(said["insightName"], "real")
        self.assertEqual(0, self.server.fixpoint("act", said["actionName"], "--insight", arn)[0])
        event = take()
        self.assertEqual(set(), set(sample) - {"debug"} - set(event))
        for member in ("version", "detail-type", "source"):
            self.assertEqual(sample[member], event[member])
        self.assertEqual([r.split(":", 5)[5] for r in sample["resources"]], [r.split(":", 5)[5] for r in event["resources"]])
        self.assertEqual(set(), set(said) - set(event["detail"]))
        for member in ("actionName", "actionDescription", "insightName", "resultType"):
            self.assertEqual(said[member], event["detail"][member])
        self.assertEqual(counts, {user: count for one in event["detail"]["insightResults"] for user, count in one.items()})
        self.securityhub.delete_action_target(ActionTargetArn=action)
        self.securityhub.delete_insight(InsightArn=arn)

    def test_findings_are_updated_the_older_way(self):
        for i in range(3):
            self.bring(self.finding("older-%d" % i, Title="older"))
        self.securityhub.update_findings(Filters={"Title": equals("older")}, RecordState="ARCHIVED",
                                         Note={"Text": "put away", "UpdatedBy": "me"})
        for i in range(3):
            got = self.stored("older-%d" % i)
            self.assertEqual(("ARCHIVED", "put away"), (got["RecordState"], got["Note"]["Text"]))
        self.refused("InvalidInputException", self.securityhub.update_findings, Filters={"Title": equals("older")})

    def test_custom_actions_are_renamed(self):
        arn = self.securityhub.create_action_target(Name="n", Description="d", Id="renamed")["ActionTargetArn"]
        self.securityhub.update_action_target(ActionTargetArn=arn, Name="other")
        shown = self.securityhub.describe_action_targets(ActionTargetArns=[arn])["ActionTargets"][0]
        self.assertEqual(("other", "d"), (shown["Name"], shown["Description"]))
        self.refused("ResourceNotFoundException", self.securityhub.update_action_target, ActionTargetArn=arn + "x",
                     Name="other")

    def test_standards_are_enabled_with_the_controls_of_the_catalogue(self):
        standards = {one["StandardsArn"]: one for one in self.securityhub.describe_standards()["Standards"]}
        cis = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
        self.assertIn(cis, standards)
        self.refused("InvalidInputException", self.securityhub.describe_standards, NextToken="!")
        self.assertEqual([], self.securityhub.get_enabled_standards()["StandardsSubscriptions"])
        self.refused("ResourceNotFoundException", self.securityhub.batch_enable_standards,
                     StandardsSubscriptionRequests=[{"StandardsArn": cis + "x"}])
        enabled = self.securityhub.batch_enable_standards(
            StandardsSubscriptionRequests=[{"StandardsArn": cis}])["StandardsSubscriptions"][0]
        subscription = enabled["StandardsSubscriptionArn"]
        self.assertEqual((ARN + "subscription/cis-aws-foundations-benchmark/v/1.2.0", "READY"),
                         (subscription, enabled["StandardsStatus"]))
        self.assertEqual(1, len(self.securityhub.get_enabled_standards()["StandardsSubscriptions"]))
        self.refused("ResourceNotFoundException", self.securityhub.get_enabled_standards,
                     StandardsSubscriptionArns=[subscription + "x"])
        controls = self.securityhub.describe_standards_controls(StandardsSubscriptionArn=subscription)["Controls"]
        port = next(one for one in controls if one["ControlId"] == "EC2.13")
        self.assertEqual((["4.1"], "ENABLED", "HIGH"),
                         (port["RelatedRequirements"], port["ControlStatus"], port["SeverityRating"]))
        self.refused("ResourceNotFoundException", self.securityhub.describe_standards_controls,
                     StandardsSubscriptionArn=subscription + "x")
        self.refused("InvalidInputException", self.securityhub.update_standards_control,
                     StandardsControlArn=port["StandardsControlArn"], ControlStatus="DISABLED")
        self.securityhub.update_standards_control(StandardsControlArn=port["StandardsControlArn"],
                                                  ControlStatus="DISABLED", DisabledReason="not here")
        controls = self.securityhub.describe_standards_controls(StandardsSubscriptionArn=subscription)["Controls"]
        self.assertEqual("not here", next(one for one in controls if one["ControlId"] == "EC2.13")["DisabledReason"])
        answer = self.securityhub.batch_disable_standards(StandardsSubscriptionArns=[subscription])
        self.assertEqual("DELETING", answer["StandardsSubscriptions"][0]["StandardsStatus"])
        self.refused("ResourceNotFoundException", self.securityhub.batch_disable_standards,
                     StandardsSubscriptionArns=[subscription])

    def test_controls_are_shown_set_and_put_into_standards(self):
        hub = self.securityhub
        if not hasattr(hub, "batch_get_security_controls"):
            self.skipTest("this boto3 knows no security controls")
        ids = [one["SecurityControlId"] for one in
               hub.list_security_control_definitions()["SecurityControlDefinitions"]]
        self.assertTrue({"S3.4", "EC2.13", "CloudTrail.3", "KMS.4"} <= set(ids), ids)
        self.refused("ResourceNotFoundException", hub.list_security_control_definitions, StandardsArn="arn:x")
        answer = hub.batch_get_security_controls(SecurityControlIds=["EC2.13", "Nothing.1"])
        self.assertEqual({"Integer": 22}, answer["SecurityControls"][0]["Parameters"]["port"]["Value"])
        self.assertEqual("NOT_FOUND", answer["UnprocessedIds"][0]["ErrorCode"])
        self.refused_any(hub.batch_get_security_controls, SecurityControlIds=[])
        if hasattr(hub, "update_security_control"):
            custom = {"port": {"ValueType": "CUSTOM", "Value": {"Integer": 2222}}}
            hub.update_security_control(SecurityControlId="EC2.13", Parameters=custom, LastUpdateReason="ours")
            got = hub.batch_get_security_controls(SecurityControlIds=["EC2.13"])["SecurityControls"][0]
            self.assertEqual(({"Integer": 2222}, "ours"), (got["Parameters"]["port"]["Value"], got["LastUpdateReason"]))
            wrong = copy.deepcopy(custom)
            wrong["port"]["Value"]["Integer"] = 65536
            self.refused("InvalidInputException", hub.update_security_control, SecurityControlId="EC2.13",
                         Parameters=wrong)
            shown = hub.get_security_control_definition(SecurityControlId="EC2.13")["SecurityControlDefinition"]
            options = shown["ParameterDefinitions"]["port"]["ConfigurationOptions"]["Integer"]
            self.assertEqual({"DefaultValue": 22, "Min": 0, "Max": 65535}, options)
            self.refused("ResourceNotFoundException", hub.get_security_control_definition,
                         SecurityControlId="Nothing.1")
        pci = "arn:aws:securityhub:%s::standards/pci-dss/v/3.2.1" % REGION
        subscription = hub.batch_enable_standards(
            StandardsSubscriptionRequests=[{"StandardsArn": pci}])["StandardsSubscriptions"][0]
        where = {one["StandardsArn"]: one for one in hub.list_standards_control_associations(
            SecurityControlId="EC2.13")["StandardsControlAssociationSummaries"]}
        self.assertEqual(("ENABLED", ["PCI.EC2.5"]),
                         (where[pci]["AssociationStatus"], where[pci]["RelatedRequirements"]))
        self.refused("ResourceNotFoundException", hub.list_standards_control_associations,
                     SecurityControlId="Nothing.1")
        change = {"StandardsArn": pci, "SecurityControlId": "EC2.13", "AssociationStatus": "DISABLED"}
        failed = hub.batch_update_standards_control_associations(
            StandardsControlAssociationUpdates=[change])["UnprocessedAssociationUpdates"]
        self.assertEqual("INVALID_INPUT", failed[0]["ErrorCode"])
        hub.batch_update_standards_control_associations(
            StandardsControlAssociationUpdates=[dict(change, UpdatedReason="no")])
        answer = hub.batch_get_standards_control_associations(StandardsControlAssociationIds=[
            {"SecurityControlId": "EC2.13", "StandardsArn": pci}, {"SecurityControlId": "x", "StandardsArn": pci}])
        self.assertEqual(("DISABLED", 1), (answer["StandardsControlAssociationDetails"][0]["AssociationStatus"],
                                           len(answer["UnprocessedAssociations"])))
        self.refused_any(hub.batch_get_standards_control_associations, StandardsControlAssociationIds=[])
        self.refused_any(hub.batch_update_standards_control_associations, StandardsControlAssociationUpdates=[])
        hub.batch_disable_standards(StandardsSubscriptionArns=[subscription["StandardsSubscriptionArn"]])

    def test_members_products_aggregators_and_tags(self):
        hub = self.securityhub
        answer = hub.create_members(AccountDetails=[{"AccountId": "222222222222", "Email": "a@b.example"},
                                                    {"AccountId": ACCOUNT}, {"AccountId": "12"}])
        self.assertEqual([ACCOUNT, "12"], [one["AccountId"] for one in answer["UnprocessedAccounts"]])
        answer = hub.get_members(AccountIds=["222222222222", "333333333333"])
        self.assertEqual((["222222222222"], ["333333333333"]),
                         ([one["AccountId"] for one in answer["Members"]],
                          [one["AccountId"] for one in answer["UnprocessedAccounts"]]))
        hub.disassociate_members(AccountIds=["222222222222"])
        self.refused("ResourceNotFoundException", hub.disassociate_members, AccountIds=["333333333333"])
        self.assertEqual(([], 1), (hub.list_members(OnlyAssociated=True)["Members"],
                                   len(hub.list_members(OnlyAssociated=False)["Members"])))
        answer = hub.delete_members(AccountIds=["222222222222", "333333333333"])
        self.assertEqual(["333333333333"], [one["AccountId"] for one in answer["UnprocessedAccounts"]])
        self.refused("InvalidInputException", hub.list_members, NextToken="!")
        self.refused("InvalidInputException", hub.create_members, AccountDetails=[])
        for call in (hub.get_members, hub.delete_members):
            self.refused("InvalidInputException", call, AccountIds=[])

        products = [one["ProductArn"] for one in hub.describe_products()["Products"]]
        guardduty = "arn:aws:securityhub:%s::product/aws/guardduty" % REGION
        self.assertIn(guardduty, products)
        self.refused("ResourceNotFoundException", hub.describe_products, ProductArn=guardduty + "x")
        arn = hub.enable_import_findings_for_product(ProductArn=guardduty)["ProductSubscriptionArn"]
        self.assertEqual([ARN + "product-subscription/aws/guardduty"], [arn])
        self.refused("ResourceConflictException", hub.enable_import_findings_for_product, ProductArn=guardduty)
        self.assertEqual([arn], hub.list_enabled_products_for_import()["ProductSubscriptions"])
        self.refused("InvalidInputException", hub.list_enabled_products_for_import, NextToken="!")
        hub.disable_import_findings_for_product(ProductSubscriptionArn=arn)
        self.refused("ResourceNotFoundException", hub.disable_import_findings_for_product, ProductSubscriptionArn=arn)

        made = hub.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=["eu-west-1"])
        arn = made["FindingAggregatorArn"]
        self.refused("InvalidInputException", hub.create_finding_aggregator, RegionLinkingMode="SOME")
        self.refused("InvalidInputException", hub.update_finding_aggregator, FindingAggregatorArn=arn,
                     RegionLinkingMode="SPECIFIED_REGIONS")
        hub.update_finding_aggregator(FindingAggregatorArn=arn, RegionLinkingMode="ALL_REGIONS")
        self.assertEqual("ALL_REGIONS", hub.get_finding_aggregator(FindingAggregatorArn=arn)["RegionLinkingMode"])
        self.assertEqual(1, len(hub.list_finding_aggregators()["FindingAggregators"]))
        self.refused("InvalidInputException", hub.list_finding_aggregators, NextToken="!")
        hub.delete_finding_aggregator(FindingAggregatorArn=arn)
        for call in (hub.get_finding_aggregator, hub.delete_finding_aggregator):
            self.refused("ResourceNotFoundException", call, FindingAggregatorArn=arn)

        hub.tag_resource(ResourceArn=ARN + "hub/default", Tags={"a": "1", "b": "2"})
        hub.untag_resource(ResourceArn=ARN + "hub/default", TagKeys=["a"])
        self.assertEqual({"b": "2"}, hub.list_tags_for_resource(ResourceArn=ARN + "hub/default")["Tags"])
        other = ARN.replace(ACCOUNT, "222222222222") + "hub/default"
        self.refused("ResourceNotFoundException", hub.tag_resource, ResourceArn=other, Tags={"a": "1"})
        self.refused("ResourceNotFoundException", hub.untag_resource, ResourceArn=other, TagKeys=["a"])
        self.refused("ResourceNotFoundException", hub.list_tags_for_resource, ResourceArn=other)


class OffAndOn(support.ServerTest):
    def test_a_hub_that_is_off_answers_nothing_until_it_is_on(self):
        hub = self.securityhub
        shown = hub.describe_hub()
        self.assertEqual(ARN + "hub/default", shown["HubArn"])
        self.assertRegex(shown["SubscribedAt"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.refused("ResourceNotFoundException", hub.describe_hub, HubArn=ARN + "hub/other")
        self.refused("ResourceConflictException", hub.enable_security_hub)
        hub.update_security_hub_configuration(AutoEnableControls=False)
        self.assertIs(False, hub.describe_hub()["AutoEnableControls"])
        self.refused("InvalidInputException", hub.update_security_hub_configuration)
        hub.disable_security_hub()
        for call in (hub.describe_hub, hub.get_findings, hub.get_insights, hub.disable_security_hub):
            self.assertIn("not subscribed", self.refused("InvalidAccessException", call))
        self.assertEqual(401, self.status)
        hub.enable_security_hub(Tags={"on": "again"})
        self.assertIn("SubscribedAt", hub.describe_hub())
        self.assertEqual({"on": "again"}, hub.list_tags_for_resource(ResourceArn=ARN + "hub/default")["Tags"])
        # Another region has a hub of its own.
        self.assertEqual([], self.server.client("securityhub", region="eu-west-1").get_insights()["Insights"])
