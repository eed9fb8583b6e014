#pragma once

#include "aws/service_table.h"
#include "identity/identity.h"

namespace fixpoint::services {

/// fixpoint's own STS over identity. Thread-safe.
class Sts {
 public:
  explicit Sts(identity::Identity& identity) : identity_(identity) {}
  aws::ServiceTable table();

 private:
  Result<json::Value> assume_role(const aws::Caller& caller, const json::Value& input);
  identity::Identity& identity_;
};

}  // namespace fixpoint::services
