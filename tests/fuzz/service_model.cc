// A model of the user's own from any bytes: the builder, its paginators, waiters and their expressions take it or
// refuse it, and an expression that was taken can be evaluated on the model itself.
#include <cstdint>
#include <string_view>

#include "aws/expression.h"
#include "aws/paginate.h"
#include "aws/wait.h"
#include "json/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fixpoint;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto expression = aws::Expression::compile(text)) {
    static const json::Value sample =
        json::parse(R"({"a": [{"b": [1, [2, "x"]]}, {"b": null}, 3], "c": {"d": "text", "e": {}}, "f": true})").value();
    (void)expression->evaluate(sample);
  }
  const auto model = json::parse(text, {.depth = 100, .bytes = 1UL << 20});
  if (!model) return 0;
  const auto service = aws::Service::from_botocore("fuzzed", *model, *model, *model);
  if (!service) return 0;
  if ((*service)->paginators().is_object()) {
    for (const json::Member& each : (*service)->paginators().as_object()) {
      const auto paginator = aws::Paginator::make(**service, each.key);
      if (paginator) (void)paginator->collect([&](const json::Value&) { return Result<json::Value>(*model); }, {});
    }
  }
  if ((*service)->waiters().is_object()) {
    for (const json::Member& each : (*service)->waiters().as_object()) {
      const auto waiter = aws::Waiter::make(**service, each.key);
      if (waiter) (void)waiter->judge(*model);
    }
  }
  return 0;
}
