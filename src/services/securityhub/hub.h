#pragma once

#include <atomic>

#include "aws/service_table.h"
#include "services/securityhub/records.h"
#include "services/securityhub/standards.h"

namespace fixpoint::services::hub {

/// Kinds of records: of a hub that was switched or set, of a member by its account, of a finding aggregator by its ARN.
inline constexpr const char* hub_kind = "hub";
inline constexpr const char* member_kind = "member";
inline constexpr const char* aggregator_kind = "aggregator";

/// The hub itself: on or off, its settings, tags, members, products whose findings come in, finding aggregation.
/// Thread-safe. The hub is on until it is disabled.
class Hub {
 public:
  explicit Hub(Records& records) : records_(records) {}
  /// Notes when the store was made, where that is not noted yet: a hub that nobody enabled is on since then.
  Result<void> load();
  /// EnableSecurityHub switches on the standards that are on by default.
  void add_to(aws::ServiceTable& table, Standards& standards);
  /// Makes every operation of the table answer InvalidAccessException where the caller's hub is off, but for those that
  /// switch it and those of V2, which is switched apart.
  void guard(aws::ServiceTable& table);

 private:
  Result<json::Value> settings(store::Session& session, const aws::Caller& caller);
  void add_members(aws::ServiceTable& table);
  void add_products(aws::ServiceTable& table);
  void add_aggregators(aws::ServiceTable& table);
  void add_tags(aws::ServiceTable& table);
  Result<bool> is_off(const aws::Caller& caller);

  Records& records_;
  std::atomic<bool> looked_ = false, any_off_ = false;
};

}  // namespace fixpoint::services::hub
