#include "services/sns/topic.h"

#include <algorithm>
#include <array>

#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sns/filter.h"

namespace fixpoint::services::sns {
namespace {

using json::Value;

// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
constexpr std::array<std::string_view, 24> topic_attributes{"ApplicationSuccessFeedbackRoleArn",
                                                            "ApplicationSuccessFeedbackSampleRate",
                                                            "ApplicationFailureFeedbackRoleArn",
                                                            "DeliveryPolicy",
                                                            "DisplayName",
                                                            "FirehoseSuccessFeedbackRoleArn",
                                                            "FirehoseSuccessFeedbackSampleRate",
                                                            "FirehoseFailureFeedbackRoleArn",
                                                            "HTTPSuccessFeedbackRoleArn",
                                                            "HTTPSuccessFeedbackSampleRate",
                                                            "HTTPFailureFeedbackRoleArn",
                                                            "KmsMasterKeyId",
                                                            "LambdaSuccessFeedbackRoleArn",
                                                            "LambdaSuccessFeedbackSampleRate",
                                                            "LambdaFailureFeedbackRoleArn",
                                                            "Policy",
                                                            "SQSSuccessFeedbackRoleArn",
                                                            "SQSSuccessFeedbackSampleRate",
                                                            "SQSFailureFeedbackRoleArn",
                                                            "SignatureVersion",
                                                            "TracingConfig",
                                                            "ContentBasedDeduplication",
                                                            "ArchivePolicy",
                                                            "FifoThroughputScope"};

constexpr const char* default_delivery_policy =
    R"({"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}})";

bool is_json_object(const std::string& text) {
  const auto parsed = json::parse(text);
  return parsed && parsed->is_object();
}

Result<void> check_topic_attribute(const std::string& name, const std::string& value, bool fifo) {
  const auto bad = [&](const std::string& reason) {
    return fail(invalid("Attributes Reason: " + name + ": " + reason));
  };
  if (std::find(topic_attributes.begin(), topic_attributes.end(), name) == topic_attributes.end() ||
      (name == "ContentBasedDeduplication" && !fifo))
    return fail(invalid("AttributeName"));
  if (value.empty()) return {};
  if (name == "Policy" && !is_json_object(value)) return fail(invalid("Policy Error: null"));
  if ((name == "DeliveryPolicy" || name == "ArchivePolicy") && !is_json_object(value))
    return bad("has to be a JSON object");
  if (name == "ArchivePolicy")
    return fail(errors::not_implemented("topics are not archived here; leave ArchivePolicy out"));
  if (name == "SignatureVersion" && value != "1" && value != "2") return bad("has to be 1 or 2");
  if (name == "ContentBasedDeduplication" && value != "true" && value != "false") return bad("has to be true or false");
  if (name == "TracingConfig" && value != "PassThrough" && value != "Active")
    return bad("has to be PassThrough or Active");
  if (name == "FifoThroughputScope" && value != "Topic" && value != "MessageGroup")
    return bad("has to be Topic or MessageGroup");
  if (name == "DisplayName" && value.size() > 100 * 4) return bad("has at most 100 characters");
  return {};
}

}  // namespace

Error invalid(const std::string& what) {
  return errors::coded("InvalidParameter", "Invalid parameter: " + what, 400);
}
Error no_topic() {
  return errors::coded("NotFound", "Topic does not exist", 404);
}
Error no_subscription() {
  return errors::coded("NotFound", "Subscription does not exist", 404);
}

std::string TopicName::arn() const {
  return "arn:" + std::string(partition_of_region(region)) + ":sns:" + region + ":" + account + ":" + name;
}

Result<TopicName> topic_of_arn(std::string_view arn) {
  const auto parsed = parse_arn(arn);
  if (!parsed)
    return fail(invalid("TopicArn Reason: An ARN must have at least 6 elements, not " +
                        std::to_string(split(arn, ':').size())));
  if (parsed->service != "sns" || parsed->account.empty() || parsed->region.empty() || parsed->resource.empty() ||
      parsed->resource.find_first_of(":/") != std::string::npos)
    return fail(invalid("TopicArn"));
  return TopicName{parsed->account, parsed->region, parsed->resource};
}

std::string Topic::policy() const {
  if (const Value& own = settings["Policy"]; own.is_string()) return own.as_string();
  json::Array actions;
  for (const auto* action : {"GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission",
                             "DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish"})
    actions.emplace_back(std::string("SNS:") + action);
  return json::print(json::Object{
      {"Version", "2008-10-17"},
      {"Id", "__default_policy_ID"},
      {"Statement",
       json::Array{json::Object{
           {"Sid", "__default_statement_ID"},
           {"Effect", "Allow"},
           {"Principal", json::Object{{"AWS", "*"}}},
           {"Action", std::move(actions)},
           {"Resource", name.arn()},
           {"Condition", json::Object{{"StringEquals", json::Object{{"AWS:SourceOwner", name.account}}}}}}}}});
}

Result<Value> settings_of_new_topic(const std::string& name, const Value& attributes) {
  const bool fifo = attributes["FifoTopic"].string_or("") == "true";
  std::string_view stem = name;
  if (fifo && stem.ends_with(".fifo")) stem.remove_suffix(5);
  const bool whole = !stem.empty() && name.size() <= 256 &&
                     stem.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                         std::string_view::npos;
  if (fifo && (!whole || !name.ends_with(".fifo")))
    return fail(invalid(
        "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, "
        "numbers, underscores, and hyphens, and must be between 1 and 256 characters long."));
  if (!whole) return fail(invalid("Topic Name"));
  json::Object settings;
  if (fifo) {
    settings.set("FifoTopic", "true");
    settings.set("ContentBasedDeduplication", "false");
  }
  if (attributes.is_object())
    for (const json::Member& member : attributes.as_object()) {
      const std::string value(member.value.string_or(""));
      if (member.key == "FifoTopic") {
        if (value != "true" && value != "false")
          return fail(invalid("Attributes Reason: FifoTopic: has to be true or false"));
        continue;
      }
      FIXPOINT_CHECK(check_topic_attribute(member.key, value, fifo));
      if (!value.empty()) settings.set(member.key, value);
    }
  return Value(std::move(settings));
}

Result<Value> topic_settings_after(const Topic& topic, const std::string& name, const std::string& value) {
  FIXPOINT_CHECK(check_topic_attribute(name, value, topic.fifo()));
  Value settings = topic.settings;
  if (value.empty())
    settings.as_object().erase(name);
  else
    settings.set(name, value);
  return settings;
}

json::Object shown_attributes(const Topic& topic) {
  json::Object out{
      {"TopicArn", topic.name.arn()}, {"Owner", topic.name.account}, {"DisplayName", ""}, {"Policy", topic.policy()}};
  for (const json::Member& setting : topic.settings.as_object()) out.set(setting.key, setting.value);
  out.set("EffectiveDeliveryPolicy", topic.settings["DeliveryPolicy"].is_string() ? topic.settings["DeliveryPolicy"]
                                                                                  : Value(default_delivery_policy));
  return out;
}

Result<Value> subscription_settings_after(Value settings, const Topic& topic, const std::string& protocol,
                                          const std::string& name, const std::string& value, bool in_subscribe) {
  const std::string before = in_subscribe ? "Attributes Reason: " : "";
  if (name == "RawMessageDelivery") {
    const std::string small = to_lower(value);
    if (small != "true" && small != "false")
      return fail(
          invalid(before + "RawMessageDelivery: Invalid value [" + value.substr(0, 100) + "]. Must be true or false."));
    if (small == "true" && protocol == "lambda")
      return fail(invalid(before + "Delivery protocol [lambda] does not support raw message delivery."));
    settings.set(name, small);
    return settings;
  }
  // An empty policy takes the filter away.
  // https://docs.aws.amazon.com/sns/latest/dg/message-filtering-policy-remove.html
  const bool nothing = value.empty() || (name == "FilterPolicy" && value == "{}");
  if (nothing && (name == "FilterPolicy" || name == "RedrivePolicy" || name == "DeliveryPolicy")) {
    settings.as_object().erase(name);
    return settings;
  }
  if (name == "FilterPolicyScope") {
    if (value != "MessageAttributes" && value != "MessageBody")
      return fail(invalid(before + "FilterPolicyScope: Invalid value [" + value.substr(0, 100) +
                          "]. Please use either MessageBody or MessageAttributes"));
  } else if (name == "FilterPolicy") {
    FIXPOINT_CHECK(check_filter_policy(value, settings["FilterPolicyScope"] == Value("MessageBody"), before));
  } else if (name == "RedrivePolicy") {
    const auto policy = json::parse(value);
    const auto to = policy ? parse_arn((*policy)["deadLetterTargetArn"].string_or("")) : Result<Arn>(Arn{});
    if (!policy || !policy->is_object() || !to || to->service != "sqs")
      return fail(invalid(before + "RedrivePolicy: deadLetterTargetArn is an invalid arn"));
    if (to->account != topic.name.account || to->region != topic.name.region)
      return fail(
          invalid(before + "RedrivePolicy: deadLetterTargetArn must be in the account and region of the topic"));
    if (to->resource.ends_with(".fifo") != topic.fifo())
      return fail(
          invalid(before + "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO topic, and a standard one else"));
  } else if (name == "DeliveryPolicy") {
    if (!is_json_object(value)) return fail(invalid(before + "DeliveryPolicy: has to be a JSON object"));
  } else if (name == "ReplayPolicy" || name == "SubscriptionRoleArn") {
    return fail(errors::not_implemented(name + " of a subscription is not there; leave it out", name));
  } else {
    return fail(
        invalid(in_subscribe ? "Attributes Reason: Unknown attribute: " + name.substr(0, 100) : "AttributeName"));
  }
  settings.set(name, value);
  if (name == "FilterPolicyScope" && settings["FilterPolicy"].is_string())
    FIXPOINT_CHECK(check_filter_policy(settings["FilterPolicy"].as_string(), value == "MessageBody", before));
  return settings;
}

}  // namespace fixpoint::services::sns
