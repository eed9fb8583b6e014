#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/log.h"
#include "aws/api.h"
#include "aws/models.h"
#include "base/clock.h"
#include "base/error.h"
#include "changes/change.h"
#include "changes/dry_run.h"
#include "changes/guards.h"
#include "changes/inverse.h"
#include "changes/mandate.h"
#include "changes/plan.h"
#include "changes/recipes.h"
#include "changes/shortfall.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// The one door for changes: every AWS call of every execution passes it. Thread-safe; a call blocks until it is
/// answered.
///
/// A call that reads goes straight to the account. A call that changes something needs the mandate of its execution,
/// and passes the guards (guards.h); where the mandate holds the execution to a plan, the call has to be in it and find
/// the state that the plan saw. Its state before is read and stored with the intent, committed, before the call is
/// made; then its result and the state that it left are stored. So an intent without a result says that the call may
/// have been made: the process ended, or the account's answer was lost. Before it is made again it is looked at: where
/// the state that it overwrites has moved, it had its effect and is not made; where no state tells, it is made again
/// only if that does no more than making it once (repeat.h), and else refused: a person looks.
///
/// What an answer of success says was not done (shortfall.h) makes the change one that was done partly, or failed; the
/// caller has the answer as the account gave it.
///
/// What is stored, planned and shown of a call has no secrets in it (secrets.h): a step that is answered from the store
/// after a crash is answered without them.
///
/// In a dry run (Mandate::dry_run) a changing call is stored as planned, answered in the model's shape, and not made;
/// reads are answered as if it had been, as far as the recipes say (dry_run.h).
class Door {
 public:
  /// `models` shape the answers of a dry run; without them it answers what a recipe says, else nothing.
  Door(store::Store& store, const Clock& clock, aws::Api& account, const Recipes& recipes,
       const aws::Models* models = nullptr);
  static store::Schema schema();

  /// `step` names a changing call within its execution; a step that was done answers with its stored result and calls
  /// nothing. Errors: those of the account, the guards (guards.h) and the plan (plan.h); `NoMandate` for a change of an
  /// execution that has none; `OutcomeUnknown`, status 409, where nobody can tell whether the step was made already and
  /// making it again might do it twice; ValidationException for a change without an execution or step.
  Result<json::Value> call(const aws::CallContext& context, const std::string& step, std::string_view service,
                           std::string_view operation, const json::Value& input);

  /// What an answer of `call` says was not done; nothing where all was. Errors: those of a recipe's expressions.
  Result<std::optional<Shortfall>> shortfall(std::string_view service, std::string_view operation,
                                             const json::Value& input, const json::Value& answer) const;

  /// The input of a call without its idempotency token: what tells a call from its repetition is no part of its name.
  json::Value without_token(std::string_view service, std::string_view operation, const json::Value& input) const;

  /// What `call` would do first: the state before and whether it could be undone. Makes no changing call.
  Result<Change> plan(const aws::CallContext& context, std::string_view service, std::string_view operation,
                      const json::Value& input);
  /// The same of several calls one after the other, each seeing the intended effects of those before it; they are
  /// named `change-0`, `change-1`, ... Stores nothing.
  Result<std::vector<Change>> plan_all(const aws::CallContext& context, const std::vector<Call>& calls);

  /// A call of a service that is not of the account (fixpoint's own): in a dry run it is stored as planned and
  /// answered, and the result is what it was answered; else nothing, and the caller makes it.
  Result<std::optional<json::Value>> other(const aws::CallContext& context, const std::string& step,
                                           std::string_view service, std::string_view operation,
                                           const json::Value& input);

  /// All pages of a read as one answer, as far as the model says how its pages are turned. Errors: those of the
  /// account; a page that fails is never a short list.
  Result<json::Value> read_all(const aws::CallContext& context, const std::string& service,
                               const std::string& operation, const json::Value& input);

  bool reads(std::string_view service, std::string_view operation) const { return recipes_.reads(service, operation); }
  const Recipes& recipes() const { return recipes_; }
  Mandates& mandates() { return mandates_; }
  Guards& guards() { return guards_; }
  audit::Log& audit() { return audit_; }
  store::Store& store() { return store_; }
  const Clock& clock() const { return clock_; }

  /// The changes of an execution in the order in which they were meant, planned ones among them.
  Result<std::vector<Change>> of_execution(store::Session& session, const std::string& execution);
  Result<std::vector<Change>> of_execution(const std::string& execution);
  /// The plan that a dry run has come to: what it recorded, but for calls that are not of the account.
  Result<Plan> plan_of(const std::string& execution);
  /// What the guards say of each line of that plan, were it made now: an array a line (Verdict).
  Result<std::vector<json::Value>> verdicts_of(const std::string& execution);
  /// Reads the state that the change of a recipe overwrote, as it is now. Errors: as of read_before().
  Result<std::optional<json::Value>> state_now(const Change& change);

  /// Whether a change that is an intent without a result (a crash, a lost answer) has had its effect: true where the
  /// state that its recipe reads is no longer the state before, false where it is, nothing where no recipe reads it.
  /// Errors: as of read_before().
  Result<std::optional<bool>> took_effect(const Change& change);
  /// Asks that of every intent of an execution, and says what became of it: done, or failed as `NotMade`. What cannot
  /// be told stays an intent.
  Result<void> settle(const std::string& execution);

  /// What had been touched and refused when the cap refused the execution, whole; nothing where it did not. Of its
  /// limit it has what is set now.
  Result<std::optional<CapState>> refused_by_cap(const std::string& execution);

  /// The intents of an execution of which nobody can tell whether they were made, and which may not be made again.
  Result<std::vector<Change>> in_doubt(const std::string& execution);
  /// The error `OutcomeUnknown` of such a change.
  static Error outcome_unknown(const Change& change);

  /// Says of an intent without a result that its effect was seen on the account (after a crash), and gives what is
  /// known of its answer: as the recipe has it (`lost`), else an empty object.
  Result<json::Value> effect_seen(const std::string& execution, const std::string& step);

 private:
  Result<json::Value> change(const Mandate& mandate, const aws::CallContext& context, const std::string& step,
                             std::string_view service, std::string_view operation, const json::Value& input);
  Result<json::Value> dry_call(const Mandate& mandate, const aws::CallContext& context, const std::string& step,
                               std::string_view service, std::string_view operation, const json::Value& input);
  Result<std::vector<Change>> planned_of(const std::string& execution);
  Result<json::Value> look_again(const Mandate& mandate, Change known, const aws::CallContext& context,
                                 const json::Value& input);
  /// `repeated`: nobody knows whether it was made before.
  Result<json::Value> make(Change change, const aws::CallContext& context, bool repeated = false);
  const aws::Operation* operation_of(std::string_view service, std::string_view operation) const;
  Change meant(const aws::CallContext& context, const std::string& step, std::string_view service,
               std::string_view operation, const json::Value& input) const;
  Change hidden(Change change) const;
  Result<Change> plan_on(aws::Api& account, const aws::CallContext& context, std::string_view service,
                         std::string_view operation, const json::Value& input);
  Result<json::Value> dry_answer_of(const Change& change, const aws::CallContext& context) const;
  void read_left(Change& change, const aws::CallContext& context);
  Result<void> refuse(store::Transaction& tx, const Mandate& mandate, const Change& change, const Error& error,
                      const std::string& account);
  Result<void> refuse(const Mandate& mandate, const Change& change, const Error& error);

  store::Store& store_;
  const Clock& clock_;
  aws::Api& account_;
  const Recipes& recipes_;
  const aws::Models* models_;
  Mandates mandates_;
  Guards guards_;
  audit::Log audit_;
};

}  // namespace fixpoint::changes
