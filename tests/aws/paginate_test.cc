#include "aws/paginate.h"

#include <gtest/gtest.h>

#include "aws/models.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

json::Value parsed(std::string_view text) {
  return json::parse(text).value();
}

const Models& models() {
  static const std::unique_ptr<Models> all = Models::open({}).value();
  return *all;
}

Paginator paginator(std::string_view service, std::string_view operation) {
  return Paginator::make(*models().get(service).value(), operation).value();
}

// Answers one after the other, and remembers what it was asked.
struct Script {
  std::vector<std::string> answers;
  std::vector<std::string> asked;

  PageCall call() {
    return [this](const json::Value& input) -> Result<json::Value> {
      asked.push_back(json::print(input));
      if (asked.size() > answers.size()) return fail(errors::internal("was asked too often"));
      const std::string& answer = answers[asked.size() - 1];
      if (answer == "throttled") return fail(errors::throttling("slow down"));
      return parsed(answer);
    };
  }
};

TEST(paginate, turns_pages_by_token_until_there_is_none) {
  Script script{
      {R"({"Findings": [1, 2], "NextToken": "a"})", R"({"Findings": [3], "NextToken": "b"})", R"({"Findings": []})"},
      {}};
  const auto whole = paginator("securityhub", "GetFindings").collect(script.call(), parsed(R"({"Filters": {}})"), 50);
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ(json::print(*whole), R"({"Findings":[1,2,3]})");
  EXPECT_EQ(script.asked, (std::vector<std::string>{R"({"Filters":{},"MaxResults":50})",
                                                    R"({"Filters":{},"MaxResults":50,"NextToken":"a"})",
                                                    R"({"Filters":{},"MaxResults":50,"NextToken":"b"})"}));
}

TEST(paginate, of_what_only_the_newer_source_has_the_tokens_are_known) {
  Script script{{R"({"Findings": [{"x": 1}], "NextToken": "a"})", R"({"Findings": [{"x": 2}]})"}, {}};
  EXPECT_EQ(json::print(paginator("securityhub", "GetFindingsV2").collect(script.call(), {}).value()),
            R"({"Findings":[{"x":1},{"x":2}]})");
}

TEST(paginate, a_page_size_that_the_input_says_stays) {
  Script script{{R"({"Findings": []})"}, {}};
  ASSERT_TRUE(paginator("securityhub", "GetFindings").collect(script.call(), parsed(R"({"MaxResults": 7})"), 50));
  EXPECT_EQ(script.asked.front(), R"({"MaxResults":7})");
}

TEST(paginate, two_tokens_go_together_and_more_results_ends) {
  Script script{
      {R"({"IsTruncated": true, "NextKeyMarker": "k", "NextVersionIdMarker": "v", "Versions": [1], "DeleteMarkers": [9]})",
       R"({"IsTruncated": true, "NextKeyMarker": "k2", "Versions": [2]})",
       R"({"IsTruncated": false, "NextKeyMarker": "k3", "CommonPrefixes": [4]})"},
      {}};
  const auto whole = paginator("s3", "ListObjectVersions").collect(script.call(), parsed(R"({"Bucket": "b"})"));
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ(json::print(*whole), R"({"Versions":[1,2],"DeleteMarkers":[9],"CommonPrefixes":[4]})");
  EXPECT_EQ(script.asked[1], R"({"Bucket":"b","KeyMarker":"k","VersionIdMarker":"v"})");
  // A token that the page does not give is not sent on.
  EXPECT_EQ(script.asked[2], R"({"Bucket":"b","KeyMarker":"k2"})");
}

TEST(paginate, the_last_key_is_the_marker_where_s3_gives_none) {
  Script script{{R"({"IsTruncated": true, "Contents": [{"Key": "a"}, {"Key": "b"}]})",
                 R"({"IsTruncated": false, "Contents": [{"Key": "c"}]})"},
                {}};
  const auto whole = paginator("s3", "ListObjects").collect(script.call(), parsed(R"({"Bucket": "b"})"));
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ(script.asked[1], R"({"Bucket":"b","Marker":"b"})");
  EXPECT_EQ((*whole)["Contents"].size(), 3U);
}

TEST(paginate, joins_what_lies_deeper_and_sends_a_text_limit) {
  Script script{{R"({"DistributionList": {"IsTruncated": true, "NextMarker": "m", "Quantity": 2, "Items": [1]}})",
                 R"({"DistributionList": {"IsTruncated": false, "Quantity": 2, "Items": [2]}})"},
                {}};
  const auto whole = paginator("cloudfront", "ListDistributions").collect(script.call(), {}, 1);
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ(json::print(*whole), R"({"DistributionList":{"Quantity":2,"Items":[1,2]}})");
  EXPECT_EQ(script.asked[1], R"({"MaxItems":"1","Marker":"m"})");
}

TEST(paginate, counts_are_added_up) {
  Script script{{R"({"Items": [1], "Count": 1, "ScannedCount": 5, "LastEvaluatedKey": {"k": {"S": "1"}}})",
                 R"({"Items": [2], "Count": 1, "ScannedCount": 7})"},
                {}};
  const auto whole = paginator("dynamodb", "Scan").collect(script.call(), parsed(R"({"TableName": "t"})"));
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ((*whole)["ScannedCount"].int_or(0), 12);
  EXPECT_EQ(script.asked[1], R"({"TableName":"t","ExclusiveStartKey":{"k":{"S":"1"}}})");
}

TEST(paginate, a_token_that_comes_again_is_an_error) {
  for (const std::vector<std::string>& tokens :
       {std::vector<std::string>{"a", "a"}, std::vector<std::string>{"a", "b", "c", "a"}}) {
    Script script;
    for (const std::string& token : tokens)
      script.answers.push_back(R"({"Findings": [1], "NextToken": ")" + token + "\"}");
    const auto whole = paginator("securityhub", "GetFindings").collect(script.call(), {});
    ASSERT_FALSE(whole);
    EXPECT_EQ(whole.error().code, "PaginationError");
    EXPECT_EQ(script.asked.size(), tokens.size());
    EXPECT_EQ(whole.error().where, "securityhub.GetFindings");
  }
  // The caller's own token, answered with itself.
  Script script{{R"({"Findings": [1], "NextToken": "mine"})"}, {}};
  EXPECT_FALSE(paginator("securityhub", "GetFindings").collect(script.call(), parsed(R"({"NextToken": "mine"})")));
}

TEST(paginate, a_log_stream_ends_where_its_token_repeats) {
  Script script{{R"({"events": [1], "nextForwardToken": "f/1"})", R"({"events": [2], "nextForwardToken": "f/2"})",
                 R"({"events": [], "nextForwardToken": "f/2"})"},
                {}};
  const auto whole = paginator("logs", "GetLogEvents").collect(script.call(), {});
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ((*whole)["events"].size(), 2U);
}

TEST(paginate, more_without_a_token_is_an_error_and_not_the_end) {
  Script script{{R"({"IsTruncated": true, "Versions": [1]})"}, {}};
  const auto whole = paginator("s3", "ListObjectVersions").collect(script.call(), {});
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, "PaginationError");
  EXPECT_NE(whole.error().message.find("no token"), std::string::npos);
}

TEST(paginate, a_failed_page_can_be_asked_for_again) {
  Script script{{R"({"Findings": [1], "NextToken": "a"})", "throttled", R"({"Findings": [2]})"}, {}};
  Pages pages = paginator("securityhub", "GetFindings").pages(script.call(), {});
  EXPECT_TRUE(pages.next().value());
  EXPECT_EQ(pages.next().error().code, "ThrottlingException");
  EXPECT_EQ(json::print(*pages.next().value()), R"({"Findings":[2]})");
  EXPECT_FALSE(pages.next().value());
  EXPECT_EQ(script.asked.size(), 3U);
}

TEST(paginate, items_are_bounded) {
  Script script{{R"({"Findings": [1, 2], "NextToken": "a"})", R"({"Findings": [3]})"}, {}};
  const auto whole = paginator("securityhub", "GetFindings").collect(script.call(), {}, {}, 2);
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, "PaginationError");
}

TEST(paginate, an_operation_without_pages_says_so) {
  const auto none = Paginator::make(*models().get("securityhub").value(), "BatchImportFindings");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "InvalidModel");
  EXPECT_FALSE(has_paginator(*models().get("securityhub").value(), "BatchImportFindings"));
}

TEST(paginate, every_paginator_of_every_service_can_be_read) {
  std::size_t count = 0;
  for (const PackEntry& entry : models().services()) {
    const auto service = models().get(entry.name).value();
    if (!service->paginators().is_object()) continue;
    for (const json::Member& each : service->paginators().as_object()) {
      const auto made = Paginator::make(*service, each.key);
      EXPECT_TRUE(made) << entry.name << " " << each.key << ": " << describe(made.error());
      ++count;
    }
  }
  EXPECT_GT(count, 950U);
}

}  // namespace
}  // namespace fixpoint::aws
