#pragma once

#include <string>
#include <string_view>

namespace fixpoint {

/// A session of a role: anybody who may assume the role chooses the session's name.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
bool is_session_arn(std::string_view arn);

/// Who did something, as records name it: the ARN of the caller, and where that is a session also who assumed the role,
/// `ARN, assumed by ARN`. No ARN of a caller holds a blank, so that a session's name cannot imitate the rest.
std::string person_text(std::string_view arn, std::string_view source);

/// The one who is behind such a text, to be compared with another: who assumed the role, else the caller. Empty where
/// nobody knows: for a session that does not say who assumed it, and for what is no name (`custom action Fix`).
std::string person_of(std::string_view text);

}  // namespace fixpoint
