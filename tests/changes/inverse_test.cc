#include "changes/inverse.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/text.h"
#include "support/temp_dir.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* recipe_file = R"(
PutHat:
  before:
    call: shop:GetHat
    input: {Id: "{% $input.Id %}"}
    take: "{% {'Colour': Colour} %}"
    absent: [NoSuchHat]
    also:
      Band: {call: shop:GetBand, input: {Colour: "{% $before.Colour %}"}, take: "{% Band %}", absent: [NoSuchBand]}
      Price: {call: shop:GetPrice, input: {Band: "{% $before.Band %}"}}
  irreversible:
    - {when: "{% $before.Colour = 'gold' %}", because: Gold is not to be had again.}
  leaves:
    - {when: "{% $exists($before.Band) %}", because: the band is a new one.}
  undo:
    - {when: "{% $exists($before) %}", call: shop:PutHat, input: {Id: "{% $input.Id %}", Colour: "{% $before.Colour %}"}}
    - {when: "{% $not($exists($before)) %}", call: shop:DropHat, input: {Id: "{% $output.Id %}", Where: "{% $partition & $region & $account %}"}}
    - {when: "{% $before.Missing %}", call: shop:Never}
SellHat: {irreversible: It is another's now.}
BendHat: {undo: {when: "{% 'perhaps' %}", call: shop:DropHat}}
SortHats:
  undo:
    - {each: "{% $input.Ids %}", when: "{% $item != 'c' %}", call: shop:PutHat, input: {Id: "{% $item %}"}}
    - {call: shop:DropHat, input: {Id: "{% $item %}"}}
WearHat:
  before: {call: shop:GetHat, take: "{% Colour %}", also: {Band: {call: shop:GetBand}}}
  undo: {call: shop:DropHat}
)";

class Shop final : public aws::Api {
 public:
  std::vector<std::string> calls;
  std::map<std::string, Result<Value>> answers;
  Result<Value> call(const aws::CallContext&, std::string_view, std::string_view operation,
                     const Value& input) override {
    calls.push_back(std::string(operation) + json::print(input));
    return answers.at(std::string(operation));
  }
};

class InverseTest : public testing::Test {
 protected:
  InverseTest() {
    test::TempDir folder;
    std::filesystem::create_directories(folder.path() / "operations");
    std::ofstream(folder.path() / "operations/shop.yaml") << recipe_file;
    catalog::Catalog catalog;
    EXPECT_TRUE(catalog.overlay(folder.string()));
    recipes_ = Recipes::load(catalog).value();
    shop_.answers = {{"GetHat", Object{{"Colour", "red"}, {"Size", 3}}},
                     {"GetBand", Object{{"Band", "silk"}}},
                     {"GetPrice", Object{{"Cents", 100}}}};
  }
  const Recipe& recipe(std::string_view name) { return *recipes_.find("shop", name); }
  Result<std::optional<Value>> before(std::string_view name) {
    return read_before(recipe(name), context_, input_, shop_);
  }

  Recipes recipes_;
  Shop shop_;
  aws::CallContext context_{"111111111111", "cn-north-1", "e1", "r"};
  Value input_ = Object{{"Id", "h"}};
};

TEST_F(InverseTest, the_state_is_the_first_answer_with_the_others_as_members) {
  const auto state = before("PutHat");
  ASSERT_TRUE(state) << describe(state.error());
  EXPECT_EQ(*state, Value(Object{{"Colour", "red"}, {"Band", "silk"}, {"Price", Object{{"Cents", 100}}}}));
  EXPECT_THAT(shop_.calls,
              ElementsAre(R"(GetHat{"Id":"h"})", R"(GetBand{"Colour":"red"})", R"(GetPrice{"Band":"silk"})"));
}

TEST_F(InverseTest, where_the_first_is_absent_nothing_more_is_read) {
  shop_.answers.at("GetHat") = fail(errors::coded("NoSuchHat", "none", 404));
  const auto state = before("PutHat");
  ASSERT_TRUE(state);
  EXPECT_FALSE(*state);
  EXPECT_EQ(shop_.calls.size(), 1U);
}

TEST_F(InverseTest, another_that_is_absent_is_no_member) {
  shop_.answers.at("GetBand") = fail(errors::coded("NoSuchBand", "none", 404));
  const auto state = before("PutHat");
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, Value(Object{{"Colour", "red"}, {"Price", Object{{"Cents", 100}}}}));
  EXPECT_EQ(shop_.calls.back(), "GetPrice{}");
}

TEST_F(InverseTest, what_cannot_be_read_is_an_error_not_an_absence) {
  for (const auto* which : {"GetHat", "GetBand", "GetPrice"}) {
    const auto good = shop_.answers;
    shop_.answers.at(which) = fail(errors::coded("AccessDenied", "no", 403));
    const auto state = before("PutHat");
    ASSERT_FALSE(state) << which;
    EXPECT_EQ(state.error().code, "AccessDenied");
    EXPECT_EQ(state.error().message, "the state before could not be read: no");
    shop_.answers = good;
  }
}

TEST_F(InverseTest, members_need_an_object_to_stand_in) {
  const auto state = before("WearHat");
  ASSERT_FALSE(state);
  EXPECT_THAT(state.error().message, HasSubstr("has to take an object, so that Band can become a member of it"));
}

TEST_F(InverseTest, the_old_value_is_put_back_and_what_was_absent_is_deleted) {
  const Value red = Object{{"Colour", "red"}};
  auto calls = inverse(recipe("PutHat"), {context_, input_, &red});
  ASSERT_TRUE(calls) << describe(calls.error());
  ASSERT_EQ(calls->size(), 1U);
  EXPECT_EQ((*calls)[0].service + (*calls)[0].operation, "shopPutHat");
  EXPECT_EQ((*calls)[0].input, Value(Object{{"Id", "h"}, {"Colour", "red"}}));
  const Value made = Object{{"Id", "made"}};
  calls = inverse(recipe("PutHat"), {context_, input_, nullptr, &made});
  ASSERT_TRUE(calls) << describe(calls.error());
  ASSERT_EQ(calls->size(), 1U);
  EXPECT_EQ((*calls)[0].operation, "DropHat");
  EXPECT_EQ((*calls)[0].input, Value(Object{{"Id", "made"}, {"Where", "aws-cncn-north-1111111111111"}}));
}

TEST_F(InverseTest, says_before_the_call_whether_it_can_be_undone) {
  const Value red = Object{{"Colour", "red"}};
  const Value gold = Object{{"Colour", "gold"}};
  const Value banded = Object{{"Colour", "red"}, {"Band", "silk"}};
  const auto said = [&](std::string_view name, const Value* before) {
    return say_undo(recipe(name), {context_, input_, before}).value();
  };
  EXPECT_EQ(said("PutHat", nullptr), "possible");
  EXPECT_EQ(said("PutHat", &red), "possible");
  EXPECT_EQ(said("PutHat", &banded), "possible, but the band is a new one.");
  EXPECT_EQ(said("PutHat", &gold), "CANNOT BE UNDONE: Gold is not to be had again.");
  EXPECT_EQ(said("SellHat", nullptr), "CANNOT BE UNDONE: It is another's now.");
  for (const auto& [name, before] : {std::pair{"PutHat", &gold}, {"SellHat", &red}}) {
    const auto calls = inverse(recipe(name), {context_, input_, before});
    ASSERT_FALSE(calls) << name;
    EXPECT_THAT(calls.error().message, HasSubstr("it cannot be undone: "));
  }
}

TEST_F(InverseTest, a_step_is_made_for_each_item_that_its_condition_holds_of) {
  const auto undone = [&](const Value& input) {
    std::vector<std::string> said;
    const auto calls = inverse(recipe("SortHats"), {context_, input}).value();
    for (const auto& call : calls) said.push_back(std::to_string(call.step) + call.operation + json::print(call.input));
    return said;
  };
  EXPECT_THAT(undone(Object{{"Ids", json::Array{"a", "c", "b"}}}),
              ElementsAre(R"(0PutHat{"Id":"a"})", R"(0PutHat{"Id":"b"})", R"(1DropHat{})"));
  EXPECT_THAT(undone(Object{{"Ids", "only"}}), ElementsAre(R"(0PutHat{"Id":"only"})", R"(1DropHat{})"));
  EXPECT_THAT(undone(Object{}), ElementsAre(R"(1DropHat{})"));
  EXPECT_THAT(undone(Object{{"Ids", json::Array{}}}), ElementsAre(R"(1DropHat{})"));
}

TEST_F(InverseTest, a_condition_has_to_be_true_or_false) {
  const auto calls = inverse(recipe("BendHat"), {context_, input_});
  ASSERT_FALSE(calls);
  EXPECT_THAT(calls.error().message, HasSubstr("a condition of a recipe gives neither true nor false"));
}

}  // namespace
}  // namespace fixpoint::changes
