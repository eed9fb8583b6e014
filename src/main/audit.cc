// The audit log from outside: list, verify, export, head. What is verified is verified here, not by the server.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include "audit/record.h"
#include "base/text.h"
#include "json/text.h"
#include "main/commands.h"
#include "main/files.h"
#include "main/forms.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

// Hands every record of the server's log to `each`, page after page, until it says false.
Result<void> each_record(const Arguments& arguments, std::int64_t after,
                         const std::function<Result<void>(const Value&)>& each) {
  while (true) {
    FIXPOINT_TRY(page, call_server(arguments, "audit",
                                   json::Object{{"After", after}, {"Execution", arguments.get("execution")}}));
    const Value& records = page["Records"];
    if (records.size() == 0) return {};
    for (const Value& record : items_of(records)) FIXPOINT_CHECK(each(record));
    after = records[records.size() - 1]["Number"].int_or(0);
  }
}

// The same of the records in a file that `audit export` wrote. Errors: ValidationException for a file that cannot be
// read; AuditBroken for a line that is no record.
Result<void> each_line(const std::string& path, const std::function<Result<void>(const audit::Record&)>& each) {
  FIXPOINT_CHECK(check_readable(path));
  std::ifstream in(path);
  std::string line;
  std::int64_t records = 0;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    ++records;
    auto record = audit::record_of_line(line);
    if (!record)
      return fail(audit::broken(records, "(line " + std::to_string(number) + ") is none: " + record.error().message));
    FIXPOINT_CHECK(each(*record));
  }
  if (in.bad()) return fail(errors::validation("cannot read " + path + " to its end: " + std::strerror(errno)));
  return {};
}

// A log that is broken is an answer.
int report_broken(const Error& error) {
  if (error.code != "AuditBroken") return report(error);
  std::cerr << "THE AUDIT LOG IS BROKEN: " << error.message << "\n";
  return negative;
}

// Whether some of the log was asked for, not all of it.
bool is_chosen(const Arguments& arguments) {
  return arguments.has("execution") || arguments.has("after");
}

int report_none_chosen(bool file) {
  std::cerr << "fixpoint audit: no record is of that execution or after that number"
            << (file ? ", and no file was written" : "") << "\n";
  return negative;
}

int run_list(const Arguments& arguments, std::int64_t after) {
  json::Array all;
  std::vector<std::vector<std::string>> rows{{"NUMBER", "AT", "WHAT", "ABOUT"}};
  auto read = each_record(arguments, after, [&](const Value& record) -> Result<void> {
    if (arguments.has("json"))
      all.push_back(record);
    else
      rows.push_back({std::to_string(record["Number"].int_or(0)), std::string(record["At"].string_or("")),
                      std::string(record["Kind"].string_or("")), print_escaped(record["About"])});
    return {};
  });
  if (!read && read.error().code != "AuditBroken") return report(read.error());
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(json::Object{{"Records", all}}) << "\n";
  else
    print_table(rows);
  if (read && is_chosen(arguments) && all.empty() && rows.size() == 1) return report_none_chosen(false);
  return read ? ok : report_broken(read.error());
}

// What cannot be asked for, or ends early, leaves the last export as it is.
int run_export(const Arguments& arguments, std::int64_t after) {
  std::unique_ptr<NewFile> file;
  if (arguments.positional.size() > 1) {
    auto made = NewFile::make(arguments.positional[1]);
    if (!made) return report(made.error());
    file = std::move(*made);
  }
  std::ostream& out = file ? file->out() : std::cout;
  std::int64_t records = 0;
  auto read = each_record(arguments, after, [&](const Value& record) -> Result<void> {
    out << print_escaped(record) << "\n";
    ++records;
    return {};
  });
  const bool broken = !read && read.error().code == "AuditBroken";
  if (!read && !broken) return report(read.error());
  if (records == 0 && !broken && is_chosen(arguments)) return report_none_chosen(file != nullptr);
  if (file) {
    const bool aside = broken && file->is_beside();
    if (const auto kept = file->keep(aside ? ".broken" : ""); !kept) return report(kept.error());
    if (aside)
      std::cerr << "fixpoint audit: the records before the fault are in " << arguments.positional[1] << ".broken; "
                << arguments.positional[1] << " is as it was\n";
  }
  return read ? ok : report_broken(read.error());
}

int run_verify(const Arguments& arguments) {
  std::optional<audit::Head> kept;
  if (arguments.has("head")) {
    auto head = audit::head_of(arguments.get("head"));
    if (!head) return report(head.error());
    kept = std::move(*head);
  }
  audit::Chain chain(std::move(kept));
  const auto answered = [&](const Value& value) -> Result<void> {
    auto record = audit::record_of(value);
    if (!record) return fail(audit::broken(chain.last().number + 1, "is none: " + record.error().message));
    return chain.follow(*record);
  };
  auto walked = arguments.positional.size() > 1
                    ? each_line(arguments.positional[1], [&](const audit::Record& one) { return chain.follow(one); })
                    : each_record(arguments, 0, answered);
  if (walked) walked = chain.end();
  if (!walked && walked.error().code != "AuditBroken") return report(walked.error());
  const std::string said = walked ? std::string() : walked.error().message;
  if (arguments.has("json")) {
    json::Object out{
        {"Whole", walked.has_value()}, {"Records", chain.last().number}, {"Head", audit::to_text(chain.last())}};
    if (!walked) out.set("Broken", said);
    std::cout << print_pretty_escaped(out) << "\n";
  } else if (walked) {
    std::cout << "the audit log is whole: " << chain.last().number << " records, head " << audit::to_text(chain.last())
              << "\n";
  } else {
    std::cout << "THE AUDIT LOG IS BROKEN: " << said << "\n";
  }
  return walked ? ok : negative;
}

int run_head(const Arguments& arguments) {
  auto answer = call_server(arguments, "audit", json::Object{{"Limit", 0}});
  if (!answer) return report(answer.error());
  std::cout << (arguments.has("json") ? print_escaped(json::Object{{"Head", (*answer)["Head"]}})
                                      : std::string((*answer)["Head"].string_or("")))
            << "\n";
  return ok;
}

int run_audit(const Arguments& arguments) {
  const std::string action = arguments.positional.empty() ? "list" : arguments.positional[0];
  const auto after = to_int64(arguments.get("after", "0"));
  if (!after || *after < 0) {
    std::cerr << "fixpoint audit: --after takes the number of a record\n";
    return bad_usage;
  }
  const std::string form = "audit " + action;
  if (arguments.positional.size() > 1 && (action == "list" || action == "head")) {
    std::cerr << "fixpoint audit: " << action << " takes no file; verify and export do\n";
    return bad_usage;
  }
  if ((action == "list" || action == "export") && has_stray_option(arguments, form, {"after", "execution"}))
    return bad_usage;
  if (action == "verify" && has_stray_option(arguments, form, {"head"})) return bad_usage;
  if (action == "head" && has_stray_option(arguments, form, {})) return bad_usage;
  if (action == "list") return run_list(arguments, *after);
  if (action == "verify") return run_verify(arguments);
  if (action == "export") return run_export(arguments, *after);
  if (action == "head") return run_head(arguments);
  std::cerr << "fixpoint audit: there is no '" << action << "'; there are list, verify, export and head\n";
  return bad_usage;
}

}  // namespace

Command audit_command() {
  return {.name = "audit",
          .summary = "show, verify or export the audit log",
          .positional = "[list | verify [FILE] | export [FILE] | head]",
          .at_least = 0,
          .at_most = 2,
          .options = server_options(
              {{"after", "NUMBER", "only the records after this one", "", false},
               {"execution", "ID", "only those of this execution", "", false},
               {"head", "NUMBER:HASH", "verify: a head noted earlier, which the log has to contain", "", false}}),
          .run = run_audit,
          .more =
              "verify computes every hash itself, of the server's log or of a file that export wrote, and ends with "
              "status 1 where the log is broken. A log that was cut off at its end or rewritten whole shows only "
              "against a head that was kept elsewhere. export puts FILE in place once it is whole: where it fails, or "
              "the log is broken, the one that was there stays, and what could be read is in FILE.broken. Exit status "
              "1 where --after or --execution choose no record."};
}

}  // namespace fixpoint::main
