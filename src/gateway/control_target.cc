#include "gateway/control_target.h"

#include <algorithm>

#include "base/arn.h"
#include "changes/exceptions.h"
#include "findings/asff.h"
#include "findings/fingerprint.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::string_view resource_start = "control/";
constexpr std::string_view note_author = "fixpoint";

}  // namespace

ControlTarget::ControlTarget(const controls::ControlSet& controls, controls::Modes& modes,
                             findings::FindingStore& findings, executions::Executor& executor, executions::Works& works,
                             executions::Approvals& approvals, const Clock& clock)
    : controls_(controls),
      modes_(modes),
      findings_(findings),
      executor_(executor),
      works_(works),
      approvals_(approvals),
      clock_(clock) {
  works_.resume_by([this](store::Transaction& tx, const executions::Kept& kept) { return resume(tx, kept); });
}

// A rule without a status in its pattern also matches the event of the finding that was just resolved: acting on that
// again would never end.
std::string ControlTarget::left_alone_because(const Value& finding) {
  if (finding["Sample"].bool_or(false)) return "it is a sample";
  if (finding["Compliance"]["Status"].string_or("") == "PASSED") return "its check passed";
  if (finding["RecordState"].string_or("ACTIVE") != "ACTIVE") return "it is archived";
  const std::string_view status = finding["Workflow"]["Status"].string_or("NEW");
  return status == "NEW" ? "" : "its workflow status is " + std::string(status);
}

// Of one in OCSF; nothing where it is no finding about a resource of an AWS account.
Result<std::optional<Value>> ControlTarget::finding_of(store::Transaction& tx, const Value& ocsf) {
  FIXPOINT_TRY(named, findings_.find_uid(tx, ocsf["metadata"]["uid"].string_or("")));
  if (named) return findings_.get(tx, *named);
  auto finding = findings::asff_of(ocsf);
  if (!finding) return std::nullopt;
  FIXPOINT_TRY(stored, findings_.get(tx, findings::key_of(*finding)));
  return stored ? std::move(*stored) : std::move(*finding);
}

Result<void> ControlTarget::begin(store::Transaction& tx, const bus::Delivery& delivery) {
  const auto arn = parse_arn(delivery.target.arn);
  if (!arn) return fail(arn.error());
  const std::string named = arn->resource.substr(std::min(resource_start.size(), arn->resource.size()));
  const bool decided = delivery.is_decision();
  const Value& findings = delivery.event["detail"]["findings"];
  for (std::size_t i = 0; i < findings.size(); ++i) {
    std::optional<Value> translated;
    if (findings::is_ocsf(findings[i])) {
      FIXPOINT_TRY(found, finding_of(tx, findings[i]));
      if (!found) continue;
      translated = std::move(found);
    }
    const Value& finding = translated ? *translated : findings[i];
    if (finding["Sample"].bool_or(false)) continue;
    const bool passed = finding["Compliance"]["Status"].string_or("") == "PASSED";
    if (!decided && !passed && !left_alone_because(finding).empty()) continue;
    const auto control = controls_.find(named == "*" ? findings::control_of(finding) : named);
    if (!control) continue;  // no control is for this finding
    if (!decided && passed) {
      const auto key = findings::work_of(finding, control->id, controls::resource_of(finding, *control));
      FIXPOINT_CHECK(works_.passed(tx, key.fingerprint()));
      continue;
    }
    FIXPOINT_CHECK(begin_one(tx, delivery, i, finding, *control, decided, arn->region));
  }
  return {};
}

Result<void> ControlTarget::begin_one(store::Transaction& tx, const bus::Delivery& delivery, std::size_t index,
                                      const Value& finding, const controls::Control& control, bool decided,
                                      const std::string& region) {
  const Value& resource = controls::resource_of(finding, control);
  const auto key = findings::work_of(finding, control.id, resource);
  const auto place = findings::place_of(finding, resource, region);
  const executions::Work work{key.fingerprint(), key.control, key.account, key.region, key.resource};
  const auto named = findings::key_of(finding);
  const executions::Item item{named.product_arn, named.id, findings::content_digest(finding)};
  executions::Start start{
      .name = delivery.name() + "/" + std::to_string(index),
      .kind = "control",
      .program = control.id,
      .account = place.account,
      .region = place.region,
      .subject = named.id,
      .input = json::Object{
          {"Finding", finding}, {"Rule", delivery.rule_arn}, {"Decided", decided}, {"By", delivery.person()}}};
  // What fixpoint wrote on the finding: known by whose doing the event is, and in an event that came from AWS by the
  // finding itself.
  start.cause = delivery.origin.execution;
  if (start.cause.empty() && delivery.origin.principal.empty() && !decided)
    start.cause = findings::updated_by_execution(finding, note_author);
  const Asked asked{decided, delivery.rule_arn, control.id, key.account};
  FIXPOINT_TRY(begun,
               works_.begin(tx, work, item, std::move(start), [&](const std::string& outcome, const Value& result) {
                 return again(tx, asked, outcome, result);
               }));
  if (!decided || begun.how != executions::Begun::How::Attached) return {};
  const std::string action(delivery.event["detail"]["actionName"].string_or(""));
  const auto answered = approvals_.answer(
      tx, {.execution = begun.execution,
           .plan_hash = {},
           .approved = true,
           .by = delivery.origin.principal.empty() ? "custom action " + action : delivery.origin.principal,
           .by_execution = delivery.origin.execution,
           .because = "chose the custom action " + action});
  if (answered) return {};
  // It does not wait for an approval, or wants another person's: the choice alone moves nothing.
  if (answered.error().code != "ResourceConflictException" && answered.error().code != "AccessDeniedException")
    return fail(answered.error());
  return executor_.note(tx, begun.execution,
                        "the custom action " + action + " was chosen meanwhile: " + answered.error().message);
}

// Whether it is begun anew though its finding says what it said before the last execution, which left it so.
Result<bool> ControlTarget::again(store::Transaction& tx, const Asked& asked, const std::string& outcome,
                                  const Value& result) {
  if (asked.decided) return true;
  if (outcome == "excepted") return exception_has_ended(tx, result["Exception"]["Id"].string_or(""));
  if (outcome != "observed") return false;
  FIXPOINT_TRY(mode, modes_.find(tx, asked.rule, asked.control, asked.account));
  return mode != controls::Mode::Observe;
}

// What was asked for while an undo was under way, with the finding as it is now that this has ended.
Result<std::optional<executions::Begun>> ControlTarget::resume(store::Transaction& tx, const executions::Kept& kept) {
  executions::Start start = kept.start;
  executions::Item item = kept.item;
  const bool decided = start.input["Decided"].bool_or(false);
  const std::string by(start.input["By"].string_or("somebody"));
  const Asked asked{decided, std::string(start.input["Rule"].string_or("")), start.program, start.account};
  FIXPOINT_TRY(stored, findings_.get(tx, findings::FindingKey{item.product_arn, item.id}));
  if (stored) {
    if (!decided && !left_alone_because(*stored).empty()) return std::nullopt;
    item.digest = findings::content_digest(*stored);
    start.input.set("Finding", std::move(*stored));
  }
  FIXPOINT_TRY(
      begun, works_.begin(tx, kept.work, item, std::move(start), [&](const std::string& outcome, const Value& result) {
        return again(tx, asked, outcome, result);
      }));
  if (decided && begun.how == executions::Begun::How::Attached)
    FIXPOINT_CHECK(executor_.note(tx, begun.execution, by + " chose the same while an undo was under way"));
  return std::move(begun);
}

Result<bool> ControlTarget::exception_has_ended(store::Transaction& tx, std::string_view id) {
  FIXPOINT_TRY(all, changes::exceptions(tx));
  return std::none_of(all.begin(), all.end(),
                      [&](const changes::Exception& one) { return one.id == id && one.expires_ms > clock_.now_ms(); });
}

Result<void> ControlTarget::check_arn(const std::string& arn) const {
  const auto parsed = parse_arn(arn);
  const std::string_view resource = parsed ? std::string_view(parsed->resource) : std::string_view();
  if (!resource.starts_with(resource_start))
    return fail(errors::validation(
        "'" + arn + "' names no control: arn:aws:fixpoint:REGION:ACCOUNT:control/ID, or control/* for every one",
        "Arn"));
  const std::string_view id = resource.substr(resource_start.size());
  if (id != "*" && !controls_.find(id))
    return fail(
        errors::validation("there is no control '" + std::string(id) + "'; 'fixpoint controls' lists them", "Arn"));
  return {};
}

}  // namespace fixpoint::gateway
