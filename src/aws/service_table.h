#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

struct Principal;

/// Who calls an operation of a service that fixpoint itself is, and where.
struct Caller {
  std::string account;  ///< twelve digits
  std::string region;
  std::string partition;  ///< aws, aws-cn, ...
  std::string request_id;
  std::shared_ptr<const Principal> principal;  ///< never null behind the gateway
};

/// Takes the result of an operation, now or later, on any thread, once.
using Answer = std::function<void(Result<json::Value>)>;

/// The operations of one service: name to function. Filled once, then read from several threads.
struct ServiceTable {
  using Function = std::function<Result<json::Value>(const Caller&, const json::Value& input)>;
  using AsyncFunction = std::function<void(const Caller&, const json::Value& input, Answer answer)>;

  struct Operation {
    Function function;       ///< either this
    AsyncFunction later;     ///< or this, which returns at once
    bool quick = false;      ///< never waits for a disk or a network: may run on an I/O thread
    bool validates = false;  ///< checks its input against the model itself, piece by piece
  };

  std::string service;  ///< the model's name: securityhub
  std::map<std::string, Operation, std::less<>> operations;

  void add(std::string name, Function function) {
    operations[std::move(name)] = {std::move(function), {}, false, false};
  }
  void add_quick(std::string name, Function function) {
    operations[std::move(name)] = {std::move(function), {}, true, false};
  }
  void add_async(std::string name, AsyncFunction function) {
    operations[std::move(name)] = {{}, std::move(function), true, false};
  }
};

}  // namespace fixpoint::aws
