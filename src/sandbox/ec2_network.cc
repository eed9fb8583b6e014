#include "base/hash.h"
#include "base/text.h"
#include "sandbox/ec2.h"
#include "sandbox/ec2_rule.h"

namespace fixpoint::sandbox::ec2 {
namespace {

// The same id for the same account, region and purpose: a default VPC has it before anything is stored.
std::string fixed_id(const Request& request, std::string_view prefix, std::string_view purpose) {
  return std::string(prefix) + "0" +
         sha256_hex(request.context.account + "/" + request.context.region + "/" + std::string(purpose)).substr(0, 16);
}

json::Value subnet(const Request& request, const std::string& vpc, const std::string& id, const std::string& zone,
                   const std::string& cidr, std::int64_t addresses, bool is_default) {
  return json::Object{{"SubnetId", id},
                      {"SubnetArn", request.arn("ec2", "subnet/" + id)},
                      {"VpcId", vpc},
                      {"OwnerId", request.context.account},
                      {"State", "available"},
                      {"CidrBlock", cidr},
                      {"AvailabilityZone", zone},
                      {"AvailabilityZoneId", zone_id(zone)},
                      {"AvailableIpAddressCount", addresses},
                      {"DefaultForAz", is_default},
                      {"MapPublicIpOnLaunch", is_default},
                      {"MapCustomerOwnedIpOnLaunch", false},
                      {"AssignIpv6AddressOnCreation", false},
                      {"Ipv6CidrBlockAssociationSet", json::Array()},
                      {"EnableDns64", false},
                      {"Ipv6Native", false},
                      {"PrivateDnsNameOptionsOnLaunch", json::Object{{"HostnameType", "ip-name"},
                                                                     {"EnableResourceNameDnsARecord", false},
                                                                     {"EnableResourceNameDnsAAAARecord", false}}}};
}

json::Value vpc(const Request& request, const std::string& id, const std::string& cidr, bool is_default) {
  return json::Object{{"VpcId", id},
                      {"OwnerId", request.context.account},
                      {"State", "available"},
                      {"CidrBlock", cidr},
                      {"DhcpOptionsId", fixed_id(request, "dopt-", "dhcp")},
                      {"InstanceTenancy", "default"},
                      {"IsDefault", is_default},
                      {"CidrBlockAssociationSet",
                       json::Array{json::Object{{"AssociationId", fixed_id(request, "vpc-cidr-assoc-", id)},
                                                {"CidrBlock", cidr},
                                                {"CidrBlockState", json::Object{{"State", "associated"}}}}}}};
}

Reply describe_vpcs(Request& request) {
  default_vpc(request);
  return describe(request, {.type = "vpc",
                            .ids = "VpcIds",
                            .into = "Vpcs",
                            .id_prefix = "vpc-",
                            .missing_code = "InvalidVpcID.NotFound",
                            .malformed_code = "InvalidVpcID.Malformed",
                            .noun = "vpc ID",
                            .filters =
                                [](std::string_view name, const json::Value& it) {
                                  return filter_members(name, it,
                                                        {{"vpc-id", "VpcId"},
                                                         {"cidr", "CidrBlock"},
                                                         {"state", "State"},
                                                         {"owner-id", "OwnerId"},
                                                         {"dhcp-options-id", "DhcpOptionsId"},
                                                         {"is-default", "IsDefault"},
                                                         {"isDefault", "IsDefault"}});
                                },
                            .show = {}});
}

Reply describe_subnets(Request& request) {
  default_vpc(request);
  return describe(request, {.type = "subnet",
                            .ids = "SubnetIds",
                            .into = "Subnets",
                            .id_prefix = "subnet-",
                            .missing_code = "InvalidSubnetID.NotFound",
                            .malformed_code = "InvalidSubnetID.Malformed",
                            .noun = "subnet ID",
                            .filters =
                                [](std::string_view name, const json::Value& it) {
                                  return filter_members(name, it,
                                                        {{"subnet-id", "SubnetId"},
                                                         {"vpc-id", "VpcId"},
                                                         {"state", "State"},
                                                         {"owner-id", "OwnerId"},
                                                         {"cidr", "CidrBlock"},
                                                         {"cidr-block", "CidrBlock"},
                                                         {"availability-zone", "AvailabilityZone"},
                                                         {"availabilityZone", "AvailabilityZone"},
                                                         {"availability-zone-id", "AvailabilityZoneId"},
                                                         {"default-for-az", "DefaultForAz"},
                                                         {"map-public-ip-on-launch", "MapPublicIpOnLaunch"},
                                                         {"subnet-arn", "SubnetArn"}});
                                },
                            .show = {}});
}

Reply create_vpc(Request& request) {
  default_vpc(request);
  const std::string asked(request.text("CidrBlock"));
  if (asked.empty()) return refuse("MissingParameter", "The request must contain the parameter cidrBlock");
  auto cidr = canonical_cidr(asked, false);
  const auto bits = to_int64(std::string_view(asked).substr(asked.find('/') + 1)).value_or(0);
  if (!cidr || bits < 16 || bits > 28) return refuse("InvalidVpc.Range", "The CIDR '" + asked + "' is invalid.");
  const std::string id = new_id("vpc-");
  json::Value made = vpc(request, id, *cidr, false);
  FIXPOINT_TRY(tags, new_tags(request, "vpc"));
  if (tags.size() > 0) made.set("Tags", std::move(tags));
  request.state.put(scope(request, "vpc"), id, made);
  furnish_vpc(request, id, id);
  return json::Object{{"Vpc", std::move(made)}};
}

Result<Document> vpc_of(Request& request) {
  const std::string id(request.text("VpcId"));
  if (!is_id(id, "vpc-")) return refuse("InvalidVpcID.Malformed", "Invalid id: \"" + id + "\" (expecting \"vpc-...\")");
  Document found = request.state.get(scope(request, "vpc"), id);
  if (!found) return refuse("InvalidVpcID.NotFound", "The vpc ID '" + id + "' does not exist");
  return found;
}

// What a VPC comes with goes with it; what was made in it stands in the way.
Reply delete_vpc(Request& request) {
  default_vpc(request);
  FIXPOINT_CHECK(vpc_of(request));
  const std::string id(request.text("VpcId"));
  std::vector<std::pair<Scope, std::string>> own;
  bool used = false;
  for (const std::string_view type : {"security-group", "network-acl", "subnet", "vpc-endpoint"}) {
    request.state.each(scope(request, type), {}, {}, [&](std::string_view other, const Document& body) {
      if (!body || (*body)["VpcId"].string_or({}) != id) return true;
      if ((type == "security-group" && (*body)["GroupName"].string_or({}) == "default") ||
          (type == "network-acl" && (*body)["IsDefault"].bool_or(false)))
        own.emplace_back(scope(request, type), other);
      else
        used = true;
      return true;
    });
  }
  if (used) return refuse("DependencyViolation", "The vpc '" + id + "' has dependencies and cannot be deleted.");
  for (const auto& [place, other] : own) request.state.erase(place, other);
  request.state.erase(scope(request, "vpc"), id);
  return empty();
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// The addresses of a block in its canonical form.
Range range_of(std::string_view cidr) {
  const auto slash = cidr.find('/');
  std::uint32_t address = 0;
  for (const std::string_view part : split(cidr.substr(0, slash), '.'))
    address = address << 8 | static_cast<std::uint32_t>(to_int64(part).value_or(0));
  const auto bits = to_int64(cidr.substr(slash + 1)).value_or(32);
  const std::uint32_t rest = bits >= 32 ? 0 : 0xffffffffU >> bits;
  return {address & ~rest, address | rest};
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
Result<void> check_place(Request& request, const json::Value& vpc, const std::string& cidr) {
  const Range wanted = range_of(cidr);
  const Range around = range_of(vpc["CidrBlock"].string_or("0.0.0.0/0"));
  if (wanted.first < around.first || wanted.last > around.last)
    return refuse("InvalidSubnet.Range", "The CIDR '" + cidr + "' is invalid.");
  bool taken = false;
  request.state.each(scope(request, "subnet"), {}, {}, [&](std::string_view, const Document& body) {
    if (!body || !((*body)["VpcId"] == vpc["VpcId"])) return true;
    const Range other = range_of((*body)["CidrBlock"].string_or({}));
    taken = wanted.first <= other.last && other.first <= wanted.last;
    return !taken;
  });
  if (taken) return refuse("InvalidSubnet.Conflict", "The CIDR '" + cidr + "' conflicts with another subnet");
  return {};
}

Reply create_subnet(Request& request) {
  default_vpc(request);
  FIXPOINT_TRY(vpc, vpc_of(request));
  auto cidr = canonical_cidr(std::string(request.text("CidrBlock")), false);
  if (!cidr)
    return refuse("InvalidSubnet.Range", "The CIDR '" + std::string(request.text("CidrBlock")) + "' is invalid.");
  const auto bits = to_int64(std::string_view(*cidr).substr(cidr->find('/') + 1)).value_or(0);
  if (bits < 16 || bits > 28) return refuse("InvalidSubnet.Range", "The CIDR '" + *cidr + "' is invalid.");
  FIXPOINT_CHECK(check_place(request, *vpc, *cidr));
  const std::string id = new_id("subnet-");
  const auto zone = zone_in(request);
  if (!zone) {
    const bool by_name = request.has("AvailabilityZone");
    return refuse("InvalidParameterValue",
                  "Value (" + std::string(request.text(by_name ? "AvailabilityZone" : "AvailabilityZoneId")) +
                      ") for parameter " + (by_name ? "availabilityZone" : "availabilityZoneId") +
                      " is invalid. Subnets can currently only be created in the availability zones " +
                      request.context.region + "a to " + request.context.region + "f.");
  }
  json::Value made = subnet(request, std::string(request.text("VpcId")), id, *zone, *cidr,
                            (std::int64_t{1} << (32 - bits)) - 5, false);
  FIXPOINT_TRY(tags, new_tags(request, "subnet"));
  if (tags.size() > 0) made.set("Tags", std::move(tags));
  request.state.put(scope(request, "subnet"), id, made);
  return json::Object{{"Subnet", std::move(made)}};
}

Result<Document> subnet_of(Request& request) {
  const std::string id(request.text("SubnetId"));
  if (!is_id(id, "subnet-"))
    return refuse("InvalidSubnetID.Malformed", "Invalid id: \"" + id + "\" (expecting \"subnet-...\")");
  Document found = request.state.get(scope(request, "subnet"), id);
  if (!found) return refuse("InvalidSubnetID.NotFound", "The subnet ID '" + id + "' does not exist");
  return found;
}

Reply delete_subnet(Request& request) {
  default_vpc(request);
  FIXPOINT_CHECK(subnet_of(request));
  bool used = false;
  request.state.each(scope(request, "instance"), {}, {}, [&](std::string_view, const Document& body) {
    used = body && (*body)["SubnetId"] == request.input["SubnetId"] &&
           (*body)["State"]["Name"].string_or({}) != "terminated";
    return !used;
  });
  if (used)
    return refuse("DependencyViolation",
                  "The subnet '" + std::string(request.text("SubnetId")) + "' has dependencies and cannot be deleted.");
  request.state.erase(scope(request, "subnet"), request.text("SubnetId"));
  return empty();
}

// One attribute a call. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html
Reply modify_subnet_attribute(Request& request) {
  default_vpc(request);
  FIXPOINT_TRY(found, subnet_of(request));
  json::Value body = *found;
  int given = 0;
  for (const auto member :
       {"MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64", "MapCustomerOwnedIpOnLaunch"}) {
    if (!request.has(member)) continue;
    body.set(member, request.input[member]["Value"].bool_or(false));
    ++given;
  }
  // These three say in one structure how instances are named.
  json::Value& naming = body.at_or_make("PrivateDnsNameOptionsOnLaunch");
  if (request.has("PrivateDnsHostnameTypeOnLaunch")) {
    naming.set("HostnameType", request.input["PrivateDnsHostnameTypeOnLaunch"]);
    ++given;
  }
  for (const auto& [member, option] :
       {std::pair{"EnableResourceNameDnsARecordOnLaunch", "EnableResourceNameDnsARecord"},
        {"EnableResourceNameDnsAAAARecordOnLaunch", "EnableResourceNameDnsAAAARecord"}}) {
    if (!request.has(member)) continue;
    naming.set(option, request.input[member]["Value"].bool_or(false));
    ++given;
  }
  if (given == 0) return refuse("MissingParameter", "The request must contain an attribute to modify");
  if (given > 1) return refuse("InvalidParameterCombination", "Fewer attributes must be specified: one at a time");
  request.state.put(scope(request, "subnet"), request.text("SubnetId"), std::move(body));
  return empty();
}

constexpr std::pair<std::string_view, std::string_view> vpc_attributes[] = {
    {"enableDnsSupport", "EnableDnsSupport"},
    {"enableDnsHostnames", "EnableDnsHostnames"},
    {"enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics"}};

Reply describe_vpc_attribute(Request& request) {
  default_vpc(request);
  FIXPOINT_TRY(found, vpc_of(request));
  for (const auto& [name, member] : vpc_attributes) {
    if (request.text("Attribute") != name) continue;
    // A default VPC has host names, another does not; every one has name resolution.
    const bool by_default =
        name == "enableDnsSupport" || (name == "enableDnsHostnames" && (*found)["IsDefault"].bool_or(false));
    const Document set = request.state.get(scope(request, "vpc-attribute"),
                                           std::string(request.text("VpcId")) + "/" + std::string(name));
    return json::Object{{"VpcId", request.input["VpcId"]},
                        {std::string(member), json::Object{{"Value", set ? *set : json::Value(by_default)}}}};
  }
  return refuse("InvalidParameterValue", "Value (" + std::string(request.text("Attribute")) +
                                             ") for parameter attribute is invalid. Unknown attribute");
}

Reply modify_vpc_attribute(Request& request) {
  default_vpc(request);
  FIXPOINT_CHECK(vpc_of(request));
  int given = 0;
  for (const auto& [name, member] : vpc_attributes) {
    if (!request.has(member)) continue;
    ++given;
    request.state.put(scope(request, "vpc-attribute"), std::string(request.text("VpcId")) + "/" + std::string(name),
                      request.input[member]["Value"].bool_or(false));
  }
  if (given != 1) return refuse("InvalidParameterCombination", "Exactly one attribute must be specified");
  return empty();
}

}  // namespace

void furnish_vpc(Request& request, const std::string& vpc_id, std::string_view seed) {
  const std::string id = fixed_id(request, "sg-", std::string(seed) + "/default-group");
  json::Value group = json::Object{
      {"GroupId", id},
      {"GroupName", "default"},
      {"Description", "default VPC security group"},
      {"OwnerId", request.context.account},
      {"VpcId", vpc_id},
      {"SecurityGroupArn", request.arn("ec2", "security-group/" + id)},
      {"Rules", json::Array{json::Object{{"SecurityGroupRuleId", fixed_id(request, "sgr-", std::string(seed) + "/in")},
                                         {"IsEgress", false},
                                         {"IpProtocol", "-1"},
                                         {"FromPort", -1},
                                         {"ToPort", -1},
                                         {"ReferencedGroupInfo",
                                          json::Object{{"GroupId", id}, {"UserId", request.context.account}}}},
                            json::Object{{"SecurityGroupRuleId", fixed_id(request, "sgr-", std::string(seed) + "/out")},
                                         {"IsEgress", true},
                                         {"IpProtocol", "-1"},
                                         {"FromPort", -1},
                                         {"ToPort", -1},
                                         {"CidrIpv4", "0.0.0.0/0"}}}}};
  render_permissions(group);
  request.state.put(scope(request, "security-group"), id, std::move(group));
  furnish_acl(request, fixed_id(request, "acl-", std::string(seed) + "/default-acl"), vpc_id);
}

std::string default_vpc(Request& request) {
  const Scope marker = scope(request, "account");
  std::string id = fixed_id(request, "vpc-", "default-vpc");
  if (request.state.get(marker, "network")) return request.state.get(scope(request, "vpc"), id) ? id : std::string();
  request.state.put(marker, "network", true);
  request.state.put(scope(request, "vpc"), id, vpc(request, id, "172.31.0.0/16", true));
  furnish_vpc(request, id, "default-vpc");
  int block = 0;
  for (const std::string letter : {"a", "b", "c"}) {
    const std::string subnet_id = fixed_id(request, "subnet-", "default-" + letter);
    request.state.put(scope(request, "subnet"), subnet_id,
                      subnet(request, id, subnet_id, request.context.region + letter,
                             "172.31." + std::to_string(block) + ".0/20", 4091, true));
    block += 16;
  }
  return id;
}

void add_network(Table& table) {
  table.reads("DescribeVpcs", describe_vpcs);
  table.changes("CreateVpc", create_vpc);
  table.changes("DeleteVpc", delete_vpc);
  table.reads("DescribeVpcAttribute", describe_vpc_attribute);
  table.changes("ModifyVpcAttribute", modify_vpc_attribute);
  table.reads("DescribeSubnets", describe_subnets);
  table.changes("CreateSubnet", create_subnet);
  table.changes("DeleteSubnet", delete_subnet);
  table.changes("ModifySubnetAttribute", modify_subnet_attribute);
}

}  // namespace fixpoint::sandbox::ec2
