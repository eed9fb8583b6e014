#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/http_message.h"

namespace fixpoint::aws {

/// How a family of services names the failures of authentication.
enum class AuthStyle {
  Query,     ///< query and rest-xml services: SignatureDoesNotMatch, 403
  Ec2,       ///< EC2: AuthFailure, 401
  Json,      ///< services whose operations are in X-Amz-Target: InvalidSignatureException, 400
  RestJson,  ///< services whose operations are in the path: InvalidSignatureException, 403
  S3,        ///< S3: its own list
};

/// What can be wrong with the authentication of a request.
enum class AuthFault {
  MissingToken,       ///< nothing says who calls
  Incomplete,         ///< the authorization lacks a part or cannot be read
  UnknownKey,         ///< no such access key
  InvalidToken,       ///< the session token is not the key's, or is missing
  ExpiredToken,       ///< the session is over
  SignatureMismatch,  ///< signed with another secret, or changed on the way
  ClockSkew,          ///< signed too long ago or in the future
  ExpiredPresign,     ///< the presigned request is no longer good
  UnsignedHeader,     ///< a header that must be signed is not
};

/// The style of the service of that signing name, told by the form of the request where a service has two (SQS and
/// CloudWatch speak query and JSON). `service` may be empty.
AuthStyle auth_style(std::string_view service, const HttpRequest& request);

/// The error with the code, the HTTP status and the sentence that services of that style answer; `message` replaces the
/// sentence where it is not empty.
/// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
/// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
/// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
/// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
Error auth_error(AuthStyle style, AuthFault fault, std::string message = {});

}  // namespace fixpoint::aws
