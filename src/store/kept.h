#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "store/store.h"

namespace fixpoint::store {

/// What is read again and again and seldom changes, as settings do: read once, and again after each transaction that
/// said `changes_kept`. Who asks after such a transaction was answered gets what it wrote. Thread-safe.
template <class T>
class Kept {
 public:
  Kept(Store& store, std::function<Result<T>(Session&)> read) : store_(store), read_(std::move(read)) {}

  /// Errors: those of the reading, which are not kept.
  Result<std::shared_ptr<const T>> get() {
    const std::uint64_t version = store_.kept_version();
    {
      std::lock_guard lock(mutex_);
      if (value_ && version_ == version) return value_;
    }
    FIXPOINT_TRY(read, store_.read(read_));
    auto value = std::make_shared<const T>(std::move(read));
    std::lock_guard lock(mutex_);
    if (!value_ || version_ < version) {
      value_ = value;
      version_ = version;
    }
    return value;
  }

  /// As that session sees it: read anew, for a transaction, which may itself have changed it.
  Result<T> get(Session& session) { return read_(session); }

 private:
  Store& store_;
  std::function<Result<T>(Session&)> read_;
  std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::uint64_t version_ = 0;
};

}  // namespace fixpoint::store
