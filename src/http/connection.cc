#include "http/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>

namespace fixpoint::http {
namespace {

constexpr std::size_t copied_body_bytes = 32 * 1024;     // a body up to this goes behind its head in one buffer
constexpr std::size_t pending_output_bytes = 64 * 1024;  // answers of pipelined requests are gathered up to this
constexpr std::size_t kept_output_bytes = 256 * 1024;
constexpr int reads_in_a_row = 16;
constexpr std::chrono::milliseconds longest_linger{2000};

}  // namespace

Connection::Connection(Loop& loop, int socket, std::unique_ptr<Transport> transport, std::string peer)
    : loop_(loop),
      mailbox_(loop.mailbox()),
      stream_limit_bytes_(loop.shared().options.stream_limit_bytes),
      transport_(std::move(transport)),
      descriptor_(std::in_place, loop.context().get_executor(), socket),
      timer_(std::in_place, loop.context().get_executor()),
      peer_(std::move(peer)),
      reader_(loop.shared().options.header_limit_bytes, loop.shared().options.body_limit_bytes, loop.shared().bodies),
      answer_share_(loop.shared().answers) {}

void Connection::start() {
  wait_for(Waiting::idle);
  arm_timer();
  read_some();
}

// ---- said by Responders, on any thread

bool Connection::is_mine_now(std::uint64_t ticket) const {
  return mailbox_->is_here() && in_handler_ && ticket == ticket_ && phase_ == Phase::handling;
}

void Connection::send(std::uint64_t ticket, HttpResponse response) {
  if (is_mine_now(ticket))
    answer(std::move(response));
  else
    mailbox_->put({shared_from_this(), ticket, Mail::Kind::answer, std::move(response)});
}

// While the handler has the request nothing else here touches the share.
bool Connection::reserve(std::uint64_t, std::size_t bytes) {
  return answer_share_.grow_to(bytes);
}

void Connection::abandon(std::uint64_t ticket) {
  if (is_mine_now(ticket))
    give_up_on_request();
  else
    mailbox_->put({shared_from_this(), ticket, Mail::Kind::abandon, {}});
}

// Always by mail, even from the handler: pieces written here and there must keep their order.
void Connection::begin(std::uint64_t ticket, int status, Headers headers) {
  HttpResponse head;
  head.status = status;
  head.headers = std::move(headers);
  mailbox_->put({shared_from_this(), ticket, Mail::Kind::begin, std::move(head)});
}

bool Connection::write(std::uint64_t ticket, std::string data) {
  if (gone_) return false;
  if (data.empty()) return true;
  if (stream_waiting_bytes_.fetch_add(data.size()) + data.size() > stream_limit_bytes_) {
    mailbox_->put({shared_from_this(), ticket, Mail::Kind::cut, {}});
    return false;
  }
  HttpResponse piece;
  piece.body = std::move(data);
  mailbox_->put({shared_from_this(), ticket, Mail::Kind::piece, std::move(piece)});
  return true;
}

void Connection::end(std::uint64_t ticket, bool whole) {
  mailbox_->put({shared_from_this(), ticket, whole ? Mail::Kind::end : Mail::Kind::cut, {}});
}

bool Connection::cancelled(std::uint64_t) const {
  return gone_;
}

// ---- the rest is the loop's thread

void Connection::receive(Mail& mail) {
  if (mail.ticket != ticket_) return;
  if (phase_ == Phase::handling) {
    switch (mail.kind) {
      case Mail::Kind::answer: answer(std::move(mail.response)); break;
      case Mail::Kind::abandon: give_up_on_request(); break;
      case Mail::Kind::begin: begin_stream(mail.response.status, mail.response.headers); break;
      case Mail::Kind::piece:
      case Mail::Kind::end:
      case Mail::Kind::cut: return;
    }
  } else if (phase_ == Phase::streaming) {
    switch (mail.kind) {
      case Mail::Kind::piece: stream_piece(mail.response.body); break;
      case Mail::Kind::end: end_stream(true); break;
      case Mail::Kind::cut: end_stream(false); break;
      case Mail::Kind::answer:
      case Mail::Kind::abandon:
      case Mail::Kind::begin: return;
    }
  } else {
    return;
  }
  go_on();
}

/// After an answer, or a part of one, that did not come from within the handler.
void Connection::go_on() {
  advance();
  if (phase_ == Phase::closed || !reading_paused_ || readable_awaited_) return;
  reading_paused_ = false;
  read_some();
}

/// Handles what has been read, as far as it goes, and writes what has come of it.
void Connection::advance() {
  if (advancing_) return;
  advance_requests();
  if (phase_ == Phase::handling || phase_ == Phase::streaming) {
    if (flush()) wait_for(Waiting::nothing);
  } else if (phase_ == Phase::closing && flush()) {
    linger();
  }
}

void Connection::advance_requests() {
  advancing_ = true;
  const auto done = [](bool* flag) { *flag = false; };
  const std::unique_ptr<bool, decltype(done)> guard(&advancing_, done);
  while (phase_ == Phase::reading) {
    // A peer that sends requests and reads no answers is not read from either.
    if ((!tail_.empty() || out_.size() > pending_output_bytes || writable_awaited_) && !flush()) break;
    const RequestReader::State state = reader_.advance();
    if (state == RequestReader::State::complete) {
      dispatch();
    } else if (state == RequestReader::State::expects_continue) {
      out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    } else if (state == RequestReader::State::refused) {
      framing_ = {true, false, false};
      HttpResponse refusal = plain_answer(reader_.refusal().status, reader_.refusal().sentence);
      if (refusal.status == 503) refusal.headers.add("Retry-After", "1");
      if (const auto& shape = loop_.shared().options.shape_refusal;
          shape && (refusal.status == 413 || refusal.status == 503))
        refusal = shape(reader_.refused_head(), std::move(refusal));
      answer(std::move(refusal));
    } else {
      if (!flush()) break;
      if (peer_has_closed_) {
        close();
        break;
      }
      wait_for(reader_.is_idle() ? Waiting::idle : Waiting::request);
      break;
    }
  }
}

void Connection::dispatch() {
  HttpRequest request = reader_.take();
  request.peer = peer_;
  framing_ = {reader_.is_http_11(), request.method == "HEAD", reader_.keep_alive() && !loop_.is_winding_down()};
  phase_ = Phase::handling;
  wait_for(Waiting::nothing);
  ++ticket_;
  in_handler_ = true;
  try {
    loop_.shared().handler(std::move(request), Responder(shared_from_this(), ticket_));
  } catch (const std::exception& error) {
    loop_.shared().fault(std::string("A request's handler threw: ") + error.what());
  } catch (...) {
    loop_.shared().fault("A request's handler threw something that is no exception.");
  }
  in_handler_ = false;
}

void Connection::answer(HttpResponse response) {
  if (!is_sendable(response.status, response.headers)) {
    loop_.shared().fault("An answer has a status or header that cannot be sent; it was answered 500 instead.");
    response = plain_answer(500, "The answer to this request could not be sent.");
  }
  if (!answer_share_.set_to(framing_.head_method ? 0 : response.body.size())) {
    response = plain_answer(
        503, "The answers to other requests take all the memory that there is for them; try again in a moment.");
    response.headers.add("Retry-After", "1");
  }
  // A connection that is being closed says so, also where the decision fell after the request came.
  if (loop_.is_winding_down()) framing_.keep_alive = false;
  append_head(out_, response.status, response.headers, response.body.size(), framing_, loop_.date());
  if (!framing_.head_method && allows_body(response.status)) {
    if (response.body.size() <= copied_body_bytes)
      out_ += response.body;
    else
      tail_ = std::move(response.body);
  }
  answered();
}

void Connection::give_up_on_request() {
  loop_.shared().fault("A request was dropped without an answer; it was answered 500.");
  answer(plain_answer(500, "The request was dropped without an answer."));
}

void Connection::answered() {
  reader_.forget_body();
  phase_ = framing_.keep_alive ? Phase::reading : Phase::closing;
}

void Connection::begin_stream(int status, const Headers& headers) {
  if (!is_sendable(status, headers)) {
    loop_.shared().fault("A streamed answer has a status or header that cannot be sent; it was answered 500 instead.");
    framing_.keep_alive = false;
    answer(plain_answer(500, "The answer to this request could not be sent."));
    return;
  }
  if (loop_.is_winding_down() || !framing_.http_11) framing_.keep_alive = false;
  append_streamed_head(out_, status, headers, framing_, loop_.date());
  bodiless_stream_ = framing_.head_method || !allows_body(status);
  phase_ = Phase::streaming;
}

void Connection::stream_piece(std::string_view data) {
  if (bodiless_stream_) {
    stream_waiting_bytes_ -= data.size();
    return;
  }
  if (framing_.http_11)
    append_chunk(out_, data);
  else
    out_ += data;
  stream_bytes_in_out_ += data.size();
}

void Connection::end_stream(bool whole) {
  if (!whole) {
    flush();
    close();
    return;
  }
  if (framing_.http_11 && !bodiless_stream_) out_ += "0\r\n\r\n";
  answered();
}

// ---- I/O

void Connection::read_some() {
  const auto self = shared_from_this();
  for (int reads = 0; reads < reads_in_a_row; ++reads) {
    if (phase_ == Phase::closed || peer_has_closed_) return;
    const bool blocked = writable_awaited_ && phase_ != Phase::lingering;
    static thread_local char thrown_away[16 * 1024];
    const auto space = phase_ == Phase::lingering || phase_ == Phase::closing ? std::span<char>(thrown_away)
                       : blocked                                              ? std::span<char>()
                                                                              : reader_.space();
    if (space.empty()) {
      reading_paused_ = true;
      return;
    }
    const Io io = transport_->read(space);
    switch (io.outcome) {
      case Io::Outcome::done: break;
      case Io::Outcome::wants_read: await_readable(); return;
      case Io::Outcome::wants_write: await_writable(); return;
      case Io::Outcome::ended: peer_closed(); return;
      case Io::Outcome::broken: close(); return;
    }
    const bool may_go_on = transport_->may_hold_bytes(io, space.size());
    if (space.data() != thrown_away) {
      reader_.received(io.bytes);
      if (phase_ == Phase::reading) {
        if (waiting_ == Waiting::idle) wait_for(Waiting::request);
        advance();
      }
    }
    if (phase_ == Phase::closed) return;
    if (!may_go_on) {
      await_readable();
      return;
    }
  }
  // Others have their turn.
  boost::asio::post(loop_.context(), [self] { self->read_some(); });
}

void Connection::peer_closed() {
  peer_has_closed_ = true;
  gone_ = true;
  // Half-closed is enough for a request whose answer is due; a stream has no end of its own.
  if (phase_ == Phase::handling || phase_ == Phase::closing) return;
  if (phase_ == Phase::reading && has_output()) return;
  close();
}

bool Connection::flush() {
  while (has_output()) {
    const Io io =
        transport_->write(std::string_view(out_).substr(out_sent_), std::string_view(tail_).substr(tail_sent_));
    if (io.outcome == Io::Outcome::done) {
      const std::size_t of_out = std::min(io.bytes, out_.size() - out_sent_);
      out_sent_ += of_out;
      tail_sent_ += io.bytes - of_out;
      if (waiting_ == Waiting::write) wait_for(Waiting::nothing);
      continue;
    }
    if (io.outcome == Io::Outcome::wants_write || io.outcome == Io::Outcome::wants_read) {
      wait_for(Waiting::write);
      if (io.outcome == Io::Outcome::wants_write)
        await_writable();
      else
        await_readable();
      return false;
    }
    close();
    return false;
  }
  out_sent_ = tail_sent_ = 0;
  if (out_.capacity() > kept_output_bytes)
    out_ = std::string();
  else
    out_.clear();
  if (!tail_.empty()) tail_ = std::string();
  stream_waiting_bytes_ -= std::exchange(stream_bytes_in_out_, 0);
  if (phase_ != Phase::handling) answer_share_.release();
  return phase_ != Phase::closed;
}

void Connection::linger() {
  transport_->end_writing();
  if (peer_has_closed_ || loop_.is_winding_down()) {
    close();
    return;
  }
  phase_ = Phase::lingering;
  gone_ = true;
  wait_for(Waiting::linger);
  arm_timer();
  if (!readable_awaited_) {
    reading_paused_ = false;
    await_readable();
  }
}

void Connection::await_readable() {
  if (readable_awaited_ || !descriptor_) return;
  readable_awaited_ = true;
  descriptor_->async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            self->readable_awaited_ = false;
                            if (error || self->phase_ == Phase::closed) return;
                            // TLS may have waited for bytes to be able to write.
                            if (self->waiting_ == Waiting::write && self->flush()) self->advance();
                            self->read_some();
                          });
}

void Connection::await_writable() {
  if (writable_awaited_ || !descriptor_) return;
  writable_awaited_ = true;
  descriptor_->async_wait(boost::asio::posix::descriptor_base::wait_write,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            self->writable_awaited_ = false;
                            if (error || self->phase_ == Phase::closed) return;
                            if (!self->flush()) return;
                            self->advance();
                            if (self->phase_ == Phase::closed || self->readable_awaited_) return;
                            self->reading_paused_ = false;
                            self->read_some();
                          });
}

// ---- deadlines

void Connection::wait_for(Waiting what) {
  if (waiting_ == what) return;
  waiting_ = what;
  const ServerOptions& options = loop_.shared().options;
  switch (what) {
    case Waiting::nothing: deadline_ = Clock::time_point::max(); return;
    case Waiting::idle: deadline_ = Clock::now() + std::chrono::milliseconds(options.idle_timeout_ms); return;
    case Waiting::request:
    case Waiting::write: deadline_ = Clock::now() + std::chrono::milliseconds(options.request_timeout_ms); return;
    case Waiting::linger:
      deadline_ = Clock::now() +
                  std::min<Clock::duration>(longest_linger, std::chrono::milliseconds(options.request_timeout_ms));
      return;
  }
}

/// One timer a connection, that looks at the deadline now and then instead of being moved with it. No deadline is set
/// closer than the shorter timeout away, but for lingering, which arms the timer anew: so it is never late.
void Connection::arm_timer() {
  const ServerOptions& options = loop_.shared().options;
  const auto pace = std::chrono::milliseconds(std::min(options.idle_timeout_ms, options.request_timeout_ms));
  timer_->expires_at(std::min(deadline_, Clock::now() + pace));
  timer_->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->phase_ == Phase::closed) return;
    if (self->waiting_ != Waiting::nothing && Clock::now() >= self->deadline_) self->deadline_passed();
    if (self->phase_ != Phase::closed) self->arm_timer();
  });
}

void Connection::deadline_passed() {
  if (waiting_ != Waiting::request || phase_ != Phase::reading) {
    close();
    return;
  }
  framing_ = {true, false, false};
  answer(plain_answer(408, "The request was not whole within " +
                               std::to_string(loop_.shared().options.request_timeout_ms) + " ms of its first byte."));
  advance();
}

void Connection::wind_down() {
  switch (phase_) {
    case Phase::reading:
      if (!has_output()) close();
      return;
    case Phase::streaming:
      flush();
      close();
      return;
    case Phase::lingering: close(); return;
    case Phase::handling:
    case Phase::closing:
    case Phase::closed: return;
  }
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  phase_ = Phase::closed;
  gone_ = true;
  transport_.reset();
  // Here and not in the destructor: a Responder may keep this object longer than there is a loop.
  timer_.reset();
  descriptor_.reset();
  loop_.forget(this);
  loop_.shared().one_closed();
}

}  // namespace fixpoint::http
