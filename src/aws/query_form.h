#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/model.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// The pairs of a form body or query string, decoded. A key without '=' has an empty value.
/// Errors, code MalformedQueryString: more than `limit` pairs, or bytes that are not UTF-8.
Result<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text, bool plus_is_space,
                                                                    std::size_t limit = 50'000);

/// The value of one key without taking all apart: for routing. Empty where it is not there.
std::string form_value(std::string_view form, std::string_view key);

/// The input of a query or ec2 request. `Action`, `Version` and the like are left out as unknown members.
/// Errors, code MalformedInput (query) or InvalidParameterValue (ec2): a value that does not fit, nesting too deep.
Result<json::Value> read_query(std::string_view form, const Shape& shape, Protocol protocol);

/// Appends `&Key=Value` pairs for canonical JSON.
void write_query(std::string& out, const json::Value& canonical, const Shape& shape, Protocol protocol);

}  // namespace fixpoint::aws
