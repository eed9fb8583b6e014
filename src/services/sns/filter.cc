#include "services/sns/filter.h"

#include "base/text.h"
#include "json/text.h"
#include "patterns/pattern.h"
#include "services/sns/topic.h"

namespace fixpoint::services::sns {
namespace {

using json::Value;

constexpr std::size_t most_keys = 5;
constexpr double most_combinations = 150;
constexpr std::size_t policy_limit_bytes = 256UL * 1024;
constexpr std::size_t deepest = 100;

// How many combinations of values a policy has, each list counted once for every level that it lies deep; the choices
// of `$or` are added. Nothing where lists and objects nest otherwise than in a policy: the pattern's own error says so.
struct Measure {
  bool nested = false;
  double combinations = 1;

  void object(const Value& policy, std::size_t depth) {
    if (!policy.is_object() || depth > deepest) return;
    if (depth > 1) nested = true;
    for (const json::Member& member : policy.as_object()) {
      if (member.value.is_object()) {
        object(member.value, depth + 1);
      } else if (member.key == "$or" && member.value.is_array()) {
        double sum = 0;
        for (const Value& choice : member.value.as_array()) {
          Measure one;
          one.combinations = combinations;
          one.object(choice, depth);
          nested = nested || one.nested;
          sum += one.combinations;
        }
        combinations = sum;
      } else if (member.value.is_array()) {
        combinations *= static_cast<double>(member.value.size() * depth);
      }
    }
  }
};

Value number_of(std::string_view text) {
  const auto parsed = json::parse(trim(text));
  return parsed && parsed->is_number() ? *parsed : Value();
}

}  // namespace

Result<void> check_filter_policy(const std::string& policy, bool by_body, const std::string& before) {
  const auto refuse = [&](const std::string& why) { return fail(invalid(before + "FilterPolicy: " + why)); };
  if (policy.size() > policy_limit_bytes) return refuse("a filter policy has at most 256 KB");
  const auto parsed = json::parse(policy);
  if (!parsed) return refuse("failed to parse JSON. " + parsed.error().message + " (" + parsed.error().where + ")");
  if (!parsed->is_object()) return refuse("it has to be a JSON object");
  if (parsed->size() == 0) return {};  // lets everything through
  if (parsed->size() > most_keys) return refuse("Filter policy can not have more than 5 keys");
  for (const json::Member& member : parsed->as_object())
    if (!member.value.is_array() && !member.value.is_object())
      return refuse("\"" + member.key.substr(0, 100) + "\" must be an object or an array");
  Measure measure;
  measure.object(*parsed, 1);
  if (measure.nested && !by_body)
    return fail(invalid(before + "Filter policy scope MessageAttributes does not support nested filter policy"));
  if (measure.combinations > most_combinations) return refuse("Filter policy is too complex");
  if (const auto compiled = patterns::compile(policy); !compiled) {
    // The first line is of EventBridge's patterns, what follows says what is wrong.
    const std::string& message = compiled.error().message;
    const auto line = message.find('\n');
    return refuse(line == std::string::npos ? message : message.substr(line + 1));
  }
  return {};
}

Value filter_document(const Value& attributes) {
  json::Object out;
  if (!attributes.is_object()) return out;
  for (const json::Member& member : attributes.as_object()) {
    const std::string_view type = member.value["DataType"].string_or("");
    const Value& text = member.value["StringValue"];
    if (type == "String.Array") {
      if (const auto list = json::parse(text.string_or("")); list && list->is_array()) out.append(member.key, *list);
    } else if (type.starts_with("Number")) {
      out.append(member.key, number_of(text.string_or("")));
    } else if (type.starts_with("String")) {
      out.append(member.key, text);
    }
  }
  return out;
}

std::shared_ptr<const patterns::Machine> Filters::machine(const std::string& policy) {
  std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(policy); found != kept_.end()) return found->second;
  const auto pattern = patterns::compile(policy);
  if (!pattern) return nullptr;
  auto built = patterns::Machine::build({{"policy", &*pattern}});
  if (kept_.size() >= kept_limit) kept_.clear();
  kept_.emplace(policy, built);
  return built;
}

bool Filters::matches(const std::string& policy, std::string_view document) {
  if (const auto parsed = json::parse(policy); parsed && parsed->is_object() && parsed->size() == 0) return true;
  const auto built = machine(policy);
  if (!built) return false;
  thread_local patterns::Scratch scratch;
  std::vector<patterns::RuleId> matched;
  return built->match(document, matched, scratch) && !matched.empty();
}

}  // namespace fixpoint::services::sns
