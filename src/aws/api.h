#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// Who calls, where to, and on whose behalf: passed along with every call.
struct CallContext {
  std::string account;     ///< the twelve digits of the account that is called
  std::string region;      ///< `us-east-1`; global services take the partition's own region from it
  std::string execution;   ///< the execution that the call is made for, empty where there is none
  std::string request_id;  ///< the request that led to the call, empty where there is none
};

/// An AWS account as the rest of the program sees it: the real one or the embedded one. Thread-safe.
class Api {
 public:
  virtual ~Api() = default;
  /// Makes one call and waits for its answer. `service` is the model's name (`securityhub`, `s3`, `stepfunctions`),
  /// `operation` the model's operation (`PutBucketEncryption`), `input` and the result are objects of the model's
  /// member names: blobs base64, timestamps seconds since the epoch. Errors carry the code, message and HTTP status
  /// that AWS answered; `retryable` says whether the same call may succeed later.
  virtual Result<json::Value> call(const CallContext& context, std::string_view service, std::string_view operation,
                                   const json::Value& input) = 0;
};

}  // namespace fixpoint::aws
