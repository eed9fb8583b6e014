// The request reader on any bytes, cut anywhere. What it makes of them must not depend on the cuts, its memory must
// stay within its limits, and it must not fall. The first bytes of the input seed the cuts.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/reading.h"
#include "http/request_reader.h"

namespace {

constexpr std::size_t header_limit = 512;
constexpr std::size_t body_limit = 2048;

using fixpoint::http::RequestReader;
using fixpoint::http::test::Reading;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void compare(const Reading& a, const Reading& b) {
  require(a.requests.size() == b.requests.size(), "the same number of requests however the bytes are cut");
  for (std::size_t i = 0; i < a.requests.size(); ++i) {
    const auto& x = a.requests[i];
    const auto& y = b.requests[i];
    require(x.method == y.method && x.target == y.target && x.body == y.body, "the same requests");
    require(x.headers.lines() == y.headers.lines() && x.trailers.lines() == y.trailers.lines(), "the same headers");
    require(a.keep_alive[i] == b.keep_alive[i], "the same will to keep the connection");
    require(x.body.size() <= body_limit, "bodies within the limit");
    require(x.target.starts_with('/') || x.target == "*", "origin-form targets");
    int hosts = 0;
    for (const auto& [name, value] : x.headers) {
      require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "no line ends in values");
      hosts += name.size() == 4 && (name[0] | 0x20) == 'h' && (name[1] | 0x20) == 'o' && (name[2] | 0x20) == 's' &&
               (name[3] | 0x20) == 't';
    }
    require(hosts <= 1, "one Host at most");
  }
  require((a.refusal.status != 0) == (b.refusal.status != 0), "refused or not, however the bytes are cut");
  require(a.refusal.status == 0 || (a.refusal.status >= 400 && a.refusal.status <= 505), "a status of an error");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  std::uint32_t seed = static_cast<std::uint32_t>(data[0] | data[1] << 8 | data[2] << 16 | data[3] << 24) | 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 4, size - 4);
  RequestReader in_one(header_limit, body_limit);
  RequestReader by_one(header_limit, body_limit);
  RequestReader at_random(header_limit, body_limit);
  const Reading whole = fixpoint::http::test::read_in_pieces(in_one, bytes, [&] { return bytes.size(); });
  compare(whole, fixpoint::http::test::read_in_pieces(by_one, bytes, [] { return std::size_t{1}; }));
  compare(whole, fixpoint::http::test::read_in_pieces(at_random, bytes, [&] {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            return std::size_t{seed % 23};
          }));
  return 0;
}
