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

/// What an execution may do to the account, and on whose word. The door keeps it itself, so that it holds for calls
/// of handlers that know nothing of it: they are found by the execution that their credentials belong to.
struct Mandate {
  std::string execution;
  std::string kind;     ///< control, function, undo
  std::string program;  ///< the control's id, the function's ARN: what caps, settings and kill switches go by
  std::string rule;     ///< the ARN of the rule that started it; empty where none did
  std::string account;
  std::string region;
  json::Value findings = json::Array();  ///< the findings that it is about, whole
  std::vector<std::string> resources;    ///< their ARNs, as far as the execution is about them
  std::string mode = "ask";              ///< observe, ask, auto
  std::string decided_by;                ///< the person who chose or approved it; empty where nobody did
  bool dry_run = false;                  ///< changing calls are recorded and answered, and not made
  std::string plan;                      ///< the hash of the plan that it is held to; empty for none
  std::int64_t population = -1;          ///< how many resources there are, as a control's `list` has it; -1: unknown
};

json::Value to_json(const Mandate& mandate);

/// Thread-safe. Without a mandate an execution may not change anything.
class Mandates {
 public:
  explicit Mandates(store::Store& store) : store_(store) {}

  /// Written when a program begins, and again where what it may do has changed (it was approved). What was planned,
  /// refused or unsure under an earlier mandate of the execution is forgotten.
  static Result<void> put(store::Transaction& tx, const Mandate& mandate);
  Result<void> put(const Mandate& mandate);
  Result<std::optional<Mandate>> find(const std::string& execution);
  static Result<std::optional<Mandate>> find(store::Session& session, const std::string& execution);
  Result<bool> is_dry_run(const std::string& execution);

  /// The changes not made that a read of this dry run may have rested on; empty for none.
  Result<std::string> unsure(const std::string& execution);
  Result<void> set_unsure(const std::string& execution, const std::string& rests_on);

  /// The last refusal of the door under this mandate; nothing where there was none.
  Result<std::optional<Error>> refusal(const std::string& execution);
  /// `account` is the one whose rules refused it.
  static Result<void> set_refusal(store::Transaction& tx, const std::string& execution, const Error& error,
                                  const std::string& account, TimeMs at_ms);
  struct Refused {
    TimeMs at_ms = 0;
    std::string account;  ///< empty where that was not noted
  };
  /// When and where that was; at 0 where there was none.
  Result<Refused> refused(const std::string& execution);

 private:
  store::Store& store_;
};

}  // namespace fixpoint::changes
