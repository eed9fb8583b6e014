// The JSON API on executions and their approvals: /api/executions, /api/answer, /api/flapping.
#include <algorithm>

#include "aws/verify.h"
#include "changes/scope.h"
#include "gateway/api.h"
#include "gateway/people.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::int64_t executions_a_page = 1000;
constexpr std::string_view statuses[] = {"READY", "WAITING", "SUCCEEDED", "FAILED"};

// What `--status` takes: a status, or OPEN for those that have not ended.
Result<executions::Filter> filter_of(const Value& input) {
  executions::Filter filter;
  filter.status = input["Status"].string_or("");
  filter.outcome = input["Outcome"].string_or("");
  filter.program = changes::own_program(input["Program"].string_or(""));
  filter.subject = input["Finding"].string_or("");
  if (!filter.status.empty() &&
      std::find(std::begin(statuses), std::end(statuses), filter.status) == std::end(statuses))
    return fail(errors::validation(
        "'" + filter.status + "' is no status of an execution; there are READY, WAITING, SUCCEEDED and FAILED",
        "Status"));
  const std::int64_t limit = input["Limit"].int_or(executions_a_page);
  if (limit < 1 || limit > executions_a_page)
    return fail(errors::validation(
        "Limit is a number from 1 to " + std::to_string(executions_a_page) + ", not " + std::to_string(limit),
        "Limit"));
  filter.limit = static_cast<std::size_t>(limit);
  return filter;
}

// The ARN or id of what an execution is about whose result does not name it, since it has not ended or was stopped;
// empty where it is not known.
std::string resource_of(const executions::Execution& execution, const controls::ControlSet& all) {
  const Value& input = execution.input;
  if (input["Resource"].is_string()) return input["Resource"].as_string();
  const Value& finding = input["Finding"].is_object() ? input["Finding"] : input["Findings"][0];
  const auto control = execution.kind == "control" ? all.find(execution.program) : nullptr;
  const Value& resource = control ? controls::resource_of(finding, *control) : finding["Resources"][0];
  return std::string(resource["Id"].string_or(""));
}

}  // namespace

Result<Value> Api::executions(const Value& input) {
  if (const Value* id = input.find("Id")) {
    FIXPOINT_TRY(whole, parts_.executor.resolve(std::string(id->string_or(""))));
    FIXPOINT_TRY(execution, parts_.executor.get(whole));
    if (!execution) return fail(errors::resource_not_found("no execution has the id '" + whole + "'"));
    Value out = executions::to_json(*execution);
    FIXPOINT_TRY(changes, parts_.door.of_execution(execution->id));
    json::Array made;
    for (const auto& change : changes) made.push_back(changes::to_json(change));
    out.set("Changes", made);
    // The whole lists behind the sentence of a cap, which names the first of them.
    FIXPOINT_TRY(capped, parts_.door.refused_by_cap(execution->id));
    if (capped) out.set("Cap", changes::to_json(*capped));
    FIXPOINT_TRY(asked, parts_.approvals.of(execution->id));
    json::Array approvals;
    for (const auto& approval : asked) approvals.push_back(executions::to_json(approval));
    out.set("Approvals", approvals);
    FIXPOINT_TRY(resumed, parts_.works.resumed(execution->id));
    json::Array goes_on;
    for (const auto& one : resumed)
      goes_on.emplace_back(
          json::Object{{"ProductArn", one.product_arn}, {"FindingId", one.id}, {"Execution", one.execution}});
    if (!goes_on.empty()) out.set("Resumed", std::move(goes_on));
    FIXPOINT_TRY(lines, parts_.executor.journal(execution->id));
    json::Array journal;
    for (const auto& line : lines)
      journal.emplace_back(json::Object{{"At", format_iso8601_ms(line.at_ms)}, {"Text", line.text}});
    out.set("Journal", journal);
    return out;
  }
  FIXPOINT_TRY(filter, filter_of(input));
  FIXPOINT_TRY(listed, parts_.executor.list_and_open(filter));
  json::Array items;
  for (const auto& execution : listed.executions) {
    Value item = executions::to_json(execution);
    if (execution.result["Resource"].string_or("").empty())
      if (std::string resource = resource_of(execution, parts_.controls); !resource.empty())
        item.set("Resource", std::move(resource));
    if (execution.ended_ms == 0 && execution.outcome == "waits for approval") {
      FIXPOINT_TRY(asked, parts_.approvals.of(execution.id));
      json::Array open;
      for (const auto& approval : asked)
        if (approval.state == "OPEN") open.push_back(executions::to_json(approval));
      item.set("Approvals", std::move(open));
    }
    items.push_back(std::move(item));
  }
  return Value(json::Object{{"Executions", items}, {"Open", listed.open}});
}

// {} lists the pairs; {"Reset": {"Control", "Resource"}} lets one go back to its mode first.
Result<Value> Api::flapping(const aws::Caller& caller, const Value& input) {
  if (const Value* reset = input.find("Reset")) {
    FIXPOINT_CHECK(only_people(caller));
    const std::string control((*reset)["Control"].string_or(""));
    const std::string resource((*reset)["Resource"].string_or(""));
    if (control.empty() || resource.empty())
      return fail(errors::validation("Reset has to name Control and Resource", "Reset"));
    FIXPOINT_CHECK(loosen(
        caller,
        {.scope = "control:" + control,
         .what = "reset the reverts of " + resource + " for control " + control,
         .kind = "flapping.reset",
         .about = json::Object{{"Control", control}, {"Resource", resource}},
         .before = [&](store::Session& session) -> Result<std::optional<std::string>> {
           FIXPOINT_TRY(since, executions::Works::asks_since(session, control, resource));
           return since ? std::optional(std::to_string(*since)) : std::nullopt;
         },
         .change = [&](store::Transaction& tx) { return parts_.works.reset(tx, control, resource, who(caller)); }}));
  }
  FIXPOINT_TRY(pairs, parts_.works.flapping());
  json::Array list;
  for (const auto& pair : pairs) list.push_back(executions::to_json(pair));
  return Value(json::Object{{"Flapping", list}});
}

Result<Value> Api::answer(const aws::Caller& caller, const Value& input) {
  executions::Answer answer;
  answer.execution = input["Id"].string_or("");
  answer.plan_hash = input["Plan"].string_or("");
  answer.because = input["Reason"].string_or("");
  if (input.find("Plan") != nullptr && answer.plan_hash.empty())
    return fail(errors::validation("Plan is empty; give the hash of the plan that is answered, or none", "Plan"));
  if (answer.execution.empty()) return fail(errors::validation("Id has to name the execution", "Id"));
  FIXPOINT_TRY(whole, parts_.executor.resolve(answer.execution));
  answer.execution = std::move(whole);
  if (!input["Approved"].is_bool()) return fail(errors::validation("Approved has to be true or false", "Approved"));
  answer.approved = input["Approved"].as_bool();
  answer.by = who(caller);
  if (caller.principal) answer.by_execution = caller.principal->execution;
  FIXPOINT_TRY(approval, parts_.approvals.answer(answer));
  return executions::to_json(approval);
}

}  // namespace fixpoint::gateway
