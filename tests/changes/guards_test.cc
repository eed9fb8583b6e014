#include "changes/guards.h"

#include <gmock/gmock.h>
#include <thread>

#include "changes/scope.h"
#include "changes/shop.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GuardsTest : public ShopTest {
 protected:
  void freeze_it(const std::string& scope) {
    ASSERT_TRUE(store->write([&](store::Transaction& tx) {
      return freeze(tx, {.scope = scope, .by = "ann", .because = "an incident", .at_ms = clock.now_ms()});
    }));
  }
  std::string except(Value form) {
    auto exception = exception_of(form, clock.now_ms());
    if (!exception) return exception.error().message;
    EXPECT_TRUE(store->write([&](store::Transaction& tx) { return add(tx, *exception); }));
    return "added";
  }
  static Value form(Object more) {
    Object out{{"Owner", "ann"}, {"Reason", "by design"}, {"ExpiresAt", "2030-02-01"}};
    for (const auto& member : more) out.set(member.key, member.value);
    return out;
  }
};

TEST_F(GuardsTest, a_change_needs_a_mandate) {
  const auto refused =
      door->call({"111111111111", "us-east-1", "nobody", {}}, "s", "shop", "PutHat", Object{{"Id", "h"}});
  EXPECT_EQ(code(refused), "NoMandate");
  EXPECT_TRUE(door->call({"111111111111", "us-east-1", "nobody", {}}, "s", "shop", "GetHat", Object{{"Id", "h"}}));
  EXPECT_THAT(shop.changing_calls(), IsEmpty());
}

TEST_F(GuardsTest, the_kill_switch_says_who_when_and_why_and_survives_a_restart) {
  freeze_it("all");
  reopen();
  const auto refused = put("h", "blue");
  ASSERT_EQ(code(refused), "ChangesFrozen");
  EXPECT_EQ(refused.error().message, "changes are frozen for all since 2030-01-09T12:00:00.000Z by ann: an incident");
  EXPECT_EQ(refused.error().http_status, 403);
  EXPECT_FALSE(refused.error().retryable);
  ASSERT_TRUE(store->write([](store::Transaction& tx) { return unfreeze(tx, "all"); }));
  EXPECT_EQ(code(put("h", "blue")), "made");
}

TEST_F(GuardsTest, the_kill_switch_holds_for_its_account_or_control_alone) {
  freeze_it("account:222222222222");
  freeze_it("control:gloves");
  EXPECT_EQ(code(put("h", "blue")), "made");
  freeze_it("control:hats");
  EXPECT_EQ(code(put("h", "red")), "ChangesFrozen");
  ASSERT_TRUE(store->write([](store::Transaction& tx) { return unfreeze(tx, "control:hats"); }));
  freeze_it("account:111111111111");
  EXPECT_EQ(code(put("h", "red")), "ChangesFrozen");
}

// A handler of the one account changes the other by a role: what either forbids is forbidden.
TEST_F(GuardsTest, the_kill_switch_of_either_account_holds_for_a_change_from_one_in_the_other) {
  const auto elsewhere = [&] { return code(call_in("222222222222", "PutHat", {{"Id", "h"}, {"Colour", "blue"}})); };
  EXPECT_EQ(elsewhere(), "made");
  freeze_it("account:222222222222");
  EXPECT_EQ(elsewhere(), "ChangesFrozen");
  EXPECT_EQ(code(put("h", "red")), "made");
  ASSERT_TRUE(store->write([](store::Transaction& tx) { return unfreeze(tx, "account:222222222222"); }));
  freeze_it("account:111111111111");
  EXPECT_EQ(elsewhere(), "ChangesFrozen");
}

TEST_F(GuardsTest, what_is_set_for_either_account_holds_for_a_change_from_one_in_the_other) {
  const std::string there = "222222222222";
  const auto elsewhere = [&](const char* operation = "PutHat") {
    return code(call_in(there, operation, {{"Id", "h"}, {"Colour", "blue"}}));
  };
  set("account:222222222222", "windows", json::Array{"sat 22:00-04:00 UTC"});
  EXPECT_EQ(elsewhere(), "MaintenanceWindowClosed");
  EXPECT_EQ(code(put("h", "red")), "made");
  EXPECT_EQ(door->guards().opens_at(mandate, there).value(), parse_iso8601_ms("2030-01-12T22:00:00Z").value());
  EXPECT_EQ(door->guards().opens_at(mandate).value(), 0);
  // Both have to be open.
  set("account:111111111111", "windows", json::Array{"sun 01:00-02:00 UTC"});
  EXPECT_EQ(door->guards().opens_at(mandate, there).value(), parse_iso8601_ms("2030-01-13T01:00:00Z").value());
  set("account:222222222222", "windows", Value());
  EXPECT_EQ(elsewhere(), "MaintenanceWindowClosed");
  set("account:111111111111", "windows", Value());
  set("account:111111111111", "allow_irreversible", json::Array{"shop:BurnHat"});
  EXPECT_EQ(elsewhere("BurnHat"), "IrreversibleChange");
  set("account:222222222222", "allow_irreversible", json::Array{"shop:BurnHat"});
  EXPECT_EQ(elsewhere("BurnHat"), "made");
  shop.tag("arn:aws:shop:::hat/h", "terraform", "yes");
  set("account:222222222222", "owned", "ask");
  EXPECT_EQ(elsewhere(), "OwnedElsewhere");
  EXPECT_EQ(code(put("h", "red")), "made");
  EXPECT_FALSE(door->guards().four_eyes(mandate, {there}).value());
  set("account:222222222222", "four_eyes", true);
  EXPECT_TRUE(door->guards().four_eyes(mandate, {there}).value());
  EXPECT_FALSE(door->guards().four_eyes(mandate, {}).value());
}

TEST_F(GuardsTest, the_exceptions_of_either_account_hold_for_a_change_from_one_in_the_other) {
  const Value pattern = Object{{"Title", json::Array{Object{{"prefix", "A hat"}}}}};
  const auto elsewhere = [&] { return code(call_in("222222222222", "PutHat", {{"Id", "h"}, {"Colour", "blue"}})); };
  EXPECT_EQ(elsewhere(), "made");
  ASSERT_EQ(except(form({{"Pattern", pattern}, {"Scope", "account:222222222222"}})), "added");
  EXPECT_EQ(elsewhere(), "ResourceExcepted");
  EXPECT_EQ(code(put("h", "red")), "made");
  // It is left alone before anything is tried where what the finding is about is there.
  EXPECT_FALSE(door->guards().excepted(mandate).value());
  mandate.resources = {"arn:aws:shop:us-east-1:222222222222:hat/h"};
  EXPECT_TRUE(door->guards().excepted(mandate).value());
}

// An EC2 resource has tags in its own region alone.
TEST_F(GuardsTest, tags_are_asked_where_the_resource_is) {
  const std::string arn = "arn:aws:shop:eu-west-1:222222222222:hat/h";
  shop.tag(arn, "keep", "yes");
  shop.settle(arn, "222222222222", "eu-west-1");
  mandate.resources = {arn};
  give();
  EXPECT_EQ(code(put("h", "blue")), "made");
  set("all", "owned", "ask");
  set("all", "owner_tags", json::Array{"keep"});
  EXPECT_EQ(code(put("h", "blue")), "OwnedElsewhere");
  ASSERT_EQ(except(form({{"Tags", Object{{"keep", "*"}}}})), "added");
  EXPECT_EQ(code(put("h", "blue")), "ResourceExcepted");
  EXPECT_TRUE(door->guards().excepted(mandate).value());
  // An ARN without account and region is looked for where it is changed.
  shop.tag("arn:aws:shop:::hat/other", "keep", "yes");
  shop.settle("arn:aws:shop:::hat/other", "333333333333", "us-east-1");
  mandate.resources = {};
  give();
  EXPECT_EQ(code(put("other", "blue")), "made");
  EXPECT_EQ(code(call_in("333333333333", "PutHat", {{"Id", "other"}, {"Colour", "blue"}})), "ResourceExcepted");
}

TEST_F(GuardsTest, both_accounts_count_a_change_from_one_in_the_other) {
  const std::string there = "222222222222";
  const auto elsewhere = [&](const std::string& id) {
    return call_in(there, "PutHat", {{"Id", id}, {"Colour", "blue"}});
  };
  set("account:222222222222", "cap_resources", 1);
  EXPECT_EQ(code(elsewhere("a")), "made");
  const auto refused = elsewhere("b");
  ASSERT_EQ(code(refused), "CapReached");
  EXPECT_THAT(refused.error().message, HasSubstr("may change 1 resources an hour in account 222222222222."));
  EXPECT_EQ(door->refused_by_cap("e").value()->limit, 1);
  // What the one refused the other has not counted.
  EXPECT_THAT(door->guards().cap(mandate).value().touched, ElementsAre("arn:aws:shop:::hat/a"));
  EXPECT_THAT(door->guards().cap(mandate).value().refused, IsEmpty());
  EXPECT_EQ(code(put("b", "blue")), "made");
  set("account:111111111111", "cap_resources", 2);
  set("account:222222222222", "cap_resources", 5);
  EXPECT_EQ(code(elsewhere("c")), "CapReached");
  // The number that is listed is of the mandate's account.
  set("account:111111111111", "cap_resources", Value());
  set("account:222222222222", "cap_percent", 50);
  mandate.population = 100;
  mandate.decided_by = "ann";
  give();
  EXPECT_THAT(elsewhere("c").error().message, HasSubstr("nobody knows of how many"));
  set("account:222222222222", "cap_population", 4);
  EXPECT_EQ(code(elsewhere("c")), "made");
  // The same name there is of another thing.
  EXPECT_EQ(code(call("WashHats", {{"HatIds", json::Array{"x"}}})), "made");
  set("account:222222222222", "cap_percent", Value());
  EXPECT_EQ(code(call_in(there, "WashHats", {{"HatIds", json::Array{"x"}}})), "made");
  EXPECT_EQ(door->guards().cap(mandate).value().touched.size(), 5U);
}

TEST_F(GuardsTest, the_kill_switch_refuses_what_is_no_scope_and_a_freeze_without_a_reason) {
  const auto freezing = [&](const std::string& scope, const std::string& because) {
    auto done = store->write([&](store::Transaction& tx) {
      return freeze(tx, {.scope = scope, .by = "ann", .because = because, .at_ms = 1});
    });
    return done ? std::string("frozen") : done.error().message;
  };
  EXPECT_THAT(freezing("everything", "x"),
              HasSubstr("'everything' is no scope; there are all, account:ID and control:ID"));
  EXPECT_THAT(freezing("account:1", "x"), HasSubstr("'1' is no account id: it has 12 digits"));
  EXPECT_THAT(freezing("control:", "x"), HasSubstr("is no scope"));
  EXPECT_THAT(freezing("all", ""), HasSubstr("a freeze needs a reason"));
  auto none = store->write([](store::Transaction& tx) { return unfreeze(tx, "all"); });
  EXPECT_EQ(code(none), "ResourceNotFoundException");
}

TEST_F(GuardsTest, an_intent_of_an_earlier_life_is_not_made_while_frozen) {
  auto change =
      door->plan({mandate.account, mandate.region, "e", {}}, "shop", "PutHat", Object{{"Id", "h"}, {"Colour", "blue"}});
  ASSERT_TRUE(change);
  change->step = "s";
  ASSERT_TRUE(store->write([&](store::Transaction& tx) { return insert(tx, *change); }));
  freeze_it("all");
  EXPECT_EQ(code(call("PutHat", {{"Id", "h"}, {"Colour", "blue"}}, "s")), "ChangesFrozen");
  EXPECT_EQ(shop.colour("h"), "red");
}

TEST_F(GuardsTest, modes_hold_until_a_person_has_decided) {
  for (const auto& [mode, sentence] : {std::pair{"observe", "is in mode observe"}, {"ask", "nobody has approved"}}) {
    mandate.mode = mode;
    give();
    const auto refused = put("h", "blue");
    ASSERT_EQ(code(refused), "ModeForbidsChange") << mode;
    EXPECT_THAT(refused.error().message, HasSubstr(sentence));
  }
  mandate.decided_by = "ann";
  give();
  EXPECT_EQ(code(put("h", "blue")), "made");
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html: Sample, "Indicates whether the
// finding is a sample finding."
TEST_F(GuardsTest, nothing_is_changed_because_of_a_sample_whoever_decided) {
  mandate.findings = json::Array{Object{{"Id", "real"}}, Object{{"Id", "made up"}, {"Sample", true}}};
  mandate.mode = "auto";
  mandate.decided_by = "ann";
  give();
  const auto refused = put("h", "blue");
  ASSERT_EQ(code(refused), "SampleFinding");
  EXPECT_EQ(refused.error().message, "the finding 'made up' is a sample; nothing is changed because of it");
  EXPECT_EQ(shop.colour("h"), "red");
  mandate.findings = json::Array{Object{{"Id", "real"}, {"Sample", false}}};
  give();
  EXPECT_EQ(code(put("h", "blue")), "made");
}

TEST_F(GuardsTest, an_exception_holds_by_the_finding_until_it_expires) {
  ASSERT_EQ(except(form({{"Pattern", Object{{"Title", json::Array{Object{{"prefix", "A hat"}}}}}}})), "added");
  const auto refused = put("h", "blue");
  ASSERT_EQ(code(refused), "ResourceExcepted");
  EXPECT_EQ(refused.error().message, "excepted by ann until 2030-02-01T00:00:00.000Z: by design");
  EXPECT_TRUE(door->guards().excepted(mandate).value());
  clock.set_ms(parse_iso8601_ms("2030-02-01T00:00:00Z").value());
  EXPECT_FALSE(door->guards().excepted(mandate).value());
  EXPECT_EQ(code(put("h", "blue")), "made");
}

TEST_F(GuardsTest, an_exception_holds_by_tags_that_are_read_live) {
  ASSERT_EQ(except(form({{"Tags", Object{{"keep", "*"}, {"stage", "lab"}}}})), "added");
  EXPECT_EQ(code(put("h", "blue")), "made");
  shop.tag("arn:aws:shop:::hat/h", "keep", "anything");
  EXPECT_EQ(code(put("h", "red")), "made");
  shop.tag("arn:aws:shop:::hat/h", "stage", "lab");
  EXPECT_EQ(code(put("h", "blue")), "ResourceExcepted");
  // What a handler changes beside what its finding is about is held to it as well.
  shop.tag("arn:aws:shop:::hat/other", "keep", "x");
  shop.tag("arn:aws:shop:::hat/other", "stage", "lab");
  mandate.resources = {};
  give();
  EXPECT_EQ(code(put("other", "blue")), "ResourceExcepted");
}

TEST_F(GuardsTest, tags_that_cannot_be_told_stop_the_change) {
  ASSERT_EQ(except(form({{"Tags", Object{{"keep", "*"}}}, {"Scope", "control:hats"}})), "added");
  shop.tags_fail = true;
  const auto refused = put("h", "blue");
  EXPECT_EQ(code(refused), "AccessDeniedException");
  EXPECT_THAT(refused.error().message, HasSubstr("the tags of arn:aws:shop:::hat/h could not be told: not yours"));
  EXPECT_EQ(shop.colour("h"), "red");
}

TEST_F(GuardsTest, an_exception_of_another_scope_does_not_hold) {
  const Value pattern = Object{{"Title", json::Array{Object{{"prefix", "A hat"}}}}};
  ASSERT_EQ(except(form({{"Pattern", pattern}, {"Scope", "control:gloves"}})), "added");
  ASSERT_EQ(except(form({{"Pattern", pattern}, {"Scope", "account:222222222222"}})), "added");
  EXPECT_EQ(code(put("h", "blue")), "made");
}

TEST_F(GuardsTest, refuses_an_exception_that_says_too_little_or_what_is_wrong) {
  const Value pattern = Object{{"Title", json::Array{"x"}}};
  const auto without = [&](const char* member) {
    Value out = form({{"Pattern", pattern}});
    out.as_object().erase(member);
    return except(out);
  };
  EXPECT_THAT(without("Pattern"), HasSubstr("has to say what it is for: a pattern over the finding, tags"));
  EXPECT_THAT(without("Owner"), HasSubstr("needs an owner"));
  EXPECT_THAT(without("Reason"), HasSubstr("needs a reason"));
  EXPECT_THAT(without("ExpiresAt"), HasSubstr("needs an expiry"));
  EXPECT_THAT(except(form({{"Pattern", pattern}, {"ExpiresAt", "2029-01-01"}})), HasSubstr("which is past"));
  EXPECT_THAT(except(form({{"Pattern", pattern}, {"ExpiresAt", "soon"}})), HasSubstr("soon"));
  EXPECT_THAT(except(form({{"Pattern", Object{{"Title", "x"}}}})), HasSubstr("Event pattern is not valid"));
  EXPECT_THAT(except(form({{"Pattern", pattern}, {"Effect", "hide"}})),
              HasSubstr("'hide'; there are suppress and leave"));
  EXPECT_THAT(except(form({{"Tags", Object{{"keep", 1}}}})), HasSubstr("a tag 'keep' whose value is no text"));
  EXPECT_THAT(except(form({{"Pattern", pattern}, {"Scope", "hats"}})), HasSubstr("is no scope"));
  EXPECT_EQ(store->read([](store::Session& s) { return exceptions(s); }).value().size(), 0U);
}

TEST_F(GuardsTest, of_what_another_tool_owns_a_person_is_asked_where_it_is_set) {
  shop.tag("arn:aws:shop:::hat/h", "Managed-By", "Terraform");
  EXPECT_EQ(code(put("h", "blue")), "made");  // nothing is set
  set("all", "owned", "ask");
  const auto refused = put("h", "red");
  ASSERT_EQ(code(refused), "OwnedElsewhere");
  EXPECT_THAT(refused.error().message,
              HasSubstr("arn:aws:shop:::hat/h belongs to another tool by its tag managed-by=terraform"));
  set("control:hats", "owner_tags", json::Array{"pulumi"});
  EXPECT_EQ(code(put("h", "red")), "made");
  set("control:hats", "owner_tags", json::Array{"managed-by"});
  mandate.decided_by = "ann";
  give();
  EXPECT_EQ(code(put("h", "blue")), "made");
}

TEST_F(GuardsTest, what_cannot_be_undone_is_not_made_in_mode_auto_unless_it_is_allowed_by_name) {
  const auto refused = call("BurnHat", {{"Id", "h"}});
  ASSERT_EQ(code(refused), "IrreversibleChange");
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("CANNOT BE UNDONE: A burnt hat is gone."), HasSubstr("allow_irreversible")));
  EXPECT_EQ(code(call("EatHat", {{"Id", "h"}})), "IrreversibleChange");  // no recipe
  set("control:hats", "allow_irreversible", json::Array{"shop:EatHat"});
  EXPECT_EQ(code(call("BurnHat", {{"Id", "h"}})), "IrreversibleChange");
  set("control:hats", "allow_irreversible", json::Array{"shop:BurnHat"});
  EXPECT_EQ(code(call("BurnHat", {{"Id", "h"}})), "made");
  mandate.decided_by = "ann";
  give();
  EXPECT_EQ(code(call("EatHat", {{"Id", "h"}})), "made");
}

TEST_F(GuardsTest, outside_the_window_it_says_when_one_opens) {
  set("all", "windows", json::Array{"sat 22:00-04:00 Europe/Berlin"});
  const auto refused = put("h", "blue");
  ASSERT_EQ(code(refused), "MaintenanceWindowClosed");
  EXPECT_THAT(refused.error().message, HasSubstr("(sat 22:00-04:00 Europe/Berlin) opens at 2030-01-12T21:00:00.000Z"));
  EXPECT_EQ(door->guards().opens_at(mandate).value(), parse_iso8601_ms("2030-01-12T21:00:00Z").value());
  clock.set_ms(parse_iso8601_ms("2030-01-12T21:00:00Z").value());
  EXPECT_EQ(door->guards().opens_at(mandate).value(), 0);
  EXPECT_EQ(code(put("h", "blue")), "made");
}

// What is refused now could be set before: it is in the store of whoever set it.
TEST_F(GuardsTest, what_was_set_once_and_would_be_refused_now_stops_nothing_but_what_it_is_for) {
  const auto windows = [&](const std::string& text) {
    ASSERT_TRUE(store->write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO setting (scope, name, value) VALUES ('all', 'windows', ?) ON CONFLICT "
                     "(scope, name) DO UPDATE SET value = excluded.value",
                     {text}));
      tx.changes_kept();
      return {};
    }));
  };
  windows(R"(["wed 12:00-12:00 UTC"])");
  EXPECT_EQ(code(put("h", "blue")), "made");
  clock.advance_ms(24 * 3'600'000);
  EXPECT_EQ(code(put("h", "red")), "MaintenanceWindowClosed");
  EXPECT_EQ(door->guards().settings().find("hats", "111111111111").value().windows.size(), 1U);
  EXPECT_FALSE(Settings::check("all", "windows", json::Array{"wed 12:00-12:00 UTC"}));
  windows(R"(["daily 00:00-24:00 Mars/Base"])");
  const auto nowhere = put("h", "red");
  ASSERT_EQ(code(nowhere), "MaintenanceWindowClosed");
  EXPECT_THAT(nowhere.error().message, HasSubstr("this machine knows the time zone of none that is set"));
  EXPECT_EQ(door->guards().opens_at(mandate).value(), clock.now_ms() + 3'600'000);
  windows(R"([])");
  ASSERT_TRUE(store->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("INSERT INTO exception (id, expires_ms, document) VALUES ('x', ?, ?)",
                              {clock.now_ms() + 1000, json::print(Object{{"Scope", "all"},
                                                                         {"Tags", Object{{"", "x"}}},
                                                                         {"Owner", "ann"},
                                                                         {"Reason", "by design"},
                                                                         {"CreatedAt", "2030-01-01T00:00:00Z"}})}));
    tx.changes_kept();
    return {};
  }));
  EXPECT_EQ(code(put("h", "red")), "made");
}

TEST_F(GuardsTest, the_cap_is_25_resources_an_hour_and_names_all_that_would_have_been_touched) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_EQ(code(put("hat" + std::to_string(i), "blue")), "made");
    clock.advance_ms(1000);
  }
  EXPECT_EQ(code(put("hat0", "green")), "made");  // touched already: no further resource
  const auto first = put("more1", "blue");
  ASSERT_EQ(code(first), "CapReached");
  const auto second = put("more2", "blue");
  ASSERT_EQ(code(second), "CapReached");
  EXPECT_THAT(second.error().message,
              HasSubstr("hats may change 25 resources an hour in account 111111111111. Changed within the last hour "
                        "(25): arn:aws:shop:::hat/hat0, arn:aws:shop:::hat/hat1, "));
  EXPECT_THAT(second.error().message, HasSubstr("Refused (2): arn:aws:shop:::hat/more1, arn:aws:shop:::hat/more2."));
  EXPECT_EQ(shop.colour("more1"), "none");
  const auto state = door->guards().cap(mandate).value();
  EXPECT_EQ(state.touched.size(), 25U);
  EXPECT_THAT(state.refused, ElementsAre("arn:aws:shop:::hat/more1", "arn:aws:shop:::hat/more2"));
  // Another control, and another account, have caps of their own.
  mandate.program = "gloves";
  give();
  EXPECT_EQ(code(put("more1", "blue")), "made");
  mandate.program = "hats";
  mandate.account = "222222222222";
  give();
  EXPECT_EQ(code(put("more2", "blue")), "made");
}

// An import that refuses thousands does not write all of them with each: the lists are in the store once.
TEST_F(GuardsTest, of_many_that_the_cap_refused_the_sentence_names_the_first_and_the_store_has_all) {
  set("all", "cap_resources", 0);
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(code(put("hat" + std::to_string(i), "blue")), "CapReached");
    clock.advance_ms(1000);
  }
  const auto last = put("hat60", "blue");
  ASSERT_EQ(code(last), "CapReached");
  EXPECT_THAT(last.error().message, AllOf(HasSubstr("Changed within the last hour (0): none. Refused (61): "),
                                          HasSubstr("hat24 and 36 more.")));
  EXPECT_LT(last.error().message.size(), 1200U);
  // Somebody else's refusals later are not of it.
  mandate.execution = "later";
  give();
  clock.advance_ms(1000);
  ASSERT_EQ(code(put("hat61", "blue")), "CapReached");
  const auto whole = door->refused_by_cap("e").value();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->refused.size(), 61U);
  EXPECT_EQ(whole->refused.back(), "arn:aws:shop:::hat/hat60");
  EXPECT_EQ(whole->limit, 0);
  clock.advance_ms(29 * 24 * TimeMs{3'600'000});
  EXPECT_EQ(door->refused_by_cap("e").value()->refused.size(), 61U);
  const auto records = door->audit().after(0, 200).value();
  ASSERT_EQ(records.size(), 62U);
  for (const auto& record : records) EXPECT_LT(json::print(record.about).size(), 2000U);
  EXPECT_FALSE(door->refused_by_cap("nobody").value());
}

TEST_F(GuardsTest, a_resource_no_longer_counts_after_an_hour) {
  set("all", "cap_resources", 1);
  ASSERT_EQ(code(put("a", "blue")), "made");
  clock.advance_ms(3'600'000 - 1);
  EXPECT_EQ(code(put("b", "blue")), "CapReached");
  clock.advance_ms(1);
  EXPECT_EQ(code(put("b", "blue")), "made");
}

TEST_F(GuardsTest, a_cap_of_none_lets_nothing_through) {
  ASSERT_EQ(code(put("h", "blue")), "made");
  set("all", "cap_resources", 0);
  EXPECT_EQ(code(put("h", "red")), "CapReached");
}

TEST_F(GuardsTest, a_percentage_is_taken_of_what_the_control_lists_and_fails_closed_where_nobody_knows) {
  set("all", "cap_percent", 10);
  const auto unknown = put("a", "blue");
  ASSERT_EQ(code(unknown), "CapReached");
  EXPECT_THAT(unknown.error().message,
              HasSubstr("at most 10 % of the resources may be changed in an hour, and nobody knows of how many"));
  EXPECT_THAT(unknown.error().message,
              HasSubstr("Set cap_population to how many there are ('fixpoint settings cap_population NUMBER --control "
                        "hats'), or cap_resources instead of cap_percent"));
  // Where nothing lists them it is taken of the number that is set; a list is believed before it.
  set("control:hats", "cap_population", 10);
  EXPECT_THAT(door->guards().cap(mandate).value().limit_words, testing::StartsWith("10 % of 10 resources an hour"));
  mandate.population = 29;  // 10 % are 2
  give();
  EXPECT_EQ(code(put("a", "blue")), "made");
  EXPECT_EQ(code(put("b", "blue")), "made");
  const auto third = put("c", "blue");
  ASSERT_EQ(code(third), "CapReached");
  EXPECT_THAT(third.error().message, HasSubstr("may change 10 % of 29 resources an hour, which is 2"));
}

// A call that names many is many.
TEST_F(GuardsTest, counts_every_resource_that_a_call_names) {
  mandate.decided_by = "ann";
  give();
  set("all", "cap_resources", 2);
  EXPECT_EQ(code(call("WashHats", {{"HatIds", json::Array{"a", "b", "c"}}})), "CapReached");
  EXPECT_EQ(code(call("WashHats", {{"HatIds", json::Array{"a", "b"}}})), "made");
  EXPECT_THAT(door->guards().cap(mandate).value().touched, ElementsAre("shop:a", "shop:b"));
}

TEST_F(GuardsTest, executions_beside_each_other_cannot_overshoot_the_cap) {
  set("all", "cap_resources", 5);
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        if (door->call({mandate.account, mandate.region, "e", {}}, id, "shop", "PutHat",
                       Object{{"Id", id}, {"Colour", "blue"}}))
          ++made;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 5);
  EXPECT_EQ(shop.changing_calls().size(), 5U);
  EXPECT_EQ(door->guards().cap(mandate).value().touched.size(), 5U);
}

TEST_F(GuardsTest, of_settings_the_narrowest_wins_and_taking_one_away_gives_the_next) {
  set("all", "cap_resources", 10);
  set("account:111111111111", "cap_resources", 20);
  set("control:hats", "cap_resources", 30);
  const auto cap = [&] { return door->guards().settings().find("hats", "111111111111").value().cap_resources; };
  EXPECT_EQ(cap(), 30);
  set("control:hats", "cap_resources", Value());
  EXPECT_EQ(cap(), 20);
  set("account:111111111111", "cap_resources", Value());
  EXPECT_EQ(cap(), 10);
  set("all", "cap_resources", Value());
  EXPECT_EQ(cap(), 25);
}

TEST_F(GuardsTest, refuses_settings_that_are_none) {
  const struct {
    const char* scope;
    const char* name;
    Value value;
    const char* sentence;
  } faults[] = {
      {"all", "cap", 1,
       "'cap' is no setting; there are allow_irreversible, cap_percent, cap_population, cap_resources, four_eyes, "
       "owned"},
      {"some", "cap_resources", 1, "'some' is no scope"},
      {"all", "cap_resources", -1, "has to be a whole number of resources, from 0, not -1"},
      {"all", "cap_resources", 1.5, "has to be a whole number"},
      {"all", "cap_resources", "5", "has to be a whole number"},
      {"all", "cap_percent", 101, "has to be a number from 0 to 100"},
      {"all", "cap_population", 0, "has to be a whole number of resources, from 1, not 0"},
      {"all", "cap_population", "many", "has to be a whole number of resources, from 1"},
      {"all", "windows", "daily", "has to be a list of windows"},
      {"all", "windows", json::Array{"daily"}, "is no maintenance window"},
      {"all", "allow_irreversible", json::Array{"BurnHat"}, "'BurnHat' names no call"},
      {"all", "owned", "leave", "has to be \"ask\" or \"change\""},
      {"all", "owner_tags", json::Array{1}, "has to be a list of tags"},
      {"all", "four_eyes", "yes", "has to be true or false"},
  };
  for (const auto& fault : faults) {
    const auto refused = Settings::check(fault.scope, fault.name, fault.value);
    ASSERT_FALSE(refused) << fault.sentence;
    EXPECT_THAT(refused.error().message, HasSubstr(fault.sentence));
  }
}

TEST_F(GuardsTest, a_refusal_is_in_the_audit_log_and_a_change_from_its_intent_to_its_end) {
  ASSERT_EQ(code(put("h", "blue")), "made");
  freeze_it("all");
  ASSERT_EQ(code(put("h", "red")), "ChangesFrozen");
  std::vector<std::string> kinds;
  const auto records = door->audit().after(0, 100).value();
  for (const auto& record : records) kinds.push_back(record.kind);
  EXPECT_THAT(kinds, ElementsAre("change.intended", "change.made", "change.refused"));
}

const std::string function_f = "arn:aws:lambda:us-east-1:111111111111:function:f";
// By whatever name a call, a target or an older version's mandate has it.
const std::vector<std::string> names_of_f{function_f,
                                          function_f + ":$LATEST",
                                          function_f + ":1",
                                          function_f + ":live",
                                          "arn:aws-cn:lambda:us-east-1:111111111111:function:f",
                                          "arn:awsome:lambda:us-east-1:111111111111:function:f:1"};

TEST(OwnScope, a_function_and_a_rule_have_one_name_each) {
  for (const auto& name : names_of_f) {
    EXPECT_EQ(own_program(name), function_f);
    EXPECT_EQ(own_scope("control:" + name), "control:" + function_f);
    EXPECT_EQ(scopes_of(name, "111111111111")[0], "control:" + function_f);
  }
  EXPECT_EQ(own_program("arn:aws:lambda:cn-north-1:111111111111:function:f:1"),
            "arn:aws-cn:lambda:cn-north-1:111111111111:function:f");
  for (const auto* other : {"S3.4", "hats", "", "arn:aws:s3:::bucket", "arn:aws:lambda:us-east-1:1:layer:f:1", "arn:x"})
    EXPECT_EQ(own_program(other), other);
  const std::string rule = "rule:arn:aws:events:us-east-1:111111111111:rule/";
  EXPECT_EQ(own_scope(rule + "fix"), rule + "fix");
  EXPECT_EQ(own_scope(rule + "default/fix"), rule + "fix");
  EXPECT_EQ(own_scope(rule + "other/fix"), rule + "other/fix");
  EXPECT_EQ(own_scope("rule:arn:aws-cn:events:us-east-1:111111111111:rule/fix"), rule + "fix");
  for (const auto* other : {"all", "account:111111111111", "rule:", "rule:arn:rule", "control:S3.4"})
    EXPECT_EQ(own_scope(other), other);
}

// A run by a qualifier, or in another partition, was held to nothing that was set for the function.
TEST_F(GuardsTest, what_is_set_for_a_function_holds_by_whatever_name_it_is_called) {
  const std::string scope = "control:" + function_f;
  for (const auto& name : names_of_f) {
    SCOPED_TRACE(name);
    mandate.program = name;
    give();
    freeze_it(scope);
    EXPECT_EQ(code(put("h", "blue")), "ChangesFrozen");
    ASSERT_TRUE(store->write([&](store::Transaction& tx) { return unfreeze(tx, "control:" + name); }));
    set(scope, "windows", json::Array{"sat 22:00-04:00 UTC"});
    EXPECT_EQ(code(put("h", "blue")), "MaintenanceWindowClosed");
    set("control:" + name, "windows", Value());
    set(scope, "cap_resources", 0);
    EXPECT_EQ(code(put("h", "blue")), "CapReached");
    set("control:" + name, "cap_resources", Value());
    set("control:" + name, "four_eyes", true);
    EXPECT_TRUE(door->guards().four_eyes(mandate, {}).value());
    set(scope, "four_eyes", Value());
    EXPECT_FALSE(door->guards().four_eyes(mandate, {}).value());
  }
  mandate.program = function_f + ":1";
  give();
  EXPECT_EQ(code(put("h", "blue")), "made");
  EXPECT_EQ(door->mandates().find("e").value()->program, function_f);
  ASSERT_EQ(except(form({{"Pattern", Object{{"Id", json::Array{"f"}}}}, {"Scope", scope + ":$LATEST"}})), "added");
  EXPECT_EQ(code(put("h", "blue")), "ResourceExcepted");
}

TEST_F(GuardsTest, versions_of_a_function_have_one_cap_together) {
  set("control:" + function_f, "cap_resources", 2);
  for (const auto& [name, hat, wanted] : {std::tuple{names_of_f[1], "a", "made"},
                                          {names_of_f[2], "b", "made"},
                                          {names_of_f[5], "c", "CapReached"},
                                          {names_of_f[0], "d", "CapReached"}}) {
    mandate.program = name;
    give();
    EXPECT_EQ(code(put(hat, "blue")), wanted) << name;
  }
}

// As earlier versions stored it.
TEST_F(GuardsTest, what_was_set_for_a_version_of_a_function_holds_for_the_function_where_it_is_stricter) {
  const auto sql = [&](const std::string& statement, const store::Params& params) {
    const auto done = store->write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute(statement, params));
      tx.changes_kept();
      return {};
    });
    ASSERT_TRUE(done) << describe(done.error());
  };
  const auto stored = [&](const std::string& name, const std::string& value) {
    sql("INSERT INTO setting (scope, name, value) VALUES (?, ?, ?)", {"control:" + names_of_f[2], name, value});
  };
  const auto rules = [&] {
    const auto kept = door->guards().settings().find(names_of_f[2], "111111111111").value();
    const auto in_tx =
        store->read([](store::Session& s) { return Settings::find(s, function_f, "111111111111"); }).value();
    EXPECT_EQ(to_json(kept), to_json(in_tx));
    return kept;
  };
  set("control:" + function_f, "cap_resources", 10);
  set("all", "allow_irreversible", json::Array{"shop:BurnHat"});
  set("all", "windows", json::Array{"wed 11:00-13:00 UTC"});
  stored("cap_resources", "1000");
  stored("cap_percent", "5");
  stored("allow_irreversible", R"(["shop:DyeHat"])");
  stored("windows", R"(["sat 22:00-04:00 UTC"])");
  stored("four_eyes", "true");
  EXPECT_EQ(rules().cap_resources, 10);
  EXPECT_EQ(rules().cap_percent, 5.0);
  EXPECT_THAT(rules().allow_irreversible, IsEmpty());
  EXPECT_TRUE(rules().four_eyes);
  EXPECT_EQ(json::print(to_json(rules())["more_windows"]), R"([["sat 22:00-04:00 UTC"]])");
  mandate.program = function_f;
  give();
  EXPECT_EQ(code(put("h", "blue")), "MaintenanceWindowClosed");
  EXPECT_EQ(rules().owned_asks, false);
  // It is taken away, or set anew, by the function's own name.
  set("control:" + function_f, "windows", Value());
  set("control:" + function_f, "cap_percent", Value());
  set("control:" + function_f, "four_eyes", false);
  EXPECT_FALSE(rules().four_eyes);
  EXPECT_EQ(code(put("h", "blue")), "made");
  sql("INSERT INTO kill_switch (scope, by_whom, because, at_ms) VALUES (?, 'ann', 'x', 1)",
      {"control:" + names_of_f[2]});
  EXPECT_EQ(code(put("h", "red")), "ChangesFrozen");
  ASSERT_TRUE(store->write([](store::Transaction& tx) { return unfreeze(tx, "control:" + function_f); }));
  EXPECT_EQ(code(put("h", "red")), "made");
}

TEST_F(GuardsTest, what_an_earlier_version_counted_for_a_version_of_a_function_counts_for_the_function) {
  test::TempDir folder;
  store::Schema schema = Door::schema();
  store::Schema earlier = schema;
  earlier.steps.resize(3);
  {
    auto old = store::Store::open(test::store_options(folder.string()), {earlier}).value();
    ASSERT_TRUE(old->write([&](store::Transaction& tx) -> Result<void> {
      for (const std::string& program : {names_of_f[1], names_of_f[2], function_f, std::string("S3.4")})
        FIXPOINT_CHECK(
            tx.execute("INSERT INTO touched (program, account, resource, refused, at_ms, execution) VALUES "
                       "(?, '111111111111', ?, 0, 1, 'e')",
                       {program, program}));
      return {};
    }));
  }
  auto now = store::Store::open(test::store_options(folder.string()), {schema}).value();
  const auto counted =
      now->read([](store::Session& session) { return touched_before(session, function_f, "111111111111", 2); }).value();
  EXPECT_THAT(counted.touched, ElementsAre(names_of_f[1], names_of_f[2], function_f));
}

}  // namespace
}  // namespace fixpoint::changes
