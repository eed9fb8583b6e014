#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "functions/memory.h"

namespace fixpoint::functions {

/// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

/// The system lacks what it may have later: descriptors (EMFILE, ENFILE, ETOOMANYREFS), processes (EAGAIN), memory
/// (ENOMEM, ENOBUFS) or room on a disk (ENOSPC, EDQUOT).
bool is_lack(int code);
/// What the system refused on the way to a handler's process, `what` a sentence without its end. Retryable for a lack.
Error refused_by_system(const std::string& what, int code);

/// A file in memory with this content, open for reading at its start. Error: ServiceException.
Result<Fd> memory_file(const std::string& name, const std::string& content);

struct Launch {
  std::vector<std::string> argv;         ///< argv[0] is the program's full path
  std::vector<std::string> environment;  ///< all of it: nothing of ours is passed on
  std::string folder = "/";              ///< the working directory
  std::vector<Fd> inherited;             ///< become descriptors 3, 4, ... of the process
  int network = -1;                      ///< of a Network: the process has no other; the caller's, until it has started
  int user_namespace = -1;               ///< the same one's, where it has one
  bool filter_calls = false;             ///< see socket_filter.h
  std::optional<uid_t> user;             ///< user and group to become; only root can
  bool user_is_its_own = false;          ///< nobody else runs as `user`: all of that user is killed with the process
  std::int64_t data_bytes = 0;           ///< RLIMIT_DATA; 0 leaves a limit as it is
  std::int64_t file_bytes = 0;           ///< RLIMIT_FSIZE
  std::int64_t processes = 0;            ///< RLIMIT_NPROC: of the user, which is why each process gets its own
  std::int64_t cpu_seconds = 0;          ///< RLIMIT_CPU
  std::int64_t descriptors = 0;          ///< RLIMIT_NOFILE
};

/// How a process ended.
struct Exit {
  int status = 0;              ///< its exit status, where no signal ended it
  int signal = 0;              ///< the signal that ended it, or 0
  std::int64_t memory_kb = 0;  ///< the largest resident size of it and those it waited for
};

/// A child with its own session, its output on one pipe. Killed when it is destroyed, with its process group, and
/// waited for. Owned and used by one thread: the kernel kills the child when the thread that started it ends.
class Process {
 public:
  /// Errors: ServiceException with the system's reason, such as a program that is not there.
  static Result<Process> start(Launch launch);
  Process() = default;
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  int exit_fd() const { return exit_fd_.get(); }      ///< readable when the process has ended
  int output_fd() const { return output_fd_.get(); }  ///< stdout and stderr; does not block; -1 once it was closed
  /// Appends what is there to read. False at the end: all who held the other side are gone.
  bool read_output(std::string& out);
  /// Kills the process and its group, and all of its user where that is its own; again: does nothing.
  void kill();
  /// What it and all that it started hold of memory now; see memory_of_tree_kb().
  std::int64_t memory_kb(std::int64_t enough_kb) const;
  SharedMemorySight shared_memory_sight() const { return functions::shared_memory_sight(pid_); }
  /// How it ended; nothing while it runs.
  std::optional<Exit> exited();

 private:
  void kill_user() const;

  pid_t pid_ = -1;  // -1: none, or waited for
  std::optional<uid_t> own_user_;
  std::optional<Exit> exit_;
  Fd exit_fd_;
  Fd output_fd_;
};

}  // namespace fixpoint::functions
