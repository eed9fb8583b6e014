#pragma once

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace fixpoint::test {

/// A handler that holds a connection to this ear is heard when it ends.
class Ear {
 public:
  Ear() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<struct sockaddr*>(&address), size) != 0 || listen(listener_, 1) != 0)
      std::abort();
    getsockname(listener_, reinterpret_cast<struct sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Ear() {
    close(connection_);
    close(listener_);
  }
  Ear(const Ear&) = delete;
  Ear& operator=(const Ear&) = delete;

  std::string port() const { return std::to_string(port_); }
  /// To be the gateway's: where the network is cut off, a handler reaches nothing else.
  std::string url() const { return "http://127.0.0.1:" + port(); }
  bool hears_it_start() {
    char byte = 0;
    if (!readable(listener_)) return false;
    connection_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    return readable(connection_) && recv(connection_, &byte, 1, 0) == 1;
  }
  void let_it_go_on() const { (void)send(connection_, "y", 1, MSG_NOSIGNAL); }
  bool hears_it_end() const {
    char byte = 0;
    return readable(connection_) && recv(connection_, &byte, 1, 0) <= 0;
  }

 private:
  static bool readable(int fd) {
    struct pollfd wait = {fd, POLLIN, 0};
    return poll(&wait, 1, 30'000) == 1;
  }
  int listener_;
  int connection_ = -1;
  int port_ = 0;
};

/// The beginning of a module whose hold(port) connects to an ear and waits until it is let go.
inline const std::string hold_a_connection =
    "import os, socket\n"
    "def hold(port):\n"
    "    s = socket.create_connection(('127.0.0.1', port))\n"
    "    s.send(b'x')\n"
    "    s.recv(1)\n";

}  // namespace fixpoint::test
