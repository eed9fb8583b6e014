#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/http_message.h"

namespace fixpoint::http {

/// The chunked transfer coding (RFC 9112 section 7.1), with no I/O. Strict: lines end with CR LF, and what two readers
/// could see differently is refused; chunk extensions are let pass unread. What it says does not depend on how the
/// bytes are cut.
class ChunkDecoder {
 public:
  enum class State { need_more, done, refused };

  /// `line_limit_bytes` bounds a chunk's line, and the trailers altogether.
  ChunkDecoder(std::size_t body_limit_bytes, std::size_t line_limit_bytes)
      : body_limit_bytes_(body_limit_bytes), line_limit_bytes_(line_limit_bytes) {}

  /// Decodes what of `bytes` it can and says with `used` how much that was. The next call begins with the bytes that
  /// were not used (an incomplete line, line_limit_bytes at most). Appends to `body` and `trailers`.
  State decode(std::string_view bytes, std::size_t& used, std::string& body, Headers& trailers);

  int status() const { return status_; }                     ///< once refused
  const std::string& sentence() const { return sentence_; }  ///< once refused

 private:
  enum class Part { size, data, data_end, trailers, done, refused };

  State refuse(int status, std::string sentence);
  bool take_size(std::string_view line);
  bool take_trailer(std::string_view line, Headers& trailers);

  const std::size_t body_limit_bytes_;
  const std::size_t line_limit_bytes_;
  Part part_ = Part::size;
  std::uint64_t left_ = 0;  // of the chunk
  std::uint64_t body_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t scanned_ = 0;  // bytes of an incomplete line that were looked at
  int status_ = 0;
  std::string sentence_;
};

}  // namespace fixpoint::http
