#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "json/value.h"
#include "services/sqs/queue.h"

namespace fixpoint::services::sqs {

/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
constexpr std::int64_t largest_message_bytes = 1'048'576;
constexpr std::size_t largest_batch = 10;
constexpr std::size_t most_attributes = 10;

/// A message on its way into a queue, checked but for what only the queue knows. Bodies are data: no error text holds
/// one.
struct Message {
  std::string body;
  json::Value attributes;  ///< name -> {DataType, StringValue or BinaryValue (base64)}; null without
  json::Value system;      ///< the same, AWSTraceHeader alone
  std::string group;       ///< MessageGroupId
  std::string dedup;       ///< MessageDeduplicationId
  std::optional<std::int64_t> delay_s;
  std::string sender;  ///< SenderId: the caller's user id
  std::string md5_of_body;
  std::string md5_of_attributes;  ///< empty without attributes
  std::string md5_of_system;

  /// What counts against the limits: body, attributes' names, types and values.
  std::int64_t size_bytes() const;
};

/// From SendMessage's input or an entry of SendMessageBatch. Errors: InvalidMessageContents, InvalidParameterValue,
/// MissingParameter, in SQS's words.
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
Result<Message> message_of(const json::Value& input, std::string sender);

/// Holds a message against its queue: size, and what its kind of queue wants and refuses. Error: as above.
Result<void> check_for(const Queue& queue, const Message& message);

/// As clients compute it to check what arrived; lower-case hexadecimal.
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
std::string md5_of_attributes(const json::Value& attributes);

/// What proves that somebody received a message: which queue, which message, and the nonce of that very receive, which
/// is random and stored with the message until the next one takes its place.
struct Receipt {
  std::int64_t queue = 0;
  std::int64_t sequence = 0;
  std::string nonce;  ///< 32 hexadecimal digits

  std::string handle() const;
};
/// Error: ReceiptHandleIsInvalid for what never was a handle of this queue.
Result<Receipt> receipt_of(std::string_view handle, const Queue& queue);

}  // namespace fixpoint::services::sqs
