#include "functions/relay.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
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

using Time = std::chrono::steady_clock::time_point;

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
  Time used;
  std::size_t way = 0;

  // What the other end has closed, or what waits for its next use.
  bool is_idle() const {
    return !connecting && back.waiting.empty() && (back.closed || (out.waiting.empty() && !asked));
  }

  // From then on an idle one may make room for another.
  Time quiet_at(std::chrono::milliseconds quiet_for) const { return back.closed ? Time::min() : used + quiet_for; }

  // A request or the rest of an answer is there, and its turn is next.
  bool has_come() const {
    if (back.closed) return false;
    std::array<pollfd, 2> came{{{out.ended ? -1 : inner.get(), POLLIN, 0}, {outer.get(), POLLIN, 0}}};
    return poll(came.data(), came.size(), 0) > 0;
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
      // A connection that found no descriptor stays in its listener, and would be told of without end.
      const bool starved = std::exchange(starved_, false);
      int pause_ms = starved ? starved_pause_ms : -1;
      const Time now = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < ways_.size(); ++i) {
        const Time at = room_at(i);
        fds.push_back(asked_for(ways_[i].listener.get(), !starved && at <= now ? POLLIN : 0));
        if (now < at && at != Time::max()) pause_ms = sooner(pause_ms, at - now);
      }
      for (const Connection& one : connections_) {
        const auto [inner, outer] = interest(one);
        // Who leaves before the other side is there takes his connection along.
        fds.push_back(one.connecting ? pollfd{one.inner.get(), 0, 0} : asked_for(one.inner.get(), inner));
        fds.push_back(asked_for(one.outer.get(), outer));
      }
      ++rounds_;
      if (poll(fds.data(), fds.size(), pause_ms) < 0 && errno != EINTR) return;
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

  // The one of two times to wait that is over first, of which the first may be without end: -1.
  static int sooner(int pause_ms, Time::duration other) {
    const auto other_ms = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(other).count());
    return pause_ms < 0 ? other_ms : std::min(pause_ms, other_ms);
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
      one.used = std::chrono::steady_clock::now();
    }
    if ((inner | outer) == 0) return true;
    if (!one.out.move() || !one.back.move()) return false;
    if (one.out.moved || one.back.moved) one.used = std::chrono::steady_clock::now();
    if (one.back.moved)
      one.asked = false;
    else if (one.out.moved)
      one.asked = true;
    return !(one.out.closed && one.back.closed);
  }

  // When this way can take one more, as far as can be told now.
  Time room_at(std::size_t way) {
    if (open_[way] < ways_[way].connections) return Time::min();
    const auto idle = longest_idle(way);
    return idle == connections_.end() ? Time::max() : idle->quiet_at(ways_[way].quiet_for);
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

  // False where the way stays full.
  bool make_room(std::size_t way) {
    if (open_[way] < ways_[way].connections) return true;
    const auto idle = longest_idle(way);
    if (idle == connections_.end() || std::chrono::steady_clock::now() < idle->quiet_at(ways_[way].quiet_for) ||
        idle->has_come())
      return false;
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
    made.used = std::chrono::steady_clock::now();
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
