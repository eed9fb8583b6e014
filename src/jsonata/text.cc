#include "jsonata/text.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <locale.h>
#include <wctype.h>

namespace fixpoint::jsonata {
namespace {

// The length that the first byte of a character promises, 1 where it is none.
std::size_t promised(unsigned char first) {
  if (first < 0xc2) return 1;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 1;
}

std::size_t length_at(std::string_view text, std::size_t at) {
  const std::size_t length = promised(static_cast<unsigned char>(text[at]));
  if (at + length > text.size()) return 1;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 1;
  return length;
}

// Upper and lower case of all of Unicode come from the C library; the locale is made once and never freed.
locale_t unicode() {
  static locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

bool is_lone_surrogate_at(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && static_cast<unsigned char>(text[at]) == 0xed &&
         static_cast<unsigned char>(text[at + 1]) >= 0xa0;
}

}  // namespace

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t length = length_at(text, at);
  std::uint32_t code = first;
  if (length == 2) code = first & 0x1fU;
  if (length == 3) code = first & 0x0fU;
  if (length == 4) code = first & 0x07U;
  for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  at += length;
  return code;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += length_at(text, at)) ++count;
  return count;
}

std::size_t utf16_units(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_at(text, at);
    count += length == 4 ? 2 : 1;
    at += length;
  }
  return count;
}

std::size_t byte_of_code_point(std::string_view text, std::size_t n) {
  std::size_t at = 0;
  for (; n > 0 && at < text.size(); --n) at += length_at(text, at);
  return at;
}

std::size_t byte_of_utf16_unit(std::string_view text, std::size_t n) {
  std::size_t at = 0;
  while (n > 0 && at < text.size()) {
    const std::size_t length = length_at(text, at);
    const std::size_t units = length == 4 ? 2 : 1;
    if (units > n) break;
    n -= units;
    at += length;
  }
  return at;
}

bool has_lone_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xed'); at != std::string_view::npos; at = text.find('\xed', at + 1))
    if (is_lone_surrogate_at(text, at)) return true;
  return false;
}

std::string without_lone_surrogates(std::string text) {
  for (std::size_t at = text.find('\xed'); at != std::string::npos; at = text.find('\xed', at + 1))
    if (is_lone_surrogate_at(text, at)) text.replace(at, 3, "\xef\xbf\xbd");
  return text;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return "0";
  char buffer[40];
  const double size = std::fabs(value);
  if (size >= 1e-6 && size < 1e21) {
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
    return {buffer, result.ptr};
  }
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string text(buffer, result.ptr);
  // std::to_chars writes two digits of exponent at least, JavaScript as many as there are.
  const std::size_t exponent = text.find('e') + 2;
  if (text[exponent] == '0') text.erase(exponent, 1);
  return text;
}

std::string number_text_15(double value) {
  if (std::fabs(value) < 1e15 && std::trunc(value) == value) {
    char digits[24];
    const auto result = std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value));
    return {digits, result.ptr};
  }
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.14e", value);
  return number_text(std::strtod(buffer, nullptr));
}

std::string fixed_text(double value, int digits) {
  if (std::fabs(value) >= 1e21 || !std::isfinite(value)) return number_text(value);
  std::string text(400, '\0');
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

double parse_int_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r'))) ++at;
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) value = value * 10 + (text[at] - '0');
  return negative ? -value : value;
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
      ++at;
      continue;
    }
    const std::size_t start = at;
    const std::uint32_t code = next_code_point(text, at);
    if (at - start == 1 || unicode() == nullptr)
      out.append(text.substr(start, at - start));
    else
      append_code_point(out, static_cast<std::uint32_t>(towlower_l(static_cast<wint_t>(code), unicode())));
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      out += static_cast<char>(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
      ++at;
      continue;
    }
    const std::size_t start = at;
    const std::uint32_t code = next_code_point(text, at);
    if (code == 0xdf)
      out += "SS";
    else if (at - start == 1 || unicode() == nullptr)
      out.append(text.substr(start, at - start));
    else
      append_code_point(out, static_cast<std::uint32_t>(towupper_l(static_cast<wint_t>(code), unicode())));
  }
  return out;
}

}  // namespace fixpoint::jsonata
