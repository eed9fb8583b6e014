#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace fixpoint::bus {

/// When a scheduled rule runs, in UTC: `rate(5 minutes)` or `cron(0 20 ? * MON-FRI *)`. Immutable.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
class Schedule {
 public:
  /// Error: ValidationException "Parameter ScheduleExpression is not valid.", the service's own words, with what is
  /// wrong in `where`.
  static Result<Schedule> read(std::string_view text);

  /// The first run after `after_ms`; nothing where there is none any more (a year that is past). A rate counts from
  /// `since_ms`, when the rule was made.
  std::optional<TimeMs> next(TimeMs after_ms, TimeMs since_ms) const;

 private:
  struct Cron {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;     ///< of the month, from 1
    std::bitset<13> months;   ///< from 1
    std::bitset<8> weekdays;  ///< from 1, Sunday
    std::bitset<300> years;   ///< from 1900
    bool by_weekday = false;  ///< the day of the month is '?'
    bool last_day = false;    ///< L
    int nearest_weekday = 0;  ///< 15W; 32 for LW
    int last_weekday = 0;     ///< 6L: the last Friday
    int nth_weekday = 0;      ///< 3#2: the second Tuesday...
    int nth = 0;              ///< ...the 2
    bool runs_on(int year, unsigned month, unsigned day) const;
  };
  TimeMs period_ms_ = 0;  ///< of a rate
  std::optional<Cron> cron_;
  friend class CronReader;
};

}  // namespace fixpoint::bus
