#include "changes/difference.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

std::string shown(const Value& value) {
  return value.is_null() ? "absent" : json::print(value);
}

std::vector<const Value*> missing_from(const json::Array& items, const json::Array& others) {
  std::vector<const Value*> missing;
  for (const Value& item : items)
    if (std::find(others.begin(), others.end(), item) == others.end()) missing.push_back(&item);
  return missing;
}

void differences(const std::string& path, const Value& before, const Value& after, int depth,
                 std::vector<std::string>& out) {
  constexpr int depth_limit = 20;
  if (before == after) return;
  if (before.is_object() && after.is_object() && depth < depth_limit) {
    for (const auto& member : before.as_object())
      differences(path.empty() ? member.key : path + "." + member.key, member.value, after[member.key], depth + 1, out);
    for (const auto& member : after.as_object())
      if (!before.as_object().contains(member.key))
        differences(path.empty() ? member.key : path + "." + member.key, Value(), member.value, depth + 1, out);
    return;
  }
  if (before.is_array() && after.is_array() && depth < depth_limit) {
    const auto removed = missing_from(before.as_array(), after.as_array());
    const auto added = missing_from(after.as_array(), before.as_array());
    // The one element that differs is looked into: what was cut out of a permission is said, not the permission twice.
    if (removed.size() == 1 && added.size() == 1 && removed[0]->is_object() && added[0]->is_object()) {
      const std::size_t index = static_cast<std::size_t>(removed[0] - before.as_array().data());
      return differences(path + "[" + std::to_string(index) + "]", *removed[0], *added[0], depth + 1, out);
    }
    for (const Value* item : removed) out.push_back(path + ": removed " + shown(*item));
    for (const Value* item : added) out.push_back(path + ": added " + shown(*item));
    return;
  }
  out.push_back((path.empty() ? "state" : path) + ": " + shown(before) + " -> " + shown(after));
}

}  // namespace

std::string shortened(const std::string& text, std::size_t longest) {
  if (text.size() <= longest) return text;
  return std::string(first_bytes(text, longest - 3)) + "...";
}

std::string describe_difference(const Value& before, const Value& after, std::size_t longest) {
  std::vector<std::string> parts;
  differences("", before, after, 0, parts);
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : "; ") + part;
  return shortened(text, longest);
}

}  // namespace fixpoint::changes
