#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fixpoint::patterns {

/// A JSON number by its exact value: sign * 0.DIGITS * 10^exponent, without leading or trailing zero digits. `-0`,
/// `0.0` and `0e7` are all zero. No digit is ever dropped, so that 9007199254740993 and 9007199254740992 differ.
struct Decimal {
  int sign = 0;               ///< -1, 0, 1
  std::int64_t exponent = 0;  ///< beyond +-10^17 it stays there
  std::uint64_t head = 0;     ///< the first 19 digits, filled up with zeros on the right
  std::string tail;           ///< the digits after the 19th

  bool operator==(const Decimal&) const = default;
};

/// A number as RFC 8259 section 6 writes it; false where `text` is anything else.
bool parse_decimal(std::string_view text, Decimal& result);

/// Negative, zero or positive as `a` is less than, equal to or greater than `b`.
int compare(const Decimal& a, const Decimal& b);

std::uint64_t hash_of(const Decimal& number);

}  // namespace fixpoint::patterns
