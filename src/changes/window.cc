#include "changes/window.h"

#include <algorithm>
#include <array>
#include <date/tz.h>
#include <optional>

#include "base/text.h"

namespace fixpoint::changes {
namespace {

constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr unsigned every_day = 0x7F;
constexpr int minutes_a_day = 24 * 60;

Error bad(std::string_view text, const std::string& what) {
  return errors::validation("'" + std::string(text) + "' is no maintenance window: " + what +
                                "; the form is sat,sun 22:00-04:00 Europe/Berlin",
                            "windows");
}

std::optional<unsigned> day_of(std::string_view name) {
  const auto found = std::find(day_names.begin(), day_names.end(), name);
  if (found == day_names.end()) return std::nullopt;
  return static_cast<unsigned>(found - day_names.begin());
}

// A bit a day; nothing where the text names none.
std::optional<unsigned> days_of(const std::string& text) {
  if (text == "daily") return every_day;
  unsigned days = 0;
  for (const std::string_view part : split(text, ',')) {
    const auto ends = split(part, '-');
    const auto first = day_of(ends.front());
    const auto last = day_of(ends.back());
    if (!first || !last || ends.size() > 2) return std::nullopt;
    for (unsigned day = *first;; day = (day + 1) % 7) {
      days |= 1U << day;
      if (day == *last) break;
    }
  }
  return days;
}

std::optional<int> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = to_int64(text.substr(0, 2));
  const auto minute = to_int64(text.substr(3));
  if (!hour || !minute || *hour < 0 || *hour > 24 || *minute < 0 || *minute > 59) return std::nullopt;
  if (*hour == 24 && *minute != 0) return std::nullopt;
  return static_cast<int>(*hour * 60 + *minute);
}

const date::time_zone* zone_of(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

TimeMs instant(const date::time_zone& zone, date::local_days day, int minute, date::choose which) {
  const auto time = zone.to_sys(day + std::chrono::minutes(minute), which);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// `anew`: it is not set yet.
Result<Window> window_of(std::string_view text, bool anew) {
  std::vector<std::string_view> parts;
  for (const auto part : split(trim(text), ' '))
    if (!part.empty()) parts.push_back(part);
  if (parts.size() != 3) return fail(bad(text, "it has to name days, times and a time zone"));
  Window out;
  out.text = std::string(text);
  const auto days = days_of(to_lower(parts[0]));
  if (!days)
    return fail(bad(text, "'" + std::string(parts[0]) + "' names no days; there are mon to sun, ranges, and daily"));
  out.days = *days;
  const auto times = split(parts[1], '-');
  const auto from = minute_of(times.front());
  const auto to = minute_of(times.back());
  if (times.size() != 2 || !from || !to || *from == minutes_a_day)
    return fail(bad(text, "'" + std::string(parts[1]) + "' are no times; they go from 00:00 to 24:00"));
  if (anew && *from == *to && *from != 0)  // midnight to midnight is a day
    return fail(bad(
        text, "'" + std::string(parts[1]) + "' has no length; a whole day is 00:00-24:00, and else two times differ"));
  out.from_minute = *from;
  out.to_minute = *to;
  out.zone = std::string(parts[2]);
  if (anew && zone_of(out.zone) == nullptr)
    return fail(bad(text, "'" + out.zone + "' is no time zone that this machine knows"));
  return out;
}

}  // namespace

Result<Window> Window::parse(std::string_view text) {
  return window_of(text, true);
}

Result<Window> Window::read(std::string_view text) {
  return window_of(text, false);
}

Opening look_at(const std::vector<Window>& windows, TimeMs now_ms) {
  if (windows.empty()) return {.open = true, .at_ms = 0, .which = {}};
  Opening next;
  for (const Window& window : windows) {
    const date::time_zone* zone = zone_of(window.zone);
    if (zone == nullptr) continue;  // its data went away since it was set: a window that cannot be told stays closed
    const date::sys_time<std::chrono::milliseconds> now{std::chrono::milliseconds(now_ms)};
    const auto today = date::floor<date::days>(zone->to_local(now));
    // From yesterday, whose window may go on, to the same weekday of the next week.
    for (int i = -1; i <= 8; ++i) {
      const date::local_days day = today + date::days(i);
      if ((window.days & (1U << date::weekday(day).c_encoding())) == 0) continue;
      const TimeMs opens = instant(*zone, day, window.from_minute, date::choose::earliest);
      const date::local_days last = window.to_minute > window.from_minute ? day : day + date::days(1);
      const TimeMs closes = instant(*zone, last, window.to_minute, date::choose::latest);
      if (opens <= now_ms && now_ms < closes) return {.open = true, .at_ms = 0, .which = window.text};
      if (opens > now_ms && (next.at_ms == 0 || opens < next.at_ms)) {
        next.at_ms = opens;
        next.which = window.text;
      }
    }
  }
  return next;
}

}  // namespace fixpoint::changes
