#include "base/id.h"

#include <cstdlib>
#include <openssl/rand.h>

#include "base/text.h"

namespace fixpoint {

std::string random_bytes(std::size_t bytes) {
  std::string out(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1) std::abort();
  return out;
}

std::string random_uuid() {
  std::string raw = random_bytes(16);
  raw[6] = static_cast<char>((raw[6] & 0x0F) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3F) | 0x80);
  const std::string hex = hex_encode(raw);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

std::string random_hex(std::size_t digits) {
  return hex_encode(random_bytes((digits + 1) / 2)).substr(0, digits);
}

std::string random_text(std::size_t length, std::string_view alphabet) {
  // Bytes past the last whole multiple of the alphabet's size are thrown away, or its first letters would be likelier.
  const unsigned limit = 256 - 256 % static_cast<unsigned>(alphabet.size());
  std::string out;
  while (out.size() < length) {
    for (const char c : random_bytes(length)) {
      const auto v = static_cast<unsigned char>(c);
      if (v < limit && out.size() < length) out += alphabet[v % alphabet.size()];
    }
  }
  return out;
}

}  // namespace fixpoint
