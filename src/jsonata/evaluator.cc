#include "jsonata/evaluator.h"

#include <cmath>

#include "jsonata/builtins.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// Threads have 8 MiB of stack where nobody asked for less; this is what an evaluation may take of it.
constexpr std::size_t stack_bytes = std::size_t{4} * 1024 * 1024;

std::string operator_name(Operator op) {
  switch (op) {
    case Operator::Add: return "+";
    case Operator::Subtract: return "-";
    case Operator::Multiply: return "*";
    case Operator::Divide: return "/";
    case Operator::Modulo: return "%";
    case Operator::Equal: return "=";
    case Operator::NotEqual: return "!=";
    case Operator::Less: return "<";
    case Operator::LessEqual: return "<=";
    case Operator::Greater: return ">";
    case Operator::GreaterEqual: return ">=";
    case Operator::Concatenate: return "&";
    case Operator::And: return "and";
    case Operator::Or: return "or";
    case Operator::In: return "in";
    case Operator::Range: return "..";
    case Operator::None: break;
  }
  return "";
}

bool is_integer(const Item& item) {
  if (item.tag == Tag::Int) return true;
  if (!item.is_number()) return false;
  const double value = item.as_double();
  return std::isfinite(value) && std::trunc(value) == value;
}

// The identity that JavaScript's === has: values for what is simple, places for arrays and objects.
bool same(const Item& a, const Item& b) {
  if (a.is_array() || a.is_object()) return a.tag == b.tag && a.array == b.array;
  return deep_equal(a, b);
}

}  // namespace

Evaluator::Evaluator(Arena& arena, const Budget& budget, TimeMs now_ms)
    : arena_(arena),
      steps_left_(budget.steps),
      depth_left_(budget.depth),
      steps_(budget.steps),
      depth_(budget.depth),
      stack_end_(static_cast<const char*>(__builtin_frame_address(0)) - stack_bytes),
      now_ms_(now_ms) {}

void Evaluator::out_of_steps() const {
  throw Failure{"U1001",
                "the expression needs more than the " + std::to_string(steps_) +
                    " steps that it may take; check it for an endless recursion",
                Failure::nowhere,
                {}};
}

void Evaluator::too_deep() const {
  throw Failure{"U1001",
                "the evaluation goes deeper than the " + std::to_string(depth_) +
                    " levels that it may; check the expression for an endless recursion",
                Failure::nowhere,
                {}};
}

ArrayNode* Evaluator::new_array(std::uint8_t marks, std::size_t capacity) {
  auto* array = arena_.make<ArrayNode>();
  array->marks = marks;
  array->owner = &arena_;
  if (capacity > 0) {
    if (capacity > 0x7fffffff) arena_.check_room_for(static_cast<std::size_t>(-1));
    array->items = static_cast<Item*>(arena_.allocate(capacity * sizeof(Item)));
    array->capacity = static_cast<std::uint32_t>(capacity);
  }
  return array;
}

void Evaluator::push(ArrayNode* array, const Item& item) {
  if (array->size == array->capacity) {
    const Item kept = item;  // it may live in the array itself
    const std::size_t wanted = array->capacity == 0 ? 4 : std::size_t{array->capacity} * 2;
    if (wanted > 0x7fffffff) arena_.check_room_for(static_cast<std::size_t>(-1));
    auto* moved = static_cast<Item*>(arena_.allocate(wanted * sizeof(Item)));
    std::copy(array->items, array->items + array->size, moved);
    array->items = moved;
    array->capacity = static_cast<std::uint32_t>(wanted);
    new (&array->items[array->size++]) Item(kept);
    return;
  }
  new (&array->items[array->size++]) Item(item);
}

ArrayNode* Evaluator::marked(const Item& array, std::uint8_t marks) {
  if (array.tag == Tag::Array) {
    if (array.array->marks == marks) return array.array;
    if (array.array->owner == &arena_) {
      array.array->marks = marks;
      return array.array;
    }
    auto* copy = arena_.make<ArrayNode>(*array.array);
    copy->capacity = copy->size;
    copy->marks = marks;
    copy->owner = &arena_;
    return copy;
  }
  const ArrayView view(array);
  ArrayNode* copy = new_array(marks, view.size());
  for (std::size_t i = 0; i < view.size(); ++i) push(copy, view[i]);
  return copy;
}

Item Evaluator::evaluate(const Node* node, const Item& input, Frame* frame) {
  if (steps_left_ == 0) out_of_steps();
  --steps_left_;
  switch (node->kind) {
    case Kind::String:
    case Kind::Number:
    case Kind::Constant:
      if (node->predicates.empty() && !node->group) return node->literal;
      break;
    default: break;
  }
  if (depth_left_ == 0 || static_cast<const char*>(__builtin_frame_address(0)) < stack_end_) too_deep();
  --depth_left_;
  Item result = evaluate_kind(node, input, frame);
  for (const Stage& stage : node->predicates) result = filter(stage.predicate, result, frame);
  if (node->group && node->kind != Kind::Path) result = group(node->group->pairs, node->group->place, result, frame);
  ++depth_left_;
  if (result.tag == Tag::Array) {
    const ArrayNode* array = result.array;
    if (array->has(ArrayNode::sequence) && !array->has(ArrayNode::tuple_stream)) {
      if (node->keep_array && !array->has(ArrayNode::keep_singleton)) {
        array = marked(result, static_cast<std::uint8_t>(array->marks | ArrayNode::keep_singleton));
        result = Item::of(const_cast<ArrayNode*>(array));
      }
      if (array->size == 0) return {};
      if (array->size == 1 && !array->has(ArrayNode::keep_singleton)) return ArrayView(result)[0];
    }
  }
  return result;
}

Item Evaluator::evaluate_kind(const Node* node, const Item& input, Frame* frame) {
  switch (node->kind) {
    case Kind::Path: return path(node, input, frame);
    case Kind::Name: return lookup(input, node->text);
    case Kind::String:
    case Kind::Number:
    case Kind::Constant: return node->literal;
    case Kind::Wildcard: return wildcard(input);
    case Kind::Descendants: return descendants(input);
    case Kind::Parent: {
      const Item* found = frame->find(node->slot->label);
      return found == nullptr ? Item() : *found;
    }
    case Kind::Variable: return variable(node, input, frame);
    case Kind::Binary: return binary(node, input, frame);
    case Kind::Negate: return negate(node, input, frame);
    case Kind::Array: return array(node, input, frame);
    case Kind::Object: return group(node->pairs, node->place, input, frame);
    case Kind::Condition: {
      const Item condition = evaluate(node->a, input, frame);
      if (truth(condition)) return evaluate(node->b, input, frame);
      return node->c == nullptr ? Item() : evaluate(node->c, input, frame);
    }
    case Kind::Default: {
      const Item value = evaluate(node->a, input, frame);
      return truth(value) ? value : evaluate(node->b, input, frame);
    }
    case Kind::Coalesce: {
      const Item value = evaluate(node->a, input, frame);
      return !value.is_undefined() ? value : evaluate(node->b, input, frame);
    }
    case Kind::Block: {
      Item result;
      auto* inner = arena_.make<Frame>();
      inner->outer = frame;
      for (const Node* part : node->list) result = evaluate(part, input, inner);
      return result;
    }
    case Kind::Bind: {
      const Item value = evaluate(node->b, input, frame);
      frame->bind(arena_, node->a->text, value);
      return value;
    }
    case Kind::Call: return call_node(node, input, frame, nullptr);
    case Kind::PartialCall: return partial(node, input, frame);
    case Kind::Apply: return apply_node(node, input, frame);
    case Kind::Lambda: return lambda(node, input, frame);
    case Kind::Regex: {
      auto* function = arena_.make<FunctionNode>();
      function->kind = FunctionNode::Kind::Regex;
      function->node = node;
      function->arity = 2;
      return Item::of(function);
    }
    case Kind::Transform: {
      auto* function = arena_.make<FunctionNode>();
      function->kind = FunctionNode::Kind::Transform;
      function->node = node;
      function->frame = frame;
      function->arity = 1;
      return Item::of(function);
    }
    default: return {};
  }
}

Item Evaluator::variable(const Node* node, const Item& input, Frame* frame) {
  if (node->text.empty()) {
    if (input.tag == Tag::Array && input.array->has(ArrayNode::outer_wrapper)) return ArrayView(input)[0];
    return input;
  }
  if (const Item* found = frame->find(node->text)) return *found;
  return node->builtin < 0 ? Item() : Item::of(builtin_function(node->builtin));
}

Item Evaluator::negate(const Node* node, const Item& input, Frame* frame) {
  const Item value = evaluate(node->a, input, frame);
  if (value.is_undefined()) return value;
  if (!is_numeric(value)) throw Failure{"D1002", "only a number can be negated", node->place, "-"};
  if (value.tag == Tag::Int && value.integer != 0 && value.integer != INT64_MIN) return Item::of(-value.integer);
  return Item::of(-value.as_double());
}

Item Evaluator::binary(const Node* node, const Item& input, Frame* frame) {
  const Item left = evaluate(node->a, input, frame);
  if (node->op == Operator::And) return Item::of(truth(left) && truth(evaluate(node->b, input, frame)));
  if (node->op == Operator::Or) return Item::of(truth(left) || truth(evaluate(node->b, input, frame)));
  const Item right = evaluate(node->b, input, frame);
  try {
    switch (node->op) {
      case Operator::Equal: return Item::of(!left.is_undefined() && !right.is_undefined() && deep_equal(left, right));
      case Operator::NotEqual:
        return Item::of(!left.is_undefined() && !right.is_undefined() && !deep_equal(left, right));
      case Operator::Less:
      case Operator::LessEqual:
      case Operator::Greater:
      case Operator::GreaterEqual: return comparison(node, left, right);
      case Operator::Concatenate: {
        const std::string_view a = left.is_undefined() ? std::string_view() : text_of(left);
        const std::string_view b = right.is_undefined() ? std::string_view() : text_of(right);
        charge((a.size() + b.size()) / 64);
        return Item::of(arena_.join(a, b));
      }
      case Operator::In: {
        if (left.is_undefined() || right.is_undefined()) return Item::of(false);
        const ArrayView view = right.is_array() ? ArrayView(right) : ArrayView::of_one(right);
        charge(view.size());
        for (std::size_t i = 0; i < view.size(); ++i)
          if (same(view[i], left)) return Item::of(true);
        return Item::of(false);
      }
      case Operator::Range: return range(node, left, right);
      default: return arithmetic(node, left, right);
    }
  } catch (Failure& failure) {
    if (failure.place == Failure::nowhere) failure.place = node->place;
    if (failure.token.empty()) failure.token = operator_name(node->op);
    throw;
  }
}

Item Evaluator::arithmetic(const Node* node, const Item& left, const Item& right) {
  const auto refuse = [&](const char* code, const char* side) {
    throw Failure{code, std::string("what stands ") + side + " of '" + operator_name(node->op) + "' must be a number",
                  node->place, operator_name(node->op)};
  };
  if (!left.is_undefined() && !is_numeric(left)) refuse("T2001", "left");
  if (!right.is_undefined() && !is_numeric(right)) refuse("T2002", "right");
  if (left.is_undefined() || right.is_undefined()) return {};
  if (left.tag == Tag::Int && right.tag == Tag::Int) {
    // Exact where it fits; what does not becomes a double as anywhere in JSONata.
    std::int64_t result = 0;
    bool exact = false;
    if (node->op == Operator::Add) exact = !__builtin_add_overflow(left.integer, right.integer, &result);
    if (node->op == Operator::Subtract) exact = !__builtin_sub_overflow(left.integer, right.integer, &result);
    if (exact && result < 9007199254740992 && result > -9007199254740992) return Item::of(result);
  }
  const double a = left.as_double();
  const double b = right.as_double();
  switch (node->op) {
    case Operator::Add: return Item::of(a + b);
    case Operator::Subtract: return Item::of(a - b);
    case Operator::Multiply: return Item::of(a * b);
    case Operator::Divide: return Item::of(a / b);
    default: return Item::of(std::fmod(a, b));
  }
}

Item Evaluator::comparison(const Node* node, const Item& left, const Item& right) {
  const std::string op = operator_name(node->op);
  const auto comparable = [](const Item& item) { return item.is_undefined() || item.is_number() || item.is_string(); };
  if (!comparable(left) || !comparable(right))
    throw Failure{"T2010", "'" + op + "' compares numbers or strings only", node->place, op};
  if (left.is_undefined() || right.is_undefined()) return {};
  if (left.is_string() != right.is_string())
    throw Failure{"T2009", "'" + op + "' cannot compare a number with a string", node->place, op};
  int order = 0;
  if (left.is_string()) {
    order = compare_strings(left.string(), right.string());
  } else if (left.tag == Tag::Int && right.tag == Tag::Int) {
    order = left.integer < right.integer ? -1 : left.integer > right.integer ? 1 : 0;
  } else {
    const double a = left.as_double();
    const double b = right.as_double();
    if (std::isnan(a) || std::isnan(b)) return Item::of(false);
    order = a < b ? -1 : a > b ? 1 : 0;
  }
  switch (node->op) {
    case Operator::Less: return Item::of(order < 0);
    case Operator::LessEqual: return Item::of(order <= 0);
    case Operator::Greater: return Item::of(order > 0);
    default: return Item::of(order >= 0);
  }
}

Item Evaluator::range(const Node* node, const Item& left, const Item& right) {
  if (!left.is_undefined() && !is_integer(left))
    throw Failure{"T2003", "what stands left of '..' must be an integer", node->place, ".."};
  if (!right.is_undefined() && !is_integer(right))
    throw Failure{"T2004", "what stands right of '..' must be an integer", node->place, ".."};
  if (left.is_undefined() || right.is_undefined()) return {};
  const double first = left.as_double();
  const double last = right.as_double();
  if (first > last) return {};
  const double size = last - first + 1;
  if (size > 1e7)
    throw Failure{"D2014", "a range may have ten million elements at most, not " + number_text(size), node->place,
                  ".."};
  ArrayNode* result = new_array(ArrayNode::sequence);
  result->is_range = true;
  result->first = first;
  result->size = result->capacity = static_cast<std::uint32_t>(size);
  return Item::of(result);
}

Item Evaluator::array(const Node* node, const Item& input, Frame* frame) {
  const std::uint8_t marks = node->constructs_array ? ArrayNode::constructed : 0;
  ArrayNode* result = nullptr;
  for (const Node* part : node->list) {
    const Item value = evaluate(part, input, frame);
    if (value.is_undefined()) continue;
    if (!value.is_array() || part->is_array_constructor()) {
      if (result == nullptr) result = new_array(marks, node->list.size());
      push(result, value);
      continue;
    }
    if (result == nullptr && node->list.size() == 1) {
      // The elements are shared: nothing ever changes those of an array that is finished.
      if (value.tag == Tag::JsonArray && marks == 0) return value;
      if (value.tag == Tag::Array) {
        result = arena_.make<ArrayNode>(*value.array);
        result->capacity = result->size;
        result->marks = marks;
        result->owner = &arena_;
        return Item::of(result);
      }
    }
    const ArrayView view(value);
    charge(view.size());
    if (result == nullptr) result = new_array(marks, view.size() + node->list.size());
    for (std::size_t i = 0; i < view.size(); ++i) push(result, view[i]);
  }
  return Item::of(result == nullptr ? new_array(marks) : result);
}

Item Evaluator::append(const Item& a, const Item& b) {
  if (a.is_undefined()) return b;
  if (b.is_undefined()) return a;
  const ArrayView left = a.is_array() ? ArrayView(a) : ArrayView::of_one(a);
  const ArrayView right = b.is_array() ? ArrayView(b) : ArrayView::of_one(b);
  charge(left.size() + right.size());
  ArrayNode* result = new_array(0, left.size() + right.size());
  for (std::size_t i = 0; i < left.size(); ++i) push(result, left[i]);
  for (std::size_t i = 0; i < right.size(); ++i) push(result, right[i]);
  return Item::of(result);
}

Item Evaluator::lookup(const Item& input, std::string_view key) {
  if (!input.is_array()) return member(input, key);
  ArrayNode* result = new_array(ArrayNode::sequence);
  lookup_into(input, key, result, 0);
  return Item::of(result);
}

void Evaluator::lookup_into(const Item& input, std::string_view key, ArrayNode* out, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  const ArrayView view(input);
  charge(view.size());
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item element = view[i];
    if (element.is_array()) {
      lookup_into(element, key, out, depth + 1);
      continue;
    }
    const Item found = member(element, key);
    if (found.is_array()) {
      const ArrayView inner(found);
      charge(inner.size());
      for (std::size_t k = 0; k < inner.size(); ++k) push(out, inner[k]);
    } else if (!found.is_undefined()) {
      push(out, found);
    }
  }
}

Item Evaluator::wildcard(const Item& input) {
  Item subject = input;
  if (subject.tag == Tag::Array && subject.array->has(ArrayNode::outer_wrapper) && subject.array->size > 0)
    subject = ArrayView(subject)[0];
  ArrayNode* result = new_array(ArrayNode::sequence);
  const auto add = [&](const Item& value) {
    charge(1);
    if (value.is_array()) {
      flatten(value, result, 0);
      // What comes of appending is an array like any other, no sequence.
      result->marks = 0;
    } else if (!value.is_undefined()) {
      push(result, value);
    }
  };
  if (subject.is_array()) {
    const ArrayView view(subject);
    for (std::size_t i = 0; i < view.size(); ++i) add(view[i]);
  } else {
    each_member(subject, [&](std::string_view, const Item& value) { add(value); });
  }
  return Item::of(result);
}

void Evaluator::flatten(const Item& item, ArrayNode* out, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  if (!item.is_array()) {
    push(out, item);
    return;
  }
  const ArrayView view(item);
  charge(view.size());
  for (std::size_t i = 0; i < view.size(); ++i) flatten(view[i], out, depth + 1);
}

Item Evaluator::descendants(const Item& input) {
  if (input.is_undefined()) return {};
  ArrayNode* result = new_array(ArrayNode::sequence);
  descend(input, result, 0);
  return result->size == 1 ? result->items[0] : Item::of(result);
}

void Evaluator::descend(const Item& input, ArrayNode* out, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  charge(1);
  if (input.is_array()) {
    const ArrayView view(input);
    for (std::size_t i = 0; i < view.size(); ++i) descend(view[i], out, depth + 1);
    return;
  }
  push(out, input);
  each_member(input, [&](std::string_view, const Item& value) { descend(value, out, depth + 1); });
}

bool Evaluator::is_numeric(const Item& item) {
  if (item.tag == Tag::Int) return true;
  if (!item.is_number()) return false;
  const double value = item.as_double();
  if (std::isinf(value)) throw Failure{"D1001", "a number is too large", Failure::nowhere, {}};
  return !std::isnan(value);
}

bool Evaluator::truth(const Item& item, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  switch (item.tag) {
    case Tag::Bool: return item.boolean;
    case Tag::String: return item.size > 0;
    case Tag::Int: return item.integer != 0;
    case Tag::Double:
    case Tag::NumberText: return is_numeric(item) && item.as_double() != 0;
    case Tag::Array:
    case Tag::JsonArray: {
      const ArrayView view(item);
      for (std::size_t i = 0; i < view.size(); ++i)
        if (truth(view[i], depth + 1)) return true;
      return false;
    }
    case Tag::Object:
    case Tag::JsonObject: return member_count(item) > 0;
    // A function is false, as the documentation of $boolean says.
    default: return false;
  }
}

}  // namespace fixpoint::jsonata
