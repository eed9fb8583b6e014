#include "executions/executor.h"

#include <atomic>
#include <chrono>
#include <gmock/gmock.h>
#include <utility>

#include "executions/running.h"
#include "json/text.h"

namespace fixpoint::executions {
namespace {

using testing::HasSubstr;

TEST_F(ExecutorTest, commits_each_step_with_its_cursor_and_what_it_writes) {
  Script program([](const Execution& execution) {
    const auto at = execution.cursor["at"].int_or(0);
    Step step = at < 3 ? Step{} : ends("counted", json::Object{{"At", at}});
    step.cursor = json::Object{{"at", at + 1}};
    step.commit = mark("step " + std::to_string(at));
    step.note = "at " + std::to_string(at);
    return step;
  });
  executor_->add_program("count", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("count", "one", json::Object{{"Text", "in"}});
  const auto last = ended(id);
  EXPECT_EQ(last->status, "SUCCEEDED");
  EXPECT_EQ(last->outcome, "counted");
  EXPECT_EQ(last->result["At"].int_or(0), 3);
  const Execution stored = now(id);
  EXPECT_EQ(stored.status, "SUCCEEDED");
  EXPECT_EQ(stored.input["Text"].string_or(""), "in");
  EXPECT_EQ(stored.ended_ms, start_ms);
  EXPECT_EQ(stored.account, "111111111111");
  EXPECT_THAT(marked(), testing::ElementsAre("step 0", "step 1", "step 2", "step 3"));
  EXPECT_THAT(journal(id), testing::ElementsAre("started: count program", "at 0", "at 1", "at 2", "at 3"));
}

TEST_F(ExecutorTest, launches_once_for_a_name_also_after_it_ended) {
  ASSERT_TRUE(executor_->start());
  const Start start{"rule/target/event", "nothing", "p", "1", "r", "s", {}};
  const auto first = executor_->launch(start).value();
  EXPECT_TRUE(first.fresh);
  ended(first.id);
  const auto second = executor_->launch(start).value();
  EXPECT_FALSE(second.fresh);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(executor_->list().value().size(), 1U);
}

TEST_F(ExecutorTest, launches_nothing_where_the_callers_transaction_is_taken_back) {
  ASSERT_TRUE(executor_->start());
  const auto failed = store_->write([&](store::Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(executor_->launch(tx, {"name", "nothing", "p", "1", "r", "s", {}}));
    return fail(errors::validation("no"));
  });
  EXPECT_FALSE(failed);
  EXPECT_TRUE(executor_->list().value().empty());
  EXPECT_EQ(executor_->open_count().value(), 0);
}

TEST_F(ExecutorTest, goes_on_when_the_time_that_it_waits_for_has_come_and_not_before) {
  Count steps;
  Count waits;
  Script program([&](const Execution& execution) {
    steps.add();
    if (execution.cursor.is_object()) return ends("woken");
    Step step;
    step.next = Step::Next::Wait;
    step.cursor = json::Object{{"slept", true}};
    step.outcome = "sleeps";
    step.wake_ms = start_ms + 60'000;
    step.commit = [&](store::Transaction& tx) -> Result<void> {
      tx.after_commit([&] { waits.add(); });
      return {};
    };
    return step;
  });
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("sleep", "one");
  ASSERT_TRUE(waits.reaches(1));
  EXPECT_EQ(now(id).status, "WAITING");
  EXPECT_EQ(now(id).outcome, "sleeps");
  pass_ms(59'999);
  settle();
  EXPECT_EQ(now(id).status, "WAITING");
  EXPECT_EQ(steps.value(), 1);
  pass_ms(1);
  EXPECT_EQ(ended(id)->outcome, "woken");
  EXPECT_EQ(steps.value(), 2);
  EXPECT_EQ(now(id).ended_ms, start_ms + 60'000);
}

// Waits for an answer, with a timer a minute off; ends with what it was told.
class Asking final : public Program {
 public:
  void step(const Execution& execution, std::function<void(Step)> done) override {
    if (const Value* answer = execution.cursor.find("answer")) return done(ends("told", *answer));
    if (execution.cursor.is_object()) return done(ends("expired"));
    Step step;
    step.next = Step::Next::Wait;
    step.outcome = "asks";
    step.cursor = json::Object{{"awaits", "word"}};
    step.wake_ms = start_ms + 60'000;
    step.commit = [this](store::Transaction& tx) -> Result<void> {
      tx.after_commit([this] { asked.add(); });
      return {};
    };
    done(std::move(step));
  }
  Count asked;
};

TEST_F(ExecutorTest, takes_one_answer_and_refuses_another_with_the_state) {
  Asking program;
  executor_->add_program("ask", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("ask", "one");
  ASSERT_TRUE(program.asked.reaches(1));
  ASSERT_TRUE(executor_->answer(id, json::Object{{"Word", "yes"}}));
  const auto last = ended(id);
  EXPECT_EQ(last->outcome, "told");
  EXPECT_EQ(last->result["Word"].string_or(""), "yes");
  const auto second = executor_->answer(id, json::Object{{"Word", "no"}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "ResourceConflictException");
  EXPECT_THAT(second.error().message, HasSubstr("SUCCEEDED, told"));
  const auto nobody = executor_->answer("no-such-id", {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, "ResourceNotFoundException");
}

TEST_F(ExecutorTest, refuses_an_answer_to_what_waits_for_a_time_only) {
  Count waits;
  Script program([&](const Execution&) {
    Step step;
    step.next = Step::Next::Wait;
    step.cursor = json::Object{};
    step.outcome = "sleeps";
    step.wake_ms = start_ms + 60'000;
    step.commit = [&](store::Transaction& tx) -> Result<void> {
      tx.after_commit([&] { waits.add(); });
      return {};
    };
    return step;
  });
  executor_->add_program("sleep", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("sleep", "one");
  ASSERT_TRUE(waits.reaches(1));
  const auto refused = executor_->answer(id, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("WAITING, sleeps"));
}

TEST_F(ExecutorTest, expires_where_nobody_answers) {
  Asking program;
  executor_->add_program("ask", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("ask", "one");
  ASSERT_TRUE(program.asked.reaches(1));
  pass_ms(60'000);
  EXPECT_EQ(ended(id)->outcome, "expired");
}

// The step after an answer holds on while the timer of the waiting before goes off.
TEST_F(ExecutorTest, never_runs_two_steps_of_an_execution_at_once) {
  Count asked;
  Count inside;
  Count after;
  std::mutex mutex;
  std::condition_variable gate;
  bool open = false;
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  Script program([&](const Execution& execution) {
    most = std::max(most.load(), ++at_once);
    Step step;
    if (!execution.cursor.is_object()) {
      step.next = Step::Next::Wait;
      step.cursor = json::Object{{"awaits", "word"}};
      step.wake_ms = start_ms + 1000;
      step.commit = [&](store::Transaction& tx) -> Result<void> {
        tx.after_commit([&] { asked.add(); });
        return {};
      };
    } else {
      inside.add();
      std::unique_lock lock(mutex);
      gate.wait_for(lock, patience, [&] { return open; });
      after.add();
      step = ends("told");
    }
    --at_once;
    return step;
  });
  executor_->add_program("slow", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("slow", "one");
  ASSERT_TRUE(asked.reaches(1));
  ASSERT_TRUE(executor_->answer(id, "go on"));
  ASSERT_TRUE(inside.reaches(1));
  pass_ms(2000);  // the first waiting's timer
  settle();
  settle();
  {
    std::lock_guard lock(mutex);
    open = true;
  }
  gate.notify_all();
  EXPECT_EQ(ended(id)->outcome, "told");
  settle();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(inside.value(), 1);
}

TEST_F(ExecutorTest, ends_failed_where_a_program_throws) {
  Script program([](const Execution&) -> Step { throw std::runtime_error("the sky fell"); });
  executor_->add_program("broken", program);
  ASSERT_TRUE(executor_->start());
  const auto last = ended(launch("broken", "one"));
  EXPECT_EQ(last->status, "FAILED");
  EXPECT_THAT(std::string(last->result["Error"].string_or("")), HasSubstr("the sky fell"));
}

TEST_F(ExecutorTest, ends_failed_where_nobody_knows_the_kind) {
  ASSERT_TRUE(executor_->start());
  const auto last = ended(launch("poetry", "one"));
  EXPECT_EQ(last->status, "FAILED");
  EXPECT_THAT(std::string(last->result["Error"].string_or("")), HasSubstr("no program of the kind 'poetry'"));
}

TEST_F(ExecutorTest, runs_a_step_again_from_the_cursor_before_it_where_its_commit_failed) {
  Count tried;
  Script program([&](const Execution& execution) {
    if (!execution.cursor.is_object()) {
      Step step;
      step.cursor = json::Object{{"at", 1}};
      step.commit = mark("first");
      return step;
    }
    EXPECT_EQ(execution.cursor["at"].int_or(0), 1);
    Step step = ends("done");
    step.commit = [&tried](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute("INSERT INTO mark (text) VALUES ('second')"));
      tried.add();
      if (tried.value() < 3) return fail(errors::unavailable("the disk is full"));
      return {};
    };
    return step;
  });
  executor_->add_program("stubborn", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("stubborn", "one");
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(tried.reaches(i));
    settle();  // the roll-back is over and the second try is on the clock
    EXPECT_EQ(now(id).status, "READY");
    EXPECT_THAT(marked(), testing::ElementsAre("first"));
    pass_ms(1000);
  }
  EXPECT_EQ(ended(id)->outcome, "done");
  EXPECT_EQ(tried.value(), 3);
  EXPECT_THAT(marked(), testing::ElementsAre("first", "second"));
}

// https://www.postgresql.org/docs/15/datatype-character.html: what refuses a text there refuses it each time.
TEST_F(ExecutorTest, ends_where_a_commit_can_never_succeed_and_does_the_step_no_second_time) {
  Count ran;
  Script program([&](const Execution&) {
    ran.add();
    Step step = ends("done", json::Object{{"Payload", "\xff"}});
    step.note = "what no database takes: \xff";
    step.commit = mark("written");
    return step;
  });
  executor_->add_program("unspeakable", program);
  Script refused([&](const Execution& execution) {
    if (!execution.cursor.is_object()) {
      Step step;
      step.next = Step::Next::Wait;
      step.cursor = json::Object{{"slept", true}};
      step.wake_ms = start_ms + 60'000;
      return step;
    }
    ran.add();
    Step step = ends("done");
    step.commit = [](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute("INSERT INTO mark (text) VALUES ('twice'), ('twice')"));
      return {};
    };
    return step;
  });
  executor_->add_program("conflict", refused);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("unspeakable", "one");
  const auto last = ended(id);
  EXPECT_EQ(last->status, "FAILED");
  EXPECT_EQ(last->outcome, "failed");
  EXPECT_EQ(last->result["Error"].string_or(""), "ValidationException");
  EXPECT_EQ(now(id).status, "FAILED");
  EXPECT_EQ(ran.value(), 1);
  EXPECT_THAT(journal(id), testing::ElementsAre("started: unspeakable program",
                                                "failed: what a step was to write could not be committed: "
                                                "ValidationException"));
  const std::string slept = launch("conflict", "two");
  settle();
  pass_ms(60'000);
  EXPECT_EQ(ended(slept)->result["Error"].string_or(""), "StoreConflict");
  EXPECT_EQ(ran.value(), 2);
  pass_ms(10'000);
  settle();
  EXPECT_EQ(ran.value(), 2);
  EXPECT_TRUE(marked().empty());
  EXPECT_EQ(executor_->open_count().value(), 0);
}

TEST_F(ExecutorTest, an_end_that_is_refused_is_tried_again_and_not_the_step) {
  Count ran;
  Count watched;
  Script program([&](const Execution&) {
    ran.add();
    Step step = ends("done");
    step.commit = [](store::Transaction&) -> Result<void> { return fail(errors::validation("never")); };
    return step;
  });
  executor_->add_program("refused", program);
  executor_->add_watch([&](store::Transaction&, const Execution& execution) -> Result<void> {
    if (execution.kind != "refused" || execution.ended_ms == 0) return {};
    watched.add();
    if (watched.value() < 3) return fail(errors::validation("not yet"));
    return {};
  });
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("refused", "one");
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(watched.reaches(i));
    settle();
    EXPECT_EQ(now(id).status, "READY");
    pass_ms(1000);
  }
  EXPECT_EQ(ended(id)->status, "FAILED");
  EXPECT_EQ(ran.value(), 1);
}

TEST_F(ExecutorTest, a_journal_holds_only_what_people_can_read) {
  Script program([](const Execution&) {
    Step step = ends("done");
    step.note = std::string("A\0B \xff", 5);
    return step;
  });
  executor_->add_program("strange", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("strange", "one");
  EXPECT_EQ(ended(id)->status, "SUCCEEDED");
  EXPECT_EQ(journal(id).back(),
            "A\xEF\xBF\xBD"
            "B \xEF\xBF\xBD");
}

// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html: an Id has at most 512
// characters.
TEST_F(ExecutorTest, what_can_be_no_findings_id_is_no_subject) {
  ASSERT_TRUE(executor_->start());
  std::string longest;
  for (int i = 0; i < 512; ++i) longest += "\xf0\x9f\x98\x80";
  const std::vector<std::pair<std::string, std::string>> cases{{"finding", "finding"},
                                                               {longest, longest},
                                                               {longest + "x", ""},
                                                               {std::string(6000, 'x'), ""},
                                                               {std::string("nul/\0", 5), ""}};
  int number = 0;
  for (const auto& [given, wanted] : cases) {
    const auto started =
        executor_->launch({"subject-" + std::to_string(number++), "nothing", "p", "1", "r", given, {}});
    ASSERT_TRUE(started) << describe(started.error());
    EXPECT_EQ(ended(started->id)->subject, wanted);
  }
}

// Hands on to a store, and does something of a test's own around its reads.
class Between final : public store::Store {
 public:
  explicit Between(store::Store& inner) : inner_(inner) {}
  std::function<void()> before_read, after_scan;

  Result<void> write_raw(std::function<Result<void>(store::Transaction&)> work) override {
    return inner_.write_raw(std::move(work));
  }
  void write_async(std::function<Result<void>(store::Transaction&)> work,
                   std::function<void(Result<void>)> done) override {
    inner_.write_async(std::move(work), std::move(done));
  }
  Result<void> read_raw(const std::function<Result<void>(store::Session&)>& work) override {
    if (auto first = std::exchange(before_read, {})) first();
    return inner_.read_raw([&](store::Session& session) -> Result<void> {
      View view(session, *this);
      return work(view);
    });
  }
  std::uint64_t kept_version() const override { return inner_.kept_version(); }
  std::int64_t bytes_on_disk() const override { return inner_.bytes_on_disk(); }

 private:
  struct View final : store::Session {
    View(store::Session& session, Between& of) : session(session), of(of) {}
    Result<std::vector<store::Row>> query(std::string_view sql, const store::Params& params) override {
      return session.query(sql, params);
    }
    Result<void> scan(std::string_view sql, const store::Params& params,
                      const std::function<bool(store::Row&)>& each) override {
      auto done = session.scan(sql, params, each);
      if (auto then = std::exchange(of.after_scan, {})) then();
      return done;
    }
    Result<std::int64_t> execute(std::string_view sql, const store::Params& params) override {
      return session.execute(sql, params);
    }
    store::Session& session;
    Between& of;
  };
  store::Store& inner_;
};

TEST_F(ExecutorTest, takes_what_is_launched_while_it_starts_and_once_only) {
  Between between(*store_);
  executor_ = std::make_unique<Executor>(between, clock_, 3);
  executor_->add_program("nothing", nothing_);
  Count ran;
  Script program([&](const Execution&) {
    ran.add();
    return ends("done");
  });
  executor_->add_program("late", program);
  const std::string earlier = launch("late", "before the start");
  std::string first;
  std::string last;
  between.before_read = [&] { first = launch("late", "before the store is read"); };
  between.after_scan = [&] { last = launch("late", "after the store was read"); };
  ASSERT_TRUE(executor_->start());
  for (const std::string& id : {earlier, first, last}) EXPECT_EQ(ended(id)->outcome, "done");
  settle();
  EXPECT_EQ(ran.value(), 3);
  executor_.reset();
}

TEST_F(ExecutorTest, tells_of_an_end_that_was_before_the_question_and_once_only) {
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("nothing", "one");
  EXPECT_EQ(ended(id)->status, "SUCCEEDED");
  Count told;
  executor_->when_ended(id, [&](const Execution&) { told.add(); });
  ASSERT_TRUE(told.reaches(1));
  settle();
  EXPECT_EQ(told.value(), 1);
}

TEST_F(ExecutorTest, takes_up_what_an_earlier_process_left_ready_and_waiting) {
  std::string waiting;
  {
    Asking program;
    executor_->add_program("ask", program);
    ASSERT_TRUE(executor_->start());
    waiting = launch("ask", "waiting");
    ASSERT_TRUE(program.asked.reaches(1));
    executor_->stop();
    launch("ask", "ready");  // nobody runs it any more
    restart();
  }
  EXPECT_EQ(executor_->open_count().value(), 2);
  Asking program;
  executor_->add_program("ask", program);
  ASSERT_TRUE(executor_->start());
  ASSERT_TRUE(program.asked.reaches(1));  // the ready one asks now
  EXPECT_EQ(now(waiting).status, "WAITING");
  pass_ms(60'000);
  EXPECT_EQ(ended(waiting)->outcome, "expired");
  executor_->stop();  // the other one may be expiring in the program, which goes first
}

TEST_F(ExecutorTest, takes_an_answer_to_what_waited_before_a_restart) {
  std::string id;
  {
    Asking program;
    executor_->add_program("ask", program);
    ASSERT_TRUE(executor_->start());
    id = launch("ask", "waiting");
    ASSERT_TRUE(program.asked.reaches(1));
    restart();
  }
  Asking program;
  executor_->add_program("ask", program);
  ASSERT_TRUE(executor_->start());
  ASSERT_TRUE(executor_->answer(id, "yes"));
  EXPECT_EQ(ended(id)->outcome, "told");
}

TEST_F(ExecutorTest, stops_once_the_steps_under_way_are_committed) {
  Count inside;
  Script program([&](const Execution& execution) {
    inside.add();
    Step step;
    step.cursor = json::Object{{"at", execution.cursor["at"].int_or(0) + 1}};
    return step;
  });
  executor_->add_program("endless", program);
  ASSERT_TRUE(executor_->start());
  const std::string id = launch("endless", "one");
  ASSERT_TRUE(inside.reaches(5));
  executor_->stop();
  EXPECT_EQ(now(id).cursor["at"].int_or(0), inside.value());  // none was lost, none goes on
  EXPECT_EQ(now(id).status, "READY");
}

TEST_F(ExecutorTest, a_step_that_a_stop_cuts_off_is_run_again_at_the_next_start) {
  std::string id;
  {
    Count inside;
    Count cut;
    Script program([&](const Execution&) {
      inside.add();
      EXPECT_TRUE(cut.reaches(1));
      Step step;
      step.next = Step::Next::Failed;
      step.outcome = "cut off";
      step.commit = mark("what the stop broke");
      return step;
    });
    executor_->add_program("hangs", program);
    ASSERT_TRUE(executor_->start());
    id = launch("hangs", "one");
    ASSERT_TRUE(inside.reaches(1));
    executor_->stop(std::chrono::milliseconds(1), [&] { cut.add(); });
    EXPECT_EQ(cut.value(), 1);
    EXPECT_EQ(now(id).status, "READY");
    restart();
  }
  EXPECT_THAT(marked(), testing::IsEmpty());
  Script program([](const Execution&) { return ends("done"); });
  executor_->add_program("hangs", program);
  ASSERT_TRUE(executor_->start());
  EXPECT_EQ(ended(id)->outcome, "done");
  Count cut;
  executor_->stop(std::chrono::seconds(20), [&] { cut.add(); });
  EXPECT_EQ(cut.value(), 0);
}

TEST_F(ExecutorTest, a_step_may_be_done_on_another_thread) {
  class Later final : public Program {
   public:
    ~Later() override {
      for (auto& thread : threads_) thread.join();
    }
    void step(const Execution&, std::function<void(Step)> done) override {
      std::lock_guard lock(mutex_);
      threads_.emplace_back([done] { done(ends("later")); });
    }

   private:
    std::mutex mutex_;
    std::vector<std::thread> threads_;
  } program;
  executor_->add_program("later", program);
  ASSERT_TRUE(executor_->start());
  EXPECT_EQ(ended(launch("later", "one"))->outcome, "later");
  executor_->stop();
}

}  // namespace
}  // namespace fixpoint::executions
