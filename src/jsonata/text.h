#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Strings are UTF-8 here and UTF-16 in the language. A lone surrogate, which an expression can write as \uD800, is kept
// as the three bytes that its code would have (WTF-8), and replaced by U+FFFD where it would leave.

namespace fixpoint::jsonata {

void append_code_point(std::string& out, std::uint32_t code);
/// The code point at `at`, which moves behind it. Bytes that are not UTF-8 count as one character each.
std::uint32_t next_code_point(std::string_view text, std::size_t& at);
std::size_t code_points(std::string_view text);
std::size_t utf16_units(std::string_view text);
/// Where the n-th code point starts, in bytes; the size of the text where it has fewer.
std::size_t byte_of_code_point(std::string_view text, std::size_t n);
/// Where the n-th UTF-16 unit starts, in bytes; in the middle of a pair, the start of it.
std::size_t byte_of_utf16_unit(std::string_view text, std::size_t n);
bool has_lone_surrogate(std::string_view text);
std::string without_lone_surrogates(std::string text);

/// A number as JavaScript prints it: 1e21, 1e-7, -0 as 0.
std::string number_text(double value);
/// The same to 15 digits, as $string prints.
std::string number_text_15(double value);
/// Number.prototype.toFixed, correctly rounded.
std::string fixed_text(double value, int digits);
/// The start of the text as a decimal integer, NaN where it has none, as parseInt gives.
double parse_int_prefix(std::string_view text);

std::string lower(std::string_view text);
std::string upper(std::string_view text);

}  // namespace fixpoint::jsonata
