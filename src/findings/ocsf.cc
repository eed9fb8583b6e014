#include "findings/ocsf.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

// https://schema.ocsf.io/1.6.0/classes/detection_finding (severity_id, status_id) and objects/compliance (status_id).
constexpr OcsfName severities[] = {{1, "Informational", "INFORMATIONAL"},
                                   {2, "Low", "LOW"},
                                   {3, "Medium", "MEDIUM"},
                                   {4, "High", "HIGH"},
                                   {5, "Critical", "CRITICAL"},
                                   {6, "Fatal", "CRITICAL"},
                                   {0, "Unknown", "INFORMATIONAL"},
                                   {99, "Other", "INFORMATIONAL"}};
// Who says Unknown leaves the finding as new as it came; who says Other has looked at it.
constexpr OcsfName statuses[] = {
    {1, "New", "NEW"},           {2, "In Progress", "NOTIFIED"}, {3, "Suppressed", "SUPPRESSED"},
    {4, "Resolved", "RESOLVED"}, {5, "Archived", "ARCHIVED"},    {6, "Deleted", "ARCHIVED"},
    {0, "Unknown", "NEW"},       {99, "Other", "NOTIFIED"}};
constexpr OcsfName compliances[] = {{1, "Pass", "PASSED"},
                                    {2, "Warning", "WARNING"},
                                    {3, "Fail", "FAILED"},
                                    {0, "Unknown", "NOT_AVAILABLE"},
                                    {99, "Other", "NOT_AVAILABLE"}};

constexpr std::int64_t other_id = 99;
constexpr std::size_t original_limit_bytes = 240UL * 1024;  // as much as a finding may have
constexpr std::size_t id_limit = 512;
constexpr std::size_t comment_limit = 512;

// Number and caption beside each other: the number counts, and where it is missing the caption gives it. The caption of
// Other is the source's own.
void normalize(Value& object, const char* caption, const char* number, std::span<const OcsfName> names) {
  const OcsfName* row = nullptr;
  if (const auto id = object[number].as_int64()) {
    row = name_of(names, *id);
  } else if (const std::string_view text = object[caption].string_or(""); !text.empty()) {
    const auto* found = std::find_if(names.data(), names.data() + names.size(),
                                     [&](const OcsfName& name) { return equals_ignore_case(name.caption, text); });
    row = found == names.data() + names.size() ? name_of(names, other_id) : found;
    object.set(number, row->id);
  }
  if (row == nullptr || (row->id == other_id && object[caption].is_string())) return;
  object.set(caption, row->caption);
}

}  // namespace

std::span<const OcsfName> ocsf_severities() {
  return severities;
}
std::span<const OcsfName> ocsf_statuses() {
  return statuses;
}
std::span<const OcsfName> ocsf_compliances() {
  return compliances;
}

const OcsfName* name_of(std::span<const OcsfName> names, std::int64_t id) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const OcsfName& name) { return name.id == id; });
  return found == names.end() ? nullptr : &*found;
}

const OcsfName* name_of(std::span<const OcsfName> names, std::string_view asff) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const OcsfName& name) { return name.asff == asff; });
  return found == names.end() ? nullptr : &*found;
}

std::string_view standing_of(const Value& finding) {
  const std::string_view workflow = finding["Workflow"]["Status"].string_or("NEW");
  if (workflow == "NEW" && finding["RecordState"].string_or("ACTIVE") == "ARCHIVED") return "ARCHIVED";
  return workflow;
}

bool is_ocsf(const Value& document) {
  if (!document.is_object() || document.find("SchemaVersion") != nullptr) return false;
  return document.find("class_uid") != nullptr || document.find("finding_info") != nullptr;
}

Result<Value> original_of(const Value& ocsf) {
  Value original = ocsf;
  normalize(original, "severity", "severity_id", severities);
  normalize(original, "status", "status_id", statuses);
  if (original["compliance"].is_object())
    normalize(original.at_or_make("compliance"), "status", "status_id", compliances);
  const std::size_t bytes = json::print(original).size();
  if (bytes > original_limit_bytes)
    return fail(errors::invalid_input("the finding has " + std::to_string(bytes) + " bytes; at most " +
                                      std::to_string(original_limit_bytes) + " are taken"));
  return original;
}

std::string metadata_uid_of(const FindingKey& key) {
  return sha256_hex(key.product_arn + "\n" + key.id);
}

std::string finding_id_of(std::string_view uid) {
  if (uid.size() <= id_limit) return std::string(uid);
  return std::string(first_bytes(uid, id_limit - 65)) + "-" + sha256_hex(uid);
}

std::string product_uid_of(std::string_view product_arn) {
  return replace_all(std::string(product_arn), "::product/", "::productv2/");
}

Result<OcsfUpdate> OcsfUpdate::read(const Value& input) {
  OcsfUpdate update;
  const auto number = [&](const char* member, std::span<const std::int64_t> taken,
                          std::optional<std::int64_t>& into) -> Result<void> {
    const Value& given = input[member];
    if (given.is_null()) return {};
    into = given.as_int64();
    if (into && std::find(taken.begin(), taken.end(), *into) != taken.end()) return {};
    std::string list;
    for (const auto id : taken) list += (list.empty() ? "" : ", ") + std::to_string(id);
    return fail(errors::validation(
        std::string(member) + " is " + json::print(given).substr(0, 40) + "; it has to be one of " + list, member));
  };
  static constexpr std::int64_t severity_ids[] = {0, 1, 2, 3, 4, 5, 6, 99};
  static constexpr std::int64_t status_ids[] = {0, 1, 2, 3, 4, 5, 99};
  FIXPOINT_CHECK(number("SeverityId", severity_ids, update.severity_id));
  FIXPOINT_CHECK(number("StatusId", status_ids, update.status_id));
  if (const Value& comment = input["Comment"]; !comment.is_null()) {
    const std::string text(comment.string_or(""));
    const auto characters = static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (trim(text).empty() || characters > comment_limit)
      return fail(errors::validation(
          "Comment has " + std::to_string(characters) + " characters; it has to be a text of 1 to 512", "Comment"));
    update.comment = text;
  }
  if (!update.severity_id && !update.status_id && !update.comment)
    return fail(errors::validation("nothing is to be set; give Comment, SeverityId or StatusId"));
  return update;
}

Value OcsfUpdate::asff(const std::string& by) const {
  Value update{json::Object()};
  if (comment) update.set("Note", json::Object{{"Text", *comment}, {"UpdatedBy", by.empty() ? "unknown" : by}});
  if (severity_id) update.set("Severity", json::Object{{"Label", name_of(severities, *severity_id)->asff}});
  if (status_id) {
    const std::string_view standing = name_of(statuses, *status_id)->asff;
    const bool archived = standing == "ARCHIVED";
    update.set("Workflow", json::Object{{"Status", archived ? "NEW" : standing}});
    // New and Archived differ by the record's state alone; what is in progress, suppressed or resolved may be either.
    if (archived || standing == "NEW") update.set("RecordState", archived ? "ARCHIVED" : "ACTIVE");
  }
  return update;
}

void OcsfUpdate::write_on(Value& ocsf) const {
  if (comment) ocsf.set("comment", *comment);
  if (severity_id) {
    ocsf.set("severity_id", *severity_id);
    ocsf.set("severity", name_of(severities, *severity_id)->caption);
  }
  if (status_id) {
    ocsf.set("status_id", *status_id);
    ocsf.set("status", name_of(statuses, *status_id)->caption);
  }
}

}  // namespace fixpoint::findings
