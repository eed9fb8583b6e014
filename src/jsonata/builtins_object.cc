#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"

namespace fixpoint::jsonata {
namespace {

Item boolean(Evaluator& e, const Arguments& a) {
  return a[0].is_undefined() ? Item() : Item::of(e.truth(a[0]));
}

Item negation(Evaluator& e, const Arguments& a) {
  return a[0].is_undefined() ? Item() : Item::of(!e.truth(a[0]));
}

Item exists(Evaluator&, const Arguments& a) {
  return Item::of(!a[0].is_undefined());
}

void keys_into(Evaluator& e, const Item& item, ObjectNode* seen, ArrayNode* out, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  e.charge(1);
  if (item.is_array()) {
    const ArrayView view(item);
    for (std::size_t i = 0; i < view.size(); ++i) keys_into(e, view[i], seen, out, depth + 1);
    return;
  }
  each_member(item, [&](std::string_view key, const Item&) {
    e.charge(1);
    if (seen->find(key) != nullptr) return;
    seen->set(e.arena(), key, Item::null());
    e.push(out, Item::of(key));
  });
}

Item keys(Evaluator& e, const Arguments& a) {
  ArrayNode* result = e.new_array(ArrayNode::sequence);
  keys_into(e, a[0], e.new_object(), result, 0);
  return Item::of(result);
}

Item lookup(Evaluator& e, const Arguments& a) {
  return a[1].is_string() ? e.lookup(a[0], a[1].string()) : Item();
}

// Each member as an object of its own; what is neither object nor array as it is.
void spread_into(Evaluator& e, const Item& item, ArrayNode* out, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  if (item.is_array()) {
    const ArrayView view(item);
    for (std::size_t i = 0; i < view.size(); ++i) spread_into(e, view[i], out, depth + 1);
  } else if (item.is_object()) {
    each_member(item, [&](std::string_view key, const Item& value) {
      e.charge(1);
      ObjectNode* one = e.new_object();
      one->set(e.arena(), key, value);
      e.push(out, Item::of(one));
    });
  } else if (!item.is_undefined()) {
    e.push(out, item);
  }
}

Item spread(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array() && !a[0].is_object()) return a[0].is_function() ? Item::of(std::string_view("")) : a[0];
  ArrayNode* result = e.new_array(ArrayNode::sequence);
  spread_into(e, a[0], result, 0);
  // The members of one object are a sequence; those of several come of appending, which gives an array.
  if (a[0].is_array() && result->size > 0) result->marks = 0;
  return Item::of(result);
}

Item merge(Evaluator& e, const Arguments& a) {
  if (!a[0].is_array()) return {};
  const ArrayView view(a[0]);
  ObjectNode* result = e.new_object();
  for (std::size_t i = 0; i < view.size(); ++i) {
    each_member(view[i], [&](std::string_view key, const Item& value) {
      e.charge(1);
      result->set(e.arena(), key, value);
    });
  }
  return Item::of(result);
}

Item each(Evaluator& e, const Arguments& a) {
  ArrayNode* result = e.new_array(ArrayNode::sequence);
  each_member(a[0], [&](std::string_view key, const Item& value) {
    const Item made = e.call_with(a[1], value, Item::of(key), a[0]);
    if (!made.is_undefined()) e.push(result, made);
  });
  return Item::of(result);
}

Item sift(Evaluator& e, const Arguments& a) {
  ObjectNode* result = e.new_object();
  each_member(a[0], [&](std::string_view key, const Item& value) {
    if (e.truth(e.call_with(a[1], value, Item::of(key), a[0]))) result->set(e.arena(), key, value);
  });
  return result->size == 0 ? Item() : Item::of(result);
}

Item type(Evaluator&, const Arguments& a) {
  std::string_view name;
  switch (a[0].tag) {
    case Tag::Undefined: return {};
    case Tag::Null: name = "null"; break;
    case Tag::Bool: name = "boolean"; break;
    case Tag::Double:
    case Tag::Int:
    case Tag::NumberText:
      // NaN is no number by JSONata's own test.
      name = Evaluator::is_numeric(a[0]) ? "number" : "object";
      break;
    case Tag::String: name = "string"; break;
    case Tag::Array:
    case Tag::JsonArray: name = "array"; break;
    case Tag::Function: name = "function"; break;
    default: name = "object";
  }
  return Item::of(name);
}

Item error(Evaluator&, const Arguments& a) {
  const bool given = a[0].is_string() && a[0].size > 0;
  throw Failure{"D3137", given ? std::string(a[0].string()) : "$error was called", Failure::nowhere, "error"};
}

Item assertion(Evaluator&, const Arguments& a) {
  if (a[0].tag == Tag::Bool && a[0].boolean) return {};
  const bool given = a[1].is_string() && a[1].size > 0;
  throw Failure{"D3141", given ? std::string(a[1].string()) : "what $assert was given is not true", Failure::nowhere,
                "assert"};
}

Item clone(Evaluator& e, const Arguments& a) {
  return a[0].is_undefined() ? Item() : e.clone(a[0]);
}

constexpr Builtin table[] = {
    {"boolean", "<x-:b>", 1, boolean}, {"not", "<x-:b>", 1, negation},   {"exists", "<x:b>", 1, exists},
    {"keys", "<x-:a<s>>", 1, keys},    {"lookup", "<x-s:x>", 2, lookup}, {"spread", "<x-:a<o>>", 1, spread},
    {"merge", "<a<o>:o>", 1, merge},   {"each", "<o-f:a>", 2, each},     {"sift", "<o-f?:o>", 2, sift},
    {"type", "<x:s>", 1, type},        {"error", "<s?:x>", 1, error},    {"assert", "<bs?:x>", 2, assertion},
    {"clone", "<(oa)-:o>", 1, clone},
};

}  // namespace

std::span<const Builtin> object_builtins() {
  return table;
}

}  // namespace fixpoint::jsonata
