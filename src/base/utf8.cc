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

bool goes_on(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

}  // namespace

std::string_view first_bytes(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && goes_on(text[most])) --most;
  return text.substr(0, most);
}

std::string cut_characters(std::string_view text, std::size_t most) {
  std::size_t count = 0;
  std::size_t dots = text.size();  // the byte at which the third of the last characters begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (goes_on(text[i])) continue;
    if (count + 3 == most) dots = i;
    if (count++ == most) return std::string(text.substr(0, dots)) + "...";
  }
  return std::string(text);
}

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
    for (++i; i < text.size() && goes_on(text[i]);) ++i;
  }
  return out;
}

std::string legible(std::string text) {
  text = valid_utf8(std::move(text));
  return text.find('\0') == std::string::npos ? text
                                              : replace_all(std::move(text), std::string(1, '\0'), "\xEF\xBF\xBD");
}

}  // namespace fixpoint
