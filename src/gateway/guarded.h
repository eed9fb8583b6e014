#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "aws/service_table.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::gateway {

inline Error fault(const std::string& what) {
  return errors::internal("a fault of the program ended this request: " + what);
}

/// What `function` gives, a Result<json::Value>; an exception that leaves it becomes InternalFailure: a fault of the
/// program costs the request that met it, not the server.
template <typename Function>
Result<json::Value> guarded(const Function& function) {
  try {
    return function();
  } catch (const std::exception& problem) {
    return fail(fault(problem.what()));
  }
}

/// The same answer, given exactly once: later ones are ignored, and where the last copy goes without one the answer is
/// InternalFailure. So whoever drops it, by a fault on whatever thread, leaves nobody waiting.
inline aws::Answer surely_once(aws::Answer answer) {
  struct Promise {
    explicit Promise(aws::Answer to) : answer(std::move(to)) {}
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;
    ~Promise() {
      if (!given) tell(fail(fault("it was never answered")));
    }
    void give(Result<json::Value> result) {
      if (!given.exchange(true)) tell(std::move(result));
    }
    void tell(Result<json::Value> result) const {
      try {
        answer(std::move(result));
      } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): nobody is left to be told
      }
    }
    aws::Answer answer;
    std::atomic<bool> given = false;
  };
  auto promise = std::make_shared<Promise>(std::move(answer));
  return [promise](Result<json::Value> result) { promise->give(std::move(result)); };
}

/// Calls `function(answer)`, which answers now or later; an exception that leaves it is answered as by guarded().
template <typename Function>
void guarded_later(aws::Answer answer, const Function& function) {
  const aws::Answer once = surely_once(std::move(answer));
  try {
    function(once);
  } catch (const std::exception& problem) {
    once(fail(fault(problem.what())));
  }
}

}  // namespace fixpoint::gateway
