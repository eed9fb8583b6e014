#include "changes/guards.h"

#include <algorithm>

#include "base/arn.h"
#include "base/text.h"
#include "changes/scope.h"

namespace fixpoint::changes {
namespace {

constexpr int forbidden = 403;

Result<void> check_mode(const Mandate& mandate) {
  if (mandate.mode == "auto" || !mandate.decided_by.empty()) return {};
  return fail(errors::coded("ModeForbidsChange",
                            mandate.mode == "observe"
                                ? mandate.program + " is in mode observe: it plans and records, and changes nothing"
                                : mandate.program + " is in mode ask, and nobody has approved this change",
                            forbidden));
}

// What GuardDuty and Macie generate to be tried on: the resources in it are made up, or somebody else's.
Result<void> check_sample(const Mandate& mandate) {
  for (std::size_t i = 0; i < mandate.findings.size(); ++i)
    if (mandate.findings[i]["Sample"].bool_or(false))
      return fail(errors::coded("SampleFinding",
                                "the finding '" + std::string(mandate.findings[i]["Id"].string_or("")) +
                                    "' is a sample; nothing is changed because of it",
                                forbidden));
  return {};
}

// The accounts whose rules hold for a call that the mandate makes in that account.
std::vector<std::string> accounts_of(const Mandate& mandate, const std::string& account) {
  if (account == mandate.account) return {account};
  return {account, mandate.account};
}

void add(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

Result<void> check_undo(const Mandate& mandate, const std::vector<Rules>& rules, const Change& change) {
  if (!change.irreversible() || !mandate.decided_by.empty() || mandate.mode != "auto") return {};
  if (std::all_of(rules.begin(), rules.end(), [&](const Rules& one) {
        const auto& allowed = one.allow_irreversible;
        return std::find(allowed.begin(), allowed.end(), change.call()) != allowed.end();
      }))
    return {};
  return fail(errors::coded("IrreversibleChange",
                            change.call() + " " + change.undo + "; mode auto does not make it unless the setting " +
                                "allow_irreversible of " + mandate.program + " names " + change.call(),
                            forbidden));
}

// "KEY" or "KEY=VALUE", regardless of case.
const std::string* owner_tag(const std::vector<std::string>& wanted, const Tags& tags) {
  for (const std::string& one : wanted) {
    const auto equals = one.find('=');
    for (const auto& [key, value] : tags)
      if (equals_ignore_case(key, std::string_view(one).substr(0, equals)) &&
          (equals == std::string::npos || equals_ignore_case(value, std::string_view(one).substr(equals + 1))))
        return &one;
  }
  return nullptr;
}

// Open where the windows of all are; else what opens last, for until then it is closed.
Opening look_at_all(const std::vector<Rules>& rules, TimeMs now_ms) {
  std::optional<Opening> open;
  std::optional<Opening> closed;
  std::vector<const std::vector<Window>*> lists;
  for (const Rules& one : rules) {
    lists.push_back(&one.windows);
    for (const auto& more : one.more_windows) lists.push_back(&more);
  }
  for (const auto* windows : lists) {
    Opening next = look_at(*windows, now_ms);
    auto& slot = next.open ? open : closed;
    // One of which nobody knows when it opens (its zone is gone) opens after all others.
    if (!slot || (!next.open && slot->at_ms != 0 && (next.at_ms == 0 || next.at_ms > slot->at_ms)))
      slot = std::move(next);
  }
  return closed ? *closed : open.value_or(Opening{.open = true, .at_ms = 0, .which = {}});
}

// The names under which an account counts what a change touches: one that does not say of which account it is may be
// that of another thing there.
std::vector<std::string> counted_in(const std::string& account, const Change& change,
                                    std::vector<std::string> resources) {
  if (account == change.account) return resources;
  for (std::string& resource : resources)
    if (!resource.starts_with("arn:") && resource.find(change.account) == std::string::npos)
      resource += " in " + change.account;
  return resources;
}

Error window_closed(const Mandate& mandate, const Opening& opening) {
  return errors::coded(
      "MaintenanceWindowClosed",
      "changes of " + mandate.program + " are made in a maintenance window; " +
          (opening.at_ms != 0 ? "the next (" + opening.which + ") opens at " + format_iso8601_ms(opening.at_ms)
                              : "none opens, for this machine knows the time zone of none that is set"),
      forbidden);
}

Verdict pass(std::string guard, std::string sentence = {}) {
  return {.guard = std::move(guard), .says = "pass", .code = {}, .sentence = std::move(sentence), .at_ms = 0};
}

Verdict stop(std::string guard, const Error& error, std::string says = "stop") {
  return {
      .guard = std::move(guard), .says = std::move(says), .code = error.code, .sentence = error.message, .at_ms = 0};
}

}  // namespace

json::Value to_json(const Verdict& verdict) {
  json::Object out{{"Guard", verdict.guard}, {"Says", verdict.says}};
  if (!verdict.code.empty()) out.set("Code", verdict.code);
  if (!verdict.sentence.empty()) out.set("Sentence", verdict.sentence);
  if (verdict.at_ms != 0) out.set("Until", format_iso8601_ms(verdict.at_ms));
  return out;
}

Result<std::vector<Guards::Touched>> Guards::touched(const Mandate& mandate, const Change& change) {
  std::vector<Touched> out;
  FIXPOINT_TRY(named, resources_of(recipes_.find(change.service, change.operation), mandate, change));
  for (auto& resource : named)
    if (resource.starts_with("arn:"))
      out.push_back({std::move(resource), {change.account, change.region, mandate.execution, {}}});
  for (const auto& resource : mandate.resources)
    if (std::none_of(out.begin(), out.end(), [&](const Touched& one) { return one.arn == resource; }))
      out.push_back({resource, {mandate.account, mandate.region, mandate.execution, {}}});
  return std::move(out);
}

Result<std::vector<Rules>> Guards::rules_for(const Mandate& mandate, const std::string& account) {
  std::vector<Rules> out;
  for (const auto& one : accounts_of(mandate, account)) {
    FIXPOINT_TRY(rules, settings_.find(mandate.program, one));
    out.push_back(std::move(rules));
  }
  return std::move(out);
}

Result<std::optional<Exception>> Guards::excepted(const Mandate& mandate, std::vector<std::string> accounts,
                                                  const std::vector<Touched>& resources) {
  FIXPOINT_TRY(all, exceptions_.get());
  if (all->empty()) return std::optional<Exception>();
  std::vector<std::string> arns;
  for (const Touched& one : resources) {
    arns.push_back(one.arn);
    if (const auto arn = parse_arn(one.arn); arn && is_account_id(arn->account)) add(accounts, arn->account);
  }
  return changes::excepted(*all, mandate, accounts, arns, clock_.now_ms(), [&](const std::string& arn) {
    const auto found =
        std::find_if(resources.begin(), resources.end(), [&](const Touched& one) { return one.arn == arn; });
    return recipes_.tags().read(found->where, arn, account_);
  });
}

Result<std::optional<Exception>> Guards::excepted(const Mandate& mandate) {
  std::vector<Touched> resources;
  for (const auto& resource : mandate.resources)
    resources.push_back({resource, {mandate.account, mandate.region, mandate.execution, {}}});
  return excepted(mandate, {mandate.account}, resources);
}

Result<void> Guards::check_exceptions(const Mandate& mandate, const Change& change,
                                      const std::vector<Touched>& resources) {
  FIXPOINT_TRY(found, excepted(mandate, accounts_of(mandate, change.account), resources));
  if (found) return fail(errors::coded("ResourceExcepted", found->sentence(), forbidden));
  return {};
}

Result<void> Guards::check_owner(const Mandate& mandate, const std::vector<Rules>& rules,
                                 const std::vector<Touched>& resources) {
  if (!mandate.decided_by.empty() ||
      std::none_of(rules.begin(), rules.end(), [](const Rules& one) { return one.owned_asks; }))
    return {};
  for (const Touched& resource : resources) {
    FIXPOINT_TRY(tags, recipes_.tags().read(resource.where, resource.arn, account_));
    for (const Rules& one : rules) {
      const std::string* tag = one.owned_asks ? owner_tag(one.owner_tags, tags) : nullptr;
      if (tag != nullptr)
        return fail(errors::coded("OwnedElsewhere",
                                  resource.arn + " belongs to another tool by its tag " + *tag +
                                      ", which would put it back; a person decides, or it is changed there",
                                  forbidden));
    }
  }
  return {};
}

Result<TimeMs> Guards::opens_at(const Mandate& mandate, const std::string& account) {
  FIXPOINT_TRY(rules, rules_for(mandate, account));
  const Opening opening = look_at_all(rules, clock_.now_ms());
  if (opening.open) return TimeMs{0};
  // Where no window can be told to open (its zone is gone), it is looked at again in an hour.
  return opening.at_ms != 0 ? opening.at_ms : clock_.now_ms() + 3'600'000;
}

Result<bool> Guards::four_eyes(const Mandate& mandate, std::vector<std::string> accounts) {
  add(accounts, mandate.account);
  for (const auto& account : accounts) {
    FIXPOINT_TRY(rules, settings_.find(mandate.program, account));
    if (rules.four_eyes) return true;
  }
  return false;
}

Result<void> Guards::before_change(const Mandate& mandate, const Change& change) {
  FIXPOINT_CHECK(check_sample(mandate));
  FIXPOINT_TRY(rules, rules_for(mandate, change.account));
  FIXPOINT_CHECK(check_mode(mandate));
  FIXPOINT_CHECK(check_undo(mandate, rules, change));
  FIXPOINT_TRY(resources, touched(mandate, change));
  if (mandate.kind != "undo") FIXPOINT_CHECK(check_exceptions(mandate, change, resources));
  FIXPOINT_CHECK(check_owner(mandate, rules, resources));
  const Opening opening = look_at_all(rules, clock_.now_ms());
  if (!opening.open) return fail(window_closed(mandate, opening));
  return {};
}

Result<std::optional<Error>> Guards::wants_person(const Mandate& mandate, const Change& change) {
  FIXPOINT_TRY(rules, rules_for(mandate, change.account));
  if (auto reversible = check_undo(mandate, rules, change); !reversible) return std::optional(reversible.error());
  FIXPOINT_TRY(resources, touched(mandate, change));
  auto unowned = check_owner(mandate, rules, resources);
  if (unowned) return std::optional<Error>();
  if (unowned.error().code != "OwnedElsewhere") return fail(std::move(unowned.error()));
  return std::optional(std::move(unowned.error()));
}

Result<void> Guards::not_frozen(const Mandate& mandate, const std::string& account) {
  return store_.read([&](store::Session& session) { return not_frozen(session, mandate, account); });
}

Result<void> Guards::not_frozen(store::Session& session, const Mandate& mandate, const std::string& account) {
  for (const auto& one : accounts_of(mandate, account)) {
    FIXPOINT_TRY(found, frozen(session, mandate.program, one));
    if (found) return fail(errors::coded("ChangesFrozen", found->sentence(), forbidden));
  }
  return {};
}

Result<std::optional<Stop>> Guards::in_transaction(store::Transaction& tx, const Mandate& mandate,
                                                   const Change& change) {
  FIXPOINT_TRY(resources, resources_of(recipes_.find(change.service, change.operation), mandate, change));
  std::vector<Counting> counted;
  for (const auto& account : accounts_of(mandate, change.account)) {
    FIXPOINT_TRY(found, frozen(tx, mandate.program, account));
    if (found) return std::optional(Stop{errors::coded("ChangesFrozen", found->sentence(), forbidden), account});
    FIXPOINT_TRY(rules, Settings::find(tx, mandate.program, account));
    counted.push_back({account, std::move(rules), counted_in(account, change, resources)});
  }
  return count(tx, mandate, counted, clock_.now_ms());
}

Result<CapState> Guards::cap(const Mandate& mandate) {
  FIXPOINT_TRY(rules, settings_.find(mandate.program, mandate.account));
  return store_.read(
      [&](store::Session& session) { return cap_state(session, mandate, mandate.account, rules, clock_.now_ms()); });
}

Result<std::vector<Verdict>> Guards::verdicts(const Mandate& mandate, const Change& change) {
  std::vector<Verdict> out;
  FIXPOINT_TRY(rules, rules_for(mandate, change.account));
  auto thawed = not_frozen(mandate, change.account);
  out.push_back(thawed ? pass("kill switch") : stop("kill switch", thawed.error()));
  if (auto real = check_sample(mandate); !real) out.push_back(stop("sample", real.error()));
  if (auto mode = check_mode(mandate); mode)
    out.push_back(pass("mode", mandate.decided_by.empty() ? "auto" : "decided by " + mandate.decided_by));
  else
    out.push_back(stop("mode", mode.error(), mandate.mode == "ask" ? "ask" : "stop"));
  auto reversible = check_undo(mandate, rules, change);
  out.push_back(reversible ? pass("undo", change.undo) : stop("undo", reversible.error(), "ask"));
  FIXPOINT_TRY(resources, touched(mandate, change));
  auto unexcepted = check_exceptions(mandate, change, resources);
  out.push_back(unexcepted ? pass("exception") : stop("exception", unexcepted.error()));
  auto unowned = check_owner(mandate, rules, resources);
  out.push_back(unowned ? pass("ownership") : stop("ownership", unowned.error(), "ask"));
  const Opening opening = look_at_all(rules, clock_.now_ms());
  out.push_back(pass("window", opening.which));
  if (!opening.open) {
    out.back().says = "wait";
    out.back().code = "MaintenanceWindowClosed";
    out.back().at_ms = opening.at_ms;
  }
  FIXPOINT_TRY(cap, cap_verdict(mandate, change, rules));
  out.push_back(std::move(cap));
  return out;
}

Result<Verdict> Guards::cap_verdict(const Mandate& mandate, const Change& change, const std::vector<Rules>& rules) {
  FIXPOINT_TRY(resources, resources_of(recipes_.find(change.service, change.operation), mandate, change));
  const auto accounts = accounts_of(mandate, change.account);
  return store_.read([&](store::Session& session) -> Result<Verdict> {
    std::optional<Verdict> fits;
    for (std::size_t i = 0; i < accounts.size(); ++i) {
      const auto state = cap_state(session, mandate, accounts[i], rules[i], clock_.now_ms());
      if (!state) return stop("cap", state.error());
      if (auto over = over_cap(*state, mandate.program, accounts[i], counted_in(accounts[i], change, resources)))
        return stop("cap", *over);
      if (!fits) fits = pass("cap", std::to_string(state->touched.size()) + " of " + state->limit_words);
    }
    return *fits;
  });
}

}  // namespace fixpoint::changes
