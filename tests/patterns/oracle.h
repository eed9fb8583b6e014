#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/pattern.h"

namespace fixpoint::patterns {

/// The plain evaluator that the machine is held against: it makes a document of the event, lists every field with the
/// array elements that it lies in, and tries every choice. It shares with the machine the pattern's reader and nothing
/// else of how values are compared or found. Nothing where the pattern is refused or the event is no JSON object.
std::optional<bool> oracle_matches(std::string_view pattern_text, std::string_view event_text);

std::optional<bool> oracle_matches(const Pattern& pattern, std::string_view event_text);

}  // namespace fixpoint::patterns
