#include "sandbox/paging.h"

#include "base/hash.h"
#include "base/text.h"

namespace fixpoint::sandbox {
namespace {

// A checksum in front, so that a text that is no token is told apart; it protects nothing.
std::string check_of(std::string_view id) {
  return sha256(id).substr(0, 6);
}

}  // namespace

std::string page_token(std::string_view last_id) {
  return base64_encode(check_of(last_id) + std::string(last_id));
}

Result<std::string> page_position(std::string_view token, std::string_view code, std::string_view message) {
  if (token.empty()) return std::string();
  const auto bytes = base64_decode(token);
  if (!bytes || bytes->size() < 6 || check_of(std::string_view(*bytes).substr(6)) != bytes->substr(0, 6))
    return fail(errors::coded(std::string(code), std::string(message), 400));
  return bytes->substr(6);
}

}  // namespace fixpoint::sandbox
