#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fixpoint::bench {

struct LoadResult {
  double seconds = 0;          ///< that it took in fact
  std::uint64_t requests = 0;  ///< answered
  double requests_per_second = 0;
  std::uint64_t non_2xx = 0;  ///< of those
  std::uint64_t broken = 0;   ///< connections that broke off while an answer was due
  double p50_ms = 0;          ///< from the first byte sent, or from when it was due, to the last byte received
  double p90_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
  std::string first_non_2xx;  ///< the first such answer as it came (its first 2000 bytes); empty where there was none
  std::string error;          ///< why there was no load at all: nobody to connect to, no requests
};

/// Sends `requests`, each a whole HTTP/1.1 request as bytes, to `address` (an IPv4 address) over `connections` kept
/// connections for `seconds`, from the calling thread alone. Each connection has one request under way; the requests
/// are taken in turn, over and over. A connection that the server closes is opened again. Ends at the latest 2 s after
/// the time is over, when the server does not answer any more.
LoadResult run_load(const std::string& address, std::uint16_t port, const std::vector<std::string>& requests,
                    unsigned connections, double seconds);

/// Sends every request once, the n-th at n / `rate` seconds, whether those before it are answered or not: by a
/// connection that is free, or by the first that becomes so. Its time counts from when it was due, so a server that
/// falls behind shows it. Ends when all are answered, at the latest 30 s after the last was due. `began_ms`, where
/// given, gets the Unix time at which the first was due.
LoadResult run_paced(const std::string& address, std::uint16_t port, const std::vector<std::string>& requests,
                     unsigned connections, double rate, double* began_ms = nullptr);

/// "20000 requests/s, p50 1.00 ms, p90 ..., p99 ..., max ..., 0 not 2xx, 0 broken", or the error.
std::string describe(const LoadResult& result);

}  // namespace fixpoint::bench
