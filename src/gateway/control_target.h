#pragma once

#include <functional>
#include <string>

#include "bus/bus.h"
#include "controls/control.h"
#include "executions/approvals.h"
#include "executions/executor.h"
#include "executions/work.h"
#include "findings/finding_store.h"

namespace fixpoint::gateway {

/// A control as the target of a rule: `arn:PARTITION:fixpoint:REGION:ACCOUNT:control/S3.4`, or `control/*` for
/// whichever control a finding names. Thread-safe.
class ControlTarget {
 public:
  /// Whether a finding that was only observed would be only observed again.
  using OnlyObserves = std::function<Result<bool>(store::Transaction&, const std::string& rule,
                                                  const std::string& control, const std::string& account)>;

  ControlTarget(const controls::ControlSet& controls, findings::FindingStore& findings, executions::Executor& executor,
                executions::Works& works, executions::Approvals& approvals, OnlyObserves only_observes)
      : controls_(controls),
        findings_(findings),
        executor_(executor),
        works_(works),
        approvals_(approvals),
        only_observes_(std::move(only_observes)) {}

  /// Starts an execution for each piece of work that the event's findings name and that is not under way already; see
  /// executions/work.h. What is left alone by itself (a person's custom action is not): findings that are not NEW,
  /// archived ones, passed ones, and what fixpoint itself has written. Samples are always left alone. A custom action
  /// on a finding whose work waits for approval approves it. A finding in OCSF is the one in the store that its
  /// metadata.uid or its own names mean, else what it says itself.
  Result<void> begin(store::Transaction& tx, const bus::Delivery& delivery);
  /// Why a rule leaves a finding alone; empty where it is work.
  static std::string left_alone_because(const json::Value& finding);
  /// Error: ValidationException for a control that is not there.
  Result<void> check_arn(const std::string& arn) const;

 private:
  const controls::ControlSet& controls_;
  findings::FindingStore& findings_;
  Result<std::optional<json::Value>> finding_of(store::Transaction& tx, const json::Value& ocsf);
  Result<void> begin_one(store::Transaction& tx, const bus::Delivery& delivery, std::size_t index,
                         const json::Value& finding, const controls::Control& control, bool decided,
                         const std::string& region);
  executions::Executor& executor_;
  executions::Works& works_;
  executions::Approvals& approvals_;
  OnlyObserves only_observes_;
};

}  // namespace fixpoint::gateway
