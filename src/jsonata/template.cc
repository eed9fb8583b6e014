#include "jsonata/template.h"

#include <vector>

#include "base/text.h"

namespace fixpoint::jsonata {

struct Template::Node {
  json::Value constant;  // of what holds no expression
  std::optional<Expression> expression;
  std::vector<std::pair<std::string, std::shared_ptr<const Node>>> members;
  std::vector<std::shared_ptr<const Node>> items;
  enum class Kind { Constant, Expression, Object, Array } kind = Kind::Constant;
};

namespace {

using Node = Template::Node;

Error at(Error error, const std::string& path) {
  if (!path.empty()) error.where = path + (error.where.empty() ? "" : ": " + error.where);
  return error;
}

// The depth of a document that came through a parser is bounded, and with it the recursion.
Result<std::shared_ptr<const Node>> compile_node(const json::Value& value, const std::string& path) {
  auto node = std::make_shared<Node>();
  if (value.is_string()) {
    const auto text = expression_in(value.as_string());
    if (!text) {
      node->constant = value;
      return node;
    }
    auto expression = jsonata::compile(*text);
    if (!expression) return fail(at(std::move(expression.error()), path));
    node->kind = Node::Kind::Expression;
    node->expression = std::move(*expression);
    return node;
  }
  bool plain = true;
  if (value.is_object()) {
    node->kind = Node::Kind::Object;
    for (const auto& member : value.as_object()) {
      FIXPOINT_TRY(child, compile_node(member.value, path.empty() ? member.key : path + "." + member.key));
      plain = plain && child->kind == Node::Kind::Constant;
      node->members.emplace_back(member.key, std::move(child));
    }
  } else if (value.is_array()) {
    node->kind = Node::Kind::Array;
    for (std::size_t i = 0; i < value.size(); ++i) {
      FIXPOINT_TRY(child, compile_node(value[i], path + "[" + std::to_string(i) + "]"));
      plain = plain && child->kind == Node::Kind::Constant;
      node->items.push_back(std::move(child));
    }
  }
  if (plain) {
    node = std::make_shared<Node>();
    node->constant = value;
  }
  return node;
}

Result<std::optional<json::Value>> fill_node(const Node& node, const json::Value& input, const Bindings& bindings,
                                             const Budget& budget, const std::string& path) {
  switch (node.kind) {
    case Node::Kind::Constant: return node.constant;
    case Node::Kind::Expression: {
      auto value = node.expression->evaluate(input, bindings, budget);
      if (!value) return fail(at(std::move(value.error()), path));
      return value;
    }
    case Node::Kind::Object: {
      json::Object out;
      for (const auto& [key, child] : node.members) {
        FIXPOINT_TRY(value, fill_node(*child, input, bindings, budget, path.empty() ? key : path + "." + key));
        if (value) out.append(key, std::move(*value));
      }
      return json::Value(std::move(out));
    }
    case Node::Kind::Array: {
      json::Array out;
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        FIXPOINT_TRY(value, fill_node(*node.items[i], input, bindings, budget, path + "[" + std::to_string(i) + "]"));
        if (value) out.push_back(std::move(*value));
      }
      return json::Value(std::move(out));
    }
  }
  return fail(errors::internal("a template of no kind"));
}

}  // namespace

std::optional<std::string> expression_in(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.size() < 4 || !trimmed.starts_with("{%") || !trimmed.ends_with("%}")) return {};
  return std::string(trim(trimmed.substr(2, trimmed.size() - 4)));
}

Result<Template> Template::compile(const json::Value& document) {
  Template out;
  FIXPOINT_TRY(root, compile_node(document, ""));
  out.root_ = std::move(root);
  return out;
}

Result<std::optional<json::Value>> Template::fill(const json::Value& input, const Bindings& bindings,
                                                  const Budget& budget) const {
  if (!root_) return std::optional<json::Value>(json::Value());
  return fill_node(*root_, input, bindings, budget, "");
}

}  // namespace fixpoint::jsonata
