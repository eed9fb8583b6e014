#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "functions/record.h"
#include "store/store.h"

namespace fixpoint::functions {

/// A name for a version. https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html
struct Alias {
  std::string name;
  std::string version;  ///< "$LATEST" or a number
  std::string description;
  std::string revision_id;
};

/// One page of a list. `next_marker` is empty on the last page.
template <class T>
struct Page {
  std::vector<T> items;
  std::string next_marker;
};

/// What AddPermission asks for. https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
struct AddPermission {
  std::string statement_id;
  std::string action;     ///< "lambda:InvokeFunction"
  std::string principal;  ///< a service ("events.amazonaws.com"), an account, an ARN or "*"
  std::string source_arn;
  std::string source_account;
  std::string event_source_token;
  std::string principal_org_id;
  std::string revision_id;                  ///< where not empty: only on that revision
  std::string function_url_auth_type = {};  ///< "AWS_IAM" or "NONE", for the action lambda:InvokeFunctionUrl
  bool invoked_via_function_url = false;
};

struct StoreLimits {
  std::int64_t zip_bytes = 50LL * 1024 * 1024;                 ///< Lambda's 50 MB for a zip in the request
  std::int64_t code_storage_bytes = 4LL * 1024 * 1024 * 1024;  ///< of one account in one region, all versions together
};

/// Functions, their versions, code, aliases and permissions. Thread-safe: every call is one transaction or one
/// consistent view. `version` "" means $LATEST; a qualifier is a version number, "$LATEST" or an alias.
///
/// Errors, all in Lambda's codes:
///  - ResourceNotFoundException "Function not found: ARN" (404) for a function, version or alias that is not there
///  - ResourceConflictException "Function already exist: NAME" (409), and its like for aliases and statements
///  - InvalidParameterValueException (400): see validate() and check_zip(); nothing is stored
///  - RequestTooLargeException (413) for a zip above zip_bytes; CodeStorageExceededException (400)
///  - PreconditionFailedException (412) where a RevisionId was given that is no longer the latest
class FunctionStore {
 public:
  /// The tables of this room: for Store::open().
  static store::Schema schema();

  FunctionStore(store::Store& store, const Clock& clock, StoreLimits limits = {})
      : store_(store), clock_(clock), limits_(limits) {}

  /// Is called with a function's ARN within the transaction that deletes all of it; an error takes that back. Before
  /// the first call.
  using Removed = std::function<Result<void>(store::Transaction&, const std::string& arn)>;
  void on_removed(Removed removed) { removed_ = std::move(removed); }

  /// Stores $LATEST, and version 1 where `publish` says so: the record returned is then that of version 1.
  Result<FunctionRecord> create(const Owner& owner, CreateFunction input);
  /// The record that a name and its qualifier stand for; an alias gives its version's record.
  Result<FunctionRecord> get(const FunctionName& name);
  Result<FunctionRecord> get(store::Session& session, const FunctionName& name);
  /// The zip's bytes of a record. Error: ResourceNotFoundException where the function was deleted since.
  Result<std::string> code(const FunctionRecord& record);
  /// $LATEST of every function, by name; `marker` is a page's next_marker, `limit` 1 to 10000 (Lambda gives at most 50
  /// a page).
  Result<Page<FunctionRecord>> list(const Owner& owner, std::string_view marker, int limit);
  /// $LATEST, then the published versions from the lowest on.
  Result<Page<FunctionRecord>> list_versions(const FunctionName& name, std::string_view marker, int limit);
  /// New code for $LATEST; with `publish` the record returned is the new version's. With `dry_run` all is checked,
  /// the record returned is what it would be, and nothing is stored.
  Result<FunctionRecord> update_code(const FunctionName& name, std::string code_zip, bool publish,
                                     std::string_view revision_id, bool dry_run = false);
  Result<FunctionRecord> update_configuration(const FunctionName& name, UpdateConfiguration input);
  /// Freezes $LATEST as the next version. Where neither code nor configuration changed since the last one, that one is
  /// returned, as Lambda does. `code_sha256` and `revision_id`, where not empty, must be $LATEST's. `description`,
  /// where not empty, replaces the function's own.
  Result<FunctionRecord> publish(const FunctionName& name, std::string_view code_sha256, std::string_view revision_id,
                                 std::string_view description);
  /// With a qualifier: that version alone (never $LATEST, nor one that an alias names); without: all of the function.
  Result<void> remove(const FunctionName& name);

  Result<Alias> create_alias(const FunctionName& name, Alias alias);
  Result<Alias> get_alias(const FunctionName& name, std::string_view alias);
  Result<std::vector<Alias>> list_aliases(const FunctionName& name);  ///< by name
  /// Empty members stay as they are; `revision_id`, where not empty, must be the alias's.
  Result<Alias> update_alias(const FunctionName& name, Alias alias);
  Result<void> remove_alias(const FunctionName& name, std::string_view alias);  ///< no error where it is not there

  /// Adds a statement to the policy of the function, or of the version or alias that `name.qualifier` says; gives the
  /// statement as it stands in the policy.
  Result<json::Value> add_permission(const FunctionName& name, const AddPermission& input);
  /// `revision_id`, where not empty, must be the function's.
  Result<void> remove_permission(const FunctionName& name, std::string_view statement_id,
                                 std::string_view revision_id = {});
  /// {"Version", "Id", "Statement": [...]}. ResourceNotFoundException where no statement is there.
  Result<json::Value> policy(const FunctionName& name);

  /// Puts tags on a function, over those of the same keys, and takes others away.
  Result<void> change_tags(const FunctionName& name, const std::map<std::string, std::string>& set,
                           const std::vector<std::string>& remove);

  /// How many calls of the function may run at once; nothing leaves it to the account. Error:
  /// InvalidParameterValueException where less than 100 of the account's 1000 would be left for all others.
  /// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
  Result<void> reserve_concurrency(const FunctionName& name, std::optional<std::int64_t> calls);
  Result<std::optional<int>> reserved_concurrency(const FunctionName& name);

 private:
  store::Store& store_;
  const Clock& clock_;
  StoreLimits limits_;
  Removed removed_;
};

/// The ARN of a function or alias: "...:function:NAME" and ":QUALIFIER" where there is one.
std::string arn_of(const FunctionName& name);

}  // namespace fixpoint::functions
