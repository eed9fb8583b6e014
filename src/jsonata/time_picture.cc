#include "jsonata/time_picture.h"

#include <array>
#include <cmath>
#include <map>
#include <re2/re2.h>
#include <vector>

#include "base/text.h"
#include "jsonata/calendar.h"
#include "jsonata/failure.h"
#include "jsonata/integer_picture.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

constexpr std::array<std::string_view, 7> days = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                  "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months = {"January",   "February", "March",    "April",
                                                     "May",       "June",     "July",     "August",
                                                     "September", "October",  "November", "December"};
constexpr std::string_view integer_components = "YMDdFWwXxHhmsf";

[[noreturn]] void refuse(const char* code, std::string message) {
  throw Failure{code, std::move(message), Failure::nowhere, {}};
}

// A marker such as [M01], or what stands between markers.
struct Part {
  char component = 0;  // 0: a literal
  std::string text;
  enum class Names { None, Lower, Upper, Title } names = Names::None;
  std::optional<IntegerPicture> integer;
  std::optional<std::size_t> most;  // characters, of [...,min-max]
  std::size_t digits = 0;           // exactly so many of a year, month or day; 0 where any number
  bool year_in_full = true;
  bool zulu = false;  // Z for an offset of 0

  std::string_view name(std::size_t i) const {
    const std::string_view whole = component == 'F' ? days[i - 1] : months[i - 1];
    return whole.substr(0, most ? std::min(*most, whole.size()) : whole.size());
  }
};

std::string_view default_presentation(char component) {
  switch (component) {
    case 'F':
    case 'P':
    case 'C':
    case 'E': return "n";
    case 'm':
    case 's': return "01";
    case 'Z':
    case 'z': return "01:01";
    default: return "1";
  }
}

std::optional<std::size_t> width_of(std::string_view text) {
  if (text == "*") return {};
  const double value = parse_int_prefix(text);
  if (!(value >= 0)) return {};
  return static_cast<std::size_t>(std::min(value, 1000.0));
}

Part marker(std::string_view written) {
  std::string text;
  for (const char c : written)
    if (c != ' ' && (c < '\t' || c > '\r')) text += c;
  Part part;
  part.component = text.empty() ? ' ' : text[0];
  if (std::string_view("YMDdFWwXxHhPmsfZzCE").find(part.component) == std::string_view::npos)
    refuse("D3132", "the picture has a marker [" + text + "] of an unknown component");
  std::optional<std::size_t> least;
  std::string presentation = text.substr(1);
  if (const auto comma = text.rfind(','); comma != std::string::npos) {
    const std::string width = text.substr(comma + 1);
    const auto dash = width.find('-');
    least = width_of(std::string_view(width).substr(0, dash));
    if (dash != std::string::npos) part.most = width_of(std::string_view(width).substr(dash + 1));
    presentation = text.substr(1, comma - 1);
  }
  std::string modifier;
  if (presentation.empty()) {
    presentation = default_presentation(part.component);
  } else if (presentation.size() > 1 && std::string_view("atco").find(presentation.back()) != std::string_view::npos) {
    modifier = presentation.substr(presentation.size() - 1);
    presentation.pop_back();
  }
  part.zulu = modifier == "t";
  if (presentation[0] == 'n') {
    part.names = Part::Names::Lower;
  } else if (presentation[0] == 'N') {
    part.names = presentation.size() > 1 && presentation[1] == 'n' ? Part::Names::Title : Part::Names::Upper;
  } else if (integer_components.find(part.component) != std::string_view::npos) {
    part.integer.emplace(modifier.empty() ? presentation : presentation + ";" + modifier);
    if (least && part.integer->mandatory_digits < *least) part.integer->mandatory_digits = *least;
    if (std::string_view("YMD").find(part.component) != std::string_view::npos) {
      if (part.most) {
        part.digits = *part.most;
        part.integer->mandatory_digits = *part.most;
        part.year_in_full = false;
      } else {
        const std::size_t width = part.integer->mandatory_digits + part.integer->optional_digits;
        if (width >= 2) {
          part.digits = width;
          part.year_in_full = false;
        }
      }
    }
  }
  if (part.component == 'Z' || part.component == 'z') part.integer.emplace(presentation);
  return part;
}

std::vector<Part> take_apart(std::string_view picture) {
  std::vector<Part> parts;
  const auto literal = [&](std::string_view text) {
    if (text.empty()) return;
    Part part;
    part.text = replace_all(std::string(text), "]]", "]");
    parts.push_back(std::move(part));
  };
  std::size_t start = 0;
  for (std::size_t at = 0; at < picture.size();) {
    if (picture[at] != '[') {
      ++at;
      continue;
    }
    literal(picture.substr(start, at - start));
    if (picture.substr(at).starts_with("[[")) {
      Part part;
      part.text = "[";
      parts.push_back(std::move(part));
      at += 2;
    } else {
      const std::size_t end = picture.find(']', at);
      if (end == std::string_view::npos) refuse("D3135", "the picture has a '[' without its ']'");
      parts.push_back(marker(picture.substr(at + 1, end - at - 1)));
      at = end + 1;
    }
    start = at;
  }
  literal(picture.substr(start));
  return parts;
}

double component_of(const Moment& m, char component) {
  switch (component) {
    case 'Y': return static_cast<double>(m.year);
    case 'M': return m.month;
    case 'D': return m.day;
    case 'd': return m.day_of_year();
    case 'F': return m.weekday;
    case 'W': return m.week_of_year();
    case 'w': return m.week_of_month();
    case 'X': return static_cast<double>(m.week_year());
    case 'x': return m.week_month();
    case 'H': return m.hour;
    case 'h': return m.hour % 12 == 0 ? 12 : m.hour % 12;
    case 'P': return m.hour >= 12 ? 1 : 0;
    case 'm': return m.minute;
    case 's': return m.second;
    case 'f': return m.millisecond;
    default: return 0;
  }
}

std::string zone(const Part& part, int hours, int minutes) {
  const IntegerPicture& picture = *part.integer;
  const int offset = hours * 100 + minutes;
  if (offset == 0 && part.zulu) return "Z";
  std::string out;
  if (picture.regular_group > 0 || picture.mandatory_digits == 3 || picture.mandatory_digits == 4) {
    out = picture.format(offset);
  } else if (picture.mandatory_digits == 1 || picture.mandatory_digits == 2) {
    out = picture.format(hours);
    if (minutes != 0) out += ":" + IntegerPicture("00").format(std::abs(minutes));
  } else {
    refuse("D3134", "a time zone has one to four digits");
  }
  if (offset >= 0) out = "+" + out;
  return part.component == 'z' ? "GMT" + out : out;
}

std::string in_case(std::string_view text, Part::Names names) {
  if (names == Part::Names::Upper) return to_upper(text);
  return names == Part::Names::Lower ? to_lower(text) : std::string(text);
}

std::string written(const Part& part, const Moment& moment, int hours, int minutes) {
  switch (part.component) {
    case 0: return part.text;
    case 'Z':
    case 'z': return zone(part, hours, minutes);
    case 'P':
      return moment.hour >= 12 ? (part.names == Part::Names::Upper ? "PM" : "pm")
                               : (part.names == Part::Names::Upper ? "AM" : "am");
    case 'C':
    case 'E': return "ISO";
    default: break;
  }
  double value = component_of(moment, part.component);
  if (part.names != Part::Names::None) {
    if (part.component != 'M' && part.component != 'x' && part.component != 'F')
      refuse("D3133", std::string("only months and days have names, not component ") + part.component);
    return in_case(part.name(static_cast<std::size_t>(value)), part.names);
  }
  if (part.component == 'Y' && !part.year_in_full)
    value = std::fmod(value, std::pow(10, static_cast<double>(part.digits)));
  return part.integer->format(value);
}

// One part as a regular expression.
std::string pattern_of(const Part& part) {
  if (part.component == 0) return re2::RE2::QuoteMeta(part.text);
  if (part.component == 'Z' || part.component == 'z') {
    std::string out = part.component == 'z' ? "GMT" : "";
    out += "[-+][0-9]+";
    if (part.integer->regular_group > 0) {
      std::string separator;
      append_code_point(separator, part.integer->separators[0].second);
      out += re2::RE2::QuoteMeta(separator) + "[0-9]+";
    }
    return part.zulu ? "(?:Z|" + out + ")" : out;
  }
  // Times of day may stand side by side, so each takes no more digits than its picture has; dates take exactly as many.
  if (part.integer && part.integer->form == IntegerPicture::Form::Decimal && !part.integer->ordinal &&
      part.integer->mandatory_digits >= 2 && std::string_view("Hhms").find(part.component) != std::string_view::npos)
    return "[0-9]{1," + std::to_string(part.integer->mandatory_digits) + "}";
  if (part.integer) return part.integer->pattern(part.digits);
  if (std::string_view("MxFP").find(part.component) == std::string_view::npos)
    refuse("D3133", std::string("only months and days have names, not component ") + part.component);
  return "[a-zA-Z]+";
}

double minutes_of_zone(const Part& part, std::string_view text) {
  if (equals_ignore_case(text, "Z")) return 0;
  if (part.component == 'z') text.remove_prefix(3);
  const double sign = text.starts_with('-') ? -1 : 1;
  std::string_view hours = text.substr(1);
  std::string_view minutes;
  if (const auto at = hours.find_first_not_of("0123456789"); at != std::string_view::npos) {
    minutes = hours.substr(hours.find_first_of("0123456789", at));
    hours = hours.substr(0, at);
  } else if (hours.size() > 2) {
    minutes = hours.substr(2);
    hours = hours.substr(0, 2);
  }
  return sign * (parse_int_prefix(hours) * 60 + (minutes.empty() ? 0 : parse_int_prefix(minutes)));
}

std::optional<double> read(const Part& part, std::string_view text) {
  if (part.component == 'Z' || part.component == 'z') return minutes_of_zone(part, text);
  if (part.component == 'f' && part.integer && part.integer->form == IntegerPicture::Form::Decimal) {
    // Digits behind a decimal point: .5 is 500 milliseconds, and what is finer is left out.
    return std::floor(
        parse_int_prefix(std::string(text.substr(0, 3)) + std::string(3 - std::min<std::size_t>(text.size(), 3), '0')));
  }
  if (part.integer) return part.integer->parse(text);
  if (part.component == 'P') return equals_ignore_case(text, "pm") ? 1 : 0;
  const std::size_t count = part.component == 'F' ? days.size() : months.size();
  for (std::size_t i = 1; i <= count; ++i)
    if (equals_ignore_case(part.name(i), text)) return static_cast<double>(i);
  return {};
}

}  // namespace

std::string format_time(double ms, std::optional<std::string_view> picture, std::optional<std::string_view> timezone) {
  int hours = 0;
  int minutes = 0;
  if (timezone) {
    const double offset = parse_int_prefix(*timezone);
    if (std::isnan(offset) || std::fabs(offset) > 9999)
      refuse("D3134", "the time zone \"" + std::string(timezone->substr(0, 40)) + "\" is not of the form +HHMM");
    hours = static_cast<int>(offset) / 100;
    minutes = static_cast<int>(offset) % 100;
  }
  ms = std::trunc(ms) + (hours * 60.0 + minutes) * 60'000;
  if (!(std::fabs(ms) <= latest_ms)) refuse("D3110", number_text(ms) + " milliseconds lie beyond all dates");
  const Moment moment(ms);
  std::string out;
  for (const Part& part : take_apart(picture.value_or("[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]")))
    out += written(part, moment, hours, minutes);
  return out;
}

std::optional<double> parse_time(std::string_view text, std::string_view picture, double now_ms) {
  const std::vector<Part> parts = take_apart(picture);
  std::string expression = "(?i)^";
  for (const Part& part : parts) expression += "(" + pattern_of(part) + ")";
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 matcher(expression + "$", options);
  if (!matcher.ok()) refuse("D3136", "the picture is too long to read a time with");
  std::vector<re2::StringPiece> found(parts.size() + 1);
  if (!matcher.Match({text.data() == nullptr ? "" : text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED,
                     found.data(), static_cast<int>(found.size())))
    return {};
  std::map<char, double> have;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view piece(found[i + 1].data(), found[i + 1].size());
    if (parts[i].component == 0) continue;
    if (const auto value = read(parts[i], piece)) have[parts[i].component] = *value;
  }
  if (have.empty()) return {};
  const auto given = [&](char c) { return have.contains(c) && have[c] != 0 && !std::isnan(have[c]); };
  // All of `wanted` that count are there, in the combinations that say which date is meant.
  const auto only = [&](std::string_view all, std::string_view kind) {
    bool some = false;
    for (const char c : all)
      if (kind.find(c) != std::string_view::npos) {
        some = some || given(c);
      } else if (given(c)) {
        return false;
      }
    return some;
  };
  const bool by_date = only("YXMxWwdD", "YMD");
  const bool by_day_of_year = !by_date && only("YXMxWwdD", "Yd");
  const bool by_week_of_month = only("YXMxWwdD", "XxwF");
  const bool by_week = !by_week_of_month && only("YXMxWwdD", "XW");
  const bool half_days = !only("PHhmsf", "Hmsf") && only("PHhmsf", "Phmsf");
  const std::string components = std::string(by_day_of_year     ? "Yd"
                                             : by_week_of_month ? "XxwF"
                                             : by_week          ? "XWF"
                                                                : "YMD") +
                                 (half_days ? "Phmsf" : "Hmsf");
  const Moment now(now_ms);
  bool started = false;
  bool ended = false;
  for (const char c : components) {
    if (have.contains(c)) {
      started = true;
      if (ended) refuse("D3136", "the picture leaves out what is needed to tell the time");
    } else if (started) {
      have[c] = c == 'M' || c == 'D' || c == 'd' ? 1 : 0;
      ended = true;
    } else {
      have[c] = component_of(now, c);
    }
  }
  if (by_week_of_month || by_week) refuse("D3136", "a date cannot be told from the number of a week");
  const double month = by_day_of_year ? 1 : (have['M'] > 0 ? have['M'] : 1);
  const double day = by_day_of_year ? have['d'] : have['D'];
  double hour = have['H'];
  if (half_days) {
    hour = have['h'] == 12 ? 0 : have['h'];
    if (have['P'] == 1) hour += 12;
  }
  double year = have['Y'];
  if (year >= 0 && year <= 99) year += 1900;  // as JavaScript's Date.UTC has it
  double ms = days_from_civil(year, month, day) * 86'400'000 + hour * 3'600'000 + have['m'] * 60'000 +
              have['s'] * 1000 + have['f'];
  for (const char c : {'Z', 'z'})
    if (have.contains(c)) ms -= have[c] * 60'000;
  if (!(std::fabs(ms) <= latest_ms)) return {};
  return ms;
}

double parse_iso_time(std::string_view text) {
  static const re2::RE2 form(
      R"(^(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(?:\.(\d+))?(?:([-+])([0-2]\d):?([0-5]\d)|Z)?$)");
  std::array<re2::StringPiece, 11> found;
  if (form.Match({text.data() == nullptr ? "" : text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED,
                 found.data(), static_cast<int>(found.size()))) {
    const auto number = [&](std::size_t i, double otherwise) {
      return found[i].empty() ? otherwise : parse_int_prefix({found[i].data(), found[i].size()});
    };
    const double month = number(2, 1);
    const double day = number(3, 1);
    const double hour = number(4, 0);
    double fraction = 0;
    double weight = 100;
    for (const char c : found[7]) {
      fraction += (c - '0') * weight;
      weight /= 10;
    }
    const bool midnight = hour == 24 && number(5, 0) == 0 && number(6, 0) == 0 && fraction == 0;
    if (month >= 1 && month <= 12 && day >= 1 && day <= 31 && (hour < 24 || midnight)) {
      double ms = days_from_civil(number(1, 0), month, day) * 86'400'000 + hour * 3'600'000 + number(5, 0) * 60'000 +
                  number(6, 0) * 1000 + std::floor(fraction);
      const double offset = (number(9, 0) * 60 + number(10, 0)) * 60'000;
      return found[8] == "-" ? ms + offset : ms - offset;
    }
  }
  refuse("D3110", "\"" + std::string(text.substr(0, 100)) + "\" is no ISO 8601 time");
}

}  // namespace fixpoint::jsonata
