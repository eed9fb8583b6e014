#include "account.h"

namespace fixpoint::sandbox {
namespace {

TEST(S3, a_new_bucket_has_the_settings_that_aws_gives_it) {
  Accounts aws;
  EXPECT_EQ(aws.ok("s3:CreateBucket", "{Bucket: payroll}"), yaml("{Location: /payroll}"));
  EXPECT_EQ(
      aws.ok("s3:GetBucketEncryption", "{Bucket: payroll}"),
      yaml("{ServerSideEncryptionConfiguration: {Rules: [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm: AES256}, "
           "BucketKeyEnabled: false}]}}"));
  EXPECT_EQ(
      aws.ok("s3:GetPublicAccessBlock", "{Bucket: payroll}"),
      yaml("{PublicAccessBlockConfiguration: {BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, "
           "RestrictPublicBuckets: true}}"));
  EXPECT_EQ(aws.ok("s3:GetBucketOwnershipControls", "{Bucket: payroll}"),
            yaml("{OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}}"));
  EXPECT_EQ(aws.ok("s3:GetBucketVersioning", "{Bucket: payroll}"), yaml("{}"));
  EXPECT_EQ(aws.ok("s3:GetBucketLogging", "{Bucket: payroll}"), yaml("{}"));
  EXPECT_EQ(aws.ok("s3:GetBucketNotificationConfiguration", "{Bucket: payroll}"), yaml("{}"));
  EXPECT_EQ(aws.ok("s3:GetBucketLocation", "{Bucket: payroll}"), yaml("{}"));
  EXPECT_EQ(aws.ok("s3:HeadBucket", "{Bucket: payroll}")["BucketRegion"], "us-east-1");
  for (const auto& [operation, code] : {std::pair{"GetBucketPolicy", "NoSuchBucketPolicy"},
                                        {"GetBucketTagging", "NoSuchTagSet"},
                                        {"GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"},
                                        {"GetBucketCors", "NoSuchCORSConfiguration"},
                                        {"GetBucketWebsite", "NoSuchWebsiteConfiguration"},
                                        {"GetBucketReplication", "ReplicationConfigurationNotFoundError"}})
    EXPECT_EQ(aws.error(std::string("s3:") + operation, "{Bucket: payroll}"),
              (Error{code, aws.error(std::string("s3:") + operation, "{Bucket: payroll}").message, {}, false, 404}));
}

TEST(S3, bucket_names_follow_the_rules) {
  Accounts aws;
  for (const auto* name :
       {"ab", "Payroll", "a..b", "-abc", "abc-", "192.168.5.4", "xn--abc", "my_bucket", "abc-s3alias"})
    EXPECT_EQ(aws.code("s3:CreateBucket", std::string("{Bucket: '") + name + "'}"), "InvalidBucketName") << name;
  for (const auto* name : {"abc", "a.b.c", "10.0", "a-1"})
    EXPECT_NE(aws.code("s3:CreateBucket", std::string("{Bucket: '") + name + "xyz'}"), "InvalidBucketName") << name;
}

TEST(S3, the_location_has_to_fit_the_endpoint) {
  Accounts aws;
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, CreateBucketConfiguration: {LocationConstraint: us-east-1}}"),
            "InvalidLocationConstraint");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one}", "111111111111", "eu-west-1"),
            "IllegalLocationConstraintException");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, CreateBucketConfiguration: {LocationConstraint: eu-west-2}}",
                     "111111111111", "eu-west-1"),
            "IllegalLocationConstraintException");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, CreateBucketConfiguration: {LocationConstraint: eu-west-1}}",
                     "111111111111", "eu-west-1"),
            "OK");
  EXPECT_EQ(aws.ok("s3:GetBucketLocation", "{Bucket: one}"), yaml("{LocationConstraint: eu-west-1}"));
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, CreateBucketConfiguration: {LocationConstraint: eu-west-1}}",
                     "111111111111", "eu-west-1"),
            "BucketAlreadyOwnedByYou");
}

TEST(S3, a_name_that_another_account_has_is_taken_and_its_bucket_closed) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: shared}");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: shared}", "222222222222"), "BucketAlreadyExists");
  EXPECT_EQ(aws.code("s3:GetBucketEncryption", "{Bucket: shared}", "222222222222"), "AccessDenied");
  EXPECT_EQ(aws.code("s3:HeadBucket", "{Bucket: shared}", "222222222222"), "403");
  EXPECT_EQ(aws.call("s3:ListBuckets", "{}", "222222222222")->find("Buckets")->size(), 0u);
  EXPECT_EQ(aws.ok("s3:ListBuckets")["Buckets"][0]["Name"], "shared");
  EXPECT_EQ(aws.code("s3:GetBucketPolicy", "{Bucket: shared, ExpectedBucketOwner: '222222222222'}"), "AccessDenied");
}

TEST(S3, what_is_not_there_is_named_so) {
  Accounts aws;
  for (const auto* operation : {"GetBucketEncryption", "DeleteBucketEncryption", "PutBucketPolicy", "GetBucketAcl",
                                "DeleteBucket", "ListObjectsV2", "PutObject", "GetObject"})
    EXPECT_EQ(aws.error(std::string("s3:") + operation, "{Bucket: nowhere, Key: k}"),
              (Error{"NoSuchBucket", "The specified bucket does not exist", {}, false, 404}))
        << operation;
  EXPECT_EQ(aws.code("s3:HeadBucket", "{Bucket: nowhere}"), "404");
  const auto unknown = aws.error("s3:CreateMultipartUpload", "{Bucket: nowhere, Key: k}");
  EXPECT_EQ(unknown.code, "NotImplemented");
  EXPECT_EQ(unknown.http_status, 501);
  EXPECT_NE(unknown.message.find("CreateMultipartUpload"), std::string::npos);
  EXPECT_EQ(aws.code("nosuch:Thing"), "NotImplemented");
}

TEST(S3, encryption_can_be_taken_away_and_put_back) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: plain}");
  const auto before = aws.ok("s3:GetBucketEncryption", "{Bucket: plain}");
  aws.ok("s3:DeleteBucketEncryption", "{Bucket: plain}");
  EXPECT_EQ(aws.error("s3:GetBucketEncryption", "{Bucket: plain}"),
            (Error{"ServerSideEncryptionConfigurationNotFoundError",
                   "The server side encryption configuration was not found",
                   {},
                   false,
                   404}));
  json::Value input = yaml("{Bucket: plain}");
  input.set("ServerSideEncryptionConfiguration", before["ServerSideEncryptionConfiguration"]);
  aws.ok("s3:PutBucketEncryption", input);
  EXPECT_EQ(aws.ok("s3:GetBucketEncryption", "{Bucket: plain}"), before);
  EXPECT_EQ(aws.code("s3:PutBucketEncryption", "{Bucket: plain, ServerSideEncryptionConfiguration: {Rules: []}}"),
            "MalformedXML");
  EXPECT_EQ(aws.code("s3:PutBucketEncryption",
                     "{Bucket: plain, ServerSideEncryptionConfiguration: {Rules: [{ApplyServerSideEncryptionByDefault: "
                     "{SSEAlgorithm: AES256, KMSMasterKeyID: k}}]}}"),
            "InvalidArgument");
}

TEST(S3, each_setting_reads_back_and_can_be_taken_away) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:CreateBucket", "{Bucket: logs}");
  aws.ok("s3:PutBucketVersioning", "{Bucket: one, VersioningConfiguration: {Status: Enabled}}");
  EXPECT_EQ(aws.ok("s3:GetBucketVersioning", "{Bucket: one}"), yaml("{Status: Enabled}"));
  aws.ok("s3:PutBucketLogging",
         "{Bucket: one, BucketLoggingStatus: {LoggingEnabled: {TargetBucket: logs, TargetPrefix: a/}}}");
  EXPECT_EQ(aws.ok("s3:GetBucketLogging", "{Bucket: one}"),
            yaml("{LoggingEnabled: {TargetBucket: logs, TargetPrefix: a/}}"));
  aws.ok("s3:PutBucketLogging", "{Bucket: one, BucketLoggingStatus: {}}");
  EXPECT_EQ(aws.ok("s3:GetBucketLogging", "{Bucket: one}"), yaml("{}"));
  EXPECT_EQ(aws.code("s3:PutBucketLogging",
                     "{Bucket: one, BucketLoggingStatus: {LoggingEnabled: {TargetBucket: nowhere, TargetPrefix: ''}}}"),
            "InvalidTargetBucketForLogging");
  aws.ok("s3:PutBucketTagging", "{Bucket: one, Tagging: {TagSet: [{Key: team, Value: pay}]}}");
  EXPECT_EQ(aws.ok("s3:GetBucketTagging", "{Bucket: one}"), yaml("{TagSet: [{Key: team, Value: pay}]}"));
  aws.ok("s3:DeleteBucketTagging", "{Bucket: one}");
  EXPECT_EQ(aws.code("s3:GetBucketTagging", "{Bucket: one}"), "NoSuchTagSet");
  aws.ok("s3:PutPublicAccessBlock", "{Bucket: one, PublicAccessBlockConfiguration: {BlockPublicAcls: true}}");
  EXPECT_EQ(aws.ok("s3:GetPublicAccessBlock", "{Bucket: one}")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"],
            false);
  aws.ok("s3:DeletePublicAccessBlock", "{Bucket: one}");
  EXPECT_EQ(aws.code("s3:GetPublicAccessBlock", "{Bucket: one}"), "NoSuchPublicAccessBlockConfiguration");
  aws.ok("s3:PutBucketLifecycleConfiguration",
         "{Bucket: one, LifecycleConfiguration: {Rules: [{ID: r, Status: Enabled, Filter: {Prefix: ''}, Expiration: "
         "{Days: 3}}]}}");
  EXPECT_EQ(aws.ok("s3:GetBucketLifecycleConfiguration", "{Bucket: one}")["Rules"][0]["Expiration"]["Days"], 3);
  EXPECT_EQ(aws.code("s3:PutBucketLifecycleConfiguration",
                     "{Bucket: one, LifecycleConfiguration: {Rules: [{ID: r, Status: Enabled, Prefix: ''}]}}"),
            "InvalidRequest");
  aws.ok("s3:DeleteBucketLifecycle", "{Bucket: one}");
  EXPECT_EQ(aws.code("s3:GetBucketLifecycleConfiguration", "{Bucket: one}"), "NoSuchLifecycleConfiguration");
  aws.ok("s3:PutBucketNotificationConfiguration",
         "{Bucket: one, NotificationConfiguration: {EventBridgeConfiguration: {}}}");
  EXPECT_EQ(aws.ok("s3:GetBucketNotificationConfiguration", "{Bucket: one}"), yaml("{EventBridgeConfiguration: {}}"));
}

TEST(S3, a_policy_is_checked_and_public_ones_are_blocked) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto put = [&](std::string_view policy) {
    return aws.call("s3:PutBucketPolicy", json::Value(json::Object{{"Bucket", "one"}, {"Policy", policy}}));
  };
  EXPECT_EQ(put("nonsense").error().code, "MalformedPolicy");
  EXPECT_EQ(put("{}").error().message, "Missing required field Statement");
  const std::string open =
      R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::one/*"}]})";
  EXPECT_EQ(put(open).error().code, "AccessDenied");
  aws.ok("s3:DeletePublicAccessBlock", "{Bucket: one}");
  ASSERT_TRUE(put(open));
  EXPECT_EQ(aws.ok("s3:GetBucketPolicy", "{Bucket: one}")["Policy"], json::Value(open));
  EXPECT_EQ(aws.ok("s3:GetBucketPolicyStatus", "{Bucket: one}"), yaml("{PolicyStatus: {IsPublic: true}}"));
  aws.ok("s3:DeleteBucketPolicy", "{Bucket: one}");
  EXPECT_EQ(aws.code("s3:GetBucketPolicy", "{Bucket: one}"), "NoSuchBucketPolicy");
}

TEST(S3, acls_need_ownership_and_no_block) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  EXPECT_EQ(aws.code("s3:PutBucketAcl", "{Bucket: one, ACL: public-read}"), "AccessControlListNotSupported");
  aws.ok("s3:PutBucketOwnershipControls",
         "{Bucket: one, OwnershipControls: {Rules: [{ObjectOwnership: ObjectWriter}]}}");
  EXPECT_EQ(aws.code("s3:PutBucketAcl", "{Bucket: one, ACL: public-read}"), "AccessDenied");
  aws.ok("s3:DeletePublicAccessBlock", "{Bucket: one}");
  aws.ok("s3:PutBucketAcl", "{Bucket: one, ACL: public-read}");
  EXPECT_EQ(aws.ok("s3:GetBucketAcl", "{Bucket: one}")["Grants"][1],
            yaml("{Grantee: {Type: Group, URI: 'http://acs.amazonaws.com/groups/global/AllUsers'}, Permission: READ}"));
  aws.ok("s3:PutBucketAcl", "{Bucket: one, ACL: log-delivery-write}");
  EXPECT_EQ(aws.ok("s3:GetBucketAcl", "{Bucket: one}")["Grants"].size(), 3u);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
TEST(S3, a_new_bucket_takes_no_acl_that_its_settings_forbid) {
  Accounts aws;
  EXPECT_EQ(aws.error("s3:CreateBucket", "{Bucket: one, ACL: public-read}"),
            (Error{"InvalidBucketAclWithObjectOwnership",
                   "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
                   {},
                   false,
                   400}));
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, ACL: public-read, ObjectOwnership: ObjectWriter}"),
            "InvalidBucketAclWithBlockPublicAccessError");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, ObjectOwnership: Mine}"), "InvalidArgument");
  EXPECT_EQ(aws.code("s3:HeadBucket", "{Bucket: one}"), "404");
  EXPECT_EQ(aws.code("s3:CreateBucket", "{Bucket: one, ACL: private}"), "OK");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
TEST(S3, a_list_of_buckets_that_is_asked_for_with_a_parameter_names_their_regions) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  EXPECT_TRUE(aws.ok("s3:ListBuckets")["Buckets"][0]["BucketRegion"].is_null());
  for (const auto* parameter : {"MaxBuckets: 5", "Prefix: o", "BucketRegion: us-east-1"})
    EXPECT_EQ(aws.ok("s3:ListBuckets", "{" + std::string(parameter) + "}")["Buckets"][0]["BucketRegion"], "us-east-1")
        << parameter;
}

TEST(S3, objects_are_kept_byte_for_byte) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto put =
      aws.ok("s3:PutObject", "{Bucket: one, Key: a/b, Body: aGVsbG8=, ContentType: text/plain, Metadata: {x: '1'}}");
  EXPECT_EQ(put["ETag"], "\"5d41402abc4b2a76b9719d911017c592\"");  // md5 of "hello"
  const auto got = aws.ok("s3:GetObject", "{Bucket: one, Key: a/b}");
  EXPECT_EQ(got["Body"], "aGVsbG8=");
  EXPECT_EQ(got["ContentLength"], 5);
  EXPECT_EQ(got["Metadata"], yaml("{x: '1'}"));
  EXPECT_EQ(aws.ok("s3:GetObject", "{Bucket: one, Key: a/b, Range: bytes=1-2}")["Body"], "ZWw=");
  EXPECT_EQ(aws.code("s3:GetObject", "{Bucket: one, Key: a/b, Range: bytes=9-}"), "InvalidRange");
  EXPECT_EQ(aws.code("s3:GetObject", "{Bucket: one, Key: none}"), "NoSuchKey");
  EXPECT_EQ(aws.code("s3:HeadObject", "{Bucket: one, Key: none}"), "404");
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: a/b, Body: aGVsbG8=, IfNoneMatch: '*'}"),
            "PreconditionFailed");
  EXPECT_EQ(aws.code("s3:PutObject", "{Bucket: one, Key: a/b, Body: aGVsbG8=, ContentMD5: AAAAAAAAAAAAAAAAAAAAAA==}"),
            "BadDigest");
  aws.ok("s3:CopyObject", "{Bucket: one, Key: c, CopySource: one/a/b}");
  EXPECT_EQ(aws.ok("s3:GetObject", "{Bucket: one, Key: c}")["Body"], "aGVsbG8=");
  EXPECT_EQ(aws.code("s3:DeleteBucket", "{Bucket: one}"), "BucketNotEmpty");
  aws.ok("s3:DeleteObject", "{Bucket: one, Key: c}");
  EXPECT_EQ(aws.ok("s3:DeleteObjects", "{Bucket: one, Delete: {Objects: [{Key: a/b}]}}"),
            yaml("{Deleted: [{Key: a/b}]}"));
  aws.ok("s3:DeleteBucket", "{Bucket: one}");
  EXPECT_EQ(aws.code("s3:HeadBucket", "{Bucket: one}"), "404");
}

TEST(S3, a_listing_comes_in_pages_with_common_prefixes) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  for (const auto* key : {"a/1", "a/2", "b", "c/1", "d"})
    aws.ok("s3:PutObject", std::string("{Bucket: one, Body: '', Key: ") + key + "}");
  std::vector<std::string> seen;
  std::string token;
  int pages = 0;
  do {
    json::Value input = yaml("{Bucket: one, Delimiter: /, MaxKeys: 1}");
    if (!token.empty()) input.set("ContinuationToken", token);
    const auto page = aws.ok("s3:ListObjectsV2", input);
    EXPECT_EQ(page["KeyCount"], 1);
    for (std::size_t i = 0; i < page["Contents"].size(); ++i) seen.push_back(page["Contents"][i]["Key"].as_string());
    for (std::size_t i = 0; i < page["CommonPrefixes"].size(); ++i)
      seen.push_back(page["CommonPrefixes"][i]["Prefix"].as_string());
    token = page["NextContinuationToken"].string_or({});
  } while (!token.empty() && ++pages < 10);
  EXPECT_EQ(seen, (std::vector<std::string>{"a/", "b", "c/", "d"}));
  EXPECT_EQ(aws.ok("s3:ListObjectsV2", "{Bucket: one, Prefix: a/}")["KeyCount"], 2);
  EXPECT_EQ(aws.ok("s3:ListObjectsV2", "{Bucket: one, StartAfter: b}")["KeyCount"], 2);
  EXPECT_EQ(aws.ok("s3:ListObjects", "{Bucket: one, Marker: c/1}")["Contents"][0]["Key"], "d");
  EXPECT_EQ(aws.code("s3:ListObjectsV2", "{Bucket: one, ContinuationToken: made-up}"), "InvalidArgument");
}

TEST(S3Control, the_block_of_an_account_is_put_read_and_deleted) {
  Accounts aws;
  EXPECT_EQ(aws.code("s3control:GetPublicAccessBlock", "{AccountId: '111111111111'}"),
            "NoSuchPublicAccessBlockConfiguration");
  aws.ok("s3control:PutPublicAccessBlock",
         "{AccountId: '111111111111', PublicAccessBlockConfiguration: {BlockPublicAcls: true}}");
  EXPECT_EQ(aws.ok("s3control:GetPublicAccessBlock", "{AccountId: '111111111111'}"),
            yaml("{PublicAccessBlockConfiguration: {BlockPublicAcls: true, IgnorePublicAcls: false, BlockPublicPolicy: "
                 "false, RestrictPublicBuckets: false}}"));
  EXPECT_EQ(aws.code("s3control:GetPublicAccessBlock", "{AccountId: '222222222222'}"), "AccessDenied");
  aws.ok("s3control:DeletePublicAccessBlock", "{AccountId: '111111111111'}");
  aws.ok("s3control:DeletePublicAccessBlock", "{AccountId: '111111111111'}");
  EXPECT_EQ(aws.code("s3control:GetPublicAccessBlock", "{AccountId: '111111111111'}"),
            "NoSuchPublicAccessBlockConfiguration");
}

}  // namespace
}  // namespace fixpoint::sandbox
