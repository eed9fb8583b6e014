#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/service_table.h"
#include "base/clock.h"
#include "base/error.h"
#include "bus/bus.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::services::hub {

/// A small thing that Security Hub keeps for an account and region: an insight, an automation rule, a member...
struct Record {
  std::string id;
  json::Value body;
  TimeMs made_ms = 0, changed_ms = 0;
};

/// Where such things are kept, by kind and id. Thread-safe.
class Records {
 public:
  Records(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  static std::string tables();  ///< SQL

  Result<void> put(store::Transaction& tx, const std::string& kind, const aws::Caller& caller, const std::string& id,
                   const json::Value& body);
  Result<std::optional<Record>> get(store::Session& session, const std::string& kind, const aws::Caller& caller,
                                    const std::string& id);
  /// By id.
  Result<std::vector<Record>> list(store::Session& session, const std::string& kind, const aws::Caller& caller);
  /// False where there was none.
  Result<bool> remove(store::Transaction& tx, const std::string& kind, const aws::Caller& caller,
                      const std::string& id);

  store::Store& store() { return store_; }
  const Clock& clock() const { return clock_; }

 private:
  store::Store& store_;
  const Clock& clock_;
};

/// Hands out `items` from the position in NextToken on, at most MaxResults of them (1 to `most`), under `member`.
/// Error: InvalidInputException.
Result<json::Value> page_of(const json::Array& items, const json::Value& input, const char* member,
                            std::size_t most = 100);

/// Error: InvalidInputException where the list of that name does not hold 1 to `most` items.
Result<void> holds_some(const json::Value& input, const char* member, std::size_t most = 100);

/// Sets the tags {KEY: VALUE} of a resource besides those that it has. Error: InvalidInputException where a key is
/// AWS's own ("aws:...") or there are more than 50.
Result<void> add_tags(Records& records, store::Transaction& tx, const aws::Caller& caller, const std::string& arn,
                      const json::Value& tags);
/// The kind of the records that hold a resource's tags, by its ARN.
inline constexpr const char* tag_kind = "tags";

/// arn:PARTITION:securityhub:REGION:ACCOUNT:RESOURCE
std::string hub_arn(const aws::Caller& caller, const std::string& resource);
/// Whose doing a call's events are.
bus::Origin origin_of(const aws::Caller& caller);
/// The ARN of who calls; empty where nobody is known.
std::string caller_arn(const aws::Caller& caller);

}  // namespace fixpoint::services::hub
