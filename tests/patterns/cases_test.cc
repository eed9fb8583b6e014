#include <gtest/gtest.h>
#include <iostream>

#include "json/text.h"
#include "oracle.h"
#include "patterns/machine.h"
#include "patterns/test_pattern.h"
#include "raw_member.h"
#include "support/paths.h"

namespace fixpoint::patterns {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

TEST(Cases, every_case_has_its_right_answer) {
  std::size_t count = 0;
  for (const std::string& line : lines_of(test::test_data("patterns/data/cases.jsonl"))) {
    const auto about = json::parse(line, {2000});
    ASSERT_TRUE(about) << describe(about.error());
    const std::string pattern = raw_member(line, "pattern");
    const std::string event = raw_member(line, "event");
    const auto result = matches(pattern, event);
    const bool valid = (*about)["valid"].as_bool();
    EXPECT_EQ(result.has_value(), valid) << line.substr(0, 2000) << "\n" << (result ? "" : describe(result.error()));
    const auto oracle = oracle_matches(pattern, event);
    EXPECT_EQ(oracle.has_value(), valid) << "oracle: " << line.substr(0, 2000);
    if (valid && result) {
      EXPECT_EQ(*result, (*about)["match"].as_bool()) << line.substr(0, 2000);
    }
    if (valid && oracle) {
      EXPECT_EQ(*oracle, (*about)["match"].as_bool()) << "oracle: " << line.substr(0, 2000);
    }
    if (!valid && !result) {
      EXPECT_TRUE(result.error().message.starts_with("Event pattern is not valid. Reason: ")) << result.error().message;
    }
    ++count;
  }
  EXPECT_GT(count, 600U);
}

TEST(Cases, thousands_of_rules_in_one_machine_match_as_each_alone) {
  const auto shared = test::shared_dir();
  if (!shared || !std::filesystem::exists(*shared / "patterns" / "rulesets.jsonl"))
    GTEST_SKIP() << "rulesets.jsonl is not there: FIXPOINT_SHARED names the folder of shared data";
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const std::string& line : lines_of(*shared / "patterns" / "rulesets.jsonl")) {
    const auto set = json::parse(line, {2000});
    ASSERT_TRUE(set);
    std::vector<RuleSet::Change> changes;
    for (const auto& [name, text] : raw_members(raw_member(line, "rules"))) changes.push_back({name, text});
    RuleSet rules;
    const auto applied = rules.apply(changes);
    ASSERT_TRUE(applied) << describe(applied.error());
    const auto machine = rules.machine();
    const auto events = raw_elements(raw_member(line, "events"));
    ASSERT_EQ(events.size(), (*set)["matches"].size());
    Scratch scratch;
    std::vector<RuleId> out;
    for (std::size_t e = 0; e < events.size(); ++e) {
      ASSERT_TRUE(machine->match(events[e], out, scratch));
      std::vector<std::string> names;
      for (const RuleId id : out) names.emplace_back(machine->name(id));
      std::vector<std::string> expected;
      for (const auto& name : (*set)["matches"][e].as_array()) expected.push_back(name.as_string());
      std::sort(expected.begin(), expected.end());
      const bool same = names == expected;
      EXPECT_TRUE(same) << (*set)["id"].as_string() << " event " << e;
      ++(same ? passed : failed);
    }
  }
  std::cout << passed << " passed, " << failed << " failed, 0 skipped\n";
}

TEST(Cases, the_recordings_of_the_service) {
  const auto suites = test::conformance_dir();
  if (!suites || !std::filesystem::exists(*suites / "event-patterns-aws" / "patterns.json"))
    GTEST_SKIP() << "event-patterns-aws is not there: FIXPOINT_CONFORMANCE names the folder of suites";
  const std::string text = test::read_file(*suites / "event-patterns-aws" / "patterns.json");
  const auto cases = json::parse(text);
  ASSERT_TRUE(cases);
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const json::Value& one : cases->as_array()) {
    const auto text_of = [](const json::Value& value) {
      return value.is_string() ? value.as_string() : json::print(value);
    };
    const auto result = matches(text_of(one["pattern"]), text_of(one["event"]));
    const std::string name(one["name"].as_string());
    bool good = false;
    if (one["expect"].is_bool()) {
      good = result && *result == one["expect"].as_bool();
    } else if (!result) {
      const std::string& message = result.error().message;
      good = result.error().code == one["error"]["Code"].as_string() &&
             message.substr(0, message.find('\n')) == one["error"]["Message"].as_string();
    }
    EXPECT_TRUE(good) << name << ": " << (result ? (*result ? "matches" : "does not match") : result.error().message);
    ++(good ? passed : failed);
  }
  std::cout << passed << " passed, " << failed << " failed, 0 skipped\n";
}

}  // namespace
}  // namespace fixpoint::patterns
