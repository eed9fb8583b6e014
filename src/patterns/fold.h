#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fixpoint::patterns {

/// Unicode's simple case folding of one code point: one code point gives one, so that a prefix of a text folds to a
/// prefix of the folded text.
std::uint32_t fold(std::uint32_t point);

/// Appends the folded text; bytes that are not UTF-8 stay as they are.
void fold_to(std::string& out, std::string_view text);

}  // namespace fixpoint::patterns
