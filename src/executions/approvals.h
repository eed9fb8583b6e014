#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "executions/executor.h"
#include "executions/notice.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::executions {

/// What an execution asked a person, and what became of it.
struct Approval {
  std::int64_t number = 0;  ///< rises with time over all executions
  std::string execution;
  std::string account;
  std::string region;
  std::string plan_hash;
  json::Value plan;
  std::string words;         ///< a line that says what is planned
  std::string requested_by;  ///< who or what rule started the execution (`base/person.h`); empty where nobody knows
  TimeMs asked_ms = 0;
  TimeMs warn_ms = 0;  ///< when the warning is due; 0 for none
  TimeMs expires_ms = 0;
  bool four_eyes = false;
  bool warned = false;
  std::string state;  ///< OPEN, APPROVED, REJECTED, EXPIRED
  std::string answered_by;
  std::string because;
  TimeMs answered_ms = 0;  ///< of an expired one: when it was closed
};

json::Value to_json(const Approval& approval);

struct Ask {
  std::string plan_hash;
  json::Value plan;
  std::string words;
  std::string requested_by;
  TimeMs wait_ms = 0;         ///< from now to the expiry
  TimeMs warn_before_ms = 0;  ///< before the expiry; 0 for no warning
  bool four_eyes = false;     ///< who asked may not approve, nor in the session of a role; as when it is asked
};

struct Answer {
  std::string execution;
  std::string plan_hash;  ///< whole, or its beginning of at least eight digits; empty: whatever plan waits
  bool approved = false;
  std::string by;            ///< who answers (`base/person.h`)
  std::string by_execution;  ///< the execution that the principal's credentials were issued for; empty for a person
  std::string because;
};

/// Executions that ask a person before they go on. Thread-safe; a waiting execution holds no thread and no memory.
///
/// A program asks by `wait` and is woken in three ways: by the answer (the cursor's member `answer`: {"Approved", "By",
/// "Reason"}), when the warning is due, and when the time is over. It hands the last two to `wait_on`. Each question,
/// answer, warning and expiry is a row and a notice, written in the transaction of the step that makes it true.
class Approvals {
 public:
  /// Whether four eyes are required now for what an approval is about: they may not have been when it was asked for.
  using FourEyes = std::function<Result<bool>(store::Transaction&, const Approval&)>;
  Approvals(store::Store& store, Executor& executor, const Clock& clock, Tell tell, FourEyes four_eyes)
      : store_(store), executor_(executor), clock_(clock), tell_(std::move(tell)), four_eyes_(std::move(four_eyes)) {}

  /// Makes `step` one that waits: its cursor gets `awaits`, `until`, `warn` and `plan_hash`; its commit writes the
  /// question and publishes the prompt, after what it wrote already. The cursor has to be an object.
  void wait(Step& step, const Execution& execution, Ask ask);

  /// For an execution that was woken without an answer: the step that goes on waiting (and warns where that is due).
  /// Nothing where the time is over: the program ends, and its last commit calls `expire`.
  std::optional<Step> wait_on(const Execution& execution);

  /// Makes `step` one that waits for its maintenance window: its cursor gets `awaits`, and it goes on by itself at
  /// `opens_ms`. Until then a person may still reject what it would change, whether or not it was approved.
  static void wait_for_window(Step& step, TimeMs opens_ms);
  /// Of an execution that was woken from that wait: the answer that rejects it; null where the window has opened.
  static json::Value called_off(const Execution& execution);
  /// Of an execution that was woken because its window has opened: the step that says so, and from which on a rejection
  /// is refused. What it waited for begins with the step after it; nothing where it does not wait for a window.
  static std::optional<Step> opened(const Execution& execution);

  /// Closes the question that nobody answered in time.
  Result<void> expire(store::Transaction& tx, const std::string& execution);

  /// Takes one answer and lets the execution go on. Where that waits for its window, a rejection is taken though there
  /// was an answer before, or no question, and is a record of its own (`state` REJECTED). Errors:
  /// ResourceNotFoundException; ResourceConflictException for another plan's hash (with both), a second answer (who
  /// answered what, and when), and one after the expiry; AccessDeniedException where four eyes are required and the
  /// answer comes from who asked, in whatever session, or nobody knows who asked or who answers, and for every answer
  /// of an execution's own credentials.
  Result<Approval> answer(const Answer& answer);
  Result<Approval> answer(store::Transaction& tx, const Answer& answer);

  /// The newest first.
  Result<std::vector<Approval>> of(const std::string& execution);

 private:
  Result<void> tell(store::Transaction& tx, const std::string& kind, const Approval& approval);
  Result<std::optional<Approval>> call_off(store::Transaction& tx, const Answer& answer,
                                           const std::vector<Approval>& asked);

  store::Store& store_;
  Executor& executor_;
  const Clock& clock_;
  Tell tell_;
  FourEyes four_eyes_;
};

}  // namespace fixpoint::executions
