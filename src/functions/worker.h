#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "functions/folder.h"
#include "functions/process.h"
#include "functions/relay.h"
#include "functions/run_log.h"
#include "functions/runtime.h"
#include "http/server.h"
#include "json/value.h"

namespace fixpoint::functions {

using Instant = std::chrono::steady_clock::time_point;
double milliseconds_since(Instant start);

/// An invocation that was taken and has not ended.
struct Run {
  Invocation invocation;
  Runtime::Callback done;
  std::string key;  ///< equal for invocations that may share a process
  RunLog log;
  bool cold = false;
  Instant began;  ///< when the handler was given the event
  bool began_at_all = false;
};

/// Calls `run.done`; what it throws ends there: it is the caller's own code and must not take the runtime's thread
/// along.
void tell(const Run& run, Result<Outcome> outcome);

/// One Python process and what it is doing. Owned and used by the runtime's thread alone.
struct Worker {
  enum class State : std::uint8_t {
    Starting,   ///< the process was started, and the handler is being imported
    Running,    ///< the handler has the event
    Returning,  ///< the handler has answered; the process will ask for the next event
    Idle,       ///< the process waits for the next event
    Ending,     ///< killed, or told us that it ends
  };

  Worker(Process started, std::string run_key) : process(std::move(started)), key(std::move(run_key)) {}

  Folder folder;  ///< goes after the process
  Process process;
  std::string key;
  std::string secret;            ///< the first part of every path that this process asks for
  std::unique_ptr<Relay> relay;  ///< the way out of its network; may be null
  std::string log_stream;
  json::Value environment;
  std::size_t slot = 0;
  bool status_has_signals = false;
  State state = State::Starting;
  Instant started = std::chrono::steady_clock::now();
  std::optional<Instant> deadline;  ///< when the state must have changed
  Instant idle_since;
  double init_ms = 0;
  double busy_ms = 0;
  int runs = 0;
  std::int64_t memory_kb = 0;        ///< the most that was seen
  std::int64_t memory_limit_kb = 0;  ///< above it the process is killed
  Instant next_look;                 ///< at the memory that it holds
  std::unique_ptr<Run> run;          ///< Starting, Running, and Ending where its outcome is still due
  std::optional<Outcome> outcome;    ///< Ending: what was decided before the process went
  http::Responder next;              ///< Idle: the request that waits for an event
  bool output_open = true;
  bool promised = false;  ///< Returning: a waiting run will have it
};

/// The environment variables that Lambda promises a handler, with the function's own.
/// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
json::Value environment_of(const Invocation& invocation, std::string_view task_root, std::string_view runtime_dir,
                           std::string_view log_stream, std::string_view gateway_url);
/// "/aws/lambda/NAME"
std::string log_group_of(const FunctionRecord& record);
/// "2026/11/25/[$LATEST]" and 32 random digits
std::string new_log_stream(const FunctionRecord& record, TimeMs now_ms);
/// A failure in Lambda's form: {"errorMessage", "errorType", "requestId", "stackTrace"}.
Outcome failure_of(const Run& run, std::string_view type, const std::string& message);
/// Lambda's words for a process that ended while it had something to do.
std::string describe_exit(const Exit& exit, bool status_has_signals);
/// "REPORT RequestId: ..." with its tabs, as Lambda closes a run's log.
std::string report_line(const Outcome& outcome);

}  // namespace fixpoint::functions
