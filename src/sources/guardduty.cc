// GuardDuty's findings: the detail of the event "GuardDuty Finding", and the answer of GetFindings as the wire
// ("accountId") and as the aws command ("AccountId") have it.
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html; what Security Hub makes of it:
// https://docs.aws.amazon.com/guardduty/latest/ug/securityhub-integration.html
#include "base/arn.h"
#include "base/text.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Object;
using json::Value;

constexpr Product product{"guardduty", "GuardDuty", "Amazon"};

// GuardDuty's types by what they begin with, the longer before the shorter, and the type in the finding format's
// taxonomy to which the GuardDuty type is put, with its slash a hyphen.
struct TypeOf {
  std::string_view begins;
  std::string_view category;
};
constexpr TypeOf categories[] = {
    {"Backdoor:EC2/DenialOfService", "Effects/Denial of Service"},
    {"Backdoor:", "TTPs/Command and Control"},
    {"Behavior:", "Unusual Behaviors/VM"},
    {"CredentialAccess:", "TTPs/Credential Access"},
    {"CryptoCurrency:", "TTPs/Command and Control"},
    {"DefenseEvasion:", "TTPs/Defense Evasion"},
    {"Discovery:", "TTPs/Discovery"},
    {"Execution:", "TTPs/Execution"},
    {"Exfiltration:", "Effects/Data Exfiltration"},
    {"Impact:S3/ObjectDelete", "Effects/Data Destruction"},
    {"Impact:S3/PermissionsModification", "TTPs/Permission Escalation"},
    {"InitialAccess:", "TTPs/Initial Access"},
    {"PenTest:", "TTPs/Discovery"},
    {"Persistence:", "TTPs/Persistence"},
    {"Policy:S3/", "Effects/Data Exposure"},
    {"Policy:", "Software and Configuration Checks/AWS Security Best Practices"},
    {"PrivilegeEscalation:", "TTPs/PrivilegeEscalation"},
    {"Recon:EC2/PortProbeEMRUnprotectedPort", "TTPs/Initial Access"},
    {"Recon:", "TTPs/Discovery"},
    {"ResourceConsumption:", "Unusual Behaviors/User"},
    {"Stealth:S3/ServerAccessLoggingDisabled", "Software and Configuration Checks/AWS Security Best Practices"},
    {"Stealth:", "TTPs/Defense Evasion"},
    {"Trojan:EC2/DNSDataExfiltration", "Effects/Data Exfiltration"},
    {"Trojan:EC2/DropPoint", "Effects/Data Exfiltration"},
    {"Trojan:", "TTPs/Command and Control"},
    {"UnauthorizedAccess:EC2/MetadataDNSRebind", "Software and Configuration Checks/AWS Security Best Practices"},
    {"UnauthorizedAccess:EC2/RDPBruteForce", "TTPs/Initial Access"},
    {"UnauthorizedAccess:EC2/SSHBruteForce", "TTPs/Initial Access"},
    {"UnauthorizedAccess:EC2/TorClient", "Effects/Data Exfiltration"},
    {"UnauthorizedAccess:EC2/TorRelay", "Effects/Resource Consumption"},
    {"UnauthorizedAccess:IAMUser/ConsoleLogin", "Unusual Behaviors/User"},
    {"UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration", "Effects/Data Exfiltration"},
    {"UnauthorizedAccess:", "TTPs/Command and Control"},
};

std::string type_of(std::string_view type) {
  std::string_view category = "TTPs";
  for (const TypeOf& known : categories)
    if (type.starts_with(known.begins)) {
      category = known.category;
      break;
    }
  return std::string(category) + "/" + replace_all(std::string(type), "/", "-");
}

// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html: low 1.0 to 3.9, medium 4.0 to 6.9,
// high 7.0 to 8.9, critical 9.0 to 10.0
std::string_view label_of(double severity) {
  if (severity >= 9) return "CRITICAL";
  if (severity >= 7) return "HIGH";
  return severity >= 4 ? "MEDIUM" : "LOW";
}

// `service.additionalInfo` is an object in older events, and since 2022 {type, value} whose value is JSON in a string;
// a generated sample says so in either. https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html
bool is_sample(const Value& service) {
  const Value& info = member(service, "additionalInfo");
  if (member(info, "sample").bool_or(false) || member(info, "sample").string_or("") == "true") return true;
  return says_sample(info.string_or("")) || says_sample(member(info, "value").string_or(""));
}

void with(Value& resource, const char* name, Object details) {
  for (const auto* text :
       {"Type", "ImageId", "LaunchedAt", "VpcId", "SubnetId", "PrincipalId", "PrincipalType", "PrincipalName"})
    if (const Value* value = details.find(text); value != nullptr && !value->is_string()) details.erase(text);
  if (!details.empty()) resource.set("Details", Object{{name, std::move(details)}});
}

// All that the finding is about, by what its resource holds, whatever its resourceType says: a finding on an S3 bucket
// has the key that was used as well.
void add_resources(json::Array& out, const Home& home, const Value& resource) {
  const auto add = [&](std::string_view type, const Value& named, const Value& tags) -> Value* {
    if (!named.is_string() || named.as_string().empty()) return nullptr;
    Value one = resource_of(home, type, named.as_string());
    if (Value read = tags_of(tags); !read.is_null()) one.set("Tags", std::move(read));
    out.push_back(std::move(one));
    return &out.back();
  };
  const Value& instance = member(resource, "instanceDetails");
  if (Value* one = add("AWS::EC2::Instance", member(instance, "instanceId"), member(instance, "tags"))) {
    const Value& network = member(instance, "networkInterfaces")[0];
    with(*one, "AwsEc2Instance",
         {{"Type", member(instance, "instanceType")},
          {"ImageId", member(instance, "imageId")},
          {"LaunchedAt", member(instance, "launchTime")},
          {"VpcId", member(network, "vpcId")},
          {"SubnetId", member(network, "subnetId")}});
  }
  const Value& buckets = member(resource, "s3BucketDetails");
  for (std::size_t i = 0; i < std::min<std::size_t>(buckets.size(), 16); ++i)
    add("AWS::S3::Bucket",
        member(buckets[i], "arn").is_string() ? member(buckets[i], "arn") : member(buckets[i], "name"),
        member(buckets[i], "tags"));
  const Value& eks = member(resource, "eksClusterDetails");
  add("AWS::EKS::Cluster", member(eks, "arn").is_string() ? member(eks, "arn") : member(eks, "name"),
      member(eks, "tags"));
  const Value& ecs = member(resource, "ecsClusterDetails");
  add("AWS::ECS::Cluster", member(ecs, "arn").is_string() ? member(ecs, "arn") : member(ecs, "name"),
      member(ecs, "tags"));
  const Value& function = member(resource, "lambdaDetails");
  add("AWS::Lambda::Function",
      member(function, "functionArn").is_string() ? member(function, "functionArn") : member(function, "functionName"),
      member(function, "tags"));
  const Value& database = member(resource, "rdsDbInstanceDetails");
  add("AWS::RDS::DBInstance",
      member(database, "dbInstanceArn").is_string() ? member(database, "dbInstanceArn")
                                                    : member(database, "dbInstanceIdentifier"),
      member(database, "tags"));
  const Value& volumes = member(member(resource, "ebsVolumeDetails"), "scannedVolumeDetails");
  for (std::size_t i = 0; i < std::min<std::size_t>(volumes.size(), 8); ++i)
    add("AWS::EC2::Volume", member(volumes[i], "volumeArn"), {});
  const Value& key = member(resource, "accessKeyDetails");
  if (key.is_object() && key.size() > 0) {
    // Security Hub's own name for a key: AWS::IAM::AccessKey:AKIA...
    const std::string_view id = member(key, "accessKeyId").string_or("null");
    Value one = resource_of(home, "AWS::IAM::AccessKey", "AWS::IAM::AccessKey:" + std::string(id));
    with(one, "AwsIamAccessKey",
         {{"PrincipalId", member(key, "principalId")},
          {"PrincipalType", member(key, "userType")},
          {"PrincipalName", member(key, "userName")}});
    out.push_back(std::move(one));
  }
  if (out.empty()) out.push_back(resource_of(home, "AWS::::Account", "AWS::::Account:" + home.account));
}

}  // namespace

bool is_guardduty(const Value& value) {
  return member(value, "service").is_object() && member(value, "resource").is_object() &&
         value.find("ProductArn") == nullptr;
}

Result<Value> read_guardduty(const Item& item) {
  const Value& value = item.value;
  const Value& service = member(value, "service");
  FIXPOINT_TRY(home, home_of(item, member(value, "accountId"), member(value, "region"), member(value, "partition")));
  FIXPOINT_TRY(type, text_of(item, member(value, "type"), "type"));
  FIXPOINT_TRY(arn, text_of(item, member(value, "arn"), "arn"));
  const Value& severity = member(value, "severity");
  if (!severity.is_number() || !(severity.as_double() >= 0 && severity.as_double() <= 10))
    return fail(
        item.bad("severity", severity.is_number()
                                 ? "is " + severity.number_text() + "; it has to be from 0 to 10"
                                 : "has to be a number from 0 to 10, not " + std::string(json::kind_name(severity))));
  FIXPOINT_TRY(created, time_of(item, member(value, "createdAt"), "createdAt"));
  FIXPOINT_TRY(updated, time_of(item, member(value, "updatedAt"), "updatedAt"));
  const auto detector = arn.find("/finding/");
  const std::string_view title = member(value, "title").string_or(type);
  Value finding =
      finding_of(product, home, arn, arn.substr(0, detector), title, member(value, "description").string_or(title));
  finding.set("Types", json::Array{Value(type_of(type))});
  finding.set("CreatedAt", created);
  finding.set("UpdatedAt", updated);
  for (const auto& [theirs, ours] :
       {std::pair{"eventFirstSeen", "FirstObservedAt"}, {"eventLastSeen", "LastObservedAt"}})
    if (const Value& seen = member(service, theirs); !seen.is_null()) {
      FIXPOINT_TRY(time, time_of(item, seen, std::string("service.") + theirs));
      finding.set(ours, time);
    }
  finding.set(
      "Severity",
      Object{{"Product", severity}, {"Label", label_of(severity.as_double())}, {"Original", severity.number_text()}});
  if (member(service, "archived").bool_or(false)) finding.set("RecordState", "ARCHIVED");
  if (is_sample(service)) {
    finding.set("Sample", true);
    item.repaired(std::string(sample_note));
  }
  json::Array resources;
  add_resources(resources, home, member(value, "resource"));
  finding.set("Resources", std::move(resources));
  finding.at_or_make("ProductFields").set("aws/guardduty/type", type);
  flatten(finding, "aws/guardduty/service", service);
  return finding;
}

}  // namespace fixpoint::sources
