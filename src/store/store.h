#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/error.h"

namespace fixpoint::store {

/// Bytes bound to a `?` for a column of type BLOB; a string is for TEXT.
struct Blob {
  std::string bytes;
};

/// A value bound to a `?` of a statement, or read from a column. Read, text and blobs are both strings of bytes.
using Cell = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;
using Params = std::vector<Cell>;

/// One row of an answer; columns by their position in the SELECT.
class Row {
 public:
  explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}
  bool is_null(std::size_t column) const { return std::holds_alternative<std::nullptr_t>(cells_[column]); }
  std::int64_t integer(std::size_t column) const;     ///< 0 for NULL
  double real(std::size_t column) const;              ///< 0 for NULL
  const std::string& text(std::size_t column) const;  ///< empty for NULL
  std::string take(std::size_t column);               ///< moves the text out

 private:
  std::vector<Cell> cells_;
};

/// What statements run in: one transaction, or one consistent view for reading. Not thread-safe; lives as long as the
/// call it was given to. Errors: `StoreError` (the text of the statement and what the database said), retryable for a
/// full disk, a lock, or a database that does not answer; `StoreConflict` for a broken uniqueness or check;
/// `ValidationException` for a text that is no UTF-8, and, on PostgreSQL, for one that is too long for an index (some
/// 2,700 bytes after compression). A text may hold any character, NUL too. A transaction of which a statement failed is
/// taken back, whatever its work says; `Transaction::attempt` is for what may fail alone.
class Session {
 public:
  virtual ~Session() = default;
  /// Runs a statement and gives its rows.
  virtual Result<std::vector<Row>> query(std::string_view sql, const Params& params = {}) = 0;
  /// Hands out row after row without holding them all; stops where `each` says false.
  virtual Result<void> scan(std::string_view sql, const Params& params, const std::function<bool(Row&)>& each) = 0;
  /// Runs a statement that gives no rows; the number of rows that it changed.
  virtual Result<std::int64_t> execute(std::string_view sql, const Params& params = {}) = 0;
};

/// A writing session: what it did is there after the commit, whole, or not at all.
class Transaction : public Session {
 public:
  /// Runs after the commit, in the order given, on the thread that commits: must be short and must not write to the
  /// store.
  virtual void after_commit(std::function<void()> action) = 0;
  /// Runs `work`, which writes by this transaction, and where it fails takes back what it did and its after_commit
  /// actions, failed statements too: the transaction may go on as if it had not been tried. May be nested. Errors: the
  /// work's own; one that is retryable and of the store (`StoreError`) may have ended the transaction, and is passed
  /// on.
  virtual Result<void> attempt(const std::function<Result<void>()>& work) = 0;
  /// What is kept of the store in memory (kept.h) is read again once this is committed.
  virtual void changes_kept() = 0;
};

/// A room's tables. `steps[n]` leads from version n to n+1 and is never changed once released.
struct Schema {
  std::string room;
  std::vector<std::string> steps;
};

struct Options {
  std::string folder;    ///< holds `fixpoint.db`; made where it is missing; empty for a store in memory
  std::string database;  ///< where given, PostgreSQL instead of a file there: `postgresql://USER@HOST:PORT/NAME`, or
                         ///< libpq's `host=... dbname=...`; may hold a password, which no error repeats
  unsigned readers = 4;  ///< connections for reading
  bool durable = true;   ///< synchronous=FULL, synchronous_commit: a commit that was answered survives a power cut
  unsigned lock_wait_ms = 10'000;  ///< how long to wait for another process to let the database go
};

/// Where a database is, for people: the connection string without password. Error: ValidationException, where it is
/// none; it does not repeat what was given.
Result<std::string> describe_database(const std::string& database);

/// All that fixpoint remembers, in one database. Thread-safe.
///
/// There is one writer: transactions queue (at most `write_queue_limit`), run one after another, and those that wait
/// together are committed together, each within a savepoint of its own, so that one fsync serves many. A transaction
/// that fails takes back only itself.
class Store {
 public:
  virtual ~Store() = default;
  static constexpr std::size_t write_queue_limit = 10'000;

  /// Opens or makes the database and brings the schemas up to date. Errors: StoreError; a database of a newer version
  /// than this program is refused by name, and so is one that another process works with.
  static Result<std::unique_ptr<Store>> open(const Options& options, const std::vector<Schema>& schemas);

  /// Runs `work` in a transaction and returns when it is committed, or with its error when it is taken back. `work`
  /// runs on the writer's thread and must not call write() itself. Errors of its own: `ServiceUnavailable` where the
  /// queue is full or the store is stopping.
  virtual Result<void> write_raw(std::function<Result<void>(Transaction&)> work) = 0;

  /// The same without waiting: `done` is called on the writer's thread, after the commit or the roll-back.
  virtual void write_async(std::function<Result<void>(Transaction&)> work, std::function<void(Result<void>)> done) = 0;

  /// Runs `work` on a consistent view. May be called from several threads at once. Within a transaction or a read of
  /// this store it is InternalFailure: it would see another view, and wait for a connection while it holds one.
  virtual Result<void> read_raw(const std::function<Result<void>(Session&)>& work) = 0;

  /// How many transactions that said `changes_kept` have been committed; counted before any of them is answered.
  virtual std::uint64_t kept_version() const = 0;

  /// The bytes of the database and its log on disk.
  virtual std::int64_t bytes_on_disk() const = 0;

  template <class F>
  auto write(F work) -> std::invoke_result_t<F, Transaction&> {
    return run<std::invoke_result_t<F, Transaction&>>(work, [this](auto body) { return write_raw(std::move(body)); });
  }
  template <class F>
  auto read(F work) -> std::invoke_result_t<F, Session&> {
    using Out = std::invoke_result_t<F, Session&>;
    if constexpr (std::is_void_v<typename Out::value_type>) {
      return read_raw(work);
    } else {
      std::optional<typename Out::value_type> value;
      FIXPOINT_CHECK(read_raw([&](Session& session) -> Result<void> {
        auto result = work(session);
        if (!result) return fail(std::move(result.error()));
        value.emplace(std::move(*result));
        return {};
      }));
      return std::move(*value);
    }
  }

 private:
  template <class Out, class F, class Run>
  Out run(F& work, Run run_body) {
    if constexpr (std::is_void_v<typename Out::value_type>) {
      return run_body([&work](Transaction& tx) -> Result<void> { return work(tx); });
    } else {
      std::optional<typename Out::value_type> value;
      FIXPOINT_CHECK(run_body([&](Transaction& tx) -> Result<void> {
        auto result = work(tx);
        if (!result) return fail(std::move(result.error()));
        value.emplace(std::move(*result));
        return {};
      }));
      return std::move(*value);
    }
  }
};

}  // namespace fixpoint::store
