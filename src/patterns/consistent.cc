#include <algorithm>

#include "patterns/scratch.h"

namespace fixpoint::patterns {
namespace {

// Steps of the search for one branch in one event. An event whose objects name each member once stays far below.
constexpr std::size_t most_steps = 4'000'000;

// Two array elements may be chosen together unless somewhere above them one array would have to give two of its elements.
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

class Search {
 public:
  Search(const MachineData& data, Scratch::State& state, const SubRule& sub) : data_(data), state_(state), sub_(sub) {}

  bool run(bool& too_hard) {
    state_.choices.clear();
    state_.ends.clear();
    state_.chosen.clear();
    fields_.clear();
    for (std::uint32_t f = 0; f < sub_.count; ++f) {
      const Predicate& predicate = data_.predicates[data_.fields[sub_.first + f]];
      if (!gather(predicate)) return false;
    }
    if (state_.ends.empty()) return absences_hold();
    // The field with the fewest choices first: what it rules out is ruled out once.
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t x, std::uint32_t y) { return count(x) != count(y) ? count(x) < count(y) : x < y; });
    const bool found = choose(0);
    if (steps_ > most_steps) too_hard = true;
    return found;
  }

 private:
  std::uint32_t begin(std::uint32_t i) const { return i == 0 ? 0 : state_.ends[i - 1]; }
  std::uint32_t count(std::uint32_t i) const { return state_.ends[i] - begin(i); }

  // The elements in which the field is satisfied, each once; false where there is none and must be one.
  bool gather(const Predicate& predicate) {
    const auto start = static_cast<std::uint32_t>(state_.choices.size());
    for (std::uint32_t l = state_.leaves_of[predicate.path]; l != none; l = state_.leaves[l].next) {
      Leaf& leaf = state_.leaves[l];
      if (state_.choices.size() > start && state_.choices.back() == leaf.element) continue;
      if (!holds(data_, state_, predicate, leaf)) continue;
      // Outside of every array the choice costs nothing, and is as good as any where no field has to be absent.
      if (leaf.element == 0 && sub_.absent == 0) {
        state_.choices.resize(start);
        return true;
      }
      state_.choices.push_back(leaf.element);
    }
    if (predicate.absent != 0) {
      if (state_.leaves_of[predicate.path] == none) {
        state_.choices.resize(start);
        return true;
      }
      if (state_.choices.size() == start) {
        must_be_absent_.push_back(predicate.path);
        return true;
      }
      may_be_absent_.push_back({static_cast<std::uint32_t>(state_.ends.size()), predicate.path});
    }
    if (state_.choices.size() == start) return false;
    std::sort(state_.choices.begin() + start, state_.choices.end());
    state_.choices.erase(std::unique(state_.choices.begin() + start, state_.choices.end()), state_.choices.end());
    order_.push_back(static_cast<std::uint32_t>(state_.ends.size()));
    state_.ends.push_back(static_cast<std::uint32_t>(state_.choices.size()));
    return true;
  }

  bool absent(std::uint32_t path) const {
    for (std::uint32_t l = state_.leaves_of[path]; l != none; l = state_.leaves[l].next) {
      bool excluded = false;
      for (const std::uint32_t element : state_.chosen)
        if (!compatible(state_.elements, element, state_.leaves[l].element)) {
          excluded = true;
          break;
        }
      if (!excluded) return false;
    }
    return true;
  }

  bool absences_hold() const {
    return std::all_of(must_be_absent_.begin(), must_be_absent_.end(), [&](std::uint32_t path) { return absent(path); });
  }

  bool choose(std::size_t depth) {
    if (depth == order_.size()) return absences_hold();
    const std::uint32_t field = order_[depth];
    for (std::uint32_t c = begin(field); c < state_.ends[field]; ++c) {
      if (++steps_ > most_steps) return false;
      const std::uint32_t element = state_.choices[c];
      if (!std::all_of(state_.chosen.begin(), state_.chosen.end(), [&](std::uint32_t e) { return compatible(state_.elements, e, element); })) continue;
      state_.chosen.push_back(element);
      const bool found = choose(depth + 1);
      state_.chosen.pop_back();
      if (found) return true;
    }
    for (const auto& [index, path] : may_be_absent_) {
      if (index != field) continue;
      must_be_absent_.push_back(path);
      const bool found = choose(depth + 1);
      must_be_absent_.pop_back();
      if (found) return true;
    }
    return false;
  }

  const MachineData& data_;
  Scratch::State& state_;
  const SubRule& sub_;
  std::size_t steps_ = 0;
  std::vector<std::uint32_t> fields_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> must_be_absent_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> may_be_absent_;
};

}  // namespace

bool consistent(const MachineData& data, Scratch::State& state, const SubRule& sub, bool& too_hard) {
  // Most candidates fail on a field that has no such value anywhere, which needs no search.
  for (std::uint32_t f = 0; f < sub.count; ++f) {
    const Predicate& predicate = data.predicates[data.fields[sub.first + f]];
    std::uint32_t l = state.leaves_of[predicate.path];
    if (predicate.absent != 0) continue;
    while (l != none && !holds(data, state, predicate, state.leaves[l])) l = state.leaves[l].next;
    if (l == none) return false;
  }
  return Search(data, state, sub).run(too_hard);
}

}  // namespace fixpoint::patterns
