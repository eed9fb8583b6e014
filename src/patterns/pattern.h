#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "patterns/address.h"
#include "patterns/decimal.h"
#include "patterns/wildcard.h"

namespace fixpoint::patterns {

enum class Kind : std::uint8_t {
  Null,
  True,
  False,
  Number,            ///< `number`, by value
  Text,              ///< `text`, byte by byte
  Prefix,            ///< `text`
  Suffix,            ///< `text`
  EqualsIgnoreCase,  ///< `text`, folded
  PrefixIgnoreCase,  ///< `text`, folded
  SuffixIgnoreCase,  ///< `text`, folded
  Wildcard,          ///< `pieces`
  Cidr,              ///< `cidr`
  Range,             ///< numbers between `number` and `top`, as `bounds` says
  AnythingBut,       ///< any leaf for which none of `but` holds
  Exists,            ///< any leaf
  Absent,            ///< no leaf of that path in the elements that the fields before it, by path, matched in
};

enum Bounds : std::uint8_t { has_bottom = 1, bottom_open = 2, has_top = 4, top_open = 8 };

/// One of the values that a field may have.
struct Test {
  Kind kind = Kind::Null;
  std::uint8_t bounds = 0;
  std::string text;
  Decimal number;
  Decimal top;
  Cidr cidr;
  Wildcard pieces;
  std::vector<Test> but;
};

/// A compiled event pattern: a choice of branches (one, unless `$or` is used), each of which matches where all of its
/// fields do. A field is a path and the tests of which one has to hold. A value type; LANGUAGE.md says what it means.
struct Pattern {
  struct Field {
    std::uint32_t path;   ///< into `paths`
    std::uint32_t tests;  ///< into `tests`
  };
  std::vector<std::string> paths;  ///< member names joined by dots
  std::vector<std::vector<Test>> tests;
  std::vector<std::vector<Field>> branches;
};

/// What a pattern may cost: `$or`s multiply, and a pattern of more branches, or of more fields in all branches, is
/// refused.
constexpr std::size_t max_branches = 10'000;
constexpr std::size_t max_branch_fields = 200'000;
/// Arrays and objects within each other, in patterns and in events.
constexpr std::size_t max_depth = 1000;

/// Reads a pattern. Error: InvalidEventPatternException, whose message begins with the line that EventBridge answers
/// ("Event pattern is not valid. Reason: ...") and goes on with what was found, where, and what would be right; `where`
/// is the JSON path, line and column. Repeated fields: the last one counts, as on the service. See
/// docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
Result<Pattern> compile(std::string_view json_text);

}  // namespace fixpoint::patterns
