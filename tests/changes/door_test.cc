#include "changes/door.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/text.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* recipe_file = R"(
PutHat:
  before:
    call: shop:GetHat
    input: {Id: "{% $input.Id %}"}
    take: "{% Hat %}"
    absent: [NoSuchHat]
  undo: {call: shop:DropHat, input: {Id: "{% $input.Id %}"}}
BurnHat:
  irreversible: A burnt hat is gone.
ShelveHat:
  before: {call: shop:GetHat, input: {Id: "{% $input.Id %}"}}
  undo: {call: shop:UnshelveHat}
)";

// An account with one hat, that does what the test says and remembers what it was asked.
class Shop final : public aws::Api {
 public:
  std::vector<std::string> calls;
  std::optional<std::string> hat = "red";
  std::optional<Error> read_error;
  std::optional<Error> change_error;
  std::function<void()> before_change;

  Result<Value> call(const aws::CallContext&, std::string_view service, std::string_view operation,
                     const Value& input) override {
    calls.push_back(std::string(service) + ":" + std::string(operation));
    if (operation == "GetHat") {
      if (read_error) return fail(*read_error);
      if (!hat) return fail(errors::coded("NoSuchHat", "there is none", 404));
      return Value(Object{{"Hat", Object{{"Colour", *hat}}}, {"Shop", "main street"}});
    }
    if (before_change) before_change();
    if (change_error) return fail(*change_error);
    if (operation == "PutHat") hat = input["Colour"].string_or("");
    return Value(Object{{"Made", operation}});
  }
};

class DoorTest : public testing::Test {
 protected:
  DoorTest() {
    test::TempDir catalog_folder;
    std::filesystem::create_directories(catalog_folder.path() / "operations");
    std::ofstream(catalog_folder.path() / "operations/shop.yaml") << recipe_file;
    catalog::Catalog catalog;
    EXPECT_TRUE(catalog.overlay(catalog_folder.string()));
    recipes_ = Recipes::load(catalog).value();
    auto opened = store::Store::open(test::store_options(folder_.string()), {Door::schema(), audit::Log::schema()});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    door_ = std::make_unique<Door>(*store_, clock_, shop_, recipes_);
    for (const auto* execution : {"e1", "e2"}) give_mandate(execution);
  }
  Mandate give_mandate(const std::string& execution) {
    Mandate mandate;
    mandate.execution = execution;
    mandate.kind = "function";
    mandate.program = "hats";
    mandate.account = "111111111111";
    mandate.region = "us-east-1";
    mandate.mode = "auto";
    mandate.decided_by = "ann";
    EXPECT_TRUE(door_->mandates().put(mandate));
    return mandate;
  }
  Result<Value> put(const std::string& step, const std::string& colour) {
    return door_->call(context_, step, "shop", "PutHat", Object{{"Id", "h"}, {"Colour", colour}});
  }
  std::vector<Change> changes() { return door_->of_execution("e1").value(); }

  test::TempDir folder_;
  ManualClock clock_{1'700'000'000'000};
  Shop shop_;
  Recipes recipes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Door> door_;
  aws::CallContext context_{"111111111111", "us-east-1", "e1", "r"};
};

TEST_F(DoorTest, stores_the_intent_with_the_state_before_the_call_and_its_result_after) {
  bool looked = false;
  shop_.before_change = [&] {
    // Another connection sees it, so it is committed.
    const auto meant = changes();
    ASSERT_EQ(meant.size(), 1U);
    EXPECT_EQ(meant[0].state, "intent");
    EXPECT_EQ(meant[0].step, "one");
    EXPECT_EQ(meant[0].account, "111111111111");
    EXPECT_EQ(meant[0].operation, "PutHat");
    EXPECT_EQ(meant[0].input["Colour"].string_or(""), "blue");
    EXPECT_TRUE(meant[0].before_read);
    EXPECT_EQ(meant[0].before, Value(Object{{"Colour", "red"}}));  // what `take` takes
    EXPECT_FALSE(meant[0].output);
    EXPECT_EQ(meant[0].undo, "possible");
    looked = true;
    clock_.advance_ms(7);
  };
  ASSERT_TRUE(put("one", "blue"));
  EXPECT_TRUE(looked);
  const auto made = changes();
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].state, "done");
  EXPECT_EQ(made[0].output, Value(Object{{"Made", "PutHat"}}));
  EXPECT_EQ(made[0].before, Value(Object{{"Colour", "red"}}));
  EXPECT_EQ(made[0].ended_ms - made[0].at_ms, 7);
  EXPECT_THAT(shop_.calls, ElementsAre("shop:GetHat", "shop:PutHat", "shop:GetHat"));  // the last: what it left
  EXPECT_TRUE(made[0].left_read);
  EXPECT_EQ(made[0].left, Value(Object{{"Colour", "blue"}}));
}

TEST_F(DoorTest, a_reading_call_goes_straight_through_and_leaves_nothing) {
  ASSERT_TRUE(door_->call({"111111111111", "us-east-1", {}, {}}, "", "shop", "GetHat", Object{{"Id", "h"}}));
  EXPECT_THAT(shop_.calls, ElementsAre("shop:GetHat"));
  EXPECT_TRUE(changes().empty());
}

TEST_F(DoorTest, a_step_that_is_done_answers_from_the_journal_and_calls_nothing) {
  ASSERT_TRUE(put("one", "blue"));
  shop_.calls.clear();
  EXPECT_EQ(put("one", "green").value(), Value(Object{{"Made", "PutHat"}}));
  EXPECT_TRUE(shop_.calls.empty());
  EXPECT_EQ(shop_.hat, "blue");
  ASSERT_TRUE(put("two", "green"));
  EXPECT_EQ(changes().size(), 2U);
  EXPECT_EQ(changes()[1].before, Value(Object{{"Colour", "blue"}}));
}

TEST_F(DoorTest, a_call_whose_effect_is_there_though_its_answer_was_lost_is_not_made_again) {
  // As when the process ends between the two.
  shop_.before_change = [&] { shop_.hat = "blue"; };
  shop_.change_error = errors::unavailable("the line went dead");
  const auto lost = put("one", "blue");
  ASSERT_FALSE(lost);
  ASSERT_EQ(changes().size(), 1U);
  EXPECT_EQ(changes()[0].state, "intent");
  EXPECT_THAT(changes()[0].error, HasSubstr("the line went dead"));
  EXPECT_EQ(changes()[0].ended_ms, 0);
  shop_.change_error.reset();
  shop_.calls.clear();
  ASSERT_TRUE(put("one", "blue"));
  EXPECT_THAT(shop_.calls, Each("shop:GetHat"));
  ASSERT_EQ(changes().size(), 1U);
  EXPECT_EQ(changes()[0].state, "done");
  EXPECT_EQ(changes()[0].error, "");
  EXPECT_EQ(changes()[0].before, Value(Object{{"Colour", "red"}}));  // what it saw first
}

TEST_F(DoorTest, a_call_that_was_lost_without_effect_is_made) {
  shop_.change_error = errors::unavailable("the line went dead");
  ASSERT_FALSE(put("one", "blue"));
  EXPECT_EQ(changes()[0].state, "intent");
  EXPECT_EQ(door_->took_effect(changes()[0]).value(), std::optional<bool>(false));
  shop_.change_error.reset();
  shop_.calls.clear();
  ASSERT_TRUE(put("one", "blue"));
  EXPECT_THAT(shop_.calls, ElementsAre("shop:GetHat", "shop:PutHat", "shop:GetHat"));
  EXPECT_EQ(changes()[0].state, "done");
  EXPECT_EQ(changes()[0].before, Value(Object{{"Colour", "red"}}));
}

TEST_F(DoorTest, settling_says_of_each_intent_what_became_of_it) {
  shop_.change_error = errors::unavailable("the line went dead");
  ASSERT_FALSE(put("one", "blue"));
  ASSERT_TRUE(door_->settle("e1"));
  EXPECT_EQ(changes()[0].state, "failed");
  EXPECT_THAT(changes()[0].error, HasSubstr("NotMade"));
  ASSERT_FALSE(put("two", "blue"));
  shop_.hat = "blue";
  ASSERT_TRUE(door_->settle("e1"));
  EXPECT_EQ(changes()[0].state, "failed");
  EXPECT_EQ(changes()[1].state, "done");
}

TEST_F(DoorTest, an_effect_that_was_seen_makes_an_intent_done_and_nothing_else) {
  shop_.change_error = errors::unavailable("the line went dead");
  ASSERT_FALSE(put("one", "blue"));
  ASSERT_TRUE(door_->effect_seen("e1", "one"));
  EXPECT_EQ(changes()[0].state, "done");
  EXPECT_EQ(changes()[0].error, "");
  shop_.change_error = errors::access_denied("no");
  ASSERT_FALSE(put("two", "blue"));
  ASSERT_TRUE(door_->effect_seen("e1", "two"));
  EXPECT_EQ(changes()[1].state, "failed");
}

TEST_F(DoorTest, a_call_that_was_refused_is_stored_and_may_be_tried_again) {
  for (const Error& refusal : {errors::access_denied("no"), errors::throttling("slower")}) {
    shop_.change_error = refusal;
    const auto refused = put("one", "blue");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), refusal);
    ASSERT_EQ(changes().size(), 1U);
    EXPECT_EQ(changes()[0].state, "failed");
    EXPECT_EQ(changes()[0].error, refusal.code + ": " + refusal.message);
  }
  shop_.hat = "green";  // somebody changed it meanwhile
  shop_.change_error.reset();
  ASSERT_TRUE(put("one", "blue"));
  ASSERT_EQ(changes().size(), 1U);
  EXPECT_EQ(changes()[0].state, "done");
  EXPECT_EQ(changes()[0].before, Value(Object{{"Colour", "green"}}));
}

TEST_F(DoorTest, makes_no_change_whose_state_before_cannot_be_read) {
  for (const Error& error : {errors::throttling("slower"), errors::access_denied("no")}) {
    shop_.read_error = error;
    shop_.calls.clear();
    const auto stopped = put("one", "blue");
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, error.code);
    EXPECT_EQ(stopped.error().retryable, error.retryable);
    EXPECT_THAT(stopped.error().message, HasSubstr("the state before could not be read"));
    EXPECT_THAT(shop_.calls, ElementsAre("shop:GetHat"));
    EXPECT_TRUE(changes().empty());
  }
}

TEST_F(DoorTest, a_state_that_was_absent_is_told_from_one_that_was_not_read) {
  shop_.hat.reset();
  ASSERT_TRUE(put("one", "blue"));
  EXPECT_TRUE(changes()[0].before_read);
  EXPECT_FALSE(changes()[0].before);
  EXPECT_TRUE(to_json(changes()[0]).find("Before") != nullptr);
  ASSERT_TRUE(door_->call(context_, "two", "shop", "BurnHat", Object{}));
  EXPECT_FALSE(changes()[1].before_read);
  EXPECT_TRUE(to_json(changes()[1]).find("Before") == nullptr);
}

TEST_F(DoorTest, takes_the_whole_answer_where_the_recipe_takes_no_part) {
  ASSERT_TRUE(door_->call(context_, "one", "shop", "ShelveHat", Object{{"Id", "h"}}));
  EXPECT_EQ(changes()[0].before, Value(Object{{"Hat", Object{{"Colour", "red"}}}, {"Shop", "main street"}}));
}

TEST_F(DoorTest, says_of_each_change_whether_it_can_be_undone) {
  EXPECT_EQ(door_->plan(context_, "shop", "PutHat", Object{{"Id", "h"}}).value().undo, "possible");
  EXPECT_EQ(door_->plan(context_, "shop", "BurnHat", Object{}).value().undo, "CANNOT BE UNDONE: A burnt hat is gone.");
  EXPECT_EQ(door_->plan(context_, "shop", "EatHat", Object{}).value().undo,
            "CANNOT BE UNDONE: no recipe says how to take back shop:EatHat");
}

TEST_F(DoorTest, a_plan_makes_no_changing_call_and_stores_nothing) {
  const auto planned = door_->plan(context_, "shop", "PutHat", Object{{"Id", "h"}, {"Colour", "blue"}});
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->before, Value(Object{{"Colour", "red"}}));
  EXPECT_THAT(shop_.calls, ElementsAre("shop:GetHat"));
  EXPECT_TRUE(changes().empty());
}

TEST_F(DoorTest, refuses_a_change_that_is_of_no_execution_or_step) {
  for (const auto& [execution, step] : {std::pair{"", "one"}, std::pair{"e1", ""}}) {
    aws::CallContext context = context_;
    context.execution = execution;
    const auto refused = door_->call(context, step, "shop", "PutHat", Object{{"Id", "h"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "ValidationException");
  }
  EXPECT_TRUE(shop_.calls.empty());
}

TEST_F(DoorTest, the_same_step_of_another_execution_is_another_change) {
  ASSERT_TRUE(put("one", "blue"));
  aws::CallContext other = context_;
  other.execution = "e2";
  ASSERT_TRUE(door_->call(other, "one", "shop", "PutHat", Object{{"Id", "h"}, {"Colour", "green"}}));
  EXPECT_EQ(shop_.hat, "green");
  EXPECT_EQ(changes().size(), 1U);
  EXPECT_EQ(door_->of_execution("e2").value().size(), 1U);
}

}  // namespace
}  // namespace fixpoint::changes
