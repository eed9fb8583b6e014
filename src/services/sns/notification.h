#pragma once

#include <functional>
#include <map>
#include <string>

#include "services/sns/signer.h"
#include "services/sns/topic.h"

namespace fixpoint::services::sns {

/// A message on its way to a topic's subscribers, checked.
struct Message {
  std::string id;
  std::string text;                          ///< what a subscriber gets whose protocol has nothing of its own
  std::map<std::string, std::string> texts;  ///< by protocol, with MessageStructure json
  std::string subject;                       ///< empty without
  json::Value attributes;                    ///< name -> {DataType, StringValue or BinaryValue}; null without
  std::string group, dedup;
  std::string sequence;  ///< of a FIFO topic
  TimeMs at_ms = 0;

  const std::string& text_for(const std::string& protocol) const;
};

/// From Publish's input or an entry of PublishBatch, held against its topic. Errors: InvalidParameter,
/// ParameterValueInvalid in SNS's words. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
Result<Message> message_of(const json::Value& input, const Topic& topic);
/// What counts against the limit.
std::int64_t size_bytes(const json::Value& input);

/// The documents that endpoints get, in the order of members that AWS has.
/// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
class Envelopes {
 public:
  /// `base_url`: where the server is reached, for the URLs within.
  Envelopes(const Signer& signer, std::function<std::string()> base_url)
      : signer_(signer), base_url_(std::move(base_url)) {}

  /// A signature costs a millisecond, and subscribers of one message mostly get the same one: `signatures` keeps those
  /// of one message by what is signed.
  using Signatures = std::map<std::string, std::string>;
  json::Object notification(const Topic& topic, const Subscription& subscription, const Message& message,
                            Signatures& signatures) const;
  /// The event that a function gets.
  json::Value lambda_event(const Topic& topic, const Subscription& subscription, const Message& message,
                           Signatures& signatures) const;
  /// SubscriptionConfirmation.
  json::Object confirmation(const Topic& topic, const std::string& token, TimeMs at_ms) const;

 private:
  std::string unsubscribe_url(const Subscription& subscription) const;
  const Signer& signer_;
  std::function<std::string()> base_url_;
};

}  // namespace fixpoint::services::sns
