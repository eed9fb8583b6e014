#include "changes/door.h"

#include <algorithm>

#include "aws/paginate.h"
#include "base/arn.h"
#include "base/fault.h"
#include "changes/repeat.h"
#include "changes/secrets.h"
#include "changes/tables.h"

namespace fixpoint::changes {
namespace {

using json::Value;

// What a dry run notes of a call that is none of the account's; no plan holds it.
constexpr const char* not_of_account = "not needed: it is a call of fixpoint's own";

// True where nobody can say whether the call was made: the answer was lost, or the service broke under it.
// A call that was refused (a 4xx, throttling among them) had no effect.
bool outcome_is_unknown(const Error& error) {
  if (error.where == before_sending) return false;
  if (error.http_status == 0)
    return error.retryable || error.code == "ConnectionError" || error.code == "RequestTimeout";
  return error.http_status >= 500 && error.http_status != 501;
}

json::Object about(const Change& change) {
  return json::Object{{"Execution", change.execution}, {"Step", change.step},     {"Call", change.call()},
                      {"Account", change.account},     {"Region", change.region}, {"Undo", change.undo}};
}

}  // namespace

Door::Door(store::Store& store, const Clock& clock, aws::Api& account, const Recipes& recipes,
           const aws::Models* models)
    : store_(store),
      clock_(clock),
      account_(account),
      recipes_(recipes),
      models_(models),
      mandates_(store),
      guards_(store, clock, account, recipes),
      audit_(store, clock) {}

store::Schema Door::schema() {
  return {"changes", tables()};
}

Change Door::meant(const aws::CallContext& context, const std::string& step, std::string_view service,
                   std::string_view operation, const Value& input) const {
  Change change;
  change.execution = context.execution;
  change.step = step;
  change.account = context.account;
  change.region = context.region;
  change.service = service;
  change.operation = operation;
  change.input = input;
  change.at_ms = clock_.now_ms();
  return change;
}

const aws::Operation* Door::operation_of(std::string_view service, std::string_view operation) const {
  if (models_ == nullptr) return nullptr;
  const auto model = models_->get(service);  // they keep it
  return model ? (*model)->find_operation(operation) : nullptr;
}

Result<std::optional<Shortfall>> Door::shortfall(std::string_view service, std::string_view operation,
                                                 const Value& input, const Value& answer) const {
  const aws::Operation* what = operation_of(service, operation);
  // What it says is stored and shown.
  const auto open = what == nullptr ? std::optional<Value>() : without_secrets(what->output, answer);
  return shortfall_of(recipes_.find_failures(service, operation), what, input, open ? *open : answer);
}

Value Door::without_token(std::string_view service, std::string_view operation, const Value& input) const {
  return changes::without_token(operation_of(service, operation), input);
}

Change Door::hidden(Change change) const {
  const aws::Operation* operation = operation_of(change.service, change.operation);
  if (operation == nullptr) return change;
  if (auto input = without_secrets(operation->input, change.input)) change.input = std::move(*input);
  if (change.output)
    if (auto output = without_secrets(operation->output, *change.output)) change.output = std::move(output);
  return change;
}

Result<Change> Door::plan(const aws::CallContext& context, std::string_view service, std::string_view operation,
                          const Value& input) {
  return plan_on(account_, context, service, operation, input);
}

Result<Change> Door::plan_on(aws::Api& account, const aws::CallContext& context, std::string_view service,
                             std::string_view operation, const Value& input) {
  Change change = meant(context, "", service, operation, input);
  change.state = "intent";
  const Recipe* recipe = recipes_.find(service, operation);
  if (recipe == nullptr) {
    change.undo = "CANNOT BE UNDONE: no recipe says how to take back " + change.call();
    return change;
  }
  FIXPOINT_TRY(before, read_before(*recipe, context, input, account));
  change.before_read = !recipe->before.empty();
  change.before = std::move(before);
  FIXPOINT_TRY(undo, say_undo(*recipe, {context, input, change.before ? &*change.before : nullptr}));
  change.undo = std::move(undo);
  return change;
}

Result<std::vector<Change>> Door::plan_all(const aws::CallContext& context, const std::vector<Call>& calls) {
  IntendedAccount intended(account_, recipes_, {});
  std::vector<Change> out;
  for (const Call& call : calls) {
    aws::CallContext where = context;
    if (!call.region.empty()) where.region = call.region;
    if (!call.account.empty()) where.account = call.account;
    auto planned = plan_on(intended, where, call.service, call.operation, call.input);
    if (!planned) return fail(std::move(planned.error()));
    planned->step = "change-" + std::to_string(out.size());
    planned->state = "planned";
    planned->rests_on = intended.rests_on();
    intended.add(*planned);
    out.push_back(hidden(std::move(*planned)));
  }
  return out;
}

Result<Value> Door::call(const aws::CallContext& context, const std::string& step, std::string_view service,
                         std::string_view operation, const Value& input) {
  const bool reading = recipes_.reads(service, operation);
  if (reading) {
    if (context.execution.empty()) return account_.call(context, service, operation, input);
    FIXPOINT_TRY(dry, mandates_.is_dry_run(context.execution));
    if (!dry) return account_.call(context, service, operation, input);
  } else if (context.execution.empty() || step.empty()) {
    return fail(errors::validation("a change passes the door only for an execution, under the name of a step"));
  }
  FIXPOINT_TRY(mandate, mandates_.find(context.execution));
  if (!mandate)
    return fail(errors::coded(
        "NoMandate", "the execution " + context.execution + " has no mandate, so it may not change anything", 403));
  if (mandate->dry_run) return dry_call(*mandate, context, step, service, operation, input);
  return change(*mandate, context, step, service, operation, input);
}

Result<Value> Door::change(const Mandate& mandate, const aws::CallContext& context, const std::string& step,
                           std::string_view service, std::string_view operation, const Value& input) {
  struct Journal {
    std::vector<Change> made;
    std::optional<Plan> plan;
    Result<void> thawed;
  };
  FIXPOINT_TRY(journal, store_.read([&](store::Session& session) -> Result<Journal> {
    Journal out;
    FIXPOINT_TRY(made, changes_of(session, context.execution));
    out.made = std::move(made);
    out.thawed = Guards::not_frozen(session, mandate, context.account);
    if (mandate.plan.empty()) return std::move(out);
    FIXPOINT_TRY(plan, find_plan(session, mandate.plan));
    out.plan = std::move(plan);
    return std::move(out);
  }));
  const auto known =
      std::find_if(journal.made.begin(), journal.made.end(), [&](const Change& change) { return change.step == step; });
  // An intent of an earlier life keeps the state before that it saw: what is there now may be its own effect.
  if (known != journal.made.end() && known->made()) return known->output.value_or(Value(json::Object()));
  if (known != journal.made.end() && known->state == "intent") {
    if (!journal.thawed) {
      FIXPOINT_CHECK(refuse(mandate, *known, journal.thawed.error()));
      return fail(std::move(journal.thawed.error()));
    }
    return look_again(mandate, std::move(*known), context, input);
  }
  // What is wrong at once is said before the account is asked for the state.
  if (!journal.thawed) {
    FIXPOINT_CHECK(refuse(mandate, meant(context, step, service, operation, input), journal.thawed.error()));
    return fail(std::move(journal.thawed.error()));
  }
  FIXPOINT_TRY(change, plan(context, service, operation, input));
  change.step = step;
  auto passes = guards_.before_change(mandate, change);
  if (passes && journal.plan) passes = hold(*journal.plan, hidden(change), journal.made);
  if (!passes) {
    FIXPOINT_CHECK(refuse(mandate, change, passes.error()));
    return fail(std::move(passes.error()));
  }
  // What the service knows a repetition by is of the call that is made, and no part of what was planned.
  Change making = change;
  making.input = with_token(operation_of(service, operation), input, context.execution, step);
  FIXPOINT_TRY(refused, store_.write([&](store::Transaction& tx) -> Result<std::optional<Error>> {
    FIXPOINT_TRY(stops, guards_.in_transaction(tx, mandate, change));
    if (stops) {
      FIXPOINT_CHECK(refuse(tx, mandate, change, stops->error, stops->account));
      return std::optional(std::move(stops->error));
    }
    FIXPOINT_CHECK(insert(tx, hidden(making)));
    json::Object record = about(change);
    record.set("Program", mandate.program);
    if (!mandate.decided_by.empty()) record.set("DecidedBy", mandate.decided_by);
    if (!mandate.plan.empty()) record.set("Plan", mandate.plan);
    FIXPOINT_CHECK(audit_.append(tx, "change.intended", record));
    return std::optional<Error>();
  }));
  if (refused) return fail(std::move(*refused));
  fault_point("door.intent_stored");
  return make(std::move(making), context);
}

// An intent of an earlier life, or one whose answer was lost: whether it had its effect comes before making it again.
Result<Value> Door::look_again(const Mandate& mandate, Change known, const aws::CallContext& context,
                               const Value& input) {
  FIXPOINT_TRY(effect, took_effect(known));
  if (effect.value_or(false)) return effect_seen(context.execution, known.step);
  const aws::Operation* operation = operation_of(known.service, known.operation);
  if (!effect && !may_repeat(recipes_.find(known.service, known.operation), operation, known, clock_.now_ms())) {
    const Error unknown = outcome_unknown(known);
    FIXPOINT_CHECK(refuse(mandate, known, unknown));
    return fail(unknown);
  }
  // What is stored has no secrets, so the input is the new one, under the old token.
  Value again = input;
  if (const aws::Member* token = token_member(operation))
    if (const Value* old = known.input.find(token->name)) again.set(std::string(token->name), *old);
  known.input = std::move(again);
  return make(std::move(known), context, !effect);
}

Error Door::outcome_unknown(const Change& change) {
  return errors::coded("OutcomeUnknown",
                       change.call() + " may have been made at " + format_iso8601_ms(change.at_ms) +
                           ", and nobody heard the answer: no state tells whether it was, and making it again might do "
                           "it twice. It was not made again; a person looks at the account, and then starts anew",
                       409);
}

Result<void> Door::refuse(store::Transaction& tx, const Mandate& mandate, const Change& change, const Error& error,
                          const std::string& account) {
  json::Object record = about(change);
  record.set("Program", mandate.program);
  record.set("Code", error.code);
  record.set("Sentence", error.message);
  FIXPOINT_CHECK(Mandates::set_refusal(tx, mandate.execution, error, account, clock_.now_ms()));
  return audit_.append(tx, "change.refused", record);
}

Result<void> Door::refuse(const Mandate& mandate, const Change& change, const Error& error) {
  return store_.write([&](store::Transaction& tx) { return refuse(tx, mandate, change, error, change.account); });
}

Result<std::optional<CapState>> Door::refused_by_cap(const std::string& execution) {
  FIXPOINT_TRY(refusal, mandates_.refusal(execution));
  if (!refusal || refusal->code != "CapReached") return std::optional<CapState>();
  FIXPOINT_TRY(mandate, mandates_.find(execution));
  FIXPOINT_TRY(refused, mandates_.refused(execution));
  if (!mandate || refused.at_ms == 0) return std::optional<CapState>();
  const std::string& account = refused.account.empty() ? mandate->account : refused.account;
  FIXPOINT_TRY(rules, guards_.settings().find(mandate->program, account));
  return store_.read([&](store::Session& session) -> Result<std::optional<CapState>> {
    FIXPOINT_TRY(state, touched_before(session, mandate->program, account, refused.at_ms));
    if (const auto now = cap_state(session, *mandate, account, rules, refused.at_ms)) {
      state.limit = now->limit;
      state.limit_words = now->limit_words;
    }
    return std::optional(std::move(state));
  });
}

void Door::read_left(Change& change, const aws::CallContext& context) {
  const Recipe* recipe = recipes_.find(change.service, change.operation);
  if (recipe == nullptr || recipe->before.empty()) return;
  // That it cannot be read takes nothing from the change that was made; an undo then asks.
  auto left = read_before(*recipe, context, change.input, account_);
  if (!left) return;
  change.left_read = true;
  change.left = std::move(*left);
}

Result<Value> Door::make(Change change, const aws::CallContext& context, bool repeated) {
  auto answer = account_.call(context, change.service, change.operation, change.input);
  fault_point("door.call_made");
  const Recipe* recipe = recipes_.find(change.service, change.operation);
  if (answer) {
    change.state = "done";
    change.error.clear();
    change.output = *answer;
    auto short_of = shortfall(change.service, change.operation, change.input, *answer);
    // That an expression fails takes nothing from what the account did.
    if (!short_of) {
      change.error = short_of.error().code + ": " + short_of.error().message;
    } else if (*short_of && !(repeated && recipe != nullptr && (*short_of)->all_of(recipe->again.codes))) {
      const Error error = (*short_of)->error();
      change.state = (*short_of)->whole ? "failed" : "partly";
      change.error = error.code + ": " + error.message;
    }
  } else if (repeated && recipe != nullptr &&
             std::find(recipe->again.codes.begin(), recipe->again.codes.end(), answer.error().code) !=
                 recipe->again.codes.end()) {
    // The second call says that the first was made.
    change.state = "done";
    change.error.clear();
    answer = Value(json::Object());
    change.output = *answer;
  } else {
    // An intent that stays one keeps the state before that it saw first: what is there now may be its own effect. That
    // a repetition is refused says nothing of the first call.
    change.state = repeated || outcome_is_unknown(answer.error()) ? "intent" : "failed";
    change.error = answer.error().code + ": " + answer.error().message;
  }
  change.ended_ms = change.state == "intent" ? TimeMs{0} : clock_.now_ms();
  if (change.made()) read_left(change, context);
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(update_end(tx, hidden(change)));
    json::Object record = about(change);
    if (!change.error.empty()) record.set("Error", change.error);
    const std::string& state = change.state;
    return audit_.append(tx,
                         state == "done"     ? "change.made"
                         : state == "partly" ? "change.partly_made"
                         : state == "failed" ? "change.failed"
                                             : "change.unknown",
                         record);
  }));
  fault_point("door.result_stored");
  return answer;
}

Result<Value> Door::dry_answer_of(const Change& change, const aws::CallContext& context) const {
  const std::string token = dry_token(change.execution, change.step);
  const Recipe* recipe = recipes_.find(change.service, change.operation);
  if (recipe != nullptr && recipe->answer) {
    jsonata::Bindings bindings;
    bindings.borrow("input", change.input);
    if (change.before) bindings.borrow("before", *change.before);
    bindings.set("token", Value(token));
    bindings.set("account", Value(context.account));
    bindings.set("region", Value(context.region));
    bindings.set("partition", Value(partition_of_region(context.region)));
    FIXPOINT_TRY(filled, recipe->answer->fill(Value(), bindings));
    return filled ? std::move(*filled) : Value(json::Object());
  }
  if (models_ == nullptr) return Value(json::Object());
  FIXPOINT_TRY(service, models_->get(change.service));
  return dry_answer(service->find_operation(change.operation), change.input, context, token);
}

Result<Value> Door::dry_call(const Mandate& mandate, const aws::CallContext& context, const std::string& step,
                             std::string_view service, std::string_view operation, const Value& input) {
  FIXPOINT_TRY(planned, of_execution(context.execution));
  std::erase_if(planned, [](const Change& change) { return change.state != "planned"; });
  FIXPOINT_TRY(unsure, mandates_.unsure(context.execution));
  const auto known =
      std::find_if(planned.begin(), planned.end(), [&](const Change& change) { return change.step == step; });
  if (!step.empty() && known != planned.end()) return known->output.value_or(Value(json::Object()));
  IntendedAccount intended(account_, recipes_, planned);
  const auto remember = [&]() -> Result<void> {
    const std::string& rests = intended.rests_on();
    if (rests.empty() || rests == unsure) return {};
    unsure = rests;
    return mandates_.set_unsure(context.execution, rests);
  };
  if (recipes_.reads(service, operation)) {
    auto answer = intended.call(context, service, operation, input);
    FIXPOINT_CHECK(remember());
    return answer;
  }
  auto change = plan_on(intended, context, service, operation, input);
  FIXPOINT_CHECK(remember());
  if (!change) {
    // The state before of what would have been made by an earlier planned call is not there to be read.
    if (unsure.empty() && planned.empty()) return fail(std::move(change.error()));
    Change unread = meant(context, step, service, operation, input);
    unread.undo = "not known: " + change.error().message;
    if (unsure.empty()) unsure = planned.back().call() + " (" + planned.back().step + ")";
    change = std::move(unread);
  }
  change->step = step;
  change->state = "planned";
  change->rests_on = unsure;
  change->ended_ms = change->at_ms;
  FIXPOINT_TRY(answer, dry_answer_of(*change, context));
  change->output = answer;
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(insert(tx, hidden(*change)));
    json::Object record = about(*change);
    record.set("Program", mandate.program);
    return audit_.append(tx, "change.planned", record);
  }));
  return std::move(answer);
}

Result<std::optional<Value>> Door::other(const aws::CallContext& context, const std::string& step,
                                         std::string_view service, std::string_view operation, const Value& input) {
  if (context.execution.empty() || recipes_.reads(service, operation)) return std::nullopt;
  FIXPOINT_TRY(dry, mandates_.is_dry_run(context.execution));
  if (!dry) return std::nullopt;
  Change change = meant(context, step, service, operation, input);
  change.state = "planned";
  change.undo = not_of_account;
  change.ended_ms = change.at_ms;
  FIXPOINT_TRY(answer, dry_answer_of(change, context));
  change.output = answer;
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) { return insert(tx, hidden(change)); }));
  return std::optional(std::move(answer));
}

Result<Value> Door::read_all(const aws::CallContext& context, const std::string& service, const std::string& operation,
                             const Value& input) {
  const auto page = [&](const Value& one) { return call(context, "", service, operation, one); };
  if (!reads(service, operation))
    return fail(errors::validation(service + ":" + operation + " changes something, so nothing is listed with it"));
  if (models_ == nullptr) return page(input);
  FIXPOINT_TRY(model, models_->get(service));
  if (!aws::has_paginator(*model, operation)) return page(input);
  FIXPOINT_TRY(paginator, aws::Paginator::make(*model, operation));
  return paginator.collect(page, input);
}

Result<std::vector<Change>> Door::of_execution(store::Session& session, const std::string& execution) {
  return changes_of(session, execution);
}

Result<std::vector<Change>> Door::of_execution(const std::string& execution) {
  return store_.read([&](store::Session& session) { return changes_of(session, execution); });
}

Result<std::vector<Change>> Door::planned_of(const std::string& execution) {
  FIXPOINT_TRY(changes, of_execution(execution));
  std::erase_if(changes,
                [](const Change& change) { return change.state != "planned" || change.undo == not_of_account; });
  return std::move(changes);
}

Result<Plan> Door::plan_of(const std::string& execution) {
  FIXPOINT_TRY(mandate, mandates_.find(execution));
  if (!mandate) return fail(errors::resource_not_found("the execution " + execution + " has no mandate"));
  FIXPOINT_TRY(planned, planned_of(execution));
  return make_plan(*mandate, planned);
}

Result<std::vector<Value>> Door::verdicts_of(const std::string& execution) {
  FIXPOINT_TRY(mandate, mandates_.find(execution));
  if (!mandate) return fail(errors::resource_not_found("the execution " + execution + " has no mandate"));
  FIXPOINT_TRY(planned, planned_of(execution));
  std::vector<Value> out;
  for (const Change& change : planned) {
    FIXPOINT_TRY(verdicts, guards_.verdicts(*mandate, change));
    json::Array list;
    for (const Verdict& verdict : verdicts) list.push_back(to_json(verdict));
    out.emplace_back(std::move(list));
  }
  return out;
}

Result<std::optional<Value>> Door::state_now(const Change& change) {
  const Recipe* recipe = recipes_.find(change.service, change.operation);
  if (recipe == nullptr) return std::optional<Value>();
  return read_before(*recipe, {change.account, change.region, change.execution, {}}, change.input, account_);
}

Result<std::optional<bool>> Door::took_effect(const Change& change) {
  if (!change.before_read) return std::optional<bool>();
  FIXPOINT_TRY(now, state_now(change));
  return std::optional<bool>(now != change.before);
}

Result<void> Door::settle(const std::string& execution) {
  FIXPOINT_TRY(changes, of_execution(execution));
  for (Change& change : changes) {
    if (change.state != "intent") continue;
    FIXPOINT_TRY(effect, took_effect(change));
    if (!effect) continue;
    if (*effect) {
      FIXPOINT_CHECK(effect_seen(execution, change.step));
      continue;
    }
    change.state = "failed";
    change.error = "NotMade: nobody heard the answer, and the account is as it was before the call";
    change.ended_ms = clock_.now_ms();
    FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(update_end(tx, hidden(change)));
      json::Object record = about(change);
      record.set("Error", change.error);
      return audit_.append(tx, "change.failed", record);
    }));
  }
  return {};
}

Result<std::vector<Change>> Door::in_doubt(const std::string& execution) {
  FIXPOINT_TRY(changes, of_execution(execution));
  std::vector<Change> out;
  for (Change& change : changes) {
    if (change.state != "intent" || change.before_read) continue;
    if (!may_repeat(recipes_.find(change.service, change.operation), operation_of(change.service, change.operation),
                    change, clock_.now_ms()))
      out.push_back(std::move(change));
  }
  return out;
}

Result<Value> Door::effect_seen(const std::string& execution, const std::string& step) {
  FIXPOINT_TRY(change, store_.read([&](store::Session& session) { return change_of(session, execution, step); }));
  if (!change || change->state != "intent") return Value(json::Object());
  const aws::CallContext context{change->account, change->region, execution, {}};
  change->state = "done";
  change->error.clear();
  change->ended_ms = clock_.now_ms();
  read_left(*change, context);
  FIXPOINT_TRY(output, lost_answer(recipes_.find(change->service, change->operation), *change, context, account_));
  change->output = std::move(output);
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(update_end(tx, *change));
    return audit_.append(tx, "change.made", about(*change));
  }));
  return *change->output;
}

}  // namespace fixpoint::changes
