#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "changes/caps.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;
using testing::ElementsAreArray;

const Recipes& recipes() {
  static const Recipes loaded = Recipes::load(catalog::Catalog::embedded()).value();
  return loaded;
}

std::vector<std::string> resources(const std::string& service, const std::string& operation, const char* input) {
  Mandate mandate;
  mandate.kind = "function";
  mandate.account = "111111111111";
  mandate.region = "eu-west-1";
  Change change;
  change.account = mandate.account;
  change.region = mandate.region;
  change.service = service;
  change.operation = operation;
  change.input = json::parse(input).value();
  auto found = resources_of(recipes().find(service, operation), mandate, change);
  EXPECT_TRUE(found) << service << ":" << operation << ": " << (found ? "" : describe(found.error()));
  return found ? *found : std::vector<std::string>();
}

// What a call touches, as AWS writes its ARN: the resource types of
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
TEST(Resources, of_a_call_are_arns_where_there_are_any) {
  const struct {
    const char* service;
    const char* operation;
    const char* input;
    std::vector<std::string> touched;
  } table[] = {
      {"s3", "PutBucketEncryption", R"({"Bucket":"b"})", {"arn:aws:s3:::b"}},
      {"s3", "PutObject", R"({"Bucket":"b","Key":"a/k"})", {"arn:aws:s3:::b/a/k"}},
      {"s3",
       "DeleteObjects",
       R"({"Bucket":"b","Delete":{"Objects":[{"Key":"x"},{"Key":"y"}]}})",
       {"arn:aws:s3:::b/x", "arn:aws:s3:::b/y"}},
      {"s3control", "PutPublicAccessBlock", R"({"AccountId":"111111111111"})", {"AWS::::Account:111111111111"}},
      {"ec2",
       "RevokeSecurityGroupIngress",
       R"({"GroupId":"sg-1"})",
       {"arn:aws:ec2:eu-west-1:111111111111:security-group/sg-1"}},
      {"ec2", "RevokeSecurityGroupIngress", R"({"GroupName":"web"})", {"web"}},  // no ARN has a name in it
      {"ec2",
       "StopInstances",
       R"({"InstanceIds":["i-1","i-2"]})",
       {"arn:aws:ec2:eu-west-1:111111111111:instance/i-1", "arn:aws:ec2:eu-west-1:111111111111:instance/i-2"}},
      {"ec2",
       "ModifyInstanceMetadataOptions",
       R"({"InstanceId":"i-1"})",
       {"arn:aws:ec2:eu-west-1:111111111111:instance/i-1"}},
      {"ec2",
       "CreateFlowLogs",
       R"({"ResourceIds":["vpc-1","subnet-2","eni-3"]})",
       {"arn:aws:ec2:eu-west-1:111111111111:vpc/vpc-1", "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-2",
        "arn:aws:ec2:eu-west-1:111111111111:network-interface/eni-3"}},
      {"ec2", "DeleteFlowLogs", R"({"FlowLogIds":["fl-1"]})", {"arn:aws:ec2:eu-west-1:111111111111:vpc-flow-log/fl-1"}},
      {"ec2",
       "CreateTags",
       R"({"Resources":["vol-1","ami-2","snap-3","odd"],"Tags":[]})",
       {"arn:aws:ec2:eu-west-1:111111111111:volume/vol-1", "arn:aws:ec2:eu-west-1::image/ami-2",
        "arn:aws:ec2:eu-west-1::snapshot/snap-3", "odd"}},
      {"ec2", "ModifySnapshotAttribute", R"({"SnapshotId":"snap-1"})", {"arn:aws:ec2:eu-west-1::snapshot/snap-1"}},
      {"ec2", "DeregisterImage", R"({"ImageId":"ami-1"})", {"arn:aws:ec2:eu-west-1::image/ami-1"}},
      {"ec2", "CreateSnapshot", R"({"VolumeId":"vol-1"})", {"arn:aws:ec2:eu-west-1:111111111111:volume/vol-1"}},
      {"ec2",
       "CreateNetworkAclEntry",
       R"({"NetworkAclId":"acl-1"})",
       {"arn:aws:ec2:eu-west-1:111111111111:network-acl/acl-1"}},
      {"ec2", "CreateNetworkAcl", R"({"VpcId":"vpc-1"})", {"arn:aws:ec2:eu-west-1:111111111111:vpc/vpc-1"}},
      {"ec2",
       "DeleteVpcEndpoints",
       R"({"VpcEndpointIds":["vpce-1"]})",
       {"arn:aws:ec2:eu-west-1:111111111111:vpc-endpoint/vpce-1"}},
      {"ec2",
       "ReleaseAddress",
       R"({"AllocationId":"eipalloc-1"})",
       {"arn:aws:ec2:eu-west-1:111111111111:elastic-ip/eipalloc-1"}},
      {"ec2",
       "ModifyTransitGateway",
       R"({"TransitGatewayId":"tgw-1"})",
       {"arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-1"}},
      {"ec2", "EnableEbsEncryptionByDefault", "{}", {"AWS::::Account:111111111111"}},
      {"iam", "UpdateAccountPasswordPolicy", "{}", {"AWS::::Account:111111111111"}},
      {"iam",
       "DetachRolePolicy",
       R"({"RoleName":"r","PolicyArn":"arn:aws:iam::aws:policy/P"})",
       {"arn:aws:iam::111111111111:role/r"}},
      {"iam", "UpdateAccessKey", R"({"UserName":"ann","AccessKeyId":"AKIA"})", {"arn:aws:iam::111111111111:user/ann"}},
      {"iam", "DeleteAccessKey", R"({"AccessKeyId":"AKIA"})", {"AKIA"}},
      {"iam", "CreateVirtualMFADevice", R"({"VirtualMFADeviceName":"m"})", {"arn:aws:iam::111111111111:mfa/m"}},
      {"iam", "CreatePolicy", R"({"PolicyName":"p","Path":"/own/"})", {"arn:aws:iam::111111111111:policy/own/p"}},
      {"kms", "EnableKeyRotation", R"({"KeyId":"k"})", {"arn:aws:kms:eu-west-1:111111111111:key/k"}},
      {"kms",
       "EnableKeyRotation",
       R"({"KeyId":"arn:aws:kms:eu-west-1:111111111111:key/k"})",
       {"arn:aws:kms:eu-west-1:111111111111:key/k"}},
      {"kms",
       "CreateAlias",
       R"({"AliasName":"alias/a","TargetKeyId":"k"})",
       {"arn:aws:kms:eu-west-1:111111111111:alias/a"}},
      {"cloudtrail", "StartLogging", R"({"Name":"t"})", {"arn:aws:cloudtrail:eu-west-1:111111111111:trail/t"}},
      {"lambda",
       "RemovePermission",
       R"({"FunctionName":"f","StatementId":"s"})",
       {"arn:aws:lambda:eu-west-1:111111111111:function:f"}},
      {"lambda", "RemovePermission", R"({"FunctionName":"f:7"})", {"arn:aws:lambda:eu-west-1:111111111111:function:f"}},
      {"lambda",
       "RemovePermission",
       R"({"FunctionName":"111111111111:function:f"})",
       {"arn:aws:lambda:eu-west-1:111111111111:function:f"}},
      {"lambda",
       "RemovePermission",
       R"({"FunctionName":"arn:aws:lambda:eu-west-1:111111111111:function:f:live"})",
       {"arn:aws:lambda:eu-west-1:111111111111:function:f"}},
      {"logs",
       "PutRetentionPolicy",
       R"({"logGroupName":"/a/b"})",
       {"arn:aws:logs:eu-west-1:111111111111:log-group:/a/b"}},
      {"logs",
       "AssociateKmsKey",
       R"({"resourceIdentifier":"arn:aws:logs:eu-west-1:111111111111:log-group:/a/b:*"})",
       {"arn:aws:logs:eu-west-1:111111111111:log-group:/a/b"}},
      {"sns",
       "SetTopicAttributes",
       R"({"TopicArn":"arn:aws:sns:eu-west-1:111111111111:t"})",
       {"arn:aws:sns:eu-west-1:111111111111:t"}},
      {"sns", "CreateTopic", R"({"Name":"t"})", {"arn:aws:sns:eu-west-1:111111111111:t"}},
      {"sns",
       "Unsubscribe",
       R"({"SubscriptionArn":"arn:aws:sns:eu-west-1:111111111111:t:2bcfbf39"})",
       {"arn:aws:sns:eu-west-1:111111111111:t"}},
      {"sqs",
       "SetQueueAttributes",
       R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/222222222222/q"})",
       {"arn:aws:sqs:eu-west-1:222222222222:q"}},
      {"sqs", "CreateQueue", R"({"QueueName":"q"})", {"arn:aws:sqs:eu-west-1:111111111111:q"}},
      {"rds", "ModifyDBInstance", R"({"DBInstanceIdentifier":"Pay"})", {"arn:aws:rds:eu-west-1:111111111111:db:pay"}},
      {"rds",
       "ModifyDBCluster",
       R"({"DBClusterIdentifier":"ledger"})",
       {"arn:aws:rds:eu-west-1:111111111111:cluster:ledger"}},
      {"rds",
       "ModifyDBSnapshotAttribute",
       R"({"DBSnapshotIdentifier":"s"})",
       {"arn:aws:rds:eu-west-1:111111111111:snapshot:s"}},
      {"rds",
       "CopyDBClusterSnapshot",
       R"({"SourceDBClusterSnapshotIdentifier":"arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:s"})",
       {"arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:s"}},
      {"rds",
       "AddTagsToResource",
       R"({"ResourceName":"arn:aws:rds:eu-west-1:111111111111:db:pay"})",
       {"arn:aws:rds:eu-west-1:111111111111:db:pay"}},
  };
  for (const auto& row : table)
    EXPECT_THAT(resources(row.service, row.operation, row.input), ElementsAreArray(row.touched))
        << row.service << ":" << row.operation << " " << row.input;
}

// Things that are made without a name are told apart by what they are made of.
TEST(Resources, of_what_gets_its_name_from_aws_are_what_it_is_made_of) {
  EXPECT_NE(resources("ec2", "CreateVpc", R"({"CidrBlock":"10.1.0.0/16"})"),
            resources("ec2", "CreateVpc", R"({"CidrBlock":"10.2.0.0/16"})"));
  EXPECT_NE(resources("kms", "CreateKey", R"({"Description":"a"})"),
            resources("kms", "CreateKey", R"({"Description":"b"})"));
}

TEST(CatalogRecipes, of_the_services_with_recipes_each_says_what_its_call_touches) {
  for (const auto& [name, recipe] : recipes().all()) EXPECT_TRUE(recipe.resource) << name << " does not say 'resource'";
}

}  // namespace
}  // namespace fixpoint::changes
