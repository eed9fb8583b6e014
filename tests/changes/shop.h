#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "audit/log.h"
#include "changes/door.h"
#include "json/text.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::changes {

/// An account with hats by id, tags by ARN, and an ear at it.
class HatShop final : public aws::Api {
 public:
  std::vector<std::string> calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  /// Those that are none of reading.
  std::vector<std::string> changing_calls() {
    std::vector<std::string> out;
    for (const auto& call : calls())
      if (call.find(":Get") == std::string::npos && call.find(":List") == std::string::npos) out.push_back(call);
    return out;
  }
  void set(const std::string& id, const std::string& colour) {
    std::lock_guard lock(mutex_);
    hats_[id] = colour;
  }
  std::string colour(const std::string& id) {
    std::lock_guard lock(mutex_);
    return hats_.contains(id) ? hats_[id] : "none";
  }
  void tag(const std::string& arn, const std::string& key, const std::string& value) { tags_[arn][key] = value; }
  /// From now on its tags are told in that account and region alone; elsewhere it has none.
  void settle(const std::string& arn, const std::string& account, const std::string& region) {
    homes_[arn] = account + " " + region;
  }
  bool tags_fail = false;

  Result<json::Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override {
    std::lock_guard lock(mutex_);
    calls_.push_back(std::string(service) + ":" + std::string(operation));
    const std::string id(input["Id"].string_or(""));
    if (operation == "GetHat") {
      if (!hats_.contains(id)) return fail(errors::coded("NoSuchHat", "there is none", 404));
      return json::Value(json::Object{{"Hat", json::Object{{"Colour", hats_[id]}}}});
    }
    if (operation == "ListHatTags") {
      if (tags_fail) return fail(errors::access_denied("not yours"));
      json::Array list;
      const std::string arn(input["Arn"].string_or(""));
      if (homes_.contains(arn) && homes_[arn] != context.account + " " + context.region)
        return json::Value(json::Object{{"Tags", list}});
      for (const auto& [key, value] : tags_[arn]) list.emplace_back(json::Object{{"Key", key}, {"Value", value}});
      return json::Value(json::Object{{"Tags", list}});
    }
    if (operation == "PutHat") hats_[id] = input["Colour"].string_or("");
    if (operation == "DropHat" || operation == "BurnHat") hats_.erase(id);
    return json::Value(json::Object{{"Made", operation}});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::map<std::string, std::string> hats_;
  std::map<std::string, std::map<std::string, std::string>> tags_;
  std::map<std::string, std::string> homes_;
};

constexpr const char* shop_recipes = R"(
PutHat:
  before: {call: shop:GetHat, input: {Id: "{% $input.Id %}"}, take: "{% Hat %}", absent: [NoSuchHat]}
  undo:
    - {when: "{% $exists($before) %}", call: shop:PutHat, input: {Id: "{% $input.Id %}", Colour: "{% $before.Colour %}"}}
    - {when: "{% $not($exists($before)) %}", call: shop:DropHat, input: {Id: "{% $input.Id %}"}}
  resource: "{% 'arn:aws:shop:::hat/' & $input.Id %}"
  intended: {call: shop:GetHat, answer: {Hat: {Colour: "{% $input.Colour %}"}}}
DropHat:
  before: {call: shop:GetHat, input: {Id: "{% $input.Id %}"}, take: "{% Hat %}", absent: [NoSuchHat]}
  undo: {when: "{% $exists($before) %}", call: shop:PutHat, input: {Id: "{% $input.Id %}", Colour: "{% $before.Colour %}"}}
  resource: "{% 'arn:aws:shop:::hat/' & $input.Id %}"
  intended: {call: shop:GetHat, error: NoSuchHat}
BrushHat:
  before: {call: shop:GetHat, input: {Id: "{% $input.Id %}"}, take: "{% Hat %}", absent: [NoSuchHat]}
  undo: {call: shop:PutHat, input: {Id: "{% $input.Id %}", Colour: "{% $before.Colour %}"}}
BurnHat: {irreversible: A burnt hat is gone.}
DyeHat: {irreversible: Dye stays., intended: {call: "shop:Get*", answer: {Hat: {Colour: some}}, unknown: true}}
MakeHat: {undo: {call: shop:DropHat, input: {Id: "{% $output.Id %}"}}, answer: {Id: "{% $token %}", By: "{% $account %}"}}
)";
constexpr const char* shop_tags = R"(
- {arn: "arn:aws:shop:*:*:hat/*", call: shop:ListHatTags, input: {Arn: "{% $arn %}"}, take: "{% Tags %}"}
)";

/// A door before the shop, with the mandate of the execution "e".
class ShopTest : public testing::Test {
 protected:
  ShopTest() {
    test::TempDir catalog_folder;
    for (const auto& [path, text] : {std::pair{"operations/shop.yaml", shop_recipes}, {"tags/shop.yaml", shop_tags}}) {
      std::filesystem::create_directories((catalog_folder.path() / path).parent_path());
      std::ofstream(catalog_folder.path() / path) << text;
    }
    catalog::Catalog catalog;
    EXPECT_TRUE(catalog.overlay(catalog_folder.string()));
    recipes = Recipes::load(catalog).value();
    reopen();
    mandate.execution = "e";
    mandate.kind = "function";
    mandate.program = "hats";
    mandate.account = "111111111111";
    mandate.region = "us-east-1";
    mandate.mode = "auto";
    mandate.findings = json::Array{json::Object{{"Id", "f"}, {"ProductArn", "p"}, {"Title", "A hat is red"}}};
    mandate.resources = {"arn:aws:shop:::hat/h"};
    give();
    shop.set("h", "red");
  }
  /// As a restart of the process does.
  void reopen() {
    door.reset();
    store.reset();
    auto opened = store::Store::open(test::store_options(folder_.string(), 6), {Door::schema(), audit::Log::schema()});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store = std::move(*opened);
    door = std::make_unique<Door>(*store, clock, shop, recipes);
  }
  void give() { ASSERT_TRUE(door->mandates().put(mandate)); }
  Result<json::Value> call(const std::string& operation, json::Object input, const std::string& step = {}) {
    return door->call({mandate.account, mandate.region, mandate.execution, {}},
                      step.empty() ? "step-" + std::to_string(++steps_) : step, "shop", operation, std::move(input));
  }
  /// As a handler does that got into another account by a role.
  Result<json::Value> call_in(const std::string& account, const std::string& operation, json::Object input) {
    return door->call({account, mandate.region, mandate.execution, {}}, "step-" + std::to_string(++steps_), "shop",
                      operation, std::move(input));
  }
  Result<json::Value> put(const std::string& id, const std::string& colour) {
    return call("PutHat", {{"Id", id}, {"Colour", colour}});
  }
  void set(const std::string& scope, const std::string& name, json::Value value) {
    auto done = store->write([&](store::Transaction& tx) { return Settings::set(tx, scope, name, value); });
    ASSERT_TRUE(done) << describe(done.error());
  }
  /// The code of a refusal, "made" where there was none.
  template <class T>
  static std::string code(const Result<T>& result) {
    return result ? "made" : result.error().code;
  }

 private:
  test::TempDir folder_;
  int steps_ = 0;

 public:
  HatShop shop;
  ManualClock clock{parse_iso8601_ms("2030-01-09T12:00:00Z").value()};  // a Wednesday
  Recipes recipes;
  Mandate mandate;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Door> door;
};

}  // namespace fixpoint::changes
