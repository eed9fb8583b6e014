#include <set>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sqs/queues.h"

namespace fixpoint::services::sqs {
namespace {

using json::Value;

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
constexpr TimeMs dedup_ms = 5 * 60 * 1000;
constexpr TimeMs attempt_ms = 5 * 60 * 1000;
constexpr std::int64_t fifo_reach = 120'000;
constexpr std::int64_t longest_visibility_s = 43'200;
// Messages that one receive looks at: those it puts away as dead or expired among them.
constexpr std::size_t put_away_limit = 1000;

std::string text_of(const Value& value) {
  return value.is_null() ? std::string() : json::print(value);
}
Result<Value> value_of(const std::string& text) {
  return text.empty() ? Result<Value>(Value()) : json::parse(text);
}

}  // namespace

// A message that may be handed out.
struct Queues::Candidate {
  std::int64_t sequence;
  TimeMs sent_ms;
  std::int64_t receive_count;
  TimeMs first_ms;
};

std::string sequence_text(std::int64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return std::string(20 - digits.size(), '0') + digits;
}

Result<Sent> Queues::send(store::Transaction& tx, const Queue& queue, const Message& message) {
  const TimeMs now = clock_.now_ms();
  std::string dedup = message.dedup;
  std::string dedup_key;
  if (queue.fifo) {
    if (dedup.empty()) dedup = sha256_hex(message.body);
    dedup_key = queue.dedup_by_group ? message.group + "\n" + dedup : dedup;
    FIXPOINT_TRY(before, tx.query("SELECT sequence, id FROM sqs_dedup WHERE queue = ? AND dedup = ? AND expires_ms > ?",
                                  {queue.id, dedup_key, now}));
    if (!before.empty()) return Sent{before[0].text(1), before[0].integer(0)};
  }
  Sent sent{random_uuid(), next_sequence()};
  const std::int64_t delay_s = queue.fifo ? queue.delay_s : message.delay_s.value_or(queue.delay_s);
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO sqs_message (sequence, queue, visible_ms, sent_ms, receive_count, first_ms, received_ms, receipt, "
      "fifo, message_group) VALUES (?, ?, ?, ?, 0, 0, 0, '', ?, ?)",
      {sent.sequence, queue.id, now + delay_s * 1000, now, std::int64_t{queue.fifo}, message.group}));
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO sqs_content (sequence, id, sender, dedup, source_arn, md5_of_body, attributes, "
                 "system, body) VALUES (?, ?, ?, ?, '', ?, ?, ?, ?)",
                 {sent.sequence, sent.id, message.sender, dedup, message.md5_of_body, text_of(message.attributes),
                  text_of(message.system), message.body}));
  if (queue.fifo)
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO sqs_dedup (queue, dedup, sequence, id, expires_ms) VALUES (?, ?, ?, ?, ?) ON "
                   "CONFLICT (queue, dedup) DO UPDATE SET sequence = excluded.sequence, id = excluded.id, "
                   "expires_ms = excluded.expires_ms",
                   {queue.id, dedup_key, sent.sequence, sent.id, now + dedup_ms}));
  tell(tx, queue.id);
  return sent;
}

Result<Received> Queues::load(store::Session& session, const Queue& queue, std::int64_t sequence) {
  FIXPOINT_TRY(
      rows, session.query("SELECT c.id, c.sender, m.message_group, c.dedup, c.source_arn, c.body, c.md5_of_body, "
                          "c.attributes, c.system, m.sent_ms, m.first_ms, m.receive_count, m.receipt FROM sqs_message "
                          "m JOIN sqs_content c ON c.sequence = m.sequence WHERE m.sequence = ?",
                          {sequence}));
  if (rows.empty()) return fail(errors::internal("a message has lost its content"));
  store::Row& row = rows[0];
  Received out;
  out.receipt = {queue.id, sequence, row.text(12)};
  out.id = row.take(0);
  out.sender = row.take(1);
  out.group = row.take(2);
  out.dedup = row.take(3);
  out.source_arn = row.take(4);
  out.body = row.take(5);
  out.md5_of_body = row.take(6);
  FIXPOINT_TRY(attributes, value_of(row.text(7)));
  out.attributes = std::move(attributes);
  FIXPOINT_TRY(system, value_of(row.text(8)));
  out.system = std::move(system);
  out.sent_ms = row.integer(9);
  out.first_ms = row.integer(10);
  out.receive_count = row.integer(11);
  return out;
}

// False where the message was put away instead: deleted, or moved to the dead-letter queue.
Result<bool> Queues::hand_out(store::Transaction& tx, const Queue& queue, const Receive& how,
                              const Candidate& candidate, std::vector<Received>& out) {
  const TimeMs now = clock_.now_ms();
  if (candidate.sent_ms + queue.retention_s * 1000 <= now) {
    FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_message WHERE sequence = ?", {candidate.sequence}));
    FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_content WHERE sequence = ?", {candidate.sequence}));
    return false;
  }
  if (queue.receive_limit > 0 && candidate.receive_count >= queue.receive_limit) {
    const auto name = name_of_arn(queue.dead_letter_arn);
    FIXPOINT_TRY(dead_letters, name ? find(tx, *name) : Result<std::optional<Queue>>(std::nullopt));
    // Without the queue that it should go to, it stays where it is.
    if (dead_letters) {
      // A standard queue's message keeps its age, a FIFO queue's begins anew:
      // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
      FIXPOINT_CHECK(
          tx.execute("UPDATE sqs_message SET queue = ?, visible_ms = ?, sent_ms = ?, receive_count = 0, "
                     "first_ms = 0, received_ms = 0, receipt = '' WHERE sequence = ?",
                     {dead_letters->id, now, queue.fifo ? now : candidate.sent_ms, candidate.sequence}));
      FIXPOINT_CHECK(tx.execute("UPDATE sqs_content SET source_arn = ? WHERE sequence = ?",
                                {queue.name.arn(), candidate.sequence}));
      tell(tx, dead_letters->id);
      return false;
    }
  }
  FIXPOINT_CHECK(
      tx.execute("UPDATE sqs_message SET visible_ms = ?, receive_count = receive_count + 1, first_ms = ?, "
                 "received_ms = ?, receipt = ? WHERE sequence = ?",
                 {now + how.visibility_s * 1000, candidate.first_ms != 0 ? candidate.first_ms : now, now,
                  random_hex(32), candidate.sequence}));
  FIXPOINT_TRY(received, load(tx, queue, candidate.sequence));
  out.push_back(std::move(received));
  return true;
}

Result<void> Queues::receive_standard(store::Transaction& tx, const Queue& queue, const Receive& how,
                                      std::vector<Received>& out) {
  // What is handed out with no visibility timeout is visible at once, but not twice in one answer.
  std::set<std::int64_t> seen;
  while (seen.size() < put_away_limit) {
    FIXPOINT_TRY(rows,
                 tx.query("SELECT sequence, sent_ms, receive_count, first_ms FROM sqs_message WHERE queue = ? AND "
                          "visible_ms <= ? ORDER BY visible_ms, sequence LIMIT ?",
                          {queue.id, clock_.now_ms(), how.limit}));
    bool fresh = false;
    for (const store::Row& row : rows) {
      if (!seen.insert(row.integer(0)).second) continue;
      fresh = true;
      FIXPOINT_CHECK(hand_out(tx, queue, how, {row.integer(0), row.integer(1), row.integer(2), row.integer(3)}, out));
      if (static_cast<std::int64_t>(out.size()) == how.limit) return {};
    }
    if (!fresh || static_cast<std::int64_t>(rows.size()) < how.limit) return {};
  }
  return {};
}

Result<void> Queues::receive_fifo(store::Transaction& tx, const Queue& queue, const Receive& how,
                                  std::vector<Received>& out) {
  const TimeMs now = clock_.now_ms();
  std::set<std::int64_t> seen;
  while (seen.size() < put_away_limit) {
    std::set<std::string, std::less<>> locked;
    FIXPOINT_CHECK(
        tx.scan("SELECT DISTINCT message_group FROM sqs_message WHERE queue = ? AND visible_ms > ? AND "
                "receive_count > 0",
                {queue.id, now}, [&](store::Row& row) {
                  locked.insert(row.take(0));
                  return true;
                }));
    std::vector<std::int64_t> picked;
    const std::size_t wanted = static_cast<std::size_t>(how.limit) - out.size();
    FIXPOINT_CHECK(
        tx.scan("SELECT sequence, message_group, visible_ms FROM sqs_message WHERE queue = ? AND fifo = 1 "
                "ORDER BY sequence LIMIT ?",
                {queue.id, fifo_reach}, [&](store::Row& row) {
                  if (locked.contains(row.text(1))) return true;
                  if (row.integer(2) > now)
                    locked.insert(row.take(1));  // delayed: those after it wait for it
                  else if (!seen.contains(row.integer(0)))
                    picked.push_back(row.integer(0));
                  return picked.size() < wanted;
                }));
    bool put_away = false;
    for (const std::int64_t sequence : picked) {
      seen.insert(sequence);
      FIXPOINT_TRY(rows,
                   tx.query("SELECT sent_ms, receive_count, first_ms FROM sqs_message WHERE sequence = ?", {sequence}));
      FIXPOINT_TRY(handed, hand_out(tx, queue, how,
                                    {sequence, rows[0].integer(0), rows[0].integer(1), rows[0].integer(2)}, out));
      put_away = put_away || !handed;
    }
    // Those that were put away made room for others of their group.
    if (!put_away || static_cast<std::int64_t>(out.size()) == how.limit) return {};
  }
  return {};
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html
Result<bool> Queues::receive_again(store::Transaction& tx, const Queue& queue, const Receive& how,
                                   std::vector<Received>& out) {
  const TimeMs now = clock_.now_ms();
  FIXPOINT_TRY(rows, tx.query("SELECT receipts FROM sqs_attempt WHERE queue = ? AND attempt = ? AND expires_ms > ?",
                              {queue.id, how.attempt, now}));
  if (rows.empty()) return false;
  FIXPOINT_TRY(receipts, json::parse(rows[0].text(0)));
  // The same messages only as long as every one of them is still in flight under that receipt.
  for (const json::Member& member : receipts.as_object()) {
    FIXPOINT_TRY(there, tx.query("SELECT 1 FROM sqs_message WHERE sequence = ? AND queue = ? AND receipt = ? AND "
                                 "visible_ms > ?",
                                 {to_int64(member.key).value_or(0), queue.id, member.value.as_string(), now}));
    if (there.empty()) return false;
  }
  for (const json::Member& member : receipts.as_object()) {
    const std::int64_t sequence = to_int64(member.key).value_or(0);
    FIXPOINT_CHECK(tx.execute("UPDATE sqs_message SET visible_ms = ?, received_ms = ? WHERE sequence = ?",
                              {now + how.visibility_s * 1000, now, sequence}));
    FIXPOINT_TRY(received, load(tx, queue, sequence));
    out.push_back(std::move(received));
  }
  return true;
}

Result<void> Queues::remember_attempt(store::Transaction& tx, const Queue& queue, const Receive& how,
                                      const std::vector<Received>& out) {
  json::Object receipts;
  for (const Received& one : out) receipts.append(std::to_string(one.receipt.sequence), one.receipt.nonce);
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO sqs_attempt (queue, attempt, receipts, expires_ms) VALUES (?, ?, ?, ?) ON "
                 "CONFLICT (queue, attempt) DO UPDATE SET receipts = excluded.receipts, expires_ms = "
                 "excluded.expires_ms",
                 {queue.id, how.attempt, json::print(receipts), clock_.now_ms() + attempt_ms}));
  return {};
}

Result<std::vector<Received>> Queues::receive(store::Transaction& tx, const Queue& queue, const Receive& how) {
  std::vector<Received> out;
  if (!queue.fifo) {
    FIXPOINT_CHECK(receive_standard(tx, queue, how, out));
    return out;
  }
  if (!how.attempt.empty()) {
    FIXPOINT_TRY(again, receive_again(tx, queue, how, out));
    if (again) return out;
  }
  FIXPOINT_CHECK(receive_fifo(tx, queue, how, out));
  if (!how.attempt.empty() && !out.empty()) FIXPOINT_CHECK(remember_attempt(tx, queue, how, out));
  return out;
}

Result<std::optional<TimeMs>> Queues::next_visible(store::Session& session, const Queue& queue) {
  FIXPOINT_TRY(rows, session.query("SELECT min(visible_ms) FROM sqs_message WHERE queue = ? AND visible_ms > ?",
                                   {queue.id, clock_.now_ms()}));
  if (rows.empty() || rows[0].is_null(0)) return std::nullopt;
  return rows[0].integer(0);
}

Result<void> Queues::remove_message(store::Transaction& tx, const Queue& queue, const Receipt& receipt) {
  if (queue.fifo) {
    FIXPOINT_TRY(rows, tx.query("SELECT visible_ms FROM sqs_message WHERE sequence = ? AND queue = ?",
                                {receipt.sequence, queue.id}));
    if (!rows.empty() && rows[0].integer(0) <= clock_.now_ms())
      return fail(invalid_value(receipt.handle(), "ReceiptHandle", "The receipt handle has expired."));
  }
  FIXPOINT_TRY(gone, tx.execute("DELETE FROM sqs_message WHERE sequence = ? AND queue = ? AND receipt = ?",
                                {receipt.sequence, queue.id, receipt.nonce}));
  if (gone == 0) return {};
  FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_content WHERE sequence = ?", {receipt.sequence}));
  if (queue.fifo) tell(tx, queue.id);  // its group is free
  return {};
}

Result<void> Queues::change_visibility(store::Transaction& tx, const Queue& queue, const Receipt& receipt,
                                       std::int64_t seconds) {
  const TimeMs now = clock_.now_ms();
  FIXPOINT_TRY(
      rows, tx.query("SELECT visible_ms, received_ms FROM sqs_message WHERE sequence = ? AND queue = ? AND receipt = ?",
                     {receipt.sequence, queue.id, receipt.nonce}));
  if (rows.empty())
    return fail(invalid_value(receipt.handle(), "ReceiptHandle",
                              "Message does not exist or is not available for visibility timeout change."));
  if (rows[0].integer(0) <= now)
    return fail(errors::coded("MessageNotInflight", "The specified message isn't in flight.", 400));
  if (now - rows[0].integer(1) + seconds * 1000 > longest_visibility_s * 1000)
    return fail(invalid_value(std::to_string(seconds), "VisibilityTimeout",
                              "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"));
  FIXPOINT_CHECK(
      tx.execute("UPDATE sqs_message SET visible_ms = ? WHERE sequence = ?", {now + seconds * 1000, receipt.sequence}));
  tell(tx, queue.id);
  return {};
}

}  // namespace fixpoint::services::sqs
