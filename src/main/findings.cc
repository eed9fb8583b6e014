// The commands on findings: import, act, findings.
#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "findings/asff.h"
#include "json/text.h"
#include "main/commands.h"
#include "main/files.h"
#include "main/forms.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

// Without the mark that some editors and shells put before UTF-8.
Result<std::string> read_input(const std::string& path) {
  FIXPOINT_TRY(text, read_file(path));
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  return text.starts_with(mark) ? text.substr(mark.size()) : std::move(text);
}

// What the server takes in one request (http/server.h), and json::parse in one text.
constexpr std::size_t request_limit_bytes = 64 * 1024 * 1024;

Error too_large(const std::string& path) {
  return errors::validation(path +
                            " is larger than the 64 MiB that a request takes: split it, for example into arrays of "
                            "fewer findings, and import the parts");
}

int run_import(const Arguments& arguments) {
  std::int64_t imported = 0;
  std::int64_t created = 0;
  std::int64_t ignored = 0;
  std::int64_t unheard = 0;
  json::Array repeated;
  json::Array repaired;
  // All are read before the first is taken in.
  std::vector<Value> documents;
  for (const std::string& path : arguments.positional) {
    auto text = read_input(path);
    if (!text) return report(text.error());
    if (text->size() > request_limit_bytes) return report(too_large(path));
    auto document = json::parse(*text);
    if (!document) return report(errors::serialization(path + ": " + document.error().message, document.error().where));
    documents.push_back(std::move(*document));
  }
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::string& path = arguments.positional[i];
    json::Object input{{"Document", std::move(documents[i])}};
    for (const auto& [option, member] : {std::pair{"account", "Account"}, {"region", "Region"}})
      if (arguments.has(option)) input.set(member, arguments.get(option));
    auto answer = call_server(arguments, "import", std::move(input));
    if (!answer) {
      if (answer.error().http_status == 413)
        answer = fail(too_large(path));
      else
        answer.error().message = path + ": " + answer.error().message;
      const int status = report(answer.error());
      if (i == 0) return status;
      std::cerr << "fixpoint: what stood in the files before it was taken in: " << imported << " finding"
                << (imported == 1 ? "" : "s") << ", " << created << " of them new\n";
      return status == bad_input ? refused : status;  // something was changed
    }
    imported += (*answer)["Imported"].int_or(0);
    created += (*answer)["Created"].int_or(0);
    ignored += (*answer)["Ignored"].int_or(0);
    unheard += (*answer)["Unheard"].int_or(0);
    for (const Value& key : items_of((*answer)["Repeated"])) repeated.push_back(key);
    for (const Value& what : items_of((*answer)["Repaired"]))
      repaired.emplace_back(path + ": " + std::string(what.string_or("")));
  }
  if (arguments.has("json")) {
    std::cout << print_escaped(json::Object{{"Imported", imported},
                                            {"Created", created},
                                            {"Ignored", ignored},
                                            {"Unheard", unheard},
                                            {"Repeated", repeated},
                                            {"Repaired", repaired}})
              << "\n";
    return ok;
  }
  std::cout << imported << " finding" << (imported == 1 ? "" : "s") << " taken in, " << created << " of them new";
  if (ignored != 0) std::cout << ", " << ignored << " no newer than what was there";
  std::cout << "\n";
  if (unheard != 0)
    std::cout << "no rule with a target hears of " << unheard << " of them; 'fixpoint rules' lists the rules\n";
  for (const Value& key : repeated)
    std::cout << "came more than once, and is one finding: " << key["Id"].string_or("") << " of "
              << key["ProductArn"].string_or("") << "\n";
  for (const Value& sentence : repaired) std::cout << "repaired: " << sentence.string_or("") << "\n";
  return ok;
}

// The event went out all the same: an archive may keep it.
void warn_where_unheard(const Arguments& arguments, const Value& answer) {
  if (!answer["Heard"].bool_or(true))
    std::cerr << "fixpoint act: no rule with a target matches the action '" << arguments.positional[0]
              << "', so nothing was begun; a rule of the default bus whose pattern matches its event begins what it "
                 "has as targets\n";
}

int run_act(const Arguments& arguments) {
  json::Array ids;
  for (std::size_t i = 1; i < arguments.positional.size(); ++i) ids.emplace_back(arguments.positional[i]);
  if (arguments.has("insight")) {
    auto answer = call_server(
        arguments, "act",
        json::Object{{"Action", arguments.positional[0]}, {"InsightArn", arguments.get("insight")}, {"Results", ids}});
    if (!answer) return report(answer.error());
    const std::int64_t results = (*answer)["Results"].int_or(0);
    if (arguments.has("json"))
      std::cout << print_escaped(*answer) << "\n";
    else
      std::cout << arguments.positional[0] << " chosen on " << results << " result" << (results == 1 ? "" : "s")
                << " of the insight\n";
    warn_where_unheard(arguments, *answer);
    return ok;
  }
  if (ids.empty())
    return report(errors::validation("name at least one finding after the action, or an insight with --insight ARN"));
  auto answer = call_server(arguments, "act", json::Object{{"Action", arguments.positional[0]}, {"FindingIds", ids}});
  if (!answer) return report(answer.error());
  if (arguments.has("json"))
    std::cout << print_escaped(*answer) << "\n";
  else
    std::cout << arguments.positional[0] << " chosen on " << (*answer)["Findings"].int_or(0) << " finding"
              << ((*answer)["Findings"].int_or(0) == 1 ? "" : "s") << "\n";
  warn_where_unheard(arguments, *answer);
  return ok;
}

// A misspelt status or account would find nothing, which reads as if nothing were left to do.
std::optional<std::string> wrong_filter(const Arguments& arguments) {
  constexpr std::string_view statuses[] = {"NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"};
  const std::string status = arguments.get("workflow", "NEW");
  if (std::find(std::begin(statuses), std::end(statuses), status) == std::end(statuses))
    return "'" + status + "' is no workflow status; there are NEW, NOTIFIED, RESOLVED and SUPPRESSED";
  const std::string account = arguments.get("account", "000000000000");
  if (account.size() != 12 || account.find_first_not_of("0123456789") != std::string::npos)
    return "'" + account + "' is no account id: it has 12 digits";
  return {};
}

bool is_archived(const Value& finding) {
  return finding["RecordState"].string_or("") == "ARCHIVED";
}

// The one that the finding names, in whichever of its forms.
std::string control_of(const Value& finding) {
  std::string named = findings::control_of(finding);
  return named.empty() ? "-" : named;
}

// One a line, each as other commands find it. An Id that would come out as another one, or as two, is left out.
int print_ids(const json::Array& findings) {
  std::map<std::string_view, std::set<std::string_view>> products;
  for (const Value& finding : findings)
    products[finding["Id"].string_or("")].insert(finding["ProductArn"].string_or(""));
  std::size_t printed = 0;
  for (const Value& finding : findings) {
    const std::string_view id = finding["Id"].string_or("");
    if (!prints_as_one_line(id)) continue;
    if (products[id].size() > 1) std::cout << finding["ProductArn"].string_or("") << "/";
    std::cout << id << "\n";
    ++printed;
  }
  if (const std::size_t left = findings.size() - printed; left != 0)
    std::cerr << "fixpoint findings: left out: " << left << " finding" << (left == 1 ? "" : "s")
              << " whose Id has a line end or another control character; --json shows " << (left == 1 ? "it" : "them")
              << "\n";
  return printed == 0 ? negative : ok;
}

int run_findings(const Arguments& arguments) {
  if (arguments.has("ids") &&
      has_stray_option(arguments, "findings --ids", {"workflow", "account", "id", "ids", "archived"}))
    return bad_usage;
  if (!arguments.has("ids") && has_stray_option(arguments, "findings", {"workflow", "account", "id"})) return bad_usage;
  if (arguments.has("ids") && arguments.has("json")) {
    std::cerr << "fixpoint findings: give one of --ids and --json\n";
    return bad_usage;
  }
  if (const auto sentence = wrong_filter(arguments)) return report(errors::validation(*sentence));
  json::Object filters;
  const auto equals = [&](const char* option, const char* filter) {
    if (arguments.has(option))
      filters.set(filter, json::Array{Value(json::Object{{"Value", arguments.get(option)}, {"Comparison", "EQUALS"}})});
  };
  equals("workflow", "WorkflowStatus");
  equals("account", "AwsAccountId");
  equals("id", "Id");
  json::Array all;
  Value token;
  do {
    json::Object input{
        {"Filters", filters},
        {"MaxResults", 100},
        {"SortCriteria", json::Array{Value(json::Object{{"Field", "SeverityNormalized"}, {"SortOrder", "desc"}})}}};
    if (token.is_string()) input.set("NextToken", token);
    auto page = call_server(
        arguments, "call",
        json::Object{{"Service", "securityhub"}, {"Operation", "GetFindings"}, {"Input", std::move(input)}});
    if (!page) return report(page.error());
    for (const Value& finding : items_of((*page)["Findings"])) all.push_back(finding);
    token = (*page)["NextToken"];
  } while (token.is_string());
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(json::Object{{"Findings", all}}) << "\n";
  } else if (arguments.has("ids")) {
    if (!arguments.has("archived")) std::erase_if(all, is_archived);
    return print_ids(all);
  } else {
    std::vector<std::vector<std::string>> rows{
        {"SEVERITY", "WORKFLOW", "ACCOUNT", "CONTROL", "RESOURCE", "TITLE", "NOTE"}};
    for (const Value& finding : all)
      rows.push_back(
          {std::string(finding["Severity"]["Label"].string_or("")),
           std::string(finding["Workflow"]["Status"].string_or("")) + (is_archived(finding) ? " (ARCHIVED)" : ""),
           std::string(finding["AwsAccountId"].string_or("")), control_of(finding),
           std::string(finding["Resources"][0]["Id"].string_or("")), std::string(finding["Title"].string_or("")),
           std::string(finding["Note"]["Text"].string_or(""))});
    print_table(rows, 50);
  }
  return all.empty() ? negative : ok;
}

}  // namespace

Command import_command() {
  return {
      .name = "import",
      .summary =
          "take in findings of files, in their own forms: one, an array, an answer that lists them, or an event; '-' "
          "is "
          "standard input",
      .positional = "FILE...",
      .at_least = 1,
      .at_most = 1000,
      .options = server_options(
          {{"account", "ID", "whose findings they are where the file does not say it; the caller's account else", "",
            false},
           {"region", "NAME", "where they are from where the file does not say it; the caller's region else", "",
            false}}),
      .run = run_import,
      .more =
          "Taken are findings of Security Hub (ASFF), GuardDuty, Inspector, Macie, Access Analyzer and Config, and "
          "what Prowler, Trivy and kube-bench write; docs/imports.md has the forms. A file is taken in whole or not "
          "at all; the first finding that is not valid is named, with its field (exit status 3, or 5 where files "
          "before "
          "it were taken in). What was wrong and "
          "put right is printed, a line for each fault."};
}

Command act_command() {
  return {
      .name = "act",
      .summary = "choose a custom action on findings or on an insight's results, as a click in the console does",
      .positional = "ACTION [FINDING_ID...]",
      .at_least = 1,
      .at_most = 101,
      .options = server_options(
          {{"insight", "ARN", "on results of this insight: those named after ACTION, or all, 100 at most", "", false}}),
      .run = run_act,
      .more = "ACTION is the action's name, id or ARN."};
}

Command findings_command() {
  return {.name = "findings",
          .summary = "list findings, the most severe first",
          .positional = {},
          .options = server_options(
              {{"workflow", "STATUS", "only those with this workflow status: NEW, NOTIFIED, RESOLVED, SUPPRESSED", "",
                false},
               {"account", "ID", "only those of this account", "", false},
               {"id", "ID", "only the one of this Id", "", false},
               {"ids", "", "print nothing but their Ids, one a line, as other commands take them", "", false},
               {"archived", "", "with --ids: those that are archived, too", "", false}}),
          .run = run_findings,
          .more =
              "Those whose RecordState is ARCHIVED are marked so; --ids leaves them out: they are no longer there for "
              "the product that found them, and no rule or control begins for them, though fix and act take one that "
              "is "
              "named. Where several products have a finding of one Id, --ids puts the product's ARN before it "
              "(PRODUCT_ARN/ID). For xargs: fixpoint findings --ids | xargs -r -d '\\n' fixpoint fix --wait 60 --\n"
              "Exit status 1 where there are none."};
}

}  // namespace fixpoint::main
