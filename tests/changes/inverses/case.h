#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "changes/recipes.h"
#include "json/value.h"
#include "jsonata/template.h"

namespace fixpoint::changes {

/// One case of a data file; README.md has the form.
struct Case {
  struct Given {
    CallTemplate call;
    std::string keep;
    std::int64_t times = 1;  ///< it is made so often, `$n` being 1, 2, ...
  };
  struct Look {
    CallTemplate call;
    std::optional<jsonata::Template> take;
    std::optional<jsonata::Template> is;
  };
  std::string name;
  std::string region = "us-east-1";
  std::vector<Given> given;
  jsonata::Template change;
  std::vector<Look> same;
  std::vector<Look> left;
  std::vector<std::string> undo;
  bool changes = true;
  std::string fails;
  std::string leaves;
  std::string irreversible;
};

/// The cases of one operation. Error: ValidationException with the place.
Result<std::vector<Case>> read_cases(const json::Value& form, const std::string& where);

}  // namespace fixpoint::changes
