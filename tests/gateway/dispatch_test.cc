#include "gateway/dispatch.h"

#include <future>
#include <gtest/gtest.h>

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
  Dispatch dispatch(silent, *account.door, runs, workers, false);
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

}  // namespace
}  // namespace fixpoint::gateway
