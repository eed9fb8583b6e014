#pragma once

#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/http_message.h"
#include "json/value.h"

/// Comparing what goes over the wire by structure, and test cases' values with canonical JSON.
namespace fixpoint::aws::test {

/// The difference between two XML documents, empty where they say the same: blanks between elements, the order of
/// elements of different names, of map entries, prefixes and request ids count for nothing.
std::string xml_difference(std::string_view expected, std::string_view actual, bool ignore_root);
/// The difference between two forms or query strings as sets of pairs.
std::string form_difference(std::string_view expected, std::string_view actual);
/// The difference between two bodies: as JSON or XML where the expected one is that, else byte for byte.
std::string body_difference(std::string_view expected, std::string_view actual, bool response);

/// Canonical JSON from the values of the suites, where blobs stand as they are and nulls may stand for nothing.
json::Value canonical(const json::Value& value, const Shape& shape);
/// Without members that are null, at every depth.
json::Value without_nulls(const json::Value& value);
/// Floats as numbers where both are; for comparing what went through text.
bool same(const json::Value& a, const json::Value& b);

}  // namespace fixpoint::aws::test
