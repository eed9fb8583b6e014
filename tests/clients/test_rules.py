"""fixpoint rules: what a rule would have started, and what could not be delivered."""
import json
import os
import tempfile

import support
from support import ACCOUNT, REGION

CONTROL = "arn:aws:fixpoint:%s:%s:control/*" % (REGION, ACCOUNT)


class Rules(support.ServerTest):
    def rules(self, *arguments):
        status, out, said = self.server.fixpoint("rules", *(arguments + ("--json",)))
        return status, json.loads(out) if out else said

    def test_a_rule_is_tried_on_the_findings_before_it_is_switched_on(self):
        for control in ("S3.4", "EC2.13"):
            status, _, said = self.server.fixpoint("scene", control)
            self.assertEqual((0, ""), (status, said))
        self.events.put_rule(Name="fix", State="DISABLED", EventPattern=json.dumps(
            {"source": ["aws.securityhub"], "detail": {"findings": {"Compliance": {"Status": ["FAILED"]}}}}))
        self.events.put_targets(Rule="fix", Targets=[{"Id": "1", "Arn": CONTROL}])
        status, answer = self.rules("try", "fix", "--since", "1h")
        self.assertEqual((0, 2, 2, True), (status, answer["Matched"], answer["WouldStart"], answer["Whole"]))
        self.assertEqual(["control EC2.13", "control S3.4"], sorted(start["Program"] for start in answer["Starts"]))
        self.assertEqual([], self.server.executions(0))
        # What has been dealt with is left alone, and it says why.
        finding = self.securityhub.get_findings(MaxResults=1)["Findings"][0]
        self.securityhub.batch_update_findings(
            FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
            Workflow={"Status": "SUPPRESSED"})
        _, answer = self.rules("try", "fix")
        self.assertEqual((2, 1), (answer["Matched"], answer["WouldStart"]))
        self.assertEqual([{"Finding": finding["Id"], "Because": "its workflow status is SUPPRESSED"}],
                         answer["LeftAlone"])
        status, out, said = self.server.fixpoint("rules", "try", "fix")
        self.assertEqual((0, ""), (status, said))
        self.assertIn("2 matched, 1 would have been started", out)

    def test_a_pattern_is_tried_on_an_archive(self):
        bus = "arn:aws:events:%s:%s:event-bus/default" % (REGION, ACCOUNT)
        self.events.create_archive(ArchiveName="all", EventSourceArn=bus, EventPattern='{"source": ["shop"]}')
        self.events.put_events(Entries=[{"Source": "shop", "DetailType": "t", "Detail": json.dumps({"n": n})}
                                        for n in range(5)])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pattern.json")
            with open(path, "w") as file:
                file.write('{"detail": {"n": [{"numeric": [">", 2]}]}}')
            status, answer = self.rules("try", "--pattern", path)
            self.assertEqual((0, 5, 2), (status, answer["FromArchives"], answer["Matched"]))
            with open(path, "w") as file:
                file.write('{"detail": {"n": [9]}}')
            self.assertEqual(1, self.rules("try", "--pattern", path)[0])
            with open(path, "w") as file:
                file.write('{"detail": 9}')
            self.assertEqual(3, self.rules("try", "--pattern", path)[0])

    def test_what_cannot_be_tried_is_refused(self):
        for arguments, status, words in ((("try", "none"), 5, "no rule 'none'"), (("try",), 2, "name of a rule"),
                                         (("try", "x", "--since", "soon"), 2, "90s, 30m, 12h or 7d"),
                                         (("invent",), 2, "there are list, try and deliveries"),
                                         (("list", "--bus", "none"), 5, "Event bus none does not exist")):
            got, _, said = self.server.fixpoint("rules", *arguments)
            self.assertEqual(status, got, arguments)
            self.assertIn(words, said)

    def test_what_was_given_up_is_shown(self):
        sqs = self.server.client("sqs")
        url = sqs.create_queue(QueueName="going")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name="going", EventPattern='{"source": ["going"]}')
        self.events.put_targets(Rule="going", Targets=[{"Id": "1", "Arn": arn}])
        sqs.delete_queue(QueueUrl=url)
        self.events.put_events(Entries=[{"Source": "going", "DetailType": "t", "Detail": "{}"}])
        status, answer = self.rules("deliveries")
        self.assertEqual((0, [(arn, "dropped")]),
                         (status, [(one["Target"], one["State"]) for one in answer["Deliveries"]]))
        status, answer = self.rules()
        self.assertIn("going", [rule["Name"] for rule in answer["Rules"]])
