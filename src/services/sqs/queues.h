#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "services/sqs/message.h"
#include "services/sqs/queue.h"
#include "store/store.h"

namespace fixpoint::services::sqs {

/// What SendMessage answers.
struct Sent {
  std::string id;
  std::int64_t sequence = 0;  ///< of a FIFO queue
};

/// A message that is handed out, with what its receiver may ask to see.
struct Received {
  Receipt receipt;
  std::string id;
  std::string sender, group, dedup, source_arn, body, md5_of_body;
  json::Value attributes, system;
  TimeMs sent_ms = 0;
  TimeMs first_ms = 0;  ///< of its first receive
  std::int64_t receive_count = 0;
};

struct Receive {
  std::int64_t limit = 1;  ///< 1 to 10
  std::int64_t visibility_s = 30;
  std::string attempt;  ///< ReceiveRequestAttemptId; empty without
};

struct Counts {
  std::int64_t visible = 0, in_flight = 0, delayed = 0;
};

/// A message move task.
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
struct MoveTask {
  std::string id;
  std::string source_arn, destination_arn;  ///< no destination: each message goes where it came from
  std::int64_t a_second = 0;                ///< 0 without a limit of its own
  std::string status;                       ///< RUNNING, COMPLETED, CANCELLED, FAILED
  std::int64_t to_move = 0, moved = 0;
  std::string failure;
  TimeMs started_ms = 0;
};

/// The digits of a SequenceNumber.
std::string sequence_text(std::int64_t sequence);

/// Queues and their messages. What takes a Transaction is part of it: a message that was sent is there once that is
/// committed, one that was deleted is gone, and one that was received stays invisible until its time, whatever happens
/// to the process. Thread-safe.
///
/// Standard queues hand out what is visible longest first. FIFO queues hand out each group's messages in the order in
/// which they were sent, and none of a group of which one is in flight; of the first 120,000 messages, as SQS does.
class Queues {
 public:
  Queues(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  static store::Schema schema();
  /// Reads where the sequence numbers stand. Before anything else.
  Result<void> load();

  /// Called after a commit that may have made a message of that queue receivable. Before anything else.
  void on_arrival(std::function<void(std::int64_t queue)> told) { told_ = std::move(told); }

  /// Error of get: QueueDoesNotExist.
  Result<Queue> get(store::Session& session, const QueueName& name);
  Result<std::optional<Queue>> find(store::Session& session, const QueueName& name);
  Result<Queue> create(store::Transaction& tx, const QueueName& name, const json::Value& settings,
                       const json::Value& tags);
  Result<void> save(store::Transaction& tx, Queue& queue);  ///< settings and tags
  /// Deletes the messages that are there when it begins, a piece a transaction; remove() then the queue. Error:
  /// QueueDoesNotExist.
  Result<void> purge(const QueueName& name);
  Result<void> remove(const QueueName& name);
  /// By name, those that begin with `prefix` and come after `after`, at most `limit`.
  Result<std::vector<QueueName>> list(store::Session& session, const QueueName& where, const std::string& prefix,
                                      const std::string& after, std::size_t limit);
  /// By name, those whose dead letters go to `arn`.
  Result<std::vector<QueueName>> sources_of(store::Session& session, const std::string& arn, const std::string& after,
                                            std::size_t limit);
  Result<Counts> count(store::Session& session, const Queue& queue);

  /// The message was held against the queue. A duplicate in a FIFO queue answers with the first one and sends nothing.
  Result<Sent> send(store::Transaction& tx, const Queue& queue, const Message& message);
  /// What is beyond its retention is deleted, what was received too often moves to the dead-letter queue.
  Result<std::vector<Received>> receive(store::Transaction& tx, const Queue& queue, const Receive& how);
  /// When the next message that is invisible now becomes visible; nothing where all are visible.
  Result<std::optional<TimeMs>> next_visible(store::Session& session, const Queue& queue);
  /// A receipt that a later one replaced deletes nothing, and is no error. Error: InvalidParameterValue for one of a
  /// FIFO queue whose time is over.
  Result<void> remove_message(store::Transaction& tx, const Queue& queue, const Receipt& receipt);
  /// Errors: InvalidParameterValue, MessageNotInflight.
  Result<void> change_visibility(store::Transaction& tx, const Queue& queue, const Receipt& receipt,
                                 std::int64_t seconds);
  /// Deletes some of what is beyond its retention, and old deduplication ids; true where there is more.
  Result<bool> sweep();

  /// Errors: ResourceNotFoundException, InvalidParameterValue.
  Result<std::string> start_move(store::Transaction& tx, const MoveTask& wanted);
  /// How many had been moved. Errors: ResourceNotFoundException, UnsupportedOperation.
  Result<std::int64_t> cancel_move(store::Transaction& tx, const std::string& id, const std::string& source_arn);
  /// The newest first.
  Result<std::vector<MoveTask>> moves_of(store::Session& session, const std::string& source_arn, std::size_t limit);
  /// One second's work of every running task; true where one goes on.
  Result<bool> move_some();

 private:
  struct Candidate;
  Result<void> remove(store::Transaction& tx, const Queue& queue);
  std::int64_t next_sequence();
  void tell(store::Transaction& tx, std::int64_t queue);
  Result<bool> hand_out(store::Transaction& tx, const Queue& queue, const Receive& how, const Candidate& candidate,
                        std::vector<Received>& out);
  Result<void> receive_standard(store::Transaction& tx, const Queue& queue, const Receive& how,
                                std::vector<Received>& out);
  Result<void> receive_fifo(store::Transaction& tx, const Queue& queue, const Receive& how, std::vector<Received>& out);
  Result<bool> receive_again(store::Transaction& tx, const Queue& queue, const Receive& how,
                             std::vector<Received>& out);
  Result<void> remember_attempt(store::Transaction& tx, const Queue& queue, const Receive& how,
                                const std::vector<Received>& out);
  Result<Received> load(store::Session& session, const Queue& queue, std::int64_t sequence);
  Result<bool> move_step(const MoveTask& task);

  store::Store& store_;
  const Clock& clock_;
  std::function<void(std::int64_t)> told_;
  std::atomic<std::int64_t> last_sequence_ = 0;
};

}  // namespace fixpoint::services::sqs
