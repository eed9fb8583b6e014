#pragma once

#include <string>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::gateway {

/// Holds the input of /api/NAME against the members that it takes: a member that is misspelt or of another kind is
/// never left out of what is then done for everything. A name that is none passes. Error: ValidationException with the
/// list.
Result<void> check_members(const std::string& name, const json::Value& input);

}  // namespace fixpoint::gateway
