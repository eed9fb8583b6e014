#include "functions/relay.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
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
  bool moved = false;   // something, the last time

  short wants_to_read() const { return !ended && waiting.size() < buffer_bytes ? POLLIN : 0; }
  short wants_to_write() const { return waiting.empty() ? 0 : POLLOUT; }

  // False where the connection is broken.
  bool move() {
    std::array<char, buffer_bytes> buffer;
    moved = false;
    if (!ended && waiting.size() < buffer_bytes) {
      const ssize_t got = recv(from, buffer.data(), buffer.size() - waiting.size(), MSG_DONTWAIT);
      if (got > 0) {
        waiting.append(buffer.data(), static_cast<std::size_t>(got));
        moved = true;
      } else if (got == 0) {
        ended = true;
      } else if (errno != EAGAIN && errno != EINTR) {
        return false;
      }
    }
    if (!waiting.empty()) {
      const ssize_t put = send(to, waiting.data(), waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put > 0) {
        waiting.erase(0, static_cast<std::size_t>(put));
        moved = true;
      } else if (put < 0 && errno != EAGAIN && errno != EINTR) {
        return false;
      }
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
  bool asked = false;  // what moved last went out: an answer is due
  std::uint64_t used = 0;
  std::size_t way = 0;

  // What the other end has closed, or what waits for its next use.
  bool is_idle() const {
    return !connecting && back.waiting.empty() && (back.closed || (out.waiting.empty() && !asked));
  }
};

// Poll tells of a broken socket whatever it is asked for. Where there is nothing to do with a socket now, that would be
// told again at once and without end; what is written to it later finds out.
pollfd asked_for(int fd, short events) {
  return {events == 0 ? -1 : fd, events, 0};
}

class PollRelay final : public Relay {
 public:
  PollRelay(std::vector<Way> ways, std::vector<Address> addresses, Fd wake)
      : ways_(std::move(ways)), addresses_(std::move(addresses)), wake_(std::move(wake)), thread_([this] { run(); }) {}
  ~PollRelay() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof(one));
    thread_.join();
  }
  std::uint64_t rounds() const override { return rounds_; }

 private:
  void run() {
    while (true) {
      std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
      for (std::size_t i = 0; i < ways_.size(); ++i) {
        const bool room = !starved_ && (open_[i] < ways_[i].connections || longest_idle(i) != connections_.end());
        fds.push_back(asked_for(ways_[i].listener.get(), room ? POLLIN : 0));
      }
      for (const Connection& one : connections_) {
        const auto [inner, outer] = interest(one);
        // Who leaves before the other side is there takes his connection along.
        fds.push_back(one.connecting ? pollfd{one.inner.get(), 0, 0} : asked_for(one.inner.get(), inner));
        fds.push_back(asked_for(one.outer.get(), outer));
      }
      // A connection that found no descriptor stays in its listener, and would be told of without end.
      const bool starved = std::exchange(starved_, false);
      ++rounds_;
      if (poll(fds.data(), fds.size(), starved ? starved_pause_ms : -1) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0) return;
      std::size_t at = 1 + ways_.size();
      for (auto one = connections_.begin(); one != connections_.end(); at += 2) {
        const bool stays = serve(*one, fds[at].revents, fds[at + 1].revents);
        one = stays ? std::next(one) : drop(one);
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

  bool serve(Connection& one, short inner, short outer) {
    if (one.connecting) {
      if (outer == 0) return (inner & (POLLERR | POLLHUP | POLLNVAL)) == 0;
      int code = 0;
      socklen_t size = sizeof(code);
      if (getsockopt(one.outer.get(), SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code != 0) return false;
      one.connecting = false;
    }
    if ((inner | outer) == 0) return true;
    if (!one.out.move() || !one.back.move()) return false;
    if (one.out.moved || one.back.moved) one.used = rounds_;
    if (one.back.moved)
      one.asked = false;
    else if (one.out.moved)
      one.asked = true;
    return !(one.out.closed && one.back.closed);
  }

  // Of this way; the end where none is idle. What the other end has closed goes first.
  std::list<Connection>::iterator longest_idle(std::size_t way) {
    auto out = connections_.end();
    for (auto one = connections_.begin(); one != connections_.end(); ++one) {
      if (one->way != way || !one->is_idle()) continue;
      if (out == connections_.end() ||
          std::pair(!one->back.closed, one->used) < std::pair(!out->back.closed, out->used))
        out = one;
    }
    return out;
  }

  std::list<Connection>::iterator drop(std::list<Connection>::iterator one) {
    --open_[one->way];
    return connections_.erase(one);
  }

  // False where the way stays full. A connection on which a request has just come is in use, and its turn is next.
  bool make_room(std::size_t way) {
    if (open_[way] < ways_[way].connections) return true;
    const auto idle = longest_idle(way);
    if (idle == connections_.end()) return false;
    pollfd came{idle->inner.get(), POLLIN, 0};
    if (!idle->back.closed && !idle->out.ended && poll(&came, 1, 0) > 0) return false;
    drop(idle);
    return true;
  }

  void accept_from(std::size_t way) {
    if (!make_room(way)) return;
    // Before the connection is taken: without a way on it would be lost.
    const Address& to = addresses_[way];
    Fd outer(socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!outer) starved_ = is_lack(errno);
    if (!outer) return;
    Fd inner(accept4(ways_[way].listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!inner) starved_ = errno != EAGAIN && is_lack(errno);
    if (!inner) return;
    if (connect(outer.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 && errno != EINPROGRESS)
      return;
    Connection made;
    made.out = {.from = inner.get(), .to = outer.get(), .waiting = {}};
    made.back = {.from = outer.get(), .to = inner.get(), .waiting = {}};
    made.inner = std::move(inner);
    made.outer = std::move(outer);
    made.way = way;
    made.used = rounds_;
    ++open_[way];
    connections_.push_back(std::move(made));
  }

  std::vector<Way> ways_;
  std::vector<Address> addresses_;
  Fd wake_;
  bool starved_ = false;
  std::atomic<std::uint64_t> rounds_ = 0;
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
