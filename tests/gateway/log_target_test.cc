#include "gateway/log_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::gateway {
namespace {

using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr TimeMs now = 1'700'000'000'000;

// An account that fails as a test says, and remembers.
class Account final : public aws::Api {
 public:
  std::vector<std::string> calls;
  std::map<std::string, Error> errors;
  bool has_stream = true;
  Value answer = Object();
  Result<Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                     const Value& input) override {
    calls.push_back(context.account + " " + context.region + " " + std::string(service) + ":" + std::string(operation) +
                    " " + json::print(input));
    if (const auto found = errors.find(std::string(operation)); found != errors.end()) return fail(found->second);
    if (operation == "CreateLogStream") has_stream = true;
    if (operation == "PutLogEvents" && !has_stream)
      return fail(errors::coded("ResourceNotFoundException", "The specified log stream does not exist.", 400));
    return answer;
  }
};

bus::Delivery delivery(Object form = {}, const std::string& text = "{\"whole\":1}") {
  bus::Delivery out;
  out.rule_arn = "arn:aws:events:us-east-1:111111111111:rule/one";
  form.set("Id", "t");
  out.target = {"t", "arn:aws:logs:us-east-1:111111111111:log-group:/aws/events/app:*", form};
  out.event = Object{{"id", "e"}, {"time", "2023-11-14T22:13:00Z"}};  // 20 seconds before now
  out.text = text;
  return out;
}

struct Target {
  Account account;
  ManualClock clock{now};
  bool takes = true;
  LogTarget target{account, clock,
                   [this](const std::function<void()>& task) {
                     if (takes) task();
                     return takes;
                   },
                   [] {}};
  Result<void> send(const bus::Delivery& what) {
    Result<void> out = fail(errors::internal("nothing was said"));
    target.kind().send(what, [&](Result<void> result) { out = std::move(result); });
    return out;
  }
};

TEST(LogTarget, an_event_is_logged_to_a_stream_of_the_rules_target) {
  Target it;
  ASSERT_TRUE(it.send(delivery()));
  const std::string stream = LogTarget::stream_of(delivery());
  EXPECT_EQ(stream.size(), 36U);
  EXPECT_THAT(
      it.account.calls,
      ElementsAre("111111111111 us-east-1 logs:PutLogEvents {\"logGroupName\":\"/aws/events/app\","
                  "\"logStreamName\":\"" +
                  stream + "\",\"logEvents\":[{\"timestamp\":1699999980000,\"message\":\"{\\\"whole\\\":1}\"}]}"));
  bus::Delivery other = delivery();
  other.target.id = "u";
  EXPECT_NE(LogTarget::stream_of(other), stream);
}

TEST(LogTarget, the_first_event_makes_the_stream) {
  Target it;
  it.account.has_stream = false;
  ASSERT_TRUE(it.send(delivery()));
  ASSERT_EQ(it.account.calls.size(), 3U);
  EXPECT_THAT(it.account.calls[1], HasSubstr("logs:CreateLogStream {\"logGroupName\":\"/aws/events/app\""));
  // Another server made it meanwhile.
  Target raced;
  raced.account.errors["PutLogEvents"] = errors::coded("ResourceNotFoundException", "no stream", 400);
  raced.account.errors["CreateLogStream"] = errors::coded("ResourceAlreadyExistsException", "there", 400);
  EXPECT_EQ(raced.send(delivery()).error().message, "no stream");
  EXPECT_EQ(raced.account.calls.size(), 3U);
}

TEST(LogTarget, what_the_account_refuses_is_told_with_its_code) {
  Target it;
  it.account.has_stream = false;
  it.account.errors["CreateLogStream"] =
      errors::coded("ResourceNotFoundException", "The specified log group does not exist.", 400);
  EXPECT_EQ(it.send(delivery()).error().message, "The specified log group does not exist.");
  it.account.errors["PutLogEvents"] = errors::throttling("slow down");
  EXPECT_TRUE(it.send(delivery()).error().retryable);
  it.account.errors.clear();
  it.account.has_stream = true;
  it.account.answer = Object{{"rejectedLogEventsInfo", Object{{"expiredLogEventEndIndex", 1}}}};
  EXPECT_THAT(it.send(delivery()).error().message, HasSubstr("expiredLogEventEndIndex"));
  it.takes = false;
  EXPECT_TRUE(it.send(delivery()).error().retryable);
}

TEST(LogTarget, another_accounts_group_is_not_logged_to) {
  Target it;
  bus::Delivery foreign = delivery();
  foreign.target.arn = "arn:aws:logs:us-east-1:222222222222:log-group:/aws/events/app";
  EXPECT_EQ(it.send(foreign).error().code, "AccessDeniedException");
  EXPECT_TRUE(it.account.calls.empty());
}

// A template for a log group has these two members: LogGroupTargetInput of the AWS CDK,
// https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_events_targets.LogGroupTargetInputOptions.html
TEST(LogTarget, a_template_says_message_and_time) {
  const auto logged = [](const std::string& text, const char* member = "InputTransformer") {
    return LogTarget::log_event(delivery({{member, "x"}}, text), now);
  };
  EXPECT_EQ(logged(R"({"timestamp":"2023-11-14T22:13:10Z","message":"m"})").value(),
            Value(Object{{"timestamp", now - 10'000}, {"message", "m"}}));
  EXPECT_EQ(logged(R"({"timestamp":1699999990000,"message":"m"})", "Input").value(),
            Value(Object{{"timestamp", now - 10'000}, {"message", "m"}}));
  for (const auto* text : {"\"text\"", "7", "{}", R"({"message":"m"})", R"({"timestamp":1,"message":{"a":1}})",
                           R"({"timestamp":"yesterday","message":"m"})", R"({"timestamp":1,"message":""})"}) {
    const auto refused = logged(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, "ValidationException");
    EXPECT_FALSE(refused.error().retryable);
  }
  // A part of the event is logged as it is.
  EXPECT_EQ(LogTarget::log_event(delivery({{"InputPath", "$.detail"}}, "7"), now).value()["message"], Value("7"));
}

TEST(LogTarget, a_time_that_would_not_be_taken_becomes_now) {
  bus::Delivery old = delivery();
  for (const auto* time : {"2023-10-31T22:13:20Z", "2023-11-15T00:13:20Z", "no time"}) {
    old.event.set("time", time);
    EXPECT_EQ(LogTarget::log_event(old, now).value()["timestamp"], Value(now)) << time;
  }
}

TEST(LogTarget, arns_of_log_groups_are_taken_and_no_others) {
  Target it;
  const auto check = it.target.kind().check;
  for (const auto* arn : {"arn:aws:logs:us-east-1:111111111111:log-group:/aws/events/app",
                          "arn:aws:logs:us-east-1:111111111111:log-group:/aws/events/app:*"})
    EXPECT_TRUE(check(arn)) << arn;
  for (const auto* arn : {"arn:aws:logs:us-east-1:111111111111:log-group:", "arn:aws:logs:us-east-1:111111111111:app",
                          "arn:aws:logs:us-east-1:111111111111:log-group:a:log-stream:s"})
    EXPECT_THAT(check(arn).error().message, HasSubstr("names no log group")) << arn;
}

}  // namespace
}  // namespace fixpoint::gateway
