#pragma once

#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "aws/verify.h"
#include "json/text.h"
#include "json/yaml.h"
#include "services/sns/sns.h"
#include "support/postgres.h"
#include "support/temp_dir.h"
#include "support/until.h"

namespace fixpoint::services {

/// SNS on a store of its own, whose outlets write down what they get.
class TopicHouse {
 public:
  // On a file, since a database in memory answers a reader that meets the writer with "locked".
  explicit TopicHouse(const std::string& folder = {}) {
    auto opened = store::Store::open(
        test::store_options(folder.empty() ? own_.string() : folder),
        {Sns::schema(),
         {"seen",
          {"CREATE TABLE seen (number INTEGER PRIMARY KEY AUTOINCREMENT, outlet TEXT, arn TEXT, what TEXT) STRICT;"}}});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    Sns::Outlets outlets;
    outlets.queue = [this](store::Transaction& tx, const std::string& arn, const json::Value& message) -> Result<void> {
      if (arn.ends_with(":gone")) return fail(errors::coded("QueueDoesNotExist", "The queue is gone.", 400));
      if (arn.ends_with(":broken")) {
        Error full = errors::coded("StoreError", "disk full", 503);
        full.retryable = true;
        return fail(full);
      }
      if (arn.ends_with(":never")) {  // breaks a statement, each time
        FIXPOINT_CHECK(tx.execute("INSERT INTO seen (number, outlet) VALUES (-1, ''), (-1, '')"));
        return {};
      }
      return see(tx, "queue", arn, message);
    };
    outlets.function = [this](store::Transaction& tx, const std::string&, const std::string& arn,
                              const json::Value& event, const bus::Delivery& published) -> Result<void> {
      FIXPOINT_CHECK(see(tx, "published", arn,
                         json::Object{{"Rule", published.rule_arn},
                                      {"Event", published.event},
                                      {"Execution", published.origin.execution},
                                      {"Principal", published.origin.principal}}));
      return see(tx, "function", arn, event);
    };
    outlets.http = [this](std::string url, HttpRequest request, int, sns::HttpDeliveries::Taken taken) {
      HttpResponse answer{200, {}, ""};
      {
        std::lock_guard lock(mutex_);
        requests.emplace_back(url + request.target, std::move(request));
        if (url.find("slow") != std::string::npos && !closing_) {
          held.push_back(std::move(taken));
          return;
        }
        if (!statuses.empty()) {
          answer.status = statuses.front();
          statuses.pop_front();
        }
      }
      taken(answer);
    };
    outlets.forbids = [](const std::string& url) -> std::optional<std::string> {
      return url.find("inside") != std::string::npos ? std::optional<std::string>("it is inside") : std::nullopt;
    };
    outlets.lost = [this](store::Transaction& tx, const json::Value& about) { return see(tx, "lost", "", about); };
    sns_ = std::make_unique<Sns>(*store_, clock, signer(), [] { return "http://here:1"; }, std::move(outlets));
    sns_->start();
    table_ = sns_->table();
    auto principal = std::make_shared<aws::Principal>();
    principal->account = caller.account;
    principal->arn = "arn:aws:iam::111111111111:user/me";
    caller.principal = principal;
  }
  ~TopicHouse() {
    std::vector<sns::HttpDeliveries::Taken> left;
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
      left.assign(held.begin(), held.end());
    }
    for (const auto& taken : left) taken(HttpResponse{200, {}, ""});
    sns_->stop();
  }

  Result<json::Value> call(const std::string& operation, const std::string& yaml) {
    return table_.operations.find(operation)->second.function(caller, json::parse_yaml(yaml).value());
  }
  json::Value ok(const std::string& operation, const std::string& yaml) {
    auto answer = call(operation, yaml);
    EXPECT_TRUE(answer) << operation << ": " << describe(answer.error());
    return answer ? *answer : json::Value();
  }
  std::string topic(const std::string& name, const std::string& attributes = "{}") {
    return ok("CreateTopic", "{Name: " + name + ", Attributes: " + attributes + "}")["TopicArn"].as_string();
  }
  json::Value subscribe(const std::string& topic, const std::string& protocol, const std::string& endpoint,
                        const std::string& attributes = "{}") {
    return ok("Subscribe", "{TopicArn: '" + topic + "', Protocol: " + protocol + ", Endpoint: '" + endpoint +
                               "', ReturnSubscriptionArn: true, Attributes: " + attributes + "}")["SubscriptionArn"];
  }
  json::Value publish(const std::string& topic, const std::string& message, const std::string& more = "") {
    return ok("Publish", "{TopicArn: '" + topic + "', Message: '" + message + "'" + more + "}");
  }
  /// What an outlet got, in order.
  std::vector<json::Value> seen(const std::string& outlet) {
    return store_
        ->read([&](store::Session& session) -> Result<std::vector<json::Value>> {
          FIXPOINT_TRY(rows, session.query("SELECT what FROM seen WHERE outlet = ? ORDER BY number", {outlet}));
          std::vector<json::Value> out;
          for (auto& row : rows) out.push_back(json::parse(row.text(0)).value());
          return out;
        })
        .value();
  }
  static std::string queue(const std::string& name) { return "arn:aws:sqs:us-east-1:111111111111:" + name; }

  /// Lets it look for what is due until that holds. Throws std::runtime_error where it never does.
  template <typename Condition>
  void comes(Condition holds) {
    const auto looked = [&] {
      sns_->look();
      return holds();
    };
    if (!test::until(looked)) throw std::runtime_error("nothing came for 30 s");
  }
  /// Waits until the endpoint was asked that often.
  std::vector<std::pair<std::string, HttpRequest>> heard(std::size_t times) {
    std::vector<std::pair<std::string, HttpRequest>> out;
    comes([&] {
      std::lock_guard lock(mutex_);
      out = requests;
      return out.size() >= times;
    });
    return out;
  }
  /// The same of one URL; gives the bodies.
  std::vector<std::string> heard_at(const std::string& url, std::size_t times) {
    std::vector<std::string> bodies;
    comes([&] {
      bodies.clear();
      std::lock_guard lock(mutex_);
      for (const auto& [to, request] : requests)
        if (to == url) bodies.push_back(request.body);
      return bodies.size() >= times;
    });
    return bodies;
  }
  /// Waits until nothing is to be delivered any more, or all of it waits for its time.
  std::int64_t waiting() {
    return store_
        ->read([](store::Session& session) -> Result<std::int64_t> {
          FIXPOINT_TRY(rows, session.query("SELECT count(*) FROM sns_http"));
          return rows[0].integer(0);
        })
        .value();
  }

  /// Waits until so many failed tries stand in the store, or the delivery has gone from it: only then has the next try
  /// its time, and a clock that is moved earlier would move that along.
  void failed(std::int64_t tries) {
    const auto stored = [&] {
      return store_
          ->read([](store::Session& session) -> Result<std::int64_t> {
            FIXPOINT_TRY(rows, session.query("SELECT attempts FROM sns_http"));
            return rows.empty() ? INT64_MAX : rows[0].integer(0);
          })
          .value();
    };
    if (!test::until([&] { return stored() >= tries; })) throw std::runtime_error("no try failed for 30 s");
  }

  Sns& sns() { return *sns_; }
  /// One for all tests: a key takes long to make.
  static const sns::Signer& signer() {
    static const std::unique_ptr<sns::Signer> one = std::move(*sns::Signer::open(""));
    return *one;
  }
  store::Store& store() { return *store_; }
  ManualClock clock{1'700'000'000'000};
  aws::Caller caller{"111111111111", "us-east-1", "aws", "request", nullptr};
  std::vector<std::pair<std::string, HttpRequest>> requests;
  std::deque<int> statuses;
  std::vector<sns::HttpDeliveries::Taken> held;  ///< of requests to a host called slow, which wait for their answer

 private:
  Result<void> see(store::Transaction& tx, const std::string& outlet, const std::string& arn, const json::Value& what) {
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO seen (outlet, arn, what) VALUES (?, ?, ?)", {outlet, arn, json::print(what)}));
    return {};
  }
  test::TempDir own_;
  std::mutex mutex_;
  bool closing_ = false;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Sns> sns_;
  aws::ServiceTable table_;
};

}  // namespace fixpoint::services
