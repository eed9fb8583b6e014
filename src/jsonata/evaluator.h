#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "jsonata/expression.h"
#include "jsonata/failure.h"
#include "jsonata/item.h"
#include "jsonata/syntax.h"

namespace fixpoint::jsonata {

/// One evaluation. Everything throws Failure.
class Evaluator {
 public:
  /// All stay with the caller.
  Evaluator(Arena& arena, const Budget& budget, TimeMs now_ms);

  Item evaluate(const Node* node, const Item& input, Frame* frame);
  /// Calls a function as another function does: without the caller's context.
  Item call(const Item& function, const Item* arguments, std::size_t count);
  /// The same with as many of value, key and whole as the function takes.
  Item call_with(const Item& function, const Item& value, const Item& key, const Item& whole);

  Arena& arena() { return arena_; }
  TimeMs now_ms() const { return now_ms_; }
  /// Takes steps off the budget: one for each element, or for some bytes, that a function walks over.
  void charge(std::size_t steps) {
    if (steps > steps_left_) out_of_steps();
    steps_left_ -= steps;
  }

  ArrayNode* new_array(std::uint8_t marks = 0, std::size_t capacity = 0);
  void push(ArrayNode* array, const Item& item);
  ObjectNode* new_object() { return arena_.make<ObjectNode>(); }
  Item string(std::string_view bytes) { return Item::of(arena_.copy(bytes)); }
  /// JSONata's $append.
  Item append(const Item& a, const Item& b);
  /// A copy of what may not be changed here, with other marks.
  ArrayNode* marked(const Item& array, std::uint8_t marks);

  /// JSONata's $lookup: of an object the member, of an array a sequence of those of its elements.
  Item lookup(const Item& input, std::string_view key);
  /// JSONata's $boolean of what is not undefined, which counts as false.
  bool truth(const Item& item, int depth = 0);
  /// JSONata's $string; `item` is not undefined.
  std::string_view text_of(const Item& item, bool pretty = false);
  /// True for numbers but NaN; throws D1001 for an infinite one.
  static bool is_numeric(const Item& item);
  /// JSONata's $clone; functions become "".
  Item clone(const Item& item, int depth = 0);
  /// What a regular expression found, as the object that JSONata shows.
  Item match_object(const Node* node, const Item& subject, const Pattern::Match& match);

 private:
  friend class DepthGuard;

  [[noreturn]] void out_of_steps() const;
  [[noreturn]] void too_deep() const;

  // evaluator.cc
  Item evaluate_kind(const Node* node, const Item& input, Frame* frame);
  Item binary(const Node* node, const Item& input, Frame* frame);
  Item arithmetic(const Node* node, const Item& left, const Item& right);
  Item comparison(const Node* node, const Item& left, const Item& right);
  Item range(const Node* node, const Item& left, const Item& right);
  Item array(const Node* node, const Item& input, Frame* frame);
  Item negate(const Node* node, const Item& input, Frame* frame);
  Item variable(const Node* node, const Item& input, Frame* frame);
  Item wildcard(const Item& input);
  Item descendants(const Item& input);
  void descend(const Item& input, ArrayNode* out, int depth);
  void flatten(const Item& item, ArrayNode* out, int depth);
  void lookup_into(const Item& input, std::string_view key, ArrayNode* out, int depth);

  // evaluator_path.cc
  Item path(const Node* node, const Item& input, Frame* frame);
  Item path_step(const Node* step, const ArrayView& input, Frame* frame, bool last);
  Item tuple_step(const Node* step, const ArrayView& input, const Item& tuples, Frame* frame);
  Item run_stages(const std::vector<Stage>& stages, Item input, Frame* frame);
  Item filter(const Node* predicate, const Item& input, Frame* frame);
  Item group(const std::vector<Pair>& pairs, std::size_t place, const Item& input, Frame* frame);
  Item sort(const Node* step, const ArrayView& input, bool tuples, Frame* frame);
  Frame* tuple_frame(Frame* outer, const TupleNode& tuple);
  TupleNode* reduce_tuples(const std::vector<TupleNode*>& tuples);

  // evaluator_call.cc
  Item call_node(const Node* node, const Item& input, Frame* frame, const Item* first);
  Item partial(const Node* node, const Item& input, Frame* frame);
  Item apply_node(const Node* node, const Item& input, Frame* frame);
  Item lambda(const Node* node, const Item& input, Frame* frame);
  Item apply(const Item& function, const Item* arguments, std::size_t count, const Item& context);
  Item apply_once(const Item& function, const Item* arguments, std::size_t count, const Item& context);
  Item apply_lambda(const FunctionNode& function, const Item* arguments, std::size_t count, const Item& context,
                    bool check);
  Item apply_partial(const FunctionNode& function, const Item* arguments, std::size_t count);
  Item transform(const FunctionNode& function, const Item& subject);
  Item regex(const FunctionNode& function, const Item* arguments, std::size_t count);

  Arena& arena_;
  std::size_t steps_left_;
  std::size_t depth_left_;
  std::size_t steps_;
  std::size_t depth_;
  const char* stack_end_;  // evaluation ends before it comes near the end of the thread's stack
  TimeMs now_ms_;
};

}  // namespace fixpoint::jsonata
