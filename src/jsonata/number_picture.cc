#include "jsonata/number_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

#include "jsonata/failure.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// Moves the decimal point without the error that a multiplication by a power of ten would add.
double shifted(double value, double places) {
  std::string text = number_text(value);
  double exponent = places;
  if (const auto e = text.find('e'); e != std::string::npos) {
    exponent += std::strtod(text.c_str() + e + 1, nullptr);
    text.resize(e);
  }
  return std::strtod((text + "e" + number_text(exponent)).c_str(), nullptr);
}

using Text = std::u32string;

Text wide(std::string_view text) {
  Text out;
  for (std::size_t at = 0; at < text.size();) out += static_cast<char32_t>(next_code_point(text, at));
  return out;
}

std::string narrow(const Text& text) {
  std::string out;
  for (const char32_t c : text) append_code_point(out, c);
  return out;
}

[[noreturn]] void refuse(const char* code, const char* why) {
  throw Failure{code, std::string("the picture ") + why, Failure::nowhere, "formatNumber"};
}

// The signs of a picture, and of the numbers that it makes.
struct Signs {
  Text decimal = U".";
  Text grouping = U",";
  Text exponent = U"e";
  Text minus = U"-";
  Text percent = U"%";
  Text per_mille = U"\u2030";
  Text zero = U"0";
  Text digit = U"#";
  Text separator = U";";

  explicit Signs(const Item& options) {
    each_member(options, [&](std::string_view key, const Item& value) {
      Text* sign = nullptr;
      if (key == "decimal-separator") sign = &decimal;
      if (key == "grouping-separator") sign = &grouping;
      if (key == "exponent-separator") sign = &exponent;
      if (key == "minus-sign") sign = &minus;
      if (key == "percent") sign = &percent;
      if (key == "per-mille") sign = &per_mille;
      if (key == "zero-digit") sign = &zero;
      if (key == "digit") sign = &digit;
      if (key == "pattern-separator") sign = &separator;
      if (sign == nullptr) return;
      if (!value.is_string() || value.size == 0)
        throw Failure{"D3080", "option " + std::string(key) + " must be a character", Failure::nowhere, "formatNumber"};
      *sign = wide(value.string());
    });
  }

  bool is_digit(char32_t c) const { return c >= zero[0] && c < zero[0] + 10; }
  bool is(char32_t c, const Text& sign) const { return sign.size() == 1 && sign[0] == c; }
  bool is_active(char32_t c) const {
    return is_digit(c) || is(c, decimal) || is(c, exponent) || is(c, grouping) || is(c, digit) || is(c, separator);
  }
  std::size_t digits(const Text& text, bool optional_too) const {
    std::size_t count = 0;
    for (const char32_t c : text) count += is_digit(c) || (optional_too && is(c, digit)) ? 1 : 0;
    return count;
  }
};

constexpr auto none = Text::npos;

// What a sub-picture says.
struct Picture {
  Text whole;
  Text prefix;
  Text suffix;
  Text active;
  Text mantissa;
  std::optional<Text> exponent;
  Text integer;
  Text fraction;
  std::vector<std::size_t> integer_groups;
  std::vector<std::size_t> fraction_groups;
  std::size_t regular_group = 0;
  std::size_t least_integer = 0;
  std::size_t scaling = 0;
  std::size_t least_fraction = 0;
  std::size_t most_fraction = 0;
  std::size_t least_exponent = 0;
};

Picture take_apart(const Text& whole, const Signs& signs) {
  Picture p;
  p.whole = whole;
  std::size_t first = none;
  std::size_t last = none;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (!signs.is_active(whole[i]) || signs.is(whole[i], signs.exponent)) continue;
    if (first == none) first = i;
    last = i;
  }
  if (first == none) refuse(whole.empty() ? "D3085" : "D3086", "has no digit");
  p.prefix = whole.substr(0, first);
  p.suffix = whole.substr(last + 1);
  p.active = whole.substr(first, last + 1 - first);
  const std::size_t e = whole.find(signs.exponent, first);
  if (e == none || e > last) {
    p.mantissa = p.active;
  } else {
    p.mantissa = p.active.substr(0, e - first);
    p.exponent = p.active.substr(e - first + 1);
  }
  const std::size_t point = p.mantissa.find(signs.decimal);
  p.integer = p.mantissa.substr(0, point);
  p.fraction = point == none ? p.suffix : p.mantissa.substr(point + 1);
  return p;
}

// The rules of section 4.7.3. Where several are broken the last one is named, as in the official implementation.
void validate(const Picture& p, const Signs& signs) {
  const char* code = nullptr;
  const char* why = nullptr;
  const auto fault = [&](bool broken, const char* broken_code, const char* broken_why) {
    if (!broken) return;
    code = broken_code;
    why = broken_why;
  };
  const Text& whole = p.whole;
  const std::size_t point = whole.find(signs.decimal);
  const auto has = [&](const Text& sign) { return whole.find(sign) != none; };
  fault(point != whole.rfind(signs.decimal), "D3081", "has more than one decimal separator");
  fault(whole.find(signs.percent) != whole.rfind(signs.percent), "D3082", "has more than one percent sign");
  fault(whole.find(signs.per_mille) != whole.rfind(signs.per_mille), "D3083", "has more than one per-mille sign");
  fault(has(signs.percent) && has(signs.per_mille), "D3084", "has both a percent and a per-mille sign");
  fault(signs.digits(p.mantissa, true) == 0, "D3085", "has no digit");
  for (const char32_t c : p.active) fault(!signs.is_active(c), "D3086", "has other characters between its digits");
  if (point != none)
    fault((point > 0 && signs.is(whole[point - 1], signs.grouping)) ||
              (point + 1 < whole.size() && signs.is(whole[point + 1], signs.grouping)),
          "D3087", "has a grouping separator beside its decimal separator");
  else
    fault(!p.integer.empty() && signs.is(p.integer.back(), signs.grouping), "D3088",
          "has a grouping separator at the end of its integer part");
  fault(has(signs.grouping + signs.grouping), "D3089", "has two grouping separators side by side");
  const std::size_t optional = p.integer.find(signs.digit);
  fault(optional != none && signs.digits(p.integer.substr(0, optional), false) > 0, "D3090",
        "has an optional digit behind a digit of its integer part");
  const std::size_t last_optional = p.fraction.rfind(signs.digit);
  fault(last_optional != none && signs.digits(p.fraction.substr(last_optional), false) > 0, "D3091",
        "has an optional digit before a digit of its fractional part");
  if (p.exponent) {
    fault(!p.exponent->empty() && (has(signs.percent) || has(signs.per_mille)), "D3092",
          "has an exponent and a percent or per-mille sign");
    fault(p.exponent->empty() || signs.digits(*p.exponent, false) < p.exponent->size(), "D3093",
          "has an exponent that is not made of digits only");
  }
  if (code != nullptr) refuse(code, why);
}

std::vector<std::size_t> groups_of(const Text& part, const Text& integer, bool from_left, const Signs& signs) {
  std::vector<std::size_t> places;
  std::size_t at = part.find(signs.grouping);
  while (at != none) {
    places.push_back(at > part.size() ? 0 : signs.digits(from_left ? part.substr(0, at) : part.substr(at), true));
    at = integer.find(signs.grouping, at + 1);
  }
  return places;
}

void analyse(Picture& p, const Signs& signs) {
  p.integer_groups = groups_of(p.integer, p.integer, false, signs);
  p.fraction_groups = groups_of(p.fraction, p.integer, true, signs);
  if (!p.integer_groups.empty()) {
    std::size_t factor = 0;
    for (const std::size_t place : p.integer_groups) factor = std::gcd(factor, place);
    bool regular = factor > 0;
    for (std::size_t i = 1; regular && i <= p.integer_groups.size(); ++i)
      regular = std::find(p.integer_groups.begin(), p.integer_groups.end(), i * factor) != p.integer_groups.end();
    p.regular_group = regular ? factor : 0;
  }
  p.least_integer = p.scaling = signs.digits(p.integer, false);
  p.least_fraction = signs.digits(p.fraction, false);
  p.most_fraction = signs.digits(p.fraction, true);
  if (p.least_integer == 0 && p.most_fraction == 0) {
    if (p.exponent)
      p.least_fraction = p.most_fraction = 1;
    else
      p.least_integer = 1;
  }
  if (p.exponent && p.least_integer == 0 && p.integer.find(signs.digit) != none) p.least_integer = 1;
  if (p.least_integer == 0 && p.least_fraction == 0) p.least_fraction = 1;
  if (p.exponent) p.least_exponent = signs.digits(*p.exponent, false);
}

// The digits of the number in the picture's own digits.
Text digits_of(double value, std::size_t places, const Signs& signs) {
  Text out;
  for (const char c : fixed_text(std::fabs(value), static_cast<int>(std::min<std::size_t>(places, 100))))
    out += c >= '0' && c <= '9' ? signs.zero[0] + static_cast<char32_t>(c - '0') : static_cast<char32_t>(c);
  return out;
}

Text filled(std::size_t wanted, std::size_t there, const Signs& signs) {
  return wanted > there ? Text(wanted - there, signs.zero[0]) : Text();
}

Text number_in(double value, const Picture& p, const Signs& signs) {
  if (p.whole.find(signs.percent) != none)
    value *= 100;
  else if (p.whole.find(signs.per_mille) != none)
    value *= 1000;
  int exponent = 0;
  if (p.least_exponent > 0 && std::isfinite(value)) {
    const double most = std::pow(10, static_cast<double>(p.scaling));
    const double least = std::pow(10, static_cast<double>(p.scaling) - 1);
    double size = std::fabs(value);
    while (size != 0 && size < least) {
      size *= 10;
      --exponent;
    }
    while (size > most) {
      size /= 10;
      ++exponent;
    }
    value = size;
  }
  Text text = digits_of(rounded(value, static_cast<double>(p.most_fraction)), p.most_fraction, signs);
  if (const std::size_t point = text.find(U'.'); point == none)
    text += signs.decimal;
  else
    text.replace(point, 1, signs.decimal);
  text.erase(0, std::min(text.find_first_not_of(signs.zero[0]), text.size()));
  while (!text.empty() && text.back() == signs.zero[0]) text.pop_back();
  std::size_t point = text.find(signs.decimal);
  text = filled(p.least_integer, point, signs) + text;
  point = text.find(signs.decimal);
  text += filled(p.least_fraction, text.size() - point - 1, signs);
  if (p.regular_group > 0) {
    for (std::size_t at = point; at > p.regular_group; at -= p.regular_group)
      text.insert(at - p.regular_group, signs.grouping);
  } else {
    for (const std::size_t place : p.integer_groups) {
      if (place > point) continue;
      text.insert(point - place, signs.grouping);
      ++point;
    }
  }
  point = text.find(signs.decimal);
  for (const std::size_t place : p.fraction_groups)
    if (place + point + 1 <= text.size()) text.insert(place + point + 1, signs.grouping);
  point = text.find(signs.decimal);
  if (p.whole.find(signs.decimal) == none || point == text.size() - 1) text.pop_back();
  if (p.least_exponent > 0) {
    const Text digits = digits_of(exponent, 0, signs);
    text += signs.exponent + (exponent < 0 ? signs.minus : Text()) + filled(p.least_exponent, digits.size(), signs) +
            digits;
  }
  return text;
}

}  // namespace

double rounded(double value, double precision) {
  precision = std::trunc(precision);
  if (precision != 0) value = shifted(value, precision);
  double result = std::floor(value + 0.5);
  if (std::fabs(result - value) == 0.5 && std::fmod(std::fabs(result), 2) == 1) result -= 1;
  if (precision != 0) result = shifted(result, -precision);
  return result == 0 ? 0 : result;
}

std::string format_with_picture(double value, std::string_view text, const Item& options) {
  const Signs signs(options);
  const Text whole = wide(text);
  std::vector<Picture> pictures;
  for (std::size_t at = 0;;) {
    const std::size_t end = whole.find(signs.separator, at);
    if (pictures.size() == 2) refuse("D3080", "has more than two parts");
    pictures.push_back({});
    pictures.back().whole = whole.substr(at, end == none ? none : end - at);
    if (end == none) break;
    at = end + signs.separator.size();
  }
  for (Picture& picture : pictures) {
    picture = take_apart(picture.whole, signs);
    validate(picture, signs);
    analyse(picture, signs);
  }
  if (pictures.size() == 1) {
    pictures.push_back(pictures[0]);
    pictures[1].prefix = signs.minus + pictures[1].prefix;
  }
  const Picture& picture = value >= 0 ? pictures[0] : pictures[1];
  return narrow(picture.prefix + number_in(value, picture, signs) + picture.suffix);
}

}  // namespace fixpoint::jsonata
