#include "gateway/worker_pool.h"

#include <pthread.h>

namespace fixpoint::gateway {

WorkerPool::WorkerPool(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::run(std::function<void()> task) {
  bool wakes = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit) return false;
    queue_.push_back(std::move(task));
    wakes = wakes_one();
  }
  if (wakes) wake_.notify_one();
  return true;
}

// Waking a thread costs more than most tasks: one at a time is woken, and wakes the next where there is more than it
// takes. Those awake meanwhile take what comes. Under the lock.
bool WorkerPool::wakes_one() {
  if (waking_ || asleep_ == 0 || queue_.empty()) return false;
  waking_ = true;
  return true;
}

void WorkerPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void WorkerPool::work() {
  pthread_setname_np(pthread_self(), "worker");
  while (true) {
    std::function<void()> task;
    bool wakes = false;
    {
      std::unique_lock lock(mutex_);
      while (!stopping_ && queue_.empty()) {
        ++asleep_;
        wake_.wait(lock);
        --asleep_;
        waking_ = false;
      }
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
      wakes = wakes_one();
    }
    if (wakes) wake_.notify_one();
    task();
  }
}

}  // namespace fixpoint::gateway
