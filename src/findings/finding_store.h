#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "findings/asff.h"
#include "findings/filters.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::findings {

/// What an import or an update left behind.
struct Stored {
  json::Value finding;   ///< as it stands now
  bool created = false;  ///< false where a finding of that key was there before
};

struct SortKey {
  std::string field;  ///< a filter name that holds one value: UpdatedAt, SeverityNormalized, ...
  bool descending = false;
};

struct Page {
  std::vector<json::Value> findings;
  std::string next_token;  ///< empty on the last page
};

/// The findings, each under (ProductArn, Id), with their history. Thread-safe.
class FindingStore {
 public:
  FindingStore(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  static store::Schema schema();

  /// Takes in one finding that passed validate_asff. What the customer owns stays as it is on a finding that is there
  /// already: Note, UserDefinedFields, VerificationState, Workflow; and the status goes back to NEW where AWS resets
  /// it. https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
  Result<Stored> import(store::Transaction& tx, json::Value finding);

  /// BatchUpdateFindings on one finding; `update` passed validate_update. Nothing where there is no such finding.
  Result<std::optional<Stored>> update(store::Transaction& tx, const FindingKey& key, const json::Value& update,
                                       const std::string& by);

  Result<std::optional<json::Value>> get(store::Session& session, const FindingKey& key);
  /// The key of the only finding of that Id; errors: ResourceNotFoundException, ValidationException where several
  /// products use it.
  Result<FindingKey> resolve(std::string_view id);

  /// `limit` 1 to 100. `token` is a page's next_token; error for one that is none: InvalidInputException.
  Result<Page> find(const Filters& filters, const std::vector<SortKey>& sort, std::size_t limit,
                    const std::string& token);

 private:
  Result<void> put(store::Transaction& tx, const json::Value& finding, bool created);
  store::Store& store_;
  const Clock& clock_;
};

}  // namespace fixpoint::findings
