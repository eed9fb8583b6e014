#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bus/path.h"
#include "json/value.h"

namespace fixpoint::bus {

/// What a target gets of an event: the whole, a part (InputPath), a constant (Input), or what a template makes of it
/// (InputTransformer). Immutable.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
///
/// A template that begins with a quote makes text: one or several JSON strings, in which objects and arrays lose their
/// quotes. Any other template has to make JSON. A variable whose path leads nowhere is the empty string. Strings are
/// escaped where they stand within quotes, which EventBridge leaves undone: the output is the same where that is JSON
/// at all.
class TargetInput {
 public:
  TargetInput() = default;  ///< the whole event

  /// Reads Input, InputPath or InputTransformer of a target as PutTargets takes it. Errors: ValidationException in the
  /// service's own words where it has some.
  static Result<TargetInput> read(const json::Value& target);
  /// Error: ValidationException where the template makes JSON of no event at all; asked when a target is put, while
  /// somebody is there to read why, and not of those that are stored.
  Result<void> check_template(const std::string& target_id) const;

  struct Rule {
    std::string_view arn, name;
  };
  /// The text that the target gets; `event_text` is the event's, printed. Error: ValidationException where the template
  /// did not make JSON.
  Result<std::string> render(const json::Value& event, std::string_view event_text, const Rule& rule,
                             TimeMs ingested_ms) const;

 private:
  struct Piece {
    std::string text;  ///< as it is, or the name of a variable
    bool variable = false;
    bool in_quotes = false;
  };
  Result<void> read_transformer(const json::Value& form, const std::string& target_id);

  std::optional<std::string> constant_;
  std::optional<Path> path_;
  std::map<std::string, Path, std::less<>> paths_;
  std::vector<Piece> pieces_;  ///< of a template
  bool makes_text_ = false;
};

}  // namespace fixpoint::bus
