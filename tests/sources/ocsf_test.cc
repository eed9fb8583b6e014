// Findings in OCSF, as Prowler writes them and Security Hub V2 sends them; what becomes of each member is tried in
// tests/findings/ocsf_test.cc.
#include "findings/ocsf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controls/control.h"
#include "reading.h"

namespace fixpoint::sources {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string document() {
  return R"({"class_uid":2004,"activity_id":1,"cloud":{"account":{"uid":"222222222222"},"provider":"aws","region":"eu-west-1"},
    "finding_info":{"uid":"prowler-aws-1","title":"No encryption","created_time":1704164645},
    "metadata":{"event_code":"s3_bucket_default_encryption","product":{"name":"Prowler","uid":"prowler"}},
    "resources":[{"type":"AwsS3Bucket","uid":"arn:aws:s3:::a"}],"severity_id":4,"status_id":1,"status_code":"FAIL",
    "risk_details":"Data may be read."})";
}

TEST(OcsfForm, one_finding_a_list_an_answer_and_an_event_hold_the_same) {
  for (const std::string& whole :
       {document(), "[" + document() + "]", R"({"Findings":[)" + document() + "]}",
        R"({"source":"aws.securityhub","detail-type":"Findings Imported V2","detail":{"findings":[)" + document() +
            "]}}"}) {
    const Taken taken = taken_from(whole);
    ASSERT_EQ(taken.findings.size(), 1U) << whole;
    ASSERT_EQ(taken.originals.size(), 1U);
    EXPECT_EQ(taken.originals[0]["risk_details"], json::Value("Data may be read."));
    EXPECT_EQ(taken.originals[0]["severity"], json::Value("High"));
    EXPECT_THAT(taken.repaired, IsEmpty());
    const json::Value& finding = taken.findings[0];
    EXPECT_TRUE(findings::validate_asff(finding));
    EXPECT_EQ(finding["Id"], json::Value("prowler-aws-1"));
    EXPECT_EQ(finding["AwsAccountId"], json::Value("222222222222"));
    EXPECT_EQ(finding["Region"], json::Value("eu-west-1"));
    EXPECT_EQ(finding["Severity"]["Label"], json::Value("HIGH"));
  }
  // Beside another form, which has no original.
  const Taken both = taken_from("[" + finding() + "," + document() + "]");
  ASSERT_EQ(both.originals.size(), 2U);
  EXPECT_TRUE(both.originals[0].is_null());
  EXPECT_TRUE(both.originals[1].is_object());
}

TEST(OcsfForm, a_check_of_prowler_is_the_controls_that_lists_it) {
  const auto controls = controls::ControlSet::load(catalog::Catalog::embedded()).value();
  const auto control_of = [&](const std::string& check) {
    const auto found =
        controls.find(findings::control_of(valid_from(with(document(), "metadata.event_code", "\"" + check + "\""))));
    return found ? found->id : "none";
  };
  EXPECT_EQ(control_of("s3_bucket_default_encryption"), "S3.4");
  EXPECT_EQ(control_of("kms_cmk_rotation_enabled"), "KMS.4");
  EXPECT_EQ(control_of("ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22"), "EC2.13");
  EXPECT_EQ(control_of("s3_bucket_object_versioning"), "none");
}

TEST(OcsfForm, what_is_wrong_is_named_by_place_id_and_ocsfs_own_member) {
  EXPECT_EQ(
      refusal_of("[" + document() + "," + with(document(), "cloud.provider", "\"gcp\"") + "]"),
      "finding 2 ('prowler-aws-1'): cloud.provider is 'gcp'; only findings about AWS accounts are taken (provider "
      "AWS)");
  EXPECT_THAT(
      refusal_of(without(document(), "cloud")),
      HasSubstr("finding 1 ('prowler-aws-1'): cloud.account.uid is missing: the finding is about no AWS account"));
  EXPECT_THAT(refusal_of(without(document(), "finding_info.uid")),
              HasSubstr("finding 1 (without Id): finding_info.uid is missing"));
  EXPECT_THAT(refusal_of(with(document(), "class_uid", "1001")), HasSubstr("class_uid is 1001; taken are "));
  const auto where = take(parsed(without(document(), "resources")), caller);
  ASSERT_FALSE(where);
  EXPECT_EQ(where.error().where, "findings[0].resources");
}

}  // namespace
}  // namespace fixpoint::sources
