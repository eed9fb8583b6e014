#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "services/securityhub/records.h"
#include "store/store.h"

namespace fixpoint::services::hub {

/// In whose event feed a finding is, beside that of its own account and Region: "For administrator accounts, the event
/// feed in EventBridge includes events for findings from both their account and from their member accounts. In an
/// aggregation Region, the event feed includes events for findings from the aggregation Region and the linked Regions."
/// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-integration-types.html
///
/// A member is one in the Region in which its administrator made it so ("the administrator-member account association
/// is created only in the Region that the invitation is sent from"), and in the Regions that the administrator links to
/// that one. A feed of a hub that is off has nothing of others.
class FeedMap {
 public:
  using Place = std::pair<std::string, std::string>;  ///< account, Region
  static Result<FeedMap> read(store::Session& session);

  /// The others' feeds of a finding of that account and Region: each once.
  std::vector<Place> of(const std::string& account, const std::string& region) const;
  /// Whether the feed of that account and Region may have findings of another.
  bool collects(const Place& place) const { return collecting_.contains(place); }

 private:
  struct Aggregator {
    std::string region, mode;
    std::set<std::string> named;
    bool links(const std::string& other) const;
  };
  std::map<std::string, std::vector<Place>> administrators_;    // by member
  std::map<std::string, std::vector<Aggregator>> aggregators_;  // by account
  std::set<Place> off_;
  std::set<Place> collecting_;
};

/// The map of what is stored, read again after a transaction that said `changes_kept`. Thread-safe.
class Feeds {
 public:
  explicit Feeds(Records& records) : records_(records) {}
  Result<std::shared_ptr<const FeedMap>> get();
  /// Within a transaction, which may not wait for another reader: by it, where the map is not at hand.
  Result<std::shared_ptr<const FeedMap>> get(store::Session& session);

 private:
  std::shared_ptr<const FeedMap> at_hand(std::uint64_t version);

  Records& records_;
  std::mutex mutex_;
  std::shared_ptr<const FeedMap> map_;
  std::uint64_t version_ = 0;
};

}  // namespace fixpoint::services::hub
