#include "findings/filters.h"

#include <gtest/gtest.h>

#include "aws/models.h"
#include "findings/sample.h"
#include "findings/timestamp.h"

namespace fixpoint::findings {
namespace {

using json::Value;

constexpr TimeMs sample_time = 1704164645678;  // 2024-01-02T03:04:05.678Z

bool matches(const std::string& filters, const Value& finding = sample(), TimeMs now = sample_time + 86400000) {
  const auto compiled = Filters::compile(*json::parse(filters), now);
  EXPECT_TRUE(compiled) << filters << "\n" << (compiled ? "" : describe(compiled.error()));
  return compiled && compiled->matches(finding);
}

std::string text(const char* field, const char* value, const char* comparison) {
  return std::string("\"") + field + "\":[{\"Value\":\"" + value + "\",\"Comparison\":\"" + comparison + "\"}]";
}

Value titled(const char* title) {
  Value finding = sample();
  finding.set("Title", title);
  return finding;
}

TEST(Timestamps, are_taken_in_the_forms_of_the_api_reference) {
  const auto ms = [](const char* text) { return parse_timestamp(text).value_or(-1); };
  EXPECT_EQ(ms("2024-01-02T03:04:05.678Z"), sample_time);
  EXPECT_EQ(ms("2019-01-31T23:00:00Z"), 1548975600000);
  EXPECT_EQ(ms("2019-01-31T23:00:00.123456789Z"), 1548975600123);
  EXPECT_EQ(ms("2024-01-04T15:25:10+17:59"), ms("2024-01-03T21:26:10Z"));
  EXPECT_EQ(ms("2024-01-04T15:25:10-1759"), ms("2024-01-05T09:24:10Z"));
  EXPECT_EQ(ms("2024-01-04T15:25:10.123456789+17:59"), ms("2024-01-03T21:26:10.123Z"));
  EXPECT_EQ(ms("2024-01-04T15:25:10+01"), ms("2024-01-04T14:25:10Z"));
  EXPECT_EQ(ms("2016-12-31T23:59:60Z"), ms("2017-01-01T00:00:00Z"));
  EXPECT_EQ(ms("2024-01-04T15:25:10+18:00"), ms("2024-01-03T21:25:10Z"));
}

TEST(Timestamps, of_any_other_form_are_refused) {
  for (const char* bad : {"",
                          "yesterday",
                          "2024-01-02",
                          "2024-01-02 03:04:05Z",
                          "2024-01-02t03:04:05Z",
                          "2024-01-02T03:04:05z",
                          "2024-01-02T03:04:05",
                          "2024-01-02T03:04Z",
                          "2024-1-2T03:04:05Z",
                          "2024-02-30T03:04:05Z",
                          "2024-13-02T03:04:05Z",
                          "2024-01-02T24:04:05Z",
                          "2024-01-02T03:04:60Z",
                          "2024-01-02T03:04:05.Z",
                          "2024-01-02T03:04:05.1234567890Z",
                          "2024-01-02T03:04:05+18:01",
                          "2024-01-02T03:04:05+1",
                          "2024-01-02T03:04:05+01:",
                          "2024-01-02T03:04:05+01:60",
                          "2024-01-02T03:04:05Z ",
                          " 2024-01-02T03:04:05Z",
                          "20240102T030405Z",
                          "2024-01-02T03:04:05+-1:00"}) {
    const auto time = parse_timestamp(bad);
    EXPECT_FALSE(time) << bad;
  }
  EXPECT_NE(parse_timestamp("yesterday").error().message.find("2024-01-02T03:04:05.678Z"), std::string::npos);
}

TEST(Filters, each_comparison_of_texts) {
  EXPECT_TRUE(matches("{" + text("ComplianceStatus", "FAILED", "EQUALS") + "}"));
  EXPECT_FALSE(matches("{" + text("ComplianceStatus", "failed", "EQUALS") + "}"));  // values are case sensitive
  EXPECT_TRUE(matches("{" + text("Title", "Bucket", "PREFIX") + "}"));
  EXPECT_FALSE(matches("{" + text("Title", "ucket", "PREFIX") + "}"));
  EXPECT_FALSE(matches("{" + text("Title", "Bucket is not encrypted", "NOT_EQUALS") + "}"));
  EXPECT_TRUE(matches("{" + text("Title", "Bucket", "NOT_EQUALS") + "}"));
  EXPECT_FALSE(matches("{" + text("Title", "Bucket", "PREFIX_NOT_EQUALS") + "}"));
  EXPECT_TRUE(matches("{" + text("Title", "encrypt", "CONTAINS") + "}"));
  EXPECT_FALSE(matches("{" + text("Title", "Encrypt", "CONTAINS") + "}"));
  EXPECT_FALSE(matches("{" + text("Title", "encrypt", "NOT_CONTAINS") + "}"));
  EXPECT_TRUE(matches("{" + text("Title", "not", "CONTAINS_WORD") + "}"));
  EXPECT_FALSE(matches("{" + text("Title", "encrypt", "CONTAINS_WORD") + "}"));
}

TEST(Filters, what_is_absent_is_not_equal_to_anything) {
  EXPECT_FALSE(matches("{" + text("NoteText", "x", "EQUALS") + "}"));
  EXPECT_FALSE(matches("{" + text("NoteText", "x", "CONTAINS") + "}"));
  EXPECT_TRUE(matches("{" + text("NoteText", "x", "NOT_EQUALS") + "}"));
  EXPECT_TRUE(matches("{" + text("NoteText", "x", "PREFIX_NOT_EQUALS") + "}"));
  EXPECT_TRUE(matches("{" + text("NoteText", "x", "NOT_CONTAINS") + "}"));
}

TEST(Filters, of_several_values_of_a_finding_any_may_match_and_none_may_be_excluded) {
  EXPECT_TRUE(matches("{" + text("ResourceId", "AWS::::Account:111111111111", "EQUALS") + "}"));
  EXPECT_TRUE(matches("{" + text("ResourceType", "AwsAccount", "EQUALS") + "}"));
  EXPECT_FALSE(matches("{" + text("ResourceType", "AwsAccount", "NOT_EQUALS") + "}"));
  EXPECT_TRUE(matches("{" + text("ResourceType", "AwsIamUser", "NOT_EQUALS") + "}"));
}

TEST(Filters, numbers_have_bounds_that_all_hold) {
  const auto port = [](const char* filter) { return matches(std::string("{\"NetworkSourcePort\":[") + filter + "]}"); };
  EXPECT_TRUE(port(R"({"Eq":42})"));
  EXPECT_FALSE(port(R"({"Eq":43})"));
  EXPECT_TRUE(port(R"({"Gte":42,"Lte":42})"));
  EXPECT_FALSE(port(R"({"Gte":42,"Lte":41})"));
  EXPECT_FALSE(port(R"({"Gt":42})"));
  EXPECT_FALSE(port(R"({"Lt":42})"));
  EXPECT_TRUE(port(R"({"Gt":41,"Lt":43})"));
  EXPECT_TRUE(port(R"({"Eq":1},{"Eq":42})"));
}

TEST(Filters, dates_have_two_ends_or_a_range_of_days_back) {
  const auto created = [](const char* filter) { return matches(std::string("{\"CreatedAt\":[") + filter + "]}"); };
  EXPECT_TRUE(created(R"({"Start":"2024-01-02T03:04:05.678Z","End":"2024-01-03T00:00:00Z"})"));
  EXPECT_TRUE(created(R"({"Start":"2024-01-02T03:04:05.678Z"})"));
  EXPECT_FALSE(created(R"({"Start":"2024-01-02T03:04:05.679Z"})"));
  EXPECT_TRUE(created(R"({"End":"2024-01-02T03:04:05.678Z"})"));
  EXPECT_FALSE(created(R"({"End":"2024-01-02T03:04:05.677Z"})"));
  EXPECT_TRUE(created(R"({"DateRange":{"Value":1,"Unit":"DAYS"}})"));
  EXPECT_FALSE(created(R"({"DateRange":{"Value":0,"Unit":"DAYS"}})"));
  EXPECT_FALSE(created(R"({"DateRange":{"Value":1,"Unit":"DAYS","Comparison":"OLDER_THAN"}})"));
  EXPECT_TRUE(created(R"({"DateRange":{"Value":0,"Unit":"DAYS","Comparison":"OLDER_THAN"}})"));
  EXPECT_TRUE(created(R"({"End":"2023-01-01T00:00:00Z"},{"Start":"2024-01-01T00:00:00+01:00"})"));
}

TEST(Filters, addresses_lie_within_a_block) {
  const auto source = [](const char* cidr) {
    return matches(std::string("{\"NetworkSourceIpV4\":[{\"Cidr\":\"") + cidr + "\"}]}");
  };
  EXPECT_TRUE(source("10.0.0.0/8"));
  EXPECT_FALSE(source("10.0.0.0/16"));
  EXPECT_TRUE(source("10.1.2.3"));
  EXPECT_TRUE(source("10.1.2.2/31"));
  EXPECT_FALSE(source("10.1.2.4/31"));
  EXPECT_TRUE(source("0.0.0.0/0"));
  EXPECT_FALSE(source("::/0"));  // no version 4 address lies in a block of version 6
  Value finding = sample();
  finding.set("Network", json::Object{{"SourceIpV6", "2001:db8::1"}});
  EXPECT_TRUE(matches(R"({"NetworkSourceIpV6":[{"Cidr":"2001:db8::/32"}]})", finding));
  EXPECT_FALSE(matches(R"({"NetworkSourceIpV6":[{"Cidr":"2001:db9::/32"}]})", finding));
}

TEST(Filters, maps_are_asked_by_key) {
  const auto tag = [](const char* key, const char* value, const char* comparison) {
    return matches(std::string("{\"ResourceTags\":[{\"Key\":\"") + key + "\",\"Value\":\"" + value +
                   "\",\"Comparison\":\"" + comparison + "\"}]}");
  };
  EXPECT_TRUE(tag("team", "pay", "EQUALS"));
  EXPECT_FALSE(tag("team", "pa", "EQUALS"));
  EXPECT_FALSE(tag("other", "pay", "EQUALS"));
  EXPECT_FALSE(tag("team", "pay", "NOT_EQUALS"));
  EXPECT_TRUE(tag("team", "Pay", "NOT_EQUALS"));
  EXPECT_TRUE(tag("other", "pay", "NOT_EQUALS"));
  EXPECT_TRUE(tag("team", "a", "CONTAINS"));
  EXPECT_FALSE(tag("team", "a", "NOT_CONTAINS"));
}

TEST(Filters, a_keyword_is_looked_for_in_every_text) {
  EXPECT_TRUE(matches(R"({"Keyword":[{"Value":"security-control/S3"}]})"));
  EXPECT_TRUE(matches(R"({"Keyword":[{"Value":"pay"}]})"));
  EXPECT_FALSE(matches(R"({"Keyword":[{"Value":"nowhere to be found"}]})"));
  EXPECT_FALSE(matches(R"({"Keyword":[{"Value":"SchemaVersion"}]})"));  // a name is no value
}

TEST(Filters, a_finding_that_does_not_say_so_is_no_sample) {
  EXPECT_TRUE(matches(R"({"Sample":[{"Value":false}]})"));
  EXPECT_FALSE(matches(R"({"Sample":[{"Value":true}]})"));
  Value finding = sample();
  finding.set("Sample", true);
  EXPECT_TRUE(matches(R"({"Sample":[{"Value":true}]})", finding));
}

// The examples of https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_StringFilter.html
TEST(Filters, join_as_the_api_reference_says) {
  const char* either =
      R"({"Title":[{"Value":"CloudFront","Comparison":"CONTAINS"},{"Value":"CloudWatch","Comparison":"CONTAINS"}]})";
  EXPECT_TRUE(matches(either, titled("CloudFront distributions")));
  EXPECT_TRUE(matches(either, titled("A CloudWatch alarm")));
  EXPECT_TRUE(matches(either, titled("CloudWatch and CloudFront")));
  EXPECT_FALSE(matches(either, titled("CloudTrail")));
  const char* neither =
      R"({"Title":[{"Value":"CloudFront","Comparison":"NOT_CONTAINS"},{"Value":"CloudWatch","Comparison":"NOT_CONTAINS"}]})";
  EXPECT_FALSE(matches(neither, titled("CloudFront distributions")));
  EXPECT_FALSE(matches(neither, titled("A CloudWatch alarm")));
  EXPECT_TRUE(matches(neither, titled("CloudTrail")));
  const auto of_type = [](const char* type) {
    Value finding = sample();
    finding.set("Resources", json::Array{Value(json::Object{{"Type", type}, {"Id", "x"}})});
    return matches(
        R"({"ResourceType":[{"Value":"AwsIam","Comparison":"PREFIX"},{"Value":"AwsEc2","Comparison":"PREFIX"},
      {"Value":"AwsIamPolicy","Comparison":"NOT_EQUALS"},{"Value":"AwsEc2NetworkInterface","Comparison":"NOT_EQUALS"}]})",
        finding);
  };
  EXPECT_TRUE(of_type("AwsIamUser"));
  EXPECT_TRUE(of_type("AwsEc2SecurityGroup"));
  EXPECT_FALSE(of_type("AwsIamPolicy"));
  EXPECT_FALSE(of_type("AwsEc2NetworkInterface"));
  EXPECT_FALSE(of_type("AwsS3Bucket"));
}

TEST(Filters, on_different_fields_all_have_to_hold) {
  EXPECT_TRUE(
      matches("{" + text("Title", "Bucket", "PREFIX") + "," + text("AwsAccountId", "111111111111", "EQUALS") + "}"));
  EXPECT_FALSE(
      matches("{" + text("Title", "Bucket", "PREFIX") + "," + text("AwsAccountId", "222222222222", "EQUALS") + "}"));
  EXPECT_TRUE(matches("{}"));
  EXPECT_TRUE(matches(R"({"Title":[],"Id":null})"));
}

struct Refusal {
  const char* filters;
  const char* where;
};

TEST(Filters, each_refusal_names_the_filter) {
  const Refusal refusals[] = {
      {R"({"Nonsense":[{"Value":"a","Comparison":"EQUALS"}]})", "Filters.Nonsense"},
      {R"({"Title":{"Value":"a","Comparison":"EQUALS"}})", "Filters.Title"},
      {R"({"Title":["a"]})", "Filters.Title[0]"},
      {R"({"Title":[{"Value":"a","Comparison":"LIKE"}]})", "Filters.Title[0].Comparison"},
      {R"({"Title":[{"Value":"a","Comparison":"equals"}]})", "Filters.Title[0].Comparison"},
      {R"({"Title":[{"Value":"a"}]})", "Filters.Title[0].Comparison"},
      {R"({"Title":[{"Comparison":"EQUALS"}]})", "Filters.Title[0].Value"},
      {R"({"Title":[{"Value":7,"Comparison":"EQUALS"}]})", "Filters.Title[0].Value"},
      {R"({"Title":[{"Value":" ","Comparison":"EQUALS"}]})", "Filters.Title[0].Value"},
      {R"({"Title":[{"Value":"a","Comparison":"EQUALS"},{"Value":"b","Comparison":"NOT_EQUALS"}]})", "Filters.Title"},
      {R"({"Title":[{"Value":"a","Comparison":"EQUALS"},{"Value":"b","Comparison":"PREFIX_NOT_EQUALS"}]})",
       "Filters.Title"},
      {R"({"Title":[{"Value":"a","Comparison":"CONTAINS"},{"Value":"b","Comparison":"NOT_CONTAINS"}]})",
       "Filters.Title"},
      {R"({"Title":[{"Value":"a","Comparison":"CONTAINS"},{"Value":"b","Comparison":"EQUALS"}]})", "Filters.Title"},
      {R"({"Title":[{"Value":"a","Comparison":"PREFIX"},{"Value":"b","Comparison":"NOT_CONTAINS"}]})", "Filters.Title"},
      {R"({"ResourceTags":[{"Value":"x","Comparison":"EQUALS"}]})", "Filters.ResourceTags[0].Key"},
      {R"({"ResourceTags":[{"Key":"k","Comparison":"EQUALS"}]})", "Filters.ResourceTags[0].Value"},
      {R"({"ResourceTags":[{"Key":"k","Value":"x","Comparison":"PREFIX"}]})", "Filters.ResourceTags[0].Comparison"},
      {R"({"ResourceTags":[{"Key":"k","Value":"x","Comparison":"EQUALS"},{"Key":"l","Value":"x","Comparison":"NOT_EQUALS"}]})",
       "Filters.ResourceTags"},
      {R"({"CreatedAt":[{}]})", "Filters.CreatedAt[0]"},
      {R"({"CreatedAt":[{"Start":"x"}]})", "Filters.CreatedAt[0].Start"},
      {R"({"CreatedAt":[{"End":"2024-01-02"}]})", "Filters.CreatedAt[0].End"},
      {R"({"CreatedAt":[{"Start":"2024-01-02T03:04:05Z","DateRange":{"Value":1,"Unit":"DAYS"}}]})",
       "Filters.CreatedAt[0]"},
      {R"({"CreatedAt":[{"DateRange":{"Value":1,"Unit":"HOURS"}}]})", "Filters.CreatedAt[0].DateRange"},
      {R"({"CreatedAt":[{"DateRange":{"Value":-1,"Unit":"DAYS"}}]})", "Filters.CreatedAt[0].DateRange"},
      {R"({"CreatedAt":[{"DateRange":{"Value":1.5,"Unit":"DAYS"}}]})", "Filters.CreatedAt[0].DateRange"},
      {R"({"CreatedAt":[{"DateRange":{"Value":1,"Unit":"DAYS","Comparison":"BEFORE"}}]})",
       "Filters.CreatedAt[0].DateRange.Comparison"},
      {R"({"NetworkSourceIpV4":[{"Cidr":"10.0.0.0/33"}]})", "Filters.NetworkSourceIpV4[0].Cidr"},
      {R"({"NetworkSourceIpV4":[{"Cidr":"010.0.0.1/8"}]})", "Filters.NetworkSourceIpV4[0].Cidr"},
      {R"({"NetworkSourceIpV4":[{"Cidr":"10.0.0.0/"}]})", "Filters.NetworkSourceIpV4[0].Cidr"},
      {R"({"NetworkSourceIpV4":[{}]})", "Filters.NetworkSourceIpV4[0].Cidr"},
      {R"({"Confidence":[{}]})", "Filters.Confidence[0]"},
      {R"({"Confidence":[{"Gte":"50"}]})", "Filters.Confidence[0].Gte"},
      {R"({"Sample":[{"Value":"true"}]})", "Filters.Sample[0].Value"},
      {R"({"Keyword":[{"Value":""}]})", "Filters.Keyword[0].Value"},
      {R"([])", "Filters"}};
  for (const Refusal& refusal : refusals) {
    const auto compiled = Filters::compile(*json::parse(refusal.filters), 0);
    ASSERT_FALSE(compiled) << refusal.filters;
    EXPECT_EQ(compiled.error().code, "InvalidInputException");
    EXPECT_EQ(compiled.error().where, refusal.where) << refusal.filters;
  }
}

TEST(Filters, take_ten_attributes_of_twenty_values) {
  const auto values = [](int count) {
    json::Array array;
    for (int i = 0; i < count; ++i)
      array.emplace_back(json::Object{{"Value", "v" + std::to_string(i)}, {"Comparison", "EQUALS"}});
    return Value(array);
  };
  EXPECT_TRUE(Filters::compile(Value(json::Object{{"Title", values(20)}}), 0));
  EXPECT_EQ(Filters::compile(Value(json::Object{{"Title", values(21)}}), 0).error().where, "Filters.Title");
  json::Object many;
  for (const char* name : {"Title", "Id", "ProductArn", "AwsAccountId", "GeneratorId", "Region", "Type",
                           "SeverityLabel", "Description", "SourceUrl"})
    many.set(name, values(1));
  EXPECT_TRUE(Filters::compile(Value(many), 0));
  many.set("NoteText", values(1));
  EXPECT_EQ(Filters::compile(Value(many), 0).error().where, "Filters");
}

TEST(Filters, equal_requests_ask_the_same_whatever_the_order_of_their_members) {
  const auto asked = [](const char* filters) { return Filters::compile(*json::parse(filters), 0)->asked(); };
  EXPECT_EQ(asked(R"({"Id":[{"Value":"a","Comparison":"EQUALS"}],"Title":[]})"),
            asked(R"({"Title":[],"Id":[{"Comparison":"EQUALS","Value":"a"}]})"));
  EXPECT_NE(asked(R"({"Id":[{"Value":"a","Comparison":"EQUALS"}]})"),
            asked(R"({"Id":[{"Value":"b","Comparison":"EQUALS"}]})"));
}

// AwsSecurityFindingFilters of the service's own model is what there has to be, name by name.
TEST(Filters, know_every_field_of_the_model) {
  const auto models = aws::Models::open({}).value();
  const auto service = models->get("securityhub").value();
  const auto* operation = service->find_operation("GetFindings");
  ASSERT_NE(operation, nullptr);
  const auto* filters = operation->input->find("Filters");
  ASSERT_NE(filters, nullptr);
  std::size_t known = 0;
  for (const auto& member : filters->shape->members) {
    const FieldRule* rule = find_field(member.name);
    EXPECT_NE(rule, nullptr) << member.name;
    ++known;
    if (rule == nullptr) continue;
    const std::string_view shape = member.shape->element.shape->name;
    const std::string_view expected = rule->kind == FieldRule::Kind::Text      ? "StringFilter"
                                      : rule->kind == FieldRule::Kind::Number  ? "NumberFilter"
                                      : rule->kind == FieldRule::Kind::Date    ? "DateFilter"
                                      : rule->kind == FieldRule::Kind::Ip      ? "IpFilter"
                                      : rule->kind == FieldRule::Kind::Map     ? "MapFilter"
                                      : rule->kind == FieldRule::Kind::Boolean ? "BooleanFilter"
                                                                               : "KeywordFilter";
    EXPECT_EQ(shape, expected) << member.name;
  }
  EXPECT_EQ(known, all_fields().size());
}

}  // namespace
}  // namespace fixpoint::findings
