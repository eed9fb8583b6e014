#include "gateway/log_target.h"

#include <memory>

#include "base/arn.h"
#include "base/hash.h"
#include "gateway/guarded.h"
#include "json/text.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

constexpr std::string_view resource_start = "log-group:";
constexpr TimeMs oldest_ms = 14LL * 24 * 3'600'000;
constexpr TimeMs newest_ms = 2LL * 3'600'000;

// The group of `log-group:NAME` and `log-group:NAME:*`; empty for another resource.
std::string group_of(std::string_view resource) {
  if (!resource.starts_with(resource_start)) return {};
  resource.remove_prefix(resource_start.size());
  if (resource.ends_with(":*")) resource.remove_suffix(2);
  return resource.find(':') == std::string_view::npos ? std::string(resource) : std::string();
}

bool given(const Value& form, const char* member) {
  const Value* value = form.find(member);
  return value != nullptr && !value->is_null();
}

}  // namespace

bus::TargetKind LogTarget::kind() {
  bus::TargetKind kind;
  kind.send = [this](const bus::Delivery& delivery, const std::function<void(Result<void>)>& done) {
    const bool runs = run_([this, delivery, done] {
      auto delivered = guarded([&]() -> Result<Value> {
        FIXPOINT_CHECK(deliver(delivery));
        return Value();
      });
      done(delivered ? Result<void>() : fail(std::move(delivered.error())));
    });
    if (!runs) done(fail(errors::unavailable("the server has too many tasks waiting")));
  };
  kind.stop = end_calls_;
  kind.check = [](const std::string& text) -> Result<void> {
    const auto arn = parse_arn(text);
    if (!arn || group_of(arn->resource).empty())
      return fail(errors::validation(
          "'" + text + "' names no log group: arn:aws:logs:REGION:ACCOUNT:log-group:NAME does", "Arn"));
    return {};
  };
  return kind;
}

Result<Value> LogTarget::log_event(const bus::Delivery& delivery, TimeMs now_ms) {
  const Value& form = delivery.target.form;
  std::string message = delivery.text;
  auto at = parse_iso8601_ms(delivery.event["time"].string_or(""));
  if (given(form, "Input") || given(form, "InputTransformer")) {
    const auto made = json::parse(delivery.text);
    const Value* when = made ? made->find("timestamp") : nullptr;
    const Value* what = made ? made->find("message") : nullptr;
    if (when == nullptr || what == nullptr || !what->is_string())
      return fail(errors::validation(
          "what the target's Input or InputTransformer makes for a log group has to be an object of two members: "
          "timestamp, and message, which is a text",
          "InputTransformer"));
    message = what->as_string();
    if (const auto number = when->as_int64())
      at = *number;
    else
      at = parse_iso8601_ms(when->string_or(""));
    if (!at)
      return fail(errors::validation(
          "the timestamp that the target's Input or InputTransformer makes is neither milliseconds since 1970 nor an "
          "ISO 8601 text",
          "InputTransformer"));
  }
  if (message.empty()) return fail(errors::validation("the message for the log group is empty", "InputTransformer"));
  const bool taken = at && *at > now_ms - oldest_ms && *at < now_ms + newest_ms;
  return Value(json::Object{{"timestamp", taken ? *at : now_ms}, {"message", message}});
}

std::string LogTarget::stream_of(const bus::Delivery& delivery) {
  const std::string name = sha256_hex(delivery.rule_arn + "\n" + delivery.target.id);
  return name.substr(0, 8) + "-" + name.substr(8, 4) + "-" + name.substr(12, 4) + "-" + name.substr(16, 4) + "-" +
         name.substr(20, 12);
}

// The stream is made by whoever comes first; that it is there already is what is usual.
Result<void> LogTarget::deliver(const bus::Delivery& delivery) {
  FIXPOINT_TRY(arn, parse_arn(delivery.target.arn));
  // A log group is a target of its own account's rules alone.
  if (const auto rule = parse_arn(delivery.rule_arn); rule && rule->account != arn.account)
    return fail(errors::access_denied("a rule of account " + rule->account +
                                      " cannot log to the log group of account " + arn.account));
  FIXPOINT_TRY(event, log_event(delivery, clock_.now_ms()));
  const aws::CallContext context{arn.account, arn.region, {}, {}};
  const Value place = json::Object{{"logGroupName", group_of(arn.resource)}, {"logStreamName", stream_of(delivery)}};
  Value input = place;
  input.set("logEvents", json::Array{event});
  auto answer = account_.call(context, "logs", "PutLogEvents", input);
  if (!answer && answer.error().code == "ResourceNotFoundException") {
    const auto made = account_.call(context, "logs", "CreateLogStream", place);
    if (!made && made.error().code != "ResourceAlreadyExistsException") return fail(made.error());
    answer = account_.call(context, "logs", "PutLogEvents", input);
  }
  if (!answer) return fail(std::move(answer.error()));
  if (!(*answer)["rejectedLogEventsInfo"].is_null())
    return fail(errors::validation("CloudWatch Logs did not take the event for its time: " +
                                   json::print((*answer)["rejectedLogEventsInfo"])));
  return {};
}

}  // namespace fixpoint::gateway
