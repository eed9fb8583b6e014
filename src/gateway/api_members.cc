#include "gateway/api_members.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "json/text.h"

namespace fixpoint::gateway {
namespace {

using json::Value;

enum class Kind : std::uint8_t { Text, Texts, Flag, Number, Object, TextOrObject, Any };

struct Member {
  std::string_view name;
  Kind kind = Kind::Text;
};
using Members = std::vector<Member>;

// "NAME.MEMBER" is an object within the input.
const std::map<std::string, Members, std::less<>>& table() {
  static const std::map<std::string, Members, std::less<>> rows{
      {"act", {{"Action"}, {"FindingIds", Kind::Texts}, {"InsightArn"}, {"Results", Kind::Texts}}},
      {"answer", {{"Id"}, {"Plan"}, {"Approved", Kind::Flag}, {"Reason"}}},
      {"audit", {{"Limit", Kind::Number}, {"After", Kind::Number}, {"Execution"}}},
      {"call", {{"Service"}, {"Operation"}, {"Input", Kind::Object}}},
      {"controls", {}},
      {"deliveries", {}},
      {"exceptions", {{"Add", Kind::Object}, {"Remove"}}},
      {"exceptions.Add",
       {{"Scope"},
        {"Pattern", Kind::TextOrObject},
        {"Tags", Kind::Object},
        {"Owner"},
        {"Reason"},
        {"ExpiresAt"},
        {"Effect"}}},
      {"executions", {{"Id"}, {"Status"}, {"Outcome"}, {"Program"}, {"Finding"}, {"Limit", Kind::Number}}},
      {"fix", {{"FindingIds", Kind::Texts}, {"Plan"}, {"Function"}, {"Rule"}}},
      {"flapping", {{"Reset", Kind::Object}}},
      {"flapping.Reset", {{"Control"}, {"Resource"}}},
      {"freeze", {{"Scope"}, {"Because"}}},
      {"import", {{"Document", Kind::Any}, {"Account"}, {"Region"}}},
      {"mode", {{"Mode"}, {"Scope"}, {"Unset", Kind::Flag}}},
      {"operations", {}},
      {"plan", {{"FindingId"}, {"Decided", Kind::Flag}, {"Function"}, {"Rule"}}},
      {"rule-trial", {{"Rule"}, {"Pattern"}, {"Bus"}, {"SinceMs", Kind::Number}}},
      {"rules", {{"Bus"}}},
      {"scene", {{"Control"}, {"Finding", Kind::Flag}}},
      {"settings", {{"Scope"}, {"Name"}, {"Value", Kind::Any}, {"Control"}, {"Account"}}},
      {"status", {}},
      {"undo", {{"Execution"}}},
      {"unfreeze", {{"Scope"}}},
  };
  return rows;
}

bool is(const Value& value, Kind kind) {
  switch (kind) {
    case Kind::Text: return value.is_string();
    case Kind::Texts:
      return value.is_array() && std::all_of(value.as_array().begin(), value.as_array().end(),
                                             [](const Value& one) { return one.is_string(); });
    case Kind::Flag: return value.is_bool();
    case Kind::Number: return value.as_int64().has_value();
    case Kind::Object: return value.is_object();
    case Kind::TextOrObject: return value.is_string() || value.is_object();
    case Kind::Any: return true;
  }
  return false;
}

std::string_view called(Kind kind) {
  switch (kind) {
    case Kind::Text: return "a text";
    case Kind::Texts: return "a list of texts";
    case Kind::Flag: return "true or false";
    case Kind::Number: return "a whole number";
    case Kind::Object: return "an object";
    case Kind::TextOrObject: return "an object or a text";
    case Kind::Any: break;
  }
  return "a value";
}

std::string list_of(const Members& members) {
  std::string out;
  for (const Member& member : members) out += (out.empty() ? "" : ", ") + std::string(member.name);
  return out.empty() ? "it takes none" : "there are " + out;
}

}  // namespace

Result<void> check_members(const std::string& name, const Value& input) {
  const auto row = table().find(name);
  if (row == table().end() || !input.is_object()) return {};
  for (const auto& given : input.as_object()) {
    const auto member = std::find_if(row->second.begin(), row->second.end(),
                                     [&](const Member& known) { return known.name == given.key; });
    if (member == row->second.end())
      return fail(errors::validation(
          "/api/" + name + " has no member '" + given.key.substr(0, 80) + "'; " + list_of(row->second), given.key));
    if (!is(given.value, member->kind))
      return fail(errors::validation(given.key + " has to be " + std::string(called(member->kind)) + ", not " +
                                         std::string(json::kind_name(given.value)),
                                     given.key));
    FIXPOINT_CHECK(check_members(name + "." + given.key, given.value));
  }
  return {};
}

}  // namespace fixpoint::gateway
