#include "jsonata/lexer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "jsonata/failure.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

constexpr std::string_view blanks = " \t\n\r\v";
constexpr std::string_view operators = ".[]{}(),@#;:?+-*/%|=<>^&!~";
constexpr std::array<std::string_view, 10> double_operators = {
    "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??", ""};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

int binding_power(std::string_view op) {
  if (op.size() == 1) {
    switch (op[0]) {
      case '[':
      case '(':
      case '@':
      case '#': return 80;
      case '.': return 75;
      case '{': return 70;
      case '*':
      case '/':
      case '%': return 60;
      case '+':
      case '-':
      case '&': return 50;
      case '=':
      case '<':
      case '>':
      case '^': return 40;
      case '?': return 20;
      default: return 0;
    }
  }
  if (op == "!=" || op == "<=" || op == ">=" || op == "~>" || op == "in" || op == "?:" || op == "??") return 40;
  if (op == "and") return 30;
  if (op == "or") return 25;
  return op == ":=" ? 10 : 0;
}

void Lexer::skip_blanks_and_comments() {
  for (;;) {
    while (at_ < text_.size() && blanks.find(text_[at_]) != std::string_view::npos) ++at_;
    if (at(at_) != '/' || at(at_ + 1) != '*') return;
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) throw Failure{"S0106", "the comment has no closing '*/'", at_, {}};
    at_ = end + 2;
  }
}

Token Lexer::next(bool after_operand) {
  skip_blanks_and_comments();
  Token token;
  token.place = at_;
  if (at_ >= text_.size()) return token;
  const char c = text_[at_];
  if (c == '/' && !after_operand) return regex();
  for (const std::string_view two : double_operators)
    if (!two.empty() && text_.substr(at_, 2) == two) return operation(2);
  if (operators.find(c) != std::string_view::npos) return operation(1);
  if (c == '"' || c == '\'') return string(c);
  if (const std::size_t length = number_length(); length > 0) return number(length);
  if (c == '`') return quoted_name();
  return name();
}

Token Lexer::operation(std::size_t length) {
  Token token;
  token.type = Token::Type::Operator;
  token.text = std::string(text_.substr(at_, length));
  at_ += length;
  token.place = at_;
  return token;
}

Token Lexer::string(char quote) {
  Token token;
  token.type = Token::Type::String;
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == quote) {
      ++at_;
      token.place = at_;
      return token;
    }
    if (c == '\\')
      escape(token.text);
    else
      token.text += c;
    ++at_;
  }
  throw Failure{"S0101", std::string("the string has no closing ") + quote, text_.size(), {}};
}

// Leaves at_ on the last character of the escape.
void Lexer::escape(std::string& out) {
  ++at_;
  const char c = at(at_);
  switch (c) {
    case '"':
    case '\\':
    case '/': out += c; return;
    case 'b': out += '\b'; return;
    case 'f': out += '\f'; return;
    case 'n': out += '\n'; return;
    case 'r': out += '\r'; return;
    case 't': out += '\t'; return;
    default: break;
  }
  if (c != 'u')
    throw Failure{"S0103", std::string("\\") + c + " is no escape that a string may hold", at_, std::string(1, c)};
  const auto unit = [&](std::size_t from) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    if (from + 4 > text_.size()) return {};
    const char* start = text_.data() + from;
    const auto [end, error] = std::from_chars(start, start + 4, value, 16);
    if (error != std::errc() || end != start + 4) return {};
    return value;
  };
  const auto code = unit(at_ + 1);
  if (!code) throw Failure{"S0104", "\\u wants four hexadecimal digits", at_, {}};
  at_ += 4;
  if (*code >= 0xd800 && *code < 0xdc00 && at(at_ + 1) == '\\' && at(at_ + 2) == 'u') {
    const auto low = unit(at_ + 3);
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      append_code_point(out, 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00));
      at_ += 6;
      return;
    }
  }
  append_code_point(out, *code);
}

std::size_t Lexer::number_length() const {
  std::size_t i = at_;
  if (!is_digit(at(i))) return 0;
  if (at(i) == '0')
    ++i;
  else
    while (is_digit(at(i))) ++i;
  if (at(i) == '.' && is_digit(at(i + 1))) {
    ++i;
    while (is_digit(at(i))) ++i;
  }
  if (at(i) == 'e' || at(i) == 'E') {
    std::size_t k = i + 1;
    if (at(k) == '+' || at(k) == '-') ++k;
    if (is_digit(at(k))) {
      while (is_digit(at(k))) ++k;
      i = k;
    }
  }
  return i - at_;
}

Token Lexer::number(std::size_t length) {
  const std::string digits(text_.substr(at_, length));
  Token token;
  token.type = Token::Type::Number;
  token.text = digits;
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    token.literal = Item::of(integer);
  } else {
    const double value = std::strtod(digits.c_str(), nullptr);
    if (!std::isfinite(value)) throw Failure{"S0102", "the number " + digits + " is too large", at_, digits};
    token.literal = Item::of(value);
  }
  at_ += length;
  token.place = at_;
  return token;
}

Token Lexer::regex() {
  const std::size_t start = ++at_;
  int depth = 0;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '/' && depth == 0) {
      std::size_t backslashes = 0;
      while (at_ - backslashes > start && text_[at_ - backslashes - 1] == '\\') ++backslashes;
      if (backslashes % 2 == 0) break;
    }
    const bool escaped = at_ > 0 && text_[at_ - 1] == '\\';
    if ((c == '(' || c == '[' || c == '{') && !escaped) ++depth;
    if ((c == ')' || c == ']' || c == '}') && !escaped) --depth;
  }
  if (at_ >= text_.size()) throw Failure{"S0302", "the regular expression has no closing /", at_, {}};
  if (at_ == start) throw Failure{"S0301", "a regular expression may not be empty", at_, {}};
  const std::string_view source = text_.substr(start, at_ - start);
  ++at_;
  bool ignore_case = false;
  bool multi_line = false;
  for (; at(at_) == 'i' || at(at_) == 'm'; ++at_) (at(at_) == 'i' ? ignore_case : multi_line) = true;
  Token token;
  token.type = Token::Type::Regex;
  token.text = std::string(source);
  token.place = at_;
  token.pattern = std::make_shared<const Pattern>(source, ignore_case, multi_line, at_);
  return token;
}

Token Lexer::quoted_name() {
  const std::size_t end = text_.find('`', at_ + 1);
  if (end == std::string_view::npos) throw Failure{"S0105", "the quoted name has no closing `", text_.size(), {}};
  Token token;
  token.type = Token::Type::Name;
  token.text = std::string(text_.substr(at_ + 1, end - at_ - 1));
  at_ = end + 1;
  token.place = at_;
  return token;
}

Token Lexer::name() {
  std::size_t end = at_;
  while (end < text_.size() && blanks.find(text_[end]) == std::string_view::npos &&
         operators.find(text_[end]) == std::string_view::npos)
    ++end;
  std::string_view word = text_.substr(at_, end - at_);
  at_ = end;
  Token token;
  token.type = Token::Type::Name;
  token.place = at_;
  if (word.starts_with('$')) {
    token.type = Token::Type::Variable;
    word.remove_prefix(1);
  } else if (word == "or" || word == "in" || word == "and") {
    token.type = Token::Type::Operator;
  } else if (word == "true" || word == "false" || word == "null") {
    token.type = Token::Type::Constant;
    token.literal = word == "null" ? Item::null() : Item::of(word == "true");
  }
  token.text = std::string(word);
  return token;
}

}  // namespace fixpoint::jsonata
