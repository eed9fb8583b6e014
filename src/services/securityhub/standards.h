#pragma once

#include <string>
#include <vector>

#include "aws/service_table.h"
#include "controls/control.h"
#include "services/securityhub/records.h"

namespace fixpoint::services::hub {

/// Standards and their controls. The standards are AWS's; the controls are those of the catalogue: a control that
/// fixpoint has no remediation for is not here, and what is here is not checked by a schedule of its own. Thread-safe.
/// https://docs.aws.amazon.com/securityhub/latest/userguide/standards-reference.html
class Standards {
 public:
  Standards(Records& records, const controls::ControlSet& controls) : records_(records), controls_(controls) {}
  void add_to(aws::ServiceTable& table);
  Result<void> enable_defaults(store::Transaction& tx, const aws::Caller& caller);

 private:
  struct Standard;
  static const std::vector<Standard>& all();
  static std::string arn_of(const aws::Caller& caller, const Standard& standard);
  static std::string subscription_of(const aws::Caller& caller, const Standard& standard);
  Result<const Standard*> named(const aws::Caller& caller, std::string_view arn, bool subscription) const;
  /// What the standard calls the control; empty where it has none.
  static std::vector<std::string> requirements(const controls::Control& control, const Standard& standard);

  Result<json::Value> subscriptions(const aws::Caller& caller, const json::Value& input);
  json::Value definition(const controls::Control& control) const;
  Result<json::Value> association(store::Session& session, const aws::Caller& caller, const controls::Control& control,
                                  const Standard& standard);
  void add_subscriptions(aws::ServiceTable& table);
  void add_controls(aws::ServiceTable& table);
  void add_associations(aws::ServiceTable& table);

  Records& records_;
  const controls::ControlSet& controls_;
};

}  // namespace fixpoint::services::hub
