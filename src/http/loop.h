#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/body_budget.h"
#include "http/response_writer.h"
#include "http/server.h"
#include "http/transport.h"

namespace fixpoint::http {

class Connection;
class Loop;

/// What all loops and connections of one server share.
struct Shared {
  ServerOptions options;
  Handler handler;
  std::unique_ptr<TlsContext> tls;  // null: plain
  std::shared_ptr<BodyBudget> bodies;
  std::shared_ptr<BodyBudget> answers;
  std::atomic<std::size_t> open{0};
  std::mutex mutex;
  std::condition_variable all_closed;

  void fault(std::string_view sentence) const {
    if (options.on_fault) options.on_fault(sentence);
  }
  void one_closed();
};

/// Something that a Responder says to its connection from any thread.
struct Mail {
  enum class Kind { answer, abandon, begin, piece, end, cut };
  std::shared_ptr<Connection> connection;
  std::uint64_t ticket = 0;
  Kind kind = Kind::answer;
  HttpResponse response;
};

/// The way into a loop that may be gone already: Responders outlive servers. Thread-safe.
class Mailbox {
 public:
  explicit Mailbox(Loop& loop) : loop_(&loop) {}
  void put(Mail mail);  ///< forgotten where the loop is gone
  std::vector<Mail> take();
  void close();
  /// Is this the loop's own thread.
  bool is_here() const { return current == this; }
  void enter() const { current = this; }

 private:
  static thread_local const Mailbox* current;
  std::mutex mutex_;
  Loop* loop_;  // null when closed
  std::vector<Mail> mails_;
};

/// One I/O thread and its connections.
class Loop {
 public:
  explicit Loop(Shared& shared);
  ~Loop();  ///< finishes
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start(unsigned number);
  /// Takes over a connected non-blocking socket that `shared.open` counts already. Any thread.
  void adopt(int socket, std::string peer);
  /// Closes what is idle, and every other connection after its answer. Any thread.
  void wind_down();
  /// Closes everything and ends the thread. Again: does nothing.
  void finish();

  // Below: on the loop's thread.
  void deliver_mails();
  void forget(const Connection* connection);
  std::string_view date();
  bool is_winding_down() const { return winding_down_; }

  boost::asio::io_context& context() { return context_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  Shared& shared() { return shared_; }

 private:
  void run(unsigned number);

  Shared& shared_;
  std::shared_ptr<Mailbox> mailbox_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unordered_map<const Connection*, std::shared_ptr<Connection>> connections_;
  DateLine date_;
  bool winding_down_ = false;
  std::thread thread_;
};

}  // namespace fixpoint::http
