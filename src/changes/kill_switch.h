#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// A kill switch that was thrown: no change is made where it holds, until it is taken back. It is in the store, so it
/// outlives the process.
struct Freeze {
  std::string scope;
  std::string by;
  std::string because;
  TimeMs at_ms = 0;

  std::string sentence() const;
};

json::Value to_json(const Freeze& freeze);

/// Throws the switch; one that is thrown already stays as it is. Errors: ValidationException for a scope that is none,
/// or without a reason.
Result<void> freeze(store::Transaction& tx, const Freeze& freeze);
/// Takes it back. Errors: ValidationException; ResourceNotFoundException where it was not thrown.
Result<void> unfreeze(store::Transaction& tx, const std::string& scope);
/// The switches that are thrown, the oldest first.
Result<std::vector<Freeze>> freezes(store::Session& session);
/// The one that holds for the program in the account.
Result<std::optional<Freeze>> frozen(store::Session& session, const std::string& program, const std::string& account);

}  // namespace fixpoint::changes
