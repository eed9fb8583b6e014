#include "services/lambda/lambda.h"

#include <array>

#include "aws/verify.h"
#include "base/arn.h"
#include "base/id.h"
#include "base/text.h"
#include "executions/echo.h"
#include "json/text.h"

namespace fixpoint::services {
namespace {

using functions::FunctionName;
using functions::Owner;
using json::Value;

Owner owner_of(const aws::Caller& caller) {
  return {caller.account, caller.region};
}

Result<FunctionName> name_of(const aws::Caller& caller, const Value& input) {
  return functions::parse_function_name(input["FunctionName"].string_or(""), owner_of(caller),
                                        input["Qualifier"].string_or(""));
}

std::map<std::string, std::string> text_map(const Value& map) {
  std::map<std::string, std::string> out;
  if (map.is_object())
    for (const auto& member : map.as_object()) out.emplace(member.key, std::string(member.value.string_or("")));
  return out;
}

// What the model has and this server has not, in whichever operation it comes; docs/compatibility.md has the same list.
constexpr std::array absent{
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DeadLetterConfig",
    "DurableConfig",
    "DurableExecutionName",
    "FileSystemConfigs",
    "FunctionVersion",
    "ImageConfig",
    "KMSKeyArn",
    "Layers",
    "LoggingConfig",
    "MasterRegion",
    "PublishTo",
    "SnapStart",
    "SourceKMSKeyArn",
    "TenancyConfig",
    "TenantId",
    "TracingConfig",
    "VpcConfig",
};

#ifdef __aarch64__
constexpr std::string_view machine_architecture = "arm64";
#else
constexpr std::string_view machine_architecture = "x86_64";
#endif

// The first member under `value` that asks for something. Empty texts, lists and structures ask for nothing, and so
// does what the server does anyway; the bound on the depth is the model's.
std::optional<std::string> asked_for(const Value& value, const std::string& path, const std::string& log_group) {
  if (value.is_object()) {
    for (const auto& member : value.as_object())
      if (auto asked = asked_for(member.value, path + "." + member.key, log_group)) return asked;
    return std::nullopt;
  }
  const bool nothing = value.is_null() || (value.is_array() && value.size() == 0) || value == Value("") ||
                       value == Value(false) || (path == "TracingConfig.Mode" && value == Value("PassThrough")) ||
                       (path == "SnapStart.ApplyOn" && value == Value("None")) ||
                       (path == "LoggingConfig.LogFormat" && value == Value("Text")) ||
                       (path == "LoggingConfig.LogGroup" && value == Value(log_group));
  return nothing ? std::nullopt : std::optional<std::string>(path);
}

Result<void> refuse_absent(const aws::Caller& caller, const Value& input) {
  const auto name = functions::parse_function_name(input["FunctionName"].string_or(""), owner_of(caller));
  const std::string log_group = name ? "/aws/lambda/" + name->name : std::string();
  for (const auto* member : absent)
    for (const Value* holder : {&input, &input["Code"]})
      if (const auto asked = asked_for((*holder)[member], member, log_group))
        return fail(errors::not_implemented(*asked + " is not there; leave it out", *asked));
  const Value& architectures = input["Architectures"];
  for (std::size_t i = 0; i < architectures.size(); ++i)
    if (const auto asked = architectures[i].string_or(""); asked != machine_architecture)
      return fail(errors::not_implemented("Architectures names " + std::string(asked) +
                                              ", and this machine runs functions of " +
                                              std::string(machine_architecture) + " alone; name that or none",
                                          "Architectures"));
  return {};
}

// Code by S3Bucket or ImageUri is not there; the sentence says what is.
Result<std::string> zip_of(const Value& code) {
  for (const auto* other : {"S3Bucket", "ImageUri"})
    if (code.find(other) != nullptr)
      return fail(errors::not_implemented(
          std::string("code from ") + other + " is not there yet; send the zip itself as ZipFile", other));
  auto bytes = base64_decode(code["ZipFile"].string_or(""));
  if (!bytes || bytes->empty())
    return fail(errors::coded("InvalidParameterValueException",
                              "Please provide a source for function code: ZipFile has to hold a zip", 400));
  return std::move(*bytes);
}

Result<functions::CreateFunction> creation_of(const Value& input) {
  functions::CreateFunction out;
  FIXPOINT_TRY(zip, zip_of(input["Code"]));
  out.code_zip = std::move(zip);
  out.name = input["FunctionName"].string_or("");
  out.runtime = input["Runtime"].string_or("");
  out.handler = input["Handler"].string_or("");
  out.role = input["Role"].string_or("");
  out.description = input["Description"].string_or("");
  out.timeout_s = input["Timeout"].as_int64();
  out.memory_mb = input["MemorySize"].as_int64();
  out.ephemeral_storage_mb = input["EphemeralStorage"]["Size"].as_int64();
  out.architecture = machine_architecture;
  out.package_type = input["PackageType"].string_or("Zip");
  out.environment = text_map(input["Environment"]["Variables"]);
  out.tags = text_map(input["Tags"]);
  out.publish = input["Publish"].bool_or(false);
  return out;
}

std::optional<std::string> text_of(const Value& input, const char* member) {
  const Value* value = input.find(member);
  return value != nullptr && value->is_string() ? std::optional<std::string>(value->as_string()) : std::nullopt;
}

functions::UpdateConfiguration update_of(const Value& input) {
  functions::UpdateConfiguration out;
  out.runtime = text_of(input, "Runtime");
  out.handler = text_of(input, "Handler");
  out.role = text_of(input, "Role");
  out.description = text_of(input, "Description");
  out.timeout_s = input["Timeout"].as_int64();
  out.memory_mb = input["MemorySize"].as_int64();
  out.ephemeral_storage_mb = input["EphemeralStorage"]["Size"].as_int64();
  if (input["Environment"].find("Variables") != nullptr) out.environment = text_map(input["Environment"]["Variables"]);
  out.revision_id = input["RevisionId"].string_or("");
  return out;
}

json::Object tags_of(const functions::FunctionRecord& record) {
  json::Object tags;
  for (const auto& [key, value] : record.tags) tags.set(key, value);
  return tags;
}

// What is tagged is a function, by its ARN without a qualifier.
Result<FunctionName> tagged_name(const aws::Caller& caller, const Value& input) {
  const std::string_view resource = input["Resource"].string_or("");
  FIXPOINT_TRY(name, functions::parse_function_name(resource, owner_of(caller)));
  if (!resource.starts_with("arn:") || !name.qualifier.empty())
    return fail(errors::coded("InvalidParameterValueException",
                              "Value '" + std::string(resource.substr(0, 200)) +
                                  "' at 'resource' is not the ARN of a function: tags are on functions, not on their "
                                  "versions and aliases",
                              400));
  return name;
}

// What Invoke answers of an execution that has ended.
Result<Value> invoke_result(const executions::Execution& execution, bool with_log) {
  const Value& result = execution.result;
  if (const Value* error = result.find("Error"))
    return fail(errors::coded(std::string(error->string_or("ServiceException")),
                              std::string(result["Message"].string_or("")), 0));
  Value out{json::Object{{"StatusCode", 200},
                         {"Payload", base64_encode(result["Payload"].string_or(""))},
                         {"ExecutedVersion", result["Version"]}}};
  if (!result["FunctionError"].string_or("").empty()) out.set("FunctionError", result["FunctionError"]);
  if (with_log) out.set("LogResult", base64_encode(result["LogTail"].string_or("")));
  return out;
}

}  // namespace

aws::ServiceTable Lambda::table() {
  aws::ServiceTable table;
  table.service = "lambda";
  table.add("CreateFunction", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(creation, creation_of(input));
    FIXPOINT_TRY(record, functions_.create(owner_of(caller), std::move(creation)));
    return functions::configuration_of(record, input["Publish"].bool_or(false));
  });
  table.add_quick("GetFunction", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(record, functions_.get(name));
    FIXPOINT_TRY(reserved, functions_.reserved_concurrency(name));
    Value out = json::Object{{"Configuration", functions::configuration_of(record, !name.qualifier.empty())},
                             {"Tags", tags_of(record)}};
    if (reserved) out.set("Concurrency", json::Object{{"ReservedConcurrentExecutions", *reserved}});
    return out;
  });
  table.add_quick("GetFunctionConfiguration", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(record, functions_.get(name));
    return functions::configuration_of(record, !name.qualifier.empty());
  });
  table.add_quick("ListFunctions", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(page, functions_.list(owner_of(caller), input["Marker"].string_or(""),
                                       static_cast<int>(std::min<std::int64_t>(50, input["MaxItems"].int_or(50)))));
    json::Array list;
    for (const auto& record : page.items) list.push_back(functions::configuration_of(record, false));
    Value out{json::Object{{"Functions", list}}};
    if (!page.next_marker.empty()) out.set("NextMarker", page.next_marker);
    return out;
  });
  // DryRun: "validate the request parameters and access permissions without modifying the function code".
  // https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
  table.add("UpdateFunctionCode", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(zip, zip_of(input));
    const bool publish = input["Publish"].bool_or(false);
    FIXPOINT_TRY(record, functions_.update_code(name, std::move(zip), publish, input["RevisionId"].string_or(""),
                                                input["DryRun"].bool_or(false)));
    return functions::configuration_of(record, publish);
  });
  table.add("UpdateFunctionConfiguration", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(record, functions_.update_configuration(name, update_of(input)));
    return functions::configuration_of(record, false);
  });
  table.add("DeleteFunction", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_CHECK(functions_.remove(name));
    return Value(json::Object());
  });
  table.add("AddPermission", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    const auto text = [&](const char* member) { return std::string(input[member].string_or("")); };
    functions::AddPermission permission{text("StatementId"),         text("Action"),
                                        text("Principal"),           text("SourceArn"),
                                        text("SourceAccount"),       text("EventSourceToken"),
                                        text("PrincipalOrgID"),      text("RevisionId"),
                                        text("FunctionUrlAuthType"), input["InvokedViaFunctionUrl"].bool_or(false)};
    FIXPOINT_TRY(statement, functions_.add_permission(name, permission));
    return Value(json::Object{{"Statement", json::print(statement)}});
  });
  table.add("RemovePermission", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_CHECK(
        functions_.remove_permission(name, input["StatementId"].string_or(""), input["RevisionId"].string_or("")));
    return Value(json::Object());
  });
  table.add_quick("GetPolicy", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(policy, functions_.policy(name));
    FIXPOINT_TRY(record, functions_.get(name));
    return Value(json::Object{{"Policy", json::print(policy)}, {"RevisionId", record.revision_id}});
  });
  table.add("PutFunctionConcurrency", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_CHECK(functions_.reserve_concurrency(name, input["ReservedConcurrentExecutions"].as_int64()));
    return Value(json::Object{{"ReservedConcurrentExecutions", input["ReservedConcurrentExecutions"]}});
  });
  table.add_quick("GetFunctionConcurrency", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(reserved, functions_.reserved_concurrency(name));
    return Value(reserved ? json::Object{{"ReservedConcurrentExecutions", *reserved}} : json::Object());
  });
  table.add("DeleteFunctionConcurrency", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_CHECK(functions_.reserve_concurrency(name, std::nullopt));
    return Value(json::Object());
  });
  table.add("TagResource", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, tagged_name(caller, input));
    FIXPOINT_CHECK(functions_.change_tags(name, text_map(input["Tags"]), {}));
    return Value(json::Object());
  });
  table.add("UntagResource", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, tagged_name(caller, input));
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < input["TagKeys"].size(); ++i) keys.emplace_back(input["TagKeys"][i].string_or(""));
    FIXPOINT_CHECK(functions_.change_tags(name, {}, keys));
    return Value(json::Object());
  });
  table.add_quick("ListTags", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, tagged_name(caller, input));
    FIXPOINT_TRY(record, functions_.get(name));
    return Value(json::Object{{"Tags", tags_of(record)}});
  });
  table.add_async("Invoke", [this](const aws::Caller& caller, const Value& input, aws::Answer answer) {
    if (auto refused = refuse_absent(caller, input); !refused) return answer(fail(std::move(refused.error())));
    invoke(caller, input, std::move(answer));
  });
  for (auto& [name, operation] : table.operations)
    if (operation.function)
      operation.function = [inner = std::move(operation.function)](const aws::Caller& caller,
                                                                   const Value& input) -> Result<Value> {
        FIXPOINT_CHECK(refuse_absent(caller, input));
        return inner(caller, input);
      };
  return table;
}

// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
void Lambda::invoke(const aws::Caller& caller, const Value& input, aws::Answer answer) {
  auto name = name_of(caller, input);
  if (!name) return answer(fail(std::move(name.error())));
  auto record = functions_.get(*name);
  if (!record) return answer(fail(std::move(record.error())));
  const std::string type(input["InvocationType"].string_or("RequestResponse"));
  if (type == "DryRun") return answer(Value(json::Object{{"StatusCode", 204}}));
  if (type == "RequestResponse" && functions_.reserved_concurrency(*name).value_or(std::nullopt) == 0)
    return answer(fail(errors::coded("TooManyRequestsException", "Rate Exceeded.", 429)));
  const auto bytes = base64_decode(input["Payload"].string_or(""));
  const std::string payload = !bytes || bytes->empty() ? "{}" : *bytes;
  // "For asynchronous invocations, the maximum payload size is 1 MB." (the page above)
  constexpr std::size_t event_limit_bytes = 1024UL * 1024;
  if (type == "Event" && payload.size() > event_limit_bytes)
    return answer(fail(errors::coded("RequestTooLargeException",
                                     std::to_string(payload.size()) +
                                         " byte payload is too large for the Event invocation type (limit " +
                                         std::to_string(event_limit_bytes) + " bytes)",
                                     413)));
  if (auto parsed = json::parse(payload); !parsed)
    return answer(fail(errors::coded(
        "InvalidRequestContentException",
        "Could not parse request body into json: " + parsed.error().message + " (" + parsed.error().where + ")", 400)));
  executions::Start start{.name = random_uuid(),
                          .kind = "function",
                          .program = record->arn(),
                          .account = caller.account,
                          .region = caller.region,
                          .subject = {},
                          .input = {}};
  start.input = json::Object{{"Payload", payload}, {"Async", type == "Event"}};
  if (!name->qualifier.empty()) start.input.set("Qualifier", name->qualifier);
  // A person decides by invoking it; a handler that invokes another one hands on what it may do itself.
  if (caller.principal && !caller.principal->execution.empty())
    start.input.set("Parent", caller.principal->execution);
  else if (caller.principal)
    start.input.set("By", caller.principal->person());
  if (const auto context = base64_decode(input["ClientContext"].string_or("")); context && !context->empty())
    start.input.set("ClientContext", *context);
  auto started = executor_.launch(start);
  if (!started) return answer(fail(std::move(started.error())));
  if (type == "Event") return answer(Value(json::Object{{"StatusCode", 202}}));
  const bool with_log = input["LogType"].string_or("") == "Tail";
  executor_.when_ended(started->id, [answer = std::move(answer), with_log](const executions::Execution& execution) {
    answer(invoke_result(execution, with_log));
  });
}

Result<void> Lambda::begin(store::Transaction& tx, const bus::Delivery& delivery, bool by_topic) {
  const auto arn = parse_arn(delivery.target.arn);
  if (!arn) return fail(arn.error());
  // A function that is not there gets nothing, now or later: the event is a dead letter.
  FIXPOINT_TRY(name, functions::parse_function_name(delivery.target.arn, {arn->account, arn->region}));
  FIXPOINT_TRY(record, functions_.get(tx, name));
  executions::Start start{.name = delivery.name(),
                          .kind = "function",
                          .program = record.arn(),
                          .account = arn->account,
                          .region = arn->region,
                          .subject = {},
                          .input = {}};
  const json::Value& first = delivery.event["detail"]["findings"][0];
  start.subject = first["Id"].string_or(first["finding_info"]["uid"].string_or(""));
  start.input = json::Object{{"Payload", delivery.text}, {"Async", true}, {"Rule", delivery.rule_arn}};
  if (!name.qualifier.empty()) start.input.set("Qualifier", name.qualifier);
  start.cause =
      delivery.origin.execution.empty() ? executions::execution_in(delivery.event) : delivery.origin.execution;
  if (by_topic) start.input.set("Topic", true);
  if (!by_topic && delivery.is_decision()) start.input.set("Decided", true);
  if (const std::string by = delivery.person(); !by.empty()) start.input.set("By", by);
  // What the rule made of the event need not hold the findings any more.
  const json::Value& form = delivery.target.form;
  const bool is_made = by_topic || form.find("Input") != nullptr || form.find("InputPath") != nullptr ||
                       form.find("InputTransformer") != nullptr;
  if (is_made && delivery.event["detail"]["findings"].is_array())
    start.input.set("Findings", delivery.event["detail"]["findings"]);
  FIXPOINT_CHECK(executor_.launch(tx, start));
  return {};
}

Result<void> Lambda::check_arn(const std::string& arn) {
  const auto parsed = parse_arn(arn);
  if (parsed && functions::parse_function_name(arn, {parsed->account, parsed->region})) return {};
  return fail(errors::validation("Parameter " + arn + " is not valid. Reason: Provided Arn is not in correct format.",
                                 "Targets"));
}

}  // namespace fixpoint::services
