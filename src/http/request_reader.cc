#include "http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace fixpoint::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

constexpr std::size_t first_buffer_bytes = 8 * 1024;
constexpr std::size_t largest_body_step_bytes = 256 * 1024;
constexpr std::size_t chunk_line_limit_bytes = 8 * 1024;
constexpr std::size_t blank_line_limit = 2;

// By steps that double, so that a claimed length alone costs nothing.
std::size_t body_step(std::size_t filled) {
  return std::clamp<std::size_t>(filled, first_buffer_bytes, largest_body_step_bytes);
}

bool is_token(char c) {
  static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

/// host [":" port], as far as it keeps a Host header from being read in two ways.
bool is_authority(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '?' || c == '#' || c == '@' || c == '\\' || c == ',' ||
        static_cast<unsigned char>(c) >= 0x7f)
      return false;
  return true;
}

}  // namespace

/// Beast's parser, its fields written straight into our request. Faults of ours are kept in `refusal`, as Beast's error
/// codes do not tell them apart.
class RequestReader::Parser {
 public:
  Parser(std::size_t header_limit_bytes, std::size_t body_limit_bytes)
      : header_limit_bytes_(header_limit_bytes), body_limit_bytes_(body_limit_bytes) {
    restart();
  }

  void restart() {
    beast_.emplace(*this);
    // The head alone is Beast's: bodies are read here, chunked ones by a decoder whose answer does not depend on how
    // the bytes are cut, which Beast 1.81's does for quoted chunk extensions.
    beast_->eager(false);
    // The reader has bounded the header section before it comes here.
    beast_->header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(header_limit_bytes_ + 4, UINT32_MAX)));
    beast_->body_limit(body_limit_bytes_);
    hosts_ = lengths_ = codings_ = 0;
    expects_continue = false;
    refusal.reset();
  }

  /// The whole header section.
  void put_head(std::string_view bytes, error_code& error) {
    const std::size_t used = beast_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (!error && (used != bytes.size() || !beast_->is_header_done())) error = beast_http::error::need_more;
  }
  bool is_chunked() const { return beast_->chunked(); }
  bool keep_alive() const { return beast_->keep_alive(); }
  std::uint64_t content_length() const { return beast_->content_length().value_or(0); }

  HttpRequest request;
  int version = 11;
  bool expects_continue = false;
  std::optional<Refusal> refusal;

 private:
  class Beast final : public beast_http::basic_parser<true> {
   public:
    explicit Beast(Parser& parser) : parser_(parser) {}

   private:
    using string_view = boost::beast::string_view;
    void on_request_impl(beast_http::verb, string_view method, string_view target, int http_version,
                         error_code& error) override {
      parser_.on_start({method.data(), method.size()}, {target.data(), target.size()}, http_version, error);
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(beast_http::field field, string_view name, string_view value, error_code& error) override {
      parser_.on_field(field, {name.data(), name.size()}, {value.data(), value.size()}, error);
    }
    void on_header_impl(error_code& error) override { parser_.on_head_end(error); }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override { return body.size(); }
    void on_finish_impl(error_code&) override {}

    Parser& parser_;
  };

  void refuse(int status, std::string sentence, error_code& error) {
    refusal = Refusal{status, std::move(sentence)};
    error = beast_http::error::bad_value;
  }

  void on_start(std::string_view method, std::string_view target, int http_version, error_code& error) {
    version = http_version;
    request = {};
    authority_.clear();
    for (const char c : method)
      if (c >= 'a' && c <= 'z')
        return refuse(501, "The method is not one that is known here: methods are written in capitals.", error);
    if (method == "CONNECT") return refuse(501, "CONNECT is not implemented: this is no proxy.", error);
    request.method = method;
    if (target.front() == '/' || (target == "*" && method == "OPTIONS")) {
      request.target = target;
    } else {
      const auto scheme_end = target.find("://");
      const auto scheme = target.substr(0, scheme_end);
      if (scheme_end == std::string_view::npos ||
          !(equals_ignore_case(scheme, "http") || equals_ignore_case(scheme, "https")))
        return refuse(400, "The request target must begin with '/' or be an http or https URL.", error);
      const auto rest = target.substr(scheme_end + 3);
      const auto authority = rest.substr(0, rest.find_first_of("/?#"));
      if (authority.empty() || !is_authority(authority))
        return refuse(400, "The request target is a URL without a usable host.", error);
      authority_ = authority;
      const auto path = rest.substr(authority.size());
      request.target = path.starts_with('/') ? std::string(path) : '/' + std::string(path);
    }
    if (request.target.find('#') != std::string::npos)
      return refuse(400, "The request target holds a '#': a fragment is never sent, and as part of a path it is %23.",
                    error);
  }

  void on_field(beast_http::field field, std::string_view name, std::string_view value, error_code& error) {
    switch (field) {
      case beast_http::field::host:
        if (++hosts_ > 1) return refuse(400, "There is more than one Host header.", error);
        if (!is_authority(value)) return refuse(400, "The Host header is not a host name with a port.", error);
        if (!authority_.empty()) value = authority_;
        break;
      case beast_http::field::content_length:
        if (++lengths_ > 1) return refuse(400, "There is more than one Content-Length header.", error);
        if (!std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
          return refuse(400, "The Content-Length header is not a number.", error);
        break;
      case beast_http::field::transfer_encoding:
        if (++codings_ > 1) return refuse(400, "There is more than one Transfer-Encoding header.", error);
        if (version < 11) return refuse(400, "HTTP/1.0 has no Transfer-Encoding.", error);
        if (!equals_ignore_case(value, "chunked"))
          return refuse(501, "The transfer coding is not known here: only 'chunked' is.", error);
        break;
      case beast_http::field::expect:
        if (version < 11) break;
        if (!equals_ignore_case(value, "100-continue"))
          return refuse(417, "The Expect header asks for something other than 100-continue.", error);
        expects_continue = true;
        break;
      default: break;
    }
    request.headers.add(std::string(name), std::string(value));
  }

  void on_head_end(error_code& error) {
    if (hosts_ != 0) return;
    if (!authority_.empty())
      request.headers.add("Host", authority_);
    else if (version >= 11)
      refuse(400, "There is no Host header, which HTTP/1.1 requires.", error);
  }

  const std::size_t header_limit_bytes_;
  const std::size_t body_limit_bytes_;
  std::optional<Beast> beast_;
  std::string authority_;  // of an absolute-form target: it stands above the Host header
  int hosts_ = 0;
  int lengths_ = 0;
  int codings_ = 0;
};

RequestReader::RequestReader(std::size_t header_limit_bytes, std::size_t body_limit_bytes,
                             std::shared_ptr<BodyBudget> budget)
    : header_limit_bytes_(header_limit_bytes),
      body_limit_bytes_(body_limit_bytes),
      share_(std::move(budget)),
      parser_(std::make_unique<Parser>(header_limit_bytes, body_limit_bytes)),
      buffer_(std::make_unique_for_overwrite<char[]>(first_buffer_bytes)),
      capacity_(first_buffer_bytes) {}

RequestReader::~RequestReader() = default;

/// Room for so many more bytes of the body, which has `total` in the end as far as is known. Asked for as the string
/// takes it, which at least doubles; a body that comes to its end by the next two steps has it exactly.
bool RequestReader::make_room(std::size_t bytes, std::size_t total) {
  std::string& body = parser_->request.body;
  if (body_filled_ + bytes <= body.capacity()) return true;
  const std::size_t doubled = std::max(2 * body.capacity(), body_filled_ + bytes);
  const std::size_t room = total >= body_filled_ + bytes && total <= 2 * doubled ? total : doubled;
  if (!share_.grow_to(room)) return false;
  body.reserve(room);
  return true;
}

bool RequestReader::is_idle() const {
  return part_ == Part::head && buffered() == 0;
}

std::span<char> RequestReader::space() {
  space_is_body_ = part_ == Part::sized_body && buffered() == 0 && wants_more_;
  if (space_is_body_) {
    // Straight into the body, for which advance() has made room.
    std::string& body = parser_->request.body;
    if (body.size() == body_filled_) body.resize(body_filled_ + std::min(body_left_, body_step(body_filled_)));
    return {body.data() + body_filled_, body.size() - body_filled_};
  }
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_ && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_ && wants_more_) {
    // Parts in the buffer are bounded by what advance() refuses, so this ends.
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
    std::memcpy(larger.get(), buffer_.get(), end_);
    buffer_ = std::move(larger);
    capacity_ *= 2;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void RequestReader::received(std::size_t bytes) {
  if (space_is_body_) {
    body_filled_ += bytes;
    body_left_ -= bytes;
  } else {
    end_ += bytes;
  }
  space_is_body_ = false;
  wants_more_ = false;
}

RequestReader::State RequestReader::advance() {
  const State state = step();
  wants_more_ = state == State::need_more || state == State::expects_continue;
  return state;
}

RequestReader::State RequestReader::step() {
  switch (part_) {
    case Part::head: return advance_head();
    case Part::sized_body: return advance_sized_body();
    case Part::chunked_body: return advance_chunked_body();
    case Part::complete: return State::complete;
    case Part::refused: return State::refused;
  }
  return State::refused;
}

RequestReader::State RequestReader::advance_head() {
  // An empty line before the request line is let pass (RFC 9112 section 2.2).
  while (scanned_ == 0 && buffered() >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n') {
    if (++blank_lines_ > blank_line_limit) return refuse(400, "Where a request should begin there are empty lines.");
    begin_ += 2;
  }
  if (buffered() == 0 || (buffered() == 1 && buffer_[begin_] == '\r')) return State::need_more;
  if (!is_token(buffer_[begin_]))
    return refuse(400, "Where a request should begin is no method: what was sent is not HTTP/1.1.");

  // Line by line to the empty one. What Beast would let pass (folded lines) is refused here, and a bare LF at once, for
  // with it the end would never come.
  const std::string_view head(buffer_.get() + begin_, buffered());
  std::size_t head_bytes = 0;
  while (head_bytes == 0) {
    const auto line_end = head.find('\n', scanned_);
    if (line_end == std::string_view::npos) break;
    if (line_end == 0 || head[line_end - 1] != '\r') return refuse(400, "A line ends with LF alone instead of CR LF.");
    if (line_end - scanned_ == 1) {
      head_bytes = line_end + 1;
    } else if (scanned_ != 0 && (head[scanned_] == ' ' || head[scanned_] == '\t')) {
      return refuse(400, "A header line begins with a blank: folded header lines are not allowed.");
    }
    scanned_ = line_end + 1;
  }
  if (head_bytes > header_limit_bytes_ || (head_bytes == 0 && head.size() > header_limit_bytes_)) {
    const auto first_line = head.find('\n');
    if (first_line >= header_limit_bytes_)
      return refuse(414, "The request line is longer than " + std::to_string(header_limit_bytes_) + " bytes.");
    return refuse(431, "Request line and headers are longer than " + std::to_string(header_limit_bytes_) + " bytes.");
  }
  if (head_bytes == 0) return State::need_more;

  error_code error;
  parser_->put_head(head.substr(0, head_bytes), error);
  if (error) return refuse_as_parser_says(error.value());
  begin_ += head_bytes;
  scanned_ = 0;
  blank_lines_ = 0;
  keep_alive_ = parser_->keep_alive();
  is_http_11_ = parser_->version >= 11;
  if (parser_->is_chunked()) {
    part_ = Part::chunked_body;
    chunks_.emplace(body_limit_bytes_, chunk_line_limit_bytes);
  } else {
    part_ = Part::sized_body;
    body_left_ = static_cast<std::size_t>(parser_->content_length());
    body_filled_ = 0;
    if (!share_.could_grow_to(body_left_)) return refuse_for_memory();
  }
  // Said where no body will come as well, which RFC 9110 section 10.1.1 leaves open: botocore expects it before an
  // empty object, and takes the final answer that comes instead for the next request's
  // (github.com/boto/botocore/issues/3755).
  if (parser_->expects_continue && buffered() == 0) return State::expects_continue;
  return step();
}

RequestReader::State RequestReader::advance_sized_body() {
  std::string& body = parser_->request.body;
  const std::size_t here = std::min(body_left_, buffered());
  if (here > 0) {
    if (!make_room(here, body_filled_ + body_left_)) return refuse_for_memory();
    body.resize(body_filled_);
    body.append(buffer_.get() + begin_, here);
    body_filled_ += here;
    body_left_ -= here;
    begin_ += here;
  }
  if (body_left_ > 0) {
    if (!make_room(std::min(body_left_, body_step(body_filled_)), body_filled_ + body_left_))
      return refuse_for_memory();
    return State::need_more;
  }
  body.resize(body_filled_);
  part_ = Part::complete;
  return State::complete;
}

RequestReader::State RequestReader::advance_chunked_body() {
  std::size_t used = 0;
  body_filled_ = parser_->request.body.size();
  if (!make_room(buffered(), 0)) return refuse_for_memory();
  const auto state =
      chunks_->decode({buffer_.get() + begin_, buffered()}, used, parser_->request.body, parser_->request.trailers);
  begin_ += used;
  if (state == ChunkDecoder::State::refused) return refuse(chunks_->status(), chunks_->sentence());
  if (state == ChunkDecoder::State::need_more) return State::need_more;
  part_ = Part::complete;
  return State::complete;
}

HttpRequest RequestReader::take() {
  HttpRequest request = std::move(parser_->request);
  parser_->restart();
  part_ = Part::head;
  return request;
}

void RequestReader::forget_body() {
  if (part_ != Part::head) parser_->request.body = std::string();
  share_.release();
}

const HttpRequest& RequestReader::refused_head() const {
  return parser_->request;
}

RequestReader::State RequestReader::refuse(int status, std::string sentence) {
  refusal_ = {status, std::move(sentence)};
  part_ = Part::refused;
  parser_->request.body = std::string();
  share_.release();
  scanned_ = 0;
  begin_ = end_ = 0;
  return State::refused;
}

RequestReader::State RequestReader::refuse_for_memory() {
  return refuse(503, "The bodies of other requests take all the memory that there is for them; try again in a moment.");
}

RequestReader::State RequestReader::refuse_as_parser_says(int error) {
  if (parser_->refusal) return refuse(parser_->refusal->status, parser_->refusal->sentence);
  switch (static_cast<beast_http::error>(error)) {
    case beast_http::error::body_limit:
      return refuse(413, "The body is longer than " + std::to_string(body_limit_bytes_) + " bytes.");
    case beast_http::error::header_limit: return refuse(431, "The header section is too long.");
    case beast_http::error::bad_version:
      return refuse(505, "The request line does not end in HTTP/1.1 or HTTP/1.0, the versions that are spoken here.");
    case beast_http::error::bad_method: return refuse(400, "The request line does not begin with a method.");
    case beast_http::error::bad_target:
      return refuse(400, "The request target is empty or holds a blank or control character.");
    case beast_http::error::bad_field:
      return refuse(400, "A header line's name is not a token followed directly by a colon.");
    case beast_http::error::bad_value:
      return refuse(400, "A header's value holds a control character, or is malformed.");
    case beast_http::error::bad_line_ending: return refuse(400, "A line does not end with CR LF.");
    case beast_http::error::bad_content_length:
    case beast_http::error::multiple_content_length:
    case beast_http::error::bad_transfer_encoding:
      return refuse(400,
                    "The length of the body is not clear: Content-Length is malformed, or stands beside another one or "
                    "beside Transfer-Encoding.");
    default: return refuse(400, "The request is malformed.");
  }
}

}  // namespace fixpoint::http
