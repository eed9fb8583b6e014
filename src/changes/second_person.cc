#include "changes/second_person.h"

#include <set>

#include "base/person.h"
#include "changes/mandate.h"
#include "changes/plan.h"
#include "changes/scope.h"
#include "changes/settings.h"

namespace fixpoint::changes {
namespace {

Asked read(store::Row& row) {
  Asked out;
  out.what = row.take(0);
  out.by = row.take(1);
  out.at_ms = row.integer(2);
  out.until_ms = row.integer(3);
  return out;
}

// Two accounts, or two controls, have nothing in common.
bool meet(const std::string& one, const std::string& other) {
  const auto kind = [](const std::string& scope) { return scope.substr(0, scope.find(':')); };
  return one == other || kind(one) != kind(other);
}

}  // namespace

std::string Asked::sentence() const {
  return "'" + what + "' was asked for by " + by + "; it is done once another person asks for the same before " +
         format_iso8601_ms(until_ms);
}

json::Value to_json(const Asked& asked) {
  return json::Object{{"What", asked.what},
                      {"By", asked.by},
                      {"At", format_iso8601_ms(asked.at_ms)},
                      {"Until", format_iso8601_ms(asked.until_ms)}};
}

Result<bool> four_eyes_in(store::Session& session, const std::string& scope) {
  FIXPOINT_TRY(rows, session.query("SELECT scope, value FROM setting WHERE name = 'four_eyes'"));
  for (store::Row& row : rows)
    if (row.text(1) == "true" && meet(own_scope(row.text(0)), own_scope(scope))) return true;
  return false;
}

Result<bool> four_eyes_for(store::Session& session, const std::string& execution, const std::string& plan_hash) {
  FIXPOINT_TRY(mandate, Mandates::find(session, execution));
  if (!mandate) return true;
  FIXPOINT_TRY(plan, find_plan(session, plan_hash));
  std::set<std::string> accounts{mandate->account};
  for (const json::Value& change : plan.document["Changes"].as_array())
    if (change["Account"].is_string()) accounts.insert(change["Account"].as_string());
  for (const auto& account : accounts) {
    FIXPOINT_TRY(rules, Settings::find(session, mandate->program, account));
    if (rules.four_eyes) return true;
  }
  return false;
}

Result<SecondPerson> second_person(store::Transaction& tx, const std::string& scope, const std::string& what,
                                   const std::string& before, const std::string& by, TimeMs now_ms) {
  FIXPOINT_TRY(required, four_eyes_in(tx, scope));
  if (!required) return SecondPerson{.may = true, .asked = {}};
  const std::string person = person_of(by);
  if (person.empty())
    return fail(errors::access_denied("four eyes are required for '" + what + "', and nobody knows who asks for it"));
  FIXPOINT_CHECK(
      tx.execute("DELETE FROM asked_for WHERE until_ms <= ? OR (what = ? AND before <> ?)", {now_ms, what, before}));
  FIXPOINT_TRY(rows, tx.query("SELECT what, by_whom, at_ms, until_ms FROM asked_for WHERE what = ?", {what}));
  if (!rows.empty()) {
    Asked first = read(rows[0]);
    if (person_of(first.by) == person) return SecondPerson{.may = false, .asked = std::move(first)};
    FIXPOINT_CHECK(tx.execute("DELETE FROM asked_for WHERE what = ?", {what}));
    return SecondPerson{.may = true, .asked = std::move(first)};
  }
  Asked asked{.what = what, .by = by, .at_ms = now_ms, .until_ms = now_ms + asked_for_ms};
  FIXPOINT_CHECK(tx.execute("INSERT INTO asked_for (what, before, by_whom, at_ms, until_ms) VALUES (?, ?, ?, ?, ?)",
                            {asked.what, before, asked.by, asked.at_ms, asked.until_ms}));
  return SecondPerson{.may = false, .asked = std::move(asked)};
}

Result<std::vector<Asked>> asked(store::Session& session, TimeMs now_ms) {
  FIXPOINT_TRY(required, session.query("SELECT scope FROM setting WHERE name = 'four_eyes' AND value = 'true'"));
  if (required.empty()) return std::vector<Asked>();
  FIXPOINT_TRY(rows, session.query("SELECT what, by_whom, at_ms, until_ms FROM asked_for WHERE until_ms > ? ORDER BY "
                                   "at_ms, what",
                                   {now_ms}));
  std::vector<Asked> out;
  for (store::Row& row : rows) out.push_back(read(row));
  return out;
}

}  // namespace fixpoint::changes
