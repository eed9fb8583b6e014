#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::json {
namespace {

TEST(Json, keeps_the_order_of_members_and_the_spelling_of_numbers) {
  const std::string text =
      R"({"z":1.10,"a":[1.0,-0,0.1,12345678901234567890123,9007199254740993],"m":{"y":null,"b":true}})";
  const auto value = parse(text);
  ASSERT_TRUE(value) << describe(value.error());
  EXPECT_EQ(print(*value), text);
}

TEST(Json, reads_doubles_to_the_nearest) {
  // The nearest double to 0.3 is 0x3FD3333333333333; to 5e-324 the smallest subnormal.
  EXPECT_EQ((*parse("0.3")).as_double(), 0.3);
  EXPECT_EQ((*parse("2.2250738585072011e-308")).as_double(), 2.2250738585072011e-308);
  EXPECT_EQ((*parse("123456789.12345678")).as_double(), 123456789.12345678);
}

TEST(Json, compares_numbers_by_value) {
  EXPECT_EQ(*parse("1.0"), *parse("1"));
  EXPECT_EQ(*parse("1e2"), *parse("100"));
  EXPECT_EQ(*parse("1.10"), *parse("1.1"));
  EXPECT_NE(*parse("9007199254740993"), *parse("9007199254740992"));
  EXPECT_NE(*parse("18446744073709551616"), *parse("18446744073709551617"));
}

TEST(Json, finds_members_of_large_objects) {
  Object object;
  for (int i = 0; i < 1000; ++i) object.set("key" + std::to_string(i), i);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(object.find("key" + std::to_string(i))->int_or(-1), i);
  EXPECT_EQ(object.find("key1000"), nullptr);
  EXPECT_TRUE(object.erase("key500"));
  EXPECT_EQ(object.find("key500"), nullptr);
  EXPECT_EQ(object.find("key999")->int_or(-1), 999);
  const Object copy = object;
  EXPECT_EQ(copy, object);
}

TEST(Json, the_last_of_two_members_of_one_name_stays) {
  EXPECT_EQ(print(*parse(R"({"a":1,"b":2,"a":3})")), R"({"a":3,"b":2})");
}

TEST(Json, refuses_what_is_not_json_and_says_where) {
  const auto refuse = [](std::string_view text) {
    const auto value = parse(text);
    EXPECT_FALSE(value) << text;
    return value ? std::string() : value.error().where;
  };
  EXPECT_EQ(refuse("{\"a\": 1,\n \"b\": }"), "line 2, column 7");
  for (const char* text : {"",      "{",      "[1,]",        "{\"a\" 1}", "01",       "1.",       "+1",           "NaN",
                           "1e400", "-1e999", "\"\\ud800\"", "\"\\x\"",   "\"\x01\"", "\"\xff\"", "\"\xc0\xaf\"", "nul",
                           "1 2",   "'a'",    "/* */ 1",     "\"a"})
    refuse(text);
}

TEST(Json, reads_again_what_it_took_and_put_into_something) {
  const std::string deepest = std::string(200, '[') + std::string(200, ']');
  const auto taken = parse(deepest);
  ASSERT_TRUE(taken);
  const std::string kept = print(Object{{"detail", Object{{"findings", *taken}}}});
  EXPECT_FALSE(parse(kept));
  const auto again = parse_printed(kept);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)["detail"]["findings"], *taken);
}

TEST(Json, refuses_what_is_nested_too_deeply) {
  const std::string deep = std::string(201, '[') + std::string(201, ']');
  const auto value = parse(deep);
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().message.find("200"), std::string::npos);
  EXPECT_TRUE(parse(std::string(200, '[') + std::string(200, ']')));
  EXPECT_FALSE(parse(std::string(5'000'000, '[')));
}

TEST(Json, escapes_what_has_to_be) {
  EXPECT_EQ(print(Value("a\"b\\c\n\x01\u00e9")), "\"a\\\"b\\\\c\\n\\u0001\u00e9\"");
  EXPECT_EQ((*parse(R"("\u00e9\ud83d\ude00\u0000")")).as_string(), std::string("\u00e9\U0001F600\0", 7));
}

TEST(Json, canonical_text_is_the_same_for_equal_values) {
  EXPECT_EQ(print_canonical(*parse(R"({"b":1.0,"a":{"d":2,"c":[]}})")), R"({"a":{"c":[],"d":2},"b":1})");
}

}  // namespace
}  // namespace fixpoint::json
