#include "aws/credentials.h"

#include <atomic>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "support/temp_dir.h"

namespace fixpoint::aws {
namespace {

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    if (found == values.end()) return {};
    return found->second;
  };
}

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file) << text;
}

TEST(EnvironmentCredentials, are_both_there_or_neither) {
  EnvironmentCredentials both(
      variables({{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", "hush"}, {"AWS_SESSION_TOKEN", "token"}}));
  const auto credentials = both.get({});
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->access_key, "AKIA");
  EXPECT_EQ(credentials->session_token, "token");
  EXPECT_EQ(EnvironmentCredentials(variables({})).get({}).error().code, "NoCredentials");
  const auto half = EnvironmentCredentials(variables({{"AWS_SECRET_ACCESS_KEY", "hush"}})).get({});
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, "InvalidProfile");
  EXPECT_EQ(half.error().message.find("hush"), std::string::npos);
}

TEST(ProfileCredentials, are_read_from_their_section) {
  const test::TempDir folder;
  const auto file = folder.path() / "credentials";
  write(
      file,
      "# mine\n[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=a=b+/c\n\n"
      "[ work ]\r\nAWS_ACCESS_KEY_ID=AKIAWORK\r\naws_secret_access_key = hush ; a comment\r\naws_session_token = t\r\n"
      "[broken]\naws_access_key_id = AKIABROKEN\n[sso]\nsso_start_url = https://x\n");
  EXPECT_EQ(ProfileCredentials(file, "default").get({})->secret, "a=b+/c");
  const auto work = ProfileCredentials(file, "work").get({});
  ASSERT_TRUE(work) << describe(work.error());
  EXPECT_EQ(work->access_key, "AKIAWORK");
  EXPECT_EQ(work->secret, "hush");
  EXPECT_EQ(work->session_token, "t");
  for (const auto& [profile, word] : std::map<std::string, std::string>{
           {"broken", "aws_secret_access_key"}, {"absent", "not in the file"}, {"sso", "sso_start_url"}}) {
    const auto refused = ProfileCredentials(file, profile).get({});
    ASSERT_FALSE(refused) << profile;
    EXPECT_EQ(refused.error().code, "InvalidProfile");
    EXPECT_NE(refused.error().message.find(word), std::string::npos) << refused.error().message;
    EXPECT_EQ(refused.error().where, file.string());
  }
  EXPECT_EQ(ProfileCredentials(folder.path() / "none", "default").get({}).error().code, "NoCredentials");
}

TEST(ProfileCredentials, are_read_again_when_the_file_changes) {
  const test::TempDir folder;
  const auto file = folder.path() / "credentials";
  write(file, "[default]\naws_access_key_id = ONE\naws_secret_access_key = s\n");
  ProfileCredentials profile(file, "default");
  EXPECT_EQ(profile.get({})->access_key, "ONE");
  write(file, "[default]\naws_access_key_id = TWO\naws_secret_access_key = s\n");
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(2));
  EXPECT_EQ(profile.get({})->access_key, "TWO");
}

TEST(CredentialsChain, takes_the_first_that_has_any) {
  const test::TempDir folder;
  const auto file = folder.path() / "credentials";
  const auto chain =
      CredentialsChain::standard(variables({{"AWS_SHARED_CREDENTIALS_FILE", file.string()}, {"AWS_PROFILE", "p"}}));
  const auto none = chain->get({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "NoCredentials");
  EXPECT_NE(none.error().message.find(file.string()), std::string::npos);
  write(file, "[p]\naws_access_key_id = FILE\naws_secret_access_key = s\n");
  EXPECT_EQ(chain->get({})->access_key, "FILE");
}

class FakeSts final : public Api {
 public:
  explicit FakeSts(const Clock& clock) : clock_(clock) {}
  Result<json::Value> call(const CallContext&, std::string_view service, std::string_view operation,
                           const json::Value& input) override {
    EXPECT_EQ(service, "sts");
    EXPECT_EQ(operation, "AssumeRole");
    const int n = ++calls;
    last_input = input;
    if (failing) return fail(errors::access_denied("not authorized to perform sts:AssumeRole"));
    json::Object credentials;
    credentials.set("AccessKeyId", "ASIA" + std::to_string(n));
    credentials.set("SecretAccessKey", "secret");
    credentials.set("SessionToken", "token");
    credentials.set("Expiration", static_cast<double>(clock_.now_ms()) / 1000 + 3600);
    json::Object output;
    output.set("Credentials", json::Value(std::move(credentials)));
    return json::Value(std::move(output));
  }
  std::atomic<int> calls = 0;
  bool failing = false;
  json::Value last_input;

 private:
  const Clock& clock_;
};

CallContext in_account(std::string account) {
  CallContext context;
  context.account = std::move(account);
  context.region = "us-east-1";
  return context;
}

class AssumeRole : public testing::Test {
 protected:
  ManualClock clock{1'700'000'000'000};
  FakeSts sts{clock};
  AssumeRoleCredentials role{
      sts, clock, {.role_arn = "arn:{partition}:iam::{account}:role/fixer", .session_name = "f", .external_id = "e"}};
};

TEST_F(AssumeRole, keeps_one_session_an_account_until_shortly_before_its_end) {
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA1");
  EXPECT_EQ(sts.last_input["RoleArn"].string_or(""), "arn:aws:iam::111111111111:role/fixer");
  EXPECT_EQ(sts.last_input["RoleSessionName"].string_or(""), "f");
  EXPECT_EQ(sts.last_input["ExternalId"].string_or(""), "e");
  EXPECT_EQ(sts.last_input["DurationSeconds"].int_or(0), 3600);
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA1");
  EXPECT_EQ(role.get(in_account("222222222222"))->access_key, "ASIA2");
  clock.advance_ms(3'299'000);
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA1");
  clock.advance_ms(2'000);
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA3");
}

TEST_F(AssumeRole, goes_on_with_a_good_session_when_the_refresh_fails) {
  ASSERT_TRUE(role.get(in_account("111111111111")));
  sts.failing = true;
  clock.advance_ms(3'400'000);
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA1");
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA1");
  EXPECT_EQ(sts.calls, 2) << "a failed refresh is not tried at every call";
  clock.advance_ms(200'000);
  EXPECT_EQ(role.get(in_account("111111111111")).error().code, "AccessDeniedException");
}

TEST_F(AssumeRole, fetches_anew_what_the_service_called_expired) {
  ASSERT_TRUE(role.get(in_account("111111111111")));
  role.forget(in_account("111111111111"));
  EXPECT_EQ(role.get(in_account("111111111111"))->access_key, "ASIA2");
}

TEST_F(AssumeRole, needs_to_know_the_account) {
  const auto refused = role.get(in_account(""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ValidationException");
  EXPECT_EQ(sts.calls, 0);
}

TEST_F(AssumeRole, fetches_once_for_all_who_wait) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto credentials = role.get(in_account("111111111111"));
      EXPECT_TRUE(credentials && credentials->access_key == "ASIA1");
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sts.calls, 1);
}

}  // namespace
}  // namespace fixpoint::aws
