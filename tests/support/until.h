#pragma once

#include <chrono>
#include <thread>

namespace fixpoint::test {

/// Asks again and again until it holds. False where it does not within 30 s, which bounds a wait that goes wrong; none
/// that goes right comes near it.
template <typename Condition>
[[nodiscard]] bool until(Condition holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace fixpoint::test
