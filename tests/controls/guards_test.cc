// A declared control under the guards of the door: dry runs, plans, exceptions, windows, caps, ownership.
#include <gmock/gmock.h>

#include "controls/account.h"

namespace fixpoint::controls {
namespace {

using json::Object;
using json::Value;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const Object decided{{"Decided", true}};

void set(Account& account, const std::string& scope, const std::string& name, const Value& value) {
  ASSERT_TRUE(
      account.store->write([&](store::Transaction& tx) { return changes::Settings::set(tx, scope, name, value); }));
}

std::size_t changing(Account& account) {
  std::size_t count = 0;
  for (const auto& call : account.ear->calls()) {
    const auto names = changes::split_call(call).value();
    if (!account.recipes.reads(names.first, names.second)) ++count;
  }
  return count;
}

TEST(Guarded, a_dry_run_of_every_control_here_makes_no_changing_call_and_writes_no_finding) {
  for (const auto* control : {"S3.4", "EC2.13", "CloudTrail.3", "KMS.4"}) {
    SCOPED_TRACE(control);
    Account account;
    const Value finding = account.scene(control);
    const auto state = account.look(control).state;
    const auto planned = account.run(control, finding, {{"DryRun", true}});
    EXPECT_EQ(planned.outcome, "planned");
    EXPECT_EQ(changing(account), 0U);
    EXPECT_GT(account.ear->calls().size(), 0U);
    EXPECT_EQ(account.look(control).state, state);
    EXPECT_EQ(account.updates(finding), 0);
    EXPECT_TRUE(planned.result["CompliantAfterwards"].bool_or(false)) << json::print(planned.result);
    EXPECT_EQ(planned.result["Plan"]["Changes"].size(), 1U);
  }
}

TEST(Guarded, a_plan_that_was_looked_at_is_made_as_it_was) {
  Account account;
  const Value finding = account.scene("S3.4");
  const std::string hash(account.run("S3.4", finding, {{"DryRun", true}}).result["Plan"]["Hash"].string_or(""));
  const auto fixed = account.run("S3.4", finding, {{"Decided", true}, {"Plan", hash}});
  EXPECT_EQ(fixed.outcome, "fixed");
  EXPECT_EQ(fixed.result["Plan"]["Hash"].string_or(""), hash);
}

TEST(Guarded, a_plan_that_moved_is_said_and_asked_for_anew) {
  Account account;
  const Value finding = account.scene("EC2.13");
  const std::string hash(account.run("EC2.13", finding, {{"DryRun", true}}).result["Plan"]["Hash"].string_or(""));
  const Object world{{"IpProtocol", "tcp"},
                     {"FromPort", 20},
                     {"ToPort", 25},
                     {"IpRanges", json::Array{Value(Object{{"CidrIp", "0.0.0.0/0"}})}}};
  account.call(
      "ec2", "AuthorizeSecurityGroupIngress",
      Object{{"GroupId", account.arn.substr(account.arn.rfind('/') + 1)}, {"IpPermissions", json::Array{world}}});
  const std::string id = account.launch("EC2.13", finding, {{"Decided", true}, {"Plan", hash}});
  const auto waiting = account.asks(id, "is no longer what would be done");
  EXPECT_EQ(waiting.outcome, "waits for approval");
  EXPECT_NE(waiting.cursor["hash"].string_or(""), hash);
  EXPECT_TRUE(account.changes_of(id).empty());
}

TEST(Guarded, an_exception_suppresses_the_finding_or_leaves_it) {
  for (const auto& [effect, status] : {std::pair{"suppress", "SUPPRESSED"}, {"leave", "NEW"}}) {
    Account account;
    const Value finding = account.scene("S3.4");
    const Value form = Object{{"Pattern", Object{{"Resources", Object{{"Type", json::Array{"AwsS3Bucket"}}}}}},
                              {"Owner", "ann"},
                              {"Reason", "public by design"},
                              {"ExpiresAt", "2033-01-01"},
                              {"Effect", effect}};
    const auto exception = changes::exception_of(form, account.clock.now_ms());
    ASSERT_TRUE(exception);
    ASSERT_TRUE(account.store->write([&](store::Transaction& tx) { return changes::add(tx, *exception); }));
    const auto run = account.run("S3.4", finding, decided);
    EXPECT_EQ(run.outcome, "excepted");
    EXPECT_EQ(account.status(finding), status);
    EXPECT_THAT(account.note(finding), AllOf(HasSubstr("public by design"), HasSubstr("2033-01-01")));
    EXPECT_TRUE(account.ear->calls().empty());
  }
}

TEST(Guarded, what_is_gone_has_no_tags_that_an_exception_could_go_by) {
  Account account;
  const Value finding = account.scene("S3.4");
  const auto exception = changes::exception_of(
      Object{{"Tags", Object{{"keep", "yes"}}}, {"Owner", "ann"}, {"Reason", "kept"}, {"ExpiresAt", "2033-01-01"}},
      account.clock.now_ms());
  ASSERT_TRUE(exception) << describe(exception.error());
  ASSERT_TRUE(account.store->write([&](store::Transaction& tx) { return changes::add(tx, *exception); }));
  account.call("s3", "DeleteBucket", Object{{"Bucket", account.arn.substr(13)}});
  EXPECT_EQ(account.run("S3.4", finding, decided).outcome, "gone");
}

TEST(Guarded, waits_for_its_window_and_goes_on_when_it_opens) {
  Account account;  // 2023-11-14T22:13:20Z, a Tuesday
  const Value finding = account.scene("S3.4");
  set(account, "control:S3.4", "windows", json::Array{"wed 01:00-02:00 Europe/Berlin"});
  const std::string id = account.launch("S3.4", finding, decided);
  const auto waiting = account.asks(id, "opens at 2023-11-15T00:00:00.000Z");
  EXPECT_EQ(waiting.outcome, "waits for the window");
  EXPECT_EQ(waiting.wake_ms, parse_iso8601_ms("2023-11-15T00:00:00Z").value());
  EXPECT_FALSE(account.look("S3.4").compliant);
  EXPECT_EQ(account.ended(id).outcome, "fixed");  // moves the clock there
  EXPECT_GE(account.clock.now_ms(), waiting.wake_ms);
}

// It had said "waits for approval ... 'fixpoint approve ID'" until the window opened.
TEST(Guarded, that_is_approved_says_that_it_waits_for_its_window) {
  Account account;  // 2023-11-14T22:13:20Z, a Tuesday
  const Value finding = account.scene("S3.4");
  set(account, "control:S3.4", "windows", json::Array{"wed 01:00-02:00 Europe/Berlin"});
  const std::string id = account.launch("S3.4", finding);
  account.asks(id, "waits for approval");
  EXPECT_THAT(account.note(finding), HasSubstr("'fixpoint approve " + id + "'"));
  ASSERT_TRUE(account.answer(id, true, "ann"));
  account.asks(id, "opens at 2023-11-15T00:00:00.000Z");
  EXPECT_THAT(account.note(finding),
              AllOf(HasSubstr("waits for its maintenance window, which opens at 2023-11-15T00:00:00.000Z (decided by "
                              "ann). Planned: s3:PutBucketEncryption"),
                    HasSubstr("'fixpoint reject " + id + "'"), Not(HasSubstr("approve "))));
  EXPECT_EQ(account.status(finding), "NOTIFIED");
  EXPECT_EQ(account.ended(id).outcome, "fixed");
  EXPECT_THAT(account.note(finding), StartsWith("Fixed and verified by control S3.4"));
}

TEST(Guarded, is_called_off_while_it_waits_for_its_window) {
  for (const bool asks : {true, false}) {
    SCOPED_TRACE(asks ? "approved" : "nobody was asked");
    Account account;
    const Value finding = account.scene("S3.4");
    set(account, "control:S3.4", "windows", json::Array{"wed 01:00-02:00 Europe/Berlin"});
    const std::string id = account.launch("S3.4", finding, asks ? Object() : decided);
    if (asks) {
      account.asks(id, "waits for approval");
      ASSERT_TRUE(account.answer(id, true, "ann"));
    }
    const auto waiting = account.asks(id, "opens at 2023-11-15T00:00:00.000Z");
    EXPECT_EQ(account.answer(id, true, "bob").error().code, "ResourceConflictException");
    const std::string hash(waiting.cursor["hash"].string_or(""));
    const auto reject = [&](const std::string& plan, const std::string& by_execution) {
      return account.approvals->answer({.execution = id,
                                        .plan_hash = plan,
                                        .approved = false,
                                        .by = "bob",
                                        .by_execution = by_execution,
                                        .because = "not this week"});
    };
    EXPECT_THAT(reject(std::string(64, 'f'), "").error().message, HasSubstr("but the plan " + hash + " waits"));
    EXPECT_EQ(reject(hash, "an-execution").error().code, "AccessDeniedException");
    const auto rejected = reject(hash.substr(0, 12), "");
    ASSERT_TRUE(rejected) << describe(rejected.error());
    EXPECT_EQ(rejected->state, "REJECTED");
    EXPECT_EQ(rejected->plan_hash, hash);
    const auto end = account.ended(id);
    EXPECT_EQ(end.outcome, "rejected");
    EXPECT_LT(account.clock.now_ms(), waiting.wake_ms);
    EXPECT_THAT(account.note(finding),
                HasSubstr("rejected by bob while it waited for its maintenance window, who said: "
                          "not this week. Nothing was changed."));
    EXPECT_EQ(account.status(finding), "NOTIFIED");
    EXPECT_FALSE(account.look("S3.4").compliant);
    // The audit log has what is told.
    const auto told = account.told();
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back().kind, "Approval Answered");
    EXPECT_EQ(told.back().detail["State"].string_or(""), "REJECTED");
    EXPECT_EQ(told.back().detail["AnsweredBy"].string_or(""), "bob");
    // Who approved stays on record.
    const auto all = account.approvals->of(id).value();
    ASSERT_EQ(all.size(), asks ? 2U : 1U);
    if (asks) EXPECT_EQ(all[1].answered_by, "ann");
    EXPECT_EQ(reject(hash, "").error().code, "ResourceConflictException");
  }
}

TEST(Guarded, a_cap_stops_it_with_the_list_and_the_finding_says_so) {
  Account account;
  const Value finding = account.scene("S3.4");
  set(account, "all", "cap_resources", 0);
  const auto run = account.run("S3.4", finding, decided);
  EXPECT_EQ(run.outcome, "stopped");
  EXPECT_EQ(run.status, "FAILED");
  EXPECT_EQ(account.status(finding), "NOTIFIED");
  EXPECT_THAT(std::string(run.result["Message"].string_or("")), HasSubstr("Refused (1): " + account.arn));
  EXPECT_FALSE(account.look("S3.4").compliant);
}

TEST(Guarded, a_percentage_is_of_what_the_control_lists) {
  Account account;
  const Value finding = account.scene("S3.4");
  set(account, "all", "cap_percent", 50);  // of one bucket: none
  const auto run = account.run("S3.4", finding, decided);
  EXPECT_EQ(run.outcome, "stopped");
  EXPECT_THAT(std::string(run.result["Message"].string_or("")), HasSubstr("50 % of 1 resources an hour, which is 0"));
  account.call("s3", "CreateBucket", Object{{"Bucket", "another-bucket"}});
  EXPECT_EQ(account.run("S3.4", finding, decided).outcome, "fixed");
}

TEST(Guarded, in_mode_auto_a_person_is_asked_about_what_another_tool_owns) {
  Account account;
  const Value finding = account.scene("S3.4");
  ASSERT_TRUE(account.modes->set("all", Mode::Auto));
  set(account, "all", "owned", "ask");
  account.call(
      "s3", "PutBucketTagging",
      Object{{"Bucket", account.arn.substr(account.arn.rfind(':') + 1)},
             {"Tagging", Object{{"TagSet", json::Array{Object{{"Key", "ManagedBy"}, {"Value", "terraform"}}}}}}});
  const std::string id = account.launch("S3.4", finding);
  EXPECT_EQ(account.asks(id, "belongs to another tool by its tag managedby=terraform").outcome, "waits for approval");
  ASSERT_TRUE(account.approvals->answer(
      {.execution = id, .plan_hash = {}, .approved = true, .by = "ann", .by_execution = {}, .because = {}}));
  EXPECT_EQ(account.ended(id).outcome, "fixed");
}

TEST(Guarded, with_four_eyes_who_chose_it_does_not_approve_it) {
  Account account;
  const Value finding = account.scene("S3.4");
  set(account, "all", "four_eyes", true);
  const std::string id = account.launch("S3.4", finding, {{"Decided", true}, {"By", "ann"}});
  account.asks(id, "waits for approval");
  const auto answer = [&](const std::string& by) {
    return account.approvals->answer(
        {.execution = id, .plan_hash = {}, .approved = true, .by = by, .by_execution = {}, .because = {}});
  };
  EXPECT_EQ(answer("ann").error().code, "AccessDeniedException");
  ASSERT_TRUE(answer("bob"));
  EXPECT_EQ(account.ended(id).outcome, "fixed");
}

TEST(Guarded, four_eyes_that_are_set_while_it_waits_hold_for_its_approval) {
  Account account;
  ASSERT_TRUE(account.modes->set("all", Mode::Ask));
  const Value finding = account.scene("S3.4");
  const std::string id = account.launch("S3.4", finding, {{"By", "ann"}});
  account.asks(id, "waits for approval");
  const auto answer = [&](const std::string& by) {
    return account.approvals->answer(
        {.execution = id, .plan_hash = {}, .approved = true, .by = by, .by_execution = {}, .because = {}});
  };
  set(account, "account:222222222222", "four_eyes", false);
  set(account, "control:S3.4", "four_eyes", true);
  EXPECT_EQ(answer("ann").error().code, "AccessDeniedException");
  ASSERT_TRUE(answer("bob"));
  EXPECT_EQ(account.ended(id).outcome, "fixed");
}

}  // namespace
}  // namespace fixpoint::controls
