#include <algorithm>
#include <array>

#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"
#include "jsonata/text.h"

// Functions: calls, closures, partial application, `~>`, regular expressions as functions, and transforms.

namespace fixpoint::jsonata {
namespace {

// The name of what is called, for errors.
std::string called_name(const Node* node) {
  const Node* procedure = node->a;
  return procedure->kind == Kind::Path ? procedure->list[0]->text : procedure->text;
}

// f ~> g is a function of its own.
const Program& chain_program() {
  static const std::unique_ptr<const Program> program = [] {
    auto made = std::make_unique<Program>();
    made->text = "function($f, $g) { function($x) { $g($f($x)) } }";
    made->root = resolve(*made, parse(*made));
    return made;
  }();
  return *program;
}

// Arguments of a call; nearly all calls have few.
class ArgumentList {
 public:
  void add(const Item& item) {
    if (size_ < few_.size())
      few_[size_] = item;
    else
      spill(item);
    ++size_;
  }
  const Item* data() const { return many_.empty() ? few_.data() : many_.data(); }
  std::size_t size() const { return size_; }

 private:
  void spill(const Item& item) {
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(item);
  }

  std::array<Item, 4> few_;
  std::vector<Item> many_;
  std::size_t size_ = 0;
};

}  // namespace

Item Evaluator::call_node(const Node* node, const Item& input, Frame* frame, const Item* first) {
  const Item function = evaluate(node->a, input, frame);
  if (function.is_undefined() && node->a->kind == Kind::Path) {
    const std::string& name = node->a->list[0]->text;
    const Item* variable = frame->find(name);
    if ((variable != nullptr && truth(*variable)) || (variable == nullptr && find_builtin(name) >= 0))
      throw Failure{"T1005", name + " is no function; is $" + name + " meant?", node->place, name};
  }
  ArgumentList arguments;
  if (first != nullptr) arguments.add(*first);
  for (const Node* part : node->list) {
    Item argument = evaluate(part, input, frame);
    if (argument.is_function()) argument.detached = true;
    arguments.add(argument);
  }
  try {
    return apply(function, arguments.data(), arguments.size(), input);
  } catch (Failure& failure) {
    if (failure.place == Failure::nowhere) failure.place = node->place;
    if (failure.token.empty()) failure.token = called_name(node);
    throw;
  }
}

Item Evaluator::apply(const Item& function, const Item* arguments, std::size_t count, const Item& context) {
  Item result = apply_once(function, arguments, count, context);
  while (result.is_function() && result.function->thunk) {
    charge(1);
    const FunctionNode& thunk = *result.function;
    const Node* call_at_tail = thunk.node->a;
    const Item next = evaluate(call_at_tail->a, thunk.input, thunk.frame);
    ArgumentList list;
    for (const Node* part : call_at_tail->list) {
      Item argument = evaluate(part, thunk.input, thunk.frame);
      if (argument.is_function()) argument.detached = true;
      list.add(argument);
    }
    try {
      result = apply_once(next, list.data(), list.size(), context);
    } catch (Failure& failure) {
      if (failure.place == Failure::nowhere) failure.place = call_at_tail->place;
      if (failure.token.empty()) failure.token = called_name(call_at_tail);
      throw;
    }
  }
  return result;
}

Item Evaluator::call(const Item& function, const Item* arguments, std::size_t count) {
  charge(1);
  return apply(function, arguments, count, Item::null());
}

Item Evaluator::call_with(const Item& function, const Item& value, const Item& key, const Item& whole) {
  const std::array<Item, 3> arguments = {value, key, whole};
  std::size_t count = 1;
  if (function.is_function()) count = std::clamp<std::size_t>(function.function->arity, 1, 3);
  return call(function, arguments.data(), count);
}

Item Evaluator::apply_once(const Item& function, const Item* arguments, std::size_t count, const Item& context) {
  if (!function.is_function()) throw Failure{"T1006", "what is called is no function", Failure::nowhere, {}};
  const FunctionNode& f = *function.function;
  const Item seen = function.detached ? Item::null() : context;
  switch (f.kind) {
    case FunctionNode::Kind::Native: {
      std::vector<Item> checked;
      builtin_signature(*f.builtin).check(arena_, arguments, count, seen, checked);
      return f.builtin->run(*this, Arguments(checked.data(), checked.size()));
    }
    case FunctionNode::Kind::Lambda: return apply_lambda(f, arguments, count, seen, true);
    case FunctionNode::Kind::Partial: return apply_partial(f, arguments, count);
    case FunctionNode::Kind::Transform: {
      static const Signature signature("<(oa):o>");
      std::vector<Item> checked;
      signature.check(arena_, arguments, count, seen, checked);
      return transform(f, checked[0]);
    }
    default: return regex(f, arguments, count);
  }
}

Item Evaluator::apply_lambda(const FunctionNode& function, const Item* arguments, std::size_t count,
                             const Item& context, bool check) {
  std::vector<Item> checked;
  if (check && function.node->signature != nullptr) {
    function.node->signature->check(arena_, arguments, count, context, checked);
    arguments = checked.data();
    count = checked.size();
  }
  auto* frame = arena_.make<Frame>();
  frame->outer = function.frame;
  const auto& names = function.node->parameters;
  if (!names.empty()) {
    frame->reserve(arena_, static_cast<std::uint32_t>(names.size()));
    for (std::size_t i = 0; i < names.size(); ++i) frame->bind(arena_, names[i], i < count ? arguments[i] : Item());
  }
  return evaluate(function.node->a, function.input, frame);
}

Item Evaluator::apply_partial(const FunctionNode& function, const Item* arguments, std::size_t count) {
  ArgumentList all;
  std::size_t given = 0;
  for (std::uint32_t i = 0; i < function.bound_count; ++i) {
    const Item& bound = function.bound[i];
    if (bound.tag != Tag::Tuple)
      all.add(bound);
    else
      all.add(given < count ? arguments[given++] : Item());
  }
  const FunctionNode& base = *function.base;
  if (base.kind == FunctionNode::Kind::Lambda) {
    // The signature of what is partly applied is left behind, as in the official implementation. A call at the tail
    // is made by the loop of whoever applies this.
    return apply_lambda(base, all.data(), all.size(), Item::null(), false);
  }
  Item item = Item::of(const_cast<FunctionNode*>(&base));
  item.detached = true;
  return apply_once(item, all.data(), all.size(), Item::null());
}

Item Evaluator::lambda(const Node* node, const Item& input, Frame* frame) {
  auto* function = arena_.make<FunctionNode>();
  function->kind = FunctionNode::Kind::Lambda;
  function->thunk = node->thunk;
  function->node = node;
  function->frame = frame;
  function->input = input;
  function->arity = static_cast<std::uint8_t>(std::min<std::size_t>(node->parameters.size(), 255));
  return Item::of(function);
}

Item Evaluator::partial(const Node* node, const Item& input, Frame* frame) {
  auto* bound = static_cast<Item*>(arena_.allocate((node->list.size() + 1) * sizeof(Item)));
  for (std::size_t i = 0; i < node->list.size(); ++i) {
    if (node->list[i]->kind == Kind::Placeholder)
      new (&bound[i]) Item(Item::of(static_cast<TupleNode*>(nullptr)));
    else
      new (&bound[i]) Item(evaluate(node->list[i], input, frame));
    if (bound[i].is_function()) bound[i].detached = true;
  }
  const Item function = evaluate(node->a, input, frame);
  if (!function.is_function()) {
    const std::string name = called_name(node);
    if (function.is_undefined() && node->a->kind == Kind::Path &&
        (frame->find(name) != nullptr || find_builtin(name) >= 0))
      throw Failure{"T1007", name + " is no function to apply partly; is $" + name + " meant?", node->place, name};
    throw Failure{"T1008", "what is applied partly is no function", node->place, name};
  }
  auto* made = arena_.make<FunctionNode>();
  made->kind = FunctionNode::Kind::Partial;
  made->base = function.function;
  made->bound = bound;
  std::size_t takes = node->list.size();
  if (function.function->kind == FunctionNode::Kind::Lambda)
    takes = std::min(takes, function.function->node->parameters.size());
  made->bound_count = static_cast<std::uint32_t>(takes);
  for (std::size_t i = 0; i < takes; ++i)
    if (bound[i].tag == Tag::Tuple && made->arity < 255) ++made->arity;
  return Item::of(made);
}

Item Evaluator::apply_node(const Node* node, const Item& input, Frame* frame) {
  const Item left = evaluate(node->a, input, frame);
  if (node->b->kind == Kind::Call) return call_node(node->b, input, frame, &left);
  const Item function = evaluate(node->b, input, frame);
  if (!function.is_function())
    throw Failure{"T2006", "what stands right of '~>' must be a function", node->place, "~>"};
  try {
    if (!left.is_function()) return apply(function, &left, 1, Item::null());
    const std::array<Item, 2> both = {left, function};
    auto* empty = arena_.make<Frame>();
    return apply(evaluate(chain_program().root, Item::null(), empty), both.data(), both.size(), Item::null());
  } catch (Failure& failure) {
    if (failure.place == Failure::nowhere) failure.place = node->place;
    if (failure.token.empty()) failure.token = node->b->text;
    throw;
  }
}

Item Evaluator::match_object(const Node* node, const Item& subject, const Pattern::Match& match) {
  const std::string_view text = subject.string();
  ObjectNode* object = new_object();
  object->set(arena_, "match", Item::of(text.substr(match.start, match.end - match.start)));
  const std::size_t start = utf16_units(text.substr(0, match.start));
  object->set(arena_, "start", Item::count(start));
  object->set(arena_, "end", Item::count(start + utf16_units(text.substr(match.start, match.end - match.start))));
  ArrayNode* groups = new_array(0, match.groups.size());
  for (const auto& group : match.groups) push(groups, group ? Item::of(*group) : Item());
  object->set(arena_, "groups", Item::of(groups));
  auto* next = arena_.make<FunctionNode>();
  next->kind = FunctionNode::Kind::RegexNext;
  next->node = node;
  next->input = subject;
  next->from = match.end;
  object->set(arena_, "next", Item::of(next));
  return Item::of(object);
}

Item Evaluator::regex(const FunctionNode& function, const Item* arguments, std::size_t count) {
  const Pattern& pattern = *function.node->pattern;
  if (function.kind == FunctionNode::Kind::RegexNext) {
    const std::string_view text = function.input.string();
    charge(1 + text.size() / 64);
    if (function.from >= text.size()) return {};
    const auto match = pattern.find(text, function.from);
    if (!match) return {};
    if (match->start == match->end)
      throw Failure{"D1004",
                    "the regular expression /" + pattern.source() + "/ matches an empty string",
                    function.node->place,
                    {}};
    return match_object(function.node, function.input, *match);
  }
  if (count == 0 || !arguments[0].is_string()) return {};
  const std::string_view text = arguments[0].string();
  charge(1 + text.size() / 64);
  std::size_t from = 0;
  if (count > 1 && arguments[1].is_number() && arguments[1].as_double() > 0)
    from = byte_of_utf16_unit(text, static_cast<std::size_t>(std::min(arguments[1].as_double(), 4e9)));
  const auto match = pattern.find(text, from);
  return match ? match_object(function.node, arguments[0], *match) : Item();
}

Item Evaluator::clone(const Item& item, int depth) {
  if (depth > deepest_nesting) too_deeply_nested();
  charge(1);
  if (item.is_array()) {
    const ArrayView view(item);
    ArrayNode* copy = new_array(0, view.size());
    for (std::size_t i = 0; i < view.size(); ++i) {
      const Item element = clone(view[i], depth + 1);
      push(copy, element.is_undefined() ? Item::null() : element);
    }
    return Item::of(copy);
  }
  if (item.is_object()) {
    ObjectNode* copy = new_object();
    each_member(item, [&](std::string_view key, const Item& value) {
      if (!value.is_undefined()) copy->set(arena_, key, clone(value, depth + 1));
    });
    return Item::of(copy);
  }
  if (item.is_function()) return Item::of(std::string_view(""));
  if (item.tag == Tag::Double && !std::isfinite(item.number)) return Item::null();
  return item;
}

Item Evaluator::transform(const FunctionNode& function, const Item& subject) {
  if (subject.is_undefined()) return {};
  const Node* node = function.node;
  auto* frame = arena_.make<Frame>();
  frame->outer = function.frame;
  Item copy;
  if (const Item* replaced = frame->find("clone")) {
    if (!replaced->is_function())
      throw Failure{"T2013", "a transform copies its input with $clone, which is no function here", node->place, {}};
    copy = apply(*replaced, &subject, 1, Item::null());
  } else {
    copy = clone(subject, 0);
  }
  const Item matches = evaluate(node->a, copy, frame);
  if (matches.is_undefined()) return copy;
  const ArrayView view = matches.is_array() ? ArrayView(matches) : ArrayView::of_one(matches);
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item match = view[i];
    ObjectNode* target = match.tag == Tag::Object ? match.object : nullptr;
    const Item update = evaluate(node->b, match, frame);
    if (!update.is_undefined()) {
      if (!update.is_object()) throw Failure{"T2011", "what a transform sets must be an object", node->b->place, {}};
      if (target != nullptr)
        each_member(update, [&](std::string_view key, const Item& value) { target->set(arena_, key, value); });
    }
    if (node->c == nullptr) continue;
    const Item removed = evaluate(node->c, match, frame);
    if (removed.is_undefined()) continue;
    const ArrayView names = removed.is_array() ? ArrayView(removed) : ArrayView::of_one(removed);
    for (std::size_t k = 0; k < names.size(); ++k)
      if (!names[k].is_string())
        throw Failure{"T2012", "what a transform deletes must be a string or an array of strings", node->c->place, {}};
    for (std::size_t k = 0; target != nullptr && k < names.size(); ++k) target->erase(names[k].string());
  }
  return copy;
}

}  // namespace fixpoint::jsonata
