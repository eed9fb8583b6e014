// Unmodified boto3 against a server that records: it must come here, and sign as the execution that runs.
#include <gtest/gtest.h>
#include <mutex>
#include <vector>

#include "base/text.h"
#include "functions/ear.h"
#include "functions/handlers.h"
#include "http/server.h"

namespace fixpoint::functions {
namespace {

class Boto : public Handlers {
 protected:
  void SetUp() override {
    Handlers::SetUp();
    if (IsSkipped()) return;
    auto server = http::Server::start({}, [this](HttpRequest request, http::Responder respond) {
      HttpResponse response;
      response.headers.set("Content-Type",
                           request.headers.has("X-Amz-Target") ? "application/x-amz-json-1.1" : "text/xml");
      if (request.headers.has("X-Amz-Target") || request.target == "/findings/batchupdate") {
        response.body =
            request.target == "/findings/batchupdate" ? R"({"ProcessedFindings":[],"UnprocessedFindings":[]})" : "{}";
      } else if (request.body.find("Action=DescribeSecurityGroups") != std::string::npos) {
        response.body =
            "<DescribeSecurityGroupsResponse><requestId>r</requestId><securityGroupInfo><item><groupId>sg-1</"
            "groupId><ipPermissions><item>"
            "<ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><ipRanges><item><cidrIp>0.0.0.0/0</"
            "cidrIp></item>"
            "<item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item></ipPermissions></item></securityGroupInfo></"
            "DescribeSecurityGroupsResponse>";
      } else if (request.body.find("Action=RevokeSecurityGroupIngress") != std::string::npos) {
        response.body =
            "<RevokeSecurityGroupIngressResponse><requestId>r</requestId><return>true</return></"
            "RevokeSecurityGroupIngressResponse>";
      } else if (request.body.find("Action=GetCallerIdentity") != std::string::npos) {
        response.body =
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></"
            "GetCallerIdentityResult></GetCallerIdentityResponse>";
      }
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
      respond.send(std::move(response));
    });
    ASSERT_TRUE(server) << describe(server.error());
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_) server_->stop();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::vector<HttpRequest> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }
  static std::string signer(const HttpRequest& request) {
    const std::string_view line = request.headers.get("Authorization");
    const std::size_t at = line.find("Credential=");
    return at == std::string_view::npos ? std::string() : std::string(line.substr(at + 11, line.find(',') - at - 11));
  }

  std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::unique_ptr<http::Server> server_;
};

const char* const two_clients =
    "import boto3\nsts = boto3.client('sts')\nsession = boto3.Session()\ntable = session.resource('s3')\n"
    "def handler(event, context):\n    frozen = session.get_credentials().get_frozen_credentials()\n"
    "    return [sts.get_caller_identity()['Account'], frozen.access_key, session.get_credentials().token]\n";

TEST_F(Boto, a_client_of_module_level_signs_with_the_credentials_of_each_invocation) {
  auto call = invocation(two_clients);
  call.endpoint_url = url();
  const Outcome first = run(call);
  EXPECT_EQ(first.payload, R"(["123456789012", "AKIAONE", "token-one"])") << first.log_tail;
  call.credentials = {"AKIATWO", "secret-two", ""};
  call.request_id = random_uuid();
  const Outcome second = run(call);
  EXPECT_EQ(second.payload, R"(["123456789012", "AKIATWO", null])") << second.log_tail;
  EXPECT_FALSE(second.cold);
  const auto requests = take();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(signer(requests[0]).starts_with("AKIAONE/")) << signer(requests[0]);
  EXPECT_TRUE(signer(requests[0]).ends_with("/eu-central-1/sts/aws4_request")) << signer(requests[0]);
  EXPECT_EQ(requests[0].headers.get("X-Amz-Security-Token"), "token-one");
  EXPECT_TRUE(signer(requests[1]).starts_with("AKIATWO/")) << signer(requests[1]);
  EXPECT_FALSE(requests[1].headers.has("X-Amz-Security-Token"));
}

TEST_F(Boto, so_does_a_newer_botocore) {
  const std::string python = test::other_python();
  if (python.empty()) GTEST_SKIP() << "there is no other python3 with a boto3 on PATH";
  auto other = options();
  other.interpreter = python;
  start(other);
  auto call = invocation(two_clients);
  call.endpoint_url = url();
  EXPECT_EQ(run(call).payload, R"(["123456789012", "AKIAONE", "token-one"])") << runtime_->isolation();
  call.credentials = {"AKIATWO", "secret-two", "token-two"};
  const Outcome second = run(call);
  EXPECT_EQ(second.payload, R"(["123456789012", "AKIATWO", "token-two"])") << second.log_tail;
  EXPECT_FALSE(second.cold);
  const auto requests = take();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(signer(requests[0]).starts_with("AKIAONE/")) << signer(requests[0]);
  EXPECT_TRUE(signer(requests[1]).starts_with("AKIATWO/")) << signer(requests[1]);
  EXPECT_EQ(requests[1].headers.get("X-Amz-Security-Token"), "token-two");
}

TEST_F(Boto, a_thread_left_behind_has_no_credentials_between_invocations) {
  test::Ear ear;  // hears of what the thread saw before the second invocation begins
  auto call = invocation(
      test::hold_a_connection +
      "import boto3, threading\nsts = boto3.client('sts')\nseen = []\nport = []\nstarted = threading.Event()\n"
      "def left_behind():\n"
      "    started.wait()\n"
      "    while True:\n"
      "        try:\n"
      "            sts._request_signer._credentials.get_frozen_credentials()\n"
      "        except Exception as e:\n"
      "            seen.append(type(e).__name__)\n"
      "            hold(port[0])\n"
      "            return\n"
      "thread = threading.Thread(target=left_behind, daemon=True)\nthread.start()\n"
      "def handler(event, context):\n"
      "    if event:\n"
      "        port.append(event)\n"
      "        started.set()\n"
      "    else:\n"
      "        thread.join(20)\n"
      "    return seen\n");
  call.endpoint_url = ear.url();
  call.payload = ear.port();
  run(call);
  EXPECT_TRUE(ear.hears_it_start());
  ear.let_it_go_on();
  call.payload = "0";
  EXPECT_EQ(run(call).payload, R"(["NoCredentialsError"])");
}

class EveryHostName : public Boto {
 protected:
  void call_them_all();
};

TEST_F(EveryHostName, reaches_the_endpoint) {
  call_them_all();
}

TEST_F(EveryHostName, reaches_the_endpoint_from_a_newer_botocore) {
  const std::string python = test::other_python();
  if (python.empty()) GTEST_SKIP() << "there is no other python3 with a boto3 on PATH";
  auto other = options();
  other.interpreter = python;
  start(other);
  call_them_all();
}

void EveryHostName::call_them_all() {
  auto call = invocation(
      "import boto3\n"
      "def handler(event, context):\n"
      "    boto3.client('s3control').put_public_access_block(AccountId='123456789012', "
      "PublicAccessBlockConfiguration={'BlockPublicAcls': True})\n"
      "    boto3.client('s3').put_bucket_encryption(Bucket='my-bucket', ServerSideEncryptionConfiguration={'Rules': "
      "[]})\n"
      "    boto3.client('ssm').put_parameter(Name='n', Value='v')\n"
      "    "
      "boto3.client('stepfunctions').start_sync_execution(stateMachineArn='arn:aws:states:eu-central-1:123456789012:"
      "stateMachine:m')\n"
      "    boto3.client('cloudtrail', region_name='us-east-1').start_logging(Name='t')\n"
      "    return 'all'\n");
  call.endpoint_url = url();
  const Outcome outcome = run(call);
  EXPECT_EQ(outcome.payload, "\"all\"") << outcome.log_tail;
  const auto requests = take();
  ASSERT_EQ(requests.size(), 5U) << outcome.log_tail;
  std::vector<std::string> scopes;
  for (const auto& request : requests) {
    const std::string signed_by = signer(request);
    const auto parts = split(signed_by, '/');
    scopes.push_back(parts.size() == 5 ? std::string(parts[2]) + "/" + std::string(parts[3]) : signer(request));
  }
  EXPECT_EQ(scopes, (std::vector<std::string>{"eu-central-1/s3", "eu-central-1/s3", "eu-central-1/ssm",
                                              "eu-central-1/states", "us-east-1/cloudtrail"}));
  EXPECT_TRUE(requests[1].target.starts_with("/my-bucket?encryption")) << requests[1].target;
}

TEST_F(Boto, an_endpoint_of_the_functions_own_for_one_service_wins) {
  auto call = invocation(
      "import boto3\ndef handler(event, context):\n    return [boto3.client(s).meta.endpoint_url for s in ('sts', "
      "'ssm')]\n");
  call.endpoint_url = url();
  call.function.environment = {{"AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:8"}};
  EXPECT_EQ(run(call).payload, "[\"" + url() + "\", \"http://127.0.0.1:8\"]");
}

TEST_F(Boto, explicit_credentials_stay_what_they_are) {
  auto call = invocation(
      "import boto3\ndef handler(event, context):\n"
      "    boto3.client('sts', aws_access_key_id='AKIAOWN', aws_secret_access_key='own').get_caller_identity()\n");
  call.endpoint_url = url();
  run(call);
  const auto requests = take();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(signer(requests[0]).starts_with("AKIAOWN/"));
}

TEST_F(Boto, the_seeds_handlers_run_unmodified) {
  const auto shared = test::shared_dir();
  if (!shared || !std::filesystem::is_directory(*shared / "seed"))
    GTEST_SKIP() << "there is no folder of shared data with seed/ beside the checkout; FIXPOINT_SHARED names one";
  struct Case {
    std::string module, resource, call;
  };
  for (const Case& each :
       {Case{"s3_encryption", "arn:aws:s3:::logs", "/logs?encryption"},
        Case{"close_security_group", "arn:aws:ec2:eu-central-1:123456789012:security-group/sg-1",
             "Action=RevokeSecurityGroupIngress"},
        Case{"start_cloudtrail", "arn:aws:cloudtrail:eu-central-1:123456789012:trail/main", "\"main\""}}) {
    auto call =
        of_zip(test::zip_of({{each.module + ".py", test::read_file(*shared / "seed" / (each.module + ".py"))}}));
    call.function.handler = each.module + ".handler";
    call.endpoint_url = url();
    call.payload = R"({"detail": {"findings": [{"Id": "f-1", "ProductArn": "p-1", "Resources": [{"Id": ")" +
                   each.resource + R"("}]}]}})";
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.function_error, "") << outcome.payload;
    const auto requests = take();
    ASSERT_GE(requests.size(), 2U) << outcome.log_tail;
    EXPECT_NE((requests[requests.size() - 2].target + requests[requests.size() - 2].body).find(each.call),
              std::string::npos)
        << requests[0].target << requests[0].body;
    EXPECT_EQ(requests.back().method + " " + requests.back().target, "PATCH /findings/batchupdate");
    EXPECT_NE(requests.back().body.find("RESOLVED"), std::string::npos) << requests.back().body << outcome.log_tail;
    for (const auto& request : requests) EXPECT_TRUE(signer(request).starts_with("AKIAONE/"));
  }
}

}  // namespace
}  // namespace fixpoint::functions
