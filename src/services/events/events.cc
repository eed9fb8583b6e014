#include "services/events/events.h"

#include <algorithm>

#include "aws/offset_page.h"
#include "aws/verify.h"
#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"
#include "patterns/test_pattern.h"
#include "services/events/page.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr std::size_t entries_a_call = 10;
constexpr std::size_t entries_limit_bytes = 256UL * 1024;

// As the service counts it: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
std::size_t size_of(const Value& entry) {
  std::size_t bytes = entry.find("Time") != nullptr && !entry["Time"].is_null() ? 14 : 0;
  for (const auto* member : {"Source", "DetailType", "Detail"}) bytes += entry[member].string_or("").size();
  for (std::size_t i = 0; i < entry["Resources"].size(); ++i) bytes += entry["Resources"][i].string_or("").size();
  return bytes;
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html: it takes CloudTrail's read-only events
// as well, which a rule here gets in any case; it is shown as it was set.
constexpr const char* with_all_of_cloudtrail = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

Value rule_json(const bus::Rule& rule) {
  json::Object out{{"Name", rule.name},
                   {"Arn", rule.arn()},
                   {"State", !rule.enabled                 ? "DISABLED"
                             : rule.with_all_of_cloudtrail ? with_all_of_cloudtrail
                                                           : "ENABLED"},
                   {"EventBusName", rule.bus.name}};
  if (!rule.pattern.empty()) out.set("EventPattern", rule.pattern);
  if (!rule.schedule.empty()) out.set("ScheduleExpression", rule.schedule);
  if (!rule.description.empty()) out.set("Description", rule.description);
  if (!rule.role.empty()) out.set("RoleArn", rule.role);
  return out;
}

}  // namespace

Result<void> check_partition(const Arn& arn, const char* parameter) {
  const auto right = partition_of_region(arn.region);
  if (arn.partition == right) return {};
  return fail(errors::validation("Parameter " + std::string(parameter) +
                                     " is not valid. Reason: Provided Arn is not in correct format: the partition of " +
                                     arn.region + " is " + std::string(right) + ", not " + arn.partition + ".",
                                 parameter));
}

Result<bus::BusName> bus_of(const aws::Caller& caller, const Value& name) {
  bus::BusName bus{caller.account, caller.region, caller.partition, std::string(name.string_or("default"))};
  if (const auto arn = parse_arn(bus.name)) {
    FIXPOINT_CHECK(check_partition(*arn, "EventBusName"));
    bus.partition = arn->partition;
    bus.account = arn->account;
    bus.region = arn->region;
    bus.name = arn->resource.substr(arn->resource.find('/') + 1);
  }
  return bus;
}

Result<Value> page_of(const json::Array& items, const Value& input, const char* member) {
  return aws::offset_page(
      items, static_cast<std::size_t>(input["Limit"].int_or(100)), input["NextToken"].string_or(""), member,
      errors::validation("Parameter NextToken is not valid. Reason: Provided token is not valid.", "NextToken"));
}

aws::ServiceTable Events::table() {
  aws::ServiceTable table;
  table.service = "events";
  table.add("PutRule", [this](const auto& caller, const auto& input) { return put_rule(caller, input); });
  table.add_async("PutEvents", [this](const aws::Caller& caller, const Value& input, aws::Answer answer) {
    put_events(caller, input, std::move(answer));
  });
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
    FIXPOINT_CHECK(bus_.buses().get(bus));
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
    FIXPOINT_CHECK(bus_.buses().get(bus));
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
  add_buses(table);
  add_archives(table);
  add_connections(table);
  add_destinations(table);
  return table;
}

Result<Value> Events::put_rule(const aws::Caller& caller, const Value& input) {
  FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
  bus::Rule rule;
  rule.bus = bus;
  rule.name = input["Name"].string_or("");
  rule.pattern = input["EventPattern"].string_or("");
  rule.schedule = input["ScheduleExpression"].string_or("");
  rule.description = input["Description"].string_or("");
  rule.role = input["RoleArn"].string_or("");
  rule.enabled = input["State"].string_or("ENABLED") != "DISABLED";
  rule.with_all_of_cloudtrail = input["State"].string_or("") == with_all_of_cloudtrail;
  // "If you are updating an existing rule, any tags you specify in the PutRule operation are ignored." (API_PutRule)
  bool is_new = false;
  if (input["Tags"].size() > 0) {
    FIXPOINT_CHECK(bus::EventBuses::check_tags(input["Tags"]));
    FIXPOINT_TRY(there, bus_.find_rule(bus, rule.name));
    is_new = !there;
  }
  FIXPOINT_TRY(put, bus_.put_rule(std::move(rule)));
  if (is_new) FIXPOINT_CHECK(bus_.buses().tag(put.arn(), input["Tags"]));
  return Value(json::Object{{"RuleArn", put.arn()}});
}

// What the entries are and what they match is found out here; the transaction has what is left of it, so that many
// calls fit under one commit, and no thread waits for that.
void Events::put_events(const aws::Caller& caller, const Value& input, aws::Answer answer) {
  const Value& entries = input["Entries"];
  if (entries.size() == 0 || entries.size() > entries_a_call)
    return answer(fail(errors::validation(
        "Entries has " + std::to_string(entries.size()) + " entries; 1 to 10 are taken in one call", "Entries")));
  std::size_t bytes = 0;
  for (const Value& entry : entries.as_array()) bytes += size_of(entry);
  if (bytes > entries_limit_bytes)
    return answer(fail(errors::validation("Total size of the entries in the request is over the limit.", "Entries")));
  struct Put {
    std::size_t entry;
    bus::BusName bus;
    bus::Bus::Matched matched;
  };
  struct Call {
    std::string account;
    bus::Origin origin;
    json::Array results;
    std::vector<Put> puts;
  };
  const auto call = std::make_shared<Call>();
  call->account = caller.account;
  if (caller.principal) call->origin = {caller.principal->execution, caller.principal->person()};
  for (const Value& entry : entries.as_array()) {
    const auto refuse = [&](const std::string& code, const std::string& message) {
      call->results.emplace_back(json::Object{{"ErrorCode", code}, {"ErrorMessage", message}});
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
    auto detail = json::parse(entry["Detail"].string_or(""));
    if (!detail || !detail->is_object()) {
      refuse("MalformedDetail", "Detail is malformed.");
      continue;
    }
    auto bus = bus_of(caller, entry["EventBusName"]);
    if (!bus) {
      refuse("InvalidArgument", bus.error().message);
      continue;
    }
    // The envelope says whence the event came, whatever bus it is put on.
    const bus::BusName here{caller.account, caller.region, caller.partition, "default"};
    Value event = bus_.make_event(here, std::string(entry["Source"].string_or("")),
                                  std::string(entry["DetailType"].string_or("")), entry["Resources"],
                                  std::move(*detail), ms_of(entry["Time"]));
    const Value id = event["id"];
    // A bus that does not exist takes the event, and nobody gets it: so the service's recorded answers have it.
    Put put{call->results.size(), std::move(*bus), {}};
    auto matched = bus_.match(put.bus, std::move(event));
    if (!matched) {
      refuse("MalformedDetail", "Detail is malformed.");
      continue;
    }
    call->results.emplace_back(json::Object{{"EventId", id}});
    put.matched = std::move(*matched);
    if (!put.matched.empty() || put.bus.account != caller.account) call->puts.push_back(std::move(put));
  }
  later_.write<Value>(
      [this, call](store::Transaction& tx) -> Result<Value> {
        for (Put& put : call->puts) {
          if (put.bus.account != call->account) {
            FIXPOINT_TRY(there, bus_.buses().get(tx, put.bus));
            if (!bus::allows(there.policy, call->account)) {
              call->results[put.entry] =
                  json::Object{{"ErrorCode", "AccessDeniedException"},
                               {"ErrorMessage", "The policy of " + put.bus.arn() + " does not let account " +
                                                    call->account + " put events on it."}};
              continue;
            }
          }
          FIXPOINT_CHECK(bus_.publish(tx, std::move(put.matched), call->origin));
        }
        const auto failed = std::count_if(call->results.begin(), call->results.end(),
                                          [](const Value& result) { return result.find("ErrorCode") != nullptr; });
        return Value(json::Object{{"FailedEntryCount", failed}, {"Entries", std::move(call->results)}});
      },
      std::move(answer));
}

}  // namespace fixpoint::services
