#include "findings/timestamp.h"

#include <optional>

#include "findings/shown.h"

namespace fixpoint::findings {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// `count` digits at the front of `text`, which is moved on; nothing where there are fewer.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return {};
  int number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return {};
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool mark(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<TimeMs> parse(std::string_view text) {
  const auto year = digits(text, 4);
  if (!year || !mark(text, '-')) return {};
  const auto month = digits(text, 2);
  if (!month || !mark(text, '-')) return {};
  const auto day = digits(text, 2);
  if (!day || !mark(text, 'T')) return {};
  const auto hour = digits(text, 2);
  if (!hour || !mark(text, ':')) return {};
  const auto minute = digits(text, 2);
  if (!minute || !mark(text, ':')) return {};
  const auto second = digits(text, 2);
  if (!second) return {};
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  const bool leap = *hour == 23 && *minute == 59 && *second == 60;
  if (!date.ok() || *hour > 23 || *minute > 59 || (*second > 59 && !leap)) return {};

  TimeMs fraction = 0;
  if (mark(text, '.')) {
    std::size_t count = 0;
    for (; count < text.size() && is_digit(text[count]); ++count)
      if (count < 3) fraction = fraction * 10 + (text[count] - '0');
    if (count == 0 || count > 9) return {};
    for (std::size_t i = count; i < 3; ++i) fraction *= 10;
    text.remove_prefix(count);
  }

  TimeMs offset_minutes = 0;
  if (!mark(text, 'Z')) {
    const int sign = text.starts_with('-') ? -1 : 1;
    if (!mark(text, '+') && !mark(text, '-')) return {};
    const auto hours = digits(text, 2);
    if (!hours) return {};
    int minutes = 0;
    if (!text.empty()) {
      mark(text, ':');
      const auto two = digits(text, 2);
      if (!two || *two > 59) return {};
      minutes = *two;
    }
    offset_minutes = *hours * 60 + minutes;
    if (offset_minutes > 18 * 60) return {};
    offset_minutes *= sign;
  }
  if (!text.empty()) return {};
  const TimeMs days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + *hour) * 60 + *minute - offset_minutes) * 60 + *second) * 1000 + fraction;
}

}  // namespace

Result<TimeMs> parse_timestamp(std::string_view text) {
  if (const auto time = parse(text)) return *time;
  return fail(errors::invalid_input(
      "is " + shown(text) +
      "; it has to be a time such as 2024-01-02T03:04:05.678Z or 2024-01-02T03:04:05+01:00, with at most 9 digits of a "
      "second and an offset of at most 18 hours"));
}

}  // namespace fixpoint::findings
