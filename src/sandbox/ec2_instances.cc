#include <algorithm>

#include "sandbox/ec2.h"

namespace fixpoint::sandbox::ec2 {
namespace {

json::Value state(std::string_view name) {
  const int code = name == "running" ? 16 : name == "terminated" ? 48 : 80;
  return json::Object{{"Code", code}, {"Name", name}};
}

json::Value metadata_options(const json::Value& given) {
  return json::Object{{"State", "applied"},
                      {"HttpTokens", given["HttpTokens"].string_or("optional")},
                      {"HttpPutResponseHopLimit", given["HttpPutResponseHopLimit"].int_or(1)},
                      {"HttpEndpoint", given["HttpEndpoint"].string_or("enabled")},
                      {"HttpProtocolIpv6", given["HttpProtocolIpv6"].string_or("disabled")},
                      {"InstanceMetadataTags", given["InstanceMetadataTags"].string_or("disabled")}};
}

Reply run_instances(Request& request) {
  const std::string vpc = default_vpc(request);
  const std::int64_t count = request.input["MaxCount"].int_or(1);
  if (count < 1 || count > 100)
    return refuse("InvalidParameterValue",
                  "Value (" + std::to_string(count) +
                      ") for parameter maxCount is invalid. Expecting a value between 1 and 100.");
  if (request.text("ImageId").empty())
    return refuse("MissingParameter", "The request must contain the parameter ImageId");
  Document subnet;
  if (request.has("SubnetId")) {
    subnet = request.state.get(scope(request, "subnet"), request.text("SubnetId"));
    if (!subnet)
      return refuse("InvalidSubnetID.NotFound",
                    "The subnet ID '" + std::string(request.text("SubnetId")) + "' does not exist");
  } else {
    request.state.each(scope(request, "subnet"), {}, {}, [&](std::string_view, const Document& body) {
      if (body && (*body)["VpcId"].string_or({}) == vpc && (*body)["DefaultForAz"].bool_or(false)) subnet = body;
      return !subnet;
    });
    if (!subnet) return refuse("MissingInput", "No subnets found for the default VPC. Please specify a subnet.");
  }
  json::Array groups;
  const json::Value& ids = request.input["SecurityGroupIds"];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Document group = request.state.get(scope(request, "security-group"), ids[i].string_or({}));
    if (!group)
      return refuse("InvalidGroup.NotFound",
                    "The security group '" + std::string(ids[i].string_or({})) + "' does not exist");
    groups.push_back(json::Object{{"GroupId", ids[i]}, {"GroupName", (*group)["GroupName"]}});
  }
  FIXPOINT_TRY(tags, new_tags(request, "instance"));
  json::Array made;
  const std::string reservation = new_id("r-");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string id = new_id("i-");
    json::Value instance = json::Object{
        {"InstanceId", id},
        {"ImageId", request.input["ImageId"]},
        {"InstanceType", request.input["InstanceType"].string_or("m1.small")},
        {"State", state("running")},
        {"LaunchTime", request.now()},
        {"Placement", json::Object{{"AvailabilityZone", (*subnet)["AvailabilityZone"]}, {"Tenancy", "default"}}},
        {"SubnetId", (*subnet)["SubnetId"]},
        {"VpcId", (*subnet)["VpcId"]},
        {"SecurityGroups", groups},
        {"Monitoring", json::Object{{"State", "disabled"}}},
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

std::optional<std::vector<std::string>> filter_values(std::string_view name, const json::Value& it) {
  if (name == "instance-state-name") return std::vector<std::string>{std::string(it["State"]["Name"].string_or({}))};
  if (name == "instance-state-code") return std::vector<std::string>{std::to_string(it["State"]["Code"].int_or(0))};
  if (name == "metadata-options.http-tokens")
    return std::vector<std::string>{std::string(it["MetadataOptions"]["HttpTokens"].string_or({}))};
  if (name == "instance.group-id") {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < it["SecurityGroups"].size(); ++i)
      out.emplace_back(it["SecurityGroups"][i]["GroupId"].string_or({}));
    return out;
  }
  return filter_members(name, it,
                        {{"instance-id", "InstanceId"},
                         {"instance-type", "InstanceType"},
                         {"image-id", "ImageId"},
                         {"client-token", "ClientToken"},
                         {"subnet-id", "SubnetId"},
                         {"vpc-id", "VpcId"}});
}

Result<json::Value> instances(Request& request) {
  return describe(request, {.type = "instance",
                            .ids = "InstanceIds",
                            .into = "Instances",
                            .id_prefix = "i-",
                            .missing_code = "InvalidInstanceID.NotFound",
                            .malformed_code = "InvalidInstanceID.Malformed",
                            .noun = "instance ID",
                            .filters = filter_values,
                            .show = {}});
}

// One reservation an instance: AWS leaves open how instances of several calls are grouped.
Reply describe_instances(Request& request) {
  FIXPOINT_TRY(found, instances(request));
  json::Array reservations;
  for (json::Value instance : found["Instances"].as_array()) {
    const json::Value reservation = instance["ReservationId"];
    instance.as_object().erase("ReservationId");
    instance.as_object().erase("Attributes");
    reservations.push_back(json::Object{{"ReservationId", reservation},
                                        {"OwnerId", request.context.account},
                                        {"Groups", json::Array()},
                                        {"Instances", json::Array{std::move(instance)}}});
  }
  json::Object out{{"Reservations", std::move(reservations)}};
  if (!found["NextToken"].is_null()) out.set("NextToken", found["NextToken"]);
  return out;
}

Reply describe_status(Request& request) {
  FIXPOINT_TRY(found, instances(request));
  json::Array out;
  for (const json::Value& instance : found["Instances"].as_array()) {
    const bool running = instance["State"]["Name"].string_or({}) == "running";
    if (!running && !request.input["IncludeAllInstances"].bool_or(false)) continue;
    const json::Value status = json::Object{{"Status", running ? "ok" : "not-applicable"}};
    out.push_back(json::Object{{"InstanceId", instance["InstanceId"]},
                               {"AvailabilityZone", instance["Placement"]["AvailabilityZone"]},
                               {"InstanceState", instance["State"]},
                               {"InstanceStatus", status},
                               {"SystemStatus", status}});
  }
  return json::Object{{"InstanceStatuses", std::move(out)}};
}

Reply change_state(Request& request, std::string_view to, std::string_view into) {
  json::Array out;
  const json::Value& ids = request.input["InstanceIds"];
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string id(ids[i].string_or({}));
    if (!is_id(id, "i-")) return refuse("InvalidInstanceID.Malformed", "Invalid id: \"" + id + "\"");
    const Document instance = request.state.get(scope(request, "instance"), id);
    if (!instance) return refuse("InvalidInstanceID.NotFound", "The instance ID '" + id + "' does not exist");
    const std::string from((*instance)["State"]["Name"].string_or({}));
    if (from == "terminated" && to != "terminated")
      return refuse("IncorrectInstanceState",
                    "The instance '" + id + "' is not in a state from which it can be " + std::string(to) + ".");
    if (to != "running") FIXPOINT_CHECK(check_not_protected(*instance, to == "stopped"));
    json::Value body = *instance;
    body.set("State", state(to));
    request.state.put(scope(request, "instance"), id, std::move(body));
    out.push_back(json::Object{{"InstanceId", id}, {"PreviousState", state(from)}, {"CurrentState", state(to)}});
  }
  json::Object answer;
  answer.append(std::string(into), std::move(out));
  return answer;
}

Result<Document> instance_of(Request& request) {
  return resource_of(request, "instance", "InstanceId", "i-", "InvalidInstanceID.NotFound",
                     "InvalidInstanceID.Malformed", "instance ID");
}

Reply modify_metadata_options(Request& request) {
  FIXPOINT_TRY(instance, instance_of(request));
  const std::int64_t hops = request.input["HttpPutResponseHopLimit"].int_or(1);
  if (hops < 1 || hops > 64)
    return refuse("InvalidParameterValue",
                  "Value (" + std::to_string(hops) +
                      ") for parameter HttpPutResponseHopLimit is invalid. Expecting a value between 1 and 64.");
  json::Value body = *instance;
  json::Value options = body["MetadataOptions"];
  bool given = false;
  for (const auto member :
       {"HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "HttpProtocolIpv6", "InstanceMetadataTags"}) {
    if (!request.has(member)) continue;
    options.set(member, request.input[member]);
    given = true;
  }
  if (!given) return refuse("MissingParameter", "The request must contain an option to modify");
  body.set("MetadataOptions", options);
  request.state.put(scope(request, "instance"), request.text("InstanceId"), std::move(body));
  return json::Object{{"InstanceId", request.input["InstanceId"]}, {"InstanceMetadataOptions", std::move(options)}};
}

// The profile that the call names, as instances and associations show it.
Result<json::Value> profile_in(Request& request) {
  std::string name(request.input["IamInstanceProfile"]["Name"].string_or({}));
  const std::string arn(request.input["IamInstanceProfile"]["Arn"].string_or({}));
  if (name.empty()) name = arn.substr(arn.rfind('/') + 1);
  const Document profile = request.state.get(request.global("iam", "instance_profile"), name);
  if (!profile)
    return refuse(
        "InvalidParameterValue",
        "Value (" + name + ") for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name");
  return json::Value(json::Object{{"Arn", (*profile)["InstanceProfile"]["Arn"]},
                                  {"Id", (*profile)["InstanceProfile"]["InstanceProfileId"]}});
}

Reply associate_profile(Request& request) {
  FIXPOINT_TRY(instance, instance_of(request));
  FIXPOINT_TRY(shown, profile_in(request));
  bool taken = false;
  request.state.each(scope(request, "iam-instance-profile-association"), {}, {},
                     [&](std::string_view, const Document& body) {
                       taken = body && (*body)["InstanceId"] == request.input["InstanceId"];
                       return !taken;
                     });
  if (taken)
    return refuse("IncorrectState",
                  "There is an existing association for instance " + std::string(request.text("InstanceId")));
  const std::string id = new_id("iip-assoc-");
  json::Value association = json::Object{{"AssociationId", id},
                                         {"InstanceId", request.input["InstanceId"]},
                                         {"IamInstanceProfile", shown},
                                         {"State", "associated"}};
  request.state.put(scope(request, "iam-instance-profile-association"), id, association);
  json::Value body = *instance;
  body.set("IamInstanceProfile", shown);
  request.state.put(scope(request, "instance"), request.text("InstanceId"), std::move(body));
  return json::Object{{"IamInstanceProfileAssociation", std::move(association)}};
}

Reply describe_associations(Request& request) {
  return describe(request, {.type = "iam-instance-profile-association",
                            .ids = "AssociationIds",
                            .into = "IamInstanceProfileAssociations",
                            .id_prefix = "iip-assoc-",
                            .missing_code = "InvalidAssociationID.NotFound",
                            .malformed_code = "InvalidAssociationID.Malformed",
                            .noun = "association ID",
                            .filters =
                                [](std::string_view name, const json::Value& it) {
                                  return filter_members(name, it, {{"instance-id", "InstanceId"}, {"state", "State"}});
                                },
                            .show = {}});
}

Reply disassociate_profile(Request& request) {
  FIXPOINT_TRY(found, resource_of(request, "iam-instance-profile-association", "AssociationId", "iip-assoc-",
                                  "InvalidAssociationID.NotFound", "InvalidAssociationID.Malformed", "association ID"));
  const std::string id((*found)["InstanceId"].string_or({}));
  if (const Document instance = request.state.get(scope(request, "instance"), id)) {
    json::Value body = *instance;
    body.as_object().erase("IamInstanceProfile");
    request.state.put(scope(request, "instance"), id, std::move(body));
  }
  json::Value gone = *found;
  gone.set("State", "disassociating");
  request.state.erase(scope(request, "iam-instance-profile-association"), request.text("AssociationId"));
  return json::Object{{"IamInstanceProfileAssociation", std::move(gone)}};
}

// The association goes on under a new id.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html
Reply replace_profile(Request& request) {
  const Scope associations = scope(request, "iam-instance-profile-association");
  FIXPOINT_TRY(found, resource_of(request, "iam-instance-profile-association", "AssociationId", "iip-assoc-",
                                  "InvalidAssociationID.NotFound", "InvalidAssociationID.Malformed", "association ID"));
  FIXPOINT_TRY(shown, profile_in(request));
  const std::string instance_id((*found)["InstanceId"].string_or({}));
  if (const Document instance = request.state.get(scope(request, "instance"), instance_id)) {
    json::Value body = *instance;
    body.set("IamInstanceProfile", shown);
    request.state.put(scope(request, "instance"), instance_id, std::move(body));
  }
  json::Value association = *found;
  const std::string id = new_id("iip-assoc-");
  association.set("AssociationId", id);
  association.set("IamInstanceProfile", shown);
  request.state.erase(associations, request.text("AssociationId"));
  request.state.put(associations, id, association);
  return json::Object{{"IamInstanceProfileAssociation", std::move(association)}};
}

}  // namespace

void add_instances(Table& table) {
  table.changes("RunInstances", run_instances);
  table.reads("DescribeInstances", describe_instances);
  table.reads("DescribeInstanceStatus", describe_status);
  table.changes("TerminateInstances",
                [](Request& request) { return change_state(request, "terminated", "TerminatingInstances"); });
  table.changes("StopInstances",
                [](Request& request) { return change_state(request, "stopped", "StoppingInstances"); });
  table.changes("StartInstances",
                [](Request& request) { return change_state(request, "running", "StartingInstances"); });
  table.changes("ModifyInstanceMetadataOptions", modify_metadata_options);
  table.changes("AssociateIamInstanceProfile", associate_profile);
  table.reads("DescribeIamInstanceProfileAssociations", describe_associations);
  table.changes("DisassociateIamInstanceProfile", disassociate_profile);
  table.changes("ReplaceIamInstanceProfileAssociation", replace_profile);
}

}  // namespace fixpoint::sandbox::ec2
