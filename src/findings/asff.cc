#include "findings/asff.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

constexpr std::size_t finding_limit_bytes = 240UL * 1024;

std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, 80)) + (text.size() > 80 ? "...'" : "'");
}

Error bad(const std::string& path, const std::string& message) {
  return errors::invalid_input(path + " " + message, path);
}

struct TextRule {
  std::string_view path;
  bool required;
  std::size_t longest;
};

// Lengths in characters as the ASFF reference gives them.
constexpr TextRule text_rules[] = {
    {"SchemaVersion", true, 32},   {"Id", true, 512},
    {"ProductArn", true, 2048},    {"GeneratorId", true, 512},
    {"AwsAccountId", true, 12},    {"CreatedAt", true, 64},
    {"UpdatedAt", true, 64},       {"Title", true, 256},
    {"Description", true, 1024},   {"ProductName", false, 128},
    {"CompanyName", false, 128},   {"Region", false, 16},
    {"SourceUrl", false, 2048},    {"FirstObservedAt", false, 64},
    {"LastObservedAt", false, 64},
};

constexpr std::array<std::string_view, 5> severity_labels{"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
constexpr std::array<std::string_view, 4> workflow_statuses{"NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"};
constexpr std::array<std::string_view, 2> record_states{"ACTIVE", "ARCHIVED"};
constexpr std::array<std::string_view, 4> compliance_statuses{"PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"};
constexpr std::array<std::string_view, 4> verification_states{"UNKNOWN", "TRUE_POSITIVE", "FALSE_POSITIVE",
                                                              "BENIGN_POSITIVE"};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Result<void> check_text(const Value& value, const std::string& path, std::size_t longest, bool may_be_empty = false) {
  if (!value.is_string()) return fail(bad(path, "has to be a string, not " + std::string(json::kind_name(value))));
  if (!may_be_empty && trim(value.as_string()).empty()) return fail(bad(path, "must not be empty"));
  if (characters(value.as_string()) > longest)
    return fail(bad(path, "has " + std::to_string(characters(value.as_string())) + " characters; at most " +
                              std::to_string(longest) + " are taken"));
  return {};
}

Result<void> check_choice(const Value& value, const std::string& path, std::span<const std::string_view> choices) {
  std::string list;
  for (const auto choice : choices) {
    if (value.is_string() && value.as_string() == choice) return {};
    list += (list.empty() ? "" : ", ") + std::string(choice);
  }
  const std::string got = value.is_string() ? shown(value.as_string()) : std::string(json::kind_name(value));
  return fail(bad(path, "is " + got + "; it has to be one of " + list));
}

Result<void> check_time(const Value& value, const std::string& path) {
  FIXPOINT_CHECK(check_text(value, path, 64));
  if (!parse_iso8601(value.as_string()) || value.as_string().find('T') == std::string::npos)
    return fail(bad(path, "is " + shown(value.as_string()) + "; it has to be a time such as 2024-01-02T03:04:05.678Z"));
  return {};
}

Result<void> check_account(const Value& value, const std::string& path) {
  FIXPOINT_CHECK(check_text(value, path, 12));
  const std::string& text = value.as_string();
  if (text.size() != 12 || text.find_first_not_of("0123456789") != std::string::npos)
    return fail(bad(path, "is " + shown(text) + "; an account id has 12 digits"));
  return {};
}

Result<void> check_severity(const Value& severity, const std::string& path) {
  if (!severity.is_object())
    return fail(bad(path, "has to be an object, not " + std::string(json::kind_name(severity))));
  const Value* label = severity.find("Label");
  const Value* normalized = severity.find("Normalized");
  if (label == nullptr && normalized == nullptr)
    return fail(bad(path, "has neither Label nor Normalized; give a Label such as HIGH"));
  if (label != nullptr) FIXPOINT_CHECK(check_choice(*label, path + ".Label", severity_labels));
  if (normalized != nullptr) {
    const auto number = normalized->as_int64();
    if (!number || *number < 0 || *number > 100)
      return fail(bad(path + ".Normalized", "has to be a whole number from 0 to 100"));
  }
  return {};
}

// Namespace/Category/Classifier:
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html
Result<void> check_types(const Value& types, const std::string& path) {
  static constexpr std::array<std::string_view, 5> namespaces{"Software and Configuration Checks", "TTPs", "Effects",
                                                              "Unusual Behaviors", "Sensitive Data Identifications"};
  if (!types.is_array()) return fail(bad(path, "has to be an array, not " + std::string(json::kind_name(types))));
  if (types.size() > 50)
    return fail(bad(path, "has " + std::to_string(types.size()) + " entries; at most 50 are taken"));
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string here = path + "[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(check_text(types[i], here, 512));
    const auto parts = split(types[i].as_string(), '/');
    if (parts.size() > 3 || std::find(namespaces.begin(), namespaces.end(), parts[0]) == namespaces.end())
      return fail(bad(
          here,
          "is " + shown(types[i].as_string()) + "; it has to be namespace/category/classifier with a namespace of " +
              "Software and Configuration Checks, TTPs, Effects, Unusual Behaviors or Sensitive Data Identifications"));
  }
  return {};
}

Result<void> check_resources(const Value& resources) {
  const std::string path = "Resources";
  if (!resources.is_array())
    return fail(bad(path, "has to be an array, not " + std::string(json::kind_name(resources))));
  if (resources.size() == 0) return fail(bad(path, "must name at least one resource"));
  if (resources.size() > 32)
    return fail(bad(path, "has " + std::to_string(resources.size()) + " entries; at most 32 are taken"));
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const std::string here = path + "[" + std::to_string(i) + "]";
    if (!resources[i].is_object())
      return fail(bad(here, "has to be an object, not " + std::string(json::kind_name(resources[i]))));
    for (const auto* member : {"Type", "Id"}) {
      if (resources[i].find(member) == nullptr) return fail(bad(here + "." + member, "is missing"));
      FIXPOINT_CHECK(
          check_text(resources[i][member], here + "." + member, std::string_view(member) == "Id" ? 768 : 256));
    }
  }
  return {};
}

Result<void> check_string_map(const Value& map, const std::string& path, std::size_t most, std::size_t longest) {
  if (!map.is_object()) return fail(bad(path, "has to be an object, not " + std::string(json::kind_name(map))));
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

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Recommendation.html
Result<void> check_remediation(const Value& remediation) {
  if (!remediation.is_object())
    return fail(bad("Remediation", "has to be an object, not " + std::string(json::kind_name(remediation))));
  const Value* recommendation = remediation.find("Recommendation");
  if (recommendation == nullptr) return {};
  const std::string path = "Remediation.Recommendation";
  if (!recommendation->is_object())
    return fail(bad(path, "has to be an object, not " + std::string(json::kind_name(*recommendation))));
  if (const Value* text = recommendation->find("Text")) FIXPOINT_CHECK(check_text(*text, path + ".Text", 512));
  if (const Value* url = recommendation->find("Url")) FIXPOINT_CHECK(check_text(*url, path + ".Url", 2048));
  return {};
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

// The members that import and update share.
Result<void> check_common(const Value& finding) {
  if (const Value* note = finding.find("Note")) {
    if (!note->is_object()) return fail(bad("Note", "has to be an object, not " + std::string(json::kind_name(*note))));
    for (const auto* member : {"Text", "UpdatedBy"}) {
      if (note->find(member) == nullptr) return fail(bad(std::string("Note.") + member, "is missing"));
      FIXPOINT_CHECK(check_text((*note)[member], std::string("Note.") + member, 512));
    }
  }
  if (const Value* workflow = finding.find("Workflow")) {
    if (!workflow->is_object())
      return fail(bad("Workflow", "has to be an object, not " + std::string(json::kind_name(*workflow))));
    if (const Value* status = workflow->find("Status"))
      FIXPOINT_CHECK(check_choice(*status, "Workflow.Status", workflow_statuses));
  }
  if (const Value* state = finding.find("VerificationState"))
    FIXPOINT_CHECK(check_choice(*state, "VerificationState", verification_states));
  for (const auto* member : {"Confidence", "Criticality"})
    if (const Value* value = finding.find(member)) {
      const auto number = value->as_int64();
      if (!number || *number < 0 || *number > 100) return fail(bad(member, "has to be a whole number from 0 to 100"));
    }
  if (const Value* types = finding.find("Types")) FIXPOINT_CHECK(check_types(*types, "Types"));
  if (const Value* fields = finding.find("UserDefinedFields"))
    FIXPOINT_CHECK(check_string_map(*fields, "UserDefinedFields", 50, 1024));
  if (const Value* related = finding.find("RelatedFindings")) {
    if (!related->is_array() || related->size() > 10)
      return fail(bad("RelatedFindings", "has to be an array of at most 10 findings"));
    for (std::size_t i = 0; i < related->size(); ++i)
      for (const auto* member : {"ProductArn", "Id"})
        FIXPOINT_CHECK(check_text((*related)[i][member], "RelatedFindings[" + std::to_string(i) + "]." + member, 2048));
  }
  return {};
}

}  // namespace

Result<void> validate_asff(const Value& finding) {
  if (!finding.is_object())
    return fail(errors::invalid_input("a finding has to be an object, not " + std::string(json::kind_name(finding))));
  for (const TextRule& rule : text_rules) {
    const Value* value = finding.find(rule.path);
    if (value == nullptr) {
      if (rule.required) return fail(bad(std::string(rule.path), "is missing"));
      continue;
    }
    FIXPOINT_CHECK(check_text(*value, std::string(rule.path), rule.longest));
  }
  if (finding["SchemaVersion"].as_string() != "2018-10-08")
    return fail(
        bad("SchemaVersion", "is " + shown(finding["SchemaVersion"].as_string()) + "; it has to be '2018-10-08'"));
  FIXPOINT_CHECK(check_account(finding["AwsAccountId"], "AwsAccountId"));
  if (!finding["ProductArn"].as_string().starts_with("arn:") ||
      finding["ProductArn"].as_string().find(":securityhub:") == std::string::npos)
    return fail(bad("ProductArn", "is " + shown(finding["ProductArn"].as_string()) +
                                      "; it has to be the ARN of a Security Hub product"));
  for (const auto* member : {"CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"})
    if (const Value* time = finding.find(member)) FIXPOINT_CHECK(check_time(*time, member));
  if (const Value* severity = finding.find("Severity")) {
    FIXPOINT_CHECK(check_severity(*severity, "Severity"));
  } else if (const Value* provider = finding["FindingProviderFields"].find("Severity")) {
    FIXPOINT_CHECK(check_severity(*provider, "FindingProviderFields.Severity"));
  } else {
    return fail(bad("Severity", "is missing"));
  }
  if (const Value* types = finding["FindingProviderFields"].find("Types"))
    FIXPOINT_CHECK(check_types(*types, "FindingProviderFields.Types"));
  if (finding.find("Resources") == nullptr) return fail(bad("Resources", "is missing"));
  FIXPOINT_CHECK(check_resources(finding["Resources"]));
  if (const Value* state = finding.find("RecordState"))
    FIXPOINT_CHECK(check_choice(*state, "RecordState", record_states));
  if (const Value* compliance = finding.find("Compliance")) {
    if (!compliance->is_object())
      return fail(bad("Compliance", "has to be an object, not " + std::string(json::kind_name(*compliance))));
    if (const Value* status = compliance->find("Status"))
      FIXPOINT_CHECK(check_choice(*status, "Compliance.Status", compliance_statuses));
  }
  if (const Value* fields = finding.find("ProductFields"))
    FIXPOINT_CHECK(check_string_map(*fields, "ProductFields", 50, 2048));
  if (const Value* remediation = finding.find("Remediation")) FIXPOINT_CHECK(check_remediation(*remediation));
  FIXPOINT_CHECK(check_common(finding));
  return check_size(finding);
}

Result<void> validate_update(const Value& update) {
  FIXPOINT_CHECK(check_common(update));
  if (const Value* severity = update.find("Severity")) FIXPOINT_CHECK(check_severity(*severity, "Severity"));
  return {};
}

FindingKey key_of(const Value& finding) {
  return {std::string(finding["ProductArn"].string_or("")), std::string(finding["Id"].string_or(""))};
}

std::string_view severity_label_of(std::int64_t normalized) {
  if (normalized >= 90) return "CRITICAL";
  if (normalized >= 70) return "HIGH";
  if (normalized >= 40) return "MEDIUM";
  return normalized >= 1 ? "LOW" : "INFORMATIONAL";
}

std::int64_t severity_normalized_of(std::string_view label) {
  static constexpr std::array<std::int64_t, 5> lowest{0, 1, 40, 70, 90};
  for (std::size_t i = 0; i < severity_labels.size(); ++i)
    if (severity_labels[i] == label) return lowest[i];
  return -1;
}

namespace {

// "S3.4", "EC2.13", "CloudTrail.3", "PCI.S3.4": letters and digits, a dot, a number at the end.
bool is_control_id(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) return false;
  const auto number = text.substr(dot + 1);
  if (number.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return (text[0] >= 'A' && text[0] <= 'Z') || (text[0] >= 'a' && text[0] <= 'z');
}

// "aws-foundational-security-best-practices/v/1.0.0/S3.4" and the ruleset ARNs of CIS 1.2
// ("ruleset/NAME/v/1.2.0/rule/4.1").
std::optional<std::string> from_path(std::string_view text) {
  if (const auto ruleset = text.find("ruleset/"); ruleset != std::string_view::npos) text.remove_prefix(ruleset + 8);
  if (const auto control = text.find(":control/"); control != std::string_view::npos) text.remove_prefix(control + 9);
  const auto parts = split(text, '/');
  if (parts.size() == 2 && parts[0] == "security-control" && is_control_id(parts[1])) return std::string(parts[1]);
  if (parts.size() < 4 || parts[1] != "v") return {};
  const std::string_view last = parts.back();
  if (is_control_id(last)) return std::string(last);
  if (last.empty() || last.find_first_not_of("0123456789.") != std::string_view::npos) return {};
  return std::string(parts[0]) + "/" + std::string(parts[2]) + ":" + std::string(last);
}

}  // namespace

std::string control_of(const Value& finding) {
  const std::string_view direct = finding["Compliance"]["SecurityControlId"].string_or("");
  if (is_control_id(direct)) return std::string(direct);
  if (const auto from = from_path(finding["GeneratorId"].string_or(""))) return *from;
  const Value& fields = finding["ProductFields"];
  if (is_control_id(fields["ControlId"].string_or(""))) return std::string(fields["ControlId"].string_or(""));
  if (const auto from = from_path(fields["StandardsControlArn"].string_or(""))) return *from;
  return {};
}

}  // namespace fixpoint::findings
