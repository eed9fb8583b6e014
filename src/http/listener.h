#pragma once

#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/loop.h"

namespace fixpoint::http {

/// A listening socket, closed when it goes.
class ListeningSocket {
 public:
  ListeningSocket() = default;
  ListeningSocket(int socket, std::string unix_path) : socket_(socket), unix_path_(std::move(unix_path)) {}
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) = delete;
  ~ListeningSocket();
  int release();       ///< the socket is the caller's from now on
  void remove_file();  ///< of a Unix socket
  std::uint16_t port() const;

 private:
  int socket_ = -1;
  std::string unix_path_;
};

/// Errors as Server::start says.
Result<ListeningSocket> listen_as(const ServerOptions& options);

/// Accepts on the first loop and deals the connections out to all of them in turn.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(ListeningSocket& socket, std::vector<std::unique_ptr<Loop>>& loops, Shared& shared);
  void start();  ///< before the loops run
  void close();  ///< returns when nothing is accepted any more; any thread but the loop's

 private:
  void await();
  void accept_some();
  void refuse(int socket) const;

  std::vector<std::unique_ptr<Loop>>& loops_;
  Shared& shared_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer pause_;
  std::size_t next_loop_ = 0;
};

}  // namespace fixpoint::http
