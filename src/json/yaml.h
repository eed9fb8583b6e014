#pragma once

#include <string_view>

#include "json/value.h"

namespace fixpoint::json {

/// A YAML 1.2 document as JSON: the core schema and no more (`yes` is text, `012` is 12, only true/false are booleans),
/// which also is what JSON text gives. Refused, with line and column: a name that comes twice in one mapping, names
/// that are no scalars, more than one document, aliases that would make the result larger than `node_limit` nodes,
/// nesting beyond 100 levels, tags other than the core schema's and, where `short_tags` is set, CloudFormation's short
/// forms: `!Ref x` becomes {"Ref": x}, `!GetAtt a.b`
/// {"Fn::GetAtt": "a.b"}, `!Sub` and the others {"Fn::Sub": ...}. Error: SerializationException.
struct YamlOptions {
  bool short_tags = false;
  std::size_t node_limit = 200'000;
};
Result<Value> parse_yaml(std::string_view text, YamlOptions options = {});

}  // namespace fixpoint::json
