#pragma once

#include <cstdint>
#include <functional>
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

/// One piece of work, as findings name it; see findings/fingerprint.h.
struct Work {
  std::string fingerprint;  ///< empty: unlike any other work
  std::string control, account, region, resource;
};

/// A finding that a piece of work is for.
struct Item {
  std::string product_arn;
  std::string id;
  std::string digest;  ///< of what it says
  bool operator==(const Item&) const = default;
};

/// What came of an event that wanted work.
struct Begun {
  enum class How {
    Started,   ///< a new execution
    Attached,  ///< an execution of the same work is under way, and updates this finding as well when it ends
    Undoing,   ///< an undo of the work is under way: what was asked for is kept, and looked at again when that ends
    Known,     ///< the last execution of the work has dealt with this already; nothing is new
  };
  How how = How::Started;
  std::string execution;
  std::string outcome;  ///< of Known: what it was
};

/// A pair of control and resource that something else keeps turning back.
struct Flapping {
  Work work;
  TimeMs since_ms = 0;
  std::int64_t reverts = 0;  ///< in the window before `since_ms`
  std::string execution;     ///< that found the last of them
};

json::Value to_json(const Flapping& flapping);

/// What was asked for while an undo of its work was under way.
struct Kept {
  Work work;
  Item item;
  Start start;
};

/// Pieces of work: that each is done once however many findings and events ask for it, and that none is done over and
/// over against somebody who turns it back. Thread-safe.
class Works {
 public:
  struct Options {
    std::int64_t reverts = 3;  ///< in `window_ms`: then the pair is moved to `ask`
    TimeMs window_ms = 24L * 3'600'000;
  };
  /// Before the executor's start(): it watches executions end.
  Works(store::Store& store, Executor& executor, const Clock& clock, Tell tell, Options options);

  /// Starts an execution for the work, or attaches the finding to the one that is under way, or neither, within the
  /// transaction of the event that asks. `again` is asked where the last execution ended with that outcome and result
  /// and left the finding as it was, and the finding says what it said then: true begins anew all the same. Error:
  /// ValidationException, where the item's ARN and id together have more than 2560 bytes.
  using Again = std::function<Result<bool>(const std::string& outcome, const json::Value& result)>;
  Result<Begun> begin(store::Transaction& tx, const Work& work, const Item& item, Start start, const Again& again);

  /// Asks again for what was kept, in the transaction that ends the undo: by begin(), with the work as the undo left
  /// it; nothing where it is wanted no more. What persons decided (the member `Decided` of the input) comes first, in
  /// the order in which they did, then one request for each finding; so it is begun as if it had been asked for now,
  /// and what a person took back begins by a person's word alone. Before the executor's start(); what nobody resumes is
  /// begun as it was asked for.
  using Resume = std::function<Result<std::optional<Begun>>(store::Transaction&, const Kept&)>;
  void resume_by(Resume resume) { resume_ = std::move(resume); }

  /// What came of what was kept for a finding, once the undo has ended.
  struct Resumed {
    std::string product_arn;
    std::string id;
    std::string execution;  ///< that does it
  };
  Result<std::vector<Resumed>> resumed(const std::string& undo);

  /// Starts the undo of an execution that has ended, within the transaction of who asks for it. Error:
  /// ResourceConflictException where an execution of the same work, or another undo of the same execution, has not
  /// ended; it names that one and says what to do.
  Result<Started> undo(store::Transaction& tx, Start start);

  /// What an undo is about in the end: what was done first, behind so many undos of undos. An execution that is no undo
  /// is about itself.
  struct Origin {
    std::string execution;
    std::int64_t undos = 0;
    /// Of an odd number what was done first is taken back, of an even one it is there again.
    bool taken_back() const { return undos % 2 == 1; }
  };
  static Result<Origin> origin(store::Session& session, std::string execution);

  /// A finding of the work says that the check passes: what is found failing from now on is news.
  Result<void> passed(store::Transaction& tx, const std::string& fingerprint);

  /// The findings attached to an execution beside the one that it was started for.
  static Result<std::vector<Item>> attached(store::Session& session, const std::string& execution);
  Result<std::vector<Item>> attached(const std::string& execution);

  /// What an execution finds that reads a resource which fails the check.
  struct Reading {
    bool reverted = false;     ///< the fix that was verified last did not last
    std::int64_t reverts = 0;  ///< in the window, this one included
    bool asks = false;         ///< the pair is in `ask`, or is moved there by this
    std::string fixed;         ///< the execution whose fix was turned back
  };
  Result<Reading> failing(const Execution& execution);
  /// Writes it down in the transaction of the step that read it; the third revert raises the alert.
  Result<void> record(store::Transaction& tx, const Execution& execution, const Reading& reading);

  /// The pairs in `ask` because of it.
  Result<std::vector<Flapping>> flapping();
  /// Lets a pair go back to its mode and forgets its reverts. Error: ResourceNotFoundException.
  Result<void> reset(store::Transaction& tx, const std::string& control, const std::string& resource,
                     const std::string& by);
  /// Since when the pair asks; nothing where it does not.
  static Result<std::optional<TimeMs>> asks_since(store::Session& session, const std::string& control,
                                                  const std::string& resource);

 private:
  Result<void> watch(store::Transaction& tx, const Execution& execution);
  Result<void> undo_ended(store::Transaction& tx, const Execution& undo);
  Result<void> keep(store::Transaction& tx, const std::string& undo, const Item& item, const Start& start);
  Result<void> resume(store::Transaction& tx, const Execution& undo);
  store::Store& store_;
  Executor& executor_;
  const Clock& clock_;
  Tell tell_;
  Options options_;
  Resume resume_;
};

}  // namespace fixpoint::executions
