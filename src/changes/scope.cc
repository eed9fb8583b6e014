#include "changes/scope.h"

#include "base/arn.h"

namespace fixpoint::changes {

bool is_account_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string own_program(std::string_view program) {
  constexpr std::string_view function = "function:";
  if (!program.starts_with("arn:")) return std::string(program);
  auto arn = parse_arn(program);
  if (!arn || arn->service != "lambda" || !arn->resource.starts_with(function)) return std::string(program);
  arn->partition = partition_of_region(arn->region);
  if (const auto colon = arn->resource.find(':', function.size()); colon != std::string::npos)
    arn->resource.resize(colon);
  return arn->to_string();
}

std::string own_scope(std::string_view scope) {
  constexpr std::string_view control = "control:";
  constexpr std::string_view rule = "rule:";
  constexpr std::string_view named_default = "rule/default/";
  if (scope.starts_with(control)) return std::string(control) + own_program(scope.substr(control.size()));
  if (!scope.starts_with(rule)) return std::string(scope);
  auto arn = parse_arn(scope.substr(rule.size()));
  if (!arn || arn->service != "events") return std::string(scope);
  arn->partition = partition_of_region(arn->region);
  if (arn->resource.starts_with(named_default)) arn->resource.replace(0, named_default.size(), "rule/");
  return std::string(rule) + arn->to_string();
}

Result<std::vector<std::string>> stored_scopes(store::Session& session, std::string_view table,
                                               const std::string& scope) {
  const std::string own = own_scope(scope);
  std::vector<std::string> out;
  FIXPOINT_TRY(rows, session.query("SELECT DISTINCT scope FROM " + std::string(table) + " ORDER BY scope"));
  for (store::Row& row : rows) {
    if (own_scope(row.text(0)) != own) continue;
    out.insert(row.text(0) == own ? out.begin() : out.end(), row.text(0));
  }
  return out;
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
  return {"control:" + own_program(program), "account:" + account, "all"};
}

}  // namespace fixpoint::changes
