// A finding that is in the AWS Security Finding Format already, with the faults that tools are known for put right.

#include <cstdint>

#include "base/arn.h"
#include "base/text.h"
#include "findings/asff.h"
#include "findings/resources.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Object;
using json::Value;

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html, API_Recommendation.html
constexpr std::size_t title_limit = 256;
constexpr std::size_t description_limit = 1024;
constexpr std::size_t recommendation_limit = 512;
constexpr std::size_t id_limit = 512;
constexpr std::size_t field_limit = 2048;
constexpr std::size_t tag_limit = 256;
// What Prowler writes for a check that has no type of its own, and the only namespace that fits any check.
constexpr const char* plain_type = "Software and Configuration Checks";

// Java's times become the finding format's; what is no time at all is left for the validation to name.
Result<void> repair_times(Value& finding, const Item& item) {
  for (const auto* member : {"CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"}) {
    const Value* value = finding.find(member);
    if (value == nullptr || !value->is_string()) continue;
    if (trim(value->as_string()).empty()) continue;
    FIXPOINT_TRY(time, time_of(item, *value, member));
    if (time != value->as_string()) finding.set(member, time);
  }
  return {};
}

// Labels in small letters, and Trivy's for what has no severity.
void repair_label(Value& severity, const Item& item) {
  const std::string_view given = severity["Label"].string_or("");
  const std::string label = given == "UNKNOWN" ? "INFORMATIONAL" : to_upper(given);
  if (label == given || findings::severity_normalized_of(label) < 0) return;
  item.repaired("Severity.Label was '" + std::string(given) + "' and is now " + label);
  severity.set("Label", label);
}

void repair_severity(Value& finding, const Item& item) {
  Value* severity = finding.as_object().find("Severity");
  if (severity == nullptr || !severity->is_object()) return;
  if (severity->find("Label") != nullptr) return repair_label(*severity, item);
  const auto normalized = (*severity)["Normalized"].as_int64();
  if (!normalized || *normalized < 0 || *normalized > 100) return;
  severity->set("Label", findings::severity_label_of(*normalized));
  item.repaired("Severity had no Label and was given the one of its Normalized");
}

void repair_types(Value& finding, const Item& item) {
  const Value* types = finding.find("Types");
  if (types == nullptr || !types->is_array() || types->size() != 0) return;
  finding.set("Types", json::Array{Value(plain_type)});
  item.repaired("Types was empty and is now '" + std::string(plain_type) + "'");
}

void cut_to(Value& object, const char* member, std::size_t limit, const std::string& path, const Item& item) {
  const Value* value = object.find(member);
  if (value == nullptr || !value->is_string()) return;
  std::string shorter = cut_characters(value->as_string(), limit);
  if (shorter == value->as_string()) return;
  object.set(member, std::move(shorter));
  item.repaired(path + " had more than " + std::to_string(limit) + " characters and was cut");
}

void repair_texts(Value& finding, const Item& item) {
  cut_to(finding, "Title", title_limit, "Title", item);
  cut_to(finding, "Description", description_limit, "Description", item);
  const Value& description = finding["Description"];
  const Value& title = finding["Title"];
  if (description.is_string() && trim(description.as_string()).empty() && title.is_string() &&
      !trim(title.as_string()).empty()) {
    finding.set("Description", title);
    item.repaired("Description was empty and is now the title");
  }
}

// Security Hub refuses an empty text, so a recommendation that says nothing is left out.
void repair_recommendation(Value& finding, const Item& item) {
  Value* remediation = finding.as_object().find("Remediation");
  if (remediation == nullptr || !remediation->is_object()) return;
  Value* recommendation = remediation->as_object().find("Recommendation");
  if (recommendation == nullptr || !recommendation->is_object()) return;
  for (const auto* member : {"Text", "Url"}) {
    const Value* value = recommendation->find(member);
    if (value == nullptr || !value->is_string() || !trim(value->as_string()).empty()) continue;
    recommendation->as_object().erase(member);
    item.repaired("Remediation.Recommendation." + std::string(member) + " was empty and was left out");
  }
  cut_to(*recommendation, "Text", recommendation_limit, "Remediation.Recommendation.Text", item);
  if (recommendation->size() == 0) finding.as_object().erase("Remediation");
}

// Maps of texts in which tools write numbers and booleans, or more than is taken.
void repair_map(Value* map, const std::string& path, std::size_t longest, const Item& item) {
  if (map == nullptr || !map->is_object()) return;
  Object out;
  bool typed = false;
  bool shorter = false;
  for (const auto& member : map->as_object()) {
    typed = typed || !member.value.is_string();
    if (member.value.is_null()) continue;
    std::string text = as_text(member.value);
    std::string fits = cut_characters(text, longest);
    shorter = shorter || fits.size() != text.size();
    out.append(member.key, std::move(fits));
  }
  if (typed) item.repaired(path + " held numbers or other values, which were made texts");
  if (shorter)
    item.repaired(path + " held texts of more than " + std::to_string(longest) + " characters, which were cut");
  if (typed || shorter) *map = Value(std::move(out));
}

// kube-bench named its findings by account and check until it added the cluster
// (https://github.com/aquasecurity/kube-bench/issues/1179), so that those of two clusters overwrite each other.
void repair_kube_bench(Value& finding, const Item& item) {
  if (!finding["ProductArn"].string_or("").ends_with(":product/aqua-security/kube-bench")) return;
  const std::string_view resource = finding["Resources"][0]["Id"].string_or("");
  const std::string_view id = finding["Id"].string_or("");
  if (resource.empty() || id.empty() || id.find(resource) != std::string_view::npos) return;
  if (id.size() + 1 + resource.size() > id_limit) return;
  finding.set("Id", std::string(id) + "+" + std::string(resource));
  item.repaired("Id was the same for every cluster of the account; the cluster was added to it");
}

// Trivy's product has no region where the machine names none.
void repair_region(Value& finding, const Item& item) {
  const Value* region = finding.find("Region");
  if (region != nullptr && region->is_string() && is_nothing(region->as_string())) {
    finding.as_object().erase("Region");
    item.repaired("Region said nothing and was left out");
    region = nullptr;
  }
  const auto product = parse_arn(finding["ProductArn"].string_or(""));
  if (region != nullptr || !product || !product->region.empty()) return;
  finding.set("Region", item.caller.region);
  item.repaired("no region was named; " + item.caller.region + ", from where the findings are brought, was taken");
}

// Findings of GuardDuty that were generated say so among their product fields; those of before 2022 do nowhere else.
void repair_sample(Value& finding, const Item& item) {
  const Value& sample = finding["Sample"];
  bool generated = sample.string_or("") == "true";
  const Value& fields = finding["ProductFields"];
  if (sample.is_null() && finding["ProductArn"].string_or("").ends_with(":product/aws/guardduty"))
    for (const std::string info : {"additionalInfo", "aws/guardduty/service/additionalInfo"})
      generated = generated || fields[info + "/sample"].string_or("") == "true" ||
                  says_sample(fields[info].string_or("")) || says_sample(fields[info + "/value"].string_or(""));
  if (!generated) return;
  finding.set("Sample", true);
  item.repaired(std::string(sample_note));
}

void repair_resource(Value& resource, const Value& finding, const Item& item) {
  const std::string account(finding["AwsAccountId"].string_or(""));
  const auto product = parse_arn(finding["ProductArn"].string_or(""));
  for (const auto* member : {"Region", "Partition"}) {
    const Value* value = resource.find(member);
    if (value == nullptr || !value->is_string() || !is_nothing(value->as_string())) continue;
    resource.as_object().erase(member);
    item.repaired("Resources." + std::string(member) + " said nothing and was left out");
  }
  const std::string type(resource["Type"].string_or(""));
  const std::string id(resource["Id"].string_or(""));
  std::string region(resource["Region"].string_or(finding["Region"].string_or("")));
  if (region.empty() && product) region = product->region;
  const std::string partition(resource["Partition"].string_or(partition_of_region(region)));
  if (const auto arn = findings::arn_of(type, id, {partition, region, account})) {
    resource.set("Id", *arn);
    item.repaired("Resources.Id was no ARN; it was made of the id, type, region and account");
  }
  if (Value* details = resource.as_object().find("Details"); details != nullptr && details->is_object())
    repair_map(details->as_object().find("Other"), "Resources.Details.Other", SIZE_MAX, item);
  repair_map(resource.as_object().find("Tags"), "Resources.Tags", tag_limit, item);
}

}  // namespace

bool is_asff(const Value& value) {
  return value.find("SchemaVersion") != nullptr || value.find("ProductArn") != nullptr ||
         value.find("AwsAccountId") != nullptr;
}

Result<Value> read_asff(const Item& item) {
  Value finding = item.value;
  if (finding["AwsAccountId"].is_number()) {
    FIXPOINT_TRY(account, account_of(item, finding["AwsAccountId"], "AwsAccountId"));
    finding.set("AwsAccountId", account);
  }
  FIXPOINT_CHECK(repair_times(finding, item));
  repair_severity(finding, item);
  repair_types(finding, item);
  repair_texts(finding, item);
  repair_recommendation(finding, item);
  repair_map(finding.as_object().find("ProductFields"), "ProductFields", field_limit, item);
  repair_region(finding, item);
  if (Value* resources = finding.as_object().find("Resources"); resources != nullptr && resources->is_array())
    for (Value& resource : resources->as_array())
      if (resource.is_object()) repair_resource(resource, finding, item);
  repair_kube_bench(finding, item);
  repair_sample(finding, item);
  return finding;
}

}  // namespace fixpoint::sources
