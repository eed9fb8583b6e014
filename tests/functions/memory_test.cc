#include "functions/memory.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace fixpoint::functions {
namespace {

constexpr std::int64_t size_kb = 64 * 1024;
constexpr std::size_t size = size_kb * 1024;
constexpr std::int64_t page_kb = 4;
constexpr uid_t nobody = 65'534;

// A process that does one thing after the other, each when it is told to.
class Worked {
 public:
  explicit Worked(const std::vector<std::function<void()>>& steps) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      close(pair[0]);
      char byte = 0;
      for (const auto& step : steps) {
        if (read(pair[1], &byte, 1) != 1) _exit(0);
        step();
        if (write(pair[1], &byte, 1) != 1) _exit(0);
      }
      (void)!read(pair[1], &byte, 1);
      _exit(0);
    }
    close(pair[1]);
    channel_ = pair[0];
  }
  ~Worked() {
    close(channel_);
    waitpid(pid_, nullptr, 0);
  }
  Worked(const Worked&) = delete;
  Worked& operator=(const Worked&) = delete;

  void goes_on() const {
    char byte = 'x';
    if (write(channel_, &byte, 1) != 1 || read(channel_, &byte, 1) != 1) std::abort();
  }
  std::int64_t holds_kb() const { return memory_of_tree_kb(pid_, 0); }
  std::int64_t plainly_kb() const { return memory_of_tree_kb(pid_, 1LL << 40); }

 private:
  pid_t pid_ = -1;
  int channel_ = -1;
};

char* map(int flags) {
  void* const place = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) _exit(1);
  return static_cast<char*>(place);
}
void fill(char* place) {
  for (std::size_t at = 0; at < size; at += page_kb * 1024) place[at] = 1;
}

bool told_all() {
  return shared_memory_sight(getpid()) == SharedMemorySight::Whole;
}

// The thread sanitizer keeps shared memory beside what a process touches, and that would be measured with it.
bool memory_is_its_own() {
#if defined(__has_feature)
  return !__has_feature(thread_sanitizer);
#else
  return true;
#endif
}

// What else the process takes in between.
constexpr std::int64_t margin_kb = 4'096;

TEST(Memory, that_is_shared_counts_when_it_is_in_no_page_table) {
  if (!memory_is_its_own()) GTEST_SKIP() << "the thread sanitizer's own memory counts as well";
  char* place = nullptr;
  const Worked worked({[&] { place = map(MAP_SHARED); }, [&] { fill(place); },
                       [&] { madvise(place, size, MADV_DONTNEED); }, [&] { munmap(place, size); }});
  const std::int64_t before = worked.holds_kb();
  worked.goes_on();
  if (told_all()) EXPECT_LT(worked.holds_kb(), before + margin_kb) << "it is not filled";
  for (int i = 0; i < 2; ++i) {
    worked.goes_on();
    EXPECT_GE(worked.holds_kb(), before + size_kb - margin_kb);
    EXPECT_LE(worked.holds_kb(), before + size_kb + margin_kb);
    EXPECT_GE(worked.plainly_kb(), before + size_kb - margin_kb);
  }
  worked.goes_on();
  EXPECT_LT(worked.holds_kb(), before + margin_kb) << "it was given back";
}

TEST(Memory, that_is_shared_counts_whole_while_a_part_of_it_is_mapped) {
  if (!told_all()) GTEST_SKIP() << "the system does not tell it";
  char* place = nullptr;
  const Worked worked({[&] {
    place = map(MAP_SHARED);
    fill(place);
    munmap(place + page_kb * 1024, size - page_kb * 1024);
  }});
  const std::int64_t before = worked.holds_kb();
  worked.goes_on();
  EXPECT_GE(worked.holds_kb(), before + size_kb - margin_kb);
}

TEST(Memory, that_is_shared_counts_once_for_all_who_have_it) {
  if (!memory_is_its_own()) GTEST_SKIP() << "the thread sanitizer's own memory counts as well";
  char* place = nullptr;
  const Worked worked({[&] {
    place = map(MAP_SHARED);
    fill(place);
    const pid_t parent = getpid();
    for (int i = 0; i < 3; ++i)
      if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(0);  // it had ended already
        fill(place);
        madvise(place, size, MADV_DONTNEED);
        pause();
      }
  }});
  const std::int64_t before = worked.holds_kb();
  worked.goes_on();
  EXPECT_GE(worked.holds_kb(), before + size_kb - margin_kb);
  EXPECT_LT(worked.holds_kb(), before + 2 * size_kb);
}

// Not root, who is told what shared memory holds.
TEST(Memory, that_is_shared_counts_by_its_size_for_who_is_not_told_more) {
  if (!memory_is_its_own()) GTEST_SKIP() << "the thread sanitizer's own memory counts as well";
  if (geteuid() != 0) GTEST_SKIP() << "nobody else to be";
  const pid_t other = fork();
  if (other == 0) {
    if (setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0) _exit(2);
    if (shared_memory_sight(getppid()) != SharedMemorySight::Resident) _exit(3);
    // Who changes his user is not to be looked at.
    prctl(PR_SET_DUMPABLE, 1);
    if (shared_memory_sight(getpid()) != SharedMemorySight::Mapped) _exit(4);
    char* place = nullptr;
    const Worked worked({[&] {
      place = map(MAP_SHARED);
      fill(place);
      madvise(place, size, MADV_DONTNEED);
    }});
    const std::int64_t before = worked.holds_kb();
    worked.goes_on();
    const std::int64_t now = worked.holds_kb();
    _exit(now >= before + size_kb - margin_kb && now <= before + size_kb + margin_kb ? 0 : 1);
  }
  int status = 0;
  waitpid(other, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Memory, on_swap_counts) {
  std::ifstream swaps("/proc/swaps");
  std::string line;
  std::getline(swaps, line);
  if (!std::getline(swaps, line)) GTEST_SKIP() << "there is no swap";
  for (const int flags : {MAP_PRIVATE, MAP_SHARED}) {
    char* place = nullptr;
    const Worked worked({[&] {
      place = map(flags);
      fill(place);
      madvise(place, size, MADV_PAGEOUT);
    }});
    const std::int64_t before = worked.holds_kb();
    worked.goes_on();
    EXPECT_GE(worked.holds_kb(), before + size_kb - margin_kb);
    EXPECT_GE(worked.plainly_kb(), before + size_kb - margin_kb);
  }
}

TEST(Memory, of_a_process_that_is_gone_is_none) {
  const pid_t gone = fork();
  if (gone == 0) _exit(0);
  waitpid(gone, nullptr, 0);
  EXPECT_EQ(memory_of_tree_kb(gone, 0), 0);
}

}  // namespace
}  // namespace fixpoint::functions
