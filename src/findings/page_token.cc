#include "findings/page_token.h"

#include <cstring>

#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::findings {
namespace {

constexpr std::size_t seal_bytes = 16;
constexpr std::size_t token_limit_bytes = 16UL * 1024;

std::string seal_of(std::string_view key, std::string_view asked, std::string_view body) {
  return hmac_sha256(key, sha256(asked) + std::string(body)).substr(0, seal_bytes);
}

void put(std::string& out, std::int64_t number) {
  out.append(reinterpret_cast<const char*>(&number), 8);
}

std::optional<std::int64_t> take_number(std::string_view& from) {
  if (from.size() < 8) return {};
  std::int64_t number = 0;
  std::memcpy(&number, from.data(), 8);
  from.remove_prefix(8);
  return number;
}

std::optional<Position> read(std::string_view body) {
  Position position;
  const auto number = take_number(body);
  if (!number || *number < 0) return {};
  position.number = *number;
  while (!body.empty()) {
    const char kind = body.front();
    body.remove_prefix(1);
    if (kind == 'n') {
      position.cells.emplace_back();
      continue;
    }
    const auto value = take_number(body);
    if (!value) return {};
    if (kind == 'i') {
      position.cells.emplace_back(*value);
      continue;
    }
    if (kind != 't' || *value < 0 || static_cast<std::size_t>(*value) > body.size()) return {};
    position.cells.emplace_back(std::string(body.substr(0, static_cast<std::size_t>(*value))));
    body.remove_prefix(static_cast<std::size_t>(*value));
  }
  return position;
}

}  // namespace

std::string seal_token(std::string_view key, std::string_view asked, const Position& position) {
  std::string body;
  put(body, position.number);
  for (const auto& cell : position.cells) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) {
      body += 'i';
      put(body, *number);
    } else if (const auto* text = std::get_if<std::string>(&cell)) {
      body += 't';
      put(body, static_cast<std::int64_t>(text->size()));
      body += *text;
    } else {
      body += 'n';
    }
  }
  std::string token = base64_encode(seal_of(key, asked, body) + body);
  for (char& c : token) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (token.ends_with('=')) token.pop_back();
  return token;
}

std::optional<Position> open_token(std::string_view key, std::string_view asked, std::string_view token) {
  if (token.size() > token_limit_bytes) return {};
  std::string plain(token);
  for (char& c : plain) {
    if (c == '+' || c == '/' || c == '=') return {};
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  const auto bytes = base64_decode(plain);
  if (!bytes || bytes->size() < seal_bytes) return {};
  const std::string_view body = std::string_view(*bytes).substr(seal_bytes);
  if (!equal_in_constant_time(seal_of(key, asked, body), std::string_view(*bytes).substr(0, seal_bytes))) return {};
  auto position = read(body);
  // Base64 has several spellings of some bytes; only ours is taken.
  if (!position || seal_token(key, asked, *position) != token) return {};
  return position;
}

}  // namespace fixpoint::findings
