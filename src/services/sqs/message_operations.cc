#include <algorithm>
#include <array>
#include <set>

#include "aws/verify.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sqs/sqs.h"

namespace fixpoint::services {
namespace {

using json::Value;
using sqs::Message;
using sqs::Queue;
using sqs::QueueName;
using sqs::Received;

// As in the operations on queues: another account's queue is not there.
Result<QueueName> name_of(const aws::Caller& caller, const Value& input) {
  FIXPOINT_TRY(name, sqs::name_of_url(input["QueueUrl"].string_or(""), caller.region));
  if (name.account.empty()) name.account = caller.account;
  if (name.account != caller.account) return fail(sqs::no_queue());
  return name;
}

std::string sender_of(const aws::Caller& caller) {
  return caller.principal ? caller.principal->user_id : caller.account;
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
Result<void> check_batch(const Value& entries, const char* what) {
  const auto refuse = [](const char* code, const std::string& message) {
    return fail(errors::coded(code, message, 400));
  };
  if (!entries.is_null() && !entries.is_array())
    return fail(errors::serialization("Entries has to be a list", "Entries"));
  if (entries.size() == 0)
    return refuse("EmptyBatchRequest",
                  std::string("There should be at least one ") + what + "RequestEntry in the request.");
  if (entries.size() > sqs::largest_batch)
    return refuse("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent " +
                                                      std::to_string(entries.size()) + ".");
  std::set<std::string_view> ids;
  for (const Value& entry : entries.as_array()) {
    const std::string_view id = entry["Id"].string_or("");
    if (id.empty() || id.size() > 80 ||
        id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
            std::string_view::npos)
      return refuse("InvalidBatchEntryId",
                    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at "
                    "most 80 letters long.");
    if (!ids.insert(id).second) return refuse("BatchEntryIdsNotDistinct", "Id " + std::string(id) + " repeated.");
  }
  return {};
}

Value failed_entry(const Value& entry, const Error& error) {
  return json::Object{
      {"Id", entry["Id"]}, {"SenderFault", error.http_status < 500}, {"Code", error.code}, {"Message", error.message}};
}

// The names that ReceiveMessage asks for: whole ones, "All" or ".*", beginnings as "foo.*".
bool wants(const Value& names, std::string_view name) {
  if (!names.is_array()) return false;
  return std::any_of(names.as_array().begin(), names.as_array().end(), [&](const Value& one) {
    const std::string_view text = one.string_or("");
    return text == "All" || text == ".*" || text == name ||
           (text.ends_with(".*") && name.starts_with(text.substr(0, text.size() - 2)));
  });
}

Value system_attributes(const Queue& queue, const Received& message, const Value& names) {
  json::Object all{{"SenderId", message.sender},
                   {"SentTimestamp", std::to_string(message.sent_ms)},
                   {"ApproximateReceiveCount", std::to_string(message.receive_count)},
                   {"ApproximateFirstReceiveTimestamp", std::to_string(message.first_ms)}};
  if (queue.fifo) {
    all.set("SequenceNumber", sqs::sequence_text(message.receipt.sequence));
    all.set("MessageDeduplicationId", message.dedup);
  }
  if (!message.group.empty()) all.set("MessageGroupId", message.group);
  if (!message.source_arn.empty()) all.set("DeadLetterQueueSourceArn", message.source_arn);
  if (const Value& trace = message.system["AWSTraceHeader"]["StringValue"]; !trace.is_null())
    all.set("AWSTraceHeader", trace);
  json::Object out;
  for (const json::Member& member : all)
    if (wants(names, member.key)) out.append(member.key, member.value);
  return out;
}

Value message_json(const Queue& queue, Received message, const Value& names, const Value& attribute_names) {
  json::Object out{{"MessageId", message.id},
                   {"ReceiptHandle", message.receipt.handle()},
                   {"MD5OfBody", message.md5_of_body},
                   {"Body", std::move(message.body)}};
  if (Value system = system_attributes(queue, message, names); system.size() > 0)
    out.append("Attributes", std::move(system));
  json::Object attributes;
  if (message.attributes.is_object())
    for (const json::Member& member : message.attributes.as_object())
      if (wants(attribute_names, member.key)) attributes.append(member.key, member.value);
  if (!attributes.empty()) {
    Value picked(std::move(attributes));
    out.append("MD5OfMessageAttributes", sqs::md5_of_attributes(picked));
    out.append("MessageAttributes", std::move(picked));
  }
  return out;
}

constexpr std::array<std::string_view, 11> system_names{"All",
                                                        "SenderId",
                                                        "SentTimestamp",
                                                        "ApproximateReceiveCount",
                                                        "ApproximateFirstReceiveTimestamp",
                                                        "SequenceNumber",
                                                        "MessageDeduplicationId",
                                                        "MessageGroupId",
                                                        "AWSTraceHeader",
                                                        "DeadLetterQueueSourceArn",
                                                        ".*"};

Result<void> check_names(const Value& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names[i].string_or("");
    // AttributeNames of before MessageSystemAttributeNames also took the names of a queue's attributes.
    if (std::find(system_names.begin(), system_names.end(), name) == system_names.end() &&
        !sqs::is_attribute_name(name))
      return fail(
          errors::coded("InvalidAttributeName", "Unknown Attribute " + std::string(name.substr(0, 100)) + ".", 400));
  }
  return {};
}

Result<std::int64_t> visibility_of(const Value& input) {
  const std::int64_t seconds = input["VisibilityTimeout"].int_or(-1);
  if (seconds < 0 || seconds > 43'200)
    return fail(sqs::invalid_value(std::to_string(seconds), "VisibilityTimeout",
                                   "VisibilityTimeout must be an integer between 0 and 43200."));
  return seconds;
}

// A task is made in the account of who asks for it.
Result<void> check_owner(const aws::Caller& caller, std::string_view arn, std::string_view parameter) {
  const auto name = sqs::name_of_arn(arn);
  if (!name)
    return fail(sqs::invalid_parameter("You must use this format to specify the " + std::string(parameter) +
                                       ": arn:<partition>:<service>:<region>:<account-id>:<resource-id>"));
  if (name->account != caller.account) return fail(sqs::no_resource(parameter));
  return {};
}

}  // namespace

Result<Value> Sqs::send_one(store::Transaction& tx, const Queue& queue, const Message& message) {
  FIXPOINT_CHECK(sqs::check_for(queue, message));
  FIXPOINT_TRY(sent, queues_.send(tx, queue, message));
  json::Object out{{"MessageId", sent.id}, {"MD5OfMessageBody", message.md5_of_body}};
  if (!message.md5_of_attributes.empty()) out.set("MD5OfMessageAttributes", message.md5_of_attributes);
  if (!message.md5_of_system.empty()) out.set("MD5OfMessageSystemAttributes", message.md5_of_system);
  if (queue.fifo) out.set("SequenceNumber", sqs::sequence_text(sent.sequence));
  return Value(std::move(out));
}

void Sqs::batch(const aws::Caller& caller, const Value& input, const char* what, Entry entry, aws::Answer answer) {
  if (input["QueueUrl"].string_or("").empty()) return answer(fail(sqs::missing_parameter("QueueUrl")));
  auto name = name_of(caller, input);
  if (!name) return answer(fail(name.error()));
  if (auto good = check_batch(input["Entries"], what); !good) return answer(fail(good.error()));
  write_later(
      [this, name = std::move(*name), entries = input["Entries"],
       entry = std::move(entry)](store::Transaction& tx) -> Result<Value> {
        FIXPOINT_TRY(queue, queues_.get(tx, name));
        json::Array good, bad;
        for (const Value& one : entries.as_array()) {
          Value made;
          const auto done = tx.attempt([&]() -> Result<void> {
            FIXPOINT_TRY(answer, entry(tx, queue, one));
            made = std::move(answer);
            return {};
          });
          if (done) {
            made.set("Id", one["Id"]);
            good.push_back(std::move(made));
          } else if (done.error().code == "StoreError") {
            return fail(done.error());  // none of them then
          } else {
            bad.push_back(failed_entry(one, done.error()));
          }
        }
        json::Object out;
        if (!good.empty()) out.append("Successful", std::move(good));
        if (!bad.empty()) out.append("Failed", std::move(bad));
        return Value(std::move(out));
      },
      std::move(answer));
}

void Sqs::receive(const aws::Caller& caller, const Value& input, aws::Answer answer) {
  const auto parsed = [&]() -> Result<sqs::Waiting::Call> {
    sqs::Waiting::Call call;
    if (input["QueueUrl"].string_or("").empty()) return fail(sqs::missing_parameter("QueueUrl"));
    FIXPOINT_TRY(name, name_of(caller, input));
    call.name = std::move(name);
    for (const auto* member : {"MaxNumberOfMessages", "WaitTimeSeconds", "VisibilityTimeout"})
      if (!input[member].is_null() && !input[member].as_int64())
        return fail(errors::serialization(std::string(member) + " has to be an integer", member));
    call.how.limit = input["MaxNumberOfMessages"].int_or(1);
    if (call.how.limit < 1 || call.how.limit > 10)
      return fail(sqs::invalid_value(std::to_string(call.how.limit), "MaxNumberOfMessages",
                                     "Must be between 1 and 10, if provided."));
    if (!input["WaitTimeSeconds"].is_null()) {
      call.wait_s = input["WaitTimeSeconds"].int_or(-1);
      if (call.wait_s < 0 || call.wait_s > 20)
        return fail(
            sqs::invalid_value(std::to_string(call.wait_s), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."));
    }
    if (!input["VisibilityTimeout"].is_null()) {
      FIXPOINT_TRY(seconds, visibility_of(input));
      call.how.visibility_s = seconds;
      call.default_visibility = false;
    }
    call.how.attempt = input["ReceiveRequestAttemptId"].string_or("");
    if (call.how.attempt.size() > 128)
      return fail(sqs::invalid_value(call.how.attempt, "ReceiveRequestAttemptId", "It has at most 128 characters."));
    FIXPOINT_CHECK(check_names(input["AttributeNames"]));
    FIXPOINT_CHECK(check_names(input["MessageSystemAttributeNames"]));
    return call;
  }();
  if (!parsed) return answer(fail(parsed.error()));
  sqs::Waiting::Call call = *parsed;
  const Value& newer = input["MessageSystemAttributeNames"];
  call.form = [names = newer.size() > 0 ? newer : input["AttributeNames"],
               attribute_names = input["MessageAttributeNames"]](const Queue& queue, std::vector<Received> messages) {
    json::Object out;
    json::Array list;
    for (Received& message : messages) list.push_back(message_json(queue, std::move(message), names, attribute_names));
    if (!list.empty()) out.append("Messages", std::move(list));
    return Value(std::move(out));
  };
  call.answer = std::move(answer);
  waiting_.receive(std::move(call));
}

void Sqs::add_message_operations(aws::ServiceTable& table) {
  table.add_async("SendMessage", [this](const aws::Caller& caller, const Value& input, aws::Answer answer) {
    auto name = name_of(caller, input);
    if (!name) return answer(fail(name.error()));
    auto message = sqs::message_of(input, sender_of(caller));
    if (!message) return answer(fail(message.error()));
    write_later(
        [this, name = std::move(*name), message = std::move(*message)](store::Transaction& tx) -> Result<Value> {
          FIXPOINT_TRY(queue, queues_.get(tx, name));
          return send_one(tx, queue, message);
        },
        std::move(answer));
  });
  table.add_async("SendMessageBatch", [this](const aws::Caller& caller, const Value& input, aws::Answer answer) {
    std::int64_t bytes = 0;
    const Value& entries = input["Entries"];
    for (std::size_t i = 0; i < entries.size() && entries.is_array(); ++i) {
      Message sized;
      sized.body = entries[i]["MessageBody"].string_or("");
      sized.attributes = entries[i]["MessageAttributes"];
      bytes += sized.size_bytes();
    }
    if (bytes > sqs::largest_message_bytes)
      return answer(
          fail(errors::coded("BatchRequestTooLong",
                             "Batch requests cannot be longer than " + std::to_string(sqs::largest_message_bytes) +
                                 " bytes. You have sent " + std::to_string(bytes) + " bytes.",
                             400)));
    batch(
        caller, input, "SendMessageBatch",
        [this, sender = sender_of(caller)](store::Transaction& tx, const Queue& queue,
                                           const Value& entry) -> Result<Value> {
          FIXPOINT_TRY(message, sqs::message_of(entry, sender));
          return send_one(tx, queue, message);
        },
        std::move(answer));
  });
  table.add_async("ReceiveMessage", [this](const aws::Caller& caller, const Value& input, aws::Answer answer) {
    receive(caller, input, std::move(answer));
  });
  // What SQS does with a receipt, alone or in a batch.
  const auto add = [&](const std::string& operation, const Entry& act) {
    table.add_async(operation, [this, act](const aws::Caller& caller, const Value& input, aws::Answer answer) {
      auto name = name_of(caller, input);
      if (!name) return answer(fail(name.error()));
      write_later(
          [this, act, name = std::move(*name), input](store::Transaction& tx) -> Result<Value> {
            FIXPOINT_TRY(queue, queues_.get(tx, name));
            return act(tx, queue, input);
          },
          std::move(answer));
    });
    table.add_async(operation + "Batch", [this, act, what = operation + "Batch"](
                                             const aws::Caller& caller, const Value& input, aws::Answer answer) {
      batch(caller, input, what.c_str(), act, std::move(answer));
    });
  };
  add("DeleteMessage", [this](store::Transaction& tx, const Queue& queue, const Value& entry) -> Result<Value> {
    FIXPOINT_TRY(receipt, sqs::receipt_of(entry["ReceiptHandle"].string_or(""), queue));
    FIXPOINT_CHECK(queues_.remove_message(tx, queue, receipt));
    return Value(json::Object());
  });
  add("ChangeMessageVisibility",
      [this](store::Transaction& tx, const Queue& queue, const Value& entry) -> Result<Value> {
        if (entry["VisibilityTimeout"].is_null()) return fail(sqs::missing_parameter("VisibilityTimeout"));
        FIXPOINT_TRY(seconds, visibility_of(entry));
        FIXPOINT_TRY(receipt, sqs::receipt_of(entry["ReceiptHandle"].string_or(""), queue));
        FIXPOINT_CHECK(queues_.change_visibility(tx, queue, receipt, seconds));
        return Value(json::Object());
      });
  // The model lists for AttributeNames what a queue has, SQS takes what a message has.
  table.operations.find("ReceiveMessage")->second.validates = true;
  // The query protocol cannot tell an empty list from none, and SQS calls both an empty batch.
  for (const auto* name : {"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"})
    table.operations.find(name)->second.validates = true;
}

void Sqs::add_move_operations(aws::ServiceTable& table) {
  table.add("StartMessageMoveTask", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    sqs::MoveTask task;
    task.source_arn = input["SourceArn"].string_or("");
    FIXPOINT_CHECK(check_owner(caller, task.source_arn, "SourceArn"));
    if (!input["DestinationArn"].is_null())
      FIXPOINT_CHECK(check_owner(caller, input["DestinationArn"].string_or(""), "DestinationArn"));
    task.destination_arn = input["DestinationArn"].string_or("");
    task.a_second = input["MaxNumberOfMessagesPerSecond"].int_or(0);
    if (!input["MaxNumberOfMessagesPerSecond"].is_null() && (task.a_second < 1 || task.a_second > 500))
      return fail(sqs::invalid_value(std::to_string(task.a_second), "MaxNumberOfMessagesPerSecond",
                                     "Must be between 1 and 500, if provided."));
    FIXPOINT_TRY(id, store_.write([&](store::Transaction& tx) { return queues_.start_move(tx, task); }));
    return Value(json::Object{
        {"TaskHandle", base64_encode(json::print(json::Object{{"taskId", id}, {"sourceArn", task.source_arn}}))}});
  });
  table.add("CancelMessageMoveTask", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const auto decoded = base64_decode(input["TaskHandle"].string_or(""));
    const auto handle = decoded ? json::parse(*decoded) : Result<Value>(Value());
    if (!handle || (*handle)["taskId"].string_or("").empty())
      return fail(sqs::invalid_parameter("Value for parameter TaskHandle is invalid."));
    FIXPOINT_CHECK(check_owner(caller, (*handle)["sourceArn"].string_or(""), "SourceArn"));
    FIXPOINT_TRY(moved, store_.write([&](store::Transaction& tx) {
      return queues_.cancel_move(tx, std::string((*handle)["taskId"].string_or("")),
                                 std::string((*handle)["sourceArn"].string_or("")));
    }));
    return Value(json::Object{{"ApproximateNumberOfMessagesMoved", moved}});
  });
  table.add_quick("ListMessageMoveTasks", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::int64_t limit = input["MaxResults"].int_or(1);
    if (limit < 1 || limit > 10)
      return fail(sqs::invalid_value(std::to_string(limit), "MaxResults", "Must be between 1 and 10, if provided."));
    const std::string arn(input["SourceArn"].string_or(""));
    FIXPOINT_CHECK(check_owner(caller, arn, "SourceArn"));
    FIXPOINT_TRY(tasks, store_.read([&](store::Session& session) -> Result<std::vector<sqs::MoveTask>> {
      const auto name = sqs::name_of_arn(arn);
      FIXPOINT_TRY(queue, name ? queues_.find(session, *name) : Result<std::optional<Queue>>(std::nullopt));
      if (!queue) return fail(sqs::no_resource("SourceArn"));
      return queues_.moves_of(session, arn, static_cast<std::size_t>(limit));
    }));
    json::Array results;
    for (const sqs::MoveTask& task : tasks) {
      json::Object one{{"Status", task.status},
                       {"SourceArn", task.source_arn},
                       {"ApproximateNumberOfMessagesMoved", task.moved},
                       {"ApproximateNumberOfMessagesToMove", task.to_move},
                       {"StartedTimestamp", task.started_ms}};
      if (task.status == "RUNNING")
        one.set("TaskHandle", base64_encode(json::print(json::Object{{"taskId", task.id}, {"sourceArn", arn}})));
      if (!task.destination_arn.empty()) one.set("DestinationArn", task.destination_arn);
      if (task.a_second > 0) one.set("MaxNumberOfMessagesPerSecond", task.a_second);
      if (!task.failure.empty()) one.set("FailureReason", task.failure);
      results.emplace_back(std::move(one));
    }
    return Value(json::Object{{"Results", std::move(results)}});
  });
}

}  // namespace fixpoint::services
