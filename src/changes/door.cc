#include "changes/door.h"

#include "base/fault.h"
#include "changes/inverse.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr const char* tables = R"sql(
CREATE TABLE change (
  number INTEGER PRIMARY KEY AUTOINCREMENT, execution TEXT NOT NULL, step TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
  service TEXT NOT NULL, operation TEXT NOT NULL, input TEXT NOT NULL, before_read INTEGER NOT NULL, before TEXT, output TEXT,
  state TEXT NOT NULL, error TEXT NOT NULL, at_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, undo TEXT NOT NULL,
  UNIQUE (execution, step)) STRICT;
)sql";

constexpr const char* columns =
    "SELECT number, execution, step, account, region, service, operation, input, before_read, before, output, state, "
    "error, at_ms, ended_ms, undo FROM change ";

Result<Change> change_of(store::Row& row) {
  Change change;
  change.number = row.integer(0);
  change.execution = row.take(1);
  change.step = row.take(2);
  change.account = row.take(3);
  change.region = row.take(4);
  change.service = row.take(5);
  change.operation = row.take(6);
  FIXPOINT_TRY(input, json::parse(row.text(7)));
  change.input = std::move(input);
  change.before_read = row.integer(8) != 0;
  if (!row.is_null(9)) {
    FIXPOINT_TRY(before, json::parse(row.text(9)));
    change.before = std::move(before);
  }
  if (!row.is_null(10)) {
    FIXPOINT_TRY(output, json::parse(row.text(10)));
    change.output = std::move(output);
  }
  change.state = row.take(11);
  change.error = row.take(12);
  change.at_ms = row.integer(13);
  change.ended_ms = row.integer(14);
  change.undo = row.take(15);
  return change;
}

store::Cell text_or_null(const std::optional<Value>& value) {
  return value ? store::Cell(json::print(*value)) : store::Cell(nullptr);
}

// True where nobody can say whether the call was made: the answer was lost, or the service broke under it.
// A call that was refused (a 4xx, throttling among them) had no effect.
bool outcome_is_unknown(const Error& error) {
  if (error.http_status == 0)
    return error.retryable || error.code == "ConnectionError" || error.code == "RequestTimeout";
  return error.http_status >= 500 && error.http_status != 501;
}

}  // namespace

store::Schema Door::schema() {
  return {"changes", {tables}};
}

Value to_json(const Change& change) {
  json::Object out;
  out.set("Number", change.number);
  out.set("Execution", change.execution);
  out.set("Step", change.step);
  out.set("Account", change.account);
  out.set("Region", change.region);
  out.set("Call", change.service + ":" + change.operation);
  out.set("Input", change.input);
  if (change.before_read) out.set("Before", change.before ? *change.before : Value());
  if (change.output) out.set("Output", *change.output);
  out.set("State", change.state);
  if (!change.error.empty()) out.set("Error", change.error);
  out.set("At", format_iso8601_ms(change.at_ms));
  if (change.ended_ms != 0) out.set("EndedAt", format_iso8601_ms(change.ended_ms));
  out.set("Undo", change.undo);
  return out;
}

Result<Change> Door::plan(const aws::CallContext& context, std::string_view service, std::string_view operation,
                          const Value& input) {
  Change change;
  change.execution = context.execution;
  change.account = context.account;
  change.region = context.region;
  change.service = service;
  change.operation = operation;
  change.input = input;
  change.state = "intent";
  change.at_ms = clock_.now_ms();
  const Recipe* recipe = recipes_.find(service, operation);
  if (recipe == nullptr) {
    change.undo =
        "CANNOT BE UNDONE: no recipe says how to take back " + std::string(service) + ":" + std::string(operation);
    return change;
  }
  FIXPOINT_TRY(before, read_before(*recipe, context, input, account_));
  change.before_read = !recipe->before.empty();
  change.before = std::move(before);
  FIXPOINT_TRY(undo, say_undo(*recipe, {context, input, change.before ? &*change.before : nullptr}));
  change.undo = std::move(undo);
  return change;
}

Result<Value> Door::call(const aws::CallContext& context, const std::string& step, std::string_view service,
                         std::string_view operation, const Value& input) {
  if (recipes_.reads(service, operation)) return account_.call(context, service, operation, input);
  if (context.execution.empty() || step.empty())
    return fail(errors::validation("a change passes the door only for an execution, under the name of a step"));
  FIXPOINT_TRY(known, store_.read([&](store::Session& session) -> Result<std::optional<Change>> {
    FIXPOINT_TRY(rows,
                 session.query(std::string(columns) + "WHERE execution = ? AND step = ?", {context.execution, step}));
    if (rows.empty()) return std::nullopt;
    FIXPOINT_TRY(change, change_of(rows[0]));
    return std::move(change);
  }));
  // An intent of an earlier life keeps the state before that it saw: what is there now may be its own effect.
  if (known && known->state == "done") return known->output.value_or(Value(json::Object()));
  if (known && known->state == "intent") return make(std::move(*known), context);
  FIXPOINT_TRY(change, plan(context, service, operation, input));
  change.step = step;
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("DELETE FROM change WHERE execution = ? AND step = ? AND state = 'failed'",
                              {change.execution, change.step}));
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO change (execution, step, account, region, service, operation, input, before_read, "
                   "before, output, state, error, at_ms, "
                   "ended_ms, undo) VALUES (?,?,?,?,?,?,?,?,?,NULL,'intent','',?,0,?)",
                   {change.execution, change.step, change.account, change.region, change.service, change.operation,
                    json::print(change.input), std::int64_t{change.before_read}, text_or_null(change.before),
                    change.at_ms, change.undo}));
    return {};
  }));
  fault_point("door.intent_stored");
  return make(std::move(change), context);
}

Result<Value> Door::make(Change change, const aws::CallContext& context) {
  auto answer = account_.call(context, change.service, change.operation, change.input);
  fault_point("door.call_made");
  const std::optional<Value> output = answer ? std::optional<Value>(*answer) : std::nullopt;
  // An intent that stays one keeps the state before that it saw first: what is there now may be its own effect.
  const char* state = answer ? "done" : outcome_is_unknown(answer.error()) ? "intent" : "failed";
  const std::string error = answer ? std::string() : answer.error().code + ": " + answer.error().message;
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(
        tx.execute("UPDATE change SET state = ?, output = ?, error = ?, ended_ms = ? WHERE execution = ? AND step = ?",
                   {std::string(state), text_or_null(output), error,
                    std::string_view(state) == "intent" ? TimeMs{0} : clock_.now_ms(), change.execution, change.step}));
    return {};
  }));
  fault_point("door.result_stored");
  return answer;
}

Result<std::vector<Change>> Door::of_execution(store::Session& session, const std::string& execution) {
  FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE execution = ? ORDER BY number", {execution}));
  std::vector<Change> changes;
  for (store::Row& row : rows) {
    FIXPOINT_TRY(change, change_of(row));
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<std::vector<Change>> Door::of_execution(const std::string& execution) {
  return store_.read([&](store::Session& session) { return of_execution(session, execution); });
}

Result<void> Door::effect_seen(const std::string& execution, const std::string& step) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(
        tx.execute("UPDATE change SET state = 'done', ended_ms = ?, output = '{}', error = '' WHERE execution = ? AND "
                   "step = ? AND "
                   "state = 'intent'",
                   {clock_.now_ms(), execution, step}));
    return {};
  });
}

}  // namespace fixpoint::changes
