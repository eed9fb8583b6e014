#include "executions/approvals.h"

#include "base/fault.h"
#include "base/person.h"
#include "json/text.h"

namespace fixpoint::executions {
namespace {

using json::Value;

constexpr std::size_t shortest_hash = 8;
constexpr const char* awaits_window = "window";

constexpr const char* columns =
    "SELECT number, execution, account, region, plan_hash, plan, words, requested_by, asked_ms, warn_ms, expires_ms, "
    "four_eyes, warned, state, answered_by, because, answered_ms FROM approval ";

Result<Approval> approval_of(store::Row& row) {
  Approval a;
  a.number = row.integer(0);
  a.execution = row.take(1);
  a.account = row.take(2);
  a.region = row.take(3);
  a.plan_hash = row.take(4);
  FIXPOINT_TRY(plan, json::parse_printed(row.text(5)));
  a.plan = std::move(plan);
  a.words = row.take(6);
  a.requested_by = row.take(7);
  a.asked_ms = row.integer(8);
  a.warn_ms = row.integer(9);
  a.expires_ms = row.integer(10);
  a.four_eyes = row.integer(11) != 0;
  a.warned = row.integer(12) != 0;
  a.state = row.take(13);
  a.answered_by = row.take(14);
  a.because = row.take(15);
  a.answered_ms = row.integer(16);
  return a;
}

Result<std::vector<Approval>> approvals_of(store::Session& session, const std::string& execution) {
  FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE execution = ? ORDER BY number DESC", {execution}));
  std::vector<Approval> out;
  for (store::Row& row : rows) {
    FIXPOINT_TRY(approval, approval_of(row));
    out.push_back(std::move(approval));
  }
  return out;
}

Result<void> insert(store::Transaction& tx, const Approval& a) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO approval (execution, account, region, plan_hash, plan, words, requested_by, asked_ms, "
      "warn_ms, expires_ms, four_eyes, warned, state, answered_by, because, answered_ms) "
      "VALUES (?,?,?,?,?,?,?,?,?,?,?,0,?,?,?,?)",
      {a.execution, a.account, a.region, a.plan_hash, json::print(a.plan), a.words, a.requested_by, a.asked_ms,
       a.warn_ms, a.expires_ms, std::int64_t{a.four_eyes}, a.state, a.answered_by, a.because, a.answered_ms}));
  return {};
}

Error expired(TimeMs at_ms) {
  return errors::resource_conflict("the answer comes too late: the approval expired at " + format_iso8601_ms(at_ms) +
                                   ", and nobody had answered; let the execution be planned again");
}

Error answered_before(const Approval& a) {
  return errors::resource_conflict("the approval was answered before: " + a.state + " by " + a.answered_by + " at " +
                                   format_iso8601_ms(a.answered_ms) +
                                   (a.because.empty() ? std::string() : ", who said: " + a.because));
}

Error other_plan(const Answer& answer, const Approval& a) {
  return errors::resource_conflict(
      "the answer is to the plan " + answer.plan_hash + ", but " +
      (a.plan_hash.empty() ? "what waits has no plan" : "the plan " + a.plan_hash + " waits") +
      "; 'fixpoint executions " + a.execution + "' shows it");
}

Error no_person(const Answer& answer) {
  return errors::access_denied("the credentials belong to the execution " + answer.by_execution +
                               "; an approval is answered by a person");
}

// Why an approval is not another person's than the question; nothing where it is. Roles count for nothing: whoever may
// assume one names the session as they like.
std::optional<std::string> one_person(const Approval& a, const std::string& by) {
  const std::string asked = person_of(a.requested_by);
  const std::string approves = person_of(by);
  if (asked.empty()) return "nobody knows who asked, so nobody can be shown to be another";
  if (approves.empty()) return "nobody knows who approves with '" + by + "', so it may be who asked";
  if (asked == approves) return asked + " asked for this, so somebody else has to approve it";
  return {};
}

bool names(std::string_view given, const std::string& whole) {
  return given.empty() || (given.size() >= shortest_hash && whole.starts_with(given));
}

}  // namespace

Value to_json(const Approval& a) {
  json::Object out;
  out.set("Number", a.number);
  out.set("Execution", a.execution);
  out.set("State", a.state);
  out.set("PlanHash", a.plan_hash);
  out.set("Plan", a.plan);
  out.set("Words", a.words);
  out.set("RequestedBy", a.requested_by);
  out.set("AskedAt", format_iso8601_ms(a.asked_ms));
  if (a.warn_ms != 0) out.set("WarnAt", format_iso8601_ms(a.warn_ms));
  out.set("ExpiresAt", format_iso8601_ms(a.expires_ms));
  out.set("FourEyes", a.four_eyes);
  if (a.answered_ms != 0) {
    out.set("AnsweredBy", a.answered_by);
    out.set("Because", a.because);
    out.set("AnsweredAt", format_iso8601_ms(a.answered_ms));
  }
  return out;
}

Result<void> Approvals::tell(store::Transaction& tx, const std::string& kind, const Approval& approval) {
  Value detail = to_json(approval);
  detail.set("Approve", "fixpoint approve " + approval.execution + " --plan " + approval.plan_hash);
  detail.set("Reject", "fixpoint reject " + approval.execution);
  return tell_(
      tx, Notice{kind, approval.account, approval.region, json::Array{Value(approval.execution)}, std::move(detail)});
}

void Approvals::wait(Step& step, const Execution& execution, Ask ask) {
  Approval a;
  a.execution = execution.id;
  a.account = execution.account;
  a.region = execution.region;
  a.plan_hash = std::move(ask.plan_hash);
  a.plan = std::move(ask.plan);
  a.words = std::move(ask.words);
  a.requested_by = std::move(ask.requested_by);
  a.asked_ms = clock_.now_ms();
  a.expires_ms = a.asked_ms + ask.wait_ms;
  if (ask.warn_before_ms > 0 && ask.warn_before_ms < ask.wait_ms) a.warn_ms = a.expires_ms - ask.warn_before_ms;
  a.four_eyes = ask.four_eyes;
  a.state = "OPEN";
  step.next = Step::Next::Wait;
  step.outcome = "waits for approval";
  step.wake_ms = a.warn_ms != 0 ? a.warn_ms : a.expires_ms;
  step.cursor.set("awaits", "approval");
  step.cursor.set("until", a.expires_ms);
  step.cursor.set("warn", a.warn_ms);
  step.cursor.set("plan_hash", a.plan_hash);
  step.commit = [this, a = std::move(a), before = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
    if (before) FIXPOINT_CHECK(before(tx));
    FIXPOINT_CHECK(insert(tx, a));
    fault_point("approval.asked");
    return tell(tx, "Approval Requested", a);
  };
}

std::optional<Step> Approvals::wait_on(const Execution& execution) {
  const TimeMs now = clock_.now_ms();
  const TimeMs until = execution.cursor["until"].int_or(0);
  const TimeMs warn = execution.cursor["warn"].int_or(0);
  if (now >= until) return std::nullopt;
  Step step;
  step.next = Step::Next::Wait;
  step.cursor = execution.cursor;
  step.outcome = execution.outcome;
  step.wake_ms = until;
  if (warn == 0) return step;
  if (now < warn) {  // woken early: a clock that was set back
    step.wake_ms = warn;
    return step;
  }
  step.cursor.set("warn", 0);
  step.note = "nobody has answered; the approval expires at " + format_iso8601_ms(until);
  step.commit = [this, id = execution.id](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(asked, approvals_of(tx, id));
    if (asked.empty() || asked[0].state != "OPEN" || asked[0].warned) return {};
    FIXPOINT_CHECK(tx.execute("UPDATE approval SET warned = 1 WHERE number = ?", {asked[0].number}));
    return tell(tx, "Approval Expiring", asked[0]);
  };
  return step;
}

namespace {

// The cursor without what the wait for a window left in it.
Value after_window(Value cursor) {
  if (!cursor.is_object()) return json::Object();
  for (const char* past : {"awaits", "answer"}) cursor.as_object().erase(past);
  return cursor;
}

}  // namespace

void Approvals::wait_for_window(Step& step, TimeMs opens_ms) {
  step.next = Step::Next::Wait;
  step.outcome = "waits for the window";
  step.wake_ms = opens_ms;
  step.cursor = after_window(std::move(step.cursor));
  step.cursor.set("awaits", awaits_window);
}

Value Approvals::called_off(const Execution& execution) {
  return execution.cursor["awaits"].string_or("") == awaits_window ? execution.cursor["answer"] : Value();
}

std::optional<Step> Approvals::opened(const Execution& execution) {
  if (execution.cursor["awaits"].string_or("") != awaits_window) return std::nullopt;
  Step step;
  step.cursor = after_window(execution.cursor);
  return step;
}

// Nothing where the execution does not wait for its window.
Result<std::optional<Approval>> Approvals::call_off(store::Transaction& tx, const Answer& answer,
                                                    const std::vector<Approval>& asked) {
  FIXPOINT_TRY(rows, tx.query("SELECT account, region, kind, program, cursor, input, wake_ms FROM execution WHERE id = "
                              "? AND status = 'WAITING'",
                              {answer.execution}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(cursor, json::parse(rows[0].text(4)));
  if (cursor["awaits"].string_or("") != awaits_window) return std::nullopt;
  FIXPOINT_TRY(input, json::parse(rows[0].text(5)));
  Approval a;
  if (!asked.empty()) {
    a = asked[0];
  } else {
    a.execution = answer.execution;
    a.account = rows[0].take(0);
    a.region = rows[0].take(1);
    a.plan_hash = cursor["hash"].string_or("");
    a.words = rows[0].text(2) + " " + rows[0].text(3);
    a.requested_by = input["By"].string_or(input["Rule"].string_or(""));
  }
  if (!names(answer.plan_hash, a.plan_hash)) return fail(other_plan(answer, a));
  if (!answer.by_execution.empty()) return fail(no_person(answer));
  a.asked_ms = a.answered_ms = clock_.now_ms();
  a.warn_ms = 0;
  a.expires_ms = rows[0].integer(6);
  a.state = "REJECTED";
  a.answered_by = answer.by;
  a.because = answer.because;
  FIXPOINT_CHECK(insert(tx, a));
  FIXPOINT_CHECK(executor_.answer(tx, a.execution,
                                  json::Object{{"Approved", false}, {"By", a.answered_by}, {"Reason", a.because}}));
  FIXPOINT_CHECK(tell(tx, "Approval Answered", a));
  return std::move(a);
}

Result<void> Approvals::expire(store::Transaction& tx, const std::string& execution) {
  FIXPOINT_TRY(asked, approvals_of(tx, execution));
  if (asked.empty() || asked[0].state != "OPEN") return {};
  Approval& a = asked[0];
  a.state = "EXPIRED";
  a.answered_ms = clock_.now_ms();
  FIXPOINT_CHECK(
      tx.execute("UPDATE approval SET state = 'EXPIRED', answered_ms = ? WHERE number = ?", {a.answered_ms, a.number}));
  return tell(tx, "Approval Answered", a);
}

Result<Approval> Approvals::answer(const Answer& answer) {
  return store_.write([&](store::Transaction& tx) { return this->answer(tx, answer); });
}

Result<Approval> Approvals::answer(store::Transaction& tx, const Answer& answer) {
  FIXPOINT_TRY(asked, approvals_of(tx, answer.execution));
  if (!answer.approved) {
    FIXPOINT_TRY(called_off, call_off(tx, answer, asked));
    if (called_off) return std::move(*called_off);
  }
  if (asked.empty()) {
    FIXPOINT_TRY(rows, tx.query("SELECT status, outcome FROM execution WHERE id = ?", {answer.execution}));
    if (rows.empty())
      return fail(errors::resource_not_found("no execution has the id '" + answer.execution +
                                             "'; 'fixpoint executions' lists them"));
    return fail(errors::resource_conflict("the execution has asked for no approval: it is " + rows[0].text(0) +
                                          (rows[0].text(1).empty() ? "" : ", " + rows[0].text(1))));
  }
  Approval& a = asked[0];
  const TimeMs now = clock_.now_ms();
  if (a.state == "EXPIRED" || (a.state == "OPEN" && now >= a.expires_ms)) return fail(expired(a.expires_ms));
  if (a.state != "OPEN") return fail(answered_before(a));
  if (!names(answer.plan_hash, a.plan_hash)) return fail(other_plan(answer, a));
  if (!answer.by_execution.empty()) return fail(no_person(answer));
  // Those that were required when it was asked for stay so, those that are required by now hold as well.
  bool four_eyes = a.four_eyes;
  if (answer.approved && !four_eyes) {
    FIXPOINT_TRY(required, four_eyes_(tx, a));
    four_eyes = required;
  }
  if (answer.approved && four_eyes)
    if (auto refusal = one_person(a, answer.by))
      return fail(errors::access_denied("four eyes are required: " + *refusal));
  a.state = answer.approved ? "APPROVED" : "REJECTED";
  a.answered_by = answer.by;
  a.because = answer.because;
  a.answered_ms = now;
  FIXPOINT_CHECK(
      tx.execute("UPDATE approval SET state = ?, answered_by = ?, because = ?, answered_ms = ? WHERE number = ?",
                 {a.state, a.answered_by, a.because, a.answered_ms, a.number}));
  FIXPOINT_CHECK(executor_.answer(
      tx, a.execution, json::Object{{"Approved", answer.approved}, {"By", a.answered_by}, {"Reason", a.because}}));
  FIXPOINT_CHECK(tell(tx, "Approval Answered", a));
  fault_point("approval.answered");
  return a;
}

Result<std::vector<Approval>> Approvals::of(const std::string& execution) {
  return store_.read([&](store::Session& session) { return approvals_of(session, execution); });
}

}  // namespace fixpoint::executions
