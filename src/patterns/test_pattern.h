#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fixpoint::patterns {

/// Whether one event matches one pattern: what TestEventPattern answers
/// (docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html). Unlike Machine::match, the whole
/// event is held against the JSON grammar first. Errors: InvalidEventPatternException for the pattern,
/// ValidationException for the event.
Result<bool> matches(std::string_view pattern_text, std::string_view event_text);

/// A field that keeps an event from matching.
struct Failure {
  std::size_t branch = 0;  ///< which combination of `$or` alternatives, from 0
  std::string path;        ///< member names joined by dots; empty where no single field is at fault
  std::string wants;       ///< what the pattern asks for, in words
  std::string holds;       ///< what the event has there: values, or that there is none
};

/// Why the event does not match: for each branch of the pattern, every field that fails on its own; where all fields
/// hold but in different elements of an array, one failure that says so. Empty where the event matches. Errors as of
/// matches().
Result<std::vector<Failure>> explain(std::string_view pattern_text, std::string_view event_text);

}  // namespace fixpoint::patterns
