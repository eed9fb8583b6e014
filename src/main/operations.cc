#include <iostream>

#include "main/commands.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

using json::Value;

void print_row(const std::string& service, const char* what, const Value& operations) {
  if (operations.size() == 0) return;
  std::cout << service << " (" << operations.size() << what << "):";
  for (const Value& operation : items_of(operations)) std::cout << " " << operation.string_or("");
  std::cout << "\n";
}

int run_operations(const Arguments& arguments) {
  auto answer = call_server(arguments, "operations", json::Object());
  if (!answer) return report(answer.error());
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(*answer) << "\n";
    return ok;
  }
  for (const auto& service : members_of((*answer)["Own"])) {
    print_row(service.key, "", service.value["There"]);
    print_row(service.key, " not there", service.value["NotThere"]);
  }
  for (const auto& service : members_of((*answer)["Account"])) print_row(service.key, "", service.value);
  return ok;
}

}  // namespace

Command operations_command() {
  return {.name = "operations",
          .summary = "list the AWS operations that the server and its embedded account have",
          .positional = {},
          .options = server_options(),
          .run = run_operations,
          .more = {}};
}

}  // namespace fixpoint::main
