#include "functions/network.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "functions/fork.h"

namespace fixpoint::functions {
namespace {

constexpr std::size_t most_ports = 8;
constexpr int backlog = 64;

Error failed(const std::string& what, int code) {
  return refused_by_system("A network of its own cannot be made: " + what, code);
}

// Which step failed, for the sentence.
enum class Stage : int { User, Network, Loopback, Handle, Listener, Send };

std::string name_of(Stage stage) {
  switch (stage) {
    case Stage::User: return "unshare of the user namespace";
    case Stage::Network: return "unshare of the network namespace";
    case Stage::Loopback: return "its loopback interface";
    case Stage::Handle: return "a handle on it";
    case Stage::Listener: return "a listener in it";
    case Stage::Send: break;
  }
  return "handing it over";
}

// Everything the child needs, made before the fork: between fork and exit of a threaded program only system calls are
// allowed.
struct ChildPlan {
  int channel;
  bool with_user_namespace;
  const char* user_map;
  std::size_t user_map_size;
  const char* group_map;
  std::size_t group_map_size;
  std::array<std::uint16_t, most_ports> ports;
  std::size_t port_count;
};

struct Report {
  int stage = 0;
  int code = 0;
};

[[noreturn]] void fail_child(int channel, Stage stage) {
  const Report report{static_cast<int>(stage), errno == 0 ? EIO : errno};
  [[maybe_unused]] const auto sent = send(channel, &report, sizeof(report), MSG_NOSIGNAL);
  _exit(1);
}

bool write_file(const char* path, const char* text, std::size_t size) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool whole = write(fd, text, size) == static_cast<ssize_t>(size);
  close(fd);
  return whole;
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  const int channel = plan.channel;
  if (plan.with_user_namespace) {
    if (unshare(CLONE_NEWUSER) != 0) fail_child(channel, Stage::User);
    if (!write_file("/proc/self/setgroups", "deny", 4) ||
        !write_file("/proc/self/uid_map", plan.user_map, plan.user_map_size) ||
        !write_file("/proc/self/gid_map", plan.group_map, plan.group_map_size))
      fail_child(channel, Stage::User);
  }
  if (unshare(CLONE_NEWNET) != 0) fail_child(channel, Stage::Network);

  const auto handle = [channel](const char* path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail_child(channel, Stage::Handle);
    return fd;
  };
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq loopback = {};
  std::memcpy(loopback.ifr_name, "lo", 3);
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  if (control < 0 || ioctl(control, SIOCSIFFLAGS, &loopback) != 0) fail_child(channel, Stage::Loopback);

  std::array<int, most_ports + 2> fds{};
  std::size_t count = 0;
  fds[count++] = handle("/proc/self/ns/net");
  if (plan.with_user_namespace) fds[count++] = handle("/proc/self/ns/user");
  for (std::size_t i = 0; i < plan.port_count; ++i) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan.ports[i]);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener, backlog) != 0)
      fail_child(channel, Stage::Listener);
    fds[count++] = listener;
  }

  Report done{-1, 0};
  struct iovec data = {&done, sizeof(done)};
  alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (most_ports + 2))> space{};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
  struct cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
  std::memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * count);
  if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0) fail_child(channel, Stage::Send);
  _exit(0);
}

}  // namespace

Result<Network> Network::make(const std::vector<std::uint16_t>& ports) {
  if (ports.size() > most_ports) return fail(failed("too many listeners", E2BIG));
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return fail(failed("no channel", errno));
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  // One entry, for ourselves, is what everybody may map: user_namespaces(7).
  const std::string user = std::to_string(geteuid()) + " " + std::to_string(geteuid()) + " 1";
  const std::string group = std::to_string(getegid()) + " " + std::to_string(getegid()) + " 1";
  ChildPlan plan{theirs.get(), geteuid() != 0, user.data(), user.size(), group.data(), group.size(), {}, ports.size()};
  std::copy(ports.begin(), ports.end(), plan.ports.begin());

  const pid_t pid = fork_quietly([&] { run_child(plan); });
  if (pid < 0) return fail(failed("fork", errno));
  theirs.reset();

  Report report{static_cast<int>(Stage::Send), EPIPE};
  struct iovec data = {&report, sizeof(report)};
  alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (most_ports + 2))> space{};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  ssize_t got = 0;
  do got = recvmsg(ours.get(), &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::vector<Fd> fds;
  for (struct cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
      fds.emplace_back(fd);
    }
  }
  if (got != sizeof(report) || report.stage >= 0) {
    const Stage stage = static_cast<Stage>(report.stage);
    Error error = failed(name_of(stage), report.code);
    // Of a namespace it says that the machine allows no more of them: user.max_net_namespaces and the like, which is
    // where some switch them off.
    if (report.code == ENOSPC && (stage == Stage::User || stage == Stage::Network)) error.retryable = false;
    return fail(std::move(error));
  }
  const std::size_t namespaces = plan.with_user_namespace ? 2 : 1;
  // What found no descriptor free here was closed: unix(7).
  if (fds.size() != namespaces + ports.size())
    return fail(failed("handing it over", (message.msg_flags & MSG_CTRUNC) != 0 ? EMFILE : EBADMSG));
  Network network;
  network.network_ = std::move(fds[0]);
  if (namespaces == 2) network.user_namespace_ = std::move(fds[1]);
  for (std::size_t i = namespaces; i < fds.size(); ++i) network.listeners_.push_back(std::move(fds[i]));
  return network;
}

}  // namespace fixpoint::functions
