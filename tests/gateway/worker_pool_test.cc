#include "gateway/worker_pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <vector>

#include "support/until.h"

namespace fixpoint::gateway {
namespace {

// Counts those that have come; all wait for the last.
class Meeting {
 public:
  explicit Meeting(int wanted) : wanted_(wanted) {}
  bool come() {
    std::unique_lock lock(mutex_);
    ++here_;
    changed_.notify_all();
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return here_ >= wanted_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int wanted_;
  int here_ = 0;
};

TEST(WorkerPool, runs_as_many_tasks_side_by_side_as_it_has_threads) {
  WorkerPool pool(4);
  for (int i = 0; i < 300; ++i) {
    Meeting all(5);
    std::atomic<int> met = 0;
    for (int task = 0; task < 4; ++task)
      ASSERT_TRUE(pool.run([&] {
        if (all.come()) ++met;
        ++met;
      }));
    ASSERT_TRUE(all.come()) << "round " << i;
    // `all` is not gone before the last has left it.
    ASSERT_TRUE(test::until([&] { return met.load() == 8; })) << "round " << i;
  }
}

TEST(WorkerPool, runs_what_it_took_before_it_stops_and_takes_nothing_then) {
  std::atomic<int> ran = 0;
  std::atomic<int> taken = 0;
  WorkerPool pool(3);
  std::vector<std::thread> givers;
  for (int giver = 0; giver < 4; ++giver)
    givers.emplace_back([&] {
      for (int i = 0; i < 2000; ++i)
        if (pool.run([&] { ++ran; })) ++taken;
    });
  for (std::thread& giver : givers) giver.join();
  pool.stop();
  EXPECT_EQ(ran.load(), taken.load());
  EXPECT_GT(taken.load(), 0);
  EXPECT_FALSE(pool.run([&] { ++ran; }));
}

TEST(WorkerPool, refuses_what_is_more_than_its_queue_holds) {
  Meeting release(2);
  WorkerPool pool(1);
  ASSERT_TRUE(pool.run([&] { release.come(); }));
  std::size_t taken = 0;
  while (taken <= WorkerPool::queue_limit && pool.run([] {})) ++taken;
  EXPECT_GE(taken, WorkerPool::queue_limit - 1);
  EXPECT_LE(taken, WorkerPool::queue_limit);
  release.come();
}

}  // namespace
}  // namespace fixpoint::gateway
