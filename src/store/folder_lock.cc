#include "store/folder_lock.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace fixpoint::store {
namespace {

struct flock whole_file(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

Error of_system(const std::string& path, int code) {
  return errors::coded("StoreError", "cannot lock " + path + ": " + std::strerror(code), 500);
}

// Who holds it, as far as that can be told: he may have let go meanwhile.
Error held(int file, const std::string& folder) {
  struct flock other = whole_file(F_WRLCK);
  const bool known = fcntl(file, F_GETLK, &other) == 0 && other.l_type != F_UNLCK;
  Error error =
      errors::coded("StoreError",
                    "another fixpoint" + (known ? " (process " + std::to_string(other.l_pid) + ")" : "") +
                        " works with the folder " + folder + "; stop it, or give this one a folder of its own",
                    503);
  error.retryable = true;
  return error;
}

}  // namespace

Result<std::unique_ptr<FolderLock>> FolderLock::take(const std::string& folder, unsigned wait_ms) {
  const std::string path = folder + "/fixpoint.lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(of_system(path, errno));
  auto lock = std::unique_ptr<FolderLock>(new FolderLock(file));
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (true) {
    struct flock wanted = whole_file(F_WRLCK);
    if (fcntl(file, F_SETLK, &wanted) == 0) return lock;
    if (errno == EINTR) continue;
    if (errno != EACCES && errno != EAGAIN) return fail(of_system(path, errno));
    if (std::chrono::steady_clock::now() >= until) return fail(held(file, folder));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

FolderLock::~FolderLock() {
  ::close(file_);
}

}  // namespace fixpoint::store
