#include "changes/tag_rules.h"

#include <algorithm>

#include "base/arn.h"
#include "changes/scope.h"
#include "json/yaml.h"

namespace fixpoint::changes {
namespace {

using json::Value;

// `*` is any text, also none. Linear: a star that failed is never gone back to but from the last one.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<Tags> tags_in(const Value& form) {
  Tags out;
  if (form.is_null()) return out;
  if (form.is_object() && form.find("Key") == nullptr && form.find("TagKey") == nullptr) {
    for (const auto& member : form.as_object()) out.emplace(member.key, std::string(member.value.string_or("")));
    return out;
  }
  // JSONata makes a single element of a list of one.
  const json::Array list = form.is_array() ? form.as_array() : json::Array{form};
  for (const Value& tag : list) {
    bool named = false;
    for (const auto& [key, value] : {std::pair{"Key", "Value"}, {"TagKey", "TagValue"}, {"key", "value"}}) {
      if (!tag[key].is_string()) continue;
      out.emplace(tag[key].as_string(), std::string(tag[value].string_or("")));
      named = true;
    }
    if (!named)
      return fail(
          errors::validation("the tags came in a form that is not known: " + std::string(json::kind_name(tag))));
  }
  return out;
}

Error bad(const std::string& where, const std::string& message) {
  return errors::validation(where + ": " + message, where);
}

}  // namespace

Result<TagRules> TagRules::load(const catalog::Catalog& catalog) {
  TagRules out;
  for (const std::string& path : catalog.list("tags")) {
    auto form = json::parse_yaml(*catalog.find(path));
    if (!form) return fail(bad(path, describe(form.error())));
    if (!form->is_array()) return fail(bad(path, "has to be a list of {arn, call, input, take, absent}"));
    for (std::size_t i = 0; i < form->size(); ++i) {
      const Value& entry = (*form)[i];
      const std::string where = path + "[" + std::to_string(i) + "]";
      if (!entry["arn"].string_or("").starts_with("arn:")) return fail(bad(where + ".arn", "has to begin with arn:"));
      FIXPOINT_TRY(call, read_call(entry, where));
      if (entry.find("take") == nullptr) return fail(bad(where + ".take", "is missing"));
      auto take = jsonata::Template::compile(entry["take"]);
      if (!take) return fail(bad(where + ".take", take.error().message));
      Rule rule{entry["arn"].as_string(), std::move(call), std::move(*take), {}};
      for (std::size_t k = 0; k < entry["absent"].size(); ++k)
        rule.absent.emplace_back(entry["absent"][k].string_or(""));
      out.rules_.push_back(std::move(rule));
    }
  }
  return out;
}

Result<Tags> TagRules::read(const aws::CallContext& context, const std::string& text, aws::Api& account) const {
  const auto untold = [&](Error error) {
    error.message = "the tags of " + text + " could not be told: " + error.message;
    return fail(std::move(error));
  };
  auto arn = parse_arn(text);
  if (!arn) return untold(std::move(arn.error()));
  // It may be of another account or region than what is done about it; asked elsewhere it would have no tags.
  aws::CallContext there = context;
  if (is_account_id(arn->account)) there.account = arn->account;
  if (!arn->region.empty()) there.region = arn->region;
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& one) { return fits(one.arn, text); });
  if (rule == rules_.end()) {
    auto answer = account.call(there, "resourcegroupstaggingapi", "GetResources",
                               json::Object{{"ResourceARNList", json::Array{Value(text)}}});
    if (!answer) return untold(std::move(answer.error()));
    return tags_in((*answer)["ResourceTagMappingList"][0]["Tags"]);
  }
  jsonata::Bindings bindings;
  bindings.set("arn", Value(text));
  bindings.set("account", Value(arn->account.empty() ? context.account : arn->account));
  bindings.set("region", Value(arn->region.empty() ? context.region : arn->region));
  bindings.set("partition", Value(arn->partition));
  bindings.set("resource", Value(arn->resource));
  const auto last = arn->resource.find_last_of("/:");
  bindings.set("name", Value(last == std::string::npos ? arn->resource : arn->resource.substr(last + 1)));
  auto input = rule->call.input.fill(Value(), bindings);
  if (!input) return untold(std::move(input.error()));
  auto answer = account.call(there, rule->call.service, rule->call.operation,
                             *input ? std::move(**input) : Value(json::Object()));
  if (!answer) {
    if (std::find(rule->absent.begin(), rule->absent.end(), answer.error().code) != rule->absent.end()) return Tags{};
    return untold(std::move(answer.error()));
  }
  auto taken = rule->take.fill(*answer, bindings);
  if (!taken) return untold(std::move(taken.error()));
  return tags_in(*taken ? **taken : Value());
}

}  // namespace fixpoint::changes
