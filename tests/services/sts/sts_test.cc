#include "services/sts/sts.h"

#include <gtest/gtest.h>

#include "aws/verify.h"
#include "json/text.h"
#include "support/postgres.h"

namespace fixpoint::services {
namespace {

using json::Value;

class StsTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::Store::open(test::store_options(), {identity::Identity::schema()}).value();
    identity_ = identity::Identity::open("", "111111111111", *store_, clock_).value();
  }

  Result<Value> assume(const std::string& role, const std::string& session, std::int64_t seconds = 3600,
                       const std::string& execution = "") {
    Sts sts(*identity_);
    const aws::ServiceTable table = sts.table();
    const auto principal = std::make_shared<aws::Principal>();
    principal->account = "111111111111";
    principal->execution = execution;
    const aws::Caller caller{"111111111111", "us-east-1", "aws", "request", principal};
    return table.operations.at("AssumeRole")
        .function(caller, json::Object{{"RoleArn", role}, {"RoleSessionName", session}, {"DurationSeconds", seconds}});
  }

  ManualClock clock_{1704164645678};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<identity::Identity> identity_;
};

constexpr const char* role = "arn:aws:iam::222222222222:role/path/fixer";

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
}

}  // namespace
}  // namespace fixpoint::services
