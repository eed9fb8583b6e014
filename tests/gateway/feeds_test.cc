// Whose rules hear of a finding: its own account's, its administrator's, and those of the Regions that aggregate.
#include <gmock/gmock.h>

#include "gateway/hub.h"
#include "gateway/rule_trial.h"

namespace fixpoint::gateway {
namespace {

using controls::Mode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Place = services::hub::FeedMap::Place;

constexpr const char* administrator = "999999999999";
constexpr const char* member = "111111111111";  // whose bucket it is

class FeedsHub : public Hub {
 public:
  // Nobody listens but who is said to.
  FeedsHub() {
    mode(Mode::Auto);
    const bus::BusName own{caller.account, caller.region, caller.partition, "default"};
    must(bus->remove_targets(own, "fix", json::Array{Value("1")}));
    if (!bus->delete_rule(own, "fix")) throw std::runtime_error("the rule is not deleted");
  }
  Value operation(const Place& place, const char* name, const Value& input = Object()) {
    return must(table.operations.find(name)->second.function({place.first, place.second, "aws", "r", nullptr}, input));
  }
  void make_member(const Place& of, const std::string& account = member) {
    operation(
        of, "CreateMembers",
        Object{{"AccountDetails", json::Array{Value(Object{{"AccountId", account}, {"Email", "a@example.com"}})}}});
  }
  void aggregate(const Place& place, const std::string& mode, json::Array regions = {}) {
    Object input{{"RegionLinkingMode", mode}};
    if (!regions.empty()) input.set("Regions", std::move(regions));
    operation(place, "CreateFindingAggregator", input);
  }
  void listen(const Place& place) {
    const bus::BusName there{place.first, place.second, "aws", "default"};
    bus::Rule made;
    made.bus = there;
    made.name = "fix";
    made.pattern = R"({"source": ["aws.securityhub"]})";
    must(bus->put_rule(made));
    const std::string arn = "arn:aws:fixpoint:" + place.second + ":" + place.first + ":control/*";
    must(bus->put_targets(there, "fix", json::Array{Value(Object{{"Id", "1"}, {"Arn", arn}})}));
  }
  // Keeps what comes on that bus.
  void archive(const Place& place) {
    bus::Archive made;
    made.bus = {place.first, place.second, "aws", "default"};
    made.name = "all";
    archives_.emplace_back(place, must(bus->create_archive(made)).arn());
  }
  std::vector<Value> kept(const Place& place) {
    std::vector<Value> out;
    for (const auto& [where, archive] : archives_)
      if (where == place)
        for (const auto& one : must(bus->archives().kept(archive, 0, INT64_MAX, 0, 100)))
          out.push_back(must(json::parse(one.event)));
    return out;
  }
  std::vector<Place> of(const std::string& account, const std::string& region) {
    return must(securityhub->feeds())->of(account, region);
  }

  aws::ServiceTable table = securityhub->table();

 private:
  std::vector<std::pair<Place, std::string>> archives_;
};

// One rule in the security account saw the findings of no other account.
TEST(Feeds, a_rule_of_the_administrator_begins_the_work_in_the_members_account_and_region) {
  FeedsHub hub;
  hub.make_member({administrator, "us-east-1"});
  hub.listen({administrator, "us-east-1"});
  hub.archive({administrator, "us-east-1"});
  const Value finding = hub.bucket();
  const auto run = hub.run(finding);
  EXPECT_EQ(run.outcome, "fixed");
  EXPECT_EQ(run.account, member);
  EXPECT_EQ(run.region, "us-east-1");
  EXPECT_EQ(hub.status(finding), "RESOLVED");
  // The envelope is of the bus, the finding of its account.
  const auto events = hub.kept({administrator, "us-east-1"});
  ASSERT_EQ(events.size(), 2U);  // of the import, and of the fix
  for (const Value& event : events) {
    EXPECT_EQ(event["detail-type"].string_or(""), "Security Hub Findings - Imported");
    EXPECT_EQ(event["account"].string_or(""), administrator);
    EXPECT_EQ(event["region"].string_or(""), "us-east-1");
    EXPECT_EQ(event["detail"]["findings"][0]["AwsAccountId"].string_or(""), member);
  }
}

TEST(Feeds, a_rule_in_the_aggregation_region_begins_the_work_in_the_findings_region) {
  FeedsHub hub;
  hub.make_member({administrator, "us-east-1"});
  hub.aggregate({administrator, "eu-west-1"}, "ALL_REGIONS");
  hub.listen({administrator, "eu-west-1"});
  hub.archive({administrator, "eu-west-1"});
  const auto run = hub.run(hub.bucket());
  EXPECT_EQ(run.outcome, "fixed");
  EXPECT_EQ(run.account, member);
  EXPECT_EQ(run.region, "us-east-1");
  const auto events = hub.kept({administrator, "eu-west-1"});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["account"].string_or(""), administrator);
  EXPECT_EQ(events[0]["region"].string_or(""), "eu-west-1");
  EXPECT_EQ(events[0]["detail"]["findings"][0]["Region"].string_or(""), "us-east-1");
}

TEST(Feeds, work_that_rules_on_several_buses_ask_for_is_done_once) {
  FeedsHub hub;
  hub.mode(Mode::Ask);
  hub.make_member({administrator, "us-east-1"});
  hub.aggregate({administrator, "eu-west-1"}, "ALL_REGIONS");
  hub.aggregate({member, "eu-west-1"}, "ALL_REGIONS");
  const std::vector<Place> all{
      {member, "us-east-1"}, {member, "eu-west-1"}, {administrator, "us-east-1"}, {administrator, "eu-west-1"}};
  for (const Place& place : all) {
    hub.listen(place);
    hub.archive(place);
  }
  const Value finding = hub.bucket();
  const auto asks = hub.run(finding);
  for (const Place& place : all) EXPECT_EQ(hub.kept(place).size(), 2U) << place.first << " " << place.second;
  ASSERT_TRUE(hub.answer(asks.id, true, "ann"));
  EXPECT_EQ(hub.ended(asks.id).outcome, "fixed");
  EXPECT_EQ(hub.all().size(), 1U);
  EXPECT_EQ(hub.updates(finding), 2);
  EXPECT_EQ(hub.changes_of(asks.id).size(), 1U);
}

TEST(Feeds, are_linked_as_the_aggregator_says_within_its_partition) {
  struct Case {
    const char* mode;
    json::Array regions;
    std::vector<std::string> linked, not_linked;
  };
  for (const Case& one : std::vector<Case>{
           {"ALL_REGIONS", {}, {"us-east-1", "ap-south-1"}, {"cn-north-1", "us-gov-west-1"}},
           {"ALL_REGIONS_EXCEPT_SPECIFIED", {Value("us-east-1")}, {"ap-south-1"}, {"us-east-1", "cn-north-1"}},
           {"SPECIFIED_REGIONS", {Value("us-east-1")}, {"us-east-1"}, {"ap-south-1"}},
           {"NO_REGIONS", {}, {}, {"us-east-1", "ap-south-1"}}}) {
    SCOPED_TRACE(one.mode);
    FeedsHub hub;
    hub.make_member({administrator, "eu-west-1"});
    hub.aggregate({administrator, "eu-west-1"}, one.mode, one.regions);
    for (const auto& region : one.linked) {
      EXPECT_THAT(hub.of(member, region), ElementsAre(Place{administrator, "eu-west-1"})) << region;
      EXPECT_THAT(hub.of(administrator, region), ElementsAre(Place{administrator, "eu-west-1"})) << region;
    }
    for (const auto& region : one.not_linked) EXPECT_THAT(hub.of(member, region), IsEmpty()) << region;
    EXPECT_THAT(hub.of(member, "eu-west-1"), ElementsAre(Place{administrator, "eu-west-1"}));
    EXPECT_THAT(hub.of(administrator, "eu-west-1"), IsEmpty());
    EXPECT_THAT(hub.of("222222222222", "us-east-1"), IsEmpty());
  }
}

TEST(Feeds, of_a_member_are_those_of_the_region_that_it_is_one_in_and_end_with_it) {
  FeedsHub hub;
  const Place home{administrator, "us-east-1"};
  EXPECT_THAT(hub.of(member, "us-east-1"), IsEmpty());
  hub.make_member(home);
  EXPECT_THAT(hub.of(member, "us-east-1"), ElementsAre(home));
  EXPECT_THAT(hub.of(member, "eu-west-1"), IsEmpty());
  EXPECT_THAT(hub.of(administrator, "us-east-1"), IsEmpty());
  hub.aggregate({administrator, "ap-south-1"}, "SPECIFIED_REGIONS", {Value("us-east-1")});
  EXPECT_THAT(hub.of(member, "us-east-1"), UnorderedElementsAre(home, Place{administrator, "ap-south-1"}));
  hub.operation({administrator, "ap-south-1"}, "DisableSecurityHub");
  EXPECT_THAT(hub.of(member, "us-east-1"), ElementsAre(home));
  hub.operation({administrator, "ap-south-1"}, "EnableSecurityHub");
  EXPECT_THAT(hub.of(member, "us-east-1"), UnorderedElementsAre(home, Place{administrator, "ap-south-1"}));
  const std::string aggregator = "arn:aws:securityhub:ap-south-1:999999999999:finding-aggregator/999999999999";
  hub.operation({administrator, "ap-south-1"}, "UpdateFindingAggregator",
                Object{{"FindingAggregatorArn", aggregator}, {"RegionLinkingMode", "NO_REGIONS"}});
  EXPECT_THAT(hub.of(member, "us-east-1"), ElementsAre(home));
  hub.operation(home, "DisassociateMembers", Object{{"AccountIds", json::Array{Value(member)}}});
  EXPECT_THAT(hub.of(member, "us-east-1"), IsEmpty());
  hub.make_member(home);
  EXPECT_THAT(hub.of(member, "us-east-1"), ElementsAre(home));
  hub.operation(home, "DeleteMembers", Object{{"AccountIds", json::Array{Value(member)}}});
  EXPECT_THAT(hub.of(member, "us-east-1"), IsEmpty());
}

TEST(Feeds, have_the_event_of_v2_where_that_is_on) {
  FeedsHub hub;
  hub.mode(Mode::Observe);
  hub.make_member({administrator, "us-east-1"});
  hub.operation({administrator, "us-east-1"}, "EnableSecurityHubV2");
  for (const Place& place : {Place{member, "us-east-1"}, Place{administrator, "us-east-1"}}) hub.archive(place);
  hub.import(hub.bucket());
  EXPECT_EQ(hub.kept({member, "us-east-1"}).size(), 1U);  // it is off there
  const auto events = hub.kept({administrator, "us-east-1"});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1]["detail-type"].string_or(""), "Findings Imported V2");
  EXPECT_EQ(events[1]["account"].string_or(""), administrator);
  EXPECT_EQ(events[1]["detail"]["findings"][0]["cloud"]["account"]["uid"].string_or(""), member);
}

TEST(Feeds, an_import_says_how_many_findings_no_rule_hears_of) {
  FeedsHub hub;
  hub.mode(Mode::Observe);
  const Value finding = hub.bucket();
  const auto import = [&](const Value& one) { return Hub::must(hub.securityhub->import_all({one}, "us-east-1")); };
  EXPECT_EQ(import(finding).unheard, 1U);
  EXPECT_EQ(import(finding).unheard, 0U);  // it is no newer, and tells nobody
  hub.archive({member, "us-east-1"});      // keeps it, and does nothing
  EXPECT_EQ(import(later(finding, "04")).unheard, 1U);
  hub.make_member({administrator, "us-east-1"});
  hub.listen({administrator, "us-east-1"});
  EXPECT_EQ(import(later(finding, "05")).unheard, 0U);
  EXPECT_EQ(import(other(finding, "another")).unheard, 0U);
  hub.settle();
}

TEST(Feeds, a_rule_is_tried_on_all_findings_that_its_bus_hears_of) {
  FeedsHub hub;
  hub.make_member({administrator, "us-east-1"});
  Value elsewhere = other(hub.bucket(), "elsewhere");
  elsewhere.set("Region", "eu-west-1");
  hub.import(hub.bucket());
  hub.import(elsewhere);
  RuleTrial trial(*hub.bus, *hub.findings, hub.controls, hub.clock);
  RuleTrial::Question question{.bus = {administrator, "us-east-1", "aws", "default"},
                               .rule = {},
                               .pattern = R"({"source": ["aws.securityhub"]})",
                               .since_ms = 0};
  question.feeds = Hub::must(hub.securityhub->feeds());
  EXPECT_EQ(Hub::must(trial.ask(question))["Matched"].int_or(-1), 1);
  hub.aggregate({administrator, "us-east-1"}, "ALL_REGIONS");
  question.feeds = Hub::must(hub.securityhub->feeds());
  EXPECT_EQ(Hub::must(trial.ask(question))["Matched"].int_or(-1), 2);
  question.pattern = R"({"account": ["999999999999"], "detail": {"findings": {"AwsAccountId": ["111111111111"]}}})";
  EXPECT_EQ(Hub::must(trial.ask(question))["Matched"].int_or(-1), 2);
  question.bus.account = member;
  EXPECT_EQ(Hub::must(trial.ask(question))["Matched"].int_or(-1), 0);
}

}  // namespace
}  // namespace fixpoint::gateway
