#pragma once

#include "aws/api.h"

namespace fixpoint::gateway {

/// Whether the queues, topics and functions that a call of s3:PutBucketNotificationConfiguration names are there, in
/// the bucket's region; they are asked for at `account`. Of what is no ARN, and of a bucket that is not there, the
/// call itself says so. Error: InvalidArgument (400).
Result<void> check_destinations(aws::Api& account, const aws::CallContext& context, const json::Value& input);

}  // namespace fixpoint::gateway
