// The commands on executions: executions, approve, reject.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/text.h"
#include "main/commands.h"
#include "main/forms.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

constexpr std::size_t listed_at_most = 1000;  // by the server in one answer
constexpr const char* plan_help = "the plan that was looked at, whole or its first eight digits: no other is answered";

// A resource without the ARN's beginning, which is the same for all.
std::string short_name(std::string_view arn) {
  const auto parts = split(arn, ':');
  return parts.size() >= 6 ? std::string(arn.substr(static_cast<std::size_t>(parts[5].data() - arn.data())))
                           : std::string(arn);
}

// What tells a finding from the others: the end of its Id, which is a UUID in Security Hub's own.
std::string short_finding(std::string_view id) {
  const std::string_view last = id.substr(id.rfind('/') + 1);
  return std::string(last.size() == 36 ? last.substr(0, 8) : last);
}

// The calls of a plan, each once. An undo's plan has them beside the states that it compared.
std::string calls_of(const Value& plan) {
  std::vector<std::string> calls;
  for (const Value& call : items_of(plan.is_object() ? plan["Changes"] : plan))
    if (std::string name(call["Call"].string_or("")); std::find(calls.begin(), calls.end(), name) == calls.end())
      calls.push_back(std::move(name));
  return calls.empty() ? "no call" : join(calls, ", ");
}

std::vector<std::string> row_of(const Value& execution) {
  const Value& result = execution["Result"];
  std::string what(result["Change"].string_or(""));
  if (what.empty()) what = result["Note"].string_or("");
  const Value& asked = execution["Approvals"][0];
  if (what.empty() && asked.is_object())
    what = "plans " + calls_of(asked["Plan"]) + " (plan " + std::string(asked["PlanHash"].string_or("").substr(0, 12)) +
           ")";
  const std::string_view resource = result["Resource"].string_or(execution["Resource"].string_or(""));
  const Value& verified = result["Verified"];
  return {std::string(execution["Id"].string_or("").substr(0, 8)),
          short_finding(execution["Subject"].string_or("")),
          short_name(resource.empty() ? execution["Subject"].string_or("") : resource),
          std::string(execution["Program"].string_or("")),
          what,
          verified.is_bool() ? (verified.as_bool() ? "verified" : "NOT VERIFIED") : "-",
          std::string(execution["Outcome"].string_or("")).empty() ? std::string(execution["Status"].string_or(""))
                                                                  : std::string(execution["Outcome"].string_or("")),
          execution.find("DurationMs") != nullptr ? std::to_string(execution["DurationMs"].int_or(0)) + " ms" : "..."};
}

std::string state_of(const Value& states, const char* name) {
  const Value* value = states.find(name);
  return value == nullptr ? "not read" : value->is_null() ? "absent" : print_escaped(*value);
}

// What an approval is asked for. An undo's plan has beside its changes the states that it compared.
void print_planned(const Value& plan, std::string_view account) {
  for (const Value& call : items_of(plan.is_object() ? plan["Changes"] : plan))
    std::cout << "  plans " << call_of(call, account) << " " << print_escaped(call["Input"]) << ", undo "
              << call["Undo"].string_or("") << "\n";
  for (const Value& states : items_of(plan["States"]))
    std::cout << "  compares " << call_of(states, account) << ", before " << state_of(states, "Before") << ", left "
              << state_of(states, "Left") << ", found now " << state_of(states, "Now") << ": "
              << states["Finds"].string_or("") << "\n";
}

void print_one(const Value& execution) {
  const std::string_view account = execution["Account"].string_or("");
  for (const auto* member :
       {"Id", "Kind", "Program", "Account", "Region", "Subject", "Status", "Outcome", "StartedAt", "EndedAt"})
    if (!execution[member].string_or("").empty())
      std::cout << member << ": " << execution[member].string_or("") << "\n";
  if (!execution["Result"]["Note"].string_or("").empty())
    std::cout << "Note: " << execution["Result"]["Note"].string_or("") << "\n";
  for (const Value& approval : items_of(execution["Approvals"])) {
    std::cout << "Approval: " << approval["State"].string_or("") << ", plan " << approval["PlanHash"].string_or("")
              << ", asked " << approval["AskedAt"].string_or("");
    if (approval["State"].string_or("") == "OPEN") std::cout << ", until " << approval["ExpiresAt"].string_or("");
    if (!approval["AnsweredBy"].string_or("").empty())
      std::cout << ", by " << approval["AnsweredBy"].string_or("") << " " << approval["AnsweredAt"].string_or("");
    if (!approval["Because"].string_or("").empty()) std::cout << ": " << approval["Because"].string_or("");
    if (approval["FourEyes"].bool_or(false)) std::cout << " (four eyes)";
    std::cout << "\n";
    print_planned(approval["Plan"], account);
  }
  for (const Value& change : items_of(execution["Changes"]))
    std::cout << "Change: " << call_of(change, account) << " " << print_escaped(change["Input"]) << " "
              << change["State"].string_or("")
              << (change["Error"].string_or("").empty() ? "" : " (" + std::string(change["Error"].string_or("")) + ")")
              << ", undo " << change["Undo"].string_or("") << "\n";
  for (const Value& line : items_of(execution["Journal"]))
    std::cout << line["At"].string_or("") << "  " << line["Text"].string_or("") << "\n";
}

int run_executions(const Arguments& arguments) {
  if (!arguments.positional.empty()) {
    if (has_stray_option(arguments, "executions ID", {})) return bad_usage;
    auto execution = call_server(arguments, "executions", json::Object{{"Id", arguments.positional[0]}});
    if (!execution) return report(execution.error());
    if (arguments.has("json"))
      std::cout << print_pretty_escaped(*execution) << "\n";
    else
      print_one(*execution);
    return ok;
  }
  const auto seconds = to_int64(arguments.get("wait", "0"));
  if (!seconds || *seconds < 0) {
    std::cerr << "fixpoint executions: --wait takes a number of seconds\n";
    return bad_usage;
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(*seconds);
  while (true) {
    json::Object filter;
    for (const auto& [option, member] : {std::pair{"status", "Status"}, {"control", "Program"}, {"finding", "Finding"}})
      if (arguments.has(option)) filter.set(member, arguments.get(option));
    auto answer = call_server(arguments, "executions", filter);
    if (!answer) return report(answer.error());
    const std::int64_t open = (*answer)["Open"].int_or(0);
    if (open > 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    const bool chosen = arguments.has("control") || arguments.has("finding");
    bool good = open == 0 && !(chosen && (*answer)["Executions"].size() == 0);
    std::vector<std::vector<std::string>> rows{
        {"EXECUTION", "FINDING", "RESOURCE", "CONTROL", "CHANGED, FROM -> TO", "VERIFIED", "OUTCOME", "TIME"}};
    for (const Value& execution : items_of((*answer)["Executions"])) {
      rows.push_back(row_of(execution));
      good = good && execution["Status"].string_or("") == "SUCCEEDED";
    }
    if (arguments.has("json"))
      std::cout << print_pretty_escaped(*answer) << "\n";
    else
      print_table(rows, 60);
    if ((*answer)["Executions"].size() == listed_at_most)
      std::cerr << "fixpoint executions: the newest " << listed_at_most
                << " are listed; --status, --control and --finding choose among all\n";
    return good ? ok : negative;
  }
}

int run_flapping(const Arguments& arguments) {
  json::Object input;
  if (arguments.has("reset") != (arguments.positional.size() == 2) || arguments.positional.size() == 1) {
    std::cerr << "fixpoint flapping: --reset goes with CONTROL RESOURCE\n";
    return bad_usage;
  }
  if (arguments.has("reset"))
    input.set("Reset", json::Object{{"Control", arguments.positional[0]}, {"Resource", arguments.positional[1]}});
  auto answered = call_server(arguments, "flapping", input);
  if (!answered) return arguments.has("reset") ? report_unset(answered.error()) : report(answered.error());
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answered) << "\n";
  } else if (arguments.has("reset")) {
    std::cout << "reset: " << arguments.positional[0] << " acts on " << arguments.positional[1]
              << " in its own mode again\n";
  } else {
    std::vector<std::vector<std::string>> rows{{"CONTROL", "RESOURCE", "ACCOUNT", "REVERTS", "SINCE", "EXECUTION"}};
    for (const Value& pair : items_of((*answered)["Flapping"]))
      rows.push_back({std::string(pair["Control"].string_or("")), std::string(pair["Resource"].string_or("")),
                      std::string(pair["Account"].string_or("")), std::to_string(pair["Reverts"].int_or(0)),
                      std::string(pair["Since"].string_or("")), std::string(pair["Execution"].string_or(""))});
    print_table(rows, 60);
  }
  return arguments.has("reset") || (*answered)["Flapping"].size() > 0 ? ok : negative;
}

int answer(const Arguments& arguments, bool approved) {
  json::Object input{{"Id", arguments.positional[0]}, {"Approved", approved}, {"Reason", arguments.get("because")}};
  if (arguments.has("plan")) input.set("Plan", arguments.get("plan"));
  auto answered = call_server(arguments, "answer", input);
  if (!answered) return report(answered.error());
  if (arguments.has("json"))
    std::cout << print_escaped(*answered) << "\n";
  else
    std::cout << (approved ? "approved " : "rejected ") << arguments.positional[0] << ", plan "
              << (*answered)["PlanHash"].string_or("") << "\n";
  return ok;
}

}  // namespace

Command executions_command() {
  return {.name = "executions",
          .summary = "list executions, the newest first, or show one with its changes and journal",
          .positional = "[ID]",
          .at_least = 0,
          .at_most = 1,
          .options = server_options(
              {{"wait", "SECONDS", "wait until every execution that is listed has ended, at most so long", "", false},
               {"status", "STATUS", "only READY, WAITING, SUCCEEDED or FAILED ones", "", false},
               {"control", "ID", "only those of this control, or of this function's ARN", "", false},
               {"finding", "ID", "only those about the finding of this Id", "", false}}),
          .run = run_executions,
          .more =
              "An id is named by its first eight digits, too, here and where one is approved, rejected or undone. Exit "
              "status 1 where one has failed or has not ended."};
}

Command flapping_command() {
  return {
      .name = "flapping",
      .summary = "list what was moved to 'ask' because something else keeps turning a fix back",
      .positional = "[CONTROL RESOURCE]",
      .at_least = 0,
      .at_most = 2,
      .options = server_options({{"reset", "", "let the named control act on the named resource again", "", false}}),
      .run = run_flapping,
      .more =
          "Three reverts in a day move a control and a resource to 'ask' and raise an alert. Exit status 1 where "
          "there are none, or --reset finds none of the two."};
}

Command approve_command() {
  return {.name = "approve",
          .summary = "approve what an execution has planned",
          .positional = "EXECUTION_ID",
          .at_least = 1,
          .at_most = 1,
          .options = server_options(
              {{"plan", "HASH", plan_help, "", false}, {"because", "TEXT", "words for the record", "", false}}),
          .run = [](const Arguments& arguments) { return answer(arguments, true); },
          .more =
              "If the resource is no longer what the plan saw, it is planned anew and asked for again. Exit status 5 "
              "where the answer is refused: another plan waits, somebody answered before, it has expired, or four "
              "eyes are required."};
}

Command reject_command() {
  return {.name = "reject",
          .summary = "reject what an execution has planned",
          .positional = "EXECUTION_ID",
          .at_least = 1,
          .at_most = 1,
          .options = server_options({{"plan", "HASH", plan_help, "", false},
                                     {"because", "TEXT", "words for the record and the finding", "", false}}),
          .run = [](const Arguments& arguments) { return answer(arguments, false); },
          .more = "Exit status 5 where the answer is refused, as for approve."};
}

}  // namespace fixpoint::main
