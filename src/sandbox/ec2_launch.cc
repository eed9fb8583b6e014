#include <algorithm>
#include <vector>

#include "sandbox/ec2.h"

namespace fixpoint::sandbox::ec2 {
namespace {

json::Value metadata_options(const json::Value& given) {
  return json::Object{{"State", "applied"},
                      {"HttpTokens", given["HttpTokens"].string_or("optional")},
                      {"HttpPutResponseHopLimit", given["HttpPutResponseHopLimit"].int_or(1)},
                      {"HttpEndpoint", given["HttpEndpoint"].string_or("enabled")},
                      {"HttpProtocolIpv6", given["HttpProtocolIpv6"].string_or("disabled")},
                      {"InstanceMetadataTags", given["InstanceMetadataTags"].string_or("disabled")}};
}

// Subnet and groups stand in the call or in the one network interface that it describes.
const json::Value& network_member(const Request& request, std::string_view member, std::string_view of_interface) {
  const json::Value& given = request.input[member];
  return given.is_null() ? request.input["NetworkInterfaces"][0][of_interface] : given;
}

Result<Document> subnet_in(Request& request, std::string_view vpc) {
  const std::string id(network_member(request, "SubnetId", "SubnetId").string_or({}));
  const std::string zone(request.input["Placement"]["AvailabilityZone"].string_or({}));
  const auto is_in_zone = [&](const json::Value& body) { return zone.empty() || body["AvailabilityZone"] == zone; };
  const auto wrong_zone = [&] { return refuse("InvalidParameterValue", "Invalid availability zone: [" + zone + "]"); };
  Document subnet;
  if (!id.empty()) {
    subnet = request.state.get(scope(request, "subnet"), id);
    if (!subnet) return refuse("InvalidSubnetID.NotFound", "The subnet ID '" + id + "' does not exist");
    if (!is_in_zone(*subnet)) return wrong_zone();
    return subnet;
  }
  request.state.each(scope(request, "subnet"), {}, {}, [&](std::string_view, const Document& body) {
    if (body && (*body)["VpcId"].string_or({}) == vpc && (*body)["DefaultForAz"].bool_or(false) && is_in_zone(*body))
      subnet = body;
    return !subnet;
  });
  if (!subnet && !zone.empty()) return wrong_zone();
  if (!subnet) return refuse("MissingInput", "No subnets found for the default VPC. Please specify a subnet.");
  return subnet;
}

json::Value shown_group(const json::Value& group) {
  return json::Object{{"GroupId", group["GroupId"]}, {"GroupName", group["GroupName"]}};
}

Document group_named(Request& request, std::string_view vpc, std::string_view name) {
  Document found;
  request.state.each(scope(request, "security-group"), {}, {}, [&](std::string_view, const Document& body) {
    if (body && (*body)["VpcId"].string_or({}) == vpc && (*body)["GroupName"].string_or({}) == name) found = body;
    return !found;
  });
  return found;
}

// By id, by name in the default VPC, or the VPC's own group where none is named.
Result<json::Array> groups_in(Request& request, std::string_view vpc) {
  json::Array groups;
  const json::Value& ids = network_member(request, "SecurityGroupIds", "Groups");
  FIXPOINT_CHECK(check_group_count(ids.size() + request.input["SecurityGroups"].size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string id(ids[i].string_or({}));
    const Document group = request.state.get(scope(request, "security-group"), id);
    if (!group) return refuse("InvalidGroup.NotFound", "The security group '" + id + "' does not exist");
    groups.push_back(shown_group(*group));
  }
  const json::Value& names = request.input["SecurityGroups"];
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name(names[i].string_or({}));
    const Document group = group_named(request, default_vpc(request), name);
    if (!group)
      return refuse("InvalidGroup.NotFound",
                    "The security group '" + name + "' does not exist in default VPC '" + default_vpc(request) + "'");
    groups.push_back(shown_group(*group));
  }
  if (groups.empty())
    if (const Document own = group_named(request, vpc, "default")) groups.push_back(shown_group(*own));
  return groups;
}

Result<std::int64_t> count_in(const Request& request) {
  const std::int64_t most = request.input["MaxCount"].int_or(1);
  const std::int64_t least = request.input["MinCount"].int_or(1);
  if (most < 1 || most > 100)
    return refuse(
        "InvalidParameterValue",
        "Value (" + std::to_string(most) + ") for parameter maxCount is invalid. Expecting a value between 1 and 100.");
  if (least < 1 || least > most)
    return refuse("InvalidParameterValue", "Value (" + std::to_string(least) +
                                               ") for parameter minCount is invalid. Expecting a value between 1 and " +
                                               std::to_string(most) + ".");
  return most;
}

// The devices of the call, and the root device that every image has.
json::Array devices_in(const Request& request, std::string_view root) {
  json::Array devices;
  const json::Value& given = request.input["BlockDeviceMappings"];
  bool has_root = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i]["Ebs"].is_null()) continue;
    has_root = has_root || given[i]["DeviceName"].string_or({}) == root;
    devices.push_back(given[i]);
  }
  if (!has_root) devices.insert(devices.begin(), json::Object{{"DeviceName", root}, {"Ebs", json::Object{}}});
  for (json::Value& device : devices)
    if (json::Value& ebs = device.at_or_make("Ebs"); ebs["VolumeSize"].is_null() && ebs["SnapshotId"].is_null())
      ebs.set("VolumeSize", 8);
  return devices;
}

// Makes the volume of a device and attaches it.
Result<void> attach(Request& request, json::Value& instance, const json::Value& device) {
  const json::Value& ebs = device["Ebs"];
  FIXPOINT_TRY(volume, new_volume(request, ebs, instance["Placement"]["AvailabilityZone"].string_or({})));
  const bool goes_with_it = ebs["DeleteOnTermination"].bool_or(true);
  volume.set("State", "in-use");
  volume.set("Attachments", json::Array{json::Object{{"VolumeId", volume["VolumeId"]},
                                                     {"InstanceId", instance["InstanceId"]},
                                                     {"Device", device["DeviceName"]},
                                                     {"State", "attached"},
                                                     {"AttachTime", request.now()},
                                                     {"DeleteOnTermination", goes_with_it}}});
  instance.at_or_make("BlockDeviceMappings")
      .push_back(json::Object{{"DeviceName", device["DeviceName"]},
                              {"Ebs", json::Object{{"VolumeId", volume["VolumeId"]},
                                                   {"Status", "attached"},
                                                   {"AttachTime", request.now()},
                                                   {"DeleteOnTermination", goes_with_it}}}});
  const std::string id(volume["VolumeId"].string_or({}));
  request.state.put(scope(request, "volume"), id, std::move(volume));
  return {};
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
Reply run_instances(Request& request) {
  const std::string vpc = default_vpc(request);
  FIXPOINT_TRY(count, count_in(request));
  if (request.text("ImageId").empty())
    return refuse("MissingParameter", "The request must contain the parameter ImageId");
  // `resolve:ssm:PARAMETER` names an image as well, which nobody resolves here.
  if (!is_id(request.text("ImageId"), "ami-"))
    return refuse("InvalidAMIID.Malformed",
                  "Invalid id: \"" + std::string(request.text("ImageId")) + "\" (expecting \"ami-...\")");
  // The most that any type of instance takes.
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html
  constexpr std::size_t volumes_an_instance = 128;
  if (request.input["BlockDeviceMappings"].size() > volumes_an_instance)
    return refuse("AttachmentLimitExceeded", "The maximum number of volumes per instance has been reached.");
  FIXPOINT_TRY(subnet, subnet_in(request, vpc));
  FIXPOINT_TRY(groups, groups_in(request, (*subnet)["VpcId"].string_or({})));
  json::Value profile;
  if (request.has("IamInstanceProfile")) {
    FIXPOINT_TRY(found, profile_in(request));
    profile = std::move(found);
  }
  FIXPOINT_TRY(tags, new_tags(request, "instance"));
  const Document image = request.state.get(scope(request, "image"), request.text("ImageId"));
  const std::string root(image ? (*image)["RootDeviceName"].string_or("/dev/xvda") : "/dev/xvda");
  json::Array made;
  const std::string reservation = new_id("r-");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string id = new_id("i-");
    json::Value instance = json::Object{
        {"InstanceId", id},
        {"ImageId", request.input["ImageId"]},
        {"InstanceType", request.input["InstanceType"].string_or("m1.small")},
        {"State", instance_state("running")},
        {"LaunchTime", request.now()},
        {"Placement", json::Object{{"AvailabilityZone", (*subnet)["AvailabilityZone"]}, {"Tenancy", "default"}}},
        {"SubnetId", (*subnet)["SubnetId"]},
        {"VpcId", (*subnet)["VpcId"]},
        {"SecurityGroups", groups},
        {"Monitoring",
         json::Object{{"State", request.input["Monitoring"]["Enabled"].bool_or(false) ? "enabled" : "disabled"}}},
        {"RootDeviceName", root},
        {"RootDeviceType", "ebs"},
        {"BlockDeviceMappings", json::Array()},
        {"EbsOptimized", request.input["EbsOptimized"].bool_or(false)},
        {"SourceDestCheck", true},
        {"MetadataOptions", metadata_options(request.input["MetadataOptions"])},
        {"ReservationId", reservation}};
    if (tags.size() > 0) instance.set("Tags", tags);
    if (request.has("ClientToken")) instance.set("ClientToken", request.input["ClientToken"]);
    for (const auto member :
         {"DisableApiTermination", "DisableApiStop", "UserData", "InstanceInitiatedShutdownBehavior"})
      if (request.has(member)) instance.at_or_make("Attributes").set(member, request.input[member]);
    for (const json::Value& device : devices_in(request, root)) FIXPOINT_CHECK(attach(request, instance, device));
    if (!profile.is_null()) {
      instance.set("IamInstanceProfile", profile);
      keep_association(request, id, profile);
    }
    request.state.put(scope(request, "instance"), id, instance);
    instance.as_object().erase("ReservationId");
    instance.as_object().erase("Attributes");
    made.push_back(std::move(instance));
  }
  return json::Object{{"ReservationId", reservation},
                      {"OwnerId", request.context.account},
                      {"Groups", json::Array()},
                      {"Instances", std::move(made)}};
}

}  // namespace

json::Value instance_state(std::string_view name) {
  const int code = name == "running" ? 16 : name == "terminated" ? 48 : 80;
  return json::Object{{"Code", code}, {"Name", name}};
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ec2-instance-termination-works.html
void end_instance(Request& request, json::Value& instance) {
  const json::Value devices = instance["BlockDeviceMappings"];
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const std::string id(devices[i]["Ebs"]["VolumeId"].string_or({}));
    const Document volume = request.state.get(scope(request, "volume"), id);
    if (!volume) continue;
    if (devices[i]["Ebs"]["DeleteOnTermination"].bool_or(true)) {
      request.state.erase(scope(request, "volume"), id);
      continue;
    }
    json::Value body = *volume;
    body.set("State", "available");
    body.set("Attachments", json::Array());
    request.state.put(scope(request, "volume"), id, std::move(body));
  }
  instance.set("BlockDeviceMappings", json::Array());
  std::vector<std::string> gone;
  const Scope associations = scope(request, "iam-instance-profile-association");
  request.state.each(associations, {}, {}, [&](std::string_view id, const Document& body) {
    if (body && (*body)["InstanceId"] == instance["InstanceId"]) gone.emplace_back(id);
    return true;
  });
  for (const std::string& id : gone) request.state.erase(associations, id);
  instance.as_object().erase("IamInstanceProfile");
}

void add_launch(Table& table) {
  table.changes("RunInstances", run_instances);
}

}  // namespace fixpoint::sandbox::ec2
