#include "functions/mandate.h"

#include <algorithm>

#include "changes/scope.h"
#include "findings/ocsf.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

using json::Value;

bool is_finding(const Value& value) {
  return value["ProductArn"].is_string() && value["Id"].is_string();
}

// Findings in OCSF, as Security Hub V2's events have them, in the finding format; one that is none is left out.
Value in_asff(const Value& list) {
  json::Array out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto finding = findings::is_ocsf(list[i]) ? findings::asff_of(list[i]) : Result<Value>(list[i]);
    if (finding) out.push_back(std::move(*finding));
  }
  return out;
}

// Of two modes: observe, ask, auto, in order of care.
std::string stricter(const std::string& one, const std::string& other) {
  for (const auto* mode : {"observe", "ask"})
    if (one == mode || other == mode) return one == mode ? one : other;
  return one;
}

}  // namespace

Value findings_in_event(const Value& event) {
  if (is_finding(event)) return json::Array{event};
  const Value& list = event["detail"]["findings"].is_array() ? event["detail"]["findings"] : event["findings"];
  Value all = in_asff(list);
  std::erase_if(all.as_array(), [](const Value& finding) { return !is_finding(finding); });
  return all;
}

Result<changes::Mandate> mandate_of(const executions::Execution& execution, changes::Door& door, const ModeOf& mode_of,
                                    const PopulationOf& population_of) {
  const Value& input = execution.input;
  changes::Mandate out;
  out.execution = execution.id;
  out.kind = "function";
  out.program = changes::own_program(execution.program);
  out.account = execution.account;
  out.region = execution.region;
  if (const Value* parent = input.find("Parent")) {
    FIXPOINT_TRY(theirs, door.mandates().find(std::string(parent->string_or(""))));
    if (!theirs) return fail(errors::coded("NoMandate", "the execution that invoked the function has no mandate", 403));
    out.rule = theirs->rule;
    out.findings = theirs->findings;
    out.resources = theirs->resources;
    out.mode = theirs->mode;
    out.decided_by = theirs->decided_by;
    out.dry_run = theirs->dry_run;
    out.plan = theirs->plan;
    out.population = theirs->population;
    return out;
  }
  out.rule = input["Rule"].string_or("");
  if (const Value* given = input.find("Findings")) {
    out.findings = in_asff(*given);
  } else if (auto event = json::parse_printed(input["Payload"].string_or("{}"))) {
    out.findings = findings_in_event(*event);
  }
  for (std::size_t i = 0; i < out.findings.size(); ++i) {
    const Value& resources = out.findings[i]["Resources"];
    for (std::size_t k = 0; k < resources.size(); ++k) {
      const std::string id(resources[k]["Id"].string_or(""));
      if (id.starts_with("arn:") && std::find(out.resources.begin(), out.resources.end(), id) == out.resources.end())
        out.resources.push_back(id);
    }
  }
  const std::string_view by = input["By"].string_or("");
  FIXPOINT_TRY(rules, door.guards().settings().find(out.program, out.account));
  if (rules.cap_percent && population_of) {
    FIXPOINT_TRY(population, population_of(out));
    out.population = population.value_or(-1);
  }
  if ((out.rule.empty() && !input["ByMode"].bool_or(false)) || input["Decided"].bool_or(false)) {
    out.mode = rules.four_eyes ? "ask" : "auto";
    if (!rules.four_eyes) out.decided_by = by.empty() ? (out.rule.empty() ? "who invoked it" : "a custom action") : by;
  } else {
    FIXPOINT_TRY(mode, mode_of(out.rule, out.program, out.account));
    out.mode = mode;
    if (input["Topic"].bool_or(false)) {
      FIXPOINT_TRY(own, mode_of("", out.program, out.account));
      out.mode = stricter(mode, own);
    }
  }
  out.plan = input["Plan"].string_or("");
  // A call that waits for its answer cannot wait for a second person, nor is a plan what it asked for: the door refuses
  // its changes.
  out.dry_run = input["DryRun"].bool_or(false) || out.mode == "observe" ||
                (out.mode == "ask" && out.decided_by.empty() && input["Async"].bool_or(false));
  return out;
}

}  // namespace fixpoint::functions
