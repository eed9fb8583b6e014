#include "bus/bus.h"

#include <algorithm>
#include <chrono>
#include <pthread.h>

#include "base/arn.h"
#include "base/hash.h"
#include "base/id.h"
#include "bus/active.h"
#include "bus/schedule.h"
#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr const char* first_tables = R"sql(
CREATE TABLE bus_rule (account TEXT NOT NULL, region TEXT NOT NULL, bus TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, pattern TEXT NOT NULL,
  description TEXT NOT NULL, role TEXT NOT NULL, enabled INTEGER NOT NULL, PRIMARY KEY (account, region, bus, name)) STRICT;
CREATE TABLE bus_target (account TEXT NOT NULL, region TEXT NOT NULL, bus TEXT NOT NULL, rule TEXT NOT NULL, id TEXT NOT NULL, arn TEXT NOT NULL, form TEXT NOT NULL,
  PRIMARY KEY (account, region, bus, rule, id)) STRICT;
CREATE INDEX bus_target_arn ON bus_target (arn);
)sql";

constexpr const char* second_tables = R"sql(
ALTER TABLE bus_rule ADD COLUMN schedule TEXT NOT NULL DEFAULT '';
ALTER TABLE bus_rule ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bus_rule ADD COLUMN next_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bus_rule_next ON bus_rule (next_ms) WHERE next_ms > 0;
CREATE TABLE event_bus (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, description TEXT NOT NULL, policy TEXT NOT NULL,
  dead_letter TEXT NOT NULL, kms_key TEXT NOT NULL, made_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, PRIMARY KEY (account, region, name)) STRICT;
CREATE TABLE bus_tag (arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)) STRICT;
CREATE TABLE bus_delivery (id TEXT PRIMARY KEY, rule_arn TEXT NOT NULL, rule_name TEXT NOT NULL, target TEXT NOT NULL, event TEXT NOT NULL, text TEXT NOT NULL,
  hops INTEGER NOT NULL, cause TEXT NOT NULL, principal TEXT NOT NULL, attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL, state TEXT NOT NULL, error_code TEXT NOT NULL,
  error_message TEXT NOT NULL) STRICT;
CREATE INDEX bus_delivery_next ON bus_delivery (state, next_ms);
CREATE TABLE bus_archive (account TEXT NOT NULL, region TEXT NOT NULL, bus TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, arn TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL, pattern TEXT NOT NULL, retention_days INTEGER NOT NULL, made_ms INTEGER NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (account, region, name)) STRICT;
CREATE TABLE bus_archived (number INTEGER PRIMARY KEY AUTOINCREMENT, archive TEXT NOT NULL, at_ms INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
CREATE INDEX bus_archived_number ON bus_archived (archive, number);
CREATE INDEX bus_archived_at ON bus_archived (archive, at_ms);
CREATE TABLE bus_replay (account TEXT NOT NULL, region TEXT NOT NULL, bus TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, description TEXT NOT NULL,
  archive TEXT NOT NULL, destination TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, state TEXT NOT NULL, started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL, last_event_ms INTEGER NOT NULL, last_number INTEGER NOT NULL, PRIMARY KEY (account, region, name)) STRICT;
)sql";

constexpr const char* fourth_tables = R"sql(
ALTER TABLE bus_replay ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* fifth_tables = R"sql(
ALTER TABLE bus_replay ADD COLUMN reason TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* third_tables = R"sql(
CREATE TABLE bus_connection (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, id TEXT NOT NULL, description TEXT NOT NULL,
  type TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, secret TEXT NOT NULL, sealed TEXT NOT NULL, revision INTEGER NOT NULL, made_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL, authorized_ms INTEGER NOT NULL, PRIMARY KEY (account, region, name)) STRICT;
CREATE TABLE bus_destination (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, id TEXT NOT NULL, description TEXT NOT NULL,
  connection TEXT NOT NULL, endpoint TEXT NOT NULL, method TEXT NOT NULL, rate INTEGER NOT NULL, made_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
  PRIMARY KEY (account, region, name)) STRICT;
)sql";

// What came from another bus goes to no third one:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
constexpr int most_hops = 1;
constexpr TimeMs longest_sleep_ms = 1000;

// A delivery's id is made of what it is about, so that the same event through the same rule has the same.
std::string digest(std::string_view text) {
  return sha256_hex(text).substr(0, 32);
}

// 32 hexadecimal digits in the form of an id of an event.
std::string uuid_of(const std::string& digits) {
  return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-4" + digits.substr(13, 3) + "-a" + digits.substr(17, 3) +
         "-" + digits.substr(20);
}

}  // namespace

std::string Rule::arn() const {
  return "arn:" + bus.partition + ":events:" + bus.region + ":" + bus.account + ":rule/" +
         (bus.name == "default" ? "" : bus.name + "/") + name;
}

std::string Delivery::name() const {
  const std::string_view replay = event["replay-name"].string_or("");
  return digest(rule_arn + "\n" + target.id + "\n" + std::string(event["id"].string_or("")) +
                (replay.empty() ? "" : "\n" + std::string(replay)));
}

store::Schema Bus::schema() {
  return {"bus", {first_tables, second_tables, third_tables, fourth_tables, fifth_tables}};
}

Bus::Bus(store::Store& store, const Clock& clock)
    : store_(store), clock_(clock), buses_(store, clock), archives_(store, clock), deliveries_(store, clock) {
  deliveries_.on_due([this] { wake(); });
  // A bus as a target of a rule on another one.
  add_target_kind(
      "events:event-bus",
      [this](store::Transaction& tx, const Delivery& delivery) -> Result<void> {
        const auto arn = parse_arn(delivery.target.arn);
        if (!arn) return fail(arn.error());
        const BusName there{arn->account, arn->region, arn->partition,
                            arn->resource.substr(arn->resource.find('/') + 1)};
        if (delivery.hops >= most_hops)
          return fail(
              errors::coded(std::string(third_hop),
                            "the event came from another bus already and goes no further: from bus to bus it goes "
                            "once; a rule on the first bus can have several buses as targets",
                            400));
        FIXPOINT_TRY(found, buses_.get(tx, there));
        const auto from = parse_arn(delivery.rule_arn);
        if (from && from->account != there.account && !allows(found.policy, from->account))
          return fail(errors::access_denied("the policy of " + there.arn() + " does not let account " + from->account +
                                            " put events on it"));
        if (!from || from->region == there.region)
          return publish_to(tx, there, delivery.event, delivery.hops + 1, delivery.origin);
        // In another region it is another event, as the service's recordings show; the same one for the same delivery.
        Value event = delivery.event;
        event.set("id", uuid_of(delivery.name()));
        return publish_to(tx, there, event, delivery.hops + 1, delivery.origin);
      },
      [](const std::string& arn) -> Result<void> {
        if (!parse_arn(arn)->resource.starts_with("event-bus/"))
          return fail(errors::validation("'" + arn + "' is no target: of EventBridge's own, event-bus/NAME is", "Arn"));
        return {};
      });
}

Bus::~Bus() {
  stop();
}

Bus::Snapshot Bus::active() const {
  std::lock_guard lock(mutex_);
  return active_;
}

Result<void> Bus::load() {
  FIXPOINT_TRY(read, store_.read([&](store::Session& session) -> Result<ActiveRules> {
    FIXPOINT_TRY(archives, archives_.all(session));
    return ActiveRules::read(session, archives);
  }));
  std::lock_guard lock(mutex_);
  active_ = std::make_shared<const ActiveRules>(std::move(read));
  return {};
}

Result<void> Bus::reload(store::Transaction& tx, const BusName& bus, const std::string& rule) {
  FIXPOINT_TRY(read, ActiveRules::read(tx, bus, rule));
  put_in_force(tx, bus, rule, std::move(read));
  return {};
}

// What is published from now on sees the rule as it is committed, not before. Only that one is replaced: another
// transaction of the same commit may have changed another.
void Bus::put_in_force(store::Transaction& tx, const BusName& bus, std::string place,
                       std::shared_ptr<const ActiveRule> rule) {
  tx.after_commit([this, key = ActiveRules::key(bus), place = std::move(place), rule = std::move(rule)] {
    {
      std::lock_guard lock(mutex_);
      auto next = std::make_shared<ActiveRules>(active_ ? *active_ : ActiveRules());
      const auto there = next->buses.find(key);
      auto changed = there == next->buses.end() ? ActiveBus().with(place, rule) : there->second->with(place, rule);
      if (changed->empty())
        next->buses.erase(key);
      else
        next->buses[key] = std::move(changed);
      active_ = std::move(next);
    }
    wake();
  });
}

bool Bus::listens(const BusName& bus) const {
  const Snapshot snapshot = active();
  return snapshot && snapshot->buses.contains(ActiveRules::key(bus));
}

Result<void> Bus::publish(store::Transaction& tx, const Value& event, const std::string& bus_name,
                          const Origin& origin) {
  return publish_to(
      tx, {std::string(event["account"].string_or("")), std::string(event["region"].string_or("")), "aws", bus_name},
      event, 0, origin);
}

Result<void> Bus::publish_to(store::Transaction& tx, const BusName& bus, const Value& event, int hops,
                             const Origin& origin, const std::vector<std::string>& only) {
  const Snapshot snapshot = active();
  if (!snapshot) return {};
  FIXPOINT_TRY(starts, starts_of(*snapshot, bus, event, only));
  if (starts.empty()) return {};
  return begin(tx, std::move(starts), event, hops, origin);
}

Result<Bus::Matched> Bus::match(const BusName& bus, Value event) const {
  Matched matched;
  matched.rules_ = active();
  if (!matched.rules_) return matched;
  FIXPOINT_TRY(starts, starts_of(*matched.rules_, bus, event, {}));
  matched.starts_ = std::move(starts);
  matched.event_ = std::move(event);
  return matched;
}

Result<void> Bus::publish(store::Transaction& tx, Matched matched, const Origin& origin) {
  return begin(tx, std::move(matched.starts_), std::move(matched.event_), 0, origin);
}

Result<std::vector<Bus::Matched::Start>> Bus::starts_of(const ActiveRules& rules, const BusName& bus,
                                                        const Value& event,
                                                        const std::vector<std::string>& only) const {
  std::vector<Matched::Start> starts;
  const auto found = rules.buses.find(ActiveRules::key(bus));
  if (found == rules.buses.end()) return starts;
  const std::string text = json::print(event);
  FIXPOINT_CHECK(found->second->match(text, [&](const ActiveRule& rule) -> Result<void> {
    if (rule.is_archive) {
      // A replayed event is in the archive already.
      if (event.find("replay-name") == nullptr) starts.push_back({&rule, nullptr, {}});
    } else if (only.empty() || std::find(only.begin(), only.end(), rule.arn) != only.end()) {
      add_targets(rule, event, text, starts);
    }
    return {};
  }));
  return starts;
}

void Bus::add_targets(const ActiveRule& rule, const Value& event, std::string_view event_text,
                      std::vector<Matched::Start>& to) const {
  for (const ActiveTarget& target : rule.targets)
    to.push_back({&rule, &target, target.input.render(event, event_text, {rule.arn, rule.name}, clock_.now_ms())});
}

Result<void> Bus::begin(store::Transaction& tx, std::vector<Matched::Start> starts, Value event, int hops,
                        const Origin& origin) {
  Delivery delivery{.rule_arn = {},
                    .rule_name = {},
                    .target = {},
                    .event = std::move(event),
                    .text = {},
                    .attributes = {},
                    .origin = origin,
                    .hops = hops};
  for (Matched::Start& start : starts) {
    if (start.target == nullptr) {
      FIXPOINT_CHECK(archives_.keep(tx, start.rule->arn, delivery.event));
      continue;
    }
    delivery.rule_arn = start.rule->arn;
    delivery.rule_name = start.rule->name;
    delivery.target = start.target->target;
    delivery.text.clear();
    if (!start.text) {
      FIXPOINT_CHECK(deliveries_.refuse(tx, delivery, start.text.error()));
      continue;
    }
    delivery.text = std::move(*start.text);
    FIXPOINT_CHECK(deliveries_.begin(tx, delivery));
  }
  return {};
}

Result<Archive> Bus::create_archive(Archive archive) {
  return store_.write([&](store::Transaction& tx) -> Result<Archive> {
    FIXPOINT_CHECK(buses_.get(tx, archive.bus));
    FIXPOINT_TRY(made, archives_.create(tx, archive));
    FIXPOINT_TRY(active, ActiveRules::of(made));
    put_in_force(tx, made.bus, active->place(), active);
    return std::move(made);
  });
}

Result<Archive> Bus::update_archive(const BusName& any, const std::string& name,
                                    const std::optional<std::string>& description,
                                    const std::optional<std::string>& pattern,
                                    const std::optional<std::int64_t>& retention_days) {
  return store_.write([&](store::Transaction& tx) -> Result<Archive> {
    FIXPOINT_TRY(changed, archives_.update(tx, any, name, description, pattern, retention_days));
    FIXPOINT_TRY(active, ActiveRules::of(changed));
    put_in_force(tx, changed.bus, active->place(), active);
    return std::move(changed);
  });
}

Result<void> Bus::delete_archive(const BusName& any, const std::string& name) {
  FIXPOINT_TRY(archive, archives_.get(any, name));
  FIXPOINT_CHECK(archives_.empty(archive));
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(archives_.remove(tx, any, name));
    put_in_force(tx, archive.bus, ActiveRule::place_of_archive(name), nullptr);
    return {};
  });
}

Result<TimeMs> Bus::run_schedules() {
  const TimeMs now = clock_.now_ms();
  const Snapshot snapshot = active();
  struct Due {
    BusName bus;
    std::string name, schedule;
    TimeMs made_ms;
  };
  FIXPOINT_TRY(due, store_.read([&](store::Session& session) -> Result<std::vector<Due>> {
    FIXPOINT_TRY(rows, session.query("SELECT account, region, bus, partition, name, schedule, made_ms FROM bus_rule "
                                     "WHERE next_ms > 0 AND next_ms <= ? AND enabled > 0 ORDER BY next_ms",
                                     {now}));
    std::vector<Due> out;
    for (store::Row& row : rows)
      out.push_back({{row.take(0), row.take(1), row.take(3), row.take(2)}, row.take(4), row.take(5), row.integer(6)});
    return out;
  }));
  const auto run = [&](const Due& one) -> Result<void> {
    FIXPOINT_TRY(schedule, Schedule::read(one.schedule));
    // Runs that were missed while nobody was there to start them are made up by one.
    const TimeMs next = schedule.next(now, one.made_ms).value_or(0);
    return store_.write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_TRY(moved, tx.execute("UPDATE bus_rule SET next_ms = ? WHERE account = ? AND region = ? AND bus = ? AND "
                                     "name = ? AND next_ms > 0 AND next_ms <= ? AND enabled > 0",
                                     {next, one.bus.account, one.bus.region, one.bus.name, one.name, now}));
      if (moved == 0) return {};
      const auto there = snapshot->buses.find(ActiveRules::key(one.bus));
      const ActiveRule* rule = there == snapshot->buses.end() ? nullptr : there->second->rule(one.name);
      if (rule == nullptr) return {};
      Value event =
          make_event(one.bus, "aws.events", "Scheduled Event", json::Array{Value(rule->arn)}, json::Object(), now);
      std::vector<Matched::Start> starts;
      add_targets(*rule, event, json::print(event), starts);
      return begin(tx, std::move(starts), std::move(event), 0, {});
    });
  };
  Result<void> first;
  for (const Due& one : due)
    if (auto done = run(one); !done && first) first = std::move(done);
  FIXPOINT_CHECK(first);
  return store_.read([](store::Session& session) -> Result<TimeMs> {
    FIXPOINT_TRY(
        rows, session.query("SELECT next_ms FROM bus_rule WHERE next_ms > 0 AND enabled > 0 ORDER BY next_ms LIMIT 1"));
    return rows.empty() ? 0 : rows[0].integer(0);
  });
}

Result<TimeMs> Bus::run_due() {
  // Each whatever became of the others: one rule or replay that fails holds up nobody else's events.
  const auto scheduled = run_schedules();
  const auto more = archives_.run_due([this](store::Transaction& tx, const Replay& replay, const Value& event) {
    std::vector<std::string> only;
    const Value& filters = replay.destination["FilterArns"];
    for (std::size_t i = 0; i < filters.size(); ++i) only.emplace_back(filters[i].string_or(""));
    return publish_to(tx, replay.bus, event, 0, Origin{{}, replay.by}, only);
  });
  const auto retry = deliveries_.run_due();
  FIXPOINT_CHECK(scheduled);
  FIXPOINT_CHECK(more);
  FIXPOINT_CHECK(retry);
  if (*more) return clock_.now_ms();
  if (*scheduled == 0 || *retry == 0) return std::max(*scheduled, *retry);
  return std::min(*scheduled, *retry);
}

void Bus::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Bus::stop() {
  {
    std::lock_guard lock(thread_mutex_);
    stopping_ = true;
  }
  thread_wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  deliveries_.stop();
}

void Bus::wake() {
  {
    std::lock_guard lock(thread_mutex_);
    woken_ = true;
  }
  thread_wake_.notify_all();
}

void Bus::run() {
  pthread_setname_np(pthread_self(), "bus");
  std::unique_lock lock(thread_mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    const auto next = run_due();
    const TimeMs now = clock_.now_ms();
    lock.lock();
    // A store that cannot be read or written now is asked again; a clock that is moved wakes nobody.
    const TimeMs sleep = !next || *next == 0 ? longest_sleep_ms : std::clamp<TimeMs>(*next - now, 0, longest_sleep_ms);
    thread_wake_.wait_for(lock, std::chrono::milliseconds(sleep), [this] { return stopping_ || woken_; });
  }
}

Value Bus::make_event(const BusName& bus, const std::string& source, const std::string& detail_type, Value resources,
                      Value detail, TimeMs time_ms) const {
  const TimeMs at = time_ms != 0 ? time_ms : clock_.now_ms();
  json::Object event;
  event.append("version", "0");
  event.append("id", random_uuid());
  event.append("detail-type", detail_type);
  event.append("source", source);
  event.append("account", bus.account);
  event.append("time", format_iso8601(static_cast<double>(at - at % 1000) / 1000));
  event.append("region", bus.region);
  event.append("resources", resources.is_array() ? std::move(resources) : Value(json::Array()));
  event.append("detail", std::move(detail));
  return event;
}

}  // namespace fixpoint::bus
