#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::bus {

/// A JSON path of the kind that targets take: `$.detail.findings[0].Id`, `$.detail['a b']`, `$.resources[*]`, `$.a.*`.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
class Path {
 public:
  /// Error: ValidationException for a path of another form.
  static Result<Path> read(std::string_view text);

  /// The part at the path; nothing where the document has none. With a wildcard an array of all parts, which may be
  /// empty.
  std::optional<json::Value> in(const json::Value& document) const;

 private:
  struct Step {
    enum class Kind { Name, Index, All } kind;
    std::string name;
    std::size_t index = 0;
  };
  std::vector<Step> steps_;
};

}  // namespace fixpoint::bus
