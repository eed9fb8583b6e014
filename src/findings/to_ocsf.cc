// A finding of the AWS Security Finding Format as Security Hub V2 writes it.
#include <string>

#include "base/arn.h"
#include "base/text.h"
#include "findings/ocsf.h"
#include "findings/ocsf_names.h"
#include "findings/resources.h"
#include "findings/timestamp.h"

namespace fixpoint::findings {
namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr const char* schema_version = "1.6.0";
constexpr std::int64_t vulnerability_finding = 2002, compliance_finding = 2003, detection_finding = 2004;

// As a number of milliseconds and, beside it, as text: the profile `datetime`.
void set_time(Object& into, const std::string& name, const Value& from) {
  const auto time = parse_timestamp(from.string_or(""));
  if (!time) return;
  into.set(name, *time);
  into.set(name + "_dt", format_iso8601_ms(*time));
}

void set_some(Object& into, std::string_view name, const Value& value) {
  if (value.is_null() || (value.is_string() && value.as_string().empty())) return;
  if (value.is_array() && value.size() == 0) return;
  into.set(name, value);
}

Value account_of(const Value& uid) {
  return Object{{"type", "AWS Account"}, {"type_id", 10}, {"uid", uid}};
}

std::string partition_of(const Value& finding) {
  const auto arn = parse_arn(finding["ProductArn"].string_or(""));
  return arn ? arn->partition : "aws";
}

std::int64_t class_of(const Value& finding) {
  if (finding["Vulnerabilities"].size() > 0) return vulnerability_finding;
  return finding["Compliance"]["Status"].is_string() ? compliance_finding : detection_finding;
}

std::string_view class_name_of(std::int64_t class_uid) {
  if (class_uid == vulnerability_finding) return "Vulnerability Finding";
  return class_uid == compliance_finding ? "Compliance Finding" : "Detection Finding";
}

// What Security Hub itself adds to the provider's types; nothing where that would be a guess.
std::string_view category_of(std::int64_t class_uid) {
  if (class_uid == vulnerability_finding) return "Vulnerabilities";
  return class_uid == compliance_finding ? "Posture Management" : "";
}

// Without a ProductName the last part of the product's ARN says which it is.
Value product_of(const Value& finding) {
  const std::string_view arn = finding["ProductArn"].string_or("");
  const auto parts = split(arn, '/');
  Object product;
  const Value& name = finding["ProductName"];
  product.set("name", name.is_string() ? name : Value(parts.back()));
  product.set("uid", product_uid_of(arn));
  const Value& company = finding["CompanyName"];
  const std::string_view owner = parts.size() > 2 ? parts[parts.size() - 2] : std::string_view();
  product.set("vendor_name", company.is_string() ? company : Value(owner == "aws" ? "AWS" : owner));
  return product;
}

Value parameters_of(const Value& parameters) {
  Array out;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    out.emplace_back(Object{{"name", parameters[i]["Name"]}, {"values", parameters[i]["Value"]}});
  return out;
}

Value compliance_of(const Value& finding) {
  const Value& from = finding["Compliance"];
  Object out;
  set_some(out, "control", from["SecurityControlId"]);
  set_some(out, "control_parameters", parameters_of(from["SecurityControlParameters"]));
  set_some(out, "requirements", from["RelatedRequirements"]);
  Array standards;
  for (std::size_t i = 0; i < from["AssociatedStandards"].size(); ++i)
    standards.push_back(from["AssociatedStandards"][i]["StandardsId"]);
  set_some(out, "standards", standards);
  if (const OcsfName* status = name_of(ocsf_compliances(), from["Status"].string_or(""))) {
    out.set("status", status->caption);
    out.set("status_id", status->id);
  }
  set_some(out, "status_code", from["StatusReasons"][0]["ReasonCode"]);
  set_some(out, "status_detail", from["StatusReasons"][0]["Description"]);
  return out;
}

Value finding_info_of(const Value& finding, std::int64_t class_uid) {
  Object info;
  const std::string_view generator = finding["GeneratorId"].string_or("");
  constexpr std::string_view of_control = "security-control/";
  info.set("analytic",
           Object{{"type", "Rule"},
                  {"type_id", 1},
                  {"uid", generator.starts_with(of_control) ? generator.substr(of_control.size()) : generator}});
  set_time(info, "created_time", finding["CreatedAt"]);
  info.set("desc", finding["Description"]);
  set_time(info, "first_seen_time", finding["FirstObservedAt"]);
  set_time(info, "last_seen_time", finding["LastObservedAt"]);
  set_time(info, "modified_time", finding["UpdatedAt"]);
  Array related;
  for (std::size_t i = 0; i < finding["RelatedFindings"].size(); ++i) {
    const Value& one = finding["RelatedFindings"][i];
    related.emplace_back(
        Object{{"product", Object{{"uid", product_uid_of(one["ProductArn"].string_or(""))}}}, {"uid", one["Id"]}});
  }
  set_some(info, "related_events", related);
  if (!related.empty()) info.set("related_events_count", related.size());
  set_some(info, "src_url", finding["SourceUrl"]);
  info.set("title", finding["Title"]);
  Array types;
  for (std::size_t i = 0; i < finding["Types"].size(); ++i) types.push_back(finding["Types"][i]);
  if (const std::string_view category = category_of(class_uid); !category.empty()) types.emplace_back(category);
  set_some(info, "types", types);
  info.set("uid", finding["Id"]);
  return info;
}

Value resource_of(const Value& resource, const Value& finding, const std::string& partition) {
  Object out;
  const Value& own = resource["Partition"];
  out.set("cloud_partition", own.is_string() ? own : Value(partition));
  if (resource["Details"].size() > 0) out.set("data", resource["Details"]);
  out.set("owner", Object{{"account", account_of(finding["AwsAccountId"])}});
  const Value& region = resource["Region"];
  set_some(out, "region", region.is_string() ? region : finding["Region"]);
  Array tags;
  if (resource["Tags"].is_object())
    for (const auto& tag : resource["Tags"].as_object())
      tags.emplace_back(Object{{"name", tag.key}, {"value", tag.value}});
  set_some(out, "tags", tags);
  out.set("type", cloudformation_type_of(resource["Type"].string_or("")));
  out.set("uid", resource["Id"]);
  return out;
}

Value packages_of(const Value& packages) {
  Array out;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    Object package;
    for (const auto& [ocsf, asff] : package_texts) set_some(package, ocsf, packages[i][asff]);
    if (const auto epoch = to_int64(packages[i]["Epoch"].string_or(""))) package.set("epoch", *epoch);
    if (const Value& how = packages[i]["Remediation"]; how.is_string())
      package.set("remediation", Object{{"desc", how}});
    out.emplace_back(std::move(package));
  }
  return out;
}

Value vulnerability_of(const Value& from) {
  Object cve{{"uid", from["Id"]}};
  Array scores;
  for (std::size_t i = 0; i < from["Cvss"].size(); ++i) {
    Object score;
    set_some(score, "base_score", from["Cvss"][i]["BaseScore"]);
    set_some(score, "vector_string", from["Cvss"][i]["BaseVector"]);
    set_some(score, "vendor_name", from["Cvss"][i]["Source"]);
    set_some(score, "version", from["Cvss"][i]["Version"]);
    scores.emplace_back(std::move(score));
  }
  set_some(cve, "cvss", scores);
  if (from["EpssScore"].is_number()) cve.set("epss", Object{{"score", from["EpssScore"].number_text()}});
  Object out;
  set_some(out, "affected_packages", packages_of(from["VulnerablePackages"]));
  out.set("cve", std::move(cve));
  set_time(out, "exploit_last_seen_time", from["LastKnownExploitAt"]);
  // https://schema.ocsf.io/1.6.0/objects/vulnerability: fix_coverage_id 1 Complete, 2 Partial, 3 None
  if (const std::string_view fix = from["FixAvailable"].string_or(""); !fix.empty()) {
    out.set("fix_coverage", fix == "YES" ? "Complete" : fix == "PARTIAL" ? "Partial" : "None");
    out.set("fix_coverage_id", fix == "YES" ? 1 : fix == "PARTIAL" ? 2 : 3);
    out.set("is_fix_available", fix != "NO");
  }
  if (from["ExploitAvailable"].is_string())
    out.set("is_exploit_available", from["ExploitAvailable"].as_string() == "YES");
  set_some(out, "references", from["ReferenceUrls"]);
  set_some(out, "related_vulnerabilities", from["RelatedVulnerabilities"]);
  set_some(out, "severity", from["Vendor"]["VendorSeverity"]);
  set_some(out, "vendor_name", from["Vendor"]["Name"]);
  return out;
}

Value remediation_of(const Value& recommendation) {
  Object out;
  set_some(out, "desc", recommendation["Text"]);
  if (recommendation["Url"].is_string()) out.set("references", Array{recommendation["Url"]});
  return out;
}

void set_severity(Object& into, const Value& severity) {
  const OcsfName* name = name_of(ocsf_severities(), severity["Label"].string_or(""));
  if (name == nullptr) name = name_of(ocsf_severities(), severity_label_of(severity["Normalized"].int_or(0)));
  into.set("severity", name->caption);
  into.set("severity_id", name->id);
}

Value written(const Value& finding) {
  const std::string partition = partition_of(finding);
  const std::int64_t class_uid = class_of(finding);
  const std::string class_name(class_name_of(class_uid));
  // "Findings with activity_name Close are closed":
  // https://docs.aws.amazon.com/securityhub/latest/userguide/ocsf-findings.html
  const bool closed = finding["RecordState"].string_or("ACTIVE") == "ARCHIVED";
  const bool updated = !(finding["CreatedAt"] == finding["UpdatedAt"]);
  const std::int64_t activity = closed ? 3 : updated ? 2 : 1;
  const std::string activity_name = closed ? "Close" : updated ? "Update" : "Create";
  Object out{{"activity_id", activity}, {"activity_name", activity_name}, {"category_name", "Findings"},
             {"category_uid", 2},       {"class_name", class_name},       {"class_uid", class_uid}};
  Value account = account_of(finding["AwsAccountId"]);
  if (const Value& name = finding["AwsAccountName"]; name.is_string()) account.set("name", name);
  Object cloud{{"account", std::move(account)}, {"cloud_partition", partition}, {"provider", "AWS"}};
  set_some(cloud, "region", finding["Region"]);
  out.set("cloud", std::move(cloud));
  set_some(out, "comment", finding["Note"]["Text"]);
  if (finding["Compliance"].size() > 0) out.set("compliance", compliance_of(finding));
  set_some(out, "confidence_score", finding["Confidence"]);
  out.set("finding_info", finding_info_of(finding, class_uid));
  Object metadata{{"product", product_of(finding)},
                  {"profiles", Array{Value("cloud"), Value("datetime")}},
                  {"uid", metadata_uid_of(key_of(finding))},
                  {"version", schema_version}};
  // OCSF has no word for it, and a sample must be known as one wherever it goes.
  if (finding["Sample"].bool_or(false)) metadata.set("labels", Array{Value(sample_label)});
  out.set("metadata", std::move(metadata));
  if (finding["Remediation"]["Recommendation"].size() > 0)
    out.set("remediation", remediation_of(finding["Remediation"]["Recommendation"]));
  Array resources;
  for (std::size_t i = 0; i < finding["Resources"].size(); ++i)
    resources.push_back(resource_of(finding["Resources"][i], finding, partition));
  out.set("resources", std::move(resources));
  set_severity(out, finding["Severity"]);
  if (const OcsfName* status = name_of(ocsf_statuses(), standing_of(finding))) {
    out.set("status", status->caption);
    out.set("status_id", status->id);
  }
  set_time(out, "time", finding["UpdatedAt"]);
  out.set("type_name", class_name + ": " + activity_name);
  out.set("type_uid", class_uid * 100 + activity);
  const Value& provider = finding["FindingProviderFields"]["Severity"];
  Object vendor;
  set_severity(vendor, provider.is_object() ? provider : finding["Severity"]);
  out.set("vendor_attributes", std::move(vendor));
  Array vulnerabilities;
  for (std::size_t i = 0; i < finding["Vulnerabilities"].size(); ++i)
    vulnerabilities.push_back(vulnerability_of(finding["Vulnerabilities"][i]));
  set_some(out, "vulnerabilities", vulnerabilities);
  return out;
}

// Sets over `over` where `now` differs from `base`, and what `over` has not. As deep as what `written` makes.
void lay_over(Value& over, const Value& base, const Value& now) {
  for (const auto& member : base.as_object())
    if (now.find(member.key) == nullptr) over.as_object().erase(member.key);
  for (const auto& member : now.as_object()) {
    Value* there = over.as_object().find(member.key);
    const Value& before = base[member.key];
    if (there != nullptr && there->is_object() && member.value.is_object() && before.is_object())
      lay_over(*there, before, member.value);
    else if (there == nullptr || there->is_null() || !(member.value == before))
      over.set(member.key, member.value);
  }
}

}  // namespace

Value ocsf_of(const Value& finding, const Value& original) {
  Value now = written(finding);
  if (!original.is_object()) return now;
  const auto before = asff_of(original);
  if (!before) return now;  // nothing that asff_of refuses was ever stored
  Value out = original;
  lay_over(out, written(*before), now);
  return out;
}

}  // namespace fixpoint::findings
