#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aws/verify.h"
#include "bus/bus.h"
#include "controls/account.h"
#include "controls/undo.h"
#include "gateway/control_target.h"
#include "services/securityhub/securityhub.h"

namespace fixpoint::gateway {

using controls::Account;
using json::Object;
using json::Value;

/// An account with its Security Hub and bus: a finding that is imported begins the control that it names.
class Hub : public Account {
 public:
  Hub() {
    bus = std::make_unique<bus::Bus>(*store, clock);
    securityhub = std::make_unique<services::SecurityHub>(*store, *findings, *bus, controls, clock);
    using Tell = controls::UpdateFinding::Tell;
    const auto who = [](Tell tell) {
      return tell == Tell::Bus ? services::SecurityHub::Tell::Bus : services::SecurityHub::Tell::Nobody;
    };
    update_finding = {
        [this, who](const findings::FindingKey& key, const std::string& execution, findings::MakeUpdate make,
                    Tell tell) {
          if (before_prepared) before_prepared();
          return securityhub->prepare_update(key, std::move(make), "fixpoint", {execution, {}}, who(tell));
        },
        [this, who](store::Transaction& tx, const findings::FindingKey& key, const std::string& execution,
                    const findings::MakeUpdate& make,
                    Tell tell) { return securityhub->update(tx, key, make, "fixpoint", {execution, {}}, who(tell)); }};
    target = std::make_unique<ControlTarget>(controls, *modes, *findings, *executor, *works, *approvals, clock);
    undoing = std::make_unique<controls::Undo>(
        *door, *approvals, clock,
        [this](store::Transaction& tx, const Value& finding, const std::string& execution, const std::string& status,
               const std::string& note) {
          return securityhub->update(tx, findings::key_of(finding),
                                     Object{{"Note", Object{{"Text", note}, {"UpdatedBy", "fixpoint"}}},
                                            {"Workflow", Object{{"Status", status}}},
                                            {"UserDefinedFields", Object{{"fixpoint:execution", execution}}}},
                                     "fixpoint", {execution, {}});
        },
        controls::Undo::Options{});
    executor->add_program("undo", *undoing);
    bus->add_target_kind(
        "fixpoint",
        [this](store::Transaction& tx, const bus::Delivery& delivery) { return target->begin(tx, delivery); },
        [this](const std::string& arn) { return target->check_arn(arn); });
    if (!bus->load()) throw std::runtime_error("the bus does not load");
    rule("fix", R"({"detail-type": ["Security Hub Findings - Imported", "Security Hub Findings - Custom Action"]})",
         "arn:aws:fixpoint:us-east-1:111111111111:control/*");
  }
  ~Hub() { executor->stop(); }

  void rule(const std::string& name, const std::string& pattern, const std::string& arn) {
    const bus::BusName where{caller.account, caller.region, caller.partition, "default"};
    bus::Rule made;
    made.bus = where;
    made.name = name;
    made.pattern = pattern;
    must(bus->put_rule(made));
    must(bus->put_targets(where, name, json::Array{Value(Object{{"Id", "1"}, {"Arn", arn}})}));
  }
  void mode(controls::Mode mode) {
    if (!modes->set("all", mode)) throw std::runtime_error("the mode is not set");
  }
  /// An insecure bucket; its finding, not imported yet.
  Value bucket() {
    arn = must(gateway::set_scene(control("S3.4"), caller, *sandbox, kept));
    Value finding = gateway::scene_finding(control("S3.4"), caller, arn);
    // Before all that later() makes of it: an import that is not newer is ignored.
    for (const auto* member : {"CreatedAt", "UpdatedAt"}) finding.set(member, "2023-11-01T00:00:00.000Z");
    return finding;
  }
  /// The finding of a control's scene; not imported yet.
  Value scene_of(const std::string& id) {
    arn = must(gateway::set_scene(control(id), caller, *sandbox, kept));
    return gateway::scene_finding(control(id), caller, arn);
  }
  void import(const Value& finding) {
    const auto taken = securityhub->import_all({finding}, caller.region);
    if (!taken) throw std::runtime_error(describe(taken.error()));
  }
  std::vector<executions::Execution> all() { return must(executor->list()); }
  /// The only one that has not ended.
  executions::Execution open() {
    std::vector<executions::Execution> found;
    for (auto& execution : all())
      if (execution.ended_ms == 0) found.push_back(execution);
    if (found.size() != 1) throw std::runtime_error(std::to_string(found.size()) + " executions are open");
    return found[0];
  }
  /// Waits until nothing is under way that does not wait for a person.
  void settle() {
    for (const auto& execution : all())
      if (execution.ended_ms == 0 && execution.cursor["awaits"].is_null()) ended_or_asks(execution.id);
  }
  /// Imports and waits for what came of it; the newest execution.
  executions::Execution run(const Value& finding) {
    const auto before = all();
    import(finding);
    const auto now = all();
    if (now.size() != before.size() + 1)
      throw std::runtime_error(std::to_string(now.size() - before.size()) + " executions began, not one");
    for (const auto& execution : now) {
      bool known = false;
      for (const auto& old : before) known = known || old.id == execution.id;
      if (!known) return ended_or_asks(execution.id);
    }
    throw std::runtime_error("no execution began");
  }
  executions::Execution ended_or_asks(const std::string& id) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    for (int i = 0; i < 4000; ++i) {
      const auto now = must(executor->get(id));
      if (now->ended_ms != 0 || (now->status == "WAITING" && !now->cursor["awaits"].is_null())) return *now;
      never.wait_for(lock, std::chrono::milliseconds(3));
    }
    throw std::runtime_error("the execution neither ends nor asks");
  }
  /// What 'fixpoint undo' does.
  Result<executions::Started> begin_undo(const std::string& id) {
    const auto undone = must(executor->get(id));
    const auto start = controls::Undo::start_of(*undone, "undo/" + std::to_string(++undone_), "ann");
    return store->write([&](store::Transaction& tx) { return works->undo(tx, start); });
  }
  executions::Execution undo(const std::string& id) { return ended_or_asks(must(begin_undo(id)).id); }
  /// The fix is no longer as it was left: its undo asks.
  void encrypt_otherwise() {
    const Value rule = Object{{"ApplyServerSideEncryptionByDefault", Object{{"SSEAlgorithm", "aws:kms"}}}};
    call("s3", "PutBucketEncryption",
         Object{{"Bucket", arn.substr(13)},
                {"ServerSideEncryptionConfiguration", Object{{"Rules", json::Array{rule}}}}});
  }
  /// A person chooses the custom action "Fix" on the finding.
  void choose(const Value& finding, const std::string& arn_of_person = "arn:aws:iam::111111111111:user/ann") {
    const auto principal = std::make_shared<aws::Principal>();
    principal->arn = arn_of_person;
    aws::Caller person = caller;
    person.principal = principal;
    if (!has_action_) {
      auto table = securityhub->table();
      must(table.operations.find("CreateActionTarget")
               ->second.function(person, Object{{"Id", "Fix"}, {"Name", "Fix it"}, {"Description", "fixes"}}));
    }
    has_action_ = true;
    must(securityhub->actions().act(person, "Fix", {findings::key_of(finding)}));
  }
  void weaken() { call("s3", "DeleteBucketEncryption", Object{{"Bucket", arn.substr(13)}}); }
  std::string journal_of(const std::string& id) {
    std::string text;
    const auto lines = must(executor->journal(id));
    for (const auto& line : lines) text += line.text + "\n";
    return text;
  }

  std::function<void()> before_prepared;  ///< called when the update of a finding is about to be worked out
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<services::SecurityHub> securityhub;
  std::unique_ptr<ControlTarget> target;
  std::unique_ptr<controls::Undo> undoing;

 private:
  int undone_ = 0;
  bool has_action_ = false;
};

/// The finding under another Id, as another standard or product has it.
inline Value other(Value finding, const std::string& id) {
  finding.set("Id", id);
  return finding;
}
/// Sent again with its times moved to half past that hour.
inline Value later(Value finding, const std::string& hour) {
  for (const auto* member : {"UpdatedAt", "LastObservedAt"}) finding.set(member, "2024-01-03T" + hour + ":30:00.000Z");
  return finding;
}
inline Value with_compliance(Value finding, const std::string& status) {
  finding.at_or_make("Compliance").set("Status", status);
  return finding;
}

}  // namespace fixpoint::gateway
