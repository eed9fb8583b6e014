"""SQS's operations, done and refused, with boto3 and the aws command."""
import hashlib
import json
import subprocess
import threading
import time
import unittest

import support
from support import ACCOUNT, REGION

ARN = "arn:aws:sqs:%s:%s:" % (REGION, ACCOUNT)
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


class Sqs(support.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sqs = cls.server.client("sqs")

    def queue(self, name, **attributes):
        if name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def receive(self, url, **more):
        return self.sqs.receive_message(QueueUrl=url, **more).get("Messages", [])

    def bodies(self, url, **more):
        return [m["Body"] for m in self.receive(url, MaxNumberOfMessages=10, **more)]

    def attributes(self, url, *names):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names or ["All"]))["Attributes"]

    def depth(self, url):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        there = self.attributes(url, *names)
        return tuple(int(there[n]) for n in names)

    def refuses_a_queue_that_is_not_there(self, call, **arguments):
        self.refused(NO_QUEUE, call, QueueUrl="https://sqs.us-east-1.amazonaws.com/%s/none" % ACCOUNT, **arguments)

    def test_a_queue_is_made_once_and_found(self):
        url = self.queue("made", VisibilityTimeout="60")
        self.assertEqual("https://sqs.%s.amazonaws.com/%s/made" % (REGION, ACCOUNT), url)
        self.assertEqual(url, self.queue("made", VisibilityTimeout="60"))
        self.assertEqual(url, self.queue("made"))
        self.assertIn("different value for attribute VisibilityTimeout",
                      self.refused("QueueAlreadyExists", self.queue, name="made", VisibilityTimeout="61"))
        self.assertEqual(url, self.sqs.get_queue_url(QueueName="made")["QueueUrl"])
        there = self.attributes(url)
        self.assertEqual({"VisibilityTimeout": "60", "QueueArn": ARN + "made", "DelaySeconds": "0",
                          "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
                          "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true"},
                         {k: v for k, v in there.items() if not k.startswith("Approximate") and not k.endswith("stamp")})
        self.refused(NO_QUEUE, self.sqs.get_queue_url, QueueName="none")
        self.refused("InvalidParameterValue", self.queue, name="no good")
        self.refused("InvalidParameterValue", self.sqs.create_queue, QueueName="x.fifo")
        self.refused("InvalidAttributeValue", self.queue, name="bad", VisibilityTimeout="43201")
        self.refused("InvalidAttributeName", self.queue, name="bad", Colour="red")
        self.refused("InvalidAttributeName", self.queue, name="bad", FifoThroughputLimit="perQueue")
        self.assertIn("maxReceiveCount", self.refused(
            "InvalidParameterValue", self.queue, name="bad",
            RedrivePolicy=json.dumps({"deadLetterTargetArn": ARN + "made", "maxReceiveCount": 0})))
        self.sqs.delete_queue(QueueUrl=url)
        self.refused(NO_QUEUE, self.sqs.delete_queue, QueueUrl=url)

    def test_queues_are_listed_in_pages(self):
        urls = [self.queue("page-%d" % i) for i in range(5)]
        self.assertEqual(urls, self.sqs.list_queues(QueueNamePrefix="page-")["QueueUrls"])
        page = self.sqs.list_queues(QueueNamePrefix="page-", MaxResults=2)
        self.assertEqual(urls[:2], page["QueueUrls"])
        page = self.sqs.list_queues(QueueNamePrefix="page-", MaxResults=3, NextToken=page["NextToken"])
        self.assertEqual((urls[2:], False), (page["QueueUrls"], "NextToken" in page))
        self.refused("InvalidParameterValue", self.sqs.list_queues, MaxResults=2, NextToken="nonsense")
        self.refused("InvalidParameterValue", self.sqs.list_queues, MaxResults=1001)

    def test_attributes_are_set_taken_away_and_refused(self):
        url = self.queue("settings")
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy, "KmsMasterKeyId": "alias/aws/sqs",
                                                                "DelaySeconds": "5"})
        there = self.attributes(url)
        self.assertEqual((policy, "alias/aws/sqs", "300", "false", "5"), tuple(there[k] for k in (
            "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "DelaySeconds")))
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "", "KmsMasterKeyId": ""})
        self.assertNotIn("Attributes", self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy",
                                                                                                  "KmsMasterKeyId"]))
        for name, value, code in (("Policy", "{", "InvalidAttributeValue"), ("DelaySeconds", "901", "InvalidAttributeValue"),
                                  ("MaximumMessageSize", "1048577", "InvalidAttributeValue"),
                                  ("QueueArn", "x", "InvalidAttributeName"), ("FifoQueue", "true", "InvalidAttributeName"),
                                  ("RedrivePolicy", "[]", "InvalidParameterValue")):
            self.refused(code, self.sqs.set_queue_attributes, QueueUrl=url, Attributes={name: value})
        self.refused("InvalidAttributeName", self.sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Colour"])
        self.refuses_a_queue_that_is_not_there(self.sqs.get_queue_attributes, AttributeNames=["All"])
        self.refuses_a_queue_that_is_not_there(self.sqs.set_queue_attributes, Attributes={"DelaySeconds": "0"})

    def test_a_message_is_sent_received_and_deleted(self):
        url = self.queue("life")
        attributes = {"number": {"DataType": "Number", "StringValue": "42"},
                      "text": {"DataType": "String.kind", "StringValue": "word"},
                      "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
        sent = self.sqs.send_message(QueueUrl=url, MessageBody="héllo", MessageAttributes=attributes, MessageSystemAttributes={
            "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5e3d83c1-e6a0db584850d61342823d4c"}})
        self.assertEqual(hashlib.md5("héllo".encode()).hexdigest(), sent["MD5OfMessageBody"])
        message, = self.receive(url, MessageAttributeNames=["All"], AttributeNames=["All"])
        self.assertEqual((sent["MessageId"], "héllo", sent["MD5OfMessageBody"], sent["MD5OfMessageAttributes"], attributes),
                         tuple(message[k] for k in ("MessageId", "Body", "MD5OfBody", "MD5OfMessageAttributes",
                                                    "MessageAttributes")))
        self.assertEqual("1", message["Attributes"]["ApproximateReceiveCount"])
        self.assertEqual("Root=1-5e3d83c1-e6a0db584850d61342823d4c", message["Attributes"]["AWSTraceHeader"])
        self.assertEqual([], self.receive(url))
        self.assertEqual((0, 1, 0), self.depth(url))
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual((0, 0, 0), self.depth(url))
        self.refused("ReceiptHandleIsInvalid", self.sqs.delete_message, QueueUrl=url, ReceiptHandle="forged")
        self.refuses_a_queue_that_is_not_there(self.sqs.delete_message, ReceiptHandle="forged")
        self.refuses_a_queue_that_is_not_there(self.sqs.send_message, MessageBody="x")
        self.refuses_a_queue_that_is_not_there(self.sqs.receive_message)
        self.refused("InvalidMessageContents", self.sqs.send_message, QueueUrl=url, MessageBody="a\x01b")
        self.refused("InvalidParameterValue", self.sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes={
            "a": {"DataType": "Colour", "StringValue": "red"}})
        self.refused("InvalidParameterValue", self.sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)
        self.refused("InvalidParameterValue", self.sqs.receive_message, QueueUrl=url, WaitTimeSeconds=21)

    def test_a_message_is_as_large_as_its_queue_lets_it_be(self):
        url = self.queue("large")
        self.sqs.send_message(QueueUrl=url, MessageBody="x" * 1048576)
        self.assertIn("1048576", self.refused("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                                              MessageBody="x" * 1048577))
        self.assertEqual([1048576], [len(b) for b in self.bodies(url)])
        self.refused("AWS.SimpleQueueService.BatchRequestTooLong", self.sqs.send_message_batch, QueueUrl=url, Entries=[
            {"Id": str(i), "MessageBody": "x" * 600000} for i in range(2)])

    def test_batches(self):
        url = self.queue("batches")
        entries = [{"Id": str(i), "MessageBody": "m%d" % i} for i in range(9)] + [{"Id": "bad", "MessageBody": "a\x02"}]
        answer = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        self.assertEqual([str(i) for i in range(9)], [e["Id"] for e in answer["Successful"]])
        self.assertEqual([("bad", "InvalidMessageContents", True)],
                         [(e["Id"], e["Code"], e["SenderFault"]) for e in answer["Failed"]])
        messages = self.receive(url, MaxNumberOfMessages=10)
        self.assertEqual(9, len(messages))
        handles = [m["ReceiptHandle"] for m in messages]
        answer = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
            {"Id": "0", "ReceiptHandle": handles[0], "VisibilityTimeout": 0},
            {"Id": "1", "ReceiptHandle": "forged", "VisibilityTimeout": 0}])
        self.assertEqual((["0"], ["1"]), ([e["Id"] for e in answer["Successful"]], [e["Id"] for e in answer["Failed"]]))
        answer = self.sqs.delete_message_batch(QueueUrl=url, Entries=[
            {"Id": str(i), "ReceiptHandle": h} for i, h in enumerate(handles[1:])] + [{"Id": "x", "ReceiptHandle": "forged"}])
        self.assertEqual((8, 1), (len(answer["Successful"]), len(answer["Failed"])))
        self.assertEqual((1, 0, 0), self.depth(url))
        for call, more in ((self.sqs.send_message_batch, {"MessageBody": "x"}),
                           (self.sqs.delete_message_batch, {"ReceiptHandle": "x"}),
                           (self.sqs.change_message_visibility_batch, {"ReceiptHandle": "x", "VisibilityTimeout": 1})):
            for code, ids in (("EmptyBatchRequest", []), ("TooManyEntriesInBatchRequest", range(11)),
                              ("BatchEntryIdsNotDistinct", [1, 1]), ("InvalidBatchEntryId", ["no good"])):
                self.refused("AWS.SimpleQueueService." + code, call, QueueUrl=url,
                             Entries=[dict(Id=str(i), **more) for i in ids])

    def test_visibility_is_changed(self):
        url = self.queue("visibility")
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        first, = self.receive(url)
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
        second, = self.receive(url, AttributeNames=["ApproximateReceiveCount"])
        self.assertEqual("2", second["Attributes"]["ApproximateReceiveCount"])
        self.assertIn("not available for visibility timeout change", self.refused(
            "InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
            ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0))
        self.refused("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                     ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=43201)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])  # replaced: deletes nothing
        self.assertEqual((0, 1, 0), self.depth(url))

    def test_a_receive_waits_for_a_message(self):
        url = self.queue("waits", VisibilityTimeout="600")
        begun = time.time()
        timer = threading.Timer(0.5, self.sqs.send_message, kwargs=dict(QueueUrl=url, MessageBody="late"))
        timer.start()
        self.assertEqual(["late"], self.bodies(url, WaitTimeSeconds=20))
        timer.join()
        self.assertLess(time.time() - begun, 15)
        self.sqs.send_message(QueueUrl=url, MessageBody="much later", DelaySeconds=900)
        self.assertEqual((0, 1, 1), self.depth(url))
        self.assertEqual([], self.bodies(url))
        # A delayed message wakes it too.
        self.sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=1)
        self.assertEqual(["delayed"], self.bodies(url, WaitTimeSeconds=20))
        self.assertEqual([], self.bodies(url, WaitTimeSeconds=1))

    def test_a_fifo_queue_keeps_order_and_drops_duplicates(self):
        url = self.queue("order.fifo", ContentBasedDeduplication="true")
        for group in "ab":
            for i in range(3):
                sent = self.sqs.send_message(QueueUrl=url, MessageBody="%s%d" % (group, i), MessageGroupId=group)
                self.assertRegex(sent["SequenceNumber"], r"^\d{20}$")
        again = self.sqs.send_message(QueueUrl=url, MessageBody="b2", MessageGroupId="b")
        self.assertEqual((sent["MessageId"], sent["SequenceNumber"]), (again["MessageId"], again["SequenceNumber"]))
        first, = self.receive(url, AttributeNames=["All"])
        self.assertEqual(("a0", "a"), (first["Body"], first["Attributes"]["MessageGroupId"]))
        # Its group waits for it; the other one does not.
        self.assertEqual(["b0", "b1", "b2"], self.bodies(url))
        self.assertEqual([], self.bodies(url))
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        self.assertEqual(["a1", "a2"], self.bodies(url))
        self.refused("MissingParameter", self.sqs.send_message, QueueUrl=url, MessageBody="x")
        self.refused("InvalidParameterValue", self.sqs.send_message, QueueUrl=url, MessageBody="x", MessageGroupId="a",
                     DelaySeconds=1)
        plain = self.queue("plain.fifo")
        self.refused("InvalidParameterValue", self.sqs.send_message, QueueUrl=plain, MessageBody="x", MessageGroupId="a")
        attempt = dict(AttributeNames=["All"], ReceiveRequestAttemptId="one")
        self.sqs.send_message(QueueUrl=plain, MessageBody="x", MessageGroupId="a", MessageDeduplicationId="1")
        one, = self.receive(plain, **attempt)
        self.assertEqual(one["ReceiptHandle"], self.receive(plain, **attempt)[0]["ReceiptHandle"])

    def test_what_is_received_too_often_moves_to_the_dead_letter_queue_and_back(self):
        dead = self.queue("dead")
        url = self.queue("alive", RedrivePolicy=json.dumps({"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 2}))
        self.assertEqual([url], self.sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"])
        self.refuses_a_queue_that_is_not_there(self.sqs.list_dead_letter_source_queues)
        self.sqs.send_message(QueueUrl=url, MessageBody="poison")
        for _ in range(2):
            self.assertEqual(["poison"], self.bodies(url, VisibilityTimeout=0))
        self.assertEqual([], self.bodies(url))
        message, = self.receive(dead, AttributeNames=["DeadLetterQueueSourceArn"], VisibilityTimeout=0)
        self.assertEqual(ARN + "alive", message["Attributes"]["DeadLetterQueueSourceArn"])
        if not support.known("sqs", "StartMessageMoveTask"):
            raise unittest.SkipTest("this boto3 does not know message move tasks")
        started = self.sqs.start_message_move_task(SourceArn=ARN + "dead")
        self.assertEqual(["poison"], self.bodies(url, WaitTimeSeconds=20))

        def completed():
            task, = self.sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"]
            return task if task["Status"] == "COMPLETED" else None
        task = support.until(completed)
        self.assertEqual((1, 1), (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]))
        # So many that the task is still under way at the second start and the cancelling.
        for _ in range(6):
            self.sqs.send_message_batch(QueueUrl=dead, Entries=[
                {"Id": str(n), "MessageBody": "slow"} for n in range(10)])
        slow = self.sqs.start_message_move_task(SourceArn=ARN + "dead", DestinationArn=ARN + "alive",
                                                MaxNumberOfMessagesPerSecond=1)
        self.assertIn("already a task running", self.refused("InvalidParameterValue", self.sqs.start_message_move_task,
                                                             SourceArn=ARN + "dead"))
        self.sqs.cancel_message_move_task(TaskHandle=slow["TaskHandle"])
        task = self.sqs.list_message_move_tasks(SourceArn=ARN + "dead")["Results"][0]
        self.assertEqual("CANCELLED", task["Status"])
        self.refused("AWS.SimpleQueueService.UnsupportedOperation", self.sqs.cancel_message_move_task,
                     TaskHandle=started["TaskHandle"])
        self.refused("InvalidParameterValue", self.sqs.cancel_message_move_task, TaskHandle="nonsense")
        self.refused("InvalidParameterValue", self.sqs.start_message_move_task, SourceArn=ARN + "alive")
        self.refused("ResourceNotFoundException", self.sqs.start_message_move_task, SourceArn=ARN + "none")
        self.refused("ResourceNotFoundException", self.sqs.list_message_move_tasks, SourceArn=ARN + "none")

    def test_permissions_tags_and_a_purge(self):
        url = self.queue("shared")
        self.sqs.add_permission(QueueUrl=url, Label="them", AWSAccountIds=["222222222222"], Actions=["SendMessage"])
        statement, = json.loads(self.attributes(url, "Policy")["Policy"])["Statement"]
        self.assertEqual({"Sid": "them", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
                          "Action": "SQS:SendMessage", "Resource": ARN + "shared"}, statement)
        self.refused("InvalidParameterValue", self.sqs.add_permission, QueueUrl=url, Label="them",
                     AWSAccountIds=["222222222222"], Actions=["SendMessage"])
        self.refused("InvalidParameterValue", self.sqs.add_permission, QueueUrl=url, Label="other",
                     AWSAccountIds=["222222222222"], Actions=["Fly"])
        self.sqs.remove_permission(QueueUrl=url, Label="them")
        self.refused("InvalidParameterValue", self.sqs.remove_permission, QueueUrl=url, Label="them")
        self.sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2"})
        self.sqs.untag_queue(QueueUrl=url, TagKeys=["a", "none"])
        self.assertEqual({"b": "2"}, self.sqs.list_queue_tags(QueueUrl=url)["Tags"])
        self.refused("InvalidParameterValue", self.sqs.tag_queue, QueueUrl=url, Tags={"aws:x": "1"})
        self.refuses_a_queue_that_is_not_there(self.sqs.untag_queue, TagKeys=["a"])
        self.refuses_a_queue_that_is_not_there(self.sqs.list_queue_tags)
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.sqs.purge_queue(QueueUrl=url)
        self.assertEqual((0, 0, 0), self.depth(url))
        self.refuses_a_queue_that_is_not_there(self.sqs.purge_queue)

    def test_what_was_sent_is_there_after_a_restart_and_what_was_deleted_is_not(self):
        server = support.Server()
        try:
            sqs = server.client("sqs")
            url = sqs.create_queue(QueueName="kept")["QueueUrl"]
            for i in range(3):
                sqs.send_message(QueueUrl=url, MessageBody=str(i))
            gone = sqs.receive_message(QueueUrl=url)["Messages"][0]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=gone["ReceiptHandle"])
            server.process.kill()
            server.process.wait()
            server.process.stdout.close()
            server.log.close()
            server.start()
            sqs = server.client("sqs")
            left = [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]
            self.assertEqual({"0", "1", "2"} - {gone["Body"]}, set(left))
        finally:
            server.stop()

    def test_a_kill_under_load_loses_nothing_that_was_sent_and_brings_nothing_back_that_was_deleted(self):
        server = support.Server()
        try:
            sqs, sns = server.client("sqs"), server.client("sns")
            url = sqs.create_queue(QueueName="load", Attributes={"VisibilityTimeout": "10"})["QueueUrl"]
            topic = sns.create_topic(Name="load")["TopicArn"]
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=ARN + "load", Attributes={"RawMessageDelivery": "true"})
            sent, tried, deleted = set(), set(), set()

            def send(name, by_topic):
                sqs, sns = server.client("sqs"), server.client("sns")
                for i in range(100000):
                    body = "%s-%d" % (name, i)
                    try:
                        if by_topic:
                            sns.publish(TopicArn=topic, Message=body)
                        else:
                            sqs.send_message(QueueUrl=url, MessageBody=body)
                    except Exception:  # the server is gone
                        return
                    sent.add(body)

            def take():
                sqs = server.client("sqs")
                try:
                    while True:
                        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5).get("Messages", []):
                            tried.add(message["Body"])
                            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                            deleted.add(message["Body"])
                except Exception:
                    return

            for round_ in range(2):
                threads = [threading.Thread(target=send, args=("%d-%d" % (round_, n), n == 0)) for n in range(3)]
                threads += [threading.Thread(target=take) for _ in range(2)]
                for thread in threads:
                    thread.start()
                support.until(lambda: len(sent) > 30 * (round_ + 1) and len(deleted) > 12 * (round_ + 1))
                server.process.kill()
                server.process.wait()
                for thread in threads:
                    thread.join()
                server.process.stdout.close()
                server.log.close()
                server.start()
            self.assertGreater(len(sent), 50)
            self.assertGreater(len(deleted), 20)
            sqs, left = server.client("sqs"), set()
            while True:
                got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=15).get("Messages", [])
                if not got:
                    break
                left |= {m["Body"] for m in got}
                sqs.delete_message_batch(QueueUrl=url, Entries=[
                    {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
            self.assertEqual(set(), sent - tried - left, "answered as sent, and lost")
            self.assertEqual(set(), deleted & left, "answered as deleted, and there again")
        finally:
            server.stop()

    def test_a_rule_sends_what_matches_to_a_queue(self):
        url = self.queue("events")
        fifo = self.queue("events.fifo")
        self.events.put_rule(Name="to-queues", EventPattern=json.dumps({"source": ["queues.test"]}))
        answer = self.events.put_targets(Rule="to-queues", Targets=[
            {"Id": "plain", "Arn": ARN + "events"},
            {"Id": "fifo", "Arn": ARN + "events.fifo", "InputPath": "$.detail", "SqsParameters": {"MessageGroupId": "g"}}])
        self.assertEqual(0, answer["FailedEntryCount"])
        self.events.put_events(Entries=[{"Source": "queues.test", "DetailType": "t", "Detail": '{"n": 1}'}])
        event, = self.bodies(url, WaitTimeSeconds=10)
        self.assertEqual({"n": 1}, json.loads(event)["detail"])
        self.assertEqual([{"n": 1}], [json.loads(b) for b in self.bodies(fifo, WaitTimeSeconds=10)])

    def test_the_command_line_speaks_to_it(self):
        command = support.aws_command()
        if not command:
            raise unittest.SkipTest("there is no aws command")

        def aws(*arguments):
            run = subprocess.run([command, "--endpoint-url", self.server.endpoint, "--region", REGION, "sqs"] + list(arguments),
                                 env=self.server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 universal_newlines=True, timeout=60)
            return run.returncode, json.loads(run.stdout) if run.stdout.strip() else None, run.stderr

        url = aws("create-queue", "--queue-name", "cli", "--attributes", "DelaySeconds=0")[1]["QueueUrl"]
        self.assertEqual(0, aws("send-message", "--queue-url", url, "--message-body", "from the shell")[0])
        message = aws("receive-message", "--queue-url", url, "--wait-time-seconds", "5")[1]["Messages"][0]
        self.assertEqual("from the shell", message["Body"])
        self.assertEqual(0, aws("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])[0])
        status, _, said = aws("receive-message", "--queue-url", url + "-none")
        self.assertNotEqual(0, status)
        self.assertIn("The specified queue does not exist", said)
