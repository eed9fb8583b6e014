#include "gateway/dispatch.h"

#include "gateway/guarded.h"

namespace fixpoint::gateway {
namespace {

// A request is a step of its execution: sent again it is another one.
std::string step_of(const aws::Caller& caller) {
  return "request-" + caller.request_id;
}

}  // namespace

Error no_room_for_answer() {
  return errors::unavailable(
      "the answers to other requests take all the memory that there is for them; try again in a moment");
}

void Dispatch::add(aws::ServiceTable table, Part part) {
  std::string name = table.service;
  if (part == Part::OfAccount) of_account_.insert(name);
  tables_.insert_or_assign(std::move(name), std::move(table));
}

bool Dispatch::validates(std::string_view service, std::string_view operation) const {
  const auto table = tables_.find(service);
  if (table == tables_.end()) return false;
  const auto found = table->second.operations.find(operation);
  return found == table->second.operations.end() || found->second.validates;
}

void Dispatch::run(WorkerPool& workers, std::function<void()> task, const aws::Answer& answer) {
  if (!workers.run(std::move(task)))
    answer(fail(errors::unavailable("the server has too many requests waiting; try again in a moment")));
}

void Dispatch::call(const aws::Caller& caller, std::string_view service, std::string_view operation, json::Value input,
                    aws::Answer answer, const Room& room) {
  if (const auto table = tables_.find(service); table != tables_.end()) {
    const auto found = table->second.operations.find(operation);
    if (found == table->second.operations.end())
      return answer(
          fail(errors::not_implemented(std::string(service) + ":" + std::string(operation) +
                                       " is not there in this version; docs/compatibility.md lists what is")));
    const aws::ServiceTable::Operation& entry = found->second;
    const bool of_execution = caller.principal && !caller.principal->execution.empty();
    const bool changes = of_execution && !door_.reads(service, operation);
    if (changes && of_account_.contains(service))
      return run(
          entry.later ? patient_workers_ : account_workers_,
          [this, caller, service = std::string(service), operation = std::string(operation), input = std::move(input),
           answer] { answer(guarded([&] { return call_account(caller, service, operation, input); })); },
          answer);
    // A dry run changes nothing of fixpoint's own either.
    if (changes)
      return run(
          workers_,
          [this, &entry, caller, service = std::string(service), operation = std::string(operation),
           input = std::move(input), answer] {
            guarded_later(answer, [&](const aws::Answer& once) {
              const aws::CallContext context{caller.account, caller.region, caller.principal->execution,
                                             caller.request_id};
              auto planned = door_.other(context, step_of(caller), service, operation, input);
              if (!planned) return once(fail(std::move(planned.error())));
              if (*planned) return once(std::move(**planned));
              if (entry.later) return entry.later(caller, input, once);
              once(entry.function(caller, input));
            });
          },
          answer);
    if (entry.later)
      return guarded_later(std::move(answer), [&](const aws::Answer& once) { entry.later(caller, input, once); });
    if (entry.quick) return answer(guarded([&] { return entry.function(caller, input); }));
    return run(
        workers_,
        [&entry, caller, input = std::move(input), answer] {
          answer(guarded([&] { return entry.function(caller, input); }));
        },
        answer);
  }
  // Whether an execution's read is one of a dry run is in the store, so it may wait.
  const bool of_person = !caller.principal || caller.principal->execution.empty();
  if (quick_ != nullptr && of_person) {
    auto quick =
        quick_->call_quickly({caller.account, caller.region, {}, caller.request_id}, service, operation, input);
    if (quick.answer) return answer(std::move(*quick.answer));
    if (quick.content_bytes > 0 && room && !room(quick.content_bytes)) return answer(fail(no_room_for_answer()));
  }
  run(
      account_workers_,
      [this, caller, service = std::string(service), operation = std::string(operation), input = std::move(input),
       answer] { answer(guarded([&] { return call_account(caller, service, operation, input); })); },
      answer);
}

Result<json::Value> Dispatch::call_account(const aws::Caller& caller, const std::string& service,
                                           const std::string& operation, const json::Value& input) {
  const aws::CallContext context{caller.account, caller.region, caller.principal ? caller.principal->execution : "",
                                 caller.request_id};
  // A person's own call is that person's; what an execution does to the account is fixpoint's doing, and goes through
  // the door.
  if (context.execution.empty()) return account_.call(context, service, operation, input);
  if (door_.reads(service, operation)) return door_.call(context, "", service, operation, input);
  const std::string step = runs_.step(context.execution, service, operation,
                                      door_.without_token(service, operation, input), context.request_id);
  auto answer = door_.call(context, step, service, operation, input);
  // The handler has AWS's answer as it is; that it may not look into it is what the end of its run is told of.
  if (answer)
    if (const auto shortfall = door_.shortfall(service, operation, input, *answer); !shortfall || *shortfall)
      runs_.fell_short(context.execution);
  if (!answer && (answer.error().retryable || answer.error().http_status >= 500)) runs_.tried(context.execution, step);
  return answer;
}

}  // namespace fixpoint::gateway
