#include "findings/store_of_findings.h"

namespace fixpoint::findings {
namespace {

using json::Value;

TEST_F(StoreOfFindings, an_import_is_found_again_with_its_defaults) {
  EXPECT_TRUE(import(sample()).created);
  const Page page = find(R"({"Id":[{"Value":"finding-1","Comparison":"EQUALS"}]})");
  ASSERT_EQ(page.findings.size(), 1U);
  EXPECT_EQ(page.findings[0]["Workflow"]["Status"], Value("NEW"));
  EXPECT_EQ(page.findings[0]["RecordState"], Value("ACTIVE"));
  EXPECT_EQ(page.findings[0]["Severity"]["Normalized"], Value(40));
  EXPECT_EQ(page.findings[0]["Region"], Value("us-east-1"));
}

TEST_F(StoreOfFindings, a_second_import_keeps_what_the_customer_wrote) {
  import(sample());
  update(R"({"Note":{"Text":"mine","UpdatedBy":"me"},"Workflow":{"Status":"NOTIFIED"},"UserDefinedFields":{"a":"b"}})");
  Value again = sample();
  again.set("Note", json::Object{{"Text", "theirs"}, {"UpdatedBy", "them"}});
  again.set("Workflow", json::Object{{"Status", "NEW"}});
  again.set("Title", "new title");
  again.set("UpdatedAt", "2024-01-03T00:00:00Z");
  const Stored stored = import(again);
  EXPECT_FALSE(stored.created);
  EXPECT_EQ(stored.finding["Note"]["Text"], Value("mine"));
  EXPECT_EQ(stored.finding["Workflow"]["Status"], Value("NOTIFIED"));
  EXPECT_EQ(stored.finding["UserDefinedFields"]["a"], Value("b"));
  EXPECT_EQ(stored.finding["Title"], Value("new title"));
}

TEST_F(StoreOfFindings, what_is_the_customers_alone_is_taken_from_the_first_import_only) {
  Value first = sample();
  first.set("Note", json::Object{{"Text", "from the first"}, {"UpdatedBy", "provider"}});
  EXPECT_EQ(import(first).finding["Note"]["Text"], Value("from the first"));
  Value again = later(sample(), 1);
  for (const auto* member : {"UserDefinedFields", "VerificationState", "Workflow", "Note"})
    again.set(member, *json::parse(R"({"UserDefinedFields":{"a":"b"},"VerificationState":"TRUE_POSITIVE",
      "Workflow":{"Status":"SUPPRESSED"},"Note":{"Text":"later","UpdatedBy":"provider"}})")
                           ->find(member));
  const Value finding = import(again).finding;
  EXPECT_EQ(finding["Note"]["Text"], Value("from the first"));
  EXPECT_EQ(finding["Workflow"]["Status"], Value("NEW"));
  EXPECT_EQ(finding.find("UserDefinedFields"), nullptr);
  EXPECT_EQ(finding.find("VerificationState"), nullptr);
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
TEST_F(StoreOfFindings, what_the_provider_gives_stands_until_the_customer_sets_it) {
  Value first = sample();
  first.set("Confidence", 50);
  Value finding = import(first).finding;
  EXPECT_EQ(finding["FindingProviderFields"]["Confidence"], Value(50));
  EXPECT_EQ(finding["FindingProviderFields"]["Severity"]["Label"], Value("MEDIUM"));
  EXPECT_EQ(finding["FindingProviderFields"]["Types"].size(), 1U);

  Value second = later(sample(), 1);
  second.set("FindingProviderFields", *json::parse(R"({"Confidence":60,"Criticality":10,"Severity":{"Label":"HIGH"},
    "Types":["TTPs/Discovery"],"RelatedFindings":[{"ProductArn":"p","Id":"i"}]})"));
  finding = import(second).finding;
  EXPECT_EQ(finding["Confidence"], Value(60));
  EXPECT_EQ(finding["Criticality"], Value(10));
  EXPECT_EQ(finding["Severity"]["Label"], Value("HIGH"));
  EXPECT_EQ(finding["Severity"]["Normalized"], Value(70));
  EXPECT_EQ(finding["Types"][0], Value("TTPs/Discovery"));
  EXPECT_EQ(finding["RelatedFindings"].size(), 1U);

  update(R"({"Severity":{"Label":"LOW"},"Confidence":99,"Criticality":1,"Types":["Effects"],
    "RelatedFindings":[{"ProductArn":"q","Id":"j"},{"ProductArn":"q","Id":"k"}]})");
  Value third = later(second, 2);
  third.set("Severity", json::Object{{"Label", "CRITICAL"}});
  third.set("FindingProviderFields", *json::parse(R"({"Confidence":70,"Criticality":20,"Severity":{"Label":"CRITICAL"},
    "Types":["TTPs/Execution"],"RelatedFindings":[]})"));
  finding = import(third).finding;
  EXPECT_EQ(finding["Severity"]["Label"], Value("LOW"));
  EXPECT_EQ(finding["Confidence"], Value(99));
  EXPECT_EQ(finding["Criticality"], Value(1));
  EXPECT_EQ(finding["Types"][0], Value("Effects"));
  EXPECT_EQ(finding["RelatedFindings"].size(), 2U);
  EXPECT_EQ(finding["FindingProviderFields"]["Severity"]["Label"], Value("CRITICAL"));
  EXPECT_EQ(finding["FindingProviderFields"]["Confidence"], Value(70));
}

TEST_F(StoreOfFindings, an_import_that_is_not_newer_is_ignored) {
  import(later(sample(), 2));
  Value same = later(sample(), 2);
  same.set("Title", "said again");
  EXPECT_TRUE(import(same).ignored);
  Value older = later(sample(), 1);
  older.set("Title", "an older word");
  EXPECT_TRUE(import(older).ignored);
  EXPECT_EQ(stored()["Title"], sample()["Title"]);
  Value zone = sample();
  zone.set("UpdatedAt", "2024-02-02T01:00:00+01:00");  // the same moment, told otherwise
  EXPECT_TRUE(import(zone).ignored);
  EXPECT_FALSE(import(later(sample(), 3)).ignored);
}

TEST_F(StoreOfFindings, a_customers_update_leaves_the_providers_time_alone) {
  import(sample());
  clock_.advance_ms(1000);
  const Value finding = update(R"({"Note":{"Text":"x","UpdatedBy":"me"}})")->finding;
  EXPECT_EQ(finding["UpdatedAt"], sample()["UpdatedAt"]);
  EXPECT_EQ(finding["Note"]["UpdatedAt"], Value("2024-01-02T03:04:06.678Z"));
}

struct Reset {
  const char* status;  // that the customer set
  const char* before;  // members of the import before it was set ...
  const char* after;   // ... and of the one after
  const char* expected;
};

// https://docs.aws.amazon.com/securityhub/latest/userguide/findings-workflow-status.html, case by case; on a finding of
// another product, since those of controls that passed are resolved by themselves.
TEST_F(StoreOfFindings, the_workflow_is_reset_where_aws_resets_it_and_nowhere_else) {
  const char* passed = R"({"Compliance":{"Status":"PASSED"}})";
  const char* failed = R"({"Compliance":{"Status":"FAILED"}})";
  const char* warning = R"({"Compliance":{"Status":"WARNING"}})";
  const char* unknown = R"({"Compliance":{"Status":"NOT_AVAILABLE"}})";
  const char* archived = R"({"RecordState":"ARCHIVED"})";
  const char* active = R"({"RecordState":"ACTIVE"})";
  const Reset resets[] = {{"RESOLVED", passed, failed, "NEW"},          {"RESOLVED", passed, warning, "NEW"},
                          {"RESOLVED", passed, unknown, "NEW"},         {"NOTIFIED", passed, failed, "NEW"},
                          {"NOTIFIED", passed, warning, "NEW"},         {"NOTIFIED", passed, unknown, "NEW"},
                          {"RESOLVED", archived, active, "NEW"},        {"NOTIFIED", archived, active, "NEW"},
                          {"SUPPRESSED", passed, failed, "SUPPRESSED"}, {"SUPPRESSED", archived, active, "SUPPRESSED"},
                          {"RESOLVED", failed, failed, "RESOLVED"},     {"RESOLVED", warning, failed, "RESOLVED"},
                          {"RESOLVED", unknown, failed, "RESOLVED"},    {"RESOLVED", failed, passed, "RESOLVED"},
                          {"NOTIFIED", failed, passed, "NOTIFIED"},     {"RESOLVED", active, archived, "RESOLVED"},
                          {"RESOLVED", active, active, "RESOLVED"},     {"NOTIFIED", warning, unknown, "NOTIFIED"}};
  int number = 0;
  for (const Reset& reset : resets) {
    const std::string id = "reset-" + std::to_string(++number);
    const auto with = [&](const char* members, int day) {
      Value finding = later(sample(id), day);
      finding.set("ProductArn", "arn:aws:securityhub:us-east-1:111111111111:product/111111111111/default");
      const Value parsed = *json::parse(members);
      for (const auto& member : parsed.as_object()) finding.set(member.key, member.value);
      return finding;
    };
    import(with(reset.before, 1));
    const Value change(json::Object{{"Workflow", json::Object{{"Status", reset.status}}}});
    ASSERT_TRUE(store_->write(
        [&](store::Transaction& tx) { return findings_.update(tx, key_of(with(reset.before, 1)), change, "me"); }));
    EXPECT_EQ(import(with(reset.after, 2)).finding["Workflow"]["Status"], Value(reset.expected))
        << reset.status << ": " << reset.before << " then " << reset.after;
  }
}

TEST_F(StoreOfFindings, a_finding_of_a_control_that_passes_is_resolved) {
  Value passed = sample();
  passed.set("Compliance", json::Object{{"Status", "PASSED"}});
  EXPECT_EQ(import(passed).finding["Workflow"]["Status"], Value("RESOLVED"));
  EXPECT_EQ(import(later(sample(), 1)).finding["Workflow"]["Status"], Value("NEW"));
  update(R"({"Workflow":{"Status":"SUPPRESSED"}})");
  EXPECT_EQ(import(later(passed, 2)).finding["Workflow"]["Status"], Value("SUPPRESSED"));
  Value other = passed;
  other.set("ProductArn", "arn:aws:securityhub:us-east-1::product/acme/scanner");
  EXPECT_EQ(import(other).finding["Workflow"]["Status"], Value("NEW"));
}

TEST_F(StoreOfFindings, the_same_finding_twice_in_one_call_is_one_finding) {
  Value second = later(sample(), 1);
  second.set("Title", "the second word");
  std::vector<Prepared> both;
  both.push_back(findings_.prepare(sample()));
  both.push_back(findings_.prepare(second));
  const auto outcomes = store_->write([&](store::Transaction& tx) { return findings_.import(tx, both); }).value();
  EXPECT_TRUE(outcomes[0].created);
  EXPECT_FALSE(outcomes[1].created);
  EXPECT_EQ(find("{}").findings.size(), 1U);
  EXPECT_EQ(stored()["Title"], Value("the second word"));
}

TEST_F(StoreOfFindings, two_products_may_use_one_id) {
  Value other = sample();
  other.set("ProductArn", "arn:aws:securityhub:us-east-1::product/acme/scanner");
  other.set("Title", "of the other");
  EXPECT_TRUE(import(sample()).created);
  EXPECT_TRUE(import(other).created);
  EXPECT_EQ(stored()["Title"], sample()["Title"]);
  EXPECT_EQ(find(R"({"Id":[{"Value":"finding-1","Comparison":"EQUALS"}]})").findings.size(), 2U);
  EXPECT_EQ(findings_.resolve("finding-1").error().code, "ValidationException");
  EXPECT_EQ(findings_.resolve("nobody").error().code, "ResourceNotFoundException");
  import(sample("finding-2"));
  EXPECT_EQ(findings_.resolve("finding-2")->product_arn, sample()["ProductArn"].as_string());
}

HistoryPage history_of(FindingStore& findings, TimeMs from, TimeMs to, std::size_t limit, const std::string& token) {
  auto page = findings.history(key_of(sample()), from, to, limit, token);
  EXPECT_TRUE(page) << (page ? "" : describe(page.error()));
  return page ? std::move(*page) : HistoryPage{};
}

TEST_F(StoreOfFindings, history_says_what_changed_by_whom_and_when) {
  const TimeMs start = clock_.now_ms();
  import(sample());
  clock_.advance_ms(1000);
  update(R"({"Workflow":{"Status":"NOTIFIED"},"Note":{"Text":"mine","UpdatedBy":"anna"}})");
  clock_.advance_ms(1000);
  Value again = later(sample(), 1);
  again.set("Title", "another title");
  again.set("Compliance", *json::parse(R"({"Status":"WARNING","SecurityControlId":"S3.4"})"));
  import(again);

  const HistoryPage page = history_of(findings_, 0, INT64_MAX, 100, "");
  ASSERT_EQ(page.records.size(), 3U);
  EXPECT_EQ(page.next_token, "");
  EXPECT_EQ(page.records[2].at_ms, start);
  EXPECT_TRUE(page.records[2].created);
  EXPECT_EQ(page.records[2].source.type, "BATCH_IMPORT_FINDINGS");
  EXPECT_EQ(page.records[1].at_ms, start + 1000);
  EXPECT_FALSE(page.records[1].created);
  EXPECT_EQ(page.records[1].source.type, "BATCH_UPDATE_FINDINGS");
  EXPECT_EQ(page.records[1].source.identity, "arn:aws:iam::111111111111:user/anna");
  EXPECT_EQ(page.records[1].changes, *json::parse(R"([
    {"UpdatedField":"Workflow.Status","OldValue":"NEW","NewValue":"NOTIFIED"},
    {"UpdatedField":"Note","NewValue":"{\"Text\":\"mine\",\"UpdatedBy\":\"anna\",\"UpdatedAt\":\"2024-01-02T03:04:06.678Z\"}"}])"));
  EXPECT_EQ(page.records[0].source.identity, sample()["ProductArn"].as_string());
  EXPECT_EQ(page.records[0].changes, *json::parse(R"([
    {"UpdatedField":"UpdatedAt","OldValue":"2024-01-02T03:04:05.678Z","NewValue":"2024-02-01T00:00:00.000Z"},
    {"UpdatedField":"Title","OldValue":"Bucket is not encrypted","NewValue":"another title"},
    {"UpdatedField":"Compliance.Status","OldValue":"FAILED","NewValue":"WARNING"},
    {"UpdatedField":"ProcessedAt","OldValue":"2024-01-02T03:04:05.678Z","NewValue":"2024-01-02T03:04:07.678Z"}])"));
}

TEST_F(StoreOfFindings, history_has_no_record_of_an_import_that_only_saw_it_again) {
  import(sample());
  clock_.advance_ms(1000);
  Value again = later(sample(), 1);
  again.set("LastObservedAt", "2024-02-01T00:00:00Z");
  EXPECT_FALSE(import(again).ignored);
  EXPECT_EQ(history_of(findings_, 0, INT64_MAX, 100, "").records.size(), 1U);
}

TEST_F(StoreOfFindings, history_comes_in_pages_within_the_times_asked_for) {
  const TimeMs start = clock_.now_ms();
  import(sample());
  for (int i = 1; i <= 7; ++i) {
    clock_.advance_ms(1000);
    update((R"({"Confidence":)" + std::to_string(i) + "}").c_str());
  }
  std::vector<TimeMs> seen;
  std::string token;
  do {
    const HistoryPage page = history_of(findings_, 0, INT64_MAX, 3, token);
    EXPECT_LE(page.records.size(), 3U);
    for (const auto& record : page.records) seen.push_back(record.at_ms - start);
    token = page.next_token;
  } while (!token.empty());
  EXPECT_EQ(seen, (std::vector<TimeMs>{7000, 6000, 5000, 4000, 3000, 2000, 1000, 0}));
  const HistoryPage some = history_of(findings_, start + 2000, start + 4000, 100, "");
  ASSERT_EQ(some.records.size(), 3U);
  EXPECT_EQ(some.records[0].at_ms, start + 4000);
  const std::string first = history_of(findings_, 0, INT64_MAX, 3, "").next_token;
  EXPECT_EQ(findings_.history(key_of(sample()), 0, start, 3, first).error().where, "NextToken");
  EXPECT_EQ(findings_.history(key_of(sample("nobody")), 0, INT64_MAX, 3, "").error().code, "ResourceNotFoundException");
}

TEST_F(StoreOfFindings, history_goes_back_ninety_days) {
  import(sample());
  update(R"({"Confidence":1})");
  clock_.advance_ms(History::kept_ms - 1);
  EXPECT_EQ(history_of(findings_, 0, INT64_MAX, 100, "").records.size(), 2U);
  clock_.advance_ms(2);
  EXPECT_EQ(history_of(findings_, 0, INT64_MAX, 100, "").records.size(), 0U);
  update(R"({"Confidence":2})");
  EXPECT_EQ(history_of(findings_, 0, INT64_MAX, 100, "").records.size(), 1U);
  const auto rows =
      store_->read([](store::Session& session) { return session.query("SELECT count(*) FROM finding_change"); });
  EXPECT_EQ((*rows)[0].integer(0), 1);  // what is too old is gone, not only hidden
}

// As the first version wrote them.
TEST_F(StoreOfFindings, takes_over_what_the_first_version_stored) {
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) -> Result<void> {
    for (int i = 0; i < 450; ++i) {
      Value finding = sample("old-" + std::to_string(i));
      finding.set("Severity", *json::parse(R"({"Label":"HIGH","Normalized":70})"));
      finding.set("Workflow", json::Object{{"Status", "NOTIFIED"}});
      const std::string arn = finding["ProductArn"].as_string();
      const std::string id = finding["Id"].as_string();
      FIXPOINT_CHECK(tx.execute(
          "INSERT INTO finding (product_arn, id, account, region, generator, control, resource, severity, workflow, "
          "compliance, record_state, note_by, created_ms, updated_ms, body) VALUES "
          "(?,?,'','','','','',70,'','','','',0,0,?)",
          {arn, id, json::print(finding)}));
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO finding_history (product_arn, id, at_ms, source, created, changes) VALUES "
                     "(?, ?, ?, 'BATCH_IMPORT_FINDINGS', 1, '[]')",
                     {arn, id, clock_.now_ms() - 5000}));
      FIXPOINT_CHECK(
          tx.execute("INSERT INTO finding_history (product_arn, id, at_ms, source, created, changes) VALUES "
                     "(?, ?, ?, 'me', 0, ?)",
                     {arn, id, clock_.now_ms() - 4000,
                      R"([{"UpdatedField":"Severity","OldValue":"{}","NewValue":"{\"Label\":\"HIGH\"}"}])"}));
    }
    return {};
  }));
  ASSERT_TRUE(findings_.load());
  EXPECT_EQ(find(R"({"SeverityLabel":[{"Value":"HIGH","Comparison":"EQUALS"}]})", {}, 100).findings.size(), 100U);
  EXPECT_EQ(stored("old-449")["Workflow"]["Status"], Value("NOTIFIED"));
  const auto page = findings_.history(key_of(sample("old-7")), 0, INT64_MAX, 100, "").value();
  ASSERT_EQ(page.records.size(), 2U);
  EXPECT_EQ(page.records[0].source.identity, "me");
  EXPECT_EQ(page.records[1].at_ms, clock_.now_ms() - 5000);
  // The severity was the customer's, and stays it.
  EXPECT_EQ(import(later(sample("old-7"), 1)).finding["Severity"]["Label"], Value("HIGH"));
  const auto left = store_->read([](store::Session& session) {
    return session.query("SELECT (SELECT count(*) FROM finding) + (SELECT count(*) FROM finding_history)");
  });
  EXPECT_EQ((*left)[0].integer(0), 0);
  EXPECT_TRUE(findings_.load());
}

TEST_F(StoreOfFindings, an_index_of_another_version_is_made_anew) {
  for (int i = 0; i < 450; ++i) import(sample("f" + std::to_string(i)));
  ASSERT_TRUE(store_->write([](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(tx.execute("UPDATE finding_state SET value = 0 WHERE name = 'index'"));
    FIXPOINT_CHECK(tx.execute("DELETE FROM finding_term WHERE field > 5"));
    FIXPOINT_CHECK(tx.execute("DELETE FROM finding_column"));
    return {};
  }));
  EXPECT_EQ(find(R"({"SeverityLabel":[{"Value":"MEDIUM","Comparison":"EQUALS"}]})").findings.size(), 0U);
  ASSERT_TRUE(findings_.load());
  EXPECT_EQ(find(R"({"SeverityLabel":[{"Value":"MEDIUM","Comparison":"EQUALS"}]})").findings.size(), 100U);
  EXPECT_EQ(find(R"({"Id":[{"Value":"f449","Comparison":"EQUALS"}]})").findings.size(), 1U);
}

TEST_F(StoreOfFindings, documents_are_read_whatever_dictionary_they_were_packed_with) {
  std::vector<Prepared> some;
  for (int i = 0; i < 1100; ++i) some.push_back(findings_.prepare(sample("f" + std::to_string(i))));
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return findings_.import(tx, some); }));
  ASSERT_TRUE(findings_.tend());
  const auto dictionaries =
      store_->read([](store::Session& session) { return session.query("SELECT number FROM finding_dictionary"); });
  ASSERT_EQ(dictionaries->size(), 1U);
  EXPECT_LT(findings_.prepare(sample("packed with it")).packed.size(), some[0].packed.size());
  import(sample("packed with it"));
  FindingStore another(*store_, clock_);  // another server, or the same one after a restart
  ASSERT_TRUE(another.load());
  for (const char* id : {"f0", "f1099", "packed with it"}) {
    const auto finding = store_->read(
        [&](store::Session& session) { return another.get(session, {sample()["ProductArn"].as_string(), id}); });
    ASSERT_TRUE(finding && *finding) << id;
    EXPECT_EQ((**finding)["Title"], sample()["Title"]);
  }
}

TEST_F(StoreOfFindings, the_workflow_goes_back_to_new_when_a_passed_check_fails_again) {
  import(sample());
  update(R"({"Workflow":{"Status":"RESOLVED"}})");
  EXPECT_EQ(import(later(sample(), 1)).finding["Workflow"]["Status"], Value("RESOLVED"));
  Value passed = sample();
  passed.set("Compliance", json::Object{{"Status", "PASSED"}});
  EXPECT_EQ(import(later(passed, 2)).finding["Workflow"]["Status"], Value("RESOLVED"));
  EXPECT_EQ(import(later(sample(), 3)).finding["Workflow"]["Status"], Value("NEW"));
}

MakeUpdate counts_up() {
  return [](const Value& finding) -> Value {
    const Value& before = finding["UserDefinedFields"]["count"];
    return json::Object{{"Note", json::Object{{"Text", "seen"}, {"UpdatedBy", "anna"}}},
                        {"Workflow", json::Object{{"Status", "NOTIFIED"}}},
                        {"UserDefinedFields",
                         json::Object{{"count", std::to_string(std::stoi(std::string(before.string_or("0"))) + 1)}}}};
  };
}

TEST_F(StoreOfFindings, an_update_that_was_prepared_is_the_update_that_is_made_at_once) {
  import(sample());
  import(sample("finding-2"));
  const FindingKey key = key_of(sample());
  const auto prepared = findings_.prepare_update(key, counts_up(), "arn:aws:iam::111111111111:user/anna").value();
  ASSERT_TRUE(prepared);
  EXPECT_EQ(stored()["Workflow"]["Status"], Value("NEW")) << "nothing is written before its transaction";
  const auto done = store_->write([&](store::Transaction& tx) { return findings_.update(tx, *prepared); }).value();
  EXPECT_TRUE(done.found);
  EXPECT_FALSE(done.finding) << "it stands as it was prepared";
  update(
      R"({"Note":{"Text":"seen","UpdatedBy":"anna"},"Workflow":{"Status":"NOTIFIED"},"UserDefinedFields":{"count":"1"}})",
      "finding-2");
  Value plain = stored("finding-2");
  EXPECT_EQ(stored(), prepared->finding);
  plain.set("Id", "finding-1");
  plain.at_or_make("ProductFields").set("aws/securityhub/FindingId", key.product_arn + "/finding-1");
  EXPECT_EQ(stored(), plain);
  EXPECT_EQ(find(R"({"WorkflowStatus":[{"Value":"NOTIFIED","Comparison":"EQUALS"}]})").findings.size(), 2U);
  EXPECT_TRUE(find(R"({"WorkflowStatus":[{"Value":"NEW","Comparison":"EQUALS"}]})").findings.empty());
  const auto history = [&](const char* id) {
    auto page = findings_.history({key.product_arn, id}, 0, clock_.now_ms() + 1, 10, "").value();
    EXPECT_EQ(page.records.size(), 2U);
    EXPECT_EQ(page.records.at(0).source.identity, "arn:aws:iam::111111111111:user/anna");
    return std::move(page.records.at(0).changes);
  };
  EXPECT_EQ(history("finding-1"), history("finding-2"));
}

TEST_F(StoreOfFindings, an_update_that_was_prepared_on_what_has_changed_is_made_on_what_is_there) {
  import(sample());
  const FindingKey key = key_of(sample());
  const auto first = findings_.prepare_update(key, counts_up(), "anna").value();
  const auto second = findings_.prepare_update(key, counts_up(), "anna").value();
  import(later(sample(), 3));
  const auto write = [&](const PreparedUpdate& prepared) {
    return store_->write([&](store::Transaction& tx) { return findings_.update(tx, prepared); }).value();
  };
  const auto done = write(*first);
  ASSERT_TRUE(done.finding);
  EXPECT_EQ((*done.finding)["UpdatedAt"], later(sample(), 3)["UpdatedAt"]);
  EXPECT_EQ((*write(*second).finding)["UserDefinedFields"]["count"], Value("2"));
  EXPECT_EQ(stored()["UserDefinedFields"]["count"], Value("2")) << "neither is lost";
  EXPECT_EQ(stored()["UpdatedAt"], later(sample(), 3)["UpdatedAt"]);
  EXPECT_EQ(find(R"({"WorkflowStatus":[{"Value":"NOTIFIED","Comparison":"EQUALS"}]})").findings.size(), 1U);
}

TEST_F(StoreOfFindings, an_update_of_an_unknown_finding_changes_nothing) {
  EXPECT_FALSE(findings_.prepare_update(key_of(sample()), counts_up(), "anna").value());
  EXPECT_FALSE(update(R"({"Workflow":{"Status":"RESOLVED"}})", "nobody"));
}

}  // namespace
}  // namespace fixpoint::findings
