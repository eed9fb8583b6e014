#include <arpa/inet.h>
#include <chrono>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "aws/client.h"
#include "aws/models.h"
#include "base/text.h"
#include "http/curl_client.h"
#include "json/text.h"

extern char** environ;

// The client against moto, the usual emulator, where Python has it: other people's idea of seven services.
namespace fixpoint::aws {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

bool answers_at(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

pid_t start(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  if (posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

class Moto : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const pid_t probe = start({"python3", "-c", "import moto.server"});
    int status = 1;
    if (probe < 0 || waitpid(probe, &status, 0) != probe || status != 0) return;
    port_ = free_port();
    server_ = start({"python3", "-m", "moto.server", "-H", "127.0.0.1", "-p", std::to_string(port_)});
    for (int i = 0; i < 2400 && !answers_at(port_); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  static void TearDownTestSuite() {
    if (server_ <= 0) return;
    kill(server_, SIGTERM);
    waitpid(server_, nullptr, 0);
    server_ = -1;
  }
  void SetUp() override {
    if (server_ <= 0) GTEST_SKIP() << "python3 has no moto here (pip install 'moto[server]')";
    ASSERT_TRUE(answers_at(port_)) << "moto did not start";
    Client::Options options;
    options.endpoint_url = "http://127.0.0.1:" + std::to_string(port_);
    auto opened = Models::open({});
    ASSERT_TRUE(opened) << describe(opened.error());
    models_ = std::move(*opened);
    client_ = std::make_unique<Client>([this](std::string_view name) { return models_->get(name); }, http_,
                                       credentials_, clock_, options);
  }
  json::Value call(std::string_view service, std::string_view operation, std::string_view input = "{}") {
    const auto output = try_call(service, operation, input);
    if (output) return *output;
    ADD_FAILURE() << service << ':' << operation << ": " << describe(output.error());
    return {};
  }
  Result<json::Value> try_call(std::string_view service, std::string_view operation, std::string_view input = "{}") {
    CallContext context;
    context.account = "123456789012";
    context.region = "us-east-1";
    const auto parsed = json::parse(input);
    if (!parsed) throw std::runtime_error(describe(parsed.error()));
    return client_->call(context, service, operation, *parsed);
  }

  inline static pid_t server_ = -1;
  inline static int port_ = 0;
  SystemClock clock_;
  StaticCredentials credentials_{{"AKIAIOSFODNN7EXAMPLE", "secret", ""}};
  http::CurlClient http_{{.use_environment_proxy = false}};
  std::unique_ptr<Models> models_;
  std::unique_ptr<Client> client_;
};

TEST_F(Moto, s3_bucket_encryption_and_objects) {
  call("s3", "CreateBucket", R"({"Bucket": "first-bucket"})");
  const auto none = try_call("s3", "GetBucketEncryption", R"({"Bucket": "first-bucket"})");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "ServerSideEncryptionConfigurationNotFoundError");
  call("s3", "PutBucketEncryption", R"({"Bucket": "first-bucket", "ServerSideEncryptionConfiguration": {"Rules": [
      {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/a"},
       "BucketKeyEnabled": true}]}})");
  const auto changed = call("s3", "GetBucketEncryption", R"({"Bucket": "first-bucket"})");
  const json::Value& rule = changed["ServerSideEncryptionConfiguration"]["Rules"][0];
  EXPECT_EQ(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"].string_or(""), "aws:kms");
  EXPECT_TRUE(rule["BucketKeyEnabled"].bool_or(false));
  call("s3", "PutObject", R"({"Bucket": "first-bucket", "Key": "a b/(c)+é", "Body": "aGVsbG8=",
                              "Metadata": {"colour": "blue"}})");
  const auto object = call("s3", "GetObject", R"({"Bucket": "first-bucket", "Key": "a b/(c)+é"})");
  EXPECT_EQ(object["Body"].string_or(""), "aGVsbG8=");
  EXPECT_EQ(object["Metadata"]["colour"].string_or(""), "blue");
  EXPECT_EQ(object["ContentLength"].int_or(0), 5);
  const auto absent = try_call("s3", "GetObject", R"({"Bucket": "first-bucket", "Key": "absent"})");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, "NoSuchKey");
  EXPECT_EQ(absent.error().http_status, 404);
  const auto listing = call("s3", "ListObjectsV2", R"({"Bucket": "first-bucket"})");
  EXPECT_EQ(listing["KeyCount"].int_or(0), 1);
  EXPECT_EQ(try_call("s3", "HeadBucket", R"({"Bucket": "no-such-bucket"})").error().http_status, 404);
}

TEST_F(Moto, ec2_security_group_rules) {
  const auto group = call("ec2", "CreateSecurityGroup", R"({"GroupName": "g", "Description": "d"})");
  const std::string id(group["GroupId"].string_or(""));
  ASSERT_FALSE(id.empty());
  const std::string rule = R"({"GroupId": ")" + id + R"(", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22,
      "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]})";
  const auto permissions = [&] {
    const auto groups = call("ec2", "DescribeSecurityGroups", R"({"GroupIds": [")" + id + R"("]})");
    return groups["SecurityGroups"][0]["IpPermissions"];
  };
  EXPECT_TRUE(call("ec2", "AuthorizeSecurityGroupIngress", rule)["Return"].bool_or(false));
  const auto open = permissions();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0]["FromPort"].int_or(0), 22);
  EXPECT_EQ(open[0]["IpRanges"][0]["CidrIp"].string_or(""), "0.0.0.0/0");
  EXPECT_EQ(open[0]["Ipv6Ranges"][0]["CidrIpv6"].string_or(""), "::/0");
  call("ec2", "RevokeSecurityGroupIngress", rule);
  EXPECT_EQ(permissions().size(), 0U);
  const auto absent = try_call("ec2", "DescribeSecurityGroups", R"({"GroupIds": ["sg-00000000000000000"]})");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, "InvalidGroup.NotFound");
}

TEST_F(Moto, cloudtrail_trail_and_logging) {
  call("s3", "CreateBucket", R"({"Bucket": "trail-bucket"})");
  const auto trail = call("cloudtrail", "CreateTrail", R"({"Name": "trail", "S3BucketName": "trail-bucket"})");
  EXPECT_TRUE(trail["TrailARN"].string_or("").starts_with("arn:aws:cloudtrail:us-east-1:"));
  EXPECT_FALSE(call("cloudtrail", "GetTrailStatus", R"({"Name": "trail"})")["IsLogging"].bool_or(true));
  call("cloudtrail", "StartLogging", R"({"Name": "trail"})");
  const auto status = call("cloudtrail", "GetTrailStatus", R"({"Name": "trail"})");
  EXPECT_TRUE(status["IsLogging"].bool_or(false));
  EXPECT_TRUE(status["StartLoggingTime"].is_number());
}

TEST_F(Moto, kms_key_and_rotation) {
  const auto key = call("kms", "CreateKey", R"({"Description": "d"})");
  const std::string id(key["KeyMetadata"]["KeyId"].string_or(""));
  ASSERT_FALSE(id.empty());
  const std::string input = R"({"KeyId": ")" + id + R"("})";
  EXPECT_FALSE(call("kms", "GetKeyRotationStatus", input)["KeyRotationEnabled"].bool_or(true));
  call("kms", "EnableKeyRotation", input);
  EXPECT_TRUE(call("kms", "GetKeyRotationStatus", input)["KeyRotationEnabled"].bool_or(false));
}

TEST_F(Moto, sts_identity_and_role) {
  EXPECT_EQ(call("sts", "GetCallerIdentity")["Account"].string_or("").size(), 12U);
  AssumeRoleCredentials role(*client_, clock_, {.role_arn = "arn:aws:iam::{account}:role/fixer"});
  CallContext context;
  context.account = "123456789012";
  context.region = "us-east-1";
  const auto session = role.get(context);
  ASSERT_TRUE(session) << describe(session.error());
  EXPECT_TRUE(session->access_key.starts_with("ASIA")) << session->access_key;
  EXPECT_FALSE(session->session_token.empty());
}

TEST_F(Moto, sqs_messages) {
  const auto queue = call("sqs", "CreateQueue", R"({"QueueName": "q", "Attributes": {"VisibilityTimeout": "5"}})");
  const std::string url(queue["QueueUrl"].string_or(""));
  ASSERT_FALSE(url.empty());
  call("sqs", "SendMessage", R"({"QueueUrl": ")" + url + R"(", "MessageBody": "hello"})");
  const auto received = call("sqs", "ReceiveMessage", R"({"QueueUrl": ")" + url + R"("})");
  EXPECT_EQ(received["Messages"][0]["Body"].string_or(""), "hello");
  const auto absent = try_call("sqs", "GetQueueUrl", R"({"QueueName": "absent"})");
  ASSERT_FALSE(absent);
  EXPECT_TRUE(absent.error().code.ends_with("NonExistentQueue") || absent.error().code == "QueueDoesNotExist")
      << absent.error().code;
}

TEST_F(Moto, securityhub_findings) {
  call("securityhub", "EnableSecurityHub");
  const auto imported = call("securityhub", "BatchImportFindings", R"({"Findings": [{"SchemaVersion": "2018-10-08",
      "Id": "f-1", "ProductArn": "arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default",
      "GeneratorId": "g", "AwsAccountId": "123456789012", "Types": ["Software and Configuration Checks"],
      "CreatedAt": "2024-01-02T03:04:05Z", "UpdatedAt": "2024-01-02T03:04:05Z", "Severity": {"Label": "HIGH"},
      "Title": "t", "Description": "d", "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b"}]}]})");
  EXPECT_EQ(imported["SuccessCount"].int_or(0), 1);
  const auto found = call("securityhub", "GetFindings");
  ASSERT_EQ(found["Findings"].size(), 1U);
  EXPECT_EQ(found["Findings"][0]["Title"].string_or(""), "t");
}

TEST_F(Moto, is_called_no_more_often_than_the_limits_allow) {
  ManualClock clock(1'700'000'000'000);
  CallLimits limits;
  ASSERT_TRUE(limits.add("kms", *json::parse(R"({"source": "s", "buckets": [{"rate": 5, "burst": 5}]})")));
  Rate rate(clock, limits);
  Client::Options options;
  options.endpoint_url = "http://127.0.0.1:" + std::to_string(port_);
  options.rate = &rate;
  std::int64_t waited_ms = 0;
  options.pause = [&](std::int64_t ms) {
    waited_ms += ms;
    clock.advance_ms(ms);
  };
  Client client([this](std::string_view name) { return models_->get(name); }, http_, credentials_, clock, options);
  CallContext context;
  context.account = "123456789012";
  context.region = "us-east-1";
  for (int i = 0; i < 25; ++i) {
    const auto keys = client.call(context, "kms", "ListKeys", json::Object());
    ASSERT_TRUE(keys) << describe(keys.error());
  }
  EXPECT_NEAR(static_cast<double>(waited_ms), 4'000, 100) << "25 calls less a burst of 5, at five a second";
}

}  // namespace
}  // namespace fixpoint::aws
