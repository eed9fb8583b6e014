#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/archives.h"
#include "bus/input.h"
#include "bus/rule.h"
#include "patterns/machine.h"

namespace fixpoint::bus {

/// A rule, or an archive, that is in force.
struct ActiveRule {
  std::string arn, name;
  struct Target {
    bus::Target target;
    TargetInput input;
  };
  std::vector<Target> targets;
  bool is_archive = false;
};

/// What is in force on one bus, with the machine of all patterns. Immutable once built.
class ActiveBus {
 public:
  /// Null where there is no such rule.
  const ActiveRule* rule(std::string_view name) const;
  /// Calls `each` with every rule and archive whose pattern matches, until it fails.
  Result<void> match(std::string_view event_text, const std::function<Result<void>(const ActiveRule&)>& each) const;

 private:
  friend class ActiveBusBuilder;
  std::map<std::string, ActiveRule, std::less<>> entries_;  // an archive's name has a '/' before it
  std::vector<const ActiveRule*> by_id_;                    // by the machine's rule id
  std::shared_ptr<const patterns::Machine> machine_;
};

/// Every bus that has something in force.
struct ActiveRules {
  std::map<std::string, std::shared_ptr<const ActiveBus>, std::less<>> buses;  ///< by key()
  static std::string key(const BusName& bus) { return bus.account + "/" + bus.region + "/" + bus.name; }

  /// Reads the rules of one bus, or of all where `bus` is null, and the archives of those.
  static Result<void> read(store::Session& session, const BusName* bus, const std::vector<Archive>& archives,
                           ActiveRules& into);
};

}  // namespace fixpoint::bus
