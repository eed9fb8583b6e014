#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/api.h"
#include "base/clock.h"
#include "base/error.h"
#include "changes/recipes.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// One changing call that an execution meant to make, as the journal has it.
struct Change {
  std::int64_t number = 0;  ///< rises with time over all executions
  std::string execution;
  std::string step;  ///< names the call within its execution; the same step is never made twice
  std::string account;
  std::string region;
  std::string service;
  std::string operation;
  json::Value input;
  std::optional<json::Value>
      before;                ///< the state that the call overwrote; nothing where it was absent or no recipe reads it
  bool before_read = false;  ///< true where a recipe read it, so that a missing `before` means absent
  std::optional<json::Value> output;
  std::string state;  ///< intent, done, failed
  std::string error;  ///< "Code: message" of a failed call, and of an intent whose answer was lost
  TimeMs at_ms = 0;
  TimeMs ended_ms = 0;
  std::string undo;  ///< "possible", or why not
};

json::Value to_json(const Change& change);

/// The one door for changes: every AWS call of every execution passes it. Thread-safe; a call blocks until it is
/// answered.
///
/// A call that reads goes straight to the account. For a call that changes something the state before is read and
/// stored with the intent, committed, before the call is made; then its result is stored. So an intent without a result
/// says that the call may have been made: the process ended, or the account's answer was lost.
class Door {
 public:
  Door(store::Store& store, const Clock& clock, aws::Api& account, const Recipes& recipes)
      : store_(store), clock_(clock), account_(account), recipes_(recipes) {}
  static store::Schema schema();

  /// `step` names a changing call within its execution; a step that was done answers with its stored result and calls
  /// nothing. Errors: those of the account; ValidationException for a change without an execution or step.
  Result<json::Value> call(const aws::CallContext& context, const std::string& step, std::string_view service,
                           std::string_view operation, const json::Value& input);

  /// What `call` would do first: the state before and whether it could be undone. Makes no changing call.
  Result<Change> plan(const aws::CallContext& context, std::string_view service, std::string_view operation,
                      const json::Value& input);

  bool reads(std::string_view service, std::string_view operation) const { return recipes_.reads(service, operation); }

  /// The changes of an execution in the order in which they were meant.
  Result<std::vector<Change>> of_execution(const std::string& execution);
  Result<std::vector<Change>> of_execution(store::Session& session, const std::string& execution);

  /// Says of an intent without a result that its effect was seen on the account (after a crash).
  Result<void> effect_seen(const std::string& execution, const std::string& step);

 private:
  Result<json::Value> make(Change change, const aws::CallContext& context);
  store::Store& store_;
  const Clock& clock_;
  aws::Api& account_;
  const Recipes& recipes_;
};

}  // namespace fixpoint::changes
