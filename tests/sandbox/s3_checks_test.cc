#include "account.h"

namespace fixpoint::sandbox {
namespace {

// Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

std::string put_policy(Accounts& aws, const std::string& statement, const std::string& version = "2012-10-17") {
  auto answer = aws.call("s3:PutBucketPolicy", R"({Bucket: one, Policy: '{"Version":")" + version +
                                                   R"(","Statement":[{"Effect":"Allow",)" + statement + "}]}'}");
  return answer ? "OK" : answer.error().code + ": " + answer.error().message;
}

Accounts& with_bucket(Accounts& aws) {
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:DeletePublicAccessBlock", "{Bucket: one}");
  return aws;
}

TEST(S3Checks, a_bucket_policy_speaks_of_s3_and_of_its_bucket) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const std::string get = R"("Principal":"*","Action":"s3:GetObject",)";
  EXPECT_EQ(put_policy(aws, get + R"("Resource":"arn:aws:s3:::one/*")"), "OK");
  EXPECT_EQ(put_policy(aws, get + R"("Resource":["arn:aws:s3:::one","arn:aws:s3:::on*/a"])"), "OK");
  for (const auto resource : {"arn:aws:s3:::other/*", "one", "arn:aws:s3:::", "arn:aws:sqs:us-east-1:1:one"})
    EXPECT_EQ(put_policy(aws, get + R"("Resource":")" + resource + "\""),
              "MalformedPolicy: Policy has invalid resource")
        << resource;
  const std::string all = R"("Resource":"arn:aws:s3:::one/*","Principal":)";
  for (const auto action : {"ec2:RunInstances", "GetObject", "s3:"})
    EXPECT_EQ(put_policy(aws, all + R"("*","Action":")" + action + "\""), "MalformedPolicy: Policy has invalid action")
        << action;
  for (const auto principal : {R"({"AWS":"nobody"})", R"({"AWS":"12345"})", R"({"Aws":"*"})", R"("someone")", "{}",
                               R"({"AWS":[]})", R"({"AWS":"arn:aws:s3:::one"})"})
    EXPECT_EQ(put_policy(aws, all + principal + R"(,"Action":"s3:*")"), "MalformedPolicy: Invalid principal in policy")
        << principal;
  for (const auto principal : {R"({"AWS":"222222222222"})", R"({"AWS":["arn:aws:iam::222222222222:root","*"]})",
                               R"({"Service":"cloudtrail.amazonaws.com"})"})
    EXPECT_EQ(put_policy(aws, all + principal + R"(,"Action":"s3:*")"), "OK") << principal;
  EXPECT_EQ(put_policy(aws, get + R"("Resource":"arn:aws:s3:::one/*")", "2013-01-01"),
            "MalformedPolicy: The policy must contain a valid version string");
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
TEST(S3Checks, a_policy_is_public_unless_fixed_values_narrow_it_down) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const auto is_public = [&](const std::string& condition, const std::string& principal = "\"*\"") {
    EXPECT_EQ(put_policy(aws, R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::one/*","Principal":)" + principal +
                                  R"(,"Condition":{)" + condition + "}"),
              "OK");
    return aws.ok("s3:GetBucketPolicyStatus", "{Bucket: one}")["PolicyStatus"]["IsPublic"].as_bool();
  };
  EXPECT_TRUE(is_public(""));
  EXPECT_TRUE(is_public(R"("Bool":{"aws:SecureTransport":"true"})"));
  EXPECT_TRUE(is_public(R"("StringNotEquals":{"aws:SourceVpc":"vpc-1"})"));
  EXPECT_TRUE(is_public(R"("StringLike":{"aws:SourceVpc":"vpc-*"})"));
  EXPECT_TRUE(is_public(R"("StringEquals":{"aws:SourceVpc":["vpc-1","*"]})"));
  EXPECT_TRUE(is_public(R"("IpAddress":{"aws:SourceIp":"0.0.0.0/0"})"));
  EXPECT_TRUE(is_public(R"("IpAddress":{"aws:SourceIp":["10.0.0.0/8","8000::/1"]})"));
  EXPECT_TRUE(is_public(R"("StringEquals":{"aws:UserAgent":"me"})"));
  EXPECT_FALSE(is_public(R"("StringEquals":{"AWS:sourcevpce":"vpce-1"})"));
  EXPECT_FALSE(is_public(R"("IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.7"]})"));
  EXPECT_FALSE(is_public(R"("Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:PrincipalOrgID":"o-1"})"));
  EXPECT_FALSE(is_public("", R"({"AWS":"222222222222"})"));
  EXPECT_TRUE(is_public("", R"({"AWS":["222222222222","*"]})"));
  EXPECT_FALSE(is_public("", R"({"Service":"cloudtrail.amazonaws.com"})"));
  aws.ok("s3:PutPublicAccessBlock", "{Bucket: one, PublicAccessBlockConfiguration: {BlockPublicPolicy: true}}");
  EXPECT_EQ(put_policy(aws, R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::one/*","Principal":"*",)"
                            R"("Condition":{"Bool":{"aws:SecureTransport":"true"}})")
                .substr(0, 12),
            "AccessDenied");
}

TEST(S3Checks, tags_have_keys_of_their_own_and_none_of_aws) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const auto put = [&](const std::string& tags) {
    return aws.code("s3:PutBucketTagging", "{Bucket: one, Tagging: {TagSet: " + tags + "}}");
  };
  EXPECT_EQ(put("[{Key: a, Value: ''}, {Key: A, Value: b}]"), "OK");
  EXPECT_EQ(put("[{Key: a, Value: b}, {Key: a, Value: c}]"), "InvalidTag");
  EXPECT_EQ(put("[{Key: 'aws:a', Value: b}]"), "InvalidTag");
  EXPECT_EQ(put("[{Key: '', Value: b}]"), "InvalidTag");
  EXPECT_EQ(put("[{Key: " + std::string(129, 'k') + ", Value: b}]"), "InvalidTag");
  EXPECT_EQ(put("[{Key: k, Value: " + std::string(257, 'v') + "}]"), "InvalidTag");
  EXPECT_EQ(aws.ok("s3:GetBucketTagging", "{Bucket: one}")["TagSet"].size(), 2u);
  std::string many = "[";
  for (int i = 0; i < 11; ++i)
    many += (i == 0 ? "" : ", ") + std::string("{Key: k") + std::to_string(i) + ", Value: v}";
  many += "]";
  aws.ok("s3:PutObject", "{Bucket: one, Key: o, Body: ''}");
  EXPECT_EQ(aws.code("s3:PutObjectTagging", "{Bucket: one, Key: o, Tagging: {TagSet: " + many + "}}"), "BadRequest");
  EXPECT_EQ(put(many), "OK");
  // How many there are is seen before any is held against the others: tens of thousands took the one writer seconds.
  std::string same = "[{Key: k, Value: v}";
  for (int i = 0; i < 50; ++i) same += ", {Key: k, Value: v}";
  EXPECT_EQ(put(same + "]"), "BadRequest");
  EXPECT_EQ(put("[]"), "OK");
  EXPECT_EQ(aws.code("s3:GetBucketTagging", "{Bucket: one}"), "NoSuchTagSet");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
TEST(S3Checks, a_lifecycle_rule_has_to_be_one) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const auto put = [&](const std::string& rule) {
    return aws.code("s3:PutBucketLifecycleConfiguration",
                    "{Bucket: one, LifecycleConfiguration: {Rules: [{ID: a, " + rule + "}]}}");
  };
  const std::string on = "Status: Enabled, Filter: {Prefix: ''}, ";
  EXPECT_EQ(put(on + "Expiration: {Days: 1}"), "OK");
  EXPECT_EQ(put("Status: Enabled, Prefix: logs/, Expiration: {Days: 1}"), "OK");
  EXPECT_EQ(put("Status: Enabled, Filter: {}, AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}"), "OK");
  EXPECT_EQ(put(on + "Transitions: [{Days: 30, StorageClass: STANDARD_IA}], Expiration: {Days: 31}"), "OK");
  EXPECT_EQ(put("Status: On, Filter: {Prefix: ''}, Expiration: {Days: 1}"), "MalformedXML");
  EXPECT_EQ(put("Status: Enabled, Expiration: {Days: 1}"), "MalformedXML");
  EXPECT_EQ(put("Status: Enabled, Prefix: a, Filter: {Prefix: a}, Expiration: {Days: 1}"), "MalformedXML");
  EXPECT_EQ(put("Status: Enabled, Filter: {Prefix: a, Tag: {Key: k, Value: v}}, Expiration: {Days: 1}"),
            "MalformedXML");
  EXPECT_EQ(put(on + "Expiration: {Days: 1, Date: 1900000000}"), "MalformedXML");
  EXPECT_EQ(put(on + "Expiration: {Days: 1, ExpiredObjectDeleteMarker: true}"), "MalformedXML");
  EXPECT_EQ(put(on + "Expiration: {Days: 0}"), "InvalidArgument");
  EXPECT_EQ(put(on + "Transitions: [{Days: 30, StorageClass: ICE}]"), "MalformedXML");
  EXPECT_EQ(put(on + "Transitions: [{Days: 29, StorageClass: STANDARD_IA}]"), "InvalidArgument");
  EXPECT_EQ(put(on + "NoncurrentVersionTransitions: [{NoncurrentDays: 1, StorageClass: ONEZONE_IA}]"),
            "InvalidArgument");
  EXPECT_EQ(put(on + "Transitions: [{Days: 30, StorageClass: GLACIER}], Expiration: {Days: 30}"), "InvalidArgument");
  EXPECT_EQ(put("Status: Enabled, Filter: {Prefix: ''}"), "InvalidRequest");
  EXPECT_EQ(aws.ok("s3:GetBucketLifecycleConfiguration", "{Bucket: one}")["Rules"][0]["Expiration"]["Days"], 31);
}

TEST(S3Checks, settings_take_the_values_that_there_are) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const auto put = [&](const std::string& operation, const std::string& input) {
    return aws.code("s3:Put" + operation, "{Bucket: one, " + input + "}");
  };
  EXPECT_EQ(put("BucketVersioning", "VersioningConfiguration: {}"), "IllegalVersioningConfigurationException");
  EXPECT_EQ(put("BucketVersioning", "VersioningConfiguration: {Status: On}"), "MalformedXML");
  EXPECT_EQ(put("BucketVersioning", "VersioningConfiguration: {Status: Enabled, MFADelete: Enabled}"), "AccessDenied");
  EXPECT_EQ(put("PublicAccessBlock", "PublicAccessBlockConfiguration: {}"), "InvalidRequest");
  EXPECT_EQ(
      aws.code("s3control:PutPublicAccessBlock", "{AccountId: '111111111111', PublicAccessBlockConfiguration: {}}"),
      "InvalidRequest");
  EXPECT_EQ(put("BucketOwnershipControls", "OwnershipControls: {Rules: [{ObjectOwnership: Nobody}]}"), "MalformedXML");
  EXPECT_EQ(put("BucketOwnershipControls",
                "OwnershipControls: {Rules: [{ObjectOwnership: ObjectWriter}, {ObjectOwnership: ObjectWriter}]}"),
            "MalformedXML");
  EXPECT_EQ(put("BucketAccelerateConfiguration", "AccelerateConfiguration: {Status: Fast}"), "MalformedXML");
  EXPECT_EQ(put("BucketRequestPayment", "RequestPaymentConfiguration: {Payer: Me}"), "MalformedXML");
  EXPECT_EQ(put("BucketCors", "CORSConfiguration: {CORSRules: [{AllowedMethods: [READ], AllowedOrigins: ['*']}]}"),
            "InvalidRequest");
  EXPECT_EQ(put("BucketCors", "CORSConfiguration: {CORSRules: []}"), "MalformedXML");
  EXPECT_EQ(put("Object", "Key: k, Body: '', StorageClass: ICE"), "InvalidStorageClass");
  EXPECT_EQ(aws.ok("s3:GetBucketVersioning", "{Bucket: one}"), yaml("{}"));
  aws.ok("s3:CreateBucket", "{Bucket: a.b.c}");
  EXPECT_EQ(
      aws.code("s3:PutBucketAccelerateConfiguration", "{Bucket: a.b.c, AccelerateConfiguration: {Status: Enabled}}"),
      "InvalidRequest");
  aws.ok("s3:CreateBucket", "{Bucket: locked, ObjectLockEnabledForBucket: true}");
  for (const auto& [retention, code] : {std::pair{"{Mode: GOVERNANCE, Days: 1}", "OK"},
                                        {"{Mode: FIRM, Days: 1}", "MalformedXML"},
                                        {"{Mode: GOVERNANCE, Days: 1, Years: 1}", "MalformedXML"},
                                        {"{Mode: GOVERNANCE, Days: 0}", "InvalidArgument"}})
    EXPECT_EQ(aws.code("s3:PutObjectLockConfiguration",
                       "{Bucket: locked, ObjectLockConfiguration: {ObjectLockEnabled: Enabled, Rule: "
                       "{DefaultRetention: " +
                           std::string(retention) + "}}}"),
              code)
        << retention;
}

TEST(S3Checks, other_buckets_that_a_setting_names_have_to_fit) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  aws.ok("s3:CreateBucket", "{Bucket: there}");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: far, CreateBucketConfiguration: {LocationConstraint: eu-west-1}}"),
            "OK");
  EXPECT_EQ(aws.error("s3:PutBucketLogging",
                      "{Bucket: one, BucketLoggingStatus: {LoggingEnabled: {TargetBucket: far, TargetPrefix: ''}}}")
                .code,
            "CrossLocationLoggingProhibited");
  const auto replicate = [&](const std::string& bucket) {
    return aws.code("s3:PutBucketReplication",
                    "{Bucket: one, ReplicationConfiguration: {Role: 'arn:aws:iam::111111111111:role/r', Rules: "
                    "[{Status: Enabled, Prefix: '', Destination: {Bucket: '" +
                        bucket + "'}}]}}");
  };
  const std::string enable = ", VersioningConfiguration: {Status: Enabled}}";
  aws.ok("s3:PutBucketVersioning", "{Bucket: one" + enable);
  EXPECT_EQ(replicate("there"), "InvalidArgument");
  EXPECT_EQ(replicate("arn:aws:s3:::nowhere"), "InvalidRequest");
  EXPECT_EQ(replicate("arn:aws:s3:::there"), "InvalidRequest");
  aws.ok("s3:PutBucketVersioning", "{Bucket: there" + enable);
  EXPECT_EQ(replicate("arn:aws:s3:::there"), "OK");
  EXPECT_EQ(aws.code("s3:PutBucketVersioning", "{Bucket: one, VersioningConfiguration: {Status: Suspended}}"),
            "InvalidBucketState");
}

TEST(S3Checks, an_acl_grants_known_permissions_to_known_forms_of_grantees) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  aws.ok("s3:PutBucketOwnershipControls",
         "{Bucket: one, OwnershipControls: {Rules: [{ObjectOwnership: ObjectWriter}]}}");
  const auto owner = aws.ok("s3:GetBucketAcl", "{Bucket: one}")["Owner"]["ID"].as_string();
  const auto put = [&](const std::string& grant) {
    return aws.code("s3:PutBucketAcl",
                    "{Bucket: one, AccessControlPolicy: {Owner: {ID: '" + owner + "'}, Grants: [" + grant + "]}}");
  };
  const std::string all = "{Type: Group, URI: 'http://acs.amazonaws.com/groups/global/AllUsers'}";
  EXPECT_EQ(put("{Grantee: " + all + ", Permission: READ}"), "OK");
  EXPECT_EQ(put("{Grantee: " + all + ", Permission: LOOK}"), "MalformedACLError");
  EXPECT_EQ(put("{Grantee: {Type: Group, URI: 'http://acs.amazonaws.com/groups/global/Some'}, Permission: READ}"),
            "InvalidArgument");
  EXPECT_EQ(put("{Grantee: {Type: CanonicalUser, ID: me}, Permission: READ}"), "InvalidArgument");
  EXPECT_EQ(aws.code("s3:PutBucketAcl", "{Bucket: one, GrantRead: 'uri=\"http://acs.amazonaws.com/groups/x\"'}"),
            "InvalidArgument");
  EXPECT_EQ(aws.code("s3:PutBucketAcl", "{Bucket: one}"), "MissingSecurityHeader");
  EXPECT_EQ(aws.ok("s3:GetBucketAcl", "{Bucket: one}")["Grants"][0]["Permission"], "READ");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
TEST(S3Checks, mfa_delete_is_set_and_kept_with_the_device) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const auto put = [&](const std::string& more) {
    return aws.code("s3:PutBucketVersioning", "{Bucket: one, " + more + "}");
  };
  const std::string device = ", MFA: 'arn:aws:iam::111111111111:mfa/root-account-mfa-device 123456'";
  EXPECT_EQ(put("VersioningConfiguration: {Status: Enabled, MFADelete: Disabled}"), "OK");
  EXPECT_EQ(put("VersioningConfiguration: {Status: Enabled, MFADelete: Enabled}"), "AccessDenied");
  EXPECT_EQ(put("VersioningConfiguration: {Status: Enabled, MFADelete: Enabled}" + device), "OK");
  EXPECT_EQ(put("VersioningConfiguration: {Status: Suspended}"), "AccessDenied");
  EXPECT_EQ(put("VersioningConfiguration: {Status: Enabled, MFADelete: Disabled}"), "AccessDenied");
  EXPECT_EQ(put("VersioningConfiguration: {Status: Enabled, MFADelete: Disabled}" + device), "OK");
  EXPECT_EQ(put("VersioningConfiguration: {Status: Suspended}"), "OK");
}

TEST(S3Checks, a_notification_names_an_arn_events_and_filters_that_there_are) {
  Accounts accounts;
  Accounts& aws = with_bucket(accounts);
  const auto put = [&](const std::string& arn, const std::string& event, const std::string& filter = "prefix") {
    return aws.code("s3:PutBucketNotificationConfiguration",
                    "{Bucket: one, NotificationConfiguration: {QueueConfigurations: [{QueueArn: '" + arn +
                        "', Events: ['" + event + "'], Filter: {Key: {FilterRules: [{Name: " + filter +
                        ", Value: x}]}}}]}}");
  };
  const std::string queue = "arn:aws:sqs:us-east-1:111111111111:q";
  EXPECT_EQ(put(queue, "s3:ObjectCreated:*"), "OK");
  EXPECT_EQ(put(queue, "s3:ObjectRemoved:Delete", "Suffix"), "OK");
  EXPECT_EQ(put("q", "s3:ObjectCreated:*"), "InvalidArgument");
  EXPECT_EQ(put("arn:aws:sns:us-east-1:111111111111:t", "s3:ObjectCreated:*"), "InvalidArgument");
  EXPECT_EQ(put(queue, "s3:ObjectSeen:*"), "InvalidArgument");
  EXPECT_EQ(put(queue, "s3:ObjectCreated:*", "middle"), "InvalidArgument");
}

}  // namespace
}  // namespace fixpoint::sandbox
