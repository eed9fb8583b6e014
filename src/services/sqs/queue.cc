#include "services/sqs/queue.h"

#include <algorithm>
#include <array>

#include "base/arn.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::services::sqs {
namespace {

using json::Value;

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
struct Number {
  std::string_view name;
  std::int64_t least, most;
  const char* otherwise;
};
constexpr std::array numbers{
    Number{"DelaySeconds", 0, 900, "0"},
    Number{"MaximumMessageSize", 1024, 1'048'576, "1048576"},
    Number{"MessageRetentionPeriod", 60, 1'209'600, "345600"},
    Number{"ReceiveMessageWaitTimeSeconds", 0, 20, "0"},
    Number{"VisibilityTimeout", 0, 43'200, "30"},
    Number{"KmsDataKeyReusePeriodSeconds", 60, 86'400, nullptr},
};
constexpr std::array<std::string_view, 7> told{"QueueArn",
                                               "ApproximateNumberOfMessages",
                                               "ApproximateNumberOfMessagesNotVisible",
                                               "ApproximateNumberOfMessagesDelayed",
                                               "CreatedTimestamp",
                                               "LastModifiedTimestamp",
                                               "All"};
constexpr std::array<std::string_view, 4> documents{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"};
constexpr std::array<std::string_view, 3> of_fifo{"ContentBasedDeduplication", "DeduplicationScope",
                                                  "FifoThroughputLimit"};

template <std::size_t N>
bool is_in(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Error unknown_attribute(std::string_view name) {
  return errors::coded("InvalidAttributeName", "Unknown Attribute " + std::string(name) + ".", 400);
}
Error bad_attribute(std::string_view name) {
  return errors::coded("InvalidAttributeValue", "Invalid value for the parameter " + std::string(name) + ".", 400);
}

bool is_setting(std::string_view name) {
  return std::any_of(numbers.begin(), numbers.end(), [&](const Number& n) { return n.name == name; }) ||
         is_in(documents, name) || is_in(of_fifo, name) || name == "SqsManagedSseEnabled" || name == "FifoQueue";
}

Result<void> check_redrive_policy(const std::string& text) {
  const auto refuse = [&](const std::string& reason) { return fail(invalid_value(text, "RedrivePolicy", reason)); };
  const auto policy = json::parse(text);
  if (!policy || !policy->is_object()) return refuse("Redrive policy is not a valid JSON map.");
  for (const auto* member : {"deadLetterTargetArn", "maxReceiveCount"})
    if ((*policy)[member].is_null())
      return refuse(std::string("Redrive policy does not contain mandatory attribute: ") + member + ".");
  const Value& given = (*policy)["maxReceiveCount"];
  const auto count = given.is_string() ? to_int64(given.as_string()) : given.as_int64();
  if (!count || *count < 1 || *count > 1000)
    return refuse("Invalid value for maxReceiveCount: " + (given.is_string() ? given.as_string() : json::print(given)) +
                  ", valid values are from 1 to 1000 both inclusive.");
  if (!name_of_arn((*policy)["deadLetterTargetArn"].string_or("")))
    return refuse("Invalid value for deadLetterTargetArn.");
  return {};
}

Result<void> check_redrive_allow_policy(const std::string& text) {
  const auto refuse = [&](const std::string& reason) {
    return fail(invalid_value(text, "RedriveAllowPolicy", reason));
  };
  const auto policy = json::parse(text);
  if (!policy || !policy->is_object()) return refuse("Redrive allow policy is not a valid JSON map.");
  const std::string_view permission = (*policy)["redrivePermission"].string_or("");
  if (permission != "allowAll" && permission != "denyAll" && permission != "byQueue")
    return refuse("redrivePermission has to be allowAll, denyAll or byQueue.");
  const Value& sources = (*policy)["sourceQueueArns"];
  if (permission != "byQueue") {
    if (!sources.is_null()) return refuse("sourceQueueArns goes with the redrivePermission byQueue only.");
    return {};
  }
  if (!sources.is_array() || sources.size() == 0 || sources.size() > 10)
    return refuse("byQueue wants 1 to 10 sourceQueueArns.");
  for (const Value& source : sources.as_array())
    if (!name_of_arn(source.string_or(""))) return refuse("sourceQueueArns holds what is no ARN of a queue.");
  return {};
}

Result<void> check_one(const std::string& name, const Value& given, bool fifo, bool creating) {
  if (!is_setting(name) || (name == "FifoQueue" && !creating) || (is_in(of_fifo, name) && !fifo))
    return fail(unknown_attribute(name));
  if (!given.is_string()) return fail(bad_attribute(name));
  const std::string& text = given.as_string();
  for (const Number& number : numbers) {
    if (number.name != name) continue;
    const auto value = to_int64(text);
    if (!value || *value < number.least || *value > number.most) return fail(bad_attribute(name));
    return {};
  }
  if (text.empty()) return is_in(documents, name) ? Result<void>() : fail(bad_attribute(name));
  if (name == "RedrivePolicy") return check_redrive_policy(text);
  if (name == "RedriveAllowPolicy") return check_redrive_allow_policy(text);
  if (name == "Policy") {
    const auto policy = json::parse(text);
    return policy && policy->is_object() ? Result<void>() : fail(bad_attribute(name));
  }
  if (name == "KmsMasterKeyId") return {};
  const bool good = name == "DeduplicationScope"    ? text == "queue" || text == "messageGroup"
                    : name == "FifoThroughputLimit" ? text == "perQueue" || text == "perMessageGroupId"
                    : name == "FifoQueue"           ? text == "true"
                                                    : text == "true" || text == "false";
  return good ? Result<void>() : fail(bad_attribute(name));
}

Result<Value> merged(Value settings, const Value& attributes, bool fifo, bool creating) {
  if (!attributes.is_object()) return settings;
  for (const json::Member& member : attributes.as_object())
    FIXPOINT_CHECK(check_one(member.key, member.value, fifo, creating));
  const bool wants_key = !attributes["KmsMasterKeyId"].string_or("").empty();
  if (wants_key && attributes["SqsManagedSseEnabled"] == Value("true"))
    return fail(errors::coded("InvalidAttributeValue",
                              "You can use one type of server-side encryption (SSE) at one time. You can either enable "
                              "KMS SSE or SQS SSE.",
                              400));
  for (const json::Member& member : attributes.as_object()) {
    if (member.value.as_string().empty())
      settings.as_object().erase(member.key);
    else
      settings.set(member.key, member.value);
  }
  // One kind of encryption takes the other's place.
  if (wants_key) {
    settings.set("SqsManagedSseEnabled", "false");
    if (settings.find("KmsDataKeyReusePeriodSeconds") == nullptr) settings.set("KmsDataKeyReusePeriodSeconds", "300");
  } else if (attributes["SqsManagedSseEnabled"] == Value("true")) {
    settings.as_object().erase("KmsMasterKeyId");
  }
  if (settings.find("KmsMasterKeyId") == nullptr) settings.as_object().erase("KmsDataKeyReusePeriodSeconds");
  if (settings["FifoThroughputLimit"] == Value("perMessageGroupId") &&
      settings["DeduplicationScope"] != Value("messageGroup"))
    return fail(errors::coded("InvalidAttributeValue",
                              "The perMessageGroupId value for FifoThroughputLimit is allowed only when the value for "
                              "DeduplicationScope is messageGroup.",
                              400));
  return settings;
}

bool same_text(std::string_view name, const Value& a, const Value& b) {
  if (a == b) return true;
  if (!is_in(documents, name) || name == "KmsMasterKeyId") return false;
  const auto left = json::parse(a.string_or("")), right = json::parse(b.string_or(""));
  return left && right && *left == *right;
}

}  // namespace

Error no_queue() {
  return errors::coded("QueueDoesNotExist", "The specified queue does not exist.", 400);
}
Error invalid_parameter(std::string message) {
  return errors::coded("InvalidParameterValue", std::move(message), 400);
}
Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason) {
  return invalid_parameter("Value " + std::string(value.substr(0, 1024)) + " for parameter " + std::string(parameter) +
                           " is invalid. Reason: " + std::string(reason));
}
Error missing_parameter(std::string_view parameter) {
  return errors::coded("MissingParameter", "The request must contain the parameter " + std::string(parameter) + ".",
                       400);
}

std::string QueueName::arn() const {
  return "arn:" + std::string(partition_of_region(region)) + ":sqs:" + region + ":" + account + ":" + name;
}

std::string QueueName::url() const {
  const bool china = partition_of_region(region) == "aws-cn";
  return "https://sqs." + region + ".amazonaws.com" + (china ? ".cn" : "") + "/" + account + "/" + name;
}

Result<QueueName> name_of_url(std::string_view url, const std::string& region) {
  while (url.ends_with('/')) url.remove_suffix(1);
  const auto parts = split(url, '/');
  if (parts.empty() || parts.back().empty()) return fail(no_queue());
  QueueName out{"", region, std::string(parts.back())};
  if (parts.size() > 1) out.account = parts[parts.size() - 2];
  return out;
}

Result<QueueName> name_of_arn(std::string_view arn) {
  const auto parsed = parse_arn(arn);
  if (!parsed || parsed->service != "sqs" || parsed->resource.empty() || parsed->account.empty() ||
      parsed->region.empty() || parsed->resource.find_first_of(":/") != std::string::npos)
    return fail(errors::validation("'" + std::string(arn.substr(0, 200)) +
                                   "' names no queue; the form is arn:aws:sqs:REGION:ACCOUNT:NAME"));
  return QueueName{parsed->account, parsed->region, parsed->resource};
}

Result<Value> settings_of_new(const std::string& name, const Value& attributes) {
  const bool fifo = attributes["FifoQueue"].string_or("") == "true";
  std::string_view stem = name;
  if (fifo && stem.ends_with(".fifo")) stem.remove_suffix(5);
  const bool whole = !stem.empty() && name.size() <= 80 &&
                     stem.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                         std::string_view::npos;
  if (fifo && (!whole || !name.ends_with(".fifo")))
    return fail(invalid_parameter(
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
        ".fifo suffix and be 1 to 80 in length."));
  if (!whole)
    return fail(
        invalid_parameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"));
  json::Object settings;
  for (const Number& number : numbers)
    if (number.otherwise != nullptr) settings.set(number.name, number.otherwise);
  settings.set("SqsManagedSseEnabled", "true");
  if (fifo) {
    settings.set("FifoQueue", "true");
    settings.set("ContentBasedDeduplication", "false");
    settings.set("DeduplicationScope", "queue");
    settings.set("FifoThroughputLimit", "perQueue");
  }
  return merged(std::move(settings), attributes, fifo, true);
}

Result<Value> settings_after(const Queue& queue, const Value& attributes) {
  return merged(queue.settings, attributes, queue.fifo, false);
}

void read_settings(Queue& queue) {
  const auto number = [&](const char* name) { return to_int64(queue.settings[name].string_or("")).value_or(0); };
  queue.fifo = queue.settings["FifoQueue"] == Value("true");
  queue.dedup_by_content = queue.settings["ContentBasedDeduplication"] == Value("true");
  queue.dedup_by_group = queue.settings["DeduplicationScope"] == Value("messageGroup");
  queue.delay_s = number("DelaySeconds");
  queue.message_limit_bytes = number("MaximumMessageSize");
  queue.retention_s = number("MessageRetentionPeriod");
  queue.wait_s = number("ReceiveMessageWaitTimeSeconds");
  queue.visibility_s = number("VisibilityTimeout");
  queue.receive_limit = 0;
  queue.dead_letter_arn.clear();
  if (const auto policy = json::parse(queue.settings["RedrivePolicy"].string_or("")); policy && policy->is_object()) {
    const Value& count = (*policy)["maxReceiveCount"];
    queue.receive_limit = count.is_string() ? to_int64(count.as_string()).value_or(0) : count.int_or(0);
    queue.dead_letter_arn = (*policy)["deadLetterTargetArn"].string_or("");
  }
}

std::string different_attribute(const Value& settings, const Value& attributes) {
  if (attributes.is_object())
    for (const json::Member& member : attributes.as_object()) {
      const bool nothing = member.value.string_or("").empty() && settings.find(member.key) == nullptr;
      if (!nothing && !same_text(member.key, settings[member.key], member.value)) return member.key;
    }
  return {};
}

bool is_attribute_name(std::string_view name) {
  return is_setting(name) || is_in(told, name);
}

}  // namespace fixpoint::services::sqs
