#include "aws/wait.h"

#include <optional>
#include <vector>

#include "aws/expression.h"
#include "json/text.h"

namespace fixpoint::aws {
namespace {

enum class Matcher : std::uint8_t { Path, PathAll, PathAny, Status, ErrorCode };

std::optional<Matcher> matcher_of(std::string_view text) {
  if (text == "path") return Matcher::Path;
  if (text == "pathAll") return Matcher::PathAll;
  if (text == "pathAny") return Matcher::PathAny;
  if (text == "status") return Matcher::Status;
  if (text == "error") return Matcher::ErrorCode;
  return {};
}

std::optional<Waiter::State> state_of(std::string_view text) {
  if (text == "success") return Waiter::State::Success;
  if (text == "retry") return Waiter::State::Retry;
  if (text == "failure") return Waiter::State::Failure;
  return {};
}

struct Acceptor {
  Matcher matcher = Matcher::Path;
  Waiter::State state = Waiter::State::Retry;
  json::Value expected;
  std::optional<Expression> path;
  std::string other_code;  // the code of the error shape that `expected` names, or the other way round

  bool matches_error(const Error& error) const {
    if (expected.is_bool()) return expected.as_bool();
    return expected.string_or("") == error.code || (!other_code.empty() && other_code == error.code);
  }

  bool matches_value(const json::Value& answer) const {
    const json::Value found = path->evaluate(answer);
    if (matcher == Matcher::Path) return found == expected;
    // pathAll on nothing is no match: there has to be something that is as wanted.
    if (!found.is_array() || found.size() == 0) return false;
    std::size_t equal = 0;
    for (const json::Value& item : found.as_array()) equal += item == expected ? 1 : 0;
    return matcher == Matcher::PathAll ? equal == found.size() : equal > 0;
  }

  bool matches(const Result<json::Value>& answer, int success_status) const {
    switch (matcher) {
      case Matcher::Status: return expected.int_or(0) == (answer ? success_status : answer.error().http_status);
      case Matcher::ErrorCode:
        return answer ? expected.is_bool() && !expected.as_bool() : matches_error(answer.error());
      default: return answer && matches_value(*answer);
    }
  }

  std::string describe() const {
    const std::string wanted = json::print(expected);
    switch (matcher) {
      case Matcher::Path: return "'" + path->text() + "' is " + wanted;
      case Matcher::PathAll: return "all of '" + path->text() + "' are " + wanted;
      case Matcher::PathAny: return "one of '" + path->text() + "' is " + wanted;
      case Matcher::Status: return "the HTTP status is " + wanted;
      case Matcher::ErrorCode: return "the error is " + wanted;
    }
    return {};
  }
};

}  // namespace

struct Waiter::Plan {
  std::string where;  // `ec2.InstanceRunning`
  std::string operation;
  std::int64_t delay_ms = 0;
  int max_attempts = 0;
  int success_status = 200;
  std::vector<Acceptor> acceptors;
};

Waiter::Waiter() = default;
Waiter::~Waiter() = default;
Waiter::Waiter(Waiter&&) noexcept = default;
Waiter& Waiter::operator=(Waiter&&) noexcept = default;

std::string_view Waiter::operation() const {
  return plan_->operation;
}
std::int64_t Waiter::delay_ms() const {
  return plan_->delay_ms;
}
int Waiter::max_attempts() const {
  return plan_->max_attempts;
}

Result<Waiter> Waiter::make(const Service& service, std::string_view name) {
  auto plan = std::make_shared<Plan>();
  plan->where = std::string(service.name) + "." + std::string(name);
  const auto bad = [&](const std::string& message) {
    return fail(Error{"InvalidModel", message, plan->where, false, 0});
  };
  const json::Value& from = service.waiters()[name];
  if (!from.is_object()) return bad("The model has no waiter of this name.");
  plan->operation = from["operation"].string_or("");
  const Operation* operation = service.find_operation(plan->operation);
  if (operation == nullptr) return bad("The waiter's operation '" + plan->operation + "' is not in the model.");
  plan->success_status = operation->response_code;
  const double delay_seconds = from["delay"].is_number() ? from["delay"].as_double() : 0;
  plan->max_attempts = static_cast<int>(from["maxAttempts"].int_or(0));
  if (delay_seconds <= 0 || delay_seconds > 86400 || plan->max_attempts < 1)
    return bad("The waiter needs a delay of at most a day and at least one attempt.");
  plan->delay_ms = static_cast<std::int64_t>(delay_seconds * 1000);

  const json::Value& acceptors = from["acceptors"];
  for (std::size_t i = 0; i < acceptors.size(); ++i) {
    const json::Value& of = acceptors[i];
    Acceptor acceptor;
    const auto matcher = matcher_of(of["matcher"].string_or(""));
    const auto state = state_of(of["state"].string_or(""));
    if (!matcher || !state)
      return bad("An acceptor has matcher '" + std::string(of["matcher"].string_or("")) + "' and state '" +
                 std::string(of["state"].string_or("")) +
                 "'; known are path, pathAll, pathAny, status and error, and success, retry and failure.");
    acceptor.matcher = *matcher;
    acceptor.state = *state;
    acceptor.expected = of["expected"];
    if (acceptor.matcher == Matcher::ErrorCode) {
      // A waiter names a code as it is on the wire, or the shape, whose code may be another.
      const std::string_view expected = acceptor.expected.string_or("");
      if (const Shape* shape = service.find_error(expected))
        acceptor.other_code = shape->error_code == expected ? shape->name : shape->error_code;
    } else if (acceptor.matcher != Matcher::Status) {
      FIXPOINT_TRY(path, Expression::compile(of["argument"].string_or("")));
      acceptor.path = std::move(path);
    }
    plan->acceptors.push_back(std::move(acceptor));
  }
  if (plan->acceptors.empty()) return bad("The waiter has no acceptors.");
  Waiter waiter;
  waiter.plan_ = std::move(plan);
  return waiter;
}

Waiter::Verdict Waiter::judge(const Result<json::Value>& answer) const {
  for (const Acceptor& acceptor : plan_->acceptors) {
    if (!acceptor.matches(answer, plan_->success_status)) continue;
    if (acceptor.state != State::Failure) return {acceptor.state, {}};
    return {State::Failure,
            Error{"WaiterFailed", "What is waited for cannot come any more: " + acceptor.describe() + ".", plan_->where,
                  false, 0}};
  }
  if (!answer) return {State::Failure, answer.error()};
  return {State::Retry, {}};
}

Result<json::Value> Waiter::wait(const Call& call, const json::Value& input, const Sleep& sleep) const {
  for (int attempt = 1;; ++attempt) {
    Result<json::Value> answer = call(input);
    Verdict verdict = judge(answer);
    if (verdict.state == State::Failure) return fail(std::move(verdict.error));
    // An awaited error (a resource that is gone) has no result of its own.
    if (verdict.state == State::Success) return answer ? std::move(*answer) : json::Value(json::Object());
    if (attempt >= plan_->max_attempts)
      return fail(Error{"WaiterTimedOut",
                        "What is waited for has not come in " + std::to_string(attempt) + " attempts, one every " +
                            std::to_string(plan_->delay_ms / 1000) + " seconds.",
                        plan_->where, true, 0});
    sleep(plan_->delay_ms);
  }
}

}  // namespace fixpoint::aws
