#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/http_message.h"
#include "functions/runtime.h"
#include "functions/sandbox.h"
#include "functions/worker.h"
#include "http/server.h"

namespace fixpoint::functions {

/// How often is looked at what a process with a run holds of memory: what it takes in between is over the limit unseen.
constexpr auto memory_look = std::chrono::milliseconds(50);

/// The runtime: one thread that owns every process, its log and its deadline, and a server whose requests it answers.
/// All other threads only put something into the inbox.
class Supervisor final : public Runtime {
 public:
  static Result<std::unique_ptr<Supervisor>> start(RuntimeOptions options);
  ~Supervisor() override;

  void invoke(Invocation invocation, Callback done) override;
  std::string isolation() override;
  Counts counts() const override;
  void stop() override;

 private:
  struct Asked {  // a request of a process
    HttpRequest request;
    http::Responder respond;
  };
  using Workers = std::list<std::unique_ptr<Worker>>;

  explicit Supervisor(RuntimeOptions options);
  void wake() const;

  // On the runtime's thread:
  void loop();
  bool turn();
  void wait_for_something();
  Result<void> find_sandbox();
  void tell_isolation(std::string sentence);
  void dispatch();
  Worker* idle_worker(const std::string& key);
  bool is_worn(const Worker& worker) const;
  bool promise_returning(const std::string& key);
  bool make_room();
  void start_worker(std::unique_ptr<Run> run);
  void give(Worker& worker);
  void answer(Asked asked);
  void answer_worker(Worker& worker, std::string_view method, std::string_view path, Asked asked);
  void take_result(Worker& worker, std::string_view path, Asked asked);
  void take_init_error(Worker& worker, Asked asked);
  void drain(Worker& worker);
  void finish(Worker& worker, Outcome outcome);
  void check_deadline(Worker& worker);
  void check_memory(Worker& worker);
  void end(Worker& worker);
  void bury(Worker& worker);
  void expire_waiting();
  std::size_t free_slot() const;
  void count();

  RuntimeOptions options_;
  SystemClock clock_;
  Fd wake_fd_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Sandbox> sandbox_;  // the thread's own, like all below
  std::optional<Error> no_sandbox_;
  Workers workers_;
  std::deque<std::unique_ptr<Run>> waiting_;
  std::uint64_t started_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Run>> new_runs_;
  std::deque<Asked> new_requests_;
  std::size_t taken_ = 0;  // runs that have neither a process nor ended
  Counts counts_;
  bool stopping_ = false;
  bool isolation_wanted_ = false;
  std::string isolation_;
  std::mutex stop_mutex_;
  std::thread thread_;
};

}  // namespace fixpoint::functions
