#include "changes/scope.h"

namespace fixpoint::changes {

bool is_account_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<void> check_scope(std::string_view scope) {
  if (scope == "all") return {};
  constexpr std::string_view account = "account:";
  if (scope.starts_with(account)) {
    const std::string_view id = scope.substr(account.size());
    if (is_account_id(id)) return {};
    return fail(errors::validation("'" + std::string(id) + "' is no account id: it has 12 digits", "Scope"));
  }
  if (scope.starts_with("control:") && scope.back() != ':') return {};
  return fail(errors::validation("'" + std::string(scope) + "' is no scope; there are all, account:ID and control:ID",
                                 "Scope"));
}

std::vector<std::string> scopes_of(const std::string& program, const std::string& account) {
  return {"control:" + program, "account:" + account, "all"};
}

}  // namespace fixpoint::changes
