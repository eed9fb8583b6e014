#include "findings/asff.h"

#include <gtest/gtest.h>

#include "findings/sample.h"

namespace fixpoint::findings {
namespace {

using json::Value;

TEST(Asff, takes_a_finding_that_is_right) {
  const auto valid = validate_asff(sample());
  EXPECT_TRUE(valid) << describe(valid.error());
}

struct Fault {
  const char* path;  // top-level or nested member to set, dots between
  const char* json;  // its value; null text removes the member
  const char* where;
};

TEST(Asff, refuses_each_fault_naming_the_field) {
  const Fault faults[] = {
      {"Id", "", "Id"},
      {"Id", "\" \"", "Id"},
      {"SchemaVersion", "\"2017-01-01\"", "SchemaVersion"},
      {"AwsAccountId", "111111111111", "AwsAccountId"},
      {"AwsAccountId", "\"12345\"", "AwsAccountId"},
      {"ProductArn", "\"x\"", "ProductArn"},
      {"CreatedAt", "\"yesterday\"", "CreatedAt"},
      {"UpdatedAt", "\"2024-01-02\"", "UpdatedAt"},
      {"Severity", "", "Severity"},
      {"Severity", "{}", "Severity"},
      {"Severity", "{\"Label\":\"URGENT\"}", "Severity.Label"},
      {"Severity", "{\"Normalized\":101}", "Severity.Normalized"},
      {"Types", "[\"Nonsense/x\"]", "Types[0]"},
      {"Types", "\"x\"", "Types"},
      {"Resources", "", "Resources"},
      {"Resources", "[]", "Resources"},
      {"Resources", "[{\"Type\":\"Other\"}]", "Resources[0].Id"},
      {"Workflow", "{\"Status\":\"DONE\"}", "Workflow.Status"},
      {"RecordState", "\"GONE\"", "RecordState"},
      {"Compliance", "{\"Status\":\"BAD\"}", "Compliance.Status"},
      {"Note", "{\"Text\":\"x\"}", "Note.UpdatedBy"},
      {"Confidence", "101", "Confidence"},
      {"ProductFields", "{\"a\":1}", "ProductFields.a"},
      {"Remediation", "[]", "Remediation"},
      {"Remediation", "{\"Recommendation\":{\"Text\":\"\"}}", "Remediation.Recommendation.Text"},
      {"Remediation", "{\"Recommendation\":{\"Url\":1}}", "Remediation.Recommendation.Url"},
      {"ProductArn", "\"arn:aws:securityhub:us-east-1::product/aws\"", "ProductArn"},
      {"ProductArn", "\"arn:aws:securityhub:us-east-1::product/aws/a/b\"", "ProductArn"},
      {"ProductArn", "\"arn:aws:inspector:us-east-1::product/aws/inspector\"", "ProductArn"},
      {"ProductArn", "\"arn:azure:securityhub:us-east-1::product/a/b\"", "ProductArn"},
      {"ProductArn", "\"arn:aws:securityhub:cn-north-1::product/aws/securityhub\"", "ProductArn"},
      {"ProductArn", "\"arn:aws-cn:securityhub:us-east-1::product/aws/securityhub\"", "ProductArn"},
      {"CreatedAt", "\"2024-01-02 03:04:05Z\"", "CreatedAt"},
      {"CreatedAt", "\"2024-01-02T03:04:05+19:00\"", "CreatedAt"},
      {"LastObservedAt", "1704164645", "LastObservedAt"},
      {"Region", "\"a-region-of-a-long-name\"", "Region"},
      {"Severity", "{\"Label\":\"LOW\",\"Normalized\":1.5}", "Severity.Normalized"},
      {"Severity", "{\"Label\":\"LOW\",\"Product\":\"7\"}", "Severity.Product"},
      {"FindingProviderFields", "[]", "FindingProviderFields"},
      {"FindingProviderFields", "{\"Severity\":{\"Label\":\"X\"}}", "FindingProviderFields.Severity.Label"},
      {"FindingProviderFields", "{\"Confidence\":-1}", "FindingProviderFields.Confidence"},
      {"FindingProviderFields", "{\"Types\":[\"TTPs/\"]}", "FindingProviderFields.Types[0]"},
      {"Types", "[\"TTPs/a/b/c\"]", "Types[0]"},
      {"Types", "[\"TTPs//c\"]", "Types[0]"},
      {"Types", "[\"TTPs\",\"ttps/a\"]", "Types[1]"},
      {"Resources", "{}", "Resources"},
      {"Resources", "[7]", "Resources[0]"},
      {"Resources", "[{\"Type\":\"Other\",\"Id\":\"a\",\"Partition\":\"aws-de\"}]", "Resources[0].Partition"},
      {"Resources", "[{\"Type\":\"Other\",\"Id\":\"a\"},{\"Type\":\"Other\",\"Id\":\"\"}]", "Resources[1].Id"},
      {"Resources", "[{\"Type\":\"Other\",\"Id\":\"a\",\"Tags\":{\"t\":7}}]", "Resources[0].Tags.t"},
      {"Resources", "[{\"Type\":\"Other\",\"Id\":\"a\",\"Details\":[]}]", "Resources[0].Details"},
      {"Malware", "[{\"Type\":\"WORM\"}]", "Malware[0].Name"},
      {"Malware", "[{\"Name\":\"m\",\"Type\":\"BUG\"}]", "Malware[0].Type"},
      {"Malware", "[{},{},{},{},{},{}]", "Malware"},
      {"ThreatIntelIndicators", "[{\"Type\":\"URL\",\"Category\":\"X\"}]", "ThreatIntelIndicators[0].Category"},
      {"ThreatIntelIndicators", "[{},{},{},{},{},{}]", "ThreatIntelIndicators"},
      {"Threats", "[{\"FilePaths\":[1,2,3,4,5,6]}]", "Threats[0].FilePaths"},
      {"Network", "{\"Direction\":\"BOTH\"}", "Network.Direction"},
      {"Network", "{\"SourcePort\":65536}", "Network.SourcePort"},
      {"Network", "{\"Protocol\":\"a protocol without end\"}", "Network.Protocol"},
      {"Process", "{\"LaunchedAt\":\"now\"}", "Process.LaunchedAt"},
      {"RelatedFindings", "[{\"Id\":\"x\"}]", "RelatedFindings[0].ProductArn"},
      {"VerificationState", "\"MAYBE\"", "VerificationState"},
      {"WorkflowState", "\"SUPPRESSED\"", "WorkflowState"},
      {"UserDefinedFields", "{\"\":\"x\"}", "UserDefinedFields"},
      {"Compliance", "{\"RelatedRequirements\":\"x\"}", "Compliance.RelatedRequirements"},
      {"Title", "", "Title"},
      {"Description", "7", "Description"}};
  for (const Fault& fault : faults) {
    Value finding = sample();
    if (*fault.json == '\0')
      finding.as_object().erase(fault.path);
    else
      finding.set(fault.path, *json::parse(fault.json));
    const auto valid = validate_asff(finding);
    ASSERT_FALSE(valid) << fault.path << " " << fault.json;
    EXPECT_EQ(valid.error().where, fault.where) << valid.error().message;
    EXPECT_EQ(valid.error().code, "InvalidInputException");
  }
  Value large = sample();
  large.set("Title", std::string(257, 'x'));
  EXPECT_EQ(validate_asff(large).error().where, "Title");
  large = sample();
  large.at_or_make("Resources")
      .as_array()[0]
      .set("Details", json::Object{{"Other", json::Object{{"a", std::string(250'000, 'x')}}}});
  EXPECT_NE(validate_asff(large).error().message.find("245760"), std::string::npos);
  json::Array many(33, sample()["Resources"][0]);
  large = sample();
  large.set("Resources", many);
  EXPECT_EQ(validate_asff(large).error().where, "Resources");
  EXPECT_FALSE(validate_asff(Value(3)));
}

struct Length {
  const char* member;
  std::size_t longest;
};

TEST(Asff, texts_have_the_lengths_of_the_api_reference_in_characters) {
  for (const Length& length : {Length{"Title", 256},
                               {"Description", 1024},
                               {"GeneratorId", 512},
                               {"Id", 512},
                               {"ProductName", 128},
                               {"CompanyName", 128},
                               {"Region", 16},
                               {"SourceUrl", 2048}}) {
    Value finding = sample();
    std::string text;
    for (std::size_t i = 0; i < length.longest; ++i) text += "\xC3\xA9";  // two bytes each
    finding.set(length.member, text);
    EXPECT_TRUE(validate_asff(finding)) << length.member;
    finding.set(length.member, text + "x");
    const auto refused = validate_asff(finding);
    ASSERT_FALSE(refused) << length.member;
    EXPECT_EQ(refused.error().where, length.member);
    EXPECT_NE(refused.error().message.find(std::to_string(length.longest)), std::string::npos);
  }
}

TEST(Asff, lists_and_maps_have_their_most_entries) {
  const auto with = [](const char* member, Value value) {
    Value finding = sample();
    finding.set(member, std::move(value));
    return validate_asff(finding);
  };
  const auto map = [](int members, std::size_t key, std::size_t value) {
    json::Object object;
    for (int i = 0; i < members; ++i) {
      std::string name = std::to_string(i);
      name.resize(key, 'k');
      object.set(name, std::string(value, 'v'));
    }
    return Value(object);
  };
  EXPECT_TRUE(with("Resources", json::Array(32, sample()["Resources"][0])));
  EXPECT_FALSE(with("Resources", json::Array(33, sample()["Resources"][0])));
  EXPECT_TRUE(with("Types", json::Array(50, Value("TTPs"))));
  EXPECT_FALSE(with("Types", json::Array(51, Value("TTPs"))));
  const Value related(json::Object{{"ProductArn", "p"}, {"Id", "i"}});
  EXPECT_TRUE(with("RelatedFindings", json::Array(10, related)));
  EXPECT_FALSE(with("RelatedFindings", json::Array(11, related)));
  EXPECT_TRUE(with("ProductFields", map(50, 128, 2048)));
  EXPECT_FALSE(with("ProductFields", map(51, 128, 1)));
  EXPECT_FALSE(with("ProductFields", map(1, 129, 1)));
  EXPECT_FALSE(with("ProductFields", map(1, 128, 2049)));
  EXPECT_TRUE(with("UserDefinedFields", map(50, 128, 1024)));
  EXPECT_FALSE(with("UserDefinedFields", map(51, 128, 1)));
  EXPECT_FALSE(with("UserDefinedFields", map(1, 1, 1025)));
}

TEST(Asff, a_finding_has_at_most_240_kilobytes) {
  const auto of_bytes = [](std::size_t bytes) {
    Value finding = sample();
    json::Object other;
    other.set("a", "");
    finding.at_or_make("Resources").as_array()[0].set("Details", json::Object{{"Other", other}});
    const std::size_t without = json::print(finding).size();
    other.set("a", std::string(bytes - without, 'x'));
    finding.at_or_make("Resources").as_array()[0].set("Details", json::Object{{"Other", other}});
    return finding;
  };
  EXPECT_TRUE(validate_asff(of_bytes(240 * 1024)));
  const auto refused = validate_asff(of_bytes(240 * 1024 + 1));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("245761 bytes"), std::string::npos);
  EXPECT_NE(refused.error().message.find("245760"), std::string::npos);
}

TEST(Asff, every_partition_has_its_products_and_resources) {
  for (const auto& [arn, resource] :
       {std::pair{"arn:aws:securityhub:us-east-1::product/aws/securityhub", "arn:aws:s3:::a"},
        {"arn:aws-cn:securityhub:cn-north-1::product/aws/securityhub", "arn:aws-cn:s3:::a"},
        {"arn:aws-us-gov:securityhub:us-gov-west-1:111111111111:product/111111111111/default", "arn:aws-us-gov:s3:::a"},
        {"arn:aws-cn:securityhub:cn-northwest-1:111111111111:product/acme/scanner", "arn:aws-cn:ec2:cn-north-1:1:x/y"},
        {"arn:aws:securityhub:::product/acme/scanner", "not an arn at all"}}) {
    Value finding = sample();
    finding.set("ProductArn", arn);
    finding.set("Resources", json::Array{Value(json::Object{{"Type", "Other"}, {"Id", resource}})});
    const auto valid = validate_asff(finding);
    EXPECT_TRUE(valid) << (valid ? "" : describe(valid.error()));
  }
}

TEST(Asff, an_update_is_held_to_the_same_limits) {
  struct Case {
    const char* update;
    const char* where;
  };
  for (const Case& bad : {Case{R"({"Note":{"Text":"x"}})", "Note.UpdatedBy"},
                          {R"({"Note":"x"})", "Note"},
                          {R"({"Severity":{"Label":"BAD"}})", "Severity.Label"},
                          {R"({"Severity":{}})", "Severity"},
                          {R"({"Confidence":1.5})", "Confidence"},
                          {R"({"Types":["x"]})", "Types[0]"},
                          {R"({"RelatedFindings":[{"ProductArn":"p"}]})", "RelatedFindings[0].Id"},
                          {R"({"UserDefinedFields":[]})", "UserDefinedFields"},
                          {R"({"Workflow":{"Status":"CLOSED"}})", "Workflow.Status"},
                          {R"({"VerificationState":"x"})", "VerificationState"}}) {
    const auto valid = validate_update(*json::parse(bad.update));
    ASSERT_FALSE(valid) << bad.update;
    EXPECT_EQ(valid.error().where, bad.where);
  }
  EXPECT_TRUE(validate_update(*json::parse(R"({"Note":{"Text":"x","UpdatedBy":"y"},"Severity":{"Normalized":70}})")));
}

TEST(Asff, finds_the_control_whatever_named_it) {
  const auto control = [](const char* text) { return control_of(*json::parse(text)); };
  EXPECT_EQ(control(R"({"Compliance":{"SecurityControlId":"EC2.13"}})"), "EC2.13");
  EXPECT_EQ(control(R"({"GeneratorId":"aws-foundational-security-best-practices/v/1.0.0/S3.4"})"), "S3.4");
  EXPECT_EQ(control(R"({"GeneratorId":"security-control/KMS.4"})"), "KMS.4");
  EXPECT_EQ(
      control(R"({"GeneratorId":"arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0/rule/4.1"})"),
      "cis-aws-foundations-benchmark/1.2.0:4.1");
  EXPECT_EQ(control(R"({"GeneratorId":"pci-dss/v/3.2.1/PCI.S3.4"})"), "PCI.S3.4");
  EXPECT_EQ(control(R"({"GeneratorId":"g","ProductFields":{"ControlId":"RDS.6"}})"), "RDS.6");
  EXPECT_EQ(control(R"({"GeneratorId":"prowler-s3_bucket_default_encryption"})"), "");
  EXPECT_EQ(control("{}"), "");
}

}  // namespace
}  // namespace fixpoint::findings
