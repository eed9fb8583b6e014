#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fixpoint {

/// Time since 1970-01-01T00:00:00Z in milliseconds.
using TimeMs = std::int64_t;

/// Where the time comes from; injected, so that a test owns it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs now_ms() const = 0;
  /// Milliseconds since some moment, for measuring how long something lasts: it never jumps, whatever is done to
  /// now_ms().
  virtual TimeMs steady_ms() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  TimeMs now_ms() const override;
  TimeMs steady_ms() const override;
};

/// A clock that moves only when it is told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimeMs start_ms) : now_ms_(start_ms) {}
  TimeMs now_ms() const override;
  TimeMs steady_ms() const override;
  void advance_ms(TimeMs by);  ///< time passes
  void set_ms(TimeMs to);      ///< the clock is set, and no time passes: it may jump back

 private:
  mutable std::mutex mutex_;
  TimeMs now_ms_;
  TimeMs steady_ms_ = 0;
};

/// RFC 3339 in UTC with milliseconds: `2024-01-02T03:04:05.678Z`.
std::string format_iso8601_ms(TimeMs time_ms);
/// RFC 3339 in UTC to the second, or with as many digits as the fraction needs: `2024-01-02T03:04:05Z`.
std::string format_iso8601(double epoch_seconds);
/// `20240102T030405Z`, as Signature Version 4 wants it.
std::string format_basic_iso8601(TimeMs time_ms);
/// IMF-fixdate of RFC 9110: `Tue, 02 Jan 2024 03:04:05 GMT`, with a fraction where there is one (`.123 GMT`).
std::string format_http_date(double epoch_seconds);

/// Seconds since the epoch from RFC 3339 / ISO 8601 (offset or Z; a fraction of any length; a date alone is midnight
/// UTC). Error: ValidationException naming the text.
Result<double> parse_iso8601(std::string_view text);
/// The same in milliseconds, exact.
Result<TimeMs> parse_iso8601_ms(std::string_view text);
/// Seconds since the epoch from an HTTP date (RFC 9110 section 5.6.7, all three forms; a fraction of seconds allowed).
Result<double> parse_http_date(std::string_view text);
/// From `20240102T030405Z`.
Result<TimeMs> parse_basic_iso8601(std::string_view text);

}  // namespace fixpoint
