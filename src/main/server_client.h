#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"
#include "main/command.h"

namespace fixpoint::main {

/// --endpoint, which stands before AWS_ENDPOINT_URL, and --json: every command that speaks to a server takes them.
std::vector<Option> server_options(std::vector<Option> more = {});

/// Calls /api/NAME of the server that --endpoint or the AWS_* variables name, signed with their keys.
/// Errors: ValidationException where they name none; ConnectionError; the server's own.
Result<json::Value> call_server(const Arguments& arguments, const std::string& name, const json::Value& input);

/// What is in an array or an object that a server answered; nothing where it is missing or something else, as of a
/// server of another version.
const json::Array& items_of(const json::Value& value);
const json::Object& members_of(const json::Value& value);

/// The call of a change or of a plan's line, with its account where that is another than the one given: what has none
/// is of that.
std::string call_of(const json::Value& change, std::string_view account);

/// Prints the error on standard error, and says with which status to end.
int report(const Error& error);
/// The same where something was to be taken away: that there was nothing is an answer, and the status is `negative`.
int report_unset(const Error& error);

/// Prints columns that line up, the first row as the heading. A cell wider than `widest` characters goes on below
/// itself.
void print_table(const std::vector<std::vector<std::string>>& rows, std::size_t widest = 100);

}  // namespace fixpoint::main
