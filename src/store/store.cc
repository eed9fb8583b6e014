#include "store/store.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "store/sqlite.h"

namespace fixpoint::store {
namespace {

constexpr std::size_t batch_limit = 256;  // transactions under one commit

struct Work {
  std::function<Result<void>(Transaction&)> body;
  std::function<void(Result<void>)> done;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<SqliteConnection> writer,
              std::vector<std::unique_ptr<SqliteConnection>> readers)
      : path_(std::move(path)), writer_(std::move(writer)), readers_(std::move(readers)) {
    thread_ = std::thread([this] { run(); });
  }

  ~SqliteStore() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Result<void> write_raw(std::function<Result<void>(Transaction&)> body) override {
    std::promise<Result<void>> promise;
    auto future = promise.get_future();
    write_async(std::move(body), [&promise](Result<void> result) { promise.set_value(std::move(result)); });
    return future.get();
  }

  void write_async(std::function<Result<void>(Transaction&)> body, std::function<void(Result<void>)> done) override {
    const char* refusal = refuse_or_queue(body, done);
    if (refusal != nullptr)
      done(fail(errors::unavailable(refusal)));
    else
      wake_.notify_one();
  }

  Result<void> read_raw(const std::function<Result<void>(Session&)>& work) override {
    std::unique_ptr<SqliteConnection> reader;
    {
      std::unique_lock lock(readers_mutex_);
      reader_free_.wait(lock, [this] { return !readers_.empty(); });
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
    auto result = [&]() -> Result<void> {
      FIXPOINT_CHECK(reader->execute("BEGIN", {}));
      try {
        auto answer = work(*reader);
        (void)reader->execute("COMMIT", {});
        return answer;
      } catch (...) {
        (void)reader->execute("ROLLBACK", {});
        give_back(std::move(reader));
        throw;
      }
    }();
    give_back(std::move(reader));
    return result;
  }

  std::int64_t bytes_on_disk() const override {
    std::int64_t bytes = 0;
    for (const char* suffix : {"", "-wal"}) {
      std::error_code missing;
      const auto size = std::filesystem::file_size(path_ + suffix, missing);
      if (!missing) bytes += static_cast<std::int64_t>(size);
    }
    return bytes;
  }

 private:
  // Takes both where it queues them, and gives null; else the reason why not, both untouched.
  const char* refuse_or_queue(std::function<Result<void>(Transaction&)>& body,
                              std::function<void(Result<void>)>& done) {
    std::lock_guard lock(mutex_);
    if (stopping_) return "the store is stopping; send the request again to the server that follows";
    if (queue_.size() >= write_queue_limit) return "the store has too many writes waiting; try again in a moment";
    queue_.push_back(Work{std::move(body), std::move(done)});
    return nullptr;
  }

  void give_back(std::unique_ptr<SqliteConnection> reader) {
    {
      std::lock_guard lock(readers_mutex_);
      readers_.push_back(std::move(reader));
    }
    reader_free_.notify_one();
  }

  void run() {
    while (true) {
      std::deque<Work> batch;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        while (!queue_.empty() && batch.size() < batch_limit) {
          batch.push_back(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
      commit(batch);
    }
  }

  // Every piece within a savepoint of its own, all under one commit.
  void commit(std::deque<Work>& batch) {
    std::vector<Result<void>> results;
    results.reserve(batch.size());
    auto began = writer_->execute("BEGIN IMMEDIATE", {});
    for (Work& work : batch) {
      if (!began) {
        results.emplace_back(fail(began.error()));
        continue;
      }
      results.push_back(run_one(work));
    }
    if (began) {
      if (auto committed = writer_->execute("COMMIT", {}); !committed) {
        (void)writer_->execute("ROLLBACK", {});
        writer_->drop_actions_after(0);
        for (auto& result : results)
          if (result) result = fail(committed.error());
      }
    }
    for (auto& action : writer_->take_actions()) action();
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(results[i]));
  }

  Result<void> run_one(Work& work) {
    FIXPOINT_CHECK(writer_->execute("SAVEPOINT one", {}));
    const std::size_t actions = writer_->action_count();
    Result<void> result;
    try {
      result = work.body(*writer_);
    } catch (const std::exception& e) {
      result = fail(errors::internal(std::string("a transaction broke: ") + e.what()));
    }
    if (!result) {
      writer_->drop_actions_after(actions);
      (void)writer_->execute("ROLLBACK TO one", {});
    }
    // A disk that is full rolls the whole transaction back by itself; then there is no savepoint to release.
    auto released = writer_->execute("RELEASE one", {});
    if (!released && result) {
      writer_->drop_actions_after(actions);
      return fail(std::move(released.error()));
    }
    return result;
  }

  std::string path_;
  std::unique_ptr<SqliteConnection> writer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::mutex readers_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
  std::thread thread_;
};

Result<void> migrate(SqliteConnection& db, const std::vector<Schema>& schemas) {
  FIXPOINT_CHECK(db.run_script(
      "CREATE TABLE IF NOT EXISTS schema_version (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"));
  for (const Schema& schema : schemas) {
    FIXPOINT_TRY(rows, db.query("SELECT version FROM schema_version WHERE room = ?", {schema.room}));
    const auto have = rows.empty() ? 0 : static_cast<std::size_t>(rows[0].integer(0));
    if (have > schema.steps.size())
      return fail(errors::coded("StoreError",
                                "the database holds version " + std::to_string(have) + " of '" + schema.room +
                                    "', this program knows " + std::to_string(schema.steps.size()) +
                                    ": use the newer program that wrote it",
                                500));
    for (std::size_t step = have; step < schema.steps.size(); ++step) {
      FIXPOINT_CHECK(db.run_script("BEGIN IMMEDIATE"));
      auto done = db.run_script(schema.steps[step]);
      if (done)
        done = db.execute(
                     "INSERT INTO schema_version (room, version) VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET "
                     "version = excluded.version",
                     {schema.room, static_cast<std::int64_t>(step + 1)})
                   .map([](auto) {});
      if (!done) {
        (void)db.run_script("ROLLBACK");
        return fail(std::move(done.error()));
      }
      FIXPOINT_CHECK(db.run_script("COMMIT"));
    }
  }
  return {};
}

std::atomic<int> memory_stores{0};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const Options& options, const std::vector<Schema>& schemas) {
  std::string path;
  if (options.folder.empty()) {
    // A store in memory is shared between its connections by name; the count keeps two of them apart.
    path = "file:fixpoint-" + std::to_string(memory_stores++) + "?mode=memory&cache=shared";
  } else {
    std::error_code failure;
    std::filesystem::create_directories(options.folder, failure);
    if (failure)
      return fail(
          errors::coded("StoreError", "cannot make the folder " + options.folder + ": " + failure.message(), 500));
    std::filesystem::permissions(options.folder, std::filesystem::perms::owner_all, failure);
    path = options.folder + "/fixpoint.db";
  }
  FIXPOINT_TRY(writer, SqliteConnection::open(path, false, options.durable));
  FIXPOINT_CHECK(migrate(*writer, schemas));
  std::vector<std::unique_ptr<SqliteConnection>> readers;
  for (unsigned i = 0; i < std::max(1U, options.readers); ++i) {
    FIXPOINT_TRY(reader, SqliteConnection::open(path, !options.folder.empty(), options.durable));
    readers.push_back(std::move(reader));
  }
  return std::make_unique<SqliteStore>(path, std::move(writer), std::move(readers));
}

}  // namespace fixpoint::store
