#pragma once

#include "sandbox/operation.h"

namespace fixpoint::sandbox::iam {

tl::unexpected<Error> refuse(std::string code, int status, std::string message);

/// The part of a list that the call asks for by MaxItems and Marker. Error: ValidationError for a wrong marker.
Reply page(const Request& request, std::string_view into, json::Array items);

/// Managed policies: their versions, and what they are attached to.
void add_policies(Operations& table);
/// Which users are in a group.
void add_groups(Operations& table);
/// What IAM asks of a call before the declared operation does it.
void add_checks(Services& services);

}  // namespace fixpoint::sandbox::iam
