#include "base/clock.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/fault.h"
#include "base/text.h"

namespace fixpoint {
namespace {

struct Civil {
  std::int64_t year = 1970;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0;
};

// Days since 1970-01-01 of a proleptic Gregorian date, with eras of 400 years that start on 1 March.
std::int64_t days_from_civil(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const auto doy = static_cast<unsigned>((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1);
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

Civil civil_from_seconds(std::int64_t seconds) {
  std::int64_t days = seconds / 86400;
  std::int64_t rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  Civil c;
  c.hour = static_cast<int>(rest / 3600);
  c.minute = static_cast<int>(rest / 60 % 60);
  c.second = static_cast<int>(rest % 60);
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<unsigned>(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  c.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  c.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  c.year = static_cast<std::int64_t>(yoe) + era * 400 + (c.month <= 2);
  return c;
}

int days_in_month(std::int64_t year, int month) {
  static constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

bool is_real(const Civil& c) {
  // 60 is a leap second, which RFC 3339 allows; it counts as the second after.
  return c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= days_in_month(c.year, c.month) && c.hour <= 23 &&
         c.minute <= 59 && c.second <= 60;
}

std::int64_t seconds_of(const Civil& c) {
  return days_from_civil(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 + c.second;
}

constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<const char*, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// Reads from the front of a text; every step says whether it found what it wanted.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool digits(std::size_t count, int& out) {
    if (rest_.size() < count) return false;
    out = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      out = out * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool eat(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool eat(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // ".digits": the digits, at least one.
  bool fraction(std::string& digits_out) {
    if (!eat('.') && !eat(',')) return true;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      digits_out += rest_.front();
      rest_.remove_prefix(1);
    }
    return !digits_out.empty() && digits_out.size() <= 18;
  }
  bool month_name(int& out) {
    for (std::size_t i = 0; i < months.size(); ++i)
      if (eat(months[i])) {
        out = static_cast<int>(i) + 1;
        return true;
      }
    return false;
  }
  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void skip(std::size_t n) { rest_.remove_prefix(std::min(n, rest_.size())); }

 private:
  std::string_view rest_;
};

struct Instant {
  std::int64_t seconds = 0;
  std::string fraction;  // decimal digits after the point
};

std::optional<Instant> read_iso8601(std::string_view text) {
  Cursor in(text);
  Civil c;
  Instant out;
  int year = 0;
  if (!in.digits(4, year) || !in.eat('-') || !in.digits(2, c.month) || !in.eat('-') || !in.digits(2, c.day)) return {};
  c.year = year;
  int offset_seconds = 0;
  if (!in.done()) {
    if (!in.eat('T') && !in.eat('t') && !in.eat(' ')) return {};
    if (!in.digits(2, c.hour) || !in.eat(':') || !in.digits(2, c.minute)) return {};
    if (in.eat(':')) {
      if (!in.digits(2, c.second) || !in.fraction(out.fraction)) return {};
    }
    if (!in.eat('Z') && !in.eat('z') && !in.done()) {
      const bool negative = in.eat('-');
      if (!negative && !in.eat('+')) return {};
      int hours = 0;
      int minutes = 0;
      if (!in.digits(2, hours)) return {};
      in.eat(':');
      if (!in.done() && !in.digits(2, minutes)) return {};
      if (hours > 23 || minutes > 59) return {};
      offset_seconds = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    }
    if (!in.done()) return {};
  }
  if (!is_real(c)) return {};
  out.seconds = seconds_of(c) - offset_seconds;
  return out;
}

double with_fraction(const Instant& t) {
  if (t.fraction.empty()) return static_cast<double>(t.seconds);
  // Through text, so that the result is the double nearest to the written decimal.
  if (t.seconds >= 0)
    return to_double(std::to_string(t.seconds) + "." + t.fraction).value_or(static_cast<double>(t.seconds));
  return static_cast<double>(t.seconds) + to_double("0." + t.fraction).value_or(0);
}

Error bad_time(std::string_view text, std::string_view form) {
  return errors::validation("'" + std::string(text.substr(0, 64)) + "' is not a time; expected " + std::string(form));
}

}  // namespace

TimeMs SystemClock::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
             .count() +
         clock_offset_ms();
}

TimeMs SystemClock::steady_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

TimeMs ManualClock::steady_ms() const {
  std::lock_guard lock(mutex_);
  return steady_ms_;
}
TimeMs ManualClock::now_ms() const {
  std::lock_guard lock(mutex_);
  return now_ms_;
}
void ManualClock::advance_ms(TimeMs by) {
  std::lock_guard lock(mutex_);
  now_ms_ += by;
  steady_ms_ += by;
}
void ManualClock::set_ms(TimeMs to) {
  std::lock_guard lock(mutex_);
  now_ms_ = to;
}

std::string format_iso8601_ms(TimeMs time_ms) {
  std::int64_t seconds = time_ms / 1000;
  std::int64_t ms = time_ms % 1000;
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  const Civil c = civil_from_seconds(seconds);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", static_cast<long long>(c.year),
                c.month, c.day, c.hour, c.minute, c.second, static_cast<int>(ms));
  return buffer.data();
}

namespace {

// The fraction as written by the shortest decimal of the whole number: ".123", or "" where there is none.
std::string fraction_text(double epoch_seconds, std::int64_t& whole) {
  whole = static_cast<std::int64_t>(std::floor(epoch_seconds));
  const double part = epoch_seconds - static_cast<double>(whole);
  if (part == 0) return {};
  if (epoch_seconds >= 0) {
    const std::string text = print_double(epoch_seconds);
    const auto dot = text.find('.');
    if (dot != std::string::npos && text.find('e') == std::string::npos) return text.substr(dot);
  }
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.6f", part);
  std::string text = buffer.data() + 1;
  while (!text.empty() && text.back() == '0') text.pop_back();
  return text == "." ? std::string() : text;
}

}  // namespace

std::string format_iso8601(double epoch_seconds) {
  std::int64_t whole = 0;
  const std::string fraction = fraction_text(epoch_seconds, whole);
  const Civil c = civil_from_seconds(whole);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04lld-%02d-%02dT%02d:%02d:%02d%sZ", static_cast<long long>(c.year),
                c.month, c.day, c.hour, c.minute, c.second, fraction.c_str());
  return buffer.data();
}

std::string format_basic_iso8601(TimeMs time_ms) {
  const Civil c = civil_from_seconds(time_ms / 1000);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04lld%02d%02dT%02d%02d%02dZ", static_cast<long long>(c.year), c.month,
                c.day, c.hour, c.minute, c.second);
  return buffer.data();
}

std::string format_http_date(double epoch_seconds) {
  std::int64_t whole = 0;
  const std::string fraction = fraction_text(epoch_seconds, whole);
  const Civil c = civil_from_seconds(whole);
  std::int64_t days = days_from_civil(c.year, c.month, c.day);
  const auto weekday = static_cast<std::size_t>(((days % 7) + 7 + 4) % 7);  // 1970-01-01 was a Thursday
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s, %02d %s %04lld %02d:%02d:%02d%s GMT", weekdays[weekday], c.day,
                months[static_cast<std::size_t>(c.month - 1)], static_cast<long long>(c.year), c.hour, c.minute,
                c.second, fraction.c_str());
  return buffer.data();
}

Result<double> parse_iso8601(std::string_view text) {
  const auto instant = read_iso8601(text);
  if (!instant) return fail(bad_time(text, "ISO 8601, such as 2024-01-02T03:04:05Z"));
  return with_fraction(*instant);
}

Result<TimeMs> parse_iso8601_ms(std::string_view text) {
  const auto instant = read_iso8601(text);
  if (!instant) return fail(bad_time(text, "ISO 8601, such as 2024-01-02T03:04:05.678Z"));
  std::string digits = instant->fraction.substr(0, 3);
  while (digits.size() < 3) digits += '0';
  return instant->seconds * 1000 + *to_int64(digits);
}

Result<double> parse_http_date(std::string_view text) {
  Civil c;
  Instant out;
  int year = 0;
  const auto comma = text.find(',');
  bool good = false;
  if (comma != std::string_view::npos) {
    Cursor in(text.substr(comma + 1));
    in.eat(' ');
    good = in.digits(2, c.day);
    if (good && in.eat(' ')) {  // IMF-fixdate
      good = in.month_name(c.month) && in.eat(' ') && in.digits(4, year);
    } else if (good && in.eat('-')) {  // RFC 850; two digits of a year count from 1970
      good = in.month_name(c.month) && in.eat('-') && in.digits(2, year);
      year += year < 70 ? 2000 : 1900;
    } else {
      good = false;
    }
    good = good && in.eat(' ') && in.digits(2, c.hour) && in.eat(':') && in.digits(2, c.minute) && in.eat(':') &&
           in.digits(2, c.second) && in.fraction(out.fraction) && in.eat(' ') &&
           (in.eat("GMT") || in.eat("UTC") || in.eat("+0000")) && in.done();
  } else {  // asctime
    Cursor in(text);
    in.skip(3);
    good = in.eat(' ') && in.month_name(c.month) && in.eat(' ');
    if (good && in.eat(' '))
      good = in.digits(1, c.day);
    else
      good = good && in.digits(2, c.day);
    good = good && in.eat(' ') && in.digits(2, c.hour) && in.eat(':') && in.digits(2, c.minute) && in.eat(':') &&
           in.digits(2, c.second) && in.eat(' ') && in.digits(4, year) && in.done();
  }
  c.year = year;
  if (!good || !is_real(c)) return fail(bad_time(text, "an HTTP date, such as Tue, 02 Jan 2024 03:04:05 GMT"));
  out.seconds = seconds_of(c);
  return with_fraction(out);
}

Result<TimeMs> parse_basic_iso8601(std::string_view text) {
  Cursor in(text);
  Civil c;
  int year = 0;
  const bool good = in.digits(4, year) && in.digits(2, c.month) && in.digits(2, c.day) && in.eat('T') &&
                    in.digits(2, c.hour) && in.digits(2, c.minute) && in.digits(2, c.second) && in.eat('Z') &&
                    in.done();
  c.year = year;
  if (!good || !is_real(c)) return fail(bad_time(text, "the form 20240102T030405Z"));
  return seconds_of(c) * 1000;
}

}  // namespace fixpoint
