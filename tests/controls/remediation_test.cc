#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

#include "base/arn.h"
#include "controls/account.h"

namespace fixpoint::controls {
namespace {

using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const Object decided{{"Decided", true}};

TEST(Remediation, fixes_verifies_and_writes_on_the_finding_once) {
  Account account;
  const Value finding = account.scene("S3.4");
  const auto run = account.run("S3.4", finding, decided);
  EXPECT_EQ(run.status, "SUCCEEDED");
  EXPECT_EQ(run.outcome, "fixed");
  EXPECT_TRUE(run.result["Verified"].bool_or(false));
  EXPECT_THAT(std::string(run.result["Change"].string_or("")), StartsWith("encryption: absent -> "));
  EXPECT_EQ(account.status(finding), "RESOLVED");
  EXPECT_THAT(account.note(finding), StartsWith("Fixed and verified by control S3.4 (s3:PutBucketEncryption)."));
  EXPECT_EQ(account.stored(finding)["UserDefinedFields"]["fixpoint:execution"].string_or(""), run.id);
  EXPECT_EQ(account.updates(finding), 1);
  ASSERT_EQ(account.changes_of(run.id).size(), 1U);
  EXPECT_EQ(account.changes_of(run.id)[0].state, "done");
  EXPECT_EQ(account.changes_of(run.id)[0].undo, "possible");
}

TEST(Remediation, leaves_alone_what_complies) {
  Account account;
  const Value finding = account.scene("KMS.4");
  account.call("kms", "EnableKeyRotation", Object{{"KeyId", account.arn.substr(account.arn.rfind('/') + 1)}});
  const auto run = account.run("KMS.4", finding, decided);
  EXPECT_EQ(run.outcome, "compliant");
  EXPECT_EQ(account.status(finding), "RESOLVED");
  EXPECT_THAT(account.note(finding), HasSubstr("the check passed. Nothing was changed."));
  EXPECT_TRUE(account.changes_of(run.id).empty());
}

TEST(Remediation, resolves_what_is_gone) {
  Account account;
  const Value finding = account.scene("S3.4");
  account.call("s3", "DeleteBucket", Object{{"Bucket", account.arn.substr(13)}});
  const auto run = account.run("S3.4", finding, decided);
  EXPECT_EQ(run.outcome, "gone");
  EXPECT_EQ(account.status(finding), "RESOLVED");
  EXPECT_THAT(account.note(finding), HasSubstr("the resource is no more (NoSuchBucket)"));
  EXPECT_TRUE(account.changes_of(run.id).empty());
}

TEST(Remediation, calls_nothing_gone_that_is_no_resource_of_its_control) {
  struct Case {
    const char* control;
    const char* type;
    const char* id;
  };
  for (const auto& one : std::vector<Case>{
           {"KMS.4", "AwsAccount", "AWS::::Account:111111111111"},
           {"KMS.4", "AwsKmsKey", "arn:aws:kms:us-east-1:111111111111:alias/foo"},
           {"S3.4", "AwsAccount", "AWS::::Account:111111111111"},
           {"S3.4", "AwsS3Object", "arn:aws:s3:::demo-payroll-exports/a.txt"},
           {"S3.4", "AwsS3Bucket", "arn:aws:s3:::demo-payroll-exports/"},
           {"S3.4", "AwsS3Bucket", "arn:aws:s3::: demo-payroll-exports"},
           {"S3.4", "AwsS3Bucket", "arn:aws:s3:::../../etc"},
           {"S3.4", "AwsS3Bucket", "a/b"},
           {"KMS.4", "AwsKmsKey", "alias/foo"},
           {"KMS.4", "AwsKmsKey", "arn:aws:kms:us-east-1:111111111111:key/"},
           {"EC2.13", "AwsEc2SecurityGroup", "arn:aws:ec2:us-east-1:111111111111:security-group/"},
           {"EC2.13", "AwsEc2SecurityGroup", "sg-0123/../x"},
           {"S3.4", "AwsEc2SecurityGroup", "arn:aws:ec2:us-east-1:111111111111:security-group/sg-0123456789abcdef0"},
           {"EC2.13", "AwsEc2Vpc", "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-0123456789abcdef0"},
           {"CloudTrail.3", "AwsS3Bucket", "arn:aws:s3:::trails"}}) {
    SCOPED_TRACE(std::string(one.control) + " " + one.id);
    Account account;
    Value finding = account.scene(one.control);
    finding.set("Id", "other");
    finding.set("Resources", json::Array{Value(Object{{"Type", one.type}, {"Id", one.id}})});
    Account::must(account.store->write([&](store::Transaction& tx) { return account.findings->import(tx, finding); }));
    const auto run = account.run(one.control, finding, decided);
    EXPECT_EQ(run.outcome, "failed");
    EXPECT_EQ(account.status(finding), "NOTIFIED");
    EXPECT_THAT(account.note(finding), HasSubstr("'" + std::string(one.id) + "' names no Aws"));
    EXPECT_TRUE(account.ear->calls().empty());
  }
}

TEST(Remediation, of_a_finding_that_names_several_resources_mends_none_for_all) {
  // By their type; and where no type says which is meant, by what the control can make of their ids.
  for (const auto* type : {"AwsS3Bucket", "Other"}) {
    SCOPED_TRACE(type);
    Account account;
    Value finding = account.scene("S3.4");
    const std::string bucket(finding["Resources"][0]["Id"].as_string());
    finding.set("Id", "both");
    finding.set("Resources", json::Array{Value(Object{{"Type", type}, {"Id", bucket}}),
                                         Value(Object{{"Type", type}, {"Id", "arn:aws:s3:::another"}})});
    Account::must(account.store->write([&](store::Transaction& tx) { return account.findings->import(tx, finding); }));
    const auto run = account.run("S3.4", finding, decided);
    EXPECT_EQ(run.outcome, "refused");
    EXPECT_EQ(account.status(finding), "NOTIFIED");
    EXPECT_THAT(account.note(finding),
                HasSubstr("names 2 resources that may be meant (" + bucket + ", arn:aws:s3:::another)"));
    EXPECT_TRUE(account.changes_of(run.id).empty());
  }
}

TEST(Remediation, of_a_finding_that_names_one_resource_twice_or_another_kind_beside_it_mends_it) {
  Account account;
  Value finding = account.scene("EC2.13");
  finding.set("Id", "twice");
  const Value group = finding["Resources"][0];
  finding.set("Resources",
              json::Array{Value(Object{{"Type", "AwsEc2Vpc"}, {"Id", "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-1"}}),
                          group, group});
  Account::must(account.store->write([&](store::Transaction& tx) { return account.findings->import(tx, finding); }));
  EXPECT_EQ(account.run("EC2.13", finding, decided).outcome, "fixed");
}

TEST(Remediation, touches_nothing_where_finding_and_resource_are_of_different_accounts) {
  Account account;
  Value finding = account.scene("EC2.13");
  finding.set("Id", "of-two");
  Arn other = parse_arn(finding["Resources"][0]["Id"].as_string()).value();
  other.account = "222222222222";
  finding.set("Resources", json::Array{Value(Object{{"Type", "AwsEc2SecurityGroup"}, {"Id", other.to_string()}})});
  Account::must(account.store->write([&](store::Transaction& tx) { return account.findings->import(tx, finding); }));
  const auto run = account.run("EC2.13", finding, decided);
  EXPECT_EQ(run.outcome, "refused");
  EXPECT_EQ(account.status(finding), "NOTIFIED");
  EXPECT_THAT(account.note(finding), HasSubstr("is of the account 222222222222"));
  EXPECT_TRUE(account.ear->calls().empty());
}

TEST(Remediation, touches_nothing_of_another_partition) {
  for (const auto* arn : {"arn:aws-cn:s3:::demo-payroll-exports", "arn:aws-us-gov:s3:::demo-payroll-exports"}) {
    Account account;
    Value finding = account.scene("S3.4");
    finding.set("Id", "elsewhere");
    finding.set("Resources", json::Array{Value(Object{{"Type", "AwsS3Bucket"}, {"Id", arn}, {"Region", "us-east-1"}})});
    Account::must(account.store->write([&](store::Transaction& tx) { return account.findings->import(tx, finding); }));
    const auto run = account.run("S3.4", finding, decided);
    EXPECT_EQ(run.outcome, "refused");
    EXPECT_EQ(account.status(finding), "NOTIFIED");
    EXPECT_THAT(account.note(finding), HasSubstr("of the partition aws-"));
    EXPECT_TRUE(account.ear->calls().empty());
  }
}

TEST(Remediation, refuses_what_a_person_has_to_decide) {
  Account account;
  const Value finding = account.scene("KMS.4");
  account.call("kms", "DisableKey", Object{{"KeyId", account.arn.substr(account.arn.rfind('/') + 1)}});
  const auto run = account.run("KMS.4", finding, decided);
  EXPECT_EQ(run.outcome, "refused");
  EXPECT_EQ(account.status(finding), "NOTIFIED");
  EXPECT_THAT(account.note(finding), HasSubstr("The key is not enabled"));
  EXPECT_TRUE(account.changes_of(run.id).empty());
}

TEST(Remediation, that_observes_changes_nothing_and_writes_its_plan_on_the_finding) {
  Account account;
  const Value finding = account.scene("S3.4");
  ASSERT_TRUE(account.modes->set("control:S3.4", Mode::Observe));
  const auto run = account.run("S3.4", finding);
  EXPECT_EQ(run.outcome, "observed");
  EXPECT_THAT(std::string(run.result["Note"].string_or("")), HasSubstr("would make s3:PutBucketEncryption"));
  EXPECT_EQ(run.result["Plan"]["Changes"][0]["Undo"].string_or(""), "possible");
  EXPECT_EQ(run.result["Plan"]["Hash"].string_or("").size(), 64U);
  EXPECT_TRUE(run.result["CompliantAfterwards"].bool_or(false));
  EXPECT_EQ(account.status(finding), "NEW");
  EXPECT_EQ(account.updates(finding), 1);
  EXPECT_THAT(account.note(finding), StartsWith("Control S3.4 would make s3:PutBucketEncryption (plan " +
                                                std::string(run.result["Plan"]["Hash"].string_or("")).substr(0, 12) +
                                                "), and changed nothing."));
  EXPECT_EQ(account.stored(finding)["UserDefinedFields"]["fixpoint:execution"].string_or(""), run.id);
  EXPECT_FALSE(account.look("S3.4").compliant);
  ASSERT_EQ(account.changes_of(run.id).size(), 1U);
  EXPECT_EQ(account.changes_of(run.id)[0].state, "planned");
}

TEST(Remediation, that_observes_leaves_what_a_person_noted) {
  Account account;
  const Value finding = account.scene("S3.4");
  ASSERT_TRUE(account.modes->set("control:S3.4", Mode::Observe));
  ASSERT_TRUE(account.store->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(account.findings->update(
        tx, findings::key_of(finding), Object{{"Note", Object{{"Text", "ticket 7"}, {"UpdatedBy", "ann"}}}}, "ann"));
    return {};
  }));
  EXPECT_EQ(account.run("S3.4", finding).outcome, "observed");
  EXPECT_EQ(account.note(finding), "ticket 7");
}

TEST(Remediation, that_is_only_to_plan_writes_nothing_on_the_finding) {
  Account account;
  const Value finding = account.scene("S3.4");
  EXPECT_EQ(account.run("S3.4", finding, {{"DryRun", true}}).outcome, "planned");
  EXPECT_EQ(account.updates(finding), 0);
}

TEST(Remediation, asks_and_goes_on_when_approved) {
  Account account;
  const Value finding = account.scene("S3.4");
  const std::string id = account.launch("S3.4", finding);  // nothing is set: it asks
  const auto waiting = account.asks(id);
  EXPECT_EQ(waiting.outcome, "waits for approval");
  EXPECT_EQ(account.status(finding), "NOTIFIED");
  EXPECT_THAT(account.note(finding), HasSubstr("waits for approval until 2023-11-17T"));
  EXPECT_FALSE(account.look("S3.4").compliant);
  ASSERT_TRUE(account.answer(id, true, "ann"));
  EXPECT_EQ(account.ended(id).outcome, "fixed");
  EXPECT_EQ(account.status(finding), "RESOLVED");
  EXPECT_EQ(account.updates(finding), 2);
}

TEST(Remediation, does_nothing_when_rejected_or_when_nobody_answers) {
  Account account;
  const Value first = account.scene("S3.4");
  const std::string rejected = account.launch("S3.4", first);
  account.asks(rejected);
  ASSERT_TRUE(account.answer(rejected, false, "ann", "not this week"));
  EXPECT_EQ(account.ended(rejected).outcome, "rejected");
  EXPECT_THAT(account.note(first), HasSubstr("rejected by ann, who said: not this week. Nothing was changed."));
  const Value second = account.finding_of("S3.4");
  const std::string expired = account.launch("S3.4", second);
  account.asks(expired);
  account.clock.advance_ms(72 * 3'600'000L - 1);
  EXPECT_EQ(account.executor->get(expired).value()->status, "WAITING");
  account.pass_to(account.clock.now_ms() + 1);
  EXPECT_EQ(account.ended(expired).outcome, "expired");
  EXPECT_THAT(account.note(second), HasSubstr("nobody approved until"));
  EXPECT_EQ(account.status(second), "NOTIFIED");
  EXPECT_FALSE(account.look("S3.4").compliant);
  EXPECT_TRUE(account.changes_of(rejected).empty());
  EXPECT_TRUE(account.changes_of(expired).empty());
}

TEST(Remediation, asks_again_where_the_resource_moved_between_plan_and_approval) {
  Account account;
  const Value finding = account.scene("EC2.13");
  const std::string id = account.launch("EC2.13", finding);
  account.asks(id);
  const Object world{{"IpProtocol", "tcp"},
                     {"FromPort", 20},
                     {"ToPort", 25},
                     {"IpRanges", json::Array{Value(Object{{"CidrIp", "0.0.0.0/0"}})}}};
  account.call(
      "ec2", "AuthorizeSecurityGroupIngress",
      Object{{"GroupId", account.arn.substr(account.arn.rfind('/') + 1)}, {"IpPermissions", json::Array{world}}});
  ASSERT_TRUE(account.answer(id, true, "ann"));
  const auto again = account.asks(id, "planned anew");
  EXPECT_EQ(again.outcome, "waits for approval");
  EXPECT_EQ(again.cursor["calls"][0]["Input"]["IpPermissions"].size(), 2U);
  EXPECT_TRUE(account.changes_of(id).empty());
  ASSERT_TRUE(account.answer(id, true, "ann"));
  EXPECT_EQ(account.ended(id).outcome, "fixed");
  EXPECT_TRUE(account.look("EC2.13").compliant);
}

TEST(Remediation, what_somebody_mended_while_it_asked_is_compliant_without_a_change) {
  Account account;
  const Value finding = account.scene("CloudTrail.3");
  const std::string id = account.launch("CloudTrail.3", finding);
  account.asks(id);
  account.call("cloudtrail", "StartLogging", Object{{"Name", account.arn}});
  ASSERT_TRUE(account.answer(id, true, "ann"));
  EXPECT_EQ(account.ended(id).outcome, "compliant");
  EXPECT_TRUE(account.changes_of(id).empty());
}

// Whichever call is refused: the finding is updated once, and its note says what is so.
TEST(Remediation, tells_the_truth_whichever_call_is_refused) {
  for (const auto* control : {"S3.4", "EC2.13", "CloudTrail.3", "KMS.4"}) {
    for (std::size_t n = 1;; ++n) {
      SCOPED_TRACE(std::string(control) + ", call " + std::to_string(n));
      Account account;
      const Value finding = account.scene(control);
      account.ear->fail_at(n, errors::access_denied("no"));
      const auto run = account.run(control, finding, decided);
      EXPECT_EQ(account.updates(finding), 1);
      if (account.ear->calls().size() < n) {
        EXPECT_EQ(run.outcome, "fixed");
        EXPECT_GE(n, 6U);  // read, plan, state before, change, what it left, verify
        break;
      }
      // What a change left is read for its undo; that it cannot be read takes nothing from the fix.
      const auto changes = account.changes_of(run.id);
      if (!changes.empty() && changes[0].state == "done" && !changes[0].left_read) {
        EXPECT_EQ(run.outcome, "fixed");
        continue;
      }
      EXPECT_EQ(run.outcome, "failed");
      EXPECT_EQ(run.status, "FAILED");
      EXPECT_EQ(account.status(finding), "NOTIFIED");
      EXPECT_THAT(account.note(finding), HasSubstr("AccessDeniedException: "));
      const bool changed = account.look(control).compliant;
      EXPECT_THAT(account.note(finding),
                  HasSubstr(changed ? "Had been changed, and was not undone: " : "Nothing had been changed."));
    }
  }
}

// A fault that passes is got over, also one that hides an effect that was had; the state before stays the first one.
TEST(Remediation, gets_over_whichever_call_fails_once) {
  for (const auto* control : {"S3.4", "EC2.13", "CloudTrail.3", "KMS.4"}) {
    for (const bool made_first : {false, true}) {
      for (std::size_t n = 1;; ++n) {
        SCOPED_TRACE(std::string(control) + ", call " + std::to_string(n) + (made_first ? ", answer lost" : ""));
        Account account;
        const Value finding = account.scene(control);
        const auto before = account.door->plan(
            {account.caller.account, account.caller.region, "e", ""}, account.look(control).calls[0].service,
            account.look(control).calls[0].operation, account.look(control).calls[0].input);
        ASSERT_TRUE(before);
        account.ear->fail_at(n, errors::unavailable("the line went dead"), made_first);
        const auto run = account.run(control, finding, decided);
        EXPECT_EQ(run.outcome, "fixed") << json::print(run.result);
        EXPECT_EQ(account.updates(finding), 1);
        EXPECT_TRUE(account.look(control).compliant);
        const auto changes = account.changes_of(run.id);
        ASSERT_EQ(changes.size(), 1U);
        EXPECT_EQ(changes[0].state, "done");
        EXPECT_EQ(changes[0].before, before->before);
        const auto calls = account.ear->calls();
        const auto made = std::count(calls.begin(), calls.end(), changes[0].service + ":" + changes[0].operation);
        const bool hit = n <= calls.size() && calls[n - 1] == changes[0].service + ":" + changes[0].operation;
        EXPECT_EQ(made, hit && !made_first ? 2 : 1);  // an effect that was had is not had again
        if (calls.size() < n) break;
      }
    }
  }
}

// Two changes, each wanted where its own part is missing: what was had is not had again, whichever answer is lost.
TEST(Remediation, waits_for_its_turn_as_often_as_it_has_to_without_a_thread) {
  // Longer than a call that fails would be tried: nothing has failed.
  Account account;
  const Value finding = account.scene("S3.4");
  Error turn = errors::coded("RequestThrottled", "is called as often as AWS lets it be", 429);
  turn.where = before_sending;
  turn.retryable = true;
  turn.retry_after_ms = 90'000;
  account.ear->fail_first(20, turn);
  const TimeMs start = account.clock.now_ms();
  const auto run = account.run("S3.4", finding, decided);
  EXPECT_EQ(run.outcome, "fixed") << json::print(run.result);
  EXPECT_GE(account.clock.now_ms() - start, 20 * 90'000) << "it came back when it was told to";
  EXPECT_EQ(account.updates(finding), 1);
}

TEST(Remediation, of_what_cannot_be_read_passes_nothing) {
  for (const Error& error : {errors::throttling("slower"), errors::access_denied("no")}) {
    Account account;
    const Value finding = account.scene("S3.4");
    account.ear->fail_first(1'000, error);
    const auto run = account.run("S3.4", finding, decided);
    EXPECT_EQ(run.outcome, "failed") << error.code;
    EXPECT_EQ(account.status(finding), "NOTIFIED");
    EXPECT_NE(account.note(finding).find(error.code), std::string::npos) << account.note(finding);
  }
}

TEST(Remediation, makes_each_of_several_changes_once_whichever_answer_is_lost) {
  test::TempDir folder;
  std::filesystem::create_directories(folder.path() / "controls");
  std::ofstream(folder.path() / "controls/Demo.1.yaml") << R"(
control: Demo.1
title: Keys are rotated and have an owner
severity: LOW
resource: {type: AwsKmsKey, id: "{% $substringAfter($arn, ':key/') %}"}
read:
  rotation: {call: kms:GetKeyRotationStatus, input: {KeyId: "{% $resource.id %}"}, take: "{% KeyRotationEnabled %}"}
  tags: {call: kms:ListResourceTags, input: {KeyId: "{% $resource.id %}"}, take: "{% [Tags.TagKey] %}"}
compliant: "{% $rotation and 'owner' in $tags %}"
change:
  - {call: kms:EnableKeyRotation, input: {KeyId: "{% $resource.id %}"}, when: "{% $not($rotation) %}"}
  - call: kms:TagResource
    input: {KeyId: "{% $resource.id %}", Tags: [{TagKey: owner, TagValue: us}]}
    when: "{% $not('owner' in $tags) %}"
scene:
  given: [{call: kms:CreateKey, keep: created}]
  resource: "{% $created.KeyMetadata.Arn %}"
  then: [{call: kms:ListResourceTags, input: {KeyId: "{% $created.KeyMetadata.KeyId %}"}, expect: "{% 'owner' in [Tags.TagKey] %}"}]
)";
  for (std::size_t n = 1;; ++n) {
    SCOPED_TRACE("answer " + std::to_string(n));
    catalog::Catalog catalog = catalog::Catalog::embedded();
    ASSERT_TRUE(catalog.overlay(folder.string()));
    Account account(std::move(catalog));
    const Value finding = account.scene("Demo.1");
    account.ear->fail_at(n, errors::unavailable("the line went dead"), true);
    const auto run = account.run("Demo.1", finding, decided);
    EXPECT_EQ(run.outcome, "fixed") << json::print(run.result);
    EXPECT_EQ(account.updates(finding), 1);
    const auto calls = account.ear->calls();
    for (const auto* call : {"kms:EnableKeyRotation", "kms:TagResource"})
      EXPECT_EQ(std::count(calls.begin(), calls.end(), call), 1) << call;
    const auto changes = account.changes_of(run.id);
    ASSERT_EQ(changes.size(), 2U);
    for (const auto& change : changes) EXPECT_EQ(change.state, "done") << change.operation;
    if (calls.size() < n) break;
  }
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html: success, with a list of what failed.
class FlowLogs : public testing::Test {
 protected:
  FlowLogs() {
    std::filesystem::create_directories(folder_.path() / "controls");
    std::ofstream(folder_.path() / "controls/Demo.2.yaml") << R"(
control: Demo.2
title: VPCs have flow logs
severity: LOW
parameters: {also: {type: string, default: ""}}
resource: {type: AwsEc2Vpc, id: "{% $substringAfter($arn, ':vpc/') %}"}
read:
  logs: {call: ec2:DescribeFlowLogs, input: {Filter: [{Name: resource-id, Values: ["{% $resource.id %}"]}, {Name: traffic-type, Values: [REJECT]}]}, take: "{% [FlowLogs] %}"}
compliant: "{% $count($logs) > 0 %}"
change:
  - call: ec2:CreateFlowLogs
    input:
      ResourceIds: ["{% $resource.id %}", "{% $params.also != '' ? $params.also %}"]
      ResourceType: VPC
      TrafficType: ALL
      LogGroupName: flows
      DeliverLogsPermissionArn: "arn:aws:iam::111111111111:role/flows"
    done: [FlowLogAlreadyExists]
scene:
  given: [{call: ec2:CreateVpc, input: {CidrBlock: 10.8.0.0/16}, keep: made}]
  resource: "{% 'arn:aws:ec2:' & $region & ':' & $account & ':vpc/' & $made.Vpc.VpcId %}"
  then: [{call: ec2:DescribeFlowLogs, expect: "{% $count(FlowLogs) = 1 %}"}]
)";
    catalog::Catalog catalog = catalog::Catalog::embedded();
    EXPECT_TRUE(catalog.overlay(folder_.string()));
    static const auto models = aws::Models::open({}).value();
    account_ = std::make_unique<Account>(std::move(catalog), models.get());
    finding_ = account_->scene("Demo.2");
  }
  json::Object with(const char* also) {
    json::Object more = decided;
    more.set("Parameters", Object{{"also", also}});
    return more;
  }
  test::TempDir folder_;
  std::unique_ptr<Account> account_;
  Value finding_;
};

TEST_F(FlowLogs, an_answer_of_success_that_lists_a_failure_is_an_error_that_the_note_names) {
  const auto run = account_->run("Demo.2", finding_, with("vpc-00000000000000000"));
  EXPECT_EQ(run.outcome, "failed") << json::print(run.result);
  EXPECT_EQ(run.result["Error"].string_or(""), "PartlyUnsuccessful");
  EXPECT_EQ(account_->status(finding_), "NOTIFIED");
  EXPECT_THAT(account_->note(finding_),
              testing::AllOf(HasSubstr("1 of 2 were not done: vpc-00000000000000000 (InvalidVpcId.NotFound: "),
                             HasSubstr("Had been changed, and was not undone: ec2:CreateFlowLogs.")));
  const auto changes = account_->changes_of(run.id);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].state, "partly");
}

TEST_F(FlowLogs, what_failed_whole_changed_nothing) {
  const Value vpc = account_->kept["made"]["Vpc"]["VpcId"];
  account_->call("ec2", "DeleteVpc", Object{{"VpcId", vpc}});
  const auto run = account_->run("Demo.2", finding_, decided);
  EXPECT_EQ(run.outcome, "failed") << json::print(run.result);
  EXPECT_EQ(run.result["Error"].string_or(""), "InvalidVpcId.NotFound");
  EXPECT_THAT(account_->note(finding_), HasSubstr("Nothing had been changed."));
  EXPECT_EQ(account_->changes_of(run.id).at(0).state, "failed");
}

// Another's flow log of the same destination: what is wanted is there, as `done` has it, and the check says the rest.
TEST_F(FlowLogs, a_failure_of_a_code_that_means_done_is_none) {
  const Value vpc = account_->kept["made"]["Vpc"]["VpcId"];
  account_->call("ec2", "CreateFlowLogs",
                 Object{{"ResourceIds", json::Array{vpc}},
                        {"ResourceType", "VPC"},
                        {"TrafficType", "ALL"},
                        {"LogGroupName", "flows"},
                        {"DeliverLogsPermissionArn", "arn:aws:iam::111111111111:role/flows"}});
  const auto run = account_->run("Demo.2", finding_, decided);
  EXPECT_EQ(run.outcome, "not verified") << json::print(run.result);
}

TEST(Remediation, gives_up_on_a_fault_that_stays_and_says_what_nobody_knows) {
  class Dead final : public aws::Api {
   public:
    explicit Dead(aws::Api& account) : account_(account) {}
    Result<Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                       const Value& input) override {
      if (operation != "PutBucketEncryption") return account_.call(context, service, operation, input);
      ++tried;
      return fail(errors::unavailable("the line is dead"));
    }
    aws::Api& account_;
    std::atomic<int> tried{0};
  };
  Account account;
  const Value finding = account.scene("S3.4");
  Dead dead(*account.sandbox);
  changes::Door door(*account.store, account.clock, dead, account.recipes);
  Remediation program(account.controls, door, *account.modes, *account.approvals, *account.works, account.clock,
                      account.plain_update(), Remediation::Options{});
  account.executor->stop();
  account.executor = std::make_unique<executions::Executor>(*account.store, account.clock, 1);
  account.executor->add_program("control", program);
  ASSERT_TRUE(account.executor->start());
  const auto run = account.run("S3.4", finding, decided);
  account.executor->stop();
  EXPECT_EQ(run.outcome, "failed");
  EXPECT_EQ(dead.tried, 4);
  EXPECT_EQ(account.updates(finding), 1);
  EXPECT_THAT(account.note(finding), HasSubstr("Nobody knows whether it took effect: s3:PutBucketEncryption."));
}

// An account that takes the change and does not make it.
TEST(Remediation, claims_no_fix_that_does_not_show) {
  class Deaf final : public aws::Api {
   public:
    explicit Deaf(aws::Api& account) : account_(account) {}
    Result<Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                       const Value& input) override {
      if (operation == "PutBucketEncryption") return Value(Object{});
      return account_.call(context, service, operation, input);
    }
    aws::Api& account_;
  };
  Account account;
  const Value finding = account.scene("S3.4");
  Deaf deaf(*account.sandbox);
  changes::Door door(*account.store, account.clock, deaf, account.recipes);
  Remediation program(account.controls, door, *account.modes, *account.approvals, *account.works, account.clock,
                      account.plain_update(), Remediation::Options{});
  account.executor->stop();
  account.executor = std::make_unique<executions::Executor>(*account.store, account.clock, 1);
  account.executor->add_program("control", program);
  ASSERT_TRUE(account.executor->start());
  const auto run = account.run("S3.4", finding, decided);
  account.executor->stop();
  EXPECT_EQ(run.outcome, "not verified");
  EXPECT_EQ(run.status, "FAILED");
  EXPECT_FALSE(run.result["Verified"].bool_or(true));
  EXPECT_EQ(account.status(finding), "NOTIFIED");
  EXPECT_THAT(account.note(finding), HasSubstr("but the check still fails"));
  EXPECT_EQ(account.updates(finding), 1);
}

TEST(Remediation, of_a_control_or_parameter_that_is_not_there_fails_with_a_note) {
  Account account;
  const Value finding = account.scene("S3.4");
  EXPECT_EQ(account.run("Hat.1", finding, decided).outcome, "failed");
  EXPECT_THAT(account.note(finding), HasSubstr("there is no control 'Hat.1'"));
  Object more = decided;
  more.set("Parameters", Object{{"algorithm", "rot13"}});
  EXPECT_EQ(account.run("S3.4", finding, more).outcome, "failed");
  EXPECT_THAT(account.note(finding), HasSubstr("the parameter 'algorithm' has to be one of"));
  EXPECT_FALSE(account.look("S3.4").compliant);
}

}  // namespace
}  // namespace fixpoint::controls
