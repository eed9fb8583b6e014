#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "bus/bus.h"
#include "controls/control.h"
#include "findings/finding_store.h"
#include "json/value.h"
#include "services/securityhub/securityhub.h"

namespace fixpoint::gateway {

/// Tries a rule on what is past, before it is switched on: what it would have started. Starts nothing. Thread-safe.
///
/// The past is what the archives of the rule's bus hold, and, on the default bus, one event of every finding that was
/// updated in that time, as it stands now; two where Security Hub V2 is on.
class RuleTrial {
 public:
  RuleTrial(bus::Bus& bus, findings::FindingStore& findings, const controls::ControlSet& controls, const Clock& clock)
      : bus_(bus), findings_(findings), controls_(controls), clock_(clock) {}

  struct Question {
    bus::BusName bus;
    std::string rule;     ///< its name; empty where a pattern alone is tried
    std::string pattern;  ///< instead of the rule's own
    TimeMs since_ms = 0;
    bool sends_v2 = false;  ///< a finding's second event, of Security Hub V2, is tried too
    std::shared_ptr<const services::hub::FeedMap> feeds{};  ///< which other findings the default bus hears of
  };
  /// {"Rule", "Since", "Events", "FromArchives", "FromFindings", "Matched", "Starts": [{"Target", "Program", "Account",
  /// "Region", "Resource", "Finding", "Events"}], "LeftAlone": [{"Finding", "Because"}], "Whole"}: `Whole` is false
  /// where there was more than 100,000 events. One piece of work (a control and a resource) stands in Starts once.
  /// Errors: ResourceNotFoundException for the rule; InvalidEventPatternException.
  Result<json::Value> ask(const Question& question);

 private:
  struct Tally;
  Result<void> from_archives(const Question& question, Tally& tally);
  Result<void> from_findings(const Question& question, Tally& tally);
  Result<void> from_findings_v2(const Question& question, Tally& tally);
  Result<void> consider(const json::Value& event, Tally& tally);

  bus::Bus& bus_;
  findings::FindingStore& findings_;
  const controls::ControlSet& controls_;
  const Clock& clock_;
};

}  // namespace fixpoint::gateway
