#pragma once

#include <string>

namespace fixpoint {

/// The text with U+FFFD for what is no UTF-8, such as a character that was cut.
std::string valid_utf8(std::string text);

}  // namespace fixpoint
