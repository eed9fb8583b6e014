// Aliases and the resource policy of FunctionStore.
#include <algorithm>
#include <utility>

#include "base/arn.h"
#include "base/id.h"
#include "functions/store.h"
#include "functions/store_rows.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

using store::Session;
using store::Transaction;

bool is_word(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           also.find(c) != std::string_view::npos;
  });
}

Result<void> check_alias_name(const std::string& alias) {
  const bool number =
      !alias.empty() && std::all_of(alias.begin(), alias.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (alias.empty() || alias.size() > 128 || number || !is_word(alias, "-_"))
    return fail(errors::validation(
        "Value '" + alias.substr(0, 200) +
        "' at 'name' is no name of an alias: 1 to 128 letters, digits, '-' and '_', and not a number"));
  return {};
}

Result<void> check_alias_version(Session& session, const FunctionName& name, const Alias& alias) {
  const FunctionName target{name.owner, name.name, alias.version};
  const auto version = rows::version_number(alias.version);
  if (!version)
    return fail(errors::validation("Value '" + alias.version.substr(0, 200) +
                                   "' at 'functionVersion' is neither a version number nor $LATEST"));
  if (alias.description.size() > 256) return fail(errors::validation("The description has more than 256 bytes"));
  FIXPOINT_TRY(there, rows::find(session, name.owner, name.name, *version));
  if (!there) return fail(rows::function_not_found(target));
  return {};
}

Error alias_not_found(const FunctionName& name, std::string_view alias) {
  return errors::resource_not_found("Cannot find alias arn: " + arn_of({name.owner, name.name, std::string(alias)}));
}

// A principal is a service, an account or a user; IAM knows accounts by their root.
json::Value principal_of(const Owner& owner, const std::string& principal) {
  if (principal == "*") return "*";
  if (principal.size() == 12 && is_word(principal, "")) {
    return json::Object{
        {"AWS", "arn:" + std::string(partition_of_region(owner.region)) + ":iam::" + principal + ":root"}};
  }
  if (principal.starts_with("arn:")) return json::Object{{"AWS", principal}};
  return json::Object{{"Service", principal}};
}

Result<json::Value> statement_of(const FunctionName& name, const AddPermission& input) {
  if (input.statement_id.empty() || input.statement_id.size() > 100 || !is_word(input.statement_id, "-_"))
    return fail(errors::validation("Value '" + input.statement_id.substr(0, 200) +
                                   "' at 'statementId' is none: 1 to 100 letters, digits, '-' and '_'"));
  if (!input.action.starts_with("lambda:") && input.action != "*")
    return fail(errors::validation("Value '" + input.action.substr(0, 200) +
                                   "' at 'action' is no action of Lambda, as in lambda:InvokeFunction"));
  if (input.principal.empty() || input.principal.find(' ') != std::string::npos)
    return rows::invalid_parameter("The provided principal was invalid. Please check the principal and try again.");
  json::Object statement;
  statement.append("Sid", input.statement_id);
  statement.append("Effect", "Allow");
  statement.append("Principal", principal_of(name.owner, input.principal));
  statement.append("Action", input.action);
  statement.append("Resource", arn_of(name));
  json::Object condition;
  if (!input.source_account.empty())
    condition.append("StringEquals", json::Object{{"AWS:SourceAccount", input.source_account}});
  if (!input.principal_org_id.empty()) {
    if (!condition.contains("StringEquals")) condition.append("StringEquals", json::Object{});
    condition["StringEquals"].set("aws:PrincipalOrgID", input.principal_org_id);
  }
  if (!input.event_source_token.empty()) {
    if (!condition.contains("StringEquals")) condition.append("StringEquals", json::Object{});
    condition["StringEquals"].set("lambda:EventSourceToken", input.event_source_token);
  }
  if (!input.function_url_auth_type.empty()) {
    if (!condition.contains("StringEquals")) condition.append("StringEquals", json::Object{});
    condition["StringEquals"].set("lambda:FunctionUrlAuthType", input.function_url_auth_type);
  }
  if (input.invoked_via_function_url) condition.append("Bool", json::Object{{"lambda:InvokedViaFunctionUrl", "true"}});
  if (!input.source_arn.empty()) condition.append("ArnLike", json::Object{{"AWS:SourceArn", input.source_arn}});
  if (!condition.empty()) statement.append("Condition", std::move(condition));
  return json::Value(std::move(statement));
}

// Every change of the policy is a new revision of what the policy belongs to.
Result<void> new_revision(Transaction& tx, FunctionRecord record) {
  record.revision_id = random_uuid();
  return rows::update(tx, record);
}

store::Params policy_key(const FunctionName& name) {
  return {name.owner.account, name.owner.region, name.name, name.qualifier};
}

}  // namespace

Result<Alias> FunctionStore::create_alias(const FunctionName& name, Alias alias) {
  FIXPOINT_CHECK(check_alias_name(alias.name));
  return store_.write([&](Transaction& tx) -> Result<Alias> {
    FIXPOINT_CHECK(rows::latest(tx, name));
    FIXPOINT_CHECK(check_alias_version(tx, name, alias));
    FIXPOINT_TRY(there, rows::find_alias(tx, name, alias.name));
    if (there)
      return fail(errors::resource_conflict("Alias already exists: " + arn_of({name.owner, name.name, alias.name})));
    alias.revision_id = random_uuid();
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO lambda_alias (account, region, name, alias, version, description, revision_id) VALUES "
                   "(?, ?, ?, ?, ?, ?, ?)",
                   {name.owner.account, name.owner.region, name.name, alias.name, alias.version, alias.description,
                    alias.revision_id}));
    return alias;
  });
}

Result<Alias> FunctionStore::get_alias(const FunctionName& name, std::string_view alias) {
  return store_.read([&](Session& session) -> Result<Alias> {
    FIXPOINT_TRY(found, rows::find_alias(session, name, alias));
    if (!found) return fail(alias_not_found(name, alias));
    return std::move(*found);
  });
}

Result<std::vector<Alias>> FunctionStore::list_aliases(const FunctionName& name) {
  return store_.read([&](Session& session) -> Result<std::vector<Alias>> {
    FIXPOINT_CHECK(rows::latest(session, name));
    FIXPOINT_TRY(found, session.query("SELECT alias, version, description, revision_id FROM lambda_alias WHERE account "
                                      "= ? AND region = ? AND name = ? ORDER BY alias",
                                      {name.owner.account, name.owner.region, name.name}));
    std::vector<Alias> out;
    out.reserve(found.size());
    for (auto& row : found) out.push_back({row.take(0), row.take(1), row.take(2), row.take(3)});
    return out;
  });
}

Result<Alias> FunctionStore::update_alias(const FunctionName& name, Alias alias) {
  return store_.write([&](Transaction& tx) -> Result<Alias> {
    FIXPOINT_TRY(found, rows::find_alias(tx, name, alias.name));
    if (!found) return fail(alias_not_found(name, alias.name));
    FIXPOINT_CHECK(rows::check_revision(alias.revision_id, found->revision_id));
    if (!alias.version.empty()) found->version = alias.version;
    if (!alias.description.empty()) found->description = alias.description;
    found->revision_id = random_uuid();
    FIXPOINT_CHECK(check_alias_version(tx, name, *found));
    FIXPOINT_CHECK(
        tx.execute("UPDATE lambda_alias SET version = ?, description = ?, revision_id = ? WHERE account = ? AND region "
                   "= ? AND name = ? AND alias = ?",
                   {found->version, found->description, found->revision_id, name.owner.account, name.owner.region,
                    name.name, alias.name}));
    return std::move(*found);
  });
}

Result<void> FunctionStore::remove_alias(const FunctionName& name, std::string_view alias) {
  return store_.write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(rows::latest(tx, name));
    const store::Params key{name.owner.account, name.owner.region, name.name, std::string(alias)};
    FIXPOINT_CHECK(
        tx.execute("DELETE FROM lambda_alias WHERE account = ? AND region = ? AND name = ? AND alias = ?", key));
    FIXPOINT_CHECK(tx.execute(
        "DELETE FROM lambda_permission WHERE account = ? AND region = ? AND name = ? AND qualifier = ?", key));
    return {};
  });
}

Result<json::Value> FunctionStore::add_permission(const FunctionName& name, const AddPermission& input) {
  FIXPOINT_TRY(statement, statement_of(name, input));
  if (name.qualifier == "$LATEST")
    return rows::invalid_parameter("We currently do not support adding policies for $LATEST.");
  return store_.write([&](Transaction& tx) -> Result<json::Value> {
    FIXPOINT_TRY(record, rows::resolve(tx, name));
    FIXPOINT_CHECK(rows::check_revision(input.revision_id, record.revision_id));
    store::Params key = policy_key(name);
    key.emplace_back(input.statement_id);
    FIXPOINT_TRY(there, tx.query("SELECT 1 FROM lambda_permission WHERE account = ? AND region = ? AND name = ? AND "
                                 "qualifier = ? AND statement_id = ?",
                                 key));
    if (!there.empty())
      return fail(errors::resource_conflict(
          "The statement id (" + input.statement_id +
          ") provided already exists. Please provide a new statement id, or remove the existing statement."));
    key.emplace_back(json::print(statement));
    FIXPOINT_CHECK(tx.execute(
        "INSERT INTO lambda_permission (account, region, name, qualifier, statement_id, statement, number) VALUES "
        "(?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM lambda_permission))",
        key));
    FIXPOINT_CHECK(new_revision(tx, record));
    return statement;
  });
}

Result<void> FunctionStore::remove_permission(const FunctionName& name, std::string_view statement_id,
                                              std::string_view revision_id) {
  return store_.write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(record, rows::resolve(tx, name));
    FIXPOINT_CHECK(rows::check_revision(revision_id, record.revision_id));
    store::Params key = policy_key(name);
    key.emplace_back(std::string(statement_id));
    FIXPOINT_TRY(gone, tx.execute("DELETE FROM lambda_permission WHERE account = ? AND region = ? AND name = ? AND "
                                  "qualifier = ? AND statement_id = ?",
                                  key));
    if (gone == 0)
      return fail(
          errors::resource_not_found("Statement " + std::string(statement_id) + " is not found in resource policy."));
    return new_revision(tx, record);
  });
}

Result<json::Value> FunctionStore::policy(const FunctionName& name) {
  return store_.read([&](Session& session) -> Result<json::Value> {
    FIXPOINT_CHECK(rows::resolve(session, name));
    FIXPOINT_TRY(found, session.query("SELECT statement FROM lambda_permission WHERE account = ? AND region = ? AND "
                                      "name = ? AND qualifier = ? ORDER BY number, statement_id",
                                      policy_key(name)));
    if (found.empty()) return fail(errors::resource_not_found("The resource you requested does not exist."));
    json::Array statements;
    statements.reserve(found.size());
    for (const auto& row : found) {
      FIXPOINT_TRY(statement, json::parse(row.text(0)));
      statements.push_back(statement);
    }
    return json::Value(
        json::Object{{"Version", "2012-10-17"}, {"Id", "default"}, {"Statement", std::move(statements)}});
  });
}

}  // namespace fixpoint::functions
