#include "bus/destination_sender.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/arn.h"
#include "base/text.h"
#include "bus/destination_request.h"
#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr TimeMs look_again_ms = 60'000;      // at the latest: a rate may have been changed meanwhile
constexpr TimeMs busy_pause_ms = 1'000;       // of a destination with too many requests under way
constexpr TimeMs early_ms = 60'000;           // before its end a token is fetched anew
constexpr std::size_t turns_limit = 100'000;  // of one destination
constexpr std::size_t longest_token = 16'384;

// Of an answer that has to be tried again, how long to wait at least; -1: not to be tried again at all. Seconds, or a
// date (RFC 9110 section 10.2.3).
TimeMs retry_after(const Headers& headers, TimeMs now) {
  const std::string text(trim(headers.get("Retry-After")));
  if (text.empty()) return 0;
  if (const auto seconds = to_int64(text)) return *seconds < 0 ? -1 : std::min<std::int64_t>(*seconds, 86'400) * 1000;
  const auto date = parse_http_date(text);
  return date ? std::max<TimeMs>(static_cast<TimeMs>(*date * 1000) - now, 0) : 0;
}

Error endpoint_error(const std::string& sentence, int status, bool retryable) {
  Error error = errors::coded(status == 429 ? "ThrottlingException" : "EndpointError", sentence, status);
  error.retryable = retryable;
  return error;
}

}  // namespace

TargetKind DestinationSender::kind() {
  TargetKind kind;
  kind.send = [this](const Delivery& delivery, Done done) { send(delivery, std::move(done)); };
  kind.when = [this](const Delivery& delivery) { return when(delivery); };
  kind.stop = [this] {
    stopping_ = true;
    stop_();
  };
  kind.check = [](const std::string& text) -> Result<void> {
    const auto arn = parse_arn(text);
    const auto parts = split(arn ? arn->resource : "", '/');
    if (parts.size() != 3 || parts[1].empty() || parts[2].empty())
      return fail(errors::validation(
          "'" + text + "' names no API destination: arn:aws:events:REGION:ACCOUNT:api-destination/NAME/ID does",
          "Arn"));
    return {};
  };
  return kind;
}

Result<DestinationSender::Ready> DestinationSender::ready_for(const Delivery& delivery) {
  return store_.read([&](store::Session& session) -> Result<Ready> {
    FIXPOINT_TRY(destination, destinations_.get(session, delivery.target.arn));
    FIXPOINT_TRY(connection, connections_.get(session, destination.connection));
    if (connection.state == "DEAUTHORIZED")
      return fail(errors::access_denied("the connection " + connection.name + " of the API destination " +
                                        destination.name + " is not authorized: " + connection.reason));
    if (connection.state != "AUTHORIZED")
      return fail(errors::unavailable("the connection " + connection.name + " of the API destination " +
                                      destination.name + " waits for its first token"));
    FIXPOINT_TRY(parameters, connections_.parameters(connection));
    return Ready{std::move(destination), std::move(connection), std::move(parameters)};
  });
}

// Who has a turn in the future is told to come back.
TimeMs DestinationSender::when(const Delivery& delivery) {
  const TimeMs now = clock_.now_ms();
  const auto destination =
      store_.read([&](store::Session& session) { return destinations_.get(session, delivery.target.arn); });
  if (!destination) return now;  // send() says what is wrong
  const auto steady = static_cast<double>(clock_.steady_ms());
  const std::string name = delivery.name();
  std::lock_guard lock(mutex_);
  Pace& pace = paces_[delivery.target.arn];
  if (pace.rate != destination->rate) {
    pace.rate = std::max<std::int64_t>(destination->rate, 1);
    pace.turns.clear();
    pace.next_ms = steady;
  }
  auto turn = pace.turns.find(name);
  if (turn == pace.turns.end()) {
    // Who took a turn and was given up since never comes for it.
    if (pace.turns.size() >= turns_limit)
      std::erase_if(pace.turns, [&](const auto& one) { return one.second + 2 * look_again_ms < steady; });
    if (pace.turns.size() >= turns_limit) return now + look_again_ms;
    turn = pace.turns.emplace(name, std::max(steady, pace.next_ms)).first;
    pace.next_ms = turn->second + 1000.0 / static_cast<double>(pace.rate);
  }
  if (turn->second > steady)
    return now + std::min(static_cast<TimeMs>(std::ceil(turn->second - steady)), look_again_ms);
  // Another server may have sent it instead.
  std::erase_if(pace.let_go, [&](const auto& one) { return one.second + busy_pause_ms <= steady; });
  if (pace.under_way + pace.let_go.size() >= at_once_limit) return now + busy_pause_ms;
  pace.turns.erase(turn);
  pace.let_go[name] = steady;
  return now;
}

void DestinationSender::send(const Delivery& delivery, Done done) {
  auto ready = ready_for(delivery);
  {
    std::lock_guard lock(mutex_);
    Pace& pace = paces_[delivery.target.arn];
    pace.let_go.erase(delivery.name());
    if (ready) ++pace.under_way;
  }
  if (!ready) return done(fail(std::move(ready.error())));
  Done ended = [this, arn = delivery.target.arn, done = std::move(done)](Result<void> result) {
    {
      std::lock_guard lock(mutex_);
      --paces_[arn].under_way;
    }
    done(std::move(result));
  };
  if (ready->connection.type != "OAUTH_CLIENT_CREDENTIALS") return post(*ready, delivery, "", std::move(ended));
  const Connection connection = ready->connection;
  const Value parameters = ready->parameters;
  with_token(connection, parameters,
             [this, ready = std::move(*ready), delivery, ended = std::move(ended)](Result<std::string> token) {
               if (!token) return ended(fail(std::move(token.error())));
               post(ready, delivery, *token, ended);
             });
}

void DestinationSender::post(const Ready& ready, const Delivery& delivery, const std::string& token, Done done) {
  auto made = destination_request(ready.destination, ready.connection.type, ready.parameters,
                                  delivery.target.form["HttpParameters"], delivery.event, delivery.text, token);
  if (!made) return done(fail(std::move(made.error())));
  // What is kept until the answer comes holds no parameters.
  auto kept = std::make_shared<Ready>(Ready{ready.destination, ready.connection, Value()});
  send_(std::move(made->base_url), std::move(made->request), timeout_ms,
        [this, kept, token, done = std::move(done)](const Result<HttpResponse>& response) {
          done(outcome(*kept, token, response));
        });
}

// "Retries events associated with error codes 401, 407, 409, 429, and 5xx", and no others:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html#eb-api-destination-error-codes
Result<void> DestinationSender::outcome(const Ready& ready, const std::string& token,
                                        const Result<HttpResponse>& response) {
  if (!response) return fail(response.error());
  const int status = response->status;
  if (status >= 200 && status < 300) return {};
  const std::string who = "the endpoint of the API destination " + ready.destination.name + " answered ";
  if ((status == 401 || status == 407) && !token.empty()) {
    std::lock_guard lock(mutex_);
    // Another delivery may have fetched a new one meanwhile.
    if (Token& known = tokens_[token_key(ready.connection)]; known.text == token) known.text.clear();
  }
  if (status != 401 && status != 407 && status != 409 && status != 429 && status < 500)
    return fail(endpoint_error(who + std::to_string(status), status, false));
  const TimeMs wait = retry_after(response->headers, clock_.now_ms());
  if (wait < 0)
    return fail(
        endpoint_error(who + std::to_string(status) + " and asks not to be tried again (Retry-After)", status, false));
  Error error = endpoint_error(who + std::to_string(status), status, true);
  error.retry_after_ms = wait;
  return fail(std::move(error));
}

std::string DestinationSender::token_key(const Connection& connection) {
  return connection.arn() + "#" + std::to_string(connection.revision);
}

// One request for all that want it meanwhile.
void DestinationSender::with_token(const Connection& connection, const Value& parameters, WithToken then) {
  {
    std::unique_lock lock(mutex_);
    Token& token = tokens_[token_key(connection)];
    const bool fresh = token.until_ms == 0 || clock_.steady_ms() + early_ms < token.until_ms;
    if (!token.text.empty() && fresh && !token.fetching) {
      const std::string text = token.text;
      lock.unlock();
      return then(text);
    }
    token.waiting.push_back(std::move(then));
    if (token.fetching) return;
    token.fetching = true;
  }
  fetch(connection, parameters);
}

void DestinationSender::fetch(const Connection& connection, const Value& parameters) {
  auto made = token_request(parameters["OAuthParameters"]);
  if (!made) return fetched(connection, fail(std::move(made.error())));
  Connection kept = connection;
  kept.sealed.clear();
  send_(std::move(made->base_url), std::move(made->request), timeout_ms,
        [this, kept](const Result<HttpResponse>& response) { fetched(kept, response); });
}

// The answer of RFC 6749 section 5.1. Nothing of it is told on: it may have the credentials in it.
void DestinationSender::fetched(const Connection& connection, const Result<HttpResponse>& response) {
  const std::string who = "the authorization endpoint of the connection " + connection.name;
  Result<std::string> token;
  TimeMs lasts_ms = 0;
  if (!response) {
    token = fail(response.error());
  } else if (response->status != 200) {
    token = fail(endpoint_error(who + " answered " + std::to_string(response->status), response->status, true));
  } else {
    const auto answer = json::parse(response->body);
    const std::string_view text = answer ? (*answer)["access_token"].string_or("") : std::string_view();
    const bool usable =
        !text.empty() && text.size() <= longest_token &&
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });  // RFC 6749 appendix A.12
    if (usable) {
      token = std::string(text);
      lasts_ms = std::clamp<std::int64_t>((*answer)["expires_in"].int_or(0), 0, 10LL * 365 * 86'400) * 1000;
    } else {
      token = fail(endpoint_error(who + " answered 200, and no JSON object with an access_token", 0, true));
    }
  }
  std::vector<WithToken> waiting;
  {
    std::lock_guard lock(mutex_);
    const std::string key = token_key(connection);
    Token& known = tokens_[key];
    known.fetching = false;
    waiting.swap(known.waiting);
    if (token) {
      known.text = *token;
      known.until_ms = lasts_ms == 0 ? 0 : clock_.steady_ms() + lasts_ms;
      // Those of the connection before it was changed.
      std::erase_if(tokens_, [&](const auto& one) {
        return one.first != key && one.first.starts_with(connection.arn() + "#") && !one.second.fetching;
      });
    }
  }
  for (const WithToken& then : waiting) then(token);
}

void DestinationSender::authorize(const Connection& connection) {
  auto parameters = connections_.parameters(connection);
  if (!parameters) return connections_.authorized(connection, parameters.error().message);
  with_token(connection, *parameters, [this, connection](const Result<std::string>& token) {
    if (!token && stopping_) return;  // a request that ends because the server does says nothing
    connections_.authorized(connection, token ? "" : token.error().message);
  });
}

Result<void> DestinationSender::authorize_all() {
  FIXPOINT_TRY(list, connections_.authorizing());
  for (const Connection& connection : list) authorize(connection);
  return {};
}

}  // namespace fixpoint::bus
