#include "gateway/dispatch.h"

#include <future>
#include <gtest/gtest.h>
#include <thread>
#include <utility>

#include "controls/account.h"

namespace fixpoint::gateway {
namespace {

using json::Object;
using json::Value;

constexpr auto patience = std::chrono::seconds(20);

// An account that answers nothing until it is let.
class Silent final : public aws::Api {
 public:
  Result<Value> call(const aws::CallContext&, std::string_view, std::string_view, const Value&) override {
    may_answer_.wait_for(patience);
    return Value(Object{{"Late", true}});
  }
  void let() { answers_.set_value(); }

 private:
  std::promise<void> answers_;
  std::shared_future<void> may_answer_ = answers_.get_future().share();
};

// The kill switch and fixpoint's own services have to answer above all when the account does not.
TEST(Dispatch, an_account_that_does_not_answer_holds_up_nothing_of_fixpoints_own) {
  controls::Account account;
  changes::Runs runs;
  Silent silent;
  WorkerPool workers(1);
  Dispatch dispatch(silent, *account.door, runs, workers, nullptr);
  aws::ServiceTable own;
  own.service = "events";
  own.add("ListRules", [](const aws::Caller&, const Value&) -> Result<Value> { return Value(Object{{"Own", true}}); });
  dispatch.add(std::move(own));

  constexpr int calls = 100;
  std::vector<std::future<Result<Value>>> late;
  for (int i = 0; i < calls; ++i) {
    auto answer = std::make_shared<std::promise<Result<Value>>>();
    late.push_back(answer->get_future());
    const bool reads = i % 2 == 0;
    dispatch.call(account.caller, "s3", reads ? "ListBuckets" : "CreateBucket",
                  reads ? Object() : Object{{"Bucket", "b"}},
                  [answer](Result<Value> result) { answer->set_value(std::move(result)); });
  }
  std::promise<Result<Value>> answer;
  dispatch.call(account.caller, "events", "ListRules", Object(),
                [&](Result<Value> result) { answer.set_value(std::move(result)); });
  auto own_answer = answer.get_future();
  const bool came = own_answer.wait_for(patience / 2) == std::future_status::ready;
  silent.let();
  for (auto& one : late) EXPECT_TRUE(one.get());
  EXPECT_TRUE(came);
  const auto result = own_answer.get();
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, Value(Object{{"Own", true}}));
  dispatch.stop();
}

// An object's content is read and decoded elsewhere than where all requests come in.
TEST(Dispatch, what_memory_does_not_answer_runs_on_a_worker_where_there_is_room_for_it) {
  controls::Account account;
  changes::Runs runs;
  WorkerPool workers(1);
  Dispatch dispatch(*account.sandbox, *account.door, runs, workers, account.sandbox.get());
  account.call("s3", "CreateBucket", Object{{"Bucket", "one"}});
  account.call("s3", "PutObject", Object{{"Bucket", "one"}, {"Key", "k"}, {"Body", "aGVsbG8="}});
  std::size_t asked = 0;
  bool has_room = true;
  const auto call = [&](const char* operation) {
    std::promise<std::pair<Result<Value>, bool>> told;
    dispatch.call(
        account.caller, "s3", operation, Object{{"Bucket", "one"}, {"Key", "k"}},
        [&, here = std::this_thread::get_id()](Result<Value> result) {
          told.set_value({std::move(result), std::this_thread::get_id() == here});
        },
        [&](std::size_t bytes) {
          asked = bytes;
          return has_room;
        });
    return told.get_future().get();
  };
  const auto [head, head_here] = call("HeadObject");
  EXPECT_TRUE(head);
  EXPECT_TRUE(head_here);
  EXPECT_EQ(asked, 0U);
  const auto [content, content_here] = call("GetObject");
  ASSERT_TRUE(content);
  EXPECT_EQ((*content)["Body"], "aGVsbG8=");
  EXPECT_FALSE(content_here);
  EXPECT_EQ(asked, 5U);
  has_room = false;
  const auto [refused, refused_here] = call("GetObject");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ServiceUnavailable");
  EXPECT_EQ(refused.error().http_status, 503);
  EXPECT_TRUE(call("HeadObject").first);
  dispatch.stop();
}

}  // namespace
}  // namespace fixpoint::gateway
