#pragma once

#include "aws/service_table.h"
#include "findings/finding_store.h"
#include "services/securityhub/records.h"

namespace fixpoint::services::hub {

/// Insights: filters with an attribute to group by, and their results. Thread-safe. Security Hub's own managed insights
/// are not here. https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-insights.html
class Insights {
 public:
  Insights(Records& records, findings::FindingStore& findings) : records_(records), findings_(findings) {}
  void add_to(aws::ServiceTable& table);

  struct Result_ {
    std::string name, attribute;
    std::vector<std::pair<std::string, std::int64_t>> values;  ///< at most 100, the most frequent first
  };
  /// Error: ResourceNotFoundException.
  Result<Result_> results(const aws::Caller& caller, const std::string& arn);

 private:
  Records& records_;
  findings::FindingStore& findings_;
};

}  // namespace fixpoint::services::hub
