#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/error.h"
#include "base/http_message.h"

/// When a failed call is made again: the standard mode of AWS's SDKs.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
namespace fixpoint::aws {

enum class RetryReason : std::uint8_t {
  None,       ///< trying again cannot help, or might do the thing twice
  Throttled,  ///< the service had too much to do and did not begin
  Transient,  ///< a fault of the service or the network, and the call is safe to repeat
  ClockSkew,  ///< refused for the time it was signed at
  Expired,    ///< refused for credentials that are over
};

/// Codes that all mean: too many calls, try later.
bool is_throttling_code(std::string_view code);
/// Codes that all mean: not allowed. Like throttling, they say nothing of what is there.
bool is_denial_code(std::string_view code);
/// Codes of a passing fault of the service.
bool is_transient_code(std::string_view code);
/// Codes of credentials that are over.
bool is_expiry_code(std::string_view code);
/// Codes that a request signed at the wrong time may get.
bool is_skew_code(std::string_view code);

/// True where the operation's name says that it only reads.
bool sounds_like_reading(std::string_view operation);

/// True where making the call twice does no more than making it once: it only reads, the model calls it idempotent or
/// gives it an idempotency token (which the attempts share), or HTTP says so of its method (RFC 9110 section 9.2.2).
bool is_safe_to_repeat(const Operation& operation);

/// Why the call that ended in `error` may be made again: throttled, or not sent, it was surely not made; after a fault
/// it may have been, so that it has to be safe to repeat (as is_safe_to_repeat says, or as the caller knows:
/// `is_idempotent`). Skew and expiry are left to the caller, who knows whether
/// there is something to correct.
RetryReason retry_reason(const Operation& operation, const Error& error, bool is_idempotent = false);

/// The wait that the service asks for, by x-amz-retry-after (milliseconds) or Retry-After (seconds); nothing where it
/// asks for none.
std::optional<std::int64_t> asked_wait_ms(const HttpResponse& response);

/// Full jitter: `chance` (0 to 1) of 1 s doubled with every attempt made, at most 20 s.
std::int64_t backoff_ms(int attempts_made, double chance);

/// Bounds the retries of a client whose service is down: 500 tokens; a retry takes 5 (10 after a timeout) and gives
/// them back when it succeeds; a success without retries gives back one. Thread-safe.
class RetryQuota {
 public:
  /// The tokens taken, nothing where too few are left.
  std::optional<int> take(bool timeout);
  void give_back(int tokens);
  int left() const;

 private:
  static constexpr int capacity = 500;
  mutable std::mutex mutex_;
  int left_ = capacity;
};

}  // namespace fixpoint::aws
