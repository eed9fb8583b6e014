#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/log.h"
#include "json/text.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::audit {
namespace {

using json::Value;
using testing::HasSubstr;

// Computed with Python's hashlib and json.dumps(..., sort_keys=True, separators=(",", ":"), ensure_ascii=False).
constexpr const char* first_hash = "e97f84c0d6fbc20cb72441e81a01f8dfc097627eac6a163c4553175cf5a0e356";
constexpr const char* second_hash = "f1b1bdbb51e3c8bb817a5009f4da45a154654926b8fb20a406d17b75f5f2f5d9";

class AuditLog : public testing::Test {
 protected:
  AuditLog() : clock(1'700'000'000'000) {
    auto opened = store::Store::open(test::store_options(), {Log::schema()});
    store = std::move(opened.value());
    log = std::make_unique<Log>(*store, clock);
  }

  void two_records() {
    ASSERT_TRUE(log->append("mode.set", Value(json::Object{{"Scope", "all"}, {"Mode", "auto"}, {"By", "Zoë \"Z\""}})));
    clock.advance_ms(1500);
    ASSERT_TRUE(log->append("change.made", Value(json::Object{{"Execution", "e-1"}, {"Rate", 0.5}, {"Count", 3}})));
  }

  Result<void> walk(std::optional<Head> kept = {}) {
    Chain chain(std::move(kept));
    FIXPOINT_TRY(records, log->after(0, 1000));
    for (const Record& record : records) FIXPOINT_CHECK(chain.follow(record));
    return chain.end();
  }

  void tamper(const std::string& sql) {
    ASSERT_TRUE(store->write([&](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute(sql));
      return {};
    }));
  }

  ManualClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Log> log;
};

TEST_F(AuditLog, hashes_as_the_documented_recipe_does) {
  two_records();
  const auto records = log->after(0, 10).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].hash, first_hash);
  EXPECT_EQ(records[1].hash, second_hash);
  EXPECT_EQ(records[1].previous, first_hash);
  EXPECT_EQ(to_text(log->head().value()), std::string("2:") + second_hash);
  EXPECT_TRUE(walk());
}

TEST_F(AuditLog, a_record_survives_its_export) {
  two_records();
  Chain chain;
  const auto records = log->after(0, 10).value();
  for (const Record& record : records) {
    const auto read = record_of(json::parse(json::print(to_json(record))).value());
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_TRUE(chain.follow(*read));
  }
}

TEST_F(AuditLog, an_empty_log_is_whole_and_its_head_is_number_0) {
  EXPECT_TRUE(walk());
  EXPECT_EQ(to_text(log->head().value()), "0:" + std::string(64, '0'));
}

TEST_F(AuditLog, a_record_goes_with_the_transaction_that_failed) {
  const auto failed = store->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(log->append(tx, "change.intended", Value(json::Object())));
    FIXPOINT_CHECK(log->append(tx, "change.made", Value(json::Object())));
    return fail(errors::validation("no"));
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(log->head().value().number, 0);
  two_records();
  EXPECT_TRUE(walk());
}

TEST_F(AuditLog, several_records_of_one_transaction_follow_each_other) {
  ASSERT_TRUE(store->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(log->append(tx, "change.intended", Value(json::Object())));
    return log->append(tx, "change.made", Value(json::Object()));
  }));
  EXPECT_EQ(log->head().value().number, 2);
  EXPECT_TRUE(walk());
}

TEST_F(AuditLog, gives_the_records_of_one_execution) {
  two_records();
  const auto records = log->after(0, 10, "e-1").value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].kind, "change.made");
  EXPECT_TRUE(log->after(2, 10).value().empty());
}

TEST_F(AuditLog, an_altered_record_shows) {
  two_records();
  tamper(R"(UPDATE audit SET about = '{"Scope":"all","Mode":"observe"}' WHERE number = 1)");
  const auto walked = walk();
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, "AuditBroken");
  EXPECT_THAT(walked.error().message, HasSubstr("record 1 was altered"));
}

TEST_F(AuditLog, a_moved_time_shows) {
  two_records();
  tamper("UPDATE audit SET at_ms = at_ms - 1 WHERE number = 2");
  EXPECT_THAT(walk().error().message, HasSubstr("record 2 was altered"));
}

TEST_F(AuditLog, a_record_taken_out_shows) {
  two_records();
  tamper("DELETE FROM audit WHERE number = 1");
  EXPECT_THAT(walk().error().message, HasSubstr("record 2 stands where record 1 has to be"));
}

TEST_F(AuditLog, records_renumbered_after_a_theft_show) {
  two_records();
  tamper("DELETE FROM audit WHERE number = 1");
  tamper("UPDATE audit SET number = 1 WHERE number = 2");
  EXPECT_THAT(walk().error().message, HasSubstr("record 1 does not follow from the record before it"));
}

TEST_F(AuditLog, a_record_that_cannot_be_read_shows_and_those_before_it_are_still_to_be_had) {
  for (const auto* about : {"{\"Execution\":", "", "[1]", "7"}) {
    tamper("DELETE FROM audit");
    two_records();
    tamper(std::string("UPDATE audit SET about = '") + about + "' WHERE number = 2");
    EXPECT_EQ(log->after(0, 10).value().size(), 1U) << about;
    const auto rest = log->after(1, 10);
    ASSERT_FALSE(rest) << about;
    EXPECT_EQ(rest.error().code, "AuditBroken");
    EXPECT_THAT(rest.error().message, HasSubstr("record 2 was damaged"));
  }
}

TEST_F(AuditLog, a_member_slipped_in_before_one_of_its_name_shows) {
  two_records();
  // A reader that takes the last of a name sees what was written first, and another one what was slipped in.
  tamper(R"(UPDATE audit SET about = '{"Scope":"none",' || substr(about, 2) WHERE number = 1)");
  const auto records = log->after(0, 10);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, "AuditBroken");
  EXPECT_THAT(records.error().message, HasSubstr("record 1 was altered: its About names a member twice"));
}

TEST_F(AuditLog, a_record_taken_out_of_its_execution_shows) {
  for (const auto* execution : {"", "e-2"}) {
    tamper("DELETE FROM audit");
    two_records();
    tamper(std::string("UPDATE audit SET execution = '") + execution + "' WHERE number = 2");
    const auto records = log->after(1, 10);
    ASSERT_FALSE(records) << execution;
    EXPECT_EQ(records.error().code, "AuditBroken");
    EXPECT_THAT(records.error().message, HasSubstr("record 2 was altered: it is found as one of the execution '" +
                                                   std::string(execution) + "', and is about 'e-1'"));
  }
}

TEST_F(AuditLog, a_cut_end_shows_against_a_kept_head) {
  two_records();
  const Head kept = log->head().value();
  tamper("DELETE FROM audit WHERE number = 2");
  EXPECT_TRUE(walk());  // by itself it looks whole
  EXPECT_THAT(walk(kept).error().message, HasSubstr("its end was cut off"));
}

TEST_F(AuditLog, a_log_that_was_rewritten_whole_shows_against_a_kept_head) {
  two_records();
  const Head kept = log->head().value();
  tamper("DELETE FROM audit");
  ASSERT_TRUE(log->append("mode.set", Value(json::Object{{"Scope", "all"}, {"Mode", "observe"}})));
  ASSERT_TRUE(log->append("mode.set", Value(json::Object{{"Scope", "all"}, {"Mode", "ask"}})));
  EXPECT_TRUE(walk());
  EXPECT_THAT(walk(kept).error().message, HasSubstr("the log was rewritten"));
}

TEST_F(AuditLog, goes_on_after_a_kept_head) {
  two_records();
  const Head kept = log->head().value();
  ASSERT_TRUE(log->append("mode.set", Value(json::Object())));
  EXPECT_TRUE(walk(kept));
}

TEST(AuditHead, refuses_what_is_no_head) {
  for (const auto* text :
       {"", "7", "x:y", "7:abc", "-1:0000000000000000000000000000000000000000000000000000000000000000",
        "1:000000000000000000000000000000000000000000000000000000000000000G"})
    EXPECT_FALSE(head_of(text)) << text;
  EXPECT_TRUE(head_of("1:" + std::string(64, 'a')));
}

TEST_F(AuditLog, a_line_of_an_export_is_read_whatever_its_order_and_blanks) {
  two_records();
  const Record first = log->after(0, 1).value()[0];
  const std::string line = json::print(to_json(first));
  const std::string other =
      R"( { "Hash" : ")" + first.hash + R"(", "About": {"By": "Zo\u00eb \"Z\"", "Mode": "auto", "Scope": "all"},)" +
      R"("Kind":"mode.set","At":"2023-11-14T22:13:20.000Z","Previous":")" + first.previous + R"(","Number":1})";
  for (const std::string& text : {line, other}) {
    const auto read = record_of_line(text);
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_TRUE(Chain().follow(*read)) << text;
  }
}

TEST_F(AuditLog, a_line_of_an_export_with_more_than_its_record_is_none) {
  two_records();
  const std::string line = json::print(to_json(log->after(0, 1).value()[0]));
  const auto with = [&](std::string_view at, const std::string& more) {
    std::string text = line;
    return text.insert(text.find(at), more);
  };
  ASSERT_TRUE(record_of_line(line));
  EXPECT_FALSE(record_of_line(with("\"Number\"", R"("X":1,)")));
  EXPECT_FALSE(record_of_line(with("\"Number\"", R"("Number":9,)")));
  EXPECT_FALSE(record_of_line(with("\"Number\"", R"("\u004eumber":9,)")));
  EXPECT_FALSE(record_of_line(with("\"About\"", R"("About":{"Mode":"observe"},)")));
  EXPECT_FALSE(record_of_line(with("\"Mode\"", R"("Mode":"ob\":serve",)")));
  EXPECT_FALSE(record_of_line(with("\"Mode\"", R"("Within":[{"Deep":{"A":1,"A":2}}],)")));
  EXPECT_FALSE(record_of_line(line + "x"));
  EXPECT_FALSE(record_of_line(line.substr(0, line.size() / 2)));
  EXPECT_FALSE(record_of_line("garbage"));
  std::string time = line;
  time.replace(time.find("20.000Z"), 7, "20Z");
  EXPECT_FALSE(record_of_line(time)) << "its time is hashed in one spelling";
}

TEST(AuditRecord, refuses_what_has_not_its_form) {
  for (const auto* text :
       {"{}", "[]", "3", R"({"Number":0,"At":"2023-11-14T22:13:20Z","Kind":"k","About":{},"Previous":"","Hash":""})",
        R"({"Number":1,"At":"yesterday","Kind":"k","About":{},"Previous":"","Hash":""})",
        R"({"Number":1,"At":"2023-11-14T22:13:20Z","Kind":"k","About":[],"Previous":"","Hash":""})"})
    EXPECT_FALSE(record_of(json::parse(text).value())) << text;
}

}  // namespace
}  // namespace fixpoint::audit
