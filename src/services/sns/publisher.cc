#include <algorithm>
#include <set>

#include "aws/verify.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sns/sns.h"

namespace fixpoint::services {
namespace {

using json::Value;
using sns::Message;
using sns::Subscription;
using sns::Topic;

constexpr TimeMs dedup_ms = 5 * 60 * 1000;
constexpr std::size_t attributes_of_raw = 10;  // a queue's message has no more

// What the store cannot do now is no verdict on the subscriber: the publishing is taken back whole.
bool of_store(const Error& error) {
  return error.retryable && (error.code == "StoreError" || error.http_status >= 500);
}

// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html#creating-delivery-policy
std::string content_type_of(const Topic& topic, const Subscription& subscription) {
  const auto own = json::parse(subscription.settings["DeliveryPolicy"].string_or(""));
  const auto all = json::parse(topic.settings["DeliveryPolicy"].string_or(""));
  std::string type = "text/plain; charset=UTF-8";
  if (all) type = (*all)["http"]["defaultRequestPolicy"]["headerContentType"].string_or(type);
  if (own) type = (*own)["requestPolicy"]["headerContentType"].string_or(type);
  return type;
}

// What a call publishes is by whose doing the call is, and by no rule.
bus::Delivery published_by(const aws::Caller& caller) {
  bus::Delivery out;
  if (caller.principal) out.origin = {caller.principal->execution, caller.principal->person()};
  return out;
}

std::string dead_letters_of(const Subscription& subscription) {
  const auto policy = json::parse(subscription.settings["RedrivePolicy"].string_or(""));
  return policy ? std::string((*policy)["deadLetterTargetArn"].string_or("")) : std::string();
}

}  // namespace

bool Sns::wants(const Subscription& subscription, const Message& message) {
  const Value& policy = subscription.settings["FilterPolicy"];
  if (!policy.is_string()) return true;
  if (subscription.by_body()) return filters_.matches(policy.as_string(), message.text_for(subscription.protocol));
  return filters_.matches(policy.as_string(), json::print(sns::filter_document(message.attributes)));
}

Result<void> Sns::sign_ahead(store::Session& session, const Topic& topic, const Message& message,
                             sns::Envelopes::Signatures& signatures) {
  FIXPOINT_TRY(subscriptions, topics_.confirmed(session, topic.name.arn()));
  std::set<std::string_view> seen;
  for (const Subscription& subscription : subscriptions)
    if (!subscription.raw() && seen.insert(message.text_for(subscription.protocol)).second)
      envelopes_.notification(topic, subscription, message, signatures);
  return {};
}

Result<Value> Sns::publish(store::Transaction& tx, const Topic& topic, Message message,
                           sns::Envelopes::Signatures& signatures, const bus::Delivery& published) {
  const TimeMs now = clock_.now_ms();
  const std::string arn = topic.name.arn();
  json::Object answer;
  if (topic.fifo()) {
    const bool by_group = topic.settings["FifoThroughputScope"] == Value("MessageGroup");
    const std::string key = by_group ? message.group + "\n" + message.dedup : message.dedup;
    FIXPOINT_CHECK(tx.execute("DELETE FROM sns_dedup WHERE expires_ms <= ?", {now}));
    FIXPOINT_TRY(before, tx.query("SELECT id, sequence FROM sns_dedup WHERE topic_arn = ? AND dedup = ?", {arn, key}));
    if (!before.empty())
      return Value(json::Object{{"MessageId", before[0].text(0)}, {"SequenceNumber", before[0].text(1)}});
    FIXPOINT_TRY(last, tx.query("SELECT max(sequence) FROM sns_dedup WHERE topic_arn = ?", {arn}));
    // The time in the upper digits, one more than the last where the clock stands still.
    const std::int64_t after = last.empty() ? 0 : to_int64(last[0].text(0)).value_or(0);
    const std::string digits = std::to_string(std::max((now << 20) + 1, after + 1));
    message.sequence = std::string(20 - digits.size(), '0') + digits;
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO sns_dedup (topic_arn, dedup, id, sequence, expires_ms) VALUES (?, ?, ?, ?, ?)",
                   {arn, key, message.id, message.sequence, now + dedup_ms}));
    answer.set("SequenceNumber", message.sequence);
  }
  answer.set("MessageId", message.id);
  FIXPOINT_TRY(subscriptions, topics_.confirmed(tx, arn));
  for (const Subscription& subscription : subscriptions)
    if (wants(subscription, message)) FIXPOINT_CHECK(deliver(tx, topic, subscription, message, signatures, published));
  return Value(std::move(answer));
}

Result<void> Sns::deliver(store::Transaction& tx, const Topic& topic, const Subscription& subscription,
                          const Message& message, sns::Envelopes::Signatures& signatures,
                          const bus::Delivery& published) {
  if (subscription.protocol == "sqs") return deliver_to_queue(tx, topic, subscription, message, signatures);
  if (subscription.protocol == "lambda") {
    const Value event = envelopes_.lambda_event(topic, subscription, message, signatures);
    auto begun = tx.attempt([&] {
      return outlets_.function(tx, message.id + "/" + subscription.arn, subscription.endpoint, event, published);
    });
    if (!begun && !of_store(begun.error()))
      return put_away(tx, subscription.arn, dead_letters_of(subscription),
                      json::Object{{"MessageBody", json::print(event["Records"][0]["Sns"])}}, begun.error().message);
    return begun;
  }
  sns::HttpDeliveries::Delivery delivery;
  delivery.subscription_arn = subscription.arn;
  delivery.url = subscription.endpoint;
  delivery.headers = json::Object{{"Content-Type", content_type_of(topic, subscription)},
                                  {"User-Agent", "Amazon Simple Notification Service Agent"},
                                  {"x-amz-sns-message-type", "Notification"},
                                  {"x-amz-sns-message-id", message.id},
                                  {"x-amz-sns-topic-arn", topic.name.arn()},
                                  {"x-amz-sns-subscription-arn", subscription.arn}};
  if (subscription.raw()) {
    delivery.headers.append("x-amz-sns-rawdelivery", "true");
    delivery.body = message.text_for(subscription.protocol);
  } else {
    delivery.body = json::print(envelopes_.notification(topic, subscription, message, signatures));
  }
  delivery.policy = sns::RetryPolicy::of(std::string(topic.settings["DeliveryPolicy"].string_or("")),
                                         std::string(subscription.settings["DeliveryPolicy"].string_or("")));
  delivery.dead_letter_arn = dead_letters_of(subscription);
  return http_.add(tx, delivery);
}

Result<void> Sns::deliver_to_queue(store::Transaction& tx, const Topic& topic, const Subscription& subscription,
                                   const Message& message, sns::Envelopes::Signatures& signatures) {
  json::Object form;
  if (subscription.raw()) {
    form.append("MessageBody", message.text_for("sqs"));
    if (message.attributes.size() > attributes_of_raw)
      return put_away(tx, subscription.arn, dead_letters_of(subscription), Value(form),
                      "a queue's message has at most 10 attributes");
    if (message.attributes.is_object()) {
      // A queue knows String.Array as a type of the kind String, as it is.
      form.append("MessageAttributes", message.attributes);
    }
  } else {
    form.append("MessageBody", json::print(envelopes_.notification(topic, subscription, message, signatures)));
  }
  if (!message.group.empty()) form.append("MessageGroupId", message.group);
  if (topic.fifo()) form.append("MessageDeduplicationId", message.dedup);
  Value whole(std::move(form));
  auto sent = tx.attempt([&] { return outlets_.queue(tx, subscription.endpoint, whole); });
  if (!sent && !of_store(sent.error()))
    return put_away(tx, subscription.arn, dead_letters_of(subscription), whole,
                    sent.error().code + ": " + sent.error().message);
  return sent;
}

// https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
Result<void> Sns::put_away(store::Transaction& tx, const std::string& subscription_arn,
                           const std::string& dead_letter_arn, const Value& message, const std::string& why) {
  json::Object about{{"Subscription", subscription_arn}, {"Why", why}};
  if (!dead_letter_arn.empty()) {
    auto sent = tx.attempt([&] { return outlets_.queue(tx, dead_letter_arn, message); });
    if (sent) {
      about.append("DeadLetterQueue", dead_letter_arn);
    } else {
      if (of_store(sent.error())) return sent;
      about.append("DeadLetterError", sent.error().code + ": " + sent.error().message);
    }
  }
  return outlets_.lost(tx, Value(std::move(about)));
}

Result<Value> Sns::publish(const aws::Caller& caller, const Value& input) {
  if (!input["PhoneNumber"].is_null())
    return fail(errors::not_implemented("text messages are not sent here; publish to a TopicArn", "PhoneNumber"));
  const std::string arn(input["TopicArn"].is_null() ? input["TargetArn"].string_or("")
                                                    : input["TopicArn"].string_or(""));
  if (arn.empty()) return fail(sns::invalid("TopicArn or TargetArn Reason: no value for required parameter"));
  if (arn.find(":endpoint/") != std::string::npos)
    return fail(errors::not_implemented("push notifications are not sent here; publish to a TopicArn", "TargetArn"));
  FIXPOINT_TRY(name, sns::topic_of_arn(arn));
  if (name.account != caller.account || name.region != caller.region) return fail(sns::no_topic());
  sns::Envelopes::Signatures signatures;
  FIXPOINT_TRY(message, store_.read([&](store::Session& session) -> Result<Message> {
    FIXPOINT_TRY(topic, topics_.get(session, name));
    FIXPOINT_TRY(checked, sns::message_of(input, topic));
    checked.at_ms = clock_.now_ms();
    FIXPOINT_CHECK(sign_ahead(session, topic, checked, signatures));
    return std::move(checked);
  }));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(topic, topics_.get(tx, name));
    return publish(tx, topic, message, signatures, published_by(caller));
  });
}

// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
Result<Value> Sns::publish_batch(const aws::Caller& caller, const Value& input) {
  const Value& entries = input["PublishBatchRequestEntries"];
  const auto refuse = [](const char* code, const std::string& what) { return fail(errors::coded(code, what, 400)); };
  if (!entries.is_array() || entries.size() == 0)
    return refuse("EmptyBatchRequest", "The batch request doesn't contain any entries.");
  if (entries.size() > 10)
    return refuse("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.");
  std::set<std::string_view> ids;
  std::int64_t bytes = 0;
  for (const Value& entry : entries.as_array()) {
    const std::string_view id = entry["Id"].string_or("");
    if (id.size() > 80)
      return refuse("InvalidBatchEntryId",
                    "The Id of a batch entry in the batch request is too long: " + std::string(id.substr(0, 100)));
    if (id.empty() || id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
                          std::string_view::npos)
      return refuse("InvalidBatchEntryId",
                    "The Id of a batch entry in the batch request contains an impermissible character: " +
                        std::string(id.substr(0, 100)));
    if (!ids.insert(id).second)
      return refuse("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
    bytes += sns::size_bytes(entry);
  }
  if (bytes > sns::largest_message_bytes)
    return refuse("BatchRequestTooLong", "The length of all the messages put together is more than the limit.");
  FIXPOINT_TRY(name, sns::topic_of_arn(input["TopicArn"].string_or("")));
  if (name.account != caller.account || name.region != caller.region) return fail(sns::no_topic());
  sns::Envelopes::Signatures signatures;
  std::vector<std::pair<Value, Message>> checked;  // by the entry's Id
  json::Array bad;
  FIXPOINT_CHECK(store_.read([&](store::Session& session) -> Result<void> {
    FIXPOINT_TRY(topic, topics_.get(session, name));
    for (const Value& entry : entries.as_array()) {
      auto message = sns::message_of(entry, topic);
      if (!message) {
        bad.emplace_back(json::Object{{"Id", entry["Id"]},
                                      {"Code", message.error().code},
                                      {"Message", message.error().message},
                                      {"SenderFault", true}});
        continue;
      }
      message->at_ms = clock_.now_ms();
      FIXPOINT_CHECK(sign_ahead(session, topic, *message, signatures));
      checked.emplace_back(entry["Id"], std::move(*message));
    }
    return {};
  }));
  FIXPOINT_TRY(good, store_.write([&](store::Transaction& tx) -> Result<json::Array> {
    FIXPOINT_TRY(topic, topics_.get(tx, name));
    json::Array sent;
    for (const auto& [id, message] : checked) {
      FIXPOINT_TRY(done, publish(tx, topic, message, signatures, published_by(caller)));
      done.set("Id", id);
      sent.push_back(std::move(done));
    }
    return sent;
  }));
  return Value(json::Object{{"Successful", std::move(good)}, {"Failed", std::move(bad)}});
}

void Sns::add_publish_operations(aws::ServiceTable& table) {
  table.add("Publish", [this](const aws::Caller& caller, const Value& input) { return publish(caller, input); });
  table.add("PublishBatch", [this](const auto& caller, const auto& input) { return publish_batch(caller, input); });
  // A list that is empty is none in this protocol.
  table.operations.find("PublishBatch")->second.validates = true;
}

Result<void> Sns::begin(store::Transaction& tx, const bus::Delivery& delivery) {
  FIXPOINT_TRY(name, sns::topic_of_arn(delivery.target.arn));
  FIXPOINT_TRY(topic, topics_.get(tx, name));
  Value input{json::Object{{"Message", delivery.text}}};
  if (topic.fifo()) {
    input.set("MessageGroupId", delivery.target.form["SqsParameters"]["MessageGroupId"].string_or("events"));
    input.set("MessageDeduplicationId", delivery.name());
  }
  FIXPOINT_TRY(message, sns::message_of(input, topic));
  message.at_ms = clock_.now_ms();
  sns::Envelopes::Signatures signatures;
  FIXPOINT_CHECK(publish(tx, topic, std::move(message), signatures, delivery));
  return {};
}

Result<void> Sns::check_arn(const std::string& arn) {
  const auto name = sns::topic_of_arn(arn);
  if (!name)
    return fail(errors::validation("'" + arn + "' names no topic; the form is arn:aws:sns:REGION:ACCOUNT:NAME", "Arn"));
  FIXPOINT_TRY(topic, store_.read([&](store::Session& session) { return topics_.find(session, *name); }));
  if (!topic) return fail(errors::validation("the topic '" + arn + "' is not there; create it first", "Arn"));
  return {};
}

}  // namespace fixpoint::services
