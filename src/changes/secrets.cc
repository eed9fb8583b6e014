#include "changes/secrets.h"

#include <array>

#include "aws/model.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr int deepest = 50;  // shapes may hold themselves

// "KMSMasterKeyID", "SSEKMSKeyId", "KMSKeyArn": which key, not the key. And EC2's attribute values, which are sensitive
// for the one attribute that is user data.
constexpr std::array<std::string_view, 6> open_endings{"KeyId", "KeyID", "KeyArn", "KeyARN", "EncryptionContext",
                                                       "Value"};

bool is_open(std::string_view name) {
  for (const std::string_view ending : open_endings)
    if (name.ends_with(ending)) return true;
  return false;
}

bool hide(const aws::Shape* shape, Value& value, int depth);

bool hide_member(const aws::Member& member, std::string_view name, Value& value, int depth) {
  const bool secret = (member.sensitive || (member.shape != nullptr && member.shape->sensitive)) && !is_open(name);
  if (!secret) return hide(member.shape, value, depth + 1);
  if (value.is_object()) {  // a map: its names stay
    for (auto& one : value.as_object()) one.value = secret_mark;
  } else if (!value.is_null()) {
    value = secret_mark;
  }
  return true;
}

// True where something was hidden.
bool hide(const aws::Shape* shape, Value& value, int depth) {
  if (shape == nullptr || depth > deepest) return false;
  bool any = false;
  switch (shape->type) {
    case aws::ShapeType::Structure:
      for (const aws::Member& member : shape->members)
        if (value.is_object())
          if (Value* found = value.as_object().find(member.name))
            any = hide_member(member, member.name, *found, depth) || any;
      break;
    case aws::ShapeType::List:
      if (value.is_array())
        for (Value& item : value.as_array()) any = hide_member(shape->element, {}, item, depth) || any;
      break;
    case aws::ShapeType::Map:
      if (value.is_object())
        for (auto& one : value.as_object()) any = hide_member(shape->element, {}, one.value, depth) || any;
      break;
    default: break;
  }
  return any;
}

}  // namespace

std::optional<Value> without_secrets(const aws::Shape* shape, const Value& value) {
  Value copy = value;
  if (!hide(shape, copy, 0)) return std::nullopt;
  return copy;
}

}  // namespace fixpoint::changes
