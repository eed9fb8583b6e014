#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/api.h"
#include "base/clock.h"
#include "base/error.h"
#include "changes/caps.h"
#include "changes/change.h"
#include "changes/exceptions.h"
#include "changes/kill_switch.h"
#include "changes/mandate.h"
#include "changes/recipes.h"
#include "changes/settings.h"
#include "changes/tag_rules.h"
#include "store/kept.h"
#include "store/store.h"

namespace fixpoint::changes {

/// What one guard says of a call that is planned.
struct Verdict {
  std::string guard;     ///< kill switch, sample, mode, exception, cap, window, ownership, undo
  std::string says;      ///< pass, ask (a person decides), wait (until `at_ms`), stop
  std::string code;      ///< of the error that the call would be refused with; empty where it passes
  std::string sentence;  ///< why; empty where there is nothing to say
  TimeMs at_ms = 0;
};

json::Value to_json(const Verdict& verdict);

/// All that is asked before a changing call. Thread-safe. A call in another account than its mandate's is held to what
/// is set for either: what one of the two forbids is forbidden, and both count it. Each guard refuses with its own
/// code, status 403, and its own sentence:
/// - `ChangesFrozen`: the kill switch is thrown (who, when, why);
/// - `SampleFinding`: a finding that it is about is a sample, which nobody's word makes real;
/// - `ModeForbidsChange`: mode observe, or mode ask and nobody approved;
/// - `ResourceExcepted`: an exception holds (owner, reason, expiry);
/// - `MaintenanceWindowClosed`: with the time when one opens;
/// - `IrreversibleChange`: it CANNOT BE UNDONE, mode is auto, and no setting allows the operation by name;
/// - `OwnedElsewhere`: the tags say that another tool owns the resource, and a person is to be asked;
/// - `CapReached`: with what was touched and what would have been (caps.h).
class Guards {
 public:
  Guards(store::Store& store, const Clock& clock, aws::Api& account, const Recipes& recipes)
      : store_(store),
        clock_(clock),
        account_(account),
        recipes_(recipes),
        settings_(store),
        exceptions_(store, [](store::Session& session) { return exceptions(session); }) {}

  /// The exception that holds for what the mandate is about, asked before planning. Errors: where tags cannot be told.
  Result<std::optional<Exception>> excepted(const Mandate& mandate);
  /// When the next window opens for changes in that account; 0 where one is open.
  Result<TimeMs> opens_at(const Mandate& mandate, const std::string& account);
  Result<TimeMs> opens_at(const Mandate& mandate) { return opens_at(mandate, mandate.account); }
  /// True where a second person has to approve changes in one of the accounts, or in the mandate's.
  Result<bool> four_eyes(const Mandate& mandate, std::vector<std::string> accounts);

  /// All guards but those of in_transaction(): the first that refuses.
  Result<void> before_change(const Mandate& mandate, const Change& change);
  /// The kill switch and the cap, in the transaction that commits the intent. The error is a value, so that what was
  /// refused is committed too.
  Result<std::optional<Stop>> in_transaction(store::Transaction& tx, const Mandate& mandate, const Change& change);
  /// Why a person has to decide on a planned call that nobody has decided on (IrreversibleChange, OwnedElsewhere);
  /// nothing where none has to. Errors: where tags cannot be told.
  Result<std::optional<Error>> wants_person(const Mandate& mandate, const Change& change);
  /// The kill switch alone, for a call in that account that was counted before.
  Result<void> not_frozen(const Mandate& mandate, const std::string& account);
  static Result<void> not_frozen(store::Session& session, const Mandate& mandate, const std::string& account);

  /// What each guard says of a planned call.
  Result<std::vector<Verdict>> verdicts(const Mandate& mandate, const Change& change);
  /// How many resources the mandate's program may touch and has touched.
  Result<CapState> cap(const Mandate& mandate);

  Settings& settings() { return settings_; }

 private:
  /// A resource, and where what is done about it is done.
  struct Touched {
    std::string arn;
    aws::CallContext where;
  };
  Result<std::vector<Touched>> touched(const Mandate& mandate, const Change& change);
  Result<std::vector<Rules>> rules_for(const Mandate& mandate, const std::string& account);
  Result<std::optional<Exception>> excepted(const Mandate& mandate, std::vector<std::string> accounts,
                                            const std::vector<Touched>& resources);
  Result<void> check_exceptions(const Mandate& mandate, const Change& change, const std::vector<Touched>& resources);
  Result<Verdict> cap_verdict(const Mandate& mandate, const Change& change, const std::vector<Rules>& rules);
  Result<void> check_owner(const Mandate& mandate, const std::vector<Rules>& rules,
                           const std::vector<Touched>& resources);

  store::Store& store_;
  const Clock& clock_;
  aws::Api& account_;
  const Recipes& recipes_;
  Settings settings_;
  store::Kept<std::vector<Exception>> exceptions_;
};

}  // namespace fixpoint::changes
