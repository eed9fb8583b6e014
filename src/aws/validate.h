#pragma once

#include "aws/model.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// Checks the canonical JSON of a request against the model: required members, types, enums, lengths, ranges, patterns,
/// unions, and nesting of at most 128 levels. Members that the model does not know are passed over, null counts as
/// absent, and a missing idempotency token is no error. Thread-safe; allocates nothing where the input is right.
///
/// rest-xml is checked for required members and types only, ec2 for these and enums: their models are stricter than
/// the services.
///
/// Errors, status 400:
/// - a value of the wrong type: SerializationException (JSON), MalformedInput (query), InvalidParameterValue (ec2),
///   MalformedXML (rest-xml); the first one ends the check;
/// - else all constraints not met, up to 100, in one message (`2 validation errors detected: Value 'x' at 'name'
///   failed to satisfy constraint: ...; Value ...`): ValidationException, InvalidInputException from Security
///   Hub's operations that do not know the first,
///   ValidationError from query services; ec2 says MissingParameter or InvalidParameterValue of the first, rest-xml
///   InvalidRequest, or MalformedXML of what is nested in the document.
///   https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
///
/// A path has the members' names with a small first letter (ec2 and rest-xml: as in the model), `.1.member` for a
/// list's first element, `.KEY.member` for a map's value. Sensitive values, lists, maps and structures are not echoed;
/// a text is cut after 64 bytes. `where` is the first path.
Result<void> validate(const Operation& operation, const json::Value& input);

/// The same for who is about to call: members that the model does not know are errors, and so are wrong types, missing
/// members and unions, whatever the protocol; enums, lengths, ranges and patterns are for the service to judge, which
/// may know more values than the model. Error: ValidationException, 400, with paths as the model writes the names.
Result<void> validate_call(const Operation& operation, const json::Value& input);

}  // namespace fixpoint::aws
