#include <deque>
#include <gtest/gtest.h>

#include "aws/client.h"
#include "aws/models.h"
#include "aws/paginate.h"
#include "http/curl_client.h"
#include "http/server.h"
#include "json/text.h"
#include "json/yaml.h"

// The client within AWS's limits, against a server on loopback that keeps a bucket of its own.
namespace fixpoint::aws {
namespace {

using json::Value;

const Models& models() {
  static const auto opened = Models::open({});
  if (!opened) throw std::runtime_error(describe(opened.error()));
  return **opened;
}

HttpResponse answer(int status, std::string body, Headers headers = {}) {
  HttpResponse made;
  made.status = status;
  made.headers = std::move(headers);
  made.body = std::move(body);
  return made;
}

HttpResponse error(int status, const std::string& code, Headers headers = {}) {
  return answer(status, R"({"__type":")" + code + R"(","message":"because"})", std::move(headers));
}

/// A service that throttles like AWS: a bucket filled on the test's own clock. Scripted answers go first.
class FakeAws {
 public:
  FakeAws(const Clock& clock, double rate, double burst)
      : clock_(clock), rate_(rate), burst_(burst), tokens_(burst), filled_ms_(clock.now_ms()) {
    http::ServerOptions options;
    options.address = "127.0.0.1";
    options.port = 0;
    auto started = http::Server::start(
        options, [this](HttpRequest request, http::Responder responder) { responder.send(respond(request)); });
    if (!started) throw std::runtime_error(describe(started.error()));
    server_ = std::move(*started);
  }
  ~FakeAws() { server_->stop(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  int served() const { return served_; }
  int throttled() const { return throttled_; }
  int requests() const { return served_ + throttled_ + scripted_; }
  void next(HttpResponse response) { script_.push_back(std::move(response)); }

 private:
  HttpResponse respond(const HttpRequest&) {
    const std::lock_guard lock(mutex_);
    if (!script_.empty()) {
      HttpResponse first = std::move(script_.front());
      script_.pop_front();
      ++scripted_;
      return first;
    }
    const TimeMs now = clock_.now_ms();
    tokens_ = std::min(burst_, tokens_ + static_cast<double>(now - filled_ms_) * rate_ / 1000);
    filled_ms_ = now;
    if (tokens_ < 0.999) {
      ++throttled_;
      return error(429, "TooManyRequestsException");
    }
    tokens_ -= 1;
    ++served_;
    return answer(200, "{}");
  }
  const Clock& clock_;
  std::mutex mutex_;
  double rate_, burst_, tokens_;
  TimeMs filled_ms_;
  std::deque<HttpResponse> script_;
  std::atomic<int> served_ = 0, throttled_ = 0, scripted_ = 0;
  std::unique_ptr<http::Server> server_;
};

class ClientWithinLimits : public testing::Test {
 protected:
  std::unique_ptr<Client> client(FakeAws& aws, std::int64_t longest_wait_ms = 20'000) {
    CallLimits limits;
    EXPECT_TRUE(limits.add("securityhub", json::parse_yaml("source: s\nbuckets:\n"
                                                           "  - {operations: [GetFindings], rate: 3, burst: 6}\n"
                                                           "  - {rate: 10, burst: 30}\n")
                                              .value()));
    EXPECT_TRUE(limits.add("kms", json::parse_yaml("source: s\nbuckets: [{rate: 100, burst: 100}]\n"
                                                   "idempotent: [EnableKeyRotation]\n")
                                      .value()));
    rate = std::make_unique<Rate>(clock, limits, Rate::Options{.longest_wait_ms = longest_wait_ms});
    Client::Options options;
    options.endpoint_url = aws.url();
    options.rate = rate.get();
    options.longest_wait_ms = longest_wait_ms;
    options.chance = [] { return 1.0; };
    options.pause = [this](std::int64_t ms) {
      waits.push_back(ms);
      clock.advance_ms(ms);
    };
    return std::make_unique<Client>([](std::string_view name) { return models().get(name); }, http, credentials, clock,
                                    options);
  }
  static Result<Value> call(Client& client, std::string_view service, std::string_view operation,
                            std::string_view input = "{}", std::string account = "111122223333") {
    CallContext context;
    context.account = std::move(account);
    context.region = "eu-west-1";
    return client.call(context, service, operation, json::parse(input).value());
  }
  ManualClock clock{1'700'000'000'000};
  http::CurlClient http{{.use_environment_proxy = false}};
  StaticCredentials credentials{{"AKIAIOSFODNN7EXAMPLE", "secret", ""}};
  std::unique_ptr<Rate> rate;
  std::vector<std::int64_t> waits;
};

TEST_F(ClientWithinLimits, is_not_throttled_by_a_service_that_holds_to_what_it_documents) {
  FakeAws aws(clock, 3, 6);
  const auto caller = client(aws);
  const TimeMs start = clock.now_ms();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(call(*caller, "securityhub", "GetFindings")) << i;
  EXPECT_EQ(aws.served(), 60);
  EXPECT_EQ(aws.throttled(), 0);
  // 60 calls less a burst of 6, at three a second.
  EXPECT_NEAR(static_cast<double>(clock.now_ms() - start), 18'000, 100);
}

TEST_F(ClientWithinLimits, learns_a_limit_that_is_lower_than_documented) {
  FakeAws aws(clock, 1, 1);
  const auto caller = client(aws);
  int ended_well = 0;
  for (int i = 0; i < 60; ++i) ended_well += call(*caller, "securityhub", "GetFindings") ? 1 : 0;
  EXPECT_EQ(ended_well, 60) << "what was throttled is made again";
  EXPECT_GT(aws.throttled(), 0);
  EXPECT_LT(aws.throttled(), 60) << "it slows down instead of running into it again and again";
}

TEST_F(ClientWithinLimits, tells_who_would_have_to_wait_when_to_come_back_and_sends_nothing) {
  FakeAws aws(clock, 1000, 1000);
  const auto caller = client(aws, 100);
  Result<Value> last;
  for (int i = 0; i < 20 && last; ++i) last = call(*caller, "securityhub", "GetFindings");
  ASSERT_FALSE(last);
  const int requests = aws.requests();
  const auto refused = call(*caller, "securityhub", "GetFindings");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "RequestThrottled");
  EXPECT_EQ(refused.error().where, before_sending);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_GT(refused.error().retry_after_ms, 100);
  EXPECT_EQ(aws.requests(), requests);
  EXPECT_TRUE(waits.empty());
  // Another account and another operation have buckets of their own.
  EXPECT_TRUE(call(*caller, "securityhub", "GetFindings", "{}", "444455556666"));
  EXPECT_TRUE(call(*caller, "securityhub", "DescribeHub"));
  clock.advance_ms(refused.error().retry_after_ms);
  EXPECT_TRUE(call(*caller, "securityhub", "GetFindings"));
}

TEST_F(ClientWithinLimits, hands_on_how_long_a_service_wants_to_be_left_alone) {
  FakeAws aws(clock, 100, 100);
  const auto caller = client(aws, 2'000);
  aws.next(error(429, "TooManyRequestsException", {{"Retry-After", "30"}}));
  const auto refused = call(*caller, "securityhub", "DescribeHub");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry_after_ms, 30'000);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_TRUE(waits.empty());
}

TEST_F(ClientWithinLimits, makes_a_change_again_only_where_it_was_surely_not_made) {
  FakeAws aws(clock, 100, 100);
  const auto caller = client(aws);
  const auto requests_of = [&](std::string_view service, std::string_view operation, std::string_view input,
                               HttpResponse first) {
    const int before = aws.requests();
    aws.next(std::move(first));
    (void)call(*caller, service, operation, input);
    return aws.requests() - before;
  };
  constexpr std::string_view key = R"({"KeyId": "k"})";
  EXPECT_EQ(requests_of("kms", "ScheduleKeyDeletion", key, error(400, "ThrottlingException")), 2) << "not begun";
  EXPECT_EQ(requests_of("kms", "ScheduleKeyDeletion", key, error(500, "InternalFailure")), 1) << "perhaps made";
  EXPECT_EQ(requests_of("kms", "ScheduleKeyDeletion", key, answer(502, "")), 1);
  EXPECT_EQ(requests_of("kms", "ScheduleKeyDeletion", key, error(400, "AccessDeniedException")), 1);
  EXPECT_EQ(requests_of("kms", "ListKeys", "{}", error(500, "InternalFailure")), 2) << "it only reads";
  EXPECT_EQ(requests_of("kms", "EnableKeyRotation", key, error(500, "InternalFailure")), 2)
      << "the file of limits calls it idempotent";
  EXPECT_EQ(requests_of("ec2", "RunInstances", R"({"MinCount": 1, "MaxCount": 1})", answer(500, "")), 2)
      << "both attempts have one token";
}

TEST_F(ClientWithinLimits, does_not_call_not_made_what_an_earlier_attempt_may_have_made) {
  FakeAws aws(clock, 100, 100);
  const auto caller = client(aws);
  aws.next(error(500, "InternalFailure"));
  for (int i = 0; i < 5; ++i) aws.next(error(400, "ThrottlingException"));
  const auto lost = call(*caller, "kms", "EnableKeyRotation", R"({"KeyId": "k"})");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "InternalFailure");
  EXPECT_EQ(lost.error().http_status, 500);
  // A real answer after the fault is the answer.
  FakeAws other(clock, 100, 100);
  const auto second = client(other);
  other.next(error(500, "InternalFailure"));
  other.next(error(400, "NotFoundException"));
  EXPECT_EQ(call(*second, "kms", "EnableKeyRotation", R"({"KeyId": "k"})").error().code, "NotFoundException");
}

TEST_F(ClientWithinLimits, gives_no_part_of_a_list_whose_next_page_is_throttled_or_denied) {
  const auto service = models().get("securityhub").value();
  const auto paginator = Paginator::make(*service, "GetFindings").value();
  for (const auto& [status, code] : {std::pair{429, "TooManyRequestsException"},
                                     {403, "AccessDeniedException"},
                                     {400, "ThrottlingException"},
                                     {500, "InternalException"}}) {
    FakeAws aws(clock, 1000, 1000);
    const auto caller = client(aws);
    aws.next(answer(200, R"({"Findings": [{"Id": "1"}], "NextToken": "a"})"));
    aws.next(answer(200, R"({"Findings": [{"Id": "2"}], "NextToken": "b"})"));
    for (int i = 0; i < 10; ++i) aws.next(error(status, code));
    const auto whole = paginator.collect(
        [&](const Value& input) {
          CallContext context;
          context.region = "eu-west-1";
          return caller->call(context, "securityhub", "GetFindings", input);
        },
        json::Object());
    ASSERT_FALSE(whole) << code << " half-way gave " << json::print(*whole);
    EXPECT_EQ(whole.error().code, code);
  }
}

}  // namespace
}  // namespace fixpoint::aws
