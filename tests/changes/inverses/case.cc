#include "case.h"

#include <algorithm>

namespace fixpoint::changes {
namespace {

using json::Value;

Result<void> only(const Value& form, std::initializer_list<std::string_view> known, const std::string& where) {
  if (!form.is_object()) return fail(errors::validation(where + " has to be a mapping", where));
  for (const auto& member : form.as_object())
    if (std::find(known.begin(), known.end(), member.key) == known.end())
      return fail(errors::validation(where + ": '" + member.key + "' is not known here", where));
  return {};
}

Result<std::optional<jsonata::Template>> maybe(const Value& form, std::string_view name, const std::string& where) {
  const Value* found = form.find(name);
  if (found == nullptr) return std::nullopt;
  auto compiled = jsonata::Template::compile(*found);
  if (!compiled) return fail(errors::validation(where + "." + std::string(name) + ": " + compiled.error().message));
  return std::move(*compiled);
}

Result<std::vector<Case::Look>> read_looks(const Value& form, bool with_is, const std::string& where) {
  std::vector<Case::Look> looks;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const std::string here = where + "[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(only(form[i], {"call", "input", "take", with_is ? "is" : "take"}, here));
    FIXPOINT_TRY(call, read_call(form[i], here));
    FIXPOINT_TRY(take, maybe(form[i], "take", here));
    FIXPOINT_TRY(is, maybe(form[i], "is", here));
    if (with_is && !is) return fail(errors::validation(here + " needs 'is'"));
    looks.push_back({std::move(call), std::move(take), std::move(is)});
  }
  return looks;
}

Result<Case> read_case(const Value& form, const std::string& where) {
  FIXPOINT_CHECK(only(
      form, {"case", "region", "given", "change", "same", "left", "undo", "changes", "fails", "leaves", "irreversible"},
      where));
  Case out;
  out.name = form["case"].string_or("");
  if (out.name.empty()) return fail(errors::validation(where + " needs 'case': what it shows"));
  out.region = form["region"].string_or("us-east-1");
  for (std::size_t i = 0; i < form["given"].size(); ++i) {
    const std::string here = where + ".given[" + std::to_string(i) + "]";
    FIXPOINT_CHECK(only(form["given"][i], {"call", "input", "keep", "times"}, here));
    FIXPOINT_TRY(call, read_call(form["given"][i], here));
    out.given.push_back(
        {std::move(call), std::string(form["given"][i]["keep"].string_or("")), form["given"][i]["times"].int_or(1)});
  }
  FIXPOINT_TRY(change, maybe(form, "change", where));
  if (!change) return fail(errors::validation(where + " needs 'change': the input"));
  out.change = std::move(*change);
  FIXPOINT_TRY(same, read_looks(form["same"], false, where + ".same"));
  out.same = std::move(same);
  FIXPOINT_TRY(left, read_looks(form["left"], true, where + ".left"));
  out.left = std::move(left);
  for (std::size_t i = 0; i < form["undo"].size(); ++i) out.undo.emplace_back(form["undo"][i].string_or(""));
  out.changes = form["changes"].bool_or(true);
  out.fails = form["fails"].string_or("");
  out.leaves = form["leaves"].string_or("");
  out.irreversible = form["irreversible"].string_or("");
  if (out.irreversible.empty() && out.same.empty() && out.left.empty())
    return fail(errors::validation(where + " looks at nothing"));
  if (out.irreversible.empty() && form["undo"].is_null() && out.fails.empty())
    return fail(errors::validation(where + " needs 'undo': the calls, [] for none"));
  return out;
}

}  // namespace

Result<std::vector<Case>> read_cases(const Value& form, const std::string& where) {
  if (!form.is_array() || form.size() == 0) return fail(errors::validation(where + " has to be a list of cases"));
  std::vector<Case> cases;
  for (std::size_t i = 0; i < form.size(); ++i) {
    FIXPOINT_TRY(one, read_case(form[i], where + "[" + std::to_string(i) + "]"));
    cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace fixpoint::changes
