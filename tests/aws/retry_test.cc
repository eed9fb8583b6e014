#include "aws/retry.h"

#include <gtest/gtest.h>

#include "json/text.h"

namespace fixpoint::aws {
namespace {

std::shared_ptr<const Service> rest_service() {
  const json::Value model = *json::parse(R"({"version": "2.0", "metadata": {"apiVersion": "2020-01-01",
    "protocol": "rest-json", "serviceId": "X", "signatureVersion": "v4", "endpointPrefix": "x", "uid": "x"},
    "operations": {
      "PutThing": {"name": "PutThing", "http": {"method": "PUT", "requestUri": "/thing"}},
      "CreateThing": {"name": "CreateThing", "http": {"method": "POST", "requestUri": "/things"},
                      "errors": [{"shape": "Busy"}, {"shape": "Slow"}, {"shape": "Bad"}]},
      "StartThing": {"name": "StartThing", "http": {"method": "POST", "requestUri": "/start"},
                     "input": {"shape": "Start"}},
      "GetThings": {"name": "GetThings", "http": {"method": "POST", "requestUri": "/get"}},
      "Getaway": {"name": "Getaway", "http": {"method": "POST", "requestUri": "/away"}}},
    "shapes": {
      "Start": {"type": "structure", "members": {"Token": {"shape": "String", "idempotencyToken": true}}},
      "String": {"type": "string"},
      "Bad": {"type": "structure", "members": {}, "exception": true},
      "Busy": {"type": "structure", "members": {}, "exception": true, "retryable": {"throttling": false}},
      "Slow": {"type": "structure", "members": {}, "exception": true, "retryable": {"throttling": true}}}})");
  const auto service = Service::from_botocore("x", model, {}, {});
  if (!service) throw std::runtime_error(describe(service.error()));
  return *service;
}

class Retry : public testing::Test {
 protected:
  RetryReason reason(std::string_view operation, std::string code, int status, std::string where = {},
                     bool retryable = true) {
    Error error = errors::coded(std::move(code), "message", status);
    error.where = std::move(where);
    error.retryable = retryable;
    return retry_reason(*service->find_operation(operation), error);
  }
  std::shared_ptr<const Service> service = rest_service();
};

TEST_F(Retry, knows_what_may_be_done_twice) {
  EXPECT_TRUE(is_safe_to_repeat(*service->find_operation("PutThing")));
  EXPECT_TRUE(is_safe_to_repeat(*service->find_operation("StartThing"))) << "it has an idempotency token";
  EXPECT_TRUE(is_safe_to_repeat(*service->find_operation("GetThings")));
  EXPECT_FALSE(is_safe_to_repeat(*service->find_operation("CreateThing")));
  EXPECT_FALSE(is_safe_to_repeat(*service->find_operation("Getaway")));
}

TEST_F(Retry, repeats_whatever_was_throttled) {
  for (const char* code : {"ThrottlingException", "SlowDown", "RequestLimitExceeded", "TooManyRequestsException"}) {
    EXPECT_EQ(reason("CreateThing", code, 400), RetryReason::Throttled) << code;
  }
  EXPECT_EQ(reason("CreateThing", "Whatever", 429), RetryReason::Throttled);
  EXPECT_EQ(reason("CreateThing", "Slow", 400), RetryReason::Throttled) << "the model says so";
}

TEST_F(Retry, repeats_a_fault_only_where_the_call_may_be_done_twice) {
  EXPECT_EQ(reason("GetThings", "InternalFailure", 500), RetryReason::Transient);
  EXPECT_EQ(reason("CreateThing", "InternalFailure", 500), RetryReason::None);
  EXPECT_EQ(reason("CreateThing", "503", 503), RetryReason::None);
  EXPECT_EQ(reason("CreateThing", "Busy", 400), RetryReason::Transient) << "the model says so";
  EXPECT_EQ(reason("GetThings", "Bad", 400), RetryReason::None);
  EXPECT_EQ(reason("GetThings", "AccessDeniedException", 403), RetryReason::None);
}

TEST_F(Retry, repeats_a_broken_connection_where_nothing_was_sent_or_nothing_can_come_of_it) {
  EXPECT_EQ(reason("CreateThing", "ConnectionError", 0, "before sending"), RetryReason::Transient);
  EXPECT_EQ(reason("CreateThing", "ConnectionError", 0, "after sending"), RetryReason::None);
  EXPECT_EQ(reason("CreateThing", "RequestTimeout", 0, "after sending"), RetryReason::None);
  EXPECT_EQ(reason("GetThings", "RequestTimeout", 0, "after sending"), RetryReason::Transient);
  EXPECT_EQ(reason("GetThings", "ConnectionError", 0, "before sending", false), RetryReason::None)
      << "a certificate that does not verify stays so";
}

TEST(RetryWait, is_what_the_service_asks_for) {
  HttpResponse response;
  EXPECT_FALSE(asked_wait_ms(response));
  response.headers.add("Retry-After", "3");
  EXPECT_EQ(asked_wait_ms(response), 3000);
  response.headers.add("x-amz-retry-after", "1500");
  EXPECT_EQ(asked_wait_ms(response), 1500);
  for (const char* value : {"", "soon", "-1", "99999999999999999999"}) {
    response.headers = {{"Retry-After", value}};
    EXPECT_FALSE(asked_wait_ms(response)) << value;
  }
  response.headers = {{"Retry-After", "9223372036854775807"}};
  EXPECT_EQ(asked_wait_ms(response), 86'400'000);
}

TEST(RetryWait, doubles_up_to_twenty_seconds_under_full_jitter) {
  EXPECT_EQ(backoff_ms(1, 1), 1000);
  EXPECT_EQ(backoff_ms(2, 1), 2000);
  EXPECT_EQ(backoff_ms(3, 0.5), 2000);
  EXPECT_EQ(backoff_ms(6, 1), 20000);
  EXPECT_EQ(backoff_ms(1000, 1), 20000);
  EXPECT_EQ(backoff_ms(5, 0), 0);
}

TEST(RetryQuota, runs_out_and_fills_again) {
  RetryQuota quota;
  int taken = 0;
  while (quota.take(false)) ++taken;
  EXPECT_EQ(taken, 100);
  EXPECT_FALSE(quota.take(true));
  quota.give_back(5);
  EXPECT_FALSE(quota.take(true));
  EXPECT_EQ(quota.take(false), 5);
  quota.give_back(10'000);
  EXPECT_EQ(quota.left(), 500);
}

}  // namespace
}  // namespace fixpoint::aws
