#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fixpoint::jsonata {

/// How an integer is written: https://www.w3.org/TR/xpath-functions-31/#formatting-integers.
struct IntegerPicture {
  enum class Form : std::uint8_t { Decimal, Letters, Roman, Words, Unknown };
  enum class Case : std::uint8_t { Lower, Upper, Title };

  Form form = Form::Decimal;
  Case letter_case = Case::Lower;
  bool ordinal = false;
  std::uint32_t zero = '0';
  std::size_t mandatory_digits = 0;
  std::size_t optional_digits = 0;
  std::size_t regular_group = 0;                                  ///< digits between separators, where these repeat
  std::vector<std::pair<std::size_t, std::uint32_t>> separators;  ///< digits behind it, and the character
  std::string text;                                               ///< the picture itself, for errors

  /// Throws Failure D3131 where it mixes digits of several scripts.
  explicit IntegerPicture(std::string_view picture);

  /// `value` is an integer. Throws Failure D3130 for a picture of an unknown form.
  std::string format(double value) const;
  /// A regular expression, in RE2's syntax, for what parse() understands. `digits` wanted exactly, or 0 for any number.
  std::string pattern(std::size_t digits) const;
  /// NaN where the text is no such number.
  double parse(std::string_view written) const;
};

}  // namespace fixpoint::jsonata
