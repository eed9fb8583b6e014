#include "load.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fixpoint::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds grace{2};
constexpr std::chrono::seconds patience{30};
constexpr long longest_wait_ns = 50'000'000;
constexpr std::size_t kept_answer_bytes = 2000;

std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2);
    if (line.size() <= name.size() || line[name.size()] != ':' ||
        ::strncasecmp(line.data(), name.data(), name.size()) != 0)
      continue;
    auto value = line.substr(name.size() + 1);
    value = value.substr(0, value.find("\r\n"));
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
  return {};
}

/// The length of the answer that `bytes` begin with, 0 where it is not whole yet.
struct Answer {
  std::size_t bytes = 0;
  int status = 0;
  bool closes = false;
};

std::optional<std::size_t> end_of_chunks(std::string_view bytes, std::size_t at) {
  for (;;) {
    const auto line_end = bytes.find("\r\n", at);
    if (line_end == std::string_view::npos) return {};
    const auto size = std::strtoull(bytes.data() + at, nullptr, 16);
    if (size == 0) {
      const auto end = bytes.find("\r\n\r\n", line_end);
      return end == std::string_view::npos ? std::nullopt : std::optional(end + 4);
    }
    at = line_end + 2 + size + 2;
    if (at > bytes.size()) return {};
  }
}

Answer read_answer(std::string_view bytes, bool to_head) {
  Answer answer;
  std::size_t begin = 0;
  for (;;) {
    const auto head_end = bytes.find("\r\n\r\n", begin);
    if (head_end == std::string_view::npos) return {};
    const auto head = bytes.substr(begin, head_end + 2 - begin);
    answer.status = head.size() > 12 ? std::atoi(head.data() + 9) : 0;
    if (answer.status >= 100 && answer.status < 200) {
      begin = head_end + 4;
      continue;
    }
    const auto connection = header(head, "Connection");
    answer.closes = connection && connection->substr(0, 5) == "close";
    std::size_t end = head_end + 4;
    if (!to_head && answer.status != 204 && answer.status != 304) {
      if (const auto length = header(head, "Content-Length")) {
        end += std::strtoull(std::string(*length).c_str(), nullptr, 10);
      } else if (header(head, "Transfer-Encoding")) {
        const auto chunks_end = end_of_chunks(bytes, end);
        if (!chunks_end) return {};
        end = *chunks_end;
      }
    }
    if (end > bytes.size()) return {};
    answer.bytes = end;
    return answer;
  }
}

class Load {
 public:
  Load(const std::vector<std::string>& requests, unsigned connections)
      : requests_(requests), connections_(connections) {
    latencies_us_.reserve(1 << 20);
  }
  ~Load() {
    for (const auto& connection : connections_)
      if (connection.socket >= 0) ::close(connection.socket);
    if (epoll_ >= 0) ::close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult run(const std::string& address, std::uint16_t port, double seconds) {
    if (auto why = prepare(address, port)) return failed(*why);
    const auto start = Clock::now();
    stop_ = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (auto& connection : connections_)
      if (!open(connection)) return failed("Nobody answers at " + address + ": " + std::strerror(errno));
    epoll_event events[256];
    auto now = Clock::now();
    while (under_way_ > 0 && now < stop_ + grace) {
      const int ready = ::epoll_wait(epoll_, events, 256, 50);
      now = Clock::now();
      for (int i = 0; i < ready; ++i) serve(*static_cast<Connection*>(events[i].data.ptr), events[i].events, now);
    }
    result_.seconds = std::chrono::duration<double>(std::min(now, std::max(stop_, last_answer_)) - start).count();
    return finish();
  }

  LoadResult run_paced(const std::string& address, std::uint16_t port, double rate, double* began_ms) {
    rate_ = rate;
    if (auto why = prepare(address, port)) return failed(*why);
    for (auto& connection : connections_)
      if (!open(connection)) return failed("Nobody answers at " + address + ": " + std::strerror(errno));
    start_ = Clock::now();
    if (began_ms != nullptr)
      *began_ms =
          std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
    stop_ = due(requests_.size());
    epoll_event events[256];
    auto now = start_;
    while ((next_ < requests_.size() || under_way_ > 0) && now < stop_ + patience) {
      timespec wait{0, longest_wait_ns};
      if (next_ < requests_.size() && !idle_.empty())
        wait.tv_nsec = std::clamp<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(due(next_) - now).count(),
                                        0, longest_wait_ns);
      const int ready = ::epoll_pwait2(epoll_, events, 256, &wait, nullptr);
      now = Clock::now();
      for (int i = 0; i < ready; ++i) serve(*static_cast<Connection*>(events[i].data.ptr), events[i].events, now);
      while (next_ < requests_.size() && !idle_.empty() && due(next_) <= now) {
        Connection& free = *idle_.back();
        idle_.pop_back();
        begin_next(free, due(next_));
      }
    }
    result_.broken += requests_.size() - next_;
    result_.seconds = std::chrono::duration<double>(last_answer_ - start_).count();
    return finish();
  }

 private:
  struct Connection {
    int socket = -1;
    const std::string* request = nullptr;  // under way
    std::size_t sent = 0;
    std::string heard;
    Clock::time_point began;
    bool waits_to_write = false;
  };

  std::optional<std::string> prepare(const std::string& address, std::uint16_t port) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(port);
    if (inet_pton(AF_INET, address.c_str(), &to_.sin_addr) != 1) return "'" + address + "' is no IPv4 address.";
    if (requests_.empty() || connections_.empty()) return "There is nothing to send, or no connection for it.";
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    return {};
  }

  Clock::time_point due(std::size_t n) const {
    return start_ +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(n) / rate_));
  }

  LoadResult failed(std::string why) {
    result_.error = std::move(why);
    return result_;
  }

  bool open(Connection& connection) {
    connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection.socket < 0 || ::connect(connection.socket, reinterpret_cast<sockaddr*>(&to_), sizeof to_) != 0)
      return false;
    const int on = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection.heard.clear();
    connection.waits_to_write = false;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
    go_on(connection, Clock::now());
    return true;
  }

  /// A connection that has nothing under way.
  void go_on(Connection& connection, Clock::time_point now) {
    if (rate_ > 0)
      idle_.push_back(&connection);
    else if (now < stop_)
      begin_next(connection, now);
  }

  /// After a break: the connection is opened again for as long as there is time.
  void reopen(Connection& connection, Clock::time_point now) {
    ::close(connection.socket);
    connection.socket = -1;
    if (connection.request != nullptr) {
      connection.request = nullptr;
      --under_way_;
    }
    if ((rate_ > 0 || now < stop_) && !open(connection)) ++result_.broken;
  }

  void begin_next(Connection& connection, Clock::time_point began) {
    connection.request = &requests_[next_++];
    if (rate_ == 0 && next_ == requests_.size()) next_ = 0;
    connection.sent = 0;
    connection.began = began;
    ++under_way_;
    send(connection);
  }

  void send(Connection& connection) {
    const std::string& request = *connection.request;
    while (connection.sent < request.size()) {
      const auto put = ::send(connection.socket, request.data() + connection.sent, request.size() - connection.sent,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put <= 0) break;  // full, or broken: then reading says so
      connection.sent += static_cast<std::size_t>(put);
    }
    const bool waits = connection.sent < request.size();
    if (waits == connection.waits_to_write) return;
    connection.waits_to_write = waits;
    epoll_event event{};
    event.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
  }

  void serve(Connection& connection, std::uint32_t what, Clock::time_point now) {
    if ((what & EPOLLOUT) != 0 && connection.request != nullptr) send(connection);
    if ((what & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
    const auto got = ::recv(connection.socket, buffer_, sizeof buffer_, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      if (connection.request != nullptr) ++result_.broken;
      reopen(connection, now);
      return;
    }
    // The usual answer comes in one piece and is never copied.
    std::string_view bytes(buffer_, static_cast<std::size_t>(got));
    if (!connection.heard.empty()) {
      connection.heard.append(bytes);
      bytes = connection.heard;
    }
    if (connection.request == nullptr) return;  // the server speaks out of turn: what it says is let be
    const Answer answer = read_answer(bytes, connection.request->starts_with("HEAD "));
    if (answer.bytes == 0) {
      if (connection.heard.empty()) connection.heard = bytes;
      return;
    }
    ++result_.requests;
    if (answer.status < 200 || answer.status > 299) {
      if (result_.non_2xx++ == 0) result_.first_non_2xx = bytes.substr(0, std::min(answer.bytes, kept_answer_bytes));
    }
    latencies_us_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now - connection.began).count()));
    last_answer_ = now;
    connection.heard.clear();
    connection.request = nullptr;
    --under_way_;
    if (answer.closes)
      reopen(connection, now);
    else
      go_on(connection, now);
  }

  LoadResult finish() {
    result_.broken += under_way_;
    if (result_.seconds > 0) result_.requests_per_second = static_cast<double>(result_.requests) / result_.seconds;
    if (latencies_us_.empty()) return result_;
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const auto at = [&](double share) {
      return latencies_us_[static_cast<std::size_t>(share * static_cast<double>(latencies_us_.size() - 1))] / 1000.0;
    };
    result_.p50_ms = at(0.5);
    result_.p90_ms = at(0.9);
    result_.p99_ms = at(0.99);
    result_.max_ms = at(1);
    return result_;
  }

  const std::vector<std::string>& requests_;
  std::vector<Connection> connections_;
  sockaddr_in to_{};
  int epoll_ = -1;
  std::size_t next_ = 0;
  double rate_ = 0;  // 0: one after another
  std::vector<Connection*> idle_;
  std::uint64_t under_way_ = 0;
  Clock::time_point start_;
  Clock::time_point stop_;
  Clock::time_point last_answer_;
  std::vector<std::uint32_t> latencies_us_;
  LoadResult result_;
  char buffer_[64 * 1024];
};

}  // namespace

LoadResult run_load(const std::string& address, std::uint16_t port, const std::vector<std::string>& requests,
                    unsigned connections, double seconds) {
  return Load(requests, connections).run(address, port, seconds);
}

LoadResult run_paced(const std::string& address, std::uint16_t port, const std::vector<std::string>& requests,
                     unsigned connections, double rate, double* began_ms) {
  return Load(requests, connections).run_paced(address, port, rate, began_ms);
}

std::string describe(const LoadResult& result) {
  if (!result.error.empty()) return result.error;
  char text[256];
  std::snprintf(text, sizeof text,
                "%.0f requests/s, p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms, %llu not 2xx, %llu broken",
                result.requests_per_second, result.p50_ms, result.p90_ms, result.p99_ms, result.max_ms,
                static_cast<unsigned long long>(result.non_2xx), static_cast<unsigned long long>(result.broken));
  return text;
}

}  // namespace fixpoint::bench
