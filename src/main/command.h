#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fixpoint::main {

/// An option of a subcommand, as `--name VALUE`, or a flag where `value` is empty.
struct Option {
  std::string name;   ///< without the dashes
  std::string value;  ///< what its value is called in the help: "FILE"; empty for a flag
  std::string help;
  std::string environment;  ///< a variable that stands in where the option is not given; may be empty
  bool required = false;
};

/// What the user typed, already checked against the command's declaration.
struct Arguments {
  std::map<std::string, std::string> options;  ///< a flag that was given has the value "true"
  std::vector<std::string> positional;

  bool has(const std::string& name) const { return options.contains(name); }
  std::string get(const std::string& name, std::string otherwise = {}) const {
    const auto found = options.find(name);
    return found == options.end() ? std::move(otherwise) : found->second;
  }
};

/// Exit statuses that scripts can test. A command says in its help what `negative` means for it.
enum ExitStatus : int {
  ok = 0,
  negative = 1,     ///< it worked, and the answer is no: nothing matched, not every finding is resolved
  bad_usage = 2,    ///< the words on the command line are wrong
  bad_input = 3,    ///< a file or value was refused; nothing was changed
  unreachable = 4,  ///< no server answers there
  refused = 5,      ///< the server answered with an error
  faulty = 70,      ///< a fault of the program (EX_SOFTWARE)
  unwritten = 74,   ///< what it had to print could not be written (EX_IOERR)
  unread = 141,     ///< whoever read what it prints went away: as a shell shows one that SIGPIPE ended
};

/// One subcommand: a file in src/main/, a row in the table of main.cc.
struct Command {
  std::string name;
  std::string summary;
  std::string positional;    ///< "FILE...", "ACTION FINDING_ID..."; empty where it takes none
  std::size_t at_least = 0;  ///< positional arguments
  std::size_t at_most = 0;
  std::vector<Option> options;
  int (*run)(const Arguments&) = nullptr;
  std::string more;  ///< printed below the options in the help
};

}  // namespace fixpoint::main
