#include "changes/change.h"

#include "base/utf8.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr const char* columns =
    "SELECT number, execution, step, account, region, service, operation, input, before_read, before, output, state, "
    "error, at_ms, ended_ms, undo, left_read, left_state, rests_on FROM change ";

Result<std::optional<Value>> document_at(store::Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  FIXPOINT_TRY(document, json::parse_printed(row.text(column)));
  return std::optional(std::move(document));
}

Result<Change> read(store::Row& row) {
  Change change;
  change.number = row.integer(0);
  change.execution = row.take(1);
  change.step = row.take(2);
  change.account = row.take(3);
  change.region = row.take(4);
  change.service = row.take(5);
  change.operation = row.take(6);
  FIXPOINT_TRY(input, json::parse_printed(row.text(7)));
  change.input = std::move(input);
  change.before_read = row.integer(8) != 0;
  FIXPOINT_TRY(before, document_at(row, 9));
  change.before = std::move(before);
  FIXPOINT_TRY(output, document_at(row, 10));
  change.output = std::move(output);
  change.state = row.take(11);
  change.error = row.take(12);
  change.at_ms = row.integer(13);
  change.ended_ms = row.integer(14);
  change.undo = row.take(15);
  change.left_read = row.integer(16) != 0;
  FIXPOINT_TRY(left, document_at(row, 17));
  change.left = std::move(left);
  change.rests_on = row.take(18);
  return change;
}

store::Cell text_or_null(const std::optional<Value>& value) {
  return value ? store::Cell(json::print(*value)) : store::Cell(nullptr);
}

}  // namespace

Value to_json(const Change& change) {
  json::Object out;
  out.set("Number", change.number);
  out.set("Execution", change.execution);
  out.set("Step", change.step);
  out.set("Account", change.account);
  out.set("Region", change.region);
  out.set("Call", change.call());
  out.set("Input", change.input);
  if (change.before_read) out.set("Before", change.before ? *change.before : Value());
  if (change.left_read) out.set("Left", change.left ? *change.left : Value());
  if (change.output) out.set("Output", *change.output);
  out.set("State", change.state);
  if (!change.error.empty()) out.set("Error", change.error);
  out.set("At", format_iso8601_ms(change.at_ms));
  if (change.ended_ms != 0) out.set("EndedAt", format_iso8601_ms(change.ended_ms));
  out.set("Undo", change.undo);
  if (!change.rests_on.empty()) out.set("RestsOn", change.rests_on);
  return out;
}

Result<std::vector<Change>> changes_of(store::Session& session, const std::string& execution) {
  FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE execution = ? ORDER BY number", {execution}));
  std::vector<Change> changes;
  for (store::Row& row : rows) {
    FIXPOINT_TRY(change, read(row));
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<std::optional<Change>> change_of(store::Session& session, const std::string& execution,
                                        const std::string& step) {
  FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE execution = ? AND step = ?", {execution, step}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(change, read(rows[0]));
  return std::optional(std::move(change));
}

Result<void> insert(store::Transaction& tx, const Change& change) {
  FIXPOINT_CHECK(
      tx.execute("DELETE FROM change WHERE execution = ? AND step = ? AND (state = 'failed' OR state = 'planned')",
                 {change.execution, change.step}));
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO change (execution, step, account, region, service, operation, input, before_read, "
      "before, output, state, error, at_ms, ended_ms, undo, rests_on) VALUES "
      "(?,?,?,?,?,?,?,?,?,?,?,'',?,?,?,?)",
      {change.execution, change.step, change.account, change.region, change.service, change.operation,
       json::print(change.input), std::int64_t{change.before_read}, text_or_null(change.before),
       text_or_null(change.output), change.state, change.at_ms, change.ended_ms, change.undo, change.rests_on}));
  return {};
}

Result<void> update_end(store::Transaction& tx, const Change& change) {
  FIXPOINT_CHECK(
      tx.execute("UPDATE change SET state = ?, output = ?, error = ?, ended_ms = ?, left_read = ?, "
                 "left_state = ? WHERE execution = ? AND step = ?",
                 {change.state, text_or_null(change.output), legible(change.error), change.ended_ms,
                  std::int64_t{change.left_read}, text_or_null(change.left), change.execution, change.step}));
  return {};
}

}  // namespace fixpoint::changes
