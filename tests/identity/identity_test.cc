#include "identity/identity.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "json/text.h"
#include "support/paths.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::identity {
namespace {

class IdentityTest : public testing::Test {
 protected:
  std::unique_ptr<store::Store> open_store() {
    return store::Store::open(test::store_options(dir_.string()), {Identity::schema()}).value();
  }
  test::TempDir dir_;
  ManualClock clock_{1704164645678};
};

TEST_F(IdentityTest, the_first_key_is_the_same_after_a_restart_and_lies_in_a_private_file) {
  auto store = open_store();
  const auto first = Identity::open(dir_.string(), "111111111111", *store, clock_).value()->first_key();
  const auto again = Identity::open(dir_.string(), "111111111111", *store, clock_).value()->first_key();
  EXPECT_EQ(first.access_key, again.access_key);
  EXPECT_EQ(first.secret, again.secret);
  EXPECT_EQ(Identity::read_first_key(dir_.string())->secret, first.secret);
  struct stat info{};
  ASSERT_EQ(::stat((dir_.string() + "/keys.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(IdentityTest, issued_credentials_outlive_the_process_but_their_secrets_are_not_in_the_store) {
  Issued issued;
  {
    auto store = open_store();
    auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
    issued = identity->issue("222222222222", "aws", "fixer", "run-1", "execution-1", 900).value();
  }
  auto store = open_store();
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  const auto record = identity->find(issued.credentials.access_key);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->secret, issued.credentials.secret);
  EXPECT_EQ(record->session_token, issued.credentials.session_token);
  EXPECT_EQ(record->principal->arn, "arn:aws:sts::222222222222:assumed-role/fixer/run-1");
  EXPECT_EQ(record->principal->execution, "execution-1");
  EXPECT_EQ(*record->expires_ms, clock_.now_ms() + 900'000);
  for (const char* file : {"/fixpoint.db", "/fixpoint.db-wal"}) {
    if (!test::store_options(dir_.string()).database.empty()) break;  // another process has the bytes
    const std::string bytes = test::read_file(dir_.string() + file);
    EXPECT_EQ(bytes.find(issued.credentials.secret), std::string::npos);
    EXPECT_EQ(bytes.find(issued.credentials.session_token), std::string::npos);
  }
}

TEST_F(IdentityTest, a_session_keeps_who_assumed_the_role) {
  const std::string ann = "arn:aws:iam::111111111111:user/ann";
  Issued issued;
  {
    auto store = open_store();
    auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
    issued = identity->issue("222222222222", "aws", "fixer", "bob", "", 900, ann).value();
    EXPECT_EQ(identity->find(issued.credentials.access_key)->principal->source, ann);
    EXPECT_EQ(identity->find(identity->first_key().access_key)->principal->source, "");
  }
  auto store = open_store();
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  const auto record = identity->find(issued.credentials.access_key);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->principal->arn, "arn:aws:sts::222222222222:assumed-role/fixer/bob");
  EXPECT_EQ(record->principal->source, ann);
}

TEST_F(IdentityTest, a_key_belongs_to_the_user_that_the_file_names) {
  auto store = open_store();
  const auto first = Identity::open(dir_.string(), "111111111111", *store, clock_).value()->first_key();
  const std::string path = dir_.string() + "/keys.json";
  const auto with_user = [&](const std::string& user) {
    auto keys = json::parse(test::read_file(path)).value();
    json::Value key = keys["Keys"][0];
    key.set("AccessKeyId", "AKIAANOTHERKEY234567");
    key.set("User", user);
    keys.set("Keys", json::Array{keys["Keys"][0], key});
    std::ofstream(path) << json::print(keys);
    return Identity::open(dir_.string(), "111111111111", *store, clock_);
  };
  const auto identity = with_user("ann").value();
  EXPECT_EQ(identity->find(first.access_key)->principal->arn, "arn:aws:iam::111111111111:user/fixpoint");
  EXPECT_EQ(identity->find("AKIAANOTHERKEY234567")->principal->arn, "arn:aws:iam::111111111111:user/ann");
  for (const std::string user : {"", "ann, assumed by bob", "a/b"}) {
    const auto refused = with_user(user);
    ASSERT_FALSE(refused) << user;
    EXPECT_NE(refused.error().message.find("AKIAANOTHERKEY234567"), std::string::npos) << refused.error().message;
  }
}

TEST_F(IdentityTest, revoked_credentials_are_unknown) {
  auto store = open_store();
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  const auto issued = identity->issue("111111111111", "aws", "fixer", "s", "execution-1", 900).value();
  ASSERT_NE(identity->find(issued.credentials.access_key), nullptr);
  ASSERT_TRUE(identity->revoke("execution-1"));
  EXPECT_EQ(identity->find(issued.credentials.access_key), nullptr);
  EXPECT_EQ(identity->find("ASIAAAAAAAAAAAAAAAAA"), nullptr);
  EXPECT_EQ(identity->find(""), nullptr);
}

TEST_F(IdentityTest, refuses_a_file_that_others_can_read_or_that_is_damaged) {
  auto store = open_store();
  ASSERT_TRUE(Identity::open(dir_.string(), "111111111111", *store, clock_));
  const std::string path = dir_.string() + "/keys.json";
  ::chmod(path.c_str(), 0644);
  const auto open = Identity::open(dir_.string(), "111111111111", *store, clock_);
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().message.find("chmod 600"), std::string::npos);
  ::chmod(path.c_str(), 0600);
  std::ofstream(path) << "{";
  EXPECT_FALSE(Identity::open(dir_.string(), "111111111111", *store, clock_));
}

}  // namespace
}  // namespace fixpoint::identity
