#include "findings/fingerprint.h"

#include <algorithm>
#include <iterator>

#include "base/arn.h"
#include "base/hash.h"
#include "findings/timestamp.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

// Members of the ASFF that say when, or that the provider does not own:
// https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchupdatefindings.html
constexpr std::string_view passing[] = {
    "CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt",    "ProcessedAt",
    "Note",      "Workflow",  "WorkflowState",   "UserDefinedFields", "VerificationState"};

}  // namespace

std::string WorkKey::fingerprint() const {
  if (resource.empty()) return {};
  return sha256_hex(control + "\n" + account + "\n" + region + "\n" + resource).substr(0, 32);
}

WorkKey work_of(const Value& finding, std::string_view control, const Value& resource) {
  WorkKey key;
  key.control = control;
  key.account = finding["AwsAccountId"].string_or("");
  key.resource = resource["Id"].string_or("");
  if (const auto arn = parse_arn(key.resource)) {
    key.region = arn->region;
  } else {
    key.region = resource["Region"].string_or("");
    if (key.region.empty()) key.region = finding["Region"].string_or("");
  }
  return key;
}

Place place_of(const Value& finding, const Value& resource, std::string_view otherwise) {
  Place place;
  place.account = finding["AwsAccountId"].string_or("");
  if (const auto arn = parse_arn(resource["Id"].string_or(""))) place.region = arn->region;
  // Tools say "global" of what is in no region.
  for (const Value* said : {&resource["Region"], &finding["Region"]})
    if (place.region.empty() && *said != Value("global")) place.region = said->string_or("");
  if (place.region.empty()) place.region = otherwise;
  return place;
}

std::string contradicted_account(const Value& finding, const Value& resource) {
  const auto arn = parse_arn(resource["Id"].string_or(""));
  if (!arn || arn->account == finding["AwsAccountId"].string_or("")) return {};
  // What AWS itself owns is of "aws" or "amazon".
  const bool is_id = arn->account.size() == 12 && arn->account.find_first_not_of("0123456789") == std::string::npos;
  return is_id ? arn->account : "";
}

std::string content_digest(const Value& finding) {
  if (!finding.is_object()) return {};
  std::string text;
  for (const auto& member : finding.as_object()) {
    if (std::find(std::begin(passing), std::end(passing), member.key) != std::end(passing)) continue;
    text += member.key;
    text += '\n';
    text += json::print(member.value);
    text += '\n';
  }
  return sha256_hex(text).substr(0, 32);
}

std::string updated_by_execution(const Value& finding, std::string_view author) {
  const Value& note = finding["Note"];
  if (note["UpdatedBy"].string_or("") != author) return {};
  const auto at = parse_timestamp(note["UpdatedAt"].string_or(""));
  const auto not_after = [&](const char* member) {
    const Value& value = finding[member];
    if (value.is_null()) return true;
    const auto time = parse_timestamp(value.string_or(""));
    return time && *time <= *at;
  };
  if (!at || !not_after("UpdatedAt") || !not_after("ProcessedAt")) return {};
  return std::string(finding["UserDefinedFields"]["fixpoint:execution"].string_or(""));
}

}  // namespace fixpoint::findings
