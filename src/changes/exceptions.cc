#include "changes/exceptions.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "changes/scope.h"
#include "json/text.h"
#include "patterns/test_pattern.h"

namespace fixpoint::changes {
namespace {

using json::Value;

Value tags_json(const Tags& tags) {
  json::Object out;
  for (const auto& [key, value] : tags) out.set(key, value);
  return out;
}

Result<bool> pattern_holds(const Exception& exception, const Mandate& mandate) {
  if (exception.pattern.empty()) return true;
  for (std::size_t i = 0; i < mandate.findings.size(); ++i) {
    FIXPOINT_TRY(matched, patterns::matches(exception.pattern, json::print(mandate.findings[i])));
    if (matched) return true;
  }
  return false;
}

bool tags_hold(const Exception& exception, const Tags& tags) {
  return std::all_of(exception.tags.begin(), exception.tags.end(), [&](const auto& wanted) {
    const auto found = tags.find(wanted.first);
    return found != tags.end() && (wanted.second == "*" || wanted.second == found->second);
  });
}

// What it says, with nothing of it checked: that was done when it came.
Exception read(const Value& form) {
  Exception out;
  out.scope = own_scope(form["Scope"].string_or("all"));
  if (const Value& pattern = form["Pattern"]; !pattern.is_null())
    out.pattern = pattern.is_string() ? pattern.as_string() : json::print(pattern);
  if (form["Tags"].is_object())
    for (const auto& tag : form["Tags"].as_object()) out.tags.emplace(tag.key, tag.value.string_or(""));
  out.owner = form["Owner"].string_or("");
  out.reason = form["Reason"].string_or("");
  out.suppresses = form["Effect"].string_or("suppress") == "suppress";
  return out;
}

}  // namespace

std::string Exception::sentence() const {
  return "excepted by " + owner + " until " + format_iso8601_ms(expires_ms) + ": " + reason;
}

Value to_json(const Exception& exception) {
  json::Object out{{"Id", exception.id}, {"Scope", exception.scope}};
  if (!exception.pattern.empty()) {
    auto pattern = json::parse(exception.pattern);
    out.set("Pattern", pattern ? std::move(*pattern) : Value(exception.pattern));
  }
  if (!exception.tags.empty()) out.set("Tags", tags_json(exception.tags));
  out.set("Owner", exception.owner);
  out.set("Reason", exception.reason);
  out.set("ExpiresAt", format_iso8601_ms(exception.expires_ms));
  out.set("Effect", exception.suppresses ? "suppress" : "leave");
  out.set("CreatedBy", exception.created_by);
  out.set("CreatedAt", format_iso8601_ms(exception.created_ms));
  return out;
}

Result<Exception> exception_of(const Value& form, TimeMs now_ms) {
  const auto bad = [](const char* where, const std::string& sentence) {
    return fail(errors::validation("the exception " + sentence, where));
  };
  if (const Value* tags = form.find("Tags"); tags != nullptr && !tags->is_null()) {
    if (!tags->is_object()) return bad("Tags", "has tags that are no mapping of keys to values");
    for (const auto& member : tags->as_object()) {
      if (trim(member.key).empty()) return bad("Tags", "has a tag without a key, which no resource has");
      if (!member.value.is_string()) return bad("Tags", "has a tag '" + member.key + "' whose value is no text");
    }
  }
  Exception out = read(form);
  out.id = random_uuid();
  out.created_ms = now_ms;
  FIXPOINT_CHECK(check_scope(out.scope));
  if (!out.pattern.empty()) FIXPOINT_CHECK(patterns::matches(out.pattern, "{}"));
  if (out.pattern.empty() && out.tags.empty())
    return bad("Pattern", "has to say what it is for: a pattern over the finding, tags of the resource, or both");
  if (out.owner.empty()) return bad("Owner", "needs an owner, who answers for it");
  if (out.reason.empty()) return bad("Reason", "needs a reason");
  if (!form["ExpiresAt"].is_string())
    return bad("ExpiresAt", "needs an expiry: a date or time, as 2030-06-30 or 2030-06-30T12:00:00Z");
  FIXPOINT_TRY(expires, parse_iso8601_ms(form["ExpiresAt"].as_string()));
  if (expires <= now_ms) return bad("ExpiresAt", "expires at " + format_iso8601_ms(expires) + ", which is past");
  out.expires_ms = expires;
  const std::string_view effect = form["Effect"].string_or("suppress");
  if (effect != "suppress" && effect != "leave")
    return bad("Effect", "has the effect '" + std::string(effect) + "'; there are suppress and leave");
  return out;
}

Result<void> add(store::Transaction& tx, const Exception& exception) {
  FIXPOINT_CHECK(tx.execute("INSERT INTO exception (id, expires_ms, document) VALUES (?, ?, ?)",
                            {exception.id, exception.expires_ms, json::print(to_json(exception))}));
  tx.changes_kept();
  return {};
}

Result<void> remove_exception(store::Transaction& tx, const std::string& id) {
  FIXPOINT_TRY(gone, tx.execute("DELETE FROM exception WHERE id = ?", {id}));
  if (gone == 0)
    return fail(errors::resource_not_found("there is no exception '" + id + "'; 'fixpoint exceptions' lists them"));
  tx.changes_kept();
  return {};
}

Result<std::vector<Exception>> exceptions(store::Session& session) {
  FIXPOINT_TRY(rows, session.query("SELECT id, expires_ms, document FROM exception ORDER BY expires_ms, id"));
  std::vector<Exception> out;
  for (store::Row& row : rows) {
    FIXPOINT_TRY(form, json::parse_printed(row.text(2)));
    Exception exception = read(form);
    exception.expires_ms = row.integer(1);
    FIXPOINT_TRY(created, parse_iso8601_ms(form["CreatedAt"].string_or("")));
    exception.id = row.take(0);
    exception.created_ms = created;
    exception.created_by = form["CreatedBy"].string_or("");
    out.push_back(std::move(exception));
  }
  return out;
}

Result<std::optional<Exception>> excepted(const std::vector<Exception>& all, const Mandate& mandate,
                                          const std::vector<std::string>& accounts,
                                          const std::vector<std::string>& resources, TimeMs now_ms,
                                          const ReadTags& read_tags) {
  std::vector<std::string> scopes;
  for (const auto& account : accounts)
    for (auto& scope : scopes_of(mandate.program, account)) scopes.push_back(std::move(scope));
  std::map<std::string, Tags> known;
  for (const Exception& exception : all) {
    if (exception.expires_ms <= now_ms || std::find(scopes.begin(), scopes.end(), exception.scope) == scopes.end())
      continue;
    FIXPOINT_TRY(matched, pattern_holds(exception, mandate));
    if (!matched) continue;
    if (exception.tags.empty()) return std::optional(exception);
    for (const auto& resource : resources) {
      if (!known.contains(resource)) {
        FIXPOINT_TRY(tags, read_tags(resource));
        known.emplace(resource, std::move(tags));
      }
      if (tags_hold(exception, known[resource])) return std::optional(exception);
    }
  }
  return std::nullopt;
}

}  // namespace fixpoint::changes
