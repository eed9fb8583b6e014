// The official test suite (jsonata-js, test/test-suite), where it lies beside the checkout. What does not pass is
// listed by name in data/known_failures.json with the reason; a case of that list that does pass fails the test as
// well, so that the list stays true.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <vector>

#include "json/text.h"
#include "jsonata/expression.h"
#include "support/paths.h"

namespace fixpoint::jsonata {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;  // group/file, with #n where a file holds several
  json::Value content;
};

// The suite's files may hold half a surrogate pair ("\ud800"), which is JSON to JavaScript and no text to us.
std::string without_halves(std::string text) {
  for (const std::string half : {"\\uD800", "\\ud800"})
    for (std::size_t at = text.find(half); at != std::string::npos; at = text.find(half, at + 7))
      text.insert(at, at > 0 && text[at - 1] == '\\' ? "" : "\\");
  return text;
}

json::Value read_json(const fs::path& path) {
  auto value = json::parse(without_halves(test::read_file(path)));
  if (!value) throw std::runtime_error(path.string() + ": " + describe(value.error()));
  return std::move(*value);
}

std::vector<Case> read_cases(const fs::path& groups) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(groups))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const fs::path& file : files) {
    const std::string name = file.parent_path().filename().string() + "/" + file.stem().string();
    json::Value content = read_json(file);
    if (content.is_object()) content = json::Value(json::Array{std::move(content)});
    for (std::size_t i = 0; i < content.size(); ++i) {
      Case made{content.size() == 1 ? name : name + "#" + std::to_string(i), std::move(content.as_array()[i])};
      if (const json::Value* expression = made.content.find("expr-file"))
        made.content.set("expr", test::read_file(file.parent_path() / expression->as_string()));
      cases.push_back(std::move(made));
    }
  }
  return cases;
}

// Numbers within 1e-13 of each other: the suite was written down from one machine's arithmetic.
bool alike(const json::Value& a, const json::Value& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.as_double();
    const double y = b.as_double();
    return x == y || std::fabs(x - y) <= 1e-13 * std::max(std::fabs(x), std::fabs(y));
  }
  if (a.is_array() && b.is_array())
    return std::equal(a.as_array().begin(), a.as_array().end(), b.as_array().begin(), b.as_array().end(), alike);
  if (a.is_object() && b.is_object()) {
    if (a.size() != b.size()) return false;
    return std::all_of(a.as_object().begin(), a.as_object().end(), [&](const json::Member& member) {
      const json::Value* other = b.find(member.key);
      return other != nullptr && alike(member.value, *other);
    });
  }
  return a == b;
}

bool alike_in_any_order(json::Value a, const json::Value& b) {
  if (!a.is_array() || !b.is_array() || a.size() != b.size()) return alike(a, b);
  for (const json::Value& wanted : b.as_array()) {
    auto& left = a.as_array();
    const auto found = std::find_if(left.begin(), left.end(), [&](const json::Value& v) { return alike(v, wanted); });
    if (found == left.end()) return false;
    left.erase(found);
  }
  return true;
}

std::string said(const Result<std::optional<json::Value>>& outcome) {
  if (!outcome) return outcome.error().code + " (" + outcome.error().message + ")";
  return *outcome ? json::print(**outcome) : "undefined";
}

// Empty where the case passes, else what came out and what should have.
std::string run(const Case& test_case, const std::map<std::string, json::Value>& datasets) {
  const json::Value& content = test_case.content;
  Budget budget;
  if (const json::Value* depth = content.find("depth")) budget.depth = static_cast<std::size_t>(depth->int_or(500));
  Bindings bindings;
  if (const json::Value* given = content.find("bindings"); given != nullptr && given->is_object())
    for (const json::Member& member : given->as_object()) bindings.borrow(member.key, member.value);
  const json::Value* input = content.find("data");
  if (input == nullptr && content["dataset"].is_string()) input = &datasets.at(content["dataset"].as_string());
  const auto outcome = [&]() -> Result<std::optional<json::Value>> {
    FIXPOINT_TRY(expression, compile(content["expr"].string_or("")));
    if (input == nullptr) return expression.evaluate_without_input(bindings, budget);
    return expression.evaluate(*input, bindings, budget);
  }();
  std::string wanted;
  if (const json::Value* result = content.find("result")) {
    if (outcome && *outcome &&
        (content["unordered"].bool_or(false) ? alike_in_any_order(**outcome, *result) : alike(**outcome, *result)))
      return {};
    // A function has no JSON; the suite writes it as an empty text.
    wanted = json::print(*result);
  } else if (content.find("undefinedResult") != nullptr) {
    if (outcome && !*outcome) return {};
    wanted = "undefined";
  } else {
    wanted = std::string(content["code"].is_string() ? content["code"].as_string()
                                                     : content["error"]["code"].string_or("an error"));
    if (!outcome && outcome.error().code == wanted) return {};
  }
  return "gave " + said(outcome) + ", not " + wanted;
}

TEST(official_suite, passes_but_for_the_cases_that_are_listed_with_a_reason) {
  const auto conformance = test::conformance_dir();
  if (!conformance || !fs::is_directory(*conformance / "jsonata" / "groups"))
    GTEST_SKIP() << "the official JSONata suite does not lie beside the checkout (FIXPOINT_CONFORMANCE names it)";
  std::map<std::string, json::Value> datasets;
  for (const auto& entry : fs::directory_iterator(*conformance / "jsonata" / "datasets"))
    datasets[entry.path().stem().string()] = read_json(entry.path());
  const json::Value known = read_json(test::test_data("jsonata/data/known_failures.json"));
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  for (const Case& test_case : read_cases(*conformance / "jsonata" / "groups")) {
    if (test_case.name.starts_with("function-eval/")) {
      ++skipped;  // $eval is absent, as in Step Functions
      continue;
    }
    const std::string complaint = run(test_case, datasets);
    const bool listed = known.find(test_case.name) != nullptr;
    (complaint.empty() ? passed : failed) += 1;
    if (complaint.empty() && listed) ADD_FAILURE() << test_case.name << " passes: take it out of known_failures.json";
    if (!complaint.empty() && !listed)
      ADD_FAILURE() << test_case.name << ": " << test_case.content["expr"].string_or("") << "\n  " << complaint;
  }
  std::cout << passed << " passed, " << failed << " failed, " << skipped << " skipped\n";
  EXPECT_GE(static_cast<double>(passed), 0.99 * static_cast<double>(passed + failed));
}

}  // namespace
}  // namespace fixpoint::jsonata
