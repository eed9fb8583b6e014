// bench_client [SECONDS] [THREADS]: signed calls a second of the AWS client, first against a stub in the same process
// (serialising, signing and parsing alone), then over loopback HTTP against a server that answers at once.
#include "aws/client.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "aws/models.h"
#include "http/curl_client.h"
#include "http/server.h"
#include "json/text.h"

namespace {

using namespace fixpoint;

struct Call {
  const char* service;
  const char* operation;
  const char* input;
  const char* answer;
};

constexpr Call calls[] = {
    {"securityhub", "GetFindings",
     R"({"Filters": {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}, "MaxResults": 10})",
     R"({"Findings": []})"},
    {"s3", "GetBucketEncryption", R"({"Bucket": "my-bucket"})",
     "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
     "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"},
    {"ec2", "DescribeSecurityGroups", R"({"GroupIds": ["sg-0123456789abcdef0"]})",
     "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-0123456789abcdef0</groupId></item>"
     "</securityGroupInfo></DescribeSecurityGroupsResponse>"},
};

class Stub final : public HttpClient {
 public:
  explicit Stub(const char* body) : body_(body) {}
  Result<HttpResponse> send(const std::string&, const HttpRequest&, int) override {
    HttpResponse response;
    response.body = body_;
    return response;
  }

 private:
  const char* body_;
};

// Calls a second of `threads` threads that each make one call after another.
double rate(aws::Client& client, const Call& call, int seconds, int threads) {
  const json::Value input = *json::parse(call.input);
  std::atomic<bool> over = false;
  std::atomic<long> done = 0;
  std::vector<std::thread> running;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      aws::CallContext context;
      context.region = "us-east-1";
      while (!over) {
        const auto output = client.call(context, call.service, call.operation, input);
        if (!output) {
          std::fprintf(stderr, "%s\n", describe(output.error()).c_str());
          std::exit(1);
        }
        ++done;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  over = true;
  for (auto& thread : running) thread.join();
  return static_cast<double>(done) / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 2;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 16;
  const auto models = aws::Models::open({});
  if (!models || seconds < 1 || threads < 1) {
    std::fprintf(stderr, "bench_client [SECONDS] [THREADS], and the models must open\n");
    return 1;
  }
  const auto source = [&](std::string_view name) { return (*models)->get(name); };
  aws::StaticCredentials credentials({"AKIAIOSFODNN7EXAMPLE", "secret", ""});
  const SystemClock clock;
  for (const Call& call : calls) {
    Stub stub(call.answer);
    aws::Client alone(source, stub, credentials, clock, {});
    std::printf("%-34s in process, 1 thread    %8.0f calls/s\n", call.operation, rate(alone, call, seconds, 1));

    http::ServerOptions serving;
    auto server = http::Server::start(serving, [&](HttpRequest, http::Responder respond) {
      HttpResponse response;
      response.body = call.answer;
      respond.send(std::move(response));
    });
    if (!server) {
      std::fprintf(stderr, "%s\n", describe(server.error()).c_str());
      return 1;
    }
    http::CurlClientOptions sending;
    sending.use_environment_proxy = false;
    http::CurlClient curl(sending);
    aws::Client::Options options;
    options.endpoint_url = "http://127.0.0.1:" + std::to_string((*server)->port());
    aws::Client client(source, curl, credentials, clock, options);
    std::printf("%-34s loopback HTTP, %d threads %7.0f calls/s\n", call.operation, threads,
                rate(client, call, seconds, threads));
  }
  return 0;
}
