// The commands on changes: plan, fix, undo.
#include <chrono>
#include <iostream>
#include <thread>

#include "base/shell.h"
#include "base/text.h"
#include "main/commands.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

constexpr std::int64_t wait_seconds_otherwise = 60;

// One that waits for a person or a window goes on only when that comes.
bool rests(const Value& execution) {
  const std::string_view outcome = execution["Outcome"].string_or("");
  return execution.find("EndedAt") != nullptr ||
         (execution["Status"].string_or("") == "WAITING" &&
          (outcome == "waits for approval" || outcome == "waits for the window"));
}

using Time = std::chrono::steady_clock::time_point;

Time in_seconds(std::int64_t seconds) {
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

// The execution once it has ended or rests, or as it is then.
Result<Value> settled(const Arguments& arguments, const std::string& id, Time until) {
  while (true) {
    auto execution = call_server(arguments, "executions", json::Object{{"Id", id}});
    if (!execution || rests(*execution) || std::chrono::steady_clock::now() >= until) return execution;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
}

// The same of what was begun for a finding. Where an undo keeps it, it goes on by another execution once that has
// ended.
Result<Value> settled_fix(const Arguments& arguments, const Value& line, Time until) {
  auto execution = settled(arguments, std::string(line["Execution"].string_or("")), until);
  if (!execution || !line["Kept"].bool_or(false)) return execution;
  for (const Value& one : items_of((*execution)["Resumed"]))
    if (one["FindingId"] == line["FindingId"])
      return settled(arguments, std::string(one["Execution"].string_or("")), until);
  return execution;
}

// The hash of the plan that waits for an answer.
std::string open_plan(const Value& approvals) {
  for (const Value& approval : items_of(approvals))
    if (approval["State"].string_or("") == "OPEN") return std::string(approval["PlanHash"].string_or(""));
  return {};
}

// How what waits for a person is let go on.
std::string approve_command_of(const Value& execution) {
  return "It asks first: fixpoint approve " + std::string(execution["Id"].string_or("")) + " --plan " +
         open_plan(execution["Approvals"]).substr(0, 12);
}

bool waits_for_approval(const Value& execution) {
  return execution["Outcome"].string_or("") == "waits for approval";
}

std::string note_of(const Value& line, const Value& execution) {
  const std::string_view why = line["Why"].string_or("");
  const bool is_kept = line["Kept"].bool_or(false);
  if (is_kept && execution["Id"] == line["Execution"] && execution.find("EndedAt") == nullptr) return std::string(why);
  std::string note(execution["Result"]["Note"].string_or(is_kept ? "" : why));
  if (note.empty() && waits_for_approval(execution))
    note = "waits until plan " + open_plan(execution["Approvals"]).substr(0, 12) + " is approved or rejected";
  return note;
}

std::string before_of(const Value& line) {
  const Value* before = line.find("Before");
  if (before == nullptr) return "not read";
  return before->is_null() ? "absent" : print_escaped(*before);
}

std::string guards_of(const Value& line) {
  std::string out;
  const Value& guards = line["Guards"];
  for (std::size_t i = 0; i < guards.size(); ++i) {
    const std::string_view says = guards[i]["Says"].string_or("");
    if (says == "pass") continue;
    const std::string until(guards[i]["Until"].string_or(""));
    out += (out.empty() ? "" : "; ") + std::string(guards[i]["Guard"].string_or("")) + ": " + std::string(says) +
           (until.empty() ? "" : " until " + until);
    if (!guards[i]["Sentence"].string_or("").empty() && until.empty())
      out += " (" + std::string(guards[i]["Sentence"].string_or("")) + ")";
  }
  return out.empty() ? "pass" : out;
}

// A finding's Id is a stranger's word: it is not to end the command, nor to be an option of it.
std::string fix_command_of(const Value& execution) {
  const std::string_view id = execution["Subject"].string_or("");
  const std::string_view qualifier = execution["Qualifier"].string_or("");
  const std::string program =
      std::string(execution["Program"].string_or("")) + (qualifier.empty() ? "" : ":" + std::string(qualifier));
  const std::string options =
      " --plan " + std::string(execution["Result"]["Plan"]["Hash"].string_or("").substr(0, 12)) +
      (execution["Kind"].string_or("") == "function" ? " --function " + shell_word(program) : "");
  return "fixpoint fix" +
         (id.starts_with('-') ? options + " -- " + shell_quoted(id) : " " + shell_quoted(id) + options);
}

void print_plan(const Value& execution) {
  const Value& result = execution["Result"];
  const Value& plan = result["Plan"];
  const bool of_function = execution["Kind"].string_or("") == "function";
  if (plan["Changes"].size() == 0) {
    std::string said(result["Note"].string_or(""));
    if (of_function && said.empty())
      said = result["FunctionError"].string_or("").empty() ? "the handler would change nothing of the account"
                                                           : std::string(result["Payload"].string_or(""));
    if (said.empty()) said = result["Message"].string_or("");
    std::cout << execution["Outcome"].string_or("") << ": " << said << "\n";
    return;
  }
  std::vector<std::vector<std::string>> rows{{"#", "CALL", "INPUT", "STATE BEFORE", "UNDO", "GUARDS"}};
  for (std::size_t i = 0; i < plan["Changes"].size(); ++i) {
    const Value& line = plan["Changes"][i];
    std::string undo(line["Undo"].string_or(""));
    if (!line["RestsOn"].string_or("").empty())
      undo += "; rests on a change not made: " + std::string(line["RestsOn"].string_or(""));
    rows.push_back({std::to_string(i + 1), call_of(line, execution["Account"].string_or("")),
                    print_escaped(line["Input"]), before_of(line), undo, guards_of(line)});
  }
  print_table(rows, 46);
  if (result.find("CompliantAfterwards") != nullptr)
    std::cout << "\nAfterwards the check "
              << (result["CompliantAfterwards"].bool_or(false) ? "would pass" : "cannot be told to pass") << ": "
              << result["Change"].string_or("") << "\n";
  std::cout << "\nplan " << plan["Hash"].string_or("")
            << "\nNothing was changed. To make it: " << fix_command_of(execution) << "\n";
}

// Whose run it is where it is no control's.
void name_function(const Arguments& arguments, json::Object& input) {
  if (arguments.has("function")) input.set("Function", arguments.get("function"));
  if (arguments.has("rule")) input.set("Rule", arguments.get("rule"));
}

int run_plan(const Arguments& arguments) {
  json::Object input{{"FindingId", arguments.positional[0]}, {"Decided", arguments.has("decided")}};
  name_function(arguments, input);
  auto begun = call_server(arguments, "plan", input);
  if (!begun) return report(begun.error());
  auto execution =
      settled(arguments, std::string((*begun)["Execution"].string_or("")), in_seconds(wait_seconds_otherwise));
  if (!execution) return report(execution.error());
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(*execution) << "\n";
  else
    print_plan(*execution);
  if (execution->find("EndedAt") == nullptr || (*execution)["Status"].string_or("") == "FAILED") return refused;
  const bool changes = (*execution)["Result"]["Plan"]["Changes"].size() > 0;
  return (*execution)["Outcome"].string_or("") == "planned" && changes ? ok : negative;
}

std::optional<std::int64_t> seconds_of(const Arguments& arguments) {
  const auto seconds = to_int64(arguments.get("wait", "0"));
  if (seconds && *seconds >= 0) return seconds;
  std::cerr << "fixpoint: --wait takes a number of seconds\n";
  return std::nullopt;
}

int run_fix(const Arguments& arguments) {
  const auto seconds = seconds_of(arguments);
  if (!seconds) return bad_usage;
  json::Array ids(arguments.positional.begin(), arguments.positional.end());
  json::Object input{{"FindingIds", std::move(ids)}};
  if (arguments.has("plan")) input.set("Plan", arguments.get("plan"));
  name_function(arguments, input);
  auto begun = call_server(arguments, "fix", input);
  if (!begun) return report(begun.error());
  bool good = true;
  json::Array all;
  std::vector<std::string> asks;
  std::vector<std::vector<std::string>> rows{{"EXECUTION", "FINDING", "OUTCOME", "NOTE"}};
  for (const Value& line : items_of((*begun)["Executions"])) {
    auto execution = settled_fix(arguments, line, in_seconds(*seconds));
    if (!execution) return report(execution.error());
    const std::string outcome((*execution)["Outcome"].string_or(""));
    good = good && (*seconds == 0 || outcome == "fixed" || outcome == "compliant" || outcome == "gone" ||
                    outcome == "returned");
    rows.push_back({std::string((*execution)["Id"].string_or("")), std::string(line["FindingId"].string_or("")),
                    outcome.empty() ? std::string((*execution)["Status"].string_or("")) : outcome,
                    note_of(line, *execution)});
    if (waits_for_approval(*execution) && !arguments.has("json")) asks.push_back(approve_command_of(*execution));
    all.push_back(std::move(*execution));
  }
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(json::Object{{"Executions", std::move(all)}}) << "\n";
  else
    print_table(rows, 60);
  for (const std::string& command : asks) std::cout << command << "\n";
  return good ? ok : negative;
}

void print_undo(const Value& execution) {
  const Value& result = execution["Result"];
  std::cout << "execution " << execution["Id"].string_or("") << " (undo): "
            << (execution["Outcome"].string_or("").empty() ? execution["Status"].string_or("")
                                                           : execution["Outcome"].string_or(""))
            << "\n";
  const Value& approvals = execution["Approvals"];
  const Value& states = result["States"].is_array() ? result["States"] : approvals[0]["Plan"]["States"];
  if (states.size() > 0) {
    std::vector<std::vector<std::string>> rows{{"CHANGE", "BEFORE", "LEFT", "FOUND NOW", "FINDS"}};
    for (std::size_t i = 0; i < states.size(); ++i) {
      const auto shown = [&](const char* name) {
        const Value* value = states[i].find(name);
        return value == nullptr ? std::string("-") : value->is_null() ? std::string("absent") : print_escaped(*value);
      };
      rows.push_back({call_of(states[i], execution["Account"].string_or("")), shown("Before"), shown("Left"),
                      shown("Now"), std::string(states[i]["Finds"].string_or(""))});
    }
    print_table(rows, 44);
  }
  if (!result["Note"].string_or("").empty()) std::cout << result["Note"].string_or("") << "\n";
  if (waits_for_approval(execution)) std::cout << approve_command_of(execution) << "\n";
}

int run_undo(const Arguments& arguments) {
  const auto seconds = seconds_of(arguments);
  if (!seconds) return bad_usage;
  auto begun = call_server(arguments, "undo", json::Object{{"Execution", arguments.positional[0]}});
  if (!begun) return report(begun.error());
  auto execution = settled(arguments, std::string((*begun)["Execution"].string_or("")), in_seconds(*seconds));
  if (!execution) return report(execution.error());
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(*execution) << "\n";
  else
    print_undo(*execution);
  return *seconds == 0 || (*execution)["Outcome"].string_or("") == "undone" ? ok : negative;
}

}  // namespace

Command plan_command() {
  return {
      .name = "plan",
      .summary = "show what would be changed for a finding, and change nothing",
      .positional = "FINDING_ID",
      .at_least = 1,
      .at_most = 1,
      .options = server_options(
          {{"decided", "", "as if a person had chosen it: the mode is not held against it", "", false},
           {"function", "NAME", "plan the run of this Lambda function for the finding, not of its control", "", false},
           {"rule", "NAME", "the same of the function that this rule starts, with what the rule hands to it", "",
            false}}),
      .run = run_plan,
      .more = "Exit status 1 where there is nothing to change, 5 where it could not be planned."};
}

Command fix_command() {
  return {
      .name = "fix",
      .summary = "make what is planned for findings: a person's decision",
      .positional = "FINDING_ID...",
      .at_least = 1,
      .at_most = 1000,
      .options = server_options({{"plan", "HASH", "only this plan, whole or its first eight digits or more", "", false},
                                 {"function", "NAME", "run this Lambda function, held to --plan", "", false},
                                 {"rule", "NAME", "the same of the function that this rule starts", "", false},
                                 {"wait", "SECONDS", "wait for the end, at most so long", "", false}}),
      .run = run_fix,
      .more =
          "Where the resource moved since the plan, it is planned anew and asked for again. While an undo of the same\n"
          "control and resource has not ended, the fix begins once it has, and --wait waits for both. Exit status 1\n"
          "where --wait is given and a finding is not fixed, compliant or gone, or its function has not returned."};
}

Command undo_command() {
  return {
      .name = "undo",
      .summary = "take back what an execution changed",
      .positional = "EXECUTION_ID",
      .at_least = 1,
      .at_most = 1,
      .options = server_options({{"wait", "SECONDS", "wait for the end, at most so long", "", false}}),
      .run = run_undo,
      .more =
          "Where what it left is no longer what is there, it shows the three states and asks. While another execution\n"
          "of the same control and resource has not ended, it is refused. Exit status 1 where --wait is given and it\n"
          "is not undone."};
}

}  // namespace fixpoint::main
