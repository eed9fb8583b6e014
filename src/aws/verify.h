#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/canonical.h"
#include "aws/chunked.h"
#include "aws/signing_keys.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/http_message.h"
#include "base/person.h"

namespace fixpoint::aws {

/// Who calls.
struct Principal {
  virtual ~Principal() = default;
  std::string account;    ///< twelve digits
  std::string arn;        ///< of the user, role session or root
  std::string user_id;    ///< as GetCallerIdentity gives it
  std::string execution;  ///< the execution that the credentials were issued for, empty where for none
  /// Of a role session: the ARN of who assumed the role, through a chain of roles the first. Empty where nobody did.
  std::string source{};

  /// Who that is, as records name it (`base/person.h`).
  std::string person() const { return person_text(arn, source); }
};

/// What is known of one access key.
struct KeyRecord {
  std::string secret;
  std::string session_token;         ///< the only token that goes with the key; empty: it goes with none
  std::optional<TimeMs> expires_ms;  ///< when the session is over
  std::shared_ptr<const Principal> principal;
};

/// Finds access keys. Thread-safe.
class KeyLookup {
 public:
  virtual ~KeyLookup() = default;
  /// Null where there is no such key.
  virtual std::shared_ptr<const KeyRecord> find(std::string_view access_key) const = 0;
};

/// What a verified request turned out to be.
struct Verified {
  std::shared_ptr<const Principal> principal;
  std::string access_key;
  CredentialScope scope;
  TimeMs signed_at_ms = 0;
  bool presigned = false;
  /// Where the body came as aws-chunked under a STREAMING-... hash: what it holds. parse_request takes the payload as
  /// its `body` and looks for checksums in the request's `trailers`, to which these belong then.
  std::optional<ChunkedBody> decoded_body;
};

struct VerifyOptions {
  /// The signing name of the service that the request is for: the credential scope has to have it, and its rules and
  /// errors hold. Empty where the caller cannot tell: then those of the scope's service do.
  std::string_view service{};
  std::optional<PathRule> path_rule{};  ///< else by the service
};

/// Whether a query is signed by Signature Version 2, which S3 and the query services took in its time.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
bool is_version_2_query(std::string_view query);

/// Verifies Signature Version 4, in headers, presigned and streaming. Thread-safe.
class Verifier {
 public:
  /// Both must outlive the verifier. `cached_keys` bounds the signing keys that are kept.
  Verifier(const KeyLookup& keys, const Clock& clock, std::size_t cached_keys = 4096);

  /// Errors carry the code, HTTP status and sentence of the service that the request is for (see auth_errors.h); none
  /// holds a secret, a token or an expected signature. In words: nothing says who calls, an authorization that lacks a
  /// part or is scoped to another service or to no region, an unknown key, another session token than the key's or an
  /// expired one, a wrong signature, a time more than 5 minutes off (15 for S3), an expired presigned request, a header
  /// unsigned that must be signed, a body that does not have the hash that was signed (XAmzContentSHA256Mismatch for
  /// S3).
  Result<Verified> verify(const HttpRequest& request, const VerifyOptions& options = {}) const;

 private:
  const KeyLookup& keys_;
  const Clock& clock_;
  mutable SigningKeys signing_keys_;
};

}  // namespace fixpoint::aws
