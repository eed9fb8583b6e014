#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "patterns/json_reader.h"
#include "patterns/pattern.h"

namespace fixpoint::patterns {

/// Where in a pattern the reader stands, and the error that is made of it.
class PatternPlace {
 public:
  PatternPlace(std::string_view text, JsonReader& reader) : text_(text), reader_(reader) {}

  /// Records the refusal: `reason` in EventBridge's words, `right` what would be right. Always false.
  bool refuse(const std::string& reason, const std::string& right);
  /// Records what the reader found wrong with the JSON itself. Always false.
  bool syntax();
  bool syntax(const std::string& fault);
  /// The start of what stands at the reader's position, for a sentence.
  std::string found() const;
  const Error& error() const { return error_; }

 private:
  friend class Step;
  struct Part {
    const std::string* name;  // null: an index
    std::size_t index;
  };
  std::string_view text_;
  JsonReader& reader_;
  std::vector<Part> path_;
  Error error_;
};

/// One step of the path, for as long as it lives.
class Step {
 public:
  Step(PatternPlace& place, const std::string& name) : place_(place) { place_.path_.push_back({&name, 0}); }
  Step(PatternPlace& place, std::size_t index) : place_(place) { place_.path_.push_back({nullptr, index}); }
  ~Step() { place_.path_.pop_back(); }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  PatternPlace& place_;
};

/// Reads the list of values of one field. `old_forms_only` leaves out the operators within operators.
class Operators {
 public:
  Operators(JsonReader& reader, PatternPlace& place, bool old_forms_only)
      : reader_(reader), place_(place), old_(old_forms_only) {}

  bool values(std::vector<Test>& tests);

 private:
  bool literal(Test& test);
  bool expression(Test& test);
  bool operand(const std::string& name, Test& test);
  bool text_operand(const std::string& reason, std::string& out);
  bool affix(const std::string& name, Test& test);
  bool wildcard(Test& test, const std::string& reason);
  bool numeric(Test& test);
  bool number(Decimal& out, const std::string& sign);
  bool anything_but(Test& test);
  bool anything_but_list(Test& test);
  bool anything_but_operator(Test& test);
  bool one_key_only();

  JsonReader& reader_;
  PatternPlace& place_;
  bool old_;
};

}  // namespace fixpoint::patterns
