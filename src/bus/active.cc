#include "bus/active.h"

#include "bus/rows.h"

namespace fixpoint::bus {
namespace {

Result<std::shared_ptr<ActiveRule>> made(std::string arn, std::string name, std::string pattern) {
  auto rule = std::make_shared<ActiveRule>();
  rule->arn = std::move(arn);
  rule->name = std::move(name);
  rule->pattern_text = std::move(pattern);
  if (!rule->pattern_text.empty()) {
    FIXPOINT_TRY(compiled, patterns::compile(rule->pattern_text));
    rule->pattern = std::make_shared<const patterns::Pattern>(std::move(compiled));
  }
  return rule;
}

// Of a row that begins with id, arn, form.
Result<void> add_target(ActiveRule& rule, store::Row& row) {
  FIXPOINT_TRY(target, target_of(row));
  FIXPOINT_TRY(input, TargetInput::read(target.form));
  rule.targets.push_back({std::move(target), std::move(input)});
  return {};
}

}  // namespace

std::shared_ptr<const ActiveBus> ActiveBus::with(const std::string& place,
                                                 std::shared_ptr<const ActiveRule> rule) const {
  auto out = std::make_shared<ActiveBus>();
  out->entries_ = entries_;
  const auto there = entries_.find(place);
  const std::string before = there == entries_.end() ? std::string() : there->second->pattern_text;
  const std::string after = rule == nullptr ? std::string() : rule->pattern_text;
  if (before == after) out->machine_ = machine_;
  if (rule == nullptr)
    out->entries_.erase(place);
  else
    out->entries_.insert_or_assign(place, std::move(rule));
  return out;
}

const ActiveRule* ActiveBus::rule(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.get();
}

Result<void> ActiveBus::match(std::string_view event_text,
                              const std::function<Result<void>(const ActiveRule&)>& each) const {
  std::call_once(machine_->once, [&] {
    std::vector<patterns::Machine::Rule> rules;
    for (const auto& [place, rule] : entries_)
      if (rule->pattern) rules.push_back({place, rule->pattern.get()});
    machine_->made = patterns::Machine::build(rules);
  });
  const patterns::Machine& machine = *machine_->made;
  std::call_once(once_, [&] {
    for (std::size_t id = 0; id < machine.rule_count(); ++id)
      by_id_.push_back(entries_.find(machine.name(static_cast<patterns::RuleId>(id)))->second.get());
  });
  thread_local patterns::Scratch scratch;
  std::vector<patterns::RuleId> matched;
  FIXPOINT_CHECK(machine.match(event_text, matched, scratch));
  for (const patterns::RuleId id : matched) FIXPOINT_CHECK(each(*by_id_[id]));
  return {};
}

Result<ActiveRules> ActiveRules::read(store::Session& session, const std::vector<Archive>& archives) {
  std::map<std::string, std::map<std::string, std::shared_ptr<ActiveRule>>> read;
  FIXPOINT_TRY(rules, session.query(std::string(rule_columns) + "WHERE enabled > 0"));
  for (store::Row& row : rules) {
    Rule rule = rule_of(row);
    FIXPOINT_TRY(active, made(rule.arn(), rule.name, rule.pattern));
    read[key(rule.bus)][active->place()] = std::move(active);
  }
  FIXPOINT_TRY(targets, session.query("SELECT id, arn, form, account, region, bus, rule FROM bus_target ORDER BY "
                                      "account, region, bus, rule, id"));
  for (store::Row& row : targets) {
    const auto bus = read.find(key({row.text(3), row.text(4), "aws", row.text(5)}));
    if (bus == read.end()) continue;
    const auto rule = bus->second.find(row.text(6));
    if (rule != bus->second.end()) FIXPOINT_CHECK(add_target(*rule->second, row));  // else it is disabled
  }
  std::map<std::string, std::shared_ptr<ActiveBus>> buses;
  const auto place = [&](const std::string& at, std::shared_ptr<const ActiveRule> rule) {
    auto& bus = buses[at];
    if (bus == nullptr) bus = std::make_shared<ActiveBus>();
    std::string name = rule->place();
    bus->entries_.emplace(std::move(name), std::move(rule));
  };
  for (auto& [at, rules_there] : read)
    for (auto& [name, rule] : rules_there) place(at, std::move(rule));
  for (const Archive& archive : archives) {
    FIXPOINT_TRY(active, of(archive));
    place(key(archive.bus), std::move(active));
  }
  ActiveRules out;
  out.buses.insert(buses.begin(), buses.end());
  return out;
}

Result<std::shared_ptr<const ActiveRule>> ActiveRules::read(store::Session& session, const BusName& bus,
                                                            const std::string& name) {
  const store::Params key{bus.account, bus.region, bus.name, name};
  FIXPOINT_TRY(rows, session.query(std::string(rule_columns) +
                                       "WHERE account = ? AND region = ? AND bus = ? AND name = ? AND enabled > 0",
                                   key));
  if (rows.empty()) return std::shared_ptr<const ActiveRule>();
  const Rule rule = rule_of(rows[0]);
  FIXPOINT_TRY(active, made(rule.arn(), rule.name, rule.pattern));
  FIXPOINT_TRY(targets, session.query("SELECT id, arn, form FROM bus_target WHERE account = ? AND region = ? AND bus = "
                                      "? AND rule = ? ORDER BY id",
                                      key));
  for (store::Row& row : targets) FIXPOINT_CHECK(add_target(*active, row));
  return std::shared_ptr<const ActiveRule>(std::move(active));
}

Result<std::shared_ptr<const ActiveRule>> ActiveRules::of(const Archive& archive) {
  FIXPOINT_TRY(active, made(archive.arn(), archive.name,
                            archive.pattern.empty() ? R"({"account": [{"exists": true}]})" : archive.pattern));
  active->is_archive = true;
  return std::shared_ptr<const ActiveRule>(std::move(active));
}

}  // namespace fixpoint::bus
