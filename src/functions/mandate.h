#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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

/// How many resources there are of the kind that the findings are about, as a control lists them in the account and
/// region of the mandate; nothing where none does. Errors: those of the account.
using PopulationOf = std::function<Result<std::optional<std::int64_t>>(const changes::Mandate&)>;

/// The findings that an event carries: those of `detail.findings`, or of `findings`, or the event itself where it is
/// one; an array, empty for none. What is in OCSF (Security Hub V2) is given in the finding format.
json::Value findings_in_event(const json::Value& event);

/// What the function may do, from the execution's input: {"Payload": JSON text, "Qualifier": the version or alias,
/// "Findings": [...] where the payload does not carry them, "Rule": ARN, "Topic": true where a topic came between the
/// rule and the function, "Decided": true where a person chose it, "By": who, "ByMode": true where the mode holds
/// though no rule started it, "DryRun", "Plan", "Parent": the execution whose handler invoked it, whose mandate then
/// holds for it as well}. `population_of` may be empty; it is asked where a percentage is set. Errors: NoMandate for a
/// parent without one; those of the store and of `population_of`.
Result<changes::Mandate> mandate_of(const executions::Execution& execution, changes::Door& door, const ModeOf& mode_of,
                                    const PopulationOf& population_of);

}  // namespace fixpoint::functions
