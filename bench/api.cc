// bench_api ENDPOINT FINDING_ID GROUP_ID BUCKET SECONDS CONNECTIONS: signed requests a second of a running server, one
// operation after another and then mixed. The key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Ends with 1
// where an answer is not 2xx. bench/api.sh starts the server and calls this.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "aws/models.h"
#include "base/text.h"
#include "json/text.h"
#include "load.h"
#include "signed_request.h"

namespace {

using namespace fixpoint;

struct Call {
  std::string service;
  std::string operation;
  std::string input;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "bench_api HOST:PORT FINDING_ID GROUP_ID BUCKET SECONDS CONNECTIONS\n");
    return 2;
  }
  const std::string host = argv[1];
  const auto port = static_cast<std::uint16_t>(to_int64(host.substr(host.find(':') + 1)).value());
  const double seconds = std::atof(argv[5]);
  const auto connections = static_cast<unsigned>(std::atoi(argv[6]));
  const aws::Credentials key{std::getenv("AWS_ACCESS_KEY_ID"), std::getenv("AWS_SECRET_ACCESS_KEY"), ""};
  const auto models = aws::Models::open({}).value();
  const std::vector<Call> calls{
      {"securityhub", "GetFindings",
       R"({"Filters": {"Id": [{"Value": ")" + std::string(argv[2]) + R"(", "Comparison": "EQUALS"}]}})"},
      {"s3", "GetBucketEncryption", R"({"Bucket": ")" + std::string(argv[4]) + R"("})"},
      {"ec2", "DescribeSecurityGroups", R"({"GroupIds": [")" + std::string(argv[3]) + R"("]})"},
  };
  bool good = true;
  std::vector<std::string> mix;
  const auto report = [&](const char* name, const std::vector<std::string>& requests) {
    const bench::LoadResult result =
        bench::run_load(host.substr(0, host.find(':')), port, requests, connections, seconds);
    std::printf("%-24s %s\n", name, bench::describe(result).c_str());
    if (result.non_2xx > 0) std::printf("%s\n", result.first_non_2xx.c_str());
    good = good && result.error.empty() && result.non_2xx == 0 && result.broken == 0;
  };
  for (const Call& call : calls) {
    mix.push_back(
        bench::signed_request(*models, call.service, call.operation, json::parse(call.input).value(), host, key));
    report(call.operation.c_str(), {mix.back()});
  }
  report("all three in turn", mix);
  return good ? 0 : 1;
}
