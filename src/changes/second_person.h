#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::changes {

/// Something that one person asked for, and that is done once another asks for the same: where four eyes are required,
/// nobody loosens alone what holds changes back. It is in the store.
struct Asked {
  std::string what;  ///< "mode auto for all"
  std::string by;    ///< who asked (`base/person.h`)
  TimeMs at_ms = 0;
  TimeMs until_ms = 0;

  std::string sentence() const;
};

json::Value to_json(const Asked& asked);

constexpr TimeMs asked_for_ms = TimeMs{24} * 3'600'000;

/// Whether the setting `four_eyes` holds anywhere where the scope does ("all" and an account share what is in the
/// account; a control and an account the control's work there; a rule may be about anything).
Result<bool> four_eyes_in(store::Session& session, const std::string& scope);

/// Whether it holds now for what an execution means to make under a plan, in whichever accounts that is; true where it
/// is not known what it means.
Result<bool> four_eyes_for(store::Session& session, const std::string& execution, const std::string& plan_hash);

struct SecondPerson {
  bool may = false;  ///< now: four eyes are not required, or another person asked for the same
  Asked asked;       ///< what was asked for: by the first person where it may be done, else by this one
};

/// Asks for it in somebody's name. Where it may be done now, what was asked for is taken off. `before` tells what would
/// be loosened, as it is now: what was asked for about something else, such as the freeze before this one, was not
/// asked for about this. Error: AccessDeniedException where four eyes are required and nobody knows who asks.
Result<SecondPerson> second_person(store::Transaction& tx, const std::string& scope, const std::string& what,
                                   const std::string& before, const std::string& by, TimeMs now_ms);

/// What waits for a second person, the oldest first: nothing where four eyes are required nowhere, since whoever asks
/// next does it.
Result<std::vector<Asked>> asked(store::Session& session, TimeMs now_ms);

}  // namespace fixpoint::changes
