#include "jsonata/expression.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::jsonata {
namespace {

std::string evaluate(std::string_view text, const json::Value& input = {}, const Bindings& bindings = {}) {
  const auto expression = compile(text);
  if (!expression) return expression.error().code + " at " + expression.error().where;
  const auto result = expression->evaluate(input, bindings);
  if (!result) return result.error().code + " at " + result.error().where;
  return *result ? json::print(**result) : "undefined";
}

TEST(expression, selects_what_the_document_has) {
  const json::Value finding = *json::parse(R"({"Resources":[{"Type":"A","Id":1},{"Type":"B","Id":2}]})");
  EXPECT_EQ(evaluate("Resources[Type = 'B'].Id", finding), "2");
  EXPECT_EQ(evaluate("Resources.Id", finding), "[1,2]");
  EXPECT_EQ(evaluate("Resources[0].Missing", finding), "undefined");
}

TEST(expression, keeps_the_digits_of_numbers_that_are_only_passed_on) {
  const json::Value input = *json::parse(R"({"a":9007199254740993,"b":1.10,"c":18446744073709551616})");
  EXPECT_EQ(evaluate("{'x': a, 'y': [b], 'z': c}", input),
            R"({"x":9007199254740993,"y":[1.10],"z":18446744073709551616})");
}

TEST(expression, a_binding_wins_over_a_built_in_function) {
  Bindings bindings;
  bindings.set("partition", json::Value("aws"));
  EXPECT_EQ(evaluate("'arn:' & $partition & ':s3:::b'", {}, bindings), R"("arn:aws:s3:::b")");
  EXPECT_EQ(evaluate("$partition([1..5], 2)"), "[[1,2],[3,4],[5]]");
}

TEST(kept, a_function_of_one_expression_is_called_by_another) {
  const auto kept = compile("function($p) { $p > 20 and $p < $limit }")->keep({}, [] {
    Bindings bindings;
    bindings.set("limit", json::Value(100));
    return bindings;
  }());
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->is_function());
  Bindings bindings;
  bindings.set("covers", *kept);
  EXPECT_EQ(evaluate("[10, 22, 443].$covers($)", {}, bindings), "[false,true,false]");
  EXPECT_EQ(evaluate("$filter([10, 22, 443], $covers)", {}, bindings), "22");
}

TEST(errors, carry_the_code_and_the_place) {
  EXPECT_EQ(evaluate("\"abc"), "S0101 at position 4");
  EXPECT_EQ(evaluate("1 + 'a'"), "T2002 at position 3");
  EXPECT_EQ(evaluate("$nothing(1)"), "T1006 at position 9");
  EXPECT_EQ(evaluate("/a(?=b)/"), "S0303 at position 8");
}

TEST(budget, ends_what_would_not_end) {
  EXPECT_EQ(evaluate("($f := function() { $f() }; $f())").substr(0, 5), "U1001");
  EXPECT_EQ(evaluate("($f := function($n) { $n + $f($n + 1) }; $f(1))").substr(0, 5), "U1001");
  EXPECT_EQ(evaluate("($f := function($s) { $f($s & $s & 'x') }; $f('x'))").substr(0, 5), "U1001");
}

}  // namespace
}  // namespace fixpoint::jsonata
