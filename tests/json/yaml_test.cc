#include "json/yaml.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::json {
namespace {

TEST(Yaml, reads_the_core_schema_and_no_more) {
  const auto value = parse_yaml(
      "a: yes\nb: 012\nc: 1.50\nd: '5'\ne: ~\nf: true\ng: [0x1F, -3]\nh: 2012-10-17\ni: |\n  two\n  lines\n");
  ASSERT_TRUE(value) << describe(value.error());
  EXPECT_EQ(
      print(*value),
      R"({"a":"yes","b":12,"c":1.5,"d":"5","e":null,"f":true,"g":["0x1F",-3],"h":"2012-10-17","i":"two\nlines\n"})");
}

TEST(Yaml, follows_aliases) {
  EXPECT_EQ(print(*parse_yaml("a: &x [1]\nb: *x\n")), R"({"a":[1],"b":[1]})");
}

TEST(Yaml, expands_short_tags_where_asked) {
  EXPECT_EQ(print(*parse_yaml("a: !Ref b\nc: !Sub '${d}'\ne: !GetAtt f.g\n", {.short_tags = true})),
            R"({"a":{"Ref":"b"},"c":{"Fn::Sub":"${d}"},"e":{"Fn::GetAtt":"f.g"}})");
  EXPECT_FALSE(parse_yaml("a: !Ref b\n"));
  EXPECT_FALSE(parse_yaml("a: !Nonsense b\n", {.short_tags = true}));
}

TEST(Yaml, refuses_with_the_place) {
  const auto twice = parse_yaml("a: 1\nb: 2\na: 3\n");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().where, "line 3, column 1");
  for (const char* bad : {"a: [1", "a: 1\n---\nb: 2\n", "? [1]\n: 2\n", "a: !!python/object x", "\xff", "a: *nowhere"})
    EXPECT_FALSE(parse_yaml(bad)) << bad;
}

TEST(Yaml, bounds_what_aliases_multiply_and_nesting) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int k = 0; k < 9; ++k) bomb += "," + below;
    bomb += "]\n";
  }
  EXPECT_FALSE(parse_yaml(bomb));
  EXPECT_FALSE(parse_yaml(std::string(500, '[') + std::string(500, ']')));
}

}  // namespace
}  // namespace fixpoint::json
