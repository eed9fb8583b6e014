#include <algorithm>
#include <array>

#include "patterns/fold.h"
#include "patterns/scratch.h"
#include "patterns/wildcard.h"

namespace fixpoint::patterns {
namespace {

bool holds_wildcard(const MachineData& data, const PackedTest& test, std::string_view value) {
  std::array<std::string_view, 16> few;
  std::vector<std::string_view> many;
  std::string_view* pieces = few.data();
  if (test.b > few.size()) {
    many.resize(test.b);
    pieces = many.data();
  }
  for (std::uint32_t i = 0; i < test.b; ++i)
    pieces[i] = data.string(data.pieces[test.a + i].first, data.pieces[test.a + i].second);
  return matches_wildcard(value, pieces, test.b);
}

// `first` to `last` are texts, sorted by length and bytes.
bool one_of(const MachineData& data, const PackedTest* first, const PackedTest* last, std::string_view value) {
  if (last - first == 1) return first->b == value.size() && data.string(first->a, first->b) == value;
  const auto before = [&](const PackedTest& test, std::string_view v) {
    return test.b != v.size() ? test.b < v.size() : data.string(test.a, test.b) < v;
  };
  const PackedTest* at = std::lower_bound(first, last, value, before);
  return at != last && at->b == value.size() && data.string(at->a, at->b) == value;
}

bool in_range(const MachineData& data, const PackedTest& test, const Decimal& number) {
  if ((test.bounds & has_bottom) != 0) {
    const int order = compare(number, data.numbers[test.a]);
    if (order < 0 || (order == 0 && (test.bounds & bottom_open) != 0)) return false;
  }
  if ((test.bounds & has_top) != 0) {
    const int order = compare(number, data.numbers[test.a + 1]);
    if (order > 0 || (order == 0 && (test.bounds & top_open) != 0)) return false;
  }
  return true;
}

bool holds_one(const MachineData& data, Scratch::State& state, const PackedTest& test, Leaf& leaf) {
  switch (test.kind) {
    case Kind::Null: return leaf.type == LeafType::Null;
    case Kind::True: return leaf.type == LeafType::True;
    case Kind::False: return leaf.type == LeafType::False;
    case Kind::Exists: return true;
    case Kind::Absent: return false;
    case Kind::Number: return leaf.type == LeafType::Number && state.numbers[leaf.number] == data.numbers[test.a];
    case Kind::Range: return leaf.type == LeafType::Number && in_range(data, test, state.numbers[leaf.number]);
    case Kind::AnythingBut: {
      const PackedTest* first = data.tests.data() + test.a;
      const PackedTest* last = first + test.b;
      if (first->kind == Kind::Text) return leaf.type != LeafType::Text || !one_of(data, first, last, leaf.text());
      return std::none_of(first, last, [&](const PackedTest& one) { return holds_one(data, state, one, leaf); });
    }
    default: break;
  }
  if (leaf.type != LeafType::Text) return false;
  const std::string_view value = leaf.text();
  switch (test.kind) {
    case Kind::Text: return value == data.string(test.a, test.b);
    case Kind::Prefix: return value.starts_with(data.string(test.a, test.b));
    case Kind::Suffix: return value.ends_with(data.string(test.a, test.b));
    case Kind::EqualsIgnoreCase: return state.folded_text(leaf) == data.string(test.a, test.b);
    case Kind::PrefixIgnoreCase: return state.folded_text(leaf).starts_with(data.string(test.a, test.b));
    case Kind::SuffixIgnoreCase: return state.folded_text(leaf).ends_with(data.string(test.a, test.b));
    case Kind::Wildcard: return holds_wildcard(data, test, value);
    case Kind::Cidr: {
      Address address;
      return parse_address(value, address) && contains(data.cidrs[test.a], address);
    }
    default: return false;
  }
}

}  // namespace

std::string_view Scratch::State::folded_text(Leaf& leaf) {
  if (leaf.folded == none) {
    leaf.folded = static_cast<std::uint32_t>(folded.size());
    fold_to(folded, leaf.text());
    leaf.folded_length = static_cast<std::uint32_t>(folded.size()) - leaf.folded;
  }
  return std::string_view(folded).substr(leaf.folded, leaf.folded_length);
}

bool holds(const MachineData& data, Scratch::State& state, const Predicate& predicate, Leaf& leaf) {
  const PackedTest* tests = data.tests.data() + predicate.first;
  if (predicate.texts > 0 && leaf.type == LeafType::Text && one_of(data, tests, tests + predicate.texts, leaf.text()))
    return true;
  tests += predicate.texts;
  for (std::uint32_t i = 0; i < predicate.others; ++i)
    if (holds_one(data, state, tests[i], leaf)) return true;
  return false;
}

}  // namespace fixpoint::patterns
