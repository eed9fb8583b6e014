#include "controls/modes.h"

#include <algorithm>

#include "changes/scope.h"

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

Modes::Modes(store::Store& store) : store_(store), kept_(store, read) {}

Result<Modes::Stored> Modes::read(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT scope, mode FROM mode"));
  Stored out;
  for (store::Row& row : rows) {
    const auto mode = mode_of(row.text(1));
    if (!mode) continue;
    std::string own = changes::own_scope(row.text(0));
    auto& into = own == row.text(0) ? out.by_scope : out.foreign;
    const auto [place, fresh] = into.emplace(std::move(own), *mode);
    if (!fresh) place->second = std::min(place->second, *mode);
  }
  return out;
}

store::Schema Modes::schema() {
  return {"controls", {"CREATE TABLE mode (scope TEXT PRIMARY KEY, mode TEXT NOT NULL) STRICT;"}};
}

Result<void> Modes::set(store::Transaction& tx, const std::string& scope, Mode mode) {
  const bool named = (scope.starts_with("account:") || scope.starts_with("control:") || scope.starts_with("rule:")) &&
                     scope.back() != ':';
  if (scope != "all" && !named)
    return fail(
        errors::validation("'" + scope + "' is no scope; there are all, account:ID, control:ID and rule:ARN", "Scope"));
  FIXPOINT_TRY(stored, changes::stored_scopes(tx, "mode", scope));
  for (const std::string& one : stored) FIXPOINT_CHECK(tx.execute("DELETE FROM mode WHERE scope = ?", {one}));
  FIXPOINT_CHECK(tx.execute("INSERT INTO mode (scope, mode) VALUES (?, ?)",
                            {changes::own_scope(scope), std::string(to_text(mode))}));
  tx.changes_kept();
  return {};
}

Result<void> Modes::unset(store::Transaction& tx, const std::string& scope) {
  FIXPOINT_TRY(stored, changes::stored_scopes(tx, "mode", scope));
  for (const std::string& one : stored) FIXPOINT_CHECK(tx.execute("DELETE FROM mode WHERE scope = ?", {one}));
  if (stored.empty()) return fail(errors::resource_not_found("no mode is set for " + scope));
  tx.changes_kept();
  return {};
}

Result<std::optional<std::string>> Modes::at(store::Session& session, const std::string& scope) {
  FIXPOINT_TRY(stored, changes::stored_scopes(session, "mode", scope));
  if (stored.empty()) return std::nullopt;
  FIXPOINT_TRY(rows, session.query("SELECT mode FROM mode WHERE scope = ?", {stored.front()}));
  return rows.empty() ? std::nullopt : std::optional(rows[0].take(0));
}

Result<bool> Modes::forget_auto(store::Transaction& tx, const std::string& scope) {
  FIXPOINT_TRY(stored, changes::stored_scopes(tx, "mode", scope));
  std::int64_t gone = 0;
  for (const std::string& one : stored) {
    FIXPOINT_TRY(rows, tx.execute("DELETE FROM mode WHERE scope = ? AND mode = 'auto'", {one}));
    gone += rows;
  }
  if (gone != 0) tx.changes_kept();
  return gone != 0;
}

Result<void> Modes::set(const std::string& scope, Mode mode) {
  return store_.write([&](store::Transaction& tx) { return set(tx, scope, mode); });
}

std::optional<Mode> Modes::narrowest(const Stored& stored, const std::string& rule, const std::string& control,
                                     const std::string& account) {
  const std::string of_rule = changes::own_scope("rule:" + rule);
  const std::string of_control = changes::own_scope("control:" + control);
  std::optional<Mode> out;
  for (const auto& scope : {of_rule, of_control, "account:" + account, std::string("all")})
    if (const auto found = stored.by_scope.find(scope); !out && found != stored.by_scope.end()) out = found->second;
  for (const auto& scope : {of_rule, of_control})
    if (const auto found = stored.foreign.find(scope); found != stored.foreign.end() && found->second != Mode::Auto)
      out = std::min(out.value_or(Mode::Auto), found->second);
  return out;
}

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
