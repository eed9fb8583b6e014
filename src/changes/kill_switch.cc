#include "changes/kill_switch.h"

#include <algorithm>
#include <tuple>

#include "changes/scope.h"

namespace fixpoint::changes {
namespace {

Freeze read(store::Row& row) {
  Freeze out;
  out.scope = own_scope(row.text(0));
  out.by = row.take(1);
  out.because = row.take(2);
  out.at_ms = row.integer(3);
  return out;
}

}  // namespace

std::string Freeze::sentence() const {
  return "changes are frozen for " + scope + " since " + format_iso8601_ms(at_ms) + " by " + by + ": " + because;
}

json::Value to_json(const Freeze& freeze) {
  return json::Object{
      {"Scope", freeze.scope}, {"By", freeze.by}, {"Because", freeze.because}, {"At", format_iso8601_ms(freeze.at_ms)}};
}

Result<void> freeze(store::Transaction& tx, const Freeze& freeze) {
  FIXPOINT_CHECK(check_scope(freeze.scope));
  const std::string scope = own_scope(freeze.scope);
  if (freeze.because.empty())
    return fail(
        errors::validation("a freeze needs a reason, for those who will ask why nothing is changed", "Because"));
  // One more is no error: a switch is thrown in haste. What is shown is then what was said last, as the audit log has
  // it.
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO kill_switch (scope, by_whom, because, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (scope) DO "
                 "UPDATE SET by_whom = excluded.by_whom, because = excluded.because, at_ms = excluded.at_ms",
                 {scope, freeze.by, freeze.because, freeze.at_ms}));
  return {};
}

Result<void> unfreeze(store::Transaction& tx, const std::string& scope) {
  FIXPOINT_CHECK(check_scope(scope));
  FIXPOINT_TRY(stored, stored_scopes(tx, "kill_switch", scope));
  for (const std::string& one : stored) FIXPOINT_CHECK(tx.execute("DELETE FROM kill_switch WHERE scope = ?", {one}));
  if (stored.empty()) return fail(errors::resource_not_found("there is no freeze for " + scope));
  return {};
}

Result<std::vector<Freeze>> freezes(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT scope, by_whom, because, at_ms FROM kill_switch ORDER BY at_ms, scope"));
  std::vector<Freeze> out;
  for (store::Row& row : rows) out.push_back(read(row));
  return out;
}

Result<std::optional<Freeze>> frozen(store::Session& session, const std::string& program, const std::string& account) {
  const auto scopes = scopes_of(program, account);
  // It is asked before every change, and holds a handful at most: one walk costs less than a list or an order.
  FIXPOINT_TRY(rows, session.query("SELECT scope, by_whom, because, at_ms FROM kill_switch"));
  std::optional<Freeze> first;
  for (store::Row& row : rows) {
    Freeze one = read(row);
    if (std::find(scopes.begin(), scopes.end(), one.scope) == scopes.end()) continue;
    if (!first || std::tie(one.at_ms, one.scope) < std::tie(first->at_ms, first->scope)) first = std::move(one);
  }
  return first;
}

}  // namespace fixpoint::changes
