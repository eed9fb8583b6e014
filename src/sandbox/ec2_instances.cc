#include <algorithm>
#include <tuple>

#include "sandbox/ec2.h"

namespace fixpoint::sandbox::ec2 {
namespace {

// Filters on what an instance has several of.
std::optional<std::vector<std::string>> listed_filter(std::string_view name, const json::Value& it) {
  std::vector<std::string> out;
  if (name.substr(0, 21) == "block-device-mapping.") {
    const json::Value& devices = it["BlockDeviceMappings"];
    for (std::size_t i = 0; i < devices.size(); ++i) {
      if (name == "block-device-mapping.device-name")
        out.emplace_back(devices[i]["DeviceName"].string_or({}));
      else if (name == "block-device-mapping.volume-id")
        out.emplace_back(devices[i]["Ebs"]["VolumeId"].string_or({}));
      else if (name == "block-device-mapping.status")
        out.emplace_back(devices[i]["Ebs"]["Status"].string_or({}));
      else
        return {};
    }
    return out;
  }
  const json::Value& groups = it["SecurityGroups"];
  const char* member = name.substr(name.size() - 4) == "name" ? "GroupName" : "GroupId";
  for (std::size_t i = 0; i < groups.size(); ++i) out.emplace_back(groups[i][member].string_or({}));
  return out;
}

std::optional<std::vector<std::string>> filter_values(std::string_view name, const json::Value& it) {
  if (name == "instance-state-name") return std::vector<std::string>{std::string(it["State"]["Name"].string_or({}))};
  if (name == "instance-state-code") return std::vector<std::string>{std::to_string(it["State"]["Code"].int_or(0))};
  if (name == "metadata-options.http-tokens")
    return std::vector<std::string>{std::string(it["MetadataOptions"]["HttpTokens"].string_or({}))};
  if (name == "instance.group-id") return listed_filter(name, it);
  for (const auto& [filter, outer, member] : {std::tuple{"availability-zone", "Placement", "AvailabilityZone"},
                                              {"tenancy", "Placement", "Tenancy"},
                                              {"monitoring-state", "Monitoring", "State"},
                                              {"iam-instance-profile.arn", "IamInstanceProfile", "Arn"},
                                              {"iam-instance-profile.id", "IamInstanceProfile", "Id"},
                                              {"metadata-options.http-endpoint", "MetadataOptions", "HttpEndpoint"}})
    if (name == filter) return std::vector<std::string>{std::string(it[outer][member].string_or({}))};
  if (name == "instance.group-name" || name == "group-name" || name == "group-id" ||
      name.substr(0, 21) == "block-device-mapping.")
    return listed_filter(name, it);
  return filter_members(name, it,
                        {{"instance-id", "InstanceId"},
                         {"root-device-name", "RootDeviceName"},
                         {"root-device-type", "RootDeviceType"},
                         {"source-dest-check", "SourceDestCheck"},
                         {"reservation-id", "ReservationId"},
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
    if (to == "terminated") end_instance(request, body);
    body.set("State", instance_state(to));
    request.state.put(scope(request, "instance"), id, std::move(body));
    out.push_back(json::Object{
        {"InstanceId", id}, {"PreviousState", instance_state(from)}, {"CurrentState", instance_state(to)}});
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
  json::Value association = keep_association(request, request.text("InstanceId"), shown);
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

json::Value keep_association(Request& request, std::string_view instance_id, const json::Value& profile) {
  const std::string id = new_id("iip-assoc-");
  json::Value association = json::Object{
      {"AssociationId", id}, {"InstanceId", instance_id}, {"IamInstanceProfile", profile}, {"State", "associated"}};
  request.state.put(scope(request, "iam-instance-profile-association"), id, association);
  return association;
}

void add_instances(Table& table) {
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
