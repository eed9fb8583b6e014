// Archives and replays.
#include "aws/verify.h"
#include "base/arn.h"
#include "base/utf8.h"
#include "services/events/events.h"
#include "services/events/page.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr std::size_t longest_reason = 512;

bus::BusName here(const aws::Caller& caller) {
  return {caller.account, caller.region, caller.partition, "default"};
}

Value archive_json(const bus::Archive& archive) {
  return json::Object{{"ArchiveName", archive.name},
                      {"EventSourceArn", archive.bus.arn()},
                      {"State", "ENABLED"},
                      {"RetentionDays", archive.retention_days},
                      {"SizeBytes", archive.bytes},
                      {"EventCount", archive.events},
                      {"CreationTime", seconds(archive.made_ms)}};
}

Value archive_answer(const bus::Archive& archive) {
  return json::Object{{"ArchiveArn", archive.arn()}, {"State", "ENABLED"}, {"CreationTime", seconds(archive.made_ms)}};
}

Value replay_json(const bus::Replay& replay) {
  json::Object out{{"ReplayName", replay.name},
                   {"EventSourceArn", replay.archive_arn},
                   {"State", replay.state},
                   {"EventStartTime", seconds(replay.from_ms)},
                   {"EventEndTime", seconds(replay.to_ms)},
                   {"ReplayStartTime", seconds(replay.started_ms)}};
  if (!replay.reason.empty()) out.set("StateReason", std::string(first_bytes(replay.reason, longest_reason)));
  if (replay.last_event_ms != 0) out.set("EventLastReplayedTime", seconds(replay.last_event_ms));
  if (replay.ended_ms != 0) out.set("ReplayEndTime", seconds(replay.ended_ms));
  return out;
}

Result<void> no_key(const Value& input) {
  if (!input["KmsKeyIdentifier"].string_or("").empty())
    return fail(
        errors::not_implemented("archives under a key of their own are not there in this version; leave "
                                "KmsKeyIdentifier out",
                                "KmsKeyIdentifier"));
  return {};
}

}  // namespace

void Events::add_archives(aws::ServiceTable& table) {
  table.add("CreateArchive", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(no_key(input));
    bus::Archive archive;
    FIXPOINT_TRY(bus, bus_of(caller, input["EventSourceArn"]));
    archive.bus = std::move(bus);
    archive.name = input["ArchiveName"].string_or("");
    archive.description = input["Description"].string_or("");
    archive.pattern = input["EventPattern"].string_or("");
    archive.retention_days = input["RetentionDays"].int_or(0);
    FIXPOINT_TRY(made, bus_.create_archive(std::move(archive)));
    return archive_answer(made);
  });
  table.add("UpdateArchive", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(no_key(input));
    const auto text = [&](const char* member) -> std::optional<std::string> {
      const Value* value = input.find(member);
      return value != nullptr && value->is_string() ? std::optional<std::string>(value->as_string()) : std::nullopt;
    };
    std::optional<std::int64_t> days;
    if (const Value* value = input.find("RetentionDays")) days = value->as_int64();
    FIXPOINT_TRY(archive, bus_.update_archive(here(caller), std::string(input["ArchiveName"].string_or("")),
                                              text("Description"), text("EventPattern"), days));
    return archive_answer(archive);
  });
  table.add("DeleteArchive", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(bus_.delete_archive(here(caller), std::string(input["ArchiveName"].string_or(""))));
    return Value(json::Object());
  });
  table.add_quick("DescribeArchive", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(archive, bus_.archives().get(here(caller), std::string(input["ArchiveName"].string_or(""))));
    Value out = archive_json(archive);
    out.set("ArchiveArn", archive.arn());
    if (!archive.description.empty()) out.set("Description", archive.description);
    if (!archive.pattern.empty()) out.set("EventPattern", archive.pattern);
    return out;
  });
  table.add_quick("ListArchives", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    std::string of_bus;
    if (const Value* source = input.find("EventSourceArn"); source != nullptr && source->is_string()) {
      FIXPOINT_TRY(bus, bus_of(caller, *source));
      FIXPOINT_CHECK(bus_.buses().get(bus));
      of_bus = bus.name;
    }
    FIXPOINT_TRY(archives, bus_.archives().list(here(caller), std::string(input["NamePrefix"].string_or("")), of_bus));
    json::Array items;
    // Every archive is enabled, so that any other state is that of none.
    if (input["State"].string_or("ENABLED") == "ENABLED")
      for (const auto& archive : archives) items.push_back(archive_json(archive));
    return page_of(items, input, "Archives");
  });
  table.add("StartReplay", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    bus::Replay replay;
    FIXPOINT_TRY(bus, bus_of(caller, input["Destination"]["Arn"]));
    replay.bus = std::move(bus);
    FIXPOINT_CHECK(bus_.buses().get(replay.bus));
    replay.name = input["ReplayName"].string_or("");
    replay.description = input["Description"].string_or("");
    replay.archive_arn = input["EventSourceArn"].string_or("");
    replay.destination = input["Destination"];
    replay.from_ms = ms_of(input["EventStartTime"]);
    replay.to_ms = ms_of(input["EventEndTime"]);
    if (caller.principal && caller.principal->execution.empty()) replay.by = caller.principal->person();
    FIXPOINT_TRY(started, bus_.archives().start(std::move(replay)));
    return Value(json::Object{
        {"ReplayArn", started.arn()}, {"State", started.state}, {"ReplayStartTime", seconds(started.started_ms)}});
  });
  table.add("CancelReplay", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(replay, bus_.archives().cancel(here(caller), std::string(input["ReplayName"].string_or(""))));
    bus_.wake();
    return Value(json::Object{{"ReplayArn", replay.arn()}, {"State", replay.state}});
  });
  table.add_quick("DescribeReplay", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(replay, bus_.archives().replay(here(caller), std::string(input["ReplayName"].string_or(""))));
    Value out = replay_json(replay);
    out.set("ReplayArn", replay.arn());
    out.set("Destination", replay.destination);
    if (!replay.description.empty()) out.set("Description", replay.description);
    return out;
  });
  table.add_quick("ListReplays", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(replays, bus_.archives().replays(here(caller), std::string(input["NamePrefix"].string_or("")),
                                                  std::string(input["EventSourceArn"].string_or("")),
                                                  std::string(input["State"].string_or(""))));
    json::Array items;
    for (const auto& replay : replays) items.push_back(replay_json(replay));
    return page_of(items, input, "Replays");
  });
}

}  // namespace fixpoint::services
