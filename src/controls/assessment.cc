#include "controls/assessment.h"

#include <algorithm>

namespace fixpoint::controls {
namespace {

using json::Value;

// A control's expressions see small documents; what needs more than this is a mistake or an attack.
constexpr jsonata::Budget budget{.steps = 2'000'000, .depth = 500, .memory_bytes = 64UL * 1024 * 1024};

bool names(const std::vector<std::string>& codes, const std::string& code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

Error in_control(const Control& control, const std::string& part, const Error& error) {
  return errors::validation("control " + control.id + ", " + part + ": " + error.code + " " + error.message,
                            control.id + ":" + part);
}

// JSONata's own idea of truth is generous; a condition of a control has to be a boolean, and undefined is not false by
// accident.
Result<bool> truth_of(const std::optional<Value>& value, const Control& control, const std::string& part) {
  if (value && value->is_bool()) return value->as_bool();
  return fail(
      in_control(control, part,
                 errors::coded("T0000", value ? "gives " + std::string(json::kind_name(*value)) + ", not true or false"
                                              : "gives nothing, not true or false")));
}

}  // namespace

Result<Assessment> assess(const Control& control, const Subject& subject, const ReadCall& read) {
  Assessment out;
  std::deque<Value> kept;  // what the bindings borrow
  const auto keep = [&](Value value) -> const Value& { return kept.emplace_back(std::move(value)); };
  jsonata::Bindings bindings;
  bindings.borrow("arn", keep(subject.arn));
  bindings.borrow("account", keep(subject.account));
  bindings.borrow("region", keep(subject.region));
  bindings.borrow("partition", keep(subject.partition));
  const Value none;
  const Value& finding = subject.finding != nullptr ? *subject.finding : none;
  bindings.borrow("finding", finding);
  bindings.borrow("params", subject.parameters);

  const Value nothing{json::Object()};
  auto id = control.resource_id.fill(finding, bindings, budget);
  if (!id) return fail(in_control(control, "resource.id", id.error()));
  if (!*id || !(*id)->is_string() || (*id)->as_string().empty())
    return fail(errors::validation(
        "'" + subject.arn + "' names no " + control.resource_type + " for control " + control.id, "resource.id"));
  out.resource_id = (*id)->as_string();
  bindings.borrow("resource",
                  keep(json::Object{{"id", out.resource_id}, {"arn", subject.arn}, {"type", control.resource_type}}));

  json::Object state;
  for (const Read& one : control.reads) {
    auto input = one.call.input.fill(nothing, bindings, budget);
    if (!input) return fail(in_control(control, "read." + one.name + ".input", input.error()));
    auto answer = read(one.call.service, one.call.operation, *input ? **input : nothing);
    if (!answer) {
      if (names(one.gone, answer.error().code)) {
        out.gone = true;
        out.gone_because = answer.error().code;
        return out;
      }
      if (!names(one.absent, answer.error().code)) return fail(std::move(answer.error()));
      state.set(one.name, Value());
      bindings.set(one.name, jsonata::Kept());
      continue;
    }
    if (one.take) {
      const Value& whole = keep(std::move(*answer));
      auto taken = one.take->fill(whole, bindings, budget);
      if (!taken) return fail(in_control(control, "read." + one.name + ".take", taken.error()));
      if (!*taken) {
        state.set(one.name, Value());
        bindings.set(one.name, jsonata::Kept());
        continue;
      }
      answer = std::move(**taken);
    }
    state.set(one.name, *answer);
    bindings.borrow(one.name, keep(std::move(*answer)));
  }
  out.state = Value(std::move(state));

  for (const auto& [name, expression] : control.lets) {
    auto value = expression.keep(out.state, bindings, budget);
    if (!value) return fail(in_control(control, "let." + name, value.error()));
    bindings.set(name, std::move(*value));
  }
  auto compliant = control.compliant.evaluate(out.state, bindings, budget);
  if (!compliant) return fail(in_control(control, "compliant", compliant.error()));
  FIXPOINT_TRY(is_compliant, truth_of(*compliant, control, "compliant"));
  out.compliant = is_compliant;
  if (out.compliant) return out;

  for (std::size_t i = 0; i < control.refusals.size(); ++i) {
    const std::string part = "refuse[" + std::to_string(i) + "].when";
    auto when = control.refusals[i].when.fill(out.state, bindings, budget);
    if (!when) return fail(in_control(control, part, when.error()));
    FIXPOINT_TRY(refused, truth_of(*when, control, part));
    if (refused) out.refusals.push_back(control.refusals[i].because);
  }
  for (std::size_t i = 0; i < control.changes.size(); ++i) {
    const ChangeCall& change = control.changes[i];
    const std::string part = "change[" + std::to_string(i) + "]";
    if (change.when) {
      auto when = change.when->fill(out.state, bindings, budget);
      if (!when) return fail(in_control(control, part + ".when", when.error()));
      FIXPOINT_TRY(wanted, truth_of(*when, control, part + ".when"));
      if (!wanted) continue;
    }
    auto input = change.call.input.fill(out.state, bindings, budget);
    if (!input) return fail(in_control(control, part + ".input", input.error()));
    out.calls.push_back(PlannedCall{i, change.call.service, change.call.operation, *input ? **input : nothing});
  }
  return out;
}

}  // namespace fixpoint::controls
