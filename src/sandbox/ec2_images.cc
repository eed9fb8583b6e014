#include <algorithm>

#include "base/clock.h"
#include "sandbox/ec2.h"
#include "sandbox/item_list.h"

namespace fixpoint::sandbox::ec2 {
namespace {

constexpr std::string_view type = "image";

bool is_public(const json::Value& image) {
  const json::Value& permissions = image["Permissions"];
  for (std::size_t i = 0; i < permissions.size(); ++i)
    if (permissions[i]["Group"].string_or({}) == "all") return true;
  return false;
}

json::Value shown(const json::Value& image) {
  json::Object out;
  for (const json::Member& member : image.as_object())
    if (member.key != "Permissions") out.set(member.key, member.value);
  out.set("Public", is_public(image));
  return out;
}

Result<void> keep(Request& request, const std::string& id, const json::Value& more) {
  const std::string name(request.text("Name"));
  if (name.size() < 3 || name.size() > 128)
    return refuse("InvalidAMIName.Malformed",
                  "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', "
                  "'.', '-', '/' and '_'");
  bool taken = false;
  request.state.each(scope(request, type), {}, {}, [&](std::string_view, const Document& body) {
    taken = body && (*body)["Name"].string_or({}) == name;
    return !taken;
  });
  if (taken) return refuse("InvalidAMIName.Duplicate", "AMI name " + name + " is already in use");
  json::Value image = json::Object{
      {"ImageId", id},
      {"Name", name},
      {"Description", request.text("Description")},
      {"ImageLocation", request.context.account + "/" + name},
      {"OwnerId", request.context.account},
      {"CreationDate", format_iso8601_ms(request.now_ms)},
      {"State", "available"},
      {"ImageType", "machine"},
      {"Architecture", request.input["Architecture"].string_or("x86_64")},
      {"VirtualizationType", request.input["VirtualizationType"].string_or("hvm")},
      {"RootDeviceName", request.input["RootDeviceName"].string_or("/dev/xvda")},
      {"RootDeviceType", "ebs"},
      {"Hypervisor", "xen"},
      {"BlockDeviceMappings", request.input["BlockDeviceMappings"].is_array() ? request.input["BlockDeviceMappings"]
                                                                              : json::Value(json::Array())}};
  for (const json::Member& member : more.as_object()) image.set(member.key, member.value);
  FIXPOINT_TRY(tags, new_tags(request, type));
  if (tags.size() > 0) image.set("Tags", std::move(tags));
  request.state.put(scope(request, type), id, std::move(image));
  return {};
}

Reply register_image(Request& request) {
  const std::string id = new_id("ami-");
  json::Object more;
  for (const auto member : {"ImdsSupport", "BootMode", "EnaSupport"})
    if (request.has(member)) more.set(member, request.input[member]);
  FIXPOINT_CHECK(keep(request, id, more));
  return json::Object{{"ImageId", id}};
}

Reply create_image(Request& request) {
  FIXPOINT_TRY(instance, resource_of(request, "instance", "InstanceId", "i-", "InvalidInstanceID.NotFound",
                                     "InvalidInstanceID.Malformed", "instance ID"));
  const std::string id = new_id("ami-");
  FIXPOINT_CHECK(keep(request, id, json::Object{{"SourceInstanceId", (*instance)["InstanceId"]}}));
  return json::Object{{"ImageId", id}};
}

// An account sees its own images only.
Reply describe_images(Request& request) {
  FIXPOINT_TRY(answer, describe(request, {.type = type,
                                          .ids = "ImageIds",
                                          .into = "Images",
                                          .id_prefix = "ami-",
                                          .missing_code = "InvalidAMIID.NotFound",
                                          .malformed_code = "InvalidAMIID.Malformed",
                                          .noun = "image id",
                                          .filters =
                                              [](std::string_view name, const json::Value& it) {
                                                if (name == "is-public")
                                                  return std::optional(
                                                      std::vector<std::string>{is_public(it) ? "true" : "false"});
                                                return filter_members(name, it,
                                                                      {{"image-id", "ImageId"},
                                                                       {"name", "Name"},
                                                                       {"state", "State"},
                                                                       {"owner-id", "OwnerId"},
                                                                       {"architecture", "Architecture"}});
                                              },
                                          .show = shown}));
  const json::Value& owners = request.input["Owners"];
  if (owners.size() == 0) return answer;
  const auto named = texts_in(owners);
  json::Array kept;
  for (const json::Value& image : answer["Images"].as_array())
    if (named.contains("self") || named.contains(image["OwnerId"].string_or({}))) kept.push_back(image);
  json::Value out = answer;
  out.set("Images", std::move(kept));
  return out;
}

Result<Document> image_of(Request& request) {
  return resource_of(request, type, "ImageId", "ami-", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "image id");
}

Reply deregister(Request& request) {
  FIXPOINT_CHECK(image_of(request));
  request.state.erase(scope(request, type), request.text("ImageId"));
  return json::Object{{"Return", true}};
}

Reply describe_attribute(Request& request) {
  FIXPOINT_TRY(image, image_of(request));
  const std::string_view attribute = request.text("Attribute");
  json::Object out{{"ImageId", request.input["ImageId"]}};
  const auto text = [&](std::string_view member) {
    out.set(member,
            (*image)[member].is_null() ? json::Value(json::Object()) : json::Object{{"Value", (*image)[member]}});
  };
  if (attribute == "launchPermission")
    out.set("LaunchPermissions",
            (*image)["Permissions"].is_array() ? (*image)["Permissions"] : json::Value(json::Array()));
  else if (attribute == "description")
    text("Description");
  else if (attribute == "imdsSupport")
    text("ImdsSupport");
  else if (attribute == "productCodes")
    out.set("ProductCodes", json::Array());
  else
    return refuse("InvalidParameterValue",
                  "Value (" + std::string(attribute) + ") for parameter attribute is invalid. Unknown attribute");
  return out;
}

std::string blocking(Request& request, const std::string& what, std::string_view otherwise) {
  const Document set = request.state.get(scope(request, "account"), what);
  return std::string(set ? set->string_or(otherwise) : otherwise);
}

// A new account does not let its images be public.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
std::string image_blocking(Request& request) {
  return blocking(request, "image-block-public-access", "block-new-sharing");
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html
Reply modify_attribute(Request& request) {
  FIXPOINT_TRY(image, image_of(request));
  json::Value body = *image;
  const std::string_view attribute = request.text("Attribute");
  bool given = false;
  for (const auto& [name, member] :
       {std::pair<std::string_view, std::string_view>{"description", "Description"}, {"imdsSupport", "ImdsSupport"}}) {
    json::Value value = request.input[member]["Value"];
    if (attribute == name && request.has("Value")) value = request.input["Value"];
    if (value.is_null()) continue;
    if (name == "imdsSupport" && value.string_or({}) != "v2.0")
      return refuse("InvalidParameterValue", "The only value of imdsSupport is v2.0; it cannot be taken back");
    body.set(member, std::move(value));
    given = true;
  }
  json::Array add;
  json::Array remove;
  const json::Value& permission = request.input["LaunchPermission"];
  for (const auto& [member, into] : {std::pair{"Add", &add}, {"Remove", &remove}})
    for (std::size_t i = 0; i < permission[member].size(); ++i) into->push_back(permission[member][i]);
  json::Array& flat = request.text("OperationType") == "remove" ? remove : add;
  for (const auto& [from, member] : {std::pair{"UserIds", "UserId"},
                                     {"UserGroups", "Group"},
                                     {"OrganizationArns", "OrganizationArn"},
                                     {"OrganizationalUnitArns", "OrganizationalUnitArn"}})
    for (std::size_t i = 0; i < request.input[from].size(); ++i)
      flat.push_back(json::Object{{member, request.input[from][i]}});
  if (!given && add.empty() && remove.empty())
    return refuse("MissingParameter", "The request must contain an attribute to modify");
  json::Value permissions = body["Permissions"];
  if (!permissions.is_array()) permissions = json::Array();
  auto& list = permissions.as_array();
  take_items(list, remove, {});
  for (const json::Value& item : add) {
    if (const std::string_view user = item["UserId"].string_or({});
        item["UserId"].is_string() &&
        (user.size() != 12 || user.find_first_not_of("0123456789") != std::string_view::npos))
      return refuse("InvalidAMIAttributeItemValue",
                    "Invalid attribute item value \"" + std::string(user) + "\" for userId item type.");
    if (item["Group"].is_string() && item["Group"].string_or({}) != "all")
      return refuse(
          "InvalidAMIAttributeItemValue",
          "Invalid attribute item value \"" + std::string(item["Group"].string_or({})) + "\" for userGroup item type.");
    if (item["Group"].is_string() && image_blocking(request) == "block-new-sharing" &&
        std::find(list.begin(), list.end(), item) == list.end())
      return refuse("OperationNotPermitted",
                    "You can't publicly share this image because block public access for AMIs is enabled for this "
                    "account.");
  }
  put_items(list, std::move(add), {}, Same::Keep);
  body.set("Permissions", std::move(permissions));
  request.state.put(scope(request, type), request.text("ImageId"), std::move(body));
  return empty();
}

// The two settings of an account and region: the member that says the state, the states that enabling takes, and the
// state of a new account.
struct Block {
  std::string resource;
  std::string member;
  std::vector<std::string_view> states;
  std::string_view by_default;
};

const Block& images() {
  static const Block block{
      "image-block-public-access", "ImageBlockPublicAccessState", {"block-new-sharing"}, "block-new-sharing"};
  return block;
}
const Block& snapshots() {
  static const Block block{
      "snapshot-block-public-access", "State", {"block-all-sharing", "block-new-sharing"}, "unblocked"};
  return block;
}

Reply enable(Request& request, const Block& block) {
  const std::string state(request.text(block.member));
  if (std::find(block.states.begin(), block.states.end(), state) == block.states.end())
    return refuse("InvalidParameterValue", "Value (" + state + ") for parameter " + block.member +
                                               " is invalid. Expecting " + std::string(block.states[0]) +
                                               (block.states.size() > 1 ? " or " + std::string(block.states[1]) : "") +
                                               ".");
  request.state.put(scope(request, "account"), block.resource, state);
  return json::Object{{block.member, state}};
}

Reply disable(Request& request, const Block& block) {
  request.state.put(scope(request, "account"), block.resource, "unblocked");
  return json::Object{{block.member, "unblocked"}};
}

Reply get(Request& request, const Block& block) {
  return json::Object{{block.member, blocking(request, block.resource, block.by_default)}, {"ManagedBy", "account"}};
}

}  // namespace

std::string snapshot_blocking(Request& request) {
  return blocking(request, snapshots().resource, snapshots().by_default);
}

void add_images(Table& table) {
  table.changes("RegisterImage", register_image);
  table.changes("CreateImage", create_image);
  table.reads("DescribeImages", describe_images);
  table.changes("DeregisterImage", deregister);
  table.reads("DescribeImageAttribute", describe_attribute);
  table.changes("ModifyImageAttribute", modify_attribute);
  table.changes("EnableImageBlockPublicAccess", [](Request& request) { return enable(request, images()); });
  table.changes("DisableImageBlockPublicAccess", [](Request& request) { return disable(request, images()); });
  table.reads("GetImageBlockPublicAccessState", [](Request& request) { return get(request, images()); });
  table.changes("EnableSnapshotBlockPublicAccess", [](Request& request) { return enable(request, snapshots()); });
  table.changes("DisableSnapshotBlockPublicAccess", [](Request& request) { return disable(request, snapshots()); });
  table.reads("GetSnapshotBlockPublicAccessState", [](Request& request) { return get(request, snapshots()); });
}

}  // namespace fixpoint::sandbox::ec2
