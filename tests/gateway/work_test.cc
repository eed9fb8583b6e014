#include <gmock/gmock.h>
#include <set>

#include "base/arn.h"
#include "changes/exceptions.h"
#include "findings/fingerprint.h"
#include "gateway/hub.h"

namespace fixpoint::gateway {
namespace {

using controls::Mode;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr TimeMs hour_ms = 3'600'000;

// Passes, is weakened behind fixpoint's back, and is found failing again.
void turn_back(Hub& hub, const Value& finding, const std::string& hour) {
  Value passed = later(with_compliance(finding, "PASSED"), hour);
  passed.set("UpdatedAt", "2024-01-03T" + hour + ":00:00.000Z");  // before what comes at half past
  hub.import(passed);
  hub.weaken();
}

// Findings of that region begin their controls as well.
void listen_in(Hub& hub, const std::string& region) {
  const bus::BusName there{hub.caller.account, region, "aws", "default"};
  bus::Rule rule;
  rule.bus = there;
  rule.name = "fix";
  rule.pattern = R"({"source": ["aws.securityhub"]})";
  Hub::must(hub.bus->put_rule(rule));
  const std::string arn = "arn:aws:fixpoint:" + region + ":111111111111:control/*";
  Hub::must(hub.bus->put_targets(there, "fix", json::Array{Value(Object{{"Id", "1"}, {"Arn", arn}})}));
}

TEST(Work, of_several_standards_findings_of_one_control_and_resource_is_done_once_and_written_on_all) {
  Hub hub;
  Value first = hub.bucket();
  Value cis = other(first, "cis/1");
  cis.set("GeneratorId", "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.4.0/rule/2.1.1");
  Value fsbp = other(first, "fsbp/1");
  fsbp.as_object().erase("Compliance");
  fsbp.set("GeneratorId", "aws-foundational-security-best-practices/v/1.0.0/S3.4");
  Value tool = other(first, "tool/1");
  tool.set("ProductArn", "arn:aws:securityhub:us-east-1::product/acme/scanner");
  for (Value* finding : {&first, &cis, &fsbp, &tool}) hub.import(*finding);
  const auto open = hub.open();  // it asks: one for all four
  hub.ended_or_asks(open.id);
  EXPECT_THAT(hub.journal_of(open.id), HasSubstr("the same work for another finding: fsbp/1"));
  ASSERT_TRUE(hub.answer(open.id, true, "ann"));
  EXPECT_EQ(hub.ended(open.id).outcome, "fixed");
  for (Value* finding : {&first, &cis, &fsbp, &tool}) {
    EXPECT_EQ(hub.status(*finding), "RESOLVED") << (*finding)["Id"].as_string();
    EXPECT_THAT(hub.note(*finding), StartsWith("Fixed and verified by control S3.4"));
    EXPECT_EQ(hub.stored(*finding)["UserDefinedFields"]["fixpoint:execution"].string_or(""), open.id);
  }
  EXPECT_EQ(hub.all().size(), 1U);
  EXPECT_EQ(hub.changes_of(open.id).size(), 1U);
}

TEST(Work, is_written_on_a_finding_that_joins_when_all_but_the_writing_is_done) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value first = hub.bucket();
  const Value before = other(first, "before/1");
  const Value late = other(first, "late/1");
  int prepared = 0;
  hub.before_prepared = [&] {
    ++prepared;
    if (prepared == 1) hub.import(before);  // in time to be worked out ahead
    if (prepared == 2) hub.import(late);    // who joins has been read
  };
  const auto fixed = hub.run(first);
  EXPECT_EQ(fixed.outcome, "fixed");
  EXPECT_EQ(prepared, 2);
  for (const Value* finding : {&first, &before, &late}) {
    EXPECT_EQ(hub.status(*finding), "RESOLVED") << (*finding)["Id"].as_string();
    EXPECT_EQ(hub.stored(*finding)["UserDefinedFields"]["fixpoint:execution"].string_or(""), fixed.id);
  }
  EXPECT_EQ(hub.all().size(), 1U);
}

TEST(Work, of_a_hubs_copy_and_a_members_copy_of_a_finding_is_one) {
  Hub hub;
  const Value member = hub.bucket();
  // The hub's Region holds a copy under the product of that Region; the bucket is the same one.
  Value copy = other(member, std::string(member["Id"].as_string()) + "/copy");
  copy.set("Region", "eu-west-1");
  copy.set("ProductArn", "arn:aws:securityhub:eu-west-1::product/aws/securityhub");
  listen_in(hub, "eu-west-1");
  hub.import(member);
  hub.import(copy);
  const auto open = hub.open();
  hub.ended_or_asks(open.id);
  ASSERT_TRUE(hub.answer(open.id, true, "ann"));
  EXPECT_EQ(hub.ended(open.id).outcome, "fixed");
  EXPECT_EQ(hub.status(member), "RESOLVED");
  EXPECT_EQ(hub.status(copy), "RESOLVED");
}

// GuardDuty and Macie mark what they generate: nothing begins for it, not by a person's choice either.
TEST(Work, is_never_begun_for_a_sample) {
  Hub hub;
  hub.mode(Mode::Auto);
  Value finding = hub.bucket();
  finding.set("Sample", true);
  hub.import(finding);
  hub.choose(finding);
  EXPECT_EQ(hub.all().size(), 0U);
  finding.set("Sample", false);
  hub.import(later(finding, "05"));
  EXPECT_EQ(hub.all().size(), 1U);
}

TEST(Work, that_waits_is_not_begun_again_by_a_resend_in_which_only_times_moved) {
  Hub hub;
  const Value finding = hub.bucket();
  const auto asks = hub.run(finding);
  for (const auto* hour : {"04", "05", "06"}) hub.import(later(finding, hour));
  EXPECT_EQ(hub.all().size(), 1U);
  EXPECT_EQ(hub.notices().size(), 1U);  // one prompt
  EXPECT_EQ(hub.open().id, asks.id);
}

// An archive keeps every event of the bus: a note that leaves the finding NEW is none, for it would begin all that
// listens for new findings.
// An exception of all buckets, which leaves their findings as they are.
void except_buckets(Hub& hub) {
  const auto exception =
      changes::exception_of(Object{{"Pattern", Object{{"Resources", Object{{"Type", json::Array{"AwsS3Bucket"}}}}}},
                                   {"Owner", "ann"},
                                   {"Reason", "a migration"},
                                   {"Effect", "leave"},
                                   {"ExpiresAt", "2033-01-01"}},
                            hub.clock.now_ms());
  ASSERT_TRUE(exception);
  ASSERT_TRUE(hub.store->write([&](store::Transaction& tx) { return changes::add(tx, *exception); }));
}

TEST(Work, that_leaves_the_finding_new_writes_on_it_and_tells_nobody) {
  for (const bool excepted : {false, true}) {
    SCOPED_TRACE(excepted ? "excepted" : "observed");
    Hub hub;
    hub.mode(Mode::Observe);
    const Value finding = hub.bucket();
    if (excepted) except_buckets(hub);
    bus::Archive archive;
    archive.bus = {hub.caller.account, hub.caller.region, hub.caller.partition, "default"};
    archive.name = "all";
    const std::string kept_in = Hub::must(hub.bus->create_archive(archive)).arn();
    EXPECT_EQ(hub.run(finding).outcome, excepted ? "excepted" : "observed");
    EXPECT_EQ(hub.status(finding), "NEW");
    EXPECT_THAT(hub.note(finding), HasSubstr(excepted ? "excepted by ann until 2033-01-01T00:00:00.000Z: a migration"
                                                      : "would make s3:PutBucketEncryption (plan "));
    hub.import(later(finding, "04"));
    EXPECT_EQ(hub.all().size(), 1U);
    const auto kept = Hub::must(hub.bus->archives().kept(kept_in, 0, INT64_MAX, 0, 100));
    EXPECT_EQ(kept.size(), 2U);  // the imports
  }
}

TEST(Work, that_was_observed_is_begun_again_by_news_and_not_by_a_resend) {
  Hub hub;
  hub.mode(Mode::Observe);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "observed");
  EXPECT_EQ(hub.status(finding), "NEW");
  hub.import(later(finding, "04"));
  hub.import(finding);
  EXPECT_EQ(hub.all().size(), 1U);
  Value worse = later(finding, "05");
  worse.set("Severity", Object{{"Label", "CRITICAL"}});
  EXPECT_EQ(hub.run(worse).outcome, "observed");
  hub.import(later(with_compliance(worse, "PASSED"), "06"));
  EXPECT_EQ(hub.run(later(worse, "07")).outcome, "observed");  // it had passed: failing is news
}

TEST(Work, that_was_observed_is_done_by_a_resend_once_the_mode_lets_it) {
  Hub hub;
  hub.mode(Mode::Observe);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "observed");
  hub.mode(Mode::Auto);
  EXPECT_EQ(hub.run(later(finding, "04")).outcome, "fixed");
}

TEST(Work, that_was_fixed_is_left_alone_by_late_copies_that_still_say_failed) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "fixed");
  hub.import(later(finding, "04"));  // stays RESOLVED
  EXPECT_EQ(hub.all().size(), 1U);
  const Value copy = other(finding, "late/1");
  EXPECT_EQ(hub.run(copy).outcome, "compliant");
  EXPECT_EQ(hub.status(copy), "RESOLVED");
  EXPECT_TRUE(hub.works->flapping().value().empty());
}

TEST(Work, of_findings_that_name_no_resource_is_not_shared) {
  Hub hub;
  Value one = hub.bucket();
  one.set("Resources", json::Array{Value(Object{{"Type", "Other"}, {"Id", ""}})});
  EXPECT_EQ(findings::work_of(one, "S3.4", one["Resources"][0]).fingerprint(), "");
}

TEST(Work, is_not_begun_by_what_fixpoint_writes_on_a_finding) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  const auto fixed = hub.run(finding);
  // As an undo leaves the finding: NEW again, by fixpoint's own hand.
  const Object update{{"Workflow", Object{{"Status", "NEW"}}},
                      {"Note", Object{{"Text", "undone"}, {"UpdatedBy", "fixpoint"}}},
                      {"UserDefinedFields", Object{{"fixpoint:execution", fixed.id}}}};
  const auto write = hub.update_finding.prepare(
      findings::key_of(finding), fixed.id, [&](const Value&) { return update; }, controls::UpdateFinding::Tell::Bus);
  ASSERT_TRUE(hub.store->write(write));
  EXPECT_EQ(hub.status(finding), "NEW");
  EXPECT_EQ(hub.all().size(), 1U);
  // The same event as AWS's own Security Hub would send it, which does not say whose doing it is.
  const Value stored = hub.stored(finding);
  const Value event =
      hub.bus->make_event({hub.caller.account, hub.caller.region}, "aws.securityhub",
                          "Security Hub Findings - Imported", json::Array{}, Object{{"findings", json::Array{stored}}});
  ASSERT_TRUE(hub.store->write([&](store::Transaction& tx) { return hub.bus->publish(tx, event); }));
  EXPECT_EQ(hub.all().size(), 1U);
  // A person who sets it to NEW wants it looked at.
  hub.clock.advance_ms(1000);
  ASSERT_TRUE(hub.store->write([&](store::Transaction& tx) {
    return hub.securityhub->update(tx, findings::key_of(finding), Object{{"Workflow", Object{{"Status", "NEW"}}}},
                                   "ann");
  }));
  EXPECT_EQ(hub.all().size(), 2U);
  hub.settle();
}

TEST(Work, that_a_person_took_back_begins_again_by_what_is_new_and_not_by_a_resend) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  const auto fixed = hub.run(finding);
  EXPECT_EQ(hub.undo(fixed.id).outcome, "undone");
  EXPECT_EQ(hub.status(finding), "NEW");
  for (const auto* hour : {"04", "05", "06"}) hub.import(later(finding, hour));
  EXPECT_EQ(hub.all().size(), 2U);
  EXPECT_TRUE(hub.works->flapping().value().empty());
  // It passes, and fails again: somebody else's doing, and the control's business.
  hub.import(later(with_compliance(finding, "PASSED"), "07"));
  const auto again = hub.run(later(with_compliance(finding, "FAILED"), "08"));
  EXPECT_EQ(again.outcome, "fixed");
  EXPECT_EQ(hub.works->failing(again).value().reverts, 1);  // of the second fix alone, were it to fail now
}

TEST(Work, whose_undo_was_taken_back_is_fixed_again) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  const auto undone = hub.undo(hub.run(finding).id);
  EXPECT_EQ(hub.undo(undone.id).outcome, "undone");
  hub.weaken();
  EXPECT_EQ(hub.run(later(finding, "04")).outcome, "fixed");
}

TEST(Work, whose_undo_was_taken_back_and_taken_back_again_is_left_as_it_is_by_a_resend) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  std::string last = hub.run(finding).id;
  for (int undos = 0; undos < 3; ++undos) {
    const auto undone = hub.undo(last);
    EXPECT_EQ(undone.outcome, "undone");
    last = undone.id;
  }
  EXPECT_FALSE(hub.look("S3.4").compliant);
  hub.import(later(finding, "04"));
  hub.import(other(finding, "tool/1"));
  EXPECT_EQ(hub.all().size(), 4U);
  EXPECT_EQ(hub.undo(last).outcome, "undone");
  EXPECT_TRUE(hub.look("S3.4").compliant);
  hub.weaken();
  EXPECT_EQ(hub.run(later(finding, "05")).outcome, "fixed");
}

TEST(Work, is_not_taken_back_beside_an_execution_of_it_that_has_not_ended) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  const auto fixed = hub.run(finding);
  turn_back(hub, finding, "04");
  hub.mode(Mode::Ask);
  const auto asks = hub.run(later(finding, "04"));
  ASSERT_EQ(asks.outcome, "waits for approval");
  const auto refused = hub.begin_undo(fixed.id);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ResourceConflictException");
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr(asks.id), HasSubstr("approve or reject it")));
  EXPECT_EQ(hub.all().size(), 2U);
  // It is the one that the work has: what comes attaches to it.
  const Value tool = other(finding, "tool/1");
  hub.import(tool);
  ASSERT_TRUE(hub.answer(asks.id, true, "ann"));
  EXPECT_EQ(hub.ended(asks.id).outcome, "fixed");
  EXPECT_EQ(hub.status(tool), "RESOLVED");
  EXPECT_EQ(hub.undo(asks.id).outcome, "undone");
}

TEST(Work, is_taken_back_by_one_undo_at_a_time) {
  Hub hub;
  hub.mode(Mode::Auto);
  const auto fixed = hub.run(hub.bucket());
  hub.encrypt_otherwise();
  const auto asks = hub.undo(fixed.id);
  ASSERT_EQ(asks.ended_ms, 0);
  const auto second = hub.begin_undo(fixed.id);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "ResourceConflictException");
  EXPECT_THAT(second.error().message, HasSubstr("the undo " + asks.id));
  // A handler's run is of no work that findings share; it is taken back once at a time all the same.
  auto handled = *Hub::must(hub.executor->get(fixed.id));
  handled.work.clear();
  const auto of_handler = hub.store->write([&](store::Transaction& tx) {
    return hub.works->undo(tx, controls::Undo::start_of(handled, "undo/handled", "bob"));
  });
  ASSERT_FALSE(of_handler);
  EXPECT_THAT(of_handler.error().message, HasSubstr(asks.id));
  EXPECT_EQ(hub.all().size(), 2U);
  ASSERT_TRUE(hub.answer(asks.id, true, "bob"));
  EXPECT_EQ(hub.ended(asks.id).outcome, "undone");
}

TEST(Work, that_was_taken_back_stays_so_where_the_undo_of_the_undo_is_rejected_or_expires) {
  for (const bool rejected : {true, false}) {
    SCOPED_TRACE(rejected ? "rejected" : "expired");
    Hub hub;
    hub.mode(Mode::Auto);
    const Value finding = hub.bucket();
    const auto undone = hub.undo(hub.run(finding).id);
    ASSERT_TRUE(
        hub.store->write([&](store::Transaction& tx) { return changes::Settings::set(tx, "all", "four_eyes", true); }));
    const auto asks = hub.undo(undone.id);
    ASSERT_EQ(asks.outcome, "waits for approval");
    if (rejected) {
      ASSERT_TRUE(hub.answer(asks.id, false, "bob"));
    } else {
      hub.pass_to(hub.clock.now_ms() + 73 * hour_ms);
    }
    EXPECT_EQ(hub.ended(asks.id).outcome, rejected ? "rejected" : "expired");
    const auto before = hub.all().size();
    hub.import(later(finding, "04"));
    hub.import(other(finding, "tool/1"));
    EXPECT_EQ(hub.all().size(), before);
    hub.import(later(with_compliance(finding, "PASSED"), "05"));
    EXPECT_EQ(hub.run(later(with_compliance(finding, "FAILED"), "06")).outcome, "fixed");
  }
}

// A store of an earlier version keeps of an open undo no more than what it is to take back.
TEST(Work, that_was_taken_back_stays_so_where_the_undo_of_the_undo_began_before_an_upgrade_and_is_rejected) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  const auto undone = hub.undo(hub.run(finding).id);
  ASSERT_TRUE(
      hub.store->write([&](store::Transaction& tx) { return changes::Settings::set(tx, "all", "four_eyes", true); }));
  const auto asks = hub.undo(undone.id);
  ASSERT_EQ(asks.outcome, "waits for approval");
  ASSERT_TRUE(hub.store->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("UPDATE work SET before_undo = '', passed_before = 0 WHERE execution = ?", {asks.id}));
    return {};
  }));
  ASSERT_TRUE(hub.answer(asks.id, false, "bob"));
  ASSERT_EQ(hub.ended(asks.id).outcome, "rejected");
  const auto before = hub.all().size();
  hub.import(later(finding, "04"));
  hub.import(other(finding, "tool/1"));
  EXPECT_EQ(hub.all().size(), before);
  EXPECT_FALSE(hub.look("S3.4").compliant);
}

TEST(Work, that_was_observed_is_so_still_where_there_was_nothing_to_undo) {
  Hub hub;
  hub.mode(Mode::Observe);
  const Value finding = hub.bucket();
  const auto observed = hub.run(finding);
  EXPECT_EQ(hub.undo(observed.id).outcome, "nothing to undo");
  hub.import(later(finding, "04"));
  EXPECT_EQ(hub.all().size(), 2U);
  // Nor is it forgotten that the check has passed since.
  hub.import(later(with_compliance(finding, "PASSED"), "05"));
  EXPECT_EQ(hub.undo(observed.id).outcome, "nothing to undo");
  EXPECT_EQ(hub.run(later(with_compliance(finding, "FAILED"), "06")).outcome, "observed");
}

TEST(Work, that_was_excepted_begins_again_once_the_exception_has_ended) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  except_buckets(hub);
  EXPECT_EQ(hub.run(finding).outcome, "excepted");
  hub.import(later(finding, "04"));
  EXPECT_EQ(hub.all().size(), 1U);
  hub.clock.set_ms(parse_iso8601_ms("2033-01-02T00:00:00Z").value());
  EXPECT_EQ(hub.run(later(finding, "05")).outcome, "fixed");
}

TEST(Work, that_is_taken_back_is_so_on_each_finding_that_said_it_was_fixed) {
  Hub hub;
  const Value first = hub.bucket();
  const Value tool = other(first, "tool/1");
  hub.import(first);
  hub.import(tool);
  const auto open = hub.open();
  hub.ended_or_asks(open.id);
  ASSERT_TRUE(hub.answer(open.id, true, "ann"));
  ASSERT_EQ(hub.ended(open.id).outcome, "fixed");
  ASSERT_EQ(hub.status(tool), "RESOLVED");
  std::string last = open.id;
  for (int undos = 0; undos < 2; ++undos) {  // an undo of the undo is about the same findings
    const auto undone = hub.undo(last);
    ASSERT_EQ(undone.outcome, "undone");
    for (const Value* finding : {&first, &tool}) {
      EXPECT_EQ(hub.status(*finding), "NEW") << (*finding)["Id"].as_string();
      EXPECT_THAT(hub.note(*finding), StartsWith("Undone by ann: what execution " + last + " changed"));
      EXPECT_EQ(hub.stored(*finding)["UserDefinedFields"]["fixpoint:execution"].string_or(""), undone.id);
    }
    last = undone.id;
  }
}

// Whichever call of the undo fails, the findings and the work say what is so.
TEST(Work, whose_undo_fails_is_said_to_be_taken_back_as_far_as_it_is) {
  std::size_t taken_back = 0;
  for (std::size_t n = 1;; ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    Hub hub;
    const Value finding = hub.bucket();
    const Value tool = other(finding, "tool/1");
    hub.import(finding);
    hub.import(tool);
    const auto open = hub.open();
    hub.ended_or_asks(open.id);
    ASSERT_TRUE(hub.answer(open.id, true, "ann"));
    ASSERT_EQ(hub.ended(open.id).outcome, "fixed");
    hub.mode(Mode::Auto);
    hub.ear->fail_at(n, errors::access_denied("a policy denies it"));
    const auto undo = hub.undo(open.id);
    const bool hit = hub.ear->calls().size() >= n;
    hub.ear->clear();
    if (!hit) {
      EXPECT_EQ(undo.outcome, "undone");
      break;
    }
    const bool compliant = hub.look("S3.4").compliant;
    const auto before = hub.all().size();
    for (const Value* one : {&finding, &tool}) {
      if (undo.outcome == "undone") {
        EXPECT_EQ(hub.status(*one), "NEW");
      } else if (compliant) {
        EXPECT_EQ(hub.status(*one), "RESOLVED");
        EXPECT_THAT(undo.result["Note"].as_string(), HasSubstr("Nothing was taken back."));
      } else {
        EXPECT_EQ(hub.status(*one), "NOTIFIED");
        EXPECT_THAT(hub.note(*one), AllOf(StartsWith("The undo of execution " + open.id + " stopped at "),
                                          HasSubstr("Had been taken back: s3:DeleteBucketEncryption.")));
        ++taken_back;
      }
    }
    // What a person took back, be it without its being verified, is not fixed again by itself.
    hub.import(later(finding, "04"));
    if (!compliant) hub.import(other(finding, "late/1"));
    EXPECT_EQ(hub.all().size(), before);
  }
  EXPECT_GT(taken_back, 0U);
}

constexpr const char* bob = "arn:aws:iam::111111111111:user/bob";

/// Work that was fixed and whose undo waits for a person.
class WorkBeingTakenBack : public testing::Test {
 protected:
  WorkBeingTakenBack() {
    hub.mode(Mode::Auto);
    finding = hub.bucket();
    const auto fixed = hub.run(finding);
    hub.encrypt_otherwise();
    asks = hub.undo(fixed.id).id;
    known = {fixed.id, asks};
  }
  /// Answers the undo's question; how it ended.
  std::string end(bool approved) {
    if (!hub.answer(asks, approved, "ann")) throw std::runtime_error("the undo does not ask");
    const std::string outcome = hub.ended(asks).outcome;
    hub.settle();
    return outcome;
  }
  /// Executions that have begun since the undo.
  std::vector<executions::Execution> begun() {
    auto all = hub.all();
    std::erase_if(all, [&](const auto& one) { return known.contains(one.id) || one.kind == "nothing"; });
    return all;
  }
  Hub hub;
  Value finding;
  std::string asks;
  std::set<std::string> known;
};

TEST_F(WorkBeingTakenBack, is_begun_for_what_failed_meanwhile_once_the_undo_has_been_rejected) {
  const Value tool = other(finding, "tool/1");
  hub.import(tool);
  for (const auto* hour : {"04", "05"}) hub.import(later(tool, hour));
  EXPECT_TRUE(begun().empty());
  EXPECT_THAT(hub.journal_of(asks), HasSubstr("meanwhile the work was asked for by the finding tool/1"));
  EXPECT_EQ(hub.works->attached(asks).value().size(), 0U);
  EXPECT_EQ(end(false), "rejected");
  ASSERT_EQ(begun().size(), 1U);
  const auto last = begun()[0];
  EXPECT_EQ(hub.ended(last.id).outcome, "compliant");
  EXPECT_EQ(hub.status(tool), "RESOLVED");
  EXPECT_THAT(hub.journal_of(asks),
              HasSubstr("what the finding tool/1 asked for meanwhile is done by the execution " + last.id));
  const auto resumed = hub.works->resumed(asks).value();
  ASSERT_EQ(resumed.size(), 1U);
  EXPECT_EQ(std::pair(resumed[0].id, resumed[0].execution), std::pair(std::string("tool/1"), last.id));
}

TEST_F(WorkBeingTakenBack, is_begun_for_what_failed_meanwhile_once_nobody_has_answered_the_undo) {
  hub.import(other(finding, "tool/1"));
  hub.pass_to(hub.clock.now_ms() + 73 * hour_ms);
  EXPECT_EQ(hub.ended(asks).outcome, "expired");
  hub.settle();
  EXPECT_EQ(hub.status(other(finding, "tool/1")), "RESOLVED");
}

TEST_F(WorkBeingTakenBack, is_begun_by_no_finding_once_it_is_taken_back) {
  const Value tool = other(finding, "tool/1");
  hub.import(tool);
  EXPECT_EQ(end(true), "undone");
  EXPECT_TRUE(begun().empty());
  EXPECT_EQ(hub.status(tool), "NEW");
  EXPECT_THAT(hub.journal_of(asks), HasSubstr("begins nothing"));
  EXPECT_TRUE(hub.works->resumed(asks).value().empty());
  EXPECT_FALSE(hub.look("S3.4").compliant);
}

TEST_F(WorkBeingTakenBack, is_begun_by_a_persons_word_whichever_way_the_undo_ends) {
  hub.mode(Mode::Observe);
  hub.choose(finding, bob);
  EXPECT_TRUE(begun().empty());
  EXPECT_EQ(end(true), "undone");
  ASSERT_EQ(begun().size(), 1U);
  const auto fixed = hub.ended(begun()[0].id);
  EXPECT_EQ(fixed.outcome, "fixed");
  EXPECT_EQ(fixed.input["By"].string_or(""), bob);
  EXPECT_TRUE(hub.look("S3.4").compliant);
  EXPECT_EQ(hub.status(finding), "RESOLVED");
}

TEST_F(WorkBeingTakenBack, is_begun_as_a_person_decided_and_with_the_findings_that_came_before) {
  hub.mode(Mode::Ask);
  const Value tool = other(finding, "tool/1");
  hub.import(tool);
  hub.weaken();
  hub.choose(finding, bob);
  EXPECT_EQ(end(false), "rejected");
  ASSERT_EQ(begun().size(), 1U);
  EXPECT_EQ(hub.ended(begun()[0].id).outcome, "fixed");  // without a question
  EXPECT_EQ(hub.status(tool), "RESOLVED");
}

TEST_F(WorkBeingTakenBack, is_not_begun_for_a_finding_that_is_no_longer_new) {
  const Value tool = other(finding, "tool/1");
  const Value scanner = other(finding, "scanner/1");
  hub.import(tool);
  hub.import(scanner);
  ASSERT_TRUE(hub.store->write([&](store::Transaction& tx) {
    return hub.securityhub->update(tx, findings::key_of(tool), Object{{"Workflow", Object{{"Status", "SUPPRESSED"}}}},
                                   "ann");
  }));
  hub.import(later(with_compliance(scanner, "PASSED"), "05"));
  EXPECT_EQ(end(false), "rejected");
  EXPECT_TRUE(begun().empty());
  EXPECT_EQ(hub.status(tool), "SUPPRESSED");
}

TEST(Work, that_waits_is_approved_by_the_custom_action_on_its_finding) {
  Hub hub;
  const Value finding = hub.bucket();
  const auto asks = hub.run(finding);
  hub.choose(finding);
  const auto ended = hub.ended(asks.id);
  EXPECT_EQ(ended.outcome, "fixed");
  const auto approval = hub.approvals->of(asks.id).value().at(0);
  EXPECT_EQ(approval.answered_by, "arn:aws:iam::111111111111:user/ann");
  EXPECT_EQ(approval.because, "chose the custom action Fix it");
  EXPECT_EQ(hub.all().size(), 1U);
}

// Anybody who may put events, a handler among them, could have decided by one that looks like a chosen action.
TEST(Work, asks_when_an_event_that_is_not_security_hubs_says_that_a_person_decided) {
  Hub hub;
  const Value finding = hub.bucket();
  const auto forged = [&](const std::string& source) {
    const Value event =
        hub.bus->make_event({hub.caller.account, hub.caller.region}, source, "Security Hub Findings - Custom Action",
                            json::Array{}, Object{{"actionName", "Fix it"}, {"findings", json::Array{finding}}});
    return hub.store->write([&](store::Transaction& tx) { return hub.bus->publish(tx, event); });
  };
  for (const auto* source : {"me", "AWS.securityhub", "aws.securityhub.x", "aws.securityHub"})
    ASSERT_TRUE(forged(source));
  hub.settle();
  const auto all = hub.all();
  ASSERT_EQ(all.size(), 1U);  // what they name is one piece of work
  EXPECT_EQ(all[0].outcome, "waits for approval");
  EXPECT_FALSE(all[0].input["Decided"].bool_or(false));
}

// What was chosen once was decided about what was then, and whoever starts a replay chooses nothing; nor does a
// handler.
TEST(Work, asks_when_a_chosen_action_is_replayed_or_chosen_by_nobody) {
  Hub hub;
  const Value finding = hub.bucket();
  const std::string ann = "arn:aws:iam::111111111111:user/ann";
  const auto chosen = [&](const char* replay, const bus::Origin& origin) {
    Value event = hub.bus->make_event({hub.caller.account, hub.caller.region}, "aws.securityhub",
                                      "Security Hub Findings - Custom Action", json::Array{},
                                      Object{{"actionName", "Fix it"}, {"findings", json::Array{finding}}});
    if (replay != nullptr) event.set("replay-name", replay);
    const bus::BusName where{hub.caller.account, hub.caller.region, hub.caller.partition, "default"};
    const auto published = hub.store->write(
        [&](store::Transaction& tx) { return hub.bus->publish(tx, Hub::must(hub.bus->match(where, event)), origin); });
    ASSERT_TRUE(published);
  };
  chosen("again", {"", ann});
  chosen(nullptr, {"an-execution", ann});
  chosen(nullptr, {});
  hub.settle();
  auto all = hub.all();
  ASSERT_EQ(all.size(), 1U);  // what they name is one piece of work
  EXPECT_EQ(all[0].outcome, "waits for approval");
  EXPECT_FALSE(all[0].input["Decided"].bool_or(false));
  chosen(nullptr, {"", ann});
  EXPECT_EQ(hub.ended(all[0].id).outcome, "fixed");
}

// With four eyes, who brought the finding, put the event or started the replay asked for it.
TEST(Work, that_a_rule_begins_is_asked_for_by_who_caused_the_event) {
  Hub hub;
  const Value finding = hub.bucket();
  const std::string ann = "arn:aws:iam::111111111111:user/ann";
  const auto asked_by = [&](const bus::Origin& origin) {
    const Value event = hub.bus->make_event({hub.caller.account, hub.caller.region}, "aws.securityhub",
                                            "Security Hub Findings - Imported", json::Array{},
                                            Object{{"findings", json::Array{finding}}});
    const bus::BusName where{hub.caller.account, hub.caller.region, hub.caller.partition, "default"};
    const auto published = hub.store->write(
        [&](store::Transaction& tx) { return hub.bus->publish(tx, Hub::must(hub.bus->match(where, event)), origin); });
    EXPECT_TRUE(published);
    const auto open = hub.open();
    hub.ended_or_asks(open.id);
    const std::string by = hub.approvals->of(open.id).value().at(0).requested_by;
    EXPECT_TRUE(hub.answer(open.id, false, "bob"));
    hub.ended(open.id);
    return by;
  };
  EXPECT_EQ(asked_by({"", ann}), ann);
  EXPECT_EQ(asked_by({"", "arn:aws:sts::111111111111:assumed-role/r/bob, assumed by " + ann}),
            "arn:aws:sts::111111111111:assumed-role/r/bob, assumed by " + ann);
  // Of an execution, or of a session that nobody knows, the rule asks.
  const std::string rule = "arn:aws:events:us-east-1:111111111111:rule/fix";
  EXPECT_EQ(asked_by({}), rule);
  EXPECT_EQ(asked_by({"", "arn:aws:sts::111111111111:assumed-role/r/bob"}), rule);
}

// A scanner or a hub reports from its own region what is in another.
TEST(Work, is_done_where_the_resource_is_and_not_where_it_was_reported) {
  Hub hub;
  listen_in(hub, "eu-west-1");
  Value finding = hub.scene_of("EC2.13");
  const Value resource = finding["Resources"][0];
  const auto group = parse_arn(resource["Id"].as_string()).value();
  const auto reported = [&](const std::string& id, const Value& of, const char* region) {
    Value copy = other(finding, id);
    copy.set("Region", region);
    copy.set("Resources", json::Array{of});
    return copy;
  };
  Value nowhere = resource;
  nowhere.as_object().erase("Region");
  const auto asks = hub.run(reported("from-afar", nowhere, "eu-west-1"));
  EXPECT_EQ(asks.region, group.region);
  EXPECT_EQ(asks.outcome, "waits for approval");
  Arn elsewhere = group;
  elsewhere.region = "eu-west-1";
  nowhere.set("Id", elsewhere.to_string());
  const auto gone = hub.run(reported("elsewhere", nowhere, "us-east-1"));
  EXPECT_EQ(gone.region, "eu-west-1");
  EXPECT_EQ(gone.outcome, "gone");
}

TEST(Flapping, moves_the_pair_to_ask_at_the_third_revert_in_a_day_and_raises_one_alert) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "fixed");
  for (const auto* hour : {"04", "05"}) {
    turn_back(hub, finding, hour);
    hub.clock.advance_ms(hour_ms);
    EXPECT_EQ(hub.run(later(finding, hour)).outcome, "fixed");
    EXPECT_TRUE(hub.works->flapping().value().empty());
  }
  turn_back(hub, finding, "06");
  hub.clock.advance_ms(hour_ms);
  const auto asks = hub.run(later(finding, "06"));
  EXPECT_EQ(asks.outcome, "waits for approval");
  EXPECT_EQ(hub.status(finding), "NOTIFIED");
  EXPECT_THAT(hub.journal_of(asks.id), HasSubstr("was turned back (3 in the last day)"));
  const auto flapping = hub.works->flapping().value();
  ASSERT_EQ(flapping.size(), 1U);
  EXPECT_EQ(flapping[0].work.control, "S3.4");
  EXPECT_EQ(flapping[0].work.resource, hub.arn);
  EXPECT_EQ(flapping[0].reverts, 3);
  EXPECT_EQ(flapping[0].execution, asks.id);
  std::vector<executions::Notice> alerts;
  for (const auto& notice : hub.told())
    if (notice.kind == "Alert") alerts.push_back(notice);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].detail["Alert"].string_or(""), "flapping");
  EXPECT_THAT(std::string(alerts[0].detail["Message"].string_or("")), HasSubstr(hub.arn));
  // Approved, and turned back once more: it asks again, without another alert.
  ASSERT_TRUE(hub.answer(asks.id, true, "ann"));
  EXPECT_EQ(hub.ended(asks.id).outcome, "fixed");
  turn_back(hub, finding, "07");
  EXPECT_EQ(hub.run(later(finding, "07")).outcome, "waits for approval");
  const auto kinds = hub.notices();
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "Alert"), 1);
}

TEST(Flapping, counts_a_day_only) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "fixed");
  for (const auto* hour : {"01", "02", "03", "04", "05"}) {
    turn_back(hub, finding, hour);
    hub.clock.advance_ms(13 * hour_ms);  // never three within 24 hours
    EXPECT_EQ(hub.run(later(finding, hour)).outcome, "fixed") << hour;
  }
  EXPECT_TRUE(hub.works->flapping().value().empty());
}

Result<void> reset(Hub& hub, const std::string& control, const std::string& resource) {
  return hub.store->write([&](store::Transaction& tx) { return hub.works->reset(tx, control, resource, "ann"); });
}

TEST(Flapping, is_reset_by_name_and_only_where_there_is_some) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "fixed");
  for (const auto* hour : {"04", "05"}) {
    turn_back(hub, finding, hour);
    EXPECT_EQ(hub.run(later(finding, hour)).outcome, "fixed");
  }
  turn_back(hub, finding, "06");
  const auto asks = hub.run(later(finding, "06"));
  EXPECT_EQ(asks.outcome, "waits for approval");
  const auto unknown = reset(hub, "S3.4", "arn:aws:s3:::another");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "ResourceNotFoundException");
  EXPECT_THAT(unknown.error().message, HasSubstr("arn:aws:s3:::another"));
  ASSERT_TRUE(reset(hub, "S3.4", hub.arn));
  EXPECT_TRUE(hub.works->flapping().value().empty());
  EXPECT_FALSE(reset(hub, "S3.4", hub.arn));
  ASSERT_TRUE(hub.answer(asks.id, true, "ann"));
  EXPECT_EQ(hub.ended(asks.id).outcome, "fixed");
  turn_back(hub, finding, "07");
  EXPECT_EQ(hub.run(later(finding, "07")).outcome, "fixed");  // the count begins anew
}

// What a person decided is done, flapping or not; it is counted all the same.
TEST(Flapping, does_not_hold_up_a_persons_own_decision) {
  Hub hub;
  hub.mode(Mode::Auto);
  const Value finding = hub.bucket();
  EXPECT_EQ(hub.run(finding).outcome, "fixed");
  for (const auto* hour : {"04", "05"}) {
    turn_back(hub, finding, hour);
    EXPECT_EQ(hub.run(later(finding, hour)).outcome, "fixed");
  }
  turn_back(hub, finding, "06");
  hub.choose(finding);
  hub.settle();
  EXPECT_TRUE(hub.look("S3.4").compliant);
  EXPECT_EQ(hub.works->flapping().value().size(), 1U);
}

}  // namespace
}  // namespace fixpoint::gateway
