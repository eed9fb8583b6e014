#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/api.h"
#include "controls/control.h"

namespace fixpoint::controls {

/// A changing call that a control means to make.
struct PlannedCall {
  std::size_t index = 0;  ///< in the control's `change`
  std::string service;
  std::string operation;
  json::Value input;
};

/// What a resource looks like to a control: read once, judged, and what would have to be done.
struct Assessment {
  bool gone = false;         ///< the resource is no more
  std::string gone_because;  ///< the error that said so
  json::Value state;         ///< the `read` names with what they hold; an absent one is null
  bool compliant = false;
  std::vector<std::string> refusals;  ///< why a person has to decide; none where the control may go on
  std::vector<PlannedCall> calls;     ///< none where it is compliant
  std::string resource_id;
};

/// Makes a reading call.
using ReadCall = std::function<Result<json::Value>(const std::string& service, const std::string& operation,
                                                   const json::Value& input)>;

/// What a control is applied to.
struct Subject {
  std::string arn;  ///< the resource's Id in the finding
  std::string account, region, partition;
  const json::Value* finding = nullptr;  ///< borrowed; null where there is none (a scan)
  json::Value parameters;                ///< of parameters_of
};

/// The Ids, each once, of a finding's resources that a control could be about: those of its type; where none is, those
/// that its `resource.id` has an id for. Findings name one as a rule.
std::vector<std::string> candidates(const Control& control, const Subject& subject);

/// Reads the resource and judges it. Makes reading calls only. Errors: the account's own; ValidationException where an
/// expression of the control fails, naming it. A read that fails in a way that the control does not name as absent or
/// gone is an error, never "nothing there".
Result<Assessment> assess(const Control& control, const Subject& subject, const ReadCall& read);

}  // namespace fixpoint::controls
