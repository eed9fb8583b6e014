#pragma once

#include <string>
#include <string_view>

#include "aws/canonical.h"
#include "aws/signing_keys.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/http_message.h"

namespace fixpoint::aws {

/// An access key and its secret. Never printed: no error and no log line holds `secret` or `session_token`.
struct Credentials {
  std::string access_key;
  std::string secret;
  std::string session_token;  ///< empty for a key that does not expire
};

/// What a canonical request says of the body where it is no digest.
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view signature_algorithm = "AWS4-HMAC-SHA256";

/// How one request is signed. `for_service` fills in what the service wants.
struct SigningOptions {
  std::string service;  ///< the signing name
  std::string region;
  TimeMs time_ms = 0;
  PathRule path_rule = PathRule::Normalized;
  bool body_signed = true;              ///< false: UNSIGNED-PAYLOAD
  bool sends_content_sha256 = false;    ///< adds `x-amz-content-sha256`, which S3 requires
  bool session_token_is_signed = true;  ///< false where a service wants the token added after signing

  static SigningOptions for_service(std::string service, std::string region, TimeMs time_ms);
};

/// Signs in headers: sets `X-Amz-Date`, `X-Amz-Security-Token` where there is a token, `x-amz-content-sha256` where it
/// is wanted, and `Authorization`. Covers every header that is there but those that proxies change. The request must
/// have its `Host`. Error: InternalFailure where it has none. `keys` saves deriving the key anew, where given.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Result<void> sign(HttpRequest& request, const Credentials& credentials, const SigningOptions& options,
                  SigningKeys* keys = nullptr);

/// Signs in the query: adds X-Amz-Algorithm to X-Amz-Signature to the target, good for `expires_s` seconds.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
/// Errors: InternalFailure without a `Host`; ValidationException where `expires_s` is not 1 to 604800.
Result<void> presign(HttpRequest& request, const Credentials& credentials, const SigningOptions& options, int expires_s,
                     SigningKeys* keys = nullptr);

/// The string to sign of a canonical request.
std::string string_to_sign(std::string_view basic_time, std::string_view scope, std::string_view canonical);

}  // namespace fixpoint::aws
