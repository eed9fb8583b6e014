// Findings in the AWS Security Finding Format, in each way that a document may hold them, and with the faults that
// tools are known for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reading.h"

namespace fixpoint::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Documents, one_finding_an_array_an_answer_and_an_event_hold_the_same) {
  const std::string one = finding();
  for (const std::string& document :
       {one, "[" + one + "]", R"({"Findings":[)" + one + "]}", R"({"detail":{"findings":[)" + one + "]}}",
        R"({"detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","detail":{"findings":[)" + one +
            "]}}",
        R"([{"detail-type":"Security Hub Findings - Custom Action","source":"aws.securityhub","detail":{"findings":[)" +
            one + "]}}]"}) {
    const Taken taken = taken_from(document);
    ASSERT_EQ(taken.findings.size(), 1U) << document;
    EXPECT_EQ(taken.findings[0], parsed(one)) << document;
    EXPECT_THAT(taken.repaired, IsEmpty()) << document;
  }
}

TEST(Documents, what_holds_no_findings_is_refused_with_the_forms_that_are_known) {
  for (const std::string document : {"{}", R"({"hello":1})", "7", R"("text")", "null", "true", R"({"detail":{}})"}) {
    const std::string said = refusal_of(document);
    EXPECT_THAT(said, HasSubstr("known are: ")) << document;
    EXPECT_THAT(said, HasSubstr("Security Finding Format")) << document;
    EXPECT_THAT(said, HasSubstr("GuardDuty")) << document;
  }
  EXPECT_EQ(refusal_of("[]"), "the document holds no findings");
  EXPECT_EQ(refusal_of(R"({"Findings":[]})"), "the document holds no findings");
  EXPECT_EQ(refusal_of(R"({"Findings":"none"})"), "the findings have to be an array, not a string");
  EXPECT_EQ(refusal_of(R"({"detail":{"findings":{}}})"), "the findings have to be an array, not an object");
  EXPECT_EQ(refusal_of(R"({"Findings":[)" + finding() + R"(,"text"]})"),
            "finding 2: a finding has to be an object, not a string");
  EXPECT_THAT(refusal_of("[" + finding() + R"(,{"x":1}])"), HasSubstr("finding 2 is of no form that is known"));
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html and
// https://docs.aws.amazon.com/health/latest/ug/cloudwatch-events-health.html
TEST(Documents, events_that_are_no_findings_say_what_they_are) {
  EXPECT_THAT(refusal_of(R"({"source":"aws.securityhub","detail-type":"Security Hub Insight Results",
      "detail":{"insightName":"n","insightResults":[{"a":2}]}})"),
              HasSubstr("'Security Hub Insight Results' of aws.securityhub counts findings"));
  EXPECT_THAT(refusal_of(R"({"source":"aws.health","detail-type":"AWS Health Event","detail":{"service":"EC2"}})"),
              HasSubstr("'AWS Health Event' of aws.health tells of AWS's own service"));
  EXPECT_THAT(refusal_of(R"({"source":"aws.config","detail-type":"Config Configuration Item Change",
      "detail":{"configurationItem":{}}})"),
              HasSubstr("no rule's verdict on it"));
  EXPECT_THAT(refusal_of(R"({"source":"aws.s3","detail-type":"AWS API Call via CloudTrail","detail":{}})"),
              HasSubstr("'AWS API Call via CloudTrail' of aws.s3 tells of a call that somebody made"));
  EXPECT_THAT(refusal_of(R"({"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification",
      "detail":{"instance-id":"i-1","state":"running"}})"),
              HasSubstr("the event 'EC2 Instance State-change Notification' is of no form that is known; known are: "));
}

TEST(Asff, an_account_that_is_a_number_is_made_a_text) {
  const Taken taken = taken_from(with(finding(), "AwsAccountId", "111122223333"));
  EXPECT_EQ(taken.findings[0]["AwsAccountId"], json::Value("111122223333"));
  EXPECT_THAT(taken.repaired, ElementsAre("the account id was a number and was made a text: finding 1 ('f-1')"));
  // 012345678901 as a number has lost its zero.
  const Taken padded = taken_from(with(finding(), "AwsAccountId", "12345678901"));
  EXPECT_EQ(padded.findings[0]["AwsAccountId"], json::Value("012345678901"));
  EXPECT_THAT(padded.repaired[0], HasSubstr("with the zeros at its front that a number loses"));
  for (const std::string number : {"0", "-1", "1111222233334", "1.5", "1e30"})
    EXPECT_THAT(refusal_of(with(finding(), "AwsAccountId", number)), HasSubstr("finding 1 ('f-1'): AwsAccountId is "));
}

TEST(Asff, empty_and_missing_members_that_security_hub_refuses_are_put_right) {
  Taken taken = taken_from(with(finding(), "Types", "[]"));
  EXPECT_EQ(taken.findings[0]["Types"], parsed(R"(["Software and Configuration Checks"])"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Types was empty")));

  taken = taken_from(with(finding(), "Remediation", R"({"Recommendation":{"Text":"","Url":"https://example.com"}})"));
  EXPECT_EQ(taken.findings[0]["Remediation"], parsed(R"({"Recommendation":{"Url":"https://example.com"}})"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Remediation.Recommendation.Text was empty")));
  taken = taken_from(with(finding(), "Remediation", R"({"Recommendation":{"Text":" "}})"));
  EXPECT_EQ(taken.findings[0].find("Remediation"), nullptr);

  taken = taken_from(with(finding(), "Severity", R"({"Product":4,"Normalized":40})"));
  EXPECT_EQ(taken.findings[0]["Severity"]["Label"], json::Value("MEDIUM"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Severity had no Label")));

  taken = taken_from(with(finding(), "Description", R"("")"));
  EXPECT_EQ(taken.findings[0]["Description"], taken.findings[0]["Title"]);
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Description was empty")));
}

TEST(Asff, labels_in_small_letters_and_trivys_unknown_are_the_formats) {
  for (const auto& [given, label] : std::vector<std::pair<std::string, std::string>>{
           {"high", "HIGH"}, {"Critical", "CRITICAL"}, {"UNKNOWN", "INFORMATIONAL"}}) {
    const Taken taken = taken_from(with(finding(), "Severity", R"({"Label":")" + given + R"("})"));
    EXPECT_EQ(taken.findings[0]["Severity"]["Label"], json::Value(label));
    EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Severity.Label was '" + given + "' and is now " + label)));
  }
  const Taken urgent = taken_from(with(finding(), "Severity", R"({"Label":"URGENT"})"));
  EXPECT_EQ(urgent.findings[0]["Severity"]["Label"], json::Value("URGENT"));
  EXPECT_FALSE(findings::validate_asff(urgent.findings[0]));
}

TEST(Asff, product_fields_and_tags_that_are_too_long_are_cut) {
  const Taken taken =
      taken_from(with(with(finding(), "ProductFields", R"({"a":")" + std::string(2049, 'x') + R"("})"), "Resources",
                      R"([{"Type":"Other","Id":"x","Tags":{"t":")" + std::string(257, 'x') + R"("}}])"));
  EXPECT_EQ(taken.findings[0]["ProductFields"]["a"].as_string().size(), 2048U);
  EXPECT_EQ(taken.findings[0]["Resources"][0]["Tags"]["t"].as_string().size(), 256U);
  EXPECT_EQ(taken.repaired.size(), 2U);
}

TEST(Asff, texts_that_are_too_long_are_cut_between_characters) {
  std::string long_text;
  for (int i = 0; i < 1025; ++i) long_text += "\u00e9";
  const Taken taken = taken_from(with(finding(), "Description", "\"" + long_text + "\""));
  const std::string cut(taken.findings[0]["Description"].as_string());
  EXPECT_EQ(cut.size(), 1021 * 2 + 3U);
  EXPECT_TRUE(cut.ends_with("\u00e9..."));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Description had more than 1024 characters")));
  long_text.resize(1024 * 2);
  EXPECT_THAT(taken_from(with(finding(), "Description", "\"" + long_text + "\"")).repaired, IsEmpty());
}

TEST(Asff, numbers_among_texts_are_made_texts) {
  const Taken taken = taken_from(with(
      finding(), "Resources",
      R"([{"Type":"Container","Id":"image","Details":{"Other":{"score":7.5,"none":null,"yes":true,"text":"t","list":[1]}}}])"));
  EXPECT_EQ(taken.findings[0]["Resources"][0]["Details"]["Other"],
            parsed(R"({"score":"7.5","yes":"true","text":"t","list":"[1]"})"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("Resources.Details.Other held numbers")));
  EXPECT_EQ(taken_from(with(finding(), "ProductFields", R"({"count":3})")).findings[0]["ProductFields"],
            parsed(R"({"count":"3"})"));
}

TEST(Asff, times_in_javas_spelling_become_the_formats) {
  const Taken taken = taken_from(with(finding(), "UpdatedAt", R"("Dec 3, 2021, 6:02:30 PM")"));
  EXPECT_EQ(taken.findings[0]["UpdatedAt"], json::Value("2021-12-03T18:02:30.000Z"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("taken as UTC")));
  // Since JDK 20 a narrow no-break space stands before PM; 12 AM is midnight, 12 PM noon.
  EXPECT_EQ(taken_from(with(finding(), "UpdatedAt", "\"Feb 29, 2024, 12:00:00\u202fAM\"")).findings[0]["UpdatedAt"],
            json::Value("2024-02-29T00:00:00.000Z"));
  EXPECT_EQ(taken_from(with(finding(), "UpdatedAt", R"("Feb 29, 2024, 12:00:00 PM")")).findings[0]["UpdatedAt"],
            json::Value("2024-02-29T12:00:00.000Z"));
  // Python's datetime.utcnow().isoformat() names no zone.
  const Taken bare = taken_from(with(finding(), "UpdatedAt", R"("2024-01-02T03:04:05.678901")"));
  EXPECT_EQ(bare.findings[0]["UpdatedAt"], json::Value("2024-01-02T03:04:05.678901Z"));
  EXPECT_THAT(bare.repaired, ElementsAre(HasSubstr("a time named no zone")));
  // Nanoseconds are the format's own.
  EXPECT_THAT(taken_from(with(finding(), "UpdatedAt", R"("2020-08-10T07:28:17.000958601Z")")).repaired, IsEmpty());
  for (const std::string bad : {"Feb 30, 2024, 1:00:00 PM", "Feb 3, 2024, 13:00:00 PM", "Feb 3, 2024, 1:60:00 PM",
                                "Feb 3 2024, 1:00:00 PM", "Fev 3, 2024, 1:00:00 PM", "yesterday"})
    EXPECT_THAT(refusal_of(with(finding(), "UpdatedAt", "\"" + bad + "\"")),
                HasSubstr("finding 1 ('f-1'): UpdatedAt is '" + bad));
}

TEST(Asff, a_resources_bare_id_becomes_its_arn) {
  const auto id_of = [](const std::string& type, const std::string& id, const std::string& more = "") {
    return std::string(
        taken_from(with(finding(), "Resources", R"([{"Type":")" + type + R"(","Id":")" + id + "\"" + more + "}]"))
            .findings[0]["Resources"][0]["Id"]
            .as_string());
  };
  EXPECT_EQ(id_of("AwsRdsDbInstance", "db-1", R"(,"Region":"eu-west-1")"),
            "arn:aws:rds:eu-west-1:111111111111:db:db-1");
  EXPECT_EQ(id_of("AwsEc2SecurityGroup", "sg-1"), "arn:aws:ec2:us-east-1:111111111111:security-group/sg-1");
  EXPECT_EQ(id_of("AwsEc2SecurityGroup", "sg-1", R"(,"Region":"cn-north-1")"),
            "arn:aws-cn:ec2:cn-north-1:111111111111:security-group/sg-1");
  EXPECT_EQ(id_of("AwsIamUser", "team/ann", R"(,"Region":"us-gov-west-1")"),
            "arn:aws-us-gov:iam::111111111111:user/team/ann");
  EXPECT_EQ(id_of("AwsS3Bucket", "a-bucket"), "arn:aws:s3:::a-bucket");
  // What is an ARN or Security Hub's own name for something stays; so does what no ARN can be made of.
  for (const auto& [type, id] :
       std::vector<std::pair<std::string, std::string>>{{"AwsS3Bucket", "arn:aws:s3:::a"},
                                                        {"AwsAccount", "AWS::::Account:111111111111"},
                                                        {"AwsIamAccessKey", "AWS::IAM::AccessKey:null"},
                                                        {"AwsEc2Instance", "web-1"},
                                                        {"AwsIamUser", "AIDACKCEVSQ6C2EXAMPLE"},
                                                        {"AwsRdsDbInstance", "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
                                                        {"AwsSecretsManagerSecret", "secret"},
                                                        {"Container", "image (alpine 3.10.2)"},
                                                        {"Other", "sg-1"}})
    EXPECT_EQ(id_of(type, id), id);
}

TEST(Asff, regions_that_say_nothing_are_left_out) {
  const Taken taken = taken_from(
      with(finding(), "Resources", R"([{"Type":"AwsEc2Volume","Id":"vol-1","Region":"N/A","Partition":""}])"));
  EXPECT_EQ(taken.findings[0]["Resources"],
            parsed(R"([{"Type":"AwsEc2Volume","Id":"arn:aws:ec2:us-east-1:111111111111:volume/vol-1"}])"));
  EXPECT_EQ(taken.repaired.size(), 3U);
}

// What Trivy's template writes where the machine names no region.
TEST(Asff, a_product_without_a_region_is_of_who_brings_it) {
  const std::string document =
      with(finding(), "ProductArn", R"("arn:aws:securityhub:::product/aquasecurity/aquasecurity")");
  const Taken taken = taken_from(document, {"111111111111", "eu-west-3"});
  EXPECT_EQ(taken.findings[0]["Region"], json::Value("eu-west-3"));
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("no region was named; eu-west-3")));
  EXPECT_THAT(taken_from(with(document, "Region", R"("eu-west-1")")).repaired, IsEmpty());
}

TEST(Asff, a_sample_is_true_or_false) {
  EXPECT_EQ(valid_from(with(finding(), "Sample", "\"true\""))["Sample"], json::Value(true));
  EXPECT_THAT(taken_from(with(finding(), "Sample", "true")).repaired, IsEmpty());
  for (const std::string bad : {"\"yes\"", "1", "null", "{}"})
    EXPECT_FALSE(findings::validate_asff(taken_from(with(finding(), "Sample", bad)).findings[0])) << bad;
}

// https://github.com/aquasecurity/kube-bench/issues/1179
TEST(Asff, kube_bench_findings_of_two_clusters_are_two_findings) {
  const auto of_cluster = [](const std::string& cluster) {
    return with(
        with(with(finding(), "ProductArn", R"("arn:aws:securityhub:us-east-1::product/aqua-security/kube-bench")"),
             "Id", R"("arn:aws:securityhub:us-east-1::product/aqua-security/kube-bench111111111111EKSnodeID+3.2.9")"),
        "Resources", R"([{"Type":"Other","Id":"arn:aws:eks:us-east-1:111111111111:cluster/)" + cluster + R"("}])");
  };
  const Taken taken = taken_from("[" + of_cluster("blue") + "," + of_cluster("green") + "]");
  EXPECT_EQ(taken.findings[0]["Id"].as_string(),
            "arn:aws:securityhub:us-east-1::product/aqua-security/kube-bench111111111111EKSnodeID+3.2.9+"
            "arn:aws:eks:us-east-1:111111111111:cluster/blue");
  EXPECT_NE(taken.findings[0]["Id"], taken.findings[1]["Id"]);
  EXPECT_THAT(taken.repaired, ElementsAre(HasSubstr("the cluster was added to it: finding 1 (")));
  EXPECT_THAT(taken.repaired[0], HasSubstr("and 1 more"));
  // The same again is the same finding, and what has the cluster in its Id already stays.
  EXPECT_EQ(taken_from(of_cluster("blue")).findings[0]["Id"], taken.findings[0]["Id"]);
  EXPECT_EQ(taken_from(json::print(taken.findings[0])).findings[0]["Id"], taken.findings[0]["Id"]);
}

TEST(Asff, what_is_valid_is_not_touched) {
  EXPECT_THAT(taken_from(finding()).repaired, IsEmpty());
  EXPECT_EQ(taken_from(finding()).findings[0], parsed(finding()));
}

// A sentence is cut between characters, so that it stays UTF-8.
TEST(Asff, sentences_about_long_ids_are_text) {
  std::string id = "x";
  while (id.size() < 400) id += "\u00e9";
  const Taken taken = taken_from(with(with(finding(), "Id", "\"" + id + "\""), "Types", "[]"));
  ASSERT_EQ(taken.repaired.size(), 1U);
  EXPECT_TRUE(is_valid_utf8(taken.repaired[0]));
  EXPECT_TRUE(is_valid_utf8(
      refusal_of(with(with(finding(), "Id", "\"" + id + id + id + "\""), "UpdatedAt", "\"" + id + "\""))));
}

// What no repair knows is left as it is, for the validation to name.
TEST(Asff, other_faults_are_left_to_the_validation) {
  for (const auto& [member, value] : std::vector<std::pair<std::string, std::string>>{{"Title", "\"\""},
                                                                                      {"Severity", "7"},
                                                                                      {"Types", "7"},
                                                                                      {"Resources", "{}"},
                                                                                      {"Remediation", "[]"},
                                                                                      {"ProductArn", "null"}}) {
    const Taken taken = taken_from(with(finding(), member, value));
    EXPECT_EQ(taken.findings[0][member], parsed(value)) << member;
    EXPECT_FALSE(findings::validate_asff(taken.findings[0])) << member;
  }
}

}  // namespace
}  // namespace fixpoint::sources
