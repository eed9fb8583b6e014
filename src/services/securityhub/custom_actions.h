#pragma once

#include <string>
#include <vector>

#include "aws/service_table.h"
#include "bus/bus.h"
#include "findings/finding_store.h"
#include "json/value.h"
#include "services/securityhub/insights.h"
#include "services/securityhub/records.h"
#include "store/store.h"

namespace fixpoint::services::hub {

/// Custom actions (AWS's "action targets"), and choosing one as a person does in the console. Thread-safe.
class CustomActions {
 public:
  CustomActions(Records& records, findings::FindingStore& findings, Insights& insights, bus::Bus& bus)
      : records_(records), findings_(findings), insights_(insights), bus_(bus) {}
  static const char* tables();  ///< SQL

  void add_to(aws::ServiceTable& table);

  /// The event `Security Hub Findings - Custom Action` goes on the bus of the caller's account. `action` is the
  /// action's name, id or ARN. The answer's `Heard` says whether a rule has a target for it. Errors:
  /// ResourceNotFoundException, ValidationException.
  Result<json::Value> act(const aws::Caller& caller, const std::string& action,
                          const std::vector<findings::FindingKey>& keys);
  /// The same on results of an insight: the event `Security Hub Insight Results` tells those of `values`, or where it
  /// is empty all, 100 at most, with their counts. Errors: ResourceNotFoundException; ValidationException for a value
  /// that is no result, or where there are none.
  Result<json::Value> act_on_insight(const aws::Caller& caller, const std::string& action, const std::string& insight,
                                     const std::vector<std::string>& values);

 private:
  // That of that name, id or ARN, as DescribeActionTargets shows it.
  Result<json::Value> find(store::Session& session, const aws::Caller& caller, const std::string& action);
  Result<json::Value> create(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> describe(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> remove(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> update(const aws::Caller& caller, const json::Value& input);

  Records& records_;
  findings::FindingStore& findings_;
  Insights& insights_;
  bus::Bus& bus_;
};

}  // namespace fixpoint::services::hub
