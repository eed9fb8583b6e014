#include "controls/undo.h"

#include <algorithm>
#include <set>

#include "changes/difference.h"
#include "changes/inverse.h"
#include "executions/work.h"
#include "findings/asff.h"

namespace fixpoint::controls {
namespace {

using changes::Change;
using executions::Execution;
using executions::Step;
using json::Value;

constexpr std::size_t note_limit = 512;     // characters of a note's text in Security Hub
constexpr std::size_t message_limit = 200;  // of an error's that others follow

Value or_null(const std::optional<Value>& value) {
  return value ? *value : Value();
}

std::string step_name(const Value& cursor) {
  return "undo-" + std::to_string(cursor["round"].int_or(0)) + "." + std::to_string(cursor["at"].int_or(0));
}

std::string names_of(const json::Array& calls) {
  std::string names;
  for (const Value& call : calls) names += (names.empty() ? "" : ", ") + std::string(call.string_or(""));
  return names;
}

}  // namespace

// What there is to take back, the last change first.
struct Undo::Look {
  changes::Mandate mandate;  ///< of the execution to take back
  std::vector<changes::Call> calls;
  std::vector<std::string> asks;  ///< why a person has to look at it first
  json::Array states;
  std::size_t restored = 0;  ///< changes whose state from before is there already
  std::size_t impossible = 0;
  std::size_t changes = 0;
};

Result<Undo::Look> Undo::look(const Execution& execution, const std::string& target) {
  Look out;
  FIXPOINT_TRY(mandate, door_.mandates().find(target));
  // Of an answer that was lost the account may know what became of the call, and what it made.
  FIXPOINT_CHECK(door_.settle(target));
  FIXPOINT_TRY(made, door_.of_execution(target));
  std::erase_if(made, [](const Change& change) { return !change.made() && change.state != "intent"; });
  if (mandate) out.mandate = *mandate;
  std::vector<const Change*> undone;
  for (auto change = made.rbegin(); change != made.rend(); ++change) {
    ++out.changes;
    json::Object line{{"Call", change->call()}, {"Input", change->input}, {"Region", change->region}};
    if (change->account != execution.account) line.set("Account", change->account);
    const auto finds = [&](const std::string& what) { line.set("Finds", what); };
    const changes::Recipe* recipe = door_.recipes().find(change->service, change->operation);
    const aws::CallContext context{change->account, change->region, target, {}};
    auto calls =
        recipe == nullptr
            ? Result<std::vector<changes::Call>>(fail(errors::validation("no recipe says how to take it back")))
            : changes::inverse(*recipe, {context, change->input, change->before ? &*change->before : nullptr,
                                         change->output ? &*change->output : nullptr});
    if (!calls) {
      ++out.impossible;
      finds("CANNOT BE UNDONE: " + calls.error().message);
      out.asks.push_back(change->call() + " CANNOT BE UNDONE");
      out.states.emplace_back(std::move(line));
      continue;
    }
    if (change->before_read) {
      FIXPOINT_TRY(now, door_.state_now(*change));
      line.set("Before", or_null(change->before));
      if (change->left_read) line.set("Left", or_null(change->left));
      line.set("Now", or_null(now));
      auto as_before = changes::same_state(*recipe, or_null(now), or_null(change->before));
      if (!as_before) return fail(std::move(as_before.error()));
      auto as_left = changes::same_state(*recipe, or_null(now), or_null(change->left));
      if (!as_left) return fail(std::move(as_left.error()));
      const bool covered = std::any_of(undone.begin(), undone.end(), [&](const Change* later) {
        return changes::follows(door_.recipes(), *change, *later);
      });
      if (covered) {
        finds("as it was left, once the later change is taken back");
      } else if (*as_before) {
        ++out.restored;
        finds("as it was before: nothing to do");
        out.states.emplace_back(std::move(line));
        continue;
      } else if (change->left_read && *as_left) {
        finds("as it was left");
      } else {
        finds(change->left_read ? "moved since: " + changes::describe_difference(or_null(change->left), or_null(now))
                                : "not known: what it left was not read");
        out.asks.push_back(change->call() + ": what the execution left is no longer what is there");
      }
    } else {
      finds("not known: no state is read of it");
    }
    if (change->state == "intent") out.asks.push_back(change->call() + ": nobody knows whether it took effect");
    undone.push_back(&*change);
    for (auto& call : *calls) {
      call.region = change->region;
      call.account = change->account;
      out.calls.push_back(std::move(call));
    }
    out.states.emplace_back(std::move(line));
  }
  return out;
}

executions::Start Undo::start_of(const Execution& target, const std::string& name, const std::string& by) {
  return {.name = name,
          .kind = "undo",
          .program = target.program,
          .account = target.account,
          .region = target.region,
          .subject = target.subject,
          .input = json::Object{{"Execution", target.id}, {"Resource", target.result["Resource"]}, {"By", by}},
          .work = target.work,
          // The finding that becomes NEW by it does not start the same program again.
          .cause = target.kind == "undo" ? target.cause : target.id};
}

void Undo::step(const Execution& execution, std::function<void(Step)> done) {
  if (const Value answer = executions::Approvals::called_off(execution); !answer.is_null())
    return done(rejected(execution, answer, " while it waited for its maintenance window"));
  if (auto opened = executions::Approvals::opened(execution)) return done(std::move(*opened));
  const std::string_view phase = execution.cursor["phase"].string_or("begin");
  if (phase == "begin") return done(begin(execution));
  if (phase == "ask") return done(answered(execution));
  if (phase == "change") return done(change(execution));
  done(verify(execution));
}

Step Undo::begin(const Execution& execution) {
  const std::string target(execution.input["Execution"].string_or(""));
  auto found = look(execution, target);
  if (!found) return failed(execution, "look", found.error());
  json::Object about{{"States", found->states}};
  if (found->changes == 0)
    return end(execution, true, "nothing to undo", "Execution " + target + " changed nothing.", std::move(about));
  if (found->calls.empty() && found->restored == 0)
    return end_short(execution, false, "cannot be undone",
                     "Nothing of execution " + target +
                         " can be undone: " + std::string(found->states[0]["Call"].string_or("")) + " " +
                         std::string(found->states[0]["Finds"].string_or("")),
                     "", std::move(about));
  const std::string by(execution.input["By"].string_or("somebody"));
  changes::Mandate mandate = found->mandate;
  mandate.execution = execution.id;
  mandate.kind = "undo";
  if (mandate.program.empty()) mandate.program = execution.program;
  mandate.account = execution.account;
  mandate.region = execution.region;
  mandate.rule.clear();
  mandate.mode = "auto";
  mandate.decided_by = by;
  mandate.dry_run = false;
  auto planned = door_.plan_all({execution.account, execution.region, execution.id, {}}, found->calls);
  if (!planned) return failed(execution, "plan", planned.error());
  const changes::Plan plan = changes::make_plan(mandate, *planned);
  mandate.plan = plan.hash;
  std::vector<std::string> accounts;
  for (const auto& call : found->calls) accounts.push_back(call.account);
  auto four_eyes = door_.guards().four_eyes(mandate, std::move(accounts));
  if (!four_eyes) return failed(execution, "settings", four_eyes.error());
  if (*four_eyes && !found->calls.empty()) found->asks.emplace_back("four eyes: a second person has to approve it");
  json::Array calls;
  for (const auto& call : found->calls)
    calls.emplace_back(json::Object{{"Service", call.service},
                                    {"Operation", call.operation},
                                    {"Input", call.input},
                                    {"Region", call.region},
                                    {"Account", call.account},
                                    {"Done", json::Array(call.done.begin(), call.done.end())}});
  Step step;
  step.cursor = json::Object{{"phase", "change"},
                             {"calls", std::move(calls)},
                             {"at", 0},
                             {"attempt", 0},
                             {"hash", plan.hash},
                             {"states", found->states},
                             {"round", execution.cursor["round"].int_or(0)}};
  std::string names;
  for (const auto& call : found->calls) names += (names.empty() ? "" : ", ") + call.service + ":" + call.operation;
  step.note = "planned: " + (names.empty() ? "nothing" : names) + " (plan " + plan.hash.substr(0, 12) + ")";
  if (!found->asks.empty()) mandate.decided_by.clear(), mandate.mode = "ask";
  step.commit = [mandate, plan, now = clock_.now_ms()](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(changes::Mandates::put(tx, mandate));
    return changes::put(tx, plan, now);
  };
  if (found->asks.empty()) return step;
  std::string why;
  for (const auto& one : found->asks) why += (why.empty() ? "" : "; ") + one;
  step.cursor.set("phase", "ask");
  step.note = "asks before it takes anything back: " + why;
  approvals_.wait(step, execution,
                  {.plan_hash = plan.hash,
                   .plan = json::Object{{"Changes", plan.document["Changes"]}, {"States", found->states}},
                   .words = "Undo of execution " + target + ": " + why,
                   .requested_by = by,
                   .wait_ms = TimeMs{options_.approval_hours} * 3'600'000,
                   .warn_before_ms = TimeMs{options_.approval_warning_hours} * 3'600'000,
                   .four_eyes = *four_eyes});
  return step;
}

Step Undo::answered(const Execution& execution) {
  const Value& answer = execution.cursor["answer"];
  if (answer.is_null()) {
    if (auto waits = approvals_.wait_on(execution)) return std::move(*waits);
    Step step = end_short(
        execution, true, "expired",
        "Nobody approved the undo of execution " + std::string(execution.input["Execution"].string_or("")) + ".",
        "Nothing was taken back.", json::Object());
    step.commit = [this, id = execution.id, write = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(approvals_.expire(tx, id));
      return write ? write(tx) : Result<void>();
    };
    return step;
  }
  const std::string by(answer["By"].string_or("somebody"));
  if (!answer["Approved"].bool_or(false)) return rejected(execution, answer, "");
  auto mandate = door_.mandates().find(execution.id);
  if (!mandate) return failed(execution, "mandate", mandate.error());
  if (!*mandate) return failed(execution, "mandate", errors::internal("the execution has lost its mandate"));
  (*mandate)->decided_by = by;
  Step step;
  step.cursor = execution.cursor;
  step.cursor.as_object().erase("awaits");
  step.cursor.set("phase", "change");
  step.note = "approved by " + by;
  step.commit = [approved = **mandate](store::Transaction& tx) { return changes::Mandates::put(tx, approved); };
  return step;
}

Step Undo::rejected(const Execution& execution, const Value& answer, const std::string& when) {
  const std::string reason(answer["Reason"].string_or(""));
  return end_short(execution, true, "rejected",
                   "The undo of execution " + std::string(execution.input["Execution"].string_or("")) +
                       " was rejected by " + std::string(answer["By"].string_or("somebody")) + when +
                       (reason.empty() ? "." : ", who said: " + changes::shortened(reason, message_limit) + "."),
                   "Nothing was taken back.", json::Object());
}

Step Undo::change(const Execution& execution) {
  const Value& cursor = execution.cursor;
  const auto at = static_cast<std::size_t>(cursor["at"].int_or(0));
  const Value& call = cursor["calls"][at];
  Step step;
  step.cursor = cursor;
  step.cursor.set("attempt", 0);
  if (call.is_null()) {
    step.cursor.set("phase", "verify");
    return step;
  }
  const std::string name =
      std::string(call["Service"].string_or("")) + ":" + std::string(call["Operation"].string_or(""));
  const std::string account(call["Account"].string_or(""));
  if (account.empty())
    return failed(execution, name,
                  errors::coded("PlanMoved", "the plan does not say in which account " + name + " is made", 409));
  step.cursor.set("at", at + 1);
  // An intent of a life that ended in the middle is looked at before it is made again.
  auto journaled = door_.of_execution(execution.id);
  if (!journaled) return failed(execution, name, journaled.error());
  const auto intent = std::find_if(journaled->begin(), journaled->end(), [&](const Change& one) {
    return one.step == step_name(cursor) && one.state == "intent";
  });
  if (intent != journaled->end()) {
    auto had = door_.took_effect(*intent);
    if (!had) return failed(execution, name, had.error());
    if (had->value_or(false)) {
      if (auto seen = door_.effect_seen(execution.id, intent->step); !seen)
        return failed(execution, name, seen.error());
      step.note = name + " had taken effect before, though its answer was lost";
      return step;
    }
  }
  auto answer = door_.call({account, std::string(call["Region"].string_or("")), execution.id, {}}, step_name(cursor),
                           call["Service"].string_or(""), call["Operation"].string_or(""), call["Input"]);
  std::vector<std::string> done;
  for (std::size_t i = 0; i < call["Done"].size(); ++i) done.emplace_back(call["Done"][i].string_or(""));
  if (answer) {
    auto shortfall =
        door_.shortfall(call["Service"].string_or(""), call["Operation"].string_or(""), call["Input"], *answer);
    if (!shortfall) return failed(execution, name, shortfall.error());
    if (*shortfall && !(*shortfall)->all_of(done)) return failed(execution, name, (*shortfall)->error());
  }
  if (!answer) {
    if (std::find(done.begin(), done.end(), answer.error().code) == done.end())
      return failed(execution, name, answer.error());
    step.note = name + " answered " + answer.error().code + ": it is taken back already";
    return step;
  }
  step.note = name + " made";
  return step;
}

Step Undo::verify(const Execution& execution) {
  const Value& cursor = execution.cursor;
  const std::string target(execution.input["Execution"].string_or(""));
  auto made = door_.of_execution(target);
  if (!made) return failed(execution, "verify", made.error());
  std::erase_if(*made, [](const Change& change) { return !change.made() && change.state != "intent"; });
  std::string difference;
  std::string wrong;
  for (std::size_t i = 0; i < made->size(); ++i) {
    const Change& change = (*made)[i];
    // Of several changes of one state the first has the state to come back to.
    const bool later = std::any_of(made->begin(), made->begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const Change& one) { return changes::follows(door_.recipes(), one, change); });
    if (!change.before_read || change.irreversible() || later) continue;
    if (door_.recipes().find(change.service, change.operation) == nullptr) continue;
    auto now = door_.state_now(change);
    if (!now) return failed(execution, "verify " + change.call(), now.error());
    auto same = changes::same_state(*door_.recipes().find(change.service, change.operation), or_null(*now),
                                    or_null(change.before));
    if (!same) return failed(execution, "verify " + change.call(), same.error());
    if (!*same)
      wrong += (wrong.empty() ? "" : "; ") + change.call() + ": " +
               changes::describe_difference(or_null(change.before), or_null(*now), 200);
    const std::string back = changes::describe_difference(or_null(change.left), or_null(*now), 200);
    difference += (difference.empty() || back.empty() ? "" : "; ") + back;
  }
  const auto attempt = cursor["attempt"].int_or(0) + 1;
  if (!wrong.empty() && attempt < options_.verify_attempts) {
    Step step;
    step.next = Step::Next::Wait;
    step.cursor = cursor;
    step.cursor.set("attempt", attempt);
    step.outcome = "verifies again";
    step.wake_ms = clock_.now_ms() + (TimeMs{500} << attempt);
    step.note = "the state from before does not show yet; reading again";
    return step;
  }
  auto journaled = door_.of_execution(execution.id);
  if (!journaled) return failed(execution, "journal", journaled.error());
  const bool changed = std::any_of(journaled->begin(), journaled->end(),
                                   [](const Change& one) { return one.made() || one.state == "intent"; });
  json::Object about{{"States", cursor["states"]},
                     {"Plan", json::Object{{"Hash", cursor["hash"]}}},
                     {"Change", changed ? difference : std::string()},
                     {"Verified", wrong.empty()}};
  if (!wrong.empty())
    return end_short(execution, false, "not verified",
                     "The undo of execution " + target + " ended, and the state is not the one from before: " +
                         changes::shortened(wrong, message_limit) + ".",
                     "No call was made.", std::move(about));
  const std::string by(execution.input["By"].string_or("somebody"));
  const std::string note =
      changed ? "Undone by " + by + ": what execution " + target + " changed is as it was before. " + difference
              : "Undone by " + by + " without a change: what execution " + target +
                    " changed was as it had been before already.";
  Step step = end(execution, true, "undone", note, std::move(about));
  step.commit = [this, execution, note = std::string(step.result["Note"].string_or(""))](
                    store::Transaction& tx) -> Result<void> { return write_findings(tx, execution, "NEW", note); };
  return step;
}

Step Undo::failed(const Execution& execution, const std::string& where, const Error& error) {
  const Value& cursor = execution.cursor;
  const auto attempt = cursor["attempt"].int_or(0) + 1;
  Step step;
  step.next = Step::Next::Wait;
  step.cursor = cursor.is_object() ? cursor : Value(json::Object{{"phase", "begin"}});
  if (error.code == "MaintenanceWindowClosed") {
    const std::string call_account(
        cursor["calls"][static_cast<std::size_t>(cursor["at"].int_or(0))]["Account"].string_or(execution.account));
    if (auto mandate = door_.mandates().find(execution.id); mandate && *mandate)
      if (auto opens = door_.guards().opens_at(**mandate, call_account)) {
        executions::Approvals::wait_for_window(step, *opens != 0 ? *opens : clock_.now_ms());
        step.note = error.message;
        return step;
      }
  }
  const auto round = cursor["round"].int_or(0);
  if (error.code == "PlanMoved" && round < options_.replan_attempts) {
    step.next = Step::Next::Again;
    step.cursor = json::Object{{"phase", "begin"}, {"round", round + 1}};
    step.note = error.message + "; planned anew";
    return step;
  }
  if (error.retryable && attempt < options_.retry_attempts) {
    step.cursor.set("attempt", attempt);
    step.outcome = "tries again";
    step.wake_ms = clock_.now_ms() + (TimeMs{1000} << attempt);
    step.note = where + " failed: " + error.code + ": " + error.message + "; tries again";
    return step;
  }
  const bool guarded = error.http_status == 403 && (error.code == "ChangesFrozen" || error.code == "CapReached" ||
                                                    error.code == "ModeForbidsChange" || error.code == "NoMandate");
  const std::string said = changes::shortened(error.message, message_limit);
  return end_short(
      execution, false, guarded ? "stopped" : "failed",
      "The undo of execution " + std::string(execution.input["Execution"].string_or("")) + " stopped at " + where +
          ": " + error.code + ": " + said + (said.ends_with('.') ? "" : "."),
      "Nothing was taken back.",
      json::Object{{"Error", error.code}, {"Message", error.message}, {"At", where}, {"States", cursor["states"]}});
}

// An end that is not "undone": what had been taken back all the same is said, on the findings as well.
Step Undo::end_short(const Execution& execution, bool succeeded, const std::string& outcome,
                     const std::string& sentence, const std::string& otherwise, Value more) {
  const auto read = [&] { return door_.of_execution(execution.id); };
  auto journaled = read();
  const auto unsure = [](const Change& change) { return change.state == "intent"; };
  if (journaled && std::any_of(journaled->begin(), journaled->end(), unsure) && door_.settle(execution.id))
    journaled = read();
  json::Array made;
  json::Array unknown;
  if (journaled) {
    for (const Change& change : *journaled) {
      if (change.made()) made.emplace_back(change.call());
      if (unsure(change)) unknown.emplace_back(change.call());
    }
  } else {
    unknown.emplace_back("its journal cannot be read: " + journaled.error().message);
  }
  std::string note = sentence;
  if (!made.empty()) note += " Had been taken back: " + names_of(made) + ".";
  if (!unknown.empty()) note += " Nobody knows whether it took effect: " + names_of(unknown) + ".";
  const bool took_back = !made.empty() || !unknown.empty();
  if (!took_back && !otherwise.empty()) note += " " + otherwise;
  more.set("TakenBack", std::move(made));
  more.set("Unknown", std::move(unknown));
  Step step = end(execution, succeeded, outcome, note, std::move(more));
  if (took_back)
    step.commit = [this, execution, text = std::string(step.result["Note"].string_or(""))](store::Transaction& tx) {
      return write_findings(tx, execution, "NOTIFIED", text);
    };
  return step;
}

// On each finding that what was done first was written on: its own, and those of the same work that were attached.
Result<void> Undo::write_findings(store::Transaction& tx, const Execution& execution, const std::string& status,
                                  const std::string& note) {
  FIXPOINT_TRY(first, executions::Works::origin(tx, execution.id));
  FIXPOINT_TRY(mandate, changes::Mandates::find(tx, execution.id));
  std::set<findings::FindingKey> written;
  const auto write = [&](const Value& finding) -> Result<void> {
    if (!written.insert(findings::key_of(finding)).second) return {};
    return note_(tx, finding, execution.id, status, note);
  };
  if (mandate)
    for (std::size_t i = 0; i < mandate->findings.size(); ++i) FIXPOINT_CHECK(write(mandate->findings[i]));
  FIXPOINT_TRY(attached, executions::Works::attached(tx, first.execution));
  for (const auto& item : attached)
    FIXPOINT_CHECK(write(json::Object{{"ProductArn", item.product_arn}, {"Id", item.id}}));
  return {};
}

Step Undo::end(const Execution& execution, bool succeeded, const std::string& outcome, const std::string& note,
               Value more) {
  Step step;
  step.next = succeeded ? Step::Next::Succeeded : Step::Next::Failed;
  step.cursor = json::Object{{"phase", "ended"}};
  step.outcome = outcome;
  step.result =
      json::Object{{"Execution", execution.input["Execution"]}, {"Note", changes::shortened(note, note_limit)}};
  for (const auto& member : more.as_object()) step.result.set(member.key, member.value);
  step.note = outcome + ": " + changes::shortened(note, note_limit);
  return step;
}

}  // namespace fixpoint::controls
