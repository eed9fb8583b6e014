// AWS Config's verdicts and its questions: the event "Config Rules Compliance Change", the answers of
// GetComplianceDetailsByConfigRule, ...ByResource and GetAggregateComplianceDetailsByConfigRule, and the event with
// which Config invokes a custom rule's function.
// https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html,
// https://docs.aws.amazon.com/config/latest/APIReference/API_EvaluationResult.html,
// https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html; what
// Security Hub makes of them:
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-internal-providers.html
#include "base/arn.h"
#include "base/hash.h"
#include "json/text.h"
#include "sources/form.h"
#include "sources/reading.h"

namespace fixpoint::sources {
namespace {

using json::Object;
using json::Value;

constexpr Product product{"config", "Config", "AWS"};
// An invocation's item has at most 256 KB, else it comes as "oversized", without the item:
// https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
constexpr json::Limits invocation_limits{.depth = 100, .bytes = 1024UL * 1024};

// What Config says of a resource, as a finding.
struct Verdict {
  std::string_view theirs;
  std::string_view compliance;
  std::string_view severity;
  std::string_view state;
};
// Security Hub gives a Config finding that failed MEDIUM. What no longer applies is archived; what is not known yet is
// neither passed nor failed.
constexpr Verdict verdicts[] = {{"NON_COMPLIANT", "FAILED", "MEDIUM", "ACTIVE"},
                                {"COMPLIANT", "PASSED", "INFORMATIONAL", "ACTIVE"},
                                {"NOT_APPLICABLE", "NOT_AVAILABLE", "INFORMATIONAL", "ARCHIVED"},
                                {"INSUFFICIENT_DATA", "NOT_AVAILABLE", "INFORMATIONAL", "ACTIVE"}};

// A rule and a resource, whichever of the three forms named them.
struct Evaluation {
  std::string rule_name;
  std::string rule_arn;  // empty where only the name is known
  std::string resource_type;
  std::string resource_id;
  std::string resource_arn;  // empty where it is not given
};

Value finding_from(const Home& home, const Evaluation& of, const Verdict& verdict, std::string_view annotation,
                   const std::string& created, const std::string& updated) {
  // The same for a rule and a resource in each form, so that a later verdict updates the finding of an earlier one.
  const std::string id = home.region + "/" + home.account + "/config-rule/" + of.rule_name + "/" +
                         sha256_hex(of.resource_type + "\n" + of.resource_id).substr(0, 40);
  std::string description = "This finding is created for a resource compliance change for config rule: " + of.rule_name;
  if (!annotation.empty()) description += ": " + std::string(annotation);
  Value finding = finding_of(product, home, id, of.rule_arn.empty() ? "config-rule/" + of.rule_name : of.rule_arn,
                             of.rule_name, description);
  finding.set("Types", json::Array{Value("Software and Configuration Checks")});
  finding.set("CreatedAt", created);
  finding.set("UpdatedAt", updated);
  finding.set("Severity", Object{{"Label", verdict.severity}});
  finding.set("Compliance", Object{{"Status", verdict.compliance}});
  finding.set("RecordState", verdict.state);
  // Security Hub's name for an account as a resource.
  const bool is_account = of.resource_type == "AWS::::Account";
  finding.set("Resources", json::Array{resource_of(home, of.resource_type,
                                                   is_account                ? "AWS::::Account:" + of.resource_id
                                                   : of.resource_arn.empty() ? of.resource_id
                                                                             : of.resource_arn)});
  Value& fields = finding.at_or_make("ProductFields");
  if (!of.rule_arn.empty()) fields.set("aws/config/ConfigRuleArn", of.rule_arn);
  fields.set("aws/config/ConfigRuleName", of.rule_name);
  if (!verdict.theirs.empty()) fields.set("aws/config/ConfigComplianceType", verdict.theirs);
  return finding;
}

// An EvaluationResult, `rule_arn` where the form around it has one.
Result<Value> read_result(const Item& item, const Value& result, const std::string& path, const Home& home,
                          const std::string& rule_arn) {
  const Value& identifier = member(result, "evaluationResultIdentifier");
  const Value& qualifier = member(identifier, "evaluationResultQualifier");
  const std::string in_path = path + "EvaluationResultIdentifier.EvaluationResultQualifier.";
  Evaluation of;
  of.rule_arn = rule_arn;
  for (const auto& [name, into] : {std::pair{"ConfigRuleName", &of.rule_name},
                                   {"ResourceType", &of.resource_type},
                                   {"ResourceId", &of.resource_id}}) {
    FIXPOINT_TRY(text,
                 text_of(item, member(qualifier, std::string(1, static_cast<char>(name[0] + ('a' - 'A'))) + (name + 1)),
                         in_path + name));
    *into = text;
  }
  FIXPOINT_TRY(compliance, text_of(item, member(result, "complianceType"), path + "ComplianceType"));
  const Verdict* verdict = nullptr;
  for (const Verdict& known : verdicts)
    if (known.theirs == compliance) verdict = &known;
  if (verdict == nullptr)
    return fail(item.bad(path + "ComplianceType",
                         "is '" + cut_characters(compliance, 80) +
                             "'; it has to be COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE or INSUFFICIENT_DATA"));
  FIXPOINT_TRY(recorded, time_of(item, member(result, "resultRecordedTime"), path + "ResultRecordedTime"));
  const Value& ordering = member(identifier, "orderingTimestamp");
  std::string created = recorded;
  if (!ordering.is_null()) {
    FIXPOINT_TRY(time, time_of(item, ordering, path + "EvaluationResultIdentifier.OrderingTimestamp"));
    created = time;
  }
  return finding_from(home, of, *verdict, member(result, "annotation").string_or(""), created, recorded);
}

}  // namespace

bool is_config_change(const Value& value) {
  return value.find("newEvaluationResult") != nullptr ||
         value["messageType"].string_or("") == "ComplianceChangeNotification";
}

Result<Value> read_config_change(const Item& item) {
  const Value& value = item.value;
  FIXPOINT_TRY(home, home_of(item, value["awsAccountId"], value["awsRegion"]));
  const Value& result = value["newEvaluationResult"];
  if (!result.is_object())
    return fail(item.bad("newEvaluationResult", "is missing; what the rule says of the resource stands in it"));
  return read_result(item, result, "newEvaluationResult.", home, std::string(value["configRuleARN"].string_or("")));
}

bool is_config_result(const Value& value) {
  return member(value, "evaluationResultIdentifier").is_object();
}

Result<Value> read_config_result(const Item& item) {
  // An aggregator's answer says whose they are, a rule's own does not.
  FIXPOINT_TRY(home, home_of(item, item.value["AccountId"], item.value["AwsRegion"]));
  return read_result(item, item.value, "", home, "");
}

bool is_config_invocation(const Value& value) {
  return value.find("invokingEvent") != nullptr;
}

// Config asks a rule about a resource; it says nothing of it yet. So the finding's compliance is not available, and a
// control that is sent to it looks for itself.
Result<Value> read_config_invocation(const Item& item) {
  const Value& value = item.value;
  FIXPOINT_TRY(rule, text_of(item, value["configRuleName"], "configRuleName"));
  FIXPOINT_TRY(text, text_of(item, value["invokingEvent"], "invokingEvent"));
  const auto invoking = json::parse(text, invocation_limits);
  if (!invoking) return fail(item.bad("invokingEvent", "is no JSON in a string: " + invoking.error().message));
  const Value& whole = (*invoking)["configurationItem"];
  const Value& resource = whole.is_object() ? whole : (*invoking)["configurationItemSummary"];
  if (!resource.is_object())
    return fail(item.bad("invokingEvent", "has no configurationItem, so it names no resource: it is of the type '" +
                                              cut_characters((*invoking)["messageType"].string_or(""), 80) + "'"));
  const auto arn = parse_arn(value["configRuleArn"].string_or(""));
  Value account = value["accountId"];
  if (account.is_null()) account = resource["awsAccountId"];
  Value region = resource["awsRegion"];
  if (region.is_null() && arn) region = arn->region;
  FIXPOINT_TRY(home, home_of(item, account, region, arn ? Value(arn->partition) : Value()));
  Evaluation of;
  of.rule_name = rule;
  of.rule_arn = value["configRuleArn"].string_or("");
  of.resource_arn = resource["ARN"].string_or("");
  for (const auto& [name, into] : {std::pair{"resourceType", &of.resource_type}, {"resourceId", &of.resource_id}}) {
    FIXPOINT_TRY(read, text_of(item, resource[name], std::string("invokingEvent.configurationItem.") + name));
    *into = read;
  }
  const bool captured = !resource["configurationItemCaptureTime"].is_null();
  const char* when = captured ? "configurationItemCaptureTime" : "notificationCreationTime";
  FIXPOINT_TRY(time, time_of(item, captured ? resource[when] : (*invoking)[when],
                             std::string("invokingEvent.") + (captured ? "configurationItem." : "") + when));
  const std::string_view status = resource["configurationItemStatus"].string_or("");
  const bool gone = value["eventLeftScope"].bool_or(false) || status.starts_with("ResourceDeleted");
  const Verdict asked{"", "NOT_AVAILABLE", "INFORMATIONAL", gone ? "ARCHIVED" : "ACTIVE"};
  return finding_from(home, of, asked, "the rule was asked about the resource and has not answered yet", time, time);
}

}  // namespace fixpoint::sources
