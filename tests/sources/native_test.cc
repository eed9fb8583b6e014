// The findings of AWS's services in their own forms. Forms and values are those of AWS's documentation, named at each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reading.h"

namespace fixpoint::sources {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

json::Value only_resource(const json::Value& finding) {
  EXPECT_EQ(finding["Resources"].size(), 1U);
  return finding["Resources"][0];
}

// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html, as the wire and events have it.
std::string guardduty() {
  return R"({"accountId":"222222222222","arn":"arn:aws:guardduty:eu-west-1:222222222222:detector/12a/finding/b4",
    "createdAt":"2024-01-02T03:04:05.678Z","updatedAt":"2024-01-03T03:04:05.678Z","description":"A host is probed.","id":"b4",
    "partition":"aws","region":"eu-west-1","schemaVersion":"2.0","severity":5.3,"title":"Probed","type":"Recon:EC2/PortProbeUnprotectedPort",
    "resource":{"resourceType":"Instance","instanceDetails":{"instanceId":"i-0a1","instanceType":"t3.micro","imageId":"ami-1",
      "launchTime":"2024-01-01T00:00:00Z","networkInterfaces":[{"vpcId":"vpc-1","subnetId":"subnet-1"}],"tags":[{"key":"team","value":"pay"}]}},
    "service":{"detectorId":"12a","archived":false,"count":3,"serviceName":"guardduty","resourceRole":"TARGET",
      "eventFirstSeen":"2024-01-01T03:04:05Z","eventLastSeen":"2024-01-02T03:04:05Z","additionalInfo":{"type":"default","value":"{}"},
      "action":{"actionType":"PORT_PROBE","portProbeAction":{"blocked":false,"portProbeDetails":[{"localPortDetails":{"port":22}}]}}}})";
}

std::string event(const std::string& source, const std::string& type, const std::string& detail) {
  return R"({"version":"0","id":"e","detail-type":")" + type + R"(","source":")" + source +
         R"(","account":"333333333333","time":"2024-01-05T00:00:00Z","region":"eu-central-1","resources":[],"detail":)" +
         detail + "}";
}

TEST(GuardDuty, a_finding_is_what_security_hub_makes_of_it) {
  // https://docs.aws.amazon.com/guardduty/latest/ug/securityhub-integration.html
  for (const std::string& document : {guardduty(), R"({"findings":[)" + guardduty() + "]}",
                                      event("aws.guardduty", "GuardDuty Finding", guardduty())}) {
    const json::Value finding = valid_from(document);
    EXPECT_EQ(finding["Id"], json::Value("arn:aws:guardduty:eu-west-1:222222222222:detector/12a/finding/b4"));
    EXPECT_EQ(finding["ProductArn"], json::Value("arn:aws:securityhub:eu-west-1::product/aws/guardduty"));
    EXPECT_EQ(finding["GeneratorId"], json::Value("arn:aws:guardduty:eu-west-1:222222222222:detector/12a"));
    EXPECT_EQ(finding["AwsAccountId"], json::Value("222222222222"));
    EXPECT_EQ(finding["Region"], json::Value("eu-west-1"));
    EXPECT_EQ(finding["Types"], parsed(R"(["TTPs/Discovery/Recon:EC2-PortProbeUnprotectedPort"])"));
    EXPECT_EQ(finding["Severity"], parsed(R"({"Product":5.3,"Label":"MEDIUM","Original":"5.3"})"));
    EXPECT_EQ(finding["FirstObservedAt"], json::Value("2024-01-01T03:04:05Z"));
    EXPECT_EQ(finding["RecordState"], json::Value("ACTIVE"));
    EXPECT_EQ(finding.find("Sample"), nullptr);
    EXPECT_EQ(
        only_resource(finding),
        parsed(R"({"Type":"AwsEc2Instance","Id":"arn:aws:ec2:eu-west-1:222222222222:instance/i-0a1","Partition":"aws",
                "Region":"eu-west-1","Tags":{"team":"pay"},"Details":{"AwsEc2Instance":{"Type":"t3.micro","ImageId":"ami-1",
                "LaunchedAt":"2024-01-01T00:00:00Z","VpcId":"vpc-1","SubnetId":"subnet-1"}}})"));
    const json::Value& fields = finding["ProductFields"];
    EXPECT_EQ(fields["aws/guardduty/service/count"], json::Value("3"));
    EXPECT_EQ(fields["aws/guardduty/service/action/portProbeAction/portProbeDetails.0_/localPortDetails/port"],
              json::Value("22"));
    EXPECT_EQ(fields["aws/securityhub/ProductName"], json::Value("GuardDuty"));
  }
}

// The aws command prints the members by the model's names: AccountId where the wire has accountId.
TEST(GuardDuty, the_aws_commands_spelling_is_the_same_finding) {
  const std::string printed =
      R"({"Findings":[{"AccountId":"222222222222","Arn":"arn:aws:guardduty:eu-west-1:222222222222:detector/12a/finding/b4",
    "CreatedAt":"2024-01-02T03:04:05.678Z","UpdatedAt":"2024-01-03T03:04:05.678Z","Description":"d","Id":"b4","Partition":"aws","Region":"eu-west-1",
    "SchemaVersion":"2.0","Severity":8,"Title":"t","Type":"UnauthorizedAccess:IAMUser/MaliciousIPCaller",
    "Resource":{"ResourceType":"AccessKey","AccessKeyDetails":{"AccessKeyId":"AKIAEXAMPLE","PrincipalId":"AIDAEXAMPLE","UserName":"ann","UserType":"IAMUser"}},
    "Service":{"Archived":true,"DetectorId":"12a","Count":1,"Action":{"ActionType":"AWS_API_CALL"}}}]})";
  const json::Value finding = valid_from(printed);
  EXPECT_EQ(finding["Severity"]["Label"], json::Value("HIGH"));
  EXPECT_EQ(finding["RecordState"], json::Value("ARCHIVED"));
  EXPECT_EQ(finding["ProductFields"]["aws/guardduty/service/action/actionType"], json::Value("AWS_API_CALL"));
  EXPECT_EQ(
      only_resource(finding),
      parsed(R"({"Type":"AwsIamAccessKey","Id":"AWS::IAM::AccessKey:AKIAEXAMPLE","Partition":"aws","Region":"eu-west-1",
              "Details":{"AwsIamAccessKey":{"PrincipalId":"AIDAEXAMPLE","PrincipalType":"IAMUser","PrincipalName":"ann"}}})"));
}

// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
TEST(GuardDuty, severities_are_guarddutys_own_bands) {
  for (const auto& [severity, label] : std::vector<std::pair<std::string, std::string>>{{"0", "LOW"},
                                                                                        {"1", "LOW"},
                                                                                        {"3.9", "LOW"},
                                                                                        {"4", "MEDIUM"},
                                                                                        {"6.9", "MEDIUM"},
                                                                                        {"7.0", "HIGH"},
                                                                                        {"8.9", "HIGH"},
                                                                                        {"9", "CRITICAL"},
                                                                                        {"10", "CRITICAL"}})
    EXPECT_EQ(valid_from(with(guardduty(), "severity", severity))["Severity"]["Label"], json::Value(label)) << severity;
  EXPECT_EQ(refusal_of(with(guardduty(), "severity", "10.1")),
            "finding 1 ('b4'): severity is 10.1; it has to be from 0 to 10");
  EXPECT_THAT(refusal_of(with(guardduty(), "severity", "\"HIGH\"")),
              HasSubstr("severity has to be a number from 0 to 10"));
  EXPECT_THAT(refusal_of(with(guardduty(), "severity", "-1")), HasSubstr("severity is -1"));
}

// https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html; additionalInfo is JSON in a string since 2022.
TEST(GuardDuty, a_generated_sample_is_marked_as_one) {
  for (const std::string info :
       {R"({"sample":true})", R"({"type":"default","value":"{\"sample\":true,\"threatName\":\"x\"}"})",
        R"({"sample":"true"})"})
    EXPECT_EQ(valid_from(with(guardduty(), "service.additionalInfo", info))["Sample"], json::Value(true)) << info;
  for (const std::string info :
       {R"({"sample":false})", R"({"value":"{\"sample\":false}"})", R"({"value":"sample"})", "\"\"", "null"})
    EXPECT_EQ(valid_from(with(guardduty(), "service.additionalInfo", info)).find("Sample"), nullptr) << info;
  // Security Hub's copies have it among the product fields.
  const std::string copy =
      with(with(finding(), "ProductArn", R"("arn:aws:securityhub:us-east-1::product/aws/guardduty")"), "ProductFields",
           R"({"aws/guardduty/service/additionalInfo/sample":"true"})");
  EXPECT_EQ(valid_from(copy)["Sample"], json::Value(true));
  EXPECT_EQ(valid_from(with(copy, "ProductFields", R"({"additionalInfo":"{\"sample\":true}"})"))["Sample"],
            json::Value(true));
  EXPECT_EQ(valid_from(with(copy, "ProductFields", R"({"additionalInfo":"{}"})")).find("Sample"), nullptr);
}

TEST(GuardDuty, resources_of_every_kind_have_their_arns) {
  const auto resources = [](const std::string& resource) {
    std::vector<std::string> out;
    const json::Value finding = valid_from(with(guardduty(), "resource", resource));
    for (std::size_t i = 0; i < finding["Resources"].size(); ++i)
      out.push_back(std::string(finding["Resources"][i]["Type"].as_string()) + " " +
                    std::string(finding["Resources"][i]["Id"].as_string()));
    return out;
  };
  EXPECT_THAT(
      resources(
          R"({"s3BucketDetails":[{"arn":"arn:aws:s3:::a","name":"a"}],"accessKeyDetails":{"accessKeyId":"AKIA1"}})"),
      ElementsAre("AwsS3Bucket arn:aws:s3:::a", "AwsIamAccessKey AWS::IAM::AccessKey:AKIA1"));
  EXPECT_THAT(resources(R"({"eksClusterDetails":{"name":"c","arn":"arn:aws:eks:eu-west-1:222222222222:cluster/c"}})"),
              ElementsAre("AwsEksCluster arn:aws:eks:eu-west-1:222222222222:cluster/c"));
  EXPECT_THAT(resources(R"({"lambdaDetails":{"functionName":"f"}})"),
              ElementsAre("AwsLambdaFunction arn:aws:lambda:eu-west-1:222222222222:function:f"));
  EXPECT_THAT(resources(R"({"rdsDbInstanceDetails":{"dbInstanceIdentifier":"orders"}})"),
              ElementsAre("AwsRdsDbInstance arn:aws:rds:eu-west-1:222222222222:db:orders"));
  EXPECT_THAT(
      resources(
          R"({"ebsVolumeDetails":{"scannedVolumeDetails":[{"volumeArn":"arn:aws:ec2:eu-west-1:222222222222:volume/vol-1"}]}})"),
      ElementsAre("AwsEc2Volume arn:aws:ec2:eu-west-1:222222222222:volume/vol-1"));
  EXPECT_THAT(resources(R"({"resourceType":"Other"})"), ElementsAre("AwsAccount AWS::::Account:222222222222"));
}

TEST(GuardDuty, other_partitions_have_their_own_arns) {
  const json::Value finding =
      valid_from(with(with(with(guardduty(), "region", R"("cn-north-1")"), "partition", R"("aws-cn")"), "arn",
                      R"("arn:aws-cn:guardduty:cn-north-1:222222222222:detector/12a/finding/b4")"));
  EXPECT_EQ(finding["ProductArn"], json::Value("arn:aws-cn:securityhub:cn-north-1::product/aws/guardduty"));
  EXPECT_EQ(only_resource(finding)["Id"], json::Value("arn:aws-cn:ec2:cn-north-1:222222222222:instance/i-0a1"));
  EXPECT_THAT(refusal_of(with(guardduty(), "region", R"("us-gov-west-1")")),
              HasSubstr("partition is 'aws'; the region us-gov-west-1 lies in the partition aws-us-gov"));
}

TEST(GuardDuty, what_is_missing_or_wrong_is_named) {
  for (const std::string member : {"type", "arn", "severity", "createdAt", "updatedAt"})
    EXPECT_THAT(refusal_of(without(guardduty(), member)), StartsWith("finding 1 ('b4'): " + member + " ")) << member;
  EXPECT_THAT(refusal_of(with(guardduty(), "accountId", "\"12\"")), HasSubstr("the account id is '12'"));
  EXPECT_THAT(refusal_of(with(guardduty(), "updatedAt", "\"soon\"")), HasSubstr("updatedAt is 'soon'"));
  EXPECT_THAT(refusal_of(with(guardduty(), "service.eventLastSeen", "[]")),
              HasSubstr("service.eventLastSeen has to be a time"));
  const auto refused = take(parsed("[" + guardduty() + "," + without(guardduty(), "type") + "]"), caller);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "findings[1].type");
}

// However much a service says, a finding's 50 product fields are not exceeded.
TEST(GuardDuty, product_fields_are_bounded) {
  std::string action = "{";
  for (int i = 0; i < 500; ++i)
    action += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\":\"" + std::string(3000, 'x') + "\"";
  const json::Value finding = valid_from(with(guardduty(), "service.action", action + "}"));
  EXPECT_EQ(finding["ProductFields"].size(), 50U);
}

// https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html
std::string inspector() {
  return R"({"awsAccountId":"222222222222","findingArn":"arn:aws:inspector2:eu-west-1:222222222222:finding/f1","description":"d","title":"CVE-2024-1 - tool",
    "firstObservedAt":"2024-01-01T00:00:00Z","lastObservedAt":"2024-01-02T00:00:00Z","updatedAt":"2024-01-03T00:00:00Z","severity":"HIGH",
    "status":"ACTIVE","type":"PACKAGE_VULNERABILITY","inspectorScore":7.5,"fixAvailable":"YES",
    "remediation":{"recommendation":{"text":"Update."}},
    "packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2024-1","source":"NVD","vendorSeverity":"HIGH","vendorCreatedAt":"2023-12-01T00:00:00Z",
      "referenceUrls":["https://example.com"],"cvss":[{"baseScore":7.5,"scoringVector":"CVSS:3.1/AV:N","source":"NVD","version":"3.1"}],
      "vulnerablePackages":[{"name":"tool","version":"1","epoch":0,"fixedInVersion":"2"}]},
    "resources":[{"type":"AWS_EC2_INSTANCE","id":"i-0a1","partition":"aws","region":"eu-west-1","tags":{"Name":"web"},
      "details":{"awsEc2Instance":{"type":"t3.micro","imageId":"ami-1","ipV4Addresses":["10.0.0.1"]}}}]})";
}

TEST(Inspector, a_finding_is_what_security_hub_makes_of_it) {
  for (const std::string& document :
       {R"({"findings":[)" + inspector() + "]}", event("aws.inspector2", "Inspector2 Finding", inspector())}) {
    const json::Value finding = valid_from(document);
    EXPECT_EQ(finding["Id"], json::Value("arn:aws:inspector2:eu-west-1:222222222222:finding/f1"));
    EXPECT_EQ(finding["ProductArn"], json::Value("arn:aws:securityhub:eu-west-1::product/aws/inspector"));
    EXPECT_EQ(finding["GeneratorId"], json::Value("AWSInspector"));
    EXPECT_EQ(finding["Types"], parsed(R"(["Software and Configuration Checks/Vulnerabilities/CVE"])"));
    EXPECT_EQ(finding["Severity"]["Label"], json::Value("HIGH"));
    EXPECT_EQ(finding["ProductFields"]["aws/inspector/ProductVersion"], json::Value("2"));
    EXPECT_EQ(only_resource(finding)["Id"], json::Value("arn:aws:ec2:eu-west-1:222222222222:instance/i-0a1"));
    EXPECT_EQ(only_resource(finding)["Tags"], parsed(R"({"Name":"web"})"));
    EXPECT_EQ(finding["Remediation"], parsed(R"({"Recommendation":{"Text":"Update."}})"));
    EXPECT_EQ(
        finding["Vulnerabilities"],
        parsed(
            R"([{"Id":"CVE-2024-1","VulnerablePackages":[{"Name":"tool","Version":"1","Epoch":"0","FixedInVersion":"2"}],
                "Cvss":[{"BaseScore":7.5,"BaseVector":"CVSS:3.1/AV:N","Source":"NVD","Version":"3.1"}],
                "Vendor":{"Name":"NVD","VendorSeverity":"HIGH","VendorCreatedAt":"2023-12-01T00:00:00Z"},
                "ReferenceUrls":["https://example.com"],"FixAvailable":"YES"}])"));
  }
}

TEST(Inspector, times_are_texts_seconds_or_javas_and_a_region_that_says_nothing_is_the_findings) {
  std::string older = inspector();
  for (const auto* member : {"firstObservedAt", "lastObservedAt", "updatedAt"})
    older = with(older, member, "1704067200.5");
  EXPECT_EQ(valid_from(older)["UpdatedAt"], json::Value("2024-01-01T00:00:00.500Z"));
  std::string text = inspector();
  for (const auto* member : {"firstObservedAt", "lastObservedAt", "updatedAt"})
    text = with(text, member, R"("Jan 1, 2024, 1:02:03 AM")");
  text = with(text, "resources",
              R"([{"type":"AWS_ECR_CONTAINER_IMAGE","id":"arn:aws:ecr:eu-west-1:222222222222:repository/r/sha256:1",
    "partition":"N/A","region":"N/A","details":{"awsEcrContainerImage":{"registry":"222222222222","repositoryName":"r","imageTags":["v1"]}}}])");
  const Taken taken = taken_from(event("aws.inspector2", "Inspector2 Finding", text));
  EXPECT_EQ(taken.findings[0]["UpdatedAt"], json::Value("2024-01-01T01:02:03.000Z"));
  EXPECT_EQ(
      only_resource(taken.findings[0]),
      parsed(
          R"({"Type":"AwsEcrContainerImage","Id":"arn:aws:ecr:eu-west-1:222222222222:repository/r/sha256:1","Partition":"aws",
              "Region":"eu-west-1","Details":{"AwsEcrContainerImage":{"RegistryId":"222222222222","RepositoryName":"r","ImageTags":["v1"]}}})"));
  EXPECT_THAT(taken.repaired, Contains(HasSubstr("taken as UTC")));
  EXPECT_THAT(taken.repaired, Contains(HasSubstr("a resource's region said nothing")));
}

TEST(Inspector, what_is_closed_or_suppressed_is_archived_and_untriaged_is_informational) {
  EXPECT_EQ(valid_from(with(inspector(), "status", "\"CLOSED\""))["RecordState"], json::Value("ARCHIVED"));
  EXPECT_EQ(valid_from(with(inspector(), "status", "\"SUPPRESSED\""))["RecordState"], json::Value("ARCHIVED"));
  EXPECT_EQ(valid_from(with(inspector(), "severity", "\"UNTRIAGED\""))["Severity"],
            parsed(R"({"Label":"INFORMATIONAL","Original":"UNTRIAGED"})"));
  EXPECT_EQ(valid_from(with(inspector(), "type", "\"NETWORK_REACHABILITY\""))["Types"],
            parsed(R"(["Software and Configuration Checks/AWS Security Best Practices/Network Reachability"])"));
}

TEST(Inspector, what_is_missing_or_wrong_is_named) {
  EXPECT_THAT(refusal_of(with(inspector(), "packageVulnerabilityDetails.vendorCreatedAt", "\"then\"")),
              HasSubstr("packageVulnerabilityDetails.vendorCreatedAt is 'then'"));
  const std::string begins = "finding 1 ('arn:aws:inspector2:eu-west-1:222222222222:finding/f1'): ";
  for (const std::string member : {"severity", "description", "firstObservedAt", "lastObservedAt", "resources"})
    EXPECT_THAT(refusal_of(without(inspector(), member)), StartsWith(begins + member + " ")) << member;
  EXPECT_EQ(refusal_of(with(inspector(), "severity", "\"SEVERE\"")),
            begins + "severity is 'SEVERE'; it has to be INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL or UNTRIAGED");
  EXPECT_THAT(refusal_of(with(inspector(), "resources", "[]")),
              HasSubstr("resources has to be an array with at least one"));
  EXPECT_THAT(refusal_of(with(inspector(), "resources", R"([{"type":"AWS_EC2_INSTANCE"}])")),
              HasSubstr("resources[0].id is missing"));
  EXPECT_THAT(refusal_of(with(inspector(), "findingArn", "\"f1\"")),
              HasSubstr("findingArn is 'f1'; it has to be the ARN"));
  EXPECT_THAT(refusal_of(with(inspector(), "awsAccountId", "true")), HasSubstr("the account id has to be a string"));
}

// https://docs.aws.amazon.com/macie/latest/user/findings-publish-event-schemas.html
std::string macie() {
  return R"({"schemaVersion":"1.0","id":"64b917aa","accountId":"222222222222","partition":"aws","region":"eu-west-1",
    "type":"Policy:IAMUser/S3BucketEncryptionDisabled","title":"Encryption is off","description":"Default encryption was turned off.",
    "severity":{"score":1,"description":"Low"},"createdAt":"2024-01-01T00:00:00Z","updatedAt":"2024-01-02T00:00:00Z","count":2,
    "resourcesAffected":{"s3Bucket":{"arn":"arn:aws:s3:::a","name":"a","owner":{"displayName":"o","id":"7009"},"tags":[{"key":"env","value":"test"}],
      "publicAccess":{"effectivePermission":"PUBLIC"}},"s3Object":null},
    "category":"POLICY","archived":false,"policyDetails":null,"sample":false})";
}

TEST(Macie, a_finding_is_what_security_hub_makes_of_it) {
  // https://docs.aws.amazon.com/macie/latest/user/securityhub-integration.html
  for (const std::string& document :
       {R"({"findings":[)" + macie() + "]}", event("aws.macie", "Macie Finding", macie())}) {
    const json::Value finding = valid_from(document);
    EXPECT_EQ(finding["Id"], json::Value("64b917aa"));
    EXPECT_EQ(finding["ProductArn"], json::Value("arn:aws:securityhub:eu-west-1::product/aws/macie"));
    EXPECT_EQ(finding["GeneratorId"], json::Value("aws/macie"));
    EXPECT_EQ(finding["AwsAccountId"], json::Value("222222222222"));
    EXPECT_EQ(finding["Severity"]["Label"], json::Value("LOW"));
    EXPECT_EQ(
        finding["Types"],
        parsed(
            R"(["Software and Configuration Checks/AWS Security Best Practices/Policy:IAMUser-S3BucketEncryptionDisabled"])"));
    EXPECT_EQ(only_resource(finding),
              parsed(R"({"Type":"AwsS3Bucket","Id":"arn:aws:s3:::a","Partition":"aws","Region":"eu-west-1",
      "Tags":{"env":"test"},"Details":{"AwsS3Bucket":{"OwnerId":"7009"}}})"));
    EXPECT_EQ(finding["ProductFields"]["S3Bucket.effectivePermission"], json::Value("PUBLIC"));
    // The catalogue's S3.4 lists Macie's type.
    EXPECT_EQ(findings::control_of(finding), "macie:Policy:IAMUser/S3BucketEncryptionDisabled");
  }
}

TEST(Macie, sensitive_data_names_the_object_and_a_sample_is_marked) {
  std::string text = with(with(macie(), "type", "\"SensitiveData:S3Object/Credentials\""), "resourcesAffected.s3Object",
                          R"({"bucketArn":"arn:aws:s3:::a","key":"k/1.csv","path":"a/k/1.csv","eTag":"e"})");
  const json::Value finding = valid_from(with(with(text, "sample", "true"), "severity", R"({"score":3})"));
  EXPECT_EQ(finding["Types"],
            parsed(R"(["Sensitive Data Identifications/Passwords/SensitiveData:S3Object-Credentials"])"));
  EXPECT_EQ(finding["Resources"][1]["Type"], json::Value("AwsS3Object"));
  EXPECT_EQ(finding["Resources"][1]["Id"], json::Value("arn:aws:s3:::a/k/1.csv"));
  EXPECT_EQ(finding["Sample"], json::Value(true));
  EXPECT_EQ(finding["Severity"]["Label"], json::Value("HIGH"));
  EXPECT_EQ(valid_from(with(macie(), "archived", "true"))["RecordState"], json::Value("ARCHIVED"));
}

TEST(Macie, what_is_missing_or_wrong_is_named) {
  for (const std::string member : {"type", "severity", "createdAt", "updatedAt"})
    EXPECT_THAT(refusal_of(without(macie(), member)), StartsWith("finding 1 ('64b917aa'): " + member + " ")) << member;
  EXPECT_EQ(refusal_of(without(macie(), "id")), "finding 1 (without Id): id is missing");
  EXPECT_THAT(refusal_of(with(macie(), "severity", "\"High\"")), HasSubstr("severity is High; it has to be an object"));
  EXPECT_THAT(refusal_of(with(macie(), "severity", R"({"description":"Critical"})")), HasSubstr("Low, Medium or High"));
  EXPECT_THAT(refusal_of(with(macie(), "resourcesAffected", "{}")),
              HasSubstr("resourcesAffected.s3Bucket.arn is missing"));
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-eventbridge.html
std::string analyzer() {
  return R"({"version":"1.0","id":"22222222-dcba-4444-dcba-333333333333","status":"ACTIVE","resourceType":"AWS::S3::Bucket","resource":"arn:aws:s3:::a",
    "createdAt":"2024-01-01T00:00:00Z","analyzedAt":"2024-01-02T00:00:00Z","updatedAt":"2024-01-03T00:00:00Z","accountId":"222222222222",
    "region":"eu-west-1","principal":{"AWS":"999988887777"},"action":["s3:GetObject"],"condition":{},"isDeleted":false,"isPublic":false})";
}

TEST(AccessAnalyzer, a_finding_is_what_security_hub_makes_of_it) {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-securityhub-integration.html
  const json::Value finding = valid_from(event("aws.access-analyzer", "Access Analyzer Finding", analyzer()));
  EXPECT_EQ(finding["ProductArn"], json::Value("arn:aws:securityhub:eu-west-1::product/aws/access-analyzer"));
  EXPECT_EQ(finding["GeneratorId"], json::Value("aws/access-analyzer"));
  EXPECT_EQ(finding["AwsAccountId"], json::Value("222222222222"));
  EXPECT_EQ(finding["Types"],
            parsed(R"(["Software and Configuration Checks/AWS Security Best Practices/External Access Granted"])"));
  EXPECT_EQ(finding["Severity"]["Label"], json::Value("LOW"));
  EXPECT_EQ(finding["Title"], json::Value("AwsS3Bucket/arn:aws:s3:::a/ allows cross-account access"));
  EXPECT_EQ(finding["Description"],
            json::Value("AWS::S3::Bucket/arn:aws:s3:::a/ allows cross-account access from AWS 999988887777"));
  EXPECT_EQ(only_resource(finding),
            parsed(R"({"Type":"AwsS3Bucket","Id":"arn:aws:s3:::a","Partition":"aws","Region":"eu-west-1",
    "Details":{"Other":{"Action Granted":"s3:GetObject","Condition":"none","External Principal Type":"AWS","External Principal":"999988887777"}}})"));
}

TEST(AccessAnalyzer, public_access_is_data_exposure) {
  const json::Value finding = valid_from(with(analyzer(), "isPublic", "true"));
  EXPECT_EQ(finding["Types"], parsed(R"(["Effects/Data Exposure/External Access Granted"])"));
  EXPECT_EQ(finding["Severity"]["Label"], json::Value("HIGH"));
  EXPECT_THAT(finding["Title"].as_string(), HasSubstr("allows public access"));
}

// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_GetFindingV2.html
TEST(AccessAnalyzer, answers_name_the_resources_owner) {
  const std::string answer =
      R"({"id":"u-1","status":"ACTIVE","resourceType":"AWS::SQS::Queue","resource":"arn:aws-us-gov:sqs:us-gov-east-1:444444444444:q",
    "resourceOwnerAccount":"444444444444","createdAt":1704067200,"updatedAt":1704067200,"analyzedAt":1704067200,"findingType":"ExternalAccess",
    "findingDetails":[{"externalAccessDetails":{"isPublic":true,"principal":{"AWS":"*"},"action":["sqs:SendMessage"],"condition":{}}}]})";
  for (const std::string& document : {answer, R"({"findings":[)" + answer + "]}", R"({"finding":)" + answer + "}"}) {
    const json::Value finding = valid_from(document);
    EXPECT_EQ(finding["AwsAccountId"], json::Value("444444444444"));
    EXPECT_EQ(finding["ProductArn"],
              json::Value("arn:aws-us-gov:securityhub:us-gov-east-1::product/aws/access-analyzer"));
    EXPECT_EQ(finding["CreatedAt"], json::Value("2024-01-01T00:00:00.000Z"));
    EXPECT_EQ(finding["Severity"]["Label"], json::Value("HIGH"));
  }
  const json::Value unused = valid_from(with(without(answer, "findingDetails"), "findingType", "\"UnusedIAMRole\""));
  EXPECT_THAT(unused["Title"].as_string(), HasSubstr("contains unused iam role"));
}

TEST(AccessAnalyzer, what_is_over_is_archived_and_what_is_wrong_is_named) {
  EXPECT_EQ(valid_from(with(analyzer(), "status", "\"RESOLVED\""))["RecordState"], json::Value("ARCHIVED"));
  EXPECT_EQ(valid_from(with(analyzer(), "isDeleted", "true"))["RecordState"], json::Value("ARCHIVED"));
  EXPECT_EQ(valid_from(with(analyzer(), "error", "\"ACCESS_DENIED\""))["Severity"]["Label"],
            json::Value("INFORMATIONAL"));
  EXPECT_THAT(refusal_of(with(analyzer(), "resource", "\"a\"")),
              HasSubstr("resource is 'a'; it has to be the resource's ARN"));
  EXPECT_THAT(refusal_of(with(analyzer(), "status", "\"OPEN\"")), HasSubstr("status is 'OPEN'"));
  EXPECT_THAT(refusal_of(without(analyzer(), "createdAt")), HasSubstr("createdAt is missing"));
  EXPECT_THAT(refusal_of(without(analyzer(), "id")), HasSubstr("id is missing"));
}

// https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html
std::string change(const std::string& region = "eu-west-1") {
  const std::string partition(region.starts_with("cn-")       ? "aws-cn"
                              : region.starts_with("us-gov-") ? "aws-us-gov"
                                                              : "aws");
  return R"({"resourceId":"sg-1","awsRegion":")" + region +
         R"(","awsAccountId":"222222222222","configRuleName":"restricted-ssh","recordVersion":"1.0",
    "configRuleARN":"arn:)" +
         partition + R"(:config:)" + region +
         R"(:222222222222:config-rule/config-rule-1","messageType":"ComplianceChangeNotification",
    "newEvaluationResult":{"evaluationResultIdentifier":{"evaluationResultQualifier":{"configRuleName":"restricted-ssh",
      "resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1"},"orderingTimestamp":"2024-01-01T00:00:00.000Z"},
      "complianceType":"NON_COMPLIANT","resultRecordedTime":"2024-01-02T00:00:00.000Z","configRuleInvokedTime":"2024-01-01T23:59:00.000Z"},
    "notificationCreationTime":"2024-01-02T00:00:01.000Z","resourceType":"AWS::EC2::SecurityGroup"})";
}

TEST(Config, a_compliance_change_is_what_security_hub_makes_of_it) {
  // https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-internal-providers.html
  const json::Value finding = valid_from(event("aws.config", "Config Rules Compliance Change", change()));
  EXPECT_EQ(finding["ProductArn"], json::Value("arn:aws:securityhub:eu-west-1::product/aws/config"));
  EXPECT_EQ(finding["GeneratorId"], json::Value("arn:aws:config:eu-west-1:222222222222:config-rule/config-rule-1"));
  EXPECT_EQ(finding["Title"], json::Value("restricted-ssh"));
  EXPECT_EQ(finding["AwsAccountId"], json::Value("222222222222"));
  EXPECT_EQ(finding["Types"], parsed(R"(["Software and Configuration Checks"])"));
  EXPECT_EQ(finding["Severity"], parsed(R"({"Label":"MEDIUM"})"));
  EXPECT_EQ(finding["Compliance"], parsed(R"({"Status":"FAILED"})"));
  EXPECT_EQ(finding["UpdatedAt"], json::Value("2024-01-02T00:00:00.000Z"));
  EXPECT_EQ(only_resource(finding),
            parsed(R"({"Type":"AwsEc2SecurityGroup","Id":"arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1",
    "Partition":"aws","Region":"eu-west-1"})"));
  EXPECT_EQ(finding["ProductFields"]["aws/config/ConfigRuleName"], json::Value("restricted-ssh"));
  EXPECT_EQ(finding["ProductFields"]["aws/config/ConfigComplianceType"], json::Value("NON_COMPLIANT"));
  EXPECT_EQ(findings::control_of(finding), "config:restricted-ssh");
}

TEST(Config, a_region_says_the_partition) {
  for (const auto& [region, partition] :
       std::vector<std::pair<std::string, std::string>>{{"cn-north-1", "aws-cn"}, {"us-gov-west-1", "aws-us-gov"}}) {
    const json::Value finding = valid_from(change(region));
    EXPECT_EQ(only_resource(finding)["Id"].as_string(),
              "arn:" + partition + ":ec2:" + region + ":222222222222:security-group/sg-1");
    EXPECT_EQ(finding["ProductArn"].as_string(),
              "arn:" + partition + ":securityhub:" + region + "::product/aws/config");
  }
}

TEST(Config, each_verdict_is_its_own_compliance) {
  for (const auto& [verdict, says] :
       std::vector<std::pair<std::string, std::string>>{{"COMPLIANT", "PASSED INFORMATIONAL ACTIVE"},
                                                        {"NON_COMPLIANT", "FAILED MEDIUM ACTIVE"},
                                                        {"NOT_APPLICABLE", "NOT_AVAILABLE INFORMATIONAL ARCHIVED"},
                                                        {"INSUFFICIENT_DATA", "NOT_AVAILABLE INFORMATIONAL ACTIVE"}}) {
    const json::Value finding = valid_from(with(change(), "newEvaluationResult.complianceType", "\"" + verdict + "\""));
    EXPECT_EQ(std::string(finding["Compliance"]["Status"].as_string()) + " " +
                  std::string(finding["Severity"]["Label"].as_string()) + " " +
                  std::string(finding["RecordState"].as_string()),
              says);
    // The same finding, so that what passes now ends what failed before.
    EXPECT_EQ(finding["Id"], valid_from(change())["Id"]);
  }
  EXPECT_THAT(refusal_of(with(change(), "newEvaluationResult.complianceType", "\"MAYBE\"")),
              HasSubstr("newEvaluationResult.ComplianceType is 'MAYBE'; it has to be COMPLIANT, "));
}

// https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByConfigRule.html
TEST(Config, an_answer_is_of_whoever_asked_which_is_said) {
  const std::string answer =
      R"({"EvaluationResults":[{"EvaluationResultIdentifier":{"EvaluationResultQualifier":{"ConfigRuleName":"restricted-ssh",
    "ResourceType":"AWS::EC2::SecurityGroup","ResourceId":"sg-1"},"OrderingTimestamp":1704067200.0},"ComplianceType":"NON_COMPLIANT",
    "ResultRecordedTime":1704153600.0,"ConfigRuleInvokedTime":1704153599.0,"Annotation":"port 22 is open"}]})";
  const Taken taken = taken_from(answer, {"222222222222", "eu-west-1"});
  const json::Value& finding = taken.findings[0];
  EXPECT_TRUE(findings::validate_asff(finding));
  EXPECT_EQ(finding["AwsAccountId"], json::Value("222222222222"));
  EXPECT_EQ(only_resource(finding)["Id"], json::Value("arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1"));
  EXPECT_THAT(finding["Description"].as_string(), HasSubstr("port 22 is open"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("no account was named; 222222222222"),
                                          HasSubstr("no region was named; eu-west-1")));
  // The event's finding of the same rule and resource is the same one.
  EXPECT_EQ(finding["Id"], valid_from(change())["Id"]);
  EXPECT_THAT(refusal_of(replace_all(answer, "ResourceId", "Resource")),
              HasSubstr("EvaluationResultQualifier.ResourceId is missing"));
}

// https://docs.aws.amazon.com/config/latest/APIReference/API_AggregateEvaluationResult.html
TEST(Config, an_aggregators_answer_names_account_and_region) {
  const Taken taken =
      taken_from(R"({"AggregateEvaluationResults":[{"EvaluationResultIdentifier":{"EvaluationResultQualifier":{
    "ConfigRuleName":"restricted-ssh","ResourceType":"AWS::EC2::SecurityGroup","ResourceId":"sg-1"},"OrderingTimestamp":1704067200.0},
    "ComplianceType":"COMPLIANT","ResultRecordedTime":1704153600.0,"AccountId":"222222222222","AwsRegion":"eu-west-1"}]})");
  EXPECT_EQ(taken.findings[0]["Id"], valid_from(change())["Id"]);
  EXPECT_THAT(taken.repaired, IsEmpty());
}

// https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
std::string invocation(const std::string& invoking) {
  return json::print(json::Object{{"invokingEvent", invoking},
                                  {"ruleParameters", "{}"},
                                  {"resultToken", "t"},
                                  {"eventLeftScope", false},
                                  {"configRuleArn", "arn:aws:config:eu-west-1:222222222222:config-rule/config-rule-1"},
                                  {"configRuleName", "my-rule"},
                                  {"configRuleId", "config-rule-1"},
                                  {"accountId", "222222222222"},
                                  {"version", "1.0"}});
}
std::string configuration_item() {
  return R"({"configurationItem":{"configurationItemCaptureTime":"2024-01-02T00:00:00.000Z","configurationItemStatus":"OK","awsAccountId":"222222222222",
    "resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","ARN":"arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1","awsRegion":"eu-west-1",
    "configuration":{"ipPermissions":[]}},"messageType":"ConfigurationItemChangeNotification"})";
}

TEST(Config, an_invocation_names_the_resource_and_says_nothing_of_it_yet) {
  const json::Value finding = valid_from(invocation(configuration_item()));
  EXPECT_EQ(finding["Compliance"], parsed(R"({"Status":"NOT_AVAILABLE"})"));
  EXPECT_EQ(finding["Severity"]["Label"], json::Value("INFORMATIONAL"));
  EXPECT_EQ(finding["Region"], json::Value("eu-west-1"));
  EXPECT_EQ(only_resource(finding)["Id"], json::Value("arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1"));
  EXPECT_EQ(valid_from(with(invocation(configuration_item()), "eventLeftScope", "true"))["RecordState"],
            json::Value("ARCHIVED"));
  EXPECT_EQ(valid_from(invocation(replace_all(configuration_item(), "\"OK\"", "\"ResourceDeleted\"")))["RecordState"],
            json::Value("ARCHIVED"));
  // An item that was too large comes as a summary.
  EXPECT_EQ(only_resource(valid_from(invocation(
                replace_all(replace_all(configuration_item(), "configurationItem\"", "configurationItemSummary\""),
                            "\"ARN\":\"arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1\",", ""))))["Id"],
            json::Value("arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1"));
}

TEST(Config, an_invocation_that_cannot_be_read_is_refused) {
  EXPECT_THAT(refusal_of(invocation("{")), HasSubstr("invokingEvent is no JSON in a string: "));
  EXPECT_THAT(refusal_of(invocation(R"({"messageType":"ScheduledNotification"})")),
              HasSubstr("invokingEvent has no configurationItem, so it names no resource: it is of the type "
                        "'ScheduledNotification'"));
  EXPECT_THAT(refusal_of(with(invocation(configuration_item()), "invokingEvent", "{}")),
              HasSubstr("invokingEvent has to be a string"));
  EXPECT_THAT(refusal_of(without(invocation(configuration_item()), "configRuleName")),
              HasSubstr("configRuleName is missing"));
  EXPECT_THAT(refusal_of(invocation(std::string(200, '[') + std::string(200, ']'))),
              HasSubstr("invokingEvent is no JSON"));
}

// Names that Security Hub and conformance packs put around a rule's:
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-standards-awsconfigrules.html
TEST(Config, a_rules_name_is_found_whatever_is_put_around_it) {
  for (const auto& [name, control] : std::vector<std::pair<std::string, std::string>>{
           {"restricted-ssh", "config:restricted-ssh"},
           {"securityhub-restricted-ssh-31a2de53", "config:restricted-ssh"},
           {"restricted-ssh-conformance-pack-gidmgpfb8", "config:restricted-ssh"},
           {"my-restricted-ssh", "config:my-restricted-ssh"}}) {
    const std::string document =
        replace_all(change(), "\"configRuleName\":\"restricted-ssh\"", "\"configRuleName\":\"" + name + "\"");
    EXPECT_EQ(findings::control_of(valid_from(document)), control);
  }
}

// Forms beside each other in one document are each read by their own.
TEST(Forms, of_several_kinds_stand_in_one_array) {
  const Taken taken = taken_from("[" + guardduty() + "," + inspector() + "," + macie() + "," + analyzer() + "," +
                                 change() + "," + finding() + "," + event("aws.macie", "Macie Finding", macie()) + "]");
  EXPECT_EQ(taken.findings.size(), 7U);
  EXPECT_EQ(taken.findings[2]["ProductArn"], taken.findings[6]["ProductArn"]);
  EXPECT_THAT(taken.repaired, IsEmpty());
}

// An event's account and region stand in where the finding itself names none.
TEST(Forms, what_the_finding_does_not_say_its_event_does) {
  const json::Value finding = valid_from(
      event("aws.macie", "Macie Finding", without(without(without(macie(), "accountId"), "region"), "partition")));
  EXPECT_EQ(finding["AwsAccountId"], json::Value("333333333333"));
  EXPECT_EQ(finding["Region"], json::Value("eu-central-1"));
}

}  // namespace
}  // namespace fixpoint::sources
