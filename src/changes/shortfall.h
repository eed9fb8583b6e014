#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/model.h"
#include "base/error.h"
#include "changes/recipes.h"
#include "json/value.h"

namespace fixpoint::changes {

/// What an answer of success says was not done: AWS answers many a call on several things with 200 and a list of those
/// that failed (`Unsuccessful`, `Failed`, `UnprocessedItems`, `FailedRecordCount`, `Return: false`).
struct Shortfall {
  struct Item {
    std::string what;  ///< names the thing, as the answer does; may be empty
    std::string code;  ///< the error's code; may be empty
    std::string message;
  };
  std::vector<Item> items;
  std::int64_t count = 0;  ///< how many things failed: the items, or more where the answer only counts them
  std::int64_t asked = 0;  ///< how many the call named; 0 where nobody can tell
  bool whole = false;      ///< nothing of the call was done, for certain

  /// Its code is the items' own where nothing was done and all have the same, else `Unsuccessful` where nothing was
  /// done, `PartlyUnsuccessful` where a part was; retryable where nothing was done for being throttled.
  Error error() const;
  /// True where each item has one of the codes.
  bool all_of(const std::vector<std::string>& codes) const;
};

/// By `declared`, as the service's file has it, else by the output's shape: of its members, lists, maps and structures
/// called `Unsuccessful...`, `Failed...`, `Unprocessed...`, `...Failures` or `...Errors` that are not empty, numbers
/// called `Failed...Count` that are not 0, and a `Return` that is false. `operation` may be null: then only what is
/// declared is seen. Nothing where all was done. Errors: those of the expressions.
Result<std::optional<Shortfall>> shortfall_of(const Failures* declared, const aws::Operation* operation,
                                              const json::Value& input, const json::Value& answer);

/// True where the rule by the output's shape looks at that member.
bool tells_failures(const aws::Member& member);

}  // namespace fixpoint::changes
