#include "functions/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "functions/fork.h"
#include "functions/memory.h"
#include "functions/socket_filter.h"

namespace fixpoint::functions {
namespace {

constexpr int first_inherited = 3;

Error failed(const std::string& what, int code) {
  return refused_by_system("The handler's process cannot be started: " + what, code);
}

// Descriptors that the child moves to their places must not lie on those places.
Result<Fd> move_up(Fd fd) {
  if (!fd) return fail(failed("no descriptor is free", errno));
  Fd high(fcntl(fd.get(), F_DUPFD_CLOEXEC, 64));
  if (!high) return fail(failed("no descriptor is free", errno));
  return high;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Everything the child needs, made before the fork: between fork and exec of a threaded program only system calls are
// allowed.
struct ChildPlan {
  char* const* argv;
  char* const* environment;
  const char* folder;
  const int* inherited;
  int inherited_count;
  int output;
  int null;
  int report;
  int network;
  int user_namespace;
  sock_fprog filter;
  bool become;
  uid_t user;
  std::array<std::pair<__rlimit_resource, rlim_t>, 6> limits;
};

[[noreturn]] void report_and_exit(int fd) {
  const int code = errno;
  [[maybe_unused]] const auto written = write(fd, &code, sizeof(code));
  _exit(127);
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  setsid();
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  // Where memory runs out, a handler goes before the server does.
  if (const int fd = open("/proc/self/oom_score_adj", O_WRONLY); fd >= 0) {
    [[maybe_unused]] const auto written = write(fd, "500", 3);
    close(fd);
  } else if (is_lack(errno)) {
    report_and_exit(plan.report);
  }
  int report = plan.report;
  // Into the namespaces first, while we still may: what follows gives that up.
  if (plan.user_namespace >= 0 && setns(plan.user_namespace, CLONE_NEWUSER) != 0) report_and_exit(report);
  if (plan.network >= 0 && setns(plan.network, CLONE_NEWNET) != 0) report_and_exit(report);
  if (dup2(plan.null, 0) < 0 || dup2(plan.output, 1) < 0 || dup2(plan.output, 2) < 0) report_and_exit(report);
  for (int i = 0; i < plan.inherited_count; ++i)
    if (dup2(plan.inherited[i], first_inherited + i) < 0) report_and_exit(report);
  const int report_place = first_inherited + plan.inherited_count;
  if (dup3(report, report_place, O_CLOEXEC) < 0) report_and_exit(report);
  report = report_place;
  if (syscall(SYS_close_range, report_place + 1, ~0U, 0) != 0) report_and_exit(report);
  for (const auto& [resource, value] : plan.limits) {
    if (value == 0 && resource != RLIMIT_CORE) continue;
    struct rlimit limit = {};
    getrlimit(resource, &limit);
    limit.rlim_max = limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max ? value : limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(resource, &limit) != 0) report_and_exit(report);
  }
  if (plan.become) {
    // The system calls themselves: glibc's wrappers would talk to threads that are not here after the fork.
    if (syscall(SYS_setgroups, 0, nullptr) != 0 || syscall(SYS_setresgid, plan.user, plan.user, plan.user) != 0 ||
        syscall(SYS_setresuid, plan.user, plan.user, plan.user) != 0)
      report_and_exit(report);
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which takes it away
  umask(022);
  if (chdir(plan.folder) != 0) report_and_exit(report);
  if (plan.filter.len != 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &plan.filter) != 0) report_and_exit(report);
  execve(plan.argv[0], plan.argv, plan.environment);
  report_and_exit(report);
}

}  // namespace

bool is_lack(int code) {
  switch (code) {
    case EMFILE:
    case ENFILE:
    case ETOOMANYREFS:
    case EAGAIN:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EDQUOT: return true;
    default: return false;
  }
}

Error refused_by_system(const std::string& what, int code) {
  Error error = errors::coded("ServiceException", what + ": " + std::strerror(code), 500);
  error.retryable = is_lack(code);
  return error;
}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() {
  return std::exchange(fd_, -1);
}

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<Fd> memory_file(const std::string& name, const std::string& content) {
  Fd fd(memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!fd) return fail(failed("no file in memory", errno));
  for (std::size_t at = 0; at < content.size();) {
    const auto written = write(fd.get(), content.data() + at, content.size() - at);
    if (written <= 0) return fail(failed("no file in memory", errno));
    at += static_cast<std::size_t>(written);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return fail(failed("no file in memory", errno));
  return fd;
}

Result<Process> Process::start(Launch launch) {
  std::array<int, 2> output{};
  std::array<int, 2> report{};
  if (pipe2(output.data(), O_CLOEXEC) != 0) return fail(failed("no pipe", errno));
  Fd output_read(output[0]);
  FIXPOINT_TRY(output_write, move_up(Fd(output[1])));
  if (pipe2(report.data(), O_CLOEXEC) != 0) return fail(failed("no pipe", errno));
  Fd report_read(report[0]);
  FIXPOINT_TRY(report_write, move_up(Fd(report[1])));
  FIXPOINT_TRY(null, move_up(Fd(open("/dev/null", O_RDONLY | O_CLOEXEC))));
  std::vector<Fd> inherited;
  std::vector<int> numbers;
  for (auto& fd : launch.inherited) {
    FIXPOINT_TRY(high, move_up(std::move(fd)));
    numbers.push_back(high.get());
    inherited.push_back(std::move(high));
  }
  fcntl(output_read.get(), F_SETFL, O_NONBLOCK);

  sock_fprog filter{};
  if (launch.filter_calls) {
    const auto program = socket_filter();
    if (program.empty()) return fail(failed("no filter of system calls is known for this machine", ENOSYS));
    filter.len = static_cast<unsigned short>(program.size());
    filter.filter = const_cast<sock_filter*>(program.data());  // the kernel only reads it
  }
  const auto argv = pointers(launch.argv);
  const auto environment = pointers(launch.environment);
  ChildPlan plan{argv.data(),
                 environment.data(),
                 launch.folder.c_str(),
                 numbers.data(),
                 static_cast<int>(numbers.size()),
                 output_write.get(),
                 null.get(),
                 report_write.get(),
                 launch.network,
                 launch.user_namespace,
                 filter,
                 launch.user.has_value(),
                 launch.user.value_or(0),
                 {{{RLIMIT_CORE, 0},
                   {RLIMIT_DATA, static_cast<rlim_t>(launch.data_bytes)},
                   {RLIMIT_FSIZE, static_cast<rlim_t>(launch.file_bytes)},
                   {RLIMIT_NPROC, static_cast<rlim_t>(launch.processes)},
                   {RLIMIT_CPU, static_cast<rlim_t>(launch.cpu_seconds)},
                   {RLIMIT_NOFILE, static_cast<rlim_t>(launch.descriptors)}}}};

  const pid_t pid = fork_quietly([&] { run_child(plan); });
  if (pid < 0) return fail(failed("fork", errno));

  Process process;
  process.pid_ = pid;
  if (launch.user_is_its_own) process.own_user_ = launch.user;
  process.output_fd_ = std::move(output_read);
  process.exit_fd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.exit_fd_) return fail(failed("pidfd_open", errno));
  output_write.reset();
  report_write.reset();
  int code = 0;
  ssize_t got = 0;
  do got = read(report_read.get(), &code, sizeof(code));
  while (got < 0 && errno == EINTR);
  if (got == sizeof(code)) return fail(failed(launch.argv[0], code));
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      own_user_(other.own_user_),
      exit_(other.exit_),
      exit_fd_(std::move(other.exit_fd_)),
      output_fd_(std::move(other.output_fd_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Process old(std::move(*this));
    pid_ = std::exchange(other.pid_, -1);
    own_user_ = other.own_user_;
    exit_ = other.exit_;
    exit_fd_ = std::move(other.exit_fd_);
    output_fd_ = std::move(other.output_fd_);
  }
  return *this;
}

Process::~Process() {
  if (pid_ < 0) return;
  kill();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

bool Process::read_output(std::string& out) {
  if (!output_fd_) return false;
  std::array<char, 65536> buffer{};
  // A writer that is as fast as the reader must not keep it for ever.
  for (int round = 0; round < 64; ++round) {
    const auto got = read(output_fd_.get(), buffer.data(), buffer.size());
    if (got > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    output_fd_.reset();
    return false;
  }
  return true;
}

void Process::kill() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  kill_user();
}

// What left the group by a session of its own cannot be told from others but by its user. Only a process of that user
// may be so rude as to kill all that it may kill.
void Process::kill_user() const {
  if (!own_user_) return;
  const uid_t user = *own_user_;
  const pid_t killer = fork();
  if (killer == 0) {
    if (syscall(SYS_setresuid, user, user, user) == 0) ::kill(-1, SIGKILL);
    _exit(0);
  }
  if (killer < 0) return;
  while (waitpid(killer, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::int64_t Process::memory_kb(std::int64_t enough_kb) const {
  return pid_ < 0 ? 0 : memory_of_tree_kb(pid_, enough_kb);
}

std::optional<Exit> Process::exited() {
  if (exit_ || pid_ < 0) return exit_;
  int status = 0;
  struct rusage usage = {};
  pid_t got = 0;
  do got = wait4(pid_, &status, WNOHANG, &usage);
  while (got < 0 && errno == EINTR);
  if (got != pid_) return {};
  // Those that it left behind go with it.
  ::kill(-pid_, SIGKILL);
  kill_user();
  pid_ = -1;
  exit_ =
      Exit{WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0, usage.ru_maxrss};
  return exit_;
}

}  // namespace fixpoint::functions
