#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/rule.h"

namespace fixpoint::bus {

/// Events of a bus that are kept, to be replayed.
struct Archive {
  BusName bus;
  std::string name;
  std::string description;
  std::string pattern;              ///< JSON text; empty for every event
  std::int64_t retention_days = 0;  ///< 0: for ever
  TimeMs made_ms = 0;
  std::int64_t events = 0, bytes = 0;

  std::string arn() const;  ///< arn:PARTITION:events:REGION:ACCOUNT:archive/NAME
};

struct Replay {
  BusName bus;  ///< the destination
  std::string name, description, archive_arn;
  json::Value destination;  ///< {Arn, FilterArns}
  TimeMs from_ms = 0, to_ms = 0;
  std::string state;   ///< STARTING, RUNNING, CANCELLING, COMPLETED, CANCELLED, FAILED
  std::string reason;  ///< of one that failed
  TimeMs started_ms = 0, ended_ms = 0;
  TimeMs last_event_ms = 0;  ///< when the last replayed event came first; 0 before any
  std::int64_t last_number = 0;
  std::string by;  ///< who started it (`base/person.h`); empty where nobody knows

  std::string arn() const;
};

/// Archives, what they hold, and replays of it. Thread-safe. Messages are the service's own.
/// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
class Archives {
 public:
  Archives(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Errors: ResourceAlreadyExistsException; InvalidEventPatternException; ValidationException.
  Result<Archive> create(store::Transaction& tx, Archive archive);
  /// Error: ResourceNotFoundException.
  Result<Archive> get(const BusName& any, const std::string& name);
  /// Replaces what is given. Error: ResourceNotFoundException.
  Result<Archive> update(store::Transaction& tx, const BusName& any, const std::string& name,
                         const std::optional<std::string>& description, const std::optional<std::string>& pattern,
                         const std::optional<std::int64_t>& retention_days);
  /// Deletes the events that are there when it begins, a piece a transaction: for who then removes it.
  Result<void> empty(const Archive& archive);
  Result<void> remove(store::Transaction& tx, const BusName& any, const std::string& name);
  /// By name; of one bus where `bus_name` is not empty.
  Result<std::vector<Archive>> list(const BusName& any, const std::string& prefix, const std::string& bus_name);
  /// Every archive of every account.
  Result<std::vector<Archive>> all(store::Session& session);

  Result<void> keep(store::Transaction& tx, const std::string& archive_arn, const json::Value& event);
  /// Hands out what an archive holds of a time, the oldest first, after `number`; stops where `each` says false.
  struct Kept {
    std::int64_t number;
    TimeMs at_ms;
    std::string event;
  };
  Result<std::vector<Kept>> kept(const std::string& archive_arn, TimeMs from_ms, TimeMs to_ms, std::int64_t after,
                                 std::size_t limit);

  /// Errors: ResourceAlreadyExistsException; ValidationException; LimitExceededException beyond 10 at once.
  Result<Replay> start(Replay replay);
  Result<Replay> replay(const BusName& any, const std::string& name);
  Result<Replay> cancel(const BusName& any, const std::string& name);
  Result<std::vector<Replay>> replays(const BusName& any, const std::string& prefix, const std::string& archive_arn,
                                      const std::string& state);

  /// Puts an event on a bus for a replay: within `tx`.
  using Publish = std::function<Result<void>(store::Transaction&, const Replay&, const json::Value& event)>;
  /// Goes on with every replay by a batch, and forgets what is kept too long. True where more is to be done at once. A
  /// replay that cannot go on, now or later, ends FAILED with the reason. Error: the first that is to be tried again;
  /// what else there was to do is done.
  Result<bool> run_due(const Publish& publish);

 private:
  Result<std::vector<Replay>> query_replays(store::Session& session, const std::string& where,
                                            const store::Params& params);
  Result<std::vector<Archive>> query(store::Session& session, const std::string& where, const store::Params& params);
  Result<void> write(store::Transaction& tx, const Archive& archive);
  Result<bool> advance(Replay replay, const Publish& publish);
  Result<bool> give_up(const Replay& replay, const Error& error);
  Result<void> expire();

  store::Store& store_;
  const Clock& clock_;
  TimeMs expired_ms_ = 0;
};

}  // namespace fixpoint::bus
