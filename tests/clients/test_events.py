"""EventBridge's operations, done and refused."""
import datetime
import json

import support
from support import ACCOUNT, REGION

FUNCTION = "arn:aws:lambda:%s:%s:function:" % (REGION, ACCOUNT)
PATTERN = json.dumps({"source": ["a"]})


class Events(support.ServerTest):
    def test_a_rule_is_put_shown_changed_and_deleted(self):
        arn = self.events.put_rule(Name="whole", EventPattern=PATTERN, Description="first",
                                   RoleArn=support.ROLE)["RuleArn"]
        self.assertEqual("arn:aws:events:%s:%s:rule/whole" % (REGION, ACCOUNT), arn)
        shown = self.events.describe_rule(Name="whole")
        self.assertEqual((arn, "ENABLED", "first", support.ROLE, "default", ACCOUNT, PATTERN), tuple(
            shown[k] for k in ("Arn", "State", "Description", "RoleArn", "EventBusName", "CreatedBy", "EventPattern")))
        self.events.put_rule(Name="whole", EventPattern='{"source": ["b"]}', State="DISABLED")
        shown = self.events.describe_rule(Name="whole")
        self.assertEqual(("DISABLED", '{"source": ["b"]}'), (shown["State"], shown["EventPattern"]))
        self.events.enable_rule(Name="whole")
        self.assertEqual("ENABLED", self.events.describe_rule(Name="whole")["State"])
        self.events.disable_rule(Name="whole")
        self.assertEqual("DISABLED", self.events.describe_rule(Name="whole")["State"])
        self.events.delete_rule(Name="whole")
        self.assertIn("whole", self.refused("ResourceNotFoundException", self.events.describe_rule, Name="whole"))
        self.events.delete_rule(Name="whole")  # AWS answers it likewise

    def test_rules_that_are_not_there_or_wrong_are_refused(self):
        for call in (self.events.enable_rule, self.events.disable_rule):
            self.refused("ResourceNotFoundException", call, Name="none")
        self.refused("ResourceNotFoundException", self.events.list_targets_by_rule, Rule="none")
        self.refused("ResourceNotFoundException", self.events.put_targets, Rule="none",
                     Targets=[{"Id": "1", "Arn": FUNCTION + "f"}])
        self.refused("ResourceNotFoundException", self.events.remove_targets, Rule="none", Ids=["1"])
        self.refused("ResourceNotFoundException", self.events.put_rule, Name="x", EventPattern=PATTERN,
                     EventBusName="other")
        for pattern in ('{"source": "a"}', '{"source": [{"nonsense": 1}]}', "{", "[]",
                        '{"source": [{"numeric": ["<"]}]}'):
            said = self.refused("InvalidEventPatternException", self.events.put_rule, Name="bad", EventPattern=pattern)
            self.assertIn("Event pattern is not valid", said)
        self.refused("ValidationException", self.events.put_rule, Name="bad")
        self.refused("ResourceNotFoundException", self.events.describe_rule, Name="bad")
        for expression in ("rate(1 minutes)", "cron(0 1 * * * *)", "cron(INVALID)", "every day"):
            self.assertEqual("Parameter ScheduleExpression is not valid.",
                             self.refused("ValidationException", self.events.put_rule, Name="timed",
                                          ScheduleExpression=expression))

    def test_a_rule_may_have_a_schedule(self):
        for name, expression in (("hourly", "rate(1 hour)"), ("daily", "cron(0 10 * * ? *)")):
            self.events.put_rule(Name=name, ScheduleExpression=expression)
            shown = self.events.describe_rule(Name=name)
            self.assertEqual((expression, False), (shown["ScheduleExpression"], "EventPattern" in shown))

    def test_targets_come_and_go(self):
        self.events.put_rule(Name="targets", EventPattern=PATTERN)
        targets = [{"Id": str(i), "Arn": FUNCTION + "t%d" % i} for i in range(3)]
        self.assertEqual(0, self.events.put_targets(Rule="targets", Targets=targets)["FailedEntryCount"])
        self.assertEqual(targets, self.events.list_targets_by_rule(Rule="targets")["Targets"])
        page = self.events.list_targets_by_rule(Rule="targets", Limit=2)
        self.assertEqual(targets[:2], page["Targets"])
        page = self.events.list_targets_by_rule(Rule="targets", Limit=2, NextToken=page["NextToken"])
        self.assertEqual((targets[2:], False), (page["Targets"], "NextToken" in page))
        self.assertEqual(["targets"], self.events.list_rule_names_by_target(TargetArn=FUNCTION + "t1")["RuleNames"])
        self.assertEqual([], self.events.list_rule_names_by_target(TargetArn=FUNCTION + "other")["RuleNames"])
        self.refused("ResourceNotFoundException", self.events.list_rule_names_by_target, TargetArn=FUNCTION + "t1",
                     EventBusName="other")
        self.assertIn("targets", self.refused("ValidationException", self.events.delete_rule, Name="targets"))
        answer = self.events.remove_targets(Rule="targets", Ids=["0", "unknown"])
        self.assertEqual((1, "unknown"), (answer["FailedEntryCount"], answer["FailedEntries"][0]["TargetId"]))
        self.assertTrue(answer["FailedEntries"][0]["ErrorMessage"])
        self.assertEqual(0, self.events.remove_targets(Rule="targets", Ids=["1", "2"])["FailedEntryCount"])
        self.events.delete_rule(Name="targets")

    def test_targets_of_kinds_that_are_not_there_are_refused(self):
        self.events.put_rule(Name="kinds", EventPattern=PATTERN)
        for arn in ("arn:aws:batch:%s:%s:job-queue/q" % (REGION, ACCOUNT), "not an arn", FUNCTION[:-1]):
            with self.assertRaises(support.botocore.exceptions.ClientError) as caught:
                self.events.put_targets(Rule="kinds", Targets=[{"Id": "1", "Arn": arn}])
            self.assertEqual("ValidationException", caught.exception.response["Error"]["Code"])
            self.assertTrue(caught.exception.response["Error"]["Message"])
        self.assertEqual("InputTemplate for target 1 contains invalid placeholder x.", self.refused(
            "ValidationException", self.events.put_targets, Rule="kinds",
            Targets=[{"Id": "1", "Arn": FUNCTION + "f", "InputTransformer": {"InputTemplate": '"<x>"'}}]))
        self.assertEqual([], self.events.list_targets_by_rule(Rule="kinds")["Targets"])

    def test_rules_are_listed_by_prefix_and_in_pages(self):
        names = ["list-%d" % i for i in range(5)]
        for name in reversed(names):
            self.events.put_rule(Name=name, EventPattern=PATTERN)
        pages = self.events.get_paginator("list_rules").paginate(NamePrefix="list-", PaginationConfig={"PageSize": 2})
        got = [[rule["Name"] for rule in page["Rules"]] for page in pages]
        self.assertEqual([2, 2, 1], [len(page) for page in got])
        self.assertEqual(names, sum(got, []))
        self.assertEqual([], self.events.list_rules(NamePrefix="no-such")["Rules"])
        self.refused("ResourceNotFoundException", self.events.list_rules, EventBusName="other")

    def test_rules_are_paged_through_while_those_that_were_shown_are_deleted(self):
        names = {"gone-%d" % i for i in range(7)}
        for name in names:
            self.events.put_rule(Name=name, EventPattern=PATTERN)
        seen, token = [], {}
        while True:
            page = self.events.list_rules(NamePrefix="gone-", Limit=3, **token)
            for rule in page["Rules"]:
                seen.append(rule["Name"])
                self.events.delete_rule(Name=rule["Name"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual(sorted(names), sorted(seen))
        self.assertEqual([], self.events.list_rules(NamePrefix="gone-")["Rules"])

    def test_a_template_that_makes_no_json_of_any_event_is_refused_when_it_is_put(self):
        self.events.put_rule(Name="templates", EventPattern=PATTERN)

        def target(template):
            return [{"Id": "1", "Arn": FUNCTION + "f", "InputTransformer": {
                "InputPathsMap": {"a": "$.detail.a"}, "InputTemplate": template}}]
        for template in ('{"a":', "hello <a>", '{"a": <a> <a>}', '{"a": "x}'):
            self.assertIn("makes no JSON", self.refused(
                "ValidationException", self.events.put_targets, Rule="templates", Targets=target(template)))
        self.assertEqual([], self.events.list_targets_by_rule(Rule="templates")["Targets"])
        for template in ('<a>', '{<a>: 1}', '{"a": <a>}', '[<a>, "<a>"]', '"<a>"', '"one"\n"<a>"'):
            self.assertEqual(0, self.events.put_targets(
                Rule="templates", Targets=target(template))["FailedEntryCount"], template)

    def test_an_event_for_a_function_that_is_not_there_is_a_dead_letter(self):
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
        sqs = self.server.client("sqs")
        queue = sqs.create_queue(QueueName="no-function-letters")["QueueUrl"]
        self.events.put_rule(Name="no-function", EventPattern='{"source": ["no-function"]}')
        self.events.put_targets(Rule="no-function", Targets=[{
            "Id": "1", "Arn": FUNCTION + "never-made",
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:%s:%s:no-function-letters" % (REGION, ACCOUNT)}}])
        self.events.put_events(Entries=[{"Source": "no-function", "DetailType": "t", "Detail": '{"a": 1}'}])
        letters = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10, MessageAttributeNames=["All"])["Messages"]
        self.assertEqual({"a": 1}, json.loads(letters[0]["Body"])["detail"])
        attributes = {name: value["StringValue"] for name, value in letters[0]["MessageAttributes"].items()}
        self.assertEqual(("NO_RESOURCE", FUNCTION + "never-made"), (attributes["ERROR_CODE"], attributes["TARGET_ARN"]))
        self.assertIn("never-made", attributes["ERROR_MESSAGE"])

    def test_a_rules_state_is_shown_as_it_was_set_and_works(self):
        sqs = self.server.client("sqs")
        queue = sqs.create_queue(QueueName="state-of-a-rule")["QueueUrl"]
        whole = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        self.events.put_rule(Name="state-of-a-rule", EventPattern='{"source": ["stated"]}', State=whole)
        self.events.put_targets(Rule="state-of-a-rule", Targets=[{
            "Id": "1", "Arn": "arn:aws:sqs:%s:%s:state-of-a-rule" % (REGION, ACCOUNT)}])
        self.assertEqual(whole, self.events.describe_rule(Name="state-of-a-rule")["State"])
        self.events.put_events(Entries=[{"Source": "stated", "DetailType": "t", "Detail": "{}"}])
        self.assertEqual(1, len(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]))
        self.events.disable_rule(Name="state-of-a-rule")
        self.assertEqual("DISABLED", self.events.describe_rule(Name="state-of-a-rule")["State"])
        self.events.enable_rule(Name="state-of-a-rule")
        self.assertEqual("ENABLED", self.events.describe_rule(Name="state-of-a-rule")["State"])

    def test_tags_come_with_a_new_rule_alone_and_are_not_awss_own(self):
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
        arn = self.events.put_rule(Name="tagged-rule", EventPattern=PATTERN, Tags=[{"Key": "a", "Value": "b"}])["RuleArn"]
        self.events.put_rule(Name="tagged-rule", EventPattern=PATTERN, Tags=[{"Key": "a", "Value": "c"}])
        self.assertEqual([{"Key": "a", "Value": "b"}], self.events.list_tags_for_resource(ResourceARN=arn)["Tags"])
        own = [{"Key": "aws:a", "Value": "b"}]
        self.refused("ValidationException", self.events.tag_resource, ResourceARN=arn, Tags=own)
        self.refused("ValidationException", self.events.put_rule, Name="never-made", EventPattern=PATTERN, Tags=own)
        self.refused("ResourceNotFoundException", self.events.describe_rule, Name="never-made")
        self.refused("ValidationException", self.events.create_event_bus, Name="never-made", Tags=own)
        self.refused("ResourceNotFoundException", self.events.describe_event_bus, Name="never-made")

    def test_events_that_are_wrong_fail_alone(self):
        good = {"Source": "me", "DetailType": "t", "Detail": "{}", "Time": datetime.datetime(2024, 1, 2)}
        answer = self.events.put_events(Entries=[
            good, dict(good, Detail="{"), dict(good, Source="aws.s3"), {"DetailType": "t", "Detail": "{}"},
            dict(good, EventBusName="other"), dict(good, Detail="[]"), good])
        self.assertEqual(4, answer["FailedEntryCount"])
        codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
        self.assertEqual([None, "MalformedDetail", "NotAuthorizedForSourceException", "InvalidArgument",
                          None, "MalformedDetail", None], codes)  # a bus that is not there takes what nobody gets
        for entry in answer["Entries"]:
            self.assertTrue(entry.get("EventId") or entry["ErrorMessage"])
        self.refused("ValidationException", self.events.put_events, Entries=[good] * 11)
        # 256 KB for all entries of a call together.
        large = dict(good, Detail=json.dumps({"text": "x" * 130 * 1024}))
        self.assertEqual(0, self.events.put_events(Entries=[large])["FailedEntryCount"])
        self.assertEqual("Total size of the entries in the request is over the limit.",
                         self.refused("ValidationException", self.events.put_events, Entries=[large, large]))

    def test_a_pattern_is_tried_on_an_event(self):
        event = {"id": "1", "account": ACCOUNT, "source": "shop", "time": "2024-01-01T00:00:00Z", "region": REGION,
                 "resources": [], "detail-type": "order", "detail": {"total": 7, "name": "abc"}}
        for pattern, matches in (({"source": ["shop"]}, True), ({"source": ["other"]}, False),
                                 ({"detail": {"total": [{"numeric": [">=", 7]}]}}, True),
                                 ({"detail": {"name": [{"prefix": "b"}]}}, False),
                                 ({"detail": {"missing": [{"exists": False}]}}, True)):
            answer = self.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
            self.assertIs(matches, answer["Result"], pattern)
        self.refused("InvalidEventPatternException", self.events.test_event_pattern, EventPattern='{"a": 1}',
                     Event=json.dumps(event))
        del event["time"]
        self.assertIn("time", self.refused("ValidationException", self.events.test_event_pattern,
                                           EventPattern=PATTERN, Event=json.dumps(event)))

    def test_buses_come_and_go(self):
        arn = self.events.create_event_bus(Name="orders", Tags=[{"Key": "team", "Value": "blue"}])["EventBusArn"]
        self.assertEqual("arn:aws:events:%s:%s:event-bus/orders" % (REGION, ACCOUNT), arn)
        self.assertEqual("Event bus orders already exists.",
                         self.refused("ResourceAlreadyExistsException", self.events.create_event_bus, Name="orders"))
        self.refused("ValidationException", self.events.create_event_bus, Name="a/b")
        self.assertEqual(["default", "orders"], [bus["Name"] for bus in self.events.list_event_buses()["EventBuses"]])
        self.refused("ValidationException", self.events.list_event_buses, NextToken="!")
        self.assertEqual([{"Key": "team", "Value": "blue"}], self.events.list_tags_for_resource(ResourceARN=arn)["Tags"])
        self.events.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "red"}, {"Key": "x", "Value": ""}])
        self.events.untag_resource(ResourceARN=arn, TagKeys=["x"])
        self.assertEqual([{"Key": "team", "Value": "red"}], self.events.list_tags_for_resource(ResourceARN=arn)["Tags"])
        for call, more in ((self.events.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]}),
                           (self.events.untag_resource, {"TagKeys": ["a"]}), (self.events.list_tags_for_resource, {})):
            self.refused("ResourceNotFoundException", call, ResourceARN=arn + "-not", **more)
        self.events.put_permission(EventBusName="orders", StatementId="them", Principal="222222222222",
                                   Action="events:PutEvents")
        policy = json.loads(self.events.describe_event_bus(Name="orders")["Policy"])
        self.assertEqual("arn:aws:iam::222222222222:root", policy["Statement"][0]["Principal"]["AWS"])
        self.refused("ValidationException", self.events.put_permission, EventBusName="orders", StatementId="x",
                     Principal="nobody", Action="events:PutEvents")
        self.assertEqual("Statement with the provided id does not exist.",
                         self.refused("ResourceNotFoundException", self.events.remove_permission,
                                      EventBusName="orders", StatementId="others"))
        self.events.remove_permission(EventBusName="orders", StatementId="them")
        self.assertNotIn("Policy", self.events.describe_event_bus(Name="orders"))
        self.events.put_rule(Name="r", EventBusName="orders", EventPattern=PATTERN)
        self.assertIn(":rule/orders/r", self.events.describe_rule(Name="r", EventBusName="orders")["Arn"])
        self.assertIn("rules", self.refused("ValidationException", self.events.delete_event_bus, Name="orders"))
        self.events.delete_rule(Name="r", EventBusName="orders")
        if hasattr(self.events, "update_event_bus"):  # newer than the older client
            self.events.update_event_bus(Name="orders", Description="for orders")
            self.assertEqual("for orders", self.events.describe_event_bus(Name="orders")["Description"])
            self.refused("ResourceNotFoundException", self.events.update_event_bus, Name="none")
        self.events.delete_event_bus(Name="orders")
        self.assertEqual("Event bus orders does not exist.",
                         self.refused("ResourceNotFoundException", self.events.describe_event_bus, Name="orders"))
        self.assertEqual("Cannot delete event bus default.",
                         self.refused("ValidationException", self.events.delete_event_bus, Name="default"))

    def test_what_is_archived_is_replayed(self):
        bus = "arn:aws:events:%s:%s:event-bus/default" % (REGION, ACCOUNT)
        before = datetime.datetime.utcnow() - datetime.timedelta(minutes=1)
        arn = self.events.create_archive(ArchiveName="past", EventSourceArn=bus, EventPattern='{"source": ["kept"]}',
                                         RetentionDays=1)["ArchiveArn"]
        self.assertEqual("Archive past already exists.", self.refused(
            "ResourceAlreadyExistsException", self.events.create_archive, ArchiveName="past", EventSourceArn=bus))
        self.events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}
                                        for source in ("kept", "other", "kept")])
        shown = self.events.describe_archive(ArchiveName="past")
        self.assertEqual((2, 1, "ENABLED"), (shown["EventCount"], shown["RetentionDays"], shown["State"]))
        self.events.update_archive(ArchiveName="past", Description="of old")
        self.refused("ValidationException", self.events.update_archive, ArchiveName="past")
        self.assertEqual(["past"], [a["ArchiveName"] for a in self.events.list_archives(EventSourceArn=bus)["Archives"]])
        self.refused("ResourceNotFoundException", self.events.list_archives, EventSourceArn=bus + "-not")
        self.refused("ResourceNotFoundException", self.events.describe_archive, ArchiveName="none")
        # What is replayed goes to the rules that are there now: another archive shows that it came.
        self.events.create_event_bus(Name="again")
        replay = dict(EventSourceArn=arn, EventStartTime=before, Destination={"Arn": bus},
                      EventEndTime=datetime.datetime.utcnow() + datetime.timedelta(minutes=1))
        self.assertEqual("STARTING", self.events.start_replay(ReplayName="once", **replay)["State"])
        self.refused("ResourceAlreadyExistsException", self.events.start_replay, ReplayName="once", **replay)
        self.assertIn("Cross event bus", self.refused(
            "ValidationException", self.events.start_replay, ReplayName="x",
            **dict(replay, Destination={"Arn": bus.replace("default", "again")})))
        support.until(lambda: self.events.describe_replay(ReplayName="once")["State"] == "COMPLETED")
        self.assertIn("EventLastReplayedTime", self.events.list_replays(NamePrefix="on")["Replays"][0])
        self.refused("ResourceNotFoundException", self.events.describe_replay, ReplayName="none")
        self.refused("ValidationException", self.events.list_replays, NextToken="!")
        self.refused("IllegalStatusException", self.events.cancel_replay, ReplayName="once")
        for i in range(20):  # one may have ended before it is stopped
            self.events.start_replay(ReplayName="stopped-%d" % i, **replay)
            try:
                self.assertEqual("CANCELLING", self.events.cancel_replay(ReplayName="stopped-%d" % i)["State"])
                break
            except self.events.exceptions.IllegalStatusException:
                pass
        support.until(lambda: self.events.describe_replay(ReplayName="stopped-%d" % i)["State"] == "CANCELLED")
        self.events.delete_archive(ArchiveName="past")
        self.refused("ResourceNotFoundException", self.events.delete_archive, ArchiveName="past")
        self.events.delete_event_bus(Name="again")

    def test_a_finding_of_any_id_takes_no_other_event_with_it(self):
        arn = self.create_function("any-id", {"any.py": "def handler(event, context):\n    return 1\n"}, "any.handler")
        self.events.put_rule(Name="any-id", EventPattern='{"source": ["any-id"]}')
        self.events.put_targets(Rule="any-id", Targets=[{"Id": "1", "Arn": arn}])
        ids = ["nul/\0", "\U0001f600" * 6000, "".join(chr(48 + i * i % 61) for i in range(6000)), "plain"]
        answer = self.events.put_events(Entries=[
            {"Source": "any-id", "DetailType": "t", "Detail": json.dumps({"findings": [{"Id": i}]})} for i in ids])
        self.assertEqual(0, answer["FailedEntryCount"])
        began = [e for e in self.server.executions(30) if e["Program"] == arn]
        self.assertEqual(["", "", "", "plain"], sorted(e["Subject"] for e in began))
        self.assertEqual(["returned"] * 4, [e["Outcome"] for e in began])

    def test_an_operation_that_is_not_there_says_so(self):
        for call in (self.events.list_endpoints, self.events.list_event_sources):
            self.assertRegex(self.refused("NotImplemented", call), "^events:[A-Za-z]+ is not there in this version")
            self.assertEqual(501, self.status)


class Deliveries(support.ServerTest):
    """What a rule sends to a queue, and what it cannot send."""

    def setUp(self):
        self.sqs = self.server.client("sqs")

    def queue(self, name):
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def received(self, url):
        return self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"][0]

    def put(self, source, detail):
        answer = self.events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}])
        self.assertEqual(0, answer["FailedEntryCount"])

    def test_a_queue_gets_what_the_template_makes(self):
        url, arn = self.queue("made")
        self.events.put_rule(Name="made", EventPattern='{"source": ["made"]}')
        self.events.put_targets(Rule="made", Targets=[{"Id": "1", "Arn": arn, "InputTransformer": {
            "InputPathsMap": {"who": "$.detail.who", "list": "$.detail.list"},
            "InputTemplate": '"<who> of <list>"\n"by <aws.events.rule-name>"'}}])
        self.put("made", {"who": "me", "list": ["a", "b"]})
        self.assertEqual('"me of [a,b]"\n"by made"', self.received(url)["Body"])

    def test_a_target_may_be_a_queue_that_is_not_there(self):
        # AWS looks when it delivers.
        dead, dead_arn = self.queue("dead-of-none")
        self.events.put_rule(Name="none", EventPattern='{"source": ["none"]}')
        self.events.put_targets(Rule="none", Targets=[{"Id": "1", "Arn": dead_arn.replace("dead-of-none", "no-queue"),
                                                       "DeadLetterConfig": {"Arn": dead_arn}}])
        self.put("none", {"n": 1})
        self.assertEqual("NO_RESOURCE", self.received(dead)["MessageAttributes"]["ERROR_CODE"]["StringValue"])

    def test_what_cannot_be_delivered_lies_in_the_dead_letter_queue(self):
        dead, dead_arn = self.queue("dead")
        url, arn = self.queue("gone")
        self.events.put_rule(Name="gone", EventPattern='{"source": ["gone"]}')
        self.events.put_targets(Rule="gone", Targets=[{"Id": "1", "Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}}])
        self.sqs.delete_queue(QueueUrl=url)
        self.put("gone", {"n": 1})
        letter = self.received(dead)
        self.assertEqual({"n": 1}, json.loads(letter["Body"])["detail"])
        said = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        self.assertEqual((arn, "NO_RESOURCE", "0"), (said["TARGET_ARN"], said["ERROR_CODE"], said["RETRY_ATTEMPTS"]))
        self.assertTrue(said["RULE_ARN"].endswith(":rule/gone"))
