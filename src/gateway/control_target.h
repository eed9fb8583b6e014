#pragma once

#include <string>

#include "base/clock.h"
#include "bus/bus.h"
#include "controls/control.h"
#include "controls/modes.h"
#include "executions/approvals.h"
#include "executions/executor.h"
#include "executions/work.h"
#include "findings/finding_store.h"

namespace fixpoint::gateway {

/// A control as the target of a rule: `arn:PARTITION:fixpoint:REGION:ACCOUNT:control/S3.4`, or `control/*` for
/// whichever control a finding names. Thread-safe.
class ControlTarget {
 public:
  ControlTarget(const controls::ControlSet& controls, controls::Modes& modes, findings::FindingStore& findings,
                executions::Executor& executor, executions::Works& works, executions::Approvals& approvals,
                const Clock& clock);

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
  Result<std::optional<json::Value>> finding_of(store::Transaction& tx, const json::Value& ocsf);
  Result<bool> exception_has_ended(store::Transaction& tx, std::string_view id);
  struct Asked {
    bool decided = false;
    std::string rule, control, account;
  };
  Result<bool> again(store::Transaction& tx, const Asked& asked, const std::string& outcome, const json::Value& result);
  Result<std::optional<executions::Begun>> resume(store::Transaction& tx, const executions::Kept& kept);
  Result<void> begin_one(store::Transaction& tx, const bus::Delivery& delivery, std::size_t index,
                         const json::Value& finding, const controls::Control& control, bool decided,
                         const std::string& region);
  const controls::ControlSet& controls_;
  controls::Modes& modes_;
  findings::FindingStore& findings_;
  executions::Executor& executor_;
  executions::Works& works_;
  executions::Approvals& approvals_;
  const Clock& clock_;
};

}  // namespace fixpoint::gateway
