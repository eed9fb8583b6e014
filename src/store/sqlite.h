#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "store/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fixpoint::store {

/// One SQLite connection with its prepared statements. Not thread-safe.
class SqliteConnection final : public Transaction {
 public:
  /// Error: StoreError.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, bool read_only, bool durable);
  ~SqliteConnection() override;

  Result<std::vector<Row>> query(std::string_view sql, const Params& params) override;
  Result<void> scan(std::string_view sql, const Params& params, const std::function<bool(Row&)>& each) override;
  Result<std::int64_t> execute(std::string_view sql, const Params& params) override;
  void after_commit(std::function<void()> action) override { actions_.push_back(std::move(action)); }

  /// Several statements without parameters, as in a schema's step.
  Result<void> run_script(const std::string& sql);
  std::vector<std::function<void()>> take_actions() { return std::exchange(actions_, {}); }
  std::size_t action_count() const { return actions_.size(); }
  void drop_actions_after(std::size_t count) { actions_.resize(count); }

 private:
  explicit SqliteConnection(sqlite3* db) : db_(db) {}
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  Result<void> bind(sqlite3_stmt* statement, std::string_view sql, const Params& params);
  Error error_of(int code, std::string_view sql) const;

  sqlite3* db_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
  std::vector<std::function<void()>> actions_;
};

}  // namespace fixpoint::store
