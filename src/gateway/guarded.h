#pragma once

#include <exception>
#include <string>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::gateway {

/// What `function` gives, a Result<json::Value>; an exception that leaves it becomes InternalFailure: a fault of the
/// program costs the request that met it, not the server.
template <typename Function>
Result<json::Value> guarded(const Function& function) {
  try {
    return function();
  } catch (const std::exception& fault) {
    return fail(errors::internal(std::string("a fault of the program ended this request: ") + fault.what()));
  }
}

}  // namespace fixpoint::gateway
