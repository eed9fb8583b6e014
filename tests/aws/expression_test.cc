#include "aws/expression.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::aws {
namespace {

std::string evaluated(std::string_view expression, std::string_view input) {
  const auto compiled = Expression::compile(expression);
  if (!compiled) return describe(compiled.error());
  return json::print(compiled->evaluate(json::parse(input).value()));
}

// Inputs and results are those of the JMESPath specification, or worked out by its rules:
// https://jmespath.org/specification.html
TEST(expression, names_and_indices) {
  EXPECT_EQ(evaluated("foo", R"({"foo": "value"})"), R"("value")");
  EXPECT_EQ(evaluated("bar", R"({"foo": "value"})"), "null");
  EXPECT_EQ(evaluated("a.b.c", R"({"a": {"b": {"c": 1}}})"), "1");
  EXPECT_EQ(evaluated(R"("with space".b)", R"({"with space": {"b": 2}})"), "2");
  EXPECT_EQ(evaluated("a[0]", R"({"a": [1, 2]})"), "1");
  EXPECT_EQ(evaluated("a[-1].b", R"({"a": [{"b": 1}, {"b": 2}]})"), "2");
  EXPECT_EQ(evaluated("a[2]", R"({"a": [1, 2]})"), "null");
  EXPECT_EQ(evaluated("a[-3]", R"({"a": [1, 2]})"), "null");
  EXPECT_EQ(evaluated("[0]", R"([5])"), "5");
  EXPECT_EQ(evaluated("a.b", R"({"a": [1]})"), "null");
}

TEST(expression, projections_leave_out_nulls_and_flatten_one_level) {
  EXPECT_EQ(evaluated("a[*].b", R"({"a": [{"b": 1}, {"c": 2}, {"b": 3}]})"), "[1,3]");
  EXPECT_EQ(
      evaluated(
          "Reservations[].Instances[].State.Name",
          R"({"Reservations": [{"Instances": [{"State": {"Name": "running"}}]}, {"Instances": [{"State": {"Name": "stopped"}}]}]})"),
      R"(["running","stopped"])");
  EXPECT_EQ(evaluated("[]", "[[0, 1], 2, [3], [4, [5]]]"), "[0,1,2,3,4,[5]]");
  EXPECT_EQ(evaluated("a[].b", R"({"a": "text"})"), "null");
  EXPECT_EQ(evaluated("a[*].b[0]", R"({"a": [{"b": [1, 2]}, {"b": [3]}]})"), "[1,3]");
  EXPECT_EQ(evaluated("a[*].b | [0]", R"({"a": [{"b": 1}, {"b": 3}]})"), "1");
  EXPECT_EQ(evaluated("a[?b == `1`].c", R"({"a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}]})"), R"(["x"])");
}

TEST(expression, either_both_and_not) {
  EXPECT_EQ(evaluated("a || b", R"({"b": 1})"), "1");
  EXPECT_EQ(evaluated("a || b", R"({"a": "", "b": 1})"), "1");
  EXPECT_EQ(evaluated("NextMarker || Contents[-1].Key", R"({"Contents": [{"Key": "a"}, {"Key": "b"}]})"), R"("b")");
  EXPECT_EQ(evaluated("a && b", R"({"a": 1, "b": 2})"), "2");
  EXPECT_EQ(evaluated("a && b", R"({"a": [], "b": 2})"), "[]");
  EXPECT_EQ(evaluated("!a", R"({"a": 0})"), "false");  // a number is never false
  EXPECT_EQ(evaluated("!(a || b)", R"({})"), "true");
}

TEST(expression, comparisons_and_functions) {
  EXPECT_EQ(evaluated("length(a) > `0`", R"({"a": [1]})"), "true");
  EXPECT_EQ(evaluated("length(a[].b) > `0`", R"({"a": [{"c": 1}]})"), "false");
  EXPECT_EQ(evaluated("length(a)", R"({"a": "h\u00e9llo"})"), "5");
  EXPECT_EQ(evaluated("length(a) > `0`", R"({})"), "null");  // JMESPath's invalid-type
  EXPECT_EQ(evaluated("a < b", R"({"a": "x", "b": "y"})"), "null");
  EXPECT_EQ(evaluated("a == 'x'", R"({"a": "x"})"), "true");
  EXPECT_EQ(evaluated("keys(a)", R"({"a": {"x": 1, "y": 2}})"), R"(["x","y"])");
  EXPECT_EQ(evaluated("contains(a, 'x')", R"({"a": ["x"]})"), "true");
  EXPECT_EQ(evaluated("contains(a, `2`)", R"({"a": [1]})"), "false");
  // As ECS decides that services are stable.
  constexpr std::string_view stable =
      "length(services[?!(length(deployments) == `1` && runningCount == desiredCount)]) == `0`";
  EXPECT_EQ(evaluated(stable, R"({"services": [{"deployments": [1], "runningCount": 2, "desiredCount": 2}]})"), "true");
  EXPECT_EQ(evaluated(stable, R"({"services": [{"deployments": [1, 2], "runningCount": 2, "desiredCount": 2}]})"),
            "false");
  EXPECT_EQ(evaluated(stable, R"({"services": [{"deployments": [1], "runningCount": 1, "desiredCount": 2}]})"),
            "false");
}

TEST(expression, refuses_what_it_does_not_know_and_says_where) {
  for (const std::string_view text :
       {"",    ".",       "a.",       "a..b",         "a[",          "a[b]",
        "a[0", "a[1:2]",  "{a: b}",   "[a, b]",       "*",           "*.a",
        "a.*", "sort(a)", "length()", "length(a, b)", "contains(a)", "a ==",
        "a b", "`{`",     "'open",    "\"open",       "a[?b",        "(a",
        "a)",  "&a",      "a[0](b)",  "a || ",        "a[]b",        "99999999999999999999"}) {
    const auto compiled = Expression::compile(text);
    ASSERT_FALSE(compiled) << text;
    EXPECT_EQ(compiled.error().code, "InvalidModel") << text;
    EXPECT_NE(compiled.error().where.find("column"), std::string::npos) << text;
  }
}

TEST(expression, bounds_depth_and_length) {
  EXPECT_FALSE(Expression::compile(std::string(1000, '(') + "a" + std::string(1000, ')')));
  EXPECT_FALSE(Expression::compile(std::string(1000, '!') + "a"));
  EXPECT_FALSE(Expression::compile(std::string(5000, 'a')));
  std::string long_chain = "a";
  for (int i = 0; i < 2000; ++i) long_chain += ".a";
  EXPECT_EQ(evaluated(long_chain, "{}"), "null");
}

}  // namespace
}  // namespace fixpoint::aws
