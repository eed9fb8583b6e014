#include <algorithm>

#include "patterns/scratch.h"

namespace fixpoint::patterns {
namespace {

// Steps of plain trying, which settles nearly every event, before the tables are made.
constexpr std::size_t most_steps = 500;
// Sets of fields that are kept for one element. An event whose objects name each member once needs one.
constexpr std::size_t most_sets = 4096;
constexpr std::size_t most_fields = 64;
// Steps of trying where a field may be absent.
constexpr std::size_t most_absent_steps = 100'000;

// Two array elements may be chosen together unless somewhere above them one array would have to give two of its
// elements.
bool compatible(const std::vector<Element>& elements, std::uint32_t a, std::uint32_t b) {
  while (elements[a].depth > elements[b].depth) a = elements[a].parent;
  while (elements[b].depth > elements[a].depth) b = elements[b].parent;
  while (a != b) {
    const Element& x = elements[a];
    const Element& y = elements[b];
    if (x.parent == y.parent) return x.array != y.array;
    a = x.parent;
    b = y.parent;
  }
  return true;
}

enum class Answer { Yes, No, Unknown };

// Which elements satisfy which field, for the fields that are satisfied in elements only.
class Choices {
 public:
  explicit Choices(Scratch::State& state) : state_(state) {}

  std::uint32_t fields() const { return static_cast<std::uint32_t>(state_.ends.size()); }
  std::uint32_t begin(std::uint32_t field) const { return field == 0 ? 0 : state_.ends[field - 1]; }
  std::uint32_t end(std::uint32_t field) const { return state_.ends[field]; }
  std::uint32_t count(std::uint32_t field) const { return end(field) - begin(field); }
  std::uint32_t at(std::uint32_t i) const { return state_.choices[i]; }

 private:
  Scratch::State& state_;
};

class Trial {
 public:
  Trial(Scratch::State& state, const Choices& choices) : state_(state), choices_(choices) {}

  Answer run() {
    state_.chosen.clear();
    const bool found = choose(0);
    if (steps_ > most_steps) return Answer::Unknown;
    return found ? Answer::Yes : Answer::No;
  }

 private:
  bool choose(std::uint32_t field) {
    if (field == choices_.fields()) return true;
    for (std::uint32_t c = choices_.begin(field); c < choices_.end(field); ++c) {
      if (++steps_ > most_steps) return false;
      const std::uint32_t element = choices_.at(c);
      if (!std::all_of(state_.chosen.begin(), state_.chosen.end(),
                       [&](std::uint32_t other) { return compatible(state_.elements, other, element); }))
        continue;
      state_.chosen.push_back(element);
      const bool found = choose(field + 1);
      state_.chosen.pop_back();
      if (found) return true;
    }
    return false;
  }

  Scratch::State& state_;
  const Choices& choices_;
  std::size_t steps_ = 0;
};

// The same question in time linear in the number of elements: from the innermost elements outwards, which sets of
// fields can be satisfied together within each. Where all choices of a field lie in one array, an element of that array
// that does not satisfy it is of no use, so that but for repeated names one set is left.
class Tables {
 public:
  Tables(const Scratch::State& state, const Choices& choices) : elements_(state.elements), choices_(choices) {}

  Answer run() {
    if (choices_.fields() > most_fields) return Answer::Unknown;
    collect();
    for (std::size_t n = nodes_.size(); n-- > 0;) {
      if (!finish(n)) return answer_;
      if (n == 0) break;
      const std::uint32_t array = node_array_[n];
      for (const std::uint64_t set : sets_[n])
        if ((set & needed_[array]) == needed_[array] && !add(of_array_[array], set)) return Answer::Unknown;
      sets_[n] = {};
    }
    const std::uint64_t all = choices_.fields() == 64 ? ~0ULL : (1ULL << choices_.fields()) - 1;
    for (const std::uint64_t set : sets_[0])
      if (set == all) return Answer::Yes;
    return Answer::No;
  }

 private:
  std::size_t node_of(std::uint32_t element) const {
    return static_cast<std::size_t>(std::lower_bound(nodes_.begin(), nodes_.end(), element) - nodes_.begin());
  }

  void collect() {
    std::vector<bool> seen(elements_.size(), false);
    seen[0] = true;
    nodes_.push_back(0);
    for (std::uint32_t f = 0; f < choices_.fields(); ++f)
      for (std::uint32_t c = choices_.begin(f); c < choices_.end(f); ++c)
        for (std::uint32_t e = choices_.at(c); !seen[e]; e = elements_[e].parent) {
          seen[e] = true;
          nodes_.push_back(e);
        }
    std::sort(nodes_.begin(), nodes_.end());
    sets_.assign(nodes_.size(), {0});
    node_array_.assign(nodes_.size(), none);
    arrays_of_.resize(nodes_.size());
    std::vector<std::pair<std::uint32_t, std::size_t>> by_array;
    for (std::size_t n = 1; n < nodes_.size(); ++n) by_array.push_back({elements_[nodes_[n]].array, n});
    std::sort(by_array.begin(), by_array.end());
    for (std::size_t i = 0; i < by_array.size(); ++i) {
      if (i == 0 || by_array[i].first != by_array[i - 1].first) {
        arrays_of_[node_of(elements_[nodes_[by_array[i].second]].parent)].push_back(
            static_cast<std::uint32_t>(of_array_.size()));
        of_array_.emplace_back();
      }
      node_array_[by_array[i].second] = static_cast<std::uint32_t>(of_array_.size() - 1);
    }
    needed_.assign(of_array_.size(), 0);
    // How many choices of each field lie below each array; those of a field that all lie there make it needed there.
    std::vector<std::uint32_t> counts(nodes_.size());
    for (std::uint32_t f = 0; f < choices_.fields(); ++f) {
      std::fill(counts.begin(), counts.end(), 0);
      std::vector<std::uint32_t> of_array(of_array_.size(), 0);
      for (std::uint32_t c = choices_.begin(f); c < choices_.end(f); ++c) {
        const std::size_t n = node_of(choices_.at(c));
        sets_[n][0] |= 1ULL << f;
        ++counts[n];
      }
      for (std::size_t n = nodes_.size(); n-- > 1;) {
        of_array[node_array_[n]] += counts[n];
        counts[node_of(elements_[nodes_[n]].parent)] += counts[n];
      }
      for (std::size_t a = 0; a < of_array.size(); ++a)
        if (of_array[a] == choices_.count(f)) needed_[a] |= 1ULL << f;
    }
  }

  // Only sets that no other one holds are kept.
  static bool add(std::vector<std::uint64_t>& sets, std::uint64_t set) {
    for (const std::uint64_t other : sets)
      if ((other & set) == set) return true;
    sets.erase(std::remove_if(sets.begin(), sets.end(), [&](std::uint64_t other) { return (other & set) == other; }),
               sets.end());
    sets.push_back(set);
    return sets.size() <= most_sets;
  }

  bool finish(std::size_t n) {
    for (const std::uint32_t array : arrays_of_[n]) {
      const auto& choice = of_array_[array];
      if (choice.empty()) {
        if (needed_[array] == 0) continue;
        answer_ = Answer::No;
        return false;
      }
      std::vector<std::uint64_t> more;
      for (const std::uint64_t mine : sets_[n])
        for (const std::uint64_t set : choice)
          if (!add(more, mine | set)) {
            answer_ = Answer::Unknown;
            return false;
          }
      sets_[n] = std::move(more);
    }
    return true;
  }

  const std::vector<Element>& elements_;
  const Choices& choices_;
  std::vector<std::uint32_t> nodes_;  // the elements in question, ascending: an element comes after its parent
  std::vector<std::vector<std::uint64_t>> sets_;
  std::vector<std::uint32_t> node_array_;
  std::vector<std::vector<std::uint32_t>> arrays_of_;  // the arrays directly within a node
  std::vector<std::vector<std::uint64_t>> of_array_;
  std::vector<std::uint64_t> needed_;
  Answer answer_ = Answer::No;
};

// Where a field may be absent, the fields are taken in the order of their paths: absence means no value in the elements
// that were chosen so far.
class AbsentTrial {
 public:
  AbsentTrial(const MachineData& data, Scratch::State& state) : data_(data), state_(state) {}

  Answer run(const SubRule& sub) {
    for (std::uint32_t f = 0; f < sub.count; ++f) order_.push_back(data_.fields[sub.first + f]);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t x, std::uint32_t y) {
      return data_.paths[data_.predicates[x].path].rank < data_.paths[data_.predicates[y].path].rank;
    });
    state_.choices.clear();
    state_.ends.clear();
    state_.chosen.clear();
    for (const std::uint32_t p : order_) {
      const Predicate& predicate = data_.predicates[p];
      const auto start = state_.choices.size();
      for (std::uint32_t l = state_.leaves_of[predicate.path]; l != none; l = state_.leaves[l].next) {
        Leaf& leaf = state_.leaves[l];
        if (state_.choices.size() > start && state_.choices.back() == leaf.element) continue;
        if (holds(data_, state_, predicate, leaf)) state_.choices.push_back(leaf.element);
      }
      if (state_.choices.size() == start && predicate.absent == 0) return Answer::No;
      state_.ends.push_back(static_cast<std::uint32_t>(state_.choices.size()));
    }
    const bool found = choose(0);
    if (steps_ > most_absent_steps) return Answer::Unknown;
    return found ? Answer::Yes : Answer::No;
  }

 private:
  bool fits(std::uint32_t element) const {
    return std::all_of(state_.chosen.begin(), state_.chosen.end(),
                       [&](std::uint32_t other) { return compatible(state_.elements, other, element); });
  }

  bool choose(std::size_t at) {
    if (at == order_.size()) return true;
    const Predicate& predicate = data_.predicates[order_[at]];
    for (std::uint32_t c = at == 0 ? 0 : state_.ends[at - 1]; c < state_.ends[at]; ++c) {
      if (++steps_ > most_absent_steps) return false;
      const std::uint32_t element = state_.choices[c];
      if (!fits(element)) continue;
      state_.chosen.push_back(element);
      const bool found = choose(at + 1);
      state_.chosen.pop_back();
      if (found) return true;
    }
    if (predicate.absent == 0) return false;
    for (std::uint32_t l = state_.leaves_of[predicate.path]; l != none; l = state_.leaves[l].next) {
      if (++steps_ > most_absent_steps) return false;
      if (fits(state_.leaves[l].element)) return false;
    }
    return choose(at + 1);
  }

  const MachineData& data_;
  Scratch::State& state_;
  std::vector<std::uint32_t> order_;
  std::size_t steps_ = 0;
};

}  // namespace

bool consistent(const MachineData& data, Scratch::State& state, const SubRule& sub, bool& too_hard) {
  state.choices.clear();
  state.ends.clear();
  bool in_arrays = false;
  for (std::uint32_t f = 0; f < sub.count; ++f) {
    const Predicate& predicate = data.predicates[data.fields[sub.first + f]];
    std::uint32_t l = state.leaves_of[predicate.path];
    const auto start = static_cast<std::uint32_t>(state.choices.size());
    bool outside = false;
    for (; l != none && !outside; l = state.leaves[l].next) {
      Leaf& leaf = state.leaves[l];
      if (predicate.absent != 0) {
        in_arrays = in_arrays || leaf.element != 0;
      }
      // Leaves of one element follow each other.
      if (state.choices.size() > start && state.choices.back() == leaf.element) continue;
      if (!holds(data, state, predicate, leaf)) continue;
      // Outside of every array a field goes with any choice.
      outside = leaf.element == 0;
      state.choices.push_back(leaf.element);
    }
    if (state.choices.size() == start) {
      if (predicate.absent == 0) return false;
      // A value outside of every array is there whatever is chosen.
      for (l = state.leaves_of[predicate.path]; l != none; l = state.leaves[l].next)
        if (state.leaves[l].element == 0) return false;
      continue;
    }
    if (outside)
      state.choices.resize(start);
    else
      state.ends.push_back(static_cast<std::uint32_t>(state.choices.size()));
  }
  if (sub.absent != 0 && in_arrays) {
    const Answer answer = AbsentTrial(data, state).run(sub);
    if (answer == Answer::Unknown) too_hard = true;
    return answer == Answer::Yes;
  }
  if (state.ends.size() < 2) return true;
  const Choices choices(state);
  Answer answer = Trial(state, choices).run();
  if (answer == Answer::Unknown) answer = Tables(state, choices).run();
  if (answer == Answer::Unknown) too_hard = true;
  return answer == Answer::Yes;
}

}  // namespace fixpoint::patterns
