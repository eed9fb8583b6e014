#include "changes/settings.h"

#include <algorithm>
#include <map>

#include "changes/recipes.h"
#include "changes/scope.h"
#include "json/text.h"

namespace fixpoint::changes {
namespace {

using json::Value;

// CloudFormation tags what it makes by itself; Terraform does not, so these are what its users write into default_tags.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
const std::vector<std::string>& usual_owner_tags() {
  static const std::vector<std::string> tags{"aws:cloudformation:stack-name", "terraform",
                                             "managed-by=terraform",          "managedby=terraform",
                                             "managed_by=terraform",          "provisioner=terraform"};
  return tags;
}

Error bad(const std::string& name, const std::string& what, const Value& value) {
  return errors::validation("the setting '" + name + "' has to be " + what + ", not " + json::print(value), name);
}

Result<std::vector<std::string>> texts(const std::string& name, const std::string& what, const Value& value) {
  if (!value.is_array()) return fail(bad(name, what, value));
  std::vector<std::string> out;
  for (const Value& item : value.as_array()) {
    if (item.string_or("").empty()) return fail(bad(name, what, value));
    out.push_back(item.as_string());
  }
  return out;
}

// One row a name: reads the value into the rules, or says why it is none. What is stored is read by it again and again:
// where a form is refused that could be set once, that is for Settings::check alone, or nothing holds any more where it
// is set.
using Reader = Result<void> (*)(const std::string& name, const Value& value, Rules& rules);

Result<void> read_cap(const std::string& name, const Value& value, Rules& rules) {
  const auto number = value.is_number() ? value.as_int64() : std::nullopt;
  if (!number || *number < 0) return fail(bad(name, "a whole number of resources, from 0", value));
  rules.cap_resources = *number;
  return {};
}

Result<void> read_percent(const std::string& name, const Value& value, Rules& rules) {
  if (!value.is_number() || !(value.as_double() >= 0 && value.as_double() <= 100))
    return fail(bad(name, "a number from 0 to 100", value));
  rules.cap_percent = value.as_double();
  return {};
}

Result<void> read_windows(const std::string& name, const Value& value, Rules& rules) {
  FIXPOINT_TRY(list, texts(name, "a list of windows, as [\"sat,sun 22:00-04:00 Europe/Berlin\"]", value));
  rules.windows.clear();
  for (const auto& text : list) {
    FIXPOINT_TRY(window, Window::read(text));
    rules.windows.push_back(std::move(window));
  }
  return {};
}

Result<void> read_allowances(const std::string& name, const Value& value, Rules& rules) {
  FIXPOINT_TRY(list, texts(name, "a list of operations, as [\"kms:ScheduleKeyDeletion\"]", value));
  for (const auto& call : list) FIXPOINT_CHECK(split_call(call));
  rules.allow_irreversible = std::move(list);
  return {};
}

Result<void> read_owned(const std::string& name, const Value& value, Rules& rules) {
  if (value.string_or("") != "ask" && value.string_or("") != "change")
    return fail(bad(name, "\"ask\" or \"change\"", value));
  rules.owned_asks = value.as_string() == "ask";
  return {};
}

Result<void> read_owner_tags(const std::string& name, const Value& value, Rules& rules) {
  FIXPOINT_TRY(list, texts(name, "a list of tags, as [\"terraform\", \"managed-by=terraform\"]", value));
  rules.owner_tags = std::move(list);
  return {};
}

Result<void> read_population(const std::string& name, const Value& value, Rules& rules) {
  const auto number = value.is_number() ? value.as_int64() : std::nullopt;
  if (!number || *number < 1) return fail(bad(name, "a whole number of resources, from 1", value));
  rules.cap_population = number;
  return {};
}

Result<void> read_four_eyes(const std::string& name, const Value& value, Rules& rules) {
  if (!value.is_bool()) return fail(bad(name, "true or false", value));
  rules.four_eyes = value.as_bool();
  return {};
}

const std::map<std::string, Reader, std::less<>>& readers() {
  static const std::map<std::string, Reader, std::less<>> rows{{"cap_resources", read_cap},
                                                               {"cap_percent", read_percent},
                                                               {"cap_population", read_population},
                                                               {"windows", read_windows},
                                                               {"allow_irreversible", read_allowances},
                                                               {"owned", read_owned},
                                                               {"owner_tags", read_owner_tags},
                                                               {"four_eyes", read_four_eyes}};
  return rows;
}

}  // namespace

Result<void> Settings::check(const std::string& scope, const std::string& name, const Value& value) {
  FIXPOINT_CHECK(check_scope(scope));
  const auto reader = readers().find(name);
  if (reader == readers().end()) {
    std::string known;
    for (const auto& [other, function] : readers()) known += (known.empty() ? "" : ", ") + other;
    return fail(errors::validation("'" + name + "' is no setting; there are " + known, "Name"));
  }
  if (value.is_null()) return {};
  Rules rules;
  FIXPOINT_CHECK(reader->second(name, value, rules));
  for (const Window& window : rules.windows) FIXPOINT_CHECK(Window::parse(window.text));
  return {};
}

Result<void> Settings::set(store::Transaction& tx, const std::string& scope, const std::string& name,
                           const Value& value) {
  FIXPOINT_CHECK(check(scope, name, value));
  if (value.is_null()) {
    FIXPOINT_TRY(gone, tx.execute("DELETE FROM setting WHERE scope = ? AND name = ?", {scope, name}));
    if (gone == 0) return fail(errors::resource_not_found("nothing is set for " + scope + " as " + name));
  } else {
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO setting (scope, name, value) VALUES (?, ?, ?) ON CONFLICT (scope, name) DO "
                   "UPDATE SET value = excluded.value",
                   {scope, name, json::print(value)}));
  }
  tx.changes_kept();
  return {};
}

Result<std::optional<std::string>> Settings::at(store::Session& session, const std::string& scope,
                                                const std::string& name) {
  FIXPOINT_TRY(rows, session.query("SELECT value FROM setting WHERE scope = ? AND name = ?", {scope, name}));
  return rows.empty() ? std::nullopt : std::optional(rows[0].take(0));
}

Result<Value> Settings::all() {
  return store_.read([](store::Session& session) -> Result<Value> {
    FIXPOINT_TRY(rows, session.query("SELECT scope, name, value FROM setting ORDER BY scope, name"));
    Value out{json::Object()};
    for (auto& row : rows) {
      FIXPOINT_TRY(value, json::parse(row.text(2)));
      out.at_or_make(row.text(0)).set(row.text(1), std::move(value));
    }
    return out;
  });
}

Settings::Settings(store::Store& store)
    : store_(store), kept_(store, [](store::Session& session) -> Result<ByScope> {
        FIXPOINT_TRY(rows, session.query("SELECT scope, name, value FROM setting"));
        ByScope out;
        for (store::Row& row : rows) out[row.text(0)].emplace_back(row.take(1), row.take(2));
        return out;
      }) {}

Result<Rules> Settings::find(const std::string& program, const std::string& account) {
  FIXPOINT_TRY(kept, kept_.get());
  return rules_of(program, account, [&](const std::string& scope) -> Result<Named> {
    const auto found = kept->find(scope);
    return found == kept->end() ? Named{} : found->second;
  });
}

Result<Rules> Settings::find(store::Session& session, const std::string& program, const std::string& account) {
  return rules_of(program, account, [&](const std::string& scope) -> Result<Named> {
    FIXPOINT_TRY(rows, session.query("SELECT name, value FROM setting WHERE scope = ?", {scope}));
    Named out;
    for (store::Row& row : rows) out.emplace_back(row.take(0), row.take(1));
    return out;
  });
}

Result<Rules> Settings::rules_of(const std::string& program, const std::string& account,
                                 const std::function<Result<Named>(const std::string& scope)>& of_scope) {
  const auto scopes = scopes_of(program, account);
  Rules rules;
  rules.owner_tags = usual_owner_tags();
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {  // the narrowest last, so that it stays
    FIXPOINT_TRY(settings, of_scope(*scope));
    for (const auto& [name, text] : settings) {
      const auto reader = readers().find(name);
      if (reader == readers().end()) continue;
      FIXPOINT_TRY(value, json::parse(text));
      FIXPOINT_CHECK(reader->second(name, value, rules));
    }
  }
  return rules;
}

Value to_json(const Rules& rules) {
  json::Array windows;
  for (const Window& window : rules.windows) windows.emplace_back(window.text);
  return json::Object{
      {"cap_resources", rules.cap_resources},
      {"cap_percent", rules.cap_percent ? Value(*rules.cap_percent) : Value()},
      {"cap_population", rules.cap_population ? Value(*rules.cap_population) : Value()},
      {"windows", std::move(windows)},
      {"allow_irreversible", json::Array(rules.allow_irreversible.begin(), rules.allow_irreversible.end())},
      {"owned", rules.owned_asks ? "ask" : "change"},
      {"owner_tags", json::Array(rules.owner_tags.begin(), rules.owner_tags.end())},
      {"four_eyes", rules.four_eyes}};
}

}  // namespace fixpoint::changes
