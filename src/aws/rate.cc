#include "aws/rate.h"

#include <algorithm>
#include <cmath>

namespace fixpoint::aws {
namespace {

constexpr double slowed_to = 0.7;           // of the rate, as CUBIC and the SDKs' adaptive mode do
constexpr double slowest = 0.02;            // of the documented rate
constexpr TimeMs slows_once_in_ms = 1'000;  // the answers to calls that were under way together count once
constexpr double recovers_in_ms = 30'000;   // from nothing to the documented rate
constexpr std::size_t bucket_limit = 20'000;

std::string key_of(const Rate::Call& call, const std::string& bucket) {
  std::string key;
  for (const std::string_view part : {call.account, call.region, std::string_view(bucket)}) {
    key += part;
    key += '\n';
  }
  return key;
}

}  // namespace

// Requires the lock.
Rate::Bucket& Rate::bucket(const Call& call, TimeMs now) {
  const CallLimits::Share share = limits_.of(call.service, call.operation, call.input);
  const std::string key = key_of(call, share.bucket);
  if (const auto found = buckets_.find(key); found != buckets_.end()) {
    fill(found->second, now);
    return found->second;
  }
  if (buckets_.size() >= bucket_limit) forget_idle(now);
  Bucket fresh;
  fresh.limit = share.limit;
  fresh.rate = share.limit.rate;
  fresh.tokens = share.limit.burst;
  fresh.filled_ms = now;
  return buckets_.emplace(key, fresh).first->second;
}

void Rate::fill(Bucket& bucket, TimeMs now) const {
  // A clock that was set back gives no tokens, and takes none.
  const auto elapsed = static_cast<double>(std::max<TimeMs>(now - bucket.filled_ms, 0));
  bucket.filled_ms = now;
  bucket.tokens = std::min(bucket.limit.burst, bucket.tokens + elapsed * bucket.rate / 1000);
  if (bucket.rate < bucket.limit.rate)
    bucket.rate = std::min(bucket.limit.rate, bucket.rate + bucket.limit.rate * elapsed / recovers_in_ms);
}

// A bucket that is full and not slowed is the same as a new one.
void Rate::forget_idle(TimeMs now) {
  for (auto at = buckets_.begin(); at != buckets_.end();) {
    Bucket& one = at->second;
    fill(one, now);
    if (one.tokens >= one.limit.burst && one.rate >= one.limit.rate)
      at = buckets_.erase(at);
    else
      ++at;
  }
}

Result<std::int64_t> Rate::take(const Call& call) {
  const TimeMs now = clock_.now_ms();
  const std::lock_guard lock(mutex_);
  Bucket& one = bucket(call, now);
  const double wait_ms = one.tokens >= 1 ? 0 : std::ceil((1 - one.tokens) * 1000 / one.rate);
  if (wait_ms <= static_cast<double>(options_.longest_wait_ms)) {
    one.tokens -= 1;
    return static_cast<std::int64_t>(wait_ms);
  }
  one.promised_until_ms = std::max(one.promised_until_ms + 1000 / one.rate, static_cast<double>(now) + wait_ms);
  Error error = errors::coded("RequestThrottled",
                              std::string(call.service) + ":" + std::string(call.operation) + " of account " +
                                  std::string(call.account) + " in " + std::string(call.region) +
                                  " is called as often as AWS lets it be; the call was not made",
                              429);
  error.where = before_sending;
  error.retryable = true;
  error.retry_after_ms = static_cast<std::int64_t>(one.promised_until_ms) - now;
  return fail(std::move(error));
}

void Rate::throttled(const Call& call) {
  const TimeMs now = clock_.now_ms();
  const std::lock_guard lock(mutex_);
  Bucket& one = bucket(call, now);
  // Somebody else calls as well, or the limit is lower than we think: there is nothing left in AWS's bucket.
  one.tokens = std::min(one.tokens, 0.0);
  if (one.slowed_ms != 0 && now - one.slowed_ms < slows_once_in_ms && now >= one.slowed_ms) return;
  one.slowed_ms = now;
  one.rate = std::max(one.rate * slowed_to, one.limit.rate * slowest);
}

double Rate::rate_of(const Call& call) const {
  const CallLimits::Share share = limits_.of(call.service, call.operation, call.input);
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(key_of(call, share.bucket));
  if (found == buckets_.end()) return share.limit.rate;
  Bucket now = found->second;
  fill(now, clock_.now_ms());
  return now.rate;
}

}  // namespace fixpoint::aws
