#include "aws/auth_errors.h"

#include <array>

#include "aws/canonical.h"

namespace fixpoint::aws {
namespace {

struct Answer {
  std::string_view code;
  int status;
  std::string_view sentence;
};

constexpr std::string_view invalid_token = "The security token included in the request is invalid.";
constexpr std::string_view expired_token = "The security token included in the request is expired";
constexpr std::string_view mismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.";
constexpr std::string_view ec2_failure = "AWS was not able to validate the provided access credentials";
constexpr std::string_view request_expired = "Request has expired.";
constexpr std::string_view incomplete = "The request signature does not conform to AWS standards.";
constexpr std::string_view missing = "Missing Authentication Token";
constexpr std::string_view unsigned_header = "There were headers present in the request which were not signed";

// Rows in the order of AuthFault, columns in that of AuthStyle.
using Row = std::array<Answer, 5>;
constexpr std::array<Row, 9> answers = {{
    {{{"MissingAuthenticationToken", 403, "Request is missing Authentication Token"},
      {"MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId"},
      {"MissingAuthenticationTokenException", 400, missing},
      {"MissingAuthenticationTokenException", 403, missing},
      {"AccessDenied", 403, "Access Denied"}}},
    {{{"IncompleteSignature", 400, incomplete},
      {"AuthFailure", 401, incomplete},
      {"IncompleteSignatureException", 400, incomplete},
      {"IncompleteSignatureException", 403, incomplete},
      {"AuthorizationHeaderMalformed", 400, "The authorization header that you provided is not valid."}}},
    {{{"InvalidClientTokenId", 403, invalid_token},
      {"AuthFailure", 401, ec2_failure},
      {"UnrecognizedClientException", 400, invalid_token},
      {"UnrecognizedClientException", 403, invalid_token},
      {"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."}}},
    {{{"InvalidClientTokenId", 403, invalid_token},
      {"AuthFailure", 401, ec2_failure},
      {"UnrecognizedClientException", 400, invalid_token},
      {"UnrecognizedClientException", 403, invalid_token},
      {"InvalidToken", 400, "The provided token is malformed or otherwise invalid."}}},
    {{{"ExpiredToken", 403, expired_token},
      {"RequestExpired", 400, request_expired},
      {"ExpiredTokenException", 400, expired_token},
      {"ExpiredTokenException", 403, expired_token},
      {"ExpiredToken", 400, "The provided token has expired."}}},
    {{{"SignatureDoesNotMatch", 403, mismatch},
      {"AuthFailure", 401, ec2_failure},
      {"InvalidSignatureException", 400, mismatch},
      {"InvalidSignatureException", 403, mismatch},
      {"SignatureDoesNotMatch", 403,
       "The request signature we calculated does not match the signature you provided. Check your key and signing "
       "method."}}},
    {{{"SignatureDoesNotMatch", 403, mismatch},
      {"RequestExpired", 400, request_expired},
      {"InvalidSignatureException", 400, mismatch},
      {"InvalidSignatureException", 403, mismatch},
      {"RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."}}},
    {{{"SignatureDoesNotMatch", 403, mismatch},
      {"RequestExpired", 400, request_expired},
      {"InvalidSignatureException", 400, mismatch},
      {"InvalidSignatureException", 403, mismatch},
      {"AccessDenied", 403, "Request has expired"}}},
    {{{"SignatureDoesNotMatch", 403, unsigned_header},
      {"AuthFailure", 401, unsigned_header},
      {"InvalidSignatureException", 400, unsigned_header},
      {"InvalidSignatureException", 403, unsigned_header},
      {"AccessDenied", 403, unsigned_header}}},
}};

}  // namespace

AuthStyle auth_style(std::string_view service, const HttpRequest& request) {
  if (!service.empty() && path_rule_of(service) == PathRule::AsSent) return AuthStyle::S3;
  if (service == "ec2") return AuthStyle::Ec2;
  if (service == "cloudfront" || service == "route53") return AuthStyle::Query;
  if (request.headers.has("X-Amz-Target")) return AuthStyle::Json;
  const std::string_view type = request.headers.get("Content-Type");
  if (type.starts_with("application/x-amz-json") || type.starts_with("application/cbor")) return AuthStyle::Json;
  if (type.starts_with("application/x-www-form-urlencoded")) return AuthStyle::Query;
  const std::string_view query = request.query();
  if (query.starts_with("Action=") || query.find("&Action=") != std::string_view::npos) return AuthStyle::Query;
  return AuthStyle::RestJson;
}

Error auth_error(AuthStyle style, AuthFault fault, std::string message) {
  const Answer& answer = answers[static_cast<std::size_t>(fault)][static_cast<std::size_t>(style)];
  if (message.empty()) message = answer.sentence;
  return errors::coded(std::string(answer.code), std::move(message), answer.status);
}

}  // namespace fixpoint::aws
