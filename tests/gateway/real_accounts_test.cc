#include "gateway/real_accounts.h"

#include <gmock/gmock.h>

namespace fixpoint::gateway {
namespace {

using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

/// An account that writes down what reaches it.
class Heard final : public aws::Api {
 public:
  Result<Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                     const Value&) override {
    calls.push_back(context.account + " " + std::string(service) + ":" + std::string(operation));
    if (operation != "GetCallerIdentity") return Value(Object{});
    if (!knows) return fail(errors::coded("ExpiredToken", "The security token included in the request is expired"));
    return Value(Object{{"Account", "123456789012"}, {"Arn", "arn:aws:iam::123456789012:user/ann"}});
  }
  bool knows = true;
  std::vector<std::string> calls;
};

aws::CallContext in(const std::string& account) {
  return {.account = account, .region = "us-east-1", .execution = {}, .request_id = {}};
}

TEST(RealAccounts, are_called_with_the_credentials_of_the_account_that_a_call_is_for) {
  Heard own;
  Heard members;
  RealAccounts accounts(own, &members);
  ASSERT_TRUE(accounts.call(in("123456789012"), "kms", "EnableKeyRotation", Value(Object{})));
  ASSERT_TRUE(accounts.call(in("333333333333"), "kms", "EnableKeyRotation", Value(Object{})));
  EXPECT_THAT(own.calls, ElementsAre(" sts:GetCallerIdentity", "123456789012 kms:EnableKeyRotation"));
  EXPECT_THAT(members.calls, ElementsAre("333333333333 kms:EnableKeyRotation"));
}

TEST(RealAccounts, that_there_are_no_credentials_for_hear_nothing) {
  Heard own;
  RealAccounts accounts(own, nullptr);
  for (const auto* other : {"333333333333", ""}) {
    const auto answer = accounts.call(in(other), "kms", "DescribeKey", Value(Object{}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "AccountOutOfReach");
    EXPECT_FALSE(answer.error().retryable);
    EXPECT_THAT(answer.error().message, HasSubstr("'" + std::string(other) +
                                                  "', and the credentials of this server "
                                                  "are of the account 123456789012: nothing was sent"));
  }
  EXPECT_THAT(own.calls, ElementsAre(" sts:GetCallerIdentity"));
}

TEST(RealAccounts, are_not_called_while_it_is_not_known_whose_the_credentials_are) {
  Heard own;
  own.knows = false;
  RealAccounts accounts(own, nullptr);
  EXPECT_EQ(accounts.call(in("123456789012"), "kms", "DescribeKey", Value(Object{})).error().code, "ExpiredToken");
  own.knows = true;
  ASSERT_TRUE(accounts.call(in("123456789012"), "kms", "DescribeKey", Value(Object{})));
}

}  // namespace
}  // namespace fixpoint::gateway
