#pragma once

#include <functional>
#include <map>
#include <string>

#include "audit/log.h"
#include "aws/models.h"
#include "aws/service_table.h"
#include "base/clock.h"
#include "base/error.h"
#include "bus/bus.h"
#include "controls/control.h"
#include "controls/modes.h"
#include "executions/approvals.h"
#include "executions/executor.h"
#include "executions/work.h"
#include "functions/store.h"
#include "gateway/dispatch.h"
#include "sandbox/sandbox.h"
#include "services/securityhub/securityhub.h"

namespace fixpoint::gateway {

/// fixpoint's own JSON API under /api/NAME, which the command line speaks: a POST with a JSON object, answered with a
/// JSON object or
/// {"Error": {"Code", "Message", "Where"}}. Requests are signed like every other, for the service `fixpoint`.
/// Thread-safe.
class Api {
 public:
  struct Parts {
    const Clock& clock;
    bus::Bus& bus;
    services::SecurityHub& securityhub;
    findings::FindingStore& findings;
    executions::Executor& executor;
    executions::Approvals& approvals;
    executions::Works& works;
    changes::Door& door;
    controls::Modes& modes;
    audit::Log& audit;
    const controls::ControlSet& controls;
    functions::FunctionStore& functions;
    Dispatch& dispatch;
    const aws::Models& models;
    sandbox::Sandbox* embedded;  ///< the embedded account, null over a real one: scenes are set in it alone
    std::function<std::string()> isolation;
  };
  explicit Api(Parts parts);

  /// Answers now or later. Error: ResourceNotFoundException for a name that is none.
  void call(const aws::Caller& caller, const std::string& name, const json::Value& input, aws::Answer answer);

 private:
  using Function = std::function<Result<json::Value>(const aws::Caller&, const json::Value&)>;
  Result<json::Value> import(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> mode(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> act(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> executions(const json::Value& input);
  Result<json::Value> flapping(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> answer(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> audit(const json::Value& input);
  Result<json::Value> rules(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> rule_trial(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> deliveries();
  struct Subject {
    findings::FindingKey key;
    json::Value finding;
    std::shared_ptr<const controls::Control> control;
  };
  Result<std::string> scope_of(const json::Value& input);
  std::string scope_to_clear(const json::Value& input);
  // What asks for more care is done at once, and recorded.
  Result<void> tighten(const aws::Caller& caller, std::string_view kind, json::Object about,
                       const std::function<Result<void>(store::Transaction&)>& change);
  // What loosens the guards of a scope, and its record: at once, or where four eyes are required when a second person
  // asks for the same. Error: AccessDeniedException where it waits for one; nothing is changed then.
  struct Loosening {
    std::string scope;
    std::string what;  // "mode auto for all"
    std::string_view kind;
    json::Object about;
    // What would be loosened, as it is now; nothing where there is nothing, and the change says so.
    std::function<Result<std::optional<std::string>>(store::Session&)> before;
    std::function<Result<void>(store::Transaction&)> change;
  };
  Result<void> loosen(const aws::Caller& caller, Loosening loosening);
  Result<Subject> subject_of(const std::string& finding_id);
  Result<Subject> finding_of(const std::string& finding_id);
  Result<executions::Start> function_of(const aws::Caller& caller, const Subject& subject, const json::Value& input);
  Result<json::Value> fix_by_function(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> plan(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> fix(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> undo(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> exceptions(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> freeze(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> unfreeze(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> settings(const aws::Caller& caller, const json::Value& input);
  void make_call(const aws::Caller& caller, const json::Value& input, aws::Answer answer);
  Result<json::Value> scene(const aws::Caller& caller, const json::Value& input);

  Parts parts_;
  std::map<std::string, Function> functions_;
};

}  // namespace fixpoint::gateway
