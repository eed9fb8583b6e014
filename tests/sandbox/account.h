#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "fits_model.h"
#include "json/text.h"
#include "json/yaml.h"
#include "sandbox/sandbox.h"
#include "support/postgres.h"

namespace fixpoint::sandbox {

/// Embedded accounts on a store in memory, or in a folder where one is named.
class Accounts {
 public:
  explicit Accounts(const std::string& folder = {}, Sandbox::Options options = {}) {
    auto opened = store::Store::open(test::store_options(folder), {Sandbox::schema()});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    auto made = Sandbox::open(*store_, catalog::Catalog::embedded(), clock_, options);
    if (!made) throw std::runtime_error(describe(made.error()));
    sandbox_ = std::move(*made);
  }

  /// `input` is YAML, as are the expectations below: JSON with less ink.
  Result<json::Value> call(std::string_view operation, const json::Value& input,
                           const std::string& account = "111111111111", const std::string& region = "us-east-1") {
    const auto colon = operation.find(':');
    return sandbox_->call({account, region, {}, "request"}, operation.substr(0, colon), operation.substr(colon + 1),
                          input);
  }
  Result<json::Value> call(std::string_view operation, const std::string& input,
                           const std::string& account = "111111111111", const std::string& region = "us-east-1") {
    return call(operation, json::parse_yaml(input).value(), account, region);
  }
  Result<json::Value> call(std::string_view operation, const char* input = "{}",
                           const std::string& account = "111111111111", const std::string& region = "us-east-1") {
    return call(operation, json::parse_yaml(input).value(), account, region);
  }
  /// The answer, which fits the service's model, or a failed test and null.
  json::Value ok(std::string_view operation, const json::Value& input) {
    auto answer = call(operation, input);
    EXPECT_TRUE(answer) << operation << ": " << describe(answer.error());
    if (!answer) return {};
    const auto colon = operation.find(':');
    EXPECT_EQ(misfit_answer(std::string(operation.substr(0, colon)), std::string(operation.substr(colon + 1)), *answer),
              "")
        << json::print(*answer);
    return *answer;
  }
  json::Value ok(std::string_view operation, const std::string& input) {
    return ok(operation, json::parse_yaml(input).value());
  }
  json::Value ok(std::string_view operation, const char* input = "{}") {
    return ok(operation, json::parse_yaml(input).value());
  }
  /// The error's code, or "OK".
  std::string code(std::string_view operation, std::string_view input = "{}",
                   const std::string& account = "111111111111", const std::string& region = "us-east-1") {
    auto answer = call(operation, std::string(input), account, region);
    return answer ? "OK" : answer.error().code;
  }
  Error error(std::string_view operation, std::string_view input = "{}") {
    auto answer = call(operation, std::string(input));
    EXPECT_FALSE(answer) << operation << " should have failed";
    return answer ? Error{} : answer.error();
  }

  ManualClock& clock() { return clock_; }
  Sandbox& sandbox() { return *sandbox_; }
  store::Store& store() { return *store_; }

 private:
  ManualClock clock_{1'700'000'000'000};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Sandbox> sandbox_;
};

inline json::Value yaml(std::string_view text) {
  return json::parse_yaml(text).value();
}

}  // namespace fixpoint::sandbox
