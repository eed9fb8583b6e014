#include <algorithm>

#include "base/arn.h"
#include "base/text.h"
#include "bus/bus.h"
#include "bus/destination_request.h"
#include "bus/input.h"
#include "bus/rows.h"
#include "bus/schedule.h"
#include "json/text.h"
#include "patterns/pattern.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr std::size_t targets_on_a_rule = 5;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

store::Params key(const BusName& bus) {
  return {bus.account, bus.region, bus.name};
}
store::Params key(const BusName& bus, const std::string& rule) {
  return {bus.account, bus.region, bus.name, rule};
}

// The words of EventBridge's own answer, which its recordings show: "Rule NAME does not exist on EventBus default."
Error no_rule(const BusName& bus, const std::string& name) {
  return errors::coded("ResourceNotFoundException", "Rule " + name + " does not exist on EventBus " + bus.name + ".",
                       400);
}

bool is_name(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

// What a target is that EventBridge has and this server has not.
std::string described(const Arn& arn) {
  if (arn.service == "states") return "Step Functions state machines";
  if (arn.service == "ssm") return "Systems Manager Automation runbooks and Run Command";
  return "targets of the service '" + arn.service + "'";
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
Result<void> check_policies(const Value& target, const std::string& place) {
  const struct {
    const char* member;
    std::int64_t low, high;
  } limits[]{{"MaximumRetryAttempts", 0, 185}, {"MaximumEventAgeInSeconds", 60, 86'400}};
  for (const auto& limit : limits)
    if (const Value* value = target["RetryPolicy"].find(limit.member); value != nullptr && !value->is_null())
      if (const std::int64_t number = value->int_or(-1); number < limit.low || number > limit.high)
        return fail(errors::validation(place + ".RetryPolicy." + limit.member + " is a number from " +
                                           std::to_string(limit.low) + " to " + std::to_string(limit.high),
                                       place + ".RetryPolicy"));
  if (const Value* queue = target["DeadLetterConfig"].find("Arn"); queue != nullptr && !queue->is_null()) {
    const auto arn = parse_arn(queue->string_or(""));
    if (!arn || arn->service != "sqs" || arn->resource.ends_with(".fifo"))
      return fail(errors::validation(place + ".DeadLetterConfig.Arn has to be the ARN of a standard SQS queue",
                                     place + ".DeadLetterConfig"));
  }
  return {};
}

}  // namespace

Result<Rule> Bus::put_rule(Rule rule) {
  if (!is_name(rule.name, 64))
    return fail(errors::validation(
        "'" + rule.name.substr(0, 80) + "' is no rule name: 1 to 64 letters, digits, '.', '-' or '_'", "Name"));
  if (rule.pattern.size() > 4096)
    return fail(errors::validation(
        "the event pattern has " + std::to_string(rule.pattern.size()) + " characters; at most 4096 are taken",
        "EventPattern"));
  if (rule.pattern.empty() && rule.schedule.empty())
    return fail(
        errors::validation("Parameter(s) EventPattern or ScheduleExpression must be specified.", "EventPattern"));
  if (!rule.pattern.empty()) FIXPOINT_CHECK(patterns::compile(rule.pattern));
  std::optional<Schedule> schedule;
  if (!rule.schedule.empty()) {
    if (rule.bus.name != "default")
      return fail(errors::validation("ScheduleExpression is supported only on the default event bus."));
    FIXPOINT_TRY(read, Schedule::read(rule.schedule));
    schedule = read;
  }
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(buses_.get(tx, rule.bus));
    FIXPOINT_TRY(there, find(tx, rule.bus, rule.name));
    // A rate goes on counting where nothing of it changed.
    rule.made_ms = there && there->schedule == rule.schedule && there->made_ms != 0 ? there->made_ms : clock_.now_ms();
    const TimeMs next = schedule ? schedule->next(clock_.now_ms(), rule.made_ms).value_or(0) : 0;
    FIXPOINT_CHECK(tx.execute(
        "INSERT INTO bus_rule (account, region, bus, name, partition, pattern, description, role, enabled, schedule, "
        "made_ms, next_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (account, region, bus, name) DO UPDATE SET "
        "pattern = excluded.pattern, description = excluded.description, role = excluded.role, enabled = "
        "excluded.enabled, schedule = excluded.schedule, made_ms = excluded.made_ms, next_ms = excluded.next_ms",
        {rule.bus.account, rule.bus.region, rule.bus.name, rule.name, rule.bus.partition, rule.pattern,
         rule.description, rule.role,
         std::int64_t{rule.enabled} + (rule.enabled && rule.with_all_of_cloudtrail ? 1 : 0), rule.schedule,
         rule.made_ms, next}));
    return reload(tx, rule.bus, rule.name);
  }));
  return rule;
}

Result<std::optional<Rule>> Bus::find(store::Session& session, const BusName& bus, const std::string& name) {
  FIXPOINT_TRY(rows,
               session.query(std::string(rule_columns) + "WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                             key(bus, name)));
  if (rows.empty()) return std::nullopt;
  return rule_of(rows[0]);
}

Result<std::optional<Rule>> Bus::find_rule(const BusName& bus, const std::string& name) {
  return store_.read([&](store::Session& session) -> Result<std::optional<Rule>> {
    FIXPOINT_CHECK(buses_.get(session, bus));
    return find(session, bus, name);
  });
}

Result<std::vector<Rule>> Bus::list_rules(const BusName& bus, const std::string& prefix) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Rule>> {
    FIXPOINT_TRY(rows,
                 session.query(std::string(rule_columns) + "WHERE account = ? AND region = ? AND bus = ? ORDER BY name",
                               key(bus)));
    std::vector<Rule> rules;
    for (store::Row& row : rows) {
      Rule rule = rule_of(row);
      if (rule.name.starts_with(prefix)) rules.push_back(std::move(rule));
    }
    return rules;
  });
}

Result<void> Bus::delete_rule(const BusName& bus, const std::string& name) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(buses_.get(tx, bus));
    FIXPOINT_TRY(targets,
                 tx.query("SELECT count(*) FROM bus_target WHERE account = ? AND region = ? AND bus = ? AND rule = ?",
                          key(bus, name)));
    if (targets[0].integer(0) > 0) return fail(errors::validation("Rule can't be deleted since it has targets."));
    FIXPOINT_CHECK(
        tx.execute("DELETE FROM bus_rule WHERE account = ? AND region = ? AND bus = ? AND name = ?", key(bus, name)));
    Rule gone;
    gone.bus = bus;
    gone.name = name;
    FIXPOINT_CHECK(EventBuses::drop_tags(tx, gone.arn()));
    if (rule_deleted_) FIXPOINT_CHECK(rule_deleted_(tx, gone.arn()));
    return reload(tx, bus, name);
  });
}

Result<void> Bus::set_enabled(const BusName& bus, const std::string& name, bool enabled) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(buses_.get(tx, bus));
    FIXPOINT_TRY(rule, find(tx, bus, name));
    if (!rule) return fail(no_rule(bus, name));
    // What a schedule missed while its rule was disabled is not made up.
    TimeMs next = 0;
    if (!rule->schedule.empty()) {
      FIXPOINT_TRY(schedule, Schedule::read(rule->schedule));
      next = schedule.next(clock_.now_ms(), rule->made_ms).value_or(0);
    }
    store::Params params{std::int64_t{enabled}, next};
    for (auto& part : key(bus, name)) params.push_back(part);
    FIXPOINT_CHECK(tx.execute(
        "UPDATE bus_rule SET enabled = ?, next_ms = ? WHERE account = ? AND region = ? AND bus = ? AND name = ?",
        params));
    return reload(tx, bus, name);
  });
}

Result<Value> Bus::put_targets(const BusName& bus, const std::string& rule, const Value& targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Value& target = targets[i];
    const std::string place = "Targets[" + std::to_string(i) + "]";
    const std::string arn(target["Arn"].string_or(""));
    const auto parsed = parse_arn(arn);
    if (!parsed) return fail(errors::validation(place + ".Arn: " + parsed.error().message, place + ".Arn"));
    if (!parsed->region.empty() && parsed->partition != partition_of_region(parsed->region))
      return fail(errors::validation("Parameter " + arn +
                                         " is not valid. Reason: Provided Arn is not in correct format: "
                                         "the partition of " +
                                         parsed->region + " is " + std::string(partition_of_region(parsed->region)) +
                                         ", not " + parsed->partition + ".",
                                     place + ".Arn"));
    const TargetKind* kind = deliveries_.kind_of(arn);
    if (kind == nullptr)
      return fail(errors::validation(
          place + ".Arn: " + described(*parsed) + " are not there yet; there are " + deliveries_.kinds(),
          place + ".Arn"));
    FIXPOINT_CHECK(kind->check(arn));
    FIXPOINT_CHECK(check_http_parameters(target["HttpParameters"]));
    FIXPOINT_CHECK(check_policies(target, place));
    FIXPOINT_TRY(input, TargetInput::read(target));
    FIXPOINT_CHECK(input.check_template(std::string(target["Id"].string_or(""))));
  }
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM bus_rule WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                                key(bus, rule)));
    if (rows.empty()) return fail(no_rule(bus, rule));
    for (std::size_t i = 0; i < targets.size(); ++i) {
      store::Params params = key(bus, rule);
      for (const Value* part : {&targets[i]["Id"], &targets[i]["Arn"]})
        params.emplace_back(std::string(part->string_or("")));
      params.emplace_back(json::print(targets[i]));
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO bus_target (account, region, bus, rule, id, arn, form) VALUES (?,?,?,?,?,?,?) ON "
                     "CONFLICT (account, region, bus, rule, id) DO UPDATE SET arn = excluded.arn, form = excluded.form",
                     params));
    }
    FIXPOINT_TRY(count,
                 tx.query("SELECT count(*) FROM bus_target WHERE account = ? AND region = ? AND bus = ? AND rule = ?",
                          key(bus, rule)));
    if (static_cast<std::size_t>(count[0].integer(0)) > targets_on_a_rule)
      return fail(
          errors::coded("LimitExceededException", "The requested resource exceeds the maximum number allowed.", 400));
    FIXPOINT_CHECK(reload(tx, bus, rule));
    return Value(json::Object{{"FailedEntryCount", 0}, {"FailedEntries", json::Array()}});
  });
}

Result<Value> Bus::remove_targets(const BusName& bus, const std::string& rule, const Value& ids) {
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM bus_rule WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                                key(bus, rule)));
    if (rows.empty()) return fail(no_rule(bus, rule));
    json::Array failed;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      store::Params params = key(bus, rule);
      params.emplace_back(std::string(ids[i].string_or("")));
      FIXPOINT_TRY(
          removed,
          tx.execute("DELETE FROM bus_target WHERE account = ? AND region = ? AND bus = ? AND rule = ? AND id = ?",
                     params));
      if (removed == 0)
        failed.emplace_back(json::Object{{"TargetId", ids[i]},
                                         {"ErrorCode", "ResourceNotFoundException"},
                                         {"ErrorMessage", "Rule " + rule + " has no target with that id."}});
    }
    FIXPOINT_CHECK(reload(tx, bus, rule));
    return Value(json::Object{{"FailedEntryCount", failed.size()}, {"FailedEntries", failed}});
  });
}

Result<std::vector<Target>> Bus::list_targets(const BusName& bus, const std::string& rule) {
  FIXPOINT_TRY(found, find_rule(bus, rule));
  if (!found) return fail(no_rule(bus, rule));
  return store_.read([&](store::Session& session) -> Result<std::vector<Target>> {
    FIXPOINT_TRY(rows, session.query("SELECT id, arn, form FROM bus_target WHERE account = ? AND region = ? AND bus = "
                                     "? AND rule = ? ORDER BY id",
                                     key(bus, rule)));
    std::vector<Target> targets;
    for (store::Row& row : rows) {
      FIXPOINT_TRY(target, target_of(row));
      targets.push_back(std::move(target));
    }
    return targets;
  });
}

Result<std::vector<Rule>> Bus::list_rules_of_target(const BusName& bus, const std::string& arn) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Rule>> {
    store::Params params = key(bus);
    params.emplace_back(arn);
    FIXPOINT_TRY(
        rows,
        session.query(
            std::string(rule_columns) +
                "r WHERE account = ? AND region = ? AND bus = ? AND EXISTS (SELECT 1 FROM bus_target t WHERE t.account "
                "= "
                "r.account AND t.region = r.region AND t.bus = r.bus AND t.rule = r.name AND t.arn = ?) ORDER BY name",
            params));
    std::vector<Rule> rules;
    for (store::Row& row : rows) rules.push_back(rule_of(row));
    return rules;
  });
}

}  // namespace fixpoint::bus
