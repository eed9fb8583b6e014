// Findings in OCSF in the store: kept, changed, found.
#include <algorithm>
#include <gmock/gmock.h>
#include <map>
#include <random>
#include <set>

#include "findings/ocsf_sample.h"
#include "findings/store_of_findings.h"

namespace fixpoint::findings {
namespace {

using json::Array;
using json::Object;
using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* own_uid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

class StoreOfOcsf : public StoreOfFindings {
 protected:
  FindingKey import_ocsf(const Value& ocsf) {
    Value original = original_of(ocsf).value();
    std::vector<Prepared> one;
    one.push_back(findings_.prepare(asff_of(original).value(), original));
    const FindingKey key = one[0].key;
    EXPECT_TRUE(store_->write([&](store::Transaction& tx) { return findings_.import(tx, one); }));
    return key;
  }
  Value ocsf(const FindingKey& key) {
    return store_->read([&](store::Session& session) { return findings_.get_ocsf(session, key); }).value().value();
  }
  Value asff(const FindingKey& key) {
    return store_->read([&](store::Session& session) { return findings_.get(session, key); }).value().value();
  }
  std::optional<FindingKey> by_uid(const std::string& uid) {
    return store_->read([&](store::Session& session) { return findings_.find_uid(session, uid); }).value();
  }
  void update_ocsf(const FindingKey& key, const char* update) {
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) {
      return findings_.update(tx, key, OcsfUpdate::read(*json::parse(update)).value(), "arn:aws:iam::1:user/ann");
    }));
  }
  void update_asff(const FindingKey& key, const char* update) {
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) {
      return findings_.update(tx, key, *json::parse(update), "arn:aws:iam::1:user/bob");
    }));
  }
  static FindingKey key(const std::string& id) { return {sample()["ProductArn"].as_string(), id}; }

  Page find_ocsf(const std::string& filters, std::size_t limit = 100, const std::string& token = "",
                 const std::string& sort = "[]") {
    const auto compiled = OcsfFilters::compile(*json::parse(filters), clock_.now_ms());
    EXPECT_TRUE(compiled) << filters << " " << (compiled ? "" : describe(compiled.error()));
    if (!compiled) return {};
    auto page = findings_.find(*compiled, ocsf_sort_keys(*json::parse(sort)).value(), limit, token);
    EXPECT_TRUE(page) << (page ? "" : describe(page.error()));
    return page ? std::move(*page) : Page{};
  }
  std::vector<std::string> every(const std::string& filters, std::size_t limit = 100, const std::string& sort = "[]") {
    std::vector<std::string> found;
    std::string token;
    do {
      const Page page = find_ocsf(filters, limit, token, sort);
      EXPECT_LE(page.findings.size(), limit);
      for (const Value& one : page.findings) found.push_back(one["finding_info"]["uid"].as_string());
      token = page.next_token;
    } while (!token.empty() && found.size() < 10'000);
    return found;
  }
};

std::string one(const std::string& list, const std::string& field, const std::string& filter) {
  return R"({"CompositeFilters":[{")" + list + R"(":[{"FieldName":")" + field + R"(","Filter":)" + filter + "}]}]}";
}
std::string text_filter(const std::string& field, const std::string& value, const std::string& how = "EQUALS") {
  return one("StringFilters", field, R"({"Value":")" + value + R"(","Comparison":")" + how + "\"}");
}

TEST_F(StoreOfOcsf, gives_back_what_the_document_said) {
  const FindingKey named = import_ocsf(ocsf_sample());
  const Value now = ocsf(named);
  EXPECT_EQ(now["resources"], ocsf_sample()["resources"]);
  EXPECT_EQ(now["metadata"]["uid"], Value(own_uid));
  EXPECT_EQ(now["finding_info"]["analytic"]["name"], ocsf_sample()["finding_info"]["analytic"]["name"]);
  // The finding format knows nothing of it.
  const Value finding = asff(named);
  EXPECT_EQ(finding["Title"], Value("S3 buckets should have encryption"));
  for (const auto& member : finding.as_object()) EXPECT_EQ(member.key.find("ocsf"), std::string::npos) << member.key;
}

TEST_F(StoreOfOcsf, what_a_finding_brings_along_under_the_stores_own_member_is_not_taken_for_an_original) {
  Value finding = sample();
  finding.set("fixpoint:ocsf", ocsf_sample("spoofed"));
  import(finding);
  EXPECT_EQ(ocsf(key("finding-1"))["finding_info"]["uid"], Value("finding-1"));
  EXPECT_FALSE(by_uid(own_uid));
}

TEST_F(StoreOfOcsf, an_update_by_v2_shows_in_v1_with_its_history_and_the_other_way_round) {
  import(sample());
  const FindingKey named = key("finding-1");
  update_ocsf(named, R"({"StatusId":4,"SeverityId":5,"Comment":"done"})");
  Value finding = asff(named);
  EXPECT_EQ(finding["Workflow"]["Status"], Value("RESOLVED"));
  EXPECT_EQ(finding["Severity"]["Label"], Value("CRITICAL"));
  EXPECT_EQ(finding["Note"]["Text"], Value("done"));
  EXPECT_EQ(finding["Note"]["UpdatedBy"], Value("arn:aws:iam::1:user/ann"));
  EXPECT_EQ(finding["UpdatedAt"], sample()["UpdatedAt"]);  // "Updates don't affect the value of modified_time"
  EXPECT_EQ(ocsf(named)["status"], Value("Resolved"));
  EXPECT_EQ(ocsf(named)["comment"], Value("done"));
  EXPECT_EQ(ocsf(named)["vendor_attributes"]["severity"], Value("Medium"));
  const HistoryPage history = findings_.history(named, 0, clock_.now_ms(), 10, "").value();
  ASSERT_EQ(history.records.size(), 2U);
  EXPECT_EQ(history.records[0].source.type, "BATCH_UPDATE_FINDINGS");
  EXPECT_EQ(history.records[0].source.identity, "arn:aws:iam::1:user/ann");
  EXPECT_THAT(json::print(history.records[0].changes), HasSubstr("Workflow.Status"));

  update_asff(named, R"({"Workflow":{"Status":"SUPPRESSED"}})");
  EXPECT_EQ(ocsf(named)["status_id"], Value(3));
}

TEST_F(StoreOfOcsf, archiving_is_the_records_state_and_new_takes_it_back) {
  import(sample());
  const FindingKey named = key("finding-1");
  update_ocsf(named, R"({"StatusId":5})");
  EXPECT_EQ(asff(named)["RecordState"], Value("ARCHIVED"));
  EXPECT_EQ(ocsf(named)["status"], Value("Archived"));
  EXPECT_EQ(ocsf(named)["activity_name"], Value("Close"));
  update_ocsf(named, R"({"StatusId":3})");  // what its provider closed stays closed
  EXPECT_EQ(asff(named)["RecordState"], Value("ARCHIVED"));
  EXPECT_EQ(ocsf(named)["status"], Value("Suppressed"));
  update_ocsf(named, R"({"StatusId":1})");
  EXPECT_EQ(asff(named)["RecordState"], Value("ACTIVE"));
  EXPECT_EQ(ocsf(named)["status"], Value("New"));
}

TEST_F(StoreOfOcsf, what_the_finding_format_cannot_say_is_kept_until_it_says_something_else) {
  import(sample());
  const FindingKey named = key("finding-1");
  update_ocsf(named, R"({"SeverityId":6,"StatusId":99})");
  EXPECT_EQ(asff(named)["Severity"]["Label"], Value("CRITICAL"));
  EXPECT_EQ(asff(named)["Workflow"]["Status"], Value("NOTIFIED"));
  EXPECT_EQ(ocsf(named)["severity"], Value("Fatal"));
  EXPECT_EQ(ocsf(named)["status"], Value("Other"));
  EXPECT_THAT(every(one("NumberFilters", "severity_id", R"({"Eq":6})")), ElementsAre("finding-1"));
  EXPECT_THAT(every(one("NumberFilters", "severity_id", R"({"Eq":5})")), ElementsAre());
  update_asff(named, R"({"Workflow":{"Status":"RESOLVED"}})");
  EXPECT_EQ(ocsf(named)["severity"], Value("Fatal"));
  EXPECT_EQ(ocsf(named)["status"], Value("Resolved"));
  update_ocsf(named, R"({"SeverityId":2})");
  EXPECT_EQ(ocsf(named)["severity"], Value("Low"));
  // Imported anew by its provider, in the finding format, it is that alone.
  import(later(sample(), 3));
  EXPECT_EQ(ocsf(named)["severity"], Value("Low"));  // what the customer set stays
  EXPECT_EQ(ocsf(named)["status"], Value("Resolved"));
  EXPECT_THAT(every(text_filter("severity", "Low")), ElementsAre("finding-1"));
}

TEST_F(StoreOfOcsf, an_import_in_the_finding_format_takes_the_documents_place) {
  const FindingKey named = import_ocsf(ocsf_sample("finding-1"));
  EXPECT_EQ(by_uid(own_uid), named);
  import(later(sample(), 2));
  EXPECT_FALSE(by_uid(own_uid));
  EXPECT_EQ(ocsf(named)["resources"][0]["uid"], Value("arn:aws:s3:::a"));
  EXPECT_EQ(by_uid(metadata_uid_of(named)), named);
  // And an older one changes nothing, in either form.
  import_ocsf(ocsf_sample("finding-1"));
  EXPECT_FALSE(by_uid(own_uid));
}

TEST_F(StoreOfOcsf, a_metadata_uid_means_one_finding) {
  import(sample("pure"));
  const std::string derived = metadata_uid_of(key("pure"));
  EXPECT_EQ(by_uid(derived), key("pure"));
  const FindingKey first = import_ocsf(ocsf_sample("first"));
  EXPECT_EQ(by_uid(own_uid), first);
  // Others that claim the same, or another finding's derived one, get their own.
  const FindingKey second = import_ocsf(ocsf_sample("second"));
  Value third = ocsf_sample("third");
  third.at_or_make("metadata").set("uid", derived);
  const FindingKey thief = import_ocsf(third);
  EXPECT_EQ(by_uid(own_uid), first);
  EXPECT_EQ(by_uid(derived), key("pure"));
  for (const FindingKey& other : {second, thief}) {
    EXPECT_EQ(ocsf(other)["metadata"]["uid"], Value(metadata_uid_of(other)));
    EXPECT_EQ(by_uid(metadata_uid_of(other)), other);
  }
  // Two of one call as well.
  std::vector<Prepared> two;
  for (const char* id : {"fourth", "fifth"}) {
    Value document = ocsf_sample(id);
    document.at_or_make("metadata").set("uid", "both");
    two.push_back(findings_.prepare(asff_of(document).value(), document));
  }
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return findings_.import(tx, two); }));
  EXPECT_EQ(by_uid("both"), two[0].key);
  EXPECT_EQ(ocsf(two[1].key)["metadata"]["uid"], Value(metadata_uid_of(two[1].key)));
  for (const char* none : {"", "nobody", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"})
    EXPECT_FALSE(by_uid(none)) << none;
}

TEST_F(StoreOfOcsf, ocsfs_three_names_of_a_finding_mean_it) {
  import(sample());
  const FindingKey prowler = import_ocsf(prowler_sample());
  const auto by_names = [&](const char* account, const std::string& uid, const char* product) {
    return store_->read([&](store::Session& session) { return findings_.find_ocsf(session, account, uid, product); })
        .value();
  };
  EXPECT_EQ(by_names("111111111111", "finding-1", "arn:aws:securityhub:us-east-1::productv2/aws/securityhub"),
            key("finding-1"));
  EXPECT_EQ(by_names("111111111111", "finding-1", "arn:aws:securityhub:us-east-1::product/aws/securityhub"),
            key("finding-1"));
  EXPECT_EQ(by_names("111111111111", prowler.id, "prowler"), prowler);
  EXPECT_FALSE(by_names("222222222222", prowler.id, "prowler"));
  EXPECT_FALSE(by_names("111111111111", prowler.id, "other"));
  EXPECT_FALSE(by_names("111111111111", "finding-2", "prowler"));
}

TEST_F(StoreOfOcsf, the_index_is_made_anew_with_the_documents) {
  const FindingKey named = import_ocsf(ocsf_sample());
  import(sample());
  ASSERT_TRUE(store_->write(
      [&](store::Transaction& tx) { return tx.execute("UPDATE finding_state SET value = 0 WHERE name = 'index'"); }));
  FindingStore again(*store_, clock_, "a key of the test");
  ASSERT_TRUE(again.load());
  EXPECT_EQ(store_->read([&](store::Session& session) { return again.find_uid(session, own_uid); }).value(), named);
  EXPECT_EQ(ocsf(named)["resources"], ocsf_sample()["resources"]);
}

// Findings of all sorts, in both forms, the same for the same seed.
std::vector<Value> many_documents(int count) {
  std::mt19937 random(11);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  const int severities[] = {0, 1, 2, 3, 4, 5, 6, 99};
  const int statuses[] = {0, 1, 2, 3, 4, 5, 6, 99};
  const int compliances[] = {0, 1, 2, 3, 99};
  std::vector<Value> documents;
  for (int i = 0; i < count; ++i) {
    Value document = below(3) == 0 ? prowler_sample("check_" + std::to_string(below(4))) : ocsf_sample();
    const std::string id = "id/" + std::to_string(i);
    document.at_or_make("finding_info").set("uid", id);
    document.at_or_make("finding_info").set("title", "Title " + std::to_string(below(20)));
    document.at_or_make("finding_info").set("modified_time", 1704164646000 + below(20) * 86'400'000LL);
    document.at_or_make("metadata").set("uid", below(2) == 0 ? Value("uid-" + std::to_string(i)) : Value());
    document.at_or_make("cloud").at_or_make("account").set("uid", "11111111111" + std::to_string(below(3)));
    document.set("severity_id", severities[below(8)]);
    document.set("status_id", statuses[below(8)]);
    if (document["compliance"].is_object()) document.at_or_make("compliance").set("status_id", compliances[below(5)]);
    document.set("activity_id", 1 + below(3));
    Value& resource = document.as_object().find("resources")->as_array()[0];
    resource.set("type", below(2) == 0 ? "AWS::S3::Bucket" : "AWS::IAM::User");
    resource.set("tags", Array{Value(Object{{"name", "team"}, {"value", "t" + std::to_string(below(3))}})});
    if (below(4) == 0) document.set("confidence_score", below(100));
    if (below(5) == 0) document.set("comment", "speaks of " + std::to_string(below(3)));
    documents.push_back(std::move(document));
  }
  return documents;
}

class SearchesInOcsf : public StoreOfOcsf {
 protected:
  void fill(int count) {
    std::mt19937 random(5);
    std::vector<Prepared> prepared;
    for (const Value& document : many_documents(count)) {
      const Value original = original_of(document).value();
      Value finding = asff_of(original).value();
      // Half of them come in the finding format alone.
      prepared.push_back(random() % 2 == 0 ? findings_.prepare(std::move(finding), original)
                                           : findings_.prepare(std::move(finding)));
    }
    ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return findings_.import(tx, prepared); }));
    for (const Prepared& one : prepared) all_.push_back(ocsf(one.key));
  }
  // What the filters say themselves, document by document, in the order in which the findings came.
  std::vector<std::string> expected(const std::string& filters) {
    const OcsfFilters compiled = OcsfFilters::compile(*json::parse(filters), clock_.now_ms()).value();
    std::vector<std::string> fit;
    for (const Value& document : all_)
      if (compiled.matches(document)) fit.push_back(document["finding_info"]["uid"].as_string());
    return fit;
  }
  std::vector<Value> all_;
};

TEST_F(SearchesInOcsf, the_index_finds_what_the_documents_say) {
  fill(200);
  std::vector<std::string> cases = {"{}", R"({"CompositeFilters":[]})"};
  for (const char* how :
       {"EQUALS", "NOT_EQUALS", "PREFIX", "PREFIX_NOT_EQUALS", "CONTAINS", "NOT_CONTAINS", "CONTAINS_WORD"})
    for (const auto& [field, value] : std::vector<std::pair<std::string, std::string>>{
             {"severity", "High"},
             {"severity", "Other"},
             {"severity", "i"},
             {"status", "New"},
             {"status", "Archived"},
             {"status", "Deleted"},
             {"status", "e"},
             {"compliance.status", "Fail"},
             {"compliance.status", "Unknown"},
             {"vendor_attributes.severity", "Medium"},
             {"activity_name", "Close"},
             {"activity_name", "Create"},
             {"cloud.account.uid", "111111111111"},
             {"cloud.region", "us-east-1"},
             {"cloud.provider", "AWS"},
             {"finding_info.title", "Title 1"},
             {"finding_info.uid", "id/7"},
             {"metadata.uid", "uid-12"},
             {"metadata.product.uid", "prowler"},
             {"metadata.product.uid", "arn:aws:securityhub:us-east-1::productv2/aws/securityhub"},
             {"metadata.product.name", "Prowler"},
             {"resources.type", "AWS::S3::Bucket"},
             {"resources.uid", "arn:aws:s3:::a-bucket"},
             {"resources.region", "us-east-1"},
             {"compliance.control", "S3.4"},
             {"comment", "speaks of 1"},
             {"class_name", "Compliance Finding"},
             {"finding_info.types", "Posture Management"},
             {"finding_info.desc", "bucket"}})
      cases.push_back(text_filter(field, value, how));
  for (const char* field : {"severity_id", "status_id", "compliance.status_id", "activity_id", "confidence_score",
                            "vendor_attributes.severity_id"})
    for (const char* bounds : {R"({"Eq":3})", R"({"Eq":99})", R"({"Eq":0})", R"({"Gte":2,"Lt":5})", R"({"Gt":5})"})
      cases.push_back(one("NumberFilters", field, bounds));
  for (const char* field : {"finding_info.created_time_dt", "finding_info.modified_time_dt",
                            "finding_info.first_seen_time_dt", "finding_info.last_seen_time_dt"})
    for (const char* range : {R"({"Start":"2024-01-05T00:00:00Z","End":"2024-01-12T00:00:00Z"})",
                              R"({"DateRange":{"Value":1,"Unit":"DAYS"}})"})
      cases.push_back(one("DateFilters", field, range));
  for (const char* how : {"EQUALS", "NOT_EQUALS", "CONTAINS", "NOT_CONTAINS"})
    cases.push_back(
        one("MapFilters", "resources.tags", R"({"Key":"team","Value":"t1","Comparison":")" + std::string(how) + "\"}"));
  cases.push_back(one("BooleanFilters", "vulnerabilities.is_fix_available", R"({"Value":true})"));
  cases.push_back(one("IpFilters", "evidences.src_endpoint.ip", R"({"Cidr":"10.0.0.0/8"})"));
  const std::string high =
      R"({"StringFilters":[{"FieldName":"severity","Filter":{"Value":"High","Comparison":"EQUALS"}},
      {"FieldName":"status","Filter":{"Value":"New","Comparison":"EQUALS"}}])";
  for (const char* inner : {"AND", "OR"})
    for (const char* outer : {"AND", "OR"})
      cases.push_back(R"({"CompositeOperator":")" + std::string(outer) + R"(","CompositeFilters":[)" + high +
                      R"(,"Operator":")" + inner +
                      R"("},{"NumberFilters":[{"FieldName":"status_id","Filter":{"Gte":2}}],
        "Operator":")" +
                      inner + R"(","NestedCompositeFilters":[)" + high + R"(,"Operator":"OR"},
        {"StringFilters":[{"FieldName":"comment","Filter":{"Value":"1","Comparison":"CONTAINS"}}]}]}]})");
  int some = 0;
  for (const std::string& filters : cases) {
    const auto found = every(filters);
    EXPECT_EQ(found, expected(filters)) << filters;
    if (!found.empty() && found.size() < all_.size()) ++some;
  }
  EXPECT_GT(some, static_cast<int>(cases.size()) / 2);  // the cases do tell findings apart
}

TEST_F(StoreOfOcsf, a_time_without_an_offset_is_found_by_the_number_beside_it) {
  const FindingKey prowler = import_ocsf(prowler_sample());
  const auto created = [&](const char* from, const char* to) {
    return every(one("DateFilters", "finding_info.created_time_dt",
                     R"({"Start":")" + std::string(from) + R"(","End":")" + to + "\"}"));
  };
  EXPECT_THAT(created("2024-01-02T03:04:05Z", "2024-01-02T03:04:06Z"), ElementsAre(prowler.id));
  EXPECT_THAT(created("2024-01-02T04:04:05Z", "2024-01-02T04:04:06Z"), ElementsAre());
}

TEST_F(SearchesInOcsf, pages_hold_every_finding_once_in_the_order_asked_for) {
  fill(230);
  for (const char* sort : {R"([{"Field":"severity_id","SortOrder":"desc"},{"Field":"finding_info.modified_time_dt"}])",
                           R"([{"Field":"finding_info.title","SortOrder":"asc"}])", "[]"}) {
    const auto found = every("{}", 30, sort);
    EXPECT_EQ(found.size(), all_.size());
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), all_.size()) << sort;
  }
  const auto titles = every("{}", 50, R"([{"Field":"finding_info.title","SortOrder":"desc"}])");
  std::map<std::string, std::string> title_of;
  for (const Value& document : all_)
    title_of[document["finding_info"]["uid"].as_string()] = document["finding_info"]["title"].as_string();
  EXPECT_TRUE(std::is_sorted(titles.begin(), titles.end(),
                             [&](const auto& a, const auto& b) { return title_of[a] > title_of[b]; }));
  // A token is good for its own question alone.
  const Page page = find_ocsf("{}", 10);
  ASSERT_FALSE(page.next_token.empty());
  const auto other = OcsfFilters::compile(*json::parse(text_filter("severity", "High")), 0).value();
  EXPECT_FALSE(findings_.find(other, {}, 10, page.next_token));
  EXPECT_FALSE(findings_.find(*OcsfFilters::compile({}, 0), {{"UpdatedAt", true}}, 10, page.next_token));
  EXPECT_FALSE(findings_.find(*Filters::compile({}, 0), {}, 10, page.next_token));
  EXPECT_FALSE(findings_.find(*OcsfFilters::compile({}, 0), {}, 10, "junk"));
}

TEST_F(SearchesInOcsf, counts_are_those_of_the_documents) {
  fill(300);
  for (const char* field : {"severity", "status", "cloud.account.uid", "resources.type", "metadata.product.uid",
                            "finding_info.title", "class_name", "finding_info.types"})
    for (const std::string& filters : {std::string("{}"), text_filter("severity", "High"),
                                       text_filter("finding_info.desc", "encryption", "CONTAINS")}) {
      const OcsfFilters compiled = OcsfFilters::compile(*json::parse(filters), 0).value();
      std::map<std::string, std::int64_t> expected;
      for (const Value& document : all_) {
        if (!compiled.matches(document)) continue;
        std::set<std::string> values;
        const auto path = split(field, '.');
        any_value_at(document, path, [&](const Value& value) {
          values.insert(value.as_string());
          return false;
        });
        for (const auto& value : values) ++expected[value];
      }
      EXPECT_EQ(findings_.count_by(compiled, *find_ocsf_field(field)).value(), expected) << field << " " << filters;
    }
}

TEST(OcsfFilters, every_field_of_the_index_is_one_of_the_finding_format) {
  for (const char* field : {"severity", "status", "resources.tags", "confidence_score", "cloud.account.uid"}) {
    ASSERT_NE(find_ocsf_field(field), nullptr);
    EXPECT_NE(find_field(find_ocsf_field(field)->asff), nullptr) << field;
  }
  EXPECT_EQ(find_ocsf_field("Severity"), nullptr);
  EXPECT_EQ(find_ocsf_field("severity", OcsfField::Kind::Number), nullptr);
}

TEST(OcsfFilters, refuses_each_fault_naming_the_filter) {
  const struct {
    const char* filters;
    const char* where;
    const char* says;
  } faults[] = {
      {R"([])", "Filters", "an object"},
      {R"({"CompositeOperator":"XOR"})", "Filters.CompositeOperator", "AND or OR"},
      {R"({"CompositeFilters":{}})", "Filters.CompositeFilters", "an array"},
      {R"({"CompositeFilters":[{}]})", "Filters.CompositeFilters[0]", "has no filter"},
      {R"({"CompositeFilters":["x"]})", "Filters.CompositeFilters[0]", "an object"},
      {R"({"CompositeFilters":[{"Operator":1,"StringFilters":[]}]})", "Filters.CompositeFilters[0].Operator", "AND or"},
      {R"({"CompositeFilters":[{"StringFilters":{}}]})", "Filters.CompositeFilters[0].StringFilters", "an array"},
      {R"({"CompositeFilters":[{"StringFilters":[{"FieldName":"Severity"}]}]})",
       "Filters.CompositeFilters[0].StringFilters[0].FieldName", "is 'Severity'"},
      {R"({"CompositeFilters":[{"StringFilters":[{"FieldName":"severity_id"}]}]})",
       "Filters.CompositeFilters[0].StringFilters[0].FieldName", "another kind"},
      {R"({"CompositeFilters":[{"StringFilters":[{}]}]})", "Filters.CompositeFilters[0].StringFilters[0].FieldName",
       "is missing"},
      {R"({"CompositeFilters":[{"StringFilters":[{"FieldName":"severity"}]}]})",
       "Filters.CompositeFilters[0].StringFilters[0].Filter", "an object"},
      {R"({"CompositeFilters":[{"StringFilters":[{"FieldName":"severity","Filter":{"Value":"x","Comparison":"LIKE"}}]}]})",
       "Filters.CompositeFilters[0].StringFilters[0].Filter.Comparison", "LIKE"},
      {R"({"CompositeFilters":[{"NumberFilters":[{"FieldName":"severity_id","Filter":{}}]}]})",
       "Filters.CompositeFilters[0].NumberFilters[0].Filter", "no bound"},
      {R"({"CompositeFilters":[{"DateFilters":[{"FieldName":"finding_info.created_time_dt","Filter":{"Start":"now"}}]}]})",
       "Filters.CompositeFilters[0].DateFilters[0].Filter.Start", ""},
      {R"({"CompositeFilters":[{"IpFilters":[{"FieldName":"evidences.src_endpoint.ip","Filter":{"Cidr":"10.0.0.0/40"}}]}]})",
       "Filters.CompositeFilters[0].IpFilters[0].Filter.Cidr", "block"},
      {R"({"CompositeFilters":[{"MapFilters":[{"FieldName":"resources.tags","Filter":{"Value":"x","Comparison":"EQUALS"}}]}]})",
       "Filters.CompositeFilters[0].MapFilters[0].Filter.Key", "missing"},
      {R"({"CompositeFilters":[{"BooleanFilters":[{"FieldName":"vulnerabilities.is_fix_available","Filter":{"Value":1}}]}]})",
       "Filters.CompositeFilters[0].BooleanFilters[0].Filter.Value", "true or false"},
      {R"({"CompositeFilters":[{"NestedCompositeFilters":[{"NestedCompositeFilters":[{}]}]}]})",
       "Filters.CompositeFilters[0].NestedCompositeFilters[0].NestedCompositeFilters", "hold no others"},
  };
  for (const auto& [filters, where, says] : faults) {
    const auto compiled = OcsfFilters::compile(*json::parse(filters), 0);
    ASSERT_FALSE(compiled) << filters;
    EXPECT_EQ(compiled.error().code, "ValidationException") << filters;
    EXPECT_EQ(compiled.error().where, where) << filters;
    EXPECT_THAT(compiled.error().message, HasSubstr(says)) << filters;
  }
  const auto repeat = [](const std::string& what, int count) {
    std::string list;
    for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + what;
    return list;
  };
  const std::string leaf = R"({"FieldName":"severity","Filter":{"Value":"High","Comparison":"EQUALS"}})";
  const std::string composite = R"({"StringFilters":[)" + leaf + "]}";
  EXPECT_TRUE(OcsfFilters::compile(*json::parse(R"({"CompositeFilters":[)" + repeat(composite, 10) + "]}"), 0));
  EXPECT_FALSE(OcsfFilters::compile(*json::parse(R"({"CompositeFilters":[)" + repeat(composite, 11) + "]}"), 0));
  EXPECT_FALSE(
      OcsfFilters::compile(*json::parse(R"({"CompositeFilters":[{"StringFilters":[)" + repeat(leaf, 21) + "]}]}"), 0));
  for (const char* sort : {R"([{"Field":"Severity"}])", R"([{"Field":"severity","SortOrder":"up"}])", R"([{}])"}) {
    const auto keys = ocsf_sort_keys(*json::parse(sort));
    ASSERT_FALSE(keys) << sort;
    EXPECT_EQ(keys.error().code, "ValidationException");
  }
}

}  // namespace
}  // namespace fixpoint::findings
