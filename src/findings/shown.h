#pragma once

#include <string>
#include <string_view>

namespace fixpoint::findings {

/// A text for a sentence, between quotes: of a long one the first 80 bytes, or what of them is whole characters, and
/// "...".
inline std::string shown(std::string_view text) {
  constexpr std::size_t most = 80;
  if (text.size() <= most) return "'" + std::string(text) + "'";
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "'" + std::string(text.substr(0, end)) + "...'";
}

}  // namespace fixpoint::findings
