#include "base/text.h"
#include "sandbox/iam.h"
#include "sandbox/policy_document.h"

namespace fixpoint::sandbox::iam {
namespace {

using Check = std::function<Result<void>(Request&)>;

Check document(const char* member, PolicyKind kind) {
  return [member, kind](Request& request) -> Result<void> {
    if (const auto fault = policy_fault(request.text(member), kind))
      return refuse("MalformedPolicyDocument", 400, *fault);
    return {};
  };
}

// A call that leaves the name out is about the user whose key signs it; who calls the embedded account is the root user
// or in a role, and neither has a name.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
Result<void> user_name(Request& request) {
  if (!request.text("UserName").empty()) return {};
  return refuse("ValidationError", 400, "Must specify userName when calling with non-User credentials");
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
Result<void> key_quota(Request& request) {
  constexpr std::size_t keys_a_user = 2;
  std::size_t count = 0;
  request.state.each(request.global("iam", "access_key"), {}, {}, [&](std::string_view, const Document& body) {
    count += body && (*body)["UserName"] == request.input["UserName"] ? 1 : 0;
    return true;
  });
  if (count >= keys_a_user)
    return refuse("LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(keys_a_user));
  return {};
}

// What the account's policy asks of a password; where there is none, what AWS asks of every one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
Result<void> password(Request& request) {
  if (!request.has("Password")) return {};
  const std::string_view text = request.text("Password");
  const auto has = [&](std::string_view letters) { return text.find_first_of(letters) != std::string_view::npos; };
  struct Kind {
    const char* member;
    const char* noun;
    bool there;
  };
  const Kind kinds[] = {
      {"RequireUppercaseCharacters", "uppercase letter", has("ABCDEFGHIJKLMNOPQRSTUVWXYZ")},
      {"RequireLowercaseCharacters", "lowercase letter", has("abcdefghijklmnopqrstuvwxyz")},
      {"RequireNumbers", "number", has("0123456789")},
      {"RequireSymbols", "symbol of ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '", has("!@#$%^&*()_+-=[]{}|'")}};
  const auto violation = [](const std::string& wanted) {
    return refuse("PasswordPolicyViolation", 400,
                  "Password does not conform to the account password policy: it should have " + wanted + ".");
  };
  const Document policy = request.state.get(request.global("iam", "password_policy"), "account");
  const auto least = static_cast<std::size_t>(policy ? (*policy)["MinimumPasswordLength"].int_or(6) : 8);
  if (text.size() < least) return violation("at least " + std::to_string(least) + " characters");
  std::size_t count = 0;
  for (const Kind& kind : kinds) {
    count += kind.there ? 1 : 0;
    if (policy && (*policy)[kind.member].bool_or(false) && !kind.there)
      return violation("at least one " + std::string(kind.noun));
  }
  if (!policy && count < 3) return violation("three of: an uppercase letter, a lowercase letter, a number, a symbol");
  return {};
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
Result<void> boundary(Request& request) {
  const std::string arn(request.text("PermissionsBoundary"));
  if (arn.empty()) return {};
  if (arn.substr(0, 4) != "arn:" || arn.find(":policy/") == std::string::npos)
    return refuse("InvalidInput", 400, "ARN " + arn + " is not valid.");
  if (arn.find(":iam::aws:policy/") == std::string::npos && !request.state.get(request.global("iam", "policy"), arn))
    return refuse("NoSuchEntity", 404, "Scope ARN: " + arn + " does not exist or is not attachable.");
  return {};
}

// "Names are not distinguished by case", and the path is no part of them.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
Check unique_name(const char* type, const char* member, const char* before, const char* after) {
  return [=](Request& request) -> Result<void> {
    const std::string name(request.text(member));
    const std::string folded = to_lower(name);
    bool taken = false;
    // The id is the name, or an ARN that ends with it.
    request.state.each(request.global("iam", type), {}, {}, [&](std::string_view id, const Document& body) {
      taken = body && to_lower(id.substr(id.rfind('/') + 1)) == folded;
      return !taken;
    });
    if (taken) return refuse("EntityAlreadyExists", 409, before + name + after);
    return {};
  };
}

// CreateUser and CreateRole, which take a boundary with them.
void keep_boundary(Services& services, std::string_view name, const char* type, const char* member,
                   const char* id_member) {
  check_before(services, "iam", name, boundary);
  Operation& operation = services["iam"].find(name)->second;
  operation.run = [=, run = std::move(operation.run)](Request& request) -> Reply {
    FIXPOINT_TRY(answer, run(request));
    if (request.text("PermissionsBoundary").empty()) return answer;
    const Scope scope = request.global("iam", type);
    json::Value body = *request.state.get(scope, request.text(id_member));
    json::Value out = answer;
    for (json::Value* each : {&body, &out})
      each->at_or_make(member).set("PermissionsBoundary",
                                   json::Object{{"PermissionsBoundaryType", "Policy"},
                                                {"PermissionsBoundaryArn", request.input["PermissionsBoundary"]}});
    request.state.put(scope, request.text(id_member), std::move(body));
    return out;
  };
}

}  // namespace

void add_checks(Services& services) {
  for (const auto name : {"CreatePolicy", "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy"})
    check_before(services, "iam", name, document("PolicyDocument", PolicyKind::Identity));
  check_before(services, "iam", "CreateRole", document("AssumeRolePolicyDocument", PolicyKind::Trust));
  check_before(services, "iam", "UpdateAssumeRolePolicy", document("PolicyDocument", PolicyKind::Trust));
  check_before(services, "iam", "CreateAccessKey", key_quota);
  for (const auto name : {"GetUser", "CreateAccessKey", "ListAccessKeys", "ListMFADevices"})
    check_before(services, "iam", name, user_name);
  for (const auto name : {"CreateLoginProfile", "UpdateLoginProfile"}) check_before(services, "iam", name, password);
  check_before(services, "iam", "PutUserPermissionsBoundary", boundary);
  check_before(services, "iam", "PutRolePermissionsBoundary", boundary);
  keep_boundary(services, "CreateUser", "user", "User", "UserName");
  keep_boundary(services, "CreateRole", "role", "Role", "RoleName");
  check_before(services, "iam", "CreateUser", unique_name("user", "UserName", "User with name ", " already exists."));
  check_before(services, "iam", "CreateRole", unique_name("role", "RoleName", "Role with name ", " already exists."));
  check_before(services, "iam", "CreateGroup",
               unique_name("group", "GroupName", "Group with name ", " already exists."));
  check_before(
      services, "iam", "CreatePolicy",
      unique_name("policy", "PolicyName", "A policy called ", " already exists. Duplicate names are not allowed."));
}

}  // namespace fixpoint::sandbox::iam
