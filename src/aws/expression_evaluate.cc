#include <deque>
#include <optional>

#include "aws/expression_node.h"

namespace fixpoint::aws {
namespace {

using Node = Expression::Node;
using Kind = Node::Kind;

const json::Value null_value;

// Values are looked at where they are; what an expression makes anew lives in `made_` until the evaluation is over.
class Evaluator {
 public:
  // One value, or the elements of an array that is not built unless somebody needs it.
  struct Found {
    const json::Value* one = &null_value;
    std::optional<std::vector<const json::Value*>> many;
  };

  Found evaluate(const Node& node, const json::Value& input) {
    switch (node.kind) {
      case Kind::Current: return {&input, {}};
      case Kind::Field: return {&input[node.text], {}};
      case Kind::Index: return {&at(input, node.number), {}};
      case Kind::Literal: return {&node.literal, {}};
      case Kind::Chain: return evaluate(*node.parts[1], value_of(evaluate(*node.parts[0], input)));
      case Kind::Or: {
        Found left = evaluate(*node.parts[0], input);
        return falsy(left) ? evaluate(*node.parts[1], input) : left;
      }
      case Kind::And: {
        Found left = evaluate(*node.parts[0], input);
        return falsy(left) ? left : evaluate(*node.parts[1], input);
      }
      case Kind::Not: return make(falsy(evaluate(*node.parts[0], input)));
      case Kind::Compare:
        return make(
            compare(node.text, value_of(evaluate(*node.parts[0], input)), value_of(evaluate(*node.parts[1], input))));
      case Kind::Projection: return project(node, input, nullptr);
      case Kind::Filter: return project(node, input, node.parts[2].get());
      case Kind::Flatten: return flatten(evaluate(*node.parts[0], input));
      case Kind::Call: return call(node, input);
    }
    return {};
  }

  const json::Value& value_of(const Found& found) {
    if (!found.many) return *found.one;
    json::Array items;
    items.reserve(found.many->size());
    for (const json::Value* item : *found.many) items.push_back(*item);
    return made_.emplace_back(std::move(items));
  }

 private:
  Found make(json::Value value) { return {&made_.emplace_back(std::move(value)), {}}; }

  static bool falsy(const Found& found) { return found.many ? found.many->empty() : is_falsy(*found.one); }

  static const json::Value& at(const json::Value& array, std::int64_t index) {
    if (!array.is_array()) return null_value;
    const auto size = static_cast<std::int64_t>(array.size());
    if (index < 0) index += size;
    return index < 0 || index >= size ? null_value : array[static_cast<std::size_t>(index)];
  }

  // The elements of an array; nothing where it is none.
  static std::optional<std::vector<const json::Value*>> elements(Found found) {
    if (found.many) return std::move(found.many);
    if (!found.one->is_array()) return {};
    std::vector<const json::Value*> items;
    for (const json::Value& item : found.one->as_array()) items.push_back(&item);
    return items;
  }

  Found project(const Node& node, const json::Value& input, const Node* condition) {
    const auto items = elements(evaluate(*node.parts[0], input));
    if (!items) return {};
    std::vector<const json::Value*> kept;
    for (const json::Value* item : *items) {
      if (condition != nullptr && falsy(evaluate(*condition, *item))) continue;
      const json::Value& value = value_of(evaluate(*node.parts[1], *item));
      if (!value.is_null()) kept.push_back(&value);
    }
    return {&null_value, std::move(kept)};
  }

  static Found flatten(Found found) {
    const auto items = elements(std::move(found));
    if (!items) return {};
    std::vector<const json::Value*> laid_out;
    for (const json::Value* item : *items) {
      if (item->is_array())
        for (const json::Value& inner : item->as_array()) laid_out.push_back(&inner);
      else
        laid_out.push_back(item);
    }
    return {&null_value, std::move(laid_out)};
  }

  static json::Value compare(const std::string& op, const json::Value& left, const json::Value& right) {
    if (op == "==") return left == right;
    if (op == "!=") return !(left == right);
    // Only numbers have an order; of anything else JMESPath says null.
    if (!left.is_number() || !right.is_number()) return nullptr;
    const double a = left.as_double();
    const double b = right.as_double();
    if (op == "<") return a < b;
    if (op == "<=") return a <= b;
    if (op == ">") return a > b;
    return a >= b;
  }

  static std::size_t characters(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text)
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++count;
    return count;
  }

  Found call(const Node& node, const json::Value& input) {
    const Found found = evaluate(*node.parts[0], input);
    if (node.text == "length") {
      if (found.many) return make(found.many->size());
      const json::Value& of = *found.one;
      if (of.is_string()) return make(characters(of.as_string()));
      return of.is_array() || of.is_object() ? make(of.size()) : Found();
    }
    const json::Value& of = value_of(found);
    if (node.text == "contains") {
      const json::Value& what = value_of(evaluate(*node.parts[1], input));
      if (of.is_string()) return make(what.is_string() && of.as_string().find(what.as_string()) != std::string::npos);
      if (!of.is_array()) return {};
      for (const json::Value& item : of.as_array())
        if (item == what) return make(true);
      return make(false);
    }
    if (!of.is_object()) return {};
    json::Array items;
    for (const json::Member& member : of.as_object())
      items.push_back(node.text == "keys" ? json::Value(member.key) : member.value);
    return make(std::move(items));
  }

  std::deque<json::Value> made_;
};

}  // namespace

json::Value Expression::evaluate(const json::Value& input) const {
  Evaluator evaluator;
  return evaluator.value_of(evaluator.evaluate(*root_, input));
}

bool is_falsy(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::Null: return true;
    case json::Value::Kind::Bool: return !value.as_bool();
    case json::Value::Kind::String: return value.as_string().empty();
    case json::Value::Kind::Array:
    case json::Value::Kind::Object: return value.size() == 0;
    default: return false;
  }
}

}  // namespace fixpoint::aws
