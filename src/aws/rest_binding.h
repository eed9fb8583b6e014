#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/model.h"
#include "aws/scalar.h"
#include "base/error.h"
#include "base/http_message.h"
#include "json/value.h"

namespace fixpoint::aws {

/// What of REST messages stands outside the body, written and read.
/// https://smithy.io/2.0/spec/http-bindings.html

/// The path and query of a request. Error: ValidationException naming the label that the input does not fill.
Result<std::string> write_target(const Operation& operation, const json::Value& input);

/// Adds the headers that members are bound to. Nulls are left out; an empty text or list is an empty header.
void write_headers(Headers& headers, const Shape& shape, const json::Value& value);

/// Reads the labels of `path` (raw, as sent) and the query into `input`. Errors: SerializationException naming the
/// member; InternalFailure where the path is not that of the operation.
Result<void> read_target(json::Object& input, const Operation& operation, std::string_view path,
                         std::string_view query);

/// Reads the headers that members are bound to into `value`. A map that no header is of is there in a response and not
/// in a request. Error: SerializationException naming the member.
Result<void> read_headers(json::Object& value, const Shape& shape, const Headers& headers, Reading reading,
                          BodyPart part);

/// The raw texts of a path's labels, in the template's order; nothing where the path does not fit. `keep_empty` leaves
/// empty segments of a greedy label as they are (S3's keys), else a slash at the end counts for nothing.
bool match_path(const UriTemplate& uri, std::string_view path, bool keep_empty, std::vector<std::string_view>* labels);

}  // namespace fixpoint::aws
