// Event buses, their permissions, and tags.
#include "base/arn.h"
#include "json/text.h"
#include "services/events/events.h"
#include "services/events/page.h"

namespace fixpoint::services {
namespace {

using json::Value;

Value bus_json(const bus::EventBus& bus) {
  json::Object out{{"Name", bus.name.name}, {"Arn", bus.name.arn()}};
  if (!bus.description.empty()) out.set("Description", bus.description);
  if (!bus.policy.is_null()) out.set("Policy", json::print(bus.policy));
  if (bus.made_ms != 0) {
    out.set("CreationTime", seconds(bus.made_ms));
    out.set("LastModifiedTime", seconds(bus.changed_ms));
  }
  return out;
}

void add_settings(json::Object& out, const bus::EventBus& bus) {
  if (!bus.description.empty()) out.set("Description", bus.description);
  if (!bus.kms_key.empty()) out.set("KmsKeyIdentifier", bus.kms_key);
  if (!bus.dead_letter.is_null()) out.set("DeadLetterConfig", bus.dead_letter);
}

Result<bus::EventBus> settings_of(const aws::Caller& caller, const Value& input) {
  for (const auto* member : {"EventSourceName", "LogConfig"})
    if (const Value* value = input.find(member); value != nullptr && !value->is_null())
      return fail(errors::not_implemented(std::string(member) + " is not there in this version; leave it out", member));
  bus::EventBus bus;
  FIXPOINT_TRY(name, bus_of(caller, input["Name"]));
  bus.name = std::move(name);
  bus.description = input["Description"].string_or("");
  bus.kms_key = input["KmsKeyIdentifier"].string_or("");
  if (const Value* config = input.find("DeadLetterConfig")) bus.dead_letter = *config;
  return bus;
}

// The statement that PutPermission's parameters stand for.
Result<Value> statement_of(const bus::BusName& bus, const Value& input) {
  const std::string principal(input["Principal"].string_or(""));
  const std::string action(input["Action"].string_or("events:PutEvents"));
  const std::string sid(input["StatementId"].string_or(""));
  if (action != "events:PutEvents")
    return fail(errors::validation("Provided value in parameter 'action' is not supported.", "Action"));
  const bool is_account = principal.size() == 12 && principal.find_first_not_of("0123456789") == std::string::npos;
  if (sid.empty() || (principal != "*" && !is_account))
    return fail(errors::validation(
        "PutPermission takes a Policy, or a StatementId and a Principal: an account of 12 digits, or *", "Principal"));
  json::Object statement{
      {"Sid", sid},
      {"Effect", "Allow"},
      {"Principal",
       is_account ? Value(json::Object{{"AWS", "arn:" + bus.partition + ":iam::" + principal + ":root"}}) : Value("*")},
      {"Action", action},
      {"Resource", bus.arn()}};
  if (const Value* condition = input.find("Condition"); condition != nullptr && condition->is_object())
    statement.set(
        "Condition",
        json::Object{{std::string((*condition)["Type"].string_or("")),
                      json::Object{{std::string((*condition)["Key"].string_or("")), (*condition)["Value"]}}}});
  return Value(std::move(statement));
}

}  // namespace

// Error: ResourceNotFoundException for a rule, bus or archive that is none.
Result<std::string> Events::taggable(const Value& input) {
  std::string text(input["ResourceARN"].string_or(""));
  FIXPOINT_TRY(arn, parse_arn(text));
  FIXPOINT_CHECK(check_partition(arn, "ResourceARN"));
  const std::string kind = arn.resource.substr(0, arn.resource.find('/'));
  const std::string rest = arn.resource.substr(std::min(kind.size() + 1, arn.resource.size()));
  const std::size_t slash = rest.find('/');
  bus::BusName bus{arn.account, arn.region, arn.partition, "default"};
  if (arn.service == "events" && kind == "event-bus") {
    bus.name = rest;
    FIXPOINT_CHECK(bus_.buses().get(bus));
    return text;
  }
  if (arn.service == "events" && kind == "rule") {
    if (slash != std::string::npos) bus.name = rest.substr(0, slash);
    const std::string name = slash == std::string::npos ? rest : rest.substr(slash + 1);
    FIXPOINT_TRY(rule, bus_.find_rule(bus, name));
    if (rule) return text;
    return fail(errors::coded("ResourceNotFoundException",
                              "Rule " + name + " does not exist on EventBus " + bus.name + ".", 400));
  }
  return fail(
      errors::validation("'" + text.substr(0, 200) + "' takes no tags: rules and event buses do", "ResourceARN"));
}

void Events::add_buses(aws::ServiceTable& table) {
  table.add("CreateEventBus", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(wanted, settings_of(caller, input));
    FIXPOINT_CHECK(bus::EventBuses::check_tags(input["Tags"]));
    FIXPOINT_TRY(bus, bus_.buses().create(std::move(wanted)));
    if (input["Tags"].size() > 0) FIXPOINT_CHECK(bus_.buses().tag(bus.name.arn(), input["Tags"]));
    json::Object out{{"EventBusArn", bus.name.arn()}};
    add_settings(out, bus);
    return Value(std::move(out));
  });
  table.add("UpdateEventBus", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(wanted, settings_of(caller, input));
    FIXPOINT_TRY(bus, bus_.buses().update(std::move(wanted)));
    json::Object out{{"Arn", bus.name.arn()}, {"Name", bus.name.name}};
    add_settings(out, bus);
    return Value(std::move(out));
  });
  table.add("DeleteEventBus", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["Name"]));
    FIXPOINT_CHECK(bus_.buses().remove(bus));
    return Value(json::Object());
  });
  table.add_quick("DescribeEventBus", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, bus_of(caller, input["Name"]));
    FIXPOINT_TRY(bus, bus_.buses().get(name));
    Value out = bus_json(bus);
    add_settings(out.as_object(), bus);
    return out;
  });
  table.add_quick("ListEventBuses", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(any, bus_of(caller, Value()));
    FIXPOINT_TRY(buses, bus_.buses().list(any, std::string(input["NamePrefix"].string_or(""))));
    json::Array items;
    for (const auto& bus : buses) items.push_back(bus_json(bus));
    return page_of(items, input, "EventBuses");
  });
  table.add("PutPermission", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    if (const std::string_view policy = input["Policy"].string_or(""); !policy.empty()) {
      auto parsed = json::parse(policy);
      if (!parsed)
        return fail(errors::validation(
            "Policy is no JSON text: " + parsed.error().message + " (" + parsed.error().where + ")", "Policy"));
      FIXPOINT_CHECK(bus_.buses().put_policy(bus, *parsed));
      return Value(json::Object());
    }
    FIXPOINT_TRY(statement, statement_of(bus, input));
    FIXPOINT_CHECK(bus_.buses().put_statement(bus, statement));
    return Value(json::Object());
  });
  table.add("RemovePermission", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    std::optional<std::string> sid;
    if (!input["RemoveAllPermissions"].bool_or(false)) sid = std::string(input["StatementId"].string_or(""));
    FIXPOINT_TRY(bus, bus_of(caller, input["EventBusName"]));
    FIXPOINT_CHECK(bus_.buses().remove_statement(bus, sid));
    return Value(json::Object());
  });
  table.add("TagResource", [this](const aws::Caller&, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(arn, taggable(input));
    FIXPOINT_CHECK(bus_.buses().tag(arn, input["Tags"]));
    return Value(json::Object());
  });
  table.add("UntagResource", [this](const aws::Caller&, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(arn, taggable(input));
    FIXPOINT_CHECK(bus_.buses().untag(arn, input["TagKeys"]));
    return Value(json::Object());
  });
  table.add_quick("ListTagsForResource", [this](const aws::Caller&, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(arn, taggable(input));
    FIXPOINT_TRY(tags, bus_.buses().tags(arn));
    return Value(json::Object{{"Tags", tags}});
  });
}

}  // namespace fixpoint::services
