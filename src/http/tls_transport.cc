#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "http/transport.h"

namespace fixpoint::http {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

std::string openssl_says() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

/// Reads and writes the socket through OpenSSL's own socket BIO. That one writes without MSG_NOSIGNAL: the I/O threads
/// block SIGPIPE, so a peer that is gone is an error there and no signal.
class TlsTransport final : public Transport {
 public:
  TlsTransport(std::unique_ptr<SSL, FreeSsl> ssl, int socket) : ssl_(std::move(ssl)), socket_(socket) {}

  Io read(std::span<char> into) override {
    ERR_clear_error();
    std::size_t got = 0;
    if (SSL_read_ex(ssl_.get(), into.data(), into.size(), &got) == 1) return {Io::Outcome::done, got};
    return outcome_of(0);
  }

  Io write(std::string_view first, std::string_view second) override {
    std::size_t total = 0;
    for (const auto part : {first, second}) {
      std::size_t at = 0;
      while (at < part.size()) {
        ERR_clear_error();
        std::size_t put = 0;
        if (SSL_write_ex(ssl_.get(), part.data() + at, part.size() - at, &put) != 1) {
          const Io io = outcome_of(0);
          return total > 0 && io.outcome != Io::Outcome::broken ? Io{Io::Outcome::done, total} : io;
        }
        at += put;
        total += put;
      }
    }
    return {Io::Outcome::done, total};
  }

  // A record may be decrypted already, or lie behind the one that was read.
  bool may_hold_bytes(const Io&, std::size_t) const override { return true; }

  void end_writing() override {
    if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());
      ERR_clear_error();
    }
    ::shutdown(socket_, SHUT_WR);
  }

 private:
  Io outcome_of(int returned) {
    switch (SSL_get_error(ssl_.get(), returned)) {
      case SSL_ERROR_WANT_READ: return {Io::Outcome::wants_read, 0};
      case SSL_ERROR_WANT_WRITE: return {Io::Outcome::wants_write, 0};
      case SSL_ERROR_ZERO_RETURN: return {Io::Outcome::ended, 0};
      default:
        // OpenSSL wants no SSL_shutdown after a fatal error.
        broken_ = true;
        return {Io::Outcome::broken, 0};
    }
  }

  std::unique_ptr<SSL, FreeSsl> ssl_;
  const int socket_;
  bool broken_ = false;
};

int choose_http_11(SSL*, const unsigned char** out, unsigned char* out_bytes, const unsigned char* in,
                   unsigned in_bytes, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_bytes, ours, sizeof ours, in, in_bytes) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(std::unique_ptr<SSL_CTX, FreeSsl> context) : context_(std::move(context)) {}

  std::unique_ptr<Transport> make_transport(int socket) const override {
    std::unique_ptr<SSL, FreeSsl> ssl(SSL_new(context_.get()));
    if (!ssl || SSL_set_fd(ssl.get(), socket) != 1) return nullptr;
    SSL_set_accept_state(ssl.get());
    return std::make_unique<TlsTransport>(std::move(ssl), socket);
  }

 private:
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
};

}  // namespace

Result<std::unique_ptr<TlsContext>> load_tls_context(const std::string& certificate_file, const std::string& key_file) {
  std::unique_ptr<SSL_CTX, FreeSsl> context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(errors::internal("OpenSSL makes no context: " + openssl_says()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A key that needs a passphrase must not make OpenSSL ask for it on the terminal.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http_11, nullptr);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1)
    return fail(errors::validation("The TLS certificate file '" + certificate_file + "' cannot be used: " +
                                       openssl_says() + ". It must be a PEM file with the chain.",
                                   "tls_certificate_file"));
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail(errors::validation("The TLS key file '" + key_file + "' cannot be used: " + openssl_says() +
                                       ". It must be a PEM file with the key of the certificate.",
                                   "tls_key_file"));
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return fail(errors::validation("The TLS key in '" + key_file + "' does not belong to the certificate in '" +
                                       certificate_file + "': " + openssl_says() + ".",
                                   "tls_key_file"));
  return std::make_unique<OpenSslContext>(std::move(context));
}

}  // namespace fixpoint::http
