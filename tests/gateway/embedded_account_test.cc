#include "gateway/embedded_account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "aws/verify.h"

namespace fixpoint::gateway {
namespace {

using json::Object;
using json::Value;
using testing::HasSubstr;

const aws::CallContext context{"222222222222", "cn-north-1", "execution-7", "request-1"};

// The account beneath: it says what it was asked.
class Beneath final : public aws::Api {
 public:
  Result<Value> call(const aws::CallContext& from, std::string_view service, std::string_view operation,
                     const Value& input) override {
    return Value(Object{
        {"Beneath", std::string(service) + ":" + std::string(operation)}, {"For", from.execution}, {"Input", input}});
  }
};

class EmbeddedAccountTest : public testing::Test {
 protected:
  EmbeddedAccountTest() { account_.add(lambda()); }
  aws::ServiceTable lambda() {
    aws::ServiceTable table;
    table.service = "lambda";
    table.add("GetPolicy", [](const aws::Caller& caller, const Value& input) -> Result<Value> {
      return Value(Object{{"Account", caller.account},
                          {"Region", caller.region},
                          {"Partition", caller.partition},
                          {"Execution", caller.principal->execution},
                          {"Arn", caller.principal->arn},
                          {"Input", input}});
    });
    table.add("TagResource",
              [](const aws::Caller&, const Value&) -> Result<Value> { throw std::logic_error("broken"); });
    table.add_async("Invoke", [this](const aws::Caller&, const Value& input, aws::Answer answer) {
      if (input["Never"].bool_or(false)) {
        kept_ = std::move(answer);
        return;
      }
      later_ = std::thread([answer = std::move(answer)] { answer(Value(Object{{"StatusCode", 200}})); });
    });
    return table;
  }
  ~EmbeddedAccountTest() override {
    if (later_.joinable()) later_.join();
  }

  Beneath beneath_;
  EmbeddedAccount account_{beneath_};
  std::thread later_;
  aws::Answer kept_;
};

TEST_F(EmbeddedAccountTest, asks_a_service_that_fixpoint_is_in_the_name_of_the_caller) {
  const auto answer = account_.call(context, "lambda", "GetPolicy", Object{{"FunctionName", "f"}});
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(*answer, Value(Object{{"Account", "222222222222"},
                                  {"Region", "cn-north-1"},
                                  {"Partition", "aws-cn"},
                                  {"Execution", "execution-7"},
                                  {"Arn", "arn:aws-cn:sts::222222222222:assumed-role/fixpoint/execution-7"},
                                  {"Input", Object{{"FunctionName", "f"}}}}));
}

TEST_F(EmbeddedAccountTest, passes_all_other_services_on) {
  const auto answer = account_.call(context, "s3", "GetBucketAcl", Object{{"Bucket", "b"}});
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(*answer,
            Value(Object{{"Beneath", "s3:GetBucketAcl"}, {"For", "execution-7"}, {"Input", Object{{"Bucket", "b"}}}}));
}

TEST_F(EmbeddedAccountTest, takes_a_service_whole) {
  const auto answer = account_.call(context, "lambda", "CreateAlias", Object());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "NotImplemented");
  EXPECT_THAT(answer.error().message, HasSubstr("lambda:CreateAlias"));
}

TEST_F(EmbeddedAccountTest, waits_for_an_answer_that_comes_later) {
  const auto answer = account_.call(context, "lambda", "Invoke", Object());
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ((*answer)["StatusCode"].int_or(0), 200);
}

// The caller's thread may be one that the answer needs: it must come free again.
TEST_F(EmbeddedAccountTest, waits_no_longer_than_the_limit_and_says_that_the_outcome_is_open) {
  EmbeddedAccount impatient(beneath_, std::chrono::milliseconds(20));
  impatient.add(lambda());
  const auto answer = impatient.call(context, "lambda", "Invoke", Object{{"Never", true}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "RequestTimeout");
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_EQ(answer.error().http_status, 0);
  EXPECT_THAT(answer.error().message, HasSubstr("not known"));
  kept_(Value(Object()));  // an answer after the limit goes nowhere, and breaks nothing
}

TEST_F(EmbeddedAccountTest, a_stop_ends_the_waits) {
  EmbeddedAccount patient(beneath_, std::chrono::hours(1));
  aws::ServiceTable table;
  table.service = "lambda";
  table.add_async("Invoke",
                  [this](const aws::Caller&, const Value&, aws::Answer answer) { kept_ = std::move(answer); });
  patient.add(std::move(table));
  patient.stop();
  const auto answer = patient.call(context, "lambda", "Invoke", Object());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "RequestTimeout");
}

TEST_F(EmbeddedAccountTest, a_fault_of_an_operation_is_an_error_of_the_call) {
  const auto answer = account_.call(context, "lambda", "TagResource", Object());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "InternalFailure");
  EXPECT_THAT(answer.error().message, HasSubstr("broken"));
}

}  // namespace
}  // namespace fixpoint::gateway
