#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace fixpoint::patterns {

/// One step of the hash: a multiplication folded onto itself. Hostile values can meet the same slot, never a wrong
/// answer: whatever a hash finds is compared in full afterwards.
inline std::uint64_t mix(std::uint64_t h) {
  const unsigned __int128 product = static_cast<unsigned __int128>(h ^ 0x9E3779B97F4A7C15ULL) * 0xD6E8FEB86659FD93ULL;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t load8(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

/// The `count` < 8 bytes at `p`, without touching a byte more.
inline std::uint64_t load_part(const char* p, std::size_t count) {
  if (count >= 4) {
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + count - 4, 4);
    return first | static_cast<std::uint64_t>(last) << ((count - 4) * 8);
  }
  if (count == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<unsigned char>(p[0])) |
         static_cast<std::uint64_t>(static_cast<unsigned char>(p[count / 2])) << (count / 2 * 8) |
         static_cast<std::uint64_t>(static_cast<unsigned char>(p[count - 1])) << ((count - 1) * 8);
}

inline std::uint64_t hash_end(std::uint64_t chain, std::uint64_t part, std::size_t length) {
  return mix(chain ^ part) + length * 0xA24BAED4963EE407ULL;
}

/// Eight bytes a step from the front; the chain at each step gives the hashes of all prefixes cheaply.
inline std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t chain = 0;
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) chain = mix(chain ^ load8(p));
  return hash_end(chain, load_part(p, left), bytes.size());
}

/// The same from the back, for suffixes.
inline std::uint64_t hash_bytes_backward(std::string_view bytes) {
  std::uint64_t chain = 0;
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8) chain = mix(chain ^ load8(bytes.data() + left - 8));
  return hash_end(chain, load_part(bytes.data(), left), bytes.size());
}

}  // namespace fixpoint::patterns
