#pragma once

#include <string>
#include <string_view>

namespace fixpoint::patterns {

/// Steps through JSON text token by token, strictly as RFC 8259 has it. Never reads past the text, never recurses.
/// Unpaired surrogates in \u escapes are kept as three bytes each, since the grammar allows them.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  std::size_t position() const { return at_; }
  void move_to(std::size_t position) { at_ = position; }
  bool at_end() const { return at_ >= text_.size(); }
  /// The next character that is no white space, without taking it; '\0' at the end.
  char peek();
  /// Takes `c` where it comes next.
  bool take(char c);
  /// Takes a string and gives its text; false, with `fault`, where there is none.
  bool string(std::string& out);
  /// Takes a number, true, false or null as it is written.
  bool scalar(std::string_view& out);
  /// Takes any value; false, with `fault`, where it is malformed or nested deeper than `depth`.
  bool skip_value(std::size_t depth);

  /// What is wrong with the text at position(), after a call has returned false.
  const std::string& fault() const { return fault_; }

 private:
  bool wrong(std::string fault);
  bool hex4(unsigned& out);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string fault_;
};

/// Line and column, from 1, of a byte offset; columns count bytes.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};
Place place_of(std::string_view text, std::size_t offset);

}  // namespace fixpoint::patterns
