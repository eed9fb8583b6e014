#include <unordered_map>

#include "base/hash.h"
#include "sandbox/ec2.h"

namespace fixpoint::sandbox::ec2 {
namespace {

constexpr std::string_view type = "elastic-ip";

// An address of the documentation's own ranges (RFC 5737), so that nobody's is shown: the id's hash says which.
std::string address_of(const std::string& id) {
  static constexpr std::string_view blocks[] = {"192.0.2.", "198.51.100.", "203.0.113."};
  const std::string hash = sha256(id);
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(hash[at]); };
  return std::string(blocks[byte(0) % 3]) + std::to_string(byte(1) % 254 + 1);
}

Reply allocate(Request& request) {
  const std::string id = new_id("eipalloc-");
  const std::string ip(request.input["Address"].string_or(address_of(id)));
  json::Value address = json::Object{{"AllocationId", id},
                                     {"PublicIp", ip},
                                     {"PublicIpv4Pool", request.input["PublicIpv4Pool"].string_or("amazon")},
                                     {"NetworkBorderGroup", request.context.region},
                                     {"Domain", "vpc"}};
  FIXPOINT_TRY(tags, new_tags(request, type));
  if (tags.size() > 0) address.set("Tags", std::move(tags));
  json::Value answer = address;
  answer.as_object().erase("Tags");
  request.state.put(scope(request, type), id, std::move(address));
  return answer;
}

Reply describe_addresses(Request& request) {
  FIXPOINT_TRY(answer, describe(request, {.type = type,
                                          .ids = "AllocationIds",
                                          .into = "Addresses",
                                          .id_prefix = "eipalloc-",
                                          .missing_code = "InvalidAllocationID.NotFound",
                                          .malformed_code = "InvalidAllocationID.Malformed",
                                          .noun = "allocation ID",
                                          .filters =
                                              [](std::string_view name, const json::Value& it) {
                                                return filter_members(name, it,
                                                                      {{"allocation-id", "AllocationId"},
                                                                       {"association-id", "AssociationId"},
                                                                       {"instance-id", "InstanceId"},
                                                                       {"public-ip", "PublicIp"},
                                                                       {"domain", "Domain"}});
                                              },
                                          .show = {}}));
  const json::Value& wanted = request.input["PublicIps"];
  if (wanted.size() == 0) return answer;
  std::unordered_map<std::string_view, const json::Value*> by_ip;
  for (const json::Value& address : answer["Addresses"].as_array())
    by_ip.emplace(address["PublicIp"].string_or({}), &address);
  json::Array kept;
  for (const json::Value& ip : wanted.as_array()) {
    const auto found = by_ip.find(ip.string_or({}));
    if (found == by_ip.end())
      return refuse("InvalidAddress.NotFound", "Address '" + std::string(ip.string_or({})) + "' not found.");
    kept.push_back(*found->second);
  }
  return json::Object{{"Addresses", std::move(kept)}};
}

// The address that the call names by its allocation, its association or itself.
Result<Document> address_in(Request& request) {
  if (request.has("AllocationId"))
    return resource_of(request, type, "AllocationId", "eipalloc-", "InvalidAllocationID.NotFound",
                       "InvalidAllocationID.Malformed", "allocation ID");
  const bool by_association = request.has("AssociationId");
  const std::string_view member = by_association ? "AssociationId" : "PublicIp";
  if (!request.has(member))
    return refuse("MissingParameter", "The request must contain the parameter AllocationId or PublicIp");
  Document found;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view, const Document& body) {
    if (body && (*body)[member] == request.input[member]) found = body;
    return !found;
  });
  if (found) return found;
  const std::string named(request.text(member));
  return by_association ? refuse("InvalidAssociationID.NotFound", "The association ID '" + named + "' does not exist")
                        : refuse("InvalidAddress.NotFound", "Address '" + named + "' not found.");
}

void save(Request& request, json::Value address) {
  const std::string id(address["AllocationId"].string_or({}));
  request.state.put(scope(request, type), id, std::move(address));
}

Reply associate(Request& request) {
  FIXPOINT_TRY(found, address_in(request));
  if (!request.has("InstanceId"))
    return refuse("InvalidParameterCombination",
                  "The embedded account associates addresses with instances: the request must name an InstanceId");
  FIXPOINT_CHECK(resource_of(request, "instance", "InstanceId", "i-", "InvalidInstanceID.NotFound",
                             "InvalidInstanceID.Malformed", "instance ID"));
  if (!(*found)["AssociationId"].is_null() && !request.input["AllowReassociation"].bool_or(true))
    return refuse("Resource.AlreadyAssociated", "resource " + std::string((*found)["AllocationId"].string_or({})) +
                                                    " is already associated with " +
                                                    std::string((*found)["AssociationId"].string_or({})));
  json::Value address = *found;
  const std::string id = new_id("eipassoc-");
  address.set("AssociationId", id);
  address.set("InstanceId", request.input["InstanceId"]);
  save(request, std::move(address));
  return json::Object{{"AssociationId", id}};
}

Reply disassociate(Request& request) {
  FIXPOINT_TRY(found, address_in(request));
  json::Value address = *found;
  address.as_object().erase("AssociationId");
  address.as_object().erase("InstanceId");
  save(request, std::move(address));
  return empty();
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
Reply release(Request& request) {
  FIXPOINT_TRY(found, address_in(request));
  if (!(*found)["AssociationId"].is_null())
    return refuse("InvalidIPAddress.InUse",
                  "Address " + std::string((*found)["PublicIp"].string_or({})) + " is in use.");
  request.state.erase(scope(request, type), (*found)["AllocationId"].string_or({}));
  return empty();
}

}  // namespace

void add_addresses(Table& table) {
  table.changes("AllocateAddress", allocate);
  table.reads("DescribeAddresses", describe_addresses);
  table.changes("AssociateAddress", associate);
  table.changes("DisassociateAddress", disassociate);
  table.changes("ReleaseAddress", release);
}

}  // namespace fixpoint::sandbox::ec2
