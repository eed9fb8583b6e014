#include "patterns/address.h"

#include <algorithm>
#include <array>

namespace fixpoint::patterns {
namespace {

bool parse_v4(std::string_view text, Address& result) {
  if (text.size() > 15) return false;
  std::uint64_t value = 0;
  int groups = 0;
  std::size_t i = 0;
  while (true) {
    const std::size_t start = i;
    unsigned group = 0;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9' && i - start < 3)
      group = group * 10 + static_cast<unsigned>(text[i++] - '0');
    if (i == start || group > 255 || (i - start > 1 && text[start] == '0')) return false;
    value = value << 8 | group;
    ++groups;
    if (i == text.size()) break;
    if (text[i++] != '.' || groups == 4) return false;
  }
  if (groups != 4) return false;
  result = {false, 0, value};
  return true;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_v6(std::string_view text, Address& result) {
  if (text.size() < 2 || text.size() > 39) return false;
  std::array<std::uint16_t, 8> groups{};
  std::size_t count = 0;
  std::size_t gap = 9;  // how many groups stand before the "::"
  std::size_t i = 0;
  if (text[0] == ':') {
    if (text[1] != ':') return false;
    gap = 0;
    i = 2;
  }
  while (i < text.size()) {
    if (count == 8) return false;
    unsigned value = 0;
    const std::size_t start = i;
    for (; i < text.size() && i - start < 4 && hex_value(text[i]) >= 0; ++i)
      value = value << 4 | static_cast<unsigned>(hex_value(text[i]));
    if (i == start) return false;
    groups[count++] = static_cast<std::uint16_t>(value);
    if (i == text.size()) break;
    if (text[i] != ':') return false;
    if (++i == text.size()) return false;
    if (text[i] == ':') {
      if (gap != 9) return false;
      gap = count;
      ++i;
    }
  }
  if (gap == 9 ? count != 8 : count == 8) return false;
  if (gap != 9) {
    const auto from = static_cast<std::ptrdiff_t>(gap);
    std::rotate(groups.begin() + from, groups.begin() + static_cast<std::ptrdiff_t>(count), groups.end());
  }
  result = {true, 0, 0};
  for (std::size_t g = 0; g < 4; ++g) {
    result.high = result.high << 16 | groups[g];
    result.low = result.low << 16 | groups[g + 4];
  }
  return true;
}

}  // namespace

bool parse_address(std::string_view text, Address& result) {
  if (text.size() < 2) return false;
  if (text.find(':') != std::string_view::npos) return parse_v6(text, result);
  return parse_v4(text, result);
}

Address masked(Address address, unsigned bits) {
  if (!address.v6) {
    address.low &= bits == 0 ? 0 : 0xFFFFFFFFULL << (32 - bits) & 0xFFFFFFFFULL;
    return address;
  }
  if (bits < 64) {
    address.high &= bits == 0 ? 0 : ~0ULL << (64 - bits);
    address.low = 0;
  } else if (bits < 128) {
    address.low &= bits == 64 ? 0 : ~0ULL << (128 - bits);
  }
  return address;
}

bool parse_cidr(std::string_view text, Cidr& result, std::string& reason) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size() ||
      text.find('/', slash + 1) != std::string_view::npos) {
    reason = "Malformed CIDR, one '/' required";
    return false;
  }
  std::string_view mask = text.substr(slash + 1);
  const bool minus = mask[0] == '-';
  if (minus || mask[0] == '+') mask.remove_prefix(1);
  unsigned bits = 0;
  bool integer = !mask.empty();
  for (const char c : mask) {
    integer = integer && c >= '0' && c <= '9';
    bits = std::min(bits * 10 + static_cast<unsigned>(c - '0'), 1000U);
  }
  if (!integer) {
    reason = "Malformed CIDR, mask bits must be an integer";
    return false;
  }
  if (minus && bits != 0) {
    reason = "Malformed CIDR, mask bits must not be negative";
    return false;
  }
  const std::string_view address = text.substr(0, slash);
  if (!parse_address(address, result.base)) {
    reason = "Nonstandard IP address: " + std::string(address);
    return false;
  }
  if (bits > (result.base.v6 ? 127U : 31U)) {
    reason = result.base.v6 ? "IPv6 mask bits must be < 128" : "IPv4 mask bits must be < 32";
    return false;
  }
  result.bits = static_cast<std::uint8_t>(bits);
  result.base = masked(result.base, bits);
  return true;
}

}  // namespace fixpoint::patterns
