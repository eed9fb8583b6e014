// The command line: which subcommands there are. CLI11 is included here and nowhere else (it costs four seconds a
// file).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
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
  // CLI11 reads [a,b] as a list, and -'x' or -1 as an option; here they are an expression, or a piece of JSON.
  constexpr char as_it_is = '\x01';
  const auto unmarked = [](const std::string& word) { return word.starts_with(as_it_is) ? word.substr(1) : word; };
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  // Behind "--" nothing is an option. CLI11 would take the words away from the subcommand.
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const auto behind = static_cast<std::size_t>(dashes - words.begin());
  if (dashes != words.end()) words.erase(dashes);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string& word = words[i];
    if (i >= behind || word.starts_with('[') ||
        (word.size() > 1 && word[0] == '-' && word[1] != '-' && std::isalpha(static_cast<unsigned char>(word[1])) == 0))
      word.insert(word.begin(), as_it_is);
  }
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? ok : bad_usage;
  }
  for (const Bound& b : bound) {
    if (!b.app->parsed()) continue;
    Arguments arguments;
    for (const std::string& word : b.positional) arguments.positional.push_back(unmarked(word));
    for (const Option& option : b.command->options) {
      if (b.app->get_option("--" + option.name)->count() == 0) continue;
      arguments.options[option.name] = option.value.empty() ? "true" : unmarked(b.values.at(option.name));
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
