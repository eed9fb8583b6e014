#pragma once

#include <arpa/inet.h>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/http_message.h"
#include "base/text.h"

namespace fixpoint::http::test {

/// A blocking socket that says and hears bytes as they are. A read that hears nothing for 20 s, or a write of which
/// nothing is taken for as long, fails the test.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), heard_(std::move(other.heard_)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  static Socket to_port(std::uint16_t port, const char* address = "127.0.0.1") {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) ADD_FAILURE() << std::strerror(errno);
    return socket;
  }
  static Socket to_path(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
    Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) ADD_FAILURE() << std::strerror(errno);
    return socket;
  }

  /// False where the peer is gone.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "nothing was taken for 20 s";
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  void end_saying() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Closes with a reset instead of in good order.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  int fd() const { return fd_; }

  /// Up to and with `mark`; all there was where the peer closes first.
  std::string hear_until(std::string_view mark) {
    for (;;) {
      const auto at = heard_.find(mark);
      if (at != std::string::npos) return take(at + mark.size());
      if (!hear_more()) return take(heard_.size());
    }
  }
  std::string hear(std::size_t bytes) {
    while (heard_.size() < bytes)
      if (!hear_more()) break;
    return take(std::min(bytes, heard_.size()));
  }
  /// Until the peer closes.
  std::string hear_all() {
    while (hear_more()) {
    }
    return take(heard_.size());
  }
  bool is_closed_by_peer() { return heard_.empty() && !hear_more(); }

 private:
  bool hear_more() {
    char buffer[16 * 1024];
    const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "nothing was heard for 20 s";
    if (got <= 0) return false;
    heard_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t bytes) {
    std::string taken = heard_.substr(0, bytes);
    heard_.erase(0, bytes);
    return taken;
  }

  int fd_;
  std::string heard_;
};

/// Reads one response with a Content-Length, chunks, or neither; `head` is its header section as it came.
struct Heard {
  int status = 0;
  std::string head;
  Headers headers;
  std::string body;
};

inline Heard hear_response(Socket& socket, bool without_body = false) {
  Heard heard;
  heard.head = socket.hear_until("\r\n\r\n");
  if (heard.head.size() < 12) return heard;
  heard.status = std::atoi(heard.head.c_str() + 9);
  std::string_view rest(heard.head);
  rest.remove_prefix(rest.find("\r\n") + 2);
  while (rest.size() > 2) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) break;
    heard.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
    rest.remove_prefix(line.size() + 2);
  }
  if (without_body || heard.status == 204 || heard.status == 304 || heard.status < 200) return heard;
  if (heard.headers.get("Transfer-Encoding") == "chunked") {
    for (;;) {
      const auto size = std::strtoul(socket.hear_until("\r\n").c_str(), nullptr, 16);
      heard.body += socket.hear(size);
      if (socket.hear(2) != "\r\n" || size == 0) return heard;
    }
  }
  heard.body = socket.hear(static_cast<std::size_t>(to_int64(heard.headers.get("Content-Length")).value_or(0)));
  return heard;
}

/// A port of loopback at which nobody listens, for as long as it is there.
class DeafPort {
 public:
  DeafPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof at;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &bytes) != 0)
      ADD_FAILURE() << std::strerror(errno);
    port_ = ntohs(at.sin_port);
  }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;
  ~DeafPort() { ::close(fd_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

/// A listening socket of a test, whose every connection is handed to `serve` on one thread, one after another.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(Socket&, int)> serve)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &bytes) != 0)
      ADD_FAILURE() << std::strerror(errno);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (int number = 0;; ++number) {
        const int fd = ::accept(listener_, nullptr, nullptr);
        if (fd < 0) return;
        Socket socket(fd);
        serve(socket, number);
      }
    });
  }
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace fixpoint::http::test
