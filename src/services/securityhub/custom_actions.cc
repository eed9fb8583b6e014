#include "services/securityhub/custom_actions.h"

#include <algorithm>
#include <unordered_set>

namespace fixpoint::services::hub {
namespace {

using json::Value;

constexpr std::size_t findings_an_action = 20;

Value action_json(store::Row& row) {
  return json::Object{{"ActionTargetArn", row.text(0)}, {"Name", row.text(1)}, {"Description", row.text(2)}};
}

bus::BusName bus_of(const aws::Caller& caller) {
  return {caller.account, caller.region, caller.partition, "default"};
}

}  // namespace

const char* CustomActions::tables() {
  return R"sql(
CREATE TABLE action_target (account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, arn TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
  PRIMARY KEY (account, region, id)) STRICT;
)sql";
}

void CustomActions::add_to(aws::ServiceTable& table) {
  table.add("CreateActionTarget", [this](const auto& caller, const auto& input) { return create(caller, input); });
  table.add_quick("DescribeActionTargets",
                  [this](const auto& caller, const auto& input) { return describe(caller, input); });
  table.add("DeleteActionTarget", [this](const auto& caller, const auto& input) { return remove(caller, input); });
  table.add("UpdateActionTarget", [this](const auto& caller, const auto& input) { return update(caller, input); });
}

Result<Value> CustomActions::create(const aws::Caller& caller, const Value& input) {
  const std::string id(input["Id"].string_or(""));
  const std::string name(input["Name"].string_or(""));
  const std::string description(input["Description"].string_or(""));
  // https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateActionTarget.html and the console: 20 letters or
  // digits.
  if (id.empty() || id.size() > 20 ||
      id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string::npos)
    return fail(
        errors::invalid_input("Id is '" + id.substr(0, 40) + "'; it has to be 1 to 20 letters and digits", "Id"));
  // A name of more than the 20 characters that the page allows is taken: scripts that people have use such.
  if (name.empty() || description.empty())
    return fail(errors::invalid_input("Name and Description must not be empty", name.empty() ? "Name" : "Description"));
  const std::string arn =
      "arn:" + caller.partition + ":securityhub:" + caller.region + ":" + caller.account + ":action/custom/" + id;
  FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM action_target WHERE account = ? AND region = ? AND id = ?",
                                {caller.account, caller.region, id}));
    if (!rows.empty())
      return fail(
          errors::coded("ResourceConflictException", "a custom action of the id '" + id + "' exists already", 409));
    FIXPOINT_CHECK(tx.execute("INSERT INTO action_target VALUES (?,?,?,?,?,?)",
                              {caller.account, caller.region, id, arn, name, description}));
    return {};
  }));
  return Value(json::Object{{"ActionTargetArn", arn}});
}

Result<Value> CustomActions::describe(const aws::Caller& caller, const Value& input) {
  return records_.store().read([&](store::Session& session) -> Result<Value> {
    FIXPOINT_TRY(
        rows,
        session.query("SELECT arn, name, description FROM action_target WHERE account = ? AND region = ? ORDER BY id",
                      {caller.account, caller.region}));
    json::Array targets;
    const Value& wanted = input["ActionTargetArns"];
    std::unordered_set<std::string_view> there, asked;
    for (const store::Row& row : rows) there.insert(row.text(0));
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (asked.insert(wanted[i].string_or("")); !there.contains(wanted[i].string_or("")))
        return fail(errors::resource_not_found(
            "no custom action has the ARN '" + std::string(wanted[i].string_or("")) + "'", "ActionTargetArns"));
    for (store::Row& row : rows)
      if (asked.empty() || asked.contains(row.text(0))) targets.push_back(action_json(row));
    return page_of(targets, input, "ActionTargets");
  });
}

Result<Value> CustomActions::remove(const aws::Caller& caller, const Value& input) {
  const std::string arn(input["ActionTargetArn"].string_or(""));
  FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(removed, tx.execute("DELETE FROM action_target WHERE account = ? AND region = ? AND arn = ?",
                                     {caller.account, caller.region, arn}));
    if (removed == 0) return fail(errors::resource_not_found("no custom action has the ARN '" + arn + "'"));
    FIXPOINT_CHECK(records_.remove(tx, tag_kind, caller, arn));  // another of the same id begins without them
    return {};
  }));
  return Value(json::Object{{"ActionTargetArn", arn}});
}

Result<Value> CustomActions::update(const aws::Caller& caller, const Value& input) {
  const std::string arn(input["ActionTargetArn"].string_or(""));
  const auto text = [&](const char* member) -> store::Cell {
    const Value& value = input[member];
    return value.is_string() ? store::Cell(value.as_string()) : store::Cell(nullptr);
  };
  for (const auto* member : {"Name", "Description"})
    if (input[member].is_string() && input[member].as_string().empty())
      return fail(errors::invalid_input(std::string(member) + " must not be empty", member));
  FIXPOINT_CHECK(records_.store().write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(changed, tx.execute("UPDATE action_target SET name = coalesce(?, name), description = coalesce(?, "
                                     "description) WHERE account = ? AND region = ? AND arn = ?",
                                     {text("Name"), text("Description"), caller.account, caller.region, arn}));
    if (changed == 0) return fail(errors::resource_not_found("no custom action has the ARN '" + arn + "'"));
    return {};
  }));
  return Value(json::Object());
}

Result<Value> CustomActions::find(store::Session& session, const aws::Caller& caller, const std::string& action) {
  FIXPOINT_TRY(rows,
               session.query("SELECT arn, name, description FROM action_target WHERE account = ? AND region = ? AND "
                             "(id = ? OR name = ? OR arn = ?)",
                             {caller.account, caller.region, action, action, action}));
  if (rows.empty())
    return fail(errors::resource_not_found("there is no custom action '" + action +
                                           "'; 'aws securityhub describe-action-targets' lists them"));
  if (rows.size() > 1)
    return fail(errors::validation("several custom actions are called '" + action + "'; use the id"));
  return action_json(rows[0]);
}

Result<Value> CustomActions::act(const aws::Caller& caller, const std::string& action,
                                 const std::vector<findings::FindingKey>& keys) {
  // https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html: the console's events
  // carry up to 20 findings.
  if (keys.empty() || keys.size() > findings_an_action)
    return fail(errors::validation("an action is chosen on 1 to 20 findings, not on " + std::to_string(keys.size())));
  return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(target, find(tx, caller, action));
    json::Array chosen;
    for (const auto& key : keys) {
      FIXPOINT_TRY(finding, findings_.get(tx, key));
      if (!finding) return fail(errors::resource_not_found("no finding has the id '" + key.id + "'"));
      chosen.push_back(std::move(*finding));
    }
    const Value event = bus_.make_event(
        bus_of(caller), "aws.securityhub", "Security Hub Findings - Custom Action",
        json::Array{target["ActionTargetArn"]},
        json::Object{
            {"actionName", target["Name"]}, {"actionDescription", target["Description"]}, {"findings", chosen}});
    FIXPOINT_TRY(matched, bus_.match(bus_of(caller), event));
    const bool heard = matched.has_targets();
    FIXPOINT_CHECK(bus_.publish(tx, std::move(matched), origin_of(caller)));
    return Value(json::Object{{"EventId", event["id"]}, {"Findings", chosen.size()}, {"Heard", heard}});
  });
}

Result<Value> CustomActions::act_on_insight(const aws::Caller& caller, const std::string& action,
                                            const std::string& insight, const std::vector<std::string>& values) {
  FIXPOINT_TRY(found, insights_.results(caller, insight));
  json::Array chosen;
  const std::unordered_set<std::string_view> asked(values.begin(), values.end());
  std::unordered_set<std::string_view> there;
  for (const auto& [value, count] : found.values) {
    there.insert(value);
    if (asked.empty() || asked.contains(value)) chosen.emplace_back(json::Object{{value, count}});
  }
  for (const std::string& value : values)
    if (!there.contains(value))
      return fail(errors::validation("the insight '" + found.name + "' has no result '" + value +
                                     "'; 'aws securityhub get-insight-results' shows those that there are"));
  if (chosen.empty())
    return fail(errors::validation("the insight '" + found.name + "' has no results: no finding fits its filters"));
  return records_.store().write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(target, find(tx, caller, action));
    // https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html#securityhub-cwe-event-formats-insight-results
    const Value event = bus_.make_event(bus_of(caller), "aws.securityhub", "Security Hub Insight Results",
                                        json::Array{target["ActionTargetArn"]},
                                        json::Object{{"actionName", target["Name"]},
                                                     {"actionDescription", target["Description"]},
                                                     {"insightArn", insight},
                                                     {"insightName", found.name},
                                                     {"resultType", found.attribute},
                                                     {"number of results", chosen.size()},
                                                     {"insightResults", chosen}});
    FIXPOINT_TRY(matched, bus_.match(bus_of(caller), event));
    const bool heard = matched.has_targets();
    FIXPOINT_CHECK(bus_.publish(tx, std::move(matched), origin_of(caller)));
    return Value(json::Object{{"EventId", event["id"]}, {"Results", chosen.size()}, {"Heard", heard}});
  });
}

}  // namespace fixpoint::services::hub
