#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace fixpoint {

/// Header lines in their order; names compare without regard to case, as RFC 9110 says.
class Headers {
 public:
  using Line = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Line> lines) : lines_(lines) {}

  void add(std::string name, std::string value) { lines_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces every line of that name by one.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first line of that name, null where there is none. Valid until the next change.
  const std::string* find(std::string_view name) const;
  std::string_view get(std::string_view name) const;  ///< empty where there is none
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const std::vector<Line>& lines() const { return lines_; }
  auto begin() const { return lines_.begin(); }
  auto end() const { return lines_.end(); }

 private:
  std::vector<Line> lines_;
};

/// A request, whole and decoded from its transfer coding.
struct HttpRequest {
  std::string method;  ///< upper case
  std::string target;  ///< path and query exactly as sent: what a signature covers
  Headers headers;
  std::string body;
  std::string peer;  ///< the address that it came from, where it came from outside
  Headers trailers;  ///< field lines after a chunked body; never mixed with the headers (RFC 9110 section 6.5)

  std::string_view path() const;   ///< the target up to '?'
  std::string_view query() const;  ///< after the first '?', empty where there is none
};

struct HttpResponse {
  int status = 200;
  Headers headers;
  std::string body;
};

/// What sends a request somewhere. Implementations say how they share connections; all are thread-safe.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// `base_url` is scheme, host and port ("https://sts.us-east-1.amazonaws.com"). Blocks until the response is whole.
  /// Errors: `RequestTimeout` (retryable), `ConnectionError` (retryable; where says whether bytes had been sent).
  virtual Result<HttpResponse> send(const std::string& base_url, const HttpRequest& request, int timeout_ms) = 0;
};

}  // namespace fixpoint
