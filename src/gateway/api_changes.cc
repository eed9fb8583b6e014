// The JSON API on changes before, instead of and after they are made: /api/plan, fix, undo, exceptions, freeze,
// unfreeze, mode, settings, caps.
#include <algorithm>

#include "base/arn.h"
#include "base/id.h"
#include "base/shell.h"
#include "bus/input.h"
#include "changes/scope.h"
#include "changes/second_person.h"
#include "controls/undo.h"
#include "findings/asff.h"
#include "findings/fingerprint.h"
#include "gateway/api.h"
#include "gateway/people.h"
#include "json/text.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

// An empty variable on a command line must not turn a fix that is held to a plan into one that is not.
Error empty_plan() {
  return errors::validation("Plan is empty; give a plan's hash, or no plan at all", "Plan");
}

// Whether the plan was made for that finding, or by that control for the finding's resource.
bool is_about(const changes::Plan& plan, const findings::FindingKey& key, const controls::Control& control,
              std::string_view resource) {
  const auto has = [](const Value& list, const auto& is) {
    return list.is_array() && std::any_of(list.as_array().begin(), list.as_array().end(), is);
  };
  return plan.document["Program"].string_or("") == control.id &&
         (has(plan.document["Findings"], [&](const Value& one) { return one["Id"].string_or("") == key.id; }) ||
          has(plan.document["Resources"], [&](const Value& one) { return one.string_or("") == resource; }));
}

Error plan_of_another(const changes::Plan& plan, const std::string& wanted) {
  return errors::validation("plan " + plan.hash.substr(0, 12) + " is of " +
                                std::string(plan.document["Program"].string_or("")) + " for the finding '" +
                                std::string(plan.document["Findings"][0]["Id"].string_or("")) + "', not of " + wanted,
                            "Plan");
}

bool is_function_arn(std::string_view text) {
  const auto arn = parse_arn(text);
  return arn && arn->service == "lambda";
}

// An ARN of what lies in a region has the region's partition: one of another is nothing's.
Result<void> check_partition(const Arn& arn) {
  if (arn.partition == partition_of_region(arn.region)) return {};
  return fail(errors::validation("'" + arn.to_string().substr(0, 200) + "' is nothing's ARN: the partition of " +
                                     arn.region + " is " + std::string(partition_of_region(arn.region)) + ", not " +
                                     arn.partition,
                                 "Scope"));
}

// The one exception whose id is or begins with that; where there is none, one of that id for all.
Result<changes::Exception> exception_named(store::Session& session, const std::string& id) {
  constexpr std::size_t shortest = 8;
  FIXPOINT_TRY(all, changes::exceptions(session));
  std::vector<changes::Exception> found;
  for (auto& exception : all) {
    if (exception.id == id) return std::move(exception);
    if (id.size() >= shortest && exception.id.starts_with(id)) found.push_back(std::move(exception));
  }
  if (found.size() > 1)
    return fail(
        errors::validation("several exceptions have ids that begin with '" + id + "'; give more of it", "Remove"));
  if (!found.empty()) return std::move(found[0]);
  changes::Exception none;
  none.id = id;
  none.scope = "all";
  return none;
}

}  // namespace

// What is set for something that there is not would be thought to hold, and hold nothing. What is set for a function's
// version or alias is set for the function: whoever may call the one may call the other.
Result<std::string> Api::scope_of(const Value& input) {
  std::string scope(input["Scope"].string_or("all"));
  if (scope.starts_with("control:")) {
    const std::string id = scope.substr(8);
    if (is_function_arn(id)) {
      FIXPOINT_TRY(arn, parse_arn(id));
      FIXPOINT_CHECK(check_partition(arn));
      FIXPOINT_CHECK(functions::parse_function_name(id, {arn.account, arn.region}));
      return changes::own_scope(scope);
    }
    if (const auto control = parts_.controls.find(id)) return "control:" + control->id;
    return fail(errors::validation("there is no control '" + id.substr(0, 80) +
                                       "'; 'fixpoint controls' lists them, and a function is named by its ARN",
                                   "Scope"));
  }
  if (scope.starts_with("rule:")) {
    const auto arn = parse_arn(scope.substr(5));
    if (!arn || arn->service != "events" || !arn->resource.starts_with("rule/"))
      return fail(errors::validation(
          "'" + scope.substr(5, 80) + "' is no ARN of a rule, such as arn:aws:events:us-east-1:111111111111:rule/NAME",
          "Scope"));
    FIXPOINT_CHECK(check_partition(*arn));
    return changes::own_scope(scope);
  }
  if (scope.starts_with("account:")) FIXPOINT_CHECK(changes::check_scope(scope));
  return scope;
}

// As scope_of, but what was set for something that is not there any more can be taken away.
std::string Api::scope_to_clear(const Value& input) {
  auto scope = scope_of(input);
  return scope ? std::move(*scope) : changes::own_scope(input["Scope"].string_or("all"));
}

Result<void> Api::tighten(const aws::Caller& caller, std::string_view kind, json::Object about,
                          const std::function<Result<void>(store::Transaction&)>& change) {
  about.set("By", who(caller));
  return parts_.door.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(change(tx));
    return parts_.audit.append(tx, kind, about);
  });
}

Result<void> Api::loosen(const aws::Caller& caller, Loosening loosening) {
  std::optional<changes::Asked> waits;
  FIXPOINT_CHECK(parts_.door.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(before, loosening.before(tx));
    if (!before) return loosening.change(tx);
    FIXPOINT_TRY(second, changes::second_person(tx, loosening.scope, loosening.what, *before, who(caller),
                                                parts_.door.clock().now_ms()));
    if (!second.may) {
      waits = second.asked;
      Value asked = changes::to_json(second.asked);
      if (second.asked.by != who(caller)) asked.set("Again", who(caller));
      return parts_.audit.append(tx, "second-person.asked", asked);
    }
    FIXPOINT_CHECK(loosening.change(tx));
    loosening.about.set("By", who(caller));
    if (!second.asked.by.empty()) loosening.about.set("AskedBy", second.asked.by);
    return parts_.audit.append(tx, loosening.kind, loosening.about);
  }));
  if (waits) return fail(errors::access_denied("four eyes are required: " + waits->sentence()));
  return {};
}

Result<Api::Subject> Api::finding_of(const std::string& finding_id) {
  FIXPOINT_TRY(key, parts_.findings.resolve(finding_id));
  FIXPOINT_TRY(finding,
               parts_.door.store().read([&](store::Session& session) { return parts_.findings.get(session, key); }));
  if (!finding) return fail(errors::resource_not_found("there is no finding '" + finding_id + "'"));
  if ((*finding)["Sample"].bool_or(false))
    return fail(errors::validation("the finding '" + finding_id +
                                   "' is a sample; nothing is planned or changed because "
                                   "of it"));
  return Subject{key, std::move(*finding), nullptr};
}

// The finding, and the control that is for it.
Result<Api::Subject> Api::subject_of(const std::string& finding_id) {
  FIXPOINT_TRY(subject, finding_of(finding_id));
  const std::string named = findings::control_of(subject.finding);
  subject.control = parts_.controls.find(named);
  if (!subject.control)
    return fail(errors::resource_not_found(
        named.empty()
            ? "the finding '" + finding_id +
                  "' names no control, so nothing can be planned for it; '--function NAME' plans with a handler"
            : "there is no control '" + named + "' for the finding '" + finding_id +
                  "'; 'fixpoint controls' lists them"));
  return std::move(subject);
}

// The run of a handler for a finding, as an event that tells of it would start it: of "Function", by its name or ARN,
// or of the one function that the rule "Rule" of the default bus has among its targets, with what that target gets.
Result<executions::Start> Api::function_of(const aws::Caller& caller, const Subject& subject, const Value& input) {
  const std::string account(subject.finding["AwsAccountId"].string_or(caller.account));
  const std::string region(subject.finding["Region"].string_or(caller.region));
  const Value event = services::SecurityHub::imported_event(parts_.bus, subject.finding);
  std::string named(input["Function"].string_or(""));
  std::string text = json::print(event);
  const std::string rule_name(input["Rule"].string_or(""));
  std::string rule_arn;
  if (!rule_name.empty()) {
    const bus::BusName bus{account, region, std::string(partition_of_region(region)), "default"};
    FIXPOINT_TRY(rule, parts_.bus.find_rule(bus, rule_name));
    if (!rule)
      return fail(errors::resource_not_found("there is no rule '" + rule_name + "' on the bus default", "Rule"));
    FIXPOINT_TRY(targets, parts_.bus.list_targets(bus, rule_name));
    std::erase_if(targets, [&](const bus::Target& target) {
      return target.arn.find(":lambda:") == std::string::npos ||
             (!named.empty() && target.arn.find(named) == std::string::npos);
    });
    if (targets.size() != 1)
      return fail(errors::validation("the rule '" + rule_name + "' has " + std::to_string(targets.size()) +
                                         " functions among its targets" +
                                         (targets.empty() ? "" : "; name one with Function"),
                                     "Rule"));
    rule_arn = rule->arn();
    FIXPOINT_TRY(made, bus::TargetInput::read(targets[0].form));
    FIXPOINT_TRY(rendered, made.render(event, text, {rule_arn, rule_name}, parts_.clock.now_ms()));
    text = std::move(rendered);
    named = targets[0].arn;
  }
  FIXPOINT_TRY(name, functions::parse_function_name(named, {account, region}));
  FIXPOINT_TRY(record, parts_.functions.get(name));
  executions::Start start{
      .name = "",
      .kind = "function",
      .program = record.arn(),
      .account = name.owner.account,
      .region = name.owner.region,
      .subject = subject.key.id,
      .input = json::Object{{"Payload", text}, {"Findings", json::Array{subject.finding}}, {"By", who(caller)}}};
  if (!rule_arn.empty()) start.input.set("Rule", rule_arn);
  if (!name.qualifier.empty()) start.input.set("Qualifier", name.qualifier);
  return std::move(start);
}

// {"FindingId"}: plans and records, in a dry run; the execution holds the plan once it has ended. With "Function" or
// "Rule" it is the handler's run that is planned.
Result<Value> Api::plan(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(only_people(caller));
  if (input.find("Function") != nullptr || input.find("Rule") != nullptr) {
    FIXPOINT_TRY(subject, finding_of(std::string(input["FindingId"].string_or(""))));
    FIXPOINT_TRY(start, function_of(caller, subject, input));
    start.name = "plan/" + random_uuid();
    start.input.set("DryRun", true);
    start.input.set(input["Decided"].bool_or(false) ? "Decided" : "ByMode", true);
    FIXPOINT_TRY(started, parts_.executor.launch(start));
    return Value(json::Object{{"Execution", started.id}, {"Function", start.program}});
  }
  FIXPOINT_TRY(subject, subject_of(std::string(input["FindingId"].string_or(""))));
  const auto place =
      findings::place_of(subject.finding, controls::resource_of(subject.finding, *subject.control), caller.region);
  executions::Start start{.name = "plan/" + random_uuid(),
                          .kind = "control",
                          .program = subject.control->id,
                          .account = place.account,
                          .region = place.region,
                          .subject = subject.key.id,
                          .input = json::Object{{"Finding", subject.finding}, {"DryRun", true}, {"By", who(caller)}}};
  if (input["Decided"].bool_or(false)) start.input.set("Decided", true);
  FIXPOINT_TRY(started, parts_.executor.launch(start));
  return Value(json::Object{{"Execution", started.id}, {"Control", subject.control->id}});
}

// One finding, the function and the plan that it is held to: what moved since is planned anew and asked for.
Result<Value> Api::fix_by_function(const aws::Caller& caller, const Value& input) {
  const Value& ids = input["FindingIds"];
  if (ids.size() != 1)
    return fail(errors::validation("a function is run for one finding; give its id alone", "FindingIds"));
  const std::string hash(input["Plan"].string_or(""));
  if (hash.empty()) {
    const std::string_view id = ids[0].string_or("");
    return fail(errors::validation(
        "a function is held to a plan: give the hash that 'fixpoint plan " +
            (id.starts_with('-') ? "--function NAME -- " + shell_word(id) : shell_word(id) + " --function NAME") +
            "' shows",
        "Plan"));
  }
  FIXPOINT_TRY(plan,
               parts_.door.store().read([&](store::Session& session) { return changes::find_plan(session, hash); }));
  FIXPOINT_TRY(subject, finding_of(std::string(ids[0].string_or(""))));
  FIXPOINT_TRY(start, function_of(caller, subject, input));
  if (plan.document["Program"].string_or("") != start.program ||
      plan.document["Findings"][0]["Id"].string_or("") != subject.key.id)
    return fail(plan_of_another(plan, start.program + " for '" + subject.key.id + "'"));
  start.name = "fix/" + random_uuid();
  start.input.set("Async", true);
  start.input.set("Decided", true);
  start.input.set("Plan", plan.hash);
  FIXPOINT_TRY(started, parts_.executor.launch(start));
  return Value(json::Object{
      {"Executions",
       json::Array{json::Object{{"FindingId", subject.key.id}, {"Execution", started.id}, {"Joined", false}}}}});
}

// {"FindingIds": [...], "Plan": hash}: a person's decision. What is under way for the same work is joined, and where it
// waits for this plan's approval it is approved; where that is an undo, the line is "Kept": the fix begins once it has
// ended, and is then among its "Resumed". With "Function" or "Rule" it is the handler that is run.
Result<Value> Api::fix(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(only_people(caller));
  if (input.find("Function") != nullptr || input.find("Rule") != nullptr) return fix_by_function(caller, input);
  const Value& ids = input["FindingIds"];
  if (ids.size() == 0) return fail(errors::validation("FindingIds has to name at least one finding", "FindingIds"));
  std::string hash(input["Plan"].string_or(""));
  if (input.find("Plan") != nullptr && hash.empty()) return fail(empty_plan());
  if (!hash.empty()) {
    FIXPOINT_TRY(plan,
                 parts_.door.store().read([&](store::Session& session) { return changes::find_plan(session, hash); }));
    hash = plan.hash;
    if (ids.size() > 1) return fail(errors::validation("a plan is for one finding; give its id alone", "Plan"));
    FIXPOINT_TRY(subject, subject_of(std::string(ids[0].string_or(""))));
    if (!is_about(plan, subject.key, *subject.control,
                  controls::resource_of(subject.finding, *subject.control)["Id"].string_or("")))
      return fail(plan_of_another(plan, subject.control->id + " for '" + subject.key.id + "'"));
  }
  std::vector<Subject> subjects;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    FIXPOINT_TRY(subject, subject_of(std::string(ids[i].string_or(""))));
    subjects.push_back(std::move(subject));
  }
  json::Array out;
  for (const Subject& subject : subjects) {
    const Value& resource = controls::resource_of(subject.finding, *subject.control);
    const auto named = findings::work_of(subject.finding, subject.control->id, resource);
    const auto place = findings::place_of(subject.finding, resource, caller.region);
    const executions::Work work{named.fingerprint(), named.control, named.account, named.region, named.resource};
    const executions::Item item{subject.key.product_arn, subject.key.id, findings::content_digest(subject.finding)};
    executions::Start start{
        .name = "fix/" + random_uuid(),
        .kind = "control",
        .program = subject.control->id,
        .account = place.account,
        .region = place.region,
        .subject = subject.key.id,
        .input = json::Object{{"Finding", subject.finding}, {"Decided", true}, {"By", who(caller)}}};
    if (!hash.empty()) start.input.set("Plan", hash);
    FIXPOINT_TRY(begun, parts_.door.store().write([&](store::Transaction& tx) {
      return parts_.works.begin(tx, work, item, start, [](const std::string&, const Value&) { return true; });
    }));
    const bool undoing = begun.how == executions::Begun::How::Undoing;
    const bool joined = undoing || begun.how == executions::Begun::How::Attached;
    json::Object line{{"FindingId", subject.key.id}, {"Execution", begun.execution}, {"Joined", joined}};
    if (undoing) {
      line.set("Approved", false);
      line.set("Kept", true);
      line.set("Why", "this execution takes back what was changed and has not ended: the fix begins once it has");
    } else if (joined) {
      auto answered = parts_.approvals.answer({.execution = begun.execution,
                                               .plan_hash = hash,
                                               .approved = true,
                                               .by = who(caller),
                                               .by_execution = {},
                                               .because = "fix"});
      line.set("Approved", answered.has_value());
      if (!answered) line.set("Why", answered.error().message);
    }
    out.emplace_back(std::move(line));
  }
  return Value(json::Object{{"Executions", std::move(out)}});
}

// {"Execution"}: starts its undo.
Result<Value> Api::undo(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(only_people(caller));
  FIXPOINT_TRY(id, parts_.executor.resolve(std::string(input["Execution"].string_or(""))));
  FIXPOINT_TRY(target, parts_.executor.get(id));
  if (!target) return fail(errors::resource_not_found("no execution has the id '" + id + "'"));
  if (target->ended_ms == 0)
    return fail(errors::resource_conflict(
        "the execution has not ended: it is " + target->status +
        (target->outcome.empty() ? "" : ", " + target->outcome) + "; it can be undone once it has" +
        (target->outcome.starts_with("waits for ") ? ", and rejected until then: 'fixpoint reject " + id + "'" : "")));
  const auto start = controls::Undo::start_of(*target, "undo/" + random_uuid(), who(caller));
  FIXPOINT_TRY(started, parts_.door.store().write([&](store::Transaction& tx) -> Result<executions::Started> {
    FIXPOINT_CHECK(parts_.audit.append(tx, "undo.requested", json::Object{{"Execution", id}, {"By", who(caller)}}));
    return parts_.works.undo(tx, start);
  }));
  return Value(json::Object{{"Execution", started.id}, {"Undoes", id}});
}

// {}: all; {"Add": {...}}; {"Remove": id}.
Result<Value> Api::exceptions(const aws::Caller& caller, const Value& input) {
  if (input.find("Add") != nullptr || input.find("Remove") != nullptr) FIXPOINT_CHECK(only_people(caller));
  if (const Value* form = input.find("Add")) {
    FIXPOINT_TRY(exception, changes::exception_of(*form, parts_.door.clock().now_ms()));
    FIXPOINT_TRY(scope, scope_of(*form));
    exception.scope = scope;
    exception.created_by = who(caller);
    FIXPOINT_CHECK(parts_.door.store().write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(changes::add(tx, exception));
      return parts_.audit.append(tx, "exception.added", changes::to_json(exception));
    }));
    return Value(json::Object{{"Added", changes::to_json(exception)}});
  }
  if (const Value* id = input.find("Remove")) {
    std::string named(id->string_or(""));
    FIXPOINT_TRY(whole,
                 parts_.door.store().read([&](store::Session& session) { return exception_named(session, named); }));
    named = whole.id;
    FIXPOINT_CHECK(
        loosen(caller, {.scope = whole.scope,
                        .what = "remove the exception " + named,
                        .kind = "exception.removed",
                        .about = json::Object{{"Id", named}},
                        .before = [&](store::Session& session) -> Result<std::optional<std::string>> {
                          FIXPOINT_TRY(all, changes::exceptions(session));
                          for (const auto& one : all)
                            if (one.id == named) return named;
                          return std::nullopt;
                        },
                        .change = [&](store::Transaction& tx) { return changes::remove_exception(tx, named); }}));
    return Value(json::Object{{"Removed", named}});
  }
  FIXPOINT_TRY(all, parts_.door.store().read([](store::Session& session) { return changes::exceptions(session); }));
  json::Array list;
  const TimeMs now = parts_.door.clock().now_ms();
  for (const auto& exception : all) {
    Value form = changes::to_json(exception);
    form.set("Holds", exception.expires_ms > now);
    list.push_back(std::move(form));
  }
  return Value(json::Object{{"Exceptions", std::move(list)}});
}

// {}: what is frozen; {"Scope", "Because"}: throws the kill switch.
Result<Value> Api::freeze(const aws::Caller& caller, const Value& input) {
  if (input.find("Scope") != nullptr) {
    FIXPOINT_CHECK(only_people(caller));
    FIXPOINT_TRY(scope, scope_of(input));
    const changes::Freeze freeze{.scope = scope,
                                 .by = who(caller),
                                 .because = std::string(input["Because"].string_or("")),
                                 .at_ms = parts_.door.clock().now_ms()};
    FIXPOINT_CHECK(parts_.door.store().write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(changes::freeze(tx, freeze));
      return parts_.audit.append(tx, "changes.frozen", changes::to_json(freeze));
    }));
  }
  FIXPOINT_TRY(all, parts_.door.store().read([](store::Session& session) { return changes::freezes(session); }));
  json::Array list;
  for (const auto& one : all) list.push_back(changes::to_json(one));
  return Value(json::Object{{"Frozen", std::move(list)}});
}

Result<Value> Api::unfreeze(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(only_people(caller));
  const std::string scope = scope_to_clear(input);
  FIXPOINT_CHECK(loosen(caller, {.scope = scope,
                                 .what = "unfreeze " + scope,
                                 .kind = "changes.unfrozen",
                                 .about = json::Object{{"Scope", scope}},
                                 .before = [&](store::Session& session) -> Result<std::optional<std::string>> {
                                   FIXPOINT_TRY(all, changes::freezes(session));
                                   for (const auto& one : all)
                                     if (one.scope == scope) return one.sentence();
                                   return std::nullopt;
                                 },
                                 .change = [&](store::Transaction& tx) { return changes::unfreeze(tx, scope); }}));
  return freeze(caller, json::Object());
}

// {}: every mode that is set; {"Mode", "Scope"}: sets one; {"Unset": true, "Scope"}: takes one away.
Result<Value> Api::mode(const aws::Caller& caller, const Value& input) {
  if (input["Unset"].bool_or(false)) {
    FIXPOINT_CHECK(only_people(caller));
    if (input.find("Mode") != nullptr)
      return fail(errors::validation("a mode is set or taken away: Mode and Unset exclude each other", "Unset"));
    const std::string scope = scope_to_clear(input);
    FIXPOINT_CHECK(
        loosen(caller, {.scope = scope,
                        .what = "take away the mode for " + scope,
                        .kind = "mode.unset",
                        .about = json::Object{{"Scope", scope}},
                        .before = [&](store::Session& session) { return controls::Modes::at(session, scope); },
                        .change = [&](store::Transaction& tx) { return controls::Modes::unset(tx, scope); }}));
  }
  if (input.find("Mode") != nullptr) {
    FIXPOINT_CHECK(only_people(caller));
    const auto mode = controls::mode_of(input["Mode"].string_or(""));
    if (!mode)
      return fail(errors::validation(
          "'" + std::string(input["Mode"].string_or("")) + "' is no mode; there are observe, ask and auto", "Mode"));
    FIXPOINT_TRY(scope, scope_of(input));
    const std::string word(controls::to_text(*mode));
    const json::Object about{{"Scope", scope}, {"Mode", word}};
    const auto set = [&](store::Transaction& tx) { return controls::Modes::set(tx, scope, *mode); };
    FIXPOINT_TRY(all, parts_.modes.all());
    const auto is = [](const Value& of, controls::Mode one) { return of.string_or("") == controls::to_text(one); };
    const bool observed = std::any_of(all.as_object().begin(), all.as_object().end(),
                                      [&](const auto& member) { return is(member.value, controls::Mode::Observe); });
    // What is observed may change nothing; what asks is approved by one person where a rule asked.
    if (*mode == controls::Mode::Observe || (*mode == controls::Mode::Ask && !observed)) {
      FIXPOINT_CHECK(tighten(caller, "mode.set", about, set));
      return parts_.modes.all();
    }
    FIXPOINT_CHECK(loosen(caller, {.scope = scope,
                                   .what = "mode " + word + " for " + scope,
                                   .kind = "mode.set",
                                   .about = about,
                                   .before = [&](store::Session& session) -> Result<std::optional<std::string>> {
                                     FIXPOINT_TRY(now, controls::Modes::at(session, scope));
                                     return now.value_or("nothing");
                                   },
                                   .change = set}));
  }
  return parts_.modes.all();
}

// {}: all settings; {"Control", "Account"}: what holds for a control in an account, with its cap's count; {"Scope",
// "Name", "Value"}: sets one, null takes it away.
Result<Value> Api::settings(const aws::Caller& caller, const Value& input) {
  if (input.find("Name") != nullptr) {
    FIXPOINT_CHECK(only_people(caller));
    const std::string name(input["Name"].string_or(""));
    const Value* value = input.find("Value");
    if (value == nullptr) return fail(errors::validation("Value is missing; null takes the setting away", "Value"));
    std::string scope = scope_to_clear(input);
    if (!value->is_null()) {
      FIXPOINT_TRY(named, scope_of(input));
      scope = named;
    }
    const json::Object about{{"Scope", scope}, {"Name", name}, {"Value", *value}};
    const auto set = [&](store::Transaction& tx) { return changes::Settings::set(tx, scope, name, *value); };
    if (name == "four_eyes" && *value == Value(true)) {
      FIXPOINT_CHECK(tighten(caller, "setting.set", about, set));
    } else {
      FIXPOINT_CHECK(changes::Settings::check(scope, name, *value));
      const bool away = value->is_null();
      FIXPOINT_CHECK(loosen(
          caller, {.scope = scope,
                   .what = "setting " + name + " " + (away ? "taken away" : json::print(*value)) + " for " + scope,
                   .kind = "setting.set",
                   .about = about,
                   .before = [&](store::Session& session) -> Result<std::optional<std::string>> {
                     FIXPOINT_TRY(now, changes::Settings::at(session, scope, name));
                     return away ? now : std::optional(now.value_or("nothing"));
                   },
                   .change = set}));
    }
  }
  FIXPOINT_TRY(all, parts_.door.guards().settings().all());
  Value out{json::Object{{"Settings", std::move(all)}}};
  FIXPOINT_TRY(asked, parts_.door.store().read([&](store::Session& session) {
    return changes::asked(session, parts_.door.clock().now_ms());
  }));
  if (!asked.empty()) {
    json::Array list;
    for (const auto& one : asked) list.push_back(changes::to_json(one));
    out.set("Asked", std::move(list));
  }
  if (const Value* control = input.find("Control")) {
    FIXPOINT_TRY(scope, scope_of(json::Object{{"Scope", "control:" + std::string(control->string_or(""))}}));
    changes::Mandate mandate;
    mandate.program = scope.substr(std::string_view("control:").size());
    mandate.account = input["Account"].string_or(caller.account);
    FIXPOINT_TRY(rules, parts_.door.guards().settings().find(mandate.program, mandate.account));
    out.set("Holds", changes::to_json(rules));
    auto state = parts_.door.guards().cap(mandate);
    if (state) out.set("Cap", changes::to_json(*state));
  }
  return out;
}

}  // namespace fixpoint::gateway
