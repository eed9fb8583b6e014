#include <fstream>
#include <iostream>
#include <iterator>

#include "identity/identity.h"
#include "json/text.h"
#include "main/commands.h"
#include "main/server_client.h"

namespace fixpoint::main {
namespace {

int run_env(const Arguments& arguments) {
  const std::string folder = arguments.get("data");
  std::ifstream in(folder + "/server.json");
  const auto server = json::parse(std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
  if (!server)
    return report(errors::validation("no server has run with the data folder " + folder +
                                     "; start one with 'fixpoint serve --data " + folder + "'"));
  const auto key = identity::Identity::read_first_key(folder);
  if (!key) return report(key.error());
  const json::Object values{{"AWS_ENDPOINT_URL", (*server)["Endpoint"]},
                            {"AWS_ACCESS_KEY_ID", key->access_key},
                            {"AWS_SECRET_ACCESS_KEY", key->secret},
                            {"AWS_REGION", (*server)["Region"]},
                            {"AWS_DEFAULT_REGION", (*server)["Region"]}};
  if (arguments.has("json")) {
    std::cout << json::print_pretty(values) << "\n";
    return ok;
  }
  for (const auto& value : values) std::cout << "export " << value.key << "='" << value.value.string_or("") << "'\n";
  return ok;
}

}  // namespace

Command env_command() {
  return {.name = "env",
          .summary = "print what the aws command and boto3 need to reach a server: eval \"$(fixpoint env --data DIR)\"",
          .positional = {},
          .options = {{"data", "DIR", "the server's data folder", "", true}, {"json", "", "print JSON", "", false}},
          .run = run_env,
          .more = {}};
}

}  // namespace fixpoint::main
