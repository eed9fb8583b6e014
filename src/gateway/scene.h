#pragma once

#include <string>

#include "aws/api.h"
#include "aws/service_table.h"
#include "controls/control.h"

namespace fixpoint::gateway {

/// Builds a control's insecure start in an account (the embedded one), and gives the ARN of the resource that is not
/// compliant. Errors: the account's own, with the step in front.
Result<std::string> set_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account);

/// Holds what the scene says that has to be there afterwards against the account. Error: ValidationException naming the
/// step that does not hold. `given` are the answers that set_scene kept; they are read again by running nothing: the
/// templates of `then` see the same names.
Result<void> check_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account,
                         const json::Value& kept);
/// The same as set_scene, with the answers that `keep` named.
Result<std::string> set_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account,
                              json::Value& kept);

/// A finding as Security Hub's own check of that control would make it.
json::Value scene_finding(const controls::Control& control, const aws::Caller& caller, const std::string& arn);

}  // namespace fixpoint::gateway
