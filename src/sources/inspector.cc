// Amazon Inspector's findings: the detail of the event "Inspector2 Finding" and the answer of ListFindings.
// https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html; what Security Hub makes of it:
// https://docs.aws.amazon.com/inspector/latest/user/securityhub-integration.html
#include "base/arn.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Object;
using json::Value;

constexpr Product product{"inspector", "Inspector", "Amazon"};

struct Name {
  std::string_view theirs;
  std::string_view ours;
};
constexpr Name types[] = {
    {"PACKAGE_VULNERABILITY", "Software and Configuration Checks/Vulnerabilities/CVE"},
    {"CODE_VULNERABILITY", "Software and Configuration Checks/Vulnerabilities"},
    {"NETWORK_REACHABILITY", "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"}};
constexpr Name resource_types[] = {{"AWS_EC2_INSTANCE", "AWS::EC2::Instance"},
                                   {"AWS_ECR_REPOSITORY", "AWS::ECR::Repository"},
                                   {"AWS_LAMBDA_FUNCTION", "AWS::Lambda::Function"}};
// "UNTRIAGED" is what has no severity yet.
constexpr Name severities[] = {{"INFORMATIONAL", "INFORMATIONAL"},
                               {"UNTRIAGED", "INFORMATIONAL"},
                               {"LOW", "LOW"},
                               {"MEDIUM", "MEDIUM"},
                               {"HIGH", "HIGH"},
                               {"CRITICAL", "CRITICAL"}};

template <std::size_t count>
std::string_view named(const Name (&names)[count], std::string_view theirs, std::string_view otherwise) {
  for (const Name& name : names)
    if (name.theirs == theirs) return name.ours;
  return otherwise;
}

// Members under their other names; those that are not there are left out.
Object renamed(const Value& from, std::initializer_list<Name> names) {
  Object out;
  for (const Name& name : names)
    if (const Value& value = from[name.theirs]; !value.is_null()) out.set(name.ours, value);
  return out;
}

Result<Value> vulnerability_of(const Item& item, const Value& details) {
  Object out{{"Id", details["vulnerabilityId"]}};
  json::Array packages;
  for (std::size_t i = 0; i < details["vulnerablePackages"].size(); ++i) {
    Object package = renamed(details["vulnerablePackages"][i], {{"name", "Name"},
                                                                {"version", "Version"},
                                                                {"release", "Release"},
                                                                {"arch", "Architecture"},
                                                                {"packageManager", "PackageManager"},
                                                                {"filePath", "FilePath"},
                                                                {"fixedInVersion", "FixedInVersion"},
                                                                {"remediation", "Remediation"},
                                                                {"sourceLayerHash", "SourceLayerHash"}});
    if (const Value& epoch = details["vulnerablePackages"][i]["epoch"]; !epoch.is_null())
      package.set("Epoch", as_text(epoch));
    packages.emplace_back(std::move(package));
  }
  if (!packages.empty()) out.set("VulnerablePackages", std::move(packages));
  json::Array scores;
  for (std::size_t i = 0; i < details["cvss"].size(); ++i)
    scores.emplace_back(renamed(
        details["cvss"][i],
        {{"version", "Version"}, {"baseScore", "BaseScore"}, {"scoringVector", "BaseVector"}, {"source", "Source"}}));
  if (!scores.empty()) out.set("Cvss", std::move(scores));
  Object vendor = renamed(details, {{"source", "Name"}, {"sourceUrl", "Url"}, {"vendorSeverity", "VendorSeverity"}});
  for (const auto& [theirs, ours] :
       {std::pair{"vendorCreatedAt", "VendorCreatedAt"}, {"vendorUpdatedAt", "VendorUpdatedAt"}})
    if (!details[theirs].is_null()) {
      FIXPOINT_TRY(time, time_of(item, details[theirs], std::string("packageVulnerabilityDetails.") + theirs));
      vendor.set(ours, time);
    }
  if (vendor.contains("Name")) out.set("Vendor", std::move(vendor));
  if (details["referenceUrls"].is_array()) out.set("ReferenceUrls", details["referenceUrls"]);
  for (const auto& [theirs, ours] :
       {std::pair{"fixAvailable", "FixAvailable"}, {"exploitAvailable", "ExploitAvailable"}})
    if (item.value[theirs].is_string()) out.set(ours, item.value[theirs]);
  if (item.value["epss"]["score"].is_number()) out.set("EpssScore", item.value["epss"]["score"]);
  return Value(std::move(out));
}

Value resource_from(const Home& home, const Value& theirs) {
  const std::string_view type = theirs["type"].string_or("");
  const std::string_view id = theirs["id"].string_or("");
  const Value& details = theirs["details"];
  const std::string_view region = theirs["region"].string_or("");
  Value out = resource_of(home, named(resource_types, type, ""), id, is_nothing(region) ? "" : region);
  if (type == "AWS_ECR_CONTAINER_IMAGE") {
    out.set("Type", "AwsEcrContainerImage");
    Object image = renamed(details["awsEcrContainerImage"], {{"registry", "RegistryId"},
                                                             {"repositoryName", "RepositoryName"},
                                                             {"architecture", "Architecture"},
                                                             {"imageHash", "ImageDigest"},
                                                             {"imageTags", "ImageTags"}});
    if (!image.empty()) out.set("Details", Object{{"AwsEcrContainerImage", std::move(image)}});
  } else if (type == "AWS_EC2_INSTANCE") {
    Object instance = renamed(details["awsEc2Instance"], {{"type", "Type"},
                                                          {"imageId", "ImageId"},
                                                          {"ipV4Addresses", "IpV4Addresses"},
                                                          {"ipV6Addresses", "IpV6Addresses"},
                                                          {"vpcId", "VpcId"},
                                                          {"subnetId", "SubnetId"},
                                                          {"iamInstanceProfileArn", "IamInstanceProfileArn"}});
    if (!instance.empty()) out.set("Details", Object{{"AwsEc2Instance", std::move(instance)}});
  }
  if (Value tags = tags_of(theirs["tags"]); !tags.is_null()) out.set("Tags", std::move(tags));
  return out;
}

}  // namespace

bool is_inspector(const Value& value) {
  return value.find("findingArn") != nullptr;
}

Result<Value> read_inspector(const Item& item) {
  const Value& value = item.value;
  FIXPOINT_TRY(arn, text_of(item, value["findingArn"], "findingArn"));
  const auto parsed = parse_arn(arn);
  if (!parsed || parsed->service != "inspector2")
    return fail(item.bad("findingArn", "is '" + cut_characters(arn, 80) +
                                           "'; it has to be the ARN of a finding of inspector2, such as "
                                           "arn:aws:inspector2:us-east-1:111111111111:finding/..."));
  FIXPOINT_TRY(home, home_of(item, value["awsAccountId"], Value(parsed->region), Value(parsed->partition)));
  FIXPOINT_TRY(severity, text_of(item, value["severity"], "severity"));
  const std::string_view label = named(severities, severity, "");
  if (label.empty())
    return fail(item.bad("severity", "is '" + cut_characters(severity, 80) +
                                         "'; it has to be INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL or UNTRIAGED"));
  FIXPOINT_TRY(description, text_of(item, value["description"], "description"));
  FIXPOINT_TRY(first, time_of(item, value["firstObservedAt"], "firstObservedAt"));
  FIXPOINT_TRY(last, time_of(item, value["lastObservedAt"], "lastObservedAt"));
  std::string updated = last;
  if (!value["updatedAt"].is_null()) {
    FIXPOINT_TRY(time, time_of(item, value["updatedAt"], "updatedAt"));
    updated = time;
  }
  const Value& theirs = value["resources"];
  if (!theirs.is_array() || theirs.size() == 0)
    return fail(item.bad("resources", "has to be an array with at least one resource"));
  Value finding = finding_of(product, home, arn, "AWSInspector", value["title"].string_or(description), description);
  const std::string_view type = value["type"].string_or("");
  finding.set("Types", json::Array{Value(named(types, type, "Software and Configuration Checks/Vulnerabilities"))});
  finding.set("CreatedAt", first);
  finding.set("UpdatedAt", updated);
  finding.set("FirstObservedAt", first);
  finding.set("LastObservedAt", last);
  finding.set("Severity", Object{{"Label", label}, {"Original", severity}});
  // CLOSED has been mended, SUPPRESSED is by a filter of the owner's: neither is to be acted on.
  if (value["status"].string_or("ACTIVE") != "ACTIVE") finding.set("RecordState", "ARCHIVED");
  json::Array resources;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    FIXPOINT_CHECK(text_of(item, theirs[i]["id"], "resources[" + std::to_string(i) + "].id"));
    for (const auto* place : {"region", "partition"})
      if (theirs[i][place].is_string() && is_nothing(theirs[i][place].as_string()))
        item.repaired("a resource's " + std::string(place) + " said nothing ('N/A') and was taken from the finding");
    resources.push_back(resource_from(home, theirs[i]));
  }
  finding.set("Resources", std::move(resources));
  const Value& recommendation = value["remediation"]["recommendation"];
  Object advice;
  for (const auto& [name, ours] : {std::pair{"text", "Text"}, {"Url", "Url"}})
    if (!is_nothing(recommendation[name].string_or("")))
      advice.set(ours, cut_characters(recommendation[name].as_string(), 512));
  if (!advice.empty()) finding.set("Remediation", Object{{"Recommendation", std::move(advice)}});
  if (value["packageVulnerabilityDetails"]["vulnerabilityId"].is_string()) {
    FIXPOINT_TRY(vulnerability, vulnerability_of(item, value["packageVulnerabilityDetails"]));
    finding.set("Vulnerabilities", json::Array{vulnerability});
  }
  Value& fields = finding.at_or_make("ProductFields");
  fields.set("aws/inspector/ProductVersion", "2");
  fields.set("aws/inspector/FindingStatus", value["status"].string_or("ACTIVE"));
  if (value["inspectorScore"].is_number()) fields.set("aws/inspector/inspectorScore", as_text(value["inspectorScore"]));
  if (value["networkReachabilityDetails"].is_object())
    flatten(finding, "aws/inspector/networkReachabilityDetails", value["networkReachabilityDetails"]);
  return finding;
}

}  // namespace fixpoint::sources
