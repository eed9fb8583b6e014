#include "functions/record.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/arn.h"
#include "base/text.h"

namespace fixpoint::functions {
namespace {

constexpr int oldest_python_minor = 6;
constexpr int newest_python_minor = 14;
constexpr std::size_t environment_limit_bytes = 4096;

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables"
constexpr std::array reserved_variables{
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
};

tl::unexpected<Error> invalid(std::string message) {
  return fail(errors::coded("InvalidParameterValueException", std::move(message), 400));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; });
}
bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), is_digit);
}
// us-east-1, us-gov-west-1, us-isob-east-1
bool is_region(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() < 3 || parts.size() > 4 || parts[0].size() != 2) return false;
  if (parts.back().size() != 1 || !is_digit(parts.back()[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; });
}

Result<void> validate_role(std::string_view role) {
  const auto arn = parse_arn(role);
  if (!arn || arn->service != "iam" || !is_account(arn->account) || !arn->resource.starts_with("role/") ||
      arn->resource.size() == 5 || !arn->partition.starts_with("aws"))
    return fail(
        errors::validation("Value '" + std::string(role) +
                           "' at 'role' is not the ARN of an IAM role, as in arn:aws:iam::123456789012:role/name"));
  return {};
}

Result<void> validate_runtime(std::string_view runtime) {
  if (runtime.starts_with("python3.")) {
    const auto minor = to_int64(runtime.substr(8));
    if (minor && *minor >= oldest_python_minor && *minor <= newest_python_minor &&
        runtime == "python3." + std::to_string(*minor))
      return {};
  }
  if (runtime.empty())
    return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.");
  return invalid("The runtime " + std::string(runtime) +
                 " cannot be run here: fixpoint runs Python handlers, so name one of " +
                 std::string(supported_runtimes()) + ".");
}

Result<void> validate_environment(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> reserved;
  std::size_t bytes = 0;
  for (const auto& [key, value] : environment) {
    bytes += key.size() + value.size() + 6;  // Lambda measures the JSON text: quotes, colon and comma count
    const bool shaped = key.size() >= 2 && is_letter(key[0]) && std::all_of(key.begin(), key.end(), [](char c) {
                          return is_digit(c) || is_letter(c) || c == '_';
                        });
    if (std::find(reserved_variables.begin(), reserved_variables.end(), key) != reserved_variables.end())
      reserved.push_back(key);
    else if (!shaped)
      return fail(errors::validation("Value '" + key +
                                     "' at 'environment.variables' is no name of a variable: a letter, then letters, "
                                     "digits and underscores, two characters at least"));
    if (value.find('\0') != std::string::npos)
      return invalid("The value of the environment variable " + key +
                     " holds a NUL byte, which no environment can hold.");
  }
  if (!reserved.empty())
    return invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this "
        "request: " +
        join(reserved, ", "));
  if (bytes > environment_limit_bytes)
    return invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "exceeded the 4KB limit.");
  return {};
}

Result<void> validate_range(std::string_view member, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return {};
  const bool low = value < least;
  return fail(errors::validation(
      "1 validation error detected: Value '" + std::to_string(value) + "' at '" + std::string(member) +
      "' failed to satisfy constraint: Member must have value " +
      (low ? "greater than or equal to " + std::to_string(least) : "less than or equal to " + std::to_string(most))));
}

json::Value map_to_json(const std::map<std::string, std::string>& map) {
  json::Object object;
  for (const auto& [key, value] : map) object.append(key, value);
  return object;
}

std::map<std::string, std::string> map_from_json(const json::Value& value) {
  std::map<std::string, std::string> map;
  if (value.is_object())
    for (const auto& member : value.as_object()) map[member.key] = std::string(member.value.string_or(""));
  return map;
}

// Lambda writes LastModified with a numeric zone: 2024-01-02T03:04:05.678+0000
std::string last_modified_text(TimeMs time_ms) {
  std::string text = format_iso8601_ms(time_ms);
  text.pop_back();
  return text + "+0000";
}

}  // namespace

std::string FunctionRecord::arn() const {
  return "arn:" + std::string(partition_of_region(owner.region)) + ":lambda:" + owner.region + ":" + owner.account +
         ":function:" + name;
}

std::string FunctionRecord::qualified_arn() const {
  return arn() + ":" + version;
}

std::string_view supported_runtimes() {
  return "python3.6 to python3.14";
}

Result<FunctionName> parse_function_name(std::string_view text, const Owner& caller, std::string_view qualifier) {
  const auto malformed = [&](std::string_view why) {
    return fail(
        errors::validation("Value '" + std::string(text.substr(0, 200)) + "' at 'functionName' " + std::string(why) +
                           "; a name, ACCOUNT:function:NAME or an ARN is right, each with :QUALIFIER or without"));
  };
  if (text.size() > 256) return malformed("is too long");
  std::vector<std::string_view> parts = split(text, ':');
  std::size_t at = 0;
  FunctionName out{caller, {}, {}};
  if (parts[0] == "arn") {
    if (parts.size() < 7 || !parts[1].starts_with("aws") || parts[2] != "lambda" || !is_region(parts[3]) ||
        !is_account(parts[4]) || parts[5] != "function")
      return malformed("is not the ARN of a function");
    if (const auto partition = partition_of_region(parts[3]); parts[1] != partition)
      return malformed("names the partition " + std::string(parts[1]) + ", and that of " + std::string(parts[3]) +
                       " is " + std::string(partition));
    at = 3;
  }
  if (parts.size() - at > 1 && is_region(parts[at])) {
    out.owner.region = std::string(parts[at++]);
    if (out.owner.region != caller.region)
      return fail(errors::resource_not_found("Functions from '" + out.owner.region +
                                             "' are not reachable in this region ('" + caller.region + "')"));
  }
  if (parts.size() - at > 2 && is_account(parts[at]) && parts[at + 1] == "function")
    out.owner.account = std::string(parts[at++]);
  if (parts.size() - at > 1 && parts[at] == "function") ++at;
  if (parts.size() - at > 2) return malformed("has too many parts");
  out.name = std::string(parts[at++]);
  if (!is_name(out.name)) return malformed("names no function");
  if (out.name.size() > 64) return malformed("has a name of more than 64 characters");
  if (at < parts.size()) out.qualifier = std::string(parts[at]);
  const bool has_own = at < parts.size();
  if (has_own && !is_name(out.qualifier) && out.qualifier != "$LATEST")
    return malformed("has no qualifier after its last colon");
  if (!qualifier.empty()) {
    if (has_own && out.qualifier != qualifier)
      return invalid("The derived qualifier from the function name does not match the specified qualifier.");
    if (qualifier.size() > 128 || (!is_name(qualifier) && qualifier != "$LATEST"))
      return fail(errors::validation("Value '" + std::string(qualifier.substr(0, 200)) +
                                     "' at 'qualifier' is neither a version number, $LATEST nor the name of an alias"));
    out.qualifier = std::string(qualifier);
  }
  return out;
}

Result<void> validate(const FunctionRecord& record) {
  if (!is_name(record.name) || record.name.size() > 64)
    return fail(
        errors::validation("Value '" + record.name.substr(0, 200) +
                           "' at 'functionName' is no name of a function: 1 to 64 letters, digits, '-' and '_'"));
  FIXPOINT_CHECK(validate_runtime(record.runtime));
  if (record.handler.empty() || record.handler.size() > 128 ||
      record.handler.find_first_of(" \t\r\n\f\v") != std::string::npos ||
      record.handler.find('\0') != std::string::npos)
    return fail(
        errors::validation("Value '" + record.handler.substr(0, 200) +
                           "' at 'handler' is no handler: MODULE.FUNCTION without blanks, at most 128 characters"));
  FIXPOINT_CHECK(validate_role(record.role));
  if (record.description.size() > 256)
    return fail(errors::validation("The description has " + std::to_string(record.description.size()) +
                                   " bytes; 256 at most are right"));
  FIXPOINT_CHECK(validate_range("timeout", record.timeout_s, 1, 900));
  FIXPOINT_CHECK(validate_range("memorySize", record.memory_mb, 128, 10240));
  FIXPOINT_CHECK(validate_range("ephemeralStorage.size", record.ephemeral_storage_mb, 512, 10240));
  if (record.architecture != "x86_64" && record.architecture != "arm64")
    return fail(
        errors::validation("Value '" + record.architecture + "' at 'architectures' is neither x86_64 nor arm64"));
  if (record.tags.size() > 50) return invalid("A function has 50 tags at most.");
  for (const auto& [key, value] : record.tags)
    if (key.empty() || key.size() > 128 || value.size() > 256 || key.starts_with("aws:"))
      return invalid(
          "The tag '" + key.substr(0, 128) +
          "' is not allowed: keys have 1 to 128 characters and do not begin with aws:, values have 256 at most.");
  return validate_environment(record.environment);
}

json::Value configuration_of(const FunctionRecord& record, bool qualified) {
  json::Object out;
  out.append("FunctionName", record.name);
  out.append("FunctionArn", qualified ? record.qualified_arn() : record.arn());
  out.append("Runtime", record.runtime);
  out.append("Role", record.role);
  out.append("Handler", record.handler);
  out.append("CodeSize", record.code_bytes);
  out.append("Description", record.description);
  out.append("Timeout", record.timeout_s);
  out.append("MemorySize", record.memory_mb);
  out.append("LastModified", last_modified_text(record.last_modified_ms));
  out.append("CodeSha256", record.code_sha256);
  out.append("Version", record.version);
  out.append("TracingConfig", json::Object{{"Mode", "PassThrough"}});
  out.append("RevisionId", record.revision_id);
  if (!record.environment.empty())
    out.append("Environment", json::Object{{"Variables", map_to_json(record.environment)}});
  out.append("State", "Active");
  out.append("LastUpdateStatus", "Successful");
  out.append("PackageType", "Zip");
  out.append("Architectures", json::Array{record.architecture});
  out.append("EphemeralStorage", json::Object{{"Size", record.ephemeral_storage_mb}});
  out.append("SnapStart", json::Object{{"ApplyOn", "None"}, {"OptimizationStatus", "Off"}});
  out.append("LoggingConfig", json::Object{{"LogFormat", "Text"}, {"LogGroup", "/aws/lambda/" + record.name}});
  return out;
}

json::Value record_to_json(const FunctionRecord& record) {
  json::Object out;
  out.append("account", record.owner.account);
  out.append("region", record.owner.region);
  out.append("name", record.name);
  out.append("version", record.version);
  out.append("runtime", record.runtime);
  out.append("handler", record.handler);
  out.append("role", record.role);
  out.append("description", record.description);
  out.append("timeout_s", record.timeout_s);
  out.append("memory_mb", record.memory_mb);
  out.append("ephemeral_storage_mb", record.ephemeral_storage_mb);
  out.append("architecture", record.architecture);
  out.append("environment", map_to_json(record.environment));
  out.append("tags", map_to_json(record.tags));
  if (record.reserved_concurrency) out.append("reserved_concurrency", *record.reserved_concurrency);
  out.append("code_sha256", record.code_sha256);
  out.append("code_bytes", record.code_bytes);
  out.append("last_modified_ms", record.last_modified_ms);
  out.append("revision_id", record.revision_id);
  return out;
}

Result<FunctionRecord> record_from_json(const json::Value& value) {
  if (!value.is_object() || !value["name"].is_string())
    return fail(errors::internal("a stored function record cannot be read: it has no name"));
  FunctionRecord out;
  const auto text = [&](const char* key) { return std::string(value[key].string_or("")); };
  out.owner = {text("account"), text("region")};
  out.name = text("name");
  out.version = text("version");
  out.runtime = text("runtime");
  out.handler = text("handler");
  out.role = text("role");
  out.description = text("description");
  out.timeout_s = static_cast<int>(value["timeout_s"].int_or(3));
  out.memory_mb = static_cast<int>(value["memory_mb"].int_or(128));
  out.ephemeral_storage_mb = static_cast<int>(value["ephemeral_storage_mb"].int_or(512));
  out.architecture = text("architecture");
  out.environment = map_from_json(value["environment"]);
  out.tags = map_from_json(value["tags"]);
  if (const auto reserved = value["reserved_concurrency"].as_int64())
    out.reserved_concurrency = static_cast<int>(*reserved);
  out.code_sha256 = text("code_sha256");
  out.code_bytes = value["code_bytes"].int_or(0);
  out.last_modified_ms = value["last_modified_ms"].int_or(0);
  out.revision_id = text("revision_id");
  return out;
}

}  // namespace fixpoint::functions
