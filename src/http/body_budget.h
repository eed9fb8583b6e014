#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace fixpoint::http {

/// The memory that the bodies of all requests of a server may take together, from their first byte to the request's
/// answer: who sends them need not have said who they are. Another of a server is for the bodies of its answers, which
/// wait for whoever reads slowly. Thread-safe.
class BodyBudget {
 public:
  /// Bodies up to this are not counted, so that what is small gets through where the rest is taken: they are bounded by
  /// the number of connections.
  static constexpr std::size_t small_bytes = 64UL * 1024;

  explicit BodyBudget(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  bool take(std::size_t bytes);  ///< false: nothing was taken
  void give_back(std::size_t bytes) { taken_bytes_ -= bytes; }
  bool has(std::size_t bytes) const { return bytes <= limit_bytes_ - std::min(limit_bytes_, taken_bytes_.load()); }

 private:
  const std::size_t limit_bytes_;
  std::atomic<std::size_t> taken_bytes_{0};
};

/// What one body has of the budget; given back when it goes. Without a budget there is no limit. One thread at a time,
/// but release() may come from another.
class BodyShare {
 public:
  explicit BodyShare(std::shared_ptr<BodyBudget> budget) : budget_(std::move(budget)) {}
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;
  ~BodyShare() { release(); }

  /// The body is to take so much altogether. False: there is not so much left, and it stays as it was.
  bool grow_to(std::size_t bytes);
  /// Would grow_to() say yes now.
  bool could_grow_to(std::size_t bytes) const;
  /// The body takes just so much: what there was beyond is given back.
  bool set_to(std::size_t bytes);
  void release();

 private:
  std::shared_ptr<BodyBudget> budget_;
  std::atomic<std::size_t> taken_bytes_{0};
};

}  // namespace fixpoint::http
