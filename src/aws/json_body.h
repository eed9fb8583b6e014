#pragma once

#include <string>

#include "aws/model.h"
#include "aws/scalar.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// Which names the members have in a JSON document.
enum class JsonNames : std::uint8_t {
  Model,  ///< json 1.0 and 1.1: the model's member names
  Wire,   ///< rest-json: locationName where the model says one
};

/// Turns the JSON of a body into canonical JSON, in place: names, timestamps and blobs; members that the model does
/// not know and nulls go. `part` leaves the members that are bound to the header or URI alone.
/// Error: SerializationException with the place in `where` ("Findings[0].Title"). `Lenient` leaves what does not fit as
/// it stands and never fails. Depth is bounded by what json::parse took.
Result<void> read_json(json::Value& value, const Shape& shape, JsonNames names, Reading reading,
                       BodyPart part = BodyPart::All);

/// Writes canonical JSON as the JSON of a body. What does not fit the shape is left out.
void write_json(std::string& out, const json::Value& canonical, const Shape& shape, JsonNames names,
                BodyPart part = BodyPart::All);

}  // namespace fixpoint::aws
