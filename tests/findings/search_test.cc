#include <algorithm>
#include <random>
#include <set>

#include "findings/store_of_findings.h"

namespace fixpoint::findings {
namespace {

using json::Value;

TEST_F(StoreOfFindings, pages_hold_every_finding_once_in_order) {
  for (int i = 0; i < 25; ++i) {
    Value finding = sample("f" + std::to_string(i));
    finding.set("Severity", json::Object{{"Normalized", (i * 7) % 100}});
    import(finding);
  }
  std::vector<std::int64_t> seen;
  std::string token;
  do {
    const Page page = find("{}", {{"SeverityNormalized", true}}, 10, token);
    for (const Value& finding : page.findings) seen.push_back(finding["Severity"]["Normalized"].int_or(-1));
    token = page.next_token;
  } while (!token.empty());
  ASSERT_EQ(seen.size(), 25U);
  EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));
  EXPECT_FALSE(findings_.find(*Filters::compile({}, 0), {}, 10, "junk"));
  EXPECT_FALSE(findings_.find(*Filters::compile({}, 0), {{"Nonsense", false}}, 10, ""));
}

// Findings of all sorts, some with members missing, the same for the same seed.
std::vector<Value> many(int count) {
  std::mt19937 random(7);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  const char* labels[] = {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
  const char* states[] = {"NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"};
  std::vector<Value> findings;
  for (int i = 0; i < count; ++i) {
    Value finding = sample("arn:finding/" + std::to_string(below(1'000'000)) + "/" + std::to_string(i));
    finding.set("ProductArn", "arn:aws:securityhub:us-east-1::product/acme/scanner");
    finding.set("AwsAccountId", "11111111111" + std::to_string(below(4)));
    finding.set("Severity", json::Object{{"Label", labels[below(5)]}});
    finding.set("Workflow", json::Object{{"Status", states[below(4)]}});
    finding.set("Title", "Title number " + std::to_string(below(30)));
    finding.set("Description", below(10) == 0 ? "speaks of a bucket" : "speaks of nothing");
    finding.set("UpdatedAt", "2024-01-" + std::string(below(2) == 0 ? "0" : "1") + std::to_string(1 + below(9)) +
                                 "T00:00:00.00" + std::to_string(below(10)) + "Z");
    if (below(3) != 0) finding.set("FirstObservedAt", "2023-12-0" + std::to_string(1 + below(9)) + "T00:00:00Z");
    if (below(2) == 0) finding.set("Confidence", below(101));
    if (below(4) == 0)
      finding.set("Note", *json::parse(R"({"Text":"t","UpdatedBy":"author-)" + std::to_string(below(3)) + "\"}"));
    json::Array resources;
    for (int r = 0; r <= below(3); ++r)
      resources.emplace_back(json::Object{
          {"Type", below(2) == 0 ? "AwsS3Bucket" : "AwsIamUser"},
          {"Id",
           "arn:aws:s3:::" + std::string(below(20) == 0 ? std::string(500, 'x') : "") + std::to_string(below(60))},
          {"Tags", json::Object{{"team", "t" + std::to_string(below(5))}}}});
    finding.set("Resources", resources);
    findings.push_back(finding);
  }
  return findings;
}

class Searches : public StoreOfFindings {
 protected:
  void fill(int count) {
    std::vector<Prepared> prepared;
    for (Value& finding : many(count)) prepared.push_back(findings_.prepare(std::move(finding)));
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return findings_.import(tx, prepared); }));
    for (const Prepared& one : prepared) all_.push_back(one.finding);
  }
  // All pages, one behind the other.
  std::vector<Value> every(const std::string& filters, const std::vector<SortKey>& sort, std::size_t limit = 100) {
    std::vector<Value> found;
    std::string token;
    do {
      Page page = find(filters, sort, limit, token);
      EXPECT_LE(page.findings.size(), limit);
      for (Value& finding : page.findings) found.push_back(std::move(finding));
      token = page.next_token;
    } while (!token.empty() && found.size() <= all_.size());
    return found;
  }
  static std::vector<std::string> ids(const std::vector<Value>& findings) {
    std::vector<std::string> ids;
    for (const Value& finding : findings) ids.push_back(finding["Id"].as_string());
    return ids;
  }
  // What the filters say themselves, document by document, in the order in which the findings came.
  std::vector<Value> expected(const std::string& filters) {
    const Filters compiled = compile(filters);
    std::vector<Value> fit;
    for (const Value& finding : all_)
      if (compiled.matches(finding)) fit.push_back(finding);
    return fit;
  }
  std::vector<Value> all_;
};

TEST_F(Searches, the_index_finds_what_the_documents_say) {
  fill(1500);
  const char* cases[] = {
      "{}",
      R"({"SeverityLabel":[{"Value":"HIGH","Comparison":"EQUALS"},{"Value":"LOW","Comparison":"EQUALS"}]})",
      R"({"SeverityLabel":[{"Value":"HIGH","Comparison":"NOT_EQUALS"},{"Value":"LOW","Comparison":"NOT_EQUALS"}]})",
      R"({"SeverityNormalized":[{"Gte":40,"Lt":90}]})",
      R"({"SeverityNormalized":[{"Eq":0},{"Gt":70}],"WorkflowStatus":[{"Value":"NEW","Comparison":"EQUALS"}]})",
      R"({"Title":[{"Value":"Title number 1","Comparison":"PREFIX"}]})",
      R"({"Title":[{"Value":"Title number 1","Comparison":"PREFIX"},{"Value":"Title number 12","Comparison":"NOT_EQUALS"}]})",
      R"({"Title":[{"Value":"Title number 2","Comparison":"PREFIX_NOT_EQUALS"}]})",
      R"({"Title":[{"Value":"number 7","Comparison":"CONTAINS"}]})",
      R"({"Title":[{"Value":"7","Comparison":"NOT_CONTAINS"},{"Value":"8","Comparison":"NOT_CONTAINS"}]})",
      R"({"Title":[{"Value":"7","Comparison":"CONTAINS_WORD"}]})",
      R"({"ResourceType":[{"Value":"AwsS3Bucket","Comparison":"EQUALS"}]})",
      R"({"ResourceType":[{"Value":"AwsS3Bucket","Comparison":"NOT_EQUALS"}]})",
      R"({"ResourceId":[{"Value":"arn:aws:s3:::5","Comparison":"EQUALS"}]})",
      R"({"ResourceId":[{"Value":"arn:aws:s3:::5","Comparison":"PREFIX"}]})",
      R"({"ResourceId":[{"Value":"59","Comparison":"CONTAINS"}]})",
      R"({"ResourceId":[{"Value":"xxxxx1","Comparison":"CONTAINS"}]})",
      R"({"ResourceTags":[{"Key":"team","Value":"t1","Comparison":"EQUALS"}]})",
      R"({"ResourceTags":[{"Key":"team","Value":"t1","Comparison":"NOT_EQUALS"}]})",
      R"({"ResourceTags":[{"Key":"team","Value":"3","Comparison":"CONTAINS"}]})",
      R"({"ResourceTags":[{"Key":"tea","Value":"mt1","Comparison":"EQUALS"}]})",
      R"({"NoteUpdatedBy":[{"Value":"author-1","Comparison":"EQUALS"}]})",
      R"({"NoteUpdatedBy":[{"Value":"author-1","Comparison":"NOT_EQUALS"}]})",
      R"({"UpdatedAt":[{"Start":"2024-01-05T00:00:00.003Z","End":"2024-01-12T00:00:00Z"}]})",
      R"({"FirstObservedAt":[{"Start":"2023-12-05T00:00:00Z"}]})",
      R"({"UpdatedAt":[{"DateRange":{"Value":1,"Unit":"DAYS"}}]})",
      R"({"Confidence":[{"Lte":30}]})",
      R"({"Description":[{"Value":"bucket","Comparison":"CONTAINS"}]})",
      R"({"Description":[{"Value":"bucket","Comparison":"CONTAINS"}],"SeverityLabel":[{"Value":"HIGH","Comparison":"EQUALS"}]})",
      R"({"Keyword":[{"Value":"author-2"}]})",
      R"({"AwsAccountId":[{"Value":"111111111112","Comparison":"EQUALS"}],"SeverityLabel":[{"Value":"CRITICAL","Comparison":"EQUALS"}],"Title":[{"Value":"3","Comparison":"CONTAINS"}]})",
      R"({"NetworkSourceIpV4":[{"Cidr":"10.0.0.0/8"}],"WorkflowStatus":[{"Value":"RESOLVED","Comparison":"EQUALS"}]})"};
  for (const char* filters : cases) EXPECT_EQ(ids(every(filters, {})), ids(expected(filters))) << filters;
}

TEST_F(Searches, every_order_holds_over_all_pages) {
  fill(1100);
  const std::vector<std::vector<SortKey>> sorts = {
      {{"UpdatedAt", true}},
      {{"UpdatedAt", false}},
      {{"SeverityNormalized", true}, {"UpdatedAt", true}},
      {{"SeverityLabel", false}, {"CreatedAt", true}, {"UpdatedAt", false}},
      {{"FirstObservedAt", false}},
      {{"FirstObservedAt", true}},
      {{"Confidence", true}, {"FirstObservedAt", false}},
      {{"Title", false}},
      {{"Title", true}, {"UpdatedAt", true}},
      {{"NoteUpdatedBy", false}},
      {{"NoteUpdatedBy", true}, {"Confidence", false}},
      {{"Id", true}},
      {{"AwsAccountId", false}, {"Title", true}},
      {{"ResourceId", false}},
      {{"ResourceId", true}, {"UpdatedAt", true}},
      {{"Description", true}, {"Id", false}},
  };
  for (const auto& sort : sorts)
    for (const char* filters : {"{}", R"({"WorkflowStatus":[{"Value":"NEW","Comparison":"EQUALS"}],
                                "Description":[{"Value":"bucket","Comparison":"CONTAINS"}]})"}) {
      const Order order = Order::compile(sort).value();
      std::vector<Value> fit = expected(filters);
      std::vector<Position> positions;
      for (std::size_t i = 0; i < fit.size(); ++i)
        positions.push_back(order.position_of(static_cast<std::int64_t>(i), fit[i]));
      std::sort(positions.begin(), positions.end(), [&](const auto& a, const auto& b) { return order.before(a, b); });
      std::vector<Value> sorted;
      for (const Position& position : positions) sorted.push_back(fit[static_cast<std::size_t>(position.number)]);
      EXPECT_EQ(ids(every(filters, sort, 100)), ids(sorted)) << sort[0].field << " " << filters;
    }
}

TEST_F(Searches, findings_without_the_value_stand_last_either_way) {
  fill(200);
  for (const bool descending : {false, true}) {
    bool without = false;
    for (const Value& finding : every("{}", {{"Confidence", descending}})) {
      const bool none = finding.find("Confidence") == nullptr;
      EXPECT_FALSE(without && !none);
      without = without || none;
    }
    EXPECT_TRUE(without);
  }
}

TEST_F(Searches, a_finding_that_nobody_touched_comes_exactly_once_whatever_happens_meanwhile) {
  fill(300);
  const std::vector<SortKey> sort{{"SeverityNormalized", true}, {"UpdatedAt", true}};
  std::multiset<std::string> seen;
  std::set<std::string> touched;
  std::string token;
  int turn = 0;
  do {
    const Page page = find("{}", sort, 20, token);
    for (const std::string& id : ids(page.findings)) seen.insert(id);
    token = page.next_token;
    // Others come, change and move in between.
    Value added = many(1)[0];
    added.set("Id", "added-" + std::to_string(++turn));
    import(added);
    const Value& changed = all_[static_cast<std::size_t>(turn * 13) % all_.size()];
    touched.insert(changed["Id"].as_string());
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) {
      return findings_.update(
          tx, key_of(changed),
          Value(json::Object{{"Severity", json::Object{{"Label", turn % 2 == 0 ? "LOW" : "CRITICAL"}}}}), "me");
    }));
  } while (!token.empty());
  for (const Value& finding : all_) {
    const std::string id = finding["Id"].as_string();
    if (!touched.contains(id)) EXPECT_EQ(seen.count(id), 1U) << id;
  }
}

TEST_F(Searches, the_index_follows_updates) {
  fill(50);
  const Value& finding = all_[7];
  const auto found = [&](const std::string& filters) {
    const auto all = ids(every(filters, {}));
    return std::count(all.begin(), all.end(), finding["Id"].as_string());
  };
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) {
    return findings_.update(tx, key_of(finding),
                            *json::parse(R"({"Workflow":{"Status":"SUPPRESSED"},"Severity":{"Label":"CRITICAL"},
      "Note":{"Text":"x","UpdatedBy":"only me"},"UserDefinedFields":{"execution":"e-1"},"Confidence":101000})"),
                            "me");
  }));
  EXPECT_EQ(found(R"({"NoteUpdatedBy":[{"Value":"only me","Comparison":"EQUALS"}]})"), 1);
  EXPECT_EQ(found(R"({"UserDefinedFields":[{"Key":"execution","Value":"e-1","Comparison":"EQUALS"}]})"), 1);
  EXPECT_EQ(found(R"({"WorkflowStatus":[{"Value":"SUPPRESSED","Comparison":"NOT_EQUALS"}]})"), 0);
  EXPECT_EQ(found(R"({"SeverityNormalized":[{"Eq":90}],"Confidence":[{"Gte":101000}]})"), 1);
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) {
    return findings_.update(tx, key_of(finding), *json::parse(R"({"UserDefinedFields":{"execution":"e-2"}})"), "me");
  }));
  EXPECT_EQ(found(R"({"UserDefinedFields":[{"Key":"execution","Value":"e-1","Comparison":"EQUALS"}]})"), 0);
  EXPECT_EQ(found(R"({"UserDefinedFields":[{"Key":"execution","Value":"e-2","Comparison":"EQUALS"}]})"), 1);
}

TEST_F(Searches, a_token_is_good_for_its_own_question_alone) {
  fill(60);
  const std::vector<SortKey> sort{{"UpdatedAt", true}};
  const std::string filters = R"({"SeverityLabel":[{"Value":"NONE","Comparison":"NOT_EQUALS"}]})";
  const std::string token = find(filters, sort, 10).next_token;
  ASSERT_NE(token, "");
  EXPECT_TRUE(findings_.find(compile(filters), sort, 20, token));  // another length of page is no other question
  const auto refused = [&](const std::string& of_filters, const std::vector<SortKey>& of_sort,
                           const std::string& with) {
    const auto page = findings_.find(compile(of_filters), of_sort, 10, with);
    return !page && page.error().code == "InvalidInputException" && page.error().where == "NextToken";
  };
  EXPECT_TRUE(refused("{}", sort, token));
  EXPECT_TRUE(refused(filters, {{"UpdatedAt", false}}, token));
  EXPECT_TRUE(refused(filters, {}, token));
  EXPECT_TRUE(refused(filters, sort, token + "A"));
  EXPECT_TRUE(refused(filters, sort, token.substr(0, token.size() - 1)));
  EXPECT_TRUE(refused(filters, sort, "junk"));
  EXPECT_TRUE(refused(filters, sort, std::string(100'000, 'A')));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(refused(filters, sort, changed)) << i;
  }
  FindingStore other(*store_, clock_, "another key");
  EXPECT_FALSE(other.find(compile(filters), sort, 10, token));
  FindingStore restarted(*store_, clock_, "a key of the test");
  EXPECT_TRUE(restarted.find(compile(filters), sort, 10, token));
}

TEST_F(Searches, sort_criteria_are_refused_by_name) {
  const auto where = [&](const std::vector<SortKey>& sort) {
    const auto page = findings_.find(compile("{}"), sort, 10, "");
    return page ? "" : page.error().where;
  };
  EXPECT_EQ(where({{"Nonsense", false}}), "SortCriteria[0].Field");
  EXPECT_EQ(where({{"UpdatedAt", false}, {"", false}}), "SortCriteria[1].Field");
  EXPECT_EQ(where({{"UpdatedAt", false}, {"UpdatedAt", true}}), "SortCriteria[1].Field");
  EXPECT_EQ(where({{"ResourceTags", false}}), "SortCriteria[0].Field");
  EXPECT_EQ(where({{"NetworkSourceIpV4", false}}), "SortCriteria[0].Field");
  EXPECT_EQ(where({{"Keyword", false}}), "SortCriteria[0].Field");
  EXPECT_EQ(where(std::vector<SortKey>(11, {"UpdatedAt", false})), "SortCriteria");
  EXPECT_EQ(where({{"ProcessLaunchedAt", false}}), "");
}

}  // namespace
}  // namespace fixpoint::findings
