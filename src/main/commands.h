#pragma once

#include <vector>

#include "main/command.h"

namespace fixpoint::main {

/// Every subcommand, in the order in which the help shows them. The list is in commands.cc.
std::vector<Command> all_commands();

// One function a subcommand, each in the file that is named after it or after what it is about.
Command serve_command();
Command env_command();
Command keys_command();
Command import_command();
Command act_command();
Command findings_command();
Command executions_command();
Command approve_command();
Command reject_command();
Command flapping_command();
Command rules_command();
Command audit_command();
Command plan_command();
Command fix_command();
Command undo_command();
Command exceptions_command();
Command freeze_command();
Command unfreeze_command();
Command settings_command();
Command controls_command();
Command mode_command();
Command scene_command();
Command call_command();
Command operations_command();
Command eval_command();
Command match_command();

}  // namespace fixpoint::main
