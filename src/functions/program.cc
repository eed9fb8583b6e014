#include "functions/program.h"

#include <algorithm>

#include "base/arn.h"
#include "base/fault.h"
#include "changes/difference.h"

namespace fixpoint::functions {
namespace {

using executions::Execution;
using executions::Step;
using json::Value;

// Lambda tries an asynchronous call twice more after a function error, a minute and then two minutes later:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
constexpr std::int64_t async_attempts = 3;
constexpr TimeMs async_wait_ms = 60'000;
// What is throttled is tried again for six hours, at most five minutes apart; the same page says so.
constexpr TimeMs throttled_wait_ms = 5 * 60'000;
constexpr TimeMs throttled_most_ms = 6 * 3'600'000;

// What failed for the system's reasons (errors of the 500s) or for want of a free process is tried again too, "for up
// to 6 hours by default. The retry interval increases exponentially from 1 second after the first attempt to a maximum
// of 5 minutes", and is no attempt of the handler's: that page again.
constexpr TimeMs first_start_wait_ms = 1'000;
constexpr TimeMs longest_start_wait_ms = 5 * 60'000;
constexpr TimeMs starts_most_ms = 6 * 3'600'000;
constexpr std::int64_t starts_of_waiting_caller = 10;

constexpr std::size_t note_limit = 512;  // characters of a note's text in Security Hub

Step failed(const Error& error) {
  Step step;
  step.next = Step::Next::Failed;
  step.outcome = "failed";
  step.result = json::Object{{"Error", error.code}, {"Message", error.message}};
  step.note = "failed: " + error.code + ": " + error.message;
  return step;
}

Step ending(std::string outcome, Value result, const std::string& note) {
  Step step;
  step.next = Step::Next::Succeeded;
  step.outcome = std::move(outcome);
  step.result = std::move(result);
  step.note = step.outcome + ": " + note;
  return step;
}

Step wait_and_retry(const Value& cursor, std::int64_t attempt, TimeMs wake_ms, std::string why) {
  Step step;
  step.next = Step::Next::Wait;
  step.cursor = cursor.is_object() ? cursor : Value(json::Object());
  step.cursor.set("attempt", attempt);
  step.outcome = "tries again";
  step.wake_ms = wake_ms;
  step.note = std::move(why);
  return step;
}

// After a run that did not come about.
Step not_started(const Value& cursor, bool async, const Error& error, TimeMs now_ms) {
  const std::int64_t starts = cursor["starts"].int_or(0) + 1;
  const TimeMs since = cursor["lacking_since"].int_or(now_ms);
  if (!error.retryable || (async ? now_ms - since >= starts_most_ms : starts >= starts_of_waiting_caller))
    return failed(error);
  const TimeMs wait_ms =
      async ? std::min(longest_start_wait_ms, first_start_wait_ms << std::min<std::int64_t>(starts - 1, 20))
            : first_start_wait_ms * starts;
  Step step = wait_and_retry(cursor, cursor["attempt"].int_or(0), now_ms + wait_ms, error.code + ": " + error.message);
  step.cursor.set("starts", starts);
  step.cursor.set("lacking_since", since);
  return step;
}

std::string calls_of(const changes::Plan& plan) {
  std::string out;
  const Value& lines = plan.document["Changes"];
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += (out.empty() ? "" : ", ") + std::string(lines[i]["Call"].string_or(""));
  return out.empty() ? "no change" : out;
}

std::string made_by(const std::vector<changes::Change>& journaled) {
  std::string out;
  for (const changes::Change& change : journaled)
    if (change.made()) out += (out.empty() ? "" : ", ") + change.call();
  return out;
}

// How a note begins that says that the execution waits.
std::string waits(const Execution& execution) {
  return "Function " + execution.program + " waits for ";
}

}  // namespace

// A store or an account that cannot be asked now says nothing about the function.
Step FunctionProgram::stopped(const Execution& execution, const Error& error) const {
  if (!error.retryable) return failed(error);
  return wait_and_retry(execution.cursor, execution.cursor["attempt"].int_or(0), parts_.clock.now_ms() + 1000,
                        error.code + ": " + error.message);
}

void FunctionProgram::step(const Execution& execution, std::function<void(Step)> done) {
  // Its findings say that it waits, until it has ended.
  if (execution.cursor["told"].bool_or(false)) {
    // Here, because the runtime's thread, from which a step may come, must not wait for the store.
    auto mandate = parts_.door.mandates().find(execution.id);
    if (!mandate) return done(stopped(execution, mandate.error()));
    if (*mandate)
      done = [this, waited = execution, findings = (*mandate)->findings, done = std::move(done)](Step step) {
        done(tell_end(waited, findings, std::move(step)));
      };
  }
  if (const Value answer = executions::Approvals::called_off(execution); !answer.is_null())
    return done(rejected(execution, answer, " while it waited for its maintenance window"));
  if (auto opened = executions::Approvals::opened(execution)) return done(std::move(*opened));
  const std::string_view phase = execution.cursor["phase"].string_or("begin");
  if (phase == "ask") return done(answered(execution));
  if (phase == "ended") return done(ended(execution));
  begin(execution, std::move(done));
}

Step FunctionProgram::tell_end(const Execution& execution, const Value& findings, Step step) const {
  if (step.next != Step::Next::Succeeded && step.next != Step::Next::Failed) {
    step.cursor.set("told", true);
    return step;
  }
  step.commit = [tell = note(execution, findings, "",
                             "Function " + execution.program + ": " + (step.note.empty() ? step.outcome : step.note),
                             waits(execution)),
                 before = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
    if (before) FIXPOINT_CHECK(before(tx));
    return tell(tx);
  };
  return step;
}

void FunctionProgram::begin(const Execution& execution, std::function<void(Step)> done) {
  auto mandate = [&]() -> Result<changes::Mandate> {
    // What a person approved is kept; all else is found anew at each attempt.
    if (execution.cursor["phase"].string_or("") != "apply")
      return mandate_of(execution, parts_.door, parts_.mode_of, parts_.population_of);
    FIXPOINT_TRY(kept, parts_.door.mandates().find(execution.id));
    if (!kept) return fail(errors::internal("the execution has lost its mandate"));
    return *kept;
  }();
  if (!mandate) return done(stopped(execution, mandate.error()));
  // The plan that it was held to has moved, or a person is to be asked: it is planned anew, whoever decided on the old.
  if (execution.cursor.find("ask") != nullptr) {
    mandate->mode = "ask";
    mandate->dry_run = true;
    mandate->decided_by.clear();
    mandate->plan.clear();
  }
  auto exception = parts_.door.guards().excepted(*mandate);
  if (!exception) return done(stopped(execution, exception.error()));
  if (*exception) {
    const std::string sentence = "Function " + execution.program + " was not run: " + (*exception)->sentence() + ".";
    Step step = ending("excepted", json::Object{{"Exception", changes::to_json(**exception)}}, sentence);
    if (!execution.input["DryRun"].bool_or(false))
      step.commit = note(execution, mandate->findings, (*exception)->suppresses ? "SUPPRESSED" : "", sentence);
    return done(std::move(step));
  }
  // A caller who waits for the answer is not kept until a window opens: the door refuses what it would change.
  if (!mandate->dry_run && execution.input["Async"].bool_or(false)) {
    auto opens = parts_.door.guards().opens_at(*mandate);
    if (!opens) return done(stopped(execution, opens.error()));
    if (*opens != 0) {
      const std::string window = "its maintenance window, which opens at " + format_iso8601_ms(*opens);
      Step step =
          wait_and_retry(execution.cursor, execution.cursor["attempt"].int_or(0), *opens, "waits for " + window);
      executions::Approvals::wait_for_window(step, *opens);
      step.cursor.set("told", true);
      auto tell = note(execution, mandate->findings, "",
                       waits(execution) + window +
                           (mandate->decided_by.empty() ? "" : " (decided by " + mandate->decided_by + ")") +
                           (mandate->plan.empty() ? "" : ". Planned: plan " + mandate->plan.substr(0, 12)) +
                           ". Until then 'fixpoint reject " + execution.id + "' calls it off.");
      step.commit = [mandate = *mandate, tell = std::move(tell)](store::Transaction& tx) -> Result<void> {
        FIXPOINT_CHECK(changes::Mandates::put(tx, mandate));
        return tell(tx);
      };
      return done(std::move(step));
    }
  }
  // A run that its server's end cut off may have left changes of which nobody was told: this one is told what there is.
  if (auto settled = parts_.door.settle(execution.id); !settled) return done(stopped(execution, settled.error()));
  auto doubts = parts_.door.in_doubt(execution.id);
  if (!doubts) return done(stopped(execution, doubts.error()));
  if (!doubts->empty()) {
    const Error unknown = changes::Door::outcome_unknown(doubts->front());
    Step step = failed(unknown);
    step.commit =
        note(execution, mandate->findings, "NOTIFIED",
             "Function " + execution.program + " was cut off, and is not run again: " + unknown.message + ".");
    return done(std::move(step));
  }
  if (auto put = parts_.door.mandates().put(*mandate); !put) return done(stopped(execution, put.error()));
  run(execution, mandate->dry_run || !mandate->plan.empty() || execution.cursor["told"].bool_or(false),
      std::move(done));
}

void FunctionProgram::run(const Execution& execution, bool looks_after, std::function<void(Step)> done) {
  const Owner owner{execution.account, execution.region};
  const auto name = parse_function_name(execution.program, owner, execution.input["Qualifier"].string_or(""));
  if (!name) return done(failed(name.error()));
  auto record = parts_.functions.get(*name);
  if (!record) return done(stopped(execution, record.error()));
  const bool async = execution.input["Async"].bool_or(false);
  const auto reserved = parts_.functions.reserved_concurrency(*name);
  if (!reserved) return done(stopped(execution, reserved.error()));
  if (*reserved == 0) {
    const Error throttled = errors::coded("TooManyRequestsException", "Rate Exceeded.", 429);
    if (!async || parts_.clock.now_ms() - execution.started_ms >= throttled_most_ms) return done(failed(throttled));
    return done(wait_and_retry(execution.cursor, execution.cursor["attempt"].int_or(0),
                               parts_.clock.now_ms() + throttled_wait_ms, "no call may run: its concurrency is 0"));
  }
  const auto role = parse_arn(record->role);
  const int seconds = record->timeout_s + 60;
  auto issued = parts_.identity.issue(execution.account, role ? role->partition : "aws",
                                      role ? record->role.substr(record->role.rfind('/') + 1) : "function",
                                      record->name, execution.id, seconds);
  if (!issued) return done(stopped(execution, issued.error()));
  Invocation invocation;
  invocation.function = *record;
  invocation.code = [this, record = *record] { return parts_.functions.code(record); };
  invocation.payload = execution.input["Payload"].string_or("{}");
  invocation.credentials = {issued->credentials.access_key, issued->credentials.secret,
                            issued->credentials.session_token};
  invocation.endpoint_url = parts_.endpoint_url();
  invocation.request_id = execution.id;
  invocation.client_context = execution.input["ClientContext"].string_or("");
  const std::int64_t attempt = execution.cursor["attempt"].int_or(0) + 1;
  // The callback comes on the runtime's thread, which must not wait for the store; what it does here is to hand over a
  // step.
  const std::string phase(execution.cursor["phase"].string_or("begin"));
  parts_.runs.begin(execution.id, "run-" + phase + "-" + std::to_string(execution.cursor["round"].int_or(0)) + "." +
                                      std::to_string(attempt));
  // With the run its credentials end: a retry, or the run that was approved after a wait, gets others.
  auto over = [this, id = execution.id, done = std::move(done)](Step step) {
    step.commit = [this, id](store::Transaction& tx) { return parts_.identity.revoke(tx, id); };
    done(std::move(step));
  };
  fault_point("function.called");
  parts_.runtime.invoke(
      std::move(invocation), [this, done = std::move(over), version = record->version, async, attempt, looks_after,
                              id = execution.id, cursor = execution.cursor](Result<Outcome> outcome) {
        const bool fell_short = parts_.runs.end(id);
        fault_point("function.returned");
        if (!outcome) return done(not_started(cursor, async, outcome.error(), parts_.clock.now_ms()));
        const bool error = !outcome->function_error.empty();
        Step step;
        step.result = json::Object{{"Payload", outcome->payload},         {"FunctionError", outcome->function_error},
                                   {"ErrorType", outcome->error_type},    {"LogTail", outcome->log_tail},
                                   {"DurationMs", outcome->duration_ms},  {"Version", version},
                                   {"MemoryMb", outcome->memory_used_mb}, {"Cold", outcome->cold}};
        if (looks_after || fell_short || error) {
          // What the door has to say of the run is in the store, so it is looked at in a step of its own.
          step.cursor = cursor.is_object() ? cursor : Value(json::Object());
          for (const char* past : {"starts", "lacking_since"}) step.cursor.as_object().erase(past);
          step.cursor.set("after", cursor["phase"].string_or("begin"));
          step.cursor.set("phase", "ended");
          step.cursor.set("attempt", attempt);
          step.cursor.set("result", step.result);
          step.cursor.set("retries", async && attempt < async_attempts);
          step.result = Value();
          step.note = error ? "the handler failed: " + outcome->error_type : "the handler returned";
          return done(std::move(step));
        }
        step.next = Step::Next::Succeeded;
        step.outcome = "returned";
        done(std::move(step));
      });
}

// After a run that was dry, held to a plan, or failed.
Step FunctionProgram::ended(const Execution& execution) {
  const Value& cursor = execution.cursor;
  Value result = cursor["result"];
  const bool error = !result["FunctionError"].string_or("").empty();
  auto mandate = parts_.door.mandates().find(execution.id);
  if (!mandate) return stopped(execution, mandate.error());
  if (!*mandate) return failed(errors::internal("the execution has lost its mandate"));
  auto refusal = parts_.door.mandates().refusal(execution.id);
  if (!refusal) return stopped(execution, refusal.error());
  if (*refusal) result.set("Refused", json::Object{{"Code", (*refusal)->code}, {"Message", (*refusal)->message}});
  const auto round = cursor["round"].int_or(0);
  const auto is = [&](std::string_view code) { return *refusal && (*refusal)->code == code; };
  if ((is("PlanMoved") || is("NotInPlan") || is("IrreversibleChange") || is("OwnedElsewhere")) &&
      execution.input["Async"].bool_or(false) && round < options_.replan_attempts) {
    Step step;
    step.cursor = json::Object{{"phase", "begin"}, {"ask", (*refusal)->message}, {"round", round + 1}};
    step.note = (*refusal)->message + "; planned anew";
    return step;
  }
  if (error && cursor["retries"].bool_or(false)) {
    Value next = cursor;
    next.set("phase", cursor["after"]);
    next.as_object().erase("result");
    return wait_and_retry(next, cursor["attempt"].int_or(1),
                          parts_.clock.now_ms() + async_wait_ms * cursor["attempt"].int_or(1),
                          "the handler failed (" + std::string(result["ErrorType"].string_or("")) + "); tries again");
  }
  if (!(*mandate)->plan.empty()) result.set("Plan", json::Object{{"Hash", (*mandate)->plan}});
  if (error || !(*mandate)->dry_run) return returned(execution, **mandate, std::move(result));
  return planned(execution, **mandate, std::move(result));
}

// After a run that changed the account, or failed.
Step FunctionProgram::returned(const Execution& execution, const changes::Mandate& mandate, Value result) const {
  const bool error = !result["FunctionError"].string_or("").empty();
  auto made = parts_.door.of_execution(execution.id);
  if (!made) return stopped(execution, made.error());
  json::Array unsuccessful;
  std::string words;
  for (const changes::Change& change : *made) {
    // What was refused outright the handler was told by an exception.
    const bool answered_with_success = change.state == "partly" || (change.state == "failed" && change.output);
    if (!answered_with_success) continue;
    unsuccessful.emplace_back(json::Object{{"Call", change.call()}, {"State", change.state}, {"Error", change.error}});
    words += (words.empty() ? "" : "; ") + change.call() + ": " + change.error;
  }
  Step step;
  step.next = error ? Step::Next::Failed : Step::Next::Succeeded;
  step.outcome = error ? "function error" : "returned";
  if (execution.cursor["told"].bool_or(false)) {
    const std::string calls = made_by(*made);
    step.note = step.outcome + (calls.empty() ? "; nothing was changed" : "; changed: " + calls);
  }
  if (!unsuccessful.empty()) {
    result.set("Unsuccessful", std::move(unsuccessful));
    step.note = step.outcome + "; not wholly done: " + words;
    // The status is the handler's own, which may have looked and done more.
    step.commit = note(execution, mandate.findings, "", "Function " + execution.program + ": not wholly done: " + words,
                       {}, true);
  }
  step.result = std::move(result);
  return step;
}

Step FunctionProgram::planned(const Execution& execution, const changes::Mandate& mandate, Value result) {
  auto plan = parts_.door.plan_of(execution.id);
  if (!plan) return stopped(execution, plan.error());
  const auto keep = [plan = *plan, now = parts_.clock.now_ms()](store::Transaction& tx) {
    return changes::put(tx, plan, now);
  };
  const bool only_plans = execution.input["DryRun"].bool_or(false);
  if (only_plans || mandate.mode == "observe") {
    Value lines = plan->document["Changes"];
    auto verdicts = parts_.door.verdicts_of(execution.id);
    if (!verdicts) return stopped(execution, verdicts.error());
    for (std::size_t i = 0; i < lines.size(); ++i) lines.as_array()[i].set("Guards", (*verdicts)[i]);
    result.set("Plan", json::Object{{"Hash", plan->hash}, {"Changes", std::move(lines)}});
    Step step = ending(only_plans ? "planned" : "observed", std::move(result), calls_of(*plan));
    step.commit = keep;
    if (only_plans) return step;
    step.commit = [keep, tell = note(execution, mandate.findings, "",
                                     "Function " + execution.program + " would make " + calls_of(*plan) + " (plan " +
                                         plan->hash.substr(0, 12) +
                                         "), and changed nothing.")](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(keep(tx));
      return tell(tx);
    };
    return step;
  }
  if (plan->document["Changes"].size() > 0) {
    Step step = ask(execution, *plan);
    return step;
  }
  // Nothing is to be changed on the account, so nobody is asked; the run is held to that.
  changes::Mandate real = mandate;
  real.dry_run = false;
  real.plan = plan->hash;
  real.decided_by = "nobody: it plans no change of the account";
  Step step;
  step.cursor = json::Object{{"phase", "apply"}, {"round", execution.cursor["round"].int_or(0)}};
  step.note = "planned no change of the account";
  step.commit = [real, keep](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(keep(tx));
    return changes::Mandates::put(tx, real);
  };
  return step;
}

Step FunctionProgram::ask(const Execution& execution, const changes::Plan& plan) {
  auto mandate = parts_.door.mandates().find(execution.id);
  if (!mandate || !*mandate) return failed(mandate ? errors::internal("no mandate") : mandate.error());
  std::vector<std::string> accounts;
  const Value& lines = plan.document["Changes"];
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i]["Account"].is_string()) accounts.push_back(lines[i]["Account"].as_string());
  auto four_eyes = parts_.door.guards().four_eyes(**mandate, std::move(accounts));
  if (!four_eyes) return stopped(execution, four_eyes.error());
  const TimeMs wait_ms = TimeMs{options_.approval_hours} * 3'600'000;
  const std::string until = format_iso8601_ms(parts_.clock.now_ms() + wait_ms);
  const std::string why(execution.cursor["ask"].string_or(""));
  Step step;
  step.cursor = json::Object{
      {"phase", "ask"}, {"hash", plan.hash}, {"round", execution.cursor["round"].int_or(0)}, {"told", true}};
  step.note = "waits for approval of plan " + plan.hash.substr(0, 12) + " until " + until + ": " + calls_of(plan);
  step.commit = [plan, now = parts_.clock.now_ms(),
                 tell = note(execution, (*mandate)->findings, "NOTIFIED",
                             waits(execution) + "approval until " + until + ": 'fixpoint approve " + execution.id +
                                 "'. Planned: " + calls_of(plan) + " (plan " + plan.hash.substr(0, 12) + ")." +
                                 (why.empty() ? "" : " " + why))](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(changes::put(tx, plan, now));
    return tell(tx);
  };
  const std::string_view by = execution.input["By"].string_or("");
  parts_.approvals.wait(
      step, execution,
      {.plan_hash = plan.hash,
       .plan = plan.document["Changes"],
       .words = "Function " + execution.program + ": " + calls_of(plan),
       .requested_by = by.empty() && !execution.input["Decided"].bool_or(false) ? (*mandate)->rule : std::string(by),
       .wait_ms = wait_ms,
       .warn_before_ms = TimeMs{options_.approval_warning_hours} * 3'600'000,
       .four_eyes = *four_eyes});
  return step;
}

Step FunctionProgram::answered(const Execution& execution) {
  const Value& cursor = execution.cursor;
  const Value& answer = cursor["answer"];
  auto mandate = parts_.door.mandates().find(execution.id);
  if (!mandate) return stopped(execution, mandate.error());
  if (!*mandate) return failed(errors::internal("the execution has lost its mandate"));
  const Value plan = json::Object{{"Plan", json::Object{{"Hash", cursor["hash"]}}}};
  if (answer.is_null()) {
    if (auto waits = parts_.approvals.wait_on(execution)) return std::move(*waits);
    const std::string sentence = "Function " + execution.program + ": nobody approved. Nothing was changed.";
    Step step = ending("expired", plan, sentence);
    step.commit = [this, id = execution.id, tell = note(execution, (*mandate)->findings, "NOTIFIED", sentence)](
                      store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(parts_.approvals.expire(tx, id));
      return tell(tx);
    };
    return step;
  }
  const std::string by(answer["By"].string_or("somebody"));
  if (!answer["Approved"].bool_or(false)) return rejected(execution, answer, "");
  changes::Mandate approved = **mandate;
  approved.dry_run = false;
  approved.decided_by = by;
  approved.plan = cursor["hash"].string_or("");
  Step step;
  step.cursor = json::Object{{"phase", "apply"}, {"round", cursor["round"].int_or(0)}};
  step.note = "approved by " + by + " (plan " + approved.plan.substr(0, 12) + ")";
  step.commit = [approved](store::Transaction& tx) { return changes::Mandates::put(tx, approved); };
  return step;
}

Step FunctionProgram::rejected(const Execution& execution, const Value& answer, const std::string& when) {
  auto made = parts_.door.of_execution(execution.id);
  if (!made) return stopped(execution, made.error());
  auto mandate = parts_.door.mandates().find(execution.id);
  if (!mandate) return stopped(execution, mandate.error());
  if (!*mandate) return failed(errors::internal("the execution has lost its mandate"));
  const std::string calls = made_by(*made);
  const std::string reason(answer["Reason"].string_or(""));
  const std::string sentence =
      "Function " + execution.program + ": rejected by " + std::string(answer["By"].string_or("somebody")) + when +
      (reason.empty() ? "" : ", who said: " + reason) + ". " +
      (calls.empty() ? "Nothing was changed." : "Had been changed, and was not undone: " + calls + ".");
  const Value& hash = execution.cursor["hash"];
  const Value plan = hash.is_null() ? Value((*mandate)->plan) : hash;
  json::Object result;
  if (!plan.string_or("").empty()) result.set("Plan", json::Object{{"Hash", plan}});
  Step step = ending("rejected", std::move(result), sentence);
  step.commit = note(execution, (*mandate)->findings, "NOTIFIED", sentence);
  return step;
}

std::function<Result<void>(store::Transaction&)> FunctionProgram::note(const Execution& execution, Value findings,
                                                                       const std::string& status,
                                                                       const std::string& text, const std::string& over,
                                                                       bool insists) const {
  return [this, id = execution.id, findings = std::move(findings),
          note = FindingNote{status, changes::shortened(text, note_limit), over, insists}](
             store::Transaction& tx) -> Result<void> {
    for (std::size_t i = 0; i < findings.size(); ++i) FIXPOINT_CHECK(parts_.note_finding(tx, findings[i], id, note));
    return {};
  };
}

}  // namespace fixpoint::functions
