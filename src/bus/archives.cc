#include "bus/archives.h"

#include "base/utf8.h"
#include "json/text.h"
#include "patterns/pattern.h"
#include "store/pieces.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr std::int64_t replays_at_once = 10;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
constexpr std::size_t events_a_batch = 200;
constexpr TimeMs day_ms = 24LL * 3'600'000;
constexpr TimeMs expiry_pause_ms = 600'000;

constexpr const char* archive_columns =
    "SELECT account, region, bus, name, partition, description, pattern, retention_days, made_ms, events, bytes FROM "
    "bus_archive ";
constexpr const char* replay_columns =
    "SELECT account, region, bus, name, partition, description, archive, destination, from_ms, to_ms, state, "
    "started_ms, ended_ms, last_event_ms, last_number, by_whom, reason FROM bus_replay ";

Error no_archive(const std::string& name) {
  return errors::coded("ResourceNotFoundException", "Archive " + name + " does not exist.", 400);
}
Error no_replay(const std::string& name) {
  return errors::coded("ResourceNotFoundException", "Replay " + name + " does not exist.", 400);
}

Result<void> check(const Archive& archive) {
  if (archive.retention_days < 0)
    return fail(errors::validation("RetentionDays is 0, for ever, or a number of days", "RetentionDays"));
  if (!archive.pattern.empty()) FIXPOINT_CHECK(patterns::compile(archive.pattern));
  return {};
}

std::string resource_arn(const BusName& bus, const std::string& resource) {
  return "arn:" + bus.partition + ":events:" + bus.region + ":" + bus.account + ":" + resource;
}

}  // namespace

std::string Archive::arn() const {
  return resource_arn(bus, "archive/" + name);
}
std::string Replay::arn() const {
  return resource_arn(bus, "replay/" + name);
}

Result<std::vector<Archive>> Archives::query(store::Session& session, const std::string& where,
                                             const store::Params& params) {
  FIXPOINT_TRY(rows, session.query(archive_columns + where, params));
  std::vector<Archive> out;
  for (store::Row& row : rows) {
    Archive archive;
    archive.bus = {row.take(0), row.take(1), row.take(4), row.take(2)};
    archive.name = row.take(3);
    archive.description = row.take(5);
    archive.pattern = row.take(6);
    archive.retention_days = row.integer(7);
    archive.made_ms = row.integer(8);
    archive.events = row.integer(9);
    archive.bytes = row.integer(10);
    out.push_back(std::move(archive));
  }
  return out;
}

Result<void> Archives::write(store::Transaction& tx, const Archive& archive) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO bus_archive (account, region, bus, name, partition, arn, description, pattern, retention_days, "
      "made_ms, events, bytes) VALUES (?,?,?,?,?,?,?,?,?,?,0,0) ON CONFLICT (account, region, name) DO UPDATE SET "
      "description = excluded.description, pattern = excluded.pattern, retention_days = excluded.retention_days",
      {archive.bus.account, archive.bus.region, archive.bus.name, archive.name, archive.bus.partition, archive.arn(),
       archive.description, archive.pattern, archive.retention_days, archive.made_ms}));
  return {};
}

Result<Archive> Archives::create(store::Transaction& tx, Archive archive) {
  FIXPOINT_CHECK(check(archive));
  FIXPOINT_TRY(there, query(tx, "WHERE account = ? AND region = ? AND name = ?",
                            {archive.bus.account, archive.bus.region, archive.name}));
  if (!there.empty())
    return fail(errors::coded("ResourceAlreadyExistsException", "Archive " + archive.name + " already exists.", 400));
  archive.made_ms = clock_.now_ms();
  FIXPOINT_CHECK(write(tx, archive));
  return archive;
}

Result<Archive> Archives::get(const BusName& any, const std::string& name) {
  return store_.read([&](store::Session& session) -> Result<Archive> {
    FIXPOINT_TRY(found,
                 query(session, "WHERE account = ? AND region = ? AND name = ?", {any.account, any.region, name}));
    if (found.empty()) return fail(no_archive(name));
    return std::move(found[0]);
  });
}

Result<Archive> Archives::update(store::Transaction& tx, const BusName& any, const std::string& name,
                                 const std::optional<std::string>& description,
                                 const std::optional<std::string>& pattern,
                                 const std::optional<std::int64_t>& retention_days) {
  if (!description && !pattern && !retention_days)
    return fail(errors::validation("At least one of EventPattern, RetentionDays or Description must be provided."));
  FIXPOINT_TRY(found, query(tx, "WHERE account = ? AND region = ? AND name = ?", {any.account, any.region, name}));
  if (found.empty()) return fail(no_archive(name));
  Archive& archive = found[0];
  if (description) archive.description = *description;
  if (pattern) archive.pattern = *pattern;
  if (retention_days) archive.retention_days = *retention_days;
  FIXPOINT_CHECK(check(archive));
  FIXPOINT_CHECK(write(tx, archive));
  return std::move(archive);
}

Result<void> Archives::empty(const Archive& archive) {
  FIXPOINT_TRY(last, store_.read([&](store::Session& session) {
    return session.query("SELECT max(number) FROM bus_archived WHERE archive = ?", {archive.arn()});
  }));
  return store::in_pieces(store_, [&](store::Transaction& tx) {
    return tx.execute(
        "DELETE FROM bus_archived WHERE number IN (SELECT number FROM bus_archived WHERE archive = ? AND "
        "number <= ? ORDER BY number LIMIT ?)",
        {archive.arn(), last[0].integer(0), store::rows_a_piece});
  });
}

Result<void> Archives::remove(store::Transaction& tx, const BusName& any, const std::string& name) {
  FIXPOINT_TRY(found, query(tx, "WHERE account = ? AND region = ? AND name = ?", {any.account, any.region, name}));
  if (found.empty()) return fail(no_archive(name));
  // What has come since it was emptied.
  FIXPOINT_CHECK(tx.execute("DELETE FROM bus_archived WHERE archive = ?", {found[0].arn()}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM bus_archive WHERE account = ? AND region = ? AND name = ?",
                            {any.account, any.region, name}));
  return {};
}

Result<std::vector<Archive>> Archives::list(const BusName& any, const std::string& prefix,
                                            const std::string& bus_name) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Archive>> {
    FIXPOINT_TRY(all, query(session, "WHERE account = ? AND region = ? ORDER BY name", {any.account, any.region}));
    std::erase_if(all, [&](const Archive& one) {
      return !one.name.starts_with(prefix) || (!bus_name.empty() && one.bus.name != bus_name);
    });
    return all;
  });
}

Result<std::vector<Archive>> Archives::all(store::Session& session) {
  return query(session, "ORDER BY account, region, name", {});
}

Result<void> Archives::keep(store::Transaction& tx, const std::string& archive_arn, const Value& event) {
  const std::string text = json::print(event);
  FIXPOINT_CHECK(tx.execute("INSERT INTO bus_archived (archive, at_ms, event) VALUES (?, ?, ?)",
                            {archive_arn, clock_.now_ms(), text}));
  FIXPOINT_CHECK(tx.execute("UPDATE bus_archive SET events = events + 1, bytes = bytes + ? WHERE arn = ?",
                            {static_cast<std::int64_t>(text.size()), archive_arn}));
  return {};
}

Result<std::vector<Archives::Kept>> Archives::kept(const std::string& archive_arn, TimeMs from_ms, TimeMs to_ms,
                                                   std::int64_t after, std::size_t limit) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Kept>> {
    FIXPOINT_TRY(rows, session.query("SELECT number, at_ms, event FROM bus_archived WHERE archive = ? AND at_ms >= ? "
                                     "AND at_ms < ? AND number > ? ORDER BY number LIMIT ?",
                                     {archive_arn, from_ms, to_ms, after, static_cast<std::int64_t>(limit)}));
    std::vector<Kept> out;
    for (store::Row& row : rows) out.push_back({row.integer(0), row.integer(1), row.take(2)});
    return out;
  });
}

Result<std::vector<Replay>> Archives::query_replays(store::Session& session, const std::string& where,
                                                    const store::Params& params) {
  FIXPOINT_TRY(rows, session.query(replay_columns + where, params));
  std::vector<Replay> out;
  for (store::Row& row : rows) {
    Replay replay;
    replay.bus = {row.take(0), row.take(1), row.take(4), row.take(2)};
    replay.name = row.take(3);
    replay.description = row.take(5);
    replay.archive_arn = row.take(6);
    FIXPOINT_TRY(destination, json::parse_printed(row.text(7)));
    replay.destination = std::move(destination);
    replay.from_ms = row.integer(8);
    replay.to_ms = row.integer(9);
    replay.state = row.take(10);
    replay.started_ms = row.integer(11);
    replay.ended_ms = row.integer(12);
    replay.last_event_ms = row.integer(13);
    replay.last_number = row.integer(14);
    replay.by = row.take(15);
    replay.reason = row.take(16);
    out.push_back(std::move(replay));
  }
  return out;
}

Result<Replay> Archives::start(Replay replay) {
  if (replay.from_ms >= replay.to_ms)
    return fail(
        errors::validation("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."));
  return store_.write([&](store::Transaction& tx) -> Result<Replay> {
    FIXPOINT_TRY(archives, query(tx, "WHERE arn = ?", {replay.archive_arn}));
    if (archives.empty())
      return fail(errors::validation("Parameter EventSourceArn is not valid. Reason: Archive " +
                                     replay.archive_arn.substr(replay.archive_arn.rfind('/') + 1) +
                                     " does not exist."));
    if (archives[0].bus.arn() != replay.bus.arn())
      return fail(errors::validation(
          "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."));
    FIXPOINT_TRY(there, query_replays(tx, "WHERE account = ? AND region = ? AND name = ?",
                                      {replay.bus.account, replay.bus.region, replay.name}));
    if (!there.empty())
      return fail(errors::coded("ResourceAlreadyExistsException", "Replay " + replay.name + " already exists.", 400));
    FIXPOINT_TRY(open, tx.query("SELECT count(*) FROM bus_replay WHERE account = ? AND region = ? AND ended_ms = 0",
                                {replay.bus.account, replay.bus.region}));
    if (open[0].integer(0) >= replays_at_once)
      return fail(
          errors::coded("LimitExceededException", "The requested resource exceeds the maximum number allowed.", 400));
    replay.state = "STARTING";
    replay.started_ms = clock_.now_ms();
    FIXPOINT_CHECK(tx.execute(
        "INSERT INTO bus_replay (account, region, bus, name, partition, description, archive, destination, from_ms, "
        "to_ms, state, started_ms, ended_ms, last_event_ms, last_number, by_whom) VALUES "
        "(?,?,?,?,?,?,?,?,?,?,?,?,0,0,0,?)",
        {replay.bus.account, replay.bus.region, replay.bus.name, replay.name, replay.bus.partition, replay.description,
         replay.archive_arn, json::print(replay.destination), replay.from_ms, replay.to_ms, replay.state,
         replay.started_ms, replay.by}));
    return replay;
  });
}

Result<Replay> Archives::replay(const BusName& any, const std::string& name) {
  return store_.read([&](store::Session& session) -> Result<Replay> {
    FIXPOINT_TRY(found, query_replays(session, "WHERE account = ? AND region = ? AND name = ?",
                                      {any.account, any.region, name}));
    if (found.empty()) return fail(no_replay(name));
    return std::move(found[0]);
  });
}

Result<Replay> Archives::cancel(const BusName& any, const std::string& name) {
  FIXPOINT_TRY(found, replay(any, name));
  if (found.ended_ms != 0)
    return fail(errors::coded("IllegalStatusException",
                              "Replay " + name + " is not in a valid state for this operation.", 400));
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute(
        "UPDATE bus_replay SET state = 'CANCELLING' WHERE account = ? AND region = ? AND name = ? AND ended_ms = 0",
        {any.account, any.region, name}));
    return {};
  }));
  found.state = "CANCELLING";
  return std::move(found);
}

Result<std::vector<Replay>> Archives::replays(const BusName& any, const std::string& prefix,
                                              const std::string& archive_arn, const std::string& state) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Replay>> {
    FIXPOINT_TRY(all,
                 query_replays(session, "WHERE account = ? AND region = ? ORDER BY name", {any.account, any.region}));
    std::erase_if(all, [&](const Replay& one) {
      return !one.name.starts_with(prefix) || (!archive_arn.empty() && one.archive_arn != archive_arn) ||
             (!state.empty() && one.state != state);
    });
    return all;
  });
}

Result<bool> Archives::run_due(const Publish& publish) {
  FIXPOINT_TRY(open, store_.read([&](store::Session& session) {
    return query_replays(session, "WHERE ended_ms = 0 ORDER BY started_ms, name", {});
  }));
  bool more = false;
  Result<void> first;
  for (const Replay& replay : open) {
    const auto goes_on = advance(replay, publish);
    const auto done = goes_on || goes_on.error().retryable ? goes_on : give_up(replay, goes_on.error());
    if (!done && first) first = fail(done.error());
    more = more || done.value_or(false);
  }
  if (auto expired = expire(); !expired && first) first = expired;
  FIXPOINT_CHECK(first);
  return more;
}

// One that meets what cannot be read or put on the bus would meet it again each time.
Result<bool> Archives::give_up(const Replay& replay, const Error& error) {
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(
        tx.execute("UPDATE bus_replay SET state = 'FAILED', reason = ?, ended_ms = ? WHERE account = ? AND region = ? "
                   "AND name = ? AND ended_ms = 0",
                   {legible(describe(error)), clock_.now_ms(), replay.bus.account, replay.bus.region, replay.name}));
    return {};
  }));
  return false;
}

// A batch and how far it came are one transaction, so that nothing is replayed twice.
Result<bool> Archives::advance(Replay replay, const Publish& publish) {
  std::vector<Kept> batch;
  if (replay.state != "CANCELLING") {
    FIXPOINT_TRY(found, kept(replay.archive_arn, replay.from_ms, replay.to_ms, replay.last_number, events_a_batch));
    batch = std::move(found);
  }
  const bool cancelled = replay.state == "CANCELLING";
  const bool ends = cancelled || batch.size() < events_a_batch;
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    for (const Kept& one : batch) {
      auto event = json::parse_printed(one.event);
      if (!event)
        return fail(errors::coded(event.error().code, "the archive's event of " + format_iso8601_ms(one.at_ms) +
                                                          " cannot be read: " + event.error().message));
      event->set("replay-name", replay.name);
      FIXPOINT_CHECK(publish(tx, replay, *event));
      replay.last_number = one.number;
      replay.last_event_ms = one.at_ms;
    }
    FIXPOINT_CHECK(tx.execute(
        "UPDATE bus_replay SET state = CASE WHEN state = 'CANCELLING' AND ? = 0 THEN state ELSE ? END, ended_ms = ?, "
        "last_event_ms = ?, last_number = ? WHERE account = ? AND region = ? AND name = ?",
        {std::int64_t{ends},
         std::string(cancelled ? "CANCELLED"
                     : ends    ? "COMPLETED"
                               : "RUNNING"),
         ends ? clock_.now_ms() : TimeMs{0}, replay.last_event_ms, replay.last_number, replay.bus.account,
         replay.bus.region, replay.name}));
    return {};
  }));
  return !ends;
}

Result<void> Archives::expire() {
  const TimeMs now = clock_.now_ms();
  if (now - expired_ms_ < expiry_pause_ms) return {};
  expired_ms_ = now;
  FIXPOINT_TRY(archives, store_.read([&](store::Session& session) {
    return query(session, "WHERE retention_days > 0 ORDER BY arn", {});
  }));
  for (const Archive& archive : archives) {
    const TimeMs oldest = now - archive.retention_days * day_ms;
    FIXPOINT_CHECK(store::in_pieces(store_, [&](store::Transaction& tx) -> Result<std::int64_t> {
      FIXPOINT_TRY(rows, tx.query("SELECT number, octet_length(event) FROM bus_archived WHERE archive = ? AND "
                                  "at_ms < ? ORDER BY at_ms, number LIMIT ?",
                                  {archive.arn(), oldest, store::rows_a_piece}));
      std::int64_t bytes = 0;
      for (const store::Row& row : rows) {
        bytes += row.integer(1);
        FIXPOINT_CHECK(tx.execute("DELETE FROM bus_archived WHERE number = ?", {row.integer(0)}));
      }
      const auto events = static_cast<std::int64_t>(rows.size());
      // An archive of which all is gone holds nothing: that also sets right what counts of old versions left.
      if (events != 0)
        FIXPOINT_CHECK(
            tx.execute("UPDATE bus_archive SET events = events - ?, bytes = CASE WHEN events <= ? THEN 0 "
                       "ELSE bytes - ? END WHERE arn = ?",
                       {events, events, bytes, archive.arn()}));
      return events;
    }));
  }
  return {};
}

}  // namespace fixpoint::bus
