#include "changes/secrets.h"

#include <array>

#include "aws/model.h"

namespace fixpoint::changes {
namespace {

using json::Value;

constexpr int deepest = 50;  // shapes may hold themselves

// A model's mark alone does not do: some services mark which key is meant, and simple shapes that several members share
// are marked for all of them. So the name has to say what kind of secret it is.
constexpr std::array<std::string_view, 14> secret_names{
    "Password",  "Secret",    "PrivateKey",   "Plaintext",  "KeyMaterial", "ZipFile",   "UserData",
    "SignedUrl", "signedUrl", "PreSharedKey", "StringSeed", "QRCodePNG",   "Variables", "SessionToken"};
constexpr std::array<std::string_view, 5> open_endings{"Id", "ID", "Arn", "ARN", "Name"};

bool names_a_secret(std::string_view name) {
  for (const std::string_view ending : open_endings)
    if (name.ends_with(ending)) return false;
  for (const std::string_view part : secret_names)
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}

bool hide(const aws::Shape* shape, Value& value, int depth);

bool hide_member(const aws::Member& member, std::string_view name, Value& value, int depth) {
  const bool secret =
      (member.sensitive || (member.shape != nullptr && member.shape->sensitive)) && names_a_secret(name);
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
