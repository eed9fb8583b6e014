// IAM Access Analyzer's findings: the details of its events, and the answers of ListFindings, ListFindingsV2,
// GetFinding and GetFindingV2. https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-eventbridge.html,
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_FindingSummaryV2.html; what Security Hub makes of
// them: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-securityhub-integration.html
#include "base/arn.h"
#include "base/text.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Object;
using json::Value;

constexpr Product product{"access-analyzer", "IAM Access Analyzer", "AWS"};

struct Kind {
  std::string_view finding_type;
  std::string_view says;  // of the resource
  std::string_view type;
  std::string_view severity;
};
constexpr std::string_view best_practices = "Software and Configuration Checks/AWS Security Best Practices/";
constexpr Kind unused[] = {
    {"UnusedIAMRole", "contains unused iam role", "Unused IAM Role", "MEDIUM"},
    {"UnusedIAMUserAccessKey", "contains unused iam user access key", "Unused IAM User Access Key", "MEDIUM"},
    {"UnusedIAMUserPassword", "contains unused iam user password", "Unused IAM User Password", "MEDIUM"},
    {"UnusedPermission", "contains unused permission", "Unused Permission", "MEDIUM"},
    {"InternalAccess", "allows access within the organization or account", "Internal Access Granted", "LOW"}};

// The details that ListFindings has at the top and GetFindingV2 in a list.
const Value* external_of(const Value& value) {
  const Value& details = value["findingDetails"];
  for (std::size_t i = 0; i < details.size(); ++i)
    if (details[i]["externalAccessDetails"].is_object()) return &details[i]["externalAccessDetails"];
  return &value;
}

std::string listed(const Value& texts) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) out += (i == 0 ? "" : ",") + std::string(texts[i].string_or(""));
  return out;
}

}  // namespace

bool is_access_analyzer(const Value& value) {
  return value["resourceType"].string_or("").starts_with("AWS::") && value.find("status") != nullptr &&
         (value.find("analyzedAt") != nullptr || value.find("findingType") != nullptr);
}

Result<Value> read_access_analyzer(const Item& item) {
  const Value& value = item.value;
  const bool in_event = value["findingId"].is_string();
  FIXPOINT_TRY(id, text_of(item, in_event ? value["findingId"] : value["id"], in_event ? "findingId" : "id"));
  FIXPOINT_TRY(resource, text_of(item, value["resource"], "resource"));
  const auto arn = parse_arn(resource);
  if (!arn)
    return fail(item.bad("resource", "is '" + cut_characters(resource, 80) + "'; it has to be the resource's ARN"));
  FIXPOINT_TRY(status, text_of(item, value["status"], "status"));
  if (status != "ACTIVE" && status != "ARCHIVED" && status != "RESOLVED")
    return fail(
        item.bad("status", "is '" + cut_characters(status, 80) + "'; it has to be ACTIVE, ARCHIVED or RESOLVED"));
  // What is to be mended lies in the resource's account, whoever's analyzer found it.
  Value account = value["resourceOwnerAccount"];
  if (account.is_null()) account = value["accountId"];
  if (account.is_null() && !arn->account.empty()) account = arn->account;
  Value region = value["region"];
  if (region.is_null() && item.event.is_null() && !arn->region.empty()) region = arn->region;
  FIXPOINT_TRY(home, home_of(item, account, region));
  FIXPOINT_TRY(created, time_of(item, value["createdAt"], "createdAt"));
  FIXPOINT_TRY(updated, time_of(item, value["updatedAt"], "updatedAt"));

  const std::string_view resource_type = value["resourceType"].string_or("");
  const Value& external = *external_of(value);
  const bool open = external["isPublic"].bool_or(false);
  const std::string error(value["error"].string_or(""));
  std::string says = open ? "allows public access" : "allows cross-account access";
  std::string type =
      open ? "Effects/Data Exposure/External Access Granted" : std::string(best_practices) + "External Access Granted";
  std::string severity = open ? "HIGH" : "LOW";
  for (const Kind& kind : unused)
    if (value["findingType"].string_or("") == kind.finding_type) {
      says = kind.says;
      type = std::string(best_practices) + std::string(kind.type);
      severity = kind.severity;
    }
  if (!error.empty()) {
    says = "could not be analyzed (" + error + ")";
    severity = "INFORMATIONAL";
  }
  std::string from;
  if (const Value& principal = external["principal"]; principal.is_object() && !open && error.empty())
    for (const auto& one : principal.as_object())
      from += (from.empty() ? " from " : ", ") + one.key + " " + as_text(one.value);

  const std::string generator = "aws/access-analyzer";
  Value one = resource_of(home, resource_type, resource, arn->region);
  Value finding =
      finding_of(product, home, id, generator, std::string(one["Type"].string_or("")) + "/" + resource + "/ " + says,
                 std::string(resource_type) + "/" + resource + "/ " + says + from);
  finding.set("Types", json::Array{Value(type)});
  finding.set("CreatedAt", created);
  finding.set("UpdatedAt", updated);
  finding.set("Severity", Object{{"Label", severity}});
  if (status != "ACTIVE" || value["isDeleted"].bool_or(false)) finding.set("RecordState", "ARCHIVED");
  Object other;
  if (external["action"].is_array()) other.set("Action Granted", cut_characters(listed(external["action"]), 1024));
  if (external["condition"].is_object())
    other.set("Condition",
              external["condition"].size() == 0 ? "none" : cut_characters(as_text(external["condition"]), 1024));
  if (external["principal"].is_object() && external["principal"].size() > 0) {
    const auto& principal = *external["principal"].as_object().begin();
    other.set("External Principal Type", principal.key);
    other.set("External Principal", as_text(principal.value));
  }
  if (!other.empty()) one.set("Details", Object{{"Other", std::move(other)}});
  finding.set("Resources", json::Array{std::move(one)});
  Value& fields = finding.at_or_make("ProductFields");
  fields.set("findingId", id);
  if (value["findingType"].is_string()) fields.set("findingType", value["findingType"]);
  fields.set("ResourceOwnerAccount", home.account);
  return finding;
}

}  // namespace fixpoint::sources
