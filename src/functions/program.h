#pragma once

#include <functional>
#include <string>

#include "executions/executor.h"
#include "functions/runtime.h"
#include "functions/store.h"
#include "identity/identity.h"

namespace fixpoint::functions {

/// The program of a function call: one step, which runs the handler and ends with what it answered.
///
/// The execution's program is the function's ARN, with a qualifier where one was named; its input {"Payload": JSON
/// text}; its result {"Payload", "FunctionError", "LogTail", "DurationMs", "Version"}. The handler's credentials are
/// issued for the execution alone and end with it. After a crash the handler is run again, as Lambda runs asynchronous
/// calls at least once; an asynchronous call whose handler fails is tried twice more.
class FunctionProgram final : public executions::Program {
 public:
  /// `endpoint_url` is asked for at each run: where the gateway listens.
  FunctionProgram(FunctionStore& functions, Runtime& runtime, identity::Identity& identity, const Clock& clock,
                  std::function<std::string()> endpoint_url)
      : functions_(functions),
        runtime_(runtime),
        identity_(identity),
        clock_(clock),
        endpoint_url_(std::move(endpoint_url)) {}

  void step(const executions::Execution& execution, std::function<void(executions::Step)> done) override;

 private:
  FunctionStore& functions_;
  Runtime& runtime_;
  identity::Identity& identity_;
  const Clock& clock_;
  std::function<std::string()> endpoint_url_;
};

}  // namespace fixpoint::functions
