#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "jsonata/item.h"
#include "jsonata/regex.h"

namespace fixpoint::jsonata {

struct Token {
  enum class Type : std::uint8_t { End, Name, Variable, Operator, String, Number, Constant, Regex };
  Type type = Type::End;
  std::string text;  ///< name, operator, or the string without quotes and escapes
  Item literal;      ///< of Number and Constant
  std::shared_ptr<const Pattern> pattern;
  std::size_t place = 0;  ///< bytes to the end of the token
};

/// Cuts an expression into tokens.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// After an operand `/` divides; elsewhere it starts a regular expression. Throws Failure.
  Token next(bool after_operand);

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  void skip_blanks_and_comments();
  Token operation(std::size_t length);
  Token string(char quote);
  void escape(std::string& out);
  Token number(std::size_t length);
  std::size_t number_length() const;
  Token regex();
  Token quoted_name();
  Token name();

  std::string_view text_;
  std::size_t at_ = 0;
};

/// How strongly an operator binds what stands on its left; 0 for what ends an expression.
int binding_power(std::string_view operation);

}  // namespace fixpoint::jsonata
