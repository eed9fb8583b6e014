#include "aws/client.h"

#include <deque>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "aws/verify.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

const TimeMs start = *parse_basic_iso8601("20240102T030405Z");

HttpResponse answer(int status, std::string body, Headers headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

HttpResponse json_error(int status, const std::string& code, Headers headers = {}) {
  return answer(status, R"({"__type":")" + code + R"(","message":"because"})", std::move(headers));
}

HttpResponse s3_error(int status, const std::string& code, const std::string& more = {}, Headers headers = {}) {
  return answer(status, "<Error><Code>" + code + "</Code><Message>because</Message>" + more + "</Error>",
                std::move(headers));
}

// Gives the answers that it was told, in their order, and keeps what it was sent.
class Script final : public HttpClient {
 public:
  struct Sent {
    std::string base_url;
    HttpRequest request;
  };
  Result<HttpResponse> send(const std::string& base_url, const HttpRequest& request, int) override {
    sent.push_back({base_url, request});
    if (during_send) during_send();
    if (answers.empty()) return answer(200, "{}");
    auto next = std::move(answers.front());
    answers.pop_front();
    return next;
  }
  std::deque<Result<HttpResponse>> answers;
  std::vector<Sent> sent;
  std::function<void()> during_send;
};

class OneKey final : public KeyLookup {
 public:
  std::shared_ptr<const KeyRecord> find(std::string_view) const override {
    return std::make_shared<const KeyRecord>(KeyRecord{"secret", "", {}, std::make_shared<const Principal>()});
  }
};

const Models& models() {
  static const auto opened = Models::open({});
  if (!opened) throw std::runtime_error(describe(opened.error()));
  return **opened;
}

class ClientCalls : public testing::Test {
 protected:
  Client::Options options() {
    Client::Options made;
    made.chance = [] { return 1.0; };
    made.pause = [this](std::int64_t ms) { waits.push_back(ms); };
    return made;
  }
  Client make(Client::Options with) {
    return Client([](std::string_view name) { return models().get(name); }, http, credentials, clock, std::move(with));
  }
  Result<json::Value> call(Client& client, std::string_view service, std::string_view operation,
                           std::string_view input = "{}") {
    CallContext context;
    context.account = "111122223333";
    context.region = "eu-west-1";
    return client.call(context, service, operation, *json::parse(input));
  }
  Result<json::Value> call(std::string_view service, std::string_view operation, std::string_view input = "{}") {
    Client client = make(options());
    return call(client, service, operation, input);
  }
  static Error network(const char* code, const char* where) {
    Error error = errors::coded(code, "the connection broke");
    error.where = where;
    error.retryable = true;
    return error;
  }

  Script http;
  StaticCredentials credentials{{"AKIAIOSFODNN7EXAMPLE", "secret", ""}};
  ManualClock clock{start};
  std::vector<std::int64_t> waits;
};

// CloudTrail hands the user agent on: so fixpoint knows the event of its own call again.
TEST_F(ClientCalls, names_its_execution_in_the_user_agent) {
  Client client = make(options());
  CallContext context{.account = "111122223333", .region = "eu-west-1", .execution = "e-1", .request_id = {}};
  for (const auto* execution : {"e-1", ""}) {
    context.execution = execution;
    http.answers.push_back(answer(200, "{}"));
    ASSERT_TRUE(client.call(context, "kms", "ListKeys", json::Object{}));
  }
  EXPECT_EQ(http.sent[0].request.headers.get("User-Agent"), "fixpoint execution/e-1");
  EXPECT_EQ(http.sent[1].request.headers.get("User-Agent"), "fixpoint");
}

TEST_F(ClientCalls, goes_signed_to_the_endpoint_of_service_and_region) {
  http.answers.push_back(answer(200, R"({"Keys":[{"KeyId":"k"}],"Truncated":false})"));
  const auto output = call("kms", "ListKeys", R"({"Limit": 5})");
  ASSERT_TRUE(output) << describe(output.error());
  EXPECT_EQ((*output)["Keys"][0]["KeyId"].string_or(""), "k");
  ASSERT_EQ(http.sent.size(), 1U);
  const auto& [base_url, request] = http.sent[0];
  EXPECT_EQ(base_url, "https://kms.eu-west-1.amazonaws.com");
  EXPECT_EQ(request.headers.get("Host"), "kms.eu-west-1.amazonaws.com");
  EXPECT_EQ(request.headers.get("X-Amz-Target"), "TrentService.ListKeys");
  EXPECT_EQ(*json::parse(request.body), *json::parse(R"({"Limit":5})"));
  const OneKey keys;
  const auto verified = Verifier(keys, clock).verify(request);
  ASSERT_TRUE(verified) << describe(verified.error());
  EXPECT_EQ(verified->scope.to_string(), "20240102/eu-west-1/kms/aws4_request");
}

TEST_F(ClientCalls, signs_in_a_way_that_every_protocol_verifies) {
  const std::tuple<const char*, const char*, const char*> calls[] = {
      {"securityhub", "GetInsightResults",
       R"({"InsightArn": "arn:aws:securityhub:eu-west-1:111122223333:insight/111122223333/custom/a1b2"})"},
      {"sts", "GetCallerIdentity", "{}"},
      {"ec2", "DescribeSecurityGroups", R"({"GroupIds": ["sg-1"]})"},
      {"s3", "PutBucketEncryption", R"({"Bucket": "my-bucket", "ServerSideEncryptionConfiguration": {"Rules": []}})"},
      {"s3", "GetObject", R"({"Bucket": "my-bucket", "Key": "a b/(c)+~é//d"})"},
      {"sqs", "ListQueues", "{}"},
  };
  for (const auto& [service, operation, input] : calls) {
    (void)call(service, operation, input);
    ASSERT_FALSE(http.sent.empty());
    const OneKey keys;
    const auto verified = Verifier(keys, clock).verify(http.sent.back().request);
    EXPECT_TRUE(verified) << service << ": " << describe(verified.error());
  }
}

TEST_F(ClientCalls, puts_a_bucket_into_the_host_and_leaves_it_out_at_an_endpoint_of_ones_own) {
  (void)call("s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})");
  EXPECT_EQ(http.sent.back().base_url, "https://my-bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(http.sent.back().request.headers.get("Host"), "my-bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(http.sent.back().request.target, "/?encryption");
  (void)call("s3", "GetBucketEncryption", R"({"Bucket": "my.bucket"})");
  EXPECT_EQ(http.sent.back().base_url, "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(http.sent.back().request.target, "/my.bucket?encryption");
  Client::Options own = options();
  own.endpoint_url = "http://127.0.0.1:4566";
  own.endpoint_urls["kms"] = "http://127.0.0.1:7777/kms/";
  Client client = make(own);
  (void)call(client, "s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})");
  EXPECT_EQ(http.sent.back().base_url, "http://127.0.0.1:4566");
  EXPECT_EQ(http.sent.back().request.target, "/my-bucket?encryption");
  (void)call(client, "kms", "ListKeys");
  EXPECT_EQ(http.sent.back().base_url, "http://127.0.0.1:7777");
  EXPECT_EQ(http.sent.back().request.target, "/kms/");
  (void)call(client, "stepfunctions", "StartSyncExecution",
             R"({"stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m"})");
  EXPECT_EQ(http.sent.back().request.headers.get("Host"), "127.0.0.1:4566");
}

TEST_F(ClientCalls, adds_the_host_prefix_of_the_operation) {
  (void)call("stepfunctions", "StartSyncExecution",
             R"({"stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m"})");
  EXPECT_EQ(http.sent.back().base_url, "https://sync-states.eu-west-1.amazonaws.com");
}

TEST_F(ClientCalls, says_what_the_service_answered) {
  http.answers.push_back(json_error(400, "com.amazonaws.kms#NotFoundException", {{"x-amzn-RequestId", "1-2-3"}}));
  const auto refused = call("kms", "DescribeKey", R"({"KeyId": "k"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "NotFoundException");
  EXPECT_EQ(refused.error().message, "because");
  EXPECT_EQ(refused.error().http_status, 400);
  EXPECT_EQ(refused.error().where, "kms:DescribeKey, request 1-2-3");
  EXPECT_FALSE(refused.error().retryable);
  EXPECT_EQ(http.sent.size(), 1U);
}

TEST_F(ClientCalls, sends_nothing_for_what_it_does_not_know) {
  const auto no_operation = call("kms", "ListDoors");
  ASSERT_FALSE(no_operation);
  EXPECT_EQ(no_operation.error().code, "UnknownOperationException");
  EXPECT_NE(no_operation.error().message.find("ListDoors"), std::string::npos);
  EXPECT_EQ(call("kmss", "ListKeys").error().code, "UnknownService");
  CallContext nowhere;
  Client client = make(options());
  EXPECT_EQ(client.call(nowhere, "kms", "ListKeys", json::Value(json::Object())).error().code, "ValidationException");
  EXPECT_TRUE(http.sent.empty());
}

TEST_F(ClientCalls, sends_nothing_where_the_input_does_not_fit_the_model) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"KeyID": "k"})",
       "kms:DescribeKey: Value null at 'KeyId' failed to satisfy constraint: Member must not be "
       "null; There is no member 'KeyID' in the input: expected one of KeyId, GrantTokens"},
      {R"({"KeyId": 7})", "kms:DescribeKey: The value at 'KeyId' must be a string, not a number"},
      {R"({"KeyId": "k", "GrantTokens": "t"})",
       "kms:DescribeKey: The value at 'GrantTokens' must be a list, not a string"},
      {R"([])", "kms:DescribeKey: The input must be an object, not an array"},
  };
  for (const auto& [input, sentence] : wrong) {
    const auto refused = call("kms", "DescribeKey", input);
    ASSERT_FALSE(refused) << input;
    EXPECT_EQ(refused.error().code, "ValidationException");
    EXPECT_EQ(refused.error().message, sentence);
    EXPECT_FALSE(refused.error().retryable);
  }
  EXPECT_FALSE(call("ec2", "RevokeSecurityGroupIngress", R"({"GroupId": "sg-1", "IpPermission": []})"));
  EXPECT_TRUE(http.sent.empty());
}

TEST_F(ClientCalls, signs_a_compressed_body_as_it_is_sent) {
  json::Array data;
  for (int i = 0; i < 400; ++i) data.emplace_back(json::Object{{"MetricName", "metric"}, {"Value", i}});
  Client client = make(options());
  CallContext context;
  context.region = "eu-west-1";
  (void)client.call(context, "cloudwatch", "PutMetricData",
                    json::Object{{"Namespace", "mine"}, {"MetricData", std::move(data)}});
  ASSERT_EQ(http.sent.size(), 1U);
  EXPECT_EQ(http.sent[0].request.headers.get("Content-Encoding"), "gzip");
  const OneKey keys;
  EXPECT_TRUE(Verifier(keys, clock).verify(http.sent[0].request));
}

TEST_F(ClientCalls, repeats_what_was_throttled_after_longer_and_longer_waits) {
  http.answers.push_back(json_error(400, "ThrottlingException"));
  http.answers.push_back(json_error(429, "TooManyRequestsException"));
  ASSERT_TRUE(call("cloudtrail", "CreateTrail", R"({"Name": "t", "S3BucketName": "b"})"));
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1000, 2000}));
  ASSERT_EQ(http.sent.size(), 3U);
  EXPECT_EQ(http.sent[0].request.headers.get("amz-sdk-invocation-id"),
            http.sent[2].request.headers.get("amz-sdk-invocation-id"));
  EXPECT_EQ(http.sent[2].request.headers.get("amz-sdk-request"), "attempt=3; max=3");
}

TEST_F(ClientCalls, gives_up_after_the_last_attempt_and_says_that_a_later_try_may_help) {
  for (int i = 0; i < 5; ++i) http.answers.push_back(json_error(400, "ThrottlingException"));
  const auto refused = call("cloudtrail", "CreateTrail", R"({"Name": "t", "S3BucketName": "b"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ThrottlingException");
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(http.sent.size(), 3U);
}

TEST_F(ClientCalls, never_makes_a_change_twice_that_may_have_been_made) {
  http.answers.push_back(json_error(500, "KMSInternalException"));
  EXPECT_FALSE(call("kms", "CreateKey"));
  EXPECT_EQ(http.sent.size(), 1U);
  http.answers.push_back(fail(network("RequestTimeout", "after sending")));
  const auto unsure = call("kms", "CreateKey");
  ASSERT_FALSE(unsure);
  EXPECT_EQ(unsure.error().where, "after sending");
  EXPECT_EQ(http.sent.size(), 2U);
  http.answers.push_back(fail(network("ConnectionError", "before sending")));
  EXPECT_TRUE(call("kms", "CreateKey"));
  EXPECT_EQ(http.sent.size(), 4U);
  http.answers.push_back(json_error(500, "InternalFailure"));
  EXPECT_TRUE(call("cloudtrail", "DescribeTrails"));
  EXPECT_EQ(http.sent.size(), 6U);
}

TEST_F(ClientCalls, keeps_the_idempotency_token_across_attempts) {
  http.answers.push_back(json_error(500, "InternalServerError"));
  (void)call("ssm", "CreateMaintenanceWindow",
             "{\"Name\": \"window\", \"Schedule\": \"rate(1 day)\", \"Duration\": 2, \"Cutoff\": 1, "
             "\"AllowUnassociatedTargets\": true}");
  ASSERT_EQ(http.sent.size(), 2U);
  EXPECT_NE(http.sent[0].request.body.find("ClientToken"), std::string::npos);
  EXPECT_EQ(http.sent[0].request.body, http.sent[1].request.body);
}

TEST_F(ClientCalls, waits_as_long_as_the_service_asks_but_not_beyond_reason) {
  http.answers.push_back(json_error(400, "ThrottlingException", {{"Retry-After", "7"}}));
  EXPECT_TRUE(call("kms", "ListKeys"));
  EXPECT_EQ(waits, std::vector<std::int64_t>{7000});
  http.answers.push_back(json_error(400, "ThrottlingException", {{"Retry-After", "3600"}}));
  const auto refused = call("kms", "ListKeys");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(waits.size(), 1U);
}

TEST_F(ClientCalls, stops_repeating_when_everything_fails) {
  Client client = make(options());
  for (int i = 0; i < 400; ++i) http.answers.push_back(json_error(400, "ThrottlingException"));
  for (int i = 0; i < 100; ++i) (void)call(client, "kms", "ListKeys");
  EXPECT_EQ(http.sent.size(), 200U) << "100 calls, and the 100 retries that the quota holds";
}

TEST_F(ClientCalls, signs_anew_when_the_local_clock_is_off) {
  Client client = make(options());
  const Headers service_time = {{"Date", "Tue, 02 Jan 2024 04:04:05 GMT"}};
  http.answers.push_back(json_error(400, "InvalidSignatureException", service_time));
  EXPECT_TRUE(call(client, "kms", "CreateKey"));
  ASSERT_EQ(http.sent.size(), 2U);
  EXPECT_EQ(http.sent[0].request.headers.get("X-Amz-Date"), "20240102T030405Z");
  EXPECT_EQ(http.sent[1].request.headers.get("X-Amz-Date"), "20240102T040405Z");
  EXPECT_TRUE(waits.empty());
  EXPECT_TRUE(call(client, "kms", "ListKeys"));
  EXPECT_EQ(http.sent[2].request.headers.get("X-Amz-Date"), "20240102T040405Z");
  http.answers.push_back(json_error(400, "InvalidSignatureException", service_time));
  EXPECT_FALSE(call(client, "kms", "ListKeys")) << "a wrong secret is no wrong clock";
  EXPECT_EQ(http.sent.size(), 4U);
}

class TwoSessions final : public CredentialsProvider {
 public:
  Result<Credentials> get(const CallContext&) override {
    return Credentials{"ASIA" + std::to_string(session), "secret", "token"};
  }
  void forget(const CallContext&) override { ++session; }
  int session = 1;
};

TEST_F(ClientCalls, renews_a_session_that_ended_early) {
  TwoSessions sessions;
  Client client([](std::string_view name) { return models().get(name); }, http, sessions, clock, options());
  http.answers.push_back(json_error(400, "ExpiredTokenException"));
  EXPECT_TRUE(call(client, "kms", "CreateKey"));
  ASSERT_EQ(http.sent.size(), 2U);
  EXPECT_NE(http.sent[1].request.headers.get("Authorization").find("ASIA2/"), std::string_view::npos);
  http.answers.push_back(json_error(400, "ExpiredTokenException"));
  EXPECT_EQ(call("kms", "ListKeys").error().code, "ExpiredTokenException") << "static credentials have no other";
}

TEST_F(ClientCalls, follows_a_bucket_to_its_region_and_remembers_it) {
  Client client = make(options());
  http.answers.push_back(s3_error(301, "PermanentRedirect", "", {{"x-amz-bucket-region", "us-west-2"}}));
  http.answers.push_back(answer(200, "<ServerSideEncryptionConfiguration/>"));
  ASSERT_TRUE(call(client, "s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})"));
  ASSERT_EQ(http.sent.size(), 2U);
  EXPECT_EQ(http.sent[1].base_url, "https://my-bucket.s3.us-west-2.amazonaws.com");
  EXPECT_NE(http.sent[1].request.headers.get("Authorization").find("/us-west-2/s3/"), std::string_view::npos);
  http.answers.push_back(answer(200, "<ServerSideEncryptionConfiguration/>"));
  ASSERT_TRUE(call(client, "s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})"));
  EXPECT_EQ(http.sent[2].base_url, "https://my-bucket.s3.us-west-2.amazonaws.com");
  http.answers.push_back(s3_error(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"));
  http.answers.push_back(answer(200, "<ServerSideEncryptionConfiguration/>"));
  ASSERT_TRUE(call(client, "s3", "GetBucketEncryption", R"({"Bucket": "other-bucket"})"));
  EXPECT_EQ(http.sent[4].base_url, "https://other-bucket.s3.eu-central-1.amazonaws.com");
}

TEST_F(ClientCalls, is_not_led_in_circles_or_astray_by_a_redirect) {
  for (const char* region : {"us-west-2", "us-east-2", "evil.example/x"}) {
    http.answers.push_back(s3_error(301, "PermanentRedirect", "", {{"x-amz-bucket-region", region}}));
  }
  const auto refused = call("s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "PermanentRedirect");
  EXPECT_EQ(http.sent.size(), 2U);
  http.answers.erase(http.answers.begin(), http.answers.end() - 1);
  EXPECT_FALSE(call("s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})"));
  EXPECT_EQ(http.sent.size(), 3U);
}

TEST_F(ClientCalls, takes_an_error_inside_a_200_for_what_it_is) {
  http.answers.push_back(s3_error(200, "InternalError"));
  http.answers.push_back(s3_error(200, "InternalError"));
  http.answers.push_back(s3_error(200, "InternalError"));
  const auto refused = call("s3", "CopyObject", R"({"Bucket": "my-bucket", "Key": "k", "CopySource": "b/k"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "InternalError");
  EXPECT_EQ(http.sent.size(), 3U) << "a copy is a PUT and may be repeated";
}

TEST_F(ClientCalls, end_their_wait_when_the_client_stops) {
  Client::Options waiting = options();
  waiting.pause = nullptr;
  Client client = make(waiting);
  http.during_send = [&] { client.stop(); };
  http.answers.push_back(json_error(400, "ThrottlingException"));
  EXPECT_FALSE(call(client, "kms", "ListKeys"));
  EXPECT_EQ(http.sent.size(), 1U);
}

TEST_F(ClientCalls, do_not_send_the_signature_of_a_public_operation) {
  (void)call(
      "sts", "AssumeRoleWithWebIdentity",
      R"({"RoleArn": "arn:aws:iam::111122223333:role/r", "RoleSessionName": "session", "WebIdentityToken": "token"})");
  ASSERT_FALSE(http.sent.empty());
  EXPECT_FALSE(http.sent.back().request.headers.has("Authorization"));
}

}  // namespace
}  // namespace fixpoint::aws
