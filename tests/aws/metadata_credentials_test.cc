#include "aws/metadata_credentials.h"

#include <fstream>
#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace fixpoint::aws {
namespace {

const TimeMs now = *parse_basic_iso8601("20240102T030405Z");

// Answers by "METHOD URL", 404 to anything else.
class Metadata final : public HttpClient {
 public:
  Result<HttpResponse> send(const std::string& base_url, const HttpRequest& request, int) override {
    sent.push_back(request);
    asked.push_back(request.method + ' ' + base_url + request.target);
    if (silent) return fail(errors::coded("ConnectionError", "nobody listens"));
    HttpResponse response;
    const auto found = answers.find(asked.back());
    response.status = found == answers.end() ? 404 : 200;
    if (found != answers.end()) response.body = found->second;
    return response;
  }
  std::map<std::string, std::string> answers;
  std::vector<HttpRequest> sent;
  std::vector<std::string> asked;
  bool silent = false;
};

std::string document(const std::string& key, const std::string& expiration = "2024-01-02T09:04:05Z") {
  return R"({"Code":"Success","AccessKeyId":")" + key + R"(","SecretAccessKey":"hush","Token":"t","Expiration":")" +
         expiration + R"("})";
}

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    if (found == values.end()) return {};
    return found->second;
  };
}

class MetadataTest : public testing::Test {
 protected:
  Metadata http;
  ManualClock clock{now};
};
using ContainerRole = MetadataTest;
using InstanceRole = MetadataTest;

TEST_F(ContainerRole, is_asked_of_the_agent_with_the_token) {
  http.answers["GET http://169.254.170.2/v2/credentials/id"] = document("ASIA1");
  ContainerCredentials role(http, clock,
                            variables({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/id"},
                                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "word"}}));
  const auto credentials = role.get({});
  ASSERT_TRUE(credentials) << describe(credentials.error());
  EXPECT_EQ(credentials->access_key, "ASIA1");
  EXPECT_EQ(credentials->secret, "hush");
  EXPECT_EQ(credentials->session_token, "t");
  EXPECT_EQ(http.sent[0].headers.get("Authorization"), "word");
  EXPECT_EQ(http.sent[0].headers.get("Host"), "169.254.170.2");
}

TEST_F(ContainerRole, reads_its_token_from_a_file_at_every_fetch) {
  const test::TempDir folder;
  const std::string file = (folder.path() / "token").string();
  std::ofstream(file) << "first\n";
  http.answers["GET http://169.254.170.23/v1/credentials"] = document("ASIA1");
  ContainerCredentials role(http, clock,
                            variables({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
                                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file}}));
  ASSERT_TRUE(role.get({}));
  std::ofstream(file) << "second\n";
  role.forget({});
  ASSERT_TRUE(role.get({}));
  EXPECT_EQ(http.sent[0].headers.get("Authorization"), "first");
  EXPECT_EQ(http.sent[1].headers.get("Authorization"), "second");
}

TEST_F(ContainerRole, tells_its_token_to_nobody_else) {
  for (const char* url : {"http://evil.example/x", "ftp://127.0.0.1/", "127.0.0.1/x", "http://127.0.0.1.evil.example/",
                          "http://169.254.170.2@evil.example/", "http://127.0.0.1:1@evil.example/",
                          "https://a@evil.example/", "http://localhost.evil.example/"}) {
    ContainerCredentials role(
        http, clock,
        variables({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "word"}}));
    const auto refused = role.get({});
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, "ValidationException") << url;
    EXPECT_EQ(describe(refused.error()).find("word"), std::string::npos);
  }
  EXPECT_TRUE(http.sent.empty());
  EXPECT_EQ(ContainerCredentials(http, clock, variables({})).get({}).error().code, "NoCredentials");
}

TEST_F(InstanceRole, is_asked_in_the_second_version_of_the_service_only) {
  http.answers["PUT http://169.254.169.254/latest/api/token"] = "session";
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/"] = "fixer\n";
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/fixer"] = document("ASIA1");
  InstanceCredentials role(http, clock, variables({}));
  const auto credentials = role.get({});
  ASSERT_TRUE(credentials) << describe(credentials.error());
  EXPECT_EQ(credentials->access_key, "ASIA1");
  ASSERT_EQ(http.sent.size(), 3U);
  EXPECT_EQ(http.sent[0].headers.get("X-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(http.sent[1].headers.get("X-aws-ec2-metadata-token"), "session");
  EXPECT_EQ(http.sent[2].headers.get("X-aws-ec2-metadata-token"), "session");
  ASSERT_TRUE(role.get({}));
  EXPECT_EQ(http.sent.size(), 3U) << "what is good is kept";
  clock.advance_ms(6 * 3600'000 - 299'000);
  ASSERT_TRUE(role.get({}));
  EXPECT_EQ(http.sent.size(), 6U) << "what ends soon is fetched anew";
  http.silent = true;
  ASSERT_TRUE(role.get({})) << "what is still good outlives a failed refresh";
  clock.advance_ms(300'000);
  EXPECT_FALSE(role.get({}));
}

TEST_F(InstanceRole, is_left_out_where_there_is_none) {
  EXPECT_EQ(InstanceCredentials(http, clock, variables({{"AWS_EC2_METADATA_DISABLED", "TRUE"}})).get({}).error().code,
            "NoCredentials");
  EXPECT_TRUE(http.sent.empty());
  http.silent = true;
  EXPECT_EQ(InstanceCredentials(http, clock, variables({})).get({}).error().code, "NoCredentials");
  http.silent = false;
  http.answers["PUT http://169.254.169.254/latest/api/token"] = "session";
  EXPECT_EQ(InstanceCredentials(http, clock, variables({})).get({}).error().code, "NoCredentials") << "no role";
}

TEST_F(InstanceRole, refuses_what_is_no_credentials) {
  http.answers["PUT http://169.254.169.254/latest/api/token"] = "session";
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/"] = "fixer";
  for (const std::string& body : {std::string("<html>"), std::string("[]"), std::string(R"({"Code":"Failed"})"),
                                  document("", "2024-01-02T09:04:05Z"), document("ASIA", "tomorrow")}) {
    http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/fixer"] = body;
    const auto refused = InstanceCredentials(http, clock, variables({})).get({});
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, "CredentialsUnavailable");
    EXPECT_EQ(refused.error().message.find("hush"), std::string::npos);
  }
}

TEST_F(InstanceRole, comes_last_in_the_chain) {
  http.answers["PUT http://169.254.169.254/latest/api/token"] = "session";
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/"] = "fixer";
  http.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/fixer"] = document("ASIAINSTANCE");
  std::map<std::string, std::string> values = {{"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"}};
  EXPECT_EQ(standard_chain(http, clock, variables(values))->get({})->access_key, "ASIAINSTANCE");
  values["AWS_ACCESS_KEY_ID"] = "AKIA";
  values["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(standard_chain(http, clock, variables(values))->get({})->access_key, "AKIA");
}

}  // namespace
}  // namespace fixpoint::aws
