#include "changes/runs.h"

#include <gtest/gtest.h>

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;

TEST(Runs, a_run_that_is_begun_again_gives_the_same_calls_the_same_names) {
  Runs runs;
  const auto run = [&] {
    runs.begin("e1", "apply-0-1");
    std::string names;
    for (const char* colour : {"red", "blue", "red"})
      names += runs.step("e1", "shop", "PutHat", Object{{"Id", "1"}, {"Colour", colour}}, "request") + "\n";
    return names;
  };
  const std::string once = run();
  EXPECT_EQ(run(), once);
  // Three calls, three names: the second red one is another than the first.
  EXPECT_NE(once.find("/1\n"), std::string::npos);
  EXPECT_NE(once.find("/2\n"), std::string::npos);
}

TEST(Runs, the_order_of_members_is_no_difference_and_another_run_is) {
  Runs runs;
  runs.begin("e1", "run-1");
  const std::string name = runs.step("e1", "shop", "PutHat", Object{{"a", 1}, {"b", 2}}, "r");
  runs.begin("e1", "run-1");
  EXPECT_EQ(runs.step("e1", "shop", "PutHat", Object{{"b", 2}, {"a", 1}}, "r"), name);
  runs.begin("e1", "run-2");
  EXPECT_NE(runs.step("e1", "shop", "PutHat", Object{{"a", 1}, {"b", 2}}, "r"), name);
}

TEST(Runs, a_call_of_which_nobody_knows_the_end_keeps_its_name_when_it_is_tried_again) {
  Runs runs;
  runs.begin("e1", "run-1");
  const std::string first = runs.step("e1", "shop", "PutHat", Object{}, "r1");
  runs.tried("e1", first);
  EXPECT_EQ(runs.step("e1", "shop", "PutHat", Object{}, "r2"), first);
  const std::string second = runs.step("e1", "shop", "PutHat", Object{}, "r3");
  EXPECT_NE(second, first);
  runs.tried("e1", first);  // no longer the last
  EXPECT_NE(runs.step("e1", "shop", "PutHat", Object{}, "r4"), second);
}

TEST(Runs, without_a_run_every_request_is_a_step_of_its_own) {
  Runs runs;
  EXPECT_EQ(runs.step("e1", "shop", "PutHat", Object{}, "r1"), "request-r1");
  runs.begin("e1", "run-1");
  runs.end("e1");
  EXPECT_EQ(runs.step("e1", "shop", "PutHat", Object{}, "r2"), "request-r2");
  runs.tried("e1", "request-r2");
}

}  // namespace
}  // namespace fixpoint::changes
