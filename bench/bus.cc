// bench_bus [RATE] [SECONDS] [RULES]: events through rules to durable targets. Signed PutEvents over HTTP, ten entries
// a call, to a whole server on a store on disk; RULES enabled rules on one bus, each with one or two queues as targets.
// A delivery is handed over when its message is committed (every answer of PutEvents waits for that, with a full sync);
// its target is started when the bus begins it, which is the time that the message carries.
//
// First RATE events a second as they come, whether the ones before are answered or not, for the latencies; then as
// many as it can. Both times are taken from when the event was due. What was delivered is counted in the database and
// held against what a machine of the same patterns says.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <pthread.h>
#include <sqlite3.h>
#include <string>
#include <vector>

#include "aws/models.h"
#include "base/id.h"
#include "gateway/app.h"
#include "identity/identity.h"
#include "json/text.h"
#include "load.h"
#include "patterns/machine.h"
#include "signed_request.h"
#include "syncs.h"

namespace {

using namespace fixpoint;
using json::Object;
using json::Value;
using std::string;
using std::to_string;

constexpr std::size_t entries_a_call = 10;
constexpr std::size_t queues = 20;
constexpr unsigned connections = 32;
constexpr double bar_ms = 50;

[[noreturn]] void give_up(const string& why) {
  std::fprintf(stderr, "bench_bus: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) give_up(describe(result.error()));
  return std::move(*result);
}

constexpr std::array<const char*, 6> regions{"us-east-1",  "us-west-2",      "eu-west-1",
                                             "eu-north-1", "ap-southeast-2", "sa-east-1"};
constexpr std::array<const char*, 8> types{"bucket", "instance", "user",  "database",
                                           "key",    "function", "trail", "topic"};
constexpr std::array<const char*, 4> sources{"com.example.scanner", "com.example.pipeline", "com.example.inventory",
                                             "com.example.access"};

string account(std::size_t n) {
  return to_string(100'000'000'000 + n % 60 * 7'000'003);
}
string control(std::size_t n) {
  return string(types[n % types.size()]) + "." + to_string(1 + n / types.size() % 25);
}
string team(std::size_t rule) {
  return "team-" + to_string(10'000 + rule);
}
// The ARN under which the rule's team keeps what it has.
string own(std::size_t rule) {
  return string("arn:example:") + types[rule % types.size()] + ":" + regions[rule % regions.size()] + ":" +
         account(rule) + ":" + team(rule);
}

// What teams ask for: their own resources by id, prefix, suffix or wildcard, controls in an account, severities, what
// nobody has looked at yet.
string pattern_of(std::size_t rule) {
  const auto list = [](std::initializer_list<string> texts) {
    string out;
    for (const string& text : texts) out += (out.empty() ? "\"" : ",\"") + text + "\"";
    return "[" + out + "]";
  };
  const string open = R"("status":["FAILED","WARNING"],"workflow":["NEW"])";
  string detail;
  switch (rule % 20) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      detail = open + R"(,"account":)" + list({account(rule)}) + R"(,"resource":{"id":)" + list({own(rule)}) + "}";
      break;
    case 6:
    case 7:
    case 8:
    case 9:
      detail = open + R"(,"resource":{"type":)" + list({types[rule % types.size()]}) + R"(,"id":[{"prefix":")" +
               own(rule) + R"("}]})";
      break;
    case 10:
    case 11:
    case 12:
      detail = R"("status":["FAILED"],"control":)" + list({control(rule), control(rule + 3), control(rule + 11)}) +
               R"(,"account":)" + list({account(rule)}) + R"(,"tags":{"team":)" + list({team(rule)}) + "}";
      break;
    case 13:
    case 14:
      detail = R"("severity":[{"numeric":[">=",70]}],"resource":{"id":)" + list({own(rule)}) +
               R"(},"account":[{"anything-but":)" + list({account(rule + 1), account(rule + 2)}) + "}]";
      break;
    case 15:
    case 16: detail = open + R"(,"resource":{"id":[{"suffix":":)" + team(rule) + R"("}]})"; break;
    case 17: detail = open + R"(,"resource":{"id":[{"wildcard":"arn:example:*:)" + team(rule) + R"("}]})"; break;
    case 18:
      detail = R"("resource":{"id":)" + list({own(rule)}) +
               R"(},"$or":[{"severity":[{"numeric":[">=",90]}]},{"label":["CRITICAL","HIGH"]}])";
      break;
    default: detail = R"("status":["FAILED"],"resource":{"id":)" + list({own(rule)}) + R"(},"note":[{"exists":false}])";
  }
  return R"({"source":[")" + string(sources[rule % sources.size()]) + R"("],"detail-type":["Finding"],"detail":{)" +
         detail + "}}";
}

// What most targets get is the whole event; some get a part, some a text.
Object target_of(std::size_t rule, int number) {
  const std::size_t queue = (rule * 7 + static_cast<std::size_t>(number)) % queues;
  Object target{{"Id", to_string(number)}, {"Arn", "arn:aws:sqs:us-east-1:111111111111:bench-" + to_string(queue)}};
  if (rule % 10 == 3) target.set("InputPath", "$.detail");
  if (rule % 10 == 7)
    target.set("InputTransformer",
               Object{{"InputPathsMap", Object{{"number", "$.detail.number"}, {"id", "$.detail.resource.id"}}},
                      {"InputTemplate", R"({"number":<number>,"resource":"<id>","rule":"<aws.events.rule-name>"})"}});
  return target;
}
bool has_two_targets(std::size_t rule) {
  return rule % 10 == 0;
}

// The number-th event: one in ten is nobody's, the others are about a resource of the team of some rule.
string detail_of(std::size_t number, std::size_t rules) {
  const std::size_t rule = number * 2'654'435'761 % rules;
  const bool nobodys = number % 10 == 9;
  string id = nobodys ? "arn:example:volume:eu-west-1:" + account(rule) + ":nobody-" + to_string(number) : own(rule);
  const string filler(250, 'd');
  return R"({"number":)" + to_string(number) + R"(,"status":"FAILED","workflow":"NEW","account":")" + account(rule) +
         R"(","region":")" + regions[rule % regions.size()] + R"(","control":")" + control(rule) +
         R"(","severity":90,"label":"CRITICAL","title":"what was looked at is not as it should be","resource":{"type":")" +
         types[rule % types.size()] + R"(","id":")" + id + R"(","partition":"example"},"tags":{"team":")" +
         (nobodys ? "none" : team(rule)) + R"(","stage":"production","cost":"c-)" + to_string(number % 977) +
         R"("},"related":["one","two","three"],"description":")" + filler + R"("})";
}
string source_of(std::size_t number, std::size_t rules) {
  return sources[number * 2'654'435'761 % rules % sources.size()];
}

// Processor seconds by what threads do; how many they are does not matter.
std::map<string, double> cpu_by_thread() {
  std::map<string, double> out;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    string name;
    std::ifstream(task.path() / "comm") >> name;
    name = name.substr(0, name.find_last_not_of("-0123456789") + 1);
    double ns = 0;
    std::ifstream(task.path() / "schedstat") >> ns;
    out[name] += ns / 1e9;
  }
  return out;
}

class Database {
 public:
  explicit Database(const string& folder) {
    if (sqlite3_open_v2((folder + "/fixpoint.db").c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      give_up("cannot open the database");
    sqlite3_busy_timeout(db_, 5000);
  }
  ~Database() { sqlite3_close(db_); }
  /// Calls `each` with every message that came after `after`: when it was made, and its body. The last one's sequence.
  template <class Each>
  std::int64_t messages(std::int64_t after, Each each) {
    sqlite3_stmt* rows = nullptr;
    if (sqlite3_prepare_v2(db_,
                           "SELECT m.sequence, m.sent_ms, c.body FROM sqs_message m JOIN sqs_content c ON c.sequence = "
                           "m.sequence WHERE m.sequence > ? ORDER BY m.sequence",
                           -1, &rows, nullptr) != SQLITE_OK)
      give_up(sqlite3_errmsg(db_));
    sqlite3_bind_int64(rows, 1, after);
    while (sqlite3_step(rows) == SQLITE_ROW) {
      after = sqlite3_column_int64(rows, 0);
      each(static_cast<double>(sqlite3_column_int64(rows, 1)),
           std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(rows, 2)),
                            static_cast<std::size_t>(sqlite3_column_bytes(rows, 2))));
    }
    sqlite3_finalize(rows);
    return after;
  }

 private:
  sqlite3* db_ = nullptr;
};

std::size_t number_in(std::string_view body) {
  constexpr std::string_view key = "\"number\":";
  const std::size_t at = body.find(key);
  if (at == std::string_view::npos) give_up("a message without its number: " + string(body.substr(0, 200)));
  return std::strtoull(body.data() + at + key.size(), nullptr, 10);
}

double at(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

// How much was used between two looks.
class Used {
 public:
  void print(double events, double seconds) const {
    const auto now = cpu_by_thread();
    double all = 0;
    string parts;
    for (const auto& [name, spent] : now) {
      const auto before = cpu_.find(name);
      const double us = (spent - (before == cpu_.end() ? 0 : before->second)) * 1e6 / events;
      all += us;
      char text[64];
      std::snprintf(text, sizeof text, "%s%s %.1f", parts.empty() ? "" : ", ", name.c_str(), us);
      if (us >= 0.05) parts += text;
    }
    std::printf("  processor: %.1f us an event, by thread: %s\n", all, parts.c_str());
    const auto synced = static_cast<double>(bench::syncs() - syncs_);
    std::printf("  %.0f syncs a second, one for %.0f events\n", synced / seconds, events / std::max(1.0, synced));
  }

 private:
  std::map<string, double> cpu_ = cpu_by_thread();
  std::uint64_t syncs_ = bench::syncs();
};

}  // namespace

int main(int argc, char** argv) {
  const int rate = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  const int rules = argc > 3 ? std::atoi(argv[3]) : 1000;
  if (rate < 10 || seconds < 1 || rules < 20) {
    std::fprintf(stderr, "bench_bus [RATE] [SECONDS] [RULES]: at least 10, 1 and 20\n");
    return 2;
  }
  const auto rule_count = static_cast<std::size_t>(rules);
  const string folder = std::filesystem::temp_directory_path() / ("fixpoint-bench-" + random_hex(8));
  gateway::App::Options options;
  options.data_folder = folder;
  auto app = must(gateway::App::start(options));
  pthread_setname_np(pthread_self(), "client");  // who is not renamed inherits it
  const string host = "127.0.0.1:" + to_string(app->port());
  const auto models = must(aws::Models::open({}));
  const auto key = must(identity::Identity::read_first_key(folder));
  const auto signed_call = [&](const char* service, const char* operation, const Value& input) {
    return bench::signed_request(*models, service, operation, input, host, key);
  };
  const auto all_at_once = [&](const std::vector<string>& requests) {
    const auto result = bench::run_paced("127.0.0.1", app->port(), requests, 8, 1e6);
    if (!result.error.empty() || result.broken > 0 || result.non_2xx > 0)
      give_up("cannot set up: " + bench::describe(result) + " " + result.first_non_2xx);
    return result.seconds;
  };
  {
    std::vector<string> made, put, targets;
    for (std::size_t i = 0; i < queues; ++i)
      made.push_back(signed_call("sqs", "CreateQueue", Object{{"QueueName", "bench-" + to_string(i)}}));
    for (std::size_t i = 0; i < rule_count; ++i) {
      put.push_back(
          signed_call("events", "PutRule", Object{{"Name", "rule-" + to_string(i)}, {"EventPattern", pattern_of(i)}}));
      json::Array list{Value(target_of(i, 0))};
      if (has_two_targets(i)) list.emplace_back(target_of(i, 1));
      targets.push_back(
          signed_call("events", "PutTargets", Object{{"Rule", "rule-" + to_string(i)}, {"Targets", list}}));
    }
    const double took = all_at_once(made) + all_at_once(put) + all_at_once(targets);
    std::printf("%d rules with %d targets on one bus, made in %.1f s\n", rules, rules + (rules + 9) / 10, took);
  }

  // The events, signed before the time is taken, and how often each is to be delivered.
  const std::size_t calls = static_cast<std::size_t>(rate) * static_cast<std::size_t>(seconds) / entries_a_call;
  const std::size_t events = calls * entries_a_call;
  std::vector<string> requests;
  std::vector<unsigned> wanted(events);
  std::size_t all_wanted = 0;
  std::size_t bytes = 0;
  {
    patterns::RuleSet set;
    std::vector<patterns::RuleSet::Change> changes;
    for (std::size_t i = 0; i < rule_count; ++i) changes.push_back({to_string(i), pattern_of(i)});
    if (auto applied = set.apply(changes); !applied) give_up(describe(applied.error()));
    patterns::Scratch scratch;
    std::vector<patterns::RuleId> matched;
    for (std::size_t call = 0; call < calls; ++call) {
      json::Array entries;
      for (std::size_t i = call * entries_a_call; i < (call + 1) * entries_a_call; ++i) {
        const string detail = detail_of(i, rule_count);
        const string source = source_of(i, rule_count);
        bytes += detail.size();
        entries.emplace_back(Object{{"Source", source}, {"DetailType", "Finding"}, {"Detail", detail}});
        const string envelope = R"({"source":")" + source + R"(","detail-type":"Finding","detail":)" + detail + "}";
        if (auto met = set.machine()->match(envelope, matched, scratch); !met) give_up(describe(met.error()));
        for (const auto rule : matched) {
          const std::size_t number = std::strtoull(string(set.machine()->name(rule)).c_str(), nullptr, 10);
          wanted[i] += has_two_targets(number) ? 2 : 1;
        }
        all_wanted += wanted[i];
      }
      requests.push_back(signed_call("events", "PutEvents", Object{{"Entries", std::move(entries)}}));
    }
  }
  std::printf("%zu events of %zu bytes of detail, %.2f deliveries each\n", events, bytes / events,
              static_cast<double>(all_wanted) / static_cast<double>(events));
  std::fflush(stdout);

  Database database(folder);
  bool good = true;
  std::int64_t last = 0;
  {
    const Used used;
    double began_ms = 0;
    const auto result = bench::run_paced("127.0.0.1", app->port(), requests, connections,
                                         static_cast<double>(rate) / entries_a_call, &began_ms);
    std::printf("offered %d events a second for %d s, ten a call: %.0f a second\n", rate, seconds,
                result.requests_per_second * entries_a_call);
    if (result.non_2xx > 0) std::printf("%s\n", result.first_non_2xx.c_str());
    used.print(static_cast<double>(events), result.seconds);
    std::vector<unsigned> got(events);
    std::vector<double> started;
    last = database.messages(last, [&](double sent_ms, std::string_view body) {
      const std::size_t number = number_in(body);
      if (number >= events) give_up("a message of no event");
      ++got[number];
      const std::size_t call = number / entries_a_call;
      started.push_back(sent_ms - (began_ms + 1000.0 * entries_a_call * static_cast<double>(call) / rate));
    });
    std::sort(started.begin(), started.end());
    const bool exact = got == wanted;
    std::printf(
        "  delivered: %zu of %zu, %s\n"
        "  from due to the start of the target: p50 %.1f ms, p99 %.1f ms, most %.1f ms\n"
        "  from due to handed over and answered: p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, most %.1f ms (the bar: p99 "
        "%.0f "
        "ms)\n",
        started.size(), all_wanted, exact ? "each exactly as often as its rules say" : "NOT as the rules say",
        at(started, 0.5), at(started, 0.99), at(started, 1), result.p50_ms, result.p90_ms, result.p99_ms, result.max_ms,
        bar_ms);
    good = good && exact && result.error.empty() && result.non_2xx == 0 && result.broken == 0 && result.p99_ms < bar_ms;
  }
  std::fflush(stdout);
  {
    const Used used;
    const auto result = bench::run_load("127.0.0.1", app->port(), requests, connections, seconds);
    const double sent = static_cast<double>(result.requests) * entries_a_call;
    std::printf(
        "as many as it can, %u calls at once: %.0f events a second (the bar: 10000); a call p50 %.1f ms, p99 %.1f ms\n",
        connections, sent / result.seconds, result.p50_ms, result.p99_ms);
    if (result.non_2xx > 0) std::printf("%s\n", result.first_non_2xx.c_str());
    used.print(sent, result.seconds);
    // The calls were taken in turn, and those under way when the time was over were waited for.
    std::size_t expected = 0;
    std::size_t got = 0;
    for (std::size_t i = 0; i < result.requests * entries_a_call; ++i) expected += wanted[i % events];
    database.messages(last, [&](double, std::string_view) { ++got; });
    std::printf("  delivered: %zu of %zu\n", got, expected);
    good = good && got == expected && result.error.empty() && result.non_2xx == 0 && sent / result.seconds >= 10'000;
  }
  app->stop();
  app.reset();
  std::filesystem::remove_all(folder);
  return good ? 0 : 1;
}
