#pragma once

#include "aws/service_table.h"
#include "bus/bus.h"
#include "store/later.h"
#include "store/store.h"

namespace fixpoint::services {

/// fixpoint's own EventBridge over the bus. Thread-safe. It ends after the events under way were answered.
class Events {
 public:
  Events(store::Store& store, bus::Bus& bus) : bus_(bus), later_(store) {}
  /// The operations of the model's `events` that are there.
  aws::ServiceTable table();

 private:
  Result<json::Value> put_rule(const aws::Caller& caller, const json::Value& input);
  void put_events(const aws::Caller& caller, const json::Value& input, aws::Answer answer);
  Result<std::string> taggable(const json::Value& input);
  void add_buses(aws::ServiceTable& table);
  void add_archives(aws::ServiceTable& table);
  bus::Bus& bus_;
  store::LaterWrites later_;
};

}  // namespace fixpoint::services
