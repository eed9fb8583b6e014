#include <map>
#include <span>

#include "sandbox/declared.h"

namespace fixpoint::sandbox {
namespace {

bool asks(const json::Value& value, const json::Value& accepted) {
  if (value.is_object()) {
    for (const json::Member& member : value.as_object())
      if (asks(member.value, {})) return true;
    return false;
  }
  if (value.is_array()) {
    for (const json::Value& item : value.as_array())
      if (asks(item, {})) return true;
    return false;
  }
  return !value.is_null() && !(value == json::Value("")) && !(value == json::Value(false)) && !(value == accepted);
}

bool asks_at(const json::Value& value, std::span<const std::string> path, const json::Value& accepted) {
  if (value.is_array() && !path.empty()) {
    for (const json::Value& item : value.as_array())
      if (asks_at(item, path, accepted)) return true;
    return false;
  }
  if (path.empty()) return asks(value, accepted);
  return value.is_object() && asks_at(value[path.front()], path.subspan(1), accepted);
}

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& part : path) out += (out.empty() ? "" : ".") + part;
  return out;
}

}  // namespace

Result<void> refuse_absent(const std::vector<Absent>& absent, Services& services) {
  std::map<std::pair<std::string, std::string>, std::vector<Absent>> of_operation;
  for (const Absent& one : absent) of_operation[{one.service, one.operation}].push_back(one);
  for (auto& [name, members] : of_operation) {
    const auto service = services.find(name.first);
    if (service == services.end() || !service->second.contains(name.second))
      return fail(errors::validation("there is no such operation", members.front().place));
    check_before(services, name.first, name.second, [members](Request& request) -> Result<void> {
      for (const Absent& one : members)
        if (asks_at(request.input, one.path, one.accepted)) {
          const std::string member = joined(one.path);
          return fail(errors::not_implemented(member + " of " + one.service + ":" + one.operation +
                                                  " is not there in the embedded account; leave it out",
                                              member));
        }
      return {};
    });
  }
  return {};
}

}  // namespace fixpoint::sandbox
