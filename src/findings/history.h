#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "findings/documents.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::findings {

/// Who changed a finding. https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_FindingHistoryUpdateSource.html
struct ChangeSource {
  std::string type;      ///< BATCH_IMPORT_FINDINGS or BATCH_UPDATE_FINDINGS
  std::string identity;  ///< ARN of the product, or of the customer's principal
};

/// What differs between two findings, as FindingHistoryUpdate has it: `[{"UpdatedField", "OldValue", "NewValue"}]`.
/// Objects are taken apart (`Compliance.Status`), arrays are not; what is no text stands as its JSON. Empty where only
/// the times differ at which the finding was seen and taken in (UpdatedAt, LastObservedAt, ProcessedAt).
json::Value differences(const json::Value& before, const json::Value& after);

/// What `differences` found, as it is stored; empty for none.
struct PackedChange {
  std::string bytes;
};

/// The changes of each finding, the newest 90 days: small deltas, packed. An import that made the finding has no row.
class History {
 public:
  explicit History(Documents& documents) : documents_(documents) {}
  static const char* const tables;  ///< SQL
  static constexpr TimeMs kept_ms = 90LL * 24 * 3600 * 1000;

  /// Writes nothing where `changes` is empty. Takes away what is older than 90 days of the same finding.
  Result<void> write(store::Transaction& tx, std::int64_t finding, TimeMs at_ms, const ChangeSource& source,
                     const json::Value& changes);
  /// The same in two parts, the first of which needs no transaction.
  PackedChange pack(const json::Value& changes) const;
  Result<void> write(store::Transaction& tx, std::int64_t finding, TimeMs at_ms, const ChangeSource& source,
                     const PackedChange& change);

  struct Record {
    std::int64_t number = 0;  ///< of the change among those of the finding, from 1
    TimeMs at_ms = 0;
    ChangeSource source;
    json::Value changes;
  };
  /// The newest first, those before the change of number `before` (0: all), at most `limit`; both times belong to it.
  Result<std::vector<Record>> read(store::Session& session, std::int64_t finding, TimeMs from_ms, TimeMs to_ms,
                                   std::int64_t before, std::size_t limit);

 private:
  Documents& documents_;
};

}  // namespace fixpoint::findings
