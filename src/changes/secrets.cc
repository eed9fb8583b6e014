#include "changes/secrets.h"

#include <array>

#include "aws/model.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr int deepest = 50;  // shapes may hold themselves

// "KMSMasterKeyID", "SSEKMSKeyId", "KMSKeyArn": which key, not the key.
constexpr std::array<std::string_view, 5> open_endings{"KeyId", "KeyID", "KeyArn", "KeyARN", "EncryptionContext"};

bool is_open(std::string_view name) {
  for (const std::string_view ending : open_endings)
    if (name.ends_with(ending)) return true;
  return false;
}

// EC2's value of an attribute is marked for the one attribute that is user data.
bool is_open_attribute(const aws::Shape& shape, const aws::Member& member, const Value& value) {
  return member.name == "Value" && shape.find("Attribute") != nullptr &&
         value["Attribute"].string_or("userData") != "userData";
}

std::optional<Value> hide(const aws::Shape* shape, const Value& value, int depth);

// The member's value without secrets; nothing where it has none.
std::optional<Value> hide(const aws::Member& member, const Value& value, int depth) {
  if (!member.sensitive || is_open(member.name)) return hide(member.shape, value, depth + 1);
  if (value.is_null()) return std::nullopt;
  if (!value.is_object()) return Value(secret_mark);
  Value out = value;  // a map: its names stay
  for (auto& one : out.as_object()) one.value = secret_mark;
  return out;
}

// Copies only what has a secret in it, for most calls have none.
std::optional<Value> hide(const aws::Shape* shape, const Value& value, int depth) {
  std::optional<Value> out;
  const auto replace = [&](std::optional<Value> part, const auto& at) {
    if (!part) return;
    if (!out) out = value;
    at(*out) = std::move(*part);
  };
  if (shape == nullptr || depth > deepest) return out;
  if (shape->type == aws::ShapeType::Structure && value.is_object()) {
    for (const aws::Member& member : shape->members)
      if (const Value* found = value.find(member.name); found != nullptr && !is_open_attribute(*shape, member, value))
        replace(hide(member, *found, depth), [&](Value& copy) -> Value& { return copy.as_object()[member.name]; });
  } else if (shape->type == aws::ShapeType::List && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      replace(hide(shape->element, value[i], depth), [&](Value& copy) -> Value& { return copy.as_array()[i]; });
  } else if (shape->type == aws::ShapeType::Map && value.is_object()) {
    for (const auto& one : value.as_object())
      replace(hide(shape->element, one.value, depth), [&](Value& copy) -> Value& { return copy.as_object()[one.key]; });
  }
  return out;
}

}  // namespace

std::optional<Value> without_secrets(const aws::Shape* shape, const Value& value) {
  return hide(shape, value, 0);
}

}  // namespace fixpoint::changes
