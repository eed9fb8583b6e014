#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fixpoint::patterns {

/// An IPv4 address lies in the low 32 bits of `low`. The two families never compare equal.
struct Address {
  bool v6 = false;
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const Address&) const = default;
};

/// A literal address: four decimal groups of at most 255 without leading zeros (what 010 means is read differently by
/// different software, so it is no address here), or RFC 4291 section 2.2 forms 1 and 2. Never a name look-up.
bool parse_address(std::string_view text, Address& result);

struct Cidr {
  Address base;  ///< bits beyond the mask are zero
  std::uint8_t bits = 0;

  bool operator==(const Cidr&) const = default;
};

/// "ADDRESS/BITS", with at most 31 bits for IPv4 and 127 for IPv6, as EventBridge has it. `reason` gets EventBridge's
/// words where the text is refused.
bool parse_cidr(std::string_view text, Cidr& result, std::string& reason);

/// The address with all bits beyond the first `bits` cleared.
Address masked(Address address, unsigned bits);

inline bool contains(const Cidr& cidr, const Address& address) {
  return cidr.base.v6 == address.v6 && masked(address, cidr.bits) == cidr.base;
}

}  // namespace fixpoint::patterns
