#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "aws/service_table.h"
#include "base/arn.h"
#include "base/text.h"
#include "bus/rule.h"
#include "json/value.h"

namespace fixpoint::services {

// For this room alone.

/// Error: ValidationException where the ARN's partition is not that of its region.
Result<void> check_partition(const Arn& arn, const char* parameter);

/// A bus is named by its name or its ARN; `default` where it is not named. Error: as of check_partition.
Result<bus::BusName> bus_of(const aws::Caller& caller, const json::Value& name);

/// Times as the model has them, in seconds; 0 for what is no time.
inline double seconds(TimeMs at) {
  return static_cast<double>(at) / 1000;
}
inline TimeMs ms_of(const json::Value& time) {
  return time.is_number() ? static_cast<TimeMs>(std::llround(time.as_double() * 1000)) : 0;
}

/// Hands out `items` from the position in NextToken on, at most Limit of them, under `member`. Error:
/// ValidationException for a token that is none of ours.
Result<json::Value> page_of(const json::Array& items, const json::Value& input, const char* member);

}  // namespace fixpoint::services
