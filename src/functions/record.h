#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::functions {

/// Whose function: an account in a region.
struct Owner {
  std::string account;  ///< twelve digits
  std::string region;

  bool operator==(const Owner&) const = default;
};

/// One version of a function, as CreateFunction and the Update and Publish calls leave it. A value; its code lies in
/// the store under `code_sha256`.
/// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
struct FunctionRecord {
  Owner owner;
  std::string name;
  std::string version = "$LATEST";  ///< "$LATEST" or a number from 1 on
  std::string runtime;              ///< "python3.12"
  std::string handler;              ///< "module.function", the module's folders divided by '/' or '.'
  std::string role;                 ///< ARN of an IAM role
  std::string description;
  int timeout_s = 3;
  int memory_mb = 128;
  int ephemeral_storage_mb = 512;
  std::string architecture = "x86_64";
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> tags;  ///< of the function; empty on published versions
  std::optional<int> reserved_concurrency;  ///< of the function; none on published versions
  std::string code_sha256;                  ///< base64 of the SHA-256 of the zip, as Lambda's CodeSha256
  std::int64_t code_bytes = 0;              ///< of the zip
  TimeMs last_modified_ms = 0;
  std::string revision_id;  ///< a new UUID with every change of code, configuration or permissions

  /// "arn:aws:lambda:us-east-1:123456789012:function:name", the partition after the region.
  std::string arn() const;
  /// The same with ":version" behind it, "$LATEST" included.
  std::string qualified_arn() const;
};

/// What CreateFunction asks for. Absent members take Lambda's defaults.
struct CreateFunction {
  std::string name;  ///< a bare name, or any form that parse_function_name() takes without a qualifier
  std::string runtime;
  std::string handler;
  std::string role;
  std::string code_zip;  ///< the zip's bytes
  std::string description;
  std::optional<std::int64_t> timeout_s;
  std::optional<std::int64_t> memory_mb;
  std::optional<std::int64_t> ephemeral_storage_mb;
  std::string architecture = "x86_64";
  std::string package_type = "Zip";
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> tags;
  std::vector<std::string> layers;  ///< refused where there are any: there are no layers here
  bool publish = false;
};

/// What UpdateFunctionConfiguration asks for: absent members stay as they are.
struct UpdateConfiguration {
  std::optional<std::string> runtime = {};
  std::optional<std::string> handler = {};
  std::optional<std::string> role = {};
  std::optional<std::string> description = {};
  std::optional<std::int64_t> timeout_s = {};
  std::optional<std::int64_t> memory_mb = {};
  std::optional<std::int64_t> ephemeral_storage_mb = {};
  std::optional<std::map<std::string, std::string>> environment = {};
  std::vector<std::string> layers = {};  ///< refused, as above
  std::string revision_id = {};          ///< where not empty: the change is made only to that revision
};

/// A function as a caller names it.
struct FunctionName {
  Owner owner;
  std::string name;
  std::string qualifier;  ///< version number, "$LATEST" or alias; empty where the name carries none
};

/// Reads every form that Lambda takes for FunctionName: `name`, `name:qualifier`, `123456789012:function:name`,
/// `123456789012:function:name:qualifier`, and the ARN with or without a qualifier. What the text leaves out is taken
/// from `caller`. `qualifier` is the call's own Qualifier, empty for none.
/// Errors: ValidationException for a text of another form, and for an ARN whose partition is not that of its region;
/// InvalidParameterValueException where the name's qualifier and the call's differ; ResourceNotFoundException for an
/// ARN of another region than the caller's, as Lambda answers.
/// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (URI request parameters)
Result<FunctionName> parse_function_name(std::string_view text, const Owner& caller, std::string_view qualifier = {});

/// The record as a FunctionConfiguration: Lambda's member names. `qualified` gives the ARN with its version, as for
/// published versions and for a call that named a qualifier.
json::Value configuration_of(const FunctionRecord& record, bool qualified);

/// Every rule for the members that a caller sets. Error: InvalidParameterValueException naming the member and what
/// would be right; ValidationException for one beyond the service model's own bounds.
Result<void> validate(const FunctionRecord& record);
/// The runtimes that run here, for sentences: "python3.6 to python3.14".
std::string_view supported_runtimes();

/// How the record lies in the store; `record_from_json` throws nothing and answers InternalFailure for what it cannot
/// read.
json::Value record_to_json(const FunctionRecord& record);
Result<FunctionRecord> record_from_json(const json::Value& value);

}  // namespace fixpoint::functions
