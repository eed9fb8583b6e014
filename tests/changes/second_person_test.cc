#include "changes/second_person.h"

#include <gtest/gtest.h>

#include "changes/door.h"
#include "changes/settings.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::changes {
namespace {

constexpr TimeMs now_ms = 1'704'164'645'678;
const std::string ann = "arn:aws:iam::111111111111:user/ann";
const std::string bob = "arn:aws:iam::111111111111:user/bob";
const std::string ann_as_bob = "arn:aws:sts::111111111111:assumed-role/r/bob, assumed by " + ann;

class SecondPersonTest : public testing::Test {
 protected:
  void set(const std::string& scope, bool four_eyes) {
    ASSERT_TRUE(
        store_->write([&](store::Transaction& tx) { return Settings::set(tx, scope, "four_eyes", four_eyes); }));
  }
  Result<SecondPerson> ask(const std::string& by, const std::string& what = "mode auto for all",
                           const std::string& scope = "all", TimeMs at_ms = now_ms, const std::string& before = "ask") {
    return store_->write([&](store::Transaction& tx) { return second_person(tx, scope, what, before, by, at_ms); });
  }
  std::vector<Asked> waiting(TimeMs at_ms = now_ms) {
    return store_->read([&](store::Session& session) { return asked(session, at_ms); }).value();
  }

  test::TempDir dir_;
  std::unique_ptr<store::Store> store_ =
      store::Store::open(test::store_options(dir_.string()), {Door::schema()}).value();
};

TEST_F(SecondPersonTest, nobody_else_is_wanted_where_four_eyes_are_not_required) {
  EXPECT_TRUE(ask(ann)->may);
  set("all", false);
  EXPECT_TRUE(ask(ann)->may);
  EXPECT_TRUE(ask("")->may);
  EXPECT_TRUE(waiting().empty());
}

TEST_F(SecondPersonTest, what_one_asks_for_is_done_when_another_asks_for_the_same) {
  set("all", true);
  const auto first = ask(ann);
  EXPECT_FALSE(first->may);
  EXPECT_EQ(first->asked.sentence(), "'mode auto for all' was asked for by " + ann +
                                         "; it is done once another person asks for the same before "
                                         "2024-01-03T03:04:05.678Z");
  // The same person, in whatever session, as often as they like.
  EXPECT_FALSE(ask(ann)->may);
  EXPECT_FALSE(ask(ann_as_bob)->may);
  ASSERT_EQ(waiting().size(), 1U);
  EXPECT_EQ(waiting()[0].by, ann);
  EXPECT_FALSE(ask(bob, "mode auto for control:S3.4", "control:S3.4")->may);  // something else
  const auto second = ask(bob);
  EXPECT_TRUE(second->may);
  EXPECT_EQ(second->asked.by, ann);
  // Once: the next time it is asked for anew.
  EXPECT_FALSE(ask(bob)->may);
  EXPECT_EQ(waiting().size(), 2U);
}

TEST_F(SecondPersonTest, what_was_asked_for_a_day_ago_is_asked_for_anew) {
  set("all", true);
  EXPECT_FALSE(ask(ann)->may);
  EXPECT_EQ(waiting(now_ms + asked_for_ms - 1).size(), 1U);
  EXPECT_TRUE(waiting(now_ms + asked_for_ms).empty());
  EXPECT_FALSE(ask(bob, "mode auto for all", "all", now_ms + asked_for_ms)->may);
  EXPECT_TRUE(ask(ann, "mode auto for all", "all", now_ms + asked_for_ms + 1)->may);
}

TEST_F(SecondPersonTest, what_was_asked_for_about_something_else_does_not_count) {
  set("all", true);
  const auto unfreeze = [&](const std::string& by, const std::string& freeze) {
    return ask(by, "unfreeze all", "all", now_ms, freeze)->may;
  };
  EXPECT_FALSE(unfreeze(ann, "the freeze of Monday"));
  EXPECT_FALSE(unfreeze(bob, "the freeze of Tuesday"));
  EXPECT_EQ(waiting().at(0).by, bob);
  EXPECT_TRUE(unfreeze(ann, "the freeze of Tuesday"));
}

TEST_F(SecondPersonTest, nobody_known_asks_for_nothing) {
  set("all", true);
  for (const auto* nobody : {"", "custom action Fix", "arn:aws:sts::111111111111:assumed-role/r/bob"}) {
    const auto refused = ask(nobody);
    ASSERT_FALSE(refused) << nobody;
    EXPECT_EQ(refused.error().code, "AccessDeniedException");
  }
  EXPECT_TRUE(waiting().empty());
}

TEST_F(SecondPersonTest, four_eyes_hold_wherever_scopes_meet) {
  const auto holds = [&](const std::string& scope) {
    return store_->read([&](store::Session& session) { return four_eyes_in(session, scope); }).value();
  };
  set("control:S3.4", true);
  EXPECT_TRUE(holds("control:S3.4"));
  EXPECT_TRUE(holds("all"));
  EXPECT_TRUE(holds("account:111111111111"));
  EXPECT_TRUE(holds("rule:arn:aws:events:us-east-1:111111111111:rule/fix"));
  EXPECT_FALSE(holds("control:EC2.13"));
  set("control:S3.4", false);
  set("account:111111111111", true);
  EXPECT_TRUE(holds("control:EC2.13"));
  EXPECT_FALSE(holds("account:222222222222"));
  set("account:111111111111", false);
  set("control:arn:aws:lambda:us-east-1:111111111111:function:f:1", true);
  EXPECT_TRUE(holds("control:arn:aws:lambda:us-east-1:111111111111:function:f"));
  EXPECT_TRUE(holds("control:arn:aws-cn:lambda:us-east-1:111111111111:function:f:$LATEST"));
  EXPECT_FALSE(holds("control:arn:aws:lambda:us-east-1:111111111111:function:g"));
}

}  // namespace
}  // namespace fixpoint::changes
