#include "account.h"

namespace fixpoint::sandbox {
namespace {

TEST(CloudTrail, a_trail_is_started_and_stopped_by_name_and_by_arn) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: logs}");
  const auto arn =
      aws.ok("cloudtrail:CreateTrail", "{Name: main, S3BucketName: logs, IsMultiRegionTrail: true}")["TrailARN"]
          .as_string();
  EXPECT_EQ(arn, "arn:aws:cloudtrail:us-east-1:111111111111:trail/main");
  EXPECT_EQ(aws.ok("cloudtrail:GetTrailStatus", "{Name: main}")["IsLogging"], false);
  aws.ok("cloudtrail:StartLogging", "{Name: main}");
  EXPECT_EQ(aws.ok("cloudtrail:GetTrailStatus", "{Name: '" + arn + "'}")["IsLogging"], true);
  EXPECT_EQ(aws.ok("cloudtrail:GetTrailStatus", "{Name: main}")["StartLoggingTime"], 1'700'000'000);
  aws.ok("cloudtrail:StopLogging", "{Name: '" + arn + "'}");
  EXPECT_EQ(aws.ok("cloudtrail:GetTrailStatus", "{Name: main}")["IsLogging"], false);
  EXPECT_EQ(aws.call("cloudtrail:DescribeTrails", "{}", "111111111111", "eu-west-1")->find("trailList")->size(), 1u);
  EXPECT_EQ(aws.call("cloudtrail:DescribeTrails", "{includeShadowTrails: false}", "111111111111", "eu-west-1")
                ->find("trailList")
                ->size(),
            0u);
  EXPECT_EQ(aws.code("cloudtrail:StartLogging", "{Name: '" + arn + "'}", "111111111111", "eu-west-1"),
            "InvalidHomeRegionException");
  EXPECT_EQ(aws.call("cloudtrail:DescribeTrails", "{}", "222222222222")->find("trailList")->size(), 0u);
  aws.ok("cloudtrail:UpdateTrail", "{Name: main, EnableLogFileValidation: true, S3KeyPrefix: p}");
  EXPECT_EQ(aws.ok("cloudtrail:GetTrail", "{Name: main}")["Trail"]["LogFileValidationEnabled"], true);
  aws.ok("cloudtrail:UpdateTrail", "{Name: main, S3KeyPrefix: ''}");
  EXPECT_TRUE(aws.ok("cloudtrail:GetTrail", "{Name: main}")["Trail"]["S3KeyPrefix"].is_null());
  aws.ok("cloudtrail:AddTags", "{ResourceId: '" + arn + "', TagsList: [{Key: a, Value: b}]}");
  EXPECT_EQ(aws.ok("cloudtrail:ListTags", "{ResourceIdList: ['" + arn + "']}")["ResourceTagList"][0]["TagsList"],
            yaml("[{Key: a, Value: b}]"));
  aws.ok("cloudtrail:PutEventSelectors", "{TrailName: main, EventSelectors: [{ReadWriteType: WriteOnly}]}");
  EXPECT_EQ(aws.ok("cloudtrail:GetEventSelectors", "{TrailName: main}")["EventSelectors"][0]["IncludeManagementEvents"],
            true);
  aws.ok("cloudtrail:DeleteTrail", "{Name: main}");
  EXPECT_EQ(aws.ok("cloudtrail:ListTrails")["Trails"].size(), 0u);
}

TEST(CloudTrail, bad_names_missing_buckets_and_unknown_trails_are_refused) {
  Accounts aws;
  for (const auto* name : {"ab", "-abc", "abc-", "a b c", "a._b", "192.168.5.4"})
    EXPECT_EQ(aws.code("cloudtrail:CreateTrail", std::string("{S3BucketName: logs, Name: '") + name + "'}"),
              "InvalidTrailNameException")
        << name;
  EXPECT_EQ(aws.code("cloudtrail:CreateTrail", "{Name: main, S3BucketName: nowhere}"), "S3BucketDoesNotExistException");
  EXPECT_EQ(aws.error("cloudtrail:StartLogging", "{Name: main}").message,
            "Unknown trail: arn:aws:cloudtrail:us-east-1:111111111111:trail/main for the user: 111111111111");
  EXPECT_EQ(aws.code("cloudtrail:GetTrailStatus", "{Name: main}"), "TrailNotFoundException");
  EXPECT_EQ(aws.code("cloudtrail:GetTrailStatus", "{Name: 'arn:aws:s3:::x'}"), "CloudTrailARNInvalidException");
  aws.ok("s3:CreateBucket", "{Bucket: logs}");
  aws.ok("cloudtrail:CreateTrail", "{Name: main, S3BucketName: logs}");
  EXPECT_EQ(aws.code("cloudtrail:CreateTrail", "{Name: main, S3BucketName: logs}"), "TrailAlreadyExistsException");
  EXPECT_EQ(
      aws.code("cloudtrail:UpdateTrail", "{Name: main, IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false}"),
      "InvalidParameterCombinationException");
  EXPECT_EQ(aws.code("cloudtrail:UpdateTrail", "{Name: main, CloudWatchLogsLogGroupArn: x}"),
            "InvalidCloudWatchLogsRoleArnException");
  EXPECT_EQ(aws.code("cloudtrail:UpdateTrail", "{Name: main, KmsKeyId: alias/none}"), "KmsKeyNotFoundException");
  EXPECT_EQ(aws.code("cloudtrail:GetInsightSelectors", "{TrailName: main}"), "InsightNotEnabledException");
}

TEST(Kms, a_key_is_rotated_and_named_in_four_ways) {
  Accounts aws;
  const auto key = aws.ok("kms:CreateKey", "{Description: d}")["KeyMetadata"];
  const std::string id = key["KeyId"].as_string();
  const std::string arn = key["Arn"].as_string();
  EXPECT_EQ(aws.ok("kms:GetKeyRotationStatus", "{KeyId: " + id + "}")["KeyRotationEnabled"], false);
  aws.ok("kms:EnableKeyRotation", "{KeyId: " + id + "}");
  EXPECT_EQ(aws.ok("kms:GetKeyRotationStatus", "{KeyId: '" + arn + "'}")["RotationPeriodInDays"], 365);
  aws.ok("kms:EnableKeyRotation", "{KeyId: '" + arn + "', RotationPeriodInDays: 90}");
  EXPECT_EQ(aws.ok("kms:GetKeyRotationStatus", "{KeyId: " + id + "}")["NextRotationDate"], 1'700'000'000 + 90 * 86'400);
  aws.ok("kms:DisableKeyRotation", "{KeyId: " + id + "}");
  EXPECT_EQ(aws.ok("kms:GetKeyRotationStatus", "{KeyId: " + id + "}")["KeyRotationEnabled"], false);
  aws.ok("kms:CreateAlias", "{AliasName: alias/pay, TargetKeyId: " + id + "}");
  EXPECT_EQ(aws.ok("kms:DescribeKey", "{KeyId: alias/pay}")["KeyMetadata"]["KeyId"], json::Value(id));
  EXPECT_EQ(aws.ok("kms:DescribeKey", "{KeyId: 'arn:aws:kms:us-east-1:111111111111:alias/pay'}")["KeyMetadata"]["Arn"],
            json::Value(arn));
  EXPECT_EQ(aws.ok("kms:ListAliases")["Aliases"][0]["TargetKeyId"], json::Value(id));
  EXPECT_EQ(aws.ok("kms:ListKeys")["Keys"].size(), 1u);
  EXPECT_EQ(aws.ok("kms:DescribeKey", "{KeyId: alias/aws/s3}")["KeyMetadata"]["KeyManager"], "AWS");
  EXPECT_EQ(aws.ok("kms:ListKeys")["Keys"].size(), 2u);
  aws.ok("kms:TagResource", "{KeyId: " + id + ", Tags: [{TagKey: a, TagValue: b}]}");
  EXPECT_EQ(aws.ok("kms:ListResourceTags", "{KeyId: " + id + "}")["Tags"], yaml("[{TagKey: a, TagValue: b}]"));
  // https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
  std::string many = "{TagKey: k, TagValue: v}";
  for (int i = 0; i < 50; ++i) many += ", {TagKey: k, TagValue: v}";
  EXPECT_EQ(aws.code("kms:TagResource", "{KeyId: " + id + ", Tags: [" + many + "]}"), "LimitExceededException");
  aws.ok("kms:UntagResource", "{KeyId: " + id + ", TagKeys: [a]}");
  EXPECT_EQ(aws.ok("kms:ListResourceTags", "{KeyId: " + id + "}")["Tags"].size(), 0u);
  aws.ok("kms:DeleteAlias", "{AliasName: alias/pay}");
  EXPECT_EQ(aws.code("kms:DescribeKey", "{KeyId: alias/pay}"), "NotFoundException");
}

std::string many_tags(const char* key, const char* value, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += "{" + std::string(key) + ": k" + std::to_string(i) + ", " + value + ": v},";
  return "[" + out + "]";
}

// Each tag was looked for among all that came before it: 20,000 of them took the one writer 7 s.
TEST(Tags, a_long_list_costs_no_more_than_its_length) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: trails}");
  const auto key = aws.ok("kms:CreateKey")["KeyMetadata"]["KeyId"].as_string();
  const auto trail = aws.ok("cloudtrail:CreateTrail", "{Name: main, S3BucketName: trails}")["TrailARN"].as_string();
  struct Kind {
    std::string add, remove, whom, tags, keys, key, value, limit;
  };
  const Kind kinds[] = {
      {"kms:TagResource", "kms:UntagResource", "KeyId: " + key, "Tags", "TagKeys", "TagKey", "TagValue",
       "LimitExceededException"},
      {"cloudtrail:AddTags", "cloudtrail:RemoveTags", "ResourceId: '" + trail + "'", "TagsList", "TagsList", "Key",
       "Value", "TagsLimitExceededException"},
  };
  for (const Kind& kind : kinds) {
    const auto call = [&](const std::string& name, const std::string& more) {
      return aws.code(name, "{" + kind.whom + ", " + more + "}");
    };
    const auto many = many_tags(kind.key.c_str(), kind.value.c_str(), 30'000);
    EXPECT_EQ(call(kind.add, kind.tags + ": " + many), kind.limit);
    EXPECT_EQ(call(kind.add, kind.tags + ": [{" + kind.key + ": other, " + kind.value + ": v}]"), "OK");
    std::string keys;
    for (int i = 0; i < 30'000; ++i) keys += "k" + std::to_string(i) + ",";
    EXPECT_EQ(call(kind.remove, kind.keys + ": " + (kind.keys == "TagKeys" ? "[" + keys + "]" : many)), "OK");
  }
  EXPECT_EQ(aws.ok("kms:ListResourceTags", "{KeyId: " + key + "}")["Tags"], yaml("[{TagKey: other, TagValue: v}]"));
  EXPECT_EQ(aws.ok("cloudtrail:ListTags", "{ResourceIdList: ['" + trail + "']}")["ResourceTagList"][0]["TagsList"],
            yaml("[{Key: other, Value: v}]"));
}

// Lists that the catalogue declares have no limit of their own.
TEST(Tags, of_a_declared_resource_are_put_in_and_taken_out_by_their_keys) {
  Accounts aws;
  aws.ok("iam:CreateUser", "{UserName: ann}");
  aws.ok("logs:CreateLogGroup", "{logGroupName: /app}");
  std::string keys, map;
  for (int i = 0; i < 30'000; ++i) {
    keys += "k" + std::to_string(i) + ",";
    map += "k" + std::to_string(i) + ": v,";
  }
  aws.ok("iam:TagUser", "{UserName: ann, Tags: " + many_tags("Key", "Value", 30'000) + "}");
  aws.ok("iam:TagUser", "{UserName: ann, Tags: [{Key: k3, Value: new}, {Key: last, Value: v}]}");
  const auto tags = aws.ok("iam:ListUserTags", "{UserName: ann}")["Tags"];
  ASSERT_EQ(tags.size(), 30'001u);
  EXPECT_EQ(tags[3]["Value"], "new");
  aws.ok("iam:UntagUser", "{UserName: ann, TagKeys: [" + keys + "]}");
  EXPECT_EQ(aws.ok("iam:ListUserTags", "{UserName: ann}")["Tags"], yaml("[{Key: last, Value: v}]"));
  aws.ok("iam:UntagUser", "{UserName: ann, TagKeys: [last]}");
  EXPECT_EQ(aws.ok("iam:ListUserTags", "{UserName: ann}")["Tags"].size(), 0u);
  aws.ok("logs:TagLogGroup", "{logGroupName: /app, tags: {" + map + "last: v}}");
  aws.ok("logs:UntagLogGroup", "{logGroupName: /app, tags: [" + keys + "]}");
  EXPECT_EQ(aws.ok("logs:ListTagsLogGroup", "{logGroupName: /app}")["tags"], yaml("{last: v}"));
}

TEST(Kms, keys_that_cannot_be_rotated_say_why) {
  Accounts aws;
  const std::string gone = "arn:aws:kms:us-east-1:111111111111:key/12345678-1234-1234-1234-123456789012";
  EXPECT_EQ(aws.error("kms:EnableKeyRotation", "{KeyId: 12345678-1234-1234-1234-123456789012}"),
            (Error{"NotFoundException", "Key '" + gone + "' does not exist", {}, false, 400}));
  EXPECT_EQ(aws.error("kms:DescribeKey", "{KeyId: nonsense}").message, "Invalid keyId 'nonsense'");
  const auto rsa =
      aws.ok("kms:CreateKey", "{KeySpec: RSA_2048, KeyUsage: SIGN_VERIFY}")["KeyMetadata"]["KeyId"].as_string();
  EXPECT_EQ(aws.code("kms:EnableKeyRotation", "{KeyId: " + rsa + "}"), "UnsupportedOperationException");
  const auto id = aws.ok("kms:CreateKey")["KeyMetadata"]["KeyId"].as_string();
  EXPECT_EQ(aws.code("kms:EnableKeyRotation", "{RotationPeriodInDays: 89, KeyId: " + id + "}"), "ValidationException");
  aws.ok("kms:DisableKey", "{KeyId: " + id + "}");
  EXPECT_EQ(aws.code("kms:EnableKeyRotation", "{KeyId: " + id + "}"), "DisabledException");
  aws.ok("kms:EnableKey", "{KeyId: " + id + "}");
  aws.ok("kms:ScheduleKeyDeletion", "{KeyId: " + id + ", PendingWindowInDays: 7}");
  EXPECT_EQ(aws.code("kms:EnableKeyRotation", "{KeyId: " + id + "}"), "KMSInvalidStateException");
  aws.ok("kms:CancelKeyDeletion", "{KeyId: " + id + "}");
  EXPECT_EQ(aws.ok("kms:DescribeKey", "{KeyId: " + id + "}")["KeyMetadata"]["KeyState"], "Disabled");
  EXPECT_EQ(aws.code("kms:CancelKeyDeletion", "{KeyId: " + id + "}"), "KMSInvalidStateException");
  aws.ok("kms:ScheduleKeyDeletion", "{KeyId: " + id + ", PendingWindowInDays: 7}");
  aws.clock().advance_ms(7LL * 86'400'000);
  EXPECT_EQ(aws.code("kms:DescribeKey", "{KeyId: " + id + "}"), "NotFoundException");
}

// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
TEST(Keys, a_key_policy_that_locks_the_account_out_is_refused) {
  Accounts aws;
  const auto id = aws.ok("kms:CreateKey")["KeyMetadata"]["KeyId"].as_string();
  const auto put = [&](const std::string& principal, const std::string& action, const std::string& more = {}) {
    return aws.code("kms:PutKeyPolicy", "{KeyId: " + id + R"(, Policy: '{"Statement":[{"Effect":"Allow","Principal":)" +
                                            principal + R"(,"Action":")" + action + R"(","Resource":"*"}]}')" + more +
                                            "}");
  };
  EXPECT_EQ(put(R"({"AWS":"arn:aws:iam::111111111111:root"})", "kms:*"), "OK");
  EXPECT_EQ(put(R"({"AWS":["arn:aws:iam::111111111111:role/admin"]})", "kms:Put*"), "OK");
  EXPECT_EQ(put(R"({"AWS":"111111111111"})", "*"), "OK");
  EXPECT_EQ(put(R"({"AWS":"arn:aws:iam::222222222222:root"})", "kms:*"), "MalformedPolicyDocumentException");
  EXPECT_EQ(put(R"({"AWS":"arn:aws:iam::111111111111:root"})", "kms:Decrypt"), "MalformedPolicyDocumentException");
  EXPECT_EQ(put(R"({"Service":"cloudtrail.amazonaws.com"})", "kms:*"), "MalformedPolicyDocumentException");
  EXPECT_EQ(put(R"({"AWS":"arn:aws:iam::111111111111:root"})", "kms:Decrypt", ", BypassPolicyLockoutSafetyCheck: true"),
            "OK");
  for (const auto policy :
       {"junk", "{}", R"({"Statement":[]})", R"({"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]})"}) {
    EXPECT_EQ(aws.code("kms:PutKeyPolicy", "{KeyId: " + id + ", Policy: '" + policy + "'}"),
              "MalformedPolicyDocumentException");
    EXPECT_EQ(aws.code("kms:CreateKey", std::string("{Policy: '") + policy + "'}"), "MalformedPolicyDocumentException");
  }
}

// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
TEST(CloudTrail, a_log_group_has_to_be_there) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: logs}");
  aws.ok("cloudtrail:CreateTrail", "{Name: main, S3BucketName: logs}");
  const auto deliver = [&](const std::string& group) {
    return aws.code("cloudtrail:UpdateTrail", "{Name: main, CloudWatchLogsLogGroupArn: '" + group +
                                                  "', CloudWatchLogsRoleArn: 'arn:aws:iam::111111111111:role/r'}");
  };
  const std::string group = "arn:aws:logs:us-east-1:111111111111:log-group:trails:*";
  EXPECT_EQ(deliver(group), "InvalidCloudWatchLogsLogGroupArnException");
  EXPECT_EQ(deliver("trails"), "InvalidCloudWatchLogsLogGroupArnException");
  aws.ok("logs:CreateLogGroup", "{logGroupName: trails}");
  EXPECT_EQ(deliver(group), "OK");
  EXPECT_EQ(aws.ok("cloudtrail:GetTrail", "{Name: main}")["Trail"]["CloudWatchLogsLogGroupArn"], group);
}

// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
TEST(CloudTrail, selectors_name_resources_and_categories) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: logs}");
  aws.ok("cloudtrail:CreateTrail", "{Name: main, S3BucketName: logs}");
  const auto put = [&](const std::string& selectors) {
    return aws.code("cloudtrail:PutEventSelectors", "{TrailName: main, " + selectors + "}");
  };
  const auto data = [&](const std::string& type) {
    return put("EventSelectors: [{DataResources: [{Type: 'AWS::" + type + "', Values: ['arn:aws:s3']}]}]");
  };
  EXPECT_EQ(data("S3::Object"), "OK");
  EXPECT_EQ(data("S3::Bucket"), "InvalidEventSelectorsException");
  EXPECT_EQ(data("SNS::Topic"), "InvalidEventSelectorsException");
  const auto advanced = [&](const std::string& fields) {
    return put("AdvancedEventSelectors: [{FieldSelectors: [" + fields + "]}]");
  };
  EXPECT_EQ(advanced("{Field: eventCategory, Equals: [Management]}, {Field: readOnly, Equals: ['false']}"), "OK");
  EXPECT_EQ(advanced("{Field: readOnly, Equals: ['false']}"), "InvalidEventSelectorsException");
  EXPECT_EQ(advanced("{Field: eventCategory, StartsWith: [Man]}"), "InvalidEventSelectorsException");
  std::string many;
  for (int i = 0; i < 251; ++i)
    many += (i == 0 ? "" : ", ") + std::string("'arn:aws:s3:::b/") + std::to_string(i) + "'";
  EXPECT_EQ(put("EventSelectors: [{DataResources: [{Type: 'AWS::S3::Object', Values: [" + many + "]}]}]"),
            "InvalidEventSelectorsException");
  EXPECT_EQ(aws.ok("cloudtrail:GetEventSelectors", "{TrailName: main}")["AdvancedEventSelectors"].size(), 1u);
}

}  // namespace
}  // namespace fixpoint::sandbox
