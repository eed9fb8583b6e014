#include "controls/remediation.h"

#include <algorithm>

#include "base/arn.h"
#include "base/hash.h"
#include "controls/difference.h"
#include "json/text.h"

namespace fixpoint::controls {
namespace {

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

std::string step_name(std::size_t position) {
  return "change-" + std::to_string(position);
}

}  // namespace

struct Remediation::Context {
  const executions::Execution& execution;
  std::shared_ptr<const Control> control;
  Subject subject;
  findings::FindingKey key;
  aws::CallContext call;
  ReadCall read;
};

void Remediation::step(const executions::Execution& execution, std::function<void(Step)> done) {
  Context context{.execution = execution,
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
  context.subject.finding = finding;
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
  if (phase == "change") return done(change(context));
  return done(verify(context));
}

Step Remediation::begin(const Context& context) {
  const Control& control = *context.control;
  auto assessed = assess(control, context.subject, context.read);
  if (!assessed) return failed(context, "read", assessed.error());
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
  const Value calls = calls_to_json(assessed->calls);
  about.set("Calls", calls);
  if (!assessed->refusals.empty())
    return end(context, true, "refused", "NOTIFIED",
               "Control " + control.id + " did nothing: " + assessed->refusals.front(), std::move(about));
  if (assessed->calls.empty())
    return end(context, false, "failed", "NOTIFIED",
               "Control " + control.id + ": the check fails, and the control has no change that would mend it.",
               std::move(about));

  // A fix that something else turned back: after some of these the control asks first.
  auto failing = works_.failing(context.execution);
  if (!failing) return failed(context, "reverts", failing.error());
  const auto recorded = [&](Step step) {
    if (!failing->reverted) return step;
    step.commit = [this, execution = context.execution, reading = *failing,
                   before = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
      if (before) FIXPOINT_CHECK(before(tx));
      return works_.record(tx, execution, reading);
    };
    return step;
  };
  const bool decided = context.execution.input["Decided"].bool_or(false);
  Mode mode = Mode::Auto;
  if (!decided) {
    auto found =
        modes_.find(std::string(context.execution.input["Rule"].string_or("")), control.id, context.execution.account);
    if (!found) return failed(context, "mode", found.error());
    mode = failing->asks && *found == Mode::Auto ? Mode::Ask : *found;
  }
  // The plan says of each call what it would overwrite and whether it could be taken back.
  json::Array plan;
  for (const PlannedCall& call : assessed->calls) {
    auto planned = door_.plan(context.call, call.service, call.operation, call.input);
    if (!planned) return failed(context, "plan " + call.service + ":" + call.operation, planned.error());
    json::Object line{{"Call", call.service + ":" + call.operation}, {"Input", call.input}, {"Undo", planned->undo}};
    if (planned->before_read) line.set("Before", planned->before ? *planned->before : Value());
    plan.emplace_back(std::move(line));
  }
  about.set("Plan", plan);
  if (mode == Mode::Observe)
    return recorded(end(context, true, "observed", "", "Control " + control.id + " would make " + names_of(calls) + ".",
                        std::move(about)));

  Step step;
  step.cursor =
      json::Object{{"phase", "change"}, {"calls", calls}, {"at", 0}, {"before", assessed->state}, {"attempt", 0}};
  if (mode == Mode::Auto) {
    step.note = "planned: " + names_of(calls);
    return recorded(std::move(step));
  }
  const TimeMs until = clock_.now_ms() + TimeMs{options_.approval_hours} * 3'600'000;
  step.cursor.set("phase", "ask");
  step.cursor.set("plan", plan);
  step.note = "waits for approval until " + format_iso8601_ms(until) + ": " + names_of(calls);
  step.commit =
      write_finding(context, "NOTIFIED",
                    "Control " + control.id + " waits for approval until " + format_iso8601_ms(until) +
                        ": 'fixpoint approve " + context.execution.id + "'. Planned: " + names_of(calls) + ".");
  const std::string_view by = context.execution.input["By"].string_or("");
  approvals_.wait(step, context.execution,
                  {.plan_hash = sha256_hex(json::print(
                       json::Object{{"Control", control.id}, {"Resource", context.subject.arn}, {"Plan", plan}})),
                   .plan = plan,
                   .words = "Control " + control.id + " on " + context.subject.arn + ": " + names_of(calls),
                   .requested_by = std::string(by.empty() ? context.execution.input["Rule"].string_or("") : by),
                   .wait_ms = TimeMs{options_.approval_hours} * 3'600'000,
                   .warn_before_ms = TimeMs{options_.approval_warning_hours} * 3'600'000});
  return recorded(std::move(step));
}

Step Remediation::answered(const Context& context) {
  const Value& cursor = context.execution.cursor;
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
  if (!answer["Approved"].bool_or(false))
    return end(
        context, true, "rejected", "NOTIFIED",
        "Control " + context.control->id + ": rejected by " + by +
            (answer["Reason"].string_or("").empty() ? ""
                                                    : ", who said: " + std::string(answer["Reason"].string_or(""))) +
            ". Nothing was changed.",
        json::Object{{"Calls", cursor["calls"]}});
  // What was approved is what was planned: if the state moved since, the plan is made anew and asked for again.
  auto assessed = assess(*context.control, context.subject, context.read);
  if (!assessed) return failed(context, "read after approval", assessed.error());
  if (assessed->gone || assessed->compliant || !(calls_to_json(assessed->calls) == cursor["calls"])) {
    Step step;
    step.cursor = Value();
    step.note = "approved by " + by + ", but the resource is no longer what the plan saw; planned anew";
    return step;
  }
  Step step;
  step.cursor = cursor;
  step.cursor.as_object().erase("awaits");
  step.cursor.set("phase", "change");
  step.note = "approved by " + by;
  return step;
}

Step Remediation::change(const Context& context) {
  const Value& cursor = context.execution.cursor;
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
    return c.step == step_name(at) && c.state == "intent";
  });
  if (intent != journaled->end()) {
    auto assessed = assess(*context.control, context.subject, context.read);
    if (!assessed) return failed(context, "read after restart", assessed.error());
    const bool mended = assessed->compliant || assessed->gone;
    // A call whose own condition no longer holds has had its effect too, though others are still to be made.
    const auto index = static_cast<std::size_t>(call["Index"].int_or(0));
    const bool wanted = std::any_of(assessed->calls.begin(), assessed->calls.end(),
                                    [&](const PlannedCall& planned) { return planned.index == index; });
    if (mended || !wanted) {
      if (auto seen = door_.effect_seen(context.execution.id, step_name(at)); !seen)
        return failed(context, "journal", seen.error());
      Step step;
      step.cursor = cursor;
      step.cursor.set("at", mended ? cursor["calls"].size() : at + 1);
      step.cursor.set("attempt", 0);
      step.note = service + ":" + operation + " had taken effect before, though its answer was lost";
      return step;
    }
  }
  auto answer = door_.call(context.call, step_name(at), service, operation, call["Input"]);
  const std::vector<std::string>& done_codes =
      context.control->changes[static_cast<std::size_t>(call["Index"].int_or(0))].done;
  if (!answer && std::find(done_codes.begin(), done_codes.end(), answer.error().code) == done_codes.end())
    return failed(context, service + ":" + operation, answer.error());
  Step step;
  step.cursor = cursor;
  step.cursor.set("at", at + 1);
  step.cursor.set("attempt", 0);
  step.note = service + ":" + operation +
              (answer ? " made" : " answered " + answer.error().code + ": the change is there already");
  return step;
}

Step Remediation::verify(const Context& context) {
  const Value& cursor = context.execution.cursor;
  auto assessed = assess(*context.control, context.subject, context.read);
  if (!assessed) return failed(context, "verify", assessed.error());
  json::Object about{{"Resource", context.subject.arn},
                     {"Before", cursor["before"]},
                     {"After", assessed->state},
                     {"Calls", cursor["calls"]}};
  const std::string difference = describe_difference(cursor["before"], assessed->state);
  about.set("Change", difference);
  about.set("Verified", assessed->compliant || assessed->gone);
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

Step Remediation::failed(const Context& context, const std::string& where, const Error& error) {
  const Value& cursor = context.execution.cursor;
  const auto attempt = cursor["attempt"].int_or(0) + 1;
  if (error.retryable && attempt < options_.retry_attempts) {
    Step step;
    step.next = Step::Next::Wait;
    step.cursor = cursor.is_object() ? cursor : Value(json::Object{{"phase", "begin"}});
    step.cursor.set("attempt", attempt);
    step.outcome = "tries again";
    step.wake_ms = clock_.now_ms() + (TimeMs{1000} << attempt);
    step.note = where + " failed: " + error.code + ": " + error.message + "; tries again";
    return step;
  }
  std::string made;
  std::string unknown;
  if (auto journaled = door_.of_execution(context.execution.id)) {
    for (const auto& change : *journaled) {
      std::string& list = change.state == "done" ? made : unknown;
      if (change.state != "failed") list += (list.empty() ? "" : ", ") + change.service + ":" + change.operation;
    }
  }
  return end(
      context, false, "failed", "NOTIFIED",
      "Control " + context.execution.program + " failed at " + where + ": " + error.code + ": " +
          shortened(error.message, 200) + ". " +
          (!made.empty()     ? "Had been changed, and was not undone: " + made + "."
           : unknown.empty() ? "Nothing had been changed."
                             : "") +
          (unknown.empty() ? ""
                           : (made.empty() ? "" : " ") + ("Nobody knows whether it took effect: " + unknown + ".")),
      json::Object{{"Error", error.code}, {"Message", error.message}, {"At", where}});
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
  if (!status.empty()) step.commit = write_finding(context, status, note);
  return step;
}

std::function<Result<void>(store::Transaction&)> Remediation::write_finding(const Context& context,
                                                                            const std::string& status,
                                                                            const std::string& note) {
  return [this, own = context.key, status, text = shortened(note, note_limit),
          id = context.execution.id](store::Transaction& tx) -> Result<void> {
    std::vector<findings::FindingKey> keys;
    if (!own.id.empty()) keys.push_back(own);
    // Those of other standards, tools and accounts that named the same work while it was under way.
    FIXPOINT_TRY(attached, executions::Works::attached(tx, id));
    for (auto& item : attached) {
      findings::FindingKey key{std::move(item.product_arn), std::move(item.id)};
      if (!(key == own)) keys.push_back(std::move(key));
    }
    for (const findings::FindingKey& key : keys) {
      FIXPOINT_TRY(finding, findings_.get(tx, key));
      if (!finding) continue;  // it was about a finding that this server does not hold
      Value fields = (*finding)["UserDefinedFields"];
      fields.set("fixpoint:execution", id);
      const json::Object update{{"Note", json::Object{{"Text", text}, {"UpdatedBy", options_.note_author}}},
                                {"Workflow", json::Object{{"Status", status}}},
                                {"UserDefinedFields", fields}};
      FIXPOINT_CHECK(update_(tx, key, update));
    }
    return {};
  };
}

}  // namespace fixpoint::controls
