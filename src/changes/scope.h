#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fixpoint::changes {

/// True for the twelve digits of an account.
bool is_account_id(std::string_view text);

/// What a setting, a kill switch or an exception holds for: "all", "account:ID" or "control:ID", where the ID of a
/// function is its ARN. Error: ValidationException.
Result<void> check_scope(std::string_view scope);

/// The scopes that hold for a program in an account, the narrowest first: control, account, all.
std::vector<std::string> scopes_of(const std::string& program, const std::string& account);

}  // namespace fixpoint::changes
