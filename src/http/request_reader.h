#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/http_message.h"
#include "http/body_budget.h"
#include "http/chunk_decoder.h"

namespace fixpoint::http {

/// Why a request is refused: the connection is not usable afterwards, as it is not known where the next one begins.
struct Refusal {
  int status = 400;
  std::string sentence;
};

/// Requests out of a stream of bytes (RFC 9112), with no I/O: whoever has bytes puts them into space(), says how many
/// came with received(), and calls advance(). Bounded memory: the header section by header_limit_bytes, the body by
/// body_limit_bytes (and never more than four times what has been received), trailers and chunk lines by 8 KiB; all
/// bodies together by the budget, where one is given: what it has no room for is refused with 503.
///
/// Refused, as two readers could disagree about where the request ends: Content-Length with Transfer-Encoding, more
/// than one Content-Length, folded lines, bare LF or CR, control characters, blanks before a colon, no Host or two.
class RequestReader {
 public:
  enum class State {
    need_more,         ///< every byte is used; more are needed
    expects_continue,  ///< the header section is acceptable and the client waits for 100 before it sends the body
    complete,          ///< take() the request
    refused,           ///< see refusal(); stays so
  };

  RequestReader(std::size_t header_limit_bytes, std::size_t body_limit_bytes,
                std::shared_ptr<BodyBudget> budget = nullptr);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Where the next bytes belong; valid until the next call of anything. Grows only after advance() has asked for
  /// more; may be empty until then.
  std::span<char> space();
  void received(std::size_t bytes);
  /// Reads on. After complete it stays complete until take().
  State advance();

  /// The complete request; the reader goes on with the one after it.
  HttpRequest take();
  /// The request taken last was answered, or nobody waits for the one that is being read, of which no more is read
  /// then: what its body had of the budget is free for others.
  void forget_body();
  /// Of the request taken last: does the client want the connection kept, does it know HTTP/1.1 (chunks).
  bool keep_alive() const { return keep_alive_; }
  bool is_http_11() const { return is_http_11_; }

  const Refusal& refusal() const { return refusal_; }
  /// Request line and headers of what was refused for its body (413, 503): valid as long as the reader.
  const HttpRequest& refused_head() const;
  /// No byte of a request is there.
  bool is_idle() const;

 private:
  class Parser;
  enum class Part { head, sized_body, chunked_body, complete, refused };

  State step();
  State advance_head();
  State advance_sized_body();
  State advance_chunked_body();
  bool make_room(std::size_t bytes, std::size_t total);
  State refuse(int status, std::string sentence);
  State refuse_for_memory();
  State refuse_as_parser_says(int error);
  std::size_t buffered() const { return end_ - begin_; }

  const std::size_t header_limit_bytes_;
  const std::size_t body_limit_bytes_;
  BodyShare share_;
  std::unique_ptr<Parser> parser_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;    // the first byte not used yet
  std::size_t end_ = 0;      // behind the last byte received
  std::size_t scanned_ = 0;  // bytes from begin_ in which no end of the header section is
  std::size_t blank_lines_ = 0;
  std::size_t body_left_ = 0;    // of a sized body
  std::size_t body_filled_ = 0;  // of a sized body: the string is longer where space() lies in it
  std::optional<ChunkDecoder> chunks_;
  bool space_is_body_ = false;
  bool wants_more_ = true;  // advance() has looked at all that came
  bool keep_alive_ = true;
  bool is_http_11_ = true;
  Part part_ = Part::head;
  Refusal refusal_;
};

}  // namespace fixpoint::http
