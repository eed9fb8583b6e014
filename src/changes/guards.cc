#include "changes/guards.h"

#include <algorithm>

#include "base/text.h"

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

Result<void> check_undo(const Mandate& mandate, const Rules& rules, const Change& change) {
  if (!change.irreversible() || !mandate.decided_by.empty() || mandate.mode != "auto") return {};
  const auto& allowed = rules.allow_irreversible;
  if (std::find(allowed.begin(), allowed.end(), change.call()) != allowed.end()) return {};
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

Result<std::vector<std::string>> Guards::arns(const Mandate& mandate, const Change& change) {
  std::vector<std::string> out = mandate.resources;
  FIXPOINT_TRY(touched, resources_of(recipes_.find(change.service, change.operation), mandate, change.service,
                                     change.operation, change.input));
  for (auto& resource : touched)
    if (resource.starts_with("arn:") && std::find(out.begin(), out.end(), resource) == out.end())
      out.push_back(std::move(resource));
  return out;
}

Result<std::optional<Exception>> Guards::excepted(const Mandate& mandate) {
  FIXPOINT_TRY(all, exceptions_.get());
  return changes::excepted(*all, mandate, mandate.resources, clock_.now_ms(), [&](const std::string& arn) {
    return recipes_.tags().read({mandate.account, mandate.region, mandate.execution, {}}, arn, account_);
  });
}

Result<void> Guards::check_exceptions(const Mandate& mandate, const std::vector<std::string>& resources) {
  FIXPOINT_TRY(all, exceptions_.get());
  FIXPOINT_TRY(found, changes::excepted(*all, mandate, resources, clock_.now_ms(), [&](const std::string& arn) {
                 return recipes_.tags().read({mandate.account, mandate.region, mandate.execution, {}}, arn, account_);
               }));
  if (found) return fail(errors::coded("ResourceExcepted", found->sentence(), forbidden));
  return {};
}

Result<void> Guards::check_owner(const Mandate& mandate, const Rules& rules,
                                 const std::vector<std::string>& resources) {
  if (!rules.owned_asks || !mandate.decided_by.empty()) return {};
  for (const auto& resource : resources) {
    FIXPOINT_TRY(tags,
                 recipes_.tags().read({mandate.account, mandate.region, mandate.execution, {}}, resource, account_));
    if (const std::string* tag = owner_tag(rules.owner_tags, tags))
      return fail(errors::coded("OwnedElsewhere",
                                resource + " belongs to another tool by its tag " + *tag +
                                    ", which would put it back; a person decides, or it is changed there",
                                forbidden));
  }
  return {};
}

Result<TimeMs> Guards::opens_at(const Mandate& mandate) {
  FIXPOINT_TRY(rules, settings_.find(mandate.program, mandate.account));
  const Opening opening = look_at(rules.windows, clock_.now_ms());
  if (opening.open) return TimeMs{0};
  // Where no window can be told to open (its zone is gone), it is looked at again in an hour.
  return opening.at_ms != 0 ? opening.at_ms : clock_.now_ms() + 3'600'000;
}

Result<void> Guards::before_change(const Mandate& mandate, const Change& change) {
  FIXPOINT_CHECK(check_sample(mandate));
  FIXPOINT_TRY(rules, settings_.find(mandate.program, mandate.account));
  FIXPOINT_CHECK(check_mode(mandate));
  FIXPOINT_CHECK(check_undo(mandate, rules, change));
  FIXPOINT_TRY(resources, arns(mandate, change));
  if (mandate.kind != "undo") FIXPOINT_CHECK(check_exceptions(mandate, resources));
  FIXPOINT_CHECK(check_owner(mandate, rules, resources));
  const Opening opening = look_at(rules.windows, clock_.now_ms());
  if (!opening.open) return fail(window_closed(mandate, opening));
  return {};
}

Result<std::optional<Error>> Guards::wants_person(const Mandate& mandate, const Change& change) {
  FIXPOINT_TRY(rules, settings_.find(mandate.program, mandate.account));
  if (auto reversible = check_undo(mandate, rules, change); !reversible) return std::optional(reversible.error());
  FIXPOINT_TRY(resources, arns(mandate, change));
  auto unowned = check_owner(mandate, rules, resources);
  if (unowned) return std::optional<Error>();
  if (unowned.error().code != "OwnedElsewhere") return fail(std::move(unowned.error()));
  return std::optional(std::move(unowned.error()));
}

Result<void> Guards::not_frozen(const Mandate& mandate) {
  return store_.read([&](store::Session& session) { return not_frozen(session, mandate); });
}

Result<void> Guards::not_frozen(store::Session& session, const Mandate& mandate) {
  FIXPOINT_TRY(found, frozen(session, mandate.program, mandate.account));
  if (found) return fail(errors::coded("ChangesFrozen", found->sentence(), forbidden));
  return {};
}

Result<std::optional<Error>> Guards::in_transaction(store::Transaction& tx, const Mandate& mandate,
                                                    const Change& change) {
  FIXPOINT_TRY(found, frozen(tx, mandate.program, mandate.account));
  if (found) return std::optional(errors::coded("ChangesFrozen", found->sentence(), forbidden));
  FIXPOINT_TRY(rules, Settings::find(tx, mandate.program, mandate.account));
  FIXPOINT_TRY(resources, resources_of(recipes_.find(change.service, change.operation), mandate, change.service,
                                       change.operation, change.input));
  return count(tx, mandate, rules, resources, clock_.now_ms());
}

Result<CapState> Guards::cap(const Mandate& mandate) {
  FIXPOINT_TRY(rules, settings_.find(mandate.program, mandate.account));
  return store_.read([&](store::Session& session) { return cap_state(session, mandate, rules, clock_.now_ms()); });
}

Result<std::vector<Verdict>> Guards::verdicts(const Mandate& mandate, const Change& change) {
  std::vector<Verdict> out;
  FIXPOINT_TRY(rules, settings_.find(mandate.program, mandate.account));
  auto thawed = not_frozen(mandate);
  out.push_back(thawed ? pass("kill switch") : stop("kill switch", thawed.error()));
  if (auto real = check_sample(mandate); !real) out.push_back(stop("sample", real.error()));
  if (auto mode = check_mode(mandate); mode)
    out.push_back(pass("mode", mandate.decided_by.empty() ? "auto" : "decided by " + mandate.decided_by));
  else
    out.push_back(stop("mode", mode.error(), mandate.mode == "ask" ? "ask" : "stop"));
  auto reversible = check_undo(mandate, rules, change);
  out.push_back(reversible ? pass("undo", change.undo) : stop("undo", reversible.error(), "ask"));
  FIXPOINT_TRY(resources, arns(mandate, change));
  auto unexcepted = check_exceptions(mandate, resources);
  out.push_back(unexcepted ? pass("exception") : stop("exception", unexcepted.error()));
  auto unowned = check_owner(mandate, rules, resources);
  out.push_back(unowned ? pass("ownership") : stop("ownership", unowned.error(), "ask"));
  const Opening opening = look_at(rules.windows, clock_.now_ms());
  out.push_back(pass("window", opening.which));
  if (!opening.open) {
    out.back().says = "wait";
    out.back().code = "MaintenanceWindowClosed";
    out.back().at_ms = opening.at_ms;
  }
  FIXPOINT_TRY(touched, resources_of(recipes_.find(change.service, change.operation), mandate, change.service,
                                     change.operation, change.input));
  auto state = cap(mandate);
  if (!state) {
    out.push_back(stop("cap", state.error()));
  } else if (auto over = over_cap(*state, mandate, touched)) {
    out.push_back(stop("cap", *over));
  } else {
    out.push_back(pass("cap", std::to_string(state->touched.size()) + " of " + state->limit_words));
  }
  return out;
}

}  // namespace fixpoint::changes
