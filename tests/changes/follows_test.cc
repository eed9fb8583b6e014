#include <gtest/gtest.h>

#include "changes/inverse.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

const Recipes& recipes() {
  static const Recipes loaded = Recipes::load(catalog::Catalog::embedded()).value();
  return loaded;
}

/// A change that was made, with the states as JSON; null is absent.
Change made(const std::string& service, const std::string& operation, const char* input, const char* before,
            const char* left) {
  const auto state = [](const char* text) {
    Value parsed = json::parse(text).value();
    return parsed.is_null() ? std::optional<Value>() : std::optional(std::move(parsed));
  };
  Change change;
  change.account = "111111111111";
  change.region = "eu-west-1";
  change.service = service;
  change.operation = operation;
  change.input = json::parse(input).value();
  change.before = state(before);
  change.before_read = true;
  change.left = state(left);
  change.left_read = true;
  return change;
}

bool follow(const Change& earlier, const Change& later) {
  return follows(recipes(), earlier, later);
}

TEST(Follows, a_change_the_one_of_the_same_thing_that_left_what_it_saw) {
  const Change taken = made("s3", "DeleteBucketPolicy", R"({"Bucket": "a"})", R"("{}")", "null");
  const Change put = made("s3", "PutBucketPolicy", R"({"Bucket": "a", "Policy": "[]"})", "null", R"("[]")");
  EXPECT_TRUE(follow(taken, put));
  EXPECT_FALSE(follow(put, taken));  // it saw something else
  Change expected = put;
  expected.input.set("ExpectedBucketOwner", "111111111111");
  EXPECT_TRUE(follow(taken, expected));
  Change unread = taken;
  unread.left_read = false;
  EXPECT_FALSE(follow(unread, put));
}

// What is absent of one bucket is as absent of the other.
TEST(Follows, no_change_of_another_thing_account_or_region) {
  const Change taken = made("s3", "DeleteBucketPolicy", R"({"Bucket": "a"})", R"("{}")", "null");
  EXPECT_FALSE(follow(taken, made("s3", "PutBucketPolicy", R"({"Bucket": "b"})", "null", R"("[]")")));
  const Change on = made("ec2", "EnableEbsEncryptionByDefault", "{}", "false", "true");
  Change off = made("ec2", "DisableEbsEncryptionByDefault", "{}", "true", "false");
  EXPECT_TRUE(follow(on, off));
  off.region = "eu-central-1";
  EXPECT_FALSE(follow(on, off));
  off.region = on.region;
  off.account = "222222222222";
  EXPECT_FALSE(follow(on, off));
}

TEST(Follows, a_thing_that_is_named_by_its_id_and_by_its_arn) {
  const Change on = made("kms", "EnableKeyRotation", R"({"KeyId": "k-1"})", R"({"KeyRotationEnabled": false})",
                         R"({"KeyRotationEnabled": true})");
  const auto off = [](const char* key) {
    return made("kms", "DisableKeyRotation", key, R"({"KeyRotationEnabled": true})",
                R"({"KeyRotationEnabled": false})");
  };
  EXPECT_TRUE(follow(on, off(R"({"KeyId": "arn:aws:kms:eu-west-1:111111111111:key/k-1"})")));
  EXPECT_FALSE(follow(on, off(R"({"KeyId": "arn:aws:kms:eu-west-1:222222222222:key/k-1"})")));
  EXPECT_FALSE(follow(on, off(R"({"KeyId": "arn:aws:kms:eu-central-1:111111111111:key/k-1"})")));
  EXPECT_FALSE(follow(on, off(R"({"KeyId": "arn:aws:kms:eu-west-1:111111111111:key/kk-1"})")));
}

TEST(Follows, no_change_of_another_part_of_the_same_thing) {
  const auto attribute = [](const char* input, const char* before, const char* left) {
    return made("sns", "SetTopicAttributes", input, before, left);
  };
  const Change cleared =
      attribute(R"({"TopicArn": "t", "AttributeName": "DisplayName"})", R"({"Value": "x"})", R"({"Value": ""})");
  EXPECT_TRUE(follow(cleared, attribute(R"({"TopicArn": "t", "AttributeName": "DisplayName", "AttributeValue": "y"})",
                                        R"({"Value": ""})", R"({"Value": "y"})")));
  EXPECT_FALSE(follow(cleared, attribute(R"({"TopicArn": "t", "AttributeName": "DeliveryPolicy"})", R"({"Value": ""})",
                                         R"({"Value": "{}"})")));
  // One names the tags, the other their keys; what both read names them itself.
  const char* tag = R"([{"Key": "k", "Value": "v"}])";
  const Change tagged = made("sns", "TagResource", R"({"ResourceArn": "t", "Tags": [{"Key": "k"}]})", "[]", tag);
  EXPECT_TRUE(follow(tagged, made("sns", "UntagResource", R"({"ResourceArn": "t", "TagKeys": ["k"]})", tag, "[]")));
  const Change untagged = made("sns", "UntagResource", R"({"ResourceArn": "t", "TagKeys": ["k"]})", tag, "[]");
  EXPECT_FALSE(follow(untagged, made("sns", "TagResource", R"({"ResourceArn": "t", "Tags": [{"Key": "l"}]})", "[]",
                                     R"([{"Key": "l", "Value": "v"}])")));
}

}  // namespace
}  // namespace fixpoint::changes
