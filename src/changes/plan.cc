#include "changes/plan.h"

#include <algorithm>

#include "base/hash.h"
#include "changes/difference.h"
#include "changes/dry_run.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr int conflict = 409;
constexpr std::size_t shortest_hash = 8;
constexpr int depth_limit = 200;  // as deep as a parsed document can be

// Members that say a call apart from its repetition, not what it does; a program makes them anew each time.
bool is_token(std::string_view member) {
  return member == "ClientToken" || member == "ClientRequestToken" || member == "IdempotencyToken" ||
         member == "clientToken" || member == "clientRequestToken" || member == "idempotencyToken";
}

bool same(const Value& planned, const Value& now, int depth = 0) {
  if (planned.is_string() && holds_dry_token(planned.as_string())) return now.is_string();
  if (depth > depth_limit) return false;
  if (planned.is_array() && now.is_array()) {
    if (planned.size() != now.size()) return false;
    for (std::size_t i = 0; i < planned.size(); ++i)
      if (!same(planned[i], now[i], depth + 1)) return false;
    return true;
  }
  if (planned.is_object() && now.is_object()) {
    for (const auto& member : planned.as_object())
      if (!is_token(member.key) && (now.find(member.key) == nullptr || !same(member.value, now[member.key], depth + 1)))
        return false;
    return std::all_of(now.as_object().begin(), now.as_object().end(),
                       [&](const auto& member) { return is_token(member.key) || planned.find(member.key) != nullptr; });
  }
  return planned == now;
}

bool is_call(const Plan& plan, const Value& line, const Change& change) {
  return line["Call"].string_or("") == change.call() && line["Region"].string_or("") == change.region &&
         line["Account"].string_or(plan.document["Account"].string_or("")) == change.account &&
         same(line["Input"], change.input);
}

Value without_tokens(const Value& input) {
  Value out = input;
  if (out.is_object())
    for (const auto* name : {"ClientToken", "ClientRequestToken", "IdempotencyToken", "clientToken",
                             "clientRequestToken", "idempotencyToken"})
      out.as_object().erase(name);
  return out;
}

}  // namespace

Plan make_plan(const Mandate& mandate, const std::vector<Change>& changes) {
  json::Array findings;
  for (std::size_t i = 0; i < mandate.findings.size(); ++i)
    findings.emplace_back(
        json::Object{{"ProductArn", mandate.findings[i]["ProductArn"]}, {"Id", mandate.findings[i]["Id"]}});
  json::Array lines;
  for (const Change& change : changes) {
    json::Object line{{"Call", change.call()}, {"Region", change.region}, {"Input", without_tokens(change.input)}};
    if (change.account != mandate.account) line.set("Account", change.account);
    if (change.before_read) line.set("Before", change.before ? *change.before : Value());
    line.set("Undo", change.undo);
    if (!change.rests_on.empty()) line.set("RestsOn", change.rests_on);
    lines.emplace_back(std::move(line));
  }
  Plan plan;
  plan.document = json::Object{{"Kind", mandate.kind},
                               {"Program", mandate.program},
                               {"Account", mandate.account},
                               {"Region", mandate.region},
                               {"Findings", std::move(findings)},
                               {"Resources", json::Array(mandate.resources.begin(), mandate.resources.end())},
                               {"Changes", std::move(lines)}};
  plan.hash = sha256_hex(json::print_canonical(plan.document));
  return plan;
}

Result<void> put(store::Transaction& tx, const Plan& plan, TimeMs now_ms) {
  FIXPOINT_CHECK(tx.execute("INSERT INTO plan (hash, at_ms, document) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
                            {plan.hash, now_ms, json::print(plan.document)}));
  return {};
}

Result<Plan> find_plan(store::Session& session, const std::string& hash) {
  const bool digits = hash.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!digits || hash.size() < shortest_hash || hash.size() > 64)
    return fail(errors::validation("'" + hash + "' is no plan's hash: 64 digits of 0-9a-f, or the first eight or more",
                                   "Plan"));
  FIXPOINT_TRY(rows,
               session.query("SELECT hash, document FROM plan WHERE hash >= ? AND hash <= ? ORDER BY hash LIMIT 2",
                             {hash, hash + std::string(64 - hash.size(), 'f')}));
  if (rows.empty()) return fail(errors::resource_not_found("there is no plan " + hash, "Plan"));
  if (rows.size() > 1)
    return fail(errors::validation("several plans begin with " + hash + "; give more digits", "Plan"));
  Plan plan;
  plan.hash = rows[0].take(0);
  FIXPOINT_TRY(document, json::parse_printed(rows[0].text(1)));
  plan.document = std::move(document);
  return plan;
}

Result<void> hold(const Plan& plan, const Change& change, const std::vector<Change>& made) {
  const Value& lines = plan.document["Changes"];
  // The n-th call of its kind is held against the n-th line of its kind.
  auto earlier = std::count_if(made.begin(), made.end(), [&](const Change& other) {
    return other.step != change.step && other.made() && other.call() == change.call() &&
           other.account == change.account && other.region == change.region && same(other.input, change.input);
  });
  const Value* line = nullptr;
  for (std::size_t i = 0; i < lines.size() && line == nullptr; ++i)
    if (is_call(plan, lines[i], change) && earlier-- == 0) line = &lines[i];
  if (line == nullptr)
    return fail(errors::coded(
        "NotInPlan",
        change.call() + " " + json::print(change.input).substr(0, 300) +
            (change.account == plan.document["Account"].string_or("") ? "" : " in account " + change.account) +
            " is not in plan " + plan.hash.substr(0, 12) + ", which was approved; it was not made",
        conflict));
  if (!(*line)["RestsOn"].is_null() || holds_dry_token(json::print((*line)["Input"]))) return {};
  const Value* before = line->find("Before");
  if (before == nullptr) return {};
  const Value now = change.before ? *change.before : Value();
  if (*before == now) return {};
  return fail(errors::coded("PlanMoved",
                            change.call() + " was not made: the state that it would overwrite is no longer what plan " +
                                plan.hash.substr(0, 12) + " saw: " + describe_difference(*before, now, 600),
                            conflict));
}

}  // namespace fixpoint::changes
