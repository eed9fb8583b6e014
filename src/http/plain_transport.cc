#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/transport.h"

namespace fixpoint::http {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int socket) : socket_(socket) {}

  Io read(std::span<char> into) override {
    for (;;) {
      const auto got = ::recv(socket_, into.data(), into.size(), 0);
      if (got > 0) return {Io::Outcome::done, static_cast<std::size_t>(got)};
      if (got == 0) return {Io::Outcome::ended, 0};
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {Io::Outcome::wants_read, 0};
      return {Io::Outcome::broken, 0};
    }
  }

  Io write(std::string_view first, std::string_view second) override {
    iovec parts[2];
    msghdr message{};
    message.msg_iov = parts;
    for (const auto part : {first, second})
      if (!part.empty()) parts[message.msg_iovlen++] = {const_cast<char*>(part.data()), part.size()};
    for (;;) {
      const auto put = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
      if (put >= 0) return {Io::Outcome::done, static_cast<std::size_t>(put)};
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {Io::Outcome::wants_write, 0};
      return {Io::Outcome::broken, 0};
    }
  }

  bool may_hold_bytes(const Io& last_read, std::size_t asked) const override { return last_read.bytes == asked; }

  void end_writing() override { ::shutdown(socket_, SHUT_WR); }

 private:
  const int socket_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(int socket) {
  return std::make_unique<PlainTransport>(socket);
}

}  // namespace fixpoint::http
