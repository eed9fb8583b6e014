#include <cmath>

#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"

// Paths: steps over sequences, predicates, grouping, sorting, and the tuple streams that `@`, `#` and `%` make.

namespace fixpoint::jsonata {
namespace {

bool is_sequence(const Item& item) {
  return item.tag == Tag::Array && item.array->has(ArrayNode::sequence);
}
bool is_tuple_stream(const Item& item) {
  return item.tag == Tag::Array && item.array->has(ArrayNode::tuple_stream);
}
bool is_constructed(const Item& item) {
  return item.tag == Tag::Array && item.array->has(ArrayNode::constructed);
}

// Gathers what a step gives for each element. One array that is the only result of the last step stays as it is; else
// arrays merge into the sequence.
class Gathering {
 public:
  explicit Gathering(Evaluator& evaluator) : evaluator_(evaluator) {}

  void add(const Item& item) {
    if (count_++ == 0) {
      only_ = item;
      return;
    }
    if (count_ == 2) merge(only_);
    merge(item);
  }

  Item finish(bool last) {
    if (count_ == 1) {
      if (last && only_.is_array() && !is_sequence(only_)) return only_;
      merge(only_);
    }
    return Item::of(out_ == nullptr ? evaluator_.new_array(ArrayNode::sequence) : out_);
  }

 private:
  void merge(const Item& item) {
    if (!item.is_array() || is_constructed(item)) {
      if (out_ == nullptr) out_ = evaluator_.new_array(ArrayNode::sequence);
      evaluator_.push(out_, item);
      return;
    }
    const ArrayView view(item);
    if (out_ == nullptr) out_ = evaluator_.new_array(ArrayNode::sequence, view.size());
    evaluator_.charge(view.size());
    for (std::size_t i = 0; i < view.size(); ++i) evaluator_.push(out_, view[i]);
  }

  Evaluator& evaluator_;
  ArrayNode* out_ = nullptr;
  Item only_;
  std::size_t count_ = 0;
};

}  // namespace

Item Evaluator::path(const Node* node, const Item& input, Frame* frame) {
  const std::vector<Node*>& steps = node->list;
  Item current = input;
  std::size_t i = 0;
  // Names from object to object need no sequences.
  if (input.is_object()) {
    while (i < steps.size() && steps[i]->plain_name && current.is_object()) {
      current = member(current, steps[i++]->text);
      charge(1);
      if (is_sequence(current)) {
        if (current.array->size == 0)
          current = Item();
        else if (current.array->size == 1 && !current.array->has(ArrayNode::keep_singleton))
          current = ArrayView(current)[0];
      }
    }
    if (i > 0 && current.is_undefined()) {
      if (!node->group && !node->keep_singleton_array) return current;
      current = Item::of(new_array(ArrayNode::sequence));
      i = steps.size();
    }
  }
  Item result;
  Item tuples;
  bool tuple_stream = false;
  if (i == steps.size()) {
    if (!current.is_array() || is_sequence(current)) {
      if (!node->group && !node->keep_singleton_array) return current;
      Gathering one(*this);
      one.add(current);
      result = one.finish(true);
    } else {
      result = current;
    }
  }
  const Item start = current;  // what a view of one element points to
  ArrayView view =
      start.is_array() && (i > 0 || steps[0]->kind != Kind::Variable) ? ArrayView(start) : ArrayView::of_one(start);
  for (; i < steps.size(); ++i) {
    const Node* step = steps[i];
    if (step->tuple) tuple_stream = true;
    if (i == 0 && step->constructs_array) {
      // An array constructor at the start sees the input as a whole.
      if (start.is_array()) {
        result = evaluate(step, start, frame);
      } else {
        ArrayNode* whole = new_array(ArrayNode::sequence, 1);
        push(whole, start);
        result = evaluate(step, Item::of(whole), frame);
      }
    } else if (tuple_stream) {
      tuples = tuple_step(step, view, tuples, frame);
    } else {
      result = path_step(step, view, frame, i + 1 == steps.size());
    }
    if (!tuple_stream) {
      if (result.is_undefined() || (result.is_array() && ArrayView(result).size() == 0)) break;
      // A first step that gives one thing (a constructor in a block may) is a sequence of it.
      view = ArrayView(result);
    }
  }
  if (tuple_stream) {
    if (node->tuple) {
      result = tuples;
    } else {
      const ArrayView all(tuples);
      ArrayNode* values = new_array(ArrayNode::sequence, all.size());
      for (std::size_t k = 0; k < all.size(); ++k) push(values, all[k].tuple->value);
      result = Item::of(values);
    }
  }
  if (node->keep_singleton_array && result.tag == Tag::Array) {
    if (is_constructed(result) && !is_sequence(result)) {
      ArrayNode* outer = new_array(ArrayNode::sequence, 1);
      push(outer, result);
      result = Item::of(outer);
    }
    if (is_sequence(result))
      result = Item::of(marked(result, static_cast<std::uint8_t>(result.array->marks | ArrayNode::keep_singleton)));
  }
  if (node->group) result = group(node->group->pairs, node->group->place, tuple_stream ? tuples : result, frame);
  return result;
}

Item Evaluator::path_step(const Node* step, const ArrayView& input, Frame* frame, bool last) {
  if (step->kind == Kind::Sort) {
    const Item sorted = sort(step, input, false, frame);
    return run_stages(step->stages, sorted, frame);
  }
  Gathering gathering(*this);
  const std::size_t size = input.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Item element = input[i];
    Item value;
    if (step->plain_name && element.is_object()) {
      charge(1);
      value = member(element, step->text);
      if (is_sequence(value)) value = evaluate(step, element, frame);
    } else {
      value = evaluate(step, element, frame);
      for (const Stage& stage : step->stages) value = filter(stage.predicate, value, frame);
    }
    if (!value.is_undefined()) gathering.add(value);
  }
  return gathering.finish(last);
}

Item Evaluator::run_stages(const std::vector<Stage>& stages, Item input, Frame* frame) {
  for (const Stage& stage : stages) {
    if (stage.predicate != nullptr) {
      input = filter(stage.predicate, input, frame);
      continue;
    }
    const ArrayView view(input);
    for (std::size_t i = 0; i < view.size(); ++i)
      if (view[i].tag == Tag::Tuple) view[i].tuple->set(arena_, stage.index, Item::count(i));
  }
  return input;
}

Frame* Evaluator::tuple_frame(Frame* outer, const TupleNode& tuple) {
  auto* frame = arena_.make<Frame>();
  frame->outer = outer;
  frame->reserve(arena_, tuple.size);
  for (std::uint32_t i = 0; i < tuple.size; ++i) frame->bind(arena_, tuple.bindings[i].name, tuple.bindings[i].value);
  return frame;
}

Item Evaluator::tuple_step(const Node* step, const ArrayView& input, const Item& tuples, Frame* frame) {
  ArrayNode* result = new_array(ArrayNode::sequence | ArrayNode::tuple_stream);
  if (step->kind == Kind::Sort) {
    Item sorted;
    if (!tuples.is_undefined()) {
      sorted = sort(step, ArrayView(tuples), true, frame);
    } else {
      const Item plain = sort(step, input, false, frame);
      const ArrayView view(plain);
      for (std::size_t i = 0; i < view.size(); ++i) {
        auto* tuple = arena_.make<TupleNode>();
        tuple->value = view[i];
        if (!step->index.empty()) tuple->set(arena_, step->index, Item::count(i));
        push(result, Item::of(tuple));
      }
      sorted = Item::of(result);
    }
    return run_stages(step->stages, sorted, frame);
  }
  const TupleNode empty;
  const ArrayView before(tuples);
  const std::size_t size = tuples.is_undefined() ? input.size() : before.size();
  for (std::size_t i = 0; i < size; ++i) {
    const TupleNode* from = &empty;
    Item context;
    if (tuples.is_undefined()) {
      context = input[i];
    } else {
      from = before[i].tuple;
      context = from->value;
    }
    Frame* inner = tuple_frame(frame, *from);
    const Item value = evaluate(step, context, inner);
    if (value.is_undefined()) continue;
    const ArrayView view = value.is_array() ? ArrayView(value) : ArrayView::of_one(value);
    const bool nested = is_tuple_stream(value);
    for (std::size_t k = 0; k < view.size(); ++k) {
      charge(1);
      auto* tuple = arena_.make<TupleNode>();
      tuple->value = context;
      for (std::uint32_t b = 0; b < from->size; ++b)
        tuple->set(arena_, from->bindings[b].name, from->bindings[b].value);
      if (nested) {
        const TupleNode& other = *view[k].tuple;
        tuple->value = other.value;
        for (std::uint32_t b = 0; b < other.size; ++b)
          tuple->set(arena_, other.bindings[b].name, other.bindings[b].value);
      } else {
        if (!step->focus.empty())
          tuple->set(arena_, step->focus, view[k]);
        else
          tuple->value = view[k];
        if (!step->index.empty()) tuple->set(arena_, step->index, Item::count(k));
        if (step->ancestor != nullptr) tuple->set(arena_, step->ancestor->label, context);
      }
      push(result, Item::of(tuple));
    }
  }
  return run_stages(step->stages, Item::of(result), frame);
}

Item Evaluator::filter(const Node* predicate, const Item& input, Frame* frame) {
  const bool tuples = is_tuple_stream(input);
  const ArrayView view = input.is_array() ? ArrayView(input) : ArrayView::of_one(input);
  const auto size = static_cast<double>(view.size());
  ArrayNode* result =
      new_array(static_cast<std::uint8_t>(ArrayNode::sequence | (tuples ? ArrayNode::tuple_stream : 0)));
  if (predicate->kind == Kind::Number) {
    double index = std::floor(predicate->literal.as_double());
    if (index < 0) index += size;
    if (index < 0 || index >= size) return Item::of(result);
    const Item item = view[static_cast<std::size_t>(index)];
    if (item.is_array()) return item;
    if (!item.is_undefined()) push(result, item);
    return Item::of(result);
  }
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item item = view[i];
    const Item answer = tuples ? evaluate(predicate, item.tuple->value, tuple_frame(frame, *item.tuple))
                               : evaluate(predicate, item, frame);
    const auto pick = [&](const Item& number) {
      double index = std::floor(number.as_double());
      if (index < 0) index += size;
      if (index == static_cast<double>(i)) push(result, item);
    };
    if (answer.tag == Tag::Bool) {
      if (answer.boolean) push(result, item);
      continue;
    }
    if (is_numeric(answer)) {
      pick(answer);
      continue;
    }
    if (answer.is_array()) {
      const ArrayView indexes(answer);
      charge(indexes.size());
      bool numbers = true;
      for (std::size_t k = 0; numbers && k < indexes.size(); ++k) numbers = is_numeric(indexes[k]);
      if (numbers) {
        for (std::size_t k = 0; k < indexes.size(); ++k) pick(indexes[k]);
        continue;
      }
    }
    if (truth(answer)) push(result, item);
  }
  return Item::of(result);
}

TupleNode* Evaluator::reduce_tuples(const std::vector<TupleNode*>& tuples) {
  auto* all = arena_.make<TupleNode>();
  all->value = tuples[0]->value;
  for (std::uint32_t b = 0; b < tuples[0]->size; ++b)
    all->set(arena_, tuples[0]->bindings[b].name, tuples[0]->bindings[b].value);
  // What all tuples bind to a name becomes one array, a value that is an array merging into it.
  const auto gather = [&](const Item& first, auto&& value_of) {
    ArrayNode* list = nullptr;
    Item sum = first;
    for (std::size_t t = 1; t < tuples.size(); ++t) {
      const Item value = value_of(*tuples[t]);
      if (value.is_undefined()) continue;
      if (sum.is_undefined()) {
        sum = value;
        continue;
      }
      if (list == nullptr) {
        list = new_array(0, tuples.size());
        const ArrayView view = sum.is_array() ? ArrayView(sum) : ArrayView::of_one(sum);
        for (std::size_t i = 0; i < view.size(); ++i) push(list, view[i]);
      }
      const ArrayView view = value.is_array() ? ArrayView(value) : ArrayView::of_one(value);
      charge(view.size());
      for (std::size_t i = 0; i < view.size(); ++i) push(list, view[i]);
    }
    return list == nullptr ? sum : Item::of(list);
  };
  all->value = gather(all->value, [](const TupleNode& tuple) { return tuple.value; });
  for (std::uint32_t b = 0; b < all->size; ++b) {
    const std::string_view name = all->bindings[b].name;
    all->bindings[b].value = gather(all->bindings[b].value, [&](const TupleNode& tuple) {
      for (std::uint32_t k = 0; k < tuple.size; ++k)
        if (tuple.bindings[k].name == name) return tuple.bindings[k].value;
      return Item();
    });
  }
  return all;
}

Item Evaluator::group(const std::vector<Pair>& pairs, std::size_t place, const Item& input, Frame* frame) {
  struct Entry {
    std::string_view key;
    std::size_t pair = 0;
    Item data;
    ArrayNode* list = nullptr;
    std::vector<TupleNode*> tuples;
  };
  const bool tuples = is_tuple_stream(input);
  const Item nothing;
  ArrayView view = input.is_array() ? ArrayView(input) : ArrayView::of_one(input);
  if (view.size() == 0) view = ArrayView::of_one(nothing);
  ObjectNode* result = new_object();
  // An object constructor has one element and seldom two equal keys: the result itself finds those.
  if (!tuples && view.size() == 1) {
    const Item item = view[0];
    std::vector<std::pair<std::string_view, const Node*>> values;
    values.reserve(pairs.size());
    for (const Pair& pair : pairs) {
      const Item key = evaluate(pair.key, item, frame);
      if (key.is_undefined()) continue;
      if (!key.is_string()) throw Failure{"T1003", "a key of an object must be a string", place, {}};
      if (result->find(key.string()) != nullptr)
        throw Failure{"D1009", "two members of the object have the same key: " + std::string(key.string()), place, {}};
      result->set(arena_, key.string(), Item());
      values.emplace_back(key.string(), pair.value);
    }
    ObjectNode* filled = new_object();
    for (const auto& [key, expression] : values) {
      const Item value = evaluate(expression, item, frame);
      if (!value.is_undefined()) filled->set(arena_, key, value);
    }
    return Item::of(filled);
  }
  std::vector<Entry> entries;
  ObjectNode* numbers = new_object();
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Item item = view[i];
    const bool is_tuple = item.tag == Tag::Tuple;
    Frame* inner = is_tuple ? tuple_frame(frame, *item.tuple) : frame;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const Item key = evaluate(pairs[p].key, is_tuple ? item.tuple->value : item, inner);
      if (key.is_undefined()) continue;
      if (!key.is_string()) throw Failure{"T1003", "a key of an object must be a string", place, {}};
      Item* known = numbers->find(key.string());
      if (known == nullptr) {
        numbers->set(arena_, key.string(), Item::count(entries.size()));
        entries.push_back({key.string(), p, item, nullptr, {}});
        if (is_tuple) entries.back().tuples.push_back(item.tuple);
        continue;
      }
      Entry& entry = entries[static_cast<std::size_t>(known->integer)];
      if (entry.pair != p)
        throw Failure{"D1009", "two members of the object have the same key: " + std::string(key.string()), place, {}};
      if (is_tuple) {
        entry.tuples.push_back(item.tuple);
        continue;
      }
      if (entry.data.is_undefined()) {
        entry.data = item;
        continue;
      }
      if (item.is_undefined()) continue;
      if (entry.list == nullptr) {
        entry.list = new_array();
        const ArrayView first = entry.data.is_array() ? ArrayView(entry.data) : ArrayView::of_one(entry.data);
        for (std::size_t k = 0; k < first.size(); ++k) push(entry.list, first[k]);
      }
      const ArrayView more = item.is_array() ? ArrayView(item) : ArrayView::of_one(item);
      charge(more.size());
      for (std::size_t k = 0; k < more.size(); ++k) push(entry.list, more[k]);
    }
  }
  for (const Entry& entry : entries) {
    Item context = entry.list == nullptr ? entry.data : Item::of(entry.list);
    Frame* inner = frame;
    if (!entry.tuples.empty()) {
      const TupleNode* all = reduce_tuples(entry.tuples);
      context = all->value;
      inner = tuple_frame(frame, *all);
    }
    const Item value = evaluate(pairs[entry.pair].value, context, inner);
    if (!value.is_undefined()) result->set(arena_, entry.key, value);
  }
  return Item::of(result);
}

Item Evaluator::sort(const Node* step, const ArrayView& input, bool tuples, Frame* frame) {
  const std::size_t size = input.size();
  const std::uint8_t marks =
      tuples ? static_cast<std::uint8_t>(ArrayNode::sequence | ArrayNode::tuple_stream) : std::uint8_t{0};
  struct Row {
    Item item;
    std::vector<Item> keys;  // as far as they were needed
  };
  std::vector<Row> rows(size);
  for (std::size_t i = 0; i < size; ++i) rows[i].item = input[i];
  const auto key = [&](Row& row, std::size_t term) -> const Item& {
    while (row.keys.size() <= term) {
      const Node* expression = step->terms[row.keys.size()].expression;
      if (row.item.tag == Tag::Tuple)
        row.keys.push_back(evaluate(expression, row.item.tuple->value, tuple_frame(frame, *row.item.tuple)));
      else
        row.keys.push_back(evaluate(expression, row.item, frame));
    }
    return row.keys[term];
  };
  const auto after = [&](Row& a, Row& b) {
    charge(1);
    for (std::size_t term = 0; term < step->terms.size(); ++term) {
      const Item x = key(a, term);
      const Item y = key(b, term);
      // What has no such thing comes last, whatever the direction.
      if (x.is_undefined() && y.is_undefined()) continue;
      if (x.is_undefined()) return true;
      if (y.is_undefined()) return false;
      if (!(x.is_string() || x.is_number()) || !(y.is_string() || y.is_number()))
        throw Failure{"T2008", "an order-by sorts by numbers or strings only", step->place, "^"};
      if (x.is_string() != y.is_string())
        throw Failure{"T2007", "an order-by cannot compare a number with a string", step->place, "^"};
      int order = 0;
      if (x.is_string()) {
        order = compare_strings(x.string(), y.string());
      } else if (x.tag == Tag::Int && y.tag == Tag::Int) {
        order = x.integer < y.integer ? -1 : x.integer > y.integer ? 1 : 0;
      } else {
        const double p = x.as_double();
        const double q = y.as_double();
        order = p == q ? 0 : p < q ? -1 : 1;
      }
      if (order == 0) continue;
      return (order > 0) != step->terms[term].descending;
    }
    return false;
  };
  // Merging from below: stable, and each comparison asks whether the left one comes after the right one.
  std::vector<std::uint32_t> order(size);
  std::vector<std::uint32_t> merged(size);
  for (std::size_t i = 0; i < size; ++i) order[i] = static_cast<std::uint32_t>(i);
  for (std::size_t width = 1; width < size; width *= 2) {
    for (std::size_t low = 0; low < size; low += 2 * width) {
      const std::size_t middle = std::min(low + width, size);
      const std::size_t high = std::min(low + 2 * width, size);
      std::size_t l = low;
      std::size_t r = middle;
      for (std::size_t k = low; k < high; ++k) {
        const bool right = l == middle || (r < high && after(rows[order[l]], rows[order[r]]));
        merged[k] = right ? order[r++] : order[l++];
      }
    }
    std::swap(order, merged);
  }
  ArrayNode* result = new_array(size <= 1 ? static_cast<std::uint8_t>(marks | ArrayNode::sequence) : marks, size);
  for (const std::uint32_t i : order) push(result, rows[i].item);
  return Item::of(result);
}

}  // namespace fixpoint::jsonata
