#include "aws/signing_keys.h"

#include <algorithm>
#include <functional>

#include "base/hash.h"

namespace fixpoint::aws {

std::string CredentialScope::to_string() const {
  std::string out;
  out.reserve(date.size() + region.size() + service.size() + 16);
  out += date;
  out += '/';
  out += region;
  out += '/';
  out += service;
  out += "/aws4_request";
  return out;
}

std::string derive_signing_key(std::string_view secret, const CredentialScope& scope) {
  std::string key = hmac_sha256("AWS4" + std::string(secret), scope.date);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  return hmac_sha256(key, "aws4_request");
}

SigningKeys::SigningKeys(std::size_t bound_keys)
    : bound_of_half_(std::max<std::size_t>(1, bound_keys / (2 * shards))) {}

std::string SigningKeys::key(std::string_view secret, const CredentialScope& scope) {
  std::string name = scope.to_string();
  name += '\n';
  name += secret;
  Shard& shard = shards_[std::hash<std::string>{}(name) / 64 % shards];
  {
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.recent.find(name); found != shard.recent.end()) return found->second;
  }
  std::string made;
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.older.find(name); found != shard.older.end()) made = found->second;
  if (made.empty()) made = derive_signing_key(secret, scope);
  if (shard.recent.size() >= bound_of_half_) {
    shard.older = std::move(shard.recent);
    shard.recent.clear();
  }
  shard.recent.insert_or_assign(std::move(name), made);
  return made;
}

std::size_t SigningKeys::size() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.recent.size() + shard.older.size();
  }
  return total;
}

}  // namespace fixpoint::aws
