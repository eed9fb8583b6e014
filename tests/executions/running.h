#pragma once

#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <stdexcept>

#include "executions/executor.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::executions {

using json::Value;
inline constexpr TimeMs start_ms = 1'700'000'000'000;
inline constexpr std::chrono::seconds patience{
    20};  // bounds a wait that goes wrong; none that goes right comes near it

// A table that a step's commit writes to, to see what is committed together.
inline store::Schema marks() {
  return {"marks", {"CREATE TABLE mark (number INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE) STRICT;"}};
}

class Script final : public Program {
 public:
  using Body = std::function<Step(const Execution&)>;
  explicit Script(Body body) : body_(std::move(body)) {}
  void step(const Execution& execution, std::function<void(Step)> done) override { done(body_(execution)); }

 private:
  Body body_;
};

inline Step ends(std::string outcome, Value result = {}) {
  Step step;
  step.next = Step::Next::Succeeded;
  step.outcome = std::move(outcome);
  step.result = std::move(result);
  return step;
}

// A count that a test waits for.
class Count {
 public:
  void add() {
    std::lock_guard lock(mutex_);
    ++value_;
    changed_.notify_all();
  }
  bool reaches(int wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return value_ >= wanted; });
  }
  int value() {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int value_ = 0;
};

/// An executor over a store on disk, and the clock in the test's hand.
class ExecutorTest : public testing::Test {
 protected:
  ExecutorTest() { open(); }
  void open() {
    auto opened = store::Store::open(test::store_options(folder_.string()), {Executor::schema(), marks()});
    if (!opened) throw std::runtime_error(describe(opened.error()));
    store_ = std::move(*opened);
    executor_ = std::make_unique<Executor>(*store_, clock_, 3);
    executor_->add_program("nothing", nothing_);
  }
  // As a process that ended: what is not in the store is gone.
  void restart() {
    executor_.reset();
    store_.reset();
    open();
  }
  std::string launch(const std::string& kind, const std::string& name, Value input = {}) {
    auto started = executor_->launch({name, kind, "program", "111111111111", "us-east-1", "subject", std::move(input)});
    EXPECT_TRUE(started) << describe(started.error());
    return started ? started->id : "";
  }
  std::optional<Execution> ended(const std::string& id) {
    std::mutex mutex;
    std::condition_variable changed;
    std::shared_ptr<std::optional<Execution>> last = std::make_shared<std::optional<Execution>>();
    executor_->when_ended(id, [&, last](const Execution& execution) {
      std::lock_guard lock(mutex);
      *last = execution;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, patience, [&] { return last->has_value(); })) throw std::runtime_error("never ended");
    return *last;
  }
  // A manual clock wakes nobody; a launch does.
  void pass_ms(TimeMs by) {
    clock_.advance_ms(by);
    for (int i = 0; i < 3; ++i) launch("nothing", "poke-" + std::to_string(pokes_++));
  }
  // Ends once everything that was ready before it has been taken.
  void settle() { ended(launch("nothing", "poke-" + std::to_string(pokes_++))); }
  Execution now(const std::string& id) { return executor_->get(id).value().value(); }
  std::vector<std::string> marked() {
    return store_
        ->read([](store::Session& session) -> Result<std::vector<std::string>> {
          FIXPOINT_TRY(rows, session.query("SELECT text FROM mark ORDER BY number"));
          std::vector<std::string> out;
          for (auto& row : rows) out.push_back(row.text(0));
          return out;
        })
        .value();
  }
  static std::function<Result<void>(store::Transaction&)> mark(const std::string& text) {
    return [text](store::Transaction& tx) -> Result<void> {
      FIXPOINT_CHECK(tx.execute("INSERT INTO mark (text) VALUES (?)", {text}));
      return {};
    };
  }
  std::vector<std::string> journal(const std::string& id) {
    std::vector<std::string> out;
    const auto lines = executor_->journal(id).value();
    for (const auto& line : lines) out.push_back(line.text);
    return out;
  }

  test::TempDir folder_;
  ManualClock clock_{start_ms};
  Script nothing_{[](const Execution&) { return ends("done"); }};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Executor> executor_;
  int pokes_ = 0;
};

}  // namespace fixpoint::executions
