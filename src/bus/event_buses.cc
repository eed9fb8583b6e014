#include "bus/event_buses.h"

#include <unordered_set>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr std::size_t most_tags = 50;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-tagging.html

constexpr const char* columns =
    "SELECT account, region, name, partition, description, policy, dead_letter, kms_key, made_ms, changed_ms FROM "
    "event_bus ";

Error no_bus(const BusName& bus) {
  return errors::coded("ResourceNotFoundException", "Event bus " + bus.name + " does not exist.", 400);
}

Result<EventBus> bus_of(store::Row& row) {
  EventBus bus;
  bus.name = {row.take(0), row.take(1), row.take(3), row.take(2)};
  bus.description = row.take(4);
  FIXPOINT_TRY(policy, json::parse(row.text(5)));
  bus.policy = std::move(policy);
  FIXPOINT_TRY(dead_letter, json::parse(row.text(6)));
  bus.dead_letter = std::move(dead_letter);
  bus.kms_key = row.take(7);
  bus.made_ms = row.integer(8);
  bus.changed_ms = row.integer(9);
  return bus;
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html: no slash, 256 characters.
bool is_bus_name(std::string_view text) {
  return !text.empty() && text.size() <= 256 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

bool names(const Value& principal, const std::string& account) {
  if (principal.is_array()) {
    for (const Value& one : principal.as_array())
      if (names(one, account)) return true;
    return false;
  }
  const std::string_view text = principal.string_or("");
  return text == "*" || text == account || text.find("::" + account + ":") != std::string_view::npos;
}

}  // namespace

std::string BusName::arn() const {
  return "arn:" + partition + ":events:" + region + ":" + account + ":event-bus/" + name;
}

bool allows(const Value& policy, const std::string& account) {
  bool allowed = false;
  const Value& statements = policy["Statement"];
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const Value& statement = statements[i];
    const Value& principal = statement["Principal"];
    const Value& action = statement["Action"];
    bool puts = false;
    for (const auto* name : {"events:PutEvents", "events:*", "*"}) {
      puts = puts || action.string_or("") == name;
      for (std::size_t a = 0; action.is_array() && a < action.size(); ++a)
        puts = puts || action[a].string_or("") == name;
    }
    if (!puts || !(names(principal, account) || names(principal["AWS"], account))) continue;
    // A condition that is not understood allows nobody, and stops nobody from being refused.
    if (statement["Effect"].string_or("") == "Deny") return false;
    if (statement["Effect"].string_or("") == "Allow" && statement["Condition"].is_null()) allowed = true;
  }
  return allowed;
}

Result<void> EventBuses::write(store::Transaction& tx, const EventBus& bus) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO event_bus (account, region, name, partition, description, policy, dead_letter, kms_key, made_ms, "
      "changed_ms) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (account, region, name) DO UPDATE SET description = "
      "excluded.description, policy = excluded.policy, dead_letter = excluded.dead_letter, kms_key = excluded.kms_key, "
      "changed_ms = excluded.changed_ms",
      {bus.name.account, bus.name.region, bus.name.name, bus.name.partition, bus.description, json::print(bus.policy),
       json::print(bus.dead_letter), bus.kms_key, bus.made_ms, bus.changed_ms}));
  return {};
}

Result<EventBus> EventBuses::get(store::Session& session, const BusName& bus) {
  FIXPOINT_TRY(rows, session.query(std::string(columns) + "WHERE account = ? AND region = ? AND name = ?",
                                   {bus.account, bus.region, bus.name}));
  if (!rows.empty()) return bus_of(rows[0]);
  if (bus.name != "default") return fail(no_bus(bus));
  EventBus plain;
  plain.name = bus;
  return plain;
}

Result<EventBus> EventBuses::get(const BusName& bus) {
  return store_.read([&](store::Session& session) { return get(session, bus); });
}

Result<EventBus> EventBuses::create(EventBus bus) {
  if (!is_bus_name(bus.name.name))
    return fail(errors::validation(
        "'" + bus.name.name.substr(0, 80) + "' is no name for an event bus: 1 to 256 letters, digits, '.', '-' or '_'",
        "Name"));
  return store_.write([&](store::Transaction& tx) -> Result<EventBus> {
    if (get(tx, bus.name))
      return fail(
          errors::coded("ResourceAlreadyExistsException", "Event bus " + bus.name.name + " already exists.", 400));
    bus.made_ms = bus.changed_ms = clock_.now_ms();
    FIXPOINT_CHECK(write(tx, bus));
    return bus;
  });
}

template <class Change>
Result<void> EventBuses::change(const BusName& name, Change change) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(bus, get(tx, name));
    FIXPOINT_CHECK(change(bus));
    bus.changed_ms = clock_.now_ms();
    if (bus.made_ms == 0) bus.made_ms = bus.changed_ms;
    return write(tx, bus);
  });
}

Result<EventBus> EventBuses::update(EventBus wanted) {
  FIXPOINT_CHECK(change(wanted.name, [&](EventBus& bus) -> Result<void> {
    bus.description = wanted.description;
    bus.dead_letter = wanted.dead_letter;
    bus.kms_key = wanted.kms_key;
    return {};
  }));
  return get(wanted.name);
}

Result<void> EventBuses::remove(const BusName& bus) {
  if (bus.name == "default") return fail(errors::validation("Cannot delete event bus default."));
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(get(tx, bus));
    const store::Params key{bus.account, bus.region, bus.name};
    FIXPOINT_TRY(rules, tx.query("SELECT 1 FROM bus_rule WHERE account = ? AND region = ? AND bus = ? LIMIT 1", key));
    if (!rules.empty())
      return fail(errors::validation("Event bus " + bus.name + " can't be deleted since it has rules."));
    FIXPOINT_CHECK(tx.execute("DELETE FROM event_bus WHERE account = ? AND region = ? AND name = ?", key));
    return drop_tags(tx, bus.arn());
  });
}

Result<std::vector<EventBus>> EventBuses::list(const BusName& any, const std::string& prefix) {
  return store_.read([&](store::Session& session) -> Result<std::vector<EventBus>> {
    BusName first = any;
    first.name = "default";
    std::vector<EventBus> out;
    FIXPOINT_TRY(plain, get(session, first));
    if (first.name.starts_with(prefix)) out.push_back(std::move(plain));
    FIXPOINT_TRY(rows, session.query(std::string(columns) +
                                         "WHERE account = ? AND region = ? AND name <> 'default' ORDER BY name",
                                     {any.account, any.region}));
    for (store::Row& row : rows) {
      FIXPOINT_TRY(bus, bus_of(row));
      if (bus.name.name.starts_with(prefix)) out.push_back(std::move(bus));
    }
    return out;
  });
}

Result<void> EventBuses::put_statement(const BusName& name, const Value& statement) {
  return change(name, [&](EventBus& bus) -> Result<void> {
    json::Array statements;
    const std::string_view sid = statement["Sid"].string_or("");
    const Value& old = bus.policy["Statement"];
    for (std::size_t i = 0; i < old.size(); ++i)
      if (old[i]["Sid"].string_or("") != sid) statements.push_back(old[i]);
    statements.push_back(statement);
    bus.policy = json::Object{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}};
    if (json::print(bus.policy).size() >
        10'240)  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
      return fail(errors::coded("PolicyLengthExceededException",
                                "The event bus policy is too long: 10240 characters are taken.", 400));
    return {};
  });
}

Result<void> EventBuses::put_policy(const BusName& name, const Value& policy) {
  if (!policy.is_object() || !policy["Statement"].is_array())
    return fail(errors::validation("Policy is no policy document: it has to be a JSON object with a list of Statements",
                                   "Policy"));
  return change(name, [&](EventBus& bus) -> Result<void> {
    bus.policy = policy;
    return {};
  });
}

Result<void> EventBuses::remove_statement(const BusName& name, const std::optional<std::string>& sid) {
  return change(name, [&](EventBus& bus) -> Result<void> {
    json::Array left;
    const Value& old = bus.policy["Statement"];
    for (std::size_t i = 0; sid && i < old.size(); ++i)
      if (old[i]["Sid"].string_or("") != *sid) left.push_back(old[i]);
    if (sid && left.size() == old.size())
      return fail(errors::coded("ResourceNotFoundException", "Statement with the provided id does not exist.", 400));
    bus.policy =
        left.empty() ? Value() : Value(json::Object{{"Version", "2012-10-17"}, {"Statement", std::move(left)}});
    return {};
  });
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-tagging.html: "aws:" at the start is AWS's own.
Result<void> EventBuses::check_tags(const Value& tags) {
  if (tags.size() > most_tags) return fail(errors::validation("a resource takes at most 50 tags", "Tags"));
  for (std::size_t i = 0; i < tags.size(); ++i)
    if (const std::string_view key = tags[i]["Key"].string_or(""); to_lower(key).starts_with("aws:"))
      return fail(errors::validation(
          "the tag '" + std::string(key) + "' begins with aws:, which AWS keeps for itself; use another key", "Tags"));
  return {};
}

Result<void> EventBuses::tag(const std::string& arn, const Value& tags) {
  FIXPOINT_CHECK(check_tags(tags));
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    for (std::size_t i = 0; i < tags.size(); ++i)
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO bus_tag (arn, key, value) VALUES (?, ?, ?) ON CONFLICT (arn, key) DO UPDATE "
                     "SET value = excluded.value",
                     {arn, std::string(tags[i]["Key"].string_or("")), std::string(tags[i]["Value"].string_or(""))}));
    FIXPOINT_TRY(count, tx.query("SELECT count(*) FROM bus_tag WHERE arn = ?", {arn}));
    if (static_cast<std::size_t>(count[0].integer(0)) > most_tags)
      return fail(errors::validation("a resource takes at most 50 tags", "Tags"));
    return {};
  });
}

Result<void> EventBuses::untag(const std::string& arn, const Value& keys) {
  std::unordered_set<std::string_view> gone;
  for (std::size_t i = 0; i < keys.size(); ++i) gone.insert(keys[i].string_or(""));
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(there, tx.query("SELECT key FROM bus_tag WHERE arn = ?", {arn}));
    for (const store::Row& row : there)
      if (gone.contains(row.text(0)))
        FIXPOINT_CHECK(tx.execute("DELETE FROM bus_tag WHERE arn = ? AND key = ?", {arn, row.text(0)}));
    return {};
  });
}

Result<Value> EventBuses::tags(const std::string& arn) {
  return store_.read([&](store::Session& session) -> Result<Value> {
    FIXPOINT_TRY(rows, session.query("SELECT key, value FROM bus_tag WHERE arn = ? ORDER BY key", {arn}));
    json::Array out;
    for (store::Row& row : rows) out.emplace_back(json::Object{{"Key", row.take(0)}, {"Value", row.take(1)}});
    return Value(std::move(out));
  });
}

Result<void> EventBuses::drop_tags(store::Transaction& tx, const std::string& arn) {
  FIXPOINT_CHECK(tx.execute("DELETE FROM bus_tag WHERE arn = ?", {arn}));
  return {};
}

}  // namespace fixpoint::bus
