// What the service models cost: the time to load each service, and resident memory with those that a server has loaded.
//
//   ./dev bench models [SERVICE...]     those services one after the other, instead of the server's

#include "aws/models.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace fixpoint;

// kB of /proc/self/status: VmRSS now, VmHWM at its highest.
long status_kb(const std::string& field) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(field + ":")) return std::stol(line.substr(field.size() + 1));
  return 0;
}

double ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> names(argv + 1, argv + argc);
  if (names.empty()) names = {"securityhub", "events", "lambda", "s3", "ec2", "cloudtrail", "kms", "sts"};

  const long before_kb = status_kb("VmRSS");
  auto start = std::chrono::steady_clock::now();
  const auto models = aws::Models::open({});
  if (!models) {
    std::fprintf(stderr, "%s\n", describe(models.error()).c_str());
    return 1;
  }
  std::printf("%-24s %8.2f ms %36ld kB resident\n", "(the pack's index)", ms_since(start),
              status_kb("VmRSS") - before_kb);
  double total_ms = 0;
  std::vector<std::shared_ptr<const aws::Service>> kept;
  for (const std::string& name : names) {
    const long start_kb = status_kb("VmRSS");
    start = std::chrono::steady_clock::now();
    const auto service = (*models)->get(name);
    const double ms = ms_since(start);
    if (!service) {
      std::fprintf(stderr, "%s\n", describe(service.error()).c_str());
      return 1;
    }
    kept.push_back(*service);
    total_ms += ms;
    std::printf("%-24s %8.2f ms %5zu operations %5zu shapes %+8ld kB resident\n", name.c_str(), ms,
                (*service)->operations().size(), (*service)->shapes().size(), status_kb("VmRSS") - start_kb);
  }
  std::printf("%zu services in %.1f ms; resident %.1f MB, %.1f MB at most (%.1f MB before)\n", names.size(), total_ms,
              static_cast<double>(status_kb("VmRSS")) / 1024, static_cast<double>(status_kb("VmHWM")) / 1024,
              static_cast<double>(before_kb) / 1024);
}
