#include "services/sts/sts.h"

#include <gtest/gtest.h>

#include "aws/verify.h"
#include "json/text.h"
#include "support/postgres.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr const char* ann = "arn:aws:iam::111111111111:user/ann";
constexpr const char* role = "arn:aws:iam::222222222222:role/path/fixer";

class StsTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::Store::open(test::store_options(), {identity::Identity::schema()}).value();
    identity_ = identity::Identity::open("", "111111111111", *store_, clock_).value();
  }

  Result<Value> assume(const std::string& role_arn, const std::string& session, std::int64_t seconds = 3600,
                       const std::string& execution = "") {
    const auto principal = std::make_shared<aws::Principal>();
    principal->account = "111111111111";
    principal->arn = ann;
    principal->execution = execution;
    return assume_as(principal,
                     json::Object{{"RoleArn", role_arn}, {"RoleSessionName", session}, {"DurationSeconds", seconds}});
  }
  Result<Value> assume_as(std::shared_ptr<const aws::Principal> principal, const Value& input) {
    Sts sts(*identity_);
    const aws::ServiceTable table = sts.table();
    const aws::Caller caller{"111111111111", "us-east-1", "aws", "request", std::move(principal)};
    return table.operations.at("AssumeRole").function(caller, input);
  }
  std::shared_ptr<const aws::Principal> of_session(const Value& made) {
    return identity_->find(made["Credentials"]["AccessKeyId"].string_or(""))->principal;
  }

  ManualClock clock_{1704164645678};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<identity::Identity> identity_;
};

TEST_F(StsTest, a_session_ends_when_it_was_asked_to) {
  const auto made = assume(role, "run=1@x", 900);
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ((*made)["AssumedRoleUser"]["Arn"].string_or(""), "arn:aws:sts::222222222222:assumed-role/fixer/run=1@x");
  EXPECT_EQ((*made)["Credentials"]["Expiration"].int_or(0), 1704164645 + 900);
}

TEST_F(StsTest, refuses_what_does_not_fit_naming_the_member) {
  struct Case {
    const char* role;
    const char* session;
    std::int64_t seconds;
    const char* names;
  };
  for (const Case& wrong : {Case{"arn:aws:iam::222222222222:user/someone", "run", 900, "user/someone"},
                            Case{role, "no spaces", 900, "roleSessionName"}, Case{role, "x", 900, "roleSessionName"},
                            Case{role, "run", 899, "durationSeconds"}, Case{role, "run", 43'201, "durationSeconds"}}) {
    const auto refused = assume(wrong.role, wrong.session, wrong.seconds);
    ASSERT_FALSE(refused) << wrong.names;
    EXPECT_EQ(refused.error().code, "ValidationError");
    EXPECT_NE(refused.error().message.find(wrong.names), std::string::npos) << refused.error().message;
  }
}

TEST_F(StsTest, a_chained_session_ends_within_the_hour) {
  EXPECT_TRUE(assume(role, "run", 3600, "execution-1"));
  EXPECT_FALSE(assume(role, "run", 3601, "execution-1"));
  const auto first = assume(role, "run", 43'200).value();
  const Value an_hour = json::Object{{"RoleArn", role}, {"RoleSessionName", "next"}, {"DurationSeconds", 3600}};
  EXPECT_TRUE(assume_as(of_session(first), an_hour));
  Value longer = an_hour;
  longer.set("DurationSeconds", 3601);
  const auto refused = assume_as(of_session(first), longer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ValidationError");
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
  EXPECT_EQ(refused.error().message,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
}

TEST_F(StsTest, a_session_keeps_who_assumed_the_first_role_of_a_chain) {
  const auto first = assume(role, "bob").value();
  EXPECT_EQ(of_session(first)->source, ann);
  const auto next = assume_as(of_session(first), json::Object{{"RoleArn", role}, {"RoleSessionName", "carol"}}).value();
  EXPECT_EQ(of_session(next)->arn, "arn:aws:sts::222222222222:assumed-role/fixer/carol");
  EXPECT_EQ(of_session(next)->source, ann);
}

// Names: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
TEST_F(StsTest, refuses_what_is_no_roles_arn_naming_it) {
  for (const std::string& wrong :
       {std::string("arn:aws:iam::1:role/fixer"), std::string("arn:aws:iam::22222222222a:role/fixer"),
        std::string("arn:aws:iam:::role/fixer"), std::string("arn:other:iam::222222222222:role/fixer"),
        std::string("arn:aws:iam:us-east-1:222222222222:role/fixer"), std::string("arn:aws:iam::222222222222:role/"),
        std::string("arn:aws:iam::222222222222:role/path/"), std::string("arn:aws:iam::222222222222:role"),
        std::string("arn:aws:iam::222222222222:role/a b"), std::string("arn:aws:iam::222222222222:role/a b/fixer"),
        std::string("arn:aws:iam::222222222222:role/fix:er"), std::string("arn:aws:iam::222222222222:role/f\xC3\xBCr"),
        "arn:aws:iam::222222222222:role/" + std::string(65, 'a'), std::string("arn:aws:sts::222222222222:role/fixer"),
        std::string("fixer-role-without-arn")}) {
    const auto refused = assume(wrong, "run");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, "ValidationError") << wrong;
    EXPECT_EQ(refused.error().http_status, 400);
    EXPECT_NE(refused.error().message.find("'" + wrong + "'"), std::string::npos) << refused.error().message;
  }
  for (const std::string& right :
       {"arn:aws-cn:iam::222222222222:role/fixer", "arn:aws-us-gov:iam::222222222222:role/a/b!c/fixer",
        "arn:aws-iso-b:iam::222222222222:role/Fix_er+=,.@-"})
    EXPECT_TRUE(assume(right, "run")) << right;
}

TEST_F(StsTest, refuses_a_session_policy_that_is_no_policy_document) {
  const auto with = [&](const std::string& policy) {
    const auto principal = std::make_shared<aws::Principal>();
    principal->arn = ann;
    return assume_as(principal, json::Object{{"RoleArn", role}, {"RoleSessionName", "run"}, {"Policy", policy}});
  };
  for (const char* wrong :
       {"", "x", "{", "[]", "{}", R"({"Version":"2012-10-17"})",
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]})"}) {
    const auto refused = with(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, "MalformedPolicyDocument") << wrong;
    EXPECT_EQ(refused.error().http_status, 400);
  }
  EXPECT_TRUE(with(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})"));
}

}  // namespace
}  // namespace fixpoint::services
