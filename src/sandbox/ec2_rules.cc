#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "sandbox/ec2.h"
#include "sandbox/ec2_rule.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox::ec2 {
namespace {

constexpr std::string_view type = "security-group";
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
constexpr std::size_t rule_limit = 60;

tl::unexpected<Error> too_many_rules() {
  return refuse("RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.");
}

// The group that the call is about. Errors: MissingParameter, InvalidGroupId.Malformed, InvalidGroup.NotFound.
Result<Document> group_of(Request& request) {
  const std::string vpc = default_vpc(request);
  const std::string id(request.text("GroupId"));
  if (!id.empty()) {
    if (!is_id(id, "sg-"))
      return refuse("InvalidGroupId.Malformed", "Invalid id: \"" + id + "\" (expecting \"sg-...\")");
    Document group = request.state.get(scope(request, type), id);
    if (!group) return refuse("InvalidGroup.NotFound", "The security group '" + id + "' does not exist");
    return group;
  }
  const std::string name(request.text("GroupName"));
  if (name.empty()) return refuse("MissingParameter", "The request must contain the parameter groupName or groupId");
  Document found;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view, const Document& body) {
    if (body && (*body)["GroupName"].string_or({}) == name && (*body)["VpcId"].string_or({}) == vpc) found = body;
    return !found;
  });
  if (!found)
    return refuse("InvalidGroup.NotFound",
                  "The security group '" + name + "' does not exist in default VPC '" + vpc + "'");
  return found;
}

using GroupNames = std::map<std::string, std::string, std::less<>>;

// Name -> id of the groups of the default VPC.
GroupNames group_names(Request& request, std::string_view vpc) {
  GroupNames out;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view id, const Document& body) {
    if (body && (*body)["VpcId"].string_or({}) == vpc) out.emplace((*body)["GroupName"].string_or({}), id);
    return true;
  });
  return out;
}

// `names` is filled with the first pair that has a name and no id.
Result<json::Value> referenced_group(Request& request, const json::Value& pair, std::optional<GroupNames>& names) {
  std::string id(pair["GroupId"].string_or({}));
  const std::string owner(pair["UserId"].string_or(request.context.account));
  if (id.empty()) {
    const std::string vpc = default_vpc(request);
    const std::string name(pair["GroupName"].string_or({}));
    if (!names) names = group_names(request, vpc);
    const auto found = names->find(name);
    if (found == names->end())
      return refuse("InvalidGroup.NotFound",
                    "The security group '" + name + "' does not exist in default VPC '" + vpc + "'");
    id = found->second;
  }
  if (!is_id(id, "sg-")) return refuse("InvalidGroupId.Malformed", "Invalid id: \"" + id + "\" (expecting \"sg-...\")");
  // A group of a peered account is not looked for: it need not be one of the embedded accounts.
  if (owner == request.context.account && !request.state.get(scope(request, type), id))
    return refuse("InvalidGroup.NotFound", "The security group '" + id + "' does not exist");
  json::Object out{{"GroupId", id}, {"UserId", owner}};
  for (const auto member : {"VpcId", "VpcPeeringConnectionId"})
    if (!pair[member].is_null()) out.set(member, pair[member]);
  if (out.contains("VpcPeeringConnectionId")) out.set("PeeringStatus", "active");
  return json::Value(std::move(out));
}

// IpPermissions, or the one permission that the flat parameters say.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
Result<json::Value> permissions_in(const Request& request, bool egress) {
  const json::Value& list = request.input["IpPermissions"];
  bool flat = false;
  for (const auto member : {"IpProtocol", "CidrIp", "FromPort", "ToPort", "SourceSecurityGroupName"})
    flat = flat || request.has(member);
  if (list.size() > 0) {
    if (flat)
      return refuse("InvalidParameterCombination",
                    "The parameter ipPermissions may not be used with the other rule parameters");
    return list;
  }
  if (!flat) return json::Value(json::Array());
  if (egress)
    return refuse("InvalidParameterCombination",
                  "The parameter cidrIp and its companions are not supported for egress rules: use ipPermissions");
  json::Object permission;
  if (request.has("SourceSecurityGroupName")) {
    if (request.has("CidrIp") || request.has("IpProtocol"))
      return refuse(
          "InvalidParameterCombination",
          "The parameter sourceSecurityGroupName may not be used with cidrIp, ipProtocol, fromPort or toPort");
    // The documentation promises full TCP, UDP and ICMP access for this form.
    json::Object pair{{"GroupName", request.input["SourceSecurityGroupName"]}};
    if (request.has("SourceSecurityGroupOwnerId")) pair.set("UserId", request.input["SourceSecurityGroupOwnerId"]);
    json::Array out;
    for (const auto& [protocol, to] : {std::pair{"tcp", 65535}, {"udp", 65535}, {"icmp", -1}})
      out.push_back(json::Object{{"IpProtocol", protocol},
                                 {"FromPort", to == -1 ? -1 : 0},
                                 {"ToPort", to},
                                 {"UserIdGroupPairs", json::Array{pair}}});
    return json::Value(std::move(out));
  }
  for (const auto member : {"IpProtocol", "FromPort", "ToPort"})
    if (request.has(member)) permission.set(member, request.input[member]);
  if (request.has("CidrIp")) permission.set("IpRanges", json::Array{json::Object{{"CidrIp", request.input["CidrIp"]}}});
  return json::Value(json::Array{std::move(permission)});
}

// More of them than `most` are refused before they are looked at.
Result<std::vector<json::Value>> rules_in(Request& request, bool egress, std::size_t most = SIZE_MAX) {
  FIXPOINT_TRY(permissions, permissions_in(request, egress));
  if (sources_in(permissions) > most) return too_many_rules();
  std::optional<GroupNames> names;
  return rules_of(permissions, egress, [&](const json::Value& pair) { return referenced_group(request, pair, names); });
}

using RulePlaces = std::unordered_map<std::string, std::size_t>;

// rule_key -> where the rule stands in the list.
RulePlaces places_of(const json::Array& rules) {
  RulePlaces out;
  for (std::size_t i = 0; i < rules.size(); ++i) out.emplace(rule_key(rules[i]), i);
  return out;
}

json::Value shown_rule(const json::Value& rule, const json::Value& group, bool with_arn = true) {
  json::Object out{{"SecurityGroupRuleId", rule["SecurityGroupRuleId"]},
                   {"GroupId", group["GroupId"]},
                   {"GroupOwnerId", group["OwnerId"]}};
  for (const json::Member& member : rule.as_object())
    if (member.key != "SecurityGroupRuleId") out.set(member.key, member.value);
  if (!out.contains("Tags")) out.set("Tags", json::Array());
  if (with_arn) {
    std::string arn(group["SecurityGroupArn"].string_or({}));
    arn = arn.substr(0, arn.rfind(':') + 1) + "security-group-rule/" +
          std::string(rule["SecurityGroupRuleId"].string_or({}));
    out.set("SecurityGroupRuleArn", arn);
  }
  return out;
}

Result<void> check_limit(const json::Value& rules, bool egress) {
  std::size_t ipv4 = 0;
  std::size_t ipv6 = 0;
  for (const json::Value& rule : rules.as_array()) {
    if (rule["IsEgress"].bool_or(false) != egress) continue;
    // A group or a prefix list counts for both.
    ipv4 += rule["CidrIpv6"].is_null() ? 1 : 0;
    ipv6 += rule["CidrIpv4"].is_null() ? 1 : 0;
  }
  if (std::max(ipv4, ipv6) > rule_limit) return too_many_rules();
  return {};
}

void save(Request& request, json::Value group) {
  render_permissions(group);
  const std::string id(group["GroupId"].string_or({}));
  request.state.put(scope(request, type), id, std::move(group));
}

Reply authorize(Request& request, bool egress) {
  FIXPOINT_TRY(stored, group_of(request));
  FIXPOINT_TRY(rules, rules_in(request, egress, 2 * rule_limit));  // as many of IPv4 and of IPv6
  if (rules.empty()) return refuse("MissingParameter", "The request must contain the parameter ipPermissions");
  FIXPOINT_TRY(tags, new_tags(request, "security-group-rule"));
  json::Value group = *stored;
  json::Array& there = group.as_object().find("Rules")->as_array();
  json::Array added;
  const RulePlaces places = places_of(there);
  for (json::Value& rule : rules) {
    if (places.contains(rule_key(rule)))
      return refuse("InvalidPermission.Duplicate", "the specified rule \"" + describe_rule(rule) + "\" already exists");
    json::Object made{{"SecurityGroupRuleId", new_id("sgr-")}};
    for (const json::Member& member : rule.as_object()) made.set(member.key, member.value);
    if (tags.size() > 0) made.set("Tags", tags);
    added.push_back(shown_rule(made, *stored));
    there.emplace_back(std::move(made));
  }
  FIXPOINT_CHECK(check_limit(group["Rules"], egress));
  save(request, std::move(group));
  return json::Object{{"Return", true}, {"SecurityGroupRules", std::move(added)}};
}

// As RevokedSecurityGroupRule has it: the referenced group by its id alone, and no tags.
json::Value revoked_rule(const json::Value& rule, const json::Value& group) {
  json::Object out{{"SecurityGroupRuleId", rule["SecurityGroupRuleId"]}, {"GroupId", group["GroupId"]}};
  for (const auto member :
       {"IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6", "PrefixListId", "Description"})
    if (!rule[member].is_null()) out.set(member, rule[member]);
  if (!rule["ReferencedGroupInfo"].is_null()) out.set("ReferencedGroupId", rule["ReferencedGroupInfo"]["GroupId"]);
  return out;
}

Result<void> check_rule_id(std::string_view id) {
  if (!is_id(id, "sgr-"))
    return refuse("InvalidSecurityGroupRuleId.Malformed",
                  "The security group rule ID '" + std::string(id) + "' is malformed");
  return {};
}

tl::unexpected<Error> no_such_rule_id(std::string_view id) {
  return refuse("InvalidSecurityGroupRuleId.NotFound",
                "The security group rule ID '" + std::string(id) + "' does not exist");
}

json::Value* rule_by_id(json::Value& group, std::string_view id) {
  for (json::Value& rule : group.as_object().find("Rules")->as_array())
    if (rule["SecurityGroupRuleId"].string_or({}) == id) return &rule;
  return nullptr;
}

// In a group of the default VPC a rule that is not there is named in the answer and the others are revoked; in any
// other VPC it is an error and nothing is revoked.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
Reply revoke(Request& request, bool egress) {
  FIXPOINT_TRY(stored, group_of(request));
  json::Value group = *stored;
  json::Array& there = group.as_object().find("Rules")->as_array();
  json::Array revoked;
  json::Array unknown;
  const json::Value& ids = request.input["SecurityGroupRuleIds"];
  if (ids.size() > 0) {
    if (request.input["IpPermissions"].size() > 0)
      return refuse("InvalidParameterCombination",
                    "The parameters ipPermissions and securityGroupRuleIds may not be used together");
    for (const json::Value& item : ids.as_array()) {  // ends with the first that is not there, or not there any more
      const std::string_view id = item.string_or({});
      FIXPOINT_CHECK(check_rule_id(id));
      const json::Value* rule = rule_by_id(group, id);
      if (rule == nullptr || (*rule)["IsEgress"].bool_or(false) != egress) return no_such_rule_id(id);
      revoked.push_back(revoked_rule(*rule, *stored));
      std::erase_if(there, [&](const json::Value& old) { return old["SecurityGroupRuleId"].string_or({}) == id; });
    }
  } else {
    FIXPOINT_TRY(rules, rules_in(request, egress));
    if (rules.empty())
      return refuse("MissingParameter", "The request must contain the parameter ipPermissions or securityGroupRuleIds");
    const bool lenient = (*stored)["VpcId"].string_or({}) == default_vpc(request);
    const RulePlaces places = places_of(there);
    std::vector<bool> gone(there.size());
    for (const json::Value& rule : rules) {
      const auto found = places.find(rule_key(rule));
      if (found == places.end()) {
        if (!lenient)
          return refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
        unknown.push_back(permissions_of(json::Array{rule}, egress)[0]);
        continue;
      }
      revoked.push_back(revoked_rule(there[found->second], *stored));
      gone[found->second] = true;
    }
    json::Array kept;
    for (std::size_t i = 0; i < there.size(); ++i)
      if (!gone[i]) kept.push_back(std::move(there[i]));
    there = std::move(kept);
  }
  if (!revoked.empty()) save(request, std::move(group));
  json::Object out{{"Return", true}};
  if (!unknown.empty()) out.set("UnknownIpPermissions", std::move(unknown));
  if (!revoked.empty()) out.set("RevokedSecurityGroupRules", std::move(revoked));
  return out;
}

Reply update_descriptions(Request& request, bool egress) {
  FIXPOINT_TRY(stored, group_of(request));
  json::Value group = *stored;
  const auto not_found = [] {
    return refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
  };
  const auto describe_as = [](json::Value& rule, const json::Value& text) {
    if (text.string_or({}).empty())
      rule.as_object().erase("Description");
    else
      rule.set("Description", text);
  };
  const json::Value& by_id = request.input["SecurityGroupRuleDescriptions"];
  for (std::size_t i = 0; i < by_id.size(); ++i) {
    const std::string_view id = by_id[i]["SecurityGroupRuleId"].string_or({});
    FIXPOINT_CHECK(check_rule_id(id));
    FIXPOINT_CHECK(check_description(by_id[i]["Description"].string_or({})));
    json::Value* rule = rule_by_id(group, id);
    if (rule == nullptr || (*rule)["IsEgress"].bool_or(false) != egress) return no_such_rule_id(id);
    describe_as(*rule, by_id[i]["Description"]);
  }
  FIXPOINT_TRY(rules, rules_in(request, egress));
  json::Array& there = group.as_object().find("Rules")->as_array();
  const RulePlaces places = places_of(there);
  for (const json::Value& rule : rules) {
    const auto found = places.find(rule_key(rule));
    if (found == places.end()) return not_found();
    describe_as(there[found->second], rule["Description"]);
  }
  if (rules.empty() && by_id.size() == 0)
    return refuse("MissingParameter",
                  "The request must contain the parameter ipPermissions or securityGroupRuleDescriptions");
  save(request, std::move(group));
  return json::Object{{"Return", true}};
}

// One rule as ModifySecurityGroupRules writes it, in the form of an IpPermission.
json::Value permission_of(const json::Value& rule) {
  json::Object permission{{"IpProtocol", rule["IpProtocol"]}};
  for (const auto member : {"FromPort", "ToPort"})
    if (!rule[member].is_null()) permission.set(member, rule[member]);
  const auto source = [&](std::string_view from, std::string_view list, std::string_view member) {
    if (rule[from].is_null()) return;
    json::Object item{{std::string(member), rule[from]}};
    if (!rule["Description"].is_null()) item.set("Description", rule["Description"]);
    permission.set(list, json::Array{std::move(item)});
  };
  source("CidrIpv4", "IpRanges", "CidrIp");
  source("CidrIpv6", "Ipv6Ranges", "CidrIpv6");
  source("PrefixListId", "PrefixListIds", "PrefixListId");
  source("ReferencedGroupId", "UserIdGroupPairs", "GroupId");
  return permission;
}

Reply modify_rules(Request& request) {
  FIXPOINT_TRY(stored, group_of(request));
  json::Value group = *stored;
  const json::Value& updates = request.input["SecurityGroupRules"];
  std::unordered_map<std::string, std::string> ids;  // rule_key -> id
  for (const json::Value& rule : group["Rules"].as_array())
    ids.emplace(rule_key(rule), rule["SecurityGroupRuleId"].string_or({}));
  std::optional<GroupNames> names;
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const std::string_view id = updates[i]["SecurityGroupRuleId"].string_or({});
    FIXPOINT_CHECK(check_rule_id(id));
    json::Value* old = rule_by_id(group, id);
    if (old == nullptr) return no_such_rule_id(id);
    const bool egress = (*old)["IsEgress"].bool_or(false);
    FIXPOINT_TRY(rules, rules_of(json::Array{permission_of(updates[i]["SecurityGroupRule"])}, egress,
                                 [&](const json::Value& pair) { return referenced_group(request, pair, names); }));
    if (rules.size() != 1)
      return refuse("InvalidParameterValue",
                    "A security group rule has exactly one source: an IPv4 range, an IPv6 range, a prefix list or a "
                    "security group");
    const std::string key = rule_key(rules[0]);
    if (const auto there = ids.find(key); there != ids.end() && there->second != id)
      return refuse("InvalidPermission.Duplicate",
                    "the specified rule \"" + describe_rule(rules[0]) + "\" already exists");
    ids.erase(rule_key(*old));
    ids.emplace(key, id);
    json::Object made{{"SecurityGroupRuleId", std::string(id)}};
    for (const json::Member& member : rules[0].as_object()) made.set(member.key, member.value);
    if (!(*old)["Tags"].is_null()) made.set("Tags", (*old)["Tags"]);
    *old = std::move(made);
  }
  save(request, std::move(group));
  return json::Object{{"Return", true}};
}

std::optional<std::vector<std::string>> filter_values(std::string_view name, const json::Value& rule) {
  if (name == "group-id") return std::vector<std::string>{std::string(rule["GroupId"].string_or({}))};
  if (name == "security-group-rule-id")
    return std::vector<std::string>{std::string(rule["SecurityGroupRuleId"].string_or({}))};
  return {};
}

Reply describe_rules(Request& request) {
  default_vpc(request);
  const json::Value& filters = request.input["Filters"];
  const json::Value& ids = request.input["SecurityGroupRuleIds"];
  FIXPOINT_CHECK(passes(filters, json::Object(), filter_values));
  std::unordered_map<std::string, bool> wanted;  // and whether it was found
  for (std::size_t i = 0; i < ids.size(); ++i) {
    FIXPOINT_CHECK(check_rule_id(ids[i].string_or({})));
    wanted.emplace(ids[i].string_or({}), false);
  }
  const std::int64_t most = request.input["MaxResults"].int_or(INT64_MAX);
  FIXPOINT_TRY(after, page_position(request.text("NextToken"), "InvalidNextToken",
                                    "The token '" + std::string(request.text("NextToken")) + "' is invalid"));
  // The place of a rule in the order of all: its group and its own id.
  std::vector<std::pair<std::string, json::Value>> found;
  Result<void> done;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view group_id, const Document& group) {
    if (!group) return true;
    for (const json::Value& rule : (*group)["Rules"].as_array()) {
      const std::string id(rule["SecurityGroupRuleId"].string_or({}));
      if (!wanted.empty()) {
        const auto place = wanted.find(id);
        if (place == wanted.end()) continue;
        place->second = true;
      }
      json::Value shown = shown_rule(rule, *group);
      auto fits = passes(filters, shown, filter_values);
      if (!fits) {
        done = fail(std::move(fits.error()));
        return false;
      }
      if (*fits) found.emplace_back(std::string(group_id) + "/" + id, std::move(shown));
    }
    return true;
  });
  FIXPOINT_CHECK(done);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (!wanted.find(std::string(ids[i].string_or({})))->second) return no_such_rule_id(ids[i].string_or({}));
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  json::Array items;
  std::string last;
  json::Object out;
  for (auto& [place, rule] : found) {
    if (place <= after) continue;
    if (static_cast<std::int64_t>(items.size()) == most) {
      out.set("NextToken", page_token(last));
      break;
    }
    items.push_back(std::move(rule));
    last = place;
  }
  out.set("SecurityGroupRules", std::move(items));
  return out;
}

}  // namespace

void add_rules(Table& table) {
  table.changes("AuthorizeSecurityGroupIngress", [](Request& request) { return authorize(request, false); });
  table.changes("AuthorizeSecurityGroupEgress", [](Request& request) { return authorize(request, true); });
  table.changes("RevokeSecurityGroupIngress", [](Request& request) { return revoke(request, false); });
  table.changes("RevokeSecurityGroupEgress", [](Request& request) { return revoke(request, true); });
  table.changes("UpdateSecurityGroupRuleDescriptionsIngress",
                [](Request& request) { return update_descriptions(request, false); });
  table.changes("UpdateSecurityGroupRuleDescriptionsEgress",
                [](Request& request) { return update_descriptions(request, true); });
  table.changes("ModifySecurityGroupRules", modify_rules);
  table.reads("DescribeSecurityGroupRules", describe_rules);
}

}  // namespace fixpoint::sandbox::ec2
