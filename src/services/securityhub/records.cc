#include "services/securityhub/records.h"

#include "aws/offset_page.h"
#include "aws/verify.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::services::hub {

using json::Value;

std::string Records::tables() {
  return R"sql(
CREATE TABLE hub_record (kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, made_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL, PRIMARY KEY (kind, account, region, id)) STRICT;
)sql";
}

Result<void> Records::put(store::Transaction& tx, const std::string& kind, const aws::Caller& caller,
                          const std::string& id, const Value& body) {
  const TimeMs now = clock_.now_ms();
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO hub_record (kind, account, region, id, body, made_ms, changed_ms) VALUES (?,?,?,?,?,?,?) "
                 "ON CONFLICT "
                 "(kind, account, region, id) DO UPDATE SET body = excluded.body, changed_ms = excluded.changed_ms",
                 {kind, caller.account, caller.region, id, json::print(body), now, now}));
  return {};
}

Result<std::optional<Record>> Records::get(store::Session& session, const std::string& kind, const aws::Caller& caller,
                                           const std::string& id) {
  FIXPOINT_TRY(rows,
               session.query("SELECT body, made_ms, changed_ms FROM hub_record WHERE kind = ? AND account = ? AND "
                             "region = ? AND id = ?",
                             {kind, caller.account, caller.region, id}));
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(body, json::parse_printed(rows[0].text(0)));
  return Record{id, std::move(body), rows[0].integer(1), rows[0].integer(2)};
}

Result<std::vector<Record>> Records::list(store::Session& session, const std::string& kind, const aws::Caller& caller) {
  FIXPOINT_TRY(rows,
               session.query("SELECT id, body, made_ms, changed_ms FROM hub_record WHERE kind = ? AND account = ? "
                             "AND region = ? ORDER BY id",
                             {kind, caller.account, caller.region}));
  std::vector<Record> out;
  for (store::Row& row : rows) {
    FIXPOINT_TRY(body, json::parse_printed(row.text(1)));
    out.push_back({row.take(0), std::move(body), row.integer(2), row.integer(3)});
  }
  return out;
}

Result<bool> Records::remove(store::Transaction& tx, const std::string& kind, const aws::Caller& caller,
                             const std::string& id) {
  FIXPOINT_TRY(removed, tx.execute("DELETE FROM hub_record WHERE kind = ? AND account = ? AND region = ? AND id = ?",
                                   {kind, caller.account, caller.region, id}));
  return removed > 0;
}

Result<Value> page_of(const json::Array& items, const Value& input, const char* member, std::size_t most) {
  const std::int64_t limit = input["MaxResults"].int_or(static_cast<std::int64_t>(most));
  if (limit < 1 || limit > static_cast<std::int64_t>(most))
    return fail(errors::invalid_input(
        "MaxResults is " + std::to_string(limit) + "; it has to be 1 to " + std::to_string(most), "MaxResults"));
  return aws::offset_page(
      items, static_cast<std::size_t>(limit), input["NextToken"].string_or(""), member,
      errors::invalid_input("NextToken is none that this server gave; begin with the first page", "NextToken"));
}

Result<void> holds_some(const Value& input, const char* member, std::size_t most) {
  const std::size_t size = input[member].size();
  if (size >= 1 && size <= most) return {};
  return fail(errors::invalid_input(std::string(member) + " has " + std::to_string(size) + " items; 1 to " +
                                        std::to_string(most) + " are taken in one call",
                                    member));
}

// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
Result<void> add_tags(Records& records, store::Transaction& tx, const aws::Caller& caller, const std::string& arn,
                      const Value& tags) {
  if (!tags.is_object() || tags.size() == 0) return {};
  FIXPOINT_TRY(found, records.get(tx, tag_kind, caller, arn));
  Value all = found ? std::move(found->body) : Value(json::Object());
  for (const auto& member : tags.as_object()) {
    if (to_lower(member.key).starts_with("aws:"))
      return fail(errors::invalid_input(
          "the tag '" + member.key + "' begins with aws:, which AWS keeps for itself; use another key", "Tags"));
    all.set(member.key, member.value);
  }
  if (all.size() > 50) return fail(errors::invalid_input("a resource takes at most 50 tags", "Tags"));
  return records.put(tx, tag_kind, caller, arn, all);
}

std::string hub_arn(const aws::Caller& caller, const std::string& resource) {
  return "arn:" + caller.partition + ":securityhub:" + caller.region + ":" + caller.account + ":" + resource;
}

bus::Origin origin_of(const aws::Caller& caller) {
  if (!caller.principal) return {};
  return {caller.principal->execution, caller.principal->person()};
}

std::string caller_arn(const aws::Caller& caller) {
  return caller.principal ? caller.principal->arn : std::string();
}

}  // namespace fixpoint::services::hub
