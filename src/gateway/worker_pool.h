#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fixpoint::gateway {

/// Threads for requests that wait for a disk or a network, so that those which do not never wait behind them.
/// Thread-safe.
class WorkerPool {
 public:
  static constexpr std::size_t queue_limit = 4096;  ///< tasks

  explicit WorkerPool(unsigned threads);
  ~WorkerPool();
  /// False where the queue is full or the pool is stopping; the task is then not run.
  bool run(std::function<void()> task);
  /// Runs what is queued, then ends the threads. Again: does nothing.
  void stop();

 private:
  void work();
  bool wakes_one();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::size_t asleep_ = 0;
  bool waking_ = false;  // one of those asleep was woken, and has not looked yet
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace fixpoint::gateway
