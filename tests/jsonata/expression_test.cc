#include "jsonata/expression.h"

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

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

TEST(kept, holds_what_was_set_when_its_makers_are_gone) {
  Kept kept;
  {
    Bindings bindings;
    bindings.set("rules", *json::parse(R"([{"port":22,"open":true},{"port":80,"open":false}])"));
    const auto expression =
        compile("{'open': function($p) { $exists($rules[port = $p and open]) }, 'n': $count($rules)}");
    ASSERT_TRUE(expression);
    kept = *expression->keep({}, bindings);
  }
  EXPECT_FALSE(kept.is_function());
  Bindings bindings;
  bindings.set("k", kept);
  EXPECT_EQ(evaluate("[$k.n, $k.open(22), $k.open(80)]", {}, bindings), "[2,true,false]");
  EXPECT_EQ(json::print(**kept.value()), R"({"n":2})");
}

TEST(kept, is_shared_by_threads) {
  const auto document = *json::parse(R"({"rules":[{"port":22},{"port":443},{"port":22}]})");
  const auto kept = compile("function($p) { rules[port = $p][] }")->keep(document);
  ASSERT_TRUE(kept);
  const auto expression = compile("$count($find(22)) + $sum($find(443).port[])");
  std::vector<std::thread> threads;
  std::vector<std::string> results(4);
  for (std::string& result : results)
    threads.emplace_back([&] {
      Bindings bindings;
      bindings.set("find", *kept);
      for (int i = 0; i < 200; ++i) result = json::print(**expression->evaluate({}, bindings));
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results) EXPECT_EQ(result, "445");
}

TEST(kept, a_function_is_no_result) {
  const auto result = compile("function($x) { $x }")->evaluate({});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "T1006");
  EXPECT_EQ(evaluate("{'f': $sum, 'x': [1, $sum]}"), R"({"x":[1,null]})");
}

TEST(bindings, the_last_value_of_a_name_counts) {
  Bindings bindings;
  const json::Value borrowed(1);
  bindings.borrow("x", borrowed);
  bindings.set("x", json::Value("two"));
  EXPECT_EQ(evaluate("$x", {}, bindings), "\"two\"");
  bindings.set("sum", Kept());
  EXPECT_EQ(evaluate("$sum([1])", {}, bindings), "T1006 at position 5");
}

TEST(bindings, the_time_is_given_from_outside) {
  Bindings bindings;
  bindings.set_time(1'700'000'000'123);
  EXPECT_EQ(evaluate("[$now(), $millis(), $toMillis('10:30', '[H]:[m]')]", {}, bindings),
            R"(["2023-11-14T22:13:20.123Z",1700000000123,1699957800000])");
}

TEST(input, that_is_undefined_differs_from_null) {
  const auto expression = compile("$exists($)");
  EXPECT_EQ(json::print(**expression->evaluate_without_input()), "false");
  EXPECT_EQ(json::print(**expression->evaluate(json::Value())), "true");
}

TEST(numbers, identifiers_of_many_digits_stay_what_they_are) {
  const json::Value input = *json::parse(R"({"id":9007199254740993,"other":9007199254740992,"price":1.10})");
  EXPECT_EQ(evaluate("id = other", input), "false");
  EXPECT_EQ(evaluate("'id-' & id", input), "\"id-9007199254740993\"");
  EXPECT_EQ(evaluate("$max([id, other])", input), "9007199254740993");
  EXPECT_EQ(evaluate("price + 1", input), "2.1");
  EXPECT_EQ(evaluate("$string(price)", input), "\"1.1\"");
}

// Strings that are put together grow in place; a part of one must not grow into the rest of it.
TEST(strings, that_grow_leave_those_that_they_are_part_of_as_they_are) {
  EXPECT_EQ(evaluate("($s := 'abc' & 'def'; $p := $substring($s, 0, 3); $q := $p & 'X'; [$s, $p, $q])"),
            R"(["abcdef","abc","abcX"])");
  EXPECT_EQ(
      evaluate("($s := 'abc' & 'def'; $p := $substring($s, 3); $q := $p & 'X'; $r := $s & 'Y'; [$s, $p, $q, $r])"),
      R"(["abcdef","def","defX","abcdefY"])");
  EXPECT_EQ(evaluate("($s := 'a' & 'b'; $x := $s & '1'; $y := $s & '2'; $z := $x & '3'; [$s, $x, $y, $z])"),
            R"(["ab","ab1","ab2","ab13"])");
  EXPECT_EQ(evaluate("$length($reduce([1..2000], function($a, $b) { $a & 'é' }, ''))"), "2000");
}

TEST(errors, carry_the_code_and_the_place) {
  EXPECT_EQ(evaluate("\"abc"), "S0101 at position 4");
  EXPECT_EQ(evaluate("1 + 'a'"), "T2002 at position 3");
  EXPECT_EQ(evaluate("$nothing(1)"), "T1006 at position 9");
  EXPECT_EQ(evaluate("/a(?=b)/"), "S0303 at position 8");
}

TEST(errors, say_in_a_sentence_what_would_be_right) {
  const auto result =
      compile("Resources[Size > 'big'].$length(5)")->evaluate(*json::parse(R"({"Resources":[{"Size":1}]})"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "'>' cannot compare a number with a string");
  EXPECT_EQ(compile("$error('no such port')")->evaluate({}).error().message, "no such port");
  EXPECT_EQ(compile("(1 + 2").error().message, "the expression ends where ')' is expected");
  EXPECT_NE(compile("/a(?=b)/").error().message.find("looks ahead"), std::string::npos);
  EXPECT_EQ(compile("\xff").error().message, "the expression is not valid UTF-8");
}

TEST(budget, is_counted_in_steps_depth_and_memory) {
  const auto within = [](std::string_view text, Budget budget) {
    const auto result = compile(text)->evaluate({}, {}, budget);
    return result ? std::string("fits") : result.error().code;
  };
  Budget budget;
  budget.steps = 100;
  EXPECT_EQ(within("$map([1..10], function($x) { $x })", budget), "fits");
  EXPECT_EQ(within("$map([1..1000], function($x) { $x })", budget), "U1001");
  budget = {};
  budget.depth = 20;
  EXPECT_EQ(within("((((1))))", budget), "fits");
  EXPECT_EQ(within("($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(10))", budget), "U1001");
  budget = {};
  budget.memory_bytes = 100'000;
  EXPECT_EQ(within("$length($pad('', 50000))", budget), "fits");
  EXPECT_EQ(within("$pad('', 500000)", budget), "U1001");
  EXPECT_EQ(within("$map([1..100000], function($x) { [$x] })", budget), "U1001");
}

TEST(budget, holds_for_text_that_nests_without_end) {
  EXPECT_EQ(compile(std::string(100'000, '(')).error().code, "U1001");
  EXPECT_EQ(compile(std::string(100'000, '[')).error().code, "U1001");
  EXPECT_EQ(compile(std::string(100'000, '-') + "1").error().code, "U1001");
  std::string sum = "1";
  for (int i = 0; i < 50'000; ++i) sum += "+1";
  EXPECT_EQ(compile(sum).error().code, "U1001");
  EXPECT_EQ(compile(std::string(2'000'000, ' ')).error().code, "U1001");
}

TEST(budget, holds_for_values_that_nest_without_end) {
  EXPECT_EQ(evaluate("$reduce([1..5000], function($a, $b) { [[$a]] })").substr(0, 5), "U1001");
  EXPECT_EQ(evaluate("$string($reduce([1..5000], function($a, $b) { {'a': $a} }))").substr(0, 5), "U1001");
}

TEST(budget, holds_for_patterns_that_would_backtrack) {
  EXPECT_EQ(evaluate("$contains($pad('', 30000, 'a'), /^(a+)+$/)"), "true");
  EXPECT_EQ(evaluate("$contains($pad('', 30000, 'a') & 'b', /^(a|a)*$/)"), "false");
}

TEST(budget, ends_what_would_not_end) {
  EXPECT_EQ(evaluate("($f := function() { $f() }; $f())").substr(0, 5), "U1001");
  EXPECT_EQ(evaluate("($f := function($n) { $n + $f($n + 1) }; $f(1))").substr(0, 5), "U1001");
  EXPECT_EQ(evaluate("($f := function($s) { $f($s & $s & 'x') }; $f('x'))").substr(0, 5), "U1001");
}

}  // namespace
}  // namespace fixpoint::jsonata
