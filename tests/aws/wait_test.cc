#include "aws/wait.h"

#include <gtest/gtest.h>

#include "aws/models.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

json::Value parsed(std::string_view text) {
  return json::parse(text).value();
}

const Models& models() {
  static const std::unique_ptr<Models> all = Models::open({}).value();
  return *all;
}

Waiter waiter(std::string_view service, std::string_view name) {
  return Waiter::make(*models().get(service).value(), name).value();
}

Result<json::Value> instances(std::initializer_list<std::string_view> states) {
  json::Array list;
  for (const std::string_view state : states) list.push_back(json::Object{{"State", json::Object{{"Name", state}}}});
  return json::Value(json::Object{{"Reservations", json::Array{json::Object{{"Instances", std::move(list)}}}}});
}

TEST(wait, every_one_has_to_be_as_wanted) {
  const Waiter running = waiter("ec2", "InstanceRunning");
  EXPECT_EQ(running.operation(), "DescribeInstances");
  EXPECT_EQ(running.delay_ms(), 15000);
  EXPECT_EQ(running.max_attempts(), 40);
  EXPECT_EQ(running.judge(instances({"running", "running"})).state, Waiter::State::Success);
  EXPECT_EQ(running.judge(instances({"running", "pending"})).state, Waiter::State::Retry);
  EXPECT_EQ(running.judge(instances({})).state, Waiter::State::Retry);
  const auto dead = running.judge(instances({"running", "terminated"}));
  EXPECT_EQ(dead.state, Waiter::State::Failure);
  EXPECT_EQ(dead.error.code, "WaiterFailed");
  EXPECT_NE(dead.error.message.find("terminated"), std::string::npos);
  EXPECT_EQ(running.judge(fail(errors::coded("InvalidInstanceID.NotFound", "not yet", 400))).state,
            Waiter::State::Retry);
}

TEST(wait, an_error_that_nobody_expects_is_the_answer) {
  const auto verdict = waiter("ec2", "InstanceRunning").judge(fail(errors::access_denied("no")));
  EXPECT_EQ(verdict.state, Waiter::State::Failure);
  EXPECT_EQ(verdict.error.code, "AccessDeniedException");
}

TEST(wait, status_and_error_code_decide) {
  const Waiter exists = waiter("s3", "BucketExists");
  EXPECT_EQ(exists.judge(json::Value(json::Object())).state, Waiter::State::Success);
  EXPECT_EQ(exists.judge(fail(errors::coded("NotFound", "none", 404))).state, Waiter::State::Retry);
  // A bucket that one may not look at is there.
  EXPECT_EQ(exists.judge(fail(errors::coded("403", "forbidden", 403))).state, Waiter::State::Success);
  EXPECT_EQ(exists.judge(fail(errors::coded("InternalError", "broken", 500))).state, Waiter::State::Failure);
  const Waiter gone = waiter("lambda", "FunctionExists");
  EXPECT_EQ(gone.judge(fail(errors::resource_not_found("none"))).state, Waiter::State::Retry);
  // The waiter names the code on the wire; the model calls the shape DBInstanceNotFoundFault.
  const Waiter deleted = waiter("rds", "DBInstanceDeleted");
  EXPECT_EQ(deleted.judge(fail(errors::coded("DBInstanceNotFound", "none", 404))).state, Waiter::State::Success);
  EXPECT_EQ(deleted.judge(fail(errors::coded("DBInstanceNotFoundFault", "none", 404))).state, Waiter::State::Success);
  EXPECT_EQ(deleted.judge(parsed(R"({"DBInstances": []})")).state, Waiter::State::Success);
}

TEST(wait, a_single_path) {
  const Waiter active = waiter("lambda", "FunctionActive");
  EXPECT_EQ(active.judge(parsed(R"({"State": "Active"})")).state, Waiter::State::Success);
  EXPECT_EQ(active.judge(parsed(R"({"State": "Pending"})")).state, Waiter::State::Retry);
  EXPECT_EQ(active.judge(parsed(R"({"State": "Failed"})")).state, Waiter::State::Failure);
  EXPECT_EQ(active.judge(parsed(R"({})")).state, Waiter::State::Retry);
}

TEST(wait, knows_waiters_that_only_the_newer_source_has) {
  const Waiter gone = waiter("rds", "TenantDatabaseDeleted");
  EXPECT_EQ(gone.operation(), "DescribeTenantDatabases");
  EXPECT_EQ(gone.judge(parsed(R"({"TenantDatabases": []})")).state, Waiter::State::Success);
  EXPECT_EQ(gone.judge(parsed(R"({"TenantDatabases": [{}]})")).state, Waiter::State::Retry);
  EXPECT_EQ(gone.judge(fail(errors::coded("DBInstanceNotFound", "none", 404))).state, Waiter::State::Success);
  const Waiter exists = waiter("cloudwatch", "AlarmMuteRuleExists");
  EXPECT_EQ(exists.judge(json::Value(json::Object())).state, Waiter::State::Success);
  EXPECT_EQ(exists.judge(fail(errors::resource_not_found("none"))).state, Waiter::State::Retry);
}

TEST(wait, calls_and_sleeps_until_it_has_come) {
  std::vector<std::int64_t> slept;
  int calls = 0;
  const auto answer = waiter("ec2", "InstanceRunning")
                          .wait(
                              [&](const json::Value& input) {
                                EXPECT_EQ(json::print(input), R"({"InstanceIds":["i-1"]})");
                                return ++calls < 3 ? instances({"pending"}) : instances({"running"});
                              },
                              parsed(R"({"InstanceIds": ["i-1"]})"), [&](std::int64_t ms) { slept.push_back(ms); });
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ((*answer)["Reservations"].size(), 1U);
  EXPECT_EQ(slept, (std::vector<std::int64_t>{15000, 15000}));
}

TEST(wait, gives_up_after_the_model_s_attempts) {
  int calls = 0;
  int sleeps = 0;
  const auto answer = waiter("lambda", "FunctionActive")
                          .wait(
                              [&](const json::Value&) {
                                ++calls;
                                return parsed(R"({"State": "Pending"})");
                              },
                              json::Object(), [&](std::int64_t) { ++sleeps; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "WaiterTimedOut");
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_EQ(calls, 60);
  EXPECT_EQ(sleeps, 59);
}

TEST(wait, every_waiter_of_every_service_can_be_read) {
  std::size_t count = 0;
  for (const PackEntry& entry : models().services()) {
    const auto service = models().get(entry.name).value();
    if (!service->waiters().is_object()) continue;
    for (const json::Member& each : service->waiters().as_object()) {
      const auto made = Waiter::make(*service, each.key);
      EXPECT_TRUE(made) << entry.name << " " << each.key << ": " << describe(made.error());
      ++count;
    }
  }
  EXPECT_GT(count, 150U);
}

TEST(wait, refuses_a_waiter_that_it_does_not_understand) {
  const auto refused = [](std::string_view waiters) {
    const json::Value model = parsed(
        R"({"metadata": {"protocol": "json"}, "shapes": {}, "operations": {"Look": {"http": {"method": "POST", "requestUri": "/"}}}})");
    const auto service = Service::from_botocore("tiny", model, nullptr, parsed(waiters)).value();
    const auto made = Waiter::make(*service, "Ready");
    EXPECT_FALSE(made) << waiters;
    return made ? std::string() : made.error().message;
  };
  EXPECT_NE(refused(R"({"waiters": {}})").find("no waiter"), std::string::npos);
  EXPECT_NE(refused(R"({"waiters": {"Ready": {"operation": "Gone", "delay": 1, "maxAttempts": 1, "acceptors": []}}})")
                .find("'Gone'"),
            std::string::npos);
  EXPECT_NE(refused(R"({"waiters": {"Ready": {"operation": "Look", "delay": 1, "maxAttempts": 0, "acceptors": []}}})")
                .find("attempt"),
            std::string::npos);
  EXPECT_NE(refused(R"({"waiters": {"Ready": {"operation": "Look", "delay": 1, "maxAttempts": 1, "acceptors": []}}})")
                .find("acceptors"),
            std::string::npos);
  EXPECT_NE(
      refused(
          R"({"waiters": {"Ready": {"operation": "Look", "delay": 1, "maxAttempts": 1, "acceptors": [{"matcher": "smell", "state": "success", "expected": 1}]}}})")
          .find("smell"),
      std::string::npos);
  EXPECT_NE(
      refused(
          R"({"waiters": {"Ready": {"operation": "Look", "delay": 1, "maxAttempts": 1, "acceptors": [{"matcher": "path", "argument": "a[", "state": "success", "expected": 1}]}}})")
          .find("a["),
      std::string::npos);
}

}  // namespace
}  // namespace fixpoint::aws
