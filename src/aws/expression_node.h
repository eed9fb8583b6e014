#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aws/expression.h"

namespace fixpoint::aws {

/// A part of a parsed expression; shared by the parser and the evaluator alone.
struct Expression::Node {
  enum class Kind : std::uint8_t {
    Current,  ///< @, or nothing at all
    Field,    ///< text
    Index,    ///< number: an array's element, from the end where negative
    Literal,  ///< literal
    Chain,    ///< the second part on what the first gives: a.b, a | b
    Or,
    And,
    Not,
    Compare,     ///< text is the operator
    Projection,  ///< the second part on every element of the array that the first gives
    Filter,      ///< as Projection, on the elements for which the third part is true
    Flatten,     ///< the first part's array with the arrays in it laid out
    Call,        ///< text is the function, parts the arguments
  };

  explicit Node(Kind node_kind) : kind(node_kind) {}

  Kind kind;
  std::string text;
  std::int64_t number = 0;
  json::Value literal;
  std::vector<std::unique_ptr<const Node>> parts;
};

}  // namespace fixpoint::aws
