#pragma once

#include "patterns/machine_data.h"

namespace fixpoint::patterns {

/// Chooses for each branch the field by which it is entered: the one whose values the fewest branches ask for,
/// whichever its path. Sorts the branch's fields, the rarest first, and fills the index. What nearly always holds is
/// never enumerated: it is checked last, for the few branches that are left.
void make_entries(MachineData& data);

}  // namespace fixpoint::patterns
