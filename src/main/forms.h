#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "main/command.h"

namespace fixpoint::main {

/// Whether an option was given that the typed form of a command, such as "exceptions list", does not take; the first is
/// then named on standard error. What is ignored would be thought to count. `endpoint` and `json` are always taken.
bool has_stray_option(const Arguments& arguments, const std::string& form,
                      std::initializer_list<std::string_view> taken);

/// Whether a scope of the server's ("all", "control:S3.4", "account:ID") is the one that was typed. Ids of controls are
/// the same in any case.
bool is_scope(std::string_view scope, std::string_view typed);

}  // namespace fixpoint::main
