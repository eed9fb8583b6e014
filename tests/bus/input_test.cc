#include "bus/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::bus {
namespace {

using json::Value;
using testing::HasSubstr;

constexpr TimeMs ingested = 1'700'000'000'123;

const Value& ec2_event() {
  static const Value event = json::parse(R"({"version": "0", "id": "7bf73129", "detail-type": "State Change",
    "source": "my.ec2", "account": "123456789012", "time": "2015-11-11T21:29:54Z", "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "said": "a \"b\"\n\\c", "count": 3, "big": 1.10,
      "on": true, "nothing": null, "levels": ["HIGH", "LOW"], "owner": {"team": "blue", "id": 7},
      "disks": [{"id": "d1", "size": 5}, {"id": "d2"}]}})")
                                 .value();
  return event;
}

Result<std::string> render(const Value& target) {
  FIXPOINT_TRY(input, TargetInput::read(target));
  return input.render(ec2_event(), json::print(ec2_event()),
                      {"arn:aws:events:us-east-1:123456789012:rule/mine", "mine"}, ingested);
}

Result<std::string> transformed(json::Object paths, const std::string& form) {
  return render(json::Object{
      {"Id", "t1"}, {"InputTransformer", json::Object{{"InputPathsMap", std::move(paths)}, {"InputTemplate", form}}}});
}

const json::Object& paths() {
  static const json::Object map{{"instance", "$.detail.instance-id"},
                                {"state", "$.detail.state"},
                                {"said", "$.detail.said"},
                                {"count", "$.detail.count"},
                                {"big", "$.detail.big"},
                                {"on", "$.detail.on"},
                                {"nothing", "$.detail.nothing"},
                                {"levels", "$.detail.levels"},
                                {"owner", "$.detail.owner"},
                                {"gone", "$.detail.nowhere.at.all"},
                                {"sizes", "$.detail.disks[*].size"}};
  return map;
}

void expect(const std::string& form, const std::string& wanted) {
  const auto made = transformed(paths(), form);
  ASSERT_TRUE(made) << form << ": " << describe(made.error());
  EXPECT_EQ(*made, wanted) << form;
}

TEST(TargetInput, without_any_of_the_three_the_event_comes_whole) {
  EXPECT_EQ(json::parse(render(json::Object{{"Id", "t"}}).value()).value(), ec2_event());
}

// The examples of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
TEST(TargetInput, makes_text_of_a_quoted_template) {
  expect(R"("instance <instance> is in <state>")", R"("instance i-0123456789 is in RUNNING")");
  expect(R"("instance \"<instance>\" is in <state>")", R"("instance \"i-0123456789\" is in RUNNING")");
  expect(R"("<aws.events.rule-name> triggered")", R"("mine triggered")");
  expect("\"<state> one\"\n\"<instance> two\"", "\"RUNNING one\"\n\"i-0123456789 two\"");
}

TEST(TargetInput, makes_no_more_than_a_target_takes) {
  std::string many = "[<big>";
  for (int i = 0; i < 1300; ++i) many += ",<big>";
  const Value event = json::Object{{"detail", json::Object{{"big", std::string(200'000, 'x')}}}};
  const auto input = TargetInput::read(json::Object{
      {"Id", "t1"},
      {"InputTransformer",
       json::Object{{"InputPathsMap", json::Object{{"big", "$.detail.big"}}}, {"InputTemplate", many + "]"}}}});
  ASSERT_TRUE(input) << describe(input.error());
  const auto made =
      input->render(event, json::print(event), {"arn:aws:events:us-east-1:123456789012:rule/mine", "mine"}, ingested);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("makes more than 1048576 bytes of the event"), std::string::npos);
}

TEST(TargetInput, makes_json_of_any_other_template) {
  expect(R"({ "instance" : <instance>, "state": <state> })", R"({"instance":"i-0123456789","state":"RUNNING"})");
  expect(R"({"instance": <instance>, "state": "<state>", "both": "instance \"<instance>\" is in <state>"})",
         R"({"instance":"i-0123456789","state":"RUNNING","both":"instance \"i-0123456789\" is in RUNNING"})");
  expect(R"({"state": [ 9, <state>, true ], "Transformed": "Yes"})",
         R"({"state":[9,"RUNNING",true],"Transformed":"Yes"})");
  expect(R"({"owner": <owner>, "levels": <levels>})", R"({"owner":{"team":"blue","id":7},"levels":["HIGH","LOW"]})");
  expect("[<instance>, <sizes>]", R"(["i-0123456789",[5]])");
  expect("<owner>", R"({"team":"blue","id":7})");
}

TEST(TargetInput, keeps_the_kind_of_a_value_outside_of_quotes_and_prints_it_within) {
  expect(R"({"c": <count>, "b": <big>, "o": <on>, "n": <nothing>})", R"({"c":3,"b":1.10,"o":true,"n":null})");
  expect(R"({"c": "<count>", "o": "<on>"})", R"({"c":"3","o":"true"})");
}

TEST(TargetInput, in_text_objects_and_arrays_lose_their_quotes) {
  expect(R"("<levels> of <owner>")", R"("[HIGH,LOW] of {team:blue,id:7}")");
}

TEST(TargetInput, a_variable_that_leads_nowhere_is_the_empty_string) {
  expect(R"({"a": <gone>, "b": "<gone>", "c": "x<gone>y"})", R"({"a":"","b":"","c":"xy"})");
  expect(R"("info <gone>")", R"("info ")");
}

TEST(TargetInput, a_string_with_quotes_in_it_stays_one_string) {
  const auto made = transformed(paths(), R"({"a": "he said <said>", "b": <said>})");
  const Value out = json::parse(made.value()).value();
  EXPECT_EQ(out["a"].string_or(""), "he said a \"b\"\n\\c");
  EXPECT_EQ(out["b"].string_or(""), "a \"b\"\n\\c");
}

TEST(TargetInput, knows_the_predefined_variables) {
  const Value out =
      json::parse(transformed({}, R"({"arn": <aws.events.rule-arn>, "at": "<aws.events.event.ingestion-time>",
      "event": <aws.events.event>, "whole": <aws.events.event.json>})")
                      .value())
          .value();
  EXPECT_EQ(out["arn"].string_or(""), "arn:aws:events:us-east-1:123456789012:rule/mine");
  EXPECT_EQ(out["at"].string_or(""), "2023-11-14T22:13:20Z");
  EXPECT_EQ(out["event"]["detailType"].string_or(""), "State Change");
  EXPECT_EQ(out["event"].find("detail"), nullptr);
  EXPECT_EQ(out["whole"], ec2_event());
}

TEST(TargetInput, what_stands_in_brackets_and_is_no_name_is_text) {
  expect(R"("1 < 2 and <a b> and <>")", R"("1 < 2 and <a b> and <>")");
}

TEST(TargetInput, refuses_a_variable_that_nobody_defined_in_the_services_words) {
  const auto made = transformed({}, R"({"a": <notdefinedkey>})");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "ValidationException");
  EXPECT_EQ(made.error().message, "InputTemplate for target t1 contains invalid placeholder notdefinedkey.");
}

TEST(TargetInput, refuses_two_of_the_three_in_the_services_words) {
  const auto made = render(json::Object{
      {"Id", "t1"}, {"InputPath", "$.detail"}, {"InputTransformer", json::Object{{"InputTemplate", "{}"}}}});
  EXPECT_EQ(made.error().message, "Only one of Input, InputPath, or InputTransformer must be provided for target t1.");
}

TEST(TargetInput, refuses_names_paths_and_lengths_that_the_service_does_not_take) {
  EXPECT_THAT(transformed({{"aws.x", "$.id"}}, "{}").error().message, HasSubstr("not AWS at the start"));
  EXPECT_THAT(transformed({{"a b", "$.id"}}, "{}").error().message, HasSubstr("is no name for a variable"));
  EXPECT_THAT(transformed({{"a", "detail"}}, "{}").error().message, HasSubstr("is no path"));
  EXPECT_THAT(transformed({}, " ").error().message, HasSubstr("1 to 8192"));
  EXPECT_THAT(transformed({}, std::string(8193, 'x')).error().message, HasSubstr("8193 characters"));
  json::Object many;
  for (int i = 0; i < 101; ++i) many.set("v" + std::to_string(i), "$.id");
  EXPECT_THAT(transformed(many, "{}").error().message, HasSubstr("101 variables"));
  EXPECT_THAT(render(json::Object{{"Id", "t1"}, {"Input", "{"}}).error().message, HasSubstr("has to be JSON text"));
}

TEST(TargetInput, says_where_a_template_made_no_json) {
  for (const auto* form : {R"([<levels> single list])", R"({"a": "<levels>"})", R"({<instance>})", "plain <state>"}) {
    const auto made = transformed(paths(), form);
    ASSERT_FALSE(made) << form;
    EXPECT_THAT(made.error().message, HasSubstr("made no JSON")) << form;
  }
}

TEST(TargetInput, a_path_gives_a_part_or_null) {
  const auto at = [](const char* path) { return render(json::Object{{"Id", "t"}, {"InputPath", path}}).value(); };
  EXPECT_EQ(at("$.detail.disks[1]"), R"({"id":"d2"})");
  EXPECT_EQ(at("$.detail['instance-id']"), R"("i-0123456789")");
  EXPECT_EQ(at("$.detail.disks[*].id"), R"(["d1","d2"])");
  EXPECT_EQ(at("$.detail.owner.*"), R"(["blue",7])");
  EXPECT_EQ(at("$.detail.nowhere"), "null");
  EXPECT_EQ(json::parse(at("$")).value(), ec2_event());
}

}  // namespace
}  // namespace fixpoint::bus
