#include "aws/sign.h"

#include <benchmark/benchmark.h>

#include "aws/verify.h"
#include "base/text.h"

// What signing and verifying a request costs on one core.
namespace fixpoint::aws {
namespace {

const TimeMs now = *parse_basic_iso8601("20240102T030405Z");
const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

class OneKey final : public KeyLookup {
 public:
  std::shared_ptr<const KeyRecord> find(std::string_view) const override { return record_; }

 private:
  std::shared_ptr<const KeyRecord> record_ =
      std::make_shared<const KeyRecord>(KeyRecord{credentials.secret, "", {}, std::make_shared<const Principal>()});
};

// What botocore sends for GetFindings, without the signature.
HttpRequest get_findings() {
  HttpRequest request;
  request.method = "POST";
  request.target = "/findings";
  request.headers = {{"Host", "securityhub.us-east-1.amazonaws.com"},
                     {"Accept-Encoding", "identity"},
                     {"Content-Type", "application/json"},
                     {"User-Agent", "aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12"},
                     {"Content-Length", "92"}};
  request.body = R"({"Filters": {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}, "MaxResults": 10})";
  return request;
}

void sign_request(benchmark::State& state) {
  SigningKeys keys;
  const HttpRequest plain = get_findings();
  const auto options = SigningOptions::for_service("securityhub", "us-east-1", now);
  for (auto _ : state) {
    HttpRequest request = plain;
    benchmark::DoNotOptimize(sign(request, credentials, options, &keys));
  }
}
BENCHMARK(sign_request)->Unit(benchmark::kMicrosecond);

void verify_request(benchmark::State& state, HttpRequest request) {
  const OneKey keys;
  const ManualClock clock(now);
  const Verifier verifier(keys, clock);
  if (!verifier.verify(request)) state.SkipWithError("the request does not verify");
  for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(request));
}

void verify_json(benchmark::State& state) {
  HttpRequest request = get_findings();
  if (!sign(request, credentials, SigningOptions::for_service("securityhub", "us-east-1", now))) return;
  verify_request(state, std::move(request));
}
BENCHMARK(verify_json)->Unit(benchmark::kMicrosecond);

void verify_s3_subresource(benchmark::State& state) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/my-bucket?encryption";
  request.headers = {{"Host", "127.0.0.1:4566"}, {"Accept-Encoding", "identity"}, {"User-Agent", "Boto3/1.26.27"}};
  if (!sign(request, credentials, SigningOptions::for_service("s3", "us-east-1", now))) return;
  verify_request(state, std::move(request));
}
BENCHMARK(verify_s3_subresource)->Unit(benchmark::kMicrosecond);

void verify_presigned(benchmark::State& state) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/my-bucket/a%20b";
  request.headers = {{"Host", "127.0.0.1:4566"}};
  if (!presign(request, credentials, SigningOptions::for_service("s3", "us-east-1", now), 300)) return;
  verify_request(state, std::move(request));
}
BENCHMARK(verify_presigned)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fixpoint::aws

BENCHMARK_MAIN();
