#include "services/events/events.h"

#include <cmath>

#include "aws/verify.h"
#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"
#include "patterns/test_pattern.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr std::size_t entries_a_call = 10;
constexpr std::size_t entry_limit_bytes = 256UL * 1024;

// A bus is named by name or ARN; only `default` is there so far.
Result<bus::BusName> bus_of(const aws::Caller& caller, const Value& name) {
  bus::BusName bus{caller.account, caller.region, caller.partition, "default"};
  std::string text(name.string_or("default"));
  if (text.starts_with("arn:")) text = text.substr(text.rfind('/') + 1);
  if (text != "default")
    return fail(errors::coded("ResourceNotFoundException", "Event bus " + text + " does not exist.", 400));
  return bus;
}

Value rule_json(const bus::Rule& rule) {
  json::Object out{{"Name", rule.name},
                   {"Arn", rule.arn()},
                   {"EventPattern", rule.pattern},
                   {"State", rule.enabled ? "ENABLED" : "DISABLED"},
                   {"EventBusName", rule.bus.name}};
  if (!rule.description.empty()) out.set("Description", rule.description);
  if (!rule.role.empty()) out.set("RoleArn", rule.role);
  return out;
}

// Hands out `items` from the position in NextToken on, at most Limit of them, under `member`.
Value page_of(const json::Array& items, const Value& input, const char* member) {
  const auto limit = static_cast<std::size_t>(input["Limit"].int_or(100));
  const auto decoded = base64_decode(input["NextToken"].string_or(""));
  const auto skip = static_cast<std::size_t>(std::max<std::int64_t>(0, decoded ? to_int64(*decoded).value_or(0) : 0));
  json::Array page;
  for (std::size_t i = skip; i < items.size() && page.size() < limit; ++i) page.push_back(items[i]);
  const std::size_t next = skip + page.size();
  Value out{json::Object{{member, std::move(page)}}};
  if (next < items.size()) out.set("NextToken", base64_encode(std::to_string(next)));
  return out;
}

}  // namespace

aws::ServiceTable Events::table() {
  aws::ServiceTable table;
  table.service = "events";
  table.add("PutRule", [this](const auto& caller, const auto& input) { return put_rule(caller, input); });
  table.add("PutEvents", [this](const auto& caller, const auto& input) { return put_events(caller, input); });
  table.add("PutTargets", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    return bus_.put_targets(bus, std::string(input["Rule"].string_or("")), input["Targets"]);
  });
  table.add("RemoveTargets", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    return bus_.remove_targets(bus, std::string(input["Rule"].string_or("")), input["Ids"]);
  });
  table.add("DeleteRule", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    FIXPOINT_CHECK(bus_.delete_rule(bus, std::string(input["Name"].string_or(""))));
    return Value(json::Object());
  });
  for (const bool enabled : {true, false})
    table.add(enabled ? "EnableRule" : "DisableRule",
              [this, enabled](const aws::Caller& caller, const Value& input) -> Result<Value> {
                FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
                FIXPOINT_CHECK(bus_.set_enabled(bus, std::string(input["Name"].string_or("")), enabled));
                return Value(json::Object());
              });
  table.add_quick("DescribeRule", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    const std::string name(input["Name"].string_or(""));
    FIXPOINT_TRY(rule, bus_.find_rule(bus, name));
    if (!rule)
      return fail(errors::coded("ResourceNotFoundException",
                                "Rule " + name + " does not exist on EventBus " + bus.name + ".", 400));
    Value out = rule_json(*rule);
    out.set("CreatedBy", caller.account);
    return out;
  });
  table.add_quick("ListRules", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    FIXPOINT_TRY(rules, bus_.list_rules(bus, std::string(input["NamePrefix"].string_or(""))));
    json::Array items;
    for (const auto& rule : rules) items.push_back(rule_json(rule));
    return page_of(items, input, "Rules");
  });
  table.add_quick("ListTargetsByRule", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    FIXPOINT_TRY(targets, bus_.list_targets(bus, std::string(input["Rule"].string_or(""))));
    json::Array items;
    for (const auto& target : targets) items.push_back(target.form);
    return page_of(items, input, "Targets");
  });
  table.add_quick("ListRuleNamesByTarget", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    FIXPOINT_TRY(rules, bus_.list_rules_of_target(bus, std::string(input["TargetArn"].string_or(""))));
    json::Array items;
    for (const auto& rule : rules) items.emplace_back(rule.name);
    return page_of(items, input, "RuleNames");
  });
  table.add_quick("TestEventPattern", [](const aws::Caller&, const Value& input) -> Result<Value> {
    const std::string event(input["Event"].string_or(""));
    // The service wants a whole envelope:
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
    const auto parsed = json::parse(event);
    if (!parsed)
      return fail(
          errors::coded("InvalidEventPatternException",
                        "Event is not valid JSON: " + parsed.error().message + " (" + parsed.error().where + ")", 400));
    for (const auto* member : {"id", "account", "source", "time", "region", "resources", "detail-type"})
      if (parsed->find(member) == nullptr)
        return fail(
            errors::validation("Parameter Event is not valid: it has no '" + std::string(member) + "'", "Event"));
    FIXPOINT_TRY(matched, patterns::matches(input["EventPattern"].string_or(""), event));
    return Value(json::Object{{"Result", matched}});
  });
  return table;
}

Result<Value> Events::put_rule(const aws::Caller& caller, const Value& input) {
  FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
  if (input.find("ScheduleExpression") != nullptr && !input["ScheduleExpression"].string_or("").empty())
    return fail(
        errors::not_implemented("rules with a schedule are not there yet; give an EventPattern", "ScheduleExpression"));
  if (input["EventPattern"].string_or("").empty())
    return fail(
        errors::validation("Parameter(s) EventPattern or ScheduleExpression must be specified.", "EventPattern"));
  bus::Rule rule;
  rule.bus = bus;
  rule.name = input["Name"].string_or("");
  rule.pattern = input["EventPattern"].string_or("");
  rule.description = input["Description"].string_or("");
  rule.role = input["RoleArn"].string_or("");
  rule.enabled = input["State"].string_or("ENABLED") != "DISABLED";
  FIXPOINT_TRY(put, bus_.put_rule(std::move(rule)));
  return Value(json::Object{{"RuleArn", put.arn()}});
}

Result<Value> Events::put_events(const aws::Caller& caller, const Value& input) {
  const Value& entries = input["Entries"];
  if (entries.size() == 0 || entries.size() > entries_a_call)
    return fail(errors::validation(
        "Entries has " + std::to_string(entries.size()) + " entries; 1 to 10 are taken in one call", "Entries"));
  json::Array results;
  std::vector<std::pair<Value, std::string>> events;
  std::size_t failed = 0;
  for (const Value& entry : entries.as_array()) {
    const auto refuse = [&](const std::string& code, const std::string& message) {
      results.emplace_back(json::Object{{"ErrorCode", code}, {"ErrorMessage", message}});
      ++failed;
    };
    // The codes of the service's own answers:
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
    bool whole = true;
    for (const auto* member : {"Source", "DetailType", "Detail"})
      if (whole && entry[member].string_or("").empty()) {
        refuse("InvalidArgument",
               "Parameter " + std::string(member) + " is not valid. Reason: " + member + " is a required argument.");
        whole = false;
      }
    if (!whole) continue;
    if (entry["Source"].string_or("").starts_with("aws.")) {
      refuse("NotAuthorizedForSourceException", "Not authorized for the source.");
      continue;
    }
    auto bus = bus_of(caller, entry["EventBusName"]);
    if (!bus) {
      refuse(bus.error().code, bus.error().message);
      continue;
    }
    auto detail = json::parse(entry["Detail"].string_or(""));
    if (!detail || !detail->is_object()) {
      refuse("MalformedDetail", "Detail is malformed.");
      continue;
    }
    if (json::print(entry).size() > entry_limit_bytes)
      return fail(errors::validation("Total size of the entries in the request is over the limit.", "Entries"));
    const Value* time = entry.find("Time");
    const TimeMs at =
        time != nullptr && time->is_number() ? static_cast<TimeMs>(std::llround(time->as_double() * 1000)) : 0;
    Value event =
        bus_.make_event(*bus, std::string(entry["Source"].string_or("")),
                        std::string(entry["DetailType"].string_or("")), entry["Resources"], std::move(*detail), at);
    results.emplace_back(json::Object{{"EventId", event["id"]}});
    events.emplace_back(std::move(event), bus->name);
  }
  bus::Origin origin;
  if (caller.principal) origin = {caller.principal->execution, caller.principal->arn};
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    for (const auto& [event, bus] : events) FIXPOINT_CHECK(bus_.publish(tx, event, bus, origin));
    return {};
  }));
  return Value(json::Object{{"FailedEntryCount", failed}, {"Entries", results}});
}

}  // namespace fixpoint::services
