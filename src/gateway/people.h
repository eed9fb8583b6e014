#pragma once

#include <string>

#include "aws/service_table.h"
#include "base/error.h"

namespace fixpoint::gateway {

/// Who calls, as records name it (`base/person.h`); empty where nobody is known.
std::string who(const aws::Caller& caller);

/// What decides about changes, or what holds them off, is for people: an execution's own credentials are refused.
/// Error: AccessDeniedException.
Result<void> only_people(const aws::Caller& caller);

}  // namespace fixpoint::gateway
