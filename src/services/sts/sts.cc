#include "services/sts/sts.h"

#include <algorithm>
#include <optional>

#include "aws/endpoints.h"
#include "aws/verify.h"
#include "base/arn.h"
#include "base/person.h"
#include "sandbox/policy_document.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr std::int64_t shortest_session_s = 900;
constexpr std::int64_t longest_session_s = 43'200;
constexpr std::int64_t longest_chained_s = 3600;
constexpr std::size_t longest_arn = 2048;
constexpr std::size_t longest_path = 512;
constexpr std::size_t longest_role = 64;
// Of sessions and of roles.
constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";

struct Role {
  std::string partition;
  std::string account;
  std::string name;  // without its path, as a session's ARN has it
};

// Nothing where the text is no role's ARN.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
std::optional<Role> role_of(std::string_view text) {
  constexpr std::string_view prefix = "role/";
  const auto arn = parse_arn(text);
  if (!arn || text.size() > longest_arn || arn->service != "iam" || !arn->region.empty() ||
      !arn->resource.starts_with(prefix) || !aws::is_partition(arn->partition))
    return {};
  if (arn->account.size() != 12 || arn->account.find_first_not_of("0123456789") != std::string::npos) return {};
  const std::size_t slash = arn->resource.rfind('/');
  const std::string_view path = std::string_view(arn->resource).substr(prefix.size() - 1, slash + 2 - prefix.size());
  const std::string_view name = std::string_view(arn->resource).substr(slash + 1);
  const bool printable = std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~'; });
  if (!printable || path.size() > longest_path || name.empty() || name.size() > longest_role ||
      name.find_first_not_of(name_characters) != std::string_view::npos)
    return {};
  return Role{arn->partition, arn->account, std::string(name)};
}

tl::unexpected<Error> unfit(const std::string& value, const std::string& member, const std::string& constraint) {
  return fail(errors::coded("ValidationError",
                            "1 validation error detected: Value '" + value + "' at '" + member +
                                "' failed to satisfy constraint: Member must " + constraint,
                            400));
}

}  // namespace

aws::ServiceTable Sts::table() {
  aws::ServiceTable table;
  table.service = "sts";
  table.add_quick("GetCallerIdentity", [](const aws::Caller& caller, const Value&) -> Result<Value> {
    return Value(json::Object{
        {"UserId", caller.principal->user_id}, {"Account", caller.principal->account}, {"Arn", caller.principal->arn}});
  });
  table.add("AssumeRole", [this](const auto& caller, const auto& input) { return assume_role(caller, input); });
  return table;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
Result<Value> Sts::assume_role(const aws::Caller& caller, const Value& input) {
  const std::string role_arn(input["RoleArn"].string_or(""));
  const auto role = role_of(role_arn);
  if (!role)
    return fail(errors::coded("ValidationError",
                              "'" + role_arn.substr(0, longest_arn) +
                                  "' is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME, with an account of 12 "
                                  "digits and a name of 1 to 64 letters, digits and _+=,.@-",
                              400));
  const std::string session(input["RoleSessionName"].string_or(""));
  const std::int64_t seconds = input["DurationSeconds"].int_or(3600);
  if (session.size() < 2 || session.size() > 64)
    return unfit(session.substr(0, 64), "roleSessionName", "have 2 to 64 characters");
  if (session.find_first_not_of(name_characters) != std::string::npos)
    return unfit(session, "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*");
  if (seconds < shortest_session_s || seconds > longest_session_s)
    return unfit(std::to_string(seconds), "durationSeconds", "have a value from 900 to 43200");
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
  const aws::Principal& principal = *caller.principal;
  if (seconds > longest_chained_s && (!principal.execution.empty() || is_session_arn(principal.arn)))
    return fail(errors::coded(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining", 400));
  if (const Value* policy = input.find("Policy"))
    if (const auto fault = sandbox::policy_fault(policy->string_or(""), sandbox::PolicyKind::Identity))
      return fail(errors::coded("MalformedPolicyDocument", "Policy: " + *fault, 400));
  FIXPOINT_TRY(issued,
               identity_.issue(role->account, role->partition, role->name, session, principal.execution,
                               static_cast<int>(seconds), principal.source.empty() ? principal.arn : principal.source));
  json::Object credentials{{"AccessKeyId", issued.credentials.access_key},
                           {"SecretAccessKey", issued.credentials.secret},
                           {"SessionToken", issued.credentials.session_token},
                           {"Expiration", issued.expires_ms / 1000}};
  return Value(json::Object{{"Credentials", credentials},
                            {"AssumedRoleUser", json::Object{{"AssumedRoleId", issued.user_id}, {"Arn", issued.arn}}}});
}

}  // namespace fixpoint::services
