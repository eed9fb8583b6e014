#include "main/commands.h"

namespace fixpoint::main {

std::vector<Command> all_commands() {
  return {};
}

}  // namespace fixpoint::main
