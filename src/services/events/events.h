#pragma once

#include "aws/service_table.h"
#include "bus/bus.h"
#include "store/store.h"

namespace fixpoint::services {

/// fixpoint's own EventBridge over the bus. Thread-safe.
class Events {
 public:
  Events(store::Store& store, bus::Bus& bus) : store_(store), bus_(bus) {}
  /// The operations of the model's `events` that are there.
  aws::ServiceTable table();

 private:
  Result<json::Value> put_rule(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> put_events(const aws::Caller& caller, const json::Value& input);
  Result<std::string> taggable(const json::Value& input);
  void add_buses(aws::ServiceTable& table);
  void add_archives(aws::ServiceTable& table);
  store::Store& store_;
  bus::Bus& bus_;
};

}  // namespace fixpoint::services
