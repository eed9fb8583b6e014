#include "jsonata/failure.h"
#include "jsonata/lexer.h"
#include "jsonata/syntax.h"

namespace fixpoint::jsonata {
namespace {

Operator operator_of(std::string_view text) {
  if (text == "+") return Operator::Add;
  if (text == "-") return Operator::Subtract;
  if (text == "*") return Operator::Multiply;
  if (text == "/") return Operator::Divide;
  if (text == "%") return Operator::Modulo;
  if (text == "=") return Operator::Equal;
  if (text == "!=") return Operator::NotEqual;
  if (text == "<") return Operator::Less;
  if (text == "<=") return Operator::LessEqual;
  if (text == ">") return Operator::Greater;
  if (text == ">=") return Operator::GreaterEqual;
  if (text == "&") return Operator::Concatenate;
  if (text == "and") return Operator::And;
  if (text == "or") return Operator::Or;
  if (text == "in") return Operator::In;
  return Operator::None;
}

// Pratt's method: each token says how strongly it binds what stands on its left.
class Parser {
 public:
  explicit Parser(Program& program) : program_(program), lexer_(program.text) {}

  Node* run() {
    step();
    Node* root = expression(0);
    if (current_.type != Token::Type::End)
      throw Failure{"S0201", "'" + current_.text + "' is not expected here", current_.place, current_.text};
    return root;
  }

 private:
  Node* make(Kind kind, const Token& token) {
    Node& node = program_.nodes.emplace_back();
    node.kind = kind;
    node.place = token.place;
    node.text = token.text;
    return &node;
  }

  bool is(std::string_view operation) const {
    return current_.type == Token::Type::Operator && current_.text == operation;
  }
  void step(bool after_operand = false) {
    current_ = lexer_.next(after_operand);
    if (is("!") || is("~"))
      throw Failure{"S0204", "'" + current_.text + "' is no operator", current_.place, current_.text};
  }
  void expect(std::string_view operation, bool after_operand = false) {
    if (!is(operation)) {
      const std::string wanted = "'" + std::string(operation) + "'";
      if (current_.type == Token::Type::End)
        throw Failure{"S0203", "the expression ends where " + wanted + " is expected", current_.place, "(end)"};
      throw Failure{"S0202", wanted + " is expected, not '" + current_.text + "'", current_.place, current_.text};
    }
    step(after_operand);
  }

  int power() const { return current_.type == Token::Type::Operator ? binding_power(current_.text) : 0; }

  Node* expression(int right_power) {
    if (++depth_ > deepest_syntax)
      throw Failure{"U1001",
                    "the expression is nested more than " + std::to_string(deepest_syntax) + " levels deep",
                    current_.place,
                    {}};
    Token token = current_;
    step(true);
    Node* left = operand(token);
    while (right_power < power()) {
      token = current_;
      step();
      left = operation(token, left);
    }
    --depth_;
    return left;
  }

  // What a token means where an operand is wanted.
  Node* operand(const Token& token) {
    switch (token.type) {
      case Token::Type::End: return make(Kind::EndOfText, token);
      case Token::Type::Name: return make(Kind::Name, token);
      case Token::Type::Variable: return make(Kind::Variable, token);
      case Token::Type::String: {
        Node* node = make(Kind::String, token);
        node->literal = Item::of(std::string_view(node->text));
        return node;
      }
      case Token::Type::Number:
      case Token::Type::Constant: {
        Node* node = make(token.type == Token::Type::Number ? Kind::Number : Kind::Constant, token);
        node->literal = token.literal;
        return node;
      }
      case Token::Type::Regex: {
        Node* node = make(Kind::Regex, token);
        node->pattern = token.pattern;
        return node;
      }
      case Token::Type::Operator: break;
    }
    const std::string& op = token.text;
    if (op == "and" || op == "or" || op == "in") return make(Kind::Keyword, token);
    if (op == "*") return make(Kind::Wildcard, token);
    if (op == "**") return make(Kind::Descendants, token);
    if (op == "%") return make(Kind::Parent, token);
    if (op == "-") {
      Node* node = make(Kind::Negate, token);
      node->a = expression(70);
      return node;
    }
    if (op == "(") return block(token);
    if (op == "[") return array(token);
    if (op == "{") {
      Node* node = make(Kind::Object, token);
      node->pairs = pairs();
      return node;
    }
    if (op == "|") return transform(token);
    throw Failure{"S0211", "'" + op + "' cannot stand before an operand", token.place, op};
  }

  // What an operator means behind an operand.
  Node* operation(const Token& token, Node* left) {
    const std::string& op = token.text;
    if (op == "(") return call(token, left);
    if (op == "[") return predicate(token, left);
    if (op == "^") return order_by(token, left);
    if (op == "{") {
      Node* node = make(Kind::GroupBy, token);
      node->a = left;
      node->pairs = pairs();
      return node;
    }
    if (op == ":=") {
      if (left->kind != Kind::Variable)
        throw Failure{"S0212", "what stands left of ':=' must be a variable ($name)", left->place, left->text};
      Node* node = make(Kind::Bind, token);
      node->a = left;
      node->b = expression(binding_power(":=") - 1);
      return node;
    }
    if (op == "@" || op == "#") {
      Node* node = make(op == "@" ? Kind::BindFocus : Kind::BindIndex, token);
      node->a = left;
      node->b = expression(binding_power(op));
      if (node->b->kind != Kind::Variable)
        throw Failure{"S0214", "what stands right of '" + op + "' must be a variable ($name)", node->b->place, op};
      return node;
    }
    if (op == "?") {
      Node* node = make(Kind::Condition, token);
      node->a = left;
      node->b = expression(0);
      if (is(":")) {
        expect(":");
        node->c = expression(0);
      }
      return node;
    }
    if (op == "?:" || op == "??") {
      Node* node = make(op == "?:" ? Kind::Default : Kind::Coalesce, token);
      node->a = left;
      node->b = expression(0);
      return node;
    }
    Node* node = make(op == "." ? Kind::Map : op == "~>" ? Kind::Apply : Kind::Binary, token);
    node->op = operator_of(op);
    node->a = left;
    node->b = expression(binding_power(op));
    return node;
  }

  Node* block(const Token& token) {
    Node* node = make(Kind::Block, token);
    while (!is(")")) {
      node->list.push_back(expression(0));
      if (!is(";")) break;
      expect(";");
    }
    expect(")", true);
    return node;
  }

  Node* array(const Token& token) {
    Node* node = make(Kind::Array, token);
    if (!is("]")) {
      for (;;) {
        Node* item = expression(0);
        if (is("..")) {
          Node* range = make(Kind::Binary, current_);
          range->op = Operator::Range;
          expect("..");
          range->a = item;
          range->b = expression(0);
          item = range;
        }
        node->list.push_back(item);
        if (!is(",")) break;
        expect(",");
      }
    }
    expect("]", true);
    return node;
  }

  std::vector<Pair> pairs() {
    std::vector<Pair> all;
    if (!is("}")) {
      for (;;) {
        Node* key = expression(0);
        expect(":");
        Node* value = expression(0);
        all.push_back({key, value});
        if (!is(",")) break;
        expect(",");
      }
    }
    expect("}", true);
    return all;
  }

  Node* transform(const Token& token) {
    Node* node = make(Kind::Transform, token);
    node->a = expression(0);
    expect("|");
    node->b = expression(0);
    if (is(",")) {
      expect(",");
      node->c = expression(0);
    }
    expect("|");
    return node;
  }

  Node* call(const Token& token, Node* left) {
    Node* node = make(Kind::Call, token);
    node->a = left;
    if (!is(")")) {
      for (;;) {
        if (is("?")) {
          node->kind = Kind::PartialCall;
          node->list.push_back(make(Kind::Placeholder, current_));
          expect("?");
        } else {
          node->list.push_back(expression(0));
        }
        if (!is(",")) break;
        expect(",");
      }
    }
    expect(")", true);
    if (left->kind == Kind::Name && (left->text == "function" || left->text == "\u03bb")) lambda(node);
    return node;
  }

  void lambda(Node* node) {
    for (std::size_t i = 0; i < node->list.size(); ++i) {
      const Node* parameter = node->list[i];
      if (parameter->kind != Kind::Variable)
        throw Failure{"S0208", "parameter " + std::to_string(i + 1) + " of the function must be a variable ($name)",
                      parameter->place, parameter->text};
      node->parameters.emplace_back(parameter->text);
    }
    node->kind = Kind::Lambda;
    node->list.clear();
    if (is("<")) {
      const std::size_t start = current_.place;
      std::string text = "<";
      for (int depth = 1; depth > 0 && !is("{") && current_.type != Token::Type::End;) {
        step();
        if (is(">")) --depth;
        if (is("<")) ++depth;
        text += current_.text;
      }
      expect(">");
      try {
        node->signature = std::make_shared<const Signature>(text);
      } catch (Failure& failure) {
        failure.place += start;
        throw;
      }
    }
    expect("{");
    node->a = expression(0);
    expect("}");
  }

  Node* predicate(const Token& token, Node* left) {
    if (is("]")) {
      Node* step_node = left;
      while (step_node->kind == Kind::Predicate) step_node = step_node->a;
      step_node->keep_array = true;
      expect("]");
      return left;
    }
    Node* node = make(Kind::Predicate, token);
    node->a = left;
    node->b = expression(0);
    expect("]", true);
    return node;
  }

  Node* order_by(const Token& token, Node* left) {
    expect("(");
    Node* node = make(Kind::OrderBy, token);
    node->a = left;
    for (;;) {
      bool descending = false;
      if (is("<")) {
        expect("<");
      } else if (is(">")) {
        descending = true;
        expect(">");
      }
      node->terms.push_back({expression(0), descending});
      if (!is(",")) break;
      expect(",");
    }
    expect(")");
    return node;
  }

  Program& program_;
  Lexer lexer_;
  Token current_;
  int depth_ = 0;
};

}  // namespace

Node* parse(Program& program) {
  return Parser(program).run();
}

}  // namespace fixpoint::jsonata
