#include <algorithm>
#include <map>

#include "sandbox/ec2.h"
#include "sandbox/ec2_rule.h"

namespace fixpoint::sandbox::ec2 {
namespace {

constexpr std::string_view type = "security-group";

Result<void> check_text(std::string_view text, std::string_view parameter, std::size_t limit) {
  static constexpr std::string_view extra = ". _-:/()#,@[]+=&;{}!$*";
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
  if (!fits)
    return refuse("InvalidParameterValue", "Value (" + std::string(text) + ") for parameter " + std::string(parameter) +
                                               " is invalid. Character sets beyond ASCII are not supported.");
  if (text.size() > limit)
    return refuse("InvalidParameterValue", "Value (" + std::string(text) + ") for parameter " + std::string(parameter) +
                                               " is invalid. It must be at most " + std::to_string(limit) +
                                               " characters long.");
  return {};
}

Reply create_security_group(Request& request) {
  const std::string name(request.text("GroupName"));
  if (name.empty()) return refuse("MissingParameter", "The request must contain the parameter GroupName");
  FIXPOINT_CHECK(check_text(name, "groupName", 255));
  if (request.text("Description").empty())
    return refuse("MissingParameter", "The request must contain the parameter GroupDescription");
  FIXPOINT_CHECK(check_text(request.text("Description"), "groupDescription", 255));
  if (name.substr(0, 3) == "sg-")
    return refuse("InvalidParameterValue",
                  "Value (" + name + ") for parameter groupName is invalid. Group names may not be in the format sg-*");
  if (name == "default") return refuse("InvalidParameterValue", "Cannot use reserved security group name: default");
  const std::string of_account = default_vpc(request);
  std::string vpc(request.text("VpcId"));
  if (vpc.empty()) {
    if (of_account.empty()) return refuse("VPCIdNotSpecified", "No default VPC for this user");
    vpc = of_account;
  } else if (!is_id(vpc, "vpc-")) {
    return refuse("InvalidVpcID.Malformed", "Invalid id: \"" + vpc + "\" (expecting \"vpc-...\")");
  } else if (!request.state.get(scope(request, "vpc"), vpc)) {
    return refuse("InvalidVpcID.NotFound", "The vpc ID '" + vpc + "' does not exist");
  }
  bool taken = false;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view, const Document& body) {
    taken = body && (*body)["GroupName"].string_or({}) == name && (*body)["VpcId"].string_or({}) == vpc;
    return !taken;
  });
  if (taken)
    return refuse("InvalidGroup.Duplicate", "The security group '" + name + "' already exists for VPC '" + vpc + "'");
  FIXPOINT_TRY(tags, new_tags(request, type));
  const std::string id = new_id("sg-");
  json::Value group = json::Object{{"GroupId", id},
                                   {"GroupName", name},
                                   {"Description", request.input["Description"]},
                                   {"OwnerId", request.context.account},
                                   {"VpcId", vpc},
                                   {"SecurityGroupArn", request.arn("ec2", "security-group/" + id)},
                                   {"Rules", json::Array{json::Object{{"SecurityGroupRuleId", new_id("sgr-")},
                                                                      {"IsEgress", true},
                                                                      {"IpProtocol", "-1"},
                                                                      {"FromPort", -1},
                                                                      {"ToPort", -1},
                                                                      {"CidrIpv4", "0.0.0.0/0"}}}}};
  json::Object answer{{"GroupId", id}};
  if (tags.size() > 0) {
    answer.set("Tags", tags);
    group.set("Tags", std::move(tags));
  }
  answer.set("SecurityGroupArn", group["SecurityGroupArn"]);
  render_permissions(group);
  request.state.put(scope(request, type), id, std::move(group));
  return answer;
}

bool refers_to(const json::Value& group, std::string_view id) {
  const json::Value& rules = group["Rules"];
  for (std::size_t i = 0; i < rules.size(); ++i)
    if (rules[i]["ReferencedGroupInfo"]["GroupId"].string_or({}) == id) return true;
  return false;
}

bool is_used(Request& request, std::string_view id) {
  bool used = false;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view other, const Document& body) {
    used = body && other != id && refers_to(*body, id);
    return !used;
  });
  if (used) return true;
  request.state.each(scope(request, "instance"), {}, {}, [&](std::string_view, const Document& body) {
    if (!body || (*body)["State"]["Name"].string_or({}) == "terminated") return true;
    const json::Value& groups = (*body)["SecurityGroups"];
    for (std::size_t i = 0; i < groups.size(); ++i) used = used || groups[i]["GroupId"].string_or({}) == id;
    return !used;
  });
  return used;
}

// The values of a filter that looks into the permissions.
std::vector<std::string> of_permissions(const json::Value& group, bool egress, std::string_view what) {
  std::vector<std::string> out;
  const json::Value& rules = group["Rules"];
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const json::Value& rule = rules[i];
    if (rule["IsEgress"].bool_or(false) != egress) continue;
    json::Value value;
    if (what == "cidr") value = rule["CidrIpv4"];
    if (what == "ipv6-cidr") value = rule["CidrIpv6"];
    if (what == "prefix-list-id") value = rule["PrefixListId"];
    if (what == "group-id") value = rule["ReferencedGroupInfo"]["GroupId"];
    if (what == "user-id") value = rule["ReferencedGroupInfo"]["UserId"];
    if (what == "protocol") value = rule["IpProtocol"];
    if (what == "from-port" || what == "to-port") {
      const json::Value& port = rule[what == "from-port" ? "FromPort" : "ToPort"];
      if (rule["IpProtocol"].string_or({}) != "-1") value = std::to_string(port.int_or(-1));
    }
    if (value.is_string()) out.push_back(value.as_string());
  }
  return out;
}

std::optional<std::vector<std::string>> filter_values(std::string_view name, const json::Value& group) {
  static constexpr std::pair<std::string_view, std::string_view> members[] = {{"description", "Description"},
                                                                              {"group-id", "GroupId"},
                                                                              {"group-name", "GroupName"},
                                                                              {"owner-id", "OwnerId"},
                                                                              {"vpc-id", "VpcId"}};
  for (const auto& [filter, member] : members)
    if (name == filter) return std::vector<std::string>{std::string(group[member].string_or({}))};
  const bool egress = name.substr(0, 7) == "egress.";
  if (egress) name.remove_prefix(7);
  if (name.substr(0, 14) != "ip-permission.") return {};
  name.remove_prefix(14);
  static constexpr std::string_view known[] = {"cidr",    "ipv6-cidr", "prefix-list-id", "group-id",
                                               "user-id", "protocol",  "from-port",      "to-port"};
  if (std::find(std::begin(known), std::end(known), name) == std::end(known)) return {};
  return of_permissions(group, egress, name);
}

json::Value shown(const json::Value& group) {
  json::Object out;
  out.reserve(group.size());
  for (const json::Member& member : group.as_object())
    if (member.key != "Rules") out.append(member.key, member.value);
  return out;
}

Reply describe_security_groups(Request& request) {
  default_vpc(request);
  const json::Value& most = request.input["MaxResults"];
  if (!most.is_null() && (most.int_or(0) < 5 || most.int_or(0) > 1000))
    return refuse("InvalidParameterValue",
                  "Value ( " + std::to_string(most.int_or(0)) +
                      " ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
  json::Array items;
  if (const json::Value& names = request.input["GroupNames"]; names.size() > 0) {
    // Names are looked for in the default VPC only.
    const std::string vpc = default_vpc(request);
    std::map<std::string, Document, std::less<>> by_name;
    request.state.each(scope(request, type), {}, {}, [&](std::string_view, const Document& body) {
      if (body && (*body)["VpcId"].string_or({}) == vpc) by_name.emplace((*body)["GroupName"].string_or({}), body);
      return true;
    });
    for (const json::Value& name : names.as_array()) {
      if (const auto found = by_name.find(name.string_or({})); found != by_name.end())
        items.push_back(shown(*found->second));
      else
        return refuse("InvalidGroup.NotFound", "The security group '" + std::string(name.string_or({})) +
                                                   "' does not exist in default VPC '" + vpc + "'");
    }
    return json::Object{{"SecurityGroups", std::move(items)}};
  }
  return describe(request, {.type = type,
                            .ids = "GroupIds",
                            .into = "SecurityGroups",
                            .id_prefix = "sg-",
                            .missing_code = "InvalidGroup.NotFound",
                            .malformed_code = "InvalidGroupId.Malformed",
                            .noun = "security group",
                            .filters = filter_values,
                            .show = shown});
}

Reply delete_security_group(Request& request) {
  const std::string vpc = default_vpc(request);
  std::string id(request.text("GroupId"));
  if (id.empty()) {
    if (request.text("GroupName").empty())
      return refuse("MissingParameter", "The request must contain the parameter groupName or groupId");
    request.state.each(scope(request, type), {}, {}, [&](std::string_view other, const Document& body) {
      if (body && (*body)["GroupName"] == request.input["GroupName"] && (*body)["VpcId"].string_or({}) == vpc)
        id = other;
      return id.empty();
    });
    if (id.empty())
      return refuse("InvalidGroup.NotFound", "The security group '" + std::string(request.text("GroupName")) +
                                                 "' does not exist in default VPC '" + vpc + "'");
  }
  if (!is_id(id, "sg-")) return refuse("InvalidGroupId.Malformed", "Invalid id: \"" + id + "\" (expecting \"sg-...\")");
  const Document group = request.state.get(scope(request, type), id);
  if (!group) return refuse("InvalidGroup.NotFound", "The security group '" + id + "' does not exist");
  if ((*group)["GroupName"].string_or({}) == "default")
    return refuse("CannotDelete", "the specified group: \"" + id + "\" name: \"default\" cannot be deleted by a user");
  if (is_used(request, id)) return refuse("DependencyViolation", "resource " + id + " has a dependent object");
  request.state.erase(scope(request, type), id);
  return json::Object{{"Return", true}, {"GroupId", id}};
}

}  // namespace

void render_permissions(json::Value& group) {
  group.set("IpPermissions", permissions_of(group["Rules"], false));
  group.set("IpPermissionsEgress", permissions_of(group["Rules"], true));
}

void add_security_groups(Table& table) {
  table.changes("CreateSecurityGroup", create_security_group);
  table.changes("DeleteSecurityGroup", delete_security_group);
  table.reads("DescribeSecurityGroups", describe_security_groups);
}

}  // namespace fixpoint::sandbox::ec2
