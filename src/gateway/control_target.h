#pragma once

#include <string>

#include "bus/bus.h"
#include "controls/control.h"
#include "executions/executor.h"

namespace fixpoint::gateway {

/// A control as the target of a rule: `arn:PARTITION:fixpoint:REGION:ACCOUNT:control/S3.4`, or `control/*` for
/// whichever control a finding names. Thread-safe.
class ControlTarget {
 public:
  ControlTarget(const controls::ControlSet& controls, executions::Executor& executor)
      : controls_(controls), executor_(executor) {}

  /// Starts an execution for each finding of the event that a control is for. What is left alone by itself (a person's
  /// custom action is not): findings that are not NEW, archived ones, passed ones. Samples are always left alone.
  Result<void> begin(store::Transaction& tx, const bus::Delivery& delivery);
  /// Error: ValidationException for a control that is not there.
  Result<void> check_arn(const std::string& arn) const;

 private:
  const controls::ControlSet& controls_;
  executions::Executor& executor_;
};

}  // namespace fixpoint::gateway
