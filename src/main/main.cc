// The command line: which subcommands there are. CLI11 is included here and nowhere else (it costs four seconds a
// file).
#include <CLI/CLI.hpp>
#include <iostream>

#include "main/command.h"
#include "main/commands.h"

namespace fixpoint::main {
namespace {

constexpr const char* version = "fixpoint " FIXPOINT_VERSION;

int run(int argc, char** argv) {
  CLI::App app{"Takes cloud security findings, fixes what they name, proves it, and can take it back."};
  app.name("fixpoint");
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  const std::vector<Command> commands = all_commands();
  struct Bound {
    const Command* command;
    CLI::App* app;
    std::vector<std::string> positional;
    std::map<std::string, std::string> values;
    std::map<std::string, bool> flags;
  };
  std::vector<Bound> bound(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Command& command = commands[i];
    Bound& b = bound[i];
    b.command = &command;
    b.app = app.add_subcommand(command.name, command.summary);
    if (!command.more.empty()) b.app->footer(command.more);
    for (const Option& option : command.options) {
      CLI::Option* added =
          option.value.empty()
              ? b.app->add_flag("--" + option.name, b.flags[option.name], option.help)
              : b.app->add_option("--" + option.name, b.values[option.name], option.help)->type_name(option.value);
      if (!option.environment.empty()) added->envname(option.environment);
      if (option.required) added->required();
    }
    if (command.at_most > 0)
      b.app->add_option("arguments", b.positional, command.positional)
          ->expected(static_cast<int>(command.at_least),
                     static_cast<int>(std::min<std::size_t>(command.at_most, 100000)))
          ->required(command.at_least > 0);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? ok : bad_usage;
  }
  for (const Bound& b : bound) {
    if (!b.app->parsed()) continue;
    Arguments arguments;
    arguments.positional = b.positional;
    for (const Option& option : b.command->options) {
      if (b.app->get_option("--" + option.name)->count() == 0) continue;
      arguments.options[option.name] = option.value.empty() ? "true" : b.values.at(option.name);
    }
    return b.command->run(arguments);
  }
  return bad_usage;
}

}  // namespace
}  // namespace fixpoint::main

int main(int argc, char** argv) {
  try {
    return fixpoint::main::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "fixpoint: " << e.what() << "\n";
    return 70;  // EX_SOFTWARE: a fault of the program
  }
}
