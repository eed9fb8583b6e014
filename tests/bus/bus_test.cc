#include "bus/bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/text.h"
#include "support/postgres.h"

namespace fixpoint::bus {
namespace {

using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* lambda = "arn:aws:lambda:us-east-1:111111111111:function:f";

class BusTest : public testing::Test {
 protected:
  BusTest() {
    auto opened = store::Store::open(
        test::store_options(),
        {Bus::schema(), {"seen", {"CREATE TABLE seen (name TEXT PRIMARY KEY, rule TEXT, input TEXT) STRICT;"}}});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    bus_ = make();
  }
  std::unique_ptr<Bus> make() {
    auto bus = std::make_unique<Bus>(*store_, clock_);
    bus->add_target_kind(
        "lambda",
        [this](store::Transaction& tx, const Delivery& delivery) -> Result<void> {
          if (fail_) {
            FIXPOINT_CHECK(tx.execute("INSERT INTO seen VALUES ('half', 'half', 'half')"));
            return fail(*fail_);
          }
          FIXPOINT_CHECK(tx.execute("INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                                    {delivery.name(), delivery.rule_arn + " " + delivery.target.id, delivery.text}));
          return {};
        },
        [](const std::string& arn) -> Result<void> {
          if (arn.ends_with(":function:none")) return fail(errors::validation("there is no such function"));
          return {};
        });
    EXPECT_TRUE(bus->load());
    return bus;
  }
  void rule(const std::string& name, const std::string& pattern = R"({"source": ["test"]})", BusName bus = {},
            bool enabled = true) {
    Rule rule;
    rule.bus = bus.account.empty() ? here_ : bus;
    rule.name = name;
    rule.pattern = pattern;
    rule.enabled = enabled;
    auto put = bus_->put_rule(rule);
    EXPECT_TRUE(put) << describe(put.error());
  }
  Result<Value> target(const std::string& rule, const std::string& id, json::Object more = {}, BusName bus = {}) {
    json::Object form{{"Id", id}, {"Arn", lambda}};
    for (const auto& member : more) form.set(member.key, member.value);
    return bus_->put_targets(bus.account.empty() ? here_ : bus, rule, json::Array{Value(form)});
  }
  Value event(json::Object detail = {}, const std::string& source = "test") {
    return bus_->make_event(here_, source, "Thing", {}, std::move(detail));
  }
  Result<void> publish(const Value& event) {
    return store_->write([&](store::Transaction& tx) { return bus_->publish(tx, event); });
  }
  std::vector<std::string> seen(const char* column = "rule") {
    return store_
        ->read([&](store::Session& session) -> Result<std::vector<std::string>> {
          FIXPOINT_TRY(rows, session.query(std::string("SELECT ") + column + " FROM seen ORDER BY rule"));
          std::vector<std::string> out;
          for (auto& row : rows) out.push_back(row.text(0));
          return out;
        })
        .value();
  }
  static std::string arn(const std::string& rule) { return "arn:aws:events:us-east-1:111111111111:rule/" + rule; }

  ManualClock clock_{1'700'000'000'000};
  BusName here_{"111111111111", "us-east-1"};
  std::optional<Error> fail_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Bus> bus_;
};

TEST_F(BusTest, begins_every_target_of_every_rule_that_matches) {
  rule("one");
  rule("two", R"({"detail": {"severity": [{"numeric": [">", 5]}]}})");
  rule("three", R"({"source": ["other"]})");
  ASSERT_TRUE(target("one", "a"));
  ASSERT_TRUE(target("one", "b"));
  ASSERT_TRUE(target("two", "a"));
  ASSERT_TRUE(target("three", "a"));
  ASSERT_TRUE(publish(event({{"severity", 7}})));
  EXPECT_THAT(seen(), ElementsAre(arn("one") + " a", arn("one") + " b", arn("two") + " a"));
}

TEST_F(BusTest, begins_within_the_transaction_that_publishes) {
  rule("one");
  ASSERT_TRUE(target("one", "a"));
  const auto taken_back = store_->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(bus_->publish(tx, event()));
    FIXPOINT_TRY(rows, tx.query("SELECT 1 FROM seen"));
    EXPECT_EQ(rows.size(), 1U);
    return fail(errors::validation("taken back"));
  });
  EXPECT_FALSE(taken_back);
  EXPECT_THAT(seen(), ElementsAre());
}

TEST_F(BusTest, what_was_matched_begins_when_it_is_published_whatever_became_of_the_rules) {
  rule("one");
  ASSERT_TRUE(target("one", "a", {{"InputPath", "$.detail"}}));
  auto nothing = bus_->match(here_, event({}, "other"));
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->empty());
  auto matched = bus_->match(here_, event({{"n", 1}}));
  ASSERT_TRUE(matched);
  EXPECT_FALSE(matched->empty());
  EXPECT_THAT(seen(), ElementsAre());
  ASSERT_TRUE(bus_->remove_targets(here_, "one", json::Array{Value("a")}));
  ASSERT_TRUE(bus_->delete_rule(here_, "one"));
  EXPECT_FALSE(bus_->listens(here_));
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return bus_->publish(tx, std::move(*matched), Origin{}); }));
  EXPECT_THAT(seen(), ElementsAre(arn("one") + " a"));
  EXPECT_THAT(seen("input"), ElementsAre(R"({"n":1})"));
}

TEST_F(BusTest, rules_that_change_one_by_one_are_in_force_as_those_that_are_read_at_once) {
  rule("stays");
  rule("goes");
  rule("changes", R"({"source": ["before"]})");
  rule("off");
  for (const auto* name : {"stays", "goes", "changes", "off"}) ASSERT_TRUE(target(name, "a"));
  ASSERT_TRUE(publish(event()));  // which makes the machine
  EXPECT_THAT(seen(), ElementsAre(arn("goes") + " a", arn("off") + " a", arn("stays") + " a"));
  ASSERT_TRUE(target("stays", "b"));
  ASSERT_TRUE(bus_->remove_targets(here_, "goes", json::Array{Value("a")}));
  rule("changes");
  ASSERT_TRUE(bus_->set_enabled(here_, "off", false));
  rule("fresh");
  ASSERT_TRUE(target("fresh", "a"));
  const auto begun = [&] {
    EXPECT_TRUE(store_->write([](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute("DELETE FROM seen"));
      return {};
    }));
    EXPECT_TRUE(publish(event()));
    return seen();
  };
  const std::vector<std::string> wanted{arn("changes") + " a", arn("fresh") + " a", arn("stays") + " a",
                                        arn("stays") + " b"};
  EXPECT_EQ(begun(), wanted);
  bus_ = make();
  EXPECT_EQ(begun(), wanted);
}

TEST_F(BusTest, a_delivery_is_named_by_rule_target_and_event_alone) {
  rule("one");
  ASSERT_TRUE(target("one", "a"));
  ASSERT_TRUE(target("one", "b"));
  const Value first = event();
  ASSERT_TRUE(publish(first));
  ASSERT_TRUE(publish(first));
  EXPECT_EQ(seen().size(), 2U);
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 4U);
  // What else the target says does not make it another delivery.
  ASSERT_TRUE(target("one", "a", {{"Input", "{}"}}));
  ASSERT_TRUE(publish(first));
  EXPECT_EQ(seen().size(), 4U);
}

TEST_F(BusTest, a_disabled_rule_begins_nothing_until_it_is_enabled) {
  rule("one", R"({"source": ["test"]})", {}, false);
  ASSERT_TRUE(target("one", "a"));
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 0U);
  ASSERT_TRUE(bus_->set_enabled(here_, "one", true));
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 1U);
  ASSERT_TRUE(bus_->set_enabled(here_, "one", false));
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 1U);
}

TEST_F(BusTest, a_target_gets_the_event_its_constant_or_a_part) {
  rule("one");
  ASSERT_TRUE(target("one", "a"));
  ASSERT_TRUE(target("one", "b", {{"Input", R"({"fixed": [1, 2]})"}}));
  ASSERT_TRUE(target("one", "c", {{"InputPath", "$.detail.list[1].name"}}));
  ASSERT_TRUE(target("one", "d", {{"InputPath", "$.detail['list'][0]"}}));
  const Value sent =
      event({{"list", json::Array{Value(json::Object{{"name", "x"}}), Value(json::Object{{"name", "y"}})}}});
  ASSERT_TRUE(publish(sent));
  const auto inputs = seen("input");
  ASSERT_EQ(inputs.size(), 4U);
  EXPECT_EQ(json::parse(inputs[0]).value(), sent);
  EXPECT_EQ(inputs[1], R"({"fixed":[1,2]})");
  EXPECT_EQ(inputs[2], R"("y")");
  EXPECT_EQ(inputs[3], R"({"name":"x"})");
}

TEST_F(BusTest, takes_five_targets_on_a_rule_and_not_a_sixth) {
  rule("one");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(target("one", std::to_string(i)));
  const auto sixth = target("one", "5");
  ASSERT_FALSE(sixth);
  EXPECT_EQ(sixth.error().code, "LimitExceededException");
  EXPECT_EQ(bus_->list_targets(here_, "one").value().size(), 5U);
  ASSERT_TRUE(target("one", "4", {{"Input", "1"}}));  // one that is there is put anew
  ASSERT_TRUE(bus_->remove_targets(here_, "one", json::Array{Value("0")}));
  EXPECT_TRUE(target("one", "5"));
}

TEST_F(BusTest, refuses_targets_that_it_could_not_begin) {
  rule("one");
  const auto refusal = [&](json::Object form) {
    const auto answer = bus_->put_targets(here_, "one", json::Array{Value(std::move(form))});
    return answer ? "taken" : describe(answer.error());
  };
  EXPECT_THAT(
      refusal({{"Id", "a"}, {"Arn", "arn:aws:sqs:us-east-1:111111111111:queue"}}),
      HasSubstr("Targets[0].Arn: targets of the service 'sqs' are not there yet; there are events:event-bus, lambda"));
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", "no arn"}}), HasSubstr("Targets[0].Arn"));
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", "arn:aws:lambda:us-east-1:111111111111:function:none"}}),
              HasSubstr("there is no such function"));
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", lambda}, {"Input", "{"}}),
              HasSubstr("Input of target a has to be JSON text"));
  for (const auto* path : {"detail", "$.", "$x", "$.a[", "$.a[x]", "$.a[-1]", "$..a"})
    EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", lambda}, {"InputPath", path}}), HasSubstr("is no path")) << path;
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", lambda}, {"InputTransformer", json::Object()}}),
              HasSubstr("InputTemplate of target a"));
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", lambda}, {"RetryPolicy", json::Object{{"MaximumRetryAttempts", 186}}}}),
              HasSubstr("MaximumRetryAttempts is a number from 0 to 185"));
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", lambda}, {"RetryPolicy", json::Object{{"MaximumEventAgeInSeconds", 59}}}}),
              HasSubstr("from 60 to 86400"));
  EXPECT_THAT(refusal({{"Id", "a"}, {"Arn", lambda}, {"DeadLetterConfig", json::Object{{"Arn", lambda}}}}),
              HasSubstr("standard SQS queue"));
  EXPECT_TRUE(bus_->list_targets(here_, "one").value().empty());
  const auto no_rule = target("none", "a");
  ASSERT_FALSE(no_rule);
  EXPECT_EQ(no_rule.error().code, "ResourceNotFoundException");
}

TEST_F(BusTest, refuses_rules_whose_name_or_pattern_is_none) {
  const auto refusal = [&](const std::string& name, const std::string& pattern) {
    Rule rule;
    rule.bus = here_;
    rule.name = name;
    rule.pattern = pattern;
    const auto put = bus_->put_rule(rule);
    return put ? "taken" : describe(put.error());
  };
  EXPECT_THAT(refusal("", R"({"source": ["a"]})"), HasSubstr("is no rule name"));
  EXPECT_THAT(refusal("a b", R"({"source": ["a"]})"), HasSubstr("'a b' is no rule name"));
  EXPECT_THAT(refusal(std::string(65, 'a'), R"({"source": ["a"]})"), HasSubstr("is no rule name"));
  EXPECT_THAT(refusal("a", R"({"source": "a"})"), HasSubstr("InvalidEventPatternException"));
  EXPECT_THAT(refusal("a", "{"), HasSubstr("InvalidEventPatternException"));
  EXPECT_THAT(refusal("a", R"({"source": [")" + std::string(4096, 'a') + "\"]}"), HasSubstr("at most 4096"));
  EXPECT_TRUE(bus_->list_rules(here_, "").value().empty());
}

TEST_F(BusTest, rules_of_other_accounts_regions_and_buses_are_left_alone) {
  for (const BusName& other : {BusName{"222222222222", "us-east-1"}, BusName{"111111111111", "eu-west-1"},
                               BusName{"111111111111", "us-east-1", "aws", "orders"}}) {
    if (other.name != "default") ASSERT_TRUE(bus_->buses().create({.name = other}));
    rule("one", R"({"source": ["test"]})", other);
    ASSERT_TRUE(target("one", "a", {}, other));
  }
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 0U);
  EXPECT_TRUE(bus_->list_rules(here_, "").value().empty());
  // On a bus of another name the event comes where it is sent there.
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return bus_->publish(tx, event(), "orders"); }));
  EXPECT_THAT(seen(), ElementsAre("arn:aws:events:us-east-1:111111111111:rule/orders/one a"));
}

TEST_F(BusTest, a_change_of_rules_counts_once_it_is_committed) {
  rule("one");
  ASSERT_TRUE(target("one", "a"));
  rule("one", R"({"source": ["other"]})");
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 0U);
  ASSERT_TRUE(publish(event({}, "other")));
  EXPECT_EQ(seen().size(), 1U);
  ASSERT_TRUE(bus_->remove_targets(here_, "one", json::Array{Value("a")}));
  ASSERT_TRUE(publish(event({}, "other")));
  EXPECT_EQ(seen().size(), 1U);
}

TEST_F(BusTest, a_rule_goes_only_without_targets) {
  rule("one");
  ASSERT_TRUE(target("one", "a"));
  const auto refused = bus_->delete_rule(here_, "one");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Rule can't be deleted since it has targets.");
  const Value removed = bus_->remove_targets(here_, "one", json::Array{Value("a"), Value("z")}).value();
  EXPECT_EQ(removed["FailedEntryCount"].int_or(0), 1);
  EXPECT_EQ(removed["FailedEntries"][0]["TargetId"].string_or(""), "z");
  ASSERT_TRUE(bus_->delete_rule(here_, "one"));
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 0U);
}

TEST_F(BusTest, another_process_finds_the_rules_in_the_store) {
  rule("one");
  ASSERT_TRUE(target("one", "a"));
  bus_ = make();
  ASSERT_TRUE(publish(event()));
  EXPECT_EQ(seen().size(), 1U);
  EXPECT_THAT(bus_->list_rules_of_target(here_, lambda).value(), testing::SizeIs(1));
}

}  // namespace
}  // namespace fixpoint::bus
