#include "functions/supervisor.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <future>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t payload_limit_bytes =
    6'291'456;  // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
constexpr std::size_t client_context_limit_bytes = 3'583;
constexpr std::size_t body_margin_bytes = 1024UL * 1024;
constexpr auto ending_limit = milliseconds(5'000);  // for a killed process to be gone
constexpr double busy_limit_ms = 3'000'000;         // within the processor time that Sandbox allows a process
constexpr int no_idle_end_ms = 1'000'000;           // longer than the longest run, 900 s
constexpr std::size_t secret_digits = 64;
constexpr auto idle_memory_look = milliseconds(1'000);
constexpr int memory_look_share = 100;  // a look takes this part of the time to the next one at most

Error stopped() {
  return errors::unavailable("The function runtime is stopping.");
}

// The processes of one revision of a function are alike, and those of two endpoints are not.
std::string key_of(const Invocation& invocation) {
  return invocation.function.qualified_arn() + "\n" + invocation.function.revision_id + "\n" +
         invocation.function.code_sha256 + "\n" + invocation.endpoint_url;
}

}  // namespace

Result<Outcome> Runtime::invoke_and_wait(Invocation invocation) {
  std::promise<Result<Outcome>> promise;
  auto future = promise.get_future();
  invoke(std::move(invocation), [&promise](Result<Outcome> outcome) { promise.set_value(std::move(outcome)); });
  return future.get();
}

Result<std::unique_ptr<Runtime>> Runtime::start(RuntimeOptions options) {
  FIXPOINT_TRY(supervisor, Supervisor::start(std::move(options)));
  return std::unique_ptr<Runtime>(std::move(supervisor));
}

Supervisor::Supervisor(RuntimeOptions options)
    : options_(std::move(options)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<Supervisor>> Supervisor::start(RuntimeOptions options) {
  if (options.processes == 0 || options.process_limit < 4)
    return fail(errors::validation(
        "The function runtime needs one process at least, and a process_limit of four: bubblewrap takes two"));
  std::unique_ptr<Supervisor> out(new Supervisor(std::move(options)));
  http::ServerOptions server;
  server.body_limit_bytes = out->options_.response_limit_bytes + body_margin_bytes;
  // No process can take what another needs. Some are those of processes that have just ended.
  server.connection_limit = (out->options_.processes + 2) * RuntimeOptions::runtime_connections;
  server.bodies_limit_bytes = 2 * server.body_limit_bytes * out->options_.processes;
  server.idle_timeout_ms = no_idle_end_ms;
  server.stop_timeout_ms = 100;
  auto* raw = out.get();
  FIXPOINT_TRY(listening, http::Server::start(std::move(server), [raw](HttpRequest request, http::Responder respond) {
                 {
                   const std::lock_guard lock(raw->mutex_);
                   if (!raw->stopping_) {
                     raw->new_requests_.push_back({std::move(request), std::move(respond)});
                     raw->wake();
                     return;
                   }
                 }
                 respond.send({.status = 503, .headers = {}, .body = {}});
               }));
  out->server_ = std::move(listening);
  out->thread_ = std::thread([raw] { raw->loop(); });
  return out;
}

Supervisor::~Supervisor() {
  stop();
}

void Supervisor::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_fd_.get(), &one, sizeof(one));
}

void Supervisor::stop() {
  const std::lock_guard once(stop_mutex_);
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
  server_->stop();
}

Runtime::Counts Supervisor::counts() const {
  const std::lock_guard lock(mutex_);
  Counts out = counts_;
  out.waiting = taken_;
  return out;
}

std::string Supervisor::isolation() {
  std::unique_lock lock(mutex_);
  isolation_wanted_ = true;
  wake();
  changed_.wait(lock, [&] { return !isolation_.empty() || stopping_; });
  return isolation_.empty() ? "The function runtime has stopped before it found out." : isolation_;
}

void Supervisor::invoke(Invocation invocation, Callback done) {
  auto run = std::make_unique<Run>();
  if (invocation.request_id.empty()) invocation.request_id = random_uuid();
  if (invocation.invoked_arn.empty()) invocation.invoked_arn = invocation.function.arn();
  run->key = key_of(invocation);
  run->log = RunLog(options_.log_limit_bytes);
  if (invocation.payload.size() > payload_limit_bytes) {
    done(fail(errors::coded("RequestTooLargeException",
                            "Request must be smaller than 6291456 bytes for the InvokeFunction operation", 413)));
    return;
  }
  // It stands in paths, headers and log lines.
  const std::string_view word = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  if (invocation.request_id.size() > 128 || invocation.request_id.find_first_not_of(word) != std::string::npos) {
    done(fail(errors::validation("The request id '" + invocation.request_id.substr(0, 128) +
                                 "' is none: a UUID is right, or other text of letters, digits, '-' and '_'")));
    return;
  }
  if (!invocation.client_context.empty()) {
    // It travels in a header, and so on one line.
    const auto context = json::parse(invocation.client_context);
    if (!context || !context->is_object() || invocation.client_context.size() > client_context_limit_bytes) {
      done(fail(errors::coded("InvalidRequestContentException",
                              "Client context must be a valid Base64-encoded JSON object.", 400)));
      return;
    }
    invocation.client_context = json::print(*context);
  }
  run->invocation = std::move(invocation);
  run->done = std::move(done);
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    full = taken_ >= options_.queue_limit;
    if (!stopping_ && !full) {
      ++taken_;
      new_runs_.push_back(std::move(run));
      wake();
      return;
    }
  }
  if (!full) return tell(*run, fail(stopped()));
  Error error = errors::coded("TooManyRequestsException", "Rate Exceeded.", 429);
  error.retryable = true;
  tell(*run, fail(std::move(error)));
}

void Supervisor::loop() {
  while (turn()) wait_for_something();
  for (auto& worker : workers_) {
    drain(*worker);
    if (worker->run) tell(*worker->run, fail(stopped()));
  }
  workers_.clear();  // kills and waits
  for (auto& run : waiting_) tell(*run, fail(stopped()));
  waiting_.clear();
  std::deque<std::unique_ptr<Run>> runs;
  {
    const std::lock_guard lock(mutex_);
    runs.swap(new_runs_);
    new_requests_.clear();
    taken_ = 0;
    counts_.processes = counts_.running = 0;
  }
  for (auto& run : runs) tell(*run, fail(stopped()));
  changed_.notify_all();
}

// Everything that can be done now. False: it is time to stop.
bool Supervisor::turn() {
  std::deque<std::unique_ptr<Run>> runs;
  std::deque<Asked> requests;
  bool look = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    runs.swap(new_runs_);
    requests.swap(new_requests_);
    look = isolation_wanted_ && isolation_.empty();
  }
  if (look) (void)find_sandbox();
  for (auto& asked : requests) answer(std::move(asked));
  for (auto& run : runs) waiting_.push_back(std::move(run));
  for (auto& worker : workers_) {
    drain(*worker);
    check_deadline(*worker);
    check_memory(*worker);
  }
  for (auto at = workers_.begin(); at != workers_.end();) {
    Worker& worker = **at;
    const bool late =
        worker.state == Worker::State::Ending && worker.deadline && steady_clock::now() >= *worker.deadline;
    // A process is gone when it has ended and nobody holds its output any more.
    if (worker.process.exited() && (!worker.output_open || late)) {
      bury(worker);
      at = workers_.erase(at);
      continue;
    }
    if (worker.process.exited() && worker.state != Worker::State::Ending) end(worker);
    ++at;
  }
  expire_waiting();
  dispatch();
  count();
  return true;
}

void Supervisor::wait_for_something() {
  std::vector<struct pollfd> fds{{wake_fd_.get(), POLLIN, 0}};
  std::optional<Instant> first;
  const auto consider = [&](Instant instant) {
    if (!first || instant < *first) first = instant;
  };
  for (const auto& worker : workers_) {
    if (worker->output_open) fds.push_back({worker->process.output_fd(), POLLIN, 0});
    // The descriptor of a process that has ended stays readable.
    if (!worker->process.exited()) fds.push_back({worker->process.exit_fd(), POLLIN, 0});
    if (worker->deadline) consider(*worker->deadline);
    if (worker->state != Worker::State::Ending) consider(worker->next_look);
  }
  const TimeMs now = clock_.now_ms();
  for (const auto& run : waiting_)
    if (run->invocation.deadline_ms != 0)
      consider(steady_clock::now() + milliseconds(run->invocation.deadline_ms - now));
  int timeout = -1;
  if (first) {
    const auto left = std::chrono::ceil<milliseconds>(*first - steady_clock::now()).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  poll(fds.data(), fds.size(), timeout);
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto got = read(wake_fd_.get(), &ignored, sizeof(ignored));
}

Result<void> Supervisor::find_sandbox() {
  if (sandbox_) return {};
  if (no_sandbox_) return fail(*no_sandbox_);
  auto found = Sandbox::find(options_);
  if (!found && found.error().retryable) {
    // Looked for again with the next run.
    tell_isolation("No handler can run for the moment: " + found.error().message);
    return fail(std::move(found.error()));
  }
  if (found)
    sandbox_ = std::move(*found);
  else
    no_sandbox_ = found.error();
  tell_isolation(sandbox_ ? sandbox_->sentence() : "No handler can run: " + no_sandbox_->message);
  if (no_sandbox_) return fail(*no_sandbox_);
  return {};
}

void Supervisor::tell_isolation(std::string sentence) {
  const std::lock_guard lock(mutex_);
  isolation_ = std::move(sentence);
  changed_.notify_all();
}

Worker* Supervisor::idle_worker(const std::string& key) {
  for (auto& worker : workers_)
    if (worker->state == Worker::State::Idle && worker->key == key) return worker.get();
  return nullptr;
}

bool Supervisor::is_worn(const Worker& worker) const {
  return worker.runs >= options_.recycle_after || worker.busy_ms > busy_limit_ms;
}

// A process that has just answered asks for the next event in a moment: sooner than a new one would be there. Each is
// promised to one run only.
bool Supervisor::promise_returning(const std::string& key) {
  for (auto& worker : workers_) {
    if (worker->state != Worker::State::Returning || worker->promised || worker->key != key || is_worn(*worker))
      continue;
    worker->promised = true;
    return true;
  }
  return false;
}

// Ends the idle process that was idle longest, where none is ending already. False where all are busy.
bool Supervisor::make_room() {
  Worker* oldest = nullptr;
  for (auto& worker : workers_)
    if (worker->state == Worker::State::Idle && (oldest == nullptr || worker->idle_since < oldest->idle_since))
      oldest = worker.get();
  if (oldest == nullptr) return false;
  end(*oldest);
  return true;
}

void Supervisor::dispatch() {
  std::size_t coming_free = static_cast<std::size_t>(std::count_if(
      workers_.begin(), workers_.end(), [](const auto& worker) { return worker->state == Worker::State::Ending; }));
  for (auto& worker : workers_) worker->promised = false;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (Worker* worker = idle_worker((*at)->key)) {
      worker->run = std::move(*at);
      at = waiting_.erase(at);
      give(*worker);
    } else if (promise_returning((*at)->key)) {
      ++at;
    } else if (workers_.size() < options_.processes) {
      auto run = std::move(*at);
      at = waiting_.erase(at);
      start_worker(std::move(run));
    } else {
      if (coming_free > 0)
        --coming_free;
      else
        make_room();
      ++at;
    }
  }
}

std::size_t Supervisor::free_slot() const {
  for (std::size_t slot = 0;; ++slot)
    if (std::none_of(workers_.begin(), workers_.end(), [&](const auto& worker) { return worker->slot == slot; }))
      return slot;
}

void Supervisor::start_worker(std::unique_ptr<Run> run) {
  if (auto found = find_sandbox(); !found) return tell(*run, fail(std::move(found.error())));
  const FunctionRecord& function = run->invocation.function;
  const std::string secret = random_hex(secret_digits);
  Sandbox::Request request;
  request.slot = free_slot();
  request.runtime_port = server_->port();
  request.runtime_secret = secret;
  request.gateway_url = run->invocation.endpoint_url;
  request.memory_mb = function.memory_mb;
  request.ephemeral_storage_mb = function.ephemeral_storage_mb;
  request.timeout_s = function.timeout_s;
  auto started = sandbox_->start(request);
  if (!started) return tell(*run, fail(std::move(started.error())));
  auto worker = std::make_unique<Worker>(std::move(started->process), run->key);
  worker->secret = secret;
  worker->folder = std::move(started->folder);
  worker->relay = std::move(started->relay);
  worker->slot = request.slot;
  worker->status_has_signals = started->status_has_signals;
  worker->log_stream = new_log_stream(function, clock_.now_ms());
  worker->environment = environment_of(run->invocation, started->task_root, started->runtime_dir, worker->log_stream,
                                       started->gateway_url);
  worker->memory_limit_kb = std::int64_t{function.memory_mb} * 1024;
  worker->next_look = worker->started + memory_look;
  worker->deadline = worker->started + milliseconds(options_.init_timeout_ms);
  if (const TimeMs ends = run->invocation.deadline_ms; ends != 0)
    worker->deadline =
        std::min(*worker->deadline, worker->started + milliseconds(std::max<TimeMs>(ends - clock_.now_ms(), 0)));
  run->cold = true;
  worker->run = std::move(run);
  ++started_;
  workers_.push_back(std::move(worker));
}

void Supervisor::drain(Worker& worker) {
  if (!worker.output_open) return;
  std::string output;
  worker.output_open = worker.process.read_output(output);
  // What is written between two runs belongs to none, as nobody asked for it.
  if (!output.empty() && worker.run) worker.run->log.append(output);
}

void Supervisor::finish(Worker& worker, Outcome outcome) {
  auto run = std::move(worker.run);
  const Invocation& invocation = run->invocation;
  outcome.request_id = invocation.request_id;
  outcome.cold = run->cold;
  outcome.init_ms = run->cold ? worker.init_ms : 0;
  outcome.duration_ms = run->began_at_all ? milliseconds_since(run->began) : 0;
  outcome.billed_ms = static_cast<std::int64_t>(std::ceil(outcome.duration_ms));
  outcome.memory_mb = invocation.function.memory_mb;
  outcome.memory_used_mb = static_cast<int>((worker.memory_kb + 1023) / 1024);
  worker.busy_ms += outcome.duration_ms;
  ++worker.runs;
  const bool timed_out = outcome.error_type == "Sandbox.Timedout";
  const bool exited = outcome.error_type == "Runtime.ExitError";
  if (!run->began_at_all)
    run->log.append("START RequestId: " + outcome.request_id + " Version: " + invocation.function.version + "\n");
  if (timed_out)
    run->log.append(fmt::format("{} {} Task timed out after {:.2f} seconds\n\n", format_iso8601_ms(clock_.now_ms()),
                                outcome.request_id,
                                (run->began_at_all ? outcome.duration_ms : milliseconds_since(worker.started)) / 1000));
  if (exited)
    run->log.append(std::string(json::parse(outcome.payload).value_or(json::Value())["errorMessage"].string_or("")) +
                    "\nRuntime.ExitError\n");
  run->log.append("END RequestId: " + outcome.request_id + "\n" + report_line(outcome));
  outcome.log_tail = run->log.tail();
  try {
    if (options_.on_log) options_.on_log(log_group_of(invocation.function), worker.log_stream, run->log.text());
  } catch (...) {  // NOLINT(bugprone-empty-catch): a log that nobody takes is no reason to lose the outcome
  }
  tell(*run, std::move(outcome));
}

void Supervisor::check_deadline(Worker& worker) {
  if (!worker.deadline || steady_clock::now() < *worker.deadline) return;
  switch (worker.state) {
    case Worker::State::Starting:
      worker.init_ms = milliseconds_since(worker.started);
      worker.outcome = failure_of(
          *worker.run, "Sandbox.Timedout",
          fmt::format(
              "RequestId: {} Error: Task timed out after {:.2f} seconds while the handler's module was imported",
              worker.run->invocation.request_id,
              std::chrono::duration<double>(*worker.deadline - worker.started).count()));
      return end(worker);
    case Worker::State::Running: {
      const double allowed_s = std::chrono::duration<double>(*worker.deadline - worker.run->began).count();
      worker.outcome = failure_of(*worker.run, "Sandbox.Timedout",
                                  fmt::format("RequestId: {} Error: Task timed out after {:.2f} seconds",
                                              worker.run->invocation.request_id, allowed_s));
      return end(worker);
    }
    case Worker::State::Returning:
    case Worker::State::Idle: return end(worker);
    case Worker::State::Ending: return;
  }
}

// Lambda kills what exceeds the function's memory, and says so with the signal:
// https://repost.aws/knowledge-center/lambda-troubleshoot-invocation-error-502-500
void Supervisor::check_memory(Worker& worker) {
  const Instant began = steady_clock::now();
  if (worker.state == Worker::State::Ending || began < worker.next_look) return;
  const std::int64_t used_kb = worker.process.memory_kb(worker.memory_limit_kb);
  const Instant now = steady_clock::now();
  worker.next_look = now + std::max<steady_clock::duration>(worker.run ? memory_look : idle_memory_look,
                                                            (now - began) * memory_look_share);
  worker.memory_kb = std::max(worker.memory_kb, used_kb);
  if (used_kb <= worker.memory_limit_kb) return;
  if (worker.run)
    worker.outcome = failure_of(
        *worker.run, "Runtime.ExitError",
        "RequestId: " + worker.run->invocation.request_id + " Error: Runtime exited with error: signal: killed");
  end(worker);
}

// Kills it; what it owes is paid when it is gone, so that no handler goes on after its outcome was told.
void Supervisor::end(Worker& worker) {
  worker.process.kill();
  if (worker.state == Worker::State::Ending) return;
  worker.state = Worker::State::Ending;
  worker.deadline = steady_clock::now() + ending_limit;
  worker.next = {};
}

void Supervisor::bury(Worker& worker) {
  drain(worker);
  const Exit exit = worker.process.exited().value_or(Exit{});
  worker.memory_kb = std::max(worker.memory_kb, exit.memory_kb);
  if (worker.run) {
    Outcome outcome = worker.outcome ? std::move(*worker.outcome)
                                     : failure_of(*worker.run, "Runtime.ExitError",
                                                  "RequestId: " + worker.run->invocation.request_id +
                                                      " Error: " + describe_exit(exit, worker.status_has_signals));
    finish(worker, std::move(outcome));
  }
}

void Supervisor::expire_waiting() {
  const TimeMs now = clock_.now_ms();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const TimeMs deadline = (*at)->invocation.deadline_ms;
    if (deadline == 0 || deadline > now) {
      ++at;
      continue;
    }
    Error error =
        errors::coded("TooManyRequestsException", "No process was free before the invocation's deadline.", 429);
    error.retryable = true;
    tell(**at, fail(std::move(error)));
    at = waiting_.erase(at);
  }
}

void Supervisor::count() {
  const std::lock_guard lock(mutex_);
  taken_ = waiting_.size() + new_runs_.size();
  counts_.processes = workers_.size();
  counts_.running = static_cast<std::size_t>(
      std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->run != nullptr; }));
  counts_.started = started_;
}

}  // namespace fixpoint::functions
