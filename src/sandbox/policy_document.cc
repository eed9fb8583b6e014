#include "sandbox/policy_document.h"

#include <algorithm>
#include <vector>

#include "base/arn.h"
#include "json/text.h"
#include "json/value.h"

namespace fixpoint::sandbox {
namespace {

using Fault = std::optional<std::string>;

constexpr std::string_view syntax = "Syntax errors in policy.";

bool is_known(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A text or a list of texts; nothing where it is neither.
std::optional<std::vector<std::string_view>> texts_of(const json::Value& value) {
  if (value.is_string()) return std::vector<std::string_view>{value.string_or({})};
  if (!value.is_array()) return {};
  std::vector<std::string_view> out;
  for (const json::Value& item : value.as_array()) {
    if (!item.is_string()) return {};
    out.push_back(item.string_or({}));
  }
  return out;
}

// One of two elements that exclude each other, with at least one text in it.
Fault check_choice(const json::Value& statement, std::string_view one, std::string_view other, std::string_view lacking,
                   std::vector<std::string_view>& texts) {
  if (!statement[one].is_null() && !statement[other].is_null()) return std::string(syntax);
  const json::Value& given = statement[one].is_null() ? statement[other] : statement[one];
  if (given.is_null()) return std::string(lacking);
  auto found = texts_of(given);
  if (!found) return std::string(syntax);
  if (found->empty()) return std::string(lacking);
  texts = std::move(*found);
  return {};
}

Fault check_actions(const json::Value& statement, PolicyKind kind) {
  std::vector<std::string_view> actions;
  if (auto fault = check_choice(statement, "Action", "NotAction", "Policy statement must contain actions.", actions))
    return fault;
  for (const std::string_view action : actions) {
    const auto colon = action.find(':');
    if (action != "*" && (colon == std::string_view::npos || colon == 0 || colon + 1 == action.size()))
      return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    if (kind == PolicyKind::Trust && action.substr(0, 4) != "sts:")
      return "AssumeRole policy may only specify STS AssumeRole actions.";
  }
  return {};
}

Fault check_resources(const json::Value& statement, PolicyKind kind) {
  if (kind == PolicyKind::Trust) {
    for (const auto member : {"Resource", "NotResource"})
      if (!statement[member].is_null()) return std::string("Has prohibited field ") + member;
    return {};
  }
  std::vector<std::string_view> resources;
  if (auto fault =
          check_choice(statement, "Resource", "NotResource", "Policy statement must contain resources.", resources))
    return fault;
  for (const std::string_view resource : resources)
    if (resource != "*" && resource.substr(0, 4) != "arn:" && kind == PolicyKind::Identity)
      return "Resource " + std::string(resource) + " must be in ARN format or \"*\".";
  return {};
}

// `*`, an account's twelve digits, an ARN, or the id that IAM has put for a principal that is gone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
bool is_aws_principal(std::string_view text) {
  const auto all = [](std::string_view part, std::string_view letters) {
    return !part.empty() && part.find_first_not_of(letters) == std::string_view::npos;
  };
  if (text == "*" || (text.size() == 12 && all(text, "0123456789"))) return true;
  if (text.size() >= 16 && text.substr(0, 1) == "A" && all(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")) return true;
  const auto arn = parse_arn(text);
  return arn && (arn->service == "iam" || arn->service == "sts") && arn->account.size() == 12 &&
         all(arn->account, "0123456789");
}

Fault check_principals(const json::Value& statement, PolicyKind kind) {
  const bool given = !statement["Principal"].is_null() || !statement["NotPrincipal"].is_null();
  if (kind == PolicyKind::Identity)
    return given ? Fault("Policy document should not specify a principal.") : std::nullopt;
  if (!given) return kind == PolicyKind::Trust ? "Missing required field Principal" : std::string(syntax);
  const json::Value& principal = statement["Principal"].is_null() ? statement["NotPrincipal"] : statement["Principal"];
  if (principal.is_string() && principal.string_or({}) == "*") return {};
  if (!principal.is_object() || principal.size() == 0) return std::string(syntax);
  for (const json::Member& member : principal.as_object()) {
    if (!is_known(member.key, {"AWS", "Service", "Federated", "CanonicalUser"}))
      return "Invalid principal in policy: \"" + std::string(member.key) + "\"";
    const auto texts = texts_of(member.value);
    if (!texts || texts->empty()) return std::string(syntax);
    if (kind != PolicyKind::Trust || member.key != "AWS") continue;
    for (const std::string_view text : *texts)
      if (!is_aws_principal(text)) return "Invalid principal in policy: \"AWS\":\"" + std::string(text) + "\"";
  }
  return {};
}

Fault check_statement(const json::Value& statement, PolicyKind kind, std::vector<std::string_view>& ids) {
  if (!statement.is_object()) return std::string(syntax);
  for (const json::Member& member : statement.as_object())
    if (!is_known(member.key, {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
                               "NotResource", "Condition"}))
      return std::string(syntax);
  const std::string_view effect = statement["Effect"].string_or({});
  if (effect != "Allow" && effect != "Deny") return std::string(syntax);
  if (!statement["Condition"].is_null() && !statement["Condition"].is_object()) return std::string(syntax);
  if (const json::Value& id = statement["Sid"]; !id.is_null()) {
    if (!id.is_string()) return std::string(syntax);
    if (!id.string_or({}).empty()) {
      if (std::find(ids.begin(), ids.end(), id.string_or({})) != ids.end())
        return "Statement IDs (SID) in a single policy must be unique.";
      ids.push_back(id.string_or({}));
    }
  }
  if (auto fault = check_principals(statement, kind)) return fault;
  if (auto fault = check_actions(statement, kind)) return fault;
  return check_resources(statement, kind);
}

}  // namespace

std::optional<std::string> policy_fault(std::string_view text, PolicyKind kind) {
  constexpr std::size_t limit_bytes = 128UL * 1024;
  const auto policy = json::parse(text, {.depth = 32, .bytes = limit_bytes});
  if (!policy || !policy->is_object()) return std::string(syntax);
  for (const json::Member& member : policy->as_object())
    if (!is_known(member.key, {"Version", "Id", "Statement"})) return std::string(syntax);
  const json::Value& version = (*policy)["Version"];
  if (!version.is_null() && version.string_or({}) != "2012-10-17" && version.string_or({}) != "2008-10-17")
    return std::string(syntax);
  const json::Value& given = (*policy)["Statement"];
  if (!given.is_array() && !given.is_object()) return std::string(syntax);
  if (given.is_array() && given.size() == 0) return std::string(syntax);
  std::vector<std::string_view> ids;
  if (given.is_object()) return check_statement(given, kind, ids);
  for (const json::Value& statement : given.as_array())
    if (auto fault = check_statement(statement, kind, ids)) return fault;
  return {};
}

}  // namespace fixpoint::sandbox
