#include "services/sqs/sqs.h"

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::services {

using json::Value;
using sqs::Queue;
using sqs::QueueName;

Sqs::Sqs(store::Store& store, const Clock& clock)
    : store_(store), clock_(clock), queues_(store, clock), waiting_(store, queues_, clock), later_(store) {
  queues_.on_arrival([this](std::int64_t queue) { waiting_.arrived(queue); });
}

Sqs::~Sqs() {
  stop();
}

Result<void> Sqs::start() {
  FIXPOINT_CHECK(queues_.load());
  waiting_.start();
  return {};
}

void Sqs::stop() {
  waiting_.stop();
  later_.wait();
}

void Sqs::write_later(Write work, aws::Answer answer) {
  later_.write<Value>(std::move(work), std::move(answer));
}

aws::ServiceTable Sqs::table() {
  aws::ServiceTable table;
  table.service = "sqs";
  add_queue_operations(table);
  add_message_operations(table);
  add_move_operations(table);
  return table;
}

Result<void> Sqs::send(store::Transaction& tx, const std::string& arn, const Value& message, std::string sender) {
  const auto name = sqs::name_of_arn(arn);
  if (!name) return fail(sqs::no_queue());
  FIXPOINT_TRY(queue, queues_.get(tx, *name));
  return send(tx, queue, message, std::move(sender));
}

Result<void> Sqs::send(store::Transaction& tx, const Queue& queue, const Value& message, std::string sender) {
  FIXPOINT_TRY(whole, sqs::message_of(message, std::move(sender)));
  if (queue.fifo && queue.dedup_by_content) whole.dedup.clear();
  if (!queue.fifo) whole.dedup.clear();
  FIXPOINT_CHECK(sqs::check_for(queue, whole));
  FIXPOINT_CHECK(queues_.send(tx, queue, whole));
  return {};
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
Result<void> Sqs::begin(store::Transaction& tx, const bus::Delivery& delivery) {
  const auto name = sqs::name_of_arn(delivery.target.arn);
  if (!name) return fail(sqs::no_queue());
  FIXPOINT_TRY(queue, queues_.get(tx, *name));
  Value message{json::Object{{"MessageBody", delivery.text}}};
  if (queue.fifo) message.set("MessageDeduplicationId", delivery.name());
  if (!delivery.attributes.empty()) {  // of a dead letter: why it is one
    json::Object attributes;
    for (const auto& member : delivery.attributes)
      attributes.set(member.key, json::Object{{"DataType", "String"}, {"StringValue", member.value}});
    message.set("MessageAttributes", std::move(attributes));
  }
  if (const Value& group = delivery.target.form["SqsParameters"]["MessageGroupId"]; !group.is_null())
    message.set("MessageGroupId", group);
  return send(tx, queue, message, "events.amazonaws.com");
}

Result<void> Sqs::check_arn(const std::string& arn) {
  FIXPOINT_CHECK(sqs::name_of_arn(arn));
  return {};
}

}  // namespace fixpoint::services
