#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fixpoint::aws {

/// What a signature is good for: `20240102/us-east-1/s3/aws4_request`.
struct CredentialScope {
  std::string date;  ///< eight digits
  std::string region;
  std::string service;  ///< the signing name: `states`, not `stepfunctions`

  std::string to_string() const;
};

/// The signing key of a scope: four HMACs over the secret. 32 raw bytes.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#derive-signing-key
std::string derive_signing_key(std::string_view secret, const CredentialScope& scope);

/// Signing keys that were derived already, found by secret and scope, so that a rotated secret is never answered by its
/// predecessor's key. Holds at most `bound_keys` and forgets those not asked for since half of that many new ones came.
/// Thread-safe.
class SigningKeys {
 public:
  explicit SigningKeys(std::size_t bound_keys = 4096);
  std::string key(std::string_view secret, const CredentialScope& scope);
  std::size_t size() const;

 private:
  static constexpr std::size_t shards = 8;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::string> recent;
    std::unordered_map<std::string, std::string> older;
  };
  std::size_t bound_of_half_;
  std::array<Shard, shards> shards_;
};

}  // namespace fixpoint::aws
