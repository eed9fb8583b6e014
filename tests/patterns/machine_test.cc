#include "patterns/machine.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "oracle.h"
#include "patterns/blocks.h"
#include "patterns/test_pattern.h"
#include "random_texts.h"

namespace fixpoint::patterns {
namespace {

std::string refusal(std::string_view pattern) {
  const auto result = compile(pattern);
  return result ? "accepted"
                : result.error().where + " | " + result.error().message.substr(0, result.error().message.find('\n'));
}

bool match(std::string_view pattern, std::string_view event) {
  const auto result = matches(pattern, event);
  EXPECT_TRUE(result) << (result ? "" : describe(result.error()));
  return result && *result;
}

TEST(Pattern, a_refusal_says_where_and_what_in_the_services_words) {
  EXPECT_EQ(refusal("{\"detail\": {\n  \"a b\": [\"x\", {\"prefix\": 5}]}}"),
            "$.detail['a b'][1].prefix, line 2, column 27 | Event pattern is not valid. Reason: prefix match pattern "
            "must be a string");
  EXPECT_EQ(refusal(R"({"a": "x"})"),
            R"($.a, line 1, column 7 | Event pattern is not valid. Reason: "a" must be an object or an array)");
  EXPECT_EQ(refusal(R"({"a": [{"numeric": [">", 5, "<", 5]}]})"),
            "$.a[0].numeric, line 1, column 34 | Event pattern is not valid. Reason: Bottom must be less than top");
  const auto result = compile(R"({"a": [{"cidr": "10.0.0.0/33"}]})");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("found \"10.0.0.0/33\""), std::string::npos) << result.error().message;
  EXPECT_EQ(result.error().code, "InvalidEventPatternException");
}

TEST(Pattern, refuses_what_is_no_pattern) {
  for (const char* bad : {"",
                          "x",
                          "[]",
                          "{}",
                          R"({"a":[]})",
                          R"({"a":["x"]} y)",
                          R"({"a":["x"],})",
                          R"({"a":["x",]})",
                          R"({"a":[01]})",
                          R"({"a":["\x"]})",
                          R"({"a":[nul]})",
                          R"({"a":[{"numeric":[">" 5]}]})",
                          R"({"a":[{"anything-but":{"prefix":[]}}]})",
                          R"({"a":[{"anything-but":{"wildcard":[]}}]})",
                          R"({"a":[{"anything-but":[]}]})",
                          R"({"a":[{"cidr":"010.0.0.0/8"}]})",
                          R"({"a":[{"cidr":"10.0.0.0/32"}]})",
                          R"({"a":[{"cidr":"::ffff:1.2.3.4/96"}]})",
                          R"({"a":[{}]})",
                          R"({"$or":[{"a":["x"]}]})",
                          R"({"a":["x)",
                          "{\"a\":[\"\x01\"]}",
                          R"({"a":[{"prefix":"x"},{"exists":"no"}]})"})
    EXPECT_FALSE(compile(bad)) << bad;
}

TEST(Pattern, nesting_is_bounded) {
  std::string deep;
  for (int i = 0; i < 900; ++i) deep += "{\"a\":";
  std::string event = deep + "1" + std::string(900, '}');
  const std::string pattern = deep + "[1]" + std::string(900, '}');
  EXPECT_TRUE(match(pattern, event));
  std::string too_deep;
  for (int i = 0; i < 200000; ++i) too_deep += "{\"a\":";
  EXPECT_FALSE(compile(too_deep));
  std::string ors;
  for (int i = 0; i < 200000; ++i) ors += "{\"$or\":[";
  EXPECT_FALSE(compile(ors));
  const auto small = compile(R"({"a":[1]})");
  const auto machine = Machine::build({{"r", &*small}});
  Scratch scratch;
  std::vector<RuleId> out;
  EXPECT_FALSE(machine->match("{\"a\":" + std::string(2'000'000, '['), out, scratch));
  EXPECT_FALSE(machine->match("{\"a\":" + std::string(5000, '[') + "1" + std::string(5000, ']') + "}", out, scratch));
  // What no rule asks for may be as deep as it likes.
  EXPECT_TRUE(
      machine->match("{\"z\":" + std::string(5000, '[') + "1" + std::string(5000, ']') + ",\"a\":1}", out, scratch));
  EXPECT_EQ(out.size(), 1U);
}

TEST(Pattern, alternatives_that_multiply_too_far_are_refused) {
  std::string bomb = "{";
  for (int i = 0; i < 40; ++i)
    bomb += (i > 0 ? ",\"f" : "\"f") + std::to_string(i) + R"(":{"$or":[{"a":[1]},{"b":[2]}]})";
  EXPECT_NE(refusal(bomb + "}").find("Rule is too complex"), std::string::npos);
}

TEST(Pattern, what_the_peers_get_wrong) {
  // Exact values beside ignore-case ones of the same field.
  EXPECT_TRUE(match(R"({"a":["Low",{"equals-ignore-case":"low"},{"equals-ignore-case":"LOWER"}]})", R"({"a":"Low"})"));
  EXPECT_FALSE(match(R"({"a":[{"prefix":"x\""}]})", R"({"a":"x"})"));
  EXPECT_FALSE(match(R"({"a":[{"suffix":"\"x"}]})", R"({"a":"x"})"));
  EXPECT_TRUE(match("{\"a\":[{\"equals-ignore-case\":\"\U00010400\"}]}", "{\"a\":\"\U00010428\"}"));
  EXPECT_TRUE(match(R"({"a":[{"numeric":[">",1]}]})", R"({"a":12345678901234567890})"));
  EXPECT_FALSE(match(R"({"a":[{"cidr":"::/0"}]})", R"({"a":"1.2.3.4"})"));
  EXPECT_FALSE(match(R"({"a":[{"cidr":"0.0.0.0/0"}]})", R"({"a":16909060})"));
  EXPECT_FALSE(matches(R"({"a":[1]})", R"({"a":1} x)"));
  EXPECT_TRUE(match(R"({"a":[-0]})", R"({"a":0.0e5})"));
  EXPECT_FALSE(match(R"({"a":[9007199254740993]})", R"({"a":9007199254740992})"));
  EXPECT_TRUE(match(R"({"a":[{"exists":true}],"b":[{"exists":false}]})", R"({"a":1})"));
}

TEST(Pattern, wildcards_take_linear_time) {
  std::string pattern = R"({"a":[{"wildcard":")";
  for (int i = 0; i < 1000; ++i) pattern += "*aaaaaaaab";
  const std::string value(400'000, 'a');
  EXPECT_FALSE(match(pattern + R"(*"}]})", "{\"a\":\"" + value + "\"}"));
}

TEST(Machine, a_long_array_without_the_pair_is_settled_in_linear_time) {
  std::string event = "{\"v\":[";
  for (int i = 0; i < 50'000; ++i) event += R"({"x":1,"y":0,"z":3},{"x":0,"y":2,"z":3},)";
  EXPECT_FALSE(match(R"({"v":{"x":[1],"y":[2],"z":[3]}})", event + "{}]}"));
  EXPECT_TRUE(match(R"({"v":{"x":[1],"y":[2],"z":[3]}})", event + R"({"x":1,"y":2,"z":3}]})"));
  EXPECT_TRUE(match(R"({"v":{"x":[1],"y":[2],"z":[3]}})", event + R"({}],"v":[{"x":1,"z":3}],"v":{"y":2}})"));
}

TEST(Machine, a_value_repeated_without_end_brings_its_rules_once) {
  std::vector<Pattern> patterns;
  std::vector<std::string> names;
  for (int i = 0; i < 2000; ++i) {
    patterns.push_back(*compile(R"({"a":["x"]})"));
    names.push_back(std::to_string(10000 + i));
  }
  std::vector<Machine::Rule> rules;
  for (std::size_t i = 0; i < names.size(); ++i) rules.push_back({names[i], &patterns[i]});
  const auto machine = Machine::build(rules);
  std::string event = "{\"a\":[";
  for (int i = 0; i < 100'000; ++i) event += "\"x\",";
  Scratch scratch;
  std::vector<RuleId> out;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(machine->match(event + "1]}", out, scratch));
    EXPECT_EQ(out.size(), 2000U);
  }
}

TEST(Machine, says_where_an_event_is_broken) {
  const auto pattern = compile(R"({"a":[1]})");
  const auto machine = Machine::build({{"r", &*pattern}});
  Scratch scratch;
  std::vector<RuleId> out{7};
  for (const char* bad : {"", "[]", "1", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1}}", "{\"a\" 1}", "{a:1}",
                          "{\"a\":1,}", "{\"a\":x}", "{\"a\":\"\\x\"}", "{\"a\":[1}", "{\"b\":}", "{\"b\":\"x}"}) {
    const auto result = machine->match(bad, out, scratch);
    EXPECT_FALSE(result) << bad;
    EXPECT_TRUE(out.empty());
  }
  const auto result = machine->match("{\"b\": 1,\n \"a\": tru}", out, scratch);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().where, "line 2, column 7");
}

TEST(Machine, every_way_to_classify_blocks_gives_the_same) {
  const Classifier* list = nullptr;
  const std::size_t count = classifiers(list);
  ASSERT_GE(count, 1U);
  RandomTexts random(5);
  const char alphabet[] = "\"\"\\\\\\{}[]:,. a\n";
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::size_t n = random.below(400); n > 0; --n) text += alphabet[random.below(sizeof alphabet - 1)];
    // The classifiers are held against a reading of the text that goes byte by byte with two flags.
    std::vector<Block> expected(text.size() / 64 + 1);
    const bool closed = list[0].run(text.data(), text.size(), expected.data());
    bool inside = false;
    bool escaped = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      bool token = false;
      if (escaped) {
        escaped = false;
        token = !inside && c != '"' && c != '\\' && std::string_view("{}[]:,").find(c) != std::string_view::npos;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        inside = !inside;
        token = true;
      } else {
        token = !inside && std::string_view("{}[]:,").find(c) != std::string_view::npos;
      }
      ASSERT_EQ((expected[at / 64].tokens >> (at % 64) & 1U) != 0, token) << text << " at " << at;
    }
    ASSERT_EQ(closed, !inside);
    for (std::size_t c = 1; c < count; ++c) {
      std::vector<Block> blocks(text.size() / 64 + 1);
      EXPECT_EQ(list[c].run(text.data(), text.size(), blocks.data()), closed) << list[c].name;
      for (std::size_t b = 0; b < (text.size() + 63) / 64; ++b) {
        EXPECT_EQ(blocks[b].tokens, expected[b].tokens) << list[c].name;
        EXPECT_EQ(blocks[b].opens, expected[b].opens) << list[c].name;
        EXPECT_EQ(blocks[b].closes, expected[b].closes) << list[c].name;
        EXPECT_EQ(blocks[b].dots, expected[b].dots) << list[c].name;
        EXPECT_EQ(blocks[b].close_count, expected[b].close_count) << list[c].name;
        EXPECT_EQ(blocks[b].backslashes, expected[b].backslashes) << list[c].name;
      }
    }
  }
}

TEST(RuleSet, a_change_is_made_whole_or_not_at_all) {
  RuleSet rules;
  ASSERT_TRUE(rules.apply({{"a", R"({"x":[1]})"}, {"b", R"({"x":[2]})"}}));
  const auto before = rules.machine();
  const auto result = rules.apply({{"c", R"({"x":[3]})"}, {"a", ""}, {"b", R"({"x":5})"}});
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().where.starts_with("rule b, $.x")) << result.error().where;
  EXPECT_EQ(rules.machine(), before);
  EXPECT_EQ(rules.size(), 2U);
  rules.remove("a");
  rules.remove("no such rule");
  EXPECT_EQ(rules.size(), 1U);
  Scratch scratch;
  std::vector<RuleId> out;
  ASSERT_TRUE(before->match(R"({"x":1})", out, scratch));
  EXPECT_EQ(out.size(), 1U) << "who holds the old machine keeps the old rules";
  ASSERT_TRUE(rules.machine()->match(R"({"x":1})", out, scratch));
  EXPECT_TRUE(out.empty());
}

TEST(RuleSet, removed_rules_leave_nothing_behind) {
  RuleSet rules;
  ASSERT_TRUE(rules.set("stays", R"({"x":[1]})"));
  const std::size_t bytes = rules.machine()->bytes();
  std::vector<RuleSet::Change> more;
  std::vector<RuleSet::Change> less;
  for (int i = 0; i < 1000; ++i) {
    more.push_back({"r" + std::to_string(i), R"({"y":{"f)" + std::to_string(i) + R"(":["v"]}})"});
    less.push_back({"r" + std::to_string(i), ""});
  }
  ASSERT_TRUE(rules.apply(more));
  EXPECT_GT(rules.machine()->bytes(), bytes + 10000);
  ASSERT_TRUE(rules.apply(less));
  EXPECT_EQ(rules.machine()->bytes(), bytes);
}

TEST(RuleSet, readers_go_on_while_rules_change) {
  RuleSet rules;
  ASSERT_TRUE(rules.set("always", R"({"x":[1]})"));
  std::atomic<bool> done{false};
  std::atomic<std::size_t> wrong{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t)
    readers.emplace_back([&] {
      Scratch scratch;
      std::vector<RuleId> out;
      while (!done) {
        const auto machine = rules.machine();
        if (!machine->match(R"({"x":1,"y":["a",{"z":2}]})", out, scratch) || out.empty() ||
            machine->name(out[0]) != "always")
          ++wrong;
      }
    });
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(rules.set("r" + std::to_string(i % 17), R"({"y":{"z":[)" + std::to_string(i % 5) + "]}}"));
    if (i % 3 == 0) rules.remove("r" + std::to_string(i % 13));
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0U);
}

TEST(Explain, names_the_fields_that_fail_and_what_they_hold) {
  const auto failures =
      explain(R"({"source":["aws.s3"],"detail":{"n":[{"numeric":[">",5]}],"gone":[{"exists":true}]}})",
              R"({"source":"aws.s3","detail":{"n":[1,2]}})");
  ASSERT_TRUE(failures);
  ASSERT_EQ(failures->size(), 2U);
  EXPECT_EQ((*failures)[0].path, "detail.n");
  EXPECT_EQ((*failures)[0].wants, "a number > 5");
  EXPECT_EQ((*failures)[0].holds, "1, 2");
  EXPECT_EQ((*failures)[1].holds, "no value");
  EXPECT_TRUE(explain(R"({"a":[1]})", R"({"a":1.0})")->empty());
}

}  // namespace
}  // namespace fixpoint::patterns
