// Real findings of other tools, from the folder of shared data: what becomes of each.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/arn.h"
#include "controls/control.h"
#include "reading.h"
#include "support/paths.h"

namespace fixpoint::sources {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

// A finding as it is taken in; `control` is the catalogue's own, "" where it has none for the finding.
struct Expected {
  std::string control;
  std::string resource;
  std::string account;
  std::string region;
  std::string severity;
  bool operator==(const Expected&) const = default;
};
void PrintTo(const Expected& one, std::ostream* out) {
  *out << "{\"" << one.control << "\", \"" << one.resource << "\", \"" << one.account << "\", \"" << one.region
       << "\", \"" << one.severity << "\"}";
}

struct File {
  std::vector<Expected> findings;  // none where it is refused
  std::string says;                // the refusal, or a repair
};

const std::string account = "111122223333";

// Each value was read off the file by hand; controls by the rule names, generators and types of the files and the
// catalogue's files.
const std::map<std::string, File> files = {
    {"01-sechub-custom-action-cloudtrail.json",
     {{{"", "arn:aws:cloudtrail:us-east-1:111122223333:trail/example-trail", account, "us-east-1", "INFORMATIONAL"}},
      ""}},
    {"02-sechub-custom-action-guardduty-iamkey.json",
     {{{"", "AWS::IAM::AccessKey:null", account, "us-east-1", "MEDIUM"}}, ""}},
    {"03-sechub-insight-results.json", {{}, "counts findings by a resource's or user's name and carries none of them"}},
    {"05-asff-getfindings-ec2-instance.json",
     {{{"", "arn:aws:ec2:us-east-1:111122223333:instance/i-0f1c2ffaea36228b0", account, "us-east-1", "LOW"}}, ""}},
    {"06-asff-getfindings-alb.json",
     {{{"", "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/test/cf1a839e5cc6d3f3", account,
        "us-east-1", "LOW"}},
      ""}},
    {"07-asff-getfindings-rds.json",
     {{{"", "arn:aws:rds:us-west-2:111122223333:db:test-instance-3", account, "us-west-2", "INFORMATIONAL"}}, ""}},
    {"08-asff-getfindings-s3-bucket.json", {{}, "Description is missing"}},
    {"10-asff-getfindings-ecr-image.json",
     {{{"",
        "arn:aws:ecr:us-east-1:111122223333:repository/sas-log4j-test/"
        "sha256:1a65e73f85a7e2fc26ca1baa4cc9d4fbdbe9bbb46f7a2bf32db01de22759df94",
        account, "us-east-1", "CRITICAL"}},
      ""}},
    // The administrator's event about a member's instance.
    {"12-guardduty-ec2-event.json",
     {{{"", "arn:aws:ec2:us-east-1:111122223333:instance/i-99999999", account, "us-east-1", "MEDIUM"}}, ""}},
    {"13-guardduty-iam-event-sample.json",
     {{{"", "AWS::IAM::AccessKey:GeneratedFindingAccessKeyId", account, "us-east-1", "MEDIUM"}}, ""}},
    {"14-inspector2-listfindings.json",
     {{{"", "arn:aws:ec2:eu-central-1:111122223333:instance/i-07b035550fa86717d", account, "eu-central-1", "MEDIUM"},
       {"", "arn:aws:ec2:eu-central-1:111122223333:instance/i-07b035550fa86717d", account, "eu-central-1", "LOW"}},
      ""}},
    // Names neither account nor region: those of who brings it.
    {"16-config-compliance-details.json",
     {{{"", "arn:aws:ec2:us-east-1:111111111111:volume/vol-0c6efd2a9f5677a03", "111111111111", "us-east-1", "MEDIUM"}},
      "no account was named"}},
    // The rule's own name is no managed rule's, so no control is known for it.
    {"17-config-rule-event-security-group.json",
     {{{"", "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-e2fb6999", account, "eu-west-1", "INFORMATIONAL"}},
      ""}},
    {"18-health-ec2-retire-event.json", {{}, "tells of AWS's own service or of planned work on a resource"}},
    {"20-asff-custom-action-name-mismatch.json",
     {{{"", "AWS::::Account:111122223333", account, "us-east-1", "HIGH"}}, ""}},
    {"21-asff-bad-control-id.json", {{}, "GeneratorId is missing"}},
    {"22-asff-unsupported-standard-version.json",
     {{{"", "AWS::::Account:111122223333", account, "us-east-1", "INFORMATIONAL"}}, ""}},
    {"23-asff-afsbp-ec2.7-imported.json",
     {{{"", "AWS::::Account:111122223333", account, "us-east-1", "INFORMATIONAL"}}, ""}},
    {"24-asff-cis-4.1-security-group.json",
     {{{"EC2.13", "arn:aws:ec2:us-east-1:111122223333:security-group/sg-47dddc34c51b4be58", account, "us-east-1",
        "HIGH"}},
      ""}},
    {"26-asff-cis-1.4-access-key.json",
     {{{"", "arn:aws:iam::111122223333:user/example-user2", account, "us-east-1", "MEDIUM"}}, ""}},
    {"28-asff-afsbp-rds.1-snapshot.json",
     {{{"", "arn:aws:rds:us-east-1:111122223333:cluster-snapshot:rds-snapshot-for-sharr-testing", account, "us-east-1",
        "CRITICAL"}},
      ""}},
    {"29-asff-afsbp-redshift.6.json",
     {{{"", "arn:aws:redshift:us-east-1:111122223333:cluster:redshift-cluster-1", account, "us-east-1", "MEDIUM"}},
      ""}},
    {"30-asff-afsbp-lambda.1.json",
     {{{"", "arn:aws:lambda:us-east-1:111122223333:function:TAEBSVolumeSnapDelete", account, "us-east-1",
        "INFORMATIONAL"}},
      ""}},
    {"32-prowler-ocsf-aws.json", {{}, "cloud.account.uid is '<account_uid>'; an AWS account's id has 12 digits"}},
    {"33-prowler-ocsf-kubernetes.json", {{}, "the finding is about no AWS account"}},
    {"34-prowler-asff-v3.json",
     {{{"", "arn:aws:rds:eu-west-1:111122223333:db:rds-instance-id", account, "eu-west-1", "LOW"}}, "Types was empty"}},
    {"35-trivy-asff-old-numeric-account.json",
     {{{"", "testdata/fixtures/alpine-310.tar.gz (alpine 3.10.2)", account, "test-region", "MEDIUM"}},
      "the account id was a number and was made a text"}},
    {"38-inspector2-ecr-event.json",
     {{{"",
        "arn:aws:ecr:us-east-2:111122223333:repository/amazon/amazon-ecs-sample/"
        "sha256:36c7b282abd0186e01419f2e58743e1bf635808231049bbc9d77EXAMPLE",
        account, "us-east-2", "MEDIUM"}},
      "taken as UTC"}},
    {"r1-sechub-findings-imported-v2.json", {{{"", "arn:aws:s3:::example-logs", account, "eu-central-1", "HIGH"}}, ""}},
    {"r2-macie-policy-finding-event.json", {{{"", "arn:aws:s3:::example-public", account, "us-east-1", "HIGH"}}, ""}},
    {"r3-config-rules-compliance-change.json",
     {{{"EC2.13", "arn:aws-us-gov:ec2:us-gov-west-1:111122223333:security-group/sg-0123456789abcdef0", account,
        "us-gov-west-1", "MEDIUM"}},
      ""}},
    {"r5-kube-bench-asff.json",
     {{{"", "arn:aws:eks:eu-central-1:111122223333:cluster/example", account, "eu-central-1", "HIGH"}},
      "the cluster was added to it"}},
};

// Where it fails it prints what was taken, in the table's own spelling.
TEST(SharedFindings, each_file_is_taken_in_right_or_refused_with_the_right_sentence) {
  const auto shared = test::shared_dir();
  if (!shared || !std::filesystem::is_directory(*shared / "findings"))
    GTEST_SKIP() << "there is no folder of shared data with findings/; FIXPOINT_SHARED names one";
  const auto controls = controls::ControlSet::load(catalog::Catalog::embedded());
  ASSERT_TRUE(controls);
  std::set<std::string> unknown;
  for (const auto& entry : std::filesystem::directory_iterator(*shared / "findings")) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".json")) continue;
    SCOPED_TRACE(name);
    const auto expected = files.find(name);
    const auto taken = take(parsed(test::read_file(entry.path())), caller);
    if (expected == files.end()) {
      unknown.insert(name);
      continue;
    }
    std::string refused = taken ? "" : taken.error().message;
    std::vector<Expected> got;
    for (std::size_t i = 0; taken && i < taken->findings.size(); ++i) {
      const json::Value& one = taken->findings[i];
      if (const auto valid = findings::validate_asff(one); !valid) refused = valid.error().message;
      const auto control = controls->find(findings::control_of(one));
      const auto product = parse_arn(one["ProductArn"].string_or(""));
      got.push_back({control ? control->id : "", std::string(one["Resources"][0]["Id"].string_or("")),
                     std::string(one["AwsAccountId"].string_or("")),
                     std::string(one["Region"].string_or(product ? product->region : "")),
                     std::string(one["Severity"]["Label"].string_or(""))});
    }
    if (expected->second.findings.empty()) {
      EXPECT_THAT(refused, HasSubstr(expected->second.says));
      continue;
    }
    EXPECT_EQ(refused, "");
    EXPECT_THAT(got, UnorderedElementsAreArray(expected->second.findings));
    std::string repaired;
    for (std::size_t i = 0; taken && i < taken->repaired.size(); ++i) repaired += taken->repaired[i] + "\n";
    EXPECT_THAT(repaired, HasSubstr(expected->second.says));
    // The two that GuardDuty generated.
    if (name.starts_with("12-") || name.starts_with("13-")) EXPECT_EQ(taken->findings[0]["Sample"], json::Value(true));
  }
  EXPECT_EQ(unknown, std::set<std::string>()) << "files of which nothing is said here";
}

}  // namespace
}  // namespace fixpoint::sources
