#pragma once

#include <string>
#include <vector>

#include "aws/api.h"
#include "changes/door.h"
#include "controls/control.h"

namespace fixpoint::controls {

/// The ARNs of all resources in the account and region that the control is for, by its `list`, every page. Errors:
/// ValidationException for a control without `list`, or whose `each` gives something else than texts; the account's
/// own: a list that was refused is never a short one.
Result<std::vector<std::string>> enumerate(const Control& control, const aws::CallContext& context,
                                           changes::Door& door);

}  // namespace fixpoint::controls
