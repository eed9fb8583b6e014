#include "store/private_file.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sys/stat.h>

#include "store/store.h"
#include "support/temp_dir.h"

namespace fixpoint::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

mode_t mode_of(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

// The modes of what is in the folder while a store with something in it is open.
std::map<std::string, mode_t> modes_of_open_store(const std::string& folder) {
  auto store = Store::open({.folder = folder}, {{"toys", {"CREATE TABLE toy (name TEXT PRIMARY KEY) STRICT"}}});
  if (!store) throw std::runtime_error(describe(store.error()));
  std::map<std::string, mode_t> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    out[entry.path().filename()] = mode_of(entry.path());
  return out;
}

const std::map<std::string, mode_t> all_private{
    {"fixpoint.db", 0600}, {"fixpoint.db-shm", 0600}, {"fixpoint.db-wal", 0600}, {"fixpoint.lock", 0600}};

TEST(PrivateFolder, is_made_for_its_owner_alone_with_the_folders_above_it_as_usual) {
  const test::TempDir dir;
  const mode_t own = ::umask(022);
  EXPECT_EQ(modes_of_open_store(dir.string() + "/above/data/"), all_private);
  EXPECT_EQ(mode_of(dir.string() + "/above/data"), 0700U);
  EXPECT_EQ(mode_of(dir.string() + "/above"), 0755U);
  ::umask(own);
}

TEST(PrivateFolder, keeps_its_mode_where_it_was_there_and_its_files_are_private_all_the_same) {
  const test::TempDir dir;
  ::chmod(dir.string().c_str(), 0755);
  EXPECT_EQ(modes_of_open_store(dir.string()), all_private);
  EXPECT_EQ(mode_of(dir.string()), 0755U);
}

TEST(PrivateFolder, takes_the_rights_of_others_from_a_database_that_is_there) {
  const test::TempDir dir;
  modes_of_open_store(dir.string());
  ::chmod((dir.string() + "/fixpoint.db").c_str(), 0664);
  EXPECT_EQ(modes_of_open_store(dir.string()), all_private);
}

TEST(PrivateFolder, is_refused_where_others_may_write_in_it) {
  for (const mode_t mode : {0777U, 0770U, 0702U, 01777U}) {
    const test::TempDir dir;
    ::chmod(dir.string().c_str(), mode);
    const auto refused = Store::open({.folder = dir.string()}, {});
    ASSERT_FALSE(refused) << std::oct << mode;
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr("others may write in the folder " + dir.string()), HasSubstr("'chmod go-w' it")));
    EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
    EXPECT_EQ(mode_of(dir.string()), mode & 0777);
    // What the sentence says would be right is.
    EXPECT_EQ(modes_of_open_store(dir.string() + "/own"), all_private);
  }
}

TEST(PrivateFolder, is_no_file) {
  const test::TempDir dir;
  std::ofstream(dir.string() + "/data") << "text";
  const auto refused = Store::open({.folder = dir.string() + "/data"}, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot make the folder " + dir.string() + "/data: Not a directory"));
}

TEST(PrivateFile, what_somebody_put_beside_it_gives_it_no_mode) {
  const test::TempDir dir;
  const std::string path = dir.string() + "/server.json";
  std::ofstream(path + ".new") << "theirs";
  ::chmod((path + ".new").c_str(), 0666);
  ASSERT_TRUE(write_private_file(path, "ours"));
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(read_private_file(path).value(), "ours");
}

TEST(PrivateFile, what_is_believed_is_refused_where_others_may_have_written_it) {
  const test::TempDir dir;
  const std::string path = dir.string() + "/server.json";
  ASSERT_TRUE(write_private_file(path, "ours"));
  ::chmod(path.c_str(), 0644);
  EXPECT_EQ(read_own_file(path).value(), "ours");
  for (const mode_t mode : {0622U, 0660U, 0602U}) {
    ::chmod(path.c_str(), mode);
    const auto refused = read_own_file(path);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(path + " can be written by others"));
  }
}

}  // namespace
}  // namespace fixpoint::store
