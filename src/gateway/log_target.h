#pragma once

#include <functional>
#include <string>

#include "aws/api.h"
#include "base/clock.h"
#include "bus/rule.h"

namespace fixpoint::gateway {

/// The targets `arn:...:logs:REGION:ACCOUNT:log-group:NAME`: an event becomes a log event of that group, in the account
/// that the server works on. Thread-safe.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
class LogTarget {
 public:
  /// Runs a task on another thread; false where it takes none now.
  using Run = std::function<bool(std::function<void()> task)>;
  /// `end_calls` ends the calls under way, soon; at a stop.
  LogTarget(aws::Api& account, const Clock& clock, Run run, std::function<void()> end_calls)
      : account_(account), clock_(clock), run_(std::move(run)), end_calls_(std::move(end_calls)) {}

  bus::TargetKind kind();

  /// What is logged of what the target gets: the whole event, or its `message` where an Input or a template made an
  /// object of `timestamp` (milliseconds, or an ISO 8601 text) and `message` (a text). A time that CloudWatch Logs
  /// would not take (14 days old, two hours ahead) becomes `now_ms`. Error: ValidationException.
  static Result<json::Value> log_event(const bus::Delivery& delivery, TimeMs now_ms);
  /// The stream of a rule's target: one of its own, whose name stays the same.
  static std::string stream_of(const bus::Delivery& delivery);

 private:
  Result<void> deliver(const bus::Delivery& delivery);

  aws::Api& account_;
  const Clock& clock_;
  Run run_;
  std::function<void()> end_calls_;
};

}  // namespace fixpoint::gateway
