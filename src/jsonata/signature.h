#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jsonata/item.h"

namespace fixpoint::jsonata {

/// What a function takes, such as <s-nn?:s>: https://docs.jsonata.org/programming#function-signatures.
class Signature {
 public:
  /// From '<' to '>'. Throws Failure S0401 or S0402 with the place relative to the start of `text`.
  explicit Signature(std::string_view text);

  /// The arguments as the function gets them: single values in arrays where it wants arrays, `context` where an
  /// argument is left out that may come from there. Throws Failure T0410, T0411 or T0412.
  void check(Arena& arena, const Item* arguments, std::size_t count, const Item& context,
             std::vector<Item>& checked) const;

 private:
  struct Parameter {
    std::uint16_t types = 0;  ///< a bit for each kind of value
    char type = 0;
    bool context = false;
    bool optional = false;
    bool repeated = false;
    std::string subtype;
  };
  bool match(const char* symbols, std::size_t count, std::size_t parameter, std::size_t at,
             std::vector<std::size_t>& taken) const;
  [[noreturn]] void refuse(const Item* arguments, std::size_t count, const std::string& symbols) const;

  std::vector<Parameter> parameters_;
};

}  // namespace fixpoint::jsonata
