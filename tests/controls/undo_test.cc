#include "controls/undo.h"

#include <gmock/gmock.h>

#include "controls/account.h"

namespace fixpoint::controls {
namespace {

using json::Object;
using json::Value;
using testing::HasSubstr;
using testing::StartsWith;

const Object decided{{"Decided", true}};

/// An account whose executions can be taken back.
class UndoTest : public testing::Test {
 protected:
  UndoTest() {
    program_ = std::make_unique<Undo>(
        *account.door, *account.approvals, account.clock,
        [this](store::Transaction& tx, const Value& finding, const std::string& execution, const std::string& status,
               const std::string& note) -> Result<void> {
          FIXPOINT_CHECK(
              account.findings->update(tx, findings::key_of(finding),
                                       Object{{"Note", Object{{"Text", note}, {"UpdatedBy", "fixpoint"}}},
                                              {"Workflow", Object{{"Status", status}}},
                                              {"UserDefinedFields", Object{{"fixpoint:execution", execution}}}},
                                       "fixpoint"));
          return {};
        },
        Undo::Options{});
    account.executor->add_program("undo", *program_);
  }
  ~UndoTest() override { account.executor->stop(); }
  std::string launch(const std::string& target) {
    return Account::must(account.executor->launch({.name = "undo-" + std::to_string(++runs_),
                                                   .kind = "undo",
                                                   .program = "S3.4",
                                                   .account = account.caller.account,
                                                   .region = account.caller.region,
                                                   .subject = {},
                                                   .input = Object{{"Execution", target}, {"By", "ann"}}}))
        .id;
  }
  struct Made {
    std::string account;
    std::string service;
    std::string operation;
    Value input;
  };
  /// As a handler of the caller's account makes them, in whose account it gets by roles; the execution's id.
  std::string handler(const std::vector<Made>& calls) {
    changes::Mandate mandate;
    mandate.execution = "handler-" + std::to_string(++runs_);
    mandate.kind = "function";
    mandate.program = "arn:aws:lambda:us-east-1:111111111111:function:mend";
    mandate.account = account.caller.account;
    mandate.region = account.caller.region;
    mandate.mode = "auto";
    if (!account.door->mandates().put(mandate)) throw std::runtime_error("no mandate");
    for (const Made& made : calls)
      Account::must(account.door->call({made.account, account.caller.region, mandate.execution, {}},
                                       "call-" + std::to_string(++runs_), made.service, made.operation, made.input));
    return mandate.execution;
  }
  executions::Execution undo(const std::string& target) { return account.ended(launch(target)); }
  Account account;

 private:
  std::unique_ptr<Undo> program_;
  int runs_ = 0;
};

TEST_F(UndoTest, takes_back_what_each_control_changed_value_for_value_and_makes_the_finding_new) {
  for (const auto* control : {"S3.4", "EC2.13", "CloudTrail.3", "KMS.4"}) {
    SCOPED_TRACE(control);
    const Value finding = account.scene(control);
    const auto before = account.look(control);
    const auto fixed = account.run(control, finding, decided);
    ASSERT_EQ(fixed.outcome, "fixed");
    const auto undone = undo(fixed.id);
    EXPECT_EQ(undone.outcome, "undone") << json::print(undone.result);
    EXPECT_TRUE(undone.result["Verified"].bool_or(false));
    EXPECT_EQ(account.look(control).state, before.state);
    EXPECT_EQ(account.status(finding), "NEW");
    EXPECT_THAT(account.note(finding),
                StartsWith("Undone by ann: what execution " + fixed.id + " changed is as it was before."));
    ASSERT_EQ(account.changes_of(undone.id).size(), 1U);
    EXPECT_EQ(account.changes_of(undone.id)[0].state, "done");
    // An undo is undone like any other: the fix is there again.
    EXPECT_EQ(undo(undone.id).outcome, "undone");
    EXPECT_TRUE(account.look(control).compliant);
  }
}

TEST_F(UndoTest, shows_the_three_states_and_asks_where_what_it_left_is_no_longer_there) {
  const Value finding = account.scene("S3.4");
  const auto fixed = account.run("S3.4", finding, decided);
  const std::string bucket = account.arn.substr(account.arn.rfind(':') + 1);
  const Value rule = Object{{"ApplyServerSideEncryptionByDefault", Object{{"SSEAlgorithm", "aws:kms"}}}};
  account.call("s3", "PutBucketEncryption",
               Object{{"Bucket", bucket}, {"ServerSideEncryptionConfiguration", Object{{"Rules", json::Array{rule}}}}});
  const std::string id = launch(fixed.id);
  const auto waiting = account.asks(id, "asks before it takes anything back");
  EXPECT_EQ(waiting.outcome, "waits for approval");
  const Value& states = waiting.cursor["states"][0];
  EXPECT_TRUE(states["Before"].is_null());
  EXPECT_THAT(json::print(states["Left"]), HasSubstr("AES256"));
  EXPECT_THAT(json::print(states["Now"]), HasSubstr("aws:kms"));
  EXPECT_THAT(std::string(states["Finds"].string_or("")), StartsWith("moved since: "));
  EXPECT_TRUE(account.changes_of(id).empty());
  ASSERT_TRUE(account.approvals->answer(
      {.execution = id, .plan_hash = {}, .approved = true, .by = "bob", .by_execution = {}, .because = {}}));
  EXPECT_EQ(account.ended(id).outcome, "undone");
  EXPECT_FALSE(account.look("S3.4").compliant);
}

// Two buckets without a policy are not one bucket.
TEST_F(UndoTest, asks_about_what_moved_also_where_another_thing_was_changed_after_it_in_the_same_way) {
  const auto policy = [](const std::string& bucket, const std::string& sid) {
    return Object{{"Bucket", bucket},
                  {"Policy", R"({"Version":"2012-10-17","Statement":[{"Sid":")" + sid +
                                 R"(","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::)" +
                                 bucket + R"(/*"}]})"}};
  };
  const std::string mine = account.caller.account;
  for (const auto* bucket : {"one", "two"}) account.call("s3", "CreateBucket", Object{{"Bucket", bucket}});
  account.call("s3", "PutBucketPolicy", policy("one", "Old"));
  const std::string made = handler({{mine, "s3", "DeleteBucketPolicy", Object{{"Bucket", "one"}}},
                                    {mine, "s3", "PutBucketPolicy", policy("two", "New")}});
  account.call("s3", "PutBucketPolicy", policy("one", "Somebody"));
  const std::string id = launch(made);
  EXPECT_EQ(account.asks(id, "asks before").outcome, "waits for approval");
  EXPECT_THAT(json::print(account.call("s3", "GetBucketPolicy", Object{{"Bucket", "one"}})), HasSubstr("Somebody"));
  ASSERT_TRUE(account.answer(id, true, "bob"));
  EXPECT_EQ(account.ended(id).outcome, "undone");
  EXPECT_THAT(json::print(account.call("s3", "GetBucketPolicy", Object{{"Bucket", "one"}})), HasSubstr("Old"));
}

class UndoElsewhereTest : public UndoTest {
 protected:
  Value in(const std::string& where, const std::string& service, const std::string& operation, const Value& input) {
    auto answer = account.sandbox->call({where, account.caller.region, {}, {}}, service, operation, input);
    return answer ? *answer : Value(answer.error().code);
  }
  Value length(const std::string& where) {
    const Value answer = in(where, "iam", "GetAccountPasswordPolicy", Object());
    return answer.is_string() ? answer : answer["PasswordPolicy"]["MinimumPasswordLength"];
  }
  static Object of_length(int length) { return Object{{"MinimumPasswordLength", length}}; }
  const std::string here = account.caller.account;
  const std::string there = "222222222222";
};

TEST_F(UndoElsewhereTest, takes_a_change_back_in_the_account_in_which_it_was_made) {
  in(here, "iam", "UpdateAccountPasswordPolicy", of_length(20));
  in(there, "iam", "UpdateAccountPasswordPolicy", of_length(8));
  const std::string made = handler({{there, "iam", "UpdateAccountPasswordPolicy", of_length(14)},
                                    {here, "ec2", "EnableEbsEncryptionByDefault", Object()},
                                    {there, "ec2", "EnableEbsEncryptionByDefault", Object()}});
  ASSERT_EQ(length(there), Value(14));
  const auto undone = undo(made);
  EXPECT_EQ(undone.outcome, "undone") << json::print(undone.result);
  EXPECT_EQ(length(there), Value(8));
  EXPECT_EQ(length(here), Value(20));
  for (const auto& where : {here, there})
    EXPECT_FALSE(in(where, "ec2", "GetEbsEncryptionByDefault", Object())["EbsEncryptionByDefault"].bool_or(true));
  std::vector<std::string> accounts;
  for (const auto& change : account.changes_of(undone.id)) accounts.push_back(change.account);
  EXPECT_EQ(accounts, (std::vector<std::string>{there, here, there}));
  EXPECT_EQ(undone.result["States"][0]["Account"].string_or(""), there);
  EXPECT_EQ(undone.result["States"][1].find("Account"), nullptr);
  // An undo is undone there as well.
  EXPECT_EQ(undo(undone.id).outcome, "undone");
  EXPECT_EQ(length(there), Value(14));
  EXPECT_EQ(length(here), Value(20));
}

TEST_F(UndoElsewhereTest, compares_what_is_there_now_in_the_account_of_the_change) {
  const std::string made = handler({{there, "iam", "UpdateAccountPasswordPolicy", of_length(14)}});
  in(there, "iam", "UpdateAccountPasswordPolicy", of_length(30));
  const std::string id = launch(made);
  EXPECT_EQ(account.asks(id, "asks before").outcome, "waits for approval");
  ASSERT_TRUE(account.answer(id, true, "bob"));
  EXPECT_EQ(account.ended(id).outcome, "undone");
  EXPECT_EQ(length(there), Value("NoSuchEntity"));
}

TEST_F(UndoElsewhereTest, is_held_to_what_is_set_for_the_account_of_the_change) {
  const std::string made = handler({{there, "iam", "UpdateAccountPasswordPolicy", of_length(14)}});
  const auto set = [&](const std::string& name, const Value& value) {
    ASSERT_TRUE(account.store->write(
        [&](store::Transaction& tx) { return changes::Settings::set(tx, "account:222222222222", name, value); }));
  };
  // It waits until that account's window opens.
  set("windows", json::Array{"sat 22:00-23:00 UTC"});
  set("four_eyes", true);
  const std::string id = launch(made);
  account.asks(id);
  EXPECT_EQ(account.answer(id, true, "ann").error().code, "AccessDeniedException");
  ASSERT_TRUE(account.answer(id, true, "bob"));
  EXPECT_EQ(account.ended(id).outcome, "undone");
  EXPECT_TRUE(changes::look_at({changes::Window::parse("sat 22:00-23:00 UTC").value()}, account.clock.now_ms()).open);
  EXPECT_EQ(length(there), Value("NoSuchEntity"));
}

TEST_F(UndoElsewhereTest, is_called_off_while_it_waits_for_the_window) {
  const std::string made = handler({{there, "iam", "UpdateAccountPasswordPolicy", of_length(14)}});
  ASSERT_TRUE(account.store->write([&](store::Transaction& tx) {
    return changes::Settings::set(tx, "account:222222222222", "windows", json::Array{"sat 22:00-23:00 UTC"});
  }));
  const std::string id = launch(made);
  const auto waiting = account.asks(id);
  EXPECT_EQ(waiting.outcome, "waits for the window");
  ASSERT_TRUE(account.answer(id, false, "bob", "it stays"));
  const auto rejected = account.ended(id);
  EXPECT_EQ(rejected.outcome, "rejected");
  EXPECT_LT(account.clock.now_ms(), waiting.wake_ms);
  EXPECT_EQ(
      rejected.result["Note"].string_or(""),
      "The undo of execution " + made +
          " was rejected by bob while it waited for its maintenance window, who said: it stays. Nothing was taken "
          "back.");
  EXPECT_EQ(length(there), Value(14));
}

TEST_F(UndoElsewhereTest, is_stopped_by_the_kill_switch_of_the_account_of_the_change) {
  const std::string made = handler({{there, "iam", "UpdateAccountPasswordPolicy", of_length(14)}});
  ASSERT_TRUE(account.store->write([&](store::Transaction& tx) {
    return changes::freeze(tx, {.scope = "account:222222222222", .by = "eve", .because = "an incident", .at_ms = 1});
  }));
  EXPECT_EQ(undo(made).outcome, "stopped");
  EXPECT_EQ(length(there), Value(14));
}

TEST_F(UndoTest, that_is_rejected_changes_nothing) {
  const Value finding = account.scene("KMS.4");
  const auto fixed = account.run("KMS.4", finding, decided);
  account.call("kms", "DisableKeyRotation", Object{{"KeyId", account.arn.substr(account.arn.rfind('/') + 1)}});
  account.call("kms", "EnableKeyRotation",
               Object{{"KeyId", account.arn.substr(account.arn.rfind('/') + 1)}, {"RotationPeriodInDays", 180}});
  const std::string id = launch(fixed.id);
  account.asks(id, "asks before");
  ASSERT_TRUE(account.approvals->answer(
      {.execution = id, .plan_hash = {}, .approved = false, .by = "bob", .by_execution = {}, .because = {}}));
  const auto rejected = account.ended(id);
  EXPECT_EQ(rejected.outcome, "rejected");
  EXPECT_EQ(rejected.result["Note"].string_or(""),
            "The undo of execution " + fixed.id + " was rejected by bob. Nothing was taken back.");
  EXPECT_EQ(account.status(finding), "RESOLVED");
  EXPECT_TRUE(account.changes_of(id).empty());
  EXPECT_TRUE(account.look("KMS.4").compliant);
}

TEST_F(UndoTest, finds_nothing_to_do_where_somebody_put_it_back_and_nothing_to_undo_where_nothing_was_changed) {
  const Value finding = account.scene("S3.4");
  const auto fixed = account.run("S3.4", finding, decided);
  account.call("s3", "DeleteBucketEncryption", Object{{"Bucket", account.arn.substr(account.arn.rfind(':') + 1)}});
  const auto undone = undo(fixed.id);
  EXPECT_EQ(undone.outcome, "undone");
  EXPECT_TRUE(account.changes_of(undone.id).empty());
  EXPECT_EQ(undo("no-such-execution").outcome, "nothing to undo");
}

TEST_F(UndoTest, is_stopped_by_the_kill_switch) {
  const Value finding = account.scene("S3.4");
  const auto fixed = account.run("S3.4", finding, decided);
  ASSERT_TRUE(account.store->write([&](store::Transaction& tx) {
    return changes::freeze(tx, {.scope = "all", .by = "eve", .because = "an incident", .at_ms = 1});
  }));
  const auto stopped = undo(fixed.id);
  EXPECT_EQ(stopped.outcome, "stopped");
  EXPECT_THAT(std::string(stopped.result["Note"].string_or("")), HasSubstr("Nothing was taken back."));
  EXPECT_TRUE(account.look("S3.4").compliant);
}

TEST_F(UndoTest, gets_over_whichever_call_fails_once) {
  for (const bool made_first : {false, true})
    for (std::size_t n = 1;; ++n) {
      SCOPED_TRACE("call " + std::to_string(n) + (made_first ? ", answer lost" : ""));
      const Value finding = account.scene("CloudTrail.3");
      const auto fixed = account.run("CloudTrail.3", finding, decided);
      ASSERT_EQ(fixed.outcome, "fixed");
      account.ear->fail_at(n, errors::unavailable("the line went dead"), made_first);
      EXPECT_EQ(undo(fixed.id).outcome, "undone");
      const bool hit = account.ear->calls().size() >= n;
      account.ear->clear();
      EXPECT_FALSE(account.look("CloudTrail.3").compliant);
      account.call("cloudtrail", "DeleteTrail", Object{{"Name", account.arn}});
      account.call("s3", "DeleteBucket", Object{{"Bucket", "demo-trail-logs"}});
      if (!hit) break;
    }
}

TEST_F(UndoTest, wants_a_second_person_where_changes_do) {
  const Value finding = account.scene("S3.4");
  const auto fixed = account.run("S3.4", finding, decided);
  ASSERT_TRUE(account.store->write(
      [&](store::Transaction& tx) { return changes::Settings::set(tx, "all", "four_eyes", true); }));
  const std::string id = launch(fixed.id);
  account.asks(id);
  EXPECT_EQ(account.answer(id, true, "ann").error().code, "AccessDeniedException");
  ASSERT_TRUE(account.answer(id, true, "bob"));
  EXPECT_EQ(account.ended(id).outcome, "undone");
}

TEST_F(UndoTest, says_that_it_changed_nothing_where_nothing_was_left_to_take_back) {
  const auto fixed = account.run("S3.4", account.scene("S3.4"), decided);
  EXPECT_EQ(undo(fixed.id).outcome, "undone");
  const auto second = undo(fixed.id);
  EXPECT_EQ(second.outcome, "undone");
  EXPECT_THAT(second.result["Note"].as_string(), StartsWith("Undone by ann without a change"));
}

}  // namespace
}  // namespace fixpoint::controls
