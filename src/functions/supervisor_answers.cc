// What the processes ask of the runtime interface, and what they get.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "base/utf8.h"
#include "functions/supervisor.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto returning_limit = milliseconds(2'000);  // from an answer to the next question

HttpResponse plain(int status, std::string body = {}) {
  HttpResponse response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

// The name of an exception's class is the handler's to choose, and stands in journals.
std::string error_type_of(const json::Value& document, std::string_view otherwise) {
  constexpr std::size_t longest = 256;  // characters
  return cut_characters(legible(std::string(document["errorType"].string_or(otherwise))), longest);
}

// The caller's own code, which must not take the runtime's thread with it.
Result<std::string> fetch(const Invocation& invocation) {
  if (!invocation.code) return fail(errors::internal("the invocation brings no code"));
  try {
    return invocation.code();
  } catch (const std::exception& thrown) {
    return fail(errors::internal(std::string("the function's code could not be fetched: ") + thrown.what()));
  }
}

}  // namespace

// Answers the process's question for the next event with the run that it got.
void Supervisor::give(Worker& worker) {
  Run& run = *worker.run;
  const Invocation& invocation = run.invocation;
  const TimeMs now = clock_.now_ms();
  TimeMs allowed = std::int64_t{invocation.function.timeout_s} * 1000;
  if (invocation.deadline_ms != 0) allowed = std::clamp<TimeMs>(invocation.deadline_ms - now, 0, allowed);
  worker.state = Worker::State::Running;
  run.began = steady_clock::now();
  run.began_at_all = true;
  worker.deadline = run.began + milliseconds(allowed);
  worker.next_look = std::min(worker.next_look, run.began + memory_look);
  run.log.append("START RequestId: " + invocation.request_id + " Version: " + invocation.function.version + "\n");
  HttpResponse event = plain(200, invocation.payload);
  event.headers.set("Lambda-Runtime-Aws-Request-Id", invocation.request_id);
  event.headers.set("Lambda-Runtime-Deadline-Ms", std::to_string(now + allowed));
  event.headers.set("Lambda-Runtime-Invoked-Function-Arn", invocation.invoked_arn);
  event.headers.set("Lambda-Runtime-Trace-Id", "Root=1-" + random_hex(8) + "-" + random_hex(24) + ";Sampled=0");
  if (!invocation.client_context.empty()) event.headers.set("Lambda-Runtime-Client-Context", invocation.client_context);
  event.headers.set("Fixpoint-Response-Limit", std::to_string(options_.response_limit_bytes));
  std::exchange(worker.next, {}).send(std::move(event));
}

void Supervisor::answer(Asked asked) {
  std::string_view path = asked.request.path();
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string secret(path.substr(0, end));
  const std::string rest(path.substr(end));
  Worker* found = nullptr;
  for (auto& worker : workers_)
    if (equal_in_constant_time(worker->secret, secret)) found = worker.get();
  // One that is being ended has nothing more to ask: its answer is not taken.
  if (found == nullptr || found->state == Worker::State::Ending)
    return asked.respond.send(plain(
        403,
        R"({"errorType":"Forbidden","errorMessage":"This is the runtime interface of fixpoint's functions; each process has a secret for it."})"));
  const std::string method = asked.request.method;
  answer_worker(*found, method, rest, std::move(asked));
}

void Supervisor::answer_worker(Worker& worker, std::string_view method, std::string_view path, Asked asked) {
  using State = Worker::State;
  constexpr std::string_view version = "/2018-06-01/runtime";
  if (method == "GET" && path == "/fixpoint/environment")
    return asked.respond.send(plain(200, json::print(worker.environment)));
  if (method == "GET" && path == "/fixpoint/code" && worker.state == State::Starting && worker.run) {
    auto code = fetch(worker.run->invocation);
    if (code) return asked.respond.send(plain(200, std::move(*code)));
    asked.respond.send(plain(410));
    auto run = std::move(worker.run);
    end(worker);
    return tell(*run, fail(std::move(code.error())));
  }
  if (method == "GET" && path == "/fixpoint/credentials" && worker.run &&
      (worker.state == State::Starting || worker.state == State::Running)) {
    const Credentials& keys = worker.run->invocation.credentials;
    return asked.respond.send(plain(200, json::print(json::Object{{"AccessKeyId", keys.access_key},
                                                                  {"SecretAccessKey", keys.secret_key},
                                                                  {"Token", keys.session_token}})));
  }
  if (method == "GET" && path == std::string(version) + "/invocation/next" &&
      (worker.state == State::Starting || worker.state == State::Returning)) {
    worker.next = std::move(asked.respond);
    if (worker.state == State::Starting) {
      worker.init_ms = milliseconds_since(worker.started);
      return give(worker);
    }
    if (is_worn(worker)) return end(worker);
    worker.state = State::Idle;
    worker.idle_since = steady_clock::now();
    worker.deadline = worker.idle_since + milliseconds(options_.idle_ms);
    return;
  }
  if (method == "POST" && path == std::string(version) + "/init/error" && worker.state == State::Starting)
    return take_init_error(worker, std::move(asked));
  if (method == "POST" && worker.state == State::Running && path.starts_with(std::string(version) + "/invocation/"))
    return take_result(worker, path.substr(version.size() + 12), std::move(asked));
  asked.respond.send(plain(
      404,
      R"({"errorType":"InvalidStateTransition","errorMessage":"There is no such resource of the runtime interface, or not now."})"));
}

void Supervisor::take_result(Worker& worker, std::string_view path, Asked asked) {
  const std::string& id = worker.run->invocation.request_id;
  const bool response = path == id + "/response";
  if (!response && path != id + "/error")
    return asked.respond.send(plain(400, R"({"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"})"));
  worker.memory_kb =
      std::max(worker.memory_kb, to_int64(asked.request.headers.get("Fixpoint-Max-Memory-Kb")).value_or(0));
  Outcome outcome;
  const std::string limit = std::to_string(options_.response_limit_bytes);
  const auto document = json::parse(asked.request.body);
  if (asked.request.body.size() > options_.response_limit_bytes) {
    outcome = failure_of(*worker.run, "Function.ResponseSizeTooLarge",
                         "Response payload size exceeded maximum allowed payload size (" + limit + " bytes).");
  } else if (!document) {
    // The bootstrap sends nothing that is no JSON, but what runs beside it may.
    outcome = failure_of(*worker.run, "Runtime.InvalidResponse",
                         "The runtime's answer is not JSON: " + document.error().message);
  } else if (response) {
    outcome.payload = std::move(asked.request.body);
  } else {
    outcome.payload = std::move(asked.request.body);
    outcome.function_error = "Unhandled";
    outcome.error_type = error_type_of(*document, "Error");
  }
  asked.respond.send(plain(202, R"({"status":"OK"})"));
  worker.state = Worker::State::Returning;
  worker.deadline = steady_clock::now() + returning_limit;
  drain(worker);
  finish(worker, std::move(outcome));
}

void Supervisor::take_init_error(Worker& worker, Asked asked) {
  worker.memory_kb =
      std::max(worker.memory_kb, to_int64(asked.request.headers.get("Fixpoint-Max-Memory-Kb")).value_or(0));
  auto document = json::parse(asked.request.body);
  asked.respond.send(plain(202, R"({"status":"OK"})"));
  if (document && document->is_object()) {
    document->set("requestId", worker.run->invocation.request_id);
    Outcome outcome;
    outcome.payload = json::print(*document);
    outcome.function_error = "Unhandled";
    outcome.error_type = error_type_of(*document, "Runtime.Unknown");
    worker.outcome = std::move(outcome);
  }
  worker.init_ms = milliseconds_since(worker.started);
  end(worker);
}

}  // namespace fixpoint::functions
