#include "http/listener.h"

#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace fixpoint::http {
namespace {

constexpr int backlog = 1024;
constexpr int accepts_in_a_row = 64;
constexpr std::chrono::milliseconds pause_without_descriptors{50};

std::string system_says(int number) {
  return std::strerror(number);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Address> ip_address(const std::string& text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.bytes = sizeof *v4;
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.bytes = sizeof *v6;
    return address;
  }
  return fail(errors::validation(
      "'" + text + "' is no address to listen on: it must be an IP address such as 127.0.0.1, 0.0.0.0 or ::1.",
      "address"));
}

Result<Address> unix_address(const std::string& path) {
  Address address;
  auto* unix_part = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof unix_part->sun_path)
    return fail(errors::validation("The path of the Unix socket has " + std::to_string(path.size()) +
                                       " bytes; the system takes " + std::to_string(sizeof unix_part->sun_path - 1) +
                                       " at most.",
                                   "unix_path"));
  unix_part->sun_family = AF_UNIX;
  std::memcpy(unix_part->sun_path, path.data(), path.size());
  address.bytes = sizeof *unix_part;
  return address;
}

/// A socket's file that nobody listens on any more (its owner was killed) is taken away; anything else stays.
Result<void> remove_stale_socket(const std::string& path, const Address& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode))
    return fail(errors::validation("'" + path + "' is there already and is no socket.", "unix_path"));
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool alive = probe >= 0 && ::connect(probe, address.get(), address.bytes) == 0;
  const int reason = errno;
  if (probe >= 0) ::close(probe);
  if (alive || reason != ECONNREFUSED)
    return fail(errors::unavailable("Another process listens on the Unix socket '" + path + "'.", "unix_path"));
  ::unlink(path.c_str());
  return {};
}

std::string peer_of(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(from).sin_addr, text, sizeof text);
  } else if (from.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address))
      inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
    else
      inet_ntop(AF_INET6, &address, text, sizeof text);
  } else {
    return "unix";
  }
  return text;
}

}  // namespace

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), unix_path_(std::exchange(other.unix_path_, {})) {}

ListeningSocket::~ListeningSocket() {
  if (socket_ >= 0) ::close(socket_);
  remove_file();
}

void ListeningSocket::remove_file() {
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
  unix_path_.clear();
}

int ListeningSocket::release() {
  return std::exchange(socket_, -1);
}

std::uint16_t ListeningSocket::port() const {
  sockaddr_storage bound{};
  socklen_t bytes = sizeof bound;
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&bound), &bytes) != 0) return 0;
  if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return 0;
}

Result<ListeningSocket> listen_as(const ServerOptions& options) {
  const bool on_unix = !options.unix_path.empty();
  FIXPOINT_TRY(address, on_unix ? unix_address(options.unix_path) : ip_address(options.address, options.port));
  const std::string place = on_unix ? "the Unix socket '" + options.unix_path + "'"
                                    : options.address + " port " + std::to_string(options.port);
  if (on_unix) FIXPOINT_CHECK(remove_stale_socket(options.unix_path, address));
  const int made = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made < 0)
    return fail(errors::unavailable("There is no socket to listen on " + place + ": " + system_says(errno)));
  ListeningSocket socket(made, {});
  if (on_unix) {
    // On Linux the file takes its mode from the socket: there is no moment in which others could connect.
    ::fchmod(made, 0600);
  } else {
    const int on = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (::bind(made, address.get(), address.bytes) != 0 || ::listen(made, backlog) != 0) {
    const int reason = errno;
    if (reason == EADDRINUSE || reason == EACCES)
      return fail(errors::unavailable("Cannot listen on " + place + ": " + system_says(reason) + "."));
    return fail(errors::validation("Cannot listen on " + place + ": " + system_says(reason) + ".",
                                   on_unix ? "unix_path" : "address"));
  }
  return ListeningSocket(socket.release(), options.unix_path);
}

Acceptor::Acceptor(ListeningSocket& socket, std::vector<std::unique_ptr<Loop>>& loops, Shared& shared)
    : loops_(loops),
      shared_(shared),
      descriptor_(loops.front()->context(), socket.release()),
      pause_(loops.front()->context()) {}

void Acceptor::start() {
  await();
}

void Acceptor::close() {
  std::promise<void> closed;
  boost::asio::post(descriptor_.get_executor(), [&] {
    boost::system::error_code ignored;
    ignored = descriptor_.close(ignored);
    pause_.cancel();
    closed.set_value();
  });
  closed.get_future().wait();
}

void Acceptor::await() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           if (!error) self->accept_some();
                         });
}

void Acceptor::accept_some() {
  for (int accepted = 0; accepted < accepts_in_a_row; ++accepted) {
    sockaddr_storage from{};
    socklen_t bytes = sizeof from;
    const int socket = ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&from), &bytes,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // The socket stays readable: without a pause this would be a busy loop until a descriptor is free.
        shared_.fault("No connection can be accepted for the moment: " + system_says(errno));
        pause_.expires_after(pause_without_descriptors);
        pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
          if (!error) self->await();
        });
        return;
      }
      continue;  // this one connection has gone already
    }
    if (shared_.open.fetch_add(1) >= shared_.options.connection_limit) {
      refuse(socket);
      shared_.one_closed();
      continue;
    }
    if (from.ss_family != AF_UNIX) {
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Loop& loop = *loops_[next_loop_];
    next_loop_ = (next_loop_ + 1) % loops_.size();
    loop.adopt(socket, peer_of(from));
  }
  await();
}

void Acceptor::refuse(int socket) const {
  // Under TLS the peer could not read it: it is closed on without a word.
  if (!shared_.tls) {
    static constexpr std::string_view answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
        "Connection: close\r\nContent-Length: 47\r\n\r\nThe server holds as many connections as it may.";
    if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) ::shutdown(socket, SHUT_WR);
  }
  ::close(socket);
}

}  // namespace fixpoint::http
