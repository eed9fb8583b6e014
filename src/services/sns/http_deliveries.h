#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/http_message.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::services::sns {

/// How often and when a delivery that failed is tried again.
/// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
struct RetryPolicy {
  std::int64_t retries = 3;
  std::int64_t min_delay_s = 20;
  std::int64_t max_delay_s = 20;
  std::int64_t without_delay = 0, with_min_delay = 0, with_max_delay = 0;
  std::string backoff = "linear";  ///< linear, arithmetic, geometric, exponential

  /// From the topic's DeliveryPolicy with the subscription's over it (both JSON texts, or empty).
  static RetryPolicy of(const std::string& topic_policy, const std::string& subscription_policy);
  static RetryPolicy parse(const std::string& text);
  std::string print() const;
  /// The wait before the retry of that number, from 1 on; nothing where there is none any more.
  std::optional<TimeMs> delay_ms(std::int64_t retry) const;
};

/// What goes to an HTTP endpoint: stored with the message's transaction, sent until it is taken, tried again as the
/// policy says, and at the end put away. Thread-safe.
class HttpDeliveries {
 public:
  static constexpr std::size_t at_once_limit = 32;  ///< requests under way
  static constexpr std::size_t at_once_each = 8;    ///< of these to one subscription, so that a slow one stops no other
  static constexpr int timeout_ms = 15'000;         ///< SNS's own

  struct Delivery {
    std::string subscription_arn;
    std::string url;
    json::Object headers;
    std::string body;
    RetryPolicy policy;
    std::string dead_letter_arn;  ///< a queue; empty without
  };
  using Taken = std::function<void(Result<HttpResponse>)>;
  /// Sends without waiting. An error that is not retryable ends the delivery at once.
  using Send = std::function<void(std::string url, HttpRequest request, int timeout_ms, Taken taken)>;
  /// Puts away what cannot be delivered, in the transaction that gives it up.
  using PutAway = std::function<Result<void>(store::Transaction&, const Delivery&, const std::string& why)>;

  HttpDeliveries(store::Store& store, const Clock& clock, Send send, PutAway put_away);
  ~HttpDeliveries();
  void start();
  /// Begins no more requests. What one under way comes to from here on counts only where it was taken.
  void begin_stop();
  /// Waits for requests under way; what is not delivered stays stored. Again: does nothing.
  void stop();

  Result<void> add(store::Transaction& tx, const Delivery& delivery);
  /// For a clock that a test moves.
  void look();

 private:
  struct Stored;
  void run();
  Result<TimeMs> begin_due(TimeMs now);
  Result<std::optional<Stored>> load(const std::string& id);
  void begin(Stored stored);
  void ended(const std::shared_ptr<Stored>& stored, Result<HttpResponse> response);

  store::Store& store_;
  const Clock& clock_;
  Send send_;
  PutAway put_away_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::map<std::string, std::string> under_way_;  // id -> subscription
  bool look_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fixpoint::services::sns
