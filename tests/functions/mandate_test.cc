// Which findings an event carries, for what a function may do.
#include "functions/mandate.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::functions {
namespace {

using json::Value;

constexpr const char* in_ocsf = R"({"class_uid":2004,
  "cloud":{"account":{"uid":"111111111111"},"provider":"AWS","region":"us-east-1"},
  "finding_info":{"uid":"f-1","title":"t","created_time":1704164645678},
  "metadata":{"product":{"uid":"arn:aws:securityhub:us-east-1::productv2/aws/securityhub"}},
  "resources":[{"type":"AWS::S3::Bucket","uid":"arn:aws:s3:::a"}],"severity_id":4,"status_id":1})";

// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-v2-cwe-event-formats.html
TEST(FindingsInEvent, of_security_hub_v2_are_given_in_the_finding_format) {
  const Value event =
      *json::parse(R"({"detail-type":"Findings Imported V2","detail":{"findings":[)" + std::string(in_ocsf) + "]}}");
  const Value findings = findings_in_event(event);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0]["Id"], Value("f-1"));
  EXPECT_EQ(findings[0]["ProductArn"], Value("arn:aws:securityhub:us-east-1::product/aws/securityhub"));
  EXPECT_EQ(findings[0]["Resources"][0]["Id"], Value("arn:aws:s3:::a"));
}

TEST(FindingsInEvent, what_is_no_finding_is_left_out) {
  const Value event = *json::parse(R"({"detail":{"findings":[{"class_uid":2004},{"Id":"without product"},7,
    {"Id":"f-2","ProductArn":"p"}]}})");
  const Value findings = findings_in_event(event);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0]["Id"], Value("f-2"));
}

}  // namespace
}  // namespace fixpoint::functions
