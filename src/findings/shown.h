#pragma once

#include <string>
#include <string_view>

#include "base/utf8.h"

namespace fixpoint::findings {

/// A text for a sentence, between quotes: of a long one the first 80 bytes, or what of them is whole characters, and
/// "...".
inline std::string shown(std::string_view text) {
  constexpr std::size_t most = 80;
  const std::string_view first = first_bytes(text, most);
  return "'" + std::string(first) + (first.size() < text.size() ? "...'" : "'");
}

}  // namespace fixpoint::findings
