#include "services/sns/http_deliveries.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "base/id.h"
#include "base/utf8.h"
#include "json/text.h"

namespace fixpoint::services::sns {
namespace {

using json::Value;

constexpr TimeMs longest_sleep_ms = 1000;
constexpr std::int64_t seen_at_once = 1000;  // deliveries, the longest due first
constexpr std::int64_t most_retries = 100;
constexpr std::int64_t longest_delay_s = 3600;

void read_policy(RetryPolicy& policy, const Value& given) {
  const auto take = [&](const char* name, std::int64_t& into, std::int64_t most) {
    if (const auto value = given[name].as_int64(); value && *value >= 0) into = std::min(*value, most);
  };
  take("numRetries", policy.retries, most_retries);
  take("minDelayTarget", policy.min_delay_s, longest_delay_s);
  take("maxDelayTarget", policy.max_delay_s, longest_delay_s);
  take("numNoDelayRetries", policy.without_delay, most_retries);
  take("numMinDelayRetries", policy.with_min_delay, most_retries);
  take("numMaxDelayRetries", policy.with_max_delay, most_retries);
  if (given["backoffFunction"].is_string()) policy.backoff = given["backoffFunction"].as_string();
}

// What the endpoint says it will never take: a client error, but for being asked to slow down.
bool is_final(int status) {
  return status >= 400 && status < 500 && status != 429;
}

}  // namespace

RetryPolicy RetryPolicy::of(const std::string& topic_policy, const std::string& subscription_policy) {
  RetryPolicy policy;
  bool overrides = true;
  if (const auto topic = json::parse(topic_policy)) {
    read_policy(policy, (*topic)["http"]["defaultHealthyRetryPolicy"]);
    overrides = !(*topic)["http"]["disableSubscriptionOverrides"].bool_or(false);
  }
  if (const auto own = json::parse(subscription_policy); own && overrides)
    read_policy(policy, (*own)["healthyRetryPolicy"]);
  return policy;
}

RetryPolicy RetryPolicy::parse(const std::string& text) {
  RetryPolicy policy;
  if (const auto parsed = json::parse(text)) read_policy(policy, *parsed);
  return policy;
}

std::string RetryPolicy::print() const {
  return json::print(json::Object{{"numRetries", retries},
                                  {"minDelayTarget", min_delay_s},
                                  {"maxDelayTarget", max_delay_s},
                                  {"numNoDelayRetries", without_delay},
                                  {"numMinDelayRetries", with_min_delay},
                                  {"numMaxDelayRetries", with_max_delay},
                                  {"backoffFunction", backoff}});
}

// The four phases: at once, at the least delay, backing off, at the most delay.
std::optional<TimeMs> RetryPolicy::delay_ms(std::int64_t retry) const {
  if (retry < 1 || retry > retries) return std::nullopt;
  if (retry <= without_delay) return 0;
  retry -= without_delay;
  if (retry <= with_min_delay) return min_delay_s * 1000;
  retry -= with_min_delay;
  const std::int64_t steps = retries - without_delay - with_min_delay - with_max_delay;
  if (retry > steps) return max_delay_s * 1000;
  const double low = static_cast<double>(min_delay_s), high = static_cast<double>(std::max(min_delay_s, max_delay_s));
  const double part = steps > 1 ? static_cast<double>(retry - 1) / static_cast<double>(steps - 1) : 0;
  double seconds = low + (high - low) * part;
  if (backoff == "arithmetic") seconds = low + (high - low) * part * (part + 1) / 2;
  if (backoff == "geometric" || backoff == "exponential")
    seconds = low * std::pow(high / std::max(low, 1.0), backoff == "geometric" ? part : part * part);
  return static_cast<TimeMs>(std::llround(std::clamp(seconds, low, high) * 1000));
}

struct HttpDeliveries::Stored {
  std::string id;
  Delivery delivery;
  std::int64_t attempts = 0;
};

HttpDeliveries::HttpDeliveries(store::Store& store, const Clock& clock, Send send, PutAway put_away)
    : store_(store), clock_(clock), send_(std::move(send)), put_away_(std::move(put_away)) {}

HttpDeliveries::~HttpDeliveries() {
  stop();
}

void HttpDeliveries::start() {
  thread_ = std::thread([this] { run(); });
}

void HttpDeliveries::begin_stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void HttpDeliveries::stop() {
  begin_stop();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_.empty(); });
}

void HttpDeliveries::look() {
  {
    std::lock_guard lock(mutex_);
    look_ = true;
  }
  wake_.notify_one();
}

Result<void> HttpDeliveries::add(store::Transaction& tx, const Delivery& delivery) {
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO sns_http (id, subscription_arn, url, headers, body, policy, dead_letter_arn, attempts, "
                 "next_ms, error) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, '')",
                 {random_uuid(), delivery.subscription_arn, delivery.url, json::print(delivery.headers), delivery.body,
                  delivery.policy.print(), delivery.dead_letter_arn, clock_.now_ms()}));
  tx.after_commit([this] { look(); });
  return {};
}

// Begins what is due; gives when the next one is.
Result<TimeMs> HttpDeliveries::begin_due(TimeMs now) {
  std::map<std::string, std::string> busy;
  {
    std::lock_guard lock(mutex_);
    busy = under_way_;
  }
  std::map<std::string, std::size_t> of_each;
  for (const auto& [id, subscription] : busy) ++of_each[subscription];
  FIXPOINT_TRY(rows, store_.read([](store::Session& session) {
    return session.query("SELECT id, subscription_arn, next_ms FROM sns_http ORDER BY next_ms LIMIT ?", {seen_at_once});
  }));
  for (const store::Row& row : rows) {
    const std::string &id = row.text(0), &subscription = row.text(1);
    if (row.integer(2) > now) return std::min(now + longest_sleep_ms, row.integer(2));
    if (busy.size() >= at_once_limit) break;
    if (busy.contains(id) || of_each[subscription] >= at_once_each) continue;
    FIXPOINT_TRY(stored, load(id));
    if (!stored) continue;
    busy.emplace(id, subscription);
    ++of_each[subscription];
    begin(std::move(*stored));
  }
  return now + longest_sleep_ms;
}

Result<std::optional<HttpDeliveries::Stored>> HttpDeliveries::load(const std::string& id) {
  FIXPOINT_TRY(rows, store_.read([&](store::Session& session) {
    return session.query(
        "SELECT id, subscription_arn, url, headers, body, policy, dead_letter_arn, attempts FROM sns_http WHERE id = ?",
        {id});
  }));
  if (rows.empty()) return std::nullopt;
  store::Row& row = rows[0];
  Stored stored;
  stored.id = row.take(0);
  stored.delivery.subscription_arn = row.take(1);
  stored.delivery.url = row.take(2);
  FIXPOINT_TRY(headers, json::parse(row.text(3)));
  if (headers.is_object()) stored.delivery.headers = std::move(headers.as_object());
  stored.delivery.body = row.take(4);
  stored.delivery.policy = RetryPolicy::parse(row.text(5));
  stored.delivery.dead_letter_arn = row.take(6);
  stored.attempts = row.integer(7);
  return stored;
}

void HttpDeliveries::begin(Stored stored) {
  {
    std::lock_guard lock(mutex_);
    under_way_.emplace(stored.id, stored.delivery.subscription_arn);
  }
  HttpRequest request;
  request.method = "POST";
  const std::string& url = stored.delivery.url;
  const auto host = url.find("://");
  const auto path = url.find_first_of("/?", host == std::string::npos ? 0 : host + 3);
  std::string base = url.substr(0, path);
  request.target = path == std::string::npos ? "/" : url.substr(path);
  if (request.target.starts_with('?')) request.target.insert(0, "/");
  for (const json::Member& header : stored.delivery.headers)
    request.headers.add(header.key, std::string(header.value.string_or("")));
  request.body = stored.delivery.body;
  auto shared = std::make_shared<Stored>(std::move(stored));
  send_(std::move(base), std::move(request), timeout_ms,
        [this, shared](Result<HttpResponse> response) { ended(shared, std::move(response)); });
}

void HttpDeliveries::ended(const std::shared_ptr<Stored>& stored, Result<HttpResponse> response) {
  const bool taken = response && response->status >= 200 && response->status < 300;
  const std::string why = response ? "the endpoint answered " + std::to_string(response->status)
                                   : legible(response.error().code + ": " + response.error().message);
  const bool never = response ? is_final(response->status) : !response.error().retryable;
  const auto delay = stored->delivery.policy.delay_ms(stored->attempts + 1);
  const bool give_up = !taken && (never || !delay);
  {
    std::lock_guard lock(mutex_);
    // A request that ends because the server does says nothing about the endpoint: it is made again.
    if (stopping_ && !taken) {
      under_way_.erase(stored->id);
      idle_.notify_all();
      return;
    }
  }
  store_.write_async(
      [this, stored, taken, give_up, delay, why](store::Transaction& tx) -> Result<void> {
        if (!taken && !give_up) {
          FIXPOINT_CHECK(tx.execute("UPDATE sns_http SET attempts = ?, next_ms = ?, error = ? WHERE id = ?",
                                    {stored->attempts + 1, clock_.now_ms() + *delay, why, stored->id}));
          return {};
        }
        FIXPOINT_CHECK(tx.execute("DELETE FROM sns_http WHERE id = ?", {stored->id}));
        return give_up ? put_away_(tx, stored->delivery, why) : Result<void>();
      },
      [this, stored](const Result<void>&) {
        // Where that was not committed, it is sent again: at least once, as SNS has it.
        std::lock_guard lock(mutex_);
        under_way_.erase(stored->id);
        look_ = true;
        wake_.notify_one();
        idle_.notify_all();
      });
}

void HttpDeliveries::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    look_ = false;
    lock.unlock();
    const TimeMs now = clock_.now_ms();
    const auto next = begin_due(now);
    lock.lock();
    const TimeMs until = next ? *next : now + longest_sleep_ms;
    wake_.wait_for(lock, std::chrono::milliseconds(std::max<TimeMs>(1, until - now)),
                   [this] { return stopping_ || look_; });
  }
}

}  // namespace fixpoint::services::sns
