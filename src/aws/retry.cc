#include "aws/retry.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace fixpoint::aws {
namespace {

template <std::size_t n>
bool is_in(std::string_view word, const std::array<std::string_view, n>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 15> throttling_codes = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "Client.RequestLimitExceeded",
};
constexpr std::array<std::string_view, 12> denial_codes = {
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "AuthFailure",
    "Client.UnauthorizedOperation",
    "NotAuthorized",
    "OptInRequired",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
};
constexpr std::array<std::string_view, 11> transient_codes = {
    "RequestTimeout",
    "RequestTimeoutException",
    "InternalError",
    "InternalFailure",
    "InternalServiceError",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
    "ConnectionError",
};
constexpr std::array<std::string_view, 4> expiry_codes = {"ExpiredToken", "ExpiredTokenException",
                                                          "TokenRefreshRequired", "RequestExpired"};
constexpr std::array<std::string_view, 6> skew_codes = {"RequestTimeTooSkewed",  "RequestExpired",
                                                        "SignatureDoesNotMatch", "InvalidSignatureException",
                                                        "AuthFailure",           "RequestInTheFuture"};
// Operations whose names begin so only read, in all of AWS's services.
constexpr std::array<std::string_view, 11> reading = {"Get",    "List",  "Describe", "Head",    "BatchGet", "Lookup",
                                                      "Search", "Query", "Scan",     "Preview", "Simulate"};

}  // namespace

bool is_throttling_code(std::string_view code) {
  return is_in(code, throttling_codes);
}
bool is_denial_code(std::string_view code) {
  return is_in(code, denial_codes);
}
bool is_transient_code(std::string_view code) {
  return is_in(code, transient_codes);
}
bool is_expiry_code(std::string_view code) {
  return is_in(code, expiry_codes);
}
bool is_skew_code(std::string_view code) {
  return is_in(code, skew_codes);
}

bool sounds_like_reading(std::string_view operation) {
  return std::any_of(reading.begin(), reading.end(), [&](std::string_view verb) {
    if (!operation.starts_with(verb)) return false;
    const std::string_view rest = operation.substr(verb.size());
    return rest.empty() || (rest[0] >= 'A' && rest[0] <= 'Z');
  });
}

bool is_safe_to_repeat(const Operation& operation) {
  if (operation.idempotent || operation.idempotency_token != nullptr) return true;
  const bool is_rest =
      operation.service->protocol == Protocol::RestJson || operation.service->protocol == Protocol::RestXml;
  if (is_rest && operation.method != "POST" && operation.method != "PATCH") return true;
  return sounds_like_reading(operation.name);
}

RetryReason retry_reason(const Operation& operation, const Error& error, bool is_idempotent) {
  const bool repeatable = is_idempotent || is_safe_to_repeat(operation);
  if (is_throttling_code(error.code) || error.http_status == 429) return RetryReason::Throttled;
  if (const Shape* shape = operation.find_error(error.code); shape != nullptr) {
    if (shape->throttling) return RetryReason::Throttled;
    if (shape->retryable) return RetryReason::Transient;
  }
  const bool network = error.code == "ConnectionError" || (error.code == "RequestTimeout" && error.http_status == 0);
  if (network) {
    if (!error.retryable) return RetryReason::None;
    if (error.where == before_sending) return RetryReason::Transient;
    return repeatable ? RetryReason::Transient : RetryReason::None;
  }
  const bool server_fault =
      error.http_status == 500 || error.http_status == 502 || error.http_status == 503 || error.http_status == 504;
  if ((server_fault || is_transient_code(error.code)) && repeatable) return RetryReason::Transient;
  return RetryReason::None;
}

std::optional<std::int64_t> asked_wait_ms(const HttpResponse& response) {
  if (const auto milliseconds = to_int64(trim(response.headers.get("x-amz-retry-after")));
      milliseconds && *milliseconds >= 0) {
    return std::min<std::int64_t>(*milliseconds, 86'400'000);
  }
  if (const auto seconds = to_int64(trim(response.headers.get("Retry-After"))); seconds && *seconds >= 0) {
    return std::min<std::int64_t>(*seconds, 86'400) * 1000;
  }
  return {};
}

std::int64_t backoff_ms(int attempts_made, double chance) {
  constexpr std::int64_t longest_ms = 20'000;
  const int doublings = std::clamp(attempts_made - 1, 0, 5);
  return static_cast<std::int64_t>(chance * static_cast<double>(std::min(longest_ms, std::int64_t{1000} << doublings)));
}

std::optional<int> RetryQuota::take(bool timeout) {
  const int cost = timeout ? 10 : 5;
  const std::lock_guard lock(mutex_);
  if (left_ < cost) return {};
  left_ -= cost;
  return cost;
}

void RetryQuota::give_back(int tokens) {
  const std::lock_guard lock(mutex_);
  left_ = std::min(capacity, left_ + tokens);
}

int RetryQuota::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

}  // namespace fixpoint::aws
