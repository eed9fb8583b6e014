#pragma once

#include <algorithm>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace fixpoint::test {

/// So many descriptors are free while it lives, and no more.
class FreeDescriptors {
 public:
  explicit FreeDescriptors(int count) {
    getrlimit(RLIMIT_NOFILE, &before_);
    // No gap is left below the highest, nor below those that have places of their own.
    constexpr int own_places = 128;
    int highest = own_places;
    for (int fd = 0; fd < static_cast<int>(before_.rlim_cur) && fd < 4'096; ++fd)
      if (fcntl(fd, F_GETFD) >= 0 && fd > highest) highest = fd;
    while (true) {
      const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd < 0) break;
      taken_.push_back(fd);
      if (fd >= highest) break;
    }
    struct rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>((taken_.empty() ? highest : std::max(highest, taken_.back())) + 1 + count);
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FreeDescriptors() {
    setrlimit(RLIMIT_NOFILE, &before_);
    for (const int fd : taken_) close(fd);
  }
  FreeDescriptors(const FreeDescriptors&) = delete;
  FreeDescriptors& operator=(const FreeDescriptors&) = delete;

 private:
  struct rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace fixpoint::test
