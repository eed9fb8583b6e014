#include "aws/wire_compare.h"

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <vector>

#include "aws/error_form.h"
#include "aws/query_form.h"
#include "aws/scalar.h"
#include "aws/xml_body.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::aws::test {
namespace {

bool is_request_id(std::string_view name) {
  return name == "ResponseMetadata" || name == "requestId" || name == "RequestId" || name == "RequestID";
}

using Children = std::vector<std::pair<std::string, std::string>>;

// Keeps the order of those that share a name.
void sort_by_name(Children& children) {
  Children sorted;
  while (sorted.size() < children.size()) {
    const std::string* next = nullptr;
    for (const auto& child : children)
      if ((sorted.empty() || child.first > sorted.back().first) && (next == nullptr || child.first < *next))
        next = &child.first;
    const std::string name = *next;
    for (const auto& child : children)
      if (child.first == name) sorted.push_back(child);
  }
  children = std::move(sorted);
}

std::string flat(const pugi::xml_node& node, bool ignore_root) {
  std::string text = "<";
  text += ignore_root ? std::string_view("ROOT") : local_name(node.name());
  std::vector<std::string> attributes;
  if (!ignore_root)
    for (const auto& attribute : node.attributes())
      attributes.push_back(std::string(" ") + attribute.name() + "='" + attribute.value() + "'");
  std::ranges::sort(attributes);
  text += join(attributes, "") + ">";
  Children children;
  std::string content;
  for (const auto& child : node.children()) {
    if (child.type() == pugi::node_element) {
      if (is_request_id(child.name())) continue;
      std::string inner = flat(child, false);
      std::string key(local_name(child.name()));
      if (key == "entry") key += inner;
      children.emplace_back(std::move(key), std::move(inner));
    } else {
      content += child.value();
    }
  }
  sort_by_name(children);
  if (children.empty() && !trim(content).empty()) text += content;
  for (const auto& [key, inner] : children) text += inner;
  return text + "</>";
}

std::string sorted_form(std::string_view form) {
  auto pairs = parse_form(form, true).value();
  std::ranges::sort(pairs);
  std::string text;
  for (const auto& [key, value] : pairs) text += key + "=" + value + "\n";
  return text;
}

std::string differ(const std::string& expected, const std::string& actual) {
  return expected == actual ? std::string() : "\nexpected " + expected + "\ngot      " + actual;
}

}  // namespace

std::string xml_difference(std::string_view expected, std::string_view actual, bool ignore_root) {
  const auto mine = XmlDocument::parse(actual);
  const auto theirs = XmlDocument::parse(expected);
  if (!mine) return "\nexpected XML, got " + std::string(actual);
  if (!theirs) return "\nthe expected document is no XML: " + std::string(expected);
  return differ(flat(theirs->root(), ignore_root), flat(mine->root(), ignore_root));
}

std::string form_difference(std::string_view expected, std::string_view actual) {
  return differ(sorted_form(expected), sorted_form(actual));
}

std::string body_difference(std::string_view expected, std::string_view actual, bool response) {
  if (expected == actual) return {};
  if (trim(expected).starts_with('<')) return xml_difference(expected, actual, response);
  if (response && trim(expected).empty() && actual == "{}") return {};
  auto theirs = json::parse(expected);
  auto mine = json::parse(actual);
  // The namespace before an error's name is the service's own choice.
  for (auto* side : {&theirs, &mine})
    if (response && *side && (**side)["__type"].is_string())
      (*side)->set("__type", std::string(bare_error_code((**side)["__type"].as_string())));
  if (theirs && mine && same(without_nulls(*theirs), without_nulls(*mine))) return {};
  return differ(std::string(expected), std::string(actual));
}

json::Value without_nulls(const json::Value& value) {
  if (value.is_array()) {
    json::Array items;
    for (const auto& item : value.as_array()) items.push_back(without_nulls(item));
    return items;
  }
  if (!value.is_object()) return value;
  json::Object members;
  for (const auto& entry : value.as_object())
    if (!entry.value.is_null()) members.set(entry.key, without_nulls(entry.value));
  return members;
}

json::Value canonical(const json::Value& value, const Shape& shape) {
  if (value.is_null()) return value;
  if (shape.type == ShapeType::Blob) return value.is_string() ? base64_encode(value.as_string()) : value;
  if (shape.type == ShapeType::List && value.is_array()) {
    json::Array items;
    for (const auto& item : value.as_array()) items.push_back(canonical(item, *shape.element.shape));
    return items;
  }
  if ((shape.type == ShapeType::Map || shape.type == ShapeType::Structure) && value.is_object()) {
    json::Object members;
    for (const auto& entry : value.as_object()) {
      const Shape* inner = shape.element.shape;
      if (shape.type == ShapeType::Structure) {
        const Member* member = shape.find(entry.key);
        if (member == nullptr) continue;
        if (member->json_value) {
          // The suites give it as text.
          const auto parsed = entry.value.is_string() ? json::parse(entry.value.as_string()) : entry.value;
          members.set(entry.key, parsed ? *parsed : entry.value);
          continue;
        }
        inner = member->shape;
      }
      members.set(entry.key, canonical(entry.value, *inner));
    }
    return members;
  }
  return value;
}

bool same(const json::Value& a, const json::Value& b) {
  if (a.is_number() && b.is_number()) return a == b || std::fabs(a.as_double() - b.as_double()) < 1e-6;
  if (a.is_array() && b.is_array()) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!same(a[i], b[i])) return false;
    return true;
  }
  if (a.is_object() && b.is_object()) {
    if (a.size() != b.size()) return false;
    for (const auto& entry : a.as_object())
      if (b.find(entry.key) == nullptr || !same(entry.value, b[entry.key])) return false;
    return true;
  }
  return a == b;
}

}  // namespace fixpoint::aws::test
