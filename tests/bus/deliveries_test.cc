#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/bus.h"
#include "json/text.h"
#include "store/pieces.h"
#include "support/postgres.h"

namespace fixpoint::bus {
namespace {

using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* lambda = "arn:aws:lambda:us-east-1:111111111111:function:f";
constexpr const char* queue = "arn:aws:sqs:us-east-1:111111111111:dead";
constexpr const char* rule_arn = "arn:aws:events:us-east-1:111111111111:rule/one";

// A bus whose lambda target fails as a test says, and whose queue keeps what comes.
class DeliveriesTest : public testing::Test {
 protected:
  DeliveriesTest() {
    auto opened = store::Store::open(
        test::store_options(),
        {Bus::schema(),
         {"seen",
          {"CREATE TABLE seen (number INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, attributes TEXT) STRICT;"
           "CREATE TABLE once (what TEXT PRIMARY KEY) STRICT;"}}});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    bus_ = make();
  }
  std::unique_ptr<Bus> make() {
    auto bus = std::make_unique<Bus>(*store_, clock_);
    bus->add_target_kind("lambda", keeper("lambda"), [](const std::string&) { return Result<void>(); });
    bus->add_target_kind("sqs", keeper("sqs"), [](const std::string&) { return Result<void>(); });
    bus->add_target_kind("http",
                         {{},
                          [this](const Delivery& delivery, auto done) { sent_.emplace_back(delivery.text, done); },
                          [](const std::string&) { return Result<void>(); }});
    EXPECT_TRUE(bus->load());
    return bus;
  }
  Starter keeper(const std::string& kind) {
    return [this, kind](store::Transaction& tx, const Delivery& delivery) -> Result<void> {
      ++tries_;
      FIXPOINT_CHECK(tx.execute("INSERT INTO seen (what, attributes) VALUES (?, ?)",
                                {kind + " " + delivery.text, json::print(delivery.attributes)}));
      if (const auto found = errors_.find(kind); found != errors_.end()) return fail(found->second);
      return {};
    };
  }
  // What breaks a statement of the store, in every try.
  static Result<void> break_statement(store::Transaction& tx) {
    FIXPOINT_CHECK(tx.execute("INSERT INTO once (what) VALUES ('same'), ('same')"));
    return {};
  }
  void change(const std::string& sql) {
    const auto done = store_->write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute(sql));
      return {};
    });
    ASSERT_TRUE(done) << describe(done.error());
  }
  void rule(json::Object target = {}, const char* arn = lambda, BusName on = {"111111111111", "us-east-1"}) {
    ASSERT_TRUE(bus_->put_rule({.bus = on, .name = "one", .pattern = R"({"source": ["test"]})"}));
    json::Object form{{"Id", "t"}, {"Arn", arn}};
    for (const auto& member : target) form.set(member.key, member.value);
    const auto put = bus_->put_targets(on, "one", json::Array{Value(form)});
    ASSERT_TRUE(put) << describe(put.error());
  }
  Value publish(json::Object detail = {{"n", 1}}) {
    Value event = bus_->make_event(here_, "test", "Thing", {}, std::move(detail));
    EXPECT_TRUE(store_->write([&](store::Transaction& tx) { return bus_->publish(tx, event); }));
    return event;
  }
  std::vector<std::string> seen(const char* column = "what") {
    return store_
        ->read([&](store::Session& session) -> Result<std::vector<std::string>> {
          FIXPOINT_TRY(rows, session.query(std::string("SELECT ") + column + " FROM seen ORDER BY number"));
          std::vector<std::string> out;
          for (auto& row : rows) out.push_back(row.take(0));
          return out;
        })
        .value();
  }
  std::vector<Deliveries::Left> left() { return bus_->deliveries().left(100).value(); }
  // Lets time pass until nothing is due within it.
  void pass(TimeMs how_long) {
    const TimeMs until = clock_.now_ms() + how_long;
    while (true) {
      const auto next = bus_->run_due();
      ASSERT_TRUE(next);
      if (*next == 0 || *next > until) break;
      clock_.set_ms(std::max(*next, clock_.now_ms()));
    }
    clock_.set_ms(until);
    ASSERT_TRUE(bus_->run_due());
  }

  ManualClock clock_{1'700'000'000'000};
  BusName here_{"111111111111", "us-east-1"};
  std::map<std::string, Error> errors_;
  int tries_ = 0;
  std::vector<std::pair<std::string, std::function<void(Result<void>)>>> sent_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Bus> bus_;
};

TEST_F(DeliveriesTest, what_fails_for_now_is_tried_again_until_it_begins) {
  rule({{"Input", "1"}});
  errors_["lambda"] = errors::unavailable("not now");
  publish();
  EXPECT_THAT(seen(), ElementsAre());  // what the failed try wrote is taken back
  ASSERT_EQ(left().size(), 1U);
  EXPECT_EQ(left()[0].state, "waiting");
  EXPECT_THAT(left()[0].error, HasSubstr("not now"));
  pass(60'000);
  EXPECT_THAT(tries_, testing::Gt(3));
  errors_.clear();
  pass(600'000);
  EXPECT_THAT(seen(), ElementsAre("lambda 1"));
  EXPECT_TRUE(left().empty());
  pass(86'400'000);
  EXPECT_EQ(seen().size(), 1U);
}

TEST_F(DeliveriesTest, one_target_that_fails_stops_neither_the_event_nor_another_target) {
  ASSERT_TRUE(bus_->put_rule({.bus = here_, .name = "one", .pattern = R"({"source": ["test"]})"}));
  ASSERT_TRUE(bus_->put_targets(here_, "one",
                                json::Array{Value(json::Object{{"Id", "a"}, {"Arn", lambda}}),
                                            Value(json::Object{{"Id", "b"}, {"Arn", queue}, {"Input", "2"}})}));
  errors_["lambda"] = errors::unavailable("not now");
  publish();
  EXPECT_THAT(seen(), ElementsAre("sqs 2"));
}

TEST_F(DeliveriesTest, a_target_that_breaks_a_statement_is_a_dead_letter_and_stops_nothing_else) {
  bus_->add_target_kind(
      "lambda", [](store::Transaction& tx, const Delivery&) { return break_statement(tx); },
      [](const std::string&) { return Result<void>(); });
  rule();
  const auto put = bus_->put_targets(
      here_, "one",
      json::Array{
          Value(json::Object{{"Id", "u"}, {"Arn", queue}}),
          Value(json::Object{{"Id", "v"}, {"Arn", lambda}, {"DeadLetterConfig", json::Object{{"Arn", queue}}}})});
  ASSERT_TRUE(put) << describe(put.error());
  const auto text = json::print(publish());
  EXPECT_THAT(seen(), testing::UnorderedElementsAre("sqs " + text, "sqs " + text)) << "the target, and a dead letter";
  ASSERT_EQ(left().size(), 1U);
  EXPECT_EQ(left()[0].state, "dropped");
  EXPECT_THAT(left()[0].error, HasSubstr("StoreConflict"));
}

TEST_F(DeliveriesTest, a_dead_letter_queue_that_breaks_a_statement_leaves_the_reason) {
  bus_->add_target_kind(
      "sqs", [](store::Transaction& tx, const Delivery&) { return break_statement(tx); },
      [](const std::string&) { return Result<void>(); });
  rule({{"DeadLetterConfig", json::Object{{"Arn", queue}}}});
  errors_["lambda"] = errors::validation("never");
  publish();
  ASSERT_EQ(left().size(), 1U);
  EXPECT_THAT(left()[0].error, HasSubstr("the dead-letter queue did not take it: StoreConflict"));
}

TEST_F(DeliveriesTest, what_cannot_be_read_any_more_is_given_up_and_holds_up_nothing_behind_it) {
  rule();
  errors_["lambda"] = errors::unavailable("not now");
  publish({{"n", 1}});
  change("UPDATE bus_delivery SET event = '{'");
  publish({{"n", 2}});
  errors_.clear();
  pass(60'000);
  ASSERT_EQ(seen().size(), 1U);
  EXPECT_THAT(seen()[0], HasSubstr("\"n\":2"));
  ASSERT_EQ(left().size(), 1U);
  EXPECT_EQ(left()[0].state, "dropped");
  EXPECT_THAT(left()[0].error, HasSubstr("SerializationException"));
}

TEST_F(DeliveriesTest, an_event_as_deep_as_any_is_tried_again) {
  std::string deep = "1";
  for (int i = 0; i < 199; ++i) deep = "[" + deep + "]";
  rule();
  errors_["lambda"] = errors::unavailable("not now");
  publish({{"n", json::parse(deep).value()}});
  errors_.clear();
  pass(60'000);
  ASSERT_EQ(seen().size(), 1U);
  EXPECT_THAT(seen()[0], HasSubstr(deep));
}

TEST_F(DeliveriesTest, another_process_goes_on_trying) {
  rule({{"Input", "1"}});
  errors_["lambda"] = errors::unavailable("not now");
  publish();
  errors_.clear();
  bus_ = make();
  pass(10'000);
  EXPECT_THAT(seen(), ElementsAre("lambda 1"));
}

TEST_F(DeliveriesTest, after_the_last_try_the_event_lies_in_the_dead_letter_queue_with_the_reason) {
  rule({{"Input", "1"},
        {"RetryPolicy", json::Object{{"MaximumRetryAttempts", 2}}},
        {"DeadLetterConfig", json::Object{{"Arn", queue}}}});
  errors_["lambda"] = errors::throttling("slow down");
  const Value event = publish();
  pass(86'400'000);
  EXPECT_EQ(tries_, 1 + 2 + 1);  // the first, two more, and the letter
  EXPECT_THAT(seen(), ElementsAre("sqs " + json::print(event)));
  const Value attributes = json::parse(seen("attributes")[0]).value();
  EXPECT_EQ(attributes, Value(json::Object{{"RULE_ARN", rule_arn},
                                           {"TARGET_ARN", lambda},
                                           {"ERROR_CODE", "THROTTLING"},
                                           {"ERROR_MESSAGE", "ThrottlingException: slow down"},
                                           {"RETRY_ATTEMPTS", "2"},
                                           {"EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts"}}));
  EXPECT_TRUE(left().empty());
}

TEST_F(DeliveriesTest, an_event_that_is_too_old_is_given_up) {
  rule({{"RetryPolicy", json::Object{{"MaximumEventAgeInSeconds", 60}}},
        {"DeadLetterConfig", json::Object{{"Arn", queue}}}});
  errors_["lambda"] = errors::unavailable("not now");
  publish();
  pass(59'000);
  EXPECT_EQ(left().size(), 1U);
  pass(2'000);
  EXPECT_TRUE(left().empty());
  EXPECT_EQ(json::parse(seen("attributes")[0]).value()["EXHAUSTED_RETRY_CONDITION"].string_or(""),
            "MaximumEventAgeInSeconds");
}

TEST_F(DeliveriesTest, without_a_policy_it_is_185_tries_more_within_24_hours) {
  rule();
  errors_["lambda"] = errors::unavailable("not now");
  publish();
  pass(86'399'000);
  ASSERT_EQ(left().size(), 1U);
  pass(2'000);
  EXPECT_EQ(left()[0].state, "dropped");
  EXPECT_THAT(tries_, testing::Le(186));
  EXPECT_THAT(tries_, testing::Gt(150));
}

TEST_F(DeliveriesTest, what_trying_again_cannot_help_is_a_dead_letter_at_once) {
  rule({{"DeadLetterConfig", json::Object{{"Arn", queue}}}});
  errors_["lambda"] = errors::resource_not_found("no such function");
  publish();
  EXPECT_EQ(tries_, 2);
  const Value attributes = json::parse(seen("attributes")[0]).value();
  EXPECT_EQ(attributes["ERROR_CODE"].string_or(""), "NO_RESOURCE");
  EXPECT_EQ(attributes["RETRY_ATTEMPTS"].string_or(""), "0");
  EXPECT_EQ(attributes.find("EXHAUSTED_RETRY_CONDITION"), nullptr);
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html: "EventBridge can't route events received
// from a sender event bus to a third event bus."
TEST_F(DeliveriesTest, an_event_goes_from_bus_to_bus_once_and_then_is_a_dead_letter) {
  const BusName other{"111111111111", "us-east-1", "aws", "other"};
  ASSERT_TRUE(bus_->buses().create({.name = other}));
  rule({}, "arn:aws:events:us-east-1:111111111111:event-bus/other");
  ASSERT_TRUE(bus_->put_targets(
      here_, "one", json::Array{Value(json::Object{{"Id", "here"}, {"Arn", lambda}, {"Input", "\"here\""}})}));
  rule({{"DeadLetterConfig", json::Object{{"Arn", queue}}}}, "arn:aws:events:us-east-1:111111111111:event-bus/default",
       other);
  ASSERT_TRUE(bus_->put_targets(
      other, "one", json::Array{Value(json::Object{{"Id", "there"}, {"Arn", lambda}, {"Input", "\"there\""}})}));
  const Value event = publish();
  EXPECT_THAT(seen(),
              testing::UnorderedElementsAre("lambda \"here\"", "lambda \"there\"", "sqs " + json::print(event)));
  std::vector<std::string> codes;
  for (const std::string& attributes : seen("attributes"))
    if (const Value read = json::parse(attributes).value(); read.find("ERROR_CODE") != nullptr)
      codes.emplace_back(read["ERROR_CODE"].string_or(""));
  EXPECT_THAT(codes, ElementsAre("THIRD_ACCOUNT_HOP_DETECTED"));
}

TEST_F(DeliveriesTest, a_template_that_makes_no_json_is_a_dead_letter) {
  rule({{"InputTransformer",
         json::Object{{"InputTemplate", "{\"a\": <n> }"}, {"InputPathsMap", json::Object{{"n", "$.detail.n"}}}}},
        {"DeadLetterConfig", json::Object{{"Arn", queue}}}});
  publish();
  EXPECT_THAT(seen(), ElementsAre("lambda {\"a\":1}"));
  ASSERT_TRUE(bus_->put_targets(
      here_, "one",
      json::Array{
          Value(json::Object{{"Id", "t"},
                             {"Arn", lambda},
                             {"InputTransformer", json::Object{{"InputTemplate", "{\"a\": \"<n>\"}"},
                                                               {"InputPathsMap", json::Object{{"n", "$.detail"}}}}},
                             {"DeadLetterConfig", json::Object{{"Arn", queue}}}})}));
  publish();
  ASSERT_EQ(seen().size(), 2U);
  EXPECT_THAT(seen("attributes")[1], HasSubstr("INVALID_PARAMETER"));
  EXPECT_THAT(seen("attributes")[1], HasSubstr("made no JSON"));
}

TEST_F(DeliveriesTest, without_a_dead_letter_queue_or_where_it_fails_what_was_given_up_is_kept_14_days) {
  rule({{"DeadLetterConfig", json::Object{{"Arn", queue}}}});
  errors_["lambda"] = errors::resource_not_found("no such function");
  errors_["sqs"] = errors::resource_not_found("no such queue");
  publish();
  ASSERT_EQ(left().size(), 1U);
  EXPECT_EQ(left()[0].state, "dropped");
  EXPECT_THAT(left()[0].error, HasSubstr("no such function; and the dead-letter queue did not take it"));
  EXPECT_TRUE(seen().empty());
  pass(13LL * 86'400'000);
  EXPECT_EQ(left().size(), 1U);
  pass(2LL * 86'400'000);
  EXPECT_TRUE(left().empty());
}

TEST_F(DeliveriesTest, a_request_to_somebody_else_is_sent_after_the_commit_and_again_where_it_fails) {
  rule({{"Input", "1"}}, "arn:aws:http:us-east-1:111111111111:there");
  publish();
  EXPECT_TRUE(sent_.empty());
  pass(0);
  ASSERT_EQ(sent_.size(), 1U);
  pass(60'000);
  EXPECT_EQ(sent_.size(), 1U);  // it is under way
  sent_[0].second(fail(errors::unavailable("503")));
  pass(10'000);
  ASSERT_EQ(sent_.size(), 2U);
  sent_[1].second({});
  pass(600'000);
  EXPECT_EQ(sent_.size(), 2U);
  EXPECT_TRUE(left().empty());
}

TEST_F(DeliveriesTest, a_request_whose_process_ended_is_sent_again) {
  rule({{"Input", "1"}}, "arn:aws:http:us-east-1:111111111111:there");
  publish();
  pass(0);
  ASSERT_EQ(sent_.size(), 1U);
  bus_ = make();
  pass(119'000);
  EXPECT_EQ(sent_.size(), 1U);
  pass(2'000);
  EXPECT_EQ(sent_.size(), 2U);
}

TEST_F(DeliveriesTest, an_event_goes_from_bus_to_bus_and_not_round_and_round) {
  const BusName orders{"111111111111", "us-east-1", "aws", "orders"};
  ASSERT_TRUE(bus_->buses().create({.name = orders}));
  rule({}, "arn:aws:events:us-east-1:111111111111:event-bus/orders");
  rule({{"Input", "1"}}, lambda, orders);
  publish();
  EXPECT_THAT(seen(), ElementsAre("lambda 1"));
  // A second target on the other bus leads back: the circle ends, and the end is known.
  ASSERT_TRUE(bus_->put_targets(orders, "one", json::Array{Value(json::Object{{"Id", "back"}, {"Arn", here_.arn()}})}));
  publish();
  EXPECT_THAT(seen(), ElementsAre("lambda 1", "lambda 1"));
  ASSERT_EQ(left().size(), 1U);
  EXPECT_THAT(left()[0].error, HasSubstr("goes no further"));
}

// As EventBridge answered: an event keeps its id on its way to a bus of the same region, whosever it is, and has one of
// its own in another region.
TEST_F(DeliveriesTest, in_another_region_an_event_has_an_id_of_its_own) {
  const BusName near{"111111111111", "us-east-1", "aws", "near"};
  const BusName far{"111111111111", "eu-west-1", "aws", "far"};
  for (const BusName& bus : {near, far}) ASSERT_TRUE(bus_->buses().create({.name = bus}));
  rule({}, near.arn().c_str());
  ASSERT_TRUE(bus_->put_targets(here_, "one", json::Array{Value(json::Object{{"Id", "far"}, {"Arn", far.arn()}})}));
  rule({{"InputTransformer",
         json::Object{{"InputPathsMap", json::Object{{"id", "$.id"}}}, {"InputTemplate", "\"near <id>\""}}}},
       lambda, near);
  rule({{"InputTransformer",
         json::Object{{"InputPathsMap", json::Object{{"id", "$.id"}}}, {"InputTemplate", "\"far <id>\""}}}},
       lambda, far);
  const Value event = bus_->make_event(here_, "test", "Thing", {}, json::Object());
  const auto publish_it = [&] {
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return bus_->publish(tx, event); }));
  };
  publish_it();
  auto first = seen();
  std::sort(first.begin(), first.end());
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1], "lambda \"near " + event["id"].as_string() + "\"");
  EXPECT_THAT(first[0],
              testing::MatchesRegex("lambda \"far [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}\""));
  EXPECT_THAT(first[0], testing::Not(HasSubstr(event["id"].as_string())));
  // The same event once more is the same event there too.
  publish_it();
  auto both = seen();
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, (std::vector<std::string>{first[0], first[0], first[1], first[1]}));
}

TEST_F(DeliveriesTest, another_accounts_bus_takes_events_where_its_policy_says_so) {
  const BusName there{"222222222222", "us-east-1"};
  rule({}, "arn:aws:events:us-east-1:222222222222:event-bus/default");
  rule({{"Input", "1"}}, lambda, there);
  publish();
  EXPECT_TRUE(seen().empty());
  EXPECT_THAT(left()[0].error, HasSubstr("AccessDenied"));
  ASSERT_TRUE(bus_->buses().put_statement(
      there, json::Object{{"Sid", "a"},
                          {"Effect", "Allow"},
                          {"Action", "events:PutEvents"},
                          {"Principal", json::Object{{"AWS", "arn:aws:iam::111111111111:root"}}}}));
  publish();
  EXPECT_THAT(seen(), ElementsAre("lambda 1"));
}

class SchedulesTest : public DeliveriesTest {
 protected:
  void schedule(const char* expression, const char* name = "one") {
    const auto put = bus_->put_rule({.bus = here_, .name = name, .pattern = {}, .schedule = expression});
    ASSERT_TRUE(put) << describe(put.error());
    ASSERT_TRUE(bus_->put_targets(here_, name, json::Array{Value(json::Object{{"Id", "t"}, {"Arn", lambda}})}));
  }
};

TEST_F(SchedulesTest, a_rate_fires_once_a_period_with_the_documented_event) {
  schedule("rate(5 minutes)");
  pass(299'000);
  EXPECT_TRUE(seen().empty());
  pass(1'000);
  ASSERT_EQ(seen().size(), 1U);
  const Value event = json::parse(seen()[0].substr(7)).value();
  EXPECT_EQ(event["source"].string_or(""), "aws.events");
  EXPECT_EQ(event["detail-type"].string_or(""), "Scheduled Event");
  EXPECT_EQ(event["resources"], Value(json::Array{Value(rule_arn)}));
  EXPECT_EQ(event["detail"], Value(json::Object()));
  pass(3'600'000);
  EXPECT_EQ(seen().size(), 13U);
}

TEST_F(SchedulesTest, runs_missed_while_nobody_was_there_are_made_up_by_one) {
  schedule("rate(1 minute)");
  clock_.advance_ms(3'600'000);
  bus_ = make();
  pass(0);
  EXPECT_EQ(seen().size(), 1U);
  pass(60'000);
  EXPECT_EQ(seen().size(), 2U);
}

TEST_F(SchedulesTest, a_disabled_schedule_rests_and_makes_nothing_up) {
  schedule("rate(1 minute)");
  ASSERT_TRUE(bus_->set_enabled(here_, "one", false));
  pass(600'000);
  EXPECT_TRUE(seen().empty());
  ASSERT_TRUE(bus_->set_enabled(here_, "one", true));
  pass(59'000);
  EXPECT_LE(seen().size(), 1U);
}

TEST_F(SchedulesTest, a_schedule_is_for_the_default_bus) {
  const BusName orders{"111111111111", "us-east-1", "aws", "orders"};
  ASSERT_TRUE(bus_->buses().create({.name = orders}));
  const auto put = bus_->put_rule({.bus = orders, .name = "one", .pattern = {}, .schedule = "rate(1 minute)"});
  EXPECT_EQ(put.error().message, "ScheduleExpression is supported only on the default event bus.");
}

class ArchivesTest : public DeliveriesTest {
 protected:
  Archive archive(const std::string& pattern = {}, std::int64_t days = 0) {
    Archive archive;
    archive.bus = here_;
    archive.name = "past";
    archive.pattern = pattern;
    archive.retention_days = days;
    const auto made = bus_->create_archive(archive);
    EXPECT_TRUE(made) << describe(made.error());
    return *made;
  }
  Result<Replay> replay(const std::string& name = "again", json::Array filters = {}) {
    Replay replay;
    replay.bus = here_;
    replay.name = name;
    replay.archive_arn = "arn:aws:events:us-east-1:111111111111:archive/past";
    replay.destination = json::Object{{"Arn", here_.arn()}, {"FilterArns", std::move(filters)}};
    replay.from_ms = clock_.now_ms() - 3'600'000;
    replay.to_ms = clock_.now_ms() + 1;
    return bus_->archives().start(replay);
  }
};

TEST_F(ArchivesTest, keeps_what_matches_and_replays_it_in_order_with_the_replays_name) {
  archive(R"({"detail": {"n": [{"numeric": [">", 1]}]}})");
  for (int n : {1, 2, 3}) publish({{"n", n}});
  EXPECT_EQ(bus_->archives().get(here_, "past").value().events, 2);
  rule();
  ASSERT_TRUE(replay());
  pass(0);
  ASSERT_EQ(seen().size(), 2U);
  const Value first = json::parse(seen()[0].substr(7)).value();
  EXPECT_EQ(first["detail"]["n"].int_or(0), 2);
  EXPECT_EQ(first["replay-name"].string_or(""), "again");
  EXPECT_EQ(bus_->archives().replay(here_, "again").value().state, "COMPLETED");
  EXPECT_EQ(bus_->archives().get(here_, "past").value().events, 2);  // a replayed event is not kept again
}

TEST_F(ArchivesTest, a_replay_of_many_goes_on_in_another_process_and_repeats_nothing) {
  archive();
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) -> Result<void> {
    for (int n = 0; n < 450; ++n)
      FIXPOINT_CHECK(bus_->publish(tx, bus_->make_event(here_, "test", "Thing", {}, json::Object{{"n", n}})));
    return {};
  }));
  rule({{"InputPath", "$.detail.n"}});
  ASSERT_TRUE(replay());
  ASSERT_TRUE(bus_->run_due());
  EXPECT_EQ(seen().size(), 200U);
  bus_ = make();
  pass(0);
  const auto all = seen();
  ASSERT_EQ(all.size(), 450U);
  for (int n = 0; n < 450; ++n) EXPECT_EQ(all[static_cast<std::size_t>(n)], "lambda " + std::to_string(n));
}

TEST_F(ArchivesTest, a_replay_is_for_the_rules_that_it_names) {
  archive();
  publish();
  rule();
  ASSERT_TRUE(replay("none", json::Array{Value("arn:aws:events:us-east-1:111111111111:rule/other")}));
  pass(0);
  EXPECT_TRUE(seen().empty());
  ASSERT_TRUE(replay("mine", json::Array{Value(rule_arn)}));
  pass(0);
  EXPECT_EQ(seen().size(), 1U);
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html: concurrent replays, 10
TEST_F(ArchivesTest, ten_replays_are_under_way_at_once_and_no_more) {
  archive();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(replay("replay-" + std::to_string(i)));
  const auto refused = replay("one-more");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "LimitExceededException");
  EXPECT_EQ(refused.error().message, "The requested resource exceeds the maximum number allowed.");
  pass(0);
  EXPECT_TRUE(replay("one-more"));
}

TEST_F(ArchivesTest, forgets_what_is_older_than_its_retention) {
  archive({}, 1);
  publish();
  pass(90'000'000);
  EXPECT_EQ(bus_->archives().get(here_, "past").value().events, 0);
  EXPECT_EQ(bus_->archives().get(here_, "past").value().bytes, 0);
}

TEST_F(ArchivesTest, what_is_forgotten_counts_by_its_bytes) {
  archive({}, 1);
  publish({{"text", "\xc3\xa4\xf0\x9f\x98\x80"}});
  const auto one = bus_->archives().get(here_, "past").value().bytes;
  pass(43'200'000);
  publish({{"text", "\xc3\xa4\xf0\x9f\x98\x80"}});
  pass(46'800'000);
  EXPECT_EQ(bus_->archives().get(here_, "past").value().events, 1);
  EXPECT_EQ(bus_->archives().get(here_, "past").value().bytes, one);
  pass(90'000'000);
  EXPECT_EQ(bus_->archives().get(here_, "past").value().bytes, 0);
}

TEST_F(ArchivesTest, a_replay_that_cannot_go_on_fails_with_the_reason_and_holds_up_nothing) {
  archive();
  publish({{"n", 1}});
  change("UPDATE bus_archived SET event = '{'");
  ASSERT_TRUE(replay("first"));
  clock_.advance_ms(1000);
  publish({{"n", 2}});
  rule();
  errors_["lambda"] = errors::unavailable("not now");
  publish({{"n", 3}});  // of which a retry waits
  Replay second;
  second.bus = here_;
  second.name = "second";
  second.archive_arn = "arn:aws:events:us-east-1:111111111111:archive/past";
  second.destination = json::Object{{"Arn", here_.arn()}};
  second.from_ms = clock_.now_ms();
  second.to_ms = clock_.now_ms() + 1;
  ASSERT_TRUE(bus_->archives().start(second));
  errors_.clear();
  pass(60'000);
  const Replay failed = bus_->archives().replay(here_, "first").value();
  EXPECT_EQ(failed.state, "FAILED");
  EXPECT_EQ(failed.ended_ms, clock_.now_ms() - 60'000);
  EXPECT_THAT(failed.reason, HasSubstr("cannot be read"));
  EXPECT_EQ(bus_->archives().replay(here_, "second").value().state, "COMPLETED");
  EXPECT_EQ(seen().size(), 3U) << "two replayed, and the retry";
}

TEST_F(ArchivesTest, a_replay_whose_target_breaks_a_statement_comes_to_its_end) {
  archive();
  publish();
  bus_->add_target_kind(
      "lambda", [](store::Transaction& tx, const Delivery&) { return break_statement(tx); },
      [](const std::string&) { return Result<void>(); });
  rule();
  ASSERT_TRUE(replay());
  pass(0);
  EXPECT_EQ(bus_->archives().replay(here_, "again").value().state, "COMPLETED");
  ASSERT_EQ(left().size(), 1U);
  EXPECT_EQ(left()[0].state, "dropped");
}

TEST_F(ArchivesTest, many_events_are_forgotten_or_deleted_a_piece_at_a_time_and_whole) {
  const auto publish_many = [&] {
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) -> Result<void> {
      for (std::int64_t n = 0; n <= 2 * store::rows_a_piece; ++n)
        FIXPOINT_CHECK(bus_->publish(tx, bus_->make_event(here_, "test", "Thing", {}, json::Object{{"n", n}})));
      return {};
    }));
  };
  const auto kept = [&] {
    return store_->read([](store::Session& session) { return session.query("SELECT count(*) FROM bus_archived"); })
        .value()[0]
        .integer(0);
  };
  archive({}, 1);
  publish_many();
  pass(43'200'000);
  publish();
  pass(46'800'000);
  EXPECT_EQ(bus_->archives().get(here_, "past").value().events, 1) << "the one that is younger than a day";
  EXPECT_EQ(kept(), 1);
  publish_many();
  ASSERT_TRUE(bus_->delete_archive(here_, "past"));
  EXPECT_EQ(kept(), 0);
}

TEST_F(ArchivesTest, refuses_in_the_services_words) {
  Archive nowhere;
  nowhere.bus = {"111111111111", "us-east-1", "aws", "none"};
  nowhere.name = "x";
  EXPECT_EQ(bus_->create_archive(nowhere).error().message, "Event bus none does not exist.");
  EXPECT_EQ(replay().error().message, "Parameter EventSourceArn is not valid. Reason: Archive past does not exist.");
  archive();
  Archive same;
  same.bus = here_;
  same.name = "past";
  EXPECT_EQ(bus_->create_archive(same).error().message, "Archive past already exists.");
  EXPECT_EQ(bus_->update_archive(here_, "past", {}, {}, {}).error().message,
            "At least one of EventPattern, RetentionDays or Description must be provided.");
  EXPECT_EQ(bus_->delete_archive(here_, "none").error().message, "Archive none does not exist.");
  EXPECT_FALSE(bus_->update_archive(here_, "past", {}, std::string("{"), {}));
  ASSERT_TRUE(replay());
  EXPECT_EQ(replay().error().message, "Replay again already exists.");
  pass(0);
  EXPECT_EQ(bus_->archives().cancel(here_, "again").error().code, "IllegalStatusException");
}

}  // namespace
}  // namespace fixpoint::bus
