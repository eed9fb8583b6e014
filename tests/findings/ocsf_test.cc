// Findings in OCSF and in the AWS Security Finding Format, both ways. Members and numbers:
// https://schema.ocsf.io/1.6.0/ (classes compliance_finding, detection_finding, vulnerability_finding) and
// https://docs.aws.amazon.com/securityhub/latest/userguide/ocsf-findings.html.
#include "findings/ocsf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "base/hash.h"
#include "findings/ocsf_sample.h"
#include "findings/sample.h"
#include "support/paths.h"

namespace fixpoint::findings {
namespace {

using json::Array;
using json::Object;
using json::Value;
using testing::HasSubstr;
using testing::StartsWith;

Value asff(const Value& ocsf) {
  auto finding = asff_of(ocsf);
  EXPECT_TRUE(finding) << describe(finding.error());
  if (!finding) return {};
  const auto valid = validate_asff(*finding);
  EXPECT_TRUE(valid) << describe(valid.error());
  return *finding;
}

// Sets a member by its path, dots between and [0] for the first of an array; empty text removes it.
Value with(Value document, const std::string& path, const std::string& text) {
  Value* at = &document;
  std::string name;
  std::stringstream parts(path);
  std::vector<std::string> names;
  while (std::getline(parts, name, '.')) names.push_back(name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool first = names[i].ends_with("[0]");
    const std::string key = first ? names[i].substr(0, names[i].size() - 3) : names[i];
    if (i + 1 == names.size()) {
      if (text.empty())
        at->as_object().erase(key);
      else
        at->set(key, *json::parse(text));
      return document;
    }
    at = &at->at_or_make(key);
    if (first) at = &at->as_array()[0];
  }
  return document;
}

// Whether all that `part` says is in `whole`, which may say more.
bool says_all(const Value& whole, const Value& part) {
  if (!part.is_object()) return whole == part;
  for (const auto& member : part.as_object())
    if (!says_all(whole[member.key], member.value)) return false;
  return true;
}

TEST(Ocsf, a_finding_of_security_hub_v2_says_the_same_in_the_finding_format) {
  const Value finding = asff(ocsf_sample());
  EXPECT_EQ(finding["Id"], ocsf_sample()["finding_info"]["uid"]);
  EXPECT_EQ(finding["ProductArn"], Value("arn:aws:securityhub:us-east-1::product/aws/securityhub"));
  EXPECT_EQ(finding["ProductName"], Value("Security Hub"));
  EXPECT_EQ(finding["CompanyName"], Value("AWS"));
  EXPECT_EQ(finding["GeneratorId"], Value("security-control/S3.4"));
  EXPECT_EQ(control_of(finding), "S3.4");
  EXPECT_EQ(finding["AwsAccountId"], Value("111111111111"));
  EXPECT_EQ(finding["Region"], Value("us-east-1"));
  EXPECT_EQ(finding["CreatedAt"], Value("2024-01-02T03:04:05.678Z"));
  EXPECT_EQ(finding["UpdatedAt"], Value("2024-01-02T03:04:06.000Z"));
  EXPECT_EQ(finding["FirstObservedAt"], Value("2024-01-02T03:04:05.000Z"));
  EXPECT_EQ(finding["Severity"]["Label"], Value("MEDIUM"));
  EXPECT_EQ(finding["Workflow"]["Status"], Value("NEW"));
  EXPECT_EQ(finding["RecordState"], Value("ACTIVE"));
  EXPECT_EQ(finding["Compliance"]["Status"], Value("FAILED"));
  EXPECT_EQ(finding["Compliance"]["AssociatedStandards"][0]["StandardsId"],
            Value("standards/aws-foundational-security-best-practices/v/1.0.0"));
  EXPECT_EQ(finding["Compliance"]["RelatedRequirements"],
            Value(Array{Value("CIS AWS Foundations Benchmark v1.4.0/2.1.1")}));
  // "Posture Management" is Security Hub's own type and none of the format's namespaces.
  EXPECT_EQ(finding["Types"],
            Value(Array{Value("Software and Configuration Checks/Industry and Regulatory Standards")}));
  EXPECT_EQ(finding["Remediation"]["Recommendation"]["Url"],
            Value("https://docs.aws.amazon.com/console/securityhub/S3.4/remediation"));
  const Value& resource = finding["Resources"][0];
  EXPECT_EQ(resource["Type"], Value("AwsS3Bucket"));
  EXPECT_EQ(resource["Id"], Value("arn:aws:s3:::a-bucket"));
  EXPECT_EQ(resource["Partition"], Value("aws"));
  EXPECT_EQ(resource["Tags"], Value(Object{{"team", "pay"}}));
}

TEST(Ocsf, prowlers_finding_names_its_check_its_result_and_its_time) {
  const Value finding = asff(prowler_sample());
  EXPECT_EQ(finding["ProductArn"], Value("arn:aws:securityhub:us-east-1::product/prowler/prowler"));
  EXPECT_EQ(finding["GeneratorId"], Value("prowler-s3_bucket_default_encryption"));
  EXPECT_EQ(control_of(finding), "prowler:s3_bucket_default_encryption");
  // Seconds, not milliseconds; the text beside it has no offset and is an hour off.
  EXPECT_EQ(finding["CreatedAt"], Value("2024-01-02T03:04:05.000Z"));
  EXPECT_EQ(finding["Compliance"]["Status"], Value("FAILED"));
  EXPECT_EQ(finding["Resources"][0]["Type"], Value("AwsS3Bucket"));
  EXPECT_EQ(finding["Resources"][0]["Id"], Value("arn:aws:s3:::a-bucket"));
  EXPECT_EQ(finding["Remediation"]["Recommendation"]["Url"], Value("https://docs.prowler.com/x"));
  EXPECT_EQ(asff(with(prowler_sample(), "status_code", "\"PASS\""))["Compliance"]["Status"], Value("PASSED"));
  EXPECT_EQ(asff(with(prowler_sample(), "status_code", "\"MANUAL\""))["Compliance"]["Status"], Value("NOT_AVAILABLE"));
  // Muted in Prowler.
  EXPECT_EQ(asff(with(prowler_sample(), "status_id", "3"))["Workflow"]["Status"], Value("SUPPRESSED"));
}

TEST(Ocsf, any_other_tools_finding_belongs_to_the_accounts_own_product) {
  Value other = with(prowler_sample(), "metadata.product", R"({"name":"Scanner","uid":"x-1","vendor_name":"Acme"})");
  other = with(other, "status_code", "\"FAIL\"");
  const Value finding = asff(other);
  EXPECT_EQ(finding["ProductArn"], Value("arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default"));
  EXPECT_EQ(finding["ProductName"], Value("Scanner"));
  EXPECT_EQ(finding["GeneratorId"], Value("s3_bucket_default_encryption"));
  EXPECT_TRUE(finding["Compliance"].is_null());  // what status_code means is Prowler's own
  EXPECT_EQ(control_of(finding), "");
}

TEST(Ocsf, partitions_and_products_of_other_regions_are_kept) {
  Value china =
      with(with(prowler_sample(), "cloud.region", "\"cn-north-1\""), "resources[0].cloud_partition", "\"aws-cn\"");
  EXPECT_EQ(asff(china)["ProductArn"], Value("arn:aws-cn:securityhub:cn-north-1::product/prowler/prowler"));
  EXPECT_EQ(product_uid_of("arn:aws:securityhub:us-east-1::product/aws/guardduty"),
            "arn:aws:securityhub:us-east-1::productv2/aws/guardduty");
  EXPECT_EQ(product_uid_of("arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default"),
            "arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default");
}

struct Pair {
  int id;
  const char* caption;
  const char* workflow;
  const char* record;
};

TEST(Ocsf, every_status_has_its_workflow_status_and_back) {
  const Pair pairs[] = {{1, "New", "NEW", "ACTIVE"},
                        {2, "In Progress", "NOTIFIED", "ACTIVE"},
                        {3, "Suppressed", "SUPPRESSED", "ACTIVE"},
                        {4, "Resolved", "RESOLVED", "ACTIVE"},
                        {5, "Archived", "NEW", "ARCHIVED"}};
  for (const auto& [id, caption, workflow, record] : pairs) {
    const Value finding = asff(with(ocsf_sample(), "status_id", std::to_string(id)));
    EXPECT_EQ(finding["Workflow"]["Status"], Value(workflow)) << id;
    EXPECT_EQ(finding["RecordState"], Value(record)) << id;
    const Value back = ocsf_of(finding);
    EXPECT_EQ(back["status_id"], Value(id));
    EXPECT_EQ(back["status"], Value(caption));
    EXPECT_EQ(back["activity_id"], Value(id == 5 ? 3 : 2)) << id;  // Close, Update
  }
  // Without a number the caption counts.
  EXPECT_EQ(asff(with(with(ocsf_sample(), "status_id", ""), "status", "\"resolved\""))["Workflow"]["Status"],
            Value("RESOLVED"));
  EXPECT_EQ(asff(with(with(ocsf_sample(), "status_id", ""), "status", ""))["Workflow"]["Status"], Value("NEW"));
  EXPECT_EQ(asff(with(ocsf_sample(), "status_id", "99"))["Workflow"]["Status"], Value("NOTIFIED"));
  // A closed finding is archived, and what was done about it stays.
  const Value closed = asff(with(with(ocsf_sample(), "activity_id", "3"), "status_id", "4"));
  EXPECT_EQ(closed["RecordState"], Value("ARCHIVED"));
  EXPECT_EQ(closed["Workflow"]["Status"], Value("RESOLVED"));
  EXPECT_EQ(ocsf_of(closed)["status"], Value("Resolved"));
  EXPECT_EQ(ocsf_of(closed)["activity_name"], Value("Close"));
}

TEST(Ocsf, every_severity_has_its_label_and_back) {
  const std::pair<int, const char*> labels[] = {{0, "INFORMATIONAL"}, {1, "INFORMATIONAL"}, {2, "LOW"},
                                                {3, "MEDIUM"},        {4, "HIGH"},          {5, "CRITICAL"},
                                                {6, "CRITICAL"},      {99, "INFORMATIONAL"}};
  for (const auto& [id, label] : labels) {
    const Value finding = asff(with(ocsf_sample(), "severity_id", std::to_string(id)));
    EXPECT_EQ(finding["Severity"]["Label"], Value(label)) << id;
    if (id >= 1 && id <= 5) EXPECT_EQ(ocsf_of(finding)["severity_id"], Value(id));
    // What the provider said stands apart from what is said now.
    if (id == 4) EXPECT_EQ(finding["FindingProviderFields"]["Severity"]["Label"], Value("MEDIUM"));
  }
  EXPECT_EQ(ocsf_of(asff(with(ocsf_sample(), "severity_id", "4")))["vendor_attributes"]["severity"], Value("Medium"));
}

TEST(Ocsf, a_finding_of_the_finding_format_is_written_as_security_hub_v2_writes_it) {
  Value finding = sample();
  finding.set("UpdatedAt", "2024-01-03T00:00:00Z");
  const Value ocsf = ocsf_of(finding);
  EXPECT_EQ(ocsf["class_uid"], Value(2003));
  EXPECT_EQ(ocsf["class_name"], Value("Compliance Finding"));
  EXPECT_EQ(ocsf["category_uid"], Value(2));
  EXPECT_EQ(ocsf["activity_name"], Value("Update"));
  EXPECT_EQ(ocsf["type_uid"], Value(200302));
  EXPECT_EQ(ocsf["type_name"], Value("Compliance Finding: Update"));
  EXPECT_EQ(ocsf["cloud"]["provider"], Value("AWS"));
  EXPECT_EQ(ocsf["cloud"]["account"]["uid"], Value("111111111111"));
  EXPECT_EQ(ocsf["compliance"]["control"], Value("S3.4"));
  EXPECT_EQ(ocsf["compliance"]["status_id"], Value(3));
  EXPECT_EQ(ocsf["finding_info"]["uid"], Value("finding-1"));
  EXPECT_EQ(ocsf["finding_info"]["analytic"]["uid"], Value("S3.4"));
  EXPECT_EQ(ocsf["finding_info"]["created_time"], Value(1704164645678));
  EXPECT_EQ(ocsf["finding_info"]["created_time_dt"], Value("2024-01-02T03:04:05.678Z"));
  EXPECT_EQ(ocsf["time"], Value(1704240000000));
  EXPECT_EQ(ocsf["metadata"]["product"]["uid"], Value("arn:aws:securityhub:us-east-1::productv2/aws/securityhub"));
  EXPECT_EQ(ocsf["metadata"]["version"], Value("1.6.0"));
  EXPECT_EQ(ocsf["metadata"]["uid"],
            Value(sha256_hex("arn:aws:securityhub:us-east-1::product/aws/securityhub\nfinding-1")));
  EXPECT_EQ(ocsf["resources"][0]["type"], Value("AWS::S3::Bucket"));
  EXPECT_EQ(ocsf["resources"][0]["owner"]["account"]["uid"], Value("111111111111"));
  EXPECT_EQ(ocsf["resources"][0]["tags"], Value(Array{Value(Object{{"name", "team"}, {"value", "pay"}})}));
  EXPECT_EQ(ocsf["severity_id"], Value(3));
  EXPECT_EQ(ocsf["vendor_attributes"]["severity_id"], Value(3));
  EXPECT_TRUE(is_ocsf(ocsf));
  EXPECT_FALSE(is_ocsf(finding));

  finding.as_object().erase("Compliance");
  EXPECT_EQ(ocsf_of(finding)["class_uid"], Value(2004));
  finding.set("Vulnerabilities", Array{Value(Object{{"Id", "CVE-2024-1"}})});
  EXPECT_EQ(ocsf_of(finding)["class_uid"], Value(2002));
}

TEST(Ocsf, what_both_forms_can_say_survives_the_way_there_and_back) {
  Value finding = sample("f");
  const auto set = [&](const char* member, const char* text) { finding.set(member, *json::parse(text)); };
  for (const auto* member : {"Network", "ProductFields"}) finding.as_object().erase(member);
  set("ProductName", "\"Security Hub\"");
  set("CompanyName", "\"AWS\"");
  set("AwsAccountName", "\"pay\"");
  set("Region", "\"us-east-1\"");
  set("FirstObservedAt", "\"2024-01-01T00:00:00.000Z\"");
  set("LastObservedAt", "\"2024-01-02T00:00:00.000Z\"");
  set("Confidence", "42");
  set("SourceUrl", "\"https://example.com/f\"");
  set("Workflow", R"({"Status":"NOTIFIED"})");
  set("RecordState", "\"ARCHIVED\"");
  set("Severity", R"({"Label":"CRITICAL"})");
  set("FindingProviderFields", R"({"Severity":{"Label":"LOW"}})");
  set("Remediation", R"({"Recommendation":{"Text":"Turn it on.","Url":"https://example.com/r"}})");
  set("Compliance", R"({"Status":"WARNING","SecurityControlId":"S3.4",
    "AssociatedStandards":[{"StandardsId":"standards/x/v/1.0.0"}],"RelatedRequirements":["NIST.800-53.r5 AC-3"],
    "SecurityControlParameters":[{"Name":"algorithm","Value":["AES256","aws:kms"]}],
    "StatusReasons":[{"ReasonCode":"CONFIG_EVALUATIONS_EMPTY","Description":"nothing was evaluated"}]})");
  set("RelatedFindings", R"([{"ProductArn":"arn:aws:securityhub:us-east-1::product/aws/guardduty","Id":"g-1"}])");
  set("Vulnerabilities", R"([{"Id":"CVE-2023-44487","Cvss":[{"Version":"3.1","BaseScore":7.5,
      "BaseVector":"CVSS:3.1/AV:N","Source":"NVD"}],"EpssScore":0.5,"ExploitAvailable":"YES","FixAvailable":"PARTIAL",
    "LastKnownExploitAt":"2024-01-01T00:00:00.000Z","ReferenceUrls":["https://nvd.nist.gov/x"],
    "RelatedVulnerabilities":["CVE-2023-1"],"Vendor":{"Name":"NVD","VendorSeverity":"HIGH"},
    "VulnerablePackages":[{"Name":"net","Version":"0.1","Epoch":"0","Release":"r","Architecture":"ARM64",
      "PackageManager":"GOBINARY","FilePath":"/bin/x","FixedInVersion":"0.17.0","Remediation":"update"}]}])");
  set("Resources", R"([{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::a","Partition":"aws","Region":"us-east-1",
    "Tags":{"team":"pay","owner":"ann"},"Details":{"AwsS3Bucket":{"OwnerName":"x"},"Other":{"k":"v"}}},
    {"Type":"AwsIamUser","Id":"arn:aws:iam::111111111111:user/u","Partition":"aws","Region":"us-east-1"}])");
  ASSERT_TRUE(validate_asff(finding)) << describe(validate_asff(finding).error());
  const Value back = asff(ocsf_of(finding));
  for (const auto& member : finding.as_object()) EXPECT_EQ(back[member.key], member.value) << member.key;
  EXPECT_EQ(back.size(), finding.size());
  // A note comes back under the product's name, as OCSF's comment has no author.
  finding.set("Note", Object{{"Text", "seen"}, {"UpdatedBy", "ann"}, {"UpdatedAt", "2024-01-02T00:00:00.000Z"}});
  EXPECT_EQ(ocsf_of(finding)["comment"], Value("seen"));
  EXPECT_EQ(asff(ocsf_of(finding))["Note"]["Text"], Value("seen"));
}

TEST(Ocsf, what_ocsf_says_beyond_the_finding_format_comes_back_from_its_original) {
  for (const Value& given : {ocsf_sample(), prowler_sample()}) {
    const Value original = original_of(given).value();
    const Value back = ocsf_of(asff(original), original);
    for (const auto& member : given.as_object())
      EXPECT_TRUE(says_all(back[member.key], member.value)) << member.key << " " << json::print(back[member.key]);
  }
  // What it left out is filled in: Prowler's has no metadata.uid, and its result is in status_code alone.
  const Value original = original_of(prowler_sample()).value();
  const Value back = ocsf_of(asff(original), original);
  EXPECT_EQ(back["metadata"]["uid"], Value(metadata_uid_of(key_of(asff(original)))));
  EXPECT_EQ(back["compliance"]["status"], Value("Fail"));
}

TEST(Ocsf, what_changed_since_lies_over_the_original) {
  const Value original = original_of(with(ocsf_sample(), "severity_id", "6")).value();
  EXPECT_EQ(original["severity"], Value("Fatal"));  // the caption of the number
  Value finding = asff(original);
  finding.set("Workflow", Object{{"Status", "RESOLVED"}});
  finding.set("Note", Object{{"Text", "done"}, {"UpdatedBy", "ann"}, {"UpdatedAt", "2024-01-02T00:00:00.000Z"}});
  Value now = ocsf_of(finding, original);
  EXPECT_EQ(now["status"], Value("Resolved"));
  EXPECT_EQ(now["status_id"], Value(4));
  EXPECT_EQ(now["comment"], Value("done"));
  EXPECT_EQ(now["severity"], Value("Fatal"));  // CRITICAL still, so what OCSF called it stays
  EXPECT_EQ(now["activity_name"], Value("Create"));
  finding.set("Severity", Object{{"Label", "LOW"}});
  finding.set("RecordState", "ARCHIVED");
  now = ocsf_of(finding, original);
  EXPECT_EQ(now["severity"], Value("Low"));
  EXPECT_EQ(now["activity_name"], Value("Close"));
  EXPECT_EQ(now["type_uid"], Value(200303));
}

// https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html: titles begin with [SAMPLE].
TEST(Ocsf, a_sample_is_one_in_both_forms) {
  Value finding = sample();
  finding.set("Sample", true);
  finding.set("Region", "us-east-1");
  EXPECT_EQ(asff(ocsf_of(finding))["Sample"], Value(true));
  EXPECT_EQ(asff(with(ocsf_sample(), "finding_info.title", "\"[SAMPLE] An instance talks\""))["Sample"], Value(true));
  EXPECT_EQ(asff(with(ocsf_sample(), "metadata.labels", "[\"Sample\"]"))["Sample"], Value(true));
  EXPECT_TRUE(asff(with(ocsf_sample(), "metadata.labels", "[\"other\"]"))["Sample"].is_null());
  EXPECT_TRUE(asff(ocsf_sample())["Sample"].is_null());
}

struct Fault {
  const char* path;
  const char* text;  // empty removes the member
  const char* where;
  const char* says;
};

TEST(Ocsf, refuses_each_fault_naming_ocsfs_own_member) {
  const Fault faults[] = {
      {"class_uid", "", "class_uid", "is missing"},
      {"class_uid", "2005", "class_uid", "is 2005"},
      {"class_uid", "\"2003\"", "class_uid", "is missing"},
      {"class_uid", "3002", "class_uid", "is 3002"},
      {"cloud", "", "cloud.account.uid", "about no AWS account"},
      {"cloud.account.uid", "\"\"", "cloud.account.uid", "about no AWS account"},
      {"cloud.account.uid", "111111111111", "cloud.account.uid", "about no AWS account"},
      {"cloud.account.uid", "\"<account_uid>\"", "cloud.account.uid", "is '<account_uid>'; an AWS account's id has 12"},
      {"cloud.provider", "\"azure\"", "cloud.provider", "is 'azure'"},
      {"cloud.region", "\"<region>\"", "cloud.region", "is '<region>'"},
      {"cloud.region", "\"cn-north-1\"", "cloud", "lies in aws-cn"},
      {"finding_info", "", "finding_info.uid", "is missing"},
      {"finding_info.uid", "\" \"", "finding_info.uid", "is missing"},
      {"finding_info.title", "", "finding_info.title", "is missing"},
      {"resources", "", "resources", "at least one"},
      {"resources", "[]", "resources", "at least one"},
      {"resources", "\"x\"", "resources", "at least one"},
      {"resources", "[{\"type\":\"AWS::S3::Bucket\"}]", "resources[0].uid", "is missing"},
  };
  for (const auto& [path, text, where, says] : faults) {
    const auto finding = asff_of(with(ocsf_sample(), path, text));
    ASSERT_FALSE(finding) << path << " " << text;
    EXPECT_EQ(finding.error().code, "InvalidInputException");
    EXPECT_EQ(finding.error().where, where) << path << " " << text;
    EXPECT_THAT(finding.error().message, StartsWith(where));
    EXPECT_THAT(finding.error().message, HasSubstr(says));
  }
  EXPECT_FALSE(asff_of(Value("text")));
  EXPECT_FALSE(asff_of(Value(Array{})));
  // No time that says when: neither a number nor a text with an offset.
  Value timeless = with(with(ocsf_sample(), "time", ""), "time_dt", "");
  timeless =
      with(with(timeless, "finding_info.created_time", ""), "finding_info.created_time_dt", "\"2024-01-02T03:04:05\"");
  const auto none = asff_of(timeless);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().where, "finding_info.created_time");
  for (const char* time : {"-1", "1e30", "\"soon\"", "99999999999999999"})
    EXPECT_FALSE(asff_of(with(timeless, "finding_info.created_time", time))) << time;
}

TEST(Ocsf, long_texts_are_cut_at_characters_and_a_long_id_stays_one_of_its_own) {
  std::string title;
  for (int i = 0; i < 300; ++i) title += "\xC3\xA9";  // e with an acute
  const Value finding = asff(with(ocsf_sample(), "finding_info.title", json::print(Value(title))));
  EXPECT_TRUE(finding["Title"].as_string().ends_with("\xC3\xA9..."));
  EXPECT_EQ(finding["Title"].as_string().size(), 253U * 2 + 3);
  const std::string uid(600, 'u');
  EXPECT_EQ(finding_id_of("short"), "short");
  EXPECT_EQ(finding_id_of(uid), std::string(447, 'u') + "-" + sha256_hex(uid));
  EXPECT_EQ(finding_id_of(uid).size(), 512U);
  EXPECT_NE(finding_id_of(uid), finding_id_of(uid + "v"));
  // More than a finding may have is not taken.
  const auto big = original_of(with(ocsf_sample(), "unmapped", json::print(Value(std::string(250'000, 'x')))));
  ASSERT_FALSE(big);
  EXPECT_THAT(big.error().message, HasSubstr("at most 245760 are taken"));
}

TEST(Ocsf, an_update_takes_awss_numbers_and_nothing_else) {
  const auto read = [](const char* text) { return OcsfUpdate::read(*json::parse(text)); };
  const struct {
    const char* text;
    const char* where;
  } faults[] = {{R"({"StatusId":6})", "StatusId"},
                {R"({"StatusId":-1})", "StatusId"},
                {R"({"StatusId":1.5})", "StatusId"},
                {R"({"StatusId":"1"})", "StatusId"},
                {R"({"SeverityId":7})", "SeverityId"},
                {R"({"Comment":""})", "Comment"},
                {R"({"Comment":"  "})", "Comment"},
                {R"({})", ""},
                {R"({"SeverityId":98,"StatusId":1})", "SeverityId"}};
  for (const auto& [text, where] : faults) {
    const auto update = read(text);
    ASSERT_FALSE(update) << text;
    EXPECT_EQ(update.error().code, "ValidationException");
    EXPECT_EQ(update.error().where, where) << text;
  }
  EXPECT_FALSE(OcsfUpdate::read(Object{{"Comment", std::string(513, 'c')}}));
  EXPECT_TRUE(OcsfUpdate::read(Object{{"Comment", std::string(512, 'c')}}));
  const Value archived = read(R"({"StatusId":5})")->asff("ann");
  EXPECT_EQ(archived, Value(Object{{"Workflow", Object{{"Status", "NEW"}}}, {"RecordState", "ARCHIVED"}}));
  EXPECT_EQ(read(R"({"StatusId":4})")->asff("ann"), Value(Object{{"Workflow", Object{{"Status", "RESOLVED"}}}}));
  EXPECT_EQ(read(R"({"StatusId":1})")->asff("ann"),
            Value(Object{{"Workflow", Object{{"Status", "NEW"}}}, {"RecordState", "ACTIVE"}}));
  EXPECT_EQ(read(R"({"SeverityId":6,"Comment":"c"})")->asff("ann"),
            Value(Object{{"Note", Object{{"Text", "c"}, {"UpdatedBy", "ann"}}},
                         {"Severity", Object{{"Label", "CRITICAL"}}}}));
}

// The shared samples. Prowler's has placeholders where account, region and resource stand.
TEST(OcsfSamples, prowlers_list_and_security_hubs_event) {
  const auto folder = test::shared_dir();
  if (!folder || !std::filesystem::is_directory(*folder / "findings"))
    GTEST_SKIP() << "the samples are not here; FIXPOINT_SHARED names the folder of shared data";
  const auto read = [&](const char* name) { return test::read_file(*folder / "findings" / name); };
  std::string text = read("32-prowler-ocsf-aws.json");
  const auto as_it_is = asff_of((*json::parse(text))[0]);
  ASSERT_FALSE(as_it_is);
  EXPECT_EQ(as_it_is.error().where, "cloud.account.uid");
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  };
  replace("<account_uid>", "111122223333");
  replace("<region>", "eu-west-1");
  replace("<resource_uid>", "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/unknown");
  const Value list = *json::parse(text);
  ASSERT_EQ(list.size(), 5U);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Value original = original_of(list[i]).value();
    const Value finding = asff(original);
    EXPECT_EQ(finding["AwsAccountId"], Value("111122223333"));
    EXPECT_EQ(finding["Region"], Value("eu-west-1"));
    EXPECT_EQ(finding["GeneratorId"].as_string(), "prowler-" + list[i]["metadata"]["event_code"].as_string());
    EXPECT_THAT(finding["Resources"][0]["Id"].as_string(), StartsWith("arn:aws:"));
    EXPECT_EQ(ocsf_of(finding, original)["unmapped"], list[i]["unmapped"]);
  }
  EXPECT_EQ(asff(list[0])["Severity"]["Label"], Value("LOW"));
  EXPECT_EQ(asff(list[0])["Compliance"]["Status"], Value("FAILED"));
  EXPECT_EQ(asff(list[1])["Compliance"]["Status"], Value("NOT_AVAILABLE"));  // MANUAL
  EXPECT_EQ(asff(list[1])["Resources"][0]["Id"], Value("arn:aws:iam::111122223333:root"));

  const Value kubernetes = *json::parse(read("33-prowler-ocsf-kubernetes.json"));
  for (std::size_t i = 0; i < kubernetes.size(); ++i) {
    const auto refused = asff_of(kubernetes[i]);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("the finding is about no AWS account"));
  }

  const Value event = *json::parse(read("r1-sechub-findings-imported-v2.json"));
  const Value finding = asff(event["detail"]["findings"][0]);
  EXPECT_EQ(control_of(finding), "S3.8");
  EXPECT_EQ(finding["ProductArn"], Value("arn:aws:securityhub:eu-central-1::product/aws/securityhub"));
  EXPECT_EQ(finding["Resources"][0]["Id"], Value("arn:aws:s3:::example-logs"));
  EXPECT_EQ(finding["Resources"][0]["Type"], Value("AwsS3Bucket"));
  EXPECT_EQ(finding["Severity"]["Label"], Value("HIGH"));
  EXPECT_EQ(finding["Region"], Value("eu-central-1"));
}

}  // namespace
}  // namespace fixpoint::findings
