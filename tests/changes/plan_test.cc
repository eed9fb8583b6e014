#include "changes/plan.h"

#include <gmock/gmock.h>

#include "aws/models.h"
#include "changes/shop.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlanTest : public ShopTest {
 protected:
  void dry() {
    mandate.dry_run = true;
    give();
  }
  Value get(const std::string& id) {
    auto answer = call("GetHat", {{"Id", id}});
    return answer ? *answer : Value(answer.error().code);
  }
  std::vector<Change> changes() { return door->of_execution("e").value(); }
  /// What a dry run came to, stored, and the execution held to it.
  Plan approve() {
    const Plan plan = door->plan_of("e").value();
    EXPECT_TRUE(store->write([&](store::Transaction& tx) { return put_plan(tx, plan); }));
    mandate.dry_run = false;
    mandate.plan = plan.hash;
    mandate.decided_by = "ann";
    give();
    return plan;
  }
  Result<void> put_plan(store::Transaction& tx, const Plan& plan) { return changes::put(tx, plan, clock.now_ms()); }
};

TEST_F(PlanTest, a_dry_run_records_and_answers_and_makes_no_changing_call) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  ASSERT_TRUE(call("BurnHat", {{"Id", "h"}}));
  ASSERT_TRUE(call("EatHat", {{"Id", "h"}}));
  EXPECT_THAT(shop.changing_calls(), IsEmpty());
  EXPECT_EQ(shop.colour("h"), "red");
  ASSERT_EQ(changes().size(), 3U);
  for (const auto& change : changes()) EXPECT_EQ(change.state, "planned");
  EXPECT_EQ(changes()[0].before, Value(Object{{"Colour", "red"}}));
  EXPECT_EQ(changes()[1].undo, "CANNOT BE UNDONE: A burnt hat is gone.");
}

TEST_F(PlanTest, what_follows_sees_the_intended_state_where_the_recipe_can_say_it) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  EXPECT_EQ(get("h")["Hat"]["Colour"].string_or(""), "blue");
  EXPECT_EQ(get("other").string_or(""), "NoSuchHat");
  ASSERT_TRUE(put("h", "green"));
  EXPECT_EQ(changes()[1].before, Value(Object{{"Colour", "blue"}}));
  EXPECT_EQ(changes()[1].rests_on, "");
  ASSERT_TRUE(call("DropHat", {{"Id", "h"}}));
  EXPECT_EQ(get("h").string_or(""), "NoSuchHat");
}

TEST_F(PlanTest, else_the_plan_marks_what_rests_on_a_change_not_made) {
  dry();
  ASSERT_TRUE(call("BrushHat", {{"Id", "h"}}, "brush"));
  EXPECT_EQ(changes()[0].rests_on, "");
  EXPECT_EQ(get("h")["Hat"]["Colour"].string_or(""), "red");
  ASSERT_TRUE(put("h", "green"));
  EXPECT_EQ(changes()[1].rests_on, "shop:BrushHat (brush)");
  EXPECT_EQ(door->plan_of("e").value().document["Changes"][1]["RestsOn"].string_or(""), "shop:BrushHat (brush)");
}

TEST_F(PlanTest, a_recipe_says_what_a_dry_run_answers_and_the_name_shows_that_it_is_made_up) {
  dry();
  const Value answer = call("MakeHat", {}, "make").value();
  EXPECT_EQ(answer["By"].string_or(""), "111111111111");
  EXPECT_TRUE(holds_dry_token(answer["Id"].string_or("")));
  EXPECT_EQ(call("MakeHat", {}, "make").value(), answer);  // the same step
  EXPECT_NE(call("MakeHat", {}, "another").value(), answer);
  EXPECT_EQ(changes().size(), 2U);
}

TEST_F(PlanTest, the_hash_is_of_what_is_meant_and_not_of_who_planned_it) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  const Plan one = door->plan_of("e").value();
  EXPECT_EQ(one.hash.size(), 64U);
  mandate.execution = "e2";
  give();
  ASSERT_TRUE(put("h", "blue"));
  EXPECT_EQ(door->plan_of("e2").value().hash, one.hash);
  const auto all = door->plan_all({mandate.account, mandate.region, "e3", {}},
                                  {{"shop", "PutHat", Object{{"Colour", "blue"}, {"Id", "h"}}}});
  mandate.execution = "e3";
  EXPECT_EQ(make_plan(mandate, *all).hash, one.hash);
  shop.set("h", "grey");
  const auto moved = door->plan_all({mandate.account, mandate.region, "e3", {}},
                                    {{"shop", "PutHat", Object{{"Colour", "blue"}, {"Id", "h"}}}});
  EXPECT_NE(make_plan(mandate, *moved).hash, one.hash);
}

// A plan of one account's calls is written as it was before there were others.
TEST_F(PlanTest, a_line_names_its_account_where_that_is_not_the_plans) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  ASSERT_TRUE(call_in("222222222222", "PutHat", {{"Id", "h"}, {"Colour", "blue"}}));
  const Plan plan = door->plan_of("e").value();
  const Value& lines = plan.document["Changes"];
  EXPECT_EQ(lines[0], Value(Object{{"Call", "shop:PutHat"},
                                   {"Region", "us-east-1"},
                                   {"Input", Object{{"Id", "h"}, {"Colour", "blue"}}},
                                   {"Before", Object{{"Colour", "red"}}},
                                   {"Undo", "possible"}}));
  EXPECT_EQ(lines[1]["Account"].string_or(""), "222222222222");
  // What is planned in one account shows in no other.
  EXPECT_EQ(lines[1]["Before"]["Colour"].string_or(""), "red");
  EXPECT_EQ(get("h")["Hat"]["Colour"].string_or(""), "blue");
  EXPECT_EQ(call_in("333333333333", "GetHat", {{"Id", "h"}}).value()["Hat"]["Colour"].string_or(""), "red");
}

TEST_F(PlanTest, that_was_approved_for_one_account_covers_no_call_in_another) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  ASSERT_TRUE(call_in("222222222222", "PutHat", {{"Id", "other"}, {"Colour", "blue"}}));
  approve();
  const auto elsewhere = call_in("222222222222", "PutHat", {{"Id", "h"}, {"Colour", "blue"}});
  ASSERT_EQ(code(elsewhere), "NotInPlan");
  EXPECT_THAT(elsewhere.error().message, HasSubstr("in account 222222222222 is not in plan"));
  EXPECT_EQ(code(put("other", "blue")), "NotInPlan");
  EXPECT_EQ(code(put("h", "blue")), "made");
  EXPECT_EQ(code(call_in("222222222222", "PutHat", {{"Id", "other"}, {"Colour", "blue"}})), "made");
}

TEST_F(PlanTest, held_to_a_plan_it_makes_what_is_in_it_and_refuses_what_is_not) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  ASSERT_TRUE(call("MakeHat", {{"ClientToken", "1"}}, "make"));
  ASSERT_TRUE(put(std::string(call("MakeHat", {{"ClientToken", "1"}}, "make").value()["Id"].string_or("")), "green"));
  approve();
  EXPECT_EQ(code(put("h", "yellow")), "NotInPlan");
  EXPECT_EQ(code(put("h", "blue")), "made");
  const auto again = put("h", "blue");
  ASSERT_EQ(code(again), "NotInPlan");  // it was in the plan once
  EXPECT_THAT(again.error().message, HasSubstr("is not in plan"));
  EXPECT_EQ(code(call("MakeHat", {{"ClientToken", "2"}})), "made");  // a token says a call apart, not what it does
  EXPECT_EQ(code(put("hat-77", "green")), "made");                   // the name that the service gave in the end
  EXPECT_EQ(code(call("BurnHat", {{"Id", "h"}})), "NotInPlan");
}

TEST_F(PlanTest, a_state_that_moved_stops_the_change_and_is_said_from_what_to_what) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  approve();
  shop.set("h", "green");
  const auto refused = put("h", "blue");
  ASSERT_EQ(code(refused), "PlanMoved");
  EXPECT_EQ(refused.error().http_status, 409);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("Colour: \"red\" -> \"green\""), HasSubstr("was not made")));
  EXPECT_EQ(shop.colour("h"), "green");
  EXPECT_EQ(door->mandates().refusal("e").value()->code, "PlanMoved");
}

TEST_F(PlanTest, is_found_by_its_first_digits) {
  dry();
  ASSERT_TRUE(put("h", "blue"));
  const Plan plan = approve();
  const auto find = [&](const std::string& hash) {
    return store->read([&](store::Session& session) { return find_plan(session, hash); });
  };
  EXPECT_EQ(find(plan.hash).value().document, plan.document);
  EXPECT_EQ(find(plan.hash.substr(0, 8)).value().hash, plan.hash);
  EXPECT_EQ(code(find(plan.hash.substr(0, 7))), "ValidationException");
  EXPECT_EQ(code(find("zzzzzzzz")), "ValidationException");
  EXPECT_EQ(code(find(plan.hash + "0")), "ValidationException");
  EXPECT_EQ(code(find(std::string(64, '0'))), "ResourceNotFoundException");
}

// Over every operation of some large services: the answer has the members that the model requires.
TEST(DryAnswer, has_the_shape_of_the_model) {
  auto models = aws::Models::open({});
  ASSERT_TRUE(models) << describe(models.error());
  const aws::CallContext context{"111111111111", "eu-west-1", "e", {}};
  const auto answer = [&](const char* service, const char* operation, Value input) {
    return dry_answer((*models)->get(service).value()->find_operation(operation), input, context,
                      dry_token("e", operation));
  };
  const Value key = answer("kms", "CreateKey", Object{{"Description", "invoices"}});
  EXPECT_TRUE(holds_dry_token(key["KeyMetadata"]["KeyId"].string_or("")));
  EXPECT_THAT(std::string(key["KeyMetadata"]["Arn"].string_or("")),
              testing::StartsWith("arn:aws:kms:eu-west-1:111111111111:dryrun-"));
  EXPECT_TRUE(
      holds_dry_token(answer("ec2", "CreateSecurityGroup", Object{{"GroupName", "g"}})["GroupId"].string_or("")));
  EXPECT_TRUE(answer("ec2", "RevokeSecurityGroupIngress", Object{{"GroupId", "g"}})["Return"].bool_or(false));
  const Value instances = answer("ec2", "RunInstances", Object{{"ImageId", "ami-1"}, {"MinCount", 1}, {"MaxCount", 1}});
  EXPECT_TRUE(holds_dry_token(instances["Instances"][0]["InstanceId"].string_or("")));
  const Value trail = answer("cloudtrail", "CreateTrail", Object{{"Name", "t"}, {"S3BucketName", "b"}});
  EXPECT_EQ(trail["Name"].string_or(""), "t");
  EXPECT_EQ(trail["S3BucketName"].string_or(""), "b");
  EXPECT_EQ(answer("sqs", "SendMessageBatch", Object{})["Failed"].size(), 0U);
  EXPECT_EQ(dry_answer(nullptr, Object{}, context, "t"), Value(Object{}));
  std::size_t operations = 0;
  for (const auto* name : {"ec2", "iam", "s3", "kms", "rds", "lambda", "cloudtrail", "logs", "sns", "sqs"}) {
    const auto service = (*models)->get(name).value();
    for (const auto& operation : service->operations()) {
      const Value shaped = dry_answer(&operation, Object{}, context, "dryrun-000000000000");
      ++operations;
      if (operation.output == nullptr || operation.output->is_union) continue;
      for (const auto& member : operation.output->members)
        if (member.required)
          EXPECT_TRUE(shaped.find(member.name) != nullptr) << name << ":" << operation.name << " " << member.name;
    }
  }
  EXPECT_GT(operations, 1000U);
}

TEST_F(PlanTest, an_answer_that_is_only_like_it_is_shown_and_what_follows_rests_on_it) {
  dry();
  ASSERT_TRUE(call("DyeHat", {{"Id", "h"}}));
  EXPECT_EQ(get("h"), Value(Object{{"Hat", Object{{"Colour", "some"}}}}));  // by `shop:Get*`
  ASSERT_TRUE(call("PutHat", {{"Id", "h"}, {"Colour", "blue"}}));
  EXPECT_THAT(changes().back().rests_on, HasSubstr("shop:DyeHat"));
}

}  // namespace
}  // namespace fixpoint::changes
