#include "store/postgres.h"

#include <libpq-fe.h>

#include "base/text.h"
#include "store/dialect.h"

namespace fixpoint::store {
namespace {

// Statements are written in the program, so their number is small; this bounds what generated filters may add.
constexpr std::size_t statement_limit = 256;
constexpr int oldest_server = 130000;  // the first with pg_current_xact_id() and pg_xact_status()
constexpr std::size_t first_fetch = 64;
constexpr std::size_t later_fetch = 512;

// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat
enum Type : unsigned {
  boolean = 16,
  bytea = 17,
  int8 = 20,
  int2 = 21,
  int4 = 23,
  text = 25,
  float4 = 700,
  float8 = 701,
  varchar = 1043,
  numeric = 1700
};

// PostgreSQL keeps every character in a text but NUL: it stands as \1\1, and \1 as \1\2. So texts keep their order, and
// their beginnings stay beginnings.
std::string without_nul(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    out += c <= '\1' && c >= '\0' ? '\1' : c;
    if (c == '\0') out += '\1';
    if (c == '\1') out += '\2';
  }
  return out;
}

std::string with_nul(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '\1' || (next != '\1' && next != '\2')) {
      out += text[i];
    } else {
      out += next == '\1' ? '\0' : '\1';
      ++i;
    }
  }
  return out;
}

Cell cell_of(const pg_result* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return nullptr;
  const std::string_view value(PQgetvalue(result, row, column),
                               static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case boolean: return std::int64_t{value == "t"};
    case int2:
    case int4:
    case int8: return to_int64(value).value_or(0);
    case numeric:  // what sum() of integers is
      if (const auto whole = to_int64(value)) return *whole;
      [[fallthrough]];
    case float4:
    case float8: return std::strtod(std::string(value).c_str(), nullptr);
    case bytea: return hex_decode(value.substr(2)).value_or("");  // "\x..."
    default: return value.find('\1') != std::string_view::npos ? with_nul(value) : std::string(value);
  }
}

Row row_of(const pg_result* result, int row) {
  const int columns = PQnfields(result);
  std::vector<Cell> cells;
  cells.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) cells.push_back(cell_of(result, row, i));
  return Row(std::move(cells));
}

Error refused(std::string message) {
  return errors::coded("StoreError", std::move(message), 500);
}

Error lost_before() {
  Error error = refused("the connection to the store's database was lost in this transaction");
  error.retryable = true;
  return error;
}

}  // namespace

Result<std::string> describe_database(const std::string& database) {
  FIXPOINT_TRY(target, PostgresTarget::parse(database));
  return target.shown;
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const PostgresTarget& target, bool read_only,
                                                                     const Options& options) {
  auto connection = std::unique_ptr<PostgresConnection>(new PostgresConnection(target, read_only, options));
  if (!read_only) FIXPOINT_CHECK(connection->connect());
  return connection;
}

PostgresConnection::~PostgresConnection() = default;

Result<void> PostgresConnection::connect() {
  link_.reset();
  statements_.clear();
  asks_number_ = false;
  FIXPOINT_TRY(link, PostgresLink::connect(target_));
  if (link->server_version() < oldest_server)
    return fail(refused("the store's " + target_.shown + " is version " +
                        std::to_string(link->server_version() / 10000) + "; fixpoint wants PostgreSQL 13 or newer"));
  link->put("SELECT current_setting('server_encoding'), current_schema()");
  link->put(std::string("SET synchronous_commit = ") + (durable_ ? "on" : "off"));
  link->put("SET bytea_output = hex");
  const auto answers = link->exchange();
  if (answers.error) return fail(*answers.error);
  const pg_result* facts = answers.results[0].get();
  if (const std::string_view encoding = PQgetvalue(facts, 0, 0); encoding != "UTF8")
    return fail(refused("the store's " + target_.shown + " keeps text as " + std::string(encoding) +
                        "; fixpoint wants one made with ENCODING 'UTF8'"));
  if (PQgetisnull(facts, 0, 1) != 0)
    return fail(refused("the store's " + target_.shown + " has no schema to work in: none of its search_path exists"));
  if (!read_only_) {
    // A session that ended a moment ago may hold it for a moment more.
    link->put("SET lock_timeout = " + std::to_string(lock_wait_ms_));
    link->put("SELECT pg_advisory_lock(hashtextextended('fixpoint ' || current_schema(), 0))");
    link->put("SET lock_timeout = 0");
    if (auto locked = link->exchange(); locked.error) {
      locked.error->message = "another fixpoint works with the store's " + target_.shown +
                              ", or has only just ended: " + locked.error->message;
      return fail(std::move(*locked.error));
    }
  }
  link_ = std::move(link);
  return {};
}

Result<PostgresResult> PostgresConnection::exchange(std::string_view sql) {
  auto answers = link_->exchange();
  if (asks_number_ && answers.results.size() > 1) {
    asks_number_ = false;
    transaction_ = PQgetvalue(answers.results[1].get(), 0, 0);
  }
  if (answers.error) {
    if (!link_->alive()) open_ = false;
    note_failure();
    answers.error->where = sql.substr(0, 200);
    return fail(std::move(*answers.error));
  }
  return std::move(answers.results.back());
}

Result<const PostgresConnection::Prepared*> PostgresConnection::prepare(std::string_view sql, std::string_view prefix) {
  std::string key = std::string(prefix).append(sql);
  if (const auto found = statements_.find(key); found != statements_.end()) return &found->second;
  if (statements_.size() >= statement_limit) {
    link_->put("DEALLOCATE ALL");
    statements_.clear();
  }
  const auto translated = to_postgres(sql);
  if (translated.size() != 1) return fail(refused("a statement has to be one: " + std::string(sql.substr(0, 200))));
  Prepared prepared{"s" + std::to_string(++prepared_count_), {}};
  link_->put_prepare(prepared.name, std::string(prefix) + translated[0]);
  link_->put_describe(prepared.name);
  FIXPOINT_TRY(described, exchange(sql));
  for (int i = 0; i < PQnparams(described.get()); ++i) prepared.types.push_back(PQparamtype(described.get(), i));
  return &statements_.emplace(std::move(key), std::move(prepared)).first->second;
}

Result<void> PostgresConnection::put(const Prepared& prepared, std::string_view sql, const Params& params) {
  if (params.size() != prepared.types.size())
    return fail(refused("a statement has " + std::to_string(prepared.types.size()) + " parameters and got " +
                        std::to_string(params.size()) + ": " + std::string(sql.substr(0, 200))));
  std::vector<std::string> made(params.size());  // what is not sent as it is
  std::vector<PostgresLink::Value> values(params.size());
  for (std::size_t i = 0; i < params.size(); ++i) {
    const std::string* bytes = std::get_if<std::string>(&params[i]);
    if (bytes != nullptr) {
      const unsigned type = prepared.types[i];
      values[i].binary = type == bytea || type == text || type == varchar;
      const auto has = [&](char c) { return bytes->find(c) != std::string::npos; };
      if (type != bytea && (has('\0') || has('\1'))) {
        made[i] = without_nul(*bytes);
        bytes = &made[i];
      }
    } else if (const auto* integer = std::get_if<std::int64_t>(&params[i])) {
      made[i] = std::to_string(*integer);
      bytes = &made[i];
    } else if (const auto* real = std::get_if<double>(&params[i])) {
      made[i] = print_double(*real);
      bytes = &made[i];
    } else if (const auto* blob = std::get_if<Blob>(&params[i])) {
      bytes = &blob->bytes;
      values[i].binary = true;
    } else {
      continue;
    }
    values[i].bytes = bytes->c_str();
    values[i].size = static_cast<int>(bytes->size());
  }
  link_->put_prepared(prepared.name, values);
  return {};
}

Result<PostgresResult> PostgresConnection::run(std::string_view sql, const Params& params) {
  if (!open_) return fail(lost_before());
  FIXPOINT_CHECK(check_texts(params));
  FIXPOINT_TRY(prepared, prepare(sql, ""));
  FIXPOINT_CHECK(put(*prepared, sql, params));
  return exchange(sql);
}

Result<std::vector<Row>> PostgresConnection::query(std::string_view sql, const Params& params) {
  FIXPOINT_TRY(result, run(sql, params));
  std::vector<Row> rows;
  const int count = PQntuples(result.get());
  rows.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) rows.push_back(row_of(result.get(), i));
  return rows;
}

Result<std::int64_t> PostgresConnection::execute(std::string_view sql, const Params& params) {
  FIXPOINT_TRY(result, run(sql, params));
  return to_int64(PQcmdTuples(result.get())).value_or(0);
}

// By a cursor, so that other statements may run meanwhile, and that what is not wanted is not sent.
Result<void> PostgresConnection::scan(std::string_view sql, const Params& params,
                                      const std::function<bool(Row&)>& each) {
  if (!open_) return fail(lost_before());
  FIXPOINT_CHECK(check_texts(params));
  const std::string cursor = "c" + std::to_string(cursors_);
  FIXPOINT_TRY(prepared, prepare(sql, "DECLARE " + cursor + " NO SCROLL CURSOR FOR "));
  FIXPOINT_CHECK(put(*prepared, sql, params));
  struct Open {
    PostgresConnection& connection;
    const std::string& cursor;
    Open(PostgresConnection& c, const std::string& name) : connection(c), cursor(name) { ++c.cursors_; }
    ~Open() {
      --connection.cursors_;
      if (connection.open_) connection.link_->put("CLOSE " + cursor);
    }
  };
  std::optional<Open> open;
  for (std::size_t fetch = first_fetch;; fetch = later_fetch) {
    link_->put("FETCH FORWARD " + std::to_string(fetch) + " FROM " + cursor);
    FIXPOINT_TRY(result, exchange(sql));
    if (!open) open.emplace(*this, cursor);
    const int count = PQntuples(result.get());
    for (int i = 0; i < count; ++i) {
      Row row = row_of(result.get(), i);
      if (!each(row)) return {};
    }
    if (static_cast<std::size_t>(count) < fetch) return {};
  }
}

Result<void> PostgresConnection::begin() {
  if (!link_ || !link_->alive()) FIXPOINT_CHECK(connect());
  transaction_.clear();
  if (read_only_) {
    link_->put("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  } else {
    link_->put("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    link_->put("SELECT pg_current_xact_id()::text");
    asks_number_ = true;
  }
  open_ = true;
  return {};
}

Result<void> PostgresConnection::close_with(const char* command) {
  if (!open_) return fail(lost_before());
  link_->put(command);
  FIXPOINT_TRY(result, exchange(command));
  open_ = false;
  // A transaction that a statement broke answers COMMIT with ROLLBACK, and no error.
  if (std::string_view(PQcmdStatus(result.get())) != command)
    return fail(refused("the store took the transaction back instead of committing it"));
  return {};
}

Result<void> PostgresConnection::commit() {
  if (read_only_) {
    roll_back();
    return {};
  }
  const bool wrote = !transaction_.empty();
  auto done = close_with("COMMIT");
  if (!done && wrote && !link_->alive()) in_doubt_ = true;
  return done;
}

void PostgresConnection::roll_back() {
  if (open_) {
    link_->put("ROLLBACK");
    link_->post();
  }
  open_ = false;
}

Result<bool> PostgresConnection::was_committed() {
  if (!link_ || !link_->alive()) FIXPOINT_CHECK(connect());
  link_->put("SELECT pg_xact_status('" + transaction_ + "'::xid8)");
  const auto answers = link_->exchange();
  if (answers.error) {
    if (answers.error->retryable) return fail(*answers.error);
    in_doubt_ = false;  // a server that does not know so high a number never had the transaction
    return false;
  }
  const std::string_view status = PQgetvalue(answers.results[0].get(), 0, 0);
  if (status == "in progress") return fail(errors::unavailable("the commit is still under way"));
  in_doubt_ = false;
  return status == "committed";
}

// Within a transaction these only go into the buffer: what is wrong with them shows with the next answer.
Result<void> PostgresConnection::savepoint() {
  if (!open_) return fail(lost_before());
  link_->put("SAVEPOINT one");
  return {};
}
Result<void> PostgresConnection::release() {
  if (open_) link_->put("RELEASE one");
  return {};
}
void PostgresConnection::roll_back_to() {
  if (open_) link_->put("ROLLBACK TO one");
}

Result<void> PostgresConnection::run_script(const std::string& sql) {
  for (const std::string& statement : to_postgres(sql)) {
    link_->put(statement);
    FIXPOINT_CHECK(exchange(statement));
  }
  return {};
}

std::int64_t PostgresConnection::bytes_on_disk() {
  if (!begin()) return 0;
  const auto rows = query("SELECT pg_database_size(current_database())", {});
  roll_back();
  return rows && !rows->empty() ? (*rows)[0].integer(0) : 0;
}

}  // namespace fixpoint::store
