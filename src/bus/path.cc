#include "bus/path.h"

#include "base/text.h"

namespace fixpoint::bus {

using json::Value;

Result<Path> Path::read(std::string_view text) {
  const auto bad = [&] {
    return errors::validation(
        "'" + std::string(text.substr(0, 80)) + "' is no path; the form is $.detail.findings[0].Id", "InputPath");
  };
  if (!text.starts_with('$')) return fail(bad());
  std::string_view rest = text.substr(1);
  Path path;
  while (!rest.empty()) {
    if (rest.front() == '.') {
      rest.remove_prefix(1);
      const std::string_view name = rest.substr(0, rest.find_first_of(".["));
      if (name.empty()) return fail(bad());
      rest.remove_prefix(name.size());
      path.steps_.push_back(name == "*" ? Step{Step::Kind::All, {}} : Step{Step::Kind::Name, std::string(name)});
      continue;
    }
    const auto close = rest.find(']');
    if (rest.front() != '[' || close == std::string_view::npos) return fail(bad());
    const std::string_view inner = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (inner == "*") {
      path.steps_.push_back({Step::Kind::All, {}});
    } else if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"') && inner.back() == inner.front()) {
      path.steps_.push_back({Step::Kind::Name, std::string(inner.substr(1, inner.size() - 2))});
    } else {
      const auto index = to_int64(inner);
      if (!index || *index < 0) return fail(bad());
      path.steps_.push_back({Step::Kind::Index, {}, static_cast<std::size_t>(*index)});
    }
  }
  return path;
}

std::optional<Value> Path::in(const Value& document) const {
  std::vector<const Value*> at{&document};
  bool several = false;
  for (const Step& step : steps_) {
    std::vector<const Value*> next;
    for (const Value* value : at) {
      if (step.kind == Step::Kind::Name) {
        if (const Value* member = value->find(step.name)) next.push_back(member);
      } else if (step.kind == Step::Kind::Index) {
        if (value->is_array() && step.index < value->size()) next.push_back(&(*value)[step.index]);
      } else if (value->is_array()) {
        for (const Value& item : value->as_array()) next.push_back(&item);
      } else if (value->is_object()) {
        for (const auto& member : value->as_object()) next.push_back(&member.value);
      }
    }
    several = several || step.kind == Step::Kind::All;
    at = std::move(next);
  }
  if (!several) return at.empty() ? std::nullopt : std::optional<Value>(*at.front());
  json::Array all;
  for (const Value* value : at) all.push_back(*value);
  return Value(std::move(all));
}

}  // namespace fixpoint::bus
