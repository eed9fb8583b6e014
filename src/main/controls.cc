// The commands on controls: controls, mode, scene; and call, which makes any call.
#include <iostream>

#include "json/text.h"
#include "main/commands.h"
#include "main/forms.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

int run_controls(const Arguments& arguments) {
  auto answer = call_server(arguments, "controls", json::Object());
  if (!answer) return report(answer.error());
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows{{"CONTROL", "SEVERITY", "TITLE", "CALLS"}};
  for (const Value& control : items_of((*answer)["Controls"])) {
    std::string calls;
    for (const Value& call : items_of(control["Calls"]))
      calls += (calls.empty() ? "" : " ") + std::string(call.string_or(""));
    rows.push_back({std::string(control["Id"].string_or("")), std::string(control["Severity"].string_or("")),
                    std::string(control["Title"].string_or("")), calls});
  }
  print_table(rows);
  return ok;
}

int run_mode(const Arguments& arguments) {
  json::Object input;
  if (arguments.has("unset") && !arguments.positional.empty()) {
    std::cerr << "fixpoint mode: the forms are MODE and --unset\n";
    return bad_usage;
  }
  std::string typed;
  for (const auto* scope : {"control", "account", "rule"}) {
    if (!arguments.has(scope)) continue;
    if (!typed.empty()) {
      std::cerr << "fixpoint mode: give one of --control, --account and --rule\n";
      return bad_usage;
    }
    typed = std::string(scope) + ":" + arguments.get(scope);
  }
  const bool changes = arguments.has("unset") || !arguments.positional.empty();
  if (changes) {
    if (arguments.has("unset"))
      input.set("Unset", true);
    else
      input.set("Mode", arguments.positional[0]);
    if (!typed.empty()) input.set("Scope", typed);
  }
  auto answer = call_server(arguments, "mode", input);
  if (!answer) return arguments.has("unset") ? report_unset(answer.error()) : report(answer.error());
  const bool chosen = !changes && !typed.empty();
  if (chosen) {
    json::Object at;
    for (const auto& member : members_of(*answer))
      if (is_scope(member.key, typed)) at.set(member.key, member.value);
    *answer = Value(std::move(at));
  }
  const int status = chosen && answer->size() == 0 ? negative : ok;
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
    return status;
  }
  if (status == negative)
    std::cout << "no mode is set for " << typed << "\n";
  else if (answer->size() == 0)
    std::cout << "ask, for all: nothing else is set\n";
  for (const auto& member : members_of(*answer)) std::cout << member.value.string_or("") << "  " << member.key << "\n";
  return status;
}

int run_scene(const Arguments& arguments) {
  json::Array all;
  for (const std::string& control : arguments.positional) {
    auto answer =
        call_server(arguments, "scene", json::Object{{"Control", control}, {"Finding", !arguments.has("no-finding")}});
    if (!answer) return report(answer.error());
    if (!arguments.has("json")) std::cout << control << ": " << (*answer)["Resource"].string_or("") << "\n";
    all.push_back(std::move(*answer));
  }
  if (arguments.has("json")) std::cout << print_pretty_escaped(all) << "\n";
  return ok;
}

int run_call(const Arguments& arguments) {
  Value input{json::Object()};
  if (arguments.positional.size() > 2) {
    auto parsed = json::parse(arguments.positional[2]);
    if (!parsed) return report(errors::serialization("the input: " + parsed.error().message, parsed.error().where));
    input = std::move(*parsed);
  }
  auto answer = call_server(
      arguments, "call",
      json::Object{{"Service", arguments.positional[0]}, {"Operation", arguments.positional[1]}, {"Input", input}});
  if (!answer) return report(answer.error());
  std::cout << (arguments.has("json") ? print_escaped(*answer) : print_pretty_escaped(*answer)) << "\n";
  return ok;
}

}  // namespace

Command controls_command() {
  return {.name = "controls",
          .summary = "list the controls, with the calls that each makes",
          .positional = {},
          .options = server_options(),
          .run = run_controls,
          .more = {}};
}

Command mode_command() {
  return {.name = "mode",
          .summary = "show or set what controls do by themselves: observe, ask or auto",
          .positional = "[MODE]",
          .at_least = 0,
          .at_most = 1,
          .options = server_options({{"control", "ID", "for this control", "", false},
                                     {"account", "ID", "for this account", "", false},
                                     {"rule", "ARN", "for what this rule starts", "", false},
                                     {"unset", "", "take the setting away", "", false}}),
          .run = run_mode,
          .more =
              "The narrowest setting wins: rule, control, account, all. Where nothing is set, a control asks. Without\n"
              "MODE, --control, --account and --rule choose what is shown. Exit status 1 where nothing is set there."};
}

Command scene_command() {
  return {.name = "scene",
          .summary = "set controls' insecure starts in the embedded account, and let the findings arrive",
          .positional = "CONTROL...",
          .at_least = 1,
          .at_most = 1000,
          .options = server_options({{"no-finding", "", "set the resources only", "", false}}),
          .run = run_scene,
          .more = {}};
}

Command call_command() {
  return {.name = "call",
          .summary = "make one AWS call: fixpoint call s3 GetBucketEncryption '{\"Bucket\": \"b\"}'",
          .positional = "SERVICE OPERATION [JSON]",
          .at_least = 2,
          .at_most = 3,
          .options = server_options(),
          .run = run_call,
          .more = {}};
}

}  // namespace fixpoint::main
