// Automation rules as time goes by.
#include <gmock/gmock.h>

#include "gateway/hub.h"

namespace fixpoint::gateway {
namespace {

class Ruled : public Hub {
 public:
  Ruled() { mode(controls::Mode::Observe); }
  Result<Value> create(const Value& criteria, const Value& update) {
    return table.operations.find("CreateAutomationRule")
        ->second.function(caller, Object{{"RuleName", "r"},
                                         {"Description", "d"},
                                         {"RuleOrder", 1},
                                         {"Criteria", criteria},
                                         {"Actions", json::Array{Value(Object{{"Type", "FINDING_FIELDS_UPDATE"},
                                                                              {"FindingFieldsUpdate", update}})}}});
  }
  // One that its product updated so long before now.
  Value finding_of(const std::string& id, TimeMs ago_ms) {
    Value finding = other(bucket(), id);
    finding.set("UpdatedAt", format_iso8601_ms(clock.now_ms() - ago_ms));
    return finding;
  }
  std::string label_of(const std::string& id) {
    const auto key = must(findings->resolve(id));
    const auto found = must(store->read([&](store::Session& session) { return findings->get(session, key); }));
    return std::string((*found)["Severity"]["Label"].string_or(""));
  }

  aws::ServiceTable table = securityhub->table();
};

constexpr TimeMs hour_ms = 3'600'000;

// A rule was compiled when it was first needed, and its "last day" stayed the one before that.
TEST(AutomationRules, the_last_days_are_those_before_the_finding_came) {
  Ruled hub;
  const Value last_day = json::Array{Value(Object{{"DateRange", Object{{"Value", 1}, {"Unit", "DAYS"}}}})};
  Hub::must(hub.create(Object{{"UpdatedAt", last_day}}, Object{{"Severity", Object{{"Label", "CRITICAL"}}}}));
  hub.import(hub.finding_of("fresh", hour_ms));
  EXPECT_EQ(hub.label_of("fresh"), "CRITICAL");
  hub.clock.set_ms(hub.clock.now_ms() + 10 * 24 * hour_ms);
  hub.import(hub.finding_of("stale", 48 * hour_ms));
  EXPECT_NE(hub.label_of("stale"), "CRITICAL");
  hub.import(hub.finding_of("fresh-again", hour_ms));
  EXPECT_EQ(hub.label_of("fresh-again"), "CRITICAL");
}

}  // namespace
}  // namespace fixpoint::gateway
