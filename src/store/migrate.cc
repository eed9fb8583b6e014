#include "store/connection.h"

namespace fixpoint::store {
namespace {

Result<void> take_step(Connection& connection, const Schema& schema, std::size_t step) {
  FIXPOINT_CHECK(connection.run_script(schema.steps[step]));
  FIXPOINT_CHECK(connection.execute(
      "INSERT INTO schema_version (room, version) VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = "
      "excluded.version",
      {schema.room, static_cast<std::int64_t>(step + 1)}));
  return {};
}

Result<void> in_transaction(Connection& connection, const std::function<Result<void>()>& work) {
  FIXPOINT_CHECK(connection.begin());
  auto done = work();
  if (done) return connection.commit();
  connection.roll_back();
  return done;
}

}  // namespace

Result<void> migrate(Connection& connection, const std::vector<Schema>& schemas) {
  std::vector<std::size_t> have;
  bool fresh = true;
  FIXPOINT_CHECK(in_transaction(connection, [&]() -> Result<void> {
    FIXPOINT_CHECK(connection.run_script(
        "CREATE TABLE IF NOT EXISTS schema_version (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"));
    for (const Schema& schema : schemas) {
      FIXPOINT_TRY(rows, connection.query("SELECT version FROM schema_version WHERE room = ?", {schema.room}));
      have.push_back(rows.empty() ? 0 : static_cast<std::size_t>(rows[0].integer(0)));
      fresh = fresh && have.back() == 0;
      if (have.back() > schema.steps.size())
        return fail(errors::coded("StoreError",
                                  "the database holds version " + std::to_string(have.back()) + " of '" + schema.room +
                                      "', this program knows " + std::to_string(schema.steps.size()) +
                                      ": use the newer program that wrote it",
                                  500));
    }
    if (!fresh) return {};
    // A new database is made at one go: each commit waits for the disk.
    for (const Schema& schema : schemas)
      for (std::size_t step = 0; step < schema.steps.size(); ++step)
        FIXPOINT_CHECK(take_step(connection, schema, step));
    return {};
  }));
  if (fresh) return {};
  for (std::size_t i = 0; i < schemas.size(); ++i)
    for (std::size_t step = have[i]; step < schemas[i].steps.size(); ++step)
      FIXPOINT_CHECK(in_transaction(connection, [&] { return take_step(connection, schemas[i], step); }));
  return {};
}

}  // namespace fixpoint::store
