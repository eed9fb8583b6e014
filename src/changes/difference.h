#pragma once

#include <string>

#include "json/value.h"

namespace fixpoint::changes {

/// What changed between two states, for a person: "encryption: absent -> [...]", "group.IpPermissions: removed {...}";
/// parts joined by "; ". Arrays are compared as sets of elements. At most `longest` characters; what is cut off ends in
/// "...". Empty where nothing changed.
std::string describe_difference(const json::Value& before, const json::Value& after, std::size_t longest = 400);

/// Cut to at most `longest` bytes at a character's border, "..." in place of what is gone.
std::string shortened(const std::string& text, std::size_t longest);

}  // namespace fixpoint::changes
