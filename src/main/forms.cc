#include "main/forms.h"

#include <algorithm>
#include <iostream>

#include "base/text.h"

namespace fixpoint::main {

bool has_stray_option(const Arguments& arguments, const std::string& form,
                      std::initializer_list<std::string_view> taken) {
  for (const auto& [name, value] : arguments.options) {
    if (name == "endpoint" || name == "json" || std::find(taken.begin(), taken.end(), name) != taken.end()) continue;
    std::cerr << "fixpoint: --" << name << " does not go with '" << form << "'; 'fixpoint help "
              << form.substr(0, form.find(' ')) << "' tells what it goes with\n";
    return true;
  }
  return false;
}

bool is_scope(std::string_view scope, std::string_view typed) {
  return typed.starts_with("control:") && !typed.starts_with("control:arn:") ? equals_ignore_case(scope, typed)
                                                                             : scope == typed;
}

}  // namespace fixpoint::main
