#include "syncs.h"

#include <atomic>
#include <sys/syscall.h>
#include <unistd.h>

namespace {
std::atomic<std::uint64_t> count{0};
}  // namespace

// The store's library calls these through the linker.
extern "C" int fsync(int file) {
  ++count;
  return static_cast<int>(syscall(SYS_fsync, file));
}
extern "C" int fdatasync(int file) {
  ++count;
  return static_cast<int>(syscall(SYS_fdatasync, file));
}

namespace fixpoint::bench {

std::uint64_t syncs() {
  return count;
}

}  // namespace fixpoint::bench
