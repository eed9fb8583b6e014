#include "functions/sandbox.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/text.h"
#include "functions/socket_filter.h"

// The two Python files, as src/functions/CMakeLists.txt put them into the binary.
extern "C" const char fixpoint_functions_bootstrap_start[];
extern "C" const char fixpoint_functions_bootstrap_end[];
extern "C" const char fixpoint_functions_sitecustomize_start[];
extern "C" const char fixpoint_functions_sitecustomize_end[];

namespace fixpoint::functions {
namespace {

namespace fs = std::filesystem;

// Users that nobody gives out: above the first ranges of /etc/subuid, below systemd's ranges for containers
// (https://systemd.io/UIDS-GIDS). Each running fixpoint takes its own 64 of them.
constexpr uid_t first_user = 400'000;
constexpr uid_t users_of_one = 64;
constexpr uid_t user_ranges = 1'900;
constexpr std::int64_t cpu_seconds = 3'600;
constexpr std::int64_t megabyte = 1024LL * 1024;
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
constexpr std::int64_t descriptor_limit = 1'024;

std::string bootstrap_text() {
  return {fixpoint_functions_bootstrap_start, fixpoint_functions_bootstrap_end};
}
std::string sitecustomize_text() {
  return {fixpoint_functions_sitecustomize_start, fixpoint_functions_sitecustomize_end};
}

// What says that the system lacks something, in the words of bubblewrap, of the dynamic loader and of Python.
bool speaks_of_a_lack(std::string_view text) {
  for (const int code : {EAGAIN, ENOMEM, EMFILE, ENFILE})
    if (text.find(std::strerror(code)) != std::string_view::npos) return true;
  return text.find("MemoryError") != std::string_view::npos;
}

// What nobody does himself, but the system for want of memory. Bubblewrap tells of it by its status.
bool was_killed(const Exit& exit) {
  return exit.signal == SIGKILL || exit.status == 128 + SIGKILL;
}

// The folders of the system as bubblewrap shows them: /usr, and the names that lead into it.
void add_system(std::vector<std::string>& argv) {
  const auto add = [&](std::initializer_list<std::string> words) { argv.insert(argv.end(), words); };
  add({"--ro-bind", "/usr", "/usr"});
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64"}) {
    const fs::path path = fs::path("/") / name;
    std::error_code failure;
    if (fs::is_symlink(path, failure))
      add({"--symlink", fs::read_symlink(path, failure).string(), path.string()});
    else if (fs::exists(path, failure))
      add({"--ro-bind", path.string(), path.string()});
  }
  // What name resolution, TLS and the dynamic linker read; nothing else of /etc.
  for (const char* path : {"/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl", "/etc/ca-certificates", "/etc/hosts",
                           "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/localtime", "/etc/mime.types"})
    add({"--ro-bind-try", path, path});
}

void enter(Launch& launch, const Network& network) {
  launch.network = network.network();
  launch.user_namespace = network.user_namespace();
  launch.filter_calls = true;
}

// Where the gateway listens: `http://127.0.0.1:4566`.
struct Gateway {
  std::string address;
  std::uint16_t port = 0;  // 0: none that a relay could reach
  std::string path;
};

Gateway gateway_of(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return {};
  std::string_view rest = std::string_view(url).substr(scheme.size());
  const std::size_t path = std::min(rest.find('/'), rest.size());
  Gateway out;
  out.path = rest.substr(path);
  rest = rest.substr(0, path);
  const std::size_t colon = rest.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : to_int64(rest.substr(colon + 1));
  if (!port || *port < 1 || *port > 65'535) return {};
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  // What listens on every address listens on loopback.
  out.address = host == "localhost" || host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : std::string(host);
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

}  // namespace

Sandbox::Sandbox(const RuntimeOptions& options, Hold hold, bool own_network, bool no_more_namespaces)
    : options_(options), hold_(hold), own_network_(own_network), no_more_namespaces_(no_more_namespaces) {}

Result<std::unique_ptr<Sandbox>> Sandbox::find(const RuntimeOptions& options) {
  const bool root = geteuid() == 0;
  std::vector<Hold> holds;
  if (options.use_bubblewrap && root) holds.push_back(Hold::BubblewrapAsOtherUser);
  if (options.use_bubblewrap) holds.push_back(Hold::Bubblewrap);
  if (root) holds.push_back(Hold::OtherUser);
  holds.push_back(Hold::Plain);
  std::string refused;
  Error last;
  for (const Hold hold : holds) {
    const bool bubblewrap = hold == Hold::BubblewrapAsOtherUser || hold == Hold::Bubblewrap;
    std::string network_refused;
    // Bubblewrap takes --disable-userns from 0.8.0 on, and not where it is installed setuid: the last thing to go
    // without, of each way with the network and without.
    for (const auto& [own_network, no_more_namespaces] :
         {std::pair(true, true), std::pair(true, false), std::pair(false, true), std::pair(false, false)}) {
      if (no_more_namespaces && !bubblewrap) continue;
      if (own_network && !options.own_network) {
        network_refused = "that is switched off";
        continue;
      }
      std::unique_ptr<Sandbox> sandbox(new Sandbox(options, hold, own_network, no_more_namespaces));
      if (const auto tried = sandbox->try_out(); !tried) {
        last = tried.error();
        // A lack says nothing of a hold: a weaker one is no answer to it.
        if (last.retryable) return fail(std::move(last));
        if (own_network) network_refused = last.message;
        if (sandbox->in_bubblewrap()) refused = last.message;
        continue;
      }
      sandbox->sentence_ = sandbox->describe(refused, network_refused);
      return sandbox;
    }
  }
  return fail(std::move(last));
}

std::string Sandbox::describe(const std::string& bubblewrap_refused, const std::string& network_refused) const {
  const bool root = geteuid() == 0;
  std::string always =
      " Processes, file size and processor time are limited for each process; memory for all processes of a run "
      "together, which is ended where they hold more than the function's memory size.";
  if (socket_filter().empty()) always += " Memory that no process has mapped is NOT seen.";
  switch (sight_) {
    case SharedMemorySight::Whole: break;
    case SharedMemorySight::Mapped:
      always +=
          " Shared memory counts by what is mapped of it, filled or not: what a handler filled and unmapped while "
          "other "
          "parts of the same piece stay mapped is NOT seen.";
      break;
    case SharedMemorySight::Resident:
      always += " What a handler takes out of its page tables of shared memory, and keeps, is NOT seen.";
      break;
  }
  always += " What the system keeps in pipes and sockets for a handler is NOT counted as memory.";
  if (own_network_)
    always +=
        " The network is cut off: each process has a network of its own, in which nothing answers but the gateway and "
        "the runtime interface.";
  else
    always +=
        " The network is NOT cut off: handlers reach the gateway on loopback, and so whatever else this machine "
        "reaches, the unsigned links of fixpoint's own notifications among it (" +
        network_refused + ").";
  const std::string unseen =
      " What a handler puts into /dev/shm, and what a process holds that left its parents, is NOT counted as memory.";
  std::string text;
  switch (hold_) {
    case Hold::BubblewrapAsOtherUser:
    case Hold::Bubblewrap:
      text =
          "Handlers run in bubblewrap: /usr is read-only, /tmp and the code are private and in memory, other files, "
          "processes and environment variables of this machine are out of sight" +
          std::string(hold_ == Hold::BubblewrapAsOtherUser ? "; each process has a user of its own." : ".") + always +
          (no_more_namespaces_ ? ""
                               : " Handlers can make user namespaces, and files in memory beyond the limits there.") +
          (hold_ == Hold::Bubblewrap && root ? " They run as root without its powers, since no other user can start " +
                                                   options_.interpreter + ": the number of processes is not limited."
                                             : "");
      break;
    case Hold::OtherUser:
      text =
          "Handlers run WITHOUT bubblewrap, as users of their own, which keeps them from files and "
          "processes of others but lets them read what everybody may read." +
          always + unseen;
      break;
    case Hold::Plain:
      text =
          "Handlers run WITHOUT isolation, as the user that runs fixpoint, and can read and change "
          "what that user can, fixpoint's own data included; what one starts in a session of its own may outlive "
          "it." +
          always + unseen + " Nor is shared memory of a process that forbids others to look at it (PR_SET_DUMPABLE)." +
          (root ? " As root, the number of processes is not limited either." : "");
      break;
  }
  if (!in_bubblewrap())
    text += options_.use_bubblewrap ? " Bubblewrap does not work here: " + bubblewrap_refused
                                    : " Bubblewrap is switched off.";
  return text;
}

Result<void> Sandbox::try_out() {
  auto tried = probe(options_.process_limit);
  const auto lacks_processes = [&] {
    return !tried && tried.error().retryable && tried.error().message.find(std::strerror(EAGAIN)) != std::string::npos;
  };
  if (!lacks_processes() || geteuid() == 0) return tried;
  // The limit is of the user, who may have more processes than it allows a handler: then it works without the limit,
  // and with it still does not, which does not pass.
  if (!probe(0)) return tried;
  tried = probe(options_.process_limit);
  if (lacks_processes()) tried.error().retryable = false;
  return tried;
}

// A Python that says that it works, and, where it is to have a network of its own, that it does not hear us.
Result<void> Sandbox::probe(std::int64_t processes) {
  const Fd ear(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (!ear || bind(ear.get(), reinterpret_cast<struct sockaddr*>(&address), size) != 0 || listen(ear.get(), 1) != 0 ||
      getsockname(ear.get(), reinterpret_cast<struct sockaddr*>(&address), &size) != 0)
    return fail(refused_by_system("No listener can be had on loopback", errno));
  const std::string script =
      own_network_
          ? "import socket\ns = socket.socket()\ns.settimeout(5)\nr = s.connect_ex(('127.0.0.1', " +
                std::to_string(ntohs(address.sin_port)) + "))\nprint('works' if r else 'the network is not cut off')"
          : "print('works')";
  Started started;
  FIXPOINT_TRY(plan, launch({}, {options_.interpreter, "-I", "-S", "-c", script}, started));
  plan.processes = processes;
  std::optional<Network> network;
  if (own_network_) {
    FIXPOINT_TRY(made, Network::make({}));
    network = std::move(made);
    enter(plan, *network);
  }
  FIXPOINT_TRY(process, Process::start(std::move(plan)));
  started.process = std::move(process);
  sight_ = started.process.shared_memory_sight();
  std::string output;
  bool open = true;
  std::optional<Exit> exit;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.probe_timeout_ms);
  while ((open || !exit) && std::chrono::steady_clock::now() < until) {
    // Poll leaves out what is -1.
    std::array<pollfd, 2> wait{
        {{started.process.output_fd(), POLLIN, 0}, {exit ? -1 : started.process.exit_fd(), POLLIN, 0}}};
    poll(wait.data(), wait.size(), 100);
    open = started.process.read_output(output);
    exit = started.process.exited();
  }
  if (output == "works\n") return {};
  const bool too_late = open || !exit;
  Error error = errors::coded(
      "ServiceException",
      "The handler's process cannot be started: " + options_.interpreter +
          (too_late ? " was not done after " + std::to_string(options_.probe_timeout_ms) + " ms, and said '"
                    : " said '") +
          std::string(trim(std::string_view(output).substr(0, 500))) + "'",
      500);
  // Only what ended by itself has shown what this hold is worth.
  error.retryable = too_late || was_killed(*exit) || speaks_of_a_lack(output);
  return fail(std::move(error));
}

// Gives the process its network, and the two ways out of it.
Result<void> Sandbox::connect(const Request& request, Launch& launch, Started& started) {
  const Gateway gateway = gateway_of(request.gateway_url);
  // Both are on loopback inside, so that two of one number outside have to part.
  const std::uint16_t api_port =
      request.runtime_port == gateway.port ? request.runtime_port ^ 1U : request.runtime_port;
  std::vector<std::uint16_t> ports{api_port};
  if (gateway.port != 0) ports.push_back(gateway.port);
  FIXPOINT_TRY(network, Network::make(ports));
  std::vector<Fd> listeners = network.take_listeners();
  std::vector<Relay::Way> ways;
  ways.push_back({std::move(listeners[0]), "127.0.0.1", request.runtime_port, RuntimeOptions::runtime_connections});
  if (gateway.port != 0)
    ways.push_back({std::move(listeners[1]), gateway.address, gateway.port, options_.gateway_connections,
                    std::chrono::milliseconds(options_.gateway_quiet_ms)});
  FIXPOINT_TRY(relay, Relay::start(std::move(ways)));
  started.relay = std::move(relay);
  if (gateway.port != 0) started.gateway_url = "http://127.0.0.1:" + std::to_string(gateway.port) + gateway.path;
  launch.environment.push_back("AWS_LAMBDA_RUNTIME_API=127.0.0.1:" + std::to_string(api_port) + "/" +
                               request.runtime_secret);
  enter(launch, network);
  auto process = Process::start(std::move(launch));
  if (!process) return fail(std::move(process.error()));
  started.process = std::move(*process);
  return {};
}

Result<Launch> Sandbox::launch(const Request& request, std::vector<std::string> python, Started& started) {
  Launch plan;
  plan.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"};
  plan.data_bytes = request.memory_mb * megabyte + options_.extra_memory_bytes;
  plan.file_bytes = request.ephemeral_storage_mb * megabyte;
  plan.processes = options_.process_limit;
  plan.descriptors = descriptor_limit;
  plan.filter_calls = !socket_filter().empty();
  plan.cpu_seconds = (cpu_seconds + request.timeout_s) * std::max(1U, std::thread::hardware_concurrency());
  if (as_other_user())
    plan.user =
        first_user + static_cast<uid_t>(getpid()) % user_ranges * users_of_one + static_cast<uid_t>(request.slot);
  plan.user_is_its_own = hold_ == Hold::OtherUser;  // bubblewrap ends all of its own by itself
  started.status_has_signals = in_bubblewrap();

  if (in_bubblewrap()) {
    started.task_root = "/var/task";
    started.runtime_dir = "/var/runtime";
    const std::string storage = std::to_string(request.ephemeral_storage_mb * megabyte);
    auto& argv = plan.argv;
    const auto add = [&](std::initializer_list<std::string> words) { argv.insert(argv.end(), words); };
    add({options_.bubblewrap, "--unshare-user"});
    if (no_more_namespaces_) add({"--disable-userns"});
    add({"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "lambda",
         "--die-with-parent", "--new-session", "--cap-drop", "ALL"});
    add_system(argv);
    if (!options_.interpreter.starts_with("/usr/")) {
      std::error_code failure;
      const fs::path real = fs::canonical(options_.interpreter, failure);
      for (const fs::path& path : {fs::path(options_.interpreter), real}) {
        const std::string prefix = path.parent_path().parent_path().string();
        if (prefix.size() > 1) add({"--ro-bind-try", prefix, prefix});
      }
    }
    // Of /dev nothing can be written but the devices: like Lambda's it has no /dev/shm to put memory into.
    add({"--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--size", storage, "--tmpfs", "/tmp", "--size",
         storage, "--tmpfs", "/var/task", "--dir", "/var/runtime"});
    FIXPOINT_TRY(bootstrap, memory_file("bootstrap.py", bootstrap_text()));
    FIXPOINT_TRY(sitecustomize, memory_file("sitecustomize.py", sitecustomize_text()));
    plan.inherited.push_back(std::move(bootstrap));
    plan.inherited.push_back(std::move(sitecustomize));
    add({"--ro-bind-data", "3", "/var/runtime/bootstrap.py", "--ro-bind-data", "4", "/var/runtime/sitecustomize.py",
         "--remount-ro", "/", "--chdir", "/var/task"});
    plan.environment.push_back("PYTHONPATH=/var/runtime");
    argv.insert(argv.end(), python.begin(), python.end());
    return plan;
  }

  if (runtime_folder_.path().empty()) {
    FIXPOINT_TRY(folder, Folder::make("runtime"));
    if (::chmod(folder.path().c_str(), 0755) != 0)
      return fail(refused_by_system("The folder " + folder.path() + " cannot be shown to handlers", errno));
    FIXPOINT_CHECK(folder.write("bootstrap.py", bootstrap_text()));
    FIXPOINT_CHECK(folder.write("sitecustomize.py", sitecustomize_text()));
    runtime_folder_ = std::move(folder);
  }
  FIXPOINT_TRY(folder, Folder::make("task"));
  if (plan.user && ::chown(folder.path().c_str(), *plan.user, *plan.user) != 0)
    return fail(refused_by_system("The folder " + folder.path() + " cannot be given to a handler", errno));
  started.task_root = folder.path();
  started.runtime_dir = runtime_folder_.path();
  started.folder = std::move(folder);
  plan.folder = "/";
  plan.environment.push_back("PYTHONPATH=" + runtime_folder_.path());
  plan.argv = std::move(python);
  return plan;
}

Result<Sandbox::Started> Sandbox::start(const Request& request) {
  Started started;
  const std::string bootstrap =
      (in_bubblewrap() ? std::string("/var/runtime") : runtime_folder_.path()) + "/bootstrap.py";
  FIXPOINT_TRY(plan, launch(request, {options_.interpreter, "-u", bootstrap}, started));
  started.gateway_url = request.gateway_url;
  if (own_network_) {
    FIXPOINT_CHECK(connect(request, plan, started));
    return started;
  }
  plan.environment.push_back("AWS_LAMBDA_RUNTIME_API=127.0.0.1:" + std::to_string(request.runtime_port) + "/" +
                             request.runtime_secret);
  FIXPOINT_TRY(process, Process::start(std::move(plan)));
  started.process = std::move(process);
  return started;
}

}  // namespace fixpoint::functions
