#include <filesystem>
#include <iostream>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "aws/endpoints.h"
#include "base/text.h"
#include "gateway/app.h"
#include "main/commands.h"
#include "main/server_client.h"
#include "store/folder_lock.h"
#include "store/store.h"

namespace fixpoint::main {
namespace {

// As many descriptors as the system lets this process have: many systems begin with 1,024 for the sake of programs that
// use select(2), which nothing here does. Handlers are given a limit of their own (functions/sandbox.cc).
void raise_descriptors() {
  struct rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// While another server of the folder ends, and before signals are blocked, so that Ctrl-C is heard. The store takes the
// lock anew, and decides.
Result<void> wait_for_folder(const std::string& folder) {
  std::error_code none;
  if (!std::filesystem::exists(folder + "/fixpoint.lock", none)) return {};
  const auto taken = store::FolderLock::take(folder, 0);
  if (taken || !taken.error().retryable) return {};
  const unsigned wait_ms = store::Options().lock_wait_ms;
  std::cerr << "fixpoint serve: " << taken.error().message << "; waiting " << wait_ms / 1000 << " s for it to end"
            << std::endl;
  FIXPOINT_CHECK(store::FolderLock::take(folder, wait_ms));
  return {};
}

int run_serve(const Arguments& arguments) {
  gateway::App::Options options;
  const std::string listen = arguments.get("listen", "127.0.0.1:4599");
  const auto colon = listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : to_int64(std::string_view(listen).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) {
    std::cerr << "fixpoint serve: --listen is '" << listen << "'; the form is 127.0.0.1:PORT or [::1]:PORT\n";
    return bad_usage;
  }
  options.address = listen.substr(0, colon);
  if (options.address.starts_with('[') && options.address.ends_with(']'))
    options.address = options.address.substr(1, options.address.size() - 2);
  options.port = static_cast<std::uint16_t>(*port);
  options.data_folder = arguments.get("data");
  options.database = arguments.get("store");
  options.models_folder = arguments.get("models");
  options.catalog_folder = arguments.get("catalog");
  options.account = arguments.get("account");
  options.region = arguments.get("region", options.region);
  if (!aws::is_host_label(options.region)) {
    std::cerr << "fixpoint serve: --region is '" << options.region
              << "'; a region has letters, digits and hyphens, such as us-east-1\n";
    return bad_usage;
  }
  for (const auto& [name, needs] : {std::pair{"account-endpoint", "real-account"},
                                    {"member-role", "real-account"},
                                    {"external-id", "member-role"}}) {
    if (!arguments.has(name) || arguments.has(needs)) continue;
    std::cerr << "fixpoint serve: --" << name << " goes with --" << needs << ", and means nothing without it\n";
    return bad_usage;
  }
  if (arguments.has("external-id") && arguments.get("external-id").empty()) {
    std::cerr << "fixpoint serve: --external-id is empty; give the text that the roles ask for, or leave it out\n";
    return bad_usage;
  }
  options.real_account = arguments.has("real-account");
  options.account_endpoint = arguments.get("account-endpoint");
  options.member_role = arguments.get("member-role");
  options.external_id = arguments.get("external-id");
  options.private_endpoints = arguments.has("private-endpoints");
  if (options.database.empty())
    if (const auto free = wait_for_folder(options.data_folder); !free) return report(free.error());
  // Blocked before any thread is made, so that this thread alone takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  raise_descriptors();
  auto app = gateway::App::start(options);
  if (!app) return report(app.error());
  std::cout << "fixpoint is ready at " << (*app)->endpoint()
            << (options.real_account ? " over the real account " : " with the embedded account ") << (*app)->account()
            << ", data in " << options.data_folder
            << (options.database.empty() ? "" : " and " + store::describe_database(options.database).value_or(""))
            << std::endl;
  // Whether handlers could be held, and their network cut off. Not on the ready line, which scripts read.
  std::cerr << (*app)->isolation() << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  (*app)->stop();
  return ok;
}

}  // namespace

Command serve_command() {
  return {
      .name = "serve",
      .summary = "run the server; prints one line when it is ready",
      .positional = {},
      .options = {{"listen", "ADDRESS:PORT", "where to listen; port 0 takes a free one (127.0.0.1:4599)", "", false},
                  {"data", "DIR", "the data folder, made where it is missing", "", true},
                  {"store", "URL",
                   "keep the store in PostgreSQL: postgresql://USER@HOST:PORT/NAME; the password is better left to "
                   "PGPASSWORD or a passfile",
                   "FIXPOINT_STORE", false},
                  {"account", "ID",
                   "the account that the first key belongs to: of a new data folder (111111111111); over a real "
                   "account the one that it has to be",
                   "", false},
                  {"region", "REGION", "what 'fixpoint env' prints as the region (us-east-1)", "", false},
                  {"models", "DIR", "service models in botocore's form, laid over those in the binary", "", false},
                  {"catalog", "DIR", "controls, recipes and declarations, laid over those in the binary", "", false},
                  {"real-account", "", "work on the real account of the AWS_* variables instead of the embedded one",
                   "", false},
                  {"private-endpoints", "",
                   "let notifications and events go to HTTP endpoints at loopback, link-local and private addresses, "
                   "events over "
                   "http:// too",
                   "", false},
                  {"account-endpoint", "URL", "with --real-account: another endpoint than AWS's own", "", false},
                  {"member-role", "NAME",
                   "with --real-account: the role to assume in the accounts of findings that are not this one's; "
                   "without it nothing is sent to them",
                   "", false},
                  {"external-id", "TEXT", "with --member-role: the external id that the roles ask for", "", false}},
      .run = run_serve,
      .more = {}};
}

}  // namespace fixpoint::main
