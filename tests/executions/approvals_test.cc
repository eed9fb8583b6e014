#include "executions/approvals.h"

#include <algorithm>
#include <gmock/gmock.h>

#include "executions/running.h"

namespace fixpoint::executions {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr TimeMs hour_ms = 3'600'000;
const std::string plan_a(64, 'a');
const std::string plan_b(64, 'b');
constexpr const char* ann = "arn:aws:iam::111111111111:user/ann";
constexpr const char* bob = "arn:aws:iam::111111111111:user/bob";

class ApprovalsTest : public ExecutorTest {
 protected:
  // Asks once, is warned an hour before the end of three, ends with what it was told. An answer "again" makes it ask
  // for another plan.
  class Asking final : public Program {
   public:
    explicit Asking(ApprovalsTest& test) : test_(test) {}
    void step(const Execution& execution, std::function<void(Step)> done) override {
      Approvals& approvals = *test_.approvals_;
      const bool asked_before = execution.cursor.is_object();
      if (const Value* answer = execution.cursor.find("answer")) {
        if ((*answer)["Reason"].string_or("") != "again") return done(ends("told", *answer));
      } else if (asked_before) {
        if (auto waits = approvals.wait_on(execution)) {
          if (waits->commit)
            waits->commit = [this, commit = std::move(waits->commit)](store::Transaction& tx) -> Result<void> {
              tx.after_commit([this] { warned.add(); });
              return commit(tx);
            };
          return done(std::move(*waits));
        }
        Step step = ends("expired");
        step.commit = [&approvals, id = execution.id](store::Transaction& tx) { return approvals.expire(tx, id); };
        return done(std::move(step));
      }
      Step step;
      step.cursor = json::Object{};
      step.commit = [this](store::Transaction& tx) -> Result<void> {
        tx.after_commit([this] { asked.add(); });
        return {};
      };
      approvals.wait(step, execution,
                     {.plan_hash = asked_before ? plan_b : plan_a,
                      .plan = json::Array{Value("s3:PutBucketEncryption")},
                      .words = "one change",
                      .requested_by = std::string(execution.input["By"].string_or("")),
                      .wait_ms = 3 * hour_ms,
                      .warn_before_ms = hour_ms,
                      .four_eyes = execution.input["FourEyes"].bool_or(false)});
      done(std::move(step));
    }
    Count asked;
    Count warned;

   private:
    ApprovalsTest& test_;
  };

  void SetUp() override { begin(); }
  void begin() {
    approvals_ = std::make_unique<Approvals>(
        *store_, *executor_, clock_,
        [this](store::Transaction& tx, const Notice& notice) -> Result<void> {
          if (notice_fails_) {
            notices_refused_.add();
            return fail(errors::unavailable("the bus is gone"));
          }
          // What is told is not committed yet; what it tells of stands in this same transaction.
          FIXPOINT_TRY(rows, tx.query("SELECT state FROM approval WHERE execution = ? ORDER BY number DESC",
                                      {std::string(notice.detail["Execution"].string_or(""))}));
          notices_.push_back(notice.kind + " " + rows.at(0).text(0));
          last_ = notice.detail;
          return {};
        },
        [this](store::Transaction&, const Approval&) -> Result<bool> { return four_eyes_now_; });
    executor_->add_program("ask", program_);
    ASSERT_TRUE(executor_->start());
  }
  std::string asks(Value input = json::Object{}) {
    const int before = program_.asked.value();
    const std::string id = launch("ask", "ask-" + std::to_string(before), std::move(input));
    EXPECT_TRUE(program_.asked.reaches(before + 1));
    return id;
  }
  Result<Approval> approve(const std::string& id, const std::string& by = ann, const std::string& plan = {}) {
    return approvals_->answer({.execution = id, .plan_hash = plan, .approved = true, .by = by});
  }
  Result<Approval> reject(const std::string& id, const std::string& because) {
    return approvals_->answer({.execution = id, .approved = false, .by = bob, .because = because});
  }
  Approval last_of(const std::string& id) { return approvals_->of(id).value().at(0); }
  void TearDown() override { executor_->stop(); }

  std::atomic<bool> notice_fails_ = false;
  Count notices_refused_;
  std::atomic<bool> four_eyes_now_ = false;
  std::vector<std::string> notices_;  // of the writer's thread; read once what wrote them is known to be over
  Value last_;
  Asking program_{*this};
  std::unique_ptr<Approvals> approvals_;
};

TEST_F(ApprovalsTest, commits_the_question_with_the_prompt_and_goes_on_with_the_answer) {
  const std::string id = asks(json::Object{{"By", bob}});
  const Approval open = last_of(id);
  EXPECT_EQ(open.state, "OPEN");
  EXPECT_EQ(open.requested_by, bob);
  EXPECT_EQ(open.asked_ms, start_ms);
  EXPECT_EQ(open.warn_ms, start_ms + 2 * hour_ms);
  EXPECT_EQ(open.expires_ms, start_ms + 3 * hour_ms);
  EXPECT_EQ(now(id).status, "WAITING");
  EXPECT_EQ(last_["PlanHash"].string_or(""), plan_a);
  EXPECT_EQ(last_["Approve"].string_or(""), "fixpoint approve " + id + " --plan " + plan_a);
  clock_.advance_ms(5);
  const auto approved = approvals_->answer(
      {.execution = id, .plan_hash = plan_a.substr(0, 8), .approved = true, .by = ann, .because = "looked at it"});
  ASSERT_TRUE(approved) << describe(approved.error());
  const auto last = ended(id);
  EXPECT_EQ(last->outcome, "told");
  EXPECT_EQ(last->result["By"].string_or(""), ann);
  EXPECT_EQ(last_of(id).state, "APPROVED");
  EXPECT_EQ(last_of(id).answered_by, ann);
  EXPECT_EQ(last_of(id).because, "looked at it");
  EXPECT_EQ(last_of(id).answered_ms, start_ms + 5);
  EXPECT_THAT(notices_, ElementsAre("Approval Requested OPEN", "Approval Answered APPROVED"));
}

TEST_F(ApprovalsTest, that_cannot_be_published_is_not_asked) {
  notice_fails_ = true;
  const std::string id = launch("ask", "one");
  ASSERT_TRUE(notices_refused_.reaches(1));
  settle();  // the roll-back is over and the second try is on the clock
  EXPECT_EQ(now(id).status, "READY");
  EXPECT_TRUE(approvals_->of(id).value().empty());
  notice_fails_ = false;
  pass_ms(1000);  // the step is run again
  ASSERT_TRUE(program_.asked.reaches(1));
  EXPECT_EQ(approvals_->of(id).value().size(), 1U);
}

TEST_F(ApprovalsTest, refuses_an_answer_to_another_plan_with_both_hashes) {
  const std::string id = asks();
  const auto refused = approve(id, ann, plan_b);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ResourceConflictException");
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr(plan_a), HasSubstr(plan_b)));
  EXPECT_FALSE(approve(id, ann, "aaaa"));  // too short to name one
  EXPECT_EQ(last_of(id).state, "OPEN");
  EXPECT_TRUE(approve(id, ann, plan_a));
}

TEST_F(ApprovalsTest, given_to_an_earlier_plan_does_not_count_for_the_one_that_followed) {
  const std::string id = asks();
  ASSERT_TRUE(approvals_->answer({.execution = id, .approved = true, .by = ann, .because = "again"}));
  ASSERT_TRUE(program_.asked.reaches(2));
  EXPECT_FALSE(approve(id, ann, plan_a));
  ASSERT_TRUE(approve(id, ann, plan_b));
  ended(id);
  const auto all = approvals_->of(id).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].plan_hash, plan_b);
  EXPECT_EQ(all[1].state, "APPROVED");
}

TEST_F(ApprovalsTest, refuses_a_second_answer_with_who_answered_what_and_when) {
  const std::string id = asks();
  ASSERT_TRUE(reject(id, "not this week"));
  ended(id);
  const auto second = approve(id);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "ResourceConflictException");
  EXPECT_THAT(second.error().message, AllOf(HasSubstr("REJECTED by " + std::string(bob)), HasSubstr("2023-11-14T"),
                                            HasSubstr("not this week")));
}

TEST_F(ApprovalsTest, warns_once_and_expires) {
  const std::string id = asks();
  pass_ms(2 * hour_ms - 1);
  settle();
  EXPECT_EQ(program_.warned.value(), 0);
  pass_ms(1);
  ASSERT_TRUE(program_.warned.reaches(1));
  EXPECT_TRUE(last_of(id).warned);
  pass_ms(hour_ms - 1);
  settle();
  EXPECT_EQ(now(id).status, "WAITING");
  pass_ms(1);
  EXPECT_EQ(ended(id)->outcome, "expired");
  EXPECT_EQ(last_of(id).state, "EXPIRED");
  EXPECT_EQ(last_of(id).answered_ms, start_ms + 3 * hour_ms);
  EXPECT_THAT(notices_, ElementsAre("Approval Requested OPEN", "Approval Expiring OPEN", "Approval Answered EXPIRED"));
  const auto late = approve(id);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "ResourceConflictException");
  EXPECT_THAT(late.error().message, HasSubstr("expired at 2023-11-15T01:13:20.000Z"));
}

TEST_F(ApprovalsTest, refuses_an_answer_after_the_expiry_though_nobody_has_closed_it_yet) {
  const std::string id = asks();
  executor_->stop();
  clock_.advance_ms(3 * hour_ms);
  const auto late = approve(id);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, StartsWith("the answer comes too late"));
  EXPECT_EQ(last_of(id).state, "OPEN");
}

// What is under way is no longer waiting: a rejection that was taken then would stop nothing.
TEST_F(ApprovalsTest, is_not_rejected_any_more_once_its_window_has_opened) {
  Count waits;
  std::string refused;
  Script program([&](const Execution& execution) {
    if (auto opened = Approvals::opened(execution)) return std::move(*opened);
    if (execution.cursor["waited"].bool_or(false)) {
      const auto rejected = approvals_->answer({.execution = execution.id,
                                                .plan_hash = {},
                                                .approved = false,
                                                .by = ann,
                                                .by_execution = {},
                                                .because = "too late"});
      refused = rejected ? "taken" : rejected.error().code;
      return ends("done");
    }
    Step step;
    step.cursor = json::Object{{"waited", true}};
    Approvals::wait_for_window(step, clock_.now_ms() + hour_ms);
    step.commit = [&](store::Transaction& tx) -> Result<void> {
      tx.after_commit([&] { waits.add(); });
      return {};
    };
    return step;
  });
  executor_->add_program("windowed", program);
  const std::string id = launch("windowed", "one");
  ASSERT_TRUE(waits.reaches(1));
  pass_ms(hour_ms);
  EXPECT_EQ(ended(id)->outcome, "done");
  EXPECT_EQ(refused, "ResourceConflictException");
  executor_->stop();
}

TEST_F(ApprovalsTest, wants_another_person_where_four_eyes_were_not_required_when_it_was_asked_for) {
  const std::string id = asks(json::Object{{"By", ann}});
  four_eyes_now_ = true;
  const auto same = approve(id, ann);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, "AccessDeniedException");
  ASSERT_TRUE(approve(id, bob));
  EXPECT_EQ(ended(id)->result["By"].string_or(""), bob);
}

TEST_F(ApprovalsTest, wants_another_person_where_four_eyes_are_required) {
  const std::string id = asks(json::Object{{"By", ann}, {"FourEyes", true}});
  const auto same = approve(id, ann);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, "AccessDeniedException");
  EXPECT_THAT(same.error().message, HasSubstr("somebody else has to approve"));
  ASSERT_TRUE(approve(id, bob));
  EXPECT_EQ(ended(id)->result["By"].string_or(""), bob);
}

// Whoever may assume a role names the session as they like.
TEST_F(ApprovalsTest, takes_the_sessions_of_one_person_for_that_person) {
  const auto in_session = [](const std::string& session, const std::string& who) {
    return "arn:aws:sts::222222222222:assumed-role/fixer/" + session + ", assumed by " + who;
  };
  for (const auto& [asked, answers] : {std::pair<std::string, std::string>{ann, in_session("bob", ann)},
                                       {in_session("bob", ann), ann},
                                       {in_session("x", ann), in_session("y", ann)}}) {
    const std::string id = asks(json::Object{{"By", asked}, {"FourEyes", true}});
    const auto same = approve(id, answers);
    ASSERT_FALSE(same) << asked << " and " << answers;
    EXPECT_EQ(same.error().code, "AccessDeniedException");
    EXPECT_THAT(same.error().message, HasSubstr(std::string(ann) + " asked for this"));
    ASSERT_TRUE(approve(id, in_session("ann", bob)));
    EXPECT_EQ(ended(id)->result["By"].string_or(""), in_session("ann", bob));
  }
}

TEST_F(ApprovalsTest, takes_no_approval_where_four_eyes_are_required_and_nobody_knows_who_approves) {
  const std::string session = "arn:aws:sts::222222222222:assumed-role/fixer/bob";
  const std::string id = asks(json::Object{{"By", ann}, {"FourEyes", true}});
  for (const std::string& by : {session, std::string("custom action Fix"), std::string()}) {
    const auto refused = approve(id, by);
    ASSERT_FALSE(refused) << by;
    EXPECT_THAT(refused.error().message, HasSubstr("nobody knows who approves"));
  }
  const std::string of_session = asks(json::Object{{"By", session}, {"FourEyes", true}});
  const auto refused = approve(of_session, ann);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("nobody knows who asked"));
}

TEST_F(ApprovalsTest, lets_who_asked_reject_it) {
  const std::string id = asks(json::Object{{"By", bob}, {"FourEyes", true}});
  EXPECT_TRUE(reject(id, "a mistake"));
  EXPECT_EQ(ended(id)->outcome, "told");
}

TEST_F(ApprovalsTest, takes_no_approval_where_four_eyes_are_required_and_nobody_knows_who_asked) {
  const std::string id = asks(json::Object{{"FourEyes", true}});
  const auto refused = approve(id);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("nobody knows who asked"));
}

TEST_F(ApprovalsTest, takes_no_answer_from_an_executions_own_credentials) {
  const std::string id = asks();
  const auto refused =
      approvals_->answer({.execution = id, .approved = true, .by = "role", .by_execution = "another-execution"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "AccessDeniedException");
  EXPECT_THAT(refused.error().message, HasSubstr("another-execution"));
}

TEST_F(ApprovalsTest, refuses_an_answer_to_what_asked_nothing_or_is_not_there) {
  const std::string id = launch("nothing", "one");
  ended(id);
  const auto nothing = approve(id);
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message, HasSubstr("asked for no approval: it is SUCCEEDED, done"));
  const auto nobody = approve("no-such-id");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, "ResourceNotFoundException");
}

TEST_F(ApprovalsTest, survives_a_restart) {
  const std::string id = asks();
  executor_->stop();
  restart();
  begin();
  ASSERT_TRUE(approve(id, ann, plan_a));
  EXPECT_EQ(ended(id)->outcome, "told");
}

// The answer comes while the step of the warning's timer is on its way to its commit.
TEST_F(ApprovalsTest, is_not_overwritten_by_the_timer_that_it_races_with) {
  Count inside;
  Count go;
  std::atomic<int> steps = 0;
  Script racing([&](const Execution& execution) {
    Step step;
    if (const Value* answer = execution.cursor.find("answer")) return ends("told", *answer);
    if (execution.cursor.is_object()) {
      ++steps;
      inside.add();
      EXPECT_TRUE(go.reaches(1));
      return ends("expired");
    }
    step.cursor = json::Object{};
    step.commit = [&](store::Transaction& tx) -> Result<void> {
      tx.after_commit([&] { program_.asked.add(); });
      return {};
    };
    approvals_->wait(step, execution, {.plan_hash = plan_a, .wait_ms = hour_ms});
    return step;
  });
  executor_->add_program("race", racing);
  const std::string id = launch("race", "one");
  ASSERT_TRUE(program_.asked.reaches(1));
  pass_ms(hour_ms);
  ASSERT_TRUE(inside.reaches(1));
  clock_.set_ms(start_ms + hour_ms - 1);  // the clock is set back a little: the answer is still in time
  ASSERT_TRUE(approve(id));
  go.add();
  EXPECT_EQ(ended(id)->outcome, "told");
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(last_of(id).state, "APPROVED");
}

}  // namespace
}  // namespace fixpoint::executions
