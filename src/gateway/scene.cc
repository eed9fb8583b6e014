#include "gateway/scene.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

aws::CallContext context_of(const aws::Caller& caller) {
  return {caller.account, caller.region, {}, caller.request_id};
}

void bind(jsonata::Bindings& bindings, const aws::Caller& caller, const Value& kept) {
  bindings.set("account", Value(caller.account));
  bindings.set("region", Value(caller.region));
  bindings.set("partition", Value(caller.partition));
  if (kept.is_object())
    for (const auto& member : kept.as_object()) bindings.set(member.key, member.value);
}

Error in_step(const controls::Control& control, const std::string& part, Error error) {
  error.message = "scene of " + control.id + ", " + part + ": " + error.message;
  return error;
}

// Makes one call of a scene; `part` says which in an error.
Result<Value> made(const controls::Control& control, const std::string& part, const changes::CallTemplate& call,
                   const jsonata::Bindings& bindings, const aws::Caller& caller, aws::Api& account) {
  const Value nothing{json::Object()};
  auto input = call.input.fill(nothing, bindings);
  if (!input) return fail(in_step(control, part, input.error()));
  auto answer = account.call(context_of(caller), call.service, call.operation, *input ? **input : nothing);
  if (!answer) return fail(in_step(control, part, answer.error()));
  return answer;
}

}  // namespace

Result<std::string> set_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account) {
  Value kept;
  return set_scene(control, caller, account, kept);
}

Result<std::string> set_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account,
                              Value& kept) {
  const Value nothing{json::Object()};
  kept = json::Object();
  for (std::size_t i = 0; i < control.scene_given.size(); ++i) {
    const controls::SceneCall& step = control.scene_given[i];
    const std::string part = "given[" + std::to_string(i) + "] " + step.call.service + ":" + step.call.operation;
    jsonata::Bindings bindings;
    bind(bindings, caller, kept);
    FIXPOINT_TRY(answer, made(control, part, step.call, bindings, caller, account));
    if (!step.keep.empty()) kept.set(step.keep, std::move(answer));
  }
  jsonata::Bindings bindings;
  bind(bindings, caller, kept);
  auto arn = control.scene_resource->fill(nothing, bindings);
  if (!arn) return fail(in_step(control, "resource", arn.error()));
  if (!*arn || !(*arn)->is_string()) return fail(in_step(control, "resource", errors::validation("gives no ARN")));
  return (*arn)->as_string();
}

Result<void> check_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account,
                         const Value& kept) {
  const Value nothing{json::Object()};
  for (std::size_t i = 0; i < control.scene_then.size(); ++i) {
    const controls::SceneCall& step = control.scene_then[i];
    const std::string part = "then[" + std::to_string(i) + "] " + step.call.service + ":" + step.call.operation;
    jsonata::Bindings bindings;
    bind(bindings, caller, kept);
    FIXPOINT_TRY(answer, made(control, part, step.call, bindings, caller, account));
    auto holds = step.expect->fill(answer, bindings);
    if (!holds) return fail(in_step(control, part, holds.error()));
    if (!*holds || !(*holds)->bool_or(false))
      return fail(in_step(control, part, errors::validation("what is expected does not hold")));
  }
  return {};
}

json::Value scene_finding(const controls::Control& control, const aws::Caller& caller, const std::string& arn) {
  const std::string now = format_iso8601_ms(SystemClock().now_ms());
  const std::string place = "arn:" + caller.partition + ":securityhub:" + caller.region + ":" + caller.account;
  json::Object resource{
      {"Type", control.resource_type}, {"Id", arn}, {"Partition", caller.partition}, {"Region", caller.region}};
  return json::Object{
      {"SchemaVersion", "2018-10-08"},
      {"Id", place + ":security-control/" + control.id + "/finding/" + random_uuid()},
      {"ProductArn", "arn:" + caller.partition + ":securityhub:" + caller.region + "::product/aws/securityhub"},
      {"ProductName", "Security Hub"},
      {"CompanyName", "AWS"},
      {"Region", caller.region},
      {"GeneratorId", "security-control/" + control.id},
      {"AwsAccountId", caller.account},
      {"Types", json::Array{"Software and Configuration Checks/Industry and Regulatory Standards"}},
      {"FirstObservedAt", now},
      {"CreatedAt", now},
      {"UpdatedAt", now},
      {"Severity", json::Object{{"Label", control.severity}}},
      {"Title", control.title},
      {"Description", "Made by the scene of control " + control.id + " in the embedded account."},
      {"Resources", json::Array{Value(std::move(resource))}},
      {"Compliance", json::Object{{"Status", "FAILED"}, {"SecurityControlId", control.id}}},
      {"Workflow", json::Object{{"Status", "NEW"}}},
      {"RecordState", "ACTIVE"}};
}

}  // namespace fixpoint::gateway
