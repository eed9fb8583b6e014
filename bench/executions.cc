// bench_executions [FINDINGS] [RATE] [SECONDS]: findings that are imported by signed BatchImportFindings over HTTP
// until they are RESOLVED and verified by the control S3.4 in the embedded account, on a durable store on disk. First
// at an offered rate for the latencies, then as many as it can for the throughput; with where the time went.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <sqlite3.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unordered_map>
#include <vector>

#include "aws/api.h"
#include "aws/models.h"
#include "aws/protocol.h"
#include "aws/sign.h"
#include "base/clock.h"
#include "base/id.h"
#include "changes/door.h"
#include "changes/settings.h"
#include "gateway/app.h"
#include "http/curl_client.h"
#include "identity/identity.h"
#include "json/text.h"
#include "syncs.h"

namespace {

using namespace fixpoint;
using json::Object;
using json::Value;

constexpr const char* account_id = "111111111111";
constexpr const char* region = "us-east-1";

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_executions: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) give_up(describe(result.error()));
  return std::move(*result);
}

// When an execution's calls reached the account and were answered.
struct Calls {
  double first_read = 0, last_read_before = 0, change = 0, changed = 0, first_read_after = 0, last = 0;
};

class Ear final : public aws::Api {
 public:
  explicit Ear(aws::Api& account) : account_(account) {}
  Result<Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                     const Value& input) override {
    if (context.execution.empty()) return account_.call(context, service, operation, input);
    const bool changes = operation == "PutBucketEncryption";
    const double begins = now_ms();
    auto answer = account_.call(context, service, operation, input);
    const double ends = now_ms();
    std::lock_guard lock(mutex_);
    Calls& calls = calls_[context.execution];
    if (changes) {
      calls.change = begins;
      calls.changed = ends;
    } else if (calls.changed == 0) {
      if (calls.first_read == 0) calls.first_read = begins;
      calls.last_read_before = ends;
    } else if (calls.first_read_after == 0) {
      calls.first_read_after = begins;
    }
    calls.last = ends;
    return answer;
  }
  std::unordered_map<std::string, Calls> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }

 private:
  aws::Api& account_;
  std::mutex mutex_;
  std::unordered_map<std::string, Calls> calls_;
};

class Sender {
 public:
  Sender(std::uint16_t port, aws::Credentials key)
      : host_("127.0.0.1:" + std::to_string(port)), key_(std::move(key)), models_(must(aws::Models::open({}))) {}

  void call(const std::string& service, const std::string& operation, const Value& input,
            std::function<void()> done = {}) {
    const auto model = must(models_->get(service));
    HttpRequest request = must(aws::serialize_request(*model->find_operation(operation), input, {.host = host_}));
    const auto options =
        aws::SigningOptions::for_service(std::string(model->signing_name), region, SystemClock().now_ms());
    if (!aws::sign(request, key_, options)) give_up("cannot sign");
    ++open_;
    http_.send_async("http://" + host_, std::move(request), 60'000,
                     [this, operation, done = std::move(done)](Result<HttpResponse> response) {
                       if (!response) give_up(operation + ": " + describe(response.error()));
                       if (response->status >= 300) give_up(operation + ": " + response->body);
                       if (done) done();
                       --open_;
                     });
  }
  void api(const std::string& name, const Value& input) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/api/" + name;
    request.headers.add("Host", host_);
    request.headers.add("Content-Type", "application/json");
    request.body = json::print(input);
    if (!aws::sign(request, key_, aws::SigningOptions::for_service("fixpoint", region, SystemClock().now_ms())))
      give_up("cannot sign");
    const auto response = must(http_.send("http://" + host_, request, 60'000));
    if (response.status >= 300) give_up(name + ": " + response.body);
  }
  void at_most(int open) {
    while (open_ > open) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }

 private:
  std::string host_;
  aws::Credentials key_;
  std::unique_ptr<aws::Models> models_;
  std::atomic<int> open_ = 0;
  http::CurlClient http_{{.use_environment_proxy = false}};
};

std::string bucket_of(int number) {
  return "bench-" + std::to_string(number);
}

// As Security Hub sends it, about 2 KB.
Value finding_of(int number) {
  const std::string now = format_iso8601_ms(SystemClock().now_ms());
  Object fields;
  for (int i = 0; i < 12; ++i)
    fields.set("aws/securityhub/field/" + std::to_string(i), std::string(40, static_cast<char>('a' + i)));
  return Object{
      {"SchemaVersion", "2018-10-08"},
      {"Id", "arn:aws:securityhub:us-east-1:111111111111:security-control/S3.4/finding/" + std::to_string(number)},
      {"ProductArn", "arn:aws:securityhub:us-east-1::product/aws/securityhub"},
      {"GeneratorId", "security-control/S3.4"},
      {"AwsAccountId", account_id},
      {"Types", json::Array{Value("Software and Configuration Checks/Industry and Regulatory Standards")}},
      {"FirstObservedAt", now},
      {"CreatedAt", now},
      {"UpdatedAt", now},
      {"Severity", Object{{"Label", "MEDIUM"}}},
      {"Title", "S3 general purpose buckets should have default encryption"},
      {"Description", std::string(300, 'd')},
      {"ProductFields", fields},
      {"Resources", json::Array{Value(Object{{"Type", "AwsS3Bucket"},
                                             {"Id", "arn:aws:s3:::" + bucket_of(number)},
                                             {"Partition", "aws"},
                                             {"Region", region}})}},
      {"Compliance", Object{{"Status", "FAILED"}, {"SecurityControlId", "S3.4"}}},
      {"Workflow", Object{{"Status", "NEW"}}},
      {"RecordState", "ACTIVE"}};
}

// One run's figures, read from the database itself: what the server says of itself is not asked.
struct Ended {
  std::string id;
  int number;
  double started_ms, ended_ms;
};

class Database {
 public:
  explicit Database(const std::string& folder) {
    if (sqlite3_open_v2((folder + "/fixpoint.db").c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      give_up("cannot open the database");
    sqlite3_busy_timeout(db_, 5000);
  }
  ~Database() { sqlite3_close(db_); }
  void each(const std::string& sql, const std::function<void(sqlite3_stmt*)>& row) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) give_up(sqlite3_errmsg(db_));
    while (sqlite3_step(statement) == SQLITE_ROW) row(statement);
    sqlite3_finalize(statement);
  }
  std::int64_t count(const std::string& sql) {
    std::int64_t out = 0;
    each(sql, [&](sqlite3_stmt* row) { out = sqlite3_column_int64(row, 0); });
    return out;
  }
  // The executions of the findings first .. last-1.
  std::vector<Ended> ended(int first, int last) {
    std::vector<Ended> out;
    each("SELECT id, subject, started_ms, ended_ms FROM execution WHERE ended_ms > 0 AND outcome = 'fixed'",
         [&](sqlite3_stmt* row) {
           const std::string subject(reinterpret_cast<const char*>(sqlite3_column_text(row, 1)));
           const int number = std::atoi(subject.substr(subject.rfind('/') + 1).c_str());
           if (number < first || number >= last) return;
           out.push_back({reinterpret_cast<const char*>(sqlite3_column_text(row, 0)), number,
                          static_cast<double>(sqlite3_column_int64(row, 2)),
                          static_cast<double>(sqlite3_column_int64(row, 3))});
         });
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double at(std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

void print_phases(const std::vector<Ended>& ended, const std::unordered_map<std::string, Calls>& calls,
                  const std::vector<double>& sent) {
  double import = 0, queue = 0, read = 0, intent = 0, call = 0, result = 0, verify = 0, commit = 0;
  for (const Ended& e : ended) {
    const auto found = calls.find(e.id);
    if (found == calls.end()) continue;
    const Calls& c = found->second;
    import += std::max(0.0, e.started_ms - sent[static_cast<std::size_t>(e.number)]);
    queue += std::max(0.0, c.first_read - e.started_ms);
    read += c.last_read_before - c.first_read;
    intent += c.change - c.last_read_before;
    call += c.changed - c.change;
    result += c.first_read_after - c.changed;
    verify += c.last - c.first_read_after;
    commit += std::max(0.0, e.ended_ms - c.last);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, ended.size()));
  std::printf(
      "  a finding's time, mean ms: import %.2f, queue %.2f, read %.2f, intent %.2f, call %.2f, result %.2f, "
      "verify %.2f, commit %.2f\n",
      import / n, queue / n, read / n, intent / n, call / n, result / n, verify / n, commit / n);
}

}  // namespace

int main(int argc, char** argv) {
  const int findings = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int rate = argc > 2 ? std::atoi(argv[2]) : 300;
  const int seconds = argc > 3 ? std::atoi(argv[3]) : 10;
  if (findings < 100 || rate < 1 || seconds < 1) {
    std::fprintf(stderr, "bench_executions [FINDINGS] [RATE] [SECONDS]: at least 100, 1 and 1\n");
    return 2;
  }
  const std::string folder = std::filesystem::temp_directory_path() / ("fixpoint-bench-" + random_hex(8));
  {
    // The guards stop a control at 25 resources an hour unless they are told otherwise.
    auto store = must(store::Store::open({.folder = folder}, {changes::Door::schema()}));
    const auto set = store->write(
        [](store::Transaction& tx) { return changes::Settings::set(tx, "all", "cap_resources", 1'000'000'000); });
    if (!set) give_up(describe(set.error()));
  }
  Ear* ear = nullptr;
  gateway::App::Options options;
  options.data_folder = folder;
  options.around_account = [&](aws::Api& account) {
    auto made = std::make_unique<Ear>(account);
    ear = made.get();
    return made;
  };
  auto app = must(gateway::App::start(options));
  Sender sender(app->port(), must(identity::Identity::read_first_key(folder)));
  sender.api("mode", Object{{"Mode", "auto"}});
  const int steady = rate * seconds;
  const int all = steady + findings;
  std::printf("%d buckets without encryption are being made\n", all);
  for (int i = 0; i < all; ++i) {
    sender.at_most(64);
    sender.call("s3", "CreateBucket", Object{{"Bucket", bucket_of(i)}});
  }
  sender.at_most(0);
  for (int i = 0; i < all; ++i) {
    sender.at_most(64);
    sender.call("s3", "DeleteBucketEncryption", Object{{"Bucket", bucket_of(i)}});
  }
  sender.at_most(0);
  const std::string pattern =
      R"({"detail-type": ["Security Hub Findings - Imported"], "detail": {"findings": {"Workflow": {"Status": ["NEW"]}}}})";
  sender.call("events", "PutRule", Object{{"Name", "fix"}, {"EventPattern", pattern}});
  sender.at_most(0);
  sender.call(
      "events", "PutTargets",
      Object{{"Rule", "fix"},
             {"Targets",
              json::Array{Value(Object{{"Id", "1"}, {"Arn", "arn:aws:fixpoint:us-east-1:111111111111:control/*"}})}}});
  sender.at_most(0);

  Database database(folder);
  std::vector<double> sent(static_cast<std::size_t>(all));
  // An import that is answered has begun its executions; whether one is open costs an index of the open ones alone.
  const auto drained = [&] {
    const double until = now_ms() + 120'000;
    while (database.count("SELECT EXISTS (SELECT 1 FROM execution WHERE ended_ms = 0)") != 0) {
      if (now_ms() > until) give_up("the executions do not end");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  };
  bool good = true;

  // Offered at a steady rate, one finding a request.
  {
    const double begin = now_ms();
    const double cpu = cpu_seconds();
    const std::uint64_t synced = bench::syncs();
    for (int i = 0; i < steady; ++i) {
      const double due = begin + 1000.0 * i / rate;
      if (const double wait = due - now_ms(); wait > 0)
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(wait));
      sent[static_cast<std::size_t>(i)] = due;
      sender.call("securityhub", "BatchImportFindings", Object{{"Findings", json::Array{finding_of(i)}}});
    }
    sender.at_most(0);
    drained();
    const auto ended = database.ended(0, steady);
    std::vector<double> took;
    double last = begin;
    for (const Ended& e : ended) {
      took.push_back(e.ended_ms - sent[static_cast<std::size_t>(e.number)]);
      last = std::max(last, e.ended_ms);
    }
    std::sort(took.begin(), took.end());
    const double whole = (last - begin) / 1000;
    std::printf(
        "offered %d a second for %d s: %zu of %d fixed and verified; from request to RESOLVED p50 %.0f ms, p99 "
        "%.0f ms, max %.0f ms (the bar: p99 500 ms); %.0f fsyncs/s, %.2f ms of CPU a finding\n",
        rate, seconds, took.size(), steady, at(took, 0.5), at(took, 0.99), took.empty() ? 0 : took.back(),
        static_cast<double>(bench::syncs() - synced) / whole, 1000 * (cpu_seconds() - cpu) / steady);
    print_phases(ended, ear->take(), sent);
    good = good && took.size() == static_cast<std::size_t>(steady) && at(took, 0.99) < 500;
  }
  // As many as it can, a hundred findings a request.
  {
    const double begin = now_ms();
    const double cpu = cpu_seconds();
    const std::uint64_t synced = bench::syncs();
    for (int i = 0; i < findings;) {
      json::Array batch;
      for (; i < findings && batch.size() < 100; ++i) {
        sent[static_cast<std::size_t>(steady + i)] = now_ms();
        batch.push_back(finding_of(steady + i));
      }
      sender.at_most(3);
      sender.call("securityhub", "BatchImportFindings", Object{{"Findings", std::move(batch)}});
    }
    sender.at_most(0);
    const double imported = now_ms();
    drained();
    const auto ended = database.ended(steady, all);
    double last = begin;
    for (const Ended& e : ended) last = std::max(last, e.ended_ms);
    const double whole = (last - begin) / 1000;
    const double a_second = static_cast<double>(ended.size()) / whole;
    std::printf(
        "as many as it can: %zu of %d fixed and verified in %.2f s, %.0f a second (the bar: 1000); imported "
        "after %.2f s; %.0f fsyncs/s, %.2f ms of CPU a finding\n",
        ended.size(), findings, whole, a_second, (imported - begin) / 1000,
        static_cast<double>(bench::syncs() - synced) / whole, 1000 * (cpu_seconds() - cpu) / findings);
    print_phases(ended, ear->take(), sent);
    good = good && ended.size() == static_cast<std::size_t>(findings) && a_second >= 1000;
  }
  app->stop();
  app.reset();
  std::filesystem::remove_all(folder);
  return good ? 0 : 1;
}
