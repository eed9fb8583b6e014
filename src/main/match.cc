// fixpoint match: holds events against event patterns, as rules of an event bus would.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>

#include "json/text.h"
#include "main/command.h"
#include "main/files.h"
#include "patterns/json_reader.h"
#include "patterns/machine.h"
#include "patterns/test_pattern.h"

namespace fixpoint::main {
namespace {

using patterns::JsonReader;

struct Input {
  std::string name;
  std::string text;
};

int refuse(const std::string& what) {
  std::cerr << "fixpoint match: " << what << "\n";
  return bad_input;
}

// The lines that hold more than blanks, with their numbers from 1.
std::vector<std::pair<std::size_t, std::string_view>> lines_of(std::string_view text) {
  std::vector<std::pair<std::size_t, std::string_view>> lines;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) lines.emplace_back(number, line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// A member's value as it is written, since the spelling of numbers and repeated names count. A string that holds an
// object's text stands for that text: so a line can also carry what is no JSON.
std::string unwrapped(std::string_view raw) {
  JsonReader reader(raw);
  std::string text;
  if (reader.peek() == '"' && reader.string(text)) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && text[first] == '{') return text;
  }
  return std::string(raw);
}

bool read_case(std::string_view line, std::string& id, std::optional<std::string>& pattern,
               std::optional<std::string>& event) {
  JsonReader reader(line);
  if (!reader.take('{')) return false;
  if (reader.take('}')) return true;
  do {
    std::string name;
    if (!reader.string(name) || !reader.take(':')) return false;
    reader.peek();
    const std::size_t start = reader.position();
    if (!reader.skip_value(2 * patterns::max_depth)) return false;
    const std::string_view raw = line.substr(start, reader.position() - start);
    if (name == "id") id = raw;
    if (name == "pattern") pattern = unwrapped(raw);
    if (name == "event") event = unwrapped(raw);
  } while (reader.take(','));
  return reader.take('}') && reader.peek() == '\0';
}

int run_cases(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return refuse(text.error().message);
  int status = ok;
  for (const auto& [number, line] : lines_of(*text)) {
    std::string id = "null";
    std::optional<std::string> pattern;
    std::optional<std::string> event;
    if (!read_case(line, id, pattern, event) || !pattern || !event) {
      status = refuse(file + ", line " + std::to_string(number) +
                      R"(: a case is {"id": ..., "pattern": {...}, "event": {...}})");
      continue;
    }
    std::string out = "{\"id\":" + id;
    const auto compiled = patterns::compile(*pattern);
    std::string error;
    if (!compiled) {
      out += ",\"valid\":false";
      error = compiled.error().message;
    } else {
      const auto matched = patterns::matches(*pattern, *event);
      out += std::string(",\"valid\":true,\"match\":") + (matched && *matched ? "true" : "false");
      if (!matched) error = describe(matched.error());
    }
    if (!error.empty()) {
      out += ",\"error\":";
      json::print_string_to(out, error);
    }
    std::cout << out << "}\n";
  }
  return status;
}

void print_why(std::size_t number, const Input& rule, std::string_view event) {
  const auto failures = patterns::explain(rule.text, event);
  if (!failures) {
    std::cout << number << "\t" << rule.name << "\tcannot be said: " << describe(failures.error()) << "\n";
    return;
  }
  bool several = false;
  for (const auto& failure : *failures) several = several || failure.branch > 0;
  for (const auto& failure : *failures) {
    std::cout << number << "\t" << rule.name << "\tno: ";
    if (several) std::cout << "in combination " << failure.branch + 1 << " of $or, ";
    if (failure.path.empty())
      std::cout << failure.holds << "; wanted: " << failure.wants << "\n";
    else
      std::cout << failure.path << " holds " << failure.holds << "; wanted: " << failure.wants << "\n";
  }
}

int run_events(const std::vector<Input>& rules, const std::string& file, bool why) {
  patterns::RuleSet set;
  std::vector<patterns::RuleSet::Change> changes;
  changes.reserve(rules.size());
  for (const Input& rule : rules) changes.push_back({rule.name, rule.text});
  if (const auto applied = set.apply(changes); !applied)
    return refuse("rule refused (" + applied.error().where + "): " + applied.error().message);
  const auto text = read_file(file);
  if (!text) return refuse(text.error().message);
  const auto machine = set.machine();
  patterns::Scratch scratch;
  std::vector<patterns::RuleId> matched;
  bool any = false;
  int status = ok;
  for (const auto& [number, line] : lines_of(*text)) {
    if (const auto result = machine->match(line, matched, scratch); !result) {
      status = refuse(file + ", event " + std::to_string(number) + ": " + describe(result.error()));
      continue;
    }
    for (const patterns::RuleId id : matched) std::cout << number << "\t" << machine->name(id) << "\n";
    any = any || !matched.empty();
    if (!why) continue;
    for (const Input& rule : rules) {
      const auto same = [&](patterns::RuleId id) { return machine->name(id) == rule.name; };
      if (std::none_of(matched.begin(), matched.end(), same)) print_why(number, rule, line);
    }
  }
  return status != ok ? status : any ? ok : negative;
}

int run_match(const Arguments& arguments) {
  const int ways =
      (arguments.has("pattern") ? 1 : 0) + (arguments.has("rules") ? 1 : 0) + (arguments.has("cases") ? 1 : 0);
  if (ways != 1) {
    std::cerr << "fixpoint match: give one of --pattern FILE, --rules DIR and --cases FILE\n";
    return bad_usage;
  }
  if (arguments.has("cases")) return run_cases(arguments.get("cases"));
  const std::string events = arguments.positional.empty() ? "-" : arguments.positional[0];
  std::vector<Input> rules;
  if (arguments.has("pattern")) {
    const std::string file = arguments.get("pattern");
    auto text = read_file(file);
    if (!text) return refuse(text.error().message);
    rules.push_back({std::filesystem::path(file).stem().string(), std::move(*text)});
  } else {
    const std::string folder = arguments.get("rules");
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().extension() != ".json") continue;
      auto text = read_file(entry.path().string());
      if (!text) return refuse(text.error().message);
      rules.push_back({entry.path().stem().string(), std::move(*text)});
    }
    if (error) return refuse("cannot read the folder " + folder + ": " + error.message());
    if (rules.empty())
      return refuse("the folder " + folder + " holds no rule: a rule is a file NAME.json that holds its event pattern");
    std::sort(rules.begin(), rules.end(), [](const Input& x, const Input& y) { return x.name < y.name; });
  }
  for (const Input& rule : rules)
    if (rule.text.find_first_not_of(" \t\r\n") == std::string::npos)
      return refuse(rule.name + " is empty: an event pattern is a JSON object");
  return run_events(rules, events, arguments.has("why"));
}

}  // namespace

Command match_command() {
  Command command;
  command.name = "match";
  command.summary = "Say which events match which event patterns, and why others do not";
  command.positional = "EVENTS.jsonl: one event a line; standard input where it is left out";
  command.at_most = 1;
  command.options = {
      {"pattern", "FILE", "hold the events against the event pattern in this file", "", false},
      {"rules", "DIR", "hold the events against every pattern DIR/NAME.json, together", "", false},
      {"why", "", "for each rule that an event does not match, print the fields that fail and what they hold", "",
       false},
      {"cases", "FILE.jsonl",
       "answer lines {\"id\", \"pattern\", \"event\"} with a line {\"id\", \"valid\", \"match\", \"error\"} each", "",
       false},
  };
  command.run = run_match;
  command.more =
      "Prints a line for each match: the event's line number, a tab, the rule's name.\n"
      "Status 0: something matched (with --cases: every line was answered). 1: nothing matched. 2: wrong words. 3: a "
      "file, pattern or event was refused.";
  return command;
}

}  // namespace fixpoint::main
