#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "bus/rule.h"

namespace fixpoint::bus {

/// Deliveries that have to be tried again, and those that were given up. Thread-safe.
///
/// The first try is made in the transaction that published the event. What fails waits in the store, and is tried
/// again with back-off and jitter until the target's RetryPolicy (185 times, 24 hours where it says nothing) is used
/// up; then it lies in the target's dead-letter queue with the reason, or, where there is none or it cannot be reached,
/// here for 14 days.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and eb-rule-dlq.html
class Deliveries {
 public:
  Deliveries(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// `kind` is the service of a target's ARN ("lambda"), or service and resource type ("events:api-destination"), which
  /// goes before. Before anything is delivered.
  void add_kind(std::string kind, TargetKind how) { kinds_[std::move(kind)] = std::move(how); }
  /// Null where no kind takes it.
  const TargetKind* kind_of(const std::string& arn) const;
  /// The kinds that there are, for a message.
  std::string kinds() const;

  /// The first try. Errors: of the store alone; a target that cannot be begun does not stop the event.
  Result<void> begin(store::Transaction& tx, const Delivery& delivery);
  /// A delivery that cannot even be tried, `error` says why.
  Result<void> refuse(store::Transaction& tx, const Delivery& delivery, const Error& error);

  /// Makes the tries that are due, at most so many that others have their turn; when the next is due (0: none waits).
  Result<TimeMs> run_due();
  /// Ends what is under way, and waits for it: what was not taken by then is sent again after the next start.
  /// Again: does nothing.
  void stop();
  /// Called after a commit that left something due at once.
  void on_due(std::function<void()> wake) { wake_ = std::move(wake); }

  struct Left {
    std::string id, rule_arn, target_arn, event_id, state;  ///< state: waiting, dropped
    int attempts;
    TimeMs first_ms, next_ms;
    std::string error;
  };
  /// What waits or was given up, the oldest first.
  Result<std::vector<Left>> left(std::size_t limit);

 private:
  struct Tries {
    int attempts = 0;
    TimeMs first_ms = 0;
  };
  struct Stored {
    std::string id;
    Delivery delivery;
    Tries tries;
    std::optional<Error> unreadable;  // then there is no more than the id
  };
  Result<void> attempt(store::Transaction& tx, const Delivery& delivery, Tries tries, bool in_store);
  Result<void> failed(store::Transaction& tx, const Delivery& delivery, Tries tries, const Error& error);
  Result<void> bury(store::Transaction& tx, const Delivery& delivery, Tries tries, const Error& error,
                    const std::string& exhausted);
  Result<void> keep(store::Transaction& tx, const Delivery& delivery, Tries tries, const char* state, TimeMs next_ms,
                    const std::string& code, const std::string& message);
  Result<void> remove(store::Transaction& tx, const std::string& id);
  Result<void> give_up(const std::string& id, const Error& error);
  Result<std::vector<Stored>> due(TimeMs now);
  Result<void> send_all(const std::vector<const Stored*>& list);
  void send(const Stored& stored, const TargetKind& kind);
  static TimeMs ends_ms(const Delivery& delivery, Tries tries);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, TargetKind, std::less<>> kinds_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::set<std::string> under_way_;  // being sent by this process
  bool stopping_ = false;
};

}  // namespace fixpoint::bus
