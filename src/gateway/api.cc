#include "gateway/api.h"

#include <algorithm>

#include "aws/validate.h"
#include "aws/verify.h"
#include "gateway/api_members.h"
#include "gateway/guarded.h"
#include "gateway/operations.h"
#include "gateway/people.h"
#include "gateway/scene.h"
#include "services/securityhub/records.h"
#include "sources/sources.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::int64_t audit_records_a_page = 2000;

}  // namespace

Api::Api(Parts parts) : parts_(std::move(parts)) {
  functions_["import"] = [this](const auto& caller, const auto& input) { return import(caller, input); };
  functions_["act"] = [this](const auto& caller, const auto& input) { return act(caller, input); };
  functions_["executions"] = [this](const auto&, const auto& input) { return executions(input); };
  functions_["rules"] = [this](const auto& caller, const auto& input) { return rules(caller, input); };
  functions_["rule-trial"] = [this](const auto& caller, const auto& input) { return rule_trial(caller, input); };
  functions_["deliveries"] = [this](const auto&, const auto&) { return deliveries(); };
  functions_["audit"] = [this](const auto&, const auto& input) { return audit(input); };
  functions_["scene"] = [this](const auto& caller, const auto& input) { return scene(caller, input); };
  functions_["mode"] = [this](const auto& caller, const auto& input) { return mode(caller, input); };
  functions_["plan"] = [this](const auto& caller, const auto& input) { return plan(caller, input); };
  functions_["fix"] = [this](const auto& caller, const auto& input) { return fix(caller, input); };
  functions_["undo"] = [this](const auto& caller, const auto& input) { return undo(caller, input); };
  functions_["exceptions"] = [this](const auto& caller, const auto& input) { return exceptions(caller, input); };
  functions_["freeze"] = [this](const auto& caller, const auto& input) { return freeze(caller, input); };
  functions_["unfreeze"] = [this](const auto& caller, const auto& input) { return unfreeze(caller, input); };
  functions_["settings"] = [this](const auto& caller, const auto& input) { return settings(caller, input); };
  functions_["flapping"] = [this](const auto& caller, const auto& input) { return flapping(caller, input); };
  functions_["answer"] = [this](const auto& caller, const auto& input) { return answer(caller, input); };
  functions_["controls"] = [this](const aws::Caller&, const Value&) -> Result<Value> {
    json::Array list;
    for (const auto& control : parts_.controls.all()) {
      json::Array calls;
      for (auto& call : control->calls()) calls.emplace_back(call);
      list.emplace_back(json::Object{
          {"Id", control->id}, {"Title", control->title}, {"Severity", control->severity}, {"Calls", calls}});
    }
    return Value(json::Object{{"Controls", list}});
  };
  functions_["operations"] = [this](const aws::Caller&, const Value&) {
    return operations_there(parts_.dispatch, parts_.models, parts_.embedded);
  };
  functions_["status"] = [this](const aws::Caller& caller, const Value&) -> Result<Value> {
    FIXPOINT_TRY(open, parts_.executor.open_count());
    return Value(json::Object{{"Account", caller.account},
                              {"Region", caller.region},
                              {"OpenExecutions", open},
                              {"Embedded", parts_.embedded != nullptr},
                              {"Isolation", parts_.isolation()}});
  };
}

void Api::call(const aws::Caller& caller, const std::string& name, const Value& input, aws::Answer answer) {
  if (auto right = check_members(name, input); !right) return answer(fail(std::move(right.error())));
  if (name == "call") return make_call(caller, input, std::move(answer));
  const auto found = functions_.find(name);
  if (found == functions_.end()) {
    std::string known = "call";
    for (const auto& [other, function] : functions_) known += ", " + other;
    return answer(fail(errors::resource_not_found("there is no /api/" + name + "; there are " + known)));
  }
  answer(guarded([&] { return found->second(caller, input); }));
}

// A call by name, checked as one that came over the wire.
void Api::make_call(const aws::Caller& caller, const Value& input, aws::Answer answer) {
  const std::string_view operation = input["Operation"].string_or("");
  auto service = parts_.models.get(input["Service"].string_or(""));
  if (!service) return answer(fail(std::move(service.error())));
  const aws::Operation* model = (*service)->find_operation(operation);
  if (model == nullptr)
    return answer(fail(errors::unknown_operation("the service '" + std::string((*service)->name) +
                                                 "' has no operation '" + std::string(operation) + "'")));
  Value parameters = input["Input"].is_object() ? input["Input"] : Value(json::Object());
  if (!parts_.dispatch.validates((*service)->name, operation))
    if (auto valid = aws::validate(*model, parameters); !valid) return answer(fail(std::move(valid.error())));
  parts_.dispatch.call(caller, (*service)->name, operation, std::move(parameters), std::move(answer));
}

// {"Document"}: findings in any of the forms that sources/ knows. {"Account", "Region"}: whose they are where the
// document does not say it; the caller's where they are not given.
Result<Value> Api::import(const aws::Caller& caller, const Value& input) {
  const sources::Caller brought{std::string(input["Account"].string_or(caller.account)),
                                std::string(input["Region"].string_or(caller.region))};
  if (brought.account.size() != 12 || brought.account.find_first_not_of("0123456789") != std::string::npos)
    return fail(errors::validation("Account has to be the 12 digits of an account id", "Account"));
  if (brought.region.empty()) return fail(errors::validation("Region must not be empty", "Region"));
  FIXPOINT_TRY(taken, sources::take(input["Document"], brought));
  const std::size_t count = taken.findings.size();
  FIXPOINT_TRY(result, parts_.securityhub.import_all(std::move(taken.findings), brought.region,
                                                     std::move(taken.originals), services::hub::origin_of(caller)));
  json::Array repaired;
  for (auto& sentence : taken.repaired) repaired.emplace_back(std::move(sentence));
  json::Array repeated;
  for (auto& key : result.repeated)
    repeated.emplace_back(json::Object{{"ProductArn", std::move(key.product_arn)}, {"Id", std::move(key.id)}});
  return Value(json::Object{{"Imported", count},
                            {"Created", result.created},
                            {"Ignored", result.ignored},
                            {"Unheard", result.unheard},
                            {"Repeated", std::move(repeated)},
                            {"Repaired", std::move(repaired)}});
}

Result<Value> Api::act(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(only_people(caller));
  const std::string action(input["Action"].string_or(""));
  if (const std::string_view insight = input["InsightArn"].string_or(""); !insight.empty()) {
    if (input["FindingIds"].size() > 0)
      return fail(
          errors::validation("an action is chosen on findings (FindingIds) or on an insight's results "
                             "(InsightArn), not on both",
                             "InsightArn"));
    std::vector<std::string> values;
    for (std::size_t i = 0; i < input["Results"].size(); ++i) values.emplace_back(input["Results"][i].string_or(""));
    return parts_.securityhub.actions().act_on_insight(caller, action, std::string(insight), values);
  }
  std::vector<findings::FindingKey> keys;
  for (std::size_t i = 0; i < input["FindingIds"].size(); ++i) {
    FIXPOINT_TRY(key, parts_.findings.resolve(input["FindingIds"][i].string_or("")));
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));  // chosen once
  }
  return parts_.securityhub.actions().act(caller, action, keys);
}

Result<Value> Api::audit(const Value& input) {
  const std::int64_t limit = input["Limit"].int_or(audit_records_a_page);
  if (limit < 0 || limit > audit_records_a_page)
    return fail(errors::validation(
        "Limit is a number from 0 to " + std::to_string(audit_records_a_page) + ", not " + std::to_string(limit),
        "Limit"));
  // Records outlive what they are about: an id that is none any more is looked for as it is.
  std::string about(input["Execution"].string_or(""));
  if (auto whole = parts_.executor.resolve(about)) about = std::move(*whole);
  FIXPOINT_TRY(records, parts_.audit.after(input["After"].int_or(0), static_cast<std::size_t>(limit), about));
  json::Array list;
  for (const auto& record : records) list.push_back(audit::to_json(record));
  FIXPOINT_TRY(head, parts_.audit.head());
  return Value(json::Object{{"Records", list}, {"Head", audit::to_text(head)}});
}

Result<Value> Api::scene(const aws::Caller& caller, const Value& input) {
  if (parts_.embedded == nullptr)
    return fail(errors::validation("scenes are set in the embedded account; this server works on a real one"));
  const std::string name(input["Control"].string_or(""));
  const auto control = parts_.controls.find(name);
  if (!control)
    return fail(errors::resource_not_found("there is no control '" + name + "'; 'fixpoint controls' lists them"));
  FIXPOINT_TRY(arn, set_scene(*control, caller, *parts_.embedded));
  if (!input["Finding"].bool_or(true)) return Value(json::Object{{"Resource", arn}});
  const Value finding = scene_finding(*control, caller, arn);
  FIXPOINT_TRY(taken, parts_.securityhub.import_all({finding}, caller.region, {}, services::hub::origin_of(caller)));
  return Value(json::Object{{"Resource", arn}, {"FindingId", finding["Id"]}, {"Created", taken.created}});
}

}  // namespace fixpoint::gateway
