#include "http/chunk_decoder.h"

#include <algorithm>

#include "base/text.h"

namespace fixpoint::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < ' ' && byte != '\t') || byte == 0x7f;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

/// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), the whole of `text`. A quote that is not closed
/// would hide the line's end from a reader that looks for it.
bool are_extensions(std::string_view text) {
  const auto skip_blanks = [&] { text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size())); };
  const auto take_token = [&] {
    const auto token = text.substr(0, text.find_first_of(" \t;="));
    text.remove_prefix(token.size());
    return is_token(token);
  };
  while (!text.empty()) {
    skip_blanks();
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    skip_blanks();
    if (!take_token()) return false;
    const auto value = text.find_first_not_of(" \t");
    if (value == std::string_view::npos || text[value] != '=') continue;
    text.remove_prefix(value + 1);
    skip_blanks();
    if (!text.starts_with('"')) {
      if (!take_token()) return false;
      continue;
    }
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    if (at >= text.size()) return false;
    text.remove_prefix(at + 1);
  }
  return true;
}

}  // namespace

ChunkDecoder::State ChunkDecoder::decode(std::string_view bytes, std::size_t& used, std::string& body,
                                         Headers& trailers) {
  used = 0;
  while (part_ != Part::done && part_ != Part::refused) {
    const std::string_view rest = bytes.substr(used);
    if (part_ == Part::data) {
      if (rest.empty()) return State::need_more;
      const auto here = rest.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size())));
      body.append(here);
      used += here.size();
      left_ -= here.size();
      if (left_ == 0) part_ = Part::data_end;
      continue;
    }
    if (part_ == Part::data_end) {
      if ((!rest.empty() && rest[0] != '\r') || (rest.size() > 1 && rest[1] != '\n'))
        return refuse(400, "A chunk is longer than its size says, or does not end with CR LF.");
      if (rest.size() < 2) return State::need_more;
      used += 2;
      part_ = Part::size;
      continue;
    }
    const auto line_end = rest.find('\n', scanned_);
    const std::size_t line_bytes = line_end == std::string_view::npos ? rest.size() : line_end + 1;
    if (line_bytes + trailer_bytes_ > line_limit_bytes_)
      return refuse(431,
                    "A chunk's line or the trailers are longer than " + std::to_string(line_limit_bytes_) + " bytes.");
    if (line_end == std::string_view::npos) {
      scanned_ = rest.size();
      return State::need_more;
    }
    if (line_end == 0 || rest[line_end - 1] != '\r')
      return refuse(400, "A line of the chunked body ends with LF alone instead of CR LF.");
    const auto line = rest.substr(0, line_end - 1);
    scanned_ = 0;
    used += line_bytes;
    if (std::any_of(line.begin(), line.end(), is_control))
      return refuse(400, "A line of the chunked body holds a control character.");
    if (part_ == Part::size) {
      if (!take_size(line)) return State::refused;
    } else if (line.empty()) {
      part_ = Part::done;
    } else {
      trailer_bytes_ += line_bytes;
      if (!take_trailer(line, trailers)) return State::refused;
    }
  }
  return part_ == Part::done ? State::done : State::refused;
}

bool ChunkDecoder::take_size(std::string_view line) {
  std::size_t at = 0;
  std::uint64_t size = 0;
  for (; at < line.size() && hex_digit(line[at]) >= 0; ++at) {
    if (size > (UINT64_MAX >> 4)) {
      refuse(413, "A chunk's size is beyond all limits.");
      return false;
    }
    size = size * 16 + static_cast<std::uint64_t>(hex_digit(line[at]));
  }
  if (at == 0 || !are_extensions(line.substr(at))) {
    refuse(400,
           "A chunk does not begin with its size in hexadecimal digits, alone or followed by well-formed extensions.");
    return false;
  }
  if (size > body_limit_bytes_ - body_bytes_) {
    refuse(413, "The body is longer than " + std::to_string(body_limit_bytes_) + " bytes.");
    return false;
  }
  body_bytes_ += size;
  left_ = size;
  part_ = size == 0 ? Part::trailers : Part::data;
  return true;
}

bool ChunkDecoder::take_trailer(std::string_view line, Headers& trailers) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) {
    refuse(400, "A trailer line's name is not a token followed directly by a colon.");
    return false;
  }
  // RFC 9110 section 6.5.1: what says where a message ends or where it goes comes before the body, or not at all.
  for (const std::string_view framing : {"Content-Length", "Transfer-Encoding", "Host", "Trailer", "Connection"}) {
    if (!equals_ignore_case(name, framing)) continue;
    refuse(400, "The field " + std::string(framing) + " is not allowed in the trailers.");
    return false;
  }
  trailers.add(std::string(name), std::string(trim(line.substr(colon + 1))));
  return true;
}

ChunkDecoder::State ChunkDecoder::refuse(int status, std::string sentence) {
  part_ = Part::refused;
  status_ = status;
  sentence_ = std::move(sentence);
  return State::refused;
}

}  // namespace fixpoint::http
