#include "functions/store_rows.h"

#include <utility>

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::functions {

std::string arn_of(const FunctionName& name) {
  FunctionRecord record;
  record.owner = name.owner;
  record.name = name.name;
  return name.qualifier.empty() ? record.arn() : record.arn() + ":" + name.qualifier;
}

namespace rows {

std::optional<std::int64_t> version_number(std::string_view version) {
  if (version == "$LATEST") return 0;
  const auto number = to_int64(version);
  if (!number || *number < 1 || std::to_string(*number) != version) return {};
  return number;
}

Error function_not_found(const FunctionName& name) {
  return errors::resource_not_found("Function not found: " + arn_of(name));
}

tl::unexpected<Error> invalid_parameter(std::string message) {
  return fail(errors::coded("InvalidParameterValueException", std::move(message), 400));
}

Result<void> check_revision(std::string_view expected, const std::string& actual) {
  if (expected.empty() || expected == actual) return {};
  return fail(
      errors::coded("PreconditionFailedException",
                    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias "
                    "API to retrieve the latest Revision Id",
                    412));
}

Result<std::optional<FunctionRecord>> find(store::Session& session, const Owner& owner, const std::string& name,
                                           std::int64_t version) {
  FIXPOINT_TRY(
      found,
      session.query("SELECT record FROM lambda_function WHERE account = ? AND region = ? AND name = ? AND version = ?",
                    {owner.account, owner.region, name, version}));
  if (found.empty()) return std::optional<FunctionRecord>();
  FIXPOINT_TRY(value, json::parse(found[0].text(0)));
  FIXPOINT_TRY(record, record_from_json(value));
  return std::optional<FunctionRecord>(std::move(record));
}

Result<FunctionRecord> latest(store::Session& session, const FunctionName& name) {
  FIXPOINT_TRY(found, find(session, name.owner, name.name, 0));
  if (!found) return fail(function_not_found({name.owner, name.name, {}}));
  return std::move(*found);
}

Result<FunctionRecord> resolve(store::Session& session, const FunctionName& name) {
  if (name.qualifier.empty()) return latest(session, name);
  auto version = version_number(name.qualifier);
  if (!version) {
    FIXPOINT_TRY(alias, find_alias(session, name, name.qualifier));
    if (alias) version = version_number(alias->version);
  }
  if (!version) return fail(function_not_found(name));
  FIXPOINT_TRY(found, find(session, name.owner, name.name, *version));
  if (!found) return fail(function_not_found(name));
  return std::move(*found);
}

Result<std::optional<Alias>> find_alias(store::Session& session, const FunctionName& name, std::string_view alias) {
  FIXPOINT_TRY(found, session.query("SELECT alias, version, description, revision_id FROM lambda_alias "
                                    "WHERE account = ? AND region = ? AND name = ? AND alias = ?",
                                    {name.owner.account, name.owner.region, name.name, std::string(alias)}));
  if (found.empty()) return std::optional<Alias>();
  auto& row = found[0];
  return std::optional<Alias>(Alias{row.take(0), row.take(1), row.take(2), row.take(3)});
}

Result<void> update(store::Transaction& tx, const FunctionRecord& record) {
  FIXPOINT_CHECK(tx.execute(
      "UPDATE lambda_function SET record = ?, code = ? WHERE account = ? AND region = ? AND name = ? AND version = ?",
      {json::print(record_to_json(record)), record.code_sha256, record.owner.account, record.owner.region, record.name,
       version_number(record.version).value_or(0)}));
  return {};
}

}  // namespace rows
}  // namespace fixpoint::functions
