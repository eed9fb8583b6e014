#include <gtest/gtest.h>
#include <iostream>

#include "aws/models.h"
#include "aws/protocol.h"
#include "aws/raw_request.h"
#include "aws/router.h"
#include "aws/wire_compare.h"
#include "json/text.h"
#include "support/paths.h"

namespace fixpoint::aws::test {
namespace {

using fixpoint::test::shared_dir;

/// Requests as real clients sent them, each of which says on its command line what it asks for.
TEST(wire_captures, parse_to_what_their_command_lines_state) {
  const auto shared = shared_dir();
  if (!shared) GTEST_SKIP() << "the captures are not here";
  const auto expectations =
      json::parse(fixpoint::test::read_file(fixpoint::test::test_data("aws/data/wire_expectations.json"))).value();
  const auto models = Models::open({}).value();
  const Router router(*models, {.hosts = {"127.0.0.1"}});
  int passed = 0;
  int failed = 0;
  // What keeps one capture from being read is a failure of that capture alone; the count at the end always comes.
  const auto read = [&](const std::string& name, const std::string& raw,
                        const json::Value& expected_call) -> Result<json::Value> {
    const HttpRequest request = fixpoint::test::split_request(raw);
    const std::string signing_name = signing_name_of(request);
    EXPECT_FALSE(signing_name.empty()) << name;
    const auto routed = router.route(request, signing_name);
    if (!routed) return fail(routed.error().error);
    EXPECT_EQ(routed->service->name, expected_call["service"].as_string()) << name;
    EXPECT_EQ(routed->operation->name, expected_call["operation"].as_string()) << name;
    FIXPOINT_TRY(input, parse_request(*routed, request));
    // Clients fill in the token themselves.
    if (const Member* token = routed->operation->idempotency_token) input.as_object().erase(token->name);
    return std::move(input);
  };
  for (const auto& entry : expectations.as_object()) {
    for (const std::string tag : {"cli1.45", "cli2.9"}) {
      const std::string name = entry.key + "." + tag + ".1.http";
      const std::string raw = fixpoint::test::read_file(*shared / "references" / "wire" / "raw" / name);
      ++failed;
      auto input = read(name, raw, entry.value);
      if (!input) {
        ADD_FAILURE() << name << ": " << describe(input.error());
        continue;
      }
      const json::Value* expected = entry.value.find("input." + tag);
      if (expected == nullptr) expected = entry.value.find("input");
      if (entry.value["client_adds"].is_array())
        for (const auto& added : entry.value["client_adds"].as_array()) input->as_object().erase(added.as_string());
      const bool same_input = same(*expected, *input);
      EXPECT_TRUE(same_input) << name << "\nexpected " << json::print(*expected) << "\ngot      "
                              << json::print(*input);
      if (same_input) {
        ++passed;
        --failed;
      }
    }
  }
  std::cout << "references/wire, parsed: " << passed << " passed, " << failed << " failed, 0 skipped\n";
}

}  // namespace
}  // namespace fixpoint::aws::test
