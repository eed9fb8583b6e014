#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::changes {

/// A list of names of a catalog file; null is an empty one. Error: ValidationException whose message goes behind the
/// place, which the caller knows.
Result<std::vector<std::string>> read_names(const json::Value& list);

/// The same for error codes that stand for "nothing is there" or "it is done already". A throttled or denied call says
/// neither, so that those codes are refused: a resource that cannot be read must never pass for one that is not there.
Result<std::vector<std::string>> read_error_codes(const json::Value& list);

}  // namespace fixpoint::changes
