#include "changes/recipes.h"

#include <array>

#include "json/yaml.h"

namespace fixpoint::changes {
namespace {

using json::Value;

Error bad(const std::string& where, const std::string& message) {
  return errors::validation(where + ": " + message, where);
}

Result<void> only(const Value& form, std::initializer_list<std::string_view> known, const std::string& where) {
  if (!form.is_object()) return fail(bad(where, "has to be a mapping"));
  for (const auto& member : form.as_object()) {
    bool found = false;
    std::string list;
    for (const auto name : known) {
      found = found || name == member.key;
      list += (list.empty() ? "" : ", ") + std::string(name);
    }
    if (!found) return fail(bad(where, "'" + member.key + "' is not known here; there are " + list));
  }
  return {};
}

Result<std::vector<std::string>> read_names(const Value& list, const std::string& where) {
  std::vector<std::string> names;
  if (list.is_null()) return names;
  if (!list.is_array()) return fail(bad(where, "has to be a list of names"));
  for (const Value& name : list.as_array()) {
    if (!name.is_string()) return fail(bad(where, "has to be a list of names"));
    names.push_back(name.as_string());
  }
  return names;
}

Result<jsonata::Template> read_template(const Value& form, const std::string& where) {
  auto compiled = jsonata::Template::compile(form);
  if (!compiled)
    return fail(bad(
        where, compiled.error().message + (compiled.error().where.empty() ? "" : " (" + compiled.error().where + ")")));
  return compiled;
}

Result<Recipe> read_recipe(const Value& form, const std::string& where) {
  FIXPOINT_CHECK(only(form, {"before", "undo", "irreversible"}, where));
  Recipe recipe;
  if (const Value* before = form.find("before")) {
    FIXPOINT_CHECK(only(*before, {"call", "input", "absent", "take"}, where + ".before"));
    FIXPOINT_TRY(call, read_call(*before, where + ".before"));
    recipe.before = std::move(call);
    FIXPOINT_TRY(absent, read_names((*before)["absent"], where + ".before.absent"));
    recipe.absent = std::move(absent);
    if (const Value* take = before->find("take")) {
      FIXPOINT_TRY(compiled, read_template(*take, where + ".before.take"));
      recipe.take = std::move(compiled);
      recipe.has_take = true;
    }
  }
  const Value* undo = form.find("undo");
  const Value* irreversible = form.find("irreversible");
  if ((undo == nullptr) == (irreversible == nullptr))
    return fail(bad(where, "has to say either 'undo' or 'irreversible'"));
  if (irreversible != nullptr) {
    if (irreversible->string_or("").empty()) return fail(bad(where + ".irreversible", "has to say why in a sentence"));
    recipe.irreversible = irreversible->as_string();
    return recipe;
  }
  if (undo->is_array() && undo->size() == 0)
    return fail(bad(where + ".undo", "has no call; 'irreversible' says why there is none"));
  const json::Array steps = undo->is_array() ? undo->as_array() : json::Array{*undo};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string here = where + ".undo[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(only(steps[i], {"when", "call", "input"}, here));
    Recipe::Undo step;
    if (const Value* when = steps[i].find("when")) {
      FIXPOINT_TRY(condition, read_template(*when, here + ".when"));
      step.when = std::move(condition);
    }
    FIXPOINT_TRY(call, read_call(steps[i], here));
    step.call = std::move(call);
    recipe.undo.push_back(std::move(step));
  }
  return recipe;
}

bool sounds_like_reading(std::string_view operation) {
  static constexpr std::array<std::string_view, 9> starts{"Get",    "List",   "Describe", "Head", "BatchGet",
                                                          "Lookup", "Search", "Query",    "Scan"};
  for (const auto start : starts) {
    // "Listen" is no "List": the next letter begins a word.
    if (operation.starts_with(start) &&
        (operation.size() == start.size() || (operation[start.size()] >= 'A' && operation[start.size()] <= 'Z')))
      return true;
  }
  return false;
}

std::string key_of(std::string_view service, std::string_view operation) {
  return std::string(service) + ":" + std::string(operation);
}

}  // namespace

Result<std::pair<std::string, std::string>> split_call(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() ||
      text.find(':', colon + 1) != std::string_view::npos)
    return fail(errors::validation("'" + std::string(text) +
                                   "' names no call; the form is service:Operation, as in s3:GetBucketEncryption"));
  return std::pair(std::string(text.substr(0, colon)), std::string(text.substr(colon + 1)));
}

Result<CallTemplate> read_call(const Value& form, const std::string& where) {
  if (!form["call"].is_string()) return fail(bad(where + ".call", "is missing; the form is service:Operation"));
  auto names = split_call(form["call"].as_string());
  if (!names) return fail(bad(where + ".call", names.error().message));
  const Value* input = form.find("input");
  if (input != nullptr && !input->is_object() && !input->is_string())
    return fail(bad(where + ".input", "has to be a mapping or an expression"));
  FIXPOINT_TRY(compiled, read_template(input != nullptr ? *input : Value(json::Object()), where + ".input"));
  return CallTemplate{std::move(names->first), std::move(names->second), std::move(compiled)};
}

Result<Recipes> Recipes::load(const catalog::Catalog& catalog) {
  Recipes out;
  for (const std::string& path : catalog.list("operations")) {
    const std::string service = path.substr(path.rfind('/') + 1, path.rfind('.') - path.rfind('/') - 1);
    auto form = json::parse_yaml(*catalog.find(path));
    if (!form) return fail(bad(path, describe(form.error())));
    if (!form->is_object()) return fail(bad(path, "has to be a mapping of operations to recipes"));
    for (const auto& member : form->as_object()) {
      if (member.key == "reads" || member.key == "changes") {
        FIXPOINT_TRY(names, read_names(member.value, path + ":" + member.key));
        for (const auto& name : names)
          (member.key == "reads" ? out.reads_ : out.changes_).insert(key_of(service, name));
        continue;
      }
      FIXPOINT_TRY(recipe, read_recipe(member.value, path + ":" + member.key));
      out.recipes_.emplace(key_of(service, member.key), std::move(recipe));
    }
  }
  return out;
}

bool Recipes::reads(std::string_view service, std::string_view operation) const {
  const std::string key = key_of(service, operation);
  if (changes_.contains(key) || recipes_.contains(key)) return false;
  return reads_.contains(key) || sounds_like_reading(operation);
}

const Recipe* Recipes::find(std::string_view service, std::string_view operation) const {
  const auto found = recipes_.find(key_of(service, operation));
  return found == recipes_.end() ? nullptr : &found->second;
}

}  // namespace fixpoint::changes
