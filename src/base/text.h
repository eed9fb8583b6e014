#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint {

std::string to_lower(std::string_view text);                      ///< ASCII only
std::string to_upper(std::string_view text);                      ///< ASCII only
bool equals_ignore_case(std::string_view a, std::string_view b);  ///< ASCII only
std::string_view trim(std::string_view text);  ///< without leading and trailing spaces, tabs, CR and LF
std::vector<std::string_view> split(std::string_view text,
                                    char separator);  ///< empty parts kept; "" gives one empty part
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

/// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view bytes);
/// Nothing where the text is not base64 (padding may be left out; blanks and line ends are skipped).
std::optional<std::string> base64_decode(std::string_view text);
std::string hex_encode(std::string_view bytes);  ///< lower case
std::optional<std::string> hex_decode(std::string_view text);

/// RFC 3986: all but the unreserved characters becomes %XX; `keep_slash` leaves '/'.
std::string uri_encode(std::string_view text, bool keep_slash = false);
/// %XX to bytes; an incomplete escape stays as it is. `plus_is_space` for form bodies.
std::string uri_decode(std::string_view text, bool plus_is_space = false);

bool is_valid_utf8(std::string_view text);

/// The whole text as a decimal integer, nothing where it is anything else or does not fit.
std::optional<std::int64_t> to_int64(std::string_view text);
/// The whole text as a finite decimal number.
std::optional<double> to_double(std::string_view text);
/// The shortest decimal form that reads back as the same double ("1e+22" style exponents); "NaN", "Infinity",
/// "-Infinity".
std::string print_double(double value);

}  // namespace fixpoint
