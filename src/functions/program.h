#pragma once

#include <functional>
#include <string>

#include "changes/door.h"
#include "changes/runs.h"
#include "executions/approvals.h"
#include "executions/executor.h"
#include "functions/mandate.h"
#include "functions/runtime.h"
#include "functions/store.h"
#include "identity/identity.h"

namespace fixpoint::functions {

struct FindingNote {
  std::string status;  ///< of the workflow; empty leaves it as it is
  std::string text;
  std::string over{};  ///< where it is not empty: only over a note of this execution that begins so
  /// Also over what somebody else noted on a finding whose status stays.
  bool insists = false;
};
/// Writes a note and a workflow status on a finding and tells the bus of it where the status is given, within the
/// transaction of a step; a finding that is not there is passed over.
using NoteFinding = std::function<Result<void>(store::Transaction&, const json::Value& finding,
                                               const std::string& execution, const FindingNote& note)>;

/// The program of a function call: the handler is run and the execution ends with what it answered.
///
/// The execution's program is the function's ARN, with a qualifier where one was named; its input is described at
/// mandate_of; its result {"Payload", "FunctionError", "LogTail", "DurationMs", "Version"}, and "Plan": {"Hash",
/// "Changes"} where it was planned. The handler's credentials are issued for the execution and one run alone, and end
/// with it; what it may change on the account is its mandate, which the door keeps. After a crash the handler is run
/// again, as Lambda runs asynchronous calls at least once; what it had changed is found in the journal and not changed
/// twice. Where it was cut off in a call of which nobody can tell whether it was made, and which may not be made twice,
/// it is not run again (`OutcomeUnknown`). An asynchronous call whose handler fails is tried twice more.
///
/// Calls of the handler that were answered with success and not wholly done (changes/shortfall.h) are in the result
/// ("Unsuccessful") and in a note on its findings: the handler need not have looked. A note that says that the function
/// waits is replaced when it has ended, whatever the handler has left there otherwise.
///
/// In mode ask the handler is run twice: first dry, which gives the plan; then, once that is approved, held to it. What
/// moved meanwhile stops the run, and it is planned anew. Outcomes: returned, function error, failed, observed,
/// planned, excepted, rejected, expired.
class FunctionProgram final : public executions::Program {
 public:
  struct Parts {
    FunctionStore& functions;
    Runtime& runtime;
    identity::Identity& identity;
    changes::Door& door;
    executions::Approvals& approvals;
    const Clock& clock;
    std::function<std::string()> endpoint_url;  ///< asked for at each run: where the gateway listens
    ModeOf mode_of;
    NoteFinding note_finding;
    changes::Runs& runs;
    PopulationOf population_of = {};
  };
  struct Options {
    int approval_hours = 72;
    int approval_warning_hours = 24;
    int replan_attempts = 5;  ///< where what it changes moves under the plan again and again
  };
  FunctionProgram(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {}

  void step(const executions::Execution& execution, std::function<void(executions::Step)> done) override;

 private:
  void begin(const executions::Execution& execution, std::function<void(executions::Step)> done);
  executions::Step stopped(const executions::Execution& execution, const Error& error) const;
  void run(const executions::Execution& execution, bool looks_after, std::function<void(executions::Step)> done);
  executions::Step answered(const executions::Execution& execution);
  executions::Step rejected(const executions::Execution& execution, const json::Value& answer, const std::string& when);
  executions::Step tell_end(const executions::Execution& execution, const json::Value& findings,
                            executions::Step step) const;
  executions::Step ended(const executions::Execution& execution);
  executions::Step returned(const executions::Execution& execution, const changes::Mandate& mandate,
                            json::Value result) const;
  executions::Step planned(const executions::Execution& execution, const changes::Mandate& mandate, json::Value result);
  executions::Step ask(const executions::Execution& execution, const changes::Plan& plan);
  std::function<Result<void>(store::Transaction&)> note(const executions::Execution& execution, json::Value findings,
                                                        const std::string& status, const std::string& text,
                                                        const std::string& over = {}, bool insists = false) const;

  Parts parts_;
  Options options_;
};

}  // namespace fixpoint::functions
