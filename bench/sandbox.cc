// The embedded account without HTTP: reads from memory, durable writes from several threads.
#include "sandbox/sandbox.h"

#include <benchmark/benchmark.h>
#include <filesystem>

#include "json/yaml.h"

namespace {

using namespace fixpoint;

struct Fixture {
  Fixture() : folder(std::filesystem::temp_directory_path() / "fixpoint-bench-sandbox") {
    std::filesystem::remove_all(folder);
    store = store::Store::open({.folder = folder.string()}, {sandbox::Sandbox::schema()}).value();
    accounts = sandbox::Sandbox::open(*store, catalog::Catalog::embedded(), clock).value();
    call("s3", "CreateBucket", "{Bucket: bench}");
    group = (*accounts->call(context, "ec2", "CreateSecurityGroup",
                             json::parse_yaml("{GroupName: g, Description: d}").value()))["GroupId"]
                .as_string();
    call("ec2", "AuthorizeSecurityGroupIngress",
         "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0, GroupId: " + group + "}");
  }
  ~Fixture() {
    accounts.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }
  void call(std::string_view service, std::string_view operation, const std::string& input) {
    if (!accounts->call(context, service, operation, json::parse_yaml(input).value())) std::abort();
  }
  std::filesystem::path folder;
  SystemClock clock;
  aws::CallContext context{"111111111111", "us-east-1", {}, {}};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<sandbox::Sandbox> accounts;
  std::string group;
};

Fixture& fixture() {
  static Fixture one;
  return one;
}

void run(benchmark::State& state, std::string_view service, std::string_view operation, const std::string& input) {
  Fixture& all = fixture();
  const json::Value parsed = json::parse_yaml(input).value();
  for (auto _ : state) benchmark::DoNotOptimize(all.accounts->call(all.context, service, operation, parsed));
  state.SetItemsProcessed(state.iterations());
}

void get_bucket_encryption(benchmark::State& state) {
  run(state, "s3", "GetBucketEncryption", "{Bucket: bench}");
}
void describe_security_group(benchmark::State& state) {
  run(state, "ec2", "DescribeSecurityGroups", "{GroupIds: [" + fixture().group + "]}");
}
void put_bucket_tagging(benchmark::State& state) {
  run(state, "s3", "PutBucketTagging", "{Bucket: bench, Tagging: {TagSet: [{Key: a, Value: b}]}}");
}
BENCHMARK(get_bucket_encryption);
BENCHMARK(get_bucket_encryption)->Threads(2)->UseRealTime();
BENCHMARK(describe_security_group);
BENCHMARK(put_bucket_tagging)->Threads(1)->UseRealTime();
BENCHMARK(put_bucket_tagging)->Threads(16)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
