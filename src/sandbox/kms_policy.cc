#include <algorithm>

#include "base/text.h"
#include "json/text.h"
#include "sandbox/ec2.h"
#include "sandbox/kms.h"
#include "sandbox/policy_document.h"

namespace fixpoint::sandbox::kms {
namespace {

tl::unexpected<Error> malformed(std::string message) {
  return fail(errors::coded("MalformedPolicyDocumentException", std::move(message), 400));
}

bool is_of_account(const json::Value& principal, std::string_view account) {
  const auto fits = [&](const json::Value& one) {
    const std::string_view text = one.string_or({});
    return text == "*" || text == account || text.find("::" + std::string(account) + ":") != std::string_view::npos;
  };
  const json::Value& named = principal.is_object() ? principal["AWS"] : principal;
  return named.is_array() ? std::any_of(named.as_array().begin(), named.as_array().end(), fits) : fits(named);
}

bool lets_put_policy(const json::Value& actions) {
  const auto fits = [](const json::Value& one) {
    return ec2::matches_pattern(to_lower(one.string_or({})), "kms:putkeypolicy");
  };
  return actions.is_array() ? std::any_of(actions.as_array().begin(), actions.as_array().end(), fits) : fits(actions);
}

// Nobody's permissions are known here: it is enough that somebody of the account may put the next policy.
bool locks_out(const json::Value& policy, std::string_view account) {
  const json::Value& given = policy["Statement"];
  const json::Array statements = given.is_array() ? given.as_array() : json::Array{given};
  return std::none_of(statements.begin(), statements.end(), [&](const json::Value& statement) {
    if (statement["Effect"].string_or({}) != "Allow") return false;
    const bool who = !statement["NotPrincipal"].is_null() || is_of_account(statement["Principal"], account);
    return who && (!statement["NotAction"].is_null() || lets_put_policy(statement["Action"]));
  });
}

}  // namespace

Result<void> check_policy(const Request& request) {
  if (const auto fault = policy_fault(request.text("Policy"), PolicyKind::Resource)) return malformed(*fault);
  const auto policy = json::parse(request.text("Policy"));
  if (!request.input["BypassPolicyLockoutSafetyCheck"].bool_or(false) && locks_out(*policy, request.context.account))
    return malformed("The new key policy will not allow you to update the key policy in the future.");
  return {};
}

}  // namespace fixpoint::sandbox::kms
