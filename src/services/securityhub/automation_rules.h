#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aws/service_table.h"
#include "findings/filters.h"
#include "findings/finding_store.h"
#include "services/securityhub/records.h"

namespace fixpoint::services::hub {

/// Security Hub's automation rules: what they are, and what they do to a finding that is imported, new or updated.
/// Thread-safe. https://docs.aws.amazon.com/securityhub/latest/userguide/automation-rules.html
class AutomationRules {
 public:
  AutomationRules(Records& records, findings::FindingStore& findings) : records_(records), findings_(findings) {}
  void add_to(aws::ServiceTable& table);

  /// Runs the enabled rules of the finding's account and region over it, the lowest RuleOrder first, until one that is
  /// terminal fits; each fitting one updates the finding within `tx`, and the next sees what it left. The finding as it
  /// stands then; nothing where no rule fits.
  Result<std::optional<json::Value>> apply(store::Transaction& tx, const json::Value& finding);

 private:
  struct Rule {
    std::string arn;
    std::int64_t order;
    bool terminal;
    findings::Filters criteria;
    json::Value form;  ///< of the criteria
    json::Array actions;
  };
  using Rules = std::vector<Rule>;
  Result<std::shared_ptr<const Rules>> rules_of(store::Session& session, const std::string& account,
                                                const std::string& region);
  void forget_after(store::Transaction& tx, const aws::Caller& caller);
  Result<json::Value> create(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> update(const aws::Caller& caller, const json::Value& input);

  Records& records_;
  findings::FindingStore& findings_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Rules>> loaded_;  // by account and region
};

}  // namespace fixpoint::services::hub
