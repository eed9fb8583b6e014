#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "changes/door.h"
#include "executions/executor.h"
#include "json/value.h"

namespace fixpoint::functions {

/// The mode that is set for a function that a rule starts (observe, ask, auto); where nothing is set it is auto, as the
/// target of a rule on AWS runs without asking.
using ModeOf = std::function<Result<std::string>(const std::string& rule, const std::string& function,
                                                 const std::string& account)>;

/// The findings that an event carries: those of `detail.findings`, or of `findings`, or the event itself where it is
/// one; an array, empty for none.
json::Value findings_in_event(const json::Value& event);

/// What the function may do, from the execution's input: {"Payload": JSON text, "Findings": [...] where the payload
/// does not carry them, "Rule": ARN, "Decided": true where a person chose it, "By": who, "DryRun", "Plan", "Parent":
/// the execution whose handler invoked it, whose mandate then holds for it as well}. Errors: NoMandate for a parent
/// without one; those of the store.
Result<changes::Mandate> mandate_of(const executions::Execution& execution, changes::Door& door, const ModeOf& mode_of);

}  // namespace fixpoint::functions
