#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "findings/asff.h"
#include "json/value.h"

namespace fixpoint::findings {

/// Findings in the Open Cybersecurity Schema Framework as Security Hub V2 writes them and other tools (Prowler) do:
/// https://docs.aws.amazon.com/securityhub/latest/userguide/ocsf-findings.html and https://schema.ocsf.io/1.6.0/
/// (classes Vulnerability Finding 2002, Compliance Finding 2003, Detection Finding 2004; Data Security Finding 2006 is
/// read too). The store's form is the AWS Security Finding Format: what such a finding says beyond it is kept beside it
/// (FindingStore), and ocsf_of lays both together again.

/// One of an enumeration: OCSF's number and caption, and what the finding format has for it. Of several rows with the
/// same `asff` the first is what that is written as.
struct OcsfName {
  std::int64_t id;
  std::string_view caption;
  std::string_view asff;
};
/// severity_id; `asff` is Severity.Label. What OCSF leaves open (0 Unknown, 99 Other) is INFORMATIONAL.
std::span<const OcsfName> ocsf_severities();
/// status_id; `asff` is a standing (standing_of). AWS's own solution has the same four pairs for NEW, NOTIFIED,
/// SUPPRESSED and RESOLVED.
std::span<const OcsfName> ocsf_statuses();
/// compliance.status_id; `asff` is Compliance.Status.
std::span<const OcsfName> ocsf_compliances();
/// The row of that number or asff text; null where there is none.
const OcsfName* name_of(std::span<const OcsfName> names, std::int64_t id);
const OcsfName* name_of(std::span<const OcsfName> names, std::string_view asff);

/// Workflow.Status, but ARCHIVED for a NEW finding whose RecordState is ARCHIVED: OCSF has one status where the finding
/// format has two.
std::string_view standing_of(const json::Value& finding);

/// Among metadata.labels: the finding is a sample (ASFF's Sample), which OCSF has no word for.
inline constexpr std::string_view sample_label = "sample";

/// Whether a document is meant as an OCSF finding, right or wrong.
bool is_ocsf(const json::Value& document);

/// The finding in the AWS Security Finding Format; it may still be refused by validate_asff. Errors:
/// InvalidInputException whose `where` is OCSF's path: a class that is no finding about a resource, another cloud
/// provider than AWS, and what no finding can do without.
Result<json::Value> asff_of(const json::Value& ocsf);

/// What is kept beside the finding of an OCSF document that asff_of takes: the document, its severity, status and
/// compliance with number and caption, as the schema wants both. Error: InvalidInputException beyond 240 KB.
Result<json::Value> original_of(const json::Value& ocsf);

/// The finding as Security Hub V2 writes it. With an `original`: that, and over it what has changed of the finding
/// since (status, severity, comment, ...), and what it had left out.
json::Value ocsf_of(const json::Value& finding, const json::Value& original = {});

/// A time of an OCSF object, in milliseconds: the number `name`, which some (Prowler) write in seconds, else the text
/// `name`_dt. The number comes first: a text without an offset, as Prowler has it, says no time.
std::optional<TimeMs> ocsf_time(const json::Value& object, const std::string& name);

/// metadata.uid of a finding that did not bring one along: the SHA-256 of ProductArn and Id, 64 lower-case digits.
std::string metadata_uid_of(const FindingKey& key);
/// finding_info.uid as the finding's Id: itself up to 512 characters, longer ones cut with their SHA-256 behind.
std::string finding_id_of(std::string_view uid);
/// metadata.product.uid for a ProductArn: products of AWS and of partners are `productv2/` there.
std::string product_uid_of(std::string_view product_arn);

/// What BatchUpdateFindingsV2 sets.
/// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindingsV2.html
struct OcsfUpdate {
  std::optional<std::int64_t> severity_id;
  std::optional<std::int64_t> status_id;
  std::optional<std::string> comment;

  /// Error: ValidationException for what is not among AWS's values, and where nothing is set.
  static Result<OcsfUpdate> read(const json::Value& input);
  /// As BatchUpdateFindings has it. `by` is the note's author.
  json::Value asff(const std::string& by) const;
  /// Writes it on an OCSF document.
  void write_on(json::Value& ocsf) const;
};

}  // namespace fixpoint::findings
