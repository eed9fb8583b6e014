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

// What a control's expressions know of its subject; it borrows.
class SubjectBindings {
 public:
  explicit SubjectBindings(const Subject& subject) : subject_(subject) {
    borrow("arn", subject.arn);
    borrow("account", subject.account);
    borrow("region", subject.region);
    borrow("partition", subject.partition);
    bindings_.borrow("finding", finding());
    bindings_.borrow("params", subject.parameters);
  }
  const Value& keep(Value value) { return kept_.emplace_back(std::move(value)); }
  void borrow(const std::string& name, Value value) { bindings_.borrow(name, keep(std::move(value))); }
  jsonata::Bindings& operator*() { return bindings_; }
  const Value& finding() const { return subject_.finding != nullptr ? *subject_.finding : none_; }

 private:
  const Subject& subject_;
  const Value none_;
  std::deque<Value> kept_;
  jsonata::Bindings bindings_;
};

// Empty where the control has none for it.
Result<std::string> id_of(const Control& control, SubjectBindings& known) {
  FIXPOINT_TRY(id, control.resource_id.fill(known.finding(), *known, budget));
  return id && id->is_string() ? id->as_string() : std::string();
}

}  // namespace

std::vector<std::string> candidates(const Control& control, const Subject& subject) {
  std::vector<std::string> typed;
  std::vector<std::string> others;
  const auto add = [](std::vector<std::string>& ids, const std::string& id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  };
  const Value& resources = (*subject.finding)["Resources"];
  for (std::size_t i = 0; i < resources.size(); ++i) {
    Subject other = subject;
    other.arn = resources[i]["Id"].string_or("");
    if (resources[i]["Type"].string_or("") == control.resource_type) {
      add(typed, other.arn);
      continue;
    }
    SubjectBindings known(other);
    if (const auto id = id_of(control, known); id && !id->empty()) add(others, other.arn);
  }
  return typed.empty() ? others : typed;
}

Result<Assessment> assess(const Control& control, const Subject& subject, const ReadCall& read) {
  Assessment out;
  SubjectBindings known(subject);
  jsonata::Bindings& bindings = *known;
  const Value nothing{json::Object()};
  auto id = id_of(control, known);
  if (!id) return fail(in_control(control, "resource.id", id.error()));
  if (id->empty())
    return fail(errors::validation(
        "'" + subject.arn + "' names no " + control.resource_type + " for control " + control.id, "resource.id"));
  out.resource_id = *id;
  known.borrow("resource",
               json::Object{{"id", out.resource_id}, {"arn", subject.arn}, {"type", control.resource_type}});

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
      const Value& whole = known.keep(std::move(*answer));
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
    known.borrow(one.name, std::move(*answer));
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
