#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aws/service_table.h"
#include "bus/bus.h"
#include "services/sns/filter.h"
#include "services/sns/http_deliveries.h"
#include "services/sns/notification.h"
#include "services/sns/topics.h"
#include "store/store.h"

namespace fixpoint::services {

/// fixpoint's own SNS. Thread-safe. What Publish answered is on its way for good: a queue has it, a function's
/// execution is begun, an HTTP delivery is stored, all in the transaction of the publishing.
///
/// Knowingly unlike AWS: a topic's policy is kept and not held against anybody; the signatures are of this server's
/// own certificate (sns::Signer); a queue or function of another account cannot be subscribed; a deleted topic takes
/// its subscriptions with it.
class Sns {
 public:
  /// What a topic hands its messages to; each is given what it needs within the transaction of the publishing.
  struct Outlets {
    /// SendMessage's input for a queue, by ARN. An error other than the store's means that the queue does not take it.
    std::function<Result<void>(store::Transaction&, const std::string& arn, const json::Value& message)> queue;
    /// Begins a function, by ARN, on an event; `name` starts it only once. `published` says by whose doing the message
    /// was published, and by which rule on which event where a rule did it.
    std::function<Result<void>(store::Transaction&, const std::string& name, const std::string& arn,
                               const json::Value& event, const bus::Delivery& published)>
        function;
    sns::HttpDeliveries::Send http;
    std::function<void()> stop_http;  ///< ends what is under way; may be empty
    /// Why an HTTP endpoint may not be subscribed; nothing where it may.
    std::function<std::optional<std::string>(const std::string& url)> forbids;
    /// A message that nobody took: for the log of what happened. Bodies are not in it.
    std::function<Result<void>(store::Transaction&, const json::Value& about)> lost;
  };

  Sns(store::Store& store, const Clock& clock, const sns::Signer& signer, std::function<std::string()> base_url,
      Outlets outlets);
  static store::Schema schema() { return sns::Topics::schema(); }
  void start() { http_.start(); }
  /// What is not delivered yet is after the next start. Again: does nothing.
  void stop();

  aws::ServiceTable table();

  /// A topic as the target of a rule: the event is published in the transaction that published it.
  /// Errors: NotFound, InvalidParameter.
  Result<void> begin(store::Transaction& tx, const bus::Delivery& delivery);
  /// Error: ValidationException for an ARN of no topic that is there.
  Result<void> check_arn(const std::string& arn);

  /// What needs no signature: the links of notifications (`/?Action=ConfirmSubscription&...`, `Unsubscribe`) and the
  /// signing certificate. Nothing where the request is for none of these.
  std::optional<HttpResponse> answer_open(const HttpRequest& request);

  /// For a clock that a test moves.
  void look() { http_.look(); }

 private:
  void add_topic_operations(aws::ServiceTable& table);
  void add_subscription_operations(aws::ServiceTable& table);
  void add_publish_operations(aws::ServiceTable& table);
  Result<json::Value> create_topic(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> subscribe(const aws::Caller& caller, const json::Value& input);
  Result<std::string> confirm(store::Transaction& tx, const std::string& topic_arn, const std::string& token,
                              bool authenticated, bool guarded);
  Result<void> unsubscribe(store::Transaction& tx, const std::string& arn, bool authenticated);
  Result<json::Value> publish(const aws::Caller& caller, const json::Value& input);
  Result<json::Value> publish_batch(const aws::Caller& caller, const json::Value& input);
  /// To every subscription that wants it; gives MessageId and SequenceNumber.
  Result<json::Value> publish(store::Transaction& tx, const sns::Topic& topic, sns::Message message,
                              sns::Envelopes::Signatures& signatures, const bus::Delivery& published);
  /// Signs what the subscribers of now will get, so that the transaction, which others wait for, has only to look it
  /// up.
  Result<void> sign_ahead(store::Session& session, const sns::Topic& topic, const sns::Message& message,
                          sns::Envelopes::Signatures& signatures);
  Result<void> deliver(store::Transaction& tx, const sns::Topic& topic, const sns::Subscription& subscription,
                       const sns::Message& message, sns::Envelopes::Signatures& signatures,
                       const bus::Delivery& published);
  Result<void> deliver_to_queue(store::Transaction& tx, const sns::Topic& topic, const sns::Subscription& subscription,
                                const sns::Message& message, sns::Envelopes::Signatures& signatures);
  Result<void> put_away(store::Transaction& tx, const std::string& subscription_arn, const std::string& dead_letter_arn,
                        const json::Value& message, const std::string& why);
  bool wants(const sns::Subscription& subscription, const sns::Message& message);

  store::Store& store_;
  const Clock& clock_;
  const sns::Signer& signer_;
  Outlets outlets_;
  sns::Topics topics_;
  sns::Filters filters_;
  sns::Envelopes envelopes_;
  sns::HttpDeliveries http_;
};

}  // namespace fixpoint::services
