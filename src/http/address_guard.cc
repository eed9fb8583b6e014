#include "http/address_guard.h"

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <curl/curl.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace fixpoint::http {
namespace {

struct Block {
  std::uint32_t address;
  int bits;
};
constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr std::array special{
    Block{ip(0, 0, 0, 0), 8},      Block{ip(10, 0, 0, 0), 8},     Block{ip(100, 64, 0, 0), 10},
    Block{ip(127, 0, 0, 0), 8},    Block{ip(169, 254, 0, 0), 16}, Block{ip(172, 16, 0, 0), 12},
    Block{ip(192, 0, 0, 0), 24},   Block{ip(192, 0, 2, 0), 24},   Block{ip(192, 88, 99, 0), 24},
    Block{ip(192, 168, 0, 0), 16}, Block{ip(198, 18, 0, 0), 15},  Block{ip(198, 51, 100, 0), 24},
    Block{ip(203, 0, 113, 0), 24}, Block{ip(224, 0, 0, 0), 4},    Block{ip(240, 0, 0, 0), 4},
};

bool is_public_v4(std::uint32_t address) {
  for (const Block& block : special)
    if ((address ^ block.address) >> (32 - block.bits) == 0) return false;
  return true;
}

std::uint32_t number(const unsigned char* bytes) {
  return ip(bytes[0], bytes[1], bytes[2], bytes[3]);
}

// Global unicast is 2000::/3; within it lie addresses that lead on to an IPv4 address, and some that lead nowhere.
bool is_public_v6(const unsigned char* bytes) {
  static constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr unsigned char translated[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};  // RFC 6052
  if (std::memcmp(bytes, mapped, 12) == 0 || std::memcmp(bytes, translated, 12) == 0)
    return is_public_v4(number(bytes + 12));
  if (bytes[0] >> 5 != 1) return false;
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_public_v4(number(bytes + 2));  // 6to4
  if (bytes[0] == 0x20 && bytes[1] == 0x01) {
    if (bytes[2] <= 0x01) return false;                      // 2001::/23: Teredo, ORCHID, benchmarks
    if (bytes[2] == 0x0d && bytes[3] == 0xb8) return false;  // documentation
  }
  return true;
}

std::string written(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  else if (address.sa_family == AF_INET6)
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  return text;
}

}  // namespace

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return is_public_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  if (address.sa_family == AF_INET6)
    return is_public_v6(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr);
  return false;
}

bool is_public(std::string_view address) {
  const std::string text(address);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) return is_public(reinterpret_cast<const sockaddr&>(v4));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) return is_public(reinterpret_cast<const sockaddr&>(v6));
  return false;
}

// The URL is read by curl, as it will be when it is sent to: two readers of a URL are one too many.
std::optional<std::string> why_not_public(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  char* raw = nullptr;
  if (curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parts.get(), CURLUPART_HOST, &raw, 0) != CURLUE_OK || raw == nullptr)
    return "it is no URL that can be sent to";
  std::string host(raw);
  curl_free(raw);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    if (!is_public(*one->ai_addr)) return "its host is " + written(*one->ai_addr) + ", which is no public address";
  return std::nullopt;
}

}  // namespace fixpoint::http
