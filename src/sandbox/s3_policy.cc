#include "sandbox/s3_policy.h"

#include <algorithm>

#include "base/text.h"
#include "json/text.h"
#include "sandbox/ec2.h"
#include "sandbox/s3.h"

namespace fixpoint::sandbox::s3 {
namespace {

tl::unexpected<Error> malformed(std::string message) {
  return refuse("MalformedPolicy", 400, std::move(message));
}

json::Array listed(const json::Value& value) {
  if (value.is_array()) return value.as_array();
  return value.is_null() ? json::Array() : json::Array{value};
}

bool is_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `*`, an account, an ARN of IAM or STS, or the id that IAM leaves of somebody who was deleted.
bool is_principal(std::string_view text) {
  if (text == "*" || (text.size() == 12 && is_digits(text))) return true;
  if (text.substr(0, 4) == "arn:")
    return text.find(":iam::") != std::string_view::npos || text.find(":sts::") != std::string_view::npos;
  return text.size() >= 16 && (text.substr(0, 3) == "AID" || text.substr(0, 3) == "ARO");
}

Result<void> check_principal(const json::Value& principal) {
  const auto invalid = [] { return malformed("Invalid principal in policy"); };
  if (principal.is_null()) return {};
  if (principal.is_string()) return principal.string_or({}) == "*" ? Result<void>() : invalid();
  if (!principal.is_object() || principal.size() == 0) return invalid();
  for (const json::Member& member : principal.as_object()) {
    if (member.key != "AWS" && member.key != "Service" && member.key != "Federated" && member.key != "CanonicalUser")
      return invalid();
    const json::Array names = listed(member.value);
    if (names.empty()) return invalid();
    for (const json::Value& name : names)
      if (!name.is_string() || name.string_or({}).empty() || (member.key == "AWS" && !is_principal(name.string_or({}))))
        return invalid();
  }
  return {};
}

bool is_action(const json::Value& action) {
  const std::string text = to_lower(action.string_or({}));
  return text == "*" || (text.substr(0, 3) == "s3:" && text.size() > 3);
}

// `*`, or `arn:aws:s3:::BUCKET` or `arn:aws:s3:::BUCKET/KEY`, in which the bucket may be a pattern that fits.
bool is_resource(const json::Value& resource, std::string_view bucket) {
  std::string_view text = resource.string_or({});
  if (text == "*") return true;
  const auto at = text.find(":s3:::");
  if (text.substr(0, 4) != "arn:" || at == std::string_view::npos) return false;
  text.remove_prefix(at + 6);
  const std::string_view pattern = text.substr(0, text.find('/'));
  return !pattern.empty() && ec2::matches_pattern(pattern, bucket);
}

Result<void> check_statement(const json::Value& statement, std::string_view bucket) {
  const std::string_view effect = statement["Effect"].string_or({});
  if (effect != "Allow" && effect != "Deny")
    return malformed(effect.empty() ? "Missing required field Effect" : "Invalid effect: " + std::string(effect));
  for (const auto& [one, other] :
       {std::pair{"Principal", "NotPrincipal"}, {"Action", "NotAction"}, {"Resource", "NotResource"}})
    if (statement[one].is_null() && statement[other].is_null())
      return malformed(std::string("Missing required field ") + one);
  for (const auto member : {"Principal", "NotPrincipal"}) FIXPOINT_CHECK(check_principal(statement[member]));
  for (const auto member : {"Action", "NotAction"})
    for (const json::Value& action : listed(statement[member]))
      if (!is_action(action)) return malformed("Policy has invalid action");
  for (const auto member : {"Resource", "NotResource"})
    for (const json::Value& resource : listed(statement[member]))
      if (!is_resource(resource, bucket)) return malformed("Policy has invalid resource");
  return {};
}

// A range of addresses that is nobody's own: wider than /8 or, of IPv6, than /32.
bool is_broad(std::string_view cidr) {
  const auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return false;
  const auto bits = to_int64(cidr.substr(slash + 1));
  return !bits || *bits < (cidr.find(':') == std::string_view::npos ? 8 : 32);
}

bool is_fixed(std::string_view key, std::string_view value) {
  if (value.empty()) return false;
  if (key == "aws:sourceip") return !is_broad(value);
  return value.find('*') == std::string_view::npos && value.find('?') == std::string_view::npos &&
         value.find("${") == std::string_view::npos;
}

// Whether one condition limits who is let in to values that are written down.
bool narrows(std::string_view condition, const json::Value& keys) {
  static constexpr std::string_view conditions[] = {
      "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"};
  static constexpr std::string_view known[] = {"aws:sourceip",
                                               "aws:sourcearn",
                                               "aws:sourcevpc",
                                               "aws:sourcevpce",
                                               "aws:sourceowner",
                                               "aws:sourceaccount",
                                               "aws:userid",
                                               "aws:principalarn",
                                               "aws:principalaccount",
                                               "aws:principalorgid",
                                               "s3:dataaccesspointarn",
                                               "s3:dataaccesspointaccount",
                                               "s3:x-amz-server-side-encryption-aws-kms-key-id"};
  if (std::find(std::begin(conditions), std::end(conditions), to_lower(condition)) == std::end(conditions))
    return false;
  if (!keys.is_object()) return false;
  return std::any_of(keys.as_object().begin(), keys.as_object().end(), [&](const json::Member& member) {
    const std::string key = to_lower(member.key);
    if (std::find(std::begin(known), std::end(known), key) == std::end(known)) return false;
    const json::Array values = listed(member.value);
    return !values.empty() && std::all_of(values.begin(), values.end(),
                                          [&](const json::Value& value) { return is_fixed(key, value.string_or({})); });
  });
}

bool lets_in_everybody(const json::Value& statement) {
  if (statement["Effect"].string_or({}) != "Allow") return false;
  const json::Value& principal = statement["Principal"];
  const json::Array names = listed(principal.is_object() ? principal["AWS"] : principal);
  const bool everybody =
      !statement["NotPrincipal"].is_null() ||
      std::any_of(names.begin(), names.end(), [](const json::Value& one) { return one.string_or({}) == "*"; });
  if (!everybody) return false;
  const json::Value& conditions = statement["Condition"];
  return !conditions.is_object() ||
         std::none_of(conditions.as_object().begin(), conditions.as_object().end(),
                      [](const json::Member& member) { return narrows(member.key, member.value); });
}

}  // namespace

Result<json::Value> read_bucket_policy(std::string_view text, std::string_view bucket) {
  constexpr std::size_t limit_bytes = 20UL * 1024;
  if (text.size() > limit_bytes)
    return refuse("PolicyTooLarge", 400,
                  "Your policy exceeds the maximum allowed document size. Max allowed policy size: 20480 bytes");
  auto policy = json::parse(text, {.depth = 32, .bytes = limit_bytes});
  if (!policy || !policy->is_object()) return malformed("Policies must be valid JSON and the first byte must be '{'");
  const json::Value& version = (*policy)["Version"];
  if (!version.is_null() && version.string_or({}) != "2012-10-17" && version.string_or({}) != "2008-10-17")
    return malformed("The policy must contain a valid version string");
  const json::Value& statements = (*policy)["Statement"];
  if (statements.is_null()) return malformed("Missing required field Statement");
  if (statements.is_array() && statements.size() == 0)
    return malformed("Could not parse the policy: Statement is empty!");
  for (const json::Value& statement : listed(statements)) FIXPOINT_CHECK(check_statement(statement, bucket));
  return *policy;
}

bool is_public_policy(const json::Value& policy) {
  const json::Array statements = listed(policy["Statement"]);
  return std::any_of(statements.begin(), statements.end(), lets_in_everybody);
}

}  // namespace fixpoint::sandbox::s3
