#include "functions/program.h"

#include "base/arn.h"

namespace fixpoint::functions {
namespace {

using executions::Step;
using json::Value;

// Lambda tries an asynchronous call twice more after a function error, a minute and then two minutes later:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
constexpr std::int64_t async_attempts = 3;
constexpr TimeMs async_wait_ms = 60'000;

Step failed(const Error& error) {
  Step step;
  step.next = Step::Next::Failed;
  step.outcome = "failed";
  step.result = json::Object{{"Error", error.code}, {"Message", error.message}};
  step.note = "failed: " + error.code + ": " + error.message;
  return step;
}

Step wait_and_retry(const Value& cursor, std::int64_t attempt, TimeMs wake_ms, std::string why) {
  Step step;
  step.next = Step::Next::Wait;
  step.cursor = cursor.is_object() ? cursor : Value(json::Object());
  step.cursor.set("attempt", attempt);
  step.outcome = "tries again";
  step.wake_ms = wake_ms;
  step.note = std::move(why);
  return step;
}

}  // namespace

void FunctionProgram::step(const executions::Execution& execution, std::function<void(Step)> done) {
  const Owner owner{execution.account, execution.region};
  const auto name = parse_function_name(execution.program, owner);
  if (!name) return done(failed(name.error()));
  auto record = functions_.get(*name);
  if (!record) return done(failed(record.error()));
  const auto role = parse_arn(record->role);
  const int seconds = record->timeout_s + 60;
  auto issued = identity_.issue(execution.account, role ? role->partition : "aws",
                                role ? record->role.substr(record->role.rfind('/') + 1) : "function", record->name,
                                execution.id, seconds);
  if (!issued) return done(failed(issued.error()));
  Invocation invocation;
  invocation.function = *record;
  invocation.code = [this, record = *record] { return functions_.code(record); };
  invocation.payload = execution.input["Payload"].string_or("{}");
  invocation.credentials = {issued->credentials.access_key, issued->credentials.secret,
                            issued->credentials.session_token};
  invocation.endpoint_url = endpoint_url_();
  invocation.request_id = execution.id;
  invocation.client_context = execution.input["ClientContext"].string_or("");
  const bool async = execution.input["Async"].bool_or(false);
  const std::int64_t attempt = execution.cursor["attempt"].int_or(0) + 1;
  // The callback comes on the runtime's thread, which must not wait for the store; what it does here is to hand over a
  // step.
  runtime_.invoke(std::move(invocation), [this, done = std::move(done), version = record->version, async, attempt,
                                          cursor = execution.cursor](Result<Outcome> outcome) {
    if (!outcome) {
      if (outcome.error().retryable && attempt < 10)
        return done(wait_and_retry(cursor, attempt, clock_.now_ms() + 1000 * attempt, outcome.error().message));
      return done(failed(outcome.error()));
    }
    if (async && !outcome->function_error.empty() && attempt < async_attempts)
      return done(wait_and_retry(cursor, attempt, clock_.now_ms() + async_wait_ms * attempt,
                                 "the handler failed (" + outcome->error_type + "); tries again"));
    Step step;
    step.next = outcome->function_error.empty() ? Step::Next::Succeeded : Step::Next::Failed;
    step.outcome = outcome->function_error.empty() ? "returned" : "function error";
    step.result = json::Object{{"Payload", outcome->payload},         {"FunctionError", outcome->function_error},
                               {"ErrorType", outcome->error_type},    {"LogTail", outcome->log_tail},
                               {"DurationMs", outcome->duration_ms},  {"Version", version},
                               {"MemoryMb", outcome->memory_used_mb}, {"Cold", outcome->cold}};
    done(std::move(step));
  });
}

}  // namespace fixpoint::functions
