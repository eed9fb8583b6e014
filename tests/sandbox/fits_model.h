#pragma once

#include <string>

#include "aws/models.h"
#include "json/value.h"

namespace fixpoint::sandbox {

/// What of a value is not as the shape says, with its place; "" where it fits. Names that the model does not have,
/// and kinds that its types cannot be.
inline std::string misfit(const aws::Shape* shape, const json::Value& value, const std::string& place) {
  using aws::ShapeType;
  if (shape == nullptr) return value.size() == 0 ? "" : place + " should be empty";
  switch (shape->type) {
    case ShapeType::Structure:
      if (!value.is_object()) return place + " should be an object";
      for (const json::Member& member : value.as_object()) {
        const aws::Member* known = shape->find(member.key);
        if (known == nullptr) return place + "." + member.key + " is not in the model";
        if (auto bad = misfit(known->shape, member.value, place + "." + member.key); !bad.empty()) return bad;
      }
      return "";
    case ShapeType::List:
      if (!value.is_array()) return place + " should be a list";
      for (const json::Value& item : value.as_array())
        if (auto bad = misfit(shape->element.shape, item, place + "[]"); !bad.empty()) return bad;
      return "";
    case ShapeType::Map:
      if (!value.is_object()) return place + " should be a map";
      for (const json::Member& member : value.as_object())
        if (auto bad = misfit(shape->element.shape, member.value, place + "." + member.key); !bad.empty()) return bad;
      return "";
    case ShapeType::String:
    case ShapeType::Blob: return value.is_string() ? "" : place + " should be a text";
    case ShapeType::Boolean: return value.is_bool() ? "" : place + " should be a boolean";
    case ShapeType::Document: return "";
    default: return value.is_number() ? "" : place + " should be a number";
  }
}

inline std::string misfit_answer(const std::string& service, const std::string& operation, const json::Value& answer) {
  static const std::unique_ptr<aws::Models> models = aws::Models::open({}).value();
  const auto model = models->get(service);
  if (!model) return "no model of " + service;
  const aws::Operation* known = (*model)->find_operation(operation);
  if (known == nullptr) return "no operation " + operation + " in the model of " + service;
  return misfit(known->output, answer, service + ":" + operation);
}

}  // namespace fixpoint::sandbox
