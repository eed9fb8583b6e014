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

std::vector<std::string> texts_of(const std::vector<Window>& windows) {
  std::vector<std::string> out;
  for (const Window& window : windows) out.push_back(window.text);
  return out;
}

template <class T>
void keep_least(std::optional<T>& one, const std::optional<T>& other) {
  if (other && (!one || *other < *one)) one = other;
}

// Of each the stricter: what either forbids is forbidden.
void tighten(Rules& rules, Rules other) {
  rules.cap_resources = std::min(rules.cap_resources, other.cap_resources);
  keep_least(rules.cap_percent, other.cap_percent);
  keep_least(rules.cap_population, other.cap_population);
  std::erase_if(rules.allow_irreversible, [&](const std::string& call) {
    return std::find(other.allow_irreversible.begin(), other.allow_irreversible.end(), call) ==
           other.allow_irreversible.end();
  });
  rules.owned_asks = rules.owned_asks || other.owned_asks;
  for (std::string& tag : other.owner_tags)
    if (std::find(rules.owner_tags.begin(), rules.owner_tags.end(), tag) == rules.owner_tags.end())
      rules.owner_tags.push_back(std::move(tag));
  rules.four_eyes = rules.four_eyes || other.four_eyes;
  if (other.windows.empty() || texts_of(other.windows) == texts_of(rules.windows)) return;
  if (rules.windows.empty())
    rules.windows = std::move(other.windows);
  else
    rules.more_windows.push_back(std::move(other.windows));
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
  const std::string own = own_scope(scope);
  FIXPOINT_TRY(stored, stored_scopes(tx, "setting", own));
  std::int64_t gone = 0;
  for (const std::string& one : stored) {
    FIXPOINT_TRY(rows, tx.execute("DELETE FROM setting WHERE scope = ? AND name = ?", {one, name}));
    gone += rows;
  }
  if (value.is_null()) {
    if (gone == 0) return fail(errors::resource_not_found("nothing is set for " + own + " as " + name));
  } else {
    FIXPOINT_CHECK(
        tx.execute("INSERT INTO setting (scope, name, value) VALUES (?, ?, ?)", {own, name, json::print(value)}));
  }
  tx.changes_kept();
  return {};
}

Result<std::optional<std::string>> Settings::at(store::Session& session, const std::string& scope,
                                                const std::string& name) {
  FIXPOINT_TRY(stored, stored_scopes(session, "setting", scope));
  for (const std::string& one : stored) {
    FIXPOINT_TRY(rows, session.query("SELECT value FROM setting WHERE scope = ? AND name = ?", {one, name}));
    if (!rows.empty()) return std::optional(rows[0].take(0));
  }
  return std::nullopt;
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

Settings::Settings(store::Store& store) : store_(store), kept_(store, read) {}

Result<Settings::Stored> Settings::read(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT scope, name, value FROM setting ORDER BY scope, name"));
  return sorted(rows);
}

Settings::Stored Settings::sorted(std::vector<store::Row>& rows) {
  Stored out;
  for (store::Row& row : rows) {
    std::string own = own_scope(row.text(0));
    auto& into = own == row.text(0) ? out.by_scope : out.foreign;
    into[std::move(own)].emplace_back(row.take(1), row.take(2));
  }
  return out;
}

Result<Rules> Settings::find(const std::string& program, const std::string& account) {
  FIXPOINT_TRY(kept, kept_.get());
  return rules_of(program, account, *kept);
}

Result<Rules> Settings::find(store::Session& session, const std::string& program, const std::string& account) {
  const auto scopes = scopes_of(program, account);
  FIXPOINT_TRY(rows,
               session.query("SELECT scope, name, value FROM setting WHERE scope IN (?, ?, ?)" +
                                 std::string(program.starts_with("arn:") ? " OR scope LIKE 'control:arn:%'" : "") +
                                 " ORDER BY scope, name",
                             {scopes[0], scopes[1], scopes[2]}));
  return rules_of(program, account, sorted(rows));
}

Result<Rules> Settings::rules_of(const std::string& program, const std::string& account, const Stored& stored) {
  const auto scopes = scopes_of(program, account);
  Rules rules;
  rules.owner_tags = usual_owner_tags();
  const auto take = [](const std::string& name, const std::string& text, Rules& into) -> Result<void> {
    const auto reader = readers().find(name);
    if (reader == readers().end()) return {};
    FIXPOINT_TRY(value, json::parse(text));
    return reader->second(name, value, into);
  };
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)  // the narrowest last, so that it stays
    if (const auto found = stored.by_scope.find(*scope); found != stored.by_scope.end())
      for (const auto& [name, text] : found->second) FIXPOINT_CHECK(take(name, text, rules));
  if (const auto found = stored.foreign.find(scopes.front()); found != stored.foreign.end())
    for (const auto& [name, text] : found->second) {
      Rules other = rules;
      FIXPOINT_CHECK(take(name, text, other));
      tighten(rules, std::move(other));
    }
  return rules;
}

Value to_json(const Rules& rules) {
  const auto listed = [](const std::vector<Window>& list) {
    json::Array out;
    for (const Window& window : list) out.emplace_back(window.text);
    return out;
  };
  Value out = json::Object{
      {"cap_resources", rules.cap_resources},
      {"cap_percent", rules.cap_percent ? Value(*rules.cap_percent) : Value()},
      {"cap_population", rules.cap_population ? Value(*rules.cap_population) : Value()},
      {"windows", listed(rules.windows)},
      {"allow_irreversible", json::Array(rules.allow_irreversible.begin(), rules.allow_irreversible.end())},
      {"owned", rules.owned_asks ? "ask" : "change"},
      {"owner_tags", json::Array(rules.owner_tags.begin(), rules.owner_tags.end())},
      {"four_eyes", rules.four_eyes}};
  if (rules.more_windows.empty()) return out;
  json::Array more;
  for (const auto& list : rules.more_windows) more.emplace_back(listed(list));
  out.set("more_windows", std::move(more));
  return out;
}

}  // namespace fixpoint::changes
