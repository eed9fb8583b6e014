#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::s3 {

/// What is wrong with a bucket policy, as S3 says it: its grammar, and that it speaks of S3 and of this bucket. Errors:
/// MalformedPolicy, PolicyTooLarge.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
Result<json::Value> read_bucket_policy(std::string_view text, std::string_view bucket);

/// Lets in somebody who is not known by fixed values.
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
bool is_public_policy(const json::Value& policy);

}  // namespace fixpoint::sandbox::s3
