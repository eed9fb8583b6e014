#include <atomic>
#include <set>
#include <thread>

#include "account.h"
#include "support/temp_dir.h"

namespace fixpoint::sandbox {
namespace {

TEST(State, what_was_answered_is_there_after_a_reopen) {
  const test::TempDir dir;
  std::string key;
  json::Value groups;
  {
    Accounts aws(dir.string());
    aws.ok("s3:CreateBucket", "{Bucket: kept}");
    aws.ok("s3:PutObject", "{Bucket: kept, Key: k, Body: aGVsbG8=}");
    aws.ok("s3:CreateBucket", "{Bucket: gone}");
    aws.ok("s3:DeleteBucket", "{Bucket: gone}");
    key = aws.ok("kms:CreateKey")["KeyMetadata"]["KeyId"].as_string();
    groups = aws.ok("ec2:DescribeSecurityGroups");
  }
  Accounts aws(dir.string());
  EXPECT_EQ(aws.ok("s3:GetObject", "{Bucket: kept, Key: k}")["Body"], "aGVsbG8=");
  EXPECT_EQ(aws.code("s3:HeadBucket", "{Bucket: gone}"), "404");
  EXPECT_EQ(aws.ok("kms:DescribeKey", "{KeyId: " + key + "}")["KeyMetadata"]["KeyState"], "Enabled");
  EXPECT_EQ(aws.ok("ec2:DescribeSecurityGroups"), groups);
}

TEST(State, a_small_cache_forgets_and_reads_again) {
  Accounts aws({}, {.cache_limit_bytes = 20'000});
  for (int i = 0; i < 200; ++i) aws.ok("s3:CreateBucket", "{Bucket: bucket-" + std::to_string(i) + "}");
  EXPECT_LE(aws.sandbox().figures().cached_bytes, 20'000u);
  EXPECT_EQ(aws.sandbox().figures().resources, 200u);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(aws.code("s3:GetBucketEncryption", "{Bucket: bucket-" + std::to_string(i) + "}"), "OK");
  EXPECT_EQ(aws.ok("s3:ListBuckets")["Buckets"].size(), 200u);
  EXPECT_LE(aws.sandbox().figures().cached_bytes, 20'000u);
}

TEST(State, a_call_that_fails_leaves_nothing_behind) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: ''}");
  const auto before = aws.sandbox().figures().resources;
  EXPECT_NE(aws.code("s3:PutObject", "{Bucket: one, Key: b, Body: '', Tagging: '=x'}"), "OK");
  EXPECT_EQ(aws.sandbox().figures().resources, before);
}

TEST(State, calls_from_many_threads_lose_nothing) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const auto group = aws.ok("ec2:CreateSecurityGroup", "{GroupName: g, Description: d}")["GroupId"].as_string();
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 12; ++i) {
        const std::string n = std::to_string(t * 12 + i);
        // Every one of them changes the same security group.
        failed +=
            aws.call("ec2:AuthorizeSecurityGroupIngress",
                     "{GroupId: " + group + ", IpProtocol: tcp, FromPort: 1, ToPort: 1, CidrIp: 10.0.0." + n + "/32}")
                ? 0
                : 1;
        failed += aws.call("s3:PutObject", "{Bucket: one, Body: '', Key: k" + n + "}") ? 0 : 1;
        failed += aws.call("ec2:DescribeSecurityGroups", "{GroupIds: [" + group + "]}") ? 0 : 1;
        failed += aws.call("s3:ListObjectsV2", "{Bucket: one}") ? 0 : 1;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(aws.ok("ec2:DescribeSecurityGroups",
                   "{GroupIds: [" + group + "]}")["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"]
                .size(),
            48u);
  EXPECT_EQ(aws.ok("s3:ListObjectsV2", "{Bucket: one}")["KeyCount"], 48);
}

// What an I/O thread may ask waits for nothing and is short.
TEST(State, memory_alone_answers_quickly_or_not_at_all) {
  Accounts aws({}, {.cache_limit_bytes = 20'000});
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  aws.ok("s3:PutObject", "{Bucket: one, Key: a, Body: aGVsbG8=}");
  const auto quick = [&](std::string_view service, std::string_view operation, const std::string& input = "{}") {
    return aws.sandbox().call_quickly({"111111111111", "us-east-1", {}, "request"}, service, operation, yaml(input));
  };
  const auto head = quick("s3", "HeadObject", "{Bucket: one, Key: a}");
  ASSERT_TRUE(head.answer && *head.answer);
  EXPECT_EQ((**head.answer)["ContentLength"], 5);
  const auto content = quick("s3", "GetObject", "{Bucket: one, Key: a, Range: bytes=1-1}");
  EXPECT_FALSE(content.answer);
  EXPECT_EQ(content.content_bytes, 1u);
  EXPECT_EQ(quick("s3", "GetObject", "{Bucket: one, Key: a}").content_bytes, 5u);
  // What needs no content to be refused is refused.
  const auto missing = quick("s3", "GetObject", "{Bucket: one, Key: b}");
  ASSERT_TRUE(missing.answer);
  EXPECT_EQ(missing.answer->error().code, "NoSuchKey");
  EXPECT_EQ(quick("s3", "NoOperation").answer->error().code, "NotImplemented");
  EXPECT_FALSE(quick("s3", "CreateBucket", "{Bucket: two}").answer);
  EXPECT_EQ(aws.code("s3:HeadBucket", "{Bucket: two}"), "404");
  // A read that makes what a new account has is a change, the first time.
  EXPECT_FALSE(quick("ec2", "DescribeVpcs").answer);
  aws.ok("ec2:DescribeVpcs");
  EXPECT_TRUE(quick("ec2", "DescribeVpcs").answer);
  for (int i = 0; i < 200; ++i) aws.ok("s3:PutObject", "{Bucket: one, Body: '', Key: k" + std::to_string(i) + "}");
  EXPECT_FALSE(quick("s3", "ListObjectsV2", "{Bucket: one}").answer);  // most of them are in the store only
}

TEST(State, a_walk_over_thousands_is_not_quick) {
  Accounts aws;
  aws.ok("logs:CreateLogGroup", "{logGroupName: g}");
  aws.ok("logs:CreateLogStream", "{logGroupName: g, logStreamName: s}");
  std::string events;
  for (int i = 0; i < 1'000; ++i)
    events += (i == 0 ? "" : ", ") + std::string("{timestamp: 1700000000000, message: m}");
  const auto read = [&] {
    return aws.sandbox().call_quickly({"111111111111", "us-east-1", {}, "request"}, "logs", "GetLogEvents",
                                      yaml("{logGroupName: g, logStreamName: s}"));
  };
  const auto log = [&] {
    aws.ok("logs:PutLogEvents", "{logGroupName: g, logStreamName: s, logEvents: [" + events + "]}");
  };
  log();
  EXPECT_TRUE(read().answer);
  log();
  log();
  EXPECT_FALSE(read().answer);
}

TEST(State, odd_input_ends_in_an_error_and_never_in_a_crash) {
  Accounts aws;
  aws.ok("s3:CreateBucket", "{Bucket: one}");
  const json::Value odd[] = {json::Value(),
                             json::Value(7),
                             json::Value("text"),
                             yaml("[1]"),
                             yaml("{Bucket: 7, GroupId: [x], KeyId: {}, Name: 1.5}"),
                             yaml("{Bucket: one, IpPermissions: 3, GroupIds: [1, null], Delete: {Objects: [7]}, "
                                  "Filters: [x], Resources: [{}], Tags: x, LifecycleConfiguration: {Rules: [7]}}")};
  for (const auto& [service, operation] : aws.sandbox().operations())
    for (const json::Value& input : odd) (void)aws.call(service + ":" + operation, input);
  EXPECT_FALSE(aws.sandbox().operations().empty());
}

}  // namespace
}  // namespace fixpoint::sandbox
