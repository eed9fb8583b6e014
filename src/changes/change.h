#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
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
  std::optional<json::Value> output;  ///< of a planned one: what the dry run answered
  std::string state;                  ///< intent, done, partly (a part of it was not done), failed, planned
  std::string error;                  ///< "Code: message" of what failed, and of an intent whose answer was lost
  TimeMs at_ms = 0;
  TimeMs ended_ms = 0;
  std::string undo;                 ///< "possible", or why not
  std::optional<json::Value> left;  ///< the same state read again after the call
  bool left_read = false;           ///< true where it could be read
  std::string rests_on;             ///< of a planned one: the changes not made that what it saw may rest on; else empty

  std::string call() const { return service + ":" + operation; }
  /// True where the account was changed, wholly or partly.
  bool made() const { return state == "done" || state == "partly"; }
  bool irreversible() const { return undo.starts_with("CANNOT BE UNDONE"); }
};

json::Value to_json(const Change& change);

/// The changes of an execution in the order in which they were meant.
Result<std::vector<Change>> changes_of(store::Session& session, const std::string& execution);
/// The change of that step, where there is one.
Result<std::optional<Change>> change_of(store::Session& session, const std::string& execution, const std::string& step);
/// Writes a change anew; one of the same step that was not made gives way.
Result<void> insert(store::Transaction& tx, const Change& change);
/// Writes how it ended: state, output, error, end, and the state that it left.
Result<void> update_end(store::Transaction& tx, const Change& change);

}  // namespace fixpoint::changes
