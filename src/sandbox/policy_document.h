#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fixpoint::sandbox {

/// What a policy is attached to decides which elements it has.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
enum class PolicyKind : std::uint8_t {
  Identity,  ///< of a user, group or role: names resources and no principal
  Trust,     ///< of a role: who assumes it; names principals and no resource
  Resource,  ///< of a key: names both
};

/// The first thing that is wrong with the document by the grammar, as IAM says it; nothing where it is right. Names of
/// actions and services, operators of conditions and their keys are not looked up.
std::optional<std::string> policy_fault(std::string_view text, PolicyKind kind);

}  // namespace fixpoint::sandbox
