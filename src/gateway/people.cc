#include "gateway/people.h"

#include "aws/verify.h"

namespace fixpoint::gateway {

std::string who(const aws::Caller& caller) {
  return caller.principal ? caller.principal->person() : std::string();
}

Result<void> only_people(const aws::Caller& caller) {
  if (!caller.principal || caller.principal->execution.empty()) return {};
  return fail(errors::access_denied("an execution's own credentials decide nothing about changes"));
}

}  // namespace fixpoint::gateway
