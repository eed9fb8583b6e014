#include "base/http_message.h"

#include <algorithm>

#include "base/text.h"

namespace fixpoint {

void Headers::set(std::string_view name, std::string value) {
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    if (!equals_ignore_case(line->first, name)) continue;
    line->second = std::move(value);
    lines_.erase(std::remove_if(line + 1, lines_.end(),
                                [&](const Line& other) { return equals_ignore_case(other.first, name); }),
                 lines_.end());
    return;
  }
  lines_.emplace_back(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(lines_, [&](const Line& line) { return equals_ignore_case(line.first, name); });
}

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [key, value] : lines_)
    if (equals_ignore_case(key, name)) return &value;
  return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* found = find(name);
  return found != nullptr ? std::string_view(*found) : std::string_view();
}

std::string_view HttpRequest::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view HttpRequest::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

}  // namespace fixpoint
