#include "jsonata/builtins.h"
#include "jsonata/evaluator.h"

namespace fixpoint::jsonata {
namespace {
Item millis(Evaluator& e, const Arguments&) {
  return Item::of(static_cast<std::int64_t>(e.now_ms()));
}
constexpr Builtin table[] = {
    {"millis", "<:n>", 0, millis},
};
}  // namespace
std::span<const Builtin> time_builtins() {
  return table;
}
}  // namespace fixpoint::jsonata
