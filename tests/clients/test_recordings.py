"""What EventBridge itself answered, held against what is answered here.

The recordings are shared data (`conformance/events-aws-recordings`: a file of `{test: {recorded-content: {step:
answer}}}`); the requests that lead to the answers are made here. What a recording has is compared whole: the members
that an answer has, error codes and messages, the order of lists, the HTTP status. A recording has words in the place
of what differs from run to run: `<name>` and `<name:1>` stand for one text wherever they appear in a recording, and
those of one name with other numbers for other texts; WORDS stand for any text of their kind.

Every recording is either tried here or named in `data/recordings_skipped.json`, with the reason.
"""
import datetime
import glob
import itertools
import json
import os
import re
import time
import unittest

import support
from support import ACCOUNT, REGION

OTHER_REGION = "eu-central-1"
OTHER_ACCOUNT = "222222222222"
SKIPPED = json.loads(support.read(support.HERE, "data", "recordings_skipped.json"))

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
# A word that a recording has for a whole text that is another each time.
WORDS = {"date": TIME, "receipt-handle": ".+", "m-d5-of-body": "[0-9a-f]{32}", "<md5-hash>": "[0-9a-f]{32}",
         "event-id": "[0-9a-f-]{36}", "message-id": "[0-9a-f-]{36}", "topic-arn": "arn:aws:sns:.+",
         "signature": "[A-Za-z0-9+/=]+", "signing-cert-u-r-l": "http.+", "unsubscribe-u-r-l": "http.+",
         "api-destination-arn": "arn:aws:events:.+:api-destination/.+", "connection-arn": "arn:aws:events:.+:connection/.+",
         "replay-name": ".+", "target-arn": "arn:.+", "target-id": "[^<>]+", "target-id-one": "[^<>]+",
         "target-id-two": "[^<>]+"}

PATTERN = {"source": ["core.update-account-command"], "detail-type": ["core.update-account-command"],
           "detail": {"command": ["update-account"]}}
DETAIL = {"command": "update-account", "payload": {"acc_id": "0a787ecb-4015", "sf_id": "baz"}}
SOURCE = "core.update-account-command"


def entry(detail=None, source=SOURCE, **more):
    detail = DETAIL if detail is None else detail
    return dict({"Source": source, "DetailType": SOURCE,
                 "Detail": detail if isinstance(detail, str) else json.dumps(detail)}, **more)


class Compared:
    """Holds answers against one recording; the texts of its placeholders are the same in all of them."""

    def __init__(self):
        self.texts = {}

    def differences(self, recorded, got, at="answer"):
        if isinstance(recorded, (dict, list)) and isinstance(got, str):
            try:
                got = json.loads(got)  # recordings have texts of JSON read
            except ValueError:
                return ["%s: %r is no JSON text" % (at, got)]
        if isinstance(recorded, dict):
            if not isinstance(got, dict):
                return ["%s: %r instead of %r" % (at, got, recorded)]
            out = ["%s has no %s" % (at, key) for key in recorded if key not in got]
            out += ["%s has %s too: %r" % (at, key, got[key]) for key in got if key not in recorded]
            for key in recorded:
                if key in got:
                    out += self.differences(recorded[key], got[key], at + "." + key)
            return out
        if isinstance(recorded, list):
            if not isinstance(got, list) or len(got) != len(recorded):
                return ["%s: %r instead of %r" % (at, got, recorded)]
            return sum((self.differences(r, g, "%s[%d]" % (at, i)) for i, (r, g) in enumerate(zip(recorded, got))), [])
        if isinstance(recorded, str):
            return self.of_text(recorded, got, at)
        return [] if recorded == got and isinstance(got, bool) == isinstance(recorded, bool) else [
            "%s: %r instead of %r" % (at, got, recorded)]

    def of_text(self, recorded, got, at):
        if recorded == "datetime":
            return [] if isinstance(got, datetime.datetime) else ["%s: %r is no time" % (at, got)]
        if recorded == "detail" and isinstance(got, dict):
            return []
        if not isinstance(got, str):
            return ["%s: %r instead of %r" % (at, got, recorded)]
        if recorded in WORDS:
            return [] if re.fullmatch(WORDS[recorded], got, re.S) else ["%s: %r instead of a %s" % (at, got, recorded)]
        names = []
        pattern = ""
        for i, part in enumerate(re.split(r"(<<?[a-z_][a-z0-9_ -]*>?(?::\d+)?>|\bdate\b|<[a-z-]+$)", recorded)):
            if i % 2 == 0:
                pattern += re.escape(part)
            elif part == "date":
                pattern += TIME
            elif part in names:
                pattern += "(?P=p%d)" % names.index(part)
            else:
                pattern += "(?P<p%d>.+?)" % len(names)
                names.append(part)
        found = re.fullmatch(pattern, got, re.S)
        if not found:
            return ["%s: %r instead of %r" % (at, got, recorded)]
        return sum((self.bind(name, found.group("p%d" % i), at) for i, name in enumerate(names)), [])

    def bind(self, name, text, at):
        known = self.texts.setdefault(name, text)
        if known != text:
            return ["%s: %s is %r here and was %r before" % (at, name, text, known)]
        stem = re.sub(r":\d+>$", "", name)
        same = [other for other in self.texts
                if other != name and re.sub(r":\d+>$", "", other) == stem and self.texts[other] == text]
        return ["%s: %s is what %s is: %r" % (at, name, same[0], text)] if same else []


class Case:
    """One recording: calls of its own, with names of its own."""

    count = 0

    def __init__(self, test, recorded):
        Case.count += 1
        self.test, self.recorded = test, recorded
        self.server = test.server
        self.steps = set()
        self.compared = Compared()
        self.problems = []
        self.events = self.client("events")
        self.sqs = self.client("sqs")

    def client(self, service, region=REGION, account=ACCOUNT):
        key = (service, region, account)
        clients = self.test.clients
        if key not in clients:
            credentials = {}
            if account != ACCOUNT:
                issued = self.client("sts").assume_role(RoleArn="arn:aws:iam::%s:role/r" % account,
                                                        RoleSessionName="recordings")["Credentials"]
                credentials = dict(key=issued["AccessKeyId"], secret=issued["SecretAccessKey"],
                                   token=issued["SessionToken"])
            clients[key] = self.server.client(service, region=region, **credentials)
        return clients[key]

    def name(self, stem):
        return "%s-%d" % (stem, Case.count)

    def step(self, name, got, leave=(), shape=None):
        """What was answered in that step. `leave` names members whose value is not compared."""
        self.steps.add(name)
        if name not in self.recorded:
            self.problems.append("there is no step %s; there are %s" % (name, ", ".join(self.recorded)))
            return
        recorded = known(clean(self.recorded[name]), shape)
        got = clean(got)
        for member in leave:
            hide(recorded, member)
            hide(got, member)
        self.problems += ["%s: %s" % (name, one) for one in self.compared.differences(recorded, got)]

    def call(self, name, operation, leave=(), client=None, **arguments):
        """Calls an operation of EventBridge; its answer, or error, is the step's."""
        client = client or self.events
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).output_shape
        try:
            answer = getattr(client, operation)(**arguments)
        except support.botocore.exceptions.ClientError as error:
            answer = {"Error": {key: error.response["Error"][key] for key in ("Code", "Message")},
                      "ResponseMetadata": error.response["ResponseMetadata"]}
        self.step(name, answer, leave, shape)
        return answer

    def end(self):
        missing = [step for step in self.recorded if step not in self.steps]
        if missing:
            self.problems.append("not tried: " + ", ".join(missing))
        self.test.assertEqual([], self.problems, "\n" + "\n".join(self.problems))

    # What many need.

    def bus(self, custom=True, client=None, stem="bus"):
        if not custom:
            return "default"
        name = self.name(stem)
        (client or self.events).create_event_bus(Name=name)
        return name

    def rule(self, bus="default", pattern=None, stem="rule", client=None):
        name = self.name(stem)
        (client or self.events).put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern or PATTERN))
        return name

    def queue(self, stem="queue", client=None):
        client = client or self.sqs
        url = client.create_queue(QueueName=self.name(stem))["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def target(self, rule, arn, bus="default", client=None, id=None, **more):
        answer = (client or self.events).put_targets(
            Rule=rule, EventBusName=bus, Targets=[dict(Id=id or self.name("target"), Arn=arn, **more)])
        self.test.assertEqual(0, answer["FailedEntryCount"], answer)

    def put(self, *entries, client=None):
        answer = (client or self.events).put_events(Entries=list(entries))
        self.test.assertEqual(0, answer["FailedEntryCount"], answer)
        return answer

    def received(self, url, count, client=None):
        """The messages of a queue: when an event was taken, what it is to deliver is there."""
        client = client or self.sqs
        out = []
        while len(out) < count:
            got = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages", [])
            self.test.assertTrue(got, "of %d messages %d came" % (count, len(out)))
            for message in got:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            out += got
        more = client.receive_message(QueueUrl=url).get("Messages", [])
        self.test.assertEqual([], more, "more messages than %d came" % count)
        return out

    def bodies(self, url, count):
        return [json.loads(message["Body"]) for message in self.received(url, count)]


def clean(answer):
    """Without what of a response's metadata is of one run."""
    if isinstance(answer, list):
        return [clean(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    return {key: {"HTTPStatusCode": value["HTTPStatusCode"]} if key == "ResponseMetadata" else clean(value)
            for key, value in answer.items()}


def known(answer, shape):
    """Without the members that are newer than this boto3, which leaves them out of what it gives."""
    if shape is not None and shape.type_name == "structure" and isinstance(answer, dict):
        return {key: known(value, shape.members.get(key)) for key, value in answer.items()
                if key in shape.members or key in ("Error", "ResponseMetadata")}
    if shape is not None and shape.type_name == "list" and isinstance(answer, list):
        return [known(one, shape.member) for one in answer]
    return answer


def hide(answer, member):
    if isinstance(answer, list):
        for one in answer:
            hide(one, member)
    elif isinstance(answer, dict):
        for key in answer:
            if key == member:
                answer[key] = "not compared"
            else:
                hide(answer[key], member)


TRIED = {}


def tries(*names):
    """The function tries these recordings; it gets what stands in the name's brackets, where it takes that."""
    def note(function):
        for name in names:
            TRIED[name] = function
        return function
    return note


def both(name):
    return [name + "[custom]", name + "[default]"]


# Events that are wrong, and events' times.

@tries("TestEvents::test_put_events_without_source")
def _(case):
    case.call("put-events", "put_events", Entries=[{"DetailType": "t", "Detail": "{}"}])


@tries("TestEvents::test_put_event_without_detail")
def _(case):
    case.call("put-events", "put_events", Entries=[{"Source": "s", "DetailType": "t"}])


@tries("TestEvents::test_put_event_without_detail_type")
def _(case):
    case.call("put-events", "put_events", Entries=[{"Source": "s", "Detail": "{}"}])


@tries("TestEvents::test_put_event_with_too_big_detail")
def _(case):
    case.call("put-events-too-big-detail-error", "put_events", Entries=[entry({"payload": "p" * 256 * 1024})])


@tries(*("TestEvents::test_put_event_malformed_detail[%s]" % kind
         for kind in ("STRING", "ARRAY", "MALFORMED_JSON", "SERIALIZED_STRING")))
def _(case, kind):
    case.call("put-events", "put_events", Entries=[entry({
        "STRING": "text", "ARRAY": '["a", "b"]', "MALFORMED_JSON": '{"a": "b"', "SERIALIZED_STRING": '"text"'}[kind])])


@tries("TestEvents::test_put_events_time")
def _(case):
    url, arn = case.queue()
    rule = case.rule(pattern={"source": [SOURCE], "detail": {"message": [{"suffix": " time"}]}})
    case.target(rule, arn)
    for message, time in (("short time", datetime.datetime(2022, 1, 1)),
                          ("new time", datetime.datetime(2022, 1, 1, 12, 30)),
                          ("long time", datetime.datetime(2022, 1, 1, 12, 30, 10, 123456))):
        case.put(entry({"message": message}, Time=time))
    case.step("messages", case.received(url, 3))


@tries("TestEvents::test_put_events_with_time_field")
def _(case):
    url, arn = case.queue()
    case.target(case.rule(pattern={"source": ["test-source"]}), arn)
    case.call("put-events", "put_events", Entries=[dict(
        entry({"message": "test message"}, "test-source", Time=datetime.datetime(2024, 5, 1, 9)),
        DetailType="test-detail-type")])
    case.step("sqs-messages", case.received(url, 1))


@tries(*both("TestEvents::test_put_events_exceed_limit_ten_entries"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    try:
        case.events.put_events(Entries=[entry(EventBusName=bus)] * 11)
    except case.events.exceptions.ClientError as error:
        said = error.response["Error"]
        status = error.response["ResponseMetadata"]
    # AWS prints its own objects with the events in them; what they break is the same.
    step = "put-events-exceed-limit-error"
    recorded = case.recorded[step]["Error"]["Message"]
    case.recorded[step]["Error"]["Message"] = recorded[recorded.index("at 'entries'"):]
    said["Message"] = said["Message"][said["Message"].index("at 'entries'"):]
    case.step(step, {"Error": {k: said[k] for k in ("Code", "Message")}, "ResponseMetadata": status})


@tries("TestEvents::test_put_events_response_entries_order")
def _(case):
    bus = case.bus()
    one, one_arn = case.queue("one")
    two, two_arn = case.queue("two")
    for stem, arn in (("first", one_arn), ("second", two_arn)):
        case.target(case.rule(bus, stem=stem), arn, bus)
    case.call("put-events-response", "put_events", Entries=[entry(EventBusName=bus)])
    case.step("sqs-messages", {"queue1_messages": case.received(one, 1), "queue2_messages": case.received(two, 1)})


@tries("TestEvents::test_put_events_with_target_delivery_failure")
def _(case):
    url, arn = case.queue()
    case.sqs.delete_queue(QueueUrl=url)
    case.target(case.rule(), arn)
    case.call("put-events-response", "put_events", Entries=[entry()])


# Buses and who may put events on them.

@tries(*("TestEventBus::test_create_list_describe_delete_custom_event_buses[%s-regions%d]" % (described, regions)
         for described in (True, False) for regions in (0, 1)))
def _(case, kind):
    described, regions = kind.split("-")
    name = case.name("bus")
    more = {"Description": "test bus"} if described == "True" else {}
    if more and not hasattr(case.events, "update_event_bus"):
        raise unittest.SkipTest("this boto3 knows no descriptions of buses")
    regions = [REGION] if regions == "regions0" else [REGION, "us-west-1", "eu-central-1"]
    for region in regions:
        # <region> is each of them.
        case.compared.texts.pop("<region>", None)
        events = case.client("events", region)
        case.call("create-custom-event-bus-" + region, "create_event_bus", client=events, Name=name, **more)
        case.call("list-event-buses-after-create-" + region, "list_event_buses", client=events, NamePrefix=name)
        case.call("describe-custom-event-bus-" + region, "describe_event_bus", client=events, Name=name)
    for region in regions:
        events = case.client("events", region)
        case.call("delete-custom-event-bus-" + region, "delete_event_bus", client=events, Name=name)
        case.call("list-event-buses-after-delete-" + region, "list_event_buses", client=events, NamePrefix=name)


@tries("TestEventBus::test_create_multiple_event_buses_same_name")
def _(case):
    case.call("create-multiple-event-buses-same-name", "create_event_bus", Name=case.bus())


@tries("TestEventBus::test_describe_delete_not_existing_event_bus")
def _(case):
    case.call("describe-not-existing-event-bus-error", "describe_event_bus", Name=case.name("none"))
    case.call("delete-not-existing-event-bus", "delete_event_bus", Name=case.name("none"))


@tries("TestEventBus::test_delete_default_event_bus")
def _(case):
    case.call("delete-default-event-bus-error", "delete_event_bus", Name="default")


@tries("TestEventBus::test_list_event_buses_with_prefix")
def _(case):
    prefix = case.name("prefixed")
    name = prefix + "-bus"
    for one in (name, case.name("unlike")):
        case.events.create_event_bus(Name=one)
    case.call("list-event-buses-prefix-complete-name", "list_event_buses", NamePrefix=name)
    case.call("list-event-buses-prefix", "list_event_buses", NamePrefix=prefix)


@tries("TestEventBus::test_list_event_buses_with_limit")
def _(case):
    prefix = case.name("listed")
    for i in range(6):
        case.events.create_event_bus(Name="%s-%d" % (prefix, i))
    page = case.call("list-event-buses-limit", "list_event_buses", NamePrefix=prefix, Limit=3)
    case.call("list-event-buses-limit-next-token", "list_event_buses", NamePrefix=prefix, Limit=3,
              NextToken=page["NextToken"])


@tries(*both("TestEventBus::test_put_permission"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    allow = dict(EventBusName=bus, Action="events:PutEvents")
    case.call("put-permission", "put_permission", Principal=ACCOUNT, StatementId="sid-1", **allow)
    case.events.put_permission(Principal=ACCOUNT, StatementId="sid-2", **allow)
    case.events.put_permission(Principal=OTHER_ACCOUNT, StatementId="sid-3", **allow)
    case.call("describe-event-bus-put-permission-multiple-principals", "describe_event_bus", Name=bus)
    case.events.put_permission(Principal="*", StatementId="sid-4", **allow)
    case.call("describe-event-bus-put-permission", "describe_event_bus", Name=bus)
    case.call("put-permission-policy", "put_permission", EventBusName=bus, Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Sid": "sid-5", "Effect": "Allow", "Action": "events:ListRules",
                                                 "Principal": {"Service": "events.amazonaws.com"}, "Resource": "*"}]}))
    case.call("describe-event-bus-put-permission-policy", "describe_event_bus", Name=bus)
    case.events.remove_permission(EventBusName=bus, RemoveAllPermissions=True)


@tries("TestEventBus::test_put_permission_non_existing_event_bus")
def _(case):
    case.call("remove-permission-non-existing-sid-error", "put_permission", EventBusName=case.name("none"),
              Action="events:PutEvents", Principal="*", StatementId="sid")


@tries(*both("TestEventBus::test_remove_permission"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    for sid, principal in (("first", ACCOUNT), ("second", OTHER_ACCOUNT)):
        case.events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal=principal, StatementId=sid)
    case.call("remove-permission", "remove_permission", EventBusName=bus, StatementId="first")
    case.call("describe-event-bus-remove-permission", "describe_event_bus", Name=bus)
    case.call("remove-permission-all", "remove_permission", EventBusName=bus, RemoveAllPermissions=True)
    case.call("describe-event-bus-remove-permission-all", "describe_event_bus", Name=bus)


@tries(*("TestEventBus::test_remove_permission_non_existing_sid[%s-%s]" % (policy, kind)
         for policy in (True, False) for kind in ("custom", "default")))
def _(case, kind):
    policy, kind = kind.split("-")
    bus = case.bus(kind == "custom")
    if policy == "True":
        case.events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal="*", StatementId="sid")
    case.call("remove-permission-non-existing-sid-error", "remove_permission", EventBusName=bus, StatementId="none")
    case.events.remove_permission(EventBusName=bus, RemoveAllPermissions=True)


@tries(*("TestEventBus::test_put_events_bus_to_bus[%s]" % kind for kind in ("standard", "domain", "path")))
def _(case, _kind):
    first, second = case.bus(stem="first"), case.bus(stem="second")
    url, arn = case.queue()
    case.target(case.rule(first), "arn:aws:events:%s:%s:event-bus/%s" % (REGION, ACCOUNT, second), first,
                RoleArn=support.ROLE)
    case.target(case.rule(second), arn, second)
    case.put(entry(EventBusName=first))
    case.step("messages", case.received(url, 1))


@tries(*("TestEventsTargetEvents::test_put_events_with_target_events[bus_combination%d]" % i for i in range(3)))
def _(case, kind):
    source, destination = {"bus_combination0": (True, True), "bus_combination1": (True, False),
                           "bus_combination2": (False, True)}[kind]
    first, second = case.bus(source, stem="first"), case.bus(destination, stem="second")
    url, arn = case.queue()
    name = case.name("on-its-way")
    pattern = dict(PATTERN, source=[name])
    case.target(case.rule(first, pattern, "one"), "arn:aws:events:%s:%s:event-bus/%s" % (REGION, ACCOUNT, second),
                first, RoleArn=support.ROLE)
    case.target(case.rule(second, pattern, "two"), arn, second)
    case.put(entry(source=name, EventBusName=first))
    [message] = case.received(url, 1)
    message["Body"] = message["Body"].replace(name, SOURCE)
    case.step("messages", [message])


@tries("TestEventBus::test_put_events_nonexistent_event_bus")
def _(case):
    url, arn = case.queue()
    case.target(case.rule(pattern={"source": ["MySource"]}), arn)
    mine = dict(Source="MySource", DetailType="CustomType")
    none = case.name("none")
    case.call("put-events", "put_events", Entries=[
        dict(mine, Detail=json.dumps({"message": "for the default event bus"})),
        dict(mine, Detail=json.dumps({"message": "for a bus that is not there"}), EventBusName=none)])
    case.step("get-events", case.received(url, 1))
    case.call("non-existent-bus-error", "describe_event_bus", Name=none)


def _across(case, kind):
    custom, other = kind.split("-", 1)
    region = OTHER_REGION if "region" in other else REGION
    account = OTHER_ACCOUNT if "account" in other else ACCOUNT
    there, there_sqs = case.client("events", region, account), case.client("sqs", region, account)
    bus = case.bus(custom == "custom", stem="near")
    far = case.bus(custom == "custom", there, "far")
    near_url, near_arn = case.queue("near")
    url_of_near, arn_of_near = case.queue("far-of-near", there_sqs)
    url_of_far, arn_of_far = case.queue("far-of-far", there_sqs)
    if account != ACCOUNT:
        there.put_permission(EventBusName=far, Action="events:PutEvents", Principal=ACCOUNT, StatementId="near")
    name = case.name("source")
    near_source, far_source = name + "-primary", name + "-secondary"
    rule = case.rule(bus, {"source": [near_source]}, "near")
    case.target(rule, near_arn, bus)
    case.target(rule, "arn:aws:events:%s:%s:event-bus/%s" % (region, account, far), bus, id="far",
                RoleArn=support.ROLE)
    case.target(case.rule(far, {"source": [near_source]}, "of-near", there), arn_of_near, far, there)
    case.target(case.rule(far, {"source": [far_source]}, "of-far", there), arn_of_far, far, there)
    case.put(entry(source=near_source, EventBusName=bus))
    case.put(entry(source=far_source, EventBusName=far), client=there)

    def named(messages):
        return [dict(message, Body=message["Body"].replace(name, "source")) for message in messages]
    case.step("messages_primary_queue_from_primary_event_bus", named(case.received(near_url, 1)))
    case.step("messages_secondary_queue_from_primary_event_bus", named(case.received(url_of_near, 1, there_sqs)))
    case.step("messages_secondary_queue_from_secondary_event_bus", named(case.received(url_of_far, 1, there_sqs)))


tries(*("test_event_bus_to_event_bus_cross_account_region[%s-%s]" % (bus, other)
        for bus in ("default", "custom") for other in ("region", "account", "region_account")))(_across)


@tries("TestEventsCrossAccountRegion::test_put_events[custom-account]")
def _(case):
    there, there_sqs = case.client("events", account=OTHER_ACCOUNT), case.client("sqs", account=OTHER_ACCOUNT)
    far = case.bus(client=there)
    url, arn = case.queue(client=there_sqs)
    there.put_permission(EventBusName=far, Action="events:PutEvents", Principal=ACCOUNT, StatementId="near")
    case.target(case.rule(far, {"source": ["source-primary"]}, client=there), arn, far, there)
    case.put(entry(source="source-primary",
                   EventBusName="arn:aws:events:%s:%s:event-bus/%s" % (REGION, OTHER_ACCOUNT, far)))
    case.step("messages", case.received(url, 1, there_sqs))


# Rules.

@tries(*both("TestEventRule::test_put_list_with_prefix_describe_delete_rule"))
def _(case, kind):
    bus, name = case.bus(kind == "custom"), case.name("rule")
    case.call("put-rule", "put_rule", Name=name, EventBusName=bus, EventPattern=json.dumps(PATTERN))
    case.call("list-rules", "list_rules", NamePrefix=name, EventBusName=bus)
    case.call("describe-rule", "describe_rule", Name=name, EventBusName=bus)
    case.call("delete-rule", "delete_rule", Name=name, EventBusName=bus)
    case.call("list-rules-after-delete", "list_rules", NamePrefix=name, EventBusName=bus)


@tries("TestEventRule::test_put_multiple_rules_with_same_name")
def _(case):
    put = dict(Name=case.name("rule"), EventBusName=case.bus(), EventPattern=json.dumps(PATTERN))
    case.call("put-rule", "put_rule", **put)
    case.call("re-put-rule", "put_rule", **put)
    case.call("list-rules", "list_rules", EventBusName=put["EventBusName"])


@tries("TestEventRule::test_list_rule_with_limit")
def _(case):
    bus, prefix = case.bus(), case.name("rule")
    for i in range(6):
        case.events.put_rule(Name="%s-%d" % (prefix, i), EventBusName=bus, EventPattern=json.dumps(PATTERN))
    page = case.call("list-rules-limit", "list_rules", Limit=3, EventBusName=bus)
    case.call("list-rules-limit-next-token", "list_rules", Limit=3, EventBusName=bus, NextToken=page["NextToken"])


@tries("TestEventRule::test_describe_nonexistent_rule")
def _(case):
    case.call("describe-not-existing-rule-error", "describe_rule", Name=case.name("none"))


@tries(*both("TestEventRule::test_disable_re_enable_rule"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    named = dict(Name=case.rule(bus), EventBusName=bus)
    case.call("disable-rule", "disable_rule", **named)
    case.call("describe-rule-disabled", "describe_rule", **named)
    case.call("enable-rule", "enable_rule", **named)
    case.call("describe-rule-enabled", "describe_rule", **named)


@tries("TestEventRule::test_delete_rule_with_targets")
def _(case):
    rule = case.rule()
    case.target(rule, case.queue()[1])
    case.call("delete-rule-with-targets-error", "delete_rule", Name=rule)


@tries("TestEventRule::test_update_rule_with_targets")
def _(case):
    rule = case.rule()
    case.target(rule, case.queue()[1])
    case.call("list-targets", "list_targets_by_rule", Rule=rule)
    case.call("update-rule", "put_rule", Name=rule, EventPattern=json.dumps(dict(PATTERN, source=["another"])))
    case.call("list-targets-after-update", "list_targets_by_rule", Rule=rule)


@tries("TestEventRule::test_process_to_multiple_matching_rules_single_target")
def _(case):
    bus = case.bus()
    url, arn = case.queue()
    for stem in ("one", "two"):
        case.target(case.rule(bus, stem=stem), arn, bus)
    case.put(entry(EventBusName=bus))
    case.step("events", case.bodies(url, 2))


@tries("TestEventRule::test_process_to_single_matching_rules_single_target")
def _(case):
    bus = case.bus()
    sources = ["source-one", "source-two", "source-three"]
    urls = []
    for i in range(3):
        url, arn = case.queue("queue-%d" % i)
        case.target(case.rule(bus, {"source": sources[:i + 1]}, "rule-%d" % i), arn, bus)
        urls.append(url)
    for source in sources:
        case.put(entry(source=source, EventBusName=bus))
    for i, url in enumerate(urls):
        case.step("events-" + sources[i], case.bodies(url, i + 1))


@tries("TestEventRule::test_process_pattern_to_single_matching_rules_single_target")
def _(case):
    bus = case.bus()
    one, one_arn = case.queue("one")
    two, two_arn = case.queue("two")

    def made(name):
        return {"InputTransformer": {"InputPathsMap": {"detail": "$.detail"}, "InputTemplate": '{"%s": <detail>}' % name}}
    payload = case.rule(bus, {"detail": {"payload": {"id": [{"exists": True}]}}}, "payload")
    case.target(payload, one_arn, bus, id="one", **made("detail-payload-with-id"))
    case.target(payload, two_arn, bus, id="two", **made("detail-payload-with-id"))
    case.target(case.rule(bus, {"detail": {"id": [{"exists": True}]}}, "id"), two_arn, bus, **made("detail-with-id"))
    case.put(entry({"payload": {"id": "123"}}, EventBusName=bus))
    case.put(entry({"id": "123"}, EventBusName=bus))
    case.step("events-1", case.bodies(one, 1))
    case.step("events-2", case.bodies(two, 2))


def rules_of_target(case, bus, prefix, count):
    arn = case.queue()[1]
    for i in range(count):
        case.events.put_rule(Name="%s%d" % (prefix, i), EventBusName=bus, EventPattern=json.dumps(PATTERN))
        case.target("%s%d" % (prefix, i), arn, bus)
    return arn


@tries(*both("TestEventRule::test_list_rule_names_by_target"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    arn = rules_of_target(case, bus, case.name("rule-"), 3)
    case.call("list_rule_names_by_target", "list_rule_names_by_target", TargetArn=arn, EventBusName=bus)


@tries(*both("TestEventRule::test_list_rule_names_by_target_with_limit"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    arn = rules_of_target(case, bus, case.name("rule-"), 5)
    page = {}
    for step in ("first_page", "second_page", "third_page"):
        more = {"NextToken": page["NextToken"]} if page else {}
        page = case.call(step, "list_rule_names_by_target", TargetArn=arn, EventBusName=bus, Limit=2, **more)


@tries(*both("TestEventRule::test_list_rule_names_by_target_no_matches"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    case.rule(bus)
    case.call("list_rule_names_by_target_no_matches", "list_rule_names_by_target", TargetArn=case.queue()[1],
              EventBusName=bus)


@tries("TestEventPattern::test_put_events_pattern_with_values_in_array")
def _(case):
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus, {"detail": {"event": {"data": {"type": ["1", "2"]}}}}), arn, bus, InputPath="$.detail")
    for types in (["3", "1"], ["2"], ["3"]):
        case.put(entry({"event": {"data": {"type": types}}}, EventBusName=bus))
    case.step("messages", case.received(url, 2))


@tries("TestEventPattern::test_put_events_pattern_nested")
def _(case):
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus, {"detail": {"event": {"data": {"type": ["1"]}}}}), arn, bus, InputPath="$.detail")
    for detail in ({"event": {"data": {"type": "1"}}}, {"event": {"data": {"type": "2"}}}, {"hello": "world"}):
        case.put(entry(detail, EventBusName=bus))
    case.step("messages", case.received(url, 1))


# Targets.

@tries(*both("TestEventTarget::test_put_list_remove_target"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    of = dict(Rule=case.rule(bus), EventBusName=bus)
    case.call("put-target", "put_targets", Targets=[{"Id": "one", "Arn": case.queue()[1]}], **of)
    case.call("list-targets", "list_targets_by_rule", **of)
    case.call("remove-target", "remove_targets", Ids=["one"], **of)
    case.call("list-targets-after-delete", "list_targets_by_rule", **of)


@tries("TestEventTarget::test_add_exceed_fife_targets_per_rule")
def _(case):
    rule, arn = case.rule(), case.queue()[1]
    case.call("put-targets-client-error", "put_targets", Rule=rule,
              Targets=[{"Id": "id-%d" % i, "Arn": arn} for i in range(7)])


@tries("TestEventTarget::test_list_target_by_rule_limit")
def _(case):
    rule, arn = case.rule(), case.queue()[1]
    for i in range(5):
        case.target(rule, arn, id="id-%d" % i)
    page = case.call("list-targets-limit", "list_targets_by_rule", Rule=rule, Limit=3)
    case.call("list-targets-limit-next-token", "list_targets_by_rule", Rule=rule, Limit=3, NextToken=page["NextToken"])


@tries("TestEventTarget::test_put_target_id_validation")
def _(case):
    rule, arn = case.rule(), case.queue()[1]
    case.call("put-targets-invalid-id-error", "put_targets", Rule=rule, Targets=[{"Id": "!@#$@!#$", "Arn": arn}])
    # The recording has a name in the place of the long id.
    step = "put-targets-length-error"
    case.recorded[step]["Error"]["Message"] = case.recorded[step]["Error"]["Message"].replace(
        "second-invalid-target-id", "<long-id>")
    case.call(step, "put_targets", Rule=rule, Targets=[{"Id": "a" * 65, "Arn": arn}])


@tries("TestEventTarget::test_put_multiple_targets_with_same_id_single_rule")
def _(case):
    rule, arn = case.rule(), case.queue()[1]
    case.target(rule, arn, id="same", InputPath="$.detail")
    case.target(rule, arn, id="same", InputPath="$.notexisting")
    case.call("list-targets", "list_targets_by_rule", Rule=rule)


@tries("TestEventTarget::test_put_multiple_targets_with_same_id_across_different_rules")
def _(case):
    arn = case.queue()[1]
    for number, path in (("one", "$.detail"), ("two", "$.notexisting")):
        rule = case.rule(stem=number)
        case.target(rule, arn, id="same", InputPath=path)
        case.call("list-targets-rule-" + number, "list_targets_by_rule", Rule=rule)


@tries("TestEventTarget::test_put_multiple_targets_with_same_arn_single_rule")
def _(case):
    rule, arn = case.rule(), case.queue()[1]
    case.target(rule, arn, id="one", InputPath="$.detail")
    case.target(rule, arn, id="two", InputPath="$.doesnotexist")
    case.call("list-targets", "list_targets_by_rule", Rule=rule)


@tries("TestEventTarget::test_put_multiple_targets_with_same_arn_across_different_rules")
def _(case):
    arn = case.queue()[1]
    for number, path in (("one", "$.detail"), ("two", "$.doesnotexist")):
        rule = case.rule(stem=number)
        case.target(rule, arn, InputPath=path)
        case.call("list-targets-rule-" + number, "list_targets_by_rule", Rule=rule)


@tries("TestEventsTargetSqs::test_put_events_with_target_sqs", "test_put_events_with_target_sqs")
def _(case):
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus), arn, bus)
    case.put(entry(EventBusName=bus))
    case.step("message", case.received(url, 1))


@tries("TestEventsTargetSqs::test_put_events_with_target_sqs_event_detail_match",
       "test_put_events_with_target_sqs_event_detail_match")
def _(case):
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus, {"detail": {"EventType": ["0", "1"]}}), arn, bus, InputPath="$.detail")
    for kind in ("1", "2"):
        case.put(entry({"EventType": kind}, EventBusName=bus))
    case.step("messages", case.received(url, 1))


@tries(*("TestEventsTargetSns::test_put_events_with_target_sns[%s]" % kind for kind in ("standard", "domain", "path")))
def _(case, _kind):
    bus = case.bus()
    url, arn = case.queue()
    sns = case.client("sns")
    topic = sns.create_topic(Name=case.name("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    case.target(case.rule(bus), topic, bus)
    case.put(entry(EventBusName=bus))
    [message] = case.received(url, 1)
    body = json.loads(message["Body"])
    event = json.loads(body["Message"])
    case.test.assertRegex(event["id"], WORDS["event-id"])
    body["Message"] = body["Message"].replace(event["id"], "message-id")
    case.step("messages", [dict(message, Body=json.dumps(body))])


AUTOMATION = {"id": "123", "actions": [{"id": "321", "type": "SEND_NOTIFICATION", "settings": {
    "message": "", "recipientEmails": [], "subject": "", "type": "SEND_NOTIFICATION"}}]}


def _function(case, pattern, detail):
    name = case.name("told")
    arn = case.test.create_function(name, {"talk.py": support.read(support.HERE, "handlers", "talk.py")},
                                    "talk.on_event")
    bus = case.bus()
    case.target(case.rule(bus, pattern), arn, bus)
    case.put(entry(detail, EventBusName=bus))
    runs = [run for run in case.server.wait() if run["Program"] == arn]
    case.step("events", [json.loads(run["Result"]["Payload"])["event"] for run in runs])


@tries("TestEventsTargetLambda::test_put_events_with_target_lambda")
def _(case):
    _function(case, PATTERN, DETAIL)


@tries("TestEventsTargetLambda::test_put_events_with_target_lambda_list_entry",
       "test_put_events_with_target_lambda_list_entry")
def _(case):
    _function(case, {"detail": {"payload": {"automations": {"id": [{"exists": True}]}}}},
              {"payload": {"userId": 10, "businessId": 3, "channelId": 6, "card": {"foo": "bar"},
                           "targetEntity": True, "entityAuditTrailEvent": {"foo": "bar"},
                           "automations": [AUTOMATION]}})


@tries("TestEventsTargetLambda::test_put_events_with_target_lambda_list_entries_partial_match",
       "test_put_events_with_target_lambda_list_entries_partial_match")
def _(case):
    _function(case, {"detail": {"payload": {"automations": {"id": [{"exists": True}]}}}},
              {"payload": {"userId": 10, "businessId": 3, "channelId": 6, "card": {"foo": "bar"},
                           "targetEntity": True, "entityAuditTrailEvent": {"foo": "bar"},
                           "automations": [{"foo": "bar"}, AUTOMATION, {"bar": "foo"}]}})


# What targets get.

def _delivered(case, step, detail, **input_of_target):
    bus = case.bus(stem="bus-" + step)
    url, arn = case.queue("queue-" + step)
    case.target(case.rule(bus, {"source": [SOURCE]}), arn, bus, **input_of_target)
    case.put(entry(detail, EventBusName=bus))
    case.step(step, case.received(url, 1))


@tries("TestInputPath::test_put_events_with_input_path")
def _(case):
    _delivered(case, "message", DETAIL, InputPath="$.detail")


@tries("TestInputPath::test_put_events_with_input_path_nested[event_detail0]")
def _(case):
    _delivered(case, "message", DETAIL, InputPath="$.detail.payload")


@tries("TestInputPath::test_put_events_with_input_path_nested[event_detail1]")
def _(case):
    _delivered(case, "message", {"command": "update-account", "payload": {
        "acc_id": "0a787ecb-4015", "payload": {"message": "baz", "id": "123"}}}, InputPath="$.detail.payload")


@tries("TestInputPath::test_put_events_with_input_path_max_level_depth")
def _(case):
    _delivered(case, "message", DETAIL, InputPath="$.detail.payload.sf_id")


@tries("TestInputPath::test_put_events_with_input_path_multiple_targets")
def _(case):
    bus = case.bus()
    one, one_arn = case.queue("one")
    two, two_arn = case.queue("two")
    rule = case.rule(bus)
    case.target(rule, one_arn, bus, id="one", InputPath="$.detail")
    case.target(rule, two_arn, bus, id="two")
    case.put(entry(EventBusName=bus))
    case.step("message-queue-1", case.received(one, 1))
    case.step("message-queue-2", case.received(two, 1))


def _transformed(case, template, paths):
    """The same template on an event that has all its variables, and on one that has not."""
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus, {"source": [SOURCE]}), arn, bus,
                InputTransformer={"InputPathsMap": paths, "InputTemplate": template})
    case.put(entry(EventBusName=bus))
    case.step("custom-variables-match-all", case.received(url, 1))
    case.put(entry({"something": "else"}, EventBusName=bus))
    case.step("custom-variables-not-match-all", case.received(url, 1))


STRING_TEMPLATE = '"Event of <detail-type> type, at time <timestamp>, info extracted from detail <command>"'


@tries("TestInputTransformer::test_put_events_with_input_transformer_input_template_string",
       "TestInputTransformer::test_put_events_with_input_transformer_input_template_string[%s]" % STRING_TEMPLATE)
def _(case):
    _transformed(case, STRING_TEMPLATE,
                 {"detail-type": "$.detail-type", "timestamp": "$.time", "command": "$.detail.command"})


START_TEMPLATE = '"{[/Check with special starting characters for event of <detail-type> type"'


@tries("TestInputTransformer::test_put_events_with_input_transformer_input_template_string[%s]" % START_TEMPLATE)
def _(case):
    _transformed(case, START_TEMPLATE,
                 {"detail-type": "$.detail-type", "timestamp": "$.time", "command": "$.detail.command"})


@tries("TestInputTransformer::test_put_events_with_input_transformer_input_template_json")
def _(case):
    _transformed(case, '{"detailType": <detail-type>, "time": <timestamp>, "command": <command>}',
                 {"detail-type": "$.detail-type", "timestamp": "$.time", "command": "$.detail.command"})


@tries("TestInputTransformer::test_put_events_with_input_transformer_missing_keys")
def _(case):
    case.call("missing-key-exception-error", "put_targets", Rule=case.rule(), Targets=[{
        "Id": "one", "Arn": case.queue()[1],
        "InputTransformer": {"InputPathsMap": {"detail-type": "$.detail-type", "timestamp": "$.time"},
                             "InputTemplate": '"<detail-type> <notdefinedkey>"'}}])


@tries("test_put_event_input_path_and_input_transformer")
def _(case):
    case.call("duplicated-input-operations-error", "put_targets", Rule=case.rule(), Targets=[{
        "Id": "one", "Arn": case.queue()[1], "InputPath": "$.detail",
        "InputTransformer": {"InputPathsMap": {"time": "$.time"}, "InputTemplate": '"<time>"'}}])


def _predefined(case, template):
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus), arn, bus, InputTransformer={"InputPathsMap": {}, "InputTemplate": template})
    case.put(entry(EventBusName=bus))
    case.step("messages", case.received(url, 1))


def _of_payload(case, template):
    bus = case.bus()
    url, arn = case.queue()
    case.target(case.rule(bus, {"source": [SOURCE]}), arn, bus, InputTransformer={
        "InputPathsMap": {"userId": "$.detail.payload.acc_id", "payload": "$.detail.payload",
                          "systemstring": "$.detail.awsAccountId", "listsingle": "$.detail.listsingle",
                          "listmulti": "$.detail.listmulti", "valid": "$.detail.valid"},
        "InputTemplate": template})
    case.put(entry(dict(DETAIL, listsingle=["HIGH"], listmulti=["ACTIVE", "INACTIVE"], valid=True), EventBusName=bus))
    case.step("input-transformed-messages", case.received(url, 1))


# Archives and replays.

def _archive(case, bus, **more):
    name = case.name("archive")
    arn = case.events.create_archive(ArchiveName=name, RetentionDays=1,
                                     EventSourceArn=bus_arn(bus), **more)["ArchiveArn"]
    return name, arn


def bus_arn(bus, region=REGION, account=ACCOUNT):
    return "arn:aws:events:%s:%s:event-bus/%s" % (region, account, bus)


def kinds(name):
    return [name + "[default]", name + "[custom]"]


@tries(*kinds("TestArchive::test_create_list_describe_update_delete_archive"))
def _(case, kind):
    bus, name = case.bus(kind == "custom"), case.name("archive")
    case.call("create-archive", "create_archive", ArchiveName=name, EventSourceArn=bus_arn(bus), RetentionDays=1,
              Description="description of the archive", EventPattern=json.dumps(PATTERN))
    case.call("list-archives", "list_archives", NamePrefix=name)
    case.call("describe-archive", "describe_archive", ArchiveName=name)
    case.call("update-archive", "update_archive", ArchiveName=name, Description="another", RetentionDays=2)
    case.call("delete-archive", "delete_archive", ArchiveName=name)


@tries("TestArchive::test_create_archive_error_unknown_event_bus")
def _(case):
    case.call("create-archive-unknown-event-bus-error", "create_archive", ArchiveName=case.name("archive"),
              EventSourceArn=bus_arn(case.name("none")))


@tries(*kinds("TestArchive::test_create_archive_error_duplicate"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    name, _arn = _archive(case, bus)
    case.call("create-archive-duplicate-error", "create_archive", ArchiveName=name, EventSourceArn=bus_arn(bus))
    case.events.delete_archive(ArchiveName=name)


@tries("TestArchive::test_describe_archive_error_unknown_archive")
def _(case):
    case.call("describe-archive-unknown-archive-error", "describe_archive", ArchiveName=case.name("none"))


@tries(*kinds("TestArchive::test_list_archive_with_name_prefix"))
def _(case, kind):
    name, _arn = _archive(case, case.bus(kind == "custom"))
    case.call("list-archives-with-name-prefix", "list_archives", NamePrefix=name[:-1])
    case.call("list-archives-with-full-name", "list_archives", NamePrefix=name)
    case.call("list-archives-not-existing-archive", "list_archives", NamePrefix="none")
    case.events.delete_archive(ArchiveName=name)


@tries(*kinds("TestArchive::test_list_archive_with_source_arn"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    name, _arn = _archive(case, bus)
    case.call("list-archives-with-source-arn", "list_archives", EventSourceArn=bus_arn(bus))
    case.events.delete_archive(ArchiveName=name)


@tries("TestArchive::test_list_archive_error_unknown_source_arn")
def _(case):
    case.call("list-archives-unknown-event-bus-error", "list_archives", EventSourceArn=bus_arn(case.name("none")))


@tries("TestArchive::test_update_archive_error_unknown_archive")
def _(case):
    case.call("update-archive-unknown-archive-error", "update_archive", ArchiveName=case.name("none"))


@tries("TestArchive::test_delete_archive_error_unknown_archive")
def _(case):
    case.call("delete-archive-unknown-archive-error", "delete_archive", ArchiveName=case.name("none"))


@tries(*kinds("TestArchive::test_list_archive_state_enabled"))
def _(case, kind):
    name, _arn = _archive(case, case.bus(kind == "custom"))
    case.call("list-archives-state-enabled", "list_archives", State="ENABLED")
    case.events.delete_archive(ArchiveName=name)


@tries(*("TestArchive::test_list_archive_with_events[%s-%s]" % (pattern, kind)
         for pattern in (True, False) for kind in ("default", "custom")))
def _(case, kind):
    pattern, kind = kind.split("-")
    bus = case.bus(kind == "custom")
    more = {"EventPattern": json.dumps(PATTERN)} if pattern == "True" else {}
    name, _arn = _archive(case, bus, Description="description of the archive", **more)
    for _ in range(10):
        case.put(entry(EventBusName=bus))
    # How AWS counts an event's bytes stands nowhere.
    case.call("list-archives", "list_archives", leave=["SizeBytes"], NamePrefix=name)
    case.call("describe-archive", "describe_archive", leave=["SizeBytes"], ArchiveName=name)
    case.events.delete_archive(ArchiveName=name)


def _replay(archive_arn, bus, **more):
    now = datetime.datetime.utcnow()
    return dict(dict(EventSourceArn=archive_arn, EventStartTime=now - datetime.timedelta(minutes=5),
                     EventEndTime=now + datetime.timedelta(minutes=5), Destination={"Arn": bus_arn(bus)}), **more)


def _ended(case, name):
    support.until(lambda: case.events.describe_replay(ReplayName=name)["State"] == "COMPLETED")


@tries(*kinds("TestReplay::test_start_list_describe_canceled_replay"))
def _(case, kind):
    bus = case.bus(kind == "custom")
    rule = case.rule(bus)
    url, arn = case.queue()
    archive, archive_arn = _archive(case, bus, EventPattern=json.dumps(PATTERN))
    for _ in range(3):
        case.put(entry(EventBusName=bus))
    case.target(rule, arn, bus)
    rule_arn = case.events.describe_rule(Name=rule, EventBusName=bus)["Arn"]
    how = _replay(archive_arn, bus, Description="description of the replay",
                  Destination={"Arn": bus_arn(bus), "FilterArns": [rule_arn]})
    name = case.name("replay")
    case.call("start-replay", "start_replay", ReplayName=name, **how)
    case.step("replay-messages", case.received(url, 3))
    _ended(case, name)
    case.call("list-replays", "list_replays", NamePrefix=name)
    case.call("describe-replay", "describe_replay", ReplayName=name)
    # Between cancelling and its end lies a moment, which a fast server makes short: it is looked for again and again.
    how["EventStartTime"] = how["EventStartTime"] - datetime.timedelta(days=1)
    how["EventEndTime"] = how["EventStartTime"] + datetime.timedelta(minutes=1)
    until = time.monotonic() + 60
    for i in itertools.count():
        assert time.monotonic() < until, "in a minute no replay was seen while it was being cancelled"
        name = case.name("cancelled-%d" % i)
        case.events.start_replay(ReplayName=name, **how)
        try:
            answer = case.events.cancel_replay(ReplayName=name)
            shown = case.events.describe_replay(ReplayName=name)
        except case.events.exceptions.IllegalStatusException:
            continue  # it had ended
        if shown["State"] == "CANCELLING":
            break
    case.step("cancel-replay", answer)
    case.step("describe-replay-canceled", shown)
    case.events.delete_archive(ArchiveName=archive)


@tries("TestReplay::test_start_replay_error_unknown_event_bus")
def _(case):
    bus, other = case.bus(), case.bus(stem="other")
    archive, arn = _archive(case, bus)
    case.call("start-replay-unknown-event-bus-error", "start_replay", ReplayName=case.name("replay"),
              **_replay(arn, case.name("none")))
    case.call("start-replay-wrong-event-bus-error", "start_replay", ReplayName=case.name("replay"),
              **_replay(arn, other))
    case.events.delete_archive(ArchiveName=archive)


@tries("TestReplay::test_start_replay_error_unknown_archive")
def _(case):
    case.call("start-replay-unknown-archive-error", "start_replay", ReplayName=case.name("replay"),
              **_replay("arn:aws:events:%s:%s:archive/%s" % (REGION, ACCOUNT, case.name("none")), "default"))


@tries("TestReplay::test_list_replays_with_prefix")
def _(case):
    bus = case.bus()
    archive, arn = _archive(case, bus)
    prefix = case.name("prefixed")
    name = prefix + "-test-replay"
    for one in (name, case.name("unlike")):
        case.events.start_replay(ReplayName=one, **_replay(arn, bus))
        _ended(case, one)
    case.call("list-replays-with-full-name", "list_replays", NamePrefix=name)
    case.call("list-replays-with-prefix", "list_replays", NamePrefix=prefix)
    case.events.delete_archive(ArchiveName=archive)


@tries("TestReplay::test_list_replay_with_limit")
def _(case):
    bus = case.bus()
    archive, arn = _archive(case, bus)
    prefix = case.name("limited")
    for i in range(6):
        case.events.start_replay(ReplayName="%s-test-replay-%d" % (prefix, i), **_replay(arn, bus))
        _ended(case, "%s-test-replay-%d" % (prefix, i))
    page = case.call("list-replays-with-limit", "list_replays", NamePrefix=prefix, Limit=3)
    case.call("list-replays-with-limit-next-token", "list_replays", NamePrefix=prefix, Limit=3,
              NextToken=page["NextToken"])
    case.events.delete_archive(ArchiveName=archive)


@tries("TestReplay::test_list_replays_with_event_source_arn")
def _(case):
    bus = case.bus()
    archive, arn = _archive(case, bus)
    name = case.name("replay")
    case.events.start_replay(ReplayName=name, **_replay(arn, bus))
    _ended(case, name)
    case.call("list-replays-with-event-source-arn", "list_replays", EventSourceArn=arn)
    case.events.delete_archive(ArchiveName=archive)


@tries("TestReplay::test_start_replay_error_duplicate_name_same_archive",
       "TestReplay::test_start_replay_error_duplicate_different_archive")
def _(case):
    bus = case.bus()
    archive, arn = _archive(case, bus)
    name = case.name("replay")
    case.events.start_replay(ReplayName=name, **_replay(arn, bus))
    other = case.events.create_archive(ArchiveName=case.name("other"), EventSourceArn=bus_arn(bus))["ArchiveArn"]
    same = "start-replay-duplicate-error"
    case.call(same, "start_replay", ReplayName=name, **_replay(arn, bus))
    case.call(same, "start_replay", ReplayName=name, **_replay(other, bus))
    for one in (archive, case.name("other")):
        case.events.delete_archive(ArchiveName=one)


@tries("TestReplay::test_start_replay_error_invalid_end_time[0]", "TestReplay::test_start_replay_error_invalid_end_time[10]")
def _(case, seconds):
    archive, arn = _archive(case, "default")
    how = _replay(arn, "default")
    how["EventEndTime"] = how["EventStartTime"] - datetime.timedelta(seconds=int(seconds))
    case.call("start-replay-invalid-end-time-error", "start_replay", ReplayName=case.name("replay"), **how)
    case.events.delete_archive(ArchiveName=archive)


@tries("TestReplay::test_describe_replay_error_unknown_replay")
def _(case):
    case.call("describe-replay-unknown-replay-error", "describe_replay", ReplayName=case.name("none"))


# Schedules.

@tries("TestScheduleRate::test_put_rule_with_schedule_rate")
def _(case):
    _scheduled(case, "rate(1 minute)")


@tries("TestScheduleCron::tests_put_rule_with_schedule_cron")
def _(case):
    _scheduled(case, "cron(0 20 * * ? *)")


def _scheduled(case, expression):
    name = case.name("rule")
    case.call("put-rule", "put_rule", Name=name, ScheduleExpression=expression)
    case.call("list-rules", "list_rules", NamePrefix=name)
    case.events.delete_rule(Name=name)


def _unscheduled(case, expression):
    case.call("invalid-put-rule", "put_rule", Name=case.name("rule"), ScheduleExpression=expression)


@tries("TestScheduleRate::tests_put_rule_with_schedule_custom_event_bus")
def _(case):
    case.call("put-rule-with-custom-event-bus-error", "put_rule", Name=case.name("rule"), EventBusName=case.bus(),
              ScheduleExpression="rate(1 minute)")


# Tags.

TAGS = [{"Key": "tag1", "Value": "value1"}, {"Key": "tag2", "Value": "value2"}]


def _taggable(case, kind):
    """The ARN of a rule or a bus, on the default bus or one of its own; and how to make it anew, where that can be."""
    resource, _, bus_kind = kind.partition("-event_bus_")
    bus = case.bus(bus_kind == "custom" or (resource == "event_bus" and not bus_kind))
    if resource == "event_bus":
        def again():
            if bus != "default":
                case.events.delete_event_bus(Name=bus)
                case.events.create_event_bus(Name=bus)
        return bus_arn(bus), again
    rule = case.rule(bus)

    def anew():
        case.events.delete_rule(Name=rule, EventBusName=bus)
        case.events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps(PATTERN))
    return case.events.describe_rule(Name=rule, EventBusName=bus)["Arn"], anew


@tries(*("tests_tag_untag_resource[%s]" % kind for kind in (
    "event_bus", "rule", "event_bus-event_bus_default", "event_bus-event_bus_custom", "rule-event_bus_default",
    "rule-event_bus_custom")))
def _(case, kind):
    arn, _again = _taggable(case, kind)
    case.call("tag_resource", "tag_resource", ResourceARN=arn, Tags=TAGS)
    case.call("list_tags_for_resource", "list_tags_for_resource", ResourceARN=arn)
    case.call("untag_resource", "untag_resource", ResourceARN=arn, TagKeys=["tag2"])
    case.call("list_tags_for_untagged_resource", "list_tags_for_resource", ResourceARN=arn)
    if "-" in kind:
        case.call("untag_resource_not_existing_tag", "untag_resource", ResourceARN=arn, TagKeys=["none"])
    case.events.untag_resource(ResourceARN=arn, TagKeys=["tag1"])


@tries(*("test_recreate_tagged_resource_without_tags[%s]" % kind for kind in (
    "event_bus-event_bus_default", "event_bus-event_bus_custom", "rule-event_bus_default", "rule-event_bus_custom")))
def _(case, kind):
    arn, again = _taggable(case, kind)
    case.events.tag_resource(ResourceARN=arn, Tags=TAGS[:1])
    again()
    case.call("list_tags_for_resource", "list_tags_for_resource", ResourceARN=arn)
    case.events.untag_resource(ResourceARN=arn, TagKeys=["tag1"])


@tries("tests_tag_list_untag_not_existing_resource[not_existing_rule]",
       "tests_tag_list_untag_not_existing_resource[not_existing_event_bus]")
def _(case, kind):
    arn = "arn:aws:events:%s:%s:%s/%s" % (REGION, ACCOUNT, "rule" if kind.endswith("rule") else "event-bus",
                                          case.name("none"))
    case.call("tag_not_existing_resource_error", "tag_resource", ResourceARN=arn, Tags=TAGS)
    case.call("list_tags_for_not_existing_resource_error", "list_tags_for_resource", ResourceARN=arn)
    case.call("untag_not_existing_resource_error", "untag_resource", ResourceARN=arn, TagKeys=["tag1"])


@tries("TestRuleTags::test_put_rule_with_tags")
def _(case):
    put = case.call("put_rule_with_tags", "put_rule", Name=case.name("rule"), EventPattern=json.dumps(PATTERN), Tags=TAGS)
    case.call("list_tags_for_rule", "list_tags_for_resource", ResourceARN=put["RuleArn"])


@tries("TestRuleTags::test_list_tags_for_deleted_rule")
def _(case):
    bus, rule = case.bus(), case.name("rule")
    arn = case.events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps(PATTERN), Tags=TAGS)["RuleArn"]
    case.events.delete_rule(Name=rule, EventBusName=bus)
    case.call("list_tags_for_deleted_rule_error", "list_tags_for_resource", ResourceARN=arn)


@tries("TestEventBusTags::test_create_event_bus_with_tags")
def _(case):
    made = case.call("create_event_bus_with_tags", "create_event_bus", Name=case.name("bus"), Tags=TAGS)
    case.call("list_tags_for_event_bus", "list_tags_for_resource", ResourceARN=made["EventBusArn"])


@tries("TestEventBusTags::test_list_tags_for_deleted_event_bus")
def _(case):
    bus = case.name("bus")
    arn = case.events.create_event_bus(Name=bus, Tags=TAGS)["EventBusArn"]
    case.events.delete_event_bus(Name=bus)
    case.call("list_tags_for_deleted_rule_error", "list_tags_for_resource", ResourceARN=arn)


# The name of these has in its brackets what is given.
BY_ARGUMENT = {
    "TestInputTransformer::test_input_transformer_predefined_variables": _predefined,
    "TestInputTransformer::test_input_transformer_nested_keys_replacement": _of_payload,
    "TestScheduleCron::tests_put_rule_with_schedule_cron": _scheduled,
    "TestScheduleCron::tests_put_rule_with_invalid_schedule_cron": _unscheduled,
}


# Connections and API destinations.

AUTH = {"0": ("BASIC", {"BasicAuthParameters": {"Username": "user", "Password": "pass"}}),
        "1": ("API_KEY", {"ApiKeyAuthParameters": {"ApiKeyName": "ApiKey", "ApiKeyValue": "secret"}})}


def with_parameters(kind):
    auth, parameters = AUTH[kind]
    return {"AuthorizationType": auth, "AuthParameters": dict(parameters, InvocationHttpParameters={})}


@tries("TestEventBridgeConnections::test_create_connection")
def _(case):
    name = case.name("connection")
    case.call("create-connection", "create_connection", Name=name, **with_parameters("1"))
    case.call("describe-connection", "describe_connection", Name=name)


@tries(*("TestEventBridgeConnections::test_create_connection_with_auth[auth_params%s]" % kind for kind in AUTH))
def _(case, kind):
    name, (auth, parameters) = case.name("connection"), AUTH[kind[-1]]
    case.call("create-connection-auth", "create_connection", Name=name, AuthorizationType=auth, AuthParameters=parameters)
    case.call("describe-connection-auth", "describe_connection", Name=name)


@tries("TestEventBridgeConnections::test_list_connections")
def _(case):
    name = case.name("connection")
    case.events.create_connection(Name=name, **with_parameters("0"))
    case.call("list-connections", "list_connections", NamePrefix=name)


@tries("TestEventBridgeConnections::test_delete_connection")
def _(case):
    name = case.name("connection")
    case.call("create-connection-response", "create_connection", Name=name, **with_parameters("1"))
    case.call("delete-connection", "delete_connection", Name=name)
    case.call("describe-deleted-connection", "describe_connection", Name=name)


@tries("TestEventBridgeConnections::test_create_connection_invalid_parameters")
def _(case):
    case.call("create-connection-invalid-auth-error", "create_connection", Name=case.name("connection"),
              AuthorizationType="INVALID_AUTH_TYPE", AuthParameters={})


@tries("TestEventBridgeConnections::test_create_connection_name_validation")
def _(case):
    case.call("create-connection-invalid-name-error", "create_connection", Name="Invalid Name With Spaces!",
              **with_parameters("1"))


@tries("TestEventBridgeConnections::test_update_connection")
def _(case):
    name = case.name("connection")
    case.call("create-connection", "create_connection", Name=name, **with_parameters("0"))
    case.call("describe-created-connection", "describe_connection", Name=name)
    case.call("update-connection", "update_connection", Name=name, AuthorizationType="BASIC", AuthParameters={
        "BasicAuthParameters": {"Username": "new_user", "Password": "new_pass"}, "InvocationHttpParameters": {}})
    case.call("describe-updated-connection", "describe_connection", Name=name)
    # There is no Secrets Manager that would show them.
    case.steps |= {"connection-secret-before-update", "connection-secret-after-update"}


@tries(*("TestEventBridgeApiDestinations::test_api_destinations[auth%s]" % kind for kind in AUTH))
def _(case, kind):
    connection = case.events.create_connection(Name=case.name("connection"), **with_parameters(kind[-1]))["ConnectionArn"]
    name = case.name("destination")
    case.call("create-api-destination", "create_api_destination", Name=name, ConnectionArn=connection, HttpMethod="POST",
              InvocationEndpoint="https://example.com/api", Description="Test API destination")
    case.call("describe-api-destination", "describe_api_destination", Name=name)
    case.call("list-api-destinations", "list_api_destinations", NamePrefix=name)
    case.call("update-api-destination", "update_api_destination", Name=name, ConnectionArn=connection, HttpMethod="PUT",
              InvocationEndpoint="https://example.com/api/v2", Description="Updated API destination")
    case.call("describe-updated-api-destination", "describe_api_destination", Name=name)
    case.call("delete-api-destination", "delete_api_destination", Name=name)
    case.call("describe-api-destination-not-found-error", "describe_api_destination", Name=name)


@tries("TestEventBridgeApiDestinations::test_create_api_destination_name_validation")
def _(case):
    connection = case.events.create_connection(Name=case.name("connection"), **with_parameters("0"))["ConnectionArn"]
    case.call("create-api-destination-invalid-name-error", "create_api_destination", Name="Invalid Name With Spaces!",
              ConnectionArn=connection, HttpMethod="POST", InvocationEndpoint="https://example.com/api")


@tries("TestEventsTargetCloudWatchLogs::test_put_events_with_target_cloudwatch_logs")
def _(case):
    logs = case.client("logs")
    group = "/aws/events/" + case.name("group")
    logs.create_log_group(logGroupName=group)
    bus, rule = case.name("bus"), case.name("rule")
    case.call("event_bus_response", "create_event_bus", Name=bus)
    case.call("rule_response", "put_rule", Name=rule, EventBusName=bus, EventPattern=json.dumps(PATTERN))
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    case.call("put_targets_response", "put_targets", Rule=rule, EventBusName=bus, Targets=[{"Id": "logs", "Arn": arn}])
    case.call("put_events_response", "put_events", Entries=[entry(EventBusName=bus)])

    def events():
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        return [event for stream in streams for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"])["events"]]

    support.until(events)
    case.step("log_events", events(), leave=("timestamp", "ingestionTime"))


def function_of(name):
    """What tries a recording, with its argument; None where nothing does."""
    stem, bracket, argument = name.partition("[")
    argument = argument[:-1].replace("\\n", "\n")
    if name in TRIED:
        function = TRIED[name]
        takes = function.__code__.co_argcount > 1
        return lambda case: function(case, argument) if takes else function(case)
    if bracket and stem in BY_ARGUMENT:
        return lambda case: BY_ARGUMENT[stem](case, argument)
    return None


class Recordings(support.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = {}

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients.values():
            getattr(client, "close", lambda: None)()
        super().tearDownClass()


def _test_of(name, recorded):
    def test(self):
        if name in SKIPPED:
            self.skipTest(SKIPPED[name])
        function = function_of(name)
        self.assertIsNotNone(function, "nobody tries this, and recordings_skipped.json does not name it")
        case = Case(self, recorded)
        function(case)
        case.end()
    test.__doc__ = name
    return test


def load_tests(loader, tests, _pattern):
    """A test for each recording."""
    suite = unittest.TestSuite()
    try:
        folder = support.shared_dir(os.path.join("conformance", "events-aws-recordings"))
    except unittest.SkipTest as why:
        def absent(self, why=str(why)):
            self.skipTest(why)
        suite.addTest(type("Recordings", (unittest.TestCase,), {"test_recordings": absent})("test_recordings"))
        return suite
    names = set()
    for path in sorted(glob.glob(os.path.join(folder, "*.snapshot.json"))):
        with open(path, encoding="utf-8") as file:
            for long_name, one in json.load(file).items():
                name = long_name.split("::", 1)[1]
                names.add(name)
                method = "test_" + re.sub(r"\W+", "_", os.path.basename(path).split(".")[0] + "_" + name)
                while hasattr(Recordings, method):
                    method += "_"
                setattr(Recordings, method, _test_of(name, one["recorded-content"]))
                suite.addTest(Recordings(method))

    def named(self):
        self.assertEqual([], sorted(set(SKIPPED) - names), "recordings_skipped.json names what is not recorded")
        self.assertEqual([], sorted(set(TRIED) - names), "what is tried here is not recorded")
    Recordings.test_what_is_named_is_recorded = named
    suite.addTest(Recordings("test_what_is_named_is_recorded"))
    return suite
