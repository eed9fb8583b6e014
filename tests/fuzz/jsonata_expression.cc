// Any text as an expression: it is refused, or evaluates within its budget.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "json/text.h"
#include "jsonata/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fixpoint;
  static const json::Value input = *json::parse(
      R"({"a":{"b":[{"c":1,"d":"x"},{"c":2,"d":"y","e":[1,[2,3],null]}]},"n":-1.50,"s":"Straße 2024-01-02","t":true,
          "f":{"g":{"h":{"i":[]}}},"z":18446744073709551616})");
  const auto expression = jsonata::compile({reinterpret_cast<const char*>(data), size});
  if (!expression) {
    if (expression.error().code.empty() || expression.error().message.empty()) std::abort();
    return 0;
  }
  jsonata::Budget budget;
  budget.steps = 20'000;
  budget.depth = 300;
  budget.memory_bytes = 4UL * 1024 * 1024;
  const auto result = expression->evaluate(input, {}, budget);
  if (!result && (result.error().code.empty() || result.error().message.empty())) std::abort();
  // What comes out can be printed, and read again.
  if (result && *result && !json::parse(json::print(**result), {.depth = 1000})) std::abort();
  return 0;
}
