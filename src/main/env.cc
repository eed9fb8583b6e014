#include <algorithm>
#include <iostream>
#include <string_view>

#include "base/shell.h"
#include "http/curl_client.h"
#include "identity/key_file.h"
#include "json/text.h"
#include "main/commands.h"
#include "main/data_folder.h"
#include "main/server_client.h"
#include "main/terminal.h"
#include "store/private_file.h"

namespace fixpoint::main {
namespace {

// What was written is where the server was when it started last; it may have ended since.
void warn_of_silence(const std::string& endpoint, const std::string& folder) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/";
  request.headers.add("Host", endpoint.substr(endpoint.find("://") + 3));
  http::CurlClient client({.use_environment_proxy = false});
  if (const auto answer = client.send(endpoint, request, 2'000); !answer)
    std::cerr << "fixpoint env: no server answers at " << endpoint
              << " now, where the last one of this folder was; 'fixpoint serve --data " << shell_word(folder)
              << "' starts one, at another port unless --listen names it\n";
}

// The first key; of a user the newest, so that the one before can be removed once nobody uses it.
Result<identity::Key> key_of(const identity::KeyFile& file, const Arguments& arguments) {
  if (!arguments.has("user")) return file.keys.front();
  const std::string user = arguments.get("user");
  const auto newest =
      std::find_if(file.keys.rbegin(), file.keys.rend(), [&](const identity::Key& key) { return key.user == user; });
  if (newest == file.keys.rend())
    return fail(errors::validation("no key is of the user '" + user + "'; 'fixpoint keys --data " +
                                   shell_word(arguments.get("data")) +
                                   "' lists whose there are, and 'fixpoint keys add' makes one"));
  return *newest;
}

int run_env(const Arguments& arguments) {
  const std::string folder = arguments.get("data");
  if (const auto own = store::check_private_folder(folder); !own) return report(own.error());
  const auto text = store::read_own_file(folder + "/server.json");
  if (!text && text.error().code != "ResourceNotFoundException") return report(text.error());
  const auto server = json::parse(text.value_or(""));
  if (!server || (*server)["Endpoint"].string_or("").find("://") == std::string_view::npos)
    return report(no_server_ran(folder));
  const auto keys = keys_in(folder);
  if (!keys) return report(keys.error());
  const auto key = key_of(*keys, arguments);
  if (!key) return report(key.error());
  const json::Object values{{"AWS_ENDPOINT_URL", (*server)["Endpoint"]},
                            {"AWS_ACCESS_KEY_ID", key->access_key},
                            {"AWS_SECRET_ACCESS_KEY", key->secret},
                            {"AWS_REGION", (*server)["Region"]},
                            {"AWS_DEFAULT_REGION", (*server)["Region"]}};
  warn_of_silence(std::string((*server)["Endpoint"].string_or("")), folder);
  if (arguments.has("json")) {
    std::cout << print_pretty_escaped(values) << "\n";
    return ok;
  }
  for (const auto& value : values)
    std::cout << "export " << value.key << "=" << shell_quoted(value.value.string_or("")) << "\n";
  // One that the user has set goes with another key; empty it counts as none, to the aws command and boto3 as well.
  std::cout << "export AWS_SESSION_TOKEN=''\n";
  return ok;
}

}  // namespace

Command env_command() {
  return {.name = "env",
          .summary = "print what the aws command and boto3 need to reach a server: eval \"$(fixpoint env --data DIR)\"",
          .positional = {},
          .options = {{"data", "DIR", "the server's data folder", "", true},
                      {"user", "NAME", "the newest key of this user, not the server's first", "", false},
                      {"json", "", "print JSON", "", false}},
          .run = run_env,
          .more =
              "It says on standard error where no server answers now; the variables are printed all the same.\n"
              "'aws sqs' and 'aws rds' of version 1 do not look at AWS_ENDPOINT_URL: give them --endpoint-url."};
}

}  // namespace fixpoint::main
