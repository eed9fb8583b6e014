#include "controls/assessment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "changes/difference.h"
#include "controls/modes.h"
#include "json/text.h"
#include "json/yaml.h"
#include "support/postgres.h"

namespace fixpoint::controls {
namespace {

using changes::describe_difference;
using changes::shortened;
using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const Control> hat(const std::string& compliant = "{% $brush.Clean %}",
                                   const std::string& refuse = "{% $hat.Felt = true %}",
                                   const std::string& when = "{% true %}") {
  Value form = json::parse_yaml(R"(
control: Hat.1
title: Hats are brushed
severity: LOW
parameters: {times: {type: integer, default: 2}}
resource: {type: AwsHat, id: "{% $substringAfter($arn, 'hat/') %}"}
read:
  hat: {call: shop:GetHat, input: {Id: "{% $resource.id %}"}, gone: [NoSuchHat]}
  brush: {call: shop:GetBrush, input: {Shop: "{% $hat.Shop %}"}, take: "{% Brush %}", absent: [NoBrush]}
compliant: x
change:
  - {call: shop:Skip, when: "{% false %}"}
  - {call: shop:BrushHat, input: {Id: "{% $resource.id %}", Times: "{% $params.times %}", Title: "{% $finding.Title %}"}}
refuse: []
scene: {given: [{call: a:B}], resource: x, then: [{call: a:B, expect: x}]}
)")
                   .value();
  form.set("compliant", compliant);
  form.set("refuse", json::Array{Value(Object{{"when", refuse}, {"because", "It is felt."}})});
  form.as_object()["change"].as_array()[1].set("when", when);
  return read_control(form, "Hat.1.yaml").value();
}

// Answers by operation; what it was asked is kept.
struct Reader {
  std::map<std::string, Result<Value>> answers{{"GetHat", Value(Object{{"Shop", "main"}, {"Felt", false}})},
                                               {"GetBrush", Value(Object{{"Brush", Object{{"Clean", false}}}})}};
  std::vector<std::string> asked;
  Result<Assessment> assess(const std::shared_ptr<const Control>& control,
                            const std::string& arn = "arn:aws:shop:::hat/h1") {
    const Value finding = Object{{"Title", "dusty"}};
    const Subject subject{arn, "111111111111", "us-east-1", "aws", &finding, parameters_of(*control, {}).value()};
    return controls::assess(*control, subject,
                            [&](const std::string& service, const std::string& operation, const Value& input) {
                              asked.push_back(service + ":" + operation + " " + json::print(input));
                              return answers.at(operation);
                            });
  }
};

TEST(Assessment, of_what_does_not_comply_has_state_and_calls) {
  Reader reader;
  const auto assessed = reader.assess(hat());
  ASSERT_TRUE(assessed) << describe(assessed.error());
  EXPECT_FALSE(assessed->compliant);
  EXPECT_FALSE(assessed->gone);
  EXPECT_EQ(assessed->resource_id, "h1");
  EXPECT_THAT(reader.asked, ElementsAre(R"(shop:GetHat {"Id":"h1"})", R"(shop:GetBrush {"Shop":"main"})"));
  EXPECT_EQ(json::print(assessed->state), R"({"hat":{"Shop":"main","Felt":false},"brush":{"Clean":false}})");
  ASSERT_EQ(assessed->calls.size(), 1U);  // the one whose condition is false is left out
  EXPECT_EQ(assessed->calls[0].index, 1U);
  EXPECT_EQ(assessed->calls[0].operation, "BrushHat");
  EXPECT_EQ(json::print(assessed->calls[0].input), R"({"Id":"h1","Times":2,"Title":"dusty"})");
  EXPECT_TRUE(assessed->refusals.empty());
}

TEST(Assessment, of_what_complies_plans_nothing) {
  Reader reader;
  reader.answers.at("GetBrush") = Value(Object{{"Brush", Object{{"Clean", true}}}});
  reader.answers.at("GetHat") = Value(Object{{"Shop", "main"}, {"Felt", true}});
  const auto assessed = reader.assess(hat());
  ASSERT_TRUE(assessed);
  EXPECT_TRUE(assessed->compliant);
  EXPECT_TRUE(assessed->calls.empty());
  EXPECT_TRUE(assessed->refusals.empty());
}

TEST(Assessment, of_what_is_gone_reads_no_further) {
  Reader reader;
  reader.answers.at("GetHat") = fail(errors::coded("NoSuchHat", "none", 404));
  const auto assessed = reader.assess(hat());
  ASSERT_TRUE(assessed);
  EXPECT_TRUE(assessed->gone);
  EXPECT_EQ(assessed->gone_because, "NoSuchHat");
  EXPECT_EQ(reader.asked.size(), 1U);
}

TEST(Assessment, a_state_that_is_absent_is_undefined_to_expressions_and_null_in_the_state) {
  Reader reader;
  reader.answers.at("GetBrush") = fail(errors::coded("NoBrush", "none", 404));
  const auto assessed = reader.assess(hat("{% $exists($brush) %}"));
  ASSERT_TRUE(assessed) << describe(assessed.error());
  EXPECT_FALSE(assessed->compliant);
  EXPECT_TRUE(assessed->state.find("brush") != nullptr);
  EXPECT_TRUE(assessed->state["brush"].is_null());
  // A `take` that finds nothing is the same.
  reader.answers.at("GetBrush") = Value(Object{});
  EXPECT_FALSE(reader.assess(hat("{% $exists($brush) %}"))->compliant);
}

TEST(Assessment, an_error_that_is_not_named_is_an_error_and_never_nothing_there) {
  for (const auto* operation : {"GetHat", "GetBrush"})
    for (const Error& error :
         {errors::throttling("slower"), errors::access_denied("no"), errors::unavailable("down"),
          errors::coded(operation == std::string("GetHat") ? "NoBrush" : "NoSuchHat", "of another read", 404)}) {
      Reader reader;
      reader.answers.at(operation) = fail(error);
      const auto assessed = reader.assess(hat("{% $exists($brush) %}"));
      ASSERT_FALSE(assessed) << operation << " " << error.code;
      EXPECT_EQ(assessed.error(), error);
    }
}

TEST(Assessment, of_what_a_person_has_to_decide_says_why) {
  Reader reader;
  reader.answers.at("GetHat") = Value(Object{{"Shop", "main"}, {"Felt", true}});
  const auto assessed = reader.assess(hat());
  ASSERT_TRUE(assessed);
  EXPECT_THAT(assessed->refusals, ElementsAre("It is felt."));
}

TEST(Assessment, a_condition_that_gives_no_boolean_is_an_error_with_its_place) {
  const struct {
    std::shared_ptr<const Control> control;
    const char* sentence;
  } faults[] = {
      {hat("{% 1 %}"), "control Hat.1, compliant: T0000 gives a number, not true or false"},
      {hat("{% 'true' %}"), "compliant: T0000 gives a string"},
      {hat("{% $nothing %}"), "compliant: T0000 gives nothing, not true or false"},
      {hat("{% $brush.Clean %}", "{% $hat.Missing %}"), "refuse[0].when: T0000 gives nothing"},
      {hat("{% $brush.Clean %}", "{% null %}"), "refuse[0].when: T0000 gives null"},
      {hat("{% $brush.Clean %}", "{% false %}", "{% [true] %}"), "change[1].when: T0000 gives an array"},
      {hat("{% $error('mist') %}"), "compliant: "},
      {hat("{% ($f := function() { $f() + 1 }; $f() = 1) %}"), "compliant: "},
  };
  for (const auto& fault : faults) {
    Reader reader;
    const auto assessed = reader.assess(fault.control);
    ASSERT_FALSE(assessed) << fault.sentence;
    EXPECT_EQ(assessed.error().code, "ValidationException");
    EXPECT_THAT(assessed.error().message, HasSubstr(fault.sentence));
  }
}

TEST(Assessment, refuses_a_resource_that_is_none_of_the_controls) {
  Reader reader;
  const auto assessed = reader.assess(hat(), "arn:aws:shop:::hat/");
  ASSERT_FALSE(assessed);
  EXPECT_THAT(assessed.error().message, HasSubstr("names no AwsHat for control Hat.1"));
  EXPECT_TRUE(reader.asked.empty());
}

Value parsed(const char* yaml) {
  return json::parse_yaml(yaml).value();
}

TEST(Difference, says_what_changed_for_a_person) {
  const struct {
    const char *before, *after, *text;
  } cases[] = {
      {"{a: 1}", "{a: 1}", ""},
      {"{a: null}", "{a: [1]}", "a: absent -> [1]"},
      {"{a: {b: 1, c: 2}}", "{a: {b: 3}}", "a.b: 1 -> 3; a.c: 2 -> absent"},
      {"{a: {}}", "{a: {n: x}}", R"(a.n: absent -> "x")"},
      {"{l: [1, 2, 3]}", "{l: [3, 2]}", "l: removed 1"},
      {"{l: [1]}", "{l: [1, 4]}", "l: added 4"},
      {"{l: [1, 2]}", "{l: [2, 1]}", ""},
      {"{l: [{p: 22, r: [a, b]}, {p: 443}]}", "{l: [{p: 22, r: [b]}, {p: 443}]}", R"(l[0].r: removed "a")"},
      {"{a: true}", "{a: false}", "a: true -> false"},
  };
  for (const auto& one : cases) EXPECT_EQ(describe_difference(parsed(one.before), parsed(one.after)), one.text);
}

TEST(Difference, is_cut_at_a_characters_border) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "ä";
  for (const std::size_t longest : {20U, 21U, 22U, 23U}) {
    const std::string cut = shortened(text, longest);
    EXPECT_LE(cut.size(), longest);
    EXPECT_TRUE(cut.ends_with("ä...")) << cut;
  }
  EXPECT_EQ(shortened("abc", 3), "abc");
}

TEST(Mode, the_narrowest_setting_wins) {
  auto store = store::Store::open(test::store_options(), {Modes::schema()}).value();
  Modes modes(*store);
  const auto mode = [&] { return to_text(modes.find("arn:rule", "S3.4", "111111111111").value()); };
  EXPECT_EQ(mode(), "ask");
  ASSERT_TRUE(modes.set("all", Mode::Auto));
  EXPECT_EQ(mode(), "auto");
  ASSERT_TRUE(modes.set("account:111111111111", Mode::Observe));
  EXPECT_EQ(mode(), "observe");
  ASSERT_TRUE(modes.set("control:S3.4", Mode::Ask));
  EXPECT_EQ(mode(), "ask");
  ASSERT_TRUE(modes.set("rule:arn:rule", Mode::Auto));
  EXPECT_EQ(mode(), "auto");
  ASSERT_TRUE(modes.set("rule:arn:rule", Mode::Observe));  // set anew
  EXPECT_EQ(mode(), "observe");
  EXPECT_EQ(to_text(modes.find("", "EC2.13", "222222222222").value()), "auto");
  EXPECT_EQ(modes.all().value().size(), 4U);
}

TEST(Mode, of_a_function_or_rule_holds_by_whatever_name_it_has) {
  auto store = store::Store::open(test::store_options(), {Modes::schema()}).value();
  Modes modes(*store);
  const std::string function = "arn:aws:lambda:us-east-1:111111111111:function:f";
  const std::string rule = "arn:aws:events:us-east-1:111111111111:rule/r";
  const auto mode = [&](const std::string& by_rule, const std::string& name) {
    const auto found = modes.find_set(by_rule, name, "111111111111").value();
    return found ? to_text(*found) : "nothing";
  };
  ASSERT_TRUE(modes.set("control:" + function + ":1", Mode::Observe));
  for (const auto* name : {"", ":1", ":$LATEST"}) EXPECT_EQ(mode("", function + name), "observe") << name;
  EXPECT_EQ(mode("", "arn:aws-cn:lambda:us-east-1:111111111111:function:f"), "observe");
  EXPECT_EQ(modes.all().value(), json::Value(json::Object{{"control:" + function, "observe"}}));
  ASSERT_TRUE(modes.set("rule:arn:aws-cn:events:us-east-1:111111111111:rule/default/r", Mode::Ask));
  EXPECT_EQ(mode(rule, function), "ask");
  EXPECT_EQ(mode("arn:aws-us-gov:events:us-east-1:111111111111:rule/r", function), "ask");
}

// As earlier versions stored it.
TEST(Mode, that_was_set_for_a_version_holds_for_the_function_where_it_is_stricter) {
  auto store = store::Store::open(test::store_options(), {Modes::schema()}).value();
  Modes modes(*store);
  const std::string function = "arn:aws:lambda:us-east-1:111111111111:function:f";
  const auto mode = [&] {
    const auto found = modes.find_set("", function, "111111111111").value();
    return found ? to_text(*found) : "nothing";
  };
  const auto stored = [&](const std::string& name, const std::string& word) {
    ASSERT_TRUE(store->write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute("INSERT INTO mode (scope, mode) VALUES (?, ?)", {"control:" + function + name, word}));
      tx.changes_kept();
      return {};
    }));
  };
  stored(":1", "auto");
  EXPECT_EQ(mode(), "nothing");
  ASSERT_TRUE(modes.set("all", Mode::Observe));
  EXPECT_EQ(mode(), "observe");
  stored(":2", "ask");
  EXPECT_EQ(mode(), "observe");
  ASSERT_TRUE(modes.set("all", Mode::Auto));
  EXPECT_EQ(mode(), "ask");
  // What is set for the function by its own name takes the place of all of them.
  ASSERT_TRUE(modes.set("control:" + function, Mode::Auto));
  EXPECT_EQ(mode(), "auto");
  stored(":3", "observe");
  EXPECT_EQ(mode(), "observe");
  ASSERT_TRUE(store->write([&](store::Transaction& tx) { return Modes::unset(tx, "control:" + function); }));
  EXPECT_EQ(modes.all().value(), json::Value(json::Object{{"all", "auto"}}));
}

TEST(Mode, auto_is_forgotten_with_what_it_was_set_for_and_what_is_stricter_is_not) {
  auto store = store::Store::open(test::store_options(), {Modes::schema()}).value();
  Modes modes(*store);
  const auto forget = [&](const std::string& scope) {
    return store->write([&](store::Transaction& tx) { return Modes::forget_auto(tx, scope); }).value();
  };
  ASSERT_TRUE(modes.set("rule:arn:a", Mode::Auto));
  ASSERT_TRUE(modes.set("rule:arn:b", Mode::Observe));
  EXPECT_TRUE(forget("rule:arn:a"));
  EXPECT_FALSE(forget("rule:arn:a"));
  EXPECT_FALSE(forget("rule:arn:b"));
  EXPECT_EQ(modes.all().value(), json::Value(json::Object{{"rule:arn:b", "observe"}}));
}

TEST(Mode, another_scope_or_word_is_refused) {
  auto store = store::Store::open(test::store_options(), {Modes::schema()}).value();
  Modes modes(*store);
  for (const auto* scope : {"", "al", "account:", "control:", "rule:", "region:us-east-1", "All"})
    EXPECT_FALSE(modes.set(scope, Mode::Auto)) << scope;
  for (const auto* word : {"", "AUTO", "automatic"}) EXPECT_FALSE(mode_of(word)) << word;
  for (const Mode mode : {Mode::Observe, Mode::Ask, Mode::Auto}) EXPECT_EQ(mode_of(to_text(mode)), mode);
}

}  // namespace
}  // namespace fixpoint::controls
