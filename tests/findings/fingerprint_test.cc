#include "findings/fingerprint.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::findings {
namespace {

using json::Value;

Value finding() {
  return json::parse(R"({"Id": "f/1", "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub",
    "AwsAccountId": "111111111111", "Region": "us-east-1", "UpdatedAt": "2024-01-02T03:04:05.678Z", "Title": "t",
    "Resources": [{"Type": "AwsEc2SecurityGroup", "Id": "arn:aws:ec2:us-east-1:111111111111:security-group/sg-1"}],
    "Compliance": {"Status": "FAILED"}})")
      .value();
}

std::string fingerprint(const Value& of, const char* control = "EC2.13") {
  return work_of(of, control, of["Resources"][0]).fingerprint();
}

TEST(Fingerprint, is_of_control_account_region_and_resource) {
  const Value one = finding();
  EXPECT_EQ(fingerprint(one).size(), 32U);
  Value copy = one;
  copy.set("Id", "f/2");
  copy.set("ProductArn", "arn:aws:securityhub:eu-west-1::product/aws/securityhub");
  copy.set("Region", "eu-west-1");  // the hub's copy: the resource says where it is
  EXPECT_EQ(fingerprint(copy), fingerprint(one));
  EXPECT_NE(fingerprint(one, "EC2.14"), fingerprint(one));
  Value account = one;
  account.set("AwsAccountId", "222222222222");
  EXPECT_NE(fingerprint(account), fingerprint(one));
  Value resource = one;
  resource.set("Resources",
               json::Array{Value(json::Object{{"Id", "arn:aws:ec2:us-east-1:111111111111:security-group/sg-2"}})});
  EXPECT_NE(fingerprint(resource), fingerprint(one));
}

// Security Hub reports the account as AWS::::Account:111111111111 for settings that every Region has of its own.
TEST(Fingerprint, takes_the_findings_region_where_the_resource_is_no_arn) {
  Value one = finding();
  one.set("Resources", json::Array{Value(json::Object{{"Id", "AWS::::Account:111111111111"}})});
  Value two = one;
  two.set("Region", "eu-west-1");
  EXPECT_NE(fingerprint(one), fingerprint(two));
}

TEST(Fingerprint, is_one_for_what_has_no_region_wherever_it_was_reported) {
  Value one = finding();
  one.set("Resources", json::Array{Value(json::Object{{"Id", "arn:aws:iam::111111111111:user/ann"}})});
  Value two = one;
  two.set("Region", "eu-west-1");
  EXPECT_EQ(fingerprint(one), fingerprint(two));
}

TEST(Fingerprint, is_empty_where_no_resource_is_named) {
  Value none = finding();
  none.set("Resources", json::Array());
  EXPECT_EQ(fingerprint(none), "");
  EXPECT_EQ(fingerprint(Value()), "");
  EXPECT_EQ(work_of(Value("text"), "S3.4", Value(7)).fingerprint(), "");
}

TEST(Place, is_what_the_arn_says_else_the_resource_else_the_finding) {
  const auto region = [](const char* id, const char* of_resource, const char* of_finding) {
    json::Object resource{{"Id", id}};
    if (of_resource != nullptr) resource.set("Region", of_resource);
    json::Object one{{"AwsAccountId", "111111111111"}};
    if (of_finding != nullptr) one.set("Region", of_finding);
    const Place place = place_of(Value(one), Value(resource), "eu-north-1");
    EXPECT_EQ(place.account, "111111111111");
    return place.region;
  };
  const auto* group = "arn:aws:ec2:eu-west-1:111111111111:security-group/sg-1";
  EXPECT_EQ(region(group, "us-east-1", "us-east-2"), "eu-west-1");
  EXPECT_EQ(region("arn:aws:s3:::b", "us-east-1", "us-east-2"), "us-east-1");
  EXPECT_EQ(region("arn:aws:s3:::b", nullptr, "us-east-2"), "us-east-2");
  EXPECT_EQ(region("arn:aws:iam::111111111111:user/ann", "global", "us-east-2"), "us-east-2");
  EXPECT_EQ(region("sg-1", nullptr, nullptr), "eu-north-1");
  EXPECT_EQ(region("sg-1", "global", "global"), "eu-north-1");
}

TEST(Place, an_arn_of_another_account_contradicts_its_finding) {
  const auto other = [](const char* id) {
    return contradicted_account(Value(json::Object{{"AwsAccountId", "111111111111"}}), Value(json::Object{{"Id", id}}));
  };
  EXPECT_EQ(other("arn:aws:kms:us-east-1:222222222222:key/k"), "222222222222");
  EXPECT_EQ(other("arn:aws:kms:us-east-1:111111111111:key/k"), "");
  EXPECT_EQ(other("arn:aws:s3:::b"), "");
  EXPECT_EQ(other("arn:aws:iam::aws:policy/ReadOnlyAccess"), "");
  EXPECT_EQ(other("AWS::::Account:222222222222"), "");
  EXPECT_EQ(other(""), "");
}

TEST(ContentDigest, does_not_see_times_nor_what_the_customer_writes) {
  const Value one = finding();
  Value later = one;
  later.set("UpdatedAt", "2024-02-02T03:04:05.678Z");
  later.set("LastObservedAt", "2024-02-02T03:04:05.678Z");
  later.set("ProcessedAt", "2024-02-02T03:04:05.678Z");
  later.set("Note", json::Object{{"Text", "x"}});
  later.set("Workflow", json::Object{{"Status", "NOTIFIED"}});
  later.set("UserDefinedFields", json::Object{{"a", "b"}});
  EXPECT_EQ(content_digest(later), content_digest(one));
  Value passed = one;
  passed.set("Compliance", json::Object{{"Status", "PASSED"}});
  EXPECT_NE(content_digest(passed), content_digest(one));
  EXPECT_NE(content_digest(Value()), content_digest(one));
}

TEST(UpdatedByExecution, is_known_by_the_note_of_the_same_moment) {
  Value one = finding();
  EXPECT_EQ(updated_by_execution(one, "fixpoint"), "");
  one.set("UserDefinedFields", json::Object{{"fixpoint:execution", "e-1"}});
  one.set("Note", json::Object{{"UpdatedBy", "fixpoint"}, {"UpdatedAt", one["UpdatedAt"]}});
  EXPECT_EQ(updated_by_execution(one, "fixpoint"), "e-1");
  EXPECT_EQ(updated_by_execution(one, "somebody"), "");
  one.set("UpdatedAt", "2024-01-02T03:04:06.678Z");  // the provider came after it
  EXPECT_EQ(updated_by_execution(one, "fixpoint"), "");
}

}  // namespace
}  // namespace fixpoint::findings
