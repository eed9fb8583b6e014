#pragma once

#include "aws/service_table.h"
#include "bus/bus.h"
#include "services/sqs/queues.h"
#include "services/sqs/waiting.h"
#include "store/later.h"
#include "store/store.h"

namespace fixpoint::services {

/// fixpoint's own SQS. Thread-safe. An answer to a send, a delete or a receive means that it is committed: a message
/// whose sending was answered is not lost, one whose deletion was answered does not come back.
///
/// Knowingly unlike AWS: a queue's policy is kept and not held against anybody; the encryption settings are kept and
/// nothing is encrypted for them; a queue's name is free again at once after DeleteQueue, and PurgeQueue is done when
/// it is answered, as often as one likes; the counts are exact; there is no limit of messages in flight; a message
/// whose dead-letter queue is gone stays where it is.
class Sqs {
 public:
  Sqs(store::Store& store, const Clock& clock);
  ~Sqs();
  static store::Schema schema() { return sqs::Queues::schema(); }

  /// Reads what is stored and begins to wake receives that wait.
  Result<void> start();
  /// Answers receives that wait with what there is: nothing. Calls that come later do not wait. Again: does nothing.
  void stop();

  aws::ServiceTable table();

  /// A message for a queue in the transaction of who sends it. `dedup`: what names it in a FIFO queue that does not go
  /// by content. Errors: QueueDoesNotExist, InvalidParameterValue, MissingParameter.
  Result<void> send(store::Transaction& tx, const std::string& arn, const json::Value& message, std::string sender);

  /// A queue as the target of a rule: the event is sent in the transaction that published it. SqsParameters'
  /// MessageGroupId goes with it; a FIFO queue that does not go by content gets the delivery's name as deduplication
  /// id.
  Result<void> begin(store::Transaction& tx, const bus::Delivery& delivery);
  /// Error: ValidationException for what is no ARN of a queue. Whether the queue is there shows when something is
  /// delivered, as EventBridge has it.
  Result<void> check_arn(const std::string& arn);

  /// For a clock that a test moves: receives that wait look at it.
  void look() { waiting_.look(); }

 private:
  using Write = std::function<Result<json::Value>(store::Transaction&)>;
  /// Without a thread that waits for the commit.
  void write_later(Write work, aws::Answer answer);
  /// Finds the queue, and hands it to `work` with every entry of a batch; an entry's error is its own.
  using Entry = std::function<Result<json::Value>(store::Transaction&, const sqs::Queue&, const json::Value& entry)>;
  void batch(const aws::Caller& caller, const json::Value& input, const char* what, Entry entry, aws::Answer answer);

  Result<void> send(store::Transaction& tx, const sqs::Queue& queue, const json::Value& message, std::string sender);
  void add_queue_operations(aws::ServiceTable& table);
  void add_message_operations(aws::ServiceTable& table);
  void add_move_operations(aws::ServiceTable& table);
  Result<json::Value> create_queue(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> get_queue_attributes(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> list_queues(const aws::Caller& caller, const json::Value& input, bool sources);
  Result<void> check_dead_letters(store::Session& session, const sqs::QueueName& name, const json::Value& settings);
  Result<json::Value> change_queue(const aws::Caller& caller, const json::Value& input,
                                   const std::function<Result<void>(store::Session&, sqs::Queue&)>& change);
  Result<json::Value> send_one(store::Transaction& tx, const sqs::Queue& queue, const sqs::Message& message);
  void receive(const aws::Caller& caller, const json::Value& input, aws::Answer answer);

  store::Store& store_;
  const Clock& clock_;
  sqs::Queues queues_;
  sqs::Waiting waiting_;
  store::LaterWrites later_;
};

}  // namespace fixpoint::services
