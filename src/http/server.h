#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/http_message.h"

namespace fixpoint::http {

/// What a Responder answers through: the server's connection, or a stand-in of a test. Thread-safe.
/// `ticket` names the request on its connection; an answer for a ticket that was answered already is ignored.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void send(std::uint64_t ticket, HttpResponse response) = 0;
  virtual bool reserve(std::uint64_t ticket, std::size_t bytes) = 0;
  /// Nobody will answer any more.
  virtual void abandon(std::uint64_t ticket) = 0;
  virtual void begin(std::uint64_t ticket, int status, Headers headers) = 0;
  virtual bool write(std::uint64_t ticket, std::string data) = 0;
  virtual void end(std::uint64_t ticket, bool whole) = 0;  ///< not whole: the connection is cut
  virtual bool cancelled(std::uint64_t ticket) const = 0;
};

/// A response body that is written piece by piece (server-sent events, long downloads). Move-only. One thread at a
/// time; any thread. It may outlive the server: writes then answer false.
class ResponseStream {
 public:
  ResponseStream() = default;
  ResponseStream(std::shared_ptr<Exchange> exchange, std::uint64_t ticket)
      : exchange_(std::move(exchange)), ticket_(ticket) {}
  ResponseStream(ResponseStream&& other) noexcept = default;
  ResponseStream& operator=(ResponseStream&& other) noexcept;
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;
  /// Dropped without close(): the connection is cut, so that the peer sees that the body is not whole.
  ~ResponseStream();

  /// Hands a piece to the connection and returns at once. False where nobody listens any more: the peer or the server
  /// has closed, or the peer reads so slowly that more than ServerOptions::stream_limit_bytes wait for it (the
  /// connection is cut then). An empty piece is allowed, and only asks.
  bool write(std::string_view data);
  /// Ends the body. The connection goes on with the next request.
  void close();
  /// False after close() and for a stream that was moved from.
  bool is_open() const { return exchange_ != nullptr; }

 private:
  std::shared_ptr<Exchange> exchange_;
  std::uint64_t ticket_ = 0;
};

/// The right, and the duty, to answer one request. Move-only; may be used from any thread, now or later, and may
/// outlive the server (the answer is then dropped). A Responder that is destroyed before it has answered answers 500.
class Responder {
 public:
  Responder() = default;
  Responder(std::shared_ptr<Exchange> exchange, std::uint64_t ticket)
      : exchange_(std::move(exchange)), ticket_(ticket) {}
  Responder(Responder&& other) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  /// Answers; the second and later answers are ignored. The server sets Content-Length, Date (where there is none) and
  /// Connection itself; the response's own Content-Length is kept only where there is no body to count (HEAD, 304).
  /// A header line with CR, LF or NUL, or a name that is no token, makes the answer a 500: a response is never split.
  void send(HttpResponse response);
  /// Takes room for an answer with a body of so many bytes before it is made (ServerOptions::answers_limit_bytes).
  /// False where there is none now; again with more: takes what is missing. Answers that nobody took room for take it
  /// when they are sent.
  bool reserve(std::size_t bytes);
  /// Answers with a body that comes later, in chunks (HTTP/1.0: until the connection closes).
  ResponseStream begin(int status, Headers headers);
  /// True once the peer has closed its side or the connection is gone. An answer is still sent where that is possible.
  bool cancelled() const;
  /// True until an answer was given.
  bool is_open() const { return exchange_ != nullptr; }

 private:
  std::shared_ptr<Exchange> exchange_;
  std::uint64_t ticket_ = 0;
};

/// Called once for every request, on an I/O thread: must not block for long, and need not answer before it returns.
/// Requests of one connection are handled one after another, so that answers keep their order. A handler that throws
/// answers 500 to that request alone. `request.peer` is the peer's IP address, "unix" on a Unix socket.
/// `request.target` is the origin-form target byte for byte; of an absolute-form target the path and query, and its
/// authority has replaced the Host header (RFC 9112 section 3.2.2).
using Handler = std::function<void(HttpRequest request, Responder respond)>;

struct ServerOptions {
  std::string address = "127.0.0.1";           ///< an IP address, v4 or v6; not a name
  std::uint16_t port = 0;                      ///< 0: the system picks one, see Server::port()
  std::string unix_path;                       ///< where set: a Unix socket with mode 0600 instead of address and port
  unsigned threads = 1;                        ///< I/O threads, each with its own connections
  std::size_t header_limit_bytes = 32 * 1024;  ///< request line and header lines; beyond: 414 or 431
  std::size_t body_limit_bytes = 64 * 1024 * 1024;  ///< beyond: 413
  /// What all bodies that are read or with the handler may take, but those up to BodyBudget::small_bytes; beyond: 503
  /// with Retry-After. Four of the largest kind.
  std::size_t bodies_limit_bytes = 256 * 1024 * 1024;
  /// What the bodies of all answers may take that are made or wait for their readers, but those up to
  /// BodyBudget::small_bytes; one that finds no room is answered 503 with Retry-After instead.
  std::size_t answers_limit_bytes = 256 * 1024 * 1024;
  std::size_t connection_limit = 4096;               ///< beyond: 503 and closed at once
  std::size_t stream_limit_bytes = 4 * 1024 * 1024;  ///< what may wait for a slow reader of a ResponseStream
  int idle_timeout_ms = 75'000;                      ///< between requests; beyond: closed
  int request_timeout_ms =
      30'000;                    ///< from a request's first byte to its last; beyond: 408. Also: a write's standstill
  int stop_timeout_ms = 10'000;  ///< how long stop() waits for answers that are still due
  std::string tls_certificate_file;  ///< PEM, the whole chain; with the key: the server speaks TLS 1.2 or newer
  std::string tls_key_file;          ///< PEM
  /// Gives an answer that is refused without the handler (413 for a body beyond body_limit_bytes, 503 beyond
  /// bodies_limit_bytes) the form that the request's client reads. `head` has no body; Connection: close is set
  /// afterwards. On an I/O thread; may be empty, and then the answers are plain text.
  std::function<HttpResponse(const HttpRequest& head, HttpResponse plain)> shape_refusal;
  /// Told of what went wrong inside: a handler's exception, a Responder dropped. On an I/O thread; may be empty.
  std::function<void(std::string_view sentence)> on_fault;
};

/// An HTTP/1.1 server (RFC 9110, 9112): keep-alive, pipelining, chunked requests, Expect: 100-continue. What is
/// ambiguous about where a request ends is refused with 400 and the connection closed.
class Server {
 public:
  /// Listens when it returns. Errors: `ValidationException` for an option that makes no sense (a bad address, one TLS
  /// file without the other, a certificate that cannot be read), `ServiceUnavailable` where the address is not to be
  /// had.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  /// Stops.
  virtual ~Server() = default;
  /// The port that it listens on; 0 on a Unix socket.
  virtual std::uint16_t port() const = 0;
  /// Connections that are open now, for metrics.
  virtual std::size_t connections() const = 0;
  /// Takes no new connections, closes idle ones, waits for the answers that are due (stop_timeout_ms at most; streams
  /// are cut), closes the rest. Returns when all threads have ended; again: does nothing. Not from a handler.
  virtual void stop() = 0;
};

}  // namespace fixpoint::http
