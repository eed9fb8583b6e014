#pragma once

#include <functional>

#include "aws/service_table.h"
#include "findings/finding_store.h"
#include "services/securityhub/records.h"

namespace fixpoint::services::hub {

/// Security Hub V2: the same findings in OCSF. Thread-safe. It is off until it is enabled, for an account and region.
/// https://docs.aws.amazon.com/securityhub/latest/userguide/what-is-securityhub-v2.html
class HubV2 {
 public:
  /// Updates a finding within a transaction, with its events. Error: ResourceNotFoundException.
  using Update = std::function<Result<void>(store::Transaction& tx, const aws::Caller& caller,
                                            const findings::FindingKey& key, const findings::OcsfUpdate& update)>;
  HubV2(Records& records, findings::FindingStore& findings, Update update)
      : records_(records), findings_(findings), update_(std::move(update)) {}
  void add_to(aws::ServiceTable& table);

  Result<bool> is_on(store::Session& session, const std::string& account, const std::string& region);

 private:
  void add_switches(aws::ServiceTable& table);
  Result<void> must_be_on(const aws::Caller& caller);
  Result<json::Value> get_findings(const json::Value& input);
  Result<json::Value> batch_update(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> statistics(const json::Value& input);

  Records& records_;
  findings::FindingStore& findings_;
  Update update_;
};

}  // namespace fixpoint::services::hub
