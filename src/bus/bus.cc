#include "bus/bus.h"

#include <algorithm>

#include "base/arn.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "patterns/machine.h"

namespace fixpoint::bus {
namespace {

using json::Value;

constexpr std::size_t targets_on_a_rule = 5;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

constexpr const char* tables = R"sql(
CREATE TABLE bus_rule (account TEXT NOT NULL, region TEXT NOT NULL, bus TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, pattern TEXT NOT NULL,
  description TEXT NOT NULL, role TEXT NOT NULL, enabled INTEGER NOT NULL, PRIMARY KEY (account, region, bus, name)) STRICT;
CREATE TABLE bus_target (account TEXT NOT NULL, region TEXT NOT NULL, bus TEXT NOT NULL, rule TEXT NOT NULL, id TEXT NOT NULL, arn TEXT NOT NULL, form TEXT NOT NULL,
  PRIMARY KEY (account, region, bus, rule, id)) STRICT;
CREATE INDEX bus_target_arn ON bus_target (arn);
)sql";

store::Params key(const BusName& bus) {
  return {bus.account, bus.region, bus.name};
}
store::Params key(const BusName& bus, const std::string& rule) {
  return {bus.account, bus.region, bus.name, rule};
}

Rule rule_of(store::Row& row) {
  Rule rule;
  rule.bus = {row.take(0), row.take(1), row.take(4), row.take(2)};
  rule.name = row.take(3);
  rule.pattern = row.take(5);
  rule.description = row.take(6);
  rule.role = row.take(7);
  rule.enabled = row.integer(8) != 0;
  return rule;
}
constexpr const char* rule_columns =
    "SELECT account, region, bus, name, partition, pattern, description, role, enabled FROM bus_rule ";

Result<Target> target_of(store::Row& row) {
  Target target;
  target.id = row.take(0);
  target.arn = row.take(1);
  FIXPOINT_TRY(form, json::parse(row.text(2)));
  target.form = std::move(form);
  return target;
}

// The words of EventBridge's own answer, which its recordings show: "Rule NAME does not exist on EventBus default."
Error no_rule(const BusName& bus, const std::string& name) {
  return errors::coded("ResourceNotFoundException", "Rule " + name + " does not exist on EventBus " + bus.name + ".",
                       400);
}

bool is_name(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

// A delivery's id is made of what it is about, so that the same event through the same rule has the same.
std::string digest(std::string_view text) {
  return sha256_hex(text).substr(0, 32);
}

Result<Value> input_of(const Target& target, const Value& event) {
  if (const Value* constant = target.form.find("Input")) return json::parse(constant->string_or("null"));
  if (const Value* path = target.form.find("InputPath")) {
    FIXPOINT_TRY(part, at_path(event, path->string_or("")));
    return part ? std::move(*part) : Value();
  }
  return event;
}

}  // namespace

std::string Rule::arn() const {
  return "arn:" + bus.partition + ":events:" + bus.region + ":" + bus.account + ":rule/" +
         (bus.name == "default" ? "" : bus.name + "/") + name;
}

std::string Delivery::name() const {
  return digest(rule_arn + "\n" + target.id + "\n" + std::string(event["id"].string_or("")));
}

// The enabled rules of every bus that has some, each bus with the machine of its rules.
struct Bus::Active {
  struct Entry {
    std::string arn;
    std::vector<Target> targets;
  };
  struct Group {
    std::map<std::string, Entry, std::less<>> entries;  // by the rule's name
    std::shared_ptr<const patterns::Machine> machine;
  };
  std::map<std::string, Group> groups;  // by account, region and name of the bus
  static std::string key(std::string_view account, std::string_view region, std::string_view bus) {
    return std::string(account) + "/" + std::string(region) + "/" + std::string(bus);
  }
};

store::Schema Bus::schema() {
  return {"bus", {tables}};
}

void Bus::add_target_kind(std::string service, Starter start, ArnCheck check) {
  kinds_[std::move(service)] = {std::move(start), std::move(check)};
}

Result<void> Bus::load() {
  FIXPOINT_TRY(active, store_.read([&](store::Session& session) { return read_active(session); }));
  std::lock_guard lock(mutex_);
  active_ = std::move(active);
  return {};
}

// What is published from now on sees the rules as they are committed, not before.
Result<void> Bus::reload(store::Transaction& tx) {
  FIXPOINT_TRY(active, read_active(tx));
  tx.after_commit([this, active = std::move(active)] {
    std::lock_guard lock(mutex_);
    active_ = active;
  });
  return {};
}

Result<std::shared_ptr<const Bus::Active>> Bus::read_active(store::Session& session) {
  auto active = std::make_shared<Active>();
  struct Compiled {
    std::string name;
    patterns::Pattern pattern;
  };
  std::map<std::string, std::vector<Compiled>> compiled;
  FIXPOINT_TRY(rows, session.query(std::string(rule_columns) + "WHERE enabled = 1"));
  for (store::Row& row : rows) {
    const Rule rule = rule_of(row);
    const std::string group = Active::key(rule.bus.account, rule.bus.region, rule.bus.name);
    FIXPOINT_TRY(pattern, patterns::compile(rule.pattern));
    compiled[group].push_back({rule.name, std::move(pattern)});
    Active::Entry& entry = active->groups[group].entries[rule.name];
    entry.arn = rule.arn();
    FIXPOINT_TRY(targets,
                 session.query("SELECT id, arn, form FROM bus_target WHERE account = ? AND region = ? AND bus = "
                               "? AND rule = ? ORDER BY id",
                               key(rule.bus, rule.name)));
    for (store::Row& one : targets) {
      FIXPOINT_TRY(target, target_of(one));
      entry.targets.push_back(std::move(target));
    }
  }
  for (const auto& [group, list] : compiled) {
    std::vector<patterns::Machine::Rule> rules;
    rules.reserve(list.size());
    for (const Compiled& one : list) rules.push_back({one.name, &one.pattern});
    active->groups[group].machine = patterns::Machine::build(rules);
  }
  return std::shared_ptr<const Active>(std::move(active));
}

Result<Rule> Bus::put_rule(Rule rule) {
  if (!is_name(rule.name, 64))
    return fail(errors::validation(
        "'" + rule.name.substr(0, 80) + "' is no rule name: 1 to 64 letters, digits, '.', '-' or '_'", "Name"));
  if (rule.pattern.size() > 4096)
    return fail(errors::validation(
        "the event pattern has " + std::to_string(rule.pattern.size()) + " characters; at most 4096 are taken",
        "EventPattern"));
  FIXPOINT_CHECK(patterns::compile(rule.pattern));
  FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO bus_rule VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (account, region, bus, name) DO UPDATE "
                   "SET pattern = "
                   "excluded.pattern, description = excluded.description, "
                   "role = excluded.role, enabled = excluded.enabled",
                   {rule.bus.account, rule.bus.region, rule.bus.name, rule.name, rule.bus.partition, rule.pattern,
                    rule.description, rule.role, std::int64_t{rule.enabled}}));
    return reload(tx);
  }));
  return rule;
}

Result<std::optional<Rule>> Bus::find_rule(const BusName& bus, const std::string& name) {
  return store_.read([&](store::Session& session) -> Result<std::optional<Rule>> {
    FIXPOINT_TRY(rows,
                 session.query(std::string(rule_columns) + "WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                               key(bus, name)));
    if (rows.empty()) return std::nullopt;
    return rule_of(rows[0]);
  });
}

Result<std::vector<Rule>> Bus::list_rules(const BusName& bus, const std::string& prefix) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Rule>> {
    FIXPOINT_TRY(rows,
                 session.query(std::string(rule_columns) + "WHERE account = ? AND region = ? AND bus = ? ORDER BY name",
                               key(bus)));
    std::vector<Rule> rules;
    for (store::Row& row : rows) {
      Rule rule = rule_of(row);
      if (rule.name.starts_with(prefix)) rules.push_back(std::move(rule));
    }
    return rules;
  });
}

Result<void> Bus::delete_rule(const BusName& bus, const std::string& name) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(targets,
                 tx.query("SELECT count(*) FROM bus_target WHERE account = ? AND region = ? AND bus = ? AND rule = ?",
                          key(bus, name)));
    if (targets[0].integer(0) > 0) return fail(errors::validation("Rule can't be deleted since it has targets."));
    FIXPOINT_CHECK(
        tx.execute("DELETE FROM bus_rule WHERE account = ? AND region = ? AND bus = ? AND name = ?", key(bus, name)));
    return reload(tx);
  });
}

Result<void> Bus::set_enabled(const BusName& bus, const std::string& name, bool enabled) {
  return store_.write([&](store::Transaction& tx) -> Result<void> {
    store::Params params{std::int64_t{enabled}};
    for (auto& part : key(bus, name)) params.push_back(part);
    FIXPOINT_TRY(changed,
                 tx.execute("UPDATE bus_rule SET enabled = ? WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                            params));
    if (changed == 0) return fail(no_rule(bus, name));
    return reload(tx);
  });
}

Result<Value> Bus::put_targets(const BusName& bus, const std::string& rule, const Value& targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Value& target = targets[i];
    const std::string place = "Targets[" + std::to_string(i) + "]";
    const std::string arn(target["Arn"].string_or(""));
    const auto parsed = parse_arn(arn);
    if (!parsed) return fail(errors::validation(place + ".Arn: " + parsed.error().message, place + ".Arn"));
    const auto kind = kinds_.find(parsed->service);
    if (kind == kinds_.end()) {
      std::string known;
      for (const auto& [name, ignored] : kinds_) known += (known.empty() ? "" : ", ") + name;
      return fail(errors::validation(
          place + ".Arn: targets of the service '" + parsed->service + "' are not there yet; there are " + known,
          place + ".Arn"));
    }
    FIXPOINT_CHECK(kind->second.second(arn));
    for (const auto* member : {"InputTransformer", "DeadLetterConfig", "RetryPolicy"})
      if (target.find(member) != nullptr)
        return fail(errors::validation(place + "." + member + " is not there yet; leave it out", place + "." + member));
    if (const Value* input = target.find("Input"); input != nullptr && !json::parse(input->string_or("")))
      return fail(errors::validation(place + ".Input has to be JSON text", place + ".Input"));
    if (const Value* path = target.find("InputPath")) FIXPOINT_CHECK(at_path(Value(), path->string_or("")));
  }
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM bus_rule WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                                key(bus, rule)));
    if (rows.empty()) return fail(no_rule(bus, rule));
    for (std::size_t i = 0; i < targets.size(); ++i) {
      store::Params params = key(bus, rule);
      for (const Value* part : {&targets[i]["Id"], &targets[i]["Arn"]})
        params.emplace_back(std::string(part->string_or("")));
      params.emplace_back(json::print(targets[i]));
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO bus_target VALUES (?,?,?,?,?,?,?) ON CONFLICT (account, region, bus, rule, id) DO "
                     "UPDATE SET arn = excluded.arn, form "
                     "= excluded.form",
                     params));
    }
    FIXPOINT_TRY(count,
                 tx.query("SELECT count(*) FROM bus_target WHERE account = ? AND region = ? AND bus = ? AND rule = ?",
                          key(bus, rule)));
    if (static_cast<std::size_t>(count[0].integer(0)) > targets_on_a_rule)
      return fail(
          errors::coded("LimitExceededException", "The requested resource exceeds the maximum number allowed.", 400));
    FIXPOINT_CHECK(reload(tx));
    return Value(json::Object{{"FailedEntryCount", 0}, {"FailedEntries", json::Array()}});
  });
}

Result<Value> Bus::remove_targets(const BusName& bus, const std::string& rule, const Value& ids) {
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM bus_rule WHERE account = ? AND region = ? AND bus = ? AND name = ?",
                                key(bus, rule)));
    if (rows.empty()) return fail(no_rule(bus, rule));
    json::Array failed;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      store::Params params = key(bus, rule);
      params.emplace_back(std::string(ids[i].string_or("")));
      FIXPOINT_TRY(
          removed,
          tx.execute("DELETE FROM bus_target WHERE account = ? AND region = ? AND bus = ? AND rule = ? AND id = ?",
                     params));
      if (removed == 0)
        failed.emplace_back(json::Object{{"TargetId", ids[i]},
                                         {"ErrorCode", "ResourceNotFoundException"},
                                         {"ErrorMessage", "Rule " + rule + " has no target with that id."}});
    }
    FIXPOINT_CHECK(reload(tx));
    return Value(json::Object{{"FailedEntryCount", failed.size()}, {"FailedEntries", failed}});
  });
}

Result<std::vector<Target>> Bus::list_targets(const BusName& bus, const std::string& rule) {
  FIXPOINT_TRY(found, find_rule(bus, rule));
  if (!found) return fail(no_rule(bus, rule));
  return store_.read([&](store::Session& session) -> Result<std::vector<Target>> {
    FIXPOINT_TRY(rows, session.query("SELECT id, arn, form FROM bus_target WHERE account = ? AND region = ? AND bus = "
                                     "? AND rule = ? ORDER BY id",
                                     key(bus, rule)));
    std::vector<Target> targets;
    for (store::Row& row : rows) {
      FIXPOINT_TRY(target, target_of(row));
      targets.push_back(std::move(target));
    }
    return targets;
  });
}

Result<std::vector<Rule>> Bus::list_rules_of_target(const BusName& bus, const std::string& arn) {
  return store_.read([&](store::Session& session) -> Result<std::vector<Rule>> {
    store::Params params = key(bus);
    params.emplace_back(arn);
    FIXPOINT_TRY(
        rows,
        session.query(
            std::string(rule_columns) +
                "r WHERE account = ? AND region = ? AND bus = ? AND EXISTS (SELECT 1 FROM bus_target t WHERE t.account "
                "= "
                "r.account AND t.region = r.region AND t.bus = r.bus AND t.rule = r.name AND t.arn = ?) ORDER BY name",
            params));
    std::vector<Rule> rules;
    for (store::Row& row : rows) rules.push_back(rule_of(row));
    return rules;
  });
}

Result<void> Bus::publish(store::Transaction& tx, const Value& event, const std::string& bus_name,
                          const Origin& origin) {
  std::shared_ptr<const Active> active;
  {
    std::lock_guard lock(mutex_);
    active = active_;
  }
  if (!active) return {};
  const auto group =
      active->groups.find(Active::key(event["account"].string_or(""), event["region"].string_or(""), bus_name));
  if (group == active->groups.end()) return {};
  thread_local patterns::Scratch scratch;
  std::vector<patterns::RuleId> matched;
  FIXPOINT_CHECK(group->second.machine->match(json::print(event), matched, scratch));
  for (const patterns::RuleId id : matched) {
    const auto entry = group->second.entries.find(group->second.machine->name(id));
    for (const Target& target : entry->second.targets) {
      const auto arn = parse_arn(target.arn);
      const auto kind = arn ? kinds_.find(arn->service) : kinds_.end();
      if (kind == kinds_.end()) continue;  // a kind that an older program knew; PutTargets takes none such
      FIXPOINT_TRY(input, input_of(target, event));
      FIXPOINT_CHECK(kind->second.first(tx, Delivery{entry->second.arn, target, event, std::move(input), origin}));
    }
  }
  return {};
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

Result<std::optional<Value>> at_path(const Value& document, std::string_view path) {
  const auto bad = [&] {
    return errors::validation(
        "'" + std::string(path.substr(0, 80)) + "' is no path; the form is $.detail.findings[0].Id", "InputPath");
  };
  if (!path.starts_with('$')) return fail(bad());
  path.remove_prefix(1);
  const Value* at = &document;
  while (!path.empty()) {
    if (path.front() == '.') {
      path.remove_prefix(1);
      const std::string_view name = path.substr(0, path.find_first_of(".["));
      if (name.empty()) return fail(bad());
      path.remove_prefix(name.size());
      at = at != nullptr ? at->find(name) : nullptr;
      continue;
    }
    if (path.front() != '[') return fail(bad());
    const auto close = path.find(']');
    if (close == std::string_view::npos) return fail(bad());
    std::string_view inner = path.substr(1, close - 1);
    path.remove_prefix(close + 1);
    if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"') && inner.back() == inner.front()) {
      at = at != nullptr ? at->find(inner.substr(1, inner.size() - 2)) : nullptr;
      continue;
    }
    const auto index = to_int64(inner);
    if (!index || *index < 0) return fail(bad());
    at = at != nullptr && at->is_array() && static_cast<std::size_t>(*index) < at->size()
             ? &(*at)[static_cast<std::size_t>(*index)]
             : nullptr;
  }
  if (at == nullptr) return std::nullopt;
  return *at;
}

}  // namespace fixpoint::bus
