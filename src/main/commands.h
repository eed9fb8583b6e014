#pragma once

#include <vector>

#include "main/command.h"

namespace fixpoint::main {

/// Every subcommand, in the order in which the help shows them. The list is in commands.cc.
std::vector<Command> all_commands();

}  // namespace fixpoint::main
