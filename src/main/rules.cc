// The commands on rules of the event bus: rules list, rules try, rules deliveries.
#include <iostream>

#include "base/text.h"
#include "main/commands.h"
#include "main/files.h"
#include "main/forms.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

int say(const std::string& what) {
  std::cerr << "fixpoint rules: " << what << "\n";
  return bad_usage;
}

// "90s", "30m", "12h", "7d" in milliseconds.
std::optional<std::int64_t> duration_ms(const std::string& text) {
  if (text.size() < 2) return {};
  const auto number = to_int64(text.substr(0, text.size() - 1));
  if (!number || *number < 0 || *number > 100'000) return {};
  switch (text.back()) {
    case 's': return *number * 1000;
    case 'm': return *number * 60'000;
    case 'h': return *number * 3'600'000;
    case 'd': return *number * 86'400'000;
    default: return {};
  }
}

int run_list(const Arguments& arguments) {
  auto answer = call_server(arguments, "rules", json::Object{{"Bus", arguments.get("bus", "default")}});
  if (!answer) return report(answer.error());
  const int status = (*answer)["Rules"].size() == 0 ? negative : ok;
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
    return status;
  }
  std::vector<std::vector<std::string>> rows{{"RULE", "STATE", "PATTERN OR SCHEDULE", "TARGETS"}};
  for (const Value& rule : items_of((*answer)["Rules"])) {
    std::string targets;
    for (const Value& arn : items_of(rule["Targets"]))
      targets += (targets.empty() ? "" : " ") + std::string(arn.string_or(""));
    rows.push_back({std::string(rule["Name"].string_or("")), rule["Enabled"].bool_or(false) ? "enabled" : "disabled",
                    std::string(rule["Pattern"].string_or("")) + std::string(rule["Schedule"].string_or("")), targets});
  }
  print_table(rows, 60);
  return status;
}

void print_trial(const Value& answer) {
  const auto number = [&](const char* member) { return std::to_string(answer[member].int_or(0)); };
  std::cout << "Since " << answer["Since"].string_or("") << ": " << number("Events") << " events ("
            << number("FromArchives") << " from archives, " << number("FromFindings") << " of findings), "
            << number("Matched") << " matched, " << number("WouldStart") << " would have been started.\n";
  if (!answer["Whole"].bool_or(true))
    std::cout << "There were more events than a trial looks at; these are the first.\n";
  if (answer["Starts"].size() > 0) {
    std::vector<std::vector<std::string>> rows{{"WOULD START", "ACCOUNT", "REGION", "RESOURCE", "EVENTS"}};
    for (const Value& start : items_of(answer["Starts"]))
      rows.push_back({std::string(start["Program"].string_or("")), std::string(start["Account"].string_or("-")),
                      std::string(start["Region"].string_or("-")), std::string(start["Resource"].string_or("-")),
                      std::to_string(start["Events"].int_or(0))});
    print_table(rows, 80);
  }
  if (answer["LeftAlone"].size() > 0) {
    std::vector<std::vector<std::string>> rows{{"LEFT ALONE", "BECAUSE"}};
    for (const Value& one : items_of(answer["LeftAlone"]))
      rows.push_back({std::string(one["Finding"].string_or("")), std::string(one["Because"].string_or(""))});
    print_table(rows, 80);
  }
}

int run_try(const Arguments& arguments) {
  const auto past = duration_ms(arguments.get("since", "7d"));
  if (!past) return say("--since takes a time back such as 90s, 30m, 12h or 7d");
  json::Object input{{"Bus", arguments.get("bus", "default")}, {"SinceMs", *past}};
  if (arguments.positional.size() > 1) input.set("Rule", arguments.positional[1]);
  if (arguments.has("pattern")) {
    auto pattern = read_file(arguments.get("pattern"));
    if (!pattern) return report(pattern.error());
    input.set("Pattern", std::move(*pattern));
  }
  if (input.find("Rule") == nullptr && input.find("Pattern") == nullptr)
    return say("try wants the name of a rule, or --pattern FILE");
  auto answer = call_server(arguments, "rule-trial", input);
  if (!answer) return report(answer.error());
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(*answer) << "\n";
  else
    print_trial(*answer);
  return (*answer)["Matched"].int_or(0) > 0 ? ok : negative;
}

int run_deliveries(const Arguments& arguments) {
  auto answer = call_server(arguments, "deliveries", json::Object());
  if (!answer) return report(answer.error());
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows{{"RULE", "TARGET", "STATE", "TRIES", "NEXT", "ERROR"}};
  for (const Value& one : items_of((*answer)["Deliveries"]))
    rows.push_back({std::string(one["Rule"].string_or("")), std::string(one["Target"].string_or("")),
                    std::string(one["State"].string_or("")), std::to_string(one["Attempts"].int_or(0)),
                    std::string(one["NextAt"].string_or("-")), std::string(one["Error"].string_or(""))});
  print_table(rows, 60);
  return ok;
}

int run_rules(const Arguments& arguments) {
  const std::string action = arguments.positional.empty() ? "list" : arguments.positional[0];
  if ((action == "list" || action == "deliveries") && arguments.positional.size() > 1)
    return say(action + " takes nothing more; the forms are list, try [RULE] and deliveries");
  if (action == "list" && has_stray_option(arguments, "rules list", {"bus"})) return bad_usage;
  if (action == "deliveries" && has_stray_option(arguments, "rules deliveries", {})) return bad_usage;
  if (action == "try" && arguments.positional.size() > 1 && arguments.positional[1].empty())
    return say("the name of the rule is empty");
  if (action == "list") return run_list(arguments);
  if (action == "try") return run_try(arguments);
  if (action == "deliveries") return run_deliveries(arguments);
  return say("there is no '" + action + "'; there are list, try and deliveries");
}

}  // namespace

Command rules_command() {
  return {.name = "rules",
          .summary = "list the rules of an event bus, try one on what is past, or show deliveries that failed",
          .positional = "[list | try [RULE] | deliveries]",
          .at_least = 0,
          .at_most = 2,
          .options = server_options(
              {{"bus", "NAME", "the event bus; default where it is left out", "", false},
               {"since", "TIME", "try: how far back, such as 12h or 7d, which is the default", "", false},
               {"pattern", "FILE", "try: this pattern instead of the rule's own", "", false}}),
          .run = run_rules,
          .more =
              "try starts nothing: it says what the rule would have started, of the events that the bus' archives "
              "hold and of the findings that were updated in that time. Exit status 1 where nothing matched, or "
              "the bus has no rules to list; that no delivery failed is no such answer."};
}

}  // namespace fixpoint::main
