// A clock that jumps: a day ahead, an hour back. Nothing is lost, nothing is done twice, nothing hangs.
#include <atomic>
#include <gmock/gmock.h>

#include "executions/approvals.h"
#include "executions/running.h"

namespace fixpoint::executions {
namespace {

constexpr TimeMs hour_ms = 3'600'000;

class ClockTest : public ExecutorTest {
 protected:
  // Waits `wait_ms` once, and ends.
  Script waiting(TimeMs wait_ms) {
    return Script([this, wait_ms](const Execution& execution) {
      if (execution.cursor.is_object()) {
        woken_.add();
        return ends("woken");
      }
      Step step;
      step.next = Step::Next::Wait;
      step.cursor = json::Object{};
      step.outcome = "sleeps";
      step.wake_ms = clock_.now_ms() + wait_ms;
      step.commit = [this](store::Transaction& tx) -> Result<void> {
        tx.after_commit([this] { asleep_.add(); });
        return {};
      };
      return step;
    });
  }
  void poke() { settle(); }
  void TearDown() override { executor_->stop(); }

  Count asleep_;
  Count woken_;
};

TEST_F(ClockTest, that_jumps_a_day_ahead_wakes_each_that_waits_once) {
  auto program = waiting(2 * hour_ms);
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  constexpr int count = 3000;  // more than a page of them
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) -> Result<void> {
    for (int i = 0; i < count; ++i)
      FIXPOINT_CHECK(executor_->launch(tx, {"sleep-" + std::to_string(i), "sleep", "p", "1", "r", "s", {}}));
    return {};
  }));
  ASSERT_TRUE(asleep_.reaches(count));
  EXPECT_EQ(woken_.value(), 0);
  clock_.set_ms(start_ms + 24 * hour_ms);
  poke();
  ASSERT_TRUE(woken_.reaches(count));
  poke();
  executor_->stop();  // what the last steps had still to commit is committed
  EXPECT_EQ(executor_->open_count().value(), 0);
  EXPECT_EQ(woken_.value(), count);
}

TEST_F(ClockTest, that_is_set_back_an_hour_does_not_hold_up_a_short_wait) {
  auto program = waiting(2000);
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("sleep", "one");
  ASSERT_TRUE(asleep_.reaches(1));
  clock_.set_ms(start_ms - hour_ms);
  poke();
  EXPECT_EQ(woken_.value(), 0);
  pass_ms(2000);
  EXPECT_EQ(ended(id)->outcome, "woken");
  // And when the clock is where it was, nothing comes a second time.
  clock_.set_ms(start_ms + hour_ms);
  poke();
  EXPECT_EQ(woken_.value(), 1);
}

TEST_F(ClockTest, that_is_set_back_an_hour_lets_a_long_wait_end_at_its_time) {
  auto program = waiting(2 * hour_ms);
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("sleep", "one");
  ASSERT_TRUE(asleep_.reaches(1));
  clock_.set_ms(start_ms - hour_ms);
  pass_ms(2 * hour_ms);  // it reads an hour after the start
  poke();
  EXPECT_EQ(woken_.value(), 0);
  pass_ms(hour_ms);
  EXPECT_EQ(ended(id)->outcome, "woken");
  EXPECT_EQ(woken_.value(), 1);
}

TEST_F(ClockTest, that_is_set_back_while_a_timer_goes_off_loses_nothing) {
  auto program = waiting(2 * hour_ms);
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("sleep", "one");
  ASSERT_TRUE(asleep_.reaches(1));
  for (int i = 0; i < 50; ++i) {  // back and forth over its time, faster than it can be taken
    clock_.set_ms(start_ms + 2 * hour_ms);
    clock_.set_ms(start_ms);
  }
  poke();
  clock_.set_ms(start_ms + 2 * hour_ms);
  EXPECT_EQ(ended(id)->outcome, "woken");
  EXPECT_EQ(woken_.value(), 1);
}

TEST_F(ClockTest, that_is_set_back_does_not_hold_up_the_retry_of_a_commit) {
  Count tried;
  Script program([&](const Execution&) {
    Step step = ends("done");
    step.commit = [&](store::Transaction&) -> Result<void> {
      tried.add();
      if (tried.value() == 1) return fail(errors::unavailable("the disk is full"));
      return {};
    };
    return step;
  });
  executor_->add_program("stubborn", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("stubborn", "one");
  ASSERT_TRUE(tried.reaches(1));
  settle();
  clock_.set_ms(start_ms - hour_ms);
  pass_ms(1000);
  EXPECT_EQ(ended(id)->outcome, "done");
  EXPECT_EQ(tried.value(), 2);
}

TEST_F(ClockTest, that_jumped_while_the_server_was_down_is_no_matter) {
  auto program = waiting(2 * hour_ms);
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("sleep", "one");
  ASSERT_TRUE(asleep_.reaches(1));
  executor_->stop();
  restart();
  clock_.set_ms(start_ms - hour_ms);
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  poke();
  EXPECT_EQ(now(id).status, "WAITING");
  clock_.set_ms(start_ms + 24 * hour_ms);
  poke();
  EXPECT_EQ(ended(id)->outcome, "woken");
}

// An approval of three hours with a warning an hour before its end.
class ApprovalClockTest : public ClockTest {
 protected:
  void SetUp() override {
    approvals_ = std::make_unique<Approvals>(
        *store_, *executor_, clock_,
        [this](store::Transaction&, const Notice& notice) -> Result<void> {
          kinds_.push_back(notice.kind);
          return {};
        },
        [](store::Transaction&, const Approval&) -> Result<bool> { return false; });
    executor_->add_program("ask", asking_);
    ASSERT_TRUE(executor_->start());
    id_ = launch("ask", "one");
    ASSERT_TRUE(asleep_.reaches(1));
  }
  Script asking_{[this](const Execution& execution) {
    if (execution.cursor.find("answer") != nullptr) return ends("told");
    if (execution.cursor.is_object()) {
      if (auto waits = approvals_->wait_on(execution)) return std::move(*waits);
      Step step = ends("expired");
      step.commit = [this, id = execution.id](store::Transaction& tx) { return approvals_->expire(tx, id); };
      return step;
    }
    Step step;
    step.cursor = json::Object{};
    step.commit = [this](store::Transaction& tx) -> Result<void> {
      tx.after_commit([this] { asleep_.add(); });
      return {};
    };
    approvals_->wait(step, execution,
                     {.plan_hash = std::string(64, 'a'), .wait_ms = 3 * hour_ms, .warn_before_ms = hour_ms});
    return step;
  }};
  std::unique_ptr<Approvals> approvals_;
  std::vector<std::string> kinds_;  // of the writer's thread; read once the execution has ended
  std::string id_;
};

TEST_F(ApprovalClockTest, that_jumps_a_day_ahead_expires_once_without_a_late_warning) {
  clock_.set_ms(start_ms + 24 * hour_ms);
  poke();
  EXPECT_EQ(ended(id_)->outcome, "expired");
  clock_.set_ms(start_ms);
  const auto late = approvals_->answer({.execution = id_, .approved = true, .by = "ann"});
  EXPECT_FALSE(late);  // expired stays expired, though the clock says that there is time
  EXPECT_THAT(kinds_, testing::ElementsAre("Approval Requested", "Approval Answered"));
}

TEST_F(ApprovalClockTest, that_is_set_back_an_hour_warns_once_and_takes_an_answer) {
  pass_ms(2 * hour_ms);
  for (int i = 0; i < 1000 && !approvals_->of(id_).value().at(0).warned; ++i) poke();
  clock_.set_ms(start_ms + hour_ms);
  poke();
  clock_.set_ms(start_ms + 2 * hour_ms);  // the time of the warning comes again
  poke();
  EXPECT_EQ(now(id_).status, "WAITING");
  ASSERT_TRUE(approvals_->answer({.execution = id_, .approved = true, .by = "ann"}));
  EXPECT_EQ(ended(id_)->outcome, "told");
  EXPECT_THAT(kinds_, testing::ElementsAre("Approval Requested", "Approval Expiring", "Approval Answered"));
}

}  // namespace
}  // namespace fixpoint::executions
