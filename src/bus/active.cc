#include "bus/active.h"

#include "bus/rows.h"

namespace fixpoint::bus {

class ActiveBusBuilder {
 public:
  // A rule without a pattern has a schedule alone.
  Result<ActiveRule*> add(const std::string& name, ActiveRule rule, const std::string& pattern) {
    if (!pattern.empty()) {
      FIXPOINT_TRY(compiled, patterns::compile(pattern));
      compiled_.push_back({name, std::move(compiled)});
    }
    return &bus_->entries_.insert_or_assign(name, std::move(rule)).first->second;
  }
  ActiveRule* find(const std::string& name) {
    const auto found = bus_->entries_.find(name);
    return found == bus_->entries_.end() ? nullptr : &found->second;
  }
  std::shared_ptr<const ActiveBus> finish() {
    std::vector<patterns::Machine::Rule> rules;
    rules.reserve(compiled_.size());
    for (const Compiled& one : compiled_) rules.push_back({one.name, &one.pattern});
    bus_->machine_ = patterns::Machine::build(rules);
    for (std::size_t id = 0; id < bus_->machine_->rule_count(); ++id)
      bus_->by_id_.push_back(&bus_->entries_.find(bus_->machine_->name(static_cast<patterns::RuleId>(id)))->second);
    return bus_;
  }

 private:
  struct Compiled {
    std::string name;
    patterns::Pattern pattern;
  };
  std::shared_ptr<ActiveBus> bus_ = std::make_shared<ActiveBus>();
  std::vector<Compiled> compiled_;
};

const ActiveRule* ActiveBus::rule(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

Result<void> ActiveBus::match(std::string_view event_text,
                              const std::function<Result<void>(const ActiveRule&)>& each) const {
  thread_local patterns::Scratch scratch;
  std::vector<patterns::RuleId> matched;
  FIXPOINT_CHECK(machine_->match(event_text, matched, scratch));
  for (const patterns::RuleId id : matched) FIXPOINT_CHECK(each(*by_id_[id]));
  return {};
}

Result<void> ActiveRules::read(store::Session& session, const BusName* bus, const std::vector<Archive>& archives,
                               ActiveRules& into) {
  const std::string where = bus == nullptr ? "" : " AND account = ? AND region = ? AND bus = ?";
  store::Params params;
  if (bus != nullptr) params = {bus->account, bus->region, bus->name};
  std::map<std::string, ActiveBusBuilder> builders;
  FIXPOINT_TRY(rules, session.query(std::string(rule_columns) + "WHERE enabled = 1" + where, params));
  for (store::Row& row : rules) {
    const Rule rule = rule_of(row);
    FIXPOINT_CHECK(builders[key(rule.bus)].add(rule.name, {rule.arn(), rule.name, {}}, rule.pattern));
  }
  FIXPOINT_TRY(targets, session.query("SELECT id, arn, form, account, region, bus, rule FROM bus_target WHERE 1 = 1" +
                                          where + " ORDER BY account, region, bus, rule, id",
                                      params));
  for (store::Row& row : targets) {
    FIXPOINT_TRY(target, target_of(row));
    const auto builder = builders.find(key({row.text(3), row.text(4), "aws", row.text(5)}));
    ActiveRule* rule = builder == builders.end() ? nullptr : builder->second.find(row.text(6));
    if (rule == nullptr) continue;  // disabled
    FIXPOINT_TRY(input, TargetInput::read(target.form));
    rule->targets.push_back({std::move(target), std::move(input)});
  }
  for (const Archive& archive : archives) {
    if (bus != nullptr && key(archive.bus) != key(*bus)) continue;
    FIXPOINT_CHECK(builders[key(archive.bus)].add(
        "/" + archive.name, {archive.arn(), archive.name, {}, true},
        archive.pattern.empty() ? R"({"account": [{"exists": true}]})" : archive.pattern));
  }
  for (auto& [name, builder] : builders) into.buses[name] = builder.finish();
  return {};
}

}  // namespace fixpoint::bus
