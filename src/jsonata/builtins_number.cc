#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/number_picture.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

bool digits_at(std::string_view text, std::size_t& at) {
  const std::size_t start = at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at > start;
}

// -?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?
bool is_decimal(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  if (!digits_at(text, at)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits_at(text, at)) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (!digits_at(text, at)) return false;
  }
  return at == text.size();
}

// 0x1f, 0o17, 0b11
std::optional<double> prefixed(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return {};
  int base = 0;
  if (text[1] == 'x' || text[1] == 'X') base = 16;
  if (text[1] == 'o' || text[1] == 'O') base = 8;
  if (text[1] == 'b' || text[1] == 'B') base = 2;
  if (base == 0) return {};
  double value = 0;
  for (const char c : text.substr(2)) {
    int digit = 0;
    const auto [end, error] = std::from_chars(&c, &c + 1, digit, base);
    if (error != std::errc()) return {};
    value = value * base + digit;
  }
  return value;
}

Item number(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined() || a[0].is_number()) return a[0];
  if (a[0].tag == Tag::Bool) return Item::of(std::int64_t{a[0].boolean ? 1 : 0});
  if (a[0].is_string()) {
    const std::string_view text = a[0].string();
    if (is_decimal(text)) {
      if (const auto integer = to_int64(text)) return Item::of(*integer);
      const double value = std::strtod(std::string(text).c_str(), nullptr);
      if (std::isfinite(value)) return Item::of(value);
    } else if (const auto value = prefixed(text)) {
      return Item::of(*value);
    }
    throw Failure{"D3030", "\"" + std::string(text.substr(0, 100)) + "\" is no number", Failure::nowhere, "number"};
  }
  throw Failure{"D3030", "only a number, a boolean or a string can become a number", Failure::nowhere, "number"};
}

Item absolute(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  if (a[0].tag == Tag::Int && a[0].integer != INT64_MIN) return Item::of(std::abs(a[0].integer));
  return Item::of(std::fabs(a[0].as_double()));
}

Item floor(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined() || a[0].tag == Tag::Int) return a[0];
  return Item::of(std::floor(a[0].as_double()));
}

Item ceil(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined() || a[0].tag == Tag::Int) return a[0];
  return Item::of(std::ceil(a[0].as_double()));
}

Item round(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  const double precision = a[1].is_number() ? a[1].as_double() : 0;
  if (a[0].tag == Tag::Int && precision >= 0) return a[0];
  return Item::of(rounded(a[0].as_double(), precision));
}

Item square_root(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  if (a[0].as_double() < 0)
    throw Failure{"D3060", "a negative number (" + number_text(a[0].as_double()) + ") has no square root",
                  Failure::nowhere, "sqrt"};
  return Item::of(std::sqrt(a[0].as_double()));
}

Item power(Evaluator&, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  const double exponent = a[1].is_number() ? a[1].as_double() : NAN;
  const double result = std::pow(a[0].as_double(), exponent);
  if (!std::isfinite(result))
    throw Failure{"D3061",
                  number_text(a[0].as_double()) + " to the power of " + number_text(exponent) +
                      " is no number that JSON can hold",
                  Failure::nowhere, "power"};
  return Item::of(result);
}

Item format_number(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  return e.string(format_with_picture(a[0].as_double(), a[1].is_string() ? a[1].string() : std::string_view(), a[2]));
}

Item format_base(Evaluator& e, const Arguments& a) {
  if (a[0].is_undefined()) return {};
  double value = rounded(a[0].as_double(), 0);
  const double radix = a[1].is_number() ? rounded(a[1].as_double(), 0) : 10;
  if (!(radix >= 2 && radix <= 36))
    throw Failure{"D3100", "the base must lie between 2 and 36, not be " + number_text(radix), Failure::nowhere,
                  "formatBase"};
  if (radix == 10 || !std::isfinite(value)) return e.string(number_text(value));
  const bool negative = value < 0;
  value = std::fabs(value);
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[static_cast<int>(std::fmod(value, radix))]);
    value = std::floor(value / radix);
  } while (value >= 1);
  return e.string((negative ? "-" : "") + digits);
}

constexpr Builtin table[] = {
    {"number", "<(nsb)-:n>", 1, number},
    {"abs", "<n-:n>", 1, absolute},
    {"floor", "<n-:n>", 1, floor},
    {"ceil", "<n-:n>", 1, ceil},
    {"round", "<n-n?:n>", 2, round},
    {"sqrt", "<n-:n>", 1, square_root},
    {"power", "<n-n:n>", 2, power},
    {"formatNumber", "<n-so?:s>", 3, format_number},
    {"formatBase", "<n-n?:s>", 2, format_base},
};

}  // namespace

std::span<const Builtin> number_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
