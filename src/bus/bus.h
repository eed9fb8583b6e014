#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bus/archives.h"
#include "bus/deliveries.h"
#include "bus/event_buses.h"
#include "bus/rule.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::bus {

struct ActiveRule;
struct ActiveRules;
struct ActiveTarget;

/// Rules, targets, and the way of an event to them. Thread-safe. Publishing and starting what matched are one
/// transaction: an event is never taken and then lost, and never begun twice. A target that cannot be begun is tried
/// again (`deliveries.h`) and stops neither the event nor the other targets.
class Bus {
 public:
  Bus(store::Store& store, const Clock& clock);
  ~Bus();
  static store::Schema schema();

  /// Targets whose ARN names that service ("lambda", or "events:event-bus") are begun by it. Before load().
  void add_target_kind(std::string kind, TargetKind how) { deliveries_.add_kind(std::move(kind), std::move(how)); }
  /// The same for one that begins in the transaction that publishes.
  void add_target_kind(std::string kind, Starter start, ArnCheck check) {
    add_target_kind(std::move(kind), TargetKind{std::move(start), {}, std::move(check)});
  }
  /// Is called with the ARN of a rule within the transaction that deletes it; an error takes that back. Before load().
  using RuleDeleted = std::function<Result<void>(store::Transaction&, const std::string& arn)>;
  void on_rule_deleted(RuleDeleted deleted) { rule_deleted_ = std::move(deleted); }
  /// Reads the rules that are stored.
  Result<void> load();
  /// From now on schedules run, deliveries are tried again, and replays go on, on a thread of the bus.
  void start();
  void stop();
  /// Has that thread look now what is to be done.
  void wake();
  /// What that thread does, once; when there is something to do again (0: nothing that is known of). Error: the first;
  /// whatever else there was to do is done all the same.
  Result<TimeMs> run_due();

  /// Errors: InvalidEventPatternException; ValidationException for a name or schedule that is none, or a schedule on
  /// another bus than default; ResourceNotFoundException for the bus.
  Result<Rule> put_rule(Rule rule);
  Result<std::optional<Rule>> find_rule(const BusName& bus, const std::string& name);
  /// Ordered by name, those that begin with `prefix`.
  Result<std::vector<Rule>> list_rules(const BusName& bus, const std::string& prefix);
  /// Errors: ResourceNotFoundException; ValidationException where targets are left.
  Result<void> delete_rule(const BusName& bus, const std::string& name);
  Result<void> set_enabled(const BusName& bus, const std::string& name, bool enabled);

  /// The entries that failed: {TargetId, ErrorCode, ErrorMessage}. Error: ResourceNotFoundException for the rule;
  /// LimitExceededException beyond 5 targets; ValidationException for a target of a kind that does not exist here.
  Result<json::Value> put_targets(const BusName& bus, const std::string& rule, const json::Value& targets);
  Result<json::Value> remove_targets(const BusName& bus, const std::string& rule, const json::Value& ids);
  Result<std::vector<Target>> list_targets(const BusName& bus, const std::string& rule);
  Result<std::vector<Rule>> list_rules_of_target(const BusName& bus, const std::string& arn);

  /// Archives, whose patterns are in force at once.
  Result<Archive> create_archive(Archive archive);
  Result<Archive> update_archive(const BusName& any, const std::string& name,
                                 const std::optional<std::string>& description,
                                 const std::optional<std::string>& pattern,
                                 const std::optional<std::int64_t>& retention_days);
  Result<void> delete_archive(const BusName& any, const std::string& name);

  /// Whether a rule or an archive of that bus is in force: who publishes many need not make those that nobody wants.
  bool listens(const BusName& bus) const;

  /// Puts an event on the bus of its account and region: every enabled rule that matches begins its targets, within
  /// `tx`. Errors: those of the store; ValidationException for an event that is none.
  Result<void> publish(store::Transaction& tx, const json::Value& event, const std::string& bus_name = "default",
                       const Origin& origin = {});
  /// The same on a bus that may be another account's, after `hops` buses; where `only` is not empty, for those rules
  /// alone (by ARN). Where the bus does not exist the event is gone, as EventBridge has it.
  Result<void> publish_to(store::Transaction& tx, const BusName& bus, const json::Value& event, int hops,
                          const Origin& origin, const std::vector<std::string>& only = {});

  /// An event that was looked at, with what begins when it is published. Moves; lives as long as it likes.
  class Matched {
   public:
    /// Whether anything begins.
    bool empty() const { return starts_.empty(); }
    /// Whether a rule's target is among it, not archives alone.
    bool has_targets() const {
      return std::any_of(starts_.begin(), starts_.end(), [](const Start& start) { return start.target != nullptr; });
    }

   private:
    friend class Bus;
    struct Start {
      const ActiveRule* rule;
      const ActiveTarget* target;  // null for an archive
      Result<std::string> text;    // for the target
    };
    std::shared_ptr<const ActiveRules> rules_;  // which own what `starts_` points to
    json::Value event_;
    std::vector<Start> starts_;
  };
  /// What needs no transaction of publishing an event: for who publishes many, so that the store's one writer does only
  /// what is left. The rules are those that are in force now. Error: ValidationException for an event that is none.
  Result<Matched> match(const BusName& bus, json::Value event) const;
  /// The rest of publish_to.
  Result<void> publish(store::Transaction& tx, Matched matched, const Origin& origin);

  /// An envelope with a new id. `time_ms` 0 is now.
  json::Value make_event(const BusName& bus, const std::string& source, const std::string& detail_type,
                         json::Value resources, json::Value detail, TimeMs time_ms = 0) const;

  EventBuses& buses() { return buses_; }
  Archives& archives() { return archives_; }
  Deliveries& deliveries() { return deliveries_; }

 private:
  using Snapshot = std::shared_ptr<const ActiveRules>;
  Result<void> reload(store::Transaction& tx, const BusName& bus, const std::string& rule);
  void put_in_force(store::Transaction& tx, const BusName& bus, std::string place,
                    std::shared_ptr<const ActiveRule> rule);
  Snapshot active() const;
  Result<std::optional<Rule>> find(store::Session& session, const BusName& bus, const std::string& name);
  Result<std::vector<Matched::Start>> starts_of(const ActiveRules& rules, const BusName& bus, const json::Value& event,
                                                const std::vector<std::string>& only) const;
  void add_targets(const ActiveRule& rule, const json::Value& event, std::string_view event_text,
                   std::vector<Matched::Start>& to) const;
  Result<void> begin(store::Transaction& tx, std::vector<Matched::Start> starts, json::Value event, int hops,
                     const Origin& origin);
  Result<TimeMs> run_schedules();
  void run();

  store::Store& store_;
  const Clock& clock_;
  EventBuses buses_;
  Archives archives_;
  Deliveries deliveries_;
  RuleDeleted rule_deleted_;
  mutable std::mutex mutex_;
  Snapshot active_;

  std::mutex thread_mutex_;
  std::condition_variable thread_wake_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fixpoint::bus
