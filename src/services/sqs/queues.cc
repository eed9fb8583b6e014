#include "services/sqs/queues.h"

#include <limits>

#include "base/id.h"
#include "json/text.h"
#include "store/pieces.h"

namespace fixpoint::services::sqs {
namespace {

using json::Value;

// A message's row is small and changes with every receive; what it carries lies beside it and does not.
// `sequence` rises with time: the order of FIFO queues, and what a receipt names a message by.
constexpr const char* tables = R"sql(
CREATE TABLE sqs_queue (id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, settings TEXT NOT NULL, tags TEXT NOT NULL,
  dead_letter_arn TEXT NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL, UNIQUE (account, region, name)) STRICT;
CREATE INDEX sqs_queue_dead_letter ON sqs_queue (dead_letter_arn, name);
CREATE TABLE sqs_message (sequence INTEGER PRIMARY KEY, queue INTEGER NOT NULL, visible_ms INTEGER NOT NULL, sent_ms INTEGER NOT NULL,
  receive_count INTEGER NOT NULL, first_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, receipt TEXT NOT NULL, fifo INTEGER NOT NULL,
  message_group TEXT NOT NULL) STRICT;
CREATE INDEX sqs_message_visible ON sqs_message (queue, visible_ms);
CREATE INDEX sqs_message_order ON sqs_message (queue, sequence, message_group, visible_ms) WHERE fifo = 1;
CREATE TABLE sqs_content (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, sender TEXT NOT NULL, dedup TEXT NOT NULL, source_arn TEXT NOT NULL,
  md5_of_body TEXT NOT NULL, attributes TEXT NOT NULL, system TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE sqs_dedup (queue INTEGER NOT NULL, dedup TEXT NOT NULL, sequence INTEGER NOT NULL, id TEXT NOT NULL, expires_ms INTEGER NOT NULL,
  PRIMARY KEY (queue, dedup)) STRICT;
CREATE INDEX sqs_dedup_expires ON sqs_dedup (expires_ms);
CREATE TABLE sqs_attempt (queue INTEGER NOT NULL, attempt TEXT NOT NULL, receipts TEXT NOT NULL, expires_ms INTEGER NOT NULL, PRIMARY KEY (queue, attempt)) STRICT;
CREATE INDEX sqs_attempt_expires ON sqs_attempt (expires_ms);
CREATE TABLE sqs_move (id TEXT PRIMARY KEY, source_arn TEXT NOT NULL, destination_arn TEXT NOT NULL, a_second INTEGER NOT NULL, status TEXT NOT NULL,
  to_move INTEGER NOT NULL, moved INTEGER NOT NULL, failure TEXT NOT NULL, started_ms INTEGER NOT NULL) STRICT;
CREATE INDEX sqs_move_source ON sqs_move (source_arn, started_ms);
)sql";

constexpr const char* queue_columns =
    "SELECT id, account, region, name, settings, tags, created_ms, modified_ms FROM sqs_queue ";

Result<Queue> queue_of(store::Row& row) {
  Queue queue;
  queue.id = row.integer(0);
  queue.name = {row.take(1), row.take(2), row.take(3)};
  FIXPOINT_TRY(settings, json::parse(row.text(4)));
  queue.settings = std::move(settings);
  FIXPOINT_TRY(tags, json::parse(row.text(5)));
  queue.tags = std::move(tags);
  queue.created_ms = row.integer(6);
  queue.modified_ms = row.integer(7);
  read_settings(queue);
  return queue;
}

// What comes right after all texts that begin with `prefix`; names of queues are ASCII.
std::string end_of(const std::string& prefix) {
  return prefix + '\x7f';
}

std::vector<QueueName> names_of(std::vector<store::Row>& rows) {
  std::vector<QueueName> out;
  out.reserve(rows.size());
  for (store::Row& row : rows) out.push_back({row.take(0), row.take(1), row.take(2)});
  return out;
}

std::int64_t new_queue_id() {
  const std::string bytes = random_bytes(7);
  std::int64_t id = 0;
  for (const char byte : bytes) id = id << 8 | static_cast<unsigned char>(byte);
  return id;
}

// At most so many messages up to a sequence; how many they were.
Result<std::int64_t> take_away(store::Transaction& tx, std::int64_t queue, std::int64_t last, std::int64_t most) {
  constexpr const char* first =
      "(SELECT sequence FROM sqs_message WHERE queue = ? AND sequence <= ? ORDER BY visible_ms, sequence LIMIT ?)";
  FIXPOINT_CHECK(tx.execute(std::string("DELETE FROM sqs_content WHERE sequence IN ") + first, {queue, last, most}));
  return tx.execute(std::string("DELETE FROM sqs_message WHERE sequence IN ") + first, {queue, last, most});
}

}  // namespace

store::Schema Queues::schema() {
  return {"sqs", {tables}};
}

Result<void> Queues::load() {
  return store_.read([this](store::Session& session) -> Result<void> {
    for (const auto* table : {"sqs_message", "sqs_dedup"}) {
      FIXPOINT_TRY(rows, session.query(std::string("SELECT max(sequence) FROM ") + table));
      if (!rows.empty()) last_sequence_ = std::max(last_sequence_.load(), rows[0].integer(0));
    }
    return {};
  });
}

// The time in the upper bits, so that numbers go on rising when the process starts anew on an empty queue.
std::int64_t Queues::next_sequence() {
  const std::int64_t now = clock_.now_ms() << 20;
  std::int64_t last = last_sequence_;
  while (!last_sequence_.compare_exchange_weak(last, std::max(now, last + 1))) {
  }
  return std::max(now, last + 1);
}

void Queues::tell(store::Transaction& tx, std::int64_t queue) {
  if (told_) tx.after_commit([this, queue] { told_(queue); });
}

Result<std::optional<Queue>> Queues::find(store::Session& session, const QueueName& name) {
  FIXPOINT_TRY(rows, session.query(std::string(queue_columns) + "WHERE account = ? AND region = ? AND name = ?",
                                   {name.account, name.region, name.name}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(queue, queue_of(rows[0]));
  return std::move(queue);
}

Result<Queue> Queues::get(store::Session& session, const QueueName& name) {
  FIXPOINT_TRY(queue, find(session, name));
  if (!queue) return fail(no_queue());
  return std::move(*queue);
}

Result<Queue> Queues::create(store::Transaction& tx, const QueueName& name, const Value& settings, const Value& tags) {
  Queue queue;
  queue.id = new_queue_id();
  queue.name = name;
  queue.settings = settings;
  queue.tags = tags.is_object() ? tags : Value(json::Object());
  queue.created_ms = queue.modified_ms = clock_.now_ms();
  read_settings(queue);
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO sqs_queue (id, account, region, name, settings, tags, dead_letter_arn, created_ms, "
                 "modified_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 {queue.id, name.account, name.region, name.name, json::print(queue.settings), json::print(queue.tags),
                  queue.dead_letter_arn, queue.created_ms, queue.modified_ms}));
  return queue;
}

Result<void> Queues::save(store::Transaction& tx, Queue& queue) {
  queue.modified_ms = clock_.now_ms();
  read_settings(queue);
  FIXPOINT_CHECK(tx.execute(
      "UPDATE sqs_queue SET settings = ?, tags = ?, dead_letter_arn = ?, modified_ms = ? WHERE id = ?",
      {json::print(queue.settings), json::print(queue.tags), queue.dead_letter_arn, queue.modified_ms, queue.id}));
  return {};
}

Result<void> Queues::purge(const QueueName& name) {
  FIXPOINT_TRY(begun, store_.read([&](store::Session& session) -> Result<std::pair<std::int64_t, std::int64_t>> {
    FIXPOINT_TRY(queue, get(session, name));
    FIXPOINT_TRY(last, session.query("SELECT max(sequence) FROM sqs_message WHERE queue = ?", {queue.id}));
    return std::pair(queue.id, last[0].integer(0));
  }));
  const auto [queue, last] = begun;
  FIXPOINT_CHECK(store::in_pieces(
      store_, [&](store::Transaction& tx) { return take_away(tx, queue, last, store::rows_a_piece); }));
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_attempt WHERE queue = ?", {queue}));
    return {};
  });
}

Result<void> Queues::remove(const QueueName& name) {
  FIXPOINT_CHECK(purge(name));
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(queue, get(tx, name));
    return remove(tx, queue);
  });
}

// With what has come since it was emptied.
Result<void> Queues::remove(store::Transaction& tx, const Queue& queue) {
  FIXPOINT_CHECK(
      take_away(tx, queue.id, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()));
  FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_attempt WHERE queue = ?", {queue.id}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_dedup WHERE queue = ?", {queue.id}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_queue WHERE id = ?", {queue.id}));
  tell(tx, queue.id);
  return {};
}

Result<std::vector<QueueName>> Queues::list(store::Session& session, const QueueName& where, const std::string& prefix,
                                            const std::string& after, std::size_t limit) {
  FIXPOINT_TRY(rows, session.query("SELECT account, region, name FROM sqs_queue WHERE account = ? AND region = ? AND "
                                   "name >= ? AND name < ? AND name > ? ORDER BY name LIMIT ?",
                                   {where.account, where.region, prefix, end_of(prefix), after,
                                    static_cast<std::int64_t>(limit)}));
  return names_of(rows);
}

Result<std::vector<QueueName>> Queues::sources_of(store::Session& session, const std::string& arn,
                                                  const std::string& after, std::size_t limit) {
  FIXPOINT_TRY(rows, session.query("SELECT account, region, name FROM sqs_queue WHERE dead_letter_arn = ? AND name > ? "
                                   "ORDER BY name LIMIT ?",
                                   {arn, after, static_cast<std::int64_t>(limit)}));
  return names_of(rows);
}

Result<Counts> Queues::count(store::Session& session, const Queue& queue) {
  const TimeMs now = clock_.now_ms();
  FIXPOINT_TRY(visible,
               session.query("SELECT count(*) FROM sqs_message WHERE queue = ? AND visible_ms <= ?", {queue.id, now}));
  FIXPOINT_TRY(hidden, session.query("SELECT count(*), sum(CASE WHEN receive_count = 0 THEN 1 ELSE 0 END) FROM "
                                     "sqs_message WHERE queue = ? AND visible_ms > ?",
                                     {queue.id, now}));
  const std::int64_t delayed = hidden[0].integer(1);
  return Counts{visible[0].integer(0), hidden[0].integer(0) - delayed, delayed};
}

Result<bool> Queues::sweep() {
  constexpr std::int64_t at_once = 1000;
  const TimeMs now = clock_.now_ms();
  // Looked for on a reader: the writer gets only what there is to do.
  FIXPOINT_TRY(old, store_.read([&](store::Session& session) -> Result<std::vector<std::int64_t>> {
    std::vector<std::int64_t> out;
    FIXPOINT_TRY(queues, session.query(std::string(queue_columns) + "ORDER BY id"));
    for (store::Row& row : queues) {
      FIXPOINT_TRY(queue, queue_of(row));
      const TimeMs end = now - queue.retention_s * 1000;
      FIXPOINT_TRY(rows, session.query("SELECT sequence FROM sqs_message WHERE queue = ? AND visible_ms <= ? AND "
                                       "sent_ms <= ? LIMIT ?",
                                       {queue.id, end, end, at_once}));
      for (const store::Row& found : rows) out.push_back(found.integer(0));
    }
    return out;
  }));
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    for (const std::int64_t sequence : old) {
      // Somebody may have received it meanwhile.
      FIXPOINT_TRY(gone, tx.execute("DELETE FROM sqs_message WHERE sequence = ? AND visible_ms <= ?", {sequence, now}));
      if (gone == 1) FIXPOINT_CHECK(tx.execute("DELETE FROM sqs_content WHERE sequence = ?", {sequence}));
    }
    return {};
  }));
  for (const char* expired : {"DELETE FROM sqs_dedup WHERE (queue, dedup) IN (SELECT queue, dedup FROM sqs_dedup WHERE "
                              "expires_ms <= ? LIMIT ?)",
                              "DELETE FROM sqs_attempt WHERE (queue, attempt) IN (SELECT queue, attempt FROM "
                              "sqs_attempt WHERE expires_ms <= ? "
                              "LIMIT ?)"})
    FIXPOINT_CHECK(store::in_pieces(
        store_, [&](store::Transaction& tx) { return tx.execute(expired, {now, store::rows_a_piece}); }));
  return static_cast<std::int64_t>(old.size()) >= at_once;
}

}  // namespace fixpoint::services::sqs
