#pragma once

#include <functional>
#include <string>

#include "changes/door.h"
#include "controls/assessment.h"
#include "controls/modes.h"
#include "executions/approvals.h"
#include "executions/executor.h"
#include "executions/work.h"
#include "findings/finding_store.h"

namespace fixpoint::controls {

/// Updates a finding and tells the bus of it, or nobody; whose doing it is that execution. Error:
/// ResourceNotFoundException.
struct UpdateFinding {
  /// Whether the bus hears of it. A note that leaves a finding as new as it was is no news: to programs that listen for
  /// new findings its event would say that there is work.
  enum class Tell { Bus, Nobody };
  /// Works it out outside of any transaction, and gives what writes it within the transaction of a step.
  std::function<std::function<Result<void>(store::Transaction&)>(
      const findings::FindingKey&, const std::string& execution, findings::MakeUpdate, Tell)>
      prepare;
  /// All of it within the transaction.
  std::function<Result<void>(store::Transaction&, const findings::FindingKey&, const std::string& execution,
                             const findings::MakeUpdate&, Tell)>
      write;
};

/// The program of a control: precheck, plan, ask where the mode says so, change through the door, verify by reading
/// again, write on the finding.
///
/// The execution's input: {"Finding": the finding, "Rule": ARN or "", "By": who asked, "Decided": true where a person
/// chose it (a custom action), "Parameters": {...}, "DryRun": true to plan only, "Plan": the hash of the plan that was
/// approved}. Its result: {"Control", "Resource", "Calls", "Before", "After", "Change", "Verified", "Note", "Plan":
/// {"Hash", "Changes"}}. The last step's transaction writes the finding, so that a finding is updated once, whatever
/// was killed before.
///
/// How it ends, beside the outcomes of DESIGN's table (fixed, compliant, gone, refused, rejected, expired, observed,
/// failed, not verified): planned (a dry run), excepted, stopped (a guard).
class Remediation final : public executions::Program {
 public:
  struct Options {
    std::string note_author = "fixpoint";
    int approval_hours = 72;
    int approval_warning_hours = 24;  ///< before the approval expires
    int verify_attempts = 5;          ///< readings before "not verified": what was changed may show late
    int retry_attempts = 4;           ///< of a call that failed in a way that may pass
    int replan_attempts = 5;          ///< where the resource moves under the plan again and again
  };

  Remediation(const ControlSet& controls, changes::Door& door, Modes& modes, executions::Approvals& approvals,
              executions::Works& works, const Clock& clock, UpdateFinding update, Options options)
      : controls_(controls),
        door_(door),
        modes_(modes),
        approvals_(approvals),
        works_(works),
        clock_(clock),
        update_(std::move(update)),
        options_(std::move(options)) {}

  void step(const executions::Execution& execution, std::function<void(executions::Step)> done) override;

 private:
  struct Context;
  executions::Step begin(const Context& context);
  executions::Step go_on(const Context& context, changes::Mandate mandate, const Assessment& assessed,
                         std::string asks);
  executions::Step ask(const Context& context, executions::Step step, const std::string& words, const std::string& why);
  executions::Step answered(const Context& context);
  executions::Step rejected(const Context& context, const json::Value& answer, const std::string& when);
  executions::Step change(const Context& context);
  executions::Step refused_by_guard(const Context& context, const std::string& call, const Error& error);
  executions::Step verify(const Context& context);
  executions::Step planned(const Context& context, const Assessment& assessed, json::Object about);
  executions::Step excepted(const Context& context, const changes::Exception& exception);
  executions::Step again(const Context& context, const std::string& note, const std::string& asks);
  Result<changes::Mandate> mandate_of(const Context& context);
  executions::Step failed(const Context& context, const std::string& where, const Error& error,
                          const std::string& outcome = "failed");
  executions::Step end(const Context& context, bool succeeded, const std::string& outcome, const std::string& status,
                       const std::string& note, json::Value more);
  std::string made_so_far(const Context& context);
  std::function<Result<void>(store::Transaction&)> write_finding(const Context& context, const std::string& status,
                                                                 const std::string& note);

  const ControlSet& controls_;
  changes::Door& door_;
  Modes& modes_;
  executions::Approvals& approvals_;
  executions::Works& works_;
  const Clock& clock_;
  UpdateFinding update_;
  Options options_;
};

}  // namespace fixpoint::controls
