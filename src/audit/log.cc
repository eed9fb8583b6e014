#include "audit/log.h"

#include "json/text.h"

namespace fixpoint::audit {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE audit (
  number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, execution TEXT NOT NULL, about TEXT NOT NULL,
  previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE INDEX audit_execution ON audit (execution, number);
)sql";

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
    std::string sql = "SELECT number, at_ms, kind, about, previous, hash FROM audit WHERE number > ?";
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
      FIXPOINT_TRY(about, json::parse(row.text(3)));
      records.push_back({.number = row.integer(0),
                         .at_ms = row.integer(1),
                         .kind = row.take(2),
                         .about = std::move(about),
                         .previous = row.take(4),
                         .hash = row.take(5)});
    }
    return records;
  });
}

Result<Head> Log::head() {
  return store_.read([](store::Session& session) { return head_in(session); });
}

}  // namespace fixpoint::audit
