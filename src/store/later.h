#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "store/store.h"

namespace fixpoint::store {

/// Writes that no thread waits for, and whose end calls back into the one that has them: it ends after they have.
/// Thread-safe.
class LaterWrites {
 public:
  explicit LaterWrites(Store& store) : store_(store) {}
  ~LaterWrites() { wait(); }
  LaterWrites(const LaterWrites&) = delete;
  LaterWrites& operator=(const LaterWrites&) = delete;

  /// `done` gets what `work` gave, once it is committed, or the error; on the writer's thread (or on this one, where
  /// the store takes no more).
  template <class T>
  void write(std::function<Result<T>(Transaction&)> work, std::function<void(Result<T>)> done) {
    {
      std::lock_guard lock(mutex_);
      ++under_way_;
    }
    auto value = std::make_shared<std::optional<T>>();
    store_.write_async(
        [work = std::move(work), value](Transaction& tx) -> Result<void> {
          FIXPOINT_TRY(made, work(tx));
          value->emplace(std::move(made));
          return {};
        },
        [this, value, done = std::move(done)](Result<void> result) {
          if (result)
            done(std::move(**value));
          else
            done(fail(std::move(result.error())));
          std::lock_guard lock(mutex_);
          --under_way_;
          idle_.notify_all();
        });
  }

  /// Until none is under way.
  void wait() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return under_way_ == 0; });
  }

 private:
  Store& store_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t under_way_ = 0;
};

}  // namespace fixpoint::store
