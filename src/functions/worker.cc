#include "functions/worker.h"

#include <csignal>
#include <fmt/format.h>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

constexpr int signal_base = 128;

std::string signal_name(int signal) {
  switch (signal) {
    case SIGKILL: return "killed";
    case SIGSEGV: return "segmentation fault";
    case SIGABRT: return "aborted";
    case SIGTERM: return "terminated";
    case SIGXCPU: return "CPU time limit exceeded";
    case SIGXFSZ: return "file size limit exceeded";
    case SIGBUS: return "bus error";
    default: return std::to_string(signal);
  }
}

}  // namespace

double milliseconds_since(Instant start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void tell(const Run& run, Result<Outcome> outcome) {
  try {
    run.done(std::move(outcome));
  } catch (...) {  // NOLINT(bugprone-empty-catch): nobody is left to be told
  }
}

json::Value environment_of(const Invocation& invocation, std::string_view task_root, std::string_view runtime_dir,
                           std::string_view log_stream, std::string_view gateway_url) {
  const FunctionRecord& function = invocation.function;
  json::Object out;
  for (const auto& [name, value] : function.environment) out.append(name, value);
  const std::string* path = nullptr;
  if (const auto own = function.environment.find("PYTHONPATH"); own != function.environment.end()) path = &own->second;
  out.set("PYTHONPATH", path == nullptr ? std::string(runtime_dir) : std::string(runtime_dir) + ":" + *path);
  if (!out.contains("TZ")) out.set("TZ", ":UTC");
  if (!out.contains("AWS_MAX_ATTEMPTS")) out.set("AWS_MAX_ATTEMPTS", "3");
  out.set("LAMBDA_TASK_ROOT", task_root);
  out.set("LAMBDA_RUNTIME_DIR", runtime_dir);
  out.set("_HANDLER", function.handler);
  out.set("AWS_REGION", function.owner.region);
  out.set("AWS_DEFAULT_REGION", function.owner.region);
  out.set("AWS_EXECUTION_ENV", "AWS_Lambda_" + function.runtime);
  out.set("AWS_LAMBDA_FUNCTION_NAME", function.name);
  out.set("AWS_LAMBDA_FUNCTION_VERSION", function.version);
  out.set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(function.memory_mb));
  out.set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
  out.set("AWS_LAMBDA_LOG_GROUP_NAME", log_group_of(function));
  out.set("AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
  // Nothing of a handler may look for credentials on the machine, or leave it through a proxy on its way to loopback.
  out.set("AWS_EC2_METADATA_DISABLED", "true");
  if (!gateway_url.empty()) out.set("AWS_ENDPOINT_URL", gateway_url);
  for (const char* name : {"NO_PROXY", "no_proxy"})
    if (!out.contains(name)) out.set(name, "127.0.0.1,localhost,.127.0.0.1,.localhost");
  return out;
}

std::string log_group_of(const FunctionRecord& record) {
  return "/aws/lambda/" + record.name;
}

std::string new_log_stream(const FunctionRecord& record, TimeMs now_ms) {
  const std::string day = replace_all(format_iso8601_ms(now_ms).substr(0, 10), "-", "/");
  return day + "/[" + record.version + "]" + random_hex(32);
}

Outcome failure_of(const Run& run, std::string_view type, const std::string& message) {
  Outcome out;
  out.function_error = "Unhandled";
  out.error_type = std::string(type);
  out.payload = json::print(json::Object{{"errorMessage", message},
                                         {"errorType", type},
                                         {"requestId", run.invocation.request_id},
                                         {"stackTrace", json::Array{}}});
  return out;
}

std::string describe_exit(const Exit& exit, bool status_has_signals) {
  int signal = exit.signal;
  if (signal == 0 && status_has_signals && exit.status > signal_base && exit.status < signal_base + 32)
    signal = exit.status - signal_base;
  if (signal != 0) return "Runtime exited with error: signal: " + signal_name(signal);
  if (exit.status == 0) return "Runtime exited without providing a reason";
  return "Runtime exited with error: exit status " + std::to_string(exit.status);
}

std::string report_line(const Outcome& outcome) {
  std::string line = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
      outcome.request_id, outcome.duration_ms, outcome.billed_ms, outcome.memory_mb, outcome.memory_used_mb);
  if (outcome.cold && outcome.init_ms > 0) line += fmt::format("Init Duration: {:.2f} ms\t", outcome.init_ms);
  return line + "\n";
}

}  // namespace fixpoint::functions
