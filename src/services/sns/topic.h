#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::services::sns {

/// https://docs.aws.amazon.com/general/latest/gr/sns.html
constexpr std::int64_t largest_message_bytes = 262'144;

/// A topic by where it is.
struct TopicName {
  std::string account;  ///< twelve digits
  std::string region;
  std::string name;

  std::string arn() const;
};
/// Error: InvalidParameter for what is no ARN of a topic.
Result<TopicName> topic_of_arn(std::string_view arn);

struct Topic {
  TopicName name;
  json::Value settings;  ///< the attributes that were set, by AWS's names, all values strings
  json::Value tags;      ///< a list of {Key, Value}
  std::int64_t deleted_subscriptions = 0;

  bool fifo() const { return settings["FifoTopic"] == json::Value("true"); }
  bool dedup_by_content() const { return settings["ContentBasedDeduplication"] == json::Value("true"); }
  /// With AWS's own default where none was set.
  std::string policy() const;
};

struct Subscription {
  std::string arn;
  std::string topic_arn;
  std::string protocol;  ///< sqs, lambda, http, https
  std::string endpoint;
  std::string owner;      ///< twelve digits
  std::string principal;  ///< the ARN of who subscribed
  json::Value settings;   ///< the attributes that were set, all values strings
  std::string token;      ///< what confirms it; empty where nobody had to
  bool pending = false;   ///< not confirmed yet
  TimeMs created_ms = 0;
  bool authenticated = false;  ///< confirmed by somebody who signed
  bool guarded = false;        ///< AuthenticateOnUnsubscribe

  bool raw() const { return settings["RawMessageDelivery"] == json::Value("true"); }
  bool by_body() const { return settings["FilterPolicyScope"] == json::Value("MessageBody"); }
};

/// Checks what CreateTopic is given. Errors: InvalidParameter in SNS's words.
/// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
Result<json::Value> settings_of_new_topic(const std::string& name, const json::Value& attributes);
/// The settings after SetTopicAttributes; "" takes one away. Error: InvalidParameter.
Result<json::Value> topic_settings_after(const Topic& topic, const std::string& name, const std::string& value);
/// What GetTopicAttributes shows beside the counts.
json::Object shown_attributes(const Topic& topic);

/// The settings of a subscription after one more is set, held against its topic. `in_subscribe` only changes the words.
/// Errors: InvalidParameter, FilterPolicyLimitExceeded.
/// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
Result<json::Value> subscription_settings_after(json::Value settings, const Topic& topic, const std::string& protocol,
                                                const std::string& name, const std::string& value, bool in_subscribe);

/// "Invalid parameter: ..." with the code InvalidParameter.
Error invalid(const std::string& what);
Error no_topic();
Error no_subscription();

}  // namespace fixpoint::services::sns
