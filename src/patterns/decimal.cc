#include "patterns/decimal.h"

#include <algorithm>

#include "patterns/hash.h"

namespace fixpoint::patterns {
namespace {

constexpr std::int64_t exponent_limit = 100'000'000'000'000'000;
constexpr int head_digits = 19;

bool digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool parse_decimal(std::string_view text, Decimal& result) {
  result.sign = 0;
  result.exponent = 0;
  result.head = 0;
  result.tail.clear();
  const char* p = text.data();
  const char* const end = p + text.size();
  bool negative = false;
  if (p != end && *p == '-') {
    negative = true;
    ++p;
  }
  if (p == end || !digit(*p)) return false;
  if (*p == '0' && end - p > 1 && digit(p[1])) return false;
  int taken = 0;                  // significant digits so far
  std::int64_t before_point = 0;  // of them and the zeros between, how many stand before the point
  std::int64_t zeros_after_point = 0;
  bool point = false;
  std::size_t pending_zeros = 0;  // zeros that count only where another digit follows
  for (; p != end; ++p) {
    if (*p == '.') {
      if (point || end - p < 2 || !digit(p[1])) return false;
      point = true;
      continue;
    }
    if (!digit(*p)) break;
    const int value = *p - '0';
    if (taken == 0 && pending_zeros == 0 && value == 0) {
      if (point) ++zeros_after_point;
      continue;
    }
    if (!point) ++before_point;
    if (value == 0) {
      ++pending_zeros;
      continue;
    }
    const std::size_t run = pending_zeros;
    pending_zeros = 0;
    for (std::size_t i = 0; i <= run; ++i) {
      const int next = i < run ? 0 : value;
      if (taken < head_digits) {
        result.head = result.head * 10 + static_cast<std::uint64_t>(next);
        ++taken;
      } else {
        result.tail.push_back(static_cast<char>('0' + next));
      }
    }
  }
  std::int64_t exponent = 0;
  if (p != end) {
    if (*p != 'e' && *p != 'E') return false;
    ++p;
    bool exponent_negative = false;
    if (p != end && (*p == '+' || *p == '-')) exponent_negative = *p++ == '-';
    if (p == end) return false;
    for (; p != end; ++p) {
      if (!digit(*p)) return false;
      exponent = std::min(exponent * 10 + (*p - '0'), exponent_limit);
    }
    if (exponent_negative) exponent = -exponent;
  }
  if (taken == 0) return true;
  result.sign = negative ? -1 : 1;
  for (; taken < head_digits; ++taken) result.head *= 10;
  result.exponent =
      std::clamp(exponent + (before_point > 0 ? before_point : -zeros_after_point), -exponent_limit, exponent_limit);
  return true;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.sign != b.sign) return a.sign < b.sign ? -1 : 1;
  if (a.sign == 0) return 0;
  int magnitude = 0;
  if (a.exponent != b.exponent)
    magnitude = a.exponent < b.exponent ? -1 : 1;
  else if (a.head != b.head)
    magnitude = a.head < b.head ? -1 : 1;
  else
    magnitude = a.tail.compare(b.tail);
  return a.sign < 0 ? -magnitude : magnitude;
}

std::uint64_t hash_of(const Decimal& number) {
  std::uint64_t h = mix(number.head ^ (static_cast<std::uint64_t>(number.exponent) << 2) ^
                        static_cast<std::uint64_t>(number.sign + 1));
  if (!number.tail.empty()) h = mix(h ^ hash_bytes(number.tail));
  return h;
}

}  // namespace fixpoint::patterns
