#include "aws/limits.h"

#include <algorithm>

#include "aws/retry.h"

namespace fixpoint::aws {
namespace {

using json::Value;

Error bad(const std::string& place, const std::string& what) {
  return errors::validation(place + " " + what, place);
}

Result<std::vector<std::string>> names(const Value& list, const std::string& place) {
  std::vector<std::string> out;
  if (list.is_null()) return out;
  const auto refused = [&] { return fail(bad(place, "has to be a list of names, with at least one")); };
  if (!list.is_array() || list.size() == 0) return refused();
  for (const Value& name : list.as_array()) {
    if (!name.is_string() || name.as_string().empty()) return refused();
    out.push_back(name.as_string());
  }
  return out;
}

Result<double> amount(const Value& form, const std::string& name, const std::string& place, double least) {
  const Value& value = form[name];
  if (!value.is_number() || value.as_double() < least || value.as_double() > 100'000)
    return fail(bad(place + "." + name, "has to be a number from " + Value(least).number_text() + " to 100000"));
  return value.as_double();
}

Result<void> known_only(const Value& form, const std::string& place, std::initializer_list<std::string_view> known) {
  if (!form.is_object()) return fail(bad(place, "has to be a mapping"));
  for (const json::Member& entry : form.as_object())
    if (std::ranges::find(known, entry.key) == known.end())
      return fail(bad(place + "." + entry.key, "is nothing that is known here"));
  return {};
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

}  // namespace

Result<void> CallLimits::add(std::string_view service, const Value& form) {
  const std::string name(service);
  FIXPOINT_CHECK(known_only(form, name, {"source", "buckets", "idempotent"}));
  if (form["source"].string_or("").empty()) return fail(bad(name + ".source", "has to name the page that says it"));
  Service made;
  std::set<std::string> named;
  const Value& buckets = form["buckets"];
  if (!buckets.is_null() && !buckets.is_array()) return fail(bad(name + ".buckets", "has to be a list"));
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const std::string place = name + ".buckets[" + std::to_string(i) + "]";
    const Value& one = buckets[i];
    FIXPOINT_CHECK(known_only(one, place, {"operations", "kind", "unless", "together", "rate", "burst"}));
    Rule rule;
    FIXPOINT_TRY(operations, names(one["operations"], place + ".operations"));
    rule.operations = std::move(operations);
    named.insert(rule.operations.begin(), rule.operations.end());
    FIXPOINT_TRY(unless, names(one["unless"], place + ".unless"));
    rule.unless = std::move(unless);
    const std::string_view kind = one["kind"].string_or("");
    if (kind == "reads")
      rule.kind = Rule::Kind::Reads;
    else if (kind == "changes")
      rule.kind = Rule::Kind::Changes;
    else if (!one["kind"].is_null())
      return fail(bad(place + ".kind", "has to be reads or changes"));
    rule.together = one["together"].bool_or(false);
    FIXPOINT_TRY(rate, amount(one, "rate", place, 0.001));
    FIXPOINT_TRY(burst, amount(one, "burst", place, 1));
    rule.limit = {rate, burst};
    made.rules.push_back(std::move(rule));
  }
  FIXPOINT_TRY(idempotent, names(form["idempotent"], name + ".idempotent"));
  made.idempotent.insert(idempotent.begin(), idempotent.end());
  named.insert(idempotent.begin(), idempotent.end());
  services_.insert_or_assign(name, std::move(made));
  named_.insert_or_assign(name, std::move(named));
  return {};
}

CallLimits::Share CallLimits::of(std::string_view service, std::string_view operation, const Value& input) const {
  std::string bucket = std::string(service) + ":";
  if (const auto found = services_.find(service); found != services_.end()) {
    const std::vector<Rule>& rules = found->second.rules;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Rule& rule = rules[i];
      if (!rule.operations.empty() && !has(rule.operations, operation)) continue;
      if (rule.kind != Rule::Kind::All && (rule.kind == Rule::Kind::Reads) != sounds_like_reading(operation)) continue;
      if (std::ranges::any_of(rule.unless, [&](const std::string& member) { return !input[member].is_null(); }))
        continue;
      bucket += std::to_string(i);
      if (!rule.together) (bucket += ':') += operation;
      return {std::move(bucket), rule.limit};
    }
  }
  bucket += operation;
  return {std::move(bucket), unknown};
}

bool CallLimits::idempotent(std::string_view service, std::string_view operation) const {
  const auto found = services_.find(service);
  return found != services_.end() && found->second.idempotent.contains(operation);
}

}  // namespace fixpoint::aws
