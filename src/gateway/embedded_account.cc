#include "gateway/embedded_account.h"

#include <algorithm>
#include <future>

#include "aws/verify.h"
#include "base/arn.h"
#include "gateway/destinations.h"
#include "gateway/guarded.h"

namespace fixpoint::gateway {
namespace {

aws::Caller caller_of(const aws::CallContext& context) {
  auto principal = std::make_shared<aws::Principal>();
  const std::string partition(partition_of_region(context.region));
  const std::string session = context.execution.empty() ? "fixpoint" : context.execution;
  principal->account = context.account;
  principal->arn = "arn:" + partition + ":sts::" + context.account + ":assumed-role/fixpoint/" + session;
  principal->user_id = "AROAFIXPOINT:" + session;
  principal->execution = context.execution;
  return {context.account, context.region, partition, context.request_id, std::move(principal)};
}

}  // namespace

void EmbeddedAccount::add(aws::ServiceTable table) {
  std::string name = table.service;
  tables_.insert_or_assign(std::move(name), std::move(table));
}

Result<json::Value> EmbeddedAccount::call(const aws::CallContext& context, std::string_view service,
                                          std::string_view operation, const json::Value& input) {
  const auto table = tables_.find(service);
  if (table == tables_.end()) {
    // The account beneath does not see the queues, topics and functions.
    if (service == "s3" && operation == "PutBucketNotificationConfiguration")
      FIXPOINT_CHECK(check_destinations(*this, context, input));
    return beneath_.call(context, service, operation, input);
  }
  const std::string name = std::string(service) + ":" + std::string(operation);
  const auto found = table->second.operations.find(operation);
  if (found == table->second.operations.end())
    return fail(errors::not_implemented(name + " is not there in this version; docs/compatibility.md lists what is"));
  const aws::Caller caller = caller_of(context);
  if (!found->second.later) return guarded([&] { return found->second.function(caller, input); });
  // The promise outlives this call where the answer comes after the limit.
  auto promise = std::make_shared<std::promise<Result<json::Value>>>();
  auto answer = promise->get_future();
  auto begun = guarded([&]() -> Result<json::Value> {
    found->second.later(caller, input,
                        [promise](Result<json::Value> result) { promise->set_value(std::move(result)); });
    return json::Value();
  });
  if (!begun) return begun;
  const auto until = std::chrono::steady_clock::now() + answer_limit_;
  constexpr std::chrono::milliseconds look = std::chrono::milliseconds(50);  // how soon a stop is noticed
  while (answer.wait_until(std::min(until, std::chrono::steady_clock::now() + look)) != std::future_status::ready) {
    if (!stopped_ && std::chrono::steady_clock::now() < until) continue;
    Error late = errors::coded("RequestTimeout",
                               name + " gave no answer within " + std::to_string(answer_limit_.count()) +
                                   " ms; whether it took effect is not known",
                               0);
    late.retryable = true;
    return fail(std::move(late));
  }
  return answer.get();
}

}  // namespace fixpoint::gateway
