#include <algorithm>
#include <cmath>
#include <vector>

#include "base/id.h"
#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"

namespace fixpoint::jsonata {
namespace {

Item sum(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  e.charge(view.size());
  double total = 0;
  for (std::size_t i = 0; i < view.size(); ++i) total += view[i].as_double();
  return Item::of(total);
}

Item count(Evaluator&, const Arguments& a) {
  return Item::count(a[0].is_array() ? ArrayView(a[0]).size() : 0);
}

Item extreme(Evaluator& e, const Arguments& a, bool largest) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  if (view.size() == 0) return {};
  e.charge(view.size());
  Item best = view[0];
  for (std::size_t i = 1; i < view.size(); ++i) {
    const Item next = view[i];
    if (largest ? next.as_double() > best.as_double() : next.as_double() < best.as_double()) best = next;
  }
  return best;
}

Item max(Evaluator& e, const Arguments& a) {
  return extreme(e, a, true);
}

Item min(Evaluator& e, const Arguments& a) {
  return extreme(e, a, false);
}

Item average(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  if (view.size() == 0) return {};
  return Item::of(sum(e, a).as_double() / static_cast<double>(view.size()));
}

Item map(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  ArrayNode* result = e.new_array(ArrayNode::sequence);
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item value = e.call_with(a[1], view[i], Item::count(i), a[0]);
    if (!value.is_undefined()) e.push(result, value);
  }
  return Item::of(result);
}

Item filter(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  ArrayNode* result = e.new_array(ArrayNode::sequence);
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item element = view[i];
    if (e.truth(e.call_with(a[1], element, Item::count(i), a[0]))) e.push(result, element);
  }
  return Item::of(result);
}

Item single(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  Item result;
  bool found = false;
  for (std::size_t i = 0; i < view.size(); ++i) {
    e.charge(1);
    const Item element = view[i];
    if (a[1].is_function() && !e.truth(e.call_with(a[1], element, Item::count(i), a[0]))) continue;
    if (found) throw Failure{"D3138", "$single wants one match, and there are more", Failure::nowhere, "single"};
    found = true;
    result = element;
  }
  if (!found) throw Failure{"D3139", "$single wants one match, and there is none", Failure::nowhere, "single"};
  return result;
}

Item reduce(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const std::size_t arity = a[1].is_function() ? a[1].function->arity : 0;
  if (arity < 2)
    throw Failure{"D3050", "$reduce wants a function of two arguments at least", Failure::nowhere, "reduce"};
  const ArrayView view(a[0]);
  std::size_t i = 0;
  Item result = a[2];
  if (result.is_undefined() && view.size() > 0) result = view[i++];
  for (; i < view.size(); ++i) {
    const Item arguments[] = {result, view[i], Item::count(i), a[0]};
    result = e.call(a[1], arguments, std::min<std::size_t>(arity, 4));
  }
  return result;
}

Item zip(Evaluator& e, const Arguments& a) {
  ArrayNode* result = e.new_array();
  std::size_t shortest = a.size() == 0 ? 0 : static_cast<std::size_t>(-1);
  for (std::size_t k = 0; k < a.size(); ++k)
    shortest = std::min(shortest, a[k].is_array() ? ArrayView(a[k]).size() : 0);
  for (std::size_t i = 0; i < shortest; ++i) {
    e.charge(a.size());
    ArrayNode* row = e.new_array(0, a.size());
    for (std::size_t k = 0; k < a.size(); ++k) e.push(row, ArrayView(a[k])[i]);
    e.push(result, Item::of(row));
  }
  return Item::of(result);
}

Item append(Evaluator& e, const Arguments& a) {
  return e.append(a[0], a[1]);
}

Item reverse(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  if (view.size() <= 1) return a[0];
  e.charge(view.size());
  ArrayNode* result = e.new_array(0, view.size());
  for (std::size_t i = view.size(); i-- > 0;) e.push(result, view[i]);
  return Item::of(result);
}

// Stable. `after` may be any function of a user's: an inconsistent one must not lead out of the array, as it would in
// std::sort.
template <class After>
void merge_sort(std::vector<Item>& items, After&& after) {
  const std::size_t size = items.size();
  std::vector<Item> merged(size);
  for (std::size_t width = 1; width < size; width *= 2) {
    for (std::size_t low = 0; low < size; low += 2 * width) {
      const std::size_t middle = std::min(low + width, size);
      const std::size_t high = std::min(low + 2 * width, size);
      std::size_t l = low;
      std::size_t r = middle;
      for (std::size_t k = low; k < high; ++k) {
        const bool right = l == middle || (r < high && after(items[l], items[r]));
        merged[k] = right ? items[r++] : items[l++];
      }
    }
    std::swap(items, merged);
  }
}

Item sort(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  const std::size_t size = view.size();
  if (size <= 1) return a[0];
  std::vector<Item> items(size);
  for (std::size_t i = 0; i < size; ++i) items[i] = view[i];
  e.charge(size);
  if (a[1].is_function()) {
    merge_sort(items, [&](const Item& x, const Item& y) {
      const Item pair[] = {x, y};
      return e.truth(e.call(a[1], pair, 2));
    });
  } else if (std::all_of(items.begin(), items.end(), [](const Item& item) { return item.is_string(); })) {
    merge_sort(items, [](const Item& x, const Item& y) { return compare_strings(x.string(), y.string()) > 0; });
  } else if (std::all_of(items.begin(), items.end(), Evaluator::is_numeric)) {
    merge_sort(items, [](const Item& x, const Item& y) {
      if (x.tag == Tag::Int && y.tag == Tag::Int) return x.integer > y.integer;
      return x.as_double() > y.as_double();
    });
  } else {
    throw Failure{"D3070", "$sort without a function sorts an array of numbers or of strings only", Failure::nowhere,
                  "sort"};
  }
  ArrayNode* result = e.new_array(0, size);
  for (const Item& item : items) e.push(result, item);
  return Item::of(result);
}

Item shuffle(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  if (view.size() <= 1) return a[0];
  e.charge(view.size());
  ArrayNode* result = e.new_array(0, view.size());
  for (std::size_t i = 0; i < view.size(); ++i) e.push(result, view[i]);
  const std::string bytes = random_bytes(8);
  std::uint64_t state = 0;
  for (const char c : bytes) state = (state << 8) | static_cast<unsigned char>(c);
  for (std::size_t i = view.size() - 1; i > 0; --i) {
    // SplitMix64: https://prng.di.unimi.it/splitmix64.c
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    std::swap(result->items[i], result->items[(z ^ (z >> 31)) % (i + 1)]);
  }
  return Item::of(result);
}

Item distinct(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return a[0];
  const ArrayView view(a[0]);
  if (view.size() <= 1) return a[0];
  const bool sequence = a[0].tag == Tag::Array && a[0].array->has(ArrayNode::sequence);
  ArrayNode* result = e.new_array(sequence ? ArrayNode::sequence : 0);
  ObjectNode* strings = e.new_object();
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item item = view[i];
    e.charge(1);
    if (item.is_string()) {
      if (strings->find(item.string()) != nullptr) continue;
      strings->set(e.arena(), item.string(), Item::null());
      e.push(result, item);
      continue;
    }
    bool known = false;
    for (std::uint32_t k = 0; !known && k < result->size; ++k) known = deep_equal(item, result->items[k]);
    e.charge(result->size);
    if (!known) e.push(result, item);
  }
  return Item::of(result);
}

constexpr Builtin table[] = {
    {"sum", "<a<n>:n>", 1, sum},   {"count", "<a:n>", 1, count},        {"max", "<a<n>:n>", 1, max},
    {"min", "<a<n>:n>", 1, min},   {"average", "<a<n>:n>", 1, average}, {"map", "<af>", 2, map},
    {"filter", "<af>", 2, filter}, {"single", "<af?>", 2, single},      {"reduce", "<afj?:j>", 3, reduce},
    {"zip", "<a+>", 0, zip},       {"append", "<xx:a>", 2, append},     {"reverse", "<a:a>", 1, reverse},
    {"sort", "<af?:a>", 2, sort},  {"shuffle", "<a:a>", 1, shuffle},    {"distinct", "<x:x>", 1, distinct},
};

}  // namespace

std::span<const Builtin> array_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
