#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "aws/api.h"
#include "aws/compression.h"
#include "aws/credentials.h"
#include "aws/endpoints.h"
#include "aws/model.h"
#include "aws/rate.h"
#include "aws/retry.h"
#include "aws/signing_keys.h"
#include "base/clock.h"
#include "base/http_message.h"

namespace fixpoint::aws {

/// The real AWS, or whatever speaks like it at an endpoint of one's own: every operation of every modelled service.
/// Thread-safe; calls block. What it does beside sending: endpoints, credentials, signatures, retries in the standard
/// mode, buckets of another region, a local clock that is off, sessions that expired early.
class Client final : public Api {
 public:
  /// Gives a service's model by name: `[&](auto name) { return models.get(name); }`.
  using ServiceSource = std::function<Result<std::shared_ptr<const Service>>(std::string_view name)>;

  struct Options {
    std::string endpoint_url;  ///< instead of AWS's endpoints, for every service; empty for AWS's
    std::map<std::string, std::string, std::less<>> endpoint_urls;  ///< the same for one service, by its name
    int max_attempts = 3;                                           ///< of a call, the first included
    int timeout_ms = 60'000;                                        ///< of an attempt
    bool s3_virtual_host = true;                                    ///< the bucket in the host where it can be
    CompressionSettings compression{};                              ///< see compression_settings()
    std::string user_agent = "fixpoint";      ///< " execution/ID" follows it where a call is made for one
    Rate* rate = nullptr;                     ///< keeps calls within AWS's limits; must outlive the client; may be null
    std::int64_t longest_wait_ms = 20'000;    ///< within a call; who would wait longer is told when to come back
    std::function<double()> chance;           ///< 0 to 1, for the jitter; random where empty
    std::function<void(std::int64_t)> pause;  ///< waits so many milliseconds; really does where empty
  };

  /// `http`, `credentials` and `clock` must outlive the client.
  Client(ServiceSource services, HttpClient& http, CredentialsProvider& credentials, const Clock& clock,
         Options options);
  ~Client() override;

  /// Errors: what the service answered, `retryable` where a later try may succeed; before anything is sent
  /// ValidationException (see validate_call; a region or label that cannot be in a URL), UnknownOperationException,
  /// what models and credentials say, RequestThrottled (see rate.h); ConnectionError and RequestTimeout as HttpClient
  /// gives them (their `where` says whether the request may have arrived). `retry_after_ms` where a wait is asked for
  /// that is too long for a call. Where an attempt may have had its effect and later ones were not made, the error is
  /// that of the first.
  Result<json::Value> call(const CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override;

  /// Ends the waits between attempts: calls under way return the error of their last attempt.
  void stop();

 private:
  struct Prepared;
  struct Attempt;
  Result<Endpoint> endpoint_for(const Service& service, std::string_view region) const;
  Result<Prepared> prepare(const Operation& operation, const json::Value& input, std::string_view region,
                           const std::string& idempotency_token, const std::string& execution) const;
  Result<Attempt> send(const Operation& operation, const Prepared& prepared, const Credentials& credentials,
                       const std::string& invocation, int number);
  bool correct_clock(const Error& error, const HttpResponse& response);
  std::string region_of_bucket(std::string_view bucket, std::string_view otherwise) const;
  void remember_region(std::string_view bucket, std::string region);
  bool pause(std::int64_t wait_ms);

  ServiceSource services_;
  HttpClient& http_;
  CredentialsProvider& credentials_;
  const Clock& clock_;
  Options options_;
  SigningKeys signing_keys_;
  RetryQuota quota_;
  std::atomic<TimeMs> skew_ms_ = 0;  // the service's clock less ours

  mutable std::mutex regions_mutex_;
  std::map<std::string, std::string, std::less<>> bucket_regions_;

  std::mutex stop_mutex_;
  std::condition_variable stop_changed_;
  bool stopped_ = false;
};

}  // namespace fixpoint::aws
