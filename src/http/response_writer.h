#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "base/http_message.h"

namespace fixpoint::http {

/// How a response is framed on its connection.
struct Framing {
  bool http_11 = true;       ///< of the request: chunks are known
  bool head_method = false;  ///< no body, but the headers as if there were one
  bool keep_alive = true;
};

/// The Date header's value, made anew once a second. One thread.
class DateLine {
 public:
  std::string_view at(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

/// A status between 100 and 999 that is final, names that are tokens, and no value with CR, LF or NUL: a response that
/// fails this could be read as two.
bool is_sendable(int status, const Headers& headers);

/// Does a response of this status have a body (RFC 9112 section 6.3: not 204, 304).
bool allows_body(int status);

/// Appends status line and headers of a response whose body has `body_bytes`. Content-Length, Transfer-Encoding and
/// Connection of the response itself are left out; but where the body is not sent for HEAD or 304 and is empty here,
/// its own Content-Length stands.
void append_head(std::string& out, int status, const Headers& headers, std::size_t body_bytes, const Framing& framing,
                 std::string_view date);
/// The same for a body in chunks; for HTTP/1.0 one that ends with the connection.
void append_streamed_head(std::string& out, int status, const Headers& headers, const Framing& framing,
                          std::string_view date);
void append_chunk(std::string& out, std::string_view data);

/// A whole answer in plain text, for what the server says itself.
HttpResponse plain_answer(int status, std::string_view sentence);

}  // namespace fixpoint::http
