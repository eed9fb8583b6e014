#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "json/text.h"
#include "services/sqs/sqs.h"

namespace fixpoint::services {
namespace {

using json::Value;
using sqs::Queue;
using sqs::QueueName;

constexpr std::int64_t largest_page = 1000;

// A queue of another account than the caller's is named by its URL; its policy would have to let the caller in, and
// policies are not read here, so it is not there for him.
Result<QueueName> name_of(const aws::Caller& caller, const Value& input) {
  if (input["QueueUrl"].string_or("").empty()) return fail(sqs::missing_parameter("QueueUrl"));
  FIXPOINT_TRY(name, sqs::name_of_url(input["QueueUrl"].string_or(""), caller.region));
  if (name.account.empty()) name.account = caller.account;
  if (name.account != caller.account) return fail(sqs::no_queue());
  return name;
}

Result<void> check_map(const Value& map, const char* member) {
  if (map.is_null()) return {};
  const auto refuse = [&](const std::string& what) {
    return fail(errors::serialization(std::string(member) + what, member));
  };
  if (!map.is_object()) return refuse(" has to be a map of strings");
  for (const json::Member& entry : map.as_object())
    if (!entry.value.is_string()) return refuse("." + entry.key.substr(0, 100) + " has to be a string");
  return {};
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html
Result<void> check_tags(const Value& tags) {
  FIXPOINT_CHECK(check_map(tags, "Tags"));
  if (!tags.is_object()) return {};
  for (const json::Member& tag : tags.as_object()) {
    const bool good = !tag.key.empty() && tag.key.size() <= 128 * 4 && tag.value.as_string().size() <= 256 * 4 &&
                      !to_lower(tag.key).starts_with("aws:");
    if (!good)
      return fail(sqs::invalid_value(
          tag.key, "Tags", "a key has 1 to 128 characters and does not begin with aws:, a value at most 256"));
  }
  return {};
}

std::string seconds_text(TimeMs time_ms) {
  return std::to_string(time_ms / 1000);
}

}  // namespace

// Whether the dead-letter queue that the settings name may be one for this queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
Result<void> Sqs::check_dead_letters(store::Session& session, const QueueName& name, const Value& settings) {
  Queue queue;
  queue.settings = settings;
  sqs::read_settings(queue);
  if (queue.dead_letter_arn.empty()) return {};
  const auto refuse = [&](const char* reason) {
    return fail(sqs::invalid_value(settings["RedrivePolicy"].string_or(""), "RedrivePolicy", reason));
  };
  FIXPOINT_TRY(to, sqs::name_of_arn(queue.dead_letter_arn));
  if (to.account != name.account || to.region != name.region)
    return refuse("Dead-letter queue must be in the account and region of the queue.");
  FIXPOINT_TRY(target, queues_.find(session, to));
  if (!target) return refuse("Dead letter target does not exist.");
  if (target->fifo != queue.fifo) return refuse("Dead-letter queue must be same type of queue as the source.");
  const auto allow = json::parse(target->settings["RedriveAllowPolicy"].string_or(""));
  if (!allow) return {};
  const std::string_view permission = (*allow)["redrivePermission"].string_or("");
  const Value& sources = (*allow)["sourceQueueArns"];
  const bool named = sources.is_array() && std::any_of(sources.as_array().begin(), sources.as_array().end(),
                                                       [&](const Value& arn) { return arn == Value(name.arn()); });
  if (permission == "denyAll" || (permission == "byQueue" && !named))
    return refuse("The RedriveAllowPolicy of the dead-letter queue does not allow this queue.");
  return {};
}

Result<Value> Sqs::create_queue(const aws::Caller& caller, const Value& input) {
  FIXPOINT_CHECK(check_map(input["Attributes"], "Attributes"));
  FIXPOINT_CHECK(check_tags(input["tags"]));
  if (input["QueueName"].string_or("").empty()) return fail(sqs::missing_parameter("QueueName"));
  const QueueName name{caller.account, caller.region, std::string(input["QueueName"].string_or(""))};
  FIXPOINT_TRY(settings, sqs::settings_of_new(name.name, input["Attributes"]));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(there, queues_.find(tx, name));
    if (there) {
      const std::string other = sqs::different_attribute(there->settings, input["Attributes"]);
      if (!other.empty())
        return fail(errors::coded(
            "QueueNameExists", "A queue already exists with the same name and a different value for attribute " + other,
            400));
    } else {
      FIXPOINT_CHECK(check_dead_letters(tx, name, settings));
      FIXPOINT_CHECK(queues_.create(tx, name, settings, input["tags"]));
    }
    return Value(json::Object{{"QueueUrl", name.url()}});
  });
}

Result<Value> Sqs::change_queue(const aws::Caller& caller, const Value& input,
                                const std::function<Result<void>(store::Session&, Queue&)>& change) {
  FIXPOINT_TRY(name, name_of(caller, input));
  return store_.write([&](store::Transaction& tx) -> Result<Value> {
    FIXPOINT_TRY(queue, queues_.get(tx, name));
    FIXPOINT_CHECK(change(tx, queue));
    FIXPOINT_CHECK(queues_.save(tx, queue));
    return Value(json::Object());
  });
}

Result<Value> Sqs::get_queue_attributes(const aws::Caller& caller, const Value& input) {
  FIXPOINT_TRY(name, name_of(caller, input));
  const Value& names = input["AttributeNames"];
  bool all = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view one = names[i].string_or("");
    if (!sqs::is_attribute_name(one))
      return fail(
          errors::coded("InvalidAttributeName", "Unknown Attribute " + std::string(one.substr(0, 100)) + ".", 400));
    all = all || one == "All";
  }
  return store_.read([&](store::Session& session) -> Result<Value> {
    FIXPOINT_TRY(queue, queues_.get(session, name));
    if (names.size() == 0) return Value(json::Object());
    FIXPOINT_TRY(counts, queues_.count(session, queue));
    json::Object there{{"QueueArn", name.arn()},
                       {"ApproximateNumberOfMessages", std::to_string(counts.visible)},
                       {"ApproximateNumberOfMessagesNotVisible", std::to_string(counts.in_flight)},
                       {"ApproximateNumberOfMessagesDelayed", std::to_string(counts.delayed)},
                       {"CreatedTimestamp", seconds_text(queue.created_ms)},
                       {"LastModifiedTimestamp", seconds_text(queue.modified_ms)}};
    for (const json::Member& setting : queue.settings.as_object()) there.set(setting.key, setting.value);
    if (all) return Value(json::Object{{"Attributes", std::move(there)}});
    json::Object picked;
    for (const Value& one : names.as_array())
      if (const Value* value = there.find(one.as_string())) picked.set(one.as_string(), *value);
    if (picked.empty()) return Value(json::Object());
    return Value(json::Object{{"Attributes", std::move(picked)}});
  });
}

// Pages go on after a name. Without MaxResults ListQueues gives up to 1,000 and no token.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
Result<Value> Sqs::list_queues(const aws::Caller& caller, const Value& input, bool sources) {
  const std::int64_t limit = input["MaxResults"].int_or(largest_page);
  if (limit < 1 || limit > largest_page)
    return fail(sqs::invalid_value(std::to_string(limit), "MaxResults", "Must be between 1 and 1000, if provided."));
  std::string after;
  if (!input["NextToken"].is_null()) {
    const auto decoded = base64_decode(input["NextToken"].string_or(""));
    if (!decoded || !decoded->starts_with("after:"))
      return fail(sqs::invalid_value(input["NextToken"].string_or(""), "NextToken", "It is not a token of this list."));
    after = decoded->substr(6);
  }
  const QueueName where{caller.account, caller.region, {}};
  std::optional<QueueName> target;
  if (sources) {
    FIXPOINT_TRY(name, name_of(caller, input));
    target = std::move(name);
  }
  FIXPOINT_TRY(names, store_.read([&](store::Session& session) -> Result<std::vector<QueueName>> {
    const auto one_more = static_cast<std::size_t>(limit) + 1;
    if (!target)
      return queues_.list(session, where, std::string(input["QueueNamePrefix"].string_or("")), after, one_more);
    FIXPOINT_CHECK(queues_.get(session, *target));
    return queues_.sources_of(session, target->arn(), after, one_more);
  }));
  const bool more = names.size() > static_cast<std::size_t>(limit);
  if (more) names.pop_back();
  json::Array urls;
  for (const QueueName& name : names) urls.emplace_back(name.url());
  json::Object out;
  if (sources || !urls.empty()) out.set(sources ? "queueUrls" : "QueueUrls", std::move(urls));
  if (more && !input["MaxResults"].is_null()) out.set("NextToken", base64_encode("after:" + names.back().name));
  return Value(std::move(out));
}

void Sqs::add_queue_operations(aws::ServiceTable& table) {
  // These check names that the model lists: SQS has an answer of its own for one that it does not know.
  table.add("CreateQueue", [this](const auto& caller, const auto& input) { return create_queue(caller, input); });
  table.add("SetQueueAttributes", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(check_map(input["Attributes"], "Attributes"));
    return change_queue(caller, input, [&](store::Session& session, Queue& queue) -> Result<void> {
      FIXPOINT_TRY(settings, sqs::settings_after(queue, input["Attributes"]));
      if (!input["Attributes"]["RedrivePolicy"].string_or("").empty())
        FIXPOINT_CHECK(check_dead_letters(session, queue.name, settings));
      queue.settings = std::move(settings);
      return {};
    });
  });
  table.add_quick("GetQueueAttributes",
                  [this](const auto& caller, const auto& input) { return get_queue_attributes(caller, input); });
  for (const auto* name : {"CreateQueue", "SetQueueAttributes", "GetQueueAttributes"})
    table.operations.find(name)->second.validates = true;
  table.add_quick("GetQueueUrl", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    const QueueName name{std::string(input["QueueOwnerAWSAccountId"].string_or(caller.account)), caller.region,
                         std::string(input["QueueName"].string_or(""))};
    if (name.account != caller.account) return fail(sqs::no_queue());
    FIXPOINT_TRY(queue, store_.read([&](store::Session& session) { return queues_.get(session, name); }));
    return Value(json::Object{{"QueueUrl", queue.name.url()}});
  });
  table.add_quick("ListQueues",
                  [this](const auto& caller, const auto& input) { return list_queues(caller, input, false); });
  table.add_quick("ListDeadLetterSourceQueues",
                  [this](const auto& caller, const auto& input) { return list_queues(caller, input, true); });
  for (const bool all : {true, false})
    table.add(all ? "DeleteQueue" : "PurgeQueue",
              [this, all](const aws::Caller& caller, const Value& input) -> Result<Value> {
                FIXPOINT_TRY(name, name_of(caller, input));
                FIXPOINT_CHECK(all ? queues_.remove(name) : queues_.purge(name));
                return Value(json::Object());
              });
  table.add("TagQueue", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_CHECK(check_tags(input["Tags"]));
    return change_queue(caller, input, [&](store::Session&, Queue& queue) -> Result<void> {
      if (input["Tags"].is_object())
        for (const json::Member& tag : input["Tags"].as_object()) queue.tags.set(tag.key, tag.value);
      return {};
    });
  });
  table.add("UntagQueue", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    return change_queue(caller, input, [&](store::Session&, Queue& queue) -> Result<void> {
      std::unordered_set<std::string_view> gone;
      for (std::size_t i = 0; i < input["TagKeys"].size(); ++i) gone.insert(input["TagKeys"][i].string_or(""));
      json::Object kept;
      for (json::Member& tag : queue.tags.as_object())
        if (!gone.contains(tag.key)) kept.append(tag.key, std::move(tag.value));
      queue.tags = std::move(kept);
      return {};
    });
  });
  table.add_quick("ListQueueTags", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    FIXPOINT_TRY(name, name_of(caller, input));
    FIXPOINT_TRY(queue, store_.read([&](store::Session& session) { return queues_.get(session, name); }));
    if (queue.tags.size() == 0) return Value(json::Object());
    return Value(json::Object{{"Tags", queue.tags}});
  });
  table.add("AddPermission", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    return change_queue(caller, input, [&](store::Session&, Queue& queue) -> Result<void> {
      FIXPOINT_TRY(policy,
                   sqs::policy_with(std::string(queue.settings["Policy"].string_or("")), queue.name.arn(), input));
      queue.settings.set("Policy", policy);
      return {};
    });
  });
  table.add("RemovePermission", [this](const aws::Caller& caller, const Value& input) -> Result<Value> {
    return change_queue(caller, input, [&](store::Session&, Queue& queue) -> Result<void> {
      FIXPOINT_TRY(policy, sqs::policy_without(std::string(queue.settings["Policy"].string_or("")),
                                               std::string(input["Label"].string_or(""))));
      if (policy.empty())
        queue.settings.as_object().erase("Policy");
      else
        queue.settings.set("Policy", policy);
      return {};
    });
  });
}

}  // namespace fixpoint::services
