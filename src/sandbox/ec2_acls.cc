#include <algorithm>

#include "base/text.h"
#include "sandbox/ec2.h"
#include "sandbox/ec2_rule.h"

namespace fixpoint::sandbox::ec2 {
namespace {

constexpr std::string_view type = "network-acl";
// The last rule of every list, which nobody can change: what no other rule let in is refused.
constexpr std::int64_t last_rule = 32767;

json::Value entry(bool egress, std::int64_t number, std::string_view action) {
  return json::Object{{"CidrBlock", "0.0.0.0/0"},
                      {"Egress", egress},
                      {"Protocol", "-1"},
                      {"RuleAction", action},
                      {"RuleNumber", number}};
}

json::Value new_acl(const Request& request, const std::string& id, const std::string& vpc, bool is_default) {
  json::Array entries;
  for (const bool egress : {true, false}) {
    if (is_default) entries.push_back(entry(egress, 100, "allow"));
    entries.push_back(entry(egress, last_rule, "deny"));
  }
  return json::Object{{"NetworkAclId", id},
                      {"VpcId", vpc},
                      {"OwnerId", request.context.account},
                      {"IsDefault", is_default},
                      {"Entries", std::move(entries)}};
}

// Every subnet is under its VPC's default list: no operation here moves it to another.
json::Array associations(Request& request, const json::Value& acl) {
  json::Array out;
  if (!acl["IsDefault"].bool_or(false)) return out;
  request.state.each(scope(request, "subnet"), {}, {}, [&](std::string_view id, const Document& subnet) {
    if (subnet && (*subnet)["VpcId"] == acl["VpcId"])
      out.push_back(json::Object{{"NetworkAclAssociationId", "aclassoc-" + std::string(id.substr(id.find('-') + 1))},
                                 {"NetworkAclId", acl["NetworkAclId"]},
                                 {"SubnetId", id}});
    return true;
  });
  return out;
}

Reply describe_acls(Request& request) {
  default_vpc(request);
  FIXPOINT_TRY(answer, describe(request, {.type = type,
                                          .ids = "NetworkAclIds",
                                          .into = "NetworkAcls",
                                          .id_prefix = "acl-",
                                          .missing_code = "InvalidNetworkAclID.NotFound",
                                          .malformed_code = "InvalidNetworkAclId.Malformed",
                                          .noun = "networkAcl ID",
                                          .filters =
                                              [](std::string_view name, const json::Value& it) {
                                                return filter_members(name, it,
                                                                      {{"network-acl-id", "NetworkAclId"},
                                                                       {"vpc-id", "VpcId"},
                                                                       {"owner-id", "OwnerId"},
                                                                       {"default", "IsDefault"}});
                                              },
                                          .show = {}}));
  json::Value out = answer;
  for (json::Value& acl : out.as_object()["NetworkAcls"].as_array())
    acl.set("Associations", associations(request, acl));
  return out;
}

Result<Document> acl_of(Request& request) {
  default_vpc(request);
  return resource_of(request, type, "NetworkAclId", "acl-", "InvalidNetworkAclID.NotFound",
                     "InvalidNetworkAclId.Malformed", "networkAcl ID");
}

Reply create_acl(Request& request) {
  default_vpc(request);
  FIXPOINT_TRY(
      vpc, resource_of(request, "vpc", "VpcId", "vpc-", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "vpc ID"));
  const std::string id = new_id("acl-");
  json::Value acl = new_acl(request, id, std::string((*vpc)["VpcId"].string_or({})), false);
  FIXPOINT_TRY(tags, new_tags(request, type));
  if (tags.size() > 0) acl.set("Tags", std::move(tags));
  request.state.put(scope(request, type), id, acl);
  acl.set("Associations", json::Array());
  return json::Object{{"NetworkAcl", std::move(acl)}};
}

Reply delete_acl(Request& request) {
  FIXPOINT_TRY(acl, acl_of(request));
  if ((*acl)["IsDefault"].bool_or(false))
    return refuse("InvalidParameterValue",
                  "cannot delete default network ACL " + std::string(request.text("NetworkAclId")));
  request.state.erase(scope(request, type), request.text("NetworkAclId"));
  return empty();
}

// A protocol by its number, `-1` for all: so the list is shown.
Result<std::string> protocol_number(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"all", "-1"}, {"icmp", "1"}, {"tcp", "6"}, {"udp", "17"}, {"icmpv6", "58"}};
  const std::string lower = to_lower(text);
  for (const auto& [name, number] : names)
    if (lower == name) return std::string(number);
  const auto number = to_int64(lower);
  if (number && *number >= -1 && *number <= 255) return std::to_string(*number);
  return refuse("InvalidParameterValue",
                "Invalid value '" + std::string(text) + "' for IP protocol. Unknown protocol.");
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html
Result<json::Value> entry_in(const Request& request) {
  const std::int64_t number = request.input["RuleNumber"].int_or(0);
  if (number < 1 || number >= last_rule)
    return refuse("InvalidParameterValue", "Value (" + std::to_string(number) +
                                               ") for parameter ruleNumber is invalid. Expecting a value between 1 and "
                                               "32766.");
  json::Object made;
  if (request.has("CidrBlock") == request.has("Ipv6CidrBlock"))
    return refuse("InvalidParameterCombination",
                  "The request must contain exactly one of the parameters cidrBlock and ipv6CidrBlock");
  for (const auto& [member, ipv6] : {std::pair{"CidrBlock", false}, {"Ipv6CidrBlock", true}}) {
    if (!request.has(member)) continue;
    FIXPOINT_TRY(cidr, canonical_cidr(std::string(request.text(member)), ipv6));
    made.set(member, cidr);
  }
  made.set("Egress", request.input["Egress"].bool_or(false));
  FIXPOINT_TRY(protocol, protocol_number(request.text("Protocol")));
  if (protocol == "1" || protocol == "58") {
    if (!request.has("IcmpTypeCode"))
      return refuse("MissingParameter", "The request must contain the parameter icmpTypeCode.type");
    made.set("IcmpTypeCode", request.input["IcmpTypeCode"]);
  }
  if (protocol == "6" || protocol == "17") {
    if (!request.has("PortRange"))
      return refuse("MissingParameter", "The request must contain the parameter portRange.from");
    made.set("PortRange", request.input["PortRange"]);
  }
  made.set("Protocol", protocol);
  if (request.text("RuleAction") != "allow" && request.text("RuleAction") != "deny")
    return refuse("InvalidParameterValue", "Value (" + std::string(request.text("RuleAction")) +
                                               ") for parameter ruleAction is invalid. Expecting allow or deny.");
  made.set("RuleAction", request.input["RuleAction"]);
  made.set("RuleNumber", number);
  return json::Value(std::move(made));
}

enum class Change : std::uint8_t { Create, Replace, Delete };

Reply change_entry(Request& request, Change change) {
  FIXPOINT_TRY(stored, acl_of(request));
  json::Value acl = *stored;
  json::Value made;
  if (change != Change::Delete) {
    FIXPOINT_TRY(read, entry_in(request));
    made = read;
  }
  const std::int64_t number = request.input["RuleNumber"].int_or(0);
  const bool egress = request.input["Egress"].bool_or(false);
  if (number == last_rule)
    return refuse("InvalidParameterValue", "Rule number 32767 is the network ACL's own and cannot be changed.");
  json::Array& entries = acl.as_object()["Entries"].as_array();
  const auto there = std::find_if(entries.begin(), entries.end(), [&](const json::Value& one) {
    return one["RuleNumber"].int_or(0) == number && one["Egress"].bool_or(false) == egress;
  });
  if (change == Change::Create) {
    if (there != entries.end())
      return refuse("NetworkAclEntryAlreadyExists",
                    "The network acl entry identified by " + std::to_string(number) + " already exists.");
    entries.push_back(std::move(made));
  } else {
    if (there == entries.end())
      return refuse("InvalidNetworkAclEntry.NotFound",
                    "The network acl entry identified by " + std::to_string(number) + " does not exist.");
    if (change == Change::Replace)
      *there = std::move(made);
    else
      entries.erase(there);
  }
  // As they are shown: outbound first, each direction in the order in which it is evaluated.
  std::sort(entries.begin(), entries.end(), [](const json::Value& a, const json::Value& b) {
    const bool a_out = a["Egress"].bool_or(false);
    const bool b_out = b["Egress"].bool_or(false);
    return a_out != b_out ? a_out : a["RuleNumber"].int_or(0) < b["RuleNumber"].int_or(0);
  });
  request.state.put(scope(request, type), request.text("NetworkAclId"), std::move(acl));
  return empty();
}

}  // namespace

void furnish_acl(Request& request, const std::string& id, const std::string& vpc_id) {
  request.state.put(scope(request, type), id, new_acl(request, id, vpc_id, true));
}

void add_acls(Table& table) {
  table.reads("DescribeNetworkAcls", describe_acls);
  table.changes("CreateNetworkAcl", create_acl);
  table.changes("DeleteNetworkAcl", delete_acl);
  table.changes("CreateNetworkAclEntry", [](Request& request) { return change_entry(request, Change::Create); });
  table.changes("ReplaceNetworkAclEntry", [](Request& request) { return change_entry(request, Change::Replace); });
  table.changes("DeleteNetworkAclEntry", [](Request& request) { return change_entry(request, Change::Delete); });
}

}  // namespace fixpoint::sandbox::ec2
