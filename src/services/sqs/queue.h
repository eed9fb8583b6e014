#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "json/value.h"

namespace fixpoint::services::sqs {

/// A queue by where it is.
struct QueueName {
  std::string account;  ///< twelve digits
  std::string region;
  std::string name;

  std::string arn() const;
  /// In AWS's own form, whatever the server is reached at: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME. Only the last
  /// two parts of a URL are read.
  std::string url() const;
};

/// From a QueueUrl of any host, whose region is the caller's. Errors: QueueDoesNotExist (a URL that names none).
Result<QueueName> name_of_url(std::string_view url, const std::string& region);
/// Error: ValidationException for what is no ARN of a queue.
Result<QueueName> name_of_arn(std::string_view arn);

/// A queue as it is stored. The numbers are in `settings` too: here for who sends and receives.
struct Queue {
  std::int64_t id = 0;
  QueueName name;
  bool fifo = false;
  bool dedup_by_content = false;
  bool dedup_by_group = false;  ///< DeduplicationScope messageGroup
  std::int64_t delay_s = 0;
  std::int64_t message_limit_bytes = 0;
  std::int64_t retention_s = 0;
  std::int64_t wait_s = 0;
  std::int64_t visibility_s = 0;
  std::int64_t receive_limit = 0;  ///< maxReceiveCount; 0 without a redrive policy
  std::string dead_letter_arn;
  TimeMs created_ms = 0;
  TimeMs modified_ms = 0;
  json::Value settings;  ///< the attributes that can be set, by AWS's names, all values strings
  json::Value tags;
};

/// The settings of a new queue: AWS's defaults under what was given, checked. Errors: InvalidAttributeName,
/// InvalidAttributeValue, InvalidParameterValue (a name that is none, a redrive policy). Whether a dead-letter queue is
/// there is not looked at. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
Result<json::Value> settings_of_new(const std::string& name, const json::Value& attributes);
/// The settings after SetQueueAttributes; "" takes a policy or key away. Errors as above.
Result<json::Value> settings_after(const Queue& queue, const json::Value& attributes);
/// Fills the numbers of `queue` from its settings.
void read_settings(Queue& queue);
/// The first attribute of `attributes` that a queue with these settings has otherwise; empty where it has all.
std::string different_attribute(const json::Value& settings, const json::Value& attributes);
/// True for the names that GetQueueAttributes takes, `All` included.
bool is_attribute_name(std::string_view name);

/// The statement that AddPermission adds to a policy (null or its JSON text), as text. Errors: InvalidParameterValue (a
/// label that is there, an action that is none), OverLimit.
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
Result<std::string> policy_with(const std::string& policy, const std::string& arn, const json::Value& input);
/// The policy without the statements of that label; empty where none is left. Error: InvalidParameterValue.
Result<std::string> policy_without(const std::string& policy, const std::string& label);

/// Errors in SQS's words.
Error no_queue();
Error no_resource(std::string_view parameter);
Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason);
Error invalid_parameter(std::string message);
Error missing_parameter(std::string_view parameter);

}  // namespace fixpoint::services::sqs
