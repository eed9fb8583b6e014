// The JSON API on rules: /api/rules, /api/rule-trial, /api/deliveries.
#include "gateway/api.h"
#include "gateway/rule_trial.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::size_t deliveries_an_answer = 1000;
constexpr TimeMs default_past_ms = 7LL * 24 * 3'600'000;

bus::BusName bus_of(const aws::Caller& caller, const Value& input) {
  return {caller.account, caller.region, caller.partition, std::string(input["Bus"].string_or("default"))};
}

}  // namespace

Result<Value> Api::rules(const aws::Caller& caller, const Value& input) {
  const bus::BusName bus = bus_of(caller, input);
  FIXPOINT_CHECK(parts_.bus.buses().get(bus));
  FIXPOINT_TRY(rules, parts_.bus.list_rules(bus, ""));
  json::Array list;
  for (const auto& rule : rules) {
    FIXPOINT_TRY(targets, parts_.bus.list_targets(bus, rule.name));
    json::Array arns;
    for (const auto& target : targets) arns.emplace_back(target.arn);
    list.emplace_back(json::Object{{"Name", rule.name},
                                   {"Enabled", rule.enabled},
                                   {"Pattern", rule.pattern},
                                   {"Schedule", rule.schedule},
                                   {"Targets", std::move(arns)}});
  }
  return Value(json::Object{{"Bus", bus.name}, {"Rules", std::move(list)}});
}

// {"Rule" or "Pattern", "Bus", "SinceMs": how far back in milliseconds}
Result<Value> Api::rule_trial(const aws::Caller& caller, const Value& input) {
  RuleTrial::Question question{.bus = bus_of(caller, input),
                               .rule = std::string(input["Rule"].string_or("")),
                               .pattern = std::string(input["Pattern"].string_or("")),
                               .since_ms = 0};
  if (question.rule.empty() && question.pattern.empty())
    return fail(errors::validation("a trial takes the name of a Rule, a Pattern, or both", "Rule"));
  const TimeMs past = input["SinceMs"].int_or(default_past_ms);
  if (past < 0) return fail(errors::validation("SinceMs is how far back the trial goes, in milliseconds", "SinceMs"));
  question.since_ms = std::max<TimeMs>(0, parts_.clock.now_ms() - past);
  FIXPOINT_TRY(sends_v2, parts_.securityhub.sends_v2(question.bus.account, question.bus.region));
  question.sends_v2 = sends_v2;
  FIXPOINT_TRY(feeds, parts_.securityhub.feeds());
  question.feeds = std::move(feeds);
  RuleTrial trial(parts_.bus, parts_.findings, parts_.controls, parts_.clock);
  return trial.ask(question);
}

Result<Value> Api::deliveries() {
  FIXPOINT_TRY(left, parts_.bus.deliveries().left(deliveries_an_answer));
  json::Array list;
  for (const auto& one : left)
    list.emplace_back(json::Object{{"Id", one.id},
                                   {"Rule", one.rule_arn},
                                   {"Target", one.target_arn},
                                   {"Event", one.event_id},
                                   {"State", one.state},
                                   {"Attempts", one.attempts},
                                   {"FirstAt", format_iso8601_ms(one.first_ms)},
                                   {"NextAt", one.state == "waiting" ? Value(format_iso8601_ms(one.next_ms)) : Value()},
                                   {"Error", one.error}});
  return Value(json::Object{{"Deliveries", std::move(list)}});
}

}  // namespace fixpoint::gateway
