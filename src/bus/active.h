#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/archives.h"
#include "bus/input.h"
#include "bus/rule.h"
#include "patterns/machine.h"
#include "patterns/pattern.h"

namespace fixpoint::bus {

struct ActiveTarget {
  Target target;
  TargetInput input;
};

/// A rule, or an archive, that is in force. Immutable once made.
struct ActiveRule {
  std::string arn, name;
  std::string pattern_text;
  std::shared_ptr<const patterns::Pattern> pattern;  ///< null for a rule that has a schedule alone
  std::vector<ActiveTarget> targets;
  bool is_archive = false;

  /// Where an ActiveBus has it: rules and archives have names of their own.
  std::string place() const { return is_archive ? place_of_archive(name) : name; }
  static std::string place_of_archive(const std::string& name) { return "/" + name; }
};

/// What is in force on one bus. Immutable, but for the machine of all its patterns, which is made when the first event
/// asks for it: a thousand rules that are put one after another make one machine and not a thousand. Thread-safe.
class ActiveBus {
 public:
  /// The same with `rule` at that place in the place of what is there; with null, without it.
  std::shared_ptr<const ActiveBus> with(const std::string& place, std::shared_ptr<const ActiveRule> rule) const;

  bool empty() const { return entries_.empty(); }
  /// Null where there is no such rule.
  const ActiveRule* rule(std::string_view name) const;
  /// Calls `each` with every rule and archive whose pattern matches, until it fails.
  Result<void> match(std::string_view event_text, const std::function<Result<void>(const ActiveRule&)>& each) const;

 private:
  friend struct ActiveRules;
  using Entries = std::map<std::string, std::shared_ptr<const ActiveRule>, std::less<>>;
  struct LazyMachine {
    std::once_flag once;
    std::shared_ptr<const patterns::Machine> made;
  };

  Entries entries_;  // by place
  // Of the patterns of `entries_`; another ActiveBus that has the same shares it.
  std::shared_ptr<LazyMachine> machine_ = std::make_shared<LazyMachine>();
  mutable std::once_flag once_;
  mutable std::vector<const ActiveRule*> by_id_;  // by the machine's rule id
};

/// Every bus that has something in force.
struct ActiveRules {
  std::map<std::string, std::shared_ptr<const ActiveBus>, std::less<>> buses;  ///< by key()
  static std::string key(const BusName& bus) { return bus.account + "/" + bus.region + "/" + bus.name; }

  /// Reads what is stored: all rules, and the archives as they are given.
  static Result<ActiveRules> read(store::Session& session, const std::vector<Archive>& archives);
  /// Reads one rule; null where it is not there or disabled.
  static Result<std::shared_ptr<const ActiveRule>> read(store::Session& session, const BusName& bus,
                                                        const std::string& name);
  static Result<std::shared_ptr<const ActiveRule>> of(const Archive& archive);
};

}  // namespace fixpoint::bus
