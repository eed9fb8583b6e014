// Any document under expressions of the kind that controls use.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "json/text.h"
#include "jsonata/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fixpoint;
  static const auto expressions = [] {
    std::array texts = {
        "**.a",
        "*.*",
        "a.b[c > 1].{'k': d, 'up': %.c}",
        "a^(>b, c).$string()",
        "a@$x.b@$y[$x.c = $y.c]{d: $x}",
        "$distinct(a.b) ~> $sort(function($l, $r) { $string($l) > $string($r) })",
        "$ ~> |a|{'new': b}, ['c', 'd']|",
        "$merge($spread($)) ~> $keys() ~> $join(',')",
        "$map(a, function($v, $i) { {'i': $i, 's': $substring($string($v), $i)} })",
        "$match($string(), /(\\w)(\\d*)/).groups",
        "$formatNumber($number(n), p) & $fromMillis(n, p) & $formatInteger(n, p)",
        "$toMillis(s, p)",
        "$parse(s)",
        "$reduce(a, function($p, $q) { $append($p, [$q]) })",
        "a#$i[$i % 2 = 0].b[-1]",
        "$replace(s, p, r) & $split(s, p) & $pad(s, n, p)",
    };
    std::array<jsonata::Expression, texts.size()> compiled;
    for (std::size_t i = 0; i < texts.size(); ++i) compiled[i] = *jsonata::compile(texts[i]);
    return compiled;
  }();
  const auto input = json::parse({reinterpret_cast<const char*>(data), size}, {.depth = 200, .bytes = 65536});
  if (!input) return 0;
  jsonata::Budget budget;
  budget.steps = 50'000;
  budget.depth = 300;
  budget.memory_bytes = 8UL * 1024 * 1024;
  for (const jsonata::Expression& expression : expressions) {
    const auto result = expression.evaluate(*input, {}, budget);
    if (!result && (result.error().code.empty() || result.error().message.empty())) std::abort();
    if (result && *result && !json::parse(json::print(**result), {.depth = 1000})) std::abort();
  }
  return 0;
}
