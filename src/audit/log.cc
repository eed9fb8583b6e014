#include "audit/log.h"

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::audit {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE audit (
  number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, execution TEXT NOT NULL, about TEXT NOT NULL,
  previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE INDEX audit_execution ON audit (execution, number);
)sql";

// A row of `columns`. Error: AuditBroken for one that was damaged, or is found by another execution than it is about.
constexpr const char* columns = "number, at_ms, kind, about, previous, hash, execution";
Result<Record> record_in(store::Row& row) {
  Record record{.number = row.integer(0), .at_ms = row.integer(1), .kind = {}, .about = {}, .previous = {}, .hash = {}};
  const auto about = json::parse(row.text(3));
  if (!about) return fail(broken(record.number, "was damaged: its About is no JSON: " + about.error().message));
  if (!about->is_object()) return fail(broken(record.number, "was damaged: its About is no object"));
  if (names_twice(row.text(3), *about))
    return fail(broken(record.number, "was altered: its About names a member twice"));
  for (const int column : {2, 4, 5, 6})
    if (!is_valid_utf8(row.text(column))) return fail(broken(record.number, "was damaged: it is no UTF-8"));
  if (row.text(6) != (*about)["Execution"].string_or(""))
    return fail(broken(record.number, "was altered: it is found as one of the execution '" + std::string(row.text(6)) +
                                          "', and is about '" + std::string((*about)["Execution"].string_or("")) +
                                          "'"));
  record.kind = row.take(2);
  record.about = *about;
  record.previous = row.take(4);
  record.hash = row.take(5);
  return record;
}

Result<Head> head_in(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"));
  if (rows.empty()) return Head{0, first_previous()};
  return Head{rows[0].integer(0), rows[0].take(1)};
}

}  // namespace

store::Schema Log::schema() {
  return {"audit", {tables}};
}

Result<void> Log::append(store::Transaction& tx, std::string_view kind, const json::Value& about) {
  FIXPOINT_TRY(last, head_in(tx));
  Record record{.number = last.number + 1,
                .at_ms = clock_.now_ms(),
                .kind = std::string(kind),
                .about = about,
                .previous = std::move(last.hash),
                .hash = {}};
  record.hash = hash_of(record);
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO audit (number, at_ms, kind, execution, about, previous, hash) VALUES (?,?,?,?,?,?,?)",
                 {record.number, record.at_ms, record.kind, std::string(about["Execution"].string_or("")),
                  json::print(about), record.previous, record.hash}));
  return {};
}

Result<void> Log::append(std::string_view kind, const json::Value& about) {
  return store_.write([&](store::Transaction& tx) { return append(tx, kind, about); });
}

Result<std::vector<Record>> Log::after(std::int64_t number, std::size_t limit, const std::string& execution) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Record>> {
    std::string sql = std::string("SELECT ") + columns + " FROM audit WHERE number > ?";
    store::Params params{number};
    if (!execution.empty()) {
      sql += " AND execution = ?";
      params.emplace_back(execution);
    }
    params.emplace_back(static_cast<std::int64_t>(limit));
    FIXPOINT_TRY(rows, session.query(sql + " ORDER BY number LIMIT ?", params));
    std::vector<Record> records;
    records.reserve(rows.size());
    for (store::Row& row : rows) {
      auto record = record_in(row);
      // What stands before it is still to be had; who asks for what follows is told.
      if (!record && !records.empty()) return records;
      if (!record) return fail(std::move(record.error()));
      records.push_back(std::move(*record));
    }
    return records;
  });
}

Result<Head> Log::head() {
  return store_.read([](store::Session& session) { return head_in(session); });
}

}  // namespace fixpoint::audit
