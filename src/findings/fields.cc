#include "findings/fields.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"

namespace fixpoint::findings {
namespace {

using Kind = FieldRule::Kind;
using Index = FieldRule::Index;

constexpr FieldRule rules[] = {
    {"ProductArn", Kind::Text, "ProductArn", Index::Term, 3},
    {"AwsAccountId", Kind::Text, "AwsAccountId", Index::Term, 4},
    {"AwsAccountName", Kind::Text, "AwsAccountName", Index::Term, 21},
    {"Id", Kind::Text, "Id", Index::Name, 2},
    {"GeneratorId", Kind::Text, "GeneratorId", Index::Term, 6},
    {"Region", Kind::Text, "Region", Index::Term, 5},
    {"Type", Kind::Text, "Types", Index::Term, 7},
    {"FirstObservedAt", Kind::Date, "FirstObservedAt", Index::Column, 67},
    {"LastObservedAt", Kind::Date, "LastObservedAt", Index::Column, 68},
    {"CreatedAt", Kind::Date, "CreatedAt", Index::Column, 65},
    {"UpdatedAt", Kind::Date, "UpdatedAt", Index::Column, 66},
    {"SeverityProduct", Kind::Number, "Severity.Product", Index::None, 0},
    {"SeverityNormalized", Kind::Number, "Severity.Normalized", Index::Column, 64},
    {"SeverityLabel", Kind::Text, "Severity.Label", Index::Term, 8},
    {"Confidence", Kind::Number, "Confidence", Index::Column, 69},
    {"Criticality", Kind::Number, "Criticality", Index::Column, 70},
    {"Title", Kind::Text, "Title", Index::Term, 9},
    {"Description", Kind::Text, "Description", Index::None, 0},
    {"RecommendationText", Kind::Text, "Remediation.Recommendation.Text", Index::None, 0},
    {"SourceUrl", Kind::Text, "SourceUrl", Index::None, 0},
    {"ProductFields", Kind::Map, "ProductFields", Index::None, 0},
    {"ProductName", Kind::Text, "ProductName", Index::Term, 10},
    {"CompanyName", Kind::Text, "CompanyName", Index::Term, 11},
    {"UserDefinedFields", Kind::Map, "UserDefinedFields", Index::Name, 25},
    {"MalwareName", Kind::Text, "Malware.Name", Index::None, 0},
    {"MalwareType", Kind::Text, "Malware.Type", Index::None, 0},
    {"MalwarePath", Kind::Text, "Malware.Path", Index::None, 0},
    {"MalwareState", Kind::Text, "Malware.State", Index::None, 0},
    {"NetworkDirection", Kind::Text, "Network.Direction", Index::None, 0},
    {"NetworkProtocol", Kind::Text, "Network.Protocol", Index::None, 0},
    {"NetworkSourceIpV4", Kind::Ip, "Network.SourceIpV4", Index::None, 0},
    {"NetworkSourceIpV6", Kind::Ip, "Network.SourceIpV6", Index::None, 0},
    {"NetworkSourcePort", Kind::Number, "Network.SourcePort", Index::None, 0},
    {"NetworkSourceDomain", Kind::Text, "Network.SourceDomain", Index::None, 0},
    {"NetworkSourceMac", Kind::Text, "Network.SourceMac", Index::None, 0},
    {"NetworkDestinationIpV4", Kind::Ip, "Network.DestinationIpV4", Index::None, 0},
    {"NetworkDestinationIpV6", Kind::Ip, "Network.DestinationIpV6", Index::None, 0},
    {"NetworkDestinationPort", Kind::Number, "Network.DestinationPort", Index::None, 0},
    {"NetworkDestinationDomain", Kind::Text, "Network.DestinationDomain", Index::None, 0},
    {"ProcessName", Kind::Text, "Process.Name", Index::None, 0},
    {"ProcessPath", Kind::Text, "Process.Path", Index::None, 0},
    {"ProcessPid", Kind::Number, "Process.Pid", Index::None, 0},
    {"ProcessParentPid", Kind::Number, "Process.ParentPid", Index::None, 0},
    {"ProcessLaunchedAt", Kind::Date, "Process.LaunchedAt", Index::None, 0},
    {"ProcessTerminatedAt", Kind::Date, "Process.TerminatedAt", Index::None, 0},
    {"ThreatIntelIndicatorType", Kind::Text, "ThreatIntelIndicators.Type", Index::None, 0},
    {"ThreatIntelIndicatorValue", Kind::Text, "ThreatIntelIndicators.Value", Index::None, 0},
    {"ThreatIntelIndicatorCategory", Kind::Text, "ThreatIntelIndicators.Category", Index::None, 0},
    {"ThreatIntelIndicatorLastObservedAt", Kind::Date, "ThreatIntelIndicators.LastObservedAt", Index::None, 0},
    {"ThreatIntelIndicatorSource", Kind::Text, "ThreatIntelIndicators.Source", Index::None, 0},
    {"ThreatIntelIndicatorSourceUrl", Kind::Text, "ThreatIntelIndicators.SourceUrl", Index::None, 0},
    {"ResourceType", Kind::Text, "Resources.Type", Index::Term, 17},
    {"ResourceId", Kind::Text, "Resources.Id", Index::Name, 18},
    {"ResourcePartition", Kind::Text, "Resources.Partition", Index::Term, 23},
    {"ResourceRegion", Kind::Text, "Resources.Region", Index::Term, 22},
    {"ResourceTags", Kind::Map, "Resources.Tags", Index::Name, 24},
    {"ResourceOwnerAccountId", Kind::Text, "Resources.Owner.Account.Id", Index::None, 0},
    {"ResourceOwnerOrgId", Kind::Text, "Resources.Owner.Org.Id", Index::None, 0},
    {"ResourceProvider", Kind::Text, "Resources.Provider", Index::None, 0},
    {"ResourceDetailsOther", Kind::Map, "Resources.Details.Other", Index::None, 0},
    {"ResourceApplicationName", Kind::Text, "Resources.ApplicationName", Index::Term, 28},
    {"ResourceApplicationArn", Kind::Text, "Resources.ApplicationArn", Index::Term, 29},
    {"ResourceAwsEc2InstanceType", Kind::Text, "Resources.Details.AwsEc2Instance.Type", Index::None, 0},
    {"ResourceAwsEc2InstanceImageId", Kind::Text, "Resources.Details.AwsEc2Instance.ImageId", Index::None, 0},
    {"ResourceAwsEc2InstanceIpV4Addresses", Kind::Ip, "Resources.Details.AwsEc2Instance.IpV4Addresses", Index::None, 0},
    {"ResourceAwsEc2InstanceIpV6Addresses", Kind::Ip, "Resources.Details.AwsEc2Instance.IpV6Addresses", Index::None, 0},
    {"ResourceAwsEc2InstanceKeyName", Kind::Text, "Resources.Details.AwsEc2Instance.KeyName", Index::None, 0},
    {"ResourceAwsEc2InstanceIamInstanceProfileArn", Kind::Text,
     "Resources.Details.AwsEc2Instance.IamInstanceProfileArn", Index::None, 0},
    {"ResourceAwsEc2InstanceVpcId", Kind::Text, "Resources.Details.AwsEc2Instance.VpcId", Index::None, 0},
    {"ResourceAwsEc2InstanceSubnetId", Kind::Text, "Resources.Details.AwsEc2Instance.SubnetId", Index::None, 0},
    {"ResourceAwsEc2InstanceLaunchedAt", Kind::Date, "Resources.Details.AwsEc2Instance.LaunchedAt", Index::None, 0},
    {"ResourceAwsS3BucketOwnerId", Kind::Text, "Resources.Details.AwsS3Bucket.OwnerId", Index::None, 0},
    {"ResourceAwsS3BucketOwnerName", Kind::Text, "Resources.Details.AwsS3Bucket.OwnerName", Index::None, 0},
    {"ResourceAwsIamAccessKeyUserName", Kind::Text, "Resources.Details.AwsIamAccessKey.UserName", Index::None, 0},
    {"ResourceAwsIamAccessKeyPrincipalName", Kind::Text, "Resources.Details.AwsIamAccessKey.PrincipalName", Index::None,
     0},
    {"ResourceAwsIamAccessKeyStatus", Kind::Text, "Resources.Details.AwsIamAccessKey.Status", Index::None, 0},
    {"ResourceAwsIamAccessKeyCreatedAt", Kind::Date, "Resources.Details.AwsIamAccessKey.CreatedAt", Index::None, 0},
    {"ResourceAwsIamUserUserName", Kind::Text, "Resources.Details.AwsIamUser.UserName", Index::None, 0},
    {"ResourceContainerName", Kind::Text, "Resources.Details.Container.Name", Index::None, 0},
    {"ResourceContainerImageId", Kind::Text, "Resources.Details.Container.ImageId", Index::None, 0},
    {"ResourceContainerImageName", Kind::Text, "Resources.Details.Container.ImageName", Index::None, 0},
    {"ResourceContainerLaunchedAt", Kind::Date, "Resources.Details.Container.LaunchedAt", Index::None, 0},
    {"ComplianceStatus", Kind::Text, "Compliance.Status", Index::Term, 14},
    {"ComplianceSecurityControlId", Kind::Text, "Compliance.SecurityControlId", Index::Term, 15},
    {"ComplianceAssociatedStandardsId", Kind::Text, "Compliance.AssociatedStandards.StandardsId", Index::Term, 16},
    {"ComplianceSecurityControlParametersName", Kind::Text, "Compliance.SecurityControlParameters.Name", Index::None,
     0},
    {"ComplianceSecurityControlParametersValue", Kind::Text, "Compliance.SecurityControlParameters.Value", Index::None,
     0},
    {"VerificationState", Kind::Text, "VerificationState", Index::Term, 20},
    {"WorkflowState", Kind::Text, "WorkflowState", Index::Term, 26},
    {"WorkflowStatus", Kind::Text, "Workflow.Status", Index::Term, 12},
    {"RecordState", Kind::Text, "RecordState", Index::Term, 13},
    {"RelatedFindingsProductArn", Kind::Text, "RelatedFindings.ProductArn", Index::None, 0},
    {"RelatedFindingsId", Kind::Text, "RelatedFindings.Id", Index::None, 0},
    {"NoteText", Kind::Text, "Note.Text", Index::None, 0},
    {"NoteUpdatedAt", Kind::Date, "Note.UpdatedAt", Index::Column, 71},
    {"NoteUpdatedBy", Kind::Text, "Note.UpdatedBy", Index::Term, 19},
    {"FindingProviderFieldsConfidence", Kind::Number, "FindingProviderFields.Confidence", Index::None, 0},
    {"FindingProviderFieldsCriticality", Kind::Number, "FindingProviderFields.Criticality", Index::None, 0},
    {"FindingProviderFieldsRelatedFindingsId", Kind::Text, "FindingProviderFields.RelatedFindings.Id", Index::None, 0},
    {"FindingProviderFieldsRelatedFindingsProductArn", Kind::Text, "FindingProviderFields.RelatedFindings.ProductArn",
     Index::None, 0},
    {"FindingProviderFieldsSeverityLabel", Kind::Text, "FindingProviderFields.Severity.Label", Index::Term, 27},
    {"FindingProviderFieldsSeverityOriginal", Kind::Text, "FindingProviderFields.Severity.Original", Index::None, 0},
    {"FindingProviderFieldsTypes", Kind::Text, "FindingProviderFields.Types", Index::None, 0},
    {"Sample", Kind::Boolean, "Sample", Index::None, 0},
    {"VulnerabilitiesExploitAvailable", Kind::Text, "Vulnerabilities.ExploitAvailable", Index::None, 0},
    {"VulnerabilitiesFixAvailable", Kind::Text, "Vulnerabilities.FixAvailable", Index::None, 0},
    {"Keyword", Kind::Keyword, "", Index::None, 0},
};

struct Names {
  std::map<std::string_view, const FieldRule*> by_name;
  std::array<std::vector<std::string_view>, std::size(rules)> paths;
};

const Names& names() {
  static const Names names = [] {
    Names made;
    for (std::size_t i = 0; i < std::size(rules); ++i) {
      made.by_name.emplace(rules[i].name, &rules[i]);
      if (!rules[i].path.empty()) made.paths[i] = split(rules[i].path, '.');
    }
    return made;
  }();
  return names;
}

}  // namespace

std::span<const FieldRule> all_fields() {
  return rules;
}

bool holds_names(std::uint8_t code) {
  if (code == ocsf_uid_code) return true;
  return std::any_of(std::begin(rules), std::end(rules),
                     [&](const FieldRule& rule) { return rule.code == code && rule.index == Index::Name; });
}

const FieldRule* find_field(std::string_view name) {
  const auto found = names().by_name.find(name);
  return found == names().by_name.end() ? nullptr : found->second;
}

std::span<const std::string_view> path_of(const FieldRule& field) {
  return names().paths[static_cast<std::size_t>(&field - rules)];
}

}  // namespace fixpoint::findings
