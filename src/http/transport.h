#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fixpoint::http {

/// What a read or write on a non-blocking transport came to.
struct Io {
  enum class Outcome { done, wants_read, wants_write, ended, broken };
  Outcome outcome = Outcome::done;
  std::size_t bytes = 0;  ///< moved, where done
};

/// Bytes to and from a connected non-blocking socket; never waits, owns no event loop. One thread.
class Transport {
 public:
  virtual ~Transport() = default;
  /// `ended`: the peer has closed its side in good order.
  virtual Io read(std::span<char> into) = 0;
  /// Writes from `first`, then from `second`; either may be empty. `bytes` counts both together.
  virtual Io write(std::string_view first, std::string_view second) = 0;
  /// True where another read may give bytes although the socket will not become readable.
  virtual bool may_hold_bytes(const Io& last_read, std::size_t asked) const = 0;
  /// Tells the peer that no more is coming.
  virtual void end_writing() = 0;
};

/// The socket stays the caller's.
std::unique_ptr<Transport> make_plain_transport(int socket);

/// Certificate and key, shared by all TLS connections. Thread-safe.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  /// Server side; the handshake goes on inside read and write. The socket stays the caller's. Null where OpenSSL has no
  /// memory left.
  virtual std::unique_ptr<Transport> make_transport(int socket) const = 0;
};

/// Error: `ValidationException` naming the file.
Result<std::unique_ptr<TlsContext>> load_tls_context(const std::string& certificate_file, const std::string& key_file);

}  // namespace fixpoint::http
