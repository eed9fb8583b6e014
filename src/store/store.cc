#include "store/store.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>

#include "base/fault.h"
#include "store/folder_lock.h"
#include "store/postgres.h"
#include "store/private_file.h"
#include "store/sqlite.h"

namespace fixpoint::store {
namespace {

constexpr std::size_t batch_limit = 256;  // transactions under one commit

struct Work {
  std::function<Result<void>(Transaction&)> body;
  std::function<void(Result<void>)> done;
};

// The store that this thread is inside of, by a transaction or a read.
thread_local const Store* inside_of = nullptr;

class Inside {
 public:
  explicit Inside(const Store& store) : before_(std::exchange(inside_of, &store)) {}
  ~Inside() { inside_of = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  const Store* before_;
};

class ConnectedStore final : public Store {
 public:
  ConnectedStore(std::unique_ptr<FolderLock> lock, std::unique_ptr<Connection> writer,
                 std::vector<std::unique_ptr<Connection>> readers)
      : lock_(std::move(lock)), writer_(std::move(writer)), readers_(std::move(readers)) {
    thread_ = std::thread([this] { run(); });
  }

  ~ConnectedStore() override {
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
    if (inside_of == this)
      return fail(
          errors::internal("the store was read from within a transaction or a read of it: what it holds there "
                           "is read by that session"));
    const Inside inside(*this);
    const Borrowed reader(*this);
    FIXPOINT_CHECK(reader->begin());
    try {
      auto answer = work(*reader);
      if (answer)
        (void)reader->commit();
      else
        reader->roll_back();
      return answer;
    } catch (...) {
      reader->roll_back();
      throw;
    }
  }

  std::uint64_t kept_version() const override { return writer_->kept_version(); }

  std::int64_t bytes_on_disk() const override {
    const Borrowed reader(*this);
    return reader->bytes_on_disk();
  }

 private:
  // A reader that goes back to the others when this ends.
  class Borrowed {
   public:
    explicit Borrowed(const ConnectedStore& store) : store_(store) {
      std::unique_lock lock(store_.readers_mutex_);
      store_.reader_free_.wait(lock, [&] { return !store_.readers_.empty(); });
      reader_ = std::move(store_.readers_.back());
      store_.readers_.pop_back();
    }
    ~Borrowed() {
      {
        std::lock_guard lock(store_.readers_mutex_);
        store_.readers_.push_back(std::move(reader_));
      }
      store_.reader_free_.notify_one();
    }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Connection* operator->() const { return reader_.get(); }
    Connection& operator*() const { return *reader_; }

   private:
    const ConnectedStore& store_;
    std::unique_ptr<Connection> reader_;
  };

  // Takes both where it queues them, and gives null; else the reason why not, both untouched.
  const char* refuse_or_queue(std::function<Result<void>(Transaction&)>& body,
                              std::function<void(Result<void>)>& done) {
    std::lock_guard lock(mutex_);
    if (stopping_) return "the store is stopping; send the request again to the server that follows";
    if (in_doubt_) return "the store's database does not answer; try again in a moment";
    if (queue_.size() >= write_queue_limit) return "the store has too many writes waiting; try again in a moment";
    queue_.push_back(Work{std::move(body), std::move(done)});
    return nullptr;
  }

  void run() {
    pthread_setname_np(pthread_self(), "store-writer");
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
    // What befalls the commit they share says nothing about any of them: each may be tried again.
    const auto of_all = [](Result<void> done) {
      if (!done) done.error().retryable = true;
      return done;
    };
    Result<void> whole = of_all(writer_->begin());
    for (Work& work : batch) {
      if (!whole) {
        results.emplace_back(fail(whole.error()));
        continue;
      }
      results.push_back(run_one(work));
      if (!writer_->in_transaction()) whole = taken_back(results.back());
    }
    if (whole) {
      fault_point("store.before_commit");
      whole = of_all(writer_->commit());
      if (!whole && writer_->in_doubt()) whole = settle(whole.error());
    }
    if (!whole) {
      writer_->roll_back();
      writer_->drop_actions_after(0);
      for (auto& result : results)
        if (result) result = fail(whole.error());
    } else {
      fault_point("store.after_commit");
    }
    for (auto& action : writer_->take_actions()) action();
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(results[i]));
  }

  Result<void> run_one(Work& work) {
    return writer_->attempt([&]() -> Result<void> {
      try {
        const Inside inside(*this);
        return work.body(*writer_);
      } catch (const std::exception& e) {
        return fail(errors::internal(std::string("a transaction broke: ") + e.what()));
      }
    });
  }

  // The error of those that share a transaction with what ended it.
  static Result<void> taken_back(const Result<void>& by) {
    Error error = errors::coded(
        "StoreError", "the store took back a commit: " + (by ? "its connection was lost" : by.error().message), 503);
    error.retryable = true;
    return fail(std::move(error));
  }

  // The connection was lost under a commit. What waits for it may be told neither yes nor no before the database has
  // been asked, so this waits for it, and what comes meanwhile is refused.
  Result<void> settle(const Error& lost) {
    for (int attempt = 0;; ++attempt) {
      auto known = writer_->was_committed();
      std::unique_lock lock(mutex_);
      in_doubt_ = !known;
      if (known) return *known ? Result<void>() : fail(lost);
      wake_.wait_for(lock, std::chrono::milliseconds(std::min(50 << std::min(attempt, 5), 1000)),
                     [this] { return stopping_; });
      if (stopping_) return fail(lost);
    }
  }

  std::unique_ptr<FolderLock> lock_;  // of a database in a file; the other kind locks itself
  std::unique_ptr<Connection> writer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  bool in_doubt_ = false;
  mutable std::mutex readers_mutex_;
  mutable std::condition_variable reader_free_;
  mutable std::vector<std::unique_ptr<Connection>> readers_;
  std::thread thread_;
};

std::atomic<int> memory_stores{0};

Result<std::string> make_path(const std::string& folder) {
  // A store in memory is shared between its connections by name; the count keeps two of them apart. Its locks are
  // waited for as a file's are, which those of a shared cache are not.
  if (folder.empty()) return "file:/fixpoint-" + std::to_string(memory_stores++) + "?vfs=memdb";
  FIXPOINT_CHECK(make_private_folder(folder));
  return folder + "/fixpoint.db";
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const Options& options, const std::vector<Schema>& schemas) {
  std::function<Result<std::unique_ptr<Connection>>(bool)> connect;
  FIXPOINT_TRY(path, make_path(options.folder));
  std::unique_ptr<FolderLock> lock;
  if (options.database.empty()) {
    if (!options.folder.empty()) {
      FIXPOINT_TRY(taken, FolderLock::take(options.folder, options.lock_wait_ms));
      lock = std::move(taken);
      // SQLite gives -wal and -shm, and a journal, the mode of the database.
      // https://www.sqlite.org/src/file/src/os_unix.c (findCreateFileMode)
      for (const char* suffix : {"", "-wal", "-shm"})
        if (*suffix == '\0' || std::filesystem::exists(path + suffix)) FIXPOINT_CHECK(make_private_file(path + suffix));
    }
    connect = [path = std::move(path), &options](bool read_only) -> Result<std::unique_ptr<Connection>> {
      return SqliteConnection::open(path, read_only, options.durable);
    };
  } else {
    FIXPOINT_TRY(target, PostgresTarget::parse(options.database));
    connect = [target = std::move(target), &options](bool read_only) -> Result<std::unique_ptr<Connection>> {
      return PostgresConnection::open(target, read_only, options);
    };
  }
  FIXPOINT_TRY(writer, connect(false));
  FIXPOINT_CHECK(migrate(*writer, schemas));
  std::vector<std::unique_ptr<Connection>> readers;
  for (unsigned i = 0; i < std::max(1U, options.readers); ++i) {
    FIXPOINT_TRY(reader, connect(true));
    readers.push_back(std::move(reader));
  }
  return std::make_unique<ConnectedStore>(std::move(lock), std::move(writer), std::move(readers));
}

}  // namespace fixpoint::store
