#pragma once

#include <algorithm>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <stdexcept>

#include "aws/models.h"
#include "bus/bus.h"
#include "changes/inverse.h"
#include "changes/second_person.h"
#include "controls/remediation.h"
#include "gateway/scene.h"
#include "json/text.h"
#include "sandbox/sandbox.h"
#include "services/securityhub/securityhub.h"
#include "support/postgres.h"
#include "support/temp_dir.h"

namespace fixpoint::controls {

/// The embedded account with an ear at it, and a fault at the n-th call where a test asks for one.
class EarApi final : public aws::Api {
 public:
  explicit EarApi(aws::Api& account) : account_(account) {}
  Result<json::Value> call(const aws::CallContext& context, std::string_view service, std::string_view operation,
                           const json::Value& input) override {
    bool fails = false;
    {
      std::lock_guard lock(mutex_);
      calls_.push_back(std::string(service) + ":" + std::string(operation));
      fails = fault_ && (calls_.size() == fail_at_ || calls_.size() <= fail_first_);
    }
    if (!fails) return account_.call(context, service, operation, input);
    if (made_first_) (void)account_.call(context, service, operation, input);
    return fail(*fault_);
  }
  /// From now on the n-th call (from 1) fails; `made_first`: it has its effect before the answer is lost.
  void fail_at(std::size_t n, Error error, bool made_first = false) {
    std::lock_guard lock(mutex_);
    calls_.clear();
    fail_at_ = n;
    fault_ = std::move(error);
    made_first_ = made_first;
  }
  /// Each of the next n calls fails and has no effect.
  void fail_first(std::size_t n, Error error) {
    fail_at(0, std::move(error));
    std::lock_guard lock(mutex_);
    fail_first_ = n;
  }
  void clear() {
    std::lock_guard lock(mutex_);
    calls_.clear();
    fail_first_ = 0;
    fault_.reset();
  }
  std::vector<std::string> calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  aws::Api& account_;
  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::size_t fail_at_ = 0;
  std::size_t fail_first_ = 0;
  std::optional<Error> fault_;
  bool made_first_ = false;
};

/// Everything between a finding and its proven fix, but HTTP and the bus.
class Account {
 public:
  /// With models the door sees what answers of success say was not done.
  explicit Account(catalog::Catalog catalog = catalog::Catalog::embedded(), const aws::Models* models = nullptr) {
    store = must(store::Store::open(test::store_options(folder_.string(), 6),
                                    {findings::FindingStore::schema(), executions::Executor::schema(),
                                     bus::Bus::schema(), services::SecurityHub::schema(), changes::Door::schema(),
                                     audit::Log::schema(), Modes::schema(), sandbox::Sandbox::schema()}));
    sandbox = must(sandbox::Sandbox::open(*store, catalog, clock));
    recipes = must(changes::Recipes::load(catalog));
    controls = must(ControlSet::load(catalog));
    ear = std::make_unique<EarApi>(*sandbox);
    door = std::make_unique<changes::Door>(*store, clock, *ear, recipes, models);
    findings = std::make_unique<findings::FindingStore>(*store, clock);
    modes = std::make_unique<Modes>(*store);
    executor = std::make_unique<executions::Executor>(*store, clock, 2);
    const executions::Tell tell = [this](store::Transaction&, const executions::Notice& notice) -> Result<void> {
      std::lock_guard lock(notices_mutex_);
      notices_.push_back(notice);
      return {};
    };
    approvals = std::make_unique<executions::Approvals>(
        *store, *executor, clock, tell, [](store::Transaction& tx, const executions::Approval& approval) {
          return changes::four_eyes_for(tx, approval.execution, approval.plan_hash);
        });
    works = std::make_unique<executions::Works>(*store, *executor, clock, tell, executions::Works::Options{});
    program = std::make_unique<Remediation>(
        controls, *door, *modes, *approvals, *works, clock,
        UpdateFinding{
            [this](const findings::FindingKey& key, const std::string& execution, findings::MakeUpdate make,
                   UpdateFinding::Tell who) { return update_finding.prepare(key, execution, std::move(make), who); },
            [this](store::Transaction& tx, const findings::FindingKey& key, const std::string& execution,
                   const findings::MakeUpdate& make,
                   UpdateFinding::Tell who) { return update_finding.write(tx, key, execution, make, who); }},
        Remediation::Options{});
    executor->add_program("control", *program);
    executor->add_program("nothing", nothing_);
    if (!executor->start()) throw std::runtime_error("the executor does not start");
  }

  template <class T>
  static T must(Result<T> result) {
    if (!result) throw std::runtime_error(describe(result.error()));
    return std::move(*result);
  }
  /// Without a bus.
  UpdateFinding plain_update() {
    return {
        [this](const findings::FindingKey& key, const std::string&, findings::MakeUpdate make, UpdateFinding::Tell) {
          auto prepared = must(findings->prepare_update(key, std::move(make), "fixpoint"));
          return [this, prepared = std::move(prepared)](store::Transaction& tx) -> Result<void> {
            if (prepared) FIXPOINT_CHECK(findings->update(tx, *prepared));
            return {};
          };
        },
        [this](store::Transaction& tx, const findings::FindingKey& key, const std::string&,
               const findings::MakeUpdate& make, UpdateFinding::Tell) -> Result<void> {
          FIXPOINT_TRY(finding, findings->get(tx, key));
          if (finding) FIXPOINT_CHECK(findings->update(tx, key, make(*finding), "fixpoint"));
          return {};
        }};
  }
  json::Value call(const std::string& service, const std::string& operation, const json::Value& input) {
    return must(sandbox->call({caller.account, caller.region, {}, {}}, service, operation, input));
  }
  const Control& control(const std::string& id) { return *controls.find(id); }

  /// Sets the scene and takes its finding in.
  json::Value scene(const std::string& id) {
    arn = must(gateway::set_scene(control(id), caller, *sandbox, kept));
    return finding_of(id);
  }
  json::Value finding_of(const std::string& id) {
    const json::Value finding = gateway::scene_finding(control(id), caller, arn);
    auto stored = store->write([&](store::Transaction& tx) { return findings->import(tx, finding); });
    if (!stored) throw std::runtime_error(describe(stored.error()));
    ear->clear();
    return finding;
  }
  std::string launch(const std::string& id, const json::Value& finding, json::Object more = {}) {
    json::Object input{{"Finding", finding}, {"Rule", "arn:rule"}};
    for (const auto& member : more) input.set(member.key, member.value);
    return must(executor->launch({"run-" + std::to_string(++runs_), "control", id, caller.account, caller.region,
                                  std::string(finding["Id"].string_or("")), input}))
        .id;
  }
  /// Waits until it has ended, moving the clock over what it waits for; at most `hours` of it.
  executions::Execution ended(const std::string& id) {
    struct End {
      std::mutex mutex;
      std::condition_variable changed;
      std::optional<executions::Execution> last;
    };
    auto end = std::make_shared<End>();
    executor->when_ended(id, [end](const executions::Execution& execution) {
      std::lock_guard lock(end->mutex);
      end->last = execution;
      end->changed.notify_all();
    });
    std::unique_lock lock(end->mutex);
    for (int i = 0; i < 4000; ++i) {
      if (end->changed.wait_for(lock, std::chrono::milliseconds(10), [&] { return end->last.has_value(); }))
        return *end->last;
      const auto now = must(executor->get(id));
      if (now->status == "WAITING" && now->cursor["awaits"].string_or("") != "approval" &&
          now->wake_ms > clock.now_ms())
        pass_to(now->wake_ms);
    }
    throw std::runtime_error("the execution did not end");
  }
  /// A manual clock wakes nobody; a launch does.
  void pass_to(TimeMs time_ms) {
    clock.set_ms(time_ms);
    (void)executor->launch({"run-" + std::to_string(++runs_), "nothing", "", "", "", "", {}});
  }
  /// Waits until it asks for approval.
  executions::Execution asks(const std::string& id, const std::string& not_before_note = {}) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    for (int i = 0; i < 4000; ++i) {
      const auto now = must(executor->get(id));
      const auto lines = must(executor->journal(id));
      if (now->status == "WAITING" && (not_before_note.empty() || [&] {
            for (const auto& line : lines)
              if (line.text.find(not_before_note) != std::string::npos) return true;
            return false;
          }()))
        return *now;
      never.wait_for(lock, std::chrono::milliseconds(5));
    }
    throw std::runtime_error("the execution does not wait");
  }
  executions::Execution run(const std::string& id, const json::Value& finding, json::Object more = {}) {
    return ended(launch(id, finding, std::move(more)));
  }

  /// The kinds of the notices so far.
  std::vector<executions::Notice> told() {
    std::lock_guard lock(notices_mutex_);
    return notices_;
  }
  std::vector<std::string> notices() {
    std::lock_guard lock(notices_mutex_);
    std::vector<std::string> kinds;
    for (const auto& notice : notices_) kinds.push_back(notice.kind);
    return kinds;
  }
  /// What a person answers.
  Result<executions::Approval> answer(const std::string& id, bool approved, const std::string& by,
                                      const std::string& because = {}) {
    return approvals->answer({.execution = id, .approved = approved, .by = by, .because = because});
  }

  json::Value stored(const json::Value& finding) {
    return *must(store->read([&](store::Session& s) { return findings->get(s, findings::key_of(finding)); }));
  }
  std::string status(const json::Value& finding) {
    return std::string(stored(finding)["Workflow"]["Status"].string_or(""));
  }
  std::string note(const json::Value& finding) { return std::string(stored(finding)["Note"]["Text"].string_or("")); }
  /// Updates after the import.
  std::int64_t updates(const json::Value& finding) {
    const auto page = must(findings->history(findings::key_of(finding), 0, INT64_MAX, 100, ""));
    return std::count_if(page.records.begin(), page.records.end(), [](const auto& record) { return !record.created; });
  }
  std::vector<changes::Change> changes_of(const std::string& execution) { return must(door->of_execution(execution)); }
  Assessment look(const std::string& id) {
    const Subject subject{
        arn, caller.account, caller.region, caller.partition, nullptr, must(parameters_of(control(id), {}))};
    return must(assess(control(id), subject,
                       [&](const std::string& service, const std::string& operation, const json::Value& input) {
                         return sandbox->call({caller.account, caller.region, {}, {}}, service, operation, input);
                       }));
  }

  /// Makes calls as the door plans them.
  std::vector<changes::Change> make(const std::vector<PlannedCall>& calls) {
    std::vector<changes::Change> made;
    for (const auto& call : calls) made.push_back(make(call.service, call.operation, call.input));
    return made;
  }
  /// Undoes a change by its recipe; what that made. None where there is no recipe.
  std::vector<changes::Change> take_back(const changes::Change& change) {
    const changes::Recipe* recipe = recipes.find(change.service, change.operation);
    std::vector<changes::Change> made;
    if (recipe == nullptr) return made;
    const aws::CallContext context{caller.account, caller.region, "e", ""};
    const auto calls = must(changes::inverse(*recipe, {context, change.input, change.before ? &*change.before : nullptr,
                                                       change.output ? &*change.output : nullptr}));
    for (const auto& call : calls) made.push_back(make(call.service, call.operation, call.input));
    return made;
  }

 private:
  changes::Change make(const std::string& service, const std::string& operation, const json::Value& input) {
    auto planned = must(door->plan({caller.account, caller.region, "e", ""}, service, operation, input));
    planned.output = call(service, operation, input);
    return planned;
  }
  class Nothing final : public executions::Program {
   public:
    void step(const executions::Execution&, std::function<void(executions::Step)> done) override {
      executions::Step step;
      step.next = executions::Step::Next::Succeeded;
      done(std::move(step));
    }
  };
  test::TempDir folder_;
  Nothing nothing_;
  std::mutex notices_mutex_;
  std::vector<executions::Notice> notices_;
  int runs_ = 0;

 public:
  UpdateFinding update_finding = plain_update();  ///< set before anything runs
  aws::Caller caller{"111111111111", "us-east-1", "aws", "request", nullptr};
  ManualClock clock{1'700'000'000'000};
  std::string arn;
  json::Value kept;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<sandbox::Sandbox> sandbox;
  changes::Recipes recipes;
  ControlSet controls;
  std::unique_ptr<EarApi> ear;
  std::unique_ptr<changes::Door> door;
  std::unique_ptr<findings::FindingStore> findings;
  std::unique_ptr<Modes> modes;
  std::unique_ptr<executions::Approvals> approvals;
  std::unique_ptr<executions::Works> works;
  std::unique_ptr<Remediation> program;
  std::unique_ptr<executions::Executor> executor;  // ends first
};

}  // namespace fixpoint::controls
