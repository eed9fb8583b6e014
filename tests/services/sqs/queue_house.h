#pragma once

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "aws/verify.h"
#include "json/text.h"
#include "json/yaml.h"
#include "services/sqs/sqs.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::services {

/// SQS on a store of its own with a clock that the test moves.
class QueueHouse {
 public:
  explicit QueueHouse(const std::string& folder = {}) {
    auto opened = store::Store::open(test::store_options(folder), {Sqs::schema()});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    sqs_ = std::make_unique<Sqs>(*store_, clock);
    if (auto started = sqs_->start(); !started) throw std::runtime_error(describe(started.error()));
    table_ = sqs_->table();
    auto principal = std::make_shared<aws::Principal>();
    principal->account = caller.account;
    principal->user_id = "AIDATEST";
    caller.principal = principal;
  }

  std::future<Result<json::Value>> later(const std::string& operation, const json::Value& input) {
    auto promise = std::make_shared<std::promise<Result<json::Value>>>();
    const auto found = table_.operations.find(operation);
    if (found == table_.operations.end()) throw std::runtime_error("no operation " + operation);
    if (found->second.later)
      found->second.later(caller, input,
                          [promise](Result<json::Value> answer) { promise->set_value(std::move(answer)); });
    else
      promise->set_value(found->second.function(caller, input));
    return promise->get_future();
  }
  std::future<Result<json::Value>> later(const std::string& operation, const std::string& yaml) {
    return later(operation, json::parse_yaml(yaml).value());
  }
  Result<json::Value> call(const std::string& operation, const json::Value& input) {
    return later(operation, input).get();
  }
  json::Value ok(const std::string& operation, const json::Value& input) {
    auto answer = call(operation, input);
    EXPECT_TRUE(answer) << operation << ": " << describe(answer.error());
    return answer ? *answer : json::Value();
  }
  /// YAML: JSON with less ink.
  json::Value ok(const std::string& operation, const std::string& yaml) {
    return ok(operation, json::parse_yaml(yaml).value());
  }
  std::string code(const std::string& operation, const std::string& yaml) {
    auto answer = call(operation, json::parse_yaml(yaml).value());
    return answer ? "OK" : answer.error().code;
  }

  /// Makes a queue; gives its URL.
  std::string queue(const std::string& name, const std::string& attributes = "{}") {
    return ok("CreateQueue", "{QueueName: " + name + ", Attributes: " + attributes + "}")["QueueUrl"].as_string();
  }
  json::Value send(const std::string& url, const std::string& body, const std::string& more = "") {
    return ok("SendMessage", "{QueueUrl: '" + url + "', MessageBody: '" + body + "'" + more + "}");
  }
  json::Array receive(const std::string& url, const std::string& more = "") {
    const auto answer =
        ok("ReceiveMessage", "{QueueUrl: '" + url + "', MaxNumberOfMessages: 10, AttributeNames: [All]" + more + "}");
    return answer["Messages"].is_array() ? answer["Messages"].as_array() : json::Array();
  }
  std::vector<std::string> bodies(const std::string& url, const std::string& more = "") {
    std::vector<std::string> out;
    for (const auto& message : receive(url, more)) out.push_back(message["Body"].as_string());
    return out;
  }
  /// visible/in flight/delayed
  std::string depth(const std::string& url) {
    const auto all = ok("GetQueueAttributes", "{QueueUrl: '" + url + "', AttributeNames: [All]}")["Attributes"];
    return all["ApproximateNumberOfMessages"].as_string() + "/" +
           all["ApproximateNumberOfMessagesNotVisible"].as_string() + "/" +
           all["ApproximateNumberOfMessagesDelayed"].as_string();
  }
  static std::string arn(const std::string& name) { return "arn:aws:sqs:us-east-1:111111111111:" + name; }

  /// The clock moves, and those that wait look at it.
  void advance_s(std::int64_t seconds) {
    clock.advance_ms(seconds * 1000);
    sqs_->look();
  }

  Sqs& sqs() { return *sqs_; }
  store::Store& store() { return *store_; }
  ManualClock clock{1'700'000'000'000};
  aws::Caller caller{"111111111111", "us-east-1", "aws", "request", nullptr};

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Sqs> sqs_;
  aws::ServiceTable table_;
};

}  // namespace fixpoint::services
