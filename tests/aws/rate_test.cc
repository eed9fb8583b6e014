#include "aws/rate.h"

#include <gtest/gtest.h>
#include <thread>

#include "json/text.h"
#include "json/yaml.h"

namespace fixpoint::aws {
namespace {

const json::Value nothing = json::Object();

CallLimits limits(std::string_view service, std::string_view yaml) {
  CallLimits made;
  const auto added = made.add(service, json::parse_yaml(yaml).value());
  if (!added) throw std::runtime_error(describe(added.error()));
  return made;
}

// As https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html has them.
CallLimits security_hub() {
  return limits("securityhub",
                "source: s\nbuckets:\n  - {operations: [GetFindings], rate: 3, burst: 6}\n  - {rate: 10, burst: 30}\n");
}

Rate::Call call(std::string_view operation, std::string_view account = "111111111111",
                std::string_view region = "us-east-1", std::string_view service = "securityhub") {
  return {account, region, service, operation, nothing};
}

class RateTest : public testing::Test {
 protected:
  // How many calls in a row may be made at once.
  int at_once(Rate& rate, const Rate::Call& what) {
    for (int n = 0; n < 1'000; ++n) {
      const auto wait = rate.take(what);
      if (!wait || *wait > 0) return n;
    }
    return 1'000;
  }
  ManualClock clock{1'700'000'000'000};
  Rate::Options at_once_or_not_at_all{.longest_wait_ms = 0};
};

TEST_F(RateTest, lets_a_burst_through_and_then_what_is_refilled) {
  Rate rate(clock, security_hub(), at_once_or_not_at_all);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 6);
  clock.advance_ms(1'000);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 3);
  clock.advance_ms(333);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 0);
  clock.advance_ms(1);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 1);
  clock.advance_ms(3'600'000);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 6) << "a bucket holds no more than its burst";
}

TEST_F(RateTest, has_a_bucket_for_each_account_region_and_operation) {
  Rate rate(clock, security_hub(), at_once_or_not_at_all);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 6);
  EXPECT_EQ(at_once(rate, call("GetFindings", "222222222222")), 6);
  EXPECT_EQ(at_once(rate, call("GetFindings", "111111111111", "eu-west-1")), 6);
  EXPECT_EQ(at_once(rate, call("DescribeHub")), 30);
  EXPECT_EQ(at_once(rate, call("ListMembers")), 30);
  EXPECT_EQ(at_once(rate, call("ListThings", "111111111111", "us-east-1", "nobodyknows")), 50);
}

TEST_F(RateTest, shares_a_bucket_where_aws_does) {
  // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
  Rate rate(clock,
            limits("lambda",
                   "source: s\nbuckets:\n  - {operations: [GetFunction], rate: 100, burst: 100}\n"
                   "  - {together: true, rate: 15, burst: 15}\n"),
            at_once_or_not_at_all);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(rate.take(call("TagResource", "1", "r", "lambda")).value(), 0);
  EXPECT_EQ(at_once(rate, call("PutFunctionConcurrency", "1", "r", "lambda")), 5);
  EXPECT_EQ(at_once(rate, call("GetFunction", "1", "r", "lambda")), 100);
}

TEST_F(RateTest, tells_reads_from_changes_and_filtered_from_unfiltered) {
  // https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
  Rate rate(clock,
            limits("ec2",
                   "source: s\nbuckets:\n"
                   "  - {operations: [DescribeInstances], unless: [Filters, MaxResults], rate: 10, burst: 50}\n"
                   "  - {kind: reads, rate: 20, burst: 100}\n  - {kind: changes, rate: 5, burst: 60}\n"),
            at_once_or_not_at_all);
  EXPECT_EQ(at_once(rate, call("DescribeHosts", "1", "r", "ec2")), 100);
  EXPECT_EQ(at_once(rate, call("ModifyHosts", "1", "r", "ec2")), 60);
  EXPECT_EQ(at_once(rate, call("DescribeInstances", "1", "r", "ec2")), 50);
  const json::Value filtered = json::Object{{"MaxResults", 100}};
  EXPECT_EQ(at_once(rate, {"1", "r", "ec2", "DescribeInstances", filtered}), 100);
}

TEST_F(RateTest, lets_a_short_wait_be_waited_in_turn) {
  Rate rate(clock, security_hub());
  EXPECT_EQ(at_once(rate, call("GetFindings")), 6);  // and a seventh, that has to wait
  EXPECT_EQ(rate.take(call("GetFindings")).value(), 667);
  EXPECT_EQ(rate.take(call("GetFindings")).value(), 1'000);
  EXPECT_EQ(rate.take(call("GetFindings")).value(), 1'334);
  clock.advance_ms(1'000);
  EXPECT_EQ(rate.take(call("GetFindings")).value(), 667) << "the time that passed was waited by the ones before";
}

TEST_F(RateTest, tells_who_would_wait_longer_when_to_come_back_each_at_a_time_of_his_own) {
  Rate rate(clock, security_hub());
  while (rate.take(call("GetFindings"))) {
  }
  std::vector<std::int64_t> told;
  for (int i = 0; i < 30; ++i) {
    const auto refused = rate.take(call("GetFindings"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "RequestThrottled");
    EXPECT_EQ(refused.error().where, before_sending);
    EXPECT_TRUE(refused.error().retryable);
    told.push_back(refused.error().retry_after_ms);
  }
  EXPECT_GT(told[0], 2'000);
  for (std::size_t i = 1; i < told.size(); ++i) EXPECT_NEAR(told[i] - told[i - 1], 333, 1);
  // They come when they were told to, and are served: most at once, the rest after a short wait.
  std::sort(told.begin(), told.end());
  const TimeMs start = clock.now_ms();
  for (const std::int64_t time : told) {
    clock.set_ms(start + time);
    EXPECT_TRUE(rate.take(call("GetFindings"))) << time;
  }
}

TEST_F(RateTest, slows_down_when_aws_throttles_and_recovers_with_time) {
  Rate rate(clock, security_hub(), at_once_or_not_at_all);
  ASSERT_TRUE(rate.take(call("GetFindings")));
  rate.throttled(call("GetFindings"));
  EXPECT_EQ(at_once(rate, call("GetFindings")), 0) << "what was left of the burst is not there on AWS's side";
  EXPECT_NEAR(rate.rate_of(call("GetFindings")), 2.1, 0.001);
  for (int i = 0; i < 10; ++i) rate.throttled(call("GetFindings"));
  EXPECT_NEAR(rate.rate_of(call("GetFindings")), 2.1, 0.001) << "answers of one moment count once";
  clock.advance_ms(1'000);
  rate.throttled(call("GetFindings"));
  EXPECT_LT(rate.rate_of(call("GetFindings")), 1.7);
  for (int i = 0; i < 200; ++i) {
    rate.throttled(call("GetFindings"));
    clock.advance_ms(1'000);
  }
  EXPECT_GT(rate.rate_of(call("GetFindings")), 0.06) << "it never stands still";
  EXPECT_NEAR(rate.rate_of(call("DescribeHub")), 10, 0.001) << "another operation is not slowed";
  clock.advance_ms(30'000);
  EXPECT_NEAR(rate.rate_of(call("GetFindings")), 3, 0.001);
  clock.advance_ms(60'000);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 6);
}

TEST_F(RateTest, gives_nothing_for_a_clock_that_is_set_back) {
  Rate rate(clock, security_hub(), at_once_or_not_at_all);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 6);
  clock.set_ms(clock.now_ms() - 3'600'000);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 0);
  clock.advance_ms(1'000);
  EXPECT_EQ(at_once(rate, call("GetFindings")), 3);
}

TEST_F(RateTest, holds_under_several_threads) {
  Rate rate(clock, security_hub(), at_once_or_not_at_all);
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 1'000; ++n)
          if (const auto wait = rate.take(call("DescribeHub")); wait && *wait == 0) ++taken;
      });
  }
  EXPECT_EQ(taken, 30);
}

TEST_F(RateTest, keeps_no_more_buckets_than_it_needs) {
  Rate rate(clock, security_hub(), at_once_or_not_at_all);
  for (int i = 0; i < 50'000; ++i) {
    const std::string account = std::to_string(100'000'000'000 + i);
    ASSERT_TRUE(rate.take(call("DescribeHub", account)));
    clock.advance_ms(1);
  }
  EXPECT_EQ(at_once(rate, call("DescribeHub", "149999")), 30);
}

std::string refusal(std::string_view yaml) {
  CallLimits made;
  const auto added = made.add("x", json::parse_yaml(yaml).value());
  return added ? "taken" : added.error().message;
}

TEST(CallLimitsFile, says_what_is_wrong_with_it_and_where) {
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: 1, burst: 1}]"), "taken");
  EXPECT_EQ(refusal("buckets: []"), "x.source has to name the page that says it");
  EXPECT_EQ(refusal("source: s\nbuckets: {rate: 1}"), "x.buckets has to be a list");
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: 1}]"), "x.buckets[0].burst has to be a number from 1 to 100000");
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: 0, burst: 1}]"),
            "x.buckets[0].rate has to be a number from 0.001 to 100000");
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: fast, burst: 1}]"),
            "x.buckets[0].rate has to be a number from 0.001 to 100000");
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: 1, burst: 1, kind: write}]"),
            "x.buckets[0].kind has to be reads or changes");
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: 1, burst: 1, operations: []}]"),
            "x.buckets[0].operations has to be a list of names, with at least one");
  EXPECT_EQ(refusal("source: s\nbuckets: [{rate: 1, burst: 1, operation: [A]}]"),
            "x.buckets[0].operation is nothing that is known here");
  EXPECT_EQ(refusal("source: s\nidempotent: [1]"), "x.idempotent has to be a list of names, with at least one");
  EXPECT_EQ(refusal("[1]"), "x has to be a mapping");
}

}  // namespace
}  // namespace fixpoint::aws
