// The findings of an organisation in the store on disk: import, searches, updates, bytes.
//
//   bench_findings [FINDINGS] [FOLDER] [import|search|update] [SEARCH]
//
// Without more: a million, in a folder of its own that is taken away again, all three. A folder that has findings is
// not imported into again. SEARCH is a part of the names of the searches to be made, for a profile of one.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <functional>
#include <thread>
#include <unistd.h>

#include "base/text.h"
#include "bus/bus.h"
#include "findings/finding_store.h"
#include "findings_made.h"
#include "json/text.h"
#include "services/securityhub/securityhub.h"

namespace {

using namespace fixpoint;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Of this thread, or of the whole process: what the work costs, however many others share the machine.
double cpu_ms(clockid_t whose) {
  timespec now{};
  clock_gettime(whose, &now);
  return static_cast<double>(now.tv_sec) * 1000 + static_cast<double>(now.tv_nsec) / 1e6;
}

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "bench_findings: {}\n", describe(error));
  std::exit(1);
}

struct Spread {
  double p50, p95, most;
};

Spread spread_of(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) { return samples[static_cast<std::size_t>(share * (samples.size() - 1))]; };
  return {at(0.5), at(0.95), samples.back()};
}

struct Parts {
  explicit Parts(const std::string& folder) {
    auto opened = store::Store::open(
        {.folder = folder}, {findings::FindingStore::schema(), bus::Bus::schema(), services::SecurityHub::schema()});
    if (!opened) give_up(opened.error());
    store = std::move(*opened);
    findings = std::make_unique<findings::FindingStore>(*store, clock);
    if (auto loaded = findings->load(); !loaded) give_up(loaded.error());
    bus = std::make_unique<bus::Bus>(*store, clock);
    if (auto loaded = bus->load(); !loaded) give_up(loaded.error());
    hub = std::make_unique<services::SecurityHub>(*store, *findings, *bus, controls, clock);
  }
  SystemClock clock;
  std::unique_ptr<store::Store> store;
  controls::ControlSet controls;
  std::unique_ptr<findings::FindingStore> findings;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<services::SecurityHub> hub;
};

// As many findings a second as go in, from the JSON text of a file on: parsed, validated, stored with history and
// index, and put on a bus that has no rules. Two senders, each waiting for its commit.
void import(Parts& parts, std::uint64_t from, std::uint64_t to, std::size_t at_once) {
  constexpr std::uint64_t made_at_once = 50'000;
  double seconds = 0;
  double cpu = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t begin = from; begin < to; begin += made_at_once) {
    const std::uint64_t end = std::min(to, begin + made_at_once);
    std::vector<std::string> texts;
    texts.reserve(end - begin);
    for (std::uint64_t n = begin; n < end; ++n) {
      texts.push_back(bench::made_finding(n));
      bytes += texts.back().size();
    }
    std::atomic<std::size_t> next{0};
    const auto sender = [&] {
      while (true) {
        const std::size_t first = next.fetch_add(at_once);
        if (first >= texts.size()) return;
        std::vector<json::Value> batch;
        for (std::size_t i = first; i < std::min(texts.size(), first + at_once); ++i) {
          auto finding = json::parse(texts[i]);
          if (!finding) give_up(finding.error());
          batch.push_back(std::move(*finding));
        }
        if (auto taken = parts.hub->import_all(std::move(batch), "eu-central-1"); !taken) give_up(taken.error());
      }
    };
    const auto start = Clock::now();
    const double cpu_start = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
    std::thread other(sender);
    sender();
    other.join();
    const double took = ms_since(start) / 1000;
    seconds += took;
    cpu += (cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_start) / 1000;
    fmt::print("  {:>9} findings  {:>8.0f} a second\n", end, static_cast<double>(end - begin) / took);
    std::fflush(stdout);
  }
  if (std::ifstream io("/proc/self/io"); io) {
    std::string name;
    for (double value = 0; io >> name >> value;)
      if (name == "wchar:") fmt::print("written  {:.1f} KB a finding\n", value / 1000 / static_cast<double>(to - from));
  }
  const double stored = static_cast<double>(parts.store->bytes_on_disk());
  fmt::print("import   {:>9} findings of {:.0f} bytes, {} at once: {:.0f} a second; {:.0f} for each second of a core\n",
             to - from, static_cast<double>(bytes) / static_cast<double>(to - from), at_once,
             static_cast<double>(to - from) / seconds, static_cast<double>(to - from) / cpu);
  fmt::print("disk     {:.0f} MB for {:.0f} MB of input: {:.2f} times the input, {:.0f} bytes a finding\n",
             stored / 1e6, static_cast<double>(bytes) / 1e6, stored / static_cast<double>(bytes),
             stored / static_cast<double>(to - from));
}

struct Case {
  const char* name;
  std::function<std::string(std::uint64_t)> filters;  // of the n-th try
  std::vector<findings::SortKey> sort;
  int tries = 100;
};

std::string equals(const char* field, const std::string& value) {
  return fmt::format(R"("{}":[{{"Value":"{}","Comparison":"EQUALS"}}])", field, value);
}

std::vector<Case> cases(Parts& parts, std::uint64_t total) {
  const std::vector<findings::SortKey> newest{{"UpdatedAt", true}};
  const std::vector<findings::SortKey> worst{{"SeverityNormalized", true}, {"UpdatedAt", true}};
  const auto severity = [](std::uint64_t n) {
    static const char* const labels[] = {"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"};
    return equals("SeverityLabel", labels[n % 5]);
  };
  const auto workflow = [](std::uint64_t n) {
    static const char* const states[] = {"NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"};
    return equals("WorkflowStatus", states[n % 4]);
  };
  const auto finding = [total](std::uint64_t n) { return *json::parse(bench::made_finding(n * 9973 % total)); };
  const auto resource = [finding](std::uint64_t n) {
    return equals("ResourceId", std::string(finding(n)["Resources"][0]["Id"].string_or("")));
  };
  const auto month = [](const char* field, std::uint64_t n) {
    return fmt::format(R"("{}":[{{"Start":"2026-{:02}-01T00:00:00Z","End":"2026-{:02}-28T00:00:00Z"}}])", field,
                       1 + n % 6, 1 + n % 6);
  };
  const auto account = [](std::uint64_t n) { return equals("AwsAccountId", bench::made_account(n % 60)); };
  const auto control = [](std::uint64_t n) {
    return equals("ComplianceSecurityControlId", bench::made_control(n % 200));
  };
  const std::string active = equals("RecordState", "ACTIVE");
  const std::string fresh = equals("WorkflowStatus", "NEW");
  const std::string failed = equals("ComplianceStatus", "FAILED");
  (void)parts;
  return {
      {"none, by UpdatedAt", [](auto) { return ""; }, newest},
      {"none, by severity and UpdatedAt", [](auto) { return ""; }, worst},
      {"severity", severity, newest},
      {"workflow", workflow, worst},
      {"compliance", [&](std::uint64_t n) { return equals("ComplianceStatus", n % 2 == 0 ? "FAILED" : "PASSED"); },
       worst},
      {"control", control, newest},
      {"generator",
       [](std::uint64_t n) { return equals("GeneratorId", "security-control/" + bench::made_control(n % 200)); },
       worst},
      {"resource", resource, worst},
      {"account", account, worst},
      {"region and account", [account](std::uint64_t n) { return account(n) + "," + equals("Region", "eu-west-1"); },
       newest},
      {"type",
       [](std::uint64_t n) {
         return equals("Type", n % 3 == 0 ? "Software and Configuration Checks/Industry and Regulatory Standards"
                                          : "TTPs/Discovery/Kind" + std::to_string(n % 40));
       },
       newest},
      {"type by prefix", [](auto) { return R"("Type":[{"Value":"TTPs","Comparison":"PREFIX"}])"; }, worst},
      {"note author",
       [](std::uint64_t n) {
         return equals("NoteUpdatedBy", n % 2 == 0 ? "fixpoint" : "analyst-" + std::to_string(n % 25));
       },
       newest},
      {"resource type", [](auto) { return equals("ResourceType", "AwsS3Bucket"); }, worst},
      {"tag", [](auto) { return R"("ResourceTags":[{"Key":"team","Value":"payments","Comparison":"EQUALS"}])"; },
       newest},
      {"updated within a month", [month](std::uint64_t n) { return month("UpdatedAt", n); }, newest},
      {"created within a month", [month](std::uint64_t n) { return month("CreatedAt", n); }, worst},
      {"severity of 70 and more", [](auto) { return R"("SeverityNormalized":[{"Gte":70}])"; }, newest},
      {"id", [finding](std::uint64_t n) { return equals("Id", std::string(finding(n)["Id"].string_or(""))); }, {}},
      {"active, new, failed", [=](auto) { return active + "," + fresh + "," + failed; }, worst},
      {"the same, not low",
       [=](auto) {
         return active + "," + fresh + "," + failed +
                R"(,"SeverityLabel":[{"Value":"LOW","Comparison":"NOT_EQUALS"},{"Value":"INFORMATIONAL","Comparison":"NOT_EQUALS"}])";
       },
       newest},
      {"account, critical, new",
       [=](std::uint64_t n) { return account(n) + "," + equals("SeverityLabel", "CRITICAL") + "," + fresh; }, newest},
      {"control, new, within a month",
       [=](std::uint64_t n) { return control(n) + "," + fresh + "," + month("UpdatedAt", n); }, worst},
      {"what does not come together",
       [=](std::uint64_t n) { return account(n) + "," + equals("ComplianceStatus", "PASSED") + "," + fresh; }, newest},
      {"new, by title", [=](auto) { return fresh; }, {{"Title", false}, {"UpdatedAt", true}}},
      {"title contains (uncommon)",
       [](std::uint64_t n) {
         return fmt::format(R"("Title":[{{"Value":"requirement {} ","Comparison":"CONTAINS"}}])", n % 200);
       },
       newest, 30},
      {"resource contains (uncommon)",
       [](auto) { return R"("ResourceId":[{"Value":"payments","Comparison":"CONTAINS"}])"; }, newest, 10},
      {"description contains (uncommon)",
       [](auto) { return R"("Description":[{"Value":"no access from inside","Comparison":"CONTAINS"}])"; }, newest, 5},
  };
}

void search(Parts& parts, std::uint64_t total, std::string_view named) {
  fmt::print("\nthe first page of 100, in ms        p50     p95    most   cpu p50     p95   findings on it\n");
  for (const Case& one : cases(parts, total)) {
    if (std::string_view(one.name).find(named) == std::string_view::npos) continue;
    std::vector<double> took;
    std::vector<double> cpu;
    std::size_t found = 0;
    for (int i = 0; i < one.tries + 2; ++i) {
      const auto filters = findings::Filters::compile(
          *json::parse("{" + one.filters(static_cast<std::uint64_t>(i)) + "}"), parts.clock.now_ms());
      if (!filters) give_up(filters.error());
      const auto start = Clock::now();
      const double cpu_start = cpu_ms(CLOCK_THREAD_CPUTIME_ID);
      const auto page = parts.findings->find(*filters, one.sort, 100, "");
      if (!page) give_up(page.error());
      if (i < 2) continue;  // the first tries warm the statements
      took.push_back(ms_since(start));
      cpu.push_back(cpu_ms(CLOCK_THREAD_CPUTIME_ID) - cpu_start);
      found = std::max(found, page->findings.size());
    }
    const Spread spread = spread_of(took);
    const Spread work = spread_of(cpu);
    fmt::print("  {:<31} {:>6.2f}  {:>6.2f}  {:>6.2f}   {:>6.2f}  {:>6.2f}   {}\n", one.name, spread.p50, spread.p95,
               spread.most, work.p50, work.p95, found);
    std::fflush(stdout);
  }
}

void update(Parts& parts, std::uint64_t total) {
  std::vector<double> took;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const json::Value finding = *json::parse(bench::made_finding(i * 7919 % total));
    const json::Value change = *json::parse(fmt::format(
        R"({{"Note":{{"Text":"fixed, try {}","UpdatedBy":"fixpoint"}},"Workflow":{{"Status":"{}"}},"UserDefinedFields":{{"execution":"e-{}"}}}})",
        i, i % 2 == 0 ? "RESOLVED" : "NOTIFIED", i));
    const auto start = Clock::now();
    const auto done = parts.store->write([&](store::Transaction& tx) {
      return parts.hub->update(tx, findings::key_of(finding), change, "arn:aws:iam::111111111111:role/bench");
    });
    if (!done) give_up(done.error());
    took.push_back(ms_since(start));
  }
  const Spread spread = spread_of(took);
  fmt::print("\nan update of one, committed         p50     p95    most\n  {:<31} {:>6.2f}  {:>6.2f}  {:>6.2f}\n",
             "note, status, own field", spread.p50, spread.p95, spread.most);
}

}  // namespace

int main(int argc, char** argv) {
  const auto total = argc > 1 ? to_int64(argv[1]).value_or(0) : 1'000'000;
  if (total < 1) {
    fmt::print(stderr, "bench_findings [FINDINGS] [FOLDER] [import|search|update] [SEARCH]\n");
    return 2;
  }
  const bool own = argc < 3;
  const std::string folder =
      own ? (std::filesystem::temp_directory_path() / ("fixpoint-bench-findings-" + std::to_string(getpid()))).string()
          : argv[2];
  const bool there = std::filesystem::exists(folder + "/fixpoint.db");
  {
    Parts parts(folder);
    const std::string only = argc > 3 ? argv[3] : "";
    if (!there && (only.empty() || only == "import")) import(parts, 0, static_cast<std::uint64_t>(total), 1000);
    if (only.empty() || only == "search") search(parts, static_cast<std::uint64_t>(total), argc > 4 ? argv[4] : "");
    if (only.empty() || only == "update") update(parts, static_cast<std::uint64_t>(total));
  }
  if (own) std::filesystem::remove_all(folder);
  return 0;
}
