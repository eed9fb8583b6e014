#include <array>
#include <cstdio>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "support/paths.h"
#include "support/temp_dir.h"

namespace fixpoint {
namespace {

struct Outcome {
  int status = -1;
  std::string out;
};

// The program that the build made, in a folder of the test's own.
class MatchCommand : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(FIXPOINT_BINARY)) GTEST_SKIP() << "the program is not built: ninja fixpoint makes it";
    std::filesystem::create_directories(folder_ / "rules");
  }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  Outcome run(const std::string& words) {
    const std::string command =
        "cd '" + folder_.string() + "' && '" + std::string(FIXPOINT_BINARY) + "' match " + words + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    Outcome outcome;
    std::array<char, 4096> buffer{};
    while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) outcome.out.append(buffer.data(), got);
    outcome.status = WEXITSTATUS(pclose(pipe));
    return outcome;
  }

  const test::TempDir dir_;
  const std::filesystem::path folder_ = dir_.path();
};

TEST_F(MatchCommand, names_the_rules_that_each_event_matches_and_says_why_others_do_not) {
  write("rules/big.json", R"({"detail": {"n": [{"numeric": [">", 5]}]}})");
  write("rules/any.json", R"({"source": [{"exists": true}]})");
  write("events.jsonl", "{\"source\": \"x\", \"detail\": {\"n\": 6}}\n\n{\"source\": \"x\", \"detail\": {\"n\": 5}}\n");
  const Outcome plain = run("--rules rules events.jsonl");
  EXPECT_EQ(plain.status, 0);
  EXPECT_EQ(plain.out, "1\tany\n1\tbig\n3\tany\n");
  EXPECT_EQ(run("--rules rules --why events.jsonl").out,
            "1\tany\n1\tbig\n3\tany\n3\tbig\tno: detail.n holds 5; wanted: a number > 5\n");
  EXPECT_EQ(run("--pattern rules/big.json < events.jsonl").out, "1\tbig\n");
}

TEST_F(MatchCommand, its_status_tells_scripts_how_it_went) {
  write("rules/a.json", R"({"a": [1]})");
  write("bad.json", R"({"a": 1})");
  write("none.jsonl", "{\"a\": 2}\n");
  write("broken.jsonl", "{\"a\": 2\n{\"a\": 1}\n");
  EXPECT_EQ(run("--pattern rules/a.json none.jsonl").status, 1);
  EXPECT_EQ(run("none.jsonl").status, 2);
  EXPECT_EQ(run("--pattern rules/a.json --rules rules none.jsonl").status, 2);
  const Outcome refused = run("--pattern bad.json none.jsonl");
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.out.find("\"a\" must be an object or an array"), std::string::npos) << refused.out;
  EXPECT_EQ(run("--pattern missing.json none.jsonl").status, 3);
  const Outcome broken = run("--pattern rules/a.json broken.jsonl");
  EXPECT_EQ(broken.status, 3);
  EXPECT_NE(broken.out.find("event 1"), std::string::npos) << broken.out;
  EXPECT_NE(broken.out.find("2\ta\n"), std::string::npos) << "the events after a broken one are still matched";
}

TEST_F(MatchCommand, answers_cases_line_by_line) {
  write("cases.jsonl",
        "{\"id\": \"x\", \"pattern\": {\"a\": [1.0]}, \"event\": {\"a\": 10e-1}}\n"
        "{\"id\": 2, \"event\": {\"a\": 1}, \"pattern\": {\"a\": [2]}}\n"
        "{\"id\": \"z\", \"pattern\": {\"a\": 2}, \"event\": {}}\n");
  const Outcome outcome = run("--cases cases.jsonl");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(
      outcome.out.starts_with("{\"id\":\"x\",\"valid\":true,\"match\":true}\n"
                              "{\"id\":2,\"valid\":true,\"match\":false}\n"
                              "{\"id\":\"z\",\"valid\":false,\"error\":\"Event pattern is not valid. Reason: "))
      << outcome.out;
  write("cases.jsonl", "{\"id\": 1}\n");
  EXPECT_EQ(run("--cases cases.jsonl").status, 3);
}

}  // namespace
}  // namespace fixpoint
