#include "aws/client.h"

#include <chrono>
#include <cstdlib>
#include <random>

#include "aws/protocol.h"
#include "aws/sign.h"
#include "aws/validate.h"
#include "base/id.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

// A Date that is nearer than this to our own time is no sign of a clock that is off.
constexpr TimeMs skew_worth_correcting_ms = 4 * 60'000;
constexpr std::size_t remembered_buckets = 10'000;

double random_chance() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

bool is_s3(const Service& service) {
  return service.name == "s3";
}

// The region that S3 names when it is asked for a bucket of another one; empty where it names none.
std::string named_region(const HttpResponse& response) {
  if (const std::string* header = response.headers.find("x-amz-bucket-region"); header != nullptr) return *header;
  const std::size_t begin = response.body.find("<Region>");
  if (begin == std::string::npos) return {};
  const std::size_t end = response.body.find("</Region>", begin);
  return end == std::string::npos ? std::string() : response.body.substr(begin + 8, end - begin - 8);
}

Error stopped() {
  return errors::unavailable("the client was stopped before the call was made", std::string(before_sending));
}

bool is_redirect(const Error& error) {
  return error.http_status == 301 || error.http_status == 307 || error.code == "PermanentRedirect" ||
         error.code == "TemporaryRedirect" || error.code == "AuthorizationHeaderMalformed" ||
         error.code == "IllegalLocationConstraintException" ||
         (error.http_status == 400 &&
          (error.code == "400" || error.code == "BadRequest" || error.code == "Bad Request"));
}

}  // namespace

struct Client::Prepared {
  Endpoint endpoint;
  HttpRequest request;
};

struct Client::Attempt {
  HttpResponse response;
  tl::expected<json::Value, ServiceError> outcome;
};

Client::Client(ServiceSource services, HttpClient& http, CredentialsProvider& credentials, const Clock& clock,
               Options options)
    : services_(std::move(services)),
      http_(http),
      credentials_(credentials),
      clock_(clock),
      options_(std::move(options)) {}

Client::~Client() {
  stop();
}

void Client::stop() {
  const std::lock_guard lock(stop_mutex_);
  stopped_ = true;
  stop_changed_.notify_all();
}

Result<Endpoint> Client::endpoint_for(const Service& service, std::string_view region) const {
  if (const auto own = options_.endpoint_urls.find(service.name); own != options_.endpoint_urls.end()) {
    return endpoint_at(own->second, service, region);
  }
  if (!options_.endpoint_url.empty()) return endpoint_at(options_.endpoint_url, service, region);
  return endpoint_of(service, region);
}

Result<Client::Prepared> Client::prepare(const Operation& operation, const json::Value& input, std::string_view region,
                                         const std::string& idempotency_token, const std::string& execution) const {
  FIXPOINT_TRY(endpoint, endpoint_for(*operation.service, region));
  ClientOptions wire;
  wire.host = endpoint.host;
  wire.host_prefix = !endpoint.overridden;
  wire.idempotency_token = idempotency_token;
  wire.compression = options_.compression;
  FIXPOINT_TRY(request, serialize_request(operation, input, wire));
  if (const std::string_view bucket = input["Bucket"].string_or("");
      is_s3(*operation.service) && !bucket.empty() && (options_.s3_virtual_host || bucket.starts_with("arn:"))) {
    FIXPOINT_CHECK(address_bucket(endpoint, request.target, bucket));
    request.headers.set("Host", endpoint.host);
  }
  if (!endpoint.base_path.empty()) request.target.insert(0, endpoint.base_path);
  endpoint.host = request.headers.get("Host");
  // CloudTrail hands it on in the event of the call, so that fixpoint knows the echo of its own doing.
  request.headers.set("User-Agent", options_.user_agent + (execution.empty() ? "" : " execution/" + execution));
  return Prepared{std::move(endpoint), std::move(request)};
}

Result<Client::Attempt> Client::send(const Operation& operation, const Prepared& prepared,
                                     const Credentials& credentials, const std::string& invocation, int number) {
  HttpRequest request = prepared.request;
  // What SDKs send along, so that AWS's own logs and an emulator's can tell a repetition from a new call.
  request.headers.set("amz-sdk-invocation-id", invocation);
  request.headers.set("amz-sdk-request",
                      "attempt=" + std::to_string(number) + "; max=" + std::to_string(options_.max_attempts));
  if (!operation.unsigned_request) {
    SigningOptions signing = SigningOptions::for_service(prepared.endpoint.service, prepared.endpoint.region,
                                                         clock_.now_ms() + skew_ms_.load(std::memory_order_relaxed));
    if (operation.unsigned_payload) {
      signing.body_signed = false;
      signing.sends_content_sha256 = true;
    }
    FIXPOINT_CHECK(sign(request, credentials, signing, &signing_keys_));
  }
  FIXPOINT_TRY(response, http_.send(prepared.endpoint.base_url(), request, options_.timeout_ms));
  auto outcome = parse_response(operation, response);
  return Attempt{std::move(response), std::move(outcome)};
}

// True where the service's clock showed ours to be off in a new way, so that a new signature may be taken.
bool Client::correct_clock(const Error& error, const HttpResponse& response) {
  if (!is_skew_code(error.code)) return false;
  const auto date = parse_http_date(response.headers.get("Date"));
  if (!date) return false;
  const TimeMs skew = static_cast<TimeMs>(*date * 1000) - clock_.now_ms();
  const TimeMs assumed = skew_ms_.load();
  if (std::abs(skew - assumed) < skew_worth_correcting_ms) return false;
  skew_ms_ = std::abs(skew) < skew_worth_correcting_ms ? 0 : skew;
  return true;
}

std::string Client::region_of_bucket(std::string_view bucket, std::string_view otherwise) const {
  const std::lock_guard lock(regions_mutex_);
  const auto found = bucket_regions_.find(bucket);
  return found == bucket_regions_.end() ? std::string(otherwise) : found->second;
}

void Client::remember_region(std::string_view bucket, std::string region) {
  const std::lock_guard lock(regions_mutex_);
  if (bucket_regions_.size() >= remembered_buckets) bucket_regions_.clear();
  bucket_regions_.insert_or_assign(std::string(bucket), std::move(region));
}

bool Client::pause(std::int64_t wait_ms) {
  if (options_.pause) {
    options_.pause(wait_ms);
    return true;
  }
  std::unique_lock lock(stop_mutex_);
  return !stop_changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return stopped_; });
}

Result<json::Value> Client::call(const CallContext& context, std::string_view service, std::string_view operation_name,
                                 const json::Value& input) {
  FIXPOINT_TRY(model, services_(service));
  const Operation* operation = model->find_operation(operation_name);
  if (operation == nullptr) {
    return fail(errors::unknown_operation("the service " + std::string(service) + " has no operation '" +
                                          std::string(operation_name.substr(0, 128)) + "'"));
  }
  if (auto valid = validate_call(*operation, input); !valid) {
    valid.error().message = std::string(service) + ":" + std::string(operation_name) + ": " + valid.error().message;
    return fail(std::move(valid.error()));
  }
  const std::string_view bucket = is_s3(*model) ? input["Bucket"].string_or("") : std::string_view();
  std::string region = bucket.empty() ? context.region : region_of_bucket(bucket, context.region);
  // Attempts share what makes them one call.
  const std::string invocation = random_uuid();
  const std::string token = operation->idempotency_token != nullptr ? random_uuid() : std::string();
  FIXPOINT_TRY(prepared, prepare(*operation, input, region, token, context.execution));

  std::string request_id;
  // Of an attempt that may have had its effect: what comes after it and was not made says nothing of that.
  std::optional<Error> perhaps_made;
  const auto failed = [&](Error error) {
    if (perhaps_made) {
      perhaps_made->retry_after_ms = error.retry_after_ms;
      error = std::move(*perhaps_made);
    }
    if (error.where.empty()) {
      error.where = std::string(service) + ':' + std::string(operation_name);
      // What AWS's support asks for first.
      if (!request_id.empty()) error.where += ", request " + request_id;
    }
    return fail(std::move(error));
  };
  bool clock_corrected = false;
  bool session_renewed = false;
  bool redirected = false;
  int tokens = 0;
  const Rate::Call mine{context.account, prepared.endpoint.region, service, operation_name, input};
  const bool idempotent = options_.rate != nullptr && options_.rate->limits().idempotent(service, operation_name);
  for (int number = 1;;) {
    if (options_.rate != nullptr) {
      const auto turn = options_.rate->take(mine);
      if (!turn) return failed(turn.error());
      if (*turn > 0 && !pause(*turn)) return failed(stopped());
    }
    Credentials credentials;
    if (!operation->unsigned_request) {
      FIXPOINT_TRY(found, credentials_.get(context));
      credentials = std::move(found);
    }
    auto attempt = send(*operation, prepared, credentials, invocation, number);
    if (attempt && attempt->outcome) {
      quota_.give_back(tokens == 0 ? 1 : tokens);
      return std::move(*attempt->outcome);
    }
    Error error = attempt ? std::move(attempt->outcome.error().error) : std::move(attempt.error());
    const RetryReason reason = retry_reason(*operation, error, idempotent);
    if (options_.rate != nullptr && reason == RetryReason::Throttled) options_.rate->throttled(mine);
    std::optional<std::int64_t> asked;
    request_id = attempt ? std::move(attempt->outcome.error().request_id) : std::string();
    if (attempt) {
      const HttpResponse& response = attempt->response;
      asked = asked_wait_ms(response);
      if (!clock_corrected && correct_clock(error, response)) {
        clock_corrected = true;
        continue;
      }
      if (!session_renewed && is_expiry_code(error.code)) {
        session_renewed = true;
        credentials_.forget(context);
        const auto renewed = credentials_.get(context);
        if (renewed && renewed->access_key != credentials.access_key) continue;
      }
      if (!redirected && !bucket.empty() && is_redirect(error)) {
        std::string named = named_region(response);
        if (named != prepared.endpoint.region && is_host_label(named)) {
          redirected = true;
          FIXPOINT_TRY(elsewhere, prepare(*operation, input, named, token, context.execution));
          prepared = std::move(elsewhere);
          remember_region(bucket, std::move(named));
          continue;
        }
      }
    }
    if (reason != RetryReason::None) error.retryable = true;
    if (reason == RetryReason::Transient && error.where != before_sending)
      perhaps_made = error;
    else if (reason == RetryReason::None)
      perhaps_made.reset();  // an answer to the call itself
    if (asked) error.retry_after_ms = *asked;
    if (reason == RetryReason::None || number >= options_.max_attempts) return failed(std::move(error));
    std::int64_t wait = backoff_ms(number, options_.chance ? options_.chance() : random_chance());
    // A service that wants to be left alone for longer than a call may take gets its wish from who called.
    if (asked) wait = std::max(wait, *asked);
    if (wait > options_.longest_wait_ms) {
      error.retry_after_ms = wait;
      return failed(std::move(error));
    }
    const auto taken = quota_.take(error.code == "RequestTimeout");
    if (!taken || !pause(wait)) return failed(std::move(error));
    tokens = *taken;
    ++number;
  }
}

}  // namespace fixpoint::aws
