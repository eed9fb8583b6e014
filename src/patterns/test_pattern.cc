#include "patterns/test_pattern.h"

#include <algorithm>

#include "patterns/describe.h"
#include "patterns/json_reader.h"
#include "patterns/machine.h"
#include "patterns/scratch.h"

namespace fixpoint::patterns {
namespace {

Result<void> check_event(std::string_view text) {
  JsonReader reader(text);
  std::string fault;
  if (reader.peek() != '{')
    fault = "an event is a JSON object";
  else if (!reader.skip_value(max_depth))
    fault = reader.fault();
  else if (reader.peek() != '\0' || !reader.at_end())
    fault = "nothing may follow the event's closing brace";
  else
    return {};
  const Place place = place_of(text, reader.position());
  return fail(errors::validation("The event is not valid JSON: " + fault,
                                 "line " + std::to_string(place.line) + ", column " + std::to_string(place.column)));
}

struct One {
  Pattern pattern;
  std::shared_ptr<const Machine> machine;
};

Result<One> prepare(std::string_view pattern_text, std::string_view event_text) {
  FIXPOINT_TRY(pattern, compile(pattern_text));
  FIXPOINT_CHECK(check_event(event_text));
  auto machine = Machine::build({{"rule", &pattern}});
  return One{std::move(pattern), std::move(machine)};
}

std::string held(const Scratch::State& state, std::uint32_t path) {
  std::vector<std::string> values;
  std::size_t more = 0;
  for (std::uint32_t l = state.leaves_of[path]; l != none; l = state.leaves[l].next) {
    const Leaf& leaf = state.leaves[l];
    std::string value(leaf.text().substr(0, 200));
    if (leaf.type == LeafType::Text) {
      value.insert(0, "\"");
      value += leaf.length > 200 ? "...\"" : "\"";
    }
    if (values.size() < 5)
      values.push_back(std::move(value));
    else
      ++more;
  }
  if (values.empty()) return "no value";
  std::reverse(values.begin(), values.end());
  std::string out;
  for (const std::string& value : values) {
    if (!out.empty()) out += ", ";
    out += value;
  }
  if (more > 0) out += " and " + std::to_string(more) + " more";
  return out;
}

}  // namespace

Result<bool> matches(std::string_view pattern_text, std::string_view event_text) {
  FIXPOINT_TRY(one, prepare(pattern_text, event_text));
  std::vector<RuleId> rules;
  Scratch scratch;
  FIXPOINT_CHECK(one.machine->match(event_text, rules, scratch));
  return !rules.empty();
}

Result<std::vector<Failure>> explain(std::string_view pattern_text, std::string_view event_text) {
  FIXPOINT_TRY(one, prepare(pattern_text, event_text));
  Scratch scratch;
  Scratch::State& state = scratch.state();
  const MachineData& data = one.machine->data();
  std::vector<Failure> failures;
  std::size_t offset = 0;
  const char* fault = "";
  if (!scan(data, state, event_text, offset, fault))
    return fail(errors::validation(std::string("The event is not valid JSON: ") + fault));
  for (std::size_t b = 0; b < data.sub_rules.size(); ++b) {
    const SubRule& sub = data.sub_rules[b];
    bool too_hard = false;
    if (consistent(data, state, sub, too_hard)) return std::vector<Failure>{};
    const std::size_t before = failures.size();
    for (const Pattern::Field& field : one.pattern.branches[b]) {
      // The machine numbers the paths in the pattern's order.
      const std::uint32_t path = field.path;
      const auto predicate = std::find_if(data.fields.begin() + sub.first, data.fields.begin() + sub.first + sub.count,
                                          [&](std::uint32_t p) { return data.predicates[p].path == path; });
      const Predicate& asked = data.predicates[*predicate];
      bool satisfied = asked.absent != 0 && state.leaves_of[path] == none;
      for (std::uint32_t l = state.leaves_of[path]; l != none && !satisfied; l = state.leaves[l].next)
        satisfied = holds(data, state, asked, state.leaves[l]);
      if (!satisfied)
        failures.push_back({b, one.pattern.paths[path], describe(one.pattern.tests[field.tests]), held(state, path)});
    }
    if (failures.size() > before) continue;
    Failure joint{b, "", "all fields in the same element of each array",
                  "each field holds, but only in different elements"};
    if (too_hard) joint.holds = "names repeated in so many ways that it cannot be matched";
    failures.push_back(std::move(joint));
  }
  return failures;
}

}  // namespace fixpoint::patterns
