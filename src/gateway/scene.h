#pragma once

#include <string>

#include "aws/api.h"
#include "aws/service_table.h"
#include "controls/control.h"

namespace fixpoint::gateway {

/// Builds a control's insecure start in an account (the embedded one), and gives the ARN of the resource that is not
/// compliant. Errors: the account's own, with the step in front.
Result<std::string> set_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account);
/// The same; `kept` becomes the answers that the scene's `keep` names.
Result<std::string> set_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account,
                              json::Value& kept);

/// Holds what the scene says that has to be there afterwards against the account; its templates see the answers `kept`
/// of set_scene. Error: ValidationException naming the step that does not hold.
Result<void> check_scene(const controls::Control& control, const aws::Caller& caller, aws::Api& account,
                         const json::Value& kept);

/// A finding as Security Hub's own check of that control would make it.
json::Value scene_finding(const controls::Control& control, const aws::Caller& caller, const std::string& arn);

}  // namespace fixpoint::gateway
