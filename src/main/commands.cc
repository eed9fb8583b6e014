#include "main/commands.h"

namespace fixpoint::main {

std::vector<Command> all_commands() {
  // One line a command, so that two changes seldom meet.
  // clang-format off
  return {
      serve_command(),
      env_command(),
      keys_command(),
      import_command(),
      act_command(),
      findings_command(),
      executions_command(),
      approve_command(),
      reject_command(),
      flapping_command(),
      rules_command(),
      audit_command(),
      plan_command(),
      fix_command(),
      undo_command(),
      exceptions_command(),
      freeze_command(),
      unfreeze_command(),
      settings_command(),
      controls_command(),
      mode_command(),
      scene_command(),
      call_command(),
      operations_command(),
      eval_command(),
      match_command(),
  };
  // clang-format on
}

}  // namespace fixpoint::main
