#pragma once

#include "aws/service_table.h"
#include "bus/bus.h"
#include "executions/executor.h"
#include "functions/store.h"

namespace fixpoint::services {

/// fixpoint's own Lambda over the function store; a call is an execution. Thread-safe.
class Lambda {
 public:
  Lambda(functions::FunctionStore& functions, executions::Executor& executor)
      : functions_(functions), executor_(executor) {}
  aws::ServiceTable table();

  /// Begins a function as the target of a rule, and says of an ARN whether it could be one.
  Result<void> begin(store::Transaction& tx, const bus::Delivery& delivery) { return begin(tx, delivery, false); }
  /// Begins a function that is subscribed to a topic. `delivery` says by which rule, on which event and by whose doing
  /// the message was published; its text is what the function gets. Nobody decided on the function by that: it is held
  /// to its own mode and the rule's, the stricter of both.
  Result<void> begin_by_topic(store::Transaction& tx, const bus::Delivery& delivery) {
    return begin(tx, delivery, true);
  }
  static Result<void> check_arn(const std::string& arn);

 private:
  Result<void> begin(store::Transaction& tx, const bus::Delivery& delivery, bool by_topic);
  void invoke(const aws::Caller& caller, const json::Value& input, aws::Answer answer);
  functions::FunctionStore& functions_;
  executions::Executor& executor_;
};

}  // namespace fixpoint::services
