// Transactions and reads a second of the store: bench_store [FOLDER | postgresql://...]
#include "store/store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

namespace {

using namespace fixpoint;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds a_run{2};

// `work` again and again on so many threads; prints the rate and how long one took.
void measure(const char* what, unsigned threads, const std::function<bool(std::int64_t)>& work) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::vector<std::vector<double>> took(threads);
  std::vector<std::thread> running;
  const auto until = Clock::now() + a_run;
  for (unsigned t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      while (Clock::now() < until && !failed) {
        const auto began = Clock::now();
        if (!work(next++)) failed = true;
        took[t].push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
      }
    });
  for (auto& thread : running) thread.join();
  std::vector<double> all;
  for (const auto& part : took) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  if (failed || all.empty()) {
    std::printf("%-34s failed\n", what);
    return;
  }
  std::printf("%-34s %3u threads %8.0f/s   p50 %7.3f ms   p99 %7.3f ms\n", what, threads,
              static_cast<double>(all.size()) / std::chrono::duration<double>(a_run).count(), all[all.size() / 2],
              all[all.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string where = argc > 1 ? argv[1] : "";
  store::Options options{.readers = 16};
  const bool postgres = where.find("://") != std::string::npos || where.find('=') != std::string::npos;
  const std::string folder =
      where.empty() ? (std::filesystem::temp_directory_path() / "fixpoint-bench-store").string() : where;
  if (postgres)
    options.database = where;
  else
    options.folder = folder;
  auto opened = store::Store::open(
      options, {{"bench",
                 {"CREATE TABLE bench (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, body "
                  "TEXT NOT NULL) STRICT"}}});
  if (!opened) {
    std::fprintf(stderr, "%s\n", describe(opened.error()).c_str());
    return 1;
  }
  store::Store& store = **opened;
  std::printf("%s, durable\n",
              postgres ? store::describe_database(where).value().c_str() : ("SQLite in " + folder).c_str());
  const std::string body(500, 'x');
  (void)store.write([](store::Transaction& tx) { return tx.execute("DELETE FROM bench"); });
  for (const unsigned threads : {1U, 16U, 64U})
    measure("an insert and an update", threads, [&](std::int64_t) {
      static std::atomic<std::int64_t> number{0};
      const std::string name = "n" + std::to_string(number++);
      return store
          .write([&](store::Transaction& tx) -> Result<void> {
            FIXPOINT_CHECK(tx.execute("INSERT INTO bench (name, body) VALUES (?, ?)", {name, body}));
            FIXPOINT_CHECK(tx.execute("UPDATE bench SET body = ? WHERE name = ?", {body, name}));
            return {};
          })
          .has_value();
    });
  for (const unsigned threads : {1U, 4U, 16U})
    measure("a read by key", threads, [&](std::int64_t i) {
      return store
          .read([&](store::Session& session) {
            return session.query("SELECT id, body FROM bench WHERE name = ?", {"n" + std::to_string(i % 100)});
          })
          .has_value();
    });
  opened->reset();
  if (where.empty()) std::filesystem::remove_all(folder);
}
