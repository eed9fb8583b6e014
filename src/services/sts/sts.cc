#include "services/sts/sts.h"

#include "base/arn.h"

namespace fixpoint::services {
namespace {

using json::Value;

constexpr std::int64_t shortest_session_s = 900;
constexpr std::int64_t longest_session_s = 43'200;
constexpr std::string_view session_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-";

tl::unexpected<Error> unfit(const std::string& value, const std::string& member, const std::string& constraint) {
  return fail(errors::coded("ValidationError",
                            "1 validation error detected: Value '" + value + "' at '" + member +
                                "' failed to satisfy constraint: Member must " + constraint,
                            400));
}

}  // namespace

aws::ServiceTable Sts::table() {
  aws::ServiceTable table;
  table.service = "sts";
  table.add_quick("GetCallerIdentity", [](const aws::Caller& caller, const Value&) -> Result<Value> {
    return Value(json::Object{
        {"UserId", caller.principal->user_id}, {"Account", caller.principal->account}, {"Arn", caller.principal->arn}});
  });
  table.add("AssumeRole", [this](const auto& caller, const auto& input) { return assume_role(caller, input); });
  return table;
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
Result<Value> Sts::assume_role(const aws::Caller& caller, const Value& input) {
  const auto role = parse_arn(input["RoleArn"].string_or(""));
  if (!role || role->service != "iam" || !role->resource.starts_with("role/"))
    return fail(errors::coded("ValidationError",
                              "'" + std::string(input["RoleArn"].string_or("")) +
                                  "' is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME",
                              400));
  const std::string session(input["RoleSessionName"].string_or(""));
  const std::int64_t seconds = input["DurationSeconds"].int_or(3600);
  if (session.size() < 2 || session.size() > 64)
    return unfit(session.substr(0, 64), "roleSessionName", "have 2 to 64 characters");
  if (session.find_first_not_of(session_characters) != std::string::npos)
    return unfit(session, "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*");
  if (seconds < shortest_session_s || seconds > longest_session_s)
    return unfit(std::to_string(seconds), "durationSeconds", "have a value from 900 to 43200");
  // Role chaining ends at an hour, whatever is asked for.
  if (!caller.principal->execution.empty() && seconds > 3600)
    return fail(errors::coded(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining", 400));
  FIXPOINT_TRY(issued,
               identity_.issue(role->account, role->partition, role->resource.substr(role->resource.rfind('/') + 1),
                               session, caller.principal->execution, static_cast<int>(seconds)));
  json::Object credentials{{"AccessKeyId", issued.credentials.access_key},
                           {"SecretAccessKey", issued.credentials.secret},
                           {"SessionToken", issued.credentials.session_token},
                           {"Expiration", issued.expires_ms / 1000}};
  return Value(json::Object{{"Credentials", credentials},
                            {"AssumedRoleUser", json::Object{{"AssumedRoleId", issued.user_id}, {"Arn", issued.arn}}}});
}

}  // namespace fixpoint::services
