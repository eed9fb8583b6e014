#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "services/sns/topic.h"
#include "store/store.h"

namespace fixpoint::services::sns {

/// Topics and subscriptions in the store. Thread-safe.
class Topics {
 public:
  static store::Schema schema();

  /// Error: NotFound.
  Result<Topic> get(store::Session& session, const TopicName& name);
  Result<std::optional<Topic>> find(store::Session& session, const TopicName& name);
  /// Makes it or writes its settings and tags.
  Result<void> put(store::Transaction& tx, const Topic& topic);
  /// With its subscriptions.
  Result<void> remove(store::Transaction& tx, const TopicName& name);
  /// By name, those after `after`, at most `limit`.
  Result<std::vector<TopicName>> list(store::Session& session, const std::string& account, const std::string& region,
                                      const std::string& after, std::size_t limit);

  Result<std::optional<Subscription>> find_subscription(store::Session& session, const std::string& arn);
  Result<std::optional<Subscription>> find_endpoint(store::Session& session, const std::string& topic_arn,
                                                    const std::string& protocol, const std::string& endpoint);
  Result<std::optional<Subscription>> find_token(store::Session& session, const std::string& token);
  Result<void> put_subscription(store::Transaction& tx, const Subscription& subscription);
  Result<void> remove_subscription(store::Transaction& tx, const Subscription& subscription);
  /// By ARN, those after `after`: of a topic, or of an account and region where `topic_arn` is empty.
  Result<std::vector<Subscription>> list_subscriptions(store::Session& session, const TopicName& where,
                                                       const std::string& topic_arn, const std::string& after,
                                                       std::size_t limit);
  /// Those that are confirmed.
  Result<std::vector<Subscription>> confirmed(store::Session& session, const std::string& topic_arn);
  struct Counts {
    std::int64_t confirmed = 0, pending = 0;
  };
  Result<Counts> count(store::Session& session, const std::string& topic_arn);
};

}  // namespace fixpoint::services::sns
