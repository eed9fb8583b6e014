#include "bus/schedule.h"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/text.h"

namespace fixpoint::bus {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr TimeMs minute_ms = 60'000;
constexpr TimeMs hour_ms = 60 * minute_ms;
constexpr TimeMs day_ms = 24 * hour_ms;
constexpr int first_year = 1970, last_year = 2199;

constexpr std::array<std::string_view, 12> month_names{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                       "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

tl::unexpected<Error> invalid(std::string why) {
  return fail(errors::validation("Parameter ScheduleExpression is not valid.", std::move(why)));
}

unsigned days_in(int y, unsigned m) {
  return static_cast<unsigned>((year(y) / month(m) / std::chrono::last).day());
}
// 1 is Sunday, as cron counts.
unsigned weekday_of(int y, unsigned m, unsigned d) {
  return std::chrono::weekday(sys_days(year(y) / month(m) / day(d))).c_encoding() + 1;
}

struct Field {
  std::string_view name;
  int low, high;
  const std::string_view* names = nullptr;
  std::size_t name_count = 0;
};

Result<int> number_in(std::string_view text, const Field& field) {
  for (std::size_t i = 0; i < field.name_count; ++i)
    if (equals_ignore_case(text, field.names[i])) return static_cast<int>(i) + 1;
  const auto number = to_int64(text);
  if (!number || text.empty() || text.front() == '-' || text.front() == '+' || *number < field.low ||
      *number > field.high)
    return invalid("'" + std::string(text) + "' is no " + std::string(field.name) + ": " + std::to_string(field.low) +
                   " to " + std::to_string(field.high));
  return static_cast<int>(*number);
}

// `*`, `5`, `1-5`, `0/15`, `*/15`, `10-40/5` and lists of them.
template <class Set>
Result<void> read_list(std::string_view text, const Field& field, int offset, Set& set) {
  for (const std::string_view part : split(text, ',')) {
    const std::size_t slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    int low = field.low, high = field.high, step = 1;
    if (range != "*") {
      const std::size_t dash = range.find('-');
      FIXPOINT_TRY(from, number_in(range.substr(0, dash), field));
      low = from;
      high = slash == std::string_view::npos ? from : field.high;
      if (dash != std::string_view::npos) {
        FIXPOINT_TRY(to, number_in(range.substr(dash + 1), field));
        high = to;
      }
    }
    if (slash != std::string_view::npos) {
      const auto every = to_int64(part.substr(slash + 1));
      if (!every || *every < 1 || *every > field.high)
        return invalid("'" + std::string(part) + "' has no step that fits " + std::string(field.name));
      step = static_cast<int>(*every);
    }
    // FRI-MON and NOV-FEB go round the end.
    if (high < low && field.names == nullptr) return invalid("'" + std::string(part) + "' ends before it begins");
    const int last = high < low ? high + (field.high - field.low + 1) : high;
    for (int at = low; at <= last; at += step)
      set.set(static_cast<std::size_t>((at > field.high ? at - (field.high - field.low + 1) : at) - offset));
  }
  return {};
}

}  // namespace

class CronReader {
 public:
  static Result<Schedule::Cron> read(std::string_view inner) {
    std::vector<std::string_view> fields;
    for (const std::string_view part : split(inner, ' '))
      if (!part.empty()) fields.push_back(part);
    if (fields.size() != 6)
      return invalid("cron has six fields: minutes, hours, day of month, month, day of week, year; this has " +
                     std::to_string(fields.size()));
    const bool any_day = fields[2] == "?", any_weekday = fields[4] == "?";
    if (any_day == any_weekday) return invalid("one of day of month and day of week has to be '?', and only one");
    Schedule::Cron cron;
    FIXPOINT_CHECK(read_list(fields[0], {"minute", 0, 59}, 0, cron.minutes));
    FIXPOINT_CHECK(read_list(fields[1], {"hour", 0, 23}, 0, cron.hours));
    FIXPOINT_CHECK(read_list(fields[3], {"month", 1, 12, month_names.data(), month_names.size()}, 0, cron.months));
    FIXPOINT_CHECK(read_list(fields[5], {"year", first_year, last_year}, 1900, cron.years));
    cron.by_weekday = any_day;
    FIXPOINT_CHECK(any_day ? read_weekday(fields[4], cron) : read_day(fields[2], cron));
    return cron;
  }

 private:
  static Result<void> read_day(std::string_view text, Schedule::Cron& cron) {
    const Field field{"day of month", 1, 31};
    if (text == "L") {
      cron.last_day = true;
      return {};
    }
    if (text == "LW") {
      cron.nearest_weekday = 32;
      return {};
    }
    if (text.ends_with('W')) {
      FIXPOINT_TRY(number, number_in(text.substr(0, text.size() - 1), field));
      cron.nearest_weekday = number;
      return {};
    }
    return read_list(text, field, 0, cron.days);
  }

  static Result<void> read_weekday(std::string_view text, Schedule::Cron& cron) {
    const Field field{"day of week", 1, 7, weekday_names.data(), weekday_names.size()};
    if (text == "L") {  // by itself: the last day of the week, Saturday
      cron.weekdays.set(7);
      return {};
    }
    if (text.size() > 1 && text.ends_with('L')) {
      FIXPOINT_TRY(number, number_in(text.substr(0, text.size() - 1), field));
      cron.last_weekday = number;
      return {};
    }
    if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
      FIXPOINT_TRY(weekday, number_in(text.substr(0, hash), field));
      FIXPOINT_TRY(nth, number_in(text.substr(hash + 1), {"week of the month", 1, 5}));
      cron.nth_weekday = weekday;
      cron.nth = nth;
      return {};
    }
    return read_list(text, field, 0, cron.weekdays);
  }
};

bool Schedule::Cron::runs_on(int y, unsigned m, unsigned d) const {
  const unsigned last = days_in(y, m);
  const unsigned weekday = weekday_of(y, m, d);
  if (by_weekday) {
    if (last_weekday != 0) return weekday == static_cast<unsigned>(last_weekday) && d + 7 > last;
    if (nth != 0) return weekday == static_cast<unsigned>(nth_weekday) && (d - 1) / 7 + 1 == static_cast<unsigned>(nth);
    return weekdays.test(weekday);
  }
  if (last_day) return d == last;
  if (nearest_weekday != 0) {
    // The weekday nearest to the day named, within the month.
    unsigned wanted = nearest_weekday == 32 ? last : static_cast<unsigned>(nearest_weekday);
    if (wanted > last) return false;
    const unsigned of_wanted = weekday_of(y, m, wanted);
    if (of_wanted == 7)
      wanted = wanted == 1 ? 3 : wanted - 1;
    else if (of_wanted == 1)
      wanted = wanted == last ? wanted - 2 : wanted + 1;
    return d == wanted;
  }
  return days.test(d);
}

Result<Schedule> Schedule::read(std::string_view text) {
  Schedule out;
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return invalid("it is rate(VALUE UNIT) or cron(FIELDS)");
  const std::string_view inner = text.substr(open + 1, text.size() - open - 2);
  if (text.starts_with("cron(")) {
    FIXPOINT_TRY(cron, CronReader::read(inner));
    out.cron_ = cron;
    return out;
  }
  if (!text.starts_with("rate(")) return invalid("it is rate(VALUE UNIT) or cron(FIELDS)");
  const auto words = split(inner, ' ');
  const auto value = words.size() == 2 ? to_int64(words[0]) : std::nullopt;
  if (!value || *value < 1 || *value > 1'000'000) return invalid("a rate is a whole number above zero and a unit");
  // The singular goes with 1 and with nothing else.
  const struct {
    std::string_view one, several;
    TimeMs length_ms;
  } units[]{{"minute", "minutes", minute_ms}, {"hour", "hours", hour_ms}, {"day", "days", day_ms}};
  for (const auto& unit : units)
    if (words[1] == (*value == 1 ? unit.one : unit.several)) {
      out.period_ms_ = *value * unit.length_ms;
      return out;
    }
  return invalid("the unit is minute, hour or day after 1, and minutes, hours or days after any other number");
}

std::optional<TimeMs> Schedule::next(TimeMs after_ms, TimeMs since_ms) const {
  if (!cron_) {
    const TimeMs periods = after_ms < since_ms ? 0 : (after_ms - since_ms) / period_ms_;
    return since_ms + (periods + 1) * period_ms_;
  }
  const TimeMs from_ms = (after_ms / minute_ms + 1) * minute_ms;
  auto at = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(from_ms)));
  int minute_of_day = static_cast<int>((from_ms - at.time_since_epoch().count() * day_ms) / minute_ms);
  for (year_month_day date(at); static_cast<int>(date.year()) <= last_year;) {
    const int y = static_cast<int>(date.year());
    const unsigned m = static_cast<unsigned>(date.month());
    if (!cron_->years.test(static_cast<std::size_t>(y - 1900))) {
      at = sys_days(year(y + 1) / month(1) / day(1));
    } else if (!cron_->months.test(m)) {
      at = m == 12 ? sys_days(year(y + 1) / month(1) / day(1)) : sys_days(year(y) / month(m + 1) / day(1));
    } else {
      if (cron_->runs_on(y, m, static_cast<unsigned>(date.day())))
        for (int minute = minute_of_day; minute < 24 * 60; ++minute)
          if (cron_->hours.test(static_cast<std::size_t>(minute / 60)) &&
              cron_->minutes.test(static_cast<std::size_t>(minute % 60)))
            return at.time_since_epoch().count() * day_ms + minute * minute_ms;
      at += std::chrono::days(1);
    }
    minute_of_day = 0;
    date = year_month_day(at);
  }
  return std::nullopt;
}

}  // namespace fixpoint::bus
