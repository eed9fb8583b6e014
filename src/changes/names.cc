#include "changes/names.h"

#include "aws/retry.h"

namespace fixpoint::changes {

Result<std::vector<std::string>> read_names(const json::Value& list) {
  std::vector<std::string> names;
  if (list.is_null()) return names;
  const auto refused = [] { return fail(errors::validation("has to be a list of names (a number needs quotes)")); };
  if (!list.is_array()) return refused();
  for (const json::Value& name : list.as_array()) {
    if (!name.is_string()) return refused();
    names.push_back(name.as_string());
  }
  return names;
}

Result<std::vector<std::string>> read_error_codes(const json::Value& list) {
  FIXPOINT_TRY(names, read_names(list));
  for (const std::string& name : names)
    if (aws::is_throttling_code(name) || aws::is_denial_code(name) || aws::is_transient_code(name))
      return fail(errors::validation(
          "names " + name + ", which says nothing of what is there: the call was throttled, denied or failed"));
  return std::move(names);
}

}  // namespace fixpoint::changes
