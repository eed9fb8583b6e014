#include "services/sqs/waiting.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <pthread.h>

namespace fixpoint::services::sqs {
namespace {

using json::Value;

constexpr TimeMs sweep_every_ms = 60'000;
constexpr TimeMs move_every_ms = 1000;
constexpr TimeMs longest_sleep_ms = 1000;

}  // namespace

struct Waiting::Waiter {
  Call call;
  TimeMs deadline_ms = 0;  // 0 until the queue said how long to wait
  std::int64_t queue = 0;
  std::uint64_t arrivals = 0;  // of its queue, when the attempt began
  bool parked = false;
  // What the last attempt found.
  std::optional<Queue> found;
  std::vector<Received> messages;
  std::optional<TimeMs> next_ms;
};

Waiting::Waiting(store::Store& store, Queues& queues, const Clock& clock)
    : store_(store), queues_(queues), clock_(clock) {}

Waiting::~Waiting() {
  stop();
}

void Waiting::start() {
  const TimeMs now = clock_.now_ms();
  next_sweep_ms_ = now + sweep_every_ms;
  next_move_ms_ = now + move_every_ms;  // counted from here, not from the thread's first turn, which may be late
  thread_ = std::thread([this] { run(); });
}

void Waiting::stop() {
  std::multimap<TimeMs, std::shared_ptr<Waiter>> left;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(deadlines_);
    for (auto& [deadline, waiter] : left) waiter->parked = false;
    waiters_.clear();
    waiting_ = 0;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (auto& [deadline, waiter] : left) waiter->call.answer(waiter->call.form(*waiter->found, {}));
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_ == 0; });
}

void Waiting::receive(Call call) {
  auto waiter = std::make_shared<Waiter>();
  waiter->call = std::move(call);
  attempt(waiter);
}

void Waiting::arrived(std::int64_t queue) {
  {
    std::lock_guard lock(mutex_);
    ++arrivals(queue);
    moving_ = true;  // a started move task tells of its source's queue
    if (!waiters_.contains(queue)) return;
    ready_.insert(queue);
  }
  wake_.notify_one();
}

void Waiting::look() {
  wake_.notify_one();
}

void Waiting::attempt(const std::shared_ptr<Waiter>& waiter) {
  {
    std::lock_guard lock(mutex_);
    ++under_way_;
    if (waiter->queue != 0) waiter->arrivals = arrivals(waiter->queue);
  }
  store_.write_async(
      [this, waiter](store::Transaction& tx) -> Result<void> {
        waiter->messages.clear();
        FIXPOINT_TRY(queue, queues_.get(tx, waiter->call.name));
        if (waiter->queue == 0) {
          // What arrives from here on is committed after this attempt, and tells of itself after that.
          std::lock_guard lock(mutex_);
          waiter->arrivals = arrivals(queue.id);
        }
        waiter->queue = queue.id;
        Receive how = waiter->call.how;
        if (waiter->call.default_visibility) how.visibility_s = queue.visibility_s;
        FIXPOINT_TRY(messages, queues_.receive(tx, queue, how));
        waiter->messages = std::move(messages);
        if (waiter->messages.empty()) {
          FIXPOINT_TRY(next, queues_.next_visible(tx, queue));
          waiter->next_ms = next;
        }
        waiter->found = std::move(queue);
        return {};
      },
      [this, waiter](Result<void> result) { attempted(waiter, std::move(result)); });
}

void Waiting::attempted(const std::shared_ptr<Waiter>& waiter, Result<void> result) {
  const Call& call = waiter->call;
  const bool done = !result || !waiter->messages.empty();
  if (done)
    call.answer(result ? Result<Value>(call.form(*waiter->found, std::move(waiter->messages)))
                       : Result<Value>(fail(result.error())));
  else
    park(waiter);
  std::lock_guard lock(mutex_);
  // Where one found something there may be more for the next.
  if (done && result && waiter->deadline_ms != 0 && waiters_.contains(waiter->queue)) {
    ready_.insert(waiter->queue);
    wake_.notify_one();
  }
  --under_way_;
  idle_.notify_all();
}

void Waiting::park(const std::shared_ptr<Waiter>& waiter) {
  const TimeMs now = clock_.now_ms();
  const bool again = waiter->deadline_ms != 0;
  if (!again) {
    const std::int64_t wait_s = waiter->call.wait_s >= 0 ? waiter->call.wait_s : waiter->found->wait_s;
    waiter->deadline_ms = now + wait_s * 1000;
  }
  {
    std::lock_guard lock(mutex_);
    if (waiter->deadline_ms > now && !stopping_ && waiting_ < waiters_limit) {
      waiter->parked = true;
      ++waiting_;
      auto& line = waiters_[waiter->queue];
      line.insert(again ? line.begin() : line.end(), waiter);  // who found nothing keeps its place
      deadlines_.emplace(waiter->deadline_ms, waiter);
      if (waiter->next_ms) {
        auto& due = due_[waiter->queue];
        if (due == 0 || *waiter->next_ms < due) due = *waiter->next_ms;
      }
      if (arrivals(waiter->queue) != waiter->arrivals) ready_.insert(waiter->queue);
      wake_.notify_one();
      return;
    }
  }
  waiter->call.answer(waiter->call.form(*waiter->found, {}));
}

std::shared_ptr<Waiting::Waiter> Waiting::take_first(std::int64_t queue) {
  const auto found = waiters_.find(queue);
  if (found == waiters_.end()) return nullptr;
  auto waiter = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) waiters_.erase(found);
  const auto [first, last] = deadlines_.equal_range(waiter->deadline_ms);
  for (auto at = first; at != last; ++at)
    if (at->second == waiter) {
      deadlines_.erase(at);
      break;
    }
  waiter->parked = false;
  --waiting_;
  return waiter;
}

void Waiting::work(std::unique_lock<std::mutex>& lock, TimeMs now) {
  for (auto at = due_.begin(); at != due_.end();) {
    if (at->second > now) {
      ++at;
      continue;
    }
    ready_.insert(at->first);
    at = due_.erase(at);
  }
  while (!ready_.empty()) {
    const std::int64_t queue = *ready_.begin();
    ready_.erase(ready_.begin());
    auto waiter = take_first(queue);
    if (!waiter) continue;
    lock.unlock();
    attempt(waiter);
    lock.lock();
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto waiter = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    auto& line = waiters_[waiter->queue];
    line.erase(std::find(line.begin(), line.end(), waiter));
    if (line.empty()) {
      waiters_.erase(waiter->queue);
      due_.erase(waiter->queue);
    }
    waiter->parked = false;
    --waiting_;
    lock.unlock();
    waiter->call.answer(waiter->call.form(*waiter->found, {}));
    lock.lock();
  }
}

void Waiting::background(std::unique_lock<std::mutex>& lock, TimeMs now) {
  if (moving_ && now >= next_move_ms_) {
    moving_ = false;
    next_move_ms_ = now + move_every_ms;
    lock.unlock();
    const auto more = queues_.move_some();
    lock.lock();
    // A store that was full for a moment is asked again.
    if (!more || *more) moving_ = true;
  }
  if (now >= next_sweep_ms_) {
    lock.unlock();
    const auto more = queues_.sweep();
    lock.lock();
    next_sweep_ms_ = more && *more ? now : now + sweep_every_ms;
  }
}

void Waiting::run() {
  pthread_setname_np(pthread_self(), "sqs");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimeMs now = clock_.now_ms();
    work(lock, now);
    if (stopping_) return;
    background(lock, now);
    if (stopping_) return;
    if (!ready_.empty()) continue;
    TimeMs until = now + longest_sleep_ms;
    if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
    for (const auto& [queue, due] : due_) until = std::min(until, due);
    wake_.wait_for(lock, std::chrono::milliseconds(std::max<TimeMs>(1, until - clock_.now_ms())));
  }
}

}  // namespace fixpoint::services::sqs
