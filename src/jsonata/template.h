#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "json/value.h"
#include "jsonata/expression.h"

namespace fixpoint::jsonata {

/// A JSON document whose strings of the form `{% expression %}` are replaced by what the expression gives, as in Step
/// Functions' Arguments and Output. A member or element whose expression is undefined is left out. Cheap to copy,
/// immutable, safe to use from several threads.
/// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
class Template {
 public:
  /// Errors: those of compile(), the place preceded by the path of the string ("Rules[0].Name: position 3").
  static Result<Template> compile(const json::Value& document);

  /// Nothing where the whole document is one expression and that is undefined. Errors: those of Expression::evaluate
  /// with the path.
  Result<std::optional<json::Value>> fill(const json::Value& input, const Bindings& bindings,
                                          const Budget& budget = {}) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

/// The expression inside `{% %}`; nothing where the text is not of that form.
std::optional<std::string> expression_in(std::string_view text);

}  // namespace fixpoint::jsonata
