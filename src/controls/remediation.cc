#include "controls/remediation.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/arn.h"
#include "base/hash.h"
#include "changes/difference.h"
#include "controls/enumerate.h"
#include "findings/fingerprint.h"
#include "json/text.h"

namespace fixpoint::controls {
namespace {

using changes::describe_difference;
using changes::shortened;
using executions::Step;
using json::Value;

constexpr std::size_t note_limit = 512;  // characters of a note's text in Security Hub

Value calls_to_json(const std::vector<PlannedCall>& calls) {
  json::Array out;
  for (const PlannedCall& call : calls)
    out.emplace_back(json::Object{
        {"Index", call.index}, {"Service", call.service}, {"Operation", call.operation}, {"Input", call.input}});
  return out;
}

std::string names_of(const Value& calls) {
  std::string text;
  for (std::size_t i = 0; i < calls.size(); ++i)
    text += (text.empty() ? "" : ", ") + std::string(calls[i]["Service"].string_or("")) + ":" +
            std::string(calls[i]["Operation"].string_or(""));
  return text;
}

std::string step_name(const Value& cursor, std::size_t position) {
  const auto round = cursor["round"].int_or(0);
  return "change-" + (round == 0 ? "" : std::to_string(round) + ".") + std::to_string(position);
}

// A sentence that others follow: with one stop at its end, and where it is too long, cut behind a word.
std::string as_sentence(const std::string& text, std::size_t longest) {
  if (text.size() <= longest) return text.ends_with('.') ? text : text + ".";
  const std::string cut = shortened(text, longest);
  const auto blank = cut.rfind(' ');
  return blank != std::string::npos && blank > longest / 2 ? cut.substr(0, blank) + " ..." : cut;
}

}  // namespace

struct Remediation::Context {
  const executions::Execution& execution;
  const Value* cursor;  // where the step stands: the execution's, or where the step itself has got to
  std::shared_ptr<const Control> control;
  Subject subject;
  findings::FindingKey key;
  aws::CallContext call;
  ReadCall read;
};

void Remediation::step(const executions::Execution& execution, std::function<void(Step)> done) {
  Context context{.execution = execution,
                  .cursor = &execution.cursor,
                  .control = controls_.find(execution.program),
                  .subject = {},
                  .key = findings::key_of(execution.input["Finding"]),
                  .call = {},
                  .read = {}};
  context.call = {
      .account = execution.account, .region = execution.region, .execution = execution.id, .request_id = {}};
  if (!context.control)
    return done(
        failed(context, "start", errors::resource_not_found("there is no control '" + execution.program + "'")));
  const Value& finding = execution.input["Finding"];
  context.subject.finding = &finding;
  context.subject.account = execution.account;
  context.subject.region = execution.region;
  context.subject.partition = partition_of_region(execution.region);
  context.subject.arn = resource_of(finding, *context.control)["Id"].string_or("");
  auto parameters = parameters_of(*context.control, execution.input["Parameters"]);
  if (!parameters) return done(failed(context, "parameters", parameters.error()));
  context.subject.parameters = std::move(*parameters);
  context.read = [this, call = context.call](const std::string& service, const std::string& operation,
                                             const Value& input) -> Result<Value> {
    if (!door_.reads(service, operation))
      return fail(
          errors::validation(service + ":" + operation + " changes something, so a control cannot read with it"));
    return door_.call(call, "", service, operation, input);
  };
  const std::string_view phase = execution.cursor["phase"].string_or("begin");
  if (phase == "begin") return done(begin(context));
  if (phase == "ask") return done(answered(context));
  if (const Value answer = executions::Approvals::called_off(execution); !answer.is_null())
    return done(rejected(context, answer, " while it waited for its maintenance window"));
  if (auto opened = executions::Approvals::opened(execution)) return done(std::move(*opened));
  if (phase == "change") return done(change(context));
  return done(verify(context));
}

Result<changes::Mandate> Remediation::mandate_of(const Context& context) {
  const Value& input = context.execution.input;
  changes::Mandate mandate;
  mandate.execution = context.execution.id;
  mandate.kind = "control";
  mandate.program = context.control->id;
  mandate.rule = input["Rule"].string_or("");
  mandate.account = context.execution.account;
  mandate.region = context.execution.region;
  mandate.findings = json::Array{*context.subject.finding};
  mandate.resources = {context.subject.arn};
  mandate.plan = input["Plan"].string_or("");
  FIXPOINT_TRY(rules, door_.guards().settings().find(mandate.program, mandate.account));
  if (input["Decided"].bool_or(false)) {
    const std::string_view by = input["By"].string_or("");
    // Chosen by a person; with four eyes another one has to approve.
    mandate.mode = rules.four_eyes ? "ask" : "auto";
    if (!rules.four_eyes) mandate.decided_by = by.empty() ? "a custom action" : by;
  } else {
    FIXPOINT_TRY(mode, modes_.find(mandate.rule, mandate.program, mandate.account));
    mandate.mode = to_text(mode);
  }
  mandate.dry_run = input["DryRun"].bool_or(false) || mandate.mode == "observe";
  if (rules.cap_percent && context.control->list) {
    FIXPOINT_TRY(all, enumerate(*context.control, context.call, door_));
    mandate.population = static_cast<std::int64_t>(all.size());
  }
  return mandate;
}

Step Remediation::begin(const Context& context) {
  const Control& control = *context.control;
  auto mandate = mandate_of(context);
  if (!mandate) return failed(context, "mandate", mandate.error());
  // Findings name one resource as a rule; of several only one would be mended, and the finding called resolved.
  const auto named = candidates(control, context.subject);
  const auto refused = [&](const std::string& because) {
    return end(context, true, "refused", "NOTIFIED", "Control " + control.id + " did nothing: " + because,
               json::Object{{"Resource", context.subject.arn}});
  };
  if (named.size() > 1)
    return refused("the finding names " + std::to_string(named.size()) + " resources that may be meant (" + named[0] +
                   ", " + named[1] + (named.size() > 2 ? ", ..." : "") +
                   "), and a control mends one; import a finding for each.");
  const Value& finding = *context.subject.finding;
  if (const std::string other = findings::contradicted_account(finding, resource_of(finding, control)); !other.empty())
    return refused("the finding is about the account " + context.subject.account + ", and its resource " +
                   context.subject.arn + " is of the account " + other +
                   "; import it with the AwsAccountId of the resource.");
  if (const auto arn = parse_arn(context.subject.arn); arn && arn->partition != context.subject.partition)
    return refused("the resource " + context.subject.arn + " is of the partition " + arn->partition +
                   ", and calls for it would go to the region " + context.subject.region + " of the partition " +
                   context.subject.partition + "; import the finding with the Region of its resource.");
  auto exception = door_.guards().excepted(*mandate);
  if (exception && *exception) return excepted(context, **exception);
  auto assessed = assess(control, context.subject, context.read);
  if (!assessed) return failed(context, "read", assessed.error());
  // The tags of what is gone cannot be read, and need not be.
  if (!exception && !assessed->gone) return failed(context, "exceptions", exception.error());
  json::Object about{{"Resource", context.subject.arn}, {"Before", assessed->state}};
  if (assessed->gone)
    return end(
        context, true, "gone", "RESOLVED",
        "Control " + control.id + ": the resource is no more (" + assessed->gone_because + "). Nothing was changed.",
        std::move(about));
  if (assessed->compliant) {
    about.set("After", assessed->state);
    about.set("Verified", true);
    return end(context, true, "compliant", "RESOLVED",
               "Control " + control.id + ": the check passed. Nothing was changed.", std::move(about));
  }
  about.set("Calls", calls_to_json(assessed->calls));
  if (!assessed->refusals.empty())
    return end(context, true, "refused", "NOTIFIED",
               "Control " + control.id + " did nothing: " + assessed->refusals.front(), std::move(about));
  if (assessed->calls.empty())
    return end(context, false, "failed", "NOTIFIED",
               "Control " + control.id + ": the check fails, and the control has no change that would mend it.",
               std::move(about));
  const Value& cursor = *context.cursor;
  std::string asks(cursor["ask"].string_or(""));
  // A fix that something else turned back: after some of these the control asks first.
  auto failing = works_.failing(context.execution);
  if (!failing) return failed(context, "reverts", failing.error());
  if (failing->asks && mandate->mode == "auto" && mandate->decided_by.empty())
    asks = "something else keeps turning this fix back";
  Step step = go_on(context, std::move(*mandate), *assessed, std::move(asks));
  if (!failing->reverted || context.execution.input["DryRun"].bool_or(false)) return step;
  step.commit = [this, execution = context.execution, reading = *failing,
                 before = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
    if (before) FIXPOINT_CHECK(before(tx));
    return works_.record(tx, execution, reading);
  };
  return step;
}

// From a plan to its making: recorded, asked for, or made at once.
Step Remediation::go_on(const Context& context, changes::Mandate mandate, const Assessment& assessed,
                        std::string asks) {
  const Value calls = calls_to_json(assessed.calls);
  Step step;
  step.cursor =
      json::Object{{"phase", "change"},        {"calls", calls}, {"at", 0},
                   {"before", assessed.state}, {"attempt", 0},   {"round", (*context.cursor)["round"].int_or(0)}};
  if (mandate.dry_run) {
    // The door records the calls and makes none: what it recorded is the plan.
    step.cursor.set("dry", true);
    step.note = "dry run: " + names_of(calls);
    step.commit = [mandate](store::Transaction& tx) { return changes::Mandates::put(tx, mandate); };
    return step;
  }
  std::vector<changes::Call> wanted;
  for (const PlannedCall& call : assessed.calls) wanted.push_back({call.service, call.operation, call.input, {}});
  auto changes = door_.plan_all(context.call, wanted);
  if (!changes) return failed(context, "plan", changes.error());
  const changes::Plan plan = changes::make_plan(mandate, *changes);
  if (!mandate.plan.empty() && !plan.hash.starts_with(mandate.plan)) {
    asks = "plan " + mandate.plan.substr(0, 12) + " is no longer what would be done";
    const auto old =
        door_.store().read([&](store::Session& session) { return changes::find_plan(session, mandate.plan); });
    if (!old && old.error().code != "ResourceNotFoundException") return failed(context, "plan", old.error());
    if (old) asks += ": " + describe_difference(old->document["Changes"], plan.document["Changes"], 300);
  } else if (mandate.plan.empty()) {
    for (const auto& change : *changes) {
      auto person = door_.guards().wants_person(mandate, change);
      if (!person) return failed(context, "guards", person.error());
      if (*person) asks = (*person)->message;
    }
  }
  mandate.plan = plan.hash;
  if (!asks.empty()) {
    mandate.mode = "ask";
    mandate.decided_by.clear();
  }
  step.cursor.set("hash", plan.hash);
  step.commit = [mandate, plan, now = clock_.now_ms()](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(changes::Mandates::put(tx, mandate));
    return changes::put(tx, plan, now);
  };
  step.note = "planned: " + names_of(calls) + " (plan " + plan.hash.substr(0, 12) + ")";
  if (mandate.mode == "auto" || !mandate.decided_by.empty()) return step;
  step.cursor.set("plan", plan.document["Changes"]);
  return ask(context, std::move(step), names_of(calls), asks);
}

Step Remediation::ask(const Context& context, Step step, const std::string& words, const std::string& why) {
  const TimeMs until = clock_.now_ms() + TimeMs{options_.approval_hours} * 3'600'000;
  const std::string hash(step.cursor["hash"].string_or(""));
  auto rules = door_.guards().settings().find(context.control->id, context.execution.account);
  if (!rules) return failed(context, "settings", rules.error());
  step.cursor.set("phase", "ask");
  step.note = "waits for approval of plan " + hash.substr(0, 12) + " until " + format_iso8601_ms(until) + ": " + words +
              (why.empty() ? "" : "; " + why);
  auto tell = write_finding(context, "NOTIFIED",
                            "Control " + context.control->id + " waits for approval until " + format_iso8601_ms(until) +
                                ": 'fixpoint approve " + context.execution.id + "'. Planned: " + words + " (plan " +
                                hash.substr(0, 12) + ")." + (why.empty() ? "" : " " + why));
  step.commit = [before = std::move(step.commit), tell = std::move(tell)](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(before(tx));
    return tell(tx);
  };
  const std::string_view by = context.execution.input["By"].string_or("");
  approvals_.wait(step, context.execution,
                  {.plan_hash = hash,
                   .plan = step.cursor["plan"],
                   .words = "Control " + context.control->id + " on " + context.subject.arn + ": " + words,
                   .requested_by = std::string(by.empty() && !context.execution.input["Decided"].bool_or(false)
                                                   ? context.execution.input["Rule"].string_or("")
                                                   : by),
                   .wait_ms = TimeMs{options_.approval_hours} * 3'600'000,
                   .warn_before_ms = TimeMs{options_.approval_warning_hours} * 3'600'000,
                   .four_eyes = rules->four_eyes});
  return step;
}

Step Remediation::excepted(const Context& context, const changes::Exception& exception) {
  return end(context, true, "excepted", exception.suppresses ? "SUPPRESSED" : "",
             "Control " + context.control->id + " left it as it is: " + exception.sentence() + ".",
             json::Object{{"Resource", context.subject.arn}, {"Exception", changes::to_json(exception)}});
}

// Plans anew. What was made by an earlier plan stays in the journal, so the steps of the next have other names.
Step Remediation::again(const Context& context, const std::string& note, const std::string& asks) {
  Step step;
  step.cursor = json::Object{{"phase", "begin"}, {"round", (*context.cursor)["round"].int_or(0) + 1}};
  if (!asks.empty()) step.cursor.set("ask", asks);
  step.note = note + "; planned anew";
  return step;
}

Step Remediation::answered(const Context& context) {
  const Value& cursor = *context.cursor;
  const Value& answer = cursor["answer"];
  if (answer.is_null()) {
    if (auto waits = approvals_.wait_on(context.execution)) return std::move(*waits);
    Step step = end(context, true, "expired", "NOTIFIED",
                    "Control " + context.control->id + ": nobody approved until " +
                        format_iso8601_ms(cursor["until"].int_or(0)) + ". Nothing was changed.",
                    json::Object{{"Calls", cursor["calls"]}});
    step.commit = [this, id = context.execution.id,
                   finding = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(approvals_.expire(tx, id));
      return finding(tx);
    };
    return step;
  }
  const std::string by(answer["By"].string_or("somebody"));
  if (!answer["Approved"].bool_or(false)) return rejected(context, answer, "");
  // What was approved is what was planned: if the state moved since, the plan is made anew and asked for again.
  auto assessed = assess(*context.control, context.subject, context.read);
  if (!assessed) return failed(context, "read after approval", assessed.error());
  if (assessed->gone || assessed->compliant || !(calls_to_json(assessed->calls) == cursor["calls"]))
    return again(context,
                 "approved by " + by + ", but the resource is no longer what the plan saw: " +
                     describe_difference(cursor["before"], assessed->state, 300),
                 "");
  auto mandate = door_.mandates().find(context.execution.id);
  if (!mandate) return failed(context, "mandate", mandate.error());
  if (!*mandate) return failed(context, "mandate", errors::internal("the execution has lost its mandate"));
  Step step;
  step.cursor = cursor;
  step.cursor.as_object().erase("awaits");
  step.cursor.set("phase", "change");
  step.note = "approved by " + by + " (plan " + std::string(cursor["hash"].string_or("")).substr(0, 12) + ")";
  // The door holds the execution to what was approved.
  (*mandate)->decided_by = by;
  step.commit = [approved = **mandate](store::Transaction& tx) { return changes::Mandates::put(tx, approved); };
  return step;
}

Step Remediation::rejected(const Context& context, const Value& answer, const std::string& when) {
  const std::string reason(answer["Reason"].string_or(""));
  const std::string made = made_so_far(context);
  return end(context, true, "rejected", "NOTIFIED",
             "Control " + context.control->id + ": rejected by " + std::string(answer["By"].string_or("somebody")) +
                 when + (reason.empty() ? "" : ", who said: " + reason) + ". " +
                 (made.empty() ? "Nothing was changed." : made),
             json::Object{{"Calls", (*context.cursor)["calls"]}});
}

Step Remediation::change(const Context& context) {
  const Value& cursor = *context.cursor;
  const auto at = static_cast<std::size_t>(cursor["at"].int_or(0));
  const Value& call = cursor["calls"][at];
  if (call.is_null()) {
    Step step;
    step.cursor = cursor;
    step.cursor.set("phase", "verify");
    step.cursor.set("attempt", 0);
    return step;
  }
  const std::string service(call["Service"].string_or(""));
  const std::string operation(call["Operation"].string_or(""));
  // An intent that has no result is of a life that ended in the middle: it is looked at again before it is made again.
  auto journaled = door_.of_execution(context.execution.id);
  if (!journaled) return failed(context, "journal", journaled.error());
  const auto intent = std::find_if(journaled->begin(), journaled->end(), [&](const changes::Change& c) {
    return c.step == step_name(cursor, at) && c.state == "intent";
  });
  if (intent != journaled->end()) {
    auto assessed = assess(*context.control, context.subject, context.read);
    if (!assessed) return failed(context, "read after restart", assessed.error());
    const bool mended = assessed->compliant || assessed->gone;
    // A call whose own condition no longer holds has had its effect too, though others are still to be made.
    const auto index = static_cast<std::size_t>(call["Index"].int_or(0));
    const bool wanted = std::any_of(assessed->calls.begin(), assessed->calls.end(),
                                    [&](const PlannedCall& planned) { return planned.index == index; });
    auto effect = door_.took_effect(*intent);
    if (!effect) return failed(context, "read after restart", effect.error());
    const bool there = effect->value_or(mended || !wanted);
    if (there || mended || !wanted) {
      const std::string at_step = step_name(cursor, at);
      auto told = there ? door_.effect_seen(context.execution.id, at_step).map([](const Value&) {})
                        : door_.settle(context.execution.id);
      if (!told) return failed(context, "journal", told.error());
      Step step;
      step.cursor = cursor;
      step.cursor.set("at", mended ? cursor["calls"].size() : at + 1);
      step.cursor.set("attempt", 0);
      step.note = service + ":" + operation +
                  (there ? " had taken effect before, though its answer was lost"
                         : " was not made before the restart, and is wanted no more");
      return step;
    }
  }
  auto answer = door_.call(context.call, step_name(cursor, at), service, operation, call["Input"]);
  const std::vector<std::string>& done_codes =
      context.control->changes[static_cast<std::size_t>(call["Index"].int_or(0))].done;
  // An answer of success that lists what was not done is none.
  if (answer) {
    auto shortfall = door_.shortfall(service, operation, call["Input"], *answer);
    if (!shortfall) return failed(context, service + ":" + operation, shortfall.error());
    if (*shortfall && !(*shortfall)->all_of(done_codes)) answer = fail((*shortfall)->error());
  }
  if (!answer && std::find(done_codes.begin(), done_codes.end(), answer.error().code) == done_codes.end())
    return refused_by_guard(context, service + ":" + operation, answer.error());
  Step step;
  step.cursor = cursor;
  step.cursor.set("at", at + 1);
  step.cursor.set("attempt", 0);
  const char* made = cursor["dry"].bool_or(false) ? " would be made" : " made";
  std::string note = service + ":" + operation +
                     (answer ? made : " answered " + answer.error().code + ": the change is there already");
  if (at + 1 < cursor["calls"].size()) {
    step.note = std::move(note);
    return step;
  }
  // The door has stored what was made: the last change needs no commit of its own before it is verified.
  step.cursor.set("phase", "verify");
  Context changed = context;
  changed.cursor = &step.cursor;
  Step last = verify(changed);
  last.notes_before.push_back(std::move(note));
  return last;
}

// What a guard of the door refused is waited for, asked for, planned anew or ended, as the guard has it.
Step Remediation::refused_by_guard(const Context& context, const std::string& call, const Error& error) {
  const Value& cursor = *context.cursor;
  if (error.code == "PlanMoved" && cursor["round"].int_or(0) < options_.replan_attempts)
    return again(context, error.message, "");
  if (error.code == "OwnedElsewhere" || error.code == "IrreversibleChange")
    return again(context, error.message, error.message);
  if (error.code == "MaintenanceWindowClosed") {
    auto mandate = door_.mandates().find(context.execution.id);
    if (!mandate || !*mandate) return failed(context, call, error);
    auto opens = door_.guards().opens_at(**mandate);
    if (!opens) return failed(context, call, opens.error());
    const TimeMs at = *opens != 0 ? *opens : clock_.now_ms();
    const std::string by = (*mandate)->decided_by;
    const std::string hash(cursor["hash"].string_or(""));
    Step step;
    step.cursor = cursor;
    executions::Approvals::wait_for_window(step, at);
    step.note = error.message;
    step.commit =
        write_finding(context, "",
                      "Control " + context.control->id + " waits for its maintenance window, which opens at " +
                          format_iso8601_ms(at) + (by.empty() ? "" : " (decided by " + by + ")") +
                          ". Planned: " + names_of(cursor["calls"]) + " (plan " + hash.substr(0, 12) +
                          "). Until then 'fixpoint reject " + context.execution.id + "' calls it off.");
    return step;
  }
  if (error.code == "ResourceExcepted") {
    auto mandate = door_.mandates().find(context.execution.id);
    if (mandate && *mandate)
      if (auto exception = door_.guards().excepted(**mandate); exception && *exception)
        return excepted(context, **exception);
  }
  constexpr std::array<std::string_view, 9> guards{"ChangesFrozen",    "CapReached",    "ModeForbidsChange",
                                                   "NotInPlan",        "NoMandate",     "PlanMoved",
                                                   "ResourceExcepted", "SampleFinding", "OutcomeUnknown"};
  const bool stopped = std::find(guards.begin(), guards.end(), error.code) != guards.end();
  return failed(context, call, error, stopped ? "stopped" : "failed");
}

// The end of a dry run: the plan is what the door recorded, and the state is what its recipes say would be there.
Step Remediation::planned(const Context& context, const Assessment& assessed, json::Object about) {
  auto plan = door_.plan_of(context.execution.id);
  if (!plan) return failed(context, "plan", plan.error());
  auto verdicts = door_.verdicts_of(context.execution.id);
  if (!verdicts) return failed(context, "guards", verdicts.error());
  Value lines = plan->document["Changes"];
  for (std::size_t i = 0; i < lines.size(); ++i) lines.as_array()[i].set("Guards", (*verdicts)[i]);
  about.set("Plan", json::Object{{"Hash", plan->hash}, {"Changes", std::move(lines)}});
  about.set("CompliantAfterwards", assessed.compliant || assessed.gone);
  const bool observes = !context.execution.input["DryRun"].bool_or(false);
  const std::string note = "Control " + context.control->id + " would make " +
                           names_of(about.find("Calls") ? *about.find("Calls") : Value()) + " (plan " +
                           plan->hash.substr(0, 12) + "), and changed nothing. " +
                           std::string(about.find("Change")->string_or(""));
  Step step = end(context, true, observes ? "observed" : "planned", "", note, Value(std::move(about)));
  step.commit = [plan = *plan, now = clock_.now_ms(),
                 finding = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(changes::put(tx, plan, now));
    return finding ? finding(tx) : Result<void>();
  };
  return step;
}

Step Remediation::verify(const Context& context) {
  const Value& cursor = *context.cursor;
  auto assessed = assess(*context.control, context.subject, context.read);
  if (!assessed) return failed(context, "verify", assessed.error());
  json::Object about{{"Resource", context.subject.arn},
                     {"Before", cursor["before"]},
                     {"After", assessed->state},
                     {"Calls", cursor["calls"]}};
  const std::string difference = describe_difference(cursor["before"], assessed->state);
  about.set("Change", difference);
  auto dry = door_.mandates().is_dry_run(context.execution.id);
  if (!dry) return failed(context, "verify", dry.error());
  if (*dry) return planned(context, *assessed, std::move(about));
  about.set("Verified", assessed->compliant || assessed->gone);
  if (!cursor["hash"].is_null()) about.set("Plan", json::Object{{"Hash", cursor["hash"]}});
  if (assessed->compliant || assessed->gone)
    return end(
        context, true, "fixed", "RESOLVED",
        "Fixed and verified by control " + context.control->id + " (" + names_of(cursor["calls"]) + "). " + difference,
        std::move(about));
  const auto attempt = cursor["attempt"].int_or(0) + 1;
  if (attempt < options_.verify_attempts) {
    Step step;
    step.next = Step::Next::Wait;
    step.cursor = cursor;
    step.cursor.set("attempt", attempt);
    step.outcome = "verifies again";
    step.wake_ms = clock_.now_ms() + (TimeMs{500} << attempt);
    step.note = "the change does not show yet; reading again";
    return step;
  }
  return end(context, false, "not verified", "NOTIFIED",
             "Control " + context.control->id + " made " + names_of(cursor["calls"]) + ", but the check still fails. " +
                 difference,
             std::move(about));
}

Step Remediation::failed(const Context& context, const std::string& where, const Error& error,
                         const std::string& outcome) {
  const Value& cursor = *context.cursor;
  // Who only waits for his turn has not failed at anything.
  const bool waits_for_turn = error.retryable && error.retry_after_ms > 0 && error.where == before_sending;
  const auto attempt = cursor["attempt"].int_or(0) + (waits_for_turn ? 0 : 1);
  if (error.retryable && (waits_for_turn || attempt < options_.retry_attempts)) {
    Step step;
    step.next = Step::Next::Wait;
    step.cursor = cursor.is_object() ? cursor : Value(json::Object{{"phase", "begin"}});
    step.cursor.set("attempt", attempt);
    step.outcome = "tries again";
    step.wake_ms = clock_.now_ms() +
                   (waits_for_turn ? error.retry_after_ms : std::max(TimeMs{1000} << attempt, error.retry_after_ms));
    step.note = waits_for_turn ? where + " waits for its turn: " + error.message
                               : where + " failed: " + error.code + ": " + error.message + "; tries again";
    return step;
  }
  const std::string made = made_so_far(context);
  return end(context, false, outcome, "NOTIFIED",
             "Control " + context.execution.program + " " + outcome + " at " + where + ": " + error.code + ": " +
                 as_sentence(error.message, 200) + " " + (made.empty() ? "Nothing had been changed." : made),
             json::Object{{"Error", error.code}, {"Message", error.message}, {"At", where}});
}

// In sentences; empty where nothing was changed.
std::string Remediation::made_so_far(const Context& context) {
  std::string made;
  std::string unknown;
  if (auto journaled = door_.of_execution(context.execution.id)) {
    for (const auto& change : *journaled) {
      std::string& list = change.made() ? made : unknown;
      if (change.made() || change.state == "intent")
        list += (list.empty() ? "" : ", ") + change.service + ":" + change.operation;
    }
  }
  return (made.empty() ? "" : "Had been changed, and was not undone: " + made + ".") +
         (made.empty() || unknown.empty() ? "" : " ") +
         (unknown.empty() ? "" : "Nobody knows whether it took effect: " + unknown + ".");
}

Step Remediation::end(const Context& context, bool succeeded, const std::string& outcome, const std::string& status,
                      const std::string& note, Value more) {
  Step step;
  step.next = succeeded ? Step::Next::Succeeded : Step::Next::Failed;
  step.cursor = json::Object{{"phase", "ended"}};
  step.outcome = outcome;
  step.result = json::Object{{"Control", context.control ? context.control->id : context.execution.program},
                             {"Note", shortened(note, note_limit)}};
  for (const auto& member : more.as_object()) step.result.set(member.key, member.value);
  step.note = outcome + ": " + shortened(note, note_limit);
  // A dry run that was asked for writes nothing, whatever it found.
  if (!context.execution.input["DryRun"].bool_or(false)) step.commit = write_finding(context, status, note);
  return step;
}

// An empty status leaves the finding's as it is.
std::function<Result<void>(store::Transaction&)> Remediation::write_finding(const Context& context,
                                                                            const std::string& status,
                                                                            const std::string& note) {
  const std::string& id = context.execution.id;
  findings::MakeUpdate make = [id, status, text = shortened(note, note_limit),
                               author = options_.note_author](const Value& finding) -> Value {
    Value fields = finding["UserDefinedFields"];
    fields.set("fixpoint:execution", id);
    json::Object update{{"UserDefinedFields", std::move(fields)}};
    // What a person noted stands where the finding stays as it is.
    const std::string_view noted = finding["Note"]["UpdatedBy"].string_or("");
    if (!status.empty() || noted.empty() || noted == author)
      update.set("Note", json::Object{{"Text", text}, {"UpdatedBy", author}});
    if (!status.empty()) update.set("Workflow", json::Object{{"Status", status}});
    return update;
  };
  const auto tell = status.empty() ? UpdateFinding::Tell::Nobody : UpdateFinding::Tell::Bus;
  // Its own finding and those of other standards, tools and accounts that have named the same work are worked out here,
  // on the step's thread; who joins in after that is found in the transaction, which may not read the store anew.
  std::map<findings::FindingKey, std::function<Result<void>(store::Transaction&)>> ahead;
  if (!context.key.id.empty()) ahead.emplace(context.key, update_.prepare(context.key, id, make, tell));
  if (const auto attached = works_.attached(id)) {
    for (const auto& item : *attached) {
      findings::FindingKey other{item.product_arn, item.id};
      if (!ahead.contains(other)) ahead.emplace(other, update_.prepare(other, id, make, tell));
    }
  }
  return [this, id, ahead = std::move(ahead), make = std::move(make), tell](store::Transaction& tx) -> Result<void> {
    const auto written = [](const Result<void>& done) -> Result<void> {
      // It was about a finding that this server does not hold.
      if (!done && done.error().code == "ResourceNotFoundException") return {};
      return done;
    };
    for (const auto& [key, write] : ahead) FIXPOINT_CHECK(written(write(tx)));
    FIXPOINT_TRY(attached, executions::Works::attached(tx, id));
    for (auto& item : attached) {
      const findings::FindingKey other{std::move(item.product_arn), std::move(item.id)};
      if (!ahead.contains(other)) FIXPOINT_CHECK(written(update_.write(tx, other, id, make, tell)));
    }
    return {};
  };
}

}  // namespace fixpoint::controls
