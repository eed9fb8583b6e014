#include "bus/deliveries.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/arn.h"
#include "base/fault.h"
#include "base/utf8.h"
#include "json/text.h"
#include "store/pieces.h"

namespace fixpoint::bus {
namespace {

using json::Value;

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
constexpr std::int64_t most_retries = 185;
constexpr std::int64_t longest_age_s = 86'400;
constexpr TimeMs first_pause_ms = 1'000;
constexpr TimeMs longest_pause_ms = 480'000;
constexpr TimeMs given_up_for_ms = 14LL * 24 * 3'600'000;
constexpr TimeMs lease_ms = 120'000;  // of a request that was sent: a process that ended never tells how it went
constexpr int tries_a_turn = 100;

// After it nothing more can be written in this transaction. What the store will never take is the event's own fault.
bool ends_the_transaction(const Error& error) {
  return error.retryable && error.code.starts_with("Store");
}

// What EventBridge writes as ERROR_CODE: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
std::string dead_letter_code(const Error& error) {
  const auto has = [&](std::string_view part) { return error.code.find(part) != std::string::npos; };
  if (error.code == third_hop) return error.code;
  if (has("NotFound") || has("NonExistent") || has("DoesNotExist") || has("NoSuch")) return "NO_RESOURCE";
  if (has("AccessDenied") || has("NotAuthorized")) return "NO_PERMISSIONS";
  if (has("Throttl") || has("TooManyRequests") || has("LimitExceeded")) return "THROTTLING";
  if (has("Timeout")) return "TIMEOUT";
  if (has("Connection")) return "CONNECTION_FAILURE";
  if (has("Validation") || has("Invalid")) return "INVALID_PARAMETER";
  const bool refused = error.http_status >= 400 && error.http_status < 500;
  return error.retryable && !refused ? "UNKNOWN" : "SDK_CLIENT_ERROR";
}

TimeMs pause_after(int attempts) {
  const TimeMs whole = std::min(longest_pause_ms, first_pause_ms << std::min(attempts - 1, 20));
  thread_local std::minstd_rand chance(std::random_device{}());
  return std::uniform_int_distribution<TimeMs>(whole / 2, whole)(chance);
}

}  // namespace

const TargetKind* Deliveries::kind_of(const std::string& arn) const {
  const auto parsed = parse_arn(arn);
  if (!parsed) return nullptr;
  auto found = kinds_.find(parsed->service + ":" + parsed->resource.substr(0, parsed->resource.find_first_of("/:")));
  if (found == kinds_.end()) found = kinds_.find(parsed->service);
  return found == kinds_.end() ? nullptr : &found->second;
}

std::string Deliveries::kinds() const {
  std::string known;
  for (const auto& [name, ignored] : kinds_) known += (known.empty() ? "" : ", ") + name;
  return known;
}

Result<void> Deliveries::begin(store::Transaction& tx, const Delivery& delivery) {
  return attempt(tx, delivery, {0, clock_.now_ms()}, false);
}

Result<void> Deliveries::refuse(store::Transaction& tx, const Delivery& delivery, const Error& error) {
  return bury(tx, delivery, {1, clock_.now_ms()}, error, "");
}

Result<void> Deliveries::attempt(store::Transaction& tx, const Delivery& delivery, Tries tries, bool in_store) {
  const TargetKind* kind = kind_of(delivery.target.arn);
  if (kind == nullptr)
    return bury(tx, delivery, tries,
                errors::resource_not_found("this server has no targets like " + delivery.target.arn), "");
  if (kind->send) {
    if (in_store) return {};  // run_due sends it
    FIXPOINT_CHECK(keep(tx, delivery, tries, "waiting", clock_.now_ms(), "", ""));
    if (wake_) tx.after_commit(wake_);
    return {};
  }
  auto begun = tx.attempt([&] {
    auto started = kind->start(tx, delivery);
    fault_point("bus.delivered");
    return started;
  });
  fault_point("bus.delivered");
  if (begun) return in_store ? remove(tx, delivery.name()) : Result<void>();
  if (ends_the_transaction(begun.error())) return begun;
  return failed(tx, delivery, tries, begun.error());
}

Result<void> Deliveries::failed(store::Transaction& tx, const Delivery& delivery, Tries tries, const Error& error) {
  ++tries.attempts;
  if (!error.retryable) return bury(tx, delivery, tries, error, "");
  const Value& policy = delivery.target.form["RetryPolicy"];
  const TimeMs now = clock_.now_ms();
  const TimeMs ends = ends_ms(delivery, tries);
  if (tries.attempts > policy["MaximumRetryAttempts"].int_or(most_retries))
    return bury(tx, delivery, tries, error, "MaximumRetryAttempts");
  if (now >= ends) return bury(tx, delivery, tries, error, "MaximumEventAgeInSeconds");
  // The longer of the own pause and what the other side asks for.
  const TimeMs pause = std::max(pause_after(tries.attempts), error.retry_after_ms);
  FIXPOINT_CHECK(keep(tx, delivery, tries, "waiting", std::min(now + pause, ends), error.code, error.message));
  if (wake_) tx.after_commit(wake_);
  return {};
}

Result<void> Deliveries::bury(store::Transaction& tx, const Delivery& delivery, Tries tries, const Error& error,
                              const std::string& exhausted) {
  std::string message = error.message;
  const std::string queue(delivery.target.form["DeadLetterConfig"]["Arn"].string_or(""));
  if (!queue.empty()) {
    Delivery letter{.rule_arn = delivery.rule_arn,
                    .rule_name = delivery.rule_name,
                    .target = {"dead-letter", queue, json::Object()},
                    .event = delivery.event,
                    .text = json::print(delivery.event),
                    .attributes = {{"RULE_ARN", delivery.rule_arn},
                                   {"TARGET_ARN", delivery.target.arn},
                                   {"ERROR_CODE", dead_letter_code(error)},
                                   {"ERROR_MESSAGE", error.code + ": " + error.message},
                                   {"RETRY_ATTEMPTS", std::to_string(std::max(tries.attempts - 1, 0))}}};
    if (!exhausted.empty()) letter.attributes.set("EXHAUSTED_RETRY_CONDITION", exhausted);
    const TargetKind* kind = kind_of(queue);
    auto sent = tx.attempt([&]() -> Result<void> {
      if (kind != nullptr && kind->start) return kind->start(tx, letter);
      return fail(errors::resource_not_found("this server has no queues like " + queue));
    });
    if (sent) return remove(tx, delivery.name());
    if (ends_the_transaction(sent.error())) return sent;
    message += "; and the dead-letter queue did not take it: " + sent.error().code + ": " + sent.error().message;
  }
  return keep(tx, delivery, tries, "dropped", clock_.now_ms(), error.code, message);
}

Result<void> Deliveries::keep(store::Transaction& tx, const Delivery& d, Tries tries, const char* state, TimeMs next_ms,
                              const std::string& code, const std::string& message) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO bus_delivery (id, rule_arn, rule_name, target, event, text, hops, cause, principal, attempts, "
      "first_ms, next_ms, "
      "state, error_code, error_message) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
      "attempts = "
      "excluded.attempts, next_ms = excluded.next_ms, state = excluded.state, error_code = excluded.error_code, "
      "error_message = excluded.error_message",
      {d.name(), d.rule_arn, d.rule_name,
       json::print(json::Object{{"Id", d.target.id}, {"Arn", d.target.arn}, {"Form", d.target.form}}),
       json::print(d.event), d.text, std::int64_t{d.hops}, d.origin.execution, d.origin.principal,
       std::int64_t{tries.attempts}, tries.first_ms, next_ms, std::string(state), legible(code), legible(message)}));
  return {};
}

Result<void> Deliveries::remove(store::Transaction& tx, const std::string& id) {
  FIXPOINT_CHECK(tx.execute("DELETE FROM bus_delivery WHERE id = ?", {id}));
  return {};
}

// A row that no try will ever end: it would stand before the others again and again.
Result<void> Deliveries::give_up(const std::string& id, const Error& error) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(
        tx.execute("UPDATE bus_delivery SET state = 'dropped', next_ms = ?, error_code = ?, error_message = ? WHERE id "
                   "= ? AND state = 'waiting'",
                   {clock_.now_ms(), legible(error.code), legible(error.message), id}));
    return {};
  });
}

Result<std::vector<Deliveries::Stored>> Deliveries::due(TimeMs now) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Stored>> {
    FIXPOINT_TRY(rows, session.query("SELECT rule_arn, rule_name, target, event, text, hops, cause, principal, "
                                     "attempts, first_ms, id FROM bus_delivery "
                                     "WHERE state = 'waiting' AND next_ms <= ? ORDER BY next_ms LIMIT ?",
                                     {now, std::int64_t{tries_a_turn}}));
    std::vector<Stored> out;
    for (store::Row& row : rows) {
      Stored stored;
      stored.delivery.rule_arn = row.take(0);
      stored.delivery.rule_name = row.take(1);
      stored.id = row.take(10);
      auto target = json::parse_printed(row.text(2));
      auto event = json::parse_printed(row.text(3));
      if (!target || !event) {
        stored.unreadable = target ? event.error() : target.error();
        out.push_back(std::move(stored));
        continue;
      }
      stored.delivery.target = {std::string((*target)["Id"].string_or("")), std::string((*target)["Arn"].string_or("")),
                                (*target)["Form"]};
      stored.delivery.event = std::move(*event);
      stored.delivery.text = row.take(4);
      stored.delivery.hops = static_cast<int>(row.integer(5));
      stored.delivery.origin = {row.take(6), row.take(7)};
      stored.tries.attempts = static_cast<int>(row.integer(8));
      stored.tries.first_ms = row.integer(9);
      out.push_back(std::move(stored));
    }
    return out;
  });
}

TimeMs Deliveries::ends_ms(const Delivery& delivery, Tries tries) {
  return tries.first_ms + delivery.target.form["RetryPolicy"]["MaximumEventAgeInSeconds"].int_or(longest_age_s) * 1000;
}

Result<TimeMs> Deliveries::run_due() {
  const TimeMs now = clock_.now_ms();
  FIXPOINT_TRY(list, due(now));
  std::vector<const Stored*> to_send;
  for (const Stored& stored : list) {
    if (stored.unreadable) {
      FIXPOINT_CHECK(give_up(stored.id, *stored.unreadable));
      continue;
    }
    const TargetKind* kind = kind_of(stored.delivery.target.arn);
    if (kind != nullptr && kind->send) {
      to_send.push_back(&stored);
      continue;
    }
    const auto tried =
        store_.write([&](store::Transaction& tx) { return attempt(tx, stored.delivery, stored.tries, true); });
    if (tried) continue;
    if (tried.error().retryable) return fail(tried.error());
    FIXPOINT_CHECK(give_up(stored.id, tried.error()));
  }
  if (!to_send.empty()) FIXPOINT_CHECK(send_all(to_send));
  return store_.write([&](store::Transaction& tx) -> Result<TimeMs> {
    FIXPOINT_CHECK(
        tx.execute("DELETE FROM bus_delivery WHERE id IN (SELECT id FROM bus_delivery WHERE state = 'dropped' AND "
                   "next_ms < ? ORDER BY next_ms LIMIT ?)",
                   {now - given_up_for_ms, store::rows_a_piece}));
    FIXPOINT_TRY(rows, tx.query("SELECT next_ms FROM bus_delivery WHERE state = 'waiting' ORDER BY next_ms LIMIT 1"));
    return rows.empty() ? 0 : rows[0].integer(0);
  });
}

// The row's next try stands behind the lease while the request is under way: after a crash it is sent again then. One
// transaction leases all of a turn; what another server has leased meanwhile is left to it.
Result<void> Deliveries::send_all(const std::vector<const Stored*>& list) {
  const TimeMs now = clock_.now_ms();
  struct Turn {
    const Stored* stored;
    TimeMs when;
    bool leased;
  };
  std::vector<Turn> turns;
  for (const Stored* stored : list) {
    const TargetKind* kind = kind_of(stored->delivery.target.arn);
    bool busy = false;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return {};
      busy = under_way_.contains(stored->delivery.name());
    }
    const TimeMs when = busy ? now + lease_ms : kind->when ? kind->when(stored->delivery) : now;
    turns.push_back({stored, when, false});
  }
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    for (Turn& turn : turns) {
      const TimeMs ends = ends_ms(turn.stored->delivery, turn.stored->tries);
      if (turn.when > now && now >= ends) {
        FIXPOINT_CHECK(bury(tx, turn.stored->delivery, turn.stored->tries,
                            errors::throttling("the event waited for its turn until it was too old; the target takes "
                                               "fewer events in a second than there are"),
                            "MaximumEventAgeInSeconds"));
        continue;
      }
      const TimeMs next = turn.when > now ? std::min(turn.when, ends) : now + lease_ms;
      FIXPOINT_TRY(changed, tx.execute("UPDATE bus_delivery SET next_ms = ? WHERE id = ? AND state = 'waiting' AND "
                                       "next_ms <= ?",
                                       {next, turn.stored->delivery.name(), now}));
      turn.leased = changed != 0 && turn.when <= now;
    }
    return {};
  }));
  for (const Turn& turn : turns)
    if (turn.leased) send(*turn.stored, *kind_of(turn.stored->delivery.target.arn));
  return {};
}

void Deliveries::send(const Stored& stored, const TargetKind& kind) {
  const std::string id = stored.delivery.name();
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || !under_way_.insert(id).second) return;
  }
  const auto ended = [this, id] {
    std::lock_guard lock(mutex_);
    under_way_.erase(id);
    idle_.notify_all();
  };
  kind.send(stored.delivery, [this, stored, ended](const Result<void>& sent) {
    {
      std::unique_lock lock(mutex_);
      // A request that ends because the server does says nothing about the target: it is sent again.
      if (stopping_ && !sent) {
        lock.unlock();
        return ended();
      }
    }
    store_.write_async(
        [this, stored, sent](store::Transaction& tx) {
          return sent ? remove(tx, stored.delivery.name()) : failed(tx, stored.delivery, stored.tries, sent.error());
        },
        [ended](const Result<void>&) { ended(); });
  });
}

void Deliveries::stop() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  bool ends = false;
  for (const auto& [name, kind] : kinds_)
    if (kind.stop) {
      kind.stop();
      ends = true;
    }
  if (!ends) return;  // nothing tells those under way to end
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_.empty(); });
}

Result<std::vector<Deliveries::Left>> Deliveries::left(std::size_t limit) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Left>> {
    FIXPOINT_TRY(rows, session.query("SELECT id, rule_arn, target, event, state, attempts, first_ms, next_ms, "
                                     "error_code, error_message FROM bus_delivery ORDER BY first_ms, id LIMIT ?",
                                     {static_cast<std::int64_t>(limit)}));
    std::vector<Left> out;
    for (store::Row& row : rows) {
      const Value target = json::parse_printed(row.text(2)).value_or(Value());
      const Value event = json::parse_printed(row.text(3)).value_or(Value());
      out.push_back({row.take(0), row.take(1), std::string(target["Arn"].string_or("")),
                     std::string(event["id"].string_or("")), row.take(4), static_cast<int>(row.integer(5)),
                     row.integer(6), row.integer(7), row.text(8).empty() ? "" : row.text(8) + ": " + row.text(9)});
    }
    return out;
  });
}

}  // namespace fixpoint::bus
