#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::findings {

/// The two names of a finding, its key everywhere.
struct FindingKey {
  std::string product_arn;
  std::string id;
  auto operator<=>(const FindingKey&) const = default;
};

/// Holds a finding against the AWS Security Finding Format and its written limits.
/// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html and
/// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html (240 KB a finding).
/// Error: InvalidInputException; the sentence names the field, `where` its path (`Severity.Label`).
Result<void> validate_asff(const json::Value& finding);

/// Holds the members of BatchUpdateFindings (Note, Severity, Workflow, ...) against theirs; same errors.
Result<void> validate_update(const json::Value& update);

/// The control that a finding is about, in Security Hub's own spelling (`S3.4`, `EC2.13`); empty where it names none.
/// From Compliance.SecurityControlId, ProductFields (ControlId, RuleId of CIS and the standards' control ARN),
/// GeneratorId. Numbers of a standard that are not control ids are returned as `STANDARD:NUMBER`
/// ("cis-aws-foundations-benchmark/1.2.0:4.1"), and names that a service or tool of its own gives as `TOOL:NAME`
/// ("config:restricted-ssh", whatever Security Hub or a conformance pack put around the rule's name).
std::string control_of(const json::Value& finding);

/// The tools whose names for a check control_of() knows: Config's rules, the types of GuardDuty and Macie, Prowler's
/// checks.
inline constexpr std::array<std::string_view, 4> check_tools{"config", "guardduty", "macie", "prowler"};

/// Whether it is namespace/category/classifier, the last two where there are any, with one of the format's namespaces:
/// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html
bool is_finding_type(std::string_view type);

/// The finding's key; empty texts where it has none.
FindingKey key_of(const json::Value& finding);

/// INFORMATIONAL 0, LOW 1 to 39, MEDIUM 40 to 69, HIGH 70 to 89, CRITICAL 90 to 100.
std::string_view severity_label_of(std::int64_t normalized);
/// What Security Hub sets for a label alone: 0, 1, 40, 70, 90; -1 for no label.
std::int64_t severity_normalized_of(std::string_view label);

}  // namespace fixpoint::findings
