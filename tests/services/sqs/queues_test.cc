#include <filesystem>

#include "base/text.h"
#include "queue_house.h"
#include "store/pieces.h"
#include "support/until.h"

namespace fixpoint::services {
namespace {

using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string handle_of(const Value& message) {
  return message["ReceiptHandle"].as_string();
}
std::string with_handle(const std::string& url, const Value& message, const std::string& more = "") {
  return "{QueueUrl: '" + url + "', ReceiptHandle: '" + handle_of(message) + "'" + more + "}";
}

TEST(Sqs, a_message_that_is_not_deleted_comes_back_after_its_visibility_timeout) {
  QueueHouse house;
  const auto url = house.queue("q", "{VisibilityTimeout: '10'}");
  house.send(url, "x");
  const auto first = house.receive(url)[0];
  house.advance_s(9);
  EXPECT_THAT(house.bodies(url), IsEmpty());
  EXPECT_EQ(house.depth(url), "0/1/0");
  house.advance_s(1);
  EXPECT_EQ(house.depth(url), "1/0/0");
  const auto second = house.receive(url)[0];
  EXPECT_EQ(second["MessageId"], first["MessageId"]);
  EXPECT_EQ(second["Attributes"]["ApproximateReceiveCount"], Value("2"));
  EXPECT_EQ(second["Attributes"]["ApproximateFirstReceiveTimestamp"],
            first["Attributes"]["ApproximateFirstReceiveTimestamp"]);
  // The first receipt is no good any more, the second one is.
  house.ok("DeleteMessage", with_handle(url, first));
  EXPECT_EQ(house.depth(url), "0/1/0");
  house.ok("DeleteMessage", with_handle(url, second));
  EXPECT_EQ(house.depth(url), "0/0/0");
  house.advance_s(100);
  EXPECT_THAT(house.bodies(url), IsEmpty());
}

TEST(Sqs, a_receipt_with_another_nonce_deletes_nothing) {
  QueueHouse house;
  const auto url = house.queue("q");
  house.send(url, "x");
  auto message = house.receive(url)[0];
  std::string bytes = *base64_decode(handle_of(message));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  message.set("ReceiptHandle", base64_encode(bytes));
  house.ok("DeleteMessage", with_handle(url, message));
  EXPECT_EQ(house.depth(url), "0/1/0");
  EXPECT_EQ(house.code("ChangeMessageVisibility", with_handle(url, message, ", VisibilityTimeout: 0")),
            "InvalidParameterValue");
}

TEST(Sqs, a_delayed_message_waits_for_its_time) {
  QueueHouse house;
  const auto url = house.queue("q", "{DelaySeconds: '5'}");
  house.send(url, "of the queue");
  house.send(url, "of its own", ", DelaySeconds: 0");
  EXPECT_EQ(house.depth(url), "1/0/1");
  EXPECT_THAT(house.bodies(url), ElementsAre("of its own"));
  house.advance_s(5);
  EXPECT_THAT(house.bodies(url), ElementsAre("of the queue"));
}

TEST(Sqs, what_is_beyond_its_retention_is_gone) {
  QueueHouse house;
  const auto url = house.queue("q", "{MessageRetentionPeriod: '60'}");
  house.send(url, "old");
  house.advance_s(59);
  house.send(url, "new");
  house.advance_s(1);
  EXPECT_THAT(house.bodies(url), ElementsAre("new"));
  EXPECT_EQ(house.depth(url), "0/1/0");
}

TEST(Sqs, the_visibility_timeout_has_a_limit_of_twelve_hours_in_all) {
  QueueHouse house;
  const auto url = house.queue("q", "{VisibilityTimeout: '43200'}");
  house.send(url, "x");
  const auto message = house.receive(url)[0];
  house.advance_s(3600);
  EXPECT_EQ(house.code("ChangeMessageVisibility", with_handle(url, message, ", VisibilityTimeout: 43200")),
            "InvalidParameterValue");
  EXPECT_EQ(house.code("ChangeMessageVisibility", with_handle(url, message, ", VisibilityTimeout: 39600")), "OK");
  house.ok("ChangeMessageVisibility", with_handle(url, message, ", VisibilityTimeout: 0"));
  EXPECT_EQ(house.code("ChangeMessageVisibility", with_handle(url, message, ", VisibilityTimeout: 10")),
            "MessageNotInflight");
}

TEST(Sqs, one_receive_gives_no_message_twice_even_without_a_visibility_timeout) {
  QueueHouse house;
  const auto url = house.queue("q");
  house.send(url, "a");
  house.send(url, "b");
  EXPECT_THAT(house.bodies(url, ", VisibilityTimeout: 0"), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(house.bodies(url), UnorderedElementsAre("a", "b"));
}

TEST(Fifo, a_group_goes_in_order_and_waits_for_what_is_in_flight) {
  QueueHouse house;
  const auto url =
      house.queue("q.fifo", "{FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '30'}");
  for (const auto* body : {"a1", "a2", "a3"}) house.send(url, body, ", MessageGroupId: a");
  house.send(url, "b1", ", MessageGroupId: b");
  const auto two = house.ok("ReceiveMessage", "{QueueUrl: '" + url + "', MaxNumberOfMessages: 2}")["Messages"];
  EXPECT_EQ(two[0]["Body"], Value("a1"));
  EXPECT_EQ(two[1]["Body"], Value("a2"));
  EXPECT_THAT(house.bodies(url), ElementsAre("b1"));
  // The first is done, the second still locks the group.
  house.ok("DeleteMessage", with_handle(url, two[0]));
  EXPECT_THAT(house.bodies(url), IsEmpty());
  // Its time is over: it comes again before those after it.
  house.advance_s(30);
  EXPECT_THAT(house.bodies(url), ElementsAre("a2", "a3", "b1"));
  // And its old receipt is refused, not passed over.
  house.advance_s(30);
  const auto late = house.receive(url)[0];
  house.advance_s(30);
  EXPECT_EQ(house.code("DeleteMessage", with_handle(url, late)), "InvalidParameterValue");
}

TEST(Fifo, a_message_in_flight_locks_those_before_it_too) {
  QueueHouse house;
  const auto url = house.queue("q.fifo", "{FifoQueue: 'true', ContentBasedDeduplication: 'true'}");
  for (const auto* body : {"a1", "a2"}) house.send(url, body, ", MessageGroupId: a");
  const auto both = house.receive(url);
  house.ok("ChangeMessageVisibility", with_handle(url, both[0], ", VisibilityTimeout: 0"));
  EXPECT_THAT(house.bodies(url), IsEmpty());
  house.ok("DeleteMessage", with_handle(url, both[1]));
  EXPECT_THAT(house.bodies(url), ElementsAre("a1"));
}

TEST(Fifo, a_duplicate_within_five_minutes_is_answered_and_not_sent) {
  QueueHouse house;
  const auto url = house.queue("q.fifo", "{FifoQueue: 'true'}");
  const auto one = house.send(url, "x", ", MessageGroupId: a, MessageDeduplicationId: d");
  const auto message = house.receive(url)[0];
  EXPECT_EQ(message["Attributes"]["MessageDeduplicationId"], Value("d"));
  house.ok("DeleteMessage", with_handle(url, message));
  house.advance_s(299);
  // Of another group and with another body: it is the id that counts, also after the first one is deleted.
  const auto again = house.send(url, "y", ", MessageGroupId: b, MessageDeduplicationId: d");
  EXPECT_EQ(again["MessageId"], one["MessageId"]);
  EXPECT_EQ(again["SequenceNumber"], one["SequenceNumber"]);
  EXPECT_THAT(house.bodies(url), IsEmpty());
  house.advance_s(1);
  const auto later = house.send(url, "z", ", MessageGroupId: b, MessageDeduplicationId: d");
  EXPECT_GT(later["SequenceNumber"].as_string(), one["SequenceNumber"].as_string());
  EXPECT_THAT(house.bodies(url), ElementsAre("z"));
}

TEST(Fifo, deduplication_may_go_by_group) {
  QueueHouse house;
  const auto url = house.queue(
      "q.fifo", "{FifoQueue: 'true', DeduplicationScope: messageGroup, FifoThroughputLimit: perMessageGroupId}");
  house.send(url, "a", ", MessageGroupId: a, MessageDeduplicationId: d");
  house.send(url, "b", ", MessageGroupId: b, MessageDeduplicationId: d");
  house.send(url, "c", ", MessageGroupId: a, MessageDeduplicationId: d");
  EXPECT_THAT(house.bodies(url), ElementsAre("a", "b"));
}

TEST(Fifo, an_attempt_that_is_made_again_gets_the_same_messages_while_they_are_in_flight) {
  QueueHouse house;
  const auto url =
      house.queue("q.fifo", "{FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '30'}");
  house.send(url, "a", ", MessageGroupId: a");
  const auto first = house.receive(url, ", ReceiveRequestAttemptId: one");
  house.advance_s(20);
  const auto again = house.receive(url, ", ReceiveRequestAttemptId: one");
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0]["ReceiptHandle"], first[0]["ReceiptHandle"]);
  // The visibility timeout began anew.
  house.advance_s(20);
  EXPECT_THAT(house.bodies(url), IsEmpty());
  house.ok("DeleteMessage", with_handle(url, first[0]));
  EXPECT_THAT(house.bodies(url, ", ReceiveRequestAttemptId: one"), IsEmpty());
}

TEST(DeadLetters, move_after_max_receives_with_their_source) {
  QueueHouse house;
  const auto dead = house.queue("dead");
  const auto url = house.queue("q", "{RedrivePolicy: '{\"deadLetterTargetArn\":\"" + QueueHouse::arn("dead") +
                                        "\",\"maxReceiveCount\":\"2\"}'}");
  const auto sent = house.send(url, "poison");
  house.send(url, "good");
  for (int i = 0; i < 2; ++i)
    for (const auto& message : house.receive(url, ", VisibilityTimeout: 0"))
      if (message["Body"] == Value("good")) house.ok("DeleteMessage", with_handle(url, message));
  EXPECT_THAT(house.bodies(url), IsEmpty());
  const auto there = house.receive(dead);
  ASSERT_EQ(there.size(), 1u);
  EXPECT_EQ(there[0]["MessageId"], sent["MessageId"]);
  EXPECT_EQ(there[0]["Attributes"]["DeadLetterQueueSourceArn"], Value(QueueHouse::arn("q")));
}

TEST(DeadLetters, policies_are_held_against_what_is_there) {
  QueueHouse house;
  house.queue("plain");
  house.queue("f.fifo", "{FifoQueue: 'true'}");
  const auto policy = [](const std::string& arn, const std::string& count = "3") {
    return "{RedrivePolicy: '{\"deadLetterTargetArn\":\"" + arn + "\",\"maxReceiveCount\":" + count + "}'}";
  };
  const auto create = [&](const std::string& attributes) {
    return house.call("CreateQueue", json::parse_yaml("{QueueName: src, Attributes: " + attributes + "}").value());
  };
  EXPECT_THAT(create(policy(QueueHouse::arn("none"))).error().message, HasSubstr("Dead letter target does not exist"));
  EXPECT_THAT(create(policy(QueueHouse::arn("f.fifo"))).error().message, HasSubstr("same type"));
  EXPECT_THAT(create(policy(QueueHouse::arn("plain"), "1001")).error().message, HasSubstr("1 to 1000"));
  EXPECT_THAT(create("{RedrivePolicy: '{}'}").error().message, HasSubstr("mandatory attribute: deadLetterTargetArn"));
  house.queue("closed", "{RedriveAllowPolicy: '{\"redrivePermission\":\"denyAll\"}'}");
  EXPECT_THAT(create(policy(QueueHouse::arn("closed"))).error().message, HasSubstr("does not allow"));
  house.queue("named", "{RedriveAllowPolicy: '{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"" +
                           QueueHouse::arn("src") + "\"]}'}");
  EXPECT_TRUE(create(policy(QueueHouse::arn("named"))));
}

TEST(Sqs, a_full_queue_is_purged_or_deleted_whole) {
  QueueHouse house;
  const auto rows = [&] {
    const auto read = house.store().read([](store::Session& session) {
      return session.query("SELECT (SELECT count(*) FROM sqs_message) + (SELECT count(*) FROM sqs_content)");
    });
    return read.value()[0].integer(0);
  };
  const auto fill = [&](const std::string& url) {
    for (std::int64_t sent = 0; sent <= 2 * store::rows_a_piece; sent += 10) {
      Value batch{json::Object{{"QueueUrl", url}}};
      for (int i = 0; i < 10; ++i)
        batch.at_or_make("Entries").push_back(json::Object{{"Id", std::to_string(i)}, {"MessageBody", "x"}});
      house.ok("SendMessageBatch", batch);
    }
  };
  const auto other = house.queue("other");
  house.send(other, "stays");
  const auto url = house.queue("q");
  fill(url);
  house.ok("PurgeQueue", "{QueueUrl: '" + url + "'}");
  EXPECT_EQ(house.depth(url), "0/0/0");
  EXPECT_EQ(rows(), 2);
  house.send(url, "after");
  EXPECT_THAT(house.bodies(url), ElementsAre("after"));
  fill(url);
  house.ok("DeleteQueue", "{QueueUrl: '" + url + "'}");
  EXPECT_EQ(rows(), 2);
  EXPECT_EQ(house.depth(other), "1/0/0");
}

TEST(Moves, bring_dead_letters_back_to_where_they_came_from_at_a_rate) {
  QueueHouse house;
  const auto dead = house.queue("dead");
  const auto url = house.queue(
      "q", "{RedrivePolicy: '{\"deadLetterTargetArn\":\"" + QueueHouse::arn("dead") + "\",\"maxReceiveCount\":1}'}");
  for (int i = 0; i < 3; ++i) house.send(url, std::to_string(i));
  EXPECT_EQ(house.bodies(url, ", VisibilityTimeout: 0").size(), 3u);
  EXPECT_THAT(house.bodies(url), IsEmpty());
  EXPECT_EQ(house.depth(dead), "3/0/0");
  auto arrived =
      house.later("ReceiveMessage", "{QueueUrl: '" + url + "', WaitTimeSeconds: 20, MaxNumberOfMessages: 10}");
  house.ok("StartMessageMoveTask", "{SourceArn: '" + QueueHouse::arn("dead") + "', MaxNumberOfMessagesPerSecond: 2}");
  house.advance_s(1);
  EXPECT_EQ((*arrived.get())["Messages"].size(), 2u);
  const auto task = [&] {
    return house.ok("ListMessageMoveTasks", "{SourceArn: '" + QueueHouse::arn("dead") + "'}")["Results"][0];
  };
  EXPECT_EQ(task()["Status"], Value("RUNNING"));
  EXPECT_EQ(task()["ApproximateNumberOfMessagesMoved"], Value(2));
  arrived = house.later("ReceiveMessage", "{QueueUrl: '" + url + "', WaitTimeSeconds: 20}");
  house.advance_s(1);
  EXPECT_EQ((*arrived.get())["Messages"].size(), 1u);
  EXPECT_EQ(task()["Status"], Value("COMPLETED"));
  EXPECT_EQ(task()["TaskHandle"], Value());
}

TEST(Moves, of_a_message_whose_source_nobody_knows_fail_and_lose_nothing) {
  QueueHouse house;
  const auto dead = house.queue("dead");
  house.queue("q",
              "{RedrivePolicy: '{\"deadLetterTargetArn\":\"" + QueueHouse::arn("dead") + "\",\"maxReceiveCount\":1}'}");
  house.send(dead, "sent here by hand");
  house.ok("StartMessageMoveTask", "{SourceArn: '" + QueueHouse::arn("dead") + "'}");
  Value task;
  EXPECT_TRUE(test::until([&] {
    house.advance_s(1);
    task = house.ok("ListMessageMoveTasks", "{SourceArn: '" + QueueHouse::arn("dead") + "'}")["Results"][0];
    return task["Status"] != Value("RUNNING");
  }));
  EXPECT_EQ(task["Status"], Value("FAILED"));
  EXPECT_EQ(task["FailureReason"], Value("CouldNotDetermineMessageSource"));
  EXPECT_EQ(house.depth(dead), "1/0/0");
}

TEST(Waiting, a_receive_wakes_when_a_message_arrives_or_becomes_visible_and_ends_with_its_time) {
  QueueHouse house;
  const auto url = house.queue("q", "{ReceiveMessageWaitTimeSeconds: '20', VisibilityTimeout: '5'}");
  auto waits = house.later("ReceiveMessage", "{QueueUrl: '" + url + "'}");
  EXPECT_EQ(waits.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  house.send(url, "x");
  EXPECT_EQ((*waits.get())["Messages"][0]["Body"], Value("x"));
  waits = house.later("ReceiveMessage", "{QueueUrl: '" + url + "'}");
  EXPECT_THAT(house.bodies(url, ", WaitTimeSeconds: 0"), IsEmpty());
  house.advance_s(5);
  EXPECT_EQ((*waits.get())["Messages"][0]["Body"], Value("x"));
  house.ok("PurgeQueue", "{QueueUrl: '" + url + "'}");
  waits = house.later("ReceiveMessage", "{QueueUrl: '" + url + "', WaitTimeSeconds: 3}");
  EXPECT_THAT(house.bodies(url, ", WaitTimeSeconds: 0"), IsEmpty());
  house.advance_s(3);
  EXPECT_EQ(*waits.get(), Value(json::Object()));
}

TEST(Waiting, each_message_goes_to_one_of_many_that_wait) {
  QueueHouse house;
  const auto url = house.queue("q");
  std::vector<std::future<Result<Value>>> waits;
  for (int i = 0; i < 20; ++i)
    waits.push_back(house.later("ReceiveMessage", "{QueueUrl: '" + url + "', WaitTimeSeconds: 20}"));
  for (int i = 0; i < 20; ++i) house.send(url, std::to_string(i));
  std::set<std::string> bodies;
  for (auto& wait : waits) bodies.insert((*wait.get())["Messages"][0]["Body"].as_string());
  EXPECT_EQ(bodies.size(), 20u);
}

TEST(Waiting, ends_when_the_server_does_and_when_the_queue_does) {
  QueueHouse house;
  const auto url = house.queue("q");
  auto waits = house.later("ReceiveMessage", "{QueueUrl: '" + url + "', WaitTimeSeconds: 20}");
  EXPECT_THAT(house.bodies(url), IsEmpty());
  house.ok("DeleteQueue", "{QueueUrl: '" + url + "'}");
  EXPECT_EQ(waits.get().error().code, "QueueDoesNotExist");
  house.queue("q");
  waits = house.later("ReceiveMessage", "{QueueUrl: '" + url + "', WaitTimeSeconds: 20}");
  house.sqs().stop();
  EXPECT_EQ(*waits.get(), Value(json::Object()));
}

TEST(Sqs, what_was_answered_is_there_when_it_starts_again) {
  const test::TempDir temporary;
  const auto& folder = temporary.path();
  std::string url, sequence, receipt;
  {
    QueueHouse house(folder);
    url = house.queue("q.fifo", "{FifoQueue: 'true', ContentBasedDeduplication: 'true'}");
    house.send(url, "gone", ", MessageGroupId: a");
    sequence = house.send(url, "kept", ", MessageGroupId: b")["SequenceNumber"].as_string();
    for (const auto& message : house.receive(url)) {
      if (message["Body"] == Value("gone"))
        house.ok("DeleteMessage", with_handle(url, message));
      else
        receipt = handle_of(message);
    }
  }
  {
    QueueHouse house(folder);
    EXPECT_THAT(house.bodies(url), IsEmpty());  // still in flight
    EXPECT_EQ(house.send(url, "kept", ", MessageGroupId: b")["SequenceNumber"], Value(sequence));
    EXPECT_GT(house.send(url, "next", ", MessageGroupId: b")["SequenceNumber"].as_string(), sequence);
    house.ok("DeleteMessage", "{QueueUrl: '" + url + "', ReceiptHandle: '" + receipt + "'}");
    EXPECT_THAT(house.bodies(url), ElementsAre("next"));
  }
}

// Each key that was taken away moved all others: 30,000 of them took the one writer 9 s.
TEST(Sqs, a_long_list_of_tags_is_taken_away_at_once) {
  QueueHouse house;
  const auto url = house.ok("CreateQueue", std::string("{QueueName: q}"))["QueueUrl"];
  json::Object tags;
  json::Array keys;
  for (int i = 0; i < 30'000; ++i) {
    tags.set("k" + std::to_string(i), "v");
    keys.emplace_back("k" + std::to_string(i));
  }
  tags.set("last", "v");
  house.ok("TagQueue", json::Value(json::Object{{"QueueUrl", url}, {"Tags", std::move(tags)}}));
  house.ok("UntagQueue", json::Value(json::Object{{"QueueUrl", url}, {"TagKeys", std::move(keys)}}));
  EXPECT_EQ(json::print(house.ok("ListQueueTags", json::Value(json::Object{{"QueueUrl", url}}))["Tags"]),
            R"({"last":"v"})");
}

TEST(Sqs, another_accounts_queue_is_not_there) {
  QueueHouse house;
  const auto url = house.queue("q");
  house.caller.account = "222222222222";
  for (const auto* operation : {"SendMessage", "ReceiveMessage", "DeleteQueue", "GetQueueAttributes"})
    EXPECT_EQ(house.code(operation, "{QueueUrl: '" + url + "', MessageBody: x}"), "QueueDoesNotExist");
  EXPECT_EQ(house.ok("ListQueues", std::string("{}")), Value(json::Object()));
}

TEST(Target, an_event_is_sent_with_the_transaction_that_published_it_or_not_at_all) {
  QueueHouse house;
  const auto url = house.queue("q.fifo", "{FifoQueue: 'true'}");
  bus::Delivery delivery;
  delivery.rule_arn = "rule";
  delivery.target.id = "1";
  delivery.target.arn = QueueHouse::arn("q.fifo");
  delivery.target.form = json::parse_yaml("{SqsParameters: {MessageGroupId: g}}").value();
  delivery.event = json::parse_yaml("{id: e}").value();
  delivery.text = "\"a text\"";
  const auto publish = [&](bool fails) {
    return house.store().write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(house.sqs().begin(tx, delivery));
      if (fails) return fail(errors::unavailable("no"));
      return {};
    });
  };
  EXPECT_FALSE(publish(true));
  EXPECT_EQ(house.depth(url), "0/0/0");
  EXPECT_TRUE(publish(false));
  EXPECT_TRUE(publish(false));  // the same delivery again
  EXPECT_THAT(house.bodies(url), ElementsAre("\"a text\""));
  EXPECT_TRUE(house.sqs().check_arn(QueueHouse::arn("q.fifo")));
  EXPECT_TRUE(house.sqs().check_arn(QueueHouse::arn("none")));  // as AWS takes it: it shows when an event is sent
  EXPECT_FALSE(house.sqs().check_arn("arn:aws:s3:::bucket"));
}

TEST(Sqs, attributes_replace_each_other_as_encryption_does) {
  QueueHouse house;
  const auto url = house.queue("q");
  const auto set = [&](const std::string& attributes) {
    return house.code("SetQueueAttributes", "{QueueUrl: '" + url + "', Attributes: " + attributes + "}");
  };
  const auto get = [&](const std::string& name) {
    return house.ok("GetQueueAttributes",
                    "{QueueUrl: '" + url + "', AttributeNames: [" + name + "]}")["Attributes"][name];
  };
  EXPECT_EQ(set("{KmsMasterKeyId: k, SqsManagedSseEnabled: 'true'}"), "InvalidAttributeValue");
  EXPECT_EQ(set("{KmsMasterKeyId: k}"), "OK");
  EXPECT_EQ(get("SqsManagedSseEnabled"), Value("false"));
  EXPECT_EQ(set("{SqsManagedSseEnabled: 'true'}"), "OK");
  EXPECT_EQ(get("KmsMasterKeyId"), Value());
  EXPECT_EQ(set("{KmsMasterKeyId: k}"), "OK");
  // Both together, as an undo puts it back.
  EXPECT_EQ(set("{KmsMasterKeyId: '', SqsManagedSseEnabled: 'true'}"), "OK");
  EXPECT_EQ(get("SqsManagedSseEnabled"), Value("true"));
  EXPECT_EQ(get("KmsDataKeyReusePeriodSeconds"), Value());
}

}  // namespace
}  // namespace fixpoint::services
