#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "aws/limits.h"
#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// Keeps the calls of all executions within AWS's limits: a token bucket for each (account, region, API), as limits.h
/// says. A throttled answer lowers a bucket's rate, time without one raises it again to what is documented.
/// Thread-safe; never waits itself.
class Rate {
 public:
  struct Options {
    /// A caller is never told to wait longer than this; he is told when to come back instead.
    std::int64_t longest_wait_ms = 2'000;
  };
  /// `clock` must outlive it.
  Rate(const Clock& clock, CallLimits limits, Options options)
      : clock_(clock), limits_(std::move(limits)), options_(options) {}
  Rate(const Clock& clock, CallLimits limits) : Rate(clock, std::move(limits), Options{}) {}

  /// One call's own place: whose bucket, and which call.
  struct Call {
    std::string_view account;
    std::string_view region;
    std::string_view service;
    std::string_view operation;
    const json::Value& input;
  };

  /// Takes a token: the milliseconds after which the call may be made, mostly 0. Error: RequestThrottled, retryable,
  /// `where` before_sending, `retry_after_ms` saying when to come back: each who is turned away is given a time of his
  /// own, so that they do not all come at once. Nothing was taken then.
  Result<std::int64_t> take(const Call& call);

  /// The service throttled a call that had a token.
  void throttled(const Call& call);

  const CallLimits& limits() const { return limits_; }

  /// The tokens a second that a bucket gives at present: what is documented, or less after throttling.
  double rate_of(const Call& call) const;

 private:
  struct Bucket {
    Limit limit;
    double rate = 0;               // at most limit.rate
    double tokens = 0;             // negative where they were given out ahead
    TimeMs filled_ms = 0;          // when `tokens` was right
    TimeMs slowed_ms = 0;          // when the rate was lowered or raised last
    double promised_until_ms = 0;  // tokens up to then belong to those who were told to come back
  };
  Bucket& bucket(const Call& call, TimeMs now);
  void fill(Bucket& bucket, TimeMs now) const;
  void forget_idle(TimeMs now);

  const Clock& clock_;
  const CallLimits limits_;
  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace fixpoint::aws
