#include "functions/relay.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace fixpoint::functions {
namespace {

constexpr std::size_t buffer_bytes = 64UL * 1024;
constexpr int starved_pause_ms = 50;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<Address> address_of(const std::string& text, std::uint16_t port) {
  Address out;
  auto* four = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    out.size = sizeof(*four);
  } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    out.size = sizeof(*six);
  } else {
    return fail(errors::validation("'" + text + "' is no IPv4 or IPv6 address"));
  }
  return out;
}

/// One direction of a connection: what was read and not written yet.
struct Flow {
  int from = -1;
  int to = -1;
  std::string waiting;
  bool ended = false;   // `from` has no more
  bool closed = false;  // and `to` was told so

  short wants_to_read() const { return !ended && waiting.size() < buffer_bytes ? POLLIN : 0; }
  short wants_to_write() const { return waiting.empty() ? 0 : POLLOUT; }

  // False where the connection is broken.
  bool move() {
    std::array<char, buffer_bytes> buffer;
    if (!ended && waiting.size() < buffer_bytes) {
      const ssize_t got = recv(from, buffer.data(), buffer.size() - waiting.size(), MSG_DONTWAIT);
      if (got > 0)
        waiting.append(buffer.data(), static_cast<std::size_t>(got));
      else if (got == 0)
        ended = true;
      else if (errno != EAGAIN && errno != EINTR)
        return false;
    }
    if (!waiting.empty()) {
      const ssize_t put = send(to, waiting.data(), waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put > 0)
        waiting.erase(0, static_cast<std::size_t>(put));
      else if (put < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    }
    if (ended && waiting.empty() && !closed) {
      closed = true;
      shutdown(to, SHUT_WR);
    }
    return true;
  }
};

struct Connection {
  Fd inner;
  Fd outer;
  Flow out;
  Flow back;
  bool connecting = true;
  std::size_t way = 0;
};

class PollRelay final : public Relay {
 public:
  PollRelay(std::vector<Way> ways, std::vector<Address> addresses, Fd wake)
      : ways_(std::move(ways)), addresses_(std::move(addresses)), wake_(std::move(wake)), thread_([this] { run(); }) {}
  ~PollRelay() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof(one));
    thread_.join();
  }

 private:
  void run() {
    while (true) {
      std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
      for (std::size_t i = 0; i < ways_.size(); ++i) {
        const bool full = starved_ || open_[i] >= ways_[i].connections;
        fds.push_back({ways_[i].listener.get(), static_cast<short>(full ? 0 : POLLIN), 0});
      }
      for (const Connection& one : connections_) {
        const auto [inner, outer] = interest(one);
        fds.push_back({one.inner.get(), inner, 0});
        fds.push_back({one.outer.get(), outer, 0});
      }
      // A connection that found no descriptor stays in its listener, and would be told of without end.
      const bool starved = std::exchange(starved_, false);
      if (poll(fds.data(), fds.size(), starved ? starved_pause_ms : -1) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0) return;
      std::size_t at = 1 + ways_.size();
      for (auto one = connections_.begin(); one != connections_.end(); at += 2) {
        const bool stays = serve(*one, fds[at].revents, fds[at + 1].revents);
        if (!stays) --open_[one->way];
        one = stays ? std::next(one) : connections_.erase(one);
      }
      for (std::size_t i = 0; i < ways_.size(); ++i)
        if ((fds[1 + i].revents & POLLIN) != 0) accept_from(i);
    }
  }

  static std::pair<short, short> interest(const Connection& one) {
    if (one.connecting) return {0, POLLOUT};
    return {static_cast<short>(one.out.wants_to_read() | one.back.wants_to_write()),
            static_cast<short>(one.back.wants_to_read() | one.out.wants_to_write())};
  }

  static bool serve(Connection& one, short inner, short outer) {
    if (one.connecting) {
      if (outer == 0) return (inner & (POLLERR | POLLHUP | POLLNVAL)) == 0;
      int code = 0;
      socklen_t size = sizeof(code);
      if (getsockopt(one.outer.get(), SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code != 0) return false;
      one.connecting = false;
    }
    if ((inner | outer) == 0) return true;
    if (!one.out.move() || !one.back.move()) return false;
    return !(one.out.closed && one.back.closed);
  }

  void accept_from(std::size_t way) {
    Fd inner(accept4(ways_[way].listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!inner) starved_ = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
    if (!inner) return;
    const Address& to = addresses_[way];
    Fd outer(socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!outer) return;
    if (connect(outer.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 && errno != EINPROGRESS)
      return;
    Connection made;
    made.out = {.from = inner.get(), .to = outer.get(), .waiting = {}};
    made.back = {.from = outer.get(), .to = inner.get(), .waiting = {}};
    made.inner = std::move(inner);
    made.outer = std::move(outer);
    made.way = way;
    ++open_[way];
    connections_.push_back(std::move(made));
  }

  std::vector<Way> ways_;
  std::vector<Address> addresses_;
  Fd wake_;
  bool starved_ = false;
  std::list<Connection> connections_;
  std::vector<std::size_t> open_ = std::vector<std::size_t>(ways_.size());  // of each way
  std::thread thread_;                                                      // last: it uses the others
};

}  // namespace

Result<std::unique_ptr<Relay>> Relay::start(std::vector<Way> ways) {
  std::vector<Address> addresses;
  for (const Way& way : ways) {
    FIXPOINT_TRY(address, address_of(way.address, way.port));
    addresses.push_back(address);
  }
  Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail(refused_by_system("A relay cannot start", errno));
  try {
    return std::make_unique<PollRelay>(std::move(ways), std::move(addresses), std::move(wake));
  } catch (const std::system_error& problem) {
    return fail(refused_by_system("A relay cannot start", problem.code().value()));
  }
}

}  // namespace fixpoint::functions
