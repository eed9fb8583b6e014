// data/cases.jsonl: a document of data/documents.json, an expression, and what comes out. The values of what JSONata
// itself defines are those that the official implementation (2.0.6) gives; the digests are those of FIPS 180-4 and
// RFC 1321 for "abc".
#include <gtest/gtest.h>
#include <sstream>

#include "json/text.h"
#include "jsonata/expression.h"
#include "support/paths.h"

namespace fixpoint::jsonata {
namespace {

TEST(cases, give_what_their_line_says) {
  const auto documents = json::parse(test::read_file(test::test_data("jsonata/data/documents.json")));
  ASSERT_TRUE(documents) << describe(documents.error());
  std::istringstream lines(test::read_file(test::test_data("jsonata/data/cases.jsonl")));
  std::string line;
  std::size_t count = 0;
  while (std::getline(lines, line)) {
    const auto one = json::parse(line);
    ASSERT_TRUE(one) << line;
    ++count;
    const auto outcome = [&]() -> Result<std::optional<json::Value>> {
      FIXPOINT_TRY(expression, compile((*one)["expr"].as_string()));
      return expression.evaluate((*documents)[(*one)["document"].as_string()]);
    }();
    const std::string& text = (*one)["expr"].as_string();
    if (const json::Value* code = one->find("error")) {
      ASSERT_FALSE(outcome) << text << " gave " << (*outcome ? json::print(**outcome) : "undefined");
      EXPECT_EQ(outcome.error().code, code->as_string()) << text << ": " << outcome.error().message;
      EXPECT_FALSE(outcome.error().message.empty()) << text;
      continue;
    }
    ASSERT_TRUE(outcome) << text << ": " << describe(outcome.error());
    if (one->find("undefined") != nullptr)
      EXPECT_FALSE(*outcome) << text << " gave " << json::print(**outcome);
    else if (!*outcome)
      ADD_FAILURE() << text << " is undefined";
    else
      EXPECT_TRUE(**outcome == (*one)["result"])
          << text << " gave " << json::print(**outcome) << ", not " << json::print((*one)["result"]);
  }
  EXPECT_GT(count, 400U);
}

}  // namespace
}  // namespace fixpoint::jsonata
