#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace fixpoint::changes {

/// True for the twelve digits of an account.
bool is_account_id(std::string_view text);

/// The one name by which guards know a program: of a function its own ARN, in the partition of its region and without
/// the version or alias that was called; what is no function's ARN (a control's id) as it is.
std::string own_program(std::string_view program);

/// The one form of a scope: "control:" with own_program, "rule:" with the rule's ARN in the partition of its region,
/// where a rule on the bus default does not name the bus; any other as it is.
std::string own_scope(std::string_view scope);

/// The scopes in the column `scope` of a table that mean the same as `scope`, their one form first. Earlier versions
/// stored them as they were given. Error: StoreError.
Result<std::vector<std::string>> stored_scopes(store::Session& session, std::string_view table,
                                               const std::string& scope);

/// What a setting, a kill switch or an exception holds for: "all", "account:ID" or "control:ID", where the ID of a
/// function is its ARN. Error: ValidationException.
Result<void> check_scope(std::string_view scope);

/// The scopes that hold for a program in an account, the narrowest first: control, account, all; in their one form.
std::vector<std::string> scopes_of(const std::string& program, const std::string& account);

}  // namespace fixpoint::changes
