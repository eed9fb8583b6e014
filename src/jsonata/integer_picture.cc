#include "jsonata/integer_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "jsonata/failure.h"
#include "jsonata/number_words.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// The zeros of the scripts that have ten digits in a row (Unicode's category Nd).
constexpr std::array<std::uint32_t, 37> zeros = {
    0x30,   0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10};

struct Numeral {
  int value;
  std::string_view text;
};
constexpr std::array<Numeral, 13> numerals = {{{1000, "m"},
                                               {900, "cm"},
                                               {500, "d"},
                                               {400, "cd"},
                                               {100, "c"},
                                               {90, "xc"},
                                               {50, "l"},
                                               {40, "xl"},
                                               {10, "x"},
                                               {9, "ix"},
                                               {5, "v"},
                                               {4, "iv"},
                                               {1, "i"}}};

std::string roman(double value) {
  if (value > 1e6)
    throw Failure{"D3130", "a number of more than a million cannot be written in Roman numerals", Failure::nowhere, {}};
  std::string out;
  int left = static_cast<int>(value);
  for (const Numeral& numeral : numerals)
    for (; left >= numeral.value; left -= numeral.value) out += numeral.text;
  return out;
}

double from_roman(std::string_view text) {
  double sum = 0;
  double most = 1;
  for (std::size_t i = text.size(); i-- > 0;) {
    double value = 0;
    for (const Numeral& numeral : numerals)
      if (numeral.text.size() == 1 && numeral.text[0] == text[i]) value = numeral.value;
    if (value == 0) return std::numeric_limits<double>::quiet_NaN();
    if (value < most) {
      sum -= value;
    } else {
      most = value;
      sum += value;
    }
  }
  return sum;
}

std::string letters(double value) {
  std::string out;
  while (value > 0) {
    out.insert(out.begin(), static_cast<char>('a' + static_cast<int>(std::fmod(value - 1, 26))));
    value = std::floor((value - 1) / 26);
  }
  return out;
}

double from_letters(std::string_view text) {
  double value = 0;
  for (const char c : text) {
    if (c < 'a' || c > 'z') return std::numeric_limits<double>::quiet_NaN();
    value = value * 26 + (c - 'a' + 1);
  }
  return value;
}

[[noreturn]] void unknown_form(const std::string& picture) {
  throw Failure{
      "D3130", "a number cannot be written as a sequence that starts with '" + picture + "'", Failure::nowhere, {}};
}

std::string suffix_of(const std::string& digits) {
  const char last = digits.back();
  const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  if (teen || last < '1' || last > '3') return "th";
  return last == '1' ? "st" : last == '2' ? "nd" : "rd";
}

}  // namespace

IntegerPicture::IntegerPicture(std::string_view picture) {
  const std::size_t semicolon = picture.rfind(';');
  const std::string_view primary = picture.substr(0, semicolon);
  ordinal = semicolon != std::string_view::npos && picture.substr(semicolon + 1).starts_with('o');
  text = std::string(primary);
  if (primary == "A" || primary == "I" || primary == "W") letter_case = Case::Upper;
  if (primary == "Ww") letter_case = Case::Title;
  if (primary == "A" || primary == "a") {
    form = Form::Letters;
    return;
  }
  if (primary == "I" || primary == "i") {
    form = Form::Roman;
    return;
  }
  if (primary == "W" || primary == "w" || primary == "Ww") {
    form = Form::Words;
    return;
  }
  std::vector<std::uint32_t> characters;
  for (std::size_t at = 0; at < primary.size();) characters.push_back(next_code_point(primary, at));
  bool zero_known = false;
  std::size_t behind = 0;
  for (std::size_t i = characters.size(); i-- > 0;) {
    const std::uint32_t c = characters[i];
    const auto group = std::find_if(zeros.begin(), zeros.end(), [&](std::uint32_t z) { return c >= z && c <= z + 9; });
    if (group != zeros.end()) {
      if (zero_known && zero != *group)
        throw Failure{"D3131", "the digits of a picture must all be of one script", Failure::nowhere, {}};
      zero = *group;
      zero_known = true;
      ++mandatory_digits;
      ++behind;
    } else if (c == '#') {
      ++optional_digits;
      ++behind;
    } else {
      separators.emplace_back(behind, c);
    }
  }
  if (mandatory_digits == 0) {
    form = Form::Unknown;
    return;
  }
  if (separators.empty()) return;
  std::size_t factor = 0;
  bool regular = true;
  for (const auto& [place, character] : separators) {
    factor = std::gcd(factor, place);
    regular = regular && character == separators[0].second;
  }
  for (std::size_t n = 1; regular && n <= separators.size(); ++n)
    regular = factor > 0 && std::any_of(separators.begin(), separators.end(),
                                        [&](const auto& separator) { return separator.first == n * factor; });
  if (regular) regular_group = factor;
}

std::string IntegerPicture::format(double value) const {
  const bool negative = value < 0;
  value = std::fabs(value);
  std::string out;
  switch (form) {
    case Form::Letters:
      out = letters(value);
      if (letter_case == Case::Upper) out = to_upper(out);
      break;
    case Form::Roman:
      out = roman(value);
      if (letter_case == Case::Upper) out = to_upper(out);
      break;
    case Form::Words:
      out = number_to_words(value, ordinal);
      if (letter_case == Case::Upper) out = to_upper(out);
      if (letter_case == Case::Lower) out = to_lower(out);
      break;
    case Form::Unknown: unknown_form(text);
    case Form::Decimal: {
      std::string digits = number_text(value);
      if (digits.size() < mandatory_digits)
        digits.insert(0, std::min<std::size_t>(mandatory_digits, 10000) - digits.size(), '0');
      for (std::size_t i = 0; i < digits.size(); ++i) {
        const std::size_t behind = digits.size() - i;
        if (regular_group > 0) {
          if (i > 0 && behind % regular_group == 0) append_code_point(out, separators[0].second);
        } else {
          for (std::size_t s = separators.size(); s-- > 0;)
            if (separators[s].first == behind) append_code_point(out, separators[s].second);
        }
        if (digits[i] >= '0' && digits[i] <= '9')
          append_code_point(out, zero + static_cast<std::uint32_t>(digits[i] - '0'));
        else
          out += digits[i];
      }
      if (regular_group == 0)
        for (const auto& [place, character] : separators)
          if (place == 0) append_code_point(out, character);
      if (ordinal) out += suffix_of(digits);
      break;
    }
  }
  return negative ? "-" + out : out;
}

std::string IntegerPicture::pattern(std::size_t digits) const {
  switch (form) {
    case Form::Letters: return "[A-Za-z]+";
    case Form::Roman: return "[MDCLXVImdclxvi]+";
    case Form::Words: {
      // Longer words first: "six" must not end a match that "sixteen" could go on with.
      std::vector<std::string> words = number_words();
      std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
      return "(?:" + join(words, "|") + "|and|[\\-, ])+";
    }
    case Form::Unknown: unknown_form(text);
    case Form::Decimal: break;
  }
  std::string out = "[0-9]+";
  if (digits > 0) {
    out = "[0-9]{" + std::to_string(digits) + "}";
    if (optional_digits > 0)
      out = "[0-9]{" + std::to_string(digits > optional_digits ? digits - optional_digits : 0) + "," +
            std::to_string(digits) + "}";
  }
  return ordinal ? out + "(?:th|st|nd|rd)" : out;
}

double IntegerPicture::parse(std::string_view written) const {
  switch (form) {
    case Form::Letters: return from_letters(to_lower(written));
    case Form::Roman: return from_roman(to_lower(written));
    case Form::Words: return words_to_number(to_lower(written));
    case Form::Unknown: unknown_form(text);
    case Form::Decimal: break;
  }
  if (ordinal) written = written.substr(0, written.size() < 2 ? 0 : written.size() - 2);
  std::string digits;
  for (std::size_t at = 0; at < written.size();) {
    const std::uint32_t c = next_code_point(written, at);
    const bool separates =
        std::any_of(separators.begin(), separators.end(), [&](const auto& separator) { return separator.second == c; });
    if (separates) continue;
    if (c >= zero && c <= zero + 9)
      digits += static_cast<char>('0' + (c - zero));
    else
      append_code_point(digits, c);
  }
  return parse_int_prefix(digits);
}

}  // namespace fixpoint::jsonata
