#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "aws/service_table.h"
#include "base/clock.h"
#include "services/sqs/queues.h"
#include "store/store.h"

namespace fixpoint::services::sqs {

/// Receives that wait for a message hold a row here and no thread: one thread for all of them wakes those of a queue
/// in which a message arrived, or became visible, and ends those whose time is over. It also sweeps what is beyond its
/// retention and makes the moves of message move tasks. Thread-safe.
class Waiting {
 public:
  /// Receives that wait at once; one more is answered at once with what there is.
  static constexpr std::size_t waiters_limit = 20'000;

  /// Turns what was received into the operation's answer.
  using Form = std::function<json::Value(const Queue&, std::vector<Received>)>;

  struct Call {
    QueueName name;
    Receive how;
    bool default_visibility = true;  ///< how.visibility_s is the queue's own
    std::int64_t wait_s = -1;        ///< -1: the queue's own
    Form form;
    aws::Answer answer;
  };

  Waiting(store::Store& store, Queues& queues, const Clock& clock);
  ~Waiting();
  void start();
  /// Answers those that wait with nothing, lets attempts under way end. Calls that come later do not wait.
  void stop();

  void receive(Call call);
  /// A message of that queue may be receivable. Short: may be called on the store's writer thread.
  void arrived(std::int64_t queue);
  /// Looks at the clock: for a clock that moves by itself this is never needed.
  void look();

 private:
  struct Waiter;
  void run();
  void attempt(const std::shared_ptr<Waiter>& waiter);
  void attempted(const std::shared_ptr<Waiter>& waiter, Result<void> result);
  void park(const std::shared_ptr<Waiter>& waiter);
  void work(std::unique_lock<std::mutex>& lock, TimeMs now);
  void background(std::unique_lock<std::mutex>& lock, TimeMs now);
  std::shared_ptr<Waiter> take_first(std::int64_t queue);
  std::uint64_t& arrivals(std::int64_t queue) { return arrivals_[static_cast<std::size_t>(queue) % arrivals_.size()]; }

  store::Store& store_;
  Queues& queues_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::map<std::int64_t, std::deque<std::shared_ptr<Waiter>>> waiters_;  // by queue, the longest first
  std::multimap<TimeMs, std::shared_ptr<Waiter>> deadlines_;
  std::map<std::int64_t, TimeMs> due_;  // when a message of a queue with waiters becomes visible
  std::set<std::int64_t> ready_;        // queues whose first waiter tries again
  std::vector<std::uint64_t> arrivals_ = std::vector<std::uint64_t>(1024);
  std::size_t waiting_ = 0;
  std::size_t under_way_ = 0;
  bool moving_ = true;  // move tasks may run; those of an earlier process at first
  TimeMs next_move_ms_ = 0;
  TimeMs next_sweep_ms_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fixpoint::services::sqs
