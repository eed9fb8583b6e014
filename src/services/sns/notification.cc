#include "services/sns/notification.h"

#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::services::sns {
namespace {

using json::Value;

Error bad_attribute(const std::string& what) {
  return errors::coded("ParameterValueInvalid", what, 400);
}

Result<void> check_attribute(const std::string& name, const Value& attribute) {
  const std::string small = to_lower(name);
  const bool good =
      !name.empty() && name.size() <= 256 && !name.starts_with('.') && !name.ends_with('.') &&
      name.find("..") == std::string::npos && !small.starts_with("aws.") && !small.starts_with("amazon.") &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == std::string::npos;
  if (!good)
    return fail(
        bad_attribute("The message attribute name '" + name.substr(0, 256) +
                      "' is not valid: 1 to 256 letters, digits, '_', '-' and '.', not beginning or ending with "
                      "'.', without '..', not beginning with AWS. or Amazon."));
  const std::string quoted = "The message attribute '" + name + "'";
  const std::string type(attribute["DataType"].string_or(""));
  if (type.empty()) return fail(bad_attribute(quoted + " must contain non-empty message attribute type."));
  const std::string kind = type.substr(0, type.find('.'));
  if (kind != "String" && kind != "Number" && kind != "Binary")
    return fail(bad_attribute(quoted +
                              " has an invalid message attribute type, the set of supported type prefixes is Binary, "
                              "Number, and String."));
  const char* member = kind == "Binary" ? "BinaryValue" : "StringValue";
  const Value& value = attribute[member];
  if (value.string_or("").empty())
    return fail(bad_attribute(quoted + " must contain non-empty message attribute value for message attribute type '" +
                              type + "'."));
  if (kind == "Binary" && !base64_decode(value.as_string()))
    return fail(bad_attribute(quoted + " holds a BinaryValue that is no base64."));
  if (kind == "Number" && !to_double(value.as_string()))
    return fail(bad_attribute("Could not cast message attribute '" + name + "' value to number."));
  if (type == "String.Array") {
    const auto list = json::parse(value.as_string());
    if (!list || !list->is_array())
      return fail(bad_attribute(quoted + " of the type String.Array has to be a JSON array."));
  }
  return {};
}

// At most 100 characters of ASCII, beginning with a letter, digit or punctuation mark, without line breaks.
Result<void> check_subject(const Value& subject) {
  if (subject.is_null()) return {};
  const std::string_view text = subject.string_or("");
  const bool good = !text.empty() && text.size() <= 100 && text.front() != ' ' &&
                    std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  return good ? Result<void>() : fail(invalid("Subject"));
}

Result<void> check_id(const Value& given, const char* parameter) {
  if (given.is_null()) return {};
  const std::string_view text = given.string_or("");
  if (!text.empty() && text.size() <= 128 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; }))
    return {};
  return fail(invalid(std::string(parameter) + " Reason: " + parameter +
                      " can only include alphanumeric and punctuation characters. 1 to 128 in length."));
}

Value shown_message_attributes(const Value& attributes) {
  json::Object out;
  for (const json::Member& member : attributes.as_object()) {
    const Value& type = member.value["DataType"];
    out.append(member.key,
               json::Object{
                   {"Type", type},
                   {"Value", member.value[type.string_or("").starts_with("Binary") ? "BinaryValue" : "StringValue"]}});
  }
  return out;
}

// What a signature covers: names and values a line each, in the order of the names.
std::string signed_text(const json::Object& document, std::initializer_list<const char*> names) {
  std::string out;
  for (const auto* name : names)
    if (const Value* value = document.find(name)) {
      out.append(name).append("\n");
      out.append(value->string_or("")).append("\n");
    }
  return out;
}

std::string version_of(const Topic& topic) {
  return std::string(topic.settings["SignatureVersion"].string_or("1"));
}

}  // namespace

const std::string& Message::text_for(const std::string& protocol) const {
  const auto own = texts.find(protocol);
  return own != texts.end() ? own->second : text;
}

std::int64_t size_bytes(const Value& input) {
  auto bytes = static_cast<std::int64_t>(input["Message"].string_or("").size());
  if (input["MessageAttributes"].is_object())
    for (const json::Member& member : input["MessageAttributes"].as_object())
      bytes += static_cast<std::int64_t>(member.key.size() + member.value["DataType"].string_or("").size() +
                                         member.value["StringValue"].string_or("").size() +
                                         base64_decode(member.value["BinaryValue"].string_or("")).value_or("").size());
  return bytes;
}

Result<Message> message_of(const Value& input, const Topic& topic) {
  Message out;
  FIXPOINT_CHECK(check_subject(input["Subject"]));
  out.text = input["Message"].string_or("");
  if (out.text.empty()) return fail(invalid("Empty message"));
  if (input["MessageAttributes"].is_object()) {
    for (const json::Member& member : input["MessageAttributes"].as_object())
      FIXPOINT_CHECK(check_attribute(member.key, member.value));
    if (input["MessageAttributes"].size() > 0) out.attributes = input["MessageAttributes"];
  }
  if (size_bytes(input) > largest_message_bytes) return fail(invalid("Message too long"));
  FIXPOINT_CHECK(check_id(input["MessageGroupId"], "MessageGroupId"));
  FIXPOINT_CHECK(check_id(input["MessageDeduplicationId"], "MessageDeduplicationId"));
  out.group = input["MessageGroupId"].string_or("");
  out.dedup = input["MessageDeduplicationId"].string_or("");
  if (topic.fifo()) {
    if (out.group.empty()) return fail(invalid("The MessageGroupId parameter is required for FIFO topics"));
    if (out.dedup.empty() && !topic.dedup_by_content())
      return fail(
          invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                  "explicitly"));
    if (out.dedup.empty()) out.dedup = sha256_hex(out.text);
  } else if (!out.dedup.empty()) {
    return fail(
        invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not "
                "valid for this "
                "topic type"));
  }
  const Value& structure = input["MessageStructure"];
  if (!structure.is_null() && structure != Value("json")) return fail(invalid("MessageStructure"));
  if (structure == Value("json")) {
    const auto parsed = json::parse(out.text);
    if (!parsed || !parsed->is_object()) return fail(invalid("Message Structure - JSON message body failed to parse"));
    for (const json::Member& member : parsed->as_object())
      if (member.value.is_string()) out.texts.emplace(member.key, member.value.as_string());
    const auto otherwise = out.texts.find("default");
    if (otherwise == out.texts.end()) return fail(invalid("Message Structure - No default entry in JSON message body"));
    out.text = otherwise->second;
  }
  out.subject = input["Subject"].string_or("");
  out.id = random_uuid();
  return out;
}

std::string Envelopes::unsubscribe_url(const Subscription& subscription) const {
  return base_url_() + "/?Action=Unsubscribe&SubscriptionArn=" + uri_encode(subscription.arn);
}

json::Object Envelopes::notification(const Topic& topic, const Subscription& subscription, const Message& message,
                                     Signatures& signatures) const {
  json::Object out{{"Type", "Notification"}, {"MessageId", message.id}};
  if (!message.sequence.empty()) out.append("SequenceNumber", message.sequence);
  out.append("TopicArn", topic.name.arn());
  if (!message.subject.empty()) out.append("Subject", message.subject);
  out.append("Message", message.text_for(subscription.protocol));
  out.append("Timestamp", format_iso8601_ms(message.at_ms));
  const std::string version = version_of(topic);
  std::string text = signed_text(out, {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"});
  auto known = signatures.find(text);
  if (known == signatures.end()) {
    std::string signature = signer_.sign(text, version);
    known = signatures.emplace(std::move(text), std::move(signature)).first;
  }
  out.append("SignatureVersion", version);
  out.append("Signature", known->second);
  out.append("SigningCertURL", base_url_() + "/" + signer_.certificate_name());
  out.append("UnsubscribeURL", unsubscribe_url(subscription));
  if (message.attributes.is_object()) out.append("MessageAttributes", shown_message_attributes(message.attributes));
  return out;
}

// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
Value Envelopes::lambda_event(const Topic& topic, const Subscription& subscription, const Message& message,
                              Signatures& signatures) const {
  const json::Object document = notification(topic, subscription, message, signatures);
  json::Object sns;
  for (const auto* name :
       {"Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature"}) {
    const Value* value = document.find(name);
    sns.append(name, value != nullptr ? *value : Value());
  }
  sns.append("SigningCertUrl", *document.find("SigningCertURL"));
  sns.append("UnsubscribeUrl", *document.find("UnsubscribeURL"));
  const Value* attributes = document.find("MessageAttributes");
  sns.append("MessageAttributes", attributes != nullptr ? *attributes : Value(json::Object()));
  return json::Object{{"Records", json::Array{json::Object{{"EventSource", "aws:sns"},
                                                           {"EventVersion", "1.0"},
                                                           {"EventSubscriptionArn", subscription.arn},
                                                           {"Sns", std::move(sns)}}}}};
}

json::Object Envelopes::confirmation(const Topic& topic, const std::string& token, TimeMs at_ms) const {
  const std::string arn = topic.name.arn();
  const std::string text = "You have chosen to subscribe to the topic " + arn +
                           ".\nTo confirm the subscription, visit the SubscribeURL included in this message.";
  json::Object out{{"Type", "SubscriptionConfirmation"},
                   {"MessageId", random_uuid()},
                   {"Token", token},
                   {"TopicArn", arn},
                   {"Message", text},
                   {"SubscribeURL", base_url_() + "/?Action=ConfirmSubscription&TopicArn=" + uri_encode(arn) +
                                        "&Token=" + uri_encode(token)},
                   {"Timestamp", format_iso8601_ms(at_ms)}};
  const std::string version = version_of(topic);
  const std::string to_sign =
      signed_text(out, {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"});
  out.append("SignatureVersion", version);
  out.append("Signature", signer_.sign(to_sign, version));
  out.append("SigningCertURL", base_url_() + "/" + signer_.certificate_name());
  return out;
}

}  // namespace fixpoint::services::sns
