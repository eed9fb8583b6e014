#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aws/service_table.h"
#include "bus/bus.h"
#include "bus/connections.h"
#include "bus/destination_sender.h"
#include "bus/destinations.h"
#include "store/later.h"
#include "store/store.h"

namespace fixpoint::services {

/// fixpoint's own EventBridge over the bus. Thread-safe. It ends after the events under way were answered.
class Events {
 public:
  /// What leads out of the server.
  struct Outward {
    bus::Connections& connections;
    bus::Destinations& destinations;
    bus::DestinationSender& sender;
    /// Why nothing may be sent to a URL, as a sentence; nothing where it may.
    std::function<std::optional<std::string>(const std::string& url)> forbids;
  };
  Events(store::Store& store, bus::Bus& bus, Outward outward)
      : bus_(bus), outward_(std::move(outward)), later_(store) {}
  /// The operations of the model's `events` that are there.
  aws::ServiceTable table();

 private:
  Result<json::Value> put_rule(const aws::Caller& caller, const json::Value& input);
  void put_events(const aws::Caller& caller, const json::Value& input, aws::Answer answer);
  Result<std::string> taggable(const json::Value& input);
  void add_buses(aws::ServiceTable& table);
  void add_archives(aws::ServiceTable& table);
  void add_connections(aws::ServiceTable& table);
  void add_destinations(aws::ServiceTable& table);
  Result<void> allowed(const json::Value& url, const char* parameter) const;
  bus::Bus& bus_;
  Outward outward_;
  store::LaterWrites later_;
};

}  // namespace fixpoint::services
