#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::iam {

tl::unexpected<Error> refuse(std::string code, int status, std::string message);

/// Managed policies: their versions, and what they are attached to.
void add_policies(Operations& table);
/// Which users are in a group.
void add_groups(Operations& table);

}  // namespace fixpoint::sandbox::iam
