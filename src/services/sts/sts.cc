#include "services/sts/sts.h"

#include "base/arn.h"

namespace fixpoint::services {
namespace {

using json::Value;

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
  // Role chaining ends at an hour, whatever is asked for.
  const std::int64_t seconds = input["DurationSeconds"].int_or(3600);
  if (!caller.principal->execution.empty() && seconds > 3600)
    return fail(errors::coded(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining", 400));
  const std::string session(input["RoleSessionName"].string_or(""));
  FIXPOINT_TRY(
      issued,
      identity_.issue(role->account, role->partition, role->resource.substr(role->resource.rfind('/') + 1), session,
                      caller.principal->execution, static_cast<int>(std::min<std::int64_t>(seconds, 43'200))));
  json::Object credentials{{"AccessKeyId", issued.credentials.access_key},
                           {"SecretAccessKey", issued.credentials.secret},
                           {"SessionToken", issued.credentials.session_token},
                           {"Expiration", issued.expires_ms / 1000}};
  return Value(json::Object{{"Credentials", credentials},
                            {"AssumedRoleUser", json::Object{{"AssumedRoleId", issued.user_id}, {"Arn", issued.arn}}}});
}

}  // namespace fixpoint::services
