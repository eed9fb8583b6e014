#pragma once

#include <functional>
#include <string>
#include <vector>

#include "changes/door.h"
#include "executions/approvals.h"
#include "executions/executor.h"
#include "json/value.h"

namespace fixpoint::controls {

/// Writes a note and a workflow status on a finding and tells the bus of it, within the transaction of a step; a
/// finding that is not there is passed over.
using NoteFinding =
    std::function<Result<void>(store::Transaction&, const json::Value& finding, const std::string& execution,
                               const std::string& status, const std::string& note)>;

/// The program that takes back what an execution changed, of whatever kind that was: itself planned, guarded and
/// journaled. The calls come from the recipes, the last change first.
///
/// Before anything is made, the state now is compared with the state that the execution left. Where something moved, or
/// a change cannot be undone while others can, it shows what it found (before, left, now) and asks. Afterwards each
/// state is read back and has to be the one from before, value for value; then the findings go back to NEW with a note:
/// those of the execution that was taken back in the end (`Works::origin`), and those that were attached to it. Where
/// it ends otherwise and has made a call, or nobody knows whether it has, they are NOTIFIED and say so.
///
/// The execution's input: {"Execution": the one to take back, "By": who}. Its result: {"Execution", "Plan": {"Hash",
/// "Changes"}, "States": [{"Call", "Region", "Account" (where it is another than the execution's), "Before", "Left",
/// "Now", "Finds"}], "Change", "Verified", "Note"}, and where it has not ended "undone", "TakenBack": the calls that it
/// made, "Unknown": those of which nobody knows. Outcomes: undone,
/// nothing to undo, cannot be undone, rejected, expired, stopped (a guard), not verified, failed.
class Undo final : public executions::Program {
 public:
  struct Options {
    int approval_hours = 72;
    int approval_warning_hours = 24;
    int verify_attempts = 5;
    int replan_attempts = 5;
    int retry_attempts = 4;
  };
  Undo(changes::Door& door, executions::Approvals& approvals, const Clock& clock, NoteFinding note, Options options)
      : door_(door), approvals_(approvals), clock_(clock), note_(std::move(note)), options_(options) {}

  void step(const executions::Execution& execution, std::function<void(executions::Step)> done) override;
  /// The undo of an execution that has ended, asked for by that person: of the same work as what it takes back, so that
  /// this begins again when its finding passed meanwhile or a person says so, and not by a resend. It is started by
  /// Works::undo (`executions/work.h`).
  static executions::Start start_of(const executions::Execution& target, const std::string& name,
                                    const std::string& by);

 private:
  struct Look;
  Result<Look> look(const executions::Execution& execution, const std::string& target);
  executions::Step begin(const executions::Execution& execution);
  executions::Step answered(const executions::Execution& execution);
  executions::Step rejected(const executions::Execution& execution, const json::Value& answer, const std::string& when);
  executions::Step change(const executions::Execution& execution);
  executions::Step verify(const executions::Execution& execution);
  executions::Step failed(const executions::Execution& execution, const std::string& where, const Error& error);
  executions::Step end(const executions::Execution& execution, bool succeeded, const std::string& outcome,
                       const std::string& note, json::Value more);
  executions::Step end_short(const executions::Execution& execution, bool succeeded, const std::string& outcome,
                             const std::string& sentence, const std::string& otherwise, json::Value more);
  Result<void> write_findings(store::Transaction& tx, const executions::Execution& execution, const std::string& status,
                              const std::string& note);

  changes::Door& door_;
  executions::Approvals& approvals_;
  const Clock& clock_;
  NoteFinding note_;
  Options options_;
};

}  // namespace fixpoint::controls
