#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fixpoint {

/// The text with U+FFFD for what is no UTF-8, such as a character that was cut.
std::string valid_utf8(std::string text);

/// The text with U+FFFD for NUL as well: for what others say and people read, such as messages and types of errors.
std::string legible(std::string text);

/// The first bytes of a text of UTF-8, at most so many: whole characters.
std::string_view first_bytes(std::string_view text, std::size_t most);

/// At most so many characters of UTF-8 (3 or more), the last three "..." where something was cut off.
std::string cut_characters(std::string_view text, std::size_t most);

}  // namespace fixpoint
