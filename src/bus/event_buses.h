#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bus/rule.h"

namespace fixpoint::bus {

struct EventBus {
  BusName name;
  std::string description;
  json::Value policy;       ///< who of other accounts may put events, as a policy document; null where nobody may
  json::Value dead_letter;  ///< DeadLetterConfig; null where there is none
  std::string kms_key;
  TimeMs made_ms = 0, changed_ms = 0;  ///< 0 for a default bus that nothing was ever set on
};

/// The event buses of every account and region, and the tags of buses, rules and archives. Every account has its
/// default bus in every region from the start. Thread-safe. Messages are the service's own where it has some.
class EventBuses {
 public:
  EventBuses(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Errors: ResourceAlreadyExistsException; ValidationException for a name that is none.
  Result<EventBus> create(EventBus bus);
  /// Error: ResourceNotFoundException.
  Result<EventBus> get(const BusName& bus);
  Result<EventBus> get(store::Session& session, const BusName& bus);
  Result<EventBus> update(EventBus bus);
  /// Errors: ValidationException for the default bus or one that has rules.
  Result<void> remove(const BusName& bus);
  /// The default one first, then by name.
  Result<std::vector<EventBus>> list(const BusName& any, const std::string& prefix);

  /// Adds or replaces a statement by its Sid, or the whole policy. Error: ValidationException.
  Result<void> put_statement(const BusName& bus, const json::Value& statement);
  Result<void> put_policy(const BusName& bus, const json::Value& policy);
  /// Error: ResourceNotFoundException where no statement has that Sid. Nothing: all.
  Result<void> remove_statement(const BusName& bus, const std::optional<std::string>& sid);

  /// Error: ValidationException for a list of {"Key", "Value"} that no resource takes; asked before one is made with
  /// it.
  static Result<void> check_tags(const json::Value& tags);
  Result<void> tag(const std::string& arn, const json::Value& tags);
  Result<void> untag(const std::string& arn, const json::Value& keys);
  Result<json::Value> tags(const std::string& arn);  ///< [{Key, Value}] by key
  static Result<void> drop_tags(store::Transaction& tx, const std::string& arn);

 private:
  Result<void> write(store::Transaction& tx, const EventBus& bus);
  template <class Change>
  Result<void> change(const BusName& bus, Change change);
  store::Store& store_;
  const Clock& clock_;
};

/// True where the policy lets `account` put events on the bus.
bool allows(const json::Value& policy, const std::string& account);

}  // namespace fixpoint::bus
