#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/error.h"
#include "base/http_message.h"
#include "json/value.h"

namespace fixpoint::aws {

/// The base64 checksum by the name that AWS's models use (CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, in any
/// case); nothing for another name.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
std::optional<std::string> checksum_of(std::string_view algorithm, std::string_view bytes);

/// Adds the checksum that the operation wants to a request whose body is complete: the algorithm that the input names,
/// CRC32 where the operation knows newer checksums and the input names none, Content-MD5 where it knows no other.
/// One that the caller has set stays. Error: ValidationException for an algorithm that is unknown.
Result<void> add_checksum(HttpRequest& request, const Operation& operation, const json::Value& input);

/// Verifies every checksum that came with a request: Content-MD5, and x-amz-checksum-NAME in header or trailer where
/// the operation says that it is of the body. `body` is what is left after aws-chunked.
/// Errors, as S3 answers: InvalidDigest, BadDigest, InvalidRequest, 400 all; NotImplemented naming the header of an
/// algorithm that S3 has and checksum_of() has not.
Result<void> verify_checksums(const HttpRequest& request, std::string_view body, const Operation& operation);

/// Verifies the checksum of a response that was asked for. Error: ChecksumMismatch, retryable.
Result<void> verify_response_checksum(const HttpResponse& response, const Operation& operation);

}  // namespace fixpoint::aws
