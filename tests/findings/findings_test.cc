#include <gtest/gtest.h>

#include "findings/finding_store.h"
#include "json/text.h"
#include "support/postgres.h"

namespace fixpoint::findings {
namespace {

using json::Value;

Value sample(const std::string& id = "finding-1") {
  return *json::parse(R"({"SchemaVersion":"2018-10-08","Id":")" + id + R"(",
    "ProductArn":"arn:aws:securityhub:us-east-1::product/aws/securityhub","GeneratorId":"security-control/S3.4","AwsAccountId":"111111111111",
    "Types":["Software and Configuration Checks/Industry and Regulatory Standards"],"CreatedAt":"2024-01-02T03:04:05.678Z",
    "UpdatedAt":"2024-01-02T03:04:05.678Z","Severity":{"Label":"MEDIUM"},"Title":"Bucket is not encrypted","Description":"d",
    "ProductFields":{"aws/securityhub/ProductName":"Security Hub"},
    "Resources":[{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::a","Tags":{"team":"pay"}},{"Type":"AwsAccount","Id":"AWS::::Account:111111111111"}],
    "Compliance":{"Status":"FAILED","SecurityControlId":"S3.4"},"Network":{"SourceIpV4":"10.1.2.3","SourcePort":42}})");
}

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

bool matches(const char* filters, TimeMs now = 1704164645678 + 86400000) {
  const auto compiled = Filters::compile(*json::parse(filters), now);
  EXPECT_TRUE(compiled) << describe(compiled.error());
  return compiled && compiled->matches(sample());
}

TEST(Filters, each_comparison) {
  EXPECT_TRUE(matches(R"({"ComplianceStatus":[{"Value":"FAILED","Comparison":"EQUALS"}]})"));
  EXPECT_FALSE(matches(R"({"ComplianceStatus":[{"Value":"failed","Comparison":"EQUALS"}]})"));
  EXPECT_TRUE(matches(R"({"Title":[{"Value":"Bucket","Comparison":"PREFIX"}]})"));
  EXPECT_FALSE(matches(R"({"Title":[{"Value":"Bucket","Comparison":"PREFIX_NOT_EQUALS"}]})"));
  EXPECT_TRUE(matches(R"({"Title":[{"Value":"not","Comparison":"CONTAINS_WORD"}]})"));
  EXPECT_FALSE(matches(R"({"Title":[{"Value":"encrypt","Comparison":"CONTAINS_WORD"}]})"));
  EXPECT_TRUE(matches(R"({"Title":[{"Value":"encrypt","Comparison":"CONTAINS"}]})"));
  EXPECT_FALSE(matches(R"({"Title":[{"Value":"encrypt","Comparison":"NOT_CONTAINS"}]})"));
  EXPECT_TRUE(matches(R"({"NetworkSourceIpV4":[{"Cidr":"10.0.0.0/8"}]})"));
  EXPECT_FALSE(matches(R"({"NetworkSourceIpV4":[{"Cidr":"10.0.0.0/16"}]})"));
  EXPECT_TRUE(matches(R"({"NetworkSourcePort":[{"Gte":42,"Lte":42}]})"));
  EXPECT_FALSE(matches(R"({"NetworkSourcePort":[{"Gt":42}]})"));
  EXPECT_TRUE(matches(R"({"CreatedAt":[{"Start":"2024-01-02T03:04:05.678Z","End":"2024-01-03T00:00:00Z"}]})"));
  EXPECT_TRUE(matches(R"({"CreatedAt":[{"DateRange":{"Value":1,"Unit":"DAYS"}}]})"));
  EXPECT_FALSE(matches(R"({"CreatedAt":[{"DateRange":{"Value":0,"Unit":"DAYS"}}]})"));
  EXPECT_TRUE(matches(R"({"ResourceTags":[{"Key":"team","Value":"pay","Comparison":"EQUALS"}]})"));
  EXPECT_FALSE(matches(R"({"ResourceTags":[{"Key":"team","Value":"pay","Comparison":"NOT_EQUALS"}]})"));
  EXPECT_TRUE(matches(R"({"ResourceId":[{"Value":"AWS::::Account:111111111111","Comparison":"EQUALS"}]})"));
}

TEST(Filters, join_as_aws_joins_them) {
  EXPECT_TRUE(matches(R"({"Title":[{"Value":"x","Comparison":"EQUALS"},{"Value":"Bucket","Comparison":"PREFIX"}]})"));
  EXPECT_FALSE(matches(
      R"({"Title":[{"Value":"Bucket","Comparison":"PREFIX"},{"Value":"encrypted","Comparison":"NOT_CONTAINS"}]})"));
  EXPECT_FALSE(matches(
      R"({"Title":[{"Value":"a","Comparison":"NOT_CONTAINS"},{"Value":"encrypted","Comparison":"NOT_CONTAINS"}]})"));
  EXPECT_FALSE(matches(
      R"({"ComplianceStatus":[{"Value":"FAILED","Comparison":"EQUALS"}],"AwsAccountId":[{"Value":"222222222222","Comparison":"EQUALS"}]})"));
  EXPECT_TRUE(matches("{}"));
}

TEST(Filters, refuse_what_they_do_not_know) {
  for (const char* bad :
       {R"({"Nonsense":[{"Value":"a","Comparison":"EQUALS"}]})", R"({"Title":[{"Value":"a","Comparison":"LIKE"}]})",
        R"({"Title":[{"Comparison":"EQUALS"}]})", R"({"CreatedAt":[{}]})", R"({"CreatedAt":[{"Start":"x"}]})",
        R"({"NetworkSourceIpV4":[{"Cidr":"10.0.0.0/33"}]})", R"({"Confidence":[{}]})",
        R"({"ResourceTags":[{"Value":"x","Comparison":"EQUALS"}]})"}) {
    const auto compiled = Filters::compile(*json::parse(bad), 0);
    ASSERT_FALSE(compiled) << bad;
    EXPECT_EQ(compiled.error().code, "InvalidInputException");
  }
}

class FindingStoreTest : public testing::Test {
 protected:
  Stored import(const Value& finding) {
    return store_->write([&](store::Transaction& tx) { return findings_.import(tx, finding); }).value();
  }
  std::optional<Stored> update(const char* update, const std::string& id = "finding-1") {
    return store_
        ->write([&](store::Transaction& tx) {
          return findings_.update(tx, {sample()["ProductArn"].as_string(), id}, *json::parse(update), "test");
        })
        .value();
  }
  Page find(const char* filters, std::vector<SortKey> sort = {}, std::size_t limit = 100,
            const std::string& token = "") {
    return findings_.find(*Filters::compile(*json::parse(filters), clock_.now_ms()), sort, limit, token).value();
  }
  ManualClock clock_{1704164645678};
  std::unique_ptr<store::Store> store_ = store::Store::open(test::store_options(), {FindingStore::schema()}).value();
  FindingStore findings_{*store_, clock_};
};

TEST_F(FindingStoreTest, an_import_is_found_again_with_its_defaults) {
  EXPECT_TRUE(import(sample()).created);
  const Page page = find(R"({"Id":[{"Value":"finding-1","Comparison":"EQUALS"}]})");
  ASSERT_EQ(page.findings.size(), 1U);
  EXPECT_EQ(page.findings[0]["Workflow"]["Status"], Value("NEW"));
  EXPECT_EQ(page.findings[0]["RecordState"], Value("ACTIVE"));
  EXPECT_EQ(page.findings[0]["Severity"]["Normalized"], Value(40));
  EXPECT_EQ(page.findings[0]["Region"], Value("us-east-1"));
}

TEST_F(FindingStoreTest, a_second_import_keeps_what_the_customer_wrote) {
  import(sample());
  update(R"({"Note":{"Text":"mine","UpdatedBy":"me"},"Workflow":{"Status":"NOTIFIED"},"UserDefinedFields":{"a":"b"}})");
  Value again = sample();
  again.set("Note", json::Object{{"Text", "theirs"}, {"UpdatedBy", "them"}});
  again.set("Workflow", json::Object{{"Status", "NEW"}});
  again.set("Title", "new title");
  const Stored stored = import(again);
  EXPECT_FALSE(stored.created);
  EXPECT_EQ(stored.finding["Note"]["Text"], Value("mine"));
  EXPECT_EQ(stored.finding["Workflow"]["Status"], Value("NOTIFIED"));
  EXPECT_EQ(stored.finding["UserDefinedFields"]["a"], Value("b"));
  EXPECT_EQ(stored.finding["Title"], Value("new title"));
}

TEST_F(FindingStoreTest, the_workflow_goes_back_to_new_when_a_passed_check_fails_again) {
  import(sample());
  update(R"({"Workflow":{"Status":"RESOLVED"}})");
  EXPECT_EQ(import(sample()).finding["Workflow"]["Status"], Value("RESOLVED"));
  Value passed = sample();
  passed.set("Compliance", json::Object{{"Status", "PASSED"}});
  EXPECT_EQ(import(passed).finding["Workflow"]["Status"], Value("RESOLVED"));
  EXPECT_EQ(import(sample()).finding["Workflow"]["Status"], Value("NEW"));
}

TEST_F(FindingStoreTest, an_update_of_an_unknown_finding_changes_nothing) {
  EXPECT_FALSE(update(R"({"Workflow":{"Status":"RESOLVED"}})", "nobody"));
}

TEST_F(FindingStoreTest, pages_hold_every_finding_once_in_order) {
  for (int i = 0; i < 25; ++i) {
    Value finding = sample("f" + std::to_string(i));
    finding.set("Severity", json::Object{{"Normalized", (i * 7) % 100}});
    import(finding);
  }
  std::vector<std::int64_t> seen;
  std::string token;
  do {
    const Page page = find("{}", {{"SeverityNormalized", true}}, 10, token);
    for (const Value& finding : page.findings) seen.push_back(finding["Severity"]["Normalized"].int_or(-1));
    token = page.next_token;
  } while (!token.empty());
  ASSERT_EQ(seen.size(), 25U);
  EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));
  EXPECT_FALSE(findings_.find(*Filters::compile({}, 0), {}, 10, "junk"));
  EXPECT_FALSE(findings_.find(*Filters::compile({}, 0), {{"Nonsense", false}}, 10, ""));
}

}  // namespace
}  // namespace fixpoint::findings
