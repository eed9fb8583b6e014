#include "functions/sandbox.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "functions/descriptors.h"
#include "functions/zips.h"
#include "support/temp_dir.h"

namespace fixpoint::functions {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Holds : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::no_python().empty()) GTEST_SKIP() << test::no_python();
    // Other users look for programs in it.
    fs::permissions(folder_.path(), fs::perms::owner_all | fs::perms::group_all | fs::perms::others_all);
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", folder_.path().c_str(), 1);
  }
  void TearDown() override {
    if (before_)
      ::setenv("TMPDIR", before_->c_str(), 1);
    else
      ::unsetenv("TMPDIR");
  }
  // What takes bubblewrap's place.
  RuntimeOptions options_with(const std::string& script) const {
    const fs::path path = folder_.path() / "bwrap";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(path, fs::perms::owner_all | fs::perms::group_exec | fs::perms::group_read |
                              fs::perms::others_exec | fs::perms::others_read);
    RuntimeOptions out;
    out.bubblewrap = path;
    out.probe_timeout_ms = 30'000;
    return out;
  }
  std::vector<std::string> left_behind() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      if (const std::string name = entry.path().filename(); name.starts_with("fixpoint-")) out.push_back(name);
    return out;
  }

  fixpoint::test::TempDir folder_;
  std::optional<std::string> before_;
};

TEST_F(Holds, no_weaker_one_is_taken_for_a_lack_that_passes) {
  for (const char* script :
       {"echo 'bwrap: Creating new namespace failed: Resource temporarily unavailable'; exit 1",
        "echo 'bwrap: Creating newroot failed: Cannot allocate memory' >&2; exit 1",
        "echo 'bwrap: open /proc/sys/kernel/overflowuid: Too many open files' >&2; exit 1",
        "echo 'bwrap: open /proc/sys/kernel/overflowuid: Too many open files in system' >&2; exit 1",
        "echo MemoryError; exit 1", "kill -9 $$", "exit 137"}) {
    const auto found = Sandbox::find(options_with(script));
    ASSERT_FALSE(found) << script << ": " << (*found)->sentence();
    EXPECT_TRUE(found.error().retryable) << script << ": " << found.error().message;
  }
}

TEST_F(Holds, no_weaker_one_is_taken_where_one_was_not_done_in_time) {
  for (const char* script : {"exec sleep 600", "exec >&- 2>&-; exec sleep 600"}) {
    auto some = options_with(script);
    some.probe_timeout_ms = 200;
    const auto found = Sandbox::find(some);
    ASSERT_FALSE(found) << script << ": " << (*found)->sentence();
    EXPECT_TRUE(found.error().retryable) << script;
    EXPECT_THAT(found.error().message, HasSubstr("was not done after 200 ms"));
  }
}

TEST_F(Holds, a_weaker_one_is_taken_where_bubblewrap_does_not_work) {
  for (const char* said : {"bwrap: Creating new namespace failed: Operation not permitted",
                           "bwrap: Creating new namespace failed: nesting depth or "
                           "/proc/sys/user/max_*_namespaces exceeded (ENOSPC)"}) {
    const auto found = Sandbox::find(options_with("echo '" + std::string(said) + "' >&2; exit 1"));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_THAT((*found)->sentence(), StartsWith("Handlers run WITHOUT"));
    EXPECT_THAT((*found)->sentence(), HasSubstr(said));
  }
  EXPECT_THAT(left_behind(), testing::IsEmpty());
}

TEST_F(Holds, the_one_that_is_found_with_few_descriptors_is_the_one_that_is_found_with_many) {
  for (const bool bubblewrap : {true, false}) {
    RuntimeOptions some;
    some.use_bubblewrap = bubblewrap;
    some.probe_timeout_ms = 30'000;
    std::string sentence;
    {
      const auto found = Sandbox::find(some);
      ASSERT_TRUE(found) << found.error().message;
      sentence = (*found)->sentence();
    }
    bool done = false;
    for (int count = 0; count < 40 && !done; ++count) {
      const test::FreeDescriptors few(count);
      const auto found = Sandbox::find(some);
      done = found.has_value();
      if (done)
        EXPECT_EQ((*found)->sentence(), sentence) << "with " << count;
      else
        EXPECT_TRUE(found.error().retryable) << "with " << count << ": " << found.error().message;
    }
    EXPECT_TRUE(done);
    EXPECT_THAT(left_behind(), testing::IsEmpty());
  }
}

TEST_F(Holds, a_start_that_fails_leaves_no_folder) {
  RuntimeOptions some;
  some.use_bubblewrap = false;
  some.probe_timeout_ms = 30'000;
  {
    const auto found = Sandbox::find(some);
    ASSERT_TRUE(found) << found.error().message;
    const std::size_t before = left_behind().size();
    for (int count = 0; count < 12; ++count) {
      const test::FreeDescriptors few(count);
      const auto started = (*found)->start({});
      if (!started) EXPECT_TRUE(started.error().retryable) << started.error().message;
    }
    EXPECT_EQ(left_behind().size(), before);
  }
  EXPECT_THAT(left_behind(), testing::IsEmpty());
}

TEST_F(Holds, a_full_disk_is_a_lack_that_passes) {
  const std::string place = folder_.path();
  // Room for a folder, not for the two Python files.
  if (mount("tmpfs", place.c_str(), "tmpfs", 0, "size=4k,mode=0755") != 0) GTEST_SKIP() << "no file system to fill";
  RuntimeOptions some;
  some.use_bubblewrap = false;
  some.probe_timeout_ms = 30'000;
  const auto full = Sandbox::find(some);
  EXPECT_FALSE(full);
  if (!full) {
    EXPECT_TRUE(full.error().retryable) << full.error().message;
    EXPECT_THAT(full.error().message, HasSubstr("cannot be written: No space left on device"));
  }
  EXPECT_THAT(left_behind(), testing::IsEmpty());
  EXPECT_EQ(mount("tmpfs", place.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
  {
    const auto found = Sandbox::find(some);
    EXPECT_TRUE(found) << found.error().message;
    if (found) {
      const auto started = (*found)->start({});
      EXPECT_TRUE(started) << started.error().message;
      if (started) EXPECT_GT(fs::file_size(started->runtime_dir + "/bootstrap.py"), 4096U);
    }
  }
  umount(place.c_str());
}

TEST_F(Holds, want_a_folder_for_temporary_files) {
  ::setenv("TMPDIR", (folder_.path() / "none").c_str(), 1);
  RuntimeOptions some;
  some.use_bubblewrap = false;
  some.probe_timeout_ms = 30'000;
  const auto found = Sandbox::find(some);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("There is no folder for temporary files"));
}

}  // namespace
}  // namespace fixpoint::functions
