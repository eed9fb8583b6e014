#include "base/utf8.h"

#include "base/text.h"

namespace fixpoint {
namespace {

// The bytes of the character that begins at `i`; 0 where none does.
std::size_t length_at(std::string_view text, std::size_t i) {
  for (std::size_t length = 1; length <= 4 && i + length <= text.size(); ++length)
    if (is_valid_utf8(text.substr(i, length))) return length;
  return 0;
}

}  // namespace

std::string valid_utf8(std::string text) {
  if (is_valid_utf8(text)) return text;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t length = length_at(text, i); length != 0) {
      out.append(text, i, length);
      i += length;
      continue;
    }
    out += "\xEF\xBF\xBD";
    // What is left of a character that was cut is one fault.
    for (++i; i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80;) ++i;
  }
  return out;
}

}  // namespace fixpoint
