#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "functions/record.h"

namespace fixpoint::functions {

/// What a handler signs its calls with. Issued by the caller for this execution alone: that is what ties every call
/// that the handler makes to the execution.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  ///< may be empty
};

/// One run of a handler.
struct Invocation {
  FunctionRecord function;
  /// Fetches the zip's bytes (FunctionStore::code). Called on the runtime's thread, and only where a new process is
  /// started.
  std::function<Result<std::string>()> code;
  std::string payload = "{}";  ///< JSON text; not looked into. 6 MB at most, as Lambda's synchronous limit
  Credentials credentials;
  /// Where the handler's boto3 goes: "http://127.0.0.1:4566", with an address, no name. Where the network is cut off it
  /// is all that a handler reaches, and is seen as http://127.0.0.1 with the same port.
  std::string endpoint_url;
  std::string request_id;   ///< a UUID, or other text of letters, digits, '-' and '_'; made where empty
  std::string invoked_arn;  ///< with the qualifier that the caller used; the record's own ARN where empty
  /// JSON text (decoded from base64) for context.client_context; may be empty. 3,583 bytes at most, as Lambda's limit.
  std::string client_context;
  TimeMs deadline_ms = 0;  ///< ends the run where this comes before the function's own timeout; 0 for none
};

/// How a run ended. A handler's failure is an outcome, not an Error.
struct Outcome {
  std::string request_id;
  std::string payload;         ///< JSON text: the result, or {"errorMessage", "errorType", "requestId", "stackTrace"}
  std::string function_error;  ///< empty for success, else "Unhandled" (the X-Amz-Function-Error of Invoke)
  std::string error_type;      ///< of a failure: "ValueError", "Runtime.ExitError", "Sandbox.Timedout", ...
  std::string log_tail;        ///< the last 4 KB of the log of this run, START, END and REPORT lines included; UTF-8
  double duration_ms = 0;      ///< of the handler alone
  std::int64_t billed_ms = 0;  ///< rounded up to a millisecond
  double init_ms = 0;          ///< of starting the process and importing the handler; 0 on a warm one
  int memory_mb = 0;           ///< the function's memory size
  int memory_used_mb = 0;      ///< the process's largest resident size so far; 0 where it ended before it could say
  bool cold = false;           ///< a process was started for this run
};

struct RuntimeOptions {
  /// The Python that runs handlers. Debian's, which has boto3 from Debian's packages; another needs boto3 of its own.
  std::string interpreter = "/usr/bin/python3";
  std::string bubblewrap = "/usr/bin/bwrap";
  /// False runs handlers without bubblewrap even where it works: for machines where it is not wanted.
  bool use_bubblewrap = true;
  /// False leaves handlers in the machine's network even where they could have one of their own.
  bool own_network = true;
  std::size_t processes = 4;       ///< at most at once; each runs one handler at a time
  std::size_t queue_limit = 1000;  ///< invocations that may wait for a process; beyond: TooManyRequestsException
  int recycle_after = 1000;        ///< runs, after which a process is replaced
  int idle_ms = 300'000;           ///< after which an unused process is ended
  int probe_timeout_ms = 5'000;    ///< for a Python that says that a hold works, see isolation()
  int init_timeout_ms = 10'000;    ///< for starting and importing, as Lambda's init phase
  std::size_t response_limit_bytes = 6 * 1024 * 1024 + 128;  ///< Lambda's limit of a result
  std::size_t log_limit_bytes = 1024 * 1024;  ///< of one run that is handed to on_log; the rest is counted, not kept
  int process_limit = 64;                     ///< processes and threads of one handler's process tree (RLIMIT_NPROC)
  /// What one handler's network may hold open to the gateway at once: as many as process_limit lets it have threads
  /// with a request each. Beyond, a new connection takes the place of one that is idle; see Relay::Way::connections.
  std::size_t gateway_connections = 64;
  int gateway_quiet_ms = 100;  ///< after its last answer, from when on it is idle; see Relay::Way::quiet_for
  /// The same to the runtime interface: what the bootstrap needs, with some to spare.
  static constexpr std::size_t runtime_connections = 16;
  std::int64_t extra_memory_bytes =
      192LL * 1024 * 1024;  ///< on top of the function's memory size: what Python itself takes
  /// Told, on the runtime's thread, of the log of every run that ended: group, stream, text. May be empty.
  std::function<void(std::string_view group, std::string_view stream, std::string_view text)> on_log;
};

/// Runs handlers in Python processes that speak Lambda's runtime interface with a server of our own on loopback.
///
/// A process belongs to one revision of one version of a function, runs one invocation at a time, and stays for the
/// next one ("warm"); it is ended after a timeout, a crash, `recycle_after` runs, or `idle_ms` without work. In a warm
/// process clients that were made while the module was imported sign with the credentials of the invocation that runs:
/// botocore asks for them anew with each request. A thread that a handler leaves behind has none between invocations,
/// and those of the next invocation during it, as in Lambda: executions of one function that must not see each other
/// need functions of their own.
///
/// What a handler can and cannot do is said by isolation(). Its secrets (credentials, environment variables, code)
/// reach it through the runtime interface, never by command line or file. The interface listens on a loopback port;
/// every process has a secret of 256 bits in its AWS_LAMBDA_RUNTIME_API, and all that comes without one is answered
/// 403.
///
/// Thread-safe. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
class Runtime {
 public:
  using Callback = std::function<void(Result<Outcome>)>;

  /// Listens when it returns; starts no process yet. Errors: ServiceUnavailable where no loopback port is to be had.
  static Result<std::unique_ptr<Runtime>> start(RuntimeOptions options = {});
  /// Stops.
  virtual ~Runtime() = default;

  /// Returns at once. `done` is called exactly once, on the runtime's thread, where it must not block. Errors:
  /// TooManyRequestsException (429, retryable) where the queue is full or the deadline came before a process was free;
  /// RequestTooLargeException (413) for a payload above 6 MB;
  /// ValidationException and InvalidRequestContentException (400) for a request_id or client_context of another form;
  /// ServiceException (500) where no process can be started, with the reason, retryable where the system lacks
  /// descriptors, processes, memory, time or room on a disk; ServiceUnavailable where the runtime stops; what `code`
  /// answers.
  virtual void invoke(Invocation invocation, Callback done) = 0;
  /// The same, and waits. Not from a callback.
  Result<Outcome> invoke_and_wait(Invocation invocation);

  /// A sentence on what holds a handler here, and what does not. Found out once, by trying; the first call may take a
  /// quarter of a second. Where a lack keeps it from being found out it says so, and the next run tries again.
  virtual std::string isolation() = 0;

  struct Counts {
    std::size_t processes = 0;  ///< alive
    std::size_t running = 0;    ///< of these: with an invocation
    std::size_t waiting = 0;    ///< invocations without a process
    std::uint64_t started = 0;  ///< processes since the beginning
  };
  virtual Counts counts() const = 0;

  /// Ends all processes; invocations under way and waiting end with ServiceUnavailable, later ones too. Returns when no
  /// process is left; again: does nothing. Not from a callback.
  virtual void stop() = 0;
};

}  // namespace fixpoint::functions
