#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// Waits until a resource is as wanted, after the model's waiters-2.json: `ec2` `InstanceRunning`. Immutable and
/// thread-safe. What decides is free of I/O and of time (`judge`), so that an executor can wait without a thread;
/// `wait` does it all for who may block.
class Waiter {
 public:
  enum class State : std::uint8_t { Success, Retry, Failure };
  struct Verdict {
    State state = State::Retry;
    Error error;  ///< of a Failure: `WaiterFailed` with what was matched, or the call's own where nothing expected it
  };
  using Call = std::function<Result<json::Value>(const json::Value& input)>;
  using Sleep = std::function<void(std::int64_t milliseconds)>;

  /// Errors: `InvalidModel` where the service has no waiter of that name, or it cannot be read.
  static Result<Waiter> make(const Service& service, std::string_view name);
  ~Waiter();
  Waiter(Waiter&&) noexcept;
  Waiter& operator=(Waiter&&) noexcept;

  std::string_view operation() const;
  std::int64_t delay_ms() const;  ///< between two attempts
  int max_attempts() const;       ///< calls in all

  /// What an answer of the operation means: the first acceptor that matches decides.
  Verdict judge(const Result<json::Value>& answer) const;

  /// Calls, judges and sleeps until there is a verdict, and returns the answer that brought it. Errors: the verdict's;
  /// `WaiterTimedOut` (retryable) after max_attempts calls.
  Result<json::Value> wait(const Call& call, const json::Value& input, const Sleep& sleep) const;

 private:
  struct Plan;
  Waiter();
  std::shared_ptr<const Plan> plan_;
};

}  // namespace fixpoint::aws
