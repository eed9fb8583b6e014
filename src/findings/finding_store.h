#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "findings/asff.h"
#include "findings/documents.h"
#include "findings/filters.h"
#include "findings/history.h"
#include "findings/index.h"
#include "findings/ocsf.h"
#include "findings/ocsf_filters.h"
#include "findings/search.h"
#include "json/value.h"
#include "store/store.h"

namespace fixpoint::findings {

/// What an import or an update left behind.
struct Stored {
  json::Value finding;   ///< as it stands now
  bool created = false;  ///< false where a finding of that key was there before
  bool ignored = false;  ///< an import that was not newer than what is there, and changed nothing
};

/// What BatchUpdateFindings is to set, for the finding as it stands.
using MakeUpdate = std::function<json::Value(const json::Value& finding)>;

/// An update worked out ahead of its transaction by `prepare_update`, on what was stored then.
struct PreparedUpdate {
  FindingKey key;
  std::string by;
  MakeUpdate make;
  json::Value finding;  ///< as it will stand

 private:
  friend class FindingStore;
  std::int64_t number_ = 0;
  std::string stored_;  // the document that it was worked out on, packed
  std::int64_t stored_customer_ = 0;
  std::int64_t customer_ = 0;
  std::string packed_;
  PackedChange change_;
  IndexEntries before_;
  IndexEntries after_;
};

/// What became of a prepared update.
struct Updated {
  bool found = false;
  std::optional<json::Value> finding;  ///< as it stands now, where that is not how it was prepared
};

/// A finding made ready for an import by `prepare`, outside of the transaction.
struct Prepared {
  json::Value finding;
  json::Value original;  ///< the OCSF document that it came as (original_of); null for none
  FindingKey key;
  std::size_t bytes = 0;  ///< of its JSON
  std::string packed;
  IndexEntries entries;
};

/// What became of one of several findings that were imported.
struct Outcome {
  bool created = false;
  bool ignored = false;                ///< as in Stored
  std::optional<json::Value> finding;  ///< as it stands now; where it was created, as it was prepared
};

struct Page {
  std::vector<json::Value> findings;
  std::string next_token;  ///< empty on the last page
};

struct HistoryPage {
  struct Record {
    TimeMs at_ms = 0;
    bool created = false;
    ChangeSource source;
    json::Value changes;  ///< FindingHistoryUpdate
  };
  std::vector<Record> records;  ///< the newest first
  std::string next_token;
};

/// The findings, each under (ProductArn, Id), with their history. Thread-safe.
///
/// A finding is one packed document with a number; what it can be found by lies in the index (`index.h`), which is
/// written in the same transaction. A search never goes through all documents: see `find`.
class FindingStore {
 public:
  /// `token_key` seals the tokens of pages; without one they are good for as long as this object lives.
  FindingStore(store::Store& store, const Clock& clock, std::string token_key = {});
  static store::Schema schema();

  /// To be called once before use: takes over what an older program stored, and makes the index anew where this program
  /// makes it otherwise. Both go on where they were interrupted.
  Result<void> load();

  /// Fills in what Security Hub fills in, packs, and works out what the finding is found by. The finding passed
  /// validate_asff.
  /// `original` is what original_of made of the OCSF document that the finding came as; it is kept beside the finding
  /// until that is imported in the AWS Security Finding Format.
  Prepared prepare(json::Value finding, json::Value original = {});

  /// Takes in findings; their outcomes in the same order. On one that is there already:
  /// - it is ignored unless its UpdatedAt is later than the stored one's;
  /// - Note, UserDefinedFields, VerificationState and Workflow stay as they are;
  /// - Confidence, Criticality, RelatedFindings, Severity and Types stay where the customer has set them, else become
  ///   what FindingProviderFields says, or the request's own;
  /// - the workflow status goes back to NEW where AWS resets it.
  /// https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html and
  /// https://docs.aws.amazon.com/securityhub/latest/userguide/findings-workflow-status.html
  Result<std::vector<Outcome>> import(store::Transaction& tx, const std::vector<const Prepared*>& findings);
  Result<std::vector<Outcome>> import(store::Transaction& tx, const std::vector<Prepared>& findings);
  Result<Stored> import(store::Transaction& tx, json::Value finding);

  /// BatchUpdateFindings on one finding; `update` passed validate_update. Its UpdatedAt stays: it is the provider's.
  /// Nothing where there is no such finding. `by` is the caller's ARN.
  Result<std::optional<Stored>> update(store::Transaction& tx, const FindingKey& key, const json::Value& update,
                                       const std::string& by);

  /// The same in two parts, so that the store's one writer does only the last. What was prepared on a finding that has
  /// changed since is worked out anew in the transaction. Nothing where there is no such finding yet.
  Result<std::optional<PreparedUpdate>> prepare_update(const FindingKey& key, MakeUpdate make, std::string by);
  Result<Updated> update(store::Transaction& tx, const PreparedUpdate& prepared);

  /// The same of BatchUpdateFindingsV2; what the finding format cannot say (severity Fatal, status Other) stands in the
  /// OCSF document from then on, until what it says for it changes.
  Result<std::optional<Stored>> update(store::Transaction& tx, const FindingKey& key, const OcsfUpdate& update,
                                       const std::string& by);

  Result<std::optional<json::Value>> get(store::Session& session, const FindingKey& key);
  /// The finding in OCSF, and the key of the one that a metadata.uid, or OCSF's three names of a finding
  /// (cloud.account.uid, finding_info.uid, metadata.product.uid) mean. Nothing where there is none.
  Result<std::optional<json::Value>> get_ocsf(store::Session& session, const FindingKey& key);
  Result<std::optional<FindingKey>> find_uid(store::Session& session, std::string_view metadata_uid);
  Result<std::optional<FindingKey>> find_ocsf(store::Session& session, std::string_view account, std::string_view uid,
                                              std::string_view product_uid);
  /// The key of the only finding of that Id, or of the one that is named as PRODUCT_ARN/ID; errors:
  /// ResourceNotFoundException, ValidationException where several products use the Id.
  Result<FindingKey> resolve(std::string_view id);

  /// A page of those that fit, in order; without sort keys in the order in which they came. `limit` 1 to 100. `token`
  /// is a page's next_token with the same filters and sort keys; the next page begins behind the last finding of the
  /// page before, whatever has changed since: a finding that nobody touched comes exactly once.
  ///
  /// Filters that the index cannot answer make it read documents, at most `documents_a_page` of them: then a page may
  /// be short, even empty, and yet have a next_token. Errors: InvalidInputException.
  Result<Page> find(const Filters& filters, const std::vector<SortKey>& sort, std::size_t limit,
                    const std::string& token);
  static constexpr std::size_t documents_a_page = 10'000;
  /// The same by filters on OCSF; the page's findings are OCSF documents.
  Result<Page> find(const OcsfFilters& filters, const std::vector<SortKey>& sort, std::size_t limit,
                    const std::string& token);

  /// GetFindingHistory: the changes of a finding from `from_ms` to `to_ms`, both within, of the last 90 days. Errors:
  /// ResourceNotFoundException, InvalidInputException for a token that is none.
  Result<HistoryPage> history(const FindingKey& key, TimeMs from_ms, TimeMs to_ms, std::size_t limit,
                              const std::string& token);

  /// How many of the findings that fit have each value of a field, the most frequent first, at most `limit`; a finding
  /// with several values counts for each. Errors: InvalidInputException for a field that findings cannot be counted by,
  /// and where more than 100,000 would have to be read one by one.
  Result<std::vector<std::pair<std::string, std::int64_t>>> count_by(const Filters& filters, const std::string& field,
                                                                     std::size_t limit);
  static Result<void> can_count_by(std::string_view field);
  /// The same by a text field of OCSF, of all values, in no order.
  Result<std::map<std::string, std::int64_t>> count_by(const OcsfFilters& filters, const OcsfField& field);

  /// Work that is due now and then, outside of a transaction: trains the dictionary once there is something to train
  /// it on. Costs nothing where nothing is due.
  Result<void> tend();

 private:
  struct Known {
    std::int64_t number = 0;
    std::int64_t customer = 0;  // which members the customer has set: bits as `customer_members` has them
    TimeMs imported_ms = 0;
    json::Value finding;
    json::Value original;
    std::string packed;  // the document, as it is stored
  };
  // What is handed out in pages: those that may fit, and whether one of them does, as which document.
  struct Chosen {
    Bits maybe;
    bool exact = true;
    std::function<std::optional<json::Value>(std::int64_t number, Known known)> take;
  };
  using Choose = std::function<Result<Chosen>(store::Session& session, Search& search)>;
  Result<Page> pages(const std::string& asked, const std::vector<SortKey>& sort, std::size_t limit,
                     const std::string& token, const Choose& choose);
  Result<Known> known_by(store::Session& session, std::int64_t number);  // one that the index names
  Result<std::optional<std::int64_t>> number_of_uid(store::Session& session, std::string_view metadata_uid);
  Result<void> count_terms(store::Session& session, const FieldRule& rule, const Bits& chosen,
                           const std::function<void(const std::string& value, std::int64_t count)>& add);
  Result<std::optional<Known>> known(store::Session& session, const FindingKey& key);
  Result<std::optional<Known>> document(store::Session& session, std::int64_t number);
  Result<json::Value> indexed(store::Session& session, std::int64_t number);  // one that the index names
  Result<void> replace(store::Transaction& tx, IndexWriter& index, const Known& before, const json::Value& finding,
                       const json::Value& original);
  Result<std::optional<Stored>> change(store::Transaction& tx, const FindingKey& key, const std::string& by,
                                       const json::Value& update, const OcsfUpdate* in_ocsf);
  Result<bool> take_over_some();
  Result<void> reindex();

  store::Store& store_;
  const Clock& clock_;
  std::string token_key_;
  Documents documents_;
  History history_{documents_};
};

}  // namespace fixpoint::findings
