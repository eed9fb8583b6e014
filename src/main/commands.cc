#include "main/commands.h"

namespace fixpoint::main {

// Each is defined in the file of its name.
Command eval_command();

std::vector<Command> all_commands() {
  return {
      eval_command(),
  };
}

}  // namespace fixpoint::main
