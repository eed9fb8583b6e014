#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/http_message.h"
#include "bus/connections.h"
#include "bus/destinations.h"
#include "bus/rule.h"

namespace fixpoint::bus {

/// Sends events to API destinations: within their rates, as their connections say. Thread-safe. Access tokens are in
/// memory alone.
class DestinationSender {
 public:
  static constexpr int timeout_ms = 5'000;          ///< of the endpoint, EventBridge's own
  static constexpr std::size_t at_once_limit = 32;  ///< requests to one destination that wait for their answer

  /// Sends without waiting; `done` is called once, on any thread. No redirect is followed.
  using Send = std::function<void(std::string base_url, HttpRequest request, int timeout_ms,
                                  std::function<void(Result<HttpResponse>)> done)>;
  /// `stop` ends the requests under way.
  DestinationSender(store::Store& store, const Clock& clock, Connections& connections, Destinations& destinations,
                    Send send, std::function<void()> stop)
      : store_(store),
        clock_(clock),
        connections_(connections),
        destinations_(destinations),
        send_(std::move(send)),
        stop_(std::move(stop)) {}

  /// The targets `arn:...:events:...:api-destination/NAME/ID`. Valid as long as this object.
  TargetKind kind();

  /// Fetches the first token of a connection that is AUTHORIZING, and says how that ended.
  void authorize(const Connection& connection);
  /// The same for all that a stop left in that state. Error: the store's.
  Result<void> authorize_all();

 private:
  using Done = std::function<void(Result<void>)>;
  using WithToken = std::function<void(Result<std::string>)>;
  struct Ready {
    Destination destination;
    Connection connection;
    json::Value parameters;
  };
  // A destination's deliveries stand in a line that moves with its rate, by steady time.
  struct Pace {
    std::int64_t rate = 0;
    double next_ms = 0;                    // the next turn that nobody has
    std::map<std::string, double> turns;   // delivery -> its turn, which it has not used yet
    std::map<std::string, double> let_go;  // delivery -> when it was let go; send() comes for it at once
    std::size_t under_way = 0;
  };
  struct Token {
    std::string text;
    TimeMs until_ms = 0;  // by steady time; 0: says nothing
    std::vector<WithToken> waiting;
    bool fetching = false;
  };

  Result<Ready> ready_for(const Delivery& delivery);
  TimeMs when(const Delivery& delivery);
  void send(const Delivery& delivery, Done done);
  void post(const Ready& ready, const Delivery& delivery, const std::string& token, Done done);
  Result<void> outcome(const Ready& ready, const std::string& token, const Result<HttpResponse>& response);
  static std::string token_key(const Connection& connection);
  void with_token(const Connection& connection, const json::Value& parameters, WithToken then);
  void fetch(const Connection& connection, const json::Value& parameters);
  void fetched(const Connection& connection, const Result<HttpResponse>& response);

  store::Store& store_;
  const Clock& clock_;
  Connections& connections_;
  Destinations& destinations_;
  Send send_;
  std::function<void()> stop_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::map<std::string, Pace> paces_;    // by the destination's ARN
  std::map<std::string, Token> tokens_;  // by the connection's ARN and revision
};

}  // namespace fixpoint::bus
