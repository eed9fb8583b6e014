#include "store/folder_lock.h"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "support/temp_dir.h"

namespace fixpoint::store {
namespace {

using testing::HasSubstr;

// Another process that holds a folder until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& folder) {
    int ready[2];
    if (pipe(ready) != 0) std::abort();
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const auto lock = FolderLock::take(folder, 0);
      const char word = lock ? 'y' : 'n';
      if (write(ready[1], &word, 1) != 1) _exit(1);
      pause();
      _exit(0);
    }
    close(ready[1]);  // so that the end of a process that says nothing is heard
    char word = 0;
    holds_ = read(ready[0], &word, 1) == 1 && word == 'y';
    close(ready[0]);
  }
  ~Holder() { kill(); }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  bool holds() const { return holds_; }
  pid_t process() const { return process_; }

 private:
  pid_t process_ = -1;
  bool holds_ = false;
};

TEST(FolderLock, keeps_a_folder_from_another_process_until_that_is_killed) {
  const test::TempDir dir;
  Holder holder(dir.string());
  ASSERT_TRUE(holder.holds());
  const auto refused = Store::open({.folder = dir.string(), .lock_wait_ms = 20}, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("(process " + std::to_string(holder.process()) + ") works with"));
  EXPECT_TRUE(refused.error().retryable);
  holder.kill();
  EXPECT_TRUE(Store::open({.folder = dir.string(), .lock_wait_ms = 20}, {}));
}

TEST(FolderLock, of_a_store_is_let_go_with_it) {
  const test::TempDir dir;
  auto store = Store::open({.folder = dir.string()}, {});
  ASSERT_TRUE(store) << describe(store.error());
  EXPECT_FALSE(Holder(dir.string()).holds());
  store->reset();
  EXPECT_TRUE(Holder(dir.string()).holds());
}

TEST(FolderLock, says_why_it_cannot_be_made) {
  const auto refused = FolderLock::take("/nowhere/at/all", 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot lock /nowhere/at/all/fixpoint.lock: No such file or directory");
}

}  // namespace
}  // namespace fixpoint::store
