#include <algorithm>
#include <array>

#include "aws/verify.h"
#include "base/arn.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sns/sns.h"

namespace fixpoint::services {
namespace {

using json::Value;
using sns::Subscription;
using sns::Topic;
using sns::TopicName;

constexpr std::size_t page_size = 100;
constexpr TimeMs token_life_ms =
    3LL * 24 * 3600 * 1000;  // https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
constexpr std::size_t token_digits = 64;
constexpr std::size_t endpoint_limit = 2048;

constexpr std::array<std::string_view, 5> not_here{"email", "email-json", "sms", "application", "firehose"};

bool is_http(std::string_view protocol) {
  return protocol == "http" || protocol == "https";
}

// Whether the endpoint is one of that protocol that this topic may have.
Result<void> check_endpoint(const Topic& topic, const std::string& protocol, const std::string& endpoint) {
  if (std::find(not_here.begin(), not_here.end(), protocol) != not_here.end())
    return fail(errors::not_implemented(
        "subscriptions of the protocol " + protocol + " are not there; sqs, lambda, http and https are", "Protocol"));
  if (protocol != "sqs" && protocol != "lambda" && !is_http(protocol))
    return fail(sns::invalid("Amazon SNS does not support this protocol string: " + protocol.substr(0, 100)));
  if (endpoint.empty()) return fail(sns::invalid("Endpoint Reason: Endpoint not specified in subscription"));
  if (endpoint.size() > endpoint_limit) return fail(sns::invalid("Endpoint Reason: it is too long"));
  if (is_http(protocol)) {
    if (!endpoint.starts_with(protocol + "://"))
      return fail(sns::invalid("Endpoint must match the specified protocol"));
    if (topic.fifo()) return fail(sns::invalid("Invalid parameter: Endpoint Reason: Please use FIFO SQS queue"));
    return {};
  }
  const auto arn = parse_arn(endpoint);
  const bool queue = protocol == "sqs";
  if (!arn || arn->service != protocol || arn->resource.empty() ||
      (!queue && !arn->resource.starts_with("function:")) || arn->partition != partition_of_region(arn->region))
    return fail(sns::invalid(queue ? "SQS endpoint ARN" : "Lambda endpoint ARN"));
  if (topic.fifo() && !queue)
    return fail(sns::invalid("Invalid parameter: Endpoint Reason: Please use FIFO SQS queue"));
  if (!topic.fifo() && queue && arn->resource.ends_with(".fifo"))
    return fail(sns::invalid(
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"));
  if (arn->account != topic.name.account)
    return fail(errors::not_implemented("an endpoint of another account cannot be subscribed here", "Endpoint"));
  return {};
}

Value shown(const Subscription& subscription) {
  return json::Object{{"SubscriptionArn", subscription.pending ? "PendingConfirmation" : subscription.arn},
                      {"Owner", subscription.owner},
                      {"Protocol", subscription.protocol},
                      {"Endpoint", subscription.endpoint},
                      {"TopicArn", subscription.topic_arn}};
}

// arn:aws:sns:REGION:ACCOUNT:TOPIC:ID
Result<void> check_subscription_arn(const aws::Caller& caller, const std::string& arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6)
    return fail(sns::invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not " +
                             std::to_string(parts.size())));
  if (parts.size() != 7 || parts[2] != "sns") return fail(sns::invalid("SubscriptionId"));
  if (parts[4] != caller.account || parts[3] != caller.region) return fail(sns::no_subscription());
  return {};
}

}  // namespace

Result<Value> Sns::subscribe(const aws::Caller& caller, const Value& input) {
  FIXPOINT_TRY(name, sns::topic_of_arn(input["TopicArn"].string_or("")));
  if (name.region != caller.region) return fail(sns::invalid("TopicArn"));
  if (name.account != caller.account) return fail(sns::no_topic());
  const std::string protocol(input["Protocol"].string_or("")), endpoint(input["Endpoint"].string_or(""));
  // Asks for the names of hosts, so not within the transaction.
  if (is_http(protocol) && endpoint.starts_with(protocol + "://"))
    if (const auto why = outlets_.forbids(endpoint)) return fail(sns::invalid("Endpoint Reason: " + *why));
  const bool returns_arn = input["ReturnSubscriptionArn"].bool_or(false);
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(topic, topics_.get(tx, name));
    FIXPOINT_CHECK(check_endpoint(topic, protocol, endpoint));
    Value settings{json::Object()};
    const Value& attributes = input["Attributes"];
    // The scope first: what a policy may be depends on it.
    for (const bool scope : {true, false})
      if (attributes.is_object())
        for (const json::Member& member : attributes.as_object()) {
          if ((member.key == "FilterPolicyScope") != scope) continue;
          FIXPOINT_TRY(after, sns::subscription_settings_after(std::move(settings), topic, protocol, member.key,
                                                               std::string(member.value.string_or("")), true));
          settings = std::move(after);
        }
    FIXPOINT_TRY(there, topics_.find_endpoint(tx, name.arn(), protocol, endpoint));
    if (there) {
      for (const json::Member& setting : settings.as_object())
        if (there->settings[setting.key] != setting.value)
          return fail(sns::invalid("Attributes Reason: Subscription already exists with different attributes"));
      if (!there->pending) return Value(json::Object{{"SubscriptionArn", there->arn}});
    }
    Subscription subscription = there ? *there : Subscription{};
    if (!there) {
      subscription.arn = name.arn() + ":" + random_uuid();
      subscription.topic_arn = name.arn();
      subscription.protocol = protocol;
      subscription.endpoint = endpoint;
      subscription.owner = caller.account;
      subscription.principal = caller.principal ? caller.principal->arn : "";
      subscription.settings = std::move(settings);
      subscription.authenticated = true;
    }
    subscription.created_ms = clock_.now_ms();
    if (is_http(protocol)) {
      subscription.pending = true;
      subscription.authenticated = false;
      subscription.token = random_hex(token_digits);
      sns::HttpDeliveries::Delivery delivery;
      delivery.subscription_arn = subscription.arn;
      delivery.url = endpoint;
      const json::Object document = envelopes_.confirmation(topic, subscription.token, subscription.created_ms);
      delivery.headers = json::Object{{"Content-Type", "text/plain; charset=UTF-8"},
                                      {"User-Agent", "Amazon Simple Notification Service Agent"},
                                      {"x-amz-sns-message-type", "SubscriptionConfirmation"},
                                      {"x-amz-sns-message-id", *document.find("MessageId")},
                                      {"x-amz-sns-topic-arn", name.arn()}};
      delivery.body = json::print(document);
      FIXPOINT_CHECK(http_.add(tx, delivery));
    }
    FIXPOINT_CHECK(topics_.put_subscription(tx, subscription));
    return Value(json::Object{
        {"SubscriptionArn", subscription.pending && !returns_arn ? "pending confirmation" : subscription.arn}});
  });
}

Result<std::string> Sns::confirm(store::Transaction& tx, const std::string& topic_arn, const std::string& token,
                                 bool authenticated, bool guarded) {
  if (!sns::topic_of_arn(topic_arn)) return fail(sns::invalid("TopicArn"));
  FIXPOINT_TRY(subscription, topics_.find_token(tx, token));
  if (!subscription || subscription->topic_arn != topic_arn) return fail(sns::invalid("Token"));
  if (!subscription->pending) return subscription->arn;
  if (subscription->created_ms + token_life_ms <= clock_.now_ms()) return fail(sns::invalid("Token"));
  subscription->pending = false;
  subscription->authenticated = authenticated;
  subscription->guarded = guarded;
  FIXPOINT_CHECK(topics_.put_subscription(tx, *subscription));
  return subscription->arn;
}

Result<void> Sns::unsubscribe(store::Transaction& tx, const std::string& arn, bool authenticated) {
  FIXPOINT_TRY(subscription, topics_.find_subscription(tx, arn));
  if (!subscription) return {};
  if (!authenticated && subscription->guarded)
    return fail(errors::coded("AuthorizationError", "This subscription is only ended by somebody who signs", 403));
  return topics_.remove_subscription(tx, *subscription);
}

void Sns::add_subscription_operations(aws::ServiceTable& table) {
  table.add("Subscribe", [this](const auto& caller, const auto& input) { return subscribe(caller, input); });
  table.add("ConfirmSubscription", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["TopicArn"].string_or(""));
    const auto name = sns::topic_of_arn(arn);
    if (!name || name->account != caller.account) return fail(sns::invalid("TopicArn"));
    const bool guarded = equals_ignore_case(input["AuthenticateOnUnsubscribe"].string_or(""), "true");
    FIXPOINT_TRY(subscription, store_.write([&](store::Transaction& tx) {
      return confirm(tx, arn, std::string(input["Token"].string_or("")), true, guarded);
    }));
    return Value(json::Object{{"SubscriptionArn", subscription}});
  });
  table.add("Unsubscribe", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["SubscriptionArn"].string_or(""));
    FIXPOINT_CHECK(check_subscription_arn(caller, arn));
    FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) { return unsubscribe(tx, arn, true); }));
    return Value(json::Object());
  });
  for (const bool of_topic : {true, false})
    table.add_quick(of_topic ? "ListSubscriptionsByTopic" : "ListSubscriptions",
                    [this, of_topic](const aws::Caller& caller, const Value& input) -> Result<Value> {
                      const auto after = base64_decode(input["NextToken"].string_or(""));
                      if (!after) return fail(sns::invalid("NextToken Reason: Invalid token"));
                      TopicName where{caller.account, caller.region, {}};
                      if (of_topic) {
                        FIXPOINT_TRY(name, sns::topic_of_arn(input["TopicArn"].string_or("")));
                        if (name.account != caller.account) return fail(sns::no_topic());
                        where = std::move(name);
                      }
                      FIXPOINT_TRY(list, store_.read([&](store::Session& session) -> Result<std::vector<Subscription>> {
                        if (of_topic) FIXPOINT_CHECK(topics_.get(session, where));
                        return topics_.list_subscriptions(session, where, of_topic ? where.arn() : "", *after,
                                                          page_size + 1);
                      }));
                      const bool more = list.size() > page_size;
                      if (more) list.pop_back();
                      json::Array items;
                      for (const Subscription& subscription : list) items.push_back(shown(subscription));
                      Value out{json::Object{{"Subscriptions", std::move(items)}}};
                      if (more) out.set("NextToken", base64_encode(list.back().arn));
                      return out;
                    });
  table.add_quick("GetSubscriptionAttributes", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["SubscriptionArn"].string_or(""));
    FIXPOINT_CHECK(check_subscription_arn(caller, arn));
    FIXPOINT_TRY(found, store_.read([&](store::Session& session) { return topics_.find_subscription(session, arn); }));
    if (!found) return fail(sns::no_subscription());
    json::Object out{{"SubscriptionArn", found->arn},
                     {"TopicArn", found->topic_arn},
                     {"Protocol", found->protocol},
                     {"Endpoint", found->endpoint},
                     {"Owner", found->owner},
                     {"SubscriptionPrincipal", found->principal},
                     {"PendingConfirmation", found->pending ? "true" : "false"},
                     {"ConfirmationWasAuthenticated", found->authenticated ? "true" : "false"},
                     {"RawMessageDelivery", found->raw() ? "true" : "false"}};
    for (const json::Member& setting : found->settings.as_object()) out.set(setting.key, setting.value);
    if (out.contains("FilterPolicy") && !out.contains("FilterPolicyScope"))
      out.set("FilterPolicyScope", "MessageAttributes");
    if (is_http(found->protocol))
      out.set("EffectiveDeliveryPolicy",
              "{\"healthyRetryPolicy\":" +
                  sns::RetryPolicy::of("", std::string(found->settings["DeliveryPolicy"].string_or(""))).print() + "}");
    return Value(json::Object{{"Attributes", std::move(out)}});
  });
  table.add("SetSubscriptionAttributes", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const std::string arn(input["SubscriptionArn"].string_or(""));
    FIXPOINT_CHECK(check_subscription_arn(caller, arn));
    return store_.write([&](store::Transaction& tx) -> Result<Value> {
      FIXPOINT_TRY(subscription, topics_.find_subscription(tx, arn));
      if (!subscription) return fail(sns::no_subscription());
      FIXPOINT_TRY(name, sns::topic_of_arn(subscription->topic_arn));
      FIXPOINT_TRY(topic, topics_.get(tx, name));
      FIXPOINT_TRY(settings,
                   sns::subscription_settings_after(subscription->settings, topic, subscription->protocol,
                                                    std::string(input["AttributeName"].string_or("")),
                                                    std::string(input["AttributeValue"].string_or("")), false));
      subscription->settings = std::move(settings);
      FIXPOINT_CHECK(topics_.put_subscription(tx, *subscription));
      return Value(json::Object());
    });
  });
}

}  // namespace fixpoint::services
