#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::bus {

/// Where rules live: an account's bus in a region.
struct BusName {
  std::string account, region, partition = "aws", name = "default";
};

struct Rule {
  BusName bus;
  std::string name;
  std::string pattern;  ///< JSON text as it was given
  std::string description;
  std::string role;
  bool enabled = true;

  /// arn:PARTITION:events:REGION:ACCOUNT:rule/NAME, or rule/BUS/NAME on a bus of another name than default.
  std::string arn() const;
};

struct Target {
  std::string id;
  std::string arn;
  json::Value form;  ///< as PutTargets gave it: Id, Arn, Input, InputPath, ...
};

/// Whose doing an event is, where that is known; not a part of the event that targets get.
struct Origin {
  std::string execution;  ///< the execution that caused it
  std::string principal;  ///< the ARN of who did
};

/// One event on its way to one target of a rule that it matched.
struct Delivery {
  std::string rule_arn;
  Target target;
  json::Value event;  ///< the whole envelope
  json::Value input;  ///< what the target gets: the event, or what Input or InputPath make of it
  Origin origin;

  /// (rule, target, event): what starts an execution only once.
  std::string name() const;
};

/// Begins what a delivery is for, in the transaction that published the event.
using Starter = std::function<Result<void>(store::Transaction&, const Delivery&)>;
/// Refuses an ARN that the starter could not begin; error: ValidationException with a sentence.
using ArnCheck = std::function<Result<void>(const std::string& arn)>;

/// Rules, targets, and the way of an event to them. Thread-safe. Publishing and starting what matched are one
/// transaction: an event is never taken and then lost, and never delivered twice.
class Bus {
 public:
  Bus(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  static store::Schema schema();

  /// Targets whose ARN names that service ("lambda") are begun by it. Before load().
  void add_target_kind(std::string service, Starter start, ArnCheck check);
  /// Reads the rules that are stored.
  Result<void> load();

  /// Errors: InvalidEventPatternException; ValidationException for a name that is none.
  Result<Rule> put_rule(Rule rule);
  Result<std::optional<Rule>> find_rule(const BusName& bus, const std::string& name);
  /// Ordered by name, those that begin with `prefix`.
  Result<std::vector<Rule>> list_rules(const BusName& bus, const std::string& prefix);
  /// Errors: ResourceNotFoundException; ValidationException where targets are left.
  Result<void> delete_rule(const BusName& bus, const std::string& name);
  Result<void> set_enabled(const BusName& bus, const std::string& name, bool enabled);

  /// The entries that failed: {TargetId, ErrorCode, ErrorMessage}. Error: ResourceNotFoundException for the rule;
  /// LimitExceededException beyond 5 targets; ValidationException for a target of a kind that does not exist here.
  Result<json::Value> put_targets(const BusName& bus, const std::string& rule, const json::Value& targets);
  Result<json::Value> remove_targets(const BusName& bus, const std::string& rule, const json::Value& ids);
  Result<std::vector<Target>> list_targets(const BusName& bus, const std::string& rule);
  Result<std::vector<Rule>> list_rules_of_target(const BusName& bus, const std::string& arn);

  /// Puts an event on the bus of its account and region: every enabled rule that matches begins its targets, within
  /// `tx`.
  Result<void> publish(store::Transaction& tx, const json::Value& event, const std::string& bus_name = "default",
                       const Origin& origin = {});

  /// An envelope with a new id. `time_ms` 0 is now.
  json::Value make_event(const BusName& bus, const std::string& source, const std::string& detail_type,
                         json::Value resources, json::Value detail, TimeMs time_ms = 0) const;

 private:
  struct Active;
  Result<std::shared_ptr<const Active>> read_active(store::Session& session);
  Result<void> reload(store::Transaction& tx);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, std::pair<Starter, ArnCheck>> kinds_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Active> active_;
};

/// The part of a document at a path such as `$.detail.findings[0].Id`; nothing where it has none.
/// Error: ValidationException for a path of another form.
Result<std::optional<json::Value>> at_path(const json::Value& document, std::string_view path);

}  // namespace fixpoint::bus
