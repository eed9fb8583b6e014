#include "services/sqs/message.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::services::sqs {
namespace {

using json::Value;

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}
void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size(), 4);
  out += text;
}

// #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF; `text` is valid UTF-8, so surrogates and
// what lies beyond U+10FFFF are none of its characters.
bool is_xml_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') return false;
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    if (byte == 0xef && i + 2 < text.size() && static_cast<unsigned char>(text[i + 1]) == 0xbf &&
        static_cast<unsigned char>(text[i + 2]) >= 0xbe)
      return false;
  }
  return true;
}

Error bad_contents() {
  return errors::coded("InvalidMessageContents",
                       "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
                       "#xE000 to #xFFFD | #x10000 to #x10FFFF",
                       400);
}

Result<void> check_attribute_name(const std::string& name) {
  const std::string small = to_lower(name);
  const bool good =
      !name.empty() && name.size() <= 256 && !name.starts_with('.') && !name.ends_with('.') &&
      name.find("..") == std::string::npos && !small.starts_with("aws.") && !small.starts_with("amazon.") &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == std::string::npos;
  if (good) return {};
  return fail(invalid_parameter(
      "Message (user) attribute name '" + name.substr(0, 256) +
      "' is not valid: 1 to 256 letters, digits, '_', '-' and '.', not beginning or ending with '.', without '..', not "
      "beginning with AWS. or Amazon."));
}

Result<void> check_attribute(const std::string& name, const Value& attribute) {
  const std::string quoted = "Message (user) attribute '" + name + "'";
  const std::string type(attribute["DataType"].string_or(""));
  if (type.empty()) return fail(invalid_parameter(quoted + " must contain a non-empty message attribute type."));
  const std::string kind = type.substr(0, type.find('.'));
  if ((kind != "String" && kind != "Number" && kind != "Binary") || type.size() > 256)
    return fail(invalid_parameter(quoted +
                                  " has an invalid message attribute type, the set of supported type prefixes is "
                                  "Binary, Number, and String."));
  const char* member = kind == "Binary" ? "BinaryValue" : "StringValue";
  const Value& value = attribute[member];
  if (value.string_or("").empty())
    return fail(invalid_parameter("The message attribute '" + name +
                                  "' must contain a non-empty message attribute value"
                                  " of type '" +
                                  kind + "', as " + member + "."));
  if (kind == "Binary") {
    if (!base64_decode(value.as_string()))
      return fail(invalid_parameter(quoted + " holds a BinaryValue that is no base64."));
    return {};
  }
  if (!is_xml_text(value.as_string())) return fail(bad_contents());
  if (kind == "Number" && !to_double(value.as_string()))
    return fail(invalid_parameter("Can't cast the value of message (user) attribute '" + name + "' to a number."));
  return {};
}

Result<void> check_attributes(const Value& attributes) {
  if (!attributes.is_object()) return {};
  if (attributes.size() > most_attributes)
    return fail(invalid_parameter("Number of message attributes [" + std::to_string(attributes.size()) +
                                  "] exceeds the allowed maximum [" + std::to_string(most_attributes) + "]."));
  for (const json::Member& member : attributes.as_object()) {
    FIXPOINT_CHECK(check_attribute_name(member.key));
    FIXPOINT_CHECK(check_attribute(member.key, member.value));
  }
  return {};
}

Result<void> check_system(const Value& system) {
  if (!system.is_object()) return {};
  for (const json::Member& member : system.as_object()) {
    if (member.key != "AWSTraceHeader")
      return fail(invalid_parameter("Message system attribute name '" + member.key.substr(0, 256) +
                                    "' is invalid, the supported one is AWSTraceHeader."));
    if (member.value["DataType"] != Value("String") || member.value["StringValue"].string_or("").empty())
      return fail(invalid_parameter("AWSTraceHeader has to be a StringValue of the DataType String."));
  }
  return {};
}

// Letters, digits and ASCII punctuation.
Result<void> check_id(const Value& given, const char* parameter) {
  if (given.is_null()) return {};
  const std::string_view text = given.string_or("");
  const bool good = !text.empty() && text.size() <= 128 &&
                    std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (good) return {};
  return fail(invalid_value(
      text, parameter,
      std::string(parameter) + " can only include alphanumeric and punctuation characters. 1 to 128 in length."));
}

std::int64_t attribute_bytes(const Value& attributes) {
  std::int64_t bytes = 0;
  if (attributes.is_object())
    for (const json::Member& member : attributes.as_object()) {
      bytes += static_cast<std::int64_t>(member.key.size() + member.value["DataType"].string_or("").size() +
                                         member.value["StringValue"].string_or("").size());
      if (const auto raw = base64_decode(member.value["BinaryValue"].string_or("")))
        bytes += static_cast<std::int64_t>(raw->size());
    }
  return bytes;
}

Value only_modelled(const Value& attributes) {
  if (!attributes.is_object() || attributes.size() == 0) return {};
  json::Object out;
  for (const json::Member& member : attributes.as_object()) {
    json::Object one{{"DataType", member.value["DataType"]}};
    const char* value = member.value["DataType"].string_or("").starts_with("Binary") ? "BinaryValue" : "StringValue";
    one.append(value, member.value[value]);
    out.set(member.key, std::move(one));
  }
  return out;
}

}  // namespace

std::int64_t Message::size_bytes() const {
  return static_cast<std::int64_t>(body.size()) + attribute_bytes(attributes);
}

std::string md5_of_attributes(const Value& attributes) {
  if (!attributes.is_object() || attributes.size() == 0) return {};
  std::vector<const json::Member*> sorted;
  for (const json::Member& member : attributes.as_object()) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  std::string bytes;
  for (const json::Member* member : sorted) {
    append_text(bytes, member->key);
    const std::string_view type = member->value["DataType"].string_or("");
    append_text(bytes, type);
    const bool binary = type.starts_with("Binary");
    bytes += binary ? '\2' : '\1';
    append_text(bytes, binary ? base64_decode(member->value["BinaryValue"].string_or("")).value_or("")
                              : std::string(member->value["StringValue"].string_or("")));
  }
  return hex_encode(md5(bytes));
}

Result<Message> message_of(const Value& input, std::string sender) {
  Message out;
  out.body = input["MessageBody"].string_or("");
  if (out.body.empty()) return fail(missing_parameter("MessageBody"));
  if (!is_valid_utf8(out.body) || !is_xml_text(out.body)) return fail(bad_contents());
  FIXPOINT_CHECK(check_attributes(input["MessageAttributes"]));
  FIXPOINT_CHECK(check_system(input["MessageSystemAttributes"]));
  FIXPOINT_CHECK(check_id(input["MessageGroupId"], "MessageGroupId"));
  FIXPOINT_CHECK(check_id(input["MessageDeduplicationId"], "MessageDeduplicationId"));
  if (!input["DelaySeconds"].is_null()) {
    out.delay_s = input["DelaySeconds"].int_or(-1);
    if (*out.delay_s < 0 || *out.delay_s > 900)
      return fail(invalid_value(std::to_string(*out.delay_s), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."));
  }
  out.attributes = only_modelled(input["MessageAttributes"]);
  out.system = only_modelled(input["MessageSystemAttributes"]);
  out.group = input["MessageGroupId"].string_or("");
  out.dedup = input["MessageDeduplicationId"].string_or("");
  out.sender = std::move(sender);
  out.md5_of_body = hex_encode(md5(out.body));
  out.md5_of_attributes = md5_of_attributes(out.attributes);
  out.md5_of_system = md5_of_attributes(out.system);
  return out;
}

Result<void> check_for(const Queue& queue, const Message& message) {
  if (message.size_bytes() > queue.message_limit_bytes)
    return fail(invalid_parameter("One or more parameters are invalid. Reason: Message must be shorter than " +
                                  std::to_string(queue.message_limit_bytes) + " bytes."));
  if (!queue.fifo) {
    if (!message.dedup.empty())
      return fail(invalid_value(message.dedup, "MessageDeduplicationId",
                                "The request includes a parameter that is not valid for this queue type."));
    return {};
  }
  if (message.delay_s.value_or(0) != 0)
    return fail(invalid_value(std::to_string(*message.delay_s), "DelaySeconds",
                              "The request include parameter that is not valid for this queue type."));
  if (message.group.empty()) return fail(missing_parameter("MessageGroupId"));
  if (message.dedup.empty() && !queue.dedup_by_content)
    return fail(
        invalid_parameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                          "provided explicitly"));
  return {};
}

std::string Receipt::handle() const {
  std::string bytes;
  append_number(bytes, static_cast<std::uint64_t>(queue), 8);
  append_number(bytes, static_cast<std::uint64_t>(sequence), 8);
  bytes += hex_decode(nonce).value_or("");
  return base64_encode(bytes);
}

Result<Receipt> receipt_of(std::string_view handle, const Queue& queue) {
  const auto refuse = [&] {
    return errors::coded(
        "ReceiptHandleIsInvalid",
        "The input receipt handle \"" + std::string(handle.substr(0, 256)) + "\" is not a valid receipt handle.", 400);
  };
  const auto bytes = base64_decode(handle);
  if (!bytes || bytes->size() != 32) return fail(refuse());
  const auto number = [&](std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + 8; ++i) value = value << 8 | static_cast<unsigned char>((*bytes)[i]);
    return static_cast<std::int64_t>(value);
  };
  Receipt out{number(0), number(8), hex_encode(std::string_view(*bytes).substr(16))};
  if (out.queue != queue.id) return fail(refuse());
  return out;
}

}  // namespace fixpoint::services::sqs
