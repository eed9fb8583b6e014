#include "jsonata/builtins.h"

#include <memory>
#include <unordered_map>
#include <vector>

namespace fixpoint::jsonata {
namespace {

struct Table {
  std::vector<Builtin> functions;
  std::vector<Signature> signatures;
  std::vector<FunctionNode> values;
  std::unordered_map<std::string_view, int> numbers;

  Table() {
    for (const auto part : {string_builtins(), pattern_builtins(), number_builtins(), array_builtins(),
                            object_builtins(), encoding_builtins(), time_builtins(), step_functions_builtins()})
      functions.insert(functions.end(), part.begin(), part.end());
    signatures.reserve(functions.size());
    values.resize(functions.size());
    for (std::size_t i = 0; i < functions.size(); ++i) {
      signatures.emplace_back(functions[i].signature);
      values[i].builtin = &functions[i];
      values[i].arity = functions[i].arity;
      numbers.emplace(functions[i].name, static_cast<int>(i));
    }
  }
};

Table& table() {
  static Table all;
  return all;
}

}  // namespace

int find_builtin(std::string_view name) {
  const auto found = table().numbers.find(name);
  return found == table().numbers.end() ? -1 : found->second;
}

const Builtin& builtin(int number) {
  return table().functions[static_cast<std::size_t>(number)];
}

FunctionNode* builtin_function(int number) {
  return &table().values[static_cast<std::size_t>(number)];
}

const Signature& builtin_signature(const Builtin& function) {
  return table().signatures[static_cast<std::size_t>(&function - table().functions.data())];
}

}  // namespace fixpoint::jsonata
