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
  const Fault faults[] = {{"Id", "", "Id"},
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
