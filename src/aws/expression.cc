#include "aws/expression.h"

#include <array>
#include <cctype>

#include "aws/expression_node.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

using Node = Expression::Node;
using NodePtr = std::unique_ptr<Node>;
using Kind = Node::Kind;

constexpr std::size_t text_limit_bytes = 4096;
constexpr int depth_limit = 64;

struct Token {
  enum class Type : std::uint8_t { End, Name, Number, Literal, Operator };
  Type type = Type::End;
  std::string_view text;  // the operator, the name or the number
  std::string name;       // of a quoted name
  json::Value literal;
  std::size_t at = 0;
};

// How tightly an operator binds to what is on its left: jmespath.py, parser.py, BINDING_POWER.
int power_of(const Token& token) {
  if (token.type != Token::Type::Operator) return 0;
  static constexpr std::array<std::pair<std::string_view, int>, 14> powers{{
      {"|", 1},
      {"||", 2},
      {"&&", 3},
      {"==", 5},
      {"!=", 5},
      {"<", 5},
      {"<=", 5},
      {">", 5},
      {">=", 5},
      {"[]", 9},
      {"[?", 21},
      {".", 40},
      {"[", 55},
      {"(", 60},
  }};
  for (const auto& [text, power] : powers)
    if (text == token.text) return power;
  return 0;
}
constexpr int flatten_power = 9;
constexpr int star_power = 20;
constexpr int filter_power = 21;
constexpr int dot_power = 40;
constexpr int not_power = 45;
// What binds less tightly than this ends a projection.
constexpr int projection_stop = 10;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<NodePtr> parse() {
    if (text_.size() > text_limit_bytes) return fail(bad("is longer than 4096 bytes"));
    FIXPOINT_CHECK(advance());
    FIXPOINT_TRY(root, expression(0));
    if (token_.type != Token::Type::End) return fail(bad("goes on where it should end"));
    return std::move(root);
  }

 private:
  Error bad(const std::string& what) const {
    return Error{"InvalidModel", "The expression '" + std::string(text_.substr(0, 200)) + "' " + what + ".",
                 "column " + std::to_string(token_.at + 1), false, 0};
  }

  bool is(std::string_view op) const { return token_.type == Token::Type::Operator && token_.text == op; }

  Result<void> expect(std::string_view op) {
    if (!is(op)) return fail(bad("lacks a '" + std::string(op) + "'"));
    return advance();
  }

  Result<void> advance() {
    while (next_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[next_])) != 0) ++next_;
    token_ = Token();
    token_.at = next_;
    if (next_ == text_.size()) return {};
    const char c = text_[next_];
    const std::string_view rest = text_.substr(next_);
    if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_') {
      std::size_t end = 1;
      while (end < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[end])) != 0 || rest[end] == '_')) ++end;
      return take(Token::Type::Name, end);
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-') {
      std::size_t end = 1;
      while (end < rest.size() && std::isdigit(static_cast<unsigned char>(rest[end])) != 0) ++end;
      return take(Token::Type::Number, end);
    }
    if (c == '`' || c == '\'' || c == '"') return quoted(c);
    for (const std::string_view op :
         {"||", "&&", "==", "!=", "<=", ">=", "[]", "[?", "|", "<", ">", "!", ".", "[", "]", "(", ")", ",", "*", "@"})
      if (rest.starts_with(op)) return take(Token::Type::Operator, op.size());
    return fail(bad("has the character '" + std::string(1, c) + "', which is not known here"));
  }

  Result<void> take(Token::Type type, std::size_t length) {
    token_.type = type;
    token_.text = text_.substr(next_, length);
    next_ += length;
    return {};
  }

  // `JSON`, 'raw text' or "a name".
  Result<void> quoted(char quote) {
    std::string content;
    std::size_t end = next_ + 1;
    for (; end < text_.size() && text_[end] != quote; ++end) {
      if (text_[end] == '\\' && end + 1 < text_.size()) {
        if (text_[end + 1] == quote && quote != '"') {
          ++end;
        } else {
          content += text_[end++];
        }
      }
      content += text_[end];
    }
    if (end >= text_.size()) return fail(bad("has a quote that is not closed"));
    next_ = end + 1;
    if (quote == '\'') {
      token_.type = Token::Type::Literal;
      token_.literal = std::move(content);
      return {};
    }
    auto value = json::parse(quote == '"' ? '"' + content + '"' : content, {.depth = 16, .bytes = text_limit_bytes});
    if (!value) return fail(bad("has a literal that is no JSON"));
    token_.type = quote == '"' ? Token::Type::Name : Token::Type::Literal;
    if (quote == '"')
      token_.name = value->as_string();
    else
      token_.literal = std::move(*value);
    return {};
  }

  Result<NodePtr> expression(int power) {
    if (++depth_ > depth_limit) return fail(bad("is nested more than 64 deep"));
    FIXPOINT_TRY(first, prefix());
    NodePtr left = std::move(first);
    while (power < power_of(token_)) {
      FIXPOINT_TRY(more, infix(std::move(left)));
      left = std::move(more);
    }
    --depth_;
    return left;
  }

  template <class... Parts>
  static NodePtr node(Kind kind, Parts... parts) {
    auto made = std::make_unique<Node>(kind);
    (made->parts.push_back(std::move(parts)), ...);
    return made;
  }
  static NodePtr current() { return std::make_unique<Node>(Kind::Current); }

  Result<NodePtr> prefix() {
    const Token token = token_;
    FIXPOINT_CHECK(advance());
    if (token.type == Token::Type::Name) {
      NodePtr field = std::make_unique<Node>(Kind::Field);
      field->text = token.text.empty() ? token.name : std::string(token.text);
      return field;
    }
    if (token.type == Token::Type::Literal) {
      NodePtr literal = std::make_unique<Node>(Kind::Literal);
      literal->literal = token.literal;
      return literal;
    }
    if (token.type == Token::Type::Operator) {
      if (token.text == "@") return current();
      if (token.text == "!") {
        FIXPOINT_TRY(operand, expression(not_power));
        return node(Kind::Not, std::move(operand));
      }
      if (token.text == "(") {
        FIXPOINT_TRY(inner, expression(0));
        FIXPOINT_CHECK(expect(")"));
        return std::move(inner);
      }
      if (token.text == "[") return bracket(current());
      if (token.text == "[]") return flatten(current());
      if (token.text == "[?") return filter(current());
    }
    token_ = token;
    return fail(bad("has something here that is not known: a value has to stand here"));
  }

  Result<NodePtr> infix(NodePtr left) {
    const Token token = token_;
    FIXPOINT_CHECK(advance());
    if (token.text == ".") {
      if (token_.type != Token::Type::Name) return fail(bad("lacks a name after '.'"));
      FIXPOINT_TRY(right, expression(dot_power));
      return node(Kind::Chain, std::move(left), std::move(right));
    }
    if (token.text == "[") return bracket(std::move(left));
    if (token.text == "[]") return flatten(std::move(left));
    if (token.text == "[?") return filter(std::move(left));
    if (token.text == "(") return call(*left);
    FIXPOINT_TRY(right, expression(power_of(token)));
    if (token.text == "|") return node(Kind::Chain, std::move(left), std::move(right));
    if (token.text == "||") return node(Kind::Or, std::move(left), std::move(right));
    if (token.text == "&&") return node(Kind::And, std::move(left), std::move(right));
    NodePtr compare = node(Kind::Compare, std::move(left), std::move(right));
    compare->text = token.text;
    return compare;
  }

  // After '[': an index or a star.
  Result<NodePtr> bracket(NodePtr left) {
    if (is("*")) {
      FIXPOINT_CHECK(advance());
      FIXPOINT_CHECK(expect("]"));
      FIXPOINT_TRY(right, projected(star_power));
      return node(Kind::Projection, std::move(left), std::move(right));
    }
    const auto number = token_.type == Token::Type::Number ? to_int64(token_.text) : std::nullopt;
    if (!number)
      return fail(bad("lacks an index or '*' after '['; slices and lists of expressions are not known here"));
    FIXPOINT_CHECK(advance());
    FIXPOINT_CHECK(expect("]"));
    NodePtr index = std::make_unique<Node>(Kind::Index);
    index->number = *number;
    return node(Kind::Chain, std::move(left), std::move(index));
  }

  Result<NodePtr> flatten(NodePtr left) {
    FIXPOINT_TRY(right, projected(flatten_power));
    return node(Kind::Projection, node(Kind::Flatten, std::move(left)), std::move(right));
  }

  Result<NodePtr> filter(NodePtr left) {
    FIXPOINT_TRY(condition, expression(0));
    FIXPOINT_CHECK(expect("]"));
    NodePtr right = current();
    if (!is("[]")) {
      FIXPOINT_TRY(more, projected(filter_power));
      right = std::move(more);
    }
    return node(Kind::Filter, std::move(left), std::move(right), std::move(condition));
  }

  // What is done to each element of a projection.
  Result<NodePtr> projected(int power) {
    if (power_of(token_) < projection_stop) return current();
    if (is("[") || is("[?")) return expression(power);
    if (!is(".")) return fail(bad("goes on after a projection with what is not known here"));
    FIXPOINT_CHECK(advance());
    if (token_.type != Token::Type::Name) return fail(bad("lacks a name after '.'"));
    return expression(power);
  }

  Result<NodePtr> call(const Node& callee) {
    if (callee.kind != Kind::Field) return fail(bad("calls what is no function"));
    const std::string& name = callee.text;
    const std::size_t arguments = name == "contains" ? 2 : 1;
    if (name != "length" && name != "keys" && name != "values" && name != "contains")
      return fail(bad("calls '" + name + "', which is not known here"));
    NodePtr made = std::make_unique<Node>(Kind::Call);
    made->text = name;
    while (!is(")")) {
      if (!made->parts.empty()) FIXPOINT_CHECK(expect(","));
      FIXPOINT_TRY(argument, expression(0));
      made->parts.push_back(std::move(argument));
    }
    FIXPOINT_CHECK(advance());
    if (made->parts.size() != arguments) return fail(bad("calls '" + name + "' with too many or too few arguments"));
    return made;
  }

  std::string_view text_;
  std::size_t next_ = 0;
  Token token_;
  int depth_ = 0;
};

}  // namespace

Expression::Expression() = default;
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

Result<Expression> Expression::compile(std::string_view text) {
  FIXPOINT_TRY(root, Parser(text).parse());
  Expression expression;
  expression.text_ = text;
  expression.root_ = std::move(root);
  return expression;
}

bool Expression::is_name() const {
  return root_->kind == Node::Kind::Field;
}

}  // namespace fixpoint::aws
