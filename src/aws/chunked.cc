#include "aws/chunked.h"

#include <charconv>

#include "aws/auth_errors.h"
#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

constexpr std::size_t header_limit_bytes = 1024;
constexpr std::size_t trailer_limit = 64;

Error broken(std::string message, std::size_t at) {
  Error error = errors::coded("IncompleteBody", std::move(message), 400);
  error.where = "byte " + std::to_string(at) + " of the aws-chunked body";
  return error;
}

struct ChunkHeader {
  std::size_t size = 0;
  std::string_view signature;
};

std::optional<ChunkHeader> parse_chunk_header(std::string_view line) {
  ChunkHeader header;
  const std::size_t semicolon = std::min(line.find(';'), line.size());
  const std::string_view digits = line.substr(0, semicolon);
  if (digits.empty() || digits.size() > 15) return {};
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), header.size, 16);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return {};
  constexpr std::string_view name = "chunk-signature=";
  for (std::size_t at = semicolon; at < line.size();) {
    const std::size_t begin = at + 1;
    at = std::min(line.find(';', begin), line.size());
    const std::string_view extension = line.substr(begin, at - begin);
    if (extension.starts_with(name)) header.signature = extension.substr(name.size());
  }
  return header;
}

Error mismatch() {
  return auth_error(AuthStyle::S3, AuthFault::SignatureMismatch);
}

}  // namespace

std::string chunk_signature(const ChunkSigning& signing, std::string_view previous, std::string_view chunk) {
  static const std::string hash_of_nothing = sha256_hex("");
  std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n";
  text += signing.basic_time;
  text += '\n';
  text += signing.scope;
  text += '\n';
  text += previous;
  text += '\n';
  text += hash_of_nothing;
  text += '\n';
  text += sha256_hex(chunk);
  return hex_encode(hmac_sha256(signing.key, text));
}

std::string trailer_signature(const ChunkSigning& signing, std::string_view previous, std::string_view lines) {
  std::string text = "AWS4-HMAC-SHA256-TRAILER\n";
  text += signing.basic_time;
  text += '\n';
  text += signing.scope;
  text += '\n';
  text += previous;
  text += '\n';
  text += sha256_hex(lines);
  return hex_encode(hmac_sha256(signing.key, text));
}

Result<ChunkedBody> decode_aws_chunked(std::string_view body, const std::optional<ChunkSigning>& signing,
                                       std::optional<std::size_t> decoded_length) {
  ChunkedBody out;
  out.payload.reserve(body.size());
  std::string previous = signing ? signing->seed_signature : "";
  std::size_t at = 0;
  for (bool last = false; !last;) {
    const std::size_t end = body.substr(0, at + header_limit_bytes).find("\r\n", at);
    if (end == std::string_view::npos) {
      return fail(broken("a chunk must begin with its size in hexadecimal digits and a line end", at));
    }
    const auto header = parse_chunk_header(body.substr(at, end - at));
    if (!header) return fail(broken("a chunk's size must be hexadecimal digits", at));
    at = end + 2;
    last = header->size == 0;
    if (header->size > body.size() - at) return fail(broken("the body ends within a chunk", body.size()));
    const std::string_view chunk = body.substr(at, header->size);
    at += header->size;
    if (signing) {
      std::string expected = chunk_signature(*signing, previous, chunk);
      if (!equal_in_constant_time(expected, header->signature)) return fail(mismatch());
      previous = std::move(expected);
    }
    out.payload += chunk;
    if (!last) {
      if (body.substr(at, 2) != "\r\n") return fail(broken("a chunk's bytes must be followed by a line end", at));
      at += 2;
    }
  }
  std::string signed_lines;
  std::optional<std::string> stated_signature;
  while (at < body.size()) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    const std::string_view line = trim(body.substr(at, end - at));
    const std::size_t line_at = at;
    at = end + 1;
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return fail(broken("what follows the last chunk must be headers: NAME:VALUE", line_at));
    }
    std::string name = to_lower(trim(line.substr(0, colon)));
    std::string value(trim(line.substr(colon + 1)));
    if (name == "x-amz-trailer-signature") {
      stated_signature = std::move(value);
      continue;
    }
    if (out.trailers.size() == trailer_limit) return fail(broken("more than 64 trailing headers", line_at));
    signed_lines += name;
    signed_lines += ':';
    signed_lines += value;
    signed_lines += '\n';
    out.trailers.emplace_back(std::move(name), std::move(value));
  }
  if (signing && (!out.trailers.empty() || stated_signature)) {
    const std::string expected = trailer_signature(*signing, previous, signed_lines);
    if (!stated_signature || !equal_in_constant_time(expected, *stated_signature)) return fail(mismatch());
  }
  if (decoded_length && *decoded_length != out.payload.size()) {
    return fail(broken("the chunks hold " + std::to_string(out.payload.size()) +
                           " bytes where x-amz-decoded-content-length says " + std::to_string(*decoded_length),
                       body.size()));
  }
  return out;
}

}  // namespace fixpoint::aws
