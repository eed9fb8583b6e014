#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "jsonata/item.h"
#include "jsonata/signature.h"

namespace fixpoint::jsonata {

class Evaluator;

/// The arguments of a built-in function, after its signature has been checked. Those that were left out are undefined.
class Arguments {
 public:
  Arguments(const Item* items, std::size_t size) : items_(items), size_(size) {}
  Item operator[](std::size_t i) const { return i < size_ ? items_[i] : Item(); }
  std::size_t size() const { return size_; }

 private:
  const Item* items_;
  std::size_t size_;
};

struct Builtin {
  std::string_view name;
  const char* signature;
  std::uint8_t arity;  ///< how many arguments a function like $map gives it: value, index, array
  Item (*run)(Evaluator&, const Arguments&);
};

/// Its number, or -1. Step Functions has all of JSONata's functions but $eval.
int find_builtin(std::string_view name);
const Builtin& builtin(int number);
/// The function as a value; lives for ever.
FunctionNode* builtin_function(int number);
const Signature& builtin_signature(const Builtin& builtin);

// A table for each of the files builtins_*.cc.
std::span<const Builtin> string_builtins();
std::span<const Builtin> pattern_builtins();
std::span<const Builtin> number_builtins();
std::span<const Builtin> array_builtins();
std::span<const Builtin> object_builtins();
std::span<const Builtin> encoding_builtins();
std::span<const Builtin> time_builtins();
std::span<const Builtin> step_functions_builtins();

}  // namespace fixpoint::jsonata
