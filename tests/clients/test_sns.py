"""SNS's operations, done and refused, with boto3 and the aws command; deliveries to queues, functions and HTTP."""
import base64
import http.server
import json
import queue
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

import support
from support import ACCOUNT, REGION

TOPIC = "arn:aws:sns:%s:%s:" % (REGION, ACCOUNT)
QUEUE = "arn:aws:sqs:%s:%s:" % (REGION, ACCOUNT)
FUNCTION = "arn:aws:lambda:%s:%s:function:" % (REGION, ACCOUNT)


class Endpoint:
    """An HTTP endpoint that keeps what it gets and answers what it is told to."""

    def __init__(self):
        self.got = queue.Queue()
        self.statuses = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                outer.got.put((status, dict(self.headers), body.decode()))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/hook" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def open_link(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=20) as answer:
        return answer.read().decode()


class Sns(support.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sns = cls.server.client("sns")
        cls.sqs = cls.server.client("sqs")

    def topic(self, name, **attributes):
        return self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]

    def queue(self, name, **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def subscribe(self, topic, name, **attributes):
        """A queue of that name on the topic; gives its URL and the subscription's ARN."""
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        url = self.queue(name, **fifo)
        return url, self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE + name,
                                       Attributes=attributes)["SubscriptionArn"]

    def messages(self, url, **more):
        return self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"],
                                        AttributeNames=["All"], VisibilityTimeout=0, **more).get("Messages", [])

    def bodies(self, url):
        return sorted(m["Body"] for m in self.messages(url))

    def test_topics_are_made_once_shown_changed_and_deleted(self):
        arn = self.topic("made", DisplayName="shown")
        self.assertEqual(TOPIC + "made", arn)
        self.assertEqual(arn, self.topic("made"))
        self.assertEqual(arn, self.topic("made", DisplayName="shown"))
        self.assertIn("different attributes", self.refused("InvalidParameter", self.topic, name="made", DisplayName="x"))
        there = self.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        self.assertEqual((arn, ACCOUNT, "shown", "0", "0", "0"), tuple(there[k] for k in (
            "TopicArn", "Owner", "DisplayName", "SubscriptionsConfirmed", "SubscriptionsPending", "SubscriptionsDeleted")))
        self.assertEqual("__default_policy_ID", json.loads(there["Policy"])["Id"])
        self.assertEqual(3, json.loads(there["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"])
        self.sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
        self.assertEqual("alias/aws/sns", self.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"])
        self.sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="")
        self.assertNotIn("KmsMasterKeyId", self.sns.get_topic_attributes(TopicArn=arn)["Attributes"])
        for name, value in (("Frob", "x"), ("Policy", "{"), ("SignatureVersion", "3"), ("FifoTopic", "true")):
            self.refused("InvalidParameter", self.sns.set_topic_attributes, TopicArn=arn, AttributeName=name,
                         AttributeValue=value)
        self.assertIn({"TopicArn": arn}, self.sns.list_topics()["Topics"])
        self.refused("InvalidParameter", self.sns.list_topics, NextToken="*")
        self.refused("InvalidParameter", self.topic, name="no good")
        self.refused("InvalidParameter", self.topic, name="plain", FifoTopic="true")
        self.refused("InvalidParameter", self.topic, name="bad", Colour="red")
        self.refused("NotImplemented", self.sns.put_data_protection_policy, ResourceArn=arn, DataProtectionPolicy="{}")
        self.sns.delete_topic(TopicArn=arn)
        self.sns.delete_topic(TopicArn=arn)
        self.refused("InvalidParameter", self.sns.delete_topic, TopicArn="arn:aws:s3:::bucket")
        self.refused("NotFound", self.sns.get_topic_attributes, TopicArn=arn)
        self.refused("NotFound", self.sns.set_topic_attributes, TopicArn=arn, AttributeName="DisplayName",
                     AttributeValue="x")

    def test_permissions_and_tags(self):
        arn = self.topic("shared")
        self.sns.add_permission(TopicArn=arn, Label="them", AWSAccountId=["222222222222"], ActionName=["Publish"])
        statements = json.loads(self.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]
        self.assertEqual({"Sid": "them", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
                          "Action": "SNS:Publish", "Resource": arn}, statements[1])
        self.refused("InvalidParameter", self.sns.add_permission, TopicArn=arn, Label="them",
                     AWSAccountId=["222222222222"], ActionName=["Publish"])
        self.refused("InvalidParameter", self.sns.add_permission, TopicArn=arn, Label="other",
                     AWSAccountId=["222222222222"], ActionName=["Fly"])
        self.sns.remove_permission(TopicArn=arn, Label="them")
        self.refused("NotFound", self.sns.remove_permission, TopicArn=arn + "-none", Label="them")
        self.sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        self.sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual([{"Key": "b", "Value": "2"}], self.sns.list_tags_for_resource(ResourceArn=arn)["Tags"])
        for call, more in ((self.sns.tag_resource, {"Tags": []}), (self.sns.untag_resource, {"TagKeys": []}),
                           (self.sns.list_tags_for_resource, {})):
            self.refused("ResourceNotFound", call, ResourceArn=arn + "-none", **more)

    def test_a_subscribed_queue_gets_what_is_published(self):
        topic = self.topic("news")
        url, subscription = self.subscribe(topic, "news")
        raw, raw_subscription = self.subscribe(topic, "raw", RawMessageDelivery="true")
        self.assertTrue(subscription.startswith(topic + ":"))
        self.assertEqual(subscription, self.subscribe(topic, "news")[1])
        attributes = {"colour": {"DataType": "String", "StringValue": "red"},
                      "bytes": {"DataType": "Binary", "BinaryValue": b"\x01\x02"}}
        published = self.sns.publish(TopicArn=topic, Message="hällo", Subject="a subject", MessageAttributes=attributes)
        message, = self.messages(url)
        document = json.loads(message["Body"])
        self.assertEqual(["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion",
                          "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"], list(document))
        self.assertEqual(("Notification", published["MessageId"], topic, "a subject", "hällo", "1"), tuple(
            document[k] for k in ("Type", "MessageId", "TopicArn", "Subject", "Message", "SignatureVersion")))
        self.assertEqual({"colour": {"Type": "String", "Value": "red"}, "bytes": {"Type": "Binary", "Value": "AQI="}},
                         document["MessageAttributes"])
        message, = self.messages(raw)
        self.assertEqual(("hällo", attributes), (message["Body"], message["MessageAttributes"]))
        self.sns.publish(TopicArn=topic, MessageStructure="json", Message=json.dumps({"default": "d", "sqs": "for queues"}))
        self.assertEqual(["for queues", "hällo"], self.bodies(raw))
        counts = self.sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        self.assertEqual(("2", "0"), (counts["SubscriptionsConfirmed"], counts["SubscriptionsPending"]))
        listed = self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        self.assertEqual({subscription, raw_subscription}, {s["SubscriptionArn"] for s in listed})
        self.assertIn(listed[0], self.sns.list_subscriptions()["Subscriptions"])
        shown = self.sns.get_subscription_attributes(SubscriptionArn=raw_subscription)["Attributes"]
        self.assertEqual(("true", "false", "true", QUEUE + "raw", "sqs"), tuple(shown[k] for k in (
            "RawMessageDelivery", "PendingConfirmation", "ConfirmationWasAuthenticated", "Endpoint", "Protocol")))
        self.sns.unsubscribe(SubscriptionArn=raw_subscription)
        self.sns.unsubscribe(SubscriptionArn=raw_subscription)
        self.refused("NotFound", self.sns.get_subscription_attributes, SubscriptionArn=raw_subscription)
        self.refused("InvalidParameter", self.sns.unsubscribe, SubscriptionArn="nonsense")
        self.refused("NotFound", self.sns.list_subscriptions_by_topic, TopicArn=topic + "-none")
        self.refused("InvalidParameter", self.sns.list_subscriptions, NextToken="*")

    def test_the_signature_can_be_checked_with_the_certificate_that_is_named(self):
        topic = self.topic("signed", SignatureVersion="2")
        url, _ = self.subscribe(topic, "signed")
        self.sns.publish(TopicArn=topic, Message="text")
        document = json.loads(self.messages(url)[0]["Body"])
        pem = open_link(document["SigningCertURL"])
        self.assertIn("BEGIN CERTIFICATE", pem)
        text = "".join("%s\n%s\n" % (k, document[k]) for k in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
        with support.tempfile.TemporaryDirectory() as folder:
            def put(name, content):
                path = support.os.path.join(folder, name)
                with open(path, "wb") as file:
                    file.write(content)
                return path
            key = subprocess.run(["openssl", "x509", "-pubkey", "-noout", "-in", put("c", pem.encode())],
                                 stdout=subprocess.PIPE, check=True).stdout
            check = ["openssl", "dgst", "-sha256", "-verify", put("k", key), "-signature",
                     put("s", base64.b64decode(document["Signature"]))]
            self.assertEqual(0, subprocess.run(check + [put("t", text.encode())], stdout=subprocess.PIPE).returncode)
            self.assertNotEqual(0, subprocess.run(check + [put("t", b"other")], stdout=subprocess.PIPE).returncode)

    def test_what_cannot_be_published_is_refused(self):
        topic = self.topic("strict")
        for why, message in (("Empty message", {"Message": ""}), ("Subject", {"Message": "x", "Subject": "a\nb"}),
                             ("too long", {"Message": "x" * 262145}),
                             ("No default entry", {"Message": '{"sqs": "x"}', "MessageStructure": "json"}),
                             ("failed to parse", {"Message": "{", "MessageStructure": "json"}),
                             ("not valid for this topic type", {"Message": "x", "MessageDeduplicationId": "1"})):
            self.assertIn(why, self.refused("InvalidParameter", self.sns.publish, TopicArn=topic, **message))
        self.refused("ParameterValueInvalid", self.sns.publish, TopicArn=topic, Message="x",
                     MessageAttributes={"a": {"DataType": "Colour", "StringValue": "x"}})
        self.refused("NotFound", self.sns.publish, TopicArn=topic + "-none", Message="x")
        self.refused("NotImplemented", self.sns.publish, PhoneNumber="+491701234567", Message="x")

    def test_batches(self):
        topic = self.topic("batches")
        url, _ = self.subscribe(topic, "batches", RawMessageDelivery="true")
        if not hasattr(self.sns, "publish_batch"):
            raise unittest.SkipTest("this boto3 does not know PublishBatch")
        answer = self.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[
            {"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2"}, {"Id": "c", "Message": "x", "Subject": "\n"}])
        self.assertEqual((["a", "b"], ["c"]), ([e["Id"] for e in answer["Successful"]], [e["Id"] for e in answer["Failed"]]))
        self.assertEqual(["1", "2"], self.bodies(url))
        for code, ids in (("EmptyBatchRequest", []), ("TooManyEntriesInBatchRequest", range(11)),
                          ("BatchEntryIdsNotDistinct", [1, 1]), ("InvalidBatchEntryId", ["no good"])):
            self.refused(code, self.sns.publish_batch, TopicArn=topic,
                         PublishBatchRequestEntries=[{"Id": str(i), "Message": "x"} for i in ids])
        self.refused("BatchRequestTooLong", self.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[
            {"Id": str(i), "Message": "x" * 140000} for i in range(2)])

    def test_filter_policies(self):
        topic = self.topic("filtered")
        by_attribute, subscription = self.subscribe(topic, "by-attribute", RawMessageDelivery="true", FilterPolicy=json.dumps(
            {"store": ["a", {"prefix": "b"}], "price": [{"numeric": [">", 10]}]}))
        by_body, _ = self.subscribe(topic, "by-body", RawMessageDelivery="true", FilterPolicyScope="MessageBody",
                                    FilterPolicy=json.dumps({"object": {"key": [{"anything-but": "no"}]}}))

        def publish(message, **attributes):
            self.sns.publish(TopicArn=topic, Message=message, MessageAttributes={
                k: {"DataType": "String.Array" if isinstance(v, list) else "Number" if isinstance(v, int) else "String",
                    "StringValue": json.dumps(v) if not isinstance(v, str) else v} for k, v in attributes.items()})

        publish("1", store="a", price=11)
        publish("2", store="bcd", price=11)
        publish("3", store="a", price=10)
        publish("4", store="c", price=11)
        publish("5", store=["x", "a"], price=11)
        publish("6", price=11)
        publish('{"object": {"key": "yes"}}')
        publish('{"object": {"key": "no"}}')
        publish('no JSON')
        self.assertEqual(["1", "2", "5"], self.bodies(by_attribute))
        self.assertEqual(['{"object": {"key": "yes"}}'], self.bodies(by_body))
        shown = self.sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        self.assertEqual("MessageAttributes", shown["FilterPolicyScope"])
        for why, policy in (("JSON", "{"), ("5 keys", json.dumps({str(i): ["x"] for i in range(6)})),
                            ("too complex", json.dumps({str(i): list("abcdefghijk") for i in range(3)})),
                            ("nested", '{"a": {"b": ["c"]}}'), ("must be an object or an array", '{"a": "b"}'),
                            ("FilterPolicy", '{"a": [{"colour": "red"}]}')):
            self.assertIn(why, self.refused("InvalidParameter", self.sns.set_subscription_attributes,
                                            SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue=policy))
        self.sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue="{}")
        publish("7")
        self.assertIn("7", self.bodies(by_attribute))

    def test_what_cannot_be_subscribed_is_refused(self):
        topic = self.topic("picky")
        for code, protocol, endpoint in (
                ("NotImplemented", "email", "a@example.com"), ("NotImplemented", "sms", "+491701234567"),
                ("InvalidParameter", "pigeon", "coop"), ("InvalidParameter", "sqs", "jobs"),
                ("InvalidParameter", "lambda", QUEUE + "x"),
                ("InvalidParameter", "lambda", FUNCTION.replace("aws", "aws-cn", 1) + "f"), ("InvalidParameter", "http", "https://example.com/"),
                ("InvalidParameter", "sqs", QUEUE + "x.fifo"), ("NotImplemented", "sqs", "arn:aws:sqs:us-east-1:222222222222:x")):
            self.refused(code, self.sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        self.refused("NotFound", self.sns.subscribe, TopicArn=topic + "-none", Protocol="sqs", Endpoint=QUEUE + "x")
        for host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost", "192.168.1.1", "2130706433"):
            said = self.refused("InvalidParameter", self.sns.subscribe, TopicArn=topic, Protocol="http",
                                Endpoint="http://%s/latest/meta-data" % host)
            self.assertIn("no public address", said)
        self.refused("InvalidParameter", self.sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=QUEUE + "x",
                     Attributes={"RawMessageDelivery": "maybe"})
        self.refused("InvalidParameter", self.sns.confirm_subscription, TopicArn=topic, Token="nonsense")
        self.assertEqual([], self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"])

    def test_a_fifo_topic_keeps_order_for_fifo_queues(self):
        topic = self.topic("order.fifo", FifoTopic="true", ContentBasedDeduplication="true")
        url, _ = self.subscribe(topic, "from-topic.fifo", RawMessageDelivery="true")
        for i in range(3):
            published = self.sns.publish(TopicArn=topic, Message=str(i), MessageGroupId="g")
        again = self.sns.publish(TopicArn=topic, Message="2", MessageGroupId="g")
        self.assertEqual((published["MessageId"], published["SequenceNumber"]), (again["MessageId"], again["SequenceNumber"]))
        self.assertEqual(["0", "1", "2"], [m["Body"] for m in self.messages(url)])
        self.refused("InvalidParameter", self.sns.publish, TopicArn=topic, Message="x")
        self.refused("InvalidParameter", self.sns.subscribe, TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION + "f")

    def test_what_a_queue_does_not_take_goes_to_the_dead_letter_queue(self):
        topic = self.topic("lossy")
        dead = self.queue("lossy-dead")
        _, subscription = self.subscribe(topic, "lossy", RawMessageDelivery="true")
        self.sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="RedrivePolicy", AttributeValue=(
            json.dumps({"deadLetterTargetArn": QUEUE + "lossy-dead"})))
        self.refused("InvalidParameter", self.sns.set_subscription_attributes, SubscriptionArn=subscription,
                     AttributeName="RedrivePolicy", AttributeValue='{"deadLetterTargetArn": "x"}')
        self.sqs.delete_queue(QueueUrl=self.sqs.get_queue_url(QueueName="lossy")["QueueUrl"])
        self.sns.publish(TopicArn=topic, Message="kept")
        self.assertEqual(["kept"], self.bodies(dead))

    def test_a_rule_publishes_what_matches(self):
        topic = self.topic("events")
        url, _ = self.subscribe(topic, "from-events", RawMessageDelivery="true")
        self.events.put_rule(Name="to-topic", EventPattern=json.dumps({"source": ["topics.test"]}))
        dead = self.queue("events-dead")
        self.queue("events-gone")
        targets = [{"Id": "1", "Arn": topic, "InputPath": "$.detail"},
                   {"Id": "2", "Arn": QUEUE + "events-gone", "DeadLetterConfig": {"Arn": QUEUE + "events-dead"}}]
        self.assertEqual(0, self.events.put_targets(Rule="to-topic", Targets=targets)["FailedEntryCount"])
        self.sqs.delete_queue(QueueUrl=self.sqs.get_queue_url(QueueName="events-gone")["QueueUrl"])
        self.events.put_events(Entries=[{"Source": "topics.test", "DetailType": "t", "Detail": '{"n": 1}'}])
        self.assertEqual([{"n": 1}], [json.loads(b) for b in self.bodies(url)])
        message, = self.messages(dead)
        self.assertEqual({"n": 1}, json.loads(message["Body"])["detail"])
        self.assertEqual("NO_RESOURCE", message["MessageAttributes"]["ERROR_CODE"]["StringValue"])

    def test_a_function_is_begun_with_the_message(self):
        code = b"def handler(event, context):\n    return event['Records'][0]['Sns']['Message'] + '!'\n"
        self.functions.create_function(FunctionName="listener", Runtime="python3.11", Role=support.ROLE,
                                       Handler="code.handler", Timeout=30,
                                       Code={"ZipFile": support.zip_of({"code.py": code})})
        topic = self.topic("to-function")
        self.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION + "listener")
        self.sns.publish(TopicArn=topic, Message="heard")
        ended = [e for e in self.server.wait() if e["Program"] == FUNCTION + "listener"]
        self.assertEqual(["SUCCEEDED"], [e["Status"] for e in ended], ended)
        self.assertEqual('"heard!"', ended[0]["Result"]["Payload"])

    def test_the_command_line_speaks_to_it(self):
        command = support.aws_command()
        if not command:
            raise unittest.SkipTest("there is no aws command")
        run = subprocess.run([command, "--endpoint-url", self.server.endpoint, "--region", REGION, "sns", "create-topic",
                              "--name", "cli"], env=self.server.environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual((0, TOPIC + "cli"), (run.returncode, json.loads(run.stdout or "{}").get("TopicArn")), run.stderr)


class SnsOverHttp(support.ServerTest):
    """A server that may notify this machine."""

    @classmethod
    def setUpClass(cls):
        cls.server = support.Server("--private-endpoints")
        cls.sns = cls.server.client("sns")
        cls.sqs = cls.server.client("sqs")
        cls.endpoint = Endpoint()

    @classmethod
    def tearDownClass(cls):
        cls.endpoint.close()
        cls.server.stop()

    def heard(self):
        return self.endpoint.got.get(timeout=30)

    def subscribed(self, name, **attributes):
        """A topic with this endpoint confirmed; gives (topic, subscription)."""
        topic = self.sns.create_topic(Name=name)["TopicArn"]
        answer = self.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=self.endpoint.url, Attributes=attributes)
        self.assertEqual("pending confirmation", answer["SubscriptionArn"])
        _, headers, body = self.heard()
        self.assertEqual("SubscriptionConfirmation", headers["x-amz-sns-message-type"])
        document = json.loads(body)
        self.assertEqual((topic, "SubscriptionConfirmation"), (document["TopicArn"], document["Type"]))
        self.assertEqual("PendingConfirmation",
                         self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"])
        arn = self.sns.confirm_subscription(TopicArn=topic, Token=document["Token"])["SubscriptionArn"]
        self.assertIn(arn, open_link(document["SubscribeURL"]))  # again: the same answer
        return topic, arn

    def test_an_endpoint_is_confirmed_notified_and_let_go(self):
        topic, arn = self.subscribed("http")
        published = self.sns.publish(TopicArn=topic, Message="over the wire", Subject="s")
        status, headers, body = self.heard()
        self.assertEqual((200, "Notification", published["MessageId"], topic, arn), (status,) + tuple(
            headers["x-amz-sns-" + k] for k in ("message-type", "message-id", "topic-arn", "subscription-arn")))
        document = json.loads(body)
        self.assertEqual("over the wire", document["Message"])
        open_link(document["UnsubscribeURL"])
        self.assertEqual([], self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"])

    def test_a_link_confirms_without_a_signature_and_a_wrong_one_does_not(self):
        topic = self.sns.create_topic(Name="links")["TopicArn"]
        self.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=self.endpoint.url + "/links")
        document = json.loads(self.heard()[2])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            open_link(document["SubscribeURL"][:-4] + "0000")
        self.assertEqual(400, caught.exception.code)
        caught.exception.close()
        self.assertIn(topic + ":", open_link(document["SubscribeURL"]))
        shown = self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]
        attributes = self.sns.get_subscription_attributes(SubscriptionArn=shown["SubscriptionArn"])["Attributes"]
        self.assertEqual(("false", "false"),
                         (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]))

    def test_a_failed_delivery_is_tried_again_and_then_put_away(self):
        url = self.sqs.create_queue(QueueName="http-dead")["QueueUrl"]
        topic, _ = self.subscribed("retried", RawMessageDelivery="true", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": QUEUE + "http-dead"}), DeliveryPolicy=json.dumps(
                {"healthyRetryPolicy": {"numRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}}))
        self.endpoint.statuses = [500, 503, 200]
        self.sns.publish(TopicArn=topic, Message="in the end")
        self.assertEqual([500, 503, 200], [self.heard()[0] for _ in range(3)])
        self.endpoint.statuses = [500, 500, 500]
        self.sns.publish(TopicArn=topic, Message="never")
        self.assertEqual([500, 500, 500], [self.heard()[0] for _ in range(3)])
        got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        self.assertEqual(["never"], [m["Body"] for m in got])
        self.endpoint.statuses = [404]
        self.sns.publish(TopicArn=topic, Message="unwanted")
        self.assertEqual(404, self.heard()[0])
        got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        self.assertEqual(["unwanted"], [m["Body"] for m in got])
