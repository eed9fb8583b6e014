#include "findings/asff.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/arn.h"
#include "base/text.h"
#include "findings/products.h"
#include "findings/shown.h"
#include "findings/timestamp.h"
#include "json/text.h"

// Limits as the API reference has them, structure by structure: API_AwsSecurityFinding.html, API_Resource.html,
// API_Malware.html, API_Network.html, API_ProcessDetails.html, API_ThreatIntelIndicator.html, API_Threat.html and so on
// under https://docs.aws.amazon.com/securityhub/1.0/APIReference/.
namespace fixpoint::findings {
namespace {

using json::Value;

constexpr std::size_t finding_limit_bytes = 240UL * 1024;

Error bad(const std::string& path, const std::string& message) {
  return errors::invalid_input(path + " " + message, path);
}

Error no_object(const std::string& path, const Value& value) {
  return bad(path, "has to be an object, not " + std::string(json::kind_name(value)));
}

using Choices = std::span<const std::string_view>;
constexpr std::string_view severity_labels[] = {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
constexpr std::string_view workflow_statuses[] = {"NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"};
constexpr std::string_view workflow_states[] = {"NEW", "ASSIGNED", "IN_PROGRESS", "DEFERRED", "RESOLVED"};
constexpr std::string_view record_states[] = {"ACTIVE", "ARCHIVED"};
constexpr std::string_view compliance_statuses[] = {"PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"};
constexpr std::string_view verification_states[] = {"UNKNOWN", "TRUE_POSITIVE", "FALSE_POSITIVE", "BENIGN_POSITIVE"};
constexpr std::string_view partitions[] = {"aws", "aws-cn", "aws-us-gov", "aws-us-iso", "aws-us-iso-b", "AzureCloud"};
constexpr std::string_view directions[] = {"IN", "OUT"};
constexpr std::string_view malware_types[] = {"ADWARE",      "BLENDED_THREAT", "BOTNET_AGENT",  "COIN_MINER",
                                              "EXPLOIT_KIT", "KEYLOGGER",      "MACRO",         "POTENTIALLY_UNWANTED",
                                              "SPYWARE",     "RANSOMWARE",     "REMOTE_ACCESS", "ROOTKIT",
                                              "TROJAN",      "VIRUS",          "WORM"};
constexpr std::string_view malware_states[] = {"OBSERVED", "REMOVAL_FAILED", "REMOVED"};
constexpr std::string_view indicator_types[] = {"DOMAIN",      "EMAIL_ADDRESS", "HASH_MD5",     "HASH_SHA1",
                                                "HASH_SHA256", "HASH_SHA512",   "IPV4_ADDRESS", "IPV6_ADDRESS",
                                                "MUTEX",       "PROCESS",       "URL"};
constexpr std::string_view indicator_categories[] = {"BACKDOOR",  "CARD_STEALER", "COMMAND_AND_CONTROL",
                                                     "DROP_SITE", "EXPLOIT_SITE", "KEYLOGGER"};

struct Rule {
  enum Kind : std::uint8_t { Text, Needed, Time, Choice, Port, List, Object };
  std::string_view member;
  Kind kind;
  std::size_t most = 0;  // characters of a text, entries of a list
  Choices choices = {};
};

// Needed is a text that has to be there.
constexpr Rule top_rules[] = {{"SchemaVersion", Rule::Needed, 32},
                              {"Id", Rule::Needed, 512},
                              {"ProductArn", Rule::Needed, 2048},
                              {"GeneratorId", Rule::Needed, 512},
                              {"AwsAccountId", Rule::Needed, 12},
                              {"CreatedAt", Rule::Needed, 64},
                              {"UpdatedAt", Rule::Needed, 64},
                              {"Title", Rule::Needed, 256},
                              {"Description", Rule::Needed, 1024},
                              {"ProductName", Rule::Text, 128},
                              {"CompanyName", Rule::Text, 128},
                              {"Region", Rule::Text, 16},
                              {"SourceUrl", Rule::Text, 2048},
                              {"CreatedAt", Rule::Time},
                              {"UpdatedAt", Rule::Time},
                              {"FirstObservedAt", Rule::Time},
                              {"LastObservedAt", Rule::Time},
                              {"RecordState", Rule::Choice, 0, record_states},
                              {"WorkflowState", Rule::Choice, 0, workflow_states},
                              {"FindingProviderFields", Rule::Object}};
constexpr Rule resource_rules[] = {{"Type", Rule::Needed, 256},
                                   {"Id", Rule::Needed, 768},
                                   {"Partition", Rule::Choice, 0, partitions},
                                   {"Region", Rule::Text, 16},
                                   {"Details", Rule::Object}};
constexpr Rule malware_rules[] = {{"Name", Rule::Needed, 64},
                                  {"Path", Rule::Text, 512},
                                  {"Type", Rule::Choice, 0, malware_types},
                                  {"State", Rule::Choice, 0, malware_states}};
constexpr Rule indicator_rules[] = {{"Value", Rule::Text, 512},
                                    {"Source", Rule::Text, 64},
                                    {"Type", Rule::Choice, 0, indicator_types},
                                    {"Category", Rule::Choice, 0, indicator_categories},
                                    {"LastObservedAt", Rule::Time}};
constexpr Rule threat_rules[] = {
    {"Name", Rule::Text, 128}, {"Severity", Rule::Text, 128}, {"FilePaths", Rule::List, 5}};
constexpr Rule network_rules[] = {
    {"Direction", Rule::Choice, 0, directions}, {"Protocol", Rule::Text, 16}, {"SourceDomain", Rule::Text, 128},
    {"DestinationDomain", Rule::Text, 128},     {"SourcePort", Rule::Port},   {"DestinationPort", Rule::Port}};
constexpr Rule process_rules[] = {
    {"Name", Rule::Text, 64}, {"Path", Rule::Text, 512}, {"LaunchedAt", Rule::Time}, {"TerminatedAt", Rule::Time}};
constexpr Rule compliance_rules[] = {{"Status", Rule::Choice, 0, compliance_statuses},
                                     {"SecurityControlId", Rule::Text, 512},
                                     {"RelatedRequirements", Rule::List, SIZE_MAX},
                                     {"StatusReasons", Rule::List, SIZE_MAX},
                                     {"AssociatedStandards", Rule::List, SIZE_MAX}};
constexpr Rule recommendation_rules[] = {{"Text", Rule::Text, 512}, {"Url", Rule::Text, 2048}};
constexpr Rule note_rules[] = {
    {"Text", Rule::Needed, 512}, {"UpdatedBy", Rule::Needed, 512}, {"UpdatedAt", Rule::Time}};
constexpr Rule related_rules[] = {{"ProductArn", Rule::Needed, 2048}, {"Id", Rule::Needed, 512}};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Result<void> check_text(const Value& value, const std::string& path, std::size_t longest, bool may_be_empty = false) {
  if (!value.is_string()) return fail(bad(path, "has to be a string, not " + std::string(json::kind_name(value))));
  if (!may_be_empty && trim(value.as_string()).empty()) return fail(bad(path, "must not be empty"));
  if (value.as_string().size() > longest && characters(value.as_string()) > longest)
    return fail(bad(path, "has " + std::to_string(characters(value.as_string())) + " characters; at most " +
                              std::to_string(longest) + " are taken"));
  return {};
}

Result<void> check_choice(const Value& value, const std::string& path, Choices choices) {
  std::string list;
  for (const auto choice : choices) {
    if (value.is_string() && value.as_string() == choice) return {};
    list += (list.empty() ? "" : ", ") + std::string(choice);
  }
  const std::string got = value.is_string() ? shown(value.as_string()) : std::string(json::kind_name(value));
  return fail(bad(path, "is " + got + "; it has to be one of " + list));
}

Result<void> check_list(const Value& value, const std::string& path, std::size_t most) {
  if (!value.is_array()) return fail(bad(path, "has to be an array, not " + std::string(json::kind_name(value))));
  if (value.size() > most)
    return fail(
        bad(path, "has " + std::to_string(value.size()) + " entries; at most " + std::to_string(most) + " are taken"));
  return {};
}

Result<void> check_number(const Value& value, const std::string& path, std::int64_t most) {
  const auto number = value.as_int64();
  if (!number || *number < 0 || *number > most)
    return fail(bad(path, "has to be a whole number from 0 to " + std::to_string(most)));
  return {};
}

Result<void> check_rule(const Rule& rule, const Value& value, const std::string& path) {
  switch (rule.kind) {
    case Rule::Text:
    case Rule::Needed: return check_text(value, path, rule.most);
    case Rule::Time: {
      FIXPOINT_CHECK(check_text(value, path, 64));
      if (const auto time = parse_timestamp(value.as_string()); !time) return fail(bad(path, time.error().message));
      return {};
    }
    case Rule::Choice: return check_choice(value, path, rule.choices);
    case Rule::Port: return check_number(value, path, 65535);
    case Rule::List: return check_list(value, path, rule.most);
    case Rule::Object: return value.is_object() ? Result<void>() : fail(no_object(path, value));
  }
  return {};
}

// The members of an object; `path` is its own, empty for the finding itself.
Result<void> check_members(const Value& object, const std::string& path, std::span<const Rule> rules) {
  if (!object.is_object()) return fail(no_object(path, object));
  const auto name = [&](const Rule& rule) {
    return path.empty() ? std::string(rule.member) : path + "." + std::string(rule.member);
  };
  for (const Rule& rule : rules) {
    const Value* value = object.find(rule.member);
    if (value != nullptr)
      FIXPOINT_CHECK(check_rule(rule, *value, name(rule)));
    else if (rule.kind == Rule::Needed)
      return fail(bad(name(rule), "is missing"));
  }
  return {};
}

// A member that is an object, where it is there.
Result<void> check_object(const Value& finding, const std::string& member, std::span<const Rule> rules) {
  const Value* value = finding.find(member);
  return value == nullptr ? Result<void>() : check_members(*value, member, rules);
}

// A member that is an array of objects, where it is there.
Result<void> check_objects(const Value& finding, const std::string& member, std::size_t most,
                           std::span<const Rule> rules, const std::string& within = "") {
  const Value* list = finding.find(member);
  if (list == nullptr) return {};
  const std::string path = within + member;
  FIXPOINT_CHECK(check_list(*list, path, most));
  for (std::size_t i = 0; i < list->size(); ++i)
    FIXPOINT_CHECK(check_members((*list)[i], path + "[" + std::to_string(i) + "]", rules));
  return {};
}

Result<void> check_string_map(const Value& map, const std::string& path, std::size_t most, std::size_t longest) {
  if (!map.is_object()) return fail(no_object(path, map));
  if (map.size() > most)
    return fail(
        bad(path, "has " + std::to_string(map.size()) + " members; at most " + std::to_string(most) + " are taken"));
  for (const auto& member : map.as_object()) {
    if (member.key.empty() || characters(member.key) > 128)
      return fail(
          bad(path, "has a name of " + std::to_string(characters(member.key)) + " characters; 1 to 128 are taken"));
    FIXPOINT_CHECK(check_text(member.value, path + "." + member.key, longest, true));
  }
  return {};
}

Result<void> check_severity(const Value& severity, const std::string& path) {
  if (!severity.is_object()) return fail(no_object(path, severity));
  const Value* label = severity.find("Label");
  const Value* normalized = severity.find("Normalized");
  if (label == nullptr && normalized == nullptr)
    return fail(bad(path, "has neither Label nor Normalized; give a Label such as HIGH"));
  if (label != nullptr) FIXPOINT_CHECK(check_choice(*label, path + ".Label", severity_labels));
  if (normalized != nullptr) FIXPOINT_CHECK(check_number(*normalized, path + ".Normalized", 100));
  if (const Value* product = severity.find("Product"); product != nullptr && !product->is_number())
    return fail(bad(path + ".Product", "has to be a number, not " + std::string(json::kind_name(*product))));
  if (const Value* original = severity.find("Original")) FIXPOINT_CHECK(check_text(*original, path + ".Original", 64));
  return {};
}

Result<void> check_types(const Value& types, const std::string& path) {
  FIXPOINT_CHECK(check_list(types, path, 50));
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string here = path + "[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(check_text(types[i], here, 512));
    if (!is_finding_type(types[i].as_string()))
      return fail(bad(
          here,
          "is " + shown(types[i].as_string()) + "; it has to be namespace/category/classifier with a namespace of " +
              "Software and Configuration Checks, TTPs, Effects, Unusual Behaviors or Sensitive Data Identifications"));
  }
  return {};
}

Result<void> check_account(const std::string& text) {
  if (text.size() != 12 || text.find_first_not_of("0123456789") != std::string::npos)
    return fail(bad("AwsAccountId", "is " + shown(text) + "; an account id has 12 digits"));
  return {};
}

// arn:PARTITION:securityhub:REGION:ACCOUNT:product/COMPANY/PRODUCT, without an account for the products of AWS and of
// partners: https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#ProductArn
Result<void> check_product(const std::string& text) {
  const auto arn = parse_arn(text);
  const auto parts = arn ? split(arn->resource, '/') : std::vector<std::string_view>();
  const bool product = parts.size() == 3 && parts[0] == "product" && !parts[1].empty() && !parts[2].empty();
  if (!arn || arn->service != "securityhub" || !product || !arn->partition.starts_with("aws"))
    return fail(bad("ProductArn", "is " + shown(text) +
                                      "; it has to be the ARN of a Security Hub product, such as "
                                      "arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default"));
  if (!arn->region.empty() && partition_of_region(arn->region) != arn->partition)
    return fail(bad("ProductArn", "is " + shown(text) + "; the region " + arn->region + " lies in the partition " +
                                      std::string(partition_of_region(arn->region)) + ", not " + arn->partition));
  return {};
}

Result<void> check_resources(const Value& finding) {
  const Value* resources = finding.find("Resources");
  if (resources == nullptr) return fail(bad("Resources", "is missing"));
  if (resources->is_array() && resources->size() == 0) return fail(bad("Resources", "must name at least one resource"));
  FIXPOINT_CHECK(check_objects(finding, "Resources", 32, resource_rules));
  for (std::size_t i = 0; i < resources->size(); ++i) {
    const std::string here = "Resources[" + std::to_string(i) + "]";
    if (const Value* tags = (*resources)[i].find("Tags"))
      FIXPOINT_CHECK(check_string_map(*tags, here + ".Tags", 50, 256));
    if (const Value* other = (*resources)[i]["Details"].find("Other"))
      FIXPOINT_CHECK(check_string_map(*other, here + ".Details.Other", SIZE_MAX, SIZE_MAX));
  }
  return {};
}

// What providers give and customers may change, at the top or within FindingProviderFields (`within` ends in a dot).
Result<void> check_shared(const Value& members, const std::string& within) {
  if (const Value* severity = members.find("Severity")) FIXPOINT_CHECK(check_severity(*severity, within + "Severity"));
  if (const Value* types = members.find("Types")) FIXPOINT_CHECK(check_types(*types, within + "Types"));
  for (const auto* member : {"Confidence", "Criticality"})
    if (const Value* value = members.find(member)) FIXPOINT_CHECK(check_number(*value, within + member, 100));
  return check_objects(members, "RelatedFindings", 10, related_rules, within);
}

// At least the bytes of its JSON, without printing it: six for each of a text, as if all were escaped.
std::size_t most_bytes(const Value& finding) {
  std::size_t bytes = 0;
  std::vector<const Value*> left{&finding};
  while (!left.empty()) {
    const Value& value = *left.back();
    left.pop_back();
    bytes += 32;
    if (value.is_string()) bytes += value.as_string().size() * 6;
    if (value.is_number()) bytes += value.number_text().size();
    if (value.is_array())
      for (const Value& item : value.as_array()) left.push_back(&item);
    if (value.is_object())
      for (const auto& member : value.as_object()) {
        bytes += member.key.size() * 6 + 8;
        left.push_back(&member.value);
      }
  }
  return bytes;
}

// "The maximum allowed size for a finding is 240 Kb."
Result<void> check_size(const Value& finding) {
  if (most_bytes(finding) <= finding_limit_bytes) return {};
  const std::size_t bytes = json::print(finding).size();
  if (bytes > finding_limit_bytes)
    return fail(errors::invalid_input("the finding has " + std::to_string(bytes) + " bytes; at most " +
                                      std::to_string(finding_limit_bytes) + " are taken"));
  return {};
}

// What import and update share.
Result<void> check_common(const Value& finding) {
  FIXPOINT_CHECK(check_object(finding, "Note", note_rules));
  if (const Value* workflow = finding.find("Workflow")) {
    static constexpr Rule status[] = {{"Status", Rule::Choice, 0, workflow_statuses}};
    FIXPOINT_CHECK(check_members(*workflow, "Workflow", status));
  }
  if (const Value* state = finding.find("VerificationState"))
    FIXPOINT_CHECK(check_choice(*state, "VerificationState", verification_states));
  if (const Value* fields = finding.find("UserDefinedFields"))
    FIXPOINT_CHECK(check_string_map(*fields, "UserDefinedFields", 50, 1024));
  return check_shared(finding, "");
}

}  // namespace

bool is_finding_type(std::string_view type) {
  static constexpr std::string_view namespaces[] = {"Software and Configuration Checks", "TTPs", "Effects",
                                                    "Unusual Behaviors", "Sensitive Data Identifications"};
  const auto parts = split(type, '/');
  return parts.size() <= 3 &&
         std::find(std::begin(namespaces), std::end(namespaces), parts[0]) != std::end(namespaces) &&
         std::none_of(parts.begin(), parts.end(), [](auto part) { return trim(part).empty(); });
}

Result<void> validate_asff(const Value& finding) {
  if (!finding.is_object())
    return fail(errors::invalid_input("a finding has to be an object, not " + std::string(json::kind_name(finding))));
  FIXPOINT_CHECK(check_members(finding, "", top_rules));
  if (finding["SchemaVersion"].as_string() != "2018-10-08")
    return fail(
        bad("SchemaVersion", "is " + shown(finding["SchemaVersion"].as_string()) + "; it has to be '2018-10-08'"));
  FIXPOINT_CHECK(check_account(finding["AwsAccountId"].as_string()));
  FIXPOINT_CHECK(check_product(finding["ProductArn"].as_string()));
  if (finding.find("Severity") == nullptr && finding["FindingProviderFields"].find("Severity") == nullptr)
    return fail(bad("Severity", "is missing"));
  if (const Value* sample = finding.find("Sample"); sample != nullptr && !sample->is_bool())
    return fail(bad("Sample", "has to be true or false, not " + std::string(json::kind_name(*sample))));
  FIXPOINT_CHECK(check_common(finding));
  FIXPOINT_CHECK(check_shared(finding["FindingProviderFields"], "FindingProviderFields."));
  FIXPOINT_CHECK(check_resources(finding));
  FIXPOINT_CHECK(check_object(finding, "Compliance", compliance_rules));
  FIXPOINT_CHECK(check_object(finding, "Network", network_rules));
  FIXPOINT_CHECK(check_object(finding, "Process", process_rules));
  FIXPOINT_CHECK(check_objects(finding, "Malware", 5, malware_rules));
  FIXPOINT_CHECK(check_objects(finding, "ThreatIntelIndicators", 5, indicator_rules));
  FIXPOINT_CHECK(check_objects(finding, "Threats", 32, threat_rules));
  if (const Value* fields = finding.find("ProductFields")) {
    // A finding that was exported brings along what Security Hub added to it.
    const auto added = std::count_if(own_product_fields.begin(), own_product_fields.end(),
                                     [&](std::string_view name) { return fields->find(name) != nullptr; });
    FIXPOINT_CHECK(check_string_map(*fields, "ProductFields", 50 + static_cast<std::size_t>(added), 2048));
  }
  if (const Value* remediation = finding.find("Remediation")) {
    static constexpr Rule nothing[] = {{"Recommendation", Rule::Object}};
    FIXPOINT_CHECK(check_members(*remediation, "Remediation", nothing));
    if (const Value* recommendation = remediation->find("Recommendation"))
      FIXPOINT_CHECK(check_members(*recommendation, "Remediation.Recommendation", recommendation_rules));
  }
  return check_size(finding);
}

Result<void> validate_update(const Value& update) {
  return check_common(update);
}

}  // namespace fixpoint::findings
