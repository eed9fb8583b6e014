#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// How closely a text or JSON value has to keep to the shape.
enum class Reading : std::uint8_t {
  Strict,   ///< a request of a REST or JSON service: what is not exactly right is a SerializationException
  Lenient,  ///< a query request (`True` is a boolean), or a response: what can be understood is
};

/// Which members of a top-level shape a body holds: those that the HTTP bindings leave it. What is bound to a request's
/// URI stands in the body of a response.
enum class BodyPart : std::uint8_t { All, Request, Response };
inline bool is_in(BodyPart part, Location location) {
  if (part == BodyPart::All || location == Location::Body) return true;
  return part == BodyPart::Response && (location == Location::Uri || location == Location::QueryString);
}

/// The format that a timestamp has: the model's, or `otherwise` where the model says nothing.
inline TimestampFormat format_of(TimestampFormat modelled, TimestampFormat otherwise) {
  return modelled == TimestampFormat::Default ? otherwise : modelled;
}

/// Seconds since the epoch from a timestamp in canonical JSON: a number, or an ISO 8601 or HTTP date text.
std::optional<double> epoch_of(const json::Value& canonical);

/// A scalar of canonical JSON as text, for XML, forms, headers and URIs. What does not fit the shape is written as
/// it stands.
std::string scalar_text(const json::Value& canonical, ShapeType type, TimestampFormat format);

/// A scalar from its text. Error: SerializationException, `where` empty.
Result<json::Value> scalar_value(std::string_view text, ShapeType type, TimestampFormat format, Reading reading);

/// A timestamp from its text in a format.
Result<double> timestamp_value(std::string_view text, TimestampFormat format, Reading reading);

/// The smallest and largest value of an integer type.
std::pair<std::int64_t, std::int64_t> integer_range(ShapeType type);

inline bool is_integer(ShapeType type) {
  return type >= ShapeType::Byte && type <= ShapeType::Long;
}
inline bool is_scalar(ShapeType type) {
  return type >= ShapeType::String && type != ShapeType::Document;
}

}  // namespace fixpoint::aws
