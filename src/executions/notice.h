#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::executions {

/// Something that people and rules should hear of.
struct Notice {
  std::string kind;  ///< "Approval Requested", "Approval Expiring", "Approval Answered", "Alert"
  std::string account;
  std::string region;
  json::Value resources;  ///< an array of ARNs and ids
  json::Value detail;
};

/// Sends a notice within the transaction that makes it true: nobody hears of what was not committed, and nothing that
/// was committed goes unheard. On the bus it is an event of the source `fixpoint` and the detail-type "fixpoint KIND".
using Tell = std::function<Result<void>(store::Transaction&, const Notice&)>;

}  // namespace fixpoint::executions
