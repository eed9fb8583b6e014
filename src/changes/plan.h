#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "changes/change.h"
#include "changes/mandate.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// The changes that an execution means to make, with the state that they would overwrite. Two plans that mean the same
/// have the same hash, whichever executions made them: the SHA-256 of the canonical JSON text of
/// {"Kind", "Program", "Account", "Region", "Findings": [{"ProductArn", "Id"}], "Resources", "Changes": [{"Call",
/// "Region", "Account" (where it is another than the plan's), "Input", "Before" (null for absent, missing where no
/// recipe reads it), "Undo", "RestsOn"}]}.
struct Plan {
  std::string hash;  ///< 64 lower-case digits
  json::Value document;
};

Plan make_plan(const Mandate& mandate, const std::vector<Change>& changes);

Result<void> put(store::Transaction& tx, const Plan& plan, TimeMs now_ms);
/// By the whole hash, or by its beginning of at least eight digits. Errors: ResourceNotFoundException,
/// ValidationException where several plans begin like that.
Result<Plan> find_plan(store::Session& session, const std::string& hash);

/// Holds a change that is about to be made, its state before read afresh, against the plan that was approved. `made` is
/// what the execution has made of it so far. Errors, status 409:
/// - `NotInPlan`: the plan has no such call, or none left;
/// - `PlanMoved`: the state before is no longer what the plan saw; says from what to what.
/// Names that a dry run made up stand for any; what rested on a change that was not made is not compared.
Result<void> hold(const Plan& plan, const Change& change, const std::vector<Change>& made);

}  // namespace fixpoint::changes
