#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http/loop.h"
#include "http/request_reader.h"
#include "http/server.h"
#include "http/transport.h"

namespace fixpoint::http {

/// One connection: reads requests, hands them to the handler one after another, writes the answers. What is not of
/// Exchange belongs to the loop's thread.
class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, int socket, std::unique_ptr<Transport> transport, std::string peer);

  void start();
  void receive(Mail& mail);
  void wind_down();
  void close();

  void send(std::uint64_t ticket, HttpResponse response) override;
  bool reserve(std::uint64_t ticket, std::size_t bytes) override;
  void abandon(std::uint64_t ticket) override;
  void begin(std::uint64_t ticket, int status, Headers headers) override;
  bool write(std::uint64_t ticket, std::string data) override;
  void end(std::uint64_t ticket, bool whole) override;
  bool cancelled(std::uint64_t ticket) const override;

 private:
  using Executor = boost::asio::io_context::executor_type;
  using Clock = std::chrono::steady_clock;
  enum class Phase {
    reading,    // between requests, or within one
    handling,   // a request is with the handler
    streaming,  // its answer comes in pieces
    closing,    // what is written is the last
    lingering,  // the write side is closed; what still comes is thrown away, so that no reset overtakes the answer
    closed,
  };
  enum class Waiting { nothing, idle, request, write, linger };

  bool is_mine_now(std::uint64_t ticket) const;
  void advance();
  void advance_requests();
  void dispatch();
  void answer(HttpResponse response);
  void give_up_on_request();
  void begin_stream(int status, const Headers& headers);
  void stream_piece(std::string_view data);
  void end_stream(bool whole);
  void answered();
  void go_on();

  void read_some();
  void peer_closed();
  bool flush();
  bool has_output() const { return out_sent_ < out_.size() || tail_sent_ < tail_.size(); }
  void linger();
  void await_readable();
  void await_writable();
  void wait_for(Waiting what);
  void arm_timer();
  void deadline_passed();

  Loop& loop_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::size_t stream_limit_bytes_;
  std::unique_ptr<Transport> transport_;
  std::optional<boost::asio::posix::basic_stream_descriptor<Executor>> descriptor_;
  std::optional<boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>> timer_;
  const std::string peer_;
  RequestReader reader_;
  BodyShare answer_share_;  // of the answer that is made or written

  Phase phase_ = Phase::reading;
  std::uint64_t ticket_ = 0;  // of the request that was handed out last
  Framing framing_;           // of its answer
  bool in_handler_ = false;
  bool advancing_ = false;
  bool bodiless_stream_ = false;

  std::string out_;   // heads, small bodies, chunks
  std::string tail_;  // a large body that follows them, not copied
  std::size_t out_sent_ = 0;
  std::size_t tail_sent_ = 0;
  std::size_t stream_bytes_in_out_ = 0;

  bool readable_awaited_ = false;
  bool writable_awaited_ = false;
  bool reading_paused_ = false;
  bool peer_has_closed_ = false;

  Waiting waiting_ = Waiting::nothing;
  Clock::time_point deadline_ = Clock::time_point::max();

  std::atomic<bool> gone_{false};
  std::atomic<std::size_t> stream_waiting_bytes_{0};
};

}  // namespace fixpoint::http
