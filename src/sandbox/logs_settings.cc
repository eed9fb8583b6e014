#include "base/arn.h"
#include "sandbox/kms.h"
#include "sandbox/operation.h"
#include "sandbox/paging.h"

namespace fixpoint::sandbox {
namespace logs {
namespace {

tl::unexpected<Error> refuse(std::string code, std::string message) {
  return fail(errors::coded(std::move(code), std::move(message), 400));
}

Scope filters_of(const Request& request) {
  return request.regional("logs", "filter");
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
Reply describe_metric_filters(Request& request) {
  const std::string group(request.text("logGroupName"));
  if (!group.empty() && !request.state.get(request.regional("logs", "group"), group))
    return refuse("ResourceNotFoundException", "The specified log group does not exist.");
  if (request.has("metricName") != request.has("metricNamespace"))
    return refuse("InvalidParameterException", "The parameters metricName and metricNamespace are given together.");
  const std::int64_t most = request.input["limit"].int_or(50);
  FIXPOINT_TRY(after, page_position(request.text("nextToken"), "InvalidParameterException",
                                    "The specified nextToken is invalid."));
  const auto counts = [&](const json::Value& filter) {
    if (filter["filterName"].string_or({}).substr(0, request.text("filterNamePrefix").size()) !=
        request.text("filterNamePrefix"))
      return false;
    if (!request.has("metricName")) return true;
    const json::Value& metrics = filter["metricTransformations"];
    for (std::size_t i = 0; i < metrics.size(); ++i)
      if (metrics[i]["metricName"] == request.input["metricName"] &&
          metrics[i]["metricNamespace"] == request.input["metricNamespace"])
        return true;
    return false;
  };
  json::Object out;
  json::Array filters;
  std::string last;
  request.state.each(filters_of(request), group.empty() ? group : group + "//", after,
                     [&](std::string_view id, const Document& body) {
                       if (!body || !counts(*body)) return true;
                       if (static_cast<std::int64_t>(filters.size()) == most) {
                         out.set("nextToken", page_token(last));
                         return false;
                       }
                       filters.push_back(*body);
                       last = id;
                       return true;
                     });
  out.set("metricFilters", std::move(filters));
  return out;
}

// A key of another account is not looked for.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
Result<void> check_key(Request& request) {
  const std::string name(request.text("kmsKeyId"));
  if (name.empty()) return {};
  const auto arn = parse_arn(name);
  if (!arn || arn->service != "kms" || arn->resource.substr(0, 4) != "key/")
    return refuse("InvalidParameterException", "The specified KMS key '" + name + "' is not the ARN of a key.");
  if (arn->account != request.context.account) return {};
  const auto key = kms::find_key(request, name);
  if (!key)
    return refuse("InvalidParameterException",
                  "The specified KMS key '" + name + "' does not exist or is not allowed to be used.");
  if ((**key)["Metadata"]["KeyState"].string_or({}) != "Enabled")
    return refuse("InvalidParameterException", "The specified KMS key '" + name + "' is not enabled.");
  return {};
}

// A group says how many filters it has.
Reply change_filters(Request& request, const Operations::Function& declared) {
  FIXPOINT_TRY(answer, declared(request));
  const Scope groups = request.regional("logs", "group");
  const std::string name(request.text("logGroupName"));
  std::int64_t count = 0;
  request.state.each(filters_of(request), name + "//", {}, [&](std::string_view, const Document& body) {
    count += body ? 1 : 0;
    return true;
  });
  if (const Document group = request.state.get(groups, name)) {
    json::Value body = *group;
    body.set("metricFilterCount", count);
    request.state.put(groups, name, std::move(body));
  }
  return answer;
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
Result<void> check_name_given_once(Request& request) {
  if (!request.has("logGroupNamePrefix") || !request.has("logGroupNamePattern")) return {};
  return refuse("InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually exclusive.");
}

// The groups that logGroupIdentifiers name, by name or ARN; those of other accounts and regions are out of sight.
Reply describe_groups(Request& request, const Operations::Function& declared) {
  const json::Value& identifiers = request.input["logGroupIdentifiers"];
  if (identifiers.is_null()) return declared(request);
  for (const auto member : {"logGroupNamePrefix", "logGroupNamePattern", "logGroupClass"})
    if (request.has(member))
      return refuse("InvalidParameterException",
                    "logGroupIdentifiers and " + std::string(member) + " are mutually exclusive.");
  json::Array names;
  for (const json::Value& one : identifiers.as_array()) {
    const std::string text(one.string_or({}));
    if (!text.starts_with("arn:")) {
      names.emplace_back(text);
      continue;
    }
    const auto arn = parse_arn(text);
    if (!arn || arn->service != "logs" || !arn->resource.starts_with("log-group:"))
      return refuse("InvalidParameterException", "'" + text + "' is not the ARN of a log group.");
    const bool here = arn->account == request.context.account && arn->region == request.context.region;
    const std::string_view name = std::string_view(arn->resource).substr(10);
    names.emplace_back(here ? name.substr(0, name.find(':')) : std::string_view());  // no group has the name ""
  }
  json::Value input = request.input;
  input.set("logGroupIdentifiers", std::move(names));
  Request asked{request.context, input, request.state, request.now_ms, request.operation};
  return declared(asked);
}

}  // namespace
}  // namespace logs

void add_log_settings(Services& services) {
  Operations table("logs", services);
  table.reads("DescribeMetricFilters", logs::describe_metric_filters);
  check_before(services, "logs", "CreateLogGroup", logs::check_key);
  check_before(services, "logs", "AssociateKmsKey", logs::check_key);
  check_before(services, "logs", "DescribeLogGroups", logs::check_name_given_once);
  table.reads("DescribeLogGroups", [declared = services["logs"].find("DescribeLogGroups")->second.run](
                                       Request& request) { return logs::describe_groups(request, declared); });
  for (const auto name : {"PutMetricFilter", "DeleteMetricFilter"})
    table.changes(name, [declared = services["logs"].find(name)->second.run](Request& request) {
      return logs::change_filters(request, declared);
    });
}

}  // namespace fixpoint::sandbox
