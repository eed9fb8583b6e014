#include "base/hash.h"

#include <array>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/text.h"

namespace fixpoint {
namespace {

// Fetched once: fetching by name for each digest halves the rate.
const EVP_MD* digest_named(const char* name) {
  return EVP_MD_fetch(nullptr, name, nullptr);
}

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  struct Context {
    EVP_MD_CTX* raw = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(raw); }
  };
  thread_local Context context;
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  EVP_DigestInit_ex2(context.raw, kind, nullptr);
  EVP_DigestUpdate(context.raw, bytes.data(), bytes.size());
  EVP_DigestFinal_ex(context.raw, out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

template <class Word>
constexpr std::array<Word, 256> reflected_table(Word polynomial) {
  std::array<Word, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    Word value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
    table[i] = value;
  }
  return table;
}

template <class Word>
Word reflected_crc(const std::array<Word, 256>& table, std::string_view bytes) {
  Word value = ~Word{0};
  for (const char c : bytes) value = table[(value ^ static_cast<unsigned char>(c)) & 255] ^ (value >> 8);
  return ~value;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  static const EVP_MD* const kind = digest_named("SHA256");
  return digest(kind, bytes);
}
std::string sha256_hex(std::string_view bytes) {
  return hex_encode(sha256(bytes));
}
std::string sha512(std::string_view bytes) {
  static const EVP_MD* const kind = digest_named("SHA512");
  return digest(kind, bytes);
}
std::string sha1(std::string_view bytes) {
  static const EVP_MD* const kind = digest_named("SHA1");
  return digest(kind, bytes);
}
std::string md5(std::string_view bytes) {
  static const EVP_MD* const kind = digest_named("MD5");
  return digest(kind, bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  // RFC 2104 over two digests: OpenSSL 3's own HMAC fetches its algorithm at every call, which costs more than hashing.
  std::array<char, 64> inner{};
  std::array<char, 64> outer{};
  const std::string hashed = key.size() > 64 ? sha256(key) : std::string(key);
  for (std::size_t i = 0; i < 64; ++i) {
    const char k = i < hashed.size() ? hashed[i] : '\0';
    inner[i] = static_cast<char>(k ^ 0x36);
    outer[i] = static_cast<char>(k ^ 0x5c);
  }
  std::string buffer(inner.data(), 64);
  buffer += bytes;
  std::string last(outer.data(), 64);
  last += sha256(buffer);
  return sha256(last);
}

std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = reflected_table<std::uint32_t>(0xEDB88320U);
  return reflected_crc(table, bytes);
}
std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = reflected_table<std::uint32_t>(0x82F63B78U);
  return reflected_crc(table, bytes);
}
std::uint64_t crc64nvme(std::string_view bytes) {
  static constexpr auto table = reflected_table<std::uint64_t>(0x9A6C9329AC4BC9B5ULL);
  return reflected_crc(table, bytes);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace fixpoint
