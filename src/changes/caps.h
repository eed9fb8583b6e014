#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "changes/change.h"
#include "changes/mandate.h"
#include "changes/recipes.h"
#include "changes/settings.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// How many resources a program may touch in an account within the last hour, and which it has touched.
struct CapState {
  std::int64_t limit = 0;
  std::string limit_words;           ///< where the number comes from
  std::vector<std::string> touched;  ///< within the hour, each once
  std::vector<std::string> refused;  ///< within the hour: asked for, and not touched
};

json::Value to_json(const CapState& state);

/// What a call touches, where it is made: as the recipe says; else what the mandate of a control or an undo is about;
/// else what the input names (members called ...Id, ...Name, ...Arn and the like, and lists of them), with the service
/// in front. Never empty: of a call that names nothing it is the call itself.
Result<std::vector<std::string>> resources_of(const Recipe* recipe, const Mandate& mandate, const Change& change);

/// Of the mandate's program in that account; how many resources there are the mandate knows of its own account alone.
/// Error: `CapReached` where a percentage is set of a number that nobody knows; it says what to set.
Result<CapState> cap_state(store::Session& session, const Mandate& mandate, const std::string& account,
                           const Rules& rules, TimeMs now_ms);

/// What a program touched in an account in the hour before `at_ms`, and what it was refused; kept for thirty days.
Result<CapState> touched_before(store::Session& session, const std::string& program, const std::string& account,
                                TimeMs at_ms);

/// The error `CapReached` where the call would touch more than the cap allows; nothing where it fits. It names what was
/// touched in that hour and what was refused, of each at most twenty-five, and counts the rest: the whole lists are in
/// the store once (touched_before), for an import that refuses thousands would write them out with each refusal.
std::optional<Error> over_cap(const CapState& state, const std::string& program, const std::string& account,
                              const std::vector<std::string>& resources);

/// What a call touches, as one account counts it.
struct Counting {
  std::string account;
  Rules rules;
  std::vector<std::string> resources;
};
/// Why a call is refused, and the account whose rules refuse it.
struct Stop {
  Error error;
  std::string account;
};

/// Counts the resources in each of the accounts within the transaction that commits the intent, so that executions
/// beside each other cannot overshoot; where they do not fit into one of them, they are noted there as refused, counted
/// nowhere, and the error is returned as a value, so that the note is committed.
Result<std::optional<Stop>> count(store::Transaction& tx, const Mandate& mandate, const std::vector<Counting>& accounts,
                                  TimeMs now_ms);

}  // namespace fixpoint::changes
