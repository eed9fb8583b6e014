#include "changes/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fixpoint::changes {
namespace {

using testing::HasSubstr;

TimeMs at(const char* text) {
  return parse_iso8601_ms(text).value();
}

Opening look(const std::string& window, const char* now) {
  auto parsed = Window::parse(window);
  if (!parsed) throw std::runtime_error(describe(parsed.error()));
  return look_at({*parsed}, at(now));
}

TEST(Window, is_open_from_its_beginning_up_to_its_end) {
  // Berlin is an hour ahead of UTC in January.
  EXPECT_FALSE(look("daily 22:00-23:30 Europe/Berlin", "2030-01-09T20:59:59.999Z").open);
  EXPECT_TRUE(look("daily 22:00-23:30 Europe/Berlin", "2030-01-09T21:00:00Z").open);
  EXPECT_TRUE(look("daily 22:00-23:30 Europe/Berlin", "2030-01-09T22:29:59.999Z").open);
  EXPECT_FALSE(look("daily 22:00-23:30 Europe/Berlin", "2030-01-09T22:30:00Z").open);
}

TEST(Window, says_when_it_opens_next) {
  // 2030-01-09 is a Wednesday.
  EXPECT_EQ(look("sat,sun 22:00-04:00 Europe/Berlin", "2030-01-09T12:00:00Z").at_ms, at("2030-01-12T21:00:00Z"));
  EXPECT_EQ(look("wed 10:00-11:00 UTC", "2030-01-09T12:00:00Z").at_ms, at("2030-01-16T10:00:00Z"));
  EXPECT_EQ(look("fri-mon 01:00-02:00 America/New_York", "2030-01-09T12:00:00Z").at_ms, at("2030-01-11T06:00:00Z"));
}

TEST(Window, over_midnight_belongs_to_the_day_on_which_it_begins) {
  EXPECT_TRUE(look("sat 22:00-04:00 UTC", "2030-01-13T03:59:00Z").open);   // the Sunday's night
  EXPECT_FALSE(look("sat 22:00-04:00 UTC", "2030-01-12T03:59:00Z").open);  // the Saturday's early morning
  EXPECT_TRUE(look("daily 00:00-00:00 UTC", "2030-01-12T00:00:00Z").open);
  EXPECT_TRUE(look("daily 00:00-00:00 UTC", "2030-01-12T23:59:59Z").open);
}

TEST(Window, a_day_ends_at_24_00) {
  EXPECT_TRUE(look("sat 00:00-24:00 UTC", "2030-01-12T23:59:59Z").open);
  EXPECT_FALSE(look("sat 00:00-24:00 UTC", "2030-01-13T00:00:00Z").open);
  EXPECT_TRUE(look("sat 22:00-24:00 UTC", "2030-01-12T23:59:59Z").open);
  EXPECT_FALSE(look("sat 22:00-24:00 UTC", "2030-01-13T00:00:00Z").open);
}

// In Berlin 2030-03-31 has no 02:00 to 03:00, and 2030-10-27 has it twice.
TEST(Window, follows_the_clock_where_it_is_put_forward_and_back) {
  EXPECT_TRUE(look("daily 22:00-23:00 Europe/Berlin", "2030-03-30T21:30:00Z").open);
  EXPECT_TRUE(look("daily 22:00-23:00 Europe/Berlin", "2030-03-31T20:30:00Z").open);
  EXPECT_FALSE(look("daily 22:00-23:00 Europe/Berlin", "2030-03-31T21:30:00Z").open);
  // 02:30 does not exist: the window begins when the clock jumps, at 01:00Z.
  EXPECT_EQ(look("sun 02:30-05:00 Europe/Berlin", "2030-03-31T00:30:00Z").at_ms, at("2030-03-31T01:00:00Z"));
  EXPECT_TRUE(look("sun 02:30-05:00 Europe/Berlin", "2030-03-31T01:00:00Z").open);
  // 02:30 comes twice: it begins at the first (00:30Z) and, for an end, ends at the second (01:30Z).
  EXPECT_TRUE(look("sun 02:30-05:00 Europe/Berlin", "2030-10-27T00:30:00Z").open);
  EXPECT_TRUE(look("sun 01:00-02:30 Europe/Berlin", "2030-10-27T01:29:00Z").open);
  EXPECT_FALSE(look("sun 01:00-02:30 Europe/Berlin", "2030-10-27T01:30:00Z").open);
}

TEST(Window, of_several_the_first_to_open_counts_and_none_is_always_open) {
  const std::vector<Window> two{Window::parse("sat 10:00-11:00 UTC").value(),
                                Window::parse("fri 10:00-11:00 UTC").value()};
  EXPECT_EQ(look_at(two, at("2030-01-09T12:00:00Z")).at_ms, at("2030-01-11T10:00:00Z"));
  EXPECT_EQ(look_at(two, at("2030-01-09T12:00:00Z")).which, "fri 10:00-11:00 UTC");
  EXPECT_TRUE(look_at({}, 0).open);
}

// mon 10:00-10:00 could be set once, and lasted until the next day's 10:00.
TEST(Window, that_is_stored_is_read_as_what_it_meant_when_it_was_set) {
  const std::vector<Window> day{Window::read("mon 10:00-10:00 UTC").value()};
  EXPECT_FALSE(look_at(day, at("2030-01-07T09:59:59Z")).open);  // a Monday
  EXPECT_TRUE(look_at(day, at("2030-01-07T10:00:00Z")).open);
  EXPECT_TRUE(look_at(day, at("2030-01-08T09:59:59Z")).open);
  EXPECT_FALSE(look_at(day, at("2030-01-08T10:00:00Z")).open);
  const Opening gone = look_at({Window::read("daily 00:00-24:00 Mars/Base").value()}, at("2030-01-07T10:00:00Z"));
  EXPECT_FALSE(gone.open);
  EXPECT_EQ(gone.at_ms, 0);
  EXPECT_FALSE(Window::read("mon 10:00 UTC"));
}

TEST(Window, refuses_what_is_none_with_a_sentence) {
  const struct {
    const char* text;
    const char* sentence;
  } faults[] = {
      {"", "it has to name days, times and a time zone"},
      {"sat 22:00-04:00", "it has to name days, times and a time zone"},
      {"sat 22:00-04:00 UTC now", "it has to name days, times and a time zone"},
      {"caturday 22:00-04:00 UTC", "'caturday' names no days"},
      {"sat-sun-mon 22:00-04:00 UTC", "names no days"},
      {"sat, 22:00-04:00 UTC", "names no days"},
      {"sat 22:00 UTC", "it has to name days"},
      {"sat 2200-0400 UTC", "'2200-0400' are no times"},
      {"sat 24:00-04:00 UTC", "'24:00-04:00' are no times; they go from 00:00 to 24:00"},
      {"sat 22:00-24:01 UTC", "they go from 00:00 to 24:00"},
      {"mon 10:00-10:00 UTC", "'10:00-10:00' has no length; a whole day is 00:00-24:00"},
      {"sat 22:60-23:00 UTC", "are no times"},
      {"sat 22:00-23:00-24:00 UTC", "are no times"},
      {"sat -1:00-23:00 UTC", "are no times"},
      {"sat 22:00-04:00 Mars/Base", "'Mars/Base' is no time zone that this machine knows"},
  };
  for (const auto& fault : faults) {
    const auto window = Window::parse(fault.text);
    ASSERT_FALSE(window) << fault.text;
    EXPECT_EQ(window.error().code, "ValidationException");
    if (std::string(fault.text) != "sat 22:00 UTC")
      EXPECT_THAT(window.error().message, HasSubstr(fault.sentence)) << fault.text;
  }
}

}  // namespace
}  // namespace fixpoint::changes
