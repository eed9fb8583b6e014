// The command line: which subcommands there are. CLI11 is included here and nowhere else (it costs four seconds a
// file).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>

#include "main/command.h"
#include "main/commands.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

constexpr const char* version = "fixpoint " FIXPOINT_VERSION;

// Usage lines with a command's words as it declares them.
class Usage : public CLI::Formatter {
 public:
  std::string make_option_usage(const CLI::Option* option) const override { return option->get_description(); }
  std::string make_positionals(const CLI::App* /*app*/) const override { return {}; }
};

int wrong_words(const std::string& sentence) {
  std::cerr << "fixpoint: " << sentence << "\n";
  return bad_usage;
}

std::string form_of(const Command& command) {
  return "fixpoint " + command.name + (command.positional.empty() ? "" : " " + command.positional);
}

// 'help' and 'help COMMAND' are --help, as in most programs that have commands.
void read_help(std::vector<std::string>& words) {
  if (words.empty() || words[0] != "help") return;
  if (words.size() > 1)
    words = {words[1], "--help"};
  else
    words = {"--help"};
}

// A sentence where the first word is no command.
std::optional<std::string> no_command(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  if (words.empty()) return "name a command; 'fixpoint help' lists them";
  if (words[0].starts_with('-')) return {};
  if (std::any_of(commands.begin(), commands.end(), [&](const Command& one) { return one.name == words[0]; }))
    return {};
  return "there is no command '" + words[0] + "'; 'fixpoint help' lists them";
}

int run(int argc, char** argv) {
  CLI::App app{"Takes cloud security findings, fixes what they name, proves it, and can take it back."};
  app.name("fixpoint");
  app.set_version_flag("--version", version);
  app.formatter(std::make_shared<Usage>());
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
    constexpr int any_number = 1'000'000;  // how many are too many is told below
    if (command.at_most > 0) b.app->add_option("arguments", b.positional, command.positional)->expected(0, any_number);
  }
  // CLI11 reads [a,b] as a list, and -'x' or -1 as an option; here they are an expression, or a piece of JSON.
  constexpr char as_it_is = '\x01';
  const auto unmarked = [](const std::string& word) { return word.starts_with(as_it_is) ? word.substr(1) : word; };
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  read_help(words);
  if (const auto sentence = no_command(commands, words)) return wrong_words(*sentence);
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
  } catch (const CLI::ExtrasError&) {
    std::string extra;
    for (const std::string& word : app.remaining(true)) extra += " " + unmarked(word);
    for (const Bound& b : bound)
      if (b.app->parsed())
        return wrong_words("not expected:" + extra + "; the form is " + form_of(*b.command) + ", and 'fixpoint help " +
                           b.command->name + "' lists its options");
    return wrong_words("not expected:" + extra + "; 'fixpoint help' lists the commands");
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? ok : bad_usage;
  }
  for (const Bound& b : bound) {
    if (!b.app->parsed()) continue;
    if (b.positional.size() < b.command->at_least)
      return wrong_words("something is missing: the form is " + form_of(*b.command) + "; 'fixpoint help " +
                         b.command->name + "' tells more");
    if (b.positional.size() > b.command->at_most)
      return wrong_words("there are " + std::to_string(b.positional.size()) + " words, and " + b.command->name +
                         " takes " + std::to_string(b.command->at_most) + " at most; the form is " +
                         form_of(*b.command) + ", and 'fixpoint help " + b.command->name + "' tells more");
    Arguments arguments;
    for (const std::string& word : b.positional) arguments.positional.push_back(unmarked(word));
    for (const Option& option : b.command->options) {
      if (b.app->get_option("--" + option.name)->count() == 0) continue;
      arguments.options[option.name] = option.value.empty() ? "true" : unmarked(b.values.at(option.name));
      // An empty variable of a script would count as if the option were not there. Words for a record may be none.
      if (arguments.options[option.name].empty() && option.value != "TEXT")
        return wrong_words("--" + option.name + " is empty; give it a value (" + option.value + "), or leave it out");
    }
    return b.command->run(arguments);
  }
  return bad_usage;
}

}  // namespace
}  // namespace fixpoint::main

int main(int argc, char** argv) {
  using namespace fixpoint::main;
  Harmless out(std::cout), err(std::cerr);
  int status = ok;
  try {
    status = run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "fixpoint: " << e.what() << "\n";
    status = faulty;
  }
  const int error = out.finish();
  if (error == 0) return status;
  if (error == EPIPE) return unread;
  std::cerr << "fixpoint: the output could not be written: " << std::strerror(error) << "\n";
  return unwritten;
}
