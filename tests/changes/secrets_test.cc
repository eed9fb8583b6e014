#include "changes/secrets.h"

#include <gtest/gtest.h>

#include "aws/models.h"
#include "changes/door.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;

const aws::Models& models() {
  static const auto all = aws::Models::open({.pack = {}, .overlay = {}}).value();
  return *all;
}

Value kept(const char* service, const char* operation, bool output, const char* text) {
  const auto model = models().get(service).value();
  const aws::Operation* op = model->find_operation(operation);
  const Value value = json::parse(text).value();
  const auto hidden = without_secrets(output ? op->output : op->input, value);
  return hidden ? *hidden : value;
}

// What the models mark: https://smithy.io/2.0/spec/documentation-traits.html#sensitive-trait
TEST(Secrets, passwords_and_secret_keys_are_not_kept) {
  EXPECT_EQ(json::print(kept("iam", "CreateLoginProfile", false, R"j({"UserName":"me","Password":"hunter2"})j")),
            R"j({"UserName":"me","Password":"(secret, not kept)"})j");
  EXPECT_EQ(json::print(kept("iam", "CreateAccessKey", true,
                             R"j({"AccessKey":{"AccessKeyId":"AKIA","SecretAccessKey":"s3cr3t"}})j")),
            R"j({"AccessKey":{"AccessKeyId":"AKIA","SecretAccessKey":"(secret, not kept)"}})j");
  EXPECT_EQ(json::print(
                kept("rds", "ModifyDBInstance", false, R"j({"DBInstanceIdentifier":"db","MasterUserPassword":"pw"})j")),
            R"j({"DBInstanceIdentifier":"db","MasterUserPassword":"(secret, not kept)"})j");
  EXPECT_EQ(json::print(kept("lambda", "UpdateFunctionConfiguration", false,
                             R"j({"FunctionName":"f","Environment":{"Variables":{"TOKEN":"t"}}})j")),
            R"j({"FunctionName":"f","Environment":{"Variables":{"TOKEN":"(secret, not kept)"}}})j");
}

// Values are called so by the models where they may be secret, and stay where EC2 marks them for the user data alone.
TEST(Secrets, values_are_kept_only_where_they_are_plain_attributes) {
  EXPECT_EQ(
      json::print(kept(
          "events", "CreateConnection", false,
          R"j({"Name":"c","AuthorizationType":"API_KEY","AuthParameters":{"ApiKeyAuthParameters":{"ApiKeyName":"K","ApiKeyValue":"s3cr3t"},"InvocationHttpParameters":{"HeaderParameters":[{"Key":"h","Value":"s3cr3t","IsValueSecret":true}]}}})j")),
      R"j({"Name":"c","AuthorizationType":"API_KEY","AuthParameters":{"ApiKeyAuthParameters":{"ApiKeyName":"K","ApiKeyValue":"(secret, not kept)"},"InvocationHttpParameters":{"HeaderParameters":[{"Key":"h","Value":"(secret, not kept)","IsValueSecret":true}]}}})j");
  EXPECT_EQ(json::print(kept("ec2", "ModifyInstanceAttribute", false,
                             R"j({"InstanceId":"i-1","Attribute":"userData","Value":"c2VjcmV0"})j")),
            R"j({"InstanceId":"i-1","Attribute":"userData","Value":"(secret, not kept)"})j");
}

TEST(Secrets, which_key_is_meant_stays_to_be_read) {
  const char* text =
      R"({"Bucket":"b","ServerSideEncryptionConfiguration":{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"k"}}]}})";
  EXPECT_EQ(json::print(kept("s3", "PutBucketEncryption", false, text)), text);
}

TEST(Secrets, what_a_rule_of_a_security_group_opens_stays_to_be_read) {
  const char* text =
      R"({"GroupId":"sg-1","IpPermissions":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"d"}],"UserIdGroupPairs":[{"GroupId":"sg-2"}]}]})";
  EXPECT_EQ(json::print(kept("ec2", "RevokeSecurityGroupIngress", false, text)), text);
  const char* attribute = R"({"InstanceId":"i-1","Attribute":"sourceDestCheck","Value":"false"})";
  EXPECT_EQ(json::print(kept("ec2", "ModifyInstanceAttribute", false, attribute)), attribute);
}

TEST(Secrets, what_has_none_is_left_alone) {
  const auto model = models().get("ec2").value();
  EXPECT_FALSE(
      without_secrets(model->find_operation("CreateTags")->input, json::parse(R"({"Resources":["r"]})").value()));
  EXPECT_FALSE(without_secrets(nullptr, Value(Object{{"Password", "x"}})));
  EXPECT_FALSE(without_secrets(model->find_operation("CreateTags")->input, Value("no object")));
}

// An account that makes keys and remembers what it was given.
class Account final : public aws::Api {
 public:
  Value given;
  Result<Value> call(const aws::CallContext&, std::string_view, std::string_view operation,
                     const Value& input) override {
    given = input;
    if (operation == "CreateAccessKey")
      return Value(Object{{"AccessKey", Object{{"AccessKeyId", "AKIA"}, {"SecretAccessKey", "s3cr3t"}}}});
    return Value(Object());
  }
};

TEST(Secrets, the_door_makes_the_call_with_the_secret_and_stores_it_without) {
  ManualClock clock{1'700'000'000'000};
  auto store = store::Store::open({.folder = {}, .durable = false}, {Door::schema(), audit::Log::schema()}).value();
  Account account;
  const Recipes recipes;
  Door door(*store, clock, account, recipes, &models());
  Mandate mandate;
  mandate.execution = "e";
  mandate.kind = "function";
  mandate.program = "f";
  mandate.account = "111111111111";
  mandate.region = "us-east-1";
  mandate.mode = "auto";
  mandate.decided_by = "a person";
  ASSERT_TRUE(store->write([&](store::Transaction& tx) { return Mandates::put(tx, mandate); }));
  const aws::CallContext context{.account = "111111111111", .region = "us-east-1", .execution = "e", .request_id = {}};
  const auto made = door.call(context, "1", "iam", "CreateAccessKey", Value(Object{{"UserName", "me"}}));
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ((*made)["AccessKey"]["SecretAccessKey"].string_or(""), "s3cr3t");
  ASSERT_TRUE(
      door.call(context, "2", "iam", "CreateLoginProfile", Value(Object{{"UserName", "me"}, {"Password", "hunter2"}})));
  EXPECT_EQ(account.given["Password"].string_or(""), "hunter2");
  const auto changes = door.of_execution("e").value();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ((*changes[0].output)["AccessKey"]["SecretAccessKey"].string_or(""), secret_mark);
  EXPECT_EQ(changes[1].input["Password"].string_or(""), secret_mark);
}

}  // namespace
}  // namespace fixpoint::changes
