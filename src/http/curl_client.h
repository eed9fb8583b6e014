#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/http_message.h"

namespace fixpoint::http {

struct CurlClientOptions {
  std::string proxy;                  ///< URL of a proxy for all requests; empty: see use_environment_proxy
  bool use_environment_proxy = true;  ///< http_proxy, https_proxy and no_proxy, as curl reads them
  std::string ca_file;                ///< PEM; empty: the system's
  /// Connects to public addresses only (address_guard.h), whatever a name means by the time of the connection; a
  /// request for another one ends with a ConnectionError that is not retryable. No proxy is used then: it would connect
  /// instead.
  bool public_addresses_only = false;
  int default_timeout_ms = 60'000;  ///< for a request that names none (timeout_ms <= 0)
  int connect_timeout_ms = 10'000;  ///< part of the request's own timeout, whichever is shorter
  int idle_connection_ms = 20'000;  ///< an idle connection older than this is not used again
  std::size_t response_limit_bytes = 64 * 1024 * 1024;
  std::size_t connections_per_host = 64;  ///< more requests at once wait for one of these
};

/// HTTP and HTTPS with libcurl, on one thread of its own. Connections, names and TLS sessions are shared by all
/// requests. Headers are sent as they are (only the name Host always in this spelling), and none are added but Host and
/// Content-Length; the target is sent byte for byte; redirects are answers like others. HTTP/1.1. A request that
/// changes something (not GET or HEAD) is never sent twice: where a kept connection turns out to be dead after bytes
/// were sent, that is an error for the caller to judge.
///
/// Errors, besides those of HttpClient: `ValidationException` (a URL, target or header that cannot be sent; nothing
/// was), `RequestEntityTooLarge` (the response is beyond response_limit_bytes). `where` of a RequestTimeout or
/// ConnectionError is "before sending" where no byte of the request was written, else "after sending". A certificate
/// that does not verify is a ConnectionError that is not retryable.
class CurlClient final : public HttpClient {
 public:
  using Callback = std::function<void(Result<HttpResponse>)>;

  explicit CurlClient(CurlClientOptions options = {});
  ~CurlClient() override;  ///< stops

  Result<HttpResponse> send(const std::string& base_url, const HttpRequest& request, int timeout_ms) override;
  /// Returns at once; `callback` is called exactly once: on the client's thread, where it must not block nor call
  /// send(), but may call send_async(); or before this returns, where nothing can be sent (a bad request, a client
  /// stopped).
  void send_async(std::string base_url, HttpRequest request, int timeout_ms, Callback callback);
  /// Requests under way end with ConnectionError (not retryable); later ones too. Again: does nothing. Not from a
  /// callback.
  void stop();
  /// The same in `ms` milliseconds, which those under way and those that come have to end in. Returns at once.
  void stop_in(int ms);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace fixpoint::http
