#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace fixpoint::store {

/// One connection to a database, whichever that is: what the store's writer and its readers work on. Not thread-safe.
///
/// begin() ... commit() or roll_back(); within, savepoint() ... release() or roll_back_to(). Errors of all: StoreError
/// and StoreConflict as `Session` says.
class Connection : public Transaction {
 public:
  /// Opens a transaction for writing, or a consistent view, as the connection was opened for. One that was lost is made
  /// anew first.
  virtual Result<void> begin() = 0;
  virtual Result<void> commit() = 0;
  virtual void roll_back() = 0;
  virtual Result<void> savepoint() = 0;
  virtual Result<void> release() = 0;
  virtual void roll_back_to() = 0;

  /// False where the database has ended the transaction by itself, and all of it is gone: a full disk, a lost
  /// connection.
  virtual bool in_transaction() const = 0;

  /// True where the connection was lost under a commit, so that nobody can say yet whether it is in the database.
  virtual bool in_doubt() const { return false; }
  /// Asks the database how a commit in doubt ended. Error: it cannot be asked now; ask again.
  virtual Result<bool> was_committed() { return false; }

  /// Several statements without parameters, as in a schema's step.
  virtual Result<void> run_script(const std::string& sql) = 0;

  /// The bytes that the database takes on disk.
  virtual std::int64_t bytes_on_disk() = 0;

  /// Within savepoint() and release() or roll_back_to(). An exception of the work takes it back and goes on.
  Result<void> attempt(const std::function<Result<void>()>& work) final;
  void after_commit(std::function<void()> action) override { actions_.push_back(std::move(action)); }
  void changes_kept() override {
    after_commit([this] { kept_version_.fetch_add(1, std::memory_order_acq_rel); });
  }
  std::uint64_t kept_version() const { return kept_version_.load(std::memory_order_acquire); }
  std::vector<std::function<void()>> take_actions() { return std::exchange(actions_, {}); }
  void drop_actions_after(std::size_t count) { actions_.resize(count); }

 protected:
  void note_failure() { failed_ = true; }
  /// Error: ValidationException, where a text is no UTF-8; that is a failed statement on both databases.
  Result<void> check_texts(const Params& params);

 private:
  std::vector<std::function<void()>> actions_;
  std::atomic<std::uint64_t> kept_version_ = 0;
  bool failed_ = false;  // a statement, since the innermost attempt began
};

/// Brings the rooms' tables up to their schemas' versions. Error: a version that is newer than this program, by name.
Result<void> migrate(Connection& connection, const std::vector<Schema>& schemas);

}  // namespace fixpoint::store
