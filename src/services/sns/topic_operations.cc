#include <algorithm>
#include <unordered_set>

#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"
#include "services/sns/sns.h"

namespace fixpoint::services {
namespace {

using json::Value;
using sns::Topic;
using sns::TopicName;

constexpr std::size_t page_size = 100;

// Another account's topic is there for nobody but itself: policies are not read here.
Result<TopicName> topic_of(const aws::Caller& caller, const Value& arn) {
  FIXPOINT_TRY(name, sns::topic_of_arn(arn.string_or("")));
  if (name.region != caller.region) return fail(sns::invalid("TopicArn"));
  if (name.account != caller.account) return fail(sns::no_topic());
  return name;
}

Error no_resource() {
  return errors::coded("ResourceNotFound", "Resource does not exist", 404);
}

Result<TopicName> resource_of(const aws::Caller& caller, const Value& arn) {
  auto name = sns::topic_of_arn(arn.string_or(""));
  if (!name || name->account != caller.account || name->region != caller.region) return fail(no_resource());
  return name;
}

// https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html
Result<void> check_count(const Value& tags) {
  if (tags.size() > 50)
    return fail(
        errors::coded("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded", 400));
  return {};
}

Result<void> check_tags(const Value& tags) {
  if (!tags.is_array()) return {};
  FIXPOINT_CHECK(check_count(tags));
  std::unordered_set<std::string_view> keys;
  for (const Value& tag : tags.as_array()) {
    const std::string_view key = tag["Key"].string_or("");
    if (key.empty() || to_lower(key).starts_with("aws:"))
      return fail(sns::invalid("Tags Reason: a key is empty or begins with aws:"));
    if (!keys.insert(key).second) return fail(sns::invalid("Duplicated keys are not allowed."));
  }
  return {};
}

void set_tag(Value& tags, const Value& tag) {
  if (tags.is_array())
    for (Value& there : tags.as_array())
      if (there["Key"] == tag["Key"]) {
        there.set("Value", tag["Value"]);
        return;
      }
  tags.push_back(json::Object{{"Key", tag["Key"]}, {"Value", tag["Value"]}});
}

bool same_tags(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  return a.size() == 0 || std::all_of(a.as_array().begin(), a.as_array().end(), [&](const Value& tag) {
           return std::find(b.as_array().begin(), b.as_array().end(), tag) != b.as_array().end();
         });
}

// https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
Result<std::string> policy_with(const Topic& topic, const Value& input) {
  const std::string label(input["Label"].string_or(""));
  FIXPOINT_TRY(document, json::parse(topic.policy()));
  if (!document["Statement"].is_array()) document.set("Statement", json::Array{document["Statement"]});
  for (const Value& statement : document["Statement"].as_array())
    if (statement["Sid"] == Value(label)) return fail(sns::invalid("Statement already exists"));
  json::Array principals, actions;
  for (std::size_t i = 0; i < input["AWSAccountId"].size(); ++i) {
    const std::string account(input["AWSAccountId"][i].string_or(""));
    if (account.size() != 12 || account.find_first_not_of("0123456789") != std::string::npos)
      return fail(sns::invalid("AWSAccountId Reason: '" + account.substr(0, 50) + "' has not 12 digits"));
    principals.emplace_back("arn:" + std::string(partition_of_region(topic.name.region)) + ":iam::" + account +
                            ":root");
  }
  for (std::size_t i = 0; i < input["ActionName"].size(); ++i) {
    const std::string_view action = input["ActionName"][i].string_or("");
    static constexpr std::string_view known[] = {
        "GetTopicAttributes", "SetTopicAttributes",       "AddPermission", "RemovePermission", "DeleteTopic",
        "Subscribe",          "ListSubscriptionsByTopic", "Publish"};
    if (std::find(std::begin(known), std::end(known), action) == std::end(known))
      return fail(sns::invalid("Policy statement action out of service scope!"));
    actions.emplace_back("SNS:" + std::string(action));
  }
  if (label.empty() || principals.empty() || actions.empty())
    return fail(sns::invalid("Label, AWSAccountId and ActionName have to name something"));
  const auto alone = [](json::Array items) { return items.size() == 1 ? Value(items[0]) : Value(std::move(items)); };
  document.at_or_make("Statement")
      .push_back(json::Object{{"Sid", label},
                              {"Effect", "Allow"},
                              {"Principal", json::Object{{"AWS", alone(std::move(principals))}}},
                              {"Action", alone(std::move(actions))},
                              {"Resource", topic.name.arn()}});
  return json::print(document);
}

// A label that is not there is no error, as with SNS.
Result<std::string> policy_without(const Topic& topic, const std::string& label) {
  FIXPOINT_TRY(document, json::parse(topic.policy()));
  json::Array kept;
  if (document["Statement"].is_array())
    for (const Value& statement : document["Statement"].as_array())
      if (statement["Sid"] != Value(label)) kept.push_back(statement);
  document.set("Statement", std::move(kept));
  return json::print(document);
}

}  // namespace

Result<Value> Sns::create_topic(const aws::Caller& caller, const Value& input) {
  if (!input["DataProtectionPolicy"].string_or("").empty())
    return fail(
        errors::not_implemented("data protection policies are not there; leave it out", "DataProtectionPolicy"));
  const TopicName name{caller.account, caller.region, std::string(input["Name"].string_or(""))};
  const Value& attributes = input["Attributes"];
  FIXPOINT_TRY(settings, sns::settings_of_new_topic(name.name, attributes));
  FIXPOINT_CHECK(check_tags(input["Tags"]));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(there, topics_.find(tx, name));
    if (there) {
      if (attributes.is_object())
        for (const json::Member& member : attributes.as_object())
          if (member.value != there->settings[member.key] &&
              !(member.value.string_or("").empty() || member.value == Value("false")))
            return fail(sns::invalid("Attributes Reason: Topic already exists with different attributes"));
      if (input["Tags"].size() > 0 && !same_tags(input["Tags"], there->tags))
        return fail(sns::invalid("Tags Reason: Topic already exists with different tags"));
    } else {
      Topic topic;
      topic.name = name;
      topic.settings = std::move(settings);
      topic.tags = json::Array();
      for (std::size_t i = 0; i < input["Tags"].size(); ++i) set_tag(topic.tags, input["Tags"][i]);
      FIXPOINT_CHECK(topics_.put(tx, topic));
    }
    return Value(json::Object{{"TopicArn", name.arn()}});
  });
}

void Sns::add_topic_operations(aws::ServiceTable& table) {
  table.add("CreateTopic", [this](const auto& caller, const auto& input) { return create_topic(caller, input); });
  table.add("DeleteTopic", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, topic_of(caller, input["TopicArn"]));
    FIXPOINT_CHECK(store_.write([&](store::Transaction& tx) { return topics_.remove(tx, name); }));
    return Value(json::Object());
  });
  table.add_quick("ListTopics", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const auto after = base64_decode(input["NextToken"].string_or(""));
    if (!after) return fail(sns::invalid("NextToken Reason: Invalid token"));
    FIXPOINT_TRY(names, store_.read([&](store::Session& session) {
      return topics_.list(session, caller.account, caller.region, *after, page_size + 1);
    }));
    const bool more = names.size() > page_size;
    if (more) names.pop_back();
    json::Array list;
    for (const TopicName& name : names) list.emplace_back(json::Object{{"TopicArn", name.arn()}});
    Value out{json::Object{{"Topics", std::move(list)}}};
    if (more) out.set("NextToken", base64_encode(names.back().name));
    return out;
  });
  table.add_quick("GetTopicAttributes", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, topic_of(caller, input["TopicArn"]));
    return store_.read([&](store::Session& session) -> Result<Value> {
      FIXPOINT_TRY(topic, topics_.get(session, name));
      FIXPOINT_TRY(counts, topics_.count(session, name.arn()));
      json::Object shown = sns::shown_attributes(topic);
      shown.set("SubscriptionsConfirmed", std::to_string(counts.confirmed));
      shown.set("SubscriptionsPending", std::to_string(counts.pending));
      shown.set("SubscriptionsDeleted", std::to_string(topic.deleted_subscriptions));
      return Value(json::Object{{"Attributes", std::move(shown)}});
    });
  });
  const auto change = [this](auto find, auto missing, auto act) {
    return [this, find, missing, act](const aws::Caller& caller, const Value& input) -> Result<Value> {
      FIXPOINT_TRY(name, find(caller, input));
      return store_.write([&](store::Transaction& tx) -> Result<Value> {
        FIXPOINT_TRY(topic, topics_.find(tx, name));
        if (!topic) return fail(missing());
        FIXPOINT_CHECK(act(*topic, input));
        FIXPOINT_CHECK(topics_.put(tx, *topic));
        return Value(json::Object());
      });
    };
  };
  const auto by_topic = [](const aws::Caller& caller, const Value& input) {
    return topic_of(caller, input["TopicArn"]);
  };
  const auto by_resource = [](const aws::Caller& caller, const Value& input) {
    return resource_of(caller, input["ResourceArn"]);
  };
  table.add("SetTopicAttributes", change(by_topic, sns::no_topic, [](Topic& topic, const Value& input) -> Result<void> {
              FIXPOINT_TRY(settings, sns::topic_settings_after(topic, std::string(input["AttributeName"].string_or("")),
                                                               std::string(input["AttributeValue"].string_or(""))));
              topic.settings = std::move(settings);
              return {};
            }));
  table.add("AddPermission", change(by_topic, sns::no_topic, [](Topic& topic, const Value& input) -> Result<void> {
              FIXPOINT_TRY(policy, policy_with(topic, input));
              topic.settings.set("Policy", policy);
              return {};
            }));
  table.add("RemovePermission", change(by_topic, sns::no_topic, [](Topic& topic, const Value& input) -> Result<void> {
              FIXPOINT_TRY(policy, policy_without(topic, std::string(input["Label"].string_or(""))));
              topic.settings.set("Policy", policy);
              return {};
            }));
  table.add("TagResource", change(by_resource, no_resource, [](Topic& topic, const Value& input) -> Result<void> {
              FIXPOINT_CHECK(check_tags(input["Tags"]));
              for (std::size_t i = 0; i < input["Tags"].size(); ++i) set_tag(topic.tags, input["Tags"][i]);
              return check_count(topic.tags);
            }));
  table.add("UntagResource", change(by_resource, no_resource, [](Topic& topic, const Value& input) -> Result<void> {
              json::Array kept;
              for (const Value& tag : topic.tags.as_array()) {
                bool named = false;
                for (std::size_t i = 0; i < input["TagKeys"].size(); ++i)
                  named = named || input["TagKeys"][i] == tag["Key"];
                if (!named) kept.push_back(tag);
              }
              topic.tags = std::move(kept);
              return {};
            }));
  table.add_quick("ListTagsForResource", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, resource_of(caller, input["ResourceArn"]));
    FIXPOINT_TRY(topic, store_.read([&](store::Session& session) { return topics_.find(session, name); }));
    if (!topic) return fail(no_resource());
    return Value(json::Object{{"Tags", topic->tags}});
  });
}

}  // namespace fixpoint::services
