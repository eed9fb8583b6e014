#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jsonata/item.h"
#include "jsonata/regex.h"
#include "jsonata/signature.h"

// The tree of an expression. The parser (parser.cc) makes it as it is written; resolve.cc then turns chains of `.` into
// paths, moves predicates to their steps, finds what each `%` means and marks calls at the tail of functions.

namespace fixpoint::jsonata {

enum class Kind : std::uint8_t {
  // As written only; none of these is left after resolve().
  Map,           ///< a.b
  Predicate,     ///< a[b]
  GroupBy,       ///< a{k: v}
  OrderBy,       ///< a^(t)
  BindFocus,     ///< a@$v
  BindIndex,     ///< a#$v
  Keyword,       ///< and, or, in where a name is wanted
  EndOfText,     ///< nothing where something is wanted
  NotAnOperand,  ///< any other token where an operand is wanted
  // As run.
  Path,
  Name,
  String,
  Number,
  Constant,  ///< true, false, null
  Wildcard,
  Descendants,
  Parent,
  Variable,
  Regex,
  Binary,
  Negate,
  Array,
  Object,
  Condition,
  Default,   ///< a ?: b
  Coalesce,  ///< a ?? b
  Block,
  Bind,
  Call,
  PartialCall,
  Placeholder,  ///< the ? of a partial call
  Lambda,
  Apply,
  Transform,
  Sort,  ///< a step of a path
};

enum class Operator : std::uint8_t {
  None,
  Add,
  Subtract,
  Multiply,
  Divide,
  Modulo,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Concatenate,
  And,
  Or,
  In,
  Range,
};

/// What a `%` refers to: the step that many levels up binds its input to the label.
struct AncestorSlot {
  std::string label;
  int level = 1;
  Node* parent = nullptr;  ///< the `%` itself
};

struct Stage {
  Node* predicate = nullptr;  ///< null: `index` is bound to the place of each element
  std::string index;
};

struct Pair {
  Node* key;
  Node* value;
};

struct Group {
  std::vector<Pair> pairs;
  std::size_t place = 0;
};

struct SortTerm {
  Node* expression;
  bool descending;
};

struct Node {
  Kind kind = Kind::Constant;
  Operator op = Operator::None;
  std::size_t place = 0;  ///< bytes to the end of the token
  std::string text;       ///< name, variable, string or operator
  Item literal;           ///< of String, Number, Constant
  int builtin = -1;       ///< of Variable: the function of that name, where nothing hides it

  std::vector<Node*> list;  ///< steps, elements, arguments, expressions of a block
  Node* a = nullptr;        ///< left side, condition, function that is called, body, pattern
  Node* b = nullptr;        ///< right side, then, update
  Node* c = nullptr;        ///< else, delete
  std::vector<Pair> pairs;  ///< of Object (and GroupBy before it is resolved)
  std::vector<SortTerm> terms;
  std::vector<std::string_view> parameters;  ///< of Lambda
  std::shared_ptr<const Signature> signature;
  std::shared_ptr<const Pattern> pattern;

  // What may hang on any node, or any step of a path.
  std::vector<Stage> stages;      ///< of a step
  std::vector<Stage> predicates;  ///< of what is no step
  std::unique_ptr<Group> group;
  std::string focus;  ///< @$focus
  std::string index;  ///< #$index
  AncestorSlot* ancestor = nullptr;
  AncestorSlot* slot = nullptr;  ///< of Parent
  std::vector<AncestorSlot*> seeking;
  bool is_seeking = false;
  bool keep_array = false;
  bool keep_singleton_array = false;  ///< of Path
  bool constructs_array = false;
  bool tuple = false;
  bool thunk = false;       ///< of Lambda: a call at the tail
  bool plain_name = false;  ///< a step that is a name and nothing else

  bool is_array_constructor() const { return kind == Kind::Array; }
};

/// A compiled expression: the text, and all the nodes.
struct Program {
  std::string text;
  std::deque<Node> nodes;
  std::deque<AncestorSlot> slots;
  const Node* root = nullptr;
};

/// What is written, as a tree. Throws Failure.
Node* parse(Program& program);
/// What is run. Throws Failure.
const Node* resolve(Program& program, Node* written);

/// Nodes within each other that parse takes; each costs some stack here, in resolve and in evaluation.
constexpr int deepest_syntax = 250;

}  // namespace fixpoint::jsonata
