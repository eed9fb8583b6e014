#include "services/securityhub/automation_rules.h"

#include <algorithm>
#include <tuple>

#include "base/id.h"
#include "findings/asff.h"

namespace fixpoint::services::hub {
namespace {

using json::Value;

constexpr const char* kind = "automation-rule";
// https://docs.aws.amazon.com/securityhub/latest/userguide/automation-rules.html#automation-rules-considerations
constexpr std::size_t most_rules = 100;
constexpr std::int64_t highest_order = 1000;
constexpr int invalid_code = 400, not_found_code = 404;  // ErrorCode of an unprocessed rule is a number

Result<void> check(const Value& rule, TimeMs now_ms) {
  if (const std::int64_t order = rule["RuleOrder"].int_or(0); order < 1 || order > highest_order)
    return fail(
        errors::invalid_input("RuleOrder is " + std::to_string(order) + "; it has to be 1 to 1000", "RuleOrder"));
  for (const auto* member : {"RuleName", "Description"})
    if (rule[member].string_or("").empty())
      return fail(errors::invalid_input(std::string(member) + " must not be empty", member));
  FIXPOINT_TRY(criteria, findings::Filters::compile(rule["Criteria"], now_ms));
  if (criteria.empty())  // an attribute with an empty list of filters is none
    return fail(errors::invalid_input("Criteria has no filters: the rule would change every finding", "Criteria"));
  const Value& actions = rule["Actions"];
  if (actions.size() != 1)
    return fail(
        errors::invalid_input("Actions has " + std::to_string(actions.size()) + " actions; a rule has one", "Actions"));
  const Value& fields = actions[0]["FindingFieldsUpdate"];
  if (actions[0]["Type"].string_or("") != "FINDING_FIELDS_UPDATE" || fields.size() == 0)
    return fail(errors::invalid_input(
        "an action has the Type FINDING_FIELDS_UPDATE and says in FindingFieldsUpdate what is to be set",
        "Actions[0]"));
  if (fields.size() == 1 && fields["Workflow"].is_object() && fields["Workflow"].size() == 0)
    return fail(errors::invalid_input("Workflow says no Status, so that nothing would be set",
                                      "Actions[0].FindingFieldsUpdate.Workflow"));
  return findings::validate_update(fields);
}

Value shown(const Record& record, bool whole) {
  json::Object out;
  for (const auto* member : {"RuleArn", "RuleStatus", "RuleOrder", "RuleName", "Description", "IsTerminal"})
    out.append(member, record.body[member]);
  if (whole)
    for (const auto* member : {"Criteria", "Actions"}) out.append(member, record.body[member]);
  out.append("CreatedAt", static_cast<double>(record.made_ms) / 1000);
  out.append("UpdatedAt", static_cast<double>(record.changed_ms) / 1000);
  out.append("CreatedBy", record.body["CreatedBy"]);
  return out;
}

Value unprocessed(const std::string& arn, int code, const std::string& message) {
  return json::Object{{"RuleArn", arn}, {"ErrorCode", code}, {"ErrorMessage", message}};
}

std::string none(const std::string& arn) {
  return "no automation rule has the ARN '" + arn + "'";
}

}  // namespace

Result<std::shared_ptr<const AutomationRules::Rules>> AutomationRules::rules_of(store::Session& session,
                                                                                const std::string& account,
                                                                                const std::string& region) {
  const std::string key = account + "/" + region;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = loaded_.find(key); found != loaded_.end()) return found->second;
  }
  FIXPOINT_TRY(records, records_.list(session, kind, {account, region, "aws", "", nullptr}));
  auto rules = std::make_shared<Rules>();
  for (const Record& record : records) {
    if (record.body["RuleStatus"].string_or("") != "ENABLED") continue;
    FIXPOINT_TRY(criteria, findings::Filters::compile(record.body["Criteria"], records_.clock().now_ms()));
    rules->push_back({record.id, record.body["RuleOrder"].int_or(0), record.body["IsTerminal"].bool_or(false),
                      std::move(criteria), record.body["Criteria"], record.body["Actions"].as_array()});
  }
  // Rules of the same order come by their ARN, so that they always come in the same order.
  std::sort(rules->begin(), rules->end(),
            [](const Rule& a, const Rule& b) { return std::tie(a.order, a.arn) < std::tie(b.order, b.arn); });
  std::lock_guard lock(mutex_);
  loaded_[key] = rules;
  return std::shared_ptr<const Rules>(rules);
}

// What another transaction of the same commit reads before this one is committed is forgotten with it.
void AutomationRules::forget_after(store::Transaction& tx, const aws::Caller& caller) {
  const auto forget = [this, key = caller.account + "/" + caller.region] {
    std::lock_guard lock(mutex_);
    loaded_.erase(key);
  };
  forget();
  tx.after_commit(forget);
}

Result<std::optional<Value>> AutomationRules::apply(store::Transaction& tx, const Value& finding) {
  FIXPOINT_TRY(rules, rules_of(tx, std::string(finding["AwsAccountId"].string_or("")),
                               std::string(finding["Region"].string_or(""))));
  if (rules->empty()) return std::nullopt;
  std::optional<Value> now;
  for (const Rule& rule : *rules) {
    const Value& seen = now ? *now : finding;
    if (rule.criteria.is_of_a_time()) {  // "the last 7 days" are those before this finding came, not the rule
      FIXPOINT_TRY(criteria, findings::Filters::compile(rule.form, records_.clock().now_ms()));
      if (!criteria.matches(seen)) continue;
    } else if (!rule.criteria.matches(seen)) {
      continue;
    }
    FIXPOINT_TRY(stored,
                 findings_.update(tx, findings::key_of(seen), rule.actions[0]["FindingFieldsUpdate"], rule.arn));
    if (stored) now = std::move(stored->finding);
    if (rule.terminal) break;
  }
  return now;
}

Result<Value> AutomationRules::create(const aws::Caller& caller, const Value& input) {
  Value rule = input;
  if (rule.find("RuleStatus") == nullptr) rule.set("RuleStatus", "ENABLED");
  if (rule.find("IsTerminal") == nullptr) rule.set("IsTerminal", false);
  FIXPOINT_CHECK(check(rule, records_.clock().now_ms()));
  const std::string arn = hub_arn(caller, "automation-rule/" + random_uuid());
  rule.set("RuleArn", arn);
  rule.set("CreatedBy", caller_arn(caller));
  rule.as_object().erase("Tags");
  FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(there, records_.list(tx, kind, caller));
    if (there.size() >= most_rules)
      return fail(errors::coded("LimitExceededException", "an account has at most 100 automation rules", 429));
    FIXPOINT_CHECK(records_.put(tx, kind, caller, arn, rule));
    FIXPOINT_CHECK(add_tags(records_, tx, caller, arn, input["Tags"]));
    forget_after(tx, caller);
    return {};
  }));
  return Value(json::Object{{"RuleArn", arn}});
}

Result<Value> AutomationRules::update(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(holds_some(input, "UpdateAutomationRulesRequestItems"));
  return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
    json::Array processed, failed;
    for (const Value& item : input["UpdateAutomationRulesRequestItems"].as_array()) {
      const std::string arn(item["RuleArn"].string_or(""));
      FIXPOINT_TRY(found, records_.get(tx, kind, caller, arn));
      if (!found) {
        failed.push_back(unprocessed(arn, not_found_code, none(arn)));
        continue;
      }
      Value rule = found->body;
      for (const auto& member : item.as_object()) rule.set(member.key, member.value);
      if (const auto right = check(rule, records_.clock().now_ms()); !right) {
        failed.push_back(unprocessed(arn, invalid_code, right.error().message));
        continue;
      }
      FIXPOINT_CHECK(records_.put(tx, kind, caller, arn, rule));
      processed.emplace_back(arn);
    }
    forget_after(tx, caller);
    return Value(json::Object{{"ProcessedAutomationRules", processed}, {"UnprocessedAutomationRules", failed}});
  });
}

void AutomationRules::add_to(aws::ServiceTable& table) {
  table.add("CreateAutomationRule", [this](const auto& caller, const auto& input) { return create(caller, input); });
  table.add("BatchUpdateAutomationRules",
            [this](const auto& caller, const auto& input) { return update(caller, input); });
  table.add("BatchDeleteAutomationRules", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "AutomationRulesArns"));
    return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
      json::Array processed, failed;
      for (const Value& one : input["AutomationRulesArns"].as_array()) {
        const std::string arn(one.string_or(""));
        FIXPOINT_TRY(removed, records_.remove(tx, kind, caller, arn));
        if (removed) FIXPOINT_CHECK(records_.remove(tx, tag_kind, caller, arn));
        if (removed)
          processed.emplace_back(arn);
        else
          failed.push_back(unprocessed(arn, not_found_code, none(arn)));
      }
      forget_after(tx, caller);
      return Value(json::Object{{"ProcessedAutomationRules", processed}, {"UnprocessedAutomationRules", failed}});
    });
  });
  table.add_quick("BatchGetAutomationRules", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(holds_some(input, "AutomationRulesArns"));
    return records_.store().read([&](store::Session& session) -> Result<Value> {
      json::Array rules, failed;
      for (const Value& one : input["AutomationRulesArns"].as_array()) {
        const std::string arn(one.string_or(""));
        FIXPOINT_TRY(found, records_.get(session, kind, caller, arn));
        if (found)
          rules.push_back(shown(*found, true));
        else
          failed.push_back(unprocessed(arn, not_found_code, none(arn)));
      }
      return Value(json::Object{{"Rules", rules}, {"UnprocessedAutomationRules", failed}});
    });
  });
  table.add_quick("ListAutomationRules", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(records,
                 records_.store().read([&](store::Session& session) { return records_.list(session, kind, caller); }));
    std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) {
      return std::pair(a.body["RuleOrder"].int_or(0), a.id) < std::pair(b.body["RuleOrder"].int_or(0), b.id);
    });
    json::Array items;
    for (const Record& record : records) items.push_back(shown(record, false));
    return page_of(items, input, "AutomationRulesMetadata");
  });
}

}  // namespace fixpoint::services::hub
