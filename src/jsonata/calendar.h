#pragma once

#include <cstdint>

namespace fixpoint::jsonata {

/// Milliseconds since 1970 in the proleptic Gregorian calendar, UTC, taken apart.
struct Moment {
  double ms = 0;
  std::int64_t year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
  int weekday = 4;  ///< Monday is 1, Sunday 7

  explicit Moment(double milliseconds);
  int day_of_year() const;
  int week_of_year() const;   ///< ISO 8601: week 1 has the year's first Thursday
  int week_of_month() const;  ///< by the same rule
  std::int64_t week_year() const;
  int week_month() const;
};

/// Days since 1970-01-01; month and day may lie outside of their usual ranges.
double days_from_civil(double year, double month, double day);

/// The most that JavaScript's Date holds, in milliseconds either way.
constexpr double latest_ms = 8.64e15;

}  // namespace fixpoint::jsonata
