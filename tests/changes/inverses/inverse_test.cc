#include "changes/inverse.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "aws/models.h"
#include "aws/validate.h"
#include "case.h"
#include "changes/door.h"
#include "changes/dry_run.h"
#include "gateway/embedded_account.h"
#include "json/text.h"
#include "json/yaml.h"
#include "sandbox/sandbox.h"
#include "services/lambda/lambda.h"
#include "services/sns/sns.h"
#include "services/sqs/sqs.h"
#include "support/paths.h"

namespace fixpoint::changes {
namespace {

using json::Object;
using json::Value;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const aws::Models& models() {
  static const std::unique_ptr<aws::Models> opened = aws::Models::open({}).value();
  return *opened;
}

const Recipes& recipes() {
  static const Result<Recipes> loaded = Recipes::load(catalog::Catalog::embedded());
  if (!loaded) throw std::runtime_error(describe(loaded.error()));
  return *loaded;
}

// One for all: its key takes a while to make.
const services::sns::Signer& signer() {
  static const std::unique_ptr<services::sns::Signer> opened = services::sns::Signer::open("").value();
  return *opened;
}

// What is published goes nowhere: the cases look at settings.
services::Sns::Outlets deaf_outlets() {
  services::Sns::Outlets outlets;
  outlets.queue = [](store::Transaction&, const std::string&, const Value&) -> Result<void> { return {}; };
  outlets.function = [](store::Transaction&, const std::string&, const std::string&, const Value&,
                        const bus::Delivery&) -> Result<void> { return {}; };
  outlets.http = [](std::string, HttpRequest, int, auto) {};
  outlets.forbids = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  outlets.lost = [](store::Transaction&, const Value&) -> Result<void> { return {}; };
  return outlets;
}

/// An account of its own for one case, changed through a door.
class Scene {
 public:
  Scene() {
    store_ = store::Store::open({.folder = {}, .durable = false},
                                {sandbox::Sandbox::schema(), Door::schema(), functions::FunctionStore::schema(),
                                 executions::Executor::schema(), audit::Log::schema(), services::Sqs::schema(),
                                 services::Sns::schema()})
                 .value();
    sandbox_ = sandbox::Sandbox::open(*store_, catalog::Catalog::embedded(), clock_).value();
    account_ = std::make_unique<gateway::EmbeddedAccount>(*sandbox_);
    // Functions are there to be changed; none runs, so the executor is not started.
    functions_ = std::make_unique<functions::FunctionStore>(*store_, clock_);
    executor_ = std::make_unique<executions::Executor>(*store_, clock_, 1);
    lambda_ = std::make_unique<services::Lambda>(*functions_, *executor_);
    for (const auto& operation : sandbox_->operations()) operations_.insert(operation);
    add(lambda_->table());
    sqs_ = std::make_unique<services::Sqs>(*store_, clock_);
    if (auto started = sqs_->start(); !started) throw std::runtime_error(describe(started.error()));
    add(sqs_->table());
    sns_ = std::make_unique<services::Sns>(*store_, clock_, signer(), [] { return "http://here"; }, deaf_outlets());
    add(sns_->table());
    door_ = std::make_unique<Door>(*store_, clock_, *account_, recipes(), &models());
    for (const auto* execution : {"e1", "e2"}) {
      Mandate mandate;
      mandate.execution = execution;
      mandate.kind = "control";
      mandate.program = "inverses";
      mandate.account = context.account;
      mandate.decided_by = "the test";
      EXPECT_TRUE(door_->mandates().put(mandate));
    }
  }
  void in(const std::string& region) {
    context.region = region;
    bindings.set("region", Value(region));
    bindings.set("account", Value(context.account));
  }
  /// The filled-in input; null after a failed test.
  Value filled(const jsonata::Template& form) {
    auto value = form.fill(Value(), bindings);
    EXPECT_TRUE(value) << describe(value.error());
    return value && *value ? **value : Value(Object());
  }
  Result<Value> call(const CallTemplate& call) {
    return account_->call(context, call.service, call.operation, filled(call.input));
  }
  /// What is there: the answer, or {"Error": code}. A change of state is seen, one of time is not: the clock stands.
  Value look(const Case::Look& look) { return look_at(look, *account_); }
  /// Nothing where the dry run says that what it shows rests on the change.
  std::optional<Value> look_dry(const Case::Look& look, const Change& planned) {
    IntendedAccount intended(*account_, recipes(), {planned});
    Value seen = look_at(look, intended);
    if (!intended.rests_on().empty()) return std::nullopt;
    return seen;
  }
  Value look_at(const Case::Look& look, aws::Api& account) {
    auto answer = account.call(context, look.call.service, look.call.operation, filled(look.call.input));
    if (!answer) return Object{{"Error", answer.error().code}};
    if (!look.take) return std::move(*answer);
    auto taken = look.take->fill(*answer, bindings);
    EXPECT_TRUE(taken) << describe(taken.error());
    return taken && *taken ? std::move(**taken) : Value();
  }
  std::vector<Value> look(const std::vector<Case::Look>& looks) {
    std::vector<Value> seen;
    seen.reserve(looks.size());
    for (const auto& each : looks) seen.push_back(look(each));
    return seen;
  }
  Door& door() { return *door_; }
  aws::Api& account() { return *account_; }
  /// (service, operation) of the whole account.
  const std::set<std::pair<std::string, std::string>>& operations() const { return operations_; }
  void tick() { clock_.advance_ms(1000); }

  aws::CallContext context{"111111111111", "us-east-1", "e1", "r"};
  jsonata::Bindings bindings;

 private:
  // A service that fixpoint itself is stands in the place of the embedded account's of that name.
  void add(aws::ServiceTable table) {
    for (const auto& [operation, entry] : table.operations) operations_.emplace(table.service, operation);
    account_->add(std::move(table));
  }
  ManualClock clock_{1'700'000'000'000};
  std::set<std::pair<std::string, std::string>> operations_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<functions::FunctionStore> functions_;
  std::unique_ptr<executions::Executor> executor_;
  std::unique_ptr<services::Lambda> lambda_;
  std::unique_ptr<services::Sqs> sqs_;
  std::unique_ptr<services::Sns> sns_;
  std::unique_ptr<gateway::EmbeddedAccount> account_;
  std::unique_ptr<Door> door_;
};

/// What of a recipe its cases have seen: each condition met and not met, the state there and absent.
struct Seen {
  std::set<std::string> all;
  void condition(const std::string& what, const std::vector<Recipe::Caveat>& caveats, const std::string& sentence) {
    for (std::size_t i = 0; i < caveats.size(); ++i) {
      const bool met = sentence.find(caveats[i].because) != std::string::npos;
      all.insert(what + "[" + std::to_string(i) + "]" + (met ? " met" : " not met"));
    }
  }
};

void check_fits(const std::string& service, const std::string& operation, const Value& input) {
  const auto model = models().get(service);
  ASSERT_TRUE(model) << service;
  const auto* known = (*model)->find_operation(operation);
  ASSERT_NE(known, nullptr) << service << ":" << operation;
  const auto fits = aws::validate(*known, input);
  EXPECT_TRUE(fits) << service << ":" << operation << json::print(input) << ": " << describe(fits.error());
}

std::string text_of(const std::vector<Value>& seen) {
  std::string text;
  for (const auto& each : seen) text += json::print_canonical(each) + "\n";  // the order of members says nothing
  return text;
}

std::string text_of(const std::vector<Call>& calls) {
  std::string text;
  for (const auto& call : calls) {
    Value input = call.input;
    // In which order things are listed says nothing.
    for (auto& member : input.as_object())
      if (member.value.is_array())
        std::sort(member.value.as_array().begin(), member.value.as_array().end(),
                  [](const Value& a, const Value& b) { return json::print(a) < json::print(b); });
    text += call.service + ":" + call.operation + " " + json::print_canonical(input) + "\n";
  }
  return text;
}

void run(const std::string& service, const std::string& operation, const Recipe& recipe, const Case& one, Seen& seen) {
  Scene scene;
  scene.in(one.region);
  for (const auto& given : one.given)
    for (std::int64_t n = 1; n <= given.times; ++n) {
      scene.bindings.set("n", Value(n));
      auto answer = scene.call(given.call);
      ASSERT_TRUE(answer) << given.call.service << ":" << given.call.operation << ": " << describe(answer.error());
      if (!given.keep.empty()) scene.bindings.set(given.keep, std::move(*answer));
    }
  scene.tick();
  const Value input = scene.filled(one.change);
  check_fits(service, operation, input);
  const auto before = scene.look(one.same);

  const auto plan = scene.door().plan(scene.context, service, operation, input);
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(text_of(before), text_of(scene.look(one.same))) << "a plan changed something";
  if (!one.irreversible.empty())
    EXPECT_THAT(plan->undo, AllOf(StartsWith("CANNOT BE UNDONE: "), HasSubstr(one.irreversible)));
  else if (!one.leaves.empty())
    EXPECT_THAT(plan->undo, AllOf(StartsWith("possible, but "), HasSubstr(one.leaves)));
  else
    EXPECT_EQ(plan->undo, "possible");
  seen.condition("irreversible", recipe.irreversible, plan->undo);
  seen.condition("leaves", recipe.leaves, plan->undo);
  if (plan->before_read) seen.all.insert(plan->before ? "state there" : "state absent");

  std::vector<std::optional<Value>> dry;
  for (const auto& look : one.same) dry.push_back(scene.look_dry(look, *plan));
  const auto made = scene.door().call(scene.context, "change", service, operation, input);
  const auto changed = scene.look(one.same);
  if (!one.fails.empty()) {
    ASSERT_FALSE(made) << "it should have been refused";
    EXPECT_EQ(made.error().code, one.fails) << made.error().message;
    EXPECT_EQ(text_of(before), text_of(changed));
    return;
  }
  ASSERT_TRUE(made) << describe(made.error());
  if (one.changes && !one.same.empty())
    EXPECT_NE(text_of(before), text_of(changed)) << "nothing of what is looked at was changed";
  else
    EXPECT_EQ(text_of(before), text_of(changed));
  for (std::size_t i = 0; i < dry.size(); ++i)
    if (dry[i])
      EXPECT_TRUE(*dry[i] == changed[i]) << "a dry run shows " << json::print(*dry[i]) << " and not "
                                         << json::print(changed[i]);
  if (!one.irreversible.empty()) return;

  scene.tick();
  const Change change = scene.door().of_execution("e1").value().at(0);
  const auto calls = inverse(recipe, {scene.context, change.input, change.before ? &*change.before : nullptr,
                                      change.output ? &*change.output : nullptr});
  ASSERT_TRUE(calls) << describe(calls.error());
  // As after a crash between the call and its result: the effect is seen, and the undo is the same.
  if (change.before_read && one.changes && !one.same.empty()) {
    EXPECT_EQ(scene.door().took_effect(change).value_or(std::nullopt), std::optional<bool>(true))
        << "the state that the recipe reads does not show the effect";
    const auto found = lost_answer(&recipe, change, scene.context, scene.account());
    ASSERT_TRUE(found) << describe(found.error());
    const auto again =
        inverse(recipe, {scene.context, change.input, change.before ? &*change.before : nullptr, &*found});
    ASSERT_TRUE(again) << describe(again.error());
    EXPECT_EQ(text_of(*calls), text_of(*again)) << "where the answer is lost the undo is another";
  }
  std::vector<std::string> names;
  aws::CallContext undoing = scene.context;
  undoing.execution = "e2";
  for (const auto& call : *calls) {
    names.push_back(call.service + ":" + call.operation);
    check_fits(call.service, call.operation, call.input);
    const auto undone =
        scene.door().call(undoing, std::to_string(names.size()), call.service, call.operation, call.input);
    EXPECT_TRUE(undone) << names.back() << json::print(call.input) << ": " << describe(undone.error());
  }
  EXPECT_EQ(names, one.undo);
  EXPECT_EQ(text_of(before), text_of(scene.look(one.same))) << "after the undo it is not as it was";
  for (const auto& look : one.left) EXPECT_EQ(json::print(scene.look(look)), json::print(scene.filled(*look.is)));
  for (std::size_t i = 0; i < recipe.undo.size(); ++i) {
    const bool used = std::any_of(calls->begin(), calls->end(), [&](const Call& call) { return call.step == i; });
    seen.all.insert("undo[" + std::to_string(i) + "]" + (used ? " met" : " not met"));
  }
}

// What the cases of an operation have to have seen between them.
std::vector<std::string> wanted(const Recipe& recipe) {
  std::vector<std::string> out;
  for (const auto& read : recipe.before)
    if (read.name.empty() && !read.absent.empty()) out.insert(out.end(), {"state there", "state absent"});
  const auto both = [&](const std::string& what, std::size_t i, bool conditional) {
    out.push_back(what + "[" + std::to_string(i) + "] met");
    if (conditional) out.push_back(what + "[" + std::to_string(i) + "] not met");
  };
  for (std::size_t i = 0; i < recipe.undo.size(); ++i) both("undo", i, recipe.undo[i].when.has_value());
  for (std::size_t i = 0; i < recipe.irreversible.size(); ++i)
    both("irreversible", i, recipe.irreversible[i].when.has_value());
  for (std::size_t i = 0; i < recipe.leaves.size(); ++i) both("leaves", i, recipe.leaves[i].when.has_value());
  return out;
}

// By service, the data files: operations with their cases, beside `whole` and `shared`.
std::map<std::string, Value> read_data() {
  std::map<std::string, Value> data;
  for (const auto& file : std::filesystem::directory_iterator(test::test_data("changes/inverses"))) {
    if (file.path().extension() != ".yaml") continue;
    auto form = json::parse_yaml(test::read_file(file.path()));
    if (!form) throw std::runtime_error(file.path().string() + ": " + describe(form.error()));
    data.emplace(file.path().stem().string(), std::move(*form));
  }
  return data;
}

std::vector<std::string> services() {
  std::vector<std::string> names;
  for (const auto& [service, form] : read_data()) names.push_back(service);
  return names;
}

class Inverses : public testing::TestWithParam<std::string> {};

TEST_P(Inverses, put_the_state_back_value_for_value) {
  const std::string& service = GetParam();
  const Value form = read_data().at(service);
  for (const auto& member : form.as_object()) {
    if (member.key == "whole" || member.key == "shared") continue;
    SCOPED_TRACE(service + ":" + member.key);
    const Recipe* recipe = recipes().find(service, member.key);
    if (recipe == nullptr) {
      ADD_FAILURE() << "there are cases, but no recipe";
      continue;
    }
    const auto cases = read_cases(member.value, member.key);
    if (!cases) {
      ADD_FAILURE() << describe(cases.error());
      continue;
    }
    Seen seen;
    for (const auto& one : *cases) {
      SCOPED_TRACE("case: " + one.name);
      run(service, member.key, *recipe, one, seen);
    }
    for (const auto& want : wanted(*recipe)) EXPECT_TRUE(seen.all.contains(want)) << "no case has seen: " << want;
  }
}

INSTANTIATE_TEST_SUITE_P(Catalog, Inverses, testing::ValuesIn(services()),
                         [](const auto& service) { return service.param; });

TEST(InverseCases, every_recipe_has_one) {
  auto data = read_data();
  for (const auto& [name, recipe] : recipes().all()) {
    const auto call = split_call(name).value();
    EXPECT_GT(data[call.first][call.second].size(), 0U) << name << " has no case in tests/changes/inverses";
  }
}

TEST(InverseCases, every_changing_operation_of_the_account_has_a_recipe_where_the_service_is_whole) {
  auto data = read_data();
  Scene scene;
  for (const auto& [service, operation] : scene.operations()) {
    if (!data[service]["whole"].bool_or(false) || recipes().reads(service, operation)) continue;
    EXPECT_NE(recipes().find(service, operation), nullptr)
        << service << ":" << operation << " changes the account and nothing says how it is taken back";
  }
}

}  // namespace
}  // namespace fixpoint::changes
