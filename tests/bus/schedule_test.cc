#include "bus/schedule.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace fixpoint::bus {
namespace {

TimeMs at(const char* time) {
  return parse_iso8601_ms(time).value();
}

// The next runs of an expression after a time, as text. The calendar behind them: 2024-01-01 was a Monday.
std::vector<std::string> runs(const char* expression, const char* after, int count = 3) {
  const auto schedule = Schedule::read(expression);
  EXPECT_TRUE(schedule) << expression << ": " << (schedule ? "" : schedule.error().where);
  std::vector<std::string> out;
  TimeMs now = at(after);
  for (int i = 0; schedule && i < count; ++i) {
    const auto next = schedule->next(now, at("2024-01-01T00:00:30Z"));
    if (!next) break;
    out.push_back(format_iso8601(static_cast<double>(*next) / 1000).substr(0, 16));
    now = *next;
  }
  return out;
}
using Times = std::vector<std::string>;

TEST(Schedule, a_rate_counts_from_when_the_rule_was_made) {
  EXPECT_EQ(runs("rate(5 minutes)", "2024-01-01T00:00:30Z", 2), (Times{"2024-01-01T00:05", "2024-01-01T00:10"}));
  EXPECT_EQ(runs("rate(1 hour)", "2024-01-01T09:30:00Z", 1), (Times{"2024-01-01T10:00"}));
  EXPECT_EQ(runs("rate(2 days)", "2024-01-04T00:00:00Z", 1), (Times{"2024-01-05T00:00"}));
}

// The examples of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
TEST(Schedule, runs_the_documented_examples) {
  EXPECT_EQ(runs("cron(0 10 * * ? *)", "2024-01-31T10:00:00Z", 2), (Times{"2024-02-01T10:00", "2024-02-02T10:00"}));
  EXPECT_EQ(runs("cron(15 12 * * ? *)", "2024-01-01T12:14:59Z", 1), (Times{"2024-01-01T12:15"}));
  EXPECT_EQ(runs("cron(0 18 ? * MON-FRI *)", "2024-01-05T18:00:00Z", 2),
            (Times{"2024-01-08T18:00", "2024-01-09T18:00"}));
  EXPECT_EQ(runs("cron(0 8 1 * ? *)", "2024-01-15T00:00:00Z", 2), (Times{"2024-02-01T08:00", "2024-03-01T08:00"}));
  EXPECT_EQ(runs("cron(0/15 * * * ? *)", "2024-01-01T23:40:00Z"),
            (Times{"2024-01-01T23:45", "2024-01-02T00:00", "2024-01-02T00:15"}));
  EXPECT_EQ(runs("cron(0/5 8-17 ? * MON-FRI *)", "2024-01-05T17:50:00Z"),
            (Times{"2024-01-05T17:55", "2024-01-08T08:00", "2024-01-08T08:05"}));
  EXPECT_EQ(runs("cron(5,35 14 * * ? *)", "2024-01-01T14:05:00Z", 2), (Times{"2024-01-01T14:35", "2024-01-02T14:05"}));
  EXPECT_EQ(runs("cron(0 9 ? * 2#1 *)", "2024-01-02T00:00:00Z", 2), (Times{"2024-02-05T09:00", "2024-03-04T09:00"}));
}

TEST(Schedule, finds_last_days_and_nearest_weekdays) {
  EXPECT_EQ(runs("cron(0 0 L * ? *)", "2024-02-01T00:00:00Z"),
            (Times{"2024-02-29T00:00", "2024-03-31T00:00", "2024-04-30T00:00"}));
  EXPECT_EQ(runs("cron(0 0 LW * ? *)", "2024-03-01T00:00:00Z", 1),
            (Times{"2024-03-29T00:00"}));  // the 31st is a Sunday
  EXPECT_EQ(runs("cron(0 0 ? * 6L *)", "2024-01-01T00:00:00Z", 2), (Times{"2024-01-26T00:00", "2024-02-23T00:00"}));
  EXPECT_EQ(runs("cron(0 2 ? * SAT#3 *)", "2024-01-01T00:00:00Z", 1), (Times{"2024-01-20T02:00"}));
  EXPECT_EQ(runs("cron(0 0 ? * MON#5 *)", "2024-02-01T00:00:00Z", 1),
            (Times{"2024-04-29T00:00"}));  // no fifth in February and March
  EXPECT_EQ(runs("cron(0 0 6W * ? *)", "2024-01-01T00:00:00Z", 1),
            (Times{"2024-01-05T00:00"}));  // the 6th is a Saturday
  EXPECT_EQ(runs("cron(0 0 7W * ? *)", "2024-01-01T00:00:00Z", 1), (Times{"2024-01-08T00:00"}));  // a Sunday
  EXPECT_EQ(runs("cron(0 0 1W 6 ? *)", "2024-01-01T00:00:00Z", 1),
            (Times{"2024-06-03T00:00"}));  // a Saturday, stays in June
}

TEST(Schedule, a_day_that_a_month_has_not_waits_for_one_that_has_it) {
  EXPECT_EQ(runs("cron(0 0 31 * ? *)", "2024-02-01T00:00:00Z", 2), (Times{"2024-03-31T00:00", "2024-05-31T00:00"}));
  EXPECT_EQ(runs("cron(0 0 29 2 ? *)", "2024-03-01T00:00:00Z", 1), (Times{"2028-02-29T00:00"}));
}

TEST(Schedule, goes_round_the_end_of_names_and_knows_years) {
  EXPECT_EQ(runs("cron(0 0 ? * SAT-MON *)", "2024-01-02T00:00:00Z"),
            (Times{"2024-01-06T00:00", "2024-01-07T00:00", "2024-01-08T00:00"}));
  EXPECT_EQ(runs("cron(15 10 ? * 6L 2002-2005)", "2024-01-01T00:00:00Z"), Times{});
  EXPECT_EQ(runs("cron(0 0 1 JAN ? 2030)", "2024-01-01T00:00:00Z"), (Times{"2030-01-01T00:00"}));
  EXPECT_EQ(runs("cron(0 0 1 JAN ? 2199)", "2198-12-31T00:00:00Z", 5), (Times{"2199-01-01T00:00"}));
}

TEST(Schedule, refuses_what_is_no_schedule_in_the_services_words) {
  for (const auto* text : {"",
                           "rate()",
                           "rate(0 minutes)",
                           "rate(1 minutes)",
                           "rate(5 minute)",
                           "rate(-1 hours)",
                           "rate(5 seconds)",
                           "rate(5  minutes)",
                           "rate(1.5 hours)",
                           "cron()",
                           "cron(INVALID)",
                           "cron(0 dummy ? * MON-FRI *)",
                           "cron(7 20 * * NOT *)",
                           "cron(71 8 1 * ? *)",
                           "cron(0 1 * * * *)",
                           "cron(0 1 ? * ? *)",
                           "cron(0 24 * * ? *)",
                           "cron(0 0 32 * ? *)",
                           "cron(0 0 0 * ? *)",
                           "cron(0 0 1 13 ? *)",
                           "cron(0 0 ? * 8 *)",
                           "cron(0 0 ? * MON#6 *)",
                           "cron(0 0 1 * ? 1969)",
                           "cron(0/0 * * * ? *)",
                           "cron(5-1 * * * ? *)",
                           "cron(0 0 1 * ?)",
                           "cron(0 0 1 * ? * *)",
                           "cron(0 0 1 * ? *",
                           "at(2024-01-01T00:00:00)",
                           "0 0 1 * ? *",
                           "cron(, * * * ? *)",
                           "cron(+5 * * * ? *)"}) {
    const auto read = Schedule::read(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message, "Parameter ScheduleExpression is not valid.") << text;
    EXPECT_FALSE(read.error().where.empty()) << text;
  }
}

}  // namespace
}  // namespace fixpoint::bus
