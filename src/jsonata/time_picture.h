#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fixpoint::jsonata {

/// A time by a picture such as "[Y0001]-[M01]-[D01]":
/// https://www.w3.org/TR/xpath-functions-31/#rules-for-datetime-formatting. An empty `picture` is ISO 8601. `timezone`
/// is ±HHMM, or empty for UTC. Throws Failure D3131 to D3135 where the picture is wrong, D3110 where the time lies
/// beyond the year 275760.
std::string format_time(double ms, std::optional<std::string_view> picture, std::optional<std::string_view> timezone);

/// Milliseconds since 1970 from what such a picture would have written; nothing where the text does not fit it. What
/// the picture leaves out at the start is taken from `now_ms`, at the end it is zero. Throws as above, and D3136 where
/// the picture leaves out too much.
std::optional<double> parse_time(std::string_view text, std::string_view picture, double now_ms);

/// Milliseconds since 1970 from ISO 8601; no zone is UTC. Throws Failure D3110.
double parse_iso_time(std::string_view text);

}  // namespace fixpoint::jsonata
