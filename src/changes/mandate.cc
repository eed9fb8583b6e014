#include "changes/mandate.h"

#include "changes/scope.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

Mandate read(const std::string& execution, bool dry_run, const Value& form) {
  Mandate out;
  out.execution = execution;
  out.kind = form["Kind"].string_or("");
  out.program = own_program(form["Program"].string_or(""));
  out.rule = form["Rule"].string_or("");
  out.account = form["Account"].string_or("");
  out.region = form["Region"].string_or("");
  out.findings = form["Findings"];
  for (std::size_t i = 0; i < form["Resources"].size(); ++i)
    out.resources.emplace_back(form["Resources"][i].string_or(""));
  out.mode = form["Mode"].string_or("ask");
  out.decided_by = form["DecidedBy"].string_or("");
  out.dry_run = dry_run;
  out.plan = form["Plan"].string_or("");
  out.population = form["Population"].int_or(-1);
  return out;
}

}  // namespace

Value to_json(const Mandate& mandate) {
  json::Array resources(mandate.resources.begin(), mandate.resources.end());
  return json::Object{{"Kind", mandate.kind},
                      {"Program", mandate.program},
                      {"Rule", mandate.rule},
                      {"Account", mandate.account},
                      {"Region", mandate.region},
                      {"Findings", mandate.findings},
                      {"Resources", std::move(resources)},
                      {"Mode", mandate.mode},
                      {"DecidedBy", mandate.decided_by},
                      {"DryRun", mandate.dry_run},
                      {"Plan", mandate.plan},
                      {"Population", mandate.population}};
}

Result<void> Mandates::put(store::Transaction& tx, const Mandate& mandate) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO mandate (execution, dry_run, unsure, document) VALUES (?, ?, '', ?) ON CONFLICT (execution) DO "
      "UPDATE SET dry_run = excluded.dry_run, unsure = '', refused = NULL, document = excluded.document",
      {mandate.execution, std::int64_t{mandate.dry_run}, json::print(to_json(mandate))}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM change WHERE execution = ? AND state = 'planned'", {mandate.execution}));
  return {};
}

Result<void> Mandates::put(const Mandate& mandate) {
  return store_.write([&](store::Transaction& tx) { return put(tx, mandate); });
}

Result<std::optional<Mandate>> Mandates::find(const std::string& execution) {
  return store_.read([&](store::Session& session) { return find(session, execution); });
}

Result<std::optional<Mandate>> Mandates::find(store::Session& session, const std::string& execution) {
  FIXPOINT_TRY(rows, session.query("SELECT dry_run, document FROM mandate WHERE execution = ?", {execution}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(form, json::parse_printed(rows[0].text(1)));
  return std::optional(read(execution, rows[0].integer(0) != 0, form));
}

Result<bool> Mandates::is_dry_run(const std::string& execution) {
  return store_.read([&](store::Session& session) -> Result<bool> {
    FIXPOINT_TRY(rows, session.query("SELECT dry_run FROM mandate WHERE execution = ?", {execution}));
    return !rows.empty() && rows[0].integer(0) != 0;
  });
}

Result<std::string> Mandates::unsure(const std::string& execution) {
  return store_.read([&](store::Session& session) -> Result<std::string> {
    FIXPOINT_TRY(rows, session.query("SELECT unsure FROM mandate WHERE execution = ?", {execution}));
    return rows.empty() ? std::string() : rows[0].take(0);
  });
}

Result<void> Mandates::set_unsure(const std::string& execution, const std::string& rests_on) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("UPDATE mandate SET unsure = ? WHERE execution = ?", {rests_on, execution}));
    return {};
  });
}

Result<std::optional<Error>> Mandates::refusal(const std::string& execution) {
  return store_.read([&](store::Session& session) -> Result<std::optional<Error>> {
    FIXPOINT_TRY(rows, session.query("SELECT refused FROM mandate WHERE execution = ?", {execution}));
    if (rows.empty() || rows[0].is_null(0)) return std::nullopt;
    FIXPOINT_TRY(form, json::parse(rows[0].text(0)));
    return std::optional(errors::coded(std::string(form["Code"].string_or("")),
                                       std::string(form["Sentence"].string_or("")),
                                       static_cast<int>(form["Status"].int_or(0))));
  });
}

Result<Mandates::Refused> Mandates::refused(const std::string& execution) {
  return store_.read([&](store::Session& session) -> Result<Refused> {
    FIXPOINT_TRY(rows, session.query("SELECT refused FROM mandate WHERE execution = ?", {execution}));
    if (rows.empty() || rows[0].is_null(0)) return Refused{};
    FIXPOINT_TRY(form, json::parse(rows[0].text(0)));
    return Refused{form["At"].int_or(0), std::string(form["Account"].string_or(""))};
  });
}

Result<void> Mandates::set_refusal(store::Transaction& tx, const std::string& execution, const Error& error,
                                   const std::string& account, TimeMs at_ms) {
  const json::Object form{{"Code", error.code},
                          {"Sentence", error.message},
                          {"Status", error.http_status},
                          {"Account", account},
                          {"At", at_ms}};
  FIXPOINT_CHECK(
      tx.execute("UPDATE mandate SET refused = ? WHERE execution = ?", {json::print(Value(form)), execution}));
  return {};
}

}  // namespace fixpoint::changes
