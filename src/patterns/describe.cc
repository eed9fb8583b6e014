#include "patterns/describe.h"

namespace fixpoint::patterns {
namespace {

constexpr std::size_t most_shown = 8;

std::string quoted(const std::string& text) {
  return "\"" + (text.size() > 100 ? text.substr(0, 100) + "..." : text) + "\"";
}

std::string number(const Decimal& value) {
  if (value.sign == 0) return "0";
  std::string digits = std::to_string(value.head) + value.tail;
  while (digits.back() == '0') digits.pop_back();
  std::string out = value.sign < 0 ? "-" : "";
  const auto size = static_cast<std::int64_t>(digits.size());
  if (value.exponent > 0 && value.exponent <= 21) {
    if (value.exponent >= size) return out + digits + std::string(static_cast<std::size_t>(value.exponent - size), '0');
    return out + digits.substr(0, static_cast<std::size_t>(value.exponent)) + "." +
           digits.substr(static_cast<std::size_t>(value.exponent));
  }
  if (value.exponent <= 0 && value.exponent > -6)
    return out + "0." + std::string(static_cast<std::size_t>(-value.exponent), '0') + digits;
  return out + digits.substr(0, 1) + (size > 1 ? "." + digits.substr(1) : "") + "e" +
         std::to_string(value.exponent - 1);
}

std::string address(const Address& address) {
  std::string out;
  if (!address.v6) {
    for (int shift = 24; shift >= 0; shift -= 8)
      out += (out.empty() ? "" : ".") + std::to_string(address.low >> shift & 0xFF);
    return out;
  }
  static constexpr const char* hex = "0123456789abcdef";
  for (int g = 0; g < 8; ++g) {
    const std::uint64_t group = (g < 4 ? address.high : address.low) >> (48 - 16 * (g % 4)) & 0xFFFF;
    if (g > 0) out += ':';
    bool any = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = static_cast<unsigned>(group >> shift & 0xF);
      any = any || digit != 0 || shift == 0;
      if (any) out += hex[digit];
    }
  }
  return out;
}

std::string list(const std::vector<Test>& tests, const char* word);

std::string one(const Test& test) {
  switch (test.kind) {
    case Kind::Null: return "null";
    case Kind::True: return "true";
    case Kind::False: return "false";
    case Kind::Number: return number(test.number);
    case Kind::Text: return quoted(test.text);
    case Kind::Prefix: return "a text that begins with " + quoted(test.text);
    case Kind::Suffix: return "a text that ends with " + quoted(test.text);
    case Kind::EqualsIgnoreCase: return quoted(test.text) + " in any case";
    case Kind::PrefixIgnoreCase: return "a text that begins with " + quoted(test.text) + " in any case";
    case Kind::SuffixIgnoreCase: return "a text that ends with " + quoted(test.text) + " in any case";
    case Kind::Wildcard: {
      std::string shown;
      for (std::size_t i = 0; i < test.pieces.size(); ++i) shown += (i > 0 ? "*" : "") + test.pieces[i];
      return "a text like " + quoted(shown);
    }
    case Kind::Cidr: return "an address in " + address(test.cidr.base) + "/" + std::to_string(test.cidr.bits);
    case Kind::Range: {
      std::string out = "a number";
      if ((test.bounds & has_bottom) != 0)
        out += ((test.bounds & bottom_open) != 0 ? " > " : " >= ") + number(test.number);
      if ((test.bounds & has_bottom) != 0 && (test.bounds & has_top) != 0) out += " and";
      if ((test.bounds & has_top) != 0) out += ((test.bounds & top_open) != 0 ? " < " : " <= ") + number(test.top);
      return out;
    }
    case Kind::AnythingBut: return "anything but " + list(test.but, " and ");
    case Kind::Exists: return "any value";
    case Kind::Absent: return "no value";
  }
  return {};
}

std::string list(const std::vector<Test>& tests, const char* word) {
  std::string out;
  for (std::size_t i = 0; i < tests.size() && i < most_shown; ++i) out += (i > 0 ? word : "") + one(tests[i]);
  if (tests.size() > most_shown) out += " and " + std::to_string(tests.size() - most_shown) + " more";
  return out;
}

}  // namespace

std::string describe(const std::vector<Test>& tests) {
  return list(tests, " or ");
}

}  // namespace fixpoint::patterns
