// Over everything in catalog/controls: each control against the scene that it brings.
#include <algorithm>
#include <gmock/gmock.h>

#include "controls/account.h"

namespace fixpoint::controls {
namespace {

using json::Object;
using json::Value;

std::vector<std::string> ids() {
  const auto controls = ControlSet::load(catalog::Catalog::embedded());
  std::vector<std::string> out;
  if (controls) {
    const auto all = controls->all();
    for (const auto& control : all) out.push_back(control->id);
  }
  return out;
}

class EveryControl : public testing::TestWithParam<std::string> {};

TEST_P(EveryControl, mends_its_scene_once_with_the_calls_that_it_names) {
  Account account;
  const Value finding = account.scene(GetParam());
  EXPECT_FALSE(account.look(GetParam()).compliant) << "the scene starts compliant";
  const auto run = account.run(GetParam(), finding, Object{{"Decided", true}});
  ASSERT_EQ(run.outcome, "fixed") << json::print(run.result);
  EXPECT_TRUE(account.look(GetParam()).compliant);
  const auto holds = gateway::check_scene(account.control(GetParam()), account.caller, *account.sandbox, account.kept);
  EXPECT_TRUE(holds) << describe(holds.error());
  for (const auto& change : account.changes_of(run.id))
    EXPECT_THAT(change.undo, testing::StartsWith("possible")) << change.operation;

  // The permissions that it says it needs are those that it needs, with those that the recipes' reads need.
  std::vector<std::string> named = account.control(GetParam()).calls();
  for (const auto& change : account.control(GetParam()).changes)
    if (const auto* recipe = account.recipes.find(change.call.service, change.call.operation); recipe != nullptr)
      for (const auto& read : recipe->before) named.push_back(read.call.service + ":" + read.call.operation);
  const auto calls = account.ear->calls();
  for (const auto& call : calls) EXPECT_THAT(named, testing::Contains(call));

  // Again: nothing is left to do.
  const auto again = account.run(GetParam(), account.finding_of(GetParam()), Object{{"Decided", true}});
  EXPECT_EQ(again.outcome, "compliant");
  EXPECT_TRUE(account.changes_of(again.id).empty());
}

// Each change's undo gives the state before, value for value; and the undo of that undo the state after.
TEST_P(EveryControl, can_be_taken_back_to_the_same_state) {
  Account account;
  account.scene(GetParam());
  const Assessment before = account.look(GetParam());
  const std::vector<changes::Change> made = account.make(before.calls);
  const Value after = account.look(GetParam()).state;
  EXPECT_FALSE(after == before.state);
  std::vector<changes::Change> undone;
  for (auto change = made.rbegin(); change != made.rend(); ++change)
    for (auto& one : account.take_back(*change)) undone.push_back(std::move(one));
  EXPECT_EQ(json::print_canonical(account.look(GetParam()).state), json::print_canonical(before.state));
  if (!std::all_of(undone.begin(), undone.end(),
                   [](const auto& change) { return change.undo.starts_with("possible"); }))
    return;
  for (auto change = undone.rbegin(); change != undone.rend(); ++change) account.take_back(*change);
  EXPECT_EQ(json::print_canonical(account.look(GetParam()).state), json::print_canonical(after));
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryControl, testing::ValuesIn(ids()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(EC2_13, takes_away_the_world_alone) {
  Account account;
  const Value finding = account.scene("EC2.13");
  ASSERT_EQ(account.run("EC2.13", finding, Object{{"Decided", true}}).outcome, "fixed");
  const std::string group = account.arn.substr(account.arn.rfind('/') + 1);
  const Value permissions = account.call(
      "ec2", "DescribeSecurityGroups", Object{{"GroupIds", json::Array{group}}})["SecurityGroups"][0]["IpPermissions"];
  ASSERT_EQ(permissions.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Value& permission = permissions[i];
    ASSERT_EQ(permission["IpRanges"].size(), 1U) << json::print(permission);
    EXPECT_EQ(permission["Ipv6Ranges"].size(), 0U);
    if (permission["FromPort"].int_or(0) == 22) {
      EXPECT_EQ(permission["IpRanges"][0]["CidrIp"].string_or(""), "10.0.0.0/8");
      EXPECT_EQ(permission["IpRanges"][0]["Description"].string_or(""), "office");
    } else {
      EXPECT_EQ(permission["FromPort"].int_or(0), 443);
      EXPECT_EQ(permission["IpRanges"][0]["CidrIp"].string_or(""), "0.0.0.0/0");
    }
  }
}

TEST(EC2_13, leaves_to_a_person_what_belongs_to_a_stack) {
  Account account;
  account.scene("EC2.13");
  const Subject subject{account.arn, "111111111111", "us-east-1",
                        "aws",       nullptr,        Account::must(parameters_of(account.control("EC2.13"), {}))};
  const auto assessed = Account::must(assess(
      account.control("EC2.13"), subject,
      [&](const std::string& service, const std::string& operation, const Value& input) -> Result<Value> {
        Value answer = account.call(service, operation, input);
        // Only AWS itself sets such a tag.
        Value& group = answer.as_object().find("SecurityGroups")->as_array()[0];
        group.set("Tags", json::Array{Value(Object{{"Key", "aws:cloudformation:stack-name"}, {"Value", "web"}})});
        return answer;
      }));
  ASSERT_EQ(assessed.refusals.size(), 1U);
  EXPECT_THAT(assessed.refusals[0], testing::HasSubstr("belongs to a CloudFormation stack"));
}

TEST(EC2_13, knows_every_permission_that_covers_the_port) {
  const struct {
    const char* permission;
    bool compliant;
  } cases[] = {
      {R"({"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]})", false},
      {R"({"IpProtocol":"tcp","FromPort":0,"ToPort":65535,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]})", false},
      {R"({"IpProtocol":"tcp","FromPort":22,"ToPort":22,"Ipv6Ranges":[{"CidrIpv6":"::/0"}]})", false},
      {R"({"IpProtocol":"tcp","FromPort":23,"ToPort":80,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]})", true},
      {R"({"IpProtocol":"udp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]})", true},
      {R"({"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"10.0.0.0/8"}]})", true},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.permission);
    Account account;
    const Value made = account.call("ec2", "CreateSecurityGroup", Object{{"GroupName", "g"}, {"Description", "d"}});
    const std::string id(made["GroupId"].string_or(""));
    account.arn = "arn:aws:ec2:us-east-1:111111111111:security-group/" + id;
    account.call("ec2", "AuthorizeSecurityGroupIngress",
                 Object{{"GroupId", id}, {"IpPermissions", json::Array{json::parse(one.permission).value()}}});
    EXPECT_EQ(account.look("EC2.13").compliant, one.compliant);
    if (one.compliant) continue;
    const Assessment before = account.look("EC2.13");
    const auto changes = account.make(before.calls);
    EXPECT_TRUE(account.look("EC2.13").compliant);
    for (const auto& change : changes) account.take_back(change);
    EXPECT_EQ(json::print_canonical(account.look("EC2.13").state), json::print_canonical(before.state));
    EXPECT_EQ(account.run("EC2.13", account.finding_of("EC2.13"), Object{{"Decided", true}}).outcome, "fixed");
  }
}

}  // namespace
}  // namespace fixpoint::controls
