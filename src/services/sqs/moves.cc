#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "services/sqs/queues.h"

namespace fixpoint::services::sqs {
namespace {

constexpr std::int64_t most_a_second = 500;  // SQS's own limit

constexpr const char* move_columns =
    "SELECT id, source_arn, destination_arn, a_second, status, to_move, moved, failure, started_ms FROM sqs_move ";

MoveTask move_of(store::Row& row) {
  MoveTask task;
  task.id = row.take(0);
  task.source_arn = row.take(1);
  task.destination_arn = row.take(2);
  task.a_second = row.integer(3);
  task.status = row.take(4);
  task.to_move = row.integer(5);
  task.moved = row.integer(6);
  task.failure = row.take(7);
  task.started_ms = row.integer(8);
  return task;
}

}  // namespace

Error no_resource(std::string_view parameter) {
  return errors::coded(
      "ResourceNotFoundException",
      "The resource that you specified for the " + std::string(parameter) + " parameter doesn't exist.", 404);
}

Result<std::string> Queues::start_move(store::Transaction& tx, const MoveTask& wanted) {
  const auto name = name_of_arn(wanted.source_arn);
  FIXPOINT_TRY(source, name ? find(tx, *name) : Result<std::optional<Queue>>(std::nullopt));
  if (!source) return fail(no_resource("SourceArn"));
  FIXPOINT_TRY(feeding, sources_of(tx, wanted.source_arn, "", 1));
  if (feeding.empty()) return fail(invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
  if (!wanted.destination_arn.empty()) {
    const auto to = name_of_arn(wanted.destination_arn);
    FIXPOINT_TRY(destination, to ? find(tx, *to) : Result<std::optional<Queue>>(std::nullopt));
    if (!destination) return fail(no_resource("DestinationArn"));
    if (destination->fifo != source->fifo)
      return fail(invalid_parameter("Source and destination have to be queues of the same type, FIFO or standard."));
  }
  FIXPOINT_TRY(running,
               tx.query("SELECT 1 FROM sqs_move WHERE source_arn = ? AND status = 'RUNNING'", {wanted.source_arn}));
  if (!running.empty())
    return fail(invalid_parameter(
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time."));
  FIXPOINT_TRY(counts, count(tx, *source));
  std::string id = random_uuid();
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO sqs_move (id, source_arn, destination_arn, a_second, status, to_move, moved, failure, "
                 "started_ms) VALUES (?, ?, ?, ?, 'RUNNING', ?, 0, '', ?)",
                 {id, wanted.source_arn, wanted.destination_arn, wanted.a_second, counts.visible, clock_.now_ms()}));
  tell(tx, source->id);  // wakes who makes the moves
  return id;
}

Result<std::int64_t> Queues::cancel_move(store::Transaction& tx, const std::string& id, const std::string& source_arn) {
  const auto name = name_of_arn(source_arn);
  FIXPOINT_TRY(source, name ? find(tx, *name) : Result<std::optional<Queue>>(std::nullopt));
  if (!source) return fail(no_resource("SourceArn"));
  FIXPOINT_TRY(rows, tx.query(std::string(move_columns) + "WHERE id = ? AND source_arn = ?", {id, source_arn}));
  if (rows.empty()) return fail(errors::coded("ResourceNotFoundException", "Task does not exist.", 404));
  const MoveTask task = move_of(rows[0]);
  if (task.status != "RUNNING")
    return fail(errors::coded("AWS.SimpleQueueService.UnsupportedOperation",
                              "Only a task that runs can be cancelled; this one is " + task.status + ".", 400));
  FIXPOINT_CHECK(tx.execute("UPDATE sqs_move SET status = 'CANCELLED' WHERE id = ?", {id}));
  return task.moved;
}

Result<std::vector<MoveTask>> Queues::moves_of(store::Session& session, const std::string& source_arn,
                                               std::size_t limit) {
  FIXPOINT_TRY(rows,
               session.query(std::string(move_columns) + "WHERE source_arn = ? ORDER BY started_ms DESC, id LIMIT ?",
                             {source_arn, static_cast<std::int64_t>(limit)}));
  std::vector<MoveTask> out;
  for (store::Row& row : rows) out.push_back(move_of(row));
  return out;
}

Result<bool> Queues::move_some() {
  FIXPOINT_TRY(running, store_.read([](store::Session& session) {
    return session.query(std::string(move_columns) + "WHERE status = 'RUNNING' ORDER BY started_ms");
  }));
  bool more = false;
  for (store::Row& row : running) {
    FIXPOINT_TRY(goes_on, move_step(move_of(row)));
    more = more || goes_on;
  }
  return more;
}

// A message that moves is a new one: id, sequence number and time.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
Result<bool> Queues::move_step(const MoveTask& task) {
  return store_.write([&](store::Transaction& tx) -> Result<bool> {
    const auto end = [&](const char* status, const std::string& failure) -> Result<bool> {
      FIXPOINT_CHECK(tx.execute("UPDATE sqs_move SET status = ?, failure = ? WHERE id = ? AND status = 'RUNNING'",
                                {status, failure, task.id}));
      return false;
    };
    FIXPOINT_TRY(still, tx.query("SELECT 1 FROM sqs_move WHERE id = ? AND status = 'RUNNING'", {task.id}));
    if (still.empty()) return false;
    const auto name = name_of_arn(task.source_arn);
    FIXPOINT_TRY(source, name ? find(tx, *name) : Result<std::optional<Queue>>(std::nullopt));
    if (!source) return end("FAILED", "AWS.SimpleQueueService.NonExistentQueue");
    const std::int64_t now = clock_.now_ms();
    const std::int64_t limit = std::min(task.a_second > 0 ? task.a_second : most_a_second, task.to_move - task.moved);
    if (limit <= 0) return end("COMPLETED", "");
    FIXPOINT_TRY(rows, tx.query("SELECT m.sequence, c.source_arn FROM sqs_message m JOIN sqs_content c ON c.sequence = "
                                "m.sequence WHERE m.queue = ? AND m.visible_ms <= ? ORDER BY m.sequence LIMIT ?",
                                {source->id, now, limit}));
    if (rows.empty()) return end("COMPLETED", "");
    std::string failure;
    std::int64_t moved = 0;
    for (const store::Row& row : rows) {
      const std::string& arn = task.destination_arn.empty() ? row.text(1) : task.destination_arn;
      if (arn.empty()) {
        failure = "CouldNotDetermineMessageSource";
        break;
      }
      const auto to = name_of_arn(arn);
      FIXPOINT_TRY(destination, to ? find(tx, *to) : Result<std::optional<Queue>>(std::nullopt));
      if (!destination) {
        failure = "AWS.SimpleQueueService.NonExistentQueue";
        break;
      }
      const std::int64_t sequence = next_sequence();
      FIXPOINT_CHECK(
          tx.execute("UPDATE sqs_message SET sequence = ?, queue = ?, visible_ms = ?, sent_ms = ?, receive_count = 0, "
                     "first_ms = 0, received_ms = 0, receipt = '' WHERE sequence = ?",
                     {sequence, destination->id, now, now, row.integer(0)}));
      FIXPOINT_CHECK(tx.execute("UPDATE sqs_content SET sequence = ?, id = ?, source_arn = '' WHERE sequence = ?",
                                {sequence, random_uuid(), row.integer(0)}));
      tell(tx, destination->id);
      ++moved;
    }
    FIXPOINT_CHECK(tx.execute("UPDATE sqs_move SET moved = moved + ? WHERE id = ?", {moved, task.id}));
    if (!failure.empty()) return end("FAILED", failure);
    if (task.moved + moved >= task.to_move) return end("COMPLETED", "");
    return true;
  });
}

}  // namespace fixpoint::services::sqs
