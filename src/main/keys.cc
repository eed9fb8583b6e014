// Who may call a server: the keys of its data folder. It works on the folder, so that nobody who is merely let in can
// make himself a second person.
#include <iostream>

#include "base/shell.h"
#include "identity/key_file.h"
#include "main/commands.h"
#include "main/data_folder.h"
#include "main/server_client.h"
#include "main/terminal.h"

namespace fixpoint::main {
namespace {

json::Object shown(const identity::Key& key) {
  return {{"AccessKeyId", key.access_key}, {"User", key.user}, {"Account", key.account}, {"CreatedAt", key.created}};
}

int run_list(const Arguments& arguments, const identity::KeyFile& file) {
  if (arguments.has("json")) {
    json::Array keys;
    for (const identity::Key& key : file.keys) keys.push_back(shown(key));
    std::cout << print_pretty_escaped(json::Object{{"Keys", std::move(keys)}}) << "\n";
    return ok;
  }
  std::vector<std::vector<std::string>> rows{{"KEY", "USER", "ACCOUNT", "CREATED"}};
  for (const identity::Key& key : file.keys) rows.push_back({key.access_key, key.user, key.account, key.created});
  print_table(rows, 64);
  return ok;
}

int run_add(const Arguments& arguments, const std::string& folder, const std::string& user) {
  const auto key = identity::KeyFile::add(folder, user, SystemClock().now_ms());
  if (!key) return report(key.error());
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(shown(*key)) << "\n";
  else
    std::cout << "the key " << key->access_key << " is of the user " << key->user << "; 'fixpoint env --data "
              << shell_word(folder) << " --user " << key->user << "' prints it\n";
  return ok;
}

int run_remove(const Arguments& arguments, const std::string& folder, const std::string& access_key) {
  const auto key = identity::KeyFile::remove(folder, access_key);
  if (!key) return report_unset(key.error());
  if (arguments.has("json"))
    std::cout << print_pretty_escaped(shown(*key)) << "\n";
  else
    std::cout << "the key " << key->access_key << " of the user " << key->user
              << " is removed; sessions of roles that it began last until they expire\n";
  return ok;
}

int run_keys(const Arguments& arguments) {
  const auto& words = arguments.positional;
  const std::string action = words.empty() ? "list" : words[0];
  const std::string folder = arguments.get("data");
  if (action != "list" && action != "add" && action != "remove") {
    std::cerr << "fixpoint keys: there is no '" << action << "'; there are list, add USER and remove KEY\n";
    return bad_usage;
  }
  if ((words.size() == 2) != (action != "list")) {
    std::cerr << "fixpoint keys: "
              << (action == "list"  ? "list takes nothing more"
                  : action == "add" ? "add wants the name of a user: keys add ann"
                                    : "remove wants the id of a key: keys remove AKIA...")
              << "\n";
    return bad_usage;
  }
  const auto file = keys_in(folder);
  if (!file) return report(file.error());
  if (action == "add") return run_add(arguments, folder, words[1]);
  if (action == "remove") return run_remove(arguments, folder, words[1]);
  return run_list(arguments, *file);
}

}  // namespace

Command keys_command() {
  return {.name = "keys",
          .summary = "list, add or remove the keys with which a server lets people in",
          .positional = "[list | add USER | remove KEY]",
          .at_least = 0,
          .at_most = 2,
          .options = {{"data", "DIR", "the server's data folder", "", true}, {"json", "", "print JSON", "", false}},
          .run = run_keys,
          .more =
              "Several keys of one user are one person, which is what four eyes count. A server that runs takes a "
              "change up with the next request, a second later at most, and records it in its audit log. Secrets are "
              "printed by 'fixpoint env "
              "--user' alone. To remove a key that is not there ends with status 1."};
}

}  // namespace fixpoint::main
