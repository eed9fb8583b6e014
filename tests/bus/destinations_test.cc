#include "bus/destinations.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <mutex>

#include "base/text.h"
#include "bus/bus.h"
#include "bus/connections.h"
#include "bus/destination_request.h"
#include "bus/destination_sender.h"
#include "json/text.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::bus {
namespace {

using json::Object;
using json::Value;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* queue = "arn:aws:sqs:us-east-1:111111111111:dead";

Value yaml_free(const char* text) {
  return json::parse(text).value();
}

// A bus with a connection and a destination, whose requests a test answers.
class DestinationsTest : public testing::Test {
 protected:
  DestinationsTest() {
    auto opened = store::Store::open(
        test::store_options(folder_.path()),
        {Bus::schema(), {"seen", {"CREATE TABLE seen (number INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT) STRICT;"}}});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    start();
  }
  ~DestinationsTest() override { end(); }
  void end() {
    if (bus_) bus_->stop();
    bus_.reset();
  }
  void start(const std::string& key = "a key of 32 bytes that nobody has") {
    connections_ = std::make_unique<Connections>(*store_, clock_, key);
    destinations_ = std::make_unique<Destinations>(*store_, clock_, *connections_);
    sender_ = std::make_unique<DestinationSender>(
        *store_, clock_, *connections_, *destinations_,
        [this](const std::string& url, const HttpRequest& request, int timeout_ms, auto done) {
          EXPECT_EQ(timeout_ms, 5'000);
          const std::lock_guard lock(mutex_);
          sent_.push_back({url, request, std::move(done)});
        },
        [this] {
          // As CurlClient::stop() does: what is under way ends with an error.
          for (auto& one : sent_)
            if (auto done = std::exchange(one.done, nullptr))
              done(fail(errors::coded("ConnectionError", "the HTTP client was stopped", 0)));
        });
    bus_ = std::make_unique<Bus>(*store_, clock_);
    bus_->add_target_kind("events:api-destination", sender_->kind());
    bus_->add_target_kind(
        "sqs",
        [](store::Transaction& tx, const Delivery& delivery) -> Result<void> {
          FIXPOINT_CHECK(tx.execute("INSERT INTO seen (what) VALUES (?)", {json::print(Value(delivery.attributes))}));
          return {};
        },
        [](const std::string&) { return Result<void>(); });
    ASSERT_TRUE(bus_->load());
  }
  struct Sent {
    std::string url;
    HttpRequest request;
    std::function<void(Result<HttpResponse>)> done;
  };
  Connection connect(const char* type, const char* parameters, const char* name = "there") {
    Connection wanted;
    wanted.any = here_;
    wanted.name = name;
    wanted.type = type;
    const auto made = connections_->create(wanted, yaml_free(parameters));
    if (!made) throw std::runtime_error(describe(made.error()));
    if (made->state == "AUTHORIZING") sender_->authorize(*made);
    return *made;
  }
  Connection basic() {
    return connect("BASIC", R"({"BasicAuthParameters": {"Username": "Aladdin", "Password": "open sesame"}})");
  }
  Destination destination(const Connection& connection, const char* endpoint = "https://example.com/api",
                          std::int64_t rate = 300, const char* method = "POST") {
    Destination wanted;
    wanted.any = here_;
    wanted.name = "hook";
    wanted.connection = connection.arn();
    wanted.endpoint = endpoint;
    wanted.method = method;
    wanted.rate = rate;
    const auto made = destinations_->create(wanted);
    if (!made) throw std::runtime_error(describe(made.error()));
    return *made;
  }
  void rule(const Destination& destination, Object more = {}) {
    ASSERT_TRUE(bus_->put_rule({.bus = here_, .name = "one", .pattern = R"({"source": ["test"]})"}));
    Object form{{"Id", "t"}, {"Arn", destination.arn()}, {"DeadLetterConfig", Object{{"Arn", queue}}}};
    for (const auto& member : more) form.set(member.key, member.value);
    const auto put = bus_->put_targets(here_, "one", json::Array{Value(form)});
    ASSERT_TRUE(put) << describe(put.error());
  }
  Value publish(Object detail = {{"n", 1}}) {
    Value event = bus_->make_event(here_, "test", "Thing", {}, std::move(detail));
    EXPECT_TRUE(store_->write([&](store::Transaction& tx) { return bus_->publish(tx, event); }));
    return event;
  }
  // What is due, with time enough that each of a few deliveries has its turn at 300 a second.
  void turn() {
    clock_.advance_ms(20);
    turn_at_once();
  }
  void turn_at_once() { ASSERT_TRUE(bus_->run_due()); }
  void answer(std::size_t index, int status, Headers headers = {}, std::string body = {}) {
    HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    response.body = std::move(body);
    auto done = std::exchange(sent_.at(index).done, nullptr);
    done(std::move(response));
    settle();
  }
  // What an answer leads to is written later; a write of the test's own comes after it.
  void settle() {
    ASSERT_TRUE(store_->write([](store::Transaction&) { return Result<void>(); }));
  }
  std::vector<std::string> letters() {
    return store_
        ->read([&](store::Session& session) -> Result<std::vector<std::string>> {
          FIXPOINT_TRY(rows, session.query("SELECT what FROM seen ORDER BY number"));
          std::vector<std::string> out;
          for (auto& row : rows) out.push_back(row.take(0));
          return out;
        })
        .value();
  }
  Value letter(std::size_t index = 0) { return json::parse(letters().at(index)).value(); }
  std::vector<Deliveries::Left> left() { return bus_->deliveries().left(100).value(); }

  test::TempDir folder_;
  ManualClock clock_{1'700'000'000'000};
  BusName here_{"111111111111", "us-east-1"};
  std::mutex mutex_;
  std::vector<Sent> sent_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<Destinations> destinations_;
  std::unique_ptr<DestinationSender> sender_;
  std::unique_ptr<Bus> bus_;
};

// The headers are those of "Headers included in requests to API destinations",
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html; the credentials the example of
// RFC 7617 section 2.
TEST_F(DestinationsTest, an_event_is_posted_with_the_documented_headers_and_the_connections_credentials) {
  rule(destination(basic()));
  const Value event = publish();
  EXPECT_TRUE(sent_.empty());
  turn();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].url, "https://example.com");
  EXPECT_EQ(sent_[0].request.method, "POST");
  EXPECT_EQ(sent_[0].request.target, "/api");
  EXPECT_EQ(json::parse(sent_[0].request.body).value(), event);
  EXPECT_THAT(
      sent_[0].request.headers.lines(),
      UnorderedElementsAre(Pair("Content-Type", "application/json; charset=utf-8"),
                           Pair("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
                           Pair("User-Agent", "Amazon/EventBridge/ApiDestinations"), Pair("Range", "bytes=0-1048575"),
                           Pair("Accept-Encoding", "gzip,deflate"), Pair("Connection", "close")));
  answer(0, 202);
  EXPECT_TRUE(left().empty());
  clock_.advance_ms(86'400'000);
  turn();
  EXPECT_EQ(sent_.size(), 1U);
  EXPECT_TRUE(letters().empty());
}

TEST_F(DestinationsTest, path_header_query_and_body_parameters_are_merged_the_connections_before_the_targets) {
  const auto connection = connect("API_KEY", R"({
      "ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "k3y"},
      "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "X-Both", "Value": "connection"}, {"Key": "User-Agent", "Value": "mine"}],
        "QueryStringParameters": [{"Key": "both", "Value": "a b&c", "IsValueSecret": true}],
        "BodyParameters": [{"Key": "extra", "Value": "body"}]}})");
  rule(destination(connection, "https://example.com:8443/v1/*/items/*?fixed=1", 300, "PUT"),
       {{"InputPath", "$.detail"},
        {"HttpParameters", Object{{"PathParameterValues", json::Array{Value("a/b c"), Value("$.detail.n")}},
                                  {"HeaderParameters", Object{{"x-both", "target"},
                                                              {"X-Name", "$.detail.name"},
                                                              {"content-type", "application/cloudevents+json"},
                                                              {"Host", "elsewhere"},
                                                              {"Transfer-Encoding", "chunked"}}},
                                  {"QueryStringParameters", Object{{"both", "target"}, {"own", "$.detail.name"}}}}}});
  publish({{"n", 7}, {"name", "x&y"}});
  turn();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].url, "https://example.com:8443");
  EXPECT_EQ(sent_[0].request.method, "PUT");
  EXPECT_EQ(sent_[0].request.target, "/v1/a%2Fb%20c/items/7?fixed=1&both=a%20b%26c&own=x%26y");
  EXPECT_EQ(json::parse(sent_[0].request.body).value(), yaml_free(R"({"n": 7, "name": "x&y", "extra": "body"})"));
  const Headers& headers = sent_[0].request.headers;
  EXPECT_EQ(headers.get("X-Both"), "connection");
  EXPECT_EQ(headers.get("X-Name"), "x&y");
  EXPECT_EQ(headers.get("X-Api-Key"), "k3y");
  EXPECT_EQ(headers.get("Content-Type"), "application/cloudevents+json");
  EXPECT_EQ(headers.get("User-Agent"), "Amazon/EventBridge/ApiDestinations");
  EXPECT_FALSE(headers.has("Host"));
  EXPECT_FALSE(headers.has("Transfer-Encoding"));
  EXPECT_EQ(headers.lines().size(), 8U);  // each name once
}

TEST_F(DestinationsTest, get_and_head_carry_no_body) {
  rule(destination(basic(), "https://example.com", 300, "GET"));
  publish();
  turn();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].request.target, "/");
  EXPECT_EQ(sent_[0].request.body, "");
}

// What fails before anything is sent, the reason in the dead letter.
TEST_F(DestinationsTest, what_cannot_be_made_a_request_is_a_dead_letter_with_the_reason) {
  const auto connection = connect("API_KEY", R"({"ApiKeyAuthParameters": {"ApiKeyName": "K", "ApiKeyValue": "k3y"},
      "InvocationHttpParameters": {"BodyParameters": [{"Key": "k", "Value": "v"}]}})");
  const auto there = destination(connection, "https://example.com/*/*");
  const auto values = [](json::Array list) { return Object{{"PathParameterValues", std::move(list)}}; };
  rule(there, {{"HttpParameters", values({Value("a")})}});
  publish();
  turn();
  rule(there, {{"HttpParameters", values({Value("a"), Value("$.detail.missing")})}});
  publish();
  turn();
  rule(there, {{"HttpParameters", values({Value("a"), Value("$.detail.name")})}});
  publish({{"name", ".."}});
  turn();
  rule(there, {{"HttpParameters", values({Value("a"), Value("b")})}, {"Input", "\"text\""}});
  publish();
  turn();
  settle();
  EXPECT_TRUE(sent_.empty());
  ASSERT_EQ(letters().size(), 4U);
  const char* reasons[]{"has 2 path parameters (*), and the target gives 1",
                        "the event has nothing at $.detail.missing", "is '..', which is no part of a path",
                        "no JSON object that they could be added to"};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(letter(i)["ERROR_CODE"].string_or(""), "INVALID_PARAMETER");
    EXPECT_THAT(std::string(letter(i)["ERROR_MESSAGE"].string_or("")), HasSubstr(reasons[i]));
    EXPECT_EQ(letter(i)["RETRY_ATTEMPTS"].string_or(""), "0");
  }
}

TEST_F(DestinationsTest, paths_of_http_parameters_are_read_when_the_target_is_put) {
  const auto there = destination(basic());
  ASSERT_TRUE(bus_->put_rule({.bus = here_, .name = "one", .pattern = R"({"source": ["test"]})"}));
  const auto put = bus_->put_targets(
      here_, "one",
      json::Array{Value(Object{{"Id", "t"},
                               {"Arn", there.arn()},
                               {"HttpParameters", Object{{"HeaderParameters", Object{{"X", "$.detail["}}}}}})});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, "ValidationException");
  EXPECT_THAT(put.error().message, HasSubstr("HttpParameters.HeaderParameters.X"));
  for (const auto* arn : {"arn:aws:events:us-east-1:111111111111:api-destination/hook",
                          "arn:aws:events:us-east-1:111111111111:api-destination//id"}) {
    const auto bad = bus_->put_targets(here_, "one", json::Array{Value(Object{{"Id", "t"}, {"Arn", arn}})});
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, HasSubstr("names no API destination"));
  }
}

// "Retries events associated with error codes 401, 407, 409, 429, and 5xx": API destination error codes of the guide.
TEST_F(DestinationsTest, the_documented_statuses_are_tried_again_and_the_others_are_not) {
  rule(destination(basic()));
  for (const int status : {401, 407, 409, 429, 500, 503, 599}) {
    publish();
    turn();
    answer(sent_.size() - 1, status);
    ASSERT_EQ(left().size(), 1U) << status;
    EXPECT_EQ(left()[0].state, "waiting");
    EXPECT_THAT(left()[0].error, HasSubstr("answered " + std::to_string(status)));
    clock_.advance_ms(10'000);
    turn();
    answer(sent_.size() - 1, 200);
    EXPECT_TRUE(left().empty()) << status;
  }
  EXPECT_TRUE(letters().empty());
  for (const int status : {100, 301, 307, 400, 403, 404, 410, 422}) {
    const std::size_t before = letters().size();
    publish();
    turn();
    answer(sent_.size() - 1, status);
    ASSERT_EQ(letters().size(), before + 1) << status;
    EXPECT_EQ(letter(before)["ERROR_CODE"].string_or(""), "SDK_CLIENT_ERROR");
    EXPECT_THAT(std::string(letter(before)["ERROR_MESSAGE"].string_or("")),
                HasSubstr("hook answered " + std::to_string(status)));
  }
}

TEST_F(DestinationsTest, retry_after_is_kept_to_and_a_negative_one_ends_the_tries) {
  rule(destination(basic()));
  publish();
  turn();
  answer(0, 429, {{"Retry-After", "120"}});
  clock_.advance_ms(119'000);
  turn();
  EXPECT_EQ(sent_.size(), 1U);
  clock_.advance_ms(1'000);
  turn();
  ASSERT_EQ(sent_.size(), 2U);
  // A date: 1'700'000'120 + 60 s is 2023-11-14T22:16:20Z.
  answer(1, 503, {{"Retry-After", "Tue, 14 Nov 2023 22:16:20 GMT"}});
  clock_.advance_ms(59'000);
  turn();
  EXPECT_EQ(sent_.size(), 2U);
  clock_.advance_ms(1'000);
  turn();
  ASSERT_EQ(sent_.size(), 3U);
  answer(2, 503, {{"Retry-After", "-1"}});
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_THAT(std::string(letter()["ERROR_MESSAGE"].string_or("")), HasSubstr("asks not to be tried again"));
  EXPECT_EQ(letter()["RETRY_ATTEMPTS"].string_or(""), "2");
}

TEST_F(DestinationsTest, nonsense_in_retry_after_is_passed_over) {
  rule(destination(basic()));
  publish();
  turn();
  answer(0, 503, {{"Retry-After", "soon"}});
  clock_.advance_ms(1'000);
  turn();
  EXPECT_EQ(sent_.size(), 2U);
}

TEST_F(DestinationsTest, when_the_tries_are_used_up_the_letter_says_so) {
  rule(destination(basic()), {{"RetryPolicy", Object{{"MaximumRetryAttempts", 1}}}});
  publish();
  turn();
  answer(0, 500);
  clock_.advance_ms(10'000);
  turn();
  answer(1, 429);
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letter()["ERROR_CODE"].string_or(""), "THROTTLING");
  EXPECT_EQ(letter()["EXHAUSTED_RETRY_CONDITION"].string_or(""), "MaximumRetryAttempts");
  EXPECT_THAT(std::string(letter()["TARGET_ARN"].string_or("")), HasSubstr(":api-destination/hook/"));
}

TEST_F(DestinationsTest, a_timeout_is_tried_again_and_an_address_that_is_not_public_is_not) {
  rule(destination(basic()));
  publish();
  turn();
  Error late = errors::coded("RequestTimeout", "POST https://example.com/api: no whole answer within 5000 ms", 0);
  late.retryable = true;
  std::exchange(sent_[0].done, nullptr)(fail(late));
  settle();
  clock_.advance_ms(10'000);
  turn();
  ASSERT_EQ(sent_.size(), 2U);
  std::exchange(sent_[1].done, nullptr)(fail(errors::coded("ConnectionError", "the host's address is not public.", 0)));
  settle();
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letter()["ERROR_CODE"].string_or(""), "CONNECTION_FAILURE");
}

TEST_F(DestinationsTest, no_more_are_sent_in_a_second_than_the_destination_takes) {
  rule(destination(basic(), "https://example.com/api", 2));
  for (int i = 0; i < 5; ++i) publish({{"n", i}});
  // Two a second, so one each half second.
  std::vector<std::size_t> seen;
  for (int half = 0; half < 5; ++half) {
    turn_at_once();
    turn_at_once();
    seen.push_back(sent_.size());
    clock_.advance_ms(500);
  }
  EXPECT_THAT(seen, ElementsAre(1U, 2U, 3U, 4U, 5U));
  for (const auto& one : left()) EXPECT_EQ(one.attempts, 0);  // a wait is no try
}

TEST_F(DestinationsTest, a_rate_that_is_raised_shortens_the_line) {
  rule(destination(basic(), "https://example.com/api", 1));
  for (int i = 0; i < 100; ++i) publish({{"n", i}});
  turn_at_once();
  EXPECT_EQ(sent_.size(), 1U);
  ASSERT_TRUE(destinations_->update(here_, "hook",
                                    {.description = {}, .connection = {}, .endpoint = {}, .method = {}, .rate = 1000}));
  // Each looks again within a minute, and is sent then as fast as its answers come.
  for (int i = 0; i < 400 && sent_.size() < 100; ++i) {
    clock_.advance_ms(250);
    turn();
    for (std::size_t one = 0; one < sent_.size(); ++one)
      if (sent_[one].done) answer(one, 200);
  }
  EXPECT_EQ(sent_.size(), 100U);
}

TEST_F(DestinationsTest, who_waits_for_a_turn_too_long_is_a_dead_letter) {
  rule(destination(basic(), "https://example.com/api", 1), {{"RetryPolicy", Object{{"MaximumEventAgeInSeconds", 60}}}});
  for (int i = 0; i < 63; ++i) publish({{"n", i}});
  for (int second = 0; second <= 62; ++second) {
    turn_at_once();
    for (std::size_t one = 0; one < sent_.size(); ++one)
      if (sent_[one].done) answer(one, 200);
    clock_.advance_ms(1'000);
  }
  turn();
  EXPECT_TRUE(left().empty());
  EXPECT_EQ(sent_.size() + letters().size(), 63U);
  ASSERT_GE(letters().size(), 1U);
  EXPECT_EQ(letter()["ERROR_CODE"].string_or(""), "THROTTLING");
  EXPECT_EQ(letter()["EXHAUSTED_RETRY_CONDITION"].string_or(""), "MaximumEventAgeInSeconds");
}

TEST_F(DestinationsTest, a_slow_endpoint_has_a_bounded_number_of_requests_under_way) {
  rule(destination(basic(), "https://example.com/api", 1'000'000));
  for (int i = 0; i < 50; ++i) publish({{"n", i}});
  for (int i = 0; i < 10; ++i) {
    turn();
    clock_.advance_ms(1'000);
  }
  EXPECT_EQ(sent_.size(), DestinationSender::at_once_limit);
  for (std::size_t one = 0; one < DestinationSender::at_once_limit; ++one) answer(one, 200);
  clock_.advance_ms(1'000);
  turn();
  EXPECT_EQ(sent_.size(), 50U);
}

constexpr const char* oauth = R"({"OAuthParameters": {
    "ClientParameters": {"ClientID": "s6BhdRkqt3", "ClientSecret": "7Fjfp0ZBr1KtDRbnfVdmIw"},
    "AuthorizationEndpoint": "https://login.example.com/token", "HttpMethod": "POST",
    "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "write all"}],
                            "HeaderParameters": [{"Key": "X-Tenant", "Value": "t1"}],
                            "QueryStringParameters": [{"Key": "v", "Value": "2"}]}}})";
// RFC 6749 section 5.1.
constexpr const char* token = R"({"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600})";

TEST_F(DestinationsTest, a_token_is_fetched_once_and_used_until_shortly_before_its_end) {
  const auto connection = connect("OAUTH_CLIENT_CREDENTIALS", oauth);
  EXPECT_EQ(connection.state, "AUTHORIZING");
  const auto there = destination(connection);
  EXPECT_EQ(destinations_->state(there).value(), "INACTIVE");
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].url, "https://login.example.com");
  EXPECT_EQ(sent_[0].request.target, "/token?v=2");
  // RFC 6749 section 4.4.2, and 2.3.1 for the credentials.
  EXPECT_EQ(
      sent_[0].request.body,
      "grant_type=client_credentials&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw&scope=write%20all");
  EXPECT_EQ(sent_[0].request.headers.get("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(sent_[0].request.headers.get("X-Tenant"), "t1");
  answer(0, 200, {}, token);
  EXPECT_EQ(connections_->get(here_, "there").value().state, "AUTHORIZED");
  EXPECT_EQ(connections_->get(here_, "there").value().authorized_ms, clock_.now_ms());
  EXPECT_EQ(destinations_->state(there).value(), "ACTIVE");
  rule(there);
  for (int i = 0; i < 2; ++i) {
    publish();
    turn();
    answer(sent_.size() - 1, 200);
    clock_.advance_ms(1'000);
  }
  ASSERT_EQ(sent_.size(), 3U);
  EXPECT_EQ(sent_[2].request.headers.get("Authorization"), "Bearer 2YotnFZFEjr1zCsicMWpAA");
  // A minute before its end it is fetched anew, and the event goes with the new one.
  clock_.advance_ms(3'600'000 - 60'000);
  publish();
  turn();
  ASSERT_EQ(sent_.size(), 4U);
  EXPECT_EQ(sent_[3].request.target, "/token?v=2");
  answer(3, 200, {}, R"({"access_token":"second","token_type":"Bearer"})");
  ASSERT_EQ(sent_.size(), 5U);
  EXPECT_EQ(sent_[4].request.headers.get("Authorization"), "Bearer second");
}

// "EventBridge refreshes OAuth tokens when a 401 or 407 response is returned":
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
TEST_F(DestinationsTest, a_token_that_is_refused_is_fetched_anew_for_the_next_try) {
  rule(destination(connect("OAUTH_CLIENT_CREDENTIALS", oauth)));
  answer(0, 200, {}, token);
  publish();
  publish();
  turn();
  turn();
  ASSERT_EQ(sent_.size(), 3U);
  answer(1, 401);
  answer(2, 407);
  clock_.advance_ms(10'000);
  turn();
  turn();
  ASSERT_EQ(sent_.size(), 4U);  // one request for both
  EXPECT_EQ(sent_[3].url, "https://login.example.com");
  answer(3, 200, {}, R"({"access_token":"second"})");
  ASSERT_EQ(sent_.size(), 6U);
  for (const std::size_t one : {4U, 5U}) {
    EXPECT_EQ(sent_[one].request.headers.get("Authorization"), "Bearer second");
    answer(one, 200);
  }
  EXPECT_TRUE(left().empty());
}

TEST_F(DestinationsTest, a_connection_whose_first_token_is_refused_is_not_authorized_and_an_update_tries_again) {
  rule(destination(connect("OAUTH_CLIENT_CREDENTIALS", oauth)));
  answer(0, 401, {}, R"({"error":"invalid_client","error_description":"7Fjfp0ZBr1KtDRbnfVdmIw is wrong"})");
  auto now = connections_->get(here_, "there").value();
  EXPECT_EQ(now.state, "DEAUTHORIZED");
  EXPECT_EQ(now.reason, "the authorization endpoint of the connection there answered 401");
  publish();
  turn();
  settle();
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letter()["ERROR_CODE"].string_or(""), "NO_PERMISSIONS");
  EXPECT_THAT(letters()[0], Not(HasSubstr("7Fjfp0")));
  const auto changed = connections_->update(
      here_, "there",
      {.description = {},
       .type = {},
       .parameters = yaml_free(R"({"OAuthParameters": {"ClientParameters": {"ClientSecret": "n3w"}}})")});
  ASSERT_TRUE(changed) << describe(changed.error());
  EXPECT_EQ(changed->state, "AUTHORIZING");
  sender_->authorize(*changed);
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_THAT(sent_[1].request.body, AllOf(HasSubstr("client_id=s6BhdRkqt3"), HasSubstr("client_secret=n3w")));
  // While it waits, an event waits too.
  publish();
  turn();
  settle();
  ASSERT_EQ(left().size(), 1U);
  EXPECT_THAT(left()[0].error, HasSubstr("waits for its first token"));
  answer(1, 200, {}, token);
  clock_.advance_ms(10'000);
  turn();
  ASSERT_EQ(sent_.size(), 3U);
  EXPECT_EQ(sent_[2].request.headers.get("Authorization"), "Bearer 2YotnFZFEjr1zCsicMWpAA");
}

TEST_F(DestinationsTest, an_answer_without_a_usable_token_is_none) {
  for (const char* body : {"", "no json", "[]", "{}", R"({"access_token":""})", R"({"access_token":7})",
                           R"({"access_token":"two\r\nX-Evil: 1"})"}) {
    const auto connection = connect("OAUTH_CLIENT_CREDENTIALS", oauth);
    answer(sent_.size() - 1, 200, {}, body);
    const auto now = connections_->get(here_, "there").value();
    EXPECT_EQ(now.state, "DEAUTHORIZED") << body;
    EXPECT_THAT(now.reason, HasSubstr("no JSON object with an access_token")) << body;
    ASSERT_TRUE(connections_->remove(here_, "there"));
  }
}

TEST_F(DestinationsTest, an_old_answer_says_nothing_about_parameters_that_came_after_it) {
  connect("OAUTH_CLIENT_CREDENTIALS", oauth);
  const auto changed = connections_->update(
      here_, "there",
      {.description = {},
       .type = {},
       .parameters = yaml_free(R"({"OAuthParameters": {"ClientParameters": {"ClientSecret": "n3w"}}})")});
  ASSERT_TRUE(changed);
  sender_->authorize(*changed);
  answer(0, 401);
  EXPECT_EQ(connections_->get(here_, "there").value().state, "AUTHORIZING");
  answer(1, 200, {}, token);
  EXPECT_EQ(connections_->get(here_, "there").value().state, "AUTHORIZED");
}

TEST_F(DestinationsTest, what_is_under_way_when_the_server_ends_is_sent_again_by_the_next) {
  rule(destination(basic()));
  const auto waiting = connect("OAUTH_CLIENT_CREDENTIALS", oauth, "waiting");
  publish();
  turn();
  ASSERT_EQ(sent_.size(), 2U);
  end();
  start();
  EXPECT_EQ(connections_->get(here_, "waiting").value().state, "AUTHORIZING");
  EXPECT_TRUE(letters().empty());
  ASSERT_TRUE(sender_->authorize_all());
  ASSERT_EQ(sent_.size(), 3U);
  answer(2, 200, {}, token);
  EXPECT_EQ(connections_->get(here_, "waiting").value().state, "AUTHORIZED");
  clock_.advance_ms(121'000);
  turn();
  ASSERT_EQ(sent_.size(), 4U);
  answer(3, 200);
  EXPECT_TRUE(left().empty());
}

TEST_F(DestinationsTest, a_destination_or_connection_that_is_gone_or_not_authorized_takes_no_event) {
  const auto there = destination(basic());
  rule(there);
  ASSERT_TRUE(connections_->deauthorize(here_, "there"));
  EXPECT_EQ(destinations_->state(there).value(), "INACTIVE");
  publish();
  turn();
  settle();
  EXPECT_EQ(letter(0)["ERROR_CODE"].string_or(""), "NO_PERMISSIONS");
  ASSERT_TRUE(connections_->remove(here_, "there"));
  publish();
  turn();
  settle();
  EXPECT_EQ(letter(1)["ERROR_CODE"].string_or(""), "NO_RESOURCE");
  // One of the same name that is made again is another one.
  basic();
  publish();
  turn();
  settle();
  EXPECT_EQ(letter(2)["ERROR_CODE"].string_or(""), "NO_RESOURCE");
  ASSERT_TRUE(destinations_->remove(here_, "hook"));
  publish();
  turn();
  settle();
  EXPECT_EQ(letter(3)["ERROR_CODE"].string_or(""), "NO_RESOURCE");
  EXPECT_TRUE(sent_.empty());
}

TEST_F(DestinationsTest, parameters_that_do_not_fit_the_type_are_refused_by_name_and_change_nothing) {
  const auto refused = [&](const char* type, const char* parameters) {
    Connection wanted;
    wanted.any = here_;
    wanted.name = "bad";
    wanted.type = type;
    const auto made = connections_->create(wanted, yaml_free(parameters));
    EXPECT_FALSE(made);
    if (made) return std::string();
    EXPECT_EQ(made.error().code, "ValidationException");
    EXPECT_THAT(made.error().message, Not(HasSubstr("s3cr3t")));
    return made.error().message;
  };
  EXPECT_THAT(refused("BASIC", "{}"), HasSubstr("BasicAuthParameters is required for the authorization type BASIC"));
  EXPECT_THAT(refused("BASIC", R"({"BasicAuthParameters": {"Password": "s3cr3t"}})"),
              HasSubstr("Username is required"));
  EXPECT_THAT(refused("API_KEY", R"({"BasicAuthParameters": {"Username": "u", "Password": "s3cr3t"}})"),
              HasSubstr("BasicAuthParameters is for the authorization type BASIC"));
  EXPECT_THAT(refused("API_KEY", R"({"ApiKeyAuthParameters": {"ApiKeyName": "my key", "ApiKeyValue": "s3cr3t"}})"),
              HasSubstr("has to be the name of a header"));
  EXPECT_THAT(refused("OAUTH_CLIENT_CREDENTIALS", R"({"OAuthParameters": {"ClientParameters": {"ClientID": "x"}}})"),
              HasSubstr("ClientSecret is required"));
  EXPECT_THAT(refused("NTLM", "{}"), HasSubstr("is no authorization type"));
  EXPECT_TRUE(connections_->list(here_, "", "").value().empty());
  basic();
  // A change of the type wants all of the new one's.
  const auto changed =
      connections_->update(here_, "there", {.description = {}, .type = "API_KEY", .parameters = Value()});
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("ApiKeyAuthParameters is required"));
  EXPECT_EQ(connections_->get(here_, "there").value().type, "BASIC");
  EXPECT_EQ(connections_->parameters(connections_->get(here_, "there").value()).value(),
            yaml_free(R"({"BasicAuthParameters": {"Username": "Aladdin", "Password": "open sesame"}})"));
}

TEST(CheckUrl, takes_what_events_can_be_sent_to_and_no_more) {
  for (const auto* url : {"https://example.com", "https://example.com:8443/a/*?b=c", "http://[2001:db8::1]/x"})
    EXPECT_TRUE(check_url(url, "InvocationEndpoint")) << url;
  for (const auto* url :
       {"", "invalid-endpoint", "ftp://example.com", "https://", "https:///path", "https://*/x",
        "https://me:pw@example.com/", "https://example.com/#part", "https://example.com/a b", "file:///etc/passwd"}) {
    const auto checked = check_url(url, "InvocationEndpoint");
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code, "ValidationException");
    EXPECT_THAT(checked.error().message, HasSubstr("Parameter InvocationEndpoint is not valid. Reason: ")) << url;
  }
}

TEST_F(DestinationsTest, what_is_shown_of_the_parameters_has_no_secret_in_it) {
  const auto connection = connect("BASIC", R"({
      "BasicAuthParameters": {"Username": "me", "Password": "s3cr3t-1"},
      "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "X-Open", "Value": "seen"},
                             {"Key": "X-Key", "Value": "s3cr3t-2", "IsValueSecret": true}],
        "QueryStringParameters": [], "BodyParameters": [{"Key": "b", "Value": "s3cr3t-3", "IsValueSecret": true}]}})");
  EXPECT_EQ(connections_->shown(connection).value(), yaml_free(R"({
      "BasicAuthParameters": {"Username": "me"},
      "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "X-Open", "Value": "seen", "IsValueSecret": false},
                             {"Key": "X-Key", "IsValueSecret": true}],
        "QueryStringParameters": [], "BodyParameters": [{"Key": "b", "IsValueSecret": true}]}})"));
  const auto other = connect("OAUTH_CLIENT_CREDENTIALS", oauth, "other");
  EXPECT_THAT(json::print(connections_->shown(other).value()),
              AllOf(HasSubstr("s6BhdRkqt3"), Not(HasSubstr("7Fjfp0ZBr1KtDRbnfVdmIw"))));
}

// The files of the database, in the folder and on the disk: what anybody could read who gets hold of them.
TEST_F(DestinationsTest, no_secret_is_in_the_database) {
  const auto connection = connect("BASIC", R"({
      "BasicAuthParameters": {"Username": "visible-user", "Password": "s3cr3t-password"},
      "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "X-Key", "Value": "s3cr3t-header", "IsValueSecret": true}],
        "QueryStringParameters": [{"Key": "q", "Value": "s3cr3t-query", "IsValueSecret": true}],
        "BodyParameters": [{"Key": "b", "Value": "s3cr3t-body", "IsValueSecret": true}]}})");
  rule(destination(connection, "https://example.com/visible-path"));
  publish();
  turn();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].request.headers.get("X-Key"), "s3cr3t-header");
  answer(0, 500);  // and none in what is kept of a delivery that failed
  const auto all = store_->read([](store::Session& session) -> Result<std::string> {
    std::string text;
    for (const auto* query : {"SELECT name, description, reason, secret, sealed FROM bus_connection",
                              "SELECT name, description, connection, endpoint, method FROM bus_destination",
                              "SELECT target, event, text, error_code, error_message FROM bus_delivery",
                              "SELECT account, rule, id, arn, form FROM bus_target"}) {
      FIXPOINT_TRY(rows, session.query(query));
      for (const store::Row& row : rows)
        for (std::size_t column = 0; column < 5; ++column) text += row.text(column) + "\n";
    }
    return text;
  });
  ASSERT_TRUE(all);
  EXPECT_THAT(*all, AllOf(HasSubstr("visible-path"), Not(HasSubstr("s3cr3t")), Not(HasSubstr("czNjcjN0"))));
  std::size_t read = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_EQ(bytes.find("s3cr3t"), std::string::npos) << file.path();
    EXPECT_EQ(bytes.find("visible-user"), std::string::npos) << file.path();
    read += bytes.find("visible-path") != std::string::npos ? 1 : 0;
  }
  if (std::getenv("FIXPOINT_TEST_STORE") == nullptr) EXPECT_GE(read, 1U);  // the files are those of the database
}

TEST_F(DestinationsTest, with_another_key_the_parameters_are_lost_and_the_error_says_how_to_go_on) {
  const auto connection = basic();
  rule(destination(connection));
  end();
  start("another key");
  const auto shown = connections_->shown(connections_->get(here_, "there").value());
  ASSERT_FALSE(shown);
  EXPECT_THAT(shown.error().message, AllOf(HasSubstr("keys.json"), HasSubstr("UpdateConnection")));
  publish();
  turn();
  settle();
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_THAT(letters()[0], HasSubstr("sealed with another key"));
  ASSERT_TRUE(connections_->update(
      here_, "there",
      {.description = {},
       .type = {},
       .parameters = yaml_free(R"({"BasicAuthParameters": {"Username": "u", "Password": "p"}})")}));
  publish();
  turn();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].request.headers.get("Authorization"), "Basic " + base64_encode("u:p"));
}

}  // namespace
}  // namespace fixpoint::bus
