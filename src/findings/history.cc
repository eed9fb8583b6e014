#include "findings/history.h"

#include <algorithm>

#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

constexpr std::string_view times_of_sight[] = {"UpdatedAt", "LastObservedAt", "ProcessedAt"};
constexpr int depth_limit = 4;  // of objects that are taken apart; what lies deeper stands as JSON

bool is_time_of_sight(const std::string& field) {
  return std::find(std::begin(times_of_sight), std::end(times_of_sight), field) != std::end(times_of_sight);
}

Value shown(const Value& value) {
  return value.is_string() ? value : Value(json::print(value));
}

void add_change(json::Array& changes, const std::string& field, const Value* before, const Value* after) {
  json::Object change;
  change.append("UpdatedField", field);
  if (before != nullptr && !before->is_null()) change.append("OldValue", shown(*before));
  if (after != nullptr && !after->is_null()) change.append("NewValue", shown(*after));
  changes.emplace_back(std::move(change));
}

void compare(json::Array& changes, const std::string& path, const Value& before, const Value& after, int depth) {
  const auto name = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& member : after.as_object()) {
    const Value* old = before.find(member.key);
    if (old != nullptr && *old == member.value) continue;
    if (old != nullptr && old->is_object() && member.value.is_object() && depth < depth_limit)
      compare(changes, name(member.key), *old, member.value, depth + 1);
    else
      add_change(changes, name(member.key), old, &member.value);
  }
  for (const auto& member : before.as_object())
    if (after.find(member.key) == nullptr) add_change(changes, name(member.key), &member.value, nullptr);
}

}  // namespace

Value differences(const Value& before, const Value& after) {
  json::Array changes;
  compare(changes, "", before, after, 1);
  const bool seen_only = std::all_of(changes.begin(), changes.end(), [](const Value& change) {
    return is_time_of_sight(change["UpdatedField"].as_string());
  });
  return seen_only ? Value(json::Array()) : Value(std::move(changes));
}

const char* const History::tables = R"sql(
CREATE TABLE finding_change (finding INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL, source TEXT NOT NULL,
  identity TEXT NOT NULL, changes BLOB NOT NULL, PRIMARY KEY (finding, number)) STRICT, WITHOUT ROWID;
)sql";

PackedChange History::pack(const Value& changes) const {
  return changes.size() == 0 ? PackedChange{} : PackedChange{documents_.pack(json::print(changes))};
}

Result<void> History::write(store::Transaction& tx, std::int64_t finding, TimeMs at_ms, const ChangeSource& source,
                            const Value& changes) {
  return write(tx, finding, at_ms, source, pack(changes));
}

Result<void> History::write(store::Transaction& tx, std::int64_t finding, TimeMs at_ms, const ChangeSource& source,
                            const PackedChange& change) {
  if (change.bytes.empty()) return {};
  FIXPOINT_TRY(last, tx.query("SELECT COALESCE(MAX(number), 0) FROM finding_change WHERE finding = ?", {finding}));
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO finding_change (finding, number, at_ms, source, identity, changes) VALUES (?, ?, ?, ?, ?, ?)",
      {finding, last[0].integer(0) + 1, at_ms, source.type, source.identity, store::Blob{change.bytes}}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM finding_change WHERE finding = ? AND at_ms < ?", {finding, at_ms - kept_ms}));
  return {};
}

Result<std::vector<History::Record>> History::read(store::Session& session, std::int64_t finding, TimeMs from_ms,
                                                   TimeMs to_ms, std::int64_t before, std::size_t limit) {
  FIXPOINT_TRY(
      rows,
      session.query("SELECT number, at_ms, source, identity, changes FROM finding_change WHERE finding = ? "
                    "AND number < ? AND at_ms >= ? AND at_ms <= ? ORDER BY number DESC LIMIT ?",
                    {finding, before == 0 ? INT64_MAX : before, from_ms, to_ms, static_cast<std::int64_t>(limit)}));
  std::vector<Record> records;
  for (store::Row& row : rows) {
    FIXPOINT_TRY(text, documents_.unpack(session, row.text(4)));
    FIXPOINT_TRY(changes, json::parse(text));
    records.push_back({row.integer(0), row.integer(1), {row.take(2), row.take(3)}, std::move(changes)});
  }
  return records;
}

}  // namespace fixpoint::findings
