#pragma once

#include <string>
#include <vector>

namespace fixpoint::changes {

/// The steps of this room's schema: journal, mandates, plans, and what the guards remember.
std::vector<std::string> tables();

}  // namespace fixpoint::changes
