// The commands on what is asked before a change: freeze, unfreeze, exceptions, settings.
#include <iostream>

#include "json/text.h"
#include "main/commands.h"
#include "main/forms.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

std::vector<Option> scope_options(std::vector<Option> more) {
  more.push_back({"control", "ID", "for this control, or this function by its ARN", "", false});
  more.push_back({"account", "ID", "for this account", "", false});
  return server_options(std::move(more));
}

// "all" where none is given; nothing, and a sentence, where both are.
std::optional<std::string> scope_of(const Arguments& arguments) {
  if (arguments.has("control") && arguments.has("account")) {
    std::cerr << "fixpoint: give one of --control and --account\n";
    return std::nullopt;
  }
  for (const auto* scope : {"control", "account"})
    if (arguments.has(scope)) return std::string(scope) + ":" + arguments.get(scope);
  return "all";
}

// Whether what is listed is chosen by a scope, and this one is another.
bool is_elsewhere(const Arguments& arguments, const Value& scope) {
  return (arguments.has("control") || arguments.has("account")) &&
         !is_scope(scope.string_or(""), scope_of(arguments).value_or(""));
}

// What a server answered as a list, without what does not hold for the scope that was typed.
Value chosen(const Arguments& arguments, const Value& list) {
  json::Array out;
  for (const Value& one : items_of(list))
    if (one["Scope"].string_or("") == "all" || !is_elsewhere(arguments, one["Scope"])) out.push_back(one);
  return Value(std::move(out));
}

int print_frozen(const Arguments& arguments, const Value& answer) {
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(answer) << "\n";
    return ok;
  }
  if (answer["Frozen"].size() == 0) {
    const auto scope = scope_of(arguments).value_or("all");
    std::cout << (scope == "all" || !arguments.has("list") ? std::string("nothing is frozen")
                                                           : scope + " is not frozen")
              << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows{{"FROZEN", "SINCE", "BY", "BECAUSE"}};
  for (const Value& freeze : items_of(answer["Frozen"]))
    rows.push_back({std::string(freeze["Scope"].string_or("")), std::string(freeze["At"].string_or("")),
                    std::string(freeze["By"].string_or("")), std::string(freeze["Because"].string_or(""))});
  print_table(rows, 60);
  return ok;
}

int run_freeze(const Arguments& arguments) {
  json::Object input;
  const auto scope = scope_of(arguments);
  if (!scope) return bad_usage;
  if (arguments.has("list")) {
    if (has_stray_option(arguments, "freeze --list", {"list", "control", "account"})) return bad_usage;
  } else {
    input.set("Scope", *scope);
    input.set("Because", arguments.get("because"));
  }
  auto answer = call_server(arguments, "freeze", input);
  if (!answer) return report(answer.error());
  if (!arguments.has("list")) return print_frozen(arguments, *answer);
  Value list = chosen(arguments, (*answer)["Frozen"]);
  const bool none = list.size() == 0 && *scope != "all";
  const int status = print_frozen(arguments, json::Object{{"Frozen", std::move(list)}});
  return none ? negative : status;
}

int run_unfreeze(const Arguments& arguments) {
  const auto scope = scope_of(arguments);
  if (!scope) return bad_usage;
  auto answer = call_server(arguments, "unfreeze", json::Object{{"Scope", *scope}});
  return answer ? print_frozen(arguments, *answer) : report_unset(answer.error());
}

Result<Value> exception_form(const Arguments& arguments, const std::string& scope) {
  json::Object form{{"Scope", scope}};
  if (arguments.has("pattern")) {
    auto pattern = json::parse(arguments.get("pattern"));
    if (!pattern)
      return fail(errors::validation("the pattern is no JSON: " + pattern.error().message, pattern.error().where));
    form.set("Pattern", std::move(*pattern));
  }
  if (arguments.has("tag")) {
    const std::string tag = arguments.get("tag");
    const auto equals = tag.find('=');
    form.set("Tags", json::Object{{tag.substr(0, equals),
                                   equals == std::string::npos ? std::string("*") : tag.substr(equals + 1)}});
  }
  for (const auto& [option, member] : {std::pair{"owner", "Owner"}, {"reason", "Reason"}, {"until", "ExpiresAt"}})
    if (arguments.has(option)) form.set(member, arguments.get(option));
  form.set("Effect", arguments.has("leave") ? "leave" : "suppress");
  return Value(std::move(form));
}

int run_exceptions(const Arguments& arguments) {
  const std::string what = arguments.positional.empty() ? "list" : arguments.positional[0];
  json::Object input;
  const auto scope = scope_of(arguments);
  if (!scope) return bad_usage;
  if (what == "list" && has_stray_option(arguments, "exceptions list", {"control", "account"})) return bad_usage;
  if (what == "remove" && has_stray_option(arguments, "exceptions remove", {})) return bad_usage;
  if (what == "add" && arguments.positional.size() == 1) {
    auto form = exception_form(arguments, *scope);
    if (!form) return report(form.error());
    input.set("Add", std::move(*form));
  } else if (what == "remove" && arguments.positional.size() == 2) {
    input.set("Remove", arguments.positional[1]);
  } else if (what != "list" || arguments.positional.size() > 1) {
    std::cerr << "fixpoint exceptions: the forms are list, add [options], and remove ID\n";
    return bad_usage;
  }
  auto answer = call_server(arguments, "exceptions", input);
  if (!answer) return what == "remove" ? report_unset(answer.error()) : report(answer.error());
  if (what == "list") answer->set("Exceptions", chosen(arguments, (*answer)["Exceptions"]));
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
  } else if (what == "add") {
    std::cout << "added " << (*answer)["Added"]["Id"].string_or("") << "\n";
  } else if (what == "remove") {
    std::cout << "removed " << (*answer)["Removed"].string_or("") << "\n";
  } else if ((*answer)["Exceptions"].size() == 0) {
    std::cout << "there are no exceptions\n";
  } else {
    std::vector<std::vector<std::string>> rows{{"ID", "FOR", "WHERE", "OWNER", "REASON", "UNTIL", "FINDING"}};
    for (const Value& one : items_of((*answer)["Exceptions"])) {
      std::string where = one.find("Pattern") != nullptr ? print_escaped(one["Pattern"]) : "";
      if (one.find("Tags") != nullptr) where += (where.empty() ? "tags " : " and tags ") + print_escaped(one["Tags"]);
      rows.push_back({std::string(one["Id"].string_or("")), std::string(one["Scope"].string_or("")), where,
                      std::string(one["Owner"].string_or("")), std::string(one["Reason"].string_or("")),
                      std::string(one["ExpiresAt"].string_or("")) + (one["Holds"].bool_or(false) ? "" : " (expired)"),
                      one["Effect"].string_or("") == "suppress" ? "suppressed" : "unchanged"});
    }
    print_table(rows, 50);
  }
  return what == "list" && *scope != "all" && (*answer)["Exceptions"].size() == 0 ? negative : ok;
}

int run_settings(const Arguments& arguments) {
  const auto scope = scope_of(arguments);
  if (!scope) return bad_usage;
  json::Object input;
  if (!arguments.positional.empty() || arguments.has("unset")) {
    if (arguments.positional.empty() || arguments.has("unset") == (arguments.positional.size() == 2)) {
      std::cerr << "fixpoint settings: the forms are NAME VALUE, and NAME --unset\n";
      return bad_usage;
    }
    input.set("Scope", *scope);
    input.set("Name", arguments.positional[0]);
    Value value;
    if (!arguments.has("unset")) {
      // A word that is no JSON is a text: ask need not be written "ask".
      auto parsed = json::parse(arguments.positional[1]);
      value = parsed ? std::move(*parsed) : Value(arguments.positional[1]);
      if (value.is_null()) {
        std::cerr << "fixpoint settings: null is no value of a setting; '" << arguments.positional[0]
                  << " --unset' takes it away\n";
        return bad_usage;
      }
    }
    input.set("Value", std::move(value));
  } else if (arguments.has("control")) {
    input.set("Control", arguments.get("control"));
  }
  auto answer = call_server(arguments, "settings", input);
  if (!answer) return arguments.has("unset") ? report_unset(answer.error()) : report(answer.error());
  // For an account alone nothing is computed: what is set for it is shown.
  const bool of_account = arguments.positional.empty() && arguments.has("account");
  if (of_account) {
    json::Object at;
    if (const Value* set = (*answer)["Settings"].find(*scope)) at.set(*scope, *set);
    answer->set("Settings", std::move(at));
  }
  const int status = of_account && (*answer)["Settings"].size() == 0 ? negative : ok;
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
    return status;
  }
  std::vector<std::vector<std::string>> rows{{"FOR", "SETTING", "VALUE"}};
  for (const auto& at : members_of((*answer)["Settings"]))
    for (const auto& setting : members_of(at.value))
      rows.push_back({at.key, setting.key, print_escaped(setting.value)});
  if (status == negative)
    std::cout << "nothing is set for " << *scope << "\n";
  else if (rows.size() == 1)
    std::cout << "nothing is set: 25 resources an hour for each control and account, at any time\n";
  else
    print_table(rows, 80);
  for (const Value& asked : items_of((*answer)["Asked"]))
    std::cout << "\nwaits for a second person until " << asked["Until"].string_or("") << ": "
              << asked["What"].string_or("") << ", asked for by " << asked["By"].string_or("") << "\n";
  if (answer->find("Holds") == nullptr) return status;
  std::cout << "\nfor " << arguments.get("control") << " that means\n";
  for (const auto& setting : members_of((*answer)["Holds"]))
    std::cout << "  " << setting.key << " " << print_escaped(setting.value) << "\n";
  const Value& cap = (*answer)["Cap"];
  if (!cap.is_null())
    std::cout << "  touched within the last hour: " << cap["Touched"].size() << " of " << cap["Why"].string_or("")
              << "\n";
  return ok;
}

}  // namespace

Command freeze_command() {
  return {.name = "freeze",
          .summary = "throw the kill switch: no change is made until it is taken back",
          .positional = {},
          .options = scope_options({{"because", "TEXT", "why, for those who will ask", "", false},
                                    {"list", "", "show what is frozen, and freeze nothing", "", false}}),
          .run = run_freeze,
          .more =
              "Without --control or --account it is for all. It survives restarts. With them --list shows that scope, "
              "and ends with status 1 where it is not frozen."};
}

Command unfreeze_command() {
  return {.name = "unfreeze",
          .summary = "take the kill switch back",
          .positional = {},
          .options = scope_options({}),
          .run = run_unfreeze,
          .more = "Exit status 1 where nothing was frozen there."};
}

Command exceptions_command() {
  return {
      .name = "exceptions",
      .summary = "list, add or remove exceptions: resources that are left as they are, for a time",
      .positional = "[list | add | remove ID]",
      .at_least = 0,
      .at_most = 2,
      .options =
          scope_options({{"pattern", "JSON", "an event pattern over the finding", "", false},
                         {"tag", "KEY[=VALUE]", "a tag that the resource has, read live", "", false},
                         {"owner", "NAME", "who answers for it", "", false},
                         {"reason", "TEXT", "why", "", false},
                         {"until", "TIME", "a date or time, as 2030-06-30", "", false},
                         {"leave", "", "leave the finding's status as it is, instead of SUPPRESSED", "", false}}),
      .run = run_exceptions,
      .more =
          "An exception needs a pattern or a tag, an owner, a reason, and an end, from which on it no longer holds.\n"
          "remove takes the first eight digits of an id, too, and ends with status 1 where there is none of it. list\n"
          "takes --control or --account, and ends with status 1 where none is for it."};
}

Command settings_command() {
  return {
      .name = "settings",
      .summary = "show or set what guards changes: caps, windows, allowances, four eyes, ownership",
      .positional = "[NAME VALUE]",
      .at_least = 0,
      .at_most = 2,
      .options = scope_options({{"unset", "", "take the setting away", "", false}}),
      .run = run_settings,
      .more =
          "  cap_resources 25                              resources an hour that a control may change in an account\n"
          "  cap_percent 10                                the same, of all that the control lists\n"
          "  cap_population 400                            how many there are, where nothing lists them for "
          "cap_percent\n"
          "  windows '[\"sat,sun 22:00-04:00 Europe/Berlin\"]'\n"
          "  allow_irreversible '[\"kms:ScheduleKeyDeletion\"]'\n"
          "  owned ask | change                            what the tags say that Terraform or CloudFormation owns\n"
          "  owner_tags '[\"terraform\", \"managed-by=terraform\"]'\n"
          "  four_eyes true                                who approves may not be who asked, nor that user in a "
          "session\n"
          "The narrowest setting wins: control, account, all. Exit status 1 where --unset finds nothing set, or "
          "nothing\n"
          "is set for the --account that is asked about.\n"
          "Where four_eyes is set, a second person asks for the same before a setting, mode auto, the end of a freeze "
          "or "
          "of an exception counts."};
}

}  // namespace fixpoint::main
