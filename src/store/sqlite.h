#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fixpoint::store {

/// One SQLite connection with its prepared statements. Not thread-safe.
class SqliteConnection final : public Connection {
 public:
  /// Error: StoreError.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, bool read_only, bool durable);
  ~SqliteConnection() override;

  Result<std::vector<Row>> query(std::string_view sql, const Params& params) override;
  Result<void> scan(std::string_view sql, const Params& params, const std::function<bool(Row&)>& each) override;
  Result<std::int64_t> execute(std::string_view sql, const Params& params) override;

  Result<void> begin() override;
  Result<void> commit() override;
  void roll_back() override;
  Result<void> savepoint() override;
  Result<void> release() override;
  void roll_back_to() override;
  bool in_transaction() const override;
  Result<void> run_script(const std::string& sql) override;
  std::int64_t bytes_on_disk() override;

 private:
  SqliteConnection(sqlite3* db, std::string path, bool read_only)
      : db_(db), path_(std::move(path)), read_only_(read_only) {}
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  Result<void> bind(sqlite3_stmt* statement, std::string_view sql, const Params& params);
  Error error_of(int code, std::string_view sql) const;
  tl::unexpected<Error> failed(int code, std::string_view sql);

  sqlite3* db_;
  std::string path_;
  bool read_only_;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> statements_;
};

}  // namespace fixpoint::store
