#include "controls/modes.h"

namespace fixpoint::controls {

std::string_view to_text(Mode mode) {
  switch (mode) {
    case Mode::Observe: return "observe";
    case Mode::Ask: return "ask";
    case Mode::Auto: return "auto";
  }
  return "ask";
}

std::optional<Mode> mode_of(std::string_view text) {
  for (const Mode mode : {Mode::Observe, Mode::Ask, Mode::Auto})
    if (to_text(mode) == text) return mode;
  return {};
}

Modes::Modes(store::Store& store)
    : store_(store), kept_(store, [](store::Session& session) -> Result<std::map<std::string, std::string>> {
        FIXPOINT_TRY(rows, session.query("SELECT scope, mode FROM mode"));
        std::map<std::string, std::string> out;
        for (store::Row& row : rows) out.emplace(row.take(0), row.take(1));
        return out;
      }) {}

store::Schema Modes::schema() {
  return {"controls", {"CREATE TABLE mode (scope TEXT PRIMARY KEY, mode TEXT NOT NULL) STRICT;"}};
}

Result<void> Modes::set(store::Transaction& tx, const std::string& scope, Mode mode) {
  const bool named = (scope.starts_with("account:") || scope.starts_with("control:") || scope.starts_with("rule:")) &&
                     scope.back() != ':';
  if (scope != "all" && !named)
    return fail(
        errors::validation("'" + scope + "' is no scope; there are all, account:ID, control:ID and rule:ARN", "Scope"));
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO mode (scope, mode) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET mode = excluded.mode",
                 {scope, std::string(to_text(mode))}));
  tx.changes_kept();
  return {};
}

Result<void> Modes::unset(store::Transaction& tx, const std::string& scope) {
  FIXPOINT_TRY(gone, tx.execute("DELETE FROM mode WHERE scope = ?", {scope}));
  if (gone == 0) return fail(errors::resource_not_found("no mode is set for " + scope));
  tx.changes_kept();
  return {};
}

Result<std::optional<std::string>> Modes::at(store::Session& session, const std::string& scope) {
  FIXPOINT_TRY(rows, session.query("SELECT mode FROM mode WHERE scope = ?", {scope}));
  return rows.empty() ? std::nullopt : std::optional(rows[0].take(0));
}

Result<void> Modes::set(const std::string& scope, Mode mode) {
  return store_.write([&](store::Transaction& tx) { return set(tx, scope, mode); });
}

namespace {

std::optional<Mode> narrowest(const std::map<std::string, std::string>& by_scope, const std::string& rule,
                              const std::string& control, const std::string& account) {
  for (const auto& scope : {"rule:" + rule, "control:" + control, "account:" + account, std::string("all")})
    if (const auto found = by_scope.find(scope); found != by_scope.end()) return mode_of(found->second);
  return std::nullopt;
}

}  // namespace

Result<std::optional<Mode>> Modes::find_set(const std::string& rule, const std::string& control,
                                            const std::string& account) {
  FIXPOINT_TRY(modes, kept_.get());
  return narrowest(*modes, rule, control, account);
}

Result<Mode> Modes::find(const std::string& rule, const std::string& control, const std::string& account) {
  FIXPOINT_TRY(set, find_set(rule, control, account));
  return set.value_or(Mode::Ask);
}

Result<Mode> Modes::find(store::Session& session, const std::string& rule, const std::string& control,
                         const std::string& account) {
  FIXPOINT_TRY(modes, kept_.get(session));
  return narrowest(modes, rule, control, account).value_or(Mode::Ask);
}

Result<json::Value> Modes::all() {
  return store_.read([&](store::Session& session) -> Result<json::Value> {
    FIXPOINT_TRY(rows, session.query("SELECT scope, mode FROM mode ORDER BY scope"));
    json::Object out;
    for (auto& row : rows) out.set(row.text(0), row.text(1));
    return json::Value(std::move(out));
  });
}

}  // namespace fixpoint::controls
