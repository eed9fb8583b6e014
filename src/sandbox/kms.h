#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::kms {

/// The key that a text names: an id, a key ARN and, where `aliases` says so, an alias name or alias ARN. An alias
/// `alias/aws/...` that AWS manages gets its key when it is first asked for. Error: NotFoundException.
Result<Document> find_key(Request& request, std::string_view name, bool aliases = true);

/// The ARN of a key as find_key gives it.
inline std::string_view arn_of(const json::Value& key) {
  return key["Metadata"]["Arn"].string_or({});
}

/// The key policy that a call brings: its grammar, and that somebody of the account may put the next one, unless the
/// call says BypassPolicyLockoutSafetyCheck. Error: MalformedPolicyDocumentException.
/// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
Result<void> check_policy(const Request& request);

}  // namespace fixpoint::sandbox::kms
