#include "executions/echo.h"

#include <gmock/gmock.h>

#include "executions/running.h"

namespace fixpoint::executions {
namespace {

using testing::HasSubstr;

Value event(const std::string& agent) {
  return json::Object{{"source", "aws.s3"},
                      {"detail-type", "AWS API Call via CloudTrail"},
                      {"detail", json::Object{{"eventName", "PutBucketEncryption"}, {"userAgent", agent}}}};
}

TEST(ExecutionIn, reads_the_execution_from_the_user_agent) {
  const std::string id = "0b8f5c1e-1111-4222-8333-444455556666";
  EXPECT_EQ(execution_in(event("fixpoint execution/" + id)), id);
  EXPECT_EQ(execution_in(event("[fixpoint execution/" + id + "]")), id);
}

TEST(ExecutionIn, reads_nothing_from_others) {
  EXPECT_EQ(execution_in(event("")), "");
  EXPECT_EQ(execution_in(event("fixpoint")), "");
  EXPECT_EQ(execution_in(event("aws-cli/2.0 execution/0b8f5c1e-1111-4222-8333-444455556666")), "");
  EXPECT_EQ(execution_in(event("fixpoint execution/0b8f5c1e")), "");
  EXPECT_EQ(execution_in(event("fixpoint execution/0b8f5c1e-1111-4222-8333-44445555666677")), "");
  EXPECT_EQ(execution_in(event("fixpoint execution/' OR 1=1; -- aaaaaaaaaaaaaaaaaaaaaaa")), "");
  EXPECT_EQ(execution_in(Value()), "");
  EXPECT_EQ(execution_in(json::Object{{"detail", json::Object{{"userAgent", 7}}}}), "");
}

using EchoTest = ExecutorTest;

Start caused(const std::string& name, const std::string& program, const std::string& subject,
             const std::string& cause) {
  return {.name = name,
          .kind = "nothing",
          .program = program,
          .account = "1",
          .region = "r",
          .subject = subject,
          .input = {},
          .cause = cause};
}

TEST_F(EchoTest, of_an_executions_own_doing_does_not_start_it_again) {
  ASSERT_TRUE(executor_->start());
  const auto first = executor_->launch(caused("1", "p", "finding", "")).value();
  ended(first.id);
  const auto echo = executor_->launch(caused("2", "p", "finding", first.id)).value();
  EXPECT_FALSE(echo.fresh);
  EXPECT_EQ(echo.id, first.id);
  EXPECT_EQ(executor_->list().value().size(), 1U);
  EXPECT_THAT(journal(first.id), testing::Contains(HasSubstr("its own doing")));
  // An event about nothing in particular, such as CloudTrail's, is known by the program alone.
  EXPECT_FALSE(executor_->launch(caused("3", "p", "", first.id)).value().fresh);
}

TEST_F(EchoTest, starts_another_program_or_the_same_about_something_else) {
  ASSERT_TRUE(executor_->start());
  const auto first = executor_->launch(caused("1", "p", "finding", "")).value();
  EXPECT_TRUE(executor_->launch(caused("2", "q", "finding", first.id)).value().fresh);
  EXPECT_TRUE(executor_->launch(caused("3", "p", "another finding", first.id)).value().fresh);
  EXPECT_TRUE(executor_->launch(caused("4", "p", "finding", "no-such-execution")).value().fresh);
}

TEST_F(EchoTest, that_goes_round_through_other_programs_ends) {
  ASSERT_TRUE(executor_->start());
  const auto a = executor_->launch(caused("1", "a", "finding", "")).value();
  const auto b = executor_->launch(caused("2", "b", "finding", a.id)).value();
  ASSERT_TRUE(b.fresh);
  EXPECT_FALSE(executor_->launch(caused("3", "a", "finding", b.id)).value().fresh);
}

TEST_F(EchoTest, that_never_comes_by_the_same_program_twice_ends_too) {
  ASSERT_TRUE(executor_->start());
  std::string cause;
  int started = 0;
  for (int i = 0; i < 40; ++i) {
    const auto next = executor_->launch(caused(std::to_string(i), "p" + std::to_string(i), "f", cause)).value();
    if (!next.fresh) break;
    ++started;
    cause = next.id;
  }
  EXPECT_EQ(started, 16);
  EXPECT_THAT(journal(cause), testing::Contains(HasSubstr("had led to the next")));
}

}  // namespace
}  // namespace fixpoint::executions
