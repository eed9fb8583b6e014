#include <algorithm>
#include <gtest/gtest.h>

#include "oracle.h"
#include "patterns/machine.h"
#include "random_texts.h"

namespace fixpoint::patterns {
namespace {

TEST(Property, a_machine_of_random_rules_answers_as_the_plain_evaluator_does_for_each) {
  std::size_t answers = 0;
  std::size_t matched = 0;
  Scratch scratch;
  std::vector<RuleId> out;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    RandomTexts random(seed);
    std::vector<std::string> names;
    std::vector<std::string> texts;
    std::vector<Pattern> patterns;
    const std::size_t count = 1 + random.below(60);
    for (std::size_t i = 0; i < count; ++i) {
      texts.push_back(random.pattern());
      auto pattern = compile(texts.back());
      ASSERT_TRUE(pattern) << texts.back() << "\n" << describe(pattern.error());
      patterns.push_back(std::move(*pattern));
      names.push_back((i < 10 ? "r0" : "r") + std::to_string(i));
    }
    std::vector<Machine::Rule> rules;
    for (std::size_t i = 0; i < count; ++i) rules.push_back({names[i], &patterns[i]});
    const auto machine = Machine::build(rules);
    for (int e = 0; e < 40; ++e) {
      const std::string event = random.event();
      const auto result = machine->match(event, out, scratch);
      ASSERT_TRUE(result) << event << "\n" << describe(result.error());
      for (std::size_t i = 0; i < count; ++i) {
        const bool mine = std::find(out.begin(), out.end(), static_cast<RuleId>(i)) != out.end();
        const auto right = oracle_matches(patterns[i], event);
        ASSERT_TRUE(right) << event;
        ASSERT_EQ(mine, *right) << "seed " << seed << "\n" << texts[i] << "\n" << event;
        ++answers;
        matched += mine ? 1 : 0;
      }
    }
  }
  EXPECT_GT(answers, 100000U);
  EXPECT_GT(matched, answers / 100) << "rules and events that never meet show nothing";
}

TEST(Property, a_truncated_event_is_refused_wherever_it_is_cut) {
  RandomTexts random(77);
  const auto pattern = compile(R"({"a":["x"],"b":{"c":[1]},"a.b":[{"exists":true}]})");
  ASSERT_TRUE(pattern);
  const auto machine = Machine::build({{"r", &*pattern}});
  Scratch scratch;
  std::vector<RuleId> out;
  for (int i = 0; i < 200; ++i) {
    const std::string event = random.event();
    for (std::size_t cut = 0; cut < event.size(); ++cut) {
      // The machine sees each length in its own buffer, so that a byte read beyond the end is seen by the sanitizer.
      const std::vector<char> part(event.begin(), event.begin() + static_cast<std::ptrdiff_t>(cut));
      EXPECT_FALSE(machine->match({part.data(), part.size()}, out, scratch)) << event.substr(0, cut);
    }
  }
}

}  // namespace
}  // namespace fixpoint::patterns
