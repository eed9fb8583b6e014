#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "patterns/json_reader.h"

namespace fixpoint::patterns {

/// The members of an object as they are written, since the spelling of numbers and repeated names matter.
inline std::vector<std::pair<std::string, std::string>> raw_members(std::string_view object) {
  std::vector<std::pair<std::string, std::string>> members;
  JsonReader reader(object);
  if (!reader.take('{') || reader.peek() == '}') return members;
  do {
    std::string name;
    if (!reader.string(name) || !reader.take(':')) break;
    reader.peek();
    const std::size_t start = reader.position();
    if (!reader.skip_value(5000)) break;
    members.emplace_back(name, std::string(object.substr(start, reader.position() - start)));
  } while (reader.take(','));
  return members;
}

inline std::string raw_member(std::string_view object, std::string_view name) {
  for (auto& member : raw_members(object))
    if (member.first == name) return member.second;
  return {};
}

inline std::vector<std::string> raw_elements(std::string_view array) {
  std::vector<std::string> elements;
  JsonReader reader(array);
  if (!reader.take('[') || reader.peek() == ']') return elements;
  do {
    reader.peek();
    const std::size_t start = reader.position();
    if (!reader.skip_value(5000)) break;
    elements.emplace_back(array.substr(start, reader.position() - start));
  } while (reader.take(','));
  return elements;
}

}  // namespace fixpoint::patterns
