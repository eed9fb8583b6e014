#include <filesystem>
#include <sys/stat.h>

#include "base/text.h"
#include "topic_house.h"

namespace fixpoint::services {
namespace {

using json::Value;
using testing::ElementsAre;
using testing::HasSubstr;

Value yaml(const std::string& text) {
  return json::parse_yaml(text).value();
}

TEST(Filter, attributes_become_a_document_by_their_types) {
  EXPECT_EQ(sns::filter_document(
                yaml("{s: {DataType: String, StringValue: 'true'}, n: {DataType: Number, StringValue: '1.50'}, "
                     "l: {DataType: String.Array, StringValue: '[\"a\", 1, null]'}, "
                     "b: {DataType: Binary, BinaryValue: AQI=}}")),
            yaml("{s: 'true', n: 1.5, l: [a, 1, null]}"));
}

// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html: 3 x 4 x 2 x 3 = 72 for the
// policy of the example, whose lists lie three and two levels deep.
TEST(Filter, complexity_counts_values_and_depth) {
  const std::string example =
      R"({"key_a":{"key_b":{"key_c":["v1","v2","v3","v4"]}},"key_d":{"key_e":["v1","v2","v3"]}})";
  EXPECT_TRUE(sns::check_filter_policy(example, true, ""));
  EXPECT_THAT(sns::check_filter_policy(example, false, "").error().message, HasSubstr("does not support nested"));
  const auto of = [](std::size_t a, std::size_t b) {
    json::Array first, second;
    for (std::size_t i = 0; i < a; ++i) first.emplace_back(std::to_string(i));
    for (std::size_t i = 0; i < b; ++i) second.emplace_back(std::to_string(i));
    return json::print(json::Object{{"a", first}, {"b", second}});
  };
  EXPECT_TRUE(sns::check_filter_policy(of(10, 15), false, ""));
  EXPECT_THAT(sns::check_filter_policy(of(10, 16), false, "").error().message, HasSubstr("too complex"));
  EXPECT_THAT(sns::check_filter_policy(R"({"a":[{"prefix":1}]})", false, "").error().message,
              HasSubstr("Invalid parameter: FilterPolicy: "));
}

TEST(Filter, holds_against_documents) {
  sns::Filters filters;
  EXPECT_TRUE(filters.matches("{}", "no JSON"));
  EXPECT_FALSE(filters.matches(R"({"a":["b"]})", "no JSON"));
  EXPECT_FALSE(filters.matches(R"({"a":["b"]})", "[1]"));
  EXPECT_TRUE(filters.matches(R"({"a":["b"]})", R"({"a":"b"})"));
  EXPECT_TRUE(filters.matches(R"({"a":[{"exists":false}]})", "{}"));
  EXPECT_TRUE(filters.matches(R"({"a":[null]})", R"({"a":[1,null]})"));
  EXPECT_FALSE(filters.matches(R"({"a":[true]})", R"({"a":"true"})"));
}

TEST(Retry, goes_through_its_phases) {
  const auto policy = sns::RetryPolicy::of(
      "",
      R"({"healthyRetryPolicy":{"numRetries":7,"numNoDelayRetries":1,"numMinDelayRetries":1,"numMaxDelayRetries":2,"minDelayTarget":10,"maxDelayTarget":30,"backoffFunction":"linear"}})");
  std::vector<TimeMs> delays;
  for (int i = 1; i <= 7; ++i) delays.push_back(*policy.delay_ms(i) / 1000);
  EXPECT_THAT(delays, ElementsAre(0, 10, 10, 20, 30, 30, 30));
  EXPECT_FALSE(policy.delay_ms(8));
  EXPECT_EQ(sns::RetryPolicy().delay_ms(3), 20'000);
  EXPECT_FALSE(sns::RetryPolicy().delay_ms(4));
  EXPECT_EQ(sns::RetryPolicy::of(
                R"({"http":{"defaultHealthyRetryPolicy":{"numRetries":1},"disableSubscriptionOverrides":true}})",
                R"({"healthyRetryPolicy":{"numRetries":9}})")
                .retries,
            1);
}

TEST(Signer, keeps_its_key_and_lets_nobody_else_read_it) {
  const test::TempDir temporary;
  const auto& folder = temporary.path();
  const std::string first = (*sns::Signer::open(folder))->certificate_pem();
  EXPECT_EQ((*sns::Signer::open(folder))->certificate_pem(), first);
  const auto file = folder / "sns-signing.pem";
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  EXPECT_THAT(sns::Signer::open(folder).error().message, HasSubstr("chmod 600"));
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::resize_file(file, 10);
  EXPECT_THAT(sns::Signer::open(folder).error().message, HasSubstr("delete it"));
}

TEST(Sns, a_message_goes_to_each_subscription_in_one_transaction_or_to_none) {
  TopicHouse house;
  const auto topic = house.topic("t");
  house.subscribe(topic, "sqs", TopicHouse::queue("a"), "{RawMessageDelivery: 'true'}");
  house.subscribe(topic, "lambda", "arn:aws:lambda:us-east-1:111111111111:function:f");
  house.publish(topic, "x", ", Subject: s");
  ASSERT_EQ(house.seen("queue").size(), 1u);
  EXPECT_EQ(house.seen("queue")[0]["MessageBody"], Value("x"));
  const Value record = house.seen("function")[0]["Records"][0];
  EXPECT_EQ(record["EventSource"], Value("aws:sns"));
  EXPECT_EQ(record["Sns"]["Message"], Value("x"));
  EXPECT_EQ(record["Sns"]["Subject"], Value("s"));
  house.subscribe(topic, "sqs", TopicHouse::queue("broken"));
  EXPECT_EQ(house.call("Publish", "{TopicArn: '" + topic + "', Message: y}").error().code, "StoreError");
  EXPECT_EQ(house.seen("queue").size(), 1u);
  EXPECT_EQ(house.seen("function").size(), 1u);
}

TEST(Sns, a_function_is_begun_by_whose_doing_the_message_was_published) {
  TopicHouse house;
  const auto topic = house.topic("t");
  house.subscribe(topic, "lambda", "arn:aws:lambda:us-east-1:111111111111:function:f");
  house.publish(topic, "x");
  house.ok("PublishBatch", "{TopicArn: '" + topic + "', PublishBatchRequestEntries: [{Id: a, Message: y}]}");
  auto handler = std::make_shared<aws::Principal>(*house.caller.principal);
  handler->execution = "e-1";
  house.caller.principal = handler;
  house.publish(topic, "x");
  bus::Delivery delivery;
  delivery.rule_arn = "arn:rule";
  delivery.target.arn = topic;
  delivery.event = json::Object{{"id", "1"}};
  delivery.text = "x";
  delivery.origin = {"", "arn:aws:iam::111111111111:user/ann"};
  ASSERT_TRUE(house.store().write([&](store::Transaction& tx) { return house.sns().begin(tx, delivery); }));
  const auto seen = house.seen("published");
  ASSERT_EQ(seen.size(), 4u);
  for (const std::size_t by_call : {0u, 1u, 2u}) {
    EXPECT_EQ(seen[by_call]["Principal"], Value("arn:aws:iam::111111111111:user/me"));
    EXPECT_EQ(seen[by_call]["Rule"], Value(""));
    EXPECT_EQ(seen[by_call]["Execution"], Value(by_call == 2 ? "e-1" : ""));
  }
  EXPECT_EQ(seen[3]["Principal"], Value("arn:aws:iam::111111111111:user/ann"));
  EXPECT_EQ(seen[3]["Rule"], Value("arn:rule"));
  EXPECT_EQ(seen[3]["Event"], Value(json::Object{{"id", "1"}}));
}

TEST(Sns, what_a_queue_does_not_take_is_put_away_and_said) {
  TopicHouse house;
  const auto topic = house.topic("t");
  house.subscribe(
      topic, "sqs", TopicHouse::queue("gone"),
      "{RawMessageDelivery: 'true', RedrivePolicy: '{\"deadLetterTargetArn\":\"" + TopicHouse::queue("dead") + "\"}'}");
  house.publish(topic, "the body");
  EXPECT_EQ(house.seen("queue")[0]["MessageBody"], Value("the body"));
  const auto lost = house.seen("lost");
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0]["DeadLetterQueue"], Value(TopicHouse::queue("dead")));
  // Bodies are data: the log has none.
  EXPECT_THAT(json::print(lost[0]), testing::Not(HasSubstr("the body")));
}

TEST(Sns, what_a_queue_breaks_in_the_store_is_put_away_and_stops_no_other_subscription) {
  TopicHouse house;
  const auto topic = house.topic("t");
  house.subscribe(topic, "sqs", TopicHouse::queue("never"),
                  "{RawMessageDelivery: 'true', RedrivePolicy: '{\"deadLetterTargetArn\":\"" +
                      TopicHouse::queue("never") + "\"}'}");
  house.subscribe(topic, "sqs", TopicHouse::queue("a"), "{RawMessageDelivery: 'true'}");
  house.publish(topic, "x");
  ASSERT_EQ(house.seen("queue").size(), 1u);
  const auto lost = house.seen("lost");
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_THAT(std::string(lost[0]["Why"].string_or("")), HasSubstr("StoreConflict"));
  EXPECT_THAT(std::string(lost[0]["DeadLetterError"].string_or("")), HasSubstr("StoreConflict"));
}

TEST(Http, waits_for_its_confirmation_and_tells_nobody_else) {
  TopicHouse house;
  const auto topic = house.topic("t");
  EXPECT_EQ(house.call("Subscribe", "{TopicArn: '" + topic + "', Protocol: http, Endpoint: 'http://inside/x'}")
                .error()
                .message,
            "Invalid parameter: Endpoint Reason: it is inside");
  const std::string arn = house.subscribe(topic, "http", "http://there/x?y=1").as_string();
  auto got = house.heard(1)[0];
  EXPECT_EQ(got.first, "http://there/x?y=1");
  EXPECT_EQ(got.second.headers.get("x-amz-sns-message-type"), "SubscriptionConfirmation");
  const Value confirmation = json::parse(got.second.body).value();
  house.publish(topic, "too early");
  const std::string token = confirmation["Token"].as_string();
  const auto confirm = [&](const std::string& with) {
    const auto answer = house.call("ConfirmSubscription", "{TopicArn: '" + topic + "', Token: '" + with + "'}");
    return answer ? (*answer)["SubscriptionArn"].as_string() : answer.error().message;
  };
  EXPECT_EQ(confirm("other"), "Invalid parameter: Token");
  EXPECT_EQ(confirm(token), arn);
  EXPECT_EQ(confirm(token), arn);
  house.publish(topic, "now");
  got = house.heard(2)[1];
  EXPECT_EQ(got.second.headers.get("x-amz-sns-subscription-arn"), arn);
  EXPECT_EQ(json::parse(got.second.body).value()["Message"], Value("now"));
}

TEST(Http, a_token_is_good_for_three_days) {
  TopicHouse house;
  const auto topic = house.topic("t");
  house.subscribe(topic, "https", "https://there/");
  const std::string token = json::parse(house.heard(1)[0].second.body).value()["Token"].as_string();
  house.clock.advance_ms(3LL * 24 * 3600 * 1000);
  EXPECT_EQ(house.call("ConfirmSubscription", "{TopicArn: '" + topic + "', Token: '" + token + "'}").error().message,
            "Invalid parameter: Token");
  // Subscribing again sends a new one.
  house.subscribe(topic, "https", "https://there/");
  const std::string fresh = json::parse(house.heard(2)[1].second.body).value()["Token"].as_string();
  EXPECT_TRUE(house.call("ConfirmSubscription", "{TopicArn: '" + topic + "', Token: '" + fresh + "'}"));
}

TEST(Http, is_tried_again_after_its_delay_and_given_up_with_the_reason) {
  TopicHouse house;
  const auto topic = house.topic("t");
  house.subscribe(topic, "http", "http://there/",
                  "{RawMessageDelivery: 'true', DeliveryPolicy: "
                  "'{\"requestPolicy\":{\"headerContentType\":\"application/json\"}}'}");
  const std::string token = json::parse(house.heard(1)[0].second.body).value()["Token"].as_string();
  house.ok("ConfirmSubscription", "{TopicArn: '" + topic + "', Token: '" + token + "'}");
  house.statuses = {500, 429, 500, 503};
  house.publish(topic, "x");
  for (std::size_t attempt = 2; attempt <= 5; ++attempt) {
    const HttpRequest request = house.heard(attempt)[attempt - 1].second;
    EXPECT_EQ(request.body, "x");
    EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
    house.failed(static_cast<std::int64_t>(attempt) - 1);
    house.clock.advance_ms(20'000);
  }
  // Three retries, then it is given up.
  house.comes([&] { return !house.seen("lost").empty(); });
  EXPECT_THAT(house.seen("lost")[0]["Why"].as_string(), HasSubstr("503"));
  EXPECT_EQ(house.waiting(), 0);
}

TEST(Http, a_slow_endpoint_keeps_no_other_waiting) {
  TopicHouse house;
  const auto topic = house.topic("t");
  const auto confirmed = [&](const std::string& url) {
    house.subscribe(topic, "http", url, "{RawMessageDelivery: 'true'}");
    const std::string token = json::parse(house.heard_at(url, 1)[0]).value()["Token"].as_string();
    house.ok("ConfirmSubscription", "{TopicArn: '" + topic + "', Token: '" + token + "'}");
  };
  confirmed("http://slow/");
  for (int i = 0; i < 50; ++i) house.publish(topic, "m" + std::to_string(i));
  confirmed("http://quick/");
  house.publish(topic, "last");
  EXPECT_EQ(house.heard_at("http://quick/", 2)[1], "last");
  // The slow one was asked as often as it may be at once, and no more.
  EXPECT_EQ(house.heard_at("http://slow/", sns::HttpDeliveries::at_once_each).size(),
            sns::HttpDeliveries::at_once_each);
}

TEST(Open, links_confirm_and_end_a_subscription_and_nothing_else_is_answered) {
  TopicHouse house;
  const auto topic = house.topic("t");
  const std::string arn = house.subscribe(topic, "http", "http://there/").as_string();
  const Value confirmation = json::parse(house.heard(1)[0].second.body).value();
  const auto open = [&](const std::string& target, const std::string& method = "GET") {
    HttpRequest request;
    request.method = method;
    request.target = target;
    const auto answer = house.sns().answer_open(request);
    return answer ? std::to_string(answer->status) + " " + answer->body : "not for it";
  };
  EXPECT_EQ(open("/"), "not for it");
  EXPECT_EQ(open("/?Action=Publish&TopicArn=" + topic + "&Message=x"), "not for it");
  EXPECT_THAT(open("/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=x"), HasSubstr("400"));
  const std::string link = confirmation["SubscribeURL"].as_string().substr(std::string("http://here:1").size());
  EXPECT_EQ(open(link, "POST"), "not for it");
  EXPECT_THAT(open(link), HasSubstr(arn));
  EXPECT_THAT(open("/" + house.signer().certificate_name()), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(open("/?Action=Unsubscribe&SubscriptionArn=" + uri_encode(arn)), HasSubstr("200"));
  EXPECT_EQ(house.ok("ListSubscriptions", "{}")["Subscriptions"].size(), 0u);
}

TEST(Open, a_subscription_may_be_guarded_against_its_own_link) {
  TopicHouse house;
  const auto topic = house.topic("t");
  const std::string arn = house.subscribe(topic, "http", "http://there/").as_string();
  const std::string token = json::parse(house.heard(1)[0].second.body).value()["Token"].as_string();
  house.ok("ConfirmSubscription",
           "{TopicArn: '" + topic + "', Token: '" + token + "', AuthenticateOnUnsubscribe: 'true'}");
  HttpRequest request;
  request.method = "GET";
  request.target = "/?Action=Unsubscribe&SubscriptionArn=" + uri_encode(arn);
  EXPECT_EQ(house.sns().answer_open(request)->status, 403);
  house.ok("Unsubscribe", "{SubscriptionArn: '" + arn + "'}");
  EXPECT_EQ(house.ok("ListSubscriptions", "{}")["Subscriptions"].size(), 0u);
}

TEST(Fifo, a_duplicate_within_five_minutes_is_answered_and_not_sent) {
  TopicHouse house;
  const auto topic = house.topic("t.fifo", "{FifoTopic: 'true'}");
  house.subscribe(topic, "sqs", TopicHouse::queue("q.fifo"), "{RawMessageDelivery: 'true'}");
  const std::string more = ", MessageGroupId: g, MessageDeduplicationId: d";
  const Value one = house.publish(topic, "x", more);
  EXPECT_EQ(house.publish(topic, "y", more), one);
  EXPECT_EQ(house.seen("queue").size(), 1u);
  EXPECT_EQ(house.seen("queue")[0]["MessageGroupId"], Value("g"));
  EXPECT_EQ(house.seen("queue")[0]["MessageDeduplicationId"], Value("d"));
  house.clock.advance_ms(5 * 60 * 1000);
  EXPECT_GT(house.publish(topic, "z", more)["SequenceNumber"].as_string(), one["SequenceNumber"].as_string());
  EXPECT_EQ(house.seen("queue").size(), 2u);
}

// https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html
TEST(Sns, a_topic_has_fifty_tags_at_most) {
  TopicHouse house;
  const std::string arn = house.topic("t");
  const auto tags = [&](int first, int last) {
    std::string out = "{ResourceArn: '" + arn + "', Tags: [";
    for (int i = first; i < last; ++i) out += "{Key: k" + std::to_string(i) + ", Value: v},";
    return out + "]}";
  };
  EXPECT_EQ(house.call("TagResource", tags(0, 30'000)).error().code, "TagLimitExceeded");
  EXPECT_EQ(house.call("TagResource", "{ResourceArn: '" + arn + "', Tags: [{Key: a, Value: b}, {Key: a, Value: c}]}")
                .error()
                .code,
            "InvalidParameter");
  house.ok("TagResource", tags(0, 50));
  house.ok("TagResource", tags(0, 50));
  EXPECT_EQ(house.call("TagResource", tags(49, 51)).error().code, "TagLimitExceeded");
  EXPECT_EQ(house.ok("ListTagsForResource", "{ResourceArn: '" + arn + "'}")["Tags"].size(), 50u);
}

TEST(Sns, topics_and_subscriptions_are_listed_in_pages) {
  TopicHouse house;
  for (int i = 0; i < 101; ++i) house.topic("t" + std::to_string(1000 + i));
  const Value page = house.ok("ListTopics", "{}");
  EXPECT_EQ(page["Topics"].size(), 100u);
  const Value rest = house.ok("ListTopics", "{NextToken: '" + page["NextToken"].as_string() + "'}");
  EXPECT_EQ(rest["Topics"][0]["TopicArn"], Value("arn:aws:sns:us-east-1:111111111111:t1100"));
  EXPECT_EQ(rest["NextToken"], Value());
}

}  // namespace
}  // namespace fixpoint::services
