#include <algorithm>

#include "sandbox/ec2.h"

namespace fixpoint::sandbox::ec2 {
namespace {

// What DescribeInstanceAttribute and ModifyInstanceAttribute call an attribute, the member that holds it in both, and
// where it lies: in the instance as DescribeInstances shows it, or beside it under Attributes, which is not shown.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
struct Attribute {
  std::string_view name;
  std::string_view member;
  bool of_instance;
  bool stopped;  ///< can be changed of a stopped instance only
  bool flag;     ///< true or false; else a text
};

constexpr Attribute attributes[] = {
    {"instanceType", "InstanceType", true, true, false},
    {"ebsOptimized", "EbsOptimized", true, true, true},
    {"sourceDestCheck", "SourceDestCheck", true, false, true},
    {"enaSupport", "EnaSupport", true, true, true},
    {"sriovNetSupport", "SriovNetSupport", true, true, false},
    {"userData", "UserData", false, true, false},
    {"disableApiTermination", "DisableApiTermination", false, false, true},
    {"disableApiStop", "DisableApiStop", false, false, true},
    {"instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior", false, false, false},
};

json::Value by_default(const Attribute& attribute) {
  if (attribute.name == "sourceDestCheck") return true;
  if (attribute.name == "instanceInitiatedShutdownBehavior") return "stop";
  if (attribute.name == "sriovNetSupport" || attribute.name == "userData") return {};
  return attribute.flag ? json::Value(false) : json::Value();
}

json::Value value_of(const json::Value& instance, const Attribute& attribute) {
  const json::Value& set =
      attribute.of_instance ? instance[attribute.member] : instance["Attributes"][attribute.member];
  return set.is_null() ? by_default(attribute) : set;
}

Result<Document> instance_of(Request& request) {
  return resource_of(request, "instance", "InstanceId", "i-", "InvalidInstanceID.NotFound",
                     "InvalidInstanceID.Malformed", "instance ID");
}

tl::unexpected<Error> unknown(std::string_view name) {
  return refuse("InvalidParameterValue",
                "Value (" + std::string(name) + ") for parameter attribute is invalid. Unknown attribute");
}

Reply describe_attribute(Request& request) {
  FIXPOINT_TRY(instance, instance_of(request));
  const std::string_view name = request.text("Attribute");
  json::Object out{{"InstanceId", request.input["InstanceId"]}};
  if (name == "groupSet") {
    out.set("Groups", (*instance)["SecurityGroups"]);
    return out;
  }
  if (name == "blockDeviceMapping") {
    out.set("BlockDeviceMappings", (*instance)["BlockDeviceMappings"]);
    return out;
  }
  if (name == "productCodes") {
    out.set("ProductCodes", json::Array());
    return out;
  }
  if (name == "rootDeviceName") {
    out.set("RootDeviceName", json::Object{{"Value", (*instance)["RootDeviceName"].string_or("/dev/xvda")}});
    return out;
  }
  // No image of today brings either.
  if (name == "kernel" || name == "ramdisk") {
    out.set(name == "kernel" ? "KernelId" : "RamdiskId", json::Object());
    return out;
  }
  for (const Attribute& attribute : attributes) {
    if (name != attribute.name) continue;
    const json::Value value = value_of(*instance, attribute);
    out.set(attribute.member, value.is_null() ? json::Value(json::Object()) : json::Object{{"Value", value}});
    return out;
  }
  return unknown(name);
}

Result<void> set_attribute(json::Value& instance, const Attribute& attribute, json::Value value) {
  const std::string id(instance["InstanceId"].string_or({}));
  if (attribute.stopped && instance["State"]["Name"].string_or({}) != "stopped")
    return refuse("IncorrectInstanceState", "The instance '" + id + "' is not in the 'stopped' state.");
  if (attribute.flag && value.is_string()) value = value.string_or({}) == "true";
  if (attribute.name == "instanceInitiatedShutdownBehavior" && value.string_or({}) != "stop" &&
      value.string_or({}) != "terminate")
    return refuse("InvalidParameterValue",
                  "Value (" + std::string(value.string_or({})) +
                      ") for parameter instanceInitiatedShutdownBehavior is invalid. Expecting stop or terminate.");
  json::Value& holder = attribute.of_instance ? instance : instance.at_or_make("Attributes");
  if (value.is_string() && value.as_string().empty()) {
    if (holder.is_object()) holder.as_object().erase(attribute.member);
  } else {
    holder.set(attribute.member, std::move(value));
  }
  return {};
}

Result<json::Value> groups_in(Request& request, const json::Value& instance) {
  FIXPOINT_CHECK(check_group_count(request.input["Groups"].size()));
  json::Array groups;
  for (const json::Value& id : request.input["Groups"].as_array()) {
    const Document group = request.state.get(scope(request, "security-group"), id.string_or({}));
    if (!group || (*group)["VpcId"] != instance["VpcId"])
      return refuse("InvalidGroup.NotFound",
                    "The security group '" + std::string(id.string_or({})) + "' does not exist");
    groups.push_back(json::Object{{"GroupId", id}, {"GroupName", (*group)["GroupName"]}});
  }
  return json::Value(std::move(groups));
}

Reply modify_attribute(Request& request) {
  FIXPOINT_TRY(stored, instance_of(request));
  json::Value instance = *stored;
  int given = 0;
  for (const Attribute& attribute : attributes) {
    const bool named = request.text("Attribute") == attribute.name && request.has("Value");
    if (!named && !request.has(attribute.member)) continue;
    ++given;
    FIXPOINT_CHECK(
        set_attribute(instance, attribute, named ? request.input["Value"] : request.input[attribute.member]["Value"]));
  }
  if (request.input["Groups"].size() > 0) {
    ++given;
    FIXPOINT_TRY(groups, groups_in(request, instance));
    instance.set("SecurityGroups", groups);
  }
  if (given == 0 && request.has("Attribute")) return unknown(request.text("Attribute"));
  if (given == 0) return refuse("MissingParameter", "The request must contain an attribute to modify");
  if (given > 1) return refuse("InvalidParameterCombination", "Fewer attributes must be specified: one at a time");
  request.state.put(scope(request, "instance"), request.text("InstanceId"), std::move(instance));
  return empty();
}

}  // namespace

Result<void> check_not_protected(const json::Value& instance, bool against_stop) {
  const char* member = against_stop ? "DisableApiStop" : "DisableApiTermination";
  if (!instance["Attributes"][member].bool_or(false)) return {};
  return refuse("OperationNotPermitted", "The instance '" + std::string(instance["InstanceId"].string_or({})) +
                                             "' may not be " + (against_stop ? "stopped" : "terminated") +
                                             ". Modify its '" +
                                             (against_stop ? "disableApiStop" : "disableApiTermination") +
                                             "' instance attribute and try again.");
}

void add_instance_attributes(Table& table) {
  table.reads("DescribeInstanceAttribute", describe_attribute);
  table.changes("ModifyInstanceAttribute", modify_attribute);
}

}  // namespace fixpoint::sandbox::ec2
