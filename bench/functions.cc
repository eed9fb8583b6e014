// What an invocation costs: a cold one with boto3, and warm ones.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/id.h"
#include "functions/runtime.h"

namespace {

using namespace fixpoint;
using Clock = std::chrono::steady_clock;

double since_ms(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string zip_of(const std::string& module) {
  std::string folder = "/tmp/fixpoint-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) std::abort();
  std::ofstream(folder + "/app.py") << module;
  if (std::system(("cd " + folder + " && /usr/bin/python3 -m zipfile -c out.zip app.py").c_str()) != 0) std::abort();
  std::ifstream in(folder + "/out.zip", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (std::system(("rm -r " + folder).c_str()) != 0) std::abort();
  return bytes;
}

functions::Invocation invocation(const std::string& module) {
  functions::Invocation out;
  out.function.owner = {"123456789012", "us-east-1"};
  out.function.name = "bench";
  out.function.runtime = "python3.12";
  out.function.handler = "app.handler";
  out.function.timeout_s = 60;
  out.function.revision_id = random_uuid();
  out.code = [zip = zip_of(module)]() -> Result<std::string> { return zip; };
  out.credentials = {"AKIABENCH", "secret", {}};
  out.endpoint_url = "http://127.0.0.1:9";
  return out;
}

bool once(functions::Runtime& runtime, const functions::Invocation& call, double& took_ms) {
  const auto start = Clock::now();
  const auto outcome = runtime.invoke_and_wait(call);
  took_ms = since_ms(start);
  if (outcome && outcome->function_error.empty()) return true;
  std::fprintf(stderr, "%s\n", outcome ? outcome->payload.c_str() : describe(outcome.error()).c_str());
  return false;
}

}  // namespace

int main() {
  auto started = functions::Runtime::start({});
  if (!started) {
    std::fprintf(stderr, "%s\n", describe(started.error()).c_str());
    return 1;
  }
  functions::Runtime& runtime = **started;
  std::printf("%s\n", runtime.isolation().c_str());
  double took_ms = 0;
  const std::string plain = "def handler(event, context):\n    return event\n";
  const std::string with_boto3 =
      "import boto3\ns3 = boto3.client('s3')\nsecurityhub = boto3.client('securityhub')\n" + plain;
  for (const auto& [name, module] :
       {std::pair("plain handler", plain), std::pair("handler with two boto3 clients", with_boto3)}) {
    std::vector<double> cold;
    for (int i = 0; i < 5; ++i) {
      if (!once(runtime, invocation(module), took_ms)) return 1;
      cold.push_back(took_ms);
    }
    std::sort(cold.begin(), cold.end());
    std::printf("cold, %s: median of 5 %.1f ms\n", name, cold[2]);
  }
  const auto call = invocation(plain);
  std::vector<double> warm;
  for (int i = 0; i < 900; ++i) {
    if (!once(runtime, call, took_ms)) return 1;
    warm.push_back(took_ms);
  }
  std::sort(warm.begin(), warm.end());
  std::printf("warm: p50 %.2f ms, p95 %.2f ms, best %.2f ms\n", warm[450], warm[855], warm[0]);
  return 0;
}
