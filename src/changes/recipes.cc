#include "changes/recipes.h"

#include <array>
#include <cctype>

#include "changes/names.h"
#include "changes/tag_rules.h"
#include "json/text.h"
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

// Error codes that stand for "nothing there" or "undone already".
Result<std::vector<std::string>> read_codes(const Value& list, const std::string& where) {
  auto codes = read_error_codes(list);
  if (!codes) return fail(bad(where, codes.error().message));
  return codes;
}

Result<jsonata::Template> read_template(const Value& form, const std::string& where) {
  auto compiled = jsonata::Template::compile(form);
  if (!compiled)
    return fail(bad(
        where, compiled.error().message + (compiled.error().where.empty() ? "" : " (" + compiled.error().where + ")")));
  return compiled;
}

// Of what an expression says of $input, as `$input.Name`.
std::vector<std::string> members_of_input(std::string_view text) {
  constexpr std::string_view input = "$input";
  std::vector<std::string> out;
  for (auto at = text.find(input); at != std::string_view::npos; at = text.find(input, at)) {
    at += input.size();
    std::size_t end = at;
    if (end < text.size() && text[end] == '.') ++end;
    const std::size_t begin = end;
    while (end > at && end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    out.emplace_back(text.substr(begin, end - begin));
    at = end;
  }
  return out;
}

Result<Recipe::Read> read_read(const Value& form, std::string name, bool has_also, const std::string& where) {
  FIXPOINT_CHECK(has_also ? only(form, {"call", "input", "absent", "take", "also"}, where)
                          : only(form, {"call", "input", "absent", "take"}, where));
  FIXPOINT_TRY(call, read_call(form, where));
  FIXPOINT_TRY(absent, read_codes(form["absent"], where + ".absent"));
  Recipe::Read read{std::move(name), std::move(call), {}, std::move(absent), {}, {}};
  if (const Value* take = form.find("take")) {
    FIXPOINT_TRY(compiled, read_template(*take, where + ".take"));
    read.take = std::move(compiled);
    read.take_text = json::print(*take);
    read.take_by = members_of_input(read.take_text);
  }
  return read;
}

Result<std::vector<Recipe::Read>> read_before(const Value& form, const std::string& where) {
  std::vector<Recipe::Read> reads;
  FIXPOINT_TRY(first, read_read(form, {}, true, where));
  reads.push_back(std::move(first));
  const Value* also = form.find("also");
  if (also == nullptr) return reads;
  if (!also->is_object()) return fail(bad(where + ".also", "has to be a mapping of names to calls"));
  for (const auto& member : also->as_object()) {
    FIXPOINT_TRY(read, read_read(member.value, member.key, false, where + ".also." + member.key));
    reads.push_back(std::move(read));
  }
  return reads;
}

Result<std::optional<jsonata::Template>> read_optional(const Value& form, const char* name, const std::string& where) {
  const Value* found = form.find(name);
  if (found == nullptr) return std::nullopt;
  FIXPOINT_TRY(compiled, read_template(*found, where + "." + name));
  return std::optional(std::move(compiled));
}

// A sentence, or a list of {when, because}.
Result<std::vector<Recipe::Caveat>> read_caveats(const Value& form, const std::string& where) {
  std::vector<Recipe::Caveat> caveats;
  if (!form.is_array()) {
    if (form.string_or("").empty()) return fail(bad(where, "has to say why in a sentence"));
    caveats.push_back({std::nullopt, form.as_string()});
    return caveats;
  }
  for (std::size_t i = 0; i < form.size(); ++i) {
    const std::string here = where + "[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(only(form[i], {"when", "because"}, here));
    if (form[i]["because"].string_or("").empty()) return fail(bad(here + ".because", "has to say why in a sentence"));
    FIXPOINT_TRY(when, read_optional(form[i], "when", here));
    caveats.push_back({std::move(when), form[i]["because"].as_string()});
  }
  return caveats;
}

Result<Intended> read_intended(const Value& form, const std::string& where) {
  FIXPOINT_CHECK(only(form, {"call", "when", "answer", "error", "unknown"}, where));
  if (!form["call"].is_string()) return fail(bad(where + ".call", "is missing; the form is service:Operation"));
  auto names = split_call(form["call"].as_string());
  if (!names) return fail(bad(where + ".call", names.error().message));
  Intended intended;
  intended.unknown = form["unknown"].bool_or(false);
  const int shows = (form.find("answer") != nullptr) + (form.find("error") != nullptr);
  if (shows + intended.unknown == 0 || shows > 1 || (form.find("error") != nullptr && intended.unknown))
    return fail(bad(where, "has to say one of 'answer', 'error' and 'unknown: true'"));
  intended.service = std::move(names->first);
  intended.operation = std::move(names->second);
  FIXPOINT_TRY(when, read_optional(form, "when", where));
  intended.when = std::move(when);
  FIXPOINT_TRY(answer, read_optional(form, "answer", where));
  intended.answer = std::move(answer);
  intended.error = form["error"].string_or("");
  if (!intended.answer && !intended.unknown && intended.error.empty())
    return fail(bad(where + ".error", "has to be an error code"));
  return intended;
}

// `true`, `false`, or the codes that say, of a call that is made again, that the first had its effect.
Result<Again> read_again(const Value& form, const std::string& where) {
  Again again;
  if (form.is_null()) return again;
  if (form.is_bool()) {
    again.says = form.as_bool() ? Again::Says::Repeat : Again::Says::Stop;
    return again;
  }
  if (!form.is_array() || form.size() == 0) return fail(bad(where, "has to be true, false or a list of error codes"));
  FIXPOINT_TRY(codes, read_codes(form, where));
  again.says = Again::Says::Repeat;
  again.codes = std::move(codes);
  return again;
}

// A template, or {call, input, take}.
Result<std::optional<Recipe::Lost>> read_lost(const Value& form, const std::string& where) {
  if (form.is_null()) return std::nullopt;
  if (form.find("call") == nullptr) {
    FIXPOINT_TRY(answer, read_template(form, where));
    return std::optional(Recipe::Lost{std::nullopt, std::move(answer)});
  }
  FIXPOINT_CHECK(only(form, {"call", "input", "take"}, where));
  FIXPOINT_TRY(call, read_call(form, where));
  if (form.find("take") == nullptr) return fail(bad(where + ".take", "is missing: what the lost answer was"));
  FIXPOINT_TRY(answer, read_template(form["take"], where + ".take"));
  return std::optional(Recipe::Lost{std::move(call), std::move(answer)});
}

// `none`, or {items, of}.
Result<Failures> read_failures(const Value& form, const std::string& where) {
  Failures failures;
  if (form.string_or("") == "none") return failures;
  if (!form.is_object()) return fail(bad(where, "has to be 'none' or a mapping of 'items' and 'of'"));
  FIXPOINT_CHECK(only(form, {"items", "of"}, where));
  FIXPOINT_TRY(items, read_optional(form, "items", where));
  if (!items) return fail(bad(where + ".items", "is missing: what the answer says was not done"));
  failures.items = std::move(items);
  FIXPOINT_TRY(of, read_optional(form, "of", where));
  failures.of = std::move(of);
  return failures;
}

Result<Recipe> read_recipe(const Value& form, const std::string& where) {
  FIXPOINT_CHECK(only(
      form, {"before", "undo", "irreversible", "leaves", "compare", "resource", "answer", "intended", "again", "lost"},
      where));
  Recipe recipe;
  FIXPOINT_TRY(compare, read_optional(form, "compare", where));
  recipe.compare = std::move(compare);
  FIXPOINT_TRY(resource, read_optional(form, "resource", where));
  recipe.resource = std::move(resource);
  FIXPOINT_TRY(answer, read_optional(form, "answer", where));
  recipe.answer = std::move(answer);
  FIXPOINT_TRY(again, read_again(form["again"], where + ".again"));
  recipe.again = std::move(again);
  FIXPOINT_TRY(lost, read_lost(form["lost"], where + ".lost"));
  recipe.lost = std::move(lost);
  if (recipe.lost && form.find("before") == nullptr)
    return fail(bad(where + ".lost", "is over the state read again, and there is no 'before' that reads it"));
  if (const Value* intended = form.find("intended")) {
    const json::Array reads = intended->is_array() ? intended->as_array() : json::Array{*intended};
    for (std::size_t i = 0; i < reads.size(); ++i) {
      FIXPOINT_TRY(read, read_intended(reads[i], where + ".intended[" + std::to_string(i) + "]"));
      recipe.intended.push_back(std::move(read));
    }
  }
  if (const Value* before = form.find("before")) {
    FIXPOINT_TRY(reads, read_before(*before, where + ".before"));
    recipe.before = std::move(reads);
  }
  const Value* undo = form.find("undo");
  const Value* irreversible = form.find("irreversible");
  if (irreversible != nullptr) {
    FIXPOINT_TRY(caveats, read_caveats(*irreversible, where + ".irreversible"));
    recipe.irreversible = std::move(caveats);
  }
  // Conditions under which it cannot be undone stand beside the undo of the other cases; a sentence stands alone.
  const bool conditions = irreversible != nullptr && irreversible->is_array();
  if (undo == nullptr ? irreversible == nullptr || conditions : irreversible != nullptr && !conditions)
    return fail(bad(where, "has to say either 'undo' or 'irreversible'"));
  if (const Value* leaves = form.find("leaves")) {
    if (undo == nullptr) return fail(bad(where + ".leaves", "says what an undo leaves, and there is none"));
    FIXPOINT_TRY(caveats, read_caveats(*leaves, where + ".leaves"));
    recipe.leaves = std::move(caveats);
  }
  if (undo == nullptr) return recipe;
  if (undo->is_array() && undo->size() == 0)
    return fail(bad(where + ".undo", "has no call; 'irreversible' says why there is none"));
  const json::Array steps = undo->is_array() ? undo->as_array() : json::Array{*undo};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string here = where + ".undo[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(only(steps[i], {"each", "when", "call", "input", "done"}, here));
    FIXPOINT_TRY(each, read_optional(steps[i], "each", here));
    FIXPOINT_TRY(when, read_optional(steps[i], "when", here));
    FIXPOINT_TRY(call, read_call(steps[i], here));
    FIXPOINT_TRY(done, read_codes(steps[i]["done"], here + ".done"));
    recipe.undo.push_back({std::move(each), std::move(when), std::move(call), std::move(done)});
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
    if (!path.ends_with(".yaml")) continue;
    const std::string service = path.substr(path.rfind('/') + 1, path.rfind('.') - path.rfind('/') - 1);
    auto form = json::parse_yaml(*catalog.find(path));
    if (!form) return fail(bad(path, describe(form.error())));
    if (!form->is_object()) return fail(bad(path, "has to be a mapping of operations to recipes"));
    for (const auto& member : form->as_object()) {
      if (member.key == "reads" || member.key == "changes") {
        auto names = read_names(member.value);
        if (!names) return fail(bad(path + ":" + member.key, names.error().message));
        for (const auto& name : *names)
          (member.key == "reads" ? out.reads_ : out.changes_).insert(key_of(service, name));
        continue;
      }
      if (member.key == "failures") {
        if (!member.value.is_object()) return fail(bad(path + ":failures", "has to be a mapping of operations"));
        for (const auto& one : member.value.as_object()) {
          FIXPOINT_TRY(failures, read_failures(one.value, path + ":failures." + one.key));
          out.failures_.emplace(key_of(service, one.key), std::move(failures));
        }
        continue;
      }
      FIXPOINT_TRY(recipe, read_recipe(member.value, path + ":" + member.key));
      out.recipes_.emplace(key_of(service, member.key), std::move(recipe));
    }
  }
  FIXPOINT_TRY(tags, TagRules::load(catalog));
  out.tags_ = std::make_shared<const TagRules>(std::move(tags));
  return out;
}

const TagRules& Recipes::tags() const {
  static const TagRules none;
  return tags_ ? *tags_ : none;
}

bool Recipes::reads(std::string_view service, std::string_view operation) const {
  const std::string key = key_of(service, operation);
  if (changes_.contains(key) || recipes_.contains(key)) return false;
  return reads_.contains(key) || sounds_like_reading(operation);
}

const Failures* Recipes::find_failures(std::string_view service, std::string_view operation) const {
  const auto found = failures_.find(key_of(service, operation));
  return found == failures_.end() ? nullptr : &found->second;
}

const Recipe* Recipes::find(std::string_view service, std::string_view operation) const {
  const auto found = recipes_.find(key_of(service, operation));
  return found == recipes_.end() ? nullptr : &found->second;
}

}  // namespace fixpoint::changes
