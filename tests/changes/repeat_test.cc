#include "changes/repeat.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/models.h"
#include "changes/door.h"
#include "json/text.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const aws::Models& models() {
  static const std::unique_ptr<aws::Models> opened = aws::Models::open({}).value();
  return *opened;
}

const aws::Operation* operation(const std::string& service, const std::string& name) {
  return models().get(service).value()->find_operation(name);
}

// --- by the models
// ----------------------------------------------------------------------------------------------------

TEST(Tokens, are_the_same_for_the_same_step_and_fit_the_member) {
  const aws::Operation* run = operation("ec2", "RunInstances");
  const Value once = with_token(run, Object{{"ImageId", "ami-1"}}, "e", "s");
  EXPECT_EQ(once, with_token(run, Object{{"ImageId", "ami-1"}}, "e", "s"));
  EXPECT_NE(once, with_token(run, Object{{"ImageId", "ami-1"}}, "e", "t"));
  EXPECT_EQ(once["ClientToken"].as_string().size(), 36U);
  // 1 to 32 characters of \w: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
  const std::string acm =
      with_token(operation("acm", "RequestCertificate"), Object(), "e", "s")["IdempotencyToken"].as_string();
  EXPECT_EQ(acm.size(), 32U);
  EXPECT_EQ(acm.find_first_not_of("0123456789abcdef"), std::string::npos);
  // 64 at least: https://docs.aws.amazon.com/config/latest/APIReference/API_StartResourceEvaluation.html
  EXPECT_EQ(
      with_token(operation("config", "StartResourceEvaluation"), Object(), "e", "s")["ClientToken"].as_string().size(),
      64U);
  // Documented as one, though the model does not mark it: .../AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
  EXPECT_TRUE(with_token(operation("ec2", "CreateVpcEndpoint"), Object(), "e", "s")["ClientToken"].is_string());
}

TEST(Tokens, of_the_callers_own_stay_and_operations_without_one_get_none) {
  const Value own = Object{{"ClientToken", "mine"}};
  EXPECT_EQ(with_token(operation("ec2", "RunInstances"), own, "e", "s"), own);
  EXPECT_EQ(with_token(operation("ec2", "CreateVpc"), Object(), "e", "s"), Value(Object()));
  EXPECT_EQ(with_token(nullptr, Object(), "e", "s"), Value(Object()));
  EXPECT_EQ(without_token(operation("ec2", "RunInstances"), Object{{"ClientToken", "mine"}, {"MaxCount", 1}}),
            Value(Object{{"MaxCount", 1}}));
  EXPECT_EQ(without_token(operation("ec2", "CreateVpc"), own), own);
  // Marked as one, and it is the query that is deleted:
  // docs.aws.amazon.com/athena/latest/APIReference/API_DeleteNamedQuery.html
  EXPECT_EQ(token_member(operation("athena", "DeleteNamedQuery")), nullptr);
}

TEST(MayRepeat, goes_by_the_recipe_then_by_token_trait_and_method) {
  Change change;
  change.at_ms = 1000;
  const auto may = [&](const aws::Operation* what, TimeMs now = 2000) {
    return may_repeat(nullptr, what, change, now);
  };
  EXPECT_FALSE(may(nullptr));
  EXPECT_FALSE(may(operation("sqs", "SendMessage")));
  EXPECT_FALSE(may(operation("ec2", "CreateVpc")));
  EXPECT_TRUE(may(operation("s3", "PutBucketTagging")));             // PUT: RFC 9110, section 9.2.2
  EXPECT_FALSE(may(operation("lambda", "Invoke")));                  // POST
  EXPECT_TRUE(may(operation("securityhub", "DisableSecurityHub")));  // DELETE
  EXPECT_FALSE(may(operation("ec2", "RunInstances")));               // it takes a token, and was made without
  change.input = Object{{"ClientToken", "t"}};
  EXPECT_TRUE(may(operation("ec2", "RunInstances")));
  EXPECT_FALSE(may(operation("ec2", "RunInstances"), 1000 + token_lives_ms));
  Recipe recipe;
  recipe.again.says = Again::Says::Repeat;
  EXPECT_TRUE(may_repeat(&recipe, operation("sqs", "SendMessage"), change, 2000));
  recipe.again.says = Again::Says::Stop;
  EXPECT_FALSE(may_repeat(&recipe, operation("ec2", "RunInstances"), change, 2000));
}

// --- at the door
// ------------------------------------------------------------------------------------------------------

constexpr const char* recipe_file = R"(
MakeHat: {undo: {call: shop:DropHat}}
WearHat: {irreversible: It is worn., again: true}
ThrowHat: {irreversible: It is gone., again: [NoSuchHat]}
SellHat: {irreversible: It is sold., again: false}
OrderHat:
  before: {call: shop:ListHats, take: "{% [Hats] %}"}
  lost: {Id: "{% $left[$not($ in $before)] %}"}
  undo: {call: shop:DropHat, input: {Id: "{% $output.Id %}"}}
BuyHats: {irreversible: They are bought.}
failures:
  BuyHats: {items: "{% $output.Missing.{'Id': $, 'Code': 'SoldOut'} %}", of: "{% $count($input.Hats) %}"}
)";

// An account that does what the test says and remembers what it was asked.
class Shop final : public aws::Api {
 public:
  std::vector<std::pair<std::string, Value>> calls;
  std::function<Result<Value>(std::string_view, const Value&)> answer = [](auto, const auto&) {
    return Value(Object());
  };
  json::Array hats;

  Result<Value> call(const aws::CallContext&, std::string_view, std::string_view name, const Value& input) override {
    if (name == "ListHats") return Value(Object{{"Hats", hats}});
    calls.emplace_back(std::string(name), input);
    return answer(name, input);
  }
};

class RepeatTest : public testing::Test {
 protected:
  RepeatTest() {
    test::TempDir folder;
    std::filesystem::create_directories(folder.path() / "operations");
    std::ofstream(folder.path() / "operations/shop.yaml") << recipe_file;
    catalog::Catalog catalog;
    EXPECT_TRUE(catalog.overlay(folder.string()));
    auto loaded = Recipes::load(catalog);
    if (!loaded) throw std::runtime_error(describe(loaded.error()));
    recipes_ = std::move(*loaded);
    auto opened = store::Store::open(test::store_options(folder_.string()), {Door::schema(), audit::Log::schema()});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    door_ = std::make_unique<Door>(*store_, clock_, shop_, recipes_, &models());
    Mandate mandate;
    mandate.execution = "e";
    mandate.kind = "function";
    mandate.program = "hats";
    mandate.account = "111111111111";
    mandate.mode = "auto";
    mandate.decided_by = "ann";
    EXPECT_TRUE(door_->mandates().put(mandate));
  }
  Result<Value> call(const std::string& service, const std::string& operation, Value input = Object()) {
    return door_->call({"111111111111", "us-east-1", "e", "r"}, "s", service, operation, input);
  }
  void lose(bool lost, Error error = errors::unavailable("the line went dead")) {
    shop_.answer = [lost, error](auto, const auto&) -> Result<Value> {
      if (lost) return fail(error);
      return Value(Object{{"Id", "new"}});
    };
  }
  Change change() { return door_->of_execution("e").value().at(0); }

  test::TempDir folder_;
  ManualClock clock_{1'700'000'000'000};
  Shop shop_;
  Recipes recipes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Door> door_;
};

TEST_F(RepeatTest, what_no_state_tells_and_nothing_allows_is_not_made_twice) {
  for (const auto* name : {"MakeHat", "SellHat", "EatHat"}) {  // nothing is said of it, no, there is no recipe
    SCOPED_TRACE(name);
    EXPECT_TRUE(store_->write([](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute("DELETE FROM change"));
      return {};
    }));
    shop_.calls.clear();
    lose(true);
    ASSERT_FALSE(call("shop", name));
    lose(false);
    const auto refused = call("shop", name);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "OutcomeUnknown");
    EXPECT_EQ(refused.error().http_status, 409);
    EXPECT_FALSE(refused.error().retryable);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("shop:" + std::string(name) +
                                                                  " may have been made at 2023-11-14T22:13:20.000Z"),
                                                        HasSubstr("a person looks at the account")));
    EXPECT_THAT(shop_.calls, SizeIs(1));
    EXPECT_EQ(change().state, "intent");
    EXPECT_THAT(door_->in_doubt("e").value(), SizeIs(1));
    EXPECT_EQ(door_->mandates().refusal("e").value()->code, "OutcomeUnknown");
  }
}

TEST_F(RepeatTest, what_does_no_more_when_it_is_made_twice_is_made_again) {
  lose(true);
  ASSERT_FALSE(call("shop", "WearHat"));
  EXPECT_THAT(door_->in_doubt("e").value(), IsEmpty());
  lose(false);
  ASSERT_TRUE(call("shop", "WearHat"));
  EXPECT_THAT(shop_.calls, SizeIs(2));
  EXPECT_EQ(change().state, "done");
}

TEST_F(RepeatTest, codes_of_the_second_call_say_that_the_first_had_its_effect) {
  lose(true);
  ASSERT_FALSE(call("shop", "ThrowHat"));
  lose(true, errors::coded("NoSuchHat", "there is none", 404));
  const auto made = call("shop", "ThrowHat");
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ(change().state, "done");
  EXPECT_EQ(change().error, "");
}

TEST_F(RepeatTest, the_same_code_of_a_first_call_is_an_error) {
  lose(true, errors::coded("NoSuchHat", "there is none", 404));
  ASSERT_FALSE(call("shop", "ThrowHat"));
  EXPECT_EQ(change().state, "failed");
}

TEST_F(RepeatTest, a_repetition_that_is_refused_says_nothing_of_the_first_call) {
  lose(true);
  ASSERT_FALSE(call("shop", "WearHat"));
  lose(true, errors::throttling("slower"));
  ASSERT_FALSE(call("shop", "WearHat"));
  EXPECT_EQ(change().state, "intent");
}

TEST_F(RepeatTest, what_was_surely_not_sent_is_no_doubt) {
  Error waits = errors::coded("RequestThrottled", "wait a moment");
  waits.retryable = true;
  waits.where = before_sending;
  lose(true, waits);
  ASSERT_FALSE(call("shop", "SellHat"));
  EXPECT_EQ(change().state, "failed");
  lose(false);
  EXPECT_TRUE(call("shop", "SellHat"));
}

TEST_F(RepeatTest, an_effect_that_is_seen_gives_back_the_answer_that_was_lost) {
  shop_.hats = {"old"};
  shop_.answer = [&](auto, const auto&) -> Result<Value> {
    shop_.hats.emplace_back("new");
    return fail(errors::unavailable("the line went dead"));
  };
  ASSERT_FALSE(call("shop", "OrderHat"));
  EXPECT_EQ(call("shop", "OrderHat").value(), Value(Object{{"Id", "new"}}));
  EXPECT_THAT(shop_.calls, SizeIs(1));
  EXPECT_EQ(change().state, "done");
  EXPECT_EQ(change().output, Value(Object{{"Id", "new"}}));
  // So it can be undone.
  const Change seen = change();
  const aws::CallContext context{"111111111111", "us-east-1", "e", {}};
  const auto calls = inverse(*recipes_.find("shop", "OrderHat"), {context, seen.input, &*seen.before, &*seen.output});
  ASSERT_TRUE(calls);
  EXPECT_EQ(calls->at(0).input, Value(Object{{"Id", "new"}}));
}

TEST_F(RepeatTest, settling_finds_what_was_made_as_well) {
  shop_.answer = [&](auto, const auto&) -> Result<Value> {
    shop_.hats.emplace_back("new");
    return fail(errors::unavailable("the line went dead"));
  };
  ASSERT_FALSE(call("shop", "OrderHat"));
  ASSERT_TRUE(door_->settle("e"));
  EXPECT_EQ(change().state, "done");
  EXPECT_EQ(change().output, Value(Object{{"Id", "new"}}));
}

// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
TEST_F(RepeatTest, a_call_with_a_token_is_made_again_under_the_same_token) {
  lose(true);
  ASSERT_FALSE(call("ec2", "CreateVolume", Object{{"AvailabilityZone", "us-east-1a"}, {"Size", 1}}));
  lose(false);
  ASSERT_TRUE(call("ec2", "CreateVolume", Object{{"AvailabilityZone", "us-east-1a"}, {"Size", 1}}));
  ASSERT_THAT(shop_.calls, SizeIs(2));
  EXPECT_EQ(shop_.calls[0].second["ClientToken"].string_or("").size(), 36U);
  EXPECT_EQ(shop_.calls[0].second, shop_.calls[1].second);
  EXPECT_EQ(change().input["ClientToken"], shop_.calls[0].second["ClientToken"]);
}

TEST_F(RepeatTest, the_token_of_the_first_call_stays_though_the_program_makes_another_one_up) {
  lose(true);
  ASSERT_FALSE(call("ec2", "CreateVolume", Object{{"AvailabilityZone", "us-east-1a"}, {"ClientToken", "first"}}));
  lose(false);
  ASSERT_TRUE(call("ec2", "CreateVolume", Object{{"AvailabilityZone", "us-east-1a"}, {"ClientToken", "second"}}));
  EXPECT_EQ(shop_.calls[1].second["ClientToken"], Value("first"));
  EXPECT_EQ(door_->without_token("ec2", "CreateVolume", shop_.calls[1].second),
            Value(Object{{"AvailabilityZone", "us-east-1a"}}));
}

TEST_F(RepeatTest, a_token_that_the_service_may_have_forgotten_allows_nothing) {
  lose(true);
  ASSERT_FALSE(call("ec2", "CreateVolume", Object{{"AvailabilityZone", "us-east-1a"}}));
  clock_.advance_ms(token_lives_ms);
  lose(false);
  const auto refused = call("ec2", "CreateVolume", Object{{"AvailabilityZone", "us-east-1a"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "OutcomeUnknown");
  EXPECT_THAT(shop_.calls, SizeIs(1));
}

// --- answers of success that list what was not done
// -------------------------------------------------------------------

TEST_F(RepeatTest, a_part_that_was_not_done_is_an_error_of_the_change_and_not_made_again) {
  shop_.answer = [](auto, const auto&) { return Value(Object{{"Missing", json::Array{"b"}}}); };
  const Value input = Object{{"Hats", json::Array{"a", "b"}}};
  const auto answer = call("shop", "BuyHats", input);
  ASSERT_TRUE(answer);  // the caller has AWS's own answer
  EXPECT_EQ((*answer)["Missing"][0], Value("b"));
  EXPECT_EQ(change().state, "partly");
  EXPECT_TRUE(change().made());
  EXPECT_EQ(change().error,
            "PartlyUnsuccessful: it was answered with success, and says that 1 of 2 were not done: b (SoldOut)");
  EXPECT_EQ(call("shop", "BuyHats", input).value(), *answer);
  EXPECT_THAT(shop_.calls, SizeIs(1));
  const auto shortfall = door_->shortfall("shop", "BuyHats", input, *answer).value();
  ASSERT_TRUE(shortfall);
  EXPECT_FALSE(shortfall->whole);
  std::vector<std::string> kinds;
  const auto records = door_->audit().after(0, 100).value();
  for (const auto& record : records) kinds.push_back(record.kind);
  EXPECT_THAT(kinds, ElementsAre("change.intended", "change.partly_made"));
}

TEST_F(RepeatTest, what_was_not_done_at_all_failed_and_may_be_tried_again) {
  shop_.answer = [](auto, const auto&) { return Value(Object{{"Missing", json::Array{"a"}}}); };
  const Value input = Object{{"Hats", json::Array{"a"}}};
  ASSERT_TRUE(call("shop", "BuyHats", input));
  EXPECT_EQ(change().state, "failed");
  EXPECT_FALSE(change().made());
  EXPECT_THAT(change().error, HasSubstr("SoldOut: it was answered with success, and says that 1 of 1 was not done"));
  shop_.answer = [](auto, const auto&) { return Value(Object()); };
  ASSERT_TRUE(call("shop", "BuyHats", input));
  EXPECT_EQ(change().state, "done");
  EXPECT_EQ(change().error, "");
}

// --- the catalog
// ------------------------------------------------------------------------------------------------------

// Each recipe says how a call is looked at again: by the state that it reads, by `again`, or by what the model says.
TEST(CatalogRecipes, say_how_a_call_whose_answer_was_lost_is_looked_at) {
  const Recipes recipes = Recipes::load(catalog::Catalog::embedded()).value();
  for (const auto& [name, recipe] : recipes.all()) {
    const auto call = split_call(name).value();
    const aws::Operation* what = operation(call.first, call.second);
    ASSERT_NE(what, nullptr) << name;
    Change change;
    change.input = with_token(what, Object(), "e", "s");
    EXPECT_TRUE(!recipe.before.empty() || recipe.again.says != Again::Says::Nothing ||
                may_repeat(&recipe, what, change, 0))
        << name << " reads no state and does not say in 'again' whether it may be made twice";
    EXPECT_FALSE(!recipe.before.empty() && recipe.again.says == Again::Says::Stop)
        << name << " reads a state that tells, so that 'again: false' is never asked";
  }
}

}  // namespace
}  // namespace fixpoint::changes
