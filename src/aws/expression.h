#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

/// The part of JMESPath (https://jmespath.org/specification.html) that paginators and waiters are written in: names and
/// quoted names, `a.b`, `a[0]`, `a[-1]`, `a[*]`, `a[]`, `a[?condition]`, `a || b`, `a && b`, `!a`, `a | b`,
/// comparisons, `@`, literals in backticks, raw strings, and the functions length, keys, values and contains.
/// Immutable and thread-safe.
class Expression {
 public:
  /// Error: `InvalidModel` with the expression and the place in it in `where`. Whatever else JMESPath has is refused:
  /// slices, multi-selects, `*` over an object's values, other functions.
  static Result<Expression> compile(std::string_view text);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  /// Null where the expression leads nowhere, and where JMESPath would call a function's argument of a wrong type.
  json::Value evaluate(const json::Value& input) const;
  /// The expression is one name: what it leads to is a member.
  bool is_name() const;
  const std::string& text() const { return text_; }

  struct Node;

 private:
  Expression();
  std::string text_;
  std::unique_ptr<const Node> root_;
};

/// False in JMESPath's sense: null, false, an empty string, array or object.
bool is_falsy(const json::Value& value);

}  // namespace fixpoint::aws
