#include "patterns/machine.h"

#include <algorithm>

#include "patterns/builder.h"
#include "patterns/json_reader.h"
#include "patterns/scratch.h"

namespace fixpoint::patterns {

Scratch::Scratch() : state_(std::make_unique<State>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

Machine::Machine(std::unique_ptr<const MachineData> data) : data_(std::move(data)) {}
Machine::~Machine() = default;

std::shared_ptr<const Machine> Machine::build(const std::vector<Rule>& rules) {
  std::vector<const Rule*> sorted;
  sorted.reserve(rules.size());
  for (const Rule& rule : rules) sorted.push_back(&rule);
  std::sort(sorted.begin(), sorted.end(), [](const Rule* x, const Rule* y) { return x->name < y->name; });
  Builder builder;
  for (const Rule* rule : sorted) builder.add(rule->name, *rule->pattern);
  return std::make_shared<const Machine>(builder.finish());
}

Result<void> Machine::match(std::string_view event_text, std::vector<RuleId>& out, Scratch& scratch) const {
  out.clear();
  Scratch::State& state = scratch.state();
  const MachineData& data = *data_;
  std::size_t offset = 0;
  const char* fault = "";
  if (!scan(data, state, event_text, offset, fault)) {
    state.forget();
    const Place place = place_of(event_text, offset);
    return fail(errors::validation(std::string("The event is not valid JSON: ") + fault,
                                   "line " + std::to_string(place.line) + ", column " + std::to_string(place.column)));
  }
  auto& candidates = state.candidates;
  if (!data.always.empty()) candidates.insert(candidates.end(), data.always.begin(), data.always.end());
  if (candidates.size() > 1) {
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  }
  bool too_hard = false;
  for (const std::uint32_t candidate : candidates) {
    const SubRule& sub = data.sub_rules[candidate];
    if (!out.empty() && out.back() == sub.rule) continue;
    if (consistent(data, state, sub, too_hard)) out.push_back(sub.rule);
  }
  state.forget();
  if (too_hard) {
    out.clear();
    return fail(
        errors::validation("The event repeats names in its objects in so many ways that it cannot be matched; "
                           "give every member of an object a name of its own"));
  }
  return {};
}

std::size_t Machine::rule_count() const {
  return data_->rule_names.size() - 1;
}

std::string_view Machine::name(RuleId rule) const {
  const std::uint32_t first = data_->rule_names[rule];
  return std::string_view(data_->names).substr(first, data_->rule_names[rule + 1] - first);
}

std::size_t Machine::bytes() const {
  const MachineData& d = *data_;
  const auto of = [](const auto& v) { return v.capacity() * sizeof(v[0]); };
  std::size_t sum = sizeof d + of(d.text) + of(d.tests) + of(d.predicates) + of(d.fields) + of(d.sub_rules) +
                    of(d.rule_names) + of(d.names) + of(d.numbers) + of(d.cidrs) + of(d.pieces) + of(d.nodes) +
                    of(d.slots) + of(d.paths) + of(d.entries) + of(d.filter) + of(d.gram_filter) + of(d.candidates) +
                    of(d.always);
  for (const PathIndex& index : d.paths)
    sum += of(index.prefixes) + of(index.suffixes) + of(index.folded_prefixes) + of(index.folded_suffixes) +
           of(index.v4_bits) + of(index.v6_bits) + of(index.scanned);
  return sum;
}

RuleSet::RuleSet() : machine_(Machine::build({})) {}

Result<void> RuleSet::apply(const std::vector<Change>& changes) {
  const std::lock_guard lock(changing_);
  std::vector<Stored> rules;
  std::vector<const Change*> sorted;
  sorted.reserve(changes.size());
  for (const Change& change : changes) sorted.push_back(&change);
  std::sort(sorted.begin(), sorted.end(),
            [](const Change* x, const Change* y) { return x->name != y->name ? x->name < y->name : x < y; });
  Builder builder;
  const auto add = [&](const std::string& name, const std::string& text) -> Result<void> {
    auto pattern = compile(text);
    if (!pattern) {
      Error error = std::move(pattern.error());
      error.where = "rule " + name + ", " + error.where;
      return fail(std::move(error));
    }
    builder.add(name, *pattern);
    return {};
  };
  // Both lists are by name; of several changes of one name the last one counts. Nothing of `rules_` moves before all of
  // it is known to be good.
  std::vector<std::pair<const std::string*, const std::string*>> merged;
  std::size_t i = 0;
  for (std::size_t c = 0; c < sorted.size(); ++c) {
    if (c + 1 < sorted.size() && sorted[c + 1]->name == sorted[c]->name) continue;
    const Change& change = *sorted[c];
    for (; i < rules_.size() && rules_[i].name < change.name; ++i)
      merged.push_back({&rules_[i].name, &rules_[i].pattern});
    if (i < rules_.size() && rules_[i].name == change.name) ++i;
    if (!change.pattern.empty()) merged.push_back({&change.name, &change.pattern});
  }
  for (; i < rules_.size(); ++i) merged.push_back({&rules_[i].name, &rules_[i].pattern});
  for (const auto& [name, text] : merged) FIXPOINT_CHECK(add(*name, *text));
  rules.reserve(merged.size());
  for (const auto& [name, text] : merged) rules.push_back({*name, *text});
  auto machine = std::make_shared<const Machine>(builder.finish());
  rules_ = std::move(rules);
  const std::lock_guard publish(publishing_);
  machine_ = std::move(machine);
  return {};
}

void RuleSet::remove(std::string_view name) {
  // Without a pattern there is nothing to refuse: the rules that are there were compiled before.
  (void)apply({{std::string(name), {}}});
}

std::shared_ptr<const Machine> RuleSet::machine() const {
  const std::lock_guard lock(publishing_);
  return machine_;
}

std::size_t RuleSet::size() const {
  return machine()->rule_count();
}

}  // namespace fixpoint::patterns
