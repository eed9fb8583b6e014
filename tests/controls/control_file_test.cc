#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controls/control.h"
#include "json/yaml.h"

namespace fixpoint::controls {
namespace {

using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

// A sound control in JSON; a fault is put in at one place.
Value sound() {
  return json::parse_yaml(R"(
control: Hat.1
title: Hats are brushed
severity: LOW
standards: {hatters/1.0: ["2.1", PCI.Hat.9]}
checks: {config: [hat-brushed], macie: ["Policy:Hat/Dusty"]}
parameters:
  times: {type: integer, default: 2, minimum: 1, maximum: 5}
  brush: {type: string, default: soft, enum: [soft, hard]}
  label: {type: string, default: ab, pattern: "[a-z]+"}
  wet: {type: boolean, default: false}
  force: {type: number, default: 0.5, minimum: 0, maximum: 1}
resource: {type: AwsHat, id: "{% $arn %}"}
list: {call: shop:ListHats, each: "{% Hats.Arn %}"}
read:
  hat: {call: shop:GetHat, input: {Id: "{% $resource.id %}"}, absent: [NoBrush], gone: [NoSuchHat]}
let: {brushed: "{% $hat.Brushed %}"}
compliant: "{% $brushed %}"
change:
  - {call: shop:BrushHat, input: {Id: "{% $resource.id %}"}, when: "{% true %}", done: [AlreadyBrushed]}
refuse:
  - {when: "{% false %}", because: It is felt.}
scene:
  given: [{call: shop:MakeHat, keep: made}]
  resource: "{% $made.Arn %}"
  then: [{call: shop:GetHat, expect: "{% Brushed %}"}]
)")
      .value();
}

// Sets the value at "a.b.0.c"; "~" takes the member away.
Value with(std::string_view path, const std::string& yaml) {
  Value whole = sound();
  Value* at = &whole;
  while (true) {
    const auto dot = path.find('.');
    const std::string name(path.substr(0, dot));
    if (dot == std::string_view::npos) {
      if (at->is_array())
        at->as_array()[static_cast<std::size_t>(std::stoi(name))] = json::parse_yaml(yaml).value();
      else if (yaml == "~")
        at->as_object().erase(name);
      else
        at->set(name, json::parse_yaml(yaml).value());
      return whole;
    }
    at = at->is_array() ? &at->as_array()[static_cast<std::size_t>(std::stoi(name))] : at->as_object().find(name);
    path.remove_prefix(dot + 1);
  }
}

TEST(ControlFile, a_sound_one_is_read) {
  const auto control = read_control(sound(), "controls/Hat.1.yaml");
  ASSERT_TRUE(control) << describe(control.error());
  EXPECT_THAT((*control)->aliases,
              ElementsAre("hatters/1.0:2.1", "PCI.Hat.9", "config:hat-brushed", "macie:Policy:Hat/Dusty"));
  EXPECT_THAT((*control)->calls(), ElementsAre("shop:BrushHat", "shop:GetHat", "shop:ListHats"));
}

TEST(ControlFile, every_fault_is_said_with_file_and_place) {
  const struct {
    const char* path;
    const char* yaml;
    const char* sentence;
  } faults[] = {
      {"contrl", "x", "controls/Hat.1.yaml: 'contrl' is not known here; there are control, title"},
      {"control", "~", "controls/Hat.1.yaml: control: is missing"},
      {"control", "''", "control: has to be text"},
      {"title", "7", "title: has to be text"},
      {"severity", "~", "severity: is missing"},
      {"standards", "[a]", "standards: has to be a mapping of NAME/VERSION to numbers"},
      {"standards", "{a/1: '2.1'}", "standards.a/1: has to be a list of names"},
      {"standards", "{a/1: [2.1]}", "standards.a/1: has to be a list of names (a number needs quotes)"},
      {"checks", "[a]", "checks: has to be a mapping of a tool to its names for the check"},
      {"checks", "{milliner: [x]}",
       "checks: 'milliner' is no tool whose names are known; there are config, guardduty, macie, prowler"},
      {"checks.config", "hat-brushed", "checks.config: has to be a list of names"},
      {"parameters", "[a]", "parameters: has to be a mapping"},
      {"parameters.times", "{type: integer, default: 1, max: 5}",
       "parameters.times: 'max' is not known here; there are type, default, minimum, maximum, enum, pattern"},
      {"parameters.times.type", "~", "parameters.times.type: is missing"},
      {"parameters.times.type", "int", "parameters.times.type: is string, integer, number or boolean, not 'int'"},
      {"parameters.times.default", "~", "parameters.times.default: is missing"},
      {"parameters.times.default", "9",
       "parameters: a default breaks its own bounds: the parameter 'times' has to be "
       "at most 5"},
      {"parameters.times.default", "two", "'times' has to be a whole number"},
      {"parameters.brush.default", "wire", "'brush' has to be one of"},
      {"parameters.label.pattern", "'['", "parameters.label.pattern: is no regular expression"},
      {"parameters.times.minimum", "one", "parameters.times.minimum: has to be a number"},
      {"parameters.times.maximum", "'5'", "parameters.times.maximum: has to be a number"},
      {"parameters.brush.enum", "soft", "parameters.brush.enum: has to be a list, with at least one"},
      {"parameters.brush.enum", "[]", "parameters.brush.enum: has to be a list, with at least one"},
      {"parameters.label.pattern", "7", "parameters.label.pattern: has to be text"},
      {"resource", "~", "resource: has to be a mapping"},
      {"resource.type", "~", "resource.type: is missing"},
      {"resource.id", "~", "resource.id: is missing"},
      {"resource.id", "'{% ( %}'", "resource.id: S0"},
      {"resource.arn", "x", "resource: 'arn' is not known here; there are type, id"},
      {"list.each", "~", "list.each: is missing"},
      {"list.call", "~", "list.call: is missing"},
      {"read", "~", "read: has to be a mapping of names to calls, with at least one"},
      {"read", "{}", "read: has to be a mapping of names to calls, with at least one"},
      {"read.hat.call", "GetHat", "read.hat.call: 'GetHat' names no call; the form is service:Operation"},
      {"read.hat.input", "7", "read.hat.input: has to be a mapping or an expression"},
      {"read.hat.input.Id", "'{% $ ( %}'", "read.hat.input: "},
      {"read.hat.take", "'{% [ %}'", "read.hat.take: S0"},
      {"read.hat.absent", "NoBrush", "read.hat.absent: has to be a list of names"},
      {"read.hat.gone", "[404]", "read.hat.gone: has to be a list of names (a number needs quotes)"},
      {"read.hat.done", "[x]", "read.hat: 'done' is not known here; there are call, input, take, absent, gone"},
      {"let", "[a]", "let: has to be a mapping of names to expressions"},
      {"let.brushed", "$hat", "let.brushed: has to be an expression in {% %}"},
      {"let.brushed", "'{% $hat. %}'", "let.brushed: S0"},
      {"compliant", "~", "compliant: has to be an expression in {% %}"},
      {"compliant", "true", "compliant: has to be an expression in {% %}"},
      {"change", "~", "change: has to be a list of calls, with at least one"},
      {"change", "[]", "change: has to be a list of calls, with at least one"},
      {"change.0", "shop:BrushHat", "change[0]: has to be a mapping"},
      {"change.0.call", "~", "change[0].call: is missing"},
      {"change.0.when", "'{% ) %}'", "change[0].when: S0"},
      {"change.0.done", "7", "change[0].done: has to be a list of names"},
      {"change.0.absent", "[x]", "change[0]: 'absent' is not known here; there are call, input, when, done"},
      {"refuse", "{when: x}", "refuse: has to be a list of {when, because}"},
      {"refuse.0.when", "~", "refuse[0].when: is missing"},
      {"refuse.0.because", "~", "refuse[0].because: is missing"},
      {"scene", "~", "scene: is missing: a control is tried on the scene that it brings"},
      {"scene.given", "[]", "scene.given: has to be a list of calls, with at least one"},
      {"scene.resource", "~", "scene.resource: is missing"},
      {"scene.then", "~", "scene.then: has to be a list of calls, with at least one"},
      {"scene.then.0.expect", "~", "scene.then[0].expect: is missing"},
      {"scene.given.0.call", "x", "scene.given[0].call: 'x' names no call"},
      {"scene.when", "[]", "scene: 'when' is not known here; there are given, resource, then"},
  };
  for (const auto& fault : faults) {
    const auto control = read_control(with(fault.path, fault.yaml), "controls/Hat.1.yaml");
    ASSERT_FALSE(control) << fault.path << ": " << fault.yaml;
    EXPECT_EQ(control.error().code, "ValidationException");
    EXPECT_THAT(control.error().message, HasSubstr(fault.sentence)) << fault.path << ": " << fault.yaml;
    EXPECT_THAT(control.error().message, testing::StartsWith("controls/Hat.1.yaml: "));
    EXPECT_EQ(control.error().message.find("Hat.1.yaml", 15), std::string::npos) << control.error().message;
  }
  EXPECT_FALSE(read_control(Value("text"), "x.yaml"));
  EXPECT_FALSE(read_control(Value(), "x.yaml"));
}

TEST(Parameters, are_the_defaults_with_what_is_given_over_them) {
  const auto control = read_control(sound(), "x").value();
  EXPECT_EQ(parameters_of(*control, {}).value()["times"].int_or(0), 2);
  const Value given = parameters_of(*control, Object{{"times", 5}, {"wet", true}}).value();
  EXPECT_EQ(given["times"].int_or(0), 5);
  EXPECT_EQ(given["wet"], Value(true));
  EXPECT_EQ(given["brush"].string_or(""), "soft");
}

TEST(Parameters, that_do_not_fit_are_refused_by_name) {
  const auto control = read_control(sound(), "x").value();
  const struct {
    Object given;
    const char* sentence;
  } faults[] = {
      {{{"times", 0}}, "the parameter 'times' has to be at least 1"},
      {{{"times", 6}}, "the parameter 'times' has to be at most 5"},
      {{{"times", 2.5}}, "the parameter 'times' has to be a whole number"},
      {{{"times", "2"}}, "the parameter 'times' has to be a whole number"},
      {{{"times", Value()}}, "the parameter 'times' has to be a whole number"},
      {{{"brush", "wire"}}, R"(the parameter 'brush' has to be one of ["soft","hard"])"},
      {{{"brush", 1}}, "the parameter 'brush' has to be text"},
      {{{"label", "a1"}}, "the parameter 'label' has to match [a-z]+"},
      {{{"wet", "no"}}, "the parameter 'wet' has to be true or false"},
      {{{"force", 1.5}}, "the parameter 'force' has to be at most 1"},
      {{{"colour", "red"}}, "the control Hat.1 has no parameter 'colour'"},
  };
  for (const auto& fault : faults) {
    const auto refused = parameters_of(*control, fault.given);
    ASSERT_FALSE(refused) << fault.sentence;
    EXPECT_THAT(refused.error().message, HasSubstr(fault.sentence));
  }
}

}  // namespace
}  // namespace fixpoint::controls
