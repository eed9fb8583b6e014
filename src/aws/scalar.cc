#include "aws/scalar.h"

#include <cmath>
#include <limits>

#include "base/clock.h"
#include "base/text.h"

namespace fixpoint::aws {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 64;
  return "'" + std::string(text.substr(0, longest)) + (text.size() > longest ? "...'" : "'");
}

Error not_a(std::string_view text, std::string_view what) {
  return errors::serialization(quoted(text) + " is not " + std::string(what));
}

bool is_not_finite(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

// Digits with at most one point and an exponent, as JSON and XML Schema write numbers.
bool looks_like_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

// An ISO 8601 date-time with an offset, without the leniencies that responses get: `2015-01-01T00:00:00Z`.
bool is_strict_date_time(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i] && !(form[i] == 'T' && text[i] == 't')) return false;
  }
  return true;
}

}  // namespace

std::pair<std::int64_t, std::int64_t> integer_range(ShapeType type) {
  switch (type) {
    case ShapeType::Byte: return {-128, 127};
    case ShapeType::Short: return {-32768, 32767};
    case ShapeType::Integer:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    default: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

std::optional<double> epoch_of(const json::Value& canonical) {
  if (canonical.is_number()) return canonical.as_double();
  if (!canonical.is_string()) return {};
  const std::string& text = canonical.as_string();
  if (auto iso = parse_iso8601(text)) return *iso;
  if (auto http = parse_http_date(text)) return *http;
  return to_double(text);
}

std::string scalar_text(const json::Value& canonical, ShapeType type, TimestampFormat format) {
  if (type == ShapeType::Timestamp) {
    if (const auto epoch = epoch_of(canonical)) {
      switch (format) {
        case TimestampFormat::Rfc822: return format_http_date(*epoch);
        case TimestampFormat::UnixTimestamp: return print_double(*epoch);
        default: return format_iso8601(*epoch);
      }
    }
  }
  if (canonical.is_string()) return canonical.as_string();
  if (canonical.is_bool()) return canonical.as_bool() ? "true" : "false";
  if (canonical.is_number()) return canonical.number_text();
  return {};
}

Result<double> timestamp_value(std::string_view text, TimestampFormat format, Reading reading) {
  if (reading == Reading::Lenient) {
    text = trim(text);
    if (looks_like_number(text))
      if (const auto number = to_double(text)) return *number;
    if (auto iso = parse_iso8601(text)) return iso;
    if (auto http = parse_http_date(text)) return http;
    return fail(not_a(text, "a timestamp"));
  }
  switch (format) {
    case TimestampFormat::UnixTimestamp:
      if (looks_like_number(text))
        if (const auto number = to_double(text)) return *number;
      return fail(not_a(text, "a timestamp: expected seconds since the epoch"));
    case TimestampFormat::Rfc822:
      if (auto http = parse_http_date(text)) return http;
      return fail(not_a(text, "a timestamp: expected an HTTP date"));
    default:
      if (is_strict_date_time(text))
        if (auto iso = parse_iso8601(text)) return iso;
      return fail(not_a(text, "a timestamp: expected ISO 8601 with an offset"));
  }
}

Result<json::Value> scalar_value(std::string_view text, ShapeType type, TimestampFormat format, Reading reading) {
  switch (type) {
    case ShapeType::Boolean:
      if (text == "true") return true;
      if (text == "false") return false;
      if (reading == Reading::Lenient) {
        if (equals_ignore_case(trim(text), "true") || text == "1") return true;
        if (equals_ignore_case(trim(text), "false") || text == "0") return false;
      }
      return fail(not_a(text, "a boolean: expected true or false"));
    case ShapeType::Byte:
    case ShapeType::Short:
    case ShapeType::Integer:
    case ShapeType::Long: {
      const auto number = to_int64(reading == Reading::Lenient ? trim(text) : text);
      const auto [smallest, largest] = integer_range(type);
      if (!number || *number < smallest || *number > largest)
        return fail(not_a(text, "an integer between " + std::to_string(smallest) + " and " + std::to_string(largest)));
      return *number;
    }
    case ShapeType::Float:
    case ShapeType::Double: {
      const std::string_view trimmed = reading == Reading::Lenient ? trim(text) : text;
      if (is_not_finite(trimmed)) return std::string(trimmed);
      const auto number = looks_like_number(trimmed) ? to_double(trimmed) : std::nullopt;
      if (!number) return fail(not_a(text, "a number"));
      return *number;
    }
    case ShapeType::Timestamp: {
      FIXPOINT_TRY(epoch, timestamp_value(text, format, reading));
      if (std::trunc(epoch) == epoch && std::fabs(epoch) < 9e15) return static_cast<std::int64_t>(epoch);
      return epoch;
    }
    case ShapeType::Blob: {
      const std::string_view trimmed = trim(text);
      if (!base64_decode(trimmed)) return fail(not_a(text, "base64"));
      return std::string(trimmed);
    }
    default: return std::string(text);
  }
}

}  // namespace fixpoint::aws
