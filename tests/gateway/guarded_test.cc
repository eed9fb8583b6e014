#include "gateway/guarded.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>
#include <vector>

namespace fixpoint::gateway {
namespace {

using json::Value;

struct Heard {
  std::vector<Result<Value>> answers;
  aws::Answer answer() {
    return [this](Result<Value> result) { answers.push_back(std::move(result)); };
  }
};

TEST(Guarded, an_operation_that_throws_answers_with_a_fault) {
  const auto result = guarded([]() -> Result<Value> { throw std::runtime_error("broken"); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "InternalFailure");
  EXPECT_EQ(result.error().http_status, 500);
  EXPECT_NE(result.error().message.find("broken"), std::string::npos);
}

TEST(GuardedLater, an_operation_that_throws_before_it_answers_answers_with_a_fault) {
  Heard heard;
  guarded_later(heard.answer(), [](const aws::Answer&) { throw std::runtime_error("broken"); });
  ASSERT_EQ(heard.answers.size(), 1U);
  EXPECT_EQ(heard.answers[0].error().http_status, 500);
}

TEST(GuardedLater, an_operation_that_throws_after_it_answered_has_answered) {
  Heard heard;
  guarded_later(heard.answer(), [](const aws::Answer& answer) {
    answer(Value(7));
    throw std::runtime_error("broken");
  });
  ASSERT_EQ(heard.answers.size(), 1U);
  EXPECT_EQ(heard.answers[0]->int_or(0), 7);
}

TEST(GuardedLater, an_answer_that_comes_from_another_thread_is_the_answer) {
  Heard heard;
  std::thread later;
  guarded_later(heard.answer(),
                [&](const aws::Answer& answer) { later = std::thread([answer] { answer(Value("late")); }); });
  later.join();
  ASSERT_EQ(heard.answers.size(), 1U);
  EXPECT_EQ(heard.answers[0]->string_or(""), "late");
}

TEST(GuardedLater, a_callback_that_breaks_on_another_thread_is_answered_with_a_fault) {
  Heard heard;
  std::thread later;
  guarded_later(heard.answer(), [&](const aws::Answer& answer) {
    later = std::thread([kept = std::function<void()>([answer] {
                           const Value nothing;
                           answer(Value(nothing.as_string()));  // throws
                         })]() mutable {
      try {
        kept();
      } catch (const std::exception&) {
      }
      kept = nullptr;
    });
  });
  later.join();
  ASSERT_EQ(heard.answers.size(), 1U);
  EXPECT_EQ(heard.answers[0].error().code, "InternalFailure");
}

TEST(GuardedLater, an_answer_that_everybody_forgot_is_a_fault) {
  Heard heard;
  guarded_later(heard.answer(), [](const aws::Answer&) {});
  ASSERT_EQ(heard.answers.size(), 1U);
  EXPECT_EQ(heard.answers[0].error().http_status, 500);
}

TEST(GuardedLater, only_the_first_answer_counts) {
  Heard heard;
  guarded_later(heard.answer(), [](const aws::Answer& answer) {
    answer(Value(1));
    answer(Value(2));
  });
  ASSERT_EQ(heard.answers.size(), 1U);
  EXPECT_EQ(heard.answers[0]->int_or(0), 1);
}

TEST(GuardedLater, a_listener_that_throws_does_not_end_the_program) {
  guarded_later([](Result<Value>) { throw std::runtime_error("nobody listens"); },
                [](const aws::Answer& answer) { answer(Value(1)); });
}

}  // namespace
}  // namespace fixpoint::gateway
