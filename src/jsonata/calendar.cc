#include "jsonata/calendar.h"

#include <cmath>

namespace fixpoint::jsonata {
namespace {

constexpr double ms_a_day = 86'400'000;

int weekday_of(double days) {  // 1970-01-01 was a Thursday
  const int from_monday = static_cast<int>(std::fmod(std::fmod(days + 3, 7) + 7, 7));
  return from_monday + 1;
}

// The Monday of the week that has the first Thursday of what starts on that day.
double first_week(double first_day) {
  const int weekday = weekday_of(first_day);
  return weekday > 4 ? first_day + (8 - weekday) : first_day - (weekday - 1);
}

double first_week(std::int64_t year, int month) {
  return first_week(days_from_civil(static_cast<double>(year), month, 1));
}

int week(double today, double start, double next_start, double previous_start, int usual) {
  double number = std::floor((today - start) / 7) + 1;
  if (number > usual) {
    if (today >= next_start) number = 1;
  } else if (number < 1) {
    number = std::floor((today - previous_start) / 7) + 1;
  }
  return static_cast<int>(number);
}

}  // namespace

// After Howard Hinnant's days_from_civil: https://howardhinnant.github.io/date_algorithms.html
double days_from_civil(double year, double month, double day) {
  const double months = month - 1;
  year += std::floor(months / 12);
  const double m = months - std::floor(months / 12) * 12 + 1;
  const double y = m <= 2 ? year - 1 : year;
  const double era = std::floor(y / 400);
  const double of_era = y - era * 400;
  const double of_year = std::floor((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5) + day - 1;
  return era * 146097 + of_era * 365 + std::floor(of_era / 4) - std::floor(of_era / 100) + of_year - 719468;
}

Moment::Moment(double milliseconds) : ms(milliseconds) {
  const double days = std::floor(ms / ms_a_day);
  auto rest = static_cast<std::int64_t>(ms - days * ms_a_day);
  millisecond = static_cast<int>(rest % 1000);
  rest /= 1000;
  second = static_cast<int>(rest % 60);
  minute = static_cast<int>(rest / 60 % 60);
  hour = static_cast<int>(rest / 3600);
  weekday = weekday_of(days);
  const auto z = static_cast<std::int64_t>(days) + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t of_era = z - era * 146097;
  const std::int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
  const std::int64_t m = (5 * of_year + 2) / 153;
  day = static_cast<int>(of_year - (153 * m + 2) / 5 + 1);
  month = static_cast<int>(m < 10 ? m + 3 : m - 9);
  year = y + era * 400 + (month <= 2 ? 1 : 0);
}

int Moment::day_of_year() const {
  const auto y = static_cast<double>(year);
  return static_cast<int>(days_from_civil(y, month, day) - days_from_civil(y, 1, 1)) + 1;
}

int Moment::week_of_year() const {
  return week(std::floor(ms / ms_a_day), first_week(year, 1), first_week(year + 1, 1), first_week(year - 1, 1), 52);
}

int Moment::week_of_month() const {
  return week(std::floor(ms / ms_a_day), first_week(year, month), first_week(year, month + 1),
              first_week(year, month - 1), 4);
}

std::int64_t Moment::week_year() const {
  const double today = std::floor(ms / ms_a_day);
  if (today < first_week(year, 1)) return year - 1;
  return today >= first_week(year + 1, 1) ? year + 1 : year;
}

int Moment::week_month() const {
  const double today = std::floor(ms / ms_a_day);
  if (today < first_week(year, month)) return month == 1 ? 12 : month - 1;
  if (today >= first_week(year, month + 1)) return month == 12 ? 1 : month + 1;
  return month;
}

}  // namespace fixpoint::jsonata
