#include "identity/identity.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

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
  EXPECT_EQ(KeyFile::read(dir_.string())->keys.at(0).secret, first.secret);
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

TEST_F(IdentityTest, keys_that_come_and_go_count_within_a_second_without_a_restart) {
  auto store = open_store();
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  std::vector<Result<void>> changes;
  identity->on_change([&](const Result<void>& read) { changes.push_back(read); });
  const Key ann = KeyFile::add(dir_.string(), "ann", clock_.now_ms()).value();
  EXPECT_EQ(identity->find(ann.access_key), nullptr);
  clock_.advance_ms(1'000);
  const auto record = identity->find(ann.access_key);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->secret, ann.secret);
  EXPECT_EQ(record->principal->arn, "arn:aws:iam::111111111111:user/ann");
  EXPECT_EQ(record->principal->account, "111111111111");
  EXPECT_EQ(changes.size(), 1U);
  ASSERT_TRUE(KeyFile::remove(dir_.string(), ann.access_key));
  clock_.advance_ms(1'000);
  EXPECT_EQ(identity->find(ann.access_key), nullptr);
  EXPECT_EQ(changes.size(), 2U);
  clock_.advance_ms(10'000);
  EXPECT_NE(identity->find(identity->first_key().access_key), nullptr);
  EXPECT_EQ(changes.size(), 2U);
}

TEST_F(IdentityTest, a_file_that_cannot_be_read_leaves_the_keys_as_they_were) {
  auto store = open_store();
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  const Key ann = KeyFile::add(dir_.string(), "ann", clock_.now_ms()).value();
  clock_.advance_ms(1'000);
  ASSERT_NE(identity->find(ann.access_key), nullptr);
  const std::string path = KeyFile::path_in(dir_.string());
  const std::string whole = test::read_file(path);
  std::vector<std::string> said;
  identity->on_change([&](const Result<void>& read) { said.push_back(read ? "" : read.error().message); });
  auto other_master = json::parse(whole).value();
  other_master.set("Master", std::string(64, 'a'));
  for (const std::string& text : {std::string("{"), std::string(), json::print(other_master)}) {
    std::ofstream(path) << text;
    clock_.advance_ms(1'000);
    EXPECT_NE(identity->find(ann.access_key), nullptr) << text;
    clock_.advance_ms(1'000);
    EXPECT_NE(identity->find(ann.access_key), nullptr) << text;
  }
  ASSERT_EQ(said.size(), 3U);  // each once
  EXPECT_NE(said[0].find("is damaged"), std::string::npos) << said[0];
  EXPECT_NE(said[2].find("another Master"), std::string::npos) << said[2];
  ::unlink(path.c_str());
  clock_.advance_ms(1'000);
  EXPECT_NE(identity->find(ann.access_key), nullptr);
  EXPECT_EQ(said.size(), 4U);
  std::ofstream(path) << whole;
  ::chmod(path.c_str(), 0600);
  clock_.advance_ms(1'000);
  EXPECT_NE(identity->find(ann.access_key), nullptr);
  EXPECT_EQ(said.back(), "");
}

TEST_F(IdentityTest, a_key_that_was_removed_ends_as_soon_as_what_kept_the_file_from_being_read_has_passed) {
  auto store = open_store();
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  const Key ann = KeyFile::add(dir_.string(), "ann", clock_.now_ms()).value();
  clock_.advance_ms(1'000);
  ASSERT_NE(identity->find(ann.access_key), nullptr);
  const std::string path = KeyFile::path_in(dir_.string());
  ASSERT_TRUE(KeyFile::remove(dir_.string(), ann.access_key));
  ::chmod(path.c_str(), 0644);
  clock_.advance_ms(1'000);
  EXPECT_NE(identity->find(ann.access_key), nullptr);
  ::chmod(path.c_str(), 0600);  // the same file, by all that a stamp tells
  clock_.advance_ms(1'000);
  EXPECT_EQ(identity->find(ann.access_key), nullptr);
}

TEST_F(IdentityTest, each_key_that_came_or_went_is_recorded_once_also_after_a_restart) {
  auto store = open_store();
  std::vector<std::string> recorded;
  const auto record = [&](store::Transaction&, std::string_view kind, const json::Value& about) -> Result<void> {
    recorded.push_back(std::string(kind) + " " + json::print(about));
    return {};
  };
  const auto record_now = [&] {
    auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
    EXPECT_TRUE(identity->record_keys(record));
    EXPECT_TRUE(identity->record_keys(record));
  };
  record_now();
  EXPECT_EQ(recorded, std::vector<std::string>{});  // those that were there from the first
  const Key ann = KeyFile::add(dir_.string(), "ann", clock_.now_ms()).value();
  record_now();
  const std::string about = R"({"AccessKeyId":")" + ann.access_key + R"(","Account":"111111111111","User":"ann"})";
  EXPECT_EQ(recorded, std::vector<std::string>{"key.added " + about});
  EXPECT_EQ(recorded[0].find(ann.secret), std::string::npos);
  // A file that gives the key to somebody else.
  const std::string path = KeyFile::path_in(dir_.string());
  auto form = json::parse(test::read_file(path)).value();
  json::Value given = form["Keys"][1];
  given.set("User", "bob");
  form.set("Keys", json::Array{form["Keys"][0], given});
  std::ofstream(path) << json::print(form);
  record_now();
  ASSERT_EQ(recorded.size(), 3U);
  EXPECT_EQ(recorded[1], "key.removed " + about);
  EXPECT_EQ(recorded[2].find("key.added"), 0U);
  EXPECT_NE(recorded[2].find(R"("User":"bob")"), std::string::npos);
  // What cannot be recorded is not taken for recorded.
  ASSERT_TRUE(KeyFile::remove(dir_.string(), ann.access_key));
  auto identity = Identity::open(dir_.string(), "111111111111", *store, clock_).value();
  EXPECT_FALSE(identity->record_keys([](store::Transaction&, std::string_view, const json::Value&) -> Result<void> {
    return fail(errors::validation("full"));
  }));
  record_now();
  ASSERT_EQ(recorded.size(), 4U);
  EXPECT_EQ(recorded[3].find("key.removed"), 0U);
}

TEST_F(IdentityTest, keys_are_added_and_removed_in_the_file) {
  const std::string folder = dir_.string();
  EXPECT_EQ(KeyFile::add(folder, "ann", 0).error().code, "ResourceNotFoundException");
  auto store = open_store();
  ASSERT_TRUE(Identity::open(folder, "111111111111", *store, clock_));
  const std::string path = KeyFile::path_in(folder);
  auto form = json::parse(test::read_file(path)).value();
  form.set("Comment", "of the owner");
  std::ofstream(path) << json::print(form);
  for (const std::string user : {"", "a/b", "ann, assumed by bob"}) {
    const auto refused = KeyFile::add(folder, user, 0);
    ASSERT_FALSE(refused) << user;
    EXPECT_NE(refused.error().message.find("'" + user + "'"), std::string::npos) << refused.error().message;
  }
  const Key ann = KeyFile::add(folder, "ann", 1704164645678).value();
  EXPECT_EQ(ann.account, "111111111111");
  EXPECT_EQ(ann.created, "2024-01-02T03:04:05.678Z");
  EXPECT_EQ(ann.access_key.size(), 20U);
  EXPECT_EQ(ann.secret.size(), 40U);
  const KeyFile read = KeyFile::read(folder).value();
  ASSERT_EQ(read.keys.size(), 2U);
  EXPECT_EQ(read.keys[1].secret, ann.secret);
  EXPECT_EQ(json::parse(test::read_file(path)).value()["Comment"].as_string(), "of the owner");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(KeyFile::remove(folder, "AKIANOBODYSKEY234567").error().code, "ResourceNotFoundException");
  EXPECT_EQ(KeyFile::remove(folder, read.keys[0].access_key)->user, "fixpoint");
  const auto last = KeyFile::remove(folder, ann.access_key);
  ASSERT_FALSE(last);
  EXPECT_NE(last.error().message.find("the last key"), std::string::npos) << last.error().message;
  EXPECT_EQ(KeyFile::read(folder)->keys.at(0).access_key, ann.access_key);
}

TEST_F(IdentityTest, keys_that_are_added_at_the_same_time_are_all_there) {
  const std::string folder = dir_.string();
  auto store = open_store();
  ASSERT_TRUE(Identity::open(folder, "111111111111", *store, clock_));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] { EXPECT_TRUE(KeyFile::add(folder, "user" + std::to_string(i), 0)); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(KeyFile::read(folder)->keys.size(), 9U);
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
  const std::string key = R"({"AccessKeyId":"AKIAANOTHERKEY234567","SecretAccessKey":"s"})";
  const std::string master = R"({"Master":")" + std::string(64, 'a') + R"(","Keys":)";
  for (const std::string& text :
       {std::string("{"), master + "[]}", master + "{}}", master + R"([{"AccessKeyId":"A"}]})", master + "[3]}",
        master + "[" + key + "," + key + "]}", R"({"Master":"zz","Keys":[)" + key + "]}"}) {
    std::ofstream(path) << text;
    const auto damaged = Identity::open(dir_.string(), "111111111111", *store, clock_);
    ASSERT_FALSE(damaged) << text;
    EXPECT_NE(damaged.error().message.find(path), std::string::npos) << damaged.error().message;
  }
  std::ofstream(path) << master + "[" + key + "]}";
  EXPECT_TRUE(Identity::open(dir_.string(), "111111111111", *store, clock_));
}

}  // namespace
}  // namespace fixpoint::identity
