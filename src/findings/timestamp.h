#pragma once

#include <string_view>

#include "base/clock.h"

namespace fixpoint::findings {

/// A timestamp of a finding or a filter, in milliseconds; what is finer is cut off. Only the forms that Security Hub
/// takes: `YYYY-MM-DDTHH:MM:SS`, a fraction of up to 9 digits, then `Z` or an offset (`+HH`, `+HHMM`, `+HH:MM`) of at
/// most 18 hours; 23:59:60 is the second before midnight's. https://docs.aws.amazon.com/securityhub/1.0/APIReference/
/// Welcome.html#timestamps. Error: InvalidInputException; the sentence begins with "is".
Result<TimeMs> parse_timestamp(std::string_view text);

}  // namespace fixpoint::findings
