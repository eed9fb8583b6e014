#include "functions/store.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "functions/store_rows.h"
#include "functions/zip.h"
#include "json/text.h"

namespace fixpoint::functions {
namespace {

using store::Session;
using store::Transaction;

// Code is held once for each distinct zip of an account and region, however many versions share it.
Result<void> put_code(Transaction& tx, const Owner& owner, const std::string& sha256, const std::string& zip,
                      const StoreLimits& limits) {
  FIXPOINT_TRY(there, tx.query("SELECT 1 FROM lambda_code WHERE account = ? AND region = ? AND sha256 = ?",
                               {owner.account, owner.region, sha256}));
  if (!there.empty()) return {};
  FIXPOINT_TRY(held, tx.query("SELECT coalesce(sum(length(zip)), 0) FROM lambda_code WHERE account = ? AND region = ?",
                              {owner.account, owner.region}));
  if (held[0].integer(0) + static_cast<std::int64_t>(zip.size()) > limits.code_storage_bytes)
    return fail(errors::coded("CodeStorageExceededException", "Code storage limit exceeded.", 400));
  FIXPOINT_CHECK(tx.execute("INSERT INTO lambda_code (account, region, sha256, zip) VALUES (?, ?, ?, ?)",
                            {owner.account, owner.region, sha256, store::Blob{zip}}));
  return {};
}

Result<void> drop_unused_code(Transaction& tx, const Owner& owner) {
  FIXPOINT_CHECK(
      tx.execute("DELETE FROM lambda_code WHERE account = ?1 AND region = ?2 AND NOT EXISTS (SELECT 1 FROM "
                 "lambda_function f WHERE "
                 "f.account = ?1 AND f.region = ?2 AND f.code = lambda_code.sha256)",
                 {owner.account, owner.region}));
  return {};
}

Result<void> insert(Transaction& tx, const FunctionRecord& record) {
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO lambda_function (account, region, name, version, record, code, last_version) VALUES (?, ?, ?, ?, ?, "
      "?, 0)",
      {record.owner.account, record.owner.region, record.name, rows::version_number(record.version).value_or(0),
       json::print(record_to_json(record)), record.code_sha256}));
  return {};
}

// What a version freezes: all but what tells versions apart.
std::string frozen_text(FunctionRecord record) {
  record.version.clear();
  record.tags.clear();
  record.reserved_concurrency.reset();
  record.last_modified_ms = 0;
  record.revision_id.clear();
  return json::print_canonical(record_to_json(record));
}

Result<FunctionRecord> publish_version(Transaction& tx, const FunctionRecord& latest, std::string_view description,
                                       TimeMs now_ms) {
  FIXPOINT_TRY(
      counter,
      tx.query("SELECT last_version FROM lambda_function WHERE account = ? AND region = ? AND name = ? AND version = 0",
               {latest.owner.account, latest.owner.region, latest.name}));
  const std::int64_t last = counter.empty() ? 0 : counter[0].integer(0);
  FunctionRecord version = latest;
  if (!description.empty()) version.description = std::string(description);
  FIXPOINT_TRY(before, rows::find(tx, latest.owner, latest.name, last));
  if (last > 0 && before && frozen_text(*before) == frozen_text(version)) return std::move(*before);
  version.version = std::to_string(last + 1);
  version.tags.clear();
  version.reserved_concurrency.reset();
  version.last_modified_ms = now_ms;
  version.revision_id = random_uuid();
  FIXPOINT_CHECK(insert(tx, version));
  FIXPOINT_CHECK(tx.execute(
      "UPDATE lambda_function SET last_version = ? WHERE account = ? AND region = ? AND name = ? AND version = 0",
      {last + 1, latest.owner.account, latest.owner.region, latest.name}));
  return version;
}

Result<void> set_code(FunctionRecord& record, const std::string& zip, const StoreLimits& limits) {
  if (static_cast<std::int64_t>(zip.size()) > limits.zip_bytes)
    return fail(errors::coded("RequestTooLargeException",
                              "The zip file has " + std::to_string(zip.size()) + " bytes; at most " +
                                  std::to_string(limits.zip_bytes) + " are taken",
                              413));
  FIXPOINT_CHECK(check_zip(zip));
  record.code_sha256 = base64_encode(sha256(zip));
  record.code_bytes = static_cast<std::int64_t>(zip.size());
  return {};
}

Result<int> narrow(std::optional<std::int64_t> value, int otherwise, std::string_view member) {
  if (!value) return otherwise;
  if (*value < 0 || *value > 1'000'000)
    return fail(
        errors::validation("Value '" + std::to_string(*value) + "' at '" + std::string(member) + "' is out of bounds"));
  return static_cast<int>(*value);
}

Result<void> refuse_layers(const std::vector<std::string>& layers) {
  if (layers.empty()) return {};
  return rows::invalid_parameter(
      "The layer " + layers[0].substr(0, 200) +
      " cannot be used: fixpoint has no layers, so pack what the function imports into its own zip file.");
}

Result<Page<FunctionRecord>> page_of(const std::vector<store::Row>& found, int limit, bool by_version) {
  Page<FunctionRecord> page;
  for (const auto& row : found) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_marker = by_version ? page.items.back().version : page.items.back().name;
      break;
    }
    FIXPOINT_TRY(value, json::parse(row.text(0)));
    FIXPOINT_TRY(record, record_from_json(value));
    page.items.push_back(std::move(record));
  }
  return page;
}

Result<void> check_limit(int limit) {
  if (limit < 1 || limit > 10'000)
    return fail(errors::validation("Value '" + std::to_string(limit) + "' at 'maxItems' is not within 1 and 10000"));
  return {};
}

}  // namespace

store::Schema FunctionStore::schema() {
  return {
      "functions",
      {"CREATE TABLE lambda_function (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, version INTEGER "
       "NOT NULL,"
       " record TEXT NOT NULL, code TEXT NOT NULL, last_version INTEGER NOT NULL, PRIMARY KEY (account, region, name, "
       "version)) STRICT;"
       "CREATE INDEX lambda_function_code ON lambda_function (account, region, code);"
       "CREATE TABLE lambda_code (account TEXT NOT NULL, region TEXT NOT NULL, sha256 TEXT NOT NULL, zip BLOB NOT NULL,"
       " PRIMARY KEY (account, region, sha256)) STRICT;"
       "CREATE TABLE lambda_alias (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, alias TEXT NOT "
       "NULL,"
       " version TEXT NOT NULL, description TEXT NOT NULL, revision_id TEXT NOT NULL, PRIMARY KEY (account, region, "
       "name, alias)) STRICT;"
       "CREATE TABLE lambda_permission (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier "
       "TEXT NOT NULL,"
       " statement_id TEXT NOT NULL, statement TEXT NOT NULL, PRIMARY KEY (account, region, name, qualifier, "
       "statement_id)) STRICT",
       "ALTER TABLE lambda_permission ADD COLUMN number INTEGER NOT NULL DEFAULT 0"}};
}

Result<FunctionRecord> FunctionStore::create(const Owner& owner, CreateFunction input) {
  FIXPOINT_TRY(name, parse_function_name(input.name, owner));
  if (!name.qualifier.empty())
    return rows::invalid_parameter("A function is created without a qualifier; '" + name.qualifier +
                                   "' is one too many.");
  if (name.owner != owner)
    return fail(
        errors::access_denied("A function is created in the caller's own account, not in " + name.owner.account + "."));
  if (input.package_type != "Zip")
    return rows::invalid_parameter(
        "The package type " + input.package_type +
        " cannot be run here: fixpoint runs Python handlers from zip files, so PackageType is Zip.");
  FIXPOINT_CHECK(refuse_layers(input.layers));
  FunctionRecord record;
  record.owner = owner;
  record.name = name.name;
  record.runtime = std::move(input.runtime);
  record.handler = std::move(input.handler);
  record.role = std::move(input.role);
  record.description = std::move(input.description);
  FIXPOINT_TRY(timeout, narrow(input.timeout_s, record.timeout_s, "timeout"));
  FIXPOINT_TRY(memory, narrow(input.memory_mb, record.memory_mb, "memorySize"));
  FIXPOINT_TRY(storage, narrow(input.ephemeral_storage_mb, record.ephemeral_storage_mb, "ephemeralStorage.size"));
  record.timeout_s = timeout;
  record.memory_mb = memory;
  record.ephemeral_storage_mb = storage;
  record.architecture = std::move(input.architecture);
  record.environment = std::move(input.environment);
  record.tags = std::move(input.tags);
  record.last_modified_ms = clock_.now_ms();
  record.revision_id = random_uuid();
  FIXPOINT_CHECK(validate(record));
  FIXPOINT_CHECK(set_code(record, input.code_zip, limits_));
  return store_.write([&](Transaction& tx) -> Result<FunctionRecord> {
    FIXPOINT_TRY(there, rows::find(tx, owner, record.name, 0));
    if (there) return fail(errors::resource_conflict("Function already exist: " + record.name));
    FIXPOINT_CHECK(put_code(tx, owner, record.code_sha256, input.code_zip, limits_));
    FIXPOINT_CHECK(insert(tx, record));
    if (!input.publish) return record;
    return publish_version(tx, record, {}, record.last_modified_ms);
  });
}

Result<FunctionRecord> FunctionStore::get(const FunctionName& name) {
  return store_.read([&](Session& session) { return rows::resolve(session, name); });
}

Result<FunctionRecord> FunctionStore::get(Session& session, const FunctionName& name) {
  return rows::resolve(session, name);
}

Result<std::string> FunctionStore::code(const FunctionRecord& record) {
  return store_.read([&](Session& session) -> Result<std::string> {
    FIXPOINT_TRY(found, session.query("SELECT zip FROM lambda_code WHERE account = ? AND region = ? AND sha256 = ?",
                                      {record.owner.account, record.owner.region, record.code_sha256}));
    if (found.empty()) return fail(errors::resource_not_found("Function not found: " + record.arn()));
    return found[0].take(0);
  });
}

Result<Page<FunctionRecord>> FunctionStore::list(const Owner& owner, std::string_view marker, int limit) {
  FIXPOINT_CHECK(check_limit(limit));
  return store_.read([&](Session& session) -> Result<Page<FunctionRecord>> {
    FIXPOINT_TRY(found, session.query("SELECT record FROM lambda_function WHERE account = ? AND region = ? AND version "
                                      "= 0 AND name > ? ORDER BY name LIMIT ?",
                                      {owner.account, owner.region, std::string(marker), std::int64_t{limit} + 1}));
    return page_of(found, limit, false);
  });
}

Result<Page<FunctionRecord>> FunctionStore::list_versions(const FunctionName& name, std::string_view marker,
                                                          int limit) {
  FIXPOINT_CHECK(check_limit(limit));
  const auto after = marker.empty() ? std::optional<std::int64_t>(-1) : rows::version_number(marker);
  if (!after)
    return rows::invalid_parameter("The marker '" + std::string(marker.substr(0, 100)) +
                                   "' is none that this list gave.");
  return store_.read([&](Session& session) -> Result<Page<FunctionRecord>> {
    FIXPOINT_CHECK(rows::latest(session, name));
    FIXPOINT_TRY(found,
                 session.query("SELECT record FROM lambda_function WHERE account = ? AND region = ? AND name = ? AND "
                               "version > ? ORDER BY version LIMIT ?",
                               {name.owner.account, name.owner.region, name.name, *after, std::int64_t{limit} + 1}));
    return page_of(found, limit, true);
  });
}

Result<FunctionRecord> FunctionStore::update_code(const FunctionName& name, std::string code_zip, bool publish,
                                                  std::string_view revision_id, bool dry_run) {
  FunctionRecord checked;
  FIXPOINT_CHECK(set_code(checked, code_zip, limits_));
  std::optional<FunctionRecord> planned;
  auto written = store_.write([&](Transaction& tx) -> Result<FunctionRecord> {
    FIXPOINT_TRY(record, rows::latest(tx, name));
    FIXPOINT_CHECK(rows::check_revision(revision_id, record.revision_id));
    record.code_sha256 = checked.code_sha256;
    record.code_bytes = checked.code_bytes;
    if (!dry_run) {
      record.last_modified_ms = clock_.now_ms();
      record.revision_id = random_uuid();
    }
    FIXPOINT_CHECK(put_code(tx, name.owner, record.code_sha256, code_zip, limits_));
    FIXPOINT_CHECK(rows::update(tx, record));
    FIXPOINT_CHECK(drop_unused_code(tx, name.owner));
    if (publish) {
      FIXPOINT_TRY(version, publish_version(tx, record, {}, clock_.now_ms()));
      record = std::move(version);
    }
    if (!dry_run) return std::move(record);
    // The failure takes back what was written.
    planned = std::move(record);
    return fail(errors::internal("a dry run stores nothing"));
  });
  if (planned) return std::move(*planned);
  return written;
}

Result<FunctionRecord> FunctionStore::update_configuration(const FunctionName& name, UpdateConfiguration input) {
  FIXPOINT_CHECK(refuse_layers(input.layers));
  return store_.write([&](Transaction& tx) -> Result<FunctionRecord> {
    FIXPOINT_TRY(record, rows::latest(tx, name));
    FIXPOINT_CHECK(rows::check_revision(input.revision_id, record.revision_id));
    if (input.runtime) record.runtime = *input.runtime;
    if (input.handler) record.handler = *input.handler;
    if (input.role) record.role = *input.role;
    if (input.description) record.description = *input.description;
    FIXPOINT_TRY(timeout, narrow(input.timeout_s, record.timeout_s, "timeout"));
    FIXPOINT_TRY(memory, narrow(input.memory_mb, record.memory_mb, "memorySize"));
    FIXPOINT_TRY(storage, narrow(input.ephemeral_storage_mb, record.ephemeral_storage_mb, "ephemeralStorage.size"));
    record.timeout_s = timeout;
    record.memory_mb = memory;
    record.ephemeral_storage_mb = storage;
    if (input.environment) record.environment = *input.environment;
    record.last_modified_ms = clock_.now_ms();
    record.revision_id = random_uuid();
    FIXPOINT_CHECK(validate(record));
    FIXPOINT_CHECK(rows::update(tx, record));
    return std::move(record);
  });
}

Result<FunctionRecord> FunctionStore::publish(const FunctionName& name, std::string_view code_sha256,
                                              std::string_view revision_id, std::string_view description) {
  if (description.size() > 256) return fail(errors::validation("The description has more than 256 bytes"));
  return store_.write([&](Transaction& tx) -> Result<FunctionRecord> {
    FIXPOINT_TRY(record, rows::latest(tx, name));
    FIXPOINT_CHECK(rows::check_revision(revision_id, record.revision_id));
    if (!code_sha256.empty() && code_sha256 != record.code_sha256)
      return rows::invalid_parameter("CodeSHA256 (" + std::string(code_sha256.substr(0, 100)) +
                                     ") is different from current CodeSHA256 in $LATEST (" + record.code_sha256 +
                                     "). Please try again with the CodeSHA256 in $LATEST.");
    return publish_version(tx, record, description, clock_.now_ms());
  });
}

Result<void> FunctionStore::remove(const FunctionName& name) {
  return store_.write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_CHECK(rows::latest(tx, name));
    const store::Params key{name.owner.account, name.owner.region, name.name};
    if (name.qualifier.empty()) {
      for (const char* table : {"lambda_function", "lambda_alias", "lambda_permission"})
        FIXPOINT_CHECK(
            tx.execute("DELETE FROM " + std::string(table) + " WHERE account = ? AND region = ? AND name = ?", key));
      if (removed_) FIXPOINT_CHECK(removed_(tx, arn_of(name)));
      return drop_unused_code(tx, name.owner);
    }
    if (name.qualifier == "$LATEST")
      return rows::invalid_parameter("$LATEST version cannot be deleted without deleting the function.");
    const auto version = rows::version_number(name.qualifier);
    if (!version)
      return rows::invalid_parameter("'" + name.qualifier + "' is an alias, not a version: DeleteAlias deletes it.");
    FIXPOINT_TRY(
        users,
        tx.query("SELECT alias FROM lambda_alias WHERE account = ? AND region = ? AND name = ? AND version = ? LIMIT 1",
                 {name.owner.account, name.owner.region, name.name, name.qualifier}));
    if (!users.empty())
      return fail(errors::resource_conflict("Version " + name.qualifier + " of the function " + name.name +
                                            " is named by the alias " + users[0].text(0) +
                                            "; delete or move the alias first"));
    FIXPOINT_TRY(gone,
                 tx.execute("DELETE FROM lambda_function WHERE account = ? AND region = ? AND name = ? AND version = ?",
                            {name.owner.account, name.owner.region, name.name, *version}));
    if (gone == 0) return fail(rows::function_not_found(name));
    FIXPOINT_CHECK(
        tx.execute("DELETE FROM lambda_permission WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
                   {name.owner.account, name.owner.region, name.name, name.qualifier}));
    return drop_unused_code(tx, name.owner);
  });
}

Result<void> FunctionStore::change_tags(const FunctionName& name, const std::map<std::string, std::string>& set,
                                        const std::vector<std::string>& remove) {
  return store_.write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(record, rows::latest(tx, name));
    for (const auto& [key, value] : set) record.tags.insert_or_assign(key, value);
    for (const auto& key : remove) record.tags.erase(key);
    FIXPOINT_CHECK(validate(record));
    return rows::update(tx, record);
  });
}

Result<void> FunctionStore::reserve_concurrency(const FunctionName& name, std::optional<std::int64_t> calls) {
  constexpr std::int64_t of_account = 1000;
  constexpr std::int64_t unreserved_at_least = 100;
  if (calls && *calls < 0)
    return fail(errors::validation("Value '" + std::to_string(*calls) +
                                   "' at 'reservedConcurrentExecutions' has to be 0 or greater"));
  return store_.write([&](Transaction& tx) -> Result<void> {
    FIXPOINT_TRY(record, rows::latest(tx, name));
    if (calls) {
      FIXPOINT_TRY(others,
                   tx.query("SELECT record FROM lambda_function WHERE account = ? AND region = ? AND version = 0 AND "
                            "name <> ?",
                            {name.owner.account, name.owner.region, record.name}));
      std::int64_t taken = *calls;
      for (const auto& row : others) {
        FIXPOINT_TRY(value, json::parse(row.text(0)));
        taken += value["reserved_concurrency"].int_or(0);
      }
      if (of_account - taken < unreserved_at_least)
        return rows::invalid_parameter(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [100].");
    }
    record.reserved_concurrency = calls ? std::optional<int>(static_cast<int>(*calls)) : std::nullopt;
    return rows::update(tx, record);
  });
}

Result<std::optional<int>> FunctionStore::reserved_concurrency(const FunctionName& name) {
  return store_.read([&](Session& session) -> Result<std::optional<int>> {
    FIXPOINT_TRY(record, rows::latest(session, name));
    return record.reserved_concurrency;
  });
}

}  // namespace fixpoint::functions
