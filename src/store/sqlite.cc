#include "store/sqlite.h"

#include <filesystem>
#include <sqlite3.h>

#include "store/page_cache.h"

namespace fixpoint::store {
namespace {

// Statements are written in the program, so their number is small; this bounds what generated filters may add.
constexpr std::size_t statement_limit = 256;

// What a savepoint would take back is kept until it is released: by SQLite's own measure up to 64 KB of it in memory,
// and more in a file that is made for it, which a transaction of ten messages has already. Here all of it stays in
// memory: it is the pages from before that a transaction overwrites. (A greater measure is none: SQLite 3.40 writes
// what grows beyond it in one piece, its unix layer keeps 17 bits of a piece's length, and of 128 KB and more says that
// the disk is full.) SQLite's count of its own memory, for which all connections would take one lock, is off. These
// and the page cache are the process's and have to come before anything else of SQLite; where they come too late
// nothing breaks. https://www.sqlite.org/c3ref/c_config_covering_index_scan.html
void configure() {
  static const int configured =
      sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) + sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) + use_page_cache();
  (void)configured;
}

// The bytes of a text, which SQLite itself has from 3.43 on: https://www.sqlite.org/lang_corefunc.html#octet_length
void octet_length(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return sqlite3_result_null(context);
  sqlite3_result_int64(context, sqlite3_value_bytes(values[0]));
}

Row row_of(sqlite3_stmt* statement) {
  const int columns = sqlite3_column_count(statement);
  std::vector<Cell> cells;
  cells.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_NULL: cells.emplace_back(nullptr); break;
      case SQLITE_INTEGER: cells.emplace_back(std::int64_t{sqlite3_column_int64(statement, i)}); break;
      case SQLITE_FLOAT: cells.emplace_back(sqlite3_column_double(statement, i)); break;
      default: {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
        cells.emplace_back(
            std::string(bytes != nullptr ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
      }
    }
  }
  return Row(std::move(cells));
}

struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, bool read_only,
                                                                 bool durable) {
  configure();
  sqlite3* db = nullptr;
  // A store in memory is shared between its connections as files are not, and none may be opened for reading only.
  const bool in_memory = path.starts_with("file:");
  const int flags = (read_only && !in_memory ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  if (const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr); code != SQLITE_OK) {
    Error error = errors::coded(
        "StoreError",
        "cannot open the database " + path + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code)), 500);
    sqlite3_close_v2(db);
    return fail(std::move(error));
  }
  auto connection = std::unique_ptr<SqliteConnection>(new SqliteConnection(db, path, read_only));
  sqlite3_busy_timeout(db, 5000);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_create_function_v2(db, "octet_length", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, octet_length, nullptr,
                             nullptr, nullptr);
  FIXPOINT_CHECK(connection->run_script(
      read_only ? std::string("PRAGMA query_only=1; PRAGMA cache_size=-32768;")
                : std::string("PRAGMA journal_mode=WAL; PRAGMA synchronous=") + (durable ? "FULL" : "NORMAL") +
                      "; PRAGMA foreign_keys=1; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=16000;"));
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

Error SqliteConnection::error_of(int code, std::string_view sql) const {
  const int primary = code & 0xFF;
  const bool conflict = primary == SQLITE_CONSTRAINT;
  const std::string shown(sql.substr(0, 200));
  Error error = errors::coded(conflict ? "StoreConflict" : "StoreError",
                              std::string("the store said: ") + sqlite3_errmsg(db_), conflict ? 409 : 500);
  error.where = shown;
  error.retryable =
      primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL || primary == SQLITE_IOERR;
  if (error.retryable) error.http_status = 503;
  return error;
}

tl::unexpected<Error> SqliteConnection::failed(int code, std::string_view sql) {
  note_failure();
  return fail(error_of(code, sql));
}

Result<sqlite3_stmt*> SqliteConnection::prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  if (statements_.size() >= statement_limit) {
    for (auto& [text, statement] : statements_) sqlite3_finalize(statement);
    statements_.clear();
  }
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failed(code, sql);
  statements_.emplace(std::string(sql), statement);
  return statement;
}

Result<void> SqliteConnection::bind(sqlite3_stmt* statement, std::string_view sql, const Params& params) {
  for (std::size_t i = 0; i < params.size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&params[i])) {
      code = sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* real = std::get_if<double>(&params[i])) {
      code = sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&params[i])) {
      code = sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<Blob>(&params[i])) {
      code = sqlite3_bind_blob64(statement, at, blob->bytes.data(), blob->bytes.size(), SQLITE_STATIC);
    } else {
      code = sqlite3_bind_null(statement, at);
    }
    if (code != SQLITE_OK) return failed(code, sql);
  }
  return {};
}

Result<void> SqliteConnection::scan(std::string_view sql, const Params& params, const std::function<bool(Row&)>& each) {
  FIXPOINT_CHECK(check_texts(params));
  FIXPOINT_TRY(statement, prepare(sql));
  const Reset reset{statement};
  FIXPOINT_CHECK(bind(statement, sql, params));
  while (true) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return failed(code, sql);
    Row row = row_of(statement);
    if (!each(row)) return {};
  }
}

Result<std::vector<Row>> SqliteConnection::query(std::string_view sql, const Params& params) {
  std::vector<Row> rows;
  FIXPOINT_CHECK(scan(sql, params, [&](Row& row) {
    rows.push_back(std::move(row));
    return true;
  }));
  return rows;
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql, const Params& params) {
  FIXPOINT_CHECK(scan(sql, params, [](Row&) { return true; }));
  return std::int64_t{sqlite3_changes64(db_)};
}

Result<void> SqliteConnection::begin() {
  FIXPOINT_CHECK(execute(read_only_ ? "BEGIN" : "BEGIN IMMEDIATE", {}));
  return {};
}
Result<void> SqliteConnection::commit() {
  FIXPOINT_CHECK(execute("COMMIT", {}));
  return {};
}
void SqliteConnection::roll_back() {
  if (in_transaction()) (void)execute("ROLLBACK", {});
}
Result<void> SqliteConnection::savepoint() {
  FIXPOINT_CHECK(execute("SAVEPOINT one", {}));
  return {};
}
Result<void> SqliteConnection::release() {
  FIXPOINT_CHECK(execute("RELEASE one", {}));
  return {};
}
void SqliteConnection::roll_back_to() {
  if (in_transaction()) (void)execute("ROLLBACK TO one", {});
}
bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

std::int64_t SqliteConnection::bytes_on_disk() {
  std::int64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(path_ + suffix, missing);
    if (!missing) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

Result<void> SqliteConnection::run_script(const std::string& sql) {
  if (const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
    return failed(code, sql);
  return {};
}

}  // namespace fixpoint::store
