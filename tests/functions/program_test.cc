#include "functions/program.h"

#include <cerrno>
#include <gmock/gmock.h>

#include "catalog/catalog.h"
#include "changes/runs.h"
#include "executions/running.h"
#include "functions/handlers.h"
#include "functions/process.h"

namespace fixpoint::functions {
namespace {

using json::Value;
using testing::HasSubstr;

// Says by its error's type which key it was given.
const char* const teller =
    "import os\n"
    "def handler(event, context):\n"
    "    raise type(os.environ['AWS_ACCESS_KEY_ID'], (Exception,), {})('no')\n";

class Program : public Handlers {
 protected:
  void SetUp() override {
    Handlers::SetUp();
    if (IsSkipped()) return;
    auto opened = store::Store::open({.folder = folder_.string(), .durable = false},
                                     {executions::Executor::schema(), FunctionStore::schema(),
                                      identity::Identity::schema(), changes::Door::schema(), audit::Log::schema()});
    ASSERT_TRUE(opened) << describe(opened.error());
    store_ = std::move(*opened);
    auto identity = identity::Identity::open("", "123456789012", *store_, clock_);
    ASSERT_TRUE(identity) << describe(identity.error());
    identity_ = std::move(*identity);
    functions_ = std::make_unique<FunctionStore>(*store_, clock_);
    executor_ = std::make_unique<executions::Executor>(*store_, clock_, 2);
    recipes_ = changes::Recipes::load(catalog::Catalog::embedded()).value();
    door_ = std::make_unique<changes::Door>(*store_, clock_, account_, recipes_);
    approvals_ = std::make_unique<executions::Approvals>(
        *store_, *executor_, clock_, [](store::Transaction&, const executions::Notice&) { return Result<void>(); },
        [](store::Transaction&, const executions::Approval&) -> Result<bool> { return false; });
    program_ = std::make_unique<FunctionProgram>(
        FunctionProgram::Parts{
            *functions_, *runtime_, *identity_, *door_, *approvals_, clock_,
            [] { return std::string("http://127.0.0.1:9"); },
            [](const std::string&, const std::string&, const std::string&) { return Result<std::string>("auto"); },
            [](store::Transaction&, const Value&, const std::string&, const FindingNote&) { return Result<void>(); },
            runs_},
        FunctionProgram::Options{});
    executor_->add_program("function", *program_);
    executor_->add_program("nothing", nothing_);
    ASSERT_TRUE(executor_->start());
    CreateFunction function;
    function.name = "teller";
    function.runtime = "python3.12";
    function.handler = "app.handler";
    function.role = "arn:aws:iam::123456789012:role/r";
    function.timeout_s = 30;
    function.code_zip = test::zip_of({{"app.py", teller}});
    const auto created = functions_->create({"123456789012", "eu-central-1"}, function);
    ASSERT_TRUE(created) << describe(created.error());
  }
  void TearDown() override {
    if (runtime_) runtime_->stop();
    if (executor_) executor_->stop();
  }
  // Until its journal has so many lines about a failed handler.
  std::vector<std::string> keys_after(const std::string& id, std::size_t runs) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    for (int i = 0; i < 4000; ++i) {
      std::vector<std::string> keys;
      const auto lines = executor_->journal(id).value();
      for (const auto& line : lines)
        if (const auto at = line.text.find("ASIA"); at != std::string::npos && line.text.ends_with("tries again"))
          keys.push_back(line.text.substr(at, 20));
      if (keys.size() >= runs) return keys;
      never.wait_for(lock, std::chrono::milliseconds(5));
    }
    throw std::runtime_error("the handler was not run");
  }

  // The handler makes no call.
  class Nobody final : public aws::Api {
    Result<Value> call(const aws::CallContext&, std::string_view, std::string_view, const Value&) override {
      return fail(errors::internal("nobody is asked"));
    }
  };
  fixpoint::test::TempDir folder_;
  Nobody account_;
  changes::Recipes recipes_;
  changes::Runs runs_;
  std::unique_ptr<changes::Door> door_;
  std::unique_ptr<executions::Approvals> approvals_;
  ManualClock clock_{executions::start_ms};
  executions::Script nothing_{[](const executions::Execution&) { return executions::ends("done"); }};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<identity::Identity> identity_;
  std::unique_ptr<FunctionStore> functions_;
  std::unique_ptr<FunctionProgram> program_;
  std::unique_ptr<executions::Executor> executor_;
};

TEST_F(Program, gets_fresh_credentials_after_a_wait_and_the_old_ones_are_over) {
  const auto started = executor_->launch({.name = "one",
                                          .kind = "function",
                                          .program = "arn:aws:lambda:eu-central-1:123456789012:function:teller",
                                          .account = "123456789012",
                                          .region = "eu-central-1",
                                          .subject = {},
                                          .input = json::Object{{"Payload", "{}"}, {"Async", true}}});
  ASSERT_TRUE(started);
  const std::string first = keys_after(started->id, 1).at(0);
  EXPECT_EQ(executor_->get(started->id).value()->status, "WAITING");
  EXPECT_EQ(identity_->find(first), nullptr);  // while it waits nobody acts for it
  clock_.advance_ms(60'000);
  ASSERT_TRUE(executor_->launch({"poke", "nothing", "p", "1", "r", "s", {}}));
  const auto keys = keys_after(started->id, 2);
  EXPECT_NE(keys[1], first);
  EXPECT_EQ(identity_->find(keys[1]), nullptr);
}

// Fails as often as it is told to, and then has a process.
class Lacking final : public Runtime {
 public:
  explicit Lacking(int times) : left_(times) {}
  void invoke(Invocation, Callback done) override {
    if (left_-- > 0) return done(fail(refused_by_system("The handler's process cannot be started", EMFILE)));
    Outcome outcome;
    outcome.payload = "7";
    done(std::move(outcome));
  }
  std::string isolation() override { return "none"; }
  Counts counts() const override { return {}; }
  void stop() override {}

 private:
  int left_;
};

class WithoutDescriptors : public Program {
 protected:
  // The steps of a call, run one after the other with the clock set to when each is due; the last one.
  executions::Step run(int lacks, bool async) {
    Lacking lacking(lacks);
    FunctionProgram::Parts parts{
        *functions_,
        lacking,
        *identity_,
        *door_,
        *approvals_,
        clock_,
        [] { return std::string("http://127.0.0.1:9"); },
        [](const std::string&, const std::string&, const std::string&) { return Result<std::string>("auto"); },
        [](store::Transaction&, const Value&, const std::string&, const FindingNote&) { return Result<void>(); },
        runs_};
    FunctionProgram program(parts, {});
    executions::Execution execution;
    execution.id = "execution-1";
    execution.kind = "function";
    execution.program = "arn:aws:lambda:eu-central-1:123456789012:function:teller";
    execution.account = "123456789012";
    execution.region = "eu-central-1";
    execution.started_ms = clock_.now_ms();
    execution.input = json::Object{{"Payload", "{}"}, {"Async", async}};
    executions::Step last;
    for (int i = 0; i < 200; ++i) {
      program.step(execution, [&](executions::Step step) { last = std::move(step); });
      if (last.next != executions::Step::Next::Wait) break;
      waits_s_.push_back((last.wake_ms - clock_.now_ms()) / 1000);
      clock_.advance_ms(last.wake_ms - clock_.now_ms());
      execution.cursor = last.cursor;
    }
    attempts_ = execution.cursor["attempt"].int_or(0);
    return last;
  }
  std::vector<TimeMs> waits_s_;
  std::int64_t attempts_ = -1;
};

TEST_F(WithoutDescriptors, an_event_waits_as_lambda_makes_it_wait_and_is_run) {
  const auto last = run(11, true);
  EXPECT_EQ(last.outcome, "returned") << last.note;
  EXPECT_EQ(waits_s_, (std::vector<TimeMs>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}));
  // None of it was an attempt of the handler's.
  EXPECT_EQ(attempts_, 0);
}

TEST_F(WithoutDescriptors, an_event_is_given_up_after_six_hours) {
  const auto last = run(1000, true);
  EXPECT_EQ(last.outcome, "failed");
  EXPECT_THAT(last.note, HasSubstr("Too many open files"));
  TimeMs all = 0;
  for (const TimeMs wait : waits_s_) all += wait;
  EXPECT_GE(all, 6 * 3600);
  EXPECT_LT(all, 6 * 3600 + 300);
}

TEST_F(WithoutDescriptors, a_caller_who_waits_is_not_kept_for_hours) {
  const auto last = run(1000, false);
  EXPECT_EQ(last.outcome, "failed");
  EXPECT_EQ(waits_s_, (std::vector<TimeMs>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

// A message may have been sent when the run was cut off: run again, the handler would send it a second time.
TEST_F(Program, is_not_run_again_over_a_call_of_which_nobody_can_tell_whether_it_was_made) {
  const auto started = executor_->launch({.name = "one",
                                          .kind = "function",
                                          .program = "arn:aws:lambda:eu-central-1:123456789012:function:teller",
                                          .account = "123456789012",
                                          .region = "eu-central-1",
                                          .subject = {},
                                          .input = json::Object{{"Payload", "{}"}, {"Async", true}}});
  ASSERT_TRUE(started);
  ASSERT_EQ(keys_after(started->id, 1).size(), 1U);
  changes::Change sent;
  sent.execution = started->id;
  sent.step = "run-begin-0.1/sqs:SendMessage/0/1";
  sent.account = "123456789012";
  sent.region = "eu-central-1";
  sent.service = "sqs";
  sent.operation = "SendMessage";
  sent.input = json::Object{{"QueueUrl", "https://q/1/q"}, {"MessageBody", "once"}};
  sent.state = "intent";
  sent.at_ms = clock_.now_ms();
  ASSERT_TRUE(store_->write([&](store::Transaction& tx) { return changes::insert(tx, sent); }));
  clock_.advance_ms(60'000);
  ASSERT_TRUE(executor_->launch({"poke", "nothing", "p", "1", "r", "s", {}}));
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (int i = 0; i < 4000 && executor_->get(started->id).value()->ended_ms == 0; ++i)
    never.wait_for(lock, std::chrono::milliseconds(5));
  const auto ended = *executor_->get(started->id).value();
  EXPECT_EQ(ended.status, "FAILED");
  EXPECT_EQ(ended.result["Error"].string_or(""), "OutcomeUnknown");
  EXPECT_THAT(std::string(ended.result["Message"].string_or("")), HasSubstr("sqs:SendMessage may have been made at "));
  EXPECT_EQ(keys_after(started->id, 1).size(), 1U);
  EXPECT_EQ(door_->of_execution(started->id).value().at(0).state, "intent");
}

}  // namespace
}  // namespace fixpoint::functions
