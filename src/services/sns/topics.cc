#include "services/sns/topics.h"

#include "json/text.h"

namespace fixpoint::services::sns {
namespace {

using json::Value;

constexpr const char* tables = R"sql(
CREATE TABLE sns_topic (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, settings TEXT NOT NULL, tags TEXT NOT NULL,
  deleted_subscriptions INTEGER NOT NULL, PRIMARY KEY (account, region, name)) STRICT;
CREATE TABLE sns_subscription (arn TEXT PRIMARY KEY, topic_arn TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, protocol TEXT NOT NULL,
  endpoint TEXT NOT NULL, owner TEXT NOT NULL, principal TEXT NOT NULL, settings TEXT NOT NULL, token TEXT NOT NULL, pending INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, authenticated INTEGER NOT NULL, guarded INTEGER NOT NULL) STRICT;
CREATE INDEX sns_subscription_topic ON sns_subscription (topic_arn, arn);
CREATE INDEX sns_subscription_account ON sns_subscription (account, region, arn);
CREATE INDEX sns_subscription_token ON sns_subscription (token) WHERE token <> '';
CREATE TABLE sns_dedup (topic_arn TEXT NOT NULL, dedup TEXT NOT NULL, id TEXT NOT NULL, sequence TEXT NOT NULL, expires_ms INTEGER NOT NULL,
  PRIMARY KEY (topic_arn, dedup)) STRICT;
CREATE INDEX sns_dedup_expires ON sns_dedup (expires_ms);
CREATE TABLE sns_http (id TEXT PRIMARY KEY, subscription_arn TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL, policy TEXT NOT NULL,
  dead_letter_arn TEXT NOT NULL, attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, error TEXT NOT NULL) STRICT;
CREATE INDEX sns_http_next ON sns_http (next_ms);
)sql";

constexpr const char* topic_columns =
    "SELECT account, region, name, settings, tags, deleted_subscriptions FROM sns_topic ";
constexpr const char* subscription_columns =
    "SELECT arn, topic_arn, protocol, endpoint, owner, principal, settings, token, pending, created_ms, authenticated, "
    "guarded FROM "
    "sns_subscription ";

Result<Subscription> subscription_of(store::Row& row) {
  Subscription out;
  out.arn = row.take(0);
  out.topic_arn = row.take(1);
  out.protocol = row.take(2);
  out.endpoint = row.take(3);
  out.owner = row.take(4);
  out.principal = row.take(5);
  FIXPOINT_TRY(settings, json::parse(row.text(6)));
  out.settings = std::move(settings);
  out.token = row.take(7);
  out.pending = row.integer(8) != 0;
  out.created_ms = row.integer(9);
  out.authenticated = row.integer(10) != 0;
  out.guarded = row.integer(11) != 0;
  return out;
}

Result<std::vector<Subscription>> subscriptions_of(std::vector<store::Row>& rows) {
  std::vector<Subscription> out;
  out.reserve(rows.size());
  for (store::Row& row : rows) {
    FIXPOINT_TRY(one, subscription_of(row));
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::optional<Subscription>> first_of(std::vector<store::Row>& rows) {
  if (rows.empty()) return std::nullopt;
  FIXPOINT_TRY(one, subscription_of(rows[0]));
  return std::move(one);
}

}  // namespace

store::Schema Topics::schema() {
  return {"sns", {tables}};
}

Result<std::optional<Topic>> Topics::find(store::Session& session, const TopicName& name) {
  FIXPOINT_TRY(rows, session.query(std::string(topic_columns) + "WHERE account = ? AND region = ? AND name = ?",
                                   {name.account, name.region, name.name}));
  if (rows.empty()) return std::nullopt;
  Topic topic;
  topic.name = name;
  FIXPOINT_TRY(settings, json::parse(rows[0].text(3)));
  topic.settings = std::move(settings);
  FIXPOINT_TRY(tags, json::parse(rows[0].text(4)));
  topic.tags = std::move(tags);
  topic.deleted_subscriptions = rows[0].integer(5);
  return topic;
}

Result<Topic> Topics::get(store::Session& session, const TopicName& name) {
  FIXPOINT_TRY(topic, find(session, name));
  if (!topic) return fail(no_topic());
  return std::move(*topic);
}

Result<void> Topics::put(store::Transaction& tx, const Topic& topic) {
  FIXPOINT_CHECK(
      tx.execute("INSERT INTO sns_topic (account, region, name, settings, tags, deleted_subscriptions) VALUES (?, ?, "
                 "?, ?, ?, ?) ON "
                 "CONFLICT (account, region, name) DO UPDATE SET settings = excluded.settings, tags = excluded.tags, "
                 "deleted_subscriptions = excluded.deleted_subscriptions",
                 {topic.name.account, topic.name.region, topic.name.name, json::print(topic.settings),
                  json::print(topic.tags), topic.deleted_subscriptions}));
  return {};
}

Result<void> Topics::remove(store::Transaction& tx, const TopicName& name) {
  FIXPOINT_CHECK(tx.execute("DELETE FROM sns_topic WHERE account = ? AND region = ? AND name = ?",
                            {name.account, name.region, name.name}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM sns_subscription WHERE topic_arn = ?", {name.arn()}));
  FIXPOINT_CHECK(tx.execute("DELETE FROM sns_dedup WHERE topic_arn = ?", {name.arn()}));
  return {};
}

Result<std::vector<TopicName>> Topics::list(store::Session& session, const std::string& account,
                                            const std::string& region, const std::string& after, std::size_t limit) {
  FIXPOINT_TRY(rows,
               session.query("SELECT name FROM sns_topic WHERE account = ? AND region = ? AND name > ? ORDER BY name "
                             "LIMIT ?",
                             {account, region, after, static_cast<std::int64_t>(limit)}));
  std::vector<TopicName> out;
  for (store::Row& row : rows) out.push_back({account, region, row.take(0)});
  return out;
}

Result<std::optional<Subscription>> Topics::find_subscription(store::Session& session, const std::string& arn) {
  FIXPOINT_TRY(rows, session.query(std::string(subscription_columns) + "WHERE arn = ?", {arn}));
  return first_of(rows);
}

Result<std::optional<Subscription>> Topics::find_endpoint(store::Session& session, const std::string& topic_arn,
                                                          const std::string& protocol, const std::string& endpoint) {
  FIXPOINT_TRY(
      rows, session.query(std::string(subscription_columns) + "WHERE topic_arn = ? AND protocol = ? AND endpoint = ?",
                          {topic_arn, protocol, endpoint}));
  return first_of(rows);
}

Result<std::optional<Subscription>> Topics::find_token(store::Session& session, const std::string& token) {
  if (token.empty()) return std::nullopt;
  FIXPOINT_TRY(rows, session.query(std::string(subscription_columns) + "WHERE token = ? AND token <> ''", {token}));
  return first_of(rows);
}

Result<void> Topics::put_subscription(store::Transaction& tx, const Subscription& s) {
  FIXPOINT_TRY(topic, topic_of_arn(s.topic_arn));
  FIXPOINT_CHECK(tx.execute(
      "INSERT INTO sns_subscription (arn, topic_arn, account, region, protocol, endpoint, owner, principal, settings, "
      "token, "
      "pending, created_ms, authenticated, guarded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "
      "(arn) DO "
      "UPDATE SET settings = excluded.settings, token = excluded.token, pending = excluded.pending, created_ms = "
      "excluded.created_ms, authenticated = "
      "excluded.authenticated, guarded = excluded.guarded",
      {s.arn, s.topic_arn, topic.account, topic.region, s.protocol, s.endpoint, s.owner, s.principal,
       json::print(s.settings), s.token, std::int64_t{s.pending}, s.created_ms, std::int64_t{s.authenticated},
       std::int64_t{s.guarded}}));
  return {};
}

Result<void> Topics::remove_subscription(store::Transaction& tx, const Subscription& subscription) {
  FIXPOINT_CHECK(tx.execute("DELETE FROM sns_subscription WHERE arn = ?", {subscription.arn}));
  FIXPOINT_TRY(topic, topic_of_arn(subscription.topic_arn));
  FIXPOINT_CHECK(tx.execute(
      "UPDATE sns_topic SET deleted_subscriptions = deleted_subscriptions + 1 WHERE account = ? AND region = ? "
      "AND name = ?",
      {topic.account, topic.region, topic.name}));
  return {};
}

Result<std::vector<Subscription>> Topics::list_subscriptions(store::Session& session, const TopicName& where,
                                                             const std::string& topic_arn, const std::string& after,
                                                             std::size_t limit) {
  const auto most = static_cast<std::int64_t>(limit);
  FIXPOINT_TRY(rows, topic_arn.empty()
                         ? session.query(std::string(subscription_columns) +
                                             "WHERE account = ? AND region = ? AND arn > ? ORDER BY arn LIMIT ?",
                                         {where.account, where.region, after, most})
                         : session.query(std::string(subscription_columns) +
                                             "WHERE topic_arn = ? AND arn > ? ORDER BY arn LIMIT ?",
                                         {topic_arn, after, most}));
  return subscriptions_of(rows);
}

Result<std::vector<Subscription>> Topics::confirmed(store::Session& session, const std::string& topic_arn) {
  FIXPOINT_TRY(rows,
               session.query(std::string(subscription_columns) + "WHERE topic_arn = ? AND pending = 0 ORDER BY arn",
                             {topic_arn}));
  return subscriptions_of(rows);
}

Result<Topics::Counts> Topics::count(store::Session& session, const std::string& topic_arn) {
  FIXPOINT_TRY(
      rows, session.query("SELECT count(*), sum(CASE WHEN pending = 0 THEN 1 ELSE 0 END) FROM sns_subscription WHERE "
                          "topic_arn = ?",
                          {topic_arn}));
  return Counts{rows[0].integer(1), rows[0].integer(0) - rows[0].integer(1)};
}

}  // namespace fixpoint::services::sns
