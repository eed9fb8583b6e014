// bench_waiting FOLDER EXECUTIONS: fills a data folder with executions that wait for approval, each with its finding,
// by the executor itself. bench/waiting.sh then starts the server over it. Prints the id of one of them.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "executions/approvals.h"
#include "findings/finding_store.h"
#include "json/text.h"

namespace {

using namespace fixpoint;
using json::Object;
using json::Value;

Value finding_of(int number) {
  Object fields;
  for (int i = 0; i < 12; ++i)
    fields.set("aws/securityhub/field/" + std::to_string(i), std::string(40, static_cast<char>('a' + i)));
  return Object{
      {"SchemaVersion", "2018-10-08"},
      {"Id", "bench/" + std::to_string(number)},
      {"ProductArn", "arn:aws:securityhub:us-east-1::product/aws/securityhub"},
      {"GeneratorId", "security-control/S3.4"},
      {"AwsAccountId", "111111111111"},
      {"Types", json::Array{Value("Software and Configuration Checks")}},
      {"CreatedAt", "2024-01-02T03:04:05.678Z"},
      {"UpdatedAt", "2024-01-02T03:04:05.678Z"},
      {"Severity", Object{{"Label", "MEDIUM"}}},
      {"Title", "S3 general purpose buckets should have default encryption"},
      {"Description", std::string(300, 'd')},
      {"ProductFields", fields},
      {"Resources",
       json::Array{Value(Object{{"Type", "AwsS3Bucket"}, {"Id", "arn:aws:s3:::bench-" + std::to_string(number)}})}},
      {"Compliance", Object{{"Status", "FAILED"}, {"SecurityControlId", "S3.4"}}}};
}

// Asks at once, as a control does whose plan is one call.
class Asking final : public executions::Program {
 public:
  void step(const executions::Execution& execution, std::function<void(executions::Step)> done) override {
    executions::Step step;
    if (execution.cursor.is_object()) {
      auto waits = approvals->wait_on(execution);
      return done(waits ? std::move(*waits) : std::move(step));
    }
    const Value call = Object{
        {"Call", "s3:PutBucketEncryption"},
        {"Input", Object{{"Bucket", execution.subject}, {"ServerSideEncryptionConfiguration", Object{{"Rules", ""}}}}},
        {"Undo", "possible"}};
    step.cursor = Object{{"phase", "ask"}, {"calls", json::Array{call}}, {"plan", json::Array{call}}};
    step.note = "waits for approval";
    approvals->wait(step, execution,
                    {.plan_hash = std::string(64, 'a'),
                     .plan = json::Array{call},
                     .words = "Control S3.4: s3:PutBucketEncryption",
                     .requested_by = "arn:aws:events:us-east-1:111111111111:rule/fix",
                     .wait_ms = 72L * 3'600'000,
                     .warn_before_ms = 24L * 3'600'000});
    step.commit = [this, before = std::move(step.commit)](store::Transaction& tx) -> Result<void> {
      tx.after_commit([this] { ++asked; });
      return before(tx);
    };
    done(std::move(step));
  }
  executions::Approvals* approvals = nullptr;
  std::atomic<int> asked = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int wanted = argc == 3 ? std::atoi(argv[2]) : 0;
  if (wanted < 1) {
    std::fprintf(stderr, "bench_waiting FOLDER EXECUTIONS\n");
    return 2;
  }
  const auto check = [](const auto& result) {
    if (result) return;
    std::fprintf(stderr, "bench_waiting: %s\n", describe(result.error()).c_str());
    std::exit(1);
  };
  const SystemClock clock;
  auto store = store::Store::open({.folder = argv[1], .durable = false},
                                  {findings::FindingStore::schema(), executions::Executor::schema()});
  check(store);
  findings::FindingStore findings(**store, clock);
  executions::Executor executor(**store, clock);
  executions::Approvals approvals(**store, executor, clock,
                                  [](store::Transaction&, const executions::Notice&) { return Result<void>(); });
  Asking program;
  program.approvals = &approvals;
  executor.add_program("control", program);
  check(executor.start());
  std::string last;
  for (int i = 0; i < wanted;) {
    check((*store)->write([&](store::Transaction& tx) -> Result<void> {
      for (const int end = std::min(wanted, i + 500); i < end; ++i) {
        const Value finding = finding_of(i);
        FIXPOINT_CHECK(findings.import(tx, finding));
        FIXPOINT_TRY(started, executor.launch(tx, {.name = "bench/" + std::to_string(i),
                                                   .kind = "control",
                                                   .program = "S3.4",
                                                   .account = "111111111111",
                                                   .region = "us-east-1",
                                                   .subject = "bench/" + std::to_string(i),
                                                   .input = Object{{"Finding", finding}}}));
        last = started.id;
      }
      return {};
    }));
  }
  while (program.asked < wanted) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  executor.stop();
  std::printf("%s\n", last.c_str());
  return 0;
}
